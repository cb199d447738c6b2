//! Phone numbers under the plan's rule. A finding shows them masked, whatever the rule.

use super::Comparison;
use crate::defect::Defect;
use crate::expected::{PhoneRule, digits, digits_of, masked};
use crate::finding::Finding;
use crate::observed::Field;
use crate::text::Text;

pub(super) fn check(seen: &Comparison<'_>) -> Vec<Finding> {
    let call = seen.conversation;
    let sides = [
        (
            "caller's number",
            &seen.expected.ani,
            &call.anis,
            Field::Caller,
        ),
        (
            "dialled number",
            &seen.expected.dnis,
            &call.dnises,
            Field::Dialled,
        ),
    ];
    let sides = sides
        .into_iter()
        .filter(|(.., field)| !call.withholds(*field));
    let mut findings: Vec<Finding> = sides
        .filter_map(|(field, expected, actual, _)| one(seen, field, expected.as_deref(), actual))
        .collect();
    // The same numbers stand with each recording and with the customer: wrong there alone, it is a
    // finding of its own.
    let repeated = |told: &str| {
        findings.iter().any(|finding| {
            finding
                .actual
                .as_deref()
                .is_some_and(|actual| actual.contains(told))
        })
    };
    let further: Vec<Finding> = seen
        .platform
        .repeated_numbers(seen)
        .into_iter()
        .filter(|finding| !finding.actual.as_deref().is_some_and(repeated))
        .collect();
    findings.extend(further);
    findings
}

/// Both numbers of a call wrong, or one of them and what repeats it: one mistake about numbers.
pub(super) fn one_cause(findings: &mut Vec<Finding>) {
    if findings
        .first()
        .is_some_and(|first| first.legacy_recording_id.is_none())
    {
        let follows = findings.split_off(1);
        follows
            .into_iter()
            .for_each(|finding| findings[0].follows(finding));
    }
}

fn one(
    seen: &Comparison<'_>,
    field: &str,
    expected: Option<&str>,
    actual: &[Text],
) -> Option<Finding> {
    let expected = expected.filter(|number| digits_of(number).next().is_some());
    let right = match (expected, actual) {
        (None, []) => true,
        (Some(expected), [actual]) => {
            actual == expected || digits_of(expected).eq(digits_of(actual))
        }
        _ => false,
    };
    if right {
        return None;
    }
    let expected = expected.map(digits);
    let finding = seen
        .finding(Defect::PhoneNumberWrong, field)
        .maybe_expected(expected.as_deref().map(masked));
    let told = actual
        .iter()
        .map(|number| masked(number))
        .collect::<Vec<_>>()
        .join(", ");
    let in_clear = seen.rules.phones != PhoneRule::Keep
        && actual
            .iter()
            .any(|number| is_clear(number) && Some(number.as_str()) != expected.as_deref());
    let note = if in_clear {
        " (not protected)"
    } else if finding.expected.as_deref() == Some(told.as_str()) {
        " (another number with this ending)"
    } else {
        ""
    };
    let cause = format!(
        "{field}{}",
        if in_clear {
            " is not protected"
        } else {
            " differs"
        }
    );
    Some(
        finding
            .maybe_actual((!actual.is_empty()).then(|| format!("{told}{note}")))
            .because(cause),
    )
}

/// A number anyone could dial: digits only, seven or more.
fn is_clear(number: &str) -> bool {
    let bare = number.strip_prefix('+').unwrap_or(number);
    bare.len() >= 7 && bare.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{
        checked, checked_under, codes, conversation, wanted, wanted_under,
    };
    use crate::expected::testing::rules;
    use crate::sound::TargetSound;

    #[test]
    fn another_spelling_is_not_another_number() {
        let expected = wanted();
        for spelling in [
            "tel:+15550100199",
            "+1 (555) 010-0199",
            "sip:+15550100199@example",
        ] {
            let mut actual = conversation(&expected);
            actual.anis = vec![digits(spelling).into()];
            assert!(codes(&expected, &actual).is_empty(), "{spelling}");
        }
    }

    #[test]
    fn wrong_and_unprotected_numbers_are_found_and_never_shown() {
        let mut rules = rules();
        rules.phones = PhoneRule::Mask;
        let expected = wanted_under(&rules);
        let rows = [
            ("+15550100199", "(not protected)"),
            ("+********199", ""),
            ("+*******0198", ""),
        ];
        for (number, note) in rows {
            let mut actual = conversation(&expected);
            actual.anis = vec![number.into()];
            let findings = checked_under(&rules, &expected, &actual, &TargetSound::NotRead);
            assert_eq!(findings.len(), 1, "{number}");
            let told = findings[0].actual.clone().unwrap_or_default();
            assert!(told.contains(note) && !told.contains("555"), "{told}");
        }
        let mut lost = conversation(&expected);
        lost.dnises.clear();
        assert_eq!(
            checked_under(&rules, &expected, &lost, &TargetSound::NotRead).len(),
            1
        );
    }

    #[test]
    fn a_changed_country_prefix_is_another_number() {
        let expected = wanted();
        let mut actual = conversation(&expected);
        actual.anis = vec!["+25550100199".into()];
        let findings = checked(&expected, &actual);
        assert_eq!(findings[0].defect, Defect::PhoneNumberWrong);
        assert!(
            findings[0]
                .actual
                .as_deref()
                .is_some_and(|told| told.contains("another number"))
        );
    }
}
