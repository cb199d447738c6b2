//! Staging an interaction: each recording's answer and bytes, then the raw document that holds the
//! source's words.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::context::Attempt;
use crate::custody;
use crate::error::{Aside, StepError};
use crate::ledger::{InteractionRow, RecordingRow};
use crate::source::{RawMedia, RawRecording, RecordingAnswer, Source, Stated};
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
    request: &'a str,
    headers: &'a RawValue,
    entity: &'a RawValue,
}

/// Whether what came may not be all there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Transfer {
    /// As long as the source and the answer said.
    Complete,
    /// Shorter or longer than one of them said.
    LengthMismatch,
    /// It stays behind by its record alone, and its bytes were not asked for.
    Aside(Aside),
}

/// A recording's answer without its bytes, in the shape the ledger keeps.
pub(crate) async fn peek_recording(
    source: &dyn Source,
    interaction: &str,
    legacy_id: &str,
) -> Result<String, StepError> {
    let answer = source.recording(interaction, legacy_id).await?;
    if let Err(aside) = answer.stated {
        return Err(StepError::SetAside(aside));
    }
    text(legacy_id, &answer.raw)
}

fn text(legacy_id: &str, raw: &RawRecording) -> Result<String, StepError> {
    serde_json::to_string(raw).map_err(|error| StepError::malformed_answer(legacy_id, &error))
}

/// A stream this much longer than a recording is stated to be has no end: sizes are stated wrongly
/// by a little, by a header, or in another unit.
const FAR_LONGER: u64 = 4;
/// What any recording may have beside that. Bytes.
const SLACK: u64 = 16 * 1024 * 1024;
/// Bytes a second of the widest sound taken for possible where only a length is stated: 48 kHz, two
/// channels, 32 bits.
const WIDEST_SECOND: u64 = 48_000 * 2 * 4;

/// How many bytes of a recording are taken: what is stated of it bounds them, and so does the plan.
fn most_bytes(stated: &Stated, max_bytes: u64) -> u64 {
    let stated = match (stated.size_bytes, stated.duration_ms) {
        (Some(bytes), _) => bytes,
        (None, Some(length_ms)) if length_ms >= 0 => {
            (length_ms.unsigned_abs() / 1000 + 1).saturating_mul(WIDEST_SECOND)
        }
        (None, _) => return max_bytes,
    };
    max_bytes.min(stated.saturating_mul(FAR_LONGER).saturating_add(SLACK))
}

/// Fetches one recording's answer and bytes, and notes both in its row. `max_bytes` is the plan's
/// bound.
pub(crate) async fn stage_recording(
    source: &dyn Source,
    staging: &Staging,
    max_bytes: u64,
    interaction: &str,
    row: &mut RecordingRow,
    attempt: &mut Attempt,
) -> Result<Transfer, StepError> {
    // Asked even where a canary has asked before: the address of the bytes may have run out since.
    let RecordingAnswer { mut raw, stated } = source.recording(interaction, &row.legacy_id).await?;
    let stated = match stated {
        Ok(stated) => stated,
        Err(aside) => {
            row.answer = Some(text(&row.legacy_id, &raw)?);
            return Ok(Transfer::Aside(aside));
        }
    };
    let media = source
        .media(&row.legacy_id, &stated, most_bytes(&stated, max_bytes))
        .await?;
    let (headers, announced) = (media.headers.clone(), media.length);
    let blob = staging
        .take_in(&row.legacy_id, media.stream)
        .await?
        .map_err(StepError::source)?;
    row.staged_sha256 = Some(blob.sha256.clone());
    row.staged_bytes = Some(blob.bytes);
    attempt.cache(row.seq, blob.cached_bytes);
    raw.media = Some(RawMedia {
        sha256: blob.sha256,
        bytes: blob.bytes,
        headers,
    });
    row.answer = Some(text(&row.legacy_id, &raw)?);
    let said = [stated.size_bytes, announced];
    let whole = said
        .into_iter()
        .flatten()
        .all(|said| row.staged_bytes == Some(said));
    Ok(if whole {
        Transfer::Complete
    } else {
        Transfer::LengthMismatch
    })
}

/// Writes the raw document of an interaction whose recordings are staged.
pub(crate) async fn write_raw(
    staging: &Staging,
    listing_request: &str,
    row: &InteractionRow,
) -> Result<(), StepError> {
    let verbatim = |text: &str| {
        RawValue::from_string(text.to_owned())
            .map_err(|error| StepError::malformed_answer(&row.legacy_id, &error))
    };
    let answers = row
        .recordings
        .iter()
        .map(|recording| verbatim(recording.answer.as_deref().unwrap_or("null")));
    let answers = answers.collect::<Result<Vec<_>, _>>()?;
    let (headers, entity) = (verbatim(&row.headers)?, verbatim(&row.entity)?);
    let document = RawDocument {
        staging_version: 1,
        interaction: RawInteraction {
            request: listing_request,
            headers: &headers,
            entity: &entity,
        },
        recordings: answers.iter().map(AsRef::as_ref).collect(),
    };
    let bytes = serde_json::to_vec(&document)
        .map_err(|error| StepError::malformed_answer(&row.legacy_id, &error))?;
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
        plan_hash_before: None,
        target_id: None,
        confirm_sha256: None,
        reason: None,
        detail: None,
    };
    row.recordings.iter().map(entry).collect()
}
