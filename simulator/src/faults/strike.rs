//! What a fault does to a request that it strikes, at the pipeline's three points: before the work,
//! after it, and while the answer is sent.

use super::Decision;
use crate::clock::Clock;
use crate::http::reply::Reply;
use crate::operations::Operation;

/// One function for each point. A row of the table names those at which its fault does something;
/// the others are [`NOTHING`]'s.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strike {
    /// Why it cannot strike an operation; `None` where it can.
    pub(crate) cannot: fn(&Operation) -> Option<&'static str>,
    /// Before the work.
    pub(crate) before: fn(&Decision) -> Before,
    /// After the work, before anything is sent.
    pub(crate) after: fn(&Decision) -> After,
    /// While the reply is sent.
    pub(crate) send: fn(Reply, &Decision, &Clock) -> Reply,
    /// What it does to one item of a batch whose answer has an error for each. Absent: it strikes
    /// the request.
    pub(crate) item: Option<ItemFault>,
}

/// A request goes its way as if there were no fault.
pub(crate) const NOTHING: Strike = Strike {
    cannot: |_| None,
    before: |_| Before::Work,
    after: |_| After::Send,
    send: |reply, _, _| reply,
    item: None,
};

/// What is done with a request before it is worked on.
pub(crate) enum Before {
    /// It is worked on.
    Work,
    /// It is worked on later.
    Wait { ms: u64 },
    /// It is refused in the platform's words.
    Refuse(Refusal),
    /// Its connection is closed.
    Close,
}

/// What is done with the reply when the work is done.
pub(crate) enum After {
    /// It is sent.
    Send,
    /// It is sent later.
    SendLate { ms: u64 },
    /// Its head is sent and half of its body: `send` cuts it.
    SendHalf,
    /// The platform refuses instead.
    Refuse(Refusal),
    /// The connection is closed without it.
    Close,
}

/// What an item of a batch meets.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ItemFault {
    /// It is refused before it is worked on; the client may send it again where `is_passing`.
    Refused { is_passing: bool },
    /// It is worked on, and the answer says that it failed.
    FailsAfterCommit,
}

/// What a fault or the limiter asks a platform to say in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 429; `None`: without `Retry-After`.
    TooManyRequests {
        retry_after_s: Option<u64>,
    },
    /// 500, 502, 503 or 504.
    Server(u16),
    TokenExpired,
    BadRequest,
    NotFound,
    Conflict,
    TooLarge,
    UnsupportedMedia,
    Forbidden,
}

impl Refusal {
    /// The refusal a fault's `status` stands for; absent or unknown: a bad request.
    pub(super) fn of(status: Option<u16>) -> Refusal {
        match status {
            Some(403) => Refusal::Forbidden,
            Some(404) => Refusal::NotFound,
            Some(409) => Refusal::Conflict,
            Some(413) => Refusal::TooLarge,
            Some(415) => Refusal::UnsupportedMedia,
            _ => Refusal::BadRequest,
        }
    }
}
