//! The simulators as a library for tests.

mod client;

use std::process::Command;

use client::{Client, call};
use simulator::{Options, Setup, Simulator};

const SCENARIO: &str = "about = 'Five calls.'\nseed = 77\n[world]\ninteractions = 5";

async fn simulator() -> Simulator {
    let setup = Setup::parse(SCENARIO, "library").unwrap_or_else(|error| panic!("{error}"));
    Simulator::start(setup, Options::default())
        .await
        .expect("a simulator")
}

/// Uploads so many files under names of their own.
async fn uploads(simulator: &Simulator, count: u64) {
    let client = Client::of(simulator).await;
    for id in 1..=count {
        client.upload(&format!("file-{id}.wav"), &call(id)).await;
    }
}

#[tokio::test]
async fn a_story_tells_scenario_seed_and_the_last_lines_without_a_secret() {
    let simulator = simulator().await;
    uploads(&simulator, 30).await;
    let story = simulator.failure_report();
    let lines: Vec<&str> = story.lines().collect();
    assert_eq!(
        lines[0],
        "simulators of scenario `library`, seed 77, 31 requests; the last of them:"
    );
    assert_eq!(lines.len(), 21);
    assert!(
        lines[1].contains("\"n\":12,") && lines[20].contains("file-30.wav"),
        "{story}"
    );
    assert!(!story.contains(&simulator.credentials().genesys_cloud.client_secret));
}

/// Set in the process in which the next test panics.
const PANICS: &str = "SEATRIAL_TEST_PANICS";

/// Runs itself in a process of its own, which panics while a simulator lives.
#[tokio::test]
async fn a_panic_is_told_with_the_story_of_the_simulator_that_lives() {
    if std::env::var_os(PANICS).is_some() {
        let simulator = simulator().await;
        uploads(&simulator, 2).await;
        panic!("as a failed assertion does");
    }
    let me = std::env::current_exe().expect("this test's own program");
    let name = "a_panic_is_told_with_the_story_of_the_simulator_that_lives";
    let output = Command::new(me)
        .args(["--exact", name, "--nocapture"])
        .env(PANICS, "1")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("as a failed assertion does"), "{said}");
    assert!(
        said.contains("scenario `library`, seed 77, 3 requests"),
        "{said}"
    );
    assert!(said.contains("file-2.wav"), "{said}");
}
