//! What missing records have in common: a whole kind of them (D08), or every so-many-th of the
//! source's list (D06). One record that is missing says nothing of why; ten at the ends of pages
//! do.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::checks::presence::Judged;
use crate::columns::CallColumns;
use crate::defect::Defect;
use crate::expected::Expectation;
use crate::run_error::RunError;
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

/// Kinds of each call, in the source's order.
pub(crate) type Kinds<'a> = Box<dyn Iterator<Item = Result<Vec<String>, RunError>> + 'a>;

/// Calls in which something is missing are among those that are examined.
pub(crate) struct Patterns<'a> {
    /// All calls of the source.
    pub(crate) columns: &'a CallColumns,
    /// Reads the source for the kinds of its calls.
    pub(crate) kinds: &'a dyn Fn() -> Kinds<'a>,
    /// Where each examined call stands in the source.
    pub(crate) cases: &'a [usize],
    pub(crate) expectations: &'a [Expectation],
}

/// Something that should be in the target: a call, or one of its recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unit {
    case: usize,
    /// Absent: the call, with all that belongs to it.
    recording: Option<usize>,
}

/// What of the source should be there, in its order.
struct Units {
    all: Vec<Unit>,
    /// Places in `all` of what is missing.
    missing: BTreeSet<usize>,
    what: &'static str,
}

impl Patterns<'_> {
    /// Names the pattern in the findings of what is missing.
    ///
    /// # Errors
    ///
    /// The source cannot be read again.
    pub(crate) fn name(&self, judged: &mut [Judged]) -> Result<(), RunError> {
        let named = self.name_units(self.calls(), judged)?;
        self.name_units(self.recordings(&named), judged)?;
        Ok(())
    }

    /// Calls that should be there: missing where nothing of them is.
    fn calls(&self) -> Units {
        let mut units = Units {
            all: Vec::new(),
            missing: BTreeSet::new(),
            what: "calls",
        };
        for case in 0..self.columns.len() {
            let unit = Unit {
                case,
                recording: None,
            };
            units.add(unit, self.columns.is_missing(case));
        }
        units
    }

    /// Recordings that should be there, one by one. `named`: calls with all of theirs.
    fn recordings(&self, named: &BTreeSet<usize>) -> Units {
        let mut units = Units {
            all: Vec::new(),
            missing: BTreeSet::new(),
            what: "recordings",
        };
        for case in (0..self.columns.len()).filter(|case| !named.contains(case)) {
            for recording in 0..self.columns.count_of_recordings(case) {
                let unit = Unit {
                    case,
                    recording: Some(recording),
                };
                units.add(unit, self.columns.is_missing_of(case, recording));
            }
        }
        units
    }

    /// Returns the calls of what was named.
    fn name_units(&self, units: Units, judged: &mut [Judged]) -> Result<BTreeSet<usize>, RunError> {
        let mut named = BTreeSet::new();
        let mut left = units.missing.clone();
        if left.len() < FEWEST {
            return Ok(named);
        }
        let kinds = self.kinds_of_missing(&units)?;
        while left.len() >= FEWEST {
            let Some((defect, cause, explained)) = by_kind(&units, &kinds, &left)
                .map(|(cause, found)| (Defect::KindOfCallMissing, cause, found))
                .or_else(|| {
                    self.by_distance(&units, &left)
                        .map(|(cause, found)| (Defect::EveryNthMissing, cause, found))
                })
            else {
                break;
            };
            for at in &explained {
                let unit = units.all[*at];
                self.rename(unit, defect, &cause, judged);
                named.insert(unit.case);
            }
            left.retain(|at| !explained.contains(at));
        }
        Ok(named)
    }

    fn rename(&self, unit: Unit, defect: Defect, cause: &str, judged: &mut [Judged]) {
        let Ok(at) = self.cases.binary_search(&unit.case) else {
            return;
        };
        let id_of =
            |recording: usize| Some(&*self.expectations[at].recordings[recording].legacy_id);
        let buckets = judged[at].buckets.clone();
        let is_missing = |recording: &usize| buckets[*recording] == Bucket::Missing;
        let ids: Vec<Option<&str>> = match unit.recording {
            Some(recording) => vec![id_of(recording)],
            None if buckets.is_empty() => vec![None],
            None => (0..buckets.len()).filter(is_missing).map(id_of).collect(),
        };
        for finding in judged[at].findings.iter_mut().filter(|finding| {
            finding.defect == Defect::MissingRecording
                && ids.contains(&finding.legacy_recording_id.as_deref())
        }) {
            *finding = finding.clone().reclassed(defect).because(cause);
            finding.consequences.insert(0, cause.to_owned());
        }
    }

    /// How many units there are of each kind that something missing is of, and what is missing of
    /// it.
    fn kinds_of_missing(&self, units: &Units) -> Result<BTreeMap<String, Kind>, RunError> {
        let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
        // Twice: what is missing says which kinds are counted.
        for is_counting in [false, true] {
            let mut add = |at: usize, kind: &str| {
                let is_missing = units.missing.contains(&at);
                if !is_counting && is_missing {
                    let kind = kinds.entry(kind.to_owned()).or_default();
                    kind.missing.insert(at);
                }
                if let Some(kind) = kinds.get_mut(kind).filter(|_| is_counting) {
                    kind.members += 1;
                }
            };
            if units.what == "recordings" {
                for (at, unit) in units.all.iter().enumerate() {
                    let recording = unit.recording.unwrap_or_default();
                    self.columns
                        .kinds_of(unit.case, recording)
                        .for_each(|kind| add(at, kind));
                }
                continue;
            }
            let mut of_units = units.all.iter().enumerate().peekable();
            for (case, kinds) in (self.kinds)().enumerate() {
                let kinds = kinds?;
                if let Some((at, _)) = of_units.next_if(|(_, unit)| unit.case == case) {
                    kinds.iter().for_each(|kind| add(at, kind));
                }
            }
        }
        Ok(kinds)
    }

    /// The distance at which they are missing: in the order of ids or of starts, counted over all
    /// of the source or over what should be there.
    fn by_distance(
        &self,
        units: &Units,
        left: &BTreeSet<usize>,
    ) -> Option<(String, BTreeSet<usize>)> {
        let case = |at: usize| units.all[at].case;
        let start = |case: usize| (self.columns.start(case), case);
        let mut by_start: Vec<usize> = (0..units.all.len()).collect();
        by_start.sort_by_key(|at| (start(case(*at)), *at));
        let mut cases_by_start: Vec<usize> = (0..self.columns.len()).collect();
        cases_by_start.sort_by_key(|case| start(*case));
        let places_in = |order: &[usize]| {
            let mut places = vec![0; order.len()];
            for (place, at) in order.iter().enumerate() {
                places[*at] = place;
            }
            places
        };
        let of_cases = places_in(&cases_by_start);
        let in_order = || 0..units.all.len();
        let orders = [
            ("in the order of ids", in_order().collect()),
            ("in the order of ids", in_order().map(case).collect()),
            ("in the order of their starts", places_in(&by_start)),
            (
                "in the order of their starts",
                in_order().map(|at| of_cases[case(at)]).collect(),
            ),
        ];
        orders
            .into_iter()
            .find_map(|(order, places): (&str, Vec<usize>)| {
                let (distance, width, found) = equidistant(&places, left)?;
                let ends = if width > 1 {
                    format!("{width} neighbours of every {distance}")
                } else {
                    format!("one of every {distance}")
                };
                Some((format!("{ends} {} is missing, {order}", units.what), found))
            })
    }
}

impl Units {
    /// `is_missing`: absent of what should not be there.
    fn add(&mut self, unit: Unit, is_missing: Option<bool>) {
        let Some(is_missing) = is_missing else {
            return;
        };
        if is_missing {
            self.missing.insert(self.all.len());
        }
        self.all.push(unit);
    }
}

/// Units of one kind.
#[derive(Debug, Default)]
struct Kind {
    members: usize,
    missing: BTreeSet<usize>,
}

/// The kind that is missing as a whole, and what of it is.
fn by_kind(
    units: &Units,
    kinds: &BTreeMap<String, Kind>,
    left: &BTreeSet<usize>,
) -> Option<(String, BTreeSet<usize>)> {
    let whole = |kind: &Kind| {
        let missing = kind.missing.intersection(left).count();
        let beside = (left.len() - missing) as f64;
        let others = (units.all.len() - kind.members) as f64;
        missing >= FEWEST
            && missing as f64 >= WHOLE * kind.members as f64
            && others >= 1.0
            && beside <= BESIDE * others
    };
    let (name, kind) = kinds
        .iter()
        .filter(|(_, kind)| whole(kind))
        .max_by_key(|(name, kind)| (kind.members, std::cmp::Reverse(*name)))?;
    let missing: BTreeSet<usize> = kind.missing.intersection(left).copied().collect();
    Some((
        format!(
            "{} of {} {name} are missing, and hardly any other",
            missing.len(),
            kind.members
        ),
        missing,
    ))
}

/// Distance, how many neighbours at each, and what is missing there. `places`: where each unit
/// stands in the list.
fn equidistant(
    places: &[usize],
    left: &BTreeSet<usize>,
) -> Option<(usize, usize, BTreeSet<usize>)> {
    let length = places.iter().max()? + 1;
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
            let mut missing: HashMap<usize, usize> = HashMap::new();
            for at in left {
                *missing.entry(places[*at] % distance).or_default() += 1;
            }
            let missing_from = |from: usize| {
                (from..from + width)
                    .filter_map(|at| missing.get(&(at % distance)))
                    .sum::<usize>()
            };
            let begins = missing
                .keys()
                .flat_map(|place| (0..width).map(move |back| (place + distance - back) % distance));
            let Some(from) =
                begins.max_by_key(|from| (missing_from(*from), std::cmp::Reverse(*from)))
            else {
                continue;
            };
            let is_in_pattern =
                |place: usize| (place % distance + distance - from) % distance < width;
            let found: BTreeSet<usize> = left
                .iter()
                .copied()
                .filter(|at| is_in_pattern(places[*at]) || places[*at] == last)
                .collect();
            if missing_from(from) < FEWEST
                || (left.len() - found.len()) as f64 > BESIDE * left.len() as f64
            {
                continue;
            }
            // Before the first record of the list nothing ended.
            let is_due = |(at, place): &(usize, &usize)| {
                is_in_pattern(**place) && (**place > 0 || left.contains(at))
            };
            let due = places.iter().enumerate().filter(is_due).count();
            if missing_from(from) as f64 >= WHOLE * due as f64 {
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
    use crate::columns::CallRow;
    use crate::finding::Finding;

    /// So many calls of one recording each; kinds by a function of their place; these are missing.
    fn world(
        count: usize,
        kinds: fn(usize) -> &'static str,
        missing: impl Fn(usize) -> bool,
    ) -> World {
        let one = |at: usize| {
            let mut expected = wanted();
            expected.legacy_id = format!("{}", 100_000 + at).into();
            expected.recordings.truncate(1);
            expected.recordings[0].legacy_id = format!("{}-1", expected.legacy_id).into();
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
        let (expectations, judged) = (0..count).map(one).unzip();
        World {
            expectations,
            judged,
            kinds: (0..count).map(|at| vec![kinds(at).to_owned()]).collect(),
        }
    }

    /// All calls, each with its kinds.
    struct World {
        expectations: Vec<Expectation>,
        judged: Vec<Judged>,
        kinds: Vec<Vec<String>>,
    }

    fn named(mut world: World) -> BTreeMap<&'static str, usize> {
        let mut columns = CallColumns::default();
        for (expected, judged) in world.expectations.iter().zip(&world.judged) {
            columns.push(&CallRow::of(expected, judged, |_| false));
        }
        // Of what is right only the columns are left.
        let is_examined = |case: &usize| !world.judged[*case].findings.is_empty();
        let cases: Vec<usize> = (0..world.judged.len()).filter(is_examined).collect();
        let expectations: Vec<Expectation> = cases
            .iter()
            .map(|case| world.expectations[*case].clone())
            .collect();
        let mut judged: Vec<Judged> = cases
            .iter()
            .map(|case| std::mem::take(&mut world.judged[*case]))
            .collect();
        let kinds = &world.kinds;
        Patterns {
            columns: &columns,
            kinds: &|| Box::new(kinds.iter().cloned().map(Ok)),
            cases: &cases,
            expectations: &expectations,
        }
        .name(&mut judged)
        .expect("named");
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
        let mut world = world(12, |_| "calls", |_| false);
        let calls = world.expectations.iter_mut().zip(&mut world.judged);
        for (expected, judged) in calls {
            let mut second = expected.recordings[0].clone();
            second.legacy_id = format!("{}-2", expected.legacy_id).into();
            judged.findings.push(
                Finding::new(Defect::MissingRecording, "recording")
                    .of(&expected.legacy_id)
                    .recording(&second.legacy_id),
            );
            judged.buckets.push(Bucket::Missing);
            expected.recordings.push(second);
        }
        assert_eq!(named(world), BTreeMap::from([("D08", 12)]));
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
