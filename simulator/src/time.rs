//! Instants as text, and what a zone makes of them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Unix ms as RFC 3339 in UTC with milliseconds; times outside jiff's range (years -9999..9999) are
/// clamped to it.
pub(crate) fn instant(unix_ms: i64) -> String {
    let timestamp = Timestamp::from_millisecond(unix_ms).unwrap_or(if unix_ms < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    });
    format!("{timestamp:.3}")
}

/// Whether an instant lies in the second of the two hours that a zone's clocks show twice, or in the
/// hour after it, and not in daylight time; false for a zone nobody knows.
pub(crate) fn at_clock_change(ms: i64, zone: &str) -> bool {
    let (Ok(zone), Ok(instant)) = (TimeZone::get(zone), Timestamp::from_millisecond(ms)) else {
        return false;
    };
    let local = zone.to_datetime(instant);
    let is_twice = |local| zone.to_ambiguous_timestamp(local).is_ambiguous();
    let hour_before = local.checked_sub(jiff::ToSpan::hour(1));
    !zone.to_offset_info(instant).dst().is_dst()
        && (is_twice(local) || hour_before.is_ok_and(is_twice))
}

/// Whether an instant lies in daylight time of a zone; false for a zone nobody knows.
pub(crate) fn in_daylight_time(ms: i64, zone: &str) -> bool {
    match (TimeZone::get(zone), Timestamp::from_millisecond(ms)) {
        (Ok(zone), Ok(instant)) => zone.to_offset_info(instant).dst().is_dst(),
        _ => false,
    }
}
