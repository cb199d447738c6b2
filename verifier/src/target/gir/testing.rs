//! The call that the tests vary, with Interaction Recording as its target.

use std::collections::BTreeMap;

use super::facts::HIDEABLE;
use super::{
    CAPABILITIES, CallFacts, FileSight, Gir, GirExpectation, MediaFacts, Posts, PurgeRule,
};
use crate::checks::testing::{conversation, first, interaction_of_legs};
use crate::checks::{Comparison, Pair, check};
use crate::expected::testing::{AS_OF, good_sound, rules};
use crate::expected::{AgentRow, Expectation, ExpectedRecording, Recorded, Rules, expected};
use crate::finding::Finding;
use crate::observed::{Recordings, TargetConversation};
use crate::platform_facts::PlatformFacts;
use crate::sound::{Stored, TargetSound};
use crate::source::SourceInteraction;
use crate::target::Platform;

/// A site of which nothing is known.
pub(crate) const SITE: Gir = Gir {
    region: String::new(),
    batch_label: String::new(),
    partitions: BTreeMap::new(),
    purge: Vec::new(),
    encrypted: false,
};

pub(crate) fn site() -> Gir {
    let purge = |after_days, label: &str| PurgeRule {
        after_days,
        call_type: None,
        label: Some(label.to_owned()),
    };
    Gir {
        region: "west".to_owned(),
        batch_label: "st-batch-acme".to_owned(),
        partitions: BTreeMap::from([("Q-SUPPORT".to_owned(), "/support".to_owned())]),
        purge: vec![
            purge(2558, "st-ret-7-Year Retention"),
            purge(3653, "st-ret-10-Year Retention"),
        ],
        encrypted: false,
    }
}

/// The same plan with Interaction Recording as its target.
pub(crate) fn gir_rules() -> Rules {
    let row = |user: &str, login: &str, line| AgentRow {
        user: user.into(),
        login: Some(login.into()),
        access_group: Some(format!("/Sales/{user}").into()),
        line,
        ..AgentRow::default()
    };
    Rules {
        agents: [("AGT-992".to_owned(), vec![row("ann", "7001", 2)])]
            .into_iter()
            .collect(),
        fallback_agent: Some(row("unmapped", "7999", 3)),
        capabilities: CAPABILITIES,
        ..rules()
    }
}

/// What must be there of a call.
pub(crate) fn expected_at(site: &Gir, source: &SourceInteraction, rules: &Rules) -> Expectation {
    let sounds = ["100001-1", "100001-2"]
        .map(|id| (id.to_owned(), good_sound()))
        .into_iter()
        .collect();
    let mut wanted = expected(source, rules, &sounds, AS_OF);
    site.expect(source, rules, &mut wanted);
    wanted
}

/// Its first recording is on the first leg.
pub(crate) fn gir_wanted() -> Expectation {
    gir_wanted_under(&gir_rules())
}

pub(crate) fn gir_wanted_under(rules: &Rules) -> Expectation {
    expected_at(&site(), &interaction_of_legs(), rules)
}

/// What a right migration leaves.
pub(crate) fn right(expected: &Expectation) -> TargetConversation {
    let wanted = expected
        .platform
        .get::<GirExpectation>()
        .expect("an expectation of Interaction Recording");
    let mut call = conversation(expected);
    call.platform = PlatformFacts::of(facts(wanted, expected));
    if let Recordings::Read(recordings) = &mut call.recordings {
        for (recording, expected_recording) in recordings.iter_mut().zip(&expected.recordings) {
            (recording.users, recording.session) = Default::default();
            recording.platform =
                PlatformFacts::of(media_facts(wanted, expected_recording, expected));
            recording
                .pauses
                .iter_mut()
                .for_each(|pause| pause.reason = None);
        }
    }
    call
}

/// What a right migration leaves in Interaction Recording beyond that.
fn facts(wanted: &GirExpectation, expected: &Expectation) -> CallFacts {
    let labels = wanted
        .keeps
        .first()
        .and_then(|keep| keep.labels.first().cloned());
    CallFacts {
        region: Some("west".into()),
        labels: ["st-batch-acme".to_owned()]
            .into_iter()
            .chain(labels)
            .collect(),
        customer_numbers: expected.ani.iter().map(String::from).collect(),
        told: HIDEABLE.into_iter().collect(),
        posts: Posts::Count(1),
        posted: None,
    }
}

fn media_facts(
    wanted: &GirExpectation,
    expected: &ExpectedRecording,
    call: &Expectation,
) -> MediaFacts {
    let agent = match &expected.agent {
        Recorded::Agent(agent) => Some(agent.clone()),
        Recorded::Nobody | Recorded::Unsaid => None,
    };
    MediaFacts {
        username: agent.as_ref().map(|agent| String::from(&agent.user)),
        login: agent
            .as_ref()
            .and_then(|agent| agent.login.as_ref().map(String::from)),
        ani: call.ani.as_ref().map(String::from),
        dnis: call.dnis.as_ref().map(String::from),
        access_groups: agent
            .and_then(|agent| agent.access_group.map(String::from))
            .into_iter()
            .collect(),
        partitions: wanted.partition.clone().into_iter().collect(),
        mime: Some("audio/mp3".into()),
        declared_ms: Some("148000".into()),
        declared_bytes: Some("1000".into()),
        path: Some("http://store.test/recordings/a.mp3".into()),
        file: FileSight::There { bytes: Some(1000) },
        ..MediaFacts::default()
    }
}

pub(crate) fn findings_at(
    site: &Gir,
    rules: &Rules,
    expected: &Expectation,
    actual: &TargetConversation,
    sound: &TargetSound,
    stored: Option<&Stored>,
) -> Vec<Finding> {
    let pairs = expected.recordings.iter().zip(actual.read_recordings());
    let pairs = pairs
        .map(|(expected, actual)| Pair {
            expected,
            actual,
            sound,
            stored,
        })
        .collect();
    check(&Comparison {
        expected,
        conversation: actual,
        pairs,
        rules,
        platform: site,
        as_of: AS_OF,
    })
}

pub(crate) fn codes_under(
    site: &Gir,
    rules: &Rules,
    expected: &Expectation,
    actual: &TargetConversation,
) -> Vec<&'static str> {
    let findings = findings_at(
        site,
        rules,
        expected,
        actual,
        &TargetSound::Compared(Vec::new()),
        None,
    );
    findings
        .iter()
        .map(|finding| finding.defect.code())
        .collect()
}

pub(crate) fn gir_codes(expected: &Expectation, actual: &TargetConversation) -> Vec<&'static str> {
    codes_under(&site(), &gir_rules(), expected, actual)
}

pub(crate) fn call_facts(conversation: &mut TargetConversation) -> &mut CallFacts {
    conversation
        .platform
        .get_mut()
        .expect("the call of Interaction Recording")
}

/// The first recording's facts.
pub(crate) fn media_of(conversation: &mut TargetConversation) -> &mut MediaFacts {
    first(conversation)
        .platform
        .get_mut()
        .expect("the recording of Interaction Recording")
}
