//! Counts of what a ledger holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the ledger holds after a run, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// Interactions extracted from the source so far.
    pub interactions: u64,
    /// Recordings of them.
    pub recordings: u64,
    /// Interactions confirmed in the target.
    pub interactions_done: u64,
    /// Recordings confirmed in the target.
    pub recordings_done: u64,
    /// Recordings quarantined, by reason.
    pub quarantined: BTreeMap<String, u64>,
    /// Recordings left behind by the plan's rule or by agreement, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Interactions in phase `set_aside`: nothing of them goes.
    pub interactions_set_aside: u64,
    /// Interactions without recordings that stay behind, by reason; recordings are counted above.
    pub interactions_by_reason: BTreeMap<String, u64>,
    /// Recordings converted and not sent: what a dry run says would go.
    pub recordings_ready: u64,
    /// Interactions not finished: by `--limit`, by `--dry-run` or by an error.
    pub interactions_left: u64,
    /// Those of them that met an error in this or an earlier run.
    pub interactions_failed: u64,
    /// Interactions in the target that are known to be wrong there and could not be put right.
    pub interactions_unrepaired: u64,
    /// Calls for which the plan's stand-in goes, because no valid row names their agent or queue.
    pub stand_in: StandInCounts,
    /// Bytes staged from the source.
    pub bytes_staged: u64,
    /// Whole source read.
    pub extraction_finished: bool,
}

/// Calls under the plan's stand-in: the fallback user for an agent, the default queue for a queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct StandInCounts {
    /// Calls with either.
    pub calls: u64,
    /// Agents of the source without a row valid at the call's date, each with its calls.
    pub agents: BTreeMap<String, u64>,
    /// Queues of the source without a row, each with its calls.
    pub queues: BTreeMap<String, u64>,
}

impl StandInCounts {
    /// Adds calls that share their agents and queue.
    pub(crate) fn add(&mut self, stand_in: &StandIn, calls: u64) {
        self.calls += calls;
        for agent in &stand_in.agents {
            *self.agents.entry(agent.clone()).or_default() += calls;
        }
        if let Some(queue) = &stand_in.queue {
            *self.queues.entry(queue.clone()).or_default() += calls;
        }
    }

    /// One sentence, naming those with the most calls; `None` where nobody is replaced. `of`: calls
    /// in all.
    #[must_use]
    pub fn sentence(&self, of: u64) -> Option<String> {
        self.sentence_of(
            of,
            "go to the plan's stand-in (fallback user or default queue)",
        )
    }

    /// The same of what else becomes of them.
    pub(crate) fn sentence_of(&self, of: u64, becomes: &str) -> Option<String> {
        if self.calls == 0 {
            return None;
        }
        let named = [("agents", &self.agents), ("queues", &self.queues)]
            .into_iter()
            .filter(|(_, counts)| !counts.is_empty());
        let named: Vec<String> = named
            .map(|(what, counts)| format!("{what} {}", most_frequent(counts)))
            .collect();
        Some(format!(
            "{} of {of} calls {becomes}, because no row valid at their date names their agent or \
             queue: {}",
            self.calls,
            named.join("; ")
        ))
    }
}

/// Enough to look up, few enough to read.
const NAMED: usize = 10;

/// The names with the highest counts, each with its count.
pub(crate) fn most_frequent(counts: &BTreeMap<String, u64>) -> String {
    let mut counts: Vec<(&String, &u64)> = counts.iter().collect();
    counts.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    let mut named: Vec<String> = counts
        .iter()
        .take(NAMED)
        .map(|(name, calls)| format!("{name} ({calls})"))
        .collect();
    if counts.len() > NAMED {
        named.push(format!("and {} more", counts.len() - NAMED));
    }
    named.join(", ")
}

impl Tally {
    /// Whether everything the source has is either in the target or quarantined or skipped by rule.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.extraction_finished && self.interactions_left == 0
    }

    /// Recordings quarantined.
    #[must_use]
    pub fn quarantined_total(&self) -> u64 {
        self.quarantined.values().sum()
    }

    /// Recordings left behind by rule or agreement.
    #[must_use]
    pub fn skipped_total(&self) -> u64 {
        self.skipped.values().sum()
    }
}

/// Agents and queue of a call that no valid row names, as the ledger keeps them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StandIn {
    pub(crate) agents: Vec<String>,
    pub(crate) queue: Option<String>,
}
