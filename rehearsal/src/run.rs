//! One scenario from start to judgement.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;
use simulator::{Breach, ConductReport};
use tokio::task::unconstrained;

use crate::clock::Wall;
use crate::ending::Ending;
use crate::environment::{Time, virtual_runtime};
use crate::judge::{Expectation, Observations, judge};
use crate::narrator::Narrator;
use crate::options::{Options, Refusal};
use crate::records;
use crate::running_scenario::RunningScenario;
use crate::scenario::Scenario;

/// Breaches that are told one by one: a screen's worth; `rehearse` counts them all.
const TOLD_BREACHES: usize = 20;

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
    /// Of a failure under a scaled clock: whether it was gone when the scenario was rehearsed again
    /// in real time, and so may be the clock's own.
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

/// Rehearses a scenario. In virtual time it runs on a thread of its own, whatever the caller's
/// runtime. What fails under a scaled clock is rehearsed once more in real time: a machine that is
/// too slow for the scale fails too.
///
/// Boxed: an `async fn` of this size would be compiled again in each crate that awaits it.
pub fn rehearse(
    scenario: Scenario,
    options: Options,
    narrator: Arc<dyn Narrator>,
) -> Pin<Box<dyn Future<Output = Result<Rehearsed, Refusal>>>> {
    Box::pin(rehearse_in_its_time(scenario, options, narrator))
}

async fn rehearse_in_its_time(
    scenario: Scenario,
    options: Options,
    narrator: Arc<dyn Narrator>,
) -> Result<Rehearsed, Refusal> {
    let time = options.time.unwrap_or(Time::of(&scenario.setup.clock));
    match time {
        Time::Real => run(scenario, options, time, narrator).await,
        Time::Scaled(_) => {
            let mut rehearsed =
                run(scenario.clone(), options.clone(), time, narrator.clone()).await?;
            if !rehearsed.passed {
                narrator.say("  it failed under a scaled clock; once more in real time");
                let again = run(scenario, options, Time::Real, narrator.clone()).await?;
                rehearsed.only_under_scaled_clock = Some(again.passed);
                let heard = if again.passed {
                    "is gone"
                } else {
                    "is the same or another"
                };
                narrator.say(&format!(
                    "  in real time the failure {heard}; the report is of the second run"
                ));
            }
            Ok(rehearsed)
        }
        Time::Virtual => {
            let broken = |error: String| Refusal {
                ending: Ending::OurBug,
                sentence: format!("the rehearsal broke off: {error}"),
            };
            let done = tokio::task::spawn_blocking(move || {
                in_virtual_time(move || run(scenario, options, time, narrator))
            })
            .await;
            done.map_err(|error| broken(error.to_string()))?
                .map_err(|error| broken(error.to_string()))?
        }
    }
}

/// Runs something to its end in virtual time, on this thread.
pub(crate) fn in_virtual_time<T: 'static, F: Future<Output = T> + 'static>(
    work: impl FnOnce() -> F,
) -> std::io::Result<T> {
    let runtime = virtual_runtime()?;
    // Without a budget: a task that has used its budget up is run again before or after what
    // another thread has finished, as it happens.
    let task = runtime.spawn_local(unconstrained(work()));
    runtime.block_on(task).map_err(std::io::Error::other)
}

async fn run(
    scenario: Scenario,
    options: Options,
    time: Time,
    narrator: Arc<dyn Narrator>,
) -> Result<Rehearsed, Refusal> {
    let began = Wall::now();
    let (name, about, expect) = (
        scenario.setup.name.clone(),
        scenario.setup.about.clone(),
        scenario.expect.clone(),
    );
    narrator.say(&format!("{name}: {about}"));
    let mut stage = RunningScenario::start(scenario, &options, time).await?;
    for notice in stage.simulator.notices() {
        narrator.say(&format!("  note: {notice}"));
    }
    let began_ms = stage.simulator.now_ms();
    let mut observed = Observations::default();
    let migrated = stage.migrate(&options, time, &*narrator).await?;
    migrated.note(&mut observed);
    let migrator_sentence = migrated.sentence;
    narrator.say(&format!("  migrator: {migrator_sentence}"));
    observed.requests = stage.simulator.requests();
    let conduct = stage.simulator.conduct();
    observed.conduct = by_rule(&conduct);
    let mut planted = Vec::new();
    for after in &stage.scenario.after_migration {
        planted.extend(
            after
                .apply(&stage.simulator, stage.seed)
                .map_err(Refusal::bad)?,
        );
    }
    for damage in planted {
        narrator.say(&format!(
            "  damaged on purpose: {} at {} places",
            damage.defect,
            damage.planted.len()
        ));
    }
    stage.environment.catch_up(&stage.simulator);
    let (verifier_ending, verifier_sentence) =
        stage.verify(&options, &*narrator, &mut observed).await;
    observed.verifier_conduct = by_rule(&stage.simulator.conduct().since(&conduct));
    observed.unmet_faults = stage.simulator.unmet_faults() as u64;
    let expectations = judge(&expect, &observed);
    let passed = expectations.iter().all(|expectation| expectation.pass);
    for failed in expectations.iter().filter(|expectation| !expectation.pass) {
        narrator.say(&format!(
            "  FAILED {}: expected {}, got {}",
            failed.what, failed.expected, failed.actual
        ));
    }
    let RunningScenario { simulator, dir, .. } = &stage;
    if !passed {
        breaches_of(&simulator.conduct())
            .iter()
            .for_each(|line| narrator.say(&format!("  conduct: {line}")));
    }
    if options.journal {
        records::write(simulator, dir)
            .await
            .map_err(|error| Refusal {
                ending: Ending::Stopped,
                sentence: error.to_string(),
            })?;
    }
    let assumptions: Vec<String> = simulator
        .assumptions()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let relied_on = assumptions.join(", ");
    narrator.say(&format!(
        "  what this does not prove ({} assumed rules were exercised): {relied_on}",
        assumptions.len()
    ));
    let rehearsed = Rehearsed {
        name,
        about,
        seed: options.seed.unwrap_or(stage.seed),
        clock: time.to_string(),
        wall_seconds: began.seconds(),
        virtual_seconds: (simulator.now_ms() - began_ms) as f64 / 1000.0,
        migrator_exit: observed.migrator.map_or(1, Ending::code),
        migrator_sentence,
        verifier_exit: verifier_ending.code(),
        verifier_sentence,
        expectations,
        passed,
        only_under_scaled_clock: None,
        notices: simulator.notices(),
        assumptions,
        requests: observed.requests,
        interactions: observed.interactions,
        recordings: observed.recordings,
        report: dir.clone(),
    };
    narrator.say(&last_line(&rehearsed, time, simulator.requests()));
    Ok(rehearsed)
}

fn last_line(rehearsed: &Rehearsed, time: Time, requests: u64) -> String {
    let passed = if rehearsed.passed { "passed" } else { "failed" };
    let took = match time {
        Time::Real => format!("{:.1} s", rehearsed.wall_seconds),
        Time::Scaled(_) | Time::Virtual => format!(
            "{:.1} s ({} simulated)",
            rehearsed.wall_seconds,
            in_words(rehearsed.virtual_seconds)
        ),
    };
    format!(
        "  {passed} in {took}, {requests} requests, report in {}",
        rehearsed.report.display()
    )
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

/// What to look for in the journal: the first breaches of conduct, with their lines.
pub(crate) fn breaches_of(conduct: &ConductReport) -> Vec<String> {
    let told = |breach: &Breach| {
        let Breach {
            rule,
            operation,
            key,
            count,
            first_at,
            examples,
            ..
        } = breach;
        format!(
            "{rule} by {operation} of {key}, {count} times, first at {first_at}; journal lines \
             {examples:?}"
        )
    };
    conduct
        .breaches
        .iter()
        .take(TOLD_BREACHES)
        .map(told)
        .collect()
}

fn by_rule(conduct: &ConductReport) -> BTreeMap<String, u64> {
    conduct
        .by_rule()
        .into_iter()
        .map(|(rule, count)| (rule.to_owned(), count))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_as_people_say_it() {
        for (seconds, text) in [
            (0.4, "0 s"),
            (12.0, "12 s"),
            (250.0, "4 min 10 s"),
            (7500.0, "2 h 5 min"),
            (259_200.0, "3 d 0 h"),
        ] {
            assert_eq!(in_words(seconds), text);
        }
    }
}
