//! Aggregates count what the details tell.

use super::{
    contracts::{contract, held_to},
    *,
};

const PATH: &str = "/api/v2/analytics/conversations/aggregates/query";
const INTERVAL: &str = "2023-07-01T00:00:00.000Z/2023-08-01T00:00:00.000Z";

impl World {
    async fn aggregate(&self, more: Value) -> Vec<Value> {
        let mut body = json!({"interval": INTERVAL, "metrics": ["nConversations"]});
        more.as_object()
            .expect("fields")
            .iter()
            .for_each(|(name, value)| body[name] = value.clone());
        let answer = self.post(PATH, &body).await;
        assert_eq!(
            answer.status,
            200,
            "{body}: {}",
            String::from_utf8_lossy(&answer.body)
        );
        answer.json()["results"]
            .as_array()
            .expect("results")
            .clone()
    }
}

/// Each group's value of a dimension, and its first figure.
fn counts(results: &[Value], dimension: &str) -> Vec<(Value, u64)> {
    let count = |one: &Value| {
        one["data"][0]["metrics"][0]["stats"]["count"]
            .as_u64()
            .expect("a count")
    };
    results
        .iter()
        .map(|one| (one["group"][dimension].clone(), count(one)))
        .collect()
}

#[tokio::test]
async fn conversations_are_counted_by_queue_user_direction_and_media_type() {
    let world = populated(8).await;
    assert_eq!(
        counts(&world.aggregate(json!({})).await, "mediaType"),
        [(json!("voice"), 8)]
    );
    assert_eq!(
        counts(
            &world.aggregate(json!({"groupBy": ["queueId"]})).await,
            "queueId"
        ),
        [(json!(QUEUE), 8)]
    );
    // Every fourth was transferred to Jane.
    let users = world.aggregate(json!({"groupBy": ["userId"]})).await;
    assert_eq!(
        counts(&users, "userId"),
        [(json!(JOHN), 8), (json!(JANE), 2)]
    );
    assert_eq!(
        counts(
            &world
                .aggregate(json!({"groupBy": ["direction", "mediaType"]}))
                .await,
            "direction"
        ),
        [(json!("inbound"), 8)]
    );
    let tags = world.aggregate(json!({"groupBy": ["externalTag"]})).await;
    assert_eq!(tags.len(), 8);
    let details = json!({"interval": "2023-07-20T00:00:00Z/2023-08-01T00:00:00Z"});
    let listed = world
        .post("/api/v2/analytics/conversations/details/query", &details)
        .await
        .json();
    assert_eq!(listed["totalHits"], 8, "as many as the details have");
}

#[tokio::test]
async fn times_are_summed_over_the_agents_legs() {
    let world = populated(4).await;
    let asked =
        json!({"metrics": ["tTalk", "tHandle", "nConnected", "nOffered", "nOutbound", "tHeld"]});
    let metrics = world.aggregate(asked).await[0]["data"][0]["metrics"].clone();
    let stats = |name: &str| {
        let found = metrics
            .as_array()
            .expect("metrics")
            .iter()
            .find(|one| one["metric"] == name);
        found.map(|one| one["stats"].clone())
    };
    // Four legs of 148333 ms, and the one a call was transferred to.
    let talk = json!({"count": 5, "min": 140_000, "max": 148_333, "sum": 4 * 148_333 + 140_000});
    assert_eq!(
        (stats("tTalk"), stats("tHandle")),
        (Some(talk.clone()), Some(talk))
    );
    assert_eq!(
        (stats("nConnected"), stats("nOffered")),
        (Some(json!({"count": 5})), Some(json!({"count": 4})))
    );
    assert_eq!(
        (stats("nOutbound"), stats("tHeld")),
        (None, None),
        "what is nothing is left out"
    );
}

#[tokio::test]
async fn an_interval_is_cut_by_its_granularity_and_holds_what_started_in_it() {
    let world = World::unlimited().await;
    for (number, day) in [(1, 27), (2, 28), (3, 28)] {
        let file = world
            .any_file(&format!("st-acme-{number}-1.0123456789ab.mp3"))
            .await;
        let text = interaction(number, file)
            .to_string()
            .replace("2023-07-27T", &format!("2023-07-{day}T"));
        assert_eq!(
            world
                .post(
                    "/api/v2/interactions",
                    &serde_json::from_str(&text).expect("JSON")
                )
                .await
                .status,
            201
        );
    }
    let days = |results: &[Value]| -> Vec<(String, Value)> {
        let data = results[0]["data"].as_array().expect("data");
        data.iter()
            .map(|one| {
                (
                    one["interval"].as_str().expect("text")[..10].to_owned(),
                    one["metrics"][0]["stats"]["count"].clone(),
                )
            })
            .collect()
    };
    let found = world.aggregate(json!({"granularity": "P1D"})).await;
    assert_eq!(
        days(&found),
        [
            ("2023-07-27".to_owned(), json!(1)),
            ("2023-07-28".to_owned(), json!(2))
        ]
    );
    let outside = json!({"interval": "2023-07-29T00:00:00Z/2023-08-01T00:00:00Z"});
    assert!(world.aggregate(outside).await.is_empty());
    let ended = json!({"interval": "2023-07-27T10:00:01Z/2023-07-28T00:00:00Z"});
    assert!(
        world.aggregate(ended).await.is_empty(),
        "the one that had begun before is not of this interval"
    );
}

#[tokio::test]
async fn filters_hold_for_one_participant_at_a_time() {
    let world = populated(4).await;
    let is = |dimension: &str, value: &dyn ToString| json!({"type": "dimension", "dimension": dimension, "value": value.to_string()});
    for (kind, predicates, found) in [
        ("and", vec![is("queueId", &QUEUE), is("userId", &JANE)], 1),
        ("or", vec![is("userId", &JANE), is("userId", &JOHN)], 4),
        ("and", vec![is("userId", &JANE), is("userId", &JOHN)], 0),
        ("and", vec![is("externalTag", &"st:acme:2")], 1),
    ] {
        let results = world
            .aggregate(json!({"filter": {"type": kind, "predicates": predicates}}))
            .await;
        let count = results.first().map_or(0, |one| {
            one["data"][0]["metrics"][0]["stats"]["count"]
                .as_u64()
                .unwrap_or(0)
        });
        assert_eq!(count, found, "{kind} {predicates:?}");
    }
}

#[tokio::test]
async fn what_is_not_evaluated_is_refused() {
    let world = World::unlimited().await;
    for (more, code) in [
        (json!({"metrics": []}), "bad.request"),
        (json!({"metrics": ["tVoicemail"]}), "bad.request"),
        (json!({"groupBy": ["teamId"]}), "bad.request"),
        (json!({"views": [{"name": "x"}]}), "bad.request"),
        (json!({"queryType": "topN", "limit": 5}), "bad.request"),
        (
            json!({"filter": {"type": "and", "predicates": [{"dimension": "teamId", "value": "x"}]}}),
            "bad.request",
        ),
        (json!({"granularity": "daily"}), "invalid.value"),
        (
            json!({"timeZone": "Nowhere", "granularity": "P1D"}),
            "invalid.value",
        ),
        (json!({"interval": "yesterday"}), "invalid.date"),
        (json!({"paging": {}}), "invalid.property"),
    ] {
        let mut body = json!({"interval": INTERVAL, "metrics": ["nConversations"]});
        more.as_object()
            .expect("fields")
            .iter()
            .for_each(|(name, value)| body[name] = value.clone());
        let answer = world.post(PATH, &body).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.code()),
            (400, code),
            "{body}"
        );
    }
}

#[tokio::test]
async fn aggregates_are_answered_as_the_contract_says() {
    let world = World::with_contracts_call().await;
    let contract = contract("query_aggregates");
    let answer = world.ask(&contract["request"]).await;
    held_to("query_aggregates", &contract, &answer);
    assert_eq!(answer.json(), contract["response"]["body"]);
}
