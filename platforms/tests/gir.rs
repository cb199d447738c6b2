//! How the clients of Interaction Recording behave towards services that forget sessions, answer
//! oddly and lead elsewhere.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use common::{answer_json, mock_server};
use futures_util::{FutureExt, StreamExt, stream};
use platforms::clock::Clock;
use platforms::gir::wire::Recording;
use platforms::gir::{Moved, RwsClient, Settings, SpeechMinerClient, WebDavClient};
use platforms::transport::{Network, Transport};
use platforms::{Account, CallError};
use platforms::{OpenFile, Upload};
use serde_json::json;
use url::Url;
use wiremock::matchers::{
    body_partial_json, header, method, path, query_param, query_param_is_missing,
};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const RECORDINGS: &str = "/internal-api/contact-centers/cc/recordings";

fn account() -> Account {
    Account {
        username: "ops".to_owned(),
        password: "swordfish".to_owned(),
    }
}

fn network() -> Arc<dyn Transport> {
    Arc::new(Network::new().unwrap())
}

fn rws(rws_url: Url) -> RwsClient {
    let settings = Settings {
        rws_url,
        contact_center_id: "cc".to_owned(),
        account: account(),
        requests_per_minute: 600_000,
    };
    RwsClient::new(network(), Clock::real(), settings)
}

fn webdav(root: Url) -> WebDavClient {
    WebDavClient::new(network(), Clock::real(), root, &account(), 10_000)
}

fn recording(id: &str) -> Recording {
    Recording {
        id: id.to_owned(),
        ..Recording::default()
    }
}

/// A service whose sessions are numbered from 1, and begun so many times; `protects` is off where
/// CSRF protection is.
async fn service(protects: bool, sessions: u64) -> (MockServer, Url) {
    let (server, url) = mock_server().await;
    let begun = AtomicU32::new(0);
    let version = move |_: &Request| {
        let n = begun.fetch_add(1, Ordering::SeqCst) + 1;
        let answer = answer_json(json!({"statusCode": 0, "version": "8.5"}));
        if !protects {
            return answer;
        }
        answer
            .insert_header("X-CSRF-HEADER", "X-CSRF-TOKEN")
            .insert_header("X-CSRF-TOKEN", format!("token-{n}"))
            .insert_header(
                "Set-Cookie",
                format!("JSESSIONID=session-{n}; Path=/; HttpOnly"),
            )
    };
    Mock::given(method("GET"))
        .and(path("/api/v2/diagnostics/version"))
        .respond_with(version)
        .expect(sessions)
        .mount(&server)
        .await;
    (server, url)
}

fn done() -> ResponseTemplate {
    answer_json(json!({"statusCode": 0}))
}

fn forgotten() -> ResponseTemplate {
    ResponseTemplate::new(403)
        .set_body_json(json!({"statusCode": 3, "statusMessage": "Missing or invalid Csrf token"}))
}

#[tokio::test]
async fn a_session_that_was_forgotten_is_begun_anew_once() {
    // The second session serves both.
    let (server, url) = service(true, 2).await;
    Mock::given(method("POST"))
        .and(path(RECORDINGS))
        .and(header("x-csrf-token", "token-2"))
        .and(header("cookie", "JSESSIONID=session-2"))
        .respond_with(done())
        .expect(2)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path(RECORDINGS))
        .respond_with(forgotten())
        .expect(1)
        .mount(&server)
        .await;
    let client = rws(url);
    client.insert(&recording("a")).await.unwrap();
    client.insert(&recording("b")).await.unwrap();
}

#[tokio::test]
async fn a_token_that_is_refused_again_is_a_refusal() {
    let (server, url) = service(true, 2).await;
    Mock::given(method("POST"))
        .and(path(RECORDINGS))
        .respond_with(forgotten())
        .expect(2)
        .mount(&server)
        .await;
    let error = rws(url).insert(&recording("a")).await.unwrap_err();
    assert_eq!(error.status(), Some(403), "{error}");
}

#[tokio::test]
async fn where_protection_is_off_no_token_is_sent_and_the_account_always_is() {
    let (server, url) = service(false, 1).await;
    let account = header("authorization", "Basic b3BzOnN3b3JkZmlzaA==");
    Mock::given(method("POST"))
        .and(path(RECORDINGS))
        .and(account)
        .respond_with(done())
        .expect(1)
        .mount(&server)
        .await;
    rws(url).insert(&recording("a")).await.unwrap();
    for request in server.received_requests().await.unwrap() {
        assert!(
            !request.headers.contains_key("x-csrf-token")
                && !request.headers.contains_key("cookie"),
            "{request:?}"
        );
    }
}

#[tokio::test]
async fn a_status_code_in_a_200_is_a_refusal_and_its_numbers_are_starred() {
    let (server, url) = service(true, 1).await;
    let refused = answer_json(
        json!({"statusCode": 4, "statusMessage": "caller [+15550100199] is not stored"}),
    );
    Mock::given(method("POST"))
        .and(path(RECORDINGS))
        .respond_with(refused)
        .expect(1)
        .mount(&server)
        .await;
    let error = rws(url).insert(&recording("a")).await.unwrap_err();
    let CallError::Refused {
        status: 200,
        code,
        message,
        ..
    } = &error
    else {
        panic!("{error}")
    };
    assert_eq!(code, "4");
    assert!(!message.contains("0100199"), "{message}");
}

#[tokio::test]
async fn an_insertion_is_never_repeated_by_itself_and_idempotent_changes_are() {
    let (server, url) = service(true, 1).await;
    let (insertion, labels) = (RECORDINGS, "/api/v2/recordings/a/labels");
    Mock::given(method("POST"))
        .and(path(insertion))
        .respond_with(ResponseTemplate::new(502))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path(labels))
        .respond_with(ResponseTemplate::new(502))
        .up_to_n_times(2)
        .expect(2)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path(labels))
        .respond_with(done())
        .expect(1)
        .mount(&server)
        .await;
    let client = rws(url);
    assert!(matches!(
        client.insert(&recording("a")).await,
        Err(CallError::OutcomeUnknown { .. })
    ));
    client.add_labels("a", &["x".to_owned()]).await.unwrap();
}

#[tokio::test]
async fn a_search_is_read_by_the_last_step_of_each_address() {
    let (server, url) = mock_server().await;
    let next = "http://elsewhere:1/api/v2/ops/contact-centers/cc/recordings?startTime=x&offset=1";
    let first = json!({"statusCode": 0, "uris": ["http://elsewhere:1/recordings/st-n-1"], "paging": {"next": next}});
    let second =
        json!({"statusCode": 0, "uris": ["http://elsewhere:1/recordings/a%20b"], "paging": {}});
    let search =
        || Mock::given(method("GET")).and(path("/api/v2/ops/contact-centers/cc/recordings"));
    search()
        .and(query_param_is_missing("offset"))
        .respond_with(answer_json(first))
        .expect(1)
        .mount(&server)
        .await;
    search()
        .and(query_param("offset", "1"))
        .respond_with(answer_json(second))
        .expect(1)
        .mount(&server)
        .await;
    let client = rws(url);
    let page = client
        .search("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", 0)
        .await
        .unwrap();
    assert_eq!(
        (page.ids, page.next_offset),
        (vec!["st-n-1".to_owned()], Some(1))
    );
    let page = client
        .search("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", 1)
        .await
        .unwrap();
    assert_eq!((page.ids, page.next_offset), (vec!["a b".to_owned()], None));
}

#[tokio::test]
async fn what_is_not_there_is_none_and_what_is_broken_is_an_error() {
    let (server, url) = service(true, 1).await;
    let gone =
        json!({"statusCode": 6, "statusMessage": "Requested recording [gone] cannot be found."});
    let odd = json!({"statusCode": 0, "recording": {"id": 7}});
    let there = json!({"statusCode": 0, "recording": {"id": "there", "labels": [{"name": "x"}], "nonDelete": true, "news": 1}});
    let recording = |verb: &str, id: &str| {
        Mock::given(method(verb)).and(path(format!(
            "/api/v2/ops/contact-centers/cc/recordings/{id}"
        )))
    };
    recording("GET", "gone")
        .respond_with(ResponseTemplate::new(404).set_body_json(gone))
        .expect(1)
        .mount(&server)
        .await;
    recording("GET", "odd")
        .respond_with(answer_json(odd))
        .expect(1)
        .mount(&server)
        .await;
    recording("GET", "there")
        .respond_with(answer_json(there))
        .expect(1)
        .mount(&server)
        .await;
    recording("DELETE", "gone")
        .respond_with(ResponseTemplate::new(404))
        .expect(1)
        .mount(&server)
        .await;
    let client = rws(url);
    assert!(client.recording("gone").await.unwrap().is_none());
    let there = client.recording("there").await.unwrap().unwrap();
    assert_eq!(
        (there.labels[0].name.as_str(), there.non_delete),
        ("x", Some(true))
    );
    assert!(matches!(
        client.recording("odd").await,
        Err(CallError::Malformed { .. })
    ));
    assert!(!client.delete("gone").await.unwrap());
}

fn upload(bytes: &'static [u8]) -> Upload {
    let open: OpenFile = Arc::new(move || {
        async move { Ok(stream::once(async move { Ok(bytes::Bytes::from_static(bytes)) }).boxed()) }
            .boxed()
    });
    Upload {
        name: "a".to_owned(),
        content_type: "audio/mp3",
        length: bytes.len() as u64,
        open,
    }
}

#[tokio::test]
async fn each_answer_of_a_store_has_its_meaning() {
    let (server, url) = mock_server().await;
    let root = url.join("/recordings/").unwrap();
    for (verb, at, status) in [
        ("MKCOL", "/recordings/there/", 405),
        ("MKCOL", "/recordings/new/", 201),
        ("PUT", "/recordings/new/a%20b.mp3", 201),
        ("PUT", "/recordings/missing/a", 409),
        ("HEAD", "/recordings/nothing", 404),
        ("DELETE", "/recordings/nothing", 404),
        ("PROPFIND", "/recordings/nothing/", 404),
    ] {
        Mock::given(method(verb))
            .and(path(at))
            .respond_with(ResponseTemplate::new(status))
            .expect(1)
            .mount(&server)
            .await;
    }
    let file = ResponseTemplate::new(200)
        .set_body_string("four")
        .insert_header("etag", "\"x\"");
    Mock::given(method("HEAD"))
        .and(path("/recordings/new/a%20b.mp3"))
        .respond_with(file)
        .expect(1)
        .mount(&server)
        .await;
    for (from, status) in [
        ("free", 201),
        ("taken", 412),
        ("absent", 404),
        ("lost", 502),
    ] {
        Mock::given(method("MOVE"))
            .and(path(format!("/recordings/{from}")))
            .and(header("overwrite", "F"))
            .and(header("destination", root.join("to").unwrap().as_str()))
            .respond_with(ResponseTemplate::new(status))
            .expect(1)
            .mount(&server)
            .await;
    }
    let client = webdav(root);
    let url = |steps: &[&str]| client.url(steps).unwrap();
    client.make_collection(&url(&["there"])).await.unwrap();
    client.make_collection(&url(&["new"])).await.unwrap();
    client
        .put(&url(&["new", "a b.mp3"]), &upload(b"four"))
        .await
        .unwrap();
    assert_eq!(
        client
            .put(&url(&["missing", "a"]), &upload(b"four"))
            .await
            .unwrap_err()
            .status(),
        Some(409)
    );
    assert_eq!(
        client
            .head(&url(&["new", "a b.mp3"]))
            .await
            .unwrap()
            .unwrap()
            .length,
        Some(4)
    );
    assert!(client.head(&url(&["nothing"])).await.unwrap().is_none());
    for (from, wanted) in [
        ("free", Moved::Done),
        ("taken", Moved::Taken),
        ("absent", Moved::Absent),
    ] {
        assert_eq!(
            client.rename(&url(&[from]), &url(&["to"])).await.unwrap(),
            wanted,
            "{from}"
        );
    }
    let lost = client.rename(&url(&["lost"]), &url(&["to"])).await;
    assert!(
        matches!(lost, Err(CallError::OutcomeUnknown { .. })),
        "{lost:?}"
    );
    assert!(!client.delete(&url(&["nothing"])).await.unwrap());
    assert!(client.list(&url(&["nothing"])).await.unwrap().is_none());
}

#[tokio::test]
async fn the_stores_account_goes_to_no_other_address() {
    let client = webdav(Url::parse("http://store.example:8080/recordings").unwrap());
    for address in [
        "http://store.example:8080/recordings/a.mp3",
        "http://STORE.example:8080/recordings/b/c%20d.mp3",
    ] {
        assert!(client.own(address).is_ok(), "{address}");
    }
    for address in [
        "http://other.example:8080/recordings/a.mp3",
        "http://store.example/recordings/a.mp3",
        "https://store.example:8080/recordings/a.mp3",
        "http://store.example:8080/recordingsx/a.mp3",
        "http://store.example:8080/recordings",
        "http://store.example:8080/recordings/../secret",
        "http://store.example:8080/recordings/%2e%2e/secret",
        "http://store.example:8080/recordings/a%2f..%2f..%2fsecret",
        "http://user:pass@store.example:8080/recordings/a.mp3",
        "http://store.example:8080/recordings/a.mp3?x=1",
        "file:///recordings/a.mp3",
        "/recordings/a.mp3",
        "",
    ] {
        assert!(client.own(address).is_err(), "{address}");
    }
}

#[tokio::test]
async fn a_post_to_speechminer_is_never_repeated_by_itself() {
    let (server, url) = mock_server().await;
    Mock::given(method("POST"))
        .and(path("/interactionreceiver"))
        .and(body_partial_json(json!({"id": "st-n-1"})))
        .respond_with(ResponseTemplate::new(504))
        .expect(1)
        .mount(&server)
        .await;
    let client = SpeechMinerClient::new(
        network(),
        Clock::real(),
        url.join("/interactionreceiver").unwrap(),
        &account(),
        600_000,
    );
    assert!(matches!(
        client.post(&recording("st-n-1")).await,
        Err(CallError::OutcomeUnknown { .. })
    ));
}
