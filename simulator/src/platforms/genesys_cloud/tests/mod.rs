//! The platform from outside: requests in, answers out, and the truth behind them.

mod access;
mod aggregates;
mod analytics;
mod annotations;
mod contracts;
mod directory;
mod limits;
mod operations;
mod parameters;
mod public;
mod reads;
mod recordings;
mod refusals;
mod roles;
mod tampering;
mod uploads;

use crate::platforms::Platform as _;
use std::{collections::BTreeMap, sync::Arc};

use audio::{Codec, Pcm};
use axum::{Router, body::Body};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;
use uuid::{Uuid, uuid};

use super::{Directory, Entry, GenesysCloud, Settings, settings::FALLBACK_USER};
use crate::{clock::Clock, faults::FaultRule, pipeline::Core, seed::Seed};

const JOHN: Uuid = uuid!("550e8400-e29b-41d4-a716-446655440001");
const JANE: Uuid = uuid!("550e8400-e29b-41d4-a716-446655440002");
const QUEUE: Uuid = uuid!("0a0b0000-0000-4000-8000-0000000000d1");
const SKILL: Uuid = uuid!("0a0b0000-0000-4000-8000-0000000000e1");
const WRAPUP: Uuid = uuid!("7f3c0000-0000-4000-8000-00000000a017");
const BOUNDARY: &str = "B";

/// One organisation, a token to enter it, and where its bytes lie.
struct World {
    site: Arc<GenesysCloud>,
    core: Arc<Core>,
    router: Router,
    token: String,
    _spool: TempDir,
}

/// An answer, read whole.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

impl World {
    async fn new() -> World {
        World::with(Settings::default()).await
    }

    /// A world whose token may ask as often as a test needs.
    async fn unlimited() -> World {
        World::with(Settings {
            requests_per_minute: 0,
            uploads_per_second: 0,
            ..Settings::default()
        })
        .await
    }

    async fn with(settings: Settings) -> World {
        World::with_faults(settings, Vec::new()).await
    }

    async fn with_faults(settings: Settings, faults: Vec<FaultRule>) -> World {
        let spool = TempDir::new().expect("a temporary folder");
        let core = Core::new(Clock::of_a_test(), Seed::new(7), faults);
        let site = GenesysCloud::new(
            Arc::clone(&core),
            directory(),
            settings,
            spool.path().join("spool"),
        );
        site.set_base_url("http://127.0.0.1:40003".to_owned());
        let router = site.router();
        let mut world = World {
            site,
            core,
            router,
            token: String::new(),
            _spool: spool,
        };
        world.token = world.sign_in().await;
        world
    }

    async fn sign_in(&self) -> String {
        let answer = self.token_request("client", "secret").await;
        answer.json()["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    async fn token_request(&self, id: &str, secret: &str) -> Answer {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        let request = Request::post("/oauth/token")
            .header("authorization", basic)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from("grant_type=client_credentials"))
            .expect("a request");
        self.send(request).await
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("the router answers");
        let (parts, body) = response.into_parts();
        let body = body
            .collect()
            .await
            .expect("a whole body")
            .to_bytes()
            .to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header("authorization", format!("Bearer {}", self.token));
        self.send(request.body(Body::empty()).expect("a request"))
            .await
    }

    async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json");
        self.send(
            request
                .body(Body::from(body.to_string()))
                .expect("a request"),
        )
        .await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.json("POST", path, body).await
    }

    async fn upload_raw(&self, body: Vec<u8>) -> Answer {
        let request = Request::post("/api/v2/files")
            .header("authorization", format!("Bearer {}", self.token))
            .header(
                "content-type",
                format!("multipart/form-data; boundary={BOUNDARY}"),
            );
        self.send(request.body(Body::from(body)).expect("a request"))
            .await
    }

    async fn upload(&self, name: &str, bytes: &[u8]) -> Answer {
        self.upload_raw(multipart(name, "true", bytes)).await
    }

    /// Uploads a file that is no audio and answers its id.
    async fn any_file(&self, name: &str) -> Uuid {
        id_of(&self.upload(name, b"bytes").await.json())
    }

    /// An interaction with one recording of an uploaded file, created.
    async fn call(&self, number: u64) -> Value {
        let file = self
            .any_file(&format!("st-acme-{number}-1.0123456789ab.mp3"))
            .await;
        let body = interaction(number, file);
        let answer = self.post("/api/v2/interactions", &body).await;
        assert_eq!(
            answer.status,
            201,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        body
    }

    fn truth(&self) -> String {
        self.site.truth().expect("the spool is there")
    }

    fn spooled(&self) -> usize {
        let (kept, lost) = self.site.spool.count();
        assert_eq!(lost, 0, "files that belong to no upload");
        kept
    }
}

fn entry(id: Uuid, name: &str, state: &'static str) -> Entry {
    Entry::new(id, name, state)
}

fn directory() -> Directory {
    let numbered = |tail: u128| Uuid::from_u128(0x1111_0000_0000_4000_8000_0000_0000_0000 + tail);
    Directory {
        agents: Vec::new(),
        users: vec![
            entry(JOHN, "John Doe", "active"),
            entry(JANE, "Jane Smith", "inactive"),
            entry(numbered(1), FALLBACK_USER, "active"),
            entry(numbered(2), "Ann Other", "active"),
            entry(numbered(3), "Gone Long", "deleted"),
        ],
        queues: vec![
            entry(QUEUE, "Support", "active"),
            entry(numbered(11), "Sales", "active"),
            entry(numbered(12), "Unmapped", "active"),
        ],
        wrapups: vec![
            entry(WRAPUP, "Resolved", "active"),
            entry(numbered(21), "Callback", "active"),
        ],
        skills: vec![entry(SKILL, "Billing", "active")],
        divisions: Vec::new(),
        placed: BTreeMap::new(),
        retention_tags: vec![("7-Year Retention".to_owned(), 7)],
        site_zone: "Europe/London".to_owned(),
        client_id: "client".to_owned(),
        client_secret: "secret".to_owned(),
    }
}

fn id_of(body: &Value) -> Uuid {
    body["id"]
        .as_str()
        .and_then(|id| Uuid::parse_str(id).ok())
        .unwrap_or_else(|| panic!("no id in {body}"))
}

fn part(name: &str, text: &str) -> String {
    format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
}

fn multipart(name: &str, overwrite: &str, bytes: &[u8]) -> Vec<u8> {
    let mut body = part("name", name) + &part("overwrite", overwrite);
    body.push_str(&format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; \
         filename=\"{name}\"\r\ncontent-type: audio/mpeg\r\n\r\n"
    ));
    let mut body = body.into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body
}

fn conversation_id(number: u64) -> Uuid {
    Uuid::from_u128(0xa2c1_d6a0_0f0e_4b52_8a53_0000_0000_0000 + u128::from(number))
}

fn recording_id(number: u64) -> Uuid {
    Uuid::from_u128(0x4ec0_0000_0000_4000_8000_0000_0000_0000 + u128::from(number))
}

/// The guide's interaction of a legacy call: one agent, one leg, one recording.
fn interaction(number: u64, file: Uuid) -> Value {
    json!({
        "id": conversation_id(number), "type": "call", "direction": "inbound",
        "createdTime": "2023-07-27T10:00:00.123Z", "updatedTime": "2023-07-27T10:05:00.456Z",
        "externalTag": format!("st:acme:{number}"),
        "participants": [
            {"id": JOHN, "type": "agent", "wrapUpCode": WRAPUP},
            {"id": conversation_id(number + 1_000_000), "type": "customer", "phone": "+15550100199", "ani": "+15550100199", "dnis": "+18005550123"},
        ],
        "routing": {"queue": {"id": QUEUE, "name": "Support"}, "skills": [{"id": SKILL}]},
        "attributes": {"st.wait_ms": "12000", "st.skill_group": "Billing Tier 1"},
        "deletionProtection": number.is_multiple_of(2),
        "segments": [{
            "id": recording_id(number + 1_000_000), "type": "call", "participantId": JOHN,
            "start": "2023-07-27T10:00:12.123Z", "end": "2023-07-27T10:02:40.456Z",
            "recording": {
                "id": recording_id(number), "type": "call", "status": "complete", "fileId": file, "duration": 148_000,
                "retention": {"tag": "7-Year Retention", "deleteDate": "2030-07-27T10:05:00.456Z"},
                "annotations": [{"type": "pause", "reason": "SecurePause", "location": 2_000, "durationMs": 1_000}],
            },
        }],
    })
}

/// Four seconds of sound that differs from call to call; silent while the pause lasts.
fn sound(number: u64, channels: u64) -> Pcm {
    let channel = |which: u64| {
        let seed = Seed::new(number).index(which);
        let mut phase = 0.0_f64;
        let mut samples: Vec<i16> = (0..32_000_u64)
            .map(|at| {
                phase += (120.0 + seed.index(at / 1_600).below(900) as f64) / 8_000.0
                    * std::f64::consts::TAU;
                (phase.sin() * (2_000 + seed.index(at / 2_000).below(9_000)) as f64) as i16
            })
            .collect();
        samples[16_000..24_000].fill(0);
        samples
    };
    Pcm {
        sample_rate: 8_000,
        channels: (0..channels).map(channel).collect(),
    }
}

/// A world of calls with real audio: one to four in a codec each; every fourth was transferred and
/// has two recordings.
async fn populated(calls: u64) -> World {
    let world = World::unlimited().await;
    world.populate(calls).await;
    world
}

impl World {
    async fn populate(&self, calls: u64) {
        let world = self;
        for number in 1..=calls {
            let codec = if number.is_multiple_of(3) {
                Codec::PcmS16
            } else {
                Codec::Mp3
            };
            let extension = if codec == Codec::Mp3 { "mp3" } else { "wav" };
            let mut files = Vec::new();
            for one in 1..=2 {
                let bytes =
                    audio::encode(&sound(number * 10 + one, 1 + number % 2), codec).expect("audio");
                let name = format!("st-acme-{number}-{one}.0123456789ab.{extension}");
                files.push(id_of(&world.upload(&name, &bytes).await.json()));
            }
            let mut body = interaction(number, files[0]);
            if number.is_multiple_of(4) {
                transferred(&mut body, number, files[1]);
            }
            let answer = world.post("/api/v2/interactions", &body).await;
            assert_eq!(
                answer.status,
                201,
                "{}",
                String::from_utf8_lossy(&answer.body)
            );
        }
    }
}

fn transferred(body: &mut Value, number: u64, file: Uuid) {
    let agent = json!({"id": JANE, "type": "agent"});
    let leg = json!({
        "id": recording_id(number + 2_000_000), "type": "call", "participantId": JANE,
        "start": "2023-07-27T10:02:40.456Z", "end": "2023-07-27T10:05:00.456Z",
        "recording": {"id": recording_id(number + 3_000_000), "type": "call", "fileId": file,
            "retention": {"deleteDate": "2030-07-27T10:05:00.456Z"}},
    });
    body["participants"]
        .as_array_mut()
        .expect("a list")
        .push(agent);
    body["segments"].as_array_mut().expect("a list").push(leg);
}
