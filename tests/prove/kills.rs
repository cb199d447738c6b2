//! SIGKILL at random moments, again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::report::{Failure, Report};
use crate::scenario::{BY_GUIDE, BY_PUBLIC, FaultRow, INTO_GIR, Simulation, seatrial, towards};

/// Answers are lost and uploads refused while the process is killed: both kinds of not knowing at
/// once. The pace makes a run long enough to be hit at every step.
pub(crate) const SCENARIO: &str = r#"
about = "Killed again and again while answers are lost."
seed = 1
TARGET
[world]
interactions = 60
no_recording_share = 0.0
transfer_share = 0.2
mean_seconds = 1.0
codecs = ["pcm", "mulaw", "mp3", "gsm"]
[world.bad_media]
html = 1
empty = 1
[genesys_cloud.limits]
requests_per_minute = 0
uploads_per_second = 0
[plan.pace]
requests_per_minute = 3000
[[fault]]
on = "legacy.get_media"
kind = "truncated_body"
share = 0.1
attempts = [1]
FAULTS
[expect]
migrator = "quarantined"
verdict = "match"
"#;

const GUIDE: Surface = Surface {
    target: BY_GUIDE,
    faults: &[
        ("genesys_cloud.create_interaction", "lost_answer", 1, 0.2),
        ("genesys_cloud.upload_file", "lost_answer", 1, 0.2),
    ],
    created_by: "genesys_cloud.create_interaction",
};
const PUBLIC: Surface = Surface {
    target: BY_PUBLIC,
    faults: &[
        ("genesys_cloud.inject_events", "lost_answer", 1, 0.02),
        ("genesys_cloud.create_upload", "lost_answer", 1, 0.1),
        ("genesys_cloud.put_upload", "lost_answer", 1, 0.2),
        ("genesys_cloud.update_attributes", "lost_answer", 1, 0.1),
    ],
    created_by: "genesys_cloud.inject_events",
};

const GIR: Surface = Surface {
    target: INTO_GIR,
    faults: &[
        ("gir.insert_recording", "lost_answer", 1, 0.2),
        ("webdav.put_file", "lost_answer", 1, 0.1),
        ("webdav.move_file", "lost_answer", 1, 0.2),
        ("speechminer.post_recording", "lost_answer", 1, 0.1),
    ],
    created_by: "gir.insert_recording",
};

/// One of the targets, by one of its ingestion surfaces.
pub(crate) struct Surface {
    /// Its lines of the scenario.
    pub(crate) target: &'static str,
    pub(crate) faults: &'static [FaultRow],
    /// Each effect of it is one of its own: an interaction, or an event.
    created_by: &'static str,
}

impl Surface {
    /// They take turns.
    pub(crate) fn of(migration: u64) -> &'static Surface {
        [&GUIDE, &PUBLIC, &GIR][usize::try_from(migration % 3).unwrap_or(0)]
    }
}

const SEED: u64 = 20_261_120;

/// Kills until there were `n`; each migration is finished and verified once it has been killed
/// often enough.
pub(crate) fn run(n: u64) -> Result<Report, Failure> {
    let mut chance = Chance(SEED);
    let (mut kills, mut migrations, mut restarts_most, mut created) = (0, 0, 0, 0);
    let mut by_phase: BTreeMap<String, u64> = BTreeMap::new();
    while kills < n {
        let seed = SEED + migrations;
        let surface = Surface::of(migrations);
        let simulation =
            Simulation::start(&towards(SCENARIO, surface.target, surface.faults), seed)?;
        let most = (n - kills).min(8);
        let mut killed = 0;
        while killed < most {
            match kill_once(&simulation, &mut chance)? {
                Some(phase) => *by_phase.entry(phase).or_default() += 1,
                None => break,
            }
            killed += 1;
        }
        created += finish(&simulation, surface, seed)?;
        kills += killed;
        migrations += 1;
        restarts_most = restarts_most.max(killed);
    }
    let mut report = Report {
        seed: SEED,
        ..Report::default()
    };
    report.row("kills (SIGKILL)", kills);
    report.row("migrations completed and verified as match", migrations);
    report.row("most kills of one migration", restarts_most);
    for (phase, count) in by_phase {
        report.row(&format!("kills with {phase}"), count);
    }
    report.row(
        "interactions created, each (or each event of it) exactly once by the simulator's \
        effects journal",
        created,
    );
    Ok(report)
}

/// Starts a run and kills it; `None` when it had finished before. Answers how far the ledger had
/// come.
fn kill_once(simulation: &Simulation, chance: &mut Chance) -> Result<Option<String>, Failure> {
    let mut run = migrate(simulation)?;
    wait(Duration::from_millis(15 + chance.below(260)));
    if run.try_wait().map_err(Failure::new)?.is_some() {
        return Ok(None);
    }
    // `kill` is SIGKILL on Unix: no handler runs, nothing is flushed.
    run.kill().and_then(|()| run.wait()).map_err(Failure::new)?;
    Ok(Some(how_far(simulation)))
}

fn how_far(simulation: &Simulation) -> String {
    let output = seatrial()
        .arg("status")
        .arg(&simulation.plan)
        .arg("--json")
        .output();
    let told = output
        .ok()
        .and_then(|output| serde_json::from_slice::<serde_json::Value>(&output.stdout).ok());
    let count = |key: &str| told.as_ref().and_then(|told| told["tally"][key].as_u64());
    match (count("interactions"), count("interactions_done")) {
        (None, _) => "no ledger yet".to_owned(),
        (Some(0), _) => "nothing extracted yet".to_owned(),
        (Some(_), Some(0)) => "work begun and nothing confirmed".to_owned(),
        (Some(_), _) => "part of the interactions confirmed".to_owned(),
    }
}

pub(crate) fn migrate(simulation: &Simulation) -> Result<Child, Failure> {
    let mut command = seatrial();
    command
        .arg("migrate")
        .arg(&simulation.plan)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().map_err(Failure::new)
}

/// Lets it finish, then asks the verifier and the simulator's own books; answers how many
/// interactions were created.
pub(crate) fn finish(
    simulation: &Simulation,
    surface: &Surface,
    seed: u64,
) -> Result<usize, Failure> {
    let status = migrate(simulation)?.wait().map_err(Failure::new)?;
    // 10: the two bad media are quarantined by rule.
    if status.code() != Some(10) {
        return Err(Failure::new(format!(
            "seed {seed}: the run that was let finish ended with {status}"
        )));
    }
    let (code, said) = simulation.verify()?;
    if code != 0 {
        return Err(Failure::new(format!(
            "seed {seed}: verify ended with {code}\n{said}"
        )));
    }
    let effects = simulation.control("/_sim/effects")?;
    let mut created: BTreeMap<String, u64> = BTreeMap::new();
    for line in effects.lines() {
        let effect: serde_json::Value = serde_json::from_str(line).map_err(Failure::new)?;
        if effect["operation"] == surface.created_by {
            *created
                .entry(effect["key"].as_str().unwrap_or_default().to_owned())
                .or_default() += 1;
        }
    }
    // The probe of a run comes and goes; each run that has not got as far makes its own.
    created.retain(|key, _| !key.ends_with("-probe"));
    // The key ends with the legacy id: `st:<namespace>:<legacy id>`, `st-<namespace>-<legacy id>`.
    let interactions: BTreeSet<&str> = created
        .keys()
        .filter_map(|key| key.rsplit([':', '-']).next())
        .collect();
    match created.iter().find(|(_, count)| **count != 1) {
        Some((key, count)) => Err(Failure::new(format!(
            "seed {seed}: {key} was created {count} times"
        ))),
        None if interactions.len() == 58 => Ok(interactions.len()),
        None => Err(Failure::new(format!(
            "seed {seed}: {} interactions were created instead of 58",
            interactions.len()
        ))),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a process is let run by the wall clock"
)]
pub(crate) fn wait(duration: Duration) {
    std::thread::sleep(duration);
}

/// Moments of death, from the seed.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}
