//! Done means the status that says done: no write takes a redirect, or a promise, for success.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

mod common;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use common::{answer_json, credentials, mock_platform, serve};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use platforms::clock::Clock;
use platforms::genesys_cloud::public::{UploadRequest, UploadTarget};
use platforms::genesys_cloud::{GuideClient, PublicClient, Settings, wire};
use platforms::gir::wire::Recording;
use platforms::gir::{RwsClient, Settings as RwsSettings, SpeechMinerClient, WebDavClient};
use platforms::legacy::{Client, Settings as SourceSettings};
use platforms::transport::Network;
use platforms::{Account, CallError, OpenFile, Upload};
use url::Url;
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate, Times};

/// A platform that gives tokens and sessions, and answers everything else with this, so many times.
async fn platform(answer: ResponseTemplate, times: impl Into<Times>) -> (MockServer, Url) {
    let (server, url) = mock_platform().await;
    let session = answer_json(serde_json::json!({ "statusCode": 0 }));
    Mock::given(path("/api/v2/diagnostics/version"))
        .respond_with(session)
        .mount(&server)
        .await;
    Mock::given(any())
        .respond_with(answer)
        .expect(times)
        .mount(&server)
        .await;
    (server, url)
}

fn file() -> OpenFile {
    Arc::new(|| {
        async { Ok(stream::once(async { Ok(bytes::Bytes::from_static(b"four")) }).boxed()) }.boxed()
    })
}

fn upload() -> Upload {
    Upload {
        name: "a".to_owned(),
        content_type: "audio/mp3",
        length: 4,
        open: file(),
    }
}

/// As many as [`writes`] has.
const WRITES: u64 = 23;

type Written = (&'static str, BoxFuture<'static, Result<(), CallError>>);

/// Every write of every client towards one address.
fn writes(url: &Url) -> Vec<Written> {
    let network = Arc::new(Network::new().unwrap());
    let settings = || Settings {
        api_url: url.clone(),
        token_url: url.join("/oauth/token").unwrap(),
        credentials: credentials(),
        requests_per_minute: 600_000,
    };
    let account = Account {
        username: "ops".to_owned(),
        password: "swordfish".to_owned(),
    };
    let guide = Arc::new(GuideClient::new(
        network.clone(),
        Clock::real(),
        settings(),
        1000,
    ));
    let public = Arc::new(PublicClient::new(
        network.clone(),
        Clock::real(),
        settings(),
    ));
    let rws = RwsSettings {
        rws_url: url.clone(),
        contact_center_id: "cc".to_owned(),
        account: account.clone(),
        requests_per_minute: 600_000,
    };
    let rws = Arc::new(RwsClient::new(network.clone(), Clock::real(), rws));
    let store = Arc::new(WebDavClient::new(
        network.clone(),
        Clock::real(),
        url.clone(),
        &account,
        1000,
    ));
    let receiver = Arc::new(SpeechMinerClient::new(
        network,
        Clock::real(),
        url.join("/interactions").unwrap(),
        &account,
        600_000,
    ));
    let recording = || Recording {
        id: "r".to_owned(),
        ..Recording::default()
    };
    let contract: serde_json::Value = serde_json::from_str(include_str!(
        "../../scenarios/contracts/genesys_cloud/create_interaction.json"
    ))
    .unwrap();
    let interaction: wire::Interaction =
        serde_json::from_value(contract["request"]["body"].clone()).unwrap();
    let (at, to) = (store.url(&["a"]).unwrap(), store.url(&["b"]).unwrap());
    let target = UploadTarget {
        url: url.join("/presigned/1").unwrap().to_string(),
        upload_key: "k".to_owned(),
        headers: Default::default(),
    };
    let announced = UploadRequest {
        file_name: "a.zip".to_owned(),
        content_md5: "m".to_owned(),
        signed_url_timeout_seconds: 60,
        content_type: "application/zip",
    };
    macro_rules! write {
        ($client:ident, $what:literal, |$it:ident| $call:expr) => {{
            let $it = $client.clone();
            ($what, async move { $call.await.map(drop) }.boxed())
        }};
    }
    let (again, from, gone, made) = (interaction.clone(), at.clone(), at.clone(), at.clone());
    vec![
        write!(guide, "POST file", |it| it.upload_file(&upload())),
        write!(guide, "POST interaction", |it| it
            .create_interaction(&interaction)),
        write!(guide, "PUT interaction", |it| it.update_interaction(&again)),
        write!(public, "POST events", |it| it.inject_events(&[])),
        write!(public, "POST upload", |it| it.create_upload(&announced)),
        write!(public, "PUT upload", |it| it.put_upload(&target, 4, file())),
        write!(public, "POST report", |it| it
            .create_report("2026-11-20T00:00:00.000Z", None)),
        write!(public, "POST external id", |it| it
            .add_external_id("u", "a", "k")),
        write!(public, "PUT orphan", |it| it.attach_orphan("o", "c", None)),
        write!(public, "PATCH attributes", |it| it.update_attributes(
            "c",
            "p",
            &Default::default()
        )),
        write!(public, "PUT deletion protection", |it| it.protect(&[])),
        write!(public, "PUT delete date", |it| it
            .set_delete_date("c", "r", None)),
        write!(public, "permissions", |it| it.permissions()),
        write!(rws, "POST recording", |it| it.insert(&recording())),
        write!(rws, "DELETE recording", |it| it.delete("r")),
        write!(rws, "POST label", |it| it.define_label("l", "d")),
        write!(rws, "POST labels", |it| it.add_labels("r", &[])),
        write!(rws, "POST non-deletion", |it| it.apply_non_delete("r")),
        write!(store, "MKCOL", |it| it.make_collection(&made)),
        write!(store, "PUT file", |it| it.put(&at, &upload())),
        write!(store, "MOVE file", |it| it.rename(&from, &to)),
        write!(store, "DELETE file", |it| it.delete(&gone)),
        write!(receiver, "POST to SpeechMiner", |it| it.post(&recording())),
    ]
}

#[tokio::test]
async fn a_redirected_write_is_an_error_of_its_own() {
    let to = |status, location| ResponseTemplate::new(status).insert_header("location", location);
    let answers = [
        (
            302,
            to(302, "/login?session=secret").set_body_string("<html>sign in</html>"),
        ),
        (308, to(308, "https://elsewhere.test/a?session=secret")),
        (303, ResponseTemplate::new(303)),
    ];
    for (wanted, answer) in answers {
        // Each write asks once: no redirect is followed, and none is tried again.
        let (_server, url) = platform(answer, WRITES).await;
        for (what, write) in writes(&url) {
            let error = write.await.expect_err(what);
            assert!(
                matches!(&error, CallError::Redirected { status, .. } if *status == wanted),
                "{what}: {error}"
            );
            assert!(!error.to_string().contains("secret"), "{what}: {error}");
        }
    }
}

#[tokio::test]
async fn a_promise_or_a_part_is_not_done() {
    // 202 is done for two operations of the public API, which document it; a part of a whole is
    // done for none.
    let (_server, url) = platform(ResponseTemplate::new(206).set_body_string("{}"), WRITES).await;
    for (what, write) in writes(&url) {
        assert!(write.await.is_err(), "{what}");
    }
    let (_server, url) = platform(ResponseTemplate::new(202).set_body_string("{}"), WRITES..).await;
    for (what, write) in writes(&url) {
        let documented = matches!(what, "POST report" | "PATCH attributes" | "permissions");
        let error = write.await.err();
        let is_unfit = matches!(
            error,
            Some(CallError::Malformed { .. } | CallError::OutcomeUnknown { .. })
        );
        assert!(documented || is_unfit, "{what}: {error:?}");
    }
}

#[tokio::test]
async fn a_store_that_did_only_some_of_it_has_not_done_it() {
    let failed = r#"<D:multistatus xmlns:D="DAV:"><D:response><D:href>/a</D:href><D:status>HTTP/1.1 423 Locked</D:status></D:response></D:multistatus>"#;
    let (_server, url) = platform(ResponseTemplate::new(207).set_body_string(failed), 4).await;
    for (what, write) in writes(&url)
        .into_iter()
        .filter(|(what, _)| matches!(*what, "MKCOL" | "PUT file" | "MOVE file" | "DELETE file"))
    {
        assert_eq!(write.await.expect_err(what).status(), Some(423), "{what}");
    }
}

fn source(url: Url, clock: Clock) -> Client {
    let settings = SourceSettings {
        base_url: url,
        media_hosts: Vec::new(),
        credentials: credentials(),
        requests_per_minute: 600_000,
    };
    Client::new(Arc::new(Network::new().unwrap()), clock, settings).unwrap()
}

#[tokio::test]
async fn what_is_not_the_recording_yet_is_asked_for_again() {
    let rows = [
        ("202", ResponseTemplate::new(202).set_body_string("{}")),
        ("408", ResponseTemplate::new(408)),
        ("425", ResponseTemplate::new(425)),
        (
            "a page",
            ResponseTemplate::new(200)
                .set_body_raw("<html>sign in</html>", "text/html; charset=utf-8"),
        ),
    ];
    for (what, not_yet) in rows {
        let (server, url) = mock_platform().await;
        Mock::given(path("/media"))
            .respond_with(not_yet)
            .up_to_n_times(2)
            .expect(2)
            .mount(&server)
            .await;
        let sound = ResponseTemplate::new(200).set_body_raw("sound", "audio/wav");
        Mock::given(path("/media"))
            .respond_with(sound)
            .expect(1)
            .mount(&server)
            .await;
        let read = source(url, Clock::real())
            .media("1", Some("/media"), 1000)
            .await
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        let bytes: Vec<bytes::Bytes> = read.stream.map(|piece| piece.unwrap()).collect().await;
        assert_eq!(bytes.concat(), b"sound", "{what}");
    }
}

#[tokio::test]
async fn a_recording_that_comes_too_slowly_is_given_up_in_time() {
    // A body in pieces: wiremock sends a whole one.
    let token = post(|| async {
        axum::Json(serde_json::json!({ "access_token": "t", "expires_in": 3600 }))
    });
    let media = get(|| async {
        let drops = stream::unfold((), |()| async {
            Clock::real()
                .sleep(std::time::Duration::from_millis(10))
                .await;
            Some((Ok::<_, std::io::Error>(bytes::Bytes::from_static(b".")), ()))
        });
        (
            [(axum::http::header::CONTENT_TYPE, "audio/wav")],
            axum::body::Body::from_stream(drops),
        )
    });
    let url = serve(
        Router::new()
            .route("/oauth/token", token)
            .route("/media", media),
    )
    .await;
    // A hundred times as fast: a byte a second, and the minute of grace is 0.6 s.
    let clock = Clock::scaled(0, 100.0);
    let read = source(url, clock.clone())
        .media("1", Some("/media"), 1 << 30)
        .await
        .unwrap();
    let error = read
        .stream
        .filter_map(|piece| async { piece.err() })
        .boxed()
        .next()
        .await
        .unwrap();
    assert!(error.to_string().contains("bytes came in"), "{error}");
    assert!(clock.now_ms() < 300_000, "{} s", clock.now_ms() / 1000);
}
