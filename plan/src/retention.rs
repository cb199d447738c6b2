//! `[retention]`: years each retention class is kept.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::target::PurgeRule;

/// `[retention]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Beyond the organisation's maximum.
    pub over_max: OverMax,
    /// Ended before the migration.
    pub expired: Expired,
    /// The source's class names.
    pub class: BTreeMap<String, RetentionClass>,
    /// Conversations that the organisation protects against deletion at most. Absent: as many as the
    /// vendor says. Genesys Cloud alone has a maximum.
    pub max_holds: Option<u32>,
    /// Of these taken by conversations that are not of this migration. No API counts them.
    pub holds_taken: u32,
    /// What becomes of calls under legal hold for which no protection is left.
    pub holds_beyond_maximum: HoldsBeyondMaximum,
    /// GIR: the site's purge rules, which no API tells.
    pub gir_rule: Vec<PurgeRule>,
}

/// What becomes of a retention beyond the organisation's maximum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverMax {
    /// It stays behind.
    #[default]
    Quarantine,
    /// It is kept for the maximum.
    Clamp,
}

/// What becomes of calls under legal hold beyond what the organisation protects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldsBeyondMaximum {
    /// The plan is refused before the first write.
    #[default]
    Refuse,
    /// The latest calls under hold stay behind.
    Quarantine,
}

/// What becomes of a recording whose retention has ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expired {
    /// It stays behind.
    #[default]
    Skip,
    /// It goes.
    Migrate,
}

/// `[retention.class."7-Year Retention"]`.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionClass {
    /// Calendar years, counted from the call's end and never from the upload.
    pub years: i64,
}
