//! Who may listen (D53), and for which region a recording was inserted (D54). Only Interaction
//! Recording says so with each recording.

use super::super::{CallFacts, Gir, GirExpectation, MediaFacts};
use crate::checks::{Comparison, Pair};
use crate::defect::Defect;
use crate::expected::Recorded;
use crate::finding::Finding;

/// Field of a finding about partitions, and what stands for none.
const PARTITIONS: &str = "partitions";
const NONE: &str = "none";

/// `people` are the findings about agents: the access group of a wrong agent follows from who that
/// is, and the partition of a wrong queue from that.
pub(super) fn check(
    site: &Gir,
    seen: &Comparison<'_>,
    people: &mut [Finding],
    routing: &mut [Finding],
) -> Vec<Finding> {
    let mut findings: Vec<Finding> = region(site, seen).into_iter().collect();
    for pair in &seen.pairs {
        if let Some(wrong) = groups(seen, pair) {
            match people
                .iter_mut()
                .find(|person| explains(seen, pair, person))
            {
                Some(person) => person.follows(wrong),
                None => findings.push(wrong),
            }
        }
        findings.extend(partitions(seen, pair));
    }
    of_wrong_queue(site, seen, &mut findings, routing);
    findings
}

/// The partition of a wrong queue, or none where the queue is lost, follows from the queue.
fn of_wrong_queue(
    site: &Gir,
    seen: &Comparison<'_>,
    access: &mut Vec<Finding>,
    routing: &mut [Finding],
) {
    let Some(queue) = routing
        .iter_mut()
        .find(|finding| finding.defect == Defect::QueueOrSkillWrong && finding.field == "queue")
    else {
        return;
    };
    // Partitions of all queues that are that one in the target.
    let is_it =
        |legacy: &String| seen.rules.queues.get(legacy).map(ToString::to_string) == queue.actual;
    let theirs: Vec<&String> = site
        .partitions
        .iter()
        .filter(|(legacy, _)| is_it(legacy))
        .map(|(_, partition)| partition)
        .collect();
    let goes = |finding: &Finding| {
        let actual = finding.actual.as_ref();
        finding.field == PARTITIONS
            && actual.is_some_and(|actual| {
                theirs.contains(&actual) || theirs.is_empty() && actual == NONE
            })
    };
    access
        .extract_if(.., |finding| goes(finding))
        .for_each(|finding| queue.follows(finding));
}

/// Whether the groups of a recording are those of the wrong agent that a finding names, or none,
/// where the agent is lost.
fn explains(seen: &Comparison<'_>, pair: &Pair<'_>, person: &Finding) -> bool {
    let Some(facts) = pair.actual.platform.get::<MediaFacts>() else {
        return false;
    };
    let concerns = match &person.legacy_recording_id {
        Some(id) => {
            *id == pair.expected.legacy_id
                || person
                    .involved
                    .contains(&String::from(&pair.expected.legacy_id))
        }
        None => true,
    };
    let groups_of = |user: &str| {
        let rows = seen
            .rules
            .agents
            .values()
            .flatten()
            .chain(&seen.rules.fallback_agent);
        rows.filter(|row| row.user == user)
            .filter_map(|row| row.access_group.as_ref().map(String::from))
            .collect::<Vec<String>>()
    };
    let Some(actual) = facts.username.as_deref() else {
        return concerns && facts.access_groups.is_empty();
    };
    let is_named = matches!(&pair.expected.agent, Recorded::Agent(agent) if agent.user != actual);
    concerns
        && is_named
        && matches!(facts.access_groups.as_slice(), [group] if groups_of(actual).contains(group))
}

/// A node shows its own region only, so this is seldom seen: where it is, it hides the call from
/// everybody else.
fn region(site: &Gir, seen: &Comparison<'_>) -> Option<Finding> {
    let facts = seen.conversation.platform.get::<CallFacts>()?;
    let actual = facts
        .region
        .as_ref()
        .filter(|region| **region != site.region)?;
    Some(
        seen.finding(Defect::RegionWrong, "region")
            .expected(&site.region)
            .actual(actual)
            .because(format!("region is {actual}")),
    )
}

fn groups(seen: &Comparison<'_>, pair: &Pair<'_>) -> Option<Finding> {
    let expected: Vec<&str> = match &pair.expected.agent {
        Recorded::Agent(agent) => agent.access_group.as_deref().into_iter().collect(),
        Recorded::Nobody => Vec::new(),
        Recorded::Unsaid => return None,
    };
    list(
        seen,
        pair,
        "access groups",
        &expected,
        &pair.actual.platform.get::<MediaFacts>()?.access_groups,
    )
}

fn partitions(seen: &Comparison<'_>, pair: &Pair<'_>) -> Option<Finding> {
    let expected: Vec<&str> = seen
        .expected
        .platform
        .get::<GirExpectation>()?
        .partition
        .as_deref()
        .into_iter()
        .collect();
    list(
        seen,
        pair,
        PARTITIONS,
        &expected,
        &pair.actual.platform.get::<MediaFacts>()?.partitions,
    )
}

fn list(
    seen: &Comparison<'_>,
    pair: &Pair<'_>,
    field: &str,
    expected: &[&str],
    actual: &[String],
) -> Option<Finding> {
    let told = |list: Vec<&str>| {
        if list.is_empty() {
            NONE.to_owned()
        } else {
            list.join(", ")
        }
    };
    let (expected, actual) = (
        told(expected.to_vec()),
        told(actual.iter().map(String::as_str).collect()),
    );
    let cause = format!("{field}: {actual} instead of {expected}");
    (expected != actual).then(|| {
        seen.about(pair, Defect::AccessWrong, field)
            .expected(expected)
            .actual(actual)
            .because(cause)
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{
        call_facts, codes_under, gir_codes, gir_rules, gir_wanted, gir_wanted_under, media_of,
        right, site,
    };

    #[test]
    fn who_may_listen_is_what_the_mapping_says() {
        let expected = gir_wanted();
        assert!(gir_codes(&expected, &right(&expected)).is_empty());
        let rows: &[(&str, &[&str], &[&str])] = &[
            ("/Sales/ann", &["/support"], &[]),
            ("/", &["/support"], &["D53"]),
            ("", &[], &["D53", "D53"]),
        ];
        for (group, partitions, wanted) in rows {
            let mut actual = right(&expected);
            let facts = media_of(&mut actual);
            facts.access_groups = Some((*group).to_owned())
                .filter(|group| !group.is_empty())
                .into_iter()
                .collect();
            facts.partitions = partitions.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(
                gir_codes(&expected, &actual),
                *wanted,
                "{group} {partitions:?}"
            );
        }
    }

    #[test]
    fn the_access_group_of_a_wrong_agent_follows_from_the_agent() {
        let mut rules = gir_rules();
        let mut row = rules.agents["AGT-992"][0].clone();
        (row.user, row.access_group) = ("bob".into(), Some("/Sales/bob".into()));
        rules.agents.insert("AGT-100".into(), vec![row]);
        let expected = gir_wanted_under(&rules);
        for (group, wanted) in [
            ("/Sales/bob", &["D45"][..]),
            ("/Sales/ann", &["D45"]),
            ("/", &["D45", "D53"]),
        ] {
            let mut actual = right(&expected);
            let facts = media_of(&mut actual);
            facts.username = Some("bob".into());
            facts.access_groups = vec![group.into()];
            assert_eq!(
                codes_under(&site(), &rules, &expected, &actual),
                wanted,
                "{group}"
            );
        }
    }

    #[test]
    fn another_region_is_a_finding_and_an_untold_one_is_none() {
        let expected = gir_wanted();
        for (region, wanted) in [
            (Some("west"), &[][..]),
            (Some("East"), &["D54"][..]),
            (None, &[][..]),
        ] {
            let mut actual = right(&expected);
            call_facts(&mut actual).region = region.map(str::to_owned);
            assert_eq!(gir_codes(&expected, &actual), wanted, "{region:?}");
        }
    }
}
