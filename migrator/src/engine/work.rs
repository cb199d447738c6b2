//! One interaction's way: each step acts and writes the ledger.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use plan::{LoadedPlan, Partial, Reason, Repost};
use platforms::legacy::wire;
use tempfile::SpooledTempFile;

use super::{Run, digest};
use crate::canonical::{Canonical, normalise};
use crate::convert::{Bad, Converted, convert, seal};
use crate::custody;
use crate::gir::Recipients;
use crate::ledger::{Change, InteractionRow, Posted, RecordingRow, Redo};
use crate::outcome::{Aside, Stop, Trouble};
use crate::phone::PhoneRule;
use crate::resolve::{Resolved, Resolver};
use crate::stage::{self, Came, RawRecording};
use crate::staging::{StagingError, blob_path};
use crate::step::{InteractionState, Phase, Step, next_step};
use crate::target::Target;

impl Run {
    /// Takes an interaction as far as it goes now; gives it back where the target is still taking it in.
    pub(super) async fn advance(&self, mut row: InteractionRow) -> Result<Option<InteractionRow>, Trouble> {
        if row.phase == Phase::Done
            && let Some(redo) = row.redo
        {
            begin_again(&mut row, redo, &self.target);
        }
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
                Err(Trouble::SetAside(aside)) if row.before.is_some() => {
                    let why =
                        format!("it is in the target, and stays behind by the present plan and source: {}: {}", aside.reason, aside.detail);
                    return self.leave_as_it_is(row, why).await.map(|()| None);
                }
                Err(Trouble::Unrepairable(why)) => return self.leave_as_it_is(row, why).await.map(|()| None),
                Err(Trouble::SetAside(aside)) => self.set_aside(&mut row, &aside).await?,
                Err(Trouble::Gone) => self.stage_again(&mut row).await?,
                Err(Trouble::Overtaken) => return Ok(None),
                Err(Trouble::NotYet) => return Ok(Some(row)),
                other => other?,
            }
        }
    }

    async fn stage(&self, row: &mut InteractionRow) -> Result<(), Trouble> {
        let place = row.detail.take();
        if let Err(why) = wire::Interaction::read(&row.entity) {
            let why = place.unwrap_or_else(|| format!("the source's entity cannot be read: {why}"));
            return Err(Trouble::aside(Reason::SourceUnreadable, why));
        }
        let open = |recording: &&mut RecordingRow| recording.staged_sha256.is_none() && recording.outcome.is_none();
        for recording in row.recordings.iter_mut().filter(open) {
            let came = stage::stage_recording(&self.source, &self.staging, self.max_bytes(), &row.legacy_id, recording).await?;
            if let Came::Unreadable(why) = came {
                // The source may tell it otherwise another time.
                recording.doubt = true;
                self.put_aside(recording, "quarantined", Reason::SourceUnreadable.as_str(), why);
                continue;
            }
            // Not as long as was said: cut on its way, or declared wrongly. A second read tells the two apart.
            if came == Came::Suspicious {
                let again = stage::stage_recording(&self.source, &self.staging, self.max_bytes(), &row.legacy_id, recording).await?;
                recording.read_twice = true;
                recording.doubt = again == Came::Suspicious;
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
        let bad = bad.and_then(|recording| Some((recording.legacy_id.clone(), recording.reason.clone()?)));
        let nothing_goes = !row.recordings.is_empty() && row.recordings.iter().all(|recording| recording.outcome.is_some());
        // A recording there has a media file at least: a call without one is a declared loss.
        let not_carried = row.recordings.is_empty() && matches!(self.target, Target::Gir(_));
        let held = bad.filter(|_| self.plan.plan.rules.partial == Partial::Hold);
        if let Some((bad, reason)) = &held {
            let why = format!("held back with recording {bad} of the same call (rules.partial = \"hold\")");
            for recording in row.recordings.iter_mut().filter(|recording| recording.outcome.is_none()) {
                self.put_aside(recording, "quarantined", reason, why.clone());
            }
        }
        if let Some(before) = &row.before
            && let Some(now) = row.recordings.iter().find(|now| now.outcome.is_some() && was_sent(before, &now.legacy_id))
        {
            let (reason, detail) = (now.reason.as_deref().unwrap_or_default(), now.detail.as_deref().unwrap_or_default());
            let why = format!(
                "recording {} is in the target, and stays behind by the present plan and source: {reason}: {detail}",
                now.legacy_id
            );
            return Err(Trouble::Unrepairable(why));
        }
        if let (Some(_), Target::Gir(gir)) = (row.redo, &self.target) {
            self.may_redo_in_gir(gir, row).await?;
        }
        custody.extend(self.hops_aside(row));
        let is_held = held.is_some();
        row.reason = held.map(|(_, reason)| reason);
        row.stand_in = resolved.stand_in();
        row.phase = if is_held || nothing_goes || not_carried { Phase::SetAside } else { Phase::Converted };
        let mut warnings = warnings(&record, &resolved);
        warnings.extend(not_carried.then_some("call_without_recordings_not_carried"));
        self.save(row, custody, warnings).await
    }

    /// Decides about one recording and converts it; what stays behind is noted in its row.
    async fn convert_recording(&self, row: &mut InteractionRow, at: usize, record: &Canonical) -> Result<Vec<custody::Entry>, Trouble> {
        let mut custody = Vec::new();
        let legacy_id = row.recordings[at].legacy_id.clone();
        if row.recordings[at].outcome.is_some() {
            return Ok(custody);
        }
        let Some(canonical) = record.recordings.iter().find(|recording| recording.legacy_recording_id == legacy_id) else {
            return Err(Trouble::Left(Stop::Storage(format!("recording {legacy_id}: its answer is about another recording"))));
        };
        if let Some(agreed) = self.plan.exclusion(crate::resolve::key(&legacy_id)) {
            let why = format!("agreed by {} on {} in the exclusions file", agreed.decided_by, agreed.decided_at);
            self.put_aside(&mut row.recordings[at], "skipped", &agreed.reason, why);
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
                    let why = "no instant can be made of the recording's own start and end".to_owned();
                    self.put_aside(&mut row.recordings[at], "quarantined", Reason::TimeUnusable.as_str(), why);
                    return Ok(custody);
                }
                Ok((converted, out)) => {
                    row.recordings[at].doubt = false;
                    if let Some(aside) = self.resolver.kept_behind(record, canonical, self.clock.now()) {
                        let outcome = if aside.reason == Reason::Expired { "skipped" } else { "quarantined" };
                        self.put_aside(&mut row.recordings[at], outcome, aside.reason.as_str(), aside.detail);
                        return Ok(custody);
                    }
                    custody.push(self.keep(row, at, converted, out).await?);
                    return Ok(custody);
                }
                Err(Bad::Ours(what) | Bad::Storage(what)) => {
                    return Err(Trouble::Left(Stop::Storage(format!("recording {legacy_id}: {what}"))));
                }
                // Read once more before it is judged: a cut in transport differs on the second read, a bad source does not.
                Err(Bad::Aside(_)) if !row.recordings[at].read_twice => {
                    let interaction = row.legacy_id.clone();
                    let came = stage::stage_recording(&self.source, &self.staging, self.max_bytes(), &interaction, &mut row.recordings[at])
                        .await?;
                    row.recordings[at].read_twice = true;
                    row.recordings[at].doubt = came == Came::Suspicious;
                    stage::write_raw(&self.staging, row).await?;
                    let second = custody::Entry {
                        sha256_after: row.recordings[at].staged_sha256.clone(),
                        bytes: row.recordings[at].staged_bytes,
                        ..self.hop(row, &row.recordings[at], "stage", Some(staged), None, None)
                    };
                    custody.push(second);
                }
                Err(Bad::Aside(aside)) => {
                    row.recordings[at].doubt |= aside.source_misbehaved;
                    self.put_aside(&mut row.recordings[at], "quarantined", aside.reason.as_str(), aside.detail);
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
        (row.unrepaired, row.before, row.since) = (None, None, None);
        let is_redo = row.redo.take().is_some();
        if is_redo {
            self.redone.fetch_add(1, Ordering::Relaxed);
        }
        let (_, resolved) = self.prepare(row)?;
        row.stand_in = resolved.stand_in();
        let document = Some(digest::document(&self.plan, &self.resolver, &self.phones, row)?);
        if let (Target::Gir(gir), true) = (&self.target, is_redo && row.document != document)
            && gir.repost() == Some(Repost::Duplicate)
        {
            let why = "SpeechMiner keeps the entry as it was posted first: a second post would stand beside it; correct it there";
            row.unrepaired = Some(why.to_owned());
        }
        row.document = document;
        row.audio_rules = Some(digest::audio_rules(&self.plan, row));
        let custody = self.hops(row, "confirm", Some(read));
        self.save(row, custody, Vec::new()).await
    }

    /// The whole interaction stays behind.
    async fn set_aside(&self, row: &mut InteractionRow, aside: &Aside) -> Result<(), Trouble> {
        let outcome = if aside.reason == Reason::UnmappedQueue { "skipped" } else { "quarantined" };
        let mut recordings = std::mem::take(&mut row.recordings);
        for recording in recordings.iter_mut().filter(|recording| recording.outcome.is_none()) {
            match self.plan.exclusion(crate::resolve::key(&recording.legacy_id)) {
                Some(agreed) => self.put_aside(recording, "skipped", &agreed.reason, format!("agreed by {}", agreed.decided_by)),
                None => self.put_aside(recording, outcome, aside.reason.as_str(), aside.detail.clone()),
            }
        }
        row.recordings = recordings;
        row.reason = Some(aside.reason.as_str().to_owned());
        row.detail = Some(aside.detail.clone());
        row.since.get_or_insert_with(|| self.now());
        row.phase = Phase::SetAside;
        let custody = self.hops_aside(row);
        self.save(row, custody, Vec::new()).await
    }

    /// A call that is in the target and is not sent again: what was known of it stays, with why.
    async fn leave_as_it_is(&self, mut row: InteractionRow, why: String) -> Result<(), Trouble> {
        tracing::warn!("interaction {}: {why}", row.legacy_id);
        if let Some(before) = row.before.take() {
            row.recordings = before;
        }
        (row.phase, row.redo, row.unrepaired) = (Phase::Done, None, Some(why));
        row.since = Some(self.now());
        row.later.clear();
        self.save(&mut row, Vec::new(), Vec::new()).await
    }

    fn put_aside(&self, recording: &mut RecordingRow, outcome: &str, reason: &str, detail: String) {
        if outcome == "quarantined" {
            self.quarantined.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        recording.outcome = Some(outcome.to_owned());
        recording.reason = Some(reason.to_owned());
        recording.detail = Some(detail);
        recording.since.get_or_insert_with(|| self.now());
    }

    /// The largest recording the plan takes. Bytes.
    fn max_bytes(&self) -> u64 {
        self.plan.plan.audio.max_bytes
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

    /// Writes a row's new phase. A redo that has sent nothing yet keeps its custody to itself: the ledger tells what is in the target.
    pub(super) async fn save(
        &self,
        row: &mut InteractionRow,
        mut custody: Vec<custody::Entry>,
        warnings: Vec<&'static str>,
    ) -> Result<(), Trouble> {
        if row.redo.is_some() && row.phase < Phase::Converted {
            row.later.append(&mut custody);
        } else {
            custody.splice(0..0, std::mem::take(&mut row.later));
            let change = Change { plan_hash: self.plan.hash.clone(), warnings, custody };
            self.ledger.save(row, change).await?;
        }
        let collided = self.collided.lock().unwrap_or_else(PoisonError::into_inner).contains(&row.seq);
        if collided { Err(Trouble::Overtaken) } else { Ok(()) }
    }

    fn now(&self) -> String {
        custody::at(self.clock.now())
    }

    fn hops(&self, row: &InteractionRow, hop: &'static str, read: Option<String>) -> Vec<custody::Entry> {
        let going = row.recordings.iter().filter(|recording| recording.outcome.is_none());
        going.map(|recording| self.hop(row, recording, hop, recording.out_sha256.clone(), None, read.clone())).collect()
    }

    /// Hops of the recordings that stay behind.
    fn hops_aside(&self, row: &InteractionRow) -> Vec<custody::Entry> {
        let hop = |recording: &RecordingRow| {
            let hop = match recording.outcome.as_deref()? {
                "skipped" => "skip",
                _ => "quarantine",
            };
            Some(custody::Entry {
                sha256_after: None,
                reason: recording.reason.clone(),
                detail: recording.detail.clone(),
                ..self.hop(row, recording, hop, recording.staged_sha256.clone(), None, None)
            })
        };
        row.recordings.iter().filter_map(hop).collect()
    }

    /// Hops of what a call left behind with an error.
    pub(super) fn hops_left(&self, row: &InteractionRow, error: &str) -> Vec<custody::Entry> {
        let left = row.recordings.iter().filter(|recording| recording.outcome.is_none());
        left.map(|recording| custody::Entry {
            reason: Some("left".to_owned()),
            detail: Some(error.to_owned()),
            ..self.hop(row, recording, "left", recording.staged_sha256.clone(), None, None)
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
            plan_hash: self.plan.hash.clone(),
            target_id: recording.target_id.clone().or_else(|| recording.file_id.clone()),
            confirm_sha256: read,
            reason: None,
            detail: None,
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
    // Of one whose record cannot be read nothing is known; it has been put aside when it was staged.
    let readable = row.recordings.iter().filter(|recording| recording.outcome.is_none() || recording.staged_sha256.is_some());
    let recordings = readable.map(|recording| RawRecording::of(recording)?.wire(&recording.legacy_id));
    let recordings = recordings.collect::<Result<Vec<_>, _>>()?;
    let record = normalise(&interaction, &recordings, &plan.plan.time).map_err(|_| {
        let text = |time: &wire::SourceTime| time.to_string().chars().take(40).collect::<String>();
        let (start, end) = (text(&interaction.start_time), text(&interaction.end_time));
        let times = format!("no instant can be made of start `{start}` and end `{end}`");
        Trouble::aside(Reason::TimeUnusable, times)
    })?;
    let resolved = resolver.resolve(&record).map_err(Trouble::SetAside)?;
    let numbers = [&record.caller_number, &record.dialled_number];
    if numbers.into_iter().flatten().any(|number| phones.apply(number).is_none()) {
        return Err(Trouble::aside(Reason::PiiUnprotectable, "a phone number that pii.phones cannot hash or mask"));
    }
    Ok((record, resolved))
}

/// The source's entity.
pub(crate) fn entity(row: &InteractionRow) -> Result<wire::Interaction, Trouble> {
    let unreadable = |why: wire::Unreadable| Trouble::aside(Reason::SourceUnreadable, format!("the source's entity cannot be read: {why}"));
    wire::Interaction::read(&row.entity).map_err(unreadable)
}

/// A call that is in the target is begun again in memory: the ledger is told once it is certain that something is sent.
fn begin_again(row: &mut InteractionRow, redo: Redo, target: &Target) {
    row.before = Some(row.recordings.clone());
    row.phase = match redo {
        Redo::Source => Phase::Extracted,
        Redo::Audio => Phase::Staged,
        Redo::Document => Phase::Uploaded,
    };
    if let Target::Gir(gir) = target
        && gir.repost() == Some(Repost::Replace)
    {
        row.posted = Posted::No;
    }
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
                let (answer, staged_sha256, staged_bytes) = (kept.answer, kept.staged_sha256, kept.staged_bytes);
                *recording = RecordingRow { answer, staged_sha256, staged_bytes, read_twice: kept.read_twice, ..blank };
            }
            Redo::Document => {}
        }
    }
}

/// Whether a recording was among those that went.
fn was_sent(before: &[RecordingRow], legacy_id: &str) -> bool {
    before.iter().any(|recording| recording.legacy_id == legacy_id && recording.outcome.is_none() && recording.target_id.is_some())
}

/// Repairs and gaps, each once in the log and counted.
fn warnings(record: &Canonical, resolved: &Resolved) -> Vec<&'static str> {
    let mut list: Vec<&'static str> = record.repairs.iter().map(|repair| repair.as_str()).collect();
    list.extend(resolved.wrap_up_without_mapping.is_some().then_some("wrap_up_without_mapping"));
    list.extend(resolved.skill_without_mapping.then_some("skill_without_mapping"));
    list.extend(resolved.class_without_years.then_some("retention_class_without_years"));
    list.extend(record.lengths_rounded.then_some("length_rounded_to_the_millisecond"));
    for kind in &list {
        tracing::warn!("interaction {}: {kind}", record.legacy_interaction_id);
    }
    list
}
