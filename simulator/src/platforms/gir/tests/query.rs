//! Searching: what has to be asked, what fits, how much is told at once.

use super::*;
use crate::platforms::gir::Paging;

/// Five recordings an hour apart, of two callers.
async fn five(settings: Settings) -> World {
    let world = World::with(settings).await;
    for i in 0..5 {
        let mut recording = named(&format!("r{i}"));
        recording["callerPhoneNumber"] = json!(if i < 2 { "+1 (555) 000" } else { "8522001" });
        for file in recording["mediaFiles"].as_array_mut().expect("files") {
            file["startTime"] = json!(format!("2015-06-15T1{i}:00:00.000+0000"));
            file["stopTime"] = json!(format!("2015-06-15T1{i}:30:00.000+0000"));
        }
        assert_eq!(world.insert(&recording).await.status, 200);
    }
    world
}

fn ids(answer: &Answer) -> Vec<String> {
    let uris = answer.body["uris"]
        .as_array()
        .unwrap_or_else(|| panic!("{:?}", answer.body));
    uris.iter()
        .map(|uri| {
            uri.as_str()
                .expect("text")
                .rsplit_once('/')
                .expect("a path")
                .1
                .to_owned()
        })
        .collect()
}

#[tokio::test]
async fn a_search_finds_what_fits_every_parameter() {
    let world = five(Settings::default()).await;
    for (query, wanted) in [
        ("callerPhoneNumber=1555*", &["r0", "r1"][..]),
        (
            "callerPhoneNumber=85-22-001&startTime=2015-06-15T13:00:00Z",
            &["r3", "r4"],
        ),
        (
            "startTime=2015-06-15T11:00:00.000%2B0000&stopTime=2015-06-15T13:00:00.000%2B0000",
            &["r1", "r2"],
        ),
        (
            "userName=agent.bob@example.com&stopTime=2015-06-15T11:00:00Z",
            &["r0"],
        ),
        ("userName=nobody", &[]),
        ("callType=Outbound", &[]),
        ("label=none", &[]),
    ] {
        for collection in [RECORDINGS, "/api/v2/recordings"] {
            let answer = world
                .ask("GET", &format!("{collection}?{query}"), &Value::Null)
                .await;
            assert_eq!(
                (answer.status, ids(&answer)),
                (200, wanted.iter().map(|id| (*id).to_owned()).collect()),
                "{query}"
            );
        }
    }
    let whole = world
        .ask(
            "GET",
            &format!("{RECORDINGS}?callerPhoneNumber=1555000&fields=*"),
            &Value::Null,
        )
        .await;
    assert_eq!(
        whole.body["recordings"][0],
        world.read("r0").await.body["recording"]
    );
}

#[tokio::test]
async fn a_search_without_a_parameter_or_with_a_wrong_one_is_refused() {
    let world = five(Settings::default()).await;
    for (query, code) in [
        ("", 1),
        ("?fields=*", 1),
        ("?offset=1", 1),
        ("?colour=red", 2),
        ("?startTime=noon", 2),
        ("?callType=inbound", 2),
        ("?callerPhoneNumber=1&offset=x", 2),
    ] {
        let answer = world
            .ask("GET", &format!("{RECORDINGS}{query}"), &Value::Null)
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, code),
            "{query}: {}",
            answer.words()
        );
    }
}

#[tokio::test]
async fn a_long_answer_comes_in_pages_or_is_cut_without_a_word() {
    let mut settings = Settings::default();
    settings.limits.query_results = 2;
    let world = five(settings.clone()).await;
    let (mut path, mut found, mut pages) = (
        format!("{RECORDINGS}?startTime=2015-01-01T00:00:00Z"),
        Vec::new(),
        0,
    );
    loop {
        let answer = world.ask("GET", &path, &Value::Null).await;
        found.extend(ids(&answer));
        pages += 1;
        assert_eq!(answer.body["paging"]["previous"].is_string(), pages > 1);
        match answer.body["paging"]["next"].as_str() {
            Some(next) => path = next.trim_start_matches("http://127.0.0.1:40005").to_owned(),
            None => break,
        }
    }
    assert_eq!((pages, found.join(" ")), (3, "r0 r1 r2 r3 r4".to_owned()));
    let world = five(Settings {
        paging: Paging::Capped,
        ..settings
    })
    .await;
    let answer = world
        .ask(
            "GET",
            &format!("{RECORDINGS}?startTime=2015-01-01T00:00:00Z&offset=2"),
            &Value::Null,
        )
        .await;
    assert_eq!(
        (ids(&answer).join(" "), &answer.body["paging"]),
        ("r0 r1".to_owned(), &Value::Null)
    );
}

#[tokio::test]
async fn what_another_region_has_is_not_found() {
    let world = five(Settings::default()).await;
    let mut elsewhere = named("elsewhere");
    elsewhere["region"] = json!("Can-East");
    world.insert(&elsewhere).await;
    let answer = world
        .ask(
            "GET",
            &format!("{RECORDINGS}?callerPhoneNumber=*"),
            &Value::Null,
        )
        .await;
    assert_eq!(ids(&answer).len(), 5);
}
