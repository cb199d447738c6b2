//! A conversation that is exactly right, for the tests to damage.

use super::{Comparison, Pair, check};
use crate::expected::testing::{AS_OF, good_sound, interaction, rules};
use crate::expected::{Expectation, Recorded, Rules, expected};
use crate::finding::Finding;
use crate::observed::{
    MarkedPause, Recordings, TargetConversation, TargetLeg, TargetRecording, TimeReading,
};
use crate::sound::TargetSound;
use crate::source::SourceInteraction;
use crate::target::genesys_cloud::GenesysCloud;
use crate::text::Text;
use crate::utc_millis::UtcMillis;

/// Whose checks join in.
pub(crate) const PLATFORM: &GenesysCloud = &GenesysCloud::DEFAULT;

pub(crate) const CREATED: UtcMillis = UtcMillis::from_ms(1_794_000_000_000);

pub(crate) fn wanted() -> Expectation {
    wanted_under(&rules())
}

pub(crate) fn wanted_under(rules: &Rules) -> Expectation {
    let sounds = ["100001-1", "100001-2"]
        .map(|id| (id.to_owned(), good_sound()))
        .into_iter()
        .collect();
    expected(&interaction(), rules, &sounds, AS_OF)
}

/// What a right migration leaves in the target.
pub(crate) fn conversation(expected: &Expectation) -> TargetConversation {
    let span = expected.span.expect("usable times");
    let text = |id: Option<uuid::Uuid>| {
        let id = id.map(|id| Text::from(id.to_string()));
        id.into_iter().collect::<Vec<_>>()
    };
    TargetConversation {
        id: "conversation".into(),
        legacy_id: Some(expected.legacy_id.clone()),
        start: TimeReading::At(span.start),
        end: TimeReading::At(span.end),
        direction: expected.direction.map(Text::from),
        legs: expected
            .legs
            .iter()
            .map(|leg| TargetLeg {
                user: Some(leg.user.clone()),
                start: at(leg.span.map(|span| span.start)),
                end: at(leg.span.map(|span| span.end)),
                number: leg.login.clone(),
                session: Some(format!("session of {}", leg.user).into()),
                wrap_ups: Vec::new(),
            })
            .collect(),
        customers: 1,
        anis: expected.ani.clone().into_iter().collect(),
        dnises: expected.dnis.clone().into_iter().collect(),
        queues: text(expected.queue),
        skills: Some(text(expected.skill)),
        wrap_ups: text(expected.wrap_up),
        attributes: expected
            .attributes
            .iter()
            .map(|(name, wanted)| (name.clone(), wanted.any_of[0].clone()))
            .collect(),
        protected: Some(expected.hold),
        recordings: Recordings::Read(expected.recordings.iter().map(recording).collect()),
        ..TargetConversation::default()
    }
}

fn recording(expected: &crate::expected::ExpectedRecording) -> TargetRecording {
    let user = match &expected.agent {
        Recorded::Agent(agent) => Some(agent.user.clone()),
        Recorded::Nobody | Recorded::Unsaid => None,
    };
    TargetRecording {
        id: format!("target-{}", expected.legacy_id).into(),
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
                reason: Some(crate::observed::PauseReason::SecurePause),
            })
            .collect(),
        users: user.iter().cloned().collect(),
        session: user.map(|user| format!("session of {user}").into()),
        ..TargetRecording::default()
    }
}

fn at(moment: Option<UtcMillis>) -> TimeReading {
    moment.map_or(TimeReading::Absent, TimeReading::At)
}

/// Findings of all checks, the audio being right.
pub(crate) fn checked(expected: &Expectation, actual: &TargetConversation) -> Vec<Finding> {
    checked_under(
        &rules(),
        expected,
        actual,
        &TargetSound::Compared(Vec::new()),
    )
}

pub(crate) fn checked_under(
    rules: &Rules,
    expected: &Expectation,
    actual: &TargetConversation,
    sound: &TargetSound,
) -> Vec<Finding> {
    let pairs = expected
        .recordings
        .iter()
        .zip(actual.read_recordings())
        .map(|(expected, actual)| Pair {
            expected,
            actual,
            sound,
            stored: None,
        })
        .collect();
    check(&Comparison {
        expected,
        conversation: actual,
        pairs,
        rules,
        platform: PLATFORM,
        as_of: AS_OF,
    })
}

pub(crate) fn codes(expected: &Expectation, actual: &TargetConversation) -> Vec<&'static str> {
    checked(expected, actual)
        .iter()
        .map(|finding| finding.defect.code())
        .collect()
}

/// The first recording, for damaging.
pub(crate) fn first(conversation: &mut TargetConversation) -> &mut TargetRecording {
    match &mut conversation.recordings {
        Recordings::Read(recordings) => &mut recordings[0],
        Recordings::Hidden(_) => panic!("the test conversation can be read"),
    }
}

/// The call with a recording on each of its two legs.
pub(crate) fn legs_wanted(rules: &Rules) -> Expectation {
    let sounds = ["100001-1", "100001-2"]
        .map(|id| (id.to_owned(), good_sound()))
        .into_iter()
        .collect();
    expected(&interaction_of_legs(), rules, &sounds, AS_OF)
}

/// What the source says of it.
pub(crate) fn interaction_of_legs() -> SourceInteraction {
    let mut source = interaction();
    for (recording, segment) in source.recordings.iter_mut().zip(["100001-s1", "100001-s2"]) {
        if let Ok(details) = &mut recording.details {
            details.segment_id = Some(segment.into());
        }
    }
    source
}
