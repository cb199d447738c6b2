//! What must be in the target, derived from source, mapping and plan alone. Pure: no clock, no
//! network, no target.

mod attributes;
mod audio;
mod holds;
mod interaction;
mod kinds;
mod numbers;
mod people;
mod retention;
mod rules;
#[cfg(test)]
pub(crate) mod testing;
mod time;

use arrayvec::ArrayVec;
use plan::Reason;
use uuid::Uuid;

pub(crate) use audio::{AudioExpectation, SoundFacts, SourceSound, audio_expectation};
pub(crate) use holds::beyond as holds_beyond;
pub(crate) use interaction::{call_span, expected};
pub(crate) use kinds::kinds;
pub(crate) use numbers::{digits, digits_of, masked};
pub(crate) use people::{AgentLeg, Recorded, RecordedAgent, Resolved, resolve};
pub(crate) use retention::delete_at;
pub(crate) use rules::{
    AgentRow, AgentTable, HoldsBeyond, Maximum, PauseRule, PhoneRule, Rules, padless,
};
pub(crate) use time::raw_text;

use crate::platform_facts::PlatformFacts;
use crate::sorted_map::SortedMap;
use crate::text::Text;
use crate::utc_millis::UtcMillis;

/// What one interaction must look like in the target.
#[derive(Debug, Clone)]
pub(crate) struct Expectation {
    /// Interaction of the source.
    pub(crate) legacy_id: Text,
    /// Whether it must be there at all.
    pub(crate) presence: Presence,
    /// Why nothing but its id is known of the call: nothing there can be wrong then. Absent: it was
    /// read.
    pub(crate) unread: Option<String>,
    /// Start and end. Absent: the source's times are unusable.
    pub(crate) span: Option<Span>,
    /// Legs with an agent, by start.
    pub(crate) legs: Vec<AgentLeg>,
    /// `inbound` or `outbound`. Absent: the source gives none.
    pub(crate) direction: Option<&'static str>,
    /// The number that called, after the plan's rule.
    pub(crate) ani: Option<Text>,
    /// The number that was called, after the plan's rule.
    pub(crate) dnis: Option<Text>,
    /// Queue of the target.
    pub(crate) queue: Option<Uuid>,
    /// Skill of the target.
    pub(crate) skill: Option<Uuid>,
    /// Wrap-up code of the target.
    pub(crate) wrap_up: Option<Uuid>,
    /// `st.*` attributes.
    pub(crate) attributes: SortedMap<Text, Wanted>,
    /// Must be protected against deletion.
    pub(crate) hold: bool,
    /// Recordings in the source's order.
    pub(crate) recordings: Vec<ExpectedRecording>,
    /// What only its platform has.
    pub(crate) platform: PlatformFacts,
    /// Queue of the source that has no row, so that the plan's default stands in. Absent: none
    /// does.
    pub(crate) stand_in_queue: Option<Text>,
    /// For the breakdown: queue and first agent as the source names them.
    pub(crate) legacy_queue: Option<Text>,
    /// First agent as the source names it.
    pub(crate) legacy_agent: Option<Text>,
}

/// What one recording must look like in the target.
#[derive(Debug, Clone)]
pub(crate) struct ExpectedRecording {
    /// Recording of the source.
    pub(crate) legacy_id: Text,
    /// Whether it must be there.
    pub(crate) presence: Presence,
    /// Its own record could not be read: nothing is known of it but its id, and nothing there can
    /// be wrong.
    pub(crate) unread: bool,
    /// What would be needed to tell whether it rightly stays behind with its whole call: a record
    /// of its siblings that could not be read. Absent: it does not.
    pub(crate) held_back: Option<String>,
    /// Start and end. Absent: not known.
    pub(crate) span: Option<Span>,
    /// When the target must delete it. Absent: never by a date.
    pub(crate) delete_at: Option<UtcMillis>,
    /// Pauses, as offsets from its start.
    pub(crate) pauses: Vec<Pause>,
    /// What would be needed to tell whether it may rightly be absent, or deleted earlier. Absent:
    /// it may not.
    pub(crate) doubt: Option<String>,
    /// Whose recording it is.
    pub(crate) agent: Recorded,
}

/// Start and end of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// First instant.
    pub(crate) start: UtcMillis,
    /// First instant after it.
    pub(crate) end: UtcMillis,
}

impl Expectation {
    /// Whether the record of one of its recordings could not be read: what the call has from its
    /// recordings together is not known then.
    pub(crate) fn has_unread(&self) -> bool {
        self.recordings.iter().any(|recording| recording.unread)
    }
}

impl Span {
    /// As much of it as lies in another one; nothing at the nearer end where it lies beyond.
    pub(crate) fn within(&self, other: &Span) -> Span {
        Span {
            start: self.start.clamp(other.start, other.end),
            end: self.end.clamp(other.start, other.end),
        }
    }

    /// Length. Milliseconds.
    pub(crate) fn ms(&self) -> i64 {
        self.end.since(self.start)
    }
}

/// A pause, as offsets from the start of its recording. Milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pause {
    /// First millisecond.
    pub(crate) start_ms: i64,
    /// First millisecond after it.
    pub(crate) end_ms: i64,
}

/// Whether something must be in the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It must.
    Expected,
    /// Both are right: all its recordings stay behind by agreement, and nothing says whether the
    /// call itself goes.
    Either,
    /// The target takes no call without recordings: a declared loss, and never missing.
    NotCarried,
    /// It must not, and why.
    Absent(Absence),
    /// The source does not let it be told.
    Unknown(String),
}

/// Why something stays behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Absence {
    /// A rule of the plan.
    Rule(Reason),
    /// An entry in the exclusions file, with its words.
    Agreed(String),
}

impl Absence {
    /// Skipped by decision rather than quarantined for a fault of the record.
    pub(crate) fn is_skip(&self) -> bool {
        matches!(
            self,
            Absence::Agreed(_)
                | Absence::Rule(Reason::UnmappedQueue | Reason::Expired | Reason::SourceDeleted)
        )
    }

    /// The key under which it is counted in a report.
    pub(crate) fn key(&self) -> &str {
        match self {
            Absence::Rule(reason) => reason.as_str(),
            Absence::Agreed(words) => {
                Reason::from_name(words).map_or("agreed_exclusion", Reason::as_str)
            }
        }
    }
}

/// A value an attribute must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Any of these is right; the first one is named in a finding. No attribute has more.
    pub(crate) any_of: ArrayVec<Text, 2>,
    /// Absence is a finding too.
    pub(crate) required: bool,
}

impl Wanted {
    pub(crate) fn exactly(value: impl Into<Text>) -> Wanted {
        let mut any_of = ArrayVec::new();
        any_of.push(value.into());
        Wanted {
            any_of,
            required: true,
        }
    }
}
