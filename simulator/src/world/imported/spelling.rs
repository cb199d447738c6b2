//! One value in the spellings exports have, as clients of the source read them too: numbers with a
//! point, an exponent or quotes, words for yes and no, lists that are null or a single object.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Direction;

/// The text of a file, without a byte order mark; what is not UTF-8 becomes replacement characters.
/// UTF-16 is named: nothing of it would be read.
pub(super) fn file_text(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("the file is UTF-16; save it as UTF-8".to_owned());
    }
    Ok(String::from_utf8_lossy(
        bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes),
    ))
}

/// Text; a number as it is written.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        _ => Err(D::Error::custom("text or a number is expected")),
    }
}

/// An id, absent where there is none; a whole number in plain digits.
pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => {
            let text = number.to_string();
            Ok(Some(
                whole_of(&text).map_or(text, |whole| whole.to_string()),
            ))
        }
        _ => Err(D::Error::custom("text or a number is expected")),
    }
}

/// An id that has to be there.
pub(super) fn given_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let id = id(deserializer)?.filter(|id| !id.trim().is_empty());
    id.ok_or_else(|| D::Error::custom("the id is empty"))
}

/// The id of an interaction. The worlds served here count them.
pub(super) fn id_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = text(deserializer)?.and_then(|text| u64::try_from(whole_of(&text)?).ok());
    number.ok_or_else(|| D::Error::custom("an id of an interaction is a whole number here"))
}

/// Unix milliseconds, or text that names an instant with its offset.
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    optional_time(deserializer)?.ok_or_else(|| D::Error::custom("a time is missing"))
}

/// The same, where it may be absent.
pub(super) fn optional_time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    let Some(text) = said(deserializer)? else {
        return Ok(None);
    };
    let instant = || {
        text.trim()
            .parse::<Timestamp>()
            .ok()
            .map(Timestamp::as_millisecond)
    };
    let time = whole_of(&text)
        .and_then(|whole| i64::try_from(whole).ok())
        .or_else(instant);
    time.map(Some).ok_or_else(|| {
        D::Error::custom(
            "a time is Unix milliseconds, or text with an offset such as 2024-03-01T12:00:00Z",
        )
    })
}

/// Milliseconds; a fraction of one is rounded to the nearest, halves away from zero.
pub(super) fn length<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let Some(text) = said(deserializer)? else {
        return Ok(None);
    };
    let length = Number::of(&text).and_then(|number| i64::try_from(number.nearest()?).ok());
    length
        .map(Some)
        .ok_or_else(|| D::Error::custom("a length in milliseconds is expected"))
}

/// Milliseconds from the start of a recording.
pub(super) fn offset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let offset = length(deserializer)?.and_then(|ms| u64::try_from(ms).ok());
    offset.ok_or_else(|| {
        D::Error::custom("an offset of a pause is a number of milliseconds from 0 on")
    })
}

/// A whole number.
pub(super) fn whole<'de, D: Deserializer<'de>, T: TryFrom<i128>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let Some(text) = said(deserializer)? else {
        return Ok(None);
    };
    let whole = whole_of(&text).and_then(|whole| T::try_from(whole).ok());
    whole
        .map(Some)
        .ok_or_else(|| D::Error::custom("a whole number is expected"))
}

/// Yes or no, as a boolean, a word or a figure; nothing is no.
pub(super) fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let word = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(false),
        Value::Bool(value) => return Ok(value),
        Value::String(text) => text.trim().to_lowercase(),
        Value::Number(number) => number.to_string(),
        Value::Array(_) | Value::Object(_) => {
            return Err(D::Error::custom("true or false is expected"));
        }
    };
    match word.as_str() {
        "" | "false" | "f" | "no" | "n" | "off" => Ok(false),
        "true" | "t" | "yes" | "y" | "on" => Ok(true),
        figure => match whole_of(figure) {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            _ => Err(D::Error::custom("true or false is expected")),
        },
    }
}

/// `INBOUND` or `OUTBOUND`, in any case.
pub(super) fn direction<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Direction, D::Error> {
    let word = text(deserializer)?
        .ok_or_else(|| D::Error::custom("the direction is missing: INBOUND or OUTBOUND"))?;
    Direction::deserialize(Value::String(word.trim().to_uppercase())).map_err(D::Error::custom)
}

/// A list; null and empty text are an empty one, one object is a list of one, and a null in it says
/// nothing.
pub(super) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let items = match Value::deserialize(deserializer)? {
        Value::Null => Vec::new(),
        Value::String(text) if text.trim().is_empty() => Vec::new(),
        Value::Object(fields) if fields.is_empty() => Vec::new(),
        Value::Array(items) => items.into_iter().filter(|item| !item.is_null()).collect(),
        one @ Value::Object(_) => vec![one],
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err(D::Error::custom("a list is expected"));
        }
    };
    items
        .into_iter()
        .map(|item| serde_json::from_value(item).map_err(D::Error::custom))
        .collect()
}

/// Text or a number as it is written; blank text says nothing.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(text(deserializer)?.filter(|text| !text.trim().is_empty()))
}

fn whole_of(text: &str) -> Option<i128> {
    let number = Number::of(text)?;
    (number.behind == 0).then_some(number.value)
}

/// A decimal number, exactly: `value` with so many of its digits behind the point.
struct Number {
    value: i128,
    behind: u32,
}

impl Number {
    fn of(text: &str) -> Option<Number> {
        let (mantissa, exponent) = match text.trim().split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text.trim(), 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = whole.trim_start_matches(['-', '+']);
        let is_number = !digits.is_empty()
            && whole.len() - digits.len() <= 1
            && fraction.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number {
            return None;
        }
        let mut value: i128 = format!("{whole}{fraction}").parse().ok()?;
        let mut behind = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        while behind > 0 && value % 10 == 0 && value != 0 {
            (value, behind) = (value / 10, behind - 1);
        }
        if value == 0 {
            behind = 0;
        }
        while behind < 0 {
            (value, behind) = (value.checked_mul(10)?, behind + 1);
        }
        Some(Number {
            value,
            behind: behind.unsigned_abs(),
        })
    }

    /// The nearest whole number, halves away from zero.
    fn nearest(&self) -> Option<i128> {
        // Beyond what a power of ten holds here there is nothing left before the point.
        let Some(unit) = 10_i128.checked_pow(self.behind) else {
            return Some(0);
        };
        let (down, rest) = (self.value / unit, self.value % unit);
        let away = rest.unsigned_abs() * 2 >= unit.unsigned_abs() && self.behind > 0;
        Some(if away { down + rest.signum() } else { down })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Number, whole_of};

    #[test]
    fn numbers_are_exact() {
        for (text, wanted) in [
            ("4000", Some(4000)),
            ("4.0E3", Some(4000)),
            ("-1.7e12", Some(-1_700_000_000_000)),
            ("40000e-1", Some(4000)),
            (" 5.00 ", Some(5)),
            ("0.0e-99", Some(0)),
            ("+7", Some(7)),
            ("1.5", None),
            ("", None),
            ("-", None),
            ("--1", None),
            ("1e99", None),
            ("0x1", None),
            ("1_000", None),
        ] {
            assert_eq!(whole_of(text), wanted, "{text}");
        }
        for (text, wanted) in [
            ("1.5", 2),
            ("-1.5", -2),
            ("1.49", 1),
            ("1e-50", 0),
            ("0.5", 1),
            ("12", 12),
        ] {
            assert_eq!(
                Number::of(text).and_then(|number| number.nearest()),
                Some(wanted),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_spelling_of_a_whole_number_is_that_number(number in any::<i64>(), zeros in 0_usize..6) {
            let padded = "0".repeat(zeros);
            for text in [format!("{number}.0{padded}"), format!("{number}{padded}e-{zeros}"), format!("{number}.{padded}E0"), format!(" {number}e0 ")] {
                prop_assert_eq!(whole_of(&text), Some(i128::from(number)), "{}", text);
            }
        }

        #[test]
        fn no_text_breaks_the_reader(text in ".{0,40}") {
            let _ = Number::of(&text).and_then(|number| number.nearest());
        }
    }
}
