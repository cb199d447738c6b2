//! What the source no longer tells of a record, or tells in another form, is not verifiable and
//! named; everything else is judged, and nothing right is called wrong.

#[allow(
    dead_code,
    unreachable_pub,
    reason = "a module of several tests, each with its part of it"
)]
mod world;

use serde_json::{Value, json};
use verifier::{Options, Report, Silent, Verdict, verify};
use world::{Serving, World, plan, today, world};

async fn report(world: World) -> Report {
    let dir = tempfile::tempdir().expect("a folder");
    verify(
        &plan(dir.path()),
        Options::default(),
        Serving::new(world),
        today(),
        &Silent,
    )
    .await
    .expect("a verdict")
}

const RECORD: &str = "/api/v2/recordings/100001-1";
const JSON: &str = "application/json";

/// Answers to a path, and what is said of it.
type Row<'a> = (&'a str, u16, &'static str, Vec<u8>, &'a str);

#[tokio::test]
async fn a_record_that_cannot_be_read_after_a_right_migration_is_named_and_the_rest_is_judged() {
    let own = world().details["100001-1"].clone();
    let with = |field: &str, value: Value| {
        let mut record = own.clone();
        record[field] = value;
        record.to_string().into_bytes()
    };
    let rows: Vec<Row<'_>> = vec![
        (
            "a scope that was lost",
            403,
            JSON,
            br#"{"error":"insufficient_scope","message":"no"}"#.to_vec(),
            "403 insufficient_scope",
        ),
        (
            "no permission",
            403,
            JSON,
            br#"{"error":"forbidden"}"#.to_vec(),
            "give the source's client a role",
        ),
        (
            "gone",
            404,
            JSON,
            br#"{"error":"not_found"}"#.to_vec(),
            "404 not_found",
        ),
        ("gone for good", 410, "text/plain", b"gone".to_vec(), "410"),
        (
            "a bad request",
            400,
            JSON,
            br#"{"error":"bad"}"#.to_vec(),
            "400 bad",
        ),
        (
            "a login page",
            200,
            "text/html",
            b"<html>sign in</html>".to_vec(),
            "no JSON",
        ),
        ("nothing", 200, JSON, Vec::new(), "ends too early"),
        (
            "cut JSON",
            200,
            JSON,
            br#"{"id":"100001-1""#.to_vec(),
            "ends too early",
        ),
        ("a list", 200, JSON, b"[]".to_vec(), "an object is expected"),
        ("null", 200, JSON, b"null".to_vec(), "an object is expected"),
        (
            "another recording's",
            200,
            JSON,
            with("id", json!("100001-2")),
            "it answers for recording 100001-2",
        ),
        (
            "a stub",
            200,
            JSON,
            br#"{"id":"100001-1","interactionId":100001,"pauses":null}"#.to_vec(),
            "field `startTime`",
        ),
        (
            "no call",
            200,
            JSON,
            with("interactionId", Value::Null),
            "field `interactionId`",
        ),
        (
            "a length in words",
            200,
            JSON,
            with("durationMs", json!("long")),
            "field `durationMs`",
        ),
        (
            "an unclear hold",
            200,
            JSON,
            with("legalHold", json!("perhaps")),
            "field `legalHold`",
        ),
        (
            "a half pause",
            200,
            JSON,
            with("pauses", json!([{"startOffsetMs":"x"}])),
            "field `pauses[0].startOffsetMs`",
        ),
    ];
    for (name, status, kind, body, words) in rows {
        let mut world = world();
        world
            .instead
            .insert(RECORD.to_owned(), (status, kind, body));
        let report = report(world).await;
        assert!(report.findings.is_empty(), "{name}: {}", report.text());
        let counts = report.summary.counts;
        assert_eq!(
            (
                report.summary.verdict,
                counts.not_verifiable,
                counts.matched
            ),
            (Verdict::CannotTell, 1, 2),
            "{name}: {}",
            report.text()
        );
        let said = &report.summary.sentence;
        assert!(
            said.contains("the source's record of recording 100001-1") && said.contains(words),
            "{name}: {said}"
        );
    }
}

#[tokio::test]
async fn a_sibling_at_the_same_times_is_not_held_against_the_wrong_recording() {
    // Both recordings of the call at the same times, and listed in either order in the target.
    for is_reversed in [false, true] {
        let mut world = world();
        for end in ["startTime", "endTime"] {
            world.details.get_mut("100001-2").expect("a record")[end] =
                world.details["100001-1"][end].clone();
            let there = world.recordings.get_mut("c-100001").expect("recordings");
            there[1][end] = there[0][end].clone();
        }
        if is_reversed {
            world
                .recordings
                .get_mut("c-100001")
                .expect("recordings")
                .reverse();
        }
        world.instead.insert(
            RECORD.to_owned(),
            (404, JSON, br#"{"error":"not_found"}"#.to_vec()),
        );
        let report = report(world).await;
        assert!(
            report.findings.is_empty(),
            "{is_reversed}: {}",
            report.text()
        );
        assert_eq!(
            report.summary.verdict,
            Verdict::CannotTell,
            "{is_reversed}: {}",
            report.text()
        );
    }
}

#[tokio::test]
async fn a_record_in_another_spelling_is_the_same_record() {
    let mut world = world();
    let mut record = world.details["100001-1"].clone();
    for (field, value) in [
        ("durationMs", json!("12000.0")),
        ("legalHold", json!("false")),
        ("channelRoles", Value::Null),
        ("interactionId", json!("100001")),
        ("startTime", json!(record["startTime"].to_string())),
    ] {
        record[field] = value;
    }
    record["pauses"] = json!({"startOffsetMs": "4000", "endOffsetMs": 7000.0});
    world.instead.insert(
        RECORD.to_owned(),
        (
            200,
            JSON,
            [b"\xef\xbb\xbf", record.to_string().as_bytes()].concat(),
        ),
    );
    for call in &mut world.interactions {
        call["waitTimeMs"] = json!("12000.00");
        call["talkTimeMs"] = json!(47999.5);
        call["numbersMasked"] = Value::Null;
        if call["recordings"].as_array().is_some_and(Vec::is_empty) {
            call["recordings"] = Value::Null;
        }
    }
    let report = report(world).await;
    assert_eq!(report.summary.verdict, Verdict::Match, "{}", report.text());
    assert!(
        report
            .summary
            .notices
            .iter()
            .any(|notice| notice.contains("rounded")),
        "{:?}",
        report.summary.notices
    );
}

#[tokio::test]
async fn audio_that_the_source_no_longer_gives_is_not_called_bad() {
    let short = audio::encode(&world::speech(5, 3.0, 2), audio::Codec::Mulaw).expect("audio");
    let rows: Vec<Row<'_>> = vec![
        (
            "no permission",
            403,
            JSON,
            br#"{"error":"forbidden"}"#.to_vec(),
            "403 forbidden",
        ),
        (
            "gone",
            404,
            JSON,
            br#"{"error":"not_found"}"#.to_vec(),
            "404 not_found",
        ),
        (
            "a login page",
            200,
            "text/html; charset=utf-8",
            b"<html>sign in</html>".to_vec(),
            "`text/html` came instead of the recording",
        ),
        (
            "an error in JSON",
            200,
            JSON,
            br#"{"error":"archived"}"#.to_vec(),
            "`application/json` came instead of the recording",
        ),
        ("nothing", 200, "audio/wav", Vec::new(), "0 bytes"),
        (
            "a placeholder",
            200,
            "audio/wav",
            short,
            "where its record says",
        ),
        (
            "noise",
            200,
            "application/octet-stream",
            vec![7; 100],
            "100 bytes",
        ),
    ];
    for (name, status, kind, body, words) in rows {
        let mut world = world();
        world
            .instead
            .insert(format!("{RECORD}/media"), (status, kind, body));
        let report = report(world).await;
        assert!(report.findings.is_empty(), "{name}: {}", report.text());
        let counts = report.summary.counts;
        assert_eq!(
            (
                report.summary.verdict,
                counts.not_verifiable,
                counts.matched
            ),
            (Verdict::CannotTell, 1, 2),
            "{name}: {}",
            report.text()
        );
        let said = &report.summary.sentence;
        assert!(
            said.contains("the source's audio of recording 100001-1") && said.contains(words),
            "{name}: {said}"
        );
    }
}

#[tokio::test]
async fn what_the_plan_forbids_is_still_found_where_the_source_says_what_it_always_said() {
    // The target holds a placeholder for what the source never had as sound.
    let mut world = world();
    let call = |id: &str| {
        world
            .conversations
            .iter()
            .find(|held| held["externalTag"] == format!("st:acme:{id}"))
            .cloned()
    };
    let mut fourth = call("100002").expect("a conversation");
    fourth["conversationId"] = json!("c-100004");
    fourth["externalTag"] = json!("st:acme:100004");
    world.conversations.push(fourth);
    let mut recording = world.recordings["c-100002"][0].clone();
    (recording["id"], recording["conversationId"]) = (json!("r-100004-1"), json!("c-100004"));
    world
        .recordings
        .insert("c-100004".to_owned(), vec![recording]);
    let media = world.target_media["r-100002-1"].clone();
    world.target_media.insert("r-100004-1".to_owned(), media);
    // Its record's size is that of the error page.
    let size = world.source_media["100004-1"].len();
    world.details.get_mut("100004-1").expect("a record")["sizeBytes"] = json!(size);
    let report = report(world).await;
    assert_eq!(
        report
            .findings
            .iter()
            .map(|finding| finding.defect.code())
            .collect::<Vec<_>>(),
        ["D02"],
        "{}",
        report.text()
    );
}

#[tokio::test]
async fn a_listed_call_that_cannot_be_read_is_one_call_not_judged() {
    type Change = fn(&mut World);
    let rows: [(&str, Change, u64, &str); 5] = [
        (
            "a length in words",
            |world| world.interactions[0]["waitTimeMs"] = json!("soon"),
            2,
            "entity 1 of page 1, field `waitTimeMs`",
        ),
        (
            "a recording without an id",
            |world| world.interactions[0]["recordings"][1] = json!({}),
            1,
            "field `recordings[1].id`",
        ),
        (
            "legs in words",
            |world| world.interactions[1]["segments"] = json!("two"),
            1,
            "entity 2 of page 1, field `segments`",
        ),
        (
            "no times",
            |world| world.interactions[1] = json!({"id":100002,"recordings":[{"id":"100002-1"}]}),
            1,
            "neither start nor end",
        ),
        (
            "no id",
            |world| {
                world
                    .interactions
                    .push(json!({"startTime":1,"endTime":2,"recordings":[{"id":"x"}]}))
            },
            1,
            "a call without an id",
        ),
    ];
    for (name, change, not_verifiable, words) in rows {
        let mut world = world();
        change(&mut world);
        let report = report(world).await;
        assert!(report.findings.is_empty(), "{name}: {}", report.text());
        let counts = report.summary.counts;
        assert_eq!(
            (report.summary.verdict, counts.not_verifiable),
            (Verdict::CannotTell, not_verifiable),
            "{name}: {}",
            report.text()
        );
        assert!(
            report.summary.sentence.contains(words),
            "{name}: {}",
            report.summary.sentence
        );
    }
    // A call without recordings is still a call.
    let mut bare = world();
    bare.interactions[2]["segments"] = json!(7);
    let report = report(bare).await;
    assert_eq!(
        report.summary.verdict,
        Verdict::CannotTell,
        "{}",
        report.text()
    );
}

#[tokio::test]
async fn ids_of_any_characters_are_asked_for_and_match() {
    for id in [
        "a;b",
        "50%",
        "a/b",
        "a\\b",
        "what?#",
        "é ф",
        "a..b",
        "it's \"q\"",
        "a\tb",
        "http://x/y",
        "100001-1&x=1",
    ] {
        let mut world = world();
        let encoded: String = percent(id);
        world.interactions[1]["recordings"][0]["id"] = json!(id);
        let mut record = world.details["100002-1"].clone();
        record["id"] = json!(id);
        record["mediaUrl"] = Value::Null;
        world.instead.insert(
            format!("/api/v2/recordings/{encoded}"),
            (200, JSON, record.to_string().into_bytes()),
        );
        let media = world.source_media["100002-1"].clone();
        world.instead.insert(
            format!("/api/v2/recordings/{encoded}/media"),
            (200, "audio/mpeg", media),
        );
        let report = report(world).await;
        assert_eq!(
            report.summary.verdict,
            Verdict::Match,
            "{id}: {}",
            report.text()
        );
    }
    // What a server could take for another path is not asked for, and not judged.
    for id in ["..", ".", "../users", "..\\users", "%2e%2e", "..;x", "%2F"] {
        let mut world = world();
        world.interactions[1]["recordings"][0]["id"] = json!(id);
        let report = report(world).await;
        let counts = report.summary.counts;
        assert!(report.findings.is_empty(), "{id}: {}", report.text());
        assert_eq!(
            (report.summary.verdict, counts.not_verifiable),
            (Verdict::CannotTell, 1),
            "{id}: {}",
            report.text()
        );
        assert!(
            report.summary.sentence.contains(&format!("recording {id}")),
            "{id}: {}",
            report.summary.sentence
        );
    }
}

fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
