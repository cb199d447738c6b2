//! What a fault must come to, as data.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// What a sound migrator makes of a fault: the ground truth a rehearsal is held against. Sources:
/// docs/reference: match, mapping, plan, time and fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "is", content = "what", rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing is lost while it heals; how.
    Survivable(&'static str),
    /// The call goes, put right in this way.
    Repair(Repair),
    /// The recording stays behind for this reason.
    Quarantine(&'static str),
    /// The recording is left behind by the plan, for this reason.
    Skip(&'static str),
    /// The call goes as the source has it.
    PassThrough,
    /// Neither moved nor quarantined: an error that outlasts all retries, left for a person. A
    /// verifier cannot tell where it is the source's, and misses the call where it is the target's.
    Left,
}

/// How something is put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Repair {
    /// Start and end in order; noted on the call (`st.repair`).
    EndsSwapped,
    /// The earlier of two instants; counted.
    AmbiguousHourEarlier,
    /// The instant after the gap; counted.
    MissingHourForward,
    /// The recorder's declared offset is added; the raw start is kept.
    DeclaredOffset,
    /// The plan's stand-in takes the agent's place.
    FallbackUser,
    /// The plan's default queue takes the queue's place.
    DefaultQueue,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Survivable(how) => f.write_str(how),
            Outcome::Repair(repair) => write!(f, "repaired: {}", repair.describe()),
            Outcome::Quarantine(reason) => write!(f, "quarantined: `{reason}`"),
            Outcome::Skip(reason) => write!(f, "skipped: `{reason}`"),
            Outcome::PassThrough => f.write_str("goes as it is"),
            Outcome::Left => f.write_str("left for a person: a verifier cannot tell, or misses it"),
        }
    }
}

impl Repair {
    fn describe(self) -> &'static str {
        match self {
            Repair::EndsSwapped => "start and end are put in order, and `st.repair` says so",
            Repair::AmbiguousHourEarlier => "the earlier of the two instants, counted",
            Repair::MissingHourForward => "moved to the instant after the gap, counted",
            Repair::DeclaredOffset => {
                "the recorder's declared offset is added; `st.raw_start` keeps the source's words"
            }
            Repair::FallbackUser => "the fallback user takes the agent's place",
            Repair::DefaultQueue => "the default queue takes the queue's place",
        }
    }
}
