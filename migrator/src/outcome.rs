//! A run that came to its end.

use std::collections::BTreeMap;

use crate::behind::LeftBehind;
use crate::canary::Canary;
use crate::holds::Holds;
use crate::ledger::Tally;

/// A run that came to its end.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Outcome {
    /// What the ledger holds now.
    pub tally: Tally,
    /// Requests sent to the source in this run.
    pub source_requests: u64,
    /// Requests sent to the target in this run.
    pub target_requests: u64,
    /// Answers with status 429 in this run, both sides.
    pub throttled: u64,
    /// The first few errors of interactions that were left, each one sentence.
    pub errors: Vec<String>,
    /// Calls that stayed behind or were in the target, and were taken up again at the start of this
    /// run.
    pub taken_up: u64,
    /// Calls in the target that were sent again in this run.
    pub redone: u64,
    /// What is quarantined, skipped, left or could not be put right, one a recording.
    pub left_behind: LeftBehind,
    /// Warnings by kind: repairs made, codes without a mapping.
    pub warnings: BTreeMap<String, u64>,
    /// The canary this run sent. Absent: it was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<Canary>,
    /// Calls under legal hold, and how many can be protected. Absent: the target has no maximum, or
    /// they were not counted, because there are no more calls than it protects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds: Option<Holds>,
}

impl Outcome {
    /// One sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let tally = &self.tally;
        let mut text = format!(
            "{} of {} recordings of {} interactions are in the target",
            tally.recordings_done, tally.recordings, tally.interactions
        );
        for (count, what) in [
            (tally.quarantined_total(), "quarantined"),
            (tally.skipped_total(), "skipped"),
        ] {
            if count > 0 {
                text.push_str(&format!(", {count} {what}"));
            }
        }
        if self.redone > 0 {
            text.push_str(&format!(", {} interactions sent again", self.redone));
        }
        if tally.interactions_unrepaired > 0 {
            text.push_str(&format!(
                ", {} not as they should be and not repairable",
                tally.interactions_unrepaired
            ));
        }
        if tally.interactions_left > 0 {
            text.push_str(&format!(", {} interactions left", tally.interactions_left));
        }
        text
    }
}
