//! Numbers of a call that stand with its customer and with each recording too.

use super::super::{CallFacts, MediaFacts};
use crate::checks::Comparison;
use crate::defect::Defect;
use crate::expected::{digits, masked};
use crate::finding::Finding;
use crate::observed::Field;

/// Numbers that Interaction Recording tells a second time.
pub(super) fn check(seen: &Comparison<'_>) -> Vec<Finding> {
    let Some(facts) = seen.conversation.platform.get::<CallFacts>() else {
        return Vec::new();
    };
    let expected = [&seen.expected.ani, &seen.expected.dnis].map(|number| {
        number
            .as_deref()
            .map(digits)
            .filter(|number| !number.is_empty())
    });
    let wrong = |field: &str, expected: Option<&String>, actual: Option<&String>| {
        let finding = seen
            .finding(Defect::PhoneNumberWrong, field)
            .maybe_expected(expected.map(|number| masked(number)));
        finding
            .maybe_actual(actual.map(|number| masked(number)))
            .because(format!("{field} differs"))
    };
    let mut findings: Vec<Finding> = facts
        .customer_numbers
        .iter()
        .filter(|number| !expected.iter().flatten().any(|right| right == *number))
        .map(|number| wrong("customer's number", expected[0].as_ref(), Some(number)))
        .take(1)
        .collect();
    for pair in &seen.pairs {
        let Some(media) = pair.actual.platform.get::<MediaFacts>() else {
            continue;
        };
        let sides = [
            (
                &media.ani,
                &expected[0],
                Field::RecordingCaller,
                "caller's number",
            ),
            (
                &media.dnis,
                &expected[1],
                Field::RecordingDialled,
                "dialled number",
            ),
        ];
        for (actual, expected, field, name) in sides {
            let hidden = actual.is_none() && seen.conversation.withholds(field);
            if actual != expected && !hidden {
                let field = format!("{name} of the recording");
                findings.push(
                    wrong(&field, expected.as_ref(), actual.as_ref())
                        .recording(&pair.expected.legacy_id)
                        .target(&pair.actual.id),
                );
            }
        }
    }
    findings
}
