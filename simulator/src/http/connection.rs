//! Connections: accepting them, serving a router on them, and closing one without an answer where a
//! fault asks for it.

use std::convert::Infallible;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use super::request_context::Connection;
use crate::clock::Clock;

/// Marks a response whose connection is closed instead of answered.
#[derive(Clone, Copy)]
struct Cut;

/// A response that closes its connection instead of being sent.
pub(crate) fn cut() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Cut);
    response
}

/// Why a connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("connection cut by a fault")]
struct CutByFault;

/// Serves a router on a listener until the task is dropped; a reply marked `Cut` closes its
/// connection without an answer.
pub(crate) async fn accept(listener: TcpListener, router: Router, clock: Clock) {
    let serve = {
        let clock = clock.clone();
        move |stream, number| numbered(stream, router.clone(), clock.clone(), Some(number))
    };
    accept_by(listener, clock, serve).await;
}

/// Hands each connection of a listener, with its number, to `serve`, until the task is dropped.
pub(crate) async fn accept_by<F>(
    listener: TcpListener,
    clock: Clock,
    serve: impl Fn(TcpStream, u64) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = tokio::task::JoinSet::new();
    let mut numbers = 0;
    loop {
        tokio::select! {
            biased;
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // Small answers must not wait for Nagle.
                    let _ = stream.set_nodelay(true);
                    numbers += 1;
                    connections.spawn(serve(stream, numbers));
                }
                Err(error) => {
                    // Out of file descriptors, most often: accepting again at once would spin.
                    tracing::warn!(%error, "could not accept a connection; trying again");
                    clock.sleep_ms(50).await;
                }
            },
        }
    }
}

/// Serves one connection that is none of a listener's: an in-memory pipe.
pub(crate) async fn connection(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    clock: Clock,
) {
    numbered(io, router, clock, None).await;
}

/// Serves one connection; `number` tells a listener's connections apart.
pub(crate) async fn numbered(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    clock: Clock,
    number: Option<u64>,
) {
    let requests = AtomicU64::new(0);
    let service =
        hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let router = router.clone();
            let clock = clock.clone();
            let connection = number.map(|number| Connection {
                number,
                request: requests.fetch_add(1, Ordering::Relaxed) + 1,
            });
            async move {
                let mut request = request.map(Body::new);
                if let Some(connection) = connection {
                    request.extensions_mut().insert(connection);
                }
                let answered: Result<Response, Infallible> = router.oneshot(request).await;
                let mut response = match answered {
                    Ok(response) => response,
                    Err(never) => match never {},
                };
                if response.extensions().get::<Cut>().is_some() {
                    return Err(CutByFault);
                }
                if let Some(date) = date(clock.now_ms()) {
                    response.headers_mut().insert(header::DATE, date);
                }
                if clock.is_moved() {
                    response
                        .headers_mut()
                        .insert(SIMULATED_CLOCK, HeaderValue::from_static("moved"));
                }
                Ok(response)
            }
        });
    let served = hyper::server::conn::http1::Builder::new()
        .auto_date_header(false)
        .serve_connection(TokioIo::new(io), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Says that the clock behind `Date` was moved, or goes at a speed of its own: a client that holds
/// its own clock against it learns nothing. No platform has it; `seatrial` looks for it on this
/// machine.
const SIMULATED_CLOCK: http::HeaderName = http::HeaderName::from_static("x-seatrial-clock");

fn date(now_ms: i64) -> Option<HeaderValue> {
    let now = jiff::Timestamp::from_millisecond(now_ms).ok()?;
    let text = jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&now)
        .ok()?;
    HeaderValue::from_str(&text).ok()
}
