//! A small client of the simulated targets that repeats everything until it is told that it is
//! done.

#![allow(dead_code, reason = "each test file uses its part of this")]

use reqwest::StatusCode;
use serde_json::{Value, json};
use simulator::Simulator;

/// A second of sound, different for each call.
pub(crate) fn call(id: u64) -> Vec<u8> {
    let pcm = audio::Pcm {
        sample_rate: 8000,
        channels: vec![vec![i16::try_from(id % 1000).expect("small"); 8000]],
    };
    audio::encode(&pcm, audio::Codec::PcmS16).expect("wav")
}

pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    control: String,
    store: String,
    account: (String, String),
    token: String,
    user: String,
    queue: String,
}

impl Client {
    pub(crate) async fn of(simulator: &Simulator) -> Client {
        // Another test may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .user_agent("a test")
            .build()
            .expect("a client");
        let dir = tempfile::tempdir().expect("a folder");
        simulator.write_plan(dir.path()).expect("a plan");
        let last_of = |name: &str, column: usize| {
            let text =
                std::fs::read_to_string(dir.path().join("mapping").join(name)).expect("a mapping");
            text.lines()
                .last()
                .and_then(|line| line.split(',').nth(column))
                .expect("an id")
                .to_owned()
        };
        let addresses = simulator.addresses().clone();
        let (client, account) = (
            simulator.credentials().genesys_cloud.clone(),
            simulator.credentials().webdav.clone(),
        );
        let request = http
            .post(format!("{}/oauth/token", addresses.genesys_cloud))
            .basic_auth(client.client_id, Some(client.client_secret));
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials");
        let answer = request
            .send()
            .await
            .expect("an answer")
            .bytes()
            .await
            .expect("a body");
        let answer: Value = serde_json::from_slice(&answer).expect("json");
        Client {
            http,
            base: addresses.genesys_cloud,
            control: addresses.control,
            store: addresses.webdav.expect("a store"),
            account: (account.username, account.password),
            token: answer["access_token"].as_str().expect("a token").to_owned(),
            user: last_of("agents.csv", 1),
            queue: last_of("queues.csv", 1),
        }
    }

    /// Posts until the platform says that it is done: 2xx, or 409 for an interaction that exists.
    async fn until_done(&self, path: &str, content_type: &str, body: Vec<u8>) -> Value {
        for _ in 0..10 {
            let request = self
                .http
                .post(format!("{}{path}", self.base))
                .bearer_auth(&self.token)
                .header("content-type", content_type);
            let Ok(answer) = request.body(body.clone()).send().await else {
                continue;
            };
            let status = answer.status();
            let text = answer.bytes().await.expect("a body");
            if status.is_success() || status == StatusCode::CONFLICT {
                return serde_json::from_slice(&text).expect("json");
            }
            assert!(
                status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error(),
                "{status}: {}",
                String::from_utf8_lossy(&text)
            );
        }
        panic!("{path} never ended well")
    }

    /// Uploads a file; its id.
    pub(crate) async fn upload(&self, name: &str, bytes: &[u8]) -> Value {
        let file = self
            .until_done(
                "/api/v2/files",
                "multipart/form-data; boundary=B",
                multipart(name, bytes),
            )
            .await;
        file["id"].clone()
    }

    /// Uploads a call's sound and makes its interaction.
    pub(crate) async fn migrate(&self, id: u64) {
        let file = self
            .upload(&format!("st-test-{id}-1.0123456789ab.wav"), &call(id))
            .await;
        let interaction = json!({
            "id": format!("a2c1d6a0-0f0e-4b52-8a53-{id:012}"), "type": "call", "direction": "inbound", "externalTag": format!("st:test:{id}"),
            "createdTime": "2024-10-27T10:00:00.000Z", "updatedTime": "2024-10-27T10:05:00.000Z",
            "participants": [{"id": self.user, "type": "agent"}, {"id": format!("c0ffee00-0000-4000-8000-{id:012}"), "type": "customer", "phone": "+15550100199"}],
            "routing": {"queue": {"id": self.queue}},
            "segments": [{"id": format!("5e900000-0000-4000-8000-{id:012}"), "type": "call", "participantId": self.user,
                "start": "2024-10-27T10:00:00.000Z", "end": "2024-10-27T10:00:01.000Z",
                "recording": {"id": format!("4ec00000-0000-4000-8000-{id:012}"), "type": "call", "status": "complete", "fileId": file, "duration": 1000}}],
        });
        self.until_done(
            "/api/v2/interactions",
            "application/json",
            interaction.to_string().into_bytes(),
        )
        .await;
    }

    /// Puts a file into the store.
    pub(crate) async fn put_file(&self, name: &str, bytes: &[u8]) {
        let request = self
            .http
            .put(format!("{}/{name}", self.store))
            .basic_auth(&self.account.0, Some(&self.account.1));
        let answer = request
            .body(bytes.to_vec())
            .send()
            .await
            .expect("an answer");
        assert!(answer.status().is_success(), "{name}: {}", answer.status());
    }

    /// Deletes a file from the store.
    pub(crate) async fn delete_file(&self, name: &str) {
        let request = self
            .http
            .delete(format!("{}/{name}", self.store))
            .basic_auth(&self.account.0, Some(&self.account.1));
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{name}: {}", answer.status());
    }

    /// Asks the control API; null sends no body, and is what an empty answer reads as.
    pub(crate) async fn control(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let method = method.parse().expect("a method");
        let request = self.http.request(method, format!("{}{path}", self.control));
        let request = if body.is_null() {
            request
        } else {
            request.body(body.to_string())
        };
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let text = answer.bytes().await.expect("a body");
        (status, serde_json::from_slice(&text).unwrap_or_default())
    }
}

fn multipart(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut body = format!(
        "--B\r\ncontent-disposition: form-data; \
         name=\"name\"\r\n\r\n{name}\r\n--B\r\ncontent-disposition: form-data; \
         name=\"overwrite\"\r\n\r\ntrue\r\n--B\r\ncontent-disposition: form-data; name=\"file\"; \
         filename=\"{name}\"\r\ncontent-type: audio/x-wav\r\n\r\n"
    )
    .into_bytes();
    body.extend(bytes);
    body.extend(b"\r\n--B--\r\n");
    body
}
