//! What a client asks for: a request that can be made anew for each try, and when it is done.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, header};
use url::Url;

use crate::error::CallError;
use crate::net::rate_limit::Limit;
use crate::net::transport::Body;

/// The longest JSON answer that is read; a page of 1000 interactions is a few megabytes.
pub(crate) const ANSWER_MOST: u64 = 16 * 1024 * 1024;
/// Whether a call may be sent again when nobody knows what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Reading, or writing the same thing to the same place.
    Safe,
    /// Only after a look: the caller gets [`CallError::OutcomeUnknown`].
    LookFirst,
}

/// Makes a request's body anew for each try.
pub(crate) type MakeBody = Arc<dyn Fn() -> BoxFuture<'static, std::io::Result<Body>> + Send + Sync>;

pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: MakeBody,
    pub(crate) repeat: Repeat,
    /// The statuses that mean done. No other is success: not a redirect, not a 202 that only
    /// promises.
    pub(crate) done: &'static [u16],
    /// Statuses that mean not yet: asked for again after a while.
    pub(crate) not_yet: &'static [u16],
    /// The longest answer that is read whole. Bytes.
    pub(crate) most: u64,
    pub(crate) token: bool,
    pub(crate) limit: Option<Arc<Limit>>,
    /// What the call is about, so that equal calls about different records wait differently.
    pub(crate) key: String,
}

/// What a read is answered with.
pub(crate) const READ: &[u16] = &[200];

impl Call {
    pub(crate) fn get(url: Url) -> Call {
        Call::bodiless(Method::GET, url, READ)
    }

    /// A call without a body, whose repeat does no harm.
    pub(crate) fn bodiless(method: Method, url: Url, done: &'static [u16]) -> Call {
        Call::new(
            method,
            url,
            Repeat::Safe,
            done,
            Arc::new(|| Box::pin(async { Ok(Body::empty()) })),
        )
    }

    pub(crate) fn json(
        method: Method,
        url: Url,
        repeat: Repeat,
        done: &'static [u16],
        body: &impl serde::Serialize,
    ) -> Result<Call, CallError> {
        let what = format!("{method} {}", url.path());
        let bytes = serde_json::to_vec(body).map_err(|error| CallError::Malformed {
            what,
            why: error.to_string(),
        })?;
        let bytes = Bytes::from(bytes);
        let body: MakeBody = Arc::new(move || {
            let bytes = bytes.clone();
            Box::pin(async move { Ok(Body::Full(bytes)) })
        });
        let mut call = Call::new(method, url, repeat, done, body);
        call.headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        Ok(call)
    }

    pub(crate) fn new(
        method: Method,
        url: Url,
        repeat: Repeat,
        done: &'static [u16],
        body: MakeBody,
    ) -> Call {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let key = url.path().to_owned();
        Call {
            method,
            url,
            headers,
            body,
            repeat,
            done,
            not_yet: &[],
            most: ANSWER_MOST,
            token: true,
            limit: None,
            key,
        }
    }

    pub(super) fn what(&self) -> String {
        format!("{} {}", self.method, self.url.path())
    }
}
