//! Wrong data of the source is to be seen by whoever reads it: a call with a fault is not what it
//! is without.

use reqwest::Client;
use serde_json::Value;
use simulator::{Layer, Options, Row, Setup, Simulator, fault_rows};

/// The call that is looked at; the last of its page, so that a second listing of it stands on the
/// next.
const CALL: &str = "100003";

fn world(fault: &str) -> Setup {
    let text = format!(
        "about = 'a'\nseed = 9\n[world]\ninteractions = 5\nre_used_agents = 0\ntransfer_share = \
         0.0\nno_recording_share = 0.0\nmasked_share = 0.0\npause_share = 0.0\nhold_share = \
         0.0\nstereo_share = 0.0\nmean_seconds = 2.5\n{fault}\n[legacy.limits]\npage_max = \
         3\nredirect_share = 0.0\n"
    );
    Setup::parse(&text, "planted").unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What a client is told of the source: every page, and the answers and the media of each recording
/// of the call.
async fn told(setup: Setup) -> Vec<String> {
    let simulator = Simulator::start(setup, Options::default())
        .await
        .expect("a simulator");
    // Another test may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = Client::builder().no_proxy().build().expect("a client");
    let (base, client) = (
        &simulator.addresses().legacy,
        &simulator.credentials().legacy,
    );
    let asked = http
        .post(format!("{base}/oauth/token"))
        .basic_auth(&client.client_id, Some(&client.client_secret));
    let token = asked
        .body("grant_type=client_credentials")
        .send()
        .await
        .expect("a token")
        .text()
        .await
        .expect("a body");
    let token: Value = serde_json::from_str(&token).expect("json");
    let token = token["access_token"].as_str().expect("a token");
    let get = async |path: &str| {
        let answer = http
            .get(format!("{base}{path}"))
            .bearer_auth(token)
            .send()
            .await
            .expect("an answer");
        let status = answer.status();
        (status, answer.bytes().await.expect("a body"))
    };
    let (mut told, mut cursor) = (Vec::new(), String::new());
    loop {
        let (_, page) = get(&format!(
            "/api/v2/analytics/interactions/query?size=1000&cursor={cursor}"
        ))
        .await;
        let text = String::from_utf8(page.to_vec()).expect("text");
        // Half a character is no text for a strict reader: only its escape is taken out.
        let page: Value = serde_json::from_str(&text.replace("\\ud83d", "")).expect("json");
        told.push(text);
        match page["metadata"]["pagination"]["nextPageCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    for id in [format!("{CALL}-1"), format!("{CALL}-1%C3%A9%201")] {
        let (status, answer) = get(&format!("/api/v2/recordings/{id}")).await;
        let (of_media, media) = get(&format!("/api/v2/recordings/{id}/media")).await;
        told.push(format!("{status} {}", String::from_utf8_lossy(&answer)));
        told.push(format!("{of_media} {media:?}"));
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_the_data_shows_on_the_wire_and_touches_no_other_call() {
    let plain = told(world("")).await;
    let rows: Vec<&Row> = fault_rows()
        .filter(|row| row.layer == Layer::Domain)
        .collect();
    assert!(rows.len() > 100, "{}", rows.len());
    for row in rows {
        let fault = format!(
            "[[fault]]\non = '{}'\nkind = '{}'\nkeys = ['{CALL}']",
            row.on[0], row.name
        );
        let told = told(world(&fault)).await;
        assert_ne!(told, plain, "{} is not to be seen", row.name);
        // The calls before it are on the first page, before its own entry.
        let before = |told: &[String]| {
            told[0]
                .split("\"id\":100003")
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        assert!(
            told[0].starts_with(&before(&plain)[..before(&plain).len() - 1]),
            "{} touches another call",
            row.name
        );
    }
}
