//! The document, field by field, and what in a source changes it.

use serde_json::{Value, json};

use super::testing::{call, document};

fn sent(call: &Value) -> Value {
    serde_json::to_value(document(call)).expect("a document")
}

#[test]
fn the_four_spellings_of_a_calls_uuid_have_one_value() {
    let sent = sent(&call());
    let file = &sent["mediaFiles"][0];
    let uuid = file["callUUID"].as_str().expect("a UUID");
    assert_eq!(file["parameters"]["callUuid"], uuid);
    assert!(
        sent["eventHistory"]
            .as_array()
            .expect("events")
            .iter()
            .all(|event| event["calluuid"] == uuid)
    );
    assert_eq!(uuid, uuid.to_uppercase());
}

#[test]
fn a_call_is_told_as_the_page_says() {
    let sent = sent(&call());
    let file = &sent["mediaFiles"][0];
    let uuid = &file["callUUID"];
    assert_eq!(
        sent["mediaFiles"].as_array().map(Vec::len),
        Some(1),
        "what stays behind is not told"
    );
    for (name, wanted) in [
        ("id", json!("st-acme-100001")),
        ("callerPhoneNumber", json!("+15550100199")),
        ("dialedPhoneNumber", json!("+18005550123")),
        ("region", json!("Can-West")),
        ("callType", json!("Inbound")),
    ] {
        assert_eq!(sent[name], wanted, "{name}");
    }
    assert_eq!(
        *file,
        json!({
            "callUUID": uuid, "startTime": "2023-10-27T10:00:12.000+0000", "stopTime": "2023-10-27T10:02:40.000+0000",
            "mediaId": "st-acme-100001-1", "type": "audio/mp3", "duration": "148000", "size": "592000",
            "parameters": {"username": "alice@example.com", "agentId": "L4711", "ani": "+15550100199", "dnis": "+18005550123",
                "callUuid": uuid, "id": "st-acme-100001-1"},
            "masks": [{"time": "2023-10-27T10:01:13.000+0000", "type": "paused"}, {"time": "2023-10-27T10:01:26.500+0000", "type": "resume"}],
            "partitions": ["/support"], "accessgroups": ["/Support/Alice"],
            "mediaDescriptor": {"storage": "webDAV", "path": "http://127.0.0.1:3/recordings/st-acme/2023-10-27/st-acme-100001-1.0123.mp3"},
        })
    );
}

#[test]
fn what_happened_is_told_in_its_order() {
    let sent = sent(&call());
    let events = sent["eventHistory"].as_array().expect("events");
    let shown: Vec<(&str, &str, &str)> = events
        .iter()
        .map(|event| {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let at = event["occurredAt"].as_str().map_or("", |at| &at[14..19]);
            let who = text(&event["contact"]["userName"])
                .or_else(|| text(&event["contact"]["type"]))
                .or_else(|| text(&event["eventId"]));
            (
                at,
                event["event"].as_str().unwrap_or_default(),
                who.map_or("", |who| who.leak()),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("00:00", "Data", "st-acme-100001-meta"),
            ("00:00", "Joined", "External"),
            ("00:12", "Joined", "alice@example.com"),
            ("02:40", "Left", "alice@example.com"),
            ("02:40", "Joined", "bob@example.com"),
            ("05:00", "Left", "bob@example.com"),
            ("05:00", "Left", "External"),
        ]
    );
    let added = &events[0]["data"]["added"];
    assert_eq!(added["st.queue"], "0a0b0000-0000-4000-8000-0000000000d1");
    assert_eq!(added["st.wrap_up"], "7f3c0000-0000-4000-8000-00000000a017");
    assert_eq!(
        (&added["st.wait_ms"], &added["st.raw_start"]),
        (&json!("12000"), &json!("1698400800000"))
    );
    assert!(added.get("st.skill").is_none(), "{added}");
    let contact = |at: usize| &events[at]["contact"];
    assert_eq!(
        *contact(2),
        json!({"type": "User", "phoneNumber": "L4711", "userName": "alice@example.com", "firstName": "Alice", "lastName": "van Berg"})
    );
    assert_eq!(contact(4)["lastName"], "-", "a name of one word");
}

#[test]
fn what_the_source_does_not_have_is_left_out_or_unknown() {
    let mut bare = call();
    for name in ["direction", "callerNumber", "queueId", "wrapUpCode"] {
        bare.as_object_mut().expect("a call").remove(name);
    }
    bare["segments"][0]
        .as_object_mut()
        .expect("a leg")
        .remove("agentId");
    let sent = sent(&bare);
    let file = &sent["mediaFiles"][0];
    assert_eq!(
        (&sent["callType"], &sent["callerPhoneNumber"]),
        (&json!("Unknown"), &json!("Unknown"))
    );
    for (object, name) in [
        (&file["parameters"], "username"),
        (&file["parameters"], "agentId"),
        (&file["parameters"], "ani"),
        (file, "accessgroups"),
        (file, "partitions"),
    ] {
        assert!(object.get(name).is_none(), "{name} in {object}");
    }
}

#[test]
fn an_agent_without_a_mapping_is_the_user_who_stands_in() {
    let mut unknown = call();
    unknown["segments"][0]["agentId"] = json!("A9");
    let file = &sent(&unknown)["mediaFiles"][0];
    assert_eq!(
        (&file["parameters"]["username"], &file["accessgroups"]),
        (&json!("unknown@example.com"), &json!(["/"]))
    );
}

#[test]
fn what_was_written_is_read_as_it_was_and_another_form_is_not() {
    use crate::target::gir::equivalence::{is_ours, matches};
    let wanted = document(&call());
    let mut there = wanted.clone();
    // As the service answers: the descriptor under its other name, times of another shape, what it
    // adds.
    let file = &mut there.media_files[0];
    file.original_media_descriptor = file.media_descriptor.take();
    file.media_uri = Some("http://127.0.0.1:2/play/1.mp3".to_owned());
    file.start_time = Some("2023-10-27T12:00:12+02:00".to_owned());
    there.start_time = Some("2023-10-27T10:00:12.000+0000".to_owned());
    there.non_delete = Some(true);
    assert!(matches(&there, &wanted));
    // Hidden by privacy settings.
    there.caller_phone_number = None;
    there.media_files[0].parameters.username = None;
    assert!(matches(&there, &wanted), "what is hidden is no difference");
    type Damage = fn(&mut platforms::gir::wire::Recording);
    let damages: [(&str, Damage); 6] = [
        ("a second media file", |r| {
            r.media_files.push(r.media_files[0].clone())
        }),
        ("an event twice", |r| {
            r.event_history.push(r.event_history[0].clone())
        }),
        ("another start", |r| {
            r.media_files[0].start_time = Some("2023-10-27T10:00:13.000+0000".to_owned())
        }),
        ("another agent", |r| {
            r.media_files[0].parameters.username = Some("bob@example.com".to_owned())
        }),
        ("no masks", |r| r.media_files[0].masks.clear()),
        ("another region", |r| r.region = Some("Can-East".to_owned())),
    ];
    for (name, damage) in damages {
        let mut other = wanted.clone();
        damage(&mut other);
        assert!(!matches(&other, &wanted), "{name}");
        assert!(is_ours(&other, &wanted), "{name}");
    }
    let mut native = wanted.clone();
    native.event_history.clear();
    assert!(
        !is_ours(&native, &wanted),
        "a native call's record under our id"
    );
}
