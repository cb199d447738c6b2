//! The source's JSON, exactly as sent. Source: scenarios/contracts/legacy.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

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
    #[serde(default, deserialize_with = "optional_whole")]
    pub wait_time_ms: Option<i64>,
    /// Time in conversation. Milliseconds.
    #[serde(default, deserialize_with = "optional_whole")]
    pub talk_time_ms: Option<i64>,
    /// `INBOUND` or `OUTBOUND`.
    #[serde(default, deserialize_with = "optional_text")]
    pub direction: Option<String>,
    /// First agent.
    #[serde(default, deserialize_with = "optional_text")]
    pub agent_id: Option<String>,
    /// Extension, shared by several agents: never an identity.
    #[serde(default, deserialize_with = "optional_text")]
    pub agent_extension: Option<String>,
    /// Queue.
    #[serde(default, deserialize_with = "optional_text")]
    pub queue_id: Option<String>,
    /// Skill that was asked for.
    #[serde(default, deserialize_with = "optional_text")]
    pub skill: Option<String>,
    /// Name of the skill group.
    #[serde(default, deserialize_with = "optional_text")]
    pub skill_group: Option<String>,
    /// IVR node the call came through.
    #[serde(default, deserialize_with = "optional_text")]
    pub ivr_node_id: Option<String>,
    /// Outcome.
    #[serde(default, deserialize_with = "optional_text")]
    pub disposition_code: Option<String>,
    /// Wrap-up code.
    #[serde(default, deserialize_with = "optional_text")]
    pub wrap_up_code: Option<String>,
    /// Number that called, raw or masked.
    #[serde(default, deserialize_with = "optional_text")]
    pub caller_number: Option<String>,
    /// Number that was called, raw or masked.
    #[serde(default, deserialize_with = "optional_text")]
    pub dialled_number: Option<String>,
    /// Whether the numbers above are masked.
    pub numbers_masked: Option<bool>,
    /// Recorder whose clock stamped the times.
    #[serde(default, deserialize_with = "optional_text")]
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
    #[serde(default, deserialize_with = "optional_text")]
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
    #[serde(default, deserialize_with = "optional_text")]
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
    #[serde(default, deserialize_with = "optional_text")]
    pub segment_id: Option<String>,
    /// Start as the recorder's clock had it.
    #[serde(default)]
    pub start_time: SourceTime,
    /// End as the recorder's clock had it.
    #[serde(default)]
    pub end_time: SourceTime,
    /// Length the source declares. Milliseconds.
    #[serde(default, deserialize_with = "optional_whole")]
    pub duration_ms: Option<i64>,
    /// Codec the source declares; it may be wrong.
    #[serde(default, deserialize_with = "optional_text")]
    pub codec: Option<String>,
    /// Media type the source declares; it may be wrong.
    #[serde(default, deserialize_with = "optional_text")]
    pub content_type: Option<String>,
    /// Channels the source declares.
    #[serde(default, deserialize_with = "optional_whole")]
    pub channels: Option<u16>,
    /// Who speaks on each channel, in order: agent, customer, mixed.
    #[serde(default)]
    pub channel_roles: Vec<String>,
    /// Sampling rate the source declares. Hertz.
    #[serde(default, deserialize_with = "optional_whole")]
    pub sample_rate: Option<u32>,
    /// Size the source declares. Bytes; absent: it does not know.
    #[serde(default, deserialize_with = "optional_whole")]
    pub size_bytes: Option<u64>,
    /// Original file name.
    #[serde(default, deserialize_with = "optional_text")]
    pub file_name: Option<String>,
    /// Recorder whose clock stamped the times.
    #[serde(default, deserialize_with = "optional_text")]
    pub recorder_node: Option<String>,
    /// Stretches in which a card number or the like was read.
    #[serde(default)]
    pub pauses: Vec<Pause>,
    /// Retention class by name.
    #[serde(default, deserialize_with = "optional_text")]
    pub retention_class: Option<String>,
    /// Must not be deleted.
    #[serde(default)]
    pub legal_hold: bool,
    /// Where the bytes are: absolute or relative to the API.
    #[serde(default, deserialize_with = "optional_text")]
    pub media_url: Option<String>,
}

/// A stretch of a recording, from its own start.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    /// First millisecond. Absent: the source does not say.
    #[serde(default, deserialize_with = "optional_whole")]
    pub start_offset_ms: Option<i64>,
    /// First millisecond after it. Absent: the source does not say.
    #[serde(default, deserialize_with = "optional_whole")]
    pub end_offset_ms: Option<i64>,
    /// Why, e.g. `card_number`.
    #[serde(default, deserialize_with = "optional_text")]
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
    #[serde(default, deserialize_with = "optional_text")]
    pub name: Option<String>,
    /// Extension.
    #[serde(default, deserialize_with = "optional_text")]
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
    #[serde(default, deserialize_with = "optional_text")]
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

/// Text, a number as it is written, or nothing. Half a character (a lone surrogate's escape) is replaced: one bad letter does not make a
/// call unreadable.
fn optional_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    match raw.get().as_bytes().first() {
        Some(b'"') => text(raw.get()).map(Some).map_err(serde::de::Error::custom),
        Some(b'n') => Ok(None),
        Some(b'-' | b'0'..=b'9') => Ok(Some(raw.get().to_owned())),
        _ => Err(serde::de::Error::custom("text or a number is expected")),
    }
}

fn text(quoted: &str) -> Result<String, serde_json::Error> {
    struct Bytes;
    impl serde::de::Visitor<'_> for Bytes {
        type Value = String;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("text")
        }

        // As bytes, since text must be whole characters.
        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<String, E> {
            Ok(String::from_utf8_lossy(bytes).into_owned())
        }
    }
    serde_json::Deserializer::from_str(quoted).deserialize_bytes(Bytes)
}

/// A whole number, written as one, with a decimal point, or as text.
fn optional_whole<'de, D: Deserializer<'de>, T: std::str::FromStr>(deserializer: D) -> Result<Option<T>, D::Error> {
    let Some(text) = optional_text(deserializer)? else { return Ok(None) };
    let text = text.trim();
    let whole = text.split_once('.').filter(|(_, rest)| rest.bytes().all(|byte| byte == b'0')).map_or(text, |(whole, _)| whole);
    // In words, and not the value: it may be somebody's number.
    whole.parse().map(Some).map_err(|_| serde::de::Error::custom("a whole number is expected"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &str) -> Result<Interaction, serde_json::Error> {
        serde_json::from_str(&format!(r#"{{"id":1{fields}}}"#))
    }

    #[test]
    fn a_field_may_be_written_in_many_ways_and_is_one_value() {
        let rows = [
            (r#","agentId":"AGT-1","waitTimeMs":1200"#, Some("AGT-1"), Some(1200)),
            (r#","agentId":1024,"waitTimeMs":"1200""#, Some("1024"), Some(1200)),
            (r#","agentId":null,"waitTimeMs":1200.0"#, None, Some(1200)),
            (r#","agentId":"","waitTimeMs":-5"#, Some(""), Some(-5)),
            (r#","agentId":"a\ud83db\u0000","waitTimeMs":null"#, Some("a\u{fffd}\u{fffd}\u{fffd}b\0"), None),
            (r#","agentId":"\ud83d\udc4d \u00e9""#, Some("\u{1f44d} \u{e9}"), None),
            ("", None, None),
        ];
        for (fields, agent, wait_ms) in rows {
            let read = read(fields).unwrap_or_else(|error| panic!("{fields}: {error}"));
            assert_eq!((read.agent_id.as_deref(), read.wait_time_ms), (agent, wait_ms), "{fields}");
        }
    }

    #[test]
    fn what_is_neither_is_refused_without_its_value() {
        for fields in [r#","waitTimeMs":"4155501x""#, r#","agentId":{"id":"4155501"}"#, r#","waitTimeMs":4155501.5"#] {
            let error = read(fields).expect_err(fields);
            assert!(!error.to_string().contains("4155501"), "{error}");
        }
        assert!(read(r#","waitTimeMs":1.5"#).is_err() && read(r#","waitTimeMs":"soon""#).is_err() && read(r#","agentId":[]"#).is_err());
    }
}
