//! `rehearse`: simulators, migrator and verifier in one process, over real HTTP on loopback.

use std::path::{Path, PathBuf};
use std::time::Instant;

use plan::LoadedPlan;
use platforms::clock::Clock;
use serde::Serialize;
use simulator::{Options, Scenario, Simulator};

use crate::cli::{Output, Rehearse};
use crate::ending::Ending;
use crate::judge::{Expectation, Happened, judge};
use crate::migrate::{ending_of, interrupt, network};
use crate::progress::Display;
use crate::{terminal, verify};

/// The scenario that runs when none is named, also where no checkout is at hand.
const SHOWCASE: &str = include_str!("../scenarios/showcase.toml");

/// `rehearsal.json`.
#[derive(Serialize)]
struct Rehearsal {
    version: u32,
    sentence: String,
    scenarios: Vec<Rehearsed>,
}

/// One scenario's part of it.
#[derive(Serialize)]
struct Rehearsed {
    name: String,
    about: String,
    seed: u64,
    wall_seconds: f64,
    /// Equal to the wall's under the real clock.
    virtual_seconds: f64,
    migrator_exit: u8,
    migrator_sentence: String,
    verifier_exit: u8,
    verifier_sentence: String,
    expectations: Vec<Expectation>,
    passed: bool,
    /// What a reader of the figures must know.
    notices: Vec<String>,
    /// What this does not prove: assumed rules the rehearsal relied on.
    assumptions: Vec<String>,
    requests: u64,
    interactions: u64,
    recordings: u64,
    report: PathBuf,
}

/// `seatrial rehearse [SCENARIO...]`.
pub(crate) async fn run(arguments: Rehearse, output: Output) -> Ending {
    let mut rehearsed = Vec::new();
    let mut gravest = Ending::Done;
    for scenario in scenarios(&arguments.scenarios) {
        let ending = match scenario {
            Ok(scenario) => match rehearse(scenario, &arguments, &output).await {
                Ok(one) => {
                    let ending = if one.passed { Ending::Done } else { Ending::Unexpected };
                    rehearsed.push(one);
                    ending
                }
                Err((ending, sentence)) => terminal::fail(ending, &sentence),
            },
            Err(sentence) => terminal::fail(Ending::BadCall, &sentence),
        };
        gravest = gravest.or_graver(ending);
    }
    conclude(&arguments.report, rehearsed, gravest, &output)
}

fn scenarios(paths: &[PathBuf]) -> Vec<Result<Scenario, String>> {
    if paths.is_empty() {
        return vec![Scenario::parse(SHOWCASE, "showcase.toml").map_err(|error| error.to_string())];
    }
    paths.iter().map(|path| Scenario::read(path).map_err(|error| error.to_string())).collect()
}

/// The last word: the file, and one sentence.
fn conclude(report: &Path, scenarios: Vec<Rehearsed>, ending: Ending, output: &Output) -> Ending {
    let passed = scenarios.iter().filter(|one| one.passed).count();
    let sentence = match (ending, scenarios.as_slice()) {
        (Ending::Done, [one]) => format!("The rehearsal went as it should: {}.", one.verifier_sentence.trim_end_matches('.')),
        (Ending::Done, all) => format!("All {} rehearsals went as they should.", all.len()),
        (_, [one]) if !one.passed => "The rehearsal did not go as it should; see what failed above.".to_owned(),
        (_, all) => format!("{passed} of {} rehearsals went as they should; see what failed above.", all.len()),
    };
    let path = report.join("rehearsal.json");
    let rehearsal = Rehearsal { version: 1, sentence: sentence.clone(), scenarios };
    let written = serde_json::to_vec_pretty(&rehearsal).map_err(std::io::Error::other);
    let written = written.and_then(|text| std::fs::create_dir_all(report).and_then(|()| std::fs::write(&path, text)));
    if let Err(error) = written {
        return terminal::fail(ending.or_graver(Ending::Stopped), &format!("cannot write {}: {error}", path.display()));
    }
    if output.json {
        terminal::document(&rehearsal);
    } else {
        terminal::say(&sentence);
        terminal::say(&format!("Report: {}", path.display()));
    }
    ending
}

/// One scenario from start to judgement.
#[expect(clippy::disallowed_methods, reason = "the report tells wall time beside the simulators' own")]
async fn rehearse(scenario: Scenario, arguments: &Rehearse, output: &Output) -> Result<Rehearsed, (Ending, String)> {
    let began = Instant::now();
    let bad = |error: String| (Ending::BadCall, error);
    let (name, about, expect) = (scenario.name.clone(), scenario.about.clone(), scenario.expect.clone());
    let seed = arguments.seed.unwrap_or(scenario.seed);
    let say = |line: String| {
        if !output.json {
            terminal::say(&line)
        }
    };
    say(format!("{name}: {about}"));
    let simulator = Simulator::start(scenario, Options { seed: Some(seed), ..Options::default() }).await.map_err(|e| bad(e.to_string()))?;
    for notice in simulator.notices() {
        say(format!("  note: {notice}"));
    }
    let dir = arguments.report.join(&name);
    let plan = fresh_plan(&simulator, &dir)?;
    let mut happened = Happened::default();
    let migrator_sentence = migrate(&plan, arguments, output, &mut happened).await?;
    say(format!("  migrator: {migrator_sentence}"));
    let requests = simulator.requests();
    happened.requests = requests;
    let planted = simulator.after_migration().map_err(|error| bad(error.to_string()))?;
    for damage in &planted {
        say(format!("  damaged on purpose: {} at {} places", damage.defect, damage.planted.len()));
    }
    let verified = verify::rehearsed(plan, dir.clone(), handed_over(&dir), output).await;
    let (verifier_ending, verifier_sentence) = match verified {
        Ok(verified) => {
            say(verified.text.trim_end().lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"));
            happened.verdict = Some(verified.verdict);
            happened.by_reason = verified.by_reason;
            happened.by_defect = verified.by_defect;
            (verified.ending, verified.sentence)
        }
        Err((ending, sentence)) => {
            say(format!("  verifier: {sentence}"));
            (ending, sentence)
        }
    };
    let expectations = judge(&expect, &happened);
    let passed = expectations.iter().all(|expectation| expectation.pass);
    for failed in expectations.iter().filter(|expectation| !expectation.pass) {
        say(format!("  FAILED {}: expected {}, got {}", failed.what, failed.expected, failed.actual));
    }
    let assumptions: Vec<String> = simulator.assumptions().into_iter().map(str::to_owned).collect();
    say(format!("  what this does not prove ({} assumed rules were exercised): {}", assumptions.len(), assumptions.join(", ")));
    let seconds = began.elapsed().as_secs_f64();
    say(format!(
        "  {} in {seconds:.1} s, {} requests, report in {}",
        if passed { "passed" } else { "failed" },
        simulator.requests(),
        dir.display()
    ));
    Ok(Rehearsed {
        name,
        about,
        seed,
        wall_seconds: seconds,
        virtual_seconds: seconds,
        migrator_exit: happened.migrator.map_or(1, Ending::code),
        migrator_sentence,
        verifier_exit: verifier_ending.code(),
        verifier_sentence,
        expectations,
        passed,
        notices: simulator.notices(),
        assumptions,
        requests,
        interactions: happened.interactions,
        recordings: happened.recordings,
        report: dir,
    })
}

/// A plan in a folder of its own. What an earlier rehearsal of the same name left there belongs to simulators that are gone.
fn fresh_plan(simulator: &Simulator, dir: &Path) -> Result<LoadedPlan, (Ending, String)> {
    let work = dir.join("work");
    let refuse = |error: String| (Ending::BadCall, error);
    match std::fs::remove_dir_all(&work) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(refuse(format!("cannot clear {}: {error}", work.display())));
        }
        _ => {}
    }
    std::fs::create_dir_all(&work).map_err(|error| refuse(format!("cannot make {}: {error}", work.display())))?;
    let path = simulator.write_plan(&work).map_err(|error| refuse(error.to_string()))?;
    LoadedPlan::read(&path).map_err(|error| refuse(error.to_string()))
}

/// Private keys that the simulator wrote beside the plan, for whoever verifies: none where nothing is encrypted, or none is handed over.
fn handed_over(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.join("work/secrets")).into_iter().flatten();
    let mut keys: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    keys.retain(|path| path.to_string_lossy().ends_with(".key.pem"));
    keys.sort();
    keys
}

async fn migrate(plan: &LoadedPlan, arguments: &Rehearse, output: &Output, happened: &mut Happened) -> Result<String, (Ending, String)> {
    let transport = network().map_err(|ending| (ending, "the network does not start".to_owned()))?;
    let options = migrator::Options { workers: arguments.workers, interrupt: Some(interrupt()), ..migrator::Options::default() };
    let display = Display::new("migrating", output);
    let ended = migrator::migrate(plan.clone(), options, transport, Clock::real(), &display).await;
    display.finish();
    match ended {
        Ok(outcome) => {
            happened.migrator = Some(ending_of(&outcome));
            happened.interactions = outcome.tally.interactions;
            happened.recordings = outcome.tally.recordings;
            happened.quarantined = outcome.tally.quarantined.clone();
            happened.skipped = outcome.tally.skipped.clone();
            Ok(format!(
                "{} ({} requests, {} answered 429)",
                outcome.sentence(),
                outcome.source_requests + outcome.target_requests,
                outcome.throttled
            ))
        }
        Err(migrator::Stop::Interrupted) => Err((Ending::Stopped, "interrupted".to_owned())),
        Err(stop) => {
            happened.migrator = Some(Ending::from(&stop));
            Ok(format!("refused or stopped: {stop}"))
        }
    }
}
