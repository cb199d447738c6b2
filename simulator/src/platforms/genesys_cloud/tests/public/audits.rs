//! The audit of what was changed by API.

use super::*;

const AUDITS: &str = "/api/v2/audits/query";

/// The whole simulated time.
const EVER: &str = "2000-01-01T00:00:00.000Z/2100-01-01T00:00:00.000Z";

impl World {
    /// Asks the audit; the whole results.
    async fn audited(&self, more: Value) -> Vec<Value> {
        let mut asked = json!({"interval": EVER});
        asked
            .as_object_mut()
            .expect("a query")
            .extend(more.as_object().expect("fields").clone());
        let answer = self.post(AUDITS, &asked).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["state"]),
            (202, &json!("Queued")),
            "{}",
            answer.json()
        );
        let path = format!("{AUDITS}/{}", id_of(&answer.json()));
        assert_eq!(self.get(&path).await.json()["state"], "Succeeded");
        self.get(&format!("{path}/results?pageSize=500"))
            .await
            .json()["entities"]
            .as_array()
            .expect("a list")
            .clone()
    }

    /// A world in which a call's dates, its protection and a policy were changed.
    async fn changed(public: PublicSettings) -> World {
        let world = World::public(public).await;
        world.injected(1).await;
        world.recorded(1).await;
        let dates = format!(
            "/api/v2/conversations/{}/recordings/{}",
            conversation_id(1),
            recording_id(1)
        );
        assert_eq!(
            world
                .json(
                    "PUT",
                    &dates,
                    &json!({"deleteDate": "2031-01-01T00:00:00.000Z"})
                )
                .await
                .status,
            200
        );
        world
            .core
            .clock
            .advance_ms(60_000)
            .expect("on the calendar");
        let body = json!({"conversationIds": [conversation_id(1)]});
        for _ in 0..2 {
            world
                .json("PUT", "/api/v2/recordings/deletionprotection", &body)
                .await;
        }
        world
            .post(
                "/api/v2/recording/crossplatform/mediaretentionpolicies",
                &json!({"name": "Ten days"}),
            )
            .await;
        world
    }
}

#[tokio::test]
async fn the_audit_tells_what_was_changed_in_the_order_of_time() {
    let world = World::changed(PublicSettings::default()).await;
    let all = world.audited(json!({})).await;
    let told: Vec<(&str, &str)> = all
        .iter()
        .map(|one| {
            (
                one["entityType"].as_str().expect("a type"),
                one["action"].as_str().expect("an action"),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("Recording", "Update"),
            ("Conversation", "Update"),
            ("Policy", "Create")
        ],
        "a repeated protection changes nothing"
    );
    assert_eq!(
        (&all[0]["entity"]["id"], &all[0]["client"]["id"]),
        (&json!(recording_id(1)), &json!("client"))
    );
    let dates = json!([{"property": "deleteDate", "oldValues": ["2030-07-27T10:05:00.456Z"], "newValues": ["2031-01-01T00:00:00.000Z"]}]);
    assert_eq!(all[0]["propertyChanges"], dates);
    assert_eq!(all[1]["propertyChanges"][0]["newValues"], json!(["true"]));
    assert_eq!(all[2]["entity"]["name"], "Ten days");
    let late = all[1]["eventDate"].as_str().expect("a date");
    for (query, expected) in [
        (
            json!({"filters": [{"property": "EntityType", "value": "Policy"}]}),
            1,
        ),
        (
            json!({"filters": [{"property": "EntityId", "value": conversation_id(1)}]}),
            1,
        ),
        (
            json!({"filters": [{"property": "Action", "value": "Update"}, {"property": "ClientId", "value": "client"}]}),
            2,
        ),
        (
            json!({"filters": [{"property": "UserId", "value": JOHN}]}),
            0,
        ),
        (json!({"serviceName": "Quality"}), 3),
        (json!({"serviceName": "Routing"}), 0),
        (
            json!({"interval": format!("2000-01-01T00:00:00.000Z/{late}")}),
            1,
        ),
    ] {
        assert_eq!(
            world.audited(query.clone()).await.len(),
            expected,
            "{query}"
        );
    }
    let newest = world
        .audited(json!({"sort": [{"name": "Timestamp", "sortOrder": "descending"}]}))
        .await;
    assert_eq!(newest[0]["entityType"], "Policy");
}

#[tokio::test]
async fn an_audit_query_runs_its_time_and_gives_its_entries_once_by_cursor() {
    let world = World::changed(PublicSettings {
        audit_query_ms: 1_000,
        ..PublicSettings::default()
    })
    .await;
    let path = format!(
        "{AUDITS}/{}",
        id_of(&world.post(AUDITS, &json!({"interval": EVER})).await.json())
    );
    let running = world.get(&path).await;
    assert_eq!(
        (running.status.as_u16(), &running.json()["state"]),
        (202, &json!("Running"))
    );
    assert_eq!(world.get(&format!("{path}/results")).await.status, 400);
    world.core.clock.advance_ms(1_000).expect("on the calendar");
    assert_eq!(world.get(&path).await.json()["state"], "Succeeded");
    world
        .post(
            "/api/v2/recording/mediaretentionpolicies",
            &json!({"name": "After the query"}),
        )
        .await;
    let first = world
        .get(&format!("{path}/results?pageSize=2"))
        .await
        .json();
    let next = format!(
        "{path}/results?pageSize=2&cursor={}",
        first["cursor"].as_str().expect("more")
    );
    let second = world.get(&next).await.json();
    assert_eq!(
        (
            first["entities"].as_array().map(Vec::len),
            second["entities"].as_array().map(Vec::len)
        ),
        (Some(2), Some(1))
    );
    assert!(second.get("cursor").is_none(), "{second}");
    for (path, code) in [
        (
            format!("{path}/results?pageSize=501"),
            "invalid.query.param.value",
        ),
        (format!("{AUDITS}/x"), "not.found"),
    ] {
        assert_eq!(world.get(&path).await.code(), code);
    }
    for body in [
        json!({"interval": "ever"}),
        json!({"interval": EVER, "filters": [{"property": "Colour", "value": "blue"}]}),
        json!({}),
    ] {
        assert_eq!(world.post(AUDITS, &body).await.status, 400, "{body}");
    }
}
