//! Bodies of requests: read whole under a limit, read and forgotten, or written to a file.

use std::io::Write as _;
use std::path::Path;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::{HeaderMap, header::CONTENT_TYPE};
use tempfile::TempPath;

use crate::clock::Clock;
use crate::http::request_context;

/// Bytes gathered before they are written: a file system call costs about as much as copying a
/// quarter of this. A file that ends before is written where it arrives; handing so little to
/// another thread would cost more than the writing.
pub(crate) const WRITE_BYTES: usize = 256 * 1024;

/// The media type of a request, without its parameters; empty where it names none.
pub(crate) fn content_type(headers: &HeaderMap) -> &str {
    let whole = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    whole.split(';').next().unwrap_or_default().trim()
}

/// How much of a refused body is still read, so that the client sees the answer and not a reset:
/// enough for what tests and migrators send, not endless.
const DRAIN_BYTES: u64 = 64 * 1024 * 1024;

/// Reads the rest of a refused request and forgets it.
pub(crate) async fn drain(body: Body) {
    let mut stream = body.into_data_stream();
    let mut read = 0;
    while let Some(Ok(chunk)) = stream.next().await {
        read += chunk.len() as u64;
        if read > DRAIN_BYTES {
            return;
        }
    }
}

/// A whole body; `None` when it is over the limit (its rest is read and forgotten), an error when
/// it was cut.
pub(crate) async fn read_whole(body: Body, limit: u64) -> Result<Option<Bytes>, ()> {
    let mut stream = body.into_data_stream();
    let (mut kept, mut read) = (BytesMut::new(), 0_u64);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| ())?;
        read += chunk.len() as u64;
        if read > limit + DRAIN_BYTES {
            break;
        }
        if read <= limit {
            kept.extend_from_slice(&chunk);
        }
    }
    request_context::record_request_digest(&kept);
    Ok((read <= limit).then(|| kept.freeze()))
}

/// A new file in the spool, and its name, which vanishes unless it is kept.
pub(crate) fn temporary(spool: &Path) -> std::io::Result<(std::fs::File, TempPath)> {
    output::private::folder(spool)?;
    Ok(tempfile::Builder::new()
        .prefix(".incoming-")
        .tempfile_in(spool)?
        .into_parts())
}

/// Writes on a thread that may wait for the disk; gives back the file and the emptied buffer.
pub(crate) async fn write_elsewhere(
    clock: &Clock,
    mut file: std::fs::File,
    mut pending: Vec<u8>,
) -> std::io::Result<(std::fs::File, Vec<u8>)> {
    let written = clock.blocking(move || {
        file.write_all(&pending)?;
        pending.clear();
        Ok((file, pending))
    });
    written
        .await
        .unwrap_or_else(|| Err(std::io::Error::other("writing broke off")))
}
