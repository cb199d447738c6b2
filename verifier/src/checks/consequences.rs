//! Findings that follow from others: each moves into the consequences of its cause.

use super::Comparison;
use super::attributes::ALL_LOST;
use super::people::{AGENT_LOST, AGENTS, CUSTOMER};
use crate::capabilities::CallData;
use crate::defect::Defect;
use crate::finding::Finding;

/// Makes every finding that `follows` from a cause its consequence.
fn absorb(cause: &mut Finding, findings: &mut Vec<Finding>, follows: impl Fn(&Finding) -> bool) {
    findings
        .extract_if(.., |finding| follows(finding))
        .for_each(|finding| cause.follows(finding));
}

/// A repair noted on a call that needed none explains reversed times.
pub(super) fn reversed_times_of_a_needless_repair(
    attributes: &mut [Finding],
    times: &mut Vec<Finding>,
) {
    let repair = attributes
        .iter_mut()
        .find(|finding| finding.defect == Defect::NeedlessTimeRepair);
    let Some(repair) = repair else { return };
    for time in times.extract_if(.., |finding| finding.defect == Defect::StartAndEndSwapped) {
        repair
            .consequences
            .push(format!("{}: {}", time.title, time.field));
        repair.consequences.extend(time.consequences);
    }
}

/// A start that was misread of the source stands in both places, the call's own and the note of
/// what the source says.
pub(super) fn raw_start_of_a_wrong_start(
    seen: &Comparison<'_>,
    times: &mut [Finding],
    attributes: &mut Vec<Finding>,
) {
    let Some(whole) = times
        .iter_mut()
        .find(|finding| finding.legacy_recording_id.is_none())
    else {
        return;
    };
    let start = seen
        .conversation
        .start
        .instant()
        .map(|start| start.ms().to_string());
    absorb(whole, attributes, |finding| {
        finding.field == "st.raw_start" && finding.actual.is_some() && finding.actual == start
    });
}

/// Where attributes stand on the customer, all of them are lost with the customer.
pub(super) fn call_data_of_a_lost_customer(
    seen: &Comparison<'_>,
    people: &mut [Finding],
    attributes: &mut Vec<Finding>,
) {
    let on_customer = seen.rules.capabilities.call_data == CallData::OnParticipants;
    if on_customer && attributes.iter().any(|finding| finding.cause == ALL_LOST) {
        lost_with_customer(people, attributes);
    }
}

/// Where queue, skill and wrap-up code stand in the same place as the attributes, they are lost
/// together.
pub(super) fn routing_of_lost_call_data(
    seen: &Comparison<'_>,
    attributes: &mut [Finding],
    routing: &mut Vec<Finding>,
) {
    let lost = attributes
        .iter_mut()
        .find(|finding| finding.cause == ALL_LOST);
    if let (Some(lost), CallData::Together) = (lost, seen.rules.capabilities.call_data) {
        let is_call_data = |defect| {
            matches!(
                defect,
                Defect::QueueOrSkillWrong | Defect::WrapUpOrDispositionWrong
            )
        };
        absorb(lost, routing, |finding| {
            is_call_data(finding.defect) && finding.actual.is_none()
        });
    }
}

/// Where a wrap-up code stands on an agent, it is lost with the agent, and with the last agent
/// queue and skill too.
pub(super) fn routing_of_a_lost_agent(
    seen: &Comparison<'_>,
    people: &mut [Finding],
    routing: &mut Vec<Finding>,
) {
    let lost = people
        .iter_mut()
        .find(|finding| finding.field == AGENTS && finding.cause == AGENT_LOST);
    if let (Some(lost), CallData::OnParticipants) = (lost, seen.rules.capabilities.call_data) {
        let none_left = seen.conversation.legs.is_empty();
        let goes =
            |finding: &Finding| none_left || finding.defect == Defect::WrapUpOrDispositionWrong;
        absorb(lost, routing, |finding| {
            finding.actual.is_none() && goes(finding)
        });
    }
}

/// Numbers stand on the customer, and are lost with the customer.
pub(super) fn numbers_of_a_lost_customer(people: &mut [Finding], numbers: &mut Vec<Finding>) {
    lost_with_customer(people, numbers);
}

fn lost_with_customer(people: &mut [Finding], findings: &mut Vec<Finding>) {
    if let Some(lost) = people.iter_mut().find(|finding| finding.field == CUSTOMER) {
        absorb(lost, findings, |finding| finding.actual.is_none());
    }
}
