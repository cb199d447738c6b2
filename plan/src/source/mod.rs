//! `[source]`: one file for each kind. This file is the only one that names them all.

mod files;
mod legacy;

use std::path::Path;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

pub use files::Files;
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
}

impl Source {
    /// The legacy platform's keys; `None` for another kind of source.
    #[must_use]
    pub fn legacy(&self) -> Option<&Legacy> {
        match self {
            Source::Legacy(legacy) => Some(legacy),
            Source::Files(_) => None,
        }
    }

    /// The keys of a source of files; `None` for another kind of source.
    #[must_use]
    pub fn files(&self) -> Option<&Files> {
        match self {
            Source::Files(files) => Some(files),
            Source::Legacy(_) => None,
        }
    }

    /// The address the source is known by. Absent: this kind has none.
    #[must_use]
    pub fn main_url(&self) -> Option<&Url> {
        self.legacy().map(|legacy| &legacy.base_url)
    }

    /// Start of the window, inclusive. Absent: no bound.
    #[must_use]
    pub fn from(&self) -> Option<Timestamp> {
        match self {
            Source::Legacy(legacy) => legacy.from,
            Source::Files(files) => files.from,
        }
    }

    /// End of the window, exclusive. Absent: no bound.
    #[must_use]
    pub fn to(&self) -> Option<Timestamp> {
        match self {
            Source::Legacy(legacy) => legacy.to,
            Source::Files(files) => files.to,
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
        self.legacy()?.ca.as_deref()
    }

    /// Whether plain http may go to another machine on this side.
    #[must_use]
    pub fn plain_http(&self) -> bool {
        self.legacy().is_some_and(|legacy| legacy.plain_http)
    }

    /// What makes a well-formed section unusable.
    pub(crate) fn validate(&self) -> Result<(), String> {
        match self {
            Source::Legacy(legacy) => legacy.validate(),
            Source::Files(files) => files.validate(),
        }
    }
}
