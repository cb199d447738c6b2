//! A recording as it is inserted and as it is read: the same fields, but for the descriptor's name
//! and what the server adds.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::dates::UtcMillis;

/// What is posted.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Inserted {
    pub(super) id: String,
    pub(super) caller_phone_number: String,
    pub(super) dialed_phone_number: String,
    pub(super) region: String,
    #[serde(default)]
    pub(super) call_type: Option<String>,
    pub(super) media_files: Vec<MediaFile>,
    #[serde(default)]
    pub(super) event_history: Vec<Event>,
}

/// A media file: one segment of the call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MediaFile {
    #[serde(rename = "callUUID")]
    pub(super) call_uuid: String,
    pub(super) start_time: UtcMillis,
    pub(super) stop_time: UtcMillis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) media_id: Option<String>,
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) mime: Option<String>,
    /// Milliseconds as decimal text; whatever was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) duration: Option<String>,
    /// Bytes as decimal text; whatever was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tenant: Option<String>,
    #[serde(
        default,
        rename = "ivrprofile",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) ivr_profile: Option<String>,
    /// With the keys no page names.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(super) parameters: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) masks: Vec<Mask>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pkcs7: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) cert_alias: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) partitions: Vec<String>,
    #[serde(
        default,
        rename = "accessgroups",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(super) access_groups: Vec<String>,
    #[serde(rename(serialize = "originalMediaDescriptor", deserialize = "mediaDescriptor"))]
    pub(super) descriptor: Descriptor,
}

/// When a recording was paused or went on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Mask {
    pub(super) time: UtcMillis,
    #[serde(rename = "type")]
    pub(super) kind: String,
}

/// Where the bytes lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Descriptor {
    pub(super) storage: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) storage_version: Option<String>,
    pub(super) path: String,
}

/// Something that happened during the call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    pub(super) occurred_at: UtcMillis,
    pub(super) event: String,
    #[serde(default, rename = "calluuid", skip_serializing_if = "Option::is_none")]
    pub(super) call_uuid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) contact: Option<Contact>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) event_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Map<String, Value>>,
}

/// Who joined or left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Contact {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) phone_number: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) user_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) first_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_name: Option<String>,
}

/// What is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Read<'a> {
    pub(super) id: &'a str,
    pub(super) caller_phone_number: &'a str,
    pub(super) dialed_phone_number: &'a str,
    pub(super) region: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) call_type: Option<&'a str>,
    pub(super) start_time: UtcMillis,
    pub(super) stop_time: UtcMillis,
    pub(super) media_files: Vec<ReadMedia<'a>>,
    pub(super) event_history: &'a [Event],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) labels: Option<Value>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) non_delete: bool,
}

/// A media file with what the server adds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReadMedia<'a> {
    pub(super) media_uri: String,
    pub(super) media_path: String,
    pub(super) play_path: String,
    #[serde(flatten)]
    pub(super) file: &'a MediaFile,
}
