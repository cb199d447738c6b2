//! The target as the verifier found it, through reads only: a folder a platform, behind two traits.

mod conversations;
mod crosswalk;
mod expectations;
pub(crate) mod genesys_cloud;
pub(crate) mod gir;
mod media;
mod registry;
#[cfg(test)]
mod toy;
mod unread;
mod wait;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use async_trait::async_trait;
use plan::{LoadedPlan, Plan};
use platforms::clock::Clock;

pub(crate) use conversations::Conversations;
pub(crate) use expectations::{Deriving, Expectations};
pub(crate) use media::{Address, Envelope, LOCATED_AT_ONCE, MediaStore, Sound, Unfetched, fetch};
pub use registry::{HandedOver, Stores};
pub(crate) use registry::{check_options, platform};
pub(crate) use wait::Wait;

use crate::capabilities::Capabilities;
use crate::checks::PlatformChecks;
use crate::checks::presence::Judged;
use crate::expected::{AgentTable, Expectation, Maximum, Rules};
use crate::finding::Finding;
use crate::matching::Pairing;
use crate::observed::{TargetConversation, TargetRecording};
use crate::options::{Options, Progress};
use crate::platform_facts::PlatformFacts;
use crate::requests::{Announced, Endpoint, Gates, Operation, Sizes};
use crate::run_error::RunError;
use crate::saved_readings::SavedReadings;
use crate::source::SourceInteraction;
use crate::utc_millis::UtcMillis;

/// A platform that calls were migrated to, as a plan describes it. Nothing here asks it anything.
pub(crate) trait Platform: PlatformChecks + Sync {
    /// As people name it.
    fn name(&self) -> &'static str;

    /// What its records can show.
    fn capabilities(&self) -> Capabilities;

    /// Conversations that it protects against deletion at most. `None`: as many as there are.
    fn holds_at_most(&self) -> Option<u64> {
        None
    }

    /// What the verifier takes for granted without the vendor's word; each by name.
    fn assumptions(&self) -> &'static [&'static str];

    /// How Seatrial sends a call again, as an advice has it. Another migrator has a way of its own.
    fn how_to_send_again(&self) -> &'static str;

    /// The assumption without which a finding could not be made, by its name.
    fn assumption_behind(&self, _finding: &Finding) -> Option<&'static str> {
        None
    }

    /// The request that shows a record of the target that no call of the source has. Absent: it has
    /// none.
    fn request_that_shows(&self, _finding: &Finding) -> Option<String> {
        None
    }

    /// Whose the target is, for the report.
    fn organisation(&self, plan: &Plan) -> String;

    /// Who agents are there, by the plan's mapping.
    fn agent_table(&self, loaded: &LoadedPlan) -> AgentTable;

    /// Refuses a mapping that does not say who the agents of a call are there.
    fn check_agents(
        &self,
        _interaction: &SourceInteraction,
        _rules: &Rules,
    ) -> Result<(), RunError> {
        Ok(())
    }

    /// Adds what a call must have there alone.
    fn expect(&self, _source: &SourceInteraction, _rules: &Rules, _wanted: &mut Expectation) {}

    /// Its services, as the plan has them.
    fn endpoints(&self, loaded: &LoadedPlan) -> Vec<Endpoint>;

    /// Requests to the services that are read under these options; jobs among them.
    fn operations(&self, loaded: &LoadedPlan, options: &Options) -> Vec<&'static Operation>;

    /// Sends nothing yet.
    fn open(
        &self,
        loaded: &LoadedPlan,
        options: &Options,
        gates: &Gates,
        clock: &Clock,
    ) -> Result<Box<dyn Target>, RunError>;

    /// How its stores were read, where it has several. Absent: it has one.
    fn stores(&self, _snapshot: &TargetSnapshot) -> Option<Stores> {
        None
    }

    /// Holds what only this platform has against the judged calls: adds what concerns one of them
    /// to its judgement, and returns the rest.
    fn reconcile(&self, found: &Reconciling<'_>, judged: &mut [Judged]) -> Reconciled;
}

/// A target that is read. All of it is awaited on one thread.
#[async_trait(?Send)]
pub(crate) trait Target {
    /// How long it keeps anything at most. `needs` takes what could not be read.
    async fn maximum_retention(&self, needs: &mut BTreeSet<String>) -> Result<Maximum, RunError>;

    /// How many requests it takes. `per_minute` is the plan's pace.
    async fn announce(
        &self,
        sizes: Sizes,
        per_minute: u32,
        needs: &mut BTreeSet<String>,
    ) -> Result<Announced, RunError>;

    /// Everything but sound.
    async fn snapshot(
        &self,
        asked: &Asked<'_>,
        progress: &dyn Progress,
    ) -> Result<TargetSnapshot, RunError>;

    /// Where the sound of recordings is had, once a snapshot was taken. `ours`: conversations whose
    /// recordings may be listened to. `most`: bytes that a recording may have.
    fn media(
        &self,
        ours: &[TargetConversation],
        options: &Options,
        clock: &Clock,
        most: u64,
    ) -> Box<dyn MediaStore>;
}

/// What a reading of the target is asked for.
pub(crate) struct Asked<'a> {
    /// What must be there, in the source's order; sound not yet heard.
    pub(crate) expectations: &'a Expectations<'a>,
    /// Where room is for what does not fit in memory.
    pub(crate) folder: &'a Path,
    /// What the caller chose.
    pub(crate) options: &'a Options,
    /// Tells the time and waits.
    pub(crate) clock: &'a Clock,
    /// Readings of an unfinished verification, and where these go.
    pub(crate) kept: &'a SavedReadings,
}

/// The target, read.
#[derive(Debug, Default)]
pub(crate) struct TargetSnapshot {
    /// Conversations that are ours.
    pub(crate) ours: Conversations,
    /// Recordings whose conversation does not exist.
    pub(crate) orphans: Vec<TargetRecording>,
    /// Why a conversation that is not shown may exist all the same. Absent: what is not shown is
    /// not there.
    pub(crate) lag: Option<String>,
    /// Calls of the source that may be there though they are not shown, with what would be needed.
    pub(crate) hidden: BTreeMap<String, String>,
    /// Calls of the source that are surely wrong though they are not shown, with what is wrong.
    pub(crate) misplaced: BTreeMap<String, Finding>,
    /// Calls and recordings of the source that something beside the conversations names: they are
    /// looked at together with it.
    pub(crate) named: Named,
    /// Names of what could not be read, with what would be needed.
    pub(crate) needs: BTreeSet<String>,
    /// What only its platform has.
    pub(crate) platform: PlatformFacts,
}

impl TargetSnapshot {
    /// Why a call that is not shown may be there all the same. Absent: it is not there.
    pub(crate) fn why_hidden(&self, call: &str) -> Option<&str> {
        let hidden = self.hidden.get(call).or(self.lag.as_ref());
        hidden.map(String::as_str)
    }
}

/// Ids of the source.
#[derive(Debug, Default)]
pub(crate) struct Named {
    pub(crate) calls: BTreeSet<String>,
    pub(crate) recordings: BTreeSet<String>,
}

/// Calls that are examined, and what is theirs in the target, for what only one platform has: all
/// that may be wrong, and all that the snapshot names.
pub(crate) struct Reconciling<'a> {
    pub(crate) expectations: &'a [Expectation],
    pub(crate) pairings: &'a [Pairing],
    /// What only the platform has of the whole.
    pub(crate) facts: &'a PlatformFacts,
    /// Whether only some calls are judged: of others nothing is said.
    pub(crate) restricted: bool,
    pub(crate) as_of: UtcMillis,
}

/// What was found beside the judged calls.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reconciled {
    pub(crate) findings: Vec<Finding>,
    /// Files among it.
    pub(crate) files: u64,
    /// Policies of the target that delete what was migrated.
    pub(crate) policies: Vec<Finding>,
    /// What would be needed to tell more.
    pub(crate) needs: Vec<String>,
}
