//! How a call can end badly, cut by what the caller does next.

/// A call that did not bring an answer to use. Safe to print: no token, no query string, no number.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// No connection, or every retry ended in a transport or server error. Nothing was changed by a
    /// reading call.
    #[error("{what} is unreachable: {why} after {tries} tries")]
    Unreachable {
        /// Method and path.
        what: String,
        /// The last cause.
        why: String,
        /// How often it was tried.
        tries: u32,
        /// Status of the last answer. Absent: there was none, nobody may be there at all.
        answered: Option<u16>,
    },
    /// Client id, secret or token are refused.
    #[error("{what} refuses our credentials: {why}; check client id and secret")]
    Unauthorized {
        /// Method and path.
        what: String,
        /// The platform's words.
        why: String,
    },
    /// The platform understood and said no.
    #[error("{what} is refused: {status} {code} {message}")]
    Refused {
        /// Method and path.
        what: String,
        /// HTTP status.
        status: u16,
        /// The platform's code, e.g. `invalid.value`; empty where it gave none.
        code: String,
        /// The platform's words.
        message: String,
        /// `entityId` of the error body.
        entity_id: Option<String>,
        /// The field it complains about.
        field: Option<String>,
    },
    /// An answer that is not what the platform's contract says.
    #[error("{what} answered what its contract does not allow: {why}")]
    Malformed {
        /// Method and path.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// Answered with a redirect where none is followed: a gateway's login page, http instead of
    /// https, a collection's address without its slash.
    #[error(
        "{what} is redirected ({status}) {to}, and nothing was done; correct the address in the \
         plan, or look at the gateway before it"
    )]
    Redirected {
        /// Method and path.
        what: String,
        /// HTTP status, 3xx.
        status: u16,
        /// Where to, without query and account: `to https://login.example/`, or that it does not
        /// say.
        to: String,
    },
    /// The platform has not made it ready, and still had not after all tries.
    #[error("{what} is not ready: {status} after {tries} tries; run the same command again later")]
    NotReady {
        /// Method and path.
        what: String,
        /// HTTP status, e.g. 202.
        status: u16,
        /// How often it was asked for.
        tries: u32,
    },
    /// The platform asks for a wait that is longer than anybody waits.
    #[error(
        "{what} asks to wait {asked_s} s ({status}), and {most_s} s is the most that is waited; \
         run the same command again then"
    )]
    WaitTooLong {
        /// Method and path.
        what: String,
        /// HTTP status, 429 or 5xx.
        status: u16,
        /// What it asks for now. Seconds.
        asked_s: u64,
        /// The bound on all waits of one call. Seconds.
        most_s: u64,
    },
    /// No connection that can be trusted.
    #[error("{what}: no secure connection to {host}: {why}")]
    Untrusted {
        /// Method and path.
        what: String,
        /// Host and port.
        host: String,
        /// What is wrong, e.g. with its certificate.
        why: String,
    },
    /// This machine's clock and the platform's are too far apart to judge anything by.
    #[error("{what}: {why}")]
    ClockDiffers {
        /// Method and path.
        what: String,
        /// Both times, and what to do.
        why: String,
    },
    /// A changing call whose answer was lost, late or an error: look before repeating.
    #[error("the outcome of {what} is unknown: {why}; it is looked up before any repeat")]
    OutcomeUnknown {
        /// Method and path.
        what: String,
        /// What happened to the answer.
        why: String,
    },
    /// The transport does not send such a request at all.
    #[error("{what} is not sent: {why}")]
    NotSent {
        /// Method and path.
        what: String,
        /// Which rule keeps it back.
        why: String,
    },
    /// A host the plan does not allow.
    #[error(
        "{what} leads to {host}, which the plan does not allow; add it to source.media_hosts if it \
         is right"
    )]
    HostNotAllowed {
        /// Method and path.
        what: String,
        /// Host and port.
        host: String,
    },
}

impl CallError {
    /// Whether it is about the whole platform, or this machine: every other call would meet it too.
    #[must_use]
    pub fn is_everybodys(&self) -> bool {
        matches!(
            self,
            CallError::Unauthorized { .. }
                | CallError::Untrusted { .. }
                | CallError::ClockDiffers { .. }
                | CallError::WaitTooLong { .. }
        )
    }

    /// HTTP status of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            CallError::Refused { status, .. } => Some(*status),
            CallError::Unauthorized { .. } => Some(401),
            _ => None,
        }
    }
}
