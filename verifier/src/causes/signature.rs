//! What findings of one cause have in common by themselves: how the target differs from what should
//! be there, whatever record it is and whichever class it was named.

use crate::defect::Defect;
use crate::finding::Finding;

/// Classes between which one cause may be spread. Where one of them is wrong, the others say
/// nothing of whether the record is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Subject {
    Presence,
    Times,
    Agents,
    Sound,
    Of(Defect),
}

/// A class, and the field where a class has several that have nothing to do with each other.
pub(super) type Family = (Defect, String);

/// Findings that may be of one cause.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Signature {
    /// A shift has the class of the day on which it falls, a wrong user that of where he is known
    /// from: these are one class here.
    pub(super) family: Family,
    /// The same difference: delta, value instead of value, lost field. Empty: the class says it.
    pub(super) difference: String,
}

pub(super) fn subject(defect: Defect) -> Subject {
    match defect {
        Defect::MissingRecording | Defect::EveryNthMissing | Defect::KindOfCallMissing => {
            Subject::Presence
        }
        Defect::TimeShifted
        | Defect::TimeOffByDaylightSaving
        | Defect::ClockChangeMisread
        | Defect::TimeUnitConfused
        | Defect::StartAndEndSwapped
        | Defect::MillisecondsLost
        | Defect::UploadDateAsCallDate
        | Defect::TimeUnreadable => Subject::Times,
        Defect::WrongAgent
        | Defect::FallbackInsteadOfAgent
        | Defect::AgentFromExtension
        | Defect::AgentMappingOfAnotherDate
        | Defect::ParticipantsWrong => Subject::Agents,
        Defect::AudioTruncatedEnd
        | Defect::AudioTruncatedStart
        | Defect::AudioHole
        | Defect::AudioOfAnotherCall
        | Defect::AudioSilent
        | Defect::AudioWrongPitch
        | Defect::AudioWrongSpeed
        | Defect::ChannelsSwapped
        | Defect::ChannelCountChanged
        | Defect::AudioFormatWrong
        | Defect::AudioUnplayable
        | Defect::AudioDamaged
        | Defect::AudioQualityReduced
        | Defect::AudioVolumeChanged
        | Defect::AudioWrongCodec
        | Defect::EncryptionWrong
        | Defect::ErrorPageAsAudio
        | Defect::AudioEmpty
        | Defect::PauseAudible => Subject::Sound,
        other => Subject::Of(other),
    }
}

pub(super) fn signature(finding: &Finding) -> Signature {
    let family = match finding.defect {
        Defect::TimeOffByDaylightSaving | Defect::ClockChangeMisread => Defect::TimeShifted,
        Defect::FallbackInsteadOfAgent
        | Defect::AgentFromExtension
        | Defect::AgentMappingOfAnotherDate => Defect::WrongAgent,
        other => other,
    };
    let difference = match family {
        Defect::TimeShifted => format!("{} {}", ends(&finding.field), finding.cause),
        _ if finding.title.contains(&finding.cause) => String::new(),
        _ => finding.cause.clone(),
    };
    let field = match subject(family) {
        Subject::Of(_) => finding.field.clone(),
        Subject::Presence | Subject::Times | Subject::Agents | Subject::Sound => String::new(),
    };
    Signature {
        family: (family, field),
        difference,
    }
}

/// Which end is wrong, whether the call's, a leg's or a recording's.
fn ends(field: &str) -> &'static str {
    match field {
        field if field.ends_with("start and end") => "start and end are",
        field if field.ends_with("start") => "start is",
        field if field.ends_with("end") => "end is",
        _ => "time is",
    }
}
