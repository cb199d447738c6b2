//! Buckets, sums and the verdict. Source: docs/reference/match.md.

mod bound;
mod breakdown;
mod sentence;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use bound::{SampleBound, upper_bound_95};
pub(crate) use breakdown::Breakdown;
pub use breakdown::{BreakdownRow, Dimension};
pub(crate) use sentence::{AudioRead, SentenceInputs, sentence};

/// Where a recording of the source ends up: in exactly one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bucket {
    /// There, and as it must be.
    Matched,
    /// There, and something differs.
    Different,
    /// Not there, without a reason.
    Missing,
    /// Rightly not there, because of a fault in the record.
    Quarantined { reason: String },
    /// Rightly not there, by decision.
    Skipped { reason: String, agreed: bool },
    /// Could not be judged; what would be needed.
    NotVerifiable(String),
}

/// How a verification ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything is as it must be.
    Match,
    /// Something is wrong.
    Mismatch,
    /// Nothing wrong was found, and not everything could be judged.
    CannotTell,
}

impl Verdict {
    /// The process exit code. Source: docs/reference/exit-codes.md.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Match => 0,
            Verdict::Mismatch => 20,
            Verdict::CannotTell => 21,
        }
    }

    /// As people read it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Match => "match",
            Verdict::Mismatch => "mismatch",
            Verdict::CannotTell => "cannot tell",
        }
    }
}

/// The counts of `summary.json`. The unit of the sum is the recording of the source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Interactions of the source.
    pub source_interactions: u64,
    /// Conversations of ours in the target.
    pub target_interactions: u64,
    /// Recordings of the source.
    pub source_recordings: u64,
    /// Recordings on conversations of ours in the target.
    pub target_recordings: u64,
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
    /// In the target, outside that sum.
    pub extra: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, bucket: &Bucket) {
        self.source_recordings += 1;
        *match bucket {
            Bucket::Matched => &mut self.matched,
            Bucket::Different => &mut self.different,
            Bucket::Missing => &mut self.missing,
            Bucket::Quarantined { .. } => &mut self.quarantined,
            Bucket::Skipped { .. } => &mut self.skipped,
            Bucket::NotVerifiable(_) => &mut self.not_verifiable,
        } += 1;
    }

    /// All sums of another.
    pub(crate) fn add_all(&mut self, other: &Counts) {
        self.source_interactions += other.source_interactions;
        self.target_interactions += other.target_interactions;
        self.source_recordings += other.source_recordings;
        self.target_recordings += other.target_recordings;
        self.matched += other.matched;
        self.different += other.different;
        self.missing += other.missing;
        self.quarantined += other.quarantined;
        self.skipped += other.skipped;
        self.not_verifiable += other.not_verifiable;
        self.extra += other.extra;
    }

    /// `source_recordings = matched + different + missing + quarantined + skipped + not_verifiable`.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let sum = self.matched
            + self.different
            + self.missing
            + self.quarantined
            + self.skipped
            + self.not_verifiable;
        self.source_recordings == sum
    }
}

/// What is wrong or unknown beside the recordings that were read: about interactions as such, and
/// about how many there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Interactions {
    /// With findings, where no recording carries them.
    pub(crate) wrong: u64,
    /// Retention policies of the target that delete what is right.
    pub(crate) policies: u64,
    /// Not judged.
    pub(crate) not_verifiable: u64,
    /// Control totals that the source, as it was read, does not come to.
    pub(crate) totals_off: u64,
    /// Differences from a signed manifest.
    pub(crate) manifest_off: u64,
    /// Recordings of which the chain of custody says otherwise than was found.
    pub(crate) custody_off: u64,
    /// Nobody says whether the source was read whole.
    pub(crate) is_population_unknown: bool,
}

/// The verdict by the counts alone; mismatch wins.
pub(crate) fn verdict(counts: &Counts, interactions: Interactions) -> Verdict {
    let beside = interactions.wrong
        + interactions.policies
        + interactions.totals_off
        + interactions.manifest_off
        + interactions.custody_off;
    if counts.different + counts.missing + counts.extra + beside > 0 {
        return Verdict::Mismatch;
    }
    if counts.not_verifiable + interactions.not_verifiable > 0
        || counts.source_interactions == 0
        || interactions.is_population_unknown
    {
        return Verdict::CannotTell;
    }
    Verdict::Match
}

impl Bucket {
    /// Why a recording is quarantined or skipped. Absent: it is neither.
    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Bucket::Quarantined { reason } | Bucket::Skipped { reason, .. } => Some(reason),
            Bucket::Matched | Bucket::Different | Bucket::Missing | Bucket::NotVerifiable(_) => {
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_has_its_verdict() {
        let none = Interactions::default();
        let base = Counts {
            source_interactions: 1,
            source_recordings: 1,
            ..Counts::default()
        };
        let rows = [
            (
                "all matched",
                Counts { matched: 1, ..base },
                none,
                Verdict::Match,
            ),
            (
                "quarantined by rule",
                Counts {
                    quarantined: 1,
                    ..base
                },
                none,
                Verdict::Match,
            ),
            (
                "skipped by agreement",
                Counts { skipped: 1, ..base },
                none,
                Verdict::Match,
            ),
            (
                "different",
                Counts {
                    different: 1,
                    ..base
                },
                none,
                Verdict::Mismatch,
            ),
            (
                "missing",
                Counts { missing: 1, ..base },
                none,
                Verdict::Mismatch,
            ),
            (
                "extra",
                Counts {
                    matched: 1,
                    extra: 1,
                    ..base
                },
                none,
                Verdict::Mismatch,
            ),
            (
                "not verifiable",
                Counts {
                    not_verifiable: 1,
                    ..base
                },
                none,
                Verdict::CannotTell,
            ),
            (
                "mismatch wins over cannot tell",
                Counts {
                    not_verifiable: 1,
                    missing: 1,
                    source_recordings: 2,
                    ..base
                },
                none,
                Verdict::Mismatch,
            ),
            (
                "no source record",
                Counts::default(),
                none,
                Verdict::CannotTell,
            ),
            (
                "an extra without any source",
                Counts {
                    extra: 1,
                    ..Counts::default()
                },
                none,
                Verdict::Mismatch,
            ),
            (
                "calls without recordings, right",
                Counts {
                    source_interactions: 3,
                    ..Counts::default()
                },
                none,
                Verdict::Match,
            ),
            (
                "a call without recordings, lost",
                Counts { matched: 1, ..base },
                Interactions {
                    wrong: 1,
                    not_verifiable: 0,
                    ..Interactions::default()
                },
                Verdict::Mismatch,
            ),
            (
                "as many as the control totals have, or not",
                Counts { matched: 1, ..base },
                Interactions {
                    totals_off: 1,
                    is_population_unknown: true,
                    ..Interactions::default()
                },
                Verdict::Mismatch,
            ),
            (
                "a recording that only the signed manifest names",
                Counts { matched: 1, ..base },
                Interactions {
                    manifest_off: 1,
                    ..Interactions::default()
                },
                Verdict::Mismatch,
            ),
            (
                "a recording that the chain of custody calls failed",
                Counts { matched: 1, ..base },
                Interactions {
                    custody_off: 1,
                    ..Interactions::default()
                },
                Verdict::Mismatch,
            ),
            (
                "all that was read is there, and nobody says whether that is all",
                Counts { matched: 1, ..base },
                Interactions {
                    is_population_unknown: true,
                    ..Interactions::default()
                },
                Verdict::CannotTell,
            ),
            (
                "a call without recordings, unknown",
                Counts { matched: 1, ..base },
                Interactions {
                    wrong: 0,
                    not_verifiable: 1,
                    ..Interactions::default()
                },
                Verdict::CannotTell,
            ),
        ];
        for (name, counts, interactions, wanted) in rows {
            assert_eq!(verdict(&counts, interactions), wanted, "{name}");
        }
    }

    #[test]
    fn each_bucket_counts_once_and_the_sum_holds() {
        let buckets = [
            Bucket::Matched,
            Bucket::Different,
            Bucket::Missing,
            Bucket::Quarantined {
                reason: "audio_empty".into(),
            },
            Bucket::Skipped {
                reason: "expired".into(),
                agreed: false,
            },
            Bucket::NotVerifiable(String::new()),
        ];
        let mut counts = Counts::default();
        for (at, bucket) in buckets.iter().enumerate() {
            counts.add(bucket);
            assert_eq!(counts.source_recordings, at as u64 + 1);
            assert!(counts.adds_up());
        }
        counts.matched += 1;
        assert!(!counts.adds_up(), "a sum that is off is seen");
        assert_eq!(
            buckets
                .iter()
                .filter_map(Bucket::reason)
                .collect::<Vec<_>>(),
            ["audio_empty", "expired"]
        );
    }

    #[test]
    fn verdicts_end_with_the_documented_codes() {
        assert_eq!(
            [Verdict::Match, Verdict::Mismatch, Verdict::CannotTell].map(Verdict::exit_code),
            [0, 20, 21]
        );
    }
}
