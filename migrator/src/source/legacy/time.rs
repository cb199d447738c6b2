//! Source times to instants. Source: docs/reference/time.md. Nothing is guessed: what the plan does
//! not declare is not corrected.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use plan::{TimeRules, TimeUnit};
use platforms::legacy::wire::SourceTime;

use crate::canonical::Repair;
use crate::source::instant::{Unusable, corrected, of_zone};

/// The instant a source time means, with the node's declared offset applied; the note says how
/// local text was read.
pub(crate) fn instant(
    time: &SourceTime,
    node: Option<&str>,
    rules: &TimeRules,
) -> Result<(Timestamp, Option<Repair>), Unusable> {
    let (stated, note) = match time {
        SourceTime::Absent => return Err(Unusable),
        SourceTime::Number(number) => (from_number(*number, rules.unit)?, None),
        SourceTime::Text(text) => match time.whole() {
            Some(number) => (from_number(number, rules.unit)?, None),
            None => from_text(text, rules.naive_zone.as_deref())?,
        },
    };
    Ok((corrected(stated, node, rules)?, note))
}

fn from_number(number: i64, unit: TimeUnit) -> Result<Timestamp, Unusable> {
    match unit {
        TimeUnit::Ms => Timestamp::from_millisecond(number),
        TimeUnit::S => Timestamp::from_second(number),
    }
    .map_err(|_| Unusable)
}

fn from_text(text: &str, zone: Option<&str>) -> Result<(Timestamp, Option<Repair>), Unusable> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok((instant, None));
    }
    let local: DateTime = text.parse().map_err(|_| Unusable)?;
    let zone = TimeZone::get(zone.ok_or(Unusable)?).map_err(|_| Unusable)?;
    of_zone(local, &zone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::instant::ordered;
    use crate::time::iso;

    fn rules(unit: TimeUnit, zone: Option<&str>) -> TimeRules {
        let node = [("N3".to_owned(), plan::NodeTime { offset_ms: -73_000 })].into();
        TimeRules {
            unit,
            naive_zone: zone.map(str::to_owned),
            site_zone: None,
            clock_tolerance_s: None,
            node,
        }
    }

    #[test]
    fn times_become_the_instants_the_contract_says() {
        let london = Some("Europe/London");
        let rows = [
            (
                SourceTime::Number(1_698_400_800_000),
                None,
                TimeUnit::Ms,
                None,
                Some("2023-10-27T10:00:00.000Z"),
            ),
            (
                SourceTime::Number(1_698_400_800),
                None,
                TimeUnit::S,
                None,
                Some("2023-10-27T10:00:00.000Z"),
            ),
            (
                SourceTime::Number(1_698_400_800_000),
                Some("N3"),
                TimeUnit::Ms,
                None,
                Some("2023-10-27T09:58:47.000Z"),
            ),
            (
                SourceTime::Number(1_698_400_800_000),
                Some("N9"),
                TimeUnit::Ms,
                None,
                Some("2023-10-27T10:00:00.000Z"),
            ),
            (
                SourceTime::Text("2023-07-01T12:00:00".into()),
                None,
                TimeUnit::Ms,
                london,
                Some("2023-07-01T11:00:00.000Z"),
            ),
            (
                SourceTime::Text("2023-10-29T01:30:00".into()),
                None,
                TimeUnit::Ms,
                london,
                Some("2023-10-29T00:30:00.000Z"),
            ),
            (
                SourceTime::Text("2023-03-26T01:30:00".into()),
                None,
                TimeUnit::Ms,
                london,
                Some("2023-03-26T01:30:00.000Z"),
            ),
            (
                SourceTime::Text("2023-07-01T12:00:00+02:00".into()),
                None,
                TimeUnit::Ms,
                None,
                Some("2023-07-01T10:00:00.000Z"),
            ),
            (
                SourceTime::Text("2023-07-01T12:00:00".into()),
                None,
                TimeUnit::Ms,
                None,
                None,
            ),
            (
                SourceTime::Text("1698400800000".into()),
                None,
                TimeUnit::Ms,
                None,
                Some("2023-10-27T10:00:00.000Z"),
            ),
            (
                SourceTime::Text("1698400800000.0".into()),
                None,
                TimeUnit::Ms,
                None,
                Some("2023-10-27T10:00:00.000Z"),
            ),
            (
                SourceTime::Text("1.6984008E12".into()),
                None,
                TimeUnit::Ms,
                None,
                Some("2023-10-27T10:00:00.000Z"),
            ),
            (
                SourceTime::Text(" 1698400800 ".into()),
                None,
                TimeUnit::S,
                None,
                Some("2023-10-27T10:00:00.000Z"),
            ),
            (
                SourceTime::Text("1698400800000.5".into()),
                None,
                TimeUnit::Ms,
                None,
                None,
            ),
            (
                SourceTime::Text("yesterday".into()),
                None,
                TimeUnit::Ms,
                london,
                None,
            ),
            (SourceTime::Absent, None, TimeUnit::Ms, None, None),
            (SourceTime::Number(i64::MAX), None, TimeUnit::Ms, None, None),
            (
                SourceTime::Number(1_698_400_800),
                None,
                TimeUnit::Ms,
                None,
                None,
            ),
            (
                SourceTime::Number(1_698_400_800_000),
                None,
                TimeUnit::S,
                None,
                None,
            ),
        ];
        for (time, node, unit, zone, expected) in rows {
            let got = instant(&time, node, &rules(unit, zone))
                .ok()
                .map(|(instant, _)| iso(instant));
            assert_eq!(
                got.as_deref(),
                expected,
                "{time:?} node {node:?} zone {zone:?}"
            );
        }
    }

    #[test]
    fn ends_are_swapped_only_when_reversed() {
        let (a, b) = (
            Timestamp::from_second(10).unwrap(),
            Timestamp::from_second(20).unwrap(),
        );
        assert_eq!(ordered(a, b), (a, b, false));
        assert_eq!(ordered(b, a), (a, b, true));
        assert_eq!(ordered(a, a), (a, a, false));
    }
}
