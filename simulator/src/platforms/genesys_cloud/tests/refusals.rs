//! What the guide's surface refuses, and which field it names.

use super::*;

/// Sets a value at a path such as `segments.0.start`.
fn set(body: &mut Value, path: &str, value: Value) {
    let mut place = body;
    for name in path.split('.') {
        place = match name.parse::<usize>() {
            Ok(index) => &mut place[index],
            Err(_) => &mut place[name],
        };
    }
    *place = value;
}

#[tokio::test]
async fn a_wrong_value_is_400_naming_its_field() {
    let world = World::unlimited().await;
    let file = world.any_file("a.mp3").await;
    let nobody = json!("99999999-0000-4000-8000-000000000000");
    for (path, value, field) in [
        ("participants.0.id", nobody.clone(), "participants[0].id"),
        ("participants.0.id", json!(QUEUE), "participants[0].id"),
        (
            "participants.0.type",
            json!("robot"),
            "participants[0].type",
        ),
        (
            "participants.0.wrapUpCode",
            nobody.clone(),
            "participants[0].wrapUpCode",
        ),
        ("participants.1.id", json!("external"), "participants[1].id"),
        ("routing.queue.id", nobody.clone(), "routing.queue.id"),
        (
            "routing.skills.0.id",
            nobody.clone(),
            "routing.skills[0].id",
        ),
        (
            "segments.0.recording.fileId",
            nobody.clone(),
            "segments[0].recording.fileId",
        ),
        (
            "segments.0.participantId",
            nobody.clone(),
            "segments[0].participantId",
        ),
        (
            "segments.0.recording.id",
            json!("1"),
            "segments[0].recording.id",
        ),
        (
            "segments.0.recording.retention.deleteDate",
            json!("2030"),
            "segments[0].recording.retention.deleteDate",
        ),
        (
            "segments.0.end",
            json!("2023-07-27T10:00:11.000Z"),
            "segments[0].end",
        ),
        (
            "updatedTime",
            json!("2023-07-27T09:59:59.999Z"),
            "updatedTime",
        ),
        (
            "createdTime",
            json!("2023-07-27T10:00:00.000"),
            "createdTime",
        ),
        (
            "createdTime",
            json!("2023-07-27T10:00:00.000+00:00"),
            "createdTime",
        ),
        ("createdTime", json!("2023-07-27 10:00:00Z"), "createdTime"),
        ("createdTime", json!("2023-02-30T10:00:00Z"), "createdTime"),
        ("createdTime", json!("1690452000000"), "createdTime"),
        ("direction", json!("INBOUND"), "direction"),
        ("direction", json!("internal"), "direction"),
        ("type", json!("chat"), "type"),
        ("id", json!("100001"), "id"),
        ("colour", json!("blue"), "colour"),
    ] {
        let mut body = interaction(1, file);
        set(&mut body, path, value.clone());
        let answer = world.post("/api/v2/interactions", &body).await;
        assert_eq!(answer.status, 400, "{path} = {value}");
        assert_eq!(
            answer.json()["details"][0]["fieldName"],
            field,
            "{path} = {value}: {}",
            answer.json()
        );
    }
    assert_eq!(world.truth(), "");
}

#[tokio::test]
async fn an_existing_id_is_409_with_the_id() {
    let world = World::new().await;
    let body = world.call(1).await;
    let answer = world.post("/api/v2/interactions", &body).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (409, "request.conflict")
    );
    assert_eq!(answer.json()["entityId"], body["id"]);
}

#[tokio::test]
async fn an_update_of_nothing_is_404_and_of_another_id_is_400() {
    let world = World::new().await;
    let mut body = world.call(1).await;
    let nothing = world
        .json(
            "PUT",
            &format!("/api/v2/interactions/{}", conversation_id(2)),
            &body,
        )
        .await;
    assert_eq!(nothing.status, 404);
    let path = format!("/api/v2/interactions/{}", conversation_id(1));
    body["id"] = json!(conversation_id(2));
    assert_eq!(world.json("PUT", &path, &body).await.status, 400);
    body.as_object_mut().expect("a body").remove("id");
    assert_eq!(world.json("PUT", &path, &body).await.status, 200);
}

#[tokio::test]
async fn a_recording_may_be_linked_by_a_later_update() {
    let world = World::new().await;
    let file = world.any_file("st-acme-1-1.0123456789ab.mp3").await;
    let whole = interaction(1, file);
    let mut without = whole.clone();
    without["segments"][0]["recording"]
        .as_object_mut()
        .expect("a recording")
        .remove("fileId");
    assert_eq!(
        world.post("/api/v2/interactions", &without).await.status,
        201
    );
    let path = format!(
        "/api/v2/conversations/{}/recordings?formatId=NONE",
        conversation_id(1)
    );
    assert_eq!(world.get(&path).await.json()[0]["fileState"], "UPLOADING");
    assert_eq!(
        world
            .json(
                "PUT",
                &format!("/api/v2/interactions/{}", conversation_id(1)),
                &whole
            )
            .await
            .status,
        200
    );
    assert_eq!(world.get(&path).await.json()[0]["fileState"], "AVAILABLE");
}

#[tokio::test]
async fn a_body_of_another_type_is_415_and_a_large_one_413() {
    let world = World::with(Settings {
        max_request_bytes: 2_000,
        ..Settings::default()
    })
    .await;
    let request = Request::post("/api/v2/interactions")
        .header("authorization", format!("Bearer {}", world.token))
        .header("content-type", "text/plain");
    let answer = world
        .send(request.body(Body::from("{}")).expect("a request"))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (415, "unsupported.media.type")
    );
    let answer = world
        .post("/api/v2/interactions", &json!({"id": "x".repeat(3_000)}))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (413, "request.entity.too.large")
    );
}

#[tokio::test]
async fn no_json_is_400_and_unknown_paths_and_methods_have_the_envelope() {
    let world = World::new().await;
    let request = Request::post("/api/v2/interactions")
        .header("authorization", format!("Bearer {}", world.token))
        .header("content-type", "application/json; charset=utf-8");
    let answer = world
        .send(request.body(Body::from("{")).expect("a request"))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (400, "bad.request")
    );
    let answer = world.get("/api/v2/none").await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (404, "not.found")
    );
    let answer = world.json("DELETE", "/api/v2/users", &json!({})).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (405, "method.not.allowed")
    );
    assert!(!answer.header("inin-correlation-id").is_empty());
}

#[tokio::test]
async fn a_value_of_another_kind_is_no_field_name() {
    let world = World::new().await;
    let mut body = interaction(1, world.any_file("a.mp3").await);
    body["direction"] = json!(7);
    let answer = world.post("/api/v2/interactions", &body).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["details"]),
        (400, &json!([]))
    );
    body.as_object_mut().expect("a body").remove("direction");
    let answer = world.post("/api/v2/interactions", &body).await;
    assert_eq!(
        (
            answer.status.as_u16(),
            &answer.json()["details"][0]["fieldName"]
        ),
        (400, &json!("direction"))
    );
}

#[tokio::test]
async fn retention_follows_the_date_then_the_tag_then_nothing() {
    let world = World::new().await;
    let file = world.any_file("a.mp3").await;
    for (number, retention, expected) in [
        (
            1,
            json!({"tag": "7-Year Retention", "deleteDate": "2031-01-01T00:00:00Z"}),
            json!("2031-01-01T00:00:00.000Z"),
        ),
        (
            2,
            json!({"tag": "7-Year Retention"}),
            json!("2030-07-27T10:00:00.123Z"),
        ),
        (3, json!({"tag": "Whatever"}), Value::Null),
    ] {
        let mut body = interaction(number, file);
        body["segments"][0]["recording"]["retention"] = retention;
        assert_eq!(world.post("/api/v2/interactions", &body).await.status, 201);
        let path = format!(
            "/api/v2/conversations/{}/recordingmetadata",
            conversation_id(number)
        );
        assert_eq!(world.get(&path).await.json()[0]["deleteDate"], expected);
    }
}

#[tokio::test]
async fn a_date_beyond_the_organisations_maximum_is_refused_and_the_maximum_can_be_read() {
    let path = "/api/v2/analytics/dataretention/settings";
    assert_eq!(World::new().await.get(path).await.json(), json!({}));
    let world = World::with(Settings {
        max_retention_days: Some(1_826),
        ..Settings::default()
    })
    .await;
    assert_eq!(
        world.get(path).await.json(),
        json!({"retentionDays": 1_826})
    );
    let file = world.any_file("a.mp3").await;
    let answer = world
        .post("/api/v2/interactions", &interaction(1, file))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (400, "recording.recording.analytics.retention.violation")
    );
}

#[tokio::test]
async fn an_interaction_without_participants_is_taken_by_a_rule_with_a_name() {
    let world = World::unlimited().await;
    let body = json!({
        "id": conversation_id(1), "type": "call", "direction": "inbound",
        "createdTime": "2023-07-27T10:00:00.000Z", "updatedTime": "2023-07-27T10:05:00.000Z",
    });
    assert_eq!(world.post("/api/v2/interactions", &body).await.status, 201);
    let held = world
        .get(&format!("/api/v2/conversations/{}", conversation_id(1)))
        .await
        .json();
    let purposes: Vec<&Value> = held["participants"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["purpose"])
        .collect();
    assert_eq!(purposes, ["customer"]);
    let met: Vec<&str> = world
        .core
        .exercised
        .rules()
        .iter()
        .map(|rule| rule.name)
        .collect();
    assert!(
        met.contains(&"genesys_cloud.guide.no_participants"),
        "{met:?}"
    );
}

#[tokio::test]
async fn an_interaction_under_protection_counts_towards_the_organisations_maximum() {
    let world = World::with(Settings {
        max_protected: 1,
        ..Settings::default()
    })
    .await;
    let mut bodies = Vec::new();
    for number in 1..=2 {
        let file = world.any_file(&format!("{number}.mp3")).await;
        let mut body = interaction(number, file);
        body["deletionProtection"] = json!(true);
        bodies.push(body);
    }
    let path = "/api/v2/interactions";
    assert_eq!(world.post(path, &bodies[0]).await.status, 201);
    let refused = world.post(path, &bodies[1]).await;
    assert_eq!(refused.status, 400, "{}", refused.json());
    let own = format!("{path}/{}", id_of(&bodies[0]));
    assert_eq!(
        world.json("PUT", &own, &bodies[0]).await.status,
        200,
        "it is protected already"
    );
    bodies[1]["deletionProtection"] = json!(false);
    assert_eq!(world.post(path, &bodies[1]).await.status, 201);
}
