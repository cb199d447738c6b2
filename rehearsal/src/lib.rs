//! Puts the roles together: simulators, a migrator and the verifier under one clock, and judges
//! what comes out against what a scenario expects.
//!
//! Nothing of a platform, of moving or of comparing is known here. [`rehearse`] runs one scenario.

mod clock;
mod ending;
mod environment;
pub mod explore;
pub mod forecast;
mod judge;
mod junit;
mod migration;
mod narrator;
mod options;
mod records;
mod run;
mod running_scenario;
mod scenario;
pub mod self_test;

pub use ending::Ending;
pub use environment::{Time, TimeError};
pub use judge::Expectation;
pub use junit::junit;
pub use narrator::{Narrator, Silent};
pub use options::{Between, Command, Migrator, Options, Refusal};
pub use run::{Rehearsed, rehearse};
pub use scenario::{
    AfterMigration, Expect, ExpectedEnding, MigratorSettings, Scenario, VerifierSettings,
};
