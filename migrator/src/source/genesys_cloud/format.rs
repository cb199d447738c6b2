//! How answers of an organisation are read back from the ledger: nothing is asked.

use plan::{Reason, TimeRules};
use platforms::genesys_cloud::wire::Recording;

use super::entity::{Listed, at};
use super::normalise::normalise;
use crate::canonical::Canonical;
use crate::error::{Aside, StepError};
use crate::ledger::{InteractionRow, RecordingRow};
use crate::source::{NoRecord, RawRecording, SourceFormat};

/// How an organisation writes its answers.
pub(crate) struct GenesysCloudFormat;
pub(crate) static FORMAT: GenesysCloudFormat = GenesysCloudFormat;

impl SourceFormat for GenesysCloudFormat {
    fn listing_request(&self) -> &'static str {
        "GET /api/v2/analytics/conversations/details/jobs/{}/results"
    }

    fn unreadable(&self, entity: &str) -> Option<String> {
        Listed::read(entity).err()
    }

    fn listed(&self, entity: &str, rules: &TimeRules) -> Result<Canonical, NoRecord> {
        let listed = Listed::read(entity).map_err(|_| NoRecord::Unreadable)?;
        normalise(&listed, &[], rules).map_err(|_| NoRecord::TimeUnusable)
    }

    fn normalise(&self, row: &InteractionRow, rules: &TimeRules) -> Result<Canonical, StepError> {
        let listed = Listed::read(&row.entity).map_err(|why| {
            StepError::aside(
                Reason::SourceUnreadable,
                format!("conversation {} cannot be read: {why}", row.legacy_id),
            )
        })?;
        // One that stays behind may have no record that can be read: it was put aside when it was
        // staged.
        let recordings = row
            .recordings
            .iter()
            .filter(|recording| recording.outcome.is_none() || recording.staged_sha256.is_some());
        let recordings = recordings
            .map(|recording| {
                recording_of(recording).ok_or_else(|| {
                    StepError::aside(
                        Reason::SourceUnreadable,
                        format!(
                            "the record of recording {} cannot be read",
                            recording.legacy_id
                        ),
                    )
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        normalise(&listed, &recordings, rules).map_err(|_| {
            let text = |time: &Option<String>| {
                time.as_deref()
                    .unwrap_or("none")
                    .chars()
                    .take(40)
                    .collect::<String>()
            };
            StepError::aside(
                Reason::TimeUnusable,
                format!(
                    "no instant can be made of start `{}` and end `{}`",
                    text(&listed.conversation.conversation_start),
                    text(&listed.conversation.conversation_end)
                ),
            )
        })
    }

    /// Recordings of the platform have no file name.
    fn file_name(&self, _: &RecordingRow) -> Option<String> {
        None
    }

    /// Nothing states the size of the original file (platform API, Recording).
    fn declared_bytes(&self, _: &RecordingRow) -> Option<u64> {
        None
    }

    fn may_have_pauses(&self, recording: &RecordingRow) -> bool {
        recording_of(recording).is_some_and(|recording| !recording.annotations.is_empty())
    }
}

fn recording_of(row: &RecordingRow) -> Option<Recording> {
    let raw: RawRecording = serde_json::from_str(row.answer.as_deref()?).ok()?;
    serde_json::from_str(raw.body.get()).ok()
}

/// A recording's record, where its audio can be had; else why it stays behind.
pub(super) fn available(body: &str, legacy_id: &str) -> Result<Recording, Aside> {
    let recording: Recording = serde_json::from_str(body).map_err(|error| {
        let why = format!(
            "the record of recording {legacy_id} cannot be read: {}",
            at(&error)
        );
        Aside::new(Reason::SourceUnreadable, why)
    })?;
    // The stub of an archived recording has dates of its archiving, and need not say so in words.
    let is_stub = recording.start_time.is_none()
        && (recording.archive_medium.is_some() || recording.archive_date.is_some());
    let state = match (&recording.file_state, is_stub) {
        (Some(state), _) => state.to_ascii_uppercase(),
        (None, true) => "ARCHIVED".to_owned(),
        (None, false) => return Ok(recording),
    };
    match state.as_str() {
        "AVAILABLE" | "RESTORED" => Ok(recording),
        "DELETED" => Err(Aside::new(
            Reason::SourceDeleted,
            "the organisation has deleted its audio (fileState DELETED)",
        )),
        "ARCHIVED" => Err(Aside::new(
            Reason::SourceNotAvailable,
            "its audio lies in the archive (fileState ARCHIVED): restore it in the source",
        )),
        state => Err(Aside::new(
            Reason::SourceNotAvailable,
            format!("its audio cannot be had now (fileState {state})"),
        )),
    }
}
