//! A recording's annotations are written, read alone and deleted.

use super::{
    contracts::{contract, held_to},
    *,
};

fn annotations(number: u64) -> String {
    format!(
        "/api/v2/conversations/{}/recordings/{}/annotations",
        conversation_id(number),
        recording_id(number)
    )
}

#[tokio::test]
async fn an_annotation_is_written_changed_and_deleted_beside_the_pauses() {
    let world = World::unlimited().await;
    world.call(1).await;
    let path = annotations(1);
    let made = world
        .post(
            &path,
            &json!({"location": 1_500, "description": "Here it begins", "reason": "Hold"}),
        )
        .await;
    assert_eq!(made.status, 200, "{}", String::from_utf8_lossy(&made.body));
    let made = made.json();
    assert_eq!(
        (&made["type"], &made["durationMs"], made.get("reason")),
        (&json!("bookmark"), &json!(0), None)
    );
    let listed = world.get(&path).await.json();
    assert_eq!(
        (listed.as_array().map(Vec::len), &listed[1]),
        (Some(2), &made)
    );
    let recording = format!(
        "/api/v2/conversations/{}/recordings/{}?formatId=NONE",
        conversation_id(1),
        recording_id(1)
    );
    assert_eq!(world.get(&recording).await.json()["annotations"], listed);
    let own = made["selfUri"].as_str().expect("an address");
    assert_eq!(world.get(own).await.json(), made);
    let mut sent = made.clone();
    (sent["location"], sent["description"]) = (json!(2_500), json!("Here it really begins"));
    assert_eq!(
        world.json("PUT", own, &sent).await.json(),
        sent,
        "it is sent back as it was read"
    );
    assert_eq!(world.json("DELETE", own, &Value::Null).await.status, 204);
    assert_eq!(
        world.get(own).await.code(),
        "recording.annotation.not.found"
    );
    assert_eq!(
        world.get(&path).await.json(),
        json!([listed[0]]),
        "the pause is what it was"
    );
    let effects = world.core.journal.effects();
    for effect in [
        "genesys_cloud.create_annotation",
        "genesys_cloud.update_annotation",
        "genesys_cloud.delete_annotation",
    ] {
        assert!(effects.contains(effect), "{effect}");
    }
}

#[tokio::test]
async fn annotations_are_answered_as_the_contract_says() {
    let world = World::with_contracts_call().await;
    let written = contract("create_annotation");
    let made = world.ask(&written["request"]).await;
    held_to("create_annotation", &written, &made);
    let text = written.to_string().replace(
        "aa0b0000-0000-5000-8000-0000000000f9",
        made.json()["id"].as_str().expect("an id"),
    );
    let written: Value = serde_json::from_str(&text).expect("JSON");
    for then in written["then"].as_array().expect("steps") {
        held_to(
            "create_annotation",
            then,
            &world.ask(&then["request"]).await,
        );
    }
}

#[tokio::test]
async fn pauses_share_an_id_and_are_read_and_deleted_by_it_together() {
    let world = World::unlimited().await;
    let file = world.any_file("st-acme-1-1.0123456789ab.mp3").await;
    let mut call = interaction(1, file);
    let pause = |at: u64| json!({"type": "pause", "reason": "SecurePause", "location": at, "durationMs": 500});
    call["segments"][0]["recording"]["annotations"] = json!([pause(1_000), pause(3_000)]);
    assert_eq!(world.post("/api/v2/interactions", &call).await.status, 201);
    let bookmark = world
        .post(&annotations(1), &json!({"location": 10}))
        .await
        .json();
    let listed = world.get(&annotations(1)).await.json();
    assert_eq!(listed[0]["id"], listed[1]["id"]);
    assert_ne!(listed[0]["id"], bookmark["id"]);
    let shared = listed[0]["selfUri"].as_str().expect("an address");
    let read = world.get(shared).await.json();
    assert_eq!(
        (
            &read["location"],
            read["annotations"].as_array().map(Vec::len)
        ),
        (&json!(1_000), Some(2))
    );
    let changed = world
        .json(
            "PUT",
            shared,
            &json!({"location": 1_250, "durationMs": 500}),
        )
        .await
        .json();
    assert_eq!(
        (&changed["location"], &changed["reason"]),
        (&json!(1_250), &json!("SecurePause"))
    );
    assert_eq!(world.json("DELETE", shared, &Value::Null).await.status, 204);
    assert_eq!(world.get(&annotations(1)).await.json(), json!([bookmark]));
}

#[tokio::test]
async fn what_is_wrong_with_an_annotation_is_refused() {
    let world = World::unlimited().await;
    world.call(1).await;
    let path = annotations(1);
    let long = json!({"description": "ä".repeat(501)});
    for (body, wanted) in [
        (long, "constraint.validation"),
        (json!({"location": -1}), "invalid.value"),
        (json!({"durationMs": -1}), "invalid.value"),
        (json!({"colour": "red"}), "invalid.property"),
        (json!({"location": "early"}), "bad.request"),
    ] {
        let answer = world.post(&path, &body).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.code()),
            (400, wanted),
            "{body}"
        );
    }
    assert_eq!(
        world
            .post(&path, &json!({"description": "ä".repeat(500)}))
            .await
            .status,
        200
    );
    let elsewhere = format!(
        "/api/v2/conversations/{}/recordings/{QUEUE}/annotations",
        conversation_id(1)
    );
    assert_eq!(world.post(&elsewhere, &json!({})).await.code(), "not.found");
    let unknown = format!("{path}/{QUEUE}");
    for method in ["PUT", "DELETE"] {
        assert_eq!(
            world.json(method, &unknown, &json!({})).await.code(),
            "recording.annotation.not.found",
            "{method}"
        );
    }
    let kept = world.site.take_snapshot();
    world.post(&path, &json!({"location": 7})).await;
    world.site.restore_snapshot(&kept);
    assert_eq!(
        world.get(&path).await.json().as_array().map(Vec::len),
        Some(2)
    );
}
