//! Pure comparisons, one file a subject: what must be there against what is there, as findings.

mod access;
mod attributes;
mod declared;
mod numbers;
mod pauses;
mod people;
pub(crate) mod presence;
mod purge;
mod recorded;
mod retention;
mod routing;
mod sealed;
mod sound;
mod speechminer;
mod stores;
#[cfg(test)]
pub(crate) mod testing;
mod text;
mod time;

pub(crate) use people::AGENTS;

use crate::defect::Defect;
use crate::expected::{Expectation, ExpectedRecording, Rules};
use crate::finding::Finding;
use crate::moment::Moment;
use crate::sound::{Stored, TargetSound};
use crate::target::{TargetConversation, TargetRecording};

/// One interaction and its conversation, side by side.
pub(crate) struct Seen<'a> {
    pub(crate) expected: &'a Expectation,
    pub(crate) conversation: &'a TargetConversation,
    pub(crate) pairs: Vec<Pair<'a>>,
    pub(crate) rules: &'a Rules,
    pub(crate) as_of: Moment,
}

/// One recording on both sides.
pub(crate) struct Pair<'a> {
    pub(crate) expected: &'a ExpectedRecording,
    pub(crate) actual: &'a TargetRecording,
    pub(crate) sound: &'a TargetSound,
    /// Its file in the target. Absent: it was not decoded.
    pub(crate) stored: Option<&'a Stored>,
}

impl Seen<'_> {
    /// A finding about the whole interaction.
    fn finding(&self, defect: Defect, field: &str) -> Finding {
        Finding::new(defect, field).of(&self.expected.legacy_id).target(&self.conversation.id)
    }

    /// A finding about one recording.
    fn about(&self, pair: &Pair<'_>, defect: Defect, field: &str) -> Finding {
        Finding::new(defect, field).of(&self.expected.legacy_id).recording(&pair.expected.legacy_id).target(&pair.actual.id)
    }
}

/// Everything that differs between an interaction and its conversation. Silent where both agree.
pub(crate) fn check(seen: &Seen<'_>) -> Vec<Finding> {
    let mut findings = metadata(seen);
    let (retention, follows) = retention::check(seen);
    // Times come first, so what follows from a wrong end stands with the finding about it.
    if let Some(first) = findings.first_mut() {
        first.consequences.extend(follows);
    }
    findings.extend(retention);
    findings.extend(purge::check(seen));
    findings.extend(stores::check(seen));
    findings.extend(pauses::check(seen));
    findings.extend(declared::check(seen, sealed::check(seen, sound::check(seen))));
    let of_speechminer = speechminer::check(seen, &findings);
    findings.extend(of_speechminer);
    findings
}

/// When, who, where, and what is written of it: times first, each cause once.
fn metadata(seen: &Seen<'_>) -> Vec<Finding> {
    let mut people = recorded::check(seen, people::check(seen));
    let (attributes, mut findings) = overdone(attributes::check(seen), time::check(seen));
    let mut attributes = misread(attributes, &mut findings, seen);
    if seen.conversation.gir.is_none() && attributes.iter().any(|finding| finding.cause == attributes::ALL_LOST) {
        attributes = people::lost_with_customer(&mut people, attributes);
    }
    let (attributes, routing) = data_lost(attributes, routing::check(seen), seen);
    findings.extend(attributes);
    let routing = people::lost_with_agents(&mut people, routing, seen);
    let numbers = numbers::one_cause(people::lost_with_customer(&mut people, numbers::check(seen)));
    let (access, routing) = access::of_wrong_queue(access::check(seen, people), routing, seen);
    findings.extend(access);
    findings.extend(routing);
    findings.extend(numbers);
    findings
}

/// Interaction Recording keeps queue, skill and wrap-up in the same event as the attributes: an event that was lost is one finding.
fn data_lost(mut attributes: Vec<Finding>, routing: Vec<Finding>, seen: &Seen<'_>) -> (Vec<Finding>, Vec<Finding>) {
    let lost = attributes.iter_mut().find(|finding| finding.cause == attributes::ALL_LOST);
    let (Some(lost), Some(_)) = (lost, &seen.conversation.gir) else { return (attributes, routing) };
    let (follows, rest): (Vec<Finding>, Vec<Finding>) = routing.into_iter().partition(|finding| {
        matches!(finding.defect, Defect::QueueOrSkillWrong | Defect::WrapUpOrDispositionWrong) && finding.actual.is_none()
    });
    lost.consequences.extend(follows.iter().map(|finding| format!("{}: {}", finding.title, finding.field)));
    (attributes, rest)
}

/// A repair noted on a call that needed none explains reversed times: they become its consequence.
fn overdone(mut attributes: Vec<Finding>, times: Vec<Finding>) -> (Vec<Finding>, Vec<Finding>) {
    let Some(repair) = attributes.iter_mut().find(|finding| finding.defect == Defect::NeedlessTimeRepair) else {
        return (attributes, times);
    };
    let (follows, rest): (Vec<Finding>, Vec<Finding>) = times.into_iter().partition(|finding| finding.defect == Defect::StartAndEndSwapped);
    for time in follows {
        repair.consequences.push(format!("{}: {}", time.title, time.field));
        repair.consequences.extend(time.consequences);
    }
    (attributes, rest)
}

/// A start that was misread of the source stands in both places, the call's own and the note of what the source says: one cause.
fn misread(attributes: Vec<Finding>, times: &mut [Finding], seen: &Seen<'_>) -> Vec<Finding> {
    let Some(whole) = times.iter_mut().find(|finding| finding.legacy_recording_id.is_none()) else { return attributes };
    let start = seen.conversation.start.moment().map(|start| start.ms().to_string());
    let (follows, rest): (Vec<Finding>, Vec<Finding>) =
        attributes.into_iter().partition(|finding| finding.field == "st.raw_start" && finding.actual.is_some() && finding.actual == start);
    follows.into_iter().for_each(|finding| whole.follows(finding));
    rest
}

#[cfg(test)]
mod tests {
    use super::testing::{checked, codes, conversation, wanted};
    use crate::target::TimeReading;

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
        (actual.start, actual.end) = (TimeReading::At(span.start.plus_ms(7_200_000)), TimeReading::At(span.end.plus_ms(7_200_000)));
        actual.attributes.insert("st.raw_start".into(), span.start.plus_ms(7_200_000).ms().to_string());
        assert_eq!(codes(&expected, &actual), ["D35"]);
        actual.attributes.insert("st.raw_start".into(), "17".into());
        assert_eq!(codes(&expected, &actual), ["D35", "D64"], "another number is another cause");
    }

    #[test]
    fn a_repair_that_was_not_needed_explains_the_reversed_times() {
        let expected = wanted();
        let mut actual = conversation(&expected);
        actual.attributes.insert("st.repair".into(), "ends_swapped".into());
        assert_eq!(codes(&expected, &actual), ["D41"]);
        let span = expected.span.expect("a span");
        (actual.start, actual.end) = (TimeReading::At(span.end), TimeReading::At(span.start));
        let findings = checked(&expected, &actual);
        assert_eq!(findings.len(), 1);
        assert!(!findings[0].consequences.is_empty());
    }
}
