//! What only the whole of a migration tells: on whose leg it writes a wrap-up code, and whether it
//! takes agents from extensions.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::capabilities::CallData;
use crate::checks::AGENTS;
use crate::checks::presence::Judged;
use crate::defect::Defect;
use crate::expected::{AgentLeg, Expectation, Rules};
use crate::finding::Finding;
use crate::matching::Pairing;
use crate::observed::{TargetConversation, TargetLeg};
use crate::text::{Text, is_id};
use crate::utc_millis::UtcMillis;
use crate::verdict::Bucket;

/// Field of a finding that a wrap-up code is on another leg than in other calls.
pub(crate) const LEG_OF_WRAP_UP: &str = "leg of the wrap-up code";

/// Calls that are examined and what was found of them, to be looked at together.
pub(crate) struct Habits<'a> {
    pub(crate) expectations: &'a [Expectation],
    pub(crate) pairings: &'a [Pairing],
    pub(crate) ours: &'a [TargetConversation],
    pub(crate) rules: &'a Rules,
    /// What the calls do that are let go.
    pub(crate) others: &'a CommonPractice,
}

/// What calls that are right by themselves say of the whole migration.
#[derive(Debug, Clone, Default)]
pub(crate) struct CommonPractice {
    /// Calls whose wrap-up code stands with the first agent of several; places in the source.
    first: Vec<usize>,
    /// With the last one.
    last: Vec<usize>,
    /// Calls that are examined, with the first and with the last.
    examined: (usize, usize),
    /// Agents of the source with a desk of several, and the users that each is himself shown as.
    as_themselves: BTreeMap<Text, BTreeSet<Text>>,
}

/// Agents of the source who have a desk of several.
pub(crate) type AtDesks<'a> = HashSet<&'a str, foldhash::fast::RandomState>;

/// Once for many calls.
pub(crate) fn at_desks(rules: &Rules) -> AtDesks<'_> {
    let agents = rules.extensions.values().flatten();
    agents.map(String::as_str).collect()
}

impl CommonPractice {
    /// A call that may be let go; `case`: its place in the source. `false`: its wrap-up code stands
    /// where no practice puts it, so it is to be examined, and nothing was added.
    pub(crate) fn add(
        &mut self,
        case: usize,
        expected: &Expectation,
        conversation: &TargetConversation,
        rules: &Rules,
        at_desks: &AtDesks<'_>,
    ) -> bool {
        match wrap_up(expected, conversation, rules) {
            Some(WrapUp::First) => self.first.push(case),
            Some(WrapUp::Last) => self.last.push(case),
            Some(WrapUp::Elsewhere) => return false,
            None => {}
        }
        let legs = expected.legs.iter().zip(&conversation.legs);
        for (leg, actual) in legs {
            if !leg.fallback
                && actual.user.as_deref() == Some(&leg.user)
                && at_desks.contains(leg.legacy_agent.as_str())
            {
                self.is_shown_as(&leg.legacy_agent, &leg.user);
            }
        }
        true
    }

    /// Mostly it was so in another call before.
    fn is_shown_as(&mut self, agent: &Text, user: &Text) {
        let shown = self.as_themselves.get(agent.as_str());
        if !shown.is_some_and(|users| users.contains(user.as_str())) {
            let users = self.as_themselves.entry(agent.clone()).or_default();
            users.insert(user.clone());
        }
    }

    /// A call that is examined.
    pub(crate) fn add_examined(
        &mut self,
        expected: &Expectation,
        conversation: &TargetConversation,
        rules: &Rules,
    ) {
        match wrap_up(expected, conversation, rules) {
            Some(WrapUp::First) => self.examined.0 += 1,
            Some(WrapUp::Last) => self.examined.1 += 1,
            Some(WrapUp::Elsewhere) | None => {}
        }
    }

    pub(crate) fn merge(&mut self, other: CommonPractice) {
        self.first.extend(other.first);
        self.last.extend(other.last);
        self.examined.0 += other.examined.0;
        self.examined.1 += other.examined.1;
        for (agent, users) in other.as_themselves {
            self.as_themselves.entry(agent).or_default().extend(users);
        }
    }

    /// Calls that do otherwise than most: right by themselves, and perhaps wrong beside the others.
    pub(crate) fn exceptions(&self) -> &[usize] {
        // Fewer than it takes for a habit: what is examined may be paired otherwise in the end.
        const TIMES: usize = 2;
        let first = self.first.len() + self.examined.0;
        let last = self.last.len() + self.examined.1;
        if last >= first * TIMES {
            &self.first
        } else if first >= last * TIMES {
            &self.last
        } else {
            &[]
        }
    }
}

/// On whose leg of several a wrap-up code stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WrapUp {
    First,
    Last,
    Elsewhere,
}

/// A habit is what is done so often, and so many times as often as the other.
const FEWEST: usize = 3;
const TIMES: usize = 3;

fn is_habit(this: usize, other: usize) -> bool {
    this >= FEWEST && this >= other * TIMES
}

impl Habits<'_> {
    /// Adds and renames findings.
    pub(crate) fn judge(&self, judged: &mut [Judged]) {
        self.wrap_ups(judged);
        self.desks(judged);
    }

    fn conversation(&self, case: usize) -> Option<&TargetConversation> {
        self.pairings[case]
            .conversation
            .filter(|_| self.pairings[case].parts.is_empty())
            .map(|at| &self.ours[at])
    }

    /// No contract says whether the first agent of a transferred call or the last gives its code: a
    /// migration does the one or the other. A code on neither, or on the other one in a few calls,
    /// is on the wrong leg.
    fn wrap_ups(&self, judged: &mut [Judged]) {
        let place = |case: usize| {
            wrap_up(
                &self.expectations[case],
                self.conversation(case)?,
                self.rules,
            )
        };
        let places: Vec<(usize, WrapUp)> = (0..self.expectations.len())
            .filter_map(|case| Some((case, place(case)?)))
            .collect();
        let count = |place: WrapUp| places.iter().filter(|(_, other)| *other == place).count();
        let (first, last) = (
            count(WrapUp::First) + self.others.first.len(),
            count(WrapUp::Last) + self.others.last.len(),
        );
        for (case, place) in &places {
            let wrong = match place {
                WrapUp::First => is_habit(last, first),
                WrapUp::Last => is_habit(first, last),
                WrapUp::Elsewhere => true,
            };
            if wrong {
                let right = if is_habit(last, first) {
                    "the last agent's leg, as in other calls"
                } else {
                    "the first agent's leg"
                };
                judge_wrap_up(
                    &self.expectations[*case],
                    self.conversation(*case),
                    right,
                    &mut judged[*case],
                );
            }
        }
    }

    /// A migration that takes agents from extensions shows one user for everybody who shares a
    /// desk. Where it shows another of them as himself, the colleague is a wrong agent like any
    /// other.
    fn desks(&self, judged: &mut [Judged]) {
        for (case, judged) in judged.iter_mut().enumerate() {
            for finding in judged
                .findings
                .iter_mut()
                .filter(|finding| finding.defect == Defect::AgentFromExtension)
            {
                let (Some(right), Some(actual)) =
                    (finding.expected.clone(), finding.actual.clone())
                else {
                    continue;
                };
                let legs = self.expectations[case]
                    .legs
                    .iter()
                    .filter(|leg| leg.user == right);
                let agents: BTreeSet<&str> = legs.map(|leg| leg.legacy_agent.as_str()).collect();
                if agents
                    .iter()
                    .any(|agent| self.is_himself_elsewhere(case, agent, &actual))
                {
                    let other_row = |agent: &&str| {
                        self.rules
                            .agents
                            .get(*agent)
                            .is_some_and(|rows| rows.iter().any(|row| row.user == actual))
                    };
                    let defect = if agents.iter().any(other_row) {
                        Defect::AgentMappingOfAnotherDate
                    } else {
                        Defect::WrongAgent
                    };
                    *finding = finding.clone().reclassed(defect);
                }
            }
        }
    }

    /// Whether somebody at one of an agent's desks is shown as himself in another call, though a
    /// wrong user stands here for the desk.
    fn is_himself_elsewhere(&self, case: usize, agent: &str, wrong: &str) -> bool {
        let desks: Vec<&BTreeSet<String>> = self
            .rules
            .extensions
            .values()
            .filter(|agents| agents.contains(agent))
            .collect();
        let is_colleague = |agent: &str| desks.iter().any(|desk| desk.contains(agent));
        let at_desk = |leg: &AgentLeg| is_colleague(&leg.legacy_agent);
        let elsewhere = self.others.as_themselves.iter();
        elsewhere
            .filter(|(agent, _)| is_colleague(agent))
            .any(|(_, users)| users.iter().any(|user| user != wrong))
            || (0..self.expectations.len())
                .filter(|other| *other != case)
                .any(|other| {
                    let Some(conversation) = self.conversation(other) else {
                        return false;
                    };
                    let legs = self.expectations[other].legs.iter().zip(&conversation.legs);
                    let mut legs =
                        legs.filter(|(leg, _)| at_desk(leg) && leg.user != wrong && !leg.fallback);
                    legs.any(|(leg, actual)| actual.user.as_deref() == Some(&leg.user))
                })
    }
}

/// Where the code of a call with several agents stands; `None`: it has no code, one agent,
/// other agents than it should have, a code that is lost or wrong anyway, or it stands on a leg
/// that may be called the first as well as the last: those of a conference begin together.
fn wrap_up(
    expected: &Expectation,
    conversation: &TargetConversation,
    rules: &Rules,
) -> Option<WrapUp> {
    let code = expected.wrap_up?;
    if conversation.legs.len() < 2 {
        return None;
    }
    let is_it = |actual: &Text| is_id(actual, code);
    let right = conversation.wrap_ups.iter().all(is_it)
        && !conversation.wrap_ups.is_empty()
        && rules.capabilities.call_data == CallData::OnParticipants;
    let users: BTreeSet<&str> = conversation
        .legs
        .iter()
        .filter_map(|leg| leg.user.as_deref())
        .collect();
    if !right || users.len() < 2 || users != expected.legs.iter().map(|leg| &*leg.user).collect() {
        return None;
    }
    let starts = || {
        expected
            .legs
            .iter()
            .filter_map(|leg| leg.span)
            .map(|span| span.start)
    };
    let at = |end: Option<UtcMillis>| {
        let stands = |leg: &&AgentLeg| leg.span.is_none_or(|span| Some(span.start) == end);
        expected
            .legs
            .iter()
            .filter(stands)
            .map(|leg| &*leg.user)
            .collect::<BTreeSet<_>>()
    };
    let (first, last) = (at(starts().min()), at(starts().max()));
    let of = |leg: &&TargetLeg| leg.wrap_ups.iter().any(is_it);
    let with: BTreeSet<&str> = conversation
        .legs
        .iter()
        .filter(of)
        .filter_map(|leg| leg.user.as_deref())
        .collect();
    let user = match with.into_iter().collect::<Vec<_>>().as_slice() {
        [user] => *user,
        _ => return Some(WrapUp::Elsewhere),
    };
    match (first.contains(user), last.contains(user)) {
        (true, true) => None,
        (true, false) => Some(WrapUp::First),
        (false, true) => Some(WrapUp::Last),
        (false, false) => Some(WrapUp::Elsewhere),
    }
}

fn judge_wrap_up(
    expected: &Expectation,
    conversation: Option<&TargetConversation>,
    right: &str,
    judged: &mut Judged,
) {
    let Some(conversation) = conversation else {
        return;
    };
    let code = expected
        .wrap_up
        .map(|code| code.to_string())
        .unwrap_or_default();
    let of = |leg: &&TargetLeg| {
        leg.wrap_ups
            .iter()
            .any(|actual| actual.eq_ignore_ascii_case(&code))
    };
    let users: Vec<&str> = conversation
        .legs
        .iter()
        .filter(of)
        .filter_map(|leg| leg.user.as_deref())
        .collect();
    let actual = if users.is_empty() {
        "with nobody who took the call".to_owned()
    } else {
        format!("with {}", users.join(", "))
    };
    let finding = Finding::new(Defect::WrapUpOrDispositionWrong, LEG_OF_WRAP_UP)
        .of(&expected.legacy_id)
        .target(&conversation.id);
    let finding = finding
        .expected(format!("{code} on {right}"))
        .actual(actual)
        .because("wrap-up code is on another leg");
    // Where agents are exchanged or lost the code is where it should be once they are.
    match judged
        .findings
        .iter_mut()
        .find(|finding| finding.field == AGENTS)
    {
        Some(agents) => agents.follows(finding),
        None => judged.findings.push(finding),
    }
    judged
        .buckets
        .iter_mut()
        .filter(|bucket| **bucket == Bucket::Matched)
        .for_each(|bucket| *bucket = Bucket::Different);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{conversation, wanted_under};
    use crate::expected::testing::{agent_row, rules};

    /// So many calls of two agents, right in every way; the code is with the first.
    fn world(count: usize) -> (Rules, Vec<Expectation>, Vec<TargetConversation>) {
        let mut rules = rules();
        rules.agents.insert(
            "AGT-014".into(),
            vec![agent_row(uuid::Uuid::from_u128(14), None)],
        );
        let call = |at: usize| {
            let mut expected = wanted_under(&rules);
            expected.legacy_id = format!("{}", 100_000 + at).into();
            let mut ours = conversation(&expected);
            ours.legs[0].wrap_ups = ours.wrap_ups.clone();
            (expected, ours)
        };
        let (expectations, ours) = (0..count).map(call).unzip();
        (rules, expectations, ours)
    }

    fn codes(
        rules: &Rules,
        expectations: &[Expectation],
        ours: &[TargetConversation],
        before: &[(usize, Finding)],
    ) -> Vec<(usize, &'static str)> {
        let (pairings, _) = crate::matching::pair(expectations, ours);
        let mut judged: Vec<Judged> = expectations
            .iter()
            .map(|_| Judged {
                buckets: vec![Bucket::Matched; 2],
                ..Judged::default()
            })
            .collect();
        before
            .iter()
            .for_each(|(case, finding)| judged[*case].findings.push(finding.clone()));
        Habits {
            expectations,
            pairings: &pairings,
            ours,
            rules,
            others: &CommonPractice::default(),
        }
        .judge(&mut judged);
        let of = |(case, judged): (usize, &Judged)| {
            judged
                .findings
                .iter()
                .map(|finding| (case, finding.defect.code()))
                .collect::<Vec<_>>()
        };
        judged.iter().enumerate().flat_map(of).collect()
    }

    fn move_code(ours: &mut TargetConversation, to: Option<usize>) {
        let code = ours
            .legs
            .iter_mut()
            .map(|leg| std::mem::take(&mut leg.wrap_ups))
            .find(|codes| !codes.is_empty())
            .unwrap_or_default();
        if let Some(to) = to {
            ours.legs[to].wrap_ups = code;
        }
    }

    #[test]
    fn a_wrap_up_code_stands_on_the_leg_it_stands_on_in_other_calls() {
        let (rules, expectations, ours) = world(6);
        assert_eq!(codes(&rules, &expectations, &ours, &[]), []);
        let all_last: Vec<TargetConversation> = ours
            .iter()
            .cloned()
            .map(|mut ours| {
                move_code(&mut ours, Some(1));
                ours
            })
            .collect();
        assert_eq!(
            codes(&rules, &expectations, &all_last, &[]),
            [],
            "the last agent in each call is a habit too"
        );
        let mut one = ours.clone();
        move_code(&mut one[2], Some(1));
        assert_eq!(codes(&rules, &expectations, &one, &[]), [(2, "D51")]);
        let mut together = (expectations.clone(), ours.clone());
        let span = together.0[2].legs[0].span;
        together.0[2]
            .legs
            .iter_mut()
            .for_each(|leg| leg.span = span);
        move_code(&mut together.1[2], Some(1));
        assert_eq!(
            codes(&rules, &together.0, &together.1, &[]),
            [],
            "who begin together are each the first and the last"
        );
        let mut with_nobody = all_last;
        move_code(&mut with_nobody[4], None);
        assert_eq!(
            codes(&rules, &expectations, &with_nobody, &[]),
            [(4, "D51")]
        );
        let (rules, expectations, mut few) = world(2);
        move_code(&mut few[1], Some(1));
        assert_eq!(
            codes(&rules, &expectations, &few, &[]),
            [],
            "one of each is no habit"
        );
    }

    #[test]
    fn a_colleague_at_a_desk_where_others_are_shown_as_themselves_is_any_wrong_agent() {
        let (mut rules, expectations, mut ours) = world(3);
        let colleague = uuid::Uuid::from_u128(77).to_string();
        rules.agents.insert(
            "AGT-500".into(),
            vec![agent_row(uuid::Uuid::from_u128(77), None)],
        );
        rules.extensions.insert(
            "4711".into(),
            BTreeSet::from(["AGT-992".to_owned(), "AGT-500".to_owned()]),
        );
        let right = expectations[0].legs[0].user.clone();
        let wrong = |case: usize| {
            let finding = Finding::new(Defect::AgentFromExtension, "agent of leg 1")
                .of(&expectations[case].legacy_id)
                .expected(&right)
                .actual(&colleague);
            (case, finding)
        };
        ours[0].legs[0].user = Some(colleague.clone().into());
        assert_eq!(
            codes(&rules, &expectations, &ours, &[wrong(0)]),
            [(0, "D45")],
            "in other calls the agent is shown as himself"
        );
        ours.iter_mut()
            .for_each(|ours| ours.legs[0].user = Some(colleague.clone().into()));
        let all: Vec<(usize, Finding)> = (0..3).map(wrong).collect();
        assert_eq!(
            codes(&rules, &expectations, &ours, &all),
            [(0, "D47"), (1, "D47"), (2, "D47")]
        );
    }
}
