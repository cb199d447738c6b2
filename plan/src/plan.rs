//! `plan.toml`, key by key. Source: docs/reference/plan.md.

use std::path::PathBuf;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use crate::audio::AudioRules;
use crate::identity::Identity;
use crate::pii::Pii;
use crate::retention::Retention;
use crate::rules::Rules;
use crate::secret::SecretRef;
use crate::source::Source;
use crate::staging::Staging;
use crate::target::Target;
use crate::time::TimeRules;

/// A whole plan. Unknown keys are refused with the nearest known one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Format of this file: 1.
    pub plan_version: u32,
    /// How a target record is tied to its source.
    pub identity: Identity,
    /// Where recordings come from.
    pub source: Source,
    /// Where they go.
    pub target: Target,
    /// Tables from legacy ids to target ids.
    pub mapping: MappingFiles,
    /// What to do where a table or a record is incomplete.
    pub rules: Rules,
    /// How source times become instants. Absent: milliseconds, UTC, no drift.
    #[serde(default)]
    pub time: TimeRules,
    /// Target format and tolerance.
    #[serde(default)]
    pub audio: AudioRules,
    /// Protection of numbers and of what is said in pauses. Required, without a default: nobody
    /// decides this by accident.
    pub pii: Pii,
    /// Years each retention class is kept.
    #[serde(default)]
    pub retention: Retention,
    /// Object storage for raw JSON and audio.
    pub staging: Staging,
    /// Durable state of the migration.
    pub ledger: Ledger,
    /// Upper bounds of speed.
    #[serde(default)]
    pub pace: Pace,
}

impl Plan {
    /// JSON Schema of `plan.toml`.
    #[must_use]
    pub fn schema() -> Schema {
        schemars::schema_for!(Plan)
    }
}

/// `[mapping]`: CSV files, relative to the plan.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingFiles {
    /// `legacy_agent_id,genesys_user_id,genesys_user_name[,gir_username,gir_login,gir_access_group][,valid_from,valid_to]`.
    pub agents: PathBuf,
    /// `legacy_queue_id,genesys_queue_id[,gir_partition]`.
    pub queues: PathBuf,
    /// `legacy_skill,genesys_skill_id`. Absent: no skill is carried.
    pub skills: Option<PathBuf>,
    /// `legacy_code,genesys_wrapup_id`. Absent: no wrap-up is mapped.
    pub wrapups: Option<PathBuf>,
    /// Public ingestion: each agent's legacy id is written into the target as an external id of its
    /// user under this authority, so that whoever audits later can read the mapping back. Absent:
    /// none is written.
    pub external_id_authority: Option<String>,
}

/// `[ledger]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// `sqlite:///...` or `postgresql://USER@HOST:5432/DATABASE`; a plain path is SQLite, relative
    /// to the plan.
    pub url: String,
    /// PostgreSQL: the user's password. Absent: `PGPASSWORD`, then `.pgpass`, as `psql` has it.
    pub password: Option<SecretRef>,
    /// PostgreSQL: how long a run may be away before others take its calls over, seconds.
    #[serde(default = "lease_s")]
    pub lease_s: u32,
}

/// Longer than a database takes to restart, short enough to wait for.
fn lease_s() -> u32 {
    60
}

/// `[pace]`: upper bounds; what the platform announces or refuses lowers them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pace {
    /// Interactions worked on at once.
    pub workers: usize,
    /// Requests a minute to the target, uploads apart.
    pub requests_per_minute: u32,
    /// Uploads a second.
    pub uploads_per_second: u32,
}

impl Default for Pace {
    fn default() -> Pace {
        // 16 workers: the guide's 10-20; 300 and 100: the limits of the target as documented and as
        // the guide gives them.
        Pace {
            workers: 16,
            requests_per_minute: 300,
            uploads_per_second: 100,
        }
    }
}
