//! One authenticated conversation with a platform: token, pacing, retries. The platforms' clients are lists of endpoints on top.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use url::Url;

use crate::arrival::Arrival;
use crate::clock::Clock;
use crate::coding;
use crate::error::CallError;
use crate::pace::Limit;
use crate::patience::{LONGEST_WAIT, backoff, retry_after, until};
use crate::transport::{Body, Failure, Retry, Transport, TransportError};

/// OAuth client credentials. `Debug` shows the id only.
#[derive(Clone)]
pub struct Credentials {
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// An account for Basic authentication. `Debug` shows the name only.
#[derive(Clone)]
pub struct Account {
    /// Its name.
    pub username: String,
    /// Its password.
    pub password: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("username", &self.username).finish_non_exhaustive()
    }
}

/// What a session has done so far.
#[derive(Debug, Default)]
pub struct Counts {
    /// Requests sent, tokens and retries included.
    pub requests: AtomicU64,
    /// Answers with status 429.
    pub throttled: AtomicU64,
    /// Requests sent again after an error.
    pub retries: AtomicU64,
}

/// Bytes of a recording as they come, with the headers of their answer.
pub struct Media {
    /// Headers of the answer that carries the bytes.
    pub headers: BTreeMap<String, String>,
    /// Length the answer announces. Bytes. Absent: not announced.
    pub length: Option<u64>,
    /// The pieces.
    pub stream: BoxStream<'static, Result<Bytes, CallError>>,
}

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
    /// The statuses that mean done. No other is success: not a redirect, not a 202 that only promises.
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
        Call::new(method, url, Repeat::Safe, done, Arc::new(|| Box::pin(async { Ok(Body::empty()) })))
    }

    pub(crate) fn json(
        method: Method,
        url: Url,
        repeat: Repeat,
        done: &'static [u16],
        body: &impl serde::Serialize,
    ) -> Result<Call, CallError> {
        let what = format!("{method} {}", url.path());
        let bytes = serde_json::to_vec(body).map_err(|error| CallError::Malformed { what, why: error.to_string() })?;
        let bytes = Bytes::from(bytes);
        let body: MakeBody = Arc::new(move || {
            let bytes = bytes.clone();
            Box::pin(async move { Ok(Body::Full(bytes)) })
        });
        let mut call = Call::new(method, url, repeat, done, body);
        call.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(call)
    }

    pub(crate) fn new(method: Method, url: Url, repeat: Repeat, done: &'static [u16], body: MakeBody) -> Call {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let key = url.path().to_owned();
        Call { method, url, headers, body, repeat, done, not_yet: &[], most: ANSWER_MOST, token: true, limit: None, key }
    }

    fn what(&self) -> String {
        format!("{} {}", self.method, self.url.path())
    }
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
        for (name, value) in self.headers.iter().filter(|(name, _)| *name != header::SET_COOKIE) {
            let Ok(value) = value.to_str() else { continue };
            kept.entry(name.to_string()).and_modify(|known| *known = format!("{known}, {value}")).or_insert_with(|| value.to_owned());
        }
        kept
    }

    /// Length it announces. Bytes; absent: none, or it was coded.
    pub(crate) fn content_length(&self) -> Option<u64> {
        self.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    /// The whole body, up to a bound; one that is announced to be longer is not read at all.
    async fn bytes(self, most: u64, clock: &Clock) -> Result<Bytes, TransportError> {
        let mut arrival = Arrival::whole(clock.clone(), most);
        let length = match &self.body {
            Body::Full(bytes) => Some(bytes.len() as u64),
            Body::Stream { length, .. } => *length,
        };
        arrival.announced(length)?;
        let mut stream = self.body.into_stream();
        // A length is a claim: what is set aside for it is bounded too.
        let mut bytes = BytesMut::with_capacity(usize::try_from(length.unwrap_or(0).min(1 << 20)).unwrap_or(0));
        while let Some(piece) = arrival.piece(&mut stream).await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes.freeze())
    }
}

pub(crate) struct Session {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Clock,
    pub(crate) counts: Arc<Counts>,
    auth: Auth,
    limit: Arc<Limit>,
    /// When somebody was last told of a wait, Unix ms.
    told_ms: AtomicI64,
}

/// How a platform is told who asks.
enum Auth {
    /// OAuth client credentials: a token that runs out.
    Token(Box<Tokens>),
    /// Name and password with every request. Absent: they hold what no header can.
    Basic(Option<HeaderValue>),
}

/// The token at present, and how to come by the next.
struct Tokens {
    url: Url,
    credentials: Credentials,
    held: Mutex<Option<Token>>,
    /// Held by the one call that fetches, while the others wait.
    fetching: tokio::sync::Mutex<()>,
}

impl Tokens {
    /// The value of the `Authorization` header; `None` where there is no token or it has run out.
    fn valid(&self, now_ms: i64) -> Option<HeaderValue> {
        let held = self.held();
        held.as_ref().filter(|token| token.expires_ms > now_ms).map(|token| token.value.clone())
    }

    fn held(&self) -> MutexGuard<'_, Option<Token>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Token {
    value: HeaderValue,
    expires_ms: i64,
}

#[derive(Deserialize)]
struct TokenBody {
    access_token: String,
    expires_in: Option<i64>,
}

/// Tries of one call. With waits of 0.25 s doubling to 8 s this is about half a minute of patience.
const TRIES: u32 = 8;
/// 429s are not failures but turns not yet come: patience is longer.
const THROTTLED_TRIES: u32 = 60;
/// How often one call renews a refused token. More refusals than this are not expiry.
const RENEWALS: u32 = 3;
/// How long an answer's head may take once the request is sent.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// The slowest line an upload is waited for: bytes a second. Below it a gigabyte takes longer than a night.
const SLOWEST_UPLOAD: u64 = 64 * 1024;
/// The longest JSON answer that is read; a page of 1000 interactions is a few megabytes.
pub(crate) const ANSWER_MOST: u64 = 16 * 1024 * 1024;
/// No error body or token is longer than this.
const ERROR_MOST: u64 = 64 * 1024;
/// A wait that somebody may wonder about is told of.
const TOLD_WAIT: Duration = Duration::from_secs(5);
/// Between two words about waiting. Milliseconds.
const TOLD_EVERY_MS: i64 = 30_000;

impl Session {
    pub(crate) fn new(transport: Arc<dyn Transport>, clock: Clock, token_url: Url, credentials: Credentials, limit: Limit) -> Session {
        let tokens = Tokens { url: token_url, credentials, held: Mutex::default(), fetching: tokio::sync::Mutex::default() };
        let auth = Auth::Token(Box::new(tokens));
        Session { transport, clock, counts: Arc::default(), auth, limit: Arc::new(limit), told_ms: AtomicI64::new(i64::MIN) }
    }

    /// The same with an account instead of a token.
    pub(crate) fn basic(transport: Arc<dyn Transport>, clock: Clock, account: &Account, limit: Limit) -> Session {
        let auth = Auth::Basic(basic(&account.username, &account.password));
        Session { transport, clock, counts: Arc::default(), auth, limit: Arc::new(limit), told_ms: AtomicI64::new(i64::MIN) }
    }

    /// Sends a call until it is answered, for good or bad.
    pub(crate) async fn call(&self, call: &Call) -> Result<Answer, CallError> {
        let what = call.what();
        let (mut failed, mut throttled, mut renewed) = (0, 0, 0);
        let mut waited = Duration::ZERO;
        loop {
            let (token, answer) = self.once(call).await?;
            let status = answer.as_ref().ok().map(|answer| answer.status.as_u16());
            let why = match answer {
                Ok(answer) if call.done.contains(&answer.status.as_u16()) => return Ok(answer),
                Ok(answer) if answer.status == StatusCode::UNAUTHORIZED && call.token => {
                    let refused = refusal(what.clone(), answer, &self.clock).await;
                    renewed += 1;
                    if renewed > RENEWALS || matches!(self.auth, Auth::Basic(_)) {
                        return Err(CallError::Unauthorized { what, why: words(&refused) });
                    }
                    self.drop_token(token.as_ref());
                    continue;
                }
                Ok(answer) if answer.status == StatusCode::TOO_MANY_REQUESTS => {
                    self.counts.throttled.fetch_add(1, Ordering::Relaxed);
                    throttled += 1;
                    if throttled >= THROTTLED_TRIES {
                        return Err(refusal(what, answer, &self.clock).await);
                    }
                    // Without Retry-After the wait grows by itself.
                    let asked = self.asked(&what, &answer, &mut waited)?.unwrap_or_else(|| backoff(throttled, &call.key));
                    self.retrying(&call.url, throttled, THROTTLED_TRIES, &asked_to_wait(asked));
                    // For everybody under the same limit.
                    call.limit.as_ref().unwrap_or(&self.limit).hold(&self.clock, asked);
                    self.counts.retries.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                Ok(answer) if call.not_yet.contains(&answer.status.as_u16()) || is_passing(answer.status) => {
                    call.limit.as_ref().unwrap_or(&self.limit).strained();
                    let asked = self.asked(&what, &answer, &mut waited)?;
                    let why = words(&refusal(what.clone(), answer, &self.clock).await);
                    if let Some(wait) = asked {
                        self.retrying(&call.url, failed + 1, TRIES, &asked_to_wait(wait));
                        self.clock.sleep(wait).await;
                    }
                    why
                }
                Ok(answer) if answer.status.is_redirection() => return Err(redirected(what, call, &answer)),
                Ok(answer) if answer.status.is_client_error() => return Err(refusal(what, answer, &self.clock).await),
                Ok(answer) => return Err(not_done(what, call, answer.status)),
                Err(error) if error.kind == Failure::NotSent => {
                    failed += 1;
                    if failed >= TRIES {
                        return Err(CallError::Unreachable { what, why: error.why, tries: failed, answered: None });
                    }
                    self.tell_silence(&call.url, &error.why, failed);
                    self.retrying(&call.url, failed, TRIES, &error.why);
                    self.wait(&call.key, failed).await;
                    continue;
                }
                Err(error) => match final_failure(&what, &call.url, error) {
                    Ok(error) => return Err(error),
                    Err(why) => why,
                },
            };
            if call.repeat == Repeat::LookFirst {
                return Err(CallError::OutcomeUnknown { what, why });
            }
            failed += 1;
            if failed >= TRIES {
                let not_yet = status.filter(|status| call.not_yet.contains(status));
                return Err(match not_yet {
                    Some(status) => CallError::NotReady { what, status, tries: failed },
                    None => CallError::Unreachable { what, why, tries: failed, answered: status },
                });
            }
            if status.is_none() {
                self.tell_silence(&call.url, &why, failed);
            }
            self.retrying(&call.url, failed, TRIES, &why);
            self.wait(&call.key, failed).await;
        }
    }

    /// The wait that an answer asks for, if it asks for one and all waits of the call together stay within the bound.
    fn asked(&self, what: &str, answer: &Answer, waited: &mut Duration) -> Result<Option<Duration>, CallError> {
        let Some(asked) = retry_after(&answer.headers, self.clock.now_ms()) else { return Ok(None) };
        *waited = waited.saturating_add(asked);
        let status = answer.status.as_u16();
        if *waited > LONGEST_WAIT {
            return Err(CallError::WaitTooLong { what: what.to_owned(), status, asked_s: asked.as_secs(), most_s: LONGEST_WAIT.as_secs() });
        }
        if asked >= TOLD_WAIT {
            let until = until(self.clock.now_ms(), asked);
            self.tell(|| format!("{what} asks to wait {} s ({status}); waiting{until}", asked.as_secs()));
        }
        Ok(Some(asked))
    }

    fn tell_silence(&self, url: &Url, why: &str, failed: u32) {
        self.tell(|| format!("{} does not answer: {why}; trying again, {} of {TRIES} tries so far", host(url), failed));
    }

    /// A word to whoever watches, now and then. Nobody watches a clock that jumps or runs ahead.
    fn tell(&self, word: impl FnOnce() -> String) {
        if !self.clock.is_real() {
            return;
        }
        let now_ms = self.clock.now_ms();
        let told = self.told_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |told_ms| {
            (now_ms.saturating_sub(told_ms) >= TOLD_EVERY_MS).then_some(now_ms)
        });
        if told.is_ok() {
            tracing::warn!(target: "platforms::waiting", "{}", word());
        }
    }

    /// One try. The outer error is final; the inner one is the wire's.
    async fn once(&self, call: &Call) -> Result<(Option<HeaderValue>, Result<Answer, TransportError>), CallError> {
        let limit = call.limit.as_ref().unwrap_or(&self.limit);
        let token = self.turn(limit, call).await?;
        let body =
            (call.body)().await.map_err(|error| CallError::Malformed { what: call.what(), why: format!("our own file: {error}") })?;
        let mut request = http::Request::new(body);
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = uri(&call.url)?;
        *request.headers_mut() = call.headers.clone();
        if let Some(token) = &token {
            request.headers_mut().insert(header::AUTHORIZATION, token.clone());
        }
        let sent_ms = self.clock.now_ms();
        let answer = self.send(request).await;
        if let Ok(answer) = &answer {
            limit.answered(self.clock.now_ms() - sent_ms);
            self.learn(limit, &answer.headers);
        }
        Ok((token, answer))
    }

    /// Forgets a token that was refused, unless another worker has renewed it already.
    fn drop_token(&self, refused: Option<&HeaderValue>) {
        let Auth::Token(tokens) = &self.auth else { return };
        let mut held = tokens.held();
        if held.as_ref().map(|token| &token.value) == refused {
            *held = None;
        }
    }

    async fn send(&self, mut request: http::Request<Body>) -> Result<Answer, TransportError> {
        request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        self.counts.requests.fetch_add(1, Ordering::Relaxed);
        // The head comes after the whole body was sent: a large upload on a slow line has its time.
        let length = match request.body() {
            Body::Full(bytes) => bytes.len() as u64,
            Body::Stream { length, .. } => length.unwrap_or(0),
        };
        let limit = ANSWER_TIMEOUT + Duration::from_secs(length / SLOWEST_UPLOAD);
        let sent = self.clock.timeout(limit, self.transport.send(request)).await;
        let late = || TransportError::new(Failure::Broken, format!("no answer within {} s", limit.as_secs()));
        let (mut parts, body) = sent.ok_or_else(late)??.into_parts();
        let (coded, body) = coding::undo(&mut parts.headers, body);
        Ok(Answer { status: parts.status, headers: parts.headers, coded, body })
    }

    /// Waits for a call's turn. What its `Authorization` header says; `None` where it has none.
    async fn turn(&self, limit: &Limit, call: &Call) -> Result<Option<HeaderValue>, CallError> {
        loop {
            limit.turn(&self.clock).await;
            match &self.auth {
                _ if !call.token => return Ok(None),
                Auth::Basic(value) => return Ok(Some(value.clone().ok_or_else(|| no_header(call.what()))?)),
                // Asked only now, for in the time of waiting a token may be refused to another call, or run out. While one is fetched, a hold may
                // begin.
                Auth::Token(tokens) => {
                    if let Some(token) = self.token(tokens).await?
                        && !limit.is_held(&self.clock)
                    {
                        return Ok(Some(token));
                    }
                }
            }
        }
    }

    /// The token at present, fetched where there is none. `None`: another call has just fetched it, and those that waited for it take a new turn
    /// each; all of them going at once would be a burst.
    async fn token(&self, tokens: &Tokens) -> Result<Option<HeaderValue>, CallError> {
        if let Some(value) = tokens.valid(self.clock.now_ms()) {
            return Ok(Some(value));
        }
        let _fetching = tokens.fetching.lock().await;
        if tokens.valid(self.clock.now_ms()).is_some() {
            return Ok(None);
        }
        let token = self.fetch_token(&tokens.url, &tokens.credentials).await?;
        let value = token.value.clone();
        *tokens.held() = Some(token);
        Ok(Some(value))
    }

    async fn fetch_token(&self, url: &Url, credentials: &Credentials) -> Result<Token, CallError> {
        let what = format!("POST {}", url.path());
        let account = basic(&credentials.client_id, &credentials.client_secret).ok_or_else(|| no_header(what.clone()))?;
        let (mut failed, mut waited) = (0, Duration::ZERO);
        loop {
            let mut request = http::Request::new(Body::Full(Bytes::from_static(b"grant_type=client_credentials")));
            *request.method_mut() = Method::POST;
            *request.uri_mut() = uri(url)?;
            let headers = request.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            headers.insert(header::AUTHORIZATION, account.clone());
            let (why, wait) = match self.send(request).await {
                Ok(answer) if answer.status == StatusCode::OK => match answer.bytes(ERROR_MOST, &self.clock).await {
                    Ok(bytes) => return token_of(what, &bytes, &self.clock),
                    // Cut on its way: the next one may be whole.
                    Err(error) => match final_failure(&what, url, error) {
                        Ok(error) => return Err(error),
                        Err(why) => (why, None),
                    },
                },
                Ok(answer) if answer.status == StatusCode::TOO_MANY_REQUESTS || is_passing(answer.status) => {
                    (answer.status.to_string(), self.asked(&what, &answer, &mut waited)?)
                }
                Ok(answer) if answer.status.is_redirection() => {
                    return Err(CallError::Redirected { what, status: answer.status.as_u16(), to: leads_to(url, &answer) });
                }
                Ok(answer) => {
                    return Err(CallError::Unauthorized { what: what.clone(), why: words(&refusal(what, answer, &self.clock).await) });
                }
                Err(error) => match final_failure(&what, url, error) {
                    Ok(error) => return Err(error),
                    Err(why) => {
                        self.tell_silence(url, &why, failed + 1);
                        (why, None)
                    }
                },
            };
            failed += 1;
            if failed >= TRIES {
                let what = format!("{}{}", host(url), url.path());
                return Err(CallError::Unreachable { what, why, tries: failed, answered: None });
            }
            self.retrying(url, failed, TRIES, &why);
            match wait {
                Some(wait) => self.clock.sleep(wait).await,
                None => self.wait(&what, failed).await,
            }
        }
    }

    /// Lets whoever watches know that this call is sent again.
    fn retrying(&self, url: &Url, tries: u32, of: u32, why: &str) {
        self.transport.retrying(&Retry { host: &host(url), tries, of, why });
    }

    /// Waits before the next try of what failed so often.
    pub(crate) async fn wait(&self, key: &str, failed: u32) {
        self.counts.retries.fetch_add(1, Ordering::Relaxed);
        self.clock.sleep(backoff(failed, key)).await;
    }

    /// Genesys Cloud says in its headers what it allows; the smaller of that and the plan holds.
    /// Source: `inin-ratelimit-allowed`, per token and minute (vendor's blog and SDK pages).
    fn learn(&self, limit: &Arc<Limit>, headers: &HeaderMap) {
        let allowed = headers.get("inin-ratelimit-allowed").and_then(|value| value.to_str().ok()?.parse().ok());
        if let Some(allowed) = allowed.filter(|_| Arc::ptr_eq(limit, &self.limit)) {
            limit.lower_to(allowed, Duration::from_secs(60));
        }
    }

    /// A call whose answer is bytes of a recording, no more than `most`, passed on as they come.
    pub(crate) async fn media(&self, call: &Call, most: u64) -> Result<Media, CallError> {
        let answer = self.call(call).await?;
        let what = call.what();
        let headers = answer.headers_to_keep();
        let length = answer.content_length();
        let url = call.url.clone();
        let arrival = Arrival::media(self.clock.clone(), most);
        arrival.announced(length).map_err(|error| body_failure(&what, &url, error))?;
        let pieces = answer.body.into_stream();
        let stream = futures_util::stream::try_unfold((pieces, arrival), move |(mut pieces, mut arrival)| {
            let (what, url) = (what.clone(), url.clone());
            async move {
                let piece = arrival.piece(&mut pieces).await.map_err(|error| body_failure(&what, &url, error))?;
                Ok(piece.map(|piece| (piece, (pieces, arrival))))
            }
        });
        Ok(Media { headers, length, stream: stream.boxed() })
    }

    /// A call whose answer is JSON.
    pub(crate) async fn json<T: serde::de::DeserializeOwned>(&self, call: &Call) -> Result<T, CallError> {
        let (bytes, _) = self.bytes(call).await?;
        parse(&call.what(), &bytes)
    }

    /// A call whose answer is read whole; an answer cut in its body is asked for again where that is safe.
    pub(crate) async fn bytes(&self, call: &Call) -> Result<(Bytes, Answer), CallError> {
        let mut failed = 0;
        loop {
            let answer = self.call(call).await?;
            let head = Answer { status: answer.status, headers: answer.headers.clone(), coded: answer.coded, body: Body::empty() };
            let error = match answer.bytes(call.most, &self.clock).await {
                Ok(bytes) => return Ok((bytes, head)),
                Err(error) => error,
            };
            if call.repeat == Repeat::LookFirst {
                return Err(CallError::OutcomeUnknown { what: call.what(), why: error.why });
            }
            let why = match final_failure(&call.what(), &call.url, error) {
                Ok(error) => return Err(error),
                Err(why) => why,
            };
            failed += 1;
            if failed >= TRIES {
                return Err(CallError::Unreachable { what: call.what(), why, tries: failed, answered: Some(head.status.as_u16()) });
            }
            self.wait(&call.key, failed).await;
        }
    }
}

/// Statuses that pass by themselves: a server error, one that gave up waiting for the request (408) or will not yet look at it (425).
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT || status == StatusCode::TOO_EARLY
}

/// The error a failed exchange ends a call with; `Err` with the words where another try may go better.
fn final_failure(what: &str, url: &Url, error: TransportError) -> Result<CallError, String> {
    let (what, why) = (what.to_owned(), error.why);
    match error.kind {
        Failure::NotSent | Failure::Broken => Err(why),
        Failure::Barred => Ok(CallError::NotSent { what, why }),
        Failure::Untrusted => Ok(CallError::Untrusted { what, host: host(url), why }),
        Failure::ClockDiffers => Ok(CallError::ClockDiffers { what, why }),
        Failure::Unusable => Ok(CallError::Malformed { what, why }),
        Failure::Slow => Ok(CallError::Unreachable { what, why, tries: 1, answered: Some(200) }),
    }
}

/// The same of a body that is passed on as it comes, and not asked for again here.
pub(crate) fn body_failure(what: &str, url: &Url, error: TransportError) -> CallError {
    let cut = |why| CallError::Unreachable { what: what.to_owned(), why, tries: 1, answered: Some(200) };
    final_failure(what, url, error).unwrap_or_else(cut)
}

/// A redirect of a call that follows none. Whatever it was to do is not done.
fn redirected(what: String, call: &Call, answer: &Answer) -> CallError {
    CallError::Redirected { what, status: answer.status.as_u16(), to: leads_to(&call.url, answer) }
}

/// Where a redirect leads, without what could be a secret.
fn leads_to(from: &Url, answer: &Answer) -> String {
    let location = answer.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    match location.and_then(|location| from.join(location).ok()) {
        Some(to) if to.host().is_some() => format!("to {}://{}{}", to.scheme(), host(&to), to.path()),
        _ => "to nowhere it names".to_owned(),
    }
}

/// A success that is none of the call's: who was to change something does not know whether it was.
fn not_done(what: String, call: &Call, status: StatusCode) -> CallError {
    let done: Vec<String> = call.done.iter().map(u16::to_string).collect();
    let why = format!("status {} where {} means done", status.as_u16(), done.join(" or "));
    match call.repeat {
        Repeat::LookFirst => CallError::OutcomeUnknown { what, why },
        Repeat::Safe => CallError::Malformed { what, why },
    }
}

pub(crate) fn parse<T: serde::de::DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, CallError> {
    serde_json::from_slice(bytes).map_err(|error| CallError::Malformed { what: what.to_owned(), why: place_of(&error) })
}

/// Where and what kind, without serde's own words: they quote values, and a value may be a name or a number.
pub(crate) fn place_of(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Io => "cannot be read",
        serde_json::error::Category::Syntax => "is no JSON",
        serde_json::error::Category::Data => "has a value of a wrong type, or lacks one",
        serde_json::error::Category::Eof => "ends too early",
    };
    format!("the answer {kind} at line {} column {}", error.line(), error.column())
}

/// The header of Basic authentication; `None` where name or password hold what no header can.
fn basic(name: &str, password: &str) -> Option<HeaderValue> {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
    let mut value = HeaderValue::from_str(&format!("Basic {pair}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn no_header(what: String) -> CallError {
    CallError::Unauthorized { what, why: "name or secret hold characters that no header can".to_owned() }
}

fn token_of(what: String, bytes: &[u8], clock: &Clock) -> Result<Token, CallError> {
    let malformed = |why: String| CallError::Malformed { what: what.clone(), why };
    // Not serde's own words: they could quote the token.
    let body: TokenBody = serde_json::from_slice(bytes).map_err(|_| malformed("not a token answer".to_owned()))?;
    let mut value = HeaderValue::from_str(&format!("Bearer {}", body.access_token)).map_err(|_| malformed("not a token".to_owned()))?;
    value.set_sensitive(true);
    // Renewed a little early, so that a request does not arrive with a token that died on the way.
    let life_ms = body.expires_in.unwrap_or(300).saturating_mul(1000);
    let expires_ms = clock.now_ms().saturating_add(life_ms - (life_ms / 20).min(30_000));
    Ok(Token { value, expires_ms })
}

/// Any platform's error body.
#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorBody {
    #[serde(rename = "statusCode")]
    status_code: Option<u32>,
    #[serde(rename = "statusMessage")]
    status_message: Option<String>,
    message: Option<String>,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    #[serde(rename = "entityId")]
    entity_id: Option<String>,
    details: Vec<ErrorDetail>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorDetail {
    #[serde(rename = "fieldName")]
    field_name: Option<String>,
}

async fn refusal(what: String, answer: Answer, clock: &Clock) -> CallError {
    let status = answer.status.as_u16();
    let bytes = answer.bytes(ERROR_MOST, clock).await.unwrap_or_default();
    let body: ErrorBody = serde_json::from_slice(&bytes).unwrap_or_default();
    let message = without_numbers(&body.message.or(body.error_description).or(body.status_message).unwrap_or_default());
    CallError::Refused {
        what,
        status,
        code: body.code.or(body.error).or(body.status_code.map(|code| code.to_string())).unwrap_or_default(),
        message,
        entity_id: body.entity_id,
        field: body.details.into_iter().find_map(|detail| detail.field_name),
    }
}

/// A platform quotes what it refuses, and what it refuses may be a phone number: runs of digits that long are starred, ids are not.
pub(crate) fn without_numbers(message: &str) -> String {
    let mut text = String::new();
    for word in message.chars().take(300).collect::<String>().split_inclusive([' ', '[', ']', '"', '\'']) {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        let is_number = digits >= 7 && word.chars().all(|c| c.is_ascii_digit() || "+-.()*:tel []\"'".contains(c));
        if is_number {
            text.extend(word.chars().map(|c| if c.is_ascii_digit() { '*' } else { c }));
        } else {
            text.push_str(word);
        }
    }
    text
}

fn words(error: &CallError) -> String {
    match error {
        CallError::Refused { status, code, message, .. } => format!("{status} {code} {message}").trim().to_owned(),
        other => other.to_string(),
    }
}

/// What a platform asks for, in words.
fn asked_to_wait(wait: Duration) -> String {
    format!("asked to wait {} s", wait.as_secs())
}

pub(crate) fn uri(url: &Url) -> Result<http::Uri, CallError> {
    url.as_str().parse().map_err(|_| CallError::Malformed { what: url.path().to_owned(), why: "not a URL that HTTP can carry".to_owned() })
}

/// `host:port`, as a plan lists hosts.
pub(crate) fn host(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        _ => String::new(),
    }
}
