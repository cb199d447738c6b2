//! What was planted, held against what was named.

use serde_json::Value;

use crate::support::Verification;

/// Where something is damaged: class, interaction, recording. A phantom has no source, so its place
/// is the target's.
pub(crate) type Place = (String, String, String);

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Every class is told apart as it is planted; none needs to be reported as another.
pub(crate) fn planted(defect: &str, entries: &[Value]) -> Vec<Place> {
    entries.iter().map(|entry| place(defect, entry)).collect()
}

pub(crate) fn place(defect: &str, entry: &Value) -> Place {
    match defect {
        "D02" => (defect.to_owned(), String::new(), text(&entry["target_id"])),
        _ => (
            defect.to_owned(),
            text(&entry["legacy_interaction_id"]),
            text(&entry["legacy_recording_id"]),
        ),
    }
}

/// What was planted and not named, and what was named and not planted; each with the finding as it
/// stands.
pub(crate) fn differences(planted: &[Place], verification: &Verification) -> Vec<String> {
    let mut missed = planted.to_vec();
    let mut wrong = Vec::new();
    for finding in &verification.findings {
        let place = place(finding["defect"].as_str().unwrap_or_default(), finding);
        match missed.iter().position(|other| *other == place) {
            Some(at) => drop(missed.remove(at)),
            None => wrong.push(format!("named, not planted: {finding}")),
        }
    }
    wrong.extend(missed.into_iter().map(|(defect, interaction, recording)| {
        format!("planted, not named: {defect} {interaction} {recording}")
    }));
    wrong
}
