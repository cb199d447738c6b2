//! Where requests become answers: faults, the journal, and the connections themselves.

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use http_body::Body as _;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use crate::clock::Clock;
use crate::exchange::{self, Connection, Facts, Sha};
#[cfg(test)]
use crate::fault::FaultRule;
use crate::fault::operations::Operation;
use crate::fault::table::FaultKind;
use crate::fault::{Decision, Faults};
use crate::journal::{Journal, Served};
use crate::rules::Exercised;
use crate::seed::Seed;

/// Names the fault that struck an answer.
pub(crate) const FAULT_HEADER: HeaderName = HeaderName::from_static("x-seatrial-fault");

/// A slow body comes in pieces of this size: small enough that a few seconds of speech take several.
const SLOW_PIECE: usize = 16 * 1024;

/// What all platforms of one simulator share.
pub(crate) struct Core {
    pub(crate) clock: Clock,
    pub(crate) seed: Seed,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    pub(crate) exercised: Exercised,
}

impl Core {
    #[cfg(test)]
    pub(crate) fn new(clock: Clock, seed: Seed, faults: Vec<FaultRule>) -> Arc<Core> {
        let faults = Faults::new(seed, clock.clone(), faults, None);
        Core::with_faults(clock, seed, faults)
    }

    /// With faults that have a seed of their own, or strike as a log says.
    pub(crate) fn with_faults(clock: Clock, seed: Seed, faults: Faults) -> Arc<Core> {
        Arc::new(Core { clock, seed, journal: Journal::default(), faults, exercised: Exercised::default() })
    }
}

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
        reply.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
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
        Reply { status, headers: HeaderMap::new(), body: Body::empty(), bytes_out: Some(0), effect: None, digest: None }
    }

    /// Adds a header; a value that HTTP cannot carry is left out.
    pub(crate) fn with_header(mut self, name: impl TryInto<HeaderName>, value: impl AsRef<str>) -> Reply {
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

/// What a fault or the limiter asks a platform to say in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 429; `None`: without `Retry-After`.
    TooManyRequests {
        retry_after_s: Option<u64>,
    },
    /// 500, 502, 503 or 504.
    Server(u16),
    TokenExpired,
    BadRequest,
    NotFound,
    Conflict,
    TooLarge,
    UnsupportedMedia,
    Forbidden,
}

impl Refusal {
    /// The refusal a fault's `status` stands for; absent or unknown: a bad request.
    fn of(status: Option<u16>) -> Refusal {
        match status {
            Some(403) => Refusal::Forbidden,
            Some(404) => Refusal::NotFound,
            Some(409) => Refusal::Conflict,
            Some(413) => Refusal::TooLarge,
            Some(415) => Refusal::UnsupportedMedia,
            _ => Refusal::BadRequest,
        }
    }
}

/// A simulated platform, as far as the front needs one.
pub(crate) trait Platform: Send + Sync + 'static {
    /// `legacy`, `genesys_cloud`, `gir`, `webdav`, `speechminer`.
    fn name(&self) -> &'static str;
    /// A refusal in the platform's own envelope.
    fn refuse(&self, refusal: &Refusal) -> Reply;
}

/// What an operation does, borrowed: the way around it depends on no operation's type and is compiled once, not for each of a hundred.
pub(crate) type Work<'a> = Pin<&'a mut (dyn Future<Output = Reply> + Send + 'a)>;

/// Marks a response whose connection is closed instead of answered.
#[derive(Clone, Copy)]
struct Cut;

/// One request, once its token is accepted and its business key known: counts the attempt for (operation, key), asks the fault table, runs `work` (or
/// refuses before it, or loses, delays or garbles its answer after it) and writes one journal line. `key` is `-` when the operation has none.
///
/// The line is written as soon as the outcome stands, before any delay of the answer: a client that hangs up early is still journalled.
pub(crate) async fn serve<P: Platform>(
    core: &Core,
    platform: &P,
    operation: &'static Operation,
    key: &str,
    bytes_in: u64,
    work: impl Future<Output = Reply> + Send,
) -> Response {
    let attempt = core.faults.attempt(operation, key);
    let decision = core.faults.decide(operation, key, attempt);
    answer(core, platform, Asked { operation, key, attempt, bytes_in }, decision, pin!(work)).await
}

/// What an item of a batch meets.
pub(crate) enum Struck {
    /// It is refused before it is worked on; the client may send it again where `is_passing`.
    Refused { is_passing: bool },
    /// It is worked on, and the client is told that it failed.
    ToldFailed,
}

/// How the faults of a batch's items show.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ItemFaults {
    /// The answer has an error for each item: `server_error`, `refused` and `error_after_commit` strike the item alone, all others the request.
    Told,
    /// The answer says nothing of items: every fault strikes the request.
    Untold,
}

/// A batch: one fault decision for each item's key, so that it does not matter how items are split into requests. The first decision that strikes the
/// request decides its answer; `work` is given what its items meet. The request's own line has the key `-`.
pub(crate) async fn serve_batch<P, W, F>(
    core: &Core,
    platform: &P,
    operation: &'static Operation,
    keys: &[String],
    faults: ItemFaults,
    bytes_in: u64,
    work: W,
) -> Response
where
    P: Platform,
    W: FnOnce(Vec<Option<Struck>>) -> F,
    F: Future<Output = Reply> + Send,
{
    let attempt = core.faults.attempt(operation, "-");
    let mut whole = None;
    let mut items = Vec::with_capacity(keys.len());
    let mut ids = Vec::new();
    for key in keys {
        let decision = core.faults.decide(operation, key, core.faults.attempt(operation, key));
        let struck = decision.as_ref().filter(|_| faults == ItemFaults::Told).and_then(|decision| struck(decision.kind));
        ids.extend(decision.as_ref().filter(|_| struck.is_some()).map(|decision| decision.id.clone()));
        whole = whole.or_else(|| decision.filter(|_| struck.is_none()));
        items.push(struck);
    }
    let mut response = answer(core, platform, Asked { operation, key: "-", attempt, bytes_in }, whole, pin!(work(items))).await;
    // A line for each: what struck the request, then what struck its items.
    for id in ids {
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().append(FAULT_HEADER, id);
        }
    }
    response
}

/// What a fault does to an item alone; none where it strikes the request.
fn struck(kind: FaultKind) -> Option<Struck> {
    match kind {
        FaultKind::ServerError => Some(Struck::Refused { is_passing: true }),
        FaultKind::Refused => Some(Struck::Refused { is_passing: false }),
        FaultKind::ErrorAfterCommit => Some(Struck::ToldFailed),
        FaultKind::Latency
        | FaultKind::ConnectionReset
        | FaultKind::SlowBody
        | FaultKind::TruncatedBody
        | FaultKind::TooManyRequests
        | FaultKind::ExpiredToken
        | FaultKind::LostAnswer
        | FaultKind::LateAnswer
        | FaultKind::UploadFailed
        | FaultKind::UploadStuck
        | FaultKind::LateVisibility
        | FaultKind::JobStuck
        | FaultKind::IndexLate
        | FaultKind::Domain(_) => None,
    }
}

/// One request that has its turn.
struct Asked<'a> {
    operation: &'static Operation,
    key: &'a str,
    attempt: u32,
    bytes_in: u64,
}

async fn answer(core: &Core, platform: &dyn Platform, asked: Asked<'_>, decision: Option<Decision>, work: Work<'_>) -> Response {
    let Asked { operation, key, attempt, bytes_in } = asked;
    let Some(decision) = decision else {
        let reply = work.await;
        write(core, platform.name(), operation, key, attempt, bytes_in, &reply, Told::Itself, None);
        return reply.into_response();
    };
    let ms = decision.ms.unwrap_or(1000);
    let status = decision.status.unwrap_or(503);
    let line =
        |reply: &Reply, told| write(core, platform.name(), operation, key, attempt, bytes_in, reply, told, Some(decision.id.clone()));
    let refuse = |refusal: Refusal| {
        let reply = platform.refuse(&refusal);
        line(&reply, Told::Itself);
        reply.into_response()
    };
    let mut response = match decision.kind {
        FaultKind::TooManyRequests => refuse(Refusal::TooManyRequests { retry_after_s: decision.retry_after_s }),
        FaultKind::ServerError => refuse(Refusal::Server(status)),
        FaultKind::Refused => refuse(Refusal::of(decision.status)),
        FaultKind::ExpiredToken => refuse(Refusal::TokenExpired),
        FaultKind::ConnectionReset => {
            line(&Reply::empty(500), Told::Nothing);
            cut()
        }
        FaultKind::Latency => {
            core.clock.sleep_ms(ms).await;
            let reply = work.await;
            line(&reply, Told::Itself);
            reply.into_response()
        }
        FaultKind::SlowBody => {
            let reply = work.await;
            line(&reply, Told::Itself);
            slowly(reply, core.clock.clone(), ms).into_response()
        }
        FaultKind::TruncatedBody => {
            let reply = work.await;
            line(&reply, Told::Half);
            truncated(reply).into_response()
        }
        FaultKind::LostAnswer => {
            let reply = work.await;
            line(&reply, Told::Nothing);
            cut()
        }
        FaultKind::LateAnswer => {
            let reply = work.await;
            line(&reply, Told::Itself);
            core.clock.sleep_ms(ms).await;
            reply.into_response()
        }
        FaultKind::ErrorAfterCommit => {
            let reply = work.await;
            let told = platform.refuse(&Refusal::Server(status));
            line(&reply, Told::Status(told.status));
            told.into_response()
        }
        FaultKind::UploadFailed
        | FaultKind::UploadStuck
        | FaultKind::LateVisibility
        | FaultKind::JobStuck
        | FaultKind::IndexLate
        | FaultKind::Domain(_) => {
            // These strike no request (see `FaultRule::check`); the platform asks for them itself.
            let reply = work.await;
            line(&reply, Told::Itself);
            reply.into_response()
        }
    };
    if let Ok(id) = HeaderValue::from_str(&decision.id) {
        response.headers_mut().insert(FAULT_HEADER, id);
    }
    response
}

/// The same for a request refused before its key matters (bad token, limiter 429): a journal line without a fault, attempt 0.
pub(crate) fn refused(core: &Core, platform: &'static str, operation: &'static Operation, key: &str, reply: Reply) -> Response {
    write(core, platform, operation, key, 0, 0, &reply, Told::Itself, None);
    reply.into_response()
}

/// What the client was told of a reply.
enum Told {
    Itself,
    Half,
    Nothing,
    Status(StatusCode),
}

#[expect(clippy::too_many_arguments, reason = "one journal line, called in one file")]
fn write(
    core: &Core,
    platform: &'static str,
    operation: &'static Operation,
    key: &str,
    attempt: u32,
    bytes_in: u64,
    reply: &Reply,
    told: Told,
    fault: Option<String>,
) {
    let work_status = reply.status.as_u16();
    let (status, bytes_out) = match &told {
        Told::Itself | Told::Half => (work_status, reply.bytes_out.unwrap_or(0)),
        Told::Nothing => (0, 0),
        Told::Status(status) => (status.as_u16(), 0),
    };
    // The head came whole, and says how long to wait.
    let is_told = matches!(told, Told::Itself | Told::Half);
    // Of nothing, nothing can be missing.
    let facts = Facts { is_cut: matches!(told, Told::Half) && reply.bytes_out != Some(0), ..exchange::facts() };
    let retry_after = reply.headers.get(header::RETRY_AFTER).filter(|_| is_told).and_then(|value| value.to_str().ok());
    core.journal.write(Served {
        at_ms: core.clock.now_ms(),
        platform,
        operation,
        key,
        attempt,
        status,
        work_status,
        fault,
        effect: reply.effect,
        bytes_in,
        bytes_out,
        retry_after_s: retry_after.and_then(|seconds| seconds.parse().ok()),
        // A token is a secret, and who knows its hash can tell it.
        digest_out: reply.digest.filter(|_| bytes_out > 0 && !operation.name.ends_with(".issue_token")),
        facts,
    });
}

fn cut() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Cut);
    response
}

/// The body in small pieces, `ms` before each.
fn slowly(mut reply: Reply, clock: Clock, ms: u64) -> Reply {
    announce(&mut reply);
    let pieces = std::mem::take(&mut reply.body).into_data_stream().flat_map(|chunk| {
        let pieces: Vec<Result<Bytes, axum::Error>> = match chunk {
            Ok(mut bytes) => std::iter::from_fn(|| (!bytes.is_empty()).then(|| Ok(bytes.split_to(bytes.len().min(SLOW_PIECE))))).collect(),
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

/// Half the body, then an error, which makes hyper close the connection. A body of unknown length is cut in its first chunk.
fn truncated(mut reply: Reply) -> Reply {
    announce(&mut reply);
    let keep = reply.bytes_out.map_or(64, |length| length / 2);
    let state = (std::mem::take(&mut reply.body).into_data_stream(), keep, false);
    reply.body = Body::from_stream(futures_util::stream::unfold(state, |(mut body, keep, over)| async move {
        if over {
            return None;
        }
        let broken = || Err(std::io::Error::new(std::io::ErrorKind::ConnectionReset, "cut by a fault"));
        match body.next().await {
            Some(Ok(bytes)) if keep > 0 => {
                let kept = bytes.slice(..bytes.len().min(usize::try_from(keep).unwrap_or(usize::MAX)));
                let left = keep - kept.len() as u64;
                Some((Ok(kept), (body, left, false)))
            }
            _ => {
                // An error at once would make hyper drop what it has not flushed, the head included.
                step_aside().await;
                Some((broken(), (body, 0, true)))
            }
        }
    }));
    reply
}

/// Lets whoever is ready go first. Not tokio's `yield_now`, which comes back before or after what other threads have finished, as it happens.
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
        reply.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
}

/// Why a connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("connection cut by a fault")]
struct CutByFault;

/// Serves a router on a listener until the task is dropped; a reply marked `Cut` closes its connection without an answer.
pub(crate) async fn accept(listener: TcpListener, router: Router, clock: Clock) {
    let serve = {
        let clock = clock.clone();
        move |stream, number| numbered(stream, router.clone(), clock.clone(), Some(number))
    };
    accept_by(listener, clock, serve).await;
}

/// Hands each connection of a listener, with its number, to `serve`, until the task is dropped.
pub(crate) async fn accept_by<F>(listener: TcpListener, clock: Clock, serve: impl Fn(TcpStream, u64) -> F)
where
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
pub(crate) async fn connection(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router, clock: Clock) {
    numbered(io, router, clock, None).await;
}

/// Serves one connection; `number` tells a listener's connections apart.
pub(crate) async fn numbered(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router, clock: Clock, number: Option<u64>) {
    let requests = AtomicU64::new(0);
    let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let router = router.clone();
        let clock = clock.clone();
        let connection = number.map(|number| Connection { number, request: requests.fetch_add(1, Ordering::Relaxed) + 1 });
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
                response.headers_mut().insert(SIMULATED_CLOCK, HeaderValue::from_static("moved"));
            }
            Ok(response)
        }
    });
    let served = hyper::server::conn::http1::Builder::new().auto_date_header(false).serve_connection(TokioIo::new(io), service).await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Says that the clock behind `Date` was moved, or goes at a speed of its own: a client that holds its own clock against it learns nothing. No platform
/// has it; `seatrial` looks for it on this machine.
const SIMULATED_CLOCK: http::HeaderName = http::HeaderName::from_static("x-seatrial-clock");

fn date(now_ms: i64) -> Option<HeaderValue> {
    let now = jiff::Timestamp::from_millisecond(now_ms).ok()?;
    let text = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).ok()?;
    HeaderValue::from_str(&text).ok()
}
