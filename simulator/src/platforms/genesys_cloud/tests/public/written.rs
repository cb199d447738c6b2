//! What is written on conversations, recordings and users from outside.

use super::*;
use crate::platforms::Platform as _;

async fn call() -> (World, Value) {
    let world = World::with(Settings {
        max_retention_days: Some(36_500),
        ..unlimited(PublicSettings::default())
    })
    .await;
    world.injected(1).await;
    world.recorded(1).await;
    let held = world
        .get(&format!("/api/v2/conversations/{}", conversation_id(1)))
        .await
        .json();
    (world, held)
}

fn attributes_of(participant: &Value) -> String {
    format!(
        "/api/v2/conversations/{}/participants/{}/attributes",
        conversation_id(1),
        participant["id"].as_str().expect("an id")
    )
}

#[tokio::test]
async fn attributes_are_set_one_by_one_and_read_back_where_they_stand() {
    let (world, held) = call().await;
    let (customer, agent) = (&held["participants"][0], &held["participants"][3]);
    for attributes in [
        json!({"st.wait_ms": "12000", "st.talk_ms": "1"}),
        json!({"st.talk_ms": "281000"}),
    ] {
        assert_eq!(
            world
                .json(
                    "PATCH",
                    &attributes_of(customer),
                    &json!({"attributes": attributes})
                )
                .await
                .status,
            202
        );
    }
    assert_eq!(
        world
            .json(
                "PATCH",
                &attributes_of(agent),
                &json!({"attributes": {"note": "x"}})
            )
            .await
            .status,
        202
    );
    let now = world
        .get(&format!("/api/v2/conversations/{}", conversation_id(1)))
        .await
        .json();
    assert_eq!(
        now["participants"][0]["attributes"],
        json!({"st.talk_ms": "281000", "st.wait_ms": "12000"})
    );
    assert_eq!(now["participants"][3]["attributes"], json!({"note": "x"}));
    assert_eq!(
        world.lines()[0]["attributes"],
        json!({"st.talk_ms": "281000", "st.wait_ms": "12000"})
    );
    let missing = world
        .json(
            "PATCH",
            &attributes_of(&json!({"id": "x"})),
            &json!({"attributes": {}}),
        )
        .await;
    assert_eq!(
        (missing.status.as_u16(), missing.code().as_str()),
        (404, "conversation.error.participant.not.found")
    );
    assert_eq!(
        world
            .json(
                "PATCH",
                &attributes_of(customer),
                &json!({"attributes": {"a": 1}})
            )
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn attributes_and_a_replaced_tag_outlast_later_events() {
    let world = World::public(PublicSettings::default()).await;
    let events = call_events(1);
    world.inject(&events[..1]).await;
    let held = world
        .get(&format!("/api/v2/conversations/{}", conversation_id(1)))
        .await
        .json();
    world
        .json(
            "PATCH",
            &attributes_of(&held["participants"][0]),
            &json!({"attributes": {"st.wait_ms": "1"}}),
        )
        .await;
    let tags = format!("/api/v2/conversations/{}/tags", conversation_id(1));
    assert_eq!(
        world
            .json("PUT", &tags, &json!({"externalTag": "st:acme:77"}))
            .await
            .status,
        202
    );
    world.inject(&events[1..]).await;
    let line = &world.lines()[0];
    assert_eq!(
        (&line["legacy_interaction_id"], &line["attributes"]),
        (&json!("77"), &json!({"st.wait_ms": "1"}))
    );
    let now = world
        .get(&format!("/api/v2/conversations/{}", conversation_id(1)))
        .await
        .json();
    assert_eq!(
        now["participants"][0]["id"], held["participants"][0]["id"],
        "a participant keeps its id"
    );
    assert_eq!(world.json("PUT", &tags, &json!({})).await.status, 400);
    assert_eq!(
        world
            .json(
                "PUT",
                "/api/v2/conversations/x/tags",
                &json!({"externalTag": "a"})
            )
            .await
            .code(),
        "conversation.not.found"
    );
}

#[tokio::test]
async fn dates_of_a_recording_are_changed_and_removed() {
    let (world, _) = call().await;
    let path = format!(
        "/api/v2/conversations/{}/recordings/{}",
        conversation_id(1),
        recording_id(1)
    );
    let mut whole = world.get(&format!("{path}?formatId=NONE")).await.json();
    whole["deleteDate"] = json!("2040-01-01T00:00:00.000Z");
    whole["archiveDate"] = json!("2035-01-01T00:00:00.000Z");
    let answer = world.json("PUT", &path, &whole).await;
    assert_eq!(
        answer.status,
        200,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    let listed = world
        .get("/api/v2/recordings/retention/query?retentionThresholdDays=0")
        .await
        .json()["entities"][0]
        .clone();
    assert_eq!(
        (
            &listed["deleteDate"],
            &listed["archiveDate"],
            &listed["archiveMedium"]
        ),
        (
            &whole["deleteDate"],
            &whole["archiveDate"],
            &json!("CLOUDARCHIVE")
        )
    );
    assert_eq!(
        world.lines()[0]["retention"]["delete_at"],
        "2040-01-01T00:00:00.000Z"
    );
    let removed = world.json("PUT", &path, &json!({})).await.json();
    assert_eq!(
        (&removed["deleteDate"], &removed["archiveDate"]),
        (&Value::Null, &Value::Null)
    );
    for (body, code) in [
        (json!({"deleteDate": "2040"}), "invalid.date"),
        (
            json!({"deleteDate": "2035-01-01T00:00:00.000Z", "archiveDate": "2035-01-01T00:00:00.000Z"}),
            "constraint.validation",
        ),
        (
            json!({"deleteDate": "2199-01-01T00:00:00.000Z"}),
            "recording.recording.analytics.retention.violation",
        ),
    ] {
        let answer = world.json("PUT", &path, &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, code),
            "{body}"
        );
    }
    world.site.tamper("D11", 1, 7).expect("a victim");
    assert_eq!(
        world.json("PUT", &path, &json!({})).await.code(),
        "recording.not.archivable"
    );
}

#[tokio::test]
async fn conversations_are_protected_and_released() {
    let (world, _) = call().await;
    world.injected(2).await;
    let path = "/api/v2/recordings/deletionprotection";
    let both =
        json!({"conversationIds": [conversation_id(1), conversation_id(2), conversation_id(9)]});
    assert_eq!(world.json("PUT", path, &both).await.status, 204);
    assert_eq!(world.json("PUT", path, &both).await.status, 204);
    assert_eq!(
        world
            .post(path, &both)
            .await
            .json()
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    assert_eq!(
        world
            .json(
                "PUT",
                &format!("{path}?protect=false"),
                &json!({"conversationIds": [conversation_id(1)]})
            )
            .await
            .status,
        204
    );
    let holds: Vec<Value> = world
        .lines()
        .iter()
        .map(|line| line["retention"]["hold"].clone())
        .collect();
    assert_eq!(holds, [json!(false), json!(true)]);
    let effects = world.core.journal.effects();
    let told = |effect: &str| effects.lines().filter(|line| line.contains(effect)).count();
    assert_eq!(
        (told("\"protected\""), told("\"released\"")),
        (2, 1),
        "{effects}"
    );
    for (query, body, code) in [
        (
            "",
            json!({"conversationIds": []}),
            "recording.empty.payload",
        ),
        (
            "",
            json!({"conversationIds": vec![conversation_id(1); 101]}),
            "constraint.validation",
        ),
        (
            "",
            json!({"conversationIds": ["x"]}),
            "recording.conversation.id.not.uuid",
        ),
        (
            "?protect=maybe",
            json!({"conversationIds": [conversation_id(1)]}),
            "invalid.query.param.value",
        ),
    ] {
        let answer = world.json("PUT", &format!("{path}{query}"), &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, code),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_fault_on_one_conversation_of_a_protection_refuses_the_request() {
    let rule: FaultRule = toml::from_str(
        "on = 'genesys_cloud.update_deletionprotection'\nkind = \
            'server_error'\nattempts = [1]\nkeys = ['2']",
    )
    .expect("a rule");
    let world = World::with_faults(unlimited(PublicSettings::default()), vec![rule]).await;
    world.injected(1).await;
    world.injected(2).await;
    let both = json!({"conversationIds": [conversation_id(1), conversation_id(2)]});
    for status in [503, 204] {
        assert_eq!(
            world
                .json("PUT", "/api/v2/recordings/deletionprotection", &both)
                .await
                .status
                .as_u16(),
            status
        );
    }
}

#[tokio::test]
async fn an_external_id_belongs_to_one_user_in_its_exact_case() {
    let world = World::public(PublicSettings::default()).await;
    let path = |user: Uuid| format!("/api/v2/users/{user}/externalid");
    let id = |key: &str| json!({"authorityName": "legacy", "externalKey": key});
    let created = world.post(&path(JOHN), &id("A17")).await;
    assert_eq!(
        (created.status.as_u16(), &created.json()[0]["externalKey"]),
        (201, &json!("A17"))
    );
    assert_eq!(world.post(&path(JANE), &id("a17")).await.status, 201);
    for user in [JOHN, JANE] {
        let taken = world.post(&path(user), &id("A17")).await;
        assert_eq!(
            (taken.status.as_u16(), taken.code().as_str()),
            (409, "general.resource.conflict")
        );
    }
    for (key, user) in [("A17", JOHN), ("a17", JANE)] {
        assert_eq!(
            id_of(
                &world
                    .get(&format!("/api/v2/users/externalid/legacy/{key}"))
                    .await
                    .json()
            ),
            user
        );
    }
    let unknown = world.get("/api/v2/users/externalid/Legacy/A17").await;
    assert_eq!(
        (unknown.status.as_u16(), unknown.code().as_str()),
        (404, "general.resource.not.found")
    );
    assert_eq!(world.post(&path(QUEUE), &id("B1")).await.status, 404);
    assert_eq!(
        world.post(&path(JOHN), &id(" ")).await.code(),
        "general.bad.request"
    );
    for number in 1..100 {
        assert_eq!(
            world
                .post(&path(JOHN), &id(&number.to_string()))
                .await
                .status,
            201,
            "{number}"
        );
    }
    assert_eq!(
        world.post(&path(JOHN), &id("one too many")).await.code(),
        "general.bad.request"
    );
    assert_eq!(
        world.get(&path(JOHN)).await.json().as_array().map(Vec::len),
        Some(100)
    );
    assert!(
        world
            .core
            .journal
            .effects()
            .contains(r#""genesys_cloud.add_external_id","key":"legacy:A17""#)
    );
}

#[tokio::test]
async fn an_external_id_is_read_by_authority_and_deleted_where_it_is_the_users() {
    let world = World::public(PublicSettings::default()).await;
    let path = |user: Uuid| format!("/api/v2/users/{user}/externalid");
    for (authority, key) in [("legacy", "B2"), ("legacy", "A1"), ("other", "C3")] {
        world
            .post(
                &path(JOHN),
                &json!({"authorityName": authority, "externalKey": key}),
            )
            .await;
    }
    for (user, authority, expected) in [
        (JOHN, "legacy", Some("A1")),
        (JOHN, "other", Some("C3")),
        (JOHN, "Legacy", None),
        (JANE, "legacy", None),
    ] {
        let answer = world.get(&format!("{}/{authority}", path(user))).await;
        match expected {
            Some(key) => assert_eq!(
                (answer.status.as_u16(), &answer.json()["externalKey"]),
                (200, &json!(key)),
                "{authority}"
            ),
            None => assert_eq!(
                (answer.status.as_u16(), answer.code().as_str()),
                (404, "general.resource.not.found"),
                "{authority}"
            ),
        }
    }
    let of = |user: Uuid| format!("{}/legacy/A1", path(user));
    assert_eq!(
        world.json("DELETE", &of(JANE), &Value::Null).await.code(),
        "general.resource.not.found"
    );
    assert_eq!(
        world.json("DELETE", &of(JOHN), &Value::Null).await.status,
        204
    );
    assert_eq!(
        world.json("DELETE", &of(JOHN), &Value::Null).await.status,
        404
    );
    assert_eq!(
        world.get("/api/v2/users/externalid/legacy/A1").await.status,
        404
    );
    assert_eq!(
        world.get(&format!("{}/legacy", path(JOHN))).await.json()["externalKey"],
        "B2"
    );
    assert_eq!(
        world
            .post(
                &path(JANE),
                &json!({"authorityName": "legacy", "externalKey": "A1"})
            )
            .await
            .status,
        201,
        "free again"
    );
}

#[tokio::test]
async fn each_operation_asks_for_its_permission() {
    let orphan = format!("/api/v2/orphanrecordings/{}", v4(1, 1));
    let dates = format!(
        "/api/v2/conversations/{}/recordings/{}",
        conversation_id(1),
        recording_id(1)
    );
    for (permission, method, path, body) in [
        (
            "conversation:conversation:inject",
            "POST",
            EVENTS,
            json!({}),
        ),
        (
            "conversation:externalTag:edit",
            "PUT",
            "/api/v2/conversations/x/tags",
            json!({}),
        ),
        (
            "recording:recording:upload",
            "POST",
            "/api/v2/uploads/recordings",
            json!({}),
        ),
        (
            "recording:uploadReport:add",
            "POST",
            "/api/v2/recording/uploads/reports",
            json!({}),
        ),
        (
            "recording:uploadReport:view",
            "GET",
            "/api/v2/recording/uploads/reports/x",
            Value::Null,
        ),
        (
            "recording:orphan:view",
            "GET",
            "/api/v2/orphanrecordings",
            Value::Null,
        ),
        ("recording:orphan:view", "GET", &orphan, Value::Null),
        ("recording:orphan:edit", "PUT", &orphan, json!({})),
        ("recording:orphan:delete", "DELETE", &orphan, Value::Null),
        (
            "directory:user:edit",
            "POST",
            "/api/v2/users/x/externalid",
            json!({}),
        ),
        ("recording:recording:view", "PUT", &dates, json!({})),
        (
            "recording:recording:editRetention",
            "PUT",
            &dates,
            json!({}),
        ),
        (
            "recording:deletionProtection:apply",
            "PUT",
            "/api/v2/recordings/deletionprotection",
            json!({"conversationIds": ["x"]}),
        ),
        (
            "recording:deletionProtection:revoke",
            "PUT",
            "/api/v2/recordings/deletionprotection?protect=false",
            json!({"conversationIds": ["x"]}),
        ),
        (
            "recording:retentionPolicy:add",
            "POST",
            "/api/v2/recording/mediaretentionpolicies",
            json!({}),
        ),
        (
            "recording:retentionPolicy:view",
            "GET",
            "/api/v2/recording/mediaretentionpolicies",
            Value::Null,
        ),
        (
            "recording:crossPlatformRetentionPolicy:add",
            "POST",
            "/api/v2/recording/crossplatform/mediaretentionpolicies",
            json!({}),
        ),
        (
            "recording:crossPlatformRetentionPolicy:view",
            "GET",
            "/api/v2/recording/crossplatform/mediaretentionpolicies",
            Value::Null,
        ),
        (
            "recording:job:add",
            "POST",
            "/api/v2/recording/jobs",
            json!({}),
        ),
        (
            "recording:job:view",
            "GET",
            "/api/v2/recording/jobs",
            Value::Null,
        ),
        (
            "recording:job:edit",
            "PUT",
            "/api/v2/recording/jobs/x",
            json!({}),
        ),
        (
            "recording:recording:editRetention",
            "PUT",
            "/api/v2/recording/jobs/x",
            json!({}),
        ),
    ] {
        let world = World::with(Settings {
            missing_scopes: vec![permission.to_owned()],
            ..unlimited(PublicSettings::default())
        })
        .await;
        let answer = world.json(method, path, &body).await;
        assert_eq!(
            answer.status,
            403,
            "{permission} {method} {path}: {}",
            answer.json()
        );
        let is_own = answer.code() == "recording.recording.edit.retention.permission.check.failed";
        assert!(
            is_own
                || answer.json()["message"]
                    .as_str()
                    .is_some_and(|text| text.contains(permission)),
            "{}",
            answer.json()
        );
        let granted = world.get("/api/v2/tokens/me").await.json()["authorizedScope"].to_string();
        assert!(!granted.contains(&format!("\"{permission}\"")), "{granted}");
    }
}

#[tokio::test]
async fn an_organisation_protects_no_more_conversations_than_its_maximum() {
    let world = World::with(Settings {
        max_protected: 2,
        ..unlimited(PublicSettings::default())
    })
    .await;
    for number in 1..=3 {
        world.injected(number).await;
    }
    let path = "/api/v2/recordings/deletionprotection";
    let put = |numbers: &[u64], protect: bool| {
        let ids: Vec<Value> = numbers
            .iter()
            .map(|number| json!(conversation_id(*number)))
            .collect();
        let (world, path) = (&world, format!("{path}?protect={protect}"));
        async move {
            world
                .json("PUT", &path, &json!({"conversationIds": ids}))
                .await
                .status
                .as_u16()
        }
    };
    assert_eq!(put(&[1, 2, 3], true).await, 400, "one too many");
    let held = || {
        let lines = world.lines();
        let holds = lines
            .iter()
            .filter(|line| line["retention"]["hold"] == true);
        holds.count()
    };
    assert_eq!(held(), 0, "of a request that is refused nothing is done");
    assert_eq!(put(&[1, 2, 2], true).await, 204);
    assert_eq!(put(&[2], true).await, 204, "it is protected already");
    assert_eq!((put(&[3], true).await, held()), (400, 2));
    assert_eq!(put(&[1], false).await, 204);
    assert_eq!(
        (put(&[3], true).await, held()),
        (204, 2),
        "a place is free again"
    );
}
