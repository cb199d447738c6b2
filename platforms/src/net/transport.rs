//! Where bytes leave: to the network, or over an in-memory pipe.

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use http_body_util::{BodyExt, StreamBody};
use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;

use crate::net::rate_limit::Budget;

/// Why an exchange failed below HTTP.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{why}")]
pub struct TransportError {
    /// In words, without the address's query.
    pub why: String,
    /// What follows from it.
    pub kind: Failure,
}

impl TransportError {
    /// Of that kind, in those words.
    pub fn new(kind: Failure, why: impl Into<String>) -> TransportError {
        TransportError {
            why: why.into(),
            kind,
        }
    }
}

/// What follows from a failed exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No connection was made, so the request cannot have reached the peer.
    NotSent,
    /// The connection broke, or the answer did not come in time: the request may have done its
    /// work.
    Broken,
    /// The transport does not send this request, ever: trying again is of no use.
    Barred,
    /// No connection that can be trusted: a certificate, or a peer that does not speak TLS. Trying
    /// again is of no use.
    Untrusted,
    /// The peer's clock and this machine's are too far apart to go on.
    ClockDiffers,
    /// An answer came that cannot be used: too long, or in a coding that cannot be undone. Trying
    /// again is of no use.
    Unusable,
    /// An answer's body comes too slowly to be waited for.
    Slow,
}

/// The bytes of a request or an answer.
pub enum Body {
    /// All of them.
    Full(Bytes),
    /// As they come. `length` where it is known beforehand.
    Stream {
        /// Bytes in all.
        length: Option<u64>,
        /// The pieces.
        stream: BoxStream<'static, Result<Bytes, TransportError>>,
    },
}

impl Body {
    /// No bytes.
    #[must_use]
    pub fn empty() -> Body {
        Body::Full(Bytes::new())
    }

    /// The pieces, whichever shape they are in.
    #[must_use]
    pub fn into_stream(self) -> BoxStream<'static, Result<Bytes, TransportError>> {
        match self {
            Body::Full(bytes) => stream::iter((!bytes.is_empty()).then_some(Ok(bytes))).boxed(),
            Body::Stream { stream, .. } => stream,
        }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Body::Full(bytes) => write!(f, "Full({} bytes)", bytes.len()),
            Body::Stream { length, .. } => write!(f, "Stream({length:?} bytes)"),
        }
    }
}

/// A request that is about to be sent again.
#[derive(Debug, Clone, Copy)]
pub struct Retry<'a> {
    /// Host and port that did not answer, or answered that it cannot now.
    pub host: &'a str,
    /// How often it was tried.
    pub tries: u32,
    /// How often it is tried at most.
    pub of: u32,
    /// In words. Never a value of the request.
    pub why: &'a str,
}

/// Sends one request and brings its answer; follows no redirect, retries nothing, waits for no
/// clock.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// One exchange.
    async fn send(
        &self,
        request: http::Request<Body>,
    ) -> Result<http::Response<Body>, TransportError>;

    /// Hears of a request that is sent again after a wait, so that somebody who watches can be
    /// told. Whoever wraps a transport passes it on.
    fn retrying(&self, _: &Retry<'_>) {}

    /// Turns that other processes share, which send by the same limits. Absent: each limit is this
    /// process's own. Whoever wraps a transport passes it on.
    fn budget(&self) -> Option<&dyn Budget> {
        None
    }
}

/// What we call ourselves: whoever runs a platform can tell whose requests these are.
pub(crate) const USER_AGENT: &str = concat!("seatrial/", env!("CARGO_PKG_VERSION"));

/// Opens an in-memory connection to the peer that listens for `host:port`.
pub type Dial = Arc<dyn Fn(&str) -> Option<DuplexStream> + Send + Sync>;

/// In-memory pipes: HTTP/1 bytes through hyper, one connection an exchange, no socket and no thread
/// of its own.
pub struct Pipe {
    dial: Dial,
}

impl Pipe {
    /// `dial` finds the peer; `None` from it is a refused connection.
    #[must_use]
    pub fn new(dial: Dial) -> Pipe {
        Pipe { dial }
    }
}

type HyperBody = Pin<Box<dyn http_body::Body<Data = Bytes, Error = TransportError> + Send>>;

#[async_trait]
impl Transport for Pipe {
    async fn send(
        &self,
        request: http::Request<Body>,
    ) -> Result<http::Response<Body>, TransportError> {
        let (mut parts, body) = request.into_parts();
        let host = parts
            .uri
            .authority()
            .map(ToString::to_string)
            .unwrap_or_default();
        let refused = || TransportError::new(Failure::NotSent, "connection refused");
        let io = (self.dial)(&host).ok_or_else(refused)?;
        let path = parts
            .uri
            .path_and_query()
            .map_or("/", |path| path.as_str())
            .to_owned();
        parts.uri = path.parse().map_err(|_| refused())?;
        parts
            .headers
            .entry(http::header::HOST)
            .or_insert(host.parse().map_err(|_| refused())?);
        parts
            .headers
            .entry(http::header::USER_AGENT)
            .or_insert(http::HeaderValue::from_static(USER_AGENT));
        if let Body::Full(bytes) = &body {
            parts
                .headers
                .entry(http::header::CONTENT_LENGTH)
                .or_insert(bytes.len().into());
        }
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(io))
            .await
            .map_err(|error| from_hyper(&error))?;
        // Without a budget: the pipe's size makes the two ends take turns, and a virtual run must
        // not depend on how long anything takes.
        tokio::spawn(tokio::task::unconstrained(connection));
        let body: HyperBody = Box::pin(StreamBody::new(
            body.into_stream().map_ok(http_body::Frame::data),
        ));
        let response = sender
            .send_request(http::Request::from_parts(parts, body))
            .await
            .map_err(|error| from_hyper(&error))?;
        let (parts, body) = response.into_parts();
        let length = parts
            .headers
            .get(http::header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let stream = body
            .into_data_stream()
            .map_err(|error| from_hyper(&error))
            .boxed();
        Ok(http::Response::from_parts(
            parts,
            Body::Stream { length, stream },
        ))
    }
}

fn from_hyper(error: &hyper::Error) -> TransportError {
    TransportError::new(Failure::Broken, error.to_string())
}
