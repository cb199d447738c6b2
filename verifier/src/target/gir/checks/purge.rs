//! When Interaction Recording deletes a call: labels, and the site's purge rules as the plan
//! declares them. Source: docs/reference/gir.md, "Retention".

use std::collections::BTreeSet;

use super::super::expected::class_label;
use super::super::{CallFacts, Gir, GirExpectation, Keep, Until};
use crate::checks::Comparison;
use crate::defect::Defect;
use crate::finding::Finding;
use crate::utc_millis::UtcMillis;

const DAY_MS: i64 = 24 * 3_600_000;
/// What every label of a retention class begins with.
const CLASS_LABEL: &str = "st-ret-";

pub(super) fn check(site: &Gir, seen: &Comparison<'_>) -> Vec<Finding> {
    let parts = (
        seen.expected.platform.get::<GirExpectation>(),
        seen.conversation.platform.get::<CallFacts>(),
    );
    let (Some(expected), Some(facts)) = parts else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    // The class that keeps longest, a hold or the earliest start may be those of a record that
    // could not be read.
    let keeps = if seen.expected.has_unread() {
        &[]
    } else {
        expected.keeps.as_slice()
    };
    // Where any reading of the page is right nothing is wrong; else the first is told.
    let mut wrongs: Vec<Option<Finding>> = keeps
        .iter()
        .map(|keep| kept(site, seen, facts, keep))
        .collect();
    if !wrongs.is_empty() && wrongs.iter().all(Option::is_some) {
        findings.extend(wrongs.swap_remove(0));
    }
    if !facts.labels.contains(&site.batch_label) {
        let finding = seen
            .finding(Defect::AttributeWrong, "label of the migration")
            .expected(&site.batch_label)
            .actual("none");
        findings.push(finding.because("label of the migration is lost"));
    }
    findings
}

/// What is wrong with how long a call is kept.
fn kept(site: &Gir, seen: &Comparison<'_>, facts: &CallFacts, keep: &Keep) -> Option<Finding> {
    let labels: BTreeSet<&str> = facts
        .labels
        .iter()
        .map(String::as_str)
        .filter(|label| label.starts_with(CLASS_LABEL))
        .collect();
    let label_is_right = match (keep.labels.is_empty(), labels.len()) {
        (true, 0) => true,
        (false, 1) => labels.iter().any(|label| keep.labels.contains(*label)),
        _ => false,
    };
    let told = |labels: Vec<&str>| {
        if labels.is_empty() {
            "no retention label".to_owned()
        } else {
            labels.join(", ")
        }
    };
    let (wanted, actual) = (
        told(keep.labels.iter().map(String::as_str).take(1).collect()),
        told(labels.iter().copied().collect()),
    );
    let by_date = if site.purge.is_empty() {
        by_years(seen, keep, &labels)
    } else {
        by_rule(site, seen, facts, keep)
    };
    match (by_date, label_is_right) {
        (None, true) => None,
        // The call goes when it should, by chance: what says so is still another label.
        (None, false) => Some(
            seen.finding(Defect::AttributeWrong, "retention label")
                .expected(wanted)
                .actual(actual)
                .because("retention label is wrong"),
        ),
        (Some(mut wrong), false) => {
            wrong
                .consequences
                .push(format!("retention label: {actual} instead of {wanted}"));
            Some(wrong)
        }
        (Some(wrong), true) => Some(wrong),
    }
}

/// The date by the declared rules against the class's. Start and type of the call are the source's:
/// that they are wrong is told by itself.
fn by_rule(site: &Gir, seen: &Comparison<'_>, facts: &CallFacts, keep: &Keep) -> Option<Finding> {
    let start = seen
        .pairs
        .iter()
        .filter_map(|pair| pair.expected.span)
        .map(|span| span.start)
        .min()?;
    let protected = seen.conversation.protected == Some(true);
    // A hold that was lost is its own finding; a call under hold is deleted by no rule.
    // Protection without a hold is told by itself too (`retention.rs`).
    if protected {
        return None;
    }
    let actual = purged_at(site, seen, facts, start);
    let told = |at: Option<UtcMillis>| {
        at.map_or_else(|| "never deleted".to_owned(), |at| format!("deleted {at}"))
    };
    let days = |delta: i64| (delta.abs() as f64 / DAY_MS as f64).ceil();
    let (defect, expected, cause) = match (keep.until, actual) {
        (Until::Decided, None) => return None,
        (Until::Decided, Some(_)) => (
            Defect::DeletionDateMissingOrEarly,
            None,
            "deleted by a rule, though no class says so".to_owned(),
        ),
        (Until::Date { at, .. }, None) => (
            Defect::KeptTooLong,
            Some(at),
            "deleted by no rule".to_owned(),
        ),
        (Until::Date { at, slack_days }, Some(actual)) => match actual.since(at) {
            delta if delta < 0 => (
                Defect::DeletionDateMissingOrEarly,
                Some(at),
                format!("deleted {} days too early", days(delta)),
            ),
            delta if delta > slack_days * DAY_MS => (
                Defect::KeptTooLong,
                Some(at),
                format!("deleted {} days too late", days(delta)),
            ),
            _ => return None,
        },
    };
    Some(
        seen.finding(defect, "date of deletion")
            .expected(told(expected))
            .actual(told(actual))
            .because(cause),
    )
}

/// The earliest declared rule that fits. `None`: none does.
fn purged_at(
    site: &Gir,
    seen: &Comparison<'_>,
    facts: &CallFacts,
    start: UtcMillis,
) -> Option<UtcMillis> {
    let call_type = seen.expected.direction.unwrap_or("unknown");
    let fits = site.purge.iter().filter(|rule| {
        rule.call_type
            .as_ref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(call_type))
            && rule
                .label
                .as_ref()
                .is_none_or(|label| facts.labels.contains(label))
    });
    fits.map(|rule| start.plus_ms(rule.after_days.saturating_mul(DAY_MS)))
        .min()
}

/// Without declared rules: the years of the class that the label names against those of the right
/// one.
fn by_years(seen: &Comparison<'_>, keep: &Keep, labels: &BTreeSet<&str>) -> Option<Finding> {
    let years_of = |label: &str| {
        seen.rules
            .class_years
            .iter()
            .find(|(class, _)| class_label(class) == label)
            .map(|(_, years)| *years)
    };
    let right = keep.labels.iter().find_map(|label| years_of(label));
    // A call that nobody decided about must have no label that leads to a date.
    let named: Vec<i64> = labels.iter().filter_map(|label| years_of(label)).collect();
    let (defect, cause) = match (keep.until, right, named.iter().min()) {
        (Until::Date { .. }, Some(_), None) => (
            Defect::DeletionDateMissingOrEarly,
            "retention label is missing".to_owned(),
        ),
        (Until::Date { .. }, Some(right), Some(least)) if *least < right => (
            Defect::DeletionDateMissingOrEarly,
            format!("label of {least} years instead of {right}"),
        ),
        (Until::Date { .. }, Some(right), Some(least)) if *least > right => (
            Defect::KeptTooLong,
            format!("label of {least} years instead of {right}"),
        ),
        (Until::Decided, _, Some(least)) => (
            Defect::DeletionDateMissingOrEarly,
            format!("label of {least} years though no class says so"),
        ),
        _ => return None,
    };
    let told = |years: Option<i64>| {
        years.map_or_else(|| "no class".to_owned(), |years| format!("{years} years"))
    };
    Some(
        seen.finding(defect, "retention label")
            .expected(told(right))
            .actual(told(named.first().copied()))
            .because(cause),
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::PurgeRule;
    use super::super::super::testing::{
        call_facts, codes_under, gir_codes, gir_rules, gir_wanted, gir_wanted_under, right, site,
    };
    use super::*;
    use crate::expected::Rules;

    fn labelled(
        labels: &[&str],
        (site, rules): &(Gir, Rules),
        non_delete: bool,
        hold: bool,
    ) -> Vec<&'static str> {
        let mut expected = gir_wanted_under(rules);
        expected.hold = hold;
        let mut actual = right(&expected);
        actual.protected = Some(non_delete);
        call_facts(&mut actual).labels = labels.iter().map(|label| (*label).to_owned()).collect();
        codes_under(site, rules, &expected, &actual)
    }

    #[test]
    fn labels_and_rules_lead_to_the_classs_date() {
        const BATCH: &str = "st-batch-acme";
        const SEVEN: &str = "st-ret-7-Year Retention";
        const TEN: &str = "st-ret-10-Year Retention";
        let rules = (site(), gir_rules());
        let mut undeclared = (
            Gir {
                purge: Vec::new(),
                ..site()
            },
            gir_rules(),
        );
        undeclared
            .1
            .class_years
            .insert("10-Year Retention".into(), 10);
        undeclared
            .1
            .class_years
            .insert("1-Year Retention".into(), 1);
        let mut catching = rules.clone();
        catching.0.purge.push(PurgeRule {
            after_days: 2559,
            ..PurgeRule::default()
        });
        let mut early = rules.clone();
        early.0.purge.push(PurgeRule {
            after_days: 30,
            call_type: Some("Inbound".into()),
            label: None,
        });
        let mut of_others = rules.clone();
        of_others.0.purge.push(PurgeRule {
            after_days: 30,
            call_type: Some("Outbound".into()),
            label: None,
        });
        type Row<'a> = (
            &'a str,
            &'a [&'a str],
            &'a (Gir, Rules),
            bool,
            bool,
            &'a [&'a str],
        );
        let rows: &[Row<'_>] = &[
            (
                "as it should be",
                &[BATCH, SEVEN],
                &rules,
                false,
                false,
                &[],
            ),
            (
                "no label, so no rule",
                &[BATCH],
                &rules,
                false,
                false,
                &["D56"],
            ),
            (
                "a longer class",
                &[BATCH, TEN],
                &rules,
                false,
                false,
                &["D56"],
            ),
            (
                "both classes: the earlier rule is right",
                &[BATCH, SEVEN, TEN],
                &rules,
                false,
                false,
                &["D64"],
            ),
            (
                "no label of the migration",
                &[SEVEN],
                &rules,
                false,
                false,
                &["D64"],
            ),
            (
                "no label, and a rule for all that is right",
                &[BATCH],
                &catching,
                false,
                false,
                &["D64"],
            ),
            (
                "a rule of the site deletes it early",
                &[BATCH, SEVEN],
                &early,
                false,
                false,
                &["D55"],
            ),
            (
                "a rule for other calls",
                &[BATCH, SEVEN],
                &of_others,
                false,
                false,
                &[],
            ),
            (
                "protected without a hold",
                &[BATCH, SEVEN],
                &rules,
                true,
                false,
                &["D56"],
            ),
            ("held", &[BATCH, SEVEN], &rules, true, true, &[]),
            (
                "a hold lost",
                &[BATCH, SEVEN],
                &rules,
                false,
                true,
                &["D57"],
            ),
            (
                "rules not declared",
                &[BATCH, SEVEN],
                &undeclared,
                false,
                false,
                &[],
            ),
            (
                "not declared, label lost",
                &[BATCH],
                &undeclared,
                false,
                false,
                &["D55"],
            ),
            (
                "not declared, shorter",
                &[BATCH, "st-ret-1-Year Retention"],
                &undeclared,
                false,
                false,
                &["D55"],
            ),
            (
                "not declared, longer",
                &[BATCH, TEN],
                &undeclared,
                false,
                false,
                &["D56"],
            ),
        ];
        for (name, labels, rules, non_delete, hold, wanted) in rows {
            assert_eq!(
                labelled(labels, rules, *non_delete, *hold),
                *wanted,
                "{name}"
            );
        }
    }

    #[test]
    fn what_nobody_decided_about_is_deleted_by_no_rule() {
        let mut expected = gir_wanted();
        let keep = Keep {
            labels: BTreeSet::new(),
            until: Until::Decided,
        };
        expected
            .platform
            .get_mut::<GirExpectation>()
            .expect("an expectation")
            .keeps = vec![keep];
        let mut actual = right(&expected);
        assert!(gir_codes(&expected, &actual).is_empty());
        call_facts(&mut actual)
            .labels
            .push("st-ret-7-Year Retention".into());
        assert_eq!(gir_codes(&expected, &actual), ["D55"]);
    }
}
