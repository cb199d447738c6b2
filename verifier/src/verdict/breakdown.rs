//! The same sum for each day, queue and agent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Bucket, Counts};
use crate::expected::Expectation;

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

/// Rows for all dimensions; in each of them the recordings add up to the total.
pub(crate) fn breakdown<'a>(
    cases: impl Iterator<Item = (&'a Expectation, &'a [Bucket])>,
) -> Vec<BreakdownRow> {
    let mut counts: BTreeMap<(Dimension, String), Counts> = BTreeMap::new();
    for (expected, buckets) in cases {
        let day = expected
            .span
            .map_or_else(|| "none".to_owned(), |span| span.start.day());
        let named = |name: &Option<String>| name.clone().unwrap_or_else(|| "none".to_owned());
        let keys = [
            (Dimension::Total, "all".to_owned()),
            (Dimension::Day, day),
            (Dimension::Queue, named(&expected.legacy_queue)),
            (Dimension::Agent, named(&expected.legacy_agent)),
        ];
        for key in keys {
            let counts = counts.entry(key).or_default();
            buckets.iter().for_each(|bucket| counts.add(bucket));
        }
    }
    counts.retain(|_, counts| counts.source_recordings > 0);
    counts
        .into_iter()
        .map(|((dimension, key), counts)| row(dimension, key, &counts))
        .collect()
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

    #[test]
    fn each_dimension_adds_up_to_all_recordings() {
        let mut other = wanted();
        (other.span, other.legacy_agent) = (None, None);
        let buckets = [Bucket::Matched, Bucket::Missing];
        let rows = breakdown([(&wanted(), &buckets[..]), (&other, &buckets[..])].into_iter());
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
