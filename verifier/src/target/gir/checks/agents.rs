//! The agent that a recording names, and the numbers of agents.

use super::super::MediaFacts;
use crate::checks::{Comparison, Pair, classify};
use crate::defect::Defect;
use crate::expected::{AgentLeg, Recorded, RecordedAgent};
use crate::finding::Finding;
use crate::observed::{Field, TargetLeg};

pub(super) fn check(seen: &Comparison<'_>) -> Vec<Finding> {
    let of_recordings = seen
        .pairs
        .iter()
        .filter_map(|pair| agent(seen, pair, pair.actual.platform.get()?));
    numbers_of_legs(seen)
        .into_iter()
        .chain(of_recordings)
        .collect()
}

fn agent(seen: &Comparison<'_>, pair: &Pair<'_>, facts: &MediaFacts) -> Option<Finding> {
    let expected = match &pair.expected.agent {
        Recorded::Unsaid => return None,
        Recorded::Nobody => None,
        Recorded::Agent(agent) => Some(agent),
    };
    username(seen, pair, facts, expected).or_else(|| login(seen, pair, facts, expected?))
}

fn username(
    seen: &Comparison<'_>,
    pair: &Pair<'_>,
    facts: &MediaFacts,
    expected: Option<&RecordedAgent>,
) -> Option<Finding> {
    let field = "agent of the recording";
    let finding = |defect| {
        seen.about(pair, defect, field)
            .maybe_expected(expected.map(|agent| &agent.user))
            .maybe_actual(facts.username.as_ref())
    };
    match (expected, &facts.username) {
        (None, None) => None,
        (Some(expected), Some(actual)) if expected.user == *actual => None,
        (Some(expected), Some(actual)) => {
            let stand_in = seen
                .rules
                .fallback_agent
                .as_ref()
                .is_some_and(|row| row.user == expected.user);
            let cause = format!(
                "agent {} is {actual} instead of {}",
                expected.legacy_agent, expected.user
            );
            Some(
                finding(classify(
                    &expected.legacy_agent,
                    stand_in,
                    actual,
                    seen.rules,
                ))
                .because(cause),
            )
        }
        (Some(_), None) if seen.conversation.withholds(Field::RecordingUser) => None,
        (Some(_), None) => {
            Some(finding(Defect::ParticipantsWrong).because("agent of the recording is lost"))
        }
        (None, Some(_)) => Some(
            finding(Defect::ParticipantsWrong)
                .because("recording has an agent where its leg has none"),
        ),
    }
}

fn login(
    seen: &Comparison<'_>,
    pair: &Pair<'_>,
    facts: &MediaFacts,
    expected: &RecordedAgent,
) -> Option<Finding> {
    if facts.login.as_deref() == expected.login.as_deref()
        || (facts.login.is_none() && seen.conversation.withholds(Field::RecordingLogin))
    {
        return None;
    }
    let defect = if facts.login.is_some() {
        Defect::WrongAgent
    } else {
        Defect::ParticipantsWrong
    };
    let finding = seen.about(pair, defect, "agent login of the recording");
    Some(
        finding
            .maybe_expected(expected.login.as_ref())
            .maybe_actual(facts.login.as_ref())
            .because("login of the recording's agent"),
    )
}

/// A user's number is the login of whoever it is: a desk's extension would be everybody's who sat
/// there.
fn numbers_of_legs(seen: &Comparison<'_>) -> Option<Finding> {
    let (expected, actual) = (&seen.expected.legs, &seen.conversation.legs);
    if expected.len() != actual.len() || seen.conversation.withholds(Field::UserNumber) {
        return None;
    }
    let wrong = |(leg, theirs): &(&AgentLeg, &TargetLeg)| {
        theirs.user.as_deref() == Some(leg.user.as_str()) && theirs.number != leg.login
    };
    let (leg, theirs) = expected.iter().zip(actual).find(wrong)?;
    let finding = seen
        .finding(Defect::AttributeWrong, "number of an agent")
        .maybe_expected(leg.login.as_ref())
        .maybe_actual(theirs.number.as_ref());
    Some(finding.because("an agent's number is not the login"))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{gir_codes, gir_wanted, media_of, right};
    use crate::observed::Field;

    #[test]
    fn the_agent_of_a_recording_is_named_like_one_of_the_call() {
        let expected = gir_wanted();
        let rows: &[(Option<&str>, Option<&str>, &[&str])] = &[
            (Some("ann"), Some("7001"), &[]),
            (Some("unmapped"), Some("7999"), &["D46"]),
            (Some("bob"), Some("7002"), &["D45"]),
            (None, None, &["D49"]),
            (Some("ann"), Some("4711"), &["D45"]),
            (Some("ann"), None, &["D49"]),
        ];
        for (username, login, wanted) in rows {
            let mut actual = right(&expected);
            let facts = media_of(&mut actual);
            (facts.username, facts.login) = (username.map(str::to_owned), login.map(str::to_owned));
            assert_eq!(
                gir_codes(&expected, &actual),
                *wanted,
                "{username:?} {login:?}"
            );
        }
    }

    #[test]
    fn one_mistake_on_call_and_recording_is_one_finding() {
        let expected = gir_wanted();
        let mut actual = right(&expected);
        actual.legs[0].user = Some("unmapped".into());
        media_of(&mut actual).username = Some("unmapped".into());
        assert_eq!(gir_codes(&expected, &actual), ["D46"]);
    }

    #[test]
    fn what_privacy_settings_hide_is_not_lost() {
        let expected = gir_wanted();
        let mut actual = right(&expected);
        media_of(&mut actual).username = None;
        actual
            .legs
            .iter_mut()
            .for_each(|leg| (leg.user, leg.number) = (None, None));
        actual.anis.clear();
        actual.withheld = [
            Field::RecordingUser,
            Field::User,
            Field::UserNumber,
            Field::Caller,
        ]
        .into();
        assert!(gir_codes(&expected, &actual).is_empty());
        actual.withheld.clear();
        assert!(
            !gir_codes(&expected, &actual).is_empty(),
            "shown with other calls, it is lost here"
        );
    }

    #[test]
    fn a_desks_extension_is_not_an_agents_number() {
        let expected = gir_wanted();
        let mut actual = right(&expected);
        actual.legs[0].number = Some("4711".into());
        assert_eq!(gir_codes(&expected, &actual), ["D64"]);
    }
}
