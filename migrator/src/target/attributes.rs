//! What no field of a target carries, as named values. Source: docs/reference/fields.md.

use std::collections::BTreeMap;

use plan::Carrier;

use crate::canonical::{Canonical, Repair};
use crate::resolve::Resolved;

/// What no field of the payload carries; under the name of `carrier`, where it is an attribute, the
/// legacy id.
pub(crate) fn attributes(
    carrier: Option<&Carrier>,
    record: &Canonical,
    resolved: &Resolved,
) -> BTreeMap<String, String> {
    let files: Vec<&str> = record
        .recordings
        .iter()
        .filter_map(|recording| recording.file_name.as_deref())
        .collect();
    let repairs: Vec<&str> = record
        .repairs
        .iter()
        .filter(|repair| **repair == Repair::EndsSwapped)
        .map(|repair| repair.as_str())
        .collect();
    let optional = [
        ("st.wait_ms", record.wait_ms.map(|ms| ms.to_string())),
        ("st.talk_ms", record.talk_ms.map(|ms| ms.to_string())),
        ("st.skill_group", record.skill_group.clone()),
        ("st.ivr_node", record.ivr_node.clone()),
        ("st.disposition", record.disposition_code.clone()),
        ("st.wrap_up_code", resolved.wrap_up_without_mapping.clone()),
        ("st.file_name", (!files.is_empty()).then(|| files.join(";"))),
        ("st.raw_start", Some(record.raw_start.clone())),
        (
            "st.repair",
            (!repairs.is_empty()).then(|| repairs.join(";")),
        ),
    ];
    let mut attributes: BTreeMap<String, String> = optional
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
    let own = record.attributes.iter();
    attributes.extend(own.map(|(name, value)| (format!("st.data.{name}"), value.clone())));
    if let Some(Carrier::ParticipantAttribute(name)) = carrier {
        attributes.insert(name.clone(), record.legacy_interaction_id.clone());
    }
    attributes
}
