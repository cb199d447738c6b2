//! A toy target, for tests: a folder with `calls/<id>.json` and `files/<name>`.
//!
//! No plan has a kind for it. One whose `target.base_url` is `http://127.0.0.1/toy/NAME` means it,
//! and the folder `NAME` beside the plan: an address of this machine, to which a migration goes
//! without a canary.

mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::{CallError, Counts};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::attributes::attributes;
use super::{CallContent, CallInFlight, Capabilities, DeclaredLoss, Finding, Target, TargetRules};
use crate::error::{RunError, StepError};
use crate::ledger::Ledger;
use crate::resolve::Agent;
use crate::time::iso;
use crate::upload_source::{self, recordings_to_send};

/// `calls/<id>.json`.
#[derive(Serialize)]
struct Call<'a> {
    id: &'a str,
    start: String,
    end: String,
    /// User id in the target. Absent: nobody took the call.
    agent: Option<String>,
    attributes: BTreeMap<String, String>,
    /// Names of its files.
    files: Vec<&'a str>,
}

/// What the folder holds of a call.
pub(crate) struct ToyRules;
pub(crate) static RULES: ToyRules = ToyRules;

impl TargetRules for ToyRules {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            carries_calls_without_recordings: true,
            cannot_complete_call: None,
            cannot_replace_audio: None,
            preflight_probe: None,
        }
    }

    fn declared_losses(&self, _: &LoadedPlan) -> Vec<DeclaredLoss> {
        Vec::new()
    }

    fn external_tag(&self, _: &LoadedPlan, legacy_interaction_id: &str) -> String {
        legacy_interaction_id.to_owned()
    }

    fn document(
        &self,
        CallContent {
            record,
            resolved,
            recordings,
            ..
        }: &CallContent<'_>,
    ) -> Result<String, StepError> {
        let call = Call {
            id: &record.legacy_interaction_id,
            start: iso(record.legacy_start_time),
            end: iso(record.legacy_end_time),
            agent: resolved
                .agents()
                .next()
                .map(Agent::user)
                .map(|user| user.to_string()),
            attributes: attributes(None, record, resolved),
            files: recordings_to_send(record, recordings)
                .into_iter()
                .map(|(_, row)| row.legacy_id.as_str())
                .collect(),
        };
        serde_json::to_string(&call)
            .map_err(|error| StepError::malformed_answer(&record.legacy_interaction_id, &error))
    }
}

/// The folder that a plan means. Absent: its target is another one.
fn folder(plan: &LoadedPlan) -> Option<PathBuf> {
    let url = plan.plan.target.main_url()?;
    Some(plan.resolve_path(Path::new(url.path().strip_prefix("/toy/")?)))
}

/// An address that means one beside the plan.
pub(crate) const ADDRESS: &str = "http://127.0.0.1/toy/target";

pub(crate) fn is_meant_by(plan: &LoadedPlan) -> bool {
    folder(plan).is_some()
}

/// One folder.
pub(crate) struct Toy {
    folder: PathBuf,
}

impl Toy {
    pub(crate) fn new(plan: &LoadedPlan) -> Toy {
        Toy {
            folder: folder(plan).unwrap_or_default(),
        }
    }

    fn call(&self, id: &str) -> PathBuf {
        self.folder.join("calls").join(format!("{id}.json"))
    }
}

#[async_trait]
impl Target for Toy {
    fn rules(&self) -> &'static dyn TargetRules {
        &RULES
    }

    fn counts(&self) -> Vec<Arc<Counts>> {
        Vec::new()
    }

    async fn survey(&self, _: &LoadedPlan, _: &mut Vec<Finding>) -> Result<Option<u32>, RunError> {
        Ok(None)
    }

    async fn begin(
        &self,
        _: &LoadedPlan,
        _: &dyn Ledger,
        _: &Clock,
        _: bool,
    ) -> Result<(), RunError> {
        let made = ["calls", "files"]
            .iter()
            .try_for_each(|name| output::private::folder(&self.folder.join(name)));
        made.map_err(|error| RunError::Target(unreachable("the folder", &error)))
    }

    async fn upload(&self, call: &mut CallInFlight<'_>) -> Result<(), StepError> {
        for recording in call
            .row
            .recordings
            .iter_mut()
            .filter(|recording| recording.outcome.is_none())
        {
            let (path, length) = upload_source::staged(recording)?;
            let cached = call.attempt.cached_bytes.get(&recording.seq).cloned();
            let open = upload_source::open(&call.run.staging, cached, path, length).await?;
            let name = recording.legacy_id.clone();
            let read = async { open().await?.try_collect::<Vec<_>>().await };
            let written = read.await.and_then(|bytes| {
                output::private::replace(&self.folder.join("files").join(&name), bytes.concat())
            });
            written.map_err(|error| StepError::target(unreachable(&name, &error)))?;
            recording.file_id = Some(name);
        }
        Ok(())
    }

    async fn create(&self, call: &mut CallInFlight<'_>) -> Result<(), StepError> {
        let id = call.row.legacy_id.clone();
        let document = RULES.document(&call.content())?;
        output::private::replace(&self.call(&id), document)
            .map_err(|error| StepError::target(unreachable(&id, &error)))?;
        call.name_recordings(str::to_owned);
        call.row.target_id = Some(id);
        Ok(())
    }

    async fn confirm(&self, call: &mut CallInFlight<'_>) -> Result<String, StepError> {
        let id = &call.row.legacy_id;
        let there = std::fs::read_to_string(self.call(id))
            .map_err(|error| StepError::target(unreachable(id, &error)))?;
        if there == RULES.document(&call.content())? {
            return Ok(hex::encode(Sha256::digest(there)));
        }
        Err(StepError::target(CallError::Malformed {
            what: id.clone(),
            why: "it does not keep what was written".to_owned(),
        }))
    }
}

fn unreachable(name: &str, error: &std::io::Error) -> CallError {
    CallError::Unreachable {
        what: name.to_owned(),
        why: error.to_string(),
        tries: 1,
        answered: None,
    }
}
