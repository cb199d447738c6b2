//! The source's endpoints, one method each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderMap, HeaderValue, header};
use serde_json::value::RawValue;
use url::Url;

use crate::clock::Clock;
use crate::error::CallError;
use crate::legacy::address;
use crate::legacy::listing::{self, Listing};
use crate::legacy::wire;
use crate::legacy::wire::Unreadable;
use crate::net::answer::{Answer, Media};
use crate::net::auth::Credentials;
use crate::net::call::Call;
use crate::net::failure::{host, parse};
use crate::net::pages::Pages;
use crate::net::rate_limit::Limit;
use crate::net::resume::{self, Open};
use crate::net::session::{Counts, Session};
use crate::net::transport::Transport;

/// How to reach a source.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Root of the API; tokens come from `/oauth/token` under it.
    pub base_url: Url,
    /// Hosts besides it from which media may be fetched, `host` or `host:port`.
    pub media_hosts: Vec<String>,
    /// OAuth client.
    pub credentials: Credentials,
    /// Requests a minute. The source's own refusals lower it.
    pub requests_per_minute: u32,
}

/// Which page of interactions.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// As the last page gave it. Absent: the first page.
    pub cursor: Option<String>,
    /// Interactions a page, 1..1000.
    pub size: u32,
    /// Inclusive bound on the start as the source states it. Unix milliseconds.
    pub from_ms: Option<i64>,
    /// Exclusive bound. Unix milliseconds.
    pub to_ms: Option<i64>,
}

/// A page of interactions, each verbatim.
#[derive(Debug)]
pub struct InteractionPage {
    /// The entities, byte for byte.
    pub entities: Vec<Box<RawValue>>,
    /// Where to go on. Absent: this was the last page.
    pub next_cursor: Option<String>,
    /// Headers of the answer.
    pub headers: BTreeMap<String, String>,
}

/// A recording's answer, verbatim.
#[derive(Debug)]
pub struct RecordingAnswer {
    /// The body, byte for byte.
    pub body: Box<RawValue>,
    /// Headers of the answer.
    pub headers: BTreeMap<String, String>,
}

/// A client of one source.
pub struct Client {
    session: Arc<Session>,
    settings: Settings,
}

impl Client {
    /// Sends nothing yet. `None` where `base_url` cannot carry a path.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, clock: Clock, settings: Settings) -> Option<Client> {
        let token_url = settings.base_url.join("/oauth/token").ok()?;
        let limit = Limit::new(settings.requests_per_minute, Duration::from_secs(60));
        let session = Session::new(
            transport,
            clock,
            token_url,
            settings.credentials.clone(),
            limit,
        );
        Some(Client {
            session: Arc::new(session),
            settings,
        })
    }

    /// What this client has sent.
    #[must_use]
    pub fn counts(&self) -> Arc<Counts> {
        self.session.counts.clone()
    }

    /// One page of interactions.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn interactions(&self, page: &Page) -> Result<InteractionPage, CallError> {
        let mut url = self.url("/api/v2/analytics/interactions/query")?;
        url.query_pairs_mut()
            .append_pair("view", "default")
            .append_pair("size", &page.size.to_string());
        if let Some(cursor) = &page.cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        for (name, bound) in [("from", page.from_ms), ("to", page.to_ms)] {
            if let Some(bound) = bound {
                url.query_pairs_mut().append_pair(name, &bound.to_string());
            }
        }
        let (listing, headers) = self.listing(url).await?;
        Ok(InteractionPage {
            entities: listing.entities,
            next_cursor: listing.next_cursor,
            headers,
        })
    }

    /// All users; one whose record cannot be read is told of and left out.
    ///
    /// # Errors
    ///
    /// A page is refused, not answered or not the JSON expected, or the pages have no end
    /// ([`CallError`]).
    pub async fn users(&self) -> Result<Vec<wire::User>, CallError> {
        self.all("/api/v2/users", wire::User::read).await
    }

    /// All queues; one whose record cannot be read is told of and left out.
    ///
    /// # Errors
    ///
    /// A page is refused, not answered or not the JSON expected, or the pages have no end
    /// ([`CallError`]).
    pub async fn queues(&self) -> Result<Vec<wire::Queue>, CallError> {
        self.all("/api/v2/queues", wire::Queue::read).await
    }

    /// One recording's answer.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn recording(&self, id: &str) -> Result<RecordingAnswer, CallError> {
        let call = Call::get(self.url_of(&["api", "v2", "recordings", id])?);
        let (bytes, answer) = self.session.bytes(&call).await?;
        let text = listing::text(&bytes);
        Ok(RecordingAnswer {
            body: parse(&format!("GET {}", call.url.path()), text.as_bytes())?,
            headers: answer.headers_to_keep(),
        })
    }

    /// The bytes of a recording, from the address its answer gives, or from the API's own where it
    /// gives none; no more than `most` of them. Redirects are followed by hand, to allowed hosts
    /// only, and the token goes to the API's own host only. A stream that is cut goes on where it
    /// stopped, while the entity stays the same. A page or JSON is not the recording, and 202 is
    /// not yet: both are asked for again.
    ///
    /// # Errors
    ///
    /// The address cannot be fetched or leads to a host that is not allowed, the platform refuses
    /// or does not answer, more than `most` is announced, or a page or JSON comes every time
    /// ([`CallError`]). What fails later is an error of the stream.
    pub async fn media(
        &self,
        recording: &str,
        address: Option<&str>,
        most: u64,
    ) -> Result<Media, CallError> {
        let start = match address {
            Some(address) => address::fetchable(&self.settings.base_url, address)
                .map_err(|why| of_media(recording, why))?,
            None => self.url_of(&["api", "v2", "recordings", recording, "media"])?,
        };
        let mut tried = 1;
        let answer = loop {
            let answer = self.open(&start, 0, None).await?;
            let Some(page) = page_type(&answer.headers) else {
                break answer;
            };
            if tried >= PAGE_TRIES {
                let why = format!("`{page}` came instead of the recording, {tried} times");
                return Err(CallError::Malformed {
                    what: start.path().to_owned(),
                    why,
                });
            }
            self.session.wait(start.path(), tried).await;
            tried += 1;
        };
        let clock = self.session.clock.clone();
        let open = Opening {
            client: self.share(),
            start,
        };
        resume::media(open, answer, most, clock)
    }

    fn share(&self) -> Client {
        Client {
            session: self.session.clone(),
            settings: self.settings.clone(),
        }
    }

    /// Asks for the bytes from `at` on, through up to five redirects.
    async fn open(
        &self,
        start: &Url,
        at: u64,
        etag: Option<&HeaderValue>,
    ) -> Result<Answer, CallError> {
        let own = host(&self.settings.base_url);
        let mut url = start.clone();
        for _ in 0..6 {
            let there = host(&url);
            if there != own
                && !self
                    .settings
                    .media_hosts
                    .iter()
                    .any(|allowed| *allowed == there || Some(allowed.as_str()) == url.host_str())
            {
                return Err(CallError::HostNotAllowed {
                    what: start.path().to_owned(),
                    host: there,
                });
            }
            let mut call = Call::get(url.clone());
            call.done = if at > 0 { RESUMED } else { OPENED };
            call.not_yet = &[202];
            // The token goes to the API's own origin: same host, same port, and never to plain HTTP
            // where the API is HTTPS.
            call.token = url.origin() == self.settings.base_url.origin();
            resume::from(&mut call, at, etag);
            let answer = self.session.call(&call).await?;
            if !answer.status.is_redirection() {
                return Ok(answer);
            }
            let location = answer
                .headers
                .get(header::LOCATION)
                .and_then(|value| value.to_str().ok());
            let malformed = |why| CallError::Malformed {
                what: start.path().to_owned(),
                why,
            };
            let location =
                location.ok_or_else(|| malformed("a redirect without a Location".to_owned()))?;
            url = address::fetchable(&url, location)
                .map_err(|why| malformed(format!("a redirect {why}")))?;
        }
        Err(CallError::Malformed {
            what: start.path().to_owned(),
            why: "more than five redirects".to_owned(),
        })
    }

    async fn all<T>(
        &self,
        path: &str,
        read: impl Fn(&str) -> Result<T, Unreadable>,
    ) -> Result<Vec<T>, CallError> {
        let mut all = Vec::new();
        let mut cursor: Option<String> = None;
        let mut pages = Pages::default();
        loop {
            let mut url = self.url(path)?;
            url.query_pairs_mut().append_pair("size", "1000");
            if let Some(cursor) = &cursor {
                url.query_pairs_mut().append_pair("cursor", cursor);
            }
            let (listing, _) = self.listing(url).await?;
            for (at, entity) in listing.entities.iter().enumerate() {
                match read(entity.get()) {
                    Ok(one) => all.push(one),
                    Err(why) => tracing::warn!(
                        "GET {path}: entity {} of a page cannot be read and is left out: {why}",
                        at + 1
                    ),
                }
            }
            if all.len() > MOST_ENTITIES {
                let why = format!("it lists more than {MOST_ENTITIES}, and no site has that many");
                return Err(CallError::Malformed {
                    what: path.to_owned(),
                    why,
                });
            }
            let entities = listing.entities.iter().map(|entity| entity.get());
            cursor = pages.next(path, entities, listing.next_cursor)?;
            if cursor.is_none() {
                return Ok(all);
            }
        }
    }

    async fn listing(&self, url: Url) -> Result<(Listing, BTreeMap<String, String>), CallError> {
        let call = Call::get(url);
        let (bytes, answer) = self.session.bytes(&call).await?;
        Ok((
            Listing::read(&format!("GET {}", call.url.path()), &bytes)?,
            answer.headers_to_keep(),
        ))
    }

    fn url(&self, path: &str) -> Result<Url, CallError> {
        self.settings
            .base_url
            .join(path)
            .map_err(|error| CallError::Malformed {
                what: path.to_owned(),
                why: error.to_string(),
            })
    }

    /// A path of which a part comes from outside: each part is escaped.
    fn url_of(&self, parts: &[&str]) -> Result<Url, CallError> {
        crate::net::path::below(&self.url("/")?, parts)
    }
}

/// What a recording's own answer says of its media, and why that leads nowhere.
fn of_media(recording: &str, why: String) -> CallError {
    CallError::Malformed {
        what: format!("recording {recording}"),
        why: format!("the address of its media {why}"),
    }
}

/// What the bytes of a recording are answered with, or a redirect to where they lie.
const OPENED: &[u16] = &[200, 301, 302, 303, 307, 308];
/// The same where the rest of them is asked for.
const RESUMED: &[u16] = &[206, 200, 301, 302, 303, 307, 308];
/// How often a page that comes instead of a recording is asked away: with its waits some seconds,
/// in which a login or a gateway may come back.
const PAGE_TRIES: u32 = 4;
/// Users or queues of one site at most: a hundred times the largest contact centre there is.
const MOST_ENTITIES: usize = 1_000_000;

/// The media type of an answer that calls itself a page or a document for programs, which no
/// recording is; `None` for every other, and for none.
fn page_type(headers: &HeaderMap) -> Option<String> {
    let whole = headers
        .get(header::CONTENT_TYPE)?
        .to_str()
        .ok()?
        .to_ascii_lowercase();
    let kind = whole.split(';').next()?.trim();
    let is_page = kind.starts_with("text/")
        || matches!(
            kind,
            "application/json" | "application/xml" | "application/xhtml+xml"
        )
        || (kind.starts_with("application/")
            && (kind.ends_with("+json") || kind.ends_with("+xml")));
    is_page.then(|| kind.chars().filter(|c| !c.is_control()).take(60).collect())
}

/// A recording's bytes, where they were first asked for.
struct Opening {
    client: Client,
    start: Url,
}

#[async_trait]
impl Open for Opening {
    async fn open(&self, at: u64, etag: Option<&HeaderValue>) -> Result<Answer, CallError> {
        self.client.open(&self.start, at, etag).await
    }

    fn url(&self) -> &Url {
        &self.start
    }
}
