//! Marks of pauses: each at its offset, none lost, none surplus.

use super::sound::was_deleted_at_its_date;
use super::sound::{Media, media};
use super::{Comparison, Pair};
use crate::defect::Defect;
use crate::finding::Finding;
use crate::observed::{MarkedPause, PauseInstants, PauseReason, TimeReading, pause_offsets};

/// Offsets are whole milliseconds on both sides; a tool may round to a codec's frame of 20 ms at
/// either end.
const TOLERANCE_MS: u64 = 40;

pub(crate) fn check(seen: &Comparison<'_>) -> Vec<Finding> {
    // A deleted recording tells no times: which of a call's deleted recordings is whose, nobody can
    // say any more.
    let there = seen
        .pairs
        .iter()
        .filter(|pair| !was_deleted_at_its_date(pair.actual, seen.as_of));
    there.filter_map(|pair| one(seen, pair)).collect()
}

fn one(seen: &Comparison<'_>, pair: &Pair<'_>) -> Option<Finding> {
    // The stub of an archived recording carries no marks.
    if pair.actual.pauses.is_empty() && matches!(media(pair.actual, seen.as_of), Media::Pending(_))
    {
        return None;
    }
    let mut expected: Vec<MarkedPause> = pair
        .expected
        .pauses
        .iter()
        .map(|pause| MarkedPause {
            location_ms: pause.start_ms,
            length_ms: pause.end_ms - pause.start_ms,
            reason: None,
        })
        .collect();
    expected.sort_unstable();
    let actual = &pair.actual.pauses;
    let close = |a: i64, b: i64| a.abs_diff(b) <= TOLERANCE_MS;
    let fit = |actual: &[MarkedPause]| {
        let mut each = expected.iter().zip(actual);
        let same = |(a, b): (&MarkedPause, &MarkedPause)| {
            close(a.location_ms, b.location_ms)
                && close(a.length_ms, b.length_ms)
                && b.length_ms > 0
                && is_protection(b.reason)
        };
        expected.len() == actual.len() && each.all(same)
    };
    // Marks that are instants are right where the pauses were, whatever the recording's own start
    // says by mistake.
    let by_instant = instants(pair)
        .zip(pair.expected.span)
        .map(|(instants, span)| pause_offsets(instants, &TimeReading::At(span.start)));
    let right = fit(actual)
        || by_instant.is_some_and(|actual| fit(&actual))
        || told_by_the_same_clock(pair);
    let cause = match actual.iter().find(|pause| !is_protection(pause.reason)) {
        _ if actual.len() < expected.len() => "pause marks are lost",
        Some(_) if expected.len() == actual.len() => "pause marks give another reason",
        _ => "pause marks are changed",
    };
    (!right).then(|| {
        seen.about(pair, Defect::PauseMarksWrong, "pauses")
            .expected(told(&expected))
            .actual(told(actual))
            .because(cause)
    })
}

/// Marks that are instants, where there are any.
fn instants<'a>(pair: &Pair<'a>) -> Option<&'a [PauseInstants]> {
    Some(pair.actual.pause_instants.as_slice()).filter(|instants| !instants.is_empty())
}

/// What the source marks is a protected pause. A mark without a reason says nothing else.
fn is_protection(reason: Option<PauseReason>) -> bool {
    reason.is_none_or(|reason| reason == PauseReason::SecurePause)
}

/// Whether marks that are instants are wrong just as the recording's own times are: in another
/// unit, or cut to the second. The times say so.
fn told_by_the_same_clock(pair: &Pair<'_>) -> bool {
    const CLOCKS: [fn(i64) -> i64; 3] = [
        |ms| ms / 1000,
        |ms| ms.saturating_mul(1000),
        |ms| ms - ms.rem_euclid(1000),
    ];
    let (Some(span), Some(instants)) = (pair.expected.span, instants(pair)) else {
        return false;
    };
    let is_at = |reading: &TimeReading, ms: i64| reading.instant().is_some_and(|at| at.ms() == ms);
    CLOCKS.into_iter().any(|clock| {
        let of = |offset_ms: i64| clock(span.start.plus_ms(offset_ms).ms());
        let whole =
            is_at(&pair.actual.start, of(0)) && is_at(&pair.actual.end, clock(span.end.ms()));
        let mut marks = pair.expected.pauses.iter().zip(instants);
        let each = |(pause, marked): (&crate::expected::Pause, &PauseInstants)| {
            is_at(&marked.start, of(pause.start_ms)) && is_at(&marked.end, of(pause.end_ms))
        };
        let wrong = of(0) != span.start.ms() || clock(span.end.ms()) != span.end.ms();
        wrong && whole && pair.expected.pauses.len() == instants.len() && marks.all(each)
    })
}

fn told(pauses: &[MarkedPause]) -> String {
    if pauses.is_empty() {
        return "none".to_owned();
    }
    let reason = |pause: &MarkedPause| {
        pause
            .reason
            .filter(|reason| !is_protection(Some(*reason)))
            .map(|reason| format!(" ({})", reason.word()))
    };
    let one = |pause: &MarkedPause| {
        format!(
            "{} ms for {} ms{}",
            pause.location_ms,
            pause.length_ms,
            reason(pause).unwrap_or_default()
        )
    };
    pauses.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{codes, conversation, first, wanted};
    use crate::observed::{MarkedPause, PauseInstants, PauseReason, TimeReading, pause_offsets};
    use crate::target::gir::testing::{gir_codes, gir_wanted, right};
    use crate::utc_millis::UtcMillis;

    #[test]
    fn pauses_are_marked_where_they_are() {
        let mark = |location_ms, length_ms| MarkedPause {
            location_ms,
            length_ms,
            reason: Some(PauseReason::SecurePause),
        };
        let because = |reason| {
            vec![MarkedPause {
                reason,
                ..mark(61_000, 13_500)
            }]
        };
        let rows: &[(Vec<MarkedPause>, &[&str])] = &[
            (vec![mark(61_000, 13_500)], &[]),
            (vec![mark(61_020, 13_480)], &[]),
            (vec![], &["D60"]),
            (vec![mark(63_000, 13_500)], &["D60"]),
            (vec![mark(74_500, -13_500)], &["D60"]),
            (vec![mark(1000, 10), mark(61_000, 13_500)], &["D60"]),
            (because(Some(PauseReason::Hold)), &["D60"]),
            (because(Some(PauseReason::Other)), &["D60"]),
            (because(None), &[]),
        ];
        let expected = wanted();
        for (pauses, wanted) in rows {
            let mut actual = conversation(&expected);
            first(&mut actual).pauses = pauses.clone();
            assert_eq!(codes(&expected, &actual), *wanted, "{pauses:?}");
        }
    }

    #[test]
    fn marks_that_are_instants_are_wrong_as_their_recordings_clock_is_and_no_more() {
        let whole = gir_wanted();
        let mut expected = whole.clone();
        expected
            .recordings
            .iter_mut()
            .filter_map(|recording| recording.span.as_mut())
            .for_each(|span| {
                (span.start, span.end) = (span.start.plus_ms(487), span.end.plus_ms(487));
            });
        let clocks: [fn(i64) -> i64; 3] = [
            |ms| ms / 1000,
            |ms| ms * 1000,
            |ms| ms - ms.rem_euclid(1000),
        ];
        let cut = clocks[2];
        // On whole seconds the recording's own times are right, and marks that are cut are wrong by
        // themselves.
        for (n, (expected, clock, is_own)) in clocks
            .map(|clock| (&expected, clock, false))
            .into_iter()
            .chain([(&whole, cut, true)])
            .enumerate()
        {
            let told = |reading: &TimeReading| {
                reading.instant().map_or(TimeReading::Absent, |at| {
                    TimeReading::At(UtcMillis::from_ms(clock(at.ms())))
                })
            };
            let mut actual = right(expected);
            let recording = first(&mut actual);
            let start = recording.start.instant().expect("a start");
            let mark = |pause: &MarkedPause| PauseInstants {
                start: told(&TimeReading::At(start.plus_ms(pause.location_ms))),
                end: told(&TimeReading::At(
                    start.plus_ms(pause.location_ms + pause.length_ms),
                )),
            };
            let masks: Vec<PauseInstants> = recording.pauses.iter().map(mark).collect();
            (recording.start, recording.end) = (told(&recording.start), told(&recording.end));
            recording.pause_instants = masks;
            recording.pauses = pause_offsets(&recording.pause_instants, &recording.start);
            assert_eq!(
                gir_codes(expected, &actual).contains(&"D60"),
                is_own,
                "clock {n}"
            );
            let recording = first(&mut actual);
            let end = &mut recording.pause_instants[0].end;
            *end = end.instant().map_or(TimeReading::Absent, |at| {
                TimeReading::At(at.plus_ms(90_000))
            });
            recording.pauses = pause_offsets(&recording.pause_instants, &recording.start);
            assert!(
                gir_codes(expected, &actual).contains(&"D60"),
                "clock {n}, and a mark of its own"
            );
        }
    }
}
