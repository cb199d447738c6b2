//! What any target shows of calls and recordings, as it was read.

use std::collections::BTreeSet;

use postcard::Error;
use serde::{Deserialize, Serialize};

use crate::platform_facts::PlatformFacts;
use crate::refill::{Refill, Rest, read_anew, refill_fields};
use crate::sorted_map::SortedMap;
use crate::text::Text;
use crate::utc_millis::UtcMillis;

/// A conversation in the target.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct TargetConversation {
    /// Conversation id.
    pub(crate) id: Text,
    /// The source's interaction id, by the carrier. Absent: it is not ours.
    pub(crate) legacy_id: Option<Text>,
    /// Start.
    pub(crate) start: TimeReading,
    /// End.
    pub(crate) end: TimeReading,
    /// `inbound`, `outbound`. Absent: not given.
    pub(crate) direction: Option<Text>,
    /// Legs of agents, by start.
    pub(crate) legs: Vec<TargetLeg>,
    /// Participants that are customers.
    pub(crate) customers: usize,
    /// Numbers that called, without `tel:`; each once.
    pub(crate) anis: Vec<Text>,
    /// Numbers that were called.
    pub(crate) dnises: Vec<Text>,
    /// Queues of all segments, each once.
    pub(crate) queues: Vec<Text>,
    /// Skills of all segments, each once. Absent: this reading does not carry them.
    pub(crate) skills: Option<Vec<Text>>,
    /// Wrap-up codes of all segments, each once.
    pub(crate) wrap_ups: Vec<Text>,
    /// Participant attributes.
    pub(crate) attributes: SortedMap<Text, Text>,
    /// Protected against deletion. Absent: could not be read.
    pub(crate) protected: Option<bool>,
    /// Its audio recordings, or why they could not be read.
    pub(crate) recordings: Recordings,
    /// Fields that the target hides from this account: their absence says nothing.
    pub(crate) withheld: BTreeSet<Field>,
    /// What only its platform tells.
    pub(crate) platform: PlatformFacts,
}

/// A field that a target may hide from an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Field {
    /// The number that called.
    Caller,
    /// The number that was called.
    Dialled,
    /// The number that called, as a recording repeats it.
    RecordingCaller,
    /// The number that was called, as a recording repeats it.
    RecordingDialled,
    /// The user a recording names.
    RecordingUser,
    /// The login of that user.
    RecordingLogin,
    /// The user of a leg.
    User,
    /// The number of that user.
    UserNumber,
}

/// Recordings of a conversation, or why they could not be read.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
    /// Whether the target hides a field from this account, so that its absence says nothing.
    pub(crate) fn withholds(&self, field: Field) -> bool {
        self.withheld.contains(&field)
    }

    /// The recordings that could be read.
    pub(crate) fn read_recordings(&self) -> &[TargetRecording] {
        match &self.recordings {
            Recordings::Read(recordings) => recordings,
            Recordings::Hidden(_) => &[],
        }
    }
}

/// A leg of an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TargetLeg {
    /// User, as the target names users: a lower-case UUID, or a user name. Absent: an agent without
    /// one.
    pub(crate) user: Option<Text>,
    /// Start.
    pub(crate) start: TimeReading,
    /// End.
    pub(crate) end: TimeReading,
    /// Interaction Recording: the agent's number. Absent: not told.
    pub(crate) number: Option<Text>,
    /// Genesys Cloud: session of the agent, by which a recording names its leg. Absent: not told.
    pub(crate) session: Option<Text>,
    /// Genesys Cloud: wrap-up codes the agent gave, each once.
    pub(crate) wrap_ups: Vec<Text>,
}

/// A recording in the target, without its audio.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct TargetRecording {
    /// Recording id.
    pub(crate) id: Text,
    /// Conversation it hangs on.
    pub(crate) conversation_id: Text,
    /// Start.
    pub(crate) start: TimeReading,
    /// End.
    pub(crate) end: TimeReading,
    /// `AVAILABLE`, `ARCHIVED`, `DELETED`, ... Absent: not given.
    pub(crate) file_state: Option<Text>,
    /// When it will be deleted. Absent: by no date.
    pub(crate) delete_at: Option<UtcMillis>,
    /// When it was put into the target.
    pub(crate) created: Option<UtcMillis>,
    /// Marked pauses: offset from its start and length. Milliseconds.
    pub(crate) pauses: Vec<MarkedPause>,
    /// Genesys Cloud: users it names, in lower case. The vendor documents them as those of the
    /// conversation. Empty: it names none.
    pub(crate) users: Vec<Text>,
    /// Genesys Cloud: session it was made on. Absent: not told, as in the stub of an archived
    /// recording.
    pub(crate) session: Option<Text>,
    /// Genesys Cloud, of a recording without a conversation: what its uploader called it. Absent:
    /// not told.
    pub(crate) originating_id: Option<Text>,
    /// Marked pauses as instants, where the target marks them so; `pauses` are reckoned from them
    /// then.
    pub(crate) pause_instants: Vec<PauseInstants>,
    /// What would be needed to see whether its media is there. Absent: it was seen.
    pub(crate) media_unseen: Option<String>,
    /// What only its platform tells.
    pub(crate) platform: PlatformFacts,
}

/// A pause as the target marks it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct MarkedPause {
    /// Offset from the recording's start. Milliseconds.
    pub(crate) location_ms: i64,
    /// Length. Milliseconds.
    pub(crate) length_ms: i64,
    /// Genesys Cloud: why the recording paused. Absent: not told.
    pub(crate) reason: Option<PauseReason>,
}

/// A pause as instants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PauseInstants {
    /// When it began. Absent: only its end is marked.
    pub(crate) start: TimeReading,
    /// When it ended. Absent: it never did.
    pub(crate) end: TimeReading,
}

/// Offsets from a recording's start; what has no place or no end has a length of -1.
pub(crate) fn pause_offsets(pauses: &[PauseInstants], start: &TimeReading) -> Vec<MarkedPause> {
    let offset = |pause: &PauseInstants| {
        let (paused, resumed) = (pause.start.instant()?, pause.end.instant()?);
        Some(MarkedPause {
            location_ms: paused.since(start.instant()?),
            length_ms: resumed.since(paused),
            reason: None,
        })
    };
    let unplaced = MarkedPause {
        location_ms: -1,
        length_ms: -1,
        reason: None,
    };
    let mut offsets: Vec<MarkedPause> = pauses
        .iter()
        .map(|pause| offset(pause).unwrap_or(unplaced))
        .collect();
    offsets.sort_unstable();
    offsets
}

/// Why a recording paused. Source: the vendor's API description, Annotation.reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum PauseReason {
    /// `Hold`.
    Hold,
    /// `SecurePause`.
    SecurePause,
    /// `FlowOrQueue`.
    FlowOrQueue,
    /// `Pause`.
    Pause,
    /// A word that is none of these.
    Other,
}

impl PauseReason {
    /// By the vendor's word, in any case.
    pub(crate) fn of(word: &str) -> PauseReason {
        let known = [
            PauseReason::Hold,
            PauseReason::SecurePause,
            PauseReason::FlowOrQueue,
            PauseReason::Pause,
        ];
        known
            .into_iter()
            .find(|known| known.word().eq_ignore_ascii_case(word))
            .unwrap_or(PauseReason::Other)
    }

    /// The vendor's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            PauseReason::Hold => "Hold",
            PauseReason::SecurePause => "SecurePause",
            PauseReason::FlowOrQueue => "FlowOrQueue",
            PauseReason::Pause => "Pause",
            PauseReason::Other => "an unknown reason",
        }
    }
}

/// A time in the target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TimeReading {
    /// Not given.
    #[default]
    Absent,
    /// An instant.
    At(UtcMillis),
    /// Text that is no instant.
    Damaged(Text),
}

impl TimeReading {
    pub(crate) fn of(text: Option<&str>) -> TimeReading {
        match text {
            None | Some("") => TimeReading::Absent,
            Some(text) => UtcMillis::parse(text)
                .map_or_else(|| TimeReading::Damaged(text.into()), TimeReading::At),
        }
    }

    /// The instant, where it is one.
    pub(crate) fn instant(&self) -> Option<UtcMillis> {
        match self {
            TimeReading::At(moment) => Some(*moment),
            TimeReading::Absent | TimeReading::Damaged(_) => None,
        }
    }
}

read_anew!(TimeReading, MarkedPause, PauseInstants, BTreeSet<Field>);
refill_fields!(TargetConversation {
    id,
    legacy_id,
    start,
    end,
    direction,
    legs,
    customers,
    anis,
    dnises,
    queues,
    skills,
    wrap_ups,
    attributes,
    protected,
    recordings,
    withheld,
    platform,
});
refill_fields!(TargetLeg {
    user,
    start,
    end,
    number,
    session,
    wrap_ups,
});
refill_fields!(TargetRecording {
    id,
    conversation_id,
    start,
    end,
    file_state,
    delete_at,
    created,
    pauses,
    users,
    session,
    originating_id,
    pause_instants,
    media_unseen,
    platform,
});

impl Refill for Recordings {
    fn refill(&mut self, from: &mut Rest<'_>) -> Result<(), Error> {
        match u32::deserialize(&mut *from)? {
            0 => match self {
                Recordings::Read(recordings) => recordings.refill(from)?,
                Recordings::Hidden(_) => {
                    let mut recordings = Vec::new();
                    recordings.refill(from)?;
                    *self = Recordings::Read(recordings);
                }
            },
            1 => *self = Recordings::Hidden(Deserialize::deserialize(from)?),
            _ => return Err(Error::DeserializeBadEnum),
        }
        Ok(())
    }
}
