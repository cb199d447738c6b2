//! Calls as a migration leaves them (`docs/reference/gir.md`): in the store, in RWS with labels, in
//! SpeechMiner.

use audio::{Codec, Pcm};

use super::*;

/// Where the store is reached.
const STORE: &str = "http://127.0.0.1:40006/recordings";

/// Beginning of every call, and its length in milliseconds.
pub(super) const START: &str = "2024-07-09T10:00:00.250+0000";
pub(super) const STOP: &str = "2024-07-09T10:00:06.250+0000";

/// Six seconds of two people, each on a channel of their own: tones that no other call has, and a
/// pause in the second second.
pub(super) fn sound(number: u64) -> Pcm {
    let tone = |pitch: f64| {
        (0..48_000).map(move |at| {
            ((f64::from(at) / 8_000.0 * pitch * std::f64::consts::TAU).sin() * 9_000.0) as i16
        })
    };
    let channels = [
        tone(200.0 + 10.0 * number as f64).collect(),
        tone(500.0 + 10.0 * number as f64).collect(),
    ];
    let mut pcm = Pcm {
        sample_rate: 8_000,
        channels: channels.to_vec(),
    };
    audio::silence(&mut pcm, 1_000, 2_000);
    pcm
}

/// The document of call `number`, whose one recording has these bytes.
pub(super) fn document(number: u64, bytes: &[u8]) -> Value {
    use sha2::Digest as _;
    let sha256 = hex::encode(sha2::Sha256::digest(bytes));
    let (id, media_id) = (format!("st-acme-{number}"), format!("st-acme-{number}-1"));
    let uuid = "0F1E2D3C-4B5A-5978-8796-A5B4C3D2E1F0";
    let event = |at: &str, name: &str, contact: Value| json!({"occurredAt": at, "event": name, "calluuid": uuid, "contact": contact});
    let agent = json!({"type": "User", "phoneNumber": "L4711", "userName": "alice.smith@example.com", "firstName": "Alice", "lastName": "Smith"});
    let second = json!({"type": "User", "phoneNumber": "L4712", "userName": "bob.stone@example.com", "firstName": "Bob", "lastName": "Stone"});
    let customer = json!({"type": "External", "phoneNumber": format!("+4420755500{number:02}")});
    let (middle, pause, resume) = (
        "2024-07-09T10:00:03.250+0000",
        "2024-07-09T10:00:01.250+0000",
        "2024-07-09T10:00:02.250+0000",
    );
    json!({
        "id": id, "callerPhoneNumber": format!("+4420755500{number:02}"), "dialedPhoneNumber": "+442071234567", "region": "Can-West",
        "callType": if number.is_multiple_of(2) { "Inbound" } else { "Outbound" },
        "mediaFiles": [{
            "callUUID": uuid, "startTime": START, "stopTime": STOP, "mediaId": media_id, "type": "audio/wav",
            "duration": "6000", "size": bytes.len().to_string(),
            "parameters": {"callUuid": uuid, "id": media_id, "ani": format!("+4420755500{number:02}"), "dnis": "+442071234567",
                "username": "alice.smith@example.com", "agentId": "L4711"},
            "masks": [{"time": pause, "type": "paused"}, {"time": resume, "type": "resume"}],
            "partitions": ["/support"], "accessgroups": ["/Support/Day"],
            "mediaDescriptor": {"storage": "webDAV", "path": format!("{STORE}/st-acme/2024-07-09/{media_id}.{}.wav", &sha256[..12])},
        }],
        "eventHistory": [
            event(START, "Joined", customer.clone()), event(START, "Joined", agent.clone()), event(middle, "Left", agent),
            event(middle, "Joined", second.clone()), event(STOP, "Left", second), event(STOP, "Left", customer),
            {"occurredAt": START, "event": "Data", "calluuid": uuid, "eventId": format!("{id}-meta"), "data": {"added": {
                "st.queue": "7b0d1f5e-0000-4000-8000-000000000001", "st.skill": "7b0d1f5e-0000-4000-8000-000000000002",
                "st.wrap_up": "7b0d1f5e-0000-4000-8000-000000000003", "st.wait_ms": "1200", "st.skill_group": "Mortgages north"}}},
        ],
    })
}

/// A second recording of the call, by its second agent.
fn add_second(document: &mut Value, bytes: &[u8]) {
    use sha2::Digest as _;
    let sha256 = hex::encode(sha2::Sha256::digest(bytes));
    let mut file = document["mediaFiles"][0].clone();
    let media_id = format!("{}-2", document["id"].as_str().expect("an id"));
    file["mediaDescriptor"]["path"] = json!(format!(
        "{STORE}/st-acme/2024-07-09/{media_id}.{}.wav",
        &sha256[..12]
    ));
    file["parameters"]["username"] = json!("bob.stone@example.com");
    file["parameters"]["id"] = json!(media_id);
    file["mediaId"] = json!(media_id);
    document["mediaFiles"]
        .as_array_mut()
        .expect("files")
        .push(file);
}

impl World {
    /// Puts calls where a migration puts them, each under the label of a class and every third
    /// held.
    pub(super) async fn migrate(&self, numbers: std::ops::Range<u64>, class: &str) {
        let dav = async |method: &str, path: &str, body: &[u8]| {
            let basic = self.basic_of(1);
            World::send_to(
                &self.routers.webdav,
                method,
                path,
                &[("authorization", basic.as_str())],
                Some(body),
            )
            .await
            .status
        };
        dav("MKCOL", "/recordings/st-acme", b"").await;
        dav("MKCOL", "/recordings/st-acme/2024-07-09", b"").await;
        let label = format!("st-ret-{class}");
        self.ask(
            "POST",
            "/api/v2/recording-label-definitions",
            &json!({"name": label}),
        )
        .await;
        for number in numbers {
            let bytes = audio::encode(&sound(number), Codec::PcmS16).expect("sound");
            let mut document = document(number, &bytes);
            let mut files = vec![bytes];
            if number.is_multiple_of(5) {
                files.push(audio::encode(&sound(number + 100), Codec::PcmS16).expect("sound"));
                add_second(&mut document, &files[1]);
            }
            for (file, bytes) in document["mediaFiles"]
                .as_array()
                .expect("files")
                .iter()
                .zip(&files)
            {
                let path = file["mediaDescriptor"]["path"]
                    .as_str()
                    .and_then(|path| path.strip_prefix("http://127.0.0.1:40006"));
                assert_eq!(dav("PUT", path.expect("a path"), bytes).await, 201);
            }
            assert_eq!(self.insert(&document).await.status, 200);
            let id = document["id"].as_str().expect("an id");
            let labelled = self
                .ask(
                    "POST",
                    &format!("/api/v2/recordings/{id}/labels"),
                    &json!({"labels": [{"name": label}]}),
                )
                .await;
            assert_eq!(labelled.status, 200);
            if number.is_multiple_of(3) {
                self.ask(
                    "POST",
                    &format!("/api/v2/recordings/{id}"),
                    &json!({"operationName": "applyNonDelete"}),
                )
                .await;
            }
            let basic = self.basic_of(2);
            let headers = [
                ("authorization", basic.as_str()),
                ("content-type", "application/json"),
            ];
            let posted = document.to_string();
            World::send_to(
                &self.routers.speechminer,
                "POST",
                "/interactionreceiver",
                &headers,
                Some(posted.as_bytes()),
            )
            .await;
        }
    }
}

#[tokio::test]
async fn the_truth_tells_a_call_and_the_sound_in_its_file() {
    let world = World::new().await;
    world.migrate(2..3, "5-Year Retention").await;
    let line = world.truth().remove(0);
    let pcm = sound(2);
    let recording = &line["recordings"][0];
    assert_eq!(
        (&line["legacy_interaction_id"], &line["target_id"]),
        (&json!("2"), &json!("st-acme-2"))
    );
    assert_eq!(
        (&line["start"], &line["end"]),
        (
            &json!("2024-07-09T10:00:00.250Z"),
            &json!("2024-07-09T10:00:06.250Z")
        )
    );
    assert_eq!(
        (&line["queue"], &line["wrap_up"]),
        (
            &json!("7b0d1f5e-0000-4000-8000-000000000001"),
            &json!("7b0d1f5e-0000-4000-8000-000000000003")
        )
    );
    let people = [
        ("customer", "+442075550002"),
        ("agent", "alice.smith@example.com"),
        ("agent", "bob.stone@example.com"),
    ];
    assert_eq!(
        line["participants"],
        Value::from(
            people
                .map(|(role, id)| json!({"role": role, "id": id}))
                .to_vec()
        )
    );
    let attributes = json!({"label.st-ret-5-Year Retention": "true", "sim.speechminer_posts": "1", "st.wait_ms": "1200",
        "st.skill_group": "Mortgages north"});
    assert_eq!(line["attributes"], attributes);
    assert_eq!(
        (&recording["legacy_recording_id"], &recording["codec"]),
        (&json!("2-1"), &json!(Codec::PcmS16.to_string()))
    );
    assert_eq!(
        (
            &recording["samples"],
            &recording["channels"],
            &recording["sample_rate"]
        ),
        (&json!(48_000), &json!(2), &json!(8_000))
    );
    assert_eq!(recording["pcm_sha256"], pcm.sha256());
    assert_eq!(
        recording["bytes"],
        audio::encode(&pcm, Codec::PcmS16).expect("sound").len()
    );
}
