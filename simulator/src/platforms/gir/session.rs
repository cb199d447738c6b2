//! Sessions and their CSRF tokens: any GET begins one, POST, PUT and DELETE have to show both.

use std::collections::HashMap;

use http::{HeaderMap, HeaderName, header};

use crate::seed::Seed;

/// Name of the session's cookie.
pub(super) const COOKIE: &str = "JSESSIONID";

/// Tells the name of the header to send. Source: CSRF Protection 8.5.2.
pub(super) const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-header");

/// The header to send.
pub(super) const CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");

/// The sessions of a node.
#[derive(Clone, Default)]
pub(super) struct Sessions {
    begun: u64,
    live: HashMap<String, Session>,
}
#[derive(Clone)]
struct Session {
    token: String,
    used_ms: i64,
}

/// What an answer says of its session.
#[derive(Clone)]
pub(crate) struct SessionHeaders {
    /// The token of the session.
    pub(super) token: String,
    /// The cookie to keep; absent where the client has it.
    pub(super) cookie: Option<String>,
}

impl Sessions {
    /// The session a request belongs to, or a new one.
    pub(super) fn of(
        &mut self,
        headers: &HeaderMap,
        seed: Seed,
        now_ms: i64,
        life_ms: i64,
    ) -> SessionHeaders {
        self.live
            .retain(|_, session| now_ms - session.used_ms < life_ms);
        let known = cookies(headers).find(|id| self.live.contains_key(*id));
        if let Some(session) = known.and_then(|id| self.live.get_mut(id)) {
            session.used_ms = now_ms;
            return SessionHeaders {
                token: session.token.clone(),
                cookie: None,
            };
        }
        self.begun += 1;
        let own = seed.child("session").index(self.begun);
        let (id, token) = (
            own.child("id").uuid().simple().to_string().to_uppercase(),
            own.child("token").uuid().to_string(),
        );
        self.live.insert(
            id.clone(),
            Session {
                token: token.clone(),
                used_ms: now_ms,
            },
        );
        SessionHeaders {
            token,
            cookie: Some(format!("{COOKIE}={id}; Path=/; HttpOnly")),
        }
    }

    /// Whether a request shows a living session and its token.
    pub(super) fn proves(&mut self, headers: &HeaderMap, now_ms: i64, life_ms: i64) -> bool {
        self.live
            .retain(|_, session| now_ms - session.used_ms < life_ms);
        let Some(session) = cookies(headers)
            .find(|id| self.live.contains_key(*id))
            .and_then(|id| self.live.get_mut(id))
        else {
            return false;
        };
        let is_it = headers
            .get(CSRF_TOKEN)
            .and_then(|value| value.to_str().ok())
            == Some(session.token.as_str());
        if is_it {
            session.used_ms = now_ms;
        }
        is_it
    }
}

/// The session ids a request sends.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}
