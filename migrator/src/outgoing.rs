//! What goes out to any target: a recording's converted bytes, as staged.

use std::sync::Arc;

use futures_util::{FutureExt, StreamExt, stream};
use object_store::path::Path;
use platforms::OpenFile;

use crate::ledger::RecordingRow;
use crate::outcome::{Stop, Trouble};
use crate::staging::{Staging, blob_path, out_path};

/// Codec of what was converted.
pub(crate) fn codec_of(row: &RecordingRow) -> Result<audio::Codec, Trouble> {
    let codec = row.out_codec.as_deref().and_then(|name| name.parse().ok());
    codec.ok_or_else(|| Trouble::Left(Stop::Storage(format!("recording {}: its codec is not in the ledger", row.legacy_id))))
}

/// The head of the hash of what goes, as file names in the target carry it. Source: contracts section 9.
pub(crate) fn short_hash(row: &RecordingRow) -> &str {
    let hash = row.out_sha256.as_deref().unwrap_or_default();
    &hash[..12.min(hash.len())]
}

/// Where what goes is staged, and its length in bytes.
pub(crate) fn staged(row: &RecordingRow) -> Result<(Path, u64), Trouble> {
    let (Some(sha256), Some(length)) = (&row.out_sha256, row.out_bytes) else {
        return Err(Trouble::Left(Stop::Storage(format!("recording {}: nothing was converted", row.legacy_id))));
    };
    Ok((if row.kept { blob_path(sha256) } else { out_path(sha256) }, length))
}

/// How long the sound is that goes. Milliseconds.
pub(crate) fn length_ms(row: &RecordingRow) -> u64 {
    row.out_samples.unwrap_or(0) * 1000 / u64::from(row.out_rate.unwrap_or(8000).max(1))
}

/// Opens what goes, anew for each try; gone from staging is told before anything is sent.
pub(crate) async fn open(staging: &Staging, row: &RecordingRow, path: Path, length: u64) -> Result<OpenFile, Trouble> {
    if row.held.is_none() && !staging.has(&path, length).await? {
        return Err(Trouble::Gone);
    }
    let (staging, held) = (staging.clone(), row.held.clone());
    Ok(Arc::new(move || {
        let (staging, path, held) = (staging.clone(), path.clone(), held.clone());
        async move {
            match held {
                Some(bytes) => Ok(stream::once(async { Ok(bytes) }).boxed()),
                None => staging.stream(&path).await,
            }
        }
        .boxed()
    }))
}
