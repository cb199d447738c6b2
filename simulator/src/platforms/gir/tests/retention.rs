//! Labels, non-deletion, deletion, and the contact centre's own settings.

use super::*;

const DEFINITIONS: &str = "/api/v2/recording-label-definitions";

#[tokio::test]
async fn a_label_is_defined_put_on_a_recording_and_taken_off() {
    let world = World::new().await;
    world.insert(&named("r")).await;
    for (body, status, code) in [
        (json!({}), 400, 1),
        (json!({"name": ""}), 400, 1),
        (json!({"name": "__own"}), 400, 2),
        (json!({"name": "f\u{fc}nf"}), 400, 2),
        (
            json!({"name": "st-ret-5y", "description": "kept five years"}),
            201,
            0,
        ),
        (json!({"name": "st-ret-5y"}), 409, 18),
        (json!({"name": "ST-RET-5Y"}), 201, 0),
    ] {
        let answer = world.ask("POST", DEFINITIONS, &body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body}");
    }
    let defined = world.ask("GET", DEFINITIONS, &Value::Null).await;
    let wanted =
        json!({"name": "st-ret-5y", "displayName": "st-ret-5y", "description": "kept five years"});
    assert_eq!(defined.body["labelDefinitions"][1], wanted);
    let add = async |id: &str, label: &str| {
        let answer = world
            .ask(
                "POST",
                &format!("/api/v2/recordings/{id}/labels"),
                &json!({"labels": [{"name": label}]}),
            )
            .await;
        (answer.status, answer.code())
    };
    assert_eq!(
        (
            add("r", "unknown").await,
            add("nobody", "st-ret-5y").await,
            add("r", "st-ret-5y").await
        ),
        ((404, 6), (404, 6), (200, 0))
    );
    assert_eq!(
        world
            .ask("POST", "/api/v2/recordings/r/labels", &json!({}))
            .await
            .code(),
        1
    );
    let labels = json!([{"name": "st-ret-5y"}]);
    assert_eq!(
        world
            .ask("GET", "/api/v2/recordings/r/labels", &Value::Null)
            .await
            .body["labels"],
        labels
    );
    assert_eq!(world.read("r").await.body["recording"]["labels"], labels);
    assert_eq!(world.truth()[0]["attributes"]["label.st-ret-5y"], "true");
    let found = world
        .ask(
            "GET",
            &format!("{RECORDINGS}?label=st-ret-5y"),
            &Value::Null,
        )
        .await;
    assert_eq!(found.body["uris"].as_array().map(Vec::len), Some(1));
    let remove = async || {
        world
            .ask(
                "DELETE",
                "/api/v2/recordings/r/labels/st-ret-5y",
                &Value::Null,
            )
            .await
            .status
    };
    assert_eq!((remove().await, remove().await), (200, 404));
    assert_eq!(
        world.read("r").await.body["recording"]["labels"],
        Value::Null
    );
}

#[tokio::test]
async fn what_is_tagged_for_non_deletion_is_not_deleted() {
    let world = World::new().await;
    world.insert(&named("r")).await;
    let change = async |id: &str, body: Value| {
        let answer = world
            .ask("POST", &format!("/api/v2/recordings/{id}"), &body)
            .await;
        (answer.status, answer.code())
    };
    let apply = json!({"operationName": "applyNonDelete"});
    assert_eq!(change("r", json!({})).await, (400, 1));
    assert_eq!(
        change("r", json!({"operationName": "keep"})).await,
        (400, 2)
    );
    assert_eq!(change("nobody", apply.clone()).await, (404, 6));
    assert_eq!(change("r", apply).await, (200, 0));
    assert_eq!(world.read("r").await.body["recording"]["nonDelete"], true);
    assert_eq!(world.truth()[0]["retention"]["hold"], true);
    let delete = async || {
        world
            .ask("DELETE", &format!("{RECORDINGS}/r"), &Value::Null)
            .await
    };
    let refused = delete().await;
    assert_eq!(
        (refused.status, refused.code(), refused.words()),
        (403, 3, "Insufficient recording permissions.")
    );
    assert_eq!(
        change("r", json!({"operationName": "removeNonDelete"})).await,
        (200, 0)
    );
    assert_eq!((delete().await.status, delete().await.status), (200, 404));
    assert!(world.truth().is_empty());
    assert_eq!(
        world.insert(&named("r")).await.status,
        200,
        "an id that was deleted is new again"
    );
}

#[tokio::test]
async fn without_schema_v2_there_are_neither_labels_nor_non_deletion() {
    let world = World::with(Settings {
        features: vec!["api-supervisor-recording".to_owned()],
        ..Settings::default()
    })
    .await;
    world.insert(&named("r")).await;
    for (path, body) in [
        (DEFINITIONS, json!({"name": "x"})),
        (
            "/api/v2/recordings/r/labels",
            json!({"labels": [{"name": "x"}]}),
        ),
        (
            "/api/v2/recordings/r",
            json!({"operationName": "applyNonDelete"}),
        ),
    ] {
        let answer = world.ask("POST", path, &body).await;
        assert_eq!((answer.status, answer.code()), (403, 3), "{path}");
    }
}

#[tokio::test]
async fn an_account_that_is_no_admin_has_the_ops_paths_only() {
    let world = World::with(Settings {
        ops_is_admin: false,
        ..Settings::default()
    })
    .await;
    world.insert(&named("r")).await;
    assert_eq!(world.read("r").await.status, 200);
    for (method, path) in [
        ("GET", "/api/v2/recordings/r"),
        ("GET", "/api/v2/recordings?callerPhoneNumber=*"),
        ("POST", DEFINITIONS),
    ] {
        let answer = world.ask(method, path, &json!({})).await;
        assert_eq!(
            (answer.status, answer.code(), answer.words()),
            (403, 5, "Insufficient user roles."),
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_contact_centre_and_its_store_are_told_without_secrets() {
    let world = World::new().await;
    let centers = world
        .ask("GET", "/api/v2/ops/contact-centers", &Value::Null)
        .await;
    let wanted =
        "http://127.0.0.1:40005/api/v2/ops/contact-centers/57c0b771-b57c-4ea8-8655-7ef6d3c58ccc";
    assert_eq!(centers.body, json!({"statusCode": 0, "uris": [wanted]}));
    let path =
        "/api/v2/ops/contact-centers/57c0b771-b57c-4ea8-8655-7ef6d3c58ccc/settings/recordings";
    assert_eq!(
        world.ask("GET", path, &Value::Null).await.body,
        json!({"statusCode": 0, "store": []})
    );
    let store = json!({"store": [{"webDAV": {"userName": "dav", "password": "secret", "uri": "http://dav/recordings"}}]});
    assert_eq!(
        world
            .ask("PUT", path, &json!({"store": [{"tape": {}}]}))
            .await
            .status,
        400
    );
    assert_eq!(world.ask("PUT", path, &store).await.status, 200);
    let told = world.ask("GET", path, &Value::Null).await;
    assert_eq!(
        told.body["store"],
        json!([{"webDAV": {"userName": "dav", "uri": "http://dav/recordings"}}])
    );
}
