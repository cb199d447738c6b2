//! Reading recordings back: states, formats, batches, downloads, retention, protection.

use super::*;
use crate::platforms::Platform as _;

#[tokio::test]
async fn a_playable_format_is_202_without_a_body_until_it_is_transcoded() {
    let world = World::with(Settings {
        transcode_ms: 5_000,
        ..Settings::default()
    })
    .await;
    world.call(1).await;
    let path = format!("/api/v2/conversations/{}/recordings", conversation_id(1));
    assert_eq!(
        world.get(&format!("{path}?formatId=NONE")).await.status,
        200
    );
    for _ in 0..2 {
        let answer = world.get(&format!("{path}?formatId=MP3&maxWaitMs=1")).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (202, 0));
    }
    let one = world
        .get(&format!("{path}/{}?formatId=MP3", recording_id(1)))
        .await;
    assert_eq!(
        (one.status.as_u16(), &one.json()["mediaUris"]),
        (202, &Value::Null)
    );
    world.core.clock.advance_ms(5_000).expect("on the calendar");
    let ready = world.get(&format!("{path}?formatId=MP3")).await;
    assert_eq!(ready.status, 200);
    assert!(
        ready.json()[0]["mediaUris"]["0"]["mediaUri"]
            .as_str()
            .is_some_and(|uri| uri.starts_with("http://127.0.0.1:40003/"))
    );
    assert_eq!(world.get(&format!("{path}?formatId=AMR")).await.status, 400);
}

#[tokio::test]
async fn a_request_for_recordings_waits_as_long_as_it_says() {
    let world = World::with(Settings {
        transcode_ms: 4_000_000,
        ..Settings::default()
    })
    .await;
    world.call(1).await;
    let path = format!(
        "/api/v2/conversations/{}/recordings?formatId=MP3",
        conversation_id(1)
    );
    let advance = async {
        tokio::task::yield_now().await;
        world
            .core
            .clock
            .advance_ms(4_000_000)
            .expect("on the calendar");
    };
    let patient = format!("{path}&maxWaitMs=5000000");
    let (answer, ()) = tokio::join!(world.get(&patient), advance);
    assert_eq!(
        (
            answer.status.as_u16(),
            answer.json().as_array().map(Vec::len)
        ),
        (200, Some(1))
    );
    let other = format!(
        "/api/v2/conversations/{}/recordings?formatId=WAV",
        conversation_id(1)
    );
    let advance = async {
        tokio::task::yield_now().await;
        world.core.clock.advance_ms(5_000).expect("on the calendar");
    };
    let (answer, ()) = tokio::join!(world.get(&other), advance);
    assert_eq!(
        (answer.status.as_u16(), answer.body.len()),
        (202, 0),
        "five seconds where a request names none"
    );
    for wrong in ["0", "-1", "soon"] {
        let answer = world.get(&format!("{path}&maxWaitMs={wrong}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, "invalid.query.param.value"),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn an_unknown_conversation_or_recording_is_404() {
    let world = World::new().await;
    world.call(1).await;
    for (path, code) in [
        (
            format!("/api/v2/conversations/{}", conversation_id(2)),
            "conversation.not.found",
        ),
        (
            "/api/v2/conversations/nonsense/recordings".to_owned(),
            "conversation.not.found",
        ),
        (
            format!(
                "/api/v2/conversations/{}/recordings/{}",
                conversation_id(1),
                recording_id(9)
            ),
            "not.found",
        ),
        (
            format!("/api/v2/recording/batchrequests/{}", recording_id(9)),
            "batch.download.job.not.found",
        ),
        (
            format!(
                "/api/v2/analytics/conversations/details/jobs/{}",
                recording_id(9)
            ),
            "not.found",
        ),
    ] {
        let answer = world.get(&path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (404, code),
            "{path}"
        );
    }
}

/// The path and query of an absolute address.
fn local(uri: &Value) -> String {
    uri.as_str()
        .and_then(|uri| uri.strip_prefix("http://127.0.0.1:40003"))
        .expect("an address of ours")
        .to_owned()
}

async fn without_token(world: &World, path: &str, range: Option<&str>) -> Answer {
    let mut request = Request::get(path);
    if let Some(range) = range {
        request = request.header("range", range);
    }
    world
        .send(request.body(Body::empty()).expect("a request"))
        .await
}

#[tokio::test]
async fn a_batch_is_in_progress_then_gives_addresses_that_need_no_token_and_expire() {
    let world = World::with(Settings {
        batch_ms: 2_000,
        ..Settings::default()
    })
    .await;
    world.call(1).await;
    let list = json!({"batchDownloadRequestList": [{"conversationId": conversation_id(1)}, {"conversationId": conversation_id(2)}]});
    let id = id_of(
        &world
            .post("/api/v2/recording/batchrequests", &list)
            .await
            .json(),
    );
    let path = format!("/api/v2/recording/batchrequests/{id}");
    let waiting = world.get(&path).await.json();
    assert_eq!(
        (&waiting["status"], &waiting["resultCount"]),
        (&json!("InProgress"), &json!(0))
    );
    world.core.clock.advance_ms(2_000).expect("on the calendar");
    let done = world.get(&path).await.json();
    assert_eq!(
        (&done["status"], &done["resultCount"], &done["errorCount"]),
        (&json!("Completed"), &json!(2), &json!(1))
    );
    assert!(
        done["results"][1]["errorMsg"].is_string() && done["results"][1]["resultUrl"].is_null()
    );
    let address = local(&done["results"][0]["resultUrl"]);
    let whole = without_token(&world, &address, None).await;
    assert_eq!(
        (
            whole.status.as_u16(),
            whole.body.as_slice(),
            whole.header("content-type")
        ),
        (200, &b"bytes"[..], "audio/mpeg")
    );
    let part = without_token(&world, &address, Some("bytes=1-3")).await;
    assert_eq!(
        (
            part.status.as_u16(),
            part.body.as_slice(),
            part.header("content-range")
        ),
        (206, &b"yte"[..], "bytes 1-3/5")
    );
    assert_eq!(
        without_token(&world, &address, Some("bytes=5-"))
            .await
            .status,
        416
    );
    assert_eq!(
        without_token(&world, &address.replace("signature=", "signature=0"), None)
            .await
            .status,
        403
    );
    world
        .core
        .clock
        .advance_ms(60 * 60_000)
        .expect("on the calendar");
    assert_eq!(without_token(&world, &address, None).await.status, 403);
}

#[tokio::test]
async fn only_the_submitter_reads_a_batch() {
    let world = World::new().await;
    let list = json!({"batchDownloadRequestList": [{"conversationId": conversation_id(1)}]});
    let id = id_of(
        &world
            .post("/api/v2/recording/batchrequests", &list)
            .await
            .json(),
    );
    world
        .site
        .state()
        .batches
        .order_mut(id)
        .expect("the batch")
        .give_to("somebody else");
    let answer = world
        .get(&format!("/api/v2/recording/batchrequests/{id}"))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (403, "batch.download.permission.denied")
    );
}

#[tokio::test]
async fn a_batch_has_one_to_a_hundred_items() {
    let world = World::new().await;
    let item = json!({"conversationId": conversation_id(1)});
    for (count, code) in [
        (0, "batch.download.bad.request"),
        (101, "batch.download.too.many.items"),
    ] {
        let list = json!({"batchDownloadRequestList": vec![item.clone(); count]});
        let answer = world.post("/api/v2/recording/batchrequests", &list).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, code)
        );
    }
    let list = json!({"batchDownloadRequestList": vec![item; 100]});
    assert_eq!(
        world
            .post("/api/v2/recording/batchrequests", &list)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn lost_media_is_an_error_of_the_batch_and_a_state_of_the_recording() {
    let world = World::new().await;
    world.call(1).await;
    let answer = world.site.tamper("D11", 1, 7).expect("one victim");
    assert_eq!((answer.planted.len(), answer.defect.as_str()), (1, "D11"));
    let list = json!({"batchDownloadRequestList": [{"conversationId": conversation_id(1), "recordingId": recording_id(1)}]});
    let id = id_of(
        &world
            .post("/api/v2/recording/batchrequests", &list)
            .await
            .json(),
    );
    let result = world
        .get(&format!("/api/v2/recording/batchrequests/{id}"))
        .await
        .json()["results"][0]
        .clone();
    assert!(result["resultUrl"].is_null() && result["errorMsg"].is_string());
    let recordings = world
        .get(&format!(
            "/api/v2/conversations/{}/recordings?formatId=NONE",
            conversation_id(1)
        ))
        .await
        .json();
    assert!(recordings[0]["fileState"] == "DELETED" || recordings[0]["fileState"] == "ERROR");
    assert!(recordings[0]["startTime"].is_null());
}

#[tokio::test]
async fn playback_is_really_encoded_in_the_format_asked_for() {
    let world = populated(1).await;
    for (format, codec) in [
        ("WAV", Codec::PcmS16),
        ("WAV_ULAW", Codec::Mulaw),
        ("MP3", Codec::Mp3),
    ] {
        let path = format!(
            "/api/v2/conversations/{}/recordings?formatId={format}",
            conversation_id(1)
        );
        let address = local(&world.get(&path).await.json()[0]["mediaUris"]["0"]["mediaUri"]);
        let media = without_token(&world, &address, None).await;
        assert_eq!(
            audio::probe(&media.body).expect("audio").codec,
            codec,
            "{format}"
        );
    }
    for (format, content_type, marks) in [
        (
            "WEBM",
            "audio/webm",
            [&b"\x1a\x45\xdf\xa3"[..], b"webm", b"A_OPUS"],
        ),
        ("OGG_OPUS", "audio/ogg", [b"OggS", b"OpusHead", b"OpusTags"]),
        (
            "OGG_VORBIS",
            "audio/ogg",
            [b"OggS", b"\x01vorbis", b"\x05vorbis"],
        ),
    ] {
        let path = format!(
            "/api/v2/conversations/{}/recordings?formatId={format}",
            conversation_id(1)
        );
        let address = local(&world.get(&path).await.json()[0]["mediaUris"]["0"]["mediaUri"]);
        let media = without_token(&world, &address, None).await;
        assert_eq!(
            (media.status.as_u16(), media.header("content-type")),
            (200, content_type),
            "{format}"
        );
        assert!(media.body.starts_with(marks[0]), "{format}");
        for mark in marks {
            assert!(
                media.body.windows(mark.len()).any(|bytes| bytes == mark),
                "{format}: {mark:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_retention_query_pages_through_every_recording_once() {
    let world = World::unlimited().await;
    for number in 1..=7 {
        world.call(number).await;
    }
    let mut path =
        "/api/v2/recordings/retention/query?retentionThresholdDays=0&pageSize=3".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = world.get(&path).await.json();
        seen.extend(
            page["entities"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|one| one["recordingId"].to_string()),
        );
        let Some(next) = page["nextUri"].as_str() else {
            break;
        };
        path = next.to_owned();
    }
    assert_eq!(
        seen,
        (1..=7)
            .map(|number| json!(recording_id(number)).to_string())
            .collect::<Vec<_>>()
    );
    for bad in [
        "",
        "?retentionThresholdDays=0&pageSize=501",
        "?retentionThresholdDays=0&cursor=x",
        "?retentionThresholdDays=-1",
    ] {
        assert_eq!(
            world
                .get(&format!("/api/v2/recordings/retention/query{bad}"))
                .await
                .status,
            400,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn protection_names_the_protected_among_up_to_a_hundred() {
    let world = World::unlimited().await;
    for number in 1..=4 {
        world.call(number).await;
    }
    let ids: Vec<Uuid> = (1..=5).map(conversation_id).collect();
    let answer = world
        .post(
            "/api/v2/recordings/deletionprotection",
            &json!({"conversationIds": ids}),
        )
        .await;
    let entry = |number| json!({"id": conversation_id(number), "selfUri": format!("/api/v2/conversations/{}", conversation_id(number))});
    assert_eq!(answer.json(), json!([entry(2), entry(4)]));
    let many: Vec<Uuid> = (1..=101).map(conversation_id).collect();
    assert_eq!(
        world
            .post(
                "/api/v2/recordings/deletionprotection",
                &json!({"conversationIds": many})
            )
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn users_are_the_active_ones_unless_asked_otherwise() {
    let world = World::new().await;
    for (query, total) in [
        ("", 3),
        ("?state=any", 5),
        ("?state=inactive", 1),
        ("?state=deleted", 1),
    ] {
        assert_eq!(
            world.get(&format!("/api/v2/users{query}")).await.json()["total"],
            total,
            "{query}"
        );
    }
    let second = world
        .get("/api/v2/users?state=any&pageSize=2&pageNumber=2")
        .await
        .json();
    assert_eq!(
        (
            second["entities"].as_array().map(Vec::len),
            &second["pageCount"]
        ),
        (Some(2), &json!(3))
    );
    assert_eq!(
        second["nextUri"],
        "/api/v2/users?pageSize=2&pageNumber=3&state=any"
    );
    assert_eq!(
        second["previousUri"],
        "/api/v2/users?pageSize=2&pageNumber=1&state=any"
    );
    for bad in [
        "?state=gone",
        "?pageSize=501",
        "?pageSize=0",
        "?pageNumber=0",
        "?pageNumber=x",
    ] {
        assert_eq!(
            world.get(&format!("/api/v2/users{bad}")).await.status,
            400,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_queue_without_an_agent_is_still_readable() {
    let world = World::new().await;
    let mut body = interaction(1, world.any_file("a.mp3").await);
    body["participants"]
        .as_array_mut()
        .expect("a list")
        .remove(0);
    body["segments"][0]
        .as_object_mut()
        .expect("a segment")
        .remove("participantId");
    assert_eq!(world.post("/api/v2/interactions", &body).await.status, 201);
    let read = world
        .get(&format!("/api/v2/conversations/{}", conversation_id(1)))
        .await
        .json();
    assert_eq!(
        (
            &read["participants"][1]["purpose"],
            &read["participants"][1]["queueId"]
        ),
        (&json!("acd"), &json!(QUEUE))
    );
}
