//! Whose each recording is, beside who takes part in the call: the leg it was made on (Genesys Cloud), the agent it names (Interaction Recording).

use super::people::{AGENTS, classify};
use super::{Pair, Seen};
use crate::defect::Defect;
use crate::expected::{Recorded, RecordedAgent};
use crate::finding::Finding;
use crate::target::TimeReading;
use crate::target::gir::{Field, MediaFacts};

/// `people` are the findings about participants: the same mistake on a recording follows from the one on the call.
pub(super) fn check(seen: &Seen<'_>, mut people: Vec<Finding>) -> Vec<Finding> {
    people.extend(numbers_of_legs(seen));
    let wrongs: Vec<Finding> = seen.pairs.iter().filter_map(|pair| wrong(seen, pair)).collect();
    for wrong in exchanged(wrongs) {
        let same = |finding: &&mut Finding| {
            let is_one = (&finding.expected, &finding.actual) == (&wrong.expected, &wrong.actual);
            // Who is lost, or on another's leg, is lost to the recordings of that leg too.
            finding.legacy_recording_id.is_none() && (is_one || finding.field == AGENTS)
        };
        match people.iter_mut().find(same) {
            Some(finding) => finding.follows(wrong),
            None => people.push(wrong),
        }
    }
    people
}

fn wrong(seen: &Seen<'_>, pair: &Pair<'_>) -> Option<Finding> {
    match &pair.actual.gir {
        Some(facts) => agent(seen, pair, facts),
        None => leg(seen, pair),
    }
}

/// Two recordings of one call that have each other's agents are one cause.
fn exchanged(mut wrongs: Vec<Finding>) -> Vec<Finding> {
    let mut found = Vec::new();
    while !wrongs.is_empty() {
        let first = wrongs.remove(0);
        let is_partner = |other: &Finding| {
            first.expected.is_some() && (&first.expected, &first.actual) == (&other.actual, &other.expected) && first.field == other.field
        };
        match wrongs.iter().position(is_partner) {
            Some(at) => {
                let partner = wrongs.remove(at);
                let (id, field) = (partner.legacy_recording_id.clone().unwrap_or_default(), first.field.clone());
                let mut finding =
                    first.reclassed(Defect::PartsOutOfOrder).because("recordings of one call hang on each other's legs").involves(&id);
                finding.consequences.push(format!("{field} {id}: {} instead of {}", told(&partner.actual), told(&partner.expected)));
                found.push(finding);
            }
            None => found.push(first),
        }
    }
    found
}

fn told(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("nobody")
}

/// Genesys Cloud: the leg a recording was made on, by its session, and the users it names. The vendor documents the users as those of the
/// conversation, so that the right one among others is right.
fn leg(seen: &Seen<'_>, pair: &Pair<'_>) -> Option<Finding> {
    let Recorded::Agent(expected) = &pair.expected.agent else { return None };
    // Without times, as of an archived recording, which of a call's recordings this is was a guess.
    if pair.actual.start == TimeReading::Absent && pair.actual.end == TimeReading::Absent {
        return None;
    }
    let of_session = seen.conversation.legs.iter().filter(|leg| leg.session.is_some() && leg.session == pair.actual.session);
    let on_leg: Vec<&str> = of_session.filter_map(|leg| leg.user.as_deref()).collect();
    let names: Vec<&str> = pair.actual.users.iter().map(String::as_str).collect();
    let is_off = |users: &[&str]| !users.is_empty() && !users.contains(&expected.user.as_str());
    let actual = [on_leg, names].into_iter().find(|users| is_off(users))?;
    let [actual] = actual.as_slice() else {
        return Some(wrong_leg(seen, pair, expected, &actual.join(", ")));
    };
    let is_colleague = seen.expected.legs.iter().any(|leg| leg.user == *actual);
    if is_colleague {
        return Some(wrong_leg(seen, pair, expected, actual));
    }
    let stand_in = seen.rules.fallback_agent.as_ref().is_some_and(|row| row.user == expected.user);
    let cause = format!("agent {} is {actual} instead of {}", expected.legacy_agent, expected.user);
    let defect = classify(&expected.legacy_agent, stand_in, actual, seen.rules);
    Some(seen.about(pair, defect, "agent of the recording").expected(&expected.user).actual(actual).because(cause))
}

fn wrong_leg(seen: &Seen<'_>, pair: &Pair<'_>, expected: &RecordedAgent, actual: &str) -> Finding {
    let finding = seen.about(pair, Defect::PartsOutOfOrder, "agent of the recording").expected(&expected.user).actual(actual);
    finding.because("recording hangs on another leg of its call")
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
        (Some(_), None) => Some(finding(Defect::ParticipantsWrong).because("agent of the recording is lost")),
        (None, Some(_)) => Some(finding(Defect::ParticipantsWrong).because("recording has an agent where its leg has none")),
    }
}

fn login(seen: &Seen<'_>, pair: &Pair<'_>, facts: &MediaFacts, expected: &RecordedAgent) -> Option<Finding> {
    if facts.login == expected.login || (facts.login.is_none() && seen.conversation.withholds(Field::Login)) {
        return None;
    }
    let defect = if facts.login.is_some() { Defect::WrongAgent } else { Defect::ParticipantsWrong };
    let finding = seen.about(pair, defect, "agent login of the recording");
    Some(finding.maybe_expected(expected.login.as_ref()).maybe_actual(facts.login.as_ref()).because("login of the recording's agent"))
}

/// A user's number is the login of whoever it is: a desk's extension would be everybody's who sat there.
fn numbers_of_legs(seen: &Seen<'_>) -> Option<Finding> {
    let (expected, actual) = (&seen.expected.legs, &seen.conversation.legs);
    if seen.conversation.gir.is_none() || expected.len() != actual.len() || seen.conversation.withholds(Field::UserNumber) {
        return None;
    }
    let wrong = |(leg, theirs): &(&crate::expected::AgentLeg, &crate::target::TargetLeg)| {
        theirs.user.as_deref() == Some(leg.user.as_str()) && theirs.number != leg.login
    };
    let (leg, theirs) = expected.iter().zip(actual).find(wrong)?;
    let finding =
        seen.finding(Defect::AttributeWrong, "number of an agent").maybe_expected(leg.login.as_ref()).maybe_actual(theirs.number.as_ref());
    Some(finding.because("an agent's number is not the login"))
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{call_facts, checked_under, gir_codes, gir_wanted, legs_wanted, media_of, right};
    use crate::sound::TargetSound;
    use crate::target::gir::Field;
    use crate::target::{Recordings, TargetRecording};

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

    /// What a damaged recording of two legs is called, and of which recordings.
    fn of_legs(damage: fn(&mut [TargetRecording])) -> Vec<(&'static str, Option<String>)> {
        let mut rules = crate::expected::testing::rules();
        rules.agents.insert("AGT-014".into(), vec![crate::expected::testing::agent_row(uuid::Uuid::from_u128(14), None)]);
        let expected = legs_wanted(&rules);
        let mut actual = right(&expected);
        if let Recordings::Read(recordings) = &mut actual.recordings {
            damage(recordings);
        }
        let findings = checked_under(&rules, &expected, &actual, &TargetSound::NotRead);
        findings.into_iter().map(|finding| (finding.defect.code(), finding.legacy_recording_id)).collect()
    }

    #[test]
    fn a_recording_of_genesys_cloud_hangs_on_the_leg_it_was_made_on() {
        let first = || Some("100001-1".to_owned());
        let exchange = |recordings: &mut [TargetRecording]| {
            let [one, other] = recordings else { panic!("two recordings") };
            std::mem::swap(&mut one.users, &mut other.users);
            std::mem::swap(&mut one.session, &mut other.session);
        };
        assert_eq!(of_legs(|_| ()), []);
        assert_eq!(of_legs(exchange), [("D33", first())]);
        assert_eq!(of_legs(|recordings| recordings[0].session = recordings[1].session.clone()), [("D33", first())]);
        assert_eq!(of_legs(|recordings| recordings[0].users = vec!["somebody".into()]), [("D45", first())]);
        let all = |recordings: &mut [TargetRecording]| {
            let users: Vec<String> = recordings.iter().flat_map(|recording| recording.users.clone()).collect();
            recordings.iter_mut().for_each(|recording| recording.users.clone_from(&users));
        };
        assert_eq!(of_legs(all), [], "the vendor documents the users of a recording as those of its conversation");
        assert_eq!(of_legs(|recordings| (recordings[0].users, recordings[0].session) = Default::default()), [], "nothing is told");
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
