//! Lost answers towards Interaction Recording, seed after seed: after every insertion, put, move,
//! label, tag and post somebody may not know what became of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::transport::Network;
use rehearsal::Scenario;
use serde_json::Value;
use simulator::{Options, PlatformName, Simulator};

use crate::report::{Failure, Report};
use crate::scenario::{FaultRow, INTO_GIR, towards};
use crate::workers;

/// Small enough that a seed takes a second, with everything that is sent in more than one way:
/// transfers, holds, labels, two codecs.
const SCENARIO: &str = r#"
about = "Answers are lost after every kind of writing."
seed = 1
TARGET
[world]
interactions = 6
agents = 4
transfer_share = 0.3
hold_share = 0.3
no_recording_share = 0.0
mean_seconds = 1.0
codecs = ["pcm", "mp3"]
[gir.speechminer]
repost = "REPOST"
FAULTS
[expect]
migrator = "complete"
verdict = "match"
"#;

/// Losing an answer, hearing an error after the deed, hearing nothing for a while: each on
/// everything that writes.
const FAULTS: &[FaultRow] = &[
    ("gir.insert_recording", "lost_answer", 1, 0.4),
    ("gir.insert_recording", "error_after_commit", 2, 0.3),
    ("gir.change_recording", "lost_answer", 1, 0.3),
    ("gir.add_labels", "error_after_commit", 1, 0.3),
    ("gir.create_label", "lost_answer", 1, 0.3),
    ("webdav.make_collection", "lost_answer", 1, 0.3),
    ("webdav.put_file", "lost_answer", 1, 0.3),
    ("webdav.put_file", "error_after_commit", 2, 0.3),
    ("webdav.move_file", "lost_answer", 1, 0.4),
    ("webdav.move_file", "error_after_commit", 2, 0.3),
    ("speechminer.post_recording", "lost_answer", 1, 0.3),
    ("speechminer.post_recording", "error_after_commit", 2, 0.3),
];

/// What became of one seed.
#[derive(Default)]
struct Left {
    faults: u64,
    inserted: u64,
    moved: u64,
    posted: u64,
    /// Posts whose outcome a person has to look up.
    for_a_person: u64,
}

impl Left {
    fn and(self, other: &Left) -> Left {
        Left {
            faults: self.faults + other.faults,
            inserted: self.inserted + other.inserted,
            moved: self.moved + other.moved,
            posted: self.posted + other.posted,
            for_a_person: self.for_a_person + other.for_a_person,
        }
    }
}

/// Seeds at once: each waits for its own faults most of the time.
const AT_ONCE: usize = 8;

/// `n` seeds; a repeated post replaces in one half and stands twice in the other.
pub(crate) fn run(n: u64) -> Result<Report, Failure> {
    let runtime = workers::runtime()?;
    let seeds = stream::iter(1..=n).map(|seed| async move {
        let repost = if seed.is_multiple_of(2) {
            "replace"
        } else {
            "duplicate"
        };
        one(seed, repost)
            .await
            .map_err(|failure| Failure::new(format!("seed {seed}, {repost}: {failure}")))
    });
    let sum = seeds
        .buffer_unordered(AT_ONCE)
        .try_fold(
            Left::default(),
            |sum, left| async move { Ok(sum.and(&left)) },
        );
    let sum = runtime.block_on(sum)?;
    let mut report = Report {
        seed: 1,
        ..Report::default()
    };
    report.row("seeds", n);
    report.row("answers lost, or errors after the deed", sum.faults);
    report.row(
        "recordings inserted, each once and none merged",
        sum.inserted,
    );
    report.row("files moved to their names, each once", sum.moved);
    report.row("recordings in SpeechMiner, each once", sum.posted);
    report.row(
        "posts left for a person, where a second one would be a duplicate",
        sum.for_a_person,
    );
    report.row(
        "verifications, each a match where nothing was left for a person",
        n,
    );
    Ok(report)
}

async fn one(seed: u64, repost: &str) -> Result<Left, Failure> {
    let dir = tempfile::tempdir().map_err(Failure::new)?;
    let scenario = towards(SCENARIO, INTO_GIR, FAULTS).replace("REPOST", repost);
    let Scenario { setup, plan, .. } =
        Scenario::parse(&scenario, "gir.toml").map_err(Failure::new)?;
    let simulator = Simulator::start(
        setup,
        Options {
            seed: Some(seed),
            ..Options::default()
        },
    )
    .await
    .map_err(Failure::new)?;
    let plan = LoadedPlan::read(
        &simulator
            .write_plan_with(dir.path(), &plan)
            .map_err(Failure::new)?,
    )
    .map_err(Failure::new)?;
    // Twice: what the first run did not know the second must not do again.
    let clock = Clock::starting_at(simulator.now_ms());
    let first = migrate(&plan, &clock).await?;
    let second = migrate(&plan, &clock).await?;
    let left = books(&simulator).await?;
    let for_a_person = second.tally.interactions_left;
    if for_a_person != first.tally.interactions_left {
        return Err(Failure::new(format!(
            "{} calls were left and then {for_a_person}",
            first.tally.interactions_left
        )));
    }
    if for_a_person > 0 && repost == "replace" {
        return Err(Failure::new(format!(
            "calls were left: {:?}",
            second.errors
        )));
    }
    let report = verifier::verify(
        &plan,
        verifier::Options::default(),
        network()?,
        clock,
        &verifier::Silent,
    )
    .await
    .map_err(Failure::new)?;
    let summary = serde_json::to_value(&report.summary).map_err(Failure::new)?;
    if summary["verdict"] != "match" {
        return Err(Failure::new(format!("{}", summary["sentence"])));
    }
    Ok(Left {
        for_a_person,
        ..left
    })
}

async fn migrate(plan: &LoadedPlan, clock: &Clock) -> Result<migrator::Outcome, Failure> {
    migrator::migrate(
        plan.clone(),
        migrator::Options::default(),
        network()?,
        clock.clone(),
        &Quiet,
    )
    .await
    .map_err(Failure::new)
}

fn network() -> Result<Arc<Network>, Failure> {
    Ok(Arc::new(
        Network::new().ok_or_else(|| Failure::new("no network"))?,
    ))
}

/// The simulator's own books: effects by operation and key, and what each store holds.
async fn books(simulator: &Simulator) -> Result<Left, Failure> {
    let mut deeds: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for line in simulator.effects().lines() {
        let line: Value = serde_json::from_str(line).map_err(Failure::new)?;
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        deeds
            .entry((text("operation"), text("key")))
            .or_default()
            .push(text("effect"));
    }
    let once = |operation: &str, effect: &str| -> Result<u64, Failure> {
        let mut count = 0;
        for ((_, key), effects) in deeds
            .iter()
            .filter(|((of, key), _)| of == operation && !key.contains("probe"))
        {
            if effects.as_slice() != [effect.to_owned()] {
                return Err(Failure::new(format!(
                    "{operation} of {key} had the effects {effects:?}"
                )));
            }
            count += 1;
        }
        Ok(count)
    };
    let (inserted, moved) = (
        once("gir.insert_recording", "created")?,
        once("webdav.move_file", "moved")?,
    );
    let truth = simulator
        .truth(PlatformName::Gir)
        .await
        .map_err(Failure::new)?;
    let mut posted = 0;
    for line in truth.lines() {
        let line: Value = serde_json::from_str(line).map_err(Failure::new)?;
        let posts = line["attributes"]["sim.speechminer_posts"]
            .as_str()
            .unwrap_or_default();
        if posts != "1" {
            return Err(Failure::new(format!(
                "{} stands {posts} times in SpeechMiner",
                line["target_id"]
            )));
        }
        posted += 1;
    }
    if truth.lines().count() as u64 != inserted {
        return Err(Failure::new(format!(
            "{inserted} insertions and {} recordings",
            truth.lines().count()
        )));
    }
    let faults = simulator
        .journal(None, 0, usize::MAX)
        .iter()
        .filter(|entry| entry.fault.is_some())
        .count() as u64;
    Ok(Left {
        faults,
        inserted,
        moved,
        posted,
        for_a_person: 0,
    })
}

struct Quiet;

impl migrator::Progress for Quiet {
    fn update(&self, _known: u64, _through: u64) {}
}
