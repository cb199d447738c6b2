//! The source's JSON, exactly as sent. Source: scenarios/contracts/legacy.

use serde::{Deserialize, Deserializer};

/// An interaction as the query lists it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Interaction {
    /// An integer in the source; decimal text here, because it may exceed what a JSON number keeps.
    #[serde(deserialize_with = "id_text")]
    pub id: String,
    /// Start as the recorder's clock had it.
    #[serde(default)]
    pub start_time: SourceTime,
    /// End as the recorder's clock had it.
    #[serde(default)]
    pub end_time: SourceTime,
    /// Time in queue. Milliseconds.
    pub wait_time_ms: Option<i64>,
    /// Time in conversation. Milliseconds.
    pub talk_time_ms: Option<i64>,
    /// `INBOUND` or `OUTBOUND`.
    pub direction: Option<String>,
    /// First agent.
    pub agent_id: Option<String>,
    /// Extension, shared by several agents: never an identity.
    pub agent_extension: Option<String>,
    /// Queue.
    pub queue_id: Option<String>,
    /// Skill that was asked for.
    pub skill: Option<String>,
    /// Name of the skill group.
    pub skill_group: Option<String>,
    /// IVR node the call came through.
    pub ivr_node_id: Option<String>,
    /// Outcome.
    pub disposition_code: Option<String>,
    /// Wrap-up code.
    pub wrap_up_code: Option<String>,
    /// Number that called, raw or masked.
    pub caller_number: Option<String>,
    /// Number that was called, raw or masked.
    pub dialled_number: Option<String>,
    /// Whether the numbers above are masked.
    pub numbers_masked: Option<bool>,
    /// Recorder whose clock stamped the times.
    pub recorder_node: Option<String>,
    /// Legs, in order.
    #[serde(default)]
    pub segments: Vec<Segment>,
    /// Recordings, in order.
    #[serde(default)]
    pub recordings: Vec<RecordingRef>,
}

/// What ties an interaction and its recordings together, and nothing else of it.
#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    /// Interaction, decimal text.
    #[serde(deserialize_with = "id_text")]
    pub id: String,
    /// Its recordings, in order.
    #[serde(default)]
    pub recordings: Vec<RecordingRef>,
}

/// One leg of an interaction.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Segment {
    /// Leg.
    #[serde(deserialize_with = "id_text")]
    pub id: String,
    /// Agent of this leg.
    pub agent_id: Option<String>,
    /// Start as the recorder's clock had it.
    #[serde(default)]
    pub start_time: SourceTime,
    /// End as the recorder's clock had it.
    #[serde(default)]
    pub end_time: SourceTime,
}

/// A recording as the query names it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordingRef {
    /// Recording.
    #[serde(deserialize_with = "id_text")]
    pub id: String,
    /// Leg it was made on.
    #[serde(default, deserialize_with = "optional_id_text")]
    pub segment_id: Option<String>,
}

/// A recording's own answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    /// Recording.
    #[serde(deserialize_with = "id_text")]
    pub id: String,
    /// Interaction it belongs to.
    #[serde(deserialize_with = "id_text")]
    pub interaction_id: String,
    /// Leg it was made on.
    #[serde(default, deserialize_with = "optional_id_text")]
    pub segment_id: Option<String>,
    /// Start as the recorder's clock had it.
    #[serde(default)]
    pub start_time: SourceTime,
    /// End as the recorder's clock had it.
    #[serde(default)]
    pub end_time: SourceTime,
    /// Length the source declares. Milliseconds.
    pub duration_ms: Option<i64>,
    /// Codec the source declares; it may be wrong.
    pub codec: Option<String>,
    /// Media type the source declares; it may be wrong.
    pub content_type: Option<String>,
    /// Channels the source declares.
    pub channels: Option<u16>,
    /// Who speaks on each channel, in order: agent, customer, mixed.
    #[serde(default)]
    pub channel_roles: Vec<String>,
    /// Sampling rate the source declares. Hertz.
    pub sample_rate: Option<u32>,
    /// Size the source declares. Bytes; absent: it does not know.
    pub size_bytes: Option<u64>,
    /// Original file name.
    pub file_name: Option<String>,
    /// Recorder whose clock stamped the times.
    pub recorder_node: Option<String>,
    /// Stretches in which a card number or the like was read.
    #[serde(default)]
    pub pauses: Vec<Pause>,
    /// Retention class by name.
    pub retention_class: Option<String>,
    /// Must not be deleted.
    #[serde(default)]
    pub legal_hold: bool,
    /// Where the bytes are: absolute or relative to the API.
    pub media_url: Option<String>,
}

/// A stretch of a recording, from its own start.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    /// First millisecond.
    pub start_offset_ms: i64,
    /// First millisecond after it.
    pub end_offset_ms: i64,
    /// Why, e.g. `card_number`.
    pub reason: Option<String>,
}

/// A user of the source.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Agent id.
    #[serde(deserialize_with = "id_text")]
    pub id: String,
    /// Name.
    pub name: Option<String>,
    /// Extension.
    pub extension: Option<String>,
    /// Still employed.
    pub active: Option<bool>,
}

/// A queue of the source.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Queue {
    /// Queue id.
    #[serde(deserialize_with = "id_text")]
    pub id: String,
    /// Name.
    pub name: Option<String>,
}

/// A time as the source states it. Nothing is read into it here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SourceTime {
    /// Not given.
    #[default]
    Absent,
    /// A whole number since 1970, in the unit the plan names.
    Number(i64),
    /// Anything else, as text.
    Text(String),
}

impl std::fmt::Display for SourceTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SourceTime::Absent => f.write_str(""),
            SourceTime::Number(number) => write!(f, "{number}"),
            SourceTime::Text(text) => f.write_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for SourceTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SourceTime, D::Error> {
        Ok(match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Null => SourceTime::Absent,
            serde_json::Value::String(text) => SourceTime::Text(text),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => SourceTime::Number(whole),
                None => SourceTime::Text(number.to_string()),
            },
            other => SourceTime::Text(other.to_string()),
        })
    }
}

/// An id that may be a number of any size or text.
fn id_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) => Ok(text),
        serde_json::Value::Number(number) => Ok(number.to_string()),
        _ => Err(serde::de::Error::custom("an id is a number or text")),
    }
}

fn optional_id_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Null => Ok(None),
        serde_json::Value::String(text) => Ok(Some(text)),
        serde_json::Value::Number(number) => Ok(Some(number.to_string())),
        _ => Err(serde::de::Error::custom("an id is a number or text")),
    }
}
