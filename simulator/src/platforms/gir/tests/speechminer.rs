//! SpeechMiner's receiver: what it takes, and what it tells of that.

use super::*;
use crate::platforms::Platform as _;
use crate::platforms::gir::{Repost, SpeechMinerSettings};

impl World {
    async fn receiver(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let basic = self.basic_of(2);
        let headers = [
            ("authorization", basic.as_str()),
            ("content-type", "application/json"),
        ];
        World::send_to(
            &self.routers.speechminer,
            method,
            path,
            &headers,
            Some(body),
        )
        .await
    }

    async fn post(&self, recording: &Value) -> Answer {
        self.receiver(
            "POST",
            "/interactionreceiver",
            recording.to_string().as_bytes(),
        )
        .await
    }
}

#[tokio::test]
async fn a_recording_is_told_as_it_was_posted() {
    let world = World::new().await;
    let answer = world.post(&named("st-ns-1")).await;
    assert_eq!(
        (answer.status, answer.body),
        (200, json!({"statusCode": 0}))
    );
    let told = world
        .receiver("GET", "/interactionreceiver/recordings/st-ns-1", b"")
        .await
        .body;
    assert_eq!(
        told,
        json!({"id": "st-ns-1", "posts": 1, "recording": named("st-ns-1")})
    );
    assert_eq!(
        world
            .receiver("GET", "/interactionreceiver/recordings/none", b"")
            .await
            .status,
        404
    );
    assert!(
        world.site.truth().expect("the truth").is_empty(),
        "it is no recording of RWS"
    );
}

#[tokio::test]
async fn what_is_no_recording_is_refused() {
    let world = World::new().await;
    for (body, status, code) in [
        ("", 400, 2),
        ("{", 400, 2),
        ("[]", 400, 1),
        ("{}", 400, 1),
        (r#"{"id": ""}"#, 400, 1),
        (r#"{"id": 7}"#, 400, 1),
        (r#"{"id": "7"}"#, 200, 0),
    ] {
        let answer = world
            .receiver("POST", "/interactionreceiver", body.as_bytes())
            .await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body}");
    }
    for basic in ["", &*world.basic_of(0), &*world.basic_of(1)] {
        let headers = [
            ("authorization", basic),
            ("content-type", "application/json"),
        ];
        for (method, path) in [
            ("POST", "/interactionreceiver"),
            ("GET", "/interactionreceiver/recordings"),
            ("GET", "/interactionreceiver/recordings/7"),
        ] {
            let answer = World::send_to(
                &world.routers.speechminer,
                method,
                path,
                &headers,
                Some(b"{}"),
            )
            .await;
            assert_eq!(
                (answer.status, answer.code()),
                (401, 20),
                "{basic} {method} {path}"
            );
        }
    }
    assert_eq!(world.receiver("GET", "/elsewhere", b"").await.status, 404);
    assert_eq!(
        world
            .receiver("PUT", "/interactionreceiver", b"")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_second_post_replaces_or_stands_beside_the_first() {
    for (repost, posts, effect) in [
        (Repost::Replace, 1, "replaced"),
        (Repost::Duplicate, 2, "duplicated"),
    ] {
        let world = World::with(Settings {
            speechminer: SpeechMinerSettings { repost },
            ..Settings::default()
        })
        .await;
        world.post(&named("a")).await;
        let mut second = named("a");
        second["region"] = json!("elsewhere");
        world.post(&second).await;
        let told = world
            .receiver("GET", "/interactionreceiver/recordings/a", b"")
            .await
            .body;
        assert_eq!(
            (&told["posts"], &told["recording"]["region"]),
            (&json!(posts), &json!("elsewhere"))
        );
        assert!(world.core.journal.effects().contains(&format!(
            "\"key\":\"a\",\"status\":200,\"effect\":\"{effect}\""
        )));
    }
}

#[tokio::test]
async fn a_listing_goes_on_behind_its_last_id() {
    let world = World::new().await;
    for id in ["c", "a", "b"] {
        let mut recording = named(id);
        recording["mediaFiles"][0]["mediaDescriptor"]["path"] = json!(format!(
            "http://127.0.0.1:40006/recordings/2024-01-09/{id}.mp3"
        ));
        world.post(&recording).await;
    }
    let page = world
        .receiver("GET", "/interactionreceiver/recordings?limit=2", b"")
        .await
        .body;
    let ids: Vec<&str> = page["recordings"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["id"].as_str())
        .collect();
    assert_eq!((ids, &page["next"]), (vec!["a", "b"], &json!("b")));
    let one = &page["recordings"][0];
    assert_eq!(
        (&one["posts"], &one["filenames"][0]),
        (&json!(1), &json!("a.mp3"))
    );
    assert_eq!(
        one["folder"],
        "http://127.0.0.1:40006/recordings/2024-01-09"
    );
    let rest = world
        .receiver(
            "GET",
            "/interactionreceiver/recordings?after=b&limit=2",
            b"",
        )
        .await
        .body;
    assert_eq!(
        (rest["recordings"].as_array().map(Vec::len), &rest["next"]),
        (Some(1), &Value::Null)
    );
    for wrong in ["limit=0", "limit=1001", "limit=x", "offset=1"] {
        assert_eq!(
            world
                .receiver(
                    "GET",
                    &format!("/interactionreceiver/recordings?{wrong}"),
                    b""
                )
                .await
                .status,
            400,
            "{wrong}"
        );
    }
}
