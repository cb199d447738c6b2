//! Length and size as declared, against the file as it lies there.

use super::super::{FileSight, MediaFacts};
use crate::checks::{Comparison, Pair};
use crate::defect::Defect;
use crate::finding::Finding;

/// A decoder leaves out what an encoder put before and behind: up to four MP3 frames of 72 ms at
/// the lowest rates. Milliseconds.
const TOLERANCE_MS: u64 = 300;

/// `sounds` are the findings about sound: what is declared wrongly about audio that is wrong itself
/// follows from that.
pub(super) fn check(seen: &Comparison<'_>, sounds: &mut Vec<Finding>) {
    for pair in &seen.pairs {
        let Some(wrong) = one(seen, pair) else {
            continue;
        };
        let own = sounds.iter_mut().find(|finding| {
            finding.legacy_recording_id.as_deref() == Some(&*pair.expected.legacy_id)
        });
        match own {
            Some(sound) => sound
                .consequences
                .push(format!("{}: {}", wrong.title, wrong.field)),
            None => sounds.push(wrong),
        }
    }
}

fn one(seen: &Comparison<'_>, pair: &Pair<'_>) -> Option<Finding> {
    let facts = pair.actual.platform.get::<MediaFacts>()?;
    let wrongs: Vec<(&str, String, String)> = [length(pair, facts), size(pair, facts)]
        .into_iter()
        .flatten()
        .collect();
    let mut wrongs = wrongs.into_iter();
    let (field, expected, actual) = wrongs.next()?;
    let mut finding = seen
        .about(pair, Defect::DeclaredLengthOrSizeWrong, field)
        .expected(expected)
        .actual(actual)
        .because(format!("{field} is wrong"));
    finding.consequences = wrongs
        .map(|(field, expected, actual)| format!("{field}: {actual} instead of {expected}"))
        .collect();
    Some(finding)
}

fn length(pair: &Pair<'_>, facts: &MediaFacts) -> Option<(&'static str, String, String)> {
    let stored = pair.stored.and_then(|stored| stored.duration_ms);
    wrong(
        "declared length",
        "milliseconds",
        facts.declared_ms.as_deref(),
        stored,
        TOLERANCE_MS,
    )
}

fn size(pair: &Pair<'_>, facts: &MediaFacts) -> Option<(&'static str, String, String)> {
    let listed = match &facts.file {
        FileSight::There { bytes } => *bytes,
        FileSight::Absent(_) => return None,
        FileSight::Unread(_) => None,
    };
    wrong(
        "declared size",
        "bytes",
        facts.declared_bytes.as_deref(),
        pair.stored.map(|stored| stored.bytes).or(listed),
        0,
    )
}

/// Field, what should stand there, what does; `None` where it is right, or where nothing is known
/// to hold it against.
fn wrong(
    field: &'static str,
    unit: &str,
    declared: Option<&str>,
    stored: Option<u64>,
    tolerance: u64,
) -> Option<(&'static str, String, String)> {
    let number = declared.and_then(|text| text.parse::<u64>().ok());
    let right = match (number, stored) {
        (Some(number), Some(stored)) => number.abs_diff(stored) <= tolerance,
        (Some(_), None) => true,
        (None, _) => false,
    };
    let expected = stored.map_or_else(
        || format!("{unit} as decimal text"),
        |stored| stored.to_string(),
    );
    (!right).then(|| (field, expected, declared.unwrap_or("nothing").to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{findings_at, gir_rules, gir_wanted, media_of, right, site};
    use super::*;
    use crate::sound::{Difference, Stored, TargetSound};

    fn codes(
        ms: Option<&str>,
        bytes: Option<&str>,
        sound: &TargetSound,
    ) -> Vec<(&'static str, usize)> {
        let expected = gir_wanted();
        let mut actual = right(&expected);
        let facts = media_of(&mut actual);
        (facts.declared_ms, facts.declared_bytes) =
            (ms.map(str::to_owned), bytes.map(str::to_owned));
        let stored = Stored {
            bytes: 1000,
            duration_ms: Some(148_000),
        };
        let findings = findings_at(
            &site(),
            &gir_rules(),
            &expected,
            &actual,
            sound,
            Some(&stored),
        );
        let of_first = findings
            .iter()
            .filter(|finding| finding.legacy_recording_id.as_deref() == Some("100001-1"));
        of_first
            .map(|finding| (finding.defect.code(), finding.consequences.len()))
            .collect()
    }

    /// Declared length and size, and what is found with how many consequences.
    type Row<'a> = (Option<&'a str>, Option<&'a str>, &'a [(&'a str, usize)]);

    #[test]
    fn what_is_declared_is_held_against_the_file() {
        let fine = TargetSound::Compared(Vec::new());
        let rows: [Row<'_>; 7] = [
            (Some("148000"), Some("1000"), &[]),
            (Some("148152"), Some("1000"), &[]),
            (Some("148"), Some("1000"), &[("D34", 0)]),
            (Some("148.000"), Some("1000"), &[("D34", 0)]),
            (None, Some("1000"), &[("D34", 0)]),
            (Some("148000"), Some("999"), &[("D34", 0)]),
            (Some("1"), Some("1"), &[("D34", 1)]),
        ];
        for (ms, bytes, wanted) in rows {
            assert_eq!(codes(ms, bytes, &fine), wanted, "{ms:?} {bytes:?}");
        }
        let cut = TargetSound::Compared(vec![Difference::new(
            Defect::AudioTruncatedEnd,
            "148 s",
            "20 s",
        )]);
        assert_eq!(
            codes(Some("1"), Some("1000"), &cut),
            [("D15", 1)],
            "it follows from the file that is cut"
        );
    }
}
