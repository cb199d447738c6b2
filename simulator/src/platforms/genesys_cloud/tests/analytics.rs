//! Details by query and by job.

use super::*;

const DETAILS: &str = "/api/v2/analytics/conversations/details";
const YEAR: &str = "2023-01-01T00:00:00.000Z/2024-01-01T00:00:00.000Z";
const MONTH: &str = "2023-07-01T00:00:00.000Z/2023-08-01T00:00:00.000Z";

impl World {
    async fn job(&self, body: &Value) -> String {
        let answer = self.post(&format!("{DETAILS}/jobs"), body).await;
        assert_eq!(
            answer.status,
            202,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        format!(
            "{DETAILS}/jobs/{}",
            answer.json()["jobId"].as_str().expect("an id")
        )
    }
}

#[tokio::test]
async fn a_job_runs_then_gives_every_conversation_once_by_its_cursor() {
    let world = World::with(Settings {
        analytics_job_ms: 3_000,
        requests_per_minute: 0,
        ..Settings::default()
    })
    .await;
    for number in 1..=5 {
        world.call(number).await;
    }
    let path = world
        .job(&json!({"interval": YEAR, "order": "asc", "orderBy": "conversationStart"}))
        .await;
    assert_eq!(world.get(&path).await.json()["state"], "PENDING");
    assert_eq!(world.get(&format!("{path}/results")).await.status, 400);
    world.core.clock.advance_ms(3_000).expect("on the calendar");
    assert_eq!(world.get(&path).await.json()["state"], "FULFILLED");
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world
            .get(&format!("{path}/results?pageSize=2{cursor}"))
            .await
            .json();
        seen.extend(
            page["conversations"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|one| one["conversationId"].clone()),
        );
        let Some(next) = page["cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(
        seen,
        (1..=5)
            .map(|number| json!(conversation_id(number)))
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_job_lags_and_says_how_far() {
    let world = World::with(Settings {
        analytics_lag_ms: 3_600_000,
        ..Settings::default()
    })
    .await;
    world.call(1).await;
    let early = world.job(&json!({"interval": YEAR})).await;
    let page = world.get(&format!("{early}/results")).await.json();
    assert_eq!(page["conversations"], json!([]));
    let available = page["dataAvailabilityDate"]
        .as_str()
        .and_then(super::super::times::parse_utc)
        .expect("a time");
    assert!((world.core.clock.now_ms() - available - 3_600_000).abs() < 60_000);
    world
        .core
        .clock
        .advance_ms(3_600_000)
        .expect("on the calendar");
    let late = world.job(&json!({"interval": YEAR})).await;
    assert_eq!(
        world.get(&format!("{late}/results")).await.json()["conversations"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    assert!(
        world
            .get(&format!("{DETAILS}/jobs/availability"))
            .await
            .json()["dataAvailabilityDate"]
            .is_string()
    );
}

#[tokio::test]
async fn a_query_finds_by_tag_and_by_id_without_attributes() {
    let world = World::new().await;
    world.call(1).await;
    world.call(2).await;
    for (dimension, value) in [
        ("externalTag", "st:acme:2".to_owned()),
        ("conversationId", conversation_id(2).to_string()),
    ] {
        let filter = json!({"type": "and", "predicates": [{"type": "dimension", "dimension": dimension, "operator": "matches", "value": value}]});
        let body = json!({"interval": MONTH, "conversationFilters": [filter], "paging": {"pageSize": 100, "pageNumber": 1}});
        let answer = world.post(&format!("{DETAILS}/query"), &body).await.json();
        assert_eq!(
            (
                &answer["totalHits"],
                &answer["conversations"][0]["externalTag"]
            ),
            (&json!(1), &json!("st:acme:2"))
        );
        assert!(answer["conversations"][0]["participants"][0]["attributes"].is_null());
    }
}

#[tokio::test]
async fn what_a_query_cannot_do_is_refused_and_never_ignored() {
    let world = World::new().await;
    let predicate = |dimension: &str| json!([{"type": "and", "predicates": [{"type": "dimension", "dimension": dimension, "value": "x"}]}]);
    for (body, says) in [
        (
            json!({"interval": MONTH, "segmentFilters": predicate("flowId")}),
            "unsupported filter",
        ),
        (
            json!({"interval": MONTH, "conversationFilters": predicate("mediaStatsMinConversationMos")}),
            "unsupported filter",
        ),
        (
            json!({"interval": MONTH, "conversationFilters": [{"type": "xor"}]}),
            "unsupported filter",
        ),
        (json!({"interval": YEAR}), "31 days"),
        (json!({"interval": "2023"}), "interval"),
        (
            json!({"interval": MONTH, "paging": {"pageSize": 101, "pageNumber": 1}}),
            "pageSize",
        ),
        (json!({"interval": MONTH, "order": "sideways"}), "order"),
        (json!({"interval": MONTH, "colour": "blue"}), "colour"),
        (json!({}), "interval"),
    ] {
        let answer = world.post(&format!("{DETAILS}/query"), &body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(
            answer.json()["message"]
                .as_str()
                .is_some_and(|text| text.contains(says)),
            "{body}: {}",
            answer.json()
        );
    }
}
