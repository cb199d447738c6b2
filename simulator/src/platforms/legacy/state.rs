//! What the legacy source knows and answers; no HTTP routing.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hex::FromHex as _;
use http::request::Parts;
use http::{HeaderMap, Method, header};
use parking_lot::RwLock;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde::Serialize;
use serde_json::value::RawValue;

use super::auth::{Auth, Denied};
use super::{LegacySettings, corrupt_json, rules, wire};
use crate::http::ranges;
use crate::http::reply::Reply;
use crate::http::request_context;
use crate::operations::Operation;
use crate::pipeline::request::Admission;
use crate::pipeline::{Core, Endpoint, Refusal};
use crate::world::{DomainKind, Interaction, Media, Recording, World};

/// Most entities on a page (`size` 1..1000).
pub(super) const MAX_PAGE: u64 = 1000;

/// Entities on a page when `size` is left out.
const USUAL_PAGE: u64 = 100;

/// The media's name under one port for all platforms.
const MEDIA_HOST: &str = "media.legacy.seatrial.test";

/// What is escaped in a path segment: all but RFC 3986's unreserved characters.
const IN_PATH: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The legacy source.
pub(crate) struct Legacy {
    pub(super) core: Arc<Core>,
    pub(super) auth: Auth,
    pub(super) world: Arc<World>,
    settings: LegacySettings,
    /// Where pre-signed URLs lead: another listener.
    pub(super) media_url: RwLock<String>,
    /// Calls that are not listed, by their ids: not recorded yet, or erased.
    withheld: RwLock<BTreeSet<u64>>,
}

/// Query parameters as sent.
pub(super) type Query = HashMap<String, String>;

impl Legacy {
    pub(crate) fn new(core: Arc<Core>, world: Arc<World>, settings: LegacySettings) -> Arc<Legacy> {
        let auth = Auth::new(core.seed, &settings);
        Arc::new(Legacy {
            core,
            auth,
            world,
            settings,
            media_url: RwLock::default(),
            withheld: RwLock::default(),
        })
    }

    /// From now on these calls are not listed, and all others are.
    pub(crate) fn withhold(&self, calls: BTreeSet<u64>) {
        *self.withheld.write() = calls;
    }

    /// Client id and secret.
    pub(crate) fn credentials(&self) -> (&str, &str) {
        (&self.auth.client_id, &self.auth.client_secret)
    }

    pub(super) fn token(&self, headers: &HeaderMap, form: &Query) -> Reply {
        self.core.exercised.mark(&rules::CLIENT_CREDENTIALS);
        if !self.auth.knows(headers, form) {
            return Reply::json(
                401,
                &wire::TokenError {
                    error: "invalid_client",
                    error_description: "authentication failed",
                },
            );
        }
        if form.get("grant_type").map(String::as_str) != Some("client_credentials") {
            return Reply::json(
                400,
                &wire::TokenError {
                    error: "unsupported_grant_type",
                    error_description: "only client_credentials",
                },
            );
        }
        let access_token = self.auth.issue(self.core.clock.now_ms());
        request_context::record_token_ttl(self.settings.token_seconds);
        let scope = self.auth.scopes.join(" ");
        let token = wire::Token {
            access_token: &access_token,
            token_type: "bearer",
            expires_in: self.settings.token_seconds,
            scope: &scope,
        };
        Reply::json(200, &token).with_header(header::CACHE_CONTROL, "no-store")
    }

    /// Notes that a parameter which an operation does not have is passed over.
    pub(super) fn note_unknown(&self, operation: &Operation, query: &Query) {
        if query
            .keys()
            .any(|name| !operation.query.contains(&name.as_str()))
        {
            self.core.exercised.mark(&rules::UNKNOWN_PARAMETER);
        }
    }

    pub(super) fn interactions(&self, query: &Query) -> Reply {
        self.core.exercised.mark(&rules::QUERY);
        let page = match Page::read(query) {
            Ok(page) => page,
            Err(reason) => {
                self.core.exercised.mark(&rules::PAGE_SIZE);
                return error(400, "invalid_request", &reason);
            }
        };
        if page.from_ms.is_some() || page.to_ms.is_some() {
            self.core.exercised.mark(&rules::WINDOW);
        }
        let (count, most) = (self.world.count(), page.size.min(self.settings.page_max));
        // What the last page held and is listed once more stands on this one. Nothing is
        // remembered: the cursor says where that page began.
        let mut entities: Vec<Entity> = (page.again..page.offset)
            .filter_map(|at| self.again(at, &page))
            .collect();
        let (mut at, mut has_repeats) = (page.offset, false);
        while at < count && (entities.len() as u64) < most {
            if page.holds(|| self.world.stated_start_ms(at)) {
                has_repeats |= self
                    .world
                    .planted(at)
                    .is_some_and(|planted| is_listed_again(planted.kind));
                let call = self.world.interaction(at);
                if !self.withheld.read().contains(&call.id) {
                    entities.push(Entity::of(call));
                }
            }
            at += 1;
        }
        let next = (at < count || has_repeats)
            .then(|| cursor(at, if has_repeats { page.offset } else { at }));
        Reply::json(200, &wire::Page::new(entities, next))
    }

    /// The second listing of a call, where it has one.
    fn again(&self, at: u64, page: &Page) -> Option<Entity> {
        let planted = self
            .world
            .planted(at)
            .filter(|planted| is_listed_again(planted.kind))?;
        page.holds(|| self.world.stated_start_ms(at))
            .then(|| self.world.interaction(at))
            .map(|call| match planted.kind {
                DomainKind::IdCollision => Entity::Odd(corrupt_json::namesake(to_value(
                    &wire::Interaction::from(call),
                ))),
                _ => Entity::of(call),
            })
    }

    pub(super) fn users(&self, query: &Query) -> Reply {
        self.listing(query, self.world.agents(), show_user)
    }

    pub(super) fn queues(&self, query: &Query) -> Reply {
        self.listing(query, self.world.queues(), |queue| wire::Queue {
            id: &queue.id,
            name: &queue.name,
        })
    }

    fn listing<'a, T, W: Serialize>(
        &self,
        query: &Query,
        all: &'a [T],
        show: impl Fn(&'a T) -> W,
    ) -> Reply {
        self.core.exercised.mark(&rules::DIRECTORY);
        match Page::read(query) {
            Ok(page) => {
                let from = usize::try_from(page.offset)
                    .unwrap_or(usize::MAX)
                    .min(all.len());
                let to = from.saturating_add(page.size as usize).min(all.len());
                let next = (to < all.len()).then(|| cursor(to as u64, to as u64));
                Reply::json(
                    200,
                    &wire::Page::new(all[from..to].iter().map(show).collect(), next),
                )
            }
            Err(reason) => error(400, "invalid_request", &reason),
        }
    }

    pub(super) async fn recording(self: &Arc<Self>, id: &str) -> Reply {
        self.core.exercised.mark(&rules::RECORDING);
        let Some(recording) = self
            .world
            .recording(id)
            .filter(|recording| !is(recording, DomainKind::RecordingGone))
        else {
            return missing(id);
        };
        if let Some(bytes) = self.world.media_length(&recording) {
            return described(recording, bytes);
        }
        match self.found(id).await {
            Ok((recording, media)) => described(recording, media.bytes.len() as u64),
            Err(reply) => *reply,
        }
    }

    /// Media itself, or a redirect to where it lies.
    pub(super) async fn media(
        self: &Arc<Self>,
        id: &str,
        method: &Method,
        headers: &HeaderMap,
    ) -> Reply {
        let recording = self.world.recording(id);
        if recording
            .as_ref()
            .is_some_and(|recording| is(recording, DomainKind::MediaGone))
        {
            return missing(id);
        }
        if self.redirects(id) && recording.is_some() {
            self.core.exercised.mark(&rules::REDIRECT);
            let expires_s = self.core.clock.now_ms() / 1000
                + i64::try_from(self.settings.presigned_seconds).unwrap_or(i64::MAX / 4);
            let base = match request_context::origin() {
                Some(origin) => origin.beside(MEDIA_HOST),
                None => self.media_url.read().clone(),
            };
            let path = in_path(id);
            let location = format!(
                "{base}/presigned/{path}?expires={expires_s}&signature={}",
                self.auth.sign(id, expires_s)
            );
            return Reply::empty(302).with_header(header::LOCATION, location);
        }
        self.bytes(id, method, headers).await
    }

    /// Media under a pre-signed URL: a right signature in time, and no token.
    pub(super) async fn presigned(
        self: &Arc<Self>,
        id: &str,
        query: &Query,
        method: &Method,
        headers: &HeaderMap,
    ) -> Reply {
        self.core.exercised.mark(&rules::REDIRECT);
        if headers.contains_key(header::AUTHORIZATION) {
            return error(
                400,
                "unexpected_authorization",
                "a pre-signed url takes no authorization header; send none to this host",
            );
        }
        let expires_s = query
            .get("expires")
            .and_then(|text| text.parse::<i64>().ok());
        let signed = expires_s.is_some_and(|expires_s| {
            query.get("signature") == Some(&self.auth.sign(id, expires_s))
        });
        if !signed {
            return error(
                403,
                "signature_mismatch",
                "the signature does not fit this url",
            );
        }
        if expires_s
            .is_some_and(|expires_s| self.core.clock.now_ms() >= expires_s.saturating_mul(1000))
        {
            return error(
                403,
                "url_expired",
                "the url has expired; ask for the media again",
            );
        }
        self.bytes(id, method, headers).await
    }

    async fn bytes(self: &Arc<Self>, id: &str, method: &Method, headers: &HeaderMap) -> Reply {
        self.core.exercised.mark(&rules::RANGES);
        match self.found(id).await {
            Ok((recording, media)) => {
                let mut reply = ranges::reply(
                    method,
                    headers,
                    &media.bytes,
                    &media.etag(),
                    &recording.content_type,
                );
                reply.digest = <[u8; 32]>::from_hex(&media.sha256)
                    .ok()
                    .filter(|_| reply.status == 200);
                reply
            }
            Err(reply) => *reply,
        }
    }

    fn redirects(&self, id: &str) -> bool {
        self.core
            .seed
            .child("legacy/redirect")
            .child(id)
            .chance(self.settings.redirect_share)
    }

    /// A recording with its bytes. Making sound takes milliseconds to seconds, so it is done beside
    /// the runtime.
    async fn found(self: &Arc<Self>, id: &str) -> Result<(Recording, Arc<Media>), Box<Reply>> {
        let recording = self
            .world
            .recording(id)
            .ok_or_else(|| Box::new(missing(id)))?;
        if let Some(media) = self.world.made_media(&recording) {
            return Ok((recording, media));
        }
        let world = self.world.clone();
        let made = self.core.clock.blocking(move || {
            let media = world.media(&recording);
            media.map(|media| (recording, media))
        });
        match made.await {
            Some(Ok(found)) => Ok(found),
            Some(Err(reason)) => {
                tracing::error!(%reason, "the source has no bytes for a recording");
                Err(Box::new(error(
                    500,
                    "internal_error",
                    "the media cannot be read",
                )))
            }
            None => Err(Box::new(error(
                500,
                "internal_error",
                "the media could not be made",
            ))),
        }
    }
}

impl Admission for Legacy {
    type Authorized = ();
    type Error = Box<Reply>;
    type Headers = ();

    fn core(&self) -> &Core {
        &self.core
    }

    fn authorize(
        &self,
        operation: &'static Operation,
        head: &Parts,
    ) -> ((), Result<(), Box<Reply>>) {
        self.core.exercised.mark(&rules::SCOPES);
        let denied = match self
            .auth
            .admit(&head.headers, operation.needs, self.core.clock.now_ms())
        {
            Ok(()) => return ((), Ok(())),
            Err(denied) => denied,
        };
        let refusal = match denied {
            Denied::Token { expired } => {
                if expired {
                    self.core.exercised.mark(&rules::TOKEN_LIFE);
                }
                self.refuse(&Refusal::TokenExpired)
            }
            Denied::Scope(scope) => {
                self.core.exercised.mark(&rules::SCOPE_STATUS);
                error(403, "insufficient_scope", &format!("{scope} is required"))
            }
            Denied::Rate { retry_after_s } => {
                self.core.exercised.mark(&rules::RATE);
                request_context::record_token_limit();
                self.refuse(&Refusal::TooManyRequests {
                    retry_after_s: Some(retry_after_s),
                })
            }
        };
        ((), Err(Box::new(refusal)))
    }

    fn reply(error: Box<Reply>) -> Reply {
        *error
    }

    fn key_of_rejected<'a>(&self, key: &'a str) -> &'a str {
        key
    }
}

impl Endpoint for Legacy {
    fn name(&self) -> &'static str {
        super::NAME
    }

    fn refuse(&self, refusal: &Refusal) -> Reply {
        match refusal {
            Refusal::TooManyRequests {
                retry_after_s: Some(seconds),
            } => {
                let message = format!("retry in {seconds} seconds");
                error(429, "too_many_requests", &message)
                    .with_header(header::RETRY_AFTER, seconds.to_string())
            }
            Refusal::TooManyRequests {
                retry_after_s: None,
            } => error(429, "too_many_requests", "retry later"),
            Refusal::Server(status) => {
                error(*status, "internal_error", "the source failed; try again")
            }
            Refusal::TokenExpired => {
                error(401, "invalid_token", "token is missing, unknown or expired")
            }
            Refusal::BadRequest => error(400, "invalid_request", "the request is malformed"),
            Refusal::NotFound => error(404, "not_found", "there is nothing here"),
            Refusal::Conflict => error(409, "conflict", "the request conflicts with what exists"),
            Refusal::TooLarge => error(413, "too_large", "the body is too large"),
            Refusal::UnsupportedMedia => error(
                415,
                "unsupported_media_type",
                "the content type is not supported",
            ),
            Refusal::Forbidden => error(403, "forbidden", "this is not allowed"),
        }
    }
}

/// A text as one step of a path.
pub(super) fn in_path(text: &str) -> impl std::fmt::Display + '_ {
    percent_encoding::utf8_percent_encode(text, &IN_PATH)
}

fn show_user(agent: &crate::world::Agent) -> wire::User<'_> {
    wire::User {
        id: &agent.id,
        name: &agent.name,
        extension: &agent.extension,
        active: agent.active,
    }
}

pub(super) fn error(status: u16, error: &str, message: &str) -> Reply {
    Reply::json(status, &wire::ApiError { error, message })
}

fn missing(id: &str) -> Reply {
    error(404, "not_found", &format!("recording {id} does not exist"))
}

fn is(recording: &Recording, kind: DomainKind) -> bool {
    recording
        .planted
        .is_some_and(|planted| planted.kind == kind)
}

fn is_listed_again(kind: DomainKind) -> bool {
    matches!(
        kind,
        DomainKind::DuplicateOnNextPage | DomainKind::IdCollision
    )
}

/// An interaction as it is listed.
#[derive(Serialize)]
#[serde(untagged)]
enum Entity {
    Plain(Box<wire::Interaction>),
    Odd(Box<RawValue>),
}

impl Entity {
    fn of(call: Interaction) -> Entity {
        let (planted, id_text) = (call.planted, call.id_text());
        let listed = wire::Interaction::from(call);
        match planted {
            None => Entity::Plain(Box::new(listed)),
            Some(planted) => Entity::Odd(corrupt_json::interaction(
                to_value(&listed),
                &id_text,
                planted,
            )),
        }
    }
}

/// A recording's own answer.
fn described(recording: Recording, bytes: u64) -> Reply {
    let (planted, id_text) = (recording.planted, recording.interaction_id_text());
    let answer = wire::Recording::of(recording, Some(bytes));
    match planted {
        None => Reply::json(200, &answer),
        Some(planted) => Reply::json(
            200,
            &corrupt_json::recording(to_value(&answer), &id_text, planted),
        ),
    }
}

fn to_value(answer: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(answer).unwrap_or_default()
}

/// A cursor is where the next page starts, and from where on calls may be listed again; clients
/// must not read it.
fn cursor(offset: u64, again: u64) -> String {
    let again = if again < offset {
        format!(":{again}")
    } else {
        String::new()
    };
    URL_SAFE_NO_PAD.encode(format!("offset:{offset}{again}"))
}

/// A page as asked for.
struct Page {
    offset: u64,
    /// The last page began here; equal to `offset` where nothing of it is listed again.
    again: u64,
    size: u64,
    from_ms: Option<i64>,
    to_ms: Option<i64>,
}

impl Page {
    fn read(query: &Query) -> Result<Page, String> {
        let size = match query.get("size") {
            None => USUAL_PAGE,
            Some(text) => text
                .parse()
                .ok()
                .filter(|size| (1..=MAX_PAGE).contains(size))
                .ok_or(format!("size must be 1..{MAX_PAGE}"))?,
        };
        let (offset, again) = match query.get("cursor").filter(|text| !text.is_empty()) {
            None => (0, 0),
            Some(text) => places(text).ok_or("cursor is not one this source gave out")?,
        };
        if query.get("view").is_some_and(|view| view != "default") {
            return Err("view must be default".to_owned());
        }
        let ms = |name: &str| match query.get(name) {
            None => Ok(None),
            Some(text) => text
                .parse::<i64>()
                .map(Some)
                .map_err(|_| format!("{name} must be unix milliseconds")),
        };
        Ok(Page {
            offset,
            again,
            size,
            from_ms: ms("from")?,
            to_ms: ms("to")?,
        })
    }

    /// Whether a start lies in the window; it is only worked out where there is one.
    fn holds(&self, start_ms: impl FnOnce() -> i64) -> bool {
        if self.from_ms.is_none() && self.to_ms.is_none() {
            return true;
        }
        let start_ms = start_ms();
        self.from_ms.is_none_or(|from| start_ms >= from)
            && self.to_ms.is_none_or(|to| start_ms < to)
    }
}

fn places(cursor: &str) -> Option<(u64, u64)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let places = text.strip_prefix("offset:")?;
    let (offset, again) = places.split_once(':').unwrap_or((places, places));
    let (offset, again) = (offset.parse().ok()?, again.parse().ok()?);
    (again <= offset && offset - again <= MAX_PAGE).then_some((offset, again))
}
