//! What happens after an insertion: the index catches up, lifecycle management deletes, reads leave
//! out what is private.

use super::*;
use crate::platforms::gir::{IndexSettings, PrivacySettings, PurgeRule, PurgeSettings};

const DAY_MS: u64 = 86_400_000;

fn rule(after_days: i64, call_type: Option<&str>, label: Option<&str>) -> PurgeRule {
    PurgeRule {
        after_days,
        call_type: call_type.map(str::to_owned),
        label: label.map(str::to_owned),
    }
}

/// Settings whose rules delete calls of today after so many days.
fn purging(rules: Vec<PurgeRule>) -> Settings {
    Settings {
        purge: PurgeSettings {
            rules: Some(rules),
            ..PurgeSettings::default()
        },
        ..Settings::default()
    }
}

/// How many days the sample's calls are old.
fn age_days(world: &World) -> i64 {
    let start: jiff::Timestamp = "2024-07-09T10:00:00Z".parse().expect("a time");
    (world.core.clock.now_ms() - start.as_millisecond()).div_euclid(DAY_MS as i64)
}

#[tokio::test]
async fn lifecycle_management_takes_what_is_due_from_all_three_stores_and_keeps_what_is_held() {
    let probe = World::new().await;
    let age = age_days(&probe);
    let rules = vec![
        rule(age + 10, None, Some("st-ret-short")),
        rule(age + 400, Some("Outbound"), None),
        rule(age + 500, Some("NotSet"), None),
    ];
    let world = World::with(purging(rules)).await;
    world.migrate(1..4, "short").await;
    world.migrate(4..6, "long").await;
    let left = || {
        world
            .truth()
            .iter()
            .map(|line| {
                line["legacy_interaction_id"]
                    .as_str()
                    .expect("an id")
                    .to_owned()
            })
            .collect::<Vec<_>>()
    };
    world
        .core
        .clock
        .advance_ms(9 * DAY_MS)
        .expect("on the calendar");
    assert_eq!(left(), ["1", "2", "3", "4", "5"], "nothing is due yet");
    world
        .core
        .clock
        .advance_ms(3 * DAY_MS)
        .expect("on the calendar");
    let basic = world.basic_of(1);
    let listed = World::send_to(
        &world.routers.webdav,
        "PROPFIND",
        "/recordings/st-acme/2024-07-09/",
        &[("authorization", &basic), ("depth", "1")],
        None,
    )
    .await;
    let listed = String::from_utf8_lossy(&listed.bytes).into_owned();
    assert_eq!(
        listed.matches(".wav</D:href>").count(),
        4,
        "the store is looked at first, and its files are gone, 5 has two: {listed}"
    );
    assert_eq!(left(), ["3", "4", "5"], "3 is tagged for non-deletion");
    assert_eq!(world.read("st-acme-1").await.status, 404);
    assert!(
        !world.site.speechminer().held().contains_key("st-acme-1")
            && world.site.speechminer().held().contains_key("st-acme-3")
    );
    assert!(
        world
            .core
            .journal
            .effects()
            .contains("\"operation\":\"gir.purge_recording\",\"key\":\"st-acme-1\",\"status\":200,\"effect\":\"purged\"")
    );
    let deleted_at = |line: usize| world.truth()[line]["retention"]["delete_at"].clone();
    assert_eq!(
        (
            deleted_at(1),
            deleted_at(0).is_string(),
            deleted_at(2).is_string()
        ),
        (Value::Null, true, true)
    );
    world
        .core
        .clock
        .advance_ms(400 * DAY_MS)
        .expect("on the calendar");
    assert_eq!(left(), ["3", "4"], "5 went by its call type");
}

#[tokio::test]
async fn lifecycle_management_runs_at_midnight() {
    let probe = World::new().await;
    let settings = purging(vec![rule(age_days(&probe) - 1, None, None)]);
    let world = World::with(settings.clone()).await;
    world.migrate(1..2, "any").await;
    assert_eq!(
        world.truth().len(),
        1,
        "it is due, and nobody has run since"
    );
    let to_midnight = DAY_MS - (world.core.clock.now_ms().rem_euclid(DAY_MS as i64)) as u64;
    world
        .core
        .clock
        .advance_ms(to_midnight)
        .expect("on the calendar");
    assert_eq!(world.truth().len(), 0);
    let every_minute = PurgeSettings {
        every_minutes: 1,
        ..settings.purge.clone()
    };
    let world = World::with(Settings {
        purge: every_minute,
        ..settings
    })
    .await;
    world.migrate(1..2, "any").await;
    world
        .core
        .clock
        .advance_ms(60_000)
        .expect("on the calendar");
    assert_eq!(world.truth().len(), 0);
}

#[tokio::test]
async fn a_recording_is_read_by_id_before_a_search_finds_it() {
    for (writes_need_index, written) in [(true, 404), (false, 200)] {
        let index = IndexSettings {
            delay_ms: 60_000,
            writes_need_index,
        };
        let world = World::with(Settings {
            index,
            ..Settings::default()
        })
        .await;
        world.insert(&named("r")).await;
        world
            .ask(
                "POST",
                "/api/v2/recording-label-definitions",
                &json!({"name": "x"}),
            )
            .await;
        let found = async || {
            let answer = world
                .ask(
                    "GET",
                    &format!("{RECORDINGS}?callerPhoneNumber=*"),
                    &Value::Null,
                )
                .await;
            answer.body["uris"].as_array().map_or(0, Vec::len)
        };
        let label = async || {
            world
                .ask(
                    "POST",
                    "/api/v2/recordings/r/labels",
                    &json!({"labels": [{"name": "x"}]}),
                )
                .await
                .status
        };
        let hold = async || {
            world
                .ask(
                    "POST",
                    "/api/v2/recordings/r",
                    &json!({"operationName": "applyNonDelete"}),
                )
                .await
                .status
        };
        assert_eq!(
            (
                world.read("r").await.status,
                found().await,
                label().await,
                hold().await
            ),
            (200, 0, written, written)
        );
        assert_eq!(
            world
                .ask("GET", "/api/v2/recordings/r/labels", &Value::Null)
                .await
                .status,
            200
        );
        world
            .core
            .clock
            .advance_ms(60_000)
            .expect("on the calendar");
        assert_eq!((found().await, label().await, hold().await), (1, 200, 200));
    }
}

#[tokio::test]
async fn a_user_is_not_told_what_is_private_and_the_ops_account_is() {
    for ops_sees_all in [true, false] {
        let fields = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let privacy = PrivacySettings {
            agent_fields: fields(&["userName", "username"]),
            customer_fields: fields(&["callerPhoneNumber"]),
            ops_sees_all,
        };
        let world = World::with(Settings {
            privacy,
            ..Settings::default()
        })
        .await;
        world.insert(&named("r")).await;
        let user = world
            .ask("GET", "/api/v2/recordings/r", &Value::Null)
            .await
            .body["recording"]
            .clone();
        let ops = world.read("r").await.body["recording"].clone();
        let hides = |told: &Value| {
            (
                told.get("callerPhoneNumber").is_none(),
                told["mediaFiles"][0]
                    .pointer("/parameters/username")
                    .is_none(),
                told["dialedPhoneNumber"].is_string(),
            )
        };
        assert_eq!(hides(&user), (true, true, true));
        assert_eq!(hides(&ops).0, !ops_sees_all);
        let listed = world
            .ask(
                "GET",
                "/api/v2/recordings?callerPhoneNumber=*&fields=*",
                &Value::Null,
            )
            .await
            .body["recordings"][0]
            .clone();
        assert!(hides(&listed).0);
    }
}

#[tokio::test]
async fn media_are_played_as_they_lie_in_the_store() {
    let world = World::new().await;
    world.migrate(1..2, "any").await;
    let told = world.read("st-acme-1").await.body["recording"].clone();
    let uri = told["mediaFiles"][0]["mediaUri"]
        .as_str()
        .and_then(|uri| uri.strip_prefix("http://127.0.0.1:40005"))
        .expect("an address")
        .to_owned();
    let bytes = audio::encode(&super::migrated::sound(1), audio::Codec::PcmS16).expect("sound");
    let basic = world.basic();
    let played = world
        .send("GET", &uri, &[("authorization", &basic)], None)
        .await;
    assert_eq!(
        (played.status, &*played.bytes, played.header("content-type")),
        (200, &*bytes, "audio/wav")
    );
    let part = world
        .send(
            "GET",
            &uri,
            &[("authorization", &basic), ("range", "bytes=4-7")],
            None,
        )
        .await;
    assert_eq!((part.status, &*part.bytes), (206, &bytes[4..8]));
    let user = world
        .ask("GET", "/api/v2/recordings/st-acme-1", &Value::Null)
        .await
        .body["recording"]["mediaFiles"][0]["playPath"]
        .clone();
    assert_eq!(
        world
            .send(
                "GET",
                &format!("/api/v2{}", user.as_str().expect("a path")),
                &[("authorization", &basic)],
                None
            )
            .await
            .status,
        200
    );
    assert_eq!(
        world
            .send(
                "GET",
                &uri.replace(".mp3", "x.mp3"),
                &[("authorization", &basic)],
                None
            )
            .await
            .status,
        404
    );
    assert_eq!(world.send("GET", &uri, &[], None).await.status, 401);
    std::fs::remove_file(
        world
            .site
            .webdav()
            .file_of(
                told["mediaFiles"][0]["originalMediaDescriptor"]["path"]
                    .as_str()
                    .expect("a path"),
            )
            .expect("a file"),
    )
    .expect("removed");
    assert_eq!(
        world
            .send("GET", &uri, &[("authorization", &basic)], None)
            .await
            .status,
        404
    );
}
