//! Any number of clients at once leaves the same effects and the same truth behind, whatever goes wrong on the way.

use std::sync::Arc;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use simulator::{Options, PlatformName, Scenario, Simulator};
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
[expect]
verdict = "match"
"#;

struct Migration {
    http: Client,
    base: String,
    token: String,
    user: String,
    queue: String,
}

impl Migration {
    async fn of(simulator: &Simulator) -> Migration {
        // Another test may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().build().expect("a client");
        let dir = tempfile::tempdir().expect("a folder");
        simulator.write_plan(dir.path()).expect("a plan");
        let last_of = |name: &str, column: usize| {
            let text = std::fs::read_to_string(dir.path().join("mapping").join(name)).expect("a mapping");
            text.lines().last().and_then(|line| line.split(',').nth(column)).expect("an id").to_owned()
        };
        let base = simulator.addresses().genesys_cloud.clone();
        let client = simulator.credentials().genesys_cloud.clone();
        let request = http.post(format!("{base}/oauth/token")).basic_auth(client.client_id, Some(client.client_secret));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body("grant_type=client_credentials");
        let answer = request.send().await.expect("an answer").bytes().await.expect("a body");
        let answer: Value = serde_json::from_slice(&answer).expect("json");
        let token = answer["access_token"].as_str().expect("a token").to_owned();
        Migration { http, base, token, user: last_of("agents.csv", 1), queue: last_of("queues.csv", 1) }
    }

    /// Posts until the platform says that it is done: 2xx, or 409 for an interaction that exists.
    async fn until_done(&self, path: &str, content_type: &str, body: Vec<u8>) -> Value {
        for _ in 0..10 {
            let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(&self.token).header("content-type", content_type);
            let Ok(answer) = request.body(body.clone()).send().await else { continue };
            let status = answer.status();
            let text = answer.bytes().await.expect("a body");
            if status.is_success() || status == StatusCode::CONFLICT {
                return serde_json::from_slice(&text).expect("json");
            }
            assert!(status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error(), "{status}: {}", String::from_utf8_lossy(&text));
        }
        panic!("{path} never ended well")
    }

    async fn migrate(&self, id: u64) {
        let name = format!("st-test-{id}-1.0123456789ab.wav");
        let pcm = audio::Pcm { sample_rate: 8000, channels: vec![vec![i16::try_from(id % 1000).expect("small"); 8000]] };
        let file = self.until_done("/api/v2/files", "multipart/form-data; boundary=B", multipart(&name, &pcm)).await;
        let interaction = json!({
            "id": format!("a2c1d6a0-0f0e-4b52-8a53-{id:012}"), "type": "call", "direction": "inbound", "externalTag": format!("st:test:{id}"),
            "createdTime": "2024-10-27T10:00:00.000Z", "updatedTime": "2024-10-27T10:05:00.000Z",
            "participants": [{"id": self.user, "type": "agent"}, {"id": format!("c0ffee00-0000-4000-8000-{id:012}"), "type": "customer", "phone": "+15550100199"}],
            "routing": {"queue": {"id": self.queue}},
            "segments": [{"id": format!("5e900000-0000-4000-8000-{id:012}"), "type": "call", "participantId": self.user,
                "start": "2024-10-27T10:00:00.000Z", "end": "2024-10-27T10:00:01.000Z",
                "recording": {"id": format!("4ec00000-0000-4000-8000-{id:012}"), "type": "call", "status": "complete", "fileId": file["id"], "duration": 1000}}],
        });
        self.until_done("/api/v2/interactions", "application/json", interaction.to_string().into_bytes()).await;
    }
}

fn multipart(name: &str, pcm: &audio::Pcm) -> Vec<u8> {
    let mut body = format!(
        "--B\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\n{name}\r\n--B\r\ncontent-disposition: form-data; name=\"overwrite\"\r\n\r\ntrue\r\n\
         --B\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: audio/x-wav\r\n\r\n"
    )
    .into_bytes();
    body.extend(audio::encode(pcm, audio::Codec::PcmS16).expect("wav"));
    body.extend(b"\r\n--B--\r\n");
    body
}

/// Effects, truth and faults after a migration by `workers` at once.
async fn left_behind_by(workers: usize) -> (String, String, usize) {
    let scenario = Scenario::parse(SCENARIO, "effects").unwrap_or_else(|error| panic!("{error}"));
    let simulator = Simulator::start(scenario, Options::default()).await.expect("a simulator");
    let migration = Arc::new(Migration::of(&simulator).await);
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
    let truth = simulator.truth(PlatformName::GenesysCloud).await.expect("truth");
    let struck = simulator.journal(None, 0, 10_000).iter().filter(|line| line.fault.is_some()).count();
    (simulator.effects(), truth, struck)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_worker_and_sixteen_leave_the_same_behind() {
    let (effects, truth, struck) = left_behind_by(1).await;
    assert!(struck > 20, "{struck}");
    assert_eq!(effects.lines().filter(|line| line.contains("create_interaction")).count(), 24, "{effects}");
    assert_eq!(truth.lines().count(), 24);
    let (effects_16, truth_16, struck_16) = left_behind_by(16).await;
    assert_eq!(effects, effects_16);
    assert_eq!(truth, truth_16);
    assert_eq!(struck, struck_16);
}
