//! Orphan recordings: uploads whose conversation never came. They are listed, attached to a
//! conversation, or deleted.

use axum::{extract::Path, response::Response};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    outcome::Attached,
    rules,
    stores::{Action, Noted, Orphan, Status, Subject},
};
use crate::{
    http::reply::Reply,
    http::request_context,
    operations,
    platforms::genesys_cloud::{
        GenesysCloud,
        conversation::{Conversation, Role},
        endpoint::{IncomingRequest, Query},
        errors::ApiError,
        media::ORPHAN_MEDIA,
        participant_view::put,
        read::{REGION, format_of},
        state::State as Held,
        times,
        validate::{DAY_MS, uuid},
    },
};

/// GET /api/v2/orphanrecordings.
pub(super) async fn list(incoming: IncomingRequest) -> Response {
    incoming
        .answer("-", |site, authorized| {
            list_orphans(site, &authorized.query)
        })
        .await
}

/// GET /api/v2/orphanrecordings/{id}.
pub(super) async fn show(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    let key = key_of_orphan(&incoming.site, &id);
    incoming
        .answer(&key, |site, _| {
            let state = site.state();
            let (id, orphan) = find(&state, &id)?;
            Ok(Reply::json(200, &orphan_json(site, &state, id, orphan)))
        })
        .await
}

/// GET /api/v2/orphanrecordings/{id}/media.
pub(super) async fn media(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    let key = key_of_orphan(&incoming.site, &id);
    incoming
        .answer(&key, |site, authorized| {
            orphan_media(site, &id, &authorized.query)
        })
        .await
}

/// PUT /api/v2/orphanrecordings/{id}.
pub(super) async fn attach(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    let key = key_of_orphan(&incoming.site, &id);
    incoming
        .answer_json(
            |_, _| key,
            |site, _, asked| attach_orphan(site, &id, &asked),
        )
        .await
}

/// DELETE /api/v2/orphanrecordings/{id}.
pub(super) async fn delete(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    let key = key_of_orphan(&incoming.site, &id);
    incoming
        .answer(&key, |site, _| delete_orphan(site, &id))
        .await
}

/// OrphanUpdateRequest of the API description.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct OrphanUpdate {
    archive_date: Option<String>,
    delete_date: Option<String>,
    export_date: Option<String>,
    integration_id: Option<String>,
    conversation_id: Option<String>,
}

fn find<'a>(state: &'a Held, id: &str) -> Result<(Uuid, &'a Orphan), ApiError> {
    let found = uuid(id).and_then(|id| Some((id, state.public.uploads.orphan(id)?)));
    found.ok_or_else(ApiError::not_found)
}

fn key_of_orphan(site: &GenesysCloud, id: &str) -> String {
    let state = site.state();
    let stated = find(&state, id)
        .ok()
        .and_then(|(_, orphan)| orphan.unpacked.metadata.originating_id.clone());
    stated.unwrap_or_else(|| id.to_owned())
}

fn list_orphans(site: &GenesysCloud, query: &Query) -> Result<Reply, ApiError> {
    let only_known = query.truth("hasConversation") == Some(true);
    // There are no orphans of screens here.
    let has_calls = query.one("media") != Some("Screen");
    let state = site.state();
    let is_wanted = |orphan: &Orphan| has_calls && (!only_known || is_known(&state, orphan));
    let wanted: Vec<(Uuid, &Orphan)> = state
        .public
        .uploads
        .orphans()
        .filter(|(_, orphan)| is_wanted(orphan))
        .collect();
    site.page(
        &operations::GENESYS_CLOUD_LIST_ORPHANS,
        query,
        &wanted,
        |(id, orphan)| orphan_json(site, &state, *id, orphan),
    )
}

fn orphan_json(site: &GenesysCloud, state: &Held, id: Uuid, orphan: &Orphan) -> Value {
    site.mark(&rules::ORPHAN_PROVIDER);
    let metadata = &orphan.unpacked.metadata;
    let mut body = json!({
        "id": id,
        "createdTime": times::text(orphan.created_ms),
        "recoveredTime": times::text(orphan.recovered_ms),
        "providerType": "PUREENGAGE",
        "mediaSizeBytes": orphan.unpacked.audio.bytes,
        "mediaType": "CALL",
        "mediaSubtype": "Trunk",
        "fileState": "AVAILABLE",
        "orphanStatus": if is_known(state, orphan) { "CONVERSATION_NOT_EVALUATED" } else { "UNKNOWN_CONVERSATION" },
        "region": REGION,
        "recording": orphan_recording(orphan),
        "selfUri": format!("/api/v2/orphanrecordings/{id}"),
    });
    put(
        &mut body,
        "sourceOrphaningId",
        metadata.originating_id.clone(),
    );
    body
}

fn orphan_media(site: &GenesysCloud, id: &str, query: &Query) -> Result<Reply, ApiError> {
    let format = format_of(query)?;
    let mut state = site.state();
    let (id, recording) =
        find(&state, id).map(|(id, orphan)| (id, orphan.unpacked.metadata.recording))?;
    site.mark(&rules::ORPHAN_MEDIA);
    if site.transcode(&mut state.transcodes, &[(id, recording)], format) > 0 {
        request_context::record_job_pending();
        return Ok(Reply::empty(202));
    }
    let (_, orphan) = find(&state, &id.to_string())?;
    let mut body = orphan_recording(orphan);
    if format != "NONE" {
        let uri = site.presign(ORPHAN_MEDIA, id, recording, Some(format));
        put(
            &mut body,
            "mediaUris",
            Some(json!({"0": {"mediaUri": uri}})),
        );
    }
    Ok(Reply::json(200, &body))
}

fn attach_orphan(site: &GenesysCloud, id: &str, asked: &OrphanUpdate) -> Result<Reply, ApiError> {
    let mut state = site.state();
    let (id, orphan) = find(&state, id).map(|(id, orphan)| (id, orphan.clone()))?;
    let (delete_at_ms, archive_at_ms) = orphan_dates(site, asked)?;
    let named = match &asked.conversation_id {
        Some(text) => uuid(text),
        None => Some(orphan.unpacked.metadata.conversation),
    };
    let held = named
        .and_then(|id| state.conversations.get(id))
        .ok_or_else(|| {
            let message = "The provided conversation in the payload doesn't exist.";
            ApiError::new(400, "recording.orphan.unknown.conversation", message)
                .field("conversationId")
        })?;
    let leg = leg_for(held, &orphan).ok_or_else(|| {
        let message = "the conversation has no communication that a recording could belong to";
        ApiError::new(400, "recording.orphan.unknown.conversation", message).field("conversationId")
    })?;
    let delete_at_ms = delete_at_ms.or(orphan.unpacked.metadata.delete_at_ms);
    if site.beyond_maximum(held.start_ms, delete_at_ms).is_some() {
        return Err(ApiError::beyond_retention("deleteDate"));
    }
    [&rules::ORPHAN_ATTACH, &rules::ORPHAN_LEG]
        .into_iter()
        .for_each(|rule| site.mark(rule));
    let conversation = held.id;
    if let Attached::No(why) = site.attach_to(
        &mut state,
        &orphan.unpacked,
        conversation,
        leg,
        delete_at_ms,
    ) {
        return Err(ApiError::new(409, "request.conflict", why));
    }
    state
        .public
        .uploads
        .end_orphan(id, Status::Success, site.now_ms());
    state.public.audit_log.add(
        site.now_ms(),
        Noted::new(Subject::Orphan, Action::Update, id),
    );
    let recording = orphan.unpacked.metadata.recording;
    state
        .conversations
        .change_recording(conversation, recording, |one| {
            one.archive_at_ms = archive_at_ms.or(one.archive_at_ms)
        });
    let held = state
        .conversations
        .get(conversation)
        .ok_or_else(ApiError::not_found)?;
    let one = held.recording(recording).ok_or_else(ApiError::not_found)?;
    Ok(Reply::json(
        200,
        &site.recording_json(held, &site.seats(held), one, "NONE"),
    )
    .effect("attached"))
}

/// Delete and archive date of an update: each more than a day away, deletion after archiving.
/// Source: platform API, OrphanUpdateRequest.
fn orphan_dates(
    site: &GenesysCloud,
    asked: &OrphanUpdate,
) -> Result<(Option<i64>, Option<i64>), ApiError> {
    let invalid = |field: &str, message: &str| {
        ApiError::new(400, "recording.orphan.retention.data.invalid", message).field(field)
    };
    let read = |field: &str, text: &Option<String>| {
        let text = text.as_deref();
        text.map(|text| {
            site.instant(field, text)
                .map_err(|_| invalid(field, "The provided dates in the payload were invalid."))
        })
        .transpose()
    };
    let (delete, archive) = (
        read("deleteDate", &asked.delete_date)?,
        read("archiveDate", &asked.archive_date)?,
    );
    if asked.export_date.is_some() || asked.integration_id.is_some() {
        site.mark(&rules::JOB_EXPORT);
        return Err(invalid(
            "integrationId",
            "this organisation has no export integration",
        ));
    }
    let tomorrow_ms = site.now_ms().saturating_add(DAY_MS);
    if archive.is_some_and(|archive| archive <= tomorrow_ms) {
        return Err(invalid(
            "archiveDate",
            "archiveDate must be more than a day away",
        ));
    }
    if delete.is_some_and(|delete| delete <= archive.unwrap_or(tomorrow_ms)) {
        return Err(invalid(
            "deleteDate",
            "deleteDate must be after archiveDate, or more than a day away",
        ));
    }
    Ok((delete, archive))
}

fn delete_orphan(site: &GenesysCloud, id: &str) -> Result<Reply, ApiError> {
    let mut state = site.state();
    let (id, orphan) = find(&state, id)?;
    site.mark(&rules::ORPHAN_DELETED);
    let body = orphan_json(site, &state, id, orphan);
    let why = Status::Failure("the orphan recording was deleted".to_owned());
    state.public.uploads.end_orphan(id, why, site.now_ms());
    state.public.audit_log.add(
        site.now_ms(),
        Noted::new(Subject::Orphan, Action::Delete, id),
    );
    Ok(Reply::json(200, &body).effect("deleted"))
}

/// The recording that an orphan would be.
fn orphan_recording(orphan: &Orphan) -> Value {
    let metadata = &orphan.unpacked.metadata;
    let mut body = json!({
        "id": metadata.recording,
        "conversationId": metadata.conversation,
        "startTime": times::text(metadata.start_ms),
        "endTime": times::text(metadata.end_ms),
        "media": "audio",
    });
    put(
        &mut body,
        "deleteDate",
        metadata.delete_at_ms.map(times::text),
    );
    body
}

fn is_known(state: &Held, orphan: &Orphan) -> bool {
    state
        .conversations
        .contains(orphan.unpacked.metadata.conversation)
}

/// The communication an orphan hangs on: its own, else the first agent's, else the first there is.
fn leg_for(held: &Conversation, orphan: &Orphan) -> Option<Uuid> {
    let own = orphan.unpacked.metadata.communication;
    let agents = held
        .participants
        .iter()
        .filter(|one| one.role == Role::Agent);
    let of_agent = agents
        .filter_map(|one| {
            held.segments
                .iter()
                .find(|leg| leg.participant == Some(one.id))
        })
        .map(|leg| leg.id)
        .next();
    let stated = held
        .segments
        .iter()
        .find(|leg| leg.id == own)
        .map(|leg| leg.id);
    stated
        .or(of_agent)
        .or_else(|| held.segments.first().map(|leg| leg.id))
}
