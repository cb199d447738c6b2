//! The steps of a call towards Interaction Recording.

use plan::Repost;
use platforms::CallError;
use platforms::gir::wire::Recording;
use sha2::{Digest, Sha256};

use super::Run;
use crate::canonical::Canonical;
use crate::custody::hex;
use crate::genesys_cloud::going;
use crate::gir::{self, Gir, Names, Place, Standing};
use crate::ledger::{InteractionRow, Posted, Redo};
use crate::outcome::{Stop, Trouble};

/// Looks at a call that the index does not know yet, others being worked on meanwhile: about five minutes, then it is left to the next run.
const LOOKS: u32 = 30;

impl Run {
    /// Stores every file of a call that goes.
    pub(super) async fn upload_to_gir(&self, gir: &Gir, row: &mut InteractionRow) -> Result<(), Trouble> {
        let (record, _) = self.prepare(row)?;
        // Another run would encrypt under another key, and this run's file would lie there for ever: the envelope is durable first.
        if gir.recipients().is_some() {
            self.ledger.flush().await?;
        }
        let is_doubtful = row.seq <= self.in_doubt;
        for recording in row.recordings.iter_mut().filter(|recording| recording.outcome.is_none() && recording.file_id.is_none()) {
            // One that has a name was stored before staging was lost or the plan changed: maybe these very bytes.
            let may_be_there = is_doubtful || recording.file_name.is_some();
            if may_be_there && gir.find(record.legacy_start_time, recording).await? {
                // Of a call that is sent again nobody knows that its file is still what it was.
                if row.redo != Some(Redo::Source) || gir.has_its_bytes(recording).await? {
                    continue;
                }
                gir.take_away(recording).await?;
            }
            gir.store(&self.clock, &self.staging, record.legacy_start_time, recording).await?;
        }
        Ok(())
    }

    /// Inserts the recording and protects a held one at once, before a purge rule can act.
    pub(super) async fn insert_into_gir(&self, gir: &Gir, row: &mut InteractionRow) -> Result<(), Trouble> {
        let (record, wanted) = self.document(gir, row)?;
        if row.redo.is_some() {
            self.clear_other_form(gir, &wanted).await?;
        }
        gir.insert(&self.clock, &wanted).await?;
        if is_held(&record) {
            gir.protect(&wanted.id).await?;
        }
        let names = Names::new(&self.plan.plan.identity.namespace);
        for recording in row.recordings.iter_mut().filter(|recording| recording.outcome.is_none()) {
            recording.target_id = Some(names.media(&recording.legacy_id));
        }
        row.target_id = Some(wanted.id);
        Ok(())
    }

    /// Protects and labels the recording, posts it to SpeechMiner and reads it back. Answers the hash of what was read.
    pub(super) async fn confirm_in_gir(&self, gir: &Gir, row: &mut InteractionRow) -> Result<String, Trouble> {
        let (record, wanted) = self.document(gir, row)?;
        let going = going(&record, &row.recordings);
        let names = Names::new(&self.plan.plan.identity.namespace);
        let labels = gir::labels(&self.plan, names, going.iter().map(|(recording, _)| *recording));
        let held = is_held(&record);
        let indexed = (!held || gir.protect(&wanted.id).await?) && gir.label(&wanted.id, &labels).await?;
        if !indexed {
            row.looks += 1;
            return Err(if row.looks < LOOKS { Trouble::NotYet } else { not_indexed(&wanted.id) });
        }
        self.post_to_speechminer(gir, row, &wanted).await?;
        let there = gir.read_back(&wanted, &labels, held).await?;
        for recording in &mut row.recordings {
            gir.clear_stale(recording).await?;
        }
        Ok(hex(Sha256::digest(serde_json::to_vec(&there).unwrap_or_default())))
    }

    /// Posts once. Where a second post would stand beside the first, that one was begun is durable before it is sent, and a begun one is a
    /// person's.
    async fn post_to_speechminer(&self, gir: &Gir, row: &mut InteractionRow, wanted: &Recording) -> Result<(), Trouble> {
        match (gir.repost(), row.posted) {
            (None, _) | (Some(_), Posted::Done) => return Ok(()),
            (Some(Repost::Duplicate), Posted::Begun) => return Err(gir::for_a_person(&wanted.id)),
            (Some(Repost::Duplicate), Posted::No) => {
                row.posted = Posted::Begun;
                self.save(row, Vec::new(), Vec::new()).await?;
                self.ledger.flush().await?;
            }
            (Some(Repost::Replace), Posted::No | Posted::Begun) => {}
        }
        gir.post(&self.clock, wanted).await?;
        row.posted = Posted::Done;
        self.save(row, Vec::new(), Vec::new()).await
    }

    /// Whether a call that is there can be made as it should be, before anything of it is sent.
    pub(super) async fn may_redo_in_gir(&self, gir: &Gir, row: &InteractionRow) -> Result<(), Trouble> {
        let (record, _) = self.prepare(row)?;
        let mut row = InteractionRow { before: None, sent: None, ..row.clone() };
        for recording in row.recordings.iter_mut().filter(|recording| recording.outcome.is_none() && recording.file_id.is_none()) {
            recording.file_id = Some(gir.address(record.legacy_start_time, recording)?);
        }
        let (_, wanted) = self.document(gir, &row)?;
        let standing = gir.standing(&wanted).await?;
        self.judge_standing(standing)
    }

    fn judge_standing(&self, standing: Standing) -> Result<(), Trouble> {
        let why = match standing {
            Standing::Absent | Standing::Same | Standing::Other { is_protected: false } if self.replace => return Ok(()),
            Standing::Absent | Standing::Same => return Ok(()),
            Standing::Other { is_protected: true } => {
                "Interaction Recording merges what is inserted again, and what is tagged for non-deletion cannot be deleted; take the tag off \
                 and delete the recording there, then redo it"
            }
            Standing::Other { is_protected: false } => {
                "Interaction Recording merges what is inserted again; delete the recording there and redo it, or redo it with --replace, which \
                 deletes it and inserts it again"
            }
        };
        Err(Trouble::Unrepairable(why.to_owned()))
    }

    /// Deletes another form of a call that is to be inserted again, where that is allowed.
    async fn clear_other_form(&self, gir: &Gir, wanted: &Recording) -> Result<(), Trouble> {
        let standing = gir.standing(wanted).await?;
        self.judge_standing(standing)?;
        if matches!(standing, Standing::Other { .. }) {
            gir.delete(&wanted.id).await?;
        }
        Ok(())
    }

    fn document(&self, gir: &Gir, row: &InteractionRow) -> Result<(Canonical, Recording), Trouble> {
        let (record, resolved) = self.prepare(row)?;
        let names = Names::new(&self.plan.plan.identity.namespace);
        let place = Place { names, region: gir.region(), resolver: &self.resolver, phones: &self.phones };
        let wanted = gir::recording(&place, &record, &resolved, &row.recordings)?;
        Ok((record, wanted))
    }
}

/// A hold on one recording protects the whole call: a declared widening.
fn is_held(record: &Canonical) -> bool {
    record.recordings.iter().any(|recording| recording.legal_hold)
}

fn not_indexed(id: &str) -> Trouble {
    let what = format!("labels of {id}");
    let why = "the index does not know the recording yet; run again later".to_owned();
    Trouble::Left(Stop::Target(CallError::Malformed { what, why }))
}
