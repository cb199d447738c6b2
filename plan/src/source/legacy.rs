//! The legacy CCaaS platform.

use std::path::PathBuf;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use crate::SecretRef;

/// `[source]` with `kind = "legacy"`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Legacy {
    /// Root of its API.
    #[schemars(with = "String")]
    pub base_url: Url,
    /// OAuth client id.
    pub client_id: String,
    /// OAuth client secret.
    pub client_secret: SecretRef,
    /// Start of the window, inclusive. Absent: no bound.
    #[schemars(with = "Option<String>")]
    pub from: Option<Timestamp>,
    /// End of the window, exclusive. Absent: no bound.
    #[schemars(with = "Option<String>")]
    pub to: Option<Timestamp>,
    /// Hosts besides `base_url`'s from which media may be fetched, each `host` or `host:port`. No
    /// token is sent there.
    #[serde(default)]
    pub media_hosts: Vec<String>,
    /// PEM file, relative to the plan, of certificates of authorities that this side's hosts are
    /// trusted by besides the system's. Absent: the system's only.
    pub ca: Option<PathBuf>,
    /// Let plain http go to another machine on this side, credentials and recordings in clear. This
    /// machine needs no leave.
    #[serde(default)]
    pub plain_http: bool,
}

impl Legacy {
    pub(super) fn validate(&self) -> Result<(), String> {
        if !matches!(self.base_url.scheme(), "http" | "https") {
            return Err("source.base_url is not an http or https URL".to_owned());
        }
        match (self.from, self.to) {
            (Some(from), Some(to)) if from >= to => {
                Err("source.from is not before source.to".to_owned())
            }
            _ => Ok(()),
        }
    }
}
