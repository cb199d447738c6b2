//! What may be written on a conversation from outside: attributes of its participants, and its
//! external tag.

use std::collections::BTreeMap;

use axum::{extract::Path, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use super::rules;
use crate::{
    http::reply::Reply,
    platforms::genesys_cloud::{
        GenesysCloud, endpoint::IncomingRequest, errors::ApiError, read::find,
    },
};

/// PATCH /api/v2/conversations/{id}/participants/{participant}/attributes.
pub(super) async fn update(
    Path((id, participant)): Path<(String, String)>,
    incoming: IncomingRequest,
) -> Response {
    let key = incoming.site.key_of_interaction(&id);
    incoming
        .answer_json(
            |_, _| key,
            |site, _, sent| update_attributes(site, &id, &participant, sent),
        )
        .await
}

/// PUT /api/v2/conversations/{id}/tags.
pub(super) async fn update_tags(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, _| id.clone(),
            |site, _, sent| update_tag(site, &id, sent),
        )
        .await
}

/// ParticipantAttributes of the API description.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attributes {
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

/// ConversationTagsUpdate of the API description.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Tags {
    external_tag: String,
}

fn update_attributes(
    site: &GenesysCloud,
    id: &str,
    participant: &str,
    sent: Attributes,
) -> Result<Reply, ApiError> {
    let mut state = site.state();
    let held = find(&state.conversations, id)?;
    let conversation = held.id;
    let seats = site.seats(held);
    let seat = seats
        .iter()
        .find(|seat| seat.id.to_string().eq_ignore_ascii_case(participant));
    let missing = || {
        ApiError::new(
            404,
            "conversation.error.participant.not.found",
            "The participant does not exist.",
        )
    };
    let (seat, is_customer) = seat
        .map(|seat| (seat.id, seat.is_customer()))
        .ok_or_else(missing)?;
    site.mark(&rules::ATTRIBUTES_MERGE);
    state.conversations.change(conversation, |held| {
        let place = if is_customer {
            &mut held.attributes
        } else {
            held.other_attributes.entry(seat).or_default()
        };
        place.extend(sent.attributes);
    });
    Ok(Reply::empty(202).effect("updated"))
}

fn update_tag(site: &GenesysCloud, id: &str, sent: Tags) -> Result<Reply, ApiError> {
    let mut state = site.state();
    let conversation: Uuid = find(&state.conversations, id)?.id;
    site.mark(&rules::TAGS);
    state.public.events.replace_tag(conversation);
    state.conversations.change(conversation, |held| {
        held.external_tag = Some(sent.external_tag)
    });
    Ok(Reply::json(202, &"").effect("updated"))
}
