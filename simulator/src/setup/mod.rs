//! What is simulated, as data: which world, which limits, what goes wrong, and how time runs. The
//! simulator's part of a scenario file.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::config_error::ConfigError;
use crate::config_file::ConfigFile;
use crate::faults::{FaultRule, Injected};
use crate::platforms::genesys_cloud::{AccessSettings, Ingest, PublicSettings, Settings};
use crate::platforms::gir;
use crate::platforms::legacy::LegacySettings;
use crate::platforms::registry::{self, SourceKind, TargetKind};
use crate::world::{Planting, WorldSettings};

/// The simulator's part of a scenario file, read and checked.
#[derive(Clone)]
pub struct Setup {
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
    /// Where from.
    pub source: SourceKind,
    /// Where to.
    pub target: TargetKind,
    /// By which surface.
    pub ingest: Ingest,
    /// The source population.
    pub world: WorldSettings,
    /// Limits of the target.
    pub genesys_cloud: Settings,
    /// Limits of the organisation that recordings are moved from, where `source` is one.
    pub genesys_cloud_source: Settings,
    /// What is set about the simulated Genesys Interaction Recording.
    pub gir: gir::Settings,
    /// Limits of the source.
    pub legacy: LegacySettings,
    /// The simulators' clock.
    pub clock: ClockSettings,
    /// What goes wrong while the migrator works.
    pub faults: Vec<FaultRule>,
    /// Exactly these faults of requests and platforms strike, instead of what the rules say.
    /// Absent: the rules decide.
    pub replay: Option<Vec<Injected>>,
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
    /// Nobody waits: time jumps to the next deadline whenever everybody waits for one. Simulators
    /// and clients in one process, over in-memory pipes; only `rehearse` and `explore` can do it.
    Virtual,
}

/// `[clock]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClockSettings {
    /// How time runs.
    pub mode: ClockMode,
    /// Simulated seconds in a real one, for `scaled`: limiter windows, `Retry-After`, token life
    /// and jobs all follow, so that one real second of waiting is `factor` seconds of a
    /// `Retry-After`.
    pub factor: f64,
    /// The instant at which the scenario begins, whatever the day it is run on. Left out: the
    /// world's own, that is midnight UTC after its last day. Served to other programs (`simulate`,
    /// `--migrator`), a generated world is moved to the machine's day instead, by as many days as
    /// lie between: each call keeps its age.
    #[schemars(with = "Option<String>")]
    pub start: Option<jiff::Timestamp>,
}

impl ClockSettings {
    /// A virtual clock that starts at the world's own instant.
    #[must_use]
    pub fn virtual_time() -> ClockSettings {
        ClockSettings {
            mode: ClockMode::Virtual,
            ..ClockSettings::default()
        }
    }
}

impl Default for ClockSettings {
    fn default() -> ClockSettings {
        ClockSettings {
            mode: ClockMode::Real,
            factor: 60.0,
            start: None,
        }
    }
}

/// The part as written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Setup")]
struct Written {
    /// What is rehearsed, in a sentence.
    about: String,
    /// Decides the world and the faults.
    seed: u64,
    /// Decides where faults of requests and platforms strike, so that the same world meets others.
    /// Absent: `seed` does.
    #[serde(default)]
    fault_seed: Option<u64>,
    /// Where from.
    #[serde(default)]
    source: SourceKind,
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
    /// The target.
    #[serde(default)]
    genesys_cloud: WrittenGenesysCloud,
    /// The organisation that recordings are moved from, where `source` is one.
    #[serde(default)]
    genesys_cloud_source: WrittenGenesysCloudSource,
    /// Genesys Interaction Recording, which is simulated beside the target.
    #[serde(default)]
    gir: gir::Settings,
    /// The source.
    #[serde(default)]
    legacy: WrittenLegacy,
    /// The simulators' clock.
    #[serde(default)]
    clock: ClockSettings,
    /// What goes wrong while the migrator works.
    #[serde(default)]
    #[schemars(with = "Vec<FaultRule>")]
    fault: Vec<Spanned<FaultRule>>,
    /// A run's log of faults, instead of what the rules would do.
    #[serde(default)]
    #[schemars(with = "Option<Replay>")]
    replay: Option<Spanned<Replay>>,
}

/// `[replay]`: exactly the faults of a log strike.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Replay {
    /// NDJSON as `GET /_sim/faults/log` gives it; relative to the scenario.
    file: PathBuf,
}

impl Replay {
    fn read(&self, dir: &Path) -> Result<Vec<Injected>, ConfigError> {
        let path = dir.join(&self.file);
        let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::Unreadable {
            path: path.clone(),
            source,
        })?;
        Injected::read_log(&text).map_err(|(line, why)| ConfigError::at(&path, line, why))
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
        Settings {
            ingest,
            access: self.access,
            public: self.public,
            ..self.limits
        }
    }
}

/// `[genesys_cloud_source]`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "GenesysCloudSourceSection")]
struct WrittenGenesysCloudSource {
    /// Limits of the simulated organisation.
    limits: Settings,
    /// What it hides from its client.
    access: AccessSettings,
}

impl WrittenGenesysCloudSource {
    fn is_written(&self) -> bool {
        self.limits != Settings::default() || self.access != AccessSettings::default()
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

impl Setup {
    /// The keys of the file's top level that are the simulator's.
    pub const KEYS: [&str; 14] = [
        "about",
        "seed",
        "fault_seed",
        "source",
        "target",
        "ingest",
        "world",
        "genesys_cloud",
        "genesys_cloud_source",
        "gir",
        "legacy",
        "clock",
        "fault",
        "replay",
    ];

    /// Reads the simulator's part from text in which there is nothing else; `name` stands for the
    /// file in messages, relative paths start from the working directory.
    ///
    /// # Errors
    ///
    /// A line says what cannot be used, an unknown key among it, or a file it names is not there or
    /// not readable ([`ConfigError`]).
    pub fn parse(text: &str, name: &str) -> Result<Setup, ConfigError> {
        let file = ConfigFile::of_text(text, name);
        file.check_keys(&Setup::KEYS)?;
        Setup::part_of(&file)
    }

    /// Reads the simulator's part of a file, whatever else there is in it.
    ///
    /// # Errors
    ///
    /// A line of this part says what cannot be used, or a file it names is not there or not
    /// readable ([`ConfigError`]).
    pub fn part_of(file: &ConfigFile) -> Result<Setup, ConfigError> {
        Setup::checked(file.part(&Setup::KEYS)?, file)
    }

    /// What a reader of the results must know about this scenario, such as limits raised to be
    /// quick.
    pub fn notices(&self) -> Vec<String> {
        if self.target == TargetKind::Gir {
            return vec!["the target has no published limit, and none here".to_owned()];
        }
        let usual = Settings::default();
        let pairs = [
            (
                self.genesys_cloud.requests_per_minute,
                usual.requests_per_minute,
            ),
            (
                self.genesys_cloud.uploads_per_second,
                usual.uploads_per_second,
            ),
        ];
        if pairs.iter().any(|(now, _)| *now == 0) {
            return vec!["limits switched off for the demonstration".to_owned()];
        }
        let raised = pairs
            .iter()
            .map(|(now, usual)| f64::from(*now) / f64::from((*usual).max(1)))
            .fold(1.0, f64::max);
        if raised > 1.0 {
            vec![format!(
                "limits raised {}x for the demonstration",
                (raised * 10.0).round() / 10.0
            )]
        } else {
            Vec::new()
        }
    }

    /// Wrong data that the source is to have.
    pub(crate) fn plantings(&self) -> Vec<Planting> {
        plantings(&self.faults)
    }

    /// What it sets about the platforms.
    pub(crate) fn platform_settings(&self) -> registry::Settings {
        registry::Settings {
            source: self.source,
            genesys_cloud_source: self.genesys_cloud_source.clone(),
            legacy: self.legacy.clone(),
            genesys_cloud: self.genesys_cloud.clone(),
            gir: self.gir.clone(),
        }
    }

    fn checked(written: Written, file: &ConfigFile) -> Result<Setup, ConfigError> {
        let at = |span: std::ops::Range<usize>| move |reason: String| file.error_at(span, reason);
        let within = |heading: &'static str| move |reason: String| file.error_in(heading, reason);
        for fault in &written.fault {
            fault.get_ref().check().map_err(at(fault.span()))?;
        }
        if let Some(world) = &written.world {
            world.get_ref().check().map_err(at(world.span()))?;
            refuse_generated_knobs(file).map_err(at(world.span()))?;
        }
        let world = written
            .world
            .as_ref()
            .map(|world| world.get_ref().clone())
            .unwrap_or_default();
        let faults: Vec<FaultRule> = written
            .fault
            .iter()
            .map(|fault| fault.get_ref().clone())
            .collect();
        let first_planted = written
            .fault
            .iter()
            .find(|fault| fault.get_ref().domain().is_some());
        if let Some(first) = first_planted {
            world
                .check_planted(&plantings(&faults))
                .map_err(at(first.span()))?;
        }
        if written.source != SourceKind::Legacy
            && let Some(first) = first_planted
        {
            return Err(at(first.span())(
                "wrong data of the source is planted in the legacy platform only; leave out \
                 `source`, or this fault"
                    .to_owned(),
            ));
        }
        if written.source == SourceKind::Legacy && written.genesys_cloud_source.is_written() {
            return Err(file.error_in(
                "[genesys_cloud_source",
                "has no effect without source = \"genesys_cloud\"",
            ));
        }
        let replay = written
            .replay
            .as_ref()
            .map(|replay| replay.get_ref().read(file.dir()))
            .transpose()?;
        written
            .genesys_cloud
            .limits
            .check()
            .map_err(within("[genesys_cloud.limits]"))?;
        written
            .genesys_cloud
            .access
            .check()
            .map_err(within("[genesys_cloud.access]"))?;
        written
            .genesys_cloud_source
            .limits
            .check()
            .map_err(within("[genesys_cloud_source.limits]"))?;
        written
            .genesys_cloud_source
            .access
            .check()
            .map_err(within("[genesys_cloud_source.access]"))?;
        written
            .legacy
            .limits
            .check()
            .map_err(within("[legacy.limits]"))?;
        written.gir.check().map_err(within("[gir"))?;
        if written.clock.mode == ClockMode::Scaled
            && !(0.01..=100_000.0).contains(&written.clock.factor)
        {
            return Err(file.error_in("[clock]", "clock.factor must be 0.01..100000"));
        }
        Ok(Setup {
            name: file.name().to_owned(),
            dir: file.dir().to_owned(),
            about: written.about,
            seed: written.seed,
            fault_seed: written.fault_seed,
            source: written.source,
            target: written.target,
            ingest: written.ingest,
            world,
            genesys_cloud: written.genesys_cloud.settings(written.ingest),
            genesys_cloud_source: Settings {
                access: written.genesys_cloud_source.access,
                ..written.genesys_cloud_source.limits
            },
            gir: written.gir,
            legacy: written.legacy.limits,
            clock: written.clock,
            faults,
            replay,
        })
    }
}

/// The part as written: what another reader of the file merges into the schema of the whole.
impl JsonSchema for Setup {
    fn schema_name() -> Cow<'static, str> {
        Written::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Written::json_schema(generator)
    }
}

fn plantings(faults: &[FaultRule]) -> Vec<Planting> {
    faults.iter().filter_map(FaultRule::planting).collect()
}

/// An imported world has no knobs but `file` and `site_zone`: anything else would be silently
/// without effect.
fn refuse_generated_knobs(file: &ConfigFile) -> Result<(), String> {
    let table: toml::Table = file.part(&["world"]).map_err(|error| error.to_string())?;
    let Some(world) = table
        .get("world")
        .and_then(toml::Value::as_table)
        .filter(|world| world.contains_key("file"))
    else {
        return Ok(());
    };
    match world
        .keys()
        .find(|key| !["file", "site_zone"].contains(&key.as_str()))
    {
        Some(key) => Err(format!(
            "`{key}` has no effect on an imported world; remove it, or remove `file`"
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
