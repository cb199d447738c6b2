//! Handlers: unpack, call, wrap.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value};

use super::answer::{self, Code, Refused};
use super::door::{Door, Who};
use super::{Gir, rules};
use crate::fault::operations::{self, Operation};

type Site = State<Arc<Gir>>;

/// Every path.
pub(super) fn router() -> Router<Arc<Gir>> {
    Router::new()
        .route("/internal-api/contact-centers/{ccid}/recordings", post(insert))
        .route("/api/v2/ops/contact-centers/{ccid}/recordings/{id}", get(read))
        .route("/api/v2/diagnostics/version", get(version))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
}

/// Paths that no operation of the fault table stands for; so that they are journalled all the same.
static UNKNOWN_PATH: Operation =
    Operation { name: "gir.unknown_path", method: "-", path: "-", key: "-", mutates: false, needs: &[], query: &[] };

async fn insert(State(site): Site, Path(ccid): Path<String>, request: Request) -> Response {
    let door = Door { site, operation: &operations::GIR_INSERT_RECORDING, who: Who::Ops, request };
    let key = |sent: &Value| sent["id"].as_str().unwrap_or("-").to_owned();
    door.answer_json(key, |site, sent| site.insert(&ccid, sent)).await
}

async fn read(State(site): Site, Path((ccid, id)): Path<(String, String)>, request: Request) -> Response {
    let door = Door { site, operation: &operations::GIR_GET_RECORDING, who: Who::Ops, request };
    door.answer(&id, |site| site.read(&ccid, &id)).await
}

async fn version(State(site): Site, request: Request) -> Response {
    let door = Door { site, operation: &operations::GIR_GET_VERSION, who: Who::Anyone, request };
    let told = || Map::from_iter([("version".to_owned(), Value::from("8.5.2 (simulated)"))]);
    door.answer("-", |site| {
        site.mark(&rules::VERSION);
        Ok(answer::told(200, told()))
    })
    .await
}

async fn unknown_path(State(site): Site, request: Request) -> Response {
    let door = Door { site, operation: &UNKNOWN_PATH, who: Who::Ops, request };
    door.answer("-", |_| Err(Refused::no_path())).await
}

async fn wrong_method(State(site): Site, request: Request) -> Response {
    let refused = Refused::new(405, Code::Forbidden, format!("The method {} is not allowed here.", request.method()));
    let door = Door { site, operation: &UNKNOWN_PATH, who: Who::Ops, request };
    door.answer("-", |_| Err(refused)).await
}
