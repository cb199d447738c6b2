//! A line for every request, for whoever looks at night what is being asked. Never a value: no id,
//! no number, no name, no query, no token.

use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::net::rate_limit::Budget;
use crate::net::transport::{Body, Retry, Transport, TransportError};

/// The words of which the platforms' paths are made; any other segment may be an id, a file's name
/// or a person's, and is not shown. Held against the clients by a test.
const WORDS: &[&str] = &[
    "analytics",
    "api",
    "attributes",
    "authorization",
    "batchrequests",
    "contact-centers",
    "conversations",
    "crossplatform",
    "dataretention",
    "deletionprotection",
    "details",
    "diagnostics",
    "divisions",
    "events",
    "externalid",
    "files",
    "interactions",
    "internal-api",
    "jobs",
    "labels",
    "limits",
    "media",
    "mediaretentionpolicies",
    "namespaces",
    "oauth",
    "ops",
    "organizations",
    "orphanrecordings",
    "participants",
    "query",
    "queues",
    "recording",
    "recording-label-definitions",
    "recordingmetadata",
    "recordings",
    "reports",
    "results",
    "retention",
    "routing",
    "rws",
    "settings",
    "skills",
    "speechminer",
    "token",
    "uploads",
    "users",
    "v2",
    "version",
    "webdav",
    "wrapupcodes",
];

/// A path with `{}` for every segment that is not one of the platforms' own words.
fn template(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        if segment.is_empty() || WORDS.contains(&segment) {
            segment
        } else {
            "{}"
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// A transport that logs each exchange at level `info`: method, host, path template, status and
/// milliseconds until the answer's head.
pub struct Logged {
    inner: Arc<dyn Transport>,
    clock: Clock,
}

impl Logged {
    /// Wraps a transport where such lines are wanted, and gives it back as it is where not.
    #[must_use]
    pub fn wrap(inner: Arc<dyn Transport>, clock: Clock) -> Arc<dyn Transport> {
        if tracing::enabled!(tracing::Level::INFO) {
            Arc::new(Logged { inner, clock })
        } else {
            inner
        }
    }
}

#[async_trait]
impl Transport for Logged {
    async fn send(
        &self,
        request: http::Request<Body>,
    ) -> Result<http::Response<Body>, TransportError> {
        let (method, uri) = (request.method().clone(), request.uri());
        let host = uri
            .authority()
            .map(|authority| {
                authority
                    .as_str()
                    .rsplit('@')
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
            .unwrap_or_default();
        let path = template(uri.path());
        let sent_ms = self.clock.now_ms();
        let answer = self.inner.send(request).await;
        let ms = self.clock.now_ms() - sent_ms;
        match &answer {
            Ok(answer) => {
                tracing::info!("{method} {host}{path} {} {ms} ms", answer.status().as_u16())
            }
            Err(error) => tracing::info!("{method} {host}{path} no answer {ms} ms: {}", error.why),
        }
        answer
    }

    fn retrying(&self, retry: &Retry<'_>) {
        tracing::info!(
            "{} is asked again, try {} of {}: {}",
            retry.host,
            retry.tries + 1,
            retry.of,
            retry.why
        );
        self.inner.retrying(retry);
    }

    fn budget(&self) -> Option<&dyn Budget> {
        self.inner.budget()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_word_of_the_platforms_is_not_shown() {
        for (path, shown) in [
            ("/api/v2/users", "/api/v2/users"),
            (
                "/api/v2/conversations/a2c1-d6/recordings",
                "/api/v2/conversations/{}/recordings",
            ),
            (
                "/api/v2/users/externalid/acme/jane.doe%40example.com",
                "/api/v2/users/externalid/{}/{}",
            ),
            ("/webdav/2024/442012345678.mp3", "/webdav/{}/{}"),
            ("/", "/"),
        ] {
            assert_eq!(template(path), shown);
        }
    }

    #[test]
    fn every_word_of_the_clients_paths_is_known() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut seen = 0;
        for file in [
            "genesys_cloud/guide.rs",
            "genesys_cloud/public.rs",
            "genesys_cloud/read.rs",
            "gir/rws.rs",
            "gir/speechminer.rs",
            "legacy/client.rs",
        ] {
            let text = std::fs::read_to_string(folder.join(file)).expect(file);
            for list in text
                .split("&[")
                .skip(1)
                .filter_map(|rest| rest.split(']').next())
                .filter(|list| list.contains("\"api\""))
            {
                for word in list.split('"').skip(1).step_by(2) {
                    assert!(
                        WORDS.contains(&word),
                        "{file}: `{word}` is not among the words that may be logged"
                    );
                    seen += 1;
                }
            }
        }
        assert!(seen > 50, "{seen} words seen");
        assert!(WORDS.is_sorted());
    }
}
