//! What missing records have in common: a whole kind of them (D08), or every so-many-th of the
//! source's list (D06). One record that is missing says nothing of why; ten at the ends of pages
//! do.

use std::collections::{BTreeMap, BTreeSet};

use crate::checks::presence::Judged;
use crate::cross_call::Place;
use crate::defect::Defect;
use crate::expected::{Expectation, Presence};
use crate::verdict::Bucket;

/// Fewer than this may lie anywhere by chance: of 60 calls, four at equal distances are one choice
/// in 4,000.
const FEWEST: usize = 4;
/// A filter leaves out all of a kind; a page that was read twice may have brought back one of many.
/// Share.
const WHOLE: f64 = 0.97;
/// What is missing beside the pattern has causes of its own; with more of it the pattern explains
/// nothing. Share.
const BESIDE: f64 = 0.1;
/// A cursor that is mistaken at its end loses the last record of a page and the first of the next.
const WIDEST: usize = 2;

/// Something that should be in the target, by itself or with all that belongs to it.
struct Unit {
    places: Vec<Place>,
    kinds: Vec<String>,
    missing: bool,
}

/// Names the pattern in the findings of what is missing.
pub(crate) fn name(expectations: &[Expectation], judged: &mut [Judged]) {
    let calls = calls(expectations, judged);
    let named = name_units(expectations, &calls, "calls", judged);
    let recordings: Vec<Unit> = recordings(expectations, judged)
        .into_iter()
        .filter(|unit| !named.contains(&unit.places[0]))
        .collect();
    name_units(expectations, &recordings, "recordings", judged);
}

/// Returns what was named.
fn name_units(
    expectations: &[Expectation],
    units: &[Unit],
    what: &str,
    judged: &mut [Judged],
) -> BTreeSet<Place> {
    let mut left: BTreeSet<usize> = (0..units.len()).filter(|at| units[*at].missing).collect();
    let mut named = BTreeSet::new();
    while left.len() >= FEWEST {
        let Some((defect, cause, explained)) = by_kind(units, &left)
            .map(|(cause, found)| (Defect::KindOfCallMissing, cause, found))
            .or_else(|| {
                by_distance(expectations, units, &left, what)
                    .map(|(cause, found)| (Defect::EveryNthMissing, cause, found))
            })
        else {
            break;
        };
        for at in &explained {
            for place in &units[*at].places {
                rename(expectations, *place, defect, &cause, judged);
                named.insert(*place);
            }
        }
        left.retain(|at| !explained.contains(at));
    }
    named
}

fn rename(
    expectations: &[Expectation],
    (case, at): Place,
    defect: Defect,
    cause: &str,
    judged: &mut [Judged],
) {
    let id = expectations[case]
        .recordings
        .get(at)
        .map(|recording| &recording.legacy_id);
    for finding in judged[case].findings.iter_mut().filter(|finding| {
        finding.defect == Defect::MissingRecording && finding.legacy_recording_id.as_ref() == id
    }) {
        *finding = finding.clone().reclassed(defect).because(cause);
        finding.consequences.insert(0, cause.to_owned());
    }
}

/// Calls that should be there: missing where nothing of them is.
fn calls(expectations: &[Expectation], judged: &[Judged]) -> Vec<Unit> {
    let units =
        expectations
            .iter()
            .zip(judged)
            .enumerate()
            .filter_map(|(case, (expected, judged))| {
                let due = |at: &usize| {
                    matches!(
                        judged.buckets[*at],
                        Bucket::Matched | Bucket::Different | Bucket::Missing
                    )
                };
                let due: Vec<usize> = (0..expected.recordings.len()).filter(due).collect();
                let is_lost = judged.findings.iter().any(|finding| {
                    finding.defect == Defect::MissingRecording
                        && finding.legacy_recording_id.is_none()
                });
                if expected.recordings.is_empty() {
                    let is_due = expected.presence == Presence::Expected;
                    let may = is_lost || is_due && judged.unverifiable.is_none();
                    return may.then(|| Unit {
                        places: vec![(case, 0)],
                        kinds: expected.kinds.clone(),
                        missing: is_lost,
                    });
                }
                let missing = due.iter().all(|at| judged.buckets[*at] == Bucket::Missing);
                let unit = || Unit {
                    places: due.iter().map(|at| (case, *at)).collect(),
                    kinds: expected.kinds.clone(),
                    missing,
                };
                (!due.is_empty()).then(unit)
            });
    units.collect()
}

/// Recordings that should be there, one by one.
fn recordings(expectations: &[Expectation], judged: &[Judged]) -> Vec<Unit> {
    let units =
        expectations
            .iter()
            .zip(judged)
            .enumerate()
            .flat_map(|(case, (expected, judged))| {
                judged
                    .buckets
                    .iter()
                    .enumerate()
                    .filter_map(move |(at, bucket)| {
                        let due = matches!(
                            bucket,
                            Bucket::Matched | Bucket::Different | Bucket::Missing
                        );
                        let recording = &expected.recordings[at];
                        let kinds = [
                            (at > 0, "recordings after the first of their call"),
                            (
                                at == 0 && expected.recordings.len() > 1,
                                "first recordings of several",
                            ),
                            (!recording.pauses.is_empty(), "recordings with a pause"),
                            (
                                recording.delete_at.is_none(),
                                "recordings without a deletion date",
                            ),
                        ];
                        let kinds = kinds
                            .into_iter()
                            .filter(|(is_so, _)| *is_so)
                            .map(|(_, kind)| kind.to_owned())
                            .collect();
                        due.then(|| Unit {
                            places: vec![(case, at)],
                            kinds,
                            missing: *bucket == Bucket::Missing,
                        })
                    })
            });
    units.collect()
}

/// The kind that is missing as a whole, and what of it is.
fn by_kind(units: &[Unit], left: &BTreeSet<usize>) -> Option<(String, BTreeSet<usize>)> {
    let mut kinds: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, unit) in units.iter().enumerate() {
        for kind in &unit.kinds {
            kinds.entry(kind).or_default().push(at);
        }
    }
    let whole = |members: &Vec<usize>| {
        let missing = members.iter().filter(|at| left.contains(at)).count();
        let beside = (left.len() - missing) as f64;
        let others = (units.len() - members.len()) as f64;
        missing >= FEWEST
            && missing as f64 >= WHOLE * members.len() as f64
            && others >= 1.0
            && beside <= BESIDE * others
    };
    let found = kinds.into_iter().filter(|(_, members)| whole(members));
    let (kind, members) =
        found.max_by_key(|(kind, members)| (members.len(), std::cmp::Reverse(*kind)))?;
    let missing: BTreeSet<usize> = members
        .iter()
        .copied()
        .filter(|at| left.contains(at))
        .collect();
    Some((
        format!(
            "{} of {} {kind} are missing, and hardly any other",
            missing.len(),
            members.len()
        ),
        missing,
    ))
}

/// The distance at which they are missing: in the order of ids or of starts, counted over all of
/// the source or over what should be there.
fn by_distance(
    expectations: &[Expectation],
    units: &[Unit],
    left: &BTreeSet<usize>,
    what: &str,
) -> Option<(String, BTreeSet<usize>)> {
    let case = |at: usize| units[at].places[0].0;
    let mut by_start: Vec<usize> = (0..units.len()).collect();
    by_start.sort_by_key(|at| (expectations[case(*at)].span.map(|span| span.start), *at));
    let all: BTreeMap<usize, usize> = (0..expectations.len()).map(|case| (case, case)).collect();
    let mut cases_by_start: Vec<usize> = (0..expectations.len()).collect();
    cases_by_start.sort_by_key(|case| (expectations[*case].span.map(|span| span.start), *case));
    let all_by_start: BTreeMap<usize, usize> = cases_by_start
        .into_iter()
        .enumerate()
        .map(|(place, case)| (case, place))
        .collect();
    let dense = |order: &[usize]| {
        order
            .iter()
            .enumerate()
            .map(|(place, at)| (*at, place))
            .collect::<BTreeMap<usize, usize>>()
    };
    let in_order: Vec<usize> = (0..units.len()).collect();
    let orders = [
        ("in the order of ids", dense(&in_order)),
        (
            "in the order of ids",
            in_order.iter().map(|at| (*at, all[&case(*at)])).collect(),
        ),
        ("in the order of their starts", dense(&by_start)),
        (
            "in the order of their starts",
            in_order
                .iter()
                .map(|at| (*at, all_by_start[&case(*at)]))
                .collect(),
        ),
    ];
    orders.into_iter().find_map(|(order, places)| {
        let (distance, width, found) = equidistant(&places, left)?;
        let ends = if width > 1 {
            format!("{width} neighbours of every {distance}")
        } else {
            format!("one of every {distance}")
        };
        Some((format!("{ends} {what} is missing, {order}"), found))
    })
}

/// Distance, how many neighbours at each, and what is missing there. `places`: where each unit
/// stands in the list.
fn equidistant(
    places: &BTreeMap<usize, usize>,
    left: &BTreeSet<usize>,
) -> Option<(usize, usize, BTreeSet<usize>)> {
    let length = places.values().max()? + 1;
    let last = length - 1;
    for width in 1..=WIDEST {
        // What the pattern explains is nearly all that is missing, and nearly all at those places
        // is missing.
        let about = (width * length) as f64 / left.len() as f64;
        let (least, most) = (
            (about * 0.7).floor() as usize,
            (about * 1.4).ceil() as usize + 1,
        );
        for distance in least.max(width + 1)..=most.min(length / 2) {
            let mut due = vec![0_usize; distance];
            let mut missing = vec![0_usize; distance];
            for (at, place) in places {
                // Before the first record of the list nothing ended.
                due[place % distance] += usize::from(*place > 0 || left.contains(at));
                missing[place % distance] += usize::from(left.contains(at));
            }
            let of = |counts: &[usize], from: usize| {
                (from..from + width)
                    .map(|at| counts[at % distance])
                    .sum::<usize>()
            };
            let Some(from) =
                (0..distance).max_by_key(|from| (of(&missing, *from), std::cmp::Reverse(*from)))
            else {
                continue;
            };
            let in_pattern = |place: usize| {
                (place % distance + distance - from) % distance < width || place == last
            };
            let found: BTreeSet<usize> = left
                .iter()
                .copied()
                .filter(|at| in_pattern(places[at]))
                .collect();
            let is_whole = of(&missing, from) as f64 >= WHOLE * of(&due, from) as f64;
            if is_whole
                && of(&missing, from) >= FEWEST
                && (left.len() - found.len()) as f64 <= BESIDE * left.len() as f64
            {
                return Some((distance, width, found));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::wanted;
    use crate::finding::Finding;

    /// So many calls of one recording each; kinds by a function of their place; these are missing.
    fn world(
        count: usize,
        kinds: fn(usize) -> &'static str,
        missing: impl Fn(usize) -> bool,
    ) -> (Vec<Expectation>, Vec<Judged>) {
        let one = |at: usize| {
            let mut expected = wanted();
            expected.legacy_id = format!("{}", 100_000 + at);
            expected.kinds = vec![kinds(at).to_owned()];
            expected.recordings.truncate(1);
            expected.recordings[0].legacy_id = format!("{}-1", expected.legacy_id);
            let finding = Finding::new(Defect::MissingRecording, "recording")
                .of(&expected.legacy_id)
                .recording(&expected.recordings[0].legacy_id);
            let judged = match missing(at) {
                true => Judged {
                    findings: vec![finding],
                    buckets: vec![Bucket::Missing],
                    ..Judged::default()
                },
                false => Judged {
                    buckets: vec![Bucket::Matched],
                    ..Judged::default()
                },
            };
            (expected, judged)
        };
        (0..count).map(one).unzip()
    }

    fn named(
        (expectations, mut judged): (Vec<Expectation>, Vec<Judged>),
    ) -> BTreeMap<&'static str, usize> {
        name(&expectations, &mut judged);
        let mut codes = BTreeMap::new();
        judged
            .iter()
            .flat_map(|judged| &judged.findings)
            .for_each(|finding| *codes.entry(finding.defect.code()).or_default() += 1);
        codes
    }

    fn direction(at: usize) -> &'static str {
        if at.is_multiple_of(3) {
            "outbound"
        } else {
            "inbound"
        }
    }

    #[test]
    fn a_kind_that_is_missing_as_a_whole_is_named_and_one_that_is_not_is_none() {
        assert_eq!(
            named(world(60, direction, |at| at % 3 == 0)),
            BTreeMap::from([("D08", 20)])
        );
        assert_eq!(
            named(world(60, |_| "inbound", |at| at < 50)),
            BTreeMap::from([("D01", 50)]),
            "nearly everything"
        );
        assert_eq!(
            named(world(60, direction, |_| true)),
            BTreeMap::from([("D01", 60)]),
            "everything"
        );
        assert_eq!(
            named(world(60, direction, |at| at % 3 == 0 && at > 20)),
            BTreeMap::from([("D01", 13)]),
            "a part of a kind"
        );
        assert_eq!(
            named(world(60, direction, |at| at % 3 == 0 || at == 7)),
            BTreeMap::from([("D01", 1), ("D08", 20)])
        );
    }

    #[test]
    fn what_is_missing_at_equal_distances_is_named() {
        let any = |_: usize| "calls";
        assert_eq!(
            named(world(60, any, |at| at % 10 == 9)),
            BTreeMap::from([("D06", 6)])
        );
        assert_eq!(
            named(world(60, any, |at| at % 10 == 3)),
            BTreeMap::from([("D06", 6)])
        );
        assert_eq!(
            named(world(225, any, |at| at % 50 == 49 || at == 224)),
            BTreeMap::from([("D06", 5)]),
            "the last of each page"
        );
        assert_eq!(
            named(world(400, any, |at| [0, 99].contains(&(at % 100)) && at > 0)),
            BTreeMap::from([("D06", 7)]),
            "both ends of a page"
        );
        assert_eq!(
            named(world(60, any, |at| [3, 11, 29, 30, 52].contains(&at))),
            BTreeMap::from([("D01", 5)]),
            "anywhere"
        );
        assert_eq!(
            named(world(60, any, |at| (20..26).contains(&at))),
            BTreeMap::from([("D01", 6)]),
            "in a row"
        );
        assert_eq!(
            named(world(60, any, |at| at % 20 == 19)),
            BTreeMap::from([("D01", 3)]),
            "three may be chance"
        );
    }

    #[test]
    fn later_recordings_of_each_call_are_a_kind() {
        let (mut expectations, mut judged) = world(12, |_| "calls", |_| false);
        for (expected, judged) in expectations.iter_mut().zip(&mut judged) {
            let mut second = expected.recordings[0].clone();
            second.legacy_id = format!("{}-2", expected.legacy_id);
            judged.findings.push(
                Finding::new(Defect::MissingRecording, "recording")
                    .of(&expected.legacy_id)
                    .recording(&second.legacy_id),
            );
            judged.buckets.push(Bucket::Missing);
            expected.recordings.push(second);
        }
        assert_eq!(named((expectations, judged)), BTreeMap::from([("D08", 12)]));
    }

    proptest::proptest! {
        #[test]
        fn no_pattern_panics_or_loses_a_finding(missing in proptest::collection::vec(proptest::bool::ANY, 1..80)) {
            let count = missing.iter().filter(|missing| **missing).count();
            let named = named(world(missing.len(), direction, |at| missing[at]));
            proptest::prop_assert_eq!(named.values().sum::<usize>(), count);
        }
    }
}
