//! Time as text on this platform: UTC, ISO 8601, `Z`, milliseconds.

use jiff::{Timestamp, ToSpan, tz::TimeZone};

/// Unix milliseconds of a text such as `2023-10-27T10:00:00.000Z`. Absent when it is no instant, or names its zone otherwise than by `Z`.
pub(super) fn parse_utc(text: &str) -> Option<i64> {
    let well_formed = text.is_ascii() && text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T');
    if !well_formed {
        return None;
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// The text of Unix milliseconds, always with three decimals.
pub(super) fn text(ms: i64) -> String {
    let clamped = ms.clamp(Timestamp::MIN.as_millisecond(), Timestamp::MAX.as_millisecond());
    let instant = Timestamp::from_millisecond(clamped).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{instant:.3}")
}

/// The same calendar instant a number of years on, in UTC; 29 February becomes the 28th where it must.
pub(super) fn add_years(ms: i64, years: i64) -> Option<i64> {
    let start = Timestamp::from_millisecond(ms).ok()?.to_zoned(TimeZone::UTC);
    let years = i16::try_from(years).ok()?;
    start.checked_add(years.years()).ok().map(|end| end.timestamp().as_millisecond())
}

/// Whether an instant lies in daylight time of a zone; false for a zone nobody knows.
pub(crate) fn in_daylight_time(ms: i64, zone: &str) -> bool {
    match (TimeZone::get(zone), Timestamp::from_millisecond(ms)) {
        (Ok(zone), Ok(instant)) => zone.to_offset_info(instant).dst().is_dst(),
        _ => false,
    }
}

/// Both ends of an interval `from/to`, half open.
pub(super) fn parse_interval(text: &str) -> Option<(i64, i64)> {
    let (from, to) = text.split_once('/')?;
    let (from, to) = (parse_utc(from)?, parse_utc(to)?);
    (from < to).then_some((from, to))
}
