//! Batch downloads for many who each want one recording.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

mod common;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::future::join_all;
use parking_lot::Mutex;
use platforms::clock::Clock;
use platforms::genesys_cloud::{Batches, ReadClient, Settings};
use platforms::transport::Network;
use serde_json::{Value, json};

use common::{credentials, serve};

/// What each request asked for, and how often it was asked after.
#[derive(Default)]
struct Seen {
    requests: Vec<Vec<String>>,
    asked_after: HashMap<usize, u32>,
}

type Shared = Arc<Mutex<Seen>>;

/// A platform whose requests are done when they are asked after the second time. A recording whose
/// id begins with `lost` has an error, one that begins with `left` is left out, and one that begins
/// with `two` comes in two files.
fn platform(seen: Shared) -> Router {
    let create = |State(seen): State<Shared>, Json(body): Json<Value>| async move {
        let list = body["batchDownloadRequestList"].as_array().unwrap();
        let ids = list
            .iter()
            .map(|item| item["recordingId"].as_str().unwrap().to_owned());
        let mut seen = seen.lock();
        seen.requests.push(ids.collect());
        Json(json!({"id": (seen.requests.len() - 1).to_string()}))
    };
    let show = |State(seen): State<Shared>, Path(id): Path<usize>| async move {
        let mut seen = seen.lock();
        let asked = seen.asked_after.entry(id).or_default();
        *asked += 1;
        if *asked < 2 {
            return Json(json!({"status": "InProgress", "results": []}));
        }
        let result = |id: &String| {
            let file = |n: u32| json!({"recordingId": id, "resultUrl": format!("http://store.test/{id}/{n}")});
            match &id[..4.min(id.len())] {
                "lost" => vec![json!({"recordingId": id, "errorMsg": "gone"})],
                "left" => Vec::new(),
                _ if id.starts_with("two") => vec![file(0), file(1)],
                _ => vec![file(0)],
            }
        };
        let results: Vec<Value> = seen.requests[id].iter().flat_map(result).collect();
        Json(json!({"status": "Completed", "results": results}))
    };
    Router::new()
        .route(
            "/oauth/token",
            post(|| async { Json(json!({"access_token": "t", "expires_in": 3600})) }),
        )
        .route("/api/v2/recording/batchrequests", post(create))
        .route("/api/v2/recording/batchrequests/{id}", get(show))
        .with_state(seen)
}

async fn batches(seen: &Shared) -> Batches {
    let url = serve(platform(seen.clone())).await;
    let settings = Settings {
        token_url: url.join("/oauth/token").unwrap(),
        api_url: url,
        credentials: credentials(),
        requests_per_minute: 100_000,
    };
    // A hundred times as fast as this machine's: nobody waits seconds.
    let clock = Clock::scaled(0, 100.0);
    let client = ReadClient::new(Arc::new(Network::new().unwrap()), clock.clone(), settings);
    Batches::new(client, clock, Duration::from_secs(600))
}

#[tokio::test]
async fn what_is_wanted_at_the_same_time_is_one_request_and_each_gets_its_own() {
    let seen = Shared::default();
    let batches = batches(&seen).await;
    let wanted = ["one", "lost", "left", "two"];
    let found = join_all(wanted.map(|id| batches.locate("call", id))).await;
    let found: Vec<_> = found.into_iter().map(Result::unwrap).collect();
    assert_eq!(seen.lock().requests.len(), 1);
    let files: Vec<usize> = found
        .iter()
        .map(|results| {
            results
                .iter()
                .filter(|one| one.result_url.is_some())
                .count()
        })
        .collect();
    assert_eq!(files, [1, 0, 0, 2]);
    assert_eq!(found[1][0].error_msg.as_deref(), Some("gone"));
    assert!(found[2].is_empty(), "left out without a word");
}

#[tokio::test]
async fn no_request_asks_for_more_than_a_hundred_and_nobody_is_left() {
    let seen = Shared::default();
    let batches = batches(&seen).await;
    let ids: Vec<String> = (0..250).map(|n| format!("r{n}")).collect();
    let found = join_all(ids.iter().map(|id| batches.locate("call", id))).await;
    assert!(
        found
            .iter()
            .all(|results| results.as_ref().unwrap().len() == 1)
    );
    let seen = seen.lock();
    assert!(seen.requests.iter().all(|request| request.len() <= 100));
    let mut asked: Vec<&String> = seen.requests.iter().flatten().collect();
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(asked.len(), 250);
}

#[tokio::test]
async fn whoever_waited_for_one_who_gave_up_is_answered_all_the_same() {
    let seen = Shared::default();
    let batches = Arc::new(batches(&seen).await);
    let first = {
        let batches = batches.clone();
        tokio::spawn(async move { batches.locate("call", "first").await })
    };
    tokio::task::yield_now().await;
    let second = {
        let batches = batches.clone();
        tokio::spawn(async move { batches.locate("call", "second").await })
    };
    tokio::task::yield_now().await;
    first.abort();
    assert_eq!(second.await.unwrap().unwrap().len(), 1);
}
