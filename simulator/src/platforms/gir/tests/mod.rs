//! The platform from outside: requests in, answers out, and the truth behind them.

mod contracts;
mod endpoint;
mod exports;
mod fields;
mod later;
mod merging;
mod migrated;
mod query;
mod retention;
mod speechminer;
mod tampering;
mod webdav;

use crate::platforms::Platform as _;
use std::path::Path;
use std::sync::Arc;

use axum::{Router, body::Body};
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Gir, GirRouters, Listening, Settings, Site};
use crate::operations::{self, Operation};
use crate::{clock::Clock, faults::FaultRule, pipeline::Core, seed::Seed};

const INSERTION: &str =
    "/internal-api/contact-centers/57c0b771-b57c-4ea8-8655-7ef6d3c58ccc/recordings";
const RECORDINGS: &str =
    "/api/v2/ops/contact-centers/57c0b771-b57c-4ea8-8655-7ef6d3c58ccc/recordings";

/// A deployment, and a session to post in.
struct World {
    site: Arc<Gir>,
    core: Arc<Core>,
    routers: GirRouters,
    cookie: String,
    token: String,
    _spool: tempfile::TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
    bytes: bytes::Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    fn code(&self) -> u64 {
        self.body["statusCode"].as_u64().expect("a code")
    }

    fn words(&self) -> &str {
        self.body["statusMessage"].as_str().unwrap_or_default()
    }
}

impl World {
    async fn new() -> World {
        World::with(Settings::default()).await
    }

    async fn with(settings: Settings) -> World {
        World::with_faults(settings, Vec::new()).await
    }

    async fn with_faults(settings: Settings, faults: Vec<FaultRule>) -> World {
        World::of(settings, faults, Site::default()).await
    }

    async fn of(settings: Settings, faults: Vec<FaultRule>, of_site: Site) -> World {
        let core = Core::new(Clock::of_a_test(), Seed::new(7), faults);
        let spool = tempfile::tempdir().expect("a folder");
        let site =
            Gir::new(Arc::clone(&core), settings, of_site, spool.path()).expect("a deployment");
        let at = |port: u16| format!("http://127.0.0.1:{port}");
        site.set_base_urls(&Listening {
            rws: at(40005),
            webdav: at(40006),
            speechminer: at(40007),
        });
        let routers = site.routers();
        let mut world = World {
            site,
            core,
            routers,
            cookie: String::new(),
            token: String::new(),
            _spool: spool,
        };
        world.begin_session().await;
        world
    }

    async fn begin_session(&mut self) {
        let answer = self
            .send("GET", "/api/v2/diagnostics/version", &[], None)
            .await;
        let token = answer.header("x-csrf-token").to_owned();
        let cookie = answer
            .header("set-cookie")
            .split(';')
            .next()
            .unwrap_or_default()
            .to_owned();
        (self.cookie, self.token) = (cookie, token);
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Answer {
        Self::send_to(&self.routers.rws, method, path, headers, body).await
    }

    async fn send_to(
        router: &Router,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_vec())))
            .expect("a request");
        let response = router
            .clone()
            .oneshot(request)
            .await
            .expect("the router answers");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        let json = serde_json::from_slice(&body).unwrap_or_default();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: json,
            bytes: body,
        }
    }

    /// The ops account.
    fn basic(&self) -> String {
        self.basic_of(0)
    }

    /// The account of a server: RWS, the store, SpeechMiner.
    fn basic_of(&self, server: usize) -> String {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let (name, password) = self.site.credentials()[server];
        format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
    }

    /// A request of the ops account in its session.
    async fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let basic = self.basic();
        let headers = [
            ("authorization", basic.as_str()),
            ("cookie", &self.cookie),
            ("x-csrf-token", &self.token),
            ("content-type", "application/json"),
        ];
        let body = (method != "GET").then(|| body.to_string());
        self.send(method, path, &headers, body.as_deref().map(str::as_bytes))
            .await
    }

    async fn insert(&self, recording: &Value) -> Answer {
        self.ask("POST", INSERTION, recording).await
    }

    async fn read(&self, id: &str) -> Answer {
        self.ask("GET", &format!("{RECORDINGS}/{id}"), &Value::Null)
            .await
    }

    fn truth(&self) -> Vec<Value> {
        let text = self.site.truth().expect("the truth");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a line"))
            .collect()
    }
}

fn contract(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../scenarios/contracts/gir")
        .join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The vendor's sample.
fn sample() -> Value {
    contract("insert_recording")["request"]["body"].clone()
}

/// The sample under another id.
fn named(id: &str) -> Value {
    let mut recording = sample();
    recording["id"] = json!(id);
    recording
}

fn requests() -> impl Iterator<Item = &'static Operation> {
    operations::all().filter(|one| one.name.starts_with("gir.") && !one.is_inside())
}

#[tokio::test]
async fn every_operation_of_the_table_is_served_under_its_name() {
    let world = World::new().await;
    let last = || {
        world
            .core
            .journal
            .page(None, 0, usize::MAX, crate::journal::Digests::Hidden)
            .last()
            .expect("a line")
            .operation
            .clone()
    };
    for operation in requests() {
        let steps = operation.path.split('/').map(|step| match step {
            "{ccid}" => "57c0b771-b57c-4ea8-8655-7ef6d3c58ccc",
            step if step.starts_with('{') => "00000000-0000-4000-8000-000000000001",
            step => step,
        });
        world
            .ask(
                operation.method,
                &steps.collect::<Vec<_>>().join("/"),
                &json!({}),
            )
            .await;
        assert_eq!(last(), operation.name);
    }
    assert_eq!(
        world
            .ask("GET", "/api/v2/nowhere", &Value::Null)
            .await
            .status,
        404
    );
    assert_eq!(last(), "gir.unknown_path");
    assert_eq!(
        world.ask("DELETE", INSERTION, &Value::Null).await.status,
        405
    );
}

#[test]
fn every_setting_is_the_default_of_one_rule() {
    let settings = serde_json::to_value(Settings::default()).expect("settings");
    let named =
        settings
            .as_object()
            .expect("a table")
            .iter()
            .flat_map(|(name, value)| match value {
                Value::Object(table) => table
                    .keys()
                    .map(|inner| format!("{name}.{inner}"))
                    .collect(),
                _ => vec![name.clone()],
            });
    // Left out where the world decides.
    for name in named.chain(["purge.rules".to_owned()]) {
        let begins = |default: &str| default.split(" =").next() == Some(name.as_str());
        assert_eq!(
            super::rules::ALL
                .iter()
                .filter(|rule| rule.default.is_some_and(begins))
                .count(),
            1,
            "{name}"
        );
    }
}
