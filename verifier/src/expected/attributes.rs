//! The `st.*` attributes. Source: docs/reference/time.md and fields.md.

use super::{Rules, Wanted, raw_text};
use crate::sorted_map::SortedMap;
use crate::source::{SourceInteraction, SourceRecording};
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
    let unmapped_code = listed
        .wrap_up_code
        .clone()
        .filter(|code| !rules.wrap_ups.contains_key(code.as_str()));
    let plain = [
        ("st.disposition", listed.disposition_code.clone()),
        ("st.ivr_node", listed.ivr_node_id.clone()),
        ("st.skill_group", listed.skill_group.clone()),
        ("st.talk_ms", listed.talk_time_ms.map(decimal)),
        ("st.wait_ms", listed.wait_time_ms.map(decimal)),
        ("st.wrap_up_code", unmapped_code),
    ];
    let mut wanted: SortedMap<Text, Wanted> = SortedMap::with_capacity(MOST_ATTRIBUTES);
    wanted.extend(
        plain
            .into_iter()
            .filter_map(|(name, value)| Some((name.into(), Wanted::exactly(value?)))),
    );
    let extra = listed.extra.iter();
    wanted.extend(extra.map(|(name, value)| {
        let name = Text::from(format!("st.data.{name}"));
        (name, Wanted::exactly(value.as_str()))
    }));
    if let Some(raw) = raw_text(&listed.start_time) {
        // As it stands in the source; a number in another spelling may also be carried in plain
        // digits.
        let digits = listed
            .start_time
            .whole()
            .map(decimal)
            .filter(|digits| *digits != raw);
        wanted.insert(
            "st.raw_start".into(),
            Wanted {
                any_of: std::iter::once(raw).chain(digits).collect(),
                required: true,
            },
        );
    }
    if let Some(names) = file_names(source, rules) {
        wanted.insert("st.file_name".into(), names);
    }
    if repair != Repair::None {
        wanted.insert(
            "st.repair".into(),
            Wanted {
                required: repair == Repair::Interaction,
                ..Wanted::exactly("ends_swapped")
            },
        );
    }
    wanted
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
