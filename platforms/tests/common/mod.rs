//! A platform of one's own: canned answers on a port by wiremock, or an axum router behind the
//! network and behind an in-memory pipe.

#![allow(dead_code, reason = "each test file uses its part of this")]

use std::sync::Arc;

use axum::Router;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use platforms::Credentials;
use platforms::transport::{Network, Pipe, Transport};
use url::Url;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// A server on a free port, and its address. A test mounts what it answers, the first that matches
/// first; nothing else is there (404). What a mock expects is checked when the server is dropped.
pub(crate) async fn mock_server() -> (MockServer, Url) {
    let server = MockServer::start().await;
    let url = Url::parse(&server.uri()).unwrap();
    (server, url)
}

/// The same for a platform that gives tokens.
pub(crate) async fn mock_platform() -> (MockServer, Url) {
    let (server, url) = mock_server().await;
    let token = answer_json(serde_json::json!({ "access_token": "t", "expires_in": 3600 }));
    Mock::given(method("POST"))
        .and(path("/oauth/token"))
        .respond_with(token)
        .mount(&server)
        .await;
    (server, url)
}

/// 200 with this JSON.
pub(crate) fn answer_json(body: serde_json::Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// Serves a router on a free port.
pub(crate) async fn serve(router: Router) -> Url {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Url::parse(&format!("http://{address}")).unwrap()
}

/// Both transports, each with the address at which it finds the router.
pub(crate) async fn both(router: Router) -> Vec<(&'static str, Arc<dyn Transport>, Url)> {
    let over_network: Arc<dyn Transport> = Arc::new(Network::new().unwrap());
    let served = router.clone();
    let pipe = Pipe::new(Arc::new(move |host: &str| {
        (host == "platform.test").then(|| {
            let (client, server) = tokio::io::duplex(64 * 1024);
            let service = TowerToHyperService::new(served.clone());
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(server), service)
                    .into_future(),
            );
            client
        })
    }));
    let over_pipe: Arc<dyn Transport> = Arc::new(pipe);
    vec![
        ("network", over_network, serve(router).await),
        (
            "pipe",
            over_pipe,
            Url::parse("http://platform.test").unwrap(),
        ),
    ]
}

pub(crate) fn credentials() -> Credentials {
    Credentials {
        client_id: "id".to_owned(),
        client_secret: "swordfish".to_owned(),
    }
}
