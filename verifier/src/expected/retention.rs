//! When a recording must be deleted, and whether it is held.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Rules;
use crate::utc_millis::UtcMillis;

/// The call's end plus the calendar years of the class, in UTC. `None`: no class, an unknown class,
/// or beyond the calendar.
pub(crate) fn delete_at(
    class: Option<&str>,
    call_end: UtcMillis,
    rules: &Rules,
) -> Option<UtcMillis> {
    later(call_end, *rules.class_years.get(class?)?)
}

/// The same day and time of another year; of a 29th of February the 28th, where that year has none.
fn later(at: UtcMillis, years: i64) -> Option<UtcMillis> {
    // In UTC every day is as long: no span has to be balanced for it, and every recording asks.
    let at = TimeZone::UTC.to_datetime(at.timestamp()?);
    let year = i64::from(at.year()).checked_add(years)?;
    let month = Date::new(i16::try_from(year).ok()?, at.month(), 1).ok()?;
    let day = at.day().min(month.days_in_month());
    let date = Date::new(month.year(), month.month(), day).ok()?;
    let at = TimeZone::UTC.to_timestamp(date.to_datetime(at.time()));
    at.ok().map(UtcMillis::from)
}
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::expected::testing::rules;

    proptest! {
        #[test]
        fn years_later_is_what_the_calendar_says(
            ms in -60_000_000_000_000_i64..253_402_200_000_000,
            leap in proptest::option::of(1_i64..2_000),
            years in -10_i64..12_000,
        ) {
            // Every other one is a 29th of February.
            let leap = leap.and_then(|leap| format!("{:04}-02-29T12:00:00Z", 4 * leap).parse().ok());
            let at = leap.map_or(UtcMillis::from_ms(ms), |at: jiff::Timestamp| UtcMillis::from(at));
            let span = jiff::Span::new().try_years(years).expect("so many years");
            let zoned = at.timestamp().map(|at| at.to_zoned(TimeZone::UTC)).expect("on the calendar");
            let wanted = zoned.checked_add(span).ok();
            let wanted = wanted.map(|at| UtcMillis::from(at.timestamp()));
            prop_assert_eq!(later(at, years), wanted);
        }
    }

    #[test]
    fn years_are_calendar_years_from_the_end_of_the_call() {
        let mut rules = rules();
        rules.class_years.insert("7-Year Retention".into(), 7);
        rules.class_years.insert("1-Year Retention".into(), 1);
        let rows = [
            (
                "7-Year Retention",
                "2023-10-27T10:05:00.123Z",
                Some("2030-10-27T10:05:00.123Z"),
            ),
            (
                "1-Year Retention",
                "2024-02-29T12:00:00Z",
                Some("2025-02-28T12:00:00.000Z"),
            ),
            ("Another", "2024-02-29T12:00:00Z", None),
        ];
        for (class, end, wanted) in rows {
            let end = UtcMillis::parse(end).expect("an instant");
            assert_eq!(
                delete_at(Some(class), end, &rules)
                    .map(|at| at.to_string())
                    .as_deref(),
                wanted,
                "{class}"
            );
        }
        assert_eq!(delete_at(None, UtcMillis::from_ms(0), &rules), None);
    }
}
