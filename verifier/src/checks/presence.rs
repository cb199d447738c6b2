//! What is there and what is not: each recording of the source gets its bucket, each absence and
//! surplus its finding.

use std::collections::BTreeSet;

use super::sound::{Media, media};
use super::{Comparison, Pair, PlatformChecks, check};
use crate::defect::Defect;
use crate::expected::{Absence, Expectation, Presence, Rules};
use crate::finding::Finding;
use crate::matching::{Carries, Pairing, same_times};
use crate::observed::{Recordings, TargetConversation, TargetRecording, TimeReading};
use crate::sound::{Stored, TargetSound};
use crate::utc_millis::UtcMillis;
use crate::verdict::Bucket;

/// One interaction, judged by itself.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) findings: Vec<Finding>,
    /// For each recording of the source.
    pub(crate) buckets: Vec<Bucket>,
    /// Recordings in the target that should not be there.
    pub(crate) extra: usize,
    /// Why the interaction itself could not be judged.
    pub(crate) unverifiable: Option<String>,
}

/// What one interaction is judged by.
pub(crate) struct Evidence<'a> {
    pub(crate) expected: &'a Expectation,
    pub(crate) pairing: &'a Pairing,
    pub(crate) ours: &'a [TargetConversation],
    /// For each recording of the source: its audio in the target. Empty: none was read.
    pub(crate) sounds: &'a [TargetSound],
    /// For each recording of the source: its file in the target, where it was decoded. Empty: none
    /// was.
    pub(crate) stored: &'a [Option<Stored>],
    /// Why a call that is not shown may be there all the same. Absent: it is not there.
    pub(crate) hidden: Option<&'a str>,
    /// What is wrong with it, though it is not shown. Absent: nobody says.
    pub(crate) misplaced: Option<&'a Finding>,
    pub(crate) rules: &'a Rules,
    pub(crate) platform: &'a dyn PlatformChecks,
    pub(crate) as_of: UtcMillis,
}

impl Evidence<'_> {
    fn sound(&self, recording: usize) -> &TargetSound {
        self.sounds.get(recording).unwrap_or(&TargetSound::NotRead)
    }
}

pub(crate) fn judge(evidence: &Evidence<'_>) -> Judged {
    let mut judged = match evidence.pairing.conversation {
        None => without_conversation(evidence),
        Some(at) if !evidence.pairing.parts.is_empty() => in_parts(evidence, &evidence.ours[at]),
        Some(at) => with_conversation(evidence, &evidence.ours[at]),
    };
    if let Some(finding) = wrong_id(evidence) {
        judged
            .buckets
            .iter_mut()
            .filter(|bucket| **bucket == Bucket::Matched)
            .for_each(|bucket| *bucket = Bucket::Different);
        judged.findings.push(finding);
    }
    for copy in &evidence.pairing.copies {
        let copy = &evidence.ours[*copy];
        judged.extra += copy.read_recordings().len();
        let original = evidence
            .pairing
            .conversation
            .map(|at| evidence.ours[at].id.as_str());
        let finding = Finding::new(Defect::UploadedTwice, "conversation")
            .of(&evidence.expected.legacy_id)
            .target(&copy.id);
        judged.findings.push(
            finding
                .maybe_expected(original.map(|id| format!("only {id}")))
                .actual(format!(
                    "a copy with {} recordings",
                    copy.read_recordings().len()
                ))
                .because("conversation exists twice"),
        );
    }
    judged
}

/// A conversation of this call that carries another id than the call's.
fn wrong_id(evidence: &Evidence<'_>) -> Option<Finding> {
    let own = &evidence.expected.legacy_id;
    let (defect, actual, cause) = match &evidence.pairing.carries {
        Carries::Own => return None,
        Carries::Damaged(id) => (Defect::SourceIdDamaged, id, "id of the source is damaged"),
        Carries::Anothers(id) => (
            Defect::RecordingOnAnotherCall,
            id,
            "conversation carries another call's id",
        ),
    };
    let finding = Finding::new(defect, "id of the source")
        .of(own)
        .expected(own)
        .actual(actual)
        .because(cause);
    let conversation = evidence
        .pairing
        .conversation
        .map(|at| evidence.ours[at].id.as_str());
    let finding = match &evidence.pairing.carries {
        Carries::Anothers(id) => finding.with_call(id),
        Carries::Own | Carries::Damaged(_) => finding,
    };
    Some(finding.target(conversation.unwrap_or_default()))
}

/// One call in several conversations: whatever is missing in one of them follows.
fn in_parts(evidence: &Evidence<'_>, first: &TargetConversation) -> Judged {
    let expected = evidence.expected;
    let others: Vec<&str> = evidence
        .pairing
        .parts
        .iter()
        .map(|at| evidence.ours[*at].id.as_str())
        .collect();
    let recordings = |at: &TargetConversation| {
        format!(
            "{} has {} recordings and {} legs",
            at.id,
            at.read_recordings().len(),
            at.legs.len()
        )
    };
    let mut finding = Finding::new(Defect::CallSplit, "conversations of the call")
        .of(&expected.legacy_id)
        .target(&first.id);
    finding.consequences = [first]
        .into_iter()
        .chain(evidence.pairing.parts.iter().map(|at| &evidence.ours[*at]))
        .map(recordings)
        .collect();
    let actual = format!(
        "{} conversations: {}, {}",
        others.len() + 1,
        first.id,
        others.join(", ")
    );
    let buckets = expected
        .recordings
        .iter()
        .map(|recording| settled(&recording.presence).unwrap_or(Bucket::Different))
        .collect();
    let finding = finding
        .expected("one conversation")
        .actual(actual)
        .because("one call is in several conversations");
    Judged {
        findings: vec![finding],
        buckets,
        ..Judged::default()
    }
}

/// Buckets of recordings that are rightly absent or cannot be judged; `None`: it must be there.
fn settled(presence: &Presence) -> Option<Bucket> {
    match presence {
        Presence::Expected | Presence::Either | Presence::NotCarried => None,
        Presence::Absent(absence) => Some(set_aside(absence)),
        Presence::Unknown(why) => Some(Bucket::NotVerifiable(why.clone())),
    }
}

fn set_aside(absence: &Absence) -> Bucket {
    let agreed = matches!(absence, Absence::Agreed(_));
    match absence.is_skip() {
        true => Bucket::Skipped {
            reason: absence.key().to_owned(),
            agreed,
        },
        false => Bucket::Quarantined {
            reason: absence.key().to_owned(),
        },
    }
}

fn without_conversation(evidence: &Evidence<'_>) -> Judged {
    let expected = evidence.expected;
    if let (Some(finding), Presence::Expected) = (evidence.misplaced, &expected.presence) {
        return misplaced(expected, finding.clone());
    }
    let mut judged = Judged::default();
    for recording in &expected.recordings {
        judged.buckets.push(
            match (
                settled(&recording.presence),
                evidence
                    .hidden
                    .or(recording.doubt.as_deref())
                    .or(recording.held_back.as_deref()),
            ) {
                (Some(bucket), _) => bucket,
                (None, Some(why)) => Bucket::NotVerifiable(why.to_owned()),
                (None, None) => {
                    judged.findings.push(missing(
                        expected,
                        Some(&recording.legacy_id),
                        "the conversation is missing too",
                    ));
                    Bucket::Missing
                }
            },
        );
    }
    if expected.recordings.is_empty() && expected.presence == Presence::Expected {
        match evidence.hidden {
            Some(lag) => judged.unverifiable = Some(lag.to_owned()),
            None => judged
                .findings
                .push(missing(expected, None, "the call has no recordings")),
        }
    }
    if expected.recordings.is_empty() {
        judged.unverifiable = judged.unverifiable.or_else(|| expected.unread.clone());
    }
    judged
}

/// A call of which nothing is known is neither right nor wrong, whatever is there.
fn unread_call(expected: &Expectation, why: &str) -> Judged {
    let buckets = expected
        .recordings
        .iter()
        .map(|_| Bucket::NotVerifiable(why.to_owned()))
        .collect();
    let unverifiable = expected.recordings.is_empty().then(|| why.to_owned());
    Judged {
        buckets,
        unverifiable,
        ..Judged::default()
    }
}

/// A call that is somewhere, and not where it should be.
fn misplaced(expected: &Expectation, finding: Finding) -> Judged {
    let bucket = |recording: &crate::expected::ExpectedRecording| {
        settled(&recording.presence).unwrap_or(Bucket::Different)
    };
    let buckets = expected.recordings.iter().map(bucket).collect();
    Judged {
        findings: vec![finding.of(&expected.legacy_id)],
        buckets,
        ..Judged::default()
    }
}

fn missing(expected: &Expectation, recording: Option<&str>, consequence: &str) -> Finding {
    let finding = Finding::new(Defect::MissingRecording, "recording")
        .of(&expected.legacy_id)
        .expected("present")
        .actual("absent")
        .consequence(consequence);
    match recording {
        Some(id) => finding.recording(id),
        None => Finding {
            field: "conversation".to_owned(),
            cause: "conversation".to_owned(),
            ..finding
        },
    }
}

fn with_conversation(evidence: &Evidence<'_>, conversation: &TargetConversation) -> Judged {
    let expected = evidence.expected;
    if let Some(why) = &expected.unread {
        return unread_call(expected, why);
    }
    if let Presence::Absent(absence) = &expected.presence {
        return forbidden(evidence, conversation, absence);
    }
    if expected.presence == Presence::NotCarried {
        let extra = conversation.read_recordings().len();
        let finding = Finding::new(Defect::RecordWithoutSource, "presence")
            .of(&expected.legacy_id)
            .target(&conversation.id);
        let finding = finding
            .expected("absent: a call without recordings is not carried")
            .actual("present");
        return Judged {
            findings: vec![finding.because("call without recordings is there")],
            extra,
            ..Judged::default()
        };
    }
    let mut judged = Judged::default();
    let hidden = match &conversation.recordings {
        Recordings::Hidden(need) => Some(need.clone()),
        Recordings::Read(_) => None,
    };
    let (mut pairs, mut compared) = (Vec::new(), Vec::new());
    judged.buckets.reserve_exact(expected.recordings.len());
    for (at, recording) in expected.recordings.iter().enumerate() {
        let actual =
            evidence.pairing.recordings[at].and_then(|at| conversation.read_recordings().get(at));
        let bucket = match (&recording.presence, actual) {
            (Presence::Absent(absence), Some(actual)) => {
                judged.extra += 1;
                let finding = surplus(expected, absence)
                    .recording(&recording.legacy_id)
                    .target(&actual.id);
                judged.findings.push(finding);
                set_aside(absence)
            }
            (presence, None) => match (
                settled(presence),
                hidden.as_ref().or(recording.doubt.as_ref()),
            ) {
                (Some(bucket), _) => bucket,
                (None, Some(need)) => Bucket::NotVerifiable(need.clone()),
                (None, None) => {
                    let lonely = "its conversation is there";
                    judged.findings.push(
                        missing(expected, Some(&recording.legacy_id), lonely)
                            .target(&conversation.id),
                    );
                    Bucket::Missing
                }
            },
            (presence, Some(actual)) => {
                let stored = evidence.stored.get(at).and_then(Option::as_ref);
                if !recording.unread {
                    compared.push(at);
                    pairs.push(Pair {
                        expected: recording,
                        actual,
                        sound: evidence.sound(at),
                        stored,
                    });
                }
                let pending = match media(actual, evidence.as_of) {
                    Media::Pending(need) => Some(need.to_owned()),
                    // Null while its media can be played would be damage, if the vendor promised
                    // that they are given then; it does not.
                    Media::There if recording.span.is_some() && untimed(actual) => {
                        Some("the target to give a recording's start and end".to_owned())
                    }
                    Media::There | Media::Gone(_) | Media::Stuck => None,
                };
                let unread = match evidence.sound(at) {
                    TargetSound::Hidden(need) => Some(need.clone()),
                    _ => pending.or_else(|| actual.media_unseen.clone()),
                };
                settled(presence)
                    .or(unread.map(Bucket::NotVerifiable))
                    .unwrap_or(Bucket::Matched)
            }
        };
        judged.buckets.push(bucket);
    }
    let mut findings = check(&Comparison {
        expected,
        conversation,
        pairs,
        rules: evidence.rules,
        platform: evidence.platform,
        as_of: evidence.as_of,
    });
    for (at, why) in doubtful_pairs(evidence, conversation) {
        let id = &expected.recordings[at].legacy_id;
        let before = findings.len();
        findings.retain(|finding| finding.legacy_recording_id.as_deref() != Some(id.as_str()));
        if findings.len() < before {
            judged.buckets[at] = Bucket::NotVerifiable(why);
        }
    }
    unread(evidence, conversation, &mut judged, &compared);
    blame(expected, &findings, &mut judged.buckets, &compared);
    judged.findings.extend(findings);
    judged
}

/// Recordings whose pair may be that of a sibling which could not be read: both lie there at the
/// same times, and what would tell them apart is unread. What differs from the pair says nothing
/// then. Each with what would be needed.
fn doubtful_pairs(
    evidence: &Evidence<'_>,
    conversation: &TargetConversation,
) -> Vec<(usize, String)> {
    let recordings = &evidence.expected.recordings;
    if !evidence.expected.has_unread() {
        return Vec::new();
    }
    let there = |at: usize| {
        evidence.pairing.recordings[at].and_then(|at| conversation.read_recordings().get(at))
    };
    let twin = |at: usize| {
        let unread = (0..recordings.len()).filter(|other| recordings[*other].unread);
        unread
            .filter(|other| there(*other).is_some_and(|actual| same_times(&recordings[at], actual)))
            .find_map(|other| match &recordings[other].presence {
                Presence::Unknown(why) => Some((at, why.clone())),
                _ => None,
            })
    };
    (0..recordings.len())
        .filter(|at| !recordings[*at].unread && there(*at).is_some())
        .filter_map(twin)
        .collect()
}

fn untimed(actual: &TargetRecording) -> bool {
    actual.start == TimeReading::Absent && actual.end == TimeReading::Absent
}

/// A hold, a skill, or what else must be there and could not be read.
fn unread(
    evidence: &Evidence<'_>,
    conversation: &TargetConversation,
    judged: &mut Judged,
    compared: &[usize],
) {
    let expected = evidence.expected;
    let hold = (expected.hold && conversation.protected.is_none())
        .then_some("permission to read deletion protection, for a call under legal hold");
    let skill = (expected.skill.is_some() && conversation.skills.is_none())
        .then_some("analytics to show a call, for its skill");
    if let Some(need) = hold
        .or(skill)
        .map(str::to_owned)
        .or_else(|| evidence.platform.unread(expected, conversation))
    {
        if expected.recordings.is_empty() {
            judged.unverifiable = Some(need.clone());
        }
        for at in compared
            .iter()
            .filter(|at| judged.buckets[**at] == Bucket::Matched)
            .copied()
            .collect::<Vec<_>>()
        {
            judged.buckets[at] = Bucket::NotVerifiable(need.clone());
        }
    }
}

/// A finding about a recording makes it different; one about the call makes all of its recordings
/// different.
fn blame(expected: &Expectation, findings: &[Finding], buckets: &mut [Bucket], compared: &[usize]) {
    if findings.is_empty() {
        return;
    }
    let whole = findings
        .iter()
        .any(|finding| finding.legacy_recording_id.is_none());
    let named: BTreeSet<&str> = findings
        .iter()
        .flat_map(|finding| finding.legacy_recording_id.iter().chain(&finding.involved))
        .map(String::as_str)
        .collect();
    for at in compared {
        if whole || named.contains(expected.recordings[*at].legacy_id.as_str()) {
            buckets[*at] = Bucket::Different;
        }
    }
}

/// A conversation that must not be there at all.
fn forbidden(
    evidence: &Evidence<'_>,
    conversation: &TargetConversation,
    absence: &Absence,
) -> Judged {
    let recordings = conversation.read_recordings().len();
    let finding = surplus(evidence.expected, absence)
        .target(&conversation.id)
        .consequence(format!(
            "{recordings} recordings are there that should not be"
        ));
    let buckets = evidence
        .expected
        .recordings
        .iter()
        .map(|recording| settled(&recording.presence).unwrap_or_else(|| set_aside(absence)))
        .collect();
    Judged {
        findings: vec![finding],
        buckets,
        extra: recordings,
        unverifiable: None,
    }
}

fn surplus(expected: &Expectation, absence: &Absence) -> Finding {
    let why = match absence {
        Absence::Rule(reason) => format!("absent by rule: {reason}"),
        Absence::Agreed(_) => "absent by agreement".to_owned(),
    };
    Finding::new(Defect::RecordWithoutSource, "presence")
        .of(&expected.legacy_id)
        .expected(&why)
        .actual("present")
        .because(why)
}

#[cfg(test)]
mod tests {
    use plan::Reason;

    use super::*;
    use crate::checks::testing::{PLATFORM, conversation, first, wanted};
    use crate::expected::testing::{AS_OF, rules};
    use crate::matching::pair;

    fn judged(expected: &Expectation, ours: &[TargetConversation], lag: Option<&str>) -> Judged {
        let (pairings, _) = pair(std::slice::from_ref(expected), ours);
        let sounds = vec![TargetSound::Compared(Vec::new()); expected.recordings.len()];
        judge(&Evidence {
            expected,
            pairing: &pairings[0],
            ours,
            sounds: &sounds,
            stored: &[],
            hidden: lag,
            misplaced: None,
            rules: &rules(),
            platform: PLATFORM,
            as_of: AS_OF,
        })
    }

    fn codes(judged: &Judged) -> Vec<(&str, Option<&str>)> {
        judged
            .findings
            .iter()
            .map(|finding| {
                (
                    finding.defect.code(),
                    finding.legacy_recording_id.as_deref(),
                )
            })
            .collect()
    }

    #[test]
    fn a_lost_call_is_one_finding_for_each_of_its_recordings() {
        let lost = judged(&wanted(), &[], None);
        assert_eq!(
            codes(&lost),
            [("D01", Some("100001-1")), ("D01", Some("100001-2"))]
        );
        assert_eq!(lost.buckets, [Bucket::Missing, Bucket::Missing]);
        let late = judged(&wanted(), &[], Some("analytics lags"));
        assert!(late.findings.is_empty());
        assert!(
            late.buckets
                .iter()
                .all(|bucket| matches!(bucket, Bucket::NotVerifiable(_)))
        );
    }

    #[test]
    fn a_call_that_is_known_to_be_misplaced_is_wrong_and_not_missing() {
        let expected = wanted();
        let (pairings, _) = pair(std::slice::from_ref(&expected), &[]);
        let judged = judge(&Evidence {
            expected: &expected,
            pairing: &pairings[0],
            ours: &[],
            sounds: &[],
            stored: &[],
            hidden: Some("hidden"),
            misplaced: Some(&Finding::new(Defect::RegionWrong, "region")),
            rules: &rules(),
            platform: PLATFORM,
            as_of: AS_OF,
        });
        assert_eq!(
            (codes(&judged), judged.buckets.clone()),
            (vec![("D54", None)], vec![Bucket::Different; 2])
        );
    }

    #[test]
    fn a_lost_call_without_recordings_is_one_finding_about_the_call() {
        let mut expected = wanted();
        expected.recordings.clear();
        assert_eq!(codes(&judged(&expected, &[], None)), [("D01", None)]);
    }

    #[test]
    fn damage_to_the_call_makes_all_its_recordings_different_and_is_one_finding() {
        let expected = wanted();
        let mut actual = conversation(&expected);
        actual.queues.clear();
        let all = judged(&expected, &[actual], None);
        assert_eq!(codes(&all), [("D50", None)]);
        assert_eq!(all.buckets, [Bucket::Different, Bucket::Different]);
        let mut actual = conversation(&expected);
        first(&mut actual).delete_at = None;
        let one = judged(&expected, &[actual], None);
        assert_eq!(one.buckets, [Bucket::Different, Bucket::Matched]);
    }

    #[test]
    fn what_is_rightly_absent_is_set_aside_and_what_is_there_against_the_plan_is_extra() {
        let mut expected = wanted();
        let absence = Presence::Absent(Absence::Rule(Reason::AudioNotAudio));
        expected.presence = absence.clone();
        expected
            .recordings
            .iter_mut()
            .for_each(|recording| recording.presence = absence.clone());
        let absent = judged(&expected, &[], None);
        assert!(absent.findings.is_empty());
        assert!(absent.buckets.iter().all(
            |bucket| matches!(bucket, Bucket::Quarantined { reason } if reason == "audio_not_audio")
        ));
        let present = judged(&expected, &[conversation(&expected)], None);
        assert_eq!(codes(&present), [("D02", None)]);
        assert_eq!(present.extra, 2);
    }

    #[test]
    fn hidden_recordings_are_not_missing() {
        let expected = wanted();
        let mut actual = conversation(&expected);
        actual.recordings = Recordings::Hidden("a permission".into());
        let hidden = judged(&expected, &[actual], None);
        assert!(hidden.findings.is_empty());
        assert!(
            hidden
                .buckets
                .iter()
                .all(|bucket| matches!(bucket, Bucket::NotVerifiable(_)))
        );
    }

    #[test]
    fn a_second_conversation_is_a_copy() {
        let expected = wanted();
        let mut copy = conversation(&expected);
        copy.id = "second".into();
        let twice = judged(&expected, &[conversation(&expected), copy], None);
        assert_eq!(codes(&twice), [("D03", None)]);
        assert_eq!(
            (twice.extra, twice.buckets),
            (2, vec![Bucket::Matched, Bucket::Matched])
        );
    }

    #[test]
    fn a_call_in_parts_is_one_finding_and_so_is_a_damaged_id() {
        let expected = wanted();
        let part = |at: usize| {
            let mut part = conversation(&expected);
            part.id = format!("part {at}").into();
            part.legs = vec![part.legs[at].clone()];
            part.recordings = Recordings::Read(vec![part.read_recordings()[at].clone()]);
            part
        };
        let split = judged(&expected, &[part(0), part(1)], None);
        assert_eq!((codes(&split), split.extra), (vec![("D05", None)], 0));
        assert_eq!(split.buckets, [Bucket::Different, Bucket::Different]);
        let mut other = conversation(&expected);
        other.legacy_id = Some("0100001".into());
        let damaged = judged(&expected, &[other], None);
        assert_eq!(
            (codes(&damaged), &damaged.buckets),
            (vec![("D63", None)], &vec![Bucket::Different; 2])
        );
    }

    #[test]
    fn what_a_reading_does_not_carry_is_not_judged() {
        let expected = wanted();
        let mut without_skills = conversation(&expected);
        without_skills.skills = None;
        let mut untimed = conversation(&expected);
        first(&mut untimed).start = TimeReading::Absent;
        first(&mut untimed).end = TimeReading::Absent;
        let mut stub = untimed.clone();
        first(&mut stub).file_state = Some("ARCHIVED".into());
        first(&mut stub).pauses.clear();
        for (name, actual, whole) in [
            ("skills", without_skills, true),
            ("times", untimed, false),
            ("an archived stub", stub, false),
        ] {
            let judged = judged(&expected, &[actual], None);
            assert!(judged.findings.is_empty(), "{name}: {:?}", judged.findings);
            assert!(
                matches!(judged.buckets[0], Bucket::NotVerifiable(_)),
                "{name}: {:?}",
                judged.buckets
            );
            assert_eq!(
                matches!(judged.buckets[1], Bucket::NotVerifiable(_)),
                whole,
                "{name}"
            );
        }
    }
}
