//! The steps of a call towards Genesys Cloud.

use platforms::CallError;
use platforms::genesys_cloud::GuideClient;
use platforms::genesys_cloud::wire::Interaction as Payload;
use sha2::{Digest, Sha256};

use super::Run;
use crate::custody::hex;
use crate::genesys_cloud::{self, Story, Surface};
use crate::ledger::InteractionRow;
use crate::outcome::{Stop, Trouble};
use crate::step::Phase;

impl Run {
    pub(super) async fn upload_to_cloud(&self, surface: &Surface, row: &mut InteractionRow) -> Result<(), Trouble> {
        let namespace = &self.plan.plan.identity.namespace;
        // The public ingestion takes a recording into a conversation that is there: its events go first.
        let story = match surface {
            Surface::Guide(_) => None,
            Surface::Public(public) => {
                let story = self.story(row)?;
                // Events that were taken are not taken again with other content.
                if row.redo.is_none() || !public.is_shown(&story).await? {
                    public.establish(&self.clock, &story).await?;
                }
                Some(story)
            }
        };
        // Until when an upload may have been begun of which the ledger does not know: of a run that was killed, or before staging was lost.
        let begun_before = if row.staged_again { Some(self.clock.now_ms()) } else { (row.seq <= self.in_doubt).then_some(0) };
        for recording in row.recordings.iter_mut().filter(|recording| recording.outcome.is_none() && recording.file_id.is_none()) {
            match surface {
                Surface::Guide(guide) => genesys_cloud::upload(guide, &self.staging, namespace, recording).await?,
                Surface::Public(public) => {
                    let Some(story) = &story else { continue };
                    let Some(told) = story.recordings.iter().find(|told| told.legacy_id == recording.legacy_id) else { continue };
                    if let Some(at_ms) = begun_before
                        && public.is_under_way(&self.clock, namespace, recording, at_ms).await?
                    {
                        continue;
                    }
                    public.upload(&self.clock, &self.staging, namespace, story, told, recording).await?;
                }
            }
        }
        Ok(())
    }

    pub(super) async fn ingest_into_cloud(&self, surface: &Surface, row: &mut InteractionRow) -> Result<(), Trouble> {
        let names = genesys_cloud::Names::new(&self.plan.plan.identity);
        let going = |row: &mut InteractionRow, id: &dyn Fn(&str) -> String| {
            for recording in row.recordings.iter_mut().filter(|recording| recording.outcome.is_none()) {
                recording.target_id = Some(id(&recording.legacy_id));
            }
        };
        match surface {
            Surface::Guide(guide) => {
                let wanted = self.payload(row)?;
                genesys_cloud::ingest(guide, &self.clock, &wanted).await?;
                going(row, &|legacy_id| names.id("recording", legacy_id));
                row.target_id = Some(wanted.id.clone());
                row.sent = Some(Box::new(wanted));
            }
            Surface::Public(public) => {
                let story = self.story(row)?;
                public.describe(&self.clock, &story).await?;
                going(row, &|legacy_id| names.random_id("recording", legacy_id));
                row.target_id = Some(story.conversation);
            }
        }
        Ok(())
    }

    /// SHA-256 of what the confirming read answered.
    pub(super) async fn confirm_in_cloud(&self, surface: &Surface, row: &mut InteractionRow) -> Result<String, Trouble> {
        match surface {
            Surface::Guide(guide) => self.confirm_by_guide(guide, row).await,
            Surface::Public(public) => {
                let (story, namespace) = (self.story(row)?, &self.plan.plan.identity.namespace);
                row.looks += 1;
                public.settle(&self.clock, &self.staging, namespace, &story, row).await?.ok_or(Trouble::NotYet)
            }
        }
    }

    async fn confirm_by_guide(&self, guide: &GuideClient, row: &mut InteractionRow) -> Result<String, Trouble> {
        let wanted = match row.sent.take() {
            Some(sent) => *sent,
            None => self.payload(row)?,
        };
        let there = match genesys_cloud::confirm(guide, &self.clock, &wanted, row.redo.is_some()).await? {
            Some(there) => there,
            None => {
                // Taken and gone again: left for the next run, which creates it once more. Trying on here could go on for ever.
                row.phase = Phase::Uploaded;
                self.save(row, Vec::new(), Vec::new()).await?;
                let what = format!("GET /api/v2/interactions/{}", wanted.id);
                let why = "it was taken, and is not shown".to_owned();
                return Err(Trouble::Left(Stop::Target(CallError::Malformed { what, why })));
            }
        };
        Ok(hex(Sha256::digest(serde_json::to_vec(&there).unwrap_or_default())))
    }

    fn story(&self, row: &InteractionRow) -> Result<Story, Trouble> {
        let (record, resolved) = self.prepare(row)?;
        let names = genesys_cloud::Names::new(&self.plan.plan.identity);
        Ok(genesys_cloud::story(&names, &self.resolver, &self.phones, &record, &resolved, &row.recordings))
    }

    fn payload(&self, row: &InteractionRow) -> Result<Payload, Trouble> {
        let (record, resolved) = self.prepare(row)?;
        let names = genesys_cloud::Names::new(&self.plan.plan.identity);
        Ok(genesys_cloud::interaction(&names, &self.resolver, &self.phones, &record, &resolved, &row.recordings))
    }
}
