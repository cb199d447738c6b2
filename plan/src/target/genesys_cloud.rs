//! Genesys Cloud CX.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::Section;
use crate::identity::Carrier;
use crate::region::{api_url, domain, is_vendor_host, nearest, token_url};
use crate::secret::SecretRef;

/// `[target]` with `kind = "genesys_cloud"`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenesysCloud {
    /// Surface the recordings go in by. Absent: the guide's.
    #[serde(default)]
    pub ingest: Ingest,
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
    /// PEM file, relative to the plan, of certificates of authorities that this side's hosts are
    /// trusted by besides the system's. Absent: the system's only.
    pub ca: Option<PathBuf>,
    /// Let plain http go to another machine on this side, credentials and recordings in clear. This
    /// machine needs no leave.
    #[serde(default)]
    pub plain_http: bool,
}

/// Ingestion surface of Genesys Cloud.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ingest {
    /// The recording-migration guide's endpoints. Not in the vendor's public API.
    #[default]
    Guide,
    /// The public API of Genesys Cloud EX.
    Public,
}

impl GenesysCloud {
    /// Root of the API, from `base_url` or `region`; `None` where neither leads to one.
    #[must_use]
    pub fn api_url(&self) -> Option<Url> {
        api_url(self.base_url.as_ref(), self.region.as_deref())
    }

    /// Where tokens are issued: `login_url`, or the API's host with `api.` turned into `login.`, as
    /// the vendor's SDKs do.
    #[must_use]
    pub fn token_url(&self) -> Option<Url> {
        token_url(self.login_url.clone(), self.api_url())
    }

    fn validate_region(&self) -> Result<(), String> {
        match &self.region {
            Some(_) if self.base_url.is_some() => {
                Err("target has both base_url and region; give one of them".to_owned())
            }
            Some(region) if domain(region).is_none() => {
                let nearest = nearest(region);
                Err(format!(
                    "target.region `{region}` is not a region of Genesys Cloud; the nearest known \
                     one is `{nearest}`"
                ))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn validate_authority(&self, authority: Option<&str>) -> Result<(), String> {
        let why = match authority {
            Some(authority) if authority.trim().is_empty() => {
                "mapping.external_id_authority is empty; name the source, or leave it out"
            }
            Some(_) if self.ingest == Ingest::Guide => {
                "mapping.external_id_authority needs target.ingest = \"public\": the guide has no \
                 external ids"
            }
            Some(_) | None => return Ok(()),
        };
        Err(why.to_owned())
    }
}

impl Section for GenesysCloud {
    fn main_url(&self) -> Option<Url> {
        self.api_url()
    }

    fn urls(&self) -> Vec<Option<Url>> {
        vec![self.api_url(), self.token_url()]
    }

    fn ca(&self) -> Option<&Path> {
        self.ca.as_deref()
    }

    fn plain_http(&self) -> bool {
        self.plain_http
    }

    fn validate(&self, _: &Carrier, external_id_authority: Option<&str>) -> Result<(), String> {
        self.validate_region()?;
        self.validate_authority(external_id_authority)?;
        let why = match self.api_url() {
            None => "target needs base_url, or a region such as us-east-1",
            Some(api) if !matches!(api.scheme(), "http" | "https") => {
                "target.base_url is not an http or https URL"
            }
            Some(_) if self.client_id.is_empty() => {
                "target.client_id and target.client_secret are required for Genesys Cloud"
            }
            Some(api)
                if self.ingest == Ingest::Guide && api.host_str().is_some_and(is_vendor_host) =>
            {
                "ingest = \"guide\" towards a vendor host is refused: those endpoints are not in \
                 the public API; use ingest = \"public\""
            }
            Some(_) => return Ok(()),
        };
        Err(why.to_owned())
    }
}
