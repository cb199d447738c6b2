//! `PUT /api/v2/conversations/{id}/recordings/{recording}`: when a recording is archived and deleted.

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde::Deserialize;

use super::rules;
use crate::{
    fault::operations,
    front::Reply,
    genesys_cloud::{
        GenesysCloud, Site,
        accept::uuid,
        door::Door,
        errors::ApiError,
        read::find,
        state::{Conversation, FileState},
        times,
    },
};

/// What it takes to change dates.
const EDIT: &str = "recording:recording:editRetention";

/// PUT /api/v2/conversations/{id}/recordings/{recording}.
pub(in crate::genesys_cloud) async fn update(
    State(site): Site,
    Path((id, recording)): Path<(String, String)>,
    request: Request,
) -> Response {
    let operation = &operations::GENESYS_CLOUD_UPDATE_RECORDING;
    let door = Door { site, operation, request };
    door.answer_json(|_, _| recording.clone(), |site, _, sent| site.update_recording(&id, &recording, &sent)).await
}

/// A Recording, of which two fields count. Nothing else of it is refused: a client sends back what it has read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dates {
    archive_date: Option<String>,
    delete_date: Option<String>,
}

impl GenesysCloud {
    fn update_recording(&self, id: &str, recording: &str, sent: &Dates) -> Result<Reply, ApiError> {
        if self.lacking(&[EDIT]).is_some() {
            let message = "Failed to verify recording edit retention permission.";
            return Err(ApiError::new(403, "recording.recording.edit.retention.permission.check.failed", message));
        }
        let (archive, delete) = (date("archiveDate", sent.archive_date.as_ref())?, date("deleteDate", sent.delete_date.as_ref())?);
        if let (Some(archive), Some(delete)) = (archive, delete)
            && delete <= archive
        {
            return Err(ApiError::new(400, "constraint.validation", "deleteDate must be after archiveDate").field("deleteDate"));
        }
        let mut state = self.state();
        let held = find(&state, id)?;
        let (conversation, recording) = (held.id, self.changeable(held, recording)?);
        if self.beyond_maximum(held.start_ms, delete).is_some() {
            return Err(ApiError::beyond_retention("deleteDate"));
        }
        [&rules::RECORDING_DATES, &rules::RECORDING_DATES_ABSENT].into_iter().for_each(|rule| self.mark(rule));
        let mut held = state.conversations.get_mut(&conversation);
        if let Some(one) = held.as_mut().and_then(|held| held.recordings.iter_mut().find(|one| one.id == recording)) {
            (one.archive_at_ms, one.delete_at_ms) = (archive, delete);
        }
        let held = find(&state, id)?;
        let one = held.recording(recording).ok_or_else(ApiError::not_found)?;
        Ok(Reply::json(200, &self.recording_json(held, &self.seats(held), one, "NONE")).effect("updated"))
    }

    /// A recording whose dates may be changed.
    fn changeable(&self, held: &Conversation, id: &str) -> Result<uuid::Uuid, ApiError> {
        let one = uuid(id).and_then(|id| held.recording(id)).ok_or_else(ApiError::not_found)?;
        match one.file_state {
            FileState::Available => Ok(one.id),
            FileState::Uploading | FileState::Deleted | FileState::Error => {
                Err(ApiError::new(400, "recording.not.archivable", "Recording has been deleted or is still uploading"))
            }
        }
    }
}

fn date(field: &str, sent: Option<&String>) -> Result<Option<i64>, ApiError> {
    let Some(text) = sent else { return Ok(None) };
    times::parse_utc(text).map(Some).ok_or_else(|| ApiError::invalid_date(field, text))
}
