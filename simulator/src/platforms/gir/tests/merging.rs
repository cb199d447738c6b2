//! What a second insertion of an id does, and what the truth tells.

use super::*;
use crate::platforms::gir::{Repeated, Wins};

/// The recording after the sample was inserted, then inserted again with another caller and size.
async fn twice(settings: Settings) -> Value {
    let world = World::with(settings).await;
    world.insert(&sample()).await;
    let mut again = sample();
    again["callerPhoneNumber"] = json!("+15550000000");
    again["mediaFiles"][0]["size"] = json!("1");
    again["eventHistory"][0]["data"] = json!({"updated": {"drink": "tea"}});
    let answer = world.insert(&again).await;
    assert_eq!(
        (answer.status, answer.code()),
        (200, 0),
        "a known id is not refused"
    );
    assert!(world.core.journal.effects().contains("\"merged\""));
    assert_eq!(world.truth().len(), 1);
    world.read("alex-test-id").await.body["recording"].take()
}

#[tokio::test]
async fn a_known_id_is_merged_as_the_settings_say() {
    for (repeated, files, events, size, data) in [
        (Repeated::Duplicated, 4, 4, "67324", "added"),
        (Repeated::Replaced, 2, 2, "1", "updated"),
        (Repeated::Kept, 2, 2, "67324", "added"),
    ] {
        let held = twice(Settings {
            repeated_media: repeated,
            repeated_events: repeated,
            ..Settings::default()
        })
        .await;
        let count = |name: &str| held[name].as_array().map(Vec::len);
        assert_eq!(
            (count("mediaFiles"), count("eventHistory")),
            (Some(files), Some(events)),
            "{repeated:?}"
        );
        assert_eq!(held["mediaFiles"][0]["size"], size, "{repeated:?}");
        assert!(
            held["eventHistory"][0]["data"][data].is_object(),
            "{repeated:?}"
        );
    }
    for (wins, caller) in [(Wins::First, "+14160000000"), (Wins::Last, "+15550000000")] {
        assert_eq!(
            twice(Settings {
                merged_values: wins,
                ..Settings::default()
            })
            .await["callerPhoneNumber"],
            caller
        );
    }
}

#[tokio::test]
async fn segments_of_one_call_come_together() {
    let world = World::new().await;
    let (mut first, mut second) = (sample(), sample());
    first["mediaFiles"].as_array_mut().expect("files").pop();
    first.as_object_mut().expect("an object").remove("callType");
    second["mediaFiles"]
        .as_array_mut()
        .expect("files")
        .remove(0);
    world.insert(&first).await;
    let one = world.read("alex-test-id").await.body["recording"].take();
    world.insert(&second).await;
    let both = world.read("alex-test-id").await.body["recording"].take();
    assert_eq!(
        (&one["callType"], &both["callType"]),
        (&Value::Null, &json!("Inbound")),
        "what was missing is filled in"
    );
    assert_eq!(
        (&one["startTime"], &both["startTime"]),
        (
            &json!("2015-06-15T23:59:00.000+0000"),
            &json!("2015-06-15T23:58:00.000+0000")
        )
    );
    assert_eq!(
        one["mediaFiles"][0], both["mediaFiles"][0],
        "a file keeps its address"
    );
}

#[tokio::test]
async fn the_truth_is_told_by_legacy_id() {
    let world = World::new().await;
    for id in ["st-acme-2026-100010", "native", "st-acme-2026-9"] {
        let mut recording = named(id);
        recording["mediaFiles"][0]["mediaId"] = json!(format!("{id}-1"));
        world.insert(&recording).await;
    }
    let truth = world.truth();
    let ids: Vec<&Value> = truth
        .iter()
        .map(|line| &line["legacy_interaction_id"])
        .collect();
    assert_eq!(ids, [&json!("9"), &json!("100010"), &Value::Null]);
    let line = &truth[1];
    assert_eq!(
        (&line["start"], &line["end"]),
        (
            &json!("2015-06-15T23:58:00.000Z"),
            &json!("2015-06-15T23:59:59.000Z")
        )
    );
    assert_eq!(
        (&line["direction"], &line["ani"], &line["dnis"]),
        (
            &json!("inbound"),
            &json!("+14160000000"),
            &json!("+14161111111")
        )
    );
    assert_eq!(
        line["participants"],
        json!([{"role": "agent", "id": "agent.bob@example.com"}])
    );
    assert_eq!(
        line["attributes"],
        json!({"drink": "cola", "food": "burger", "sim.speechminer_posts": "0"})
    );
    assert_eq!(line["recordings"][0]["legacy_recording_id"], "100010-1");
    assert_eq!(line["recordings"][1]["legacy_recording_id"], Value::Null);
}
