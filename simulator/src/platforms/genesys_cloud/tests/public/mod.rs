//! The public ingestion from outside: a whole conversation as events, its recording as a ZIP, and
//! both read back.

mod audits;
mod contracts;
mod deletion;
mod events;
mod jobs;
mod orphans;
mod policies;
mod searches;
mod splits;
mod tampering;
mod uploads;
mod written;

use std::io::{Cursor, Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest as _, Md5};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

pub(super) use super::*;
use crate::platforms::genesys_cloud::PublicSettings;

pub(super) const EVENTS: &str = "/api/v2/events/conversations";

/// An id of version 4: of a kind of thing, and a number.
pub(super) fn v4(kind: u8, number: u64) -> Uuid {
    Uuid::from_u128(
        (u128::from(kind) << 120) | 0x0000_0000_4000_8000_0000_0000_0000 | u128::from(number),
    )
}

/// The communications of a call: customer, menu, queue, first agent, second agent.
pub(super) fn leg(number: u64, which: u64) -> Uuid {
    v4(0x5e, number * 10 + which)
}

/// Number of an agent's leg in [`leg`].
pub(super) const FIRST_AGENT: u64 = 4;

fn event(number: u64, which: u64, second: u64, fields: Value) -> Value {
    let mut event = json!({
        "eventId": v4(0xe0, number * 100 + which),
        "eventDateTime": format!("2023-07-27T10:{:02}:{:02}.{:03}Z", second / 60, second % 60, number % 1_000),
        "conversationId": conversation_id(number),
    });
    event
        .as_object_mut()
        .expect("an event")
        .extend(fields.as_object().expect("fields").clone());
    event
}

fn established(number: u64, which: u64, second: u64, of: u64, fields: Value) -> Value {
    let mut whole = json!({
        "communicationId": leg(number, of),
        "initialConfiguration": {"alerting": false, "inbound": true, "additionalInfo": {"st.ivr_node": "IVR-12"}},
        "sourceConfiguration": {"sourceId": "legacy", "interactionId": number.to_string(), "tagId": format!("st:acme:{number}")},
    });
    whole
        .as_object_mut()
        .expect("fields")
        .extend(fields.as_object().expect("fields").clone());
    event(number, which, second, whole)
}

/// A whole call in the order of time: customer, menu, queue, an agent with a hold, a transfer to
/// another, wrap-up, ends. Each with its list.
pub(super) fn call_events(number: u64) -> Vec<(&'static str, Value)> {
    let of = |which: u64| json!({"communicationId": leg(number, which)});
    let with = |which: u64, more: Value| {
        let mut fields = of(which);
        fields
            .as_object_mut()
            .expect("fields")
            .extend(more.as_object().expect("fields").clone());
        fields
    };
    let command = v4(0xc0, number);
    vec![
        (
            "externalEstablishedEvents",
            established(
                number,
                1,
                0,
                1,
                json!({"ani": "+15550100199", "dnis": "+18005550123", "aniName": "Ann"}),
            ),
        ),
        (
            "ivrEstablishedEvents",
            established(number, 2, 1, 2, json!({"ivrName": "IVR-12"})),
        ),
        (
            "communicationEndedEvents",
            event(number, 3, 5, with(2, json!({"disconnectType": "Transfer"}))),
        ),
        (
            "routingEstablishedEvents",
            established(
                number,
                4,
                5,
                3,
                json!({"queueId": QUEUE, "skillIds": [SKILL]}),
            ),
        ),
        (
            "userEstablishedEvents",
            established(number, 5, 12, FIRST_AGENT, json!({"userId": JOHN})),
        ),
        (
            "communicationEndedEvents",
            event(
                number,
                6,
                12,
                with(3, json!({"disconnectType": "TransferUser"})),
            ),
        ),
        (
            "audioUpdatedEvents",
            event(
                number,
                7,
                30,
                with(
                    FIRST_AGENT,
                    json!({"audioState": {"canHear": true, "canSpeak": false}}),
                ),
            ),
        ),
        (
            "holdUpdatedEvents",
            event(number, 8, 60, with(FIRST_AGENT, json!({"held": true}))),
        ),
        (
            "holdUpdatedEvents",
            event(number, 9, 80, with(FIRST_AGENT, json!({"held": false}))),
        ),
        (
            "userTransferEvents",
            event(
                number,
                10,
                159,
                json!({
                    "commandId": command, "initiatingCommunicationId": leg(number, FIRST_AGENT), "targetCommunicationId": leg(number, FIRST_AGENT),
                    "objectCommunicationId": leg(number, 1), "destinationUserId": JANE, "transferType": "Unattended",
                }),
            ),
        ),
        (
            "userEstablishedEvents",
            established(number, 11, 160, 5, json!({"userId": JANE})),
        ),
        (
            "progressTransferEvents",
            event(
                number,
                12,
                160,
                json!({"commandId": command, "objectCommunicationId": leg(number, 1), "destinationCommunicationId": leg(number, 5)}),
            ),
        ),
        (
            "endTransferEvents",
            event(
                number,
                13,
                160,
                json!({"commandId": command, "objectCommunicationId": leg(number, 1), "finalState": "Completed"}),
            ),
        ),
        (
            "communicationEndedEvents",
            event(
                number,
                14,
                160,
                with(FIRST_AGENT, json!({"disconnectType": "TransferUser"})),
            ),
        ),
        (
            "communicationDispositionAppliedEvents",
            event(
                number,
                15,
                300,
                with(
                    5,
                    json!({"code": WRAPUP, "notes": "RESOLVED", "tags": ["vip"]}),
                ),
            ),
        ),
        (
            "communicationEndedEvents",
            event(number, 16, 300, with(5, json!({"disconnectType": "Peer"}))),
        ),
        (
            "communicationEndedEvents",
            event(number, 17, 300, with(1, json!({"disconnectType": "Self"}))),
        ),
    ]
}

/// A batch of events.
pub(super) fn batch(events: &[(&str, Value)]) -> Value {
    let mut batch = json!({});
    for (list, event) in events {
        if batch[list].is_null() {
            batch[list] = json!([]);
        }
        batch[list]
            .as_array_mut()
            .expect("a list")
            .push(event.clone());
    }
    batch
}

/// `metadata.json` of a call's recording, on its first agent's leg.
pub(super) fn metadata(number: u64) -> Value {
    json!({
        "version": 1, "conversationId": conversation_id(number), "communicationId": leg(number, FIRST_AGENT), "recordingId": recording_id(number),
        "originatingRecordingId": format!("{number}-1"), "startTime": "2023-07-27T10:00:12.123Z", "endTime": "2023-07-27T10:02:40.456Z",
        "fileName": "audio.mp3", "mediaType": "audio/mpeg", "deleteDate": "2030-07-27T10:05:00.456Z",
        "annotations": [{"type": "pause", "reason": "SecurePause", "location": 2_000, "durationMs": 1_000}],
    })
}

/// A ZIP of entries.
pub(super) fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        writer.start_file(*name, options).expect("an entry");
        writer.write_all(bytes).expect("room");
    }
    writer.finish().expect("a ZIP").into_inner()
}

/// The ZIP of a recording.
pub(super) fn package(metadata: &Value, audio: &[u8]) -> Vec<u8> {
    zipped(&[
        ("metadata.json", metadata.to_string().as_bytes()),
        ("audio.mp3", audio),
    ])
}

pub(super) fn name_of(number: u64) -> String {
    format!("st-acme-{number}-1.0123456789ab.zip")
}

/// Settings of the public ingestion, and no limit of requests.
pub(super) fn unlimited(public: PublicSettings) -> Settings {
    Settings {
        requests_per_minute: 0,
        uploads_per_second: 0,
        public,
        ..Settings::default()
    }
}

impl World {
    pub(super) async fn public(public: PublicSettings) -> World {
        World::with(unlimited(public)).await
    }

    /// Sends events as one batch; its errors.
    pub(super) async fn inject(&self, events: &[(&str, Value)]) -> Vec<Value> {
        let answer = self.post(EVENTS, &batch(events)).await;
        assert_eq!(
            answer.status,
            200,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        answer.json()["errors"].as_array().expect("errors").clone()
    }

    /// A whole call, injected.
    pub(super) async fn injected(&self, number: u64) {
        assert_eq!(self.inject(&call_events(number)).await, Vec::<Value>::new());
    }

    pub(super) async fn announce(&self, name: &str, bytes: &[u8]) -> Value {
        let md5 = STANDARD.encode(Md5::digest(bytes));
        let asked = json!({"fileName": name, "contentMd5": md5, "contentType": "application/zip", "serverSideEncryption": "AES256"});
        let answer = self.post("/api/v2/uploads/recordings", &asked).await;
        assert_eq!(
            answer.status,
            200,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        answer.json()
    }

    /// The PUT that an announcement asks for, with those of its headers that `keep` keeps.
    pub(super) async fn put(
        &self,
        announced: &Value,
        bytes: &[u8],
        keep: impl Fn(&str) -> bool,
    ) -> Answer {
        let path = announced["url"]
            .as_str()
            .and_then(|url| url.strip_prefix("http://127.0.0.1:40003"))
            .expect("our own host")
            .to_owned();
        let mut request = Request::put(path);
        for (name, value) in announced["headers"]
            .as_object()
            .expect("headers")
            .iter()
            .filter(|(name, _)| keep(name))
        {
            request = request.header(name, value.as_str().expect("text"));
        }
        self.send(request.body(Body::from(bytes.to_vec())).expect("a request"))
            .await
    }

    /// Announces and puts a ZIP.
    pub(super) async fn upload_zip(&self, name: &str, bytes: &[u8]) -> Answer {
        let announced = self.announce(name, bytes).await;
        self.put(&announced, bytes, |_| true).await
    }

    /// The recording of a call, uploaded.
    pub(super) async fn recorded(&self, number: u64) {
        let answer = self
            .upload_zip(
                &name_of(number),
                &package(&metadata(number), &number.to_be_bytes()),
            )
            .await;
        assert_eq!(
            answer.status,
            200,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
    }

    /// Rows of an upload report, without its heading, each cell by cell.
    pub(super) async fn report(&self, only: Option<&str>) -> Vec<Vec<String>> {
        let mut asked = json!({"dateSince": "2000-01-01T00:00:00.000Z"});
        if let Some(only) = only {
            asked["uploadStatus"] = json!(only);
        }
        let created = self.post("/api/v2/recording/uploads/reports", &asked).await;
        assert_eq!(
            created.status,
            202,
            "{}",
            String::from_utf8_lossy(&created.body)
        );
        let shown = self
            .get(&format!(
                "/api/v2/recording/uploads/reports/{}",
                id_of(&created.json())
            ))
            .await
            .json();
        let url = shown["signedUrl"]
            .as_str()
            .unwrap_or_else(|| panic!("{shown}"));
        let path = url
            .strip_prefix("http://127.0.0.1:40003")
            .expect("our own host");
        let file = self
            .send(Request::get(path).body(Body::empty()).expect("a request"))
            .await;
        assert_eq!(
            (file.status.as_u16(), file.header("content-type")),
            (200, "text/csv")
        );
        let mut reader = csv::Reader::from_reader(file.body.as_slice());
        reader
            .records()
            .map(|row| row.expect("a row").iter().map(str::to_owned).collect())
            .collect()
    }

    /// Status and message of every upload in the report, sorted.
    pub(super) async fn statuses(&self) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = self
            .report(None)
            .await
            .into_iter()
            .map(|row| (row[4].clone(), row[7].clone()))
            .collect();
        all.sort();
        all
    }

    pub(super) async fn recordings(&self, number: u64) -> Value {
        self.get(&format!(
            "/api/v2/conversations/{}/recordings?formatId=NONE",
            conversation_id(number)
        ))
        .await
        .json()
    }

    /// The truth of the calls, line by line.
    pub(super) fn lines(&self) -> Vec<Value> {
        self.truth()
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line"))
            .collect()
    }
}
