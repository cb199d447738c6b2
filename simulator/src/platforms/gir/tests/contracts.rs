//! Every contract file against the platform: its request is taken, and the answer is the
//! contract's.

use super::*;

#[tokio::test]
async fn the_vendors_sample_is_inserted_and_read_with_every_field() {
    let world = World::new().await;
    let (insertion, reading) = (contract("insert_recording"), contract("get_recording"));
    let inserted = world.insert(&insertion["request"]["body"]).await;
    assert_eq!(
        (inserted.status, &inserted.body),
        (200, &insertion["response"]["body"])
    );
    let mut read = world.read("alex-test-id").await;
    assert_eq!(read.status, 200);
    let mut wanted = reading["response"]["body"].clone();
    for (i, file) in read.body["recording"]["mediaFiles"]
        .as_array_mut()
        .expect("files")
        .iter_mut()
        .enumerate()
    {
        for name in ["mediaUri", "mediaPath", "playPath"] {
            let (told, example) = (
                file[name].take(),
                wanted["recording"]["mediaFiles"][i][name].take(),
            );
            let without_name = |path: &Value| {
                path.as_str()
                    .expect("text")
                    .rsplit_once('/')
                    .expect("a path")
                    .0
                    .to_owned()
            };
            assert_eq!(without_name(&told), without_name(&example), "{name}");
            let play = told
                .as_str()
                .and_then(|path| path.rsplit_once('/')?.1.strip_suffix(".mp3"))
                .expect("a name");
            assert!(uuid::Uuid::parse_str(play).is_ok(), "{play}");
        }
    }
    assert_eq!(read.body, wanted);
    let refused = &reading["errors"][0];
    let answer = world.read("nobody").await;
    assert_eq!(
        (Some(u64::from(answer.status)), &answer.body),
        (refused["status"].as_u64(), &refused["body"])
    );
}

#[tokio::test]
async fn an_insertion_is_refused_in_the_contracts_words() {
    let world = World::new().await;
    let contract = contract("insert_recording");
    let mut nameless = sample();
    nameless
        .as_object_mut()
        .expect("an object")
        .remove("callerPhoneNumber");
    let mut elsewhere = sample();
    elsewhere["mediaFiles"][0]["mediaDescriptor"]["storage"] = json!("awsS3");
    let basic = world.basic();
    let headers = [
        ("authorization", basic.as_str()),
        ("content-type", "application/json"),
    ];
    let without_token = world
        .send(
            "POST",
            INSERTION,
            &headers,
            Some(sample().to_string().as_bytes()),
        )
        .await;
    let answers = [
        world.insert(&nameless).await,
        world.insert(&elsewhere).await,
        without_token,
    ];
    for (answer, wanted) in answers
        .iter()
        .zip(contract["errors"].as_array().expect("errors"))
    {
        assert_eq!(
            (Some(u64::from(answer.status)), &answer.body),
            (wanted["status"].as_u64(), &wanted["body"])
        );
    }
    assert!(world.truth().is_empty());
}

#[tokio::test]
async fn a_get_tells_its_session_as_the_contract_says() {
    let world = World::new().await;
    let wanted = &contract("get_version")["response"];
    let answer = world
        .send("GET", "/api/v2/diagnostics/version", &[], None)
        .await;
    let names = |value: &Value| {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (answer.status, names(&answer.body)),
        (200, names(&wanted["body"]))
    );
    for name in names(&wanted["headers"]) {
        let shape = |text: &str| {
            text.chars()
                .map(|c| if c.is_ascii_hexdigit() { 'x' } else { c })
                .filter(|c| *c != 'x')
                .collect::<String>()
        };
        assert_eq!(
            shape(answer.header(&name)),
            shape(wanted["headers"][&name].as_str().expect("text")),
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_comes_after_an_insertion_is_answered_as_the_contracts_say() {
    let world = World::new().await;
    world.insert(&sample()).await;
    for name in [
        "list_contact_centers",
        "update_store",
        "query_recordings",
        "create_label",
        "add_labels",
        "change_recording",
        "delete_recording",
    ] {
        let contract = contract(name);
        let (request, wanted) = match name {
            // Tagged by the contract before it.
            "delete_recording" => (&contract["request"], &contract["errors"][0]),
            _ => (&contract["request"], &contract["response"]),
        };
        let query: Vec<String> = request["query"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, value)| format!("{key}={}", value.as_str().expect("text")))
            .collect();
        let path = format!(
            "{}?{}",
            request["path"].as_str().expect("a path"),
            query.join("&")
        );
        let answer = world
            .ask(
                request["method"].as_str().expect("a method"),
                path.trim_end_matches('?'),
                &request["body"],
            )
            .await;
        assert_eq!(
            (Some(u64::from(answer.status)), &answer.body),
            (wanted["status"].as_u64(), &wanted["body"]),
            "{name}"
        );
    }
    let untag = json!({"operationName": "removeNonDelete"});
    assert_eq!(
        world
            .ask("POST", "/api/v2/recordings/alex-test-id", &untag)
            .await
            .status,
        200
    );
    let (deletion, search, change) = (
        contract("delete_recording"),
        contract("query_recordings"),
        contract("change_recording"),
    );
    let answer = world
        .ask(
            "POST",
            "/api/v2/recordings/alex-test-id",
            &json!({"operationName": "keep"}),
        )
        .await;
    assert_eq!(answer.body, change["errors"][0]["body"]);
    let answer = world.ask("GET", RECORDINGS, &Value::Null).await;
    assert_eq!(answer.body, search["errors"][0]["body"]);
    let answer = world
        .ask(
            "DELETE",
            &format!("{RECORDINGS}/alex-test-id"),
            &Value::Null,
        )
        .await;
    assert_eq!(
        (Some(u64::from(answer.status)), &answer.body),
        (
            deletion["response"]["status"].as_u64(),
            &deletion["response"]["body"]
        )
    );
}

/// Sends a contract's request to one of the two other servers, with its account; the answer has to
/// be the contract's.
async fn holds(world: &World, router: &Router, server: usize, contract: &Value) {
    for around in contract["before"].as_array().into_iter().flatten() {
        Box::pin(holds(world, router, server, around)).await;
    }
    let (request, wanted) = (&contract["request"], &contract["response"]);
    let basic = world.basic_of(server);
    let mut headers = vec![("authorization", basic.as_str())];
    let named = request["headers"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name != "authorization");
    headers.extend(named.map(|(name, value)| (name.as_str(), value.as_str().expect("text"))));
    let query: Vec<String> = request["query"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().expect("text")))
        .collect();
    let path = format!(
        "{}?{}",
        request["path"].as_str().expect("a path"),
        query.join("&")
    );
    let body = request["body"]
        .as_str()
        .map_or_else(|| request["body"].to_string(), str::to_owned);
    let body = request.get("body").map(|_| body.as_bytes());
    let method = request["method"].as_str().expect("a method");
    let answer = World::send_to(router, method, path.trim_end_matches('?'), &headers, body).await;
    assert_eq!(
        Some(u64::from(answer.status)),
        wanted["status"].as_u64(),
        "{method} {path}"
    );
    for (name, value) in wanted["headers"].as_object().into_iter().flatten() {
        assert_eq!(
            answer.header(name),
            value.as_str().expect("text"),
            "{method} {path} {name}"
        );
    }
    match wanted.get("body") {
        Some(Value::String(text)) => assert_eq!(&*answer.bytes, text.as_bytes(), "{method} {path}"),
        Some(body) => assert_eq!(&answer.body, body, "{method} {path}"),
        None => {}
    }
    for around in contract["then"].as_array().into_iter().flatten() {
        Box::pin(holds(world, router, server, around)).await;
    }
}

#[tokio::test]
async fn the_store_and_speechminer_answer_as_their_contracts_say() {
    for (server, platform) in [(1, "webdav"), (2, "speechminer")] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../scenarios/contracts")
            .join(platform);
        for entry in std::fs::read_dir(folder).expect("contracts") {
            let path = entry.expect("a file").path();
            let contract: Value =
                serde_json::from_str(&std::fs::read_to_string(&path).expect("text")).expect("json");
            let world = World::new().await;
            let router = if server == 1 {
                &world.routers.webdav
            } else {
                &world.routers.speechminer
            };
            holds(&world, router, server, &contract).await;
            let last = world
                .core
                .journal
                .page(
                    Some(platform),
                    0,
                    usize::MAX,
                    crate::journal::Digests::Hidden,
                )
                .pop()
                .expect("a line");
            assert!(last.operation.starts_with(platform), "{}", path.display());
        }
    }
}
