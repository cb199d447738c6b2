//! Moves recordings with their metadata from a source to a target, and can be killed at any instant without losing or doubling one.
//!
//! Per interaction: extract, stage, normalise, resolve, convert, ingest, link, retain, confirm; each step is durable before the next
//! and safe to repeat. [`step::next_step`] decides from the ledger's state alone, so a resumed run is the same code as a first run.

mod again;
mod behind;
mod canary;
mod canonical;
mod convert;
mod coverage;
mod custody;
mod custody_check;
mod dry_run;
mod engine;
mod extract;
mod genesys_cloud;
mod gir;
mod ledger;
mod outcome;
mod outgoing;
mod phone;
mod preflight;
mod resolve;
mod stage;
mod staging;
mod status;
pub mod step;
mod target;
mod time;

pub use again::{Named, Retry};
pub use behind::{Behind, LeftBehind, way_back};
pub use canary::{Canary, CanaryState, confirm_canary, withdraw_checklist, write_checklist};
pub use canonical::{Canonical, CanonicalRecording, CanonicalSegment, Repair};
pub use coverage::Coverage;
pub use custody_check::CustodyCheck;
pub use dry_run::{DeclaredLoss, declared_losses};
pub use engine::{Options, Progress, migrate};
pub use outcome::{Outcome, StandInCounts, Stop, Tally};
pub use preflight::{Finding as PreflightFinding, Preflight, preflight};
pub use status::{Status, StatusOptions, status};
