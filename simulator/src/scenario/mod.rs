//! A rehearsal as data: which world, which limits, what goes wrong and what must come out.

mod expect;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::config_error::{ScenarioError, line_of};
use crate::faults::table::rows as fault_rows;
use crate::faults::{FaultRule, Injected};
use crate::platforms::genesys_cloud::{AccessSettings, Ingest, PublicSettings, Role, Settings};
use crate::platforms::gir;
use crate::platforms::legacy::LegacySettings;
use crate::platforms::registry::{self, TargetKind};
use crate::world::WorldSettings;

#[cfg(test)]
pub(crate) use expect::is_reason;
pub use expect::{Ending, Expect, Verdict};

/// A scenario file, read and checked.
#[derive(Clone)]
pub struct Scenario {
    /// The file's name without its ending, or what the caller called it.
    pub name: String,
    /// Folder that relative paths start from.
    pub dir: PathBuf,
    /// What is rehearsed, in a sentence.
    pub about: String,
    /// Decides the world and the faults.
    pub seed: u64,
    /// Decides where faults of requests and platforms strike. Absent: `seed` does.
    pub fault_seed: Option<u64>,
    /// Where to.
    pub target: TargetKind,
    /// By which surface.
    pub ingest: Ingest,
    /// The source population.
    pub world: WorldSettings,
    /// What differs from the plan that would fit by itself.
    pub plan: toml::Table,
    /// Limits of the target.
    pub genesys_cloud: Settings,
    /// What is set about the simulated Genesys Interaction Recording.
    pub gir: gir::Settings,
    /// Limits of the source.
    pub legacy: LegacySettings,
    /// The simulators' clock.
    pub clock: ClockSettings,
    /// What is done to the migrator.
    pub migrator: MigratorSettings,
    /// How far the verifier looks.
    pub verifier: VerifierSettings,
    /// What goes wrong while the migrator works.
    pub faults: Vec<FaultRule>,
    /// Exactly these faults of requests and platforms strike, instead of what the rules say. Absent: the rules decide.
    pub replay: Option<Vec<Injected>>,
    /// What is damaged between migration and verification.
    pub after_migration: Vec<AfterMigration>,
    /// What must come out.
    pub expect: Expect,
}

/// How the simulators' time runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClockMode {
    /// As this machine's.
    #[default]
    Real,
    /// `factor` times as fast.
    Scaled,
    /// Nobody waits: time jumps to the next deadline whenever everybody waits for one. Simulators and clients in one process, over in-memory
    /// pipes; only `rehearse` and `explore` can do it.
    Virtual,
}

/// `[clock]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClockSettings {
    /// How time runs.
    pub mode: ClockMode,
    /// Simulated seconds in a real one, for `scaled`: limiter windows, `Retry-After`, token life and jobs all follow, so that one real second of
    /// waiting is `factor` seconds of a `Retry-After`.
    pub factor: f64,
    /// The instant at which the scenario begins, whatever the day it is run on. Left out: the world's own, that is midnight UTC after its last
    /// day. Served to other programs (`simulate`, `--migrator`), a generated world is moved to the machine's day instead, by as many days
    /// as lie between: each call keeps its age.
    #[schemars(with = "Option<String>")]
    pub start: Option<jiff::Timestamp>,
}

impl ClockSettings {
    /// A virtual clock that starts at the world's own instant.
    #[must_use]
    pub fn virtual_time() -> ClockSettings {
        ClockSettings { mode: ClockMode::Virtual, ..ClockSettings::default() }
    }
}

impl Default for ClockSettings {
    fn default() -> ClockSettings {
        ClockSettings { mode: ClockMode::Real, factor: 60.0, start: None }
    }
}

/// `[[after_migration]]`: what happens once the migrator has finished: a damage to the target (`tamper`, `lose_media`), or a change of the
/// client's role (`role`), or nothing but time (`advance_days`). One of the four.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AfterMigration {
    /// A defect class to plant (`D18`).
    #[serde(default)]
    pub tamper: Option<String>,
    /// How many. Even for a class that needs pairs.
    #[serde(default = "one")]
    pub count: usize,
    /// Chooses the victims. Left out: the scenario's seed.
    #[serde(default)]
    pub seed: Option<u64>,
    /// The target loses the media of this many recordings: the same as `tamper = "D11"`.
    #[serde(default)]
    pub lose_media: Option<usize>,
    /// The client of Genesys Cloud loses permissions or divisions: an auditor's role is not a migrator's.
    #[serde(default)]
    pub role: Option<Role>,
    /// So many days pass on the simulators' clock.
    #[serde(default)]
    pub advance_days: Option<u64>,
}

impl AfterMigration {
    /// The defect class and the count this asks for.
    pub fn defect(&self) -> (&str, usize) {
        match (self.lose_media, &self.tamper) {
            (Some(count), _) => ("D11", count),
            (None, Some(defect)) => (defect, self.count),
            (None, None) => ("", 0),
        }
    }

    fn check(&self) -> Result<(), String> {
        let given = [self.tamper.is_some(), self.lose_media.is_some(), self.role.is_some(), self.advance_days.is_some()];
        if given.into_iter().filter(|given| *given).count() != 1 {
            return Err("[[after_migration]] needs one of `tamper`, `lose_media`, `role` and `advance_days`".to_owned());
        }
        match (&self.tamper, self.lose_media, self.advance_days) {
            (Some(defect), ..) if !expect::is_defect(defect) => {
                Err(format!("unknown defect class `{defect}` in tamper; classes are D01..D64"))
            }
            (_, Some(0), _) => Err("lose_media must be 1 or more".to_owned()),
            (_, _, Some(days)) if !(1..=MAX_DAYS).contains(&days) => Err(format!("advance_days must be 1 to {MAX_DAYS}")),
            _ => Ok(()),
        }
    }
}

/// `[migrator]`: what is done to the migrator, whichever it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MigratorSettings {
    /// It is killed without a warning when the platforms have answered so many requests since its last start, and started again: once for each entry.
    pub kill_after_requests: Vec<u64>,
    /// How often it is started again after it stopped by itself with something left to do (exit code 11, 12 or 13). Left out: never.
    pub restarts: u32,
}

/// `[verifier]`: how far it looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VerifierSettings {
    /// It compares the audio of so many recordings only, drawn by the scenario's seed; 0: of none. Left out: of all.
    pub audio_sample: Option<usize>,
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

/// Farthest the clock is moved on: a century. Beyond, dates of retention leave the calendar.
const MAX_DAYS: u64 = 36_525;

fn one() -> usize {
    1
}

/// The file as written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Scenario")]
struct Written {
    /// What is rehearsed, in a sentence.
    about: String,
    /// Decides the world and the faults.
    seed: u64,
    /// Decides where faults of requests and platforms strike, so that the same world meets others. Absent: `seed` does.
    #[serde(default)]
    fault_seed: Option<u64>,
    /// Where to.
    #[serde(default)]
    target: TargetKind,
    /// By which surface.
    #[serde(default)]
    ingest: Ingest,
    /// The source population: generated, or imported with `file`.
    #[serde(default)]
    #[schemars(with = "WorldSettings")]
    world: Option<Spanned<WorldSettings>>,
    /// Overrides of the plan that fits by itself: the plan's own keys.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    plan: toml::Table,
    /// The target.
    #[serde(default)]
    genesys_cloud: WrittenGenesysCloud,
    /// Genesys Interaction Recording, which is simulated beside the target.
    #[serde(default)]
    gir: gir::Settings,
    /// The source.
    #[serde(default)]
    legacy: WrittenLegacy,
    /// The simulators' clock.
    #[serde(default)]
    clock: ClockSettings,
    /// What is done to the migrator.
    #[serde(default)]
    migrator: MigratorSettings,
    /// How far the verifier looks.
    #[serde(default)]
    verifier: VerifierSettings,
    /// What goes wrong while the migrator works.
    #[serde(default)]
    #[schemars(with = "Vec<FaultRule>")]
    fault: Vec<Spanned<FaultRule>>,
    /// A run's log of faults, instead of what the rules would do.
    #[serde(default)]
    #[schemars(with = "Option<Replay>")]
    replay: Option<Spanned<Replay>>,
    /// What is damaged between migration and verification.
    #[serde(default)]
    #[schemars(with = "Vec<AfterMigration>")]
    after_migration: Vec<Spanned<AfterMigration>>,
    /// What must come out.
    #[schemars(with = "Expect")]
    expect: Spanned<Expect>,
}

/// `[replay]`: exactly the faults of a log strike.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Replay {
    /// NDJSON as `GET /_sim/faults/log` gives it; relative to the scenario.
    file: PathBuf,
}

impl Replay {
    fn read(&self, dir: &Path) -> Result<Vec<Injected>, ScenarioError> {
        let path = dir.join(&self.file);
        let text = std::fs::read_to_string(&path).map_err(|source| ScenarioError::Unreadable { path: path.clone(), source })?;
        Injected::read_log(&text).map_err(|(line, why)| ScenarioError::at(&path, line, why))
    }
}

/// `[genesys_cloud]`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "GenesysCloudSection")]
struct WrittenGenesysCloud {
    /// Limits of the simulated Genesys Cloud.
    limits: Settings,
    /// What it hides from its client.
    access: AccessSettings,
    /// What no page of the vendor states of its public ingestion.
    public: PublicSettings,
}

impl WrittenGenesysCloud {
    /// All of it, as the platform takes it.
    fn settings(self, ingest: Ingest) -> Settings {
        Settings { ingest, access: self.access, public: self.public, ..self.limits }
    }
}

/// `[legacy]`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "LegacySection")]
struct WrittenLegacy {
    /// Limits of the simulated source.
    limits: LegacySettings,
}

impl Scenario {
    /// Reads a scenario file.
    pub fn read(path: &Path) -> Result<Scenario, ScenarioError> {
        let text = std::fs::read_to_string(path).map_err(|source| ScenarioError::Unreadable { path: path.to_owned(), source })?;
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let dir = path.parent().map(Path::to_owned).unwrap_or_default();
        Scenario::checked(&text, path, name, dir)
    }

    /// Reads a scenario from text; `name` stands for the file in messages, relative paths start from the working directory.
    pub fn parse(text: &str, name: &str) -> Result<Scenario, ScenarioError> {
        Scenario::checked(text, Path::new(name), name.trim_end_matches(".toml").to_owned(), PathBuf::new())
    }

    /// JSON Schema of a scenario file.
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Written).to_value()
    }

    /// The fault table as JSON: one row a kind with what is right for it, and the operations a fault may name.
    pub fn fault_table() -> serde_json::Value {
        serde_json::json!({"version": 2, "faults": fault_rows().collect::<Vec<_>>(), "operations": crate::operations::all().collect::<Vec<_>>()})
    }

    /// JSON Schema of one `[[fault]]`.
    pub fn fault_schema() -> serde_json::Value {
        schemars::schema_for!(FaultRule).to_value()
    }

    /// What a reader of the results must know about this scenario, such as limits raised to be quick.
    pub fn notices(&self) -> Vec<String> {
        if self.target == TargetKind::Gir {
            return vec!["the target has no published limit, and none here".to_owned()];
        }
        let usual = Settings::default();
        let pairs = [
            (self.genesys_cloud.requests_per_minute, usual.requests_per_minute),
            (self.genesys_cloud.uploads_per_second, usual.uploads_per_second),
        ];
        if pairs.iter().any(|(now, _)| *now == 0) {
            return vec!["limits switched off for the demonstration".to_owned()];
        }
        let raised = pairs.iter().map(|(now, usual)| f64::from(*now) / f64::from((*usual).max(1))).fold(1.0, f64::max);
        if raised > 1.0 { vec![format!("limits raised {}x for the demonstration", (raised * 10.0).round() / 10.0)] } else { Vec::new() }
    }

    /// What it sets about the platforms.
    pub(crate) fn platform_settings(&self) -> registry::Settings {
        registry::Settings { legacy: self.legacy.clone(), genesys_cloud: self.genesys_cloud.clone(), gir: self.gir.clone() }
    }

    fn checked(text: &str, path: &Path, name: String, dir: PathBuf) -> Result<Scenario, ScenarioError> {
        let written: Written = toml::from_str(text).map_err(|error| ScenarioError::toml(path, text, &error))?;
        let at = |span: std::ops::Range<usize>| move |reason: String| ScenarioError::at(path, line_of(text, span.start), reason);
        for fault in &written.fault {
            fault.get_ref().check().map_err(at(fault.span()))?;
        }
        for damage in &written.after_migration {
            damage.get_ref().check().map_err(at(damage.span()))?;
        }
        written.expect.get_ref().check().map_err(at(written.expect.span()))?;
        if let Some(world) = &written.world {
            world.get_ref().check().map_err(at(world.span()))?;
            refuse_generated_knobs(text).map_err(at(world.span()))?;
        }
        written.migrator.check().map_err(|why| ScenarioError::at(path, 1, why))?;
        let world = written.world.as_ref().map(|world| world.get_ref().clone()).unwrap_or_default();
        let faults: Vec<FaultRule> = written.fault.iter().map(|fault| fault.get_ref().clone()).collect();
        let first_planted = written.fault.iter().find(|fault| fault.get_ref().domain().is_some());
        if let Some(first) = first_planted {
            world.check_planted(&faults).map_err(at(first.span()))?;
        }
        let replay = written.replay.as_ref().map(|replay| replay.get_ref().read(&dir)).transpose()?;
        let table = |name: &str| text.find(name).unwrap_or_default();
        let genesys_cloud = &written.genesys_cloud;
        genesys_cloud.limits.check().map_err(|why| ScenarioError::at(path, line_of(text, table("[genesys_cloud.limits]")), why))?;
        genesys_cloud.access.check().map_err(|why| ScenarioError::at(path, line_of(text, table("[genesys_cloud.access]")), why))?;
        let legacy = &written.legacy.limits;
        legacy.check().map_err(|why| ScenarioError::at(path, line_of(text, table("[legacy.limits]")), why))?;
        written.gir.check().map_err(|why| ScenarioError::at(path, line_of(text, table("[gir")), why))?;
        if written.clock.mode == ClockMode::Scaled && !(0.01..=100_000.0).contains(&written.clock.factor) {
            return Err(ScenarioError::at(path, 1, "clock.factor must be 0.01..100000"));
        }
        Ok(Scenario {
            name,
            dir,
            about: written.about,
            seed: written.seed,
            fault_seed: written.fault_seed,
            target: written.target,
            ingest: written.ingest,
            world,
            plan: written.plan,
            genesys_cloud: written.genesys_cloud.settings(written.ingest),
            gir: written.gir,
            legacy: written.legacy.limits,
            clock: written.clock,
            migrator: written.migrator,
            verifier: written.verifier,
            faults,
            replay,
            after_migration: written.after_migration.into_iter().map(Spanned::into_inner).collect(),
            expect: written.expect.into_inner(),
        })
    }
}

/// An imported world has no knobs but `file` and `site_zone`: anything else would be silently without effect.
fn refuse_generated_knobs(text: &str) -> Result<(), String> {
    let table: toml::Table = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    let Some(world) = table.get("world").and_then(toml::Value::as_table).filter(|world| world.contains_key("file")) else { return Ok(()) };
    match world.keys().find(|key| !["file", "site_zone"].contains(&key.as_str())) {
        Some(key) => Err(format!("`{key}` has no effect on an imported world; remove it, or remove `file`")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
