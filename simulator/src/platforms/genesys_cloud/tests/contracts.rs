//! Every contract file against the platform: its request is taken, and the answer has the
//! contract's field names.

use std::path::Path;

use super::*;

pub(super) fn contract(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../scenarios/contracts/genesys_cloud")
        .join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Names of fields that the example has and the answer lacks, and the other way round.
fn differing(example: &Value, answer: &Value, at: &str, found: &mut Vec<String>) {
    match (example, answer) {
        (Value::Object(example), Value::Object(answer)) if at.ends_with("attributes") => {
            assert!(
                example
                    .values()
                    .chain(answer.values())
                    .all(Value::is_string)
            );
        }
        (Value::Object(example), Value::Object(answer)) => {
            for (name, value) in example {
                match answer.get(name) {
                    Some(other) => differing(value, other, &format!("{at}.{name}"), found),
                    None => found.push(format!("{at}.{name}")),
                }
            }
        }
        (Value::Array(example), Value::Array(answer)) => {
            if let (Some(one), Some(other)) = (example.first(), answer.first()) {
                differing(one, other, &format!("{at}[]"), found);
            } else if !example.is_empty() {
                found.push(format!("{at}[] is empty"));
            }
        }
        (Value::String(_), Value::Null) | (Value::Null, Value::String(_)) => {}
        _ if std::mem::discriminant(example) == std::mem::discriminant(answer) => {}
        _ => found.push(format!("{at}: {example} became {answer}")),
    }
}

pub(super) fn held_to(name: &str, contract: &Value, answer: &Answer) {
    let wanted = &contract["response"];
    assert_eq!(
        Some(u64::from(answer.status.as_u16())),
        wanted["status"].as_u64(),
        "{name}: {}",
        String::from_utf8_lossy(&answer.body)
    );
    if wanted["body"].is_object() || wanted["body"].is_array() {
        let mut found = Vec::new();
        differing(&wanted["body"], &answer.json(), name, &mut found);
        assert!(found.is_empty(), "{found:?} in {}", answer.json());
    }
}

fn address(request: &Value) -> String {
    let mut path = request["path"].as_str().expect("a path").to_owned();
    let mut separator = '?';
    for (name, value) in request["query"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name != "cursor")
    {
        path.push_str(&format!(
            "{separator}{name}={}",
            value.as_str().expect("text")
        ));
        separator = '&';
    }
    path
}

impl World {
    pub(super) async fn ask(&self, request: &Value) -> Answer {
        match request["method"].as_str() {
            Some("GET") => self.get(&address(request)).await,
            Some(method) => self.json(method, &address(request), &request["body"]).await,
            None => panic!("a contract without a method"),
        }
    }

    /// The contract's own interaction, with a file that was really uploaded.
    async fn contracts_interaction(&self) -> Value {
        let mut contract = contract("create_interaction");
        let file = self.any_file("st-acme-100001-1.0123456789ab.mp3").await;
        contract["request"]["body"]["segments"][0]["recording"]["fileId"] = json!(file);
        contract
    }

    pub(super) async fn with_contracts_call() -> World {
        let world = World::unlimited().await;
        let contract = world.contracts_interaction().await;
        let answer = world.ask(&contract["request"]).await;
        assert_eq!(
            answer.status,
            201,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        world
    }
}

#[tokio::test]
async fn a_token_is_issued_as_the_contract_says() {
    let world = World::new().await;
    let contract = contract("token");
    held_to(
        "token",
        &contract,
        &world.token_request("client", "secret").await,
    );
    for (index, (id, secret)) in [("nobody", "secret"), ("client", "wrong")]
        .into_iter()
        .enumerate()
    {
        let answer = world.token_request(id, secret).await;
        let wanted = &contract["errors"][index];
        assert_eq!(
            Some(u64::from(answer.status.as_u16())),
            wanted["status"].as_u64()
        );
        assert_eq!(answer.json(), wanted["body"]);
    }
}

#[tokio::test]
async fn an_upload_is_answered_as_the_contract_says() {
    let world = World::new().await;
    let contract = contract("upload_file");
    let body = contract["request"]["body"]
        .as_str()
        .expect("text")
        .replace("<bytes>", "ID3 sound");
    let answer = world.upload_raw(body.into_bytes()).await;
    held_to("upload_file", &contract, &answer);
    assert_eq!(answer.json()["sizeBytes"], 9);
    assert_eq!(answer.json()["name"], "st-acme-100001-1.0123456789ab.mp3");
}

#[tokio::test]
async fn an_interaction_is_created_read_and_replaced_with_every_field_of_the_contract() {
    let world = World::unlimited().await;
    let contract = world.contracts_interaction().await;
    let sent = &contract["request"]["body"];
    let mut kept = sent.clone();
    kept["selfUri"] = json!("/api/v2/interactions/a2c1d6a0-0f0e-5b52-8a53-000000100001");
    let created = world.ask(&contract["request"]).await;
    assert_eq!(
        (created.status.as_u16(), created.json()),
        (201, kept.clone())
    );
    let read = world
        .get("/api/v2/interactions/a2c1d6a0-0f0e-5b52-8a53-000000100001")
        .await;
    assert_eq!((read.status.as_u16(), read.json()), (200, kept.clone()));
    let mut other = kept.clone();
    other["direction"] = json!("outbound");
    let replaced = world
        .json(
            "PUT",
            "/api/v2/interactions/a2c1d6a0-0f0e-5b52-8a53-000000100001",
            &other,
        )
        .await;
    assert_eq!((replaced.status.as_u16(), replaced.json()), (200, other));
}

#[tokio::test]
async fn the_interactions_errors_are_those_of_the_contract() {
    let world = World::with_contracts_call().await;
    let contract = world.contracts_interaction().await;
    let mut wrong = contract["request"]["body"].clone();
    wrong["participants"][0]["id"] = json!("x");
    let errors = &contract["errors"];
    for (body, wanted) in [
        (&contract["request"]["body"], &errors[0]),
        (&wrong, &errors[1]),
    ] {
        let answer = world.post("/api/v2/interactions", body).await;
        let mut found = Vec::new();
        differing(&wanted["body"], &answer.json(), "error", &mut found);
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(
            Some(u64::from(answer.status.as_u16())),
            wanted["status"].as_u64()
        );
        assert_eq!(answer.json()["code"], wanted["body"]["code"]);
        assert_eq!(answer.json()["message"], wanted["body"]["message"]);
        assert_eq!(answer.json()["entityId"], wanted["body"]["entityId"]);
    }
}

#[tokio::test]
async fn every_read_of_the_contracts_is_answered_with_its_fields() {
    let world = World::with_contracts_call().await;
    for name in [
        "get_conversation",
        "list_recordings",
        "list_recordingmetadata",
        "list_users",
        "list_divisions",
        "list_queues",
        "list_wrapupcodes",
        "list_skills",
        "query_retention",
        "get_user",
        "get_queue",
        "get_wrapupcode",
        "get_skill",
        "get_home_division",
        "get_organization",
    ] {
        let mut contract = contract(name);
        if name == "query_retention" {
            // One page holds all there is: it names no next one.
            contract["response"]["body"]
                .as_object_mut()
                .expect("a body")
                .remove("nextUri");
        }
        held_to(name, &contract, &world.ask(&contract["request"]).await);
    }
}

#[tokio::test]
async fn a_protected_conversation_is_answered_as_the_contract_says() {
    let world = World::with_contracts_call().await;
    let mut held = world.contracts_interaction().await["request"]["body"].clone();
    held["deletionProtection"] = json!(true);
    world
        .json(
            "PUT",
            "/api/v2/interactions/a2c1d6a0-0f0e-5b52-8a53-000000100001",
            &held,
        )
        .await;
    let contract = contract("query_deletionprotection");
    held_to(
        "query_deletionprotection",
        &contract,
        &world.ask(&contract["request"]).await,
    );
}

#[tokio::test]
async fn a_batch_is_created_and_read_as_the_contracts_say() {
    let world = World::with_contracts_call().await;
    let created = contract("create_batchrequest");
    let answer = world.ask(&created["request"]).await;
    held_to("create_batchrequest", &created, &answer);
    let path = format!("/api/v2/recording/batchrequests/{}", id_of(&answer.json()));
    held_to(
        "get_batchrequest",
        &contract("get_batchrequest"),
        &world.get(&path).await,
    );
}

#[tokio::test]
async fn details_are_queried_as_the_contracts_say() {
    let world = World::with_contracts_call().await;
    let mut query = contract("query_details");
    query["response"]["body"]["conversations"] = json!([]);
    let answer = world.ask(&query["request"]).await;
    assert_eq!(answer.json()["totalHits"], 1);
    held_to("query_details", &query, &answer);

    let job = contract("create_details_job");
    let answer = world.ask(&job["request"]).await;
    held_to("create_details_job", &job, &answer);
    let id = answer.json()["jobId"].as_str().expect("an id").to_owned();
    let path = format!("/api/v2/analytics/conversations/details/jobs/{id}");
    held_to("get_details_job", &job["then"][0], &world.get(&path).await);
    let mut results = job["then"][1].clone();
    results["response"]["body"]
        .as_object_mut()
        .expect("a body")
        .remove("cursor");
    held_to(
        "get_details_results",
        &results,
        &world.get(&format!("{path}/results?pageSize=1000")).await,
    );
}
