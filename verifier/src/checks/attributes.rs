//! `st.*` attributes: waiting and talking time (D43), disposition and unmapped code (D51), a repair
//! that was not needed (D41), the rest (D64).

use super::{Comparison, text};
use crate::defect::Defect;
use crate::expected::Wanted;
use crate::finding::Finding;
use crate::sorted_map::SortedMap;
use crate::text::Text;

/// Attributes that say something about the call and must not be there without a source. Others
/// belong to somebody else.
const KNOWN: [&str; 9] = [
    "st.wait_ms",
    "st.talk_ms",
    "st.skill_group",
    "st.ivr_node",
    "st.disposition",
    "st.file_name",
    "st.raw_start",
    "st.repair",
    "st.wrap_up_code",
];

/// What a layout of files carries begins with this. Source: docs/reference/layout.md.
const OF_LAYOUT: &str = "st.data.";

/// The cause where none of several attributes was written.
pub(super) const ALL_LOST: &str = "all attributes are lost";

pub(super) fn check(seen: &Comparison<'_>) -> Vec<Finding> {
    let actual = &seen.conversation.attributes;
    if are_all_right(&seen.expected.attributes, actual) {
        return Vec::new();
    }
    let is_wrong = |name: &str, wanted: &Wanted| {
        !is_right(wanted, actual.get(name)) && !names_those_there(seen, name, wanted)
    };
    let wrong = seen
        .expected
        .attributes
        .iter()
        .filter(|(name, wanted)| is_wrong(name, wanted));
    let differing = wrong.map(|(name, wanted)| differs(seen, name, wanted));
    // What a record that could not be read says, nobody knows: its file's name, and whether it was
    // reversed.
    let may_be_right =
        |name: &str| seen.expected.has_unread() && matches!(name, "st.file_name" | "st.repair");
    let of_layout = actual.iter().map(|(name, _)| name.as_str());
    let of_layout = of_layout.filter(|name| name.starts_with(OF_LAYOUT));
    let surplus = KNOWN
        .into_iter()
        .chain(of_layout)
        .filter(|name| actual.contains_key(*name) && !seen.expected.attributes.contains_key(*name));
    let surplus = surplus.filter(|name| !may_be_right(name));
    let surplus = surplus.map(|name| {
        seen.finding(class(name, true), name)
            .maybe_actual(actual.get(name))
            .because(format!("{name} has no source"))
    });
    let findings: Vec<Finding> = differing.chain(surplus).collect();
    let required = seen
        .expected
        .attributes
        .values()
        .filter(|wanted| wanted.required)
        .count();
    all_lost(findings, required)
}

/// Whether the attributes there are those that should be, each with a right value: as it mostly is.
fn are_all_right(wanted: &SortedMap<Text, Wanted>, actual: &SortedMap<Text, Text>) -> bool {
    let mut actual = actual.iter();
    let is_next = |(name, wanted): (&Text, &Wanted)| {
        let next = actual.next();
        next.is_some_and(|(there, value)| there == name && is_right(wanted, Some(value)))
    };
    wanted.iter().all(is_next) && actual.next().is_none()
}

/// Names of files without those of recordings that are missing: that they are missing is told by
/// itself.
fn names_those_there(seen: &Comparison<'_>, name: &str, wanted: &Wanted) -> bool {
    let (recordings, Some(actual)) = (
        &seen.expected.recordings,
        seen.conversation.attributes.get(name),
    ) else {
        return false;
    };
    let is_there = |at: usize| {
        seen.pairs
            .iter()
            .any(|pair| pair.expected.legacy_id == recordings[at].legacy_id)
    };
    let those_there = |wanted: &Text| {
        let names: Vec<&str> = wanted.split(';').collect();
        let kept: Vec<&str> = names
            .iter()
            .enumerate()
            .filter(|(at, _)| *at < recordings.len() && is_there(*at))
            .map(|(_, name)| *name)
            .collect();
        names.len() == recordings.len() && !kept.is_empty() && kept.join(";") == *actual
    };
    name == "st.file_name" && wanted.any_of.iter().any(those_there)
}

fn is_right(wanted: &Wanted, actual: Option<&Text>) -> bool {
    match actual {
        Some(actual) => wanted.any_of.iter().any(|wanted| {
            wanted == actual
                || unreadable(wanted).is_some_and(|wanted| Some(wanted) == unreadable(actual))
        }),
        None => !wanted.required,
    }
}

/// A text with each run of replacement characters as one; absent where it has none. What cannot be
/// read, such as half a character in the source's own text, becomes one of them or three, as the
/// reader counts code units or bytes (Unicode 3.9, U+FFFD substitution): neither is damage.
fn unreadable(text: &str) -> Option<String> {
    if !text.contains('\u{fffd}') {
        return None;
    }
    let mut one = String::new();
    for character in text.chars() {
        if character != '\u{fffd}' || !one.ends_with('\u{fffd}') {
            one.push(character);
        }
    }
    Some(one)
}

fn differs(seen: &Comparison<'_>, name: &str, wanted: &Wanted) -> Finding {
    let actual = seen.conversation.attributes.get(name);
    let cause = format!(
        "{name} is {}",
        if actual.is_some() { "changed" } else { "lost" }
    );
    let damaged = actual.is_some_and(|actual| {
        wanted
            .any_of
            .iter()
            .any(|wanted| text::is_damaged(actual, wanted))
    });
    let defect = if damaged {
        Defect::TextDamaged
    } else {
        class(name, false)
    };
    seen.finding(defect, name)
        .maybe_expected(wanted.any_of.first())
        .maybe_actual(actual)
        .because(cause)
}

fn class(name: &str, surplus: bool) -> Defect {
    match name {
        "st.wait_ms" | "st.talk_ms" => Defect::DurationRecomputed,
        "st.disposition" | "st.wrap_up_code" => Defect::WrapUpOrDispositionWrong,
        "st.repair" if surplus => Defect::NeedlessTimeRepair,
        _ => Defect::AttributeWrong,
    }
}

/// All of several attributes lost is one cause: they were not written.
fn all_lost(mut findings: Vec<Finding>, required: usize) -> Vec<Finding> {
    let lost = findings
        .iter()
        .filter(|finding| finding.actual.is_none())
        .count();
    if required < 2 || lost < required {
        return findings;
    }
    let at = findings
        .iter()
        .position(|finding| finding.defect == Defect::AttributeWrong)
        .unwrap_or(0);
    let mut first = findings.swap_remove(at);
    first.cause = ALL_LOST.to_owned();
    first.consequences.extend(
        findings
            .iter()
            .map(|finding| format!("{}: {}", finding.title, finding.field)),
    );
    vec![first]
}

#[cfg(test)]
mod tests {
    use super::{Wanted, is_right};
    use crate::checks::testing::{checked, codes, conversation, wanted};

    #[test]
    fn what_the_source_itself_cannot_say_may_be_replaced_by_one_character_or_three() {
        let says =
            |wanted: &str, actual: &str| is_right(&Wanted::exactly(wanted), Some(&actual.into()));
        for (wanted, actual, right) in [
            ("a\u{fffd}\u{fffd}\u{fffd}b", "a\u{fffd}b", true),
            ("a\u{fffd}b", "a\u{fffd}\u{fffd}\u{fffd}b", true),
            ("a\u{fffd}b", "ab", false),
            ("a\u{fffd}b", "a\u{fffd}", false),
            ("aeb", "a\u{fffd}b", false),
            ("a\u{fffd}b\u{fffd}", "a\u{fffd}b", false),
        ] {
            assert_eq!(says(wanted, actual), right, "{actual} for {wanted}");
        }
    }

    #[test]
    fn each_attribute_has_the_class_of_what_it_says() {
        let expected = wanted();
        let rows: &[(&str, Option<&str>, &[&str])] = &[
            ("st.wait_ms", Some("11999"), &["D43"]),
            ("st.talk_ms", None, &["D43"]),
            ("st.disposition", None, &["D51"]),
            ("st.skill_group", Some("Billing Tier 2"), &["D64"]),
            ("st.file_name", Some("a.wav"), &["D62"]),
            ("st.file_name", Some("c.wav"), &["D64"]),
            ("st.disposition", Some("RESOLVE"), &["D62"]),
            ("st.disposition", Some("OPEN"), &["D51"]),
            ("st.raw_start", None, &["D64"]),
            ("st.repair", Some("ends_swapped"), &["D41"]),
            ("st.wrap_up_code", Some("W-1"), &["D51"]),
            ("custom.note", Some("somebody else's"), &[]),
        ];
        for (name, value, wanted) in rows {
            let mut actual = conversation(&expected);
            match value {
                Some(value) => actual.attributes.insert((*name).into(), (*value).into()),
                None => _ = actual.attributes.remove(*name),
            }
            assert_eq!(codes(&expected, &actual), *wanted, "{name}");
        }
    }

    #[test]
    fn attributes_that_were_never_written_are_one_finding() {
        let expected = wanted();
        let mut actual = conversation(&expected);
        actual.attributes.clear();
        let findings = checked(&expected, &actual);
        assert_eq!(findings.len(), 1);
        assert_eq!(
            findings[0].consequences.len(),
            expected.attributes.len() - 1
        );
    }
}
