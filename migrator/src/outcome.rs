//! How a run ends.

use std::collections::BTreeMap;

use plan::{PlanError, Reason};
use platforms::CallError;

use crate::behind::LeftBehind;
use crate::canary::Canary;
use crate::ledger::LedgerError;
use crate::resolve::StandIn;
use crate::staging::StagingError;

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
    /// Recordings set aside, by reason.
    pub quarantined: BTreeMap<String, u64>,
    /// Recordings left behind by the plan's rule or by agreement, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Interactions set aside or left behind.
    pub interactions_set_aside: u64,
    /// Interactions without recordings that were set aside, by reason; recordings are counted above.
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

    /// One sentence, naming those with the most calls; `None` where nobody is replaced. `of`: calls in all.
    #[must_use]
    pub fn sentence(&self, of: u64) -> Option<String> {
        self.sentence_of(of, "go to the plan's stand-in (fallback user or default queue)")
    }

    /// The same of what else becomes of them.
    pub(crate) fn sentence_of(&self, of: u64, becomes: &str) -> Option<String> {
        if self.calls == 0 {
            return None;
        }
        let named = [("agents", &self.agents), ("queues", &self.queues)].into_iter().filter(|(_, counts)| !counts.is_empty());
        let named: Vec<String> = named.map(|(what, counts)| format!("{what} {}", most(counts))).collect();
        Some(format!(
            "{} of {of} calls {becomes}, because no row valid at their date names their agent or queue: {}",
            self.calls,
            named.join("; ")
        ))
    }
}

/// Enough to look up, few enough to read.
const NAMED: usize = 10;

pub(crate) fn most(counts: &BTreeMap<String, u64>) -> String {
    let mut counts: Vec<(&String, &u64)> = counts.iter().collect();
    counts.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    let mut named: Vec<String> = counts.iter().take(NAMED).map(|(name, calls)| format!("{name} ({calls})")).collect();
    if counts.len() > NAMED {
        named.push(format!("and {} more", counts.len() - NAMED));
    }
    named.join(", ")
}

impl Tally {
    /// Whether everything the source has is either in the target or set aside by rule.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.extraction_finished && self.interactions_left == 0
    }

    /// Recordings set aside.
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
    /// Calls that stayed behind or were in the target, and were taken up again at the start of this run.
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
        for (count, what) in [(tally.quarantined_total(), "quarantined"), (tally.skipped_total(), "skipped")] {
            if count > 0 {
                text.push_str(&format!(", {count} {what}"));
            }
        }
        if self.redone > 0 {
            text.push_str(&format!(", {} interactions sent again", self.redone));
        }
        if tally.interactions_unrepaired > 0 {
            text.push_str(&format!(", {} not as they should be and not repairable", tally.interactions_unrepaired));
        }
        if tally.interactions_left > 0 {
            text.push_str(&format!(", {} interactions left", tally.interactions_left));
        }
        text
    }
}

/// A run that ended before its end. Everything done so far is in the ledger; the same command goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The plan cannot be used, or does not fit the target. Nothing was sent that changes anything.
    #[error("{0}")]
    Plan(String),
    /// The source is unreachable or refuses us.
    #[error("the source: {0}{next}", next = next_act(.0))]
    Source(CallError),
    /// The target is unreachable or refuses us.
    #[error("the target: {0}{next}", next = next_act(.0))]
    Target(CallError),
    /// Our own storage: disk full, lost database, unreadable staging.
    #[error("{0}; what is done is kept, run the same command again")]
    Storage(String),
    /// The ledger is damaged: the sentence says how a new one is come by.
    #[error("{0}")]
    Damaged(String),
    /// A file that was named to be written cannot be.
    #[error("{0}")]
    Unwritable(String),
    /// Too many interactions met an error.
    #[error(
        "{count} interactions met an error, which is as many as allowed; the last: {last}; what is done is kept, run the same command again"
    )]
    TooManyErrors {
        /// How many.
        count: u64,
        /// The last one's sentence.
        last: String,
    },
    /// Asked to stop.
    #[error("interrupted; what is done is kept, run the same command again")]
    Interrupted,
}

/// What a person does about a platform that does not answer. Other errors say it themselves.
fn next_act(error: &CallError) -> &'static str {
    match error {
        CallError::Unreachable { .. } => "; bring it back, or correct its address in the plan, and run the same command again",
        _ => "",
    }
}

impl From<PlanError> for Stop {
    fn from(error: PlanError) -> Stop {
        Stop::Plan(error.to_string())
    }
}

impl From<LedgerError> for Stop {
    fn from(error: LedgerError) -> Stop {
        match error {
            LedgerError::Refused(what) => Stop::Plan(what),
            LedgerError::Broken(what) => Stop::Storage(format!("the ledger: {what}")),
            LedgerError::Damaged(what) => Stop::Damaged(what),
        }
    }
}

impl From<StagingError> for Stop {
    fn from(error: StagingError) -> Stop {
        match error {
            StagingError::Url(what) => Stop::Plan(what),
            StagingError::Storage(what) | StagingError::Gone(what) => Stop::Storage(format!("staging: {what}")),
        }
    }
}

/// Why something stays behind: a reason of the closed list, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Aside {
    pub(crate) reason: Reason,
    /// For a person: what it is instead, in the decoder's or the target's words. Names ids and dates, never a phone number.
    pub(crate) detail: String,
    /// The source answered with something that is not the recording, such as a web page: a later run reads it again by itself.
    pub(crate) source_misbehaved: bool,
}

impl Aside {
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Aside {
        Aside { reason, detail: detail.into(), source_misbehaved: false }
    }
}

/// What ends the work on one interaction, cut by what follows.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Set aside for a reason; the run goes on.
    SetAside(Aside),
    /// It is in the target and cannot be put right there, for what this sentence says; the run goes on.
    Unrepairable(String),
    /// A staged object is not there any more; it is fetched again.
    Gone,
    /// Another page of the source has set the interaction aside meanwhile; its work ends.
    Overtaken,
    /// The target is still taking it in; it is looked at again later in this run.
    NotYet,
    /// Left as it is, with this sentence; the run goes on unless there are too many.
    Left(Stop),
    /// The run cannot go on.
    Stop(Stop),
}

impl Trouble {
    /// Sets all of an interaction aside.
    pub(crate) fn aside(reason: Reason, detail: impl Into<String>) -> Trouble {
        Trouble::SetAside(Aside::new(reason, detail))
    }

    /// A source call that failed: never a quarantine, because it says nothing about the recording.
    pub(crate) fn source(error: CallError) -> Trouble {
        match error {
            error if error.is_everybodys() => Trouble::Stop(Stop::Source(error)),
            // A missing scope is everybody's; any other 403 (an expired link, an access list) is this recording's.
            CallError::Refused { status: 403, ref code, .. } if code == "insufficient_scope" => Trouble::Stop(Stop::Source(error)),
            other => Trouble::Left(Stop::Source(other)),
        }
    }

    /// A target call that failed.
    pub(crate) fn target(error: CallError) -> Trouble {
        match error {
            CallError::Refused { status: 403, .. } => Trouble::Stop(Stop::Target(error)),
            error if error.is_everybodys() => Trouble::Stop(Stop::Target(error)),
            other => Trouble::Left(Stop::Target(other)),
        }
    }
}

impl From<LedgerError> for Trouble {
    fn from(error: LedgerError) -> Trouble {
        Trouble::Stop(error.into())
    }
}

impl From<StagingError> for Trouble {
    fn from(error: StagingError) -> Trouble {
        match error {
            StagingError::Gone(_) => Trouble::Gone,
            error => Trouble::Stop(error.into()),
        }
    }
}
