//! Why a recording is quarantined or skipped.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The closed list of reasons for which a recording is quarantined or skipped. Names only: who
/// decides one, and when, is written by the migrator and by the verifier separately. Source:
/// docs/reference/match.md.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The call's queue has no row in the mapping and the plan says skip.
    UnmappedQueue,
    /// An agent has no row valid at the call's date and the plan says quarantine.
    UnmappedAgent,
    /// The bytes are audio of a kind that is read, and cannot be decoded.
    AudioUndecodable,
    /// The bytes are audio in a format with a name that nobody here reads.
    AudioUnsupported,
    /// There are no bytes, or no samples.
    AudioEmpty,
    /// The bytes are something else: a web page, JSON, an archive.
    AudioNotAudio,
    /// Decodes to less than the source declares or than the file itself promises, beyond the plan's
    /// tolerance.
    AudioShort,
    /// No instant can be made of the source's time.
    TimeUnusable,
    /// The target holds another record under the id this one must have.
    IdCollision,
    /// The plan demands a protection that cannot be given.
    PiiUnprotectable,
    /// The retention exceeds what the organisation may keep.
    RetentionOverMax,
    /// The call is under legal hold, and the organisation protects no more conversations.
    HoldOverMax,
    /// The retention ended before the migration.
    Expired,
    /// The source's record of the call or of the recording is in a form that cannot be read: a
    /// field holds what it never may, or there is no id.
    SourceUnreadable,
    /// The source has deleted the recording's audio, and keeps a record of it.
    SourceDeleted,
    /// The source keeps the recording's audio where it cannot be had now: in an archive, on its way
    /// back from it, not yet uploaded, or in error.
    SourceNotAvailable,
}

impl Reason {
    /// Every reason, in the order of the contract.
    pub const ALL: [Reason; 16] = [
        Reason::UnmappedQueue,
        Reason::UnmappedAgent,
        Reason::AudioUndecodable,
        Reason::AudioUnsupported,
        Reason::AudioEmpty,
        Reason::AudioNotAudio,
        Reason::AudioShort,
        Reason::TimeUnusable,
        Reason::IdCollision,
        Reason::PiiUnprotectable,
        Reason::RetentionOverMax,
        Reason::HoldOverMax,
        Reason::Expired,
        Reason::SourceUnreadable,
        Reason::SourceDeleted,
        Reason::SourceNotAvailable,
    ];

    /// The name as it stands in files and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::UnmappedQueue => "unmapped_queue",
            Reason::UnmappedAgent => "unmapped_agent",
            Reason::AudioUndecodable => "audio_undecodable",
            Reason::AudioUnsupported => "audio_unsupported",
            Reason::AudioEmpty => "audio_empty",
            Reason::AudioNotAudio => "audio_not_audio",
            Reason::AudioShort => "audio_short",
            Reason::TimeUnusable => "time_unusable",
            Reason::IdCollision => "id_collision",
            Reason::PiiUnprotectable => "pii_unprotectable",
            Reason::RetentionOverMax => "retention_over_max",
            Reason::HoldOverMax => "hold_over_max",
            Reason::Expired => "expired",
            Reason::SourceUnreadable => "source_unreadable",
            Reason::SourceDeleted => "source_deleted",
            Reason::SourceNotAvailable => "source_not_available",
        }
    }

    /// The reason of that name; `None` for any other text.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Reason> {
        Reason::ALL
            .into_iter()
            .find(|reason| reason.as_str() == name)
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
