//! The guide's interaction, field by field as it is sent; a field it does not have is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Body of `POST /api/v2/interactions` and `PUT /api/v2/interactions/{id}`, and their answer.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Interaction {
    /// UUID the client chose. May be left out in a PUT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    /// `call`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) direction: String,
    pub(super) created_time: String,
    pub(super) updated_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) external_tag: Option<String>,
    #[serde(default)]
    pub(super) participants: Vec<Participant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) routing: Option<Routing>,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) deletion_protection: bool,
    #[serde(default)]
    pub(super) segments: Vec<Segment>,
    /// Written by the server; read and forgotten, so that an answer can be sent back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) self_uri: Option<String>,
}

/// Somebody in the call.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Participant {
    pub(super) id: String,
    /// `agent` or `customer`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wrap_up_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ani: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dnis: Option<String>,
}

/// How the call was routed.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Routing {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) queue: Option<Named>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) skills: Vec<Named>,
}

/// An id, with a name for readers.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    pub(super) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
}

/// One leg.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Segment {
    pub(super) id: String,
    /// `call`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) participant_id: Option<String>,
    pub(super) start: String,
    pub(super) end: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recording: Option<Recording>,
}

/// The recording of a leg.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Recording {
    pub(super) id: String,
    /// `call`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_id: Option<String>,
    /// Kept and never fetched: the guide itself says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<String>,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) duration: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retention: Option<Retention>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) annotations: Vec<Annotation>,
}

/// How long a recording is kept.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Retention {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delete_date: Option<String>,
}

/// A pause.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Annotation {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    /// Milliseconds from the recording's start.
    pub(super) location: u64,
    pub(super) duration_ms: u64,
}

/// What the business key of an interaction is read from, before it is read strictly.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Key {
    pub(super) id: Option<String>,
    pub(super) external_tag: Option<String>,
}
