//! A disk that takes no more while the stores are read.

use std::path::PathBuf;
use std::sync::Arc;

use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::transport::Network;
use simulator::{Setup, Simulator};

use crate::options::{Options, Progress, Stage};
use crate::run_error::RunError;

/// As many calls as the runs of tests do not hold in memory.
const SCENARIO: &str = "
about = 'A test.'
seed = 4
target = 'gir'
[world]
interactions = 60
agents = 8
mean_seconds = 1.0
";

/// Once the source is read, nothing can be written to the folder any more.
struct FullFrom(PathBuf);

impl Progress for FullFrom {
    fn begin(&self, stage: Stage, _: Option<u64>) {
        if stage == Stage::Target {
            std::fs::remove_dir_all(&self.0).expect("a folder");
            std::fs::write(&self.0, "no folder any more").expect("written");
        }
    }

    fn advance(&self, _: u64) {}
}

#[tokio::test]
async fn a_disk_that_is_full_while_the_stores_are_read_ends_with_what_to_do() {
    let setup = Setup::parse(SCENARIO, "gir.toml").expect("a setup");
    let simulator = Simulator::start(setup, simulator::Options::default())
        .await
        .expect("simulators");
    let dir = tempfile::tempdir().expect("a folder");
    let plan = simulator.write_plan(dir.path()).expect("a plan");
    let loaded = LoadedPlan::read(&plan).expect("a plan that can be read");
    let report = dir.path().join("report");
    let options = Options {
        report_dir: Some(report.clone()),
        ..Options::default()
    };
    let network = Network::new().expect("a network");
    let clock = Clock::starting_at(simulator.now_ms());
    let progress = FullFrom(report.clone());
    let stop = crate::verify(&loaded, options, Arc::new(network), clock, &progress)
        .await
        .expect_err("no room");
    assert!(matches!(stop, RunError::Report(_)), "{stop}");
    assert_eq!(stop.exit_code(), 11);
    let wanted = format!("cannot write to {} what was read", report.display());
    let told = stop.to_string();
    assert!(
        told.contains(&wanted) && told.contains("free space there, or name a folder with --report"),
        "{told}"
    );
}
