//! From an organisation's words to the canonical record.

use plan::{Reason, TimeRules};
use platforms::genesys_cloud::wire::Recording;
use serde_json::{Value, json};

use super::entity::Listed;
use super::format::available;
use super::normalise::normalise;
use super::{FORMAT, audio_of};
use crate::canonical::Canonical;
use crate::source::{NoRecord, SourceFormat};

fn segment(kind: &str, from: &str, to: &str, more: Value) -> Value {
    let at = |clock: &str| format!("2024-03-05T10:{clock}.000Z");
    let mut segment = json!({"segmentType": kind, "segmentStart": at(from), "segmentEnd": at(to)});
    let (Some(fields), Value::Object(more)) = (segment.as_object_mut(), more) else {
        panic!("objects")
    };
    fields.extend(more);
    segment
}

/// A call that was transferred: two queues, two agents, a hold, three wrap-ups.
fn transferred() -> Value {
    json!({
        "conversationId": "c-1",
        "conversationStart": "2024-03-05T10:00:00.250Z",
        "conversationEnd": "2024-03-05T10:09:00.750Z",
        "originatingDirection": "outbound",
        "externalTag": "crm-7",
        "participants": [
            {"participantId": "p0", "purpose": "customer",
             "attributes": {"Ref": "A", "Flow": "f"},
             "sessions": [
                 {"mediaType": "callback", "sessionId": "s-cb", "ani": "tel:+1999"},
                 {"mediaType": "voice", "sessionId": "s-c", "ani": "tel:+15550100", "dnis": "tel:+15550199"}]},
            {"participantId": "p1", "purpose": "acd", "sessions": [
                {"mediaType": "voice", "sessionId": "s-q", "segments": [
                    segment("interact", "00:01", "00:30", json!({"queueId": "q-1", "requestedRoutingSkillIds": ["sk-1", "sk-2"]}))]}]},
            {"participantId": "p2", "purpose": "agent", "userId": "u-2", "attributes": {"Ref": "B"}, "sessions": [
                {"mediaType": "voice", "sessionId": "s-2", "segments": [
                    segment("alert", "05:00", "05:05", json!({"queueId": "q-2"})),
                    segment("interact", "05:05", "08:00", json!({"queueId": "q-2"})),
                    segment("wrapup", "08:00", "09:00", json!({"wrapUpCode": "w-1"}))]}]},
            {"participantId": "p3", "purpose": "user", "userId": "u-1", "sessions": [
                {"mediaType": "voice", "sessionId": "s-1", "segments": [
                    segment("interact", "00:30", "02:00", json!({"queueId": "q-1"})),
                    segment("hold", "02:00", "03:00", json!({})),
                    segment("interact", "03:00", "05:00", json!({})),
                    segment("wrapup", "05:00", "05:30", json!({"wrapUpCode": "w-1"})),
                    segment("wrapup", "05:30", "05:40", json!({"wrapUpCode": "w-2"}))]},
                {"mediaType": "voice", "sessionId": "s-never", "segments": [
                    segment("alert", "00:20", "00:25", json!({}))]}]}
        ]
    })
}

fn entity(conversation: &Value, recordings: &[&str], protected: bool) -> String {
    let entity = json!({
        "conversation": conversation, "recordings": recordings, "deletionProtected": protected,
    });
    entity.to_string()
}

fn record(conversation: &Value, protected: bool, recordings: &[Value]) -> Canonical {
    let ids: Vec<&str> = recordings
        .iter()
        .map(|one| one["id"].as_str().expect("an id"))
        .collect();
    let listed = Listed::read(&entity(conversation, &ids, protected)).expect("an entity");
    let recordings: Vec<Recording> = recordings
        .iter()
        .map(|one| serde_json::from_value(one.clone()).expect("a recording"))
        .collect();
    normalise(&listed, &recordings, &TimeRules::default()).expect("a record")
}

#[test]
fn a_transferred_call_has_its_legs_in_time_and_names_what_there_is_more_of() {
    let call = record(&transferred(), false, &[]);
    let legs: Vec<(&str, &str, String, String)> = call
        .segments
        .iter()
        .map(|leg| {
            let agent = leg.agent_legacy_id.as_deref().expect("an agent");
            let clock = |at: jiff::Timestamp| at.strftime("%M:%S").to_string();
            (
                &*leg.legacy_segment_id,
                agent,
                clock(leg.start),
                clock(leg.end),
            )
        })
        .collect();
    let clock = str::to_owned;
    assert_eq!(
        legs,
        [
            ("s-1", "u-1", clock("00:30"), clock("05:00")),
            ("s-2", "u-2", clock("05:05"), clock("08:00")),
        ]
    );
    assert_eq!(call.agent_legacy_id.as_deref(), Some("u-1"));
    assert_eq!(call.caller_number.as_deref(), Some("+15550100"));
    assert_eq!(call.dialled_number.as_deref(), Some("+15550199"));
    assert_eq!(call.customer_phone, call.dialled_number, "it is outbound");
    assert_eq!(call.queue_legacy_id.as_deref(), Some("q-1"));
    assert_eq!(call.skill_legacy.as_deref(), Some("sk-1"));
    assert_eq!(call.wrap_up_code.as_deref(), Some("w-1"), "the last word");
    let attributes: Vec<(&str, &str)> = call
        .attributes
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    assert_eq!(
        attributes,
        [
            ("external_tag", "crm-7"),
            ("participant.Flow", "f"),
            ("participant.Ref", "A"),
            ("queues", "q-1;q-2"),
            ("skills", "sk-1;sk-2"),
            ("wrap_ups", "w-2;w-1"),
        ]
    );
    assert_eq!(call.raw_start, "2024-03-05T10:00:00.250Z");
    assert_eq!(call.duration_ms, 540_500);
}

#[test]
fn a_recording_has_its_leg_its_date_its_hold_and_its_pauses() {
    let pause = |reason: Value, location: Value| json!({"type": "Pause", "reason": reason, "location": location, "durationMs": 400});
    let body = json!({
        "id": "r-1", "conversationId": "c-1", "sessionId": "s-2", "media": "audio",
        "fileState": "AVAILABLE", "startTime": "2024-03-05T10:05:05.000Z",
        "endTime": "2024-03-05T10:08:00Z", "deleteDate": "2031-03-05T10:09:00.000Z",
        "annotations": [
            pause(json!("SecurePause"), json!(1500)),
            pause(json!("Hold"), json!(9000)),
            pause(Value::Null, json!(20_000)),
            {"type": "comment", "location": 5},
        ],
    });
    let call = record(&transferred(), true, std::slice::from_ref(&body));
    let one = &call.recordings[0];
    assert_eq!(one.legacy_segment_id.as_deref(), Some("s-2"));
    assert_eq!(one.pauses_ms, [(1500, 1900), (20_000, 20_400)]);
    assert!(one.pauses_whole && one.time_usable && one.legal_hold);
    assert_eq!(
        one.delete_at.map(|at| at.to_string()).as_deref(),
        Some("2031-03-05T10:09:00Z")
    );
    let altered = |field: &str, value: Value| {
        let mut body = body.clone();
        body[field] = value;
        record(&transferred(), false, &[body]).recordings.remove(0)
    };
    assert_eq!(
        altered("sessionId", json!("s-c")).legacy_segment_id,
        None,
        "the trunk's is no agent's"
    );
    assert!(!altered("startTime", Value::Null).time_usable);
    assert!(!altered("deleteDate", json!("some day")).time_usable);
    let endless = json!([{"type": "pause", "reason": "SecurePause", "location": 5}]);
    assert!(!altered("annotations", endless).pauses_whole);
    assert!(altered("annotations", Value::Null).pauses_ms.is_empty());
}

#[test]
fn a_call_without_an_end_or_a_start_has_no_usable_time() {
    for field in ["conversationStart", "conversationEnd"] {
        for value in [
            Value::Null,
            json!("yesterday"),
            json!("1066-10-14T09:00:00Z"),
        ] {
            let mut conversation = transferred();
            conversation[field] = value.clone();
            let read = FORMAT.listed(&entity(&conversation, &[], false), &TimeRules::default());
            assert_eq!(read.err(), Some(NoRecord::TimeUnusable), "{field} {value}");
        }
    }
}

#[test]
fn what_cannot_be_read_says_why_and_quotes_nothing() {
    let mut conversation = transferred();
    conversation["participants"] = json!("secret");
    let why = FORMAT.unreadable(&entity(&conversation, &[], false));
    assert!(
        why.as_ref().is_some_and(|why| !why.contains("secret")),
        "{why:?}"
    );
    let unlisted = json!({
        "conversation": transferred(), "recordings": null, "deletionProtected": false,
        "unlisted": "GET x is refused: 404",
    });
    let why = FORMAT.unreadable(&unlisted.to_string());
    assert!(
        why.as_ref().is_some_and(|why| why.contains("404")),
        "{why:?}"
    );
    assert_eq!(FORMAT.unreadable(&entity(&transferred(), &[], false)), None);
}

#[test]
fn a_state_of_the_file_decides_whether_it_goes() {
    let state = |body: Value| available(&body.to_string(), "r").map_err(|aside| aside.reason);
    for (body, reason) in [
        (json!({"id": "r", "fileState": "AVAILABLE"}), None),
        (json!({"id": "r", "fileState": "restored"}), None),
        (json!({"id": "r"}), None),
        (
            json!({"id": "r", "fileState": "DELETED"}),
            Some(Reason::SourceDeleted),
        ),
        (
            json!({"id": "r", "fileState": "ARCHIVED"}),
            Some(Reason::SourceNotAvailable),
        ),
        (
            json!({"id": "r", "archiveMedium": "CLOUDARCHIVE"}),
            Some(Reason::SourceNotAvailable),
        ),
        (
            json!({"id": "r", "fileState": "UPLOADING"}),
            Some(Reason::SourceNotAvailable),
        ),
        (
            json!({"fileState": "AVAILABLE"}),
            Some(Reason::SourceUnreadable),
        ),
    ] {
        assert_eq!(state(body.clone()).err(), reason, "{body}");
    }
}

#[test]
fn only_audio_is_listed_and_each_once() {
    let raw =
        |value: Value| serde_json::value::RawValue::from_string(value.to_string()).expect("JSON");
    let listed = [
        json!({"id": "a", "media": "audio"}),
        json!({"id": "b", "media": "screen"}),
        json!({"id": "c"}),
        json!({"id": "a"}),
    ];
    assert_eq!(
        audio_of(&listed.map(raw)),
        Ok(vec!["a".to_owned(), "c".to_owned()])
    );
    assert!(audio_of(&[raw(json!({"media": "audio"}))]).is_err());
}
