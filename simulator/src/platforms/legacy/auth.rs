//! Tokens, scopes, the request limit and signatures of the legacy source.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::LegacySettings;
use crate::seed::Seed;

/// Every scope the source knows (guide, Source Platform Extraction Scopes).
pub(super) const SCOPES: [&str; 4] = [
    "read:interactions",
    "read:recordings",
    "read:users",
    "read:queues",
];

/// The limiter's window, ms.
const WINDOW_MS: i64 = 60_000;

/// Why a request is not let in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Denied {
    /// No token, an unknown or an expired one.
    Token { expired: bool },
    /// The first scope that is missing.
    Scope(&'static str),
    /// Whole seconds until the window ends.
    Rate { retry_after_s: u64 },
}

/// The client and its tokens.
pub(super) struct Auth {
    seed: Seed,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) scopes: Vec<&'static str>,
    token_ms: i64,
    requests_per_minute: u32,
    tokens: Mutex<Tokens>,
}

/// What was given out.
#[derive(Clone, Default)]
pub(crate) struct Tokens {
    issued: u64,
    live: HashMap<String, Token>,
}
#[derive(Clone)]
struct Token {
    expires_ms: i64,
    window_from_ms: i64,
    in_window: u32,
}

impl Auth {
    pub(super) fn new(seed: Seed, settings: &LegacySettings) -> Auth {
        let own = seed.child("legacy/auth");
        Auth {
            seed: own,
            client_id: "migrator".to_owned(),
            client_secret: format!(
                "ls-{:016x}{:016x}",
                own.child("secret/a").value(),
                own.child("secret/b").value()
            ),
            scopes: SCOPES
                .into_iter()
                .filter(|scope| {
                    !settings
                        .missing_scopes
                        .iter()
                        .any(|missing| missing == scope)
                })
                .collect(),
            token_ms: i64::try_from(settings.token_seconds.saturating_mul(1000))
                .unwrap_or(i64::MAX / 4),
            requests_per_minute: settings.requests_per_minute,
            tokens: Mutex::default(),
        }
    }

    /// Whether id and secret are the client's, given by Basic or by form fields.
    pub(super) fn knows(&self, headers: &HeaderMap, form: &HashMap<String, String>) -> bool {
        let basic = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Basic "));
        let given = match basic {
            Some(encoded) => STANDARD
                .decode(encoded.trim())
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok()),
            None => form
                .get("client_id")
                .zip(form.get("client_secret"))
                .map(|(id, secret)| format!("{id}:{secret}")),
        };
        given.is_some_and(|given| given == format!("{}:{}", self.client_id, self.client_secret))
    }

    /// A new token. Expired ones are forgotten.
    pub(super) fn issue(&self, now_ms: i64) -> String {
        let mut tokens = self.tokens.lock();
        tokens.issued += 1;
        let own = self.seed.child("token").index(tokens.issued);
        let text = format!(
            "lt-{:016x}{:016x}",
            own.child("a").value(),
            own.child("b").value()
        );
        // A grace of a day keeps the difference between expired and unknown for the journal's
        // reader.
        tokens
            .live
            .retain(|_, token| token.expires_ms + 86_400_000 > now_ms);
        tokens.live.insert(
            text.clone(),
            Token {
                expires_ms: now_ms + self.token_ms,
                window_from_ms: now_ms,
                in_window: 0,
            },
        );
        text
    }

    /// Lets a request in, or says why not. A request past its limit still counts as none.
    pub(super) fn admit(
        &self,
        headers: &HeaderMap,
        needs: &[&'static str],
        now_ms: i64,
    ) -> Result<(), Denied> {
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        let mut tokens = self.tokens.lock();
        let token = bearer
            .and_then(|bearer| tokens.live.get_mut(bearer.trim()))
            .ok_or(Denied::Token { expired: false })?;
        if now_ms >= token.expires_ms {
            return Err(Denied::Token { expired: true });
        }
        if let Some(scope) = needs.iter().find(|scope| !self.scopes.contains(scope)) {
            return Err(Denied::Scope(scope));
        }
        if now_ms - token.window_from_ms >= WINDOW_MS {
            token.window_from_ms = now_ms;
            token.in_window = 0;
        }
        if self.requests_per_minute > 0 && token.in_window >= self.requests_per_minute {
            let left_ms = token.window_from_ms + WINDOW_MS - now_ms;
            return Err(Denied::Rate {
                retry_after_s: u64::try_from(left_ms).unwrap_or(0).div_ceil(1000).max(1),
            });
        }
        token.in_window = token.in_window.saturating_add(1);
        Ok(())
    }

    /// The tokens as they stand, for a snapshot.
    pub(super) fn snapshot(&self) -> Tokens {
        self.tokens.lock().clone()
    }

    /// The tokens as they stood at a snapshot.
    pub(super) fn restore(&self, snapshot: &Tokens) {
        *self.tokens.lock() = snapshot.clone();
    }

    /// Signature of a pre-signed URL.
    pub(super) fn sign(&self, id: &str, expires_s: i64) -> String {
        let text = format!(
            "{}\n{id}\n{expires_s}\n{}",
            self.client_secret,
            self.seed.child("presign").value()
        );
        hex::encode(Sha256::digest(text.as_bytes()))[..32].to_owned()
    }
}
