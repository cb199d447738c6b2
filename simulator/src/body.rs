//! Bodies of requests: read whole under a limit, or read and forgotten.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::{HeaderMap, header::CONTENT_TYPE};

/// The media type of a request, without its parameters; empty where it names none.
pub(crate) fn content_type(headers: &HeaderMap) -> &str {
    let whole = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    whole.split(';').next().unwrap_or_default().trim()
}

/// How much of a refused body is still read, so that the client sees the answer and not a reset: enough for what tests and migrators send, not endless.
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

/// A whole body; `None` when it is over the limit (its rest is read and forgotten), an error when it was cut.
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
    Ok((read <= limit).then(|| kept.freeze()))
}
