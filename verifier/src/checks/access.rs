//! Who may listen (D53), and for which region a recording was inserted (D54). Only Interaction Recording says so with each recording.

use super::{Pair, Seen};
use crate::defect::Defect;
use crate::expected::Recorded;
use crate::finding::Finding;

pub(super) fn check(seen: &Seen<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = region(seen).into_iter().collect();
    findings.extend(seen.pairs.iter().flat_map(|pair| [groups(seen, pair), partitions(seen, pair)]).flatten());
    findings
}

/// A node shows its own region only, so this is seldom seen: where it is, it hides the call from everybody else.
fn region(seen: &Seen<'_>) -> Option<Finding> {
    let (rules, facts) = (seen.rules.gir.as_ref()?, seen.conversation.gir.as_ref()?);
    let actual = facts.region.as_ref().filter(|region| **region != rules.region)?;
    Some(seen.finding(Defect::D54, "region").expected(&rules.region).actual(actual).because(format!("region is {actual}")))
}

fn groups(seen: &Seen<'_>, pair: &Pair<'_>) -> Option<Finding> {
    let expected: Vec<&str> = match &pair.expected.agent {
        Recorded::Agent(agent) => agent.access_group.as_deref().into_iter().collect(),
        Recorded::Nobody => Vec::new(),
        Recorded::Unsaid => return None,
    };
    list(seen, pair, "access groups", &expected, &pair.actual.gir.as_ref()?.access_groups)
}

fn partitions(seen: &Seen<'_>, pair: &Pair<'_>) -> Option<Finding> {
    let expected: Vec<&str> = seen.expected.gir.as_ref()?.partition.as_deref().into_iter().collect();
    list(seen, pair, "partitions", &expected, &pair.actual.gir.as_ref()?.partitions)
}

fn list(seen: &Seen<'_>, pair: &Pair<'_>, field: &str, expected: &[&str], actual: &[String]) -> Option<Finding> {
    let told = |list: Vec<&str>| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
    let (expected, actual) = (told(expected.to_vec()), told(actual.iter().map(String::as_str).collect()));
    let cause = format!("{field}: {actual} instead of {expected}");
    (expected != actual).then(|| seen.about(pair, Defect::D53, field).expected(expected).actual(actual).because(cause))
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{call_facts, gir_codes, gir_wanted, media_of, right};

    #[test]
    fn who_may_listen_is_what_the_mapping_says() {
        let expected = gir_wanted();
        assert!(gir_codes(&expected, &right(&expected)).is_empty());
        let rows: &[(&str, &[&str], &[&str])] =
            &[("/Sales/ann", &["/support"], &[]), ("/", &["/support"], &["D53"]), ("", &[], &["D53", "D53"])];
        for (group, partitions, wanted) in rows {
            let mut actual = right(&expected);
            let facts = media_of(&mut actual);
            facts.access_groups = Some((*group).to_owned()).filter(|group| !group.is_empty()).into_iter().collect();
            facts.partitions = partitions.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(gir_codes(&expected, &actual), *wanted, "{group} {partitions:?}");
        }
    }

    #[test]
    fn another_region_is_a_finding_and_an_untold_one_is_none() {
        let expected = gir_wanted();
        for (region, wanted) in [(Some("west"), &[][..]), (Some("East"), &["D54"][..]), (None, &[][..])] {
            let mut actual = right(&expected);
            call_facts(&mut actual).region = region.map(str::to_owned);
            assert_eq!(gir_codes(&expected, &actual), wanted, "{region:?}");
        }
    }
}
