//! `rehearse`: simulators, migrator and verifier in one process, a scenario after another.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rehearsal::{Command, Ending, Migrator, Narrator, Options, Rehearsed, Scenario, Time};
use serde::Serialize;

use crate::cli::{Output, Rehearse};
use crate::interrupt::interrupt;
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
        migrator: migrator(
            arguments.migrator.as_deref(),
            arguments.migrator_minutes,
            arguments.workers,
        ),
        audio: arguments.audio.map(|audio| audio.scope(1)),
        journal: arguments.journal,
        interrupt: Some(interrupt()),
        ..Options::default()
    };
    let narrator: Arc<dyn Narrator> = Arc::new(Terminal(output.clone()));
    let (mut rehearsed, mut refused, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    let mut gravest = Ending::Done;
    for (name, scenario) in scenarios(&arguments.scenarios) {
        let mut refuse = |ending, sentence: String| {
            let ending = terminal::fail(ending, &sentence);
            refused.push((name.clone(), sentence));
            ending
        };
        let ending = match scenario {
            Ok(scenario)
                if arguments.migrator.is_some()
                    && arguments.clock.is_none()
                    && Time::of(&scenario.setup.clock) == Time::Virtual =>
            {
                let sentence = "left out: a command cannot follow the virtual clock it is written \
                    for; --clock real or scaled:K runs it";
                terminal::tell(&format!("{name}: {sentence}"));
                left_out.push((name, sentence.to_owned()));
                continue;
            }
            Ok(scenario) => {
                match rehearsal::rehearse(scenario, options.clone(), narrator.clone()).await {
                    Ok(one) => {
                        let ending = if one.passed {
                            Ending::Done
                        } else {
                            Ending::Unexpected
                        };
                        rehearsed.push(one);
                        ending
                    }
                    Err(refusal) => refuse(refusal.ending, refusal.sentence),
                }
            }
            Err(sentence) => refuse(Ending::BadCall, sentence),
        };
        gravest = gravest.or_graver(ending);
    }
    if rehearsed.is_empty() && !left_out.is_empty() {
        gravest = gravest.or_graver(Ending::BadCall);
    }
    if let Some(file) = &arguments.junit {
        let written = rehearsal::junit(&rehearsed, &refused, &left_out)
            .and_then(|text| output::private::write(file, text));
        if let Err(error) = written {
            return terminal::fail(
                gravest.or_graver(Ending::Stopped),
                &format!("cannot write {}: {error}", file.display()),
            );
        }
    }
    conclude(
        &arguments.report,
        rehearsed,
        left_out.len(),
        gravest,
        &output,
    )
}

/// Ours, or a command.
pub(crate) fn migrator(command: Option<&str>, minutes: u64, workers: Option<usize>) -> Migrator {
    match command {
        Some(line) => Migrator::Command(Command {
            line: line.to_owned(),
            limit: Duration::from_secs(60 * minutes.max(1)),
        }),
        None => Migrator::Ours {
            workers,
            between: None,
        },
    }
}

/// Scenario files; none: the showcase.
fn scenarios(paths: &[PathBuf]) -> Vec<(String, Result<Scenario, String>)> {
    if paths.is_empty() {
        return vec![(
            "showcase".to_owned(),
            Scenario::parse(SHOWCASE, "showcase.toml").map_err(|error| error.to_string()),
        )];
    }
    let read = |path: &PathBuf| {
        (
            path.display().to_string(),
            Scenario::read(path).map_err(|error| error.to_string()),
        )
    };
    paths.iter().map(read).collect()
}

/// The last word: the file, and one sentence.
fn conclude(
    report: &Path,
    scenarios: Vec<Rehearsed>,
    left_out: usize,
    ending: Ending,
    output: &Output,
) -> Ending {
    let passed = scenarios.iter().filter(|one| one.passed).count();
    let sentence = match (ending, scenarios.as_slice()) {
        (Ending::Done, all) if left_out > 0 => {
            format!(
                "All {} rehearsals went as they should; {left_out} more were left out, see above.",
                all.len()
            )
        }
        (Ending::Done, [one]) => format!(
            "The rehearsal went as it should: {}.",
            one.verifier_sentence.trim_end_matches('.')
        ),
        (Ending::Done, all) => format!("All {} rehearsals went as they should.", all.len()),
        (_, []) if left_out == 0 => {
            "Nothing was rehearsed: no scenario could be begun; see why above.".to_owned()
        }
        (_, []) => "Nothing was rehearsed: all was left out, see above.".to_owned(),
        (_, [one]) if !one.passed => {
            "The rehearsal did not go as it should; see what failed above.".to_owned()
        }
        (_, all) => format!(
            "{passed} of {} rehearsals went as they should; see what failed above.",
            all.len()
        ),
    };
    let path = report.join("rehearsal.json");
    let rehearsal = Rehearsal {
        version: 1,
        sentence: sentence.clone(),
        scenarios,
    };
    let written = serde_json::to_vec_pretty(&rehearsal).map_err(std::io::Error::other);
    let written = written.and_then(|text| {
        output::private::folder(report).and_then(|()| output::private::replace(&path, text))
    });
    if let Err(error) = written {
        return terminal::fail(
            ending.or_graver(Ending::Stopped),
            &format!("cannot write {}: {error}", path.display()),
        );
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
        Arc::new(Display::new("migrating", &self.0, None))
    }

    fn verifying(&self) -> Arc<dyn verifier::Progress> {
        Arc::new(Display::new("verifying", &self.0, None))
    }
}
