//! The way every request goes: account, CSRF token, body, then its turn at the front; and the session headers of every answer to a GET.

use std::sync::Arc;

use axum::{extract::Request, response::Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;

use super::answer::{Code, Refused};
use super::{Gir, locked, rules, session};
use crate::http::body::{content_type, drain, read_whole};
use crate::http::reply::Reply;
use crate::operations::Operation;
use crate::pipeline;

/// One request on its way in.
pub(super) struct IncomingRequest {
    pub(super) site: Arc<Gir>,
    pub(super) operation: &'static Operation,
    pub(super) request: Request,
}

impl IncomingRequest {
    /// Serves a request without a body.
    pub(super) async fn answer<W>(self, key: &str, work: W) -> Response
    where
        W: FnOnce(&Gir) -> Result<Reply, Refused> + Send,
    {
        let IncomingRequest { site, operation, request } = self;
        let session_headers = site.session_headers(request.method(), request.headers());
        let authorize = site.authorize(operation, request.method(), request.headers());
        drain(request.into_body()).await;
        let response = match authorize {
            Ok(()) => site.serve(operation, key, 0, async { work(&site) }).await,
            Err(refused) => site.reject(operation, &refused),
        };
        with_session_headers(response, session_headers)
    }

    /// Serves a request with a JSON body; `key` reads the business key from it.
    pub(super) async fn answer_json<K, W>(self, key: K, work: W) -> Response
    where
        K: FnOnce(&Value) -> String + Send,
        W: FnOnce(&Gir, Value) -> Result<Reply, Refused> + Send,
    {
        let IncomingRequest { site, operation, request } = self;
        let bytes = match site.open(operation, request).await {
            Ok(bytes) => bytes,
            Err(refused) => return site.reject(operation, &refused),
        };
        let length = bytes.len() as u64;
        let sent: Result<Value, _> = serde_json::from_slice(&bytes);
        let key = sent.as_ref().map_or_else(|_| "-".to_owned(), key);
        let work = async {
            let sent = sent.map_err(|_| {
                site.mark(&rules::JSON_TYPES);
                Refused::new(400, Code::Invalid, "The request body is not JSON.")
            });
            work(&site, sent?)
        };
        site.serve(operation, &key, length, work).await
    }
}

impl Gir {
    /// Account and CSRF token, by what the operation needs: `ops`, the ops account; `admin`, a contact centre admin.
    fn authorize(&self, operation: &Operation, method: &Method, headers: &HeaderMap) -> Result<(), Refused> {
        self.mark(&rules::ORDER);
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
                return Err(Refused::new(403, Code::NoPermission, "Insufficient user roles."));
            }
        }
        if self.settings.csrf && method != Method::GET {
            self.mark(&rules::CSRF);
            self.mark(&rules::SESSION);
            if !self.sessions().proves(headers, self.core.clock.now_ms(), self.session_ms()) {
                self.mark(&rules::CSRF_CODE);
                return Err(Refused::csrf());
            }
        }
        Ok(())
    }

    async fn open(&self, operation: &Operation, request: Request) -> Result<Bytes, Refused> {
        let authorize = self.authorize(operation, request.method(), request.headers());
        let is_json = content_type(request.headers()).eq_ignore_ascii_case("application/json");
        self.mark(&rules::CONTENT_TYPE);
        if authorize.is_err() || !is_json {
            drain(request.into_body()).await;
            authorize?;
            self.mark(&rules::CONTENT_TYPE_REFUSED);
            return Err(Refused::content_type());
        }
        let limit = self.settings.limits.max_request_bytes;
        match read_whole(request.into_body(), limit).await {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => {
                self.mark(&rules::SIZE);
                Err(Refused::too_large(limit))
            }
            Err(()) => Err(Refused::new(400, Code::Invalid, "The request body ended before its end.")),
        }
    }

    async fn serve<W>(&self, operation: &'static Operation, key: &str, bytes_in: u64, work: W) -> Response
    where
        W: Future<Output = Result<Reply, Refused>> + Send,
    {
        let work = async { work.await.unwrap_or_else(|refused| refused.reply()) };
        pipeline::serve(&self.core, self, operation, key, bytes_in, work).await
    }

    /// Answers a request that is refused before its key matters.
    fn reject(&self, operation: &'static Operation, refused: &Refused) -> Response {
        pipeline::refused(&self.core, super::NAME, operation, "-", refused.reply())
    }

    /// What the answer to a GET tells of its session.
    fn session_headers(&self, method: &Method, headers: &HeaderMap) -> Option<session::SessionHeaders> {
        let tells = self.settings.csrf && method == Method::GET;
        tells.then(|| self.sessions().of(headers, self.seed(), self.core.clock.now_ms(), self.session_ms()))
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, session::Sessions> {
        locked(&self.sessions)
    }

    fn session_ms(&self) -> i64 {
        i64::try_from(self.settings.limits.session_minutes.saturating_mul(60_000)).unwrap_or(i64::MAX)
    }
}

fn with_session_headers(mut response: Response, session_headers: Option<session::SessionHeaders>) -> Response {
    let Some(session_headers) = session_headers else { return response };
    let headers = response.headers_mut();
    headers.insert(session::CSRF_HEADER, HeaderValue::from_static("X-CSRF-TOKEN"));
    let (token, cookie) =
        (HeaderValue::from_str(&session_headers.token), session_headers.cookie.map(|cookie| HeaderValue::from_str(&cookie)));
    if let Ok(token) = token {
        headers.insert(session::CSRF_TOKEN, token);
    }
    if let Some(Ok(cookie)) = cookie {
        headers.insert(header::SET_COOKIE, cookie);
    }
    response
}
