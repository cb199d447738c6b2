//! The way of every request: authenticate, limit, authorize, read, then fault, handler and journal.
//! What differs between endpoints, they say.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::{Core, Endpoint, HandlerFuture, ItemFault, ItemFaults};
use crate::http::body::{content_type, drain, read_whole};
use crate::http::reply::Reply;
use crate::operations::Operation;

/// Who may ask an endpoint for what, and how it says no.
pub(crate) trait Admission: Endpoint + Sized {
    /// What a handler learns of the request it serves.
    type Authorized: Send + Sync;
    /// A refusal in the endpoint's own words.
    type Error: Send;
    /// What every answer to one request carries.
    type Headers: Clone + Send + Sync;

    fn core(&self) -> &Core;

    /// Authenticates the client, counts the request towards its limits, and asks for what the
    /// operation needs.
    fn authorize(
        &self,
        operation: &'static Operation,
        head: &Parts,
    ) -> (Self::Headers, Result<Self::Authorized, Self::Error>);

    /// A refusal as an answer.
    fn reply(error: Self::Error) -> Reply;

    /// The key under which a request that is not admitted is journalled. `-`: it does not matter.
    fn key_of_rejected<'a>(&self, _key: &'a str) -> &'a str {
        "-"
    }

    /// Gives the answer to one request what every answer carries; a refusal may be worded while
    /// `answer` runs.
    fn with_headers(
        &self,
        operation: &'static Operation,
        key: &str,
        headers: Self::Headers,
        answer: impl Future<Output = Response> + Send,
    ) -> impl Future<Output = Response> + Send {
        let _ = (operation, key, headers);
        answer
    }
}

/// An endpoint that takes JSON.
pub(crate) trait JsonAdmission: Admission {
    /// Most bytes of a body.
    fn max_json_bytes(&self) -> u64;

    /// The refusal of a body.
    fn refuse_json(&self, problem: JsonProblem<'_>) -> Self::Error;
}

/// Why a body is not the JSON that an operation takes.
pub(crate) enum JsonProblem<'a> {
    /// Its content type is another.
    ContentType,
    /// It has more bytes than this.
    TooLarge(u64),
    /// It ended before its end.
    Cut,
    /// It is no JSON, or not of the operation's shape.
    Malformed(&'a serde_json::Error),
}

/// A request and what it asks for, before anybody looked at it.
pub(crate) struct IncomingRequest<E> {
    pub(crate) site: Arc<E>,
    pub(crate) operation: &'static Operation,
    pub(crate) request: Request,
}

/// A request that was admitted, and read.
struct Admitted<E: Admission> {
    site: Arc<E>,
    operation: &'static Operation,
    authorized: E::Authorized,
    headers: E::Headers,
    body: Bytes,
}

impl<E: Admission> IncomingRequest<E> {
    /// Serves a request without a body.
    pub(crate) async fn answer<W>(self, key: &str, handle: W) -> Response
    where
        W: FnOnce(&E, &E::Authorized) -> Result<Reply, E::Error> + Send,
    {
        match self.admit(key).await {
            Ok(admitted) => {
                admitted
                    .serve(key, async { handle(&admitted.site, &admitted.authorized) })
                    .await
            }
            Err(response) => response,
        }
    }

    /// Serves a request without a body whose handler may wait.
    pub(crate) async fn answer_in_time<W, F>(self, key: &str, handle: W) -> Response
    where
        W: FnOnce(Arc<E>, E::Authorized) -> F + Send,
        F: Future<Output = Result<Reply, E::Error>> + Send,
    {
        match self.admit(key).await {
            Ok(Admitted {
                site,
                operation,
                authorized,
                headers,
                ..
            }) => {
                serve(
                    &*site.clone(),
                    operation,
                    key,
                    0,
                    headers,
                    handle(site, authorized),
                )
                .await
            }
            Err(response) => response,
        }
    }

    async fn admit(self, key: &str) -> Result<Admitted<E>, Response> {
        let IncomingRequest {
            site,
            operation,
            request,
        } = self;
        let (head, body) = request.into_parts();
        let (headers, authorized) = site.authorize(operation, &head);
        drain(body).await;
        match authorized {
            Ok(authorized) => Ok(Admitted {
                site,
                operation,
                authorized,
                headers,
                body: Bytes::new(),
            }),
            Err(error) => {
                Err(reject(&*site, operation, site.key_of_rejected(key), headers, error).await)
            }
        }
    }
}

impl<E: JsonAdmission> IncomingRequest<E> {
    /// Serves a request with a JSON body; `key` reads the business key from the raw body, which may
    /// be no JSON at all.
    pub(crate) async fn answer_json<T, K, W>(self, key: K, handle: W) -> Response
    where
        T: DeserializeOwned + Send,
        K: FnOnce(&E, &[u8]) -> String + Send,
        W: FnOnce(&E, &E::Authorized, T) -> Result<Reply, E::Error> + Send,
    {
        match self.admit_json().await {
            Ok(admitted) => {
                let key = key(&admitted.site, &admitted.body);
                admitted
                    .serve(&key, async {
                        handle(&admitted.site, &admitted.authorized, admitted.json()?)
                    })
                    .await
            }
            Err(response) => response,
        }
    }

    /// Serves a batch: `keys` reads one business key an item from the raw body, and faults strike
    /// by them; `handle` is given what each item meets.
    pub(crate) async fn answer_batch<T, K, W>(
        self,
        faults: ItemFaults,
        keys: K,
        handle: W,
    ) -> Response
    where
        T: DeserializeOwned + Send,
        K: FnOnce(&E, &[u8]) -> Vec<String> + Send,
        W: FnOnce(&E, &E::Authorized, T, &[Option<ItemFault>]) -> Result<Reply, E::Error> + Send,
    {
        let admitted = match self.admit_json().await {
            Ok(admitted) => admitted,
            Err(response) => return response,
        };
        let Admitted {
            site,
            operation,
            headers,
            body,
            ..
        } = &admitted;
        let keys = keys(site, body);
        let handle = |items: Vec<Option<ItemFault>>| {
            let admitted = &admitted;
            async move {
                let answer = admitted
                    .json()
                    .and_then(|sent| handle(&admitted.site, &admitted.authorized, sent, &items));
                answer.unwrap_or_else(E::reply)
            }
        };
        let answer = super::serve_batch(
            site.core(),
            &**site,
            operation,
            &keys,
            faults,
            body.len() as u64,
            handle,
        );
        site.with_headers(operation, "-", headers.clone(), answer)
            .await
    }

    async fn admit_json(self) -> Result<Admitted<E>, Response> {
        let IncomingRequest {
            site,
            operation,
            request,
        } = self;
        let (head, body) = request.into_parts();
        let (headers, authorized) = site.authorize(operation, &head);
        let read = match authorized {
            Ok(authorized) => match read_json(&head.headers, body, site.max_json_bytes()).await {
                Ok(body) => Ok((authorized, body)),
                Err(problem) => Err(site.refuse_json(problem)),
            },
            Err(error) => {
                drain(body).await;
                Err(error)
            }
        };
        match read {
            Ok((authorized, body)) => Ok(Admitted {
                site,
                operation,
                authorized,
                headers,
                body,
            }),
            Err(error) => Err(reject(&*site, operation, "-", headers, error).await),
        }
    }
}

impl<E: Admission> Admitted<E> {
    async fn serve(
        &self,
        key: &str,
        handle: impl Future<Output = Result<Reply, E::Error>> + Send,
    ) -> Response {
        serve(
            &*self.site,
            self.operation,
            key,
            self.body.len() as u64,
            self.headers.clone(),
            handle,
        )
        .await
    }
}

impl<E: JsonAdmission> Admitted<E> {
    fn json<T: DeserializeOwned>(&self) -> Result<T, E::Error> {
        serde_json::from_slice(&self.body)
            .map_err(|error| self.site.refuse_json(JsonProblem::Malformed(&error)))
    }
}

/// Reads a JSON body; what is refused is read and forgotten, so that the client sees the answer.
pub(crate) async fn read_json(
    headers: &HeaderMap,
    body: Body,
    limit: u64,
) -> Result<Bytes, JsonProblem<'static>> {
    if !content_type(headers).eq_ignore_ascii_case("application/json") {
        drain(body).await;
        return Err(JsonProblem::ContentType);
    }
    match read_whole(body, limit).await {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(JsonProblem::TooLarge(limit)),
        Err(()) => Err(JsonProblem::Cut),
    }
}

/// Serves an admitted request: faults, handler, journal.
pub(crate) async fn serve<E: Admission>(
    site: &E,
    operation: &'static Operation,
    key: &str,
    bytes_in: u64,
    headers: E::Headers,
    handle: impl Future<Output = Result<Reply, E::Error>> + Send,
) -> Response {
    let handle = pin!(async { handle.await.unwrap_or_else(E::reply) });
    serve_pinned(site, operation, key, bytes_in, headers, handle).await
}

async fn serve_pinned<E: Admission>(
    site: &E,
    operation: &'static Operation,
    key: &str,
    bytes_in: u64,
    headers: E::Headers,
    handle: HandlerFuture<'_>,
) -> Response {
    site.with_headers(
        operation,
        key,
        headers,
        super::serve(site.core(), site, operation, key, bytes_in, handle),
    )
    .await
}

/// Answers a request that is not admitted: one line of the journal, and no fault.
pub(crate) async fn reject<E: Admission>(
    site: &E,
    operation: &'static Operation,
    key: &str,
    headers: E::Headers,
    error: E::Error,
) -> Response {
    let answer =
        async { super::refused(site.core(), site.name(), operation, key, E::reply(error)) };
    site.with_headers(operation, key, headers, answer).await
}
