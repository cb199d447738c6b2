//! How a verification of Interaction Recording grows with the number of calls, in a process of its
//! own.

use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::transport::Network;
use serde::{Deserialize, Serialize};

use crate::organisation::Listener;
use crate::report::{Failure, Report};
use crate::scale::{ORIGINALS, SCENARIO, SEED, alone, is_match, migrate, verify};
use crate::scenario::Simulation;
use crate::site::Site;

/// The word by which this program knows that it is the process.
pub(crate) const CHILD: &str = "scale-gir";

/// What the process found.
#[derive(Serialize, Deserialize)]
struct Figures {
    peak_kib: u64,
    seconds: f64,
    checks_seconds: f64,
    disk: u64,
    kept: u64,
}

/// Figures of `n` calls.
pub(crate) fn rows(n: u64, report: &mut Report) -> Result<(), Failure> {
    let program = std::env::current_exe().map_err(Failure::new)?;
    let output = Command::new(program)
        .args([CHILD, &n.to_string()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .output()
        .map_err(Failure::new)?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(Failure::new(format!("Interaction Recording: {said}")));
    }
    let figures: Figures = serde_json::from_str(said.trim()).map_err(Failure::new)?;
    report.row(
        "calls in Interaction Recording's three stores, verified by a process of its own",
        n,
    );
    report.row(
        "its peak resident MiB",
        format!("{:.0}", figures.peak_kib as f64 / 1024.0),
    );
    report.row(
        "its seconds, of which the join and every check",
        format!("{:.0}, {:.1}", figures.seconds, figures.checks_seconds),
    );
    report.row(
        "its bytes on disk a call at their most, of which readings kept for an interrupt",
        format!("{}, {}", figures.disk / n, figures.kept / n),
    );
    Ok(())
}

/// The process.
pub(crate) fn child(calls: Option<&str>) -> ExitCode {
    let found = calls
        .and_then(|calls| calls.parse().ok())
        .ok_or_else(|| Failure::new("how many calls?"))
        .and_then(figures);
    let said = found.and_then(|figures| serde_json::to_string(&figures).map_err(Failure::new));
    match said {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn figures(n: u64) -> Result<Figures, Failure> {
    let mut scenario = SCENARIO.replace(
        "target = \"genesys_cloud\"\ningest = \"guide\"",
        "target = \"gir\"",
    );
    // A call without recordings is not carried there.
    scenario = scenario.replace("[world]\n", "[world]\nno_recording_share = 0.0\n");
    let simulation = Simulation::start(&scenario, SEED)?;
    migrate(&simulation)?;
    let loaded = LoadedPlan::read(&simulation.plan).map_err(Failure::new)?;
    let network = Network::new().ok_or_else(|| Failure::new("no network"))?;
    let listener = Listener::new(Arc::new(network));
    let real = verify(&loaded, listener.clone(), Clock::real())?;
    is_match(&real, ORIGINALS)?;
    let now_ms = Clock::real().now_ms();
    let site = Site::of(&listener.answers(), n, now_ms)?;
    drop((listener, real));
    let alone = alone(&loaded, site, n, now_ms)?;
    Ok(Figures {
        peak_kib: alone.peak_kib,
        seconds: alone.took.all.as_secs_f64(),
        checks_seconds: alone.took.checks.as_secs_f64(),
        disk: alone.disk.all,
        kept: alone.disk.kept,
    })
}
