//! Calls and recordings of the source, as the verifier keeps them whichever source they were read
//! from. Nothing is read into a value here: what it means is derived in `expected`.

use std::collections::BTreeMap;

use plan::Reason;
use serde::{Deserialize, Serialize};

use crate::refill::{read_anew, refill_fields};
use crate::text::Text;
use crate::utc_millis::UtcMillis;

/// An interaction with its recordings, in the source's order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct SourceInteraction {
    /// As listed.
    pub(crate) listed: SourceCall,
    /// One for each recording the listing names.
    pub(crate) recordings: Vec<SourceRecording>,
    /// The source lists another interaction, with other content, under this id.
    pub(crate) collided: bool,
    /// Why it could not be read; nothing is known of the call then but its id and those of its
    /// recordings. Absent: it was.
    pub(crate) unread: Option<String>,
}

impl SourceInteraction {
    /// As listed, with nothing of its recordings yet.
    pub(crate) fn of(listed: SourceCall) -> SourceInteraction {
        SourceInteraction {
            listed,
            recordings: Vec::new(),
            collided: false,
            unread: None,
        }
    }

    /// One of which nothing is known but its id.
    pub(super) fn unread(id: impl Into<Text>, why: String) -> SourceInteraction {
        SourceInteraction {
            unread: Some(why),
            ..SourceInteraction::of(SourceCall {
                id: id.into(),
                ..SourceCall::default()
            })
        }
    }
}

/// A call as the source lists it. Absent: the source does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SourceCall {
    /// Decimal text mostly.
    pub(crate) id: Text,
    /// Start as the recorder's clock had it.
    pub(crate) start_time: SourceTime,
    /// End as the recorder's clock had it.
    pub(crate) end_time: SourceTime,
    /// Time in queue. Milliseconds.
    pub(crate) wait_time_ms: Option<i64>,
    /// Time in conversation. Milliseconds.
    pub(crate) talk_time_ms: Option<i64>,
    /// `INBOUND` or `OUTBOUND`.
    pub(crate) direction: Option<Text>,
    /// First agent.
    pub(crate) agent_id: Option<Text>,
    /// Extension, shared by several agents: never an identity.
    pub(crate) agent_extension: Option<Text>,
    /// Queue.
    pub(crate) queue_id: Option<Text>,
    /// Skill that was asked for.
    pub(crate) skill: Option<Text>,
    /// Name of the skill group.
    pub(crate) skill_group: Option<Text>,
    /// IVR node the call came through.
    pub(crate) ivr_node_id: Option<Text>,
    /// Outcome.
    pub(crate) disposition_code: Option<Text>,
    /// Wrap-up code.
    pub(crate) wrap_up_code: Option<Text>,
    /// Number that called, raw or masked.
    pub(crate) caller_number: Option<Text>,
    /// Number that was called, raw or masked.
    pub(crate) dialled_number: Option<Text>,
    /// Whether the numbers above are masked.
    pub(crate) numbers_masked: Option<bool>,
    /// Recorder whose clock stamped the times.
    pub(crate) recorder_node: Option<Text>,
    /// Legs, in order.
    pub(crate) segments: Vec<SourceSegment>,
    /// Recordings, in order: id, and the leg it was made on.
    pub(crate) recordings: Vec<(Text, Option<Text>)>,
    /// Names of lengths above that had a fraction of a millisecond in the source, and are rounded.
    pub(crate) rounded: Vec<String>,
    /// What a layout carries beside the known fields, by the layout's name of it.
    pub(crate) extra: BTreeMap<String, String>,
    /// A call of several rows: the ends of one row stood reversed, and are in order above.
    pub(crate) row_reversed: bool,
}

/// One leg of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SourceSegment {
    /// Leg.
    pub(crate) id: Text,
    /// Agent of this leg. Absent: none.
    pub(crate) agent_id: Option<Text>,
    /// Start as the recorder's clock had it.
    pub(crate) start_time: SourceTime,
    /// End as the recorder's clock had it.
    pub(crate) end_time: SourceTime,
}

/// A recording of the source, without its audio.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SourceRecording {
    /// Recording id.
    pub(crate) id: Text,
    /// The source's answer about it, or why there is none, with what would be needed.
    pub(crate) details: Result<RecordingDetails, String>,
    /// Where its audio stands in staging. Absent: read from the source itself, or nothing was
    /// staged.
    pub(crate) staged: Option<StagedMedia>,
}

impl Default for SourceRecording {
    /// One of which the source says nothing.
    fn default() -> SourceRecording {
        SourceRecording {
            id: Text::default(),
            details: Ok(RecordingDetails::default()),
            staged: None,
        }
    }
}

/// What the source says of a recording. Absent: it does not say.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct RecordingDetails {
    /// Recording.
    pub(crate) id: Text,
    /// Interaction it belongs to.
    pub(crate) interaction_id: Text,
    /// Leg it was made on.
    pub(crate) segment_id: Option<Text>,
    /// Start as the recorder's clock had it.
    pub(crate) start_time: SourceTime,
    /// End as the recorder's clock had it.
    pub(crate) end_time: SourceTime,
    /// Length the source declares. Milliseconds.
    pub(crate) duration_ms: Option<i64>,
    /// Codec the source declares; it may be wrong.
    pub(crate) codec: Option<Text>,
    /// Media type the source declares; it may be wrong.
    pub(crate) content_type: Option<Text>,
    /// Channels the source declares.
    pub(crate) channels: Option<u16>,
    /// Size the source declares. Bytes.
    pub(crate) size_bytes: Option<u64>,
    /// Original file name.
    pub(crate) file_name: Option<Text>,
    /// Recorder whose clock stamped the times.
    pub(crate) recorder_node: Option<Text>,
    /// Stretches in which a card number or the like was read.
    pub(crate) pauses: Vec<SourcePause>,
    /// Retention class by name.
    pub(crate) retention_class: Option<Text>,
    /// When it is to be deleted, whatever its class.
    pub(crate) delete_at: SourceTime,
    /// Must not be deleted.
    pub(crate) legal_hold: bool,
    /// Whether it stays behind by this record alone.
    pub(crate) kept_back: KeptBack,
    /// Where the bytes are. Absent: where the source has them by itself.
    pub(crate) media_url: Option<Text>,
    /// Names of lengths above that had a fraction of a millisecond in the source, and are rounded.
    pub(crate) rounded: Vec<String>,
}

/// Why a recording stays behind by its record alone. Absent: it does not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptBack(pub(crate) Option<Reason>);

/// A stretch of a recording, from its own start. Milliseconds. Absent: the source does not say.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct SourcePause {
    /// First millisecond.
    pub(crate) start_offset_ms: Option<i64>,
    /// First millisecond after it.
    pub(crate) end_offset_ms: Option<i64>,
}

/// A time as the source states it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SourceTime {
    /// Not given.
    #[default]
    Absent,
    /// A whole number since 1970, in the unit the plan names.
    Number(i64),
    /// Anything else, as it is written; and the whole number that it is all the same. Absent: it is
    /// a date, or damaged.
    Text { text: Text, whole: Option<i64> },
    /// A text whose form the source's layout declares, and the instant it is, zone and recorder's
    /// offset counted in. Absent: it is none, or one at which no call was recorded.
    Instant { text: Text, at: Option<UtcMillis> },
}

/// Audio in staging, as the migrator wrote it down.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StagedMedia {
    /// Name of the blob; must be the hash of its bytes.
    pub(crate) sha256: Text,
    /// Size written down. Bytes.
    pub(crate) bytes: u64,
    /// Size the source's media answer announced. Absent: it announced none.
    pub(crate) announced: Option<u64>,
}

read_anew!(SourceTime, KeptBack, SourcePause, StagedMedia);
refill_fields!(SourceInteraction {
    listed,
    recordings,
    collided,
    unread,
});
refill_fields!(SourceCall {
    id,
    start_time,
    end_time,
    wait_time_ms,
    talk_time_ms,
    direction,
    agent_id,
    agent_extension,
    queue_id,
    skill,
    skill_group,
    ivr_node_id,
    disposition_code,
    wrap_up_code,
    caller_number,
    dialled_number,
    numbers_masked,
    recorder_node,
    segments,
    recordings,
    rounded,
    extra,
    row_reversed,
});
refill_fields!(SourceSegment {
    id,
    agent_id,
    start_time,
    end_time,
});
refill_fields!(SourceRecording {
    id,
    details,
    staged,
});
refill_fields!(RecordingDetails {
    id,
    interaction_id,
    segment_id,
    start_time,
    end_time,
    duration_ms,
    codec,
    content_type,
    channels,
    size_bytes,
    file_name,
    recorder_node,
    pauses,
    retention_class,
    delete_at,
    legal_hold,
    kept_back,
    media_url,
    rounded,
});
