//! What goes out to any target: a recording's converted bytes, as staged.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use object_store::path::Path;
use platforms::OpenFile;

use crate::canonical::{Canonical, CanonicalRecording};
use crate::error::{RunError, StepError};
use crate::ledger::RecordingRow;
use crate::staging::{Staging, blob_path, out_path};

/// Codec of what was converted.
pub(crate) fn codec_of(row: &RecordingRow) -> Result<audio::Codec, StepError> {
    let codec = row.out_codec.as_deref().and_then(|name| name.parse().ok());
    codec.ok_or_else(|| {
        StepError::InteractionFailed(RunError::Storage(format!(
            "recording {}: its codec is not in the ledger",
            row.legacy_id
        )))
    })
}

/// The head of the hash of what goes, as file names in the target carry it. Source:
/// docs/reference/identity.md.
pub(crate) fn short_hash(row: &RecordingRow) -> &str {
    let hash = row.out_sha256.as_deref().unwrap_or_default();
    &hash[..12.min(hash.len())]
}

/// Where what goes is staged, and its length in bytes.
pub(crate) fn staged(row: &RecordingRow) -> Result<(Path, u64), StepError> {
    let (Some(sha256), Some(length)) = (&row.out_sha256, row.out_bytes) else {
        return Err(StepError::InteractionFailed(RunError::Storage(format!(
            "recording {}: nothing was converted",
            row.legacy_id
        ))));
    };
    Ok((
        if row.sent_unchanged {
            blob_path(sha256)
        } else {
            out_path(sha256)
        },
        length,
    ))
}

/// How long the sound is that goes. Milliseconds.
pub(crate) fn length_ms(row: &RecordingRow) -> u64 {
    row.out_samples.unwrap_or(0) * 1000 / u64::from(row.out_rate.unwrap_or(8000).max(1))
}

/// Opens what goes, anew for each try; gone from staging is told before anything is sent.
pub(crate) async fn open(
    staging: &Staging,
    cached_bytes: Option<Bytes>,
    path: Path,
    length: u64,
) -> Result<OpenFile, StepError> {
    if cached_bytes.is_none() && !staging.has(&path, length).await? {
        return Err(StepError::StagedObjectMissing);
    }
    let (staging, cached_bytes) = (staging.clone(), cached_bytes);
    Ok(Arc::new(move || {
        let (staging, path, cached_bytes) = (staging.clone(), path.clone(), cached_bytes.clone());
        async move {
            match cached_bytes {
                Some(bytes) => Ok(stream::once(async { Ok(bytes) }).boxed()),
                None => staging.stream(&path).await,
            }
        }
        .boxed()
    }))
}

/// The recordings of a call that go, each with its row.
pub(crate) fn recordings_to_send<'a>(
    record: &'a Canonical,
    rows: &'a [RecordingRow],
) -> Vec<(&'a CanonicalRecording, &'a RecordingRow)> {
    let row_of = |recording: &CanonicalRecording| {
        rows.iter()
            .find(|row| row.legacy_id == recording.legacy_recording_id)
    };
    let recordings = record
        .recordings
        .iter()
        .filter_map(|recording| Some((recording, row_of(recording)?)));
    recordings
        .filter(|(_, row)| row.outcome.is_none())
        .collect()
}
