//! A platform's answer before faults.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::request_context::Sha;

/// A platform's answer before faults.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// Length of the body; `None` where it is streamed and not known.
    pub(crate) bytes_out: Option<u64>,
    /// What changed (`created`, `replaced`, `updated` ..); `None` where nothing did.
    pub(crate) effect: Option<&'static str>,
    /// SHA-256 of the body; `None` where it is empty, or streamed and not known.
    pub(crate) digest: Option<Sha>,
}

impl Reply {
    /// A JSON answer. A status outside 100..999 is answered as 500.
    pub(crate) fn json(status: u16, value: &impl Serialize) -> Reply {
        let mut reply = Reply::empty(status).holding(serde_json::to_vec(value).unwrap_or_default());
        reply.headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        reply
    }

    /// Gives it a body.
    pub(crate) fn holding(mut self, bytes: impl Into<Bytes>) -> Reply {
        let bytes = bytes.into();
        self.bytes_out = Some(bytes.len() as u64);
        self.digest = (!bytes.is_empty()).then(|| Sha256::digest(&bytes).into());
        self.body = Body::from(bytes);
        self
    }

    /// An answer without a body.
    pub(crate) fn empty(status: u16) -> Reply {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Reply {
            status,
            headers: HeaderMap::new(),
            body: Body::empty(),
            bytes_out: Some(0),
            effect: None,
            digest: None,
        }
    }

    /// Adds a header; a value that HTTP cannot carry is left out.
    pub(crate) fn with_header(
        mut self,
        name: impl TryInto<HeaderName>,
        value: impl AsRef<str>,
    ) -> Reply {
        if let (Ok(name), Ok(value)) = (name.try_into(), HeaderValue::from_str(value.as_ref())) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Says that a mutation took effect.
    pub(crate) fn effect(mut self, effect: &'static str) -> Reply {
        self.effect = Some(effect);
        self
    }

    /// As HTTP, outside any journal.
    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
