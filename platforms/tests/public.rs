//! The public ingestion against the contract files both ends are held to, over the network and over
//! pipes.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

mod common;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::routing::{any, post};
use futures_util::StreamExt;
use parking_lot::Mutex;
use platforms::OpenFile;
use platforms::clock::Clock;
use platforms::genesys_cloud::public::{
    Disposition, Ended, Established, Event, Head, InitialConfiguration, SourceConfiguration,
    UploadRequest, UploadTarget,
};
use platforms::genesys_cloud::{PublicClient, Settings};
use serde_json::{Value, json};

use common::{both, credentials};

fn contract(name: &str) -> Value {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../scenarios/contracts/genesys_cloud")
        .join(name);
    serde_json::from_str(&std::fs::read_to_string(&file).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

/// What was asked of the platform: method, path with query, headers, body.
type Asked = Arc<Mutex<Vec<(Method, String, HeaderMap, Bytes)>>>;

/// A platform that notes everything and answers `answer` with `status`.
fn platform(asked: Asked, status: u16, answer: Value) -> Router {
    let note = move |State(asked): State<Asked>,
                     method: Method,
                     uri: Uri,
                     headers: HeaderMap,
                     body: Bytes| async move {
        asked.lock().push((method, uri.to_string(), headers, body));
        let text = if answer.is_null() {
            String::new()
        } else {
            answer.to_string()
        };
        (StatusCode::from_u16(status).unwrap(), text)
    };
    let token = || async { json!({"access_token": "t", "expires_in": 3600}).to_string() };
    Router::new()
        .route("/oauth/token", post(token))
        .fallback(any(note))
        .with_state(asked)
}

/// A client of that platform over each transport, with what was asked through it.
async fn clients(status: u16, answer: Value) -> Vec<(PublicClient, Asked)> {
    let asked = Asked::default();
    let served = both(platform(asked.clone(), status, answer)).await;
    let client = |(_, transport, url): (&str, _, url::Url)| {
        let settings = Settings {
            token_url: url.join("/oauth/token").unwrap(),
            api_url: url,
            credentials: credentials(),
            requests_per_minute: u32::MAX,
        };
        (
            PublicClient::new(transport, Clock::real(), settings),
            asked.clone(),
        )
    };
    served.into_iter().map(client).collect()
}

fn last(asked: &Asked) -> (Method, String, HeaderMap, Bytes) {
    asked.lock().last().cloned().unwrap()
}

fn head(n: u32) -> Head {
    Head {
        event_id: format!("e0000000-0000-4000-8000-00000000000{n}"),
        event_date_time: "2023-10-27T10:00:00.000Z".to_owned(),
        conversation_id: "a2c1d6a0-0f0e-4b52-8a53-000000100001".to_owned(),
        communication_id: "5e900000-0000-4000-8000-000000000001".to_owned(),
    }
}

fn established(n: u32) -> Established {
    Established {
        head: head(n),
        ani: Some("+15550100199".to_owned()),
        dnis: Some("+18005550123".to_owned()),
        queue_id: None,
        skill_ids: Vec::new(),
        user_id: None,
        initial_configuration: InitialConfiguration {
            alerting: false,
            inbound: true,
            recording_active: false,
        },
        source_configuration: SourceConfiguration {
            source_id: "legacy".to_owned(),
            interaction_id: "100001".to_owned(),
            tag_id: "st:acme-2026:100001".to_owned(),
        },
    }
}

#[tokio::test]
async fn events_have_the_fields_of_the_contract_and_no_others() {
    let (queue, user) = (
        Some("0a0b0000-0000-4000-8000-0000000000d1".to_owned()),
        Some("550e8400-e29b-41d4-a716-446655440001".to_owned()),
    );
    let plain = |n| Established {
        ani: None,
        dnis: None,
        ..established(n)
    };
    let events = [
        Event::External(established(1)),
        Event::Routing(Established {
            queue_id: queue,
            skill_ids: vec!["0a0b0000-0000-4000-8000-0000000000e1".to_owned()],
            ..plain(2)
        }),
        Event::User(Established {
            user_id: user,
            ..plain(3)
        }),
        Event::Disposition(Disposition {
            head: head(4),
            code: "7f3c0000-0000-4000-8000-00000000a017".to_owned(),
        }),
        Event::Ended(Ended {
            head: head(5),
            disconnect_type: "Peer",
        }),
    ];
    let contract = contract("events_batch.json");
    let refused = &contract["errors"][0]["body"];
    for (client, asked) in clients(200, refused.clone()).await {
        let errors = client.inject_events(&events).await.unwrap();
        assert!(
            errors[0].retryable
                && errors[0].event_id.as_deref() == refused["errors"][0]["eventId"].as_str()
        );
        let (method, path, _, body) = last(&asked);
        assert_eq!(
            (method.as_str(), path.as_str()),
            ("POST", contract["request"]["path"].as_str().unwrap())
        );
        let sent: Value = serde_json::from_slice(&body).unwrap();
        let example = &contract["request"]["body"];
        assert_eq!(sent.as_object().unwrap().len(), 5);
        for (list, events) in sent.as_object().unwrap() {
            let known = keys(&example[list][0]);
            let fields = keys(&events[0]);
            assert!(
                fields.is_subset(&known),
                "{list}: {fields:?} and the contract has {known:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_upload_goes_where_and_as_it_was_announced() {
    let contract = contract("upload_recording.json");
    let request = UploadRequest {
        file_name: "st-acme-2026-100001-1.0123456789ab.zip".to_owned(),
        content_md5: "XrY7u+Ae7tCTyyK7j1rNww==".to_owned(),
        signed_url_timeout_seconds: 600,
        content_type: "application/zip",
    };
    for (client, asked) in clients(200, contract["response"]["body"].clone()).await {
        let mut target = client.create_upload(&request).await.unwrap();
        let (_, path, _, body) = last(&asked);
        assert_eq!(path, contract["request"]["path"].as_str().unwrap());
        assert!(
            keys(&serde_json::from_slice(&body).unwrap())
                .is_subset(&keys(&contract["request"]["body"]))
        );
        assert_eq!(
            target.headers,
            serde_json::from_value(contract["response"]["body"]["headers"].clone()).unwrap()
        );

        target.url = client
            .read()
            .api_url()
            .join("/presigned/uploads/1?expires=2&signature=3")
            .unwrap()
            .to_string();
        let open: OpenFile = Arc::new(|| {
            let pieces = [Bytes::from_static(b"PK"), Bytes::from_static(b"..")];
            Box::pin(async move { Ok(futures_util::stream::iter(pieces.map(Ok)).boxed()) })
        });
        client.put_upload(&target, 4, open).await.unwrap();
        let (method, path, headers, body) = last(&asked);
        assert_eq!(
            (method.as_str(), path.as_str()),
            ("PUT", "/presigned/uploads/1?expires=2&signature=3")
        );
        assert_eq!(body, "PK..");
        assert!(
            headers.get("authorization").is_none(),
            "the token stays with the platform"
        );
        for (name, value) in &target.headers {
            assert_eq!(headers.get(name).unwrap(), value, "{name}");
        }
    }
}

#[tokio::test]
async fn what_is_written_afterwards_is_as_the_contracts_have_it() {
    let attributes = contract("update_attributes.json");
    for (client, asked) in clients(202, Value::Null).await {
        let sent =
            serde_json::from_value(attributes["request"]["body"]["attributes"].clone()).unwrap();
        client
            .update_attributes("a2c1d6a0-0f0e-4b52-8a53-000000100001", "p", &sent)
            .await
            .unwrap();
        let (method, path, _, body) = last(&asked);
        assert_eq!(
            (method.as_str(), path.as_str()),
            (
                "PATCH",
                "/api/v2/conversations/a2c1d6a0-0f0e-4b52-8a53-000000100001/participants/p/attributes"
            )
        );
        assert_eq!(
            serde_json::from_slice::<Value>(&body).unwrap(),
            attributes["request"]["body"]
        );
    }
    for (client, asked) in clients(204, Value::Null).await {
        client.protect(&["c".to_owned()]).await.unwrap();
        let (method, path, _, body) = last(&asked);
        assert_eq!(
            (method.as_str(), path.as_str()),
            ("PUT", "/api/v2/recordings/deletionprotection?protect=true")
        );
        assert_eq!(
            serde_json::from_slice::<Value>(&body).unwrap(),
            json!({"conversationIds": ["c"]})
        );
    }
    for (client, asked) in clients(200, Value::Null).await {
        client
            .set_delete_date("c", "r", Some("2030-10-27T10:05:00.000Z"))
            .await
            .unwrap();
        assert_eq!(last(&asked).1, "/api/v2/conversations/c/recordings/r");
    }
    let report = contract("create_upload_report.json");
    for (client, asked) in clients(202, report["then"][0]["response"]["body"].clone()).await {
        let since = "2026-11-20T00:00:00.000Z";
        let answer = client.create_report(since, None).await.unwrap();
        assert_eq!(
            (answer.state.as_str(), answer.signed_url.is_some()),
            ("Completed", true)
        );
        assert_eq!(last(&asked).1, report["request"]["path"].as_str().unwrap());
        assert_eq!(
            serde_json::from_slice::<Value>(&last(&asked).3).unwrap(),
            json!({"dateSince": since})
        );
        client.create_report(since, Some("Pending")).await.unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&last(&asked).3).unwrap(),
            json!({"dateSince": since, "uploadStatus": "Pending"})
        );
    }
    let orphan = contract("update_orphan.json");
    for (client, asked) in clients(200, orphan["before"][0]["response"]["body"].clone()).await {
        let orphans = client.orphans().await.unwrap();
        assert_eq!(orphans[0].source_orphaning_id.as_deref(), Some("100001-1"));
        let body = &orphan["request"]["body"];
        assert!(
            client
                .attach_orphan(
                    &orphans[0].id,
                    body["conversationId"].as_str().unwrap(),
                    body["deleteDate"].as_str()
                )
                .await
                .unwrap()
        );
        assert_eq!(
            serde_json::from_slice::<Value>(&last(&asked).3).unwrap(),
            *body
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_none_and_an_address_that_expired_is_a_refusal() {
    for (client, _) in clients(404, json!({"code": "not.found", "status": 404})).await {
        assert!(client.conversation("c").await.unwrap().is_none());
        assert!(client.recordings("c").await.unwrap().is_none());
        assert!(!client.attach_orphan("o", "c", None).await.unwrap());
    }
    for (client, _) in clients(403, Value::Null).await {
        let url = client
            .read()
            .api_url()
            .join("/presigned/uploads/1")
            .unwrap()
            .to_string();
        let target = UploadTarget {
            url,
            upload_key: "k".to_owned(),
            headers: Default::default(),
        };
        let open: OpenFile =
            Arc::new(|| Box::pin(async { Ok(futures_util::stream::empty().boxed()) }));
        assert_eq!(
            client
                .put_upload(&target, 0, open)
                .await
                .unwrap_err()
                .status(),
            Some(403)
        );
    }
}
