//! The steps of a call towards Interaction Recording.

use std::sync::Arc;

use async_trait::async_trait;
use plan::{LoadedPlan, Repost};
use platforms::clock::Clock;
use platforms::gir::SpeechMinerClient;
use platforms::gir::wire::Recording;
use platforms::{CallError, Counts};
use sha2::{Digest, Sha256};

use super::recording::{Place, recording};
use super::retention::labels;
use super::state::{Posted, posted, set_posted};
use super::{Gir, Names, Standing, for_a_person, state};
use crate::encrypt::{Recipients, Sealed};
use crate::error::{RunError, StepError};
use crate::ledger::{InteractionRow, Ledger, Redo};
use crate::target::losses::loss;
use crate::target::{
    CallContent, CallInFlight, Capabilities, DeclaredLoss, Finding, Target, TargetRules,
};
use crate::upload_source::recordings_to_send;

/// Looks at a call that the index does not know yet, others being worked on meanwhile: about five
/// minutes, then it is left to the next run.
const MAX_POLLS: u32 = 30;

/// What Interaction Recording makes of a call.
pub(crate) struct GirRules;
pub(crate) static RULES: GirRules = GirRules;

impl TargetRules for GirRules {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            // A recording there has a media file at least: a call without one is a declared loss.
            carries_calls_without_recordings: false,
            // Source: docs/reference/identity.md.
            cannot_complete_call: Some(
                "it went without one of its recordings, and inserting it again would merge the \
                 two; --redo with --replace deletes it there and inserts it whole",
            ),
            cannot_replace_audio: None,
            preflight_probe: Some("the probe that proved the region"),
        }
    }

    /// Source: docs/reference/gir.md.
    fn declared_losses(&self, plan: &LoadedPlan) -> Vec<DeclaredLoss> {
        let mut losses = vec![
            loss(
                "call without recordings",
                "is not carried: a recording there has a media file at least",
            ),
            loss(
                "retention date",
                "is carried as a label that the site's purge rules read; a call has one, that of \
                 the class that keeps longest",
            ),
            loss(
                "queue, skill, wrap-up",
                "are carried as attached data, not as fields of their own",
            ),
            loss(
                "leg without an agent",
                "is not told: only agents and the customer join and leave",
            ),
        ];
        if plan
            .plan
            .target
            .gir()
            .is_some_and(|gir| gir.speechminer_url.is_none())
        {
            losses.push(loss(
                "the recording in SpeechMiner",
                "is not made: the plan names no speechminer_url",
            ));
        }
        losses
    }

    fn external_tag(&self, plan: &LoadedPlan, legacy_interaction_id: &str) -> String {
        Names::new(&plan.plan.identity.namespace).recording(legacy_interaction_id)
    }

    fn document(&self, call: &CallContent<'_>) -> Result<String, StepError> {
        let document = document(call)?;
        let labels = labels_of(call);
        Ok(format!(
            "{} {labels:?} {}",
            serde_json::to_string(&document).unwrap_or_default(),
            call.record.is_held()
        ))
    }
}

/// What is inserted.
fn document(call: &CallContent<'_>) -> Result<Recording, StepError> {
    let names = Names::new(&call.plan.plan.identity.namespace);
    let region = call.plan.plan.target.gir().map_or("", |gir| &gir.region);
    let place = Place {
        names,
        region,
        resolver: call.resolver,
        phones: call.phones,
    };
    recording(&place, call.record, call.resolved, call.recordings)
}

fn labels_of(call: &CallContent<'_>) -> Vec<String> {
    let sent = recordings_to_send(call.record, call.recordings);
    labels(
        call.plan,
        Names::new(&call.plan.plan.identity.namespace),
        sent.iter().map(|(recording, _)| *recording),
    )
}

#[async_trait]
impl Target for Gir {
    fn rules(&self) -> &'static dyn TargetRules {
        &RULES
    }

    fn counts(&self) -> Vec<Arc<Counts>> {
        let stores = [self.rws.counts(), self.webdav.counts()];
        stores
            .into_iter()
            .chain(self.speechminer.as_ref().map(SpeechMinerClient::counts))
            .collect()
    }

    async fn survey(
        &self,
        plan: &LoadedPlan,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<u32>, RunError> {
        self.survey_stores(plan, findings).await.map(|()| None)
    }

    async fn probe(&self, clock: &Clock) -> Result<Option<String>, RunError> {
        self.probe_region(clock).await
    }

    async fn begin(
        &self,
        _: &LoadedPlan,
        ledger: &dyn Ledger,
        clock: &Clock,
        _: bool,
    ) -> Result<(), RunError> {
        self.prove_region(ledger, clock).await
    }

    fn recipients(&self) -> Option<Arc<Recipients>> {
        self.recipients.clone()
    }

    fn envelope_state(&self, sealed: &Sealed) -> Option<String> {
        Some(state::envelope_state(sealed))
    }

    /// Where a second post replaces the first, it is posted again.
    fn begin_redo(&self, row: &mut InteractionRow) {
        if self.repost() == Some(Repost::Replace) {
            set_posted(row, Posted::No);
        }
    }

    async fn may_redo(&self, call: &CallInFlight<'_>) -> Result<(), StepError> {
        let mut recordings = call.row.recordings.clone();
        for recording in recordings
            .iter_mut()
            .filter(|recording| recording.outcome.is_none() && recording.file_id.is_none())
        {
            recording.file_id = Some(self.address(call.record.legacy_start_time, recording)?);
        }
        let wanted = document(&CallContent {
            recordings: &recordings,
            ..call.content()
        })?;
        judge_standing(self.standing(&wanted).await?, call.run.replace)
    }

    fn left_by_redo(&self) -> Option<&'static str> {
        (self.repost() == Some(Repost::Duplicate)).then_some(
            "SpeechMiner keeps the entry as it was posted first: a second post would \
                stand beside it; correct it there",
        )
    }

    async fn upload(&self, call: &mut CallInFlight<'_>) -> Result<(), StepError> {
        let CallInFlight {
            row,
            record,
            attempt,
            run,
            ..
        } = call;
        // Another run would encrypt under another key, and this run's file would lie there for
        // ever: the envelope is durable first.
        if self.recipients.is_some() {
            run.ledger.flush().await?;
        }
        let is_unconfirmed = run.is_unconfirmed(row);
        let redo = row.redo;
        for recording in row
            .recordings
            .iter_mut()
            .filter(|recording| recording.outcome.is_none() && recording.file_id.is_none())
        {
            // One that has a name was stored before staging was lost or the plan changed: maybe
            // these very bytes.
            let may_be_there = is_unconfirmed || recording.file_name.is_some();
            if may_be_there && self.find(record.legacy_start_time, recording).await? {
                // Of a call that is sent again nobody knows that its file is still what it was.
                if redo != Some(Redo::Source) || self.has_its_bytes(recording).await? {
                    continue;
                }
                self.take_away(recording).await?;
            }
            let cached = attempt.cached_bytes.get(&recording.seq).cloned();
            self.store(
                &run.clock,
                &run.staging,
                record.legacy_start_time,
                recording,
                cached,
            )
            .await?;
        }
        Ok(())
    }

    /// Inserts the recording and protects a held one at once, before a purge rule can act.
    async fn create(&self, call: &mut CallInFlight<'_>) -> Result<(), StepError> {
        let wanted = document(&call.content())?;
        if call.row.redo.is_some() {
            self.clear_other_form(&wanted, call.run.replace).await?;
        }
        self.insert(&call.run.clock, &wanted).await?;
        if call.record.is_held() {
            self.protect(&wanted.id).await?;
        }
        let names = Names::new(&call.run.plan.plan.identity.namespace);
        call.name_recordings(|legacy_id| names.media(legacy_id));
        call.row.target_id = Some(wanted.id);
        Ok(())
    }

    /// Protects and labels the recording, posts it to SpeechMiner and reads it back.
    async fn confirm(&self, call: &mut CallInFlight<'_>) -> Result<String, StepError> {
        let (wanted, labels) = (document(&call.content())?, labels_of(&call.content()));
        let held = call.record.is_held();
        let indexed =
            (!held || self.protect(&wanted.id).await?) && self.label(&wanted.id, &labels).await?;
        if !indexed {
            call.attempt.polls += 1;
            return Err(if call.attempt.polls < MAX_POLLS {
                StepError::RetryLater
            } else {
                not_indexed(&wanted.id)
            });
        }
        self.post_once(call, &wanted).await?;
        let there = self.read_back(&wanted, &labels, held).await?;
        for recording in &mut call.row.recordings {
            self.clear_stale(recording).await?;
        }
        Ok(hex::encode(Sha256::digest(
            serde_json::to_vec(&there).unwrap_or_default(),
        )))
    }
}

impl Gir {
    /// Posts the recording to SpeechMiner. Where a second post would stand beside the first, that
    /// one was begun is durable before it is sent, and a begun one is a person's.
    async fn post_once(
        &self,
        call: &mut CallInFlight<'_>,
        wanted: &Recording,
    ) -> Result<(), StepError> {
        match (self.repost(), posted(call.row)) {
            (None, _) | (Some(_), Posted::Done) => return Ok(()),
            (Some(Repost::Duplicate), Posted::Begun) => return Err(for_a_person(&wanted.id)),
            (Some(Repost::Duplicate), Posted::No) => {
                set_posted(call.row, Posted::Begun);
                call.save().await?;
                call.run.ledger.flush().await?;
            }
            (Some(Repost::Replace), Posted::No | Posted::Begun) => {}
        }
        self.post(&call.run.clock, wanted).await?;
        set_posted(call.row, Posted::Done);
        call.save().await
    }

    /// Deletes another form of a call that is to be inserted again, where that is allowed.
    async fn clear_other_form(&self, wanted: &Recording, replace: bool) -> Result<(), StepError> {
        let standing = self.standing(wanted).await?;
        judge_standing(standing, replace)?;
        if matches!(standing, Standing::Other { .. }) {
            self.delete(&wanted.id).await?;
        }
        Ok(())
    }
}

/// `replace`: another form of a call may be deleted.
fn judge_standing(standing: Standing, replace: bool) -> Result<(), StepError> {
    let why = match standing {
        Standing::Absent
        | Standing::Same
        | Standing::Other {
            is_protected: false,
        } if replace => return Ok(()),
        Standing::Absent | Standing::Same => return Ok(()),
        Standing::Other { is_protected: true } => {
            "Interaction Recording merges what is inserted again, and what is tagged for \
             non-deletion cannot be deleted; take the tag off and delete the recording there, then \
             redo it"
        }
        Standing::Other {
            is_protected: false,
        } => {
            "Interaction Recording merges what is inserted again; delete the recording there and \
             redo it, or redo it with --replace, which deletes it and inserts it again"
        }
    };
    Err(StepError::Unrepairable(why.to_owned()))
}

fn not_indexed(id: &str) -> StepError {
    let what = format!("labels of {id}");
    let why = "the index does not know the recording yet; run again later".to_owned();
    StepError::InteractionFailed(RunError::Target(CallError::Malformed { what, why }))
}
