//! Wire values of Genesys Cloud to what is compared. Source: reference of the vendor's models,
//! analytics and conversations.

use platforms::genesys_cloud::wire;

use crate::expected::digits;
use crate::observed::{
    MarkedPause, PauseReason, Recordings, TargetConversation, TargetLeg, TargetRecording,
    TimeReading,
};
use crate::text::Text;
use crate::utc_millis::UtcMillis;

pub(super) fn from_analytics(wire: wire::AnalyticsConversation) -> TargetConversation {
    let mut conversation = TargetConversation {
        id: wire.conversation_id.into(),
        start: TimeReading::of(wire.conversation_start.as_deref()),
        end: TimeReading::of(wire.conversation_end.as_deref()),
        direction: wire
            .originating_direction
            .map(|direction| direction.to_lowercase().into()),
        skills: Some(Vec::new()),
        ..TargetConversation::default()
    };
    for participant in wire.participants {
        let attributes = participant.attributes.into_iter();
        let attributes = attributes.map(|(name, value)| (name.into(), value.into()));
        conversation.attributes.extend(attributes);
        let agent = is_agent(participant.purpose.as_deref());
        conversation.customers += usize::from(is_customer(participant.purpose.as_deref()));
        let user = participant
            .user_id
            .map(|user| Text::from(user.to_lowercase()));
        let mut agent_legs = 0;
        let mut wrap_ups = Vec::new();
        for segment in participant
            .sessions
            .iter()
            .flat_map(|session| &session.segments)
        {
            add(&mut wrap_ups, segment.wrap_up_code.as_deref());
        }
        for session in participant.sessions {
            add_number(&mut conversation.anis, session.ani.as_deref());
            add_number(&mut conversation.dnises, session.dnis.as_deref());
            for segment in &session.segments {
                add(&mut conversation.queues, segment.queue_id.as_deref());
                add(&mut conversation.wrap_ups, segment.wrap_up_code.as_deref());
                for skill in &segment.requested_routing_skill_ids {
                    add(conversation.skills.get_or_insert_default(), Some(skill));
                }
            }
            if agent {
                let legs = session_legs(user.as_ref(), &session.segments);
                agent_legs += legs.len();
                let of_session = |leg| TargetLeg {
                    session: session.session_id.as_ref().map(Text::from),
                    wrap_ups: wrap_ups.clone(),
                    ..leg
                };
                conversation.legs.extend(legs.into_iter().map(of_session));
            }
        }
        if agent && agent_legs == 0 {
            conversation.legs.push(TargetLeg {
                user,
                wrap_ups,
                ..TargetLeg::default()
            });
        }
    }
    sort_legs(&mut conversation.legs);
    conversation
}

/// Each `interact` segment is a leg; a session with holds in it is one leg from its first to its
/// last word, because hold music does not end a conversation.
fn session_legs(user: Option<&Text>, segments: &[wire::AnalyticsSegment]) -> Vec<TargetLeg> {
    let kind = |segment: &wire::AnalyticsSegment, wanted: &str| {
        segment
            .segment_type
            .as_deref()
            .is_none_or(|kind| kind.eq_ignore_ascii_case(wanted))
    };
    let talks: Vec<TargetLeg> = segments
        .iter()
        .filter(|segment| kind(segment, "interact"))
        .map(|segment| TargetLeg {
            user: user.cloned(),
            start: TimeReading::of(segment.segment_start.as_deref()),
            end: TimeReading::of(segment.segment_end.as_deref()),
            ..TargetLeg::default()
        })
        .collect();
    let held = segments.iter().any(|segment| {
        segment
            .segment_type
            .as_deref()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("hold"))
    });
    match (talks.first(), talks.last()) {
        (Some(first), Some(last)) if held => {
            vec![TargetLeg {
                user: user.cloned(),
                start: first.start.clone(),
                end: last.end.clone(),
                ..TargetLeg::default()
            }]
        }
        _ => talks,
    }
}

/// The same from a conversation read by its id, for what analytics does not show yet. It carries no
/// skills.
pub(super) fn from_conversation(wire: wire::Conversation) -> (TargetConversation, Option<String>) {
    let mut conversation = TargetConversation {
        id: wire.id.into(),
        start: TimeReading::of(wire.start_time.as_deref()),
        end: TimeReading::of(wire.end_time.as_deref()),
        ..TargetConversation::default()
    };
    for participant in wire.participants {
        let agent = is_agent(participant.purpose.as_deref());
        conversation.customers += usize::from(is_customer(participant.purpose.as_deref()));
        let attributes = participant.attributes.into_iter();
        let attributes = attributes.map(|(name, value)| (name.into(), value.into()));
        conversation.attributes.extend(attributes);
        add_number(&mut conversation.anis, participant.ani.as_deref());
        add_number(&mut conversation.dnises, participant.dnis.as_deref());
        add(&mut conversation.queues, participant.queue_id.as_deref());
        add(
            &mut conversation.wrap_ups,
            participant
                .wrapup
                .as_ref()
                .and_then(|wrapup| wrapup.code.as_deref()),
        );
        for call in &participant.calls {
            conversation.direction = conversation.direction.take().or_else(|| {
                call.direction
                    .as_ref()
                    .map(|direction| direction.to_lowercase().into())
            });
            let leg = |segment: &wire::CallSegment| TargetLeg {
                user: participant
                    .user_id
                    .as_ref()
                    .map(|user| user.to_lowercase().into()),
                start: TimeReading::of(segment.start_time.as_deref()),
                end: TimeReading::of(segment.end_time.as_deref()),
                session: call.id.as_ref().map(Text::from),
                wrap_ups: participant
                    .wrapup
                    .iter()
                    .filter_map(|wrapup| wrapup.code.as_ref().map(Text::from))
                    .collect(),
                ..TargetLeg::default()
            };
            if agent {
                conversation.legs.extend(call.segments.iter().map(leg));
            }
        }
    }
    sort_legs(&mut conversation.legs);
    (conversation, wire.external_tag)
}

/// Only audio: screens, chats and e-mails have no source here.
pub(super) fn recordings(conversation_id: &str, wire: Vec<wire::Recording>) -> Recordings {
    let audio = wire.into_iter().filter(|recording| {
        recording
            .media
            .as_deref()
            .is_none_or(|media| media.eq_ignore_ascii_case("audio"))
    });
    let mut recordings: Vec<TargetRecording> =
        audio.map(|wire| recording(conversation_id, wire)).collect();
    recordings.sort_by_key(|recording| (recording.start.instant(), recording.id.clone()));
    Recordings::Read(recordings)
}

pub(super) fn recording(conversation_id: &str, wire: wire::Recording) -> TargetRecording {
    let pause = |annotation: &wire::Annotation| {
        let marked = annotation
            .kind
            .as_deref()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("pause"));
        marked.then_some(MarkedPause {
            location_ms: annotation.location.unwrap_or(-1),
            length_ms: annotation.duration_ms.unwrap_or(-1),
            reason: annotation.reason.as_deref().map(PauseReason::of),
        })
    };
    let mut pauses: Vec<MarkedPause> = wire.annotations.iter().filter_map(pause).collect();
    pauses.sort_unstable();
    // The stub of an archived recording has dates of its archiving and nothing that could be
    // played; it need not say so in words.
    let stub =
        wire.start_time.is_none() && (wire.archive_medium.is_some() || wire.archive_date.is_some());
    let file_state = wire.file_state.map(Text::from);
    let file_state = file_state.or_else(|| stub.then(|| "ARCHIVED".into()));
    TargetRecording {
        id: wire.id.into(),
        conversation_id: wire
            .conversation_id
            .map_or_else(|| conversation_id.into(), Text::from),
        start: TimeReading::of(wire.start_time.as_deref()),
        end: TimeReading::of(wire.end_time.as_deref()),
        file_state,
        delete_at: wire.delete_date.as_deref().and_then(UtcMillis::parse),
        created: wire.creation_time.as_deref().and_then(UtcMillis::parse),
        pauses,
        users: wire
            .users
            .into_iter()
            .map(|user| user.id.to_lowercase().into())
            .collect(),
        session: wire.session_id.map(Text::from),
        originating_id: None,
        ..TargetRecording::default()
    }
}

fn is_agent(purpose: Option<&str>) -> bool {
    matches!(purpose, Some("agent" | "user"))
}

fn is_customer(purpose: Option<&str>) -> bool {
    matches!(purpose, Some("customer" | "external"))
}

fn sort_legs(legs: &mut [TargetLeg]) {
    legs.sort_by_key(|leg| leg.start.instant());
}

fn add(list: &mut Vec<Text>, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty())
        && !list.iter().any(|known| known == value)
    {
        list.push(value.into());
    }
}

fn add_number(list: &mut Vec<Text>, value: Option<&str>) {
    add(list, value.map(digits).as_deref());
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str =
        include_str!("../../../../scenarios/contracts/genesys_cloud/create_details_job.json");

    fn example() -> TargetConversation {
        let contract: serde_json::Value = serde_json::from_str(PAGE).expect("contract");
        let page = contract["then"][1]["response"]["body"].clone();
        let mut page: wire::DetailsPage = serde_json::from_value(page).expect("a page");
        from_analytics(page.conversations.remove(0))
    }

    #[test]
    fn the_contract_example_is_read_whole() {
        let conversation = example();
        assert_eq!(
            conversation
                .start
                .instant()
                .map(|at| at.to_string())
                .as_deref(),
            Some("2023-10-27T10:00:00.000Z")
        );
        assert_eq!(conversation.anis, ["+15550100199"]);
        assert_eq!(conversation.dnises, ["+18005550123"]);
        assert_eq!(conversation.customers, 1);
        assert_eq!(conversation.legs.len(), 1);
        assert_eq!(
            conversation.legs[0].user.as_deref(),
            Some("550e8400-e29b-41d4-a716-446655440001")
        );
        assert_eq!(
            conversation.queues,
            ["0a0b0000-0000-4000-8000-0000000000d1"]
        );
        assert_eq!(
            conversation.skills.as_deref(),
            Some(&["0a0b0000-0000-4000-8000-0000000000e1".into()][..])
        );
        assert_eq!(
            conversation.wrap_ups,
            ["7f3c0000-0000-4000-8000-00000000a017"]
        );
        assert_eq!(conversation.attributes["st.wait_ms"], "12000");
    }

    #[test]
    fn hold_music_does_not_make_two_legs() {
        let segment = |kind: &str, start: &str, end: &str| wire::AnalyticsSegment {
            segment_start: Some(start.into()),
            segment_end: Some(end.into()),
            segment_type: Some(kind.into()),
            queue_id: None,
            wrap_up_code: None,
            requested_routing_skill_ids: Vec::new(),
        };
        let held = [
            segment("interact", "2023-10-27T10:00:00Z", "2023-10-27T10:01:00Z"),
            segment("hold", "2023-10-27T10:01:00Z", "2023-10-27T10:02:00Z"),
            segment("interact", "2023-10-27T10:02:00Z", "2023-10-27T10:03:00Z"),
            segment("wrapup", "2023-10-27T10:03:00Z", "2023-10-27T10:04:00Z"),
        ];
        let user = Text::from("u");
        let legs = session_legs(Some(&user), &held);
        assert_eq!(legs.len(), 1);
        assert_eq!(legs[0].end, TimeReading::of(Some("2023-10-27T10:03:00Z")));
        assert_eq!(
            session_legs(Some(&user), &[held[0].clone(), held[2].clone()]).len(),
            2,
            "a transfer and back is two legs"
        );
    }

    #[test]
    fn the_stub_of_an_archived_recording_is_archived() {
        let read =
            |json: &str| match recordings("c", serde_json::from_str(json).expect("recordings")) {
                Recordings::Read(mut read) => read.remove(0).file_state,
                Recordings::Hidden(_) => None,
            };
        for (json, wanted) in [
            (
                r#"[{"id":"r","archiveDate":"2025-01-01T00:00:00Z","archiveMedium":"CLOUDARCHIVE","annotations":null}]"#,
                Some("ARCHIVED"),
            ),
            (
                r#"[{"id":"r","fileState":"AVAILABLE","startTime":"2025-01-01T00:00:00Z","archiveDate":"2035-01-01T00:00:00Z"}]"#,
                Some("AVAILABLE"),
            ),
            (r#"[{"id":"r"}]"#, None),
        ] {
            assert_eq!(read(json).as_deref(), wanted, "{json}");
        }
    }
}
