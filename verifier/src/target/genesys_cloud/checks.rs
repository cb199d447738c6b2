//! What is checked of Genesys Cloud alone: the leg a recording was made on.

use super::GenesysCloud;
use crate::checks::{Comparison, Pair, PlatformChecks, classify};
use crate::defect::Defect;
use crate::expected::{Recorded, RecordedAgent};
use crate::finding::Finding;
use crate::observed::{TargetLeg, TimeReading};
use crate::text::Text;

impl PlatformChecks for GenesysCloud {
    fn agents_of_recordings(&self, seen: &Comparison<'_>) -> Vec<Finding> {
        seen.pairs
            .iter()
            .filter_map(|pair| leg(seen, pair))
            .collect()
    }
}

/// The leg a recording was made on, by its session, and the users it names. The vendor documents
/// the users as those of the conversation, so that the right one among others is right.
fn leg(seen: &Comparison<'_>, pair: &Pair<'_>) -> Option<Finding> {
    let Recorded::Agent(expected) = &pair.expected.agent else {
        return None;
    };
    // Without times, as of an archived recording, which of a call's recordings this is was a guess.
    if pair.actual.start == TimeReading::Absent && pair.actual.end == TimeReading::Absent {
        return None;
    }
    let is_of_session =
        |leg: &&TargetLeg| leg.session.is_some() && leg.session == pair.actual.session;
    let on_leg = seen.conversation.legs.iter().filter(is_of_session);
    let on_leg = on_leg.filter_map(|leg| leg.user.as_deref());
    let named = pair.actual.users.iter().map(Text::as_str);
    let actual = others(on_leg, &expected.user).or_else(|| others(named, &expected.user))?;
    let [actual] = actual.as_slice() else {
        return Some(wrong_leg(seen, pair, expected, &actual.join(", ")));
    };
    let is_colleague = seen.expected.legs.iter().any(|leg| leg.user == *actual);
    if is_colleague {
        return Some(wrong_leg(seen, pair, expected, actual));
    }
    let stand_in = seen
        .rules
        .fallback_agent
        .as_ref()
        .is_some_and(|row| row.user == expected.user);
    let cause = format!(
        "agent {} is {actual} instead of {}",
        expected.legacy_agent, expected.user
    );
    let defect = classify(&expected.legacy_agent, stand_in, actual, seen.rules);
    Some(
        seen.about(pair, defect, "agent of the recording")
            .expected(&expected.user)
            .actual(actual)
            .because(cause),
    )
}

/// Those who are there instead of a user. Absent: the user is among them, or there is nobody.
fn others<'a>(users: impl Iterator<Item = &'a str> + Clone, user: &str) -> Option<Vec<&'a str>> {
    let mut all = users.clone().peekable();
    all.peek()?;
    all.all(|other| other != user).then(|| users.collect())
}

fn wrong_leg(
    seen: &Comparison<'_>,
    pair: &Pair<'_>,
    expected: &RecordedAgent,
    actual: &str,
) -> Finding {
    let finding = seen
        .about(pair, Defect::PartsOutOfOrder, "agent of the recording")
        .expected(&expected.user)
        .actual(actual);
    finding.because("recording hangs on another leg of its call")
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{checked_under, conversation, legs_wanted};
    use crate::observed::{Recordings, TargetRecording};
    use crate::sound::TargetSound;

    /// What a damaged recording of two legs is called, and of which recordings.
    fn of_legs(damage: fn(&mut [TargetRecording])) -> Vec<(&'static str, Option<String>)> {
        let mut rules = crate::expected::testing::rules();
        rules.agents.insert(
            "AGT-014".into(),
            vec![crate::expected::testing::agent_row(
                uuid::Uuid::from_u128(14),
                None,
            )],
        );
        let expected = legs_wanted(&rules);
        let mut actual = conversation(&expected);
        if let Recordings::Read(recordings) = &mut actual.recordings {
            damage(recordings);
        }
        let findings = checked_under(&rules, &expected, &actual, &TargetSound::NotRead);
        findings
            .into_iter()
            .map(|finding| (finding.defect.code(), finding.legacy_recording_id))
            .collect()
    }

    #[test]
    fn a_recording_of_genesys_cloud_hangs_on_the_leg_it_was_made_on() {
        let first = || Some("100001-1".to_owned());
        let exchange = |recordings: &mut [TargetRecording]| {
            let [one, other] = recordings else {
                panic!("two recordings")
            };
            std::mem::swap(&mut one.users, &mut other.users);
            std::mem::swap(&mut one.session, &mut other.session);
        };
        assert_eq!(of_legs(|_| ()), []);
        assert_eq!(of_legs(exchange), [("D33", first())]);
        assert_eq!(
            of_legs(|recordings| recordings[0].session = recordings[1].session.clone()),
            [("D33", first())]
        );
        assert_eq!(
            of_legs(|recordings| recordings[0].users = vec!["somebody".into()]),
            [("D45", first())]
        );
        let all = |recordings: &mut [TargetRecording]| {
            let users: Vec<crate::text::Text> = recordings
                .iter()
                .flat_map(|recording| recording.users.clone())
                .collect();
            recordings
                .iter_mut()
                .for_each(|recording| recording.users.clone_from(&users));
        };
        assert_eq!(
            of_legs(all),
            [],
            "the vendor documents the users of a recording as those of its conversation"
        );
        assert_eq!(
            of_legs(|recordings| (recordings[0].users, recordings[0].session) = Default::default()),
            [],
            "nothing is told"
        );
    }
}
