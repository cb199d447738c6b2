//! Rows of a JSON file, read as a stream. Source: docs/reference/layout.md, "Files and rows" and
//! "What cannot be read".

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

use plan::layout::Rows;
use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::lines::{LONGEST, Utf8Reader};
use crate::run_error::RunError;

const NO_OBJECT: &str = "it is no JSON object";

/// Takes a row with the line it begins at; the error says why it is none.
pub(super) type TakeRow<'a> = dyn FnMut(u64, Result<Value, String>) -> Result<(), RunError> + 'a;

/// Why a file was not read to its end.
pub(super) enum Stop {
    /// It cannot be read at all.
    Unreadable(io::Error),
    /// Whoever took the rows wants no more.
    Taker(RunError),
}

/// A JSON document a line: an object.
pub(super) fn line(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(NO_OBJECT.to_owned()),
        Err(error) => Err(wrong(&error)),
    }
}

/// All rows of a document; what is wrong in it comes last, as a row that cannot be read.
///
/// # Errors
///
/// The file cannot be read, or `take` refuses.
pub(super) fn document(
    file: Utf8Reader,
    rows: Option<&Rows>,
    take: &mut TakeRow<'_>,
) -> Result<(), Stop> {
    let text = Shared(Rc::new(RefCell::new(file)));
    let mut failed = None;
    let mut document = serde_json::Deserializer::from_reader(text.clone());
    let found = match rows {
        Some(rows) => Below {
            members: &rows.members,
            text: &text,
            take,
            failed: &mut failed,
        }
        .deserialize(&mut document),
        None => row(&text, None, &mut document, take, &mut failed),
    };
    text.unbounded();
    let found = found.and_then(|()| document.end());
    if let Some(error) = failed {
        return Err(Stop::Taker(error));
    }
    let Err(error) = found else {
        return Ok(());
    };
    let broken = text.0.borrow().broken;
    let why = match broken {
        Some(why) => why.to_owned(),
        None if error.is_io() => return Err(Stop::Unreadable(error.into())),
        None => wrong(&error),
    };
    take(
        text.line(),
        Err(format!("{why}; the rest of the file is not read")),
    )
    .map_err(Stop::Taker)
}

/// What is wrong, without what stands there.
fn wrong(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Eof => "it breaks off".to_owned(),
        // What it says of data quotes it.
        serde_json::error::Category::Data => "it has no list where file.rows says".to_owned(),
        _ => format!("it is no JSON at column {}", error.column()),
    }
}

/// A file that its parser and whoever counts its lines both have.
#[derive(Clone)]
struct Shared(Rc<RefCell<Utf8Reader>>);

impl Shared {
    /// The line that is being read.
    fn line(&self) -> u64 {
        self.0.borrow().feeds + 1
    }

    /// What follows is held in memory, so it has an end.
    fn bounded(&self) {
        self.0.borrow_mut().left = Some(LONGEST);
    }

    fn unbounded(&self) {
        self.0.borrow_mut().left = None;
    }
}

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(buffer)
    }
}

/// One row, which begins at this line. Absent: at the first that is not blank.
fn row<'de, D: Deserializer<'de>>(
    text: &Shared,
    line: Option<u64>,
    deserializer: D,
    take: &mut TakeRow<'_>,
    failed: &mut Option<RunError>,
) -> Result<(), D::Error> {
    text.bounded();
    let row = match Value::deserialize(deserializer)? {
        value @ Value::Object(_) => Ok(value),
        _ => Err(NO_OBJECT.to_owned()),
    };
    text.unbounded();
    let line = line.or(text.0.borrow().begun).unwrap_or(1);
    take(line, row).map_err(|error| {
        *failed = Some(error);
        de::Error::custom("stopped")
    })
}

/// The list of rows below so many members.
struct Below<'a, 'b> {
    members: &'a [String],
    text: &'a Shared,
    take: &'a mut TakeRow<'b>,
    failed: &'a mut Option<RunError>,
}

impl<'de> DeserializeSeed<'de> for Below<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Below<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.members.first() {
            None => f.write_str("a list of rows"),
            Some(name) => write!(f, "an object with `{name}`"),
        }
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.members {
            [] => deserializer.deserialize_seq(self),
            _ => deserializer.deserialize_map(self),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Below {
            members,
            text,
            take,
            failed,
        } = self;
        let (own, below) = members
            .split_first()
            .ok_or_else(|| de::Error::custom("no list"))?;
        let mut is_there = false;
        loop {
            text.bounded();
            let Some(name) = map.next_key::<String>()? else {
                break;
            };
            text.unbounded();
            if name != *own {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            is_there = true;
            map.next_value_seed(Below {
                members: below,
                text,
                take: &mut *take,
                failed: &mut *failed,
            })?;
        }
        if is_there {
            return Ok(());
        }
        Err(de::Error::custom(format!("there is no `{own}`")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Below {
            text, take, failed, ..
        } = self;
        struct Row<'a, 'b>(&'a Shared, &'a mut TakeRow<'b>, &'a mut Option<RunError>);
        impl<'de> DeserializeSeed<'de> for Row<'_, '_> {
            type Value = ();
            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                // The parser has read its first character, and nothing beyond.
                row(self.0, Some(self.0.line()), deserializer, self.1, self.2)
            }
        }
        while list
            .next_element_seed(Row(text, &mut *take, &mut *failed))?
            .is_some()
        {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::{Encoding, UTF_8};
    use plan::Layout;
    use proptest::prelude::*;

    use super::*;

    fn rows(rows: &str) -> Option<Rows> {
        let text = format!(
            "layout_version = 1\n[file]\nformat = \"json\"\n{rows}\n[call]\nid = \"$.id\"\nstart = \
             \"$.s\"\nend = \"$.e\"\n"
        );
        let layout = Layout::parse("layout.toml".as_ref(), &text).expect("a layout");
        layout.file.rows
    }

    /// Lines and rows, or why there is none.
    fn read(bytes: &[u8], at: &str, encoding: &'static Encoding) -> Vec<(u64, String)> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.json");
        std::fs::write(&path, bytes).expect("written");
        let file = Utf8Reader::open(&path, encoding).expect("opened");
        let mut found = Vec::new();
        let done = document(file, rows(at).as_ref(), &mut |line, row| {
            found.push((line, row.map_or_else(|why| why, |row| row.to_string())));
            Ok(())
        });
        assert!(done.is_ok());
        found
    }

    fn lines(text: &str, at: &str) -> Vec<(u64, String)> {
        read(text.as_bytes(), at, UTF_8)
    }

    const REST: &str = "the rest of the file is not read";

    #[test]
    fn each_element_is_a_row_with_the_line_it_begins_at() {
        let text = "{\"page\": {\"contacts\": [1]},\n \"contacts\": [\n  {\"id\": 1.50},\n\n  7, {\"id\":\n 2}],\n\"x\":[\n]}\n";
        assert_eq!(
            lines(text, "rows = \"$.contacts[*]\""),
            [
                (3, "{\"id\":1.50}".to_owned()),
                (5, NO_OBJECT.to_owned()),
                (5, "{\"id\":2}".to_owned()),
            ]
        );
        assert_eq!(lines("\n[{}\n,{}]", "rows = \"$[*]\"").len(), 2);
        assert_eq!(
            lines("\n\n {\"id\":\n1}\n", ""),
            [(3, "{\"id\":1}".to_owned())]
        );
        assert_eq!(lines("\n5\n", ""), [(2, NO_OBJECT.to_owned())]);
        assert!(lines("{\"contacts\":null}", "rows = \"$.contacts[*]\"").is_empty());
        let deep = "rows = \"$.a.b[*]\"";
        assert_eq!(lines("{\"a\":{\"c\":[{}],\"b\":[{}]}}", deep).len(), 1);
    }

    #[test]
    fn what_breaks_off_or_is_wrong_costs_the_rest_of_its_file() {
        let all = "rows = \"$[*]\"";
        let rows = [
            ("[{\"id\":1},\n{\"id\":", 2, 2, "it breaks off"),
            ("[{},\n{}]\n]", 3, 3, "it is no JSON at column 1"),
            ("[{},\n{\"a\":tru}]", 2, 2, "it is no JSON"),
            ("{\"a\":1}", 1, 1, "it has no list where file.rows says"),
            ("", 1, 1, "it breaks off"),
            ("[{},\n\n\"secret\" 5", 3, 3, "it is no JSON"),
        ];
        for (text, count, line, why) in rows {
            let found = lines(text, all);
            assert_eq!(found.len(), count, "{text}: {found:?}");
            let (at, said) = found.last().expect("the rest");
            assert_eq!(*at, line, "{text}");
            assert!(said.contains(why) && said.ends_with(REST), "{text}: {said}");
            assert!(!said.contains("secret"), "{said}");
        }
        let absent = lines("{\"contact\":[]}", "rows = \"$.contacts[*]\"");
        assert!(absent[0].1.contains("no list"), "{absent:?}");
        let not_text = read(b"[{},\n{\"a\":\"\xff\"}]", all, UTF_8);
        assert_eq!(not_text.len(), 2);
        assert!(
            not_text[1].1.contains("not of the encoding"),
            "{not_text:?}"
        );
    }

    #[test]
    fn a_row_longer_than_16_mib_costs_the_rest_and_a_longer_list_nothing() {
        let long = "x".repeat(LONGEST);
        let found = lines(&format!("[{{}},{{\"a\":\"{long}\"}}]"), "rows = \"$[*]\"");
        assert!(found[1].1.contains("16 MiB"), "{}", found[1].1);
        let many = format!("{{\"x\":\"{long}{long}\",\"r\":[{{}}]}}");
        assert_eq!(lines(&many, "rows = \"$.r[*]\""), [(1, "{}".to_owned())]);
    }

    #[test]
    fn a_document_is_read_in_its_own_encoding() {
        let wide: Vec<u8> = "\u{feff}[{\"a\":\"\u{e9}\u{10000}\"}]"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        let found = read(&wide, "rows = \"$[*]\"", UTF_8);
        assert_eq!(found, [(1, "{\"a\":\"\u{e9}\u{10000}\"}".to_owned())]);
    }

    proptest! {
        #[test]
        fn any_text_ends_and_tells_of_every_row_before_it_breaks(
            whole in 0_usize..5, rest in "[\\[\\]{}\",:a1\n ]{0,20}",
        ) {
            let text = format!("[{}{rest}", "{},\n".repeat(whole));
            let found = lines(&text, "rows = \"$[*]\"");
            prop_assert!(found.len() >= whole);
            for (at, row) in found.iter().take(whole).enumerate() {
                prop_assert_eq!(row, &(at as u64 + 1, "{}".to_owned()));
            }
        }
    }
}
