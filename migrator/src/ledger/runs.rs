//! Several runs on one ledger: who is at work, whose turn it is for what only one does at a time,
//! and who has been away for too long.

use async_trait::async_trait;
use platforms::Budget;

use super::LedgerError;

/// What a run says of itself when it enters.
#[derive(Debug, Clone)]
pub(crate) struct NewRun {
    /// Hash of its plan: all that work at the same time have the same.
    pub(crate) plan_hash: String,
    /// Why nobody else may be at work. Absent: others may.
    pub(crate) alone: Option<&'static str>,
}

/// The runs at work on one ledger. What a store of one process answers is given here.
#[async_trait]
pub(crate) trait Runs: Send + Sync {
    /// Under which name this run claims. Absent: it is the only one, and makes up its own.
    fn name(&self) -> Option<String> {
        None
    }

    /// How long a claim lasts unless it is renewed, milliseconds. Absent: whoever claims decides.
    fn lease_ms(&self) -> Option<i64> {
        None
    }

    /// Tries to enter. Others that want to enter or to leave wait until [`Runs::entered`]. Answers
    /// whom it waits for; `None`: it is in. Refused where others work under another plan, or
    /// somebody has to be alone.
    async fn try_enter(&self, _: &NewRun) -> Result<Option<String>, LedgerError> {
        Ok(None)
    }

    /// Lets the next one in.
    async fn entered(&self) -> Result<(), LedgerError> {
        Ok(())
    }

    /// Whether this run lists the source now; nobody else does until [`Runs::listed`].
    async fn may_list(&self) -> Result<bool, LedgerError> {
        Ok(true)
    }

    /// Gives the listing to whoever asks next.
    async fn listed(&self) -> Result<(), LedgerError> {
        Ok(())
    }

    /// Whether others have calls in hand that this run would get if they were lost.
    async fn others_have_work(&self) -> Result<bool, LedgerError> {
        Ok(false)
    }

    /// Tries to leave. Answers whether this run is the last one, `None` where it waits for somebody
    /// who enters or leaves. Nobody enters until [`Runs::gone`].
    async fn try_leave(&self) -> Result<Option<bool>, LedgerError> {
        Ok(Some(true))
    }

    /// It is out, however it ended: its lease is over, and what it has in hand is anybody's.
    async fn gone(&self) {}

    /// Returns as soon as this run may write to source and target: now while it has its lease, and
    /// never once that is lost.
    async fn at_work(&self) {}

    /// Turns towards source and target that all runs share. Absent: there is no other run.
    fn budget(&self) -> Option<&dyn Budget> {
        None
    }

    /// Returns when the lease is lost, with what to tell.
    async fn lost(&self) -> LedgerError {
        std::future::pending().await
    }
}

/// The one run of a store that belongs to one process.
pub(crate) struct OneRun;

impl Runs for OneRun {}
