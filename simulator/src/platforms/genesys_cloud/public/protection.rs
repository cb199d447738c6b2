//! `PUT /api/v2/recordings/deletionprotection`: legal holds, applied and revoked.

use std::collections::BTreeSet;

use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    rules,
    stores::{Action, IsProtected, Noted, Subject, Told},
};
use crate::{
    http::reply::Reply,
    operations,
    pipeline::ItemFaults,
    platforms::genesys_cloud::{
        GenesysCloud,
        endpoint::{IncomingRequest, Query},
        errors::ApiError,
        limits,
        validate::uuid,
    },
};

/// PUT /api/v2/recordings/deletionprotection.
pub(in crate::platforms::genesys_cloud) async fn update(incoming: IncomingRequest) -> Response {
    incoming
        .answer_batch(
            ItemFaults::Unreported,
            protection_keys,
            |site, authorized, sent, _| protect(site, &authorized.query, &sent),
        )
        .await
}

/// ConversationDeletionProtectionQuery of the API description.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Protection {
    conversation_ids: Vec<String>,
}

fn protection_keys(site: &GenesysCloud, body: &[u8]) -> Vec<String> {
    let sent = serde_json::from_slice::<Protection>(body).ok();
    sent.map(|sent| {
        sent.conversation_ids
            .iter()
            .map(|id| site.key_of_interaction(id))
            .collect()
    })
    .unwrap_or_default()
}

fn protect(site: &GenesysCloud, query: &Query, sent: &Protection) -> Result<Reply, ApiError> {
    let (protect, needs, effect) = if query.truth("protect").unwrap_or(true) {
        (true, "recording:deletionProtection:apply", "protected")
    } else {
        (false, "recording:deletionProtection:revoke", "released")
    };
    site.mark(&rules::PROTECTION);
    if site.lacking(&[needs]).is_some() {
        return Err(site.forbidden(needs));
    }
    let most = &limits::PROTECTION_IDS;
    if sent.conversation_ids.is_empty() {
        return Err(ApiError::new(
            400,
            "recording.empty.payload",
            "Recording payload was empty.",
        ));
    }
    if sent.conversation_ids.len() as u64 > most.value {
        site.mark(&most.rule);
        let message = format!("at most {} {} in one request", most.value, most.unit);
        return Err(ApiError::new(400, "constraint.validation", message).field("conversationIds"));
    }
    let read = |text: &String| {
        uuid(text).ok_or_else(|| {
            ApiError::new(
                400,
                "recording.conversation.id.not.uuid",
                format!("[{text}] is no UUID"),
            )
        })
    };
    let ids = sent
        .conversation_ids
        .iter()
        .map(read)
        .collect::<Result<Vec<_>, _>>()?;
    let mut state = site.state();
    if protect {
        let further: BTreeSet<Uuid> = ids
            .iter()
            .filter_map(|id| state.conversations.get(*id))
            .filter(|held| site.shows(held) && !held.protected)
            .map(|held| held.id)
            .collect();
        site.may_protect(state.conversations.protected(), further.len() as u64)?;
    }
    for id in ids {
        let Some(held) = state.conversations.get(id).filter(|held| site.shows(held)) else {
            site.mark(&rules::PROTECTION_UNKNOWN);
            continue;
        };
        if held.protected != protect {
            let key = held.external_tag.clone().unwrap_or_else(|| id.to_string());
            state
                .conversations
                .change(id, |held| held.protected = protect);
            site.core.journal.record_side_effect(
                &operations::GENESYS_CLOUD_UPDATE_DELETIONPROTECTION,
                &key,
                effect,
            );
            let told = Told::Protection(IsProtected(protect));
            state.public.audit_log.add(
                site.now_ms(),
                Noted::new(Subject::Conversation, Action::Update, id).telling(told),
            );
        }
    }
    Ok(Reply::empty(204))
}
