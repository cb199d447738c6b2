//! A refusal: any platform's error body, without what it must not repeat.

use serde::Deserialize;

use crate::clock::Clock;
use crate::error::CallError;
use crate::net::answer::Answer;

/// No error body or token is longer than this. Bytes.
pub(super) const ERROR_MOST: u64 = 64 * 1024;

/// Any platform's error body.
#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorBody {
    #[serde(rename = "statusCode")]
    status_code: Option<u32>,
    #[serde(rename = "statusMessage")]
    status_message: Option<String>,
    message: Option<String>,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    #[serde(rename = "entityId")]
    entity_id: Option<String>,
    details: Vec<ErrorDetail>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorDetail {
    #[serde(rename = "fieldName")]
    field_name: Option<String>,
}

/// The error of an answer that refuses; its body is read up to a bound.
pub(super) async fn refusal(what: String, answer: Answer, clock: &Clock) -> CallError {
    let status = answer.status.as_u16();
    let bytes = answer.bytes(ERROR_MOST, clock).await.unwrap_or_default();
    let body: ErrorBody = serde_json::from_slice(&bytes).unwrap_or_default();
    let message = redact_phone_numbers(
        &body
            .message
            .or(body.error_description)
            .or(body.status_message)
            .unwrap_or_default(),
    );
    CallError::Refused {
        what,
        status,
        code: body
            .code
            .or(body.error)
            .or(body.status_code.map(|code| code.to_string()))
            .unwrap_or_default(),
        message,
        entity_id: body.entity_id,
        field: body
            .details
            .into_iter()
            .find_map(|detail| detail.field_name),
    }
}

/// A platform quotes what it refuses, and what it refuses may be a phone number: runs of digits
/// that long are starred, ids are not.
pub(crate) fn redact_phone_numbers(message: &str) -> String {
    let mut text = String::new();
    for word in message
        .chars()
        .take(300)
        .collect::<String>()
        .split_inclusive([' ', '[', ']', '"', '\''])
    {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        let is_number = digits >= 7
            && word
                .chars()
                .all(|c| c.is_ascii_digit() || "+-.()*:tel []\"'".contains(c));
        if is_number {
            text.extend(
                word.chars()
                    .map(|c| if c.is_ascii_digit() { '*' } else { c }),
            );
        } else {
            text.push_str(word);
        }
    }
    text
}

/// An error in one line.
pub(super) fn describe(error: &CallError) -> String {
    match error {
        CallError::Refused {
            status,
            code,
            message,
            ..
        } => format!("{status} {code} {message}").trim().to_owned(),
        other => other.to_string(),
    }
}
