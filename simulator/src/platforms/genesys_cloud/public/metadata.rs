//! `metadata.json` of an uploaded recording. The vendor shows no schema: this one is an assumption,
//! field by field in the contract file.

use serde::Deserialize;
use uuid::Uuid;

use super::{
    super::{conversation::Annotation, times, validate::uuid},
    event::is_v4,
};

/// The version of the schema.
const VERSION: u64 = 1;
/// Reasons of a pause. Source: platform API, Annotation.
const REASONS: [&str; 4] = ["Hold", "SecurePause", "FlowOrQueue", "Pause"];

/// What an upload says of its recording.
#[derive(Clone)]
pub(super) struct Metadata {
    pub(super) conversation: Uuid,
    /// The leg it belongs to.
    pub(super) communication: Uuid,
    /// The recording's id, which the client chooses.
    pub(super) recording: Uuid,
    /// The source's id; absent where it was not stated.
    pub(super) originating_id: Option<String>,
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    /// Name of the audio in the ZIP.
    pub(super) file_name: String,
    /// `audio/mpeg` and the like.
    pub(super) media_type: String,
    /// Absent: never, or what a policy says.
    pub(super) delete_at_ms: Option<i64>,
    pub(super) annotations: Vec<Annotation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Sent {
    version: u64,
    conversation_id: String,
    communication_id: String,
    recording_id: String,
    originating_recording_id: Option<String>,
    start_time: String,
    end_time: String,
    file_name: String,
    media_type: String,
    delete_date: Option<String>,
    #[serde(default)]
    annotations: Vec<SentAnnotation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SentAnnotation {
    #[serde(rename = "type")]
    kind: String,
    reason: Option<String>,
    /// Milliseconds from the recording's start.
    location: u64,
    duration_ms: u64,
}

impl Metadata {
    /// Reads the text of `metadata.json`; the error is a sentence for the upload report.
    pub(super) fn read(text: &[u8]) -> Result<Metadata, String> {
        let sent: Sent = serde_json::from_slice(text)
            .map_err(|error| format!("metadata.json is not valid: {error}"))?;
        if sent.version != VERSION {
            return Err(format!(
                "metadata.json has version {}; this is {VERSION}",
                sent.version
            ));
        }
        let (start_ms, end_ms) = (
            time("startTime", &sent.start_time)?,
            time("endTime", &sent.end_time)?,
        );
        if end_ms < start_ms {
            return Err("endTime is before startTime".to_owned());
        }
        if !sent.media_type.starts_with("audio/") {
            return Err(format!("mediaType [{}] is not audio", sent.media_type));
        }
        Ok(Metadata {
            conversation: v4("conversationId", &sent.conversation_id)?,
            communication: v4("communicationId", &sent.communication_id)?,
            recording: v4("recordingId", &sent.recording_id)?,
            originating_id: sent.originating_recording_id,
            start_ms,
            end_ms,
            file_name: sent.file_name,
            media_type: sent.media_type,
            delete_at_ms: sent
                .delete_date
                .map(|date| time("deleteDate", &date))
                .transpose()?,
            annotations: sent
                .annotations
                .into_iter()
                .map(annotation)
                .collect::<Result<_, _>>()?,
        })
    }
}

fn annotation(sent: SentAnnotation) -> Result<Annotation, String> {
    if sent.kind != "pause" {
        return Err(format!("annotations.type [{}] is not pause", sent.kind));
    }
    match sent.reason.as_deref() {
        Some(reason) if !REASONS.contains(&reason) => Err(format!(
            "annotations.reason [{reason}] is not one of {}",
            REASONS.join(", ")
        )),
        _ => Ok(Annotation {
            kind: sent.kind,
            reason: sent.reason,
            location_ms: sent.location,
            duration_ms: sent.duration_ms,
            ..Annotation::default()
        }),
    }
}

fn time(field: &str, text: &str) -> Result<i64, String> {
    times::parse_instant(text)
        .ok_or_else(|| format!("{field} [{text}] is not an ISO-8601 time with Z or an offset"))
}

fn v4(field: &str, text: &str) -> Result<Uuid, String> {
    uuid(text)
        .filter(is_v4)
        .ok_or_else(|| format!("{field} [{text}] is not a UUID of version 4"))
}
