//! The migration plan: the one thing the migrator and the verifier are both held to.
//!
//! This crate reads and validates data: `plan.toml`, the mapping files and the exclusions file. It decides nothing: no id is
//! resolved here, no date is moved and no number is masked. Migrator and verifier each write those rules on their own, so that a
//! wrong rule in one is seen by the other (`tests/architecture.rs` holds this).

mod error;
mod loaded;
mod mapping;
mod model;
mod reason;
mod region;
mod secret;

pub use error::PlanError;
pub use loaded::{Exclusion, LoadedPlan, PlanText};
pub use mapping::{AgentRow, Mapping, QueueRow, SkillRow, WrapupRow};
pub use model::{
    AudioFormat, AudioRules, Carrier, Expired, FfmpegUse, GirRule, Identity, Ingest, Ledger, MappingFiles, NodeTime, OverMax, Pace,
    Partial, Pauses, Phones, Pii, Plan, Repost, Retention, RetentionClass, Rules, ShortSource, Source, SourceKind, Staging, Target,
    TargetKind, TimeRules, TimeUnit, UnmappedAgent, UnmappedQueue,
};
pub use reason::Reason;
pub use region::{REGIONS, is_vendor_host};
pub use secret::{Secret, SecretRef};
