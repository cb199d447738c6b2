//! Searches of participants' attributes, and of custom attributes.

use super::*;
use crate::platforms::genesys_cloud::AttributeSearch;

const SEARCH: &str = "/api/v2/conversations/participants/attributes/search";

fn on(kind: &str, field: &str, value: impl serde::Serialize) -> Value {
    json!({"type": kind, "fields": [field], "value": value})
}

fn between(from: &str, to: &str) -> Value {
    json!({"type": "DATE_RANGE", "fields": ["startTime"], "startValue": format!("2023-07-27T{from}:00.000Z"), "endValue": format!("2023-07-27T{to}:00.000Z")})
}

impl World {
    /// An injected call with an attribute on its customer.
    async fn attributed(&self, number: u64) {
        self.injected(number).await;
        let whole = format!("/api/v2/conversations/{}", conversation_id(number));
        let customer = self.get(&whole).await.json()["participants"][0]["id"].clone();
        let path = format!(
            "{whole}/participants/{}/attributes",
            customer.as_str().expect("an id")
        );
        let attributes =
            json!({"attributes": {"st.legacy_id": number.to_string(), "st.kind": "voice"}});
        assert_eq!(self.json("PATCH", &path, &attributes).await.status, 202);
    }

    async fn found(&self, query: &[Value]) -> Vec<Value> {
        let answer = self.post(SEARCH, &json!({"query": query})).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer.json()["results"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one["conversationId"].clone())
            .collect()
    }
}

#[tokio::test]
async fn attributes_are_answered_for_a_window_of_time_and_not_searched_by() {
    let world = World::with(Settings {
        token_seconds: 40 * 86_400,
        ..unlimited(PublicSettings::default())
    })
    .await;
    for number in 1..=3 {
        world.attributed(number).await;
    }
    world.injected(4).await;
    let day = between("00:00", "23:59");
    let all: Vec<Value> = (1..=3)
        .map(|number| json!(conversation_id(number)))
        .collect();
    assert_eq!(
        world.found(std::slice::from_ref(&day)).await,
        all,
        "a conversation without attributes is not found"
    );
    assert_eq!(
        world
            .found(&[
                day.clone(),
                on("EXACT", "conversationId", conversation_id(2))
            ])
            .await,
        [all[1].clone()]
    );
    assert_eq!(
        world.found(&[between("11:00", "12:00")]).await,
        Vec::<Value>::new()
    );
    let division =
        world.get("/api/v2/authorization/divisions").await.json()["entities"][0]["id"].clone();
    assert_eq!(
        world
            .found(&[on("EXACT", "divisionId", division)])
            .await
            .len(),
        3
    );
    let row = world
        .post(
            SEARCH,
            &json!({"query": [on("EXACT", "conversationId", conversation_id(1))]}),
        )
        .await
        .json()["results"][0]
        .clone();
    let data = &row["participantData"][0];
    assert_eq!(
        (
            &data["participantPurpose"],
            &data["participantAttributes"]["st.legacy_id"]
        ),
        (&json!("customer"), &json!("1"))
    );
    assert_eq!(data["sessionIds"], json!([leg(1, 1)]));
    let chosen = json!({"query": [day], "returnFields": ["conversationId"]});
    assert_eq!(
        world.post(SEARCH, &chosen).await.json()["results"][0],
        json!({"conversationId": conversation_id(1)})
    );
    for query in [
        json!([on("EXACT", "st.legacy_id", "1")]),
        json!([on("EXACT", "participantData.st.legacy_id", "1")]),
        json!([on("CONTAINS", "conversationId", "a")]),
        json!([{"type": "EXACT", "fields": ["conversationId"], "value": "x", "operator": "OR"}]),
        json!([{"type": "EXACT", "fields": ["conversationId"]}]),
        json!([]),
    ] {
        let refused = world.post(SEARCH, &json!({"query": query})).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["message"]),
            (400, &json!("Search not supported.")),
            "{query}"
        );
    }
    let long = json!({"type": "DATE_RANGE", "fields": ["startTime"], "startValue": "2023-07-26T00:00:00.000Z", "endValue": "2023-07-28T00:00:00.000Z"});
    assert_eq!(
        world.post(SEARCH, &json!({"query": [long]})).await.code(),
        "bad.request"
    );
    world
        .core
        .clock
        .advance_ms(31 * 86_400_000)
        .expect("on the calendar");
    assert_eq!(
        world.found(&[between("00:00", "23:59")]).await,
        Vec::<Value>::new(),
        "after a month nothing is found"
    );
}

#[tokio::test]
async fn a_search_by_attributes_is_there_where_a_setting_says_so() {
    let world = World::public(PublicSettings {
        attribute_search: AttributeSearch::Attributes,
        ..PublicSettings::default()
    })
    .await;
    for number in 1..=2 {
        world.attributed(number).await;
    }
    assert_eq!(
        world.found(&[on("EXACT", "st.legacy_id", "2")]).await,
        [json!(conversation_id(2))]
    );
    assert_eq!(
        world
            .found(&[on("EXACT", "st.kind", "voice"), between("00:00", "23:59")])
            .await
            .len(),
        2
    );
    assert_eq!(
        world
            .found(&[
                on("EXACT", "st.kind", "voice"),
                on("EXACT", "st.legacy_id", "3")
            ])
            .await,
        Vec::<Value>::new()
    );
}

#[tokio::test]
async fn a_search_gives_fifty_conversations_a_page() {
    let world = World::public(PublicSettings::default()).await;
    for number in 1..=51 {
        world.attributed(number).await;
    }
    let query = json!([between("00:00", "23:59")]);
    let first = world.post(SEARCH, &json!({"query": query})).await.json();
    assert_eq!(first["results"].as_array().map(Vec::len), Some(50));
    let second = world
        .post(SEARCH, &json!({"query": query, "cursor": first["cursor"]}))
        .await
        .json();
    assert_eq!(
        (
            second["results"][0]["conversationId"].clone(),
            second.get("cursor")
        ),
        (json!(conversation_id(51)), None)
    );
    let newest = world
        .post(
            SEARCH,
            &json!({"query": query, "sortBy": "startTime", "sortOrder": "DESC"}),
        )
        .await
        .json();
    assert_eq!(
        newest["results"][0]["conversationId"],
        json!(conversation_id(51))
    );
    assert_eq!(
        world
            .post(SEARCH, &json!({"query": query, "cursor": "x"}))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn there_are_no_custom_attributes() {
    let world = World::public(PublicSettings::default()).await;
    world.injected(1).await;
    let of = |number: u64| {
        format!(
            "/api/v2/conversations/{}/customattributes",
            conversation_id(number)
        )
    };
    assert_eq!(world.get(&of(1)).await.json(), json!({"results": []}));
    assert_eq!(world.get(&of(2)).await.status, 404);
    let found = world
        .post(
            "/api/v2/conversations/customattributes/search",
            &json!({"pageSize": 10}),
        )
        .await
        .json();
    assert_eq!(
        (&found["total"], &found["results"], &found["pageSize"]),
        (&json!(0), &json!([]), &json!(10))
    );
}
