//! Byte ranges of media (RFC 9110, sections 13.1.5 and 14).

use bytes::Bytes;
use http::{HeaderMap, Method, header};

use crate::http::reply::Reply;

/// What of a media was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    /// First and last byte.
    Part(u64, u64),
    Unsatisfiable,
}

/// Reads `Range` and `If-Range` against a length and a strong validator. What is malformed, in
/// another unit, or several ranges asks for all.
pub(crate) fn wanted(headers: &HeaderMap, etag: &str, length: u64) -> Wanted {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    let Some(range) = text(header::RANGE).and_then(|range| range.strip_prefix("bytes=")) else {
        return Wanted::All;
    };
    if text(header::IF_RANGE).is_some_and(|validator| validator != etag) {
        return Wanted::All;
    }
    let Some((first, last)) = range.split_once('-').filter(|_| !range.contains(',')) else {
        return Wanted::All;
    };
    let number = |digits: &str| digits.trim().parse::<u64>().ok();
    match (number(first), number(last)) {
        (Some(first), Some(last)) if last < first => Wanted::All,
        (Some(first), _) if first >= length => Wanted::Unsatisfiable,
        (Some(first), Some(last)) => Wanted::Part(first, last.min(length - 1)),
        (Some(first), None) if last.trim().is_empty() => Wanted::Part(first, length - 1),
        (None, Some(0)) if first.trim().is_empty() => Wanted::Unsatisfiable,
        (None, Some(_)) if first.trim().is_empty() && length == 0 => Wanted::Unsatisfiable,
        (None, Some(tail)) if first.trim().is_empty() => {
            Wanted::Part(length.saturating_sub(tail), length - 1)
        }
        _ => Wanted::All,
    }
}

/// Media, or the part of it that was asked for.
pub(crate) fn reply(
    method: &Method,
    headers: &HeaderMap,
    bytes: &Bytes,
    etag: &str,
    content_type: &str,
) -> Reply {
    let length = bytes.len() as u64;
    let (status, part) = match wanted(headers, etag, length) {
        Wanted::All => (200, bytes.clone()),
        Wanted::Part(first, last) => (206, bytes.slice(as_index(first)..as_index(last) + 1)),
        Wanted::Unsatisfiable => {
            return Reply::empty(416)
                .with_header(header::CONTENT_RANGE, format!("bytes */{length}"));
        }
    };
    let mut reply = Reply::empty(status)
        .with_header(header::CONTENT_TYPE, content_type)
        .with_header(header::ETAG, etag)
        .with_header(header::ACCEPT_RANGES, "bytes")
        .with_header(header::CONTENT_LENGTH, part.len().to_string());
    if let (206, Wanted::Part(first, last)) = (status, wanted(headers, etag, length)) {
        reply = reply.with_header(
            header::CONTENT_RANGE,
            format!("bytes {first}-{last}/{length}"),
        );
    }
    if method != Method::HEAD {
        reply.bytes_out = Some(part.len() as u64);
        reply.body = axum::body::Body::from(part);
    }
    reply
}

fn as_index(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        for (range, if_range, length, expected) in [
            ("bytes=0-3", None, 10, Wanted::Part(0, 3)),
            ("bytes=4-", None, 10, Wanted::Part(4, 9)),
            ("bytes=-3", None, 10, Wanted::Part(7, 9)),
            ("bytes=-30", None, 10, Wanted::Part(0, 9)),
            ("bytes=4-400", None, 10, Wanted::Part(4, 9)),
            ("bytes=10-", None, 10, Wanted::Unsatisfiable),
            ("bytes=-0", None, 10, Wanted::Unsatisfiable),
            ("bytes=0-", None, 0, Wanted::Unsatisfiable),
            ("bytes=-5", None, 0, Wanted::Unsatisfiable),
            ("bytes=5-2", None, 10, Wanted::All),
            ("bytes=0-1,3-4", None, 10, Wanted::All),
            ("lines=0-1", None, 10, Wanted::All),
            ("bytes=x-", None, 10, Wanted::All),
            ("bytes=4-", Some("\"e\""), 10, Wanted::Part(4, 9)),
            ("bytes=4-", Some("\"other\""), 10, Wanted::All),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, range.parse().expect("a value"));
            if let Some(validator) = if_range {
                headers.insert(header::IF_RANGE, validator.parse().expect("a value"));
            }
            assert_eq!(
                wanted(&headers, "\"e\"", length),
                expected,
                "{range} {if_range:?} of {length}"
            );
        }
    }

    fn asked(range: &str) -> HeaderMap {
        [(header::RANGE, range.parse().expect("a value"))]
            .into_iter()
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_any_text_asks_for_lies_inside(range in "(bytes=)?[0-9 ,+-]{0,24}|[ -~]{0,24}", length in prop_oneof![0_u64..4, any::<u64>()]) {
            if let Wanted::Part(first, last) = wanted(&asked(&range), "\"e\"", length) {
                prop_assert!(first <= last && last < length, "{}: {}-{} of {}", range, first, last, length);
            }
        }

        #[test]
        fn a_range_is_read_as_it_is_written(length in 1_u64.., a: u64, b: u64) {
            let (first, last) = ((a % length).min(b % length), (a % length).max(b % length));
            prop_assert_eq!(wanted(&asked(&format!("bytes={first}-{last}")), "\"e\"", length), Wanted::Part(first, last));
            prop_assert_eq!(wanted(&asked(&format!("bytes={first}-")), "\"e\"", length), Wanted::Part(first, length - 1));
            prop_assert_eq!(wanted(&asked(&format!("bytes=-{}", length - first)), "\"e\"", length), Wanted::Part(first, length - 1));
        }
    }
}
