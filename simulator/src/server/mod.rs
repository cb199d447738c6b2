//! A running simulator: platforms on their listeners, the control API beside them.

mod control;
mod error;
mod listeners;
mod one_port;
mod openapi;
mod snapshots;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use futures_util::future::BoxFuture;
use jiff::civil::Date;
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;

pub use self::error::SimulatorError;
use self::listeners::Listeners;
pub use self::one_port::OnePort;
use self::snapshots::Snapshots;
pub use self::snapshots::{SnapshotError, SnapshotInfo};
use self::state::State;
use crate::clock::{BeyondCalendar, Clock};
use crate::conduct::ConductReport;
use crate::faults::{FaultRule, Faults, Injected};
use crate::http::connection;
use crate::http::layer::{Gate, RequestLayer};
use crate::journal::{Digests, Entry};
use crate::pipeline::Core;
use crate::plan_writer::{Fitting, PlanWriteError};
use crate::platforms::registry::{
    Addresses, Credentials, ExportError, Exported, PlatformName, Platforms, Ports,
};
use crate::platforms::target::Target;
use crate::platforms::{Listener, Platform, Role};
use crate::rules::{Grade, Rule};
use crate::seed::Seed;
use crate::setup::{ClockMode, ClockSettings, Setup};
use crate::tamper::{TamperAnswer, TamperRefusal};
use crate::world::World;

/// Bytes an in-memory connection holds before its writer waits.
const PIPE_BYTES: usize = 64 * 1024;

/// How a simulator is started, beside its setup.
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
    /// The day on which this machine's programs meet the simulators: clocks show the machine's
    /// time, and a generated world is moved by whole days, so that its calls are as old on this day
    /// as they are when the scenario begins. Left out: the scenario begins at its own instant
    /// ([`ClockSettings::start`]), on any day. An imported world is never moved.
    pub served_on: Option<Date>,
    /// Exactly these faults strike, instead of what the scenario's rules say; wrong data of the
    /// source stays as the scenario has it.
    pub replay: Option<Vec<Injected>>,
}

/// A running simulator. Dropping it stops every listener.
pub struct Simulator {
    pub(crate) state: Arc<State>,
    tasks: Vec<JoinHandle<()>>,
    routers: Arc<Routers>,
    ca_pem: Option<String>,
}

/// The router of each listener, the layer for requests around all but the control API's.
type Routers = BTreeMap<PlatformName, Router>;

impl Simulator {
    /// Starts every platform of a setup on loopback.
    ///
    /// Boxed: an `async fn` of this size would be compiled again in each crate that awaits it.
    pub fn start(
        setup: Setup,
        options: Options,
    ) -> BoxFuture<'static, Result<Simulator, SimulatorError>> {
        Box::pin(Simulator::begin(setup, options))
    }

    async fn begin(mut setup: Setup, options: Options) -> Result<Simulator, SimulatorError> {
        let seed = options.seed.unwrap_or(setup.seed);
        let clock_settings = options.clock.unwrap_or(setup.clock);
        if let Some(day) = options.served_on {
            setup
                .world
                .move_to(day, clock_settings.start)
                .map_err(SimulatorError::Day)?;
        }
        let mut world = World::new(&setup.world, &setup.dir, &setup.plantings(), seed)?;
        if setup.source.makes_ids() {
            world.name_by_uuid(Seed::new(seed));
        }
        let world = Arc::new(world);
        let start_ms = match (options.served_on, clock_settings.start) {
            (Some(_), _) => crate::clock::machine_ms(),
            (None, Some(start)) => start.as_millisecond(),
            (None, None) => world.end_ms(),
        };
        let (clock, log) = (
            clock(clock_settings, start_ms),
            options.replay.or_else(|| setup.replay.clone()),
        );
        let fault_seed = Seed::new(options.fault_seed.or(setup.fault_seed).unwrap_or(seed));
        let core = Core::with_faults(
            clock.clone(),
            Seed::new(seed),
            Faults::new(fault_seed, clock, setup.faults.clone(), log),
        );
        let (spool, spool_guard) = spool(options.spool)?;
        core.journal.spill_into(&spool, core.clock.pace());
        let target = Target::of(
            &world,
            core.seed,
            &setup.world.site_zone,
            setup.world.fallback_user,
        );
        let settings = setup.platform_settings();
        let platforms = Platforms::start(&core, &world, &target, &spool, settings)
            .map_err(SimulatorError::Spool)?;
        let sockets = Listeners::bind(clock_settings.mode, options.ports, options.one_port).await?;
        let ca_pem = sockets.ca_pem();
        let listeners: Vec<Listener> = platforms
            .all()
            .into_iter()
            .flat_map(Platform::listeners)
            .collect();
        platforms
            .all()
            .iter()
            .for_each(|platform| platform.set_base_urls(&|name| sockets.url(name)));
        let path = |name| {
            listeners
                .iter()
                .find(|listener| listener.name == name)
                .map_or("", |listener| listener.path)
        };
        let addresses = Addresses::of(setup.source, |name| sockets.url(name) + path(name));
        let gate = Gate::default();
        let around = |router| RequestLayer::new(core.clock.clone(), gate.clone()).around(router);
        let mut routers: Routers = listeners
            .into_iter()
            .map(|listener| (listener.name, around(listener.router)))
            .collect();
        let state = Arc::new(State {
            credentials: platforms.credentials(&target),
            core,
            world,
            platforms,
            setup,
            seed,
            addresses,
            target,
            gate,
            snapshots: Snapshots::default(),
            spool,
            _spool: spool_guard,
        });
        routers.insert(PlatformName::Control, control::router(state.clone()));
        let tasks = sockets.serve(&routers, &state.core.clock);
        Ok(Simulator {
            state,
            tasks,
            routers: Arc::new(routers),
            ca_pem,
        })
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
        self.connector().connect(platform)
    }

    /// What opens in-memory connections, to be kept beside this handle.
    pub fn connector(&self) -> InMemoryConnector {
        InMemoryConnector {
            routers: self.routers.clone(),
            clock: self.state.core.clock.clone(),
        }
    }

    /// What is simulated.
    pub fn setup(&self) -> &Setup {
        &self.state.setup
    }

    /// What the simulators' clock shows. Unix ms.
    pub fn now_ms(&self) -> i64 {
        self.state.core.clock.now_ms()
    }

    /// What a platform (`Legacy`, `GenesysCloud` or `Gir`) really holds: NDJSON,
    /// docs/reference/control-api.md. The source's sound is made for it: allow seconds.
    ///
    /// # Errors
    ///
    /// What it holds cannot be read or made into sound ([`SimulatorError::Truth`]).
    pub async fn truth(&self, platform: PlatformName) -> Result<String, SimulatorError> {
        State::truth(self.state.platforms.of_listener(platform)).await
    }

    /// Lines of the journal behind line `after`, of one platform (`legacy`, `genesys_cloud`, `gir`,
    /// `webdav`, `speechminer`) or of all.
    pub fn journal(&self, platform: Option<&str>, after: u64, limit: usize) -> Vec<Entry> {
        self.state
            .core
            .journal
            .page(platform, after, limit, Digests::Hidden)
    }

    /// How many requests were journalled.
    pub fn requests(&self) -> u64 {
        self.state.core.journal.len()
    }

    /// How the clients have behaved so far: what `GET /_sim/conduct` answers.
    pub fn conduct(&self) -> ConductReport {
        self.state.core.journal.conduct()
    }

    /// Takes a snapshot of everything the platforms remember; its id. Requests in flight finish
    /// first, others wait.
    ///
    /// # Errors
    ///
    /// Requests do not finish within 30 s, there are enough snapshots already, or the store's files
    /// cannot be linked ([`SnapshotError`]).
    pub async fn snapshot(&self) -> Result<u64, SnapshotError> {
        self.state.take_snapshot().await
    }

    /// Restores a snapshot, journal and clock included. `faults`: in the place of the rules in
    /// force then.
    ///
    /// # Errors
    ///
    /// There is no such snapshot, a rule cannot be used, requests do not finish within 30 s, or the
    /// store's files cannot be linked ([`SnapshotError`]). After [`SnapshotError::Files`] the store
    /// is between the two: do not go on.
    pub async fn restore(
        &self,
        id: u64,
        faults: Option<Vec<FaultRule>>,
    ) -> Result<(), SnapshotError> {
        self.state.restore(id, faults).await
    }

    /// Snapshots that can be restored, the oldest first.
    pub fn snapshots(&self) -> Vec<SnapshotInfo> {
        self.state.snapshots.list()
    }

    /// Forgets a snapshot.
    ///
    /// # Errors
    ///
    /// There is no such snapshot ([`SnapshotError::Unknown`]).
    pub fn delete_snapshot(&self, id: u64) -> Result<(), SnapshotError> {
        self.state.snapshots.delete(id)
    }

    /// How many lines of a replayed log have not struck: the run was another one than theirs. 0
    /// where none is replayed.
    pub fn unmet_faults(&self) -> usize {
        self.state.core.faults.unmet()
    }

    /// The mutations that took effect, as NDJSON that does not depend on the number of workers.
    pub fn effects(&self) -> String {
        self.state.core.journal.effects()
    }

    /// Key of the first call that was made again while it was there, as the effects have it,
    /// whatever a reader sees of it.
    pub fn made_twice(&self) -> Option<String> {
        crate::conduct::made_twice(&self.effects())
    }

    /// What struck so far, sorted by rule, operation, key and attempt: what a replay takes.
    pub fn injected(&self) -> Vec<Injected> {
        self.state.core.faults.injected()
    }

    /// Lifts every fault rule: from now on nothing strikes. How many there were.
    pub fn lift_faults(&self) -> usize {
        self.state.core.faults.remove(None)
    }

    /// Plants a defect in the target; the answer is what the control API gives
    /// (docs/reference/control-api.md).
    ///
    /// # Errors
    ///
    /// The target has no such defect, the count does not fit it, too few calls can take it, or it
    /// changes sound that is encrypted ([`TamperRefusal`]). Nothing is planted then.
    pub fn tamper(
        &self,
        defect: &str,
        count: usize,
        seed: u64,
    ) -> Result<TamperAnswer, TamperRefusal> {
        self.state.tamper(defect, count, seed)
    }

    /// From now on the source does not list these calls, and lists all others: what is recorded
    /// later, or was erased. No snapshot keeps it.
    pub fn withhold(&self, calls: BTreeSet<u64>) {
        self.state.platforms.withhold(calls);
    }

    /// Takes permissions or divisions from the client of the target, or gives them back.
    ///
    /// # Errors
    ///
    /// The target has no roles, or the organisation has not what is named; the sentence names it.
    /// Nothing is changed then.
    pub fn change_role(&self, role: Role) -> Result<(), String> {
        self.state.target().change_role(role)
    }

    /// Writes what a site of Interaction Recording hands to an auditor without an ops account
    /// (`docs/reference/gir.md`) into an empty folder.
    ///
    /// # Errors
    ///
    /// The folder holds an export already, or a file cannot be read or written ([`ExportError`]).
    pub fn write_exports(&self, dir: &Path) -> Result<Exported, ExportError> {
        self.state.platforms.write_exports(dir)
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
        self.state.setup.notices()
    }

    /// Jumps the simulator's clock forward.
    ///
    /// # Errors
    ///
    /// No calendar holds the time it would show ([`BeyondCalendar`]). Nothing is changed then.
    pub fn advance_ms(&self, ms: u64) -> Result<(), BeyondCalendar> {
        self.state.core.clock.advance_ms(ms)
    }

    /// The private keys (PKCS#8, PEM) that open what was encrypted for this deployment's
    /// certificates. None where nothing is encrypted, or where the scenario does not hand them
    /// over.
    pub fn decryption_keys(&self) -> Vec<String> {
        self.state
            .platforms
            .all()
            .iter()
            .flat_map(|platform| platform.decryption_keys())
            .collect()
    }

    /// Writes a plan that fits, with mapping tables and secrets, into `dir`; the plan's path.
    ///
    /// # Errors
    ///
    /// A file cannot be written ([`PlanWriteError`]).
    pub fn write_plan(&self, dir: &Path) -> Result<PathBuf, PlanWriteError> {
        self.write_plan_with(dir, &toml::Table::new())
    }

    /// The same, with other keys laid over the plan.
    ///
    /// # Errors
    ///
    /// A file cannot be written ([`PlanWriteError`]).
    pub fn write_plan_with(
        &self,
        dir: &Path,
        overrides: &toml::Table,
    ) -> Result<PathBuf, PlanWriteError> {
        let State {
            world,
            target,
            addresses,
            setup,
            platforms,
            ..
        } = &*self.state;
        let fitting = Fitting {
            world,
            fallback_user: target.fallback_user,
            default_queue: target.default_queue,
            site_zone: &setup.world.site_zone,
            source: platforms.source().plan_section(world, addresses),
            target: self.state.target().plan_section(world, addresses),
            overrides,
        };
        fitting.write(dir)
    }
}

/// Opens in-memory connections to the platforms of a simulator.
#[derive(Clone)]
pub struct InMemoryConnector {
    routers: Arc<Routers>,
    clock: Clock,
}

impl InMemoryConnector {
    /// Opens one: HTTP/1.1 without a socket.
    pub fn connect(&self, platform: PlatformName) -> DuplexStream {
        let router = self.routers.get(&platform).cloned().unwrap_or_default();
        let (client, server) = tokio::io::duplex(PIPE_BYTES);
        // Without a budget, under which a long body would make the order of a virtual run depend on
        // how long other things take. The pipe's size makes the two ends take turns.
        tokio::spawn(tokio::task::unconstrained(connection::connection(
            server,
            router,
            self.clock.clone(),
        )));
        client
    }

    /// Opens one to whoever has this address under a virtual clock; `None` for nobody.
    pub fn connect_host(&self, host: &str) -> Option<DuplexStream> {
        let platform = PlatformName::ALL
            .into_iter()
            .find(|platform| platform.in_memory_host() == host)?;
        Some(self.connect(platform))
    }
}

/// Journal lines that are printed when a test panics.
const LAST_LINES: u64 = 20;

impl Simulator {
    /// What a reader of a failed test needs first: scenario, seed, and the journal's last 20 lines.
    /// There is no secret in it.
    pub fn failure_report(&self) -> String {
        let State {
            setup, seed, core, ..
        } = &*self.state;
        let lines = core.journal.latest(LAST_LINES);
        let lines = lines
            .iter()
            .map(|line| serde_json::to_string(line).unwrap_or_default());
        let head = format!(
            "simulators of scenario `{}`, seed {seed}, {} requests; the last of them:",
            setup.name,
            core.journal.len()
        );
        std::iter::once(head)
            .chain(lines)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

impl Drop for Simulator {
    #[expect(
        clippy::print_stderr,
        reason = "beside the message of the panic that drops it"
    )]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.failure_report());
        }
        self.tasks.iter().for_each(JoinHandle::abort);
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
