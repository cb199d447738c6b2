//! Handlers: unpack, call, wrap.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value};

use super::answer::{self, Code, Refused};
use super::endpoint::{IncomingRequest, key_in};
use super::recordings::View;
use super::{Gir, rules};
use crate::operations::{self, Operation};

type Site = State<Arc<Gir>>;

/// Every path.
pub(super) fn router() -> Router<Arc<Gir>> {
    Router::new()
        .route("/internal-api/contact-centers/{ccid}/recordings", post(insert))
        .route("/api/v2/ops/contact-centers", get(contact_centers))
        .route("/api/v2/ops/contact-centers/{ccid}/settings/recordings", get(store).put(put_store))
        .route("/api/v2/ops/contact-centers/{ccid}/recordings", get(query))
        .route("/api/v2/ops/contact-centers/{ccid}/recordings/{id}", get(read).delete(delete))
        .route("/api/v2/ops/contact-centers/{ccid}/recordings/{id}/play/{name}", get(play))
        .route("/api/v2/recordings", get(search))
        .route("/api/v2/recordings/{id}", get(show).post(change))
        .route("/api/v2/recordings/{id}/play/{name}", get(play_for_user))
        .route("/api/v2/recordings/{id}/labels", get(labels_of).post(add_labels))
        .route("/api/v2/recordings/{id}/labels/{label}", axum::routing::delete(remove_label))
        .route("/api/v2/recording-label-definitions", get(label_definitions).post(define_label))
        .route("/api/v2/diagnostics/version", get(version))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
}

/// Paths that no operation of the fault table stands for; so that they are journalled all the same.
static UNKNOWN_PATH: Operation =
    Operation { name: "gir.unknown_path", method: "-", path: "-", key: "-", mutates: false, needs: &["ops"], query: &[] };

async fn insert(State(site): Site, Path(ccid): Path<String>, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &operations::GIR_INSERT_RECORDING, request };
    incoming.answer_json(|_, body| key_in(body, "id"), |site, (), sent| site.insert(&ccid, sent)).await
}

async fn read(State(site): Site, Path((ccid, id)): Path<(String, String)>, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &operations::GIR_GET_RECORDING, request };
    incoming.answer(&id, |site, ()| site.is_ours(&ccid).and_then(|()| site.read(View::Ops, &id))).await
}

async fn play(State(site): Site, Path((ccid, id, name)): Path<(String, String, String)>, request: Request) -> Response {
    let headers = request.headers().clone();
    let incoming = IncomingRequest { site, operation: &operations::GIR_PLAY_MEDIA, request };
    incoming.answer(&id, |site, ()| site.is_ours(&ccid).and_then(|()| site.play(&id, &name, &headers))).await
}

async fn play_for_user(State(site): Site, Path((id, name)): Path<(String, String)>, request: Request) -> Response {
    let headers = request.headers().clone();
    let incoming = IncomingRequest { site, operation: &operations::GIR_PLAY_MEDIA_FOR_USER, request };
    incoming.answer(&id, |site, ()| site.play(&id, &name, &headers)).await
}

async fn delete(State(site): Site, Path((ccid, id)): Path<(String, String)>, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &operations::GIR_DELETE_RECORDING, request };
    incoming.answer(&id, |site, ()| site.delete(&ccid, &id)).await
}

async fn query(State(site): Site, Path(ccid): Path<String>, RawQuery(query): RawQuery, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &operations::GIR_QUERY_RECORDINGS, request };
    let query = query.unwrap_or_default();
    incoming.answer("-", |site, ()| site.is_ours(&ccid).and_then(|()| site.query(View::Ops, &query))).await
}

async fn show(State(site): Site, Path(id): Path<String>, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &operations::GIR_SHOW_RECORDING, request };
    incoming.answer(&id, |site, ()| site.read(View::User, &id)).await
}

async fn search(State(site): Site, RawQuery(query): RawQuery, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &operations::GIR_SEARCH_RECORDINGS, request };
    let query = query.unwrap_or_default();
    incoming.answer("-", |site, ()| site.query(View::User, &query)).await
}

async fn change(State(site): Site, Path(id): Path<String>, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &operations::GIR_CHANGE_RECORDING, request };
    incoming.answer_json(|_, _| id.clone(), |site, (), sent| site.change(&id, &sent)).await
}

async fn define_label(State(site): Site, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &operations::GIR_CREATE_LABEL, request };
    incoming.answer_json(|_, body| key_in(body, "name"), |site, (), sent| site.define_label(&sent)).await
}

async fn label_definitions(State(site): Site, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &operations::GIR_LIST_LABELS, request };
    incoming.answer("-", |site, ()| site.label_definitions()).await
}

async fn add_labels(State(site): Site, Path(id): Path<String>, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &operations::GIR_ADD_LABELS, request };
    incoming.answer_json(|_, _| id.clone(), |site, (), sent| site.add_labels(&id, &sent)).await
}

async fn labels_of(State(site): Site, Path(id): Path<String>, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &operations::GIR_GET_LABELS, request };
    incoming.answer(&id, |site, ()| site.labels_of(&id)).await
}

async fn remove_label(State(site): Site, Path((id, label)): Path<(String, String)>, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &operations::GIR_REMOVE_LABEL, request };
    incoming.answer(&id, |site, ()| site.remove_label(&id, &label)).await
}

async fn contact_centers(State(site): Site, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &operations::GIR_LIST_CONTACT_CENTERS, request };
    incoming.answer("-", |site, ()| site.contact_centers()).await
}

async fn store(State(site): Site, Path(ccid): Path<String>, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &operations::GIR_GET_STORE, request };
    incoming.answer("-", |site, ()| site.store(&ccid)).await
}

async fn put_store(State(site): Site, Path(ccid): Path<String>, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &operations::GIR_UPDATE_STORE, request };
    incoming.answer_json(|_, _| "-".to_owned(), |site, (), sent| site.put_store(&ccid, &sent)).await
}

async fn version(State(site): Site, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &operations::GIR_GET_VERSION, request };
    let told = || Map::from_iter([("version".to_owned(), Value::from("8.5.2 (simulated)"))]);
    incoming
        .answer("-", |site, ()| {
            site.mark(&rules::VERSION);
            Ok(answer::told(200, told()))
        })
        .await
}

async fn unknown_path(State(site): Site, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &UNKNOWN_PATH, request };
    incoming.answer("-", |_, ()| Err(Refused::no_path())).await
}

async fn wrong_method(State(site): Site, request: Request) -> Response {
    let refused = Refused::new(405, Code::Forbidden, format!("The method {} is not allowed here.", request.method()));
    let incoming = IncomingRequest { site, operation: &UNKNOWN_PATH, request };
    incoming.answer("-", |_, ()| Err(refused)).await
}
