//! Recordings go when their dates come, whoever gave them the dates, and everything that shows them
//! follows.

use super::*;

const DAY_MS: u64 = 86_400_000;

/// A time so many days from now, as the platform writes one.
fn in_days(world: &World, days: i64) -> String {
    crate::platforms::genesys_cloud::times::text(world.core.clock.now_ms() + days * DAY_MS as i64)
}

impl World {
    /// A call with its recording, which has sound.
    async fn heard(&self, number: u64, delete_date: Option<&str>) {
        self.injected(number).await;
        let sound = audio::encode(&sound(number, 1), Codec::Mp3).expect("audio");
        let mut metadata = metadata(number);
        match delete_date {
            Some(date) => metadata["deleteDate"] = json!(date),
            None => drop(
                metadata
                    .as_object_mut()
                    .expect("fields")
                    .remove("deleteDate"),
            ),
        }
        assert_eq!(
            self.upload_zip(&name_of(number), &package(&metadata, &sound))
                .await
                .status,
            200
        );
    }

    fn days_pass(&self, days: u64) {
        self.core
            .clock
            .advance_ms(days * DAY_MS)
            .expect("on the calendar");
    }

    async fn file_state(&self, number: u64) -> String {
        self.recordings(number).await[0]["fileState"]
            .as_str()
            .expect("a state")
            .to_owned()
    }

    async fn set_date(&self, number: u64, date: &str) -> Answer {
        let path = format!(
            "/api/v2/conversations/{}/recordings/{}",
            conversation_id(number),
            recording_id(number)
        );
        self.json("PUT", &path, &json!({"deleteDate": date})).await
    }

    async fn protect(&self, number: u64, protect: bool) {
        let path = format!("/api/v2/recordings/deletionprotection?protect={protect}");
        assert_eq!(
            self.json(
                "PUT",
                &path,
                &json!({"conversationIds": [conversation_id(number)]})
            )
            .await
            .status,
            204
        );
    }

    async fn policy(&self, cross: &str, actions: Value) {
        let policy = json!({"name": "P", "order": 1, "enabled": true, "mediaPolicies": {"callPolicy": {"actions": actions}}});
        let path = format!("/api/v2/recording/{cross}mediaretentionpolicies");
        assert_eq!(self.post(&path, &policy).await.status, 200);
    }
}

#[tokio::test]
async fn a_recording_goes_at_its_date_and_everything_that_shows_it_follows() {
    let mut world = World::public(PublicSettings::default()).await;
    world.heard(1, Some(&in_days(&world, 10))).await;
    world.heard(2, Some(&in_days(&world, 1_000))).await;
    let listing = format!(
        "/api/v2/conversations/{}/recordings?formatId=WAV",
        conversation_id(1)
    );
    let before = world.get(&listing).await.json();
    let media = before[0]["mediaUris"]["0"]["mediaUri"]
        .as_str()
        .expect("an address")
        .replace("http://127.0.0.1:40003", "");
    let fetched = |path: String| Request::get(path).body(Body::empty()).expect("a request");
    assert_eq!(
        (
            before[0]["fileState"].as_str(),
            world.send(fetched(media.clone())).await.status.as_u16()
        ),
        (Some("AVAILABLE"), 200)
    );

    world.days_pass(9);
    assert_eq!(world.file_state_with_new_token(1).await, "AVAILABLE");
    world
        .core
        .clock
        .advance_ms(DAY_MS - 1_800_000)
        .expect("on the calendar");
    world.token = world.sign_in().await;
    let address = world.get(&listing).await.json()[0]["mediaUris"]["0"]["mediaUri"]
        .as_str()
        .expect("an address")
        .to_owned();
    world
        .core
        .clock
        .advance_ms(1_800_000)
        .expect("on the calendar");
    let gone = world
        .send(fetched(address.replace("http://127.0.0.1:40003", "")))
        .await;
    assert_eq!(gone.status, 404, "an address that still lives");
    assert!(String::from_utf8_lossy(&gone.body).contains("<Code>NoSuchKey</Code>"));

    let after = world.get(&listing).await.json();
    assert_eq!(
        (
            after[0]["fileState"].as_str(),
            &after[0]["mediaUris"],
            &after[0]["startTime"]
        ),
        (Some("DELETED"), &Value::Null, &Value::Null)
    );
    let metadata = world
        .get(&format!(
            "/api/v2/conversations/{}/recordingmetadata",
            conversation_id(1)
        ))
        .await
        .json();
    assert_eq!(metadata[0]["fileState"], "DELETED");
    let kept = world
        .get("/api/v2/recordings/retention/query?retentionThresholdDays=0")
        .await
        .json();
    let kept: Vec<&Value> = kept["entities"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["recordingId"])
        .collect();
    assert_eq!(kept, [&json!(recording_id(2))]);
    let asked = json!({"batchDownloadRequestList": [{"conversationId": conversation_id(1)}, {"conversationId": conversation_id(2)}]});
    let batch = id_of(
        &world
            .post("/api/v2/recording/batchrequests", &asked)
            .await
            .json(),
    );
    let batch = world
        .get(&format!("/api/v2/recording/batchrequests/{batch}"))
        .await
        .json();
    assert_eq!(
        (
            &batch["errorCount"],
            batch["results"][0]["errorMsg"].as_str()
        ),
        (&json!(1), Some("the media is not available (DELETED)"))
    );
    let refused = world.set_date(1, &in_days(&world, 100)).await;
    assert_eq!(
        (refused.status.as_u16(), &*refused.code()),
        (400, "recording.not.archivable")
    );
    let lines = world.lines();
    assert_eq!(
        (
            &lines[0]["recordings"][0]["sha256"],
            lines[1]["recordings"][0]["sha256"].is_string()
        ),
        (&Value::Null, true)
    );
    assert_eq!(
        world
            .core
            .journal
            .effects()
            .matches("genesys_cloud.delete_recording")
            .count(),
        1
    );
}

impl World {
    async fn file_state_with_new_token(&mut self, number: u64) -> String {
        self.token = self.sign_in().await;
        self.file_state(number).await
    }
}

#[tokio::test]
async fn a_date_that_has_passed_already_deletes_at_once_and_a_removed_one_never() {
    let mut world = World::public(PublicSettings::default()).await;
    world.heard(1, Some("2031-01-01T00:00:00.000Z")).await;
    assert_eq!(
        world.set_date(1, "2020-01-01T00:00:00.000Z").await.status,
        200
    );
    assert_eq!(world.file_state(1).await, "DELETED");
    world.heard(2, Some(&in_days(&world, 5))).await;
    let path = format!(
        "/api/v2/conversations/{}/recordings/{}",
        conversation_id(2),
        recording_id(2)
    );
    assert_eq!(world.json("PUT", &path, &json!({})).await.status, 200);
    world.days_pass(10);
    assert_eq!(world.file_state_with_new_token(2).await, "AVAILABLE");
}

#[tokio::test]
async fn a_protected_recording_waits_until_the_protection_is_lifted() {
    let mut world = World::public(PublicSettings::default()).await;
    world.heard(1, Some(&in_days(&world, 5))).await;
    world.protect(1, true).await;
    world.days_pass(10);
    assert_eq!(world.file_state_with_new_token(1).await, "AVAILABLE");
    world.protect(1, false).await;
    assert_eq!(world.file_state(1).await, "DELETED");
}

#[tokio::test]
async fn policies_of_both_families_delete_what_is_theirs_at_once_or_after_their_days() {
    for (cross, of_policy, other) in [("crossplatform/", 1, 2), ("", 2, 1)] {
        let mut world = World::public(PublicSettings::default()).await;
        world.policy(cross, json!({"alwaysDelete": true})).await;
        let give = async |number: u64| match number {
            1 => world.heard(1, None).await,
            _ => {
                let file = world.any_file("st-acme-2-1.0123456789ab.mp3").await;
                let mut body = interaction(2, file);
                body["segments"][0]["recording"]
                    .as_object_mut()
                    .expect("fields")
                    .remove("retention");
                body["deletionProtection"] = json!(false);
                assert_eq!(world.post("/api/v2/interactions", &body).await.status, 201);
            }
        };
        give(1).await;
        give(2).await;
        assert_eq!(
            (
                &*world.file_state(of_policy).await,
                &*world.file_state(other).await
            ),
            ("DELETED", "AVAILABLE"),
            "{cross}"
        );
        world.policy_days(cross).await;
        world.heard(3, None).await;
        world.days_pass(8);
        let state = world.file_state_with_new_token(3).await;
        assert_eq!(
            state,
            if cross.is_empty() {
                "AVAILABLE"
            } else {
                "DELETED"
            },
            "{cross}"
        );
    }
}

impl World {
    /// Instead of what there is: a policy that deletes after a week.
    async fn policy_days(&self, cross: &str) {
        let path = format!("/api/v2/recording/{cross}mediaretentionpolicies");
        let made = self.get(&path).await.json()["entities"][0]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        assert_eq!(
            self.json("DELETE", &format!("{path}/{made}"), &json!({}))
                .await
                .status,
            200
        );
        self.policy(
            cross,
            json!({"retainRecording": true, "retentionDuration": {"deleteRetention": {"days": 7}}}),
        )
        .await;
    }
}

#[tokio::test]
async fn a_recording_job_that_deletes_in_the_past_leaves_nothing_but_what_is_protected() {
    let world = World::public(PublicSettings::default()).await;
    world.heard(1, None).await;
    world.heard(2, None).await;
    world.protect(2, true).await;
    let interval = "2023-07-01T00:00:00+00:00/2023-08-01T02:00:00+02:00";
    let query = json!({"action": "DELETE", "actionDate": "2020-01-01T00:00:00+00:00", "conversationQuery": {"interval": interval}});
    let created = world.post("/api/v2/recording/jobs", &query).await;
    assert_eq!(
        created.status,
        202,
        "{}",
        String::from_utf8_lossy(&created.body)
    );
    let path = format!("/api/v2/recording/jobs/{}", id_of(&created.json()));
    assert_eq!(
        world
            .json("PUT", &path, &json!({"state": "PROCESSING"}))
            .await
            .status,
        200
    );
    let done = world.get(&path).await.json();
    assert_eq!(
        (
            &done["totalProcessedRecordings"],
            &done["totalSkippedRecordings"]
        ),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        (&*world.file_state(1).await, &*world.file_state(2).await),
        ("DELETED", "AVAILABLE")
    );
}

#[tokio::test]
async fn dates_with_an_offset_are_taken_wherever_the_public_api_has_one_and_naive_ones_nowhere() {
    let world = World::public(PublicSettings::default()).await;
    world.heard(1, Some("2031-01-01T01:00:00+01:00")).await;
    let path = format!(
        "/api/v2/conversations/{}/recordings/{}",
        conversation_id(1),
        recording_id(1)
    );
    let mut read = world.get(&format!("{path}?formatId=NONE")).await.json();
    assert_eq!(read["deleteDate"], "2031-01-01T00:00:00.000Z");
    assert_eq!(
        world.json("PUT", &path, &read).await.status,
        200,
        "sent back as it was read"
    );
    for (date, status) in [
        ("2032-01-01T01:00:00+01:00", 200),
        ("2032-01-01T00:00:00.000000+00:00", 200),
        ("2032-01-01T00:00:00", 400),
    ] {
        read["deleteDate"] = json!(date);
        let answer = world.json("PUT", &path, &read).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.code()),
            (status, if status == 400 { "invalid.date" } else { "" }),
            "{date}"
        );
    }
    assert_eq!(
        world.recordings(1).await[0]["deleteDate"],
        "2032-01-01T00:00:00.000Z"
    );
    let interval = |from: &str, to: &str| json!({"interval": format!("{from}/{to}")});
    for (path, offset, naive) in [
        (
            "/api/v2/recording/uploads/reports",
            json!({"dateSince": "2020-01-01T00:00:00+00:00"}),
            json!({"dateSince": "2020-01-01T00:00:00"}),
        ),
        (
            "/api/v2/analytics/conversations/details/query",
            interval("2023-07-27T00:00:00+02:00", "2023-07-28T00:00:00+02:00"),
            interval("2023-07-27T00:00:00", "2023-07-28T00:00:00"),
        ),
        (
            "/api/v2/analytics/conversations/details/jobs",
            interval("2023-07-27T00:00:00+02:00", "2023-07-28T00:00:00Z"),
            interval("2023-07-27", "2023-07-28"),
        ),
        (
            "/api/v2/audits/query",
            interval("2023-07-27T00:00:00+02:00", "2023-07-28T00:00:00+02:00"),
            interval("2023-07-27T00:00:00", "2023-07-28T00:00:00"),
        ),
        (
            "/api/v2/conversations/participants/attributes/search",
            json!({"query": [{"type": "DATE_RANGE", "fields": ["startTime"], "startValue": "2023-07-27T10:00:00+00:00", "endValue": "2023-07-27T12:00:00+01:00"}]}),
            json!({"query": [{"type": "DATE_RANGE", "fields": ["startTime"], "startValue": "2023-07-27T10:00:00", "endValue": "2023-07-27T12:00:00"}]}),
        ),
    ] {
        let taken = world.post(path, &offset).await;
        assert!(
            taken.status.is_success(),
            "{path}: {}",
            String::from_utf8_lossy(&taken.body)
        );
        let refused = world.post(path, &naive).await;
        assert_eq!(
            (refused.status.as_u16(), &*refused.code()),
            (400, "invalid.date"),
            "{path}"
        );
    }
    let mut late = call_events(2);
    late[0].1["eventDateTime"] = json!("2023-07-27T12:00:00.002+02:00");
    assert_eq!(world.inject(&late).await, Vec::<Value>::new());
    assert_eq!(
        world
            .get(&format!("/api/v2/conversations/{}", conversation_id(2)))
            .await
            .json()["startTime"],
        "2023-07-27T10:00:00.002Z"
    );
}
