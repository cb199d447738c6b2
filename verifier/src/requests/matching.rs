//! Whether a request is one of the table: by method, by the whole path, by its query. Pure.

use http::{HeaderMap, Method};

use super::{Operation, Parameter, Place, Side};

/// The entry that allows a request to a path below the API's root; `None`: nothing does.
pub(super) fn find(operations: &[(usize, &'static Operation)], side: Side, method: &Method, path: &str, query: &str) -> Option<usize> {
    let fits = |operation: &Operation| {
        let Place::Path(template) = operation.place else { return false };
        operation.side == side
            && method.as_str() == operation.method
            && path_fits(template, path, side)
            && query_fits(operation.parameters, query)
    };
    operations.iter().find(|(_, operation)| fits(operation)).map(|(at, _)| *at)
}

fn path_fits(template: &str, path: &str, side: Side) -> bool {
    let mut segments = path.split('/');
    let fits = template
        .split('/')
        .all(|wanted| segments.next().is_some_and(|segment| if wanted == "{}" { is_id(segment, side) } else { wanted == segment }));
    fits && segments.next().is_none()
}

/// An id of the target is letters, digits, `-`, `_` and `.`: nothing that a server could decode into another path. A source's ids are
/// its own, so other characters may stand there encoded, slashes and dots excepted.
fn is_id(segment: &str, side: Side) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let dots = segment.bytes().all(|byte| byte == b'.');
    let lower = segment.to_ascii_lowercase();
    let encoded = side == Side::Source && !["%2f", "%5c", "%2e", "%25", "%00"].iter().any(|code| lower.contains(code));
    !dots && segment.bytes().all(|byte| plain(byte) || (encoded && byte != b'\\' && byte != b';'))
}

/// Only names of the entry, each once, and what is fixed as it is fixed.
fn query_fits(parameters: &[Parameter], query: &str) -> bool {
    let sent: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let known = |(name, value): &(String, String)| {
        parameters.iter().any(|parameter| match parameter {
            Parameter::Any(allowed) => name == allowed,
            Parameter::Fixed(allowed, only) => name == allowed && value == only,
        })
    };
    let once = sent.iter().enumerate().all(|(at, (name, _))| sent.iter().skip(at + 1).all(|(other, _)| other != name));
    let fixed = parameters.iter().all(|parameter| match parameter {
        Parameter::Any(_) => true,
        Parameter::Fixed(name, _) => sent.iter().any(|(sent, _)| sent == name),
    });
    once && fixed && sent.iter().all(known)
}

/// A header by which some servers take one method for another.
pub(super) fn poses_as_another_method(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().contains("method-override") || name.as_str() == "x-http-method")
}

#[cfg(test)]
mod tests {
    use super::super::OPERATIONS;
    use super::*;

    fn name(side: Side, method: &str, address: &str) -> Option<&'static str> {
        let all: Vec<(usize, &Operation)> = OPERATIONS.iter().enumerate().collect();
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        find(&all, side, &method.parse().expect("a method"), path, query).map(|at| OPERATIONS[at].name)
    }

    #[test]
    fn reads_are_named() {
        let rows = [
            (Side::Target, "GET", "/api/v2/conversations/a2c1-d6/recordings?formatId=NONE&maxWaitMs=5000", "list_recordings"),
            (Side::Target, "GET", "/api/v2/conversations/a2c1", "get_conversation"),
            (Side::Target, "POST", "/api/v2/recordings/deletionprotection", "query_deletionprotection"),
            (
                Side::Target,
                "GET",
                "/api/v2/recordings/retention/query?retentionThresholdDays=0&pageSize=500&cursor=a%2Fb",
                "query_retention",
            ),
            (Side::Source, "GET", "/api/v2/recordings/REC%201", "get_recording"),
        ];
        for (side, method, address, wanted) in rows {
            assert_eq!(name(side, method, address), Some(wanted), "{method} {address}");
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
            ("POST", "/api/v2/conversations/participants/attributes/search"),
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
            ("GET", "/api/v2/conversations/..%2Frecordings%2Fdeletionprotection"),
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
            ("GET", "/api/v2/conversations/1/recordings?formatId=NONE&formatId=WAV"),
            ("GET", "/api/v2/conversations/1/recordings?formatId=NONE&mediaFormats=WAV"),
            ("GET", "/presigned/batch/1"),
            ("POST", "/oauth/token"),
        ];
        for (method, address) in rows {
            assert_eq!(name(Side::Target, method, address), None, "{method} {address}");
        }
        for address in ["/api/v2/recordings/..%2Fusers", "/api/v2/recordings/%252e%252e", "/api/v2/recordings/.."] {
            assert_eq!(name(Side::Source, "GET", address), None, "{address}");
        }
    }
}
