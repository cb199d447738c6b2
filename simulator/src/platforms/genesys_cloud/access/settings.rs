//! What a scenario may set about what the organisation hides from its client.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[genesys_cloud.access]` of a scenario: what is there and not shown, or shown otherwise. Left
/// out, nothing is hidden.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AccessSettings {
    /// Share of recordings that have sensitive data, 0 to 1, drawn by seed and recording id. A
    /// client that lacks `recording:recording:viewSensitiveData` (`missing_scopes`) is given
    /// silence for them, and no batch download. Default 0.
    pub sensitive_share: f64,
    /// Share of recordings that are archived from their creation on, 0 to 1, drawn by seed and
    /// recording id. Default 0.
    pub archived_share: f64,
    /// How long an archived recording is restored, in milliseconds. Default 0.
    pub restore_ms: u64,
    /// Names of the organisation's divisions; the first is the home division. Default `["Home"]`.
    pub divisions: Vec<String>,
    /// Names of the divisions that the client's role covers. Default none named: all.
    pub client_divisions: Vec<String>,
}

impl Default for AccessSettings {
    fn default() -> AccessSettings {
        AccessSettings {
            sensitive_share: 0.0,
            archived_share: 0.0,
            restore_ms: 0,
            divisions: vec!["Home".to_owned()],
            client_divisions: Vec::new(),
        }
    }
}

impl AccessSettings {
    /// What is wrong with it, in a sentence.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (name, share) in [
            ("sensitive_share", self.sensitive_share),
            ("archived_share", self.archived_share),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return Err(format!("{name} must be 0..1"));
            }
        }
        if self.divisions.is_empty()
            || self.divisions.iter().collect::<BTreeSet<_>>().len() < self.divisions.len()
        {
            return Err(
                "divisions must name at least one division, each once; the first is the \
                home division"
                    .to_owned(),
            );
        }
        match self
            .client_divisions
            .iter()
            .find(|name| !self.divisions.contains(name))
        {
            Some(name) => Err(format!(
                "client_divisions names `{name}`, which is not one of divisions"
            )),
            None => Ok(()),
        }
    }
}
