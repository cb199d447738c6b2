//! What ends a run, and what ends the work on one interaction.

use plan::{PlanError, Reason};
use platforms::CallError;

/// A run that ended before its end. Everything done so far is in the ledger; the same command goes
/// on from there.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
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
        "{count} interactions met an error, which is as many as allowed; the last: {last}; what is \
         done is kept, run the same command again"
    )]
    TooManyErrors {
        /// How many.
        count: u64,
        /// The last one's sentence.
        last: String,
    },
    /// This run was away for longer than its lease, and writes nothing more.
    #[error("{0}; what is done is kept, run the same command again")]
    TakenOver(String),
    /// Asked to stop.
    #[error("interrupted; what is done is kept, run the same command again")]
    Interrupted,
}

/// What a person does about a platform that does not answer. Other errors say it themselves.
fn next_act(error: &CallError) -> &'static str {
    match error {
        CallError::Unreachable { .. } => {
            "; bring it back, or correct its address in the plan, and run the same command again"
        }
        _ => "",
    }
}

impl From<PlanError> for RunError {
    fn from(error: PlanError) -> RunError {
        RunError::Plan(error.to_string())
    }
}

/// Why something stays behind: a reason of the closed list, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Aside {
    pub(crate) reason: Reason,
    /// For a person: what it is instead, in the decoder's or the target's words. Names ids and
    /// dates, never a phone number.
    pub(crate) detail: String,
    /// The source answered with something that is not the recording, such as a web page: a later
    /// run reads it again by itself.
    pub(crate) source_misbehaved: bool,
}

impl Aside {
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Aside {
        Aside {
            reason,
            detail: detail.into(),
            source_misbehaved: false,
        }
    }
}

/// What ends the work on one interaction, cut by what follows.
#[derive(Debug)]
pub(crate) enum StepError {
    /// Set aside for a reason; the run goes on.
    SetAside(Aside),
    /// It is in the target and cannot be put right there, for what this sentence says; the run goes
    /// on.
    Unrepairable(String),
    /// A staged object is not there any more; it is fetched again.
    StagedObjectMissing,
    /// Another page of the source has set the interaction aside meanwhile, or another run has it;
    /// its work ends.
    Superseded,
    /// The target is still taking it in; it is looked at again later in this run.
    RetryLater,
    /// Left as it is, with this sentence; the run goes on unless there are too many.
    InteractionFailed(RunError),
    /// The run cannot go on.
    Run(RunError),
}

impl StepError {
    /// Sets all of an interaction aside.
    pub(crate) fn aside(reason: Reason, detail: impl Into<String>) -> StepError {
        StepError::SetAside(Aside::new(reason, detail))
    }

    /// An answer that the ledger or the staging keeps and that is not JSON of the expected form.
    /// Says where, and not in serde's words: they quote values.
    pub(crate) fn malformed_answer(subject: &str, error: &serde_json::Error) -> StepError {
        let at = format!("line {} column {}", error.line(), error.column());
        StepError::InteractionFailed(RunError::Storage(format!(
            "{subject}: the source's answer is not what its contract says, at {at}"
        )))
    }

    /// A source call that failed: never a quarantine, because it says nothing about the recording.
    pub(crate) fn source(error: CallError) -> StepError {
        match error {
            error if error.is_everybodys() => StepError::Run(RunError::Source(error)),
            // A missing scope is everybody's; any other 403 (an expired link, an access list) is
            // this recording's.
            CallError::Refused {
                status: 403,
                ref code,
                ..
            } if code == "insufficient_scope" => StepError::Run(RunError::Source(error)),
            other => StepError::InteractionFailed(RunError::Source(other)),
        }
    }

    /// A target call that failed.
    pub(crate) fn target(error: CallError) -> StepError {
        match error {
            CallError::Refused { status: 403, .. } => StepError::Run(RunError::Target(error)),
            error if error.is_everybodys() => StepError::Run(RunError::Target(error)),
            other => StepError::InteractionFailed(RunError::Target(other)),
        }
    }
}
