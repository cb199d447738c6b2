//! The accounts of the deployment: each of its three servers takes one of its own, by Basic
//! authentication.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, header};

use crate::seed::Seed;

/// A name and a password that is a function of the seed.
pub(super) struct Account {
    pub(super) username: &'static str,
    pub(super) password: String,
}

impl Account {
    /// The account of the server called `server`; its password begins with that name.
    pub(super) fn new(seed: Seed, server: &str, username: &'static str) -> Account {
        let own = seed.child(server).child("password");
        Account {
            username,
            password: format!(
                "{server}-{:016x}{:016x}",
                own.child("a").value(),
                own.child("b").value()
            ),
        }
    }

    /// Whether a request shows it.
    pub(super) fn is_shown(&self, headers: &HeaderMap) -> bool {
        let given = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let given = given
            .and_then(|value| value.strip_prefix("Basic "))
            .and_then(|encoded| STANDARD.decode(encoded.trim()).ok());
        given.is_some_and(|given| {
            given == format!("{}:{}", self.username, self.password).into_bytes()
        })
    }
}
