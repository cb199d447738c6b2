//! Handlers: unpack, call, wrap.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query as Params, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, Method};

use super::state::{Legacy, Query, error};
use crate::operations;
use crate::pipeline::request::IncomingRequest;
use crate::pipeline::serve;

impl Legacy {
    /// The API.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/oauth/token", post(token))
            .route("/api/v2/analytics/interactions/query", get(interactions))
            .route("/api/v2/users", get(users))
            .route("/api/v2/queues", get(queues))
            .route("/api/v2/recordings/{id}", get(recording))
            .route("/api/v2/recordings/{id}/media", get(media))
            .fallback(nowhere)
            .method_not_allowed_fallback(wrong_method)
            .with_state(self.clone())
    }

    /// The store behind pre-signed URLs, served from a host of its own.
    pub(crate) fn media_router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/presigned/{id}", get(presigned))
            .fallback(nowhere)
            .method_not_allowed_fallback(wrong_method)
            .with_state(self.clone())
    }
}

async fn token(State(legacy): State<Arc<Legacy>>, headers: HeaderMap, body: Bytes) -> Response {
    let form: Query = url::form_urlencoded::parse(&body).into_owned().collect();
    let work = async { legacy.token(&headers, &form) };
    serve(&legacy.core, &*legacy, &operations::LEGACY_ISSUE_TOKEN, "-", body.len() as u64, work).await
}

async fn interactions(State(legacy): State<Arc<Legacy>>, Params(query): Params<Query>, request: Request) -> Response {
    legacy.note_unknown(&operations::LEGACY_QUERY_INTERACTIONS, &query);
    let incoming = IncomingRequest { site: legacy, operation: &operations::LEGACY_QUERY_INTERACTIONS, request };
    incoming.answer("-", |legacy, ()| Ok(legacy.interactions(&query))).await
}

async fn users(State(legacy): State<Arc<Legacy>>, Params(query): Params<Query>, request: Request) -> Response {
    legacy.note_unknown(&operations::LEGACY_LIST_USERS, &query);
    let incoming = IncomingRequest { site: legacy, operation: &operations::LEGACY_LIST_USERS, request };
    incoming.answer("-", |legacy, ()| Ok(legacy.users(&query))).await
}

async fn queues(State(legacy): State<Arc<Legacy>>, Params(query): Params<Query>, request: Request) -> Response {
    legacy.note_unknown(&operations::LEGACY_LIST_QUEUES, &query);
    let incoming = IncomingRequest { site: legacy, operation: &operations::LEGACY_LIST_QUEUES, request };
    incoming.answer("-", |legacy, ()| Ok(legacy.queues(&query))).await
}

async fn recording(State(legacy): State<Arc<Legacy>>, Path(id): Path<String>, request: Request) -> Response {
    let incoming = IncomingRequest { site: legacy, operation: &operations::LEGACY_GET_RECORDING, request };
    incoming
        .answer_in_time(&id, |legacy, ()| {
            let id = id.clone();
            async move { Ok(legacy.recording(&id).await) }
        })
        .await
}

async fn media(State(legacy): State<Arc<Legacy>>, Path(id): Path<String>, request: Request) -> Response {
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let incoming = IncomingRequest { site: legacy, operation: &operations::LEGACY_GET_MEDIA, request };
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
    serve(&legacy.core, &*legacy, &operations::LEGACY_GET_PRESIGNED, &id, 0, work).await
}

async fn wrong_method(method: Method) -> Response {
    error(405, "method_not_allowed", &format!("the method {method} is not allowed here")).into_response()
}

async fn nowhere() -> Response {
    error(404, "not_found", "there is no such path").into_response()
}
