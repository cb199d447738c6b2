//! One authenticated conversation with a platform: token, rate limit, retries. The platforms'
//! clients are lists of endpoints on top.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use url::Url;

use crate::clock::Clock;
use crate::error::CallError;
use crate::net::answer::{Answer, Media};
use crate::net::arrival::Arrival;
use crate::net::auth::{Account, Auth, Credentials, Token, Tokens, basic, no_header, token_of};
use crate::net::call::{Call, Repeat};
use crate::net::content_coding;
use crate::net::failure::{
    body_failure, final_failure, host, is_passing, leads_to, not_done, parse, redirected, uri,
};
use crate::net::rate_limit::Limit;
use crate::net::refusal::{ERROR_MOST, describe, refusal};
use crate::net::retry::{LONGEST_WAIT, backoff, retry_after, until};
use crate::net::transport::{Body, Failure, Retry, Transport, TransportError};

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

pub(crate) struct Session {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Clock,
    pub(crate) counts: Arc<Counts>,
    auth: Auth,
    limit: Arc<Limit>,
    /// Header that announces how many requests a minute are allowed. Absent: the platform announces
    /// none.
    limit_header: Option<&'static str>,
    /// When a wait was last logged, Unix ms.
    told_ms: AtomicI64,
}

/// Tries of one call. With waits of 0.25 s doubling to 8 s this is about half a minute of patience.
const TRIES: u32 = 8;
/// 429s are not failures but turns not yet come: patience is longer.
const THROTTLED_TRIES: u32 = 60;
/// How often one call renews a refused token. More refusals than this are not expiry.
const RENEWALS: u32 = 3;
/// How long an answer's head may take once the request is sent.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// The slowest line an upload is waited for: bytes a second. Below it a gigabyte takes longer than
/// a night.
const SLOWEST_UPLOAD: u64 = 64 * 1024;
/// A wait that somebody may wonder about is told of.
const TOLD_WAIT: Duration = Duration::from_secs(5);
/// Between two words about waiting. Milliseconds.
const TOLD_EVERY_MS: i64 = 30_000;

impl Session {
    pub(crate) fn new(
        transport: Arc<dyn Transport>,
        clock: Clock,
        token_url: Url,
        credentials: Credentials,
        limit: Limit,
    ) -> Session {
        Session::with_auth(
            transport,
            clock,
            Auth::Token(Box::new(Tokens::new(token_url, credentials))),
            limit,
        )
    }

    /// The same with an account instead of a token.
    pub(crate) fn basic(
        transport: Arc<dyn Transport>,
        clock: Clock,
        account: &Account,
        limit: Limit,
    ) -> Session {
        Session::with_auth(
            transport,
            clock,
            Auth::Basic(basic(&account.username, &account.password)),
            limit,
        )
    }

    fn with_auth(transport: Arc<dyn Transport>, clock: Clock, auth: Auth, limit: Limit) -> Session {
        let (counts, limit) = (Arc::default(), Arc::new(limit));
        Session {
            transport,
            clock,
            counts,
            auth,
            limit,
            limit_header: None,
            told_ms: AtomicI64::new(i64::MIN),
        }
    }

    /// The same, for a platform that announces in this header how many requests a minute it allows.
    pub(crate) fn with_limit_header(self, name: &'static str) -> Session {
        Session {
            limit_header: Some(name),
            ..self
        }
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
                        return Err(CallError::Unauthorized {
                            what,
                            why: describe(&refused),
                        });
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
                    let asked = self
                        .asked(&what, &answer, &mut waited)?
                        .unwrap_or_else(|| backoff(throttled, &call.key));
                    self.retrying(&call.url, throttled, THROTTLED_TRIES, &asked_to_wait(asked));
                    // For everybody under the same limit.
                    let limit = call.limit.as_ref().unwrap_or(&self.limit);
                    limit.hold(&self.clock, asked);
                    if let Some(budget) = self.transport.budget() {
                        let name = limit.shared_name(&host(&call.url));
                        budget.hold(&name, asked).await;
                    }
                    self.counts.retries.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                Ok(answer)
                    if call.not_yet.contains(&answer.status.as_u16())
                        || is_passing(answer.status) =>
                {
                    call.limit.as_ref().unwrap_or(&self.limit).strained();
                    let asked = self.asked(&what, &answer, &mut waited)?;
                    let why = describe(&refusal(what.clone(), answer, &self.clock).await);
                    if let Some(wait) = asked {
                        self.retrying(&call.url, failed + 1, TRIES, &asked_to_wait(wait));
                        self.clock.sleep(wait).await;
                    }
                    why
                }
                Ok(answer) if answer.status.is_redirection() => {
                    return Err(redirected(what, call, &answer));
                }
                Ok(answer) if answer.status.is_client_error() => {
                    return Err(refusal(what, answer, &self.clock).await);
                }
                Ok(answer) => return Err(not_done(what, call, answer.status)),
                Err(error) if error.kind == Failure::NotSent => {
                    failed += 1;
                    if failed >= TRIES {
                        return Err(CallError::Unreachable {
                            what,
                            why: error.why,
                            tries: failed,
                            answered: None,
                        });
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
                    Some(status) => CallError::NotReady {
                        what,
                        status,
                        tries: failed,
                    },
                    None => CallError::Unreachable {
                        what,
                        why,
                        tries: failed,
                        answered: status,
                    },
                });
            }
            if status.is_none() {
                self.tell_silence(&call.url, &why, failed);
            }
            self.retrying(&call.url, failed, TRIES, &why);
            self.wait(&call.key, failed).await;
        }
    }

    /// The wait that an answer asks for, if it asks for one and all waits of the call together stay
    /// within the bound.
    fn asked(
        &self,
        what: &str,
        answer: &Answer,
        waited: &mut Duration,
    ) -> Result<Option<Duration>, CallError> {
        let Some(asked) = retry_after(&answer.headers, self.clock.now_ms()) else {
            return Ok(None);
        };
        *waited = waited.saturating_add(asked);
        let status = answer.status.as_u16();
        if *waited > LONGEST_WAIT {
            return Err(CallError::WaitTooLong {
                what: what.to_owned(),
                status,
                asked_s: asked.as_secs(),
                most_s: LONGEST_WAIT.as_secs(),
            });
        }
        if asked >= TOLD_WAIT {
            let until = until(self.clock.now_ms(), asked);
            self.tell(|| {
                format!(
                    "{what} asks to wait {} s ({status}); waiting{until}",
                    asked.as_secs()
                )
            });
        }
        Ok(Some(asked))
    }

    fn tell_silence(&self, url: &Url, why: &str, failed: u32) {
        self.tell(|| {
            format!(
                "{} does not answer: {why}; trying again, {} of {TRIES} tries so far",
                host(url),
                failed
            )
        });
    }

    /// A word to whoever watches, now and then. Nobody watches a clock that jumps or runs ahead.
    fn tell(&self, word: impl FnOnce() -> String) {
        if !self.clock.is_real() {
            return;
        }
        let now_ms = self.clock.now_ms();
        let told = self
            .told_ms
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |told_ms| {
                (now_ms.saturating_sub(told_ms) >= TOLD_EVERY_MS).then_some(now_ms)
            });
        if told.is_ok() {
            tracing::warn!(target: "platforms::waiting", "{}", word());
        }
    }

    /// One try. The outer error is final; the inner one is the wire's.
    async fn once(
        &self,
        call: &Call,
    ) -> Result<(Option<HeaderValue>, Result<Answer, TransportError>), CallError> {
        let limit = call.limit.as_ref().unwrap_or(&self.limit);
        let token = self.turn(limit, call).await?;
        let body = (call.body)().await.map_err(|error| CallError::Malformed {
            what: call.what(),
            why: format!("our own file: {error}"),
        })?;
        let mut request = http::Request::new(body);
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = uri(&call.url)?;
        *request.headers_mut() = call.headers.clone();
        if let Some(token) = &token {
            request
                .headers_mut()
                .insert(header::AUTHORIZATION, token.clone());
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
        let Auth::Token(tokens) = &self.auth else {
            return;
        };
        let mut held = tokens.held();
        if held.as_ref().map(|token| &token.value) == refused {
            *held = None;
        }
    }

    async fn send(&self, mut request: http::Request<Body>) -> Result<Answer, TransportError> {
        request.headers_mut().insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        );
        self.counts.requests.fetch_add(1, Ordering::Relaxed);
        // The head comes after the whole body was sent: a large upload on a slow line has its time.
        let length = match request.body() {
            Body::Full(bytes) => bytes.len() as u64,
            Body::Stream { length, .. } => length.unwrap_or(0),
        };
        let limit = ANSWER_TIMEOUT + Duration::from_secs(length / SLOWEST_UPLOAD);
        let sent = self
            .clock
            .timeout(limit, self.transport.send(request))
            .await;
        let late = || {
            TransportError::new(
                Failure::Broken,
                format!("no answer within {} s", limit.as_secs()),
            )
        };
        let (mut parts, body) = sent.ok_or_else(late)??.into_parts();
        let (coded, body) = content_coding::undo(&mut parts.headers, body);
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            coded,
            body,
        })
    }

    /// Waits for a call's turn. What its `Authorization` header says; `None` where it has none.
    async fn turn(&self, limit: &Limit, call: &Call) -> Result<Option<HeaderValue>, CallError> {
        loop {
            match self.transport.budget() {
                Some(budget) => {
                    let host = host(&call.url);
                    limit.shared_turn(&self.clock, budget, &host).await;
                }
                None => limit.turn(&self.clock).await,
            }
            match &self.auth {
                _ if !call.token => return Ok(None),
                Auth::Basic(value) => {
                    return Ok(Some(value.clone().ok_or_else(|| no_header(call.what()))?));
                }
                // Asked only now, for in the time of waiting a token may be refused to another
                // call, or run out. While one is fetched, a hold may begin.
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

    /// The token at present, fetched where there is none. `None`: another call has just fetched it,
    /// and those that waited for it take a new turn each; all of them going at once would be a
    /// burst.
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
        let account = basic(&credentials.client_id, &credentials.client_secret)
            .ok_or_else(|| no_header(what.clone()))?;
        let (mut failed, mut waited) = (0, Duration::ZERO);
        loop {
            let mut request = http::Request::new(Body::Full(Bytes::from_static(
                b"grant_type=client_credentials",
            )));
            *request.method_mut() = Method::POST;
            *request.uri_mut() = uri(url)?;
            let headers = request.headers_mut();
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/x-www-form-urlencoded"),
            );
            headers.insert(header::AUTHORIZATION, account.clone());
            let (why, wait) = match self.send(request).await {
                Ok(answer) if answer.status == StatusCode::OK => {
                    match answer.bytes(ERROR_MOST, &self.clock).await {
                        Ok(bytes) => return token_of(what, &bytes, &self.clock),
                        // Cut on its way: the next one may be whole.
                        Err(error) => match final_failure(&what, url, error) {
                            Ok(error) => return Err(error),
                            Err(why) => (why, None),
                        },
                    }
                }
                Ok(answer)
                    if answer.status == StatusCode::TOO_MANY_REQUESTS
                        || is_passing(answer.status) =>
                {
                    (
                        answer.status.to_string(),
                        self.asked(&what, &answer, &mut waited)?,
                    )
                }
                Ok(answer) if answer.status.is_redirection() => {
                    return Err(CallError::Redirected {
                        what,
                        status: answer.status.as_u16(),
                        to: leads_to(url, &answer),
                    });
                }
                Ok(answer) => {
                    return Err(CallError::Unauthorized {
                        what: what.clone(),
                        why: describe(&refusal(what, answer, &self.clock).await),
                    });
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
                return Err(CallError::Unreachable {
                    what,
                    why,
                    tries: failed,
                    answered: None,
                });
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
        self.transport.retrying(&Retry {
            host: &host(url),
            tries,
            of,
            why,
        });
    }

    /// Waits before the next try of what failed so often.
    pub(crate) async fn wait(&self, key: &str, failed: u32) {
        self.counts.retries.fetch_add(1, Ordering::Relaxed);
        self.clock.sleep(backoff(failed, key)).await;
    }

    /// Takes over the limit that the platform announces in a header, where it allows less than the
    /// plan.
    fn learn(&self, limit: &Arc<Limit>, headers: &HeaderMap) {
        let Some(name) = self.limit_header else {
            return;
        };
        let allowed = headers
            .get(name)
            .and_then(|value| value.to_str().ok()?.parse().ok());
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
        arrival
            .announced(length)
            .map_err(|error| body_failure(&what, &url, error))?;
        let pieces = answer.body.into_stream();
        let stream = futures_util::stream::try_unfold(
            (pieces, arrival),
            move |(mut pieces, mut arrival)| {
                let (what, url) = (what.clone(), url.clone());
                async move {
                    let piece = arrival
                        .piece(&mut pieces)
                        .await
                        .map_err(|error| body_failure(&what, &url, error))?;
                    Ok(piece.map(|piece| (piece, (pieces, arrival))))
                }
            },
        );
        Ok(Media {
            headers,
            length,
            stream: stream.boxed(),
        })
    }

    /// A call whose answer is JSON.
    pub(crate) async fn json<T: serde::de::DeserializeOwned>(
        &self,
        call: &Call,
    ) -> Result<T, CallError> {
        let (bytes, _) = self.bytes(call).await?;
        parse(&call.what(), &bytes)
    }

    /// A call whose answer is read whole; an answer cut in its body is asked for again where that
    /// is safe.
    pub(crate) async fn bytes(&self, call: &Call) -> Result<(Bytes, Answer), CallError> {
        let mut failed = 0;
        loop {
            let answer = self.call(call).await?;
            let head = Answer {
                status: answer.status,
                headers: answer.headers.clone(),
                coded: answer.coded,
                body: Body::empty(),
            };
            let error = match answer.bytes(call.most, &self.clock).await {
                Ok(bytes) => return Ok((bytes, head)),
                Err(error) => error,
            };
            if call.repeat == Repeat::LookFirst {
                return Err(CallError::OutcomeUnknown {
                    what: call.what(),
                    why: error.why,
                });
            }
            let why = match final_failure(&call.what(), &call.url, error) {
                Ok(error) => return Err(error),
                Err(why) => why,
            };
            failed += 1;
            if failed >= TRIES {
                return Err(CallError::Unreachable {
                    what: call.what(),
                    why,
                    tries: failed,
                    answered: Some(head.status.as_u16()),
                });
            }
            self.wait(&call.key, failed).await;
        }
    }
}

/// What a platform asks for, in words.
fn asked_to_wait(wait: Duration) -> String {
    format!("asked to wait {} s", wait.as_secs())
}
