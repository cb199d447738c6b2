//! The canonical record: what the source says, in one shape, with every repair as data. It knows
//! nothing of the target.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

/// An interaction in the guide's canonical schema, widened: times carry milliseconds,
/// `duration_ms`, `segments` and `recordings` are added, and what the guide calls INT is decimal
/// text, because source ids may exceed what a JSON number keeps.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Canonical {
    /// Source's interaction id, decimal text.
    pub legacy_interaction_id: String,
    /// Start as an instant, UTC.
    #[schemars(with = "String")]
    pub legacy_start_time: Timestamp,
    /// End as an instant, UTC.
    #[schemars(with = "String")]
    pub legacy_end_time: Timestamp,
    /// `INBOUND` or `OUTBOUND`, as the source has it.
    pub direction: Option<String>,
    /// First agent. Absent: no agent took the call.
    pub agent_legacy_id: Option<String>,
    /// The customer's number: the caller of an inbound call, the called of an outbound one. As the
    /// source has it.
    pub customer_phone: Option<String>,
    /// Number that called.
    pub caller_number: Option<String>,
    /// Number that was called.
    pub dialled_number: Option<String>,
    /// Queue. Absent: none.
    pub queue_legacy_id: Option<String>,
    /// Skill that was asked for. Absent: none.
    pub skill_legacy: Option<String>,
    /// Name of the skill group.
    pub skill_group: Option<String>,
    /// IVR node.
    pub ivr_node: Option<String>,
    /// Outcome.
    pub disposition_code: Option<String>,
    /// Wrap-up code.
    pub wrap_up_code: Option<String>,
    /// Time in queue. Milliseconds.
    pub wait_ms: Option<i64>,
    /// Time in conversation. Milliseconds; never recomputed.
    pub talk_ms: Option<i64>,
    /// Seconds between start and end, as in the guide.
    pub duration_seconds: i64,
    /// Milliseconds between start and end.
    pub duration_ms: i64,
    /// The source's start, as it stood there.
    pub raw_start: String,
    /// What was put right on the way here.
    pub repairs: Vec<Repair>,
    /// A length had a fraction of a millisecond and is rounded: told, and of no consequence to
    /// anybody.
    #[serde(skip)]
    #[schemars(skip)]
    pub lengths_rounded: bool,
    /// What the source says beside these fields, by the names a layout gives it. Empty: nothing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Legs.
    pub segments: Vec<CanonicalSegment>,
    /// Recordings.
    pub recordings: Vec<CanonicalRecording>,
}

impl Canonical {
    /// Whether our side called. What the source does not say counts as inbound.
    pub(crate) fn is_outbound(&self) -> bool {
        self.direction
            .as_deref()
            .is_some_and(|direction| direction.eq_ignore_ascii_case("outbound"))
    }

    /// A hold on one recording protects the whole call: a declared widening.
    pub(crate) fn is_held(&self) -> bool {
        self.recordings.iter().any(|recording| recording.legal_hold)
    }

    /// JSON Schema of a canonical record.
    #[must_use]
    pub fn schema() -> Schema {
        schemars::schema_for!(Canonical)
    }
}

/// Something put right, so that it can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Repair {
    /// End stood before start.
    EndsSwapped,
    /// A local time that exists twice: the earlier one was taken.
    AmbiguousHourEarlier,
    /// A local time that does not exist: shifted forward.
    MissingHourForward,
}

impl Repair {
    /// Name as it stands in `st.repair` and in counts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Repair::EndsSwapped => "ends_swapped",
            Repair::AmbiguousHourEarlier => "ambiguous_hour_earlier",
            Repair::MissingHourForward => "missing_hour_forward",
        }
    }
}

/// One leg.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CanonicalSegment {
    /// Source's leg id.
    pub legacy_segment_id: String,
    /// Agent of this leg.
    pub agent_legacy_id: Option<String>,
    /// Start, UTC.
    #[schemars(with = "String")]
    pub start: Timestamp,
    /// End, UTC.
    #[schemars(with = "String")]
    pub end: Timestamp,
}

/// One recording.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct CanonicalRecording {
    /// Source's recording id.
    pub legacy_recording_id: String,
    /// Leg it was made on. Absent: the source does not say.
    pub legacy_segment_id: Option<String>,
    /// Start, UTC.
    #[schemars(with = "String")]
    pub start: Timestamp,
    /// End, UTC.
    #[schemars(with = "String")]
    pub end: Timestamp,
    /// Where the source keeps the bytes.
    pub recording_url_source: Option<String>,
    /// Codec the source declares, upper case; it may be wrong.
    pub recording_format: Option<String>,
    /// Length the source declares. Milliseconds.
    pub declared_duration_ms: Option<i64>,
    /// Original file name.
    pub file_name: Option<String>,
    /// Retention class by name.
    pub retention_class: Option<String>,
    /// When the source says it is to be deleted, UTC; goes before the class. Absent: it does not
    /// say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub delete_at: Option<Timestamp>,
    /// Must not be deleted.
    pub legal_hold: bool,
    /// Pauses, from the recording's start: first millisecond, and first after it. As the source has
    /// them; they may make no sense.
    pub pauses_ms: Vec<(i64, i64)>,
    /// False: a pause has no start or no end; it is not among `pauses_ms`, and where pauses are
    /// protected nothing can be.
    pub pauses_whole: bool,
    /// False: no instants could be made of its own times, and start and end are the call's.
    pub time_usable: bool,
}
