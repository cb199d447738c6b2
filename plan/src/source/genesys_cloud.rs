//! A Genesys Cloud organisation that recordings are moved from.

use std::path::PathBuf;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use crate::SecretRef;
use crate::region::{api_url, domain, nearest, token_url};

/// `[source]` with `kind = "genesys_cloud"`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenesysCloud {
    /// Root of the API; or give `region`.
    #[schemars(with = "Option<String>")]
    pub base_url: Option<Url>,
    /// Region by name (`us-east-1`) or domain (`mypurecloud.ie`), instead of `base_url`.
    pub region: Option<String>,
    /// Root of the login host, where it is not derived from the API's.
    #[schemars(with = "Option<String>")]
    pub login_url: Option<Url>,
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
    /// Only calls of these divisions, by id. Empty: of all that the client sees.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub divisions: Vec<Uuid>,
    /// Only calls that came through one of these queues, by id. Empty: all.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub queues: Vec<Uuid>,
    /// Requests a minute to this organisation at most; what it announces or refuses lowers it.
    #[serde(default = "requests_per_minute")]
    pub requests_per_minute: u32,
    /// PEM file, relative to the plan, of certificates of authorities that this side's hosts are
    /// trusted by besides the system's. Absent: the system's only.
    pub ca: Option<PathBuf>,
    /// Let plain http go to another machine on this side, credentials and recordings in clear. This
    /// machine needs no leave.
    #[serde(default)]
    pub plain_http: bool,
}

/// Requests a token may make in a minute. Source: the vendor's blog on rate limits (documented).
fn requests_per_minute() -> u32 {
    300
}

impl GenesysCloud {
    /// Root of the API, from `base_url` or `region`; `None` where neither leads to one.
    #[must_use]
    pub fn api_url(&self) -> Option<Url> {
        api_url(self.base_url.as_ref(), self.region.as_deref())
    }

    /// Where tokens are issued: `login_url`, or the API's host with `api.` turned into `login.`.
    #[must_use]
    pub fn token_url(&self) -> Option<Url> {
        token_url(self.login_url.clone(), self.api_url())
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        match &self.region {
            Some(_) if self.base_url.is_some() => {
                return Err("source has both base_url and region; give one of them".to_owned());
            }
            Some(region) if domain(region).is_none() => {
                return Err(format!(
                    "source.region `{region}` is not a region of Genesys Cloud; the nearest known \
                     one is `{}`",
                    nearest(region)
                ));
            }
            Some(_) | None => {}
        }
        match self.api_url() {
            None => Err("source needs base_url, or a region such as us-east-1".to_owned()),
            Some(api) if !matches!(api.scheme(), "http" | "https") => {
                Err("source.base_url is not an http or https URL".to_owned())
            }
            Some(_) if self.client_id.is_empty() => Err("source.client_id is empty".to_owned()),
            Some(_) if self.requests_per_minute == 0 => {
                Err("source.requests_per_minute takes 1 or more".to_owned())
            }
            Some(_) => match (self.from, self.to) {
                (Some(from), Some(to)) if from >= to => {
                    Err("source.from is not before source.to".to_owned())
                }
                _ => Ok(()),
            },
        }
    }
}
