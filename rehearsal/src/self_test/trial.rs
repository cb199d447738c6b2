//! One way into a target: a world, its migration, and rounds of damage and verification.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use verifier::{AudioScope, Finding, Report};

use super::catalogue::{CLASSES, Class, How};
use super::judge::{Judged, Place, Wanted, judge};
use super::{Row, SelfTest, Status, broken};
use crate::clock::Wall;
use crate::environment::Time;
use crate::forecast::Surface;
use crate::narrator::Silent;
use crate::options::{Options, Refusal};
use crate::running_scenario::RunningScenario;
use crate::scenario::Scenario;

/// Defects of a class that is planted in single calls: even, since some take pairs.
const IN_CALLS: usize = 2;

/// Classes that few calls can take, in the order in which they are planted: before all others.
const CHOOSY: [&str; 14] = [
    "D33", "D04", "D18", "D13", "D59", "D60", "D57", "D49", "D48", "D36", "D55", "D56", "D58",
    "D43",
];

/// What came out by one way.
pub(super) struct Tried {
    pub(super) rows: Vec<Row>,
    pub(super) alarms: Vec<String>,
    pub(super) clean_records: u64,
    pub(super) clean_with_sound: u64,
    pub(super) verifications: u64,
    pub(super) seconds: f64,
}

/// The world of a way, migrated.
struct Trial {
    test: SelfTest,
    way: Surface,
    stage: RunningScenario,
    /// Snapshot of the simulators after the migration.
    snapshot: u64,
    judged: BTreeMap<&'static str, Judged>,
    tried: Tried,
    _dir: TempDir,
}

/// Tries every chosen class by a way.
pub(super) async fn run(test: SelfTest, way: Surface) -> Result<Tried, Refusal> {
    let began = Wall::now();
    let mut trial = Trial::start(test, way).await?;
    trial.verify_clean().await?;
    trial.in_calls().await?;
    let alone: Vec<&Class> = trial.chosen(|how| matches!(how, How::Alone)).collect();
    for class in alone {
        trial.restore().await?;
        trial.alone(class).await?;
    }
    trial.tried.rows = trial.rows();
    trial.tried.seconds = began.seconds();
    Ok(trial.tried)
}

impl Trial {
    async fn start(test: SelfTest, way: Surface) -> Result<Trial, Refusal> {
        let dir = tempfile::tempdir().map_err(broken)?;
        let scenario = Scenario::parse(&scenario(way), "self_test.toml").map_err(Refusal::bad)?;
        let options = Options {
            report: dir.path().to_owned(),
            seed: Some(test.seed),
            ..Options::default()
        };
        let stage = RunningScenario::start(scenario, &options, Time::Virtual).await?;
        let migrated = stage.migrate(&options, Time::Virtual, &Silent).await?;
        if migrated.finished != Some(true) {
            return Err(broken(format!(
                "{}, seed {}: {}",
                way.name(),
                test.seed,
                migrated.sentence
            )));
        }
        let snapshot = stage.simulator.snapshot().await.map_err(broken)?;
        Ok(Trial {
            test,
            way,
            stage,
            snapshot,
            judged: BTreeMap::new(),
            tried: Tried {
                rows: Vec::new(),
                alarms: Vec::new(),
                clean_records: 0,
                clean_with_sound: 0,
                verifications: 0,
                seconds: 0.0,
            },
            _dir: dir,
        })
    }

    /// The chosen classes that are handled so.
    fn chosen(&self, is: impl Fn(How) -> bool) -> impl Iterator<Item = &'static Class> {
        let (test, way) = (self.test.clone(), self.way);
        CLASSES.iter().filter(move |class| {
            (test.classes.is_empty() || test.classes.contains(class.code)) && is(class.how(way))
        })
    }

    async fn restore(&self) -> Result<(), Refusal> {
        let restored = self.stage.simulator.restore(self.snapshot, None).await;
        restored.map_err(broken)
    }

    async fn verify(&mut self, audio: AudioScope) -> Result<Report, Refusal> {
        self.stage.environment.catch_up(&self.stage.simulator);
        let options = verifier::Options {
            audio,
            ..verifier::Options::default()
        };
        let environment = self.stage.environment.clone();
        self.tried.verifications += 1;
        verifier::verify(
            &self.stage.plan,
            options,
            environment.transport,
            environment.clock,
            &verifier::Silent,
        )
        .await
        .map_err(broken)
    }

    /// Nothing is damaged: every finding is a false alarm, and what cannot be told is one too.
    async fn verify_clean(&mut self) -> Result<(), Refusal> {
        let report = self.verify(AudioScope::All).await?;
        let counts = &report.summary.counts;
        let (_, alarms) = judge(&[], &report.findings);
        self.tried.clean_records += counts.source_recordings - counts.not_verifiable;
        self.tried.clean_with_sound += counts.matched;
        let way = self.way.name();
        self.tried.alarms.extend(
            alarms
                .into_iter()
                .map(|alarm| format!("{way}, clean: {alarm}")),
        );
        if report.summary.verdict == verifier::Verdict::CannotTell {
            self.tried
                .alarms
                .push(format!("{way}, clean: {}", report.summary.sentence));
        }
        Ok(())
    }

    /// The classes that concern single calls: all of them in one world, on calls of their own.
    async fn in_calls(&mut self) -> Result<(), Refusal> {
        let rank = |class: &Class| {
            CHOOSY
                .iter()
                .position(|code| *code == class.code)
                .unwrap_or(CHOOSY.len())
        };
        let mut classes: Vec<&Class> = self
            .chosen(|how| matches!(how, How::InCalls | How::InOneCall))
            .collect();
        classes.sort_by_key(|class| (rank(class), class.code));
        let mut wanted = Vec::new();
        for class in classes {
            let count = match class.how(self.way) {
                How::InOneCall => 1,
                _ => IN_CALLS,
            };
            wanted.extend(self.plant(class, count));
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let report = self.verify(AudioScope::All).await?;
        self.judge(&wanted, &report.findings);
        Ok(())
    }

    /// A class in a world of its own.
    async fn alone(&mut self, class: &'static Class) -> Result<(), Refusal> {
        let wanted = self.plant(class, IN_CALLS);
        let report = self.verify(AudioScope::All).await?;
        self.judge(&wanted, &report.findings);
        Ok(())
    }

    fn plant(&mut self, class: &'static Class, count: usize) -> Vec<Wanted> {
        let named = class.stands_as().unwrap_or(class.code);
        match self
            .stage
            .simulator
            .tamper(class.code, count, self.test.seed)
        {
            Ok(answer) => answer
                .planted
                .iter()
                .map(|entry| Wanted {
                    class: class.code,
                    named,
                    place: Place::planted(named, entry),
                })
                .collect(),
            Err(refusal) => {
                let judged = self.judged.entry(class.code).or_default();
                judged.wrong.push(format!("not planted: {refusal}"));
                Vec::new()
            }
        }
    }

    fn judge(&mut self, wanted: &[Wanted], findings: &[Finding]) {
        let (judged, alarms) = judge(wanted, findings);
        for (code, one) in judged {
            let sum = self.judged.entry(code).or_default();
            sum.planted += one.planted;
            sum.found += one.found;
            sum.named += one.named;
            sum.surplus += one.surplus;
            sum.wrong.extend(one.wrong);
        }
        let way = self.way.name();
        self.tried
            .alarms
            .extend(alarms.into_iter().map(|alarm| format!("{way}: {alarm}")));
    }

    fn rows(&self) -> Vec<Row> {
        let row = |class: &'static Class| {
            let (judged, how) = (self.judged.get(class.code), class.how(self.way));
            let (status, judged, reason) = match (how, judged) {
                (How::Declared(declared), _) => (
                    declared.status(),
                    Judged::default(),
                    declared.reason().to_owned(),
                ),
                (_, Some(judged)) => {
                    let holds = judged.planted > 0
                        && judged.named == judged.planted
                        && judged.surplus == 0
                        && judged.wrong.is_empty();
                    let status = if holds { Status::Found } else { Status::Failed };
                    (status, judged.clone(), judged.wrong.join("; "))
                }
                (_, None) => (
                    Status::Failed,
                    Judged::default(),
                    "nothing was planted".to_owned(),
                ),
            };
            Row {
                class: class.code,
                title: class.title(),
                target: self.way,
                status,
                stands_as: class.stands_as(),
                planted: judged.planted,
                found: judged.found,
                named: judged.named,
                surplus: judged.surplus,
                reason,
            }
        };
        self.chosen(|_| true).map(row).collect()
    }
}

/// The world of a way. Sound in every codec the source may use, so that nearly every call is
/// converted.
fn scenario(way: Surface) -> String {
    let target = match way {
        Surface::Guide => "target = \"genesys_cloud\"\ningest = \"guide\"",
        Surface::Public => "target = \"genesys_cloud\"\ningest = \"public\"",
        Surface::Gir => "target = \"gir\"",
    };
    format!("{target}\n{}", include_str!("world.toml"))
}
