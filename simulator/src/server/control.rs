//! The control API: what a rehearsal does to a simulator from outside. Loopback only, no token.
//!
//! A page in a browser on this machine must not reach it: a request has to name the control API
//! itself in `Host` (its own name, `localhost`, `127.0.0.1` or `[::1]`, with its port), and where
//! it has an `Origin`, as scripts of a page have, that must name it too. Anything else is 403.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderValue, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::openapi;
use super::snapshots::SnapshotError;
use super::state::State as Shared;
use crate::config_error::in_words;
use crate::faults::{FaultRule, Injected};
use crate::http::reply::Reply;
use crate::journal::Digests;
use crate::platforms::Platform;
use crate::platforms::registry::KNOWN;
use crate::tamper::TamperRefusal;
use crate::world::WORLD_VERSION;

/// Most journal lines in one answer.
const MAX_LINES: usize = 10_000;

/// Most bytes of a control request: a fault or a tamper is a few hundred.
const MAX_BODY: usize = 64 * 1024;

type Params = Query<HashMap<String, String>>;

/// The routes below `/_sim/`.
pub(crate) fn router(state: Arc<Shared>) -> Router {
    let of_platforms = state
        .platforms
        .all()
        .into_iter()
        .map(Platform::control_routes)
        .fold(Router::new(), Router::merge);
    Router::new()
        .route("/_sim/health", get(health))
        .route("/_sim/addresses", get(addresses))
        .route("/_sim/credentials", get(credentials))
        .route("/_sim/notices", get(notices))
        .route("/_sim/journal", get(journal))
        .route("/_sim/effects", get(effects))
        .route("/_sim/conduct", get(conduct))
        .route(
            "/_sim/faults",
            get(faults).post(add_fault).delete(lift_faults),
        )
        .route("/_sim/faults/log", get(fault_log))
        .route("/_sim/faults/{id}", axum::routing::delete(lift_fault))
        .route("/_sim/snapshots", get(snapshots).post(take_snapshot))
        .route(
            "/_sim/snapshots/{id}",
            axum::routing::delete(delete_snapshot),
        )
        .route("/_sim/snapshots/{id}/restore", post(restore))
        .route("/_sim/clock", get(clock).post(advance))
        .route("/_sim/truth/{platform}", get(truth))
        .route("/_sim/tamper", post(tamper))
        .route("/_sim/assumptions", get(assumptions))
        .route("/_sim/openapi/{platform}", get(openapi))
        .merge(of_platforms.with_state(()))
        .fallback(|| async { refusal(404, "there is no such path; see /_sim/health") })
        .layer(axum::extract::DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(
            Arc::new(OwnAuthorities::of(&state.addresses.control)),
            only_itself,
        ))
        .with_state(state)
}

/// The ways a client on this machine may write the control API's host and port.
struct OwnAuthorities(Vec<String>);

impl OwnAuthorities {
    /// Of the address it is announced under: that name and this machine's, all with its port. A
    /// scheme's own port may be left out.
    fn of(url: &str) -> OwnAuthorities {
        let (scheme, authority) = url.split_once("://").unwrap_or(("http", url));
        let authority = authority.trim_end_matches('/');
        let usual = if scheme == "https" { "443" } else { "80" };
        let (name, port) = authority.rsplit_once(':').unwrap_or((authority, usual));
        let this_machine = ["localhost", "127.0.0.1", "[::1]"]
            .into_iter()
            .filter(|own| *own != name);
        let names: Vec<&str> = std::iter::once(name).chain(this_machine).collect();
        let with_port = names.iter().map(|name| format!("{name}:{port}"));
        // Clients that have the one port's host names written into them are led to it, and write
        // the scheme's own port: none. No page of the web has such a name.
        let is_reserved = name.ends_with(".test");
        let without = names
            .iter()
            .filter(|_| port == usual || is_reserved)
            .map(|name| (*name).to_owned());
        OwnAuthorities(with_port.chain(without).collect())
    }

    fn hold(&self, authority: &str) -> bool {
        self.0.iter().any(|own| own.eq_ignore_ascii_case(authority))
    }

    /// Whether an `Origin` is the control API's own; `null`, which sandboxed pages send, is not.
    fn hold_origin(&self, origin: &str) -> bool {
        origin.split_once("://").is_some_and(|(scheme, authority)| {
            ["http", "https"].contains(&scheme) && self.hold(authority)
        })
    }

    /// Why a request is not for the control API, or not from a client that may ask it.
    fn refusal_of(&self, request: &Request) -> Option<String> {
        let texts = |name| {
            request
                .headers()
                .get_all(name)
                .iter()
                .map(|value| value.to_str().unwrap_or_default())
        };
        let hosts: Vec<&str> = request
            .uri()
            .authority()
            .map(|authority| authority.as_str())
            .into_iter()
            .chain(texts(header::HOST))
            .collect();
        if hosts.is_empty() || !hosts.iter().all(|host| self.hold(host)) {
            return Some(format!(
                "the control API is asked under its own host and port only: {}",
                self.0.join(", ")
            ));
        }
        let is_own = texts(header::ORIGIN).all(|origin| self.hold_origin(origin));
        (!is_own).then(|| {
            "the control API takes no request that a page of another origin makes".to_owned()
        })
    }
}

/// Refuses a request that names another host, and one that a page of another origin makes.
async fn only_itself(
    State(own): State<Arc<OwnAuthorities>>,
    request: Request,
    next: Next,
) -> Response {
    match own.refusal_of(&request) {
        Some(reason) => refusal(403, &reason),
        None => next.run(request).await,
    }
}

async fn health(State(state): State<Arc<Shared>>) -> Response {
    let setup = &state.setup;
    let answer = json!({"status": "ok", "scenario": setup.name, "about": setup.about, "seed": state.seed,
        "world_version": WORLD_VERSION, "interactions": state.world.count()});
    Reply::json(200, &answer).into_response()
}

async fn addresses(State(state): State<Arc<Shared>>) -> Response {
    Reply::json(200, &state.addresses).into_response()
}

async fn credentials(State(state): State<Arc<Shared>>) -> Response {
    Reply::json(200, &state.credentials).into_response()
}

async fn notices(State(state): State<Arc<Shared>>) -> Response {
    Reply::json(200, &state.setup.notices()).into_response()
}

async fn journal(State(state): State<Arc<Shared>>, Query(params): Params) -> Response {
    let number = |name: &str, usual: u64| match params.get(name) {
        None => Ok(usual),
        Some(text) => text
            .parse::<u64>()
            .map_err(|_| format!("{name} must be a number")),
    };
    let (after, limit) = match (number("after", 0), number("limit", 1000)) {
        (Ok(after), Ok(limit)) => (
            after,
            usize::try_from(limit).unwrap_or(MAX_LINES).min(MAX_LINES),
        ),
        (Err(reason), _) | (_, Err(reason)) => return refusal(400, &reason),
    };
    let digests = match params.get("digests").map(String::as_str) {
        None | Some("false") => Digests::Hidden,
        Some("true") => Digests::Shown,
        Some(_) => return refusal(400, "digests must be true or false"),
    };
    let lines = state.core.journal.page(
        params.get("platform").map(String::as_str),
        after,
        limit,
        digests,
    );
    let lines = lines
        .iter()
        .map(|line| serde_json::to_string(line).unwrap_or_default() + "\n");
    ndjson(lines.collect())
}

async fn effects(State(state): State<Arc<Shared>>) -> Response {
    ndjson(state.core.journal.effects())
}

async fn conduct(State(state): State<Arc<Shared>>) -> Response {
    Reply::json(200, &state.core.journal.conduct()).into_response()
}

async fn faults(State(state): State<Arc<Shared>>) -> Response {
    let faults = &state.core.faults;
    Reply::json(
        200,
        &json!({"faults": faults.active(), "injected": faults.injected(), "unmet": faults.unmet()}),
    )
    .into_response()
}

/// What struck, one line each, sorted: what a replay reads.
async fn fault_log(State(state): State<Arc<Shared>>) -> Response {
    ndjson(Injected::write_log(&state.core.faults.injected()))
}

async fn add_fault(State(state): State<Arc<Shared>>, body: Bytes) -> Response {
    let rule: FaultRule = match read(&body) {
        Ok(rule) => rule,
        Err(reason) => return refusal(400, &reason),
    };
    match (rule.check(), state.core.faults.refuses(&rule)) {
        (Ok(()), None) => {
            Reply::json(201, &json!({"id": state.core.faults.add(rule)})).into_response()
        }
        (Ok(()), Some(why)) => refusal(409, why),
        (Err(reason), _) => refusal(400, &reason),
    }
}

async fn lift_faults(State(state): State<Arc<Shared>>) -> Response {
    Reply::json(200, &json!({"lifted": state.core.faults.remove(None)})).into_response()
}

async fn lift_fault(State(state): State<Arc<Shared>>, Path(id): Path<u64>) -> Response {
    match state.core.faults.remove(Some(id)) {
        0 => refusal(404, &format!("fault {id} is not in force")),
        lifted => Reply::json(200, &json!({"lifted": lifted})).into_response(),
    }
}

async fn snapshots(State(state): State<Arc<Shared>>) -> Response {
    Reply::json(200, &json!({"snapshots": state.snapshots.list()})).into_response()
}

async fn take_snapshot(State(state): State<Arc<Shared>>) -> Response {
    match state.take_snapshot().await {
        Ok(id) => Reply::json(201, &json!({"id": id})).into_response(),
        Err(error) => refusal_of(&error),
    }
}

async fn delete_snapshot(State(state): State<Arc<Shared>>, Path(id): Path<u64>) -> Response {
    match state.snapshots.delete(id) {
        Ok(()) => Reply::empty(204).into_response(),
        Err(error) => refusal_of(&error),
    }
}

/// What may be said when a snapshot is brought back: nothing at all, or other faults.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Restore {
    #[serde(default)]
    faults: Option<Vec<FaultRule>>,
}

async fn restore(State(state): State<Arc<Shared>>, Path(id): Path<u64>, body: Bytes) -> Response {
    let asked = if body.is_empty() {
        Ok(Restore::default())
    } else {
        read::<Restore>(&body)
    };
    let faults = match asked {
        Ok(Restore { faults }) => faults,
        Err(reason) => return refusal(400, &reason),
    };
    match state.restore(id, faults).await {
        Ok(()) => Reply::json(
            200,
            &json!({"now_ms": state.core.clock.now_ms(), "requests": state.core.journal.len()}),
        )
        .into_response(),
        Err(error) => refusal_of(&error),
    }
}

fn refusal_of(error: &SnapshotError) -> Response {
    let status = match error {
        SnapshotError::InFlight => 503,
        SnapshotError::TooMany => 409,
        SnapshotError::Unknown(_) => 404,
        SnapshotError::Fault(_) => 400,
        SnapshotError::Files(_) => 507,
    };
    refusal(status, &error.to_string())
}

async fn clock(State(state): State<Arc<Shared>>) -> Response {
    Reply::json(200, &json!({"now_ms": state.core.clock.now_ms()})).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: u64,
}

async fn advance(State(state): State<Arc<Shared>>, body: Bytes) -> Response {
    match read::<Advance>(&body) {
        Ok(Advance { advance_ms }) => match state.core.clock.advance_ms(advance_ms) {
            Ok(()) => {
                Reply::json(200, &json!({"now_ms": state.core.clock.now_ms()})).into_response()
            }
            Err(error) => refusal(400, &error.to_string()),
        },
        Err(reason) => refusal(400, &reason),
    }
}

async fn openapi(State(state): State<Arc<Shared>>, Path(platform): Path<String>) -> Response {
    let urls = serde_json::to_value(&state.addresses).unwrap_or_default();
    let document = urls[&platform]
        .as_str()
        .and_then(|url| openapi::document(&platform, url));
    match document {
        Some(document) => Reply::json(200, &document).into_response(),
        None => refusal(
            404,
            &format!("`{platform}` has no document; platforms are {KNOWN}"),
        ),
    }
}

async fn truth(State(state): State<Arc<Shared>>, Path(platform): Path<String>) -> Response {
    let Some(platform) = state.platforms.named(&platform) else {
        return refusal(
            404,
            &format!("`{platform}` is not simulated; platforms are {KNOWN}"),
        );
    };
    match Shared::truth(platform).await {
        Ok(text) => ndjson(text),
        Err(error) => refusal(500, &error.to_string()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tamper {
    defect: String,
    count: usize,
    seed: u64,
}

async fn tamper(State(state): State<Arc<Shared>>, body: Bytes) -> Response {
    let Tamper {
        defect,
        count,
        seed,
    } = match read(&body) {
        Ok(tamper) => tamper,
        Err(reason) => return refusal(400, &reason),
    };
    match state.tamper(&defect, count, seed) {
        Ok(planted) => Reply::json(200, &planted).into_response(),
        Err(error @ (TamperRefusal::NotEnough { .. } | TamperRefusal::Encrypted { .. })) => {
            refusal(409, &error.to_string())
        }
        Err(error) => refusal(400, &error.to_string()),
    }
}

async fn assumptions(State(state): State<Arc<Shared>>) -> Response {
    Reply::json(200, &state.core.exercised.rules()).into_response()
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| in_words(&error.to_string()))
}

fn refusal(status: u16, message: &str) -> Response {
    Reply::json(status, &json!({"error": message})).into_response()
}

fn ndjson(text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-ndjson"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_by_its_own_names_with_its_port() {
        let own = OwnAuthorities::of("http://127.0.0.1:4000");
        for (host, holds) in [
            ("127.0.0.1:4000", true),
            ("localhost:4000", true),
            ("LocalHost:4000", true),
            ("[::1]:4000", true),
            ("127.0.0.1", false),
            ("127.0.0.1:4001", false),
            ("evil.example", false),
            ("evil.example:4000", false),
            ("127.0.0.1.evil.example:4000", false),
            ("", false),
        ] {
            assert_eq!(own.hold(host), holds, "{host}");
            assert_eq!(own.hold_origin(&format!("http://{host}")), holds, "{host}");
        }
        assert!(!own.hold_origin("null") && !own.hold_origin("file://127.0.0.1:4000"));
        let shared = OwnAuthorities::of("https://control.seatrial.test");
        assert!(
            shared.hold("control.seatrial.test")
                && shared.hold("localhost:443")
                && !shared.hold("localhost:80")
        );
    }
}
