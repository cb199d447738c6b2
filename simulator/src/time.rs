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

/// Whether an instant lies in daylight time of a zone; false for a zone nobody knows.
pub(crate) fn in_daylight_time(ms: i64, zone: &str) -> bool {
    match (TimeZone::get(zone), Timestamp::from_millisecond(ms)) {
        (Ok(zone), Ok(instant)) => zone.to_offset_info(instant).dst().is_dst(),
        _ => false,
    }
}
