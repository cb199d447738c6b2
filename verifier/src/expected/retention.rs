//! When a recording must be deleted, and whether it is held.

use jiff::Span;
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
    let years = rules.class_years.get(class?)?;
    let end = call_end.timestamp()?.to_zoned(TimeZone::UTC);
    let span = Span::new().try_years(*years).ok()?;
    end.checked_add(span)
        .ok()
        .map(|at| UtcMillis::from(at.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expected::testing::rules;

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
