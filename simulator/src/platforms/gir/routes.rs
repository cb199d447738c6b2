//! Handlers: unpack, call, wrap.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, Request, State};
use axum::response::Response;
use serde_json::{Map, Value};

use super::answer::{self, Code, Refused};
use super::endpoint::{IncomingRequest, key_in};
use super::recordings::View;
use super::{Gir, rules};
use crate::operations::{self, Operation};
use crate::pipeline::routes::OperationRoutes as _;

type Site = State<Arc<Gir>>;

/// Every path.
pub(super) fn router() -> Router<Arc<Gir>> {
    Router::new()
        .operation(&operations::GIR_INSERT_RECORDING, insert)
        .operation(&operations::GIR_LIST_CONTACT_CENTERS, contact_centers)
        .operation(&operations::GIR_GET_STORE, store)
        .operation(&operations::GIR_UPDATE_STORE, put_store)
        .operation(&operations::GIR_QUERY_RECORDINGS, query)
        .operation(&operations::GIR_GET_RECORDING, read)
        .operation(&operations::GIR_DELETE_RECORDING, delete)
        .operation(&operations::GIR_PLAY_MEDIA, play)
        .operation(&operations::GIR_SEARCH_RECORDINGS, search)
        .operation(&operations::GIR_SHOW_RECORDING, show)
        .operation(&operations::GIR_CHANGE_RECORDING, change)
        .operation(&operations::GIR_PLAY_MEDIA_FOR_USER, play_for_user)
        .operation(&operations::GIR_GET_LABELS, labels_of)
        .operation(&operations::GIR_ADD_LABELS, add_labels)
        .operation(&operations::GIR_REMOVE_LABEL, remove_label)
        .operation(&operations::GIR_LIST_LABELS, label_definitions)
        .operation(&operations::GIR_CREATE_LABEL, define_label)
        .operation(&operations::GIR_GET_VERSION, version)
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
}

/// Paths that no operation of the fault table stands for; so that they are journalled all the same.
static UNKNOWN_PATH: Operation = Operation {
    name: "gir.unknown_path",
    method: "-",
    path: "-",
    key: "-",
    mutates: false,
    needs: &["ops"],
    query: &[],
};

async fn insert(Path(ccid): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, body| key_in(body, |keys| &keys.id),
            |site, (), sent| site.insert(&ccid, sent),
        )
        .await
}

async fn read(Path((ccid, id)): Path<(String, String)>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, ()| {
            site.is_ours(&ccid).and_then(|()| site.read(View::Ops, &id))
        })
        .await
}

async fn play(
    Path((ccid, id, name)): Path<(String, String, String)>,
    incoming: IncomingRequest,
) -> Response {
    let headers = incoming.request.headers().clone();
    incoming
        .answer(&id, |site, ()| {
            site.is_ours(&ccid)
                .and_then(|()| site.play(&id, &name, &headers))
        })
        .await
}

async fn play_for_user(
    Path((id, name)): Path<(String, String)>,
    incoming: IncomingRequest,
) -> Response {
    let headers = incoming.request.headers().clone();
    incoming
        .answer(&id, |site, ()| site.play(&id, &name, &headers))
        .await
}

async fn delete(Path((ccid, id)): Path<(String, String)>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, ()| site.delete(&ccid, &id))
        .await
}

async fn query(
    Path(ccid): Path<String>,
    RawQuery(query): RawQuery,
    incoming: IncomingRequest,
) -> Response {
    let query = query.unwrap_or_default();
    incoming
        .answer("-", |site, ()| {
            site.is_ours(&ccid)
                .and_then(|()| site.query(View::Ops, &query))
        })
        .await
}

async fn show(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, ()| site.read(View::User, &id))
        .await
}

async fn search(RawQuery(query): RawQuery, incoming: IncomingRequest) -> Response {
    let query = query.unwrap_or_default();
    incoming
        .answer("-", |site, ()| site.query(View::User, &query))
        .await
}

async fn change(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(|_, _| id.clone(), |site, (), sent| site.change(&id, &sent))
        .await
}

async fn define_label(incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, body| key_in(body, |keys| &keys.name),
            |site, (), sent| site.define_label(&sent),
        )
        .await
}

async fn label_definitions(incoming: IncomingRequest) -> Response {
    incoming
        .answer("-", |site, ()| site.label_definitions())
        .await
}

async fn add_labels(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, _| id.clone(),
            |site, (), sent| site.add_labels(&id, &sent),
        )
        .await
}

async fn labels_of(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming.answer(&id, |site, ()| site.labels_of(&id)).await
}

async fn remove_label(
    Path((id, label)): Path<(String, String)>,
    incoming: IncomingRequest,
) -> Response {
    incoming
        .answer(&id, |site, ()| site.remove_label(&id, &label))
        .await
}

async fn contact_centers(incoming: IncomingRequest) -> Response {
    incoming
        .answer("-", |site, ()| site.contact_centers())
        .await
}

async fn store(Path(ccid): Path<String>, incoming: IncomingRequest) -> Response {
    incoming.answer("-", |site, ()| site.store(&ccid)).await
}

async fn put_store(Path(ccid): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, _| "-".to_owned(),
            |site, (), sent| site.put_store(&ccid, &sent),
        )
        .await
}

async fn version(incoming: IncomingRequest) -> Response {
    let told = || Map::from_iter([("version".to_owned(), Value::from("8.5.2 (simulated)"))]);
    incoming
        .answer("-", |site, ()| {
            site.mark(&rules::VERSION);
            Ok(answer::told(200, told()))
        })
        .await
}

async fn unknown_path(State(site): Site, request: Request) -> Response {
    let incoming = IncomingRequest {
        site,
        operation: &UNKNOWN_PATH,
        request,
    };
    incoming.answer("-", |_, ()| Err(Refused::no_path())).await
}

async fn wrong_method(State(site): Site, request: Request) -> Response {
    let refused = Refused::new(
        405,
        Code::Forbidden,
        format!("The method {} is not allowed here.", request.method()),
    );
    let incoming = IncomingRequest {
        site,
        operation: &UNKNOWN_PATH,
        request,
    };
    incoming.answer("-", |_, ()| Err(refused)).await
}
