//! The control API takes what names it and comes from no other page, and no advance that no
//! calendar holds.

use reqwest::{RequestBuilder, StatusCode};
use serde_json::json;
use simulator::{Options, Setup, Simulator};

const SCENARIO: &str =
    "about = \"The control API.\"\nseed = 3\n[world]\ninteractions = 2\nagents = 2\nqueues = 1\n";

async fn running() -> (Simulator, reqwest::Client) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let setup = Setup::parse(SCENARIO, "control").expect("a setup");
    let simulator = Simulator::start(setup, Options::default())
        .await
        .expect("a simulator");
    (
        simulator,
        reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client"),
    )
}

async fn status(request: RequestBuilder) -> StatusCode {
    request.send().await.expect("an answer").status()
}

#[tokio::test]
async fn a_page_of_another_origin_and_another_name_are_refused() {
    let (simulator, http) = running().await;
    let control = simulator.addresses().control.clone();
    let own = control
        .strip_prefix("http://")
        .expect("plain HTTP")
        .to_owned();
    let port = own.rsplit_once(':').expect("a port").1.to_owned();
    let rows = [
        (None, None, 200),
        (Some(format!("localhost:{port}")), None, 200),
        (None, Some(control.clone()), 200),
        (None, Some(format!("http://localhost:{port}")), 200),
        (Some("evil.example".to_owned()), None, 403),
        (Some(format!("evil.example:{port}")), None, 403),
        (Some("127.0.0.1".to_owned()), None, 403),
        (None, Some("http://evil.example".to_owned()), 403),
        (None, Some("null".to_owned()), 403),
        (
            Some("evil.example".to_owned()),
            Some("http://evil.example".to_owned()),
            403,
        ),
    ];
    for (host, origin, wanted) in rows {
        let mut request = http.get(format!("{control}/_sim/health"));
        for (name, value) in [("host", &host), ("origin", &origin)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        assert_eq!(status(request).await, wanted, "{host:?} {origin:?}");
    }
    let post = http
        .post(format!("{control}/_sim/snapshots"))
        .header("origin", "http://evil.example");
    assert_eq!(status(post).await, 403);
    assert!(
        simulator.snapshots().is_empty(),
        "a refused request changes nothing"
    );
}

#[tokio::test]
async fn an_advance_that_no_calendar_holds_is_refused_and_dates_go_on() {
    let (simulator, http) = running().await;
    let control = &simulator.addresses().control;
    let advance = |ms: u64| {
        http.post(format!("{control}/_sim/clock"))
            .body(json!({"advance_ms": ms}).to_string())
    };
    for ms in [
        1_000_000_000_000_000_000,
        u64::MAX / 2,
        u64::MAX,
        253_402_300_800_000,
    ] {
        let before = simulator.now_ms();
        assert_eq!(status(advance(ms)).await, 400, "{ms}");
        assert!(simulator.now_ms() - before < 60_000);
    }
    assert_eq!(status(advance(36_525 * 86_400_000)).await, 200, "a century");
    let answer = http
        .get(format!(
            "{}/api/v2/users",
            simulator.addresses().genesys_cloud
        ))
        .send()
        .await
        .expect("an answer");
    assert!(answer.headers().contains_key("date"));
}
