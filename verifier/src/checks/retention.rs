//! Deletion dates and legal hold.

use super::sound::{Media, media, was_deleted_at_its_date};
use super::{Comparison, Pair};
use crate::defect::Defect;
use crate::expected::Presence;
use crate::finding::Finding;
use crate::utc_millis::UtcMillis;

/// A date may lose its milliseconds; anything more is another date.
const TOLERANCE_MS: i64 = 1000;
/// Deleted so soon, and so much too early, is a policy at work rather than a date miscounted.
const AT_ONCE_MS: i64 = 2 * 24 * 3_600_000;
const A_MONTH_MS: i64 = 31 * 24 * 3_600_000;
/// Years counted from a wrong end lead to a wrong date: the same up to the leap days in between.
const LEAP_DAYS_MS: u64 = 2 * 24 * 3_600_000;

/// Findings, and what follows from a wrong end of the call.
pub(super) fn check(seen: &Comparison<'_>) -> (Vec<Finding>, Vec<String>) {
    let (mut findings, mut follows) = (Vec::new(), Vec::new());
    // Where rules of the platform lead to the date, they are judged by themselves.
    for pair in seen
        .pairs
        .iter()
        .filter(|_| seen.rules.capabilities.recordings_have_deletion_dates)
    {
        let Some(finding) = date(seen, pair) else {
            continue;
        };
        if follows_end(seen, pair) {
            follows.push(format!("{} of {}", finding.title, pair.expected.legacy_id));
        } else {
            findings.push(finding);
        }
    }
    if seen.expected.hold && seen.conversation.protected == Some(false) {
        findings.push(
            seen.finding(Defect::LegalHoldLost, "deletion protection")
                .expected("protected")
                .actual("not protected"),
        );
    }
    findings.extend(needless_protection(seen));
    (findings, follows)
}

/// What nobody holds must go at its date. Where a record of the source could not be read, it may be
/// the one that is held.
fn needless_protection(seen: &Comparison<'_>) -> Option<Finding> {
    let is_unread = seen
        .expected
        .recordings
        .iter()
        .any(|recording| matches!(recording.presence, Presence::Unknown(_)));
    let needless = !seen.expected.hold && !is_unread && seen.conversation.protected == Some(true);
    let finding = || {
        seen.finding(Defect::KeptTooLong, "deletion protection")
            .expected("not protected: the source has no hold")
            .actual("protected")
    };
    needless.then(|| finding().because("protected though the source has no hold"))
}

fn date(seen: &Comparison<'_>, pair: &Pair<'_>) -> Option<Finding> {
    let told = |at: Option<UtcMillis>| {
        at.map_or_else(|| "no deletion date".to_owned(), |at| at.to_string())
    };
    // The stub of an archived recording may leave its dates out; the retention listing has them
    // where it could be read.
    if pair.actual.delete_at.is_none()
        && matches!(media(pair.actual, seen.as_of), Media::Pending(_))
    {
        return None;
    }
    let (defect, cause) = match (pair.expected.delete_at, pair.actual.delete_at) {
        (None, None) => return None,
        (Some(_), None) => (
            Defect::DeletionDateMissingOrEarly,
            "deletion date is missing".to_owned(),
        ),
        (None, Some(_)) => (
            Defect::DeletionDateMissingOrEarly,
            "deletion date without a retention class".to_owned(),
        ),
        (Some(expected), Some(actual)) => {
            let days = (actual.since(expected) as f64 / 86_400_000.0).round();
            match actual.since(expected) {
                delta if delta.abs() <= TOLERANCE_MS => return None,
                // The organisation's maximum may have brought it forward.
                delta if delta < 0 && pair.expected.doubt.is_some() => return None,
                delta if -delta > A_MONTH_MS && is_at_once(pair, actual, seen.as_of) => {
                    (Defect::DeletedByPolicy, "deleted within days".to_owned())
                }
                delta if delta < 0 => (
                    Defect::DeletionDateMissingOrEarly,
                    format!("deletion date is {} days too early", -days),
                ),
                _ => (
                    Defect::KeptTooLong,
                    format!("deletion date is {days} days too late"),
                ),
            }
        }
    };
    let mut finding = seen
        .about(pair, defect, "deletion date")
        .expected(told(pair.expected.delete_at))
        .actual(told(pair.actual.delete_at));
    if was_deleted_at_its_date(pair.actual, seen.as_of) {
        finding
            .consequences
            .push("the target has deleted the recording".to_owned());
    }
    Some(finding.because(cause))
}

/// Whether a recording goes within days from now, or was to go within days of its arrival. A date
/// between the two that has passed was miscounted.
fn is_at_once(pair: &Pair<'_>, date: UtcMillis, as_of: UtcMillis) -> bool {
    let arrived = pair.actual.created.unwrap_or(as_of);
    (0..=AT_ONCE_MS).contains(&date.since(as_of)) || date.since(arrived) <= AT_ONCE_MS
}

/// The date is right for the end that stands in the target, and that end is wrong.
fn follows_end(seen: &Comparison<'_>, pair: &Pair<'_>) -> bool {
    let (Some(span), Some(end)) = (seen.expected.span, seen.conversation.end.instant()) else {
        return false;
    };
    let (Some(expected), Some(actual)) = (pair.expected.delete_at, pair.actual.delete_at) else {
        return false;
    };
    end.since(span.end).abs() > TOLERANCE_MS
        && actual.since(end).abs_diff(expected.since(span.end)) <= LEAP_DAYS_MS
        && (end.since(span.end) < 0) == (actual.since(expected) < 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{codes, conversation, first, wanted};

    #[test]
    fn a_deletion_date_is_right_to_the_second() {
        let expected = wanted();
        let right = expected.recordings[0].delete_at.expect("a date");
        let day = 86_400_000;
        let rows: &[(Option<UtcMillis>, &[&str])] = &[
            (Some(right.plus_ms(-1000)), &[]),
            (Some(right.plus_ms(-300_000)), &["D55"]),
            (Some(right.plus_ms(-365 * day)), &["D55"]),
            (None, &["D55"]),
            (Some(crate::expected::testing::AS_OF.plus_ms(day)), &["D58"]),
            (Some(right.plus_ms(365 * day)), &["D56"]),
        ];
        for (date, wanted) in rows {
            let mut actual = conversation(&expected);
            first(&mut actual).delete_at = *date;
            assert_eq!(codes(&expected, &actual), *wanted, "{date:?}");
        }
    }

    #[test]
    fn a_recording_that_went_at_its_date_is_no_loss_and_one_that_went_too_early_is_one_finding() {
        let as_of = crate::expected::testing::AS_OF;
        let mut expected = wanted();
        let days = |days: i64| as_of.plus_ms(days * 86_400_000);
        let rows: &[(UtcMillis, UtcMillis, UtcMillis, &[&str])] = &[
            // Wanted date, the target's, when it came there, findings of the one recording that is
            // gone.
            (days(-1), days(-1), days(-90), &[]),
            (days(20), days(-1), days(-90), &["D55"]),
            (days(364), days(-1), days(-90), &["D55"]),
            (days(364), days(-89), days(-90), &["D58"]),
        ];
        for (date, actual_date, arrived, wanted) in rows {
            expected.recordings[0].delete_at = Some(*date);
            let mut actual = conversation(&expected);
            let one = first(&mut actual);
            (one.delete_at, one.created, one.file_state) =
                (Some(*actual_date), Some(*arrived), Some("DELETED".into()));
            assert_eq!(
                codes(&expected, &actual),
                *wanted,
                "{date:?} {actual_date:?} {arrived:?}"
            );
        }
    }

    #[test]
    fn a_hold_is_kept_and_an_unreadable_one_is_not_called_lost() {
        let mut expected = wanted();
        expected.hold = true;
        let mut actual = conversation(&expected);
        for (hold, protected, wanted) in [
            (true, Some(true), &[][..]),
            (true, None, &[]),
            (true, Some(false), &["D57"]),
            (false, Some(true), &["D56"]),
            (false, Some(false), &[]),
            (false, None, &[]),
        ] {
            (expected.hold, actual.protected) = (hold, protected);
            assert_eq!(
                codes(&expected, &actual),
                wanted,
                "hold {hold}, protected {protected:?}"
            );
        }
        (expected.hold, actual.protected) = (false, Some(true));
        expected.recordings[1].presence = Presence::Unknown("a record of the source".into());
        assert!(
            codes(&expected, &actual).is_empty(),
            "what could not be read may be what is held"
        );
    }
}
