//! Handlers: unpack, call, wrap.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query as Params, State};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, Method};

use super::state::{Legacy, Query, error};
use crate::operations;
use crate::pipeline::request::IncomingRequest;
use crate::pipeline::routes::OperationRoutes as _;
use crate::pipeline::serve;

impl Legacy {
    /// The API.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .operation(&operations::LEGACY_ISSUE_TOKEN, token)
            .operation(&operations::LEGACY_QUERY_INTERACTIONS, interactions)
            .operation(&operations::LEGACY_LIST_USERS, users)
            .operation(&operations::LEGACY_LIST_QUEUES, queues)
            .operation(&operations::LEGACY_GET_RECORDING, recording)
            .operation(&operations::LEGACY_GET_MEDIA, media)
            .fallback(nowhere)
            .method_not_allowed_fallback(wrong_method)
            .with_state(self.clone())
    }

    /// The store behind pre-signed URLs, served from a host of its own.
    pub(crate) fn media_router(self: &Arc<Self>) -> Router {
        Router::new()
            .operation(&operations::LEGACY_GET_PRESIGNED, presigned)
            .fallback(nowhere)
            .method_not_allowed_fallback(wrong_method)
            .with_state(self.clone())
    }
}

async fn token(State(legacy): State<Arc<Legacy>>, headers: HeaderMap, body: Bytes) -> Response {
    let form: Query = url::form_urlencoded::parse(&body).into_owned().collect();
    let work = async { legacy.token(&headers, &form) };
    serve(
        &legacy.core,
        &*legacy,
        &operations::LEGACY_ISSUE_TOKEN,
        "-",
        body.len() as u64,
        work,
    )
    .await
}

async fn interactions(Params(query): Params<Query>, incoming: IncomingRequest<Legacy>) -> Response {
    incoming.site.note_unknown(incoming.operation, &query);
    incoming
        .answer("-", |legacy, ()| Ok(legacy.interactions(&query)))
        .await
}

async fn users(Params(query): Params<Query>, incoming: IncomingRequest<Legacy>) -> Response {
    incoming.site.note_unknown(incoming.operation, &query);
    incoming
        .answer("-", |legacy, ()| Ok(legacy.users(&query)))
        .await
}

async fn queues(Params(query): Params<Query>, incoming: IncomingRequest<Legacy>) -> Response {
    incoming.site.note_unknown(incoming.operation, &query);
    incoming
        .answer("-", |legacy, ()| Ok(legacy.queues(&query)))
        .await
}

async fn recording(Path(id): Path<String>, incoming: IncomingRequest<Legacy>) -> Response {
    incoming
        .answer_in_time(&id, |legacy, ()| {
            let id = id.clone();
            async move { Ok(legacy.recording(&id).await) }
        })
        .await
}

async fn media(Path(id): Path<String>, incoming: IncomingRequest<Legacy>) -> Response {
    let (method, headers) = (
        incoming.request.method().clone(),
        incoming.request.headers().clone(),
    );
    incoming
        .answer_in_time(&id, |legacy, ()| {
            let id = id.clone();
            async move { Ok(legacy.media(&id, &method, &headers).await) }
        })
        .await
}

async fn presigned(
    State(legacy): State<Arc<Legacy>>,
    Path(id): Path<String>,
    Params(query): Params<Query>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let work = legacy.presigned(&id, &query, &method, &headers);
    serve(
        &legacy.core,
        &*legacy,
        &operations::LEGACY_GET_PRESIGNED,
        &id,
        0,
        work,
    )
    .await
}

async fn wrong_method(method: Method) -> Response {
    error(
        405,
        "method_not_allowed",
        &format!("the method {method} is not allowed here"),
    )
    .into_response()
}

async fn nowhere() -> Response {
    error(404, "not_found", "there is no such path").into_response()
}
