//! The legacy source: what a contact centre migrates away from. The endpoint and its paging are the
//! guide's; the rest is assumed (`rules.rs`).

mod auth;
mod corrupt_json;
mod platform;
mod routes;
mod rules;
mod state;
mod wire;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use platform::API;
pub(crate) use state::Legacy;

/// The platform's name in operations, journal and control API.
pub(crate) const NAME: &str = "legacy";

/// `[legacy.limits]` of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LegacySettings {
    /// API calls a minute for each token, by fixed windows; further ones are 429 with
    /// `Retry-After`. Generous by default: no vendor states one. 0: no limit.
    pub requests_per_minute: u32,
    /// Life of a token, seconds.
    pub token_seconds: u64,
    /// Scopes the client is not granted (`read:recordings`): such calls are 403.
    pub missing_scopes: Vec<String>,
    /// Share of recordings whose media is a redirect to a pre-signed URL on another host, by hash
    /// of the recording id.
    pub redirect_share: f64,
    /// Life of a pre-signed URL, seconds.
    pub presigned_seconds: u64,
    /// Most entities on a page, whatever a client asks for, 1..1000.
    pub page_max: u64,
}

impl LegacySettings {
    /// What is wrong, in words; the caller adds the place.
    pub(crate) fn check(&self) -> Result<(), String> {
        if (1..=state::MAX_PAGE).contains(&self.page_max) {
            return Ok(());
        }
        Err(format!(
            "legacy.limits.page_max must be 1..{}",
            state::MAX_PAGE
        ))
    }
}

impl Default for LegacySettings {
    fn default() -> LegacySettings {
        LegacySettings {
            requests_per_minute: 60_000,
            token_seconds: 3600,
            missing_scopes: Vec::new(),
            redirect_share: 0.1,
            presigned_seconds: 300,
            page_max: state::MAX_PAGE,
        }
    }
}

/// What this platform claims.
pub(crate) fn rules() -> impl Iterator<Item = &'static crate::rules::Rule> {
    rules::ALL.into_iter()
}

#[cfg(test)]
mod tests;
