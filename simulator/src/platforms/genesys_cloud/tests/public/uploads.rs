//! Uploads: how they are announced, what the PUT demands, what the ZIP must be, and what becomes of
//! it.

use super::*;
use crate::platforms::Platform as _;
use crate::platforms::genesys_cloud::ReportColumn;

#[tokio::test]
async fn a_recording_is_uploaded_attached_and_read_back() {
    let world = World::public(PublicSettings::default()).await;
    world.injected(1).await;
    let bytes = audio::encode(&sound(1, 2), Codec::Mp3).expect("audio");
    assert_eq!(
        world
            .upload_zip(&name_of(1), &package(&metadata(1), &bytes))
            .await
            .status,
        200
    );
    assert_eq!(
        world.statuses().await,
        [("Success".to_owned(), String::new())]
    );
    let one = world.recordings(1).await[0].clone();
    assert_eq!(
        (&one["id"], &one["sessionId"], &one["fileState"]),
        (
            &json!(recording_id(1)),
            &json!(leg(1, FIRST_AGENT)),
            &json!("AVAILABLE")
        )
    );
    assert_eq!(
        (&one["startTime"], &one["endTime"]),
        (
            &json!("2023-07-27T10:00:12.123Z"),
            &json!("2023-07-27T10:02:40.456Z")
        )
    );
    assert_eq!(
        (&one["deleteDate"], &one["users"]),
        (
            &json!("2030-07-27T10:05:00.456Z"),
            &json!([{"id": JOHN, "version": 1}])
        )
    );
    assert_eq!(
        (
            &one["annotations"][0]["reason"],
            &one["annotations"][0]["location"]
        ),
        (&json!("SecurePause"), &json!(2_000))
    );
    let line = world.lines()[0]["recordings"][0].clone();
    assert_eq!(
        (
            &line["legacy_recording_id"],
            &line["bytes"],
            &line["channels"]
        ),
        (&json!("1-1"), &json!(bytes.len()), &json!(2))
    );
    let effects = world.core.journal.effects();
    assert!(
        effects.contains(
            r#""operation":"genesys_cloud.process_upload","key":"st-acme-1-1.0123456789ab.zip","status":200,"effect":"attached""#
        ),
        "{effects}"
    );
}

#[tokio::test]
async fn an_announcement_with_a_wrong_value_is_400_naming_its_field() {
    let world = World::public(PublicSettings::default()).await;
    let mut rows: Vec<(&str, Value)> = [
        ".a.zip", "a/", "", "a b.zip", "a\tb", "a\\b", "a{", "a^", "a}", "a%", "a`", "a]", "a\"",
        "a>", "a[", "a~", "a<", "a#", "a|",
    ]
    .map(|name| ("fileName", json!(name)))
    .to_vec();
    rows.extend([
        ("fileName", Value::Null),
        ("contentMd5", json!("not base64")),
        ("contentMd5", json!("AAAA")),
        ("signedUrlTimeoutSeconds", json!(0)),
        ("signedUrlTimeoutSeconds", json!(604_801)),
        ("signedUrlTimeoutSeconds", json!(-1)),
        ("serverSideEncryption", json!("ROT13")),
        ("contentType", json!("a\nb")),
        ("colour", json!("blue")),
    ]);
    for (field, value) in rows {
        let mut asked = json!({"fileName": "folder/a-1.zip"});
        asked[field] = value.clone();
        let answer = world.post("/api/v2/uploads/recordings", &asked).await;
        assert_eq!(answer.status, 400, "{field} = {value}");
        assert_eq!(
            answer.json()["details"][0]["fieldName"],
            field,
            "{value}: {}",
            answer.json()
        );
    }
    assert_eq!(world.core.journal.effects(), "");
}

#[tokio::test]
async fn a_put_needs_exactly_the_announced_headers() {
    let world = World::public(PublicSettings::default()).await;
    let zip = package(&metadata(1), b"sound");
    let announced = world.announce("a.zip", &zip).await;
    for missing in [
        "Content-MD5",
        "Content-Type",
        "x-amz-server-side-encryption",
        "x-amz-tagging",
    ] {
        let answer = world.put(&announced, &zip, |name| name != missing).await;
        assert_eq!(answer.status, 403, "{missing}");
        assert!(
            String::from_utf8_lossy(&answer.body).contains("<Code>SignatureDoesNotMatch</Code>"),
            "{missing}"
        );
        let mut changed = announced.clone();
        changed["headers"][missing] = json!("other");
        assert_eq!(
            world.put(&changed, &zip, |_| true).await.status,
            403,
            "{missing}"
        );
    }
    assert_eq!(world.spooled(), 0);
    let answer = world.put(&announced, &zip, |_| true).await;
    let md5: String = hex::encode(Md5::digest(&zip));
    assert_eq!(
        (
            answer.status.as_u16(),
            answer.header("etag").trim_matches('"')
        ),
        (200, md5.as_str())
    );
}

#[tokio::test]
async fn a_put_of_other_bytes_of_a_forged_or_of_an_expired_address_is_refused() {
    let world = World::public(PublicSettings {
        wrong_md5_status: 412,
        ..PublicSettings::default()
    })
    .await;
    let zip = package(&metadata(1), b"sound");
    let announced = world.announce("a.zip", &zip).await;
    let other = world.put(&announced, b"other bytes", |_| true).await;
    assert_eq!(other.status, 412);
    assert!(String::from_utf8_lossy(&other.body).contains("<Code>BadDigest</Code>"));
    for (was, becomes) in [
        ("signature=", "signature=0"),
        ("expires=", "expires=9"),
        ("uploads/", "uploads/x"),
    ] {
        let mut forged = announced.clone();
        forged["url"] = json!(
            announced["url"]
                .as_str()
                .expect("an address")
                .replace(was, becomes)
        );
        assert_eq!(
            world.put(&forged, &zip, |_| true).await.status,
            403,
            "{was}"
        );
    }
    world
        .core
        .clock
        .advance_ms(600_000)
        .expect("on the calendar");
    let late = world.put(&announced, &zip, |_| true).await;
    assert_eq!(late.status, 403);
    assert!(String::from_utf8_lossy(&late.body).contains("<Code>AccessDenied</Code>"));
    assert_eq!(world.statuses().await, []);
    assert_eq!(world.spooled(), 0);
}

#[tokio::test]
async fn a_put_over_the_limit_or_cut_leaves_nothing() {
    let world = World::with(Settings {
        max_upload_bytes: 1_000,
        ..unlimited(PublicSettings::default())
    })
    .await;
    let big = vec![7; 1_001];
    let announced = world.announce("a.zip", &big).await;
    let answer = world.put(&announced, &big, |_| true).await;
    assert_eq!(answer.status, 400);
    assert!(String::from_utf8_lossy(&answer.body).contains("<Code>EntityTooLarge</Code>"));
    let path = announced["url"]
        .as_str()
        .and_then(|url| url.strip_prefix("http://127.0.0.1:40003"))
        .expect("an address");
    let mut request = Request::put(path);
    for (name, value) in announced["headers"].as_object().expect("headers") {
        request = request.header(name, value.as_str().expect("text"));
    }
    let pieces = [
        Ok(bytes::Bytes::from(vec![7; 500])),
        Err(std::io::Error::other("connection reset")),
    ];
    let cut = request
        .body(Body::from_stream(futures_util::stream::iter(pieces)))
        .expect("a request");
    assert_eq!(world.send(cut).await.status, 400);
    assert_eq!(world.spooled(), 0);
}

/// The message of an upload that failed.
async fn failed(world: &World, name: &str, zip: &[u8]) -> String {
    assert_eq!(
        world.upload_zip(name, zip).await.status,
        200,
        "{name}: the store takes any bytes"
    );
    let rows = world.report(Some("Failure")).await;
    rows.iter()
        .find(|row| row[1] == name)
        .map(|row| row[7].clone())
        .unwrap_or_else(|| panic!("{name} did not fail: {rows:?}"))
}

#[tokio::test]
async fn a_package_that_is_not_what_it_must_be_fails_and_says_why() {
    let world = World::with(Settings {
        max_upload_bytes: 100_000,
        ..unlimited(PublicSettings::default())
    })
    .await;
    world.injected(1).await;
    let meta = metadata(1).to_string();
    let meta = meta.as_bytes();
    let bomb = zipped(&[("metadata.json", meta), ("audio.mp3", &vec![0; 5_000_000])]);
    assert!(bomb.len() < 100_000, "it must be small enough to be taken");
    let truncated = {
        let whole = package(&metadata(1), b"sound");
        whole[..whole.len() / 2].to_vec()
    };
    for (name, zip, says) in [
        (
            "no-zip",
            b"not a zip".to_vec(),
            "metadata.json and one audio file",
        ),
        ("empty", Vec::new(), "metadata.json and one audio file"),
        ("cut", truncated, "metadata.json and one audio file"),
        (
            "folder",
            zipped(&[("call/metadata.json", meta), ("call/audio.mp3", b"sound")]),
            "top level",
        ),
        (
            "half-folder",
            zipped(&[("metadata.json", meta), ("call/audio.mp3", b"sound")]),
            "top level",
        ),
        (
            "upwards",
            zipped(&[("metadata.json", meta), ("../audio.mp3", b"sound")]),
            "top level",
        ),
        (
            "backslash",
            zipped(&[("metadata.json", meta), ("..\\audio.mp3", b"sound")]),
            "top level",
        ),
        (
            "absolute",
            zipped(&[("metadata.json", meta), ("/audio.mp3", b"sound")]),
            "top level",
        ),
        (
            "one-more",
            zipped(&[
                ("metadata.json", meta),
                ("audio.mp3", b"sound"),
                ("notes.txt", b"x"),
            ]),
            "nothing else",
        ),
        (
            "no-audio",
            zipped(&[("metadata.json", meta)]),
            "one audio file",
        ),
        (
            "other-audio",
            zipped(&[("metadata.json", meta), ("other.mp3", b"sound")]),
            "no audio [audio.mp3]",
        ),
        (
            "no-metadata",
            zipped(&[("meta.json", meta), ("audio.mp3", b"sound")]),
            "no metadata.json",
        ),
        (
            "silent",
            zipped(&[("metadata.json", meta), ("audio.mp3", b"")]),
            "the audio is empty",
        ),
        ("bomb", bomb, "over 100000 bytes unpacked"),
        (
            "long-metadata",
            zipped(&[
                ("metadata.json", &vec![b' '; 2_000_000]),
                ("audio.mp3", b"sound"),
            ]),
            "over 1048576 bytes",
        ),
    ] {
        let told = failed(&world, name, &zip).await;
        assert!(told.contains(says), "{name}: {told}");
    }
    assert_eq!(world.recordings(1).await, json!([]));
    assert_eq!(world.spooled(), 0, "nothing of a failed package stays");
}

#[tokio::test]
async fn metadata_with_a_wrong_field_fails_naming_it() {
    let world = World::with(Settings {
        max_retention_days: Some(3_650),
        ..unlimited(PublicSettings::default())
    })
    .await;
    world.injected(1).await;
    let v5 = "99999999-0000-5000-8000-000000000000";
    for (index, (field, value, says)) in [
        ("version", json!(2), "version 2"),
        ("conversationId", json!(v5), "conversationId"),
        ("communicationId", json!("x"), "communicationId"),
        ("recordingId", json!(v5), "recordingId"),
        ("recordingId", Value::Null, "metadata.json is not valid"),
        ("startTime", json!("yesterday"), "startTime"),
        (
            "endTime",
            json!("2023-07-27T10:00:12.000Z"),
            "endTime is before startTime",
        ),
        ("deleteDate", json!("2030"), "deleteDate"),
        (
            "deleteDate",
            json!("2099-01-01T00:00:00.000Z"),
            "maximum of 3650 days",
        ),
        ("mediaType", json!("text/plain"), "mediaType"),
        ("fileName", json!("metadata.json"), "metadata.json itself"),
        ("colour", json!("blue"), "colour"),
        (
            "annotations",
            json!([{"type": "note", "location": 0, "durationMs": 1}]),
            "annotations.type",
        ),
        (
            "annotations",
            json!([{"type": "pause", "reason": "Lunch", "location": 0, "durationMs": 1}]),
            "annotations.reason",
        ),
        (
            "annotations",
            json!([{"type": "pause", "location": -1, "durationMs": 1}]),
            "metadata.json is not valid",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let mut meta = metadata(1);
        meta[field] = value.clone();
        let told = failed(&world, &format!("a-{index}.zip"), &package(&meta, b"sound")).await;
        assert!(told.contains(says), "{field} = {value}: {told}");
    }
    assert_eq!(world.recordings(1).await, json!([]));
}

#[tokio::test]
async fn a_recording_that_was_taken_away_is_taken_again() {
    let world = World::public(PublicSettings::default()).await;
    world.injected(1).await;
    world.recorded(1).await;
    world.site.tamper("D01", 1, 7).expect("a victim");
    world.injected(1).await;
    world.recorded(1).await;
    assert_eq!(world.recordings(1).await.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn the_same_recording_twice_is_one_and_other_bytes_are_refused() {
    let world = World::public(PublicSettings::default()).await;
    world.injected(1).await;
    world.injected(2).await;
    world.recorded(1).await;
    let (truth, attached) = (
        world.truth(),
        world.core.journal.effects().matches("attached").count(),
    );
    world.recorded(1).await;
    assert_eq!(
        world
            .statuses()
            .await
            .iter()
            .filter(|(status, _)| status == "Success")
            .count(),
        2
    );
    assert_eq!(
        (
            world.truth(),
            world.core.journal.effects().matches("attached").count()
        ),
        (truth, attached)
    );
    assert!(
        failed(&world, "other.zip", &package(&metadata(1), b"other"))
            .await
            .contains("is there already")
    );
    let mut elsewhere = metadata(2);
    elsewhere["recordingId"] = json!(recording_id(1));
    assert!(
        failed(
            &world,
            "elsewhere.zip",
            &package(&elsewhere, &1_u64.to_be_bytes())
        )
        .await
        .contains("another conversation")
    );
    assert_eq!(
        (
            world.recordings(1).await.as_array().map(Vec::len),
            world.recordings(2).await
        ),
        (Some(1), json!([]))
    );
}

#[tokio::test]
async fn two_puts_to_one_address_leave_one_recording() {
    let world = World::public(PublicSettings::default()).await;
    world.injected(1).await;
    let zip = package(&metadata(1), b"sound");
    let announced = world.announce("a.zip", &zip).await;
    for _ in 0..2 {
        assert_eq!(world.put(&announced, &zip, |_| true).await.status, 200);
    }
    assert_eq!(
        (
            world.recordings(1).await.as_array().map(Vec::len),
            world.statuses().await.len()
        ),
        (Some(1), 1)
    );
}

#[tokio::test]
async fn an_upload_is_pending_then_waits_for_its_conversation_then_succeeds() {
    let world = World::public(PublicSettings {
        upload_processing_ms: 5_000,
        ..PublicSettings::default()
    })
    .await;
    world.recorded(1).await;
    assert_eq!(world.statuses().await[0].0, "Pending");
    world.core.clock.advance_ms(5_000).expect("on the calendar");
    assert_eq!(world.statuses().await[0].0, "WaitForConversation");
    let events = call_events(1);
    world.inject(&events[..4]).await;
    assert_eq!(
        world.statuses().await[0].0,
        "WaitForConversation",
        "its communication is not there yet"
    );
    world.inject(&events[4..]).await;
    assert_eq!(world.statuses().await[0].0, "Success");
    assert_eq!(world.recordings(1).await[0]["id"], json!(recording_id(1)));
    assert_eq!(
        world.get("/api/v2/orphanrecordings").await.json()["total"],
        0
    );
}

#[tokio::test]
async fn a_failed_or_stuck_upload_heals_as_its_fault_says() {
    let rule = |text: &str| toml::from_str::<FaultRule>(text).expect("a rule");
    let rules = vec![
        rule(
            "on = 'genesys_cloud.process_upload'\nkind = 'upload_failed'\nattempts = [1]\nkeys = \
             ['1-1']",
        ),
        rule(
            "on = 'genesys_cloud.process_upload'\nkind = 'upload_stuck'\nms = 60000\nkeys = \
             ['2-1']",
        ),
    ];
    let world = World::with_faults(unlimited(PublicSettings::default()), rules).await;
    for number in 1..=3 {
        world.injected(number).await;
        world.recorded(number).await;
    }
    let words: Vec<String> = world
        .statuses()
        .await
        .into_iter()
        .map(|(status, _)| status)
        .collect();
    assert_eq!(words, ["Failure", "Success", "WaitForConversation"]);
    world.recorded(1).await;
    world
        .core
        .clock
        .advance_ms(60_000)
        .expect("on the calendar");
    let words: Vec<String> = world
        .statuses()
        .await
        .into_iter()
        .map(|(status, _)| status)
        .collect();
    assert_eq!(words, ["Failure", "Success", "Success", "Success"]);
    assert!(
        world
            .lines()
            .iter()
            .all(|line| line["recordings"].as_array().map(Vec::len) == Some(1))
    );
}

#[tokio::test]
async fn upload_keys_are_a_function_of_the_name_and_its_ordinal() {
    let (one, other) = (
        World::public(PublicSettings::default()).await,
        World::public(PublicSettings::default()).await,
    );
    let mut keys = Vec::new();
    for name in ["a.zip", "b.zip", "a.zip"] {
        keys.push(one.announce(name, b"x").await["uploadKey"].to_string());
    }
    let mut others = Vec::new();
    for name in ["b.zip", "a.zip", "a.zip"] {
        others.push(other.announce(name, b"x").await["uploadKey"].to_string());
    }
    keys.sort();
    others.sort();
    assert_eq!(keys, others);
    keys.dedup();
    assert_eq!(keys.len(), 3);
}

#[tokio::test]
async fn a_report_is_prepared_then_has_the_columns_of_the_scenario() {
    let columns = vec![ReportColumn::Status, ReportColumn::FileName];
    let world = World::public(PublicSettings {
        report_ms: 2_000,
        report_columns: columns,
        ..PublicSettings::default()
    })
    .await;
    world.injected(1).await;
    world.recorded(1).await;
    let created = world
        .post(
            "/api/v2/recording/uploads/reports",
            &json!({"dateSince": "2000-01-01T00:00:00.000Z"}),
        )
        .await;
    let path = format!(
        "/api/v2/recording/uploads/reports/{}",
        id_of(&created.json())
    );
    let early = world.get(&path).await.json();
    assert_eq!(
        (&early["state"], &early["signedUrl"]),
        (&json!("InProgress"), &Value::Null)
    );
    world.core.clock.advance_ms(2_000).expect("on the calendar");
    let ready = world.get(&path).await.json();
    assert_eq!(ready["state"], "Completed");
    let url = ready["signedUrl"]
        .as_str()
        .and_then(|url| url.strip_prefix("http://127.0.0.1:40003"))
        .expect("an address");
    let file = world
        .send(Request::get(url).body(Body::empty()).expect("a request"))
        .await;
    assert_eq!(
        String::from_utf8_lossy(&file.body),
        "status,fileName\nSuccess,st-acme-1-1.0123456789ab.zip\n"
    );
    let forged = world
        .send(
            Request::get(url.replace("signature=", "signature=0"))
                .body(Body::empty())
                .expect("a request"),
        )
        .await;
    assert_eq!(forged.status, 403);
    world
        .core
        .clock
        .advance_ms(600_000)
        .expect("on the calendar");
    assert_eq!(
        world
            .send(Request::get(url).body(Body::empty()).expect("a request"))
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn a_report_is_limited_to_a_status_and_to_what_arrived_since() {
    let world = World::public(PublicSettings::default()).await;
    world.injected(1).await;
    world.recorded(1).await;
    world.recorded(2).await;
    assert_eq!(world.report(Some("Success")).await.len(), 1);
    assert_eq!(
        world.report(Some("WaitForConversation")).await[0][2],
        conversation_id(2).to_string()
    );
    assert_eq!(world.report(Some("Pending")).await.len(), 0);
    let tomorrow = super::super::super::times::text(world.core.clock.now_ms() + 86_400_000);
    let none = world
        .post(
            "/api/v2/recording/uploads/reports",
            &json!({"dateSince": tomorrow}),
        )
        .await;
    let shown = world
        .get(&format!(
            "/api/v2/recording/uploads/reports/{}",
            id_of(&none.json())
        ))
        .await
        .json();
    let url = shown["signedUrl"]
        .as_str()
        .and_then(|url| url.strip_prefix("http://127.0.0.1:40003"))
        .expect("an address");
    let file = world
        .send(Request::get(url).body(Body::empty()).expect("a request"))
        .await;
    assert_eq!(String::from_utf8_lossy(&file.body).lines().count(), 1);
    for (body, code) in [
        (json!({}), "bad.request"),
        (json!({"dateSince": "yesterday"}), "invalid.date"),
        (
            json!({"dateSince": tomorrow, "uploadStatus": "Lost"}),
            "invalid.value",
        ),
    ] {
        let answer = world.post("/api/v2/recording/uploads/reports", &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, code),
            "{body}"
        );
    }
    assert_eq!(
        world
            .get("/api/v2/recording/uploads/reports/x")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_large_upload_is_streamed_over_a_real_connection() {
    let world = World::public(PublicSettings::default()).await;
    world.injected(1).await;
    let noise: Vec<u8> = (0..1_000_000_u64)
        .flat_map(|at| Seed::new(at).value().to_be_bytes())
        .collect();
    let zip = package(&metadata(1), &noise);
    let announced = world.announce("a.zip", &zip).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let host = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tokio::spawn(crate::http::connection::accept(
        listener,
        world.router.clone(),
        world.core.clock.clone(),
    ));
    let url = announced["url"]
        .as_str()
        .expect("an address")
        .replace("http://127.0.0.1:40003", &host);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    let mut request = client.put(url);
    for (name, value) in announced["headers"].as_object().expect("headers") {
        request = request.header(name, value.as_str().expect("text"));
    }
    assert_eq!(
        request
            .body(zip)
            .send()
            .await
            .expect("an answer")
            .status()
            .as_u16(),
        200
    );
    assert_eq!(
        world.lines()[0]["recordings"][0]["bytes"],
        json!(noise.len())
    );
    server.abort();
}
