//! Texts to instants and lengths of time. Source: docs/reference/layout.md, "Times".

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::{Offset, TimeZone};
use plan::layout::{LengthUnit, TimeFormat};

/// What a text says of time.
enum Stated {
    /// An instant. Milliseconds since 1970.
    At(i64),
    /// A time of day in some zone.
    Local(DateTime),
    /// A time of day in a zone that the text names.
    In(DateTime, TimeZone),
}

/// The instant that a text is by the first of these formats that fits. `zone`: of texts without an
/// offset. Milliseconds since 1970. Absent: it is none.
pub(super) fn instant(
    text: &str,
    formats: &[TimeFormat],
    zone: impl FnOnce() -> Option<TimeZone>,
) -> Option<i64> {
    let (local, zone) = match formats.iter().find_map(|format| stated(text, format))? {
        Stated::At(ms) => return Some(ms),
        Stated::In(local, zone) => (local, zone),
        Stated::Local(local) => (local, zone()?),
    };
    // An hour that happens twice is its earlier instant, one that does not exist moved forward: the
    // resolution of RFC 5545, which jiff calls compatible.
    let instant = zone.to_ambiguous_timestamp(local).compatible();
    instant.ok().map(Timestamp::as_millisecond)
}

fn stated(text: &str, format: &TimeFormat) -> Option<Stated> {
    match format {
        TimeFormat::Iso => match text.parse::<Timestamp>() {
            Ok(at) => Some(Stated::At(at.as_millisecond())),
            Err(_) => text.parse().ok().map(Stated::Local),
        },
        TimeFormat::EpochMs => Some(Stated::At(decimal(text, 1, Fraction::Cut)?)),
        TimeFormat::EpochS => Some(Stated::At(decimal(text, 1000, Fraction::Cut)?)),
        TimeFormat::Strptime(format) => by_conversions(format, text),
    }
}

fn by_conversions(format: &str, text: &str) -> Option<Stated> {
    let parsed = BrokenDownTime::parse(format, text).ok()?;
    if parsed.timestamp().is_some() || parsed.offset().is_some() {
        let at = parsed.to_timestamp().ok()?;
        return Some(Stated::At(at.as_millisecond()));
    }
    // A date without a time is its midnight.
    let local = parsed.to_datetime().ok()?;
    Some(match parsed.iana_time_zone() {
        Some(name) => Stated::In(local, TimeZone::get(name).ok()?),
        None => Stated::Local(local),
    })
}

/// A zone by its IANA name, or an offset such as `+01:00` or `Z`.
pub(super) fn zone(name: &str) -> Option<TimeZone> {
    if name.eq_ignore_ascii_case("z") {
        return Some(TimeZone::UTC);
    }
    let Some(sign) = name.chars().next().filter(|sign| matches!(sign, '+' | '-')) else {
        return TimeZone::get(name).ok();
    };
    let number = |digits: &str| -> Option<i32> {
        let is_two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_two.then(|| digits.parse().ok()).flatten()
    };
    let (hours, minutes) = name[1..].split_once(':')?;
    let (hours, minutes) = (number(hours)?, number(minutes).filter(|it| *it < 60)?);
    let seconds = (hours * 60 + minutes) * 60;
    let seconds = if sign == '-' { -seconds } else { seconds };
    Offset::from_seconds(seconds).ok().map(TimeZone::fixed)
}

/// A length of time and whether it had a fraction of a millisecond. Milliseconds, a fraction
/// rounded, a half away from zero. Absent: it is none.
pub(super) fn length(text: &str, unit: LengthUnit) -> Option<(i64, bool)> {
    let of = |factor| {
        let ms = decimal(text, factor, Fraction::Rounded)?;
        Some((ms, decimal(text, factor, Fraction::Refused).is_none()))
    };
    match unit {
        LengthUnit::Ms => of(1),
        LengthUnit::S => of(1000),
        LengthUnit::Min => of(60_000),
        LengthUnit::Hms => hms(text),
    }
    .filter(|(ms, _)| *ms >= 0)
}

/// `H:MM:SS` or `M:SS`, the first as large as it likes.
fn hms(text: &str) -> Option<(i64, bool)> {
    let parts: Vec<&str> = text.split(':').collect();
    let (before, seconds) = match parts.as_slice() {
        [hours, minutes, seconds] => {
            let minutes = whole(minutes).filter(|minutes| *minutes < 60)?;
            (
                whole(hours)?.checked_mul(60)?.checked_add(minutes)?,
                seconds,
            )
        }
        [minutes, seconds] => (whole(minutes)?, seconds),
        _ => return None,
    };
    let digits = |c: char| c.is_ascii_digit();
    if !seconds.starts_with(digits) || !seconds.ends_with(digits) || seconds.contains(['e', 'E']) {
        return None;
    }
    let ms = decimal(seconds, 1000, Fraction::Rounded)?;
    let is_below_60 = decimal(seconds, 1, Fraction::Cut)? < 60;
    let has_fraction = decimal(seconds, 1000, Fraction::Refused).is_none();
    let ms = before.checked_mul(60_000)?.checked_add(ms)?;
    is_below_60.then_some((ms, has_fraction))
}

fn whole(text: &str) -> Option<i64> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok()).flatten()
}

/// What becomes of a fraction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fraction {
    /// It is left out.
    Cut,
    /// To the nearest, a half away from zero.
    Rounded,
    /// A number that has one is none.
    Refused,
}

/// A decimal number, with an exponent or without, times a factor. Absent: it is none, or beyond 64
/// bits.
pub(super) fn decimal(text: &str, factor: i128, fraction: Fraction) -> Option<i64> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (before, after) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits: String = [before, after].concat();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    let zeros = i32::try_from(digits.len() - significant.len()).ok()?;
    let exponent = exponent
        .checked_sub(i32::try_from(after.len()).ok()?)?
        .checked_add(zeros)?;
    if significant.is_empty() {
        return Some(0);
    }
    // Beyond these digits nothing is left of a millisecond that anybody measured.
    let number: i128 = (significant.len() <= 30).then(|| significant.parse().ok())??;
    let number = number.checked_mul(factor)?;
    let scale = |exponent: u32| 10_i128.checked_pow(exponent);
    let scaled = if exponent >= 0 {
        number.checked_mul(scale(exponent.unsigned_abs())?)?
    } else {
        let Some(scale) = scale(exponent.unsigned_abs()) else {
            return (fraction != Fraction::Refused).then_some(0);
        };
        match fraction {
            Fraction::Cut => number / scale,
            Fraction::Rounded => (number + scale / 2) / scale,
            Fraction::Refused if number % scale != 0 => return None,
            Fraction::Refused => number / scale,
        }
    };
    let signed = if mantissa.starts_with('-') {
        -scaled
    } else {
        scaled
    };
    i64::try_from(signed).ok()
}

#[cfg(test)]
mod tests {
    use plan::Layout;
    use proptest::prelude::*;

    use super::*;

    /// Formats as a layout has them.
    fn formats(list: &str) -> Vec<TimeFormat> {
        let text = format!(
            "layout_version = 1\n[file]\nformat = \"csv\"\n[time]\nformat = {list}\n[call]\nid = \
             \"I\"\nstart = \"S\"\nend = \"E\"\n"
        );
        Layout::parse("layout.toml".as_ref(), &text)
            .expect("a layout")
            .time
            .format
    }

    #[test]
    fn a_text_is_an_instant_by_the_first_format_that_fits() {
        let rows = [
            (
                "2024-01-31T10:00:00.5+01:00",
                "\"iso\"",
                "2024-01-31T09:00:00.500Z",
            ),
            (
                "2024-01-31t10:00:00.1239z",
                "\"iso\"",
                "2024-01-31T10:00:00.123Z",
            ),
            ("2024-01-31 10:00", "\"iso\"", "2024-01-31T09:00:00.000Z"),
            ("2024-07-31 10:00:00", "\"iso\"", "2024-07-31T08:00:00.000Z"),
            ("2024-01-31 10:00Z", "\"iso\"", "2024-01-31T10:00:00.000Z"),
            ("2024-01-31", "\"iso\"", "2024-01-30T23:00:00.000Z"),
            ("2024-10-27T02:30:00", "\"iso\"", "2024-10-27T00:30:00.000Z"),
            ("2024-03-31T02:30:00", "\"iso\"", "2024-03-31T01:30:00.000Z"),
            ("1706695200123", "\"epoch_ms\"", "2024-01-31T10:00:00.123Z"),
            ("1706695200.1239", "\"epoch_s\"", "2024-01-31T10:00:00.123Z"),
            ("1.7066952e9", "\"epoch_s\"", "2024-01-31T10:00:00.000Z"),
            (
                "31/01/2024 10:00:00",
                "[\"%d/%m/%Y %H:%M:%S\", \"%d/%m/%Y\"]",
                "2024-01-31T09:00:00.000Z",
            ),
            (
                "31/01/2024",
                "[\"%d/%m/%Y %H:%M:%S\", \"%d/%m/%Y\"]",
                "2024-01-30T23:00:00.000Z",
            ),
            (
                "01/31/2024 09:05 PM",
                "\"%m/%d/%Y %I:%M %p\"",
                "2024-01-31T20:05:00.000Z",
            ),
            (
                "31.01.2024 10:00 -0500",
                "\"%d.%m.%Y %H:%M %z\"",
                "2024-01-31T15:00:00.000Z",
            ),
            ("1706695200", "\"%s\"", "2024-01-31T10:00:00.000Z"),
            (
                "2024-01-31 10:00 America/New_York",
                "\"%Y-%m-%d %H:%M %Q\"",
                "2024-01-31T15:00:00.000Z",
            ),
            (
                "12/13/2024",
                "[\"%d/%m/%Y\", \"%m/%d/%Y\"]",
                "2024-12-12T23:00:00.000Z",
            ),
        ];
        for (text, list, wanted) in rows {
            let at = instant(text, &formats(list), || TimeZone::get("Europe/Berlin").ok());
            let at = at.map(|ms| crate::utc_millis::UtcMillis::from_ms(ms).to_string());
            assert_eq!(at.as_deref(), Some(wanted), "{text}");
        }
        for (text, list) in [
            ("yesterday", "\"iso\""),
            ("31/02/2024", "\"%d/%m/%Y\""),
            ("31/01/2024 10", "\"%d/%m/%Y\""),
            ("10:00", "\"%H:%M\""),
            ("1706695200123", "\"iso\""),
            ("1,5", "\"epoch_s\""),
            ("", "\"epoch_ms\""),
        ] {
            assert_eq!(
                instant(text, &formats(list), || Some(TimeZone::UTC)),
                None,
                "{text}"
            );
        }
        assert_eq!(instant("2024-01-31", &formats("\"iso\""), || None), None);
    }

    #[test]
    fn a_zone_is_a_name_or_an_offset() {
        for name in ["Europe/London", "UTC", "Z", "z", "+01:00", "-05:30"] {
            assert!(zone(name).is_some(), "{name}");
        }
        for name in [
            "Europe/Londn",
            "+25:99",
            "+1",
            "+\u{e9}:00",
            "+01:60",
            "",
            "+-1:00",
        ] {
            assert!(zone(name).is_none(), "{name}");
        }
    }

    #[test]
    fn lengths_are_decimals_or_hours_minutes_and_seconds() {
        let rows = [
            ("1500", LengthUnit::Ms, Some((1500, false))),
            ("0.5", LengthUnit::Ms, Some((1, true))),
            ("0.4999", LengthUnit::Ms, Some((0, true))),
            ("12.3455", LengthUnit::S, Some((12_346, true))),
            ("12.5", LengthUnit::S, Some((12_500, false))),
            ("1.5e2", LengthUnit::S, Some((150_000, false))),
            ("0.25", LengthUnit::Min, Some((15_000, false))),
            ("1:02:03", LengthUnit::Hms, Some((3_723_000, false))),
            ("2:03.5", LengthUnit::Hms, Some((123_500, false))),
            ("125:30", LengthUnit::Hms, Some((7_530_000, false))),
            ("00:00", LengthUnit::Hms, Some((0, false))),
            ("45", LengthUnit::Hms, None),
            ("1:60:00", LengthUnit::Hms, None),
            ("1:60", LengthUnit::Hms, None),
            ("1:2:3:4", LengthUnit::Hms, None),
            ("-1:00", LengthUnit::Hms, None),
            ("1:-5", LengthUnit::Hms, None),
            ("-5", LengthUnit::S, None),
            ("1,5", LengthUnit::S, None),
            ("five", LengthUnit::S, None),
            ("1e400", LengthUnit::Ms, None),
            ("99999999999999999999", LengthUnit::Ms, None),
        ];
        for (text, unit, wanted) in rows {
            assert_eq!(length(text, unit), wanted, "{text} {unit:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_number_or_none(text in "[-+0-9.eE]{0,45}") {
            for fraction in [Fraction::Cut, Fraction::Rounded, Fraction::Refused] {
                _ = decimal(&text, 60_000, fraction);
            }
            _ = hms(&text);
        }

        #[test]
        fn a_decimal_is_what_its_whole_thousandths_are(number in any::<i32>(), places in 0_u32..6) {
            let scale = 10_i64.pow(places);
            let whole = i64::from(number);
            let sign = if whole < 0 { "-" } else { "" };
            let (before, after) = (whole.abs() / scale, whole.abs() % scale);
            let text = format!("{sign}{before}.{after:0width$}", width = places as usize);
            let wanted = if places <= 3 {
                whole * 10_i64.pow(3 - places)
            } else {
                whole / 10_i64.pow(places - 3)
            };
            prop_assert_eq!(decimal(&text, 1000, Fraction::Cut), Some(wanted), "{}", text);
        }
    }
}
