//! What the audio comparison found, as findings.

use super::{Comparison, Pair};
use crate::defect::Defect;
use crate::finding::Finding;
use crate::observed::TargetRecording;
use crate::sound::{Difference, TargetSound};
use crate::utc_millis::UtcMillis;

pub(super) fn check(seen: &Comparison<'_>) -> Vec<Finding> {
    seen.pairs.iter().flat_map(|pair| one(seen, pair)).collect()
}

fn one(seen: &Comparison<'_>, pair: &Pair<'_>) -> Vec<Finding> {
    if was_deleted_at_its_date(pair.actual, seen.as_of) {
        // Whether that date is the right one is said with the date.
        return Vec::new();
    }
    let found = |defect, words: String| {
        vec![
            seen.about(pair, defect, "audio")
                .expected("audio")
                .actual(words),
        ]
    };
    match (pair.sound, media(pair.actual, seen.as_of)) {
        (_, Media::Stuck) => found(
            Defect::UploadNeverEnded,
            "an upload that does not end".to_owned(),
        ),
        (_, Media::Pending(_)) => Vec::new(),
        (TargetSound::Compared(differences), _) => differences
            .iter()
            .map(|difference| told(seen, pair, difference))
            .collect(),
        (TargetSound::Lost(words), _) => found(Defect::AudioGone, words.clone()),
        (TargetSound::NotRead | TargetSound::Hidden(_), Media::Gone(state)) => {
            found(Defect::AudioGone, format!("file state {state}"))
        }
        (TargetSound::NotRead | TargetSound::Hidden(_), Media::There) => Vec::new(),
    }
}

/// What the target says of a recording's media.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// There, as far as it says.
    There,
    /// Deleted or in error.
    Gone(String),
    /// Being uploaded for longer than any upload takes.
    Stuck,
    /// Archived, being restored or uploaded: there, but not to be heard now. What is needed.
    Pending(&'static str),
}

/// Whether the target itself has deleted a recording because its date had come.
pub(super) fn was_deleted_at_its_date(recording: &TargetRecording, as_of: UtcMillis) -> bool {
    recording.file_state.as_deref() == Some("DELETED")
        && recording.delete_at.is_some_and(|at| at <= as_of)
}

/// A day: an upload of hours may still end, one of a day will not. The platform itself gives up its
/// own steps sooner.
const STUCK_AFTER_MS: i64 = 24 * 3_600_000;

pub(super) fn media(recording: &TargetRecording, as_of: UtcMillis) -> Media {
    match recording.file_state.as_deref() {
        Some(state @ ("DELETED" | "ERROR")) => Media::Gone(state.to_owned()),
        Some("ARCHIVED" | "RESTORING") => {
            Media::Pending("the recording to be restored from the archive")
        }
        Some("UPLOADING")
            if recording
                .created
                .is_some_and(|created| as_of.since(created) > STUCK_AFTER_MS) =>
        {
            Media::Stuck
        }
        Some("UPLOADING") => Media::Pending("the upload to end"),
        _ => Media::There,
    }
}

fn told(seen: &Comparison<'_>, pair: &Pair<'_>, difference: &Difference) -> Finding {
    let mut finding = seen
        .about(pair, difference.defect, "audio")
        .expected(&difference.expected)
        .actual(&difference.actual);
    finding.consequences = difference.consequences.clone();
    if let Some(cause) = difference.cause {
        finding = finding.because(cause);
    }
    finding
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{checked_under, conversation, first, wanted};
    use crate::defect::Defect;
    use crate::expected::testing::rules;
    use crate::sound::{Difference, TargetSound};

    #[test]
    fn lost_audio_is_a_finding_and_hidden_audio_is_none() {
        let expected = wanted();
        let rows: &[(TargetSound, &[&str])] = &[
            (TargetSound::Compared(Vec::new()), &[]),
            (TargetSound::NotRead, &[]),
            (TargetSound::Hidden("a permission".into()), &[]),
            (TargetSound::Lost("media not found".into()), &["D11", "D11"]),
            (
                TargetSound::Compared(vec![Difference::new(
                    Defect::AudioSilent,
                    "sound",
                    "silence",
                )]),
                &["D19", "D19"],
            ),
        ];
        for (sound, wanted) in rows {
            let findings = checked_under(&rules(), &expected, &conversation(&expected), sound);
            assert_eq!(
                findings
                    .iter()
                    .map(|finding| finding.defect.code())
                    .collect::<Vec<_>>(),
                *wanted,
                "{sound:?}"
            );
        }
        let mut actual = conversation(&expected);
        first(&mut actual).file_state = Some("DELETED".into());
        assert_eq!(
            checked_under(&rules(), &expected, &actual, &TargetSound::NotRead).len(),
            1,
            "its date has not come: it is lost"
        );
        for state in ["ARCHIVED", "RESTORING"] {
            first(&mut actual).file_state = Some(state.into());
            let lost = TargetSound::Lost("not available".into());
            assert_eq!(
                checked_under(&rules(), &expected, &actual, &lost).len(),
                1,
                "{state}: the other recording is lost, this one is not"
            );
        }
        first(&mut actual).file_state = Some("UPLOADING".into());
        let stuck = checked_under(&rules(), &expected, &actual, &TargetSound::NotRead);
        assert_eq!(
            stuck
                .iter()
                .map(|finding| finding.defect.code())
                .collect::<Vec<_>>(),
            ["D12"]
        );
        first(&mut actual).created = Some(crate::expected::testing::AS_OF);
        assert!(
            checked_under(&rules(), &expected, &actual, &TargetSound::NotRead).is_empty(),
            "an upload of today may end"
        );
    }
}
