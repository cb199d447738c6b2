//! A scenario that is under way: its simulators, and a plan that fits them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use plan::LoadedPlan;
use platforms::transport::Transport;
use simulator::Simulator;

use crate::ending::Ending;
use crate::environment::{Environment, Time};
use crate::judge::Observations;
use crate::narrator::Narrator;
use crate::options::{Migrator, Options, Refusal};
use crate::scenario::Scenario;

/// Running simulators, a plan that fits them, and the way from one to the other.
pub(crate) struct RunningScenario {
    pub(crate) scenario: Scenario,
    pub(crate) simulator: Simulator,
    pub(crate) plan: LoadedPlan,
    pub(crate) environment: Environment,
    /// The migrator's way to the platforms.
    pub(crate) way: Arc<dyn Transport>,
    /// For the verifier's report; the migration's own files lie below, in `work`.
    pub(crate) dir: PathBuf,
    pub(crate) seed: u64,
}

impl RunningScenario {
    pub(crate) async fn start(
        scenario: Scenario,
        options: &Options,
        time: Time,
    ) -> Result<RunningScenario, Refusal> {
        let dir = options.report.join(&scenario.setup.name);
        let seed = options.seed.unwrap_or(scenario.setup.seed);
        let clock = time.settings(scenario.setup.clock);
        // A command of somebody else's goes by the machine's clock, and so do the platforms it
        // meets.
        let served_on = matches!(options.migrator, Migrator::Command(_)).then(simulator::today);
        let started = simulator::Options {
            seed: Some(seed),
            clock: Some(clock),
            served_on,
            ..simulator::Options::default()
        };
        let simulator = Simulator::start(scenario.setup.clone(), started)
            .await
            .map_err(Refusal::bad)?;
        let plan = fresh_plan(&simulator, &scenario, &dir)?;
        let no_network = || Refusal {
            ending: Ending::Stopped,
            sentence: "the TLS library does not start on this machine".to_owned(),
        };
        let environment = Environment::of(&simulator, time).ok_or_else(no_network)?;
        let way = match &options.migrator {
            Migrator::Ours {
                between: Some(between),
                ..
            } => between(environment.transport.clone()),
            Migrator::Ours { between: None, .. } | Migrator::Command(_) => {
                environment.transport.clone()
            }
        };
        Ok(RunningScenario {
            scenario,
            simulator,
            plan,
            environment,
            way,
            dir,
            seed,
        })
    }

    /// How much audio the scenario has the verifier compare.
    fn audio(&self) -> verifier::AudioScope {
        match self.scenario.verifier.audio_sample {
            None => verifier::AudioScope::All,
            Some(0) => verifier::AudioScope::None,
            Some(size) => verifier::AudioScope::Sample {
                size,
                seed: self.seed,
            },
        }
    }

    /// The verifier's turn; how it ends, and its last word.
    pub(crate) async fn verify(
        &self,
        options: &Options,
        narrator: &dyn Narrator,
        observed: &mut Observations,
    ) -> (Ending, String) {
        let mut chosen = verifier::Options {
            report_dir: Some(self.dir.clone()),
            audio: options.audio.unwrap_or_else(|| self.audio()),
            ..verifier::Options::default()
        };
        chosen.decryption_keys = handed_over(&self.dir);
        let watch = options.interrupt.clone().map(|mut interrupt| {
            let token = chosen.interrupt.clone();
            tokio::spawn(async move {
                if interrupt.wait_for(|stop| *stop).await.is_ok() {
                    token.cancel();
                }
            })
        });
        let Environment { clock, transport } = self.environment.clone();
        let verified =
            verifier::verify(&self.plan, chosen, transport, clock, &*narrator.verifying()).await;
        if let Some(watch) = watch {
            watch.abort();
        }
        match verified {
            Ok(report) => {
                report
                    .lines()
                    .iter()
                    .for_each(|line| narrator.say(&format!("  {line}")));
                observed.found(&report);
                (Ending::from(&report), report.summary.sentence)
            }
            Err(stop) => {
                narrator.say(&format!("  verifier: {stop}"));
                (Ending::from(&stop), stop.to_string())
            }
        }
    }
}

/// What a rehearsal leaves in its folder: an earlier one's is taken away, so that nothing of it is
/// read as this one's.
const OF_A_RUN: [&str; 12] = [
    "migrator.out",
    "migrator.err",
    "summary.json",
    "findings.jsonl",
    "drift.jsonl",
    "requests.jsonl",
    "recordings.csv",
    "breakdown.csv",
    "journal.ndjson",
    "effects.ndjson",
    "faults.ndjson",
    "truth.ndjson",
];

/// A plan in a folder of its own. What an earlier rehearsal of the same name left there belongs to
/// simulators that are gone.
fn fresh_plan(
    simulator: &Simulator,
    scenario: &Scenario,
    dir: &Path,
) -> Result<LoadedPlan, Refusal> {
    let work = dir.join("work");
    match std::fs::remove_dir_all(&work) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Refusal::bad(format!(
                "cannot clear {}: {error}",
                work.display()
            )));
        }
        _ => {}
    }
    OF_A_RUN
        .iter()
        .for_each(|name| drop(std::fs::remove_file(dir.join(name))));
    output::private::folder(&work)
        .map_err(|error| Refusal::bad(format!("cannot make {}: {error}", work.display())))?;
    let path = simulator
        .write_plan_with(&work, &scenario.plan)
        .map_err(Refusal::bad)?;
    LoadedPlan::read(&path).map_err(Refusal::bad)
}

/// Private keys that the simulator wrote beside the plan, for whoever verifies: none where nothing
/// is encrypted, or none is handed over.
fn handed_over(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.join("work/secrets"))
        .into_iter()
        .flatten();
    let mut keys: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    keys.retain(|path| path.to_string_lossy().ends_with(".key.pem"));
    keys.sort();
    keys
}
