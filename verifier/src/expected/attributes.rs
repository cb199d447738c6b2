//! The `st.*` attributes. Source: docs/reference/time.md and fields.md.

use super::{Rules, Wanted, raw_text};
use crate::sorted_map::SortedMap;
use crate::source::{SourceInteraction, SourceRecording, SourceTime};
use crate::text::{Text, decimal};

/// How many attributes a call has at most.
const MOST_ATTRIBUTES: usize = 9;

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
) -> SortedMap<Text, Wanted> {
    let listed = &source.listed;
    let unmapped_code = listed.wrap_up_code.as_ref();
    let unmapped_code = unmapped_code.filter(|code| !rules.wrap_ups.contains_key(code.as_str()));
    let exactly = |value: Option<&Text>| value.map(|value| Wanted::exactly(value.as_str()));
    let milliseconds = |value: Option<i64>| value.map(|value| Wanted::exactly(decimal(value)));
    let of_repair = || Wanted {
        required: repair == Repair::Interaction,
        ..Wanted::exactly("ends_swapped")
    };
    let mut wanted = SortedMap::with_capacity(MOST_ATTRIBUTES + listed.extra.len());
    let mut add = |name: &str, value: Option<Wanted>| {
        if let Some(value) = value {
            wanted.insert(Text::from(name), value);
        }
    };
    // In the order of their names, so that each goes behind the one before it.
    for (name, value) in &listed.extra {
        let name = format!("st.data.{name}");
        add(&name, Some(Wanted::exactly(value.as_str())));
    }
    add("st.disposition", exactly(listed.disposition_code.as_ref()));
    add("st.file_name", file_names(source, rules));
    add("st.ivr_node", exactly(listed.ivr_node_id.as_ref()));
    add("st.raw_start", raw_start(&listed.start_time));
    add("st.repair", (repair != Repair::None).then(of_repair));
    add("st.skill_group", exactly(listed.skill_group.as_ref()));
    add("st.talk_ms", milliseconds(listed.talk_time_ms));
    add("st.wait_ms", milliseconds(listed.wait_time_ms));
    add("st.wrap_up_code", exactly(unmapped_code));
    wanted
}

/// As it stands in the source; a number in another spelling may also be carried in plain digits.
fn raw_start(stated: &SourceTime) -> Option<Wanted> {
    let mut wanted = Wanted::exactly(raw_text(stated)?);
    // What is a number there is in plain digits already.
    if let SourceTime::Text {
        whole: Some(whole), ..
    } = stated
    {
        let digits = decimal(*whole);
        if !wanted.any_of.contains(&digits) {
            wanted.any_of.push(digits);
        }
    }
    Some(wanted)
}

/// Names joined with `;` in recording order. Where some recordings stay behind, their names may be
/// there or not.
fn file_names(source: &SourceInteraction, rules: &Rules) -> Option<Wanted> {
    // Nobody knows the name in a record that could not be read: the attribute is not compared then.
    if source
        .recordings
        .iter()
        .any(|recording| recording.details.is_err())
    {
        return None;
    }
    let all = joined(source.recordings.iter());
    if all.is_empty() {
        return None;
    }
    let is_agreed =
        |recording: &SourceRecording| rules.exclusions.contains_key(recording.id.as_str());
    let mut wanted = Wanted::exactly(all);
    if source.recordings.iter().any(is_agreed) {
        let sent = source.recordings.iter();
        let sent = joined(sent.filter(|recording| !is_agreed(recording)));
        if !sent.is_empty() && !wanted.any_of.contains(&sent) {
            wanted.any_of.push(sent);
        }
    }
    Some(wanted)
}

/// Names of their files.
fn joined<'a>(recordings: impl Iterator<Item = &'a SourceRecording>) -> Text {
    let names = |recording: &'a SourceRecording| {
        let details = recording.details.as_ref().ok();
        details.and_then(|details| details.file_name.as_ref())
    };
    let mut names = recordings.filter_map(names);
    let Some(first) = names.next() else {
        return Text::default();
    };
    let Some(second) = names.next() else {
        return first.clone();
    };
    let mut all = format!("{first};{second}");
    for name in names {
        all.push(';');
        all.push_str(name);
    }
    Text::from(all)
}
