//! Events: what is refused, what is taken, and how the conversation reads.

use super::*;
use crate::platforms::genesys_cloud::ReusedEventId;

#[tokio::test]
async fn a_whole_conversation_is_injected_and_read_back() {
    let world = World::public(PublicSettings::default()).await;
    world.injected(1).await;
    let held = world
        .get(&format!("/api/v2/conversations/{}", conversation_id(1)))
        .await
        .json();
    assert_eq!(
        (&held["externalTag"], &held["startTime"], &held["endTime"]),
        (
            &json!("st:acme:1"),
            &json!("2023-07-27T10:00:00.001Z"),
            &json!("2023-07-27T10:05:00.001Z")
        )
    );
    let people = held["participants"].as_array().expect("participants");
    let purposes: Vec<&str> = people
        .iter()
        .filter_map(|one| one["purpose"].as_str())
        .collect();
    assert_eq!(purposes, ["customer", "ivr", "acd", "agent", "agent"]);
    let legs: Vec<&Value> = people.iter().map(|one| &one["calls"][0]["id"]).collect();
    assert_eq!(
        legs,
        (1..=5)
            .map(|which| json!(leg(1, which)))
            .collect::<Vec<_>>()
            .iter()
            .collect::<Vec<_>>()
    );
    assert_eq!(
        (&people[0]["ani"], &people[0]["dnis"]),
        (&json!("+15550100199"), &json!("+18005550123"))
    );
    assert_eq!(
        (
            &people[2]["queueId"],
            &people[3]["userId"],
            &people[4]["userId"]
        ),
        (&json!(QUEUE), &json!(JOHN), &json!(JANE))
    );
    assert_eq!(
        (&people[4]["wrapup"]["code"], &people[4]["wrapup"]["notes"]),
        (&json!(WRAPUP), &json!("RESOLVED"))
    );
    assert_eq!(
        (
            &people[3]["calls"][0]["disconnectType"],
            &people[0]["calls"][0]["disconnectType"]
        ),
        (&json!("transfer"), &json!("client"))
    );
    let kinds: Vec<&str> = people[3]["calls"][0]["segments"]
        .as_array()
        .expect("segments")
        .iter()
        .filter_map(|one| one["type"].as_str())
        .collect();
    assert_eq!(kinds, ["interact", "hold", "interact"]);
    let line = &world.lines()[0];
    assert_eq!(
        (
            &line["legacy_interaction_id"],
            &line["direction"],
            &line["wrap_up"]
        ),
        (&json!("1"), &json!("inbound"), &json!(WRAPUP))
    );
    assert_eq!(
        line["participants"],
        json!([{"role": "customer", "id": leg(1, 1)}, {"role": "agent", "id": JOHN}, {"role": "agent", "id": JANE}])
    );
    assert_eq!(
        (&line["queue"], &line["skill"], &line["ani"]),
        (&json!(QUEUE), &json!(SKILL), &json!("+15550100199"))
    );
}

#[tokio::test]
async fn analytics_find_an_injected_conversation_by_its_tag() {
    let world = World::public(PublicSettings::default()).await;
    world.injected(1).await;
    let filter = json!([{"type": "and", "predicates": [{"type": "dimension", "dimension": "externalTag", "operator": "matches", "value": "st:acme:1"}]}]);
    let asked = json!({"interval": "2023-07-01T00:00:00.000Z/2023-08-01T00:00:00.000Z", "conversationFilters": filter});
    let found = world
        .post("/api/v2/analytics/conversations/details/query", &asked)
        .await
        .json();
    assert_eq!(found["totalHits"], 1);
    let agent = &found["conversations"][0]["participants"][3];
    assert_eq!(
        (&agent["userId"], &agent["sessions"][0]["sessionId"]),
        (&json!(JOHN), &json!(leg(1, FIRST_AGENT)))
    );
    assert_eq!(agent["sessions"][0]["segments"][1]["segmentType"], "hold");
}

#[tokio::test]
async fn what_was_told_beside_the_call_is_kept() {
    let world = World::public(PublicSettings::default()).await;
    world.injected(1).await;
    let state = world.site.state();
    let kept = state.public.sources(conversation_id(1));
    assert_eq!(kept.first(), Some(&("legacy", "1", Some("IVR-12"))));
}

#[tokio::test]
async fn a_batch_of_none_or_too_many_or_of_another_list_is_400() {
    let world = World::public(PublicSettings::default()).await;
    let (list, event) = call_events(1).remove(0);
    let mut unknown = batch(&[(list, event.clone())]);
    unknown["carrierPigeonEvents"] = json!([]);
    for (body, code) in [
        (json!({}), "zero.events.submitted"),
        (json!({list: []}), "zero.events.submitted"),
        (
            json!({list: vec![event.clone(); 60], "ivrEstablishedEvents": vec![event.clone(); 41]}),
            "max.batch.size.surpassed",
        ),
        (unknown, "invalid.property"),
        (json!({list: "x"}), "bad.request"),
        (json!([]), "bad.request"),
    ] {
        let answer = world.post(EVENTS, &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, code),
            "{body}"
        );
    }
    assert_eq!(
        (world.truth(), world.core.journal.effects()),
        (String::new(), String::new())
    );
    let hundred = json!({list: vec![event; 100]});
    assert_eq!(
        world.post(EVENTS, &hundred).await.json()["errors"],
        json!([])
    );
}

/// The errors of one event sent after a call that is there.
async fn after_a_call(
    list: &str,
    which: usize,
    change: impl Fn(&mut Value),
) -> Vec<(String, bool)> {
    let world = World::public(PublicSettings::default()).await;
    world.injected(1).await;
    let before = world.truth();
    let mut event = call_events(1)
        .into_iter()
        .filter(|(of, _)| *of == list)
        .nth(which)
        .expect("an event of the call")
        .1;
    event["eventId"] = json!(v4(0xe1, 1));
    change(&mut event);
    let errors = world.inject(&[(list, event)]).await;
    assert_eq!(world.truth(), before, "a refused event changed something");
    let told = |error: &Value| {
        (
            error["message"].as_str().unwrap_or_default().to_owned(),
            error["retryable"] == true,
        )
    };
    errors.iter().map(told).collect()
}

#[tokio::test]
async fn every_wrong_event_is_an_error_of_its_own_that_says_whether_to_try_again() {
    let nobody = "99999999-0000-4000-8000-000000000000";
    let v5 = "99999999-0000-5000-8000-000000000000";
    let rows: Vec<(&str, usize, &str, Value, &str, bool)> = vec![
        (
            "holdUpdatedEvents",
            0,
            "held",
            Value::Null,
            "held is missing",
            false,
        ),
        (
            "holdUpdatedEvents",
            0,
            "held",
            json!("yes"),
            "not valid",
            false,
        ),
        (
            "holdUpdatedEvents",
            0,
            "colour",
            json!("blue"),
            "colour is not one of",
            false,
        ),
        (
            "holdUpdatedEvents",
            0,
            "eventId",
            json!("1"),
            "eventId [1] is not a UUID of version 4",
            false,
        ),
        (
            "holdUpdatedEvents",
            0,
            "eventId",
            json!(v5),
            "is not a UUID of version 4",
            false,
        ),
        (
            "holdUpdatedEvents",
            0,
            "conversationId",
            json!(v5),
            "conversationId",
            false,
        ),
        (
            "holdUpdatedEvents",
            0,
            "communicationId",
            json!(v5),
            "communicationId",
            false,
        ),
        (
            "holdUpdatedEvents",
            0,
            "eventDateTime",
            json!("2023-07-27 10:00:00"),
            "not an ISO-8601 time",
            false,
        ),
        (
            "holdUpdatedEvents",
            0,
            "eventDateTime",
            json!("2023-07-27T10:00:11.000Z"),
            "before the communication",
            false,
        ),
        (
            "holdUpdatedEvents",
            0,
            "eventDateTime",
            json!("2023-07-27T10:02:41.000Z"),
            "after the communication",
            false,
        ),
        (
            "holdUpdatedEvents",
            0,
            "conversationId",
            json!(nobody),
            "conversation",
            true,
        ),
        (
            "holdUpdatedEvents",
            0,
            "communicationId",
            json!(nobody),
            "is not known",
            true,
        ),
        (
            "progressTransferEvents",
            0,
            "commandId",
            json!(nobody),
            "the transfer",
            true,
        ),
        (
            "progressTransferEvents",
            0,
            "destinationCommunicationId",
            json!(nobody),
            "is not known",
            true,
        ),
        (
            "progressTransferEvents",
            0,
            "objectCommunicationId",
            json!(v5),
            "objectCommunicationId",
            false,
        ),
        (
            "endTransferEvents",
            0,
            "finalState",
            json!("Maybe"),
            "finalState [Maybe]",
            false,
        ),
        (
            "userTransferEvents",
            0,
            "transferType",
            json!("Blind"),
            "transferType [Blind]",
            false,
        ),
        (
            "userTransferEvents",
            0,
            "destinationUserId",
            json!(nobody),
            "destinationUserId",
            false,
        ),
        (
            "userTransferEvents",
            0,
            "initiatingCommunicationId",
            json!(nobody),
            "is not known",
            true,
        ),
        (
            "communicationEndedEvents",
            0,
            "disconnectType",
            json!("Tired"),
            "disconnectType [Tired]",
            false,
        ),
        (
            "communicationEndedEvents",
            0,
            "eventDateTime",
            json!("2023-07-27T10:00:06.000Z"),
            "has ended already",
            false,
        ),
        (
            "communicationDispositionAppliedEvents",
            0,
            "code",
            json!(nobody),
            "code",
            false,
        ),
        (
            "userEstablishedEvents",
            0,
            "userId",
            json!(nobody),
            "userId",
            false,
        ),
        (
            "userEstablishedEvents",
            0,
            "userId",
            json!(JANE),
            "is established already",
            false,
        ),
    ];
    for (list, which, field, value, says, retryable) in rows {
        let errors = after_a_call(list, which, |event| event[field] = value.clone()).await;
        let [(message, is_retryable)] = errors.as_slice() else {
            panic!("{list} {field} = {value}: {errors:?}")
        };
        assert!(
            message.contains(says),
            "{list} {field} = {value}: {message}"
        );
        assert_eq!(
            *is_retryable, retryable,
            "{list} {field} = {value}: {message}"
        );
    }
}

#[tokio::test]
async fn references_nobody_knows_are_refused_for_good() {
    let nobody = json!("99999999-0000-4000-8000-000000000000");
    for (at, field, value) in [
        (3, "queueId", &nobody),
        (3, "skillIds", &json!([nobody])),
        (3, "languageId", &nobody),
        (4, "userId", &nobody),
    ] {
        let world = World::public(PublicSettings::default()).await;
        let mut events = call_events(1);
        events[at].1[field] = value.clone();
        let errors = world.inject(&events[..=at]).await;
        assert_eq!(errors.len(), 1, "{field}: {errors:?}");
        assert_eq!(
            (&errors[0]["eventId"], &errors[0]["retryable"]),
            (&events[at].1["eventId"], &json!(false)),
            "{field}"
        );
    }
}

#[tokio::test]
async fn an_email_event_and_a_conversation_of_the_guide_are_refused_alone() {
    let world = World::public(PublicSettings::default()).await;
    world.call(2).await;
    let (list, mine) = call_events(1).remove(0);
    let (_, theirs) = call_events(2).remove(0);
    let errors = world
        .inject(&[
            ("emailExternalEstablishedEvents", mine.clone()),
            (list, mine),
            (list, theirs),
        ])
        .await;
    let told: Vec<(&str, bool)> = errors
        .iter()
        .map(|one| {
            (
                one["message"].as_str().unwrap_or_default(),
                one["retryable"] == true,
            )
        })
        .collect();
    assert!(
        told.len() == 2 && told.iter().all(|(_, retryable)| !retryable),
        "{told:?}"
    );
    assert!(
        told.iter().any(|(message, _)| message.contains("e-mail"))
            && told
                .iter()
                .any(|(message, _)| message.contains("not injected")),
        "{told:?}"
    );
}

#[tokio::test]
async fn an_event_id_taken_before_has_no_effect_and_other_content_is_ignored_or_refused() {
    for (setting, errors) in [(ReusedEventId::Ignore, 0), (ReusedEventId::Refuse, 1)] {
        let world = World::public(PublicSettings {
            reused_event_id: setting,
            ..PublicSettings::default()
        })
        .await;
        world.injected(1).await;
        let (before, effects) = (world.truth(), world.core.journal.effects());
        assert_eq!(world.inject(&call_events(1)).await, Vec::<Value>::new());
        let mut other = call_events(1);
        other[0].1["ani"] = json!("+15550000000");
        let told = world.inject(&other[..1]).await;
        assert_eq!(
            (told.len(), world.truth(), world.core.journal.effects()),
            (errors, before, effects)
        );
    }
}

#[tokio::test]
async fn old_events_are_taken_unless_the_scenario_says_how_old_is_too_old() {
    let world = World::public(PublicSettings {
        max_event_age_days: Some(30),
        ..PublicSettings::default()
    })
    .await;
    let errors = world.inject(&call_events(1)[..1]).await;
    assert_eq!(
        (
            &errors[0]["retryable"],
            errors[0]["message"]
                .as_str()
                .map(|text| text.contains("30 days"))
        ),
        (&json!(false), Some(true))
    );
}

#[tokio::test]
async fn a_conversation_is_open_until_all_its_communications_have_ended() {
    let world = World::public(PublicSettings::default()).await;
    let events = call_events(1);
    world.inject(&events[..16]).await;
    let path = format!("/api/v2/conversations/{}", conversation_id(1));
    let open = world.get(&path).await.json();
    assert_eq!(
        (
            &open["endTime"],
            &open["recordingState"],
            &open["participants"][0]["calls"][0]["state"]
        ),
        (&Value::Null, &json!("ACTIVE"), &json!("connected"))
    );
    world.inject(&events[16..]).await;
    assert_eq!(
        world.get(&path).await.json()["endTime"],
        "2023-07-27T10:05:00.001Z"
    );
}

#[tokio::test]
async fn ringing_outbound_and_further_externals_read_as_what_they_are() {
    let world = World::public(PublicSettings::default()).await;
    let initial = json!({"alerting": true, "inbound": false});
    let mut events = vec![
        (
            "userEstablishedEvents",
            established(1, 1, 0, 1, json!({"userId": JOHN, "queueId": QUEUE})),
        ),
        (
            "externalEstablishedEvents",
            established(
                1,
                2,
                1,
                2,
                json!({"ani": "+18005550123", "dnis": "+15550100199"}),
            ),
        ),
        (
            "phoneEstablishedEvents",
            established(1, 3, 60, 3, json!({"phoneNumber": "+15550100200"})),
        ),
        (
            "communicationAnsweredEvents",
            event(1, 4, 9, json!({"communicationId": leg(1, 2)})),
        ),
    ];
    for (_, event) in &mut events[..3] {
        event["initialConfiguration"] = initial.clone();
    }
    for which in 1..=3 {
        events.push((
            "communicationEndedEvents",
            event(
                1,
                10 + which,
                90,
                json!({"communicationId": leg(1, which), "disconnectType": "Peer"}),
            ),
        ));
    }
    assert_eq!(world.inject(&events).await, Vec::<Value>::new());
    let held = world
        .get(&format!("/api/v2/conversations/{}", conversation_id(1)))
        .await
        .json();
    let people = held["participants"].as_array().expect("participants");
    let purposes: Vec<&str> = people
        .iter()
        .filter_map(|one| one["purpose"].as_str())
        .collect();
    assert_eq!(purposes, ["customer", "agent", "external"]);
    assert_eq!(
        (
            &people[0]["calls"][0]["segments"][0]["type"],
            &people[0]["connectedTime"]
        ),
        (&json!("alert"), &json!("2023-07-27T10:00:09.001Z"))
    );
    assert_eq!(
        (&people[0]["calls"][0]["direction"], &people[1]["queueId"]),
        (&json!("outbound"), &json!(QUEUE))
    );
    assert_eq!(
        people[2]["calls"][0]["segments"][0]["type"], "alert",
        "one that was never answered rang to its end"
    );
}

#[tokio::test]
async fn a_fault_strikes_events_by_their_tag_and_not_the_batch() {
    for (kind, taken) in [("server_error", 0), ("error_after_commit", 1)] {
        let text = format!(
            "on = 'genesys_cloud.inject_events'\nkind = '{kind}'\nattempts = [1]\nkeys = ['1']"
        );
        let rule: FaultRule = toml::from_str(&text).expect("a rule");
        let world = World::with_faults(unlimited(PublicSettings::default()), vec![rule]).await;
        let first = |number: u64| call_events(number).remove(0);
        let errors = world.inject(&[first(1), first(2)]).await;
        assert_eq!(errors.len(), 1, "{kind}: {errors:?}");
        assert_eq!(
            (&errors[0]["eventId"], &errors[0]["retryable"]),
            (&first(1).1["eventId"], &json!(true)),
            "{kind}"
        );
        assert_eq!(world.lines().len(), 1 + taken, "{kind}");
        assert_eq!(
            world.inject(&[first(1), first(2)]).await,
            Vec::<Value>::new(),
            "{kind}"
        );
        assert_eq!(
            (
                world.lines().len(),
                world.core.journal.effects().lines().count()
            ),
            (2, 2),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_fault_of_the_connection_strikes_the_whole_batch() {
    let rule: FaultRule = toml::from_str(
        "on = 'genesys_cloud.inject_events'\nkind = 'too_many_requests'\nattempts = \
            [1]\nkeys = ['1']\nretry_after_s = 2",
    )
    .expect("a rule");
    let world = World::with_faults(unlimited(PublicSettings::default()), vec![rule]).await;
    let answer = world.post(EVENTS, &batch(&call_events(1))).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("retry-after")),
        (429, "2")
    );
    assert_eq!(world.truth(), "");
    world.injected(1).await;
    assert_eq!(
        world.core.journal.len(),
        3,
        "a batch is one request: token, refused, taken"
    );
}
