//! The way every request goes: token, limiter, permission, body, then its turn at the front; and the headers of every answer.

use std::{future::Future, pin::pin, sync::Arc};

use axum::{extract::Request, response::Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{GenesysCloud, auth::Bucket, errors::ApiError, limits, limits::Rate, rules};
pub(super) use crate::http::body::{content_type, drain};
use crate::{
    http::body::read_whole,
    http::reply::Reply,
    operations::Operation,
    pipeline::{self, HandlerFuture, ItemFault, ItemFaults},
};

/// What a handler's work is given once its request was let in.
pub(super) struct AuthorizedRequest {
    /// The client whose token it is.
    pub(super) client_id: String,
    /// The token itself.
    pub(super) token: String,
    /// The address's query, decoded, in its order.
    pub(super) query: Query,
}

/// One request on its way in.
pub(super) struct IncomingRequest {
    /// The platform.
    pub(super) site: Arc<GenesysCloud>,
    /// What is asked for.
    pub(super) operation: &'static Operation,
    /// The request.
    pub(super) request: Request,
}

/// A refusal before the business key matters, with the rate headers it still carries.
pub(super) struct Rejection {
    pub(super) error: ApiError,
    pub(super) rate: Option<Rate>,
}

impl IncomingRequest {
    /// Serves a request without a body.
    pub(super) async fn answer<W>(self, key: &str, work: W) -> Response
    where
        W: FnOnce(&GenesysCloud, &AuthorizedRequest) -> Result<Reply, ApiError> + Send,
    {
        let IncomingRequest { site, operation, request } = self;
        let (authorized, rate) = match site.authorize(operation, &request) {
            Ok(authorize) => authorize,
            Err(away) => return site.reject(operation, away),
        };
        site.serve(operation, key, 0, Some(rate), async { work(&site, &authorized) }).await
    }

    /// Serves a request without a body whose work may wait.
    pub(super) async fn answer_in_time<W, F>(self, key: &str, work: W) -> Response
    where
        W: FnOnce(Arc<GenesysCloud>, AuthorizedRequest) -> F + Send,
        F: Future<Output = Result<Reply, ApiError>> + Send,
    {
        let IncomingRequest { site, operation, request } = self;
        let (authorized, rate) = match site.authorize(operation, &request) {
            Ok(authorize) => authorize,
            Err(away) => return site.reject(operation, away),
        };
        let work = work(Arc::clone(&site), authorized);
        site.serve(operation, key, 0, Some(rate), work).await
    }

    /// Serves a request with a JSON body; `key` reads the business key from the raw body, which may be no JSON at all.
    pub(super) async fn answer_json<T, K, W>(self, key: K, work: W) -> Response
    where
        T: DeserializeOwned + Send,
        K: FnOnce(&GenesysCloud, &[u8]) -> String + Send,
        W: FnOnce(&GenesysCloud, &AuthorizedRequest, T) -> Result<Reply, ApiError> + Send,
    {
        let (site, operation) = (self.site.clone(), self.operation);
        let (authorized, rate, bytes) = match self.open().await {
            Ok(opened) => opened,
            Err(away) => return site.reject(operation, away),
        };
        let key = key(&site, &bytes);
        let length = bytes.len() as u64;
        site.serve(operation, &key, length, Some(rate), async { work(&site, &authorized, site.read_body(&bytes)?) }).await
    }
}

impl IncomingRequest {
    /// Token, limiter, permission and body of a request with JSON.
    async fn open(self) -> Result<(AuthorizedRequest, Rate, Bytes), Rejection> {
        let IncomingRequest { site, operation, request } = self;
        let (authorized, rate) = match site.authorize(operation, &request) {
            Ok(authorize) => authorize,
            Err(away) => {
                drain(request.into_body()).await;
                return Err(away);
            }
        };
        let bytes = site.json_body(request).await.map_err(|error| Rejection { error, rate: Some(rate) })?;
        Ok((authorized, rate, bytes))
    }

    /// Serves a batch: `keys` reads one business key an item from the raw body, and faults strike by them; `work` is told what each item meets.
    pub(super) async fn answer_batch<T, K, W>(self, faults: ItemFaults, keys: K, work: W) -> Response
    where
        T: DeserializeOwned + Send,
        K: FnOnce(&GenesysCloud, &[u8]) -> Vec<String> + Send,
        W: FnOnce(&GenesysCloud, &AuthorizedRequest, T, &[Option<ItemFault>]) -> Result<Reply, ApiError> + Send,
    {
        let (site, operation) = (self.site.clone(), self.operation);
        let (authorized, rate, bytes) = match self.open().await {
            Ok(opened) => opened,
            Err(away) => return site.reject(operation, away),
        };
        let keys = keys(&site, &bytes);
        let length = bytes.len() as u64;
        let response_headers = site.response_headers(operation, "-", Some(rate));
        let site = &*site;
        let work = |struck: Vec<Option<ItemFault>>| async move {
            let answer = site.read_body(&bytes).and_then(|sent| work(site, &authorized, sent, &struck));
            answer.unwrap_or_else(ApiError::reply)
        };
        let turn = pipeline::serve_batch(&site.core, site, operation, &keys, faults, length, work);
        let response = RESPONSE_HEADERS.scope(response_headers, turn).await;
        response_headers.apply_to(response)
    }
}

impl GenesysCloud {
    fn authorize(&self, operation: &'static Operation, request: &Request) -> Result<(AuthorizedRequest, Rate), Rejection> {
        let pass = self.admit(operation, request.headers(), Bucket::Token)?;
        tracing::trace!(operation = operation.name, "let in");
        let query = Query::of(request.uri().query().unwrap_or_default());
        self.check_address(operation, request.uri(), &query).map_err(|error| Rejection { error, rate: Some(pass.rate) })?;
        Ok((AuthorizedRequest { client_id: pass.client_id, token: pass.token, query }, pass.rate))
    }

    /// Gives one request its turn at the front, and its answer the headers every answer has.
    pub(super) async fn serve<W>(&self, operation: &'static Operation, key: &str, bytes_in: u64, rate: Option<Rate>, work: W) -> Response
    where
        W: Future<Output = Result<Reply, ApiError>> + Send,
    {
        let work = pin!(async { work.await.unwrap_or_else(ApiError::reply) });
        self.turn(operation, key, bytes_in, rate, work).await
    }

    async fn turn(&self, operation: &'static Operation, key: &str, bytes_in: u64, rate: Option<Rate>, work: HandlerFuture<'_>) -> Response {
        let response_headers = self.response_headers(operation, key, rate);
        let turn = pipeline::serve(&self.core, self, operation, key, bytes_in, work);
        let response = RESPONSE_HEADERS.scope(response_headers, turn).await;
        response_headers.apply_to(response)
    }

    /// Answers a request that is refused before its key matters.
    pub(super) fn reject(&self, operation: &'static Operation, away: Rejection) -> Response {
        let response_headers = self.response_headers(operation, "-", away.rate);
        let response = RESPONSE_HEADERS
            .sync_scope(response_headers, || pipeline::refused(&self.core, super::NAME, operation, "-", away.error.reply()));
        response_headers.apply_to(response)
    }

    fn response_headers(&self, operation: &'static Operation, key: &str, rate: Option<Rate>) -> ResponseHeaders {
        let attempt = self.attempt(operation.name, key);
        let seed = self.seed().child("correlation").child(operation.name).child(key).index(attempt);
        ResponseHeaders { correlation: seed.uuid(), rate }
    }

    /// Reads JSON strictly.
    pub(super) fn read_body<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, ApiError> {
        serde_json::from_slice(bytes).map_err(|error| self.refused_body(&error))
    }

    /// The refusal of a body that a reader could not read.
    pub(super) fn refused_body(&self, error: &serde_json::Error) -> ApiError {
        let refusal = ApiError::of_body(error);
        self.note_refused_body(&refusal);
        refusal
    }

    /// Notes which rule refuses a body.
    pub(super) fn note_refused_body(&self, refusal: &ApiError) {
        if refusal.is("invalid.property") {
            self.mark(&rules::UNKNOWN_PROPERTY);
        }
    }

    async fn json_body(&self, request: Request) -> Result<Bytes, ApiError> {
        let limit = self.settings.max_request_bytes;
        let is_json = content_type(request.headers()).eq_ignore_ascii_case("application/json");
        if !is_json {
            drain(request.into_body()).await;
            self.mark(&rules::CONTENT_TYPE);
            return Err(ApiError::unsupported_media("application/json"));
        }
        match read_whole(request.into_body(), limit).await {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => {
                self.mark(&limits::REQUEST_BYTES.rule);
                Err(ApiError::too_large(limit))
            }
            Err(()) => Err(ApiError::new(400, "bad.request", "The request body ended before its end")),
        }
    }
}

/// The query of an address.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(text: &str) -> Query {
        Query(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The first value of a name.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every name that is given, once for each time.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Every value of a name, repeated or separated by commas, empty ones too.
    pub(super) fn each(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.0.iter().filter(move |(key, _)| key == name);
        values.flat_map(|(_, value)| value.split(','))
    }

    /// Every value of a name, repeated or separated by commas.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let values = self.0.iter().filter(|(key, _)| key == name);
        values.flat_map(|(_, value)| value.split(',')).filter(|value| !value.is_empty()).collect()
    }

    /// A whole number; the default where it is not given, a refusal naming the field where it is none or out of range.
    pub(super) fn number(&self, name: &str, default: u64, least: u64, most: u64) -> Result<u64, ApiError> {
        let Some(text) = self.one(name) else { return Ok(default) };
        match text.parse::<u64>() {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            _ => {
                let message = format!("Value [{text}] is not valid for [{name}]; it is a number from {least} to {most}");
                Err(ApiError::new(400, "invalid.query.param.value", message).field(name))
            }
        }
    }
}

tokio::task_local! {
    static RESPONSE_HEADERS: ResponseHeaders;
}

/// What every answer to one request carries.
#[derive(Clone, Copy)]
struct ResponseHeaders {
    correlation: Uuid,
    rate: Option<Rate>,
}

/// Correlation id of the request being served; all zeros outside one.
pub(super) fn correlation_id() -> Uuid {
    RESPONSE_HEADERS.try_with(|response_headers| response_headers.correlation).unwrap_or(Uuid::nil())
}

impl ResponseHeaders {
    fn apply_to(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        put(headers, "inin-correlation-id", self.correlation.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
        if let Some(rate) = self.rate.filter(|rate| rate.allowed > 0) {
            put(headers, "inin-ratelimit-count", &rate.count.to_string());
            put(headers, "inin-ratelimit-allowed", &rate.allowed.to_string());
            put(headers, "inin-ratelimit-reset", &rate.reset_s.to_string());
        }
        response
    }
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
