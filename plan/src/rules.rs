//! `[rules]`: what to do where a table or a record is incomplete.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

/// `[rules]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// For a call whose agent has no row valid at its date.
    #[schemars(with = "String")]
    pub unmapped_agent: UnmappedAgent,
    /// For a call whose queue has no row.
    #[schemars(with = "String")]
    pub unmapped_queue: UnmappedQueue,
    /// Largest share of calls, 0 to 1, that may go to a stand-in: the fallback user or the default
    /// queue. More of them end a run before the first write. Absent: no bound; they are counted and
    /// named all the same.
    #[serde(default)]
    pub max_fallback_share: Option<f64>,
    /// For an interaction of which one recording is quarantined. Absent: hold.
    #[serde(default)]
    pub partial: Partial,
    /// Take staged bytes for the source's where the source gave no size to hold them against.
    #[serde(default)]
    pub trust_staging: bool,
    /// Recordings agreed to stay behind: `legacy_recording_id,reason,decided_by,decided_at`.
    pub exclusions: Option<PathBuf>,
}

/// What becomes of an agent without a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum UnmappedAgent {
    /// `fallback:<user id>`: this user stands in.
    Fallback(Uuid),
    /// `quarantine`: the interaction stays behind.
    Quarantine,
}

impl TryFrom<String> for UnmappedAgent {
    type Error = String;
    fn try_from(text: String) -> Result<UnmappedAgent, String> {
        match text.split_once(':') {
            None if text == "quarantine" => Ok(UnmappedAgent::Quarantine),
            Some(("fallback", id)) => Uuid::parse_str(id)
                .map(UnmappedAgent::Fallback)
                .map_err(|_| format!("unmapped_agent: `{id}` is not a user id (a UUID)")),
            _ => Err(format!(
                "unmapped_agent `{text}`: expected quarantine or fallback:<user id>"
            )),
        }
    }
}

/// What becomes of a queue without a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum UnmappedQueue {
    /// `default:<queue id>`: this queue stands in.
    Default(Uuid),
    /// `skip`: the interaction stays behind.
    Skip,
}

impl TryFrom<String> for UnmappedQueue {
    type Error = String;
    fn try_from(text: String) -> Result<UnmappedQueue, String> {
        match text.split_once(':') {
            None if text == "skip" => Ok(UnmappedQueue::Skip),
            Some(("default", id)) => Uuid::parse_str(id)
                .map(UnmappedQueue::Default)
                .map_err(|_| format!("unmapped_queue: `{id}` is not a queue id (a UUID)")),
            _ => Err(format!(
                "unmapped_queue `{text}`: expected skip or default:<queue id>"
            )),
        }
    }
}

/// What becomes of an interaction of which one recording is quarantined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Partial {
    /// All of it stays behind.
    #[default]
    Hold,
    /// The other recordings go.
    SendRest,
}
