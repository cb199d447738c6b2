//! What a client does not see, or sees otherwise: sensitive recordings, other divisions, the
//! archive.

use super::{super::AccessSettings, *};

const VIEW_SENSITIVE: &str = "recording:recording:viewSensitiveData";
const EVERY_DAY: &str = "2023-07-27T00:00:00.000Z/2023-07-28T00:00:00.000Z";

fn hiding(access: AccessSettings, missing: &[&str]) -> Settings {
    let missing_scopes = missing.iter().map(|scope| (*scope).to_owned()).collect();
    Settings {
        requests_per_minute: 0,
        uploads_per_second: 0,
        missing_scopes,
        access,
        ..Settings::default()
    }
}

fn sensitive(share: f64, missing: &[&str]) -> Settings {
    hiding(
        AccessSettings {
            sensitive_share: share,
            ..AccessSettings::default()
        },
        missing,
    )
}

fn archived(share: f64, missing: &[&str]) -> Settings {
    hiding(
        AccessSettings {
            archived_share: share,
            restore_ms: 1_000,
            ..AccessSettings::default()
        },
        missing,
    )
}

impl World {
    /// A batch download of whole conversations, completed.
    async fn batch_of(&self, numbers: impl Iterator<Item = u64>) -> Value {
        let list: Vec<Value> = numbers
            .map(|number| json!({"conversationId": conversation_id(number)}))
            .collect();
        let id = id_of(
            &self
                .post(
                    "/api/v2/recording/batchrequests",
                    &json!({"batchDownloadRequestList": list}),
                )
                .await
                .json(),
        );
        self.get(&format!("/api/v2/recording/batchrequests/{id}"))
            .await
            .json()
    }

    /// A call's only recording, as a playback in a format shows it.
    async fn recording(&self, number: u64, format: &str) -> Value {
        let path = format!(
            "/api/v2/conversations/{}/recordings?formatId={format}",
            conversation_id(number)
        );
        self.get(&path).await.json()[0].clone()
    }

    async fn play(&self, number: u64, format: &str) -> (u16, Vec<u8>) {
        let uri = self.recording(number, format).await["mediaUris"]["0"]["mediaUri"].clone();
        let path = uri
            .as_str()
            .and_then(|uri| uri.strip_prefix("http://127.0.0.1:40003"))
            .expect("an address of ours");
        let answer = self
            .send(Request::get(path).body(Body::empty()).expect("a request"))
            .await;
        (answer.status.as_u16(), answer.body)
    }

    async fn retained(&self) -> Vec<Value> {
        let page = self
            .get("/api/v2/recordings/retention/query?retentionThresholdDays=0&pageSize=500")
            .await
            .json();
        page["entities"].as_array().expect("a list").clone()
    }
}

#[tokio::test]
async fn a_batch_leaves_sensitive_recordings_out_for_a_client_that_may_not_have_them() {
    let world = World::with(sensitive(0.5, &[VIEW_SENSITIVE])).await;
    let mut heard = Vec::new();
    for number in 1..=20 {
        world.call(number).await;
        let uri = world.recording(number, "WEBM").await["mediaUris"]["0"]["mediaUri"].to_string();
        if !uri.contains("/redacted/") {
            heard.push(json!(conversation_id(number)));
        }
    }
    assert!((3..=17).contains(&heard.len()), "{heard:?}");
    let batch = world.batch_of(1..=20).await;
    let given: Vec<Value> = batch["results"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["conversationId"].clone())
        .collect();
    assert_eq!(given, heard);
    assert_eq!(
        (&batch["expectedResultCount"], &batch["errorCount"]),
        (&json!(heard.len()), &json!(0))
    );
    assert_eq!(world.retained().await.len(), 20);
    for number in 1..=20 {
        let metadata = world
            .get(&format!(
                "/api/v2/conversations/{}/recordingmetadata",
                conversation_id(number)
            ))
            .await
            .json();
        assert_eq!(metadata.as_array().map(Vec::len), Some(1));
    }
}

#[tokio::test]
async fn with_the_permission_a_sensitive_recording_is_as_any_other() {
    let world = World::with(sensitive(1.0, &[])).await;
    world.populate(2).await;
    let batch = world.batch_of(1..=2).await;
    assert_eq!(
        (&batch["expectedResultCount"], &batch["errorCount"]),
        (&json!(2), &json!(0))
    );
    let plain = World::with(sensitive(0.0, &[VIEW_SENSITIVE])).await;
    plain.populate(2).await;
    assert_eq!(world.play(1, "WAV").await, plain.play(1, "WAV").await);
}

#[tokio::test]
async fn redacted_audio_is_silence_of_the_same_length() {
    let world = World::with(sensitive(1.0, &[VIEW_SENSITIVE])).await;
    let open = World::with(sensitive(1.0, &[])).await;
    for one in [&world, &open] {
        one.populate(3).await;
    }
    for format in ["WAV", "MP3", "OGG_VORBIS"] {
        for number in 1..=3 {
            let (status, redacted) = world.play(number, format).await;
            assert_eq!(status, 200);
            let (_, pcm) = audio::decode(&redacted).expect("audio");
            let (_, whole) = audio::decode(&open.play(number, "WAV").await.1).expect("audio");
            assert_eq!(
                (pcm.channels.len(), pcm.samples()),
                (whole.channels.len(), whole.samples()),
                "{format}"
            );
            assert!(
                pcm.channels
                    .iter()
                    .flatten()
                    .all(|sample| sample.unsigned_abs() < 4),
                "{format}"
            );
            assert!(
                whole
                    .channels
                    .iter()
                    .flatten()
                    .any(|sample| sample.unsigned_abs() > 1_000)
            );
        }
    }
}

#[tokio::test]
async fn a_recording_job_includes_sensitive_recordings_only_when_told_to() {
    let world = World::with(sensitive(0.5, &[])).await;
    for number in 1..=12 {
        world.call(number).await;
    }
    let mut totals = Vec::new();
    for include in [false, true] {
        let query = json!({"action": "ARCHIVE", "actionDate": "2031-01-01T00:00:00.000Z", "conversationQuery": {"interval": EVERY_DAY},
            "includeRecordingsWithSensitiveData": include});
        let id = id_of(&world.post("/api/v2/recording/jobs", &query).await.json());
        let job = world
            .get(&format!("/api/v2/recording/jobs/{id}"))
            .await
            .json();
        assert_eq!(job["totalConversations"], 12);
        totals.push(job["totalRecordings"].as_u64().expect("a number"));
    }
    assert!(
        0 < totals[0] && totals[0] < totals[1] && totals[1] == 12,
        "{totals:?}"
    );
}

fn divided(client_divisions: &[String]) -> Settings {
    let divisions = ["Home", "North", "South", "West"]
        .map(str::to_owned)
        .to_vec();
    hiding(
        AccessSettings {
            divisions,
            client_divisions: client_divisions.to_vec(),
            ..AccessSettings::default()
        },
        &[],
    )
}

/// Two queues of different divisions, each with its division's id and name.
async fn two_queues(world: &World) -> [(Uuid, Value, String); 2] {
    let page = world.get("/api/v2/routing/queues").await.json();
    let of = |queue: &Value| {
        let name = queue["division"]["name"]
            .as_str()
            .expect("a name")
            .to_owned();
        (id_of(queue), queue["division"]["id"].clone(), name)
    };
    let queues: Vec<_> = page["entities"]
        .as_array()
        .expect("a list")
        .iter()
        .map(of)
        .collect();
    let other = queues
        .iter()
        .find(|queue| queue.1 != queues[0].1)
        .expect("the seed spreads the queues");
    [queues[0].clone(), other.clone()]
}

impl World {
    async fn call_of(&self, number: u64, queue: Option<Uuid>) {
        let file = self
            .any_file(&format!("st-acme-{number}-1.0123456789ab.mp3"))
            .await;
        let mut body = interaction(number, file);
        body["deletionProtection"] = json!(true);
        body["routing"] = queue.map_or_else(|| json!({}), |queue| json!({"queue": {"id": queue}}));
        assert_eq!(self.post("/api/v2/interactions", &body).await.status, 201);
    }

    /// Ids of the conversations a details query and a details job answer.
    async fn analysed(&self, filters: Value) -> [Vec<Value>; 2] {
        let asked = json!({"interval": EVERY_DAY, "conversationFilters": filters});
        let ids = |body: Value| -> Vec<Value> {
            body["conversations"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|one| one["conversationId"].clone())
                .collect()
        };
        let found = ids(self
            .post("/api/v2/analytics/conversations/details/query", &asked)
            .await
            .json());
        let job = self
            .post("/api/v2/analytics/conversations/details/jobs", &asked)
            .await
            .json()["jobId"]
            .clone();
        let path = format!(
            "/api/v2/analytics/conversations/details/jobs/{}/results",
            job.as_str().expect("an id")
        );
        [found, ids(self.get(&path).await.json())]
    }
}

#[tokio::test]
async fn a_role_that_covers_some_divisions_sees_only_what_stands_in_them() {
    let open = World::with(divided(&[])).await;
    let [mine, other] = two_queues(&open).await;
    let world = World::with(divided(std::slice::from_ref(&mine.2))).await;
    for one in [&open, &world] {
        one.call_of(1, Some(mine.0)).await;
        one.call_of(2, Some(other.0)).await;
    }
    assert_eq!(open.get("/api/v2/routing/queues").await.json()["total"], 3);
    let queues = world.get("/api/v2/routing/queues").await.json();
    assert!(
        queues["entities"]
            .as_array()
            .is_some_and(|list| list.iter().all(|queue| queue["division"]["id"] == mine.1)),
        "{queues}"
    );
    assert!(
        queues["total"]
            .as_u64()
            .is_some_and(|total| (1..3).contains(&total))
    );
    let ids = json!({"conversationIds": [conversation_id(1), conversation_id(2)]});
    for (one, seen) in [(&open, vec![1, 2]), (&world, vec![1])] {
        let seen: Vec<Value> = seen
            .into_iter()
            .map(|number| json!(conversation_id(number)))
            .collect();
        assert_eq!(one.analysed(json!([])).await, [seen.clone(), seen.clone()]);
        let retained: Vec<Value> = one
            .retained()
            .await
            .iter()
            .map(|entry| entry["conversationId"].clone())
            .collect();
        assert_eq!(retained, seen);
        let protected = one
            .post("/api/v2/recordings/deletionprotection", &ids)
            .await
            .json();
        assert_eq!(protected.as_array().map(Vec::len), Some(seen.len()));
    }
    let batch = world.batch_of(1..=2).await;
    assert_eq!(
        (&batch["expectedResultCount"], &batch["errorCount"]),
        (&json!(2), &json!(1))
    );
    assert!(batch["results"][0]["resultUrl"].is_string());
    assert!(
        batch["results"][1]["errorMsg"]
            .as_str()
            .is_some_and(|why| why.contains("recording:recording:view")),
        "{batch}"
    );
}

#[tokio::test]
async fn a_conversation_of_a_division_the_role_does_not_cover_is_403() {
    let open = World::with(divided(&[])).await;
    let [mine, other] = two_queues(&open).await;
    let world = World::with(divided(std::slice::from_ref(&mine.2))).await;
    world.call_of(1, Some(mine.0)).await;
    world.call_of(2, Some(other.0)).await;
    for (number, status) in [(1, 200), (2, 403)] {
        let whole = format!("/api/v2/conversations/{}", conversation_id(number));
        let one = format!("{whole}/recordings/{}", recording_id(number));
        for (path, permission) in [
            (whole.clone(), "conversation:communication:view"),
            (format!("{whole}/recordings"), "recording:recording:view"),
            (one.clone(), "recording:recording:view"),
            (
                format!("{whole}/recordingmetadata"),
                "recording:recording:view",
            ),
            (
                format!("{whole}/recordingmetadata/{}", recording_id(number)),
                "recording:recording:view",
            ),
        ] {
            let answer = world.get(&path).await;
            assert_eq!(answer.status, status, "{path}");
            if status == 403 {
                assert_eq!(answer.code(), "missing.division.permission");
                let wanted = format!(
                    "missing the following permission '{permission}' in the provided division(s)"
                );
                assert!(
                    answer.json()["message"]
                        .as_str()
                        .is_some_and(|text| text.contains(&wanted)),
                    "{}",
                    answer.json()
                );
            }
        }
        assert_eq!(
            world
                .json(
                    "PUT",
                    &one,
                    &json!({"deleteDate": "2031-01-01T00:00:00.000Z"})
                )
                .await
                .status,
            status
        );
    }
    assert_eq!(
        world
            .get(&format!("/api/v2/conversations/{}", conversation_id(3)))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_conversation_stands_in_the_division_of_its_queue_or_at_home() {
    let world = World::with(divided(&[])).await;
    let [mine, other] = two_queues(&world).await;
    let divisions = world.get("/api/v2/authorization/divisions").await.json();
    let home = divisions["entities"][0]["id"].clone();
    for (number, queue, division) in [
        (1, Some(mine.0), &mine.1),
        (2, Some(other.0), &other.1),
        (3, None, &home),
    ] {
        world.call_of(number, queue).await;
        let held = world
            .get(&format!(
                "/api/v2/conversations/{}",
                conversation_id(number)
            ))
            .await
            .json();
        assert_eq!(&held["divisions"][0]["division"]["id"], division);
        let filters = json!([{"type": "and", "predicates": [
            {"dimension": "divisionId", "value": division}, {"dimension": "conversationId", "value": conversation_id(number)}]}]);
        let found = vec![json!(conversation_id(number))];
        assert_eq!(world.analysed(filters).await, [found.clone(), found]);
    }
    let elsewhere = json!([{"type": "and", "predicates": [
        {"dimension": "divisionId", "value": other.1}, {"dimension": "conversationId", "value": conversation_id(1)}]}]);
    assert_eq!(
        world.analysed(elsewhere).await,
        [Vec::<Value>::new(), Vec::new()]
    );
}

#[tokio::test]
async fn divisions_are_listed_by_name_and_id_and_filter_queues_and_codes() {
    let world = World::with(divided(&["North".to_owned()])).await;
    let all = world
        .get("/api/v2/authorization/divisions?pageSize=3")
        .await
        .json();
    let first = &all["entities"][0];
    assert_eq!(
        (
            &all["total"],
            &all["pageCount"],
            &first["name"],
            &first["homeDivision"]
        ),
        (&json!(4), &json!(2), &json!("Home"), &json!(true))
    );
    assert_eq!(all["entities"][1]["homeDivision"], false);
    let id = all["entities"][2]["id"].as_str().expect("an id");
    for query in [format!("id={id}"), "name=sou".to_owned()] {
        let page = world
            .get(&format!("/api/v2/authorization/divisions?{query}"))
            .await
            .json();
        assert_eq!(
            (&page["total"], &page["entities"][0]["name"]),
            (&json!(1), &json!("South")),
            "{query}"
        );
    }
    let open = World::with(divided(&[])).await;
    for list in ["queues", "wrapupcodes"] {
        let whole = open.get(&format!("/api/v2/routing/{list}")).await.json();
        let division = whole["entities"][0]["division"]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let expected = whole["entities"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|one| one["division"]["id"] == division.as_str())
            .count();
        let page = open
            .get(&format!(
                "/api/v2/routing/{list}?divisionId={division}&pageSize=1"
            ))
            .await
            .json();
        assert_eq!(page["total"], expected, "{list}");
        assert!(
            page["selfUri"]
                .as_str()
                .is_some_and(|uri| uri.contains(&division))
        );
        assert_eq!(
            open.get(&format!(
                "/api/v2/routing/{list}?divisionId={}",
                conversation_id(1)
            ))
            .await
            .json()["total"],
            0
        );
    }
    let plain = World::unlimited().await;
    assert_eq!(
        plain.get("/api/v2/authorization/divisions").await.json()["total"],
        1
    );
}

#[tokio::test]
async fn an_archived_recording_is_a_stub_until_it_is_restored() {
    let world = World::with(archived(1.0, &[])).await;
    world.call(1).await;
    let path = format!(
        "/api/v2/conversations/{}/recordings/{}",
        conversation_id(1),
        recording_id(1)
    );
    let stub = world.recording(1, "WEBM").await;
    assert_eq!(
        (&stub["fileState"], &stub["archiveMedium"]),
        (&json!("ARCHIVED"), &json!("CLOUDARCHIVE"))
    );
    assert!(stub["archiveDate"].is_string() && stub["startTime"].is_null());
    assert!(
        stub.get("mediaUris").is_none() && stub.get("sessionId").is_none(),
        "{stub}"
    );
    let metadata = world
        .get(&format!(
            "/api/v2/conversations/{}/recordingmetadata",
            conversation_id(1)
        ))
        .await
        .json();
    assert_eq!(
        (&metadata[0]["fileState"], &metadata[0]["archiveDate"]),
        (&json!("ARCHIVED"), &stub["archiveDate"])
    );
    let retained = world.retained().await;
    assert_eq!(
        (&retained[0]["archiveDate"], &retained[0]["archiveMedium"]),
        (&stub["archiveDate"], &json!("CLOUDARCHIVE"))
    );
    let result = world.batch_of(1..=1).await["results"][0].clone();
    assert!(
        result["resultUrl"].is_null()
            && result["errorMsg"]
                .as_str()
                .is_some_and(|why| why.contains("ARCHIVED")),
        "{result}"
    );
    let unchanged = json!({"archiveDate": stub["archiveDate"], "deleteDate": stub["deleteDate"]});
    assert_eq!(
        world.json("PUT", &path, &unchanged).await.json()["fileState"],
        "ARCHIVED"
    );
    let begun = world
        .json("PUT", &path, &json!({"deleteDate": stub["deleteDate"]}))
        .await
        .json();
    assert_eq!(
        (&begun["fileState"], begun.get("mediaUris")),
        (&json!("RESTORING"), None)
    );
    world.core.clock.advance_ms(1_000).expect("on the calendar");
    let back = world.recording(1, "WEBM").await;
    assert_eq!(
        (&back["fileState"], &back["archiveDate"]),
        (&json!("RESTORED"), &Value::Null)
    );
    assert!(back["sessionId"].is_string() && back["mediaUris"]["0"]["mediaUri"].is_string());
    assert!(world.batch_of(1..=1).await["results"][0]["resultUrl"].is_string());
}

#[tokio::test]
async fn a_recording_is_archived_when_its_archive_date_comes_and_its_old_addresses_end() {
    let world = World::with(archived(0.0, &[])).await;
    world.call(1).await;
    let path = format!(
        "/api/v2/conversations/{}/recordings/{}",
        conversation_id(1),
        recording_id(1)
    );
    let uri = world.recording(1, "WEBM").await["mediaUris"]["0"]["mediaUri"]
        .as_str()
        .expect("an address")
        .to_owned();
    let date = super::super::times::text(world.core.clock.now_ms() + 60_000);
    assert_eq!(
        world
            .json("PUT", &path, &json!({"archiveDate": date}))
            .await
            .json()["fileState"],
        "AVAILABLE"
    );
    world
        .core
        .clock
        .advance_ms(60_000)
        .expect("on the calendar");
    assert_eq!(world.recording(1, "WEBM").await["fileState"], "ARCHIVED");
    let old = uri.strip_prefix("http://127.0.0.1:40003").expect("ours");
    assert_eq!(
        world
            .send(Request::get(old).body(Body::empty()).expect("a request"))
            .await
            .status,
        404
    );
    let later = super::super::times::text(world.core.clock.now_ms() + 60_000);
    assert_eq!(
        world
            .json("PUT", &path, &json!({"archiveDate": later}))
            .await
            .json()["fileState"],
        "RESTORING"
    );
    world.core.clock.advance_ms(1_000).expect("on the calendar");
    assert_eq!(world.recording(1, "NONE").await["fileState"], "RESTORED");
    world
        .core
        .clock
        .advance_ms(60_000)
        .expect("on the calendar");
    assert_eq!(world.recording(1, "NONE").await["fileState"], "ARCHIVED");
}

#[tokio::test]
async fn to_restore_is_a_permission_of_its_own() {
    let restore = "recording.recording.restore.permission.check.failed";
    let edit = "recording.recording.edit.retention.permission.check.failed";
    for (missing, delete, expected) in [
        (
            "recording:recording:restore",
            "2030-07-27T10:05:00.456Z",
            Some(restore),
        ),
        (
            "recording:recording:editRetention",
            "2030-07-27T10:05:00.456Z",
            None,
        ),
        (
            "recording:recording:editRetention",
            "2031-01-01T00:00:00.000Z",
            Some(edit),
        ),
    ] {
        let world = World::with(archived(1.0, &[missing])).await;
        world.call(1).await;
        let path = format!(
            "/api/v2/conversations/{}/recordings/{}",
            conversation_id(1),
            recording_id(1)
        );
        let answer = world
            .json("PUT", &path, &json!({"deleteDate": delete}))
            .await;
        match expected {
            Some(code) => assert_eq!(
                (answer.status.as_u16(), answer.code().as_str()),
                (403, code),
                "{missing}"
            ),
            None => assert_eq!(
                (answer.status.as_u16(), &answer.json()["fileState"]),
                (200, &json!("RESTORING")),
                "{missing}"
            ),
        }
    }
}

#[tokio::test]
async fn the_truth_is_what_is_held_whoever_may_see_it() {
    let hidden = AccessSettings {
        sensitive_share: 1.0,
        archived_share: 1.0,
        divisions: vec!["Home".to_owned(), "North".to_owned()],
        client_divisions: vec!["North".to_owned()],
        ..AccessSettings::default()
    };
    let world = World::with(hiding(hidden, &[VIEW_SENSITIVE])).await;
    world.populate(3).await;
    assert_eq!(world.truth(), populated(3).await.truth());
}
