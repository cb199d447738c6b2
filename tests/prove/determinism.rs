//! The same seed with one worker, eight and sixty-four, bytes held against bytes.

use std::sync::Arc;

use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::transport::Network;
use rehearsal::Scenario;
use simulator::{Options, PlatformName, Simulator};

use crate::report::{Failure, Report};
use crate::scenario::{BY_GUIDE, BY_PUBLIC, FaultRow, INTO_GIR, towards};
use crate::workers;

const SCENARIO: &str = r#"
about = "Faults of every kind that a run survives; what is left behind does not depend on the number of workers."
seed = 1
TARGET
[world]
interactions = 40
transfer_share = 0.2
reversed_share = 0.1
unmapped_agents = 1
mean_seconds = 1.0
codecs = ["pcm", "mulaw", "alaw", "mp3"]
[world.bad_media]
html = 1
[genesys_cloud.limits]
requests_per_minute = 0
uploads_per_second = 0
[[fault]]
on = "legacy.get_recording"
kind = "server_error"
status = 502
share = 0.2
attempts = [1]
FAULTS
[expect]
migrator = "quarantined"
verdict = "match"
"#;

const GUIDE_FAULTS: &[FaultRow] = &[
    ("genesys_cloud.create_interaction", "lost_answer", 1, 0.3),
    ("genesys_cloud.upload_file", "error_after_commit", 1, 0.3),
    ("genesys_cloud.upload_file", "too_many_requests", 2, 0.2),
];

const PUBLIC_FAULTS: &[FaultRow] = &[
    ("genesys_cloud.inject_events", "lost_answer", 1, 0.05),
    ("genesys_cloud.put_upload", "error_after_commit", 1, 0.3),
    ("genesys_cloud.create_upload", "too_many_requests", 1, 0.2),
    ("genesys_cloud.process_upload", "upload_failed", 1, 0.05),
];

const GIR_FAULTS: &[FaultRow] = &[
    ("gir.insert_recording", "lost_answer", 1, 0.2),
    ("webdav.put_file", "error_after_commit", 1, 0.2),
    ("webdav.move_file", "lost_answer", 1, 0.2),
    ("speechminer.post_recording", "error_after_commit", 1, 0.2),
];

/// The targets and surfaces take turns.
fn scenario(seed: u64) -> (String, PlatformName) {
    match seed % 3 {
        0 => (towards(SCENARIO, INTO_GIR, GIR_FAULTS), PlatformName::Gir),
        1 => (
            towards(SCENARIO, BY_GUIDE, GUIDE_FAULTS),
            PlatformName::GenesysCloud,
        ),
        _ => (
            towards(SCENARIO, BY_PUBLIC, PUBLIC_FAULTS),
            PlatformName::GenesysCloud,
        ),
    }
}

/// `n` seeds.
pub(crate) fn run(n: u64) -> Result<Report, Failure> {
    let runtime = workers::runtime()?;
    let (mut bytes, mut equal) = (0, 0);
    for seed in 1..=n {
        let one = runtime.block_on(leave(seed, 1))?;
        for workers in [8, 64] {
            let many = runtime.block_on(leave(seed, workers))?;
            let documents = [
                ("truth", &one.truth, &many.truth),
                ("effects journal", &one.effects, &many.effects),
                ("fault log", &one.faults, &many.faults),
            ];
            for (what, one, many) in documents {
                if let Some(line) = first_difference(one, many) {
                    return Err(Failure::new(format!(
                        "seed {seed}: the {what} differs with 1 and with {workers} workers: {line}"
                    )));
                }
                equal += 1;
            }
        }
        bytes += one.truth.len() + one.effects.len() + one.faults.len();
    }
    let mut report = Report {
        seed: 1,
        ..Report::default()
    };
    report.row("seeds", n);
    report.row("worker counts compared with 1", "8, 64");
    report.row(
        "bytes of truth, effects journal and sorted fault log compared, each way",
        bytes,
    );
    report.row("documents compared and found byte-identical", equal);
    Ok(report)
}

/// What a run leaves behind.
struct Left {
    truth: String,
    effects: String,
    /// What struck, sorted.
    faults: String,
}

async fn leave(seed: u64, workers: usize) -> Result<Left, Failure> {
    let dir = tempfile::tempdir().map_err(Failure::new)?;
    let (scenario, target) = scenario(seed);
    let Scenario { setup, plan, .. } =
        Scenario::parse(&scenario, "determinism.toml").map_err(Failure::new)?;
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
    let options = migrator::Options {
        workers: Some(workers),
        ..migrator::Options::default()
    };
    let transport = Arc::new(Network::new().ok_or_else(|| Failure::new("no network"))?);
    let outcome = migrator::migrate(
        plan,
        options,
        transport,
        Clock::starting_at(simulator.now_ms()),
        &Quiet,
    )
    .await
    .map_err(Failure::new)?;
    if !outcome.tally.is_finished() {
        return Err(Failure::new(format!(
            "seed {seed}, {workers} workers: {:?}",
            outcome.errors
        )));
    }
    let truth = simulator.truth(target).await.map_err(Failure::new)?;
    let struck: Vec<String> = simulator
        .injected()
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()
        .map_err(Failure::new)?;
    if struck.is_empty() {
        return Err(Failure::new(format!(
            "seed {seed}: no fault struck, so nothing was compared that matters"
        )));
    }
    Ok(Left {
        truth,
        effects: simulator.effects(),
        faults: struck.join("\n"),
    })
}

fn first_difference(one: &str, many: &str) -> Option<String> {
    let differing = one
        .lines()
        .zip(many.lines())
        .find(|(one, many)| one != many);
    match differing {
        Some((one, many)) => Some(format!("\n  1 worker: {one}\n  many:     {many}")),
        None if one.len() != many.len() => Some(format!(
            "{} lines and {} lines",
            one.lines().count(),
            many.lines().count()
        )),
        None => None,
    }
}

struct Quiet;

impl migrator::Progress for Quiet {
    fn update(&self, _known: u64, _through: u64) {}
}
