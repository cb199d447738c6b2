//! `[target]`: one file for each kind. This file is the only one that names them all.

mod genesys_cloud;
mod gir;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

pub use genesys_cloud::{GenesysCloud, Ingest};
pub use gir::{Gir, PurgeRule, Repost};

use crate::identity::Carrier;

/// `[target]`, told apart by its `kind`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(tag = "kind")]
pub enum Target {
    /// Genesys Cloud CX.
    GenesysCloud(Box<GenesysCloud>),
    /// Genesys Interaction Recording.
    Gir(Box<Gir>),
}

/// What every kind of target tells of itself.
trait Section {
    /// The address the target is known by.
    fn main_url(&self) -> Option<Url>;
    /// Every address that something is sent to; `None` for one that the plan does not lead to.
    fn urls(&self) -> Vec<Option<Url>>;
    /// PEM file of authorities that its hosts are trusted by.
    fn ca(&self) -> Option<&Path>;
    /// Whether plain http may go to another machine.
    fn plain_http(&self) -> bool;
    /// Certificates of whom recordings are encrypted for.
    fn certificates(&self) -> &[PathBuf] {
        &[]
    }
    /// What makes a well-formed plan unusable towards it.
    fn validate(
        &self,
        carrier: &Carrier,
        external_id_authority: Option<&str>,
    ) -> Result<(), String>;
}

impl Target {
    fn section(&self) -> &dyn Section {
        match self {
            Target::GenesysCloud(cloud) => &**cloud,
            Target::Gir(gir) => &**gir,
        }
    }

    /// Kind of target.
    #[must_use]
    pub fn kind(&self) -> TargetKind {
        match self {
            Target::GenesysCloud(_) => TargetKind::GenesysCloud,
            Target::Gir(_) => TargetKind::Gir,
        }
    }

    /// The keys of Genesys Cloud; `None` for another target.
    #[must_use]
    pub fn genesys_cloud(&self) -> Option<&GenesysCloud> {
        match self {
            Target::GenesysCloud(cloud) => Some(cloud),
            Target::Gir(_) => None,
        }
    }

    /// The keys of Interaction Recording; `None` for another target.
    #[must_use]
    pub fn gir(&self) -> Option<&Gir> {
        match self {
            Target::GenesysCloud(_) => None,
            Target::Gir(gir) => Some(gir),
        }
    }

    /// The address the target is known by.
    #[must_use]
    pub fn main_url(&self) -> Option<Url> {
        self.section().main_url()
    }

    /// Every address that something is sent to; `None` for one that the plan does not lead to.
    #[must_use]
    pub fn urls(&self) -> Vec<Option<Url>> {
        self.section().urls()
    }

    /// PEM file of authorities that the target's hosts are trusted by besides the system's.
    #[must_use]
    pub fn ca(&self) -> Option<&Path> {
        self.section().ca()
    }

    /// Whether plain http may go to another machine on this side.
    #[must_use]
    pub fn plain_http(&self) -> bool {
        self.section().plain_http()
    }

    /// Certificates of whom recordings are encrypted for, PEM files relative to the plan. None:
    /// recordings go clear.
    #[must_use]
    pub fn certificates(&self) -> &[PathBuf] {
        self.section().certificates()
    }

    pub(crate) fn validate(
        &self,
        carrier: &Carrier,
        external_id_authority: Option<&str>,
    ) -> Result<(), String> {
        self.section().validate(carrier, external_id_authority)
    }
}

/// Kind of target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// Genesys Cloud CX.
    GenesysCloud,
    /// Genesys Interaction Recording.
    Gir,
}

impl TargetKind {
    /// As a plan names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            TargetKind::GenesysCloud => "genesys_cloud",
            TargetKind::Gir => "gir",
        }
    }
}

/// Columns that a kind of target adds to `agents.csv`. All are read under any plan, so that one
/// table can serve several.
pub(crate) const AGENT_COLUMNS: &[&str] = gir::AGENT_COLUMNS;
/// Columns that a kind of target adds to `queues.csv`.
pub(crate) const QUEUE_COLUMNS: &[&str] = &[gir::PARTITION];
