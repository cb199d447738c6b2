//! Pure comparisons, one file a subject: what must be there against what is there, as findings.

mod attributes;
mod consequences;
mod numbers;
pub(crate) mod pauses;
mod people;
mod platform;
pub(crate) mod presence;
mod recorded;
mod retention;
mod routing;
mod sound;
#[cfg(test)]
pub(crate) mod testing;
mod text;
pub(crate) mod time;

pub(crate) use people::{AGENTS, classify};
pub(crate) use platform::PlatformChecks;

use crate::defect::Defect;
use crate::expected::{Expectation, ExpectedRecording, Rules};
use crate::finding::Finding;
use crate::observed::{TargetConversation, TargetRecording};
use crate::sound::{Stored, TargetSound};
use crate::utc_millis::UtcMillis;

/// One interaction and its conversation, side by side.
pub(crate) struct Comparison<'a> {
    pub(crate) expected: &'a Expectation,
    pub(crate) conversation: &'a TargetConversation,
    pub(crate) pairs: Vec<Pair<'a>>,
    pub(crate) rules: &'a Rules,
    pub(crate) platform: &'a dyn PlatformChecks,
    pub(crate) as_of: UtcMillis,
}

/// One recording on both sides.
pub(crate) struct Pair<'a> {
    pub(crate) expected: &'a ExpectedRecording,
    pub(crate) actual: &'a TargetRecording,
    pub(crate) sound: &'a TargetSound,
    /// Its file in the target. Absent: it was not decoded.
    pub(crate) stored: Option<&'a Stored>,
}

impl Comparison<'_> {
    /// A finding about the whole interaction.
    pub(crate) fn finding(&self, defect: Defect, field: &str) -> Finding {
        Finding::new(defect, field)
            .of(&self.expected.legacy_id)
            .target(&self.conversation.id)
    }

    /// A finding about one recording.
    pub(crate) fn about(&self, pair: &Pair<'_>, defect: Defect, field: &str) -> Finding {
        Finding::new(defect, field)
            .of(&self.expected.legacy_id)
            .recording(&pair.expected.legacy_id)
            .target(&pair.actual.id)
    }
}

/// Everything that differs between an interaction and its conversation. Silent where both agree.
pub(crate) fn check(seen: &Comparison<'_>) -> Vec<Finding> {
    let mut findings = metadata(seen);
    let (retention, follow_the_end) = retention::check(seen);
    // Times come first, so what follows from a wrong end stands with the finding about it.
    if let Some(first) = findings.first_mut() {
        first.consequences.extend(follow_the_end);
    }
    let mut sounds = sound::check(seen);
    seen.platform.files(seen, &mut sounds);
    findings.extend(retention);
    findings.extend(seen.platform.call(seen));
    findings.extend(pauses::check(seen));
    findings.extend(sounds);
    let second_store = seen.platform.second_store(seen, &findings);
    findings.extend(second_store);
    findings
}

/// When, who, where, and what is written of it: times first. Each subject is checked by itself;
/// then what follows from another finding becomes its consequence, so that one cause is one
/// finding.
pub(crate) fn metadata(seen: &Comparison<'_>) -> Vec<Finding> {
    let (mut times, mut people) = (time::check(seen), people::check(seen));
    let (mut attributes, mut routing, mut numbers) = (
        attributes::check(seen),
        routing::check(seen),
        numbers::check(seen),
    );
    recorded::check(seen, &mut people);
    consequences::reversed_times_of_a_needless_repair(&mut attributes, &mut times);
    consequences::raw_start_of_a_wrong_start(seen, &mut times, &mut attributes);
    consequences::call_data_of_a_lost_customer(seen, &mut people, &mut attributes);
    consequences::routing_of_lost_call_data(seen, &mut attributes, &mut routing);
    consequences::routing_of_a_lost_agent(seen, &mut people, &mut routing);
    consequences::numbers_of_a_lost_customer(&mut people, &mut numbers);
    numbers::one_cause(&mut numbers);
    let access = seen.platform.access(seen, &mut people, &mut routing);
    [times, attributes, people, access, routing, numbers]
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::testing::{checked, codes, conversation, wanted};
    use crate::observed::TimeReading;

    #[test]
    fn a_call_that_is_right_is_not_talked_about() {
        let expected = wanted();
        assert!(checked(&expected, &conversation(&expected)).is_empty());
    }

    #[test]
    fn a_start_that_was_misread_is_one_finding_wherever_it_stands() {
        let expected = wanted();
        let mut actual = conversation(&expected);
        let span = expected.span.expect("a span");
        (actual.start, actual.end) = (
            TimeReading::At(span.start.plus_ms(7_200_000)),
            TimeReading::At(span.end.plus_ms(7_200_000)),
        );
        actual.attributes.insert(
            "st.raw_start".into(),
            span.start.plus_ms(7_200_000).ms().to_string().into(),
        );
        assert_eq!(codes(&expected, &actual), ["D35"]);
        actual.attributes.insert("st.raw_start".into(), "17".into());
        assert_eq!(
            codes(&expected, &actual),
            ["D35", "D64"],
            "another number is another cause"
        );
    }

    #[test]
    fn a_repair_that_was_not_needed_explains_the_reversed_times() {
        let expected = wanted();
        let mut actual = conversation(&expected);
        actual
            .attributes
            .insert("st.repair".into(), "ends_swapped".into());
        assert_eq!(codes(&expected, &actual), ["D41"]);
        let span = expected.span.expect("a span");
        (actual.start, actual.end) = (TimeReading::At(span.end), TimeReading::At(span.start));
        let findings = checked(&expected, &actual);
        assert_eq!(findings.len(), 1);
        assert!(!findings[0].consequences.is_empty());
    }
}
