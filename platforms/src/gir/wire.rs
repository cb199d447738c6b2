//! A recording as RWS takes and tells it. Source: Insertion API; Search, Playback, and Delete API.
//!
//! Four spellings are kept apart: `callUUID` of a media file, `callUuid` of its parameters,
//! `calluuid` of an event; `username` of parameters and `userName` of a contact. What is masked for
//! privacy is absent on reading, so nothing is required but the id.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One recording.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    /// Primary key; the client's duty to keep unique.
    pub id: String,
    /// Who called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_phone_number: Option<String>,
    /// Who was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialed_phone_number: Option<String>,
    /// Region of the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Internal, Inbound, Outbound, Consult or Unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_type: Option<String>,
    /// Read only: start of the first media file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// Read only: end of the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_time: Option<String>,
    /// Its media; at least one on insertion.
    #[serde(default)]
    pub media_files: Vec<MediaFile>,
    /// What happened during the call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event_history: Vec<Event>,
    /// Read only: names of its labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
    /// Read only: tagged for non-deletion. Absent: not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub non_delete: Option<bool>,
}

/// One media file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MediaFile {
    /// Call UUID, in capitals.
    #[serde(rename = "callUUID", default, skip_serializing_if = "Option::is_none")]
    pub call_uuid: Option<String>,
    /// ISO time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// ISO time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_time: Option<String>,
    /// Unique across the system, by the client's duty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_id: Option<String>,
    /// Media type.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// Milliseconds as decimal text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// Bytes of the stored file as decimal text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// Who was recorded, and how it is found.
    #[serde(default, skip_serializing_if = "Parameters::is_empty")]
    pub parameters: Parameters,
    /// Pauses and what ends them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masks: Vec<Mask>,
    /// PEM of the enveloped data. Absent: the file is stored clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pkcs7: Option<String>,
    /// Certificates it is encrypted for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cert_alias: Vec<String>,
    /// Partitions it belongs to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<String>,
    /// Access groups that may hear it.
    #[serde(
        default,
        rename = "accessgroups",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub access_groups: Vec<String>,
    /// On insertion: where the file lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_descriptor: Option<Descriptor>,
    /// On reading: the same as stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_media_descriptor: Option<Descriptor>,
    /// On reading: where RWS plays it from; follow it, never build it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_uri: Option<String>,
}

impl MediaFile {
    /// Absolute address of the file, as stored.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.original_media_descriptor
            .as_ref()
            .or(self.media_descriptor.as_ref())
            .map(|descriptor| descriptor.path.as_str())
    }
}

/// `parameters` of a media file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameters {
    /// Agent's user name. Absent: no agent was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Agent's login; only with a user name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// Number that called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ani: Option<String>,
    /// Number that was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dnis: Option<String>,
    /// Call UUID once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_uuid: Option<String>,
    /// SpeechMiner's cross reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What no page names.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

impl Parameters {
    fn is_empty(&self) -> bool {
        *self == Parameters::default()
    }
}

/// When a recording was paused, or went on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mask {
    /// ISO time.
    pub time: String,
    /// `paused` or `resume`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// Where bytes lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    /// `webDAV`.
    pub storage: String,
    /// Absolute URL.
    pub path: String,
}

/// Something that happened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// ISO time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<String>,
    /// Joined, Left or Data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Call UUID, in this spelling.
    #[serde(default, rename = "calluuid", skip_serializing_if = "Option::is_none")]
    pub call_uuid: Option<String>,
    /// Joined, Left: who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// Data: its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// Data: `added`, `updated`, `deleted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// Who joined or left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// User or External.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// User: name in the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// User: first name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// User: last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
}

/// A label on a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Its name.
    pub name: String,
}

/// What SpeechMiner's simulated receiver tells of one recording.
#[derive(Debug, Clone, Deserialize)]
pub struct Posted {
    /// Recording id.
    pub id: String,
    /// How often it stands there.
    pub posts: u64,
    /// As it was posted.
    pub recording: Recording,
}

/// A page of SpeechMiner's recordings.
#[derive(Debug, Clone, Deserialize)]
pub struct PostedPage {
    /// In the order of their ids.
    pub recordings: Vec<PostedRow>,
    /// Goes on behind this id. Absent: that was all.
    pub next: Option<String>,
}

/// What SpeechMiner has of a recording.
#[derive(Debug, Clone, Deserialize)]
pub struct PostedRow {
    /// Recording id.
    pub id: String,
    /// How often it stands there.
    pub posts: u64,
    /// ISO time. Absent: not given.
    pub start: Option<String>,
    /// Seconds.
    pub duration_s: Option<f64>,
    /// Folder of its files.
    pub folder: Option<String>,
    /// Names of its files.
    #[serde(default)]
    pub filenames: Vec<String>,
}
