//! The guide's surface: files, then the interaction with its links and retention in one request,
//! then a read back.
//!
//! Two requests a call count against the token's limit: creating and confirming. Linking and
//! retaining are part of creating; the confirming read finds what is missing and an update puts it
//! right, so a lost answer costs a look and not a duplicate.

mod equivalence;
mod payload;
mod requests;

use std::sync::Arc;

use async_trait::async_trait;
use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::genesys_cloud::GuideClient;
use platforms::genesys_cloud::wire::Interaction;
use platforms::{CallError, Counts};
use sha2::{Digest, Sha256};

use super::names::Names;
use super::survey::survey;
use super::without_years;
use crate::error::{RunError, StepError};
use crate::ledger::Ledger;
use crate::step::Phase;
use crate::target::{
    CallContent, CallInFlight, Capabilities, DeclaredLoss, Finding, Target, TargetRules,
};

/// What the guide's surface makes of a call.
pub(super) struct GuideRules;
pub(super) static RULES: GuideRules = GuideRules;

impl TargetRules for GuideRules {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            carries_calls_without_recordings: true,
            cannot_complete_call: None,
            cannot_replace_audio: None,
            preflight_probe: None,
        }
    }

    fn holds_at_most(&self) -> Option<u64> {
        Some(super::MOST_HOLDS)
    }

    fn declared_losses(&self, _: &LoadedPlan) -> Vec<DeclaredLoss> {
        vec![without_years()]
    }

    fn external_tag(&self, plan: &LoadedPlan, legacy_interaction_id: &str) -> String {
        Names::new(&plan.plan.identity).external_tag(legacy_interaction_id)
    }

    fn document(&self, call: &CallContent<'_>) -> Result<String, StepError> {
        Ok(serde_json::to_string(&interaction(call)).unwrap_or_default())
    }
}

fn interaction(
    CallContent {
        plan,
        resolver,
        phones,
        record,
        resolved,
        recordings,
    }: &CallContent<'_>,
) -> Interaction {
    payload::interaction(
        &Names::new(&plan.plan.identity),
        resolver,
        phones,
        record,
        resolved,
        recordings,
    )
}

/// An organisation.
pub(super) struct Guide {
    client: GuideClient,
}

impl Guide {
    pub(super) fn new(client: GuideClient) -> Guide {
        Guide { client }
    }
}

#[async_trait]
impl Target for Guide {
    fn rules(&self) -> &'static dyn TargetRules {
        &RULES
    }

    fn counts(&self) -> Vec<Arc<Counts>> {
        vec![self.client.read().counts()]
    }

    async fn organisation_id(&self) -> Result<Option<String>, RunError> {
        super::organisation::organisation_id(self.client.read()).await
    }

    async fn survey(
        &self,
        plan: &LoadedPlan,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<u32>, RunError> {
        survey(plan, self.client.read(), None, findings).await
    }

    async fn begin(
        &self,
        _: &LoadedPlan,
        _: &dyn Ledger,
        _: &Clock,
        _: bool,
    ) -> Result<(), RunError> {
        Ok(())
    }

    async fn upload(&self, call: &mut CallInFlight<'_>) -> Result<(), StepError> {
        let CallInFlight {
            row, attempt, run, ..
        } = call;
        let namespace = &run.plan.plan.identity.namespace;
        for recording in row
            .recordings
            .iter_mut()
            .filter(|recording| recording.outcome.is_none() && recording.file_id.is_none())
        {
            let cached = attempt.cached_bytes.get(&recording.seq).cloned();
            requests::upload(&self.client, &run.staging, namespace, recording, cached).await?;
        }
        Ok(())
    }

    async fn create(&self, call: &mut CallInFlight<'_>) -> Result<(), StepError> {
        let wanted = interaction(&call.content());
        requests::ingest(&self.client, &call.run.clock, &wanted).await?;
        let names = Names::new(&call.run.plan.plan.identity);
        call.name_recordings(|legacy_id| names.id("recording", legacy_id));
        call.row.target_id = Some(wanted.id);
        Ok(())
    }

    async fn confirm(&self, call: &mut CallInFlight<'_>) -> Result<String, StepError> {
        let wanted = interaction(&call.content());
        let there = requests::confirm(
            &self.client,
            &call.run.clock,
            &wanted,
            call.row.redo.is_some(),
        )
        .await?;
        let Some(there) = there else {
            // Taken and gone again: left for the next run, which creates it once more. Trying on
            // here could go on for ever.
            call.row.phase = Phase::Uploaded;
            call.save().await?;
            let what = format!("GET /api/v2/interactions/{}", wanted.id);
            let why = "it was taken, and is not shown".to_owned();
            return Err(StepError::InteractionFailed(RunError::Target(
                CallError::Malformed { what, why },
            )));
        };
        Ok(hex::encode(Sha256::digest(
            serde_json::to_vec(&there).unwrap_or_default(),
        )))
    }
}
