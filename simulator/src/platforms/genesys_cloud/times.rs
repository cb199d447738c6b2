//! Time as text on this platform: ISO 8601, written in UTC with `Z` and milliseconds, read with `Z`
//! or an offset.

use jiff::{Timestamp, ToSpan, tz::TimeZone};

use super::{GenesysCloud, errors::ApiError, rules};

impl GenesysCloud {
    /// Unix milliseconds of a field of the public API, or its refusal.
    pub(super) fn instant(&self, field: &str, text: &str) -> Result<i64, ApiError> {
        self.note_offset(text);
        parse_instant(text).ok_or_else(|| ApiError::invalid_date(field, text))
    }

    /// Both ends of an interval `from/to` of the public API, half open, or its refusal.
    pub(super) fn interval(&self, field: &str, text: &str) -> Result<(i64, i64), ApiError> {
        text.split('/').for_each(|end| self.note_offset(end));
        parse_interval(text).ok_or_else(|| {
            let message = format!(
                "Value [{text}] is not an interval of two ISO-8601 times with Z or an offset"
            );
            ApiError::new(400, "invalid.date", message).field(field)
        })
    }

    /// Notes which rule reads a time that does not end in `Z`.
    pub(super) fn note_offset(&self, text: &str) {
        if !text.ends_with('Z') {
            self.mark(if ends_in_offset(text) {
                &rules::DATE_OFFSETS
            } else {
                &rules::NAIVE_DATES
            });
        }
    }
}

/// Unix milliseconds of a text such as `2023-10-27T10:00:00.000Z`. Absent when it is no instant, or
/// names its zone otherwise than by `Z`. The guide's surface reads its times so.
pub(super) fn parse_utc(text: &str) -> Option<i64> {
    if text.ends_with('Z') {
        parse_instant(text)
    } else {
        None
    }
}

/// Unix milliseconds of a text that ends in `Z` or in an offset such as `+00:00` or `+0100`, which
/// is how the vendor's Python SDK writes a `datetime`. Absent when it is no instant, or says
/// neither: a time without an offset is no instant. The public API reads its times so.
pub(super) fn parse_instant(text: &str) -> Option<i64> {
    let is_well_formed = text.is_ascii()
        && text.as_bytes().get(10) == Some(&b'T')
        && (text.ends_with('Z') || ends_in_offset(text));
    if !is_well_formed {
        return None;
    }
    text.parse::<Timestamp>()
        .ok()
        .map(Timestamp::as_millisecond)
}

/// Whether the time of day is followed by a sign, two digits of hours and two of minutes, with a
/// colon between them or without.
fn ends_in_offset(text: &str) -> bool {
    let Some(sign) = text.rfind(['+', '-']).filter(|at| *at > 10) else {
        return false;
    };
    let offset = &text.as_bytes()[sign + 1..];
    let digits: Vec<u8> = match offset {
        [_, _, b':', _, _] => [&offset[..2], &offset[3..]].concat(),
        [_, _, _, _] => offset.to_vec(),
        _ => return false,
    };
    digits.iter().all(u8::is_ascii_digit)
}

/// The text of Unix milliseconds, always with three decimals.
pub(super) fn text(ms: i64) -> String {
    let clamped = ms.clamp(
        Timestamp::MIN.as_millisecond(),
        Timestamp::MAX.as_millisecond(),
    );
    let instant = Timestamp::from_millisecond(clamped).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{instant:.3}")
}

/// The same calendar instant a number of years on, in UTC; 29 February becomes the 28th where it
/// must.
pub(super) fn add_years(ms: i64, years: i64) -> Option<i64> {
    let start = Timestamp::from_millisecond(ms)
        .ok()?
        .to_zoned(TimeZone::UTC);
    let years = i16::try_from(years).ok()?;
    start
        .checked_add(years.years())
        .ok()
        .map(|end| end.timestamp().as_millisecond())
}

/// Both ends of an interval `from/to`, half open.
pub(super) fn parse_interval(text: &str) -> Option<(i64, i64)> {
    let (from, to) = text.split_once('/')?;
    let (from, to) = (parse_instant(from)?, parse_instant(to)?);
    (from < to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_z_or_an_offset_and_the_guide_takes_z_alone() {
        let ten = 1_698_400_800_000;
        for (text, public, guide) in [
            ("2023-10-27T10:00:00.000Z", Some(ten), Some(ten)),
            ("2023-10-27T10:00:00Z", Some(ten), Some(ten)),
            ("2023-10-27T10:00:00+00:00", Some(ten), None),
            ("2023-10-27T10:00:00.250000+00:00", Some(ten + 250), None),
            ("2023-10-27T11:00:00+01:00", Some(ten), None),
            ("2023-10-27T11:00:00+0100", Some(ten), None),
            ("2023-10-27T04:30:00-05:30", Some(ten), None),
            ("2023-10-27T10:00:00", None, None),
            ("2023-10-27", None, None),
            ("2023-10-27 10:00:00Z", None, None),
            ("2023-10-27T10:00:00 00:00", None, None),
            ("2023-10-27T10:00:00+1", None, None),
            ("2023-10-27T10:00:00[UTC]", None, None),
            ("2023-10-27T10:00:00+00:00[UTC]", None, None),
            ("2023-13-27T10:00:00+00:00", None, None),
            ("", None, None),
        ] {
            assert_eq!(
                (parse_instant(text), parse_utc(text)),
                (public, guide),
                "{text}"
            );
        }
    }

    #[test]
    fn both_ends_of_an_interval_may_have_an_offset() {
        let a_day = Some((1_698_357_600_000_i64, 1_698_444_000_000_i64));
        assert_eq!(
            parse_interval("2023-10-27T00:00:00+02:00/2023-10-27T22:00:00.000Z"),
            a_day
        );
        assert_eq!(
            parse_interval("2023-10-27T00:00:00/2023-10-28T00:00:00"),
            None
        );
    }
}
