//! Recording jobs.

use super::*;

const JOBS: &str = "/api/v2/recording/jobs";
const DAYS: &str = "2023-07-01T00:00:00.000Z/2023-08-01T00:00:00.000Z";

fn job(action: &str) -> Value {
    json!({"action": action, "actionDate": "2040-01-01T00:00:00.000Z", "conversationQuery": {"interval": DAYS}})
}

#[tokio::test]
async fn a_job_is_prepared_executed_and_sets_its_date() {
    let world = World::public(PublicSettings {
        recording_job_ms: 1_000,
        ..PublicSettings::default()
    })
    .await;
    for number in 1..=3 {
        world.injected(number).await;
        world.recorded(number).await;
    }
    world
        .json(
            "PUT",
            "/api/v2/recordings/deletionprotection",
            &json!({"conversationIds": [conversation_id(2)]}),
        )
        .await;
    let created = world.post(JOBS, &job("DELETE")).await;
    assert_eq!(
        (created.status.as_u16(), &created.json()["state"]),
        (202, &json!("PENDING"))
    );
    let path = format!("{JOBS}/{}", id_of(&created.json()));
    let process = json!({"state": "PROCESSING"});
    assert_eq!(world.json("PUT", &path, &process).await.status, 409);
    world.core.clock.advance_ms(1_000).expect("on the calendar");
    let ready = world.get(&path).await.json();
    assert_eq!(
        (
            &ready["state"],
            &ready["totalConversations"],
            &ready["totalRecordings"]
        ),
        (&json!("READY"), &json!(3), &json!(3))
    );
    assert_eq!(
        world
            .json("PUT", &path, &json!({"state": "READY"}))
            .await
            .status,
        400
    );
    assert_eq!(
        world.json("PUT", &path, &process).await.json()["state"],
        "PROCESSING"
    );
    assert_eq!(
        world.recordings(1).await[0]["deleteDate"],
        "2030-07-27T10:05:00.456Z"
    );
    world.core.clock.advance_ms(1_000).expect("on the calendar");
    let done = world.get(&path).await.json();
    assert_eq!(
        (&done["state"], &done["percentProgress"]),
        (&json!("FULFILLED"), &json!(100))
    );
    assert_eq!(
        (
            &done["totalProcessedRecordings"],
            &done["totalSkippedRecordings"]
        ),
        (&json!(2), &json!(1))
    );
    let dates: Vec<Value> = world
        .lines()
        .iter()
        .map(|line| line["retention"]["delete_at"].clone())
        .collect();
    assert_eq!(
        dates,
        [
            json!("2040-01-01T00:00:00.000Z"),
            json!("2030-07-27T10:05:00.456Z"),
            json!("2040-01-01T00:00:00.000Z")
        ]
    );
    assert_eq!(
        world
            .get(&format!("{JOBS}?state=FULFILLED&jobType=DELETE"))
            .await
            .json()["total"],
        1
    );
    assert_eq!(
        world.get(&format!("{JOBS}?jobType=ARCHIVE")).await.json()["total"],
        0
    );
}

#[tokio::test]
async fn a_job_shows_its_date_in_utc_and_no_field_that_was_null() {
    let world = World::public(PublicSettings::default()).await;
    let mut sent = job("DELETE");
    sent["actionDate"] = json!("2040-01-01T01:00:00+01:00");
    sent["actionAge"] = Value::Null;
    let created = world.post(JOBS, &sent).await.json();
    let listed = world.get(JOBS).await.json()["entities"][0].clone();
    let read = world
        .get(&format!("{JOBS}/{}", id_of(&created)))
        .await
        .json();
    for shown in [&created, &listed, &read] {
        assert_eq!(shown["recordingJobsQuery"], job("DELETE"));
    }
}

#[tokio::test]
async fn an_archive_job_counts_days_from_each_recordings_creation() {
    let world = World::public(PublicSettings::default()).await;
    world.injected(1).await;
    world.recorded(1).await;
    let mut archive = job("ARCHIVE");
    archive["actionDate"] = Value::Null;
    archive["actionAge"] = json!(10);
    let id = id_of(&world.post(JOBS, &archive).await.json());
    world
        .json(
            "PUT",
            &format!("{JOBS}/{id}"),
            &json!({"state": "PROCESSING"}),
        )
        .await;
    let one = world.recordings(1).await[0].clone();
    let ms = |field: &str| {
        super::super::super::times::parse_utc(one[field].as_str().expect("a date")).expect("a time")
    };
    assert_eq!(ms("archiveDate") - ms("creationTime"), 10 * 86_400_000);
}

#[tokio::test]
async fn a_job_overlooks_recordings_newer_than_its_lag() {
    let world = World::public(PublicSettings {
        recording_job_lag_ms: 3_600_000,
        ..PublicSettings::default()
    })
    .await;
    world.injected(1).await;
    world.recorded(1).await;
    for total in [0, 1] {
        let id = id_of(&world.post(JOBS, &job("DELETE")).await.json());
        assert_eq!(
            world.get(&format!("{JOBS}/{id}")).await.json()["totalRecordings"],
            total
        );
        world
            .core
            .clock
            .advance_ms(3_600_000)
            .expect("on the calendar");
    }
}

#[tokio::test]
async fn an_organisation_has_two_jobs_at_once_and_each_its_submitter() {
    let world = World::public(PublicSettings {
        recording_job_ms: 1_000,
        ..PublicSettings::default()
    })
    .await;
    let first = id_of(&world.post(JOBS, &job("DELETE")).await.json());
    assert_eq!(world.post(JOBS, &job("DELETE")).await.status, 202);
    assert_eq!(
        world.post(JOBS, &job("DELETE")).await.code(),
        "request.conflict"
    );
    world.core.clock.advance_ms(1_000).expect("on the calendar");
    assert_eq!(
        world.post(JOBS, &job("DELETE")).await.status,
        202,
        "a READY job is neither pending nor processing"
    );
    world.site.state().public.give_jobs_to("somebody else");
    assert_eq!(
        world
            .json(
                "PUT",
                &format!("{JOBS}/{first}"),
                &json!({"state": "PROCESSING"})
            )
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn a_job_that_cannot_be_is_refused() {
    let world = World::public(PublicSettings::default()).await;
    let aged = |interval: &str| json!({"action": "DELETE", "actionAge": 1, "agedConversationInterval": interval});
    let with = |field: &str, value: Value| {
        let mut body = job("DELETE");
        body[field] = value;
        body
    };
    for (body, code) in [
        (json!({}), "bad.request"),
        (job("SELL"), "invalid.value"),
        (job("EXPORT"), "bad.request"),
        (with("actionAge", json!(1)), "bad.request"),
        (with("actionDate", Value::Null), "bad.request"),
        (with("actionDate", json!("2040")), "invalid.date"),
        (with("conversationQuery", Value::Null), "bad.request"),
        (
            with("conversationQuery", json!({"interval": "2023"})),
            "invalid.date",
        ),
        (with("agedConversationInterval", json!(DAYS)), "bad.request"),
        (with("colour", json!("blue")), "invalid.property"),
        (aged("x"), "invalid.date"),
        (
            aged("2010-01-01T00:00:00.000Z/2011-01-01T00:00:00.000Z"),
            "bad.request",
        ),
        (
            aged("2026-01-01T00:00:00.000Z/2026-02-01T00:00:00.000Z"),
            "bad.request",
        ),
    ] {
        let answer = world.post(JOBS, &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, code),
            "{body}"
        );
    }
    assert_eq!(
        world
            .post(
                JOBS,
                &aged("2010-01-01T00:00:00.000Z/2010-06-01T00:00:00.000Z")
            )
            .await
            .status,
        202
    );
    assert_eq!(world.get(&format!("{JOBS}/x")).await.status, 404);
}

#[tokio::test]
async fn a_deleted_job_is_cancelled_and_sets_no_date() {
    let world = World::public(PublicSettings {
        recording_job_ms: 1_000,
        ..PublicSettings::default()
    })
    .await;
    world.injected(1).await;
    world.recorded(1).await;
    let path = format!(
        "{JOBS}/{}",
        id_of(&world.post(JOBS, &job("DELETE")).await.json())
    );
    world.core.clock.advance_ms(1_000).expect("on the calendar");
    world
        .json("PUT", &path, &json!({"state": "PROCESSING"}))
        .await;
    assert_eq!(world.json("DELETE", &path, &Value::Null).await.status, 204);
    world.core.clock.advance_ms(1_000).expect("on the calendar");
    assert_eq!(world.get(&path).await.json()["state"], "CANCELLED");
    assert_eq!(
        world.get(&format!("{JOBS}?state=CANCELLED")).await.json()["total"],
        1
    );
    assert_eq!(
        world.recordings(1).await[0]["deleteDate"],
        "2030-07-27T10:05:00.456Z"
    );
    assert_eq!(
        world
            .json("PUT", &path, &json!({"state": "PROCESSING"}))
            .await
            .status,
        409
    );
    for status in [204, 404] {
        assert_eq!(
            world.json("DELETE", &path, &Value::Null).await.status,
            status
        );
    }
    for _ in 0..2 {
        let next = world.post(JOBS, &job("DELETE")).await;
        assert_eq!(next.status, 202, "a cancelled job makes room");
        world
            .json(
                "DELETE",
                &format!("{JOBS}/{}", id_of(&next.json())),
                &Value::Null,
            )
            .await;
    }
}

#[tokio::test]
async fn a_job_tells_which_recordings_it_failed_for() {
    let world = World::with(Settings {
        max_retention_days: Some(4_000),
        ..unlimited(PublicSettings::default())
    })
    .await;
    for number in 1..=3 {
        world.injected(number).await;
        world.recorded(number).await;
    }
    let path = format!(
        "{JOBS}/{}",
        id_of(&world.post(JOBS, &job("DELETE")).await.json())
    );
    world
        .json("PUT", &path, &json!({"state": "PROCESSING"}))
        .await;
    let done = world.get(&path).await.json();
    assert_eq!(
        (
            &done["totalFailedRecordings"],
            &done["totalProcessedRecordings"]
        ),
        (&json!(3), &json!(0)),
        "2040 is beyond the maximum"
    );
    let failed = done["failedRecordings"].as_str().expect("an address");
    let page = world.get(&format!("{failed}?pageSize=2")).await.json();
    assert_eq!((&page["total"], &page["pageCount"]), (&json!(3), &json!(2)));
    let first = &page["entities"][0];
    assert_eq!(
        (&first["conversation"]["id"], &first["recording"]["id"]),
        (&json!(conversation_id(1)), &json!(recording_id(1)))
    );
    let next = world
        .get(page["nextUri"].as_str().expect("an address"))
        .await
        .json();
    assert_eq!(
        next["entities"][0]["recording"]["id"],
        json!(recording_id(3))
    );
    assert_eq!(
        world.get(&format!("{failed}?pageSize=101")).await.code(),
        "invalid.query.param.value"
    );
    assert_eq!(
        world
            .get(&format!("{JOBS}/x/failedrecordings"))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn an_export_is_taken_where_the_organisation_has_its_integration() {
    let own = "0b0c0000-0000-4000-8000-0000000000f1";
    let world = World::public(PublicSettings {
        export_integration: Some(own.to_owned()),
        ..PublicSettings::default()
    })
    .await;
    world.injected(1).await;
    world.recorded(1).await;
    let export = |integration: Value| {
        let mut body = job("EXPORT");
        body["integrationId"] = integration;
        body
    };
    for wrong in [Value::Null, json!(QUEUE)] {
        assert_eq!(world.post(JOBS, &export(wrong)).await.code(), "bad.request");
    }
    let process = json!({"state": "PROCESSING"});
    let id = id_of(&world.post(JOBS, &export(json!(own))).await.json());
    world.json("PUT", &format!("{JOBS}/{id}"), &process).await;
    let one = world.recordings(1).await[0].clone();
    assert_eq!(
        (&one["exportDate"], one.get("exportedDate")),
        (&json!("2040-01-01T00:00:00.000Z"), None),
        "{one}"
    );
    assert_eq!(one["deleteDate"], "2030-07-27T10:05:00.456Z");
    let retained = world
        .get("/api/v2/recordings/retention/query?retentionThresholdDays=0")
        .await
        .json();
    assert_eq!(
        retained["entities"][0]["exportDate"],
        "2040-01-01T00:00:00.000Z"
    );
    let mut archive = job("ARCHIVE");
    archive["clearExport"] = json!(true);
    let id = id_of(&world.post(JOBS, &archive).await.json());
    world.json("PUT", &format!("{JOBS}/{id}"), &process).await;
    assert_eq!(world.recordings(1).await[0].get("exportDate"), None);
    let mut past = export(json!(own));
    past["actionDate"] = json!("2023-08-01T00:00:00.000Z");
    let id = id_of(&world.post(JOBS, &past).await.json());
    world.json("PUT", &format!("{JOBS}/{id}"), &process).await;
    assert_eq!(
        world.recordings(1).await[0]["exportedDate"],
        "2023-08-01T00:00:00.000Z"
    );
}
