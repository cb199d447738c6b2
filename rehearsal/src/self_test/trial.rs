//! One way into a target: its worlds, their migration, and rounds of damage and verification.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use tempfile::TempDir;
use verifier::{AudioScope, Exports, Finding, Report, SourceFrom};

use super::catalogue::{CLASSES, Class, How};
use super::judge::{Judged, Place, Wanted, judge};
use super::process;
use super::staged;
use super::{Row, SelfTest, Status, broken};
use crate::clock::Wall;
use crate::environment::Time;
use crate::forecast::Surface;
use crate::narrator::Silent;
use crate::options::{Options, Refusal};
use crate::running_scenario::RunningScenario;
use crate::scenario::Scenario;

/// Defects of a class in single calls: even, since some take pairs.
pub(super) const IN_CALLS: usize = 2;
/// Calls that are listed late, and as many others that are erased.
const WITHHELD: u64 = 3;
/// Fewest calls of a pattern: with fewer the verifier names none.
const OF_PATTERN: usize = 5;

/// Classes that few calls can take, in the order in which they are planted: before all others.
const CHOOSY: [&str; 18] = [
    "D26", "D33", "D04", "D18", "D13", "D59", "D60", "D57", "D49", "D48", "D36", "D05", "D55",
    "D56", "D58", "D43", "D22", "D17",
];

/// What came out by one way.
#[derive(Default)]
pub(super) struct Tried {
    pub(super) rows: Vec<Row>,
    pub(super) alarms: Vec<String>,
    pub(super) clean_records: u64,
    pub(super) clean_with_sound: u64,
    pub(super) verifications: u64,
    pub(super) seconds: f64,
}

/// A way with one of its worlds, migrated.
pub(super) struct Trial {
    pub(super) test: SelfTest,
    pub(super) way: Surface,
    pub(super) world: World,
    pub(super) judged: BTreeMap<&'static str, Judged>,
    pub(super) tried: Tried,
}

/// A world after its migration.
pub(super) struct World {
    pub(super) stage: RunningScenario,
    /// Snapshot of the simulators after the migration.
    snapshot: u64,
    /// Calls and recordings that the clean verification matched.
    matched: Vec<(String, String)>,
    _dir: TempDir,
}

/// Tries every chosen class by a way.
pub(super) async fn run(test: SelfTest, way: Surface) -> Result<Tried, Refusal> {
    let began = Wall::now();
    let mut trial = Trial {
        world: World::migrated(&test, way, include_str!("world.toml"), &BTreeSet::new()).await?,
        test,
        way,
        judged: BTreeMap::new(),
        tried: Tried::default(),
    };
    trial.verify_clean().await?;
    trial.in_calls().await?;
    for class in trial.chosen(|how| how.is_in_the_main_world()) {
        trial.restore().await?;
        trial.alone(class).await?;
    }
    let of_a_day = trial.chosen(|how| how.is_in_the_day_world());
    if !of_a_day.is_empty() {
        let [late, erased] = withheld(&trial.test);
        let day = include_str!("day.toml");
        trial.world = World::migrated(&trial.test, way, day, &late).await?;
        trial.verify_clean().await?;
        for class in of_a_day {
            trial.restore().await?;
            match class.how(way) {
                How::ListedLate => trial.listed_late(class, &late).await?,
                How::ErasedInSource => trial.erased(class, &late, &erased).await?,
                _ => trial.alone(class).await?,
            }
            trial.world.stage.simulator.withhold(late.clone());
        }
    }
    trial.tried.rows = trial.rows();
    trial.tried.seconds = began.seconds();
    Ok(trial.tried)
}

/// Calls that are listed late, and calls that are erased.
fn withheld(test: &SelfTest) -> [BTreeSet<u64>; 2] {
    // Generated calls count from here.
    const FIRST: u64 = 100_001;
    let from = FIRST + 10 + test.seed % 40;
    let each = |which: u64| (0..WITHHELD).map(|at| from + 17 * at + which).collect();
    [each(0), each(5)]
}

impl World {
    async fn migrated(
        test: &SelfTest,
        way: Surface,
        world: &str,
        withheld: &BTreeSet<u64>,
    ) -> Result<World, Refusal> {
        let dir = tempfile::tempdir().map_err(broken)?;
        let scenario =
            Scenario::parse(&scenario(way, world), "self_test.toml").map_err(Refusal::bad)?;
        let options = Options {
            report: dir.path().to_owned(),
            seed: Some(test.seed),
            ..Options::default()
        };
        let stage = RunningScenario::start(scenario, &options, Time::Virtual).await?;
        stage.simulator.withhold(withheld.clone());
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
        Ok(World {
            stage,
            snapshot,
            matched: Vec::new(),
            _dir: dir,
        })
    }

    /// Lines of the report's list of recordings.
    pub(super) fn recordings(&self) -> Result<Vec<staged::Line>, Refusal> {
        staged::lines(&self.stage.dir.join("recordings.csv")).map_err(broken)
    }
}

impl Trial {
    /// The chosen classes that are handled so.
    fn chosen(&self, is: impl Fn(How) -> bool) -> Vec<&'static Class> {
        let chosen = |class: &&Class| {
            (self.test.classes.is_empty() || self.test.classes.contains(class.code))
                && is(class.how(self.way))
        };
        CLASSES.iter().filter(chosen).collect()
    }

    async fn restore(&self) -> Result<(), Refusal> {
        let World {
            stage, snapshot, ..
        } = &self.world;
        stage
            .simulator
            .restore(*snapshot, None)
            .await
            .map_err(broken)
    }

    async fn verify(&mut self, audio: AudioScope) -> Result<Report, Refusal> {
        self.verify_with(verifier::Options {
            audio,
            ..verifier::Options::default()
        })
        .await
    }

    pub(super) async fn verify_with(
        &mut self,
        options: verifier::Options,
    ) -> Result<Report, Refusal> {
        let stage = &mut self.world.stage;
        stage.environment.catch_up(&stage.simulator);
        let options = verifier::Options {
            report_dir: Some(stage.dir.clone()),
            ..options
        };
        let environment = stage.environment.clone();
        self.tried.verifications += 1;
        verifier::verify(
            &stage.plan,
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
        process::keep_report(&self.world.stage.dir).map_err(broken)?;
        let lines = self.world.recordings()?;
        self.world.matched = lines
            .into_iter()
            .filter(|line| line.verdict == "matched")
            .map(|line| (line.call, line.recording))
            .collect();
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
        let mut classes = self.chosen(|how| matches!(how, How::InCalls));
        classes.sort_by_key(|class| (rank(class), class.code));
        let mut wanted = Vec::new();
        for class in classes {
            wanted.extend(self.plant(class, IN_CALLS));
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
        match class.how(self.way) {
            How::InExports => return self.in_exports(class).await,
            How::InStaging => return self.in_staging(class).await,
            How::InCustody => return self.in_custody(class).await,
            How::AfterVerification => return self.after_verification(class).await,
            _ => {}
        }
        let (count, audio) = match class.how(self.way) {
            How::Pattern | How::PatternOfDay => (OF_PATTERN, AudioScope::None),
            _ => (IN_CALLS, AudioScope::None),
        };
        let wanted = self.plant(class, count);
        let report = self.verify(audio).await?;
        self.judge(&wanted, &report.findings);
        Ok(())
    }

    /// Calls that the migration did not see, and the source lists now.
    async fn listed_late(
        &mut self,
        class: &'static Class,
        late: &BTreeSet<u64>,
    ) -> Result<(), Refusal> {
        self.world.stage.simulator.withhold(BTreeSet::new());
        // Calls of this world have one recording each.
        let wanted: Vec<Wanted> = late
            .iter()
            .map(|call| {
                let recording = format!("{call}-1");
                Wanted::of(class, Place::in_source(&call.to_string(), Some(&recording)))
            })
            .collect();
        let report = self.verify(AudioScope::None).await?;
        self.judge(&wanted, &report.findings);
        Ok(())
    }

    /// Calls that were migrated, and are gone from the source now.
    async fn erased(
        &mut self,
        class: &'static Class,
        late: &BTreeSet<u64>,
        erased: &BTreeSet<u64>,
    ) -> Result<(), Refusal> {
        let simulator = &self.world.stage.simulator;
        let truth = simulator.truth(self.way.platform()).await.map_err(broken)?;
        simulator.withhold(late.union(erased).copied().collect());
        let wanted = erased
            .iter()
            .map(|call| {
                let target = staged::target_of(&truth, *call)
                    .ok_or_else(|| broken(format!("call {call} is not in the target")))?;
                Ok(Wanted::of(class, Place::in_target(&target)))
            })
            .collect::<Result<Vec<Wanted>, Refusal>>()?;
        let report = self.verify(AudioScope::None).await?;
        self.judge(&wanted, &report.findings);
        Ok(())
    }

    /// Times that are none, in documents that a site hands over.
    async fn in_exports(&mut self, class: &'static Class) -> Result<(), Refusal> {
        let dir = tempfile::tempdir().map_err(broken)?;
        let exported = self
            .world
            .stage
            .simulator
            .write_exports(dir.path())
            .map_err(broken)?;
        let victims = self.victims();
        let namespace = self.world.stage.plan.plan.identity.namespace.clone();
        for (call, recording) in &victims {
            let ids = [call, recording].map(|id| format!("st-{namespace}-{id}"));
            staged::damage_time(&exported.archive, &ids[0], &ids[1]).map_err(broken)?;
        }
        let wanted: Vec<Wanted> = victims
            .iter()
            .map(|(call, recording)| Wanted::of(class, Place::in_source(call, Some(recording))))
            .collect();
        let options = verifier::Options {
            audio: AudioScope::None,
            exports: Exports {
                archive: Some(exported.archive),
                files: Some(exported.files),
                speechminer: Some(exported.speechminer_csv),
                origin: Some("the self-test".to_owned()),
            },
            ..verifier::Options::default()
        };
        let report = self.verify_with(options).await?;
        self.judge(&wanted, &report.findings);
        Ok(())
    }

    /// Staged originals that are others than their names say: what they were, nobody can tell.
    async fn in_staging(&mut self, class: &'static Class) -> Result<(), Refusal> {
        let victims = self.victims();
        let staging = self.staging();
        let before: Vec<(PathBuf, Vec<u8>)> = victims
            .iter()
            .map(|(call, recording)| staged::alter(&staging, call, recording))
            .collect::<std::io::Result<_>>()
            .map_err(broken)?;
        let options = verifier::Options {
            source: SourceFrom::Staged,
            only: Some(victims.iter().map(|(call, _)| call.clone()).collect()),
            ..verifier::Options::default()
        };
        let report = self.verify_with(options).await?;
        for (path, bytes) in before {
            std::fs::write(path, bytes).map_err(broken)?;
        }
        let lines = self.world.recordings()?;
        let judged = self.judged.entry(class.code).or_default();
        judged.planted += victims.len() as u64;
        if victims.is_empty() {
            judged
                .wrong
                .push("no recording was matched that could be altered".to_owned());
        }
        let cannot_be_told = |(call, recording): &&(String, String)| {
            lines.iter().any(|line| {
                line.verdict == "not_verifiable"
                    && (&line.call, &line.recording) == (call, recording)
            })
        };
        let missed = victims.iter().filter(|victim| !cannot_be_told(victim));
        judged
            .wrong
            .extend(missed.map(|(_, recording)| format!("{recording}: not found")));
        for line in lines.iter().filter(|line| line.verdict == "not_verifiable") {
            if !victims.contains(&(line.call.clone(), line.recording.clone())) {
                judged.surplus += 1;
                judged
                    .wrong
                    .push(format!("{} cannot be told: {}", line.recording, line.rest));
                continue;
            }
            judged.found += 1;
            if line.rest.contains("altered after it was hashed") {
                judged.named += 1;
            } else {
                judged
                    .wrong
                    .push(format!("{}: {}", line.recording, line.rest));
            }
        }
        self.judge(&[], &report.findings);
        Ok(())
    }

    fn staging(&self) -> PathBuf {
        let url = &self.world.stage.plan.plan.staging.url;
        let path = url.strip_prefix("file://").unwrap_or(url);
        self.world.stage.dir.join("work").join(path)
    }

    /// Recordings of calls that were matched, each of another call, chosen by the seed.
    pub(super) fn victims(&self) -> Vec<(String, String)> {
        let matched = &self.world.matched;
        let from = (self.test.seed as usize).wrapping_mul(31) % matched.len().max(1);
        let mut calls = BTreeSet::new();
        let turned = matched.iter().cycle().skip(from).take(matched.len());
        turned
            .filter(|(call, recording)| recording.ends_with("-1") && calls.insert(call.clone()))
            .step_by(7)
            .take(IN_CALLS)
            .cloned()
            .collect()
    }

    fn plant(&mut self, class: &'static Class, count: usize) -> Vec<Wanted> {
        let simulator = &self.world.stage.simulator;
        match simulator.tamper(class.planted_as(), count, self.test.seed) {
            Ok(answer) => answer
                .planted
                .iter()
                .map(|entry| Wanted::of(class, Place::planted(class.named(), entry)))
                .collect(),
            Err(refusal) => {
                let judged = self.judged.entry(class.code).or_default();
                judged.wrong.push(format!("not planted: {refusal}"));
                Vec::new()
            }
        }
    }

    pub(super) fn judge(&mut self, wanted: &[Wanted], findings: &[Finding]) {
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
        self.chosen(|_| true).into_iter().map(row).collect()
    }
}

/// A world of a way. Sound in every codec the source may use, so that nearly every call is
/// converted.
fn scenario(way: Surface, world: &str) -> String {
    format!("{}\n{world}", way.scenario_keys())
}
