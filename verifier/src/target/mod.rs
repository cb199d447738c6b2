//! The target as the verifier found it, through public reads only.

mod carrier;
mod convert;
mod divisions;
mod read;
mod sound;
mod unread;
mod wait;

use std::collections::BTreeMap;

pub(crate) use carrier::Identity;
pub(crate) use divisions::shown;
pub(crate) use read::{DETAILS_PAGE, PROTECTION_BATCH, RETENTION_PAGE, Reader, TargetSnapshot};
pub(crate) use sound::{BATCH, BatchItem, batch, hidden};
pub(crate) use unread::need;
pub(crate) use wait::Wait;

use serde::{Deserialize, Serialize};

use crate::moment::Moment;

/// A conversation in the target.
#[derive(Debug, Clone, Default)]
pub(crate) struct TargetConversation {
    /// Conversation id.
    pub(crate) id: String,
    /// The source's interaction id, by the carrier. Absent: it is not ours.
    pub(crate) legacy_id: Option<String>,
    /// Start.
    pub(crate) start: TimeReading,
    /// End.
    pub(crate) end: TimeReading,
    /// `inbound`, `outbound`. Absent: not given.
    pub(crate) direction: Option<String>,
    /// Legs of agents, by start.
    pub(crate) legs: Vec<TargetLeg>,
    /// Participants that are customers.
    pub(crate) customers: usize,
    /// Numbers that called, without `tel:`; each once.
    pub(crate) anis: Vec<String>,
    /// Numbers that were called.
    pub(crate) dnises: Vec<String>,
    /// Queues of all segments, each once.
    pub(crate) queues: Vec<String>,
    /// Skills of all segments, each once. Absent: this reading does not carry them.
    pub(crate) skills: Option<Vec<String>>,
    /// Wrap-up codes of all segments, each once.
    pub(crate) wrap_ups: Vec<String>,
    /// Participant attributes.
    pub(crate) attributes: BTreeMap<String, String>,
    /// Protected against deletion. Absent: could not be read.
    pub(crate) protected: Option<bool>,
    /// Its audio recordings, or why they could not be read.
    pub(crate) recordings: Recordings,
}

/// Recordings of a conversation, or why they could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recordings {
    /// Read.
    Read(Vec<TargetRecording>),
    /// Hidden, not missing; in words, with what would be needed.
    Hidden(String),
}

impl Default for Recordings {
    fn default() -> Recordings {
        Recordings::Read(Vec::new())
    }
}

impl TargetConversation {
    /// The recordings that could be read.
    pub(crate) fn read_recordings(&self) -> &[TargetRecording] {
        match &self.recordings {
            Recordings::Read(recordings) => recordings,
            Recordings::Hidden(_) => &[],
        }
    }
}

/// A leg of an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TargetLeg {
    /// User. Absent: an agent without one.
    pub(crate) user: Option<String>,
    /// Start.
    pub(crate) start: TimeReading,
    /// End.
    pub(crate) end: TimeReading,
}

/// A recording in the target, without its audio.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TargetRecording {
    /// Recording id.
    pub(crate) id: String,
    /// Conversation it hangs on.
    pub(crate) conversation_id: String,
    /// Start.
    pub(crate) start: TimeReading,
    /// End.
    pub(crate) end: TimeReading,
    /// `AVAILABLE`, `ARCHIVED`, `DELETED`, ... Absent: not given.
    pub(crate) file_state: Option<String>,
    /// When it will be deleted. Absent: by no date.
    pub(crate) delete_at: Option<Moment>,
    /// When it was put into the target.
    pub(crate) created: Option<Moment>,
    /// Marked pauses: offset from its start and length. Milliseconds.
    pub(crate) pauses: Vec<MarkedPause>,
}

/// A pause as the target marks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct MarkedPause {
    /// Offset from the recording's start. Milliseconds.
    pub(crate) location_ms: i64,
    /// Length. Milliseconds.
    pub(crate) length_ms: i64,
}

/// A time in the target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TimeReading {
    /// Not given.
    #[default]
    Absent,
    /// An instant.
    At(Moment),
    /// Text that is no instant.
    Damaged(String),
}

impl TimeReading {
    pub(crate) fn of(text: Option<&str>) -> TimeReading {
        match text {
            None | Some("") => TimeReading::Absent,
            Some(text) => Moment::parse(text).map_or_else(|| TimeReading::Damaged(text.to_owned()), TimeReading::At),
        }
    }

    /// The instant, where it is one.
    pub(crate) fn moment(&self) -> Option<Moment> {
        match self {
            TimeReading::At(moment) => Some(*moment),
            TimeReading::Absent | TimeReading::Damaged(_) => None,
        }
    }
}
