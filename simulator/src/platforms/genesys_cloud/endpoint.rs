//! Who may ask the organisation for what, how it refuses a body, and the headers of every answer.

use std::future::Future;

use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, request::Parts};
use uuid::Uuid;

use super::{GenesysCloud, auth::Bucket, errors::ApiError, limits, limits::Rate, rules};
pub(super) use crate::http::body::{content_type, drain};
pub(super) use crate::pipeline::request::{reject, serve};
use crate::{
    http::reply::Reply,
    operations::Operation,
    pipeline::{
        Core,
        request::{Admission, JsonAdmission, JsonProblem},
    },
};

/// A request to the organisation.
pub(super) type IncomingRequest = crate::pipeline::request::IncomingRequest<GenesysCloud>;

/// What a handler is told of the request it serves.
pub(crate) struct AuthorizedRequest {
    /// The client whose token it is.
    pub(super) client_id: String,
    /// The token itself.
    pub(super) token: String,
    /// The address's query, decoded, in its order.
    pub(super) query: Query,
}

impl Admission for GenesysCloud {
    type Authorized = AuthorizedRequest;
    type Error = ApiError;
    /// What the limiter says; absent where nothing was counted.
    type Headers = Option<Rate>;

    fn core(&self) -> &Core {
        &self.core
    }

    fn authorize(
        &self,
        operation: &'static Operation,
        head: &Parts,
    ) -> (Option<Rate>, Result<AuthorizedRequest, ApiError>) {
        let (rate, token) = self.admit(operation, &head.headers, Bucket::Token);
        let authorized = token.and_then(|token| {
            let query = Query::of(head.uri.query().unwrap_or_default());
            self.check_address(operation, &head.uri, &query)?;
            Ok(AuthorizedRequest {
                client_id: token.client_id,
                token: token.token,
                query,
            })
        });
        (rate, authorized)
    }

    fn reply(error: ApiError) -> Reply {
        error.reply()
    }

    async fn with_headers(
        &self,
        operation: &'static Operation,
        key: &str,
        rate: Option<Rate>,
        answer: impl Future<Output = Response> + Send,
    ) -> Response {
        let attempt = self.attempt(operation.name, key);
        let seed = self
            .seed()
            .child("correlation")
            .child(operation.name)
            .child(key)
            .index(attempt);
        let headers = ResponseHeaders {
            correlation: seed.uuid(),
            rate,
        };
        let response = RESPONSE_HEADERS.scope(headers, answer).await;
        headers.apply_to(response)
    }
}

impl JsonAdmission for GenesysCloud {
    fn max_json_bytes(&self) -> u64 {
        self.settings.max_request_bytes
    }

    fn refuse_json(&self, problem: JsonProblem<'_>) -> ApiError {
        match problem {
            JsonProblem::ContentType => {
                self.mark(&rules::CONTENT_TYPE);
                ApiError::unsupported_media("application/json")
            }
            JsonProblem::TooLarge(limit) => {
                self.mark(&limits::REQUEST_BYTES.rule);
                ApiError::too_large(limit)
            }
            JsonProblem::Cut => {
                ApiError::new(400, "bad.request", "The request body ended before its end")
            }
            JsonProblem::Malformed(error) => self.refused_body(error),
        }
    }
}

impl GenesysCloud {
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
}

/// The query of an address.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(text: &str) -> Query {
        Query(
            url::form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The first value of a name.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
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
        values
            .flat_map(|(_, value)| value.split(','))
            .filter(|value| !value.is_empty())
            .collect()
    }

    /// A whole number; the default where it is not given, a refusal naming the field where it is
    /// none or out of range.
    pub(super) fn number(
        &self,
        name: &str,
        default: u64,
        least: u64,
        most: u64,
    ) -> Result<u64, ApiError> {
        let Some(text) = self.one(name) else {
            return Ok(default);
        };
        match text.parse::<u64>() {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            _ => {
                let message = format!(
                    "Value [{text}] is not valid for [{name}]; it is a number from {least} to \
                     {most}"
                );
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
    RESPONSE_HEADERS
        .try_with(|response_headers| response_headers.correlation)
        .unwrap_or(Uuid::nil())
}

impl ResponseHeaders {
    fn apply_to(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        put(
            headers,
            "inin-correlation-id",
            self.correlation
                .hyphenated()
                .encode_lower(&mut Uuid::encode_buffer()),
        );
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
