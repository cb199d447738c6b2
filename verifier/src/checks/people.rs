//! Agents and customers, by precedence D46 > D47 > D48 > D45; who is missing or surplus is D49.

use std::collections::BTreeMap;

use super::Comparison;
use crate::defect::Defect;
use crate::expected::{AgentLeg, Rules, padless};
use crate::finding::Finding;
use crate::observed::{Field, TargetLeg};
use crate::text::Text;

/// Field of a finding that the customer is lost.
pub(super) const CUSTOMER: &str = "customer";
/// Field of a finding that agents are lost, surplus or in another order.
pub(crate) const AGENTS: &str = "agents in order";
/// Cause of such a finding where there are fewer than there should be.
pub(super) const AGENT_LOST: &str = "agent is lost";

pub(super) fn check(seen: &Comparison<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if is_customer_lost(seen) {
        findings.push(
            seen.finding(Defect::ParticipantsWrong, CUSTOMER)
                .expected("a customer participant")
                .actual("none")
                .because("customer is lost"),
        );
    }
    if seen.conversation.withholds(Field::User) || is_each_in_place(seen) {
        return findings;
    }
    let user = |leg: &TargetLeg| leg.user.clone().unwrap_or_default();
    let mut legs: Vec<&AgentLeg> = seen.expected.legs.iter().collect();
    let mut theirs: Vec<&TargetLeg> = seen.conversation.legs.iter().collect();
    if legs.len() != theirs.len() {
        legs = in_a_row(&legs, |leg| leg.user.clone());
        theirs = in_a_row(&theirs, user);
    }
    let expected: Vec<Text> = legs.iter().map(|leg| leg.user.clone()).collect();
    let mut actual: Vec<Text> = theirs.into_iter().map(user).collect();
    settle_ties(&legs, &expected, &mut actual);
    // Somebody who has no place in the call stands in another's; without such a one, somebody is
    // lost, surplus or moved.
    let stand_in = seen
        .rules
        .fallback_agent
        .as_ref()
        .map(|row| row.user.as_str());
    let times = |users: &[Text], user: &str| users.iter().filter(|other| *other == user).count();
    let has_stranger = actual.iter().any(|user| {
        let is_needless =
            stand_in == Some(user.as_str()) && times(&actual, user) > times(&expected, user);
        !user.is_empty() && (!expected.contains(user) || is_needless)
    });
    let is_nobody = actual.iter().any(|user| user.is_empty());
    if expected.len() != actual.len() || (expected != actual && (is_nobody || !has_stranger)) {
        let told = |users: &[Text]| {
            if users.is_empty() {
                "no agent".to_owned()
            } else {
                users.join(", ")
            }
        };
        let cause = if actual.len() < expected.len() || is_nobody {
            AGENT_LOST
        } else {
            "agents in order"
        };
        findings.push(
            seen.finding(Defect::ParticipantsWrong, AGENTS)
                .expected(told(&expected))
                .actual(told(&actual))
                .because(cause),
        );
    } else {
        findings.extend(wrong_agents(seen, &legs, &actual));
    }
    findings
}

/// Whether the same users take part, in the same order: as it mostly is.
fn is_each_in_place(seen: &Comparison<'_>) -> bool {
    let theirs = seen.conversation.legs.iter();
    let theirs = theirs.map(|leg| leg.user.as_deref().unwrap_or_default());
    seen.expected.legs.iter().map(|leg| &*leg.user).eq(theirs)
}

/// No customer takes part. Where every call shows a customer, one without any number that the
/// source has is nobody.
fn is_customer_lost(seen: &Comparison<'_>) -> bool {
    let call = seen.conversation;
    let has_numbers = seen.expected.ani.is_some() && seen.expected.dnis.is_some();
    call.customers == 0
        || (seen.rules.capabilities.always_shows_a_customer
            && has_numbers
            && call.anis.is_empty()
            && call.dnises.is_empty())
}

/// Legs that begin at the same instant have no order among them: a conference. Whatever order the
/// target shows is the right one.
fn settle_ties(legs: &[&AgentLeg], expected: &[Text], actual: &mut [Text]) {
    if expected.len() != actual.len() {
        return;
    }
    let start = |at: usize| legs[at].span.map(|span| span.start);
    let mut from = 0;
    while from < legs.len() {
        let until = (from..legs.len())
            .find(|at| start(*at).is_none() || start(*at) != start(from))
            .unwrap_or(legs.len())
            .max(from + 1);
        if count(&expected[from..until]) == count(&actual[from..until]) {
            actual[from..until].clone_from_slice(&expected[from..until]);
        }
        from = until;
    }
}

/// Neighbouring legs of one user as one: how many pieces a turn is written in is the surface's
/// business, whose turn it is is not.
fn in_a_row<'a, T>(legs: &[&'a T], user: impl Fn(&T) -> Text) -> Vec<&'a T> {
    let mut kept: Vec<&T> = Vec::new();
    for leg in legs {
        if kept.last().is_none_or(|last| user(last) != user(leg)) {
            kept.push(leg);
        }
    }
    kept
}

/// How often each user takes part.
fn count(users: &[Text]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for user in users {
        *counts.entry(user.as_str()).or_default() += 1;
    }
    counts
}

/// One finding for each pair of right and wrong user, however many legs it is on.
fn wrong_agents(seen: &Comparison<'_>, legs: &[&AgentLeg], actual: &[Text]) -> Vec<Finding> {
    let mut findings: BTreeMap<(Text, Text), Finding> = BTreeMap::new();
    for (at, (leg, actual)) in legs.iter().zip(actual).enumerate() {
        let expected = leg.user.clone();
        if expected == *actual {
            continue;
        }
        let field = format!("agent of leg {}", at + 1);
        let known = findings.entry((expected.clone(), actual.clone()));
        known
            .and_modify(|finding| finding.consequences.push(field.clone()))
            .or_insert_with(|| {
                let defect = classify(&leg.legacy_agent, leg.fallback, actual, seen.rules);
                let cause = format!(
                    "agent {} is {actual} instead of {expected}",
                    leg.legacy_agent
                );
                seen.finding(defect, &field)
                    .expected(&expected)
                    .actual(actual)
                    .because(cause)
            });
    }
    findings.into_values().collect()
}

/// How another agent came to stand where this one should. `fallback`: the stand-in is right.
pub(crate) fn classify(agent: &str, fallback: bool, actual: &str, rules: &Rules) -> Defect {
    let maps_to = |agent: &str| {
        rules
            .agents
            .get(padless(agent))
            .is_some_and(|rows| rows.iter().any(|row| row.user == actual))
    };
    if !fallback
        && rules
            .fallback_agent
            .as_ref()
            .is_some_and(|row| row.user == actual)
    {
        return Defect::FallbackInsteadOfAgent;
    }
    let colleagues = rules
        .extensions
        .values()
        .filter(|agents| agents.contains(agent))
        .flatten();
    if colleagues
        .filter(|colleague| *colleague != agent)
        .any(|colleague| maps_to(colleague))
    {
        return Defect::AgentFromExtension;
    }
    if maps_to(agent) {
        return Defect::AgentMappingOfAnotherDate;
    }
    Defect::WrongAgent
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::checks::testing::{checked_under, codes, conversation, wanted, wanted_under};
    use crate::expected::testing::{FALLBACK, rules};
    use crate::sound::TargetSound;

    #[test]
    fn a_wrong_agent_is_named_by_how_it_came_about() {
        let (colleague, later, stranger) = (
            uuid::Uuid::from_u128(7),
            uuid::Uuid::from_u128(8),
            uuid::Uuid::from_u128(9),
        );
        let mut rules = rules();
        let row = |user, from| crate::expected::testing::agent_row(user, from);
        rules
            .agents
            .insert("AGT-500".into(), vec![row(colleague, None)]);
        let today = crate::utc_millis::UtcMillis::parse("2026-01-01T00:00:00Z");
        let rows = rules.agents.get_mut("AGT-992").expect("the test agent");
        rows[0].to = today;
        rows.push(row(later, today));
        rules.extensions.insert(
            "4711".into(),
            BTreeSet::from(["AGT-992".to_owned(), "AGT-500".to_owned()]),
        );
        let expected = wanted_under(&rules);
        let rows = [
            (FALLBACK, "D46"),
            (colleague, "D47"),
            (later, "D48"),
            (stranger, "D45"),
        ];
        for (user, code) in rows {
            let mut actual = conversation(&expected);
            actual.legs[0].user = Some(user.to_string().into());
            let findings = checked_under(&rules, &expected, &actual, &TargetSound::NotRead);
            assert_eq!(
                findings
                    .iter()
                    .map(|finding| finding.defect.code())
                    .collect::<Vec<_>>(),
                [code],
                "{user}"
            );
        }
    }

    #[test]
    fn a_justified_fallback_is_right() {
        let expected = wanted();
        assert!(expected.legs[1].fallback);
        assert!(codes(&expected, &conversation(&expected)).is_empty());
    }

    #[test]
    fn legs_that_begin_at_once_have_no_order_and_those_that_do_not_have_one() {
        let mut expected = wanted();
        let mut actual = conversation(&expected);
        let users: Vec<_> = actual
            .legs
            .iter()
            .rev()
            .map(|leg| leg.user.clone())
            .collect();
        actual
            .legs
            .iter_mut()
            .zip(users)
            .for_each(|(leg, user)| leg.user = user);
        assert_eq!(codes(&expected, &actual), ["D49"], "one after the other");
        let at_once = expected.legs[0].span;
        expected.legs.iter_mut().for_each(|leg| leg.span = at_once);
        actual
            .legs
            .iter_mut()
            .for_each(|leg| (leg.start, leg.end) = Default::default());
        assert!(codes(&expected, &actual).is_empty());
    }

    #[test]
    fn a_turn_written_in_two_pieces_is_one_turn() {
        let expected = wanted();
        let mut actual = conversation(&expected);
        actual.legs.insert(1, actual.legs[0].clone());
        assert!(codes(&expected, &actual).is_empty());
    }

    #[test]
    fn lost_surplus_and_exchanged_participants_are_one_class() {
        let expected = wanted();
        let mut lost = conversation(&expected);
        lost.legs.pop();
        let mut swapped = conversation(&expected);
        let users: Vec<_> = swapped.legs.iter().map(|leg| leg.user.clone()).collect();
        (swapped.legs[0].user, swapped.legs[1].user) = (users[1].clone(), users[0].clone());
        let mut no_customer = conversation(&expected);
        no_customer.customers = 0;
        let mut no_numbers = conversation(&expected);
        no_numbers.anis.clear();
        no_numbers.dnises.clear();
        let mut twice = conversation(&expected);
        twice.legs[1].user = twice.legs[0].user.clone();
        let mut nobody = conversation(&expected);
        nobody.legs[1].user = None;
        for (name, actual) in [
            ("an agent is lost", lost),
            ("two agents are exchanged", swapped),
            ("no customer", no_customer),
            ("a customer without numbers", no_numbers),
            ("the first agent on both legs", twice),
            ("a leg of nobody", nobody),
        ] {
            assert_eq!(codes(&expected, &actual), ["D49"], "{name}");
        }
    }
}
