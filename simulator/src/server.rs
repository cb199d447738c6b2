//! A running simulator: platforms on their listeners, the control API beside them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use futures_util::future::BoxFuture;
use jiff::civil::Date;
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;

use crate::addresses::{Account, Addresses, Client, Credentials, PlatformName, Ports};
use crate::clock::{BeyondCalendar, Clock};
use crate::conduct::ConductReport;
use crate::exchange::{Gate, Rim};
use crate::fault::{FaultRule, Faults, Injected};
use crate::front::{self, Core};
use crate::genesys_cloud::GenesysCloud;
use crate::gir::{Directory, ExportError, Exported, Gir, GirRouters, Site};
use crate::journal::{Digests, Entry};
use crate::legacy::Legacy;
use crate::listeners::Listeners;
use crate::one_port::OnePort;
use crate::plan_writer::{Fitting, PlanWriteError, TargetSection};
use crate::rules::{Grade, Rule};
use crate::scenario::{ClockMode, ClockSettings, Scenario, ScenarioError, TargetKind};
use crate::seed::Seed;
use crate::snapshots::{SnapshotError, SnapshotInfo, Snapshots};
use crate::tamper::{TamperAnswer, TamperRefusal};
use crate::world::{Target, World};

/// Bytes an in-memory connection holds before its writer waits.
const PIPE_BYTES: usize = 64 * 1024;

/// How a simulator is started, beside its scenario.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Ports of the listeners. All loopback.
    pub ports: Ports,
    /// Instead of the scenario's seed.
    pub seed: Option<u64>,
    /// Folder for what clients upload. Left out: a temporary folder, removed on drop.
    pub spool: Option<PathBuf>,
    /// Instead of the scenario's clock.
    pub clock: Option<ClockSettings>,
    /// All platforms on one port, told apart by host names, instead of one each.
    pub one_port: Option<OnePort>,
    /// Decides where faults strike, instead of the scenario's; the world stays.
    pub fault_seed: Option<u64>,
    /// The day on which this machine's programs meet the simulators: clocks show the machine's time, and a generated world is moved by whole days,
    /// so that its calls are as old on this day as they are when the scenario begins. Left out: the scenario begins at its own instant
    /// ([`ClockSettings::start`]), on any day. An imported world is never moved.
    pub served_on: Option<Date>,
    /// Exactly these faults strike, instead of what the scenario's rules say; wrong data of the source stays as the scenario has it.
    pub replay: Option<Vec<Injected>>,
}

/// Why a simulator did not start or could not answer.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The scenario or its imported world.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The world's days do not fit the day it is served on.
    #[error("{0}; choose another --day")]
    Day(String),
    /// A port is taken, most often.
    #[error("could not listen on 127.0.0.1:{port}: {source}; choose another port, or 0 for a free one")]
    Port {
        /// The port.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// The certificates of one port for all.
    #[error("could not make the certificates: {0}; leave TLS out, or look for a broken random source")]
    Tls(String),
    /// A virtual clock has no ports.
    #[error("one port for all platforms needs a real or scaled clock: under a virtual one nothing listens")]
    NoPort,
    /// The folder for uploads.
    #[error("could not make the spool folder: {0}; choose a folder that can be written to")]
    Spool(std::io::Error),
    /// The truth of a platform could not be told.
    #[error("could not tell the truth of {platform}: {reason}")]
    Truth {
        /// Which.
        platform: &'static str,
        /// Why.
        reason: String,
    },
    /// A damage could not be planted.
    #[error(transparent)]
    Tamper(#[from] TamperRefusal),
}

/// A running simulator. Dropping it stops every listener.
pub struct Simulator {
    pub(crate) state: Arc<State>,
    tasks: Vec<JoinHandle<()>>,
    routers: Arc<Routers>,
    ca_pem: Option<String>,
}

/// What the control API and the handle share.
pub(crate) struct State {
    pub(crate) core: Arc<Core>,
    pub(crate) world: Arc<World>,
    pub(crate) genesys_cloud: Arc<GenesysCloud>,
    pub(crate) gir: Arc<Gir>,
    pub(crate) scenario: Scenario,
    pub(crate) seed: u64,
    pub(crate) addresses: Addresses,
    pub(crate) credentials: Credentials,
    pub(crate) legacy: Arc<Legacy>,
    pub(crate) gate: Gate,
    pub(crate) snapshots: Snapshots,
    /// Where uploads lie.
    pub(crate) spool: PathBuf,
    target: Target,
    /// Removed with the last reference.
    _spool: Option<tempfile::TempDir>,
}

struct Routers {
    legacy: Router,
    media: Router,
    genesys_cloud: Router,
    gir: GirRouters,
    control: Router,
}

impl Routers {
    fn of(&self, platform: PlatformName) -> &Router {
        match platform {
            PlatformName::Legacy => &self.legacy,
            PlatformName::LegacyMedia => &self.media,
            PlatformName::GenesysCloud => &self.genesys_cloud,
            PlatformName::Gir => &self.gir.rws,
            PlatformName::Webdav => &self.gir.webdav,
            PlatformName::SpeechMiner => &self.gir.speechminer,
            PlatformName::Control => &self.control,
        }
    }
}

impl Simulator {
    /// Starts every platform of a scenario on loopback.
    ///
    /// Boxed: an `async fn` of this size would be compiled again in each crate that awaits it.
    pub fn start(scenario: Scenario, options: Options) -> BoxFuture<'static, Result<Simulator, SimulatorError>> {
        Box::pin(Simulator::begin(scenario, options))
    }

    async fn begin(mut scenario: Scenario, options: Options) -> Result<Simulator, SimulatorError> {
        let seed = options.seed.unwrap_or(scenario.seed);
        let clock_settings = options.clock.unwrap_or(scenario.clock);
        if let Some(day) = options.served_on {
            scenario.world.move_to(day, clock_settings.start).map_err(SimulatorError::Day)?;
        }
        let world = Arc::new(World::of(&scenario, seed)?);
        let start_ms = match (options.served_on, clock_settings.start) {
            (Some(_), _) => crate::clock::machine_ms(),
            (None, Some(start)) => start.as_millisecond(),
            (None, None) => world.end_ms(),
        };
        let (clock, log) = (clock(clock_settings, start_ms), options.replay.or_else(|| scenario.replay.clone()));
        let fault_seed = Seed::new(options.fault_seed.or(scenario.fault_seed).unwrap_or(seed));
        let core = Core::with_faults(clock.clone(), Seed::new(seed), Faults::new(fault_seed, clock, scenario.faults.clone(), log));
        let (spool, spool_guard) = spool(options.spool)?;
        core.journal.spill_into(&spool, core.clock.pace());
        let target = Target::of(&world, core.seed, &scenario.world.site_zone, scenario.world.fallback_user);
        let legacy = Legacy::new(core.clone(), world.clone(), scenario.legacy.clone());
        let of_gir =
            Site { directory: Directory::of(&world, &target, &scenario.world.site_zone), retention_classes: world.retention_classes() };
        let gir = Gir::new(core.clone(), scenario.gir.clone(), of_gir, &spool).map_err(SimulatorError::Spool)?;
        let genesys_cloud = GenesysCloud::new(core.clone(), target.directory.clone(), scenario.genesys_cloud.clone(), spool.clone());
        let listeners = Listeners::bind(clock_settings.mode, options.ports, options.one_port).await?;
        let ca_pem = listeners.ca_pem();
        gir.set_base_urls(&listeners.of_gir());
        let addresses = listeners.addresses(&gir);
        legacy.set_media_url(addresses.legacy_media.clone());
        genesys_cloud.set_base_url(addresses.genesys_cloud.clone());
        let credentials = credentials(&legacy, &target, &gir);
        let gate = Gate::default();
        let around = |router| Rim::new(core.clock.clone(), gate.clone()).around(router);
        let (of_legacy, media) = (around(legacy.router()), around(legacy.media_router()));
        let (of_genesys_cloud, of_gir) = (around(genesys_cloud.router()), gir.routers().map(around));
        let state = Arc::new(State {
            core,
            world,
            genesys_cloud,
            gir,
            legacy,
            scenario,
            seed,
            addresses,
            credentials,
            target,
            gate,
            snapshots: Snapshots::default(),
            spool,
            _spool: spool_guard,
        });
        let control = crate::control::router(state.clone());
        let routers = Arc::new(Routers { legacy: of_legacy, media, genesys_cloud: of_genesys_cloud, gir: of_gir, control });
        let tasks = listeners.serve(|platform| routers.of(platform).clone(), &state.core.clock);
        Ok(Simulator { state, tasks, routers, ca_pem })
    }

    /// Where everything listens.
    pub fn addresses(&self) -> &Addresses {
        &self.state.addresses
    }

    /// The certificate a client has to trust where one port speaks TLS, PEM; `None` otherwise.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// What a client needs to get a token.
    pub fn credentials(&self) -> &Credentials {
        &self.state.credentials
    }

    /// Opens an in-memory connection to a platform: HTTP/1.1 without a socket.
    pub fn connect(&self, platform: PlatformName) -> DuplexStream {
        self.dialler().connect(platform)
    }

    /// What opens in-memory connections, for whoever outlives this borrow.
    pub fn dialler(&self) -> Dialler {
        Dialler { routers: self.routers.clone(), clock: self.state.core.clock.clone() }
    }

    /// What is simulated.
    pub fn scenario(&self) -> &Scenario {
        &self.state.scenario
    }

    /// What the simulators' clock shows. Unix ms.
    pub fn now_ms(&self) -> i64 {
        self.state.core.clock.now_ms()
    }

    /// What a platform (`Legacy`, `GenesysCloud` or `Gir`) really holds: NDJSON, contracts section 11. The source's sound is made for it: allow seconds.
    pub async fn truth(&self, platform: PlatformName) -> Result<String, SimulatorError> {
        self.state.clone().truth(platform).await
    }

    /// Lines of the journal behind line `after`, of one platform (`legacy`, `genesys_cloud`, `gir`, `webdav`, `speechminer`) or of all.
    pub fn journal(&self, platform: Option<&str>, after: u64, limit: usize) -> Vec<Entry> {
        self.state.core.journal.page(platform, after, limit, Digests::Untold)
    }

    /// How many requests were journalled.
    pub fn requests(&self) -> u64 {
        self.state.core.journal.len()
    }

    /// How the clients have behaved so far: what `GET /_sim/conduct` answers.
    pub fn conduct(&self) -> ConductReport {
        self.state.core.journal.conduct()
    }

    /// Keeps everything the platforms remember, to be brought back; its id. Requests in flight finish first, others wait.
    pub async fn snapshot(&self) -> Result<u64, SnapshotError> {
        self.state.take_snapshot().await
    }

    /// Brings a snapshot back, journal and clock included. `faults`: in the place of the rules in force then.
    pub async fn restore(&self, id: u64, faults: Option<Vec<FaultRule>>) -> Result<(), SnapshotError> {
        self.state.restore(id, faults).await
    }

    /// Snapshots that can be brought back, the oldest first.
    pub fn snapshots(&self) -> Vec<SnapshotInfo> {
        self.state.snapshots.list()
    }

    /// Forgets a snapshot.
    pub fn delete_snapshot(&self, id: u64) -> Result<(), SnapshotError> {
        self.state.snapshots.delete(id)
    }

    /// How many lines of a replayed log have not struck: the run was another one than theirs. 0 where none is replayed.
    pub fn unmet_faults(&self) -> usize {
        self.state.core.faults.unmet()
    }

    /// The mutations that took effect, as NDJSON that does not depend on the number of workers.
    pub fn effects(&self) -> String {
        self.state.core.journal.effects()
    }

    /// What struck so far, sorted by rule, operation, key and attempt: what a replay takes.
    pub fn injected(&self) -> Vec<Injected> {
        self.state.core.faults.injected()
    }

    /// Lifts every fault rule: from now on nothing strikes. How many there were.
    pub fn lift_faults(&self) -> usize {
        self.state.core.faults.remove(None)
    }

    /// Plants a defect in the target; the answer is what the control API gives (contracts, section 11).
    pub fn tamper(&self, defect: &str, count: usize, seed: u64) -> Result<TamperAnswer, TamperRefusal> {
        self.state.tamper(defect, count, seed)
    }

    /// Does what the scenario's `[[after_migration]]` says, in order; what was planted.
    pub fn after_migration(&self) -> Result<Vec<TamperAnswer>, TamperRefusal> {
        let mut planted = Vec::new();
        for after in &self.state.scenario.after_migration {
            let seed = after.seed.unwrap_or(self.state.seed);
            if let Some(days) = after.advance_days {
                self.state.core.clock.advance_ms(days.saturating_mul(86_400_000))?;
                continue;
            }
            match (&after.role, after.lose_media, after.defect()) {
                (Some(_), ..) if self.state.scenario.target == TargetKind::Gir => {
                    return Err(TamperRefusal::Role("a role is Genesys Cloud's; the target is gir".to_owned()));
                }
                (Some(role), ..) => self.state.genesys_cloud.change_role(role.clone()).map_err(TamperRefusal::Role)?,
                (None, Some(count), _) => planted.push(self.state.tamper("D11", count, seed)?),
                (None, None, (defect, count)) => planted.push(self.state.tamper(defect, count, seed)?),
            }
        }
        Ok(planted)
    }

    /// Writes what a site of Interaction Recording hands to an auditor without an ops account (`docs/gir.md`) into an empty folder.
    pub fn write_exports(&self, dir: &Path) -> Result<Exported, ExportError> {
        self.state.gir.write_exports(dir, false)
    }

    /// Names of the assumed rules the run relied on: what it does not prove.
    pub fn assumptions(&self) -> Vec<&'static str> {
        self.state.core.exercised.names(Grade::Assumed)
    }

    /// Every rule the run relied on.
    pub fn rules(&self) -> Vec<&'static Rule> {
        self.state.core.exercised.rules()
    }

    /// What a reader of the results must know.
    pub fn notices(&self) -> Vec<String> {
        self.state.scenario.notices()
    }

    /// Jumps the simulator's clock forward; refused, with nothing changed, where no calendar holds the time it would show.
    pub fn advance_ms(&self, ms: u64) -> Result<(), BeyondCalendar> {
        self.state.core.clock.advance_ms(ms)
    }

    /// The private keys (PKCS#8, PEM) that open what was encrypted for this deployment's certificates. None where nothing is encrypted, or where the
    /// scenario does not hand them over.
    pub fn decryption_keys(&self) -> Vec<String> {
        let gir = &self.state.gir;
        let handed = gir.recipients().iter().filter(|_| gir.settings().encryption.hand_over_key);
        handed.map(|one| one.key_pem.clone()).collect()
    }

    /// Writes a plan that fits, with mapping tables and secrets, into `dir`; the plan's path.
    pub fn write_plan(&self, dir: &Path) -> Result<PathBuf, PlanWriteError> {
        let State { world, target, addresses, credentials, scenario, gir, .. } = &*self.state;
        let section = match scenario.target {
            TargetKind::GenesysCloud => TargetSection::GenesysCloud {
                url: &addresses.genesys_cloud,
                ingest: scenario.ingest,
                requests_per_minute: scenario.genesys_cloud.requests_per_minute,
                uploads_per_second: scenario.genesys_cloud.uploads_per_second,
            },
            TargetKind::Gir => TargetSection::Gir(gir),
        };
        let fitting = Fitting {
            world,
            target,
            legacy_url: &addresses.legacy,
            media_host: addresses.legacy_media.split_once("://").map_or("", |(_, host)| host),
            legacy_credentials: (&credentials.legacy.client_id, &credentials.legacy.client_secret),
            site_zone: &scenario.world.site_zone,
            section,
            overrides: &scenario.plan,
        };
        fitting.write(dir)
    }
}

/// Opens in-memory connections to the platforms of a simulator.
#[derive(Clone)]
pub struct Dialler {
    routers: Arc<Routers>,
    clock: Clock,
}

impl Dialler {
    /// Opens one: HTTP/1.1 without a socket.
    pub fn connect(&self, platform: PlatformName) -> DuplexStream {
        let router = self.routers.of(platform);
        let (client, server) = tokio::io::duplex(PIPE_BYTES);
        // Without a budget, under which a long body would make the order of a virtual run depend on how long other things take. The pipe's
        // size makes the two ends take turns.
        tokio::spawn(tokio::task::unconstrained(front::connection(server, router.clone(), self.clock.clone())));
        client
    }

    /// Opens one to whoever has this address under a virtual clock; `None` for nobody.
    pub fn connect_host(&self, host: &str) -> Option<DuplexStream> {
        let platform = PlatformName::ALL.into_iter().find(|platform| platform.in_memory_host() == host)?;
        Some(self.connect(platform))
    }
}

/// Journal lines told when a test panics.
const LAST_LINES: u64 = 20;

impl Simulator {
    /// What a reader of a failed test needs first: scenario, seed, and the journal's last 20 lines. There is no secret in it.
    pub fn story(&self) -> String {
        let State { scenario, seed, core, .. } = &*self.state;
        let lines = core.journal.latest(LAST_LINES);
        let lines = lines.iter().map(|line| serde_json::to_string(line).unwrap_or_default());
        let head = format!("simulators of scenario `{}`, seed {seed}, {} requests; the last of them:", scenario.name, core.journal.len());
        std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Simulator {
    #[expect(clippy::print_stderr, reason = "beside the message of the panic that drops it")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.story());
        }
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl State {
    pub(crate) async fn truth(self: Arc<Self>, platform: PlatformName) -> Result<String, SimulatorError> {
        let told = tokio::task::spawn_blocking(move || match platform {
            PlatformName::GenesysCloud => {
                self.genesys_cloud.truth().map_err(|error| SimulatorError::Truth { platform: "genesys_cloud", reason: error.to_string() })
            }
            PlatformName::Gir | PlatformName::Webdav | PlatformName::SpeechMiner => {
                self.gir.truth().map_err(|error| SimulatorError::Truth { platform: "gir", reason: error.to_string() })
            }
            PlatformName::Legacy | PlatformName::LegacyMedia | PlatformName::Control => {
                self.world.truth().map_err(|error| SimulatorError::Truth { platform: "legacy", reason: error.to_string() })
            }
        });
        told.await.unwrap_or_else(|error| Err(SimulatorError::Truth { platform: "a platform", reason: error.to_string() }))
    }

    /// Files are copied on a thread that may wait for the disk.
    pub(crate) async fn exports(self: Arc<Self>, dir: PathBuf, with_media: bool) -> Result<Exported, ExportError> {
        let told = dir.clone();
        let written = tokio::task::spawn_blocking(move || self.gir.write_exports(&dir, with_media));
        written.await.unwrap_or_else(|error| Err(ExportError::Io { path: told, source: std::io::Error::other(error) }))
    }

    pub(crate) fn tamper(&self, defect: &str, count: usize, seed: u64) -> Result<TamperAnswer, TamperRefusal> {
        match self.scenario.target {
            TargetKind::GenesysCloud => self.genesys_cloud.tamper(defect, count, seed),
            TargetKind::Gir => self.gir.tamper(defect, count, seed),
        }
    }
}

fn clock(settings: ClockSettings, start_ms: i64) -> Clock {
    match settings.mode {
        ClockMode::Real => Clock::scaled_from(start_ms, 1.0),
        ClockMode::Scaled => Clock::scaled_from(start_ms, settings.factor),
        ClockMode::Virtual => Clock::virtual_from(start_ms),
    }
}

fn spool(asked: Option<PathBuf>) -> Result<(PathBuf, Option<tempfile::TempDir>), SimulatorError> {
    match asked {
        Some(path) => {
            output::private::folder(&path).map_err(SimulatorError::Spool)?;
            Ok((path, None))
        }
        None => {
            let dir = tempfile::tempdir().map_err(SimulatorError::Spool)?;
            Ok((dir.path().to_owned(), Some(dir)))
        }
    }
}

fn credentials(legacy: &Legacy, target: &Target, gir: &Gir) -> Credentials {
    let [gir, webdav, speechminer] =
        gir.credentials().map(|(username, password)| Account { username: username.to_owned(), password: password.to_owned() });
    let (client_id, client_secret) = legacy.credentials();
    Credentials {
        legacy: Client { client_id: client_id.to_owned(), client_secret: client_secret.to_owned() },
        genesys_cloud: Client { client_id: target.client_id.clone(), client_secret: target.client_secret.clone() },
        gir,
        webdav,
        speechminer,
    }
}
