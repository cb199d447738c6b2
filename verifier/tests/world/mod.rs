//! A small source and a target that holds exactly what it should, served without a network; the
//! tests damage either.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use audio::{Codec, Pcm};
use parking_lot::Mutex;
use plan::LoadedPlan;
use platforms::transport::{Body, Transport, TransportError};
use serde_json::{Value, json};

pub const USER: &str = "550e8400-e29b-41d4-a716-446655440001";
pub const OTHER_USER: &str = "550e8400-e29b-41d4-a716-446655440002";
pub const FALLBACK: &str = "550e8400-e29b-41d4-a716-4466554400ff";
pub const QUEUE: &str = "0a0b0000-0000-4000-8000-0000000000d1";
const WRAP_UP: &str = "7f3c0000-0000-4000-8000-00000000a017";
const SKILL: &str = "0a0b0000-0000-4000-8000-0000000000e1";
/// 27 October 2023, 10:00 UTC.
pub const START: i64 = 1_698_400_800_000;
const CREATED: &str = "2026-11-18T00:00:00.000Z";
/// The day these tests are held on, ten days after the upload: 28 November 2026.
const TODAY: i64 = 1_795_824_000_000;

/// A clock that begins on that day.
pub fn today() -> platforms::clock::Clock {
    platforms::clock::Clock::starting_at(TODAY)
}

/// Both platforms.
#[derive(Clone, Default)]
pub struct World {
    pub interactions: Vec<Value>,
    pub details: BTreeMap<String, Value>,
    pub source_media: BTreeMap<String, Vec<u8>>,
    pub conversations: Vec<Value>,
    pub recordings: BTreeMap<String, Vec<Value>>,
    pub target_media: BTreeMap<String, (Vec<u8>, &'static str)>,
    pub protected: BTreeSet<String>,
    /// Recordings a batch reports as gone.
    pub lost: BTreeSet<String>,
    /// `METHOD path` prefixes that are refused with 403.
    pub refused: Vec<&'static str>,
    /// Method and path template that is refused with 403 and this word.
    pub forbidden: Option<(String, String, String)>,
    /// Conversations whose recordings are answered with 202, for ever.
    pub preparing: BTreeSet<String>,
    /// Conversations that are there and that analytics does not show.
    pub unshown: Vec<Value>,
    /// The watermark of analytics; empty: it is left out.
    pub available: Option<&'static str>,
    /// Recordings without a conversation.
    pub orphans: Vec<Value>,
    /// Retention policies.
    pub policies: Vec<Value>,
    pub cross_platform_policies: Vec<Value>,
    /// Media that is cut the first time it is read.
    pub cut_once: BTreeSet<String>,
    /// What the source answers to a path instead: status, media type, body.
    pub instead: BTreeMap<String, (u16, &'static str, Vec<u8>)>,
}

/// Serves a world and remembers what was asked.
pub struct Serving {
    pub world: World,
    pub asked: Mutex<Vec<String>>,
    cut: Mutex<BTreeSet<String>>,
    batches: Mutex<Vec<Value>>,
}

impl Serving {
    pub fn new(world: World) -> Arc<Serving> {
        let cut = Mutex::new(world.cut_once.clone());
        Arc::new(Serving {
            world,
            asked: Mutex::default(),
            cut,
            batches: Mutex::default(),
        })
    }

    fn answer(
        &self,
        method: &str,
        host: &str,
        path: &str,
        body: &Value,
    ) -> (u16, &'static str, Vec<u8>) {
        let world = &self.world;
        let json = |value: Value| (200, "application/json", value.to_string().into_bytes());
        let asked = format!("{method} {path}");
        if let Some(answer) = world.instead.get(path).filter(|_| host == "source.test") {
            return answer.clone();
        }
        if world
            .refused
            .iter()
            .any(|refused| asked.starts_with(refused))
        {
            return (
                403,
                "application/json",
                json!({"code":"missing.permissions","message":"no","status":403,"error":"insufficient_scope"}).to_string().into_bytes(),
            );
        }
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        if let Some((verb, template, word)) = &world.forbidden
            && host == "target.test"
            && verb == method
            && fits(template, &parts)
        {
            let message = format!("You are missing the following permission(s): {word}");
            return (
                403,
                "application/json",
                json!({"code":"missing.permissions","message":message,"status":403})
                    .to_string()
                    .into_bytes(),
            );
        }
        match (method, parts.as_slice()) {
            ("POST", ["oauth", "token"]) => {
                json(json!({"access_token":"t","token_type":"bearer","expires_in":86400}))
            }
            ("GET", ["api", "v2", "analytics", "interactions", "query"]) => json(
                json!({"entities":world.interactions,"metadata":{"pagination":{"nextPageCursor":null}}}),
            ),
            ("GET", ["api", "v2", "users"]) if host == "source.test" => {
                json(json!({"entities":[],"metadata":{"pagination":{"nextPageCursor":null}}}))
            }
            ("GET", ["api", "v2", "recordings", id, "media"]) => {
                let mut bytes = world.source_media[*id].clone();
                if self.cut.lock().remove(*id) {
                    bytes.truncate(bytes.len() / 2);
                }
                (200, "audio/wav", bytes)
            }
            ("POST", ["api", "v2", "analytics", "conversations", "details", "jobs"]) => (
                202,
                "application/json",
                json!({"jobId":"job"}).to_string().into_bytes(),
            ),
            (
                "GET",
                [
                    "api",
                    "v2",
                    "organizations",
                    "limits",
                    "namespaces",
                    "platform.api",
                ],
            ) => json(
                json!({"entities":[{"key":"client.credentials.token.rate.per.minute","namespace":"platform.api","value":300}]}),
            ),
            ("GET", ["api", "v2", "authorization", "divisions"]) => {
                let divisions =
                    [("h", true)].map(|(id, home)| json!({"id":id,"name":"d","homeDivision":home}));
                json(json!({"entities":divisions,"pageCount":1}))
            }
            ("GET", ["api", "v2", "analytics", "dataretention", "settings"]) => json(json!({})),
            ("GET", ["api", "v2", "orphanrecordings"]) => {
                json(json!({"entities":world.orphans,"pageCount":1}))
            }
            ("GET", ["api", "v2", "recording", "mediaretentionpolicies"]) => {
                json(json!({"entities":world.policies,"pageCount":1}))
            }
            (
                "GET",
                [
                    "api",
                    "v2",
                    "recording",
                    "crossplatform",
                    "mediaretentionpolicies",
                ],
            ) => json(json!({"entities":world.cross_platform_policies,"pageCount":1})),
            ("GET", [.., "details", "jobs", "job"]) => json(json!({"state":"FULFILLED"})),
            ("GET", [.., "jobs", "job", "results"]) => {
                let available = world.available.unwrap_or("2026-11-20T00:00:00.000Z");
                let available = if available.is_empty() {
                    Value::Null
                } else {
                    json!(available)
                };
                json(json!({"conversations":world.conversations,"dataAvailabilityDate":available}))
            }
            ("GET", ["api", "v2", "recordings", "retention", "query"]) => {
                let entries = world.recordings.iter().flat_map(|(conversation, recordings)| {
                    recordings.iter().map(move |recording| json!({"conversationId":conversation,"recordingId":recording["id"],"deleteDate":recording["deleteDate"],"creationTime":CREATED}))
                });
                json(json!({"entities":entries.collect::<Vec<_>>(),"nextUri":null}))
            }
            ("GET", ["api", "v2", "recordings", id]) => json(world.details[*id].clone()),
            ("GET", ["api", "v2", "conversations", id, "recordings"])
                if world.preparing.contains(*id) =>
            {
                (202, "application/json", Vec::new())
            }
            ("GET", ["api", "v2", "conversations", id, "recordings"]) => json(Value::Array(
                world.recordings.get(*id).cloned().unwrap_or_default(),
            )),
            ("GET", ["api", "v2", "conversations", id]) => {
                if let Some(held) = world
                    .conversations
                    .iter()
                    .chain(&world.unshown)
                    .find(|held| held["conversationId"] == **id)
                {
                    return json(conversation(held));
                }
                (
                    404,
                    "application/json",
                    json!({"code":"not.found","message":"no","status":404})
                        .to_string()
                        .into_bytes(),
                )
            }
            ("POST", ["api", "v2", "recordings", "deletionprotection"]) => {
                let ids = body["conversationIds"]
                    .as_array()
                    .expect("ids")
                    .iter()
                    .filter_map(Value::as_str);
                json(
                    ids.filter(|id| world.protected.contains(*id))
                        .map(|id| json!({"id":id}))
                        .collect(),
                )
            }
            ("POST", ["api", "v2", "recording", "batchrequests"]) => {
                let mut batches = self.batches.lock();
                batches.push(body["batchDownloadRequestList"].clone());
                json(json!({"id":format!("{}", batches.len() - 1)}))
            }
            ("GET", ["api", "v2", "recording", "batchrequests", id]) => json(self.batch(id)),
            ("GET", ["presigned", id]) => {
                let (bytes, kind) = world.target_media[*id].clone();
                (200, kind, bytes)
            }
            _ => panic!("the verifier asks for {asked} of {host}"),
        }
    }

    fn batch(&self, id: &str) -> Value {
        let wanted = self.batches.lock()[id.parse::<usize>().expect("a batch")].clone();
        let result = |item: &Value| {
            let id = item["recordingId"].as_str().expect("an id");
            if self.world.lost.contains(id) {
                return json!({"conversationId":item["conversationId"],"recordingId":id,"resultUrl":null,"errorMsg":"media not found"});
            }
            let kind = self.world.target_media[id].1;
            json!({"conversationId":item["conversationId"],"recordingId":id,"resultUrl":format!("http://media.test/presigned/{id}"),"contentType":kind,"errorMsg":null})
        };
        let results: Vec<Value> = wanted
            .as_array()
            .expect("a list")
            .iter()
            .map(result)
            .collect();
        json!({"jobId":id,"status":"Completed","expectedResultCount":results.len(),"resultCount":results.len(),"errorCount":0,"results":results})
    }
}

fn fits(template: &str, parts: &[&str]) -> bool {
    let template: Vec<&str> = template.trim_matches('/').split('/').collect();
    template.len() == parts.len()
        && template
            .iter()
            .zip(parts)
            .all(|(wanted, part)| *wanted == "{}" || wanted == part)
}

/// What analytics shows, as the conversations API tells it.
fn conversation(held: &Value) -> Value {
    let participant = |shown: &Value| {
        let session = &shown["sessions"][0];
        let segment = &session["segments"][0];
        let mut participant = json!({"id":shown["participantId"],"purpose":shown["purpose"],"ani":session["ani"],"dnis":session["dnis"],
            "calls":[{"direction":held["originatingDirection"],"segments":[{"startTime":segment["segmentStart"],"endTime":segment["segmentEnd"]}]}]});
        for (name, value) in [
            ("userId", &shown["userId"]),
            ("queueId", &segment["queueId"]),
            ("attributes", &shown["attributes"]),
        ] {
            participant[name] = value.clone();
        }
        participant["wrapup"] = json!({"code":segment["wrapUpCode"]});
        participant
    };
    let participants: Vec<Value> = held["participants"]
        .as_array()
        .expect("participants")
        .iter()
        .map(participant)
        .collect();
    json!({"id":held["conversationId"],"externalTag":held["externalTag"],"startTime":held["conversationStart"],"endTime":held["conversationEnd"],"participants":participants})
}

#[async_trait]
impl Transport for Serving {
    async fn send(
        &self,
        request: http::Request<Body>,
    ) -> Result<http::Response<Body>, TransportError> {
        let (parts, body) = request.into_parts();
        let body = match body {
            Body::Full(bytes) => serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            Body::Stream { .. } => Value::Null,
        };
        let host = parts.uri.host().unwrap_or_default();
        self.asked
            .lock()
            .push(format!("{} {}", parts.method, parts.uri.path()));
        let (status, kind, bytes) =
            self.answer(parts.method.as_str(), host, parts.uri.path(), &body);
        let response = http::Response::builder()
            .status(status)
            .header("content-type", kind)
            .header("content-length", bytes.len());
        Ok(response.body(Body::Full(bytes.into())).expect("an answer"))
    }
}

/// Four calls: two recordings (one with a pause), one kept MP3, none, and one whose source is an
/// error page.
pub fn world() -> World {
    let mut world = World::default();
    world.call(
        "100001",
        0,
        USER,
        &[
            ("100001-1", Codec::Mulaw, 2, true),
            ("100001-2", Codec::PcmS16, 1, false),
        ],
    );
    world.call("100002", 1, USER, &[("100002-1", Codec::Mp3, 1, false)]);
    world.call("100003", 2, FALLBACK, &[]);
    world.call("100004", 3, USER, &[("100004-1", Codec::PcmS16, 1, false)]);
    world.source_media.insert(
        "100004-1".into(),
        b"<!DOCTYPE html><html><body>session expired</body></html>".to_vec(),
    );
    world.conversations.pop();
    world.recordings.remove("c-100004");
    world.protected.insert("c-100002".into());
    world
}

impl World {
    fn call(&mut self, id: &str, nth: i64, user: &str, recordings: &[(&str, Codec, usize, bool)]) {
        let start = START + nth * 3_600_000;
        let end = start + 60_000;
        let agent = if user == FALLBACK {
            "AGT-UNKNOWN"
        } else {
            "AGT-992"
        };
        self.interactions.push(json!({"id":id.parse::<u64>().expect("a number"),"startTime":start,"endTime":end,"waitTimeMs":12000,"talkTimeMs":48000,"direction":"INBOUND",
            "agentId":agent,"agentExtension":"4711","queueId":"Q-SUPPORT","skill":"SK-BILLING","skillGroup":"Billing","ivrNodeId":null,"dispositionCode":"RESOLVED","wrapUpCode":"W-017",
            "callerNumber":"+15550100199","dialledNumber":"+18005550123","numbersMasked":false,"recorderNode":"N1",
            "segments":[{"id":format!("{id}-s1"),"agentId":agent,"startTime":start + 12_000,"endTime":end}],
            "recordings":recordings.iter().map(|(id, ..)| json!({"id":id,"segmentId":format!("{}-s1", &id[..6])})).collect::<Vec<_>>()}));
        let conversation = format!("c-{id}");
        let names: Vec<String> = recordings
            .iter()
            .map(|(id, ..)| format!("{id}.wav"))
            .collect();
        let mut attributes = json!({"st.wait_ms":"12000","st.talk_ms":"48000","st.skill_group":"Billing","st.disposition":"RESOLVED","st.raw_start":start.to_string()});
        if !names.is_empty() {
            attributes["st.file_name"] = json!(names.join(";"));
        }
        self.conversations.push(json!({"conversationId":conversation,"conversationStart":time(start),"conversationEnd":time(end),"originatingDirection":"inbound","externalTag":format!("st:acme:{id}"),
            "participants":[
                {"participantId":"p1","purpose":"customer","attributes":attributes,"sessions":[{"mediaType":"voice","ani":"tel:+15550100199","dnis":"tel:+18005550123","segments":[{"segmentStart":time(start),"segmentEnd":time(end),"segmentType":"interact"}]}]},
                {"participantId":"p2","purpose":"agent","userId":user,"sessions":[{"mediaType":"voice","ani":"tel:+15550100199","dnis":"tel:+18005550123",
                    "segments":[{"segmentStart":time(start + 12_000),"segmentEnd":time(end),"segmentType":"interact","queueId":QUEUE,"wrapUpCode":WRAP_UP,"requestedRoutingSkillIds":[SKILL]}]}]}]}));
        self.recordings.insert(conversation.clone(), Vec::new());
        for (at, (recording, codec, channels, paused)) in recordings.iter().enumerate() {
            self.recording(
                recording,
                &conversation,
                start + 12_000 + at as i64 * 15_000,
                end,
                *codec,
                *channels,
                *paused,
            );
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a fixture's row")]
    fn recording(
        &mut self,
        id: &str,
        conversation: &str,
        start: i64,
        call_end: i64,
        codec: Codec,
        channels: usize,
        paused: bool,
    ) {
        let seed = id.bytes().fold(7u64, |seed, byte| {
            seed.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        let pcm = speech(seed, 12.0, channels);
        let source = audio::encode(&pcm, codec).expect("the source encodes");
        let pauses = if paused {
            json!([{"startOffsetMs":4000,"endOffsetMs":7000,"reason":"card_number"}])
        } else {
            json!([])
        };
        self.details.insert(id.into(), json!({"id":id,"interactionId":id[..6].parse::<u64>().expect("a number"),"segmentId":format!("{}-s1", &id[..6]),"startTime":start,"endTime":start + 12_000,
            "durationMs":12000,"codec":"mulaw","contentType":"audio/x-wav","channels":channels,"channelRoles":["agent","customer"],"sampleRate":8000,"sizeBytes":source.len(),"fileName":format!("{id}.wav"),
            "recorderNode":"N1","pauses":pauses,"retentionClass":"7-Year Retention","legalHold":id == "100002-1","mediaUrl":format!("/api/v2/recordings/{id}/media")}));
        let target = if codec == Codec::Mp3 {
            source.clone()
        } else {
            let (_, mut pcm) = audio::decode(&source).expect("the source decodes");
            if paused {
                audio::silence(&mut pcm, 4000, 7000);
            }
            audio::encode(&pcm, Codec::Mp3).expect("the target encodes")
        };
        self.source_media.insert(id.into(), source);
        let target_id = format!("r-{id}");
        let annotations = if paused {
            json!([{"id":"a","type":"pause","reason":"SecurePause","location":4000,"durationMs":3000}])
        } else {
            json!([])
        };
        let seven_years = jiff::Timestamp::from_millisecond(call_end)
            .expect("a time")
            .to_string()
            .replacen("2023", "2030", 1);
        self.recordings.get_mut(conversation).expect("its conversation").push(json!({"id":target_id,"conversationId":conversation,"startTime":time(start),"endTime":time(start + 12_000),
            "media":"audio","mediaSubtype":"Trunk","fileState":"AVAILABLE","deleteDate":seven_years,"creationTime":CREATED,"annotations":annotations}));
        self.target_media.insert(target_id, (target, "audio/mpeg"));
    }
}

/// As the target writes times.
pub fn time(ms: i64) -> String {
    format!(
        "{:.3}",
        jiff::Timestamp::from_millisecond(ms).expect("a time")
    )
}

/// The plan of that world.
pub fn plan(dir: &Path) -> LoadedPlan {
    let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).expect("a file");
    write("secret", "s");
    write(
        "agents.csv",
        &format!(
            "legacy_agent_id,genesys_user_id,genesys_user_name\nAGT-992,{USER},Jo\nAGT-993,{OTHER_USER},Al\n"
        ),
    );
    write(
        "queues.csv",
        &format!("legacy_queue_id,genesys_queue_id\nQ-SUPPORT,{QUEUE}\n"),
    );
    write(
        "skills.csv",
        &format!("legacy_skill,genesys_skill_id\nSK-BILLING,{SKILL}\n"),
    );
    write(
        "wrapups.csv",
        &format!("legacy_code,genesys_wrapup_id\nW-017,{WRAP_UP}\n"),
    );
    write(
        "plan.toml",
        &format!(
            r#"plan_version = 1
[identity]
namespace = "acme"
[source]
kind = "legacy"
base_url = "http://source.test"
client_id = "v"
client_secret = {{ file = "secret" }}
[target]
kind = "genesys_cloud"
base_url = "http://target.test"
client_id = "v"
client_secret = {{ file = "secret" }}
[mapping]
agents = "agents.csv"
queues = "queues.csv"
skills = "skills.csv"
wrapups = "wrapups.csv"
[rules]
unmapped_agent = "fallback:{FALLBACK}"
unmapped_queue = "skip"
[time]
site_zone = "Europe/London"
[pii]
phones = "keep"
pauses = "silence"
[retention.class."7-Year Retention"]
years = 7
[staging]
url = "staging"
[ledger]
url = "ledger.db"
[pace]
requests_per_minute = 60000
"#
        ),
    );
    LoadedPlan::read(&dir.join("plan.toml")).expect("a plan")
}

/// Speech-like sound, another one for each seed and channel.
pub fn speech(seed: u64, seconds: f64, channels: usize) -> Pcm {
    Pcm {
        sample_rate: 8000,
        channels: (0..channels as u64)
            .map(|channel| {
                voice(
                    seed.wrapping_mul(1000).wrapping_add(channel),
                    (seconds * 8000.0) as usize,
                )
            })
            .collect(),
    }
}

fn voice(seed: u64, samples: usize) -> Vec<i16> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut out = Vec::with_capacity(samples);
    while out.len() < samples {
        let length = 500 + (next() % 1500) as usize;
        let loud = if next() % 4 == 0 {
            0.0
        } else {
            800.0 + (next() % 7000) as f64
        };
        let (pitch, formant) = (
            110.0 + (next() % 160) as f64,
            500.0 + (next() % 1800) as f64,
        );
        for at in 0..length {
            let shape = (std::f64::consts::PI * at as f64 / length as f64).sin();
            let t = at as f64 / 8000.0 * std::f64::consts::TAU;
            out.push(
                (loud * shape * (0.5 * (pitch * t).sin() + 0.35 * (formant * t).sin())) as i16,
            );
        }
    }
    out.truncate(samples);
    out
}
