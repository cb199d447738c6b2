//! The `st.*` attributes. Source: docs/reference/time.md and fields.md.

use std::collections::BTreeMap;

use super::{Rules, Wanted, raw_text};
use crate::source::SourceInteraction;

/// How far the source's reversed times reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repair {
    None,
    /// Only a leg or a recording stands reversed; whether that is noted on the conversation is not
    /// laid down.
    Inside,
    Interaction,
}

pub(super) fn attributes(
    source: &SourceInteraction,
    repair: Repair,
    rules: &Rules,
) -> BTreeMap<String, Wanted> {
    let listed = &source.listed;
    let unmapped_code = listed
        .wrap_up_code
        .clone()
        .filter(|code| !rules.wrap_ups.contains_key(code));
    let plain = [
        ("st.wait_ms", listed.wait_time_ms.map(|ms| ms.to_string())),
        ("st.talk_ms", listed.talk_time_ms.map(|ms| ms.to_string())),
        ("st.skill_group", listed.skill_group.clone()),
        ("st.ivr_node", listed.ivr_node_id.clone()),
        ("st.disposition", listed.disposition_code.clone()),
        ("st.wrap_up_code", unmapped_code),
    ];
    let mut wanted: BTreeMap<String, Wanted> = plain
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Wanted::exactly(value?))))
        .collect();
    let extra = listed.extra.iter();
    wanted.extend(extra.map(|(name, value)| (format!("st.data.{name}"), Wanted::exactly(value))));
    if let Some(raw) = raw_text(&listed.start_time) {
        // As it stands in the source; a number in another spelling may also be carried in plain
        // digits.
        let digits = listed
            .start_time
            .whole()
            .map(|number| number.to_string())
            .filter(|digits| *digits != raw);
        wanted.insert(
            "st.raw_start".to_owned(),
            Wanted {
                any_of: std::iter::once(raw).chain(digits).collect(),
                required: true,
            },
        );
    }
    if let Some(names) = file_names(source, rules) {
        wanted.insert("st.file_name".to_owned(), names);
    }
    match repair {
        Repair::None => None,
        Repair::Inside => wanted.insert(
            "st.repair".to_owned(),
            Wanted {
                required: false,
                ..Wanted::exactly("ends_swapped")
            },
        ),
        Repair::Interaction => {
            wanted.insert("st.repair".to_owned(), Wanted::exactly("ends_swapped"))
        }
    };
    wanted
}

/// Names joined with `;` in recording order. Where some recordings stay behind, their names may be
/// there or not.
fn file_names(source: &SourceInteraction, rules: &Rules) -> Option<Wanted> {
    let name = |recording: &crate::source::SourceRecording| {
        recording
            .details
            .as_ref()
            .ok()
            .and_then(|details| details.file_name.clone())
    };
    let join = |names: Vec<String>| names.join(";");
    // Nobody knows the name in a record that could not be read: the attribute is not compared then.
    if source
        .recordings
        .iter()
        .any(|recording| recording.details.is_err())
    {
        return None;
    }
    let all = join(source.recordings.iter().filter_map(name).collect());
    if all.is_empty() {
        return None;
    }
    let sent = join(
        source
            .recordings
            .iter()
            .filter(|recording| !rules.exclusions.contains_key(&recording.id))
            .filter_map(name)
            .collect(),
    );
    let mut any_of = vec![all];
    if !any_of.contains(&sent) && !sent.is_empty() {
        any_of.push(sent);
    }
    Some(Wanted {
        any_of,
        required: true,
    })
}
