//! What is known of a request beside what its handler says: who asks, over which connection, for
//! which page. The journal and the rules of conduct read it; no platform decides by it.

use std::cell::Cell;
use std::hash::{DefaultHasher, Hash, Hasher};

use axum::extract::Request;
use http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};

/// SHA-256 of a body.
pub(crate) type Sha = [u8; 32];

/// What is known of one request. Its defaults are those of a request that came through no
/// [`super::layer::RequestLayer`]: a handler called by a test.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestMetadata {
    /// When its head arrived. Unix ms; absent: when it was answered.
    pub(crate) arrived_ms: Option<i64>,
    /// Hash of its `Authorization` header; 0 without one.
    pub(crate) caller: u64,
    /// Whether that header is a bearer token.
    pub(crate) has_token: bool,
    /// Whether it says what program it is.
    pub(crate) has_user_agent: bool,
    /// Its connection, with the count of requests on it; absent in memory, where every request has
    /// its own pipe.
    pub(crate) connection: Option<Connection>,
    /// Hash of path and query.
    pub(crate) address: u64,
    /// The listing it reads: hash of path and query but for where the page starts and how long it
    /// is.
    pub(crate) listing: u64,
    /// Where the page starts; absent: the first page.
    pub(crate) page: Option<u64>,
    /// Entities a page, as asked for.
    pub(crate) page_size: Option<u32>,
    /// Whether it asks for a part of a media.
    pub(crate) has_range: bool,
    /// Requests this server was working on when it arrived, itself included.
    pub(crate) in_flight: u32,
    /// SHA-256 of the file for an upload, of the body otherwise.
    pub(crate) digest: Option<Sha>,
    /// Whether its answer was truncated: the client has not seen all of it.
    pub(crate) is_cut: bool,
    /// What its answer says of something that takes time.
    pub(crate) job_state: JobState,
    /// Life of the token it was given. Seconds.
    pub(crate) token_life_s: Option<u64>,
    /// Whether the limit it went beyond is its token's, and so holds for every other request of
    /// that token.
    pub(crate) is_tokens_limit: bool,
}

/// One connection of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Connection {
    /// Which.
    pub(crate) number: u64,
    /// Its requests so far, from 1.
    pub(crate) request: u64,
}

/// What an answer says of something that takes time: a job, a transcoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum JobState {
    /// It is about nothing of the kind.
    #[default]
    None,
    /// It is not done yet.
    Pending,
    /// It is done and stays as it is.
    Final,
}

impl Default for RequestMetadata {
    fn default() -> RequestMetadata {
        RequestMetadata {
            arrived_ms: None,
            caller: 0,
            has_token: false,
            has_user_agent: true,
            connection: None,
            address: 0,
            listing: 0,
            page: None,
            page_size: None,
            has_range: false,
            in_flight: 1,
            digest: None,
            is_cut: false,
            job_state: JobState::None,
            token_life_s: None,
            is_tokens_limit: false,
        }
    }
}

tokio::task_local! {
    static REQUEST_CONTEXT: RequestContext;
}

struct RequestContext {
    metadata: Cell<RequestMetadata>,
    /// Scheme and `Host` as the client sees them; absent where every platform has a listener of its
    /// own.
    origin: Option<Origin>,
}

/// How a client reached a server that all platforms share.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    /// `Host` as sent, perhaps with a port.
    pub(crate) host: String,
}

impl Origin {
    /// The address of another host of the same server.
    pub(crate) fn beside(&self, host: &str) -> String {
        match self.host.rsplit_once(':') {
            Some((_, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("{}://{host}:{port}", self.scheme)
            }
            _ => format!("{}://{host}", self.scheme),
        }
    }

    /// The address that was asked.
    pub(crate) fn itself(&self) -> String {
        format!("{}://{}", self.scheme, self.host)
    }
}

/// Runs what serves one request, with what is known of the request.
pub(super) async fn scope<F: Future>(
    metadata: RequestMetadata,
    origin: Option<Origin>,
    serve: F,
) -> F::Output {
    REQUEST_CONTEXT
        .scope(
            RequestContext {
                metadata: Cell::new(metadata),
                origin,
            },
            serve,
        )
        .await
}

/// What is known of the request being served.
pub(crate) fn metadata() -> RequestMetadata {
    REQUEST_CONTEXT
        .try_with(|context| context.metadata.get())
        .unwrap_or_default()
}

/// How the client reached a server that all platforms share; `None` where each has its own.
pub(crate) fn origin() -> Option<Origin> {
    REQUEST_CONTEXT
        .try_with(|context| context.origin.clone())
        .ok()
        .flatten()
}

fn record(change: impl FnOnce(&mut RequestMetadata)) {
    let _ = REQUEST_CONTEXT.try_with(|context| {
        let mut metadata = context.metadata.get();
        change(&mut metadata);
        context.metadata.set(metadata);
    });
}

/// Records the hash of a request's body.
pub(crate) fn record_request_digest(bytes: &[u8]) {
    if !bytes.is_empty() {
        let digest = Sha256::digest(bytes).into();
        record(|metadata| metadata.digest = Some(digest));
    }
}

/// Records the SHA-256 of an uploaded file.
pub(crate) fn record_file_digest(digest: Sha) {
    record(|metadata| metadata.digest = Some(digest));
}

/// Records that the answer says: the job is not done yet.
pub(crate) fn record_job_pending() {
    record(|metadata| metadata.job_state = JobState::Pending);
}

/// Records that the answer says: the job is done and stays as it is.
pub(crate) fn record_job_done() {
    record(|metadata| metadata.job_state = JobState::Final);
}

/// Records the life of a token that is issued. Seconds.
pub(crate) fn record_token_ttl(seconds: u64) {
    record(|metadata| metadata.token_life_s = Some(seconds));
}

/// Records that a refusal holds for every other request of the same token.
pub(crate) fn record_token_limit() {
    record(|metadata| metadata.is_tokens_limit = true);
}

impl RequestMetadata {
    /// What a request's head says.
    pub(super) fn of(request: &Request) -> RequestMetadata {
        let headers = request.headers();
        let (path, query) = (
            request.uri().path(),
            request.uri().query().unwrap_or_default(),
        );
        let authorization = headers
            .get(header::AUTHORIZATION)
            .map(|value| value.as_bytes());
        let page = Page::of(path, query);
        RequestMetadata {
            caller: authorization.map_or(0, |value| hash_of(&value)),
            has_token: authorization.is_some_and(|value| {
                value
                    .get(..7)
                    .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "))
            }),
            has_user_agent: has_user_agent(headers),
            connection: request.extensions().get::<Connection>().copied(),
            address: hash_of(&(path, query)),
            listing: page.listing,
            page: page.start,
            page_size: page.size,
            has_range: headers.contains_key(header::RANGE),
            ..RequestMetadata::default()
        }
    }
}

fn has_user_agent(headers: &HeaderMap) -> bool {
    headers
        .get(header::USER_AGENT)
        .is_some_and(|value| !value.as_bytes().trim_ascii().is_empty())
}

/// What an address says of a page.
struct Page {
    listing: u64,
    start: Option<u64>,
    size: Option<u32>,
}

impl Page {
    fn of(path: &str, query: &str) -> Page {
        let mut listing = DefaultHasher::new();
        path.hash(&mut listing);
        let (mut start, mut size) = (None, None);
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "cursor" | "after" | "offset" if !value.is_empty() && value != "0" => {
                    start = Some(hash_of(&value))
                }
                "pageNumber" if value != "1" => start = Some(hash_of(&value)),
                "cursor" | "after" | "offset" | "pageNumber" => {}
                "size" | "pageSize" | "limit" => size = value.parse().ok(),
                _ => (name, value).hash(&mut listing),
            }
        }
        Page {
            listing: listing.finish(),
            start,
            size,
        }
    }
}

/// 64 bits of anything, the same in every run.
pub(crate) fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_one_listing_are_told_apart_from_other_listings() {
        let at = |query: &str| Page::of("/api/v2/users", query);
        let first = at("size=100&from=1");
        assert_eq!((first.start, first.size), (None, Some(100)));
        for same in [
            "from=1&cursor=abc&size=100",
            "size=50&from=1&cursor=def",
            "from=1&pageNumber=2",
        ] {
            assert_eq!(at(same).listing, first.listing, "{same}");
            assert!(at(same).start.is_some(), "{same}");
        }
        assert_ne!(at("size=100&from=2").listing, first.listing);
        assert!(at("from=1&pageNumber=1&cursor=").start.is_none());
    }

    #[test]
    fn an_address_beside_keeps_the_port_the_client_sees() {
        let origin = |host: &str| Origin {
            scheme: "https",
            host: host.to_owned(),
        };
        assert_eq!(
            origin("api.mypurecloud.com:8443").beside("media.test"),
            "https://media.test:8443"
        );
        assert_eq!(
            origin("api.mypurecloud.com").beside("media.test"),
            "https://media.test"
        );
        assert_eq!(
            origin("api.mypurecloud.com").itself(),
            "https://api.mypurecloud.com"
        );
    }
}
