//! A recording's annotations: the pauses it came with, and what clients write beside its sound.

use axum::{extract::Path, response::Response};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    GenesysCloud,
    conversation::{Annotation, Recording},
    endpoint::IncomingRequest,
    errors::ApiError,
    limits,
    participant_view::put,
    read::{self, RECORDING},
    rules,
    state::State as Held,
    validate::uuid,
};
use crate::{http::reply::Reply, operations};

/// GET /api/v2/conversations/{id}/recordings/{recording}/annotations.
pub(super) async fn list(
    Path((id, recording)): Path<(String, String)>,
    incoming: IncomingRequest,
) -> Response {
    incoming
        .answer(&recording, |site, _| {
            let state = site.state();
            let held = site.find_covered(&state.conversations, &id, RECORDING)?;
            Ok(Reply::json(
                200,
                &site.annotations_json(held.id, read::find_recording(held, &recording)?),
            ))
        })
        .await
}

/// POST /api/v2/conversations/{id}/recordings/{recording}/annotations.
pub(super) async fn create(
    Path((id, recording)): Path<(String, String)>,
    incoming: IncomingRequest,
) -> Response {
    incoming
        .answer_json(
            |_, _| recording.clone(),
            |site, _, sent| create_annotation(site, &id, &recording, sent),
        )
        .await
}

/// GET /api/v2/conversations/{id}/recordings/{recording}/annotations/{annotation}.
pub(super) async fn show(
    Path((id, recording, annotation)): Path<(String, String, String)>,
    incoming: IncomingRequest,
) -> Response {
    incoming
        .answer(&annotation, |site, _| {
            let state = site.state();
            let held = site.find_covered(&state.conversations, &id, RECORDING)?;
            let one = read::find_recording(held, &recording)?;
            annotation_json(site, held.id, one, annotation_id(site, one, &annotation)?)
                .map(|shown| Reply::json(200, &shown))
        })
        .await
}

/// PUT /api/v2/conversations/{id}/recordings/{recording}/annotations/{annotation}.
pub(super) async fn update(
    Path((id, recording, annotation)): Path<(String, String, String)>,
    incoming: IncomingRequest,
) -> Response {
    let work = |site: &GenesysCloud, _: &_, sent| {
        update_annotation(site, &id, &recording, &annotation, sent)
    };
    incoming.answer_json(|_, _| annotation.clone(), work).await
}

/// DELETE /api/v2/conversations/{id}/recordings/{recording}/annotations/{annotation}.
pub(super) async fn delete(
    Path((id, recording, annotation)): Path<(String, String, String)>,
    incoming: IncomingRequest,
) -> Response {
    incoming
        .answer(&annotation, |site, _| {
            delete_annotation(site, &id, &recording, &annotation)
        })
        .await
}

/// Annotation of the API description.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Sent {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
    description: Option<String>,
    location: Option<i64>,
    duration_ms: Option<i64>,
    /// The same places in other clocks, which are one here; the server's own fields below. A client
    /// sends back what it has read.
    #[serde(rename = "absoluteLocation")]
    _absolute_location: Option<i64>,
    #[serde(rename = "absoluteDurationMs")]
    _absolute_duration_ms: Option<i64>,
    #[serde(rename = "recordingLocation")]
    _recording_location: Option<i64>,
    #[serde(rename = "recordingDurationMs")]
    _recording_duration_ms: Option<i64>,
    #[serde(rename = "realtimeLocation")]
    _realtime_location: Option<i64>,
    #[serde(rename = "id")]
    _id: Option<String>,
    #[serde(rename = "reason")]
    _reason: Option<String>,
    #[serde(rename = "user")]
    _user: Option<Value>,
    #[serde(rename = "annotations")]
    _annotations: Option<Value>,
    #[serde(rename = "selfUri")]
    _self_uri: Option<String>,
}

impl Sent {
    /// What is said, as it is kept; a reason is the platform's own and stays what it was.
    fn said(
        self,
        site: &GenesysCloud,
        before: Option<&Annotation>,
    ) -> Result<Annotation, ApiError> {
        let most = &limits::ANNOTATION_TEXT;
        if self
            .description
            .as_ref()
            .is_some_and(|text| text.chars().count() as u64 > most.value)
        {
            site.mark(&most.rule);
            let message = format!("description has at most {} {}", most.value, most.unit);
            return Err(ApiError::new(400, "constraint.validation", message).field("description"));
        }
        let place = |field: &str, ms: Option<i64>| {
            u64::try_from(ms.unwrap_or(0))
                .map_err(|_| ApiError::invalid_value(field, field, &ms.unwrap_or(0).to_string()))
        };
        Ok(Annotation {
            id: before.and_then(|before| before.id),
            kind: self
                .kind
                .or_else(|| Some(before?.kind.clone()))
                .unwrap_or_else(|| BOOKMARK.to_owned()),
            reason: before.and_then(|before| before.reason.clone()),
            name: self.name,
            description: self.description,
            location_ms: place("location", self.location)?,
            duration_ms: place("durationMs", self.duration_ms)?,
        })
    }
}

/// What an annotation is that does not say it.
const BOOKMARK: &str = "bookmark";

impl GenesysCloud {
    /// The annotations of a recording, as it shows them.
    pub(super) fn annotations_json(&self, conversation: Uuid, one: &Recording) -> Vec<Value> {
        one.annotations
            .iter()
            .map(|held| written(self, conversation, one, held))
            .collect()
    }
}

fn create_annotation(
    site: &GenesysCloud,
    id: &str,
    recording: &str,
    sent: Sent,
) -> Result<Reply, ApiError> {
    site.mark(&rules::ANNOTATION_WRITTEN);
    let operation = &operations::GENESYS_CLOUD_CREATE_ANNOTATION;
    let made = sent.said(site, None)?;
    let mut state = site.state();
    let key = read::find_recording(
        site.find_covered(&state.conversations, id, RECORDING)?,
        recording,
    )?
    .id;
    let annotation = site.made_id(
        operation,
        &key.to_string(),
        state.ordinals.next_of(operation.name, &key.to_string()),
    );
    change_annotations(&mut state, id, recording, |all| {
        all.push(Annotation {
            id: Some(annotation),
            ..made
        })
    })?;
    shown_annotation(site, &state, id, recording, annotation, "created")
}

fn update_annotation(
    site: &GenesysCloud,
    id: &str,
    recording: &str,
    annotation: &str,
    sent: Sent,
) -> Result<Reply, ApiError> {
    site.mark(&rules::ANNOTATION_WRITTEN);
    let mut state = site.state();
    let one = read::find_recording(
        site.find_covered(&state.conversations, id, RECORDING)?,
        recording,
    )?;
    let annotation = annotation_id(site, one, annotation)?;
    let at = one
        .annotations
        .iter()
        .position(|held| id_of(site, one, held) == annotation)
        .ok_or_else(unknown)?;
    let said = sent.said(site, Some(&one.annotations[at]))?;
    change_annotations(&mut state, id, recording, |all| all[at] = said)?;
    shown_annotation(site, &state, id, recording, annotation, "updated")
}

fn delete_annotation(
    site: &GenesysCloud,
    id: &str,
    recording: &str,
    annotation: &str,
) -> Result<Reply, ApiError> {
    site.mark(&rules::ANNOTATION_WRITTEN);
    let mut state = site.state();
    let one = read::find_recording(
        site.find_covered(&state.conversations, id, RECORDING)?,
        recording,
    )?;
    let annotation = annotation_id(site, one, annotation)?;
    let kept: Vec<Annotation> = one
        .annotations
        .iter()
        .filter(|held| id_of(site, one, held) != annotation)
        .cloned()
        .collect();
    change_annotations(&mut state, id, recording, |all| *all = kept)?;
    Ok(Reply::empty(204).effect("deleted"))
}

fn shown_annotation(
    site: &GenesysCloud,
    state: &Held,
    id: &str,
    recording: &str,
    annotation: Uuid,
    effect: &'static str,
) -> Result<Reply, ApiError> {
    let held = read::find(&state.conversations, id)?;
    let one = read::find_recording(held, recording)?;
    Ok(Reply::json(200, &annotation_json(site, held.id, one, annotation)?).effect(effect))
}

/// The id of an annotation: a client's its own, all others of a recording the same.
fn id_of(site: &GenesysCloud, one: &Recording, held: &Annotation) -> Uuid {
    held.id.unwrap_or_else(|| {
        site.seed()
            .child("annotation")
            .child(&one.id.to_string())
            .uuid()
    })
}

/// An annotation's id in an address, where the recording has such a one.
fn annotation_id(site: &GenesysCloud, one: &Recording, sent: &str) -> Result<Uuid, ApiError> {
    let wanted = uuid(sent).ok_or_else(unknown)?;
    one.annotations
        .iter()
        .map(|held| id_of(site, one, held))
        .find(|id| *id == wanted)
        .ok_or_else(unknown)
}

/// One annotation by its id; where several pauses share it, the first, with all of them inside.
fn annotation_json(
    site: &GenesysCloud,
    conversation: Uuid,
    one: &Recording,
    id: Uuid,
) -> Result<Value, ApiError> {
    let of_it = one
        .annotations
        .iter()
        .filter(|held| id_of(site, one, held) == id);
    let all: Vec<Value> = of_it
        .map(|held| written(site, conversation, one, held))
        .collect();
    let mut shown = all.first().cloned().ok_or_else(unknown)?;
    if all.len() > 1 {
        site.mark(&rules::PAUSES_SHARE_AN_ID);
        put(&mut shown, "annotations", Some(json!(all)));
    }
    Ok(shown)
}

fn written(site: &GenesysCloud, conversation: Uuid, one: &Recording, held: &Annotation) -> Value {
    let id = id_of(site, one, held);
    let mut body = json!({
        "id": id,
        "type": held.kind,
        "location": held.location_ms,
        "durationMs": held.duration_ms,
        "selfUri": format!("/api/v2/conversations/{conversation}/recordings/{}/annotations/{id}", one.id),
    });
    put(&mut body, "reason", held.reason.clone());
    put(&mut body, "name", held.name.clone());
    put(&mut body, "description", held.description.clone());
    body
}

fn change_annotations(
    state: &mut Held,
    id: &str,
    recording: &str,
    how: impl FnOnce(&mut Vec<Annotation>),
) -> Result<(), ApiError> {
    let id = uuid(id).ok_or_else(read::not_found)?;
    let changed = uuid(recording).and_then(|one| {
        state
            .conversations
            .change_recording(id, one, |one| how(&mut one.annotations))
    });
    changed.ok_or_else(ApiError::not_found)
}

fn unknown() -> ApiError {
    ApiError::new(
        404,
        "recording.annotation.not.found",
        "The recording annotation was not found.",
    )
}
