//! A rehearsal as data: what is simulated, what is done to the roles, and what must come out.
//!
//! The file is read here. What is simulated is the simulator's part of it ([`Setup`]), and the
//! simulator reads it.

mod after_migration;
mod expect;

use std::path::Path;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};
use simulator::{ConfigError, ConfigFile, Setup};
use toml::Spanned;

pub use after_migration::AfterMigration;
pub use expect::{Expect, ExpectedEnding};

/// A scenario file, read and checked.
#[derive(Clone)]
pub struct Scenario {
    /// What is simulated.
    pub setup: Setup,
    /// What differs from the plan that would fit by itself.
    pub plan: toml::Table,
    /// What is done to the migrator.
    pub migrator: MigratorSettings,
    /// How far the verifier looks.
    pub verifier: VerifierSettings,
    /// What is damaged between migration and verification.
    pub after_migration: Vec<AfterMigration>,
    /// What must come out.
    pub expect: Expect,
}

/// `[migrator]`: what is done to the migrator, whichever it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MigratorSettings {
    /// It is killed without a warning when the platforms have answered so many requests since its
    /// last start, and started again: once for each entry.
    pub kill_after_requests: Vec<u64>,
    /// How often it is started again after it stopped by itself with something left to do (exit
    /// code 11, 12 or 13). Left out: never.
    pub restarts: u32,
}

impl MigratorSettings {
    fn check(&self) -> Result<(), String> {
        if self.kill_after_requests.contains(&0) {
            return Err("[migrator]: kill_after_requests counts from 1".to_owned());
        }
        if self.kill_after_requests.len() > 1000 || self.restarts > 1000 {
            return Err("[migrator]: at most 1000 kills and 1000 restarts".to_owned());
        }
        Ok(())
    }
}

/// `[verifier]`: how far it looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VerifierSettings {
    /// It compares the audio of so many recordings only, drawn by the scenario's seed; 0: of none.
    /// Left out: of all.
    pub audio_sample: Option<usize>,
}

/// The rehearsal's part of the file, as written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Written {
    /// Overrides of the plan that fits by itself: the plan's own keys.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    plan: toml::Table,
    /// What is done to the migrator.
    #[serde(default)]
    #[schemars(with = "MigratorSettings")]
    migrator: Option<Spanned<MigratorSettings>>,
    /// How far the verifier looks.
    #[serde(default)]
    verifier: VerifierSettings,
    /// What is damaged between migration and verification.
    #[serde(default)]
    #[schemars(with = "Vec<AfterMigration>")]
    after_migration: Vec<Spanned<AfterMigration>>,
    /// What must come out.
    expect: Expect,
}

/// The keys of the file's top level that are not the simulator's.
const KEYS: [&str; 5] = ["plan", "migrator", "verifier", "after_migration", "expect"];

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    ///
    /// The file, or one it names, is not there or not readable, or a line says what cannot be used
    /// ([`ConfigError`]).
    pub fn read(path: &Path) -> Result<Scenario, ConfigError> {
        Scenario::of_file(&ConfigFile::read(path)?)
    }

    /// Reads a scenario from text; `name` stands for the file in messages, relative paths start
    /// from the working directory.
    ///
    /// # Errors
    ///
    /// A line says what cannot be used, or a file it names is not there or not readable
    /// ([`ConfigError`]).
    pub fn parse(text: &str, name: &str) -> Result<Scenario, ConfigError> {
        Scenario::of_file(&ConfigFile::of_text(text, name))
    }

    /// JSON Schema of a scenario file: both parts as one.
    pub fn schema() -> serde_json::Value {
        let mut generator = SchemaSettings::draft2020_12().into_generator();
        let mut whole = generator.root_schema_for::<Setup>();
        let own = Written::json_schema(&mut generator).to_value();
        whole.insert("title".to_owned(), "Scenario".into());
        whole.insert("description".to_owned(), "A scenario file.".into());
        whole.insert("$defs".to_owned(), generator.take_definitions(true).into());
        if let Some(properties) = whole
            .ensure_object()
            .get_mut("properties")
            .and_then(serde_json::Value::as_object_mut)
        {
            properties.extend(own["properties"].as_object().cloned().unwrap_or_default());
        }
        if let Some(required) = whole
            .ensure_object()
            .get_mut("required")
            .and_then(serde_json::Value::as_array_mut)
        {
            required.extend(own["required"].as_array().cloned().unwrap_or_default());
        }
        whole.to_value()
    }

    fn of_file(file: &ConfigFile) -> Result<Scenario, ConfigError> {
        file.check_keys(&[&Setup::KEYS[..], &KEYS].concat())?;
        let setup = Setup::part_of(file)?;
        let written: Written = file.part(&KEYS)?;
        for after in &written.after_migration {
            after
                .get_ref()
                .check()
                .map_err(|why| file.error_at(after.span(), why))?;
        }
        if let Some(migrator) = &written.migrator {
            migrator
                .get_ref()
                .check()
                .map_err(|why| file.error_at(migrator.span(), why))?;
        }
        Ok(Scenario {
            setup,
            plan: written.plan,
            migrator: written
                .migrator
                .map(Spanned::into_inner)
                .unwrap_or_default(),
            verifier: written.verifier,
            after_migration: written
                .after_migration
                .into_iter()
                .map(Spanned::into_inner)
                .collect(),
            expect: written.expect,
        })
    }
}

#[cfg(test)]
mod tests;
