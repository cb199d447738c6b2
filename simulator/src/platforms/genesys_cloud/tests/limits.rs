//! Tokens, windows and scopes.

use super::*;

#[tokio::test]
async fn one_request_too_many_is_429_in_the_contracts_envelope() {
    let world = World::with(Settings {
        requests_per_minute: 3,
        ..Settings::default()
    })
    .await;
    for count in 1..=3 {
        let answer = world.get("/api/v2/users").await;
        assert_eq!(
            (
                answer.status.as_u16(),
                answer.header("inin-ratelimit-count")
            ),
            (200, count.to_string().as_str())
        );
        assert_eq!(answer.header("inin-ratelimit-allowed"), "3");
        assert!(
            answer
                .header("inin-ratelimit-reset")
                .parse::<u64>()
                .is_ok_and(|seconds| (1..=60).contains(&seconds))
        );
    }
    let answer = world.get("/api/v2/users").await;
    let body = answer.json();
    assert_eq!(answer.status, 429);
    assert_eq!(
        answer.header("retry-after"),
        answer.header("inin-ratelimit-reset")
    );
    assert_eq!(body["contextId"], answer.header("inin-correlation-id"));
    assert_eq!(body["code"], "too.many.requests.retry.after");
    assert_eq!(
        body["limit"],
        json!({"key": "client.credentials.token.rate.per.minute", "namespace": "platform.api", "value": 3})
    );
    assert_eq!(
        body["messageParams"]["retryAfter"],
        answer.header("retry-after")
    );
    assert!(
        body["messageWithParams"]
            .as_str()
            .is_some_and(|text| text.contains("[{retryAfter}]"))
    );
}

#[tokio::test]
async fn the_window_ends_after_a_minute_of_the_one_clock() {
    let world = World::with(Settings {
        requests_per_minute: 1,
        ..Settings::default()
    })
    .await;
    assert_eq!(world.get("/api/v2/users").await.status, 200);
    assert_eq!(world.get("/api/v2/users").await.status, 429);
    world
        .core
        .clock
        .advance_ms(60_000)
        .expect("on the calendar");
    assert_eq!(world.get("/api/v2/users").await.status, 200);
}

#[tokio::test]
async fn uploads_have_their_own_second_and_do_not_count_in_the_minute() {
    let world = World::with(Settings {
        requests_per_minute: 2,
        uploads_per_second: 5,
        ..Settings::default()
    })
    .await;
    let mut refused = 0;
    for number in 0..12 {
        let answer = world.upload(&format!("{number}.mp3"), b"x").await;
        refused += u32::from(answer.status == 429);
        if answer.status == 429 {
            assert_eq!(answer.header("retry-after"), "1");
        }
        assert_eq!(
            (
                answer.header("inin-ratelimit-count"),
                answer.header("inin-ratelimit-allowed")
            ),
            ("0", "2")
        );
    }
    assert!(refused > 0);
    assert_eq!(
        world
            .get("/api/v2/users")
            .await
            .header("inin-ratelimit-count"),
        "1"
    );
}

fn shared(organisation: u32, route: u32) -> Settings {
    let route_requests_per_minute = [("genesys_cloud.list_skills".to_owned(), route)].into();
    Settings {
        requests_per_minute: 100,
        org_requests_per_minute: organisation,
        route_requests_per_minute,
        ..Settings::default()
    }
}

#[tokio::test]
async fn the_organisations_minute_is_shared_by_its_tokens() {
    let mut world = World::with(shared(3, 0)).await;
    assert_eq!(world.get("/api/v2/users").await.status, 200);
    assert_eq!(world.get("/api/v2/users").await.status, 200);
    world.token = world.sign_in().await;
    let last = world.get("/api/v2/users").await;
    assert_eq!(
        (
            last.status.as_u16(),
            last.header("inin-ratelimit-count"),
            last.header("inin-ratelimit-allowed")
        ),
        (200, "1", "100")
    );
    world
        .core
        .clock
        .advance_ms(20_000)
        .expect("on the calendar");
    let refused = world.get("/api/v2/users").await;
    assert_eq!(
        refused.json()["limit"],
        json!({"key": "org.app.user.rate.per.minute", "namespace": "platform.api", "value": 3})
    );
    assert_eq!(
        refused.json()["messageParams"]["key"],
        "org.app.user.rate.per.minute"
    );
    assert!(
        refused
            .header("retry-after")
            .parse::<u64>()
            .is_ok_and(|seconds| seconds <= 40),
        "{}",
        refused.header("retry-after")
    );
    world
        .core
        .clock
        .advance_ms(40_000)
        .expect("on the calendar");
    assert_eq!(world.get("/api/v2/users").await.status, 200);
}

#[tokio::test]
async fn an_operations_own_limit_stops_that_operation_alone() {
    let mut world = World::with(shared(0, 2)).await;
    assert_eq!(world.get("/api/v2/routing/skills").await.status, 200);
    world.token = world.sign_in().await;
    assert_eq!(world.get("/api/v2/routing/skills").await.status, 200);
    let refused = world.get("/api/v2/routing/skills").await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["limit"]["key"]),
        (429, &json!("list_skills.rate.per.minute"))
    );
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(world.get("/api/v2/users").await.status, 200);
}

#[tokio::test]
async fn of_several_full_windows_the_tokens_own_is_told() {
    let world = World::with(Settings {
        requests_per_minute: 1,
        ..shared(1, 1)
    })
    .await;
    assert_eq!(world.get("/api/v2/routing/skills").await.status, 200);
    let refused = world.get("/api/v2/routing/skills").await;
    assert_eq!(
        refused.json()["limit"]["key"],
        "client.credentials.token.rate.per.minute"
    );
    let limits = World::with(shared(7, 5))
        .await
        .get("/api/v2/organizations/limits/namespaces/platform.api")
        .await
        .json();
    let value = |key: &str| {
        limits["entities"]
            .as_array()
            .and_then(|all| all.iter().find(|one| one["key"] == key))
            .map(|one| one["value"].clone())
    };
    assert_eq!(value("org.app.user.rate.per.minute"), Some(json!(7)));
    assert_eq!(value("list_skills.rate.per.minute"), Some(json!(5)));
}

#[tokio::test]
async fn a_token_ends_with_its_life() {
    let world = World::with(Settings {
        token_seconds: 300,
        ..Settings::default()
    })
    .await;
    assert_eq!(world.get("/api/v2/users").await.status, 200);
    world
        .core
        .clock
        .advance_ms(300_000)
        .expect("on the calendar");
    let answer = world.get("/api/v2/users").await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (401, "bad.credentials")
    );
}

#[tokio::test]
async fn a_request_without_a_token_is_told_so() {
    let world = World::new().await;
    let answer = world
        .send(
            Request::get("/api/v2/users")
                .body(Body::empty())
                .expect("a request"),
        )
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (401, "authentication.required")
    );
    assert!(!answer.header("inin-correlation-id").is_empty());
    let foreign = Request::get("/api/v2/users").header("authorization", "Bearer nonsense");
    let answer = world
        .send(foreign.body(Body::empty()).expect("a request"))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (401, "bad.credentials")
    );
}

#[tokio::test]
async fn a_missing_scope_is_403_naming_it() {
    for (scope, path) in [
        ("user:read", "/api/v2/users"),
        ("routing:queue:read", "/api/v2/routing/queues"),
        ("routing:queue:view", "/api/v2/routing/queues"),
        ("routing:wrapupCode:view", "/api/v2/routing/wrapupcodes"),
        ("routing:skill:view", "/api/v2/routing/skills"),
        ("conversation:communication:view", "/api/v2/conversations/x"),
        (
            "recording:recording:view",
            "/api/v2/conversations/x/recordings",
        ),
        (
            "recording:recording:view",
            "/api/v2/recordings/retention/query?retentionThresholdDays=0",
        ),
        (
            "analytics:conversationDetail:view",
            "/api/v2/analytics/conversations/details/jobs/availability",
        ),
        (
            "analytics:call:read",
            "/api/v2/analytics/conversations/details/jobs/availability",
        ),
        ("interaction:create", "/api/v2/interactions/x"),
    ] {
        let world = World::with(Settings {
            missing_scopes: vec![scope.to_owned()],
            ..Settings::default()
        })
        .await;
        let answer = world.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (403, "missing.permissions"),
            "{scope} {path}"
        );
        assert!(
            answer.json()["message"]
                .as_str()
                .is_some_and(|text| text.contains(scope))
        );
        let granted = world.get("/api/v2/tokens/me").await.json()["authorizedScope"].to_string();
        assert!(
            !granted.contains(&format!("\"{scope}\"")) && granted.contains("recording:upload"),
            "{granted}"
        );
    }
    let world = World::with(Settings {
        missing_scopes: vec!["recording:upload".to_owned()],
        ..Settings::default()
    })
    .await;
    assert_eq!(world.upload("a.mp3", b"x").await.status, 403);
}

#[tokio::test]
async fn correlation_ids_are_the_same_in_every_world_of_a_seed() {
    let (one, other) = (World::new().await, World::new().await);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let ids = (
            one.get("/api/v2/users").await,
            other.get("/api/v2/users").await,
        );
        assert_eq!(
            ids.0.header("inin-correlation-id"),
            ids.1.header("inin-correlation-id")
        );
        seen.push(ids.0.header("inin-correlation-id").to_owned());
    }
    assert_ne!(seen[0], seen[1]);
}

#[tokio::test]
async fn the_organisations_limits_can_be_read() {
    let world = World::with(Settings {
        requests_per_minute: 600,
        ..Settings::default()
    })
    .await;
    let names = world
        .get("/api/v2/organizations/limits/namespaces")
        .await
        .json();
    assert_eq!(
        names["entities"],
        json!(["analytics", "platform.api", "recording"])
    );
    let limits = world
        .get("/api/v2/organizations/limits/namespaces/platform.api")
        .await
        .json();
    let rate = limits["entities"].as_array().and_then(|all| {
        all.iter()
            .find(|limit| limit["key"] == "token.rate.per.minute")
            .cloned()
    });
    assert_eq!(
        rate,
        Some(json!({"key": "token.rate.per.minute", "namespace": "platform.api", "value": 600}))
    );
    let unknown = world
        .get("/api/v2/organizations/limits/namespaces/none")
        .await;
    assert_eq!(
        (unknown.status.as_u16(), &*unknown.code()),
        (400, "invalid.value")
    );
}

#[tokio::test]
async fn a_fault_speaks_the_platforms_own_words() {
    let rule: FaultRule = toml::from_str(
        "on = 'genesys_cloud.create_interaction'\nkind = 'server_error'\nattempts = \
            [1]\nkeys = ['100001']",
    )
    .expect("a rule");
    let world = World::with_faults(Settings::default(), vec![rule]).await;
    let file = world.any_file("a.mp3").await;
    let first = world
        .post("/api/v2/interactions", &interaction(100_001, file))
        .await;
    assert_eq!(
        (first.status.as_u16(), first.code().as_str()),
        (503, "service.unavailable")
    );
    assert_eq!(
        first.json()["contextId"],
        first.header("inin-correlation-id")
    );
    assert_eq!(
        world
            .post("/api/v2/interactions", &interaction(100_001, file))
            .await
            .status,
        201
    );
}
