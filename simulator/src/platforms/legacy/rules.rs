//! What this simulator claims about a legacy source. Almost all of it is assumed: every vendor's
//! differs.

use crate::rules::{Grade, Rule};

const GUIDE: &str = "recording-migration guide";

pub(super) static QUERY: Rule = Rule {
    name: "legacy.query.cursor_paging",
    grade: Grade::Documented,
    statement: "interactions are paged by an opaque cursor in metadata.pagination.nextPageCursor, \
        null on the last page",
    source: "recording-migration guide, step 1.2",
    default: None,
};
pub(super) static WINDOW: Rule = Rule {
    name: "legacy.query.window",
    grade: Grade::Assumed,
    statement: "from and to are Unix ms, half open, on startTime as the source states it",
    source: "no vendor page; the plan's window needs one",
    default: None,
};
pub(super) static PAGE_SIZE: Rule = Rule {
    name: "legacy.query.page_size",
    grade: Grade::Assumed,
    statement: "size is 1..1000, else 400; left out it is 100",
    source: "the guide's example uses 1000; the bounds are assumed",
    default: None,
};
pub(super) static UNKNOWN_PARAMETER: Rule = Rule {
    name: "legacy.query.unknown_parameter",
    grade: Grade::Assumed,
    statement: "a query parameter that an operation does not have is passed over",
    source: "no vendor page; most services do, and a refusal would fail a client that works \
        elsewhere",
    default: None,
};
pub(super) static SCOPES: Rule = Rule {
    name: "legacy.auth.scopes",
    grade: Grade::Documented,
    statement: "interactions, recordings, users and queues each need their read scope",
    source: "recording-migration guide, Permissions & OAuth Scopes",
    default: None,
};
pub(super) static SCOPE_STATUS: Rule = Rule {
    name: "legacy.auth.missing_scope_is_403",
    grade: Grade::Assumed,
    statement: "a call without its scope is 403 insufficient_scope",
    source: "RFC 6750 section 3.1, as most vendors do",
    default: None,
};
pub(super) static CLIENT_CREDENTIALS: Rule = Rule {
    name: "legacy.auth.client_credentials",
    grade: Grade::Assumed,
    statement: "POST /oauth/token grants client_credentials by Basic or by form fields",
    source: "RFC 6749 sections 2.3.1 and 4.4; the guide names a service account",
    default: None,
};
pub(super) static TOKEN_LIFE: Rule = Rule {
    name: "legacy.auth.expired_token_is_401",
    grade: Grade::Assumed,
    statement: "a token expires after expires_in seconds, then calls are 401 invalid_token",
    source: "RFC 6750 section 3.1",
    default: None,
};
pub(super) static RATE: Rule = Rule {
    name: "legacy.limits.requests_per_minute",
    grade: Grade::Assumed,
    statement: "calls of a token are counted in fixed windows of a minute; further ones are 429 \
        with Retry-After in whole seconds",
    source: "no vendor page",
    default: None,
};
pub(super) static DIRECTORY: Rule = Rule {
    name: "legacy.directory.shape",
    grade: Grade::Assumed,
    statement: "users and queues are listed with the same paging as interactions",
    source: GUIDE,
    default: None,
};
pub(super) static RECORDING: Rule = Rule {
    name: "legacy.recording.shape",
    grade: Grade::Assumed,
    statement: "a recording states codec, channels, pauses, retention class and hold as its \
        recorder knew them; sizeBytes is what is served",
    source: GUIDE,
    default: None,
};
pub(super) static RANGES: Rule = Rule {
    name: "legacy.media.ranges",
    grade: Grade::Assumed,
    statement: "media honours a single byte range and If-Range with a strong ETag; several ranges \
        are answered whole",
    source: "RFC 9110 sections 13 and 14",
    default: None,
};
pub(super) static REDIRECT: Rule = Rule {
    name: "legacy.media.presigned",
    grade: Grade::Assumed,
    statement: "some media is a 302 to a pre-signed URL on another host, which expires and refuses \
        a token",
    source: "as object stores do",
    default: None,
};

/// Every rule here.
pub(super) static ALL: [&Rule; 13] = [
    &QUERY,
    &WINDOW,
    &PAGE_SIZE,
    &UNKNOWN_PARAMETER,
    &SCOPES,
    &SCOPE_STATUS,
    &CLIENT_CREDENTIALS,
    &TOKEN_LIFE,
    &RATE,
    &DIRECTORY,
    &RECORDING,
    &RANGES,
    &REDIRECT,
];
