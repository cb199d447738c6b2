//! One authenticated conversation with a platform: token, pacing, retries. The platforms' clients are lists of endpoints on top.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
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

use crate::clock::Clock;
use crate::error::CallError;
use crate::pace::Limit;
use crate::transport::{Body, Transport, TransportError};

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
    pub(crate) token: bool,
    pub(crate) limit: Option<Arc<Limit>>,
    /// What the call is about, so that equal calls about different records wait differently.
    pub(crate) key: String,
}

impl Call {
    pub(crate) fn get(url: Url) -> Call {
        Call::new(Method::GET, url, Repeat::Safe, Arc::new(|| Box::pin(async { Ok(Body::empty()) })))
    }

    /// A call without a body, whose repeat does no harm.
    pub(crate) fn bodiless(method: Method, url: Url) -> Call {
        Call { method, ..Call::get(url) }
    }

    pub(crate) fn json(method: Method, url: Url, repeat: Repeat, body: &impl serde::Serialize) -> Result<Call, CallError> {
        let what = format!("{method} {}", url.path());
        let bytes = serde_json::to_vec(body).map_err(|error| CallError::Malformed { what, why: error.to_string() })?;
        let bytes = Bytes::from(bytes);
        let body: MakeBody = Arc::new(move || {
            let bytes = bytes.clone();
            Box::pin(async move { Ok(Body::Full(bytes)) })
        });
        let mut call = Call::new(method, url, repeat, body);
        call.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(call)
    }

    pub(crate) fn new(method: Method, url: Url, repeat: Repeat, body: MakeBody) -> Call {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let key = url.path().to_owned();
        Call { method, url, headers, body, repeat, token: true, limit: None, key }
    }

    fn what(&self) -> String {
        format!("{} {}", self.method, self.url.path())
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
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

    /// The whole body, up to a bound; a piece that does not come in time is an error like a cut.
    async fn bytes(self, most: usize, clock: &Clock) -> Result<Bytes, TransportError> {
        let broken = |why: String| TransportError { why, never_sent: false, barred: false };
        let mut stream = self.body.into_stream();
        let mut bytes = BytesMut::new();
        loop {
            let piece = clock.timeout(PIECE_TIMEOUT, stream.next()).await;
            let Some(piece) = piece.ok_or_else(|| broken("the answer's body stopped".to_owned()))? else { return Ok(bytes.freeze()) };
            bytes.extend_from_slice(&piece?);
            if bytes.len() > most {
                return Err(broken(format!("the answer is longer than {most} bytes")));
            }
        }
    }
}

pub(crate) struct Session {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Clock,
    pub(crate) counts: Arc<Counts>,
    auth: Auth,
    limit: Arc<Limit>,
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
/// No JSON answer of a platform is longer than this; a page of 1000 interactions is a few megabytes.
const ANSWER_MOST: usize = 256 * 1024 * 1024;
/// No error body or token is longer than this.
const ERROR_MOST: usize = 64 * 1024;
/// How long the next piece of an answer's body may take.
pub(crate) const PIECE_TIMEOUT: Duration = Duration::from_secs(60);

impl Session {
    pub(crate) fn new(transport: Arc<dyn Transport>, clock: Clock, token_url: Url, credentials: Credentials, limit: Limit) -> Session {
        let tokens = Tokens { url: token_url, credentials, held: Mutex::default(), fetching: tokio::sync::Mutex::default() };
        let auth = Auth::Token(Box::new(tokens));
        Session { transport, clock, counts: Arc::default(), auth, limit: Arc::new(limit) }
    }

    /// The same with an account instead of a token.
    pub(crate) fn basic(transport: Arc<dyn Transport>, clock: Clock, account: &Account, limit: Limit) -> Session {
        let auth = Auth::Basic(basic(&account.username, &account.password));
        Session { transport, clock, counts: Arc::default(), auth, limit: Arc::new(limit) }
    }

    /// Sends a call until it is answered, for good or bad.
    pub(crate) async fn call(&self, call: &Call) -> Result<Answer, CallError> {
        let what = call.what();
        let (mut failed, mut throttled, mut renewed) = (0, 0, 0);
        loop {
            let (token, answer) = self.once(call).await?;
            let answered = answer.as_ref().ok().map(|answer| answer.status.as_u16());
            let why = match answer {
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
                    self.obey(call, &answer.headers, throttled);
                    continue;
                }
                Ok(answer) if answer.status.is_server_error() => {
                    call.limit.as_ref().unwrap_or(&self.limit).strained();
                    let retry_after = retry_after(&answer.headers);
                    let why = words(&refusal(what.clone(), answer, &self.clock).await);
                    if let Some(wait) = retry_after {
                        self.clock.sleep(wait).await;
                    }
                    why
                }
                Ok(answer) if answer.status.is_client_error() => return Err(refusal(what, answer, &self.clock).await),
                Ok(answer) => return Ok(answer),
                Err(error) if error.barred => return Err(CallError::NotSent { what, why: error.why }),
                Err(error) if error.never_sent => {
                    failed += 1;
                    if failed >= TRIES {
                        return Err(CallError::Unreachable { what, why: error.why, tries: failed, answered });
                    }
                    self.wait(&call.key, failed).await;
                    continue;
                }
                Err(error) => error.why,
            };
            if call.repeat == Repeat::LookFirst {
                return Err(CallError::OutcomeUnknown { what, why });
            }
            failed += 1;
            if failed >= TRIES {
                return Err(CallError::Unreachable { what, why, tries: failed, answered });
            }
            self.wait(&call.key, failed).await;
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

    async fn send(&self, request: http::Request<Body>) -> Result<Answer, TransportError> {
        self.counts.requests.fetch_add(1, Ordering::Relaxed);
        // The head comes after the whole body was sent: a large upload on a slow line has its time.
        let length = match request.body() {
            Body::Full(bytes) => bytes.len() as u64,
            Body::Stream { length, .. } => length.unwrap_or(0),
        };
        let limit = ANSWER_TIMEOUT + Duration::from_secs(length / SLOWEST_UPLOAD);
        let sent = self.clock.timeout(limit, self.transport.send(request)).await;
        let late = || TransportError { why: format!("no answer within {} s", limit.as_secs()), never_sent: false, barred: false };
        let (parts, body) = sent.ok_or_else(late)??.into_parts();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
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
        let mut failed = 0;
        loop {
            let mut request = http::Request::new(Body::Full(Bytes::from_static(b"grant_type=client_credentials")));
            *request.method_mut() = Method::POST;
            *request.uri_mut() = uri(url)?;
            let headers = request.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            headers.insert(header::AUTHORIZATION, account.clone());
            let (why, wait) = match self.send(request).await {
                Ok(answer) if answer.status.is_success() => match answer.bytes(ERROR_MOST, &self.clock).await {
                    Ok(bytes) => return token_of(what, &bytes, &self.clock),
                    // Cut on its way: the next one may be whole.
                    Err(error) => (error.why, None),
                },
                Ok(answer) if answer.status == StatusCode::TOO_MANY_REQUESTS || answer.status.is_server_error() => {
                    (answer.status.to_string(), retry_after(&answer.headers))
                }
                Ok(answer) => {
                    return Err(CallError::Unauthorized { what: what.clone(), why: words(&refusal(what, answer, &self.clock).await) });
                }
                Err(error) if error.barred => return Err(CallError::NotSent { what, why: error.why }),
                Err(error) => (error.why, None),
            };
            failed += 1;
            if failed >= TRIES {
                let what = format!("{}{}", host(url), url.path());
                return Err(CallError::Unreachable { what, why, tries: failed, answered: None });
            }
            match wait {
                Some(wait) => self.clock.sleep(wait).await,
                None => self.wait(&what, failed).await,
            }
        }
    }

    /// Waits out what a 429 asks for, for everybody under the same limit. Without Retry-After the wait grows by itself.
    fn obey(&self, call: &Call, headers: &HeaderMap, throttled: u32) {
        let wait = retry_after(headers).unwrap_or_else(|| backoff(throttled, &call.key));
        call.limit.as_ref().unwrap_or(&self.limit).hold(&self.clock, wait);
        self.counts.retries.fetch_add(1, Ordering::Relaxed);
    }

    async fn wait(&self, key: &str, failed: u32) {
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

    /// A call whose answer is bytes of a recording, passed on as they come.
    pub(crate) async fn media(&self, call: &Call) -> Result<Media, CallError> {
        let answer = self.call(call).await?;
        let what = call.what();
        // A redirect is not followed, and its body is not the recording.
        if !answer.status.is_success() {
            return Err(CallError::Malformed { what, why: format!("status {} instead of bytes", answer.status.as_u16()) });
        }
        let headers = answer.headers_to_keep();
        let length = answer.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let clock = self.clock.clone();
        let pieces = answer.body.into_stream();
        let stream = futures_util::stream::unfold((pieces, clock, what), |(mut pieces, clock, what)| async move {
            let cut = |why: String| CallError::Unreachable { what: what.clone(), why, tries: 1, answered: Some(200) };
            let piece = match clock.timeout(PIECE_TIMEOUT, pieces.next()).await {
                Some(piece) => piece?.map_err(|error| cut(error.why)),
                None => Err(cut("the stream stopped".to_owned())),
            };
            Some((piece, (pieces, clock, what)))
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
            let head = Answer { status: answer.status, headers: answer.headers.clone(), body: Body::empty() };
            let why = match answer.bytes(ANSWER_MOST, &self.clock).await {
                Ok(bytes) => return Ok((bytes, head)),
                Err(error) => error.why,
            };
            if call.repeat == Repeat::LookFirst {
                return Err(CallError::OutcomeUnknown { what: call.what(), why });
            }
            failed += 1;
            if failed >= TRIES {
                return Err(CallError::Unreachable { what: call.what(), why, tries: failed, answered: Some(head.status.as_u16()) });
            }
            self.wait(&call.key, failed).await;
        }
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

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(3600)))
}

/// Grows from 0.25 s to 8 s; spread by half so that workers that failed together do not return together. The spread is a function
/// of what is sent, not of chance, so that a rehearsal repeats.
fn backoff(failed: u32, key: &str) -> Duration {
    let full_ms = 250_u64 << failed.saturating_sub(1).min(5);
    let hash = key.bytes().fold(u64::from(failed), |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    Duration::from_millis(full_ms / 2 + (hash >> 20) % (full_ms / 2 + 1))
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
