//! How wrong data is written: the source's JSON where it is not what the contract shows. Values are
//! the world's (`world/defects.rs`).

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::value::RawValue;
use serde_json::{Number, Value, json};

use crate::world::{DomainKind as Kind, LONE_SURROGATE, Planted};

/// Zone of local text. Source: docs/reference/time.md.
const ZONE: &str = "Europe/London";
/// Lengths and instants of an interaction and of a recording.
const NUMBERS: [&str; 10] = [
    "startTime",
    "endTime",
    "waitTimeMs",
    "talkTimeMs",
    "durationMs",
    "sizeBytes",
    "channels",
    "sampleRate",
    "startOffsetMs",
    "endOffsetMs",
];

/// An interaction as it is listed.
pub(super) fn interaction(mut call: Value, id_text: &str, planted: Planted) -> Box<RawValue> {
    match planted.kind {
        Kind::EndMissing => call["endTime"] = Value::Null,
        Kind::TimeAsText => times(&mut call, with_offset),
        Kind::LocalTimeWithoutZone | Kind::LocalTimeOfKnownZone | Kind::AmbiguousLocalHour => {
            times(&mut call, |ms| {
                local(ms, TimeZone::get(ZONE).unwrap_or(TimeZone::UTC))
            });
        }
        // A recorder whose clock was not put forward.
        Kind::MissingLocalHour => times(&mut call, |ms| local(ms, TimeZone::UTC)),
        Kind::IdLeadingZeros | Kind::IdAsText | Kind::IdNotANumber => call["id"] = id_text.into(),
        Kind::UnknownDirection => call["direction"] = "INTERNAL".into(),
        Kind::DirectionMissing => call["direction"] = Value::Null,
        Kind::DirectionLetterCase => {
            call["direction"] = call["direction"]
                .as_str()
                .unwrap_or_default()
                .to_lowercase()
                .into()
        }
        Kind::AbsentFields => leave_out_nulls(&mut call),
        Kind::UnknownFields => {
            call["sentiment"] =
                json!({"score": 0.25, "phrases": [{"text": "thank you", "atMs": 900}]});
            call["labels"] = json!([]);
        }
        Kind::NumbersAsText => each_number(&mut call, &|number| Value::String(number.to_string())),
        Kind::NumbersAsFloats => each_number(&mut call, &with_point),
        Kind::AgentAsNumber => {
            call["agentId"] = as_number(&call["agentId"]);
            call["segments"]
                .as_array_mut()
                .into_iter()
                .flatten()
                .for_each(|leg| leg["agentId"] = as_number(&leg["agentId"]));
        }
        Kind::QueueAsNumber => call["queueId"] = as_number(&call["queueId"]),
        Kind::SegmentTimeMissing => {
            (
                call["segments"][0]["startTime"],
                call["segments"][0]["endTime"],
            ) = (Value::Null, Value::Null);
        }
        _ => {}
    }
    // Half a character is no character: only text can hold the escape.
    let text = if planted.kind == Kind::LoneSurrogate {
        call.to_string().replace(LONE_SURROGATE, "\\ud83d")
    } else {
        call.to_string()
    };
    RawValue::from_string(text).unwrap_or_default()
}

/// Another call under the id of this one.
pub(super) fn namesake(mut call: Value) -> Box<RawValue> {
    const LATER_MS: i64 = 3_600_000;
    for end in ["startTime", "endTime"] {
        call[end] = (call[end].as_i64().unwrap_or_default() + LATER_MS).into();
    }
    call["direction"] = if call["direction"] == "INBOUND" {
        "OUTBOUND"
    } else {
        "INBOUND"
    }
    .into();
    RawValue::from_string(call.to_string()).unwrap_or_default()
}

/// A recording's own answer.
pub(super) fn recording(mut one: Value, id_text: &str, planted: Planted) -> Value {
    let declared_ms = one["durationMs"].as_i64().unwrap_or_default();
    match planted.kind {
        Kind::IdLeadingZeros | Kind::IdAsText | Kind::IdNotANumber => {
            one["interactionId"] = id_text.into()
        }
        Kind::RecordingOfAnotherCall => {
            one["interactionId"] = (one["interactionId"].as_u64().unwrap_or_default() + 1).into()
        }
        Kind::AbsentFields => leave_out_nulls(&mut one),
        Kind::UnknownFields => one["transcript"] = json!({"language": "en-GB", "words": []}),
        Kind::NumbersAsText => each_number(&mut one, &|number| Value::String(number.to_string())),
        Kind::NumbersAsFloats => each_number(&mut one, &with_point),
        Kind::PauseAfterEnd => pause(&mut one, |start, end| {
            (json!(start + declared_ms), json!(end + declared_ms))
        }),
        Kind::PauseReversed => pause(&mut one, |start, end| (json!(end), json!(start))),
        Kind::PauseNegative => pause(&mut one, |_, end| (json!(-500), json!(end))),
        Kind::PauseEmpty => pause(&mut one, |start, _| (json!(start), json!(start))),
        Kind::PauseWithoutEnd => pause(&mut one, |start, _| (json!(start), Value::Null)),
        Kind::PausePastEnd => pause(&mut one, |start, end| (json!(start), json!(end + 60_000))),
        Kind::DeclaredTooLong => one["durationMs"] = (declared_ms * 2).into(),
        Kind::DeclaredTooShort => one["durationMs"] = (declared_ms / 2).into(),
        Kind::WrongCodecDeclared => {
            (one["codec"], one["contentType"]) = ("mp3".into(), "audio/mpeg".into());
            one["fileName"] = one["fileName"]
                .as_str()
                .unwrap_or_default()
                .replace(".wav", ".mp3")
                .into();
        }
        Kind::WrongSizeDeclared => {
            one["sizeBytes"] = (one["sizeBytes"].as_u64().unwrap_or_default() + 4096).into()
        }
        Kind::SizeMissing => one["sizeBytes"] = Value::Null,
        Kind::WrongFormDeclared => {
            (one["channels"], one["sampleRate"], one["channelRoles"]) =
                (2.into(), 44_100.into(), json!(["agent", "customer"]));
        }
        _ => {}
    }
    one
}

fn times(call: &mut Value, write: impl Fn(Timestamp) -> String) {
    for end in ["startTime", "endTime"] {
        let at = call[end]
            .as_i64()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok());
        call[end] = at.map_or(Value::Null, |at| write(at).into());
    }
}

fn with_offset(at: Timestamp) -> String {
    at.to_zoned(TimeZone::fixed(jiff::tz::offset(2)))
        .strftime("%Y-%m-%dT%H:%M:%S%.3f%:z")
        .to_string()
}

fn local(at: Timestamp, zone: TimeZone) -> String {
    at.to_zoned(zone)
        .strftime("%Y-%m-%dT%H:%M:%S%.3f")
        .to_string()
}

fn pause(one: &mut Value, change: impl Fn(i64, i64) -> (Value, Value)) {
    for pause in one["pauses"].as_array_mut().into_iter().flatten() {
        let ends =
            ["startOffsetMs", "endOffsetMs"].map(|end| pause[end].as_i64().unwrap_or_default());
        (pause["startOffsetMs"], pause["endOffsetMs"]) = change(ends[0], ends[1]);
    }
}

/// At every depth.
fn leave_out_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(leave_out_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(leave_out_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Lengths and instants at every depth; ids stay what they are.
fn each_number(value: &mut Value, write: &impl Fn(&Number) -> Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                match field {
                    Value::Number(number) if NUMBERS.contains(&name.as_str()) => {
                        *field = write(number)
                    }
                    _ => each_number(field, write),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_number(item, write)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn with_point(number: &Number) -> Value {
    serde_json::from_str(&format!("{number}.0")).unwrap_or(Value::Null)
}

fn as_number(text: &Value) -> Value {
    text.as_str()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or(Value::Null)
}
