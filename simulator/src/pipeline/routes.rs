//! Routers made from the table of operations, so that a method and a path stand once.

use axum::extract::{FromRequest, Request};
use axum::handler::Handler;
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use axum::{Extension, Router};
use std::sync::Arc;

use super::request::{Admission, IncomingRequest};
use crate::http::reply::Reply;
use crate::operations::Operation;

/// A router whose paths are operations'.
pub(crate) trait OperationRoutes<S> {
    /// Serves an operation by a handler.
    #[must_use]
    fn operation<T: 'static>(
        self,
        operation: &'static Operation,
        handler: impl Handler<T, S>,
    ) -> Self;
}

impl<S: Clone + Send + Sync + 'static> OperationRoutes<S> for Router<S> {
    fn operation<T: 'static>(
        self,
        operation: &'static Operation,
        handler: impl Handler<T, S>,
    ) -> Router<S> {
        let method = match operation.method {
            "POST" => MethodFilter::POST,
            "PUT" => MethodFilter::PUT,
            "PATCH" => MethodFilter::PATCH,
            "DELETE" => MethodFilter::DELETE,
            _ => MethodFilter::GET,
        };
        self.route(
            operation.path,
            on(method, handler).route_layer(Extension(operation)),
        )
    }
}

/// What a handler takes: the request and the operation that its route is for.
impl<E: Admission> FromRequest<Arc<E>> for IncomingRequest<E> {
    type Rejection = Response;

    async fn from_request(request: Request, site: &Arc<E>) -> Result<IncomingRequest<E>, Response> {
        match request.extensions().get::<&'static Operation>().copied() {
            Some(operation) => Ok(IncomingRequest {
                site: site.clone(),
                operation,
                request,
            }),
            None => Err(Reply::empty(500).into_response()),
        }
    }
}
