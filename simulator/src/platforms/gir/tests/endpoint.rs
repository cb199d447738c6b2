//! Who gets in: account, session and CSRF token, content type, contact centre, feature, region.

use super::*;
use crate::platforms::gir::OtherRegion;

#[tokio::test]
async fn every_request_shows_the_ops_account() {
    let world = World::new().await;
    let basic = |text: &str| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        format!("Basic {}", STANDARD.encode(text))
    };
    let right = world.basic();
    for (given, status) in [
        (None, 401),
        (Some(basic("ops:ops")), 401),
        (Some(basic("agent:x")), 401),
        (Some(right.replace("Basic", "Bearer")), 401),
        (Some(right), 404),
    ] {
        let headers: Vec<(&str, &str)> = given
            .iter()
            .map(|text| ("authorization", text.as_str()))
            .collect();
        let answer = world
            .send("GET", &format!("{RECORDINGS}/x"), &headers, None)
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (status, if status == 401 { 20 } else { 6 }),
            "{given:?}"
        );
        assert_eq!(answer.header("www-authenticate").is_empty(), status != 401);
    }
}

#[tokio::test]
async fn a_post_shows_its_sessions_token_and_cookie() {
    let world = World::new().await;
    let (basic, body) = (world.basic(), sample().to_string());
    let other = World::new()
        .await
        .send("GET", "/api/v2/diagnostics/version", &[], None)
        .await;
    assert_ne!(
        other.header("x-csrf-token"),
        world.token,
        "each session has a token of its own"
    );
    for (cookie, token, status) in [
        ("", "", 403),
        (&*world.cookie, "", 403),
        ("", &*world.token, 403),
        (&*world.cookie, "00000000-0000-4000-8000-000000000001", 403),
        ("JSESSIONID=0", &*world.token, 403),
        (&*format!("a=b; {}", world.cookie), &*world.token, 200),
    ] {
        let mut headers = vec![
            ("authorization", basic.as_str()),
            ("content-type", "application/json"),
        ];
        headers.extend(
            [("cookie", cookie), ("x-csrf-token", token)]
                .into_iter()
                .filter(|(_, value)| !value.is_empty()),
        );
        let answer = world
            .send("POST", INSERTION, &headers, Some(body.as_bytes()))
            .await;
        assert_eq!(answer.status, status, "{cookie} {token}");
        if status == 403 {
            assert_eq!(
                (answer.code(), answer.words()),
                (3, "Missing or invalid Csrf token")
            );
        }
    }
}

#[tokio::test]
async fn a_session_lives_while_it_is_used_and_half_an_hour_longer() {
    let mut world = World::new().await;
    for i in 0..3 {
        world
            .core
            .clock
            .advance_ms(29 * 60_000)
            .expect("on the calendar");
        assert_eq!(world.insert(&named(&i.to_string())).await.status, 200);
    }
    let again = world.read("0").await;
    assert_eq!(
        (again.header("set-cookie"), again.header("x-csrf-token")),
        ("", &*world.token),
        "the same session is told again"
    );
    world
        .core
        .clock
        .advance_ms(30 * 60_000)
        .expect("on the calendar");
    assert_eq!(world.insert(&named("3")).await.status, 403);
    world.begin_session().await;
    assert_eq!(world.insert(&named("3")).await.status, 200);
}

#[tokio::test]
async fn without_protection_no_token_is_told_or_asked_for() {
    let world = World::with(Settings {
        csrf: false,
        ..Settings::default()
    })
    .await;
    assert_eq!((&*world.cookie, &*world.token), ("", ""));
    assert_eq!(world.insert(&sample()).await.status, 200);
}

#[tokio::test]
async fn only_json_of_a_bearable_size_is_taken() {
    let mut settings = Settings::default();
    settings.limits.max_request_bytes = 4096;
    let world = World::with(settings).await;
    let basic = world.basic();
    let post = async |content_type: &str, body: &str| {
        let headers = [
            ("authorization", basic.as_str()),
            ("cookie", &world.cookie),
            ("x-csrf-token", &world.token),
            ("content-type", content_type),
        ];
        world
            .send("POST", INSERTION, &headers, Some(body.as_bytes()))
            .await
    };
    let sample = sample().to_string();
    for (content_type, body, status, code) in [
        ("application/json; charset=utf-8", sample.as_str(), 200, 0),
        ("text/plain", &sample, 415, 2),
        ("application/json", "{\"id\":", 400, 2),
        ("application/json", "[]", 400, 2),
        (
            "application/json",
            &format!("{sample}{}", " ".repeat(4096)),
            413,
            10,
        ),
    ] {
        let answer = post(content_type, body).await;
        assert_eq!(
            (answer.status, answer.code()),
            (status, code),
            "{content_type}: {}",
            answer.words()
        );
    }
}

#[tokio::test]
async fn an_unknown_contact_centre_or_a_missing_feature_is_told() {
    let world = World::new().await;
    let answer = world
        .ask(
            "POST",
            "/internal-api/contact-centers/nobody/recordings",
            &sample(),
        )
        .await;
    assert_eq!(
        (answer.status, answer.code(), answer.words()),
        (404, 6, "Requested contact center [nobody] cannot be found.")
    );
    let world = World::with(Settings {
        features: vec!["api-voice-recording".to_owned()],
        ..Settings::default()
    })
    .await;
    let answer = world.insert(&sample()).await;
    assert_eq!(
        (answer.status, answer.code(), answer.words()),
        (
            403,
            3,
            "The feature api-supervisor-recording is not enabled."
        )
    );
}

#[tokio::test]
async fn a_recording_of_another_region_is_held_and_not_found() {
    let mut elsewhere = sample();
    elsewhere["region"] = json!("Can-East");
    let world = World::new().await;
    assert_eq!(world.insert(&elsewhere).await.status, 200);
    assert_eq!(world.read("alex-test-id").await.status, 404);
    assert_eq!(world.truth().len(), 1);
    let world = World::with(Settings {
        other_region: OtherRegion::Refused,
        ..Settings::default()
    })
    .await;
    let answer = world.insert(&elsewhere).await;
    assert_eq!(
        (answer.status, answer.code(), answer.words()),
        (
            400,
            2,
            "Parameter 'region' is invalid: this node's region is Can-West"
        )
    );
    assert!(world.truth().is_empty());
}

#[tokio::test]
async fn faults_strike_by_the_recordings_id() {
    let fault = |kind: &str| -> FaultRule {
        let rule = json!({"on": "gir.insert_recording", "kind": kind, "keys": ["alex-test-id"], "attempts": [1]});
        serde_json::from_value(rule).expect("a fault")
    };
    let world = World::with_faults(Settings::default(), vec![fault("error_after_commit")]).await;
    let answer = world.insert(&sample()).await;
    assert_eq!((answer.status, answer.code()), (503, 4));
    assert_eq!(
        world.read("alex-test-id").await.status,
        200,
        "it was done all the same"
    );
    assert_eq!(world.insert(&named("other")).await.status, 200);
    let effects = world.core.journal.effects();
    assert_eq!(
        effects.lines().next(),
        Some(
            r#"{"operation":"gir.insert_recording","key":"alex-test-id","status":200,"effect":"created"}"#
        )
    );
}

#[tokio::test]
async fn a_session_that_is_struck_has_ended_once() {
    let fault: FaultRule =
        toml::from_str("on = 'gir.insert_recording'\nkind = 'expired_token'\nattempts = [1]")
            .expect("a fault");
    let world = World::with_faults(Settings::default(), vec![fault]).await;
    let refused = world.insert(&named("r")).await;
    assert_eq!(
        (refused.status, refused.code(), refused.words()),
        (403, 3, "Missing or invalid Csrf token")
    );
    assert_eq!(
        (
            world.read("r").await.status,
            world.insert(&named("r")).await.status
        ),
        (404, 200)
    );
}
