//! How a session behaves towards a platform that refuses, throttles, cuts and forgets; over both
//! transports.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use common::{both, credentials};
use futures_util::{StreamExt, TryStreamExt, stream};
use parking_lot::Mutex;
use platforms::CallError;
use platforms::Upload;
use platforms::clock::Clock;
use platforms::genesys_cloud::{GuideClient, ReadClient, Settings as TargetSettings};
use platforms::legacy::{Client, Settings};
use platforms::transport::{Network, Transport};
use url::Url;
use wiremock::matchers::{method, path};
use wiremock::{Mock, ResponseTemplate};

fn token() -> axum::routing::MethodRouter {
    post(|| async {
        axum::Json(
            serde_json::json!({ "access_token": "t", "token_type": "bearer", "expires_in": 3600 }),
        )
    })
}

fn source(transport: Arc<dyn Transport>, base_url: Url, media_hosts: Vec<String>) -> Client {
    let settings = Settings {
        base_url,
        media_hosts,
        credentials: credentials(),
        requests_per_minute: 600_000,
    };
    Client::new(transport, Clock::real(), settings).unwrap()
}

fn target(transport: Arc<dyn Transport>, api_url: Url) -> TargetSettings {
    let _ = transport;
    let token_url = api_url.join("/oauth/token").unwrap();
    TargetSettings {
        api_url,
        token_url,
        credentials: credentials(),
        requests_per_minute: 600_000,
    }
}

fn empty_listing() -> Response {
    axum::Json(serde_json::json!({ "entities": [], "metadata": { "pagination": { "nextPageCursor": null } } })).into_response()
}

/// A route that answers by the number of the request, counted from 1.
fn scripted(
    answer: impl Fn(u32, HeaderMap) -> Response + Clone + Send + Sync + 'static,
) -> (Arc<AtomicU32>, axum::routing::MethodRouter) {
    let count = Arc::new(AtomicU32::new(0));
    let counted = count.clone();
    let route = get(move |headers: HeaderMap| {
        let n = counted.fetch_add(1, Ordering::SeqCst) + 1;
        let response = answer(n, headers);
        async move { response }
    });
    (count, route)
}

#[tokio::test]
async fn a_429_is_waited_out_and_does_not_fail_the_call() {
    let (count, users) = scripted(|n, _| match n {
        1 => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1")]).into_response(),
        _ => empty_listing(),
    });
    for (name, transport, url) in both(
        Router::new()
            .route("/oauth/token", token())
            .route("/api/v2/users", users),
    )
    .await
    {
        count.store(0, Ordering::SeqCst);
        let client = source(transport, url, Vec::new());
        assert_eq!(client.users().await.unwrap().len(), 0, "{name}");
        assert_eq!(count.load(Ordering::SeqCst), 2, "{name}");
        assert_eq!(
            client.counts().throttled.load(Ordering::SeqCst),
            1,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_wrong_credentials_end_at_once() {
    let (_, users) = scripted(|n, _| {
        if n == 1 {
            StatusCode::UNAUTHORIZED.into_response()
        } else {
            empty_listing()
        }
    });
    for (name, transport, url) in both(
        Router::new()
            .route("/oauth/token", token())
            .route("/api/v2/users", users),
    )
    .await
    {
        let client = source(transport, url, Vec::new());
        assert!(client.users().await.is_ok(), "{name}");
    }
    let refused = post(|| async {
        (
            StatusCode::UNAUTHORIZED,
            axum::Json(serde_json::json!({ "error": "invalid_client" })),
        )
    });
    for (name, transport, url) in both(Router::new().route("/oauth/token", refused)).await {
        let error = source(transport, url, Vec::new())
            .users()
            .await
            .unwrap_err();
        assert!(
            matches!(error, CallError::Unauthorized { .. }),
            "{name}: {error}"
        );
        assert!(
            !error.to_string().contains("swordfish"),
            "{name}: a secret in a message"
        );
    }
}

/// Tokens of that life, each with its number.
fn numbered_tokens(expires_in: u32) -> (Arc<AtomicU32>, axum::routing::MethodRouter) {
    let issued = Arc::new(AtomicU32::new(0));
    let count = issued.clone();
    let token = post(move || {
        let name = format!("t{}", count.fetch_add(1, Ordering::SeqCst) + 1);
        async move { axum::Json(serde_json::json!({ "access_token": name, "expires_in": expires_in })) }
    });
    (issued, token)
}

#[tokio::test]
async fn a_token_that_was_refused_to_one_call_is_not_sent_by_those_that_waited() {
    let (issued, token) = numbered_tokens(3600);
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = seen.clone();
    let (count, users) = scripted(move |n, headers| {
        noted
            .lock()
            .push(headers[header::AUTHORIZATION].to_str().unwrap().to_owned());
        if n <= 2 {
            StatusCode::UNAUTHORIZED.into_response()
        } else {
            empty_listing()
        }
    });
    for (name, transport, base_url) in both(
        Router::new()
            .route("/oauth/token", token)
            .route("/api/v2/users", users),
    )
    .await
    {
        issued.store(0, Ordering::SeqCst);
        count.store(0, Ordering::SeqCst);
        seen.lock().clear();
        // Turns are a second apart; the first and the second are refused while the others wait.
        let settings = Settings {
            base_url,
            media_hosts: Vec::new(),
            credentials: credentials(),
            requests_per_minute: 60,
        };
        let client = Client::new(transport, Clock::real(), settings).unwrap();
        let (one, two, three) = tokio::join!(client.users(), client.users(), client.users());
        assert!(one.is_ok() && two.is_ok() && three.is_ok(), "{name}");
        assert_eq!(
            *seen.lock(),
            [
                "Bearer t1",
                "Bearer t2",
                "Bearer t3",
                "Bearer t3",
                "Bearer t3"
            ],
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_token_that_has_run_out_when_it_comes_serves_the_call_it_was_fetched_for() {
    let (issued, token) = numbered_tokens(0);
    let (_, users) = scripted(|_, _| empty_listing());
    for (name, transport, url) in both(
        Router::new()
            .route("/oauth/token", token)
            .route("/api/v2/users", users),
    )
    .await
    {
        issued.store(0, Ordering::SeqCst);
        let client = source(transport, url, Vec::new());
        let (one, two) = tokio::join!(client.users(), client.users());
        assert!(one.is_ok() && two.is_ok(), "{name}");
        assert_eq!(issued.load(Ordering::SeqCst), 2, "{name}");
    }
}

#[tokio::test]
async fn a_hold_that_begins_while_a_token_is_fetched_holds_the_call_that_fetched_it() {
    let tokens = Arc::new(AtomicU32::new(0));
    let fetched = tokens.clone();
    let token = post(move || {
        let n = fetched.fetch_add(1, Ordering::SeqCst);
        async move {
            Clock::real()
                .sleep(Duration::from_millis(if n == 0 { 0 } else { 2000 }))
                .await;
            axum::Json(serde_json::json!({ "access_token": format!("t{n}"), "expires_in": 3600 }))
        }
    });
    let asked: Arc<Mutex<Vec<i64>>> = Arc::default();
    let noted = asked.clone();
    // The first is told to wait, late; the second is refused its token at once.
    let users = get(move || {
        let n = {
            let mut noted = noted.lock();
            noted.push(Clock::real().now_ms());
            noted.len()
        };
        async move {
            match n {
                1 => {
                    Clock::real().sleep(Duration::from_millis(300)).await;
                    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "3")]).into_response()
                }
                2 => StatusCode::UNAUTHORIZED.into_response(),
                _ => empty_listing(),
            }
        }
    });
    for (name, transport, url) in both(
        Router::new()
            .route("/oauth/token", token)
            .route("/api/v2/users", users),
    )
    .await
    {
        tokens.store(0, Ordering::SeqCst);
        asked.lock().clear();
        let client = source(transport, url, Vec::new());
        let (one, two) = tokio::join!(client.users(), client.users());
        assert!(one.is_ok() && two.is_ok(), "{name}");
        let asked = asked.lock();
        assert!(
            asked.len() == 4 && asked[2] - asked[0] >= 3000,
            "{name}: {asked:?}"
        );
    }
}

#[tokio::test]
async fn a_server_error_is_repeated_for_a_read_and_unknown_for_a_creation() {
    let (count, users) = scripted(|n, _| {
        if n < 3 {
            StatusCode::BAD_GATEWAY.into_response()
        } else {
            empty_listing()
        }
    });
    for (name, transport, url) in both(
        Router::new()
            .route("/oauth/token", token())
            .route("/api/v2/users", users),
    )
    .await
    {
        count.store(0, Ordering::SeqCst);
        assert!(
            source(transport, url, Vec::new()).users().await.is_ok(),
            "{name}"
        );
    }
    let posts = Arc::new(AtomicU32::new(0));
    let counted = posts.clone();
    let create = post(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { StatusCode::SERVICE_UNAVAILABLE }
    });
    for (name, transport, url) in both(
        Router::new()
            .route("/oauth/token", token())
            .route("/api/v2/interactions", create),
    )
    .await
    {
        posts.store(0, Ordering::SeqCst);
        let settings = target(transport.clone(), url);
        let client = GuideClient::new(transport, Clock::real(), settings, 1000);
        let error = client.create_interaction(&interaction()).await.unwrap_err();
        assert!(
            matches!(error, CallError::OutcomeUnknown { .. }),
            "{name}: {error}"
        );
        assert_eq!(
            posts.load(Ordering::SeqCst),
            1,
            "{name}: repeated without a look"
        );
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_says_where() {
    let (_, transport, _) = both(Router::new()).await.swap_remove(0);
    let nobody = Url::parse("http://127.0.0.1:1").unwrap();
    let error = source(transport, nobody, Vec::new())
        .users()
        .await
        .unwrap_err();
    assert!(
        matches!(&error, CallError::Unreachable { what, .. } if what.contains("127.0.0.1:1")),
        "{error}"
    );
}

/// Sends the first half of the body, then cuts the connection; with a Range, the rest.
fn cutting(whole: &'static [u8], cuts: u32) -> axum::routing::MethodRouter {
    let (_, route) = scripted(move |n, headers| {
        let at = headers.get(header::RANGE).map_or(0, |range| {
            range
                .to_str()
                .unwrap()
                .trim_start_matches("bytes=")
                .trim_end_matches('-')
                .parse::<usize>()
                .unwrap()
        });
        let rest = &whole[at..];
        let status = if at > 0 {
            StatusCode::PARTIAL_CONTENT
        } else {
            StatusCode::OK
        };
        let headers = [
            (header::ETAG, "\"e\"".to_owned()),
            (header::CONTENT_LENGTH, rest.len().to_string()),
        ];
        let range = [(
            header::CONTENT_RANGE,
            format!("bytes {at}-{}/{}", whole.len() - 1, whole.len()),
        )];
        if n > cuts {
            return (status, headers, range, rest).into_response();
        }
        let half = Bytes::from_static(&rest[..rest.len() / 2]);
        let cut = stream::iter([Ok(half), Err(std::io::Error::other("cut"))]);
        (status, headers, range, Body::from_stream(cut)).into_response()
    });
    route
}

#[tokio::test]
async fn a_cut_recording_goes_on_where_it_stopped() {
    let whole: &'static [u8] = Box::leak(
        (0..200_000u32)
            .map(|i| (i % 251) as u8)
            .collect::<Vec<u8>>()
            .into_boxed_slice(),
    );
    let router = Router::new()
        .route("/oauth/token", token())
        .route("/media", cutting(whole, 3));
    // One transport a router: the script counts requests.
    let (name, transport, url) = both(router).await.swap_remove(0);
    let media = source(transport, url, Vec::new())
        .media("1", Some("/media"), u64::MAX)
        .await
        .unwrap();
    let pieces: Vec<Bytes> = media.stream.try_collect().await.unwrap();
    assert!(pieces.concat() == whole, "{name}: the bytes differ");
}

#[tokio::test]
async fn a_redirect_is_followed_to_an_allowed_host_without_the_token_and_to_no_other() {
    let (elsewhere, elsewhere_url) = common::mock_server().await;
    let audio = ResponseTemplate::new(200).set_body_raw("audio", "audio/wav");
    Mock::given(method("GET"))
        .and(path("/presigned"))
        .respond_with(audio)
        .expect(1)
        .mount(&elsewhere)
        .await;
    let (platform, url) = common::mock_platform().await;
    let location = elsewhere_url.join("/presigned?signature=s").unwrap();
    let redirect = ResponseTemplate::new(302).insert_header("location", location.as_str());
    Mock::given(method("GET"))
        .and(path("/media"))
        .respond_with(redirect)
        .expect(2)
        .mount(&platform)
        .await;
    let transport: Arc<dyn Transport> = Arc::new(Network::new().unwrap());
    let host = elsewhere.address().to_string();
    let refused = source(transport.clone(), url.clone(), Vec::new())
        .media("1", Some("/media"), u64::MAX)
        .await
        .err()
        .unwrap();
    assert!(
        matches!(&refused, CallError::HostNotAllowed { host: named, .. } if *named == host),
        "{refused}"
    );
    assert!(!refused.to_string().contains("signature"), "{refused}");
    let allowed = source(transport, url, vec![host])
        .media("1", Some("/media"), u64::MAX)
        .await
        .unwrap();
    let bytes: Vec<Bytes> = allowed.stream.try_collect().await.unwrap();
    assert_eq!(bytes.concat(), b"audio");
    let [request] = elsewhere
        .received_requests()
        .await
        .unwrap()
        .try_into()
        .unwrap();
    assert!(
        !request.headers.contains_key(header::AUTHORIZATION),
        "the token followed a redirect to another host"
    );
}

/// The announced length of a body, and the body.
type Sent = (Option<String>, Bytes);

#[tokio::test]
async fn an_upload_is_a_well_formed_stream_that_opens_its_file_anew_for_each_try() {
    let bodies: Arc<Mutex<Vec<Sent>>> = Arc::default();
    let noted = bodies.clone();
    let files = post(move |headers: HeaderMap, body: Bytes| {
        let length = headers
            .get(header::CONTENT_LENGTH)
            .map(|value| value.to_str().unwrap().to_owned());
        let mut bodies = noted.lock();
        bodies.push((length, body));
        let first = bodies.len() % 2 == 1;
        async move {
            if first {
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
            axum::Json(serde_json::json!({ "id": "f1", "sizeBytes": 5 })).into_response()
        }
    });
    for (name, transport, url) in both(
        Router::new()
            .route("/oauth/token", token())
            .route("/api/v2/files", files),
    )
    .await
    {
        bodies.lock().clear();
        let settings = target(transport.clone(), url);
        let client = GuideClient::new(transport, Clock::real(), settings, 1000);
        let upload = Upload {
            name: "st-ns-1.abc.mp3".to_owned(),
            content_type: "audio/mpeg",
            length: 5,
            open: Arc::new(|| {
                Box::pin(async {
                    Ok(stream::iter([
                        Ok(Bytes::from_static(b"he")),
                        Ok(Bytes::from_static(b"llo")),
                    ])
                    .boxed())
                })
            }),
        };
        assert_eq!(
            client.upload_file(&upload).await.unwrap().id,
            "f1",
            "{name}"
        );
        let bodies = bodies.lock();
        assert_eq!(bodies.len(), 2, "{name}");
        for (length, body) in bodies.iter() {
            assert_eq!(
                length.as_deref(),
                Some(body.len().to_string().as_str()),
                "{name}: announced length"
            );
            let text = String::from_utf8_lossy(body);
            for part in [
                "name=\"name\"\r\n\r\nst-ns-1.abc.mp3\r\n",
                "name=\"overwrite\"\r\n\r\ntrue\r\n",
                "content-type: audio/mpeg\r\n\r\nhello\r\n--",
            ] {
                assert!(text.contains(part), "{name}: {part:?} is not in {text}");
            }
        }
    }
}

#[tokio::test]
async fn a_202_without_a_body_is_not_yet_and_not_an_error() {
    let (count, recordings) = scripted(|n, _| match n {
        1 => StatusCode::ACCEPTED.into_response(),
        _ => axum::Json(serde_json::json!([])).into_response(),
    });
    let router = Router::new()
        .route("/oauth/token", token())
        .route("/api/v2/conversations/c/recordings", recordings);
    for (name, transport, url) in both(router).await {
        count.store(0, Ordering::SeqCst);
        let client = ReadClient::new(transport.clone(), Clock::real(), target(transport, url));
        assert!(
            client.recordings("c", "WAV").await.unwrap().is_none(),
            "{name}"
        );
        assert_eq!(
            client.recordings("c", "WAV").await.unwrap().unwrap().len(),
            0,
            "{name}"
        );
    }
}

fn interaction() -> platforms::genesys_cloud::wire::Interaction {
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../scenarios/contracts/genesys_cloud/create_interaction.json"
    ));
    let contract: serde_json::Value = serde_json::from_str(&text.unwrap()).unwrap();
    serde_json::from_value(contract["request"]["body"].clone()).unwrap()
}
