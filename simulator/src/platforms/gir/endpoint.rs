//! Who may ask the web services for what, how they refuse a body, and the session headers of every
//! answer to a GET.

use std::future::Future;

use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, header};
use serde::Deserialize;
use serde_json::Value;

use super::answer::{Code, Refused};
use super::{Gir, rules, session};
use crate::http::reply::Reply;
use crate::operations::Operation;
use crate::pipeline::Core;
use crate::pipeline::request::{Admission, JsonAdmission, JsonProblem};

/// A request to the web services.
pub(super) type IncomingRequest = crate::pipeline::request::IncomingRequest<Gir>;

impl Admission for Gir {
    type Authorized = ();
    type Error = Refused;
    /// What the answer to a GET tells of its session.
    type Headers = Option<session::SessionHeaders>;

    fn core(&self) -> &Core {
        &self.core
    }

    fn authorize(
        &self,
        operation: &'static Operation,
        head: &Parts,
    ) -> (Option<session::SessionHeaders>, Result<(), Refused>) {
        let headers = self.session_headers(&head.method, &head.headers);
        (headers, self.check(operation, &head.method, &head.headers))
    }

    fn reply(error: Refused) -> Reply {
        error.reply()
    }

    async fn with_headers(
        &self,
        _operation: &'static Operation,
        _key: &str,
        headers: Option<session::SessionHeaders>,
        answer: impl Future<Output = Response> + Send,
    ) -> Response {
        with_session_headers(answer.await, headers)
    }
}

impl JsonAdmission for Gir {
    fn max_json_bytes(&self) -> u64 {
        self.settings.limits.max_request_bytes
    }

    fn refuse_json(&self, problem: JsonProblem<'_>) -> Refused {
        match problem {
            JsonProblem::ContentType => {
                self.mark(&rules::CONTENT_TYPE_REFUSED);
                Refused::content_type()
            }
            JsonProblem::TooLarge(limit) => {
                self.mark(&rules::SIZE);
                Refused::too_large(limit)
            }
            JsonProblem::Cut => {
                Refused::new(400, Code::Invalid, "The request body ended before its end.")
            }
            JsonProblem::Malformed(_) => {
                self.mark(&rules::JSON_TYPES);
                Refused::new(400, Code::Invalid, "The request body is not JSON.")
            }
        }
    }
}

/// Fields of a body that are business keys; everything else of it is passed over unread.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Keys {
    pub(super) id: Value,
    pub(super) name: Value,
}

/// The business key of a body: the text of one of its fields; `-` where it has none.
pub(super) fn key_in(body: &[u8], field: fn(&Keys) -> &Value) -> String {
    let keys: Keys = serde_json::from_slice(body).unwrap_or_default();
    field(&keys).as_str().unwrap_or("-").to_owned()
}

impl Gir {
    /// Account and CSRF token, by what the operation needs: `ops`, the ops account; `admin`, a
    /// contact centre admin.
    fn check(
        &self,
        operation: &Operation,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<(), Refused> {
        self.mark(&rules::ORDER);
        if ["POST", "PUT"].contains(&operation.method) {
            self.mark(&rules::CONTENT_TYPE);
        }
        if !operation.needs.is_empty() {
            self.mark(&rules::BASIC);
            if !self.account.is_shown(headers) {
                self.mark(&rules::NOT_AUTHENTICATED);
                return Err(Refused::not_authenticated());
            }
        }
        if operation.needs.contains(&"admin") {
            self.mark(&rules::OPS_IS_ADMIN);
            if !self.settings.ops_is_admin {
                return Err(Refused::new(
                    403,
                    Code::NoPermission,
                    "Insufficient user roles.",
                ));
            }
        }
        if self.settings.csrf && method != Method::GET {
            self.mark(&rules::CSRF);
            self.mark(&rules::SESSION);
            if !self
                .sessions()
                .proves(headers, self.core.clock.now_ms(), self.session_ms())
            {
                self.mark(&rules::CSRF_CODE);
                return Err(Refused::csrf());
            }
        }
        Ok(())
    }

    /// What the answer to a GET tells of its session.
    fn session_headers(
        &self,
        method: &Method,
        headers: &HeaderMap,
    ) -> Option<session::SessionHeaders> {
        let tells = self.settings.csrf && method == Method::GET;
        tells.then(|| {
            self.sessions().of(
                headers,
                self.seed(),
                self.core.clock.now_ms(),
                self.session_ms(),
            )
        })
    }

    fn sessions(&self) -> parking_lot::MutexGuard<'_, session::Sessions> {
        self.sessions.lock()
    }

    fn session_ms(&self) -> i64 {
        i64::try_from(self.settings.limits.session_minutes.saturating_mul(60_000))
            .unwrap_or(i64::MAX)
    }
}

fn with_session_headers(
    mut response: Response,
    session_headers: Option<session::SessionHeaders>,
) -> Response {
    let Some(session_headers) = session_headers else {
        return response;
    };
    let headers = response.headers_mut();
    headers.insert(
        session::CSRF_HEADER,
        HeaderValue::from_static("X-CSRF-TOKEN"),
    );
    let (token, cookie) = (
        HeaderValue::from_str(&session_headers.token),
        session_headers
            .cookie
            .map(|cookie| HeaderValue::from_str(&cookie)),
    );
    if let Ok(token) = token {
        headers.insert(session::CSRF_TOKEN, token);
    }
    if let Some(Ok(cookie)) = cookie {
        headers.insert(header::SET_COOKIE, cookie);
    }
    response
}
