//! Moves recordings with their metadata from a source to a target, and can be killed at any instant
//! without losing or doubling one.
//!
//! Per interaction: extract, stage, normalise, resolve, convert, ingest, link, retain, confirm;
//! each step is durable before the next and safe to repeat. [`step::next_step`] decides from the
//! ledger's state alone, so a resumed run is the same code as a first run.

mod again;
mod behind;
mod canary;
mod canonical;
mod context;
mod convert;
mod copy;
mod coverage;
mod custody;
mod custody_check;
mod digest;
mod encrypt;
mod engine;
mod error;
mod export;
mod extract;
mod file_name;
mod holds;
mod ledger;
mod legacy_id;
mod options;
mod outcome;
mod phone;
mod plan_change;
mod preflight;
mod prepare;
mod resolve;
mod run;
mod selection;
mod several_runs;
mod source;
mod stage;
mod staging;
mod status;
pub mod step;
mod target;
mod time;
mod upload_source;

pub use behind::{Behind, LeftBehind, way_back};
pub use canary::{Canary, CanaryState, confirm_canary, withdraw_checklist, write_checklist};
pub use canonical::{Canonical, CanonicalRecording, CanonicalSegment, Repair};
pub use copy::{Copied, copy_ledger};
pub use coverage::Coverage;
pub use custody_check::CustodyCheck;
pub use error::RunError;
pub use holds::Holds;
pub use ledger::{StandInCounts, Tally};
pub use options::{Options, Progress};
pub use outcome::Outcome;
pub use preflight::{Preflight, preflight};
pub use run::migrate;
pub use selection::{Named, Retry};
pub use source::files::{ExportPlaces, Inspection, Lacking, PerDay, Unread, inspect};
pub use status::{Status, StatusOptions, status};
pub use target::{DeclaredLoss, Finding as PreflightFinding, declared_losses, preflight_probe};
