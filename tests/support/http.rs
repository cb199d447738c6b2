//! The HTTP client of tests: one request at a time, each on a connection of its own.

#![allow(dead_code, reason = "each test file uses its part of this")]

use std::sync::{OnceLock, mpsc};

use tokio::runtime::{Builder, Runtime};

/// Its threads serve tests of every kind, also those that run on a runtime of their own.
fn client() -> &'static (Runtime, reqwest::Client) {
    static CLIENT: OnceLock<(Runtime, reqwest::Client)> = OnceLock::new();
    CLIENT.get_or_init(|| {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        (runtime, reqwest_client())
    })
}

/// Takes no proxy, follows no redirect, keeps no connection.
pub(crate) fn reqwest_client() -> reqwest::Client {
    // Whoever starts a simulator in this process may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0);
    builder.build().expect("a client")
}

/// Status and body of what `address` (`http://host:port`) answers; 0 and the reason where nothing
/// comes.
pub(crate) fn http(address: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    send(address, method, path, &[], body)
}

/// The same, with headers.
pub(crate) fn send(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String) {
    let (runtime, client) = client();
    let url = format!("{}{path}", address.trim_end_matches('/'));
    let mut request = client
        .request(method.parse().expect("a method"), url)
        .body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (answer, answered) = mpsc::channel();
    runtime.spawn(async move {
        let exchange = async {
            let response = request.send().await?;
            let status = response.status().as_u16();
            Ok::<_, reqwest::Error>((
                status,
                String::from_utf8_lossy(&response.bytes().await?).into_owned(),
            ))
        };
        drop(answer.send(exchange.await));
    });
    answered
        .recv()
        .expect("the exchange ends")
        .unwrap_or_else(|error| (0, format!("{error:?}")))
}
