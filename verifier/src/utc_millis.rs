//! Instants as the verifier compares them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::refill::read_anew;

/// An instant. Unix milliseconds, UTC. Wider than any calendar: a damaged target may say the year
/// 55789, and that is a finding, not an error.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct UtcMillis(i64);

const DAY_MS: i64 = 86_400_000;

/// Before this no call was recorded by software that names its agents; an earlier instant is a unit
/// mistaken, a zero or a default, and correcting it would be guessing.
const EARLIEST: UtcMillis = UtcMillis::from_ms(631_152_000_000); // 1990-01-01
/// After this no call can have been recorded; the same holds.
const LATEST: UtcMillis = UtcMillis::from_ms(4_102_444_800_000); // 2100-01-01

impl UtcMillis {
    /// From Unix milliseconds.
    #[must_use]
    pub const fn from_ms(ms: i64) -> UtcMillis {
        UtcMillis(ms)
    }

    /// Unix milliseconds.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// How much later this is than `other`. Milliseconds.
    #[must_use]
    pub const fn since(self, other: UtcMillis) -> i64 {
        self.0.saturating_sub(other.0)
    }

    /// This instant moved by so many milliseconds.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> UtcMillis {
        UtcMillis(self.0.saturating_add(ms))
    }

    /// The same instant on the calendar. `None` beyond the year 9999.
    #[must_use]
    pub fn timestamp(self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.0).ok()
    }

    /// This instant, where a call can have been recorded then. Source: docs/reference/time.md.
    pub(crate) fn if_recordable(self) -> Option<UtcMillis> {
        (EARLIEST <= self && self < LATEST).then_some(self)
    }

    /// Whole seconds since 1970.
    pub(crate) const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Whole days since 1970.
    pub(crate) const fn days(self) -> i64 {
        self.0.div_euclid(DAY_MS)
    }

    /// The instant at which a day begins. `days`: since 1970.
    pub(crate) const fn of_days(days: i64) -> UtcMillis {
        UtcMillis(days.saturating_mul(DAY_MS))
    }

    /// The UTC day, `2023-10-27`. Beyond the calendar: `unknown`.
    #[must_use]
    pub fn day(self) -> String {
        self.timestamp().map_or_else(
            || "unknown".to_owned(),
            |at| format!("{at:.0}").chars().take(10).collect(),
        )
    }

    /// Reads what a target says. Takes `Z`, `+00:00`, `+0000`, any or no fraction, and years of
    /// five or six digits; anything without an offset is not an instant.
    #[must_use]
    pub fn parse(text: &str) -> Option<UtcMillis> {
        match text.trim().parse::<Timestamp>() {
            Ok(at) => Some(UtcMillis(at.as_millisecond())),
            Err(_) => parse_far(text.trim()),
        }
    }
}

impl From<Timestamp> for UtcMillis {
    fn from(at: Timestamp) -> UtcMillis {
        UtcMillis(at.as_millisecond())
    }
}

impl std::fmt::Display for UtcMillis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.timestamp() {
            Some(at) => write!(f, "{at:.3}"),
            None => write!(f, "{} ms after 1970", self.0),
        }
    }
}

read_anew!(UtcMillis);

/// A year beyond 9999 in UTC: what milliseconds taken for seconds turn into.
/// `+55789-04-18T00:26:40.000Z`.
fn parse_far(text: &str) -> Option<UtcMillis> {
    let text = text.strip_suffix('Z')?;
    let text = text.strip_prefix('+').unwrap_or(text);
    let (date, clock) = text.split_once('T')?;
    let mut date = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut clock = clock.split(':');
    let (hour, minute): (i64, i64) = (clock.next()?.parse().ok()?, clock.next()?.parse().ok()?);
    let seconds: f64 = clock.next()?.parse().ok()?;
    if !(10_000..=999_999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day)
    {
        return None;
    }
    let ms = ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60_000;
    Some(UtcMillis(ms + (seconds * 1000.0).round() as i64))
}

/// Days since 1970-01-01 of a proleptic Gregorian date; the usual 400-year cycle, months counted
/// from March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_one_instant_is_the_same_instant() {
        let expected = Some(UtcMillis::from_ms(1_698_400_800_000));
        for text in [
            "2023-10-27T10:00:00.000Z",
            "2023-10-27T10:00:00Z",
            "2023-10-27T10:00:00.000+0000",
            "2023-10-27T10:00:00+00:00",
            "2023-10-27T12:00:00.000+0200",
            " 2023-10-27T10:00:00Z ",
        ] {
            assert_eq!(UtcMillis::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn a_local_time_without_an_offset_is_not_an_instant() {
        assert_eq!(UtcMillis::parse("2023-10-27T10:00:00"), None);
        assert_eq!(UtcMillis::parse("yesterday"), None);
    }

    #[test]
    fn a_year_beyond_the_calendar_is_still_read() {
        assert_eq!(
            UtcMillis::parse("+010000-01-01T00:00:00.000Z"),
            Some(UtcMillis::from_ms(253_402_300_800_000))
        );
        assert!(
            UtcMillis::parse("55789-04-18T00:26:40Z").is_some_and(|at| at.timestamp().is_none())
        );
    }

    #[test]
    fn moments_are_written_with_milliseconds() {
        assert_eq!(
            UtcMillis::from_ms(1_698_400_800_000).to_string(),
            "2023-10-27T10:00:00.000Z"
        );
        assert_eq!(UtcMillis::from_ms(1_698_400_800_000).day(), "2023-10-27");
    }

    proptest::proptest! {
        #[test]
        fn every_moment_of_the_calendar_is_read_back(ms in -30_000_000_000_000i64..253_402_300_799_999) {
            let moment = UtcMillis::from_ms(ms);
            proptest::prop_assert_eq!(UtcMillis::parse(&moment.to_string()), Some(moment));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,40}") {
            let _ = UtcMillis::parse(&text);
        }
    }
}
