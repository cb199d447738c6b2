//! What is read beside the conversations themselves: details by id, parts asked for alone, users
//! found, settings, and a token's end.

use super::{super::AccessSettings, *};

const DETAILS: &str = "/api/v2/analytics/conversations/details";

#[tokio::test]
async fn details_are_read_by_one_id_and_by_many() {
    let world = World::unlimited().await;
    for number in 1..=3 {
        world.call(number).await;
    }
    let query = world
        .post(
            &format!("{DETAILS}/query"),
            &json!({"interval": "2023-07-27T00:00:00.000Z/2023-07-28T00:00:00.000Z"}),
        )
        .await;
    let all = query.json()["conversations"]
        .as_array()
        .expect("a list")
        .clone();
    for one in &all {
        let id = one["conversationId"].as_str().expect("an id");
        assert_eq!(
            &world
                .get(&format!("/api/v2/analytics/conversations/{id}/details"))
                .await
                .json(),
            one
        );
    }
    let asked = format!(
        "{DETAILS}?id={},{}&id={QUEUE}",
        conversation_id(3),
        conversation_id(1)
    );
    assert_eq!(
        world.get(&asked).await.json(),
        json!({"conversations": [all[2], all[0]]})
    );
    assert_eq!(
        world.get(DETAILS).await.json(),
        json!({"conversations": []})
    );
    let unknown = world
        .get(&format!("/api/v2/analytics/conversations/{QUEUE}/details"))
        .await;
    assert_eq!(
        (unknown.status.as_u16(), unknown.code().as_str()),
        (404, "conversation.not.found")
    );
}

#[tokio::test]
async fn a_deleted_details_job_is_no_more() {
    let world = World::unlimited().await;
    let asked = json!({"interval": "2023-07-27T00:00:00.000Z/2023-07-28T00:00:00.000Z"});
    let job = world.post(&format!("{DETAILS}/jobs"), &asked).await.json()["jobId"].clone();
    let path = format!("{DETAILS}/jobs/{}", job.as_str().expect("an id"));
    assert_eq!(world.json("DELETE", &path, &Value::Null).await.status, 204);
    for path in [path.clone(), format!("{path}/results")] {
        assert_eq!(world.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(world.json("DELETE", &path, &Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_wrap_up_and_annotations_are_read_alone() {
    let world = World::unlimited().await;
    world.call(1).await;
    let whole = format!("/api/v2/conversations/{}", conversation_id(1));
    let held = world.get(&whole).await.json();
    let of = |purpose: &str| {
        let seat = held["participants"]
            .as_array()
            .expect("a list")
            .iter()
            .find(|one| one["purpose"] == purpose)
            .expect("a seat");
        format!(
            "{whole}/participants/{}/wrapup",
            seat["id"].as_str().expect("an id")
        )
    };
    assert_eq!(
        world.get(&of("agent")).await.json(),
        json!({"code": WRAPUP})
    );
    for path in [
        of("customer"),
        format!("{whole}/participants/{QUEUE}/wrapup"),
    ] {
        assert_eq!(world.get(&path).await.code(), "not.found", "{path}");
    }
    let one = format!("{whole}/recordings/{}", recording_id(1));
    let annotations = world.get(&format!("{one}/annotations")).await.json();
    assert_eq!(
        (&annotations[0]["location"], &annotations[0]["reason"]),
        (&json!(2_000), &json!("SecurePause"))
    );
    assert_eq!(
        annotations,
        world.get(&format!("{one}?formatId=NONE")).await.json()["annotations"]
    );
    assert_eq!(
        world
            .get(&format!("{whole}/recordings/{QUEUE}/annotations"))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn parts_of_another_divisions_conversation_are_403_and_its_details_left_out_of_many() {
    let divisions = ["Home", "North", "South", "West"]
        .map(str::to_owned)
        .to_vec();
    let access = |client_divisions| AccessSettings {
        divisions: divisions.clone(),
        client_divisions,
        ..AccessSettings::default()
    };
    let open = World::with(Settings {
        access: access(Vec::new()),
        ..Settings::default()
    })
    .await;
    open.call(1).await;
    let held = open
        .get(&format!("/api/v2/conversations/{}", conversation_id(1)))
        .await
        .json();
    let own = held["divisions"][0]["division"]["id"].clone();
    let listed = open.get("/api/v2/authorization/divisions").await.json();
    let other = listed["entities"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| one["id"] != own)
        .expect("another")["name"]
        .clone();
    let world = World::with(Settings {
        access: access(vec![other.as_str().expect("a name").to_owned()]),
        ..Settings::default()
    })
    .await;
    world.call(1).await;
    let whole = format!("/api/v2/conversations/{}", conversation_id(1));
    let seat = held["participants"][1]["id"].as_str().expect("an id");
    for path in [
        format!("{whole}/participants/{seat}/wrapup"),
        format!("{whole}/recordings/{}/annotations", recording_id(1)),
        format!("{whole}/customattributes"),
        format!(
            "/api/v2/analytics/conversations/{}/details",
            conversation_id(1)
        ),
        format!("/api/v2/routing/queues/{QUEUE}/wrapupcodes"),
    ] {
        assert_eq!(open.get(&path).await.status, 200, "{path}");
        let answer = world.get(&path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (403, "missing.division.permission"),
            "{path}"
        );
    }
    let many = format!("{DETAILS}?id={}", conversation_id(1));
    assert_eq!(
        open.get(&many).await.json()["conversations"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    assert_eq!(world.get(&many).await.json(), json!({"conversations": []}));
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array()
        .expect("a list")
        .iter()
        .map(|one| one["name"].as_str().expect("a name"))
        .collect()
}

#[tokio::test]
async fn users_are_read_by_cursor_in_the_order_of_names() {
    let world = World::unlimited().await;
    let first = world
        .get("/api/v2/users/query?pageSize=2&state=any")
        .await
        .json();
    assert_eq!(
        (names(&first["entities"]), &first["results"]),
        (vec!["Ann Other", "Gone Long"], &json!(2))
    );
    let second = world
        .get(first["nextUri"].as_str().expect("an address"))
        .await
        .json();
    let third = world
        .get(second["nextUri"].as_str().expect("an address"))
        .await
        .json();
    assert_eq!(names(&second["entities"])[1], "Jane Smith");
    assert_eq!(
        (names(&third["entities"]), third.get("cursor")),
        (vec!["John Doe"], None)
    );
    let active = world.get("/api/v2/users/query?sortOrder=DESC").await.json();
    assert_eq!(
        (names(&active["entities"])[0], active["results"].clone()),
        ("John Doe", json!(3))
    );
    for query in ["state=lost", "cursor=x", "pageSize=501", "sortOrder=UP"] {
        assert_eq!(
            world
                .get(&format!("/api/v2/users/query?{query}"))
                .await
                .status,
            400,
            "{query}"
        );
    }
}

#[tokio::test]
async fn users_are_searched_by_what_is_known_of_them() {
    let world = World::unlimited().await;
    let one = |kind: &str, field: &str, value: &str| json!({"type": kind, "fields": [field], "value": value});
    for (query, expected) in [
        (
            json!([one("EXACT", "email", "john.doe@example.com")]),
            vec!["John Doe"],
        ),
        (json!([one("EXACT", "name", "john doe")]), vec!["John Doe"]),
        (
            json!([one("STARTS_WITH", "name", "J")]),
            vec!["Jane Smith", "John Doe"],
        ),
        (
            json!([one("CONTAINS", "email", "smith")]),
            vec!["Jane Smith"],
        ),
        (
            json!([{"type": "EXACT", "fields": ["id"], "values": [JOHN, JANE]}]),
            vec!["Jane Smith", "John Doe"],
        ),
        (
            json!([
                one("STARTS_WITH", "name", "J"),
                one("EXACT", "state", "inactive")
            ]),
            vec!["Jane Smith"],
        ),
        (json!([one("STARTS_WITH", "name", "Gone")]), vec![]),
        (
            json!([
                one("STARTS_WITH", "name", "Gone"),
                one("EXACT", "state", "deleted")
            ]),
            vec!["Gone Long"],
        ),
    ] {
        let answer = world
            .post("/api/v2/users/search", &json!({"query": query}))
            .await
            .json();
        assert_eq!(
            (names(&answer["results"]), &answer["total"]),
            (expected.clone(), &json!(expected.len())),
            "{query}"
        );
    }
    let page = world
        .post(
            "/api/v2/users/search",
            &json!({"pageSize": 3, "pageNumber": 2, "sortOrder": "DESC"}),
        )
        .await
        .json();
    assert_eq!(
        (names(&page["results"]), &page["total"], &page["pageCount"]),
        (vec!["Ann Other"], &json!(4), &json!(2))
    );
    for query in [
        json!([one("REGEX", "name", ".*")]),
        json!([one("EXACT", "title", "boss")]),
        json!([{"type": "EXACT", "fields": ["name"], "value": "x", "operator": "OR"}]),
        json!([{"type": "EXACT", "fields": ["name"]}]),
        json!([{"type": "EXACT", "value": "x"}]),
    ] {
        assert_eq!(
            world
                .post("/api/v2/users/search", &json!({"query": query}))
                .await
                .status,
            400,
            "{query}"
        );
    }
    assert_eq!(
        world
            .post("/api/v2/users/search", &json!({"pageSize": 0}))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_queue_has_the_wrap_up_codes_of_the_organisation() {
    let world = World::unlimited().await;
    let path = format!("/api/v2/routing/queues/{QUEUE}/wrapupcodes");
    let page = world.get(&format!("{path}?pageSize=1")).await.json();
    assert_eq!(
        (&page["total"], names(&page["entities"])),
        (&json!(2), vec!["Resolved"])
    );
    assert_eq!(
        names(
            &world
                .get(page["nextUri"].as_str().expect("an address"))
                .await
                .json()["entities"]
        ),
        ["Callback"]
    );
    assert_eq!(
        world.get(&format!("{path}?name=call")).await.json()["total"],
        1
    );
    let unknown = world
        .get(&format!("/api/v2/routing/queues/{JOHN}/wrapupcodes"))
        .await;
    assert_eq!(
        (unknown.status.as_u16(), unknown.code().as_str()),
        (404, "resource.not.found")
    );
}

#[tokio::test]
async fn settings_and_default_limits_are_read_beside_those_that_hold() {
    let world = World::with(Settings {
        download_url_minutes: 7,
        requests_per_minute: 50,
        ..Settings::default()
    })
    .await;
    let settings = world.get("/api/v2/recording/settings").await.json();
    assert_eq!(
        (
            &settings["recordingPlaybackUrlTtl"],
            &settings["recordingBatchDownloadUrlTtl"]
        ),
        (&json!(7), &json!(7))
    );
    let limits = "/api/v2/organizations/limits/namespaces";
    for (path, expected) in [
        (format!("{limits}/platform.api"), 50),
        (format!("{limits}/platform.api/defaults"), 300),
    ] {
        let listed = world.get(&path).await.json();
        let of_token = |one: &&Value| one["key"] == "token.rate.per.minute";
        assert_eq!(
            listed["entities"]
                .as_array()
                .expect("a list")
                .iter()
                .find(of_token)
                .expect("the limit")["value"],
            expected,
            "{path}"
        );
    }
    assert_eq!(
        world
            .get(&format!("{limits}/nothing/defaults"))
            .await
            .code(),
        "invalid.value"
    );
}

#[tokio::test]
async fn a_deleted_token_is_refused_and_another_is_not() {
    let mut world = World::unlimited().await;
    let other = world.sign_in().await;
    assert_eq!(
        world
            .json("DELETE", "/api/v2/tokens/me", &Value::Null)
            .await
            .status,
        200
    );
    let refused = world.get("/api/v2/users").await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (401, "bad.credentials")
    );
    assert_eq!(
        world
            .json("DELETE", "/api/v2/tokens/me", &Value::Null)
            .await
            .status,
        401
    );
    world.token = other;
    assert_eq!(world.get("/api/v2/users").await.status, 200);
}
