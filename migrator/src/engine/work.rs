//! One interaction's way: each step acts and writes the ledger.

use std::sync::{Arc, PoisonError};

use plan::{LoadedPlan, Partial, Reason};
use platforms::CallError;
use platforms::legacy::wire;
use tempfile::SpooledTempFile;

use super::Run;
use crate::canonical::{Canonical, normalise};
use crate::convert::{Bad, Converted, convert, seal};
use crate::custody;
use crate::gir::Recipients;
use crate::ledger::{Change, InteractionRow, RecordingRow};
use crate::outcome::{Stop, Trouble};
use crate::phone::PhoneRule;
use crate::resolve::{Resolved, Resolver};
use crate::stage::{self, Came, RawRecording};
use crate::staging::{StagingError, blob_path};
use crate::step::{InteractionState, Phase, Step, next_step};
use crate::target::Target;

impl Run {
    /// Takes an interaction as far as it goes now; gives it back where the target is still taking it in.
    pub(super) async fn advance(&self, mut row: InteractionRow) -> Result<Option<InteractionRow>, Trouble> {
        loop {
            let state = InteractionState { phase: row.phase, dry_run: self.dry_run };
            let worked = match next_step(&state) {
                Step::Stage => self.stage(&mut row).await,
                Step::Convert => self.convert(&mut row).await,
                Step::Upload => self.upload(&mut row).await,
                Step::Ingest => self.ingest(&mut row).await,
                Step::Confirm => self.confirm(&mut row).await,
                Step::Rest => return Ok(None),
            };
            match worked {
                Err(Trouble::SetAside(reason)) => self.set_aside(&mut row, reason).await?,
                Err(Trouble::Gone) => self.stage_again(&mut row).await?,
                Err(Trouble::Overtaken) => return Ok(None),
                Err(Trouble::NotYet) => return Ok(Some(row)),
                other => other?,
            }
        }
    }

    async fn stage(&self, row: &mut InteractionRow) -> Result<(), Trouble> {
        for recording in row.recordings.iter_mut().filter(|recording| recording.staged_sha256.is_none()) {
            let came = stage::stage_recording(&self.source, &self.staging, &row.legacy_id, recording).await?;
            // Not as long as was said: cut on its way, or declared wrongly. A second read tells the two apart.
            if came == Came::Suspicious {
                stage::stage_recording(&self.source, &self.staging, &row.legacy_id, recording).await?;
                recording.read_twice = true;
            }
        }
        stage::write_raw(&self.staging, row).await?;
        row.phase = Phase::Staged;
        let custody = stage::custody_of(row, &self.now(), &self.plan.hash);
        self.save(row, custody, Vec::new()).await
    }

    /// Staging has lost what the ledger says is there: it is fetched and converted once more. A second loss in a row is an error.
    async fn stage_again(&self, row: &mut InteractionRow) -> Result<(), Trouble> {
        if row.staged_again {
            return Err(Trouble::Left(Stop::Storage(format!(
                "interaction {}: staging does not keep what is written to it",
                row.legacy_id
            ))));
        }
        row.staged_again = true;
        row.phase = Phase::Extracted;
        for recording in &mut row.recordings {
            let (seq, legacy_id, file_name) = (recording.seq, recording.legacy_id.clone(), recording.file_name.take());
            *recording = RecordingRow { seq, legacy_id, file_name, ..RecordingRow::default() };
        }
        self.save(row, Vec::new(), Vec::new()).await
    }

    async fn convert(&self, row: &mut InteractionRow) -> Result<(), Trouble> {
        let (record, resolved) = self.prepare(row)?;
        let mut custody = Vec::new();
        for at in 0..row.recordings.len() {
            custody.extend(self.convert_recording(row, at, &record).await?);
        }
        let bad = row.recordings.iter().find(|recording| recording.outcome.as_deref() == Some("quarantined"));
        let bad = bad.and_then(|recording| recording.reason.clone());
        let nothing_goes = !row.recordings.is_empty() && row.recordings.iter().all(|recording| recording.outcome.is_some());
        // A recording there has a media file at least: a call without one is a declared loss.
        let not_carried = row.recordings.is_empty() && matches!(self.target, Target::Gir(_));
        let held = bad.filter(|_| self.plan.plan.rules.partial == Partial::Hold);
        if let Some(reason) = &held {
            quarantine_rest(&mut row.recordings, reason);
        }
        row.reason.clone_from(&held);
        row.phase = if held.is_some() || nothing_goes || not_carried { Phase::SetAside } else { Phase::Converted };
        let mut warnings = warnings(&record, &resolved);
        warnings.extend(not_carried.then_some("call_without_recordings_not_carried"));
        self.save(row, custody, warnings).await
    }

    /// Decides about one recording and converts it; what stays behind is noted in its row.
    async fn convert_recording(&self, row: &mut InteractionRow, at: usize, record: &Canonical) -> Result<Vec<custody::Entry>, Trouble> {
        let mut custody = Vec::new();
        let legacy_id = row.recordings[at].legacy_id.clone();
        let Some(canonical) = record.recordings.iter().find(|recording| recording.legacy_recording_id == legacy_id) else {
            return Err(Trouble::Left(Stop::Storage(format!("recording {legacy_id}: its answer is about another recording"))));
        };
        if let Some(agreed) = self.plan.exclusion(&legacy_id) {
            put_aside(&mut row.recordings[at], "skipped", &agreed.reason);
            return Ok(custody);
        }
        loop {
            let staged = row.recordings[at].staged_sha256.clone().unwrap_or_default();
            let permit = self.cores.acquire().await.map_err(|_| Trouble::Stop(Stop::Interrupted))?;
            let (staging, held, path) = (self.staging.clone(), row.recordings[at].held.clone(), blob_path(&staged));
            let (rules, pauses, subject) = (self.plan.plan.audio.clone(), self.plan.plan.pii.pauses.clone(), canonical.clone());
            let recipients = self.recipients();
            let work = move || {
                let (mut source, mut sink) = (staging.source(&path, held)?, staging.scratch());
                let converted = convert(&mut source, &mut sink, &subject, &rules, &pauses);
                let Some(recipients) = recipients else { return Ok::<_, StagingError>(converted.map(|converted| (converted, sink))) };
                let mut sealed = staging.scratch();
                Ok(converted.and_then(|converted| Ok((seal(&recipients, converted, &mut source, &mut sink, &mut sealed)?, sealed))))
            };
            let done = self.clock.blocking(work).await;
            drop(permit);
            match done
                .map_err(|error| Trouble::Left(Stop::Storage(format!("recording {legacy_id}: the conversion broke off: {error}"))))??
            {
                Ok(_) if !canonical.time_usable => {
                    put_aside(&mut row.recordings[at], "quarantined", Reason::TimeUnusable.as_str());
                    return Ok(custody);
                }
                Ok((converted, out)) => {
                    if let Some(reason) = self.resolver.kept_behind(record, canonical, self.clock.now()) {
                        let outcome = if reason == Reason::Expired { "skipped" } else { "quarantined" };
                        put_aside(&mut row.recordings[at], outcome, reason.as_str());
                        return Ok(custody);
                    }
                    custody.push(self.keep(row, at, converted, out).await?);
                    return Ok(custody);
                }
                Err(Bad::Ours(what) | Bad::Storage(what)) => {
                    return Err(Trouble::Left(Stop::Storage(format!("recording {legacy_id}: {what}"))));
                }
                // Read once more before it is judged: a cut in transport differs on the second read, a bad source does not.
                Err(Bad::Reason(_)) if !row.recordings[at].read_twice => {
                    let interaction = row.legacy_id.clone();
                    stage::stage_recording(&self.source, &self.staging, &interaction, &mut row.recordings[at]).await?;
                    row.recordings[at].read_twice = true;
                    stage::write_raw(&self.staging, row).await?;
                    let second = custody::Entry {
                        sha256_after: row.recordings[at].staged_sha256.clone(),
                        bytes: row.recordings[at].staged_bytes,
                        ..self.hop(row, &row.recordings[at], "stage", Some(staged), None, None)
                    };
                    custody.push(second);
                }
                Err(Bad::Reason(reason)) => {
                    put_aside(&mut row.recordings[at], "quarantined", reason.as_str());
                    let seen =
                        custody::Entry { sha256_after: None, ..self.hop(row, &row.recordings[at], "quarantine", Some(staged), None, None) };
                    custody.push(seen);
                    return Ok(custody);
                }
            }
        }
    }

    async fn keep(
        &self,
        row: &mut InteractionRow,
        at: usize,
        converted: Converted,
        out: SpooledTempFile,
    ) -> Result<custody::Entry, Trouble> {
        let before = row.recordings[at].staged_sha256.clone();
        let recording = &mut row.recordings[at];
        let (probe, encoder) = match converted {
            Converted::Kept { probe } => {
                recording.kept = true;
                recording.out_sha256 = before.clone();
                recording.out_bytes = recording.staged_bytes;
                (probe, None)
            }
            Converted::Transcoded { bytes, sha256, probe, encoder } => {
                recording.held = self.staging.keep_converted(&sha256, out).await?;
                recording.kept = false;
                recording.out_sha256 = Some(sha256);
                recording.out_bytes = Some(bytes);
                (probe, Some(encoder))
            }
            Converted::Sealed { sealed, probe, encoder } => {
                recording.held = self.staging.keep_converted(&sealed.sha256, out).await?;
                recording.kept = false;
                recording.out_sha256 = Some(sealed.sha256);
                recording.out_bytes = Some(sealed.bytes);
                recording.pkcs7 = Some(sealed.pkcs7);
                recording.cert_alias = Some(sealed.cert_alias);
                (probe, encoder)
            }
        };
        recording.out_codec = Some(probe.codec.to_string());
        recording.out_samples = Some(probe.samples);
        recording.out_rate = Some(probe.sample_rate);
        Ok(self.hop(row, &row.recordings[at], "convert", before, encoder, None))
    }

    async fn upload(&self, row: &mut InteractionRow) -> Result<(), Trouble> {
        match &self.target {
            Target::GenesysCloud(surface) => self.upload_to_cloud(surface, row).await?,
            Target::Gir(gir) => self.upload_to_gir(gir, row).await?,
        }
        row.recordings.iter_mut().for_each(|recording| recording.held = None);
        row.phase = Phase::Uploaded;
        let custody = self.hops(row, "upload", None);
        self.save(row, custody, Vec::new()).await
    }

    async fn ingest(&self, row: &mut InteractionRow) -> Result<(), Trouble> {
        match &self.target {
            Target::GenesysCloud(surface) => self.ingest_into_cloud(surface, row).await?,
            Target::Gir(gir) => self.insert_into_gir(gir, row).await?,
        }
        row.phase = Phase::Created;
        self.save(row, Vec::new(), Vec::new()).await
    }

    async fn confirm(&self, row: &mut InteractionRow) -> Result<(), Trouble> {
        let read = match &self.target {
            Target::GenesysCloud(surface) => self.confirm_in_cloud(surface, row).await?,
            Target::Gir(gir) => self.confirm_in_gir(gir, row).await?,
        };
        row.phase = Phase::Done;
        let custody = self.hops(row, "confirm", Some(read));
        self.save(row, custody, Vec::new()).await
    }

    /// The whole interaction stays behind.
    async fn set_aside(&self, row: &mut InteractionRow, reason: Reason) -> Result<(), Trouble> {
        let outcome = if reason == Reason::UnmappedQueue { "skipped" } else { "quarantined" };
        for recording in row.recordings.iter_mut().filter(|recording| recording.outcome.is_none()) {
            match self.plan.exclusion(&recording.legacy_id) {
                Some(agreed) => put_aside(recording, "skipped", &agreed.reason),
                None => put_aside(recording, outcome, reason.as_str()),
            }
        }
        row.reason = Some(reason.as_str().to_owned());
        row.phase = Phase::SetAside;
        self.save(row, Vec::new(), Vec::new()).await
    }

    /// Whom files are encrypted for. Absent: they go clear.
    fn recipients(&self) -> Option<Arc<Recipients>> {
        match &self.target {
            Target::GenesysCloud(_) => None,
            Target::Gir(gir) => gir.recipients(),
        }
    }

    pub(super) fn prepare(&self, row: &InteractionRow) -> Result<(Canonical, Resolved), Trouble> {
        prepare(&self.plan, &self.resolver, &self.phones, row)
    }

    pub(super) async fn save(
        &self,
        row: &InteractionRow,
        custody: Vec<custody::Entry>,
        warnings: Vec<&'static str>,
    ) -> Result<(), Trouble> {
        let change = Change { plan_hash: self.plan.hash.clone(), warnings, custody };
        self.ledger.save(row, change).await?;
        let collided = self.collided.lock().unwrap_or_else(PoisonError::into_inner).contains(&row.seq);
        if collided { Err(Trouble::Overtaken) } else { Ok(()) }
    }

    fn now(&self) -> String {
        self.clock.now().to_string()
    }

    fn hops(&self, row: &InteractionRow, hop: &'static str, read: Option<String>) -> Vec<custody::Entry> {
        let going = row.recordings.iter().filter(|recording| recording.outcome.is_none());
        going.map(|recording| self.hop(row, recording, hop, recording.out_sha256.clone(), None, read.clone())).collect()
    }

    fn hop(
        &self,
        row: &InteractionRow,
        recording: &RecordingRow,
        hop: &'static str,
        before: Option<String>,
        encoder: Option<String>,
        read: Option<String>,
    ) -> custody::Entry {
        custody::Entry {
            legacy_interaction_id: row.legacy_id.clone(),
            legacy_recording_id: recording.legacy_id.clone(),
            hop,
            at: self.now(),
            sha256_before: before,
            sha256_after: recording.out_sha256.clone(),
            bytes: recording.out_bytes,
            tool: custody::TOOL,
            encoder,
            plan_hash: self.plan.hash.clone(),
            target_id: recording.target_id.clone().or_else(|| recording.file_id.clone()),
            confirm_sha256: read,
        }
    }
}

/// Canonical record and target ids, made anew from the source's words each time: they are functions, not state.
pub(crate) fn prepare(
    plan: &LoadedPlan,
    resolver: &Resolver,
    phones: &PhoneRule,
    row: &InteractionRow,
) -> Result<(Canonical, Resolved), Trouble> {
    let interaction = entity(row)?;
    let recordings = row.recordings.iter().map(|recording| RawRecording::of(recording)?.wire(&recording.legacy_id));
    let recordings = recordings.collect::<Result<Vec<_>, _>>()?;
    let record = normalise(&interaction, &recordings, &plan.plan.time).map_err(|_| Trouble::SetAside(Reason::TimeUnusable))?;
    let resolved = resolver.resolve(&record).map_err(Trouble::SetAside)?;
    let numbers = [&record.caller_number, &record.dialled_number];
    if numbers.into_iter().flatten().any(|number| phones.apply(number).is_none()) {
        return Err(Trouble::SetAside(Reason::PiiUnprotectable));
    }
    Ok((record, resolved))
}

/// The source's entity.
pub(crate) fn entity(row: &InteractionRow) -> Result<wire::Interaction, Trouble> {
    // Where, and not in serde's words: they quote values.
    serde_json::from_str(&row.entity).map_err(|error| {
        let why = format!("the source's entity is not what its contract says, at column {}", error.column());
        Trouble::Left(Stop::Source(CallError::Malformed { what: format!("interaction {}", row.legacy_id), why }))
    })
}

fn put_aside(recording: &mut RecordingRow, outcome: &str, reason: &str) {
    recording.outcome = Some(outcome.to_owned());
    recording.reason = Some(reason.to_owned());
}

/// Under `partial = "hold"` one bad recording keeps its whole interaction back.
fn quarantine_rest(recordings: &mut [RecordingRow], reason: &str) {
    for recording in recordings.iter_mut().filter(|recording| recording.outcome.is_none()) {
        put_aside(recording, "quarantined", reason);
    }
}

/// Repairs and gaps, each once in the log and counted.
fn warnings(record: &Canonical, resolved: &Resolved) -> Vec<&'static str> {
    let mut list: Vec<&'static str> = record.repairs.iter().map(|repair| repair.as_str()).collect();
    list.extend(resolved.wrap_up_without_mapping.is_some().then_some("wrap_up_without_mapping"));
    list.extend(resolved.skill_without_mapping.then_some("skill_without_mapping"));
    list.extend(resolved.class_without_years.then_some("retention_class_without_years"));
    for kind in &list {
        tracing::warn!("interaction {}: {kind}", record.legacy_interaction_id);
    }
    list
}
