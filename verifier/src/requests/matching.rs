//! Whether a request is one of the table: by method, by the whole path, by its query. Pure.

use http::{HeaderMap, Method};

use super::{Ids, Operation, Parameter, Place};

/// The entry that allows a request to a path below the API's root; `None`: nothing does.
pub(super) fn find(
    operations: &[(usize, &'static Operation)],
    method: &Method,
    path: &str,
    query: &str,
) -> Option<usize> {
    let fits = |operation: &Operation| {
        let Place::Path(template) = operation.place else {
            return false;
        };
        method.as_str() == operation.method
            && path_fits(template, path, operation.service.ids)
            && query_fits(operation.parameters, query)
    };
    operations
        .iter()
        .find(|(_, operation)| fits(operation))
        .map(|(at, _)| *at)
}

fn path_fits(template: &str, path: &str, ids: Ids) -> bool {
    let mut segments = path.split('/');
    let fits = template.split('/').all(|wanted| {
        segments.next().is_some_and(|segment| {
            if wanted == "{}" {
                is_id(segment, ids)
            } else {
                wanted == segment
            }
        })
    });
    fits && segments.next().is_none()
}

/// An id of Genesys Cloud is letters, digits, `-`, `_`, `.` and `~`. A source's ids are its own,
/// and so are those of Interaction Recording, which hold them: any character may stand there
/// encoded, as long as nothing that a server could make of it, however often it decodes, leads to
/// another path.
fn is_id(segment: &str, ids: Ids) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let is_allowed = |byte: u8| plain(byte) || (ids == Ids::Any && byte == b'%');
    segment.bytes().all(is_allowed) && stays_here(segment)
}

/// How often a segment is decoded before it is refused for not coming to an end: no proxy and
/// server in a row do so more often.
const DECODINGS: usize = 6;

/// Whether a segment stays one record's own, once it is decoded as often as anybody may: it neither
/// begins nor ends with a slash, no step of it is of dots alone, also where a server cuts off what
/// follows a `;`, and it holds no NUL.
fn stays_here(segment: &str) -> bool {
    let is_dots = |step: &str| {
        let name = step.split(';').next().unwrap_or_default();
        !name.is_empty() && name.bytes().all(|byte| byte == b'.')
    };
    let ends_empty = |text: &str| {
        text.is_empty() || text.starts_with(['/', '\\', ';']) || text.ends_with(['/', '\\'])
    };
    let mut now = segment.as_bytes().to_vec();
    for _ in 0..DECODINGS {
        let text = String::from_utf8_lossy(&now);
        if text.contains('\0') || ends_empty(&text) || text.split(['/', '\\']).any(is_dots) {
            return false;
        }
        let next: Vec<u8> = percent_encoding::percent_decode(&now).collect();
        if next == now {
            return true;
        }
        now = next;
    }
    false
}

/// Whether a path below a store's root stays there once a server has decoded it.
pub(super) fn stays_below(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let dots = lower
        .split('/')
        .any(|step| !step.is_empty() && step.replace("%2e", ".").bytes().all(|byte| byte == b'.'));
    !dots
        && !path.contains(['\\', ';'])
        && !["%2f", "%5c", "%00"]
            .iter()
            .any(|code| lower.contains(code))
}

/// Only names of the entry, each once, and what is fixed as it is fixed.
fn query_fits(parameters: &[Parameter], query: &str) -> bool {
    let sent: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let known = |(name, value): &(String, String)| {
        parameters.iter().any(|parameter| match parameter {
            Parameter::Any(allowed) => name == allowed,
            Parameter::Fixed(allowed, only) => name == allowed && value == only,
        })
    };
    let once = sent
        .iter()
        .enumerate()
        .all(|(at, (name, _))| sent.iter().skip(at + 1).all(|(other, _)| other != name));
    let fixed = parameters.iter().all(|parameter| match parameter {
        Parameter::Any(_) => true,
        Parameter::Fixed(name, _) => sent.iter().any(|(sent, _)| sent == name),
    });
    once && fixed && sent.iter().all(known)
}

/// A header by which some servers take one method for another.
pub(super) fn poses_as_another_method(headers: &HeaderMap) -> bool {
    headers
        .keys()
        .any(|name| name.as_str().contains("method-override") || name.as_str() == "x-http-method")
}

#[cfg(test)]
mod tests {
    use super::super::Service;
    use super::*;
    use crate::source::legacy::{self, LEGACY};
    use crate::target::genesys_cloud::{self, GENESYS_CLOUD};
    use crate::target::gir::{self, RWS, SPEECHMINER};

    fn name(service: Service, method: &str, address: &str) -> Option<&'static str> {
        let rows = legacy::OPERATIONS
            .iter()
            .chain(genesys_cloud::OPERATIONS)
            .chain(gir::OPERATIONS);
        let all: Vec<(usize, &Operation)> = rows
            .enumerate()
            .filter(|(_, operation)| operation.service == service)
            .collect();
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let found = find(&all, &method.parse().expect("a method"), path, query)?;
        all.iter()
            .find(|(at, _)| *at == found)
            .map(|(_, operation)| operation.name)
    }

    #[test]
    fn reads_are_named() {
        let rows = [
            (
                GENESYS_CLOUD,
                "GET",
                "/api/v2/conversations/a2c1-d6/recordings?formatId=NONE&maxWaitMs=5000",
                "list_recordings",
            ),
            (
                GENESYS_CLOUD,
                "GET",
                "/api/v2/conversations/a2c1",
                "get_conversation",
            ),
            (
                GENESYS_CLOUD,
                "POST",
                "/api/v2/recordings/deletionprotection",
                "query_deletionprotection",
            ),
            (
                GENESYS_CLOUD,
                "GET",
                "/api/v2/recordings/retention/query?retentionThresholdDays=0&pageSize=500&cursor=a%2Fb",
                "query_retention",
            ),
            (LEGACY, "GET", "/api/v2/recordings/REC%201", "get_recording"),
            (LEGACY, "GET", "/api/v2/recordings/a%3Bb", "get_recording"),
            (
                LEGACY,
                "GET",
                "/api/v2/recordings/a%2Fb%5Cc/media",
                "get_media",
            ),
            (LEGACY, "GET", "/api/v2/recordings/100%25", "get_recording"),
            (LEGACY, "GET", "/api/v2/recordings/a%252Fb", "get_recording"),
            (
                LEGACY,
                "GET",
                "/api/v2/recordings/what%3F%23%22%27%09",
                "get_recording",
            ),
            (
                LEGACY,
                "GET",
                "/api/v2/recordings/http%3A%2F%2Fx%2Fy",
                "get_recording",
            ),
            (LEGACY, "GET", "/api/v2/recordings/a..b", "get_recording"),
            (LEGACY, "GET", "/api/v2/recordings/%C3%A9", "get_recording"),
            (
                RWS,
                "GET",
                "/api/v2/ops/contact-centers/57c0-b7/recordings/st-acme-a%3Bb%25%5Cc",
                "gir.get_recording",
            ),
            (
                RWS,
                "GET",
                "/api/v2/ops/contact-centers/57c0-b7/recordings/st-acme-100001",
                "gir.get_recording",
            ),
            (
                RWS,
                "GET",
                "/api/v2/ops/contact-centers/57c0/recordings/st-acme-C%2F100001%20a",
                "gir.get_recording",
            ),
            (
                RWS,
                "GET",
                "/api/v2/ops/contact-centers/57c0/recordings?startTime=2023-10-27T00%3A00%3A00.000%2B0000&stopTime=x",
                "gir.query_recordings",
            ),
            (
                SPEECHMINER,
                "GET",
                "/recordings/st-acme-1",
                "speechminer.get_recording",
            ),
            (
                SPEECHMINER,
                "GET",
                "/recordings?limit=500&after=st-acme-1",
                "speechminer.list_recordings",
            ),
        ];
        for (service, method, address, wanted) in rows {
            assert_eq!(
                name(service, method, address),
                Some(wanted),
                "{method} {address}"
            );
        }
    }

    #[test]
    fn a_path_of_a_store_stays_in_it() {
        for path in [
            "/st-acme/2023-10-27/st-acme-1.0a.mp3",
            "/a%20b/",
            "",
            "/..mp3",
        ] {
            assert!(stays_below(path), "{path}");
        }
        for path in [
            "/..",
            "/a/../b",
            "/a/%2e%2e/b",
            "/a/.%2E/b",
            "/a%2fb",
            "/a%5Cb",
            "/a\\b",
            "/a%00",
            "/a;b",
        ] {
            assert!(!stays_below(path), "{path}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let rows = [
            // the same path, another method
            ("PUT", "/api/v2/recordings/deletionprotection"),
            ("DELETE", "/api/v2/analytics/conversations/details/jobs/1"),
            ("PATCH", "/api/v2/conversations/1"),
            ("PUT", "/api/v2/conversations/1/recordings/2"),
            ("HEAD", "/api/v2/conversations/1"),
            // what writes
            ("POST", "/api/v2/recording/jobs"),
            (
                "POST",
                "/api/v2/conversations/participants/attributes/search",
            ),
            ("POST", "/api/v2/uploads/recordings"),
            ("POST", "/api/v2/events/conversations"),
            // the guide's surface
            ("POST", "/api/v2/files"),
            ("GET", "/api/v2/files/1"),
            ("GET", "/api/v2/interactions/1"),
            ("PUT", "/api/v2/interactions/1"),
            // the source's paths are not the target's
            ("GET", "/api/v2/recordings/1/media"),
            ("GET", "/api/v2/analytics/interactions/query"),
            // smuggling
            (
                "GET",
                "/api/v2/conversations/..%2Frecordings%2Fdeletionprotection",
            ),
            ("GET", "/api/v2/conversations/..%2f1"),
            ("GET", "/api/v2/conversations/.."),
            ("GET", "/api/v2/conversations/1%5C2"),
            ("GET", "/api/v2/conversations/1%00"),
            ("GET", "/api/v2/conversations/1;_method=DELETE"),
            ("GET", "/api/v2/conversations/1?_method=DELETE"),
            ("GET", "/api/v2/conversations/1?expand=x"),
            ("POST", "/api/v2/recordings/deletionprotection?protect=true"),
            ("GET", "/api/v2/conversations//recordings?formatId=NONE"),
            ("GET", "/api/v2/conversations/1/"),
            ("GET", "//api/v2/conversations/1"),
            ("GET", "/proxy/api/v2/conversations/1"),
            ("GET", "/api/v2/CONVERSATIONS/1"),
            // a format that is transcoded first
            ("GET", "/api/v2/conversations/1/recordings"),
            ("GET", "/api/v2/conversations/1/recordings?formatId=WAV"),
            (
                "GET",
                "/api/v2/conversations/1/recordings?formatId=NONE&formatId=WAV",
            ),
            (
                "GET",
                "/api/v2/conversations/1/recordings?formatId=NONE&mediaFormats=WAV",
            ),
            ("GET", "/presigned/batch/1"),
            ("POST", "/oauth/token"),
        ];
        for (method, address) in rows {
            assert_eq!(
                name(GENESYS_CLOUD, method, address),
                None,
                "{method} {address}"
            );
        }
        let writes = [
            (
                "DELETE",
                "/api/v2/ops/contact-centers/57c0/recordings/st-acme-1",
            ),
            ("POST", "/api/v2/ops/contact-centers/57c0/recordings"),
            ("POST", "/internal-api/contact-centers/57c0/recordings"),
            ("POST", "/api/v2/recordings/st-acme-1"),
            ("POST", "/api/v2/recordings/st-acme-1/labels"),
            (
                "PUT",
                "/api/v2/ops/contact-centers/57c0/settings/recordings",
            ),
            (
                "GET",
                "/api/v2/ops/contact-centers/57c0/recordings/st-acme-1/play/x.mp3",
            ),
            ("GET", "/api/v2/ops/contact-centers/57c0/recordings?label=x"),
        ];
        for (method, address) in writes {
            assert_eq!(name(RWS, method, address), None, "{method} {address}");
        }
        assert_eq!(name(SPEECHMINER, "POST", ""), None);
        for id in [
            "..%2Fusers",
            "st-acme-1%2F..%2Fx",
            "st-acme-1%2F",
            "st-acme%5C..%5C1",
            "st-acme%252F..%252F1",
            "st-acme;1",
            "st-acme%00",
        ] {
            let address = format!("/api/v2/ops/contact-centers/57c0/recordings/{id}");
            assert_eq!(name(RWS, "GET", &address), None, "{address}");
        }
        let away = [
            "..%2Fusers",
            "%252e%252e",
            "..",
            "",
            "%2Fa",
            "a%5C",
            "..%3Bx%2Fusers",
            "%252525252525252e",
            "a%5C..",
            "a%2500",
            "a;b",
            "a b",
            "a?b",
        ];
        for address in away.map(|id| format!("/api/v2/recordings/{id}")) {
            let address = address.as_str();
            assert_eq!(name(LEGACY, "GET", address), None, "{address}");
        }
    }
}
