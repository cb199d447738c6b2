//! Recordings whose conversation does not come in time.

use super::*;

const ORPHANS: &str = "/api/v2/orphanrecordings";

/// A world with one orphan, of call 1, and its id.
async fn orphaned() -> (World, Uuid) {
    let world = World::with(Settings {
        max_retention_days: Some(36_500),
        ..unlimited(PublicSettings {
            wait_for_conversation_ms: 60_000,
            ..PublicSettings::default()
        })
    })
    .await;
    world.recorded(1).await;
    assert_eq!(world.get(ORPHANS).await.json()["total"], 0);
    world
        .core
        .clock
        .advance_ms(60_000)
        .expect("on the calendar");
    let listed = world.get(ORPHANS).await.json();
    assert_eq!(listed["total"], 1);
    let id = id_of(&listed["entities"][0]);
    (world, id)
}

#[tokio::test]
async fn a_recording_without_a_conversation_surfaces_as_an_orphan_that_names_its_source() {
    let (world, id) = orphaned().await;
    let orphan = world.get(&format!("{ORPHANS}/{id}")).await.json();
    assert_eq!(
        (&orphan["sourceOrphaningId"], &orphan["orphanStatus"]),
        (&json!("1-1"), &json!("UNKNOWN_CONVERSATION"))
    );
    assert_eq!(
        (&orphan["mediaSizeBytes"], &orphan["recording"]["id"]),
        (&json!(8), &json!(recording_id(1)))
    );
    assert_eq!(world.statuses().await[0].0, "WaitForConversation");
    world.injected(1).await;
    assert_eq!(
        world.recordings(1).await,
        json!([]),
        "an orphan stays one until it is attached"
    );
    for (query, total) in [
        ("?hasConversation=true", 1),
        ("?media=Screen", 0),
        ("?media=Call", 1),
        ("?pageSize=1&pageNumber=2", 1),
    ] {
        assert_eq!(
            world.get(&format!("{ORPHANS}{query}")).await.json()["total"],
            total,
            "{query}"
        );
    }
    assert_eq!(
        world.get(&format!("{ORPHANS}?media=Smoke")).await.status,
        400
    );
    assert_eq!(world.get(&format!("{ORPHANS}/x")).await.status, 404);
}

#[tokio::test]
async fn an_orphan_is_attached_to_a_conversation_and_is_gone() {
    let (world, id) = orphaned().await;
    world.injected(1).await;
    let answer = world
        .json("PUT", &format!("{ORPHANS}/{id}"), &json!({"conversationId": conversation_id(1), "deleteDate": "2040-01-01T00:00:00.000Z"}))
        .await;
    assert_eq!(
        answer.status,
        200,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    let one = answer.json();
    assert_eq!(
        (&one["id"], &one["deleteDate"], &one["sessionId"]),
        (
            &json!(recording_id(1)),
            &json!("2040-01-01T00:00:00.000Z"),
            &json!(leg(1, FIRST_AGENT))
        )
    );
    assert_eq!(world.recordings(1).await[0]["id"], json!(recording_id(1)));
    assert_eq!(world.get(&format!("{ORPHANS}/{id}")).await.status, 404);
    assert_eq!(world.statuses().await[0].0, "Success");
    assert_eq!(
        world.lines()[0]["recordings"][0]["legacy_recording_id"],
        "1-1"
    );
    let effects = world.core.journal.effects();
    assert!(
        effects.contains(r#""genesys_cloud.update_orphan","key":"1-1""#)
            && effects.contains("orphaned"),
        "{effects}"
    );
}

#[tokio::test]
async fn an_orphan_hangs_on_the_first_agent_where_its_own_leg_is_not_there() {
    let (world, id) = orphaned().await;
    world.injected(2).await;
    let answer = world
        .json(
            "PUT",
            &format!("{ORPHANS}/{id}"),
            &json!({"conversationId": conversation_id(2)}),
        )
        .await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["sessionId"]),
        (200, &json!(leg(2, FIRST_AGENT)))
    );
    assert_eq!(
        answer.json()["deleteDate"],
        "2030-07-27T10:05:00.456Z",
        "that of metadata.json"
    );
}

#[tokio::test]
async fn an_update_with_a_wrong_value_is_400_and_changes_nothing() {
    let (world, id) = orphaned().await;
    let invalid = "recording.orphan.retention.data.invalid";
    let known = json!(conversation_id(1));
    for (is_injected, body, code) in [
        (false, json!({}), "recording.orphan.unknown.conversation"),
        (
            false,
            json!({"conversationId": "x"}),
            "recording.orphan.unknown.conversation",
        ),
        (
            true,
            json!({"conversationId": conversation_id(9)}),
            "recording.orphan.unknown.conversation",
        ),
        (
            true,
            json!({"conversationId": known, "deleteDate": "2030"}),
            invalid,
        ),
        (
            true,
            json!({"conversationId": known, "deleteDate": "2001-01-01T00:00:00.000Z"}),
            invalid,
        ),
        (
            true,
            json!({"conversationId": known, "archiveDate": "2001-01-01T00:00:00.000Z"}),
            invalid,
        ),
        (
            true,
            json!({"conversationId": known, "archiveDate": "2041-01-01T00:00:00.000Z", "deleteDate": "2040-01-01T00:00:00.000Z"}),
            invalid,
        ),
        (
            true,
            json!({"conversationId": known, "exportDate": "2041-01-01T00:00:00.000Z"}),
            invalid,
        ),
        (
            true,
            json!({"conversationId": known, "deleteDate": "2199-01-01T00:00:00.000Z"}),
            "recording.recording.analytics.retention.violation",
        ),
        (true, json!({"colour": "blue"}), "invalid.property"),
    ] {
        if is_injected {
            world.inject(&call_events(1)).await;
        }
        let answer = world.json("PUT", &format!("{ORPHANS}/{id}"), &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, code),
            "{body}"
        );
    }
    assert_eq!(world.get(ORPHANS).await.json()["total"], 1);
}

#[tokio::test]
async fn a_deleted_orphan_is_gone_and_its_upload_failed() {
    let (world, id) = orphaned().await;
    let request = Request::delete(format!("{ORPHANS}/{id}"))
        .header("authorization", format!("Bearer {}", world.token));
    let answer = world
        .send(request.body(Body::empty()).expect("a request"))
        .await;
    assert_eq!((answer.status.as_u16(), id_of(&answer.json())), (200, id));
    assert_eq!(world.get(ORPHANS).await.json()["total"], 0);
    assert_eq!(world.statuses().await[0].0, "Failure");
}

#[tokio::test]
async fn an_upload_stuck_beyond_the_parking_time_becomes_an_orphan_though_its_conversation_is_there()
 {
    let rule: FaultRule = toml::from_str(
        "on = 'genesys_cloud.process_upload'\nkind = 'upload_stuck'\nms = 999999999",
    )
    .expect("a rule");
    let settings = unlimited(PublicSettings {
        wait_for_conversation_ms: 60_000,
        ..PublicSettings::default()
    });
    let world = World::with_faults(settings, vec![rule]).await;
    world.injected(1).await;
    world.recorded(1).await;
    world
        .core
        .clock
        .advance_ms(60_000)
        .expect("on the calendar");
    let listed = world
        .get(&format!("{ORPHANS}?hasConversation=true"))
        .await
        .json();
    assert_eq!(
        (&listed["total"], &listed["entities"][0]["orphanStatus"]),
        (&json!(1), &json!("CONVERSATION_NOT_EVALUATED"))
    );
    let answer = world
        .json(
            "PUT",
            &format!("{ORPHANS}/{}", id_of(&listed["entities"][0])),
            &json!({}),
        )
        .await;
    assert_eq!(
        answer.status,
        200,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
}

#[tokio::test]
async fn an_orphans_media_can_be_heard_before_it_is_attached() {
    let settings = unlimited(PublicSettings {
        wait_for_conversation_ms: 0,
        ..PublicSettings::default()
    });
    let world = World::with(Settings {
        transcode_ms: 1_000,
        ..settings
    })
    .await;
    let bytes = audio::encode(&sound(1, 2), Codec::Mp3).expect("audio");
    assert_eq!(
        world
            .upload_zip(&name_of(1), &package(&metadata(1), &bytes))
            .await
            .status,
        200
    );
    let id = id_of(&world.get(ORPHANS).await.json()["entities"][0]);
    let path = format!("{ORPHANS}/{id}/media");
    let transcoding = world.get(&format!("{path}?formatId=WAV")).await;
    assert_eq!(
        (transcoding.status.as_u16(), transcoding.body.len()),
        (202, 0)
    );
    world.core.clock.advance_ms(1_000).expect("on the calendar");
    let shown = world.get(&format!("{path}?formatId=WAV")).await.json();
    assert_eq!(shown["id"], json!(recording_id(1)));
    let uri = shown["mediaUris"]["0"]["mediaUri"]
        .as_str()
        .expect("an address")
        .to_owned();
    let address = uri
        .strip_prefix("http://127.0.0.1:40003")
        .expect("ours")
        .to_owned();
    let heard = world
        .send(
            Request::get(&address)
                .body(Body::empty())
                .expect("a request"),
        )
        .await;
    let (_, pcm) = audio::decode(&heard.body).expect("audio");
    let (_, whole) = audio::decode(&bytes).expect("audio");
    assert_eq!((pcm.channels.len(), pcm.samples()), (2, whole.samples()));
    assert!(
        world
            .get(&format!("{path}?formatId=NONE"))
            .await
            .json()
            .get("mediaUris")
            .is_none()
    );
    assert_eq!(
        world.get(&format!("{path}?formatId=TAPE")).await.code(),
        "invalid.query.param.value"
    );
    assert_eq!(
        world
            .get(&format!("{ORPHANS}/{}/media", v4(1, 1)))
            .await
            .status,
        404
    );
    let as_a_recording = address.replace("/orphan/", "/media/");
    assert_eq!(
        world
            .send(
                Request::get(as_a_recording)
                    .body(Body::empty())
                    .expect("a request")
            )
            .await
            .status,
        403
    );
    world.injected(1).await;
    world
        .json("PUT", &format!("{ORPHANS}/{id}"), &json!({}))
        .await;
    assert_eq!(
        world
            .send(
                Request::get(&address)
                    .body(Body::empty())
                    .expect("a request")
            )
            .await
            .status,
        404,
        "an orphan no more"
    );
}
