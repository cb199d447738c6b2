//! The fault table: one row a kind. Checks, documentation and the scenario schema come from here. Rows of the domain layer stand in `domain`.

use schemars::JsonSchema;
use serde::Serialize;

use super::domain::{DOMAIN, DomainKind};
use super::outcome::Outcome;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// What was created is not shown for `ms`: reads of it answer as if it did not exist.
    LateVisibility,
    /// A job stays in progress for `ms` longer than its work takes.
    JobStuck,
    /// A recording is inserted and not found by the index for `ms` longer.
    IndexLate,
    /// The source's own data is wrong.
    Domain(DomainKind),
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
    Platform,
    /// The source's own data: only on places of the world.
    Domain,
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
    /// The operations that are no request, or the place of the world, it may be planted on. Empty: any request.
    pub on: &'static [&'static str],
    /// What it does, in a sentence.
    pub effect: &'static str,
    /// What a sound migrator makes of it.
    pub outcome: Outcome,
    /// What the plan must say for that outcome, as TOML. Empty: any plan that fits by itself.
    pub plan: &'static str,
    /// Key of `[world]` that plants the same in passing. Absent: none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knob: Option<&'static str>,
}

pub(super) const MS: Knob = Knob { name: "ms", unit: "milliseconds on the simulator's clock", default: "1000" };
const STATUS: Knob = Knob { name: "status", unit: "500, 502, 503 or 504", default: "503" };
const REFUSAL: Knob = Knob { name: "status", unit: "400, 403, 404, 409, 413 or 415", default: "400" };
const RETRY_AFTER_S: Knob = Knob { name: "retry_after_s", unit: "whole seconds", default: "absent: the header is left out" };

/// Faults of requests and of what platforms do by themselves.
pub(super) static REQUESTS: &[Row] = &[
    Row {
        kind: FaultKind::Latency,
        name: "latency",
        layer: Layer::Transport,
        knobs: &[MS],
        on: &[],
        effect: "waits before the work",
        outcome: Outcome::Survivable("survivable"),
        plan: "",
        knob: None,
    },
    Row {
        kind: FaultKind::ConnectionReset,
        name: "connection_reset",
        layer: Layer::Transport,
        knobs: &[],
        on: &[],
        effect: "closes the connection before the work",
        outcome: Outcome::Survivable("survivable: nothing was done"),
        plan: "",
        knob: None,
    },
    Row {
        kind: FaultKind::SlowBody,
        name: "slow_body",
        layer: Layer::Transport,
        knobs: &[MS],
        on: &[],
        effect: "sends the body in pieces of 16 KiB, a pause before each",
        outcome: Outcome::Survivable("survivable"),
        plan: "",
        knob: None,
    },
    Row {
        kind: FaultKind::TruncatedBody,
        name: "truncated_body",
        layer: Layer::Transport,
        knobs: &[],
        on: &[],
        effect: "closes the connection half-way through the body",
        outcome: Outcome::Survivable("survivable: read again, or resume"),
        plan: "",
        knob: None,
    },
    Row {
        kind: FaultKind::TooManyRequests,
        name: "too_many_requests",
        layer: Layer::Http,
        knobs: &[RETRY_AFTER_S],
        on: &[],
        effect: "429 before the work",
        outcome: Outcome::Survivable("survivable: wait, then repeat"),
        plan: "",
        knob: None,
    },
    Row {
        kind: FaultKind::ServerError,
        name: "server_error",
        layer: Layer::Http,
        knobs: &[STATUS],
        on: &[],
        effect: "a 5xx before the work",
        outcome: Outcome::Survivable("survivable: repeat after looking the outcome up"),
        plan: "",
        knob: None,
    },
    Row {
        kind: FaultKind::Refused,
        name: "refused",
        layer: Layer::Http,
        knobs: &[REFUSAL],
        on: &[],
        effect: "a 4xx before the work",
        outcome: Outcome::Left,
        plan: "",
        knob: None,
    },
    Row {
        kind: FaultKind::ExpiredToken,
        name: "expired_token",
        layer: Layer::Http,
        knobs: &[],
        on: &[],
        effect: "401 as for an expired token; Interaction Recording, which has none: 403 as for a session that ended. Not where a password or a signed address is all that is sent",
        outcome: Outcome::Survivable("survivable: a new token or session, once"),
        plan: "",
        knob: None,
    },
    Row {
        kind: FaultKind::LostAnswer,
        name: "lost_answer",
        layer: Layer::CommitThenFail,
        knobs: &[],
        on: &[],
        effect: "does the work, closes the connection without an answer",
        outcome: Outcome::Survivable("survivable: look the outcome up before any repeat"),
        plan: "",
        knob: None,
    },
    Row {
        kind: FaultKind::LateAnswer,
        name: "late_answer",
        layer: Layer::CommitThenFail,
        knobs: &[MS],
        on: &[],
        effect: "does the work, answers late",
        outcome: Outcome::Survivable("survivable: look the outcome up before any repeat"),
        plan: "",
        knob: None,
    },
    Row {
        kind: FaultKind::ErrorAfterCommit,
        name: "error_after_commit",
        layer: Layer::CommitThenFail,
        knobs: &[STATUS],
        on: &[],
        effect: "does the work, answers a 5xx",
        outcome: Outcome::Survivable("survivable: look the outcome up before any repeat"),
        plan: "",
        knob: None,
    },
    Row {
        kind: FaultKind::UploadFailed,
        name: "upload_failed",
        layer: Layer::Platform,
        knobs: &[],
        on: &["genesys_cloud.process_upload"],
        effect: "the upload ends as Failure",
        outcome: Outcome::Survivable("survivable: upload again"),
        plan: "",
        knob: None,
    },
    Row {
        kind: FaultKind::UploadStuck,
        name: "upload_stuck",
        layer: Layer::Platform,
        knobs: &[MS],
        on: &["genesys_cloud.process_upload"],
        effect: "the upload is parked as WaitForConversation though its conversation is there; beyond the parking time it becomes an orphan",
        outcome: Outcome::Survivable("survivable: wait, or attach the orphan"),
        plan: "",
        knob: None,
    },
    Row {
        kind: FaultKind::LateVisibility,
        name: "late_visibility",
        layer: Layer::Platform,
        knobs: &[MS],
        on: &["genesys_cloud.show_conversation", "genesys_cloud.show_recording"],
        effect: "what was created answers 404, or is left out, as if it were not there yet",
        outcome: Outcome::Survivable("survivable: look again, and send nothing twice"),
        plan: "",
        knob: None,
    },
    Row {
        kind: FaultKind::JobStuck,
        name: "job_stuck",
        layer: Layer::Platform,
        knobs: &[MS],
        on: JOBS,
        effect: "the job stays in progress longer than its work takes",
        outcome: Outcome::Survivable("survivable: ask again later, without another job"),
        plan: "",
        knob: None,
    },
    Row {
        kind: FaultKind::IndexLate,
        name: "index_late",
        layer: Layer::Platform,
        knobs: &[MS],
        on: &["gir.index_recording"],
        effect: "the index finds the recording later; by its id it is there at once",
        outcome: Outcome::Survivable("survivable: look up by id"),
        plan: "",
        knob: None,
    },
];

/// Jobs of Genesys Cloud that run by themselves.
const JOBS: &[&str] = &[
    "genesys_cloud.run_analytics_job",
    "genesys_cloud.run_batch_download",
    "genesys_cloud.run_upload_report",
    "genesys_cloud.run_recording_job",
];

/// Every kind of fault: of requests, of platforms, of the source's data.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    REQUESTS.iter().chain(DOMAIN)
}

/// The fault table as JSON: one row a kind with what is right for it, and the operations a fault may name.
pub fn fault_table() -> serde_json::Value {
    serde_json::json!({"version": 2, "faults": rows().collect::<Vec<_>>(), "operations": crate::operations::all().collect::<Vec<_>>()})
}

impl FaultKind {
    /// The row of this kind.
    pub fn row(self) -> &'static Row {
        rows().find(|row| row.kind == self).unwrap_or(&REQUESTS[0])
    }

    /// The kind of that name.
    fn named(name: &str) -> Option<FaultKind> {
        rows().find(|row| row.name == name).map(|row| row.kind)
    }
}

impl Serialize for FaultKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.row().name)
    }
}

impl<'de> serde::Deserialize<'de> for FaultKind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<FaultKind, D::Error> {
        static NAMES: std::sync::LazyLock<Vec<&'static str>> = std::sync::LazyLock::new(|| rows().map(|row| row.name).collect());
        let name = String::deserialize(deserializer)?;
        FaultKind::named(&name).ok_or_else(|| serde::de::Error::unknown_variant(&name, &NAMES))
    }
}

impl JsonSchema for FaultKind {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FaultKind".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let kinds: Vec<serde_json::Value> =
            rows().map(|row| serde_json::json!({"type": "string", "const": row.name, "description": row.effect})).collect();
        schemars::json_schema!({"description": "What goes wrong.", "oneOf": kinds})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_one_kind_and_reads_back_as_it() {
        let mut names: Vec<&str> = rows().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), rows().count());
        for row in rows() {
            assert_eq!(serde_json::to_value(row.kind).expect("a name"), row.name);
            let read: FaultKind = serde_json::from_value(row.name.into()).expect("a kind");
            assert_eq!((read, read.row().name), (row.kind, row.name));
        }
    }

    #[test]
    fn a_misspelt_kind_leads_to_the_nearest() {
        let error = serde_json::from_str::<FaultKind>("\"end_befor_start\"").expect_err("no such kind");
        let words = crate::config_error::in_words(&error.to_string());
        assert!(words.contains("`end_before_start`"), "{words}");
    }

    #[test]
    fn every_place_that_a_row_names_is_there() {
        for row in rows() {
            match row.layer {
                Layer::Transport | Layer::Http | Layer::CommitThenFail => assert_eq!(row.on, [""; 0], "{}", row.name),
                Layer::Platform => assert!(row.on.iter().all(|on| crate::operations::find(on).is_ok_and(|one| one.is_inside()))),
                Layer::Domain => assert!(row.on.len() == 1 && row.on[0].starts_with("world."), "{}", row.name),
            }
        }
    }
}
