//! `[time]`: how source times become instants.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// `[time]`. Source: docs/reference/time.md.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeRules {
    /// Unit of the source's numbers. Absent: milliseconds.
    #[serde(default)]
    pub unit: TimeUnit,
    /// Zone of local text, for sources that give such. An IANA name.
    pub naive_zone: Option<String>,
    /// Where the recorders stand. An IANA name. Absent: daylight-saving errors cannot be told from
    /// plain shifts.
    pub site_zone: Option<String>,
    /// How far this machine's clock may be from what the platforms' answers say (`Date`). Seconds;
    /// absent: 300. Retention is judged by our clock.
    pub clock_tolerance_s: Option<u32>,
    /// Declared drift of each recorder node.
    #[serde(default)]
    pub node: BTreeMap<String, NodeTime>,
}

impl TimeRules {
    /// How far this machine's clock may be from the platforms'.
    #[must_use]
    pub fn clock_tolerance(&self) -> std::time::Duration {
        // Five minutes: what Kerberos and signed requests of the usual clouds allow a clock to be
        // wrong by.
        std::time::Duration::from_secs(self.clock_tolerance_s.unwrap_or(300).into())
    }
}

/// Unit of a source time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Milliseconds since 1970.
    #[default]
    Ms,
    /// Seconds since 1970.
    S,
}

/// `[time.node."N3"]`.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeTime {
    /// Added to what the node says; constant. Milliseconds.
    pub offset_ms: i64,
}
