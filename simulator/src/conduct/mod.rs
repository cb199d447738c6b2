//! How a client behaves, judged as its requests are journalled, for any client. `table` says what
//! is held against it and who says so; the other files are the judges, each a few maps of bounded
//! size: what is too long ago to matter is forgotten, and so is the older half when a map is full.

mod breaches;
mod connections;
mod made_twice;
mod operations;
mod reading;
mod recent;
mod retries;
mod table;
#[cfg(test)]
mod tests;
mod tokens;
mod writing;

pub use self::breaches::{Breach, ConductReport};
pub(crate) use self::made_twice::made_twice;
pub use self::table::{ConductRule, TABLE as CONDUCT_RULES};
use crate::http::request_context::{RequestMetadata, hash_of};
use crate::http::served::Served;
use crate::operations::Operation;

/// How long a request may still be under way after the client was answered another one.
/// Milliseconds of real time: a request crosses a continent in a fifth of it.
const ON_ITS_WAY_MS: i64 = 500;

/// Every judge, and what they found.
#[derive(Clone, Default)]
pub(crate) struct Conduct {
    retries: retries::Retries,
    tokens: tokens::Tokens,
    connections: connections::Connections,
    reading: reading::Reading,
    writing: writing::Writing,
    breaches: breaches::Breaches,
    grace_ms: i64,
}

impl Conduct {
    /// Judges of a clock that runs `pace` times as fast as the clients' own: what is on its way
    /// takes that much longer on it.
    pub(crate) fn at_pace(pace: f64) -> Conduct {
        Conduct {
            grace_ms: (ON_ITS_WAY_MS as f64 * pace.max(1.0)) as i64,
            ..Conduct::default()
        }
    }

    /// Judges one request, in the order of the journal.
    pub(crate) fn observe(&mut self, event: &RequestEvent<'_>) {
        let breaches = &mut self.breaches;
        self.retries.observe(event, self.grace_ms, breaches);
        self.tokens.observe(event, self.grace_ms, breaches);
        self.connections.observe(event, breaches);
        self.reading.observe(event, breaches);
        self.writing.observe(event, breaches);
    }

    /// Takes note of what a platform did by itself.
    pub(crate) fn observe_side_effect(
        &mut self,
        operation: &'static Operation,
        key: &str,
        effect: &str,
    ) {
        self.writing.observe_side_effect(operation, key, effect);
    }

    /// What was found so far.
    pub(crate) fn report(&self) -> ConductReport {
        let mut breaches = self.breaches.clone();
        self.tokens.conclude(&mut breaches);
        breaches.report()
    }
}

/// One request as the judges see it.
pub(crate) struct RequestEvent<'a> {
    /// Its line in the journal.
    n: u64,
    /// When it arrived. Unix ms.
    arrived_ms: i64,
    /// When it was answered. Unix ms.
    answered_ms: i64,
    platform: &'static str,
    operation: &'static Operation,
    key: &'a str,
    /// The status the client received; 0: none.
    status: u16,
    /// Whether it was refused by a limit, and not by a fault.
    is_limited: bool,
    /// What changed.
    effect: Option<&'static str>,
    bytes_in: u64,
    bytes_out: u64,
    /// How long it was asked to wait.
    retry_after_ms: Option<i64>,
    metadata: RequestMetadata,
    /// The same for a request that is sent again.
    identity: u64,
}

impl<'a> RequestEvent<'a> {
    /// Line `n` of the journal.
    pub(crate) fn of(n: u64, served: &'a Served<'a>) -> RequestEvent<'a> {
        let metadata = served.metadata;
        // A request without a key is identified by its body's digest; uploads always have a key.
        let said = if served.key == "-" {
            metadata.digest
        } else {
            None
        };
        RequestEvent {
            n,
            arrived_ms: metadata.arrived_ms.unwrap_or(served.at_ms),
            answered_ms: served.at_ms,
            platform: served.platform,
            operation: served.operation,
            key: served.key,
            status: served.status,
            is_limited: served.status == 429 && served.attempt == 0 && served.fault.is_none(),
            effect: served.effect,
            bytes_in: served.bytes_in,
            bytes_out: served.bytes_out,
            retry_after_ms: served
                .retry_after_s
                .map(|seconds| i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX / 4)),
            identity: hash_of(&(served.operation.name, served.key, metadata.address, said)),
            metadata,
        }
    }

    /// Whether the client received a whole answer that says success.
    fn is_well(&self) -> bool {
        (200..300).contains(&self.status) && !self.metadata.is_cut
    }

    /// Whether it may be sent again unchanged: after a limit, a server error, no answer, or a
    /// truncated success.
    fn may_be_retried(&self) -> bool {
        matches!(self.status, 408 | 429) || self.is_unknown()
    }

    /// Whether the client cannot know the outcome. A truncated refusal is known by its status.
    fn is_unknown(&self) -> bool {
        matches!(self.status, 0 | 500..) || self.is_half()
    }

    /// Whether a success was truncated.
    fn is_half(&self) -> bool {
        (200..300).contains(&self.status) && self.metadata.is_cut
    }

    fn is_token_request(&self) -> bool {
        self.operation.name.ends_with(".issue_token")
    }
}
