use reqwest::{Client, Response, StatusCode, redirect};
use serde_json::Value;

use crate::{Options, Setup, Simulator};

struct Site {
    simulator: Simulator,
    http: Client,
    token: String,
}

async fn site(extra: &str) -> Site {
    let text = format!("about = 'a'\nseed = 7\n{extra}\n");
    let setup = Setup::parse(&text, "test").unwrap_or_else(|error| panic!("{error}"));
    let simulator = Simulator::start(setup, Options::default())
        .await
        .expect("a simulator");
    // Another test may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client");
    let mut site = Site {
        simulator,
        http,
        token: String::new(),
    };
    site.token = site.new_token().await;
    site
}

impl Site {
    async fn new_token(&self) -> String {
        let url = format!("{}/oauth/token", self.simulator.addresses().legacy);
        let client = &self.simulator.credentials().legacy;
        let request = self
            .http
            .post(url)
            .basic_auth(&client.client_id, Some(&client.client_secret));
        let answer = request
            .body("grant_type=client_credentials")
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        body(answer).await["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    async fn get(&self, path: &str) -> Response {
        self.get_with(path, &[]).await.expect("an answer")
    }

    async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> reqwest::Result<Response> {
        let mut request = self
            .http
            .get(format!("{}{path}", self.simulator.addresses().legacy))
            .bearer_auth(&self.token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await
    }

    async fn control(&self, path: &str) -> String {
        let url = format!("{}/_sim/{path}", self.simulator.addresses().control);
        self.http
            .get(url)
            .send()
            .await
            .expect("an answer")
            .text()
            .await
            .expect("a body")
    }

    async fn post_control(&self, path: &str, json: &str) -> Response {
        let url = format!("{}/_sim/{path}", self.simulator.addresses().control);
        self.http
            .post(url)
            .body(json.to_owned())
            .send()
            .await
            .expect("an answer")
    }
}

async fn body(answer: Response) -> Value {
    serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("json")
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
}

const NO_REDIRECT: &str = "[legacy.limits]\nredirect_share = 0.0";

#[tokio::test]
async fn paging_gives_every_interaction_once() {
    let site = site("").await;
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = body(
            site.get(&format!(
                "/api/v2/analytics/interactions/query?view=default&size=7&cursor={cursor}"
            ))
            .await,
        )
        .await;
        let entities = page["entities"].as_array().expect("entities").clone();
        ids.extend(
            entities
                .iter()
                .map(|one| one["id"].as_u64().expect("an id")),
        );
        match page["metadata"]["pagination"]["nextPageCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(ids, (100_001..100_041).collect::<Vec<u64>>());
}

#[tokio::test]
async fn the_last_page_of_ten_million_is_as_near_as_the_first() {
    let site = site("[world]\ninteractions = 10000000").await;
    // Working the ten million out would take minutes: the bound is wide and still tells.
    let clock = crate::clock::Clock::of_a_test();
    let started_ms = clock.now_ms();
    let deep = base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        "offset:9999990",
    );
    let page = body(
        site.get(&format!(
            "/api/v2/analytics/interactions/query?size=1000&cursor={deep}"
        ))
        .await,
    )
    .await;
    let ids: Vec<u64> = page["entities"]
        .as_array()
        .expect("entities")
        .iter()
        .filter_map(|one| one["id"].as_u64())
        .collect();
    assert_eq!(ids, (10_099_991..=10_100_000).collect::<Vec<u64>>());
    assert_eq!(
        page["metadata"]["pagination"]["nextPageCursor"],
        Value::Null
    );
    let first = body(
        site.get("/api/v2/analytics/interactions/query?size=1000")
            .await,
    )
    .await;
    assert_eq!(first["entities"].as_array().map(Vec::len), Some(1000));
    assert!(clock.now_ms() - started_ms < 10_000);
}

#[tokio::test]
async fn a_wrong_method_is_told_as_any_other_error_and_an_unknown_parameter_is_passed_over() {
    let site = site("").await;
    for base in [
        &site.simulator.addresses().legacy,
        &site.simulator.addresses().legacy_media,
    ] {
        for path in ["/api/v2/users", "/presigned/x"] {
            let answer = site
                .http
                .delete(format!("{base}{path}"))
                .bearer_auth(&site.token)
                .send()
                .await
                .expect("an answer");
            let status = answer.status().as_u16();
            let told = body(answer).await;
            let code = if status == 405 {
                "method_not_allowed"
            } else {
                "not_found"
            };
            assert!(status == 405 || status == 404, "{base}{path}: {status}");
            assert_eq!(told["error"], code);
            assert!(
                told["message"]
                    .as_str()
                    .is_some_and(|words| !words.is_empty())
            );
        }
    }
    let plain = body(site.get("/api/v2/users?size=3").await).await;
    assert_eq!(
        body(site.get("/api/v2/users?size=3&unknown=1").await).await,
        plain
    );
}

#[tokio::test]
async fn a_window_is_half_open_on_the_stated_start() {
    let site = site("").await;
    let all = body(
        site.get("/api/v2/analytics/interactions/query?size=1000")
            .await,
    )
    .await;
    let start = |i: usize| all["entities"][i]["startTime"].as_i64().expect("a time");
    let page = body(
        site.get(&format!(
            "/api/v2/analytics/interactions/query?from={}&to={}",
            start(3),
            start(6)
        ))
        .await,
    )
    .await;
    let ids: Vec<u64> = page["entities"]
        .as_array()
        .expect("entities")
        .iter()
        .filter_map(|one| one["id"].as_u64())
        .collect();
    assert_eq!(ids, [100_004, 100_005, 100_006]);
}

#[tokio::test]
async fn the_answers_have_the_fields_of_the_contracts() {
    let site = site("[world]\npause_share = 1.0\nno_recording_share = 0.0").await;
    for (file, path) in [
        ("query_interactions", "/api/v2/analytics/interactions/query"),
        ("list_users", "/api/v2/users"),
        ("list_queues", "/api/v2/queues"),
        ("get_recording", "/api/v2/recordings/100001-1"),
    ] {
        let path_of_contract = format!(
            "{}/../scenarios/contracts/legacy/{file}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let contract: Value =
            serde_json::from_str(&std::fs::read_to_string(path_of_contract).expect("a contract"))
                .expect("json");
        let answer = body(site.get(path).await).await;
        same_keys(file, &contract["response"]["body"], &answer);
    }
}

fn same_keys(at: &str, contract: &Value, answer: &Value) {
    match (contract, answer) {
        (Value::Object(contract), Value::Object(answer)) => {
            let keys = |object: &serde_json::Map<String, Value>| {
                object
                    .keys()
                    .cloned()
                    .collect::<std::collections::BTreeSet<_>>()
            };
            assert_eq!(keys(contract), keys(answer), "{at}");
            contract
                .iter()
                .for_each(|(key, value)| same_keys(&format!("{at}.{key}"), value, &answer[key]));
        }
        (Value::Array(contract), Value::Array(answer)) => {
            if let (Some(contract), Some(answer)) = (contract.first(), answer.first()) {
                same_keys(&format!("{at}[]"), contract, answer);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        (contract, answer) => assert_eq!(
            std::mem::discriminant(contract),
            std::mem::discriminant(answer),
            "{at}"
        ),
    }
}

#[tokio::test]
async fn a_bad_request_is_told_what_would_be_right() {
    let site = site("").await;
    for (path, status, expected) in [
        (
            "/api/v2/analytics/interactions/query?size=0",
            400,
            "size must be 1..1000",
        ),
        (
            "/api/v2/analytics/interactions/query?size=1001",
            400,
            "size must be 1..1000",
        ),
        (
            "/api/v2/analytics/interactions/query?cursor=xx",
            400,
            "cursor is not one this source gave out",
        ),
        (
            "/api/v2/analytics/interactions/query?view=all",
            400,
            "view must be default",
        ),
        (
            "/api/v2/analytics/interactions/query?from=yesterday",
            400,
            "from must be unix milliseconds",
        ),
        (
            "/api/v2/recordings/100001-9",
            404,
            "recording 100001-9 does not exist",
        ),
        (
            "/api/v2/recordings/nonsense/media",
            404,
            "recording nonsense does not exist",
        ),
        ("/api/v3/users", 404, "there is no such path"),
    ] {
        let answer = site.get(path).await;
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(body(answer).await["message"], expected, "{path}");
    }
}

#[tokio::test]
async fn tokens_are_asked_for_refused_and_outlived() {
    let mut site = site("[legacy.limits]\nmissing_scopes = ['read:queues']").await;
    assert_eq!(site.get("/api/v2/queues").await.status(), 403);
    assert_eq!(site.get("/api/v2/users").await.status(), 200);
    site.simulator
        .advance_ms(3_600_001)
        .expect("on the calendar");
    let answer = site.get("/api/v2/users").await;
    assert_eq!(
        (answer.status().as_u16(), &body(answer).await["error"]),
        (401, &Value::from("invalid_token"))
    );
    site.token = site.new_token().await;
    assert_eq!(site.get("/api/v2/users").await.status(), 200);
    site.token = "guess".to_owned();
    assert_eq!(site.get("/api/v2/users").await.status(), 401);
    let url = format!("{}/oauth/token", site.simulator.addresses().legacy);
    let wrong = site
        .http
        .post(&url)
        .basic_auth("migrator", Some("wrong"))
        .body("grant_type=client_credentials")
        .send()
        .await
        .expect("an answer");
    assert_eq!(wrong.status(), 401);
    let client = site.simulator.credentials().legacy.clone();
    let grant = site
        .http
        .post(&url)
        .basic_auth(client.client_id, Some(client.client_secret))
        .body("grant_type=password")
        .send()
        .await;
    assert_eq!(grant.expect("an answer").status(), 400);
}

#[tokio::test]
async fn the_limit_says_when_to_come_back() {
    let site = site("[legacy.limits]\nrequests_per_minute = 2").await;
    assert_eq!(site.get("/api/v2/users").await.status(), 200);
    assert_eq!(site.get("/api/v2/users").await.status(), 200);
    let answer = site.get("/api/v2/users").await;
    assert_eq!(answer.status(), 429);
    let wait: u64 = header(&answer, "retry-after")
        .parse()
        .expect("whole seconds");
    assert!((1..=60).contains(&wait));
    site.simulator
        .advance_ms(wait * 1000)
        .expect("on the calendar");
    assert_eq!(site.get("/api/v2/users").await.status(), 200);
}

#[tokio::test]
async fn media_is_resumed_where_it_was_cut() {
    let site = site(NO_REDIRECT).await;
    let path = "/api/v2/recordings/100001-1/media";
    let whole = site.get(path).await;
    let (etag, length) = (
        header(&whole, "etag").to_owned(),
        header(&whole, "content-length").to_owned(),
    );
    let bytes = whole.bytes().await.expect("media");
    assert_eq!(bytes.len().to_string(), length);
    assert!(audio::decode(&bytes).is_ok());
    let rest = site
        .get_with(path, &[("range", "bytes=1000-"), ("if-range", &etag)])
        .await
        .expect("an answer");
    assert_eq!(rest.status(), 206);
    assert_eq!(
        header(&rest, "content-range"),
        format!("bytes 1000-{}/{length}", bytes.len() - 1)
    );
    assert_eq!(rest.bytes().await.expect("the rest"), bytes.slice(1000..));
    assert_eq!(
        site.get_with(path, &[("range", "bytes=1000-"), ("if-range", "\"other\"")])
            .await
            .expect("an answer")
            .status(),
        200
    );
    assert_eq!(
        site.get_with(path, &[("range", "bytes=99999999-")])
            .await
            .expect("an answer")
            .status(),
        416
    );
    let head = site
        .http
        .head(format!("{}{path}", site.simulator.addresses().legacy))
        .bearer_auth(&site.token)
        .send()
        .await
        .expect("head");
    assert_eq!(header(&head, "content-length"), length);
    let told = body(site.get("/api/v2/recordings/100001-1").await).await;
    assert_eq!(told["sizeBytes"].to_string(), length);
}

#[tokio::test]
async fn a_presigned_url_takes_no_token_and_ends() {
    let site = site("[legacy.limits]\nredirect_share = 1.0\npresigned_seconds = 60").await;
    let answer = site.get("/api/v2/recordings/100001-1/media").await;
    assert_eq!(answer.status(), 302);
    let url = header(&answer, "location").to_owned();
    assert!(url.starts_with(&site.simulator.addresses().legacy_media));
    let get = |url: String| site.http.get(url).send();
    assert_eq!(get(url.clone()).await.expect("media").status(), 200);
    assert_eq!(
        site.http
            .get(&url)
            .bearer_auth(&site.token)
            .send()
            .await
            .expect("an answer")
            .status(),
        400
    );
    assert_eq!(
        get(url.replace("100001-1", "100002-1"))
            .await
            .expect("an answer")
            .status(),
        403
    );
    site.simulator.advance_ms(60_000).expect("on the calendar");
    assert_eq!(get(url).await.expect("an answer").status(), 403);
}

#[tokio::test]
async fn faults_strike_as_addressed_and_can_be_lifted() {
    let fault =
        "[[fault]]\non = 'legacy.get_media'\nkind = 'KIND'\nattempts = [1]\nkeys = ['100001-1']\n";
    let path = "/api/v2/recordings/100001-1/media";
    for (kind, extra) in [
        ("server_error", "status = 502"),
        ("refused", "status = 403"),
        ("too_many_requests", "retry_after_s = 3"),
        ("expired_token", ""),
    ] {
        let site = site(&format!(
            "{NO_REDIRECT}\n{}{extra}",
            fault.replace("KIND", kind)
        ))
        .await;
        let answer = site.get(path).await;
        let status = match kind {
            "server_error" => 502,
            "refused" => 403,
            "too_many_requests" => 429,
            _ => 401,
        };
        assert_eq!(answer.status(), status);
        assert!(header(&answer, "x-seatrial-fault").starts_with("f1-"));
        assert_eq!(site.get(path).await.status(), 200);
        let journal = site.simulator.journal(Some("legacy"), 0, 100);
        let line = journal
            .iter()
            .find(|line| line.operation == "legacy.get_media")
            .expect("a line");
        assert_eq!(
            (line.status, line.attempt, line.fault.is_some()),
            (status, 1, true)
        );
    }
    let reset = site(&format!(
        "{NO_REDIRECT}\n{}",
        fault.replace("KIND", "connection_reset")
    ))
    .await;
    assert!(reset.get_with(path, &[]).await.is_err());
    assert_eq!(reset.get(path).await.status(), 200);
    let truncated = site(&format!(
        "{NO_REDIRECT}\n{}",
        fault.replace("KIND", "truncated_body")
    ))
    .await;
    let answer = truncated.get(path).await;
    assert!(!header(&answer, "content-length").is_empty());
    assert!(answer.bytes().await.is_err());
    let slow = site(&format!(
        "{NO_REDIRECT}\n{}ms = 5",
        fault.replace("KIND", "slow_body")
    ))
    .await;
    assert!(audio::decode(&slow.get(path).await.bytes().await.expect("media")).is_ok());
}

#[tokio::test]
async fn what_broke_off_is_not_held_against_who_reads_it_again() {
    let cut = "[[fault]]\non = 'legacy.get_media'\nkind = 'truncated_body'\nattempts = [1, 2, 3]\n";
    for (fault, breaches) in [(cut, None), ("", Some(3))] {
        let site = site(&format!("{NO_REDIRECT}\n{fault}")).await;
        for _ in 0..18 {
            let _ = site
                .get("/api/v2/recordings/100001-1/media")
                .await
                .bytes()
                .await;
        }
        assert_eq!(
            site.simulator
                .conduct()
                .by_rule()
                .get("media_fetched_again")
                .copied(),
            breaches,
            "{fault}"
        );
    }
}

#[tokio::test]
async fn the_control_api_serves_a_rehearsal() {
    let site = site("[world]\ninteractions = 3").await;
    assert!(site.control("health").await.contains("\"world_version\":1"));
    let addresses: crate::Addresses =
        serde_json::from_str(&site.control("addresses").await).expect("addresses");
    assert_eq!(&addresses, site.simulator.addresses());
    let credentials: Value =
        serde_json::from_str(&site.control("credentials").await).expect("credentials");
    assert_eq!(credentials["legacy"]["client_id"], "migrator");
    let posted = site
        .post_control(
            "faults",
            r#"{"on":"legacy.list_users","kind":"server_error","status":500}"#,
        )
        .await;
    assert_eq!(
        (posted.status().as_u16(), body(posted).await["id"].as_u64()),
        (201, Some(1))
    );
    assert_eq!(site.get("/api/v2/users").await.status(), 500);
    let listed: Value = serde_json::from_str(&site.control("faults").await).expect("faults");
    assert_eq!(
        (
            &listed["faults"][0]["id"],
            &listed["injected"][0]["operation"]
        ),
        (&Value::from(1), &Value::from("legacy.list_users"))
    );
    let url = format!("{}/_sim/faults", site.simulator.addresses().control);
    assert_eq!(
        site.http
            .delete(url)
            .send()
            .await
            .expect("an answer")
            .status(),
        200
    );
    assert_eq!(site.get("/api/v2/users").await.status(), 200);
    let wrong = site
        .post_control(
            "faults",
            r#"{"on":"legacy.list_userz","kind":"server_error"}"#,
        )
        .await;
    assert_eq!(wrong.status(), 400);
    assert!(
        body(wrong).await["error"]
            .as_str()
            .expect("a message")
            .contains("nearest is `legacy.list_users`")
    );
    let before: Value = serde_json::from_str(&site.control("clock").await).expect("clock");
    let after = body(
        site.post_control("clock", r#"{"advance_ms":86400000}"#)
            .await,
    )
    .await;
    assert!(after["now_ms"].as_i64() >= before["now_ms"].as_i64().map(|ms| ms + 86_400_000));
    assert_eq!(site.control("truth/legacy").await.lines().count(), 3);
    let journal = site
        .control("journal?platform=legacy&after=1&limit=2")
        .await;
    assert_eq!(journal.lines().count(), 2);
    assert!(
        site.control("assumptions")
            .await
            .contains("legacy.auth.client_credentials")
    );
}

#[tokio::test]
async fn a_pipe_is_answered_like_a_socket() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let site = site("").await;
    let mut pipe = site.simulator.connect(crate::PlatformName::Legacy);
    pipe.write_all(b"GET /api/v2/users HTTP/1.1\r\nhost: legacy\r\nconnection: close\r\n\r\n")
        .await
        .expect("a request");
    let mut text = String::new();
    pipe.read_to_string(&mut text).await.expect("an answer");
    assert!(text.starts_with("HTTP/1.1 401"), "{text}");
    assert!(text.to_lowercase().contains("\r\ndate: "), "{text}");
}

#[tokio::test]
async fn the_plan_names_everything_and_hides_the_secrets() {
    let overrides = toml::from_str("[rules]\nunmapped_queue = 'skip'").expect("toml");
    let site = site("[world]\nunmapped_agents = 1\ndrift_ms = [0, -73000]").await;
    let dir = tempfile::tempdir().expect("a folder");
    let plan = std::fs::read_to_string(
        site.simulator
            .write_plan_with(dir.path(), &overrides)
            .expect("a plan"),
    )
    .expect("plan.toml");
    let parsed: toml::Table = toml::from_str(&plan).expect("toml");
    assert_eq!(parsed["rules"]["unmapped_queue"].as_str(), Some("skip"));
    assert!(
        parsed["rules"]["unmapped_agent"]
            .as_str()
            .is_some_and(|rule| rule.starts_with("fallback:"))
    );
    assert_eq!(
        parsed["time"]["node"]["N2"]["offset_ms"].as_integer(),
        Some(-73_000)
    );
    assert_eq!(
        parsed["source"]["client_secret"]["file"].as_str(),
        Some("secrets/source")
    );
    assert!(!plan.contains(&site.simulator.credentials().legacy.client_secret));
    let secret = dir.path().join("secrets/source");
    assert_eq!(
        std::fs::read_to_string(&secret).expect("a secret"),
        site.simulator.credentials().legacy.client_secret
    );
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(&secret).expect("metadata").permissions()
        ) & 0o777,
        0o600
    );
    let agents =
        std::fs::read_to_string(dir.path().join("mapping/agents.csv")).expect("agents.csv");
    assert_eq!(
        agents.lines().next(),
        Some("legacy_agent_id,genesys_user_id,genesys_user_name,valid_from,valid_to")
    );
    assert!(agents.contains("AGT-001,") && !agents.contains("AGT-012,"));
    site.simulator
        .write_plan(dir.path())
        .expect("the plan again");
}

#[tokio::test]
async fn faults_are_added_listed_and_lifted_while_running_and_wrong_data_is_not() {
    let site = site("").await;
    let rule = r#"{"on": "legacy.get_recording", "kind": "server_error", "status": 502}"#;
    assert_eq!(
        site.post_control("faults", rule).await.status(),
        StatusCode::CREATED
    );
    let answer = site.get("/api/v2/recordings/100001-1").await;
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    let log = site.control("faults/log").await;
    let id = answer.headers()["x-seatrial-fault"]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(
        log.lines().count() == 1 && log.contains(&id) && log.contains("\"status\":502"),
        "{log}"
    );
    assert_eq!(crate::Injected::read_log(&log).map(|log| log.len()), Ok(1));
    let refused = site
        .post_control(
            "faults",
            r#"{"on": "world.media", "kind": "html_media", "count": 1}"#,
        )
        .await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert!(
        body(refused).await["error"]
            .as_str()
            .is_some_and(|why| why.contains("write it into the scenario"))
    );
}

#[tokio::test]
async fn a_call_that_is_listed_twice_stands_on_the_next_page_too() {
    let site = site(
        "[world]\ninteractions = 9\n[legacy.limits]\npage_max = 4\n[[fault]]\non = \
         'world.interaction'\nkind = 'duplicate_on_next_page'\nkeys = ['100002', \
         '100009']\n[[fault]]\non = 'world.interaction'\nkind = 'id_collision'\nkeys = ['100004']",
    )
    .await;
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = body(
            site.get(&format!(
                "/api/v2/analytics/interactions/query?size=1000&cursor={cursor}"
            ))
            .await,
        )
        .await;
        let ids: Vec<u64> = page["entities"]
            .as_array()
            .expect("entities")
            .iter()
            .map(|one| one["id"].as_u64().expect("an id") - 100_000)
            .collect();
        pages.push((ids, page["entities"].clone()));
        match page["metadata"]["pagination"]["nextPageCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    let ids: Vec<Vec<u64>> = pages.iter().map(|(ids, _)| ids.clone()).collect();
    assert_eq!(
        ids,
        [vec![1, 2, 3, 4], vec![2, 4, 5, 6], vec![7, 8, 9], vec![9]]
    );
    assert_eq!(pages[0].1[1], pages[1].1[0], "the same call");
    assert_ne!(
        pages[0].1[3], pages[1].1[1],
        "another call under the same id"
    );
}
