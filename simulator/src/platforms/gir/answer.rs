//! Answers in the platform's envelope: `statusCode`, and `statusMessage` where it is not 0,
//! together with the HTTP status.

use http::header;
use serde_json::{Map, Value, json};

use crate::http::reply::Reply;
use crate::pipeline::Refusal;

/// `statusCode`, as far as this simulator answers one. Source: Return Values 8.5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// A required parameter is missing.
    Missing = 1,
    /// A parameter is not valid.
    Invalid = 2,
    /// The operation is forbidden.
    Forbidden = 3,
    /// The server, or what stands behind it, failed.
    Internal = 4,
    /// The user lacks a permission.
    NoPermission = 5,
    /// The resource is not there.
    NotFound = 6,
    /// A value is out of its range.
    OutOfRange = 10,
    /// It exists already.
    Exists = 18,
    /// The request is not authenticated.
    NotAuthenticated = 20,
}

/// Why something is refused, as the client is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(super) status: u16,
    pub(super) code: Code,
    pub(super) message: String,
}

impl Refused {
    pub(super) fn new(status: u16, code: Code, message: impl Into<String>) -> Refused {
        Refused {
            status,
            code,
            message: message.into(),
        }
    }

    /// A field that has to be there; `path` as in `mediaFiles[0].callUUID`.
    pub(super) fn missing(path: &str) -> Refused {
        Refused::new(400, Code::Missing, format!("Parameter '{path}' is missing"))
    }

    /// A field whose value is none.
    pub(super) fn invalid(path: &str, why: &str) -> Refused {
        Refused::new(
            400,
            Code::Invalid,
            format!("Parameter '{path}' is invalid: {why}"),
        )
    }

    pub(super) fn no_recording(id: &str) -> Refused {
        Refused::new(
            404,
            Code::NotFound,
            format!("Requested recording [{id}] cannot be found."),
        )
    }

    pub(super) fn no_contact_center(id: &str) -> Refused {
        Refused::new(
            404,
            Code::NotFound,
            format!("Requested contact center [{id}] cannot be found."),
        )
    }

    pub(super) fn no_path() -> Refused {
        Refused::new(404, Code::NotFound, "Requested resource cannot be found.")
    }

    pub(super) fn not_authenticated() -> Refused {
        Refused::new(401, Code::NotAuthenticated, "Not authenticated.")
    }

    pub(super) fn csrf() -> Refused {
        Refused::new(403, Code::Forbidden, "Missing or invalid Csrf token")
    }

    pub(super) fn too_large(limit: u64) -> Refused {
        Refused::new(
            413,
            Code::OutOfRange,
            format!("The request body is larger than {limit} bytes."),
        )
    }

    pub(super) fn content_type() -> Refused {
        Refused::new(
            415,
            Code::Invalid,
            "The content type must be application/json.",
        )
    }

    pub(super) fn reply(&self) -> Reply {
        let reply = Reply::json(
            self.status,
            &json!({"statusCode": self.code as u8, "statusMessage": self.message}),
        );
        match self.status {
            401 => reply.with_header(header::WWW_AUTHENTICATE, "Basic realm=\"RWS\""),
            _ => reply,
        }
    }
}

/// Done, with nothing to tell.
pub(super) fn done(status: u16) -> Reply {
    told(status, Map::new())
}

/// Done; `fields` stand beside the status code.
pub(super) fn told(status: u16, fields: Map<String, Value>) -> Reply {
    let mut envelope = Map::from_iter([("statusCode".to_owned(), Value::from(0))]);
    envelope.extend(fields);
    Reply::json(status, &Value::Object(envelope))
}

/// What a fault asks the platform to say. The pairs of 400, 403, 404 and 500 are documented for
/// recordings, the others assumed. What ends here is no token but a session.
pub(super) fn refusal(refusal: &Refusal) -> Reply {
    let internal = |status| {
        Refused::new(
            status,
            Code::Internal,
            "Internal server error - please contact administrator.",
        )
    };
    match refusal {
        Refusal::TooManyRequests { retry_after_s } => {
            let reply = Refused::new(429, Code::Internal, "Too many requests.").reply();
            match retry_after_s {
                Some(seconds) => reply.with_header(header::RETRY_AFTER, seconds.to_string()),
                None => reply,
            }
        }
        Refusal::Server(status) => internal(*status).reply(),
        Refusal::TokenExpired => Refused::csrf().reply(),
        Refusal::BadRequest => {
            Refused::new(400, Code::Invalid, "The request is not valid.").reply()
        }
        Refusal::NotFound => Refused::no_path().reply(),
        Refusal::Conflict => {
            Refused::new(409, Code::Exists, "The resource already exists.").reply()
        }
        Refusal::TooLarge => {
            Refused::new(413, Code::OutOfRange, "The request body is too large.").reply()
        }
        Refusal::UnsupportedMedia => Refused::content_type().reply(),
        Refusal::Forbidden => {
            Refused::new(403, Code::Forbidden, "Insufficient recording permissions.").reply()
        }
    }
}
