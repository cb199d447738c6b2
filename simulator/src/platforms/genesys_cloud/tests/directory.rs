//! Users, queues, codes, skills and divisions that clients make are as good as those the world
//! began with.

use super::{
    super::AccessSettings,
    contracts::{contract, held_to},
    *,
};

impl World {
    /// Makes something and answers it.
    async fn make(&self, path: &str, body: &Value) -> Value {
        let answer = self.post(path, body).await;
        assert_eq!(
            answer.status,
            200,
            "{path}: {}",
            String::from_utf8_lossy(&answer.body)
        );
        answer.json()
    }

    async fn home(&self) -> Value {
        self.get("/api/v2/authorization/divisions/home")
            .await
            .json()["id"]
            .clone()
    }

    async fn refuses(&self, method: &str, path: &str, body: &Value, wanted: (u16, &str)) {
        let answer = self.json(method, path, body).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.code()),
            wanted,
            "{method} {path} {body}"
        );
    }

    /// Names of a list's entities.
    async fn names(&self, path: &str) -> Vec<String> {
        let page = self.get(path).await.json();
        page["entities"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one["name"].as_str().expect("a name").to_owned())
            .collect()
    }
}

const USERS: &str = "/api/v2/users";
const QUEUES: &str = "/api/v2/routing/queues";
const CODES: &str = "/api/v2/routing/wrapupcodes";
const SKILLS: &str = "/api/v2/routing/skills";
const DIVISIONS: &str = "/api/v2/authorization/divisions";

/// Puts an id in the place of another wherever a contract names it.
fn renamed(contract: &Value, pairs: &[(&Value, &Value)]) -> Value {
    let mut text = contract.to_string();
    for (from, to) in pairs {
        text = text.replace(from.as_str().expect("an id"), to.as_str().expect("an id"));
    }
    serde_json::from_str(&text).expect("JSON")
}

#[tokio::test]
async fn what_is_made_is_answered_as_the_contracts_say() {
    let world = World::unlimited().await;
    let home = world.home().await;
    for name in [
        "create_user",
        "create_queue",
        "create_wrapupcode",
        "create_skill",
        "create_division",
    ] {
        let contract = renamed(
            &contract(name),
            &[(&json!("d0d00000-0000-4000-8000-000000000001"), &home)],
        );
        let made = world.ask(&contract["request"]).await;
        held_to(name, &contract, &made);
        let again = world.ask(&contract["request"]).await;
        let refused = &contract["errors"][0];
        assert_eq!(
            (json!(again.status.as_u16()), json!(again.code())),
            (refused["status"].clone(), refused["body"]["code"].clone()),
            "{name}"
        );
        let contract = renamed(
            &contract,
            &[(&contract["response"]["body"]["id"], &made.json()["id"])],
        );
        for then in contract["then"].as_array().into_iter().flatten() {
            held_to(name, then, &world.ask(&then["request"]).await);
        }
    }
}

#[tokio::test]
async fn a_call_is_taken_that_names_only_what_was_made() {
    let world = World::unlimited().await;
    let home = world.home().await;
    let user = world.make(USERS, &json!({"name": "Mary Moved", "email": "m@x.org", "divisionId": home, "state": "active"})).await;
    let queue = world
        .make(QUEUES, &json!({"name": "Moved", "peerId": "Q-7"}))
        .await;
    let code = world.make(CODES, &json!({"name": "Moved"})).await;
    let skill = world.make(SKILLS, &json!({"name": "Moved"})).await;
    let file = world.any_file("st-acme-1-1.0123456789ab.mp3").await;
    let mut call = interaction(1, file);
    call["participants"][0] = json!({"id": user["id"], "type": "agent", "wrapUpCode": code["id"]});
    call["segments"][0]["participantId"] = user["id"].clone();
    call["routing"] = json!({"queue": {"id": queue["id"]}, "skills": [{"id": skill["id"]}]});
    let answer = world.post("/api/v2/interactions", &call).await;
    assert_eq!(
        answer.status,
        201,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    let held = world
        .get(&format!("/api/v2/conversations/{}", conversation_id(1)))
        .await
        .json();
    let agent = held["participants"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| one["purpose"] == "agent")
        .expect("an agent");
    assert_eq!(
        (&agent["name"], &agent["wrapup"]["name"]),
        (&json!("Mary Moved"), &json!("Moved"))
    );
    assert!(
        world.truth().contains(user["id"].as_str().expect("an id"))
            && world.truth().contains(queue["id"].as_str().expect("an id"))
    );

    for (path, made) in [
        (USERS, &user),
        (QUEUES, &queue),
        (CODES, &code),
        (SKILLS, &skill),
    ] {
        let id = made["id"].as_str().expect("an id");
        assert_eq!(world.get(&format!("{path}/{id}")).await.json(), *made);
        assert_eq!(
            world.get(&format!("{path}?id={id}")).await.json()["entities"],
            json!([made])
        );
    }
    assert_eq!(
        world.names(&format!("{QUEUES}?name=move*")).await,
        ["Moved"]
    );
    assert_eq!(
        world.names(&format!("{QUEUES}?peerId=Q-7")).await,
        ["Moved"]
    );
    assert_eq!(
        world.names(&format!("{QUEUES}?hasPeer=true")).await,
        ["Moved"]
    );
    assert_eq!(
        world.get(&format!("{QUEUES}?hasPeer=false")).await.json()["total"],
        3
    );
    let by_mail = json!({"query": [{"type": "EXACT", "fields": ["email"], "value": "M@X.org"}]});
    assert_eq!(
        world.post("/api/v2/users/search", &by_mail).await.json()["results"][0]["id"],
        user["id"]
    );
    let effects: Vec<String> = world
        .core
        .journal
        .effects()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["operation"].to_string())
        .collect();
    for operation in [
        "create_user",
        "create_queue",
        "create_wrapupcode",
        "create_skill",
    ] {
        assert!(
            effects.contains(&format!("\"genesys_cloud.{operation}\"")),
            "{operation} in {effects:?}"
        );
    }
}

#[tokio::test]
async fn a_user_is_changed_by_its_version_deleted_and_brought_back() {
    let world = World::unlimited().await;
    let home = world.home().await;
    let made = world
        .make(
            USERS,
            &json!({"name": "Mary Moved", "email": "m@x.org", "divisionId": home}),
        )
        .await;
    assert_eq!(
        (&made["state"], &made["version"]),
        (&json!("inactive"), &json!(1)),
        "nobody was invited"
    );
    assert!(
        !world.names(USERS).await.contains(&"Mary Moved".to_owned()),
        "active users only"
    );
    let path = format!("{USERS}/{}", made["id"].as_str().expect("an id"));
    world
        .refuses(
            "PATCH",
            &path,
            &json!({"version": 7, "title": "x"}),
            (400, "general.conflict"),
        )
        .await;
    world
        .refuses("PATCH", &path, &json!({"title": "x"}), (400, "bad.request"))
        .await;
    world
        .refuses(
            "PATCH",
            &path,
            &json!({"version": 1, "nonsense": 1}),
            (400, "invalid.property"),
        )
        .await;
    world
        .refuses(
            "PATCH",
            &path,
            &json!({"version": 1, "biography": {}}),
            (400, "general.bad.request"),
        )
        .await;
    world
        .refuses(
            "PATCH",
            &path,
            &json!({"version": 1, "state": "asleep"}),
            (400, "invalid.value"),
        )
        .await;
    let contacts = json!([{"address": "+15550100200", "mediaType": "PHONE", "type": "WORK"}]);
    let changed = json!({"version": 1, "name": "Mary Stayed", "email": "stayed@x.org", "addresses": contacts});
    let changed = world.json("PATCH", &path, &changed).await.json();
    assert_eq!(
        (&changed["name"], &changed["email"], &changed["version"]),
        (&json!("Mary Stayed"), &json!("stayed@x.org"), &json!(2))
    );
    assert_eq!(changed["addresses"], contacts);
    let active = world
        .json(
            "PATCH",
            &path,
            &json!({"version": 2, "state": "active", "name": "Not Now"}),
        )
        .await
        .json();
    assert_eq!(
        (&active["name"], &active["state"]),
        (&json!("Mary Stayed"), &json!("active")),
        "a state is changed alone"
    );
    assert_eq!(
        world.json("DELETE", &path, &Value::Null).await.json(),
        json!({})
    );
    assert_eq!(world.get(&path).await.json()["state"], "deleted");
    world
        .refuses("DELETE", &path, &Value::Null, (400, "general.conflict"))
        .await;
    let back = world
        .json("PATCH", &path, &json!({"version": 4, "state": "active"}))
        .await
        .json();
    assert_eq!(
        (&back["state"], &back["version"]),
        (&json!("active"), &json!(5))
    );
    // A user of the world is changed as any other, and keeps the address made of the name it had no
    // other for.
    let john = world
        .json(
            "PATCH",
            &format!("{USERS}/{JOHN}"),
            &json!({"version": 1, "title": "Agent"}),
        )
        .await
        .json();
    assert_eq!(
        (&john["title"], &john["email"]),
        (&json!("Agent"), &json!("john.doe@example.com"))
    );
    world
        .refuses(
            "PATCH",
            &format!("{USERS}/{QUEUE}"),
            &json!({"version": 1}),
            (404, "general.resource.not.found"),
        )
        .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_told_in_the_operations_own_codes() {
    let world = World::unlimited().await;
    let home = world.home().await;
    let nowhere = "00000000-0000-4000-8000-000000000001";
    for (path, body, wanted) in [
        (
            USERS,
            json!({"name": "A", "email": "a@x.org"}),
            (400, "bad.request"),
        ),
        (
            USERS,
            json!({"name": " ", "email": "a@x.org", "divisionId": home}),
            (400, "general.bad.request"),
        ),
        (
            USERS,
            json!({"name": "A", "email": "a at x", "divisionId": home}),
            (400, "general.bad.request"),
        ),
        (
            USERS,
            json!({"name": "A", "email": "a@x.org", "divisionId": nowhere}),
            (400, "general.bad.request"),
        ),
        (
            USERS,
            json!({"name": "A", "email": "JOHN.DOE@example.com", "divisionId": home}),
            (409, "general.conflict"),
        ),
        (
            USERS,
            json!({"name": "A", "email": "a@x.org", "divisionId": home, "addresses": [{"mediaType": "FAX"}]}),
            (400, "invalid.value"),
        ),
        (QUEUES, json!({}), (400, "invalid.name")),
        (QUEUES, json!({"name": "SUPPORT"}), (400, "duplicate.name")),
        (
            QUEUES,
            json!({"name": "A", "nonsense": 1}),
            (400, "invalid.property"),
        ),
        (
            QUEUES,
            json!({"name": "A", "scoringMethod": "Luck"}),
            (400, "invalid.value"),
        ),
        (
            QUEUES,
            json!({"name": "A", "description": 7}),
            (400, "invalid.value"),
        ),
        (
            QUEUES,
            json!({"name": "A", "division": {"id": nowhere}}),
            (400, "resource.not.found"),
        ),
        (
            QUEUES,
            json!({"name": "A", "sourceQueueId": nowhere}),
            (400, "source.queue.not.found"),
        ),
        (CODES, json!({"name": ""}), (400, "invalid.name")),
        (CODES, json!({"name": "resolved"}), (400, "duplicate.name")),
        (
            SKILLS,
            json!({"name": "billing"}),
            (409, "general.conflict"),
        ),
        (
            DIVISIONS,
            json!({"name": "", "description": ""}),
            (400, "division.name.invalid"),
        ),
        (DIVISIONS, json!({"name": "A"}), (400, "bad.request")),
        (
            DIVISIONS,
            json!({"name": "home", "description": ""}),
            (409, "resource.already.exists"),
        ),
    ] {
        world.refuses("POST", path, &body, wanted).await;
    }
    assert_eq!(
        world.get(QUEUES).await.json()["total"],
        3,
        "a refusal leaves nothing behind"
    );
}

#[tokio::test]
async fn a_queue_is_replaced_by_put_and_copied_by_its_id() {
    let world = World::unlimited().await;
    let path = format!("{QUEUES}/{QUEUE}");
    let before = world.get(&path).await.json();
    let body = json!({"name": "Support", "description": "first line", "acwSettings": {"wrapupPrompt": "OPTIONAL"}});
    let put = world.json("PUT", &path, &body).await.json();
    assert_eq!(
        (&put["description"], &put["acwSettings"], &put["division"]),
        (
            &body["description"],
            &body["acwSettings"],
            &before["division"]
        )
    );
    let copy = world
        .make(
            QUEUES,
            &json!({"name": "Copy", "sourceQueueId": QUEUE, "description": "second line"}),
        )
        .await;
    assert_eq!(
        (
            &copy["description"],
            &copy["acwSettings"],
            &copy["memberCount"]
        ),
        (&json!("second line"), &body["acwSettings"], &json!(0))
    );
    let again = world
        .json("PUT", &path, &json!({"name": "Helpline"}))
        .await
        .json();
    assert_eq!(
        (
            &again["name"],
            again.get("description"),
            again.get("acwSettings")
        ),
        (&json!("Helpline"), None, None)
    );
    world
        .refuses(
            "PUT",
            &path,
            &json!({"name": "Sales"}),
            (400, "duplicate.name"),
        )
        .await;
    world
        .refuses(
            "PUT",
            &format!("{QUEUES}/{JOHN}"),
            &json!({"name": "x"}),
            (404, "not.found"),
        )
        .await;
}

#[tokio::test]
async fn what_is_made_stands_in_the_division_it_names_and_the_role_must_cover_it() {
    let world = World::unlimited().await;
    let north = world
        .make(
            DIVISIONS,
            &json!({"name": "North", "description": "up there"}),
        )
        .await;
    let (id, home) = (north["id"].clone(), world.home().await);
    assert_eq!(world.names(DIVISIONS).await, ["Home", "North"]);
    assert_eq!(
        world
            .get(&format!("{DIVISIONS}/{}", id.as_str().expect("an id")))
            .await
            .json(),
        north
    );
    let queue = world
        .make(QUEUES, &json!({"name": "Far", "division": {"id": id}}))
        .await;
    assert_eq!(queue["division"]["name"], "North");
    assert_eq!(
        world.make(CODES, &json!({"name": "Near"})).await["division"]["id"],
        home
    );
    let user = world
        .make(
            USERS,
            &json!({"name": "A", "email": "a@x.org", "divisionId": id}),
        )
        .await;
    assert_eq!(user["division"]["id"], id);
    let file = world.any_file("st-acme-1-1.0123456789ab.mp3").await;
    let mut call = interaction(1, file);
    call["routing"]["queue"] = json!({"id": queue["id"]});
    assert_eq!(world.post("/api/v2/interactions", &call).await.status, 201);
    let path = format!("/api/v2/conversations/{}", conversation_id(1));
    assert_eq!(
        world.get(&path).await.json()["divisions"][0]["division"]["id"],
        id,
        "a conversation stands in its queue's"
    );

    let role = |names: &[&str]| super::super::Role {
        client_divisions: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        missing_scopes: None,
    };
    world
        .site
        .change_role(role(&["Home"]))
        .expect("a division of the organisation");
    assert!(!world.names(QUEUES).await.contains(&"Far".to_owned()));
    assert_eq!(world.get(&path).await.code(), "missing.division.permission");
    for (path, body) in [
        (QUEUES, json!({"name": "Other", "division": {"id": id}})),
        (CODES, json!({"name": "Other", "division": {"id": id}})),
        (
            USERS,
            json!({"name": "B", "email": "b@x.org", "divisionId": id}),
        ),
    ] {
        world
            .refuses("POST", path, &body, (403, "missing.division.permission"))
            .await;
    }
    let user = format!("{USERS}/{}", user["id"].as_str().expect("an id"));
    world
        .refuses(
            "PATCH",
            &user,
            &json!({"version": 1, "title": "x"}),
            (403, "missing.division.permission"),
        )
        .await;
    world
        .site
        .change_role(role(&["North"]))
        .expect("a division that a client made is one of the organisation's");
    world
        .refuses(
            "POST",
            QUEUES,
            &json!({"name": "Nearby"}),
            (403, "missing.division.permission"),
        )
        .await;
    assert_eq!(world.names(QUEUES).await, ["Far"]);
}

#[tokio::test]
async fn divisions_of_the_settings_stay_first_and_made_ones_are_told_with_them() {
    let access = AccessSettings {
        divisions: vec!["Home".to_owned(), "South".to_owned()],
        ..AccessSettings::default()
    };
    let world = World::with(Settings {
        access,
        ..Settings::default()
    })
    .await;
    world
        .make(DIVISIONS, &json!({"name": "North", "description": ""}))
        .await;
    assert_eq!(world.names(DIVISIONS).await, ["Home", "South", "North"]);
    world
        .refuses(
            "POST",
            DIVISIONS,
            &json!({"name": "SOUTH", "description": ""}),
            (409, "resource.already.exists"),
        )
        .await;
}

#[tokio::test]
async fn ties_are_empty_lists_of_what_exists() {
    let world = World::unlimited().await;
    for path in [
        format!("{USERS}/{JOHN}/queues"),
        format!("{USERS}/{JOHN}/routingskills"),
        "/api/v2/routing/languages".to_owned(),
    ] {
        let page = world.get(&format!("{path}?pageSize=5")).await.json();
        assert_eq!(
            (&page["entities"], &page["total"], &page["pageSize"]),
            (&json!([]), &json!(0), &json!(5)),
            "{path}"
        );
    }
    let members = format!("{QUEUES}/{QUEUE}/members");
    let page = world.get(&members).await.json();
    assert_eq!(
        (&page["entities"], page.get("total")),
        (&json!([]), None),
        "the vendor's listing has no total"
    );
    assert_eq!(
        world.get(&format!("{members}?pageSize=101")).await.code(),
        "invalid.query.param.value"
    );
    for path in [
        format!("{USERS}/{QUEUE}/queues"),
        format!("{USERS}/{QUEUE}/routingskills"),
        format!("{QUEUES}/{JOHN}/members"),
    ] {
        assert_eq!(world.get(&path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_snapshot_holds_what_was_made() {
    let world = World::unlimited().await;
    let kept = world.site.take_snapshot();
    let first = world.make(QUEUES, &json!({"name": "Moved"})).await;
    world.site.restore_snapshot(&kept);
    assert_eq!(world.get(QUEUES).await.json()["total"], 3);
    let again = world.make(QUEUES, &json!({"name": "Moved"})).await;
    assert_eq!(
        again["id"], first["id"],
        "the same request after the same history makes the same id"
    );
    let with_it = world.site.take_snapshot();
    world
        .json(
            "PUT",
            &format!("{QUEUES}/{}", again["id"].as_str().expect("an id")),
            &json!({"name": "Changed"}),
        )
        .await;
    world.site.restore_snapshot(&with_it);
    assert!(world.names(QUEUES).await.contains(&"Moved".to_owned()));
}

#[tokio::test]
async fn a_creation_that_fails_after_its_commit_is_there_when_it_is_sent_again() {
    let rule = "on = \"genesys_cloud.create_queue\"\nkind = \"error_after_commit\"\nattempts = \
        [1]\nstatus = 500";
    let rule: FaultRule = toml::from_str(rule).expect("a rule");
    let world = World::with_faults(
        Settings {
            requests_per_minute: 0,
            ..Settings::default()
        },
        vec![rule],
    )
    .await;
    assert_eq!(
        world.post(QUEUES, &json!({"name": "Moved"})).await.status,
        500
    );
    world
        .refuses(
            "POST",
            QUEUES,
            &json!({"name": "Moved"}),
            (400, "duplicate.name"),
        )
        .await;
    assert!(world.names(QUEUES).await.contains(&"Moved".to_owned()));
}
