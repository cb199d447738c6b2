//! What a layout's value is in a row. Source: docs/reference/layout.md, "Values" and "Times".

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;
use plan::Layout;
use plan::layout::{LengthUnit, Part, Place, Take, Template, TimeFormat, Value};
use serde_json::Value as Json;

use super::entity::{Data, DataRow};
use crate::canonical::Repair;
use crate::source::instant::{Unusable, of_zone};

/// A value that cannot be read: where it stands, and why in words. Never the value itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bad {
    /// Path below the metadata folder.
    pub(super) file: String,
    /// Where its row begins, counted from 1.
    pub(super) line: u64,
    /// Column or JSON path. Absent: it is about the row.
    pub(super) column: Option<String>,
    pub(super) why: String,
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line {}", self.file, self.line)?;
        if let Some(column) = &self.column {
            write!(f, " column `{column}`")?;
        }
        write!(f, ": {}", self.why)
    }
}

/// A row, or an element of one, with what templates may name.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) layout: &'a Layout,
    pub(super) row: &'a DataRow,
    /// What `@` is. Absent: no element.
    pub(super) element: Option<&'a Json>,
    pub(super) call_id: &'a str,
    pub(super) recording_id: &'a str,
}

impl<'a> Scope<'a> {
    /// A row of a call whose id is not known yet.
    pub(super) fn of_row(layout: &'a Layout, row: &'a DataRow) -> Scope<'a> {
        Scope {
            layout,
            row,
            element: None,
            call_id: "",
            recording_id: "",
        }
    }

    pub(super) fn with_element(self, element: Option<&'a Json>) -> Scope<'a> {
        Scope { element, ..self }
    }

    /// The text of a value. `None`: there is none.
    pub(super) fn text(&self, value: &Value) -> Result<Option<String>, Bad> {
        let (taken, from) = match &value.take {
            Take::Constant(text) => (Some(text.clone()), None),
            Take::Text(template) => (
                self.fill(template, &str::to_owned)?,
                template.places().next(),
            ),
            Take::First(places) => {
                let mut found = None;
                for place in places {
                    if let Some(text) = self.at(place)? {
                        found = Some((text, Some(place)));
                        break;
                    }
                }
                match found {
                    Some((text, place)) => (Some(text), place),
                    None => (None, None),
                }
            }
        };
        let Some(text) = taken else { return Ok(None) };
        let text = match &value.pattern {
            None => text,
            Some(pattern) => {
                let found = pattern
                    .0
                    .captures(&text)
                    .ok_or_else(|| self.bad(from, "does not match the layout's pattern"))?;
                let group = if found.len() > 1 {
                    found.get(1)
                } else {
                    found.get(0)
                };
                group.map_or("", |group| trimmed(group.as_str())).to_owned()
            }
        };
        let table = value
            .words
            .as_ref()
            .and_then(|name| self.layout.words.get(name));
        let word = table.and_then(|table| table.get(&text).or_else(|| table.get("*")));
        let text = word.cloned().unwrap_or(text);
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// The same for a value that a layout may leave out.
    pub(super) fn optional(&self, value: Option<&Value>) -> Result<Option<String>, Bad> {
        value.map_or(Ok(None), |value| self.text(value))
    }

    /// A template with its places filled in. `None`: one of them has no value.
    pub(super) fn fill(
        &self,
        template: &Template,
        quoted: &dyn Fn(&str) -> String,
    ) -> Result<Option<String>, Bad> {
        let mut text = String::new();
        for part in &template.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::CallId => text.push_str(&quoted(self.call_id)),
                Part::RecordingId => text.push_str(&quoted(self.recording_id)),
                Part::RowFolder => text.push_str(&quoted(folder_of(&self.row.file))),
                Part::RowStem => text.push_str(&quoted(stem_of(&self.row.file))),
                Part::Place(place) => match self.at(place)? {
                    Some(value) => text.push_str(&quoted(&value)),
                    None => return Ok(None),
                },
            }
        }
        Ok(Some(text))
    }

    /// What stands at a place. `None`: nothing, or what means none.
    pub(super) fn at(&self, place: &Place) -> Result<Option<String>, Bad> {
        let node = |root: &Json, path: &plan::layout::Path| {
            let mut found = None;
            for node in path.query.query(root).iter() {
                let text = match node {
                    Json::Null => continue,
                    Json::String(text) => text.clone(),
                    Json::Bool(_) | Json::Number(_) => node.to_string(),
                    Json::Array(_) | Json::Object(_) => {
                        return Err(self.bad(Some(place), "is a list or an object, and no value"));
                    }
                };
                found = self.present(&text);
                if found.is_some() {
                    break;
                }
            }
            Ok(found)
        };
        match (place, &self.row.data) {
            (Place::Column(name), Data::Cells(cells)) => Ok(cells
                .iter()
                .find(|(column, _)| column == name.trim())
                .and_then(|(_, cell)| self.present(cell))),
            (Place::Number(number), Data::Cells(cells)) => Ok(cells
                .get(number.wrapping_sub(1))
                .and_then(|(_, cell)| self.present(cell))),
            (Place::Row(path), Data::Document(document)) => node(document, path),
            (Place::Element(path), Data::Document(document)) => {
                node(self.element.unwrap_or(document), path)
            }
            // A layout whose places do not fit its format is refused when it is read.
            (Place::Column(_) | Place::Number(_), Data::Document(_))
            | (Place::Row(_) | Place::Element(_), Data::Cells(_)) => Ok(None),
        }
    }

    fn present(&self, text: &str) -> Option<String> {
        let text = trimmed(text);
        let is_null = self.layout.file.null.iter().any(|null| null == text);
        (!is_null && !text.is_empty()).then(|| text.to_owned())
    }

    /// What is wrong with the value at a place.
    pub(super) fn bad(&self, place: Option<&Place>, why: &str) -> Bad {
        Bad {
            file: self.row.file.clone(),
            line: self.row.line,
            column: place.map(ToString::to_string),
            why: why.to_owned(),
        }
    }

    /// The same about a value of a layout: named by the first of its places.
    pub(super) fn bad_value(&self, value: &Value, why: &str) -> Bad {
        self.bad(value.places().next(), why)
    }

    /// A length of time, in milliseconds.
    pub(super) fn length(&self, value: Option<&Value>) -> Result<Option<i64>, Bad> {
        let Some(value) = value else { return Ok(None) };
        let Some(text) = self.text(value)? else {
            return Ok(None);
        };
        let unit = value.unit.unwrap_or(self.layout.time.lengths);
        length_ms(&text, unit).map(Some).ok_or_else(|| {
            self.bad_value(value, &format!("is no length of time {}", form_of(unit)))
        })
    }

    /// A time as its text and what it means. `None`: there is none.
    pub(super) fn time(
        &self,
        value: &Value,
        naive_zone: Option<&str>,
    ) -> Result<Option<(String, Stated)>, Bad> {
        let Some(text) = self.text(value)? else {
            return Ok(None);
        };
        let stated = self.time_of(&text, value, naive_zone)?;
        Ok(Some((text, stated)))
    }

    /// What a text means as a time of a value.
    pub(super) fn time_of(
        &self,
        text: &str,
        value: &Value,
        naive_zone: Option<&str>,
    ) -> Result<Stated, Bad> {
        let formats = if value.format.is_empty() {
            &self.layout.time.format
        } else {
            &value.format
        };
        let own = match &self.layout.time.zone_column {
            Some(place) => self.at(place)?,
            None => None,
        };
        let zone = own
            .as_deref()
            .or(value.zone.as_deref())
            .or(self.layout.time.zone.as_deref())
            .or(naive_zone);
        Ok(instant(text, formats, zone))
    }
}

/// An instant as stated, and how a local hour was read.
pub(super) type Stated = Result<(Timestamp, Option<Repair>), Unusable>;

/// Blanks and control characters around a value are no part of it.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control())
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn stem_of(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn form_of(unit: LengthUnit) -> &'static str {
    match unit {
        LengthUnit::Ms => "in milliseconds",
        LengthUnit::S => "in seconds",
        LengthUnit::Min => "in minutes",
        LengthUnit::Hms => "such as 0:03:12",
    }
}

/// A decimal number, such as `12` or `-0.5`.
fn decimal(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = digits.bytes().any(|byte| byte.is_ascii_digit())
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.matches('.').count() <= 1;
    is_number.then(|| text.parse().ok()).flatten()
}

/// Milliseconds; a half is rounded away from zero. `None`: it is no length in this unit.
pub(super) fn length_ms(text: &str, unit: LengthUnit) -> Option<i64> {
    let of_one = match unit {
        LengthUnit::Ms => 1.0,
        LengthUnit::S => 1000.0,
        LengthUnit::Min => 60_000.0,
        LengthUnit::Hms => return clock_ms(text),
    };
    whole(decimal(text)? * of_one)
}

/// `1:02:03.5` or `2:03`.
fn clock_ms(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let parts: Vec<&str> = text.split(':').collect();
    let count = |part: &str| {
        let is_count = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        is_count.then(|| part.parse::<f64>().ok()).flatten()
    };
    let seconds = |part: &str| decimal(part).filter(|_| !part.starts_with(['-', '+']));
    let seconds = match parts[..] {
        [hours, minutes, last] => count(hours)? * 3600.0 + count(minutes)? * 60.0 + seconds(last)?,
        [minutes, last] => count(minutes)? * 60.0 + seconds(last)?,
        _ => return None,
    };
    whole(sign * seconds * 1000.0)
}

/// A thousand years are no length of a call.
fn whole(ms: f64) -> Option<i64> {
    const MOST: f64 = 1000.0 * 366.0 * 86_400_000.0;
    (ms.abs() <= MOST).then(|| ms.round() as i64)
}

/// What a text means by the first of the formats that it fits.
fn instant(text: &str, formats: &[TimeFormat], zone: Option<&str>) -> Stated {
    for format in formats {
        let time = match format {
            TimeFormat::Iso => iso(text),
            TimeFormat::EpochMs => epoch(text, 0).map(Read::Instant),
            TimeFormat::EpochS => epoch(text, 3).map(Read::Instant),
            TimeFormat::Strptime(format) => by_conversions(format, text),
        };
        match time {
            None => {}
            Some(Read::Instant(instant)) => return Ok((instant, None)),
            Some(Read::Local(local)) => {
                return of_zone(local, &named_zone(zone.ok_or(Unusable)?)?);
            }
        }
    }
    Err(Unusable)
}

/// A zone by its IANA name, an offset such as `+01:00`, or `Z`.
fn named_zone(name: &str) -> Result<TimeZone, Unusable> {
    if name.eq_ignore_ascii_case("z") {
        return Ok(TimeZone::UTC);
    }
    DateTimeParser::new()
        .parse_time_zone(name)
        .map_err(|_| Unusable)
}

enum Read {
    Instant(Timestamp),
    Local(DateTime),
}

fn iso(text: &str) -> Option<Read> {
    match text.parse() {
        Ok(instant) => Some(Read::Instant(instant)),
        Err(_) => text.parse().ok().map(Read::Local),
    }
}

/// A decimal number of seconds (`places` 3) or of milliseconds (0); what is less than a millisecond
/// is cut.
fn epoch(text: &str, places: usize) -> Option<Timestamp> {
    decimal(text)?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction: String = fraction
        .chars()
        .chain(std::iter::repeat('0'))
        .take(places)
        .collect();
    let whole = if whole.is_empty() { "0" } else { whole };
    Timestamp::from_millisecond(format!("{whole}{fraction}").parse().ok()?).ok()
}

fn by_conversions(format: &str, text: &str) -> Option<Read> {
    let time = BrokenDownTime::parse(format, text).ok()?;
    if time.offset().is_some() || time.iana_time_zone().is_some() || time.timestamp().is_some() {
        let instant = time
            .to_timestamp()
            .or_else(|_| time.to_zoned().map(|zoned| zoned.timestamp()));
        return instant.ok().map(Read::Instant);
    }
    let local = time
        .to_datetime()
        .or_else(|_| time.to_date().map(|date| date.at(0, 0, 0, 0)));
    local.ok().map(Read::Local)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::iso as shown;

    #[test]
    fn times_are_read_by_the_first_format_that_fits() {
        let of = |format: &str| TimeFormat::Strptime(format.to_owned());
        let london = Some("Europe/London");
        type Row<'a> = (&'a str, Vec<TimeFormat>, Option<&'a str>, Option<&'a str>);
        let rows: [Row<'_>; 22] = [
            (
                "2024-01-31T10:00:00.5+01:00",
                vec![TimeFormat::Iso],
                None,
                Some("2024-01-31T09:00:00.500Z"),
            ),
            (
                "2024-01-31T10:00:00.000+0000",
                vec![TimeFormat::Iso],
                None,
                Some("2024-01-31T10:00:00.000Z"),
            ),
            (
                "2024-01-31 10:00Z",
                vec![TimeFormat::Iso],
                None,
                Some("2024-01-31T10:00:00.000Z"),
            ),
            (
                "2024-07-31 10:00",
                vec![TimeFormat::Iso],
                london,
                Some("2024-07-31T09:00:00.000Z"),
            ),
            (
                "2024-07-31",
                vec![TimeFormat::Iso],
                london,
                Some("2024-07-30T23:00:00.000Z"),
            ),
            ("2024-07-31 10:00", vec![TimeFormat::Iso], None, None),
            (
                "2024-07-31 10:00",
                vec![TimeFormat::Iso],
                Some("+02:00"),
                Some("2024-07-31T08:00:00.000Z"),
            ),
            (
                "2024-07-31 10:00",
                vec![TimeFormat::Iso],
                Some("Z"),
                Some("2024-07-31T10:00:00.000Z"),
            ),
            (
                "2024-07-31 10:00",
                vec![TimeFormat::Iso],
                Some("Mars/Base"),
                None,
            ),
            (
                "1706695200000",
                vec![TimeFormat::EpochMs],
                None,
                Some("2024-01-31T10:00:00.000Z"),
            ),
            (
                "1706695200000.9",
                vec![TimeFormat::EpochMs],
                None,
                Some("2024-01-31T10:00:00.000Z"),
            ),
            (
                "1706695200",
                vec![TimeFormat::EpochS],
                None,
                Some("2024-01-31T10:00:00.000Z"),
            ),
            (
                "1706695200.1239",
                vec![TimeFormat::EpochS],
                None,
                Some("2024-01-31T10:00:00.123Z"),
            ),
            ("1.7066952E9", vec![TimeFormat::EpochS], None, None),
            (
                "31/01/2024 10:00:00",
                vec![of("%d/%m/%Y %H:%M:%S")],
                london,
                Some("2024-01-31T10:00:00.000Z"),
            ),
            (
                "1/2/2024 9:05 PM",
                vec![of("%m/%d/%Y %I:%M %p")],
                london,
                Some("2024-01-02T21:05:00.000Z"),
            ),
            (
                "31/01/2024",
                vec![of("%d/%m/%Y %H:%M:%S"), of("%d/%m/%Y")],
                london,
                Some("2024-01-31T00:00:00.000Z"),
            ),
            (
                "31/01/2024 10:00 +0100",
                vec![of("%d/%m/%Y %H:%M %z")],
                None,
                Some("2024-01-31T09:00:00.000Z"),
            ),
            ("31/13/2024", vec![of("%d/%m/%Y")], london, None),
            (
                "yesterday",
                vec![TimeFormat::Iso, TimeFormat::EpochMs],
                london,
                None,
            ),
            (
                "2023-10-29 01:30",
                vec![TimeFormat::Iso],
                london,
                Some("2023-10-29T00:30:00.000Z"),
            ),
            (
                "2023-03-26 01:30",
                vec![TimeFormat::Iso],
                london,
                Some("2023-03-26T01:30:00.000Z"),
            ),
        ];
        for (text, formats, zone, wanted) in rows {
            let got = instant(text, &formats, zone).ok().map(|(at, _)| shown(at));
            assert_eq!(got.as_deref(), wanted, "{text} by {formats:?} in {zone:?}");
        }
    }

    #[test]
    fn lengths_are_read_in_their_unit_and_nothing_else_is_a_length() {
        for (text, unit, wanted) in [
            ("1500", LengthUnit::Ms, Some(1500)),
            ("1.5", LengthUnit::S, Some(1500)),
            ("0.0005", LengthUnit::S, Some(1)),
            ("-0.0005", LengthUnit::S, Some(-1)),
            ("2.5", LengthUnit::Min, Some(150_000)),
            ("0:03:12", LengthUnit::Hms, Some(192_000)),
            ("3:12.5", LengthUnit::Hms, Some(192_500)),
            ("100:00:00", LengthUnit::Hms, Some(360_000_000)),
            ("192", LengthUnit::Hms, None),
            ("0:03:12", LengthUnit::S, None),
            ("1e3", LengthUnit::S, None),
            ("1,5", LengthUnit::S, None),
            ("inf", LengthUnit::S, None),
            ("", LengthUnit::S, None),
            (".", LengthUnit::S, None),
            ("1:-2", LengthUnit::Hms, None),
            ("99999999999999999999", LengthUnit::S, None),
        ] {
            assert_eq!(length_ms(text, unit), wanted, "{text} in {unit:?}");
        }
    }
}
