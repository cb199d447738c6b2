//! The one place through which every request leaves: what the table does not allow is refused here,
//! what is sent is counted, and what comes back is held against the known shapes.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use http::header::{AUTHORIZATION, LOCATION};
use http::{Method, Request, Response};
use parking_lot::Mutex;
use platforms::transport::{Body, Failure, Retry, Transport, TransportError};
use url::Url;

use super::matching::{find, poses_as_another_method, stays_below};
use super::{Announces, Gates, Operation, Place, RequestLog, Service, Side};
use crate::drift::Drifts;

/// Where a service lives.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    /// Root of its API.
    pub(crate) api: Url,
    /// Where its tokens are issued. Absent: it takes an account with every request.
    pub(crate) token: Option<Url>,
}

/// A transport that only lets the table through.
pub(crate) struct Gate {
    inner: Arc<dyn Transport>,
    service: Service,
    base: Base,
    allowed: BTreeMap<Kind, Vec<(usize, &'static Operation)>>,
    log: RequestLog,
    drifts: Drifts,
    /// Addresses that answers announced: media may be fetched from these and from nowhere else.
    announced: Announcements,
}

/// How an entry of the table is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Path,
    Below,
    Token,
    Announced,
}

impl Gate {
    pub(super) fn new(gates: &Gates, service: Service, base: Base) -> Arc<Gate> {
        let Gates {
            transport: inner,
            allowance,
            log,
            drifts,
        } = gates;
        let mut allowed: BTreeMap<Kind, Vec<_>> = BTreeMap::new();
        for entry in allowance
            .0
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, entry)| entry.service == service)
        {
            let kind = match entry.1.place {
                Place::Path(_) => Kind::Path,
                Place::Below => Kind::Below,
                Place::Token => Kind::Token,
                Place::Announced => Kind::Announced,
            };
            allowed.entry(kind).or_default().push(entry);
        }
        let (inner, log, drifts) = (inner.clone(), log.clone(), drifts.clone());
        Arc::new(Gate {
            inner,
            service,
            base,
            allowed,
            log,
            drifts,
            announced: Announcements::default(),
        })
    }

    /// The place in the table of what allows a request; `None`: nothing does.
    fn find(&self, request: &Request<Body>) -> Option<usize> {
        let uri = request.uri();
        if poses_as_another_method(request.headers()) {
            return None;
        }
        let of = |kind| self.allowed.get(&kind).map_or(&[][..], Vec::as_slice);
        if request.method() == Method::POST
            && self
                .base
                .token
                .as_ref()
                .is_some_and(|token| *uri == *token.as_str())
        {
            return of(Kind::Token).first().map(|(at, _)| *at);
        }
        if self.is_own(uri)
            && let Some(path) = uri
                .path()
                .strip_prefix(self.base.api.path().trim_end_matches('/'))
        {
            let below = || below(of(Kind::Below), request.method(), path, uri.query());
            let at = find(
                of(Kind::Path),
                request.method(),
                path,
                uri.query().unwrap_or_default(),
            )
            .or_else(below);
            if at.is_some() {
                return at;
            }
        }
        // The token stays with the API: a source may keep audio on its own host, and nobody else's
        // host gets it.
        let tokenless = !request.headers().contains_key(AUTHORIZATION)
            || (self.service.side == Side::Source && self.is_own(uri));
        let announced = self.announced.has(uri);
        (request.method() == Method::GET && tokenless && announced)
            .then(|| of(Kind::Announced).first().map(|(at, _)| *at))?
    }

    /// Whether an address is on the API's own scheme, host and port.
    fn is_own(&self, uri: &http::Uri) -> bool {
        let own = match (self.base.api.host_str(), self.base.api.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => return false,
        };
        uri.scheme_str() == Some(self.base.api.scheme())
            && uri
                .authority()
                .is_some_and(|authority| authority.as_str() == own)
    }

    /// Remembers what an answer says about where media lies: a redirect of the source, and the
    /// fields below.
    fn listen(&self, asked: &http::Uri, at: usize, response: Response<Body>) -> Response<Body> {
        let operation = self.log.operations[at];
        let (parts, body) = response.into_parts();
        let here = Url::parse(&asked.to_string()).unwrap_or_else(|_| self.base.api.clone());
        let side = self.service.side;
        if side == Side::Source
            && parts.status.is_redirection()
            && matches!(operation.announces, Announces::Redirect)
            && let Some(location) = parts
                .headers
                .get(LOCATION)
                .and_then(|value| value.to_str().ok())
        {
            self.announced.add(&here, location);
        }
        if side == Side::Target && matches!(operation.place, Place::Path(_)) {
            self.drifts
                .status(operation.name, &operation.contract, parts.status);
        }
        if !matches!(operation.place, Place::Path(_))
            || matches!(operation.announces, Announces::Redirect)
        {
            return Response::from_parts(parts, body);
        }
        let (announced, base, drifts, status) = (
            self.announced.clone(),
            self.base.api.clone(),
            self.drifts.clone(),
            parts.status,
        );
        let body = tee(body, move |bytes| {
            // As the client reads it: without a byte order mark, and with one bad letter replaced.
            let text =
                String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
            let json = serde_json::from_str(&text).ok();
            if side == Side::Target {
                drifts.body(
                    operation.name,
                    &operation.contract,
                    status,
                    bytes.len(),
                    json.as_ref(),
                );
            }
            if let Announces::Addresses(of) = operation.announces {
                json.iter()
                    .flat_map(of)
                    .for_each(|address| announced.add(&base, address));
            }
        });
        Response::from_parts(parts, body)
    }
}

#[async_trait]
impl Transport for Gate {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        let Some(at) = self.find(&request) else {
            let why = format!(
                "{} {} is not a request the verifier may make",
                request.method(),
                request.uri().path()
            );
            return Err(TransportError::new(Failure::Barred, why));
        };
        self.log.add(at);
        let asked = request.uri().clone();
        let response = self.inner.send(request).await?;
        Ok(self.listen(&asked, at, response))
    }

    fn retrying(&self, retry: &Retry<'_>) {
        self.inner.retrying(retry);
    }
}

/// The entry that allows a request to any path below the root.
fn below(
    operations: &[(usize, &'static Operation)],
    method: &Method,
    path: &str,
    query: Option<&str>,
) -> Option<usize> {
    // A root of `/recordings` does not have `/recordings-of-others` below it.
    let is_below =
        (path.is_empty() || path.starts_with('/')) && query.is_none() && stays_below(path);
    operations
        .iter()
        .find(|(_, operation)| is_below && method.as_str() == operation.method)
        .map(|(at, _)| *at)
}

/// Addresses that answers announced, each as a keyed hash: an audit of millions announces millions,
/// and none of them is told.
#[derive(Debug, Clone, Default)]
struct Announcements(Arc<(RandomState, Mutex<HashSet<u64>>)>);

impl Announcements {
    fn add(&self, base: &Url, address: &str) {
        if let Ok(url) = base.join(address)
            && matches!(url.scheme(), "http" | "https")
            && let Ok(uri) = url.as_str().parse::<http::Uri>()
        {
            let hash = self.0.0.hash_one(uri.to_string());
            self.0.1.lock().insert(hash);
        }
    }

    fn has(&self, uri: &http::Uri) -> bool {
        let hash = self.0.0.hash_one(uri.to_string());
        self.0.1.lock().contains(&hash)
    }
}

/// The same body; once it has been read to its end, `then` sees all of it. A body that is cut is
/// seen by nobody.
fn tee(body: Body, then: impl FnOnce(&[u8]) + Send + 'static) -> Body {
    match body {
        Body::Full(bytes) => {
            then(&bytes);
            Body::Full(bytes)
        }
        Body::Stream { length, stream } => {
            let stream = stream::unfold(
                (stream, Vec::new(), Some(then)),
                |(mut stream, mut kept, mut then)| async move {
                    match stream.next().await {
                        Some(Ok(piece)) => {
                            kept.extend_from_slice(&piece);
                            Some((Ok(piece), (stream, kept, then)))
                        }
                        Some(Err(error)) => Some((Err(error), (stream, kept, None))),
                        None => {
                            if let Some(then) = then.take() {
                                then(&kept);
                            }
                            None
                        }
                    }
                },
            );
            Body::Stream {
                length,
                stream: stream.boxed(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Allowance;
    use super::*;
    use crate::options::Jobs;
    use crate::target::{genesys_cloud, gir};

    /// Answers everything with one batch result, and remembers what reached it.
    #[derive(Default)]
    struct Platform {
        reached: Mutex<Vec<String>>,
        redirects: bool,
    }

    #[async_trait]
    impl Transport for Platform {
        async fn send(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
            self.reached
                .lock()
                .push(format!("{} {}", request.method(), request.uri()));
            let answer = r#"{"status":"Completed","results":[{"resultUrl":"https://files.test/a?signature=1"}]}"#;
            let response = if self.redirects {
                Response::builder()
                    .status(302)
                    .header(LOCATION, "https://elsewhere.test/x")
                    .body(Body::empty())
            } else {
                Response::builder().body(Body::Full(answer.into()))
            };
            Ok(response.expect("an answer"))
        }
    }

    fn gate(platform: &Arc<Platform>, jobs: bool) -> Arc<Gate> {
        let base = Base {
            api: Url::parse("https://api.target.test").expect("a URL"),
            token: Some(Url::parse("https://login.target.test/oauth/token").expect("a URL")),
        };
        let allowance = Allowance::new(
            genesys_cloud::OPERATIONS,
            if jobs { Jobs::Create } else { Jobs::LeaveOut },
        );
        Gates::new(platform.clone(), allowance, Drifts::default())
            .of(genesys_cloud::GENESYS_CLOUD, base)
    }

    /// Whether a request got out.
    async fn passes(gate: &Gate, method: &str, address: &str, token: bool) -> bool {
        let mut request = Request::builder().method(method).uri(address);
        if token {
            request = request.header(AUTHORIZATION, "Bearer t");
        }
        match gate
            .send(request.body(Body::empty()).expect("a request"))
            .await
        {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind, Failure::Barred, "{error}");
                false
            }
        }
    }

    #[tokio::test]
    async fn what_is_not_in_the_table_never_leaves() {
        let platform = Arc::new(Platform::default());
        let gate = gate(&platform, true);
        let api = "https://api.target.test";
        for (method, address, token, wanted) in [
            (
                "POST",
                format!("{api}/api/v2/recordings/deletionprotection"),
                true,
                true,
            ),
            (
                "PUT",
                format!("{api}/api/v2/recordings/deletionprotection"),
                true,
                false,
            ),
            ("POST", format!("{api}/api/v2/files"), true, false),
            ("POST", format!("{api}/api/v2/interactions"), true, false),
            (
                "GET",
                "https://other.test/api/v2/conversations/1".to_owned(),
                true,
                false,
            ),
            (
                "GET",
                "http://api.target.test/api/v2/conversations/1".to_owned(),
                true,
                false,
            ),
            (
                "GET",
                "https://api.target.test:8443/api/v2/conversations/1".to_owned(),
                true,
                false,
            ),
            (
                "GET",
                "https://me@api.target.test/api/v2/conversations/1".to_owned(),
                true,
                false,
            ),
            (
                "POST",
                "https://login.target.test/oauth/token".to_owned(),
                true,
                true,
            ),
            (
                "POST",
                "https://other.test/oauth/token".to_owned(),
                true,
                false,
            ),
            ("POST", format!("{api}/oauth/token"), true, false),
        ] {
            assert_eq!(
                passes(&gate, method, &address, token).await,
                wanted,
                "{method} {address}"
            );
        }
        assert_eq!(
            platform.reached.lock().len(),
            2,
            "a refused request never reaches the platform"
        );
        let mut posing = Request::builder().uri(format!("{api}/api/v2/conversations/1"));
        posing = posing.header("x-http-method-override", "DELETE");
        assert!(
            gate.send(posing.body(Body::empty()).expect("a request"))
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn media_is_fetched_only_where_an_answer_announced_it_and_without_the_token() {
        let platform = Arc::new(Platform::default());
        let gate = gate(&platform, true);
        let file = "https://files.test/a?signature=1";
        assert!(
            !passes(&gate, "GET", file, false).await,
            "nobody has announced it"
        );
        assert!(
            passes(
                &gate,
                "GET",
                "https://api.target.test/api/v2/recording/batchrequests/1",
                true
            )
            .await
        );
        assert!(passes(&gate, "GET", file, false).await);
        for (method, address, token) in [
            ("GET", file, true),
            ("POST", file, false),
            ("PUT", file, false),
            ("GET", "https://files.test/a?signature=2", false),
            ("GET", "https://files.test/b", false),
            ("GET", "http://files.test/a?signature=1", false),
        ] {
            assert!(
                !passes(&gate, method, address, token).await,
                "{method} {address} {token}"
            );
        }
    }

    #[tokio::test]
    async fn a_redirect_of_the_target_is_not_followed() {
        let platform = Arc::new(Platform {
            redirects: true,
            ..Platform::default()
        });
        let gate = gate(&platform, true);
        assert!(
            passes(
                &gate,
                "GET",
                "https://api.target.test/api/v2/conversations/1",
                true
            )
            .await
        );
        assert!(
            !passes(&gate, "GET", "https://elsewhere.test/x", false).await,
            "what a redirect names is not announced"
        );
        assert_eq!(platform.reached.lock().len(), 1);
    }

    #[tokio::test]
    async fn without_jobs_none_leaves() {
        let platform = Arc::new(Platform::default());
        let gate = gate(&platform, false);
        let api = "https://api.target.test/api/v2";
        for path in [
            "recording/batchrequests",
            "analytics/conversations/details/jobs",
        ] {
            assert!(
                !passes(&gate, "POST", &format!("{api}/{path}"), true).await,
                "{path}"
            );
            assert!(
                !passes(&gate, "GET", &format!("{api}/{path}/1"), true).await,
                "{path}/1"
            );
        }
        assert!(passes(&gate, "GET", &format!("{api}/conversations/1"), true).await);
    }

    #[tokio::test]
    async fn a_store_is_read_below_its_root_and_nowhere_else() {
        let platform = Arc::new(Platform::default());
        let base = Base {
            api: Url::parse("https://store.test:8443/recordings/").expect("a URL"),
            token: None,
        };
        let gates = Gates::new(
            platform.clone(),
            Allowance::new(gir::OPERATIONS, Jobs::Create),
            Drifts::default(),
        );
        let gate = gates.of(gir::WEBDAV, base);
        let root = "https://store.test:8443/recordings";
        for (method, address, wanted) in [
            ("GET", format!("{root}/st-acme/2023-10-27/a.mp3"), true),
            ("HEAD", format!("{root}/voice/a.mp3"), true),
            ("PROPFIND", format!("{root}/st-acme"), true),
            ("PUT", format!("{root}/st-acme/a.mp3"), false),
            ("DELETE", format!("{root}/st-acme/a.mp3"), false),
            ("MOVE", format!("{root}/st-acme/a.mp3"), false),
            ("GET", format!("{root}/a.mp3?versions"), false),
            ("GET", format!("{root}/%2e%2e/secret"), false),
            (
                "GET",
                "https://store.test:8443/recordings-of-others/a.mp3".to_owned(),
                false,
            ),
            (
                "GET",
                "https://store.test/recordings/a.mp3".to_owned(),
                false,
            ),
            (
                "GET",
                "http://store.test:8443/recordings/a.mp3".to_owned(),
                false,
            ),
            (
                "GET",
                "https://other.test:8443/recordings/a.mp3".to_owned(),
                false,
            ),
            (
                "GET",
                "https://store.test:8443/api/v2/ops/contact-centers/1/recordings/2".to_owned(),
                false,
            ),
        ] {
            assert_eq!(
                passes(&gate, method, &address, true).await,
                wanted,
                "{method} {address}"
            );
        }
    }
}
