//! `PUT /api/v2/conversations/{id}/recordings/{recording}`: when a recording is archived and
//! deleted.

use axum::{extract::Path, response::Response};
use serde::Deserialize;

use super::{
    rules,
    stores::{Action, Noted, Subject, Told},
};
use crate::{
    http::reply::Reply,
    platforms::genesys_cloud::{
        GenesysCloud,
        access::MediaState,
        conversation::{Conversation, FileState, Recording},
        endpoint::{IncomingRequest, Query},
        errors::ApiError,
        read::find,
        validate::uuid,
    },
};

/// What it takes to see a recording.
const VIEW: &str = "recording:recording:view";
/// What it takes to bring a recording back from the archive.
const RESTORE: &str = "recording:recording:restore";
/// What it takes to change dates.
const EDIT: &str = "recording:recording:editRetention";

/// PUT /api/v2/conversations/{id}/recordings/{recording}.
pub(in crate::platforms::genesys_cloud) async fn update(
    Path((id, recording)): Path<(String, String)>,
    incoming: IncomingRequest,
) -> Response {
    incoming
        .answer_json(
            |_, _| recording.clone(),
            |site, authorized, sent| {
                update_recording(site, &id, &recording, &sent, &authorized.query)
            },
        )
        .await
}

/// A Recording, of which two fields count. Nothing else of it is refused: a client sends back what
/// it has read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dates {
    archive_date: Option<String>,
    delete_date: Option<String>,
}

fn update_recording(
    site: &GenesysCloud,
    id: &str,
    recording: &str,
    sent: &Dates,
    query: &Query,
) -> Result<Reply, ApiError> {
    let date = |field: &str, text: &Option<String>| {
        text.as_ref()
            .map(|text| site.instant(field, text))
            .transpose()
    };
    let (archive, delete) = (
        date("archiveDate", &sent.archive_date)?,
        date("deleteDate", &sent.delete_date)?,
    );
    if let (Some(archive), Some(delete)) = (archive, delete)
        && delete <= archive
    {
        return Err(ApiError::new(
            400,
            "constraint.validation",
            "deleteDate must be after archiveDate",
        )
        .field("deleteDate"));
    }
    let now_ms = site.now_ms();
    let mut state = site.state();
    if find(&state.conversations, id).is_err() {
        may_edit(site)?;
    }
    let held = site.find_covered(&state.conversations, id, VIEW)?;
    let (conversation, one) = (held.id, changeable(held, recording)?);
    let recording = one.id;
    let restores =
        site.media_state(one) == MediaState::Archived && archive != site.archive_date(one);
    may_change_dates(site, one, restores, delete)?;
    if site.beyond_maximum(held.start_ms, delete).is_some() {
        return Err(ApiError::beyond_retention("deleteDate"));
    }
    [&rules::RECORDING_DATES, &rules::RECORDING_DATES_ABSENT]
        .into_iter()
        .for_each(|rule| site.mark(rule));
    let told = Told::Dates {
        from: [site.archive_date(one), one.delete_at_ms],
        to: [archive, delete],
    };
    state.public.audit_log.add(
        site.now_ms(),
        Noted::new(Subject::Recording, Action::Update, recording).telling(told),
    );
    let restored_at_ms = restores.then(|| site.restored_at_ms());
    state
        .conversations
        .change_recording(conversation, recording, |one| {
            (one.archive_at_ms, one.delete_at_ms) = (archive, delete);
            if query.truth("clearExport") == Some(true) {
                one.export_at_ms = one.export_at_ms.filter(|at_ms| *at_ms <= now_ms);
            }
            one.restored_at_ms = restored_at_ms.or(one.restored_at_ms);
        });
    let held = find(&state.conversations, id)?;
    let one = held.recording(recording).ok_or_else(ApiError::not_found)?;
    Ok(Reply::json(
        200,
        &site.recording_json(held, &site.seats(held), one, "NONE"),
    )
    .effect("updated"))
}

/// Refuses a change whose permission the client lacks. To restore is a permission of its own, and
/// needs no other unless more is changed.
fn may_change_dates(
    site: &GenesysCloud,
    one: &Recording,
    restores: bool,
    delete_at_ms: Option<i64>,
) -> Result<(), ApiError> {
    if restores && site.lacking(&[RESTORE]).is_some() {
        let message = "improper permissions found when attempting to restore recordings";
        return Err(ApiError::new(
            403,
            "recording.recording.restore.permission.check.failed",
            message,
        ));
    }
    let is_more = !restores || delete_at_ms != one.delete_at_ms;
    if is_more { may_edit(site) } else { Ok(()) }
}

fn may_edit(site: &GenesysCloud) -> Result<(), ApiError> {
    if site.lacking(&[EDIT]).is_none() {
        return Ok(());
    }
    let message = "Failed to verify recording edit retention permission.";
    Err(ApiError::new(
        403,
        "recording.recording.edit.retention.permission.check.failed",
        message,
    ))
}

/// A recording whose dates may be changed.
fn changeable<'a>(held: &'a Conversation, id: &str) -> Result<&'a Recording, ApiError> {
    let one = uuid(id)
        .and_then(|id| held.recording(id))
        .ok_or_else(ApiError::not_found)?;
    match one.file_state {
        FileState::Available => Ok(one),
        FileState::Uploading | FileState::Deleted | FileState::Error => Err(ApiError::new(
            400,
            "recording.not.archivable",
            "Recording has been deleted or is still uploading",
        )),
    }
}
