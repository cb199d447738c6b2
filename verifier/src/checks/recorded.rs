//! The agent and the numbers that Interaction Recording tells with each recording, beside those of the call.

use super::people::classify;
use super::{Pair, Seen};
use crate::defect::Defect;
use crate::expected::{Recorded, RecordedAgent};
use crate::finding::Finding;
use crate::target::gir::{Field, MediaFacts};

/// `people` are the findings about participants: the same mistake on a recording follows from the one on the call.
pub(super) fn check(seen: &Seen<'_>, mut people: Vec<Finding>) -> Vec<Finding> {
    if seen.conversation.gir.is_none() {
        return people;
    }
    people.extend(numbers_of_legs(seen));
    for pair in &seen.pairs {
        let Some(wrong) = pair.actual.gir.as_ref().and_then(|facts| agent(seen, pair, facts)) else { continue };
        let same = people.iter_mut().find(|finding| {
            finding.legacy_recording_id.is_none() && (&finding.expected, &finding.actual) == (&wrong.expected, &wrong.actual)
        });
        match same {
            Some(finding) => finding.consequences.push(format!("{} of {}", wrong.field, pair.expected.legacy_id)),
            None => people.push(wrong),
        }
    }
    people
}

fn agent(seen: &Seen<'_>, pair: &Pair<'_>, facts: &MediaFacts) -> Option<Finding> {
    let expected = match &pair.expected.agent {
        Recorded::Unsaid => return None,
        Recorded::Nobody => None,
        Recorded::Agent(agent) => Some(agent),
    };
    username(seen, pair, facts, expected).or_else(|| login(seen, pair, facts, expected?))
}

fn username(seen: &Seen<'_>, pair: &Pair<'_>, facts: &MediaFacts, expected: Option<&RecordedAgent>) -> Option<Finding> {
    let field = "agent of the recording";
    let finding =
        |defect| seen.about(pair, defect, field).maybe_expected(expected.map(|agent| &agent.user)).maybe_actual(facts.username.as_ref());
    match (expected, &facts.username) {
        (None, None) => None,
        (Some(expected), Some(actual)) if expected.user == *actual => None,
        (Some(expected), Some(actual)) => {
            let stand_in = seen.rules.fallback_agent.as_ref().is_some_and(|row| row.user == expected.user);
            let cause = format!("agent {} is {actual} instead of {}", expected.legacy_agent, expected.user);
            Some(finding(classify(&expected.legacy_agent, stand_in, actual, seen.rules)).because(cause))
        }
        (Some(_), None) if seen.conversation.withholds(Field::Username) => None,
        (Some(_), None) => Some(finding(Defect::D49).because("agent of the recording is lost")),
        (None, Some(_)) => Some(finding(Defect::D49).because("recording has an agent where its leg has none")),
    }
}

fn login(seen: &Seen<'_>, pair: &Pair<'_>, facts: &MediaFacts, expected: &RecordedAgent) -> Option<Finding> {
    if facts.login == expected.login || (facts.login.is_none() && seen.conversation.withholds(Field::Login)) {
        return None;
    }
    let defect = if facts.login.is_some() { Defect::D45 } else { Defect::D49 };
    let finding = seen.about(pair, defect, "agent login of the recording");
    Some(finding.maybe_expected(expected.login.as_ref()).maybe_actual(facts.login.as_ref()).because("login of the recording's agent"))
}

/// A user's number is the login of whoever it is: a desk's extension would be everybody's who sat there.
fn numbers_of_legs(seen: &Seen<'_>) -> Option<Finding> {
    let (expected, actual) = (&seen.expected.legs, &seen.conversation.legs);
    if expected.len() != actual.len() || seen.conversation.withholds(Field::UserNumber) {
        return None;
    }
    let wrong = |(leg, theirs): &(&crate::expected::AgentLeg, &crate::target::TargetLeg)| {
        theirs.user.as_deref() == Some(leg.user.as_str()) && theirs.number != leg.login
    };
    let (leg, theirs) = expected.iter().zip(actual).find(wrong)?;
    let finding = seen.finding(Defect::D64, "number of an agent").maybe_expected(leg.login.as_ref()).maybe_actual(theirs.number.as_ref());
    Some(finding.because("an agent's number is not the login"))
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{call_facts, gir_codes, gir_wanted, media_of, right};
    use crate::target::gir::Field;

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
            assert_eq!(gir_codes(&expected, &actual), *wanted, "{username:?} {login:?}");
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
        actual.legs.iter_mut().for_each(|leg| (leg.user, leg.number) = (None, None));
        actual.anis.clear();
        call_facts(&mut actual).withheld = [Field::Username, Field::UserName, Field::UserNumber, Field::Caller].into();
        assert!(gir_codes(&expected, &actual).is_empty());
        call_facts(&mut actual).withheld.clear();
        assert!(!gir_codes(&expected, &actual).is_empty(), "shown with other calls, it is lost here");
    }

    #[test]
    fn a_desks_extension_is_not_an_agents_number() {
        let expected = gir_wanted();
        let mut actual = right(&expected);
        actual.legs[0].number = Some("4711".into());
        assert_eq!(gir_codes(&expected, &actual), ["D64"]);
    }
}
