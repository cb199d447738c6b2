//! One migration under one document, and what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use simulator::ConductReport;
use toml::Table;

use crate::ending::Ending;
use crate::environment::Time;
use crate::judge::Observations;
use crate::migration::Migrated;
use crate::narrator::Silent;
use crate::options::{Migrator, Options, Refusal};
use crate::run::{breaches_of, in_virtual_time};
use crate::running_scenario::RunningScenario;
use crate::scenario::Scenario;

/// What a migration did that it must not do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something was lost, doubled or altered.
    Safety,
    /// It does not come to its end although nothing strikes any more.
    Liveness,
    /// More breaches of good conduct than the scenario allows; the classes are `ROLE:RULE`.
    Conduct,
    /// A panic, an exit code that means nothing, or a refusal of what it must take.
    Broken,
}

/// Why a seed failed: what kind, which classes, and in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// What kind.
    pub kind: Kind,
    /// Defect classes (`D03`), or what else tells one failure from another.
    pub classes: BTreeSet<String>,
    /// For a person.
    pub sentence: String,
}

impl Reason {
    fn new(kind: Kind, classes: impl IntoIterator<Item = String>, sentence: String) -> Reason {
        Reason {
            kind,
            classes: classes.into_iter().collect(),
            sentence,
        }
    }

    /// Whether it is the same trouble: the same kind, and a class in common.
    pub(crate) fn is_like(&self, other: &Reason) -> bool {
        self.kind == other.kind && !self.classes.is_disjoint(&other.classes)
    }
}

/// What came out of one migration.
#[derive(Debug, Clone)]
pub(crate) struct Tried {
    /// Absent: nothing is wrong.
    pub(crate) reason: Option<Reason>,
    /// Recordings of the source.
    pub(crate) recordings: u64,
    /// What belongs behind, by reason, as the verifier derived it.
    pub(crate) by_reason: BTreeMap<String, u64>,
}

/// How documents are tried.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) migrator: Migrator,
    pub(crate) time: Time,
    /// Folder that relative paths of the base scenario start from.
    pub(crate) dir: PathBuf,
}

/// What a trial may ask of the platforms: fifty times what the largest needs.
const MOST_REQUESTS: u64 = 200_000;
/// A migration of forty calls that is not through after this is not coming to its end. On the
/// simulators' clock.
const LONGEST: Duration = Duration::from_secs(10 * 86_400);
/// Starts after the last fault, until it has to be through.
const LAST_STARTS: usize = 3;

impl Bench {
    /// Tries one document, on this thread.
    pub(crate) fn try_out(&self, document: &Table, work: &Path) -> Tried {
        let parsed = Scenario::parse(&document.to_string(), "explored.toml");
        let mut scenario = match parsed {
            Ok(scenario) => scenario,
            Err(error) => return Tried::broken("scenario", format!("no scenario: {error}")),
        };
        scenario.setup.dir.clone_from(&self.dir);
        let folder = match tempfile::tempdir_in(work) {
            Ok(folder) => folder,
            Err(error) => {
                return Tried::broken(
                    "folder",
                    format!("cannot make a folder in {}: {error}", work.display()),
                );
            }
        };
        let bench = self.clone();
        let report = folder.path().to_owned();
        let tried = match self.time {
            Time::Virtual => in_virtual_time(move || bench.run(scenario, report)),
            Time::Real | Time::Scaled(_) => tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map(|runtime| runtime.block_on(bench.run(scenario, report))),
        };
        // A panic inside is one of the role that was at work.
        tried.unwrap_or_else(|error| Tried::broken("panic", error.to_string()))
    }

    async fn run(self, scenario: Scenario, report: PathBuf) -> Tried {
        let allowed = scenario.expect.max_conduct;
        let options = Options {
            report,
            migrator: self.migrator.clone(),
            most_requests: MOST_REQUESTS,
            ..Options::default()
        };
        let stage = match RunningScenario::start(scenario, &options, self.time).await {
            Ok(stage) => stage,
            Err(refusal) => return Tried::broken("scenario", refusal.sentence),
        };
        let migrated = match self.converge(&stage, &options).await {
            Ok(migrated) => migrated,
            Err(reason) => {
                return Tried {
                    reason: Some(reason),
                    recordings: recordings(&stage).await,
                    by_reason: BTreeMap::new(),
                };
            }
        };
        let conduct = stage.simulator.conduct();
        let mut observed = Observations::default();
        let (ending, sentence) = stage.verify(&options, &Silent, &mut observed).await;
        let verifiers = stage.simulator.conduct().since(&conduct);
        let reason = unsafe_end(&migrated, ending, &sentence, &observed)
            .or_else(|| doubled(&stage))
            .or_else(|| misconduct("migrator", &conduct, allowed))
            .or_else(|| misconduct("verifier", &verifiers, 0));
        let recordings = if reason.is_some() {
            recordings(&stage).await
        } else {
            0
        };
        Tried {
            reason,
            recordings,
            by_reason: observed.by_reason,
        }
    }

    /// To the end of the migration: under the faults, and then, where it is not through, without
    /// them.
    async fn converge(
        &self,
        stage: &RunningScenario,
        options: &Options,
    ) -> Result<Migrated, Reason> {
        let mut migrated = self.start(stage, options).await?;
        for _ in 0..LAST_STARTS {
            if is_through(&migrated) {
                return Ok(migrated);
            }
            stage.simulator.lift_faults();
            migrated = self.start(stage, options).await?;
        }
        if is_through(&migrated) {
            return Ok(migrated);
        }
        let sentence = format!(
            "not through after {LAST_STARTS} more starts without a fault: {}",
            migrated.sentence
        );
        Err(match migrated.ending {
            Ending::OurBug | Ending::BadCall => {
                Reason::new(Kind::Broken, ["migrator".to_owned()], sentence)
            }
            _ => Reason::new(Kind::Liveness, ["not_through".to_owned()], sentence),
        })
    }

    async fn start(&self, stage: &RunningScenario, options: &Options) -> Result<Migrated, Reason> {
        let work = stage.migrate(options, self.time, &Silent);
        match stage.environment.clock.timeout(LONGEST, work).await {
            None => Err(Reason::new(
                Kind::Liveness,
                ["endless".to_owned()],
                format!("still at work after {} days", LONGEST.as_secs() / 86_400),
            )),
            Some(Err(Refusal { sentence, .. })) => {
                Err(Reason::new(Kind::Broken, ["migrator".to_owned()], sentence))
            }
            Some(Ok(migrated)) => Ok(migrated),
        }
    }
}

fn is_through(migrated: &Migrated) -> bool {
    matches!(migrated.ending, Ending::Done | Ending::SetAside) && migrated.finished != Some(false)
}

/// What the verifier found, or what migrator and verifier do not agree on.
fn unsafe_end(
    migrated: &Migrated,
    ending: Ending,
    sentence: &str,
    observed: &Observations,
) -> Option<Reason> {
    match ending {
        Ending::Done => {}
        Ending::Mismatch => {
            return Some(Reason::new(
                Kind::Safety,
                observed.by_defect.keys().cloned(),
                sentence.to_owned(),
            ));
        }
        Ending::CannotTell => {
            return Some(Reason::new(
                Kind::Safety,
                ["cannot_tell".to_owned()],
                sentence.to_owned(),
            ));
        }
        _ => {
            return Some(Reason::new(
                Kind::Broken,
                ["verifier".to_owned()],
                format!("the verifier: {sentence}"),
            ));
        }
    }
    let aside = migrated.aside.as_ref()?;
    let mut told = aside.quarantined.clone();
    for (reason, count) in &aside.skipped {
        *told.entry(reason.clone()).or_default() += count;
    }
    let derived: BTreeMap<String, u64> = observed
        .by_reason
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(r, c)| (r.clone(), *c))
        .collect();
    let differ = told != derived;
    differ.then(|| {
        Reason::new(
            Kind::Safety,
            ["reasons".to_owned()],
            format!("it says that {told:?} stay behind, and by the rules {derived:?} do"),
        )
    })
}

/// What the platforms themselves say was made twice, whatever a reader sees of it.
fn doubled(stage: &RunningScenario) -> Option<Reason> {
    stage.simulator.made_twice().map(|key| {
        Reason::new(
            Kind::Safety,
            ["made_twice".to_owned()],
            format!("made twice: {key}"),
        )
    })
}

/// What a platform's operator would complain of.
fn misconduct(role: &str, conduct: &ConductReport, allowed: u64) -> Option<Reason> {
    let breaches = conduct.count();
    let classes = conduct
        .by_rule()
        .into_keys()
        .map(|rule| format!("{role}:{rule}"));
    let told = || {
        format!(
            "the {role} breaches good conduct {breaches} times: {}",
            breaches_of(conduct).join("; ")
        )
    };
    (breaches > allowed).then(|| Reason::new(Kind::Conduct, classes, told()))
}

async fn recordings(stage: &RunningScenario) -> u64 {
    let truth = stage
        .simulator
        .truth(simulator::PlatformName::Legacy)
        .await
        .unwrap_or_default();
    let lines = truth
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    lines
        .map(|line| line["recordings"].as_array().map_or(0, Vec::len) as u64)
        .sum()
}

impl Tried {
    fn broken(class: &str, sentence: String) -> Tried {
        let reason = Reason::new(Kind::Broken, [class.to_owned()], sentence);
        Tried {
            reason: Some(reason),
            recordings: 0,
            by_reason: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use simulator::{Breach, ConductReport};

    use super::misconduct;

    #[test]
    fn more_breaches_than_are_allowed_are_a_reason_that_names_who_and_which() {
        let (rule, operation, key) = ("retry_storm", "legacy.get_media", "100001-1".to_owned());
        let breach = Breach {
            rule,
            platform: "legacy",
            operation,
            key,
            count: 2,
            first_at: String::new(),
            examples: vec![7],
        };
        let report = ConductReport {
            rules: &[],
            breaches: vec![breach],
        };
        assert_eq!(misconduct("migrator", &report, 2), None);
        let reason = misconduct("verifier", &report, 1).expect("a reason");
        assert_eq!(
            reason.classes.iter().collect::<Vec<_>>(),
            ["verifier:retry_storm"]
        );
        assert!(
            reason
                .sentence
                .starts_with("the verifier breaches good conduct 2 times: retry_storm"),
            "{}",
            reason.sentence
        );
        assert!(!reason.is_like(&misconduct("migrator", &report, 1).expect("a reason")));
    }
}
