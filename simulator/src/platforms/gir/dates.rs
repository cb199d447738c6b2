//! Times as text on this platform: taken in several shapes, told in one.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// An instant in Unix milliseconds. As text: `2013-05-17T11:45:32.000+0000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct UtcMillis(pub(super) i64);

/// What a text says of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// An instant.
    At(UtcMillis),
    /// A time whose zone is not stated; the instant if it is UTC.
    Zoneless(UtcMillis),
}

/// Reads `yyyy-MM-ddTHH:mm:ss`, an optional fraction of 1 to 9 digits (cut to milliseconds), and a
/// zone: `Z`, `+hhmm`, `+hh:mm` or none.
pub(super) fn read(text: &str) -> Option<Read> {
    if !text.is_ascii() || text.len() < 19 || text.as_bytes()[10] != b'T' {
        return None;
    }
    let (clock, rest) = text.split_at(19);
    let is_plain = clock.bytes().enumerate().all(|(i, byte)| match i {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    if !is_plain {
        return None;
    }
    let local = clock
        .parse::<DateTime>()
        .ok()?
        .to_zoned(TimeZone::UTC)
        .ok()?
        .timestamp()
        .as_millisecond();
    let (fraction_ms, zone) = fraction(rest)?;
    let local = local + fraction_ms;
    match zone {
        "" => Some(Read::Zoneless(UtcMillis(local))),
        "Z" => Some(Read::At(UtcMillis(local))),
        _ => Some(Read::At(UtcMillis(local - offset_ms(zone)?))),
    }
}

/// Milliseconds of a fraction, and what comes behind it.
fn fraction(rest: &str) -> Option<(i64, &str)> {
    let Some(digits) = rest.strip_prefix('.') else {
        return Some((0, rest));
    };
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=9).contains(&length) {
        return None;
    }
    let (digits, zone) = digits.split_at(length);
    let padded = format!("{digits:0<3}");
    Some((padded[..3].parse().ok()?, zone))
}

/// `+hhmm` or `+hh:mm`, up to 18 hours.
fn offset_ms(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = match zone.len() {
        5 => zone[1..].to_owned(),
        6 if zone.as_bytes()[3] == b':' => format!("{}{}", &zone[1..3], &zone[4..]),
        _ => return None,
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i64, i64) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    (hours <= 18 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60_000)
}

impl UtcMillis {
    /// As the truth tells it.
    pub(super) fn in_truth(self) -> String {
        let clamped = self.0.clamp(
            Timestamp::MIN.as_millisecond(),
            Timestamp::MAX.as_millisecond(),
        );
        format!(
            "{:.3}",
            Timestamp::from_millisecond(clamped).unwrap_or(Timestamp::UNIX_EPOCH)
        )
    }
}

impl std::fmt::Display for UtcMillis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}+0000", self.in_truth().trim_end_matches('Z'))
    }
}

impl Serialize for UtcMillis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UtcMillis {
    /// A time without a zone is UTC here: whether one is taken is decided before (`fields`).
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<UtcMillis, D::Error> {
        let text = String::deserialize(deserializer)?;
        match read(&text) {
            Some(Read::At(moment) | Read::Zoneless(moment)) => Ok(moment),
            None => Err(D::Error::custom("no ISO time")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_is_taken_in_every_accepted_shape_and_told_in_one() {
        for (text, told) in [
            (
                "2013-05-17T11:45:32.000-0800",
                Some("2013-05-17T19:45:32.000+0000"),
            ),
            (
                "2013-05-17T11:45:32.000+0000",
                Some("2013-05-17T11:45:32.000+0000"),
            ),
            (
                "2013-05-17T11:45:32.034Z",
                Some("2013-05-17T11:45:32.034+0000"),
            ),
            ("2014-12-03T18:31:26Z", Some("2014-12-03T18:31:26.000+0000")),
            (
                "2014-12-03T18:31:26+05:30",
                Some("2014-12-03T13:01:26.000+0000"),
            ),
            (
                "2014-12-03T18:31:26.5-0330",
                Some("2014-12-03T22:01:26.500+0000"),
            ),
            (
                "2014-12-03T18:31:26.123999Z",
                Some("2014-12-03T18:31:26.123+0000"),
            ),
            ("2014-12-03 18:31:26Z", None),
            ("2014-12-03T18:31Z", None),
            ("2014-02-30T18:31:26Z", None),
            ("2014-12-03T25:31:26Z", None),
            ("2014-12-03T18:31:26.Z", None),
            ("2014-12-03T18:31:26+5", None),
            ("2014-12-03T18:31:26+1960", None),
            ("2014-12-03T18:31:26 UTC", None),
            ("1417631486", None),
            ("", None),
        ] {
            let read = read(text);
            assert!(!matches!(read, Some(Read::Zoneless(_))), "{text}");
            let at = read.map(|(Read::At(moment) | Read::Zoneless(moment))| moment.to_string());
            assert_eq!(at.as_deref(), told, "{text}");
        }
        assert_eq!(
            read("2015-06-15T23:59:00.000"),
            Some(Read::Zoneless(UtcMillis(1_434_412_740_000)))
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,40}|[0-9T:.Z+-]{0,32}") {
            let _ = read(&text);
        }

        #[test]
        fn a_moment_is_the_same_in_every_zone(ms in -60_000_000_000_000_i64..250_000_000_000_000, minutes in -1080_i64..=1080, colon: bool) {
            let (sign, hours) = (if minutes < 0 { '-' } else { '+' }, minutes.abs() / 60);
            let zone = format!("{sign}{hours:02}{}{:02}", if colon { ":" } else { "" }, minutes.abs() % 60);
            let local = UtcMillis(ms + minutes * 60_000).in_truth();
            prop_assert_eq!(read(&format!("{}{zone}", local.trim_end_matches('Z'))), Some(Read::At(UtcMillis(ms))));
            prop_assert_eq!(read(&UtcMillis(ms).to_string()), Some(Read::At(UtcMillis(ms))));
        }
    }
}
