//! The canonical record of what an organisation answered. Source: docs/reference/organisation.md.

use std::collections::BTreeMap;

use jiff::Timestamp;
use plan::TimeRules;
use platforms::genesys_cloud::wire::{
    AnalyticsConversation, AnalyticsParticipant, AnalyticsSegment, AnalyticsSession, Annotation,
    Recording,
};

use super::entity::Listed;
use crate::canonical::{Canonical, CanonicalRecording, CanonicalSegment, Repair};
use crate::source::instant::{Unusable, corrected, ordered};

/// Makes the canonical record of a call and its recordings.
pub(super) fn normalise(
    listed: &Listed,
    recordings: &[Recording],
    rules: &TimeRules,
) -> Result<Canonical, Unusable> {
    let conversation = &listed.conversation;
    let start = instant(conversation.conversation_start.as_deref(), rules)?;
    let end = instant(conversation.conversation_end.as_deref(), rules)?;
    let (start, end, swapped) = ordered(start, end);
    let whole = (start, end);
    let mut segments = legs(conversation, whole, rules);
    segments.sort_by_key(|segment| segment.start);
    let recordings = recordings
        .iter()
        .map(|recording| canonical_recording(recording, listed, &segments, whole, rules))
        .collect();
    let routing = Routing::of(conversation);
    let [caller_number, dialled_number] = numbers(conversation);
    let is_outbound = conversation
        .originating_direction
        .as_deref()
        .is_some_and(|direction| direction.eq_ignore_ascii_case("outbound"));
    let duration_ms = end.as_millisecond() - start.as_millisecond();
    Ok(Canonical {
        legacy_interaction_id: conversation.conversation_id.clone(),
        legacy_start_time: start,
        legacy_end_time: end,
        direction: conversation.originating_direction.clone(),
        agent_legacy_id: segments
            .iter()
            .find_map(|segment| segment.agent_legacy_id.clone()),
        customer_phone: if is_outbound {
            dialled_number.clone()
        } else {
            caller_number.clone()
        },
        caller_number,
        dialled_number,
        attributes: attributes(conversation, &routing),
        queue_legacy_id: routing.queues.first().cloned(),
        skill_legacy: routing.skills.first().cloned(),
        wrap_up_code: routing.wrap_ups.last().cloned(),
        duration_seconds: duration_ms / 1000,
        duration_ms,
        raw_start: conversation.conversation_start.clone().unwrap_or_default(),
        repairs: swapped.then_some(Repair::EndsSwapped).into_iter().collect(),
        segments,
        recordings,
        ..Canonical::default()
    })
}

/// A time as the platform writes it.
fn instant(text: Option<&str>, rules: &TimeRules) -> Result<Timestamp, Unusable> {
    let stated = text
        .and_then(|text| text.trim().parse().ok())
        .ok_or(Unusable)?;
    corrected(stated, None, rules)
}

fn is(text: Option<&str>, wanted: &[&str]) -> bool {
    text.is_some_and(|text| wanted.iter().any(|word| text.eq_ignore_ascii_case(word)))
}

/// The calls of a participant: a session of another medium is none.
fn calls(participant: &AnalyticsParticipant) -> impl Iterator<Item = &AnalyticsSession> {
    participant.sessions.iter().filter(|session| {
        session.media_type.is_none() || is(session.media_type.as_deref(), &["voice"])
    })
}

/// Each call of an agent in which somebody spoke: from the first of its conversations to the end of
/// the last. What rings and what is written afterwards is no part of it; a hold is.
fn legs(
    conversation: &AnalyticsConversation,
    whole: (Timestamp, Timestamp),
    rules: &TimeRules,
) -> Vec<CanonicalSegment> {
    let mut legs = Vec::new();
    let agents = conversation
        .participants
        .iter()
        .filter(|one| is(one.purpose.as_deref(), &["agent", "user"]));
    for agent in agents {
        for (at, session) in calls(agent).enumerate() {
            let spoken = session.segments.iter().filter(|segment| {
                segment.segment_type.is_none() || is(segment.segment_type.as_deref(), &["interact"])
            });
            let spans: Vec<Option<(Timestamp, Timestamp)>> =
                spoken.map(|segment| span(segment, rules)).collect();
            if spans.is_empty() {
                continue;
            }
            // A part without usable times makes its leg as long as the call.
            let whole_leg = spans.iter().copied().collect::<Option<Vec<_>>>();
            let (start, end) = whole_leg
                .and_then(|spans| {
                    let start = spans.iter().map(|(start, _)| *start).min()?;
                    Some((start, spans.iter().map(|(_, end)| *end).max()?))
                })
                .unwrap_or(whole);
            legs.push(CanonicalSegment {
                legacy_segment_id: session
                    .session_id
                    .clone()
                    .unwrap_or_else(|| format!("{}-{at}", agent.participant_id)),
                agent_legacy_id: agent.user_id.clone(),
                start,
                end,
            });
        }
    }
    legs
}

fn span(segment: &AnalyticsSegment, rules: &TimeRules) -> Option<(Timestamp, Timestamp)> {
    let start = instant(segment.segment_start.as_deref(), rules).ok()?;
    let end = instant(segment.segment_end.as_deref(), rules).ok()?;
    let (start, end, _) = ordered(start, end);
    Some((start, end))
}

/// The number that called and the one that was called: of the customer's first call that has it.
fn numbers(conversation: &AnalyticsConversation) -> [Option<String>; 2] {
    let customers = || {
        conversation
            .participants
            .iter()
            .filter(|one| is(one.purpose.as_deref(), &["customer", "external"]))
            .flat_map(calls)
    };
    let plain = |number: &str| number.strip_prefix("tel:").unwrap_or(number).to_owned();
    [
        customers().find_map(|call| call.ani.as_deref().map(plain)),
        customers().find_map(|call| call.dnis.as_deref().map(plain)),
    ]
}

/// Queues, skills and wrap-up codes, each once, in the order of the segments that name them first.
struct Routing {
    queues: Vec<String>,
    skills: Vec<String>,
    wrap_ups: Vec<String>,
}

impl Routing {
    fn of(conversation: &AnalyticsConversation) -> Routing {
        let mut segments: Vec<&AnalyticsSegment> = conversation
            .participants
            .iter()
            .flat_map(calls)
            .flat_map(|session| &session.segments)
            .collect();
        // Text of one form sorts as its instants do; one of another form stays where it is listed.
        segments.sort_by_key(|segment| {
            segment
                .segment_start
                .as_deref()
                .and_then(|start| start.parse::<Timestamp>().ok())
        });
        let mut routing = Routing {
            queues: Vec::new(),
            skills: Vec::new(),
            wrap_ups: Vec::new(),
        };
        for segment in segments {
            add(&mut routing.queues, segment.queue_id.as_deref());
            for skill in &segment.requested_routing_skill_ids {
                add(&mut routing.skills, Some(skill));
            }
            if let Some(code) = segment.wrap_up_code.as_deref() {
                // The last word counts, also where it was said before.
                routing.wrap_ups.retain(|known| known != code);
                add(&mut routing.wrap_ups, Some(code));
            }
        }
        routing
    }
}

fn add(list: &mut Vec<String>, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty())
        && !list.iter().any(|known| known == value)
    {
        list.push(value.to_owned());
    }
}

/// What has no field of its own: participants' attributes, and what there is more of than one.
fn attributes(conversation: &AnalyticsConversation, routing: &Routing) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    for participant in &conversation.participants {
        for (name, value) in &participant.attributes {
            // The participant that is listed first is who first had it: the customer.
            attributes
                .entry(format!("participant.{name}"))
                .or_insert_with(|| value.clone());
        }
    }
    attributes.extend(
        conversation
            .external_tag
            .clone()
            .map(|tag| ("external_tag".to_owned(), tag)),
    );
    for (name, list) in [
        ("queues", &routing.queues),
        ("skills", &routing.skills),
        ("wrap_ups", &routing.wrap_ups),
    ] {
        if list.len() > 1 {
            attributes.insert(name.to_owned(), list.join(";"));
        }
    }
    attributes
}

fn canonical_recording(
    recording: &Recording,
    listed: &Listed,
    segments: &[CanonicalSegment],
    whole: (Timestamp, Timestamp),
    rules: &TimeRules,
) -> CanonicalRecording {
    let own = instant(recording.start_time.as_deref(), rules)
        .and_then(|start| Ok((start, instant(recording.end_time.as_deref(), rules)?)));
    let own = own.map(|(start, end)| {
        let (start, end, _) = ordered(start, end);
        (start, end)
    });
    let delete_at = recording
        .delete_date
        .as_deref()
        .map(|date| instant(Some(date), rules));
    let (start, end) = own.unwrap_or(whole);
    let pauses: Vec<&Annotation> = recording
        .annotations
        .iter()
        .filter(|annotation| is_pause(annotation))
        .collect();
    let ends = |pause: &&Annotation| {
        let start = pause.location?;
        Some((start, start.checked_add(pause.duration_ms?)?))
    };
    let pauses_ms: Vec<(i64, i64)> = pauses.iter().filter_map(ends).collect();
    CanonicalRecording {
        legacy_recording_id: recording.id.clone(),
        legacy_segment_id: recording.session_id.clone().filter(|session| {
            segments
                .iter()
                .any(|segment| segment.legacy_segment_id == *session)
        }),
        start,
        end,
        legal_hold: listed.deletion_protected,
        delete_at: delete_at.and_then(Result::ok),
        pauses_whole: pauses_ms.len() == pauses.len(),
        pauses_ms,
        time_usable: own.is_ok() && !matches!(delete_at, Some(Err(Unusable))),
        ..CanonicalRecording::default()
    }
}

/// Music on hold is no secret; what else paused a recording was to keep something out of it.
/// Source: platform API, Annotation (documented); that a reason may be absent is assumed.
fn is_pause(annotation: &Annotation) -> bool {
    is(annotation.kind.as_deref(), &["pause"])
        && !is(annotation.reason.as_deref(), &["Hold", "FlowOrQueue"])
}
