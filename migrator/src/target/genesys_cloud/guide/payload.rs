//! The guide's interaction payload. Source: recording-migration guide step 2.3,
//! docs/reference/identity.md and fields.md.

use jiff::Timestamp;
use platforms::genesys_cloud::wire;
use uuid::Uuid;

use super::super::names::Names;
use crate::canonical::{Canonical, CanonicalRecording, CanonicalSegment};
use crate::ledger::RecordingRow;
use crate::phone::PhoneRule;
use crate::resolve::{Resolved, Resolver};
use crate::target::attributes::attributes;
use crate::time::iso;
use crate::upload_source::{length_ms, recordings_to_send};

/// The whole payload: participants, routing, attributes, legs with their linked and retained
/// recordings.
pub(crate) fn interaction(
    names: &Names<'_>,
    resolver: &Resolver,
    phones: &PhoneRule,
    record: &Canonical,
    resolved: &Resolved,
    rows: &[RecordingRow],
) -> wire::Interaction {
    let going = recordings_to_send(record, rows);
    wire::Interaction {
        id: names.id("interaction", &record.legacy_interaction_id),
        kind: "call".to_owned(),
        direction: if record.is_outbound() {
            "outbound"
        } else {
            "inbound"
        }
        .to_owned(),
        created_time: iso(record.legacy_start_time),
        updated_time: iso(record.legacy_end_time),
        external_tag: names.external_tag(&record.legacy_interaction_id),
        participants: participants(names, phones, record, resolved),
        routing: wire::Routing {
            queue: resolved.queue.map(|queue| wire::QueueRef {
                id: queue.to_string(),
                name: None,
            }),
            skills: resolved
                .skill
                .iter()
                .map(|skill| wire::SkillRef {
                    id: skill.to_string(),
                })
                .collect(),
        },
        attributes: attributes(Some(names.carrier), record, resolved),
        // A hold on one recording protects the whole conversation: a declared widening.
        deletion_protection: record.is_held(),
        segments: segments(names, resolver, record, resolved, &going),
    }
}

/// Each agent once, in the order of the legs, the wrap-up with the first; then the customer with
/// both numbers.
fn participants(
    names: &Names<'_>,
    phones: &PhoneRule,
    record: &Canonical,
    resolved: &Resolved,
) -> Vec<wire::InteractionParticipant> {
    let mut users: Vec<Uuid> = Vec::new();
    for agent in resolved.agents() {
        if !users.contains(&agent.user()) {
            users.push(agent.user());
        }
    }
    let agent = |(at, user): (usize, &Uuid)| wire::InteractionParticipant {
        id: user.to_string(),
        kind: "agent".to_owned(),
        wrap_up_code: resolved
            .wrap_up
            .filter(|_| at == 0)
            .map(|code| code.to_string()),
        phone: None,
        ani: None,
        dnis: None,
    };
    let protect =
        |number: &Option<String>| number.as_deref().and_then(|number| phones.apply(number));
    let customer = wire::InteractionParticipant {
        id: names.id("customer", &record.legacy_interaction_id),
        kind: "customer".to_owned(),
        wrap_up_code: resolved
            .wrap_up
            .filter(|_| users.is_empty())
            .map(|code| code.to_string()),
        phone: protect(&record.customer_phone),
        ani: protect(&record.caller_number),
        dnis: protect(&record.dialled_number),
    };
    users
        .iter()
        .enumerate()
        .map(agent)
        .chain([customer])
        .collect()
}

/// One leg for each recording, with the recording's own times, and one for each source leg without
/// a recording.
fn segments(
    names: &Names<'_>,
    resolver: &Resolver,
    record: &Canonical,
    resolved: &Resolved,
    going: &[(&CanonicalRecording, &RecordingRow)],
) -> Vec<wire::InteractionSegment> {
    let agent_of = |leg: Option<usize>| match leg {
        Some(leg) => resolved.segment_agents.get(leg).copied().flatten(),
        None => resolved.agent,
    };
    let leg_of = |recording: &CanonicalRecording| {
        let id = recording.legacy_segment_id.as_ref()?;
        record
            .segments
            .iter()
            .position(|segment| segment.legacy_segment_id == *id)
    };
    let segment = |key: String, leg: Option<usize>, start: Timestamp, end: Timestamp| {
        wire::InteractionSegment {
            id: names.id("segment", &key),
            kind: "call".to_owned(),
            participant_id: agent_of(leg).map(|agent| agent.user().to_string()),
            start: iso(start),
            end: iso(end),
            recording: None,
        }
    };
    let mut list: Vec<wire::InteractionSegment> = Vec::new();
    for (recording, row) in going {
        let key = format!("recording:{}", recording.legacy_recording_id);
        let mut leg = segment(key, leg_of(recording), recording.start, recording.end);
        leg.recording = Some(linked(names, resolver, record, recording, row));
        list.push(leg);
    }
    let recorded: Vec<usize> = record.recordings.iter().filter_map(leg_of).collect();
    for (
        at,
        CanonicalSegment {
            legacy_segment_id,
            start,
            end,
            ..
        },
    ) in record.segments.iter().enumerate()
    {
        if !recorded.contains(&at)
            || !going
                .iter()
                .any(|(recording, _)| leg_of(recording) == Some(at))
        {
            list.push(segment(
                format!("leg:{}:{legacy_segment_id}", record.legacy_interaction_id),
                Some(at),
                *start,
                *end,
            ));
        }
    }
    list.sort_by(|a, b| (&a.start, &a.end, &a.id).cmp(&(&b.start, &b.end, &b.id)));
    list
}

fn linked(
    names: &Names<'_>,
    resolver: &Resolver,
    record: &Canonical,
    recording: &CanonicalRecording,
    row: &RecordingRow,
) -> wire::InteractionRecording {
    let pause = |(start, end): &(i64, i64)| wire::PauseAnnotation {
        kind: "pause".to_owned(),
        reason: "SecurePause".to_owned(),
        location: *start,
        duration_ms: end - start,
    };
    let date = resolver.delete_date(record, recording);
    wire::InteractionRecording {
        id: names.id("recording", &recording.legacy_recording_id),
        kind: "call".to_owned(),
        status: "complete".to_owned(),
        file_id: row.file_id.clone(),
        duration: length_ms(row),
        retention: date.map(|date| wire::RetentionTag {
            tag: recording.retention_class.clone(),
            delete_date: Some(iso(date)),
        }),
        annotations: recording.pauses_ms.iter().map(pause).collect(),
    }
}
