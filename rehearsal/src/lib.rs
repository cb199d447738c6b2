//! Puts the roles together: simulators, a migrator and the verifier under one clock, and judges what comes out against what a scenario expects.
//!
//! Nothing of a platform, of moving or of comparing is known here. [`rehearse`] runs one scenario.

mod clock;
mod ending;
pub mod explore;
pub mod forecast;
mod judge;
mod junit;
mod migration;
mod narrator;
mod records;
mod run;
mod surroundings;

pub use ending::Ending;
pub use judge::Expectation;
pub use junit::junit;
pub use migration::{Between, Command, Migrator};
pub use narrator::{Narrator, Silent};
pub use run::{Options, Refusal, Rehearsed, rehearse};
pub use surroundings::{Time, TimeError};
