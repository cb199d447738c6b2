//! Parameters are held to what the vendor enumerates, and lists come in the order that is asked
//! for.

use super::*;

#[tokio::test]
async fn a_value_that_is_not_enumerated_is_refused_everywhere() {
    let world = World::unlimited().await;
    let id = conversation_id(1);
    for (path, names) in [
        (
            "/api/v2/users",
            "sortOrder expand integrationPresenceSource state",
        ),
        (&format!("/api/v2/users/{JOHN}/queues"), "joined"),
        (&format!("/api/v2/users/{JOHN}/routingskills"), "sortOrder"),
        (
            &format!("/api/v2/routing/queues/{QUEUE}/members"),
            "sortOrder memberBy joined expand",
        ),
        ("/api/v2/routing/languages", "sortOrder"),
        (
            "/api/v2/users/query",
            "sortOrder expand integrationPresenceSource state",
        ),
        (
            &format!("/api/v2/users/{JOHN}"),
            "state expand integrationPresenceSource",
        ),
        ("/api/v2/routing/queues", "sortOrder hasPeer expand"),
        (&format!("/api/v2/routing/queues/{QUEUE}"), "expand"),
        ("/api/v2/routing/wrapupcodes", "sortBy sortOrder"),
        (
            "/api/v2/authorization/divisions",
            "objectCount sortBy nextPage",
        ),
        ("/api/v2/recording/settings", "createDefault"),
        ("/api/v2/tokens/me", "preserveIdleTTL"),
        (
            &format!("/api/v2/conversations/{id}/recordings"),
            "formatId mediaFormats includePauseAnnotationsForScreenRecordings",
        ),
        (
            &format!("/api/v2/conversations/{id}/recordings/{id}"),
            "formatId emailFormatId chatFormatId messageFormatId download",
        ),
        (
            &format!("/api/v2/conversations/{id}/participants/{id}/wrapup"),
            "provisional",
        ),
        ("/api/v2/users/externalid/a/k", "expand"),
        ("/api/v2/orphanrecordings", "hasConversation media"),
        (
            &format!("/api/v2/orphanrecordings/{id}/media"),
            "formatId download",
        ),
        (
            "/api/v2/recording/mediaretentionpolicies",
            "enabled summary hasErrors",
        ),
        (
            "/api/v2/recording/crossplatform/mediaretentionpolicies",
            "enabled summary hasErrors",
        ),
        (
            "/api/v2/recording/jobs",
            "state jobType sortBy showOnlyMyJobs includeTotal",
        ),
        (
            &format!("/api/v2/recording/jobs/{id}/failedrecordings"),
            "includeTotal",
        ),
        (
            &format!("/api/v2/audits/query/{id}/results"),
            "expand allowRedirect",
        ),
    ] {
        for name in names.split(' ') {
            let answer = world.get(&format!("{path}?{name}=bogus")).await;
            assert_eq!(
                (answer.status.as_u16(), &*answer.code()),
                (400, "invalid.query.param.value"),
                "{path} {name}"
            );
        }
    }
    for path in [
        "/api/v2/recording/jobs?state=READY&sortBy=dateCreated&showOnlyMyJobs=True",
        "/api/v2/users?expand=station,groups&sortOrder=ASC",
    ] {
        assert_eq!(world.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_parameter_that_nobody_documents_is_passed_over_unless_the_scenario_says_otherwise() {
    let world = World::unlimited().await;
    assert_eq!(
        world.get("/api/v2/users?stat=any").await.json()["entities"],
        world.get("/api/v2/users").await.json()["entities"]
    );
    let mut settings = Settings::default();
    settings.public.refuse_unknown_parameters = true;
    let answer = World::with(settings)
        .await
        .get("/api/v2/users?stat=any")
        .await;
    assert_eq!(
        (answer.status.as_u16(), &*answer.code()),
        (400, "invalid.query.param.value")
    );
}

#[tokio::test]
async fn lists_are_sorted_as_asked_and_filters_that_nobody_fits_find_nobody() {
    let world = World::unlimited().await;
    let names = async |path: &str| -> Vec<String> {
        let page = world.get(path).await.json();
        page["entities"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    for (path, up, down) in [
        ("/api/v2/users?state=any", "ascending", "descending"),
        ("/api/v2/routing/queues?pageSize=25", "asc", "desc"),
        (
            "/api/v2/routing/wrapupcodes?sortBy=name",
            "ascending",
            "descending",
        ),
    ] {
        let (usual, up) = (
            names(path).await,
            names(&format!("{path}&sortOrder={up}")).await,
        );
        let mut down = names(&format!("{path}&sortOrder={down}")).await;
        assert!(up.is_sorted() && up.len() > 1 && usual == up, "{up:?}");
        down.reverse();
        assert_eq!(down, up);
    }
    for path in [
        "/api/v2/users?jabberId=nobody@x",
        "/api/v2/routing/queues?hasPeer=true",
        "/api/v2/routing/queues?peerId=x",
    ] {
        assert_eq!(world.get(path).await.json()["total"], 0, "{path}");
    }
    assert_eq!(
        world
            .get("/api/v2/routing/queues?hasPeer=false")
            .await
            .json()["total"],
        3
    );
    assert!(
        world
            .get("/api/v2/routing/queues")
            .await
            .json()
            .get("nextUri")
            .is_none(),
        "absent, not null"
    );
}

#[tokio::test]
async fn segments_are_filtered_by_queue_user_and_media_type_in_queries_and_jobs() {
    let world = World::unlimited().await;
    world.call(1).await;
    let filter = |kind: &str, predicates: &[(&str, &str)]| {
        let one = |(dimension, value): &(&str, &str)| json!({"type": "dimension", "dimension": dimension, "operator": "matches", "value": value});
        json!([{"type": kind, "predicates": predicates.iter().map(one).collect::<Vec<_>>()}])
    };
    let (queue, john, jane) = (QUEUE.to_string(), JOHN.to_string(), JANE.to_string());
    for (filters, found) in [
        (filter("and", &[("queueId", &queue)]), 1),
        (
            filter(
                "and",
                &[
                    ("queueId", &queue.to_uppercase()),
                    ("userId", &john),
                    ("mediaType", "voice"),
                ],
            ),
            1,
        ),
        (filter("and", &[("queueId", &queue), ("userId", &jane)]), 0),
        (filter("or", &[("userId", &jane), ("userId", &john)]), 1),
        (filter("and", &[("mediaType", "chat")]), 0),
        (
            filter("and", &[("purpose", "customer"), ("userId", &john)]),
            0,
        ),
        (
            json!([{"type": "and", "clauses": filter("or", &[("userId", &jane), ("purpose", "agent")])}]),
            1,
        ),
    ] {
        let body = json!({"interval": "2023-07-20T00:00:00+00:00/2023-08-01T00:00:00Z", "segmentFilters": filters});
        let details = "/api/v2/analytics/conversations/details";
        assert_eq!(
            world.post(&format!("{details}/query"), &body).await.json()["totalHits"],
            found,
            "{body}"
        );
        let job = world.post(&format!("{details}/jobs"), &body).await.json();
        let results = world
            .get(&format!(
                "{details}/jobs/{}/results",
                job["jobId"].as_str().expect("an id")
            ))
            .await
            .json();
        assert_eq!(
            results["conversations"].as_array().map(Vec::len),
            Some(found),
            "{body}"
        );
    }
}

#[tokio::test]
async fn an_id_that_is_no_uuid_is_what_the_setting_says() {
    for (status, code) in [(404, "conversation.not.found"), (400, "bad.request")] {
        let mut settings = Settings::default();
        settings.public.malformed_id_status = status;
        let answer = World::with(settings)
            .await
            .get("/api/v2/conversations/not-a-uuid")
            .await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (status, code));
    }
}

#[tokio::test]
async fn a_recording_in_a_playable_format_tells_its_length_and_size() {
    let world = populated(1).await;
    let path = format!("/api/v2/conversations/{}/recordings", conversation_id(1));
    let listed = world.get(&format!("{path}?formatId=WAV")).await.json();
    let address = listed[0]["mediaUris"]["0"]["mediaUri"]
        .as_str()
        .expect("an address")
        .replace("http://127.0.0.1:40003", "");
    let media = world
        .send(
            Request::get(address)
                .body(Body::empty())
                .expect("a request"),
        )
        .await;
    assert_eq!(listed[0]["outputSizeInBytes"], json!(media.body.len()));
    assert!(
        listed[0]["outputDurationMs"]
            .as_u64()
            .is_some_and(|ms| ms.abs_diff(4_000) < 120),
        "{listed}"
    );
    let one = world
        .get(&format!("{path}/{}?formatId=WAV", recording_id(1)))
        .await
        .json();
    assert_eq!(
        (&one["outputDurationMs"], &one["actualTranscodeTimeMs"]),
        (&listed[0]["outputDurationMs"], &json!(0))
    );
    assert!(
        world.get(&format!("{path}?formatId=NONE")).await.json()[0]
            .get("outputDurationMs")
            .is_none()
    );
}
