//! Durable state of the migration: which calls there are, how far each has come, and who works on
//! it. A folder for each store; [`registry`] alone names them, and `conformance` says what each of
//! them has to hold.
//!
//! A question is answered with everything that was written before it. A row's new phase may be
//! written behind the work: every step may be repeated, so a run that is killed takes the last few
//! up again. What is durable is a prefix of what was done, never a selection.

#[cfg(test)]
mod conformance;
mod postgres;
pub(crate) mod registry;
mod rows;
pub(crate) mod runs;
mod sqlite;
pub(crate) mod tables;
mod tally;

use std::collections::BTreeMap;

use async_trait::async_trait;

pub(crate) use rows::{
    Added, Change, Claim, Disposition, InteractionRow, NewInteraction, NewRecording, Pass,
    RecordingRow, Redo,
};
pub(crate) use tally::{StandIn, most_frequent};
pub use tally::{StandInCounts, Tally};

use tables::{Table, Values};

use crate::custody;
use crate::error::{RunError, StepError};
use runs::{OneRun, Runs};

/// What can be wrong with a ledger.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum LedgerError {
    /// It is in use, of another plan or of an unknown kind: a person decides.
    #[error("{0}")]
    Refused(String),
    /// The database itself: disk full, gone, not to be written.
    #[error("{0}")]
    Broken(String),
    /// Its bytes are not what was written. No run can go on with it, and a new one is built from
    /// source and target.
    #[error("{0}")]
    Damaged(String),
    /// Another run has the call, or lists the source, by now: nothing was written.
    #[error("another run has taken it over")]
    CallTakenOver,
    /// This run was away for longer than its lease: it writes nothing more.
    #[error("{0}")]
    RunTakenOver(String),
}

impl From<LedgerError> for RunError {
    fn from(error: LedgerError) -> RunError {
        match error {
            LedgerError::Refused(what) => RunError::Plan(what),
            LedgerError::Broken(what) => RunError::Storage(format!("the ledger: {what}")),
            LedgerError::Damaged(what) => RunError::Damaged(what),
            LedgerError::RunTakenOver(what) => RunError::TakenOver(what),
            taken @ LedgerError::CallTakenOver => RunError::TakenOver(taken.to_string()),
        }
    }
}

impl From<LedgerError> for StepError {
    fn from(error: LedgerError) -> StepError {
        match error {
            LedgerError::CallTakenOver => StepError::Superseded,
            other => StepError::Run(other.into()),
        }
    }
}

/// Whether to take the ledger for oneself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Open {
    /// To change it: alone, made if absent.
    Exclusive,
    /// To look at it, beside a run: it must exist.
    Shared,
}

/// A store of the migration's state.
#[async_trait]
pub(crate) trait Ledger: Send + Sync {
    /// The runs that work on it.
    fn runs(&self) -> &dyn Runs {
        &OneRun
    }
    /// A value that a run keeps under a key. Absent: none was set.
    async fn meta(&self, key: &'static str) -> Result<Option<String>, LedgerError>;
    /// Sets values, all or none.
    async fn set_meta(&self, values: Vec<(&'static str, String)>) -> Result<(), LedgerError>;
    /// A page and the cursor behind it, together: a run killed in between reads the page again or
    /// goes on behind it, never both.
    async fn add_page(
        &self,
        page: u64,
        rows: Vec<NewInteraction>,
        next: Option<String>,
    ) -> Result<Added, LedgerError>;
    /// Takes the next interactions for a holder, in extraction order, and renews the lease of all
    /// that it holds. Nobody, the holder included, is given one again before it is released, saved
    /// as finished, left with an error, or its lease has ended. Interactions of the page read last wait for the next page:
    /// it may list another call under an id of theirs, and what has gone by then cannot be taken
    /// back.
    async fn claim(&self, claim: Claim) -> Result<Vec<InteractionRow>, LedgerError>;
    /// These interactions, taken by a holder where nobody has them: a canary's, of a run that works
    /// alone.
    async fn claim_these(
        &self,
        seqs: Vec<i64>,
        holder: &str,
    ) -> Result<Vec<InteractionRow>, LedgerError>;
    /// Gives back everything that a holder has taken and not finished. `is_sure`: all that was
    /// written to the target of it is in the ledger.
    async fn release(&self, holder: &str, is_sure: bool) -> Result<(), LedgerError>;
    /// Returns once everything that was saved is durable, or says why it is not.
    async fn flush(&self) -> Result<(), LedgerError>;
    /// The next interactions behind `after` that are in the target.
    async fn done_after(&self, after: i64, most: u32) -> Result<Vec<InteractionRow>, LedgerError>;
    /// The next interactions behind `after` that may still be shown to go under a plan: not set
    /// aside, without an error, and not gone under another plan.
    async fn sendable_after(
        &self,
        after: i64,
        most: u32,
        plan_hash: String,
    ) -> Result<Vec<InteractionRow>, LedgerError>;
    /// These interactions, in extraction order, whatever their phase. `reason` is filled in.
    async fn these(&self, seqs: Vec<i64>) -> Result<Vec<InteractionRow>, LedgerError>;
    /// Row numbers of interactions by their ids in the source.
    async fn seqs_of(&self, legacy_ids: Vec<String>) -> Result<Vec<i64>, LedgerError>;
    /// Keeps the source's answers about recordings that are not staged yet.
    async fn keep_answers(&self, answers: Vec<(i64, String)>) -> Result<(), LedgerError>;
    /// Values, and what custody takes from them, in one commit.
    async fn set_meta_with(
        &self,
        values: Vec<(&'static str, String)>,
        custody: Vec<custody::Entry>,
    ) -> Result<(), LedgerError>;
    /// Begins anew what an older plan decided and has not been confirmed.
    async fn decide_anew(&self, window_changed: bool) -> Result<(), LedgerError>;
    /// An interaction's new phase with whatever changed in its recordings, in one commit with what
    /// custody and counts take from it; soon, and no later than the next question. What another
    /// page has meanwhile set aside as a collision stays so. Fails where another run has taken the
    /// interaction over.
    async fn save(&self, row: &InteractionRow, change: Change) -> Result<(), LedgerError>;
    /// Notes why an interaction was left; custody tells it once, however often the same error is
    /// met again. `claim`: as its row had it. Fails where another run has taken it over.
    async fn set_error(
        &self,
        seq: i64,
        claim: i64,
        error: String,
        at: String,
        custody: Vec<custody::Entry>,
    ) -> Result<(), LedgerError>;
    /// Something worth counting that no interaction carries.
    async fn note(&self, kind: &'static str, subject: &str) -> Result<(), LedgerError>;
    /// How often each kind was noted.
    async fn warnings(&self) -> Result<BTreeMap<String, u64>, LedgerError>;
    /// The first errors that interactions were left with, in extraction order.
    async fn errors(&self, most: u32) -> Result<Vec<String>, LedgerError>;
    /// The seq of the interaction that was extracted last; 0: none was.
    async fn last_seq(&self) -> Result<i64, LedgerError>;
    /// Everything, counted.
    async fn tally(&self) -> Result<Tally, LedgerError>;
    /// All recordings of the interactions behind `after`, for exports.
    async fn exported_after(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<(InteractionRow, u64)>, LedgerError>;
    /// Lines of custody there are.
    async fn custody_lines(&self) -> Result<u64, LedgerError>;
    /// Custody lines behind `after`, each with its row number.
    async fn custody_after(&self, after: i64, most: u32)
    -> Result<Vec<(i64, String)>, LedgerError>;
    /// Interactions of which anything stays behind, was left with an error, or could not be
    /// repaired, in extraction order.
    async fn behind(&self) -> Result<Vec<i64>, LedgerError>;
    /// Interactions that stay behind for something the source answered, which it may answer
    /// otherwise now.
    async fn doubtful(&self) -> Result<Vec<i64>, LedgerError>;
    /// Interactions by their ids, or the ids of their recordings, in the source.
    async fn seqs_of_ids(&self, legacy_ids: Vec<String>)
    -> Result<Vec<(String, i64)>, LedgerError>;
    /// Has interactions read again from the source and decided anew, on wish listed anew before.
    /// What is in the target stays there until it is sent again.
    async fn take_up(&self, open: Vec<i64>, done: Vec<i64>, list: bool) -> Result<(), LedgerError>;
    /// Forgets everything that was listed, of a ledger under which nothing else was done.
    async fn forget_listing(&self) -> Result<(), LedgerError>;
    /// Has interactions sent again that a changed plan would send otherwise.
    async fn redo_under_plan(&self, which: Vec<(i64, Redo)>) -> Result<(), LedgerError>;
    /// Notes that these interactions cannot be put right in the target, and why.
    async fn unrepairable(&self, which: Vec<(i64, String)>) -> Result<(), LedgerError>;
    /// The next rows of a table behind these keys, for a copy. `None`: from the first.
    async fn rows_behind(
        &self,
        table: &'static Table,
        after: Option<Values>,
        most: u32,
    ) -> Result<Vec<Values>, LedgerError>;
    /// Adds rows of a table, as another store had them.
    async fn put_rows(&self, table: &'static Table, rows: Vec<Values>) -> Result<(), LedgerError>;
    /// Whether a row says that the target may hold more of it than is known.
    async fn has_doubt(&self) -> Result<bool, LedgerError> {
        Ok(false)
    }
    /// Notes of every interaction that is not finished that the target may hold more of it than is
    /// known, in a store whose rows say so.
    async fn doubt_all(&self) -> Result<(), LedgerError> {
        Ok(())
    }
    /// The next interactions behind `after` as they were extracted, for what only their entities
    /// tell.
    async fn entities_after(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<InteractionRow>, LedgerError>;
}
