//! Everything the platforms remember is kept and brought back, and a run goes on from there as
//! often, and under as many faults, as one likes.

mod client;

use client::{Client, call};
use serde_json::json;
use simulator::{FaultRule, Options, PlatformName, Setup, Simulator, SnapshotError};

const SCENARIO: &str = r#"
about = "Calls by a client that repeats everything until it is told that it is done."
seed = 7
[world]
interactions = 24
[genesys_cloud.limits]
requests_per_minute = 0
"#;

async fn simulator() -> Simulator {
    let setup = Setup::parse(SCENARIO, "snapshots").unwrap_or_else(|error| panic!("{error}"));
    Simulator::start(setup, Options::default())
        .await
        .expect("a simulator")
}

fn rule(text: &str) -> FaultRule {
    serde_json::from_str(text).expect("a fault")
}

/// Truth of both targets, and the effects.
async fn left_behind(simulator: &Simulator) -> (String, String, String) {
    let truth = |platform| async move { simulator.truth(platform).await.expect("truth") };
    (
        truth(PlatformName::GenesysCloud).await,
        truth(PlatformName::Gir).await,
        simulator.effects(),
    )
}

/// The first twelve calls, in the store of the other target too.
async fn first_half(client: &Client) {
    for id in 1..=12 {
        client.migrate(id).await;
        client.put_file(&format!("call-{id}.wav"), &call(id)).await;
    }
}

async fn second_half(client: &Client) {
    for id in 13..=24 {
        client.migrate(id).await;
        client.put_file(&format!("call-{id}.wav"), &call(id)).await;
    }
    client.put_file("call-1.wav", b"other bytes").await;
    client.delete_file("call-2.wav").await;
}

fn under(kind: &str) -> Vec<FaultRule> {
    vec![rule(&format!(
        r#"{{"on": "genesys_cloud.create_interaction", "kind": "{kind}", "attempts": [1], "share": 0.5}}"#
    ))]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_goes_on_under_other_faults_leaves_behind_what_a_straight_one_does() {
    let straight = simulator().await;
    let client = Client::of(&straight).await;
    first_half(&client).await;
    second_half(&client).await;
    let wanted = left_behind(&straight).await;

    let branched = simulator().await;
    let client = Client::of(&branched).await;
    first_half(&client).await;
    let half = left_behind(&branched).await;
    let (lines, snapshot) = (
        branched.requests(),
        branched.snapshot().await.expect("a snapshot"),
    );
    for faults in [
        Some(under("lost_answer")),
        Some(under("error_after_commit")),
        None,
        Some(Vec::new()),
    ] {
        let strikes = faults.as_ref().is_some_and(|faults| !faults.is_empty());
        branched
            .restore(snapshot, faults)
            .await
            .expect("brought back");
        assert_eq!(
            left_behind(&branched).await,
            half,
            "what was done since is gone"
        );
        assert_eq!((branched.requests(), branched.injected().len()), (lines, 0));
        // The token is one of then, too: a client goes on as it stood.
        second_half(&client).await;
        assert_eq!(!branched.injected().is_empty(), strikes);
        assert_eq!(left_behind(&branched).await, wanted);
        let first = branched.journal(None, lines, 1).pop().expect("a line");
        assert_eq!(
            (first.n, first.operation.as_str()),
            (lines + 1, "genesys_cloud.upload_file")
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clock_shows_what_it_showed() {
    let simulator = simulator().await;
    let before_ms = simulator.now_ms();
    let snapshot = simulator.snapshot().await.expect("a snapshot");
    simulator
        .advance_ms(30 * 86_400_000)
        .expect("on the calendar");
    simulator
        .restore(snapshot, None)
        .await
        .expect("brought back");
    assert!((before_ms..before_ms + 60_000).contains(&simulator.now_ms()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_flight_finish_before_a_snapshot_is_taken() {
    let simulator = simulator().await;
    let client = Client::of(&simulator).await;
    let slow = json!({"on": "genesys_cloud.upload_file", "kind": "latency", "ms": 700});
    client.control("POST", "/_sim/faults", slow).await;
    let sound = call(1);
    let (uploaded, snapshot) = tokio::join!(client.upload("slow.wav", &sound), async {
        // The fault is noted when its request has arrived, before the delay.
        while simulator.injected().is_empty() {
            tokio::task::yield_now().await;
        }
        simulator.snapshot().await.expect("a snapshot")
    });
    assert!(uploaded.is_string());
    simulator
        .restore(snapshot, Some(Vec::new()))
        .await
        .expect("brought back");
    assert!(
        simulator.effects().contains("slow.wav"),
        "it was taken in before the snapshot: {}",
        simulator.effects()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_control_api_takes_lists_restores_and_deletes() {
    let simulator = simulator().await;
    let client = Client::of(&simulator).await;
    let taken = client.control("POST", "/_sim/snapshots", json!(null)).await;
    assert_eq!(taken, (201, json!({"id": 1})));
    let (_, listed) = client.control("GET", "/_sim/snapshots", json!(null)).await;
    assert_eq!(
        (
            &listed["snapshots"][0]["id"],
            &listed["snapshots"][0]["requests"]
        ),
        (&json!(1), &json!(simulator.requests()))
    );
    for (path, body, status) in [
        ("/_sim/snapshots/1/restore", json!(null), 200),
        (
            "/_sim/snapshots/1/restore",
            json!({"faults": [{"on": "legacy.get_media", "kind": "latency"}]}),
            200,
        ),
        (
            "/_sim/snapshots/1/restore",
            json!({"faults": [{"on": "legacy.get_medai", "kind": "latency"}]}),
            400,
        ),
        ("/_sim/snapshots/1/restore", json!({"fault": []}), 400),
        ("/_sim/snapshots/2/restore", json!(null), 404),
    ] {
        let (told, answer) = client.control("POST", path, body.clone()).await;
        assert_eq!(told, status, "{path} {body}: {answer}");
    }
    let (_, faults) = client.control("GET", "/_sim/faults", json!(null)).await;
    assert_eq!(faults["faults"][0]["on"], "legacy.get_media");
    assert_eq!(
        client
            .control("DELETE", "/_sim/snapshots/1", json!(null))
            .await
            .0,
        204
    );
    assert_eq!(
        client
            .control("DELETE", "/_sim/snapshots/1", json!(null))
            .await
            .0,
        404
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_number_of_snapshots_is_bounded() {
    let simulator = simulator().await;
    for _ in 0..16 {
        simulator.snapshot().await.expect("a snapshot");
    }
    assert!(matches!(
        simulator.snapshot().await,
        Err(SnapshotError::TooMany)
    ));
    simulator.delete_snapshot(3).expect("deleted");
    assert_eq!(simulator.snapshot().await.expect("a snapshot"), 17);
}
