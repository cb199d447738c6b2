//! Every request leaves through here: what does not read is refused in code, and what is sent is counted for the report.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use http::Method;
use platforms::transport::{Body, Transport, TransportError};

/// What may be sent, by method and path below the host; `{}` stands for one segment. The POSTs read, or start a job that reads.
const ALLOWED: &[(&str, &str)] = &[
    ("POST", "/oauth/token"),
    // source
    ("GET", "/api/v2/analytics/interactions/query"),
    ("GET", "/api/v2/users"),
    ("GET", "/api/v2/queues"),
    ("GET", "/api/v2/recordings/{}"),
    ("GET", "/api/v2/recordings/{}/media"),
    // target
    ("GET", "/api/v2/routing/queues"),
    ("GET", "/api/v2/routing/wrapupcodes"),
    ("GET", "/api/v2/routing/skills"),
    ("GET", "/api/v2/conversations/{}"),
    ("GET", "/api/v2/conversations/{}/recordings"),
    ("GET", "/api/v2/conversations/{}/recordingmetadata"),
    ("GET", "/api/v2/recordings/retention/query"),
    ("POST", "/api/v2/recordings/deletionprotection"),
    ("POST", "/api/v2/recording/batchrequests"),
    ("GET", "/api/v2/recording/batchrequests/{}"),
    ("POST", "/api/v2/analytics/conversations/details/jobs"),
    ("POST", "/api/v2/analytics/conversations/details/query"),
    ("GET", "/api/v2/analytics/conversations/details/jobs/{}"),
    ("GET", "/api/v2/analytics/conversations/details/jobs/{}/results"),
    ("GET", "/api/v2/organizations/limits/namespaces"),
    ("GET", "/api/v2/organizations/limits/namespaces/{}"),
    ("GET", "/api/v2/tokens/me"),
];

/// Where an address outside the API leads: a pre-signed file, read without a token.
const PRESIGNED: &str = "(pre-signed address)";

/// A transport that only lets reads through.
pub(crate) struct Watch {
    inner: Arc<dyn Transport>,
    side: &'static str,
    log: RequestLog,
}

/// Requests so far: side, method and path template to count.
pub(crate) type RequestLog = Arc<Mutex<BTreeMap<(String, String, String), u64>>>;

impl Watch {
    /// `side` is `source` or `target`, for the report.
    pub(crate) fn new(inner: Arc<dyn Transport>, side: &'static str, log: RequestLog) -> Arc<Watch> {
        Arc::new(Watch { inner, side, log })
    }
}

#[async_trait]
impl Transport for Watch {
    async fn send(&self, request: http::Request<Body>) -> Result<http::Response<Body>, TransportError> {
        let Some(template) = template(request.method(), request.uri().path(), request.headers().contains_key(http::header::AUTHORIZATION))
        else {
            let why = format!("{} {} is not a read the verifier may make; please report this", request.method(), request.uri().path());
            return Err(TransportError { why, never_sent: true });
        };
        let key = (self.side.to_owned(), request.method().to_string(), template.to_owned());
        *self.log.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
        self.inner.send(request).await
    }
}

/// The entry of the list that allows a request. `None`: nothing does.
fn template(method: &Method, path: &str, authorized: bool) -> Option<&'static str> {
    let api = path.find("/api/").or_else(|| path.ends_with("/oauth/token").then(|| path.len() - "/oauth/token".len()));
    match api {
        Some(at) => ALLOWED
            .iter()
            .find(|(allowed, template)| method.as_str() == *allowed && matches(template, &path[at..]))
            .map(|(_, template)| *template),
        None => (*method == Method::GET && !authorized).then_some(PRESIGNED),
    }
}

fn matches(template: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    let fits = template
        .split('/')
        .all(|wanted| segments.next().is_some_and(|segment| wanted == segment || (wanted == "{}" && !segment.is_empty())));
    fits && segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_named_by_their_template() {
        let rows = [
            ("GET", "/api/v2/conversations/a2c1/recordings", Some("/api/v2/conversations/{}/recordings")),
            ("GET", "/proxy/api/v2/users", Some("/api/v2/users")),
            ("POST", "/oauth/token", Some("/oauth/token")),
            ("POST", "/api/v2/recordings/deletionprotection", Some("/api/v2/recordings/deletionprotection")),
        ];
        for (method, path, wanted) in rows {
            assert_eq!(template(&method.parse().expect("a method"), path, true), wanted, "{method} {path}");
        }
        assert_eq!(template(&Method::GET, "/presigned/batch/1", false), Some(PRESIGNED));
    }

    #[test]
    fn whatever_writes_is_refused() {
        let rows = [
            ("POST", "/api/v2/files"),
            ("GET", "/api/v2/files/1"),
            ("GET", "/api/v2/interactions/1"),
            ("PUT", "/api/v2/interactions/1"),
            ("PUT", "/api/v2/recordings/deletionprotection"),
            ("POST", "/api/v2/recording/jobs"),
            ("DELETE", "/api/v2/tokens/me"),
            ("PUT", "/api/v2/conversations/1/recordings/2"),
            ("GET", "/api/v2/conversations//recordings"),
            ("POST", "/presigned/batch/1"),
            ("PUT", "/upload"),
        ];
        for (method, path) in rows {
            assert_eq!(template(&method.parse().expect("a method"), path, false), None, "{method} {path}");
        }
        assert_eq!(template(&Method::GET, "/presigned/batch/1", true), None, "a token never goes to a pre-signed address");
    }
}
