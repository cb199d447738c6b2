//! Source values to instants. Source: docs/reference/time.md.

use jiff::civil::DateTime;

use super::{Rules, Span};
use crate::source::SourceTime;
use crate::text::{Text, decimal};
use crate::utc_millis::UtcMillis;

/// A span, and whether its ends stood reversed in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) span: Span,
    pub(super) swapped: bool,
}

/// Start and end of something in the source. `None`: no instant can be made of one of them.
pub(super) fn span(
    start: &SourceTime,
    end: &SourceTime,
    node: Option<&str>,
    rules: &Rules,
) -> Option<Reading> {
    let (start, end) = (instant(start, node, rules)?, instant(end, node, rules)?);
    let swapped = start > end;
    let span = if swapped {
        Span {
            start: end,
            end: start,
        }
    } else {
        Span { start, end }
    };
    Some(Reading { span, swapped })
}

/// By unit or zone, then the recorder's declared offset. Nothing else is corrected.
pub(super) fn instant(value: &SourceTime, node: Option<&str>, rules: &Rules) -> Option<UtcMillis> {
    let stated = match value {
        SourceTime::Absent => return None,
        SourceTime::Number(number)
        | SourceTime::Text {
            whole: Some(number),
            ..
        } => in_unit(*number, rules)?,
        SourceTime::Text { text, whole: None } => from_text(text, rules)?,
        SourceTime::Instant { at, .. } => return *at,
    };
    let offset = node
        .and_then(|node| rules.node_offset_ms.get(super::padless(node)))
        .copied()
        .unwrap_or(0);
    stated.plus_ms(offset).if_recordable()
}

fn in_unit(number: i64, rules: &Rules) -> Option<UtcMillis> {
    number
        .checked_mul(if rules.seconds { 1000 } else { 1 })
        .map(UtcMillis::from_ms)
}

/// Text with an offset is an instant; local text needs the plan's zone. A repeated hour is its
/// earlier instant, a missing one is moved forward: jiff's "compatible" resolution, which is RFC
/// 5545's.
fn from_text(text: &str, rules: &Rules) -> Option<UtcMillis> {
    if let Some(instant) = UtcMillis::parse(text) {
        return Some(instant);
    }
    let local: DateTime = text.trim().parse().ok()?;
    let zone = rules.naive_zone.clone()?;
    zone.to_ambiguous_timestamp(local)
        .compatible()
        .ok()
        .map(UtcMillis::from)
}

/// The source's value as it stands there; `None` where nothing does.
pub(crate) fn raw_text(value: &SourceTime) -> Option<Text> {
    match value {
        SourceTime::Absent => None,
        SourceTime::Number(number) => Some(decimal(*number)),
        SourceTime::Text { text, .. } | SourceTime::Instant { text, .. } => Some(text.clone()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::expected::testing::rules;
    use crate::source::legacy::testing::text;

    fn number(value: i64) -> SourceTime {
        SourceTime::Number(value)
    }

    #[test]
    fn a_value_becomes_an_instant_by_unit_zone_and_recorder() {
        let mut london = rules();
        london.naive_zone = TimeZone::get("Europe/London").ok();
        london.node_offset_ms.insert("N3".to_owned(), -73_000);
        let mut seconds = rules();
        seconds.seconds = true;
        let rows = [
            (
                "milliseconds",
                number(1_698_400_800_123),
                None,
                rules(),
                Some("2023-10-27T10:00:00.123Z"),
            ),
            (
                "as text",
                text("1698400800100"),
                None,
                rules(),
                Some("2023-10-27T10:00:00.100Z"),
            ),
            (
                "as a float",
                text("1698400800100.00"),
                None,
                rules(),
                Some("2023-10-27T10:00:00.100Z"),
            ),
            (
                "with an exponent",
                text("1.6984008001E12"),
                None,
                rules(),
                Some("2023-10-27T10:00:00.100Z"),
            ),
            (
                "as a fraction",
                text("1698400800100.50"),
                None,
                rules(),
                None,
            ),
            (
                "seconds",
                number(1_698_400_800),
                None,
                seconds.clone(),
                Some("2023-10-27T10:00:00.000Z"),
            ),
            (
                "declared drift",
                number(1_698_400_873_000),
                Some("N3"),
                london.clone(),
                Some("2023-10-27T10:00:00.000Z"),
            ),
            (
                "no declared drift",
                number(1_698_400_873_000),
                Some("N4"),
                london.clone(),
                Some("2023-10-27T10:01:13.000Z"),
            ),
            (
                "text with an offset",
                text("2023-10-27T12:00:00+02:00"),
                None,
                rules(),
                Some("2023-10-27T10:00:00.000Z"),
            ),
            (
                "local text",
                text("2023-07-01 10:00:00"),
                None,
                london.clone(),
                Some("2023-07-01T09:00:00.000Z"),
            ),
            (
                "repeated hour: the earlier",
                text("2023-10-29T01:30:00"),
                None,
                london.clone(),
                Some("2023-10-29T00:30:00.000Z"),
            ),
            (
                "missing hour: forward",
                text("2023-03-26T01:30:00"),
                None,
                london,
                Some("2023-03-26T01:30:00.000Z"),
            ),
            (
                "local text without a zone",
                text("2023-07-01T10:00:00"),
                None,
                rules(),
                None,
            ),
            (
                "seconds under milliseconds",
                number(1_698_400_800),
                None,
                rules(),
                None,
            ),
            (
                "milliseconds under seconds",
                number(1_698_400_800_000),
                None,
                seconds,
                None,
            ),
            ("nothing", SourceTime::Absent, None, rules(), None),
            ("words", text("yesterday"), None, rules(), None),
        ];
        for (name, value, node, rules, wanted) in rows {
            let got = instant(&value, node, &rules).map(|at| at.to_string());
            assert_eq!(got.as_deref(), wanted, "{name}");
        }
    }

    #[test]
    fn reversed_ends_are_swapped_and_said_so() {
        let reading = span(
            &number(1_698_400_900_000),
            &number(1_698_400_800_000),
            None,
            &rules(),
        )
        .expect("usable");
        assert!(reading.swapped);
        assert_eq!(reading.span.ms(), 100_000);
        assert!(
            span(
                &number(1_698_400_800_000),
                &SourceTime::Absent,
                None,
                &rules()
            )
            .is_none()
        );
    }
}
