//! The contract files of the public ingestion against the platform.

use super::super::contracts::{contract, held_to};
use super::*;

#[tokio::test]
async fn the_contracts_conversation_is_injected_and_read_back() {
    let world = World::public(PublicSettings::default()).await;
    let events = contract("events_batch");
    let answer = world.ask(&events["request"]).await;
    assert_eq!(answer.json(), events["response"]["body"]);
    let held = world.ask(&events["then"][0]["request"]).await.json();
    let wanted = &events["then"][0]["response"]["body"];
    for field in [
        "id",
        "externalTag",
        "startTime",
        "endTime",
        "recordingState",
        "selfUri",
    ] {
        assert_eq!(held[field], wanted[field], "{field}");
    }
    let purposes: Vec<&str> = held["participants"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["purpose"].as_str())
        .collect();
    assert_eq!(purposes, ["customer", "ivr", "acd", "agent", "agent"]);
}

#[tokio::test]
async fn the_events_errors_are_those_of_the_contract() {
    let world = World::public(PublicSettings::default()).await;
    let events = contract("events_batch");
    let whole = &events["request"]["body"];
    let external = json!({"externalEstablishedEvents": whole["externalEstablishedEvents"]});
    world.post(EVENTS, &external).await;
    let early = json!({"communicationEndedEvents": [whole["communicationEndedEvents"][0]]});
    let many = json!({"holdUpdatedEvents": vec![whole["holdUpdatedEvents"][0].clone(); 101]});
    for (body, wanted) in [
        (early, &events["errors"][0]),
        (json!({}), &events["errors"][1]),
        (many, &events["errors"][2]),
    ] {
        let answer = world.post(EVENTS, &body).await;
        assert_eq!(
            Some(u64::from(answer.status.as_u16())),
            wanted["status"].as_u64()
        );
        for (field, value) in wanted["body"].as_object().expect("a body") {
            assert_eq!(&answer.json()[field], value, "{field}");
        }
    }
}

#[tokio::test]
async fn the_contracts_recording_is_uploaded_reported_and_attached() {
    let world = World::public(PublicSettings::default()).await;
    world.ask(&contract("events_batch")["request"]).await;
    let upload = contract("upload_recording");
    let announced = world.ask(&upload["request"]).await;
    held_to("upload_recording", &upload, &announced);
    for (field, value) in upload["response"]["body"]["headers"]
        .as_object()
        .expect("headers")
        .iter()
        .filter(|(name, _)| *name != "x-amz-tagging")
    {
        assert_eq!(&announced.json()["headers"][field], value);
    }
    let audio = upload["zip"]["entries"][1].as_str().expect("a name");
    let zip = zipped(&[
        ("metadata.json", upload["metadata"].to_string().as_bytes()),
        (audio, b"sound"),
    ]);
    let name = upload["request"]["body"]["fileName"]
        .as_str()
        .expect("a name");
    let put = world.upload_zip(name, &zip).await;
    assert_eq!(
        Some(u64::from(put.status.as_u16())),
        upload["then"][0]["response"]["status"].as_u64()
    );
    let rows = world.report(Some("Success")).await;
    assert_eq!(
        (rows.len(), rows[0][1].as_str(), rows[0][4].as_str()),
        (1, name, "Success")
    );
    let line = &world.lines()[0]["recordings"][0];
    assert_eq!(
        (&line["target_id"], &line["legacy_recording_id"]),
        (
            &upload["metadata"]["recordingId"],
            &upload["metadata"]["originatingRecordingId"]
        )
    );
    let mut hidden = upload["request"]["body"].clone();
    hidden["fileName"] = json!(".hidden");
    let refused = world
        .post("/api/v2/uploads/recordings", &hidden)
        .await
        .json();
    assert_eq!(
        (&refused["message"], &refused["details"]),
        (
            &upload["errors"][0]["body"]["message"],
            &upload["errors"][0]["body"]["details"]
        )
    );
}

#[tokio::test]
async fn a_report_is_answered_as_the_contract_says() {
    let world = World::public(PublicSettings::default()).await;
    let report = contract("create_upload_report");
    let created = world.ask(&report["request"]).await;
    held_to("create_upload_report", &report, &created);
    let path = format!(
        "/api/v2/recording/uploads/reports/{}",
        id_of(&created.json())
    );
    held_to(
        "get_upload_report",
        &report["then"][0],
        &world.get(&path).await,
    );
    let heading = report["then"][1]["response"]["body"]
        .as_str()
        .and_then(|text| text.lines().next())
        .expect("a heading");
    let settings = PublicSettings::default();
    assert_eq!(
        settings
            .report_columns
            .iter()
            .map(|column| column.heading())
            .collect::<Vec<_>>()
            .join(","),
        heading
    );
}

#[tokio::test]
async fn attributes_and_orphans_are_answered_as_the_contracts_say() {
    let world = World::public(PublicSettings {
        wait_for_conversation_ms: 1_000,
        ..PublicSettings::default()
    })
    .await;
    let (upload, orphan, attributes) = (
        contract("upload_recording"),
        contract("update_orphan"),
        contract("update_attributes"),
    );
    let audio = upload["zip"]["entries"][1].as_str().expect("a name");
    let zip = zipped(&[
        ("metadata.json", upload["metadata"].to_string().as_bytes()),
        (audio, b"sound"),
    ]);
    world.upload_zip("a.zip", &zip).await;
    world.core.clock.advance_ms(1_000).expect("on the calendar");
    let listed = world.ask(&orphan["before"][0]["request"]).await;
    held_to("list_orphans", &orphan["before"][0], &listed);
    world.ask(&contract("events_batch")["request"]).await;
    let path = format!(
        "/api/v2/orphanrecordings/{}",
        id_of(&listed.json()["entities"][0])
    );
    assert_eq!(
        world
            .json("PUT", &path, &orphan["request"]["body"])
            .await
            .status,
        200
    );
    let held = world
        .ask(&contract("events_batch")["then"][0]["request"])
        .await
        .json();
    let customer = held["participants"][0]["id"].as_str().expect("an id");
    let path = format!(
        "/api/v2/conversations/{}/participants/{customer}/attributes",
        held["id"].as_str().expect("an id")
    );
    let answer = world
        .json("PATCH", &path, &attributes["request"]["body"])
        .await;
    assert_eq!(
        Some(u64::from(answer.status.as_u16())),
        attributes["response"]["status"].as_u64()
    );
    assert_eq!(
        world.lines()[0]["attributes"],
        attributes["request"]["body"]["attributes"]
    );
}

/// Whether an answer has everything a contract's example has, by name and kind; more is not refused
/// here.
fn has_the_fields(example: &Value, answer: &Value) -> bool {
    match (example, answer) {
        (Value::Object(example), Value::Object(answer)) => example.iter().all(|(name, value)| {
            answer
                .get(name)
                .is_some_and(|other| has_the_fields(value, other))
        }),
        (Value::Array(example), Value::Array(answer)) => {
            example.len() <= answer.len()
                && example
                    .iter()
                    .zip(answer)
                    .all(|(one, other)| has_the_fields(one, other))
        }
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

#[tokio::test]
async fn what_is_written_and_what_is_read_after_it_are_answered_as_the_contracts_say() {
    let world = World::public(PublicSettings::default()).await;
    world.ask(&contract("events_batch")["request"]).await;
    let upload = contract("upload_recording");
    let audio = upload["zip"]["entries"][1].as_str().expect("a name");
    let zip = zipped(&[
        ("metadata.json", upload["metadata"].to_string().as_bytes()),
        (audio, b"sound"),
    ]);
    world.upload_zip("a.zip", &zip).await;
    for name in [
        "update_recording",
        "update_tags",
        "add_external_id",
        "create_crossplatform_policy",
        "create_recording_job",
        "update_deletionprotection",
    ] {
        let contract = contract(name);
        let first = world.ask(&contract["request"]).await;
        held_to(name, &contract, &first);
        let id = serde_json::from_slice::<Value>(&first.body)
            .ok()
            .and_then(|body| Some(body["id"].as_str()?.to_owned()));
        for then in contract["then"].as_array().into_iter().flatten() {
            let mut request = then["request"].clone();
            let path = request["path"]
                .as_str()
                .expect("a path")
                .replace("<id>", id.as_deref().unwrap_or_default());
            request["path"] = json!(path);
            let answer = world.ask(&request).await;
            let wanted = &then["response"];
            assert_eq!(
                Some(u64::from(answer.status.as_u16())),
                wanted["status"].as_u64(),
                "{name}: {}",
                answer.json()
            );
            assert!(
                has_the_fields(&wanted["body"], &answer.json()),
                "{name}: {}",
                answer.json()
            );
        }
    }
    assert_eq!(
        world.lines()[0]["retention"],
        json!({"delete_at": "2033-10-27T10:05:00.000Z", "hold": true})
    );
}
