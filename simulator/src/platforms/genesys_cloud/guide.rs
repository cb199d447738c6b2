//! The guide's interactions: create, read, replace.

use axum::{extract::Path, response::Response};
use uuid::Uuid;

use super::{
    GenesysCloud,
    conversation::{Conversation, Recording, Segment},
    endpoint::IncomingRequest,
    errors::ApiError,
    rules, times,
    validate::{self, InteractionValidator},
    wire,
};
use crate::http::reply::Reply;

/// POST /api/v2/interactions.
pub(super) async fn create(incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, body| key_of(body).unwrap_or_else(|| "-".to_owned()),
            |site, _, sent| create_interaction(site, sent),
        )
        .await
}

/// GET /api/v2/interactions/{id}.
pub(super) async fn show(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    let key = incoming.site.key_of_interaction(&id);
    incoming
        .answer(&key, |site, _| show_interaction(site, &id))
        .await
}

/// PUT /api/v2/interactions/{id}.
pub(super) async fn update(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    let key = |site: &GenesysCloud, body: &[u8]| {
        tag_of(body).unwrap_or_else(|| site.key_of_interaction(&id))
    };
    incoming
        .answer_json(key, |site, _, sent| update_interaction(site, &id, sent))
        .await
}

fn tag_of(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<wire::Key>(body).ok()?.external_tag
}

fn key_of(body: &[u8]) -> Option<String> {
    let key = serde_json::from_slice::<wire::Key>(body).ok()?;
    key.external_tag.or(key.id)
}

impl GenesysCloud {
    /// The tag of an interaction that is held, else the id itself.
    pub(super) fn key_of_interaction(&self, id: &str) -> String {
        let state = self.state();
        let held = validate::uuid(id).and_then(|id| state.conversations.get(id));
        held.and_then(|held| held.external_tag.clone())
            .unwrap_or_else(|| id.to_owned())
    }
}

fn create_interaction(site: &GenesysCloud, sent: wire::Interaction) -> Result<Reply, ApiError> {
    let mut state = site.state();
    let directory = site.directory();
    let mut conversation = InteractionValidator {
        site,
        files: &state.files,
        directory: &directory,
        now_ms: site.now_ms(),
    }
    .interaction(&sent, None)?;
    let id = conversation.id;
    if state.conversations.contains(id) {
        site.mark(&rules::EXISTING_ID);
        return Err(ApiError::new(
            409,
            "request.conflict",
            "an interaction with this id exists",
        )
        .entity(id));
    }
    site.may_protect(
        state.conversations.protected(),
        u64::from(conversation.protected),
    )?;
    site.hide_new(&mut conversation);
    let dated = site.dated_by_policy(&state.public, &conversation);
    for recording in &mut conversation.recordings {
        if let Some(dates) = dated.get(&recording.id) {
            (recording.delete_at_ms, recording.archive_at_ms) =
                (dates.delete_at_ms, dates.archive_at_ms);
        }
    }
    let reply = Reply::json(201, &rendered(&conversation));
    state.conversations.put(conversation);
    Ok(reply.effect("created"))
}

fn show_interaction(site: &GenesysCloud, id: &str) -> Result<Reply, ApiError> {
    let state = site.state();
    let held = validate::uuid(id).and_then(|id| state.conversations.get(id));
    held.map(|held| Reply::json(200, &rendered(held)))
        .ok_or_else(ApiError::not_found)
}

fn update_interaction(
    site: &GenesysCloud,
    id: &str,
    sent: wire::Interaction,
) -> Result<Reply, ApiError> {
    let id = validate::uuid(id).ok_or_else(ApiError::not_found)?;
    let mut state = site.state();
    let held = state
        .conversations
        .get(id)
        .ok_or_else(ApiError::not_found)?;
    site.mark(&rules::UPDATE_REPLACES);
    let directory = site.directory();
    let mut conversation = InteractionValidator {
        site,
        files: &state.files,
        directory: &directory,
        now_ms: site.now_ms(),
    }
    .interaction(&sent, Some(id))?;
    site.may_protect(
        state.conversations.protected(),
        u64::from(conversation.protected && !held.protected),
    )?;
    (conversation.created_at_ms, conversation.shown_from_ms) =
        (held.created_at_ms, held.shown_from_ms);
    for recording in &mut conversation.recordings {
        if let Some(before) = held.recording(recording.id) {
            (recording.created_at_ms, recording.shown_from_ms) =
                (before.created_at_ms, before.shown_from_ms);
        }
    }
    let reply = Reply::json(200, &rendered(&conversation));
    state.conversations.put(conversation);
    Ok(reply.effect("updated"))
}

/// An interaction as the guide's surface answers it.
fn rendered(conversation: &Conversation) -> wire::Interaction {
    let has_routing = conversation.queue.is_some() || !conversation.skills.is_empty();
    wire::Interaction {
        id: Some(conversation.id.to_string()),
        kind: "call".to_owned(),
        direction: conversation.direction.as_str().to_owned(),
        created_time: times::text(conversation.start_ms),
        updated_time: times::text(conversation.end_ms),
        external_tag: conversation.external_tag.clone(),
        participants: conversation.participants.iter().map(participant).collect(),
        routing: has_routing.then(|| routing(conversation)),
        attributes: conversation.attributes.clone(),
        deletion_protection: conversation.protected,
        segments: conversation
            .segments
            .iter()
            .map(|leg| segment(conversation, leg))
            .collect(),
        self_uri: Some(format!("/api/v2/interactions/{}", conversation.id)),
    }
}

fn participant(held: &super::conversation::Participant) -> wire::Participant {
    wire::Participant {
        id: held.id.to_string(),
        kind: held.role.as_str().to_owned(),
        name: held.name.clone(),
        wrap_up_code: held.wrap_up.map(|code| code.to_string()),
        phone: held.phone.clone(),
        ani: held.ani.clone(),
        dnis: held.dnis.clone(),
    }
}

fn routing(conversation: &Conversation) -> wire::Routing {
    let named = |id: Uuid, name: Option<String>| wire::Named {
        id: id.to_string(),
        name,
    };
    wire::Routing {
        queue: conversation
            .queue
            .as_ref()
            .map(|queue| named(queue.id, queue.name.clone())),
        skills: conversation
            .skills
            .iter()
            .map(|skill| named(*skill, None))
            .collect(),
    }
}

fn segment(conversation: &Conversation, leg: &Segment) -> wire::Segment {
    let recording = conversation
        .recordings
        .iter()
        .find(|recording| recording.segment == leg.id);
    wire::Segment {
        id: leg.id.to_string(),
        kind: "call".to_owned(),
        participant_id: leg.participant.map(|id| id.to_string()),
        start: times::text(leg.start_ms),
        end: times::text(leg.end_ms),
        recording: recording.map(rendered_recording),
    }
}

fn rendered_recording(held: &Recording) -> wire::Recording {
    let is_retained = held.tag.is_some() || held.delete_at_ms.is_some();
    wire::Recording {
        id: held.id.to_string(),
        kind: "call".to_owned(),
        status: held.status.clone(),
        file_id: held.file.map(|file| file.to_string()),
        url: held.url.clone(),
        duration: held.duration_ms,
        retention: is_retained.then(|| wire::Retention {
            tag: held.tag.clone(),
            delete_date: held.delete_at_ms.map(times::text),
        }),
        annotations: held.annotations.iter().map(annotation).collect(),
    }
}

fn annotation(held: &super::conversation::Annotation) -> wire::Annotation {
    wire::Annotation {
        kind: held.kind.clone(),
        reason: held.reason.clone(),
        location: held.location_ms,
        duration_ms: held.duration_ms,
    }
}
