//! The fault table: one row a kind. Checks, documentation and the scenario schema come from here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The request waits `ms` before it is worked on.
    Latency,
    /// The connection is closed before the request is worked on.
    ConnectionReset,
    /// The answer's body comes in small pieces, `ms` apart.
    SlowBody,
    /// The answer announces its whole body and the connection is closed half-way through it.
    TruncatedBody,
    /// 429 before the request is worked on, with `Retry-After` where `retry_after_s` is given.
    TooManyRequests,
    /// 500, 502, 503 or 504 (`status`) before the request is worked on.
    ServerError,
    /// The platform refuses the request itself: 400, 403, 404, 409, 413 or 415 (`status`).
    Refused,
    /// The token is refused as expired; where sessions stand for tokens, the session.
    ExpiredToken,
    /// The work is done, then the connection is closed without an answer.
    LostAnswer,
    /// The work is done, the answer comes `ms` later.
    LateAnswer,
    /// The work is done, the answer is an error (`status`).
    ErrorAfterCommit,
    /// An uploaded recording fails while it is processed: `Failure` in the upload report.
    UploadFailed,
    /// An uploaded recording stays `WaitForConversation` for `ms`, though its conversation is there.
    UploadStuck,
}

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Bytes on the connection.
    Transport,
    /// The platform's own words.
    Http,
    /// After the deed: only on operations that mutate.
    CommitThenFail,
    /// What the platform does by itself after its answer: only on operations that are no request.
    Inside,
}

/// A knob of a fault.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Knob {
    /// Key in the scenario.
    pub name: &'static str,
    /// Unit and range.
    pub unit: &'static str,
    /// Value when left out.
    pub default: &'static str,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Row {
    /// The kind.
    pub kind: FaultKind,
    /// Its name in a scenario.
    pub name: &'static str,
    /// Where it strikes.
    pub layer: Layer,
    /// Its knobs beside the address.
    pub knobs: &'static [Knob],
    /// What it does, in a sentence.
    pub effect: &'static str,
    /// What a sound migrator makes of it while it heals.
    pub outcome: &'static str,
}

const MS: Knob = Knob { name: "ms", unit: "milliseconds on the simulator's clock", default: "1000" };
const STATUS: Knob = Knob { name: "status", unit: "500, 502, 503 or 504", default: "503" };
const REFUSAL: Knob = Knob { name: "status", unit: "400, 403, 404, 409, 413 or 415", default: "400" };
const RETRY_AFTER_S: Knob = Knob { name: "retry_after_s", unit: "whole seconds", default: "absent: the header is left out" };

/// Every kind of fault.
pub static TABLE: &[Row] = &[
    Row {
        kind: FaultKind::Latency,
        name: "latency",
        layer: Layer::Transport,
        knobs: &[MS],
        effect: "waits before the work",
        outcome: "survivable",
    },
    Row {
        kind: FaultKind::ConnectionReset,
        name: "connection_reset",
        layer: Layer::Transport,
        knobs: &[],
        effect: "closes the connection before the work",
        outcome: "survivable: nothing was done",
    },
    Row {
        kind: FaultKind::SlowBody,
        name: "slow_body",
        layer: Layer::Transport,
        knobs: &[MS],
        effect: "sends the body in pieces of 16 KiB, a pause before each",
        outcome: "survivable",
    },
    Row {
        kind: FaultKind::TruncatedBody,
        name: "truncated_body",
        layer: Layer::Transport,
        knobs: &[],
        effect: "closes the connection half-way through the body",
        outcome: "survivable: read again, or resume",
    },
    Row {
        kind: FaultKind::TooManyRequests,
        name: "too_many_requests",
        layer: Layer::Http,
        knobs: &[RETRY_AFTER_S],
        effect: "429 before the work",
        outcome: "survivable: wait, then repeat",
    },
    Row {
        kind: FaultKind::ServerError,
        name: "server_error",
        layer: Layer::Http,
        knobs: &[STATUS],
        effect: "a 5xx before the work",
        outcome: "survivable: repeat after looking the outcome up",
    },
    Row {
        kind: FaultKind::Refused,
        name: "refused",
        layer: Layer::Http,
        knobs: &[REFUSAL],
        effect: "a 4xx before the work",
        outcome: "not survivable by repeating: the run stops, or leaves the record for a person",
    },
    Row {
        kind: FaultKind::ExpiredToken,
        name: "expired_token",
        layer: Layer::Http,
        knobs: &[],
        effect: "401 as for an expired token; Interaction Recording, which has none: 403 as for a session that ended",
        outcome: "survivable: a new token or session, once",
    },
    Row {
        kind: FaultKind::LostAnswer,
        name: "lost_answer",
        layer: Layer::CommitThenFail,
        knobs: &[],
        effect: "does the work, closes the connection without an answer",
        outcome: "survivable: look the outcome up before any repeat",
    },
    Row {
        kind: FaultKind::LateAnswer,
        name: "late_answer",
        layer: Layer::CommitThenFail,
        knobs: &[MS],
        effect: "does the work, answers late",
        outcome: "survivable: look the outcome up before any repeat",
    },
    Row {
        kind: FaultKind::ErrorAfterCommit,
        name: "error_after_commit",
        layer: Layer::CommitThenFail,
        knobs: &[STATUS],
        effect: "does the work, answers a 5xx",
        outcome: "survivable: look the outcome up before any repeat",
    },
    Row {
        kind: FaultKind::UploadFailed,
        name: "upload_failed",
        layer: Layer::Inside,
        knobs: &[],
        effect: "the upload ends as Failure",
        outcome: "survivable: upload again",
    },
    Row {
        kind: FaultKind::UploadStuck,
        name: "upload_stuck",
        layer: Layer::Inside,
        knobs: &[MS],
        effect: "the upload is parked as WaitForConversation though its conversation is there; beyond the parking time it becomes an orphan",
        outcome: "survivable: wait, or attach the orphan",
    },
];

impl FaultKind {
    /// The row of this kind.
    pub fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.kind == self).unwrap_or(&TABLE[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_the_name_its_kind_is_written_with() {
        for row in TABLE {
            assert_eq!(serde_json::to_value(row.kind).expect("a name"), row.name);
            assert_eq!(row.kind.row().name, row.name);
        }
    }

    #[test]
    fn every_kind_has_a_row() {
        let schema = schemars::schema_for!(FaultKind);
        let kinds = schema.get("oneOf").and_then(|kinds| kinds.as_array()).map(Vec::len);
        assert_eq!(kinds, Some(TABLE.len()));
    }
}
