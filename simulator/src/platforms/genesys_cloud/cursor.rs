//! Opaque cursors: a place in a list, under the list's own word, so that another list's cursor is
//! refused.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::errors::ApiError;

/// A cursor to a place of the list called `of`.
pub(super) fn to(of: &str, place: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("{of}:{place}"))
}

/// The place a cursor of that list leads to; refused under `code` where it is another's or none.
pub(super) fn place(of: &str, cursor: &str, code: &'static str) -> Result<usize, ApiError> {
    let read = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        text.strip_prefix(of)?.strip_prefix(':')?.parse().ok()
    };
    read().ok_or_else(|| ApiError::new(400, code, "the cursor is not one of ours").field("cursor"))
}

/// The code of a parameter that is wrong.
pub(super) const IN_QUERY: &str = "invalid.query.param.value";
