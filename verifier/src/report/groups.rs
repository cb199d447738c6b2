//! Root causes: findings of one class with one cause are one group.

use std::collections::BTreeMap;

use super::Group;
use crate::finding::Finding;

/// Enough to look into, few enough to read.
const EXAMPLES: usize = 5;

/// Groups of two or more, the largest first.
pub(crate) fn groups(findings: &[Finding]) -> Vec<Group> {
    let mut groups: BTreeMap<(&'static str, &str), Group> = BTreeMap::new();
    for finding in findings {
        let group = groups
            .entry((finding.defect.code(), &finding.cause))
            .or_insert_with(|| Group {
                rule: rule(finding),
                defect: finding.defect.code().to_owned(),
                count: 0,
                examples: Vec::new(),
            });
        group.count += 1;
        let ids = [
            &finding.legacy_recording_id,
            &finding.legacy_interaction_id,
            &finding.target_id,
        ];
        if let Some(id) = ids
            .into_iter()
            .flatten()
            .next()
            .filter(|_| group.examples.len() < EXAMPLES)
        {
            group.examples.push(id.clone());
        }
    }
    let mut groups: Vec<Group> = groups
        .into_values()
        .filter(|group| group.count > 1)
        .collect();
    groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.rule.cmp(&b.rule)));
    groups
}

/// The title and what the findings have in common beyond it.
fn rule(finding: &Finding) -> String {
    if finding.cause == finding.title || finding.cause.is_empty() {
        return finding.title.clone();
    }
    format!("{}: {}", finding.title, finding.cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defect::Defect;

    #[test]
    fn findings_with_one_cause_are_one_group() {
        let shifted = |id: &str| {
            Finding::new(Defect::TimeOffByDaylightSaving, "call start and end")
                .of(id)
                .because("start = source + 3600 s, inside daylight time of Europe/London")
        };
        let findings: Vec<Finding> = ["1", "2", "3", "4", "5", "6", "7"]
            .map(shifted)
            .into_iter()
            .chain([Finding::new(Defect::MissingRecording, "recording").of("8")])
            .collect();
        let groups = groups(&findings);
        assert_eq!(groups.len(), 1, "a single finding is no group");
        assert_eq!((groups[0].count, groups[0].examples.len()), (7, 5));
        assert!(groups[0].rule.contains("Europe/London"));
    }
}
