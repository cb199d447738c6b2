//! The smallest description that covers the records with a finding and leaves out those without:
//! one or two values or intervals of what the source says of them.

use std::cmp::Ordering;

use super::bits::Bits;
use super::records::{Attribute, Measure, Table};

/// Fewer have something in common by chance.
pub(super) const FEWEST: usize = 4;
/// A right record that fits a description weighs as much as so many wrong ones that do: nine in ten
/// records that fit are wrong, or it describes something else.
const WEIGHT: i64 = 9;
/// A second condition is named where it makes a description better by this share of the records
/// with a finding; a record that happens to lie outside some interval is no reason.
const WORTH: f64 = 0.1;
/// One in a thousand such searches finds something where nothing is. Natural logarithm.
const CHANCE: f64 = 6.9;
/// Values that are tried in pairs, the best ones by themselves: 276 pairs.
const IN_PAIRS: usize = 24;
/// Of these, values of which an interval is looked for.
const WITH_INTERVAL: usize = 8;

/// A condition on a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Condition {
    /// The attribute has this value. Absent: it has none.
    Is(Attribute, Option<String>),
    /// The measure lies between these, both included. Absent: no record that fits the other
    /// condition lies beyond.
    Between(Measure, Option<i64>, Option<i64>),
}

/// Conditions that tell wrong records from right ones.
#[derive(Debug, Clone)]
pub(super) struct Description {
    /// None: every record is wrong.
    pub(super) conditions: Vec<Condition>,
    /// Records that fit.
    pub(super) fits: Bits,
    wrong: usize,
    right: usize,
}

impl Description {
    /// Records that fit any one of several descriptions.
    pub(super) fn joined(fits: Bits) -> Description {
        Description {
            conditions: Vec::new(),
            fits,
            wrong: 0,
            right: 0,
        }
    }

    fn gain(&self) -> i64 {
        self.wrong as i64 - WEIGHT * self.right as i64
    }

    fn is_precise(&self) -> bool {
        self.wrong >= FEWEST && self.gain() >= 0
    }
}

/// Records to be told apart.
pub(super) struct Search<'a> {
    pub(super) table: &'a Table,
    pub(super) wrong: &'a Bits,
    pub(super) right: &'a Bits,
}

impl Search<'_> {
    /// The best description. Absent: none tells them apart.
    pub(super) fn describe(&self) -> Option<Description> {
        self.best(self.candidates())
    }

    /// What nearly all wrong records and far fewer of the right ones have in common, where nothing
    /// tells them apart: a place to look at.
    pub(super) fn nearest(&self) -> Option<Description> {
        let (wrong, right) = (self.wrong.count(), self.right.count());
        if wrong < FEWEST {
            return None;
        }
        let near = |found: &Description| {
            found.wrong * 20 >= wrong * 19 && found.right * 3 <= right && self.is_no_chance(found)
        };
        self.values()
            .into_iter()
            .filter(near)
            .min_by(|a, b| a.right.cmp(&b.right).then(a.conditions.cmp(&b.conditions)))
    }

    fn candidates(&self) -> Vec<Description> {
        let all = self.wrong.or(self.right);
        let mut found = vec![self.described(Vec::new(), all.clone())];
        let mut values = self.values();
        values.sort_by(|a, b| {
            self.likeness(b)
                .total_cmp(&self.likeness(a))
                .then_with(|| a.conditions.cmp(&b.conditions))
        });
        values.truncate(IN_PAIRS);
        for measure in Measure::ALL {
            found.extend(self.interval(measure, None));
            let some = values.iter().take(WITH_INTERVAL);
            found.extend(some.filter_map(|value| self.interval(measure, Some(value))));
        }
        for (at, one) in values.iter().enumerate() {
            for other in &values[at + 1..] {
                // Counted before anything is copied: most pairs describe nothing.
                let wrong = one.fits.shared(&other.fits, self.wrong);
                let right = one.fits.shared(&other.fits, self.right);
                if wrong >= FEWEST && wrong as i64 >= WEIGHT * right as i64 {
                    let mut conditions =
                        [one.conditions.clone(), other.conditions.clone()].concat();
                    conditions.sort();
                    found.push(self.described(conditions, one.fits.and(&other.fits)));
                }
            }
        }
        found.extend(values);
        found
    }

    /// The simplest of those that are about as good as the best one.
    fn best(&self, candidates: Vec<Description>) -> Option<Description> {
        let enough: Vec<Description> = candidates
            .into_iter()
            .filter(|found| found.is_precise() && self.is_no_chance(found))
            .collect();
        let most = enough.iter().map(Description::gain).max()?;
        let about = most - (WORTH * self.wrong.count() as f64) as i64;
        enough
            .into_iter()
            .filter(|found| found.gain() >= about)
            .min_by(|a, b| {
                a.conditions
                    .len()
                    .cmp(&b.conditions.len())
                    .then(b.gain().cmp(&a.gain()))
                    .then_with(|| a.conditions.cmp(&b.conditions))
            })
    }

    /// Whether so many wrong records would hardly fit by chance, given how many descriptions were
    /// tried. Source: the binomial tail by its relative entropy (Chernoff).
    fn is_no_chance(&self, found: &Description) -> bool {
        let (wrong, right) = (self.wrong.count() as f64, self.right.count() as f64);
        let base = wrong / (wrong + right);
        let (fit, share) = (
            (found.wrong + found.right) as f64,
            found.wrong as f64 / (found.wrong + found.right) as f64,
        );
        let term = |p: f64, q: f64| if p > 0.0 { p * (p / q).ln() } else { 0.0 };
        let evidence = fit * (term(share, base) + term(1.0 - share, 1.0 - base));
        let tried: f64 = found
            .conditions
            .iter()
            .map(|condition| match condition {
                Condition::Is(..) => (self.table.values.len() as f64).ln(),
                Condition::Between(..) => 2.0 * (wrong + right).ln(),
            })
            .sum();
        found.conditions.is_empty() || (share > base && evidence > tried + CHANCE)
    }

    /// Share of the wrong records among those that are wrong or fit.
    fn likeness(&self, found: &Description) -> f64 {
        found.wrong as f64 / (self.wrong.count() + found.right).max(1) as f64
    }

    /// Every value that several wrong records have.
    fn values(&self) -> Vec<Description> {
        let mut counts = vec![0_usize; self.table.values.len()];
        for row in self.wrong.rows() {
            for value in self.table.values_of(row) {
                counts[*value as usize] += 1;
            }
        }
        let mut found: Vec<(usize, f64)> = counts
            .iter()
            .enumerate()
            .filter(|(_, wrong)| **wrong >= FEWEST)
            .map(|(value, wrong)| {
                let rows = self.table.rows_with(value as u32);
                let right = rows
                    .iter()
                    .filter(|row| self.right.has(**row as usize))
                    .count();
                (
                    value,
                    *wrong as f64 / (self.wrong.count() + right).max(1) as f64,
                )
            })
            .collect();
        // As many as are looked at afterwards, and some for what is nearest.
        found.sort_by(|a, b| {
            let named = |value: usize| &self.table.values[value];
            match b.1.total_cmp(&a.1) {
                Ordering::Equal => named(a.0).cmp(named(b.0)),
                other => other,
            }
        });
        found.truncate(2 * IN_PAIRS);
        found
            .into_iter()
            .map(|(value, _)| {
                let (what, word) = self.table.values[value].clone();
                let rows = self.table.rows_with(value as u32).iter();
                let fits = Bits::of(self.table.len(), rows.map(|row| *row as usize));
                self.described(vec![Condition::Is(what, word)], fits)
            })
            .collect()
    }

    /// The interval of a measure, within the records that fit a description, in which the wrong
    /// ones outweigh the right ones most. Source: Kadane's sum over the sorted records.
    fn interval(&self, measure: Measure, within: Option<&Description>) -> Option<Description> {
        let is_in = |row: usize| within.is_none_or(|within| within.fits.has(row));
        let rows: Vec<(i64, usize)> = self.table.sorted[measure as usize]
            .iter()
            .map(|(value, row)| (*value, *row as usize))
            .filter(|(_, row)| (self.wrong.has(*row) || self.right.has(*row)) && is_in(*row))
            .collect();
        let (mut best, mut sum, mut from) = ((0_i64, 0, 0), 0_i64, 0);
        let mut at = 0;
        while at < rows.len() {
            // Records of one value stay together.
            let is_same = |(value, _): &&(i64, usize)| *value == rows[at].0;
            let until = at + rows[at..].iter().take_while(is_same).count();
            if sum <= 0 {
                (sum, from) = (0, at);
            }
            for (_, row) in &rows[at..until] {
                sum += if self.wrong.has(*row) { 1 } else { -WEIGHT };
            }
            if sum > best.0 {
                best = (sum, from, until);
            }
            at = until;
        }
        let (_, from, until) = best;
        if until <= from {
            return None;
        }
        let ends = (
            (from > 0).then(|| rows[from].0),
            (until < rows.len()).then(|| rows[until - 1].0),
        );
        if ends == (None, None) {
            return None;
        }
        let (first, last) = (rows[from].0, rows[until - 1].0);
        let sorted = &self.table.sorted[measure as usize];
        let inside = &sorted[sorted.partition_point(|(value, _)| *value < first)
            ..sorted.partition_point(|(value, _)| *value <= last)];
        let fits = Bits::of(
            self.table.len(),
            inside
                .iter()
                .map(|(_, row)| *row as usize)
                .filter(|row| is_in(*row)),
        );
        let mut conditions: Vec<Condition> = within
            .map(|within| within.conditions.clone())
            .unwrap_or_default();
        conditions.push(Condition::Between(measure, ends.0, ends.1));
        Some(self.described(conditions, fits))
    }

    fn described(&self, conditions: Vec<Condition>, fits: Bits) -> Description {
        Description {
            wrong: fits.and(self.wrong).count(),
            right: fits.and(self.right).count(),
            conditions,
            fits,
        }
    }
}
