//! How the clients of Interaction Recording behave towards services that forget sessions, answer oddly and lead elsewhere.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod common;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, post};
use common::serve;
use futures_util::{FutureExt, StreamExt, stream};
use platforms::clock::Clock;
use platforms::gir::wire::Recording;
use platforms::gir::{Moved, RwsClient, Settings, SpeechMinerClient, WebDavClient};
use platforms::transport::{Network, Transport};
use platforms::{Account, CallError};
use platforms::{OpenFile, Upload};
use serde_json::{Value, json};
use url::Url;

const RECORDINGS: &str = "/internal-api/contact-centers/cc/recordings";

fn account() -> Account {
    Account { username: "ops".to_owned(), password: "swordfish".to_owned() }
}

fn network() -> Arc<dyn Transport> {
    Arc::new(Network::new().unwrap())
}

fn rws(rws_url: Url) -> RwsClient {
    let settings = Settings { rws_url, contact_center_id: "cc".to_owned(), account: account(), requests_per_minute: 600_000 };
    RwsClient::new(network(), Clock::real(), settings)
}

fn webdav(root: Url) -> WebDavClient {
    WebDavClient::new(network(), Clock::real(), root, &account(), 10_000)
}

fn recording(id: &str) -> Recording {
    Recording { id: id.to_owned(), ..Recording::default() }
}

/// A service whose sessions are told by number; `protects` is off where CSRF protection is.
fn sessions(counter: Arc<AtomicU32>, protects: bool) -> Router {
    let version = get(move || {
        let n = counter.fetch_add(1, Ordering::SeqCst) + 1;
        async move {
            let mut headers = HeaderMap::new();
            if protects {
                headers.insert("X-CSRF-HEADER", "X-CSRF-TOKEN".parse().unwrap());
                headers.insert("X-CSRF-TOKEN", format!("token-{n}").parse().unwrap());
                headers.insert(header::SET_COOKIE, format!("JSESSIONID=session-{n}; Path=/; HttpOnly").parse().unwrap());
            }
            (headers, axum::Json(json!({"statusCode": 0, "version": "8.5"})))
        }
    });
    Router::new().route("/api/v2/diagnostics/version", version)
}

fn header_of<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_session_that_was_forgotten_is_begun_anew_once() {
    let begun = Arc::new(AtomicU32::new(0));
    let insert = post(|headers: HeaderMap| async move {
        let fits = header_of(&headers, "x-csrf-token") == "token-2" && header_of(&headers, "cookie") == "JSESSIONID=session-2";
        if fits {
            return axum::Json(json!({"statusCode": 0})).into_response();
        }
        (StatusCode::FORBIDDEN, axum::Json(json!({"statusCode": 3, "statusMessage": "Missing or invalid Csrf token"}))).into_response()
    });
    let url = serve(sessions(begun.clone(), true).route(RECORDINGS, insert)).await;
    let client = rws(url);
    client.insert(&recording("a")).await.unwrap();
    client.insert(&recording("b")).await.unwrap();
    assert_eq!(begun.load(Ordering::SeqCst), 2, "the second session serves both");
}

#[tokio::test]
async fn a_token_that_is_refused_again_is_a_refusal() {
    let begun = Arc::new(AtomicU32::new(0));
    let insert =
        post(|| async { (StatusCode::FORBIDDEN, axum::Json(json!({"statusCode": 3, "statusMessage": "Missing or invalid Csrf token"}))) });
    let url = serve(sessions(begun.clone(), true).route(RECORDINGS, insert)).await;
    let error = rws(url).insert(&recording("a")).await.unwrap_err();
    assert_eq!(error.status(), Some(403), "{error}");
    assert_eq!(begun.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn where_protection_is_off_no_token_is_sent_and_the_account_always_is() {
    let seen: Arc<Mutex<Vec<HeaderMap>>> = Arc::default();
    let kept = seen.clone();
    let insert = post(move |headers: HeaderMap| async move {
        kept.lock().unwrap().push(headers);
        axum::Json(json!({"statusCode": 0}))
    });
    let url = serve(sessions(Arc::default(), false).route(RECORDINGS, insert)).await;
    rws(url).insert(&recording("a")).await.unwrap();
    let seen = seen.lock().unwrap();
    assert!(!seen[0].contains_key("x-csrf-token") && !seen[0].contains_key("cookie"));
    assert_eq!(header_of(&seen[0], "authorization"), "Basic b3BzOnN3b3JkZmlzaA==");
}

#[tokio::test]
async fn a_status_code_in_a_200_is_a_refusal_and_its_numbers_are_starred() {
    let insert = post(|| async { axum::Json(json!({"statusCode": 4, "statusMessage": "caller [+15550100199] is not stored"})) });
    let url = serve(sessions(Arc::default(), true).route(RECORDINGS, insert)).await;
    let error = rws(url).insert(&recording("a")).await.unwrap_err();
    let CallError::Refused { status: 200, code, message, .. } = &error else { panic!("{error}") };
    assert_eq!(code, "4");
    assert!(!message.contains("0100199"), "{message}");
}

#[tokio::test]
async fn an_insertion_is_never_repeated_by_itself_and_idempotent_changes_are() {
    let (inserted, labelled) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let count = |counter: Arc<AtomicU32>, bad: u32| {
        post(move || {
            let n = counter.fetch_add(1, Ordering::SeqCst) + 1;
            async move { if n <= bad { StatusCode::BAD_GATEWAY.into_response() } else { axum::Json(json!({"statusCode": 0})).into_response() } }
        })
    };
    let router = sessions(Arc::default(), true)
        .route(RECORDINGS, count(inserted.clone(), 1))
        .route("/api/v2/recordings/{id}/labels", count(labelled.clone(), 2));
    let client = rws(serve(router).await);
    assert!(matches!(client.insert(&recording("a")).await, Err(CallError::OutcomeUnknown { .. })));
    assert_eq!(inserted.load(Ordering::SeqCst), 1);
    client.add_labels("a", &["x".to_owned()]).await.unwrap();
    assert_eq!(labelled.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_search_is_read_by_the_last_step_of_each_address() {
    let search = get(|request: Request| async move {
        let first = !request.uri().query().unwrap_or_default().contains("offset=");
        let next = "http://elsewhere:1/api/v2/ops/contact-centers/cc/recordings?startTime=x&offset=1";
        let paging = if first { json!({"next": next}) } else { json!({}) };
        let id = if first { "st-n-1" } else { "a%20b" };
        axum::Json(json!({"statusCode": 0, "uris": [format!("http://elsewhere:1/recordings/{id}")], "paging": paging}))
    });
    let client = rws(serve(Router::new().route("/api/v2/ops/contact-centers/cc/recordings", search)).await);
    let page = client.search("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", 0).await.unwrap();
    assert_eq!((page.ids, page.next_offset), (vec!["st-n-1".to_owned()], Some(1)));
    let page = client.search("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", 1).await.unwrap();
    assert_eq!((page.ids, page.next_offset), (vec!["a b".to_owned()], None));
}

#[tokio::test]
async fn what_is_not_there_is_none_and_what_is_broken_is_an_error() {
    let read = get(|axum::extract::Path(id): axum::extract::Path<String>| async move {
        match id.as_str() {
            "gone" => (
                StatusCode::NOT_FOUND,
                axum::Json(json!({"statusCode": 6, "statusMessage": "Requested recording [gone] cannot be found."})),
            )
                .into_response(),
            "odd" => axum::Json(json!({"statusCode": 0, "recording": {"id": 7}})).into_response(),
            _ => axum::Json(json!({"statusCode": 0, "recording": {"id": id, "labels": [{"name": "x"}], "nonDelete": true, "news": 1}}))
                .into_response(),
        }
    });
    let remove = delete(|| async { StatusCode::NOT_FOUND });
    let path = "/api/v2/ops/contact-centers/cc/recordings/{id}";
    let client = rws(serve(sessions(Arc::default(), true).route(path, read.merge(remove))).await);
    assert!(client.recording("gone").await.unwrap().is_none());
    let there = client.recording("there").await.unwrap().unwrap();
    assert_eq!((there.labels[0].name.as_str(), there.non_delete), ("x", Some(true)));
    assert!(matches!(client.recording("odd").await, Err(CallError::Malformed { .. })));
    assert!(!client.delete("gone").await.unwrap());
}

fn upload(bytes: &'static [u8]) -> Upload {
    let open: OpenFile =
        Arc::new(move || async move { Ok(stream::once(async move { Ok(bytes::Bytes::from_static(bytes)) }).boxed()) }.boxed());
    Upload { name: "a".to_owned(), content_type: "audio/mp3", length: bytes.len() as u64, open }
}

#[tokio::test]
async fn each_answer_of_a_store_has_its_meaning() {
    let store = any(|request: Request| async move {
        let status = |code: u16| StatusCode::from_u16(code).unwrap().into_response();
        let answer: Response = match (request.method().as_str(), request.uri().path()) {
            ("MKCOL", "/recordings/there/") => status(405),
            ("MKCOL", "/recordings/new/") => status(201),
            ("PUT", "/recordings/new/a%20b.mp3") => status(201),
            ("PUT", _) => status(409),
            ("HEAD", "/recordings/new/a%20b.mp3") => ([(header::CONTENT_LENGTH, "4"), (header::ETAG, "\"x\"")], "").into_response(),
            ("MOVE", path) => {
                let headers = request.headers();
                assert_eq!(header_of(headers, "overwrite"), "F");
                assert!(header_of(headers, "destination").ends_with("/recordings/to"));
                status(match path {
                    "/recordings/taken" => 412,
                    "/recordings/absent" => 404,
                    "/recordings/lost" => 502,
                    _ => 201,
                })
            }
            _ => status(404),
        };
        answer
    });
    let root = serve(Router::new().fallback(store)).await.join("/recordings/").unwrap();
    let client = webdav(root);
    let url = |steps: &[&str]| client.url(steps).unwrap();
    client.make_collection(&url(&["there"])).await.unwrap();
    client.make_collection(&url(&["new"])).await.unwrap();
    client.put(&url(&["new", "a b.mp3"]), &upload(b"four")).await.unwrap();
    assert_eq!(client.put(&url(&["missing", "a"]), &upload(b"four")).await.unwrap_err().status(), Some(409));
    assert_eq!(client.head(&url(&["new", "a b.mp3"])).await.unwrap().unwrap().length, Some(4));
    assert!(client.head(&url(&["nothing"])).await.unwrap().is_none());
    for (from, wanted) in [("free", Moved::Done), ("taken", Moved::Taken), ("absent", Moved::Absent)] {
        assert_eq!(client.rename(&url(&[from]), &url(&["to"])).await.unwrap(), wanted, "{from}");
    }
    let lost = client.rename(&url(&["lost"]), &url(&["to"])).await;
    assert!(matches!(lost, Err(CallError::OutcomeUnknown { .. })), "{lost:?}");
    assert!(!client.delete(&url(&["nothing"])).await.unwrap());
    assert!(client.list(&url(&["nothing"])).await.unwrap().is_none());
}

#[tokio::test]
async fn the_stores_account_goes_to_no_other_address() {
    let client = webdav(Url::parse("http://store.example:8080/recordings").unwrap());
    for address in ["http://store.example:8080/recordings/a.mp3", "http://STORE.example:8080/recordings/b/c%20d.mp3"] {
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
    let posts = Arc::new(AtomicU32::new(0));
    let seen: Arc<Mutex<Option<Value>>> = Arc::default();
    let (counted, kept) = (posts.clone(), seen.clone());
    let receiver = post(move |axum::Json(body): axum::Json<Value>| {
        counted.fetch_add(1, Ordering::SeqCst);
        *kept.lock().unwrap() = Some(body);
        async { StatusCode::GATEWAY_TIMEOUT }
    });
    let url = serve(Router::new().route("/interactionreceiver", receiver)).await.join("/interactionreceiver").unwrap();
    let client = SpeechMinerClient::new(network(), Clock::real(), url, &account(), 600_000);
    assert!(matches!(client.post(&recording("st-n-1")).await, Err(CallError::OutcomeUnknown { .. })));
    assert_eq!(posts.load(Ordering::SeqCst), 1);
    assert_eq!(seen.lock().unwrap().as_ref().unwrap()["id"], "st-n-1");
}
