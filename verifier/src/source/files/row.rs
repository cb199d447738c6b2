//! A row of an export, whichever form its file has.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A metadata file, as rows name it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FileName {
    /// Path below the metadata folder, with `/`.
    pub(super) path: String,
}

impl FileName {
    /// Folder below the metadata folder; empty at its root.
    pub(super) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Its name without the last ending.
    pub(super) fn stem(&self) -> &str {
        let name = last_part(&self.path);
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }
}

/// The name of a file in a path.
pub(super) fn last_part(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// How the columns of a CSV file are called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Header {
    /// A name each: its own, or its number (`#3`) where it has none of its own.
    pub(super) keys: Vec<String>,
    by_name: HashMap<String, usize>,
}

impl Header {
    /// `names`: as the header has them. A column is called by its number where its name is blank,
    /// that of a column before it, or would be taken for a number or a path.
    pub(super) fn of(names: &[String]) -> Header {
        let mut by_name = HashMap::new();
        let mut key = |(at, name): (usize, &String)| {
            let name = super::value::bare(name);
            if name.is_empty() || name.starts_with(['$', '@', '#']) || by_name.contains_key(name) {
                return format!("#{}", at + 1);
            }
            by_name.insert(name.to_owned(), at);
            name.to_owned()
        };
        let keys = names.iter().enumerate().map(&mut key).collect();
        Header { keys, by_name }
    }

    /// Of a file without a header.
    pub(super) fn numbered(columns: usize) -> Header {
        Header::of(&vec![String::new(); columns])
    }

    /// As its keys were written down.
    pub(super) fn read_back(keys: Vec<String>) -> Header {
        let named =
            |(at, key): (usize, &String)| (!key.starts_with('#')).then(|| (key.clone(), at));
        let by_name = keys.iter().enumerate().filter_map(named).collect();
        Header { keys, by_name }
    }

    /// Where the column of this name is, counted from 0.
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        self.by_name.get(super::value::bare(name)).copied()
    }
}

/// What a row says.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// Texts by column.
    Cells(Arc<Header>, Vec<String>),
    /// A JSON object.
    Json(Value),
}

/// A row, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) file: Arc<FileName>,
    /// Counted from 1.
    pub(super) line: u64,
    pub(super) content: Content,
}

impl Row {
    /// The text of a column. Absent: the row has no such column.
    pub(super) fn named(&self, name: &str) -> Option<&str> {
        match &self.content {
            Content::Cells(header, cells) => cells.get(header.named(name)?).map(String::as_str),
            Content::Json(_) => None,
        }
    }

    /// The text of a column by its number, counted from 1. Absent: the row has no such column.
    pub(super) fn numbered(&self, number: usize) -> Option<&str> {
        match &self.content {
            Content::Cells(_, cells) => cells.get(number.checked_sub(1)?).map(String::as_str),
            Content::Json(_) => None,
        }
    }

    pub(super) fn json(&self) -> Option<&Value> {
        match &self.content {
            Content::Json(value) => Some(value),
            Content::Cells(..) => None,
        }
    }

    /// Whether it says the same, cell by cell or member by member, wherever it stands.
    pub(super) fn says_as(&self, other: &Row) -> bool {
        match (&self.content, &other.content) {
            (Content::Json(own), Content::Json(others)) => own == others,
            (Content::Cells(header, own), Content::Cells(other_header, others)) => {
                if header.keys == other_header.keys {
                    return own == others;
                }
                let by_key = |header: &Header, cells: &[String]| {
                    let mut pairs: Vec<(String, String)> = header
                        .keys
                        .iter()
                        .cloned()
                        .zip(cells.iter().cloned())
                        .collect();
                    pairs.sort_unstable();
                    pairs
                };
                by_key(header, own) == by_key(other_header, others)
            }
            _ => false,
        }
    }
}

/// A row set aside. Its file is known by its number.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StoredRow {
    pub(super) file: u32,
    pub(super) line: u64,
    pub(super) content: StoredContent,
}

/// What a row says, as it is set aside.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum StoredContent {
    Cells(Vec<String>),
    Json(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &[&str]) -> Header {
        Header::of(
            &names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn a_column_is_called_by_its_name_or_by_its_number() {
        let header = header(&[" Id ", "Note", "Note", "", "$x", "#9"]);
        assert_eq!(header.keys, ["Id", "Note", "#3", "#4", "#5", "#6"]);
        assert_eq!(
            (
                header.named("Id"),
                header.named(" Note"),
                header.named("id")
            ),
            (Some(0), Some(1), None)
        );
        assert_eq!(Header::read_back(header.keys.clone()), header);
        assert_eq!(Header::numbered(2).keys, ["#1", "#2"]);
    }

    #[test]
    fn rows_say_the_same_whatever_the_order_of_their_columns() {
        let row = |names: &[&str], cells: &[&str]| Row {
            file: Arc::default(),
            line: 1,
            content: Content::Cells(
                Arc::new(header(names)),
                cells.iter().map(|cell| (*cell).to_owned()).collect(),
            ),
        };
        let one = row(&["a", "b"], &["1", "2"]);
        assert!(one.says_as(&row(&["b", "a"], &["2", "1"])));
        assert!(!one.says_as(&row(&["b", "a"], &["1", "2"])));
        assert!(!one.says_as(&row(&["a"], &["1"])));
        let json = |text: &str| Row {
            content: Content::Json(serde_json::from_str(text).expect("JSON")),
            ..one.clone()
        };
        assert!(json(r#"{"a":1,"b":[2]}"#).says_as(&json(r#"{"b":[2],"a":1}"#)));
        assert!(!json(r#"{"a":1}"#).says_as(&json(r#"{"a":1.0}"#)));
    }

    #[test]
    fn a_file_has_a_folder_and_a_stem() {
        let name = |path: &str| FileName {
            path: path.to_owned(),
        };
        let deep = name("2024/01/calls.utf8.csv");
        assert_eq!((deep.folder(), deep.stem()), ("2024/01", "calls.utf8"));
        let flat = name("calls");
        assert_eq!((flat.folder(), flat.stem()), ("", "calls"));
    }
}
