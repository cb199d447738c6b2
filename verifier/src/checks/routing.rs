//! Queue and skill, wrap-up code, direction.

use uuid::Uuid;

use super::Comparison;
use crate::defect::Defect;
use crate::finding::Finding;
use crate::text::{Text, is_id};

pub(super) fn check(seen: &Comparison<'_>) -> Vec<Finding> {
    let (expected, actual) = (seen.expected, seen.conversation);
    let mut findings = Vec::new();
    findings.extend(one_id(
        seen,
        Defect::QueueOrSkillWrong,
        "queue",
        expected.queue,
        &actual.queues,
    ));
    if let Some(skills) = &actual.skills
        && let Some(skill) = one_id(
            seen,
            Defect::QueueOrSkillWrong,
            "skill",
            expected.skill,
            skills,
        )
    {
        // Events tell a skill with the queue that asks for it: lost with the queue.
        match findings.first_mut().filter(|queue: &&mut Finding| {
            seen.rules.capabilities.told_by_events
                && queue.actual.is_none()
                && skill.actual.is_none()
        }) {
            Some(queue) => queue.follows(skill),
            None => findings.push(skill),
        }
    }
    findings.extend(one_id(
        seen,
        Defect::WrapUpOrDispositionWrong,
        "wrap-up code",
        expected.wrap_up,
        &actual.wrap_ups,
    ));
    if let Some(direction) = &expected.direction
        && actual.direction.as_deref() != Some(*direction)
    {
        let told = actual.direction.as_deref().unwrap_or("nothing");
        findings.push(
            seen.finding(Defect::DirectionWrong, "direction")
                .expected(direction)
                .actual(told)
                .because(format!("direction is {told} instead of {direction}")),
        );
    }
    // A target that has a word for none must say it.
    if let (None, Some(none), Some(direction)) = (
        &expected.direction,
        seen.rules.capabilities.no_direction,
        &actual.direction,
    ) {
        let finding = seen
            .finding(Defect::DirectionWrong, "direction")
            .expected(none)
            .actual(direction);
        findings.push(finding.because(format!(
            "direction is {direction} though the source has none"
        )));
    }
    findings
}

/// Exactly this id, or none at all.
fn one_id(
    seen: &Comparison<'_>,
    defect: Defect,
    field: &str,
    expected: Option<Uuid>,
    actual: &[Text],
) -> Option<Finding> {
    let right = match (&expected, actual) {
        (None, []) => true,
        (Some(expected), [actual]) => is_id(actual, *expected),
        _ => false,
    };
    if right {
        return None;
    }
    let expected = expected.map(|id| id.to_string());
    let told = actual
        .iter()
        .map(Text::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    let cause = format!(
        "{field} is {} instead of {}",
        if told.is_empty() { "missing" } else { &told },
        expected.as_deref().unwrap_or("none")
    );
    Some(
        seen.finding(defect, field)
            .maybe_expected(expected)
            .maybe_actual((!told.is_empty()).then_some(told))
            .because(cause),
    )
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{codes, conversation, wanted};

    /// A damage by name, what it does, and what it is reported as.
    type Row = (
        &'static str,
        fn(&mut crate::observed::TargetConversation),
        &'static [&'static str],
    );

    #[test]
    fn routing_is_what_the_mapping_says() {
        let expected = wanted();
        let rows: &[Row] = &[
            ("lost queue", |actual| actual.queues.clear(), &["D50"]),
            (
                "default queue",
                |actual| {
                    actual.queues = vec![crate::expected::testing::DEFAULT_QUEUE.to_string().into()]
                },
                &["D50"],
            ),
            (
                "lost skill",
                |actual| actual.skills = Some(Vec::new()),
                &["D50"],
            ),
            ("skills not read", |actual| actual.skills = None, &[]),
            (
                "upper-case id",
                |actual| actual.queues[0] = actual.queues[0].to_ascii_uppercase().into(),
                &[],
            ),
            (
                "lost wrap-up code",
                |actual| actual.wrap_ups.clear(),
                &["D51"],
            ),
            (
                "two wrap-up codes",
                |actual| actual.wrap_ups.push("another".into()),
                &["D51"],
            ),
            (
                "flipped direction",
                |actual| actual.direction = Some("outbound".into()),
                &["D52"],
            ),
            ("lost direction", |actual| actual.direction = None, &["D52"]),
        ];
        for (name, damage, wanted) in rows {
            let mut actual = conversation(&expected);
            damage(&mut actual);
            assert_eq!(codes(&expected, &actual), *wanted, "{name}");
        }
    }
}
