//! How to run, beside the plan.

use tokio::sync::watch;

use crate::selection::{Named, Retry};

/// How to run, beside the plan.
#[derive(Debug, Clone)]
pub struct Options {
    /// Instead of the plan's ledger.
    pub ledger: Option<String>,
    /// Instead of the plan's staging.
    pub staging: Option<String>,
    /// Instead of the plan's workers.
    pub workers: Option<usize>,
    /// At most so many interactions in this run. Absent: all.
    pub limit: Option<u64>,
    /// So many recordings at most, chosen to show everything there is, and no others. Absent: all.
    pub canary: Option<usize>,
    /// Everything but writing to the target.
    pub dry_run: bool,
    /// Go on although the plan or a mapping has changed since the ledger was begun.
    pub accept_plan_change: bool,
    /// What stayed behind and is read again from the source. Absent: only what stayed behind
    /// because the source misbehaved.
    pub retry: Option<Retry>,
    /// What is sent again: calls that a finding names, or a person. Absent: nothing.
    pub redo: Option<Named>,
    /// A redo that finds the call in another form, in a target that cannot write over it, deletes
    /// it and inserts it again; else it is left, and named.
    pub replace: bool,
    /// Interactions that may meet an error before the run stops.
    pub errors_max: u64,
    /// Turns true when somebody wants the run to end; what is under way is finished first. Absent:
    /// nobody will.
    pub interrupt: Option<watch::Receiver<bool>>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            ledger: None,
            staging: None,
            workers: None,
            limit: None,
            canary: None,
            dry_run: false,
            accept_plan_change: false,
            retry: None,
            redo: None,
            replace: false,
            // Enough to pass over a handful of broken records, few enough not to run for a night
            // against a wall.
            errors_max: 100,
            interrupt: None,
        }
    }
}

/// Told how far a run has come.
pub trait Progress: Send + Sync {
    /// Interactions known so far, and those this run is through with.
    fn update(&self, known: u64, through: u64);

    /// Recordings this run has quarantined so far.
    fn quarantined(&self, _: u64) {}
}
