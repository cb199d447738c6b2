//! A recording of RWS to what is compared. Source: docs/reference/gir.md, "One call, one
//! recording".

use std::collections::{BTreeMap, BTreeSet};

use platforms::gir::wire::{Contact, Event, Mask, MediaFile, Recording};
use serde_json::Value;

use super::{CallFacts, MediaFacts};
use crate::expected::digits;
use crate::observed::{
    Field, PauseInstants, Recordings, TargetConversation, TargetLeg, TargetRecording, TimeReading,
    pause_offsets,
};
use crate::platform_facts::PlatformFacts;
use crate::text::Text;

/// What stands where the source has no number, or no direction.
const UNKNOWN: &str = "Unknown";

pub(super) fn call(wire: Recording, legacy_id: Option<Text>) -> TargetConversation {
    let mut told = BTreeSet::new();
    let customer = Customer::of(&wire.event_history);
    let mut attributes = data(&wire.event_history);
    let mut id_of = |name: &str| {
        let id = attributes.remove(name).map(Text::from);
        id.into_iter().collect::<Vec<Text>>()
    };
    let (queues, skills, wrap_ups) = (id_of("st.queue"), id_of("st.skill"), id_of("st.wrap_up"));
    let legs = legs(&wire.event_history, &mut told);
    let anis = number(
        wire.caller_phone_number.as_deref(),
        Field::Caller,
        &mut told,
    );
    let dnises = number(
        wire.dialed_phone_number.as_deref(),
        Field::Dialled,
        &mut told,
    );
    let mut recordings: Vec<TargetRecording> = Vec::new();
    for (place, file) in wire.media_files.into_iter().enumerate() {
        let mut recording = media(&wire.id, place, file, &mut told);
        let copies = recordings
            .iter()
            .filter(|other| other.id.split('#').next() == Some(recording.id.as_str()))
            .count();
        if copies > 0 {
            recording.id = format!("{}#{}", recording.id, copies + 1).into();
        }
        recordings.push(recording);
    }
    recordings.sort_by_key(|recording| (recording.start.instant(), recording.id.clone()));
    let facts = CallFacts {
        region: wire.region,
        labels: wire.labels.into_iter().map(|label| label.name).collect(),
        customer_numbers: customer.numbers,
        told,
        ..CallFacts::default()
    };
    TargetConversation {
        id: wire.id.into(),
        legacy_id,
        start: customer.start,
        end: customer.end,
        direction: wire
            .call_type
            .filter(|kind| kind != UNKNOWN)
            .map(|kind| kind.to_lowercase().into()),
        legs,
        customers: customer.count,
        anis,
        dnises,
        queues,
        skills: Some(skills),
        wrap_ups,
        attributes: attributes
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
        protected: Some(wire.non_delete.unwrap_or(false)),
        recordings: Recordings::Read(recordings),
        withheld: BTreeSet::new(),
        platform: PlatformFacts::of(facts),
    }
}

/// A value that an account is shown: neither left out nor starred as a whole.
fn shown(value: Option<&str>) -> Option<&str> {
    value.filter(|value| !value.is_empty() && !value.bytes().all(|byte| byte == b'*'))
}

fn number(value: Option<&str>, field: Field, told: &mut BTreeSet<Field>) -> Vec<Text> {
    let Some(value) = shown(value) else {
        return Vec::new();
    };
    told.insert(field);
    if value.eq_ignore_ascii_case(UNKNOWN) {
        Vec::new()
    } else {
        vec![digits(value).into()]
    }
}

fn is(contact: &Contact, kind: &str) -> bool {
    contact.kind.as_deref() == Some(kind)
}

/// The customer's contact, who says when the call began and ended.
#[derive(Default)]
struct Customer {
    count: usize,
    start: TimeReading,
    end: TimeReading,
    numbers: Vec<String>,
}

impl Customer {
    fn of(events: &[Event]) -> Customer {
        let mut customer = Customer::default();
        for event in events {
            let Some(contact) = event
                .contact
                .as_ref()
                .filter(|contact| is(contact, "External"))
            else {
                continue;
            };
            let at = TimeReading::of(event.occurred_at.as_deref());
            match event.event.as_deref() {
                Some("Joined") => {
                    customer.count += 1;
                    if customer.start == TimeReading::Absent {
                        customer.start = at;
                    }
                }
                Some("Left") => customer.end = at,
                _ => continue,
            }
            let number = shown(contact.phone_number.as_deref())
                .filter(|number| !number.eq_ignore_ascii_case(UNKNOWN));
            if let Some(number) = number
                .map(digits)
                .filter(|number| !customer.numbers.contains(number))
            {
                customer.numbers.push(number);
            }
        }
        customer
    }
}

/// A user's Joined and the next Left of the same user are a leg; one without the other is a leg
/// with an end missing. By start.
fn legs(events: &[Event], told: &mut BTreeSet<Field>) -> Vec<TargetLeg> {
    let mut legs: Vec<TargetLeg> = Vec::new();
    for event in events {
        let Some(contact) = event.contact.as_ref().filter(|contact| is(contact, "User")) else {
            continue;
        };
        let user = shown(contact.user_name.as_deref()).map(Text::from);
        let number = shown(contact.phone_number.as_deref()).map(Text::from);
        told.extend(user.is_some().then_some(Field::User));
        told.extend(number.is_some().then_some(Field::UserNumber));
        let at = TimeReading::of(event.occurred_at.as_deref());
        let blank = TargetLeg {
            user: user.clone(),
            number,
            ..TargetLeg::default()
        };
        let half = |leg: &&mut TargetLeg, has_start: bool| {
            leg.user == user
                && (leg.start != TimeReading::Absent) == has_start
                && (leg.end != TimeReading::Absent) != has_start
        };
        match event.event.as_deref() {
            Some("Joined") => match legs.iter_mut().find(|leg| half(leg, false)) {
                Some(leg) => leg.start = at,
                None => legs.push(TargetLeg { start: at, ..blank }),
            },
            Some("Left") => match legs.iter_mut().find(|leg| half(leg, true)) {
                Some(leg) => leg.end = at,
                None => legs.push(TargetLeg { end: at, ..blank }),
            },
            _ => {}
        }
    }
    legs.sort_by_key(|leg| leg.start.instant());
    legs
}

/// What Data events leave: each adds and updates, and takes away what it says is deleted.
fn data(events: &[Event]) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for data in events.iter().filter_map(|event| event.data.as_ref()) {
        for (name, value) in ["added", "updated"]
            .into_iter()
            .filter_map(|part| data[part].as_object())
            .flatten()
        {
            match value {
                Value::String(text) => _ = texts.insert(name.clone(), text.clone()),
                Value::Null => {}
                other => _ = texts.insert(name.clone(), other.to_string()),
            }
        }
        for name in data["deleted"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
        {
            texts.remove(name);
        }
    }
    texts
}

fn media(call: &str, place: usize, file: MediaFile, told: &mut BTreeSet<Field>) -> TargetRecording {
    let path = file.path().map(str::to_owned);
    let start = TimeReading::of(file.start_time.as_deref());
    let masks = masks(&file.masks);
    let parameters = file.parameters;
    let mut text = |value: Option<String>, field: Field| {
        let value = shown(value.as_deref()).map(str::to_owned);
        told.extend(value.is_some().then_some(field));
        value
    };
    let facts = MediaFacts {
        username: text(parameters.username, Field::RecordingUser),
        login: text(parameters.agent_id, Field::RecordingLogin),
        ani: text(parameters.ani, Field::RecordingCaller).map(|number| digits(&number)),
        dnis: text(parameters.dnis, Field::RecordingDialled).map(|number| digits(&number)),
        access_groups: file.access_groups,
        partitions: file.partitions,
        mime: file.mime,
        declared_ms: file.duration,
        declared_bytes: file.size,
        path,
        pkcs7: file.pkcs7,
        certificates: file.cert_alias,
        ..MediaFacts::default()
    };
    TargetRecording {
        id: file
            .media_id
            .unwrap_or_else(|| format!("media file {}", place + 1))
            .into(),
        conversation_id: call.into(),
        end: TimeReading::of(file.stop_time.as_deref()),
        pauses: pause_offsets(&masks, &start),
        pause_instants: masks,
        start,
        platform: PlatformFacts::of(facts),
        ..TargetRecording::default()
    }
}

/// `paused` and the next `resume` are a pause; one without the other is one with an end missing.
fn masks(masks: &[Mask]) -> Vec<PauseInstants> {
    let mut spans: Vec<PauseInstants> = Vec::new();
    for mask in masks {
        let at = match TimeReading::of(Some(&mask.time)) {
            TimeReading::Absent => TimeReading::Damaged(Text::default()),
            at => at,
        };
        let open = spans
            .last_mut()
            .filter(|span| span.end == TimeReading::Absent);
        match (mask.kind.as_str(), open) {
            ("resume", Some(span)) => span.end = at,
            ("resume", None) => spans.push(PauseInstants {
                end: at,
                ..PauseInstants::default()
            }),
            _ => spans.push(PauseInstants {
                start: at,
                ..PauseInstants::default()
            }),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::observed::MarkedPause;

    fn read(value: Value) -> TargetConversation {
        call(
            serde_json::from_value(value).expect("a recording"),
            Some("7".into()),
        )
    }

    fn user(event: &str, at: &str, name: &str) -> Value {
        json!({"occurredAt":at,"event":event,"contact":{"type":"User","userName":name,"phoneNumber":"7001"}})
    }

    fn external(event: &str, at: &str) -> Value {
        json!({"occurredAt":at,"event":event,"contact":{"type":"External","phoneNumber":"+15550100199"}})
    }

    #[test]
    fn a_recording_is_a_call_with_legs_data_and_media() {
        let call = read(
            json!({"id":"st-acme-7","callerPhoneNumber":"+1 555 0100199","dialedPhoneNumber":"Unknown","region":"west","callType":"Inbound",
            "eventHistory":[external("Joined", "2023-10-27T10:00:00.000+0000"), user("Joined", "2023-10-27T10:00:12.000+0000", "ann"),
                user("Left", "2023-10-27T10:02:00.000+0000", "ann"), user("Joined", "2023-10-27T10:02:00.000+0000", "bob"),
                {"occurredAt":"2023-10-27T10:00:00.000+0000","event":"Data","eventId":"e","data":{"added":{"st.queue":"q","st.wait_ms":12000,"x":"y"},"updated":{"x":"z"}}},
                user("Left", "2023-10-27T10:05:00.000+0000", "bob"), external("Left", "2023-10-27T10:05:00.000+0000")],
            "mediaFiles":[{"mediaId":"m","startTime":"2023-10-27T10:00:12.000+0000","stopTime":"2023-10-27T10:02:00.000+0000","size":"7",
                "masks":[{"time":"2023-10-27T10:01:00.000+0000","type":"paused"},{"time":"2023-10-27T10:01:10.000+0000","type":"resume"}],
                "parameters":{"username":"ann","agentId":"7001"},"accessgroups":["/a"],"originalMediaDescriptor":{"storage":"webDAV","path":"http://s/m"}},
                {"mediaId":"m","startTime":"2023-10-27T10:02:00.000+0000"}],
            "labels":[{"name":"st-batch-acme"}],"nonDelete":true}),
        );
        assert_eq!(
            call.start.instant().map(|at| at.to_string()).as_deref(),
            Some("2023-10-27T10:00:00.000Z")
        );
        assert_eq!(
            call.end.instant().map(|at| at.to_string()).as_deref(),
            Some("2023-10-27T10:05:00.000Z")
        );
        assert_eq!(
            (call.anis, call.dnises, call.customers),
            (vec!["+15550100199".into()], vec![], 1)
        );
        let users: Vec<_> = call
            .legs
            .iter()
            .map(|leg| leg.user.as_deref().unwrap_or_default())
            .collect();
        assert_eq!(
            (users, call.legs[0].number.as_deref()),
            (vec!["ann", "bob"], Some("7001"))
        );
        assert_eq!(
            (call.queues, call.direction, call.protected),
            (vec!["q".into()], Some("inbound".into()), Some(true))
        );
        assert_eq!(
            (
                call.attributes["st.wait_ms"].as_str(),
                call.attributes["x"].as_str()
            ),
            ("12000", "z")
        );
        let Recordings::Read(recordings) = call.recordings else {
            panic!("read")
        };
        assert_eq!(
            recordings
                .iter()
                .map(|recording| recording.id.as_str())
                .collect::<Vec<_>>(),
            ["m", "m#2"]
        );
        assert_eq!(
            recordings[0].pauses,
            [MarkedPause {
                location_ms: 48_000,
                length_ms: 10_000,
                reason: None
            }]
        );
        let facts = call.platform.get::<CallFacts>().expect("facts");
        assert!(
            facts.told.contains(&Field::User)
                && facts.told.contains(&Field::Dialled)
                && !facts.told.contains(&Field::RecordingCaller)
        );
    }

    #[test]
    fn a_leg_whose_ends_are_reversed_or_lost_is_still_one_leg() {
        let rows = [
            (
                vec![
                    user("Left", "2023-10-27T10:00:00Z", "ann"),
                    user("Joined", "2023-10-27T10:01:00Z", "ann"),
                ],
                1,
                true,
            ),
            (
                vec![user("Joined", "2023-10-27T10:00:00Z", "ann")],
                1,
                false,
            ),
            (
                vec![
                    user("Left", "2023-10-27T10:00:00Z", "ann"),
                    user("Joined", "2023-10-27T10:00:00Z", "bob"),
                ],
                2,
                false,
            ),
        ];
        for (events, count, whole) in rows {
            let call = read(json!({"id":"c","eventHistory":events}));
            assert_eq!(call.legs.len(), count);
            assert_eq!(
                call.legs[0].start.instant().is_some() && call.legs[0].end.instant().is_some(),
                whole
            );
        }
    }

    #[test]
    fn marks_without_their_other_half_have_no_length() {
        let paused = || json!({"time":"2023-10-27T10:00:05Z","type":"paused"});
        let resume = |time: &str| json!({"time":time,"type":"resume"});
        let rows = [
            (vec![paused()], vec![-1]),
            (vec![resume("2023-10-27T10:00:05Z")], vec![-1]),
            (vec![paused(), paused()], vec![-1, -1]),
            (
                vec![paused(), resume("2013-10-27T10:00:05Z")],
                vec![-315_532_800_000],
            ),
            (vec![paused(), resume("soon")], vec![-1]),
            (vec![paused(), resume("2023-10-27T10:00:06Z")], vec![1000]),
        ];
        for (masks, lengths) in rows {
            let call = read(
                json!({"id":"c","mediaFiles":[{"mediaId":"m","startTime":"2023-10-27T10:00:00Z","masks":masks}]}),
            );
            assert_eq!(
                call.read_recordings()[0]
                    .pauses
                    .iter()
                    .map(|pause| pause.length_ms)
                    .collect::<Vec<_>>(),
                lengths
            );
        }
    }
}
