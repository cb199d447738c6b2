//! Any number of clients at once leaves the same effects and the same truth behind, whatever goes
//! wrong on the way.

mod client;

use std::sync::Arc;

use client::Client;
use simulator::{Options, PlatformName, Setup, Simulator};
use tokio::sync::Semaphore;

const SCENARIO: &str = r#"
about = "Two dozen calls by a client that repeats everything until it is told that it is done."
seed = 7
[world]
interactions = 24
[genesys_cloud.limits]
requests_per_minute = 0
[[fault]]
on = "genesys_cloud.upload_file"
kind = "lost_answer"
attempts = [1]
share = 0.4
[[fault]]
on = "genesys_cloud.upload_file"
kind = "too_many_requests"
attempts = [1, 2]
share = 0.5
[[fault]]
on = "genesys_cloud.create_interaction"
kind = "error_after_commit"
attempts = [1]
share = 0.4
[[fault]]
on = "genesys_cloud.create_interaction"
kind = "connection_reset"
heal_after_attempts = 2
keys = ["100003", "100004"]
"#;

/// Effects, truth and faults after a migration by `workers` at once.
async fn left_behind_by(workers: usize) -> (String, String, usize) {
    let setup = Setup::parse(SCENARIO, "effects").unwrap_or_else(|error| panic!("{error}"));
    let simulator = Simulator::start(setup, Options::default())
        .await
        .expect("a simulator");
    let migration = Arc::new(Client::of(&simulator).await);
    let places = Arc::new(Semaphore::new(workers));
    let mut tasks = tokio::task::JoinSet::new();
    for id in 100_001..=100_024 {
        let (migration, places) = (migration.clone(), places.clone());
        tasks.spawn(async move {
            let _place = places.acquire().await.expect("open");
            migration.migrate(id).await;
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a migrated call");
    }
    let truth = simulator
        .truth(PlatformName::GenesysCloud)
        .await
        .expect("truth");
    let struck = simulator
        .journal(None, 0, 10_000)
        .iter()
        .filter(|line| line.fault.is_some())
        .count();
    (simulator.effects(), truth, struck)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_worker_and_sixteen_leave_the_same_behind() {
    let (effects, truth, struck) = left_behind_by(1).await;
    assert!(struck > 20, "{struck}");
    assert_eq!(
        effects
            .lines()
            .filter(|line| line.contains("create_interaction"))
            .count(),
        24,
        "{effects}"
    );
    assert_eq!(truth.lines().count(), 24);
    let (effects_16, truth_16, struck_16) = left_behind_by(16).await;
    assert_eq!(effects, effects_16);
    assert_eq!(truth, truth_16);
    assert_eq!(struck, struck_16);
}
