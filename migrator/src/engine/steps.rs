//! One interaction's way: each step acts and writes the ledger.

use std::sync::atomic::Ordering;

use plan::{Partial, Reason};
use tempfile::SpooledTempFile;

use super::{Run, Work};
use crate::canonical::Canonical;
use crate::context::Attempt;
use crate::convert::{ConvertError, Converted, convert, seal};
use crate::custody;
use crate::digest;
use crate::error::{Aside, RunError, StepError};
use crate::ledger::{Disposition, InteractionRow, RecordingRow, Redo};
use crate::prepare::Prepared;
use crate::resolve::Resolved;
use crate::source::SourceFormat;
use crate::source::registry::format_of;
use crate::stage::{self, Transfer};
use crate::staging::{StagingError, blob_path};
use crate::step::{InteractionState, Phase, Step, next_step};
use crate::target::CallInFlight;

impl Run {
    /// Takes an interaction as far as it goes now; gives it back where the target is still taking
    /// it in.
    pub(super) async fn advance(
        &self,
        Work {
            mut row,
            mut attempt,
        }: Work,
    ) -> Result<Option<Work>, StepError> {
        if row.phase == Phase::Done
            && let Some(redo) = row.redo
        {
            begin_again(&mut row, &mut attempt, redo);
            self.target.begin_redo(&mut row);
        }
        // Made once for the steps towards the target, which change nothing that it is made of.
        let mut prepared = None;
        loop {
            let state = InteractionState {
                phase: row.phase,
                dry_run: self.context.dry_run,
            };
            let worked = match next_step(&state) {
                Step::Stage => self.stage(&mut row, &mut attempt).await,
                Step::Convert => self.convert(&mut row, &mut attempt).await,
                Step::Rest => return Ok(None),
                step => self.send(step, &mut row, &mut attempt, &mut prepared).await,
            };
            match worked {
                Err(StepError::SetAside(aside)) if attempt.before.is_some() => {
                    let why = format!(
                        "it is in the target, and stays behind by the present plan and source: {}: \
                         {}",
                        aside.reason, aside.detail
                    );
                    return self.leave_as_it_is(row, attempt, why).await.map(|()| None);
                }
                Err(StepError::Unrepairable(why)) => {
                    return self.leave_as_it_is(row, attempt, why).await.map(|()| None);
                }
                Err(StepError::SetAside(aside)) => {
                    self.set_aside(&mut row, &mut attempt, &aside).await?
                }
                Err(StepError::StagedObjectMissing) => {
                    prepared = None;
                    self.stage_again(&mut row, &mut attempt).await?;
                }
                Err(StepError::Superseded) => return Ok(None),
                Err(StepError::RetryLater) => return Ok(Some(Work { row, attempt })),
                other => other?,
            }
        }
    }

    /// A step towards the target.
    async fn send(
        &self,
        step: Step,
        row: &mut InteractionRow,
        attempt: &mut Attempt,
        prepared: &mut Option<Prepared>,
    ) -> Result<(), StepError> {
        let Prepared { record, resolved } = match prepared {
            Some(prepared) => prepared,
            None => prepared.insert(self.context.prepare(row)?),
        };
        let mut call = CallInFlight {
            row,
            record,
            resolved,
            attempt,
            run: &self.context,
        };
        match step {
            Step::Upload => self.upload(&mut call).await,
            Step::Ingest => self.ingest(&mut call).await,
            Step::Confirm => self.confirm(&mut call).await,
            Step::Stage | Step::Convert | Step::Rest => Err(StepError::Run(RunError::Storage(
                format!("{step:?} is no step towards the target; this is a bug"),
            ))),
        }
    }

    async fn stage(
        &self,
        row: &mut InteractionRow,
        attempt: &mut Attempt,
    ) -> Result<(), StepError> {
        let place = row.detail.take();
        if let Some(why) = self.format().unreadable(&row.entity) {
            let why = place.unwrap_or_else(|| format!("the source's entity cannot be read: {why}"));
            return Err(StepError::aside(Reason::SourceUnreadable, why));
        }
        let open = |recording: &&mut RecordingRow| {
            recording.staged_sha256.is_none() && recording.outcome.is_none()
        };
        for recording in row.recordings.iter_mut().filter(open) {
            let came = self
                .stage_recording(&row.legacy_id, recording, attempt)
                .await?;
            if let Transfer::Aside(aside) = came {
                // The source may tell it otherwise another time; what it has deleted is gone.
                let is_gone = aside.reason == Reason::SourceDeleted;
                recording.doubt = !is_gone;
                let outcome = if is_gone {
                    Disposition::Skipped
                } else {
                    Disposition::Quarantined
                };
                self.exclude(recording, outcome, aside.reason.as_str(), aside.detail);
                continue;
            }
            // Not as long as was said: cut on its way, or declared wrongly. A second read tells the
            // two apart.
            if came == Transfer::LengthMismatch {
                let again = self
                    .stage_recording(&row.legacy_id, recording, attempt)
                    .await?;
                recording.read_twice = true;
                recording.doubt = again == Transfer::LengthMismatch;
            }
        }
        stage::write_raw(&self.context.staging, self.format().listing_request(), row).await?;
        row.phase = Phase::Staged;
        let custody = stage::custody_of(row, &self.now(), &self.context.plan.hash);
        self.context.save(row, attempt, custody, Vec::new()).await
    }

    /// Staging has lost what the ledger says is there: it is fetched and converted once more. A
    /// second loss in a row is an error.
    async fn stage_again(
        &self,
        row: &mut InteractionRow,
        attempt: &mut Attempt,
    ) -> Result<(), StepError> {
        if attempt.restaged {
            return Err(StepError::InteractionFailed(RunError::Storage(format!(
                "interaction {}: staging does not keep what is written to it",
                row.legacy_id
            ))));
        }
        attempt.restaged = true;
        attempt.cached_bytes.clear();
        attempt.uploads.clear();
        row.phase = Phase::Extracted;
        for recording in &mut row.recordings {
            let (seq, legacy_id, file_name) = (
                recording.seq,
                recording.legacy_id.clone(),
                recording.file_name.take(),
            );
            *recording = RecordingRow {
                seq,
                legacy_id,
                file_name,
                ..RecordingRow::default()
            };
        }
        self.context
            .save(row, attempt, Vec::new(), Vec::new())
            .await
    }

    async fn convert(
        &self,
        row: &mut InteractionRow,
        attempt: &mut Attempt,
    ) -> Result<(), StepError> {
        let Prepared { record, resolved } = self.context.prepare(row)?;
        if let Some(aside) = self.context.holds.keeps_back(&record) {
            return Err(StepError::SetAside(aside));
        }
        let mut custody = Vec::new();
        for at in 0..row.recordings.len() {
            custody.extend(self.convert_recording(row, attempt, at, &record).await?);
        }
        let bad = row
            .recordings
            .iter()
            .find(|recording| recording.outcome == Some(Disposition::Quarantined));
        let bad = bad
            .and_then(|recording| Some((recording.legacy_id.clone(), recording.reason.clone()?)));
        let nothing_goes = !row.recordings.is_empty()
            && row
                .recordings
                .iter()
                .all(|recording| recording.outcome.is_some());
        let not_carried = row.recordings.is_empty()
            && !self
                .target
                .rules()
                .capabilities()
                .carries_calls_without_recordings;
        let held = bad.filter(|_| self.context.plan.plan.rules.partial == Partial::Hold);
        if let Some((bad, reason)) = &held {
            let why = format!(
                "held back with recording {bad} of the same call (rules.partial = \"hold\")"
            );
            for recording in row
                .recordings
                .iter_mut()
                .filter(|recording| recording.outcome.is_none())
            {
                self.exclude(recording, Disposition::Quarantined, reason, why.clone());
            }
        }
        if let Some(before) = &attempt.before
            && let Some(now) = row
                .recordings
                .iter()
                .find(|now| now.outcome.is_some() && was_sent(before, &now.legacy_id))
        {
            let (reason, detail) = (
                now.reason.as_deref().unwrap_or_default(),
                now.detail.as_deref().unwrap_or_default(),
            );
            let why = format!(
                "recording {} is in the target, and stays behind by the present plan and source: \
                 {reason}: {detail}",
                now.legacy_id
            );
            return Err(StepError::Unrepairable(why));
        }
        if row.redo.is_some() {
            // What was read a second time may have changed what the record is made of.
            let Prepared { record, resolved } = self.context.prepare(row)?;
            let call = CallInFlight {
                row,
                record: &record,
                resolved: &resolved,
                attempt,
                run: &self.context,
            };
            self.target.may_redo(&call).await?;
        }
        custody.extend(self.hops_aside(row));
        let is_held = held.is_some();
        row.reason = held.map(|(_, reason)| reason);
        row.stand_in = resolved.stand_in();
        row.phase = if is_held || nothing_goes || not_carried {
            Phase::SetAside
        } else {
            Phase::Converted
        };
        let mut warnings = warnings(&record, &resolved);
        warnings.extend(not_carried.then_some("call_without_recordings_not_carried"));
        self.context.save(row, attempt, custody, warnings).await
    }

    /// Decides about one recording and converts it; what stays behind is noted in its row.
    async fn convert_recording(
        &self,
        row: &mut InteractionRow,
        attempt: &mut Attempt,
        at: usize,
        record: &Canonical,
    ) -> Result<Vec<custody::Entry>, StepError> {
        let mut custody = Vec::new();
        let legacy_id = row.recordings[at].legacy_id.clone();
        if row.recordings[at].outcome.is_some() {
            return Ok(custody);
        }
        let Some(canonical) = record
            .recordings
            .iter()
            .find(|recording| recording.legacy_recording_id == legacy_id)
        else {
            return Err(StepError::InteractionFailed(RunError::Storage(format!(
                "recording {legacy_id}: its answer is about another recording"
            ))));
        };
        if let Some(agreed) = self
            .context
            .plan
            .exclusion(crate::legacy_id::key(&legacy_id))
        {
            let why = format!(
                "agreed by {} on {} in the exclusions file",
                agreed.decided_by, agreed.decided_at
            );
            self.exclude(
                &mut row.recordings[at],
                Disposition::Skipped,
                &agreed.reason,
                why,
            );
            return Ok(custody);
        }
        loop {
            let staged = row.recordings[at].staged_sha256.clone().unwrap_or_default();
            let staging = self.context.staging.clone();
            let cached = attempt.cached_bytes.get(&row.recordings[at].seq).cloned();
            let mut source = staging.source(&blob_path(&staged), cached).await?;
            let permit = self
                .cores
                .acquire()
                .await
                .map_err(|_| StepError::Run(RunError::Interrupted))?;
            let (rules, pauses, subject) = (
                self.context.plan.plan.audio.clone(),
                self.context.plan.plan.pii.pauses.clone(),
                canonical.clone(),
            );
            let recipients = self.target.recipients();
            let work = move || {
                let mut sink = staging.scratch();
                let converted = convert(&mut source, &mut sink, &subject, &rules, &pauses);
                let Some(recipients) = recipients else {
                    return Ok::<_, StagingError>(converted.map(|converted| (converted, sink)));
                };
                let mut sealed = staging.scratch();
                Ok(converted.and_then(|converted| {
                    Ok((
                        seal(&recipients, converted, &mut source, &mut sink, &mut sealed)?,
                        sealed,
                    ))
                }))
            };
            let done = self.context.clock.blocking(work).await;
            drop(permit);
            match done.map_err(|error| {
                StepError::InteractionFailed(RunError::Storage(format!(
                    "recording {legacy_id}: the conversion broke off: {error}"
                )))
            })?? {
                Ok(_) if !canonical.time_usable => {
                    let why =
                        "no instant can be made of the recording's own start and end".to_owned();
                    self.exclude(
                        &mut row.recordings[at],
                        Disposition::Quarantined,
                        Reason::TimeUnusable.as_str(),
                        why,
                    );
                    return Ok(custody);
                }
                Ok((converted, out)) => {
                    row.recordings[at].doubt = false;
                    if let Some(aside) = self.context.resolver.retention_exclusion(
                        record,
                        canonical,
                        self.context.clock.now(),
                    ) {
                        let outcome = if aside.reason == Reason::Expired {
                            Disposition::Skipped
                        } else {
                            Disposition::Quarantined
                        };
                        self.exclude(
                            &mut row.recordings[at],
                            outcome,
                            aside.reason.as_str(),
                            aside.detail,
                        );
                        return Ok(custody);
                    }
                    custody.push(self.keep(row, attempt, at, converted, out).await?);
                    return Ok(custody);
                }
                Err(ConvertError::Internal(what) | ConvertError::Io(what)) => {
                    return Err(StepError::InteractionFailed(RunError::Storage(format!(
                        "recording {legacy_id}: {what}"
                    ))));
                }
                // Read once more before it is judged: a cut in transport differs on the second
                // read, a bad source does not.
                Err(ConvertError::Quarantine(_)) if !row.recordings[at].read_twice => {
                    let interaction = row.legacy_id.clone();
                    let came = self
                        .stage_recording(&interaction, &mut row.recordings[at], attempt)
                        .await?;
                    row.recordings[at].read_twice = true;
                    row.recordings[at].doubt = came == Transfer::LengthMismatch;
                    stage::write_raw(&self.context.staging, self.format().listing_request(), row)
                        .await?;
                    let second = custody::Entry {
                        sha256_after: row.recordings[at].staged_sha256.clone(),
                        bytes: row.recordings[at].staged_bytes,
                        ..self.hop(row, &row.recordings[at], "stage", Some(staged), None, None)
                    };
                    custody.push(second);
                }
                Err(ConvertError::Quarantine(aside)) => {
                    row.recordings[at].doubt |= aside.source_misbehaved;
                    self.exclude(
                        &mut row.recordings[at],
                        Disposition::Quarantined,
                        aside.reason.as_str(),
                        aside.detail,
                    );
                    return Ok(custody);
                }
            }
        }
    }

    async fn keep(
        &self,
        row: &mut InteractionRow,
        attempt: &mut Attempt,
        at: usize,
        converted: Converted,
        out: SpooledTempFile,
    ) -> Result<custody::Entry, StepError> {
        let before = row.recordings[at].staged_sha256.clone();
        let recording = &mut row.recordings[at];
        let (probe, encoder) = match converted {
            Converted::Kept { probe } => {
                recording.sent_unchanged = true;
                recording.out_sha256 = before.clone();
                recording.out_bytes = recording.staged_bytes;
                (probe, None)
            }
            Converted::Transcoded {
                bytes,
                sha256,
                probe,
                encoder,
            } => {
                attempt.cache(
                    recording.seq,
                    self.context.staging.keep_converted(&sha256, out).await?,
                );
                recording.sent_unchanged = false;
                recording.out_sha256 = Some(sha256);
                recording.out_bytes = Some(bytes);
                (probe, Some(encoder))
            }
            Converted::Sealed {
                sealed,
                probe,
                encoder,
            } => {
                attempt.cache(
                    recording.seq,
                    self.context
                        .staging
                        .keep_converted(&sealed.sha256, out)
                        .await?,
                );
                recording.target_state = self.target.envelope_state(&sealed);
                recording.sent_unchanged = false;
                recording.out_sha256 = Some(sealed.sha256);
                recording.out_bytes = Some(sealed.bytes);
                (probe, encoder)
            }
        };
        recording.out_codec = Some(probe.codec.to_string());
        recording.out_samples = Some(probe.samples);
        recording.out_rate = Some(probe.sample_rate);
        Ok(self.hop(row, &row.recordings[at], "convert", before, encoder, None))
    }

    async fn upload(&self, call: &mut CallInFlight<'_>) -> Result<(), StepError> {
        self.target.upload(call).await?;
        call.attempt.cached_bytes.clear();
        call.row.phase = Phase::Uploaded;
        let custody = self.hops(call.row, "upload", None);
        self.context
            .save(call.row, call.attempt, custody, Vec::new())
            .await
    }

    async fn ingest(&self, call: &mut CallInFlight<'_>) -> Result<(), StepError> {
        self.target.create(call).await?;
        call.row.phase = Phase::Created;
        call.save().await
    }

    async fn confirm(&self, call: &mut CallInFlight<'_>) -> Result<(), StepError> {
        let read = self.target.confirm(call).await?;
        let document = Some(digest::document(self.target.rules(), &call.content())?);
        let row = &mut *call.row;
        row.phase = Phase::Done;
        (row.unrepaired, row.since, call.attempt.before) = (None, None, None);
        let is_redo = row.redo.take().is_some();
        if is_redo {
            self.redone.fetch_add(1, Ordering::Relaxed);
        }
        row.stand_in = call.resolved.stand_in();
        if is_redo && row.document != document {
            row.unrepaired = self.target.left_by_redo().map(str::to_owned);
        }
        row.document = document;
        row.audio_rules = Some(digest::audio_rules(&self.context.plan, row));
        let custody = self.hops(row, "confirm", Some(read));
        self.context
            .save(call.row, call.attempt, custody, Vec::new())
            .await
    }

    /// The whole interaction stays behind.
    async fn set_aside(
        &self,
        row: &mut InteractionRow,
        attempt: &mut Attempt,
        aside: &Aside,
    ) -> Result<(), StepError> {
        let outcome = if aside.reason == Reason::UnmappedQueue {
            Disposition::Skipped
        } else {
            Disposition::Quarantined
        };
        let mut recordings = std::mem::take(&mut row.recordings);
        for recording in recordings
            .iter_mut()
            .filter(|recording| recording.outcome.is_none())
        {
            match self
                .context
                .plan
                .exclusion(crate::legacy_id::key(&recording.legacy_id))
            {
                Some(agreed) => self.exclude(
                    recording,
                    Disposition::Skipped,
                    &agreed.reason,
                    format!("agreed by {}", agreed.decided_by),
                ),
                None => self.exclude(
                    recording,
                    outcome,
                    aside.reason.as_str(),
                    aside.detail.clone(),
                ),
            }
        }
        row.recordings = recordings;
        row.reason = Some(aside.reason.as_str().to_owned());
        row.detail = Some(aside.detail.clone());
        row.since.get_or_insert_with(|| self.now());
        row.phase = Phase::SetAside;
        let custody = self.hops_aside(row);
        self.context.save(row, attempt, custody, Vec::new()).await
    }

    /// A call that is in the target and is not sent again: what was known of it stays, with why.
    async fn leave_as_it_is(
        &self,
        mut row: InteractionRow,
        mut attempt: Attempt,
        why: String,
    ) -> Result<(), StepError> {
        tracing::warn!("interaction {}: {why}", row.legacy_id);
        if let Some(before) = attempt.before.take() {
            row.recordings = before;
        }
        (row.phase, row.redo, row.unrepaired) = (Phase::Done, None, Some(why));
        row.since = Some(self.now());
        attempt.custody.clear();
        self.context
            .save(&mut row, &mut attempt, Vec::new(), Vec::new())
            .await
    }

    fn exclude(
        &self,
        recording: &mut RecordingRow,
        outcome: Disposition,
        reason: &str,
        detail: String,
    ) {
        if outcome == Disposition::Quarantined {
            self.quarantined
                .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        recording.outcome = Some(outcome);
        recording.reason = Some(reason.to_owned());
        recording.detail = Some(detail);
        recording.since.get_or_insert_with(|| self.now());
    }

    async fn stage_recording(
        &self,
        legacy_interaction_id: &str,
        recording: &mut RecordingRow,
        attempt: &mut Attempt,
    ) -> Result<Transfer, StepError> {
        let (staging, max_bytes) = (
            &self.context.staging,
            self.context.plan.plan.audio.max_bytes,
        );
        stage::stage_recording(
            &*self.source,
            staging,
            max_bytes,
            legacy_interaction_id,
            recording,
            attempt,
        )
        .await
    }

    fn format(&self) -> &dyn SourceFormat {
        format_of(&self.context.plan)
    }

    fn now(&self) -> String {
        custody::at(self.context.clock.now())
    }

    fn hops(
        &self,
        row: &InteractionRow,
        hop: &'static str,
        read: Option<String>,
    ) -> Vec<custody::Entry> {
        let going = row
            .recordings
            .iter()
            .filter(|recording| recording.outcome.is_none());
        going
            .map(|recording| {
                self.hop(
                    row,
                    recording,
                    hop,
                    recording.out_sha256.clone(),
                    None,
                    read.clone(),
                )
            })
            .collect()
    }

    /// Hops of the recordings that stay behind.
    fn hops_aside(&self, row: &InteractionRow) -> Vec<custody::Entry> {
        let hop = |recording: &RecordingRow| {
            let hop = match recording.outcome? {
                Disposition::Skipped => "skip",
                Disposition::Quarantined => "quarantine",
            };
            Some(custody::Entry {
                sha256_after: None,
                reason: recording.reason.clone(),
                detail: recording.detail.clone(),
                ..self.hop(
                    row,
                    recording,
                    hop,
                    recording.staged_sha256.clone(),
                    None,
                    None,
                )
            })
        };
        row.recordings.iter().filter_map(hop).collect()
    }

    /// Hops of what a call left behind with an error.
    pub(super) fn hops_left(&self, row: &InteractionRow, error: &str) -> Vec<custody::Entry> {
        let left = row
            .recordings
            .iter()
            .filter(|recording| recording.outcome.is_none());
        left.map(|recording| custody::Entry {
            reason: Some("left".to_owned()),
            detail: Some(error.to_owned()),
            ..self.hop(
                row,
                recording,
                "left",
                recording.staged_sha256.clone(),
                None,
                None,
            )
        })
        .collect()
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
            plan_hash: self.context.plan.hash.clone(),
            plan_hash_before: None,
            target_id: recording
                .target_id
                .clone()
                .or_else(|| recording.file_id.clone()),
            confirm_sha256: read,
            reason: None,
            detail: None,
        }
    }
}

/// A call that is in the target is begun again in memory: the ledger is told once it is certain
/// that something is sent.
fn begin_again(row: &mut InteractionRow, attempt: &mut Attempt, redo: Redo) {
    attempt.before = Some(row.recordings.clone());
    row.phase = match redo {
        Redo::Source => Phase::Extracted,
        Redo::Audio => Phase::Staged,
        Redo::Document => Phase::Uploaded,
    };
    for recording in &mut row.recordings {
        let kept = recording.clone();
        let blank = RecordingRow {
            seq: kept.seq,
            legacy_id: kept.legacy_id,
            file_name: kept.file_name,
            since: kept.since,
            ..RecordingRow::default()
        };
        match redo {
            Redo::Source => *recording = blank,
            Redo::Audio => {
                let (answer, staged_sha256, staged_bytes) =
                    (kept.answer, kept.staged_sha256, kept.staged_bytes);
                *recording = RecordingRow {
                    answer,
                    staged_sha256,
                    staged_bytes,
                    read_twice: kept.read_twice,
                    ..blank
                };
            }
            Redo::Document => {}
        }
    }
}

/// Whether a recording was among those that went.
fn was_sent(before: &[RecordingRow], legacy_id: &str) -> bool {
    before.iter().any(|recording| {
        recording.legacy_id == legacy_id
            && recording.outcome.is_none()
            && recording.target_id.is_some()
    })
}

/// Repairs and gaps, each once in the log and counted.
fn warnings(record: &Canonical, resolved: &Resolved) -> Vec<&'static str> {
    let mut list: Vec<&'static str> = record
        .repairs
        .iter()
        .map(|repair| repair.as_str())
        .collect();
    list.extend(
        resolved
            .wrap_up_without_mapping
            .is_some()
            .then_some("wrap_up_without_mapping"),
    );
    list.extend(
        resolved
            .skill_without_mapping
            .then_some("skill_without_mapping"),
    );
    list.extend(
        resolved
            .class_without_years
            .then_some("retention_class_without_years"),
    );
    list.extend(
        record
            .lengths_rounded
            .then_some("length_rounded_to_the_millisecond"),
    );
    for kind in &list {
        tracing::warn!("interaction {}: {kind}", record.legacy_interaction_id);
    }
    list
}
