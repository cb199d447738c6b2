//! `[source]`: one file for each kind. This file is the only one that names them all.

mod files;
mod genesys_cloud;
mod legacy;

use std::path::Path;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

pub use files::Files;
pub use genesys_cloud::GenesysCloud;
pub use legacy::Legacy;

/// `[source]`, told apart by its `kind`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(tag = "kind")]
pub enum Source {
    /// The legacy CCaaS platform.
    Legacy(Box<Legacy>),
    /// A folder of audio with CSV, NDJSON or JSON.
    Files(Box<Files>),
    /// A Genesys Cloud organisation.
    GenesysCloud(Box<GenesysCloud>),
}

impl Source {
    /// The legacy platform's keys; `None` for another kind of source.
    #[must_use]
    pub fn legacy(&self) -> Option<&Legacy> {
        match self {
            Source::Legacy(legacy) => Some(legacy),
            Source::Files(_) | Source::GenesysCloud(_) => None,
        }
    }

    /// The keys of a source of files; `None` for another kind of source.
    #[must_use]
    pub fn files(&self) -> Option<&Files> {
        match self {
            Source::Files(files) => Some(files),
            Source::Legacy(_) | Source::GenesysCloud(_) => None,
        }
    }

    /// The keys of an organisation of Genesys Cloud; `None` for another kind of source.
    #[must_use]
    pub fn genesys_cloud(&self) -> Option<&GenesysCloud> {
        match self {
            Source::GenesysCloud(cloud) => Some(cloud),
            Source::Legacy(_) | Source::Files(_) => None,
        }
    }

    /// The address the source is known by. Absent: this kind has none.
    #[must_use]
    pub fn main_url(&self) -> Option<Url> {
        match self {
            Source::Legacy(legacy) => Some(legacy.base_url.clone()),
            Source::GenesysCloud(cloud) => cloud.api_url(),
            Source::Files(_) => None,
        }
    }

    /// Every address that something is sent to; `None` for one that the plan does not lead to.
    #[must_use]
    pub fn urls(&self) -> Vec<Option<Url>> {
        match self {
            Source::Legacy(legacy) => vec![Some(legacy.base_url.clone())],
            Source::GenesysCloud(cloud) => vec![cloud.api_url(), cloud.token_url()],
            Source::Files(_) => Vec::new(),
        }
    }

    /// Start of the window, inclusive. Absent: no bound.
    #[must_use]
    pub fn from(&self) -> Option<Timestamp> {
        match self {
            Source::Legacy(legacy) => legacy.from,
            Source::Files(files) => files.from,
            Source::GenesysCloud(cloud) => cloud.from,
        }
    }

    /// End of the window, exclusive. Absent: no bound.
    #[must_use]
    pub fn to(&self) -> Option<Timestamp> {
        match self {
            Source::Legacy(legacy) => legacy.to,
            Source::Files(files) => files.to,
            Source::GenesysCloud(cloud) => cloud.to,
        }
    }

    /// Hosts besides the main one from which media may be fetched.
    #[must_use]
    pub fn media_hosts(&self) -> &[String] {
        self.legacy().map_or(&[], |legacy| &legacy.media_hosts)
    }

    /// PEM file of authorities that the source's hosts are trusted by besides the system's.
    #[must_use]
    pub fn ca(&self) -> Option<&Path> {
        match self {
            Source::Legacy(legacy) => legacy.ca.as_deref(),
            Source::GenesysCloud(cloud) => cloud.ca.as_deref(),
            Source::Files(_) => None,
        }
    }

    /// Whether plain http may go to another machine on this side.
    #[must_use]
    pub fn plain_http(&self) -> bool {
        match self {
            Source::Legacy(legacy) => legacy.plain_http,
            Source::GenesysCloud(cloud) => cloud.plain_http,
            Source::Files(_) => false,
        }
    }

    /// What makes a well-formed section unusable.
    pub(crate) fn validate(&self) -> Result<(), String> {
        match self {
            Source::Legacy(legacy) => legacy.validate(),
            Source::Files(files) => files.validate(),
            Source::GenesysCloud(cloud) => cloud.validate(),
        }
    }
}
