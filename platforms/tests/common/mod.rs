//! A platform of one's own: an axum router behind the network and behind an in-memory pipe.

#![allow(dead_code, reason = "each test file uses its part of this")]

use std::sync::Arc;

use axum::Router;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use platforms::Credentials;
use platforms::transport::{Network, Pipe, Transport};
use url::Url;

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
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(server), service).into_future());
            client
        })
    }));
    let over_pipe: Arc<dyn Transport> = Arc::new(pipe);
    vec![("network", over_network, serve(router).await), ("pipe", over_pipe, Url::parse("http://platform.test").unwrap())]
}

pub(crate) fn credentials() -> Credentials {
    Credentials { client_id: "id".to_owned(), client_secret: "swordfish".to_owned() }
}
