//! How long a call waits: what a platform asks for, within a bound, and what grows by itself.

use std::time::Duration;

use http::{HeaderMap, header};
use jiff::Timestamp;

/// The longest that one call waits because it is asked to, all such waits together. A platform that
/// wants longer is as good as away: the run ends and says so, and may be started again then.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// The wait that `Retry-After` asks for: whole seconds, or a date, which is held against the
/// answer's own `Date`, for our clock may be another. `None` where it is absent or neither. Source:
/// RFC 9110 section 10.2.3.
pub(crate) fn retry_after(headers: &HeaderMap, now_ms: i64) -> Option<Duration> {
    let text = |name| Some(headers.get(name)?.to_str().ok()?.trim());
    let asked = text(header::RETRY_AFTER)?;
    if !asked.is_empty() && asked.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are a wait for ever.
        return Some(Duration::from_secs(asked.parse().unwrap_or(u64::MAX)));
    }
    let from_ms = text(header::DATE).and_then(http_date_ms).unwrap_or(now_ms);
    let wait_ms = http_date_ms(asked)?.saturating_sub(from_ms);
    Some(Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0)))
}

/// A date of HTTP, Unix milliseconds: the present form, also as mail writes it (a day of one digit,
/// `+0000`), and the two of old times. `None`: it is none. Source: RFC 9110 section 5.6.7; RFC 5322
/// section 3.3.
pub(super) fn http_date_ms(text: &str) -> Option<i64> {
    let text = text.trim();
    // A day of the week that does not fit takes nothing from the date.
    if let Ok(at) = jiff::fmt::rfc2822::DateTimeParser::new()
        .relaxed_weekday(true)
        .parse_timestamp(text)
    {
        return Some(at.as_millisecond());
    }
    let since_1970 = httpdate::parse_http_date(text)
        .ok()?
        .duration_since(std::time::UNIX_EPOCH)
        .ok()?;
    i64::try_from(since_1970.as_millis()).ok()
}

/// When a wait ends, in words; no words for one beyond every calendar.
pub(crate) fn until(now_ms: i64, wait: Duration) -> String {
    let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(now_ms.saturating_add(wait_ms))
        .map_or_else(|_| String::new(), |at| format!(", until {at:.0}"))
}

/// Grows from 0.25 s to 8 s; spread by half so that workers that failed together do not return
/// together. The spread is a function of what is sent, not of chance, so that a rehearsal repeats.
pub(crate) fn backoff(failed: u32, key: &str) -> Duration {
    let full_ms = 250_u64 << failed.saturating_sub(1).min(5);
    let hash = key.bytes().fold(u64::from(failed), |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Duration::from_millis(full_ms / 2 + (hash >> 20) % (full_ms / 2 + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_servers_clock() {
        const NOW: i64 = 784_111_777_000; // Sun, 06 Nov 1994 08:49:37 GMT
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (asked, served, wanted_s) in [
            ("120", None, Some(120)),
            (" 0 ", None, Some(0)),
            ("99999999999999999999999", None, Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:51:37 GMT", Some(date), Some(120)),
            ("Sun, 6 Nov 1994 08:51:37 GMT", Some(date), Some(120)),
            (
                "Sun, 06 Nov 1994 08:51:37 +0000",
                Some("Sun, 6 Nov 1994 08:49:37 +0000"),
                Some(120),
            ),
            ("Mon, 06 Nov 1994 08:51:37 GMT", Some(date), Some(120)),
            ("Sunday, 06-Nov-94 08:51:37 GMT", Some(date), Some(120)),
            ("Sun Nov  6 08:51:37 1994", Some(date), Some(120)),
            // By the server's clock, which is ten minutes ahead of ours.
            (
                "Sun, 06 Nov 1994 09:01:37 GMT",
                Some("Sun, 06 Nov 1994 08:59:37 GMT"),
                Some(120),
            ),
            ("Sun, 06 Nov 1994 08:51:37 GMT", None, Some(120)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(date), Some(0)),
            ("soon", Some(date), None),
            ("-5", None, None),
            ("1.5", None, None),
            ("", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, asked.parse().expect("a header"));
            if let Some(served) = served {
                headers.insert(header::DATE, served.parse().expect("a header"));
            }
            assert_eq!(
                retry_after(&headers, NOW).map(|wait| wait.as_secs()),
                wanted_s,
                "{asked} at {served:?}"
            );
        }
        assert_eq!(retry_after(&HeaderMap::new(), NOW), None);
    }

    fn answered(asked: &[u8], served: &[u8]) -> HeaderMap {
        let value = |bytes| http::HeaderValue::from_bytes(bytes).ok();
        let pairs = [
            (header::RETRY_AFTER, value(asked)),
            (header::DATE, value(served)),
        ];
        pairs
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_header_makes_the_reader_panic(
            asked in proptest::collection::vec(any::<u8>(), 0..40),
            served in proptest::collection::vec(any::<u8>(), 0..40),
            now_ms: i64,
        ) {
            let _ = retry_after(&answered(&asked, &served), now_ms);
        }

        #[test]
        fn a_wait_in_seconds_and_one_until_a_date_are_the_same_wait(at_s in 0_u64..4_000_000_000, wait_s in 0_u64..100_000_000, now_ms: i64) {
            let date = |s| httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(s));
            let by_date = answered(date(at_s + wait_s).as_bytes(), date(at_s).as_bytes());
            let by_seconds = answered(wait_s.to_string().as_bytes(), b"");
            prop_assert_eq!(retry_after(&by_date, now_ms), Some(Duration::from_secs(wait_s)));
            prop_assert_eq!(retry_after(&by_seconds, now_ms), Some(Duration::from_secs(wait_s)));
        }
    }
}
