//! Many seeds, and the smallest scenario that still fails.
//!
//! Each seed makes a world, faults, kills and a number of workers of its own (`swarm`); a migration
//! under them must neither lose, double nor alter anything (the verifier and the platforms' own
//! effects say), and must come to its end once nothing strikes any more. A failure is shrunk.

mod dice;
mod shrink;
mod swarm;
mod trial;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use serde::Serialize;
use toml::{Table, Value};

use crate::environment::Time;
use crate::options::{Migrator, Refusal};
use crate::scenario::Scenario;

use trial::{Bench, Tried};
pub use trial::{Kind, Reason};

/// What is explored, and how far.
#[derive(Clone)]
pub struct Exploration {
    /// Scenario file the seeds vary.
    pub scenario: PathBuf,
    /// Its text.
    pub text: String,
    /// How many seeds.
    pub seeds: u64,
    /// The first of them.
    pub first: u64,
    /// Who is tried.
    pub migrator: Migrator,
    /// `Virtual` for ours; a command needs another.
    pub time: Time,
    /// Folder for shrunk scenarios.
    pub report: PathBuf,
    /// Seeds tried at once, each on a thread of its own.
    pub threads: usize,
    /// Failures after which no further seed is begun. 0: all seeds are tried.
    pub most_failures: usize,
}

/// What came out: `{"seeds","clean","failures"}`.
#[derive(Debug, Clone, Serialize)]
pub struct Explored {
    /// Seeds tried.
    pub seeds: u64,
    /// Those without a failure.
    pub clean: u64,
    /// The others, in order.
    pub failures: Vec<Failure>,
}

/// A seed that failed.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What is wrong, in a sentence.
    pub reason: String,
    /// The same for programs.
    pub found: Reason,
    /// File of the smallest scenario that still fails, 10 times of 10. Absent: shrinking came to
    /// none, and the seed itself has to do.
    pub shrunk: Option<PathBuf>,
    /// Recordings in it.
    pub recordings: u64,
    /// Faults and kills in it.
    pub faults: usize,
    /// Migrations it took to shrink it.
    pub trials: usize,
}

impl Exploration {
    /// The command that shows a failure again, by the file it was shrunk to.
    #[must_use]
    pub fn again(&self, file: &Path) -> String {
        let file = quoted(&file.display().to_string());
        match &self.migrator {
            Migrator::Ours { .. } => format!("seatrial rehearse {file}"),
            Migrator::Command(command) => {
                let minutes = command.limit.as_secs() / 60;
                format!(
                    "seatrial rehearse {file} --migrator {} --migrator-minutes {minutes} --clock \
                     {}",
                    quoted(&command.line),
                    self.time
                )
            }
        }
    }

    /// Tries every seed; `tell` hears a line now and then. Blocks the caller: give it a thread.
    ///
    /// # Errors
    ///
    /// The scenario is not one, or the report's folder cannot be made ([`Refusal`]). A seed that
    /// fails is no error.
    pub fn explore(
        &self,
        tell: &(dyn Fn(&str) + Sync),
        interrupted: &AtomicBool,
    ) -> Result<Explored, Refusal> {
        // The file's own name: it names the shrunk files, which go into the report's folder and
        // nowhere else.
        let name = self
            .scenario
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let scenario = Scenario::parse(&self.text, &name).map_err(Refusal::bad)?;
        let base: Table = self.text.parse().map_err(Refusal::bad)?;
        output::private::folder(&self.report).map_err(|error| {
            Refusal::bad(format!("cannot make {}: {error}", self.report.display()))
        })?;
        let dir = self
            .scenario
            .parent()
            .map(Path::to_owned)
            .unwrap_or_default();
        let bench = Bench {
            migrator: self.migrator.clone(),
            time: self.time,
            dir,
        };
        let (next, tried) = (AtomicU64::new(0), AtomicU64::new(0));
        let failures = Mutex::new(Vec::new());
        let failed = |failures: &Mutex<Vec<Failure>>| failures.lock().len();
        std::thread::scope(|scope| {
            for _ in 0..self.threads.max(1) {
                scope.spawn(|| {
                    loop {
                        let n = next.fetch_add(1, Ordering::AcqRel);
                        let enough =
                            self.most_failures > 0 && failed(&failures) >= self.most_failures;
                        if n >= self.seeds || enough || interrupted.load(Ordering::Acquire) {
                            return;
                        }
                        let seed = self.first + n;
                        let found = self.try_seed(&bench, &base, &scenario, seed, tell);
                        if let Some(failure) = found {
                            tell(&told(&failure));
                            failures.lock().push(failure);
                        }
                        let tried = tried.fetch_add(1, Ordering::AcqRel) + 1;
                        if tried.is_multiple_of(100) {
                            tell(&format!(
                                "{tried} of {} seeds, {} failed",
                                self.seeds,
                                failed(&failures)
                            ));
                        }
                    }
                });
            }
        });
        let mut failures = failures.into_inner();
        failures.sort_by_key(|failure| failure.seed);
        let seeds = tried.into_inner();
        Ok(Explored {
            seeds,
            clean: seeds - failures.len() as u64,
            failures,
        })
    }

    fn try_seed(
        &self,
        bench: &Bench,
        base: &Table,
        scenario: &Scenario,
        seed: u64,
        tell: &(dyn Fn(&str) + Sync),
    ) -> Option<Failure> {
        let document = swarm::vary(base, scenario, seed);
        let tried = bench.try_out(&document, &self.report);
        let reason = tried.reason.clone()?;
        tell(&format!(
            "seed {seed} failed: {}; shrinking it",
            reason.sentence
        ));
        let shrunk = shrink::shrink(bench, &document, tried, &reason, &self.report);
        let faults = count(&shrunk.document);
        // Believed only when it fails each time.
        let steady = (0..shrink::TIMES).all(|_| {
            let again = bench.try_out(&shrunk.document, &self.report);
            again.reason.is_some_and(|again| again.is_like(&reason))
        });
        let file = self
            .report
            .join(format!("{}-{seed}.toml", scenario.setup.name));
        let text = self.written(&shrunk.document, &shrunk.last, seed);
        let written = steady && output::private::replace(&file, text).is_ok();
        Some(Failure {
            seed,
            reason: reason.sentence.clone(),
            found: shrunk.last.reason.clone().unwrap_or(reason),
            shrunk: written.then_some(file),
            recordings: shrunk.last.recordings,
            faults,
            trials: shrunk.trials,
        })
    }

    /// The shrunk scenario as a file that fails under `rehearse`: it expects what the verifier says
    /// belongs behind, and a match.
    fn written(&self, document: &Table, last: &Tried, seed: u64) -> String {
        let mut document = document.clone();
        let reason = last
            .reason
            .as_ref()
            .map(|reason| reason.sentence.clone())
            .unwrap_or_default();
        let by = match &self.migrator {
            Migrator::Ours { .. } => String::new(),
            Migrator::Command(command) => {
                format!("; rehearse it with --migrator {}", quoted(&command.line))
            }
        };
        document.insert(
            "about".to_owned(),
            Value::String(format!(
                "Found by seed {seed} of an exploration, and shrunk: {reason}{by}"
            )),
        );
        let is_skipped = |reason: &str| matches!(reason, "expired" | "unmapped_queue");
        let counts = |skipped: bool| -> Table {
            let chosen = last
                .by_reason
                .iter()
                .filter(|(reason, count)| **count > 0 && is_skipped(reason) == skipped);
            chosen
                .map(|(reason, count)| {
                    (
                        reason.clone(),
                        Value::Integer(i64::try_from(*count).unwrap_or(i64::MAX)),
                    )
                })
                .collect()
        };
        let (quarantined, skipped) = (counts(false), counts(true));
        let expect = swarm::section(&mut document, "expect");
        if !quarantined.is_empty() {
            expect.insert("migrator".to_owned(), "quarantined".into());
        }
        expect.insert("quarantined".to_owned(), quarantined.into());
        expect.insert("skipped".to_owned(), skipped.into());
        if self.time == Time::Virtual {
            swarm::section(&mut document, "clock").insert("mode".to_owned(), "virtual".into());
        }
        document.to_string()
    }
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Faults and kills of a document.
fn count(document: &Table) -> usize {
    let length = |value: Option<&Value>| value.and_then(Value::as_array).map_or(0, Vec::len);
    length(document.get("fault"))
        + length(
            document
                .get("migrator")
                .and_then(|migrator| migrator.get("kill_after_requests")),
        )
}

fn told(failure: &Failure) -> String {
    let Failure {
        seed,
        recordings,
        faults,
        trials,
        ..
    } = failure;
    match &failure.shrunk {
        Some(file) => format!(
            "seed {seed}: shrunk to {recordings} recordings and {faults} faults in {trials} \
             trials: {}",
            file.display()
        ),
        None => format!(
            "seed {seed}: what it was shrunk to does not fail each time; rerun the seed itself"
        ),
    }
}
