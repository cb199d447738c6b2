//! Each field rule of the insertion document: a request that passes and one that is refused.

use super::*;
use crate::platforms::gir::Zoneless;

/// What a row puts in place of a field.
#[derive(Clone, Debug)]
enum Put {
    Is(Value),
    Gone,
}

use Put::{Gone, Is};

/// A recording with every field of the document.
fn whole() -> Value {
    let mut recording = sample();
    let file = &mut recording["mediaFiles"][0];
    for (name, value) in [
        ("tenant", json!("Environment")),
        ("ivrprofile", json!("CallRecProfile")),
        (
            "pkcs7",
            json!("-----BEGIN PKCS7-----\nAA==\n-----END PKCS7-----\n"),
        ),
        ("certAlias", json!(["rcs_Environment:1:CN=gir_qa:10"])),
        ("partitions", json!(["/sales", "/support"])),
        ("accessgroups", json!(["/Anthony"])),
    ] {
        file[name] = value;
    }
    file["parameters"] = json!({"username": "bob", "agentId": "1001", "recordDN": "7001", "dnis": "+14161111111", "ani": "+14160000000",
        "callUuid": "123123", "id": "123123", "connId": "006a0269722cd93f"});
    file["mediaDescriptor"]["storage_version"] = json!("1");
    let left = json!({"occurredAt": "2015-06-15T23:59:59.000+0000", "calluuid": "234222", "event": "Left",
        "contact": {"type": "External", "phoneNumber": "+14160000000"}});
    recording["eventHistory"]
        .as_array_mut()
        .expect("events")
        .push(left);
    recording
}

/// The whole recording with one field changed.
fn with(pointer: &str, put: &Put) -> Value {
    let mut recording = whole();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let parent = recording
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("{pointer}"))
        .as_object_mut()
        .expect("an object");
    match put {
        Is(value) => parent.insert(name.to_owned(), value.clone()),
        Gone => parent.remove(name),
    };
    recording
}

/// `/mediaFiles/0/callUUID` as the platform names it: `mediaFiles[0].callUUID`.
fn named_as(pointer: &str) -> String {
    let mut path = String::new();
    for step in pointer.split('/').skip(1) {
        match step.parse::<usize>() {
            Ok(place) => path.push_str(&format!("[{place}]")),
            Err(_) if path.is_empty() => path.push_str(step),
            Err(_) => path.push_str(&format!(".{step}")),
        }
    }
    path
}

/// One row: the field, what passes, what is refused, the code, the reason (empty: it is missing).
fn rows() -> Vec<(&'static str, Put, Put, u64, &'static str)> {
    const NOT_ISO: &str = "it must be an ISO time such as 2013-05-17T11:45:32.000-0800";
    const CALL_TYPE: &str = "it must be Internal, Inbound, Outbound, Consult, Unknown";
    const TEXT: &str = "it must be a text";
    const TEXTS: &str = "it must be a list of texts";
    let is = |value: Value| Is(value);
    let time = || is(json!("2013-05-17T11:45:32.000-0800"));
    let mut rows = vec![
        ("/id", is(json!("another-id")), Gone, 1, ""),
        ("/callerPhoneNumber", is(json!("8522001")), Gone, 1, ""),
        ("/dialedPhoneNumber", is(json!("x@y")), is(json!("")), 1, ""),
        ("/region", is(json!("Can-West")), is(Value::Null), 1, ""),
        (
            "/mediaFiles",
            is(json!([whole()["mediaFiles"][1]])),
            is(json!([])),
            1,
            "",
        ),
        (
            "/mediaFiles",
            is(json!([whole()["mediaFiles"][0]])),
            Gone,
            1,
            "",
        ),
        (
            "/mediaFiles",
            is(whole()["mediaFiles"].clone()),
            is(json!({})),
            2,
            "it must be a list of objects",
        ),
        (
            "/eventHistory",
            Gone,
            is(json!("none")),
            2,
            "it must be a list of objects",
        ),
        (
            "/eventHistory",
            is(json!([])),
            is(json!({})),
            2,
            "it must be a list of objects",
        ),
        ("/callType", Gone, is(json!("inbound")), 2, CALL_TYPE),
        (
            "/callType",
            is(json!("Unknown")),
            is(json!("NotSet")),
            2,
            CALL_TYPE,
        ),
        ("/callType", is(Value::Null), is(json!("")), 2, CALL_TYPE),
        ("/id", is(json!("x")), is(json!(17)), 2, TEXT),
        (
            "/mediaFiles/0/callUUID",
            is(json!("011AP643CSAPR4FKQGQE31TAES00029V")),
            Gone,
            1,
            "",
        ),
        ("/mediaFiles/0/startTime", time(), Gone, 1, ""),
        ("/mediaFiles/0/stopTime", time(), Gone, 1, ""),
        (
            "/mediaFiles/0/startTime",
            is(json!("2014-12-03T18:31:26Z")),
            is(json!("2014-12-03 18:31:26")),
            2,
            NOT_ISO,
        ),
        (
            "/mediaFiles/0/stopTime",
            is(json!("2001-01-01T00:00:00Z")),
            is(json!("1434412740000")),
            2,
            NOT_ISO,
        ),
        (
            "/mediaFiles/0/stopTime",
            is(json!("2015-06-15T23:59:00.000")),
            is(json!(1_434_412_740_000_u64)),
            2,
            TEXT,
        ),
        (
            "/mediaFiles/0/parameters",
            Gone,
            is(json!("none")),
            2,
            "it must be an object",
        ),
        (
            "/mediaFiles/0/parameters",
            is(json!({})),
            is(json!([1])),
            2,
            "it must be an object",
        ),
        (
            "/mediaFiles/0/parameters",
            is(json!({"connId": 1, "x": null})),
            is(json!(1)),
            2,
            "it must be an object",
        ),
        (
            "/mediaFiles/0/masks",
            Gone,
            is(json!("none")),
            2,
            "it must be a list of objects",
        ),
        (
            "/mediaFiles/0/masks/0/time",
            is(json!("2015-06-15T23:59:10.034Z")),
            Gone,
            1,
            "",
        ),
        (
            "/mediaFiles/0/masks/0/time",
            time(),
            is(json!("10 s")),
            2,
            NOT_ISO,
        ),
        (
            "/mediaFiles/0/masks/0/type",
            is(json!("resume")),
            Gone,
            1,
            "",
        ),
        (
            "/mediaFiles/0/masks/0/type",
            is(json!("paused")),
            is(json!("resumed")),
            2,
            "it must be paused, resume",
        ),
        (
            "/mediaFiles/0/mediaDescriptor",
            is(whole()["mediaFiles"][1]["mediaDescriptor"].clone()),
            Gone,
            1,
            "",
        ),
        (
            "/mediaFiles/0/mediaDescriptor/storage",
            is(json!("webDAV")),
            Gone,
            1,
            "",
        ),
        (
            "/mediaFiles/0/mediaDescriptor/storage",
            is(json!("webDAV")),
            is(json!("webdav")),
            2,
            "it must be webDAV",
        ),
        (
            "/mediaFiles/0/mediaDescriptor/storage",
            is(json!("webDAV")),
            is(json!("awsS3")),
            2,
            "it must be webDAV",
        ),
        (
            "/mediaFiles/0/mediaDescriptor/storage_version",
            Gone,
            is(json!(1)),
            2,
            TEXT,
        ),
        (
            "/mediaFiles/0/mediaDescriptor/path",
            is(json!("no address")),
            Gone,
            1,
            "",
        ),
        ("/eventHistory/0/occurredAt", time(), Gone, 1, ""),
        (
            "/eventHistory/0/occurredAt",
            time(),
            is(json!("yesterday")),
            2,
            NOT_ISO,
        ),
        ("/eventHistory/0/event", is(json!("Data")), Gone, 1, ""),
        (
            "/eventHistory/0/event",
            is(json!("Data")),
            is(json!("data")),
            2,
            "it must be Left, Joined, Data",
        ),
        ("/eventHistory/0/calluuid", Gone, is(json!({})), 2, TEXT),
        (
            "/eventHistory/0/eventId",
            is(json!("2015-09-10 13:31:00.887_X")),
            Gone,
            1,
            "",
        ),
        (
            "/eventHistory/0/data",
            is(json!({"anything": [null, 1, {"x": ""}]})),
            Gone,
            1,
            "",
        ),
        (
            "/eventHistory/0/data",
            is(json!({"deleted": {"drink": "cola"}})),
            is(json!("cola")),
            2,
            "it must be an object",
        ),
        (
            "/eventHistory/1/contact",
            is(json!({"type": "External", "phoneNumber": "1"})),
            Gone,
            1,
            "",
        ),
        (
            "/eventHistory/2/contact",
            is(json!({"type": "External", "phoneNumber": "1"})),
            Gone,
            1,
            "",
        ),
        (
            "/eventHistory/1/contact/type",
            is(json!("External")),
            Gone,
            1,
            "",
        ),
        (
            "/eventHistory/1/contact/type",
            is(json!("User")),
            is(json!("Agent")),
            2,
            "it must be User, External",
        ),
        (
            "/eventHistory/1/contact/phoneNumber",
            is(json!("7001")),
            Gone,
            1,
            "",
        ),
        (
            "/eventHistory/1/contact/userName",
            is(json!("bob")),
            Gone,
            1,
            "",
        ),
        (
            "/eventHistory/2/contact/userName",
            Gone,
            is(json!(1)),
            2,
            TEXT,
        ),
        (
            "/eventHistory/1/contact/firstName",
            Gone,
            is(json!(1)),
            2,
            TEXT,
        ),
        (
            "/eventHistory/1/contact/lastName",
            Gone,
            is(json!(["a"])),
            2,
            TEXT,
        ),
    ];
    for (pointer, passes) in [
        ("/mediaFiles/0/mediaId", json!("123123-FFAB-ABAC")),
        ("/mediaFiles/0/type", json!("audio/mpeg3")),
        ("/mediaFiles/0/duration", json!("38.376")),
        ("/mediaFiles/0/size", json!("many")),
        ("/mediaFiles/0/tenant", json!("Environment")),
        ("/mediaFiles/0/ivrprofile", json!("x")),
        ("/mediaFiles/0/pkcs7", json!("not an envelope")),
        ("/mediaFiles/0/parameters/username", json!("bob")),
        ("/mediaFiles/0/parameters/agentId", json!("1001")),
        ("/mediaFiles/0/parameters/recordDN", json!("7001")),
        ("/mediaFiles/0/parameters/dnis", json!("1")),
        ("/mediaFiles/0/parameters/ani", json!("1")),
        ("/mediaFiles/0/parameters/callUuid", json!("another")),
        ("/mediaFiles/0/parameters/id", json!("another")),
    ] {
        rows.push((pointer, is(passes), is(json!(17)), 2, TEXT));
        rows.push((pointer, Gone, is(json!(["x"])), 2, TEXT));
    }
    for pointer in [
        "/mediaFiles/0/certAlias",
        "/mediaFiles/0/partitions",
        "/mediaFiles/0/accessgroups",
    ] {
        rows.push((pointer, is(json!(["/"])), is(json!("/")), 2, TEXTS));
        rows.push((pointer, Gone, is(json!([1])), 2, TEXTS));
    }
    rows
}

#[tokio::test]
async fn each_field_rule_lets_one_pass_and_refuses_another() {
    let world = World::new().await;
    for (pointer, passes, refused, code, why) in rows() {
        let answer = world.insert(&with(pointer, &passes)).await;
        assert_eq!(
            (answer.status, answer.code()),
            (200, 0),
            "{pointer} {passes:?}: {}",
            answer.words()
        );
        let before = world.truth();
        let answer = world.insert(&with(pointer, &refused)).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, code),
            "{pointer} {refused:?}: {}",
            answer.words()
        );
        let path = named_as(pointer);
        let words = if why.is_empty() {
            format!("Parameter '{path}' is missing")
        } else {
            format!("Parameter '{path}' is invalid: {why}")
        };
        assert_eq!(answer.words(), words, "{pointer}");
        assert_eq!(world.truth(), before, "a refused request changes nothing");
    }
}

#[tokio::test]
async fn every_field_is_read_back_as_it_was_sent() {
    let world = World::new().await;
    let sent = whole();
    assert_eq!(world.insert(&sent).await.status, 200);
    let read = world.read("alex-test-id").await.body["recording"].take();
    let file = &read["mediaFiles"][0];
    for (name, value) in sent["mediaFiles"][0].as_object().expect("a file") {
        match name.as_str() {
            "mediaDescriptor" => assert_eq!(&file["originalMediaDescriptor"], value),
            "masks" => {
                let wanted = json!([{"time": "2015-06-15T23:59:10.034+0000", "type": "paused"},
                    {"time": "2013-06-15T23:59:20.034+0000", "type": "resume"}]);
                assert_eq!(
                    file["masks"], wanted,
                    "in the order and with the years they came in"
                );
            }
            _ => assert_eq!(&file[name], value, "{name}"),
        }
    }
    assert_eq!(read["eventHistory"], sent["eventHistory"]);
    assert_eq!(read["eventHistory"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn a_time_without_a_zone_is_what_the_settings_say() {
    let zoneless = with(
        "/mediaFiles/0/startTime",
        &Is(json!("2015-06-15T23:59:00.000")),
    );
    let world = World::new().await;
    assert_eq!(world.insert(&zoneless).await.status, 200);
    let read = world.read("alex-test-id").await;
    assert_eq!(
        read.body["recording"]["mediaFiles"][0]["startTime"],
        "2015-06-15T23:59:00.000+0000"
    );
    let world = World::with(Settings {
        zoneless: Zoneless::Refused,
        ..Settings::default()
    })
    .await;
    let answer = world.insert(&zoneless).await;
    assert_eq!(
        (answer.status, answer.code()),
        (400, 2),
        "{}",
        answer.words()
    );
}

#[tokio::test]
async fn unknown_keys_are_taken_and_only_those_of_parameters_are_kept() {
    let mut recording = whole();
    recording["ccid"] = json!("57c0b771");
    recording["mediaFiles"][0]["colour"] = json!("red");
    let world = World::new().await;
    assert_eq!(world.insert(&recording).await.status, 200);
    let read = world.read("alex-test-id").await.body["recording"].take();
    assert_eq!(
        (&read["ccid"], &read["mediaFiles"][0]["colour"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        read["mediaFiles"][0]["parameters"]["connId"],
        "006a0269722cd93f"
    );
}
