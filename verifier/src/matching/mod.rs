//! Which conversation is which interaction's, and which recording which. By the carrier, then start
//! and length; ids of the target are never compared.

mod misplaced;

use std::collections::HashMap;

pub(crate) use misplaced::has_times_of;

use crate::expected::{Expectation, ExpectedRecording, Presence};
use crate::observed::{TargetConversation, TargetRecording};
use crate::text::Text;
use crate::utc_millis::UtcMillis;

/// What belongs to one interaction, as indexes into the target's conversations and the
/// conversation's recordings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pairing {
    /// Its conversation. Absent: there is none.
    pub(crate) conversation: Option<usize>,
    /// Further conversations with the same source.
    pub(crate) copies: Vec<usize>,
    /// Further conversations that are the rest of the same call.
    pub(crate) parts: Vec<usize>,
    /// For each recording of the source: its recording there.
    pub(crate) recordings: Vec<Option<usize>>,
    /// Recordings there that no recording of the source fits.
    pub(crate) unpaired: Vec<usize>,
    /// How the conversation was found, where it does not carry the interaction's own id.
    pub(crate) carries: Carries,
}

/// Which id a conversation carries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Carries {
    /// The interaction's own.
    #[default]
    Own,
    /// One that no interaction has: its own, damaged.
    Damaged(Text),
    /// Another interaction's.
    Anothers(Text),
}

/// All pairings, and the conversations of ours that no interaction claims.
pub(crate) fn pair(
    expectations: &[Expectation],
    ours: &[TargetConversation],
) -> (Vec<Pairing>, Vec<usize>) {
    let mut by_legacy: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, conversation) in ours.iter().enumerate() {
        by_legacy
            .entry(conversation.legacy_id.as_deref().unwrap_or_default())
            .or_default()
            .push(at);
    }
    let mut found: Vec<Vec<usize>> = expectations
        .iter()
        .map(|expected| {
            by_legacy
                .remove(expected.legacy_id.as_str())
                .unwrap_or_default()
        })
        .collect();
    let mut unclaimed: Vec<usize> = by_legacy.into_values().flatten().collect();
    unclaimed.sort_unstable();
    let mut carries = vec![Carries::Own; expectations.len()];
    misplaced::exchanged_ids(expectations, ours, &mut found, &mut carries);
    misplaced::damaged_ids(expectations, ours, &mut found, &mut unclaimed, &mut carries);
    misplaced::further_parts(expectations, ours, &mut found, &mut unclaimed);
    let cases = expectations.iter().zip(found).zip(carries);
    let mut pairings: Vec<Pairing> = cases
        .map(|((expected, found), carries)| Pairing {
            carries,
            ..one(expected, found, ours)
        })
        .collect();
    misplaced::recordings(expectations, ours, &mut pairings);
    (pairings, unclaimed)
}

/// What belongs to one interaction, of conversations that all carry its id.
pub(crate) fn pair_alone(expected: &Expectation, ours: &[TargetConversation]) -> Pairing {
    if let [only] = ours {
        let (recordings, unpaired) = assign(expected, only);
        return Pairing {
            conversation: Some(0),
            recordings,
            unpaired,
            ..Pairing::default()
        };
    }
    one(expected, (0..ours.len()).collect(), ours)
}

fn one(expected: &Expectation, mut found: Vec<usize>, ours: &[TargetConversation]) -> Pairing {
    found.sort_by_key(|at| preference(expected, &ours[*at]));
    let mut found = found.into_iter();
    let Some(conversation) = found.next() else {
        return Pairing {
            recordings: vec![None; expected.recordings.len()],
            ..Pairing::default()
        };
    };
    let (recordings, unpaired) = assign(expected, &ours[conversation]);
    let rest: Vec<usize> = found.collect();
    let is_split = !rest.is_empty() && {
        let all = std::iter::once(&conversation).chain(&rest);
        let all: Vec<&TargetConversation> = all.map(|at| &ours[*at]).collect();
        misplaced::are_parts(expected, &all)
    };
    let (parts, copies) = if is_split {
        (rest, Vec::new())
    } else {
        (Vec::new(), rest)
    };
    Pairing {
        conversation: Some(conversation),
        copies,
        parts,
        recordings,
        unpaired,
        carries: Carries::Own,
    }
}

/// Of several copies the one with the right start and number of recordings; then the one made
/// first.
fn preference(
    expected: &Expectation,
    conversation: &TargetConversation,
) -> (u64, usize, Option<i64>, Text) {
    let off = match (expected.span, conversation.start.instant()) {
        (Some(span), Some(start)) => start.since(span.start).unsigned_abs(),
        _ => u64::MAX,
    };
    let recordings = conversation.read_recordings();
    let created = recordings
        .iter()
        .filter_map(|recording| recording.created)
        .min()
        .map(UtcMillis::ms);
    (
        off,
        expected.recordings.len().abs_diff(recordings.len()),
        created,
        conversation.id.clone(),
    )
}

/// Recordings that must be there choose first; those that must not take what is left.
fn assign(
    expected: &Expectation,
    conversation: &TargetConversation,
) -> (Vec<Option<usize>>, Vec<usize>) {
    let actual = conversation.read_recordings();
    // One on each side, as it mostly is: there is nothing to choose.
    if let ([_], [_]) = (expected.recordings.as_slice(), actual) {
        return (vec![Some(0)], Vec::new());
    }
    let clock = TheirClock::new(expected, conversation);
    let mut assigned: Vec<Option<usize>> = vec![None; expected.recordings.len()];
    let mut free: Vec<usize> = (0..actual.len()).collect();
    for wanted in [true, false] {
        let choosing = |recording: &ExpectedRecording| {
            matches!(recording.presence, Presence::Absent(_)) != wanted
        };
        // The source's id in the target's decides between two that fit alike; what fits several as
        // well goes by position.
        let mut costs: Vec<(u64, bool, usize, usize, usize)> = Vec::new();
        for (row, recording) in expected
            .recordings
            .iter()
            .enumerate()
            .filter(|(_, recording)| choosing(recording))
        {
            for column in &free {
                let cost = cost(recording, row, &actual[*column], *column, clock);
                costs.push((
                    cost,
                    !names(&actual[*column], recording),
                    row.abs_diff(*column),
                    row,
                    *column,
                ));
            }
        }
        costs.sort_unstable();
        for (_, _, _, row, column) in costs {
            if assigned[row].is_none() && free.contains(&column) {
                assigned[row] = Some(column);
                free.retain(|at| *at != column);
            }
        }
    }
    (assigned, free)
}

/// Whether an id of the target has the source's in it: no proof, and the better of two that fit
/// alike.
fn names(actual: &TargetRecording, expected: &ExpectedRecording) -> bool {
    actual
        .id
        .split('#')
        .next()
        .is_some_and(|id| id.ends_with(expected.legacy_id.as_str()))
}

/// How the whole call's times lie in the target: in another unit, and shifted.
#[derive(Clone, Copy)]
struct TheirClock {
    times: i64,
    over: i64,
    shift_ms: i64,
}

impl TheirClock {
    fn new(expected: &Expectation, conversation: &TargetConversation) -> TheirClock {
        let same = TheirClock {
            times: 1,
            over: 1,
            shift_ms: 0,
        };
        let (Some(span), Some(start)) = (expected.span, conversation.start.instant()) else {
            return same;
        };
        // Seconds for milliseconds or the reverse, cut to the second or not.
        let clocks = [
            same,
            TheirClock {
                times: 1000,
                ..same
            },
            TheirClock { over: 1000, ..same },
        ];
        let off = |clock: &TheirClock| clock.read(start).since(span.start);
        let clock = clocks
            .into_iter()
            .min_by_key(|clock| off(clock).unsigned_abs())
            .unwrap_or(same);
        TheirClock {
            shift_ms: off(&clock),
            ..clock
        }
    }

    fn read(self, at: UtcMillis) -> UtcMillis {
        UtcMillis::from_ms(at.ms().saturating_mul(self.times) / self.over)
    }
}

/// How far start and length are apart, with or without the whole call's shift. Unknown times: by
/// position.
fn cost(
    expected: &ExpectedRecording,
    row: usize,
    actual: &TargetRecording,
    column: usize,
    clock: TheirClock,
) -> u64 {
    const UNKNOWN: u64 = 1 << 40;
    let (Some(span), Some(start)) = (expected.span, actual.start.instant()) else {
        return UNKNOWN + row.abs_diff(column) as u64;
    };
    let off = clock.read(start).since(span.start);
    let length = actual.end.instant().map_or(0, |end| {
        clock.read(end).since(clock.read(start)).abs_diff(span.ms())
    });
    off.unsigned_abs()
        .min(off.saturating_sub(clock.shift_ms).unsigned_abs())
        .saturating_add(length)
}

/// Whether a recording's times are those of another's source, within a second.
pub(crate) fn same_times(expected: &ExpectedRecording, actual: &TargetRecording) -> bool {
    const CLOSE_MS: u64 = 1000;
    match (expected.span, actual.start.instant(), actual.end.instant()) {
        (Some(span), Some(start), Some(end)) => {
            start.since(span.start).unsigned_abs() <= CLOSE_MS
                && end.since(span.end).unsigned_abs() <= CLOSE_MS
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{conversation, wanted};
    use crate::observed::Recordings;

    #[test]
    fn recordings_are_matched_by_time_even_when_the_whole_call_is_shifted_and_listed_in_another_order()
     {
        let expected = wanted();
        let mut shifted = conversation(&expected);
        shifted.start = crate::observed::TimeReading::At(
            expected.span.expect("a span").start.plus_ms(3_600_000),
        );
        if let Recordings::Read(recordings) = &mut shifted.recordings {
            recordings.reverse();
            for recording in recordings {
                recording.start = crate::observed::TimeReading::At(
                    recording
                        .start
                        .instant()
                        .expect("a start")
                        .plus_ms(3_600_000),
                );
                recording.end = crate::observed::TimeReading::At(
                    recording.end.instant().expect("an end").plus_ms(3_600_000),
                );
            }
        }
        let (pairings, unclaimed) = pair(std::slice::from_ref(&expected), &[shifted]);
        assert_eq!(pairings[0].recordings, [Some(1), Some(0)]);
        assert!(unclaimed.is_empty() && pairings[0].unpaired.is_empty());
    }

    #[test]
    fn recordings_are_matched_when_their_times_are_in_another_unit() {
        let expected = wanted();
        let mut damaged = conversation(&expected);
        let seconds = |reading: &mut crate::observed::TimeReading| {
            if let crate::observed::TimeReading::At(at) = reading {
                *at = UtcMillis::from_ms(at.ms() / 1000);
            }
        };
        seconds(&mut damaged.start);
        if let Recordings::Read(recordings) = &mut damaged.recordings {
            recordings.iter_mut().for_each(|recording| {
                seconds(&mut recording.start);
                seconds(&mut recording.end);
            });
        }
        let (pairings, _) = pair(std::slice::from_ref(&expected), &[damaged]);
        assert_eq!(pairings[0].recordings, [Some(0), Some(1)]);
    }

    #[test]
    fn the_copy_with_the_right_start_is_the_original() {
        let expected = wanted();
        let mut copy = conversation(&expected);
        copy.id = "a-copy".into();
        copy.start =
            crate::observed::TimeReading::At(expected.span.expect("a span").start.plus_ms(5000));
        let mut extra_conversation = conversation(&expected);
        extra_conversation.legacy_id = Some("999".into());
        let (pairings, unclaimed) = pair(
            std::slice::from_ref(&expected),
            &[copy, conversation(&expected), extra_conversation],
        );
        assert_eq!(
            (pairings[0].conversation, pairings[0].copies.as_slice()),
            (Some(1), &[0][..])
        );
        assert_eq!(unclaimed, [2]);
    }
}
