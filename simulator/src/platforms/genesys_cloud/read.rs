//! The public API's reading of conversations, their recordings and the recordings' metadata.

use std::sync::Arc;

use axum::{extract::Path, response::Response};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    GenesysCloud,
    access::MediaState,
    conversation::{Conversation, Participant, Recording},
    endpoint::{AuthorizedRequest, IncomingRequest, Query},
    errors::ApiError,
    participant_view::{ParticipantView, attributes, put},
    rules,
    settings::name_of,
    stores::{Conversations, Files, Transcodes},
    times,
    validate::uuid,
};
use crate::{http::reply::Reply, http::request_context};

/// What it takes to read a conversation, in its division.
pub(super) const CONVERSATION: &str = "conversation:communication:view";
/// What it takes to read its recordings.
pub(super) const RECORDING: &str = "recording:recording:view";
/// Formats a recording is asked for in; the first where a request names none.
pub(super) const FORMATS: &[&str] = &[
    "WEBM",
    "WAV",
    "WAV_ULAW",
    "OGG_VORBIS",
    "OGG_OPUS",
    "MP3",
    "NONE",
];
/// Milliseconds a request for recordings waits where it does not say.
const MAX_WAIT_MS: u64 = 5_000;
/// Where archived recordings lie.
pub(super) const ARCHIVE_MEDIUM: &str = "CLOUDARCHIVE";
/// The region this organisation stands in.
pub(super) const REGION: &str = "us-east-1";

/// GET /api/v2/conversations/{id}.
pub(super) async fn conversation(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, _| {
            Ok(Reply::json(
                200,
                &conversation_json(
                    site,
                    site.find_covered(&site.state().conversations, &id, CONVERSATION)?,
                ),
            ))
        })
        .await
}

/// GET /api/v2/conversations/{id}/recordings.
pub(super) async fn recordings(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    let wanted = id.clone();
    incoming
        .answer_in_time(&id, |site, authorized| async move {
            recordings_in_time(&site, &wanted, &authorized.query).await
        })
        .await
}

/// GET /api/v2/conversations/{id}/recordings/{recording}.
pub(super) async fn recording(
    Path((id, recording)): Path<(String, String)>,
    incoming: IncomingRequest,
) -> Response {
    let (wanted, of) = (recording.clone(), id.clone());
    let work = |site: Arc<GenesysCloud>, authorized: AuthorizedRequest| async move {
        let format = format_of(&authorized.query)?;
        site.prepare_outputs(files_of(&site, &of, Some(&wanted))?, format)
            .await;
        one_recording(&site, &of, &wanted, format)
    };
    incoming.answer_in_time(&recording, work).await
}

/// GET /api/v2/conversations/{id}/recordingmetadata.
pub(super) async fn metadata(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, _| {
            let state = site.state();
            let held = site.find_covered(&state.conversations, &id, RECORDING)?;
            let shown = held
                .recordings
                .iter()
                .filter(|one| site.is_shown_by_now(one.shown_from_ms));
            let all: Vec<Value> = shown
                .map(|recording| metadata_json(site, held, recording))
                .collect();
            Ok(Reply::json(200, &all))
        })
        .await
}

/// GET /api/v2/conversations/{id}/recordingmetadata/{recording}.
pub(super) async fn metadata_of(
    Path((id, recording)): Path<(String, String)>,
    incoming: IncomingRequest,
) -> Response {
    incoming
        .answer(&recording, |site, _| {
            let state = site.state();
            let held = site.find_covered(&state.conversations, &id, RECORDING)?;
            let one = site.find_shown_recording(held, &recording)?;
            Ok(Reply::json(200, &metadata_json(site, held, one)))
        })
        .await
}

/// A conversation by the id in an address.
pub(super) fn find<'a>(
    conversations: &'a Conversations,
    id: &str,
) -> Result<&'a Conversation, ApiError> {
    let held = uuid(id).and_then(|id| conversations.get(id));
    held.ok_or_else(not_found)
}

/// The answer where there is no such conversation, or none that is shown yet.
pub(super) fn not_found() -> ApiError {
    ApiError::new(
        404,
        "conversation.not.found",
        "the conversation was not found",
    )
}

/// A recording of a conversation by the id in an address.
pub(super) fn find_recording<'a>(
    held: &'a Conversation,
    id: &str,
) -> Result<&'a Recording, ApiError> {
    uuid(id)
        .and_then(|id| held.recording(id))
        .ok_or_else(ApiError::not_found)
}

/// The format that a request asks for.
pub(super) fn format_of(query: &Query) -> Result<&'static str, ApiError> {
    let asked = query
        .one("mediaFormats")
        .or_else(|| query.one("formatId"))
        .unwrap_or(FORMATS[0]);
    let known = FORMATS.iter().copied().find(|format| *format == asked);
    known.ok_or_else(|| {
        ApiError::new(
            400,
            "invalid.query.param.value",
            format!("formatId [{asked}] is unknown"),
        )
        .field("formatId")
    })
}

impl GenesysCloud {
    /// Milliseconds until all are there in a format; starts the transcoding of those never asked
    /// for.
    pub(super) fn transcode(
        &self,
        transcodes: &mut Transcodes,
        wanted: &[(Uuid, Uuid)],
        format: &'static str,
    ) -> u64 {
        let takes_ms = self.settings.transcode_ms;
        if format == "NONE" || takes_ms == 0 {
            return 0;
        }
        self.mark(&rules::TRANSCODING);
        let now = self.now_ms();
        let left = wanted
            .iter()
            .map(|recording| transcodes.left_ms(*recording, format, now, takes_ms));
        left.max().unwrap_or(0)
    }

    /// A Recording of the public API.
    pub(super) fn recording_json(
        &self,
        held: &Conversation,
        seats: &[ParticipantView<'_>],
        one: &Recording,
        format: &'static str,
    ) -> Value {
        let media_state = self.media_state(one);
        let has_media = media_state.has_media();
        let archive_at_ms = self.archive_date(one);
        let seat = seats
            .iter()
            .find(|seat| seat.legs.iter().any(|leg| leg.id == one.segment));
        let users: Vec<Value> = seat
            .and_then(ParticipantView::user)
            .map(|user| json!({"id": user, "version": 1}))
            .into_iter()
            .collect();
        let mut body = json!({
            "id": one.id,
            "conversationId": held.id,
            "startTime": has_media.then(|| times::text(one.start_ms)),
            "endTime": has_media.then(|| times::text(one.end_ms)),
            "media": "audio",
            "mediaSubtype": "Trunk",
            "fileState": media_state.as_str(),
            "creationTime": times::text(one.created_at_ms),
            "recordingFileRole": "CUSTOMER_EXPERIENCE",
            "annotations": self.annotations_json(held.id, one),
            "users": users,
            "selfUri": format!("/api/v2/conversations/{}/recordings/{}", held.id, one.id),
        });
        self.mark(&rules::NONE_IS_ABSENT);
        put(&mut body, "deleteDate", one.delete_at_ms.map(times::text));
        put(&mut body, "archiveDate", archive_at_ms.map(times::text));
        put(
            &mut body,
            "archiveMedium",
            archive_at_ms.map(|_| ARCHIVE_MEDIUM),
        );
        self.put_export(&mut body, one);
        put(
            &mut body,
            "sessionId",
            seat.filter(|_| media_state != MediaState::Archived)
                .map(|seat| seat.session_id.to_string()),
        );
        if format != "NONE" && has_media {
            let uri = self.presign(self.playback_kind(one), held.id, one.id, Some(format));
            put(
                &mut body,
                "mediaUris",
                Some(json!({"0": {"mediaUri": uri}})),
            );
        }
        body
    }
}

/// The recordings of a conversation, as soon as they are there in the format asked for and no later
/// than the request waits.
async fn recordings_in_time(
    site: &Arc<GenesysCloud>,
    id: &str,
    query: &Query,
) -> Result<Reply, ApiError> {
    let format = format_of(query)?;
    let most_ms = query.number("maxWaitMs", MAX_WAIT_MS, 1, u64::from(u32::MAX))?;
    let left_ms = transcoded_in(site, id, format)?;
    if left_ms > 0 {
        site.mark(&rules::MAX_WAIT);
        site.core.clock.sleep_ms(left_ms.min(most_ms)).await;
    }
    if left_ms > most_ms {
        request_context::record_job_pending();
        return Ok(Reply::empty(202));
    }
    site.prepare_outputs(files_of(site, id, None)?, format)
        .await;
    recordings_of(site, id, format)
}

/// The files of a conversation's recordings, or of one of them, that have media, by hash.
fn files_of(site: &GenesysCloud, id: &str, only: Option<&str>) -> Result<Vec<String>, ApiError> {
    let state = site.state();
    let held = site.find_covered(&state.conversations, id, RECORDING)?;
    let only = only.map(|only| uuid(only).unwrap_or_default());
    let wanted = held
        .recordings
        .iter()
        .filter(|one| only.is_none_or(|only| one.id == only));
    Ok(wanted
        .filter_map(|one| site.media_now(&state.files, one))
        .map(|media| media.sha256.clone())
        .collect())
}

/// Milliseconds until the recordings of a conversation are there in a format; 0: they are.
fn transcoded_in(site: &GenesysCloud, id: &str, format: &'static str) -> Result<u64, ApiError> {
    let mut state = site.state();
    let wanted: Vec<(Uuid, Uuid)> = {
        let held = site.find_covered(&state.conversations, id, RECORDING)?;
        let shown = held
            .recordings
            .iter()
            .filter(|one| site.is_shown_by_now(one.shown_from_ms));
        shown
            .filter(|one| site.media_state(one).has_media())
            .map(|one| (held.id, one.id))
            .collect()
    };
    Ok(site.transcode(&mut state.transcodes, &wanted, format))
}

fn recordings_of(site: &GenesysCloud, id: &str, format: &'static str) -> Result<Reply, ApiError> {
    let state = site.state();
    let held = site.find_covered(&state.conversations, id, RECORDING)?;
    let seats = site.seats(held);
    let shown = held
        .recordings
        .iter()
        .filter(|one| site.is_shown_by_now(one.shown_from_ms));
    let json = |one: &Recording| {
        let mut body = site.recording_json(held, &seats, one, format);
        put_output(site, &mut body, &state.files, one, format);
        body
    };
    let all: Vec<Value> = shown.map(json).collect();
    Ok(Reply::json(200, &all))
}

/// What a recording came to in the format asked for, and how long that took.
fn put_output(
    site: &GenesysCloud,
    body: &mut Value,
    files: &Files,
    one: &Recording,
    format: &'static str,
) {
    if format == "NONE" {
        return;
    }
    site.mark(&rules::TRANSCODED_SIZE);
    let media = site.media_now(files, one);
    let output = media
        .and_then(|media| site.output(&media.sha256, format))
        .unwrap_or_default();
    put(body, "outputDurationMs", Some(output.duration_ms));
    put(body, "outputSizeInBytes", Some(output.bytes));
    put(
        body,
        "actualTranscodeTimeMs",
        media.map(|_| site.settings.transcode_ms),
    );
}

fn one_recording(
    site: &GenesysCloud,
    id: &str,
    recording: &str,
    format: &'static str,
) -> Result<Reply, ApiError> {
    let mut state = site.state();
    let wanted = {
        let held = site.find_covered(&state.conversations, id, RECORDING)?;
        let one = site.find_shown_recording(held, recording)?;
        site.media_state(one)
            .has_media()
            .then_some((held.id, one.id))
    };
    let is_ready = site.transcode(&mut state.transcodes, wanted.as_slice(), format) == 0;
    let held = find(&state.conversations, id)?;
    let shown = if is_ready { format } else { "NONE" };
    let one = find_recording(held, recording)?;
    let mut body = site.recording_json(held, &site.seats(held), one, shown);
    if is_ready {
        put_output(site, &mut body, &state.files, one, shown);
    } else {
        put(
            &mut body,
            "estimatedTranscodeTimeMs",
            Some(site.settings.transcode_ms),
        );
    }
    Ok(Reply::json(if is_ready { 200 } else { 202 }, &body))
}

fn metadata_json(site: &GenesysCloud, held: &Conversation, one: &Recording) -> Value {
    let archive_at_ms = site.archive_date(one);
    let mut body = json!({
        "id": one.id,
        "conversationId": held.id,
        "startTime": null,
        "endTime": null,
        "media": "audio",
        "mediaSubtype": "Trunk",
        "fileState": site.media_state(one).as_str(),
        "region": REGION,
        "selfUri": format!("/api/v2/conversations/{}/recordingmetadata/{}", held.id, one.id),
    });
    put(&mut body, "deleteDate", one.delete_at_ms.map(times::text));
    put(&mut body, "archiveDate", archive_at_ms.map(times::text));
    put(
        &mut body,
        "archiveMedium",
        archive_at_ms.map(|_| ARCHIVE_MEDIUM),
    );
    site.put_export(&mut body, one);
    body
}

fn conversation_json(site: &GenesysCloud, held: &Conversation) -> Value {
    let participants: Vec<Value> = site
        .seats(held)
        .iter()
        .map(|seat| participant_json(site, held, seat))
        .collect();
    let mut body = json!({
        "id": held.id,
        "startTime": times::text(held.start_ms),
        "recordingState": if held.is_open() { "ACTIVE" } else { "NONE" },
        "participants": participants,
        "divisions": [{"division": {"id": site.division_of(held).id}, "entities": []}],
        "selfUri": format!("/api/v2/conversations/{}", held.id),
    });
    put(
        &mut body,
        "endTime",
        (!held.is_open()).then(|| times::text(held.end_ms)),
    );
    put(&mut body, "externalTag", held.external_tag.clone());
    body
}

fn participant_json(site: &GenesysCloud, held: &Conversation, seat: &ParticipantView<'_>) -> Value {
    let segments: Vec<Value> = seat
        .spans()
        .into_iter()
        .map(|span| json!({"startTime": times::text(span.start_ms), "endTime": times::text(span.end_ms), "type": span.kind}))
        .collect();
    let state = if seat.is_open() {
        "connected"
    } else {
        "disconnected"
    };
    let mut call = json!({"id": seat.session_id, "state": state, "direction": held.direction.as_str(), "segments": segments});
    put(
        &mut call,
        "disconnectType",
        seat.legs.last().and_then(|leg| leg.how_ended),
    );
    let mut body = json!({
        "id": seat.id,
        "purpose": seat.purpose,
        "startTime": times::text(seat.start_ms),
        "calls": [call],
    });
    put(
        &mut body,
        "endTime",
        (!seat.is_open()).then(|| times::text(seat.end_ms)),
    );
    let answered_ms = seat
        .who
        .filter(|who| who.communication.is_some())
        .and(seat.legs.first())
        .map(|leg| leg.answered_ms);
    put(&mut body, "connectedTime", answered_ms.map(times::text));
    put(
        &mut body,
        "attributes",
        held.other_attributes
            .get(&seat.id)
            .map(|attributes| json!(attributes)),
    );
    if seat.is_customer() {
        let phone = seat.who.and_then(|who| who.phone.clone());
        put(
            &mut body,
            "address",
            phone.or_else(|| held.ani().map(str::to_owned)),
        );
        put(&mut body, "ani", held.ani());
        put(&mut body, "dnis", held.dnis());
        put(&mut body, "attributes", Some(attributes(held)));
    }
    if seat.is_routed() {
        put(
            &mut body,
            "queueId",
            held.queue.as_ref().map(|queue| queue.id.to_string()),
        );
        put(
            &mut body,
            "userId",
            seat.user().map(|user| user.to_string()),
        );
        put(
            &mut body,
            "name",
            seat.user()
                .and_then(|user| name_of(&site.directory().users, user).map(str::to_owned)),
        );
    }
    // Whoever was given the code: where no agent took the call, the customer.
    put(
        &mut body,
        "wrapup",
        seat.who
            .and_then(|who| Some(wrapup_json(site, who, who.wrap_up?))),
    );
    body
}

fn wrapup_json(site: &GenesysCloud, who: &Participant, code: Uuid) -> Value {
    let mut body = json!({"code": code});
    put(&mut body, "name", name_of(&site.directory().wrapups, code));
    if let Some(words) = &who.wrap_up_words {
        put(&mut body, "notes", words.notes.clone());
        put(&mut body, "tags", Some(json!(words.tags)));
        put(&mut body, "endTime", Some(times::text(words.at_ms)));
    }
    body
}
