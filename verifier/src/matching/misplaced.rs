//! What stands in the target under another id, in pieces or on another call: found by what it is,
//! so that one cause is one finding.
//!
//! Ids exchanged between calls (D13), ids damaged on their way (D63), calls in several
//! conversations (D05), recordings on other calls (D13).

use std::collections::{BTreeMap, HashMap};

use super::{Carries, Pairing, same_times};
use crate::expected::{Expectation, ExpectedRecording, Presence, digits};
use crate::observed::{TargetConversation, TargetLeg, TargetRecording};
use crate::text::Text;
use crate::utc_millis::UtcMillis;

/// Times may be written with less precision than the source has. Milliseconds.
const CLOSE_MS: u64 = 1000;
/// What a conversation must have in common with another call beyond its times, and not with its
/// own, before its id is called wrong: one number may be damaged, two things that both point to the
/// same call are no accident.
const EVIDENCE: usize = 2;

/// Cases by the second in which they begin; asked for a second, it answers those of its neighbours
/// too.
struct ByStart(HashMap<i64, Vec<usize>>);

impl ByStart {
    fn of(starts: impl Iterator<Item = (usize, Option<UtcMillis>)>) -> ByStart {
        let mut cases: HashMap<i64, Vec<usize>> = HashMap::new();
        for (case, start) in starts.filter_map(|(case, start)| Some((case, start?))) {
            cases.entry(start.seconds()).or_default().push(case);
        }
        ByStart(cases)
    }

    fn near(&self, start: UtcMillis) -> impl Iterator<Item = usize> {
        let second = start.seconds();
        (second - 1..=second + 1)
            .filter_map(|second| self.0.get(&second))
            .flatten()
            .copied()
    }
}

fn is_close(a: UtcMillis, b: UtcMillis) -> bool {
    a.since(b).unsigned_abs() <= CLOSE_MS
}

/// Whether a conversation begins and ends when a call does.
pub(crate) fn has_times_of(expected: &Expectation, conversation: &TargetConversation) -> bool {
    let ends = (conversation.start.instant(), conversation.end.instant());
    matches!((expected.span, ends), (Some(span), (Some(start), Some(end))) if is_close(span.start, start) && is_close(span.end, end))
}

/// How many things beside its times are not those of a call: numbers, agents, queue, and what is
/// written of the source's own values.
fn differences(expected: &Expectation, conversation: &TargetConversation) -> usize {
    let number = |wanted: &Option<Text>, actual: &[Text]| {
        wanted
            .as_ref()
            .is_some_and(|wanted| !actual.iter().any(|actual| digits(actual) == digits(wanted)))
    };
    let attribute = |name: &str| {
        let wanted = expected.attributes.get(name).map(|wanted| &wanted.any_of);
        wanted
            .zip(conversation.attributes.get(name))
            .is_some_and(|(wanted, actual)| !wanted.contains(actual))
    };
    let users: Vec<&str> = conversation
        .legs
        .iter()
        .filter_map(|leg| leg.user.as_deref())
        .collect();
    let queue = expected.queue.map(|queue| queue.to_string());
    let differing = [
        number(&expected.ani, &conversation.anis),
        number(&expected.dnis, &conversation.dnises),
        expected
            .legs
            .iter()
            .any(|leg| !users.contains(&leg.user.as_str())),
        queue.is_some_and(|queue| {
            !conversation
                .queues
                .iter()
                .any(|actual| actual.eq_ignore_ascii_case(&queue))
        }),
        attribute("st.raw_start"),
        attribute("st.file_name"),
        attribute("st.wait_ms"),
    ];
    differing.into_iter().filter(|differs| *differs).count()
}

/// Conversations that carry each other's ids, or each the next one's: each is given to the call
/// that it is.
pub(super) fn exchanged_ids(
    expectations: &[Expectation],
    ours: &[TargetConversation],
    found: &mut [Vec<usize>],
    carries: &mut [Carries],
) {
    let by_start = ByStart::of(
        expectations
            .iter()
            .enumerate()
            .map(|(case, expected)| (case, expected.span.map(|span| span.start))),
    );
    let owner = |case: usize, conversation: &TargetConversation| {
        let start = conversation.start.instant()?;
        let own = differences(&expectations[case], conversation);
        let is_of = |other: &usize| {
            *other != case
                && has_times_of(&expectations[*other], conversation)
                && differences(&expectations[*other], conversation) + EVIDENCE <= own
        };
        let mut owners = by_start.near(start).filter(is_of);
        owners.next().filter(|_| owners.next().is_none())
    };
    let mut moves: BTreeMap<usize, usize> = BTreeMap::new();
    for (case, found) in found.iter().enumerate() {
        let [only] = found.as_slice() else { continue };
        if expectations[case].span.is_some()
            && !has_times_of(&expectations[case], &ours[*only])
            && let Some(owner) = owner(case, &ours[*only])
        {
            moves.insert(case, owner);
        }
    }
    // A call keeps a conversation that nothing says is another's; then what carries another id
    // beside it is a copy.
    loop {
        let keeps = |owner: &usize| !found[*owner].is_empty() && !moves.contains_key(owner);
        let twice = |owner: &usize| moves.values().filter(|other| *other == owner).count() > 1;
        let stuck: Vec<usize> = moves
            .iter()
            .filter(|(_, owner)| keeps(owner) || twice(owner))
            .map(|(case, _)| *case)
            .collect();
        if stuck.is_empty() {
            break;
        }
        moves.retain(|case, _| !stuck.contains(case));
    }
    let taken: Vec<(usize, usize, Vec<usize>)> = moves
        .into_iter()
        .map(|(case, owner)| (case, owner, std::mem::take(&mut found[case])))
        .collect();
    for (case, owner, conversations) in taken {
        found[owner] = conversations;
        carries[owner] = Carries::Anothers(expectations[case].legacy_id.clone());
    }
}

/// Conversations whose id is that of a call that has none, damaged: in other case, without its
/// leading zeros, rounded, or in whatever way, where everything else is the call's.
pub(super) fn damaged_ids(
    expectations: &[Expectation],
    ours: &[TargetConversation],
    found: &mut [Vec<usize>],
    unclaimed: &mut Vec<usize>,
    carries: &mut [Carries],
) {
    if unclaimed.is_empty() {
        return;
    }
    let is_lost = |case: usize, found: &[Vec<usize>]| {
        found[case].is_empty() && expectations[case].presence == Presence::Expected
    };
    let lost: Vec<usize> = (0..expectations.len())
        .filter(|case| is_lost(*case, found))
        .collect();
    let mut by_form: HashMap<String, Vec<usize>> = HashMap::new();
    for case in &lost {
        for form in forms(&expectations[*case].legacy_id) {
            by_form.entry(form).or_default().push(*case);
        }
    }
    let by_start = ByStart::of(
        lost.iter()
            .map(|case| (*case, expectations[*case].span.map(|span| span.start))),
    );
    unclaimed.retain(|at| {
        let conversation = &ours[*at];
        let id = conversation.legacy_id.clone().unwrap_or_default();
        let is_it = |case: &usize| {
            has_times_of(&expectations[*case], conversation)
                && differences(&expectations[*case], conversation) == 0
        };
        let by_id: Vec<usize> = forms(&id)
            .iter()
            .filter_map(|form| by_form.get(form))
            .flatten()
            .copied()
            .collect();
        let by_id =
            one_of(by_id.iter().copied().filter(|case| is_lost(*case, found))).or_else(|| {
                one_of(
                    by_id
                        .iter()
                        .copied()
                        .filter(|case| is_lost(*case, found) && is_it(case)),
                )
            });
        let by_content = || {
            one_of(
                by_start
                    .near(conversation.start.instant()?)
                    .filter(|case| is_lost(*case, found) && is_it(case)),
            )
        };
        let Some(case) = by_id.or_else(by_content) else {
            return true;
        };
        found[case].push(*at);
        carries[case] = Carries::Damaged(id);
        false
    });
}

/// The one there is, where all are the same.
fn one_of(mut cases: impl Iterator<Item = usize>) -> Option<usize> {
    let first = cases.next()?;
    cases.all(|other| other == first).then_some(first)
}

/// What is left of an id by the usual damages: letters and digits alone, in lower case, without
/// leading zeros; and as a number of double precision, which keeps 53 bits.
fn forms(id: &str) -> Vec<String> {
    let bare: String = id
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect();
    let bare = bare.trim_start_matches('0');
    let is_number = id.starts_with(|character: char| character.is_ascii_digit());
    let rounded = is_number
        .then(|| id.parse::<f64>().ok())
        .flatten()
        .filter(|number| number.is_finite() && *number > 0.0);
    let bare = (!bare.is_empty()).then(|| format!("={bare}"));
    bare.into_iter()
        .chain(rounded.map(|number| format!("~{number:e}")))
        .collect()
}

/// Conversations under ids of nobody that hold the rest of a call which is there in part.
pub(super) fn further_parts(
    expectations: &[Expectation],
    ours: &[TargetConversation],
    found: &mut [Vec<usize>],
    unclaimed: &mut Vec<usize>,
) {
    let starts = expectations
        .iter()
        .enumerate()
        .flat_map(|(case, expected)| {
            expected
                .recordings
                .iter()
                .map(move |recording| (case, recording.span.map(|span| span.start)))
        });
    if unclaimed.is_empty() {
        return;
    }
    let by_start = ByStart::of(starts);
    unclaimed.retain(|at| {
        let first = ours[*at]
            .read_recordings()
            .iter()
            .find_map(|recording| recording.start.instant());
        let Some(first) = first else { return true };
        let completes = |case: &usize| {
            let all: Vec<&TargetConversation> = found[*case]
                .iter()
                .chain([at])
                .map(|at| &ours[*at])
                .collect();
            all.len() > 1 && are_parts(&expectations[*case], &all)
        };
        let Some(case) = by_start.near(first).find(completes) else {
            return true;
        };
        found[case].push(*at);
        false
    });
}

/// Whether conversations are the pieces of one call: together they have its recordings, each once,
/// or its legs, and none has all.
pub(super) fn are_parts(expected: &Expectation, conversations: &[&TargetConversation]) -> bool {
    let wanted: Vec<&ExpectedRecording> = expected
        .recordings
        .iter()
        .filter(|recording| !matches!(recording.presence, Presence::Absent(_)))
        .collect();
    let has = |conversation: &TargetConversation, wanted: &ExpectedRecording| {
        conversation
            .read_recordings()
            .iter()
            .any(|actual| same_times(wanted, actual))
    };
    let times = |wanted: &ExpectedRecording| {
        conversations
            .iter()
            .filter(|conversation| has(conversation, wanted))
            .count()
    };
    let each_once = wanted.iter().all(|wanted| times(wanted) == 1);
    let is_whole =
        |conversation: &&TargetConversation| wanted.iter().all(|wanted| has(conversation, wanted));
    if !each_once {
        return false;
    }
    if wanted.len() > 1 && !conversations.iter().any(is_whole) {
        return conversations
            .iter()
            .all(|conversation| wanted.iter().any(|wanted| has(conversation, wanted)));
    }
    let user = |leg: &TargetLeg| leg.user.clone().unwrap_or_default();
    let mut legs: Vec<Text> = conversations
        .iter()
        .flat_map(|conversation| conversation.legs.iter().map(user))
        .collect();
    let mut right: Vec<Text> = expected.legs.iter().map(|leg| leg.user.clone()).collect();
    legs.sort_unstable();
    right.sort_unstable();
    right.len() > 1
        && legs == right
        && conversations
            .iter()
            .all(|conversation| !conversation.legs.is_empty())
}

/// Recordings that stand in a place of their conversation's call and are another call's, whose own
/// place is empty or wrong: they are paired with nothing, so that they are found to hang on the
/// wrong call rather than to be wrong in everything.
pub(super) fn recordings(
    expectations: &[Expectation],
    ours: &[TargetConversation],
    pairings: &mut [Pairing],
) {
    let places = || {
        expectations
            .iter()
            .enumerate()
            .flat_map(|(case, expected)| (0..expected.recordings.len()).map(move |at| (case, at)))
    };
    let actual = |pairings: &[Pairing], (case, at): (usize, usize)| -> Option<TargetRecording> {
        let pairing = &pairings[case];
        ours[pairing.conversation?]
            .read_recordings()
            .get(pairing.recordings[at]?)
            .cloned()
    };
    let is_wrong = |pairings: &[Pairing], place: (usize, usize)| {
        let recording = &expectations[place.0].recordings[place.1];
        actual(pairings, place).is_none_or(|actual| !same_times(recording, &actual))
    };
    let suspicious: Vec<(usize, usize)> = places()
        .filter(|place| {
            is_in_place(expectations, ours, pairings, place.0)
                && actual(pairings, *place).is_some()
                && is_wrong(pairings, *place)
        })
        .collect();
    if suspicious.is_empty() {
        return;
    }
    let all: Vec<(usize, usize)> = places().collect();
    let start = |(case, at): &(usize, usize)| {
        expectations[*case].recordings[*at]
            .span
            .map(|span| span.start)
    };
    let by_start = ByStart::of(
        all.iter()
            .enumerate()
            .map(|(nth, place)| (nth, start(place))),
    );
    let is_anothers = |place: &(usize, usize)| {
        let Some(actual) = actual(pairings, *place) else {
            return false;
        };
        let Some(start) = actual.start.instant() else {
            return false;
        };
        by_start.near(start).map(|nth| all[nth]).any(|other| {
            other.0 != place.0
                && same_times(&expectations[other.0].recordings[other.1], &actual)
                && is_wrong(pairings, other)
        })
    };
    let misplaced: Vec<(usize, usize)> = suspicious.into_iter().filter(is_anothers).collect();
    for (case, at) in misplaced {
        let taken = pairings[case].recordings[at].take();
        pairings[case].unpaired.extend(taken);
    }
}

/// Whether a conversation begins when its call does: of one that is shifted as a whole the
/// recordings are shifted too.
fn is_in_place(
    expectations: &[Expectation],
    ours: &[TargetConversation],
    pairings: &[Pairing],
    case: usize,
) -> bool {
    let start = pairings[case]
        .conversation
        .and_then(|at| ours[at].start.instant());
    expectations[case]
        .span
        .zip(start)
        .is_some_and(|(span, start)| is_close(span.start, start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{conversation, wanted};
    use crate::matching::pair;
    use crate::observed::{Recordings, TimeReading};

    /// Two calls of other people at other times, and what a right migration leaves of them.
    fn two() -> (Vec<Expectation>, Vec<TargetConversation>) {
        let first = wanted();
        let mut second = wanted();
        let later = |span: &mut Option<crate::expected::Span>| {
            if let Some(span) = span {
                (span.start, span.end) =
                    (span.start.plus_ms(5_000_000), span.end.plus_ms(5_000_000));
            }
        };
        second.legacy_id = "100002".into();
        (second.ani, second.dnis) = (Some("+15550100555".into()), Some("+18005550999".into()));
        later(&mut second.span);
        second.legs.iter_mut().for_each(|leg| later(&mut leg.span));
        for (at, recording) in second.recordings.iter_mut().enumerate() {
            recording.legacy_id = format!("100002-{}", at + 1).into();
            later(&mut recording.span);
        }
        let ours = [&first, &second].map(conversation).to_vec();
        (vec![first, second], ours)
    }

    #[test]
    fn exchanged_ids_are_given_back_and_shifted_times_are_not_mistaken_for_them() {
        let (expectations, mut ours) = two();
        (ours[0].legacy_id, ours[1].legacy_id) =
            (ours[1].legacy_id.clone(), ours[0].legacy_id.clone());
        let (pairings, _) = pair(&expectations, &ours);
        assert_eq!(
            (pairings[0].conversation, pairings[1].conversation),
            (Some(0), Some(1))
        );
        assert_eq!(pairings[0].carries, Carries::Anothers("100002".into()));
        assert_eq!(pairings[1].carries, Carries::Anothers("100001".into()));
        let (expectations, mut ours) = two();
        (ours[0].start, ours[1].start) = (ours[1].start.clone(), ours[0].start.clone());
        (ours[0].end, ours[1].end) = (ours[1].end.clone(), ours[0].end.clone());
        let (pairings, _) = pair(&expectations, &ours);
        assert!(
            pairings
                .iter()
                .all(|pairing| pairing.carries == Carries::Own),
            "only the times are exchanged"
        );
    }

    #[test]
    fn a_damaged_id_is_found_by_its_form_or_by_the_call_itself() {
        let rows = [
            ("9007199254740993", "9007199254740992", true, true),
            ("9007199254740993", "9.007199254740992e15", true, true),
            ("000123", "123", true, true),
            ("AB-12-cd", "ab-12-CD", true, true),
            ("{0A0B}", "0a0b", true, true),
            ("100001", "1000017", false, true),
            ("100001", "1000017", true, false),
        ];
        for (right, damaged, shifted, is_found) in rows {
            let mut expected = wanted();
            expected.legacy_id = right.into();
            let mut actual = conversation(&expected);
            actual.legacy_id = Some(damaged.into());
            if shifted {
                actual.start =
                    TimeReading::At(actual.start.instant().expect("a start").plus_ms(7_200_000));
            }
            let (pairings, unclaimed) = pair(std::slice::from_ref(&expected), &[actual]);
            let wanted = if is_found {
                Carries::Damaged(damaged.into())
            } else {
                Carries::Own
            };
            assert_eq!(
                (&pairings[0].carries, unclaimed.is_empty()),
                (&wanted, is_found),
                "{damaged} for {right}"
            );
        }
    }

    #[test]
    fn one_call_in_two_conversations_is_in_parts_and_a_second_whole_one_is_a_copy() {
        let expected = wanted();
        let whole = conversation(&expected);
        let part = |at: usize| {
            let mut part = whole.clone();
            part.id = format!("part {at}").into();
            part.legs = vec![whole.legs[at].clone()];
            part.recordings = Recordings::Read(vec![whole.read_recordings()[at].clone()]);
            part
        };
        let one = std::slice::from_ref(&expected);
        let (pairings, _) = pair(one, &[part(0), part(1)]);
        assert_eq!((pairings[0].parts.len(), pairings[0].copies.len()), (1, 0));
        let (pairings, _) = pair(one, &[whole.clone(), part(1)]);
        assert_eq!(
            (pairings[0].parts.len(), pairings[0].copies.len()),
            (0, 1),
            "a part of what is whole"
        );
        let (pairings, _) = pair(one, &[part(0), part(0)]);
        assert_eq!(
            (pairings[0].parts.len(), pairings[0].copies.len()),
            (0, 1),
            "the same part twice"
        );
        let mut other = part(1);
        other.legacy_id = Some("100001b".into());
        let (pairings, unclaimed) = pair(one, &[part(0), other]);
        assert_eq!(
            (pairings[0].parts.len(), unclaimed.len()),
            (1, 0),
            "under an id of its own"
        );
        let legs = |range: std::ops::Range<usize>| {
            let mut part = whole.clone();
            part.legs = whole.legs[range.clone()].to_vec();
            part.recordings = Recordings::Read(Vec::new());
            part
        };
        let mut bare = expected.clone();
        bare.recordings.clear();
        let (pairings, _) = pair(std::slice::from_ref(&bare), &[legs(0..1), legs(1..2)]);
        assert_eq!(pairings[0].parts.len(), 1, "a transfer without recordings");
    }

    #[test]
    fn a_recording_of_another_call_is_paired_with_nothing() {
        let (expectations, mut ours) = two();
        let moved: Vec<_> = ours
            .iter()
            .map(|ours| ours.read_recordings()[0].clone())
            .collect();
        for (ours, moved) in ours.iter_mut().zip(moved.into_iter().rev()) {
            if let Recordings::Read(recordings) = &mut ours.recordings {
                recordings[0] = moved;
            }
        }
        let (pairings, _) = pair(&expectations, &ours);
        for pairing in &pairings {
            assert_eq!((pairing.recordings[0], pairing.unpaired.len()), (None, 1));
        }
        // Shifted as a whole, each recording lies where the next call's would.
        let (mut expectations, _) = two();
        let shift = 5_000_000;
        let mut ours: Vec<TargetConversation> = expectations.iter().map(conversation).collect();
        for ours in &mut ours {
            ours.start = TimeReading::At(ours.start.instant().expect("a start").plus_ms(shift));
            if let Recordings::Read(recordings) = &mut ours.recordings {
                recordings.iter_mut().for_each(|recording| {
                    recording.start =
                        TimeReading::At(recording.start.instant().expect("a start").plus_ms(shift));
                    recording.end =
                        TimeReading::At(recording.end.instant().expect("an end").plus_ms(shift));
                });
            }
        }
        expectations
            .iter_mut()
            .for_each(|expected| (expected.ani, expected.dnis) = (None, None));
        let (pairings, _) = pair(&expectations, &ours);
        assert!(pairings.iter().all(|pairing| pairing.unpaired.is_empty()));
    }
}
