//! The body of a 207 answer: who is in a collection. Source: RFC 4918 section 14.16.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::webdav::Entry;

/// Entries of a multistatus, the collection itself left out. The error says what is wrong with the
/// document.
pub(super) fn entries(xml: &[u8], own_path: &str) -> Result<Vec<Entry>, String> {
    let mut reader = Reader::from_reader(xml);
    let mut found = Vec::new();
    let (mut entry, mut text) = (Draft::default(), String::new());
    let (mut is_multistatus, mut in_propstat) = (false, false);
    loop {
        match reader
            .read_event()
            .map_err(|error| format!("no XML: {error}"))?
        {
            Event::Start(start) => {
                text.clear();
                match start.local_name().as_ref() {
                    "multistatus" => is_multistatus = true,
                    "response" => entry = Draft::default(),
                    "propstat" => in_propstat = true,
                    "collection" => entry.is_collection = true,
                    _ => {}
                }
            }
            Event::Empty(empty) if empty.local_name().as_ref() == "collection" => {
                entry.is_collection = true
            }
            Event::Text(part) => {
                text.push_str(&part.xml_content(quick_xml::XmlVersion::Implicit1_0))
            }
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => text.push(character),
                _ => text.push_str(
                    quick_xml::escape::resolve_predefined_entity(reference.as_ref()).unwrap_or(""),
                ),
            },
            Event::End(end) => match end.local_name().as_ref() {
                "href" if entry.href.is_none() => entry.href = Some(text.trim().to_owned()),
                "getcontentlength" => entry.length = text.trim().parse().ok(),
                "status" => {
                    entry.status =
                        entry
                            .status
                            .or(if in_propstat { None } else { status_of(&text) })
                }
                "propstat" => in_propstat = false,
                "getlastmodified" => {
                    entry.modified = Some(text.trim().to_owned()).filter(|text| !text.is_empty())
                }
                // A member that is gone meanwhile is no member; one that is not shown is not read.
                "response" => match entry.status {
                    Some(404 | 410) => entry = Draft::default(),
                    Some(status) if status >= 300 => {
                        return Err(format!("a member is answered with {status}"));
                    }
                    _ => found.extend(std::mem::take(&mut entry).entry()),
                },
                _ => {}
            },
            Event::Eof if is_multistatus => break,
            Event::Eof => return Err("not a multistatus document".to_owned()),
            _ => {}
        }
    }
    let own = plain(own_path);
    found.retain(|entry| entry.path != own);
    Ok(found)
}

/// A response while it is read.
#[derive(Default)]
struct Draft {
    href: Option<String>,
    is_collection: bool,
    /// Status of the member as a whole. Absent: its properties have their own.
    status: Option<u16>,
    length: Option<u64>,
    modified: Option<String>,
}

/// The first status of a failure in the 207 answer to a change; `None`: all of it is done.
pub(super) fn failed_status(xml: &[u8]) -> Result<Option<u16>, String> {
    let mut reader = Reader::from_reader(xml);
    let (mut text, mut is_multistatus, mut any) = (String::new(), false, false);
    loop {
        match reader
            .read_event()
            .map_err(|error| format!("no XML: {error}"))?
        {
            Event::Start(start) => {
                text.clear();
                is_multistatus |= start.local_name().as_ref() == "multistatus";
            }
            Event::Text(part) => {
                text.push_str(&part.xml_content(quick_xml::XmlVersion::Implicit1_0))
            }
            Event::End(end) if end.local_name().as_ref() == "status" => {
                let status = status_of(&text).ok_or("a status that is none")?;
                any = true;
                if !(200..300).contains(&status) {
                    return Ok(Some(status));
                }
            }
            Event::Eof if is_multistatus && any => return Ok(None),
            Event::Eof => return Err("not a multistatus document with statuses".to_owned()),
            _ => {}
        }
    }
}

/// `HTTP/1.1 423 Locked`: 423. Source: RFC 4918 section 14.28.
fn status_of(line: &str) -> Option<u16> {
    line.split_whitespace().nth(1)?.parse().ok()
}

impl Draft {
    fn entry(self) -> Option<Entry> {
        let href = self.href?;
        // An absolute URL or a path, as a server likes. Source: RFC 4918 section 8.3.
        let path = match href.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
            None => href.as_str(),
        };
        Some(Entry {
            path: plain(path),
            is_collection: self.is_collection,
            length: self.length,
            modified: self.modified,
        })
    }
}

/// Decoded, without a slash at its end.
fn plain(path: &str) -> String {
    percent_encoding::percent_decode_str(path.trim_end_matches('/'))
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn members_are_read_whatever_the_prefix_and_the_shape_of_the_address() {
        let xml = br#"<?xml version="1.0"?><D:multistatus xmlns:D="DAV:" xmlns:lp1="DAV:">
            <D:response><D:href>/recordings/</D:href><D:propstat><D:prop><lp1:resourcetype><D:collection/></lp1:resourcetype></D:prop></D:propstat></D:response>
            <D:response><D:href>http://store.example/recordings/a%20b&amp;c.mp3</D:href><D:propstat><D:prop><lp1:resourcetype/>
              <lp1:getcontentlength>42</lp1:getcontentlength>
              <lp1:getlastmodified>Fri, 27 Oct 2023 10:00:00 GMT</lp1:getlastmodified></D:prop></D:propstat></D:response>
            <D:response><D:href>/recordings/day/</D:href><D:propstat><D:prop><lp1:resourcetype><D:collection></D:collection></lp1:resourcetype></D:prop></D:propstat></D:response>
            </D:multistatus>"#;
        let entry = |path: &str, is_collection, length, modified: Option<&str>| Entry {
            path: path.to_owned(),
            is_collection,
            length,
            modified: modified.map(str::to_owned),
        };
        let found = entries(xml, "/recordings/").expect("a listing");
        assert_eq!(
            found,
            [
                entry(
                    "/recordings/a b&c.mp3",
                    false,
                    Some(42),
                    Some("Fri, 27 Oct 2023 10:00:00 GMT")
                ),
                entry("/recordings/day", true, None, None)
            ]
        );
    }

    #[test]
    fn a_member_that_is_not_shown_makes_the_listing_unread() {
        let member = |status: &str| {
            format!(
                "<multistatus xmlns=\"DAV:\"><response><href>/r/a</href><status>HTTP/1.1 \
                 {status}</status></response></multistatus>"
            )
        };
        assert!(entries(member("403 Forbidden").as_bytes(), "/r/").is_err());
        assert_eq!(
            entries(member("404 Not Found").as_bytes(), "/r/"),
            Ok(Vec::new())
        );
        let partly = r#"<multistatus xmlns="DAV:"><response><href>/r/a</href><propstat><prop><getcontentlength/></prop>
            <status>HTTP/1.1 404 Not Found</status></propstat></response></multistatus>"#;
        assert_eq!(
            entries(partly.as_bytes(), "/r/").map(|found| found.len()),
            Ok(1),
            "a property it has not"
        );
    }

    #[test]
    fn a_change_is_done_when_every_part_of_it_is() {
        let parts = |statuses: &[&str]| {
            let part = |status: &&str| {
                format!(
                    "<D:response><D:href>/r</D:href><D:status>HTTP/1.1 \
                     {status}</D:status></D:response>"
                )
            };
            format!(
                "<D:multistatus xmlns:D=\"DAV:\">{}</D:multistatus>",
                statuses.iter().map(part).collect::<String>()
            )
        };
        for (statuses, wanted) in [
            (&["201 Created"][..], Ok(None)),
            (&["204 No Content", "423 Locked"], Ok(Some(423))),
            (&["507 Insufficient Storage"], Ok(Some(507))),
            (&["302 Found"], Ok(Some(302))),
            (&[], Err(())),
        ] {
            assert_eq!(
                failed_status(parts(statuses).as_bytes()).map_err(|_| ()),
                wanted,
                "{statuses:?}"
            );
        }
        assert!(failed_status(b"<html>busy</html>").is_err());
    }

    #[test]
    fn what_is_no_listing_is_said_to_be_none() {
        for text in [
            "<html><body>Index</body></html>",
            "",
            "<multistatus><response>",
            "\u{0}",
        ] {
            assert!(
                entries(text.as_bytes(), "/").is_err() || text == "<multistatus><response>",
                "{text}"
            );
        }
    }

    /// Text as XML carries it.
    fn escaped(text: &str) -> String {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_document_makes_the_reader_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            tags in "(<D:(multistatus|response|href|status|prop|collection)/?>|</D:(multistatus|response|href|status)>|&[a-z#0-9]{0,6};|[ -~]){0,30}",
        ) {
            for document in [&bytes[..], tags.as_bytes(), format!("<D:multistatus>{tags}</D:multistatus>").as_bytes()] {
                let _ = entries(document, "/recordings/");
                let _ = failed_status(document);
            }
        }

        #[test]
        fn every_name_and_length_comes_back(names in proptest::collection::btree_map("[a-zA-Z0-9 \
            &<>'%+#?;é-]{1,12}", any::<u64>(), 0..6)) {
            let member = |(name, length): (&String, &u64)| {
                let href = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string();
                format!(
                    "<D:response><D:href>/r/{}</D:href><D:propstat><D:prop><D:getcontentlength>{length}</D:getcontentlength></D:prop></D:propstat></D:response>",
                    escaped(&href)
                )
            };
            let members: String = names.iter().map(member).collect();
            let found = entries(format!("<D:multistatus \
                xmlns:D=\"DAV:\">{members}</D:multistatus>").as_bytes(), "/r/").expect("a listing");
            let found: std::collections::BTreeMap<String, u64> =
                found.into_iter().map(|entry| (entry.path.trim_start_matches("/r/").to_owned(), entry.length.expect("a length"))).collect();
            prop_assert_eq!(found, names);
        }
    }
}
