//! One scenario from start to judgement.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use plan::LoadedPlan;
use platforms::transport::Transport;
use serde::Serialize;
use simulator::{Breach, ConductReport, Scenario, Simulator};
use tokio::sync::watch;
use tokio::task::unconstrained;

use crate::clock::Wall;
use crate::ending::Ending;
use crate::judge::{Expectation, Happened, judge};
use crate::migration::{Migrated, Migrator};
use crate::narrator::Narrator;
use crate::records;
use crate::surroundings::{Surroundings, Time, virtual_runtime};

/// Breaches that are told one by one: a screen's worth; `rehearse` counts them all.
const TOLD_BREACHES: usize = 20;

/// How a scenario is rehearsed.
#[derive(Clone)]
pub struct Options {
    /// Folder for reports; each scenario's files go into a folder of its name there.
    pub report: PathBuf,
    /// Instead of the scenario's seed.
    pub seed: Option<u64>,
    /// Instead of the scenario's clock.
    pub time: Option<Time>,
    /// Who moves the recordings.
    pub migrator: Migrator,
    /// How much audio the verifier compares, instead of what the scenario says.
    pub audio: Option<verifier::AudioScope>,
    /// Whether the simulators' journal is written beside the report.
    pub journal: bool,
    /// Requests after which our migrator is barred from sending more: a bound on one that goes round in circles.
    pub most_requests: u64,
    /// Turns true when somebody wants the rehearsal to end. Absent: nobody will.
    pub interrupt: Option<watch::Receiver<bool>>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            report: PathBuf::from("seatrial-report"),
            seed: None,
            time: None,
            migrator: Migrator::Ours { workers: None, between: None },
            audio: None,
            journal: false,
            most_requests: u64::MAX,
            interrupt: None,
        }
    }
}

/// A rehearsal that came to no judgement, and why in one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Refusal {
    /// How the command ends.
    pub ending: Ending,
    /// Why.
    pub sentence: String,
}

impl Refusal {
    pub(crate) fn bad(sentence: impl ToString) -> Refusal {
        Refusal { ending: Ending::BadCall, sentence: sentence.to_string() }
    }
}

/// One scenario's part of `rehearsal.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Rehearsed {
    /// The scenario's.
    pub name: String,
    /// The scenario's.
    pub about: String,
    /// That decided world and faults.
    pub seed: u64,
    /// `real`, `scaled:K` or `virtual`.
    pub clock: String,
    /// Seconds of this machine.
    pub wall_seconds: f64,
    /// Seconds of the simulators' clock.
    pub virtual_seconds: f64,
    /// Exit code of the migrator (docs/reference/exit-codes.md).
    pub migrator_exit: u8,
    /// Its last word.
    pub migrator_sentence: String,
    /// Exit code of the verifier.
    pub verifier_exit: u8,
    /// Its last word.
    pub verifier_sentence: String,
    /// What the scenario expects, held or not.
    pub expectations: Vec<Expectation>,
    /// Whether all held.
    pub passed: bool,
    /// Of a failure under a scaled clock: whether it was gone when the scenario was rehearsed again in real time, and so may be the clock's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_under_scaled_clock: Option<bool>,
    /// What a reader of the figures must know.
    pub notices: Vec<String>,
    /// What this does not prove: assumed rules the rehearsal relied on.
    pub assumptions: Vec<String>,
    /// Requests of the migrator to all platforms.
    pub requests: u64,
    /// Interactions the migrator extracted.
    pub interactions: u64,
    /// Recordings of them.
    pub recordings: u64,
    /// Folder of the verifier's report.
    pub report: PathBuf,
}

/// Rehearses a scenario. In virtual time it runs on a thread of its own, whatever the caller's runtime. What fails under a scaled clock is
/// rehearsed once more in real time: a machine that is too slow for the scale fails too.
///
/// Boxed: an `async fn` of this size would be compiled again in each crate that awaits it.
pub fn rehearse(
    scenario: Scenario,
    options: Options,
    narrator: Arc<dyn Narrator>,
) -> Pin<Box<dyn Future<Output = Result<Rehearsed, Refusal>>>> {
    Box::pin(rehearse_in_its_time(scenario, options, narrator))
}

async fn rehearse_in_its_time(scenario: Scenario, options: Options, narrator: Arc<dyn Narrator>) -> Result<Rehearsed, Refusal> {
    let time = options.time.unwrap_or(Time::of(&scenario.clock));
    match time {
        Time::Real => run(scenario, options, time, narrator).await,
        Time::Scaled(_) => {
            let mut rehearsed = run(scenario.clone(), options.clone(), time, narrator.clone()).await?;
            if !rehearsed.passed {
                narrator.say("  it failed under a scaled clock; once more in real time");
                let again = run(scenario, options, Time::Real, narrator.clone()).await?;
                rehearsed.only_under_scaled_clock = Some(again.passed);
                let heard = if again.passed { "is gone" } else { "is the same or another" };
                narrator.say(&format!("  in real time the failure {heard}; the report is of the second run"));
            }
            Ok(rehearsed)
        }
        Time::Virtual => {
            let broken = |error: String| Refusal { ending: Ending::OurBug, sentence: format!("the rehearsal broke off: {error}") };
            let done = tokio::task::spawn_blocking(move || in_virtual_time(move || run(scenario, options, time, narrator))).await;
            done.map_err(|error| broken(error.to_string()))?.map_err(|error| broken(error.to_string()))?
        }
    }
}

/// Runs something to its end in virtual time, on this thread.
pub(crate) fn in_virtual_time<T: 'static, F: Future<Output = T> + 'static>(work: impl FnOnce() -> F) -> std::io::Result<T> {
    let runtime = virtual_runtime()?;
    // Without a budget: a task that has used its budget up is run again before or after what another thread has finished, as it happens.
    let task = runtime.spawn_local(unconstrained(work()));
    runtime.block_on(task).map_err(std::io::Error::other)
}

async fn run(scenario: Scenario, options: Options, time: Time, narrator: Arc<dyn Narrator>) -> Result<Rehearsed, Refusal> {
    let began = Wall::now();
    let (name, about, expect) = (scenario.name.clone(), scenario.about.clone(), scenario.expect.clone());
    narrator.say(&format!("{name}: {about}"));
    let mut stage = Stage::set(scenario, &options, time).await?;
    for notice in stage.simulator.notices() {
        narrator.say(&format!("  note: {notice}"));
    }
    let began_ms = stage.simulator.now_ms();
    let mut happened = Happened::default();
    let migrated = stage.migrate(&options, time, &*narrator).await?;
    happened.took(&migrated);
    let migrator_sentence = migrated.sentence;
    narrator.say(&format!("  migrator: {migrator_sentence}"));
    happened.requests = stage.simulator.requests();
    let conduct = stage.simulator.conduct();
    happened.conduct = by_rule(&conduct);
    for damage in stage.simulator.after_migration().map_err(Refusal::bad)? {
        narrator.say(&format!("  damaged on purpose: {} at {} places", damage.defect, damage.planted.len()));
    }
    stage.surroundings.catch_up(&stage.simulator);
    let (verifier_ending, verifier_sentence) = stage.verify(&options, &*narrator, &mut happened).await;
    happened.verifier_conduct = by_rule(&stage.simulator.conduct().since(&conduct));
    happened.unmet_faults = stage.simulator.unmet_faults() as u64;
    let expectations = judge(&expect, &happened);
    let passed = expectations.iter().all(|expectation| expectation.pass);
    for failed in expectations.iter().filter(|expectation| !expectation.pass) {
        narrator.say(&format!("  FAILED {}: expected {}, got {}", failed.what, failed.expected, failed.actual));
    }
    let Stage { simulator, dir, .. } = &stage;
    if !passed {
        breaches_of(&simulator.conduct()).iter().for_each(|line| narrator.say(&format!("  conduct: {line}")));
    }
    if options.journal {
        records::write(simulator, dir).await.map_err(|error| Refusal { ending: Ending::Stopped, sentence: error.to_string() })?;
    }
    let assumptions: Vec<String> = simulator.assumptions().into_iter().map(str::to_owned).collect();
    let relied_on = assumptions.join(", ");
    narrator.say(&format!("  what this does not prove ({} assumed rules were exercised): {relied_on}", assumptions.len()));
    let rehearsed = Rehearsed {
        name,
        about,
        seed: options.seed.unwrap_or(stage.seed),
        clock: time.to_string(),
        wall_seconds: began.seconds(),
        virtual_seconds: (simulator.now_ms() - began_ms) as f64 / 1000.0,
        migrator_exit: happened.migrator.map_or(1, Ending::code),
        migrator_sentence,
        verifier_exit: verifier_ending.code(),
        verifier_sentence,
        expectations,
        passed,
        only_under_scaled_clock: None,
        notices: simulator.notices(),
        assumptions,
        requests: happened.requests,
        interactions: happened.interactions,
        recordings: happened.recordings,
        report: dir.clone(),
    };
    narrator.say(&last_line(&rehearsed, time, simulator.requests()));
    Ok(rehearsed)
}

fn last_line(rehearsed: &Rehearsed, time: Time, requests: u64) -> String {
    let passed = if rehearsed.passed { "passed" } else { "failed" };
    let took = match time {
        Time::Real => format!("{:.1} s", rehearsed.wall_seconds),
        Time::Scaled(_) | Time::Virtual => format!("{:.1} s ({} simulated)", rehearsed.wall_seconds, in_words(rehearsed.virtual_seconds)),
    };
    format!("  {passed} in {took}, {requests} requests, report in {}", rehearsed.report.display())
}

/// `3 d 2 h`, `2 h 5 min`, `4 min 10 s`, `12 s`.
fn in_words(seconds: f64) -> String {
    let all = seconds.max(0.0).round() as u64;
    let (days, hours, minutes, seconds) = (all / 86_400, all / 3600 % 24, all / 60 % 60, all % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {seconds} s"),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// Running simulators, a plan that fits them, and the way from one to the other.
pub(crate) struct Stage {
    pub(crate) simulator: Simulator,
    pub(crate) plan: LoadedPlan,
    pub(crate) surroundings: Surroundings,
    /// The migrator's way to the platforms.
    pub(crate) way: Arc<dyn Transport>,
    /// For the verifier's report; the migration's own files lie below, in `work`.
    pub(crate) dir: PathBuf,
    seed: u64,
}

impl Stage {
    pub(crate) async fn set(scenario: Scenario, options: &Options, time: Time) -> Result<Stage, Refusal> {
        let dir = options.report.join(&scenario.name);
        let seed = options.seed.unwrap_or(scenario.seed);
        let clock = time.settings(scenario.clock);
        // A command of somebody else's goes by the machine's clock, and so do the platforms it meets.
        let served_on = matches!(options.migrator, Migrator::Command(_)).then(simulator::today);
        let started = simulator::Options { seed: Some(seed), clock: Some(clock), served_on, ..simulator::Options::default() };
        let simulator = Simulator::start(scenario, started).await.map_err(Refusal::bad)?;
        let plan = fresh_plan(&simulator, &dir)?;
        let no_network = || Refusal { ending: Ending::Stopped, sentence: "the TLS library does not start on this machine".to_owned() };
        let surroundings = Surroundings::of(&simulator, time).ok_or_else(no_network)?;
        let way = match &options.migrator {
            Migrator::Ours { between: Some(between), .. } => between(surroundings.transport.clone()),
            Migrator::Ours { between: None, .. } | Migrator::Command(_) => surroundings.transport.clone(),
        };
        Ok(Stage { simulator, plan, surroundings, way, dir, seed })
    }

    /// How much audio the scenario has the verifier compare.
    fn audio(&self) -> verifier::AudioScope {
        match self.simulator.scenario().verifier.audio_sample {
            None => verifier::AudioScope::All,
            Some(0) => verifier::AudioScope::None,
            Some(size) => verifier::AudioScope::Sample { size, seed: self.seed },
        }
    }

    /// The verifier's turn; how it ends, and its last word.
    pub(crate) async fn verify(&self, options: &Options, narrator: &dyn Narrator, happened: &mut Happened) -> (Ending, String) {
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
        let Surroundings { clock, transport } = self.surroundings.clone();
        let verified = verifier::verify(&self.plan, chosen, transport, clock, &*narrator.verifying()).await;
        if let Some(watch) = watch {
            watch.abort();
        }
        match verified {
            Ok(report) => {
                report.lines().iter().for_each(|line| narrator.say(&format!("  {line}")));
                happened.found(&report);
                (Ending::from(&report), report.summary.sentence)
            }
            Err(stop) => {
                narrator.say(&format!("  verifier: {stop}"));
                (Ending::from(&stop), stop.to_string())
            }
        }
    }
}

impl Happened {
    /// What the migrator says it did.
    fn took(&mut self, migrated: &Migrated) {
        self.migrator = Some(migrated.ending);
        self.interactions = migrated.interactions;
        self.recordings = migrated.recordings;
        self.aside.clone_from(&migrated.aside);
    }

    /// What the verifier says.
    fn found(&mut self, report: &verifier::Report) {
        let verdict = serde_json::to_value(report.summary.verdict).ok();
        self.verdict = verdict.and_then(|verdict| Some(verdict.as_str()?.to_owned()));
        self.by_reason = report.summary.by_reason.clone();
        self.by_defect = report.summary.by_defect.iter().map(|(class, count)| (class.clone(), *count)).collect::<BTreeMap<_, _>>();
    }
}

/// What to look for in the journal: the first breaches of conduct, with their lines.
pub(crate) fn breaches_of(conduct: &ConductReport) -> Vec<String> {
    let told = |breach: &Breach| {
        let Breach { rule, operation, key, count, first_at, examples, .. } = breach;
        format!("{rule} by {operation} of {key}, {count} times, first at {first_at}; journal lines {examples:?}")
    };
    conduct.breaches.iter().take(TOLD_BREACHES).map(told).collect()
}

fn by_rule(conduct: &ConductReport) -> BTreeMap<String, u64> {
    conduct.by_rule().into_iter().map(|(rule, count)| (rule.to_owned(), count)).collect()
}

/// What a rehearsal leaves in its folder: an earlier one's is taken away, so that nothing of it is read as this one's.
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

/// A plan in a folder of its own. What an earlier rehearsal of the same name left there belongs to simulators that are gone.
fn fresh_plan(simulator: &Simulator, dir: &Path) -> Result<LoadedPlan, Refusal> {
    let work = dir.join("work");
    match std::fs::remove_dir_all(&work) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Refusal::bad(format!("cannot clear {}: {error}", work.display())));
        }
        _ => {}
    }
    OF_A_RUN.iter().for_each(|name| drop(std::fs::remove_file(dir.join(name))));
    output::private::folder(&work).map_err(|error| Refusal::bad(format!("cannot make {}: {error}", work.display())))?;
    let path = simulator.write_plan(&work).map_err(Refusal::bad)?;
    LoadedPlan::read(&path).map_err(Refusal::bad)
}

/// Private keys that the simulator wrote beside the plan, for whoever verifies: none where nothing is encrypted, or none is handed over.
fn handed_over(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.join("work/secrets")).into_iter().flatten();
    let mut keys: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    keys.retain(|path| path.to_string_lossy().ends_with(".key.pem"));
    keys.sort();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_as_people_say_it() {
        for (seconds, text) in [(0.4, "0 s"), (12.0, "12 s"), (250.0, "4 min 10 s"), (7500.0, "2 h 5 min"), (259_200.0, "3 d 0 h")] {
            assert_eq!(in_words(seconds), text);
        }
    }
}
