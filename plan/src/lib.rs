//! The migration plan: the one thing the migrator and the verifier are both held to.
//!
//! This crate reads and validates data: `plan.toml`, the mapping files and the exclusions file. It
//! decides nothing: no id is resolved here, no date is moved and no number is masked. Migrator and
//! verifier each write those rules on their own, so that a wrong rule in one is seen by the other
//! (`tests/architecture.rs` holds this).

mod audio;
mod error;
mod identity;
pub mod layout;
mod loaded;
mod mapping;
mod pii;
mod plan;
mod reason;
mod region;
mod retention;
mod rules;
mod secret;
pub mod source;
mod staging;
pub mod target;
mod time;

pub use audio::{AudioFormat, AudioRules, FfmpegUse, ShortSource};
pub use error::PlanError;
pub use identity::{Carrier, Identity};
pub use layout::Layout;
pub use loaded::{Exclusion, LoadedPlan, PlanText};
pub use mapping::{AgentRow, Mapping, QueueRow, SkillRow, WrapupRow};
pub use pii::{Pauses, Phones, Pii};
pub use plan::{Ledger, MappingFiles, Pace, Plan};
pub use reason::Reason;
pub use region::{REGIONS, is_vendor_host};
pub use retention::{Expired, HoldsBeyondMaximum, OverMax, Retention, RetentionClass};
pub use rules::{Partial, Rules, UnmappedAgent, UnmappedQueue};
pub use secret::{Secret, SecretRef};
pub use source::Source;
pub use staging::{Azure, S3, S3Encryption, Staging, StagingPlace};
pub use target::{Ingest, PurgeRule, Repost, Target, TargetKind};
pub use time::{NodeTime, TimeRules, TimeUnit};
