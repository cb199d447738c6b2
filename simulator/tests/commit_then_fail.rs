//! Every operation that changes something can do it and lose its answer: the table is walked
//! through the running platforms.

use std::path::PathBuf;

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use simulator::{Options, Setup, Simulator};

const ID: &str = "00000000-0000-4000-8000-000000000001";

/// Requests that change something.
fn mutating() -> Vec<Value> {
    let table = simulator::fault_table();
    let all = table["operations"].as_array().expect("operations").iter();
    all.filter(|one| one["mutates"] == true && one["method"] != "-")
        .cloned()
        .collect()
}

fn text<'a>(operation: &'a Value, field: &str) -> &'a str {
    operation[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} of {operation}"))
}

/// The first attempt loses its answer, the second gets an error, both after the deed.
fn setup() -> Setup {
    let mut toml = "about = 'a'\nseed = 7\n[genesys_cloud.limits]\nrequests_per_minute = \
        0\nuploads_per_second = 0\n"
        .to_owned();
    for operation in mutating() {
        for (attempt, kind) in [
            (1, "lost_answer"),
            (2, "error_after_commit"),
            (3, "late_answer"),
        ] {
            let on = text(&operation, "name");
            toml.push_str(&format!(
                "[[fault]]\non = '{on}'\nkind = '{kind}'\nattempts = [{attempt}]\n"
            ));
            if kind == "late_answer" {
                toml.push_str("ms = 1\n");
            }
        }
    }
    Setup::parse(&toml, "walk").unwrap_or_else(|error| panic!("{error}"))
}

struct Walk {
    simulator: Simulator,
    http: Client,
    token: String,
    /// Session of Interaction Recording: cookie and CSRF token.
    session: (String, String),
}

impl Walk {
    async fn begin() -> Walk {
        let simulator = Simulator::start(setup(), Options::default())
            .await
            .expect("a simulator");
        // Another test may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client");
        let mut walk = Walk {
            simulator,
            http,
            token: String::new(),
            session: Default::default(),
        };
        walk.log_in().await;
        let gir = walk.simulator.addresses().gir.clone().expect("gir");
        let answer = walk
            .http
            .get(format!("{gir}/api/v2/diagnostics/version"))
            .send()
            .await
            .expect("an answer");
        let header = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
        walk.session = (
            header("set-cookie")
                .split(';')
                .next()
                .unwrap_or_default()
                .to_owned(),
            header("x-csrf-token"),
        );
        walk
    }

    async fn log_in(&mut self) {
        let (base, client) = (
            &self.simulator.addresses().genesys_cloud,
            &self.simulator.credentials().genesys_cloud,
        );
        let asked = self
            .http
            .post(format!("{base}/oauth/token"))
            .basic_auth(&client.client_id, Some(&client.client_secret));
        let answer = asked
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials")
            .send()
            .await
            .expect("a token");
        let body: Value =
            serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("json");
        self.token = body["access_token"].as_str().expect("a token").to_owned();
    }

    fn request(&self, operation: &Value) -> RequestBuilder {
        let (addresses, accounts) = (self.simulator.addresses(), self.simulator.credentials());
        let name = text(operation, "name");
        // One row stands for the methods that nobody needs.
        let method = if name == "webdav.other" {
            "PROPPATCH"
        } else {
            text(operation, "method")
        };
        let steps = text(operation, "path").split('/').map(|step| match step {
            "{ccid}" => "57c0b771-b57c-4ea8-8655-7ef6d3c58ccc",
            step if step.starts_with('{') => ID,
            step => step,
        });
        let query = if name.ends_with("_policies") {
            format!("?ids={ID}")
        } else {
            String::new()
        };
        let path = steps.collect::<Vec<_>>().join("/") + &query;
        let to = |base: &str| {
            self.http.request(
                Method::from_bytes(method.as_bytes()).expect("a method"),
                format!("{base}{path}"),
            )
        };
        let request = match name.split('.').next() {
            Some("genesys_cloud") => to(&addresses.genesys_cloud).bearer_auth(&self.token),
            Some("gir") => to(addresses.gir.as_ref().expect("gir"))
                .basic_auth(&accounts.gir.username, Some(&accounts.gir.password))
                .header("cookie", &self.session.0)
                .header("x-csrf-token", &self.session.1),
            Some("webdav") => {
                let root = addresses.webdav.clone().expect("webdav");
                let request = to(root.trim_end_matches("/recordings"));
                let request =
                    request.basic_auth(&accounts.webdav.username, Some(&accounts.webdav.password));
                request.header(
                    "destination",
                    format!("{}/{ID}-moved", root.trim_end_matches('/')),
                )
            }
            Some("speechminer") => to(addresses
                .speechminer
                .as_ref()
                .expect("speechminer")
                .trim_end_matches("/interactionreceiver"))
            .basic_auth(
                &accounts.speechminer.username,
                Some(&accounts.speechminer.password),
            ),
            other => panic!("no platform {other:?}"),
        };
        request
            .header("content-type", "application/json")
            .body(body(name).to_string())
    }
}

/// Batches are struck by the keys of their items, so they need some.
fn body(name: &str) -> Value {
    let contract = match name {
        "genesys_cloud.inject_events" => "events_batch",
        "genesys_cloud.update_deletionprotection" => "update_deletionprotection",
        _ => return json!({}),
    };
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!(
        "../scenarios/contracts/genesys_cloud/{contract}.json"
    ));
    let contract: Value =
        serde_json::from_slice(&std::fs::read(path).expect("a contract")).expect("json");
    contract["request"]["body"].clone()
}

fn fault_of(answer: &Response) -> String {
    answer
        .headers()
        .get("x-seatrial-fault")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn every_deed_can_be_done_and_its_answer_lost_late_or_an_error() {
    let mut walk = Walk::begin().await;
    let operations = mutating();
    assert!(operations.len() >= 40, "{}", operations.len());
    for operation in &operations {
        let name = text(operation, "name");
        let lost = walk.request(operation).send().await;
        assert!(lost.is_err(), "{name}: an answer came: {lost:?}");
        // The deed was done: a token that is given back is one that no longer opens anything.
        if name == "genesys_cloud.delete_token" {
            walk.log_in().await;
        }
        let error = walk
            .request(operation)
            .send()
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        // An answer that tells of each item is no error as a whole: the items' own say so.
        let status = if name == "genesys_cloud.inject_events" {
            200
        } else {
            503
        };
        assert_eq!(error.status(), status, "{name}");
        assert!(
            !fault_of(&error).is_empty(),
            "{name}: the answer does not name its fault"
        );
        if name == "genesys_cloud.delete_token" {
            walk.log_in().await;
        }
        let late = walk
            .request(operation)
            .send()
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            !fault_of(&late).is_empty(),
            "{name}: the late answer does not name its fault"
        );
        if name == "genesys_cloud.delete_token" {
            walk.log_in().await;
        }
    }
    let log = walk.simulator.injected();
    for operation in &operations {
        let struck = log
            .iter()
            .filter(|injected| injected.operation == operation["name"])
            .count();
        assert!(
            struck >= 3,
            "{}: {struck} of 3 faults stand in the log",
            operation["name"]
        );
    }
}

#[test]
fn what_changes_nothing_cannot_commit_and_then_fail() {
    let table = simulator::fault_table();
    for operation in table["operations"]
        .as_array()
        .expect("operations")
        .iter()
        .filter(|one| one["mutates"] == false)
    {
        let on = text(operation, "name");
        let toml = format!("about = 'a'\nseed = 7\n[[fault]]\non = '{on}'\nkind = 'lost_answer'");
        assert!(Setup::parse(&toml, "walk").is_err(), "{on}");
    }
}
