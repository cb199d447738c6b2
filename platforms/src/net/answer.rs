//! What a platform answers, its body still on the way.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use futures_util::stream::BoxStream;
use http::{HeaderMap, StatusCode, header};

use crate::clock::Clock;
use crate::error::CallError;
use crate::net::arrival::Arrival;
use crate::net::transport::{Body, TransportError};

/// Bytes of a recording as they come, with the headers of their answer.
pub struct Media {
    /// Headers of the answer that carries the bytes.
    pub headers: BTreeMap<String, String>,
    /// Length the answer announces. Bytes. Absent: not announced.
    pub length: Option<u64>,
    /// The pieces.
    pub stream: BoxStream<'static, Result<Bytes, CallError>>,
}
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Whether its body came in a content coding, which is undone.
    pub(crate) coded: bool,
    pub(crate) body: Body,
}

impl Answer {
    /// Headers worth keeping beside the body: no cookies. Repeated ones are joined by a comma.
    pub(crate) fn headers_to_keep(&self) -> BTreeMap<String, String> {
        let mut kept: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in self
            .headers
            .iter()
            .filter(|(name, _)| *name != header::SET_COOKIE)
        {
            let Ok(value) = value.to_str() else { continue };
            kept.entry(name.to_string())
                .and_modify(|known| *known = format!("{known}, {value}"))
                .or_insert_with(|| value.to_owned());
        }
        kept
    }

    /// Length it announces. Bytes; absent: none, or it was coded.
    pub(crate) fn content_length(&self) -> Option<u64> {
        self.headers
            .get(header::CONTENT_LENGTH)?
            .to_str()
            .ok()?
            .parse()
            .ok()
    }

    /// The whole body, up to a bound; one that is announced to be longer is not read at all.
    pub(super) async fn bytes(self, most: u64, clock: &Clock) -> Result<Bytes, TransportError> {
        let mut arrival = Arrival::whole(clock.clone(), most);
        let length = match &self.body {
            Body::Full(bytes) => Some(bytes.len() as u64),
            Body::Stream { length, .. } => *length,
        };
        arrival.announced(length)?;
        let mut stream = self.body.into_stream();
        // A length is a claim: the memory reserved for it is bounded too.
        let mut bytes =
            BytesMut::with_capacity(usize::try_from(length.unwrap_or(0).min(1 << 20)).unwrap_or(0));
        while let Some(piece) = arrival.piece(&mut stream).await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes.freeze())
    }
}
