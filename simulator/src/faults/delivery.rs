//! Bodies that reach the client slowly, or only in part.

use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderValue, header};
use http_body::Body as _;

use crate::clock::Clock;
use crate::http::reply::Reply;

/// A slow body comes in pieces of this size: small enough that a few seconds of speech take
/// several.
const SLOW_PIECE: usize = 16 * 1024;

/// The body in small pieces, `ms` before each.
pub(super) fn slowly(mut reply: Reply, clock: Clock, ms: u64) -> Reply {
    announce(&mut reply);
    let pieces = std::mem::take(&mut reply.body)
        .into_data_stream()
        .flat_map(|chunk| {
            let pieces: Vec<Result<Bytes, axum::Error>> = match chunk {
                Ok(mut bytes) => std::iter::from_fn(|| {
                    (!bytes.is_empty()).then(|| Ok(bytes.split_to(bytes.len().min(SLOW_PIECE))))
                })
                .collect(),
                Err(error) => vec![Err(error)],
            };
            futures_util::stream::iter(pieces)
        });
    reply.body = Body::from_stream(pieces.then(move |piece| {
        let clock = clock.clone();
        async move {
            clock.sleep_ms(ms).await;
            piece
        }
    }));
    reply
}

/// Half the body, then an error, which makes hyper close the connection. A body of unknown length
/// is cut in its first chunk.
pub(super) fn truncated(mut reply: Reply) -> Reply {
    announce(&mut reply);
    let keep = reply.bytes_out.map_or(64, |length| length / 2);
    let state = (
        std::mem::take(&mut reply.body).into_data_stream(),
        keep,
        false,
    );
    reply.body = Body::from_stream(futures_util::stream::unfold(
        state,
        |(mut body, keep, over)| async move {
            if over {
                return None;
            }
            let broken = || {
                Err(std::io::Error::new(
                    std::io::ErrorKind::ConnectionReset,
                    "cut by a fault",
                ))
            };
            match body.next().await {
                Some(Ok(bytes)) if keep > 0 => {
                    let kept =
                        bytes.slice(..bytes.len().min(usize::try_from(keep).unwrap_or(usize::MAX)));
                    let left = keep - kept.len() as u64;
                    Some((Ok(kept), (body, left, false)))
                }
                _ => {
                    // An error at once would make hyper drop what it has not flushed, the head
                    // included.
                    step_aside().await;
                    Some((broken(), (body, 0, true)))
                }
            }
        },
    ));
    reply
}

/// Lets whoever is ready go first. Not tokio's `yield_now`, which comes back before or after what
/// other threads have finished, as it happens.
async fn step_aside() {
    let mut stepped = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut stepped, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

/// States the body's length before it is wrapped in a stream that hides it.
fn announce(reply: &mut Reply) {
    // An answer to HEAD states the length of a body it does not have.
    if reply.headers.contains_key(header::CONTENT_LENGTH) {
        return;
    }
    let length = reply.body.size_hint().exact().or(reply.bytes_out);
    if let Some(length) = length {
        reply.bytes_out = Some(length);
        reply
            .headers
            .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
}
