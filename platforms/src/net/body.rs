//! A file on its way to any platform: opened anew for each try, streamed, never held whole.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use crate::net::call::MakeBody;
use crate::net::transport::{Body, Failure, TransportError};

/// Opens a file's bytes, anew for each try.
pub type OpenFile = Arc<
    dyn Fn() -> BoxFuture<'static, std::io::Result<BoxStream<'static, std::io::Result<Bytes>>>>
        + Send
        + Sync,
>;

/// A file to upload. It is streamed, never held whole.
pub struct Upload {
    /// Name in the target; the same name is the same file.
    pub name: String,
    /// Media type.
    pub content_type: &'static str,
    /// Bytes.
    pub length: u64,
    /// Opens them.
    pub open: OpenFile,
}

/// The bytes of a file as a request sends them; what cannot be read of it is our own trouble, and
/// says so.
pub(crate) async fn pieces(
    open: &OpenFile,
) -> std::io::Result<BoxStream<'static, Result<Bytes, TransportError>>> {
    let broken = |error: std::io::Error| {
        TransportError::new(Failure::Broken, format!("our own file: {error}"))
    };
    Ok(open()
        .await?
        .map(move |piece| piece.map_err(broken))
        .boxed())
}

/// A request's body that is a file and nothing else. `length` in bytes.
pub(crate) fn body(open: OpenFile, length: u64) -> MakeBody {
    Arc::new(move || {
        let open = open.clone();
        Box::pin(async move {
            Ok(Body::Stream {
                length: Some(length),
                stream: pieces(&open).await?,
            })
        })
    })
}
