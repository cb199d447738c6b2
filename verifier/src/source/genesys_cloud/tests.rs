//! From an organisation's words to the verifier's record.

use plan::Reason;
use platforms::genesys_cloud::wire;
use serde_json::{Value, json};

use super::record::{GenesysCloudFormat, conversation, details, is_by_voice, places};
use crate::source::{SourceFormat, SourceInteraction, SourceTime, StagedAnswer};

const CONTRACT: &str =
    include_str!("../../../../scenarios/contracts/genesys_cloud/create_details_job.json");

/// The conversation of the vendor's example.
fn example() -> Value {
    let contract: Value = serde_json::from_str(CONTRACT).expect("a contract");
    contract["then"][1]["response"]["body"]["conversations"][0].clone()
}

fn read(json: &Value) -> SourceInteraction {
    conversation(&json.to_string(), "a test")
}

fn recording(json: Value) -> wire::Recording {
    serde_json::from_value(json).expect("a recording")
}

#[test]
fn the_contract_example_is_a_call_with_its_agent_queue_skill_and_code() {
    let call = read(&example()).listed;
    assert_eq!(call.segments.len(), 1);
    assert_eq!(call.agent_id, call.segments[0].agent_id);
    assert_eq!(
        call.queue_id.as_deref(),
        Some("0a0b0000-0000-4000-8000-0000000000d1")
    );
    assert_eq!(
        call.skill.as_deref(),
        Some("0a0b0000-0000-4000-8000-0000000000e1")
    );
    assert_eq!(
        call.wrap_up_code.as_deref(),
        Some("7f3c0000-0000-4000-8000-00000000a017")
    );
    assert_eq!(call.caller_number.as_deref(), Some("+15550100199"));
    assert_eq!(call.dialled_number.as_deref(), Some("+18005550123"));
    assert_eq!(call.extra["participant.st.wait_ms"], "12000");
    assert!(matches!(
        call.start_time,
        SourceTime::Instant { at: Some(_), .. }
    ));
}

#[test]
fn a_leg_is_from_the_first_word_to_the_last_and_never_what_rang() {
    let segment = |kind: &str, from: &str, to: &str| json!({"segmentType": kind, "segmentStart": from, "segmentEnd": to});
    let session = |segments: Value| json!({"conversationId": "c", "participants": [{"participantId": "p", "purpose": "agent", "userId": "u", "sessions": [{"sessionId": "s", "mediaType": "voice", "segments": segments}]}]});
    let held = session(json!([
        segment("alert", "2024-01-01T00:00:00Z", "2024-01-01T00:00:05Z"),
        segment("interact", "2024-01-01T00:00:05Z", "2024-01-01T00:01:00Z"),
        segment("hold", "2024-01-01T00:01:00Z", "2024-01-01T00:02:00Z"),
        segment("interact", "2024-01-01T00:02:00Z", "2024-01-01T00:03:00Z"),
        segment("wrapup", "2024-01-01T00:03:00Z", "2024-01-01T00:04:00Z"),
    ]));
    let legs = read(&held).listed.segments;
    let text = |time: &SourceTime| match time {
        SourceTime::Instant { text, .. } => text.to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!(legs.len(), 1);
    assert_eq!(
        (text(&legs[0].start_time), text(&legs[0].end_time)),
        (
            "2024-01-01T00:00:05Z".to_owned(),
            "2024-01-01T00:03:00Z".to_owned()
        )
    );
    let rang = session(json!([segment(
        "alert",
        "2024-01-01T00:00:00Z",
        "2024-01-01T00:00:05Z"
    )]));
    assert!(read(&rang).listed.segments.is_empty());
    let timeless = session(json!([{"segmentType": "interact"}]));
    assert_eq!(
        read(&timeless).listed.segments[0].start_time,
        SourceTime::Absent
    );
}

#[test]
fn a_chat_is_no_call_and_places_are_read() {
    let of = |kind: Value| {
        json!({"conversationId": "c", "divisionIds": ["d"], "participants": [{"sessions": [{"mediaType": kind, "segments": [{"queueId": "q"}]}]}]}).to_string()
    };
    assert!(is_by_voice(&of(json!("voice"))) && is_by_voice(&of(Value::Null)));
    assert!(!is_by_voice(&of(json!("chat"))));
    assert_eq!(
        places(&of(json!("voice"))),
        (vec!["d".to_owned()], vec!["q".to_owned()])
    );
}

#[test]
fn a_record_alone_may_keep_its_recording_back() {
    let call = read(&example());
    for (state, reason) in [
        (json!("AVAILABLE"), None),
        (json!("RESTORED"), None),
        (Value::Null, None),
        (json!("DELETED"), Some(Reason::SourceDeleted)),
        (json!("ARCHIVED"), Some(Reason::SourceNotAvailable)),
        (json!("RESTORING"), Some(Reason::SourceNotAvailable)),
        (json!("ERROR"), Some(Reason::SourceNotAvailable)),
    ] {
        let body = json!({"id": "r", "fileState": state, "startTime": "2024-01-01T00:00:00Z"});
        assert_eq!(
            details(recording(body), &call, false).kept_back.0,
            reason,
            "{state}"
        );
    }
    let stub = json!({"id": "r", "archiveDate": "2024-01-01T00:00:00Z"});
    let stub = details(recording(stub), &call, true);
    assert_eq!(stub.kept_back.0, Some(Reason::SourceNotAvailable));
    assert!(stub.legal_hold);
}

#[test]
fn secure_pauses_are_pauses_and_holds_are_none() {
    let call = read(&example());
    let leg = call.listed.segments[0].id.to_string();
    let body = json!({
        "id": "r", "sessionId": leg, "deleteDate": "2030-01-01T00:00:00Z",
        "annotations": [
            {"type": "pause", "reason": "SecurePause", "location": 10, "durationMs": 5},
            {"type": "pause", "reason": "FlowOrQueue", "location": 20, "durationMs": 5},
            {"type": "pause", "reason": "SecurePause", "location": 30},
        ],
    });
    let read = details(recording(body), &call, false);
    let pauses: Vec<(Option<i64>, Option<i64>)> = read
        .pauses
        .iter()
        .map(|pause| (pause.start_offset_ms, pause.end_offset_ms))
        .collect();
    assert_eq!(pauses, [(Some(10), Some(15)), (Some(30), None)]);
    assert_eq!(read.segment_id.as_deref(), Some(&*leg));
    assert!(matches!(
        read.delete_at,
        SourceTime::Instant { at: Some(_), .. }
    ));
}

#[test]
fn a_staged_call_is_read_as_a_live_one_is() {
    let entity = json!({
        "conversation": example(), "recordings": ["r-1", "r-2"], "deletionProtected": true,
    });
    let answer = |id: &str, body: &'static str| (format!("GET /api/v2/x/recordings/{id}"), body);
    let answers = [answer("r-1", r#"{"id":"r-1"}"#)];
    let staged = answers.iter().map(|(request, body)| StagedAnswer {
        request,
        body,
        media: None,
    });
    let call = GenesysCloudFormat.call(&entity.to_string(), staged.collect(), "a file");
    assert_eq!(call.listed.start_time, read(&example()).listed.start_time);
    assert_eq!(call.recordings.len(), 2);
    let first = call.recordings[0].details.as_ref().expect("read");
    assert!(first.legal_hold && first.interaction_id == call.listed.id);
    assert!(
        call.recordings[1].details.is_err(),
        "what was never staged is not verifiable"
    );
    let unlisted = json!({"conversation": example(), "recordings": null, "unlisted": "404"});
    let call = GenesysCloudFormat.call(&unlisted.to_string(), Vec::new(), "a file");
    assert!(call.unread.is_some_and(|why| why.contains("404")));
}
