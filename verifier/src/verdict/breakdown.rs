//! The same sum for each day, queue and agent.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::Counts;
use crate::expected::Expectation;
use crate::text::Text;
use crate::utc_millis::UtcMillis;

/// What a row of the breakdown is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// UTC day of the call's start.
    Day,
    /// Queue as the source names it.
    Queue,
    /// First agent as the source names it.
    Agent,
    /// All of them: one row, with the key `all`.
    Total,
}

/// A row of `breakdown.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakdownRow {
    /// What the row is about.
    pub dimension: Dimension,
    /// Day, queue or agent; `none` where the call has none.
    pub key: String,
    /// The agent's name by the plan's mapping. Empty: not an agent, or one without a row.
    #[serde(default)]
    pub name: String,
    /// Recordings of the source.
    pub source_recordings: u64,
    /// As they must be.
    pub matched: u64,
    /// There, and something differs.
    pub different: u64,
    /// Not there, without a reason.
    pub missing: u64,
    /// Rightly not there, because of a fault in the record.
    pub quarantined: u64,
    /// Rightly not there, by decision.
    pub skipped: u64,
    /// Could not be judged.
    pub not_verifiable: u64,
}

/// Sums by what calls have in common; absent for those that do not say.
type Sums<T> = HashMap<Option<T>, Counts, foldhash::fast::RandomState>;

/// The sums so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Breakdown {
    total: Counts,
    /// By UTC day, as a number; absent for calls without a start.
    days: Sums<i64>,
    queues: Sums<Text>,
    agents: Sums<Text>,
}

impl Breakdown {
    /// `counts`: of one call.
    pub(crate) fn add(&mut self, expected: &Expectation, counts: &Counts) {
        if counts.source_recordings == 0 {
            return;
        }
        self.total.add_all(counts);
        let day = expected.span.map(|span| span.start.days());
        self.days.entry(day).or_default().add_all(counts);
        add(&mut self.queues, &expected.legacy_queue, counts);
        add(&mut self.agents, &expected.legacy_agent, counts);
    }

    pub(crate) fn merge(&mut self, other: Breakdown) {
        self.total.add_all(&other.total);
        for (day, counts) in other.days {
            self.days.entry(day).or_default().add_all(&counts);
        }
        for (own, others) in [
            (&mut self.queues, other.queues),
            (&mut self.agents, other.agents),
        ] {
            for (key, counts) in others {
                own.entry(key).or_default().add_all(&counts);
            }
        }
    }

    /// Rows for all dimensions; in each of them the recordings add up to the total.
    pub(crate) fn rows(&self) -> Vec<BreakdownRow> {
        let mut rows: BTreeMap<(Dimension, String), Counts> = BTreeMap::new();
        let day_of = |day: &Option<i64>| {
            let start = day.map(UtcMillis::of_days);
            start.map_or_else(|| "none".to_owned(), UtcMillis::day)
        };
        let named = |name: &Option<Text>| name.as_deref().unwrap_or("none").to_owned();
        let days = self.days.iter();
        let days = days.map(|(day, counts)| (Dimension::Day, day_of(day), counts));
        let queues = self.queues.iter();
        let queues = queues.map(|(queue, counts)| (Dimension::Queue, named(queue), counts));
        let agents = self.agents.iter();
        let agents = agents.map(|(agent, counts)| (Dimension::Agent, named(agent), counts));
        for (dimension, key, counts) in days.chain(queues).chain(agents) {
            rows.entry((dimension, key)).or_default().add_all(counts);
        }
        if self.total.source_recordings > 0 {
            rows.insert((Dimension::Total, "all".to_owned()), self.total);
        }
        rows.into_iter()
            .map(|((dimension, key), counts)| row(dimension, key, &counts))
            .collect()
    }
}

fn add(sums: &mut Sums<Text>, key: &Option<Text>, counts: &Counts) {
    match sums.get_mut(key) {
        Some(sum) => sum.add_all(counts),
        None => _ = sums.insert(key.clone(), *counts),
    }
}

fn row(dimension: Dimension, key: String, counts: &Counts) -> BreakdownRow {
    BreakdownRow {
        dimension,
        key,
        name: String::new(),
        source_recordings: counts.source_recordings,
        matched: counts.matched,
        different: counts.different,
        missing: counts.missing,
        quarantined: counts.quarantined,
        skipped: counts.skipped,
        not_verifiable: counts.not_verifiable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::wanted;
    use crate::verdict::Bucket;

    #[test]
    fn each_dimension_adds_up_to_all_recordings() {
        let mut other = wanted();
        (other.span, other.legacy_agent) = (None, None);
        let mut counts = Counts::default();
        counts.add(&Bucket::Matched);
        counts.add(&Bucket::Missing);
        let (mut sums, mut others) = (Breakdown::default(), Breakdown::default());
        sums.add(&wanted(), &counts);
        others.add(&other, &counts);
        sums.merge(others);
        let rows = sums.rows();
        for dimension in [
            Dimension::Day,
            Dimension::Queue,
            Dimension::Agent,
            Dimension::Total,
        ] {
            let sum: u64 = rows
                .iter()
                .filter(|row| row.dimension == dimension)
                .map(|row| row.source_recordings)
                .sum();
            assert_eq!(sum, 4, "{dimension:?}");
        }
        assert!(
            rows.iter().any(|row| row.key == "2023-10-27")
                && rows.iter().any(|row| row.key == "none")
        );
    }
}
