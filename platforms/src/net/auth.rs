//! How a platform is told who asks: OAuth client credentials, or an account.

use base64::Engine;
use http::HeaderValue;
use parking_lot::{Mutex, MutexGuard};
use serde::Deserialize;
use url::Url;

use crate::clock::Clock;
use crate::error::CallError;

/// OAuth client credentials. `Debug` shows the id only.
#[derive(Clone)]
pub struct Credentials {
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// An account for Basic authentication. `Debug` shows the name only.
#[derive(Clone)]
pub struct Account {
    /// Its name.
    pub username: String,
    /// Its password.
    pub password: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}
/// How a platform is told who asks.
pub(super) enum Auth {
    /// OAuth client credentials: a token that runs out.
    Token(Box<Tokens>),
    /// Name and password with every request. Absent: they hold what no header can.
    Basic(Option<HeaderValue>),
}

/// The token at present, and how to come by the next.
pub(super) struct Tokens {
    pub(super) url: Url,
    pub(super) credentials: Credentials,
    held: Mutex<Option<Token>>,
    /// Held by the one call that fetches, while the others wait.
    pub(super) fetching: tokio::sync::Mutex<()>,
}

impl Tokens {
    /// None is fetched yet.
    pub(super) fn new(url: Url, credentials: Credentials) -> Tokens {
        Tokens {
            url,
            credentials,
            held: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        }
    }

    /// The value of the `Authorization` header; `None` where there is no token or it has run out.
    pub(super) fn valid(&self, now_ms: i64) -> Option<HeaderValue> {
        let held = self.held();
        held.as_ref()
            .filter(|token| token.expires_ms > now_ms)
            .map(|token| token.value.clone())
    }

    pub(super) fn held(&self) -> MutexGuard<'_, Option<Token>> {
        self.held.lock()
    }
}

pub(super) struct Token {
    pub(super) value: HeaderValue,
    pub(super) expires_ms: i64,
}

#[derive(Deserialize)]
struct TokenBody {
    access_token: String,
    expires_in: Option<i64>,
}

/// The header of Basic authentication; `None` where name or password hold what no header can.
pub(super) fn basic(name: &str, password: &str) -> Option<HeaderValue> {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
    let mut value = HeaderValue::from_str(&format!("Basic {pair}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

pub(super) fn no_header(what: String) -> CallError {
    CallError::Unauthorized {
        what,
        why: "name or secret hold characters that no header can".to_owned(),
    }
}

pub(super) fn token_of(what: String, bytes: &[u8], clock: &Clock) -> Result<Token, CallError> {
    let malformed = |why: String| CallError::Malformed {
        what: what.clone(),
        why,
    };
    // Not serde's own words: they could quote the token.
    let body: TokenBody =
        serde_json::from_slice(bytes).map_err(|_| malformed("not a token answer".to_owned()))?;
    let mut value = HeaderValue::from_str(&format!("Bearer {}", body.access_token))
        .map_err(|_| malformed("not a token".to_owned()))?;
    value.set_sensitive(true);
    // Renewed a little early, so that a request does not arrive with a token that died on the way.
    let life_ms = body.expires_in.unwrap_or(300).saturating_mul(1000);
    let expires_ms = clock
        .now_ms()
        .saturating_add(life_ms - (life_ms / 20).min(30_000));
    Ok(Token { value, expires_ms })
}
