//! A toy target, for tests: a folder with `calls/<id>.json` and `files/<name>`.
//!
//! No plan has a kind for it. One whose `target.base_url` is `http://127.0.0.1/toy/NAME` means it,
//! and the folder `NAME` beside the plan.

mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use plan::{LoadedPlan, Plan};
use platforms::clock::Clock;
use serde::Deserialize;

use super::{
    Address, Asked, Conversations, MediaStore, Platform, Reconciled, Reconciling, Sound, Target,
    TargetSnapshot, Unfetched,
};
use crate::capabilities::{CallData, Capabilities, LegTimes};
use crate::checks::presence::Judged;
use crate::checks::{Comparison, PlatformChecks};
use crate::expected::{AgentRow, AgentTable, Maximum};
use crate::finding::Finding;
use crate::observed::{Recordings, TargetConversation, TargetLeg, TargetRecording, TimeReading};
use crate::options::{Options, Progress, Stage};
use crate::requests::{Announced, Endpoint, Gates, Operation, Sizes};
use crate::run_error::RunError;

/// `calls/<id>.json`.
#[derive(Deserialize)]
struct Call {
    id: String,
    start: String,
    end: String,
    /// User id in the target. Absent: nobody took the call.
    agent: Option<String>,
    attributes: BTreeMap<String, String>,
    /// Names of its files.
    files: Vec<String>,
}

impl Call {
    fn conversation(self) -> TargetConversation {
        let (start, end) = (
            TimeReading::of(Some(&self.start)),
            TimeReading::of(Some(&self.end)),
        );
        let leg = |user: String| TargetLeg {
            user: Some(user.into()),
            start: start.clone(),
            end: end.clone(),
            ..TargetLeg::default()
        };
        let recording = |name: String| TargetRecording {
            id: name.into(),
            conversation_id: self.id.clone().into(),
            start: start.clone(),
            end: end.clone(),
            ..TargetRecording::default()
        };
        TargetConversation {
            legs: self.agent.into_iter().map(leg).collect(),
            recordings: Recordings::Read(self.files.into_iter().map(recording).collect()),
            legacy_id: Some(self.id.clone().into()),
            // It tells of nobody but the agent: a customer is taken for granted.
            customers: 1,
            attributes: self
                .attributes
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            protected: Some(false),
            id: self.id.into(),
            start,
            end,
            ..TargetConversation::default()
        }
    }
}

/// The folder a plan means. Absent: its target is another one.
fn folder(loaded: &LoadedPlan) -> Option<PathBuf> {
    let url = loaded.plan.target.main_url()?;
    Some(loaded.resolve_path(Path::new(url.path().strip_prefix("/toy/")?)))
}

pub(super) fn is_meant_by(loaded: &LoadedPlan) -> bool {
    folder(loaded).is_some()
}

/// One folder.
#[derive(Clone)]
pub(super) struct Toy {
    folder: PathBuf,
}

impl Toy {
    pub(super) fn new(loaded: &LoadedPlan) -> Toy {
        Toy {
            folder: folder(loaded).unwrap_or_default(),
        }
    }

    fn calls(&self) -> std::io::Result<Vec<Call>> {
        let entries = std::fs::read_dir(self.folder.join("calls"))?;
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            Ok(serde_json::from_slice(&std::fs::read(entry?.path())?)?)
        };
        entries.map(read).collect()
    }
}

impl PlatformChecks for Toy {
    fn agents_of_recordings(&self, _: &Comparison<'_>) -> Vec<Finding> {
        Vec::new()
    }
}

impl Platform for Toy {
    fn name(&self) -> &'static str {
        "the folder"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            takes_calls_without_recordings: true,
            told_by_events: false,
            call_data: CallData::Together,
            leg_times: LegTimes::OfLeg,
            always_shows_a_customer: false,
            no_direction: None,
            recordings_have_deletion_dates: false,
            lists_deleted_recordings: false,
            tells_when_stored: false,
            longest_class_keeps_the_call: false,
        }
    }

    fn assumptions(&self) -> &'static [&'static str] {
        &[]
    }

    fn how_to_send_again(&self) -> &'static str {
        "send it again"
    }

    fn organisation(&self, _: &Plan) -> String {
        "a folder".to_owned()
    }

    fn agent_table(&self, loaded: &LoadedPlan) -> AgentTable {
        let agent = |row: &plan::AgentRow| AgentRow {
            user: row.genesys_user_id.to_string().into(),
            ..AgentRow::valid_as(row)
        };
        let rows = loaded.mapping.agents.iter().map(|row| (row, agent(row)));
        AgentTable::new(loaded, rows, |user| AgentRow {
            user: user.to_string().into(),
            ..AgentRow::default()
        })
    }

    fn endpoints(&self, _: &LoadedPlan) -> Vec<Endpoint> {
        Vec::new()
    }

    fn operations(&self, _: &LoadedPlan, _: &Options) -> Vec<&'static Operation> {
        Vec::new()
    }

    fn open(
        &self,
        _: &LoadedPlan,
        _: &Options,
        _: &Gates,
        _: &Clock,
    ) -> Result<Box<dyn Target>, RunError> {
        Ok(Box::new(self.clone()))
    }

    fn reconcile(&self, _: &Reconciling<'_>, _: &mut [Judged]) -> Reconciled {
        Reconciled::default()
    }
}

#[async_trait(?Send)]
impl Target for Toy {
    async fn maximum_retention(&self, _: &mut BTreeSet<String>) -> Result<Maximum, RunError> {
        Ok(Maximum::None)
    }

    async fn announce(
        &self,
        _: Sizes,
        per_minute: u32,
        _: &mut BTreeSet<String>,
    ) -> Result<Announced, RunError> {
        Ok(Announced::new(&[], BTreeMap::new(), per_minute, None))
    }

    async fn snapshot(
        &self,
        asked: &Asked<'_>,
        progress: &dyn Progress,
    ) -> Result<TargetSnapshot, RunError> {
        progress.begin(Stage::Target, None);
        let mut calls = self
            .calls()
            .map_err(|error| RunError::Target(format!("cannot read the folder: {error}")))?;
        calls.retain(|call| {
            asked
                .options
                .only
                .as_ref()
                .is_none_or(|only| only.contains(&call.id))
        });
        let mut ours = Conversations::sorter(asked.folder);
        for call in calls {
            ours.add(&call.conversation())?;
        }
        Ok(TargetSnapshot {
            ours: ours.sorted()?,
            ..TargetSnapshot::default()
        })
    }

    fn media(
        &self,
        _: &[TargetConversation],
        _: &Options,
        _: &Clock,
        _: u64,
    ) -> Box<dyn MediaStore> {
        Box::new(self.clone())
    }
}

#[async_trait(?Send)]
impl MediaStore for Toy {
    /// The address of a recording is the name of its file.
    async fn locate(&self, wanted: &[Address]) -> Result<BTreeMap<Address, Sound>, RunError> {
        let at = |address: &Address| Sound::At {
            url: address.1.clone(),
            content_type: None,
            envelope: None,
        };
        Ok(wanted
            .iter()
            .map(|address| (address.clone(), at(address)))
            .collect())
    }

    async fn fetch(&self, name: &str) -> Result<Vec<u8>, Unfetched> {
        std::fs::read(self.folder.join("files").join(name)).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Unfetched::Gone(format!("the file {name} is not there")),
            _ => Unfetched::Hidden(format!("leave to read the file {name}: {error}")),
        })
    }
}
