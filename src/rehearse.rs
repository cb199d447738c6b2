//! `rehearse`: simulators, migrator and verifier in one process, a scenario after another.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rehearsal::{Ending, Narrator, Options, Rehearsed};
use serde::Serialize;
use simulator::Scenario;

use crate::cli::{Output, Rehearse};
use crate::migrate::interrupt;
use crate::progress::Display;
use crate::terminal;

/// The scenario that runs when none is named, also where no checkout is at hand.
const SHOWCASE: &str = include_str!("../scenarios/showcase.toml");

/// `rehearsal.json`.
#[derive(Serialize)]
struct Rehearsal {
    version: u32,
    sentence: String,
    scenarios: Vec<Rehearsed>,
}

/// `seatrial rehearse [SCENARIO...]`.
pub(crate) async fn run(arguments: Rehearse, output: Output) -> Ending {
    let options = Options {
        report: arguments.report.clone(),
        seed: arguments.seed,
        time: arguments.clock,
        workers: arguments.workers,
        audio: arguments.audio.scope(1),
        journal: arguments.journal,
        interrupt: Some(interrupt()),
    };
    let narrator: Arc<dyn Narrator> = Arc::new(Terminal(output.clone()));
    let mut rehearsed = Vec::new();
    let mut gravest = Ending::Done;
    for scenario in scenarios(&arguments.scenarios) {
        let ending = match scenario {
            Ok(scenario) => match rehearsal::rehearse(scenario, options.clone(), narrator.clone()).await {
                Ok(one) => {
                    let ending = if one.passed { Ending::Done } else { Ending::Unexpected };
                    rehearsed.push(one);
                    ending
                }
                Err(refusal) => terminal::fail(refusal.ending, &refusal.sentence),
            },
            Err(sentence) => terminal::fail(Ending::BadCall, &sentence),
        };
        gravest = gravest.or_graver(ending);
    }
    conclude(&arguments.report, rehearsed, gravest, &output)
}

/// Scenario files; none: the showcase.
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

/// Tells a rehearsal on the terminal; beside a JSON document only what goes to standard error.
struct Terminal(Output);

impl Narrator for Terminal {
    fn say(&self, line: &str) {
        if !self.0.json {
            terminal::say(line);
        }
    }

    fn migrating(&self) -> Arc<dyn migrator::Progress> {
        Arc::new(Display::new("migrating", &self.0))
    }

    fn verifying(&self) -> Arc<dyn verifier::Progress> {
        Arc::new(Display::new("verifying", &self.0))
    }
}
