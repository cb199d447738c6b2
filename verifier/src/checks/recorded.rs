//! Whose each recording is, beside who takes part in the call: as its platform tells it, by the leg
//! it was made on or by the agent it names.

use super::Comparison;
use super::people::AGENTS;
use crate::defect::Defect;
use crate::finding::Finding;

/// `people` are the findings about participants: the same mistake on a recording follows from the
/// one on the call.
pub(super) fn check(seen: &Comparison<'_>, people: &mut Vec<Finding>) {
    let (of_recordings, of_call): (Vec<Finding>, Vec<Finding>) = seen
        .platform
        .agents_of_recordings(seen)
        .into_iter()
        .partition(|finding| finding.legacy_recording_id.is_some());
    people.extend(of_call);
    for wrong in exchanged(of_recordings) {
        let same = |finding: &&mut Finding| {
            let is_one = (&finding.expected, &finding.actual) == (&wrong.expected, &wrong.actual);
            // Who is lost, or on another's leg, is lost to the recordings of that leg too.
            finding.legacy_recording_id.is_none() && (is_one || finding.field == AGENTS)
        };
        match people.iter_mut().find(same) {
            Some(finding) => finding.follows(wrong),
            None => people.push(wrong),
        }
    }
}

/// Two recordings of one call that have each other's agents are one cause.
fn exchanged(mut wrongs: Vec<Finding>) -> Vec<Finding> {
    let mut found = Vec::new();
    while !wrongs.is_empty() {
        let first = wrongs.remove(0);
        let is_partner = |other: &Finding| {
            first.expected.is_some()
                && (&first.expected, &first.actual) == (&other.actual, &other.expected)
                && first.field == other.field
        };
        match wrongs.iter().position(is_partner) {
            Some(at) => {
                let partner = wrongs.remove(at);
                let (id, field) = (
                    partner.legacy_recording_id.clone().unwrap_or_default(),
                    first.field.clone(),
                );
                let mut finding = first
                    .reclassed(Defect::PartsOutOfOrder)
                    .because("recordings of one call hang on each other's legs")
                    .involves(&id);
                finding.consequences.push(format!(
                    "{field} {id}: {} instead of {}",
                    told(&partner.actual),
                    told(&partner.expected)
                ));
                found.push(finding);
            }
            None => found.push(first),
        }
    }
    found
}

fn told(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("nobody")
}
