//! A conversation that is exactly right, for the tests to damage.

use super::{Pair, Seen, check};
use crate::expected::testing::{AS_OF, gir_rules, good_sound, interaction, rules};
use crate::expected::{Expectation, Recorded, Rules, expected};
use crate::finding::Finding;
use crate::moment::Moment;
use crate::sound::{Stored, TargetSound};
use crate::target::gir::{CallFacts, Field, FileSight, MediaFacts, Posts};
use crate::target::{MarkedPause, Recordings, TargetConversation, TargetLeg, TargetRecording, TimeReading};

pub(crate) const CREATED: Moment = Moment::from_ms(1_794_000_000_000);

pub(crate) fn wanted() -> Expectation {
    wanted_under(&rules())
}

pub(crate) fn wanted_under(rules: &Rules) -> Expectation {
    let sounds = ["100001-1", "100001-2"].map(|id| (id.to_owned(), good_sound())).into_iter().collect();
    expected(&interaction(), rules, &sounds, AS_OF)
}

/// What a right migration leaves in the target.
pub(crate) fn conversation(expected: &Expectation) -> TargetConversation {
    let span = expected.span.expect("usable times");
    let text = |id: Option<uuid::Uuid>| id.map(|id| id.to_string()).into_iter().collect::<Vec<_>>();
    TargetConversation {
        id: "conversation".into(),
        legacy_id: Some(expected.legacy_id.clone()),
        start: TimeReading::At(span.start),
        end: TimeReading::At(span.end),
        direction: expected.direction.clone(),
        legs: expected
            .legs
            .iter()
            .map(|leg| TargetLeg {
                user: Some(leg.user.to_string()),
                start: at(leg.span.map(|span| span.start)),
                end: at(leg.span.map(|span| span.end)),
                number: leg.login.clone(),
                session: Some(format!("session of {}", leg.user)),
                wrap_ups: Vec::new(),
            })
            .collect(),
        customers: 1,
        anis: expected.ani.clone().into_iter().collect(),
        dnises: expected.dnis.clone().into_iter().collect(),
        queues: text(expected.queue),
        skills: Some(text(expected.skill)),
        wrap_ups: text(expected.wrap_up),
        attributes: expected.attributes.iter().map(|(name, wanted)| (name.clone(), wanted.any_of[0].clone())).collect(),
        protected: Some(expected.hold),
        recordings: Recordings::Read(expected.recordings.iter().map(|one| recording(one, expected)).collect()),
        gir: expected.gir.as_ref().map(|gir| Box::new(facts(gir, expected))),
    }
}

/// What a right migration leaves in Interaction Recording beyond that.
fn facts(gir: &crate::expected::GirExpectation, expected: &Expectation) -> CallFacts {
    let labels = gir.keeps.first().and_then(|keep| keep.labels.first().cloned());
    CallFacts {
        region: Some("west".into()),
        labels: ["st-batch-acme".to_owned()].into_iter().chain(labels).collect(),
        customer_numbers: expected.ani.clone().into_iter().collect(),
        told: Field::ALL.into_iter().collect(),
        withheld: std::collections::BTreeSet::new(),
        posts: Posts::Count(1),
        posted: None,
    }
}

fn media_facts(expected: &crate::expected::ExpectedRecording, call: &Expectation) -> MediaFacts {
    let agent = match &expected.agent {
        Recorded::Agent(agent) => Some(agent.clone()),
        Recorded::Nobody | Recorded::Unsaid => None,
    };
    MediaFacts {
        username: agent.as_ref().map(|agent| agent.user.clone()),
        login: agent.as_ref().and_then(|agent| agent.login.clone()),
        ani: call.ani.clone(),
        dnis: call.dnis.clone(),
        access_groups: agent.and_then(|agent| agent.access_group).into_iter().collect(),
        partitions: call.gir.as_ref().and_then(|gir| gir.partition.clone()).into_iter().collect(),
        mime: Some("audio/mp3".into()),
        declared_ms: Some("148000".into()),
        declared_bytes: Some("1000".into()),
        path: Some("http://store.test/recordings/a.mp3".into()),
        file: FileSight::There { bytes: Some(1000) },
        ..MediaFacts::default()
    }
}

fn recording(expected: &crate::expected::ExpectedRecording, call: &Expectation) -> TargetRecording {
    let user = match &expected.agent {
        Recorded::Agent(agent) if call.gir.is_none() => Some(agent.user.clone()),
        Recorded::Agent(_) | Recorded::Nobody | Recorded::Unsaid => None,
    };
    TargetRecording {
        gir: call.gir.as_ref().map(|_| Box::new(media_facts(expected, call))),
        id: format!("target-{}", expected.legacy_id),
        conversation_id: "conversation".into(),
        start: at(expected.span.map(|span| span.start)),
        end: at(expected.span.map(|span| span.end)),
        file_state: Some("AVAILABLE".into()),
        delete_at: expected.delete_at,
        created: Some(CREATED),
        pauses: expected
            .pauses
            .iter()
            .map(|pause| MarkedPause {
                location_ms: pause.start_ms,
                length_ms: pause.end_ms - pause.start_ms,
                reason: call.gir.is_none().then_some(crate::target::PauseReason::SecurePause),
            })
            .collect(),
        users: user.iter().cloned().collect(),
        session: user.map(|user| format!("session of {user}")),
        originating_id: None,
    }
}

fn at(moment: Option<Moment>) -> TimeReading {
    moment.map_or(TimeReading::Absent, TimeReading::At)
}

/// Findings of all checks, the audio being right.
pub(crate) fn checked(expected: &Expectation, actual: &TargetConversation) -> Vec<Finding> {
    checked_under(&rules(), expected, actual, &TargetSound::Compared(Vec::new()))
}

pub(crate) fn checked_under(rules: &Rules, expected: &Expectation, actual: &TargetConversation, sound: &TargetSound) -> Vec<Finding> {
    let pairs = expected
        .recordings
        .iter()
        .zip(actual.read_recordings())
        .map(|(expected, actual)| Pair { expected, actual, sound, stored: None })
        .collect();
    check(&Seen { expected, conversation: actual, pairs, rules, as_of: AS_OF })
}

pub(crate) fn codes(expected: &Expectation, actual: &TargetConversation) -> Vec<&'static str> {
    checked(expected, actual).iter().map(|finding| finding.defect.code()).collect()
}

/// The first recording, for damaging.
pub(crate) fn first(conversation: &mut TargetConversation) -> &mut TargetRecording {
    match &mut conversation.recordings {
        Recordings::Read(recordings) => &mut recordings[0],
        Recordings::Hidden(_) => panic!("the test conversation can be read"),
    }
}

/// The same call with Interaction Recording as its target: its first recording is on the first leg.
pub(crate) fn gir_wanted() -> Expectation {
    gir_wanted_under(&gir_rules())
}

/// The call with a recording on each of its two legs.
pub(crate) fn legs_wanted(rules: &Rules) -> Expectation {
    gir_wanted_under(rules)
}

pub(crate) fn gir_wanted_under(rules: &Rules) -> Expectation {
    let sounds = ["100001-1", "100001-2"].map(|id| (id.to_owned(), good_sound())).into_iter().collect();
    let mut source = interaction();
    for (recording, segment) in source.recordings.iter_mut().zip(["100001-s1", "100001-s2"]) {
        if let Ok(details) = &mut recording.details {
            details.segment_id = Some(segment.to_owned());
        }
    }
    expected(&source, rules, &sounds, AS_OF)
}

/// What a right migration leaves in Interaction Recording.
pub(crate) fn right(expected: &Expectation) -> TargetConversation {
    conversation(expected)
}

pub(crate) fn gir_findings(
    expected: &Expectation,
    actual: &TargetConversation,
    sound: &TargetSound,
    stored: Option<&Stored>,
) -> Vec<Finding> {
    let pairs = expected.recordings.iter().zip(actual.read_recordings());
    let pairs = pairs.map(|(expected, actual)| Pair { expected, actual, sound, stored }).collect();
    check(&Seen { expected, conversation: actual, pairs, rules: &gir_rules(), as_of: AS_OF })
}

pub(crate) fn gir_codes(expected: &Expectation, actual: &TargetConversation) -> Vec<&'static str> {
    gir_codes_under(&gir_rules(), expected, actual)
}

pub(crate) fn gir_codes_under(rules: &Rules, expected: &Expectation, actual: &TargetConversation) -> Vec<&'static str> {
    let findings = checked_under(rules, expected, actual, &TargetSound::Compared(Vec::new()));
    findings.iter().map(|finding| finding.defect.code()).collect()
}

pub(crate) fn call_facts(conversation: &mut TargetConversation) -> &mut CallFacts {
    conversation.gir.as_mut().expect("the call of Interaction Recording")
}

/// The first recording's facts.
pub(crate) fn media_of(conversation: &mut TargetConversation) -> &mut MediaFacts {
    first(conversation).gir.as_mut().expect("the recording of Interaction Recording")
}
