//! Staging an interaction: each recording's answer and bytes, then the raw document that holds the source's words.

use std::collections::BTreeMap;

use plan::Reason;
use platforms::CallError;
use platforms::legacy::{Client, RecordingAnswer, wire};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::custody;
use crate::ledger::{InteractionRow, RecordingRow};
use crate::outcome::{Stop, Trouble};
use crate::staging::{Staging, raw_path};

/// `raw/<legacy_interaction_id>.json`: the source's answers verbatim, with their headers.
#[derive(Serialize)]
struct RawDocument<'a> {
    staging_version: u32,
    interaction: RawInteraction<'a>,
    recordings: Vec<&'a RawValue>,
}

#[derive(Serialize)]
struct RawInteraction<'a> {
    request: &'static str,
    headers: &'a RawValue,
    entity: &'a RawValue,
}

/// A recording's part of the raw document; also what the ledger keeps of it.
#[derive(Serialize, Deserialize)]
pub(crate) struct RawRecording {
    pub(crate) request: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Box<RawValue>,
    pub(crate) media: Option<RawMedia>,
}

/// What came as the recording's bytes.
#[derive(Serialize, Deserialize)]
pub(crate) struct RawMedia {
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    pub(crate) headers: BTreeMap<String, String>,
}

impl RawRecording {
    pub(crate) fn of(row: &RecordingRow) -> Result<RawRecording, Trouble> {
        let text = row.answer.as_deref().unwrap_or_default();
        serde_json::from_str(text).map_err(|error| broken(&row.legacy_id, &error))
    }

    pub(crate) fn wire(&self, legacy_id: &str) -> Result<wire::Recording, Trouble> {
        wire::Recording::read(self.body.get()).map_err(|error| Trouble::aside(Reason::SourceUnreadable, in_another_form(legacy_id, &error)))
    }
}

/// Says where, and not in serde's words: they quote values.
fn broken(subject: &str, error: &serde_json::Error) -> Trouble {
    let at = format!("line {} column {}", error.line(), error.column());
    Trouble::Left(Stop::Storage(format!("recording {subject}: the source's answer is not what its contract says, at {at}")))
}

/// A record that is JSON and not what a recording's record is.
fn in_another_form(legacy_id: &str, error: &wire::Unreadable) -> String {
    format!("the source's record of recording {legacy_id} cannot be read: {error}")
}

/// Whether what came may not be all there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Came {
    /// As long as the source and the answer said.
    Whole,
    /// Shorter or longer than one of them said.
    Suspicious,
    /// Its record cannot be read, for this reason, and its bytes were not asked for.
    Unreadable(String),
}

/// What the source says about a recording.
enum Told {
    Read(Box<wire::Recording>),
    /// In another form; in words.
    Unreadable(String),
}

/// What the source says about a recording, held against what it was asked for.
async fn answer(source: &Client, interaction: &str, legacy_id: &str) -> Result<(RecordingAnswer, Told), Trouble> {
    let answer = source.recording(legacy_id).await.map_err(Trouble::source)?;
    let body = match wire::Recording::read(answer.body.get()) {
        Ok(body) => body,
        Err(error) => return Ok((answer, Told::Unreadable(in_another_form(legacy_id, &error)))),
    };
    if body.id != legacy_id {
        let what = format!("GET /api/v2/recordings/{legacy_id}");
        let why = format!("it answers for recording {}", body.id);
        return Err(Trouble::Left(Stop::Source(CallError::Malformed { what, why })));
    }
    // Listed by one call and of another by its own word: whose it is nobody can tell, and asking again changes nothing.
    if body.interaction_id != interaction {
        let why = format!("listed with interaction {interaction}, and of interaction {} by its own answer", body.interaction_id);
        return Err(Trouble::aside(Reason::IdCollision, why));
    }
    Ok((answer, Told::Read(Box::new(body))))
}

fn kept(legacy_id: &str, answer: RecordingAnswer, media: Option<RawMedia>) -> Result<String, Trouble> {
    let request = format!("GET /api/v2/recordings/{legacy_id}");
    let raw = RawRecording { request, headers: answer.headers, body: answer.body, media };
    serde_json::to_string(&raw).map_err(|error| broken(legacy_id, &error))
}

/// A recording's answer without its bytes, in the shape the ledger keeps.
pub(crate) async fn peek_recording(source: &Client, interaction: &str, legacy_id: &str) -> Result<String, Trouble> {
    match answer(source, interaction, legacy_id).await? {
        (answer, Told::Read(_)) => kept(legacy_id, answer, None),
        (_, Told::Unreadable(why)) => Err(Trouble::aside(Reason::SourceUnreadable, why)),
    }
}

/// A stream this much longer than a recording is stated to be has no end: sizes are stated wrongly by a little, by a header, or in another unit.
const FAR_LONGER: u64 = 4;
/// What any recording may have beside that. Bytes.
const SLACK: u64 = 16 * 1024 * 1024;
/// Bytes a second of the widest sound taken for possible where only a length is stated: 48 kHz, two channels, 32 bits.
const WIDEST_SECOND: u64 = 48_000 * 2 * 4;

/// How many bytes of a recording are taken: what is stated of it bounds them, and so does the plan.
fn most_bytes(recording: &wire::Recording, max_bytes: u64) -> u64 {
    let stated = match (recording.size_bytes, recording.duration_ms) {
        (Some(bytes), _) => bytes,
        (None, Some(length_ms)) if length_ms >= 0 => (length_ms.unsigned_abs() / 1000 + 1).saturating_mul(WIDEST_SECOND),
        (None, _) => return max_bytes,
    };
    max_bytes.min(stated.saturating_mul(FAR_LONGER).saturating_add(SLACK))
}

/// Fetches one recording's answer and bytes, and notes both in its row. `max_bytes` is the plan's bound.
pub(crate) async fn stage_recording(
    source: &Client,
    staging: &Staging,
    max_bytes: u64,
    interaction: &str,
    row: &mut RecordingRow,
) -> Result<Came, Trouble> {
    // Asked even where a canary has asked before: the address of the bytes may have run out since.
    let (answer, body) = match answer(source, interaction, &row.legacy_id).await? {
        (answer, Told::Read(body)) => (answer, body),
        (answer, Told::Unreadable(why)) => {
            row.answer = Some(kept(&row.legacy_id, answer, None)?);
            return Ok(Came::Unreadable(why));
        }
    };
    let most = most_bytes(&body, max_bytes);
    let media = source.media(&row.legacy_id, body.media_url.as_deref(), most).await.map_err(Trouble::source)?;
    let (headers, announced) = (media.headers.clone(), media.length);
    let blob = staging.take_in(&row.legacy_id, media.stream).await?.map_err(Trouble::source)?;
    row.staged_sha256 = Some(blob.sha256.clone());
    row.staged_bytes = Some(blob.bytes);
    row.held = blob.held;
    let media = RawMedia { sha256: blob.sha256, bytes: blob.bytes, headers };
    row.answer = Some(kept(&row.legacy_id, answer, Some(media))?);
    let said = [body.size_bytes, announced];
    let whole = said.into_iter().flatten().all(|said| row.staged_bytes == Some(said));
    Ok(if whole { Came::Whole } else { Came::Suspicious })
}

/// Writes the raw document of an interaction whose recordings are staged.
pub(crate) async fn write_raw(staging: &Staging, row: &InteractionRow) -> Result<(), Trouble> {
    let verbatim = |text: &str| RawValue::from_string(text.to_owned()).map_err(|error| broken(&row.legacy_id, &error));
    let answers = row.recordings.iter().map(|recording| verbatim(recording.answer.as_deref().unwrap_or("null")));
    let answers = answers.collect::<Result<Vec<_>, _>>()?;
    let (headers, entity) = (verbatim(&row.headers)?, verbatim(&row.entity)?);
    let document = RawDocument {
        staging_version: 1,
        interaction: RawInteraction { request: "GET /api/v2/analytics/interactions/query", headers: &headers, entity: &entity },
        recordings: answers.iter().map(AsRef::as_ref).collect(),
    };
    let bytes = serde_json::to_vec(&document).map_err(|error| broken(&row.legacy_id, &error))?;
    Ok(staging.put(&raw_path(&row.legacy_id), bytes.into()).await?)
}

/// Custody of what was staged.
pub(crate) fn custody_of(row: &InteractionRow, at: &str, plan_hash: &str) -> Vec<custody::Entry> {
    let entry = |recording: &RecordingRow| custody::Entry {
        legacy_interaction_id: row.legacy_id.clone(),
        legacy_recording_id: recording.legacy_id.clone(),
        hop: "stage",
        at: at.to_owned(),
        sha256_before: None,
        sha256_after: recording.staged_sha256.clone(),
        bytes: recording.staged_bytes,
        tool: custody::TOOL,
        encoder: None,
        plan_hash: plan_hash.to_string(),
        target_id: None,
        confirm_sha256: None,
        reason: None,
        detail: None,
    };
    row.recordings.iter().map(entry).collect()
}
