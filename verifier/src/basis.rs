//! What a finding costs, and by whose word something else should stand there.

use crate::defect::Defect;
use crate::finding::{Finding, Grade};

/// Why a class matters, and the rule it is held against.
pub(crate) struct Basis {
    /// What follows for people who use the target.
    pub(crate) impact: &'static str,
    /// Page of `docs/reference`.
    pub(crate) page: &'static str,
    pub(crate) grade: Grade,
}

/// Fills in what a finding costs and what it rests on. `assumption`: of the platform, where the
/// finding could not be made without it.
pub(crate) fn explain(finding: &mut Finding, assumption: Option<&'static str>) {
    let basis = basis(finding.defect);
    finding.impact = basis.impact.to_owned();
    finding.source = format!("docs/reference/{}", basis.page);
    finding.grade = basis.grade;
    if let Some(name) = assumption {
        finding.source = format!("{}; {name}", finding.source);
        finding.grade = Grade::Assumed;
    }
}

fn basis(defect: Defect) -> Basis {
    let documented = |impact, page| Basis {
        impact,
        page,
        grade: Grade::Documented,
    };
    let assumed = |impact, page| Basis {
        impact,
        page,
        grade: Grade::Assumed,
    };
    match defect {
        Defect::MissingRecording => documented(
            "nobody can find or play it in the target",
            "match.md#when-absence-is-right",
        ),
        Defect::RecordWithoutSource => documented(
            "people find a call that never was, or one that had to stay behind",
            "match.md#when-absence-is-right",
        ),
        Defect::UploadedTwice => documented(
            "searches and reports count the call twice, and a deletion may reach one copy only",
            "identity.md#unit-of-work",
        ),
        Defect::CallsMerged => documented(
            "one of the two calls cannot be found, and the other one shows what is not its own",
            "identity.md#unit-of-work",
        ),
        Defect::CallSplit => documented(
            "each part shows less than the call",
            "identity.md#unit-of-work",
        ),
        Defect::EveryNthMissing => documented(
            "nobody can find these calls, and every further page read this way loses calls too",
            "match.md#when-absence-is-right",
        ),
        Defect::KindOfCallMissing => documented(
            "no call of this kind can be found in the target",
            "match.md#when-absence-is-right",
        ),
        Defect::RecordingWithoutConversation => documented(
            "nobody finds the recording by its call, and no rule of retention reaches it",
            "identity.md#unit-of-work",
        ),
        Defect::AudioGone => documented(
            "the call is listed and cannot be played",
            "match.md#buckets",
        ),
        Defect::UploadNeverEnded => assumed(
            "the recording cannot be found or played as long as the upload hangs",
            "defects.md#existence",
        ),
        Defect::RecordingOnAnotherCall => documented(
            "who opens the call hears somebody else's, and the right call lacks it",
            "identity.md#unit-of-work",
        ),
        Defect::MissingInOneStore => documented(
            "the call is found in one of two applications only",
            "defects.md#existence",
        ),
        Defect::AudioTruncatedEnd => assumed(
            "what was said at the end is lost as soon as the source is switched off",
            "defects.md#audio",
        ),
        Defect::AudioTruncatedStart => assumed(
            "what was said at the beginning is lost as soon as the source is switched off",
            "defects.md#audio",
        ),
        Defect::AudioHole => assumed(
            "what was said there is lost as soon as the source is switched off",
            "defects.md#audio",
        ),
        Defect::AudioOfAnotherCall => assumed(
            "who opens the call hears somebody else's",
            "defects.md#audio",
        ),
        Defect::AudioSilent => assumed(
            "nothing can be heard of this side of the call",
            "defects.md#audio",
        ),
        Defect::AudioWrongPitch => assumed(
            "speech is hard to understand, and places in the call are not where they are said to be",
            "defects.md#audio",
        ),
        Defect::AudioWrongSpeed => assumed(
            "places in the call drift away from the times that are written",
            "defects.md#audio",
        ),
        Defect::ChannelsSwapped => assumed(
            "what the customer said is taken for the agent's, by people and by speech analysis",
            "defects.md#audio",
        ),
        Defect::ChannelCountChanged => documented(
            "who spoke can no longer be told by the channel",
            "plan.md#audio",
        ),
        Defect::AudioFormatWrong => documented(
            "players and speech analysis may refuse the file",
            "plan.md#audio",
        ),
        Defect::AudioUnplayable => documented(
            "nobody can hear the call",
            "match.md#bad-audio-in-the-source",
        ),
        Defect::AudioDamaged => assumed(
            "parts of the call may sound wrong, and the file cannot be proved by its hash",
            "match.md#bad-audio-in-the-source",
        ),
        Defect::AudioQualityReduced => {
            assumed("speech is less clear than it was", "defects.md#audio")
        }
        Defect::AudioVolumeChanged => assumed(
            "speech is louder or quieter than it was",
            "defects.md#audio",
        ),
        Defect::AudioWrongCodec => assumed("noise stands where speech was", "defects.md#audio"),
        Defect::EncryptionWrong => documented(
            "nobody can play the file, or anybody who gets it can",
            "plan.md#audio",
        ),
        Defect::ErrorPageAsAudio => documented(
            "nobody can hear the call, and it counts as there",
            "match.md#bad-audio-in-the-source",
        ),
        Defect::AudioEmpty => documented(
            "nobody can hear the call, and it counts as there",
            "match.md#bad-audio-in-the-source",
        ),
        Defect::PartsOutOfOrder => assumed(
            "who plays the call hears its parts at the wrong place",
            "defects.md#audio",
        ),
        Defect::DeclaredLengthOrSizeWrong => {
            documented("lists and reports show a wrong length", "defects.md#audio")
        }
        Defect::TimeShifted => documented(
            "the call is searched at another time, and its retention is counted from there",
            "time.md",
        ),
        Defect::TimeOffByDaylightSaving => documented(
            "the call is searched an hour away, and may fall on another day",
            "time.md",
        ),
        Defect::ClockChangeMisread => documented("the call is searched an hour away", "time.md"),
        Defect::TimeUnitConfused => documented("the call is found in 1970 or never", "time.md"),
        Defect::StartAndEndSwapped => documented(
            "the call has a negative length, and searches pass it over",
            "time.md#repairs",
        ),
        Defect::MillisecondsLost => documented(
            "the order of what happened within a second is lost",
            "time.md",
        ),
        Defect::NeedlessTimeRepair => documented(
            "the call has another start and end than the source says",
            "time.md#repairs",
        ),
        Defect::UploadDateAsCallDate => documented(
            "the call is found on the day of the migration only, and is kept too long",
            "time.md",
        ),
        Defect::DurationRecomputed => documented(
            "reports of waiting and talking times no longer agree with the source's",
            "fields.md#the-canonical-record",
        ),
        Defect::TimeUnreadable => {
            documented("the call cannot be searched by time", "time.md#formats")
        }
        Defect::WrongAgent => documented(
            "the call is credited to another agent, and whoever may listen to that agent may listen to it",
            "mapping.md#agentscsv",
        ),
        Defect::FallbackInsteadOfAgent => documented(
            "the call is not found with its agent",
            "mapping.md#agentscsv",
        ),
        Defect::AgentFromExtension => documented(
            "the call counts as a colleague's who shares the extension",
            "mapping.md#agentscsv",
        ),
        Defect::AgentMappingOfAnotherDate => documented(
            "the call is credited to whoever held the agent id at another date",
            "mapping.md#agentscsv",
        ),
        Defect::ParticipantsWrong => documented(
            "who took part cannot be told from the call",
            "fields.md#the-canonical-record",
        ),
        Defect::QueueOrSkillWrong => documented(
            "the call is not found with its queue or skill, and reports count it elsewhere",
            "mapping.md#queuescsv",
        ),
        Defect::WrapUpOrDispositionWrong => documented(
            "reports of outcomes count the call elsewhere",
            "mapping.md#wrapupscsv",
        ),
        Defect::DirectionWrong => documented(
            "reports count the call on the wrong side",
            "fields.md#the-canonical-record",
        ),
        Defect::AccessWrong => documented(
            "unauthorised people may listen, or authorised people cannot",
            "mapping.md#agentscsv",
        ),
        Defect::RegionWrong => documented(
            "the recording lies under another law, and nodes of its own region do not show it",
            "defects.md#people-and-routing",
        ),
        Defect::DeletionDateMissingOrEarly => documented(
            "the recording is deleted before its time, or never",
            "time.md#retention-dates",
        ),
        Defect::KeptTooLong => documented(
            "the recording is still there when it should be deleted",
            "time.md#retention-dates",
        ),
        Defect::LegalHoldLost => documented(
            "what a court may ask for can be deleted",
            "match.md#reasons",
        ),
        Defect::DeletedByPolicy => documented(
            "recordings that must stay are deleted within days",
            "defects.md#retention-and-protection",
        ),
        Defect::PauseAudible => documented("card numbers or the like can be heard", "plan.md#pii"),
        Defect::PauseMarksWrong => documented(
            "players do not skip what must not be heard, or skip the wrong place",
            "plan.md#pii",
        ),
        Defect::PhoneNumberWrong => documented(
            "a number is seen that must not be, or the call is not found by its number",
            "fields.md#phone-numbers",
        ),
        Defect::TextDamaged => documented(
            "the text cannot be read or searched",
            "fields.md#attributes",
        ),
        Defect::SourceIdDamaged => documented(
            "the call cannot be traced back to the source",
            "identity.md#carrier",
        ),
        Defect::AttributeWrong => documented(
            "what the source says of the call is lost or another",
            "fields.md#attributes",
        ),
        Defect::LedgerSaysFailed => documented(
            "who goes by the migrator's log takes the recording for lost, or sends it twice",
            "reports.md#custody",
        ),
        Defect::VersionChanged => documented(
            "what holds for the recordings of one tool and plan says nothing of the others",
            "reports.md#custody",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Anchors of a page's headings, as GitHub makes them.
    fn anchors(page: &str) -> Vec<String> {
        let kept = |character: char| match character {
            ' ' => Some('-'),
            '-' | '_' => Some(character),
            character if character.is_alphanumeric() => Some(character.to_ascii_lowercase()),
            _ => None,
        };
        page.lines()
            .filter(|line| line.starts_with('#'))
            .map(|line| {
                line.trim_start_matches('#')
                    .trim()
                    .chars()
                    .filter_map(kept)
                    .collect()
            })
            .collect()
    }

    #[test]
    fn each_class_names_a_heading_of_a_page_that_is_there() {
        let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference");
        for defect in Defect::ALL {
            let (impact, place) = (basis(*defect).impact, basis(*defect).page);
            let (name, anchor) = place.split_once('#').unwrap_or((place, ""));
            let page = std::fs::read_to_string(pages.join(name)).expect(name);
            assert!(
                anchor.is_empty() || anchors(&page).iter().any(|heading| heading == anchor),
                "{}: {place}",
                defect.code()
            );
            assert!(
                !impact.is_empty() && impact != defect.title(),
                "{}",
                defect.code()
            );
        }
    }

    #[test]
    fn what_rests_on_an_assumption_of_the_platform_names_it_and_is_assumed() {
        let mut finding = Finding::new(Defect::LegalHoldLost, "deletion protection");
        explain(&mut finding, None);
        assert_eq!(
            (finding.source.as_str(), finding.grade),
            ("docs/reference/match.md#reasons", Grade::Documented)
        );
        explain(&mut finding, Some("platform.rule"));
        assert_eq!(
            (finding.source.as_str(), finding.grade),
            (
                "docs/reference/match.md#reasons; platform.rule",
                Grade::Assumed
            )
        );
    }
}
