//! Retention policies: what is taken, and which recordings follow them.

use super::*;
use crate::platforms::genesys_cloud::PolicyDaysFrom;

const ORDINARY: &str = "/api/v2/recording/mediaretentionpolicies";
const CROSS: &str = "/api/v2/recording/crossplatform/mediaretentionpolicies";

fn policy(name: &str, order: i64, conditions: Value, days: u32) -> Value {
    let actions =
        json!({"retainRecording": true, "retentionDuration": {"deleteRetention": {"days": days}}});
    json!({"name": name, "order": order, "enabled": true, "mediaPolicies": {"callPolicy": {"conditions": conditions, "actions": actions}}})
}

/// A recording of a call that states no date of its own.
async fn dateless(world: &World, number: u64) -> Value {
    world.injected(number).await;
    let mut meta = metadata(number);
    meta["deleteDate"] = Value::Null;
    meta["recordingId"] = json!(recording_id(number));
    assert_eq!(
        world
            .upload_zip(&name_of(number), &package(&meta, &number.to_be_bytes()))
            .await
            .status,
        200
    );
    world.recordings(number).await[0]["deleteDate"].clone()
}

#[tokio::test]
async fn policies_of_both_families_are_made_listed_and_shown() {
    let world = World::public(PublicSettings::default()).await;
    for (path, other) in [(ORDINARY, CROSS), (CROSS, ORDINARY)] {
        let made = world
            .post(
                path,
                &policy("Seven years", 1, json!({"timeAllowed": null}), 2_557),
            )
            .await;
        assert_eq!(made.status, 200, "{}", String::from_utf8_lossy(&made.body));
        let id = id_of(&made.json());
        assert_eq!(world.get(&format!("{path}/{id}")).await.json(), made.json());
        assert_eq!(world.get(&format!("{other}/{id}")).await.status, 404);
        for (query, total) in [
            ("", 1),
            ("?name=seven", 1),
            ("?name=eight", 0),
            ("?enabled=false", 0),
            ("?hasErrors=true", 0),
            ("?deleteDaysThreshold=2556", 1),
            ("?deleteDaysThreshold=2557", 0),
        ] {
            assert_eq!(
                world.get(&format!("{path}{query}")).await.json()["total"],
                total,
                "{query}"
            );
        }
        assert_eq!(
            world
                .post(path, &policy("Seven years", 1, json!({}), 1))
                .await
                .code(),
            "recording.policy.name.duplicate.name"
        );
    }
}

#[tokio::test]
async fn a_condition_or_action_this_simulator_does_not_evaluate_is_refused_and_never_ignored() {
    let world = World::with(Settings {
        max_retention_days: Some(1_000),
        ..unlimited(PublicSettings::default())
    })
    .await;
    let with = |conditions: Value| policy("p", 0, conditions, 10);
    let mut exports = with(json!({}));
    exports["mediaPolicies"]["callPolicy"]["actions"]["integrationExport"] =
        json!({"integration": {"id": "x"}});
    let mut nameless = with(json!({}));
    nameless.as_object_mut().expect("a policy").remove("name");
    for (body, code) in [
        (
            with(json!({"duration": {"durationMode": "Over"}})),
            "recording.media.policy.invalid",
        ),
        (
            with(json!({"directions": ["SIDEWAYS"]})),
            "recording.media.policy.invalid",
        ),
        (
            with(json!({"forUsers": [{"id": QUEUE}]})),
            "recording.media.policy.invalid",
        ),
        (
            with(json!({"forQueues": [{"id": JOHN}]})),
            "recording.policy.invalid.queue",
        ),
        (exports, "recording.media.policy.invalid"),
        (nameless, "recording.media.policy.invalid"),
        (
            policy("p", 0, json!({}), 1_001),
            "recording.policy.analytics.retention.violation",
        ),
    ] {
        let answer = world.post(CROSS, &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, code),
            "{body}"
        );
    }
    assert_eq!(world.get(CROSS).await.json()["total"], 0);
}

#[tokio::test]
async fn a_cross_platform_policy_works_on_recordings_that_come_after_it() {
    let world = World::public(PublicSettings {
        policy_days_from: PolicyDaysFrom::ConversationEnd,
        ..PublicSettings::default()
    })
    .await;
    assert_eq!(dateless(&world, 1).await, Value::Null);
    world
        .post(ORDINARY, &policy("ordinary", 0, json!({}), 1))
        .await;
    world
        .post(
            CROSS,
            &policy("other queue", 0, json!({"forQueues": [{"id": Uuid::from_u128(0x1111_0000_0000_4000_8000_0000_0000_0000 + 11)}]}), 2),
        )
        .await;
    world.post(CROSS, &policy("later", 5, json!({}), 3)).await;
    let fitting = json!({"forQueues": [{"id": QUEUE}], "forUsers": [{"id": JANE}], "wrapupCodes": [{"id": WRAPUP}], "directions": ["INBOUND"], "mediaTypes": ["CALL"]});
    world.post(CROSS, &policy("fitting", 1, fitting, 10)).await;
    assert_eq!(dateless(&world, 2).await, "2023-08-06T10:05:00.002Z");
    assert_eq!(
        world.recordings(1).await[0]["deleteDate"],
        Value::Null,
        "not retroactive"
    );
    world.injected(3).await;
    world.recorded(3).await;
    assert_eq!(
        world.recordings(3).await[0]["deleteDate"],
        "2030-07-27T10:05:00.456Z",
        "a stated date wins"
    );
}

#[tokio::test]
async fn a_policy_that_deletes_always_deletes_at_once_and_days_count_from_creation() {
    let world = World::public(PublicSettings::default()).await;
    world
        .post(CROSS, &policy("ten days", 1, json!({}), 10))
        .await;
    let date = dateless(&world, 1).await;
    let days = |text: &Value| {
        super::super::super::times::parse_utc(text.as_str().expect("a date")).expect("a time")
            - world.core.clock.now_ms()
    };
    assert!((days(&date) - 10 * 86_400_000).abs() < 60_000);
    world.post(CROSS, &json!({"name": "away", "order": 0, "enabled": true, "actions": {"alwaysDelete": true}})).await;
    let date = dateless(&world, 2).await;
    assert!(days(&date).abs() < 60_000);
}

#[tokio::test]
async fn a_policy_is_replaced_switched_off_and_deleted_in_its_family() {
    let world = World::public(PublicSettings::default()).await;
    for (path, other) in [(ORDINARY, CROSS), (CROSS, ORDINARY)] {
        let made = world
            .post(path, &policy("Seven years", 1, json!({}), 2_557))
            .await
            .json();
        world.post(path, &policy("Taken", 2, json!({}), 1)).await;
        let one = format!("{path}/{}", id_of(&made));
        world.core.clock.advance_ms(1_000).expect("on the calendar");
        let mut sent = made.clone();
        sent["name"] = json!("Ten days");
        sent["mediaPolicies"]["callPolicy"]["actions"]["retentionDuration"]["deleteRetention"]["days"] =
            json!(10);
        let replaced = world.json("PUT", &one, &sent).await;
        assert_eq!(replaced.status, 200, "{}", replaced.json());
        let shown = world.get(&one).await.json();
        assert_eq!(
            (&shown, &shown["name"], &shown["createdDate"]),
            (&replaced.json(), &json!("Ten days"), &made["createdDate"])
        );
        assert_ne!(shown["modifiedDate"], made["modifiedDate"]);
        assert_eq!(
            world
                .get(&format!("{path}?deleteDaysThreshold=9&name=ten"))
                .await
                .json()["total"],
            1
        );
        let taken = world
            .json("PUT", &one, &policy("Taken", 1, json!({}), 1))
            .await;
        assert_eq!(taken.code(), "recording.policy.name.duplicate.name");
        assert_eq!(
            world
                .json("PUT", &one, &policy("x", 1, json!({"duration": {}}), 1))
                .await
                .code(),
            "recording.media.policy.invalid"
        );
        assert_eq!(
            world
                .json("PATCH", &one, &json!({"enabled": false}))
                .await
                .json()["enabled"],
            false
        );
        assert_eq!(
            world
                .json("PATCH", &one, &json!({"name": "Other"}))
                .await
                .status,
            400
        );
        assert_eq!(
            world.get(&format!("{path}?enabled=false")).await.json()["entities"][0]["name"],
            "Ten days"
        );
        let elsewhere = format!("{other}/{}", id_of(&made));
        for (method, body) in [
            ("PUT", policy("y", 1, json!({}), 1)),
            ("PATCH", json!({})),
            ("DELETE", json!({})),
        ] {
            assert_eq!(
                world.json(method, &elsewhere, &body).await.status,
                404,
                "{method}"
            );
        }
        let deleted = world.json("DELETE", &one, &Value::Null).await;
        assert_eq!((deleted.status.as_u16(), deleted.body.len()), (200, 0));
        let again = world.json("DELETE", &one, &Value::Null).await;
        assert_eq!(
            (again.status.as_u16(), again.code().as_str()),
            (404, "recording.policy.not.found")
        );
        assert_eq!(world.get(path).await.json()["total"], 1);
    }
}

#[tokio::test]
async fn many_policies_are_deleted_by_their_ids_and_strange_ids_are_passed_over() {
    let world = World::public(PublicSettings::default()).await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(id_of(
            &world
                .post(CROSS, &policy(name, 1, json!({}), 10))
                .await
                .json(),
        ));
    }
    assert_eq!(world.json("DELETE", CROSS, &Value::Null).await.status, 400);
    let many = format!("ids={},{},{}", ids[0], QUEUE, ids[2]);
    assert_eq!(
        world
            .json("DELETE", &format!("{ORDINARY}?{many}"), &Value::Null)
            .await
            .status,
        200
    );
    assert_eq!(
        world.get(CROSS).await.json()["total"],
        3,
        "the other family's"
    );
    assert_eq!(
        world
            .json("DELETE", &format!("{CROSS}?{many}"), &Value::Null)
            .await
            .status,
        200
    );
    let left = world.get(CROSS).await.json();
    assert_eq!(
        (&left["total"], &left["entities"][0]["name"]),
        (&json!(1), &json!("b"))
    );
}

#[tokio::test]
async fn a_policy_that_is_off_or_gone_decides_nothing_more_and_leaves_what_it_decided() {
    let world = World::public(PublicSettings::default()).await;
    let id = id_of(
        &world
            .post(CROSS, &policy("ten days", 1, json!({}), 10))
            .await
            .json(),
    );
    let date = dateless(&world, 1).await;
    assert!(date.is_string());
    world
        .json(
            "PATCH",
            &format!("{CROSS}/{id}"),
            &json!({"enabled": false}),
        )
        .await;
    assert_eq!(dateless(&world, 2).await, Value::Null);
    world
        .json("PATCH", &format!("{CROSS}/{id}"), &json!({"enabled": true}))
        .await;
    assert!(dateless(&world, 3).await.is_string());
    world
        .json("DELETE", &format!("{CROSS}/{id}"), &Value::Null)
        .await;
    assert_eq!(dateless(&world, 4).await, Value::Null);
    assert_eq!(world.recordings(1).await[0]["deleteDate"], date);
}
