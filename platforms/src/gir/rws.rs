//! Recording Web Services, by the ops account. Source: Insertion API; Recording Access; CSRF
//! Protection 8.5.2.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::wire::{Label, Recording};
use crate::clock::Clock;
use crate::error::CallError;
use crate::net::auth::Account;
use crate::net::call::{Call, Repeat};
use crate::net::failure::parse;
use crate::net::rate_limit::Limit;
use crate::net::session::{Counts, Session};
use crate::net::transport::Transport;

/// How to reach a node of RWS.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Root of the service.
    pub rws_url: Url,
    /// Id of the contact centre.
    pub contact_center_id: String,
    /// Ops account.
    pub account: Account,
    /// Most requests a minute. RWS publishes no limit: the rate rises up to this while answers stay
    /// quick.
    pub requests_per_minute: u32,
}

/// A client of one node.
pub struct RwsClient {
    session: Session,
    root: Url,
    contact_center: String,
    /// What the session wants back with every POST, PUT and DELETE.
    csrf: tokio::sync::Mutex<Option<Arc<Csrf>>>,
}

/// A session's token. Source: CSRF Protection 8.5.2.
struct Csrf {
    /// Absent: protection is off.
    token: Option<(HeaderName, HeaderValue)>,
    cookie: Option<HeaderValue>,
}

/// Ids of a search, as the addresses in `uris` end.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Ids.
    pub ids: Vec<String>,
    /// Where the next page begins. Absent: there is none, or the node does not say.
    pub next_offset: Option<u64>,
}

#[derive(Deserialize)]
struct One {
    recording: Recording,
}

#[derive(Deserialize)]
struct Uris {
    #[serde(default)]
    uris: Vec<String>,
    #[serde(default)]
    paging: Paging,
}

#[derive(Deserialize, Default)]
struct Paging {
    next: Option<String>,
}

#[derive(Deserialize)]
struct Labels {
    #[serde(default)]
    labels: Vec<Label>,
}

#[derive(Deserialize)]
struct Done {
    #[serde(rename = "statusCode")]
    status_code: i64,
    #[serde(rename = "statusMessage")]
    status_message: Option<String>,
}

impl RwsClient {
    /// Sends nothing yet.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, clock: Clock, settings: Settings) -> RwsClient {
        let limit = Limit::rising(settings.requests_per_minute, Duration::from_secs(60));
        let session = Session::basic(transport, clock, &settings.account, limit);
        RwsClient {
            session,
            root: settings.rws_url,
            contact_center: settings.contact_center_id,
            csrf: tokio::sync::Mutex::default(),
        }
    }

    /// What this client has sent.
    #[must_use]
    pub fn counts(&self) -> Arc<Counts> {
        self.session.counts.clone()
    }

    /// Inserts a recording. A known id is not refused but merged, so this is never repeated by
    /// itself.
    ///
    /// # Errors
    ///
    /// The server refuses, be it by a status code other than 0 in a 200, or does not answer as
    /// expected ([`CallError`]). An unknown outcome comes back as [`CallError::OutcomeUnknown`].
    pub async fn insert(&self, recording: &Recording) -> Result<(), CallError> {
        let url = self.url(&[
            "internal-api",
            "contact-centers",
            &self.contact_center,
            "recordings",
        ])?;
        let mut call = Call::json(Method::POST, url, Repeat::LookFirst, DONE, recording)?;
        call.key.clone_from(&recording.id);
        self.change(call).await
    }

    /// A recording by its id; `None` where this node shows none, which is no proof of absence: one
    /// of another region is not shown.
    ///
    /// # Errors
    ///
    /// The platform refuses otherwise than by 404, does not answer, or answers what is not the JSON
    /// expected ([`CallError`]).
    pub async fn recording(&self, id: &str) -> Result<Option<Recording>, CallError> {
        let call = Call::get(self.ops(&["recordings", id])?);
        match self.session.json::<One>(&call).await {
            Ok(one) => Ok(Some(one.recording)),
            Err(CallError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Ids of recordings that begin in a window, both ISO times, the second exclusive. At most 100
    /// a page.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn search(&self, from: &str, until: &str, offset: u64) -> Result<Page, CallError> {
        let mut url = self.ops(&["recordings"])?;
        url.query_pairs_mut()
            .append_pair("startTime", from)
            .append_pair("stopTime", until);
        if offset > 0 {
            url.query_pairs_mut()
                .append_pair("offset", &offset.to_string());
        }
        let answer: Uris = self.session.json(&Call::get(url)).await?;
        let ids = answer
            .uris
            .iter()
            .filter_map(|uri| last_step(uri))
            .collect();
        let next_offset = answer.paging.next.as_deref().and_then(offset_of);
        Ok(Page { ids, next_offset })
    }

    /// Deletes a recording of this service; whether there was one.
    ///
    /// # Errors
    ///
    /// The server refuses otherwise than by 404, be it by a status code other than 0 in a 200, or
    /// does not answer as expected ([`CallError`]).
    pub async fn delete(&self, id: &str) -> Result<bool, CallError> {
        match self
            .change(Call::bodiless(
                Method::DELETE,
                self.ops(&["recordings", id])?,
                DONE,
            ))
            .await
        {
            Ok(()) => Ok(true),
            Err(CallError::Refused { status: 404, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Defines a label; one that is defined already is as good.
    ///
    /// # Errors
    ///
    /// The server refuses otherwise than by 409, be it by a status code other than 0 in a 200, or
    /// does not answer as expected ([`CallError`]).
    pub async fn define_label(&self, name: &str, description: &str) -> Result<(), CallError> {
        let body = json!({"name": name, "displayName": name, "description": description});
        let url = self.url(&["api", "v2", "recording-label-definitions"])?;
        match self
            .change(Call::json(Method::POST, url, Repeat::Safe, DONE, &body)?)
            .await
        {
            Err(CallError::Refused { status: 409, .. }) => Ok(()),
            other => other,
        }
    }

    /// Puts labels on a recording; the same twice is the same as once.
    ///
    /// # Errors
    ///
    /// The server refuses, be it by a status code other than 0 in a 200, or does not answer as
    /// expected ([`CallError`]).
    pub async fn add_labels(&self, id: &str, names: &[String]) -> Result<(), CallError> {
        let labels: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
        let url = self.url(&["api", "v2", "recordings", id, "labels"])?;
        self.change(Call::json(
            Method::POST,
            url,
            Repeat::Safe,
            DONE,
            &json!({"labels": labels}),
        )?)
        .await
    }

    /// Names of a recording's labels; `None` where this node shows no such recording.
    ///
    /// # Errors
    ///
    /// The platform refuses otherwise than by 404, does not answer, or answers what is not the JSON
    /// expected ([`CallError`]).
    pub async fn labels(&self, id: &str) -> Result<Option<Vec<String>>, CallError> {
        let url = self.url(&["api", "v2", "recordings", id, "labels"])?;
        match self.session.json::<Labels>(&Call::get(url)).await {
            Ok(told) => Ok(Some(
                told.labels.into_iter().map(|label| label.name).collect(),
            )),
            Err(CallError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Tags a recording for non-deletion; the same twice is the same as once.
    ///
    /// # Errors
    ///
    /// The server refuses, be it by a status code other than 0 in a 200, or does not answer as
    /// expected ([`CallError`]).
    pub async fn apply_non_delete(&self, id: &str) -> Result<(), CallError> {
        let url = self.url(&["api", "v2", "recordings", id])?;
        self.change(Call::json(
            Method::POST,
            url,
            Repeat::Safe,
            DONE,
            &json!({"operationName": "applyNonDelete"}),
        )?)
        .await
    }

    /// Ids of the contact centres. Hosts in the answer may be unreachable from here, so only the
    /// last step counts.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn contact_centers(&self) -> Result<Vec<String>, CallError> {
        let url = self.url(&["api", "v2", "ops", "contact-centers"])?;
        let answer: Uris = self.session.json(&Call::get(url)).await?;
        Ok(answer
            .uris
            .iter()
            .filter_map(|uri| last_step(uri))
            .collect())
    }

    /// A POST, PUT or DELETE with the session's token; a session that has run out is begun anew,
    /// once.
    async fn change(&self, mut call: Call) -> Result<(), CallError> {
        let mut renewed = false;
        loop {
            let csrf = self.csrf().await?;
            csrf.put_on(&mut call.headers);
            match self.session.bytes(&call).await {
                Ok((bytes, _)) => return done(&call, &bytes),
                Err(CallError::Refused {
                    status: 403,
                    message,
                    ..
                }) if is_csrf(&message) && !renewed => {
                    renewed = true;
                    self.forget(&csrf).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The session's token, fetched once for all that wait for it.
    async fn csrf(&self) -> Result<Arc<Csrf>, CallError> {
        let mut held = self.csrf.lock().await;
        if let Some(csrf) = held.as_ref() {
            return Ok(csrf.clone());
        }
        let mut call = Call::get(self.url(&["api", "v2", "diagnostics", "version"])?);
        call.token = false;
        let (_, answer) = self.session.bytes(&call).await?;
        let csrf = Arc::new(Csrf::of(&answer.headers));
        *held = Some(csrf.clone());
        Ok(csrf)
    }

    /// Forgets a session, unless another worker has begun a new one already.
    async fn forget(&self, refused: &Arc<Csrf>) {
        let mut held = self.csrf.lock().await;
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, refused)) {
            *held = None;
        }
    }

    fn ops(&self, steps: &[&str]) -> Result<Url, CallError> {
        let mut path = vec!["api", "v2", "ops", "contact-centers", &self.contact_center];
        path.extend_from_slice(steps);
        self.url(&path)
    }

    fn url(&self, steps: &[&str]) -> Result<Url, CallError> {
        crate::net::path::below(&self.root, steps)
    }
}

impl Csrf {
    /// Source: CSRF Protection 8.5.2: one header names the header to send, another has its value;
    /// the cookie is JSESSIONID.
    fn of(headers: &HeaderMap) -> Csrf {
        let name = headers
            .get("x-csrf-header")
            .and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok());
        let token = name.zip(headers.get("x-csrf-token").cloned());
        let cookies = headers
            .get_all(header::SET_COOKIE)
            .iter()
            .filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
        let cookie = cookies
            .map(str::trim)
            .find(|cookie| cookie.starts_with("JSESSIONID="));
        Csrf {
            token,
            cookie: cookie.and_then(|cookie| HeaderValue::from_str(cookie).ok()),
        }
    }

    fn put_on(&self, headers: &mut HeaderMap) {
        if let Some((name, value)) = &self.token {
            headers.insert(name.clone(), value.clone());
        }
        match &self.cookie {
            Some(cookie) => _ = headers.insert(header::COOKIE, cookie.clone()),
            None => _ = headers.remove(header::COOKIE),
        }
    }
}

fn is_csrf(message: &str) -> bool {
    message.to_ascii_lowercase().contains("csrf")
}

/// What a write is answered with: 200, and 201 where it makes something. Source: Insertion API;
/// Return Values 8.5.2.
const DONE: &[u16] = &[200, 201];

/// 200 with a status code other than 0 is a refusal. Source: Return Values 8.5.2.
fn done(call: &Call, bytes: &[u8]) -> Result<(), CallError> {
    let what = format!("{} {}", call.method, call.url.path());
    let answer: Done = parse(&what, bytes)?;
    if answer.status_code == 0 {
        return Ok(());
    }
    let message =
        crate::net::refusal::redact_phone_numbers(&answer.status_message.unwrap_or_default());
    Err(CallError::Refused {
        what,
        status: 200,
        code: answer.status_code.to_string(),
        message,
        entity_id: None,
        field: None,
    })
}

/// The last step of an address's path, decoded.
fn last_step(uri: &str) -> Option<String> {
    let step = uri
        .split(['?', '#'])
        .next()?
        .trim_end_matches('/')
        .rsplit('/')
        .next()?;
    Some(
        percent_encoding::percent_decode_str(step)
            .decode_utf8()
            .ok()?
            .into_owned(),
    )
}

fn offset_of(uri: &str) -> Option<u64> {
    let query = uri.split_once('?')?.1;
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "offset")?
        .1
        .parse()
        .ok()
}
