//! A page of a listing, each entity as it is written.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::spelling::{Fields, text_of};
use crate::error::CallError;
use crate::net::failure::parse;

/// Entities of a page, and where to go on.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) entities: Vec<Box<RawValue>>,
    /// Absent: this was the last page.
    pub(super) next_cursor: Option<String>,
}

impl Listing {
    /// Reads a page; `what` was asked. An answer without `entities` is something else, and never an
    /// empty page; null there is one.
    pub(super) fn read(what: &str, body: &[u8]) -> Result<Listing, CallError> {
        let malformed = |why: String| CallError::Malformed {
            what: what.to_owned(),
            why,
        };
        let text = text(body);
        // Said where it is no JSON at all: line and column.
        parse::<serde::de::IgnoredAny>(what, text.as_bytes())?;
        let page = Fields::of(text.trim()).map_err(|why| malformed(why.to_string()))?;
        if !page.has("entities") {
            return Err(malformed(
                "field `entities`: it is missing, so this is no page of a listing".to_owned(),
            ));
        }
        let list = page
            .raw("entities")
            .map_err(|why| malformed(why.to_string()))?
            .unwrap_or("[]");
        let entities = serde_json::from_str(list)
            .map_err(|_| malformed("field `entities`: a list is expected".to_owned()))?;
        Ok(Listing {
            entities,
            next_cursor: next_cursor(&page),
        })
    }
}

/// A page that says nothing of a next one is the last.
fn next_cursor(page: &Fields<'_>) -> Option<String> {
    let inside =
        |fields: &Fields<'_>, name: &str| fields.raw(name).ok().flatten().map(str::to_owned);
    let metadata = inside(page, "metadata")?;
    let pagination = inside(&Fields::of(&metadata).ok()?, "pagination")?;
    let cursor = inside(&Fields::of(&pagination).ok()?, "nextPageCursor")?;
    text_of(&cursor).filter(|cursor| !cursor.trim().is_empty())
}

/// An answer as text: without a byte order mark, and with replacement characters where it is not
/// UTF-8. One bad letter does not make a page of a thousand calls unreadable.
pub(super) fn text(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_is_read_in_any_spelling_and_what_is_none_is_never_an_empty_one() {
        let rows: [(&[u8], usize, Option<&str>); 9] = [
            (br#"{"entities":[{"id":1},null,7]}"#, 3, None),
            (b"\xef\xbb\xbf {\"entities\":[{}]} ", 1, None),
            (b"{\"entities\":[{\"name\":\"R\xe9solu\"}]}", 1, None),
            (br#"{"entities":null,"metadata":null}"#, 0, None),
            (
                br#"{"entities":[],"metadata":{"pagination":null}}"#,
                0,
                None,
            ),
            (
                br#"{"entities":[],"metadata":{"pagination":{"nextPageCursor":null}}}"#,
                0,
                None,
            ),
            (
                br#"{"entities":[],"metadata":{"pagination":{"nextPageCursor":""}}}"#,
                0,
                None,
            ),
            (
                br#"{"entities":[],"metadata":{"pagination":{"nextPageCursor":"a/b"}}}"#,
                0,
                Some("a/b"),
            ),
            (
                br#"{"entities":[],"metadata":{"pagination":{"nextPageCursor":2}}}"#,
                0,
                Some("2"),
            ),
        ];
        for (body, count, cursor) in rows {
            let page = Listing::read("GET /x", body)
                .unwrap_or_else(|error| panic!("{}: {error}", String::from_utf8_lossy(body)));
            assert_eq!(
                (page.entities.len(), page.next_cursor.as_deref()),
                (count, cursor),
                "{}",
                String::from_utf8_lossy(body)
            );
        }
        for body in [
            "<html>sign in</html>",
            "",
            "[]",
            "null",
            "{}",
            r#"{"error":"x"}"#,
            r#"{"entities":{}}"#,
            r#"{"entities":7}"#,
            r#"{"entities":[{]}"#,
        ] {
            let error = Listing::read("GET /x", body.as_bytes()).expect_err(body);
            assert!(
                matches!(error, CallError::Malformed { .. }),
                "{body}: {error}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_body_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), rest in "[ -~]{0,40}") {
            let _ = Listing::read("GET /x", &bytes);
            let _ = Listing::read("GET /x", format!("{{\"entities\":[],{rest}").as_bytes());
        }

        #[test]
        fn every_entity_and_the_cursor_come_back(ids in proptest::collection::vec(any::<u64>(), 0..20), cursor in "[a-zA-Z0-9+/=]{1,20}") {
            let entities: Vec<String> = ids.iter().map(|id| format!("{{\"id\":{id}}}")).collect();
            let body = format!(
                r#"{{"entities":[{}],"metadata":{{"pagination":{{"nextPageCursor":"{cursor}"}}}}}}"#,
                entities.join(",")
            );
            let page = Listing::read("GET /x", body.as_bytes()).expect("a page");
            prop_assert_eq!(page.entities.iter().map(|entity| entity.get().to_owned()).collect::<Vec<_>>(), entities);
            prop_assert_eq!(page.next_cursor, Some(cursor));
        }
    }
}
