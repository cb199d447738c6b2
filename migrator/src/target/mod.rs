//! Where calls go. A folder for each platform; [`registry`] alone names them.

mod attributes;
mod capabilities;
mod finding;
mod genesys_cloud;
mod gir;
mod losses;
pub(crate) mod registry;
#[cfg(test)]
mod toy;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use plan::LoadedPlan;
use platforms::Counts;
use platforms::clock::Clock;

pub(crate) use capabilities::Capabilities;
pub use finding::Finding;
pub(crate) use finding::{FALLBACK_USER, error, note};
pub use losses::{DeclaredLoss, declared_losses, preflight_probe};

use crate::canonical::Canonical;
use crate::context::{Attempt, RunContext};
use crate::encrypt::{Recipients, Sealed};
use crate::error::{RunError, StepError};
use crate::ledger::{InteractionRow, Ledger, RecordingRow};
use crate::phone::PhoneRule;
use crate::resolve::{Resolved, Resolver};

/// What a kind of target makes of a call, as far as the plan tells: nothing is sent, and no secret
/// is read.
pub(crate) trait TargetRules: Sync {
    fn capabilities(&self) -> Capabilities;
    /// What it cannot carry, beside what no target carries.
    fn declared_losses(&self, plan: &LoadedPlan) -> Vec<DeclaredLoss>;
    /// Calls under legal hold that it protects at most. `None`: as many as there are.
    fn holds_at_most(&self) -> Option<u64> {
        None
    }
    /// Which of the target's clients the plan signs in as. Empty: the target has none.
    fn client_id<'a>(&self, _: &'a LoadedPlan) -> &'a str {
        ""
    }
    /// What a person finds a call by.
    fn external_tag(&self, plan: &LoadedPlan, legacy_interaction_id: &str) -> String;
    /// Everything that is sent of a call, as text of which a digest is kept.
    fn document(&self, call: &CallContent<'_>) -> Result<String, StepError>;
}

/// A call as it is to be in the target.
pub(crate) struct CallContent<'a> {
    pub(crate) plan: &'a LoadedPlan,
    pub(crate) resolver: &'a Resolver,
    pub(crate) phones: &'a PhoneRule,
    pub(crate) record: &'a Canonical,
    pub(crate) resolved: &'a Resolved,
    pub(crate) recordings: &'a [RecordingRow],
}

/// A call on its way into the target.
pub(crate) struct CallInFlight<'a> {
    pub(crate) row: &'a mut InteractionRow,
    pub(crate) record: &'a Canonical,
    pub(crate) resolved: &'a Resolved,
    pub(crate) attempt: &'a mut Attempt,
    pub(crate) run: &'a RunContext,
}

impl CallInFlight<'_> {
    pub(crate) fn content(&self) -> CallContent<'_> {
        let CallInFlight {
            row,
            record,
            resolved,
            run,
            ..
        } = self;
        let recordings = &row.recordings;
        CallContent {
            plan: &run.plan,
            resolver: &run.resolver,
            phones: &run.phones,
            record,
            resolved,
            recordings,
        }
    }

    /// Writes the row as it stands, in the middle of a step.
    pub(crate) async fn save(&mut self) -> Result<(), StepError> {
        self.run
            .save(self.row, self.attempt, Vec::new(), Vec::new())
            .await
    }

    /// Notes under which ids the recordings go.
    pub(crate) fn name_recordings(&mut self, id: impl Fn(&str) -> String) {
        for recording in self
            .row
            .recordings
            .iter_mut()
            .filter(|recording| recording.outcome.is_none())
        {
            recording.target_id = Some(id(&recording.legacy_id));
        }
    }
}

/// A platform that recordings are sent to. Every step may be repeated: a killed run takes a call up
/// again at the step it was in.
#[async_trait]
pub(crate) trait Target: Send + Sync {
    fn rules(&self) -> &'static dyn TargetRules;
    /// What was sent and refused, for each of its services.
    fn counts(&self) -> Vec<Arc<Counts>>;

    /// What tells the organisation at this end from every other. Absent: there is none, or it is
    /// not told.
    async fn organisation_id(&self) -> Result<Option<String>, RunError> {
        Ok(None)
    }
    /// Permissions of our account that are lacking; `None` where nothing tells them.
    async fn lacking_permissions(&self) -> Result<Option<Vec<Finding>>, RunError> {
        Ok(None)
    }
    /// Does the plan fit? Reads only. Answers the maximum retention in days from the call's start,
    /// where there is one.
    async fn survey(
        &self,
        plan: &LoadedPlan,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<u32>, RunError>;
    /// What only a write can show, asked where nothing else is wrong; whatever it makes it deletes.
    /// Answers what is wrong.
    async fn probe(&self, _: &Clock) -> Result<Option<String>, RunError> {
        Ok(None)
    }
    /// Once a run, before its first write.
    async fn begin(
        &self,
        plan: &LoadedPlan,
        ledger: &dyn Ledger,
        clock: &Clock,
        is_canary: bool,
    ) -> Result<(), RunError>;

    /// Whom files are encrypted for. Absent: they go clear.
    fn recipients(&self) -> Option<Arc<Recipients>> {
        None
    }
    /// What the ledger keeps of an encrypted recording beside its bytes.
    fn envelope_state(&self, _: &Sealed) -> Option<String> {
        None
    }
    /// A call that is in the target is sent again: what is known of its first way is forgotten.
    fn begin_redo(&self, _: &mut InteractionRow) {}
    /// Whether a call that is there can be made as it should be, before anything of it is sent.
    async fn may_redo(&self, _: &CallInFlight<'_>) -> Result<(), StepError> {
        Ok(())
    }
    /// What stays wrong after a redo of a call whose document has changed. Absent: nothing.
    fn left_by_redo(&self) -> Option<&'static str> {
        None
    }

    /// Sends the files of the recordings that go.
    async fn upload(&self, call: &mut CallInFlight<'_>) -> Result<(), StepError>;
    /// Creates the call, linked and retained, and notes its ids.
    async fn create(&self, call: &mut CallInFlight<'_>) -> Result<(), StepError>;
    /// Reads it back and puts right what differs. Answers the SHA-256 of what was read.
    async fn confirm(&self, call: &mut CallInFlight<'_>) -> Result<String, StepError>;
}

/// Requests sent to a target, and answers with status 429.
pub(crate) fn traffic(target: &dyn Target) -> (u64, u64) {
    let counts = target.counts();
    let sum = |of: fn(&Counts) -> u64| counts.iter().map(|counts| of(counts)).sum();
    (
        sum(|counts| counts.requests.load(Ordering::Relaxed)),
        sum(|counts| counts.throttled.load(Ordering::Relaxed)),
    )
}
