//! How this platform says no: the error envelope of the API, and what a fault or the limiter asks
//! it to say.

use std::collections::BTreeMap;

use serde::Serialize;

use super::endpoint;
use crate::http::reply::Reply;
use crate::pipeline::Refusal;

/// A refusal in the API's own words, before it knows its correlation id.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(super) status: u16,
    code: &'static str,
    message: String,
    retry_after_s: Option<u64>,
    more: Box<More>,
}

/// What few refusals have; boxed, because every fallible function here answers an [`ApiError`].
#[derive(Debug, Default)]
struct More {
    entity_id: Option<String>,
    details: Vec<Detail>,
    params: BTreeMap<&'static str, String>,
    limit: Option<LimitNamed>,
}

/// One field that is wrong.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    error_code: &'static str,
    field_name: String,
}

/// The limit a 429 names.
#[derive(Debug, Serialize)]
struct LimitNamed {
    key: String,
    namespace: &'static str,
    value: u64,
}

/// ErrorBody of the API description.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    message: &'a str,
    code: &'static str,
    status: u16,
    context_id: uuid::Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_id: Option<&'a str>,
    message_with_params: &'a str,
    message_params: &'a BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'a LimitNamed>,
    details: &'a [Detail],
    errors: [(); 0],
}

impl ApiError {
    /// A refusal with a status, a code of the API and a sentence.
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> ApiError {
        ApiError {
            status,
            code,
            message: message.into(),
            retry_after_s: None,
            more: Box::default(),
        }
    }

    /// 400 for a body that is not what the operation takes: `invalid.property` for a field it does
    /// not have, `bad.request` for anything else. It names the field where the parser knows it.
    pub(super) fn of_body(error: &serde_json::Error) -> ApiError {
        let message = error.to_string();
        let field = |beginning: &str| {
            message
                .strip_prefix(beginning)
                .and_then(|rest| rest.split('`').next())
        };
        if let Some(unknown) = field("unknown field `") {
            return ApiError::new(
                400,
                "invalid.property",
                format!("Value [{unknown}] is not a valid property for object: {message}"),
            )
            .field(unknown);
        }
        let refusal = ApiError::new(
            400,
            "bad.request",
            format!("The request body is not valid: {message}"),
        );
        match field("missing field `") {
            Some(missing) => refusal.field(missing),
            None => refusal,
        }
    }

    /// 400 for a field that a body does not have.
    pub(super) fn invalid_property(name: &str) -> ApiError {
        ApiError::new(
            400,
            "invalid.property",
            format!("Value [{name}] is not a valid property for object"),
        )
        .field(name)
    }

    /// 400 for a parameter whose value is none of those it may have.
    pub(super) fn invalid_parameter(name: &str, value: &str, allowed: &str) -> ApiError {
        let message = format!(
            "Value [{value}] is not valid for parameter [{name}]. Allowable values are: {allowed}"
        );
        ApiError::new(400, "invalid.query.param.value", message).field(name)
    }

    /// 400 for one field, in the API's usual words.
    pub(super) fn invalid_value(field: impl Into<String>, kind: &str, value: &str) -> ApiError {
        let message = format!("Value [{value}] is not valid for field type [{kind}]");
        ApiError::new(400, "invalid.value", message).field(field)
    }

    /// 400 for a text that is no time.
    pub(super) fn invalid_date(field: impl Into<String>, text: &str) -> ApiError {
        ApiError::new(
            400,
            "invalid.date",
            format!("Value [{text}] is not an ISO-8601 time with Z or an offset"),
        )
        .field(field)
    }

    /// 400 for a deletion date beyond the organisation's maximum retention.
    pub(super) fn beyond_retention(field: impl Into<String>) -> ApiError {
        let message = "The provided delete date exceeds the limit imposed by the analytics \
            retention settings.";
        ApiError::new(
            400,
            "recording.recording.analytics.retention.violation",
            message,
        )
        .field(field)
    }

    /// Whether it has this code.
    pub(super) fn is(&self, code: &str) -> bool {
        self.code == code
    }

    /// 404 in the API's usual words.
    pub(super) fn not_found() -> ApiError {
        ApiError::new(404, "not.found", "the requested resource was not found")
    }

    /// 413 with the limit in bytes.
    pub(super) fn too_large(limit_bytes: u64) -> ApiError {
        ApiError::new(
            413,
            "request.entity.too.large",
            format!("The request is over the size limit. Maximum bytes: {limit_bytes}"),
        )
    }

    /// 415 naming what is taken.
    pub(super) fn unsupported_media(wanted: &str) -> ApiError {
        ApiError::new(
            415,
            "unsupported.media.type",
            format!("The content type is not supported; send {wanted}"),
        )
    }

    /// 429 of a limit; without `retry_after_s` the client is not told how long to wait.
    pub(super) fn too_many(key: &str, allowed: u64, retry_after_s: Option<u64>) -> ApiError {
        let (code, message) = match retry_after_s {
            Some(seconds) => (
                "too.many.requests.retry.after",
                format!(
                    "Rate limit exceeded the maximum. Retry the request in [{seconds}] seconds"
                ),
            ),
            None => (
                "too.many.requests",
                "Rate limit exceeded the maximum".to_owned(),
            ),
        };
        let mut error = ApiError::new(429, code, message);
        error.more.params.insert("key", key.to_owned());
        if let Some(seconds) = retry_after_s {
            error.more.params.insert("retryAfter", seconds.to_string());
        }
        error.more.limit = Some(LimitNamed {
            key: key.to_owned(),
            namespace: "platform.api",
            value: allowed,
        });
        error.retry_after_s = retry_after_s;
        error
    }

    /// The same, naming the field that is wrong.
    pub(super) fn field(mut self, name: impl Into<String>) -> ApiError {
        self.more.details.push(Detail {
            error_code: self.code,
            field_name: name.into(),
        });
        self
    }

    /// The same, naming the entity it is about.
    pub(super) fn entity(mut self, id: impl ToString) -> ApiError {
        self.more.entity_id = Some(id.to_string());
        self
    }

    /// The answer; its `contextId` is the correlation id of the request being served.
    pub(super) fn reply(self) -> Reply {
        let context = endpoint::correlation_id();
        let template = match self.retry_after_s {
            Some(seconds) => self
                .message
                .replace(&format!("[{seconds}]"), "[{retryAfter}]"),
            None => self.message.clone(),
        };
        let envelope = Envelope {
            message: &self.message,
            code: self.code,
            status: self.status,
            context_id: context,
            entity_id: self.more.entity_id.as_deref(),
            message_with_params: &template,
            message_params: &self.more.params,
            limit: self.more.limit.as_ref(),
            details: &self.more.details,
            errors: [],
        };
        let reply = Reply::json(self.status, &envelope);
        match self.retry_after_s {
            Some(seconds) => reply.with_header("retry-after", seconds.to_string()),
            None => reply,
        }
    }
}

/// What a fault or the limiter wants said, in this platform's words.
pub(super) fn refusal(refusal: &Refusal) -> ApiError {
    match refusal {
        Refusal::TooManyRequests { retry_after_s } => ApiError::too_many(
            super::auth::TOKEN_RATE_KEY,
            super::limits::TOKEN_REQUESTS.value,
            *retry_after_s,
        ),
        Refusal::Server(502) => {
            ApiError::new(502, "bad.gateway", "The gateway got no valid answer")
        }
        Refusal::Server(503) => ApiError::new(
            503,
            "service.unavailable",
            "Service Unavailable - The server is currently unavailable",
        ),
        Refusal::Server(504) => ApiError::new(504, "request.timeout", "The request timed out"),
        Refusal::Server(status) => ApiError::new(
            *status,
            "internal.server.error",
            "The server encountered an unexpected condition",
        ),
        Refusal::TokenExpired => super::auth::bad_credentials(),
        Refusal::BadRequest => ApiError::new(
            400,
            "bad.request",
            "The request could not be understood by the server",
        ),
        Refusal::NotFound => ApiError::not_found(),
        Refusal::Conflict => ApiError::new(
            409,
            "request.conflict",
            "The request conflicts with the current state",
        ),
        Refusal::TooLarge => ApiError::too_large(super::limits::REQUEST_BYTES.value),
        Refusal::UnsupportedMedia => ApiError::unsupported_media("another content type"),
        Refusal::Forbidden => ApiError::new(
            403,
            "not.authorized",
            "You are not authorized to perform the requested action",
        ),
    }
}
