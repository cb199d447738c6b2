//! Batch downloads: original bytes of up to a hundred recordings, by pre-signed addresses.

use axum::{extract::Path, response::Response};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    GenesysCloud,
    access::{ARCHIVED_BATCH, MediaState},
    endpoint::{AuthorizedRequest, IncomingRequest},
    errors::ApiError,
    limits,
    participant_view::put,
    read::RECORDING,
    rules,
    state::State as Held,
    validate::uuid,
};
use crate::{http::reply::Reply, http::request_context, operations};

/// POST /api/v2/recording/batchrequests.
pub(super) async fn create(incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, _| "-".to_owned(),
            |site, authorized, asked| create_batch(site, authorized, &asked),
        )
        .await
}

/// GET /api/v2/recording/batchrequests/{id}.
pub(super) async fn show(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, authorized| show_batch(site, &id, authorized))
        .await
}

/// What is to be downloaded.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct BatchRequest {
    batch_download_request_list: Vec<Item>,
}

/// One recording, or all of a conversation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Item {
    conversation_id: String,
    recording_id: Option<String>,
}

/// A batch download request that was taken.
#[derive(Clone)]
pub(super) struct Batch {
    client_id: String,
    items: Vec<(Uuid, Option<Uuid>)>,
}

impl Batch {
    /// Makes it another client's.
    #[cfg(test)]
    pub(super) fn give_to(&mut self, client_id: &str) {
        client_id.clone_into(&mut self.client_id);
    }
}

fn create_batch(
    site: &GenesysCloud,
    authorized: &AuthorizedRequest,
    asked: &BatchRequest,
) -> Result<Reply, ApiError> {
    let list = &asked.batch_download_request_list;
    if list.is_empty() {
        return Err(
            ApiError::new(400, "batch.download.bad.request", "the batch has no item")
                .field("batchDownloadRequestList"),
        );
    }
    if list.len() as u64 > limits::BATCH_ITEMS.value {
        site.mark(&limits::BATCH_ITEMS.rule);
        let message = format!(
            "a batch has at most {} {}",
            limits::BATCH_ITEMS.value,
            limits::BATCH_ITEMS.unit
        );
        return Err(ApiError::new(400, "batch.download.too.many.items", message)
            .field("batchDownloadRequestList"));
    }
    let items = list.iter().map(ids).collect::<Result<Vec<_>, ApiError>>()?;
    let ready_at_ms = site.job_done_ms(
        &operations::GENESYS_CLOUD_RUN_BATCH_DOWNLOAD,
        site.settings.batch_ms,
    );
    let operation = &operations::GENESYS_CLOUD_CREATE_BATCHREQUEST;
    let mut state = site.state();
    let id = site.made_id(operation, "-", state.ordinals.next(operation.name));
    state.batches.start(
        id,
        ready_at_ms,
        Batch {
            client_id: authorized.client_id.clone(),
            items,
        },
    );
    Ok(Reply::json(
        200,
        &json!({"id": id, "selfUri": format!("/api/v2/recording/batchrequests/{id}")}),
    ))
}

fn show_batch(
    site: &GenesysCloud,
    id: &str,
    authorized: &AuthorizedRequest,
) -> Result<Reply, ApiError> {
    let state = site.state();
    let (id, job) = uuid(id)
        .and_then(|id| Some((id, state.batches.get(id)?)))
        .ok_or_else(|| {
            ApiError::new(
                404,
                "batch.download.job.not.found",
                "the batch request was not found",
            )
        })?;
    let batch = &job.order;
    if batch.client_id != authorized.client_id {
        site.mark(&rules::BATCH_SUBMITTER);
        let message = "only the client that submitted the batch request may read it";
        return Err(ApiError::new(
            403,
            "batch.download.permission.denied",
            message,
        ));
    }
    let results: Vec<Value> = batch
        .items
        .iter()
        .flat_map(|item| results_of(site, &state, *item))
        .collect();
    if !job.is_done(site.now_ms()) {
        request_context::record_job_pending();
        return Ok(Reply::json(
            200,
            &status(id, results.len(), &[], "InProgress"),
        ));
    }
    request_context::record_job_done();
    Ok(Reply::json(
        200,
        &status(id, results.len(), &results, "Completed"),
    ))
}

fn results_of(
    site: &GenesysCloud,
    state: &Held,
    (conversation, recording): (Uuid, Option<Uuid>),
) -> Vec<Value> {
    let Some(held) = state.conversations.get(conversation) else {
        return vec![failed(
            conversation,
            recording,
            "the conversation was not found",
        )];
    };
    if let Some(why) = site.refusal_of_item(held, RECORDING) {
        return vec![failed(conversation, recording, &why)];
    }
    let chosen: Vec<_> = held
        .recordings
        .iter()
        .filter(|one| recording.is_none_or(|id| one.id == id))
        .collect();
    if chosen.is_empty() {
        return vec![failed(
            conversation,
            recording,
            "the conversation has no such recording",
        )];
    }
    let one_result = |one: &super::conversation::Recording| match site.media_now(&state.files, one)
    {
        Some(media) => json!({
            "conversationId": conversation,
            "recordingId": one.id,
            "resultUrl": site.presign("batch", conversation, one.id, None),
            "contentType": media.content_type,
        }),
        None => {
            site.mark(&rules::BATCH_ERRORS);
            let media_state = site.media_state(one);
            if let MediaState::Archived | MediaState::Restoring = media_state {
                site.mark(&ARCHIVED_BATCH);
            }
            failed(
                conversation,
                Some(one.id),
                &format!("the media is not available ({})", media_state.as_str()),
            )
        }
    };
    chosen
        .into_iter()
        .filter(|one| !site.is_left_out(one))
        .map(one_result)
        .collect()
}

fn ids(item: &Item) -> Result<(Uuid, Option<Uuid>), ApiError> {
    let read = |text: &str, field: &str| {
        uuid(text).ok_or_else(|| {
            ApiError::new(
                400,
                "batch.download.bad.request",
                format!("[{text}] is no id"),
            )
            .field(field)
        })
    };
    let recording = item
        .recording_id
        .as_ref()
        .map(|id| read(id, "recordingId"))
        .transpose()?;
    Ok((read(&item.conversation_id, "conversationId")?, recording))
}

fn failed(conversation: Uuid, recording: Option<Uuid>, why: &str) -> Value {
    let mut body = json!({"conversationId": conversation, "errorMsg": why});
    put(&mut body, "recordingId", recording.map(|id| id.to_string()));
    body
}

fn status(id: Uuid, expected: usize, results: &[Value], status: &str) -> Value {
    let errors = results
        .iter()
        .filter(|result| !result["errorMsg"].is_null())
        .count();
    json!({
        "jobId": id,
        "expectedResultCount": expected,
        "resultCount": results.len(),
        "errorCount": errors,
        "status": status,
        "results": results,
    })
}
