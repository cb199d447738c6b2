//! Calls as a migrator staged them. Source: docs/reference/layout.md, "What is staged".

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use plan::LoadedPlan;
use plan::layout::Format;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::call::Reading;
use super::folders::{Audio, Listing};
use super::row::{Content, FileName, Header, Row};
use super::value::Glob;
use crate::source::{SourceFormat, SourceInteraction, StagedAnswer};

/// What a request for a recording's file begins with.
const REQUEST: &str = "file of recording ";

/// The rows of a call.
#[derive(Deserialize)]
struct Entity<'a> {
    #[serde(borrow)]
    rows: Vec<StagedRow<'a>>,
}

/// A row, or why its line cannot be read.
#[derive(Deserialize)]
struct StagedRow<'a> {
    file: String,
    line: u64,
    #[serde(borrow)]
    row: Option<&'a RawValue>,
    unreadable: Option<String>,
}

/// What was found of a recording's audio.
#[derive(Deserialize)]
struct FileFacts {
    /// Below the audio folder. Absent: there is none.
    path: Option<String>,
    /// Its size.
    bytes: Option<u64>,
}

/// How rows and files were staged.
pub(in crate::source) struct FilesFormat(Reading);

impl FilesFormat {
    /// Absent: the plan's source is another one.
    pub(in crate::source) fn of(loaded: &LoadedPlan) -> Option<FilesFormat> {
        // What was staged was in the window then.
        Reading::of(loaded).map(|reading| FilesFormat(reading.without_window()))
    }

    /// The call that these rows are. The error says which line is in the way.
    fn rows(&self, rows: Vec<StagedRow<'_>>) -> Result<Vec<Row>, String> {
        let row = |staged: StagedRow<'_>| {
            let place = format!("{}:{}", staged.file, staged.line);
            let content = match (staged.row, self.0.layout.file.format) {
                (Some(row), Format::Csv) => cells(row.get()),
                (Some(row), Format::Ndjson | Format::Json) => {
                    let value = serde_json::from_str(row.get());
                    value.map(Content::Json).map_err(|error| error.to_string())
                }
                (None, _) => Err("there is no row".to_owned()),
            };
            Ok(Row {
                content: content.map_err(|_| format!("the staged row {place}"))?,
                file: Arc::new(FileName { path: staged.file }),
                line: staged.line,
            })
        };
        rows.into_iter().map(row).collect()
    }
}

/// Cells by column, in the order of the columns.
fn cells(json: &str) -> Result<Content, String> {
    struct Pairs(Vec<(String, String)>);
    impl<'de> Deserialize<'de> for Pairs {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pairs, D::Error> {
            struct Cells;
            impl<'de> Visitor<'de> for Cells {
                type Value = Pairs;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object of texts")
                }
                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                    let mut pairs = Vec::new();
                    while let Some(pair) = map.next_entry()? {
                        pairs.push(pair);
                    }
                    Ok(Pairs(pairs))
                }
            }
            deserializer.deserialize_map(Cells)
        }
    }
    let Pairs(pairs) = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let (keys, cells) = pairs.into_iter().unzip();
    Ok(Content::Cells(Arc::new(Header::read_back(keys)), cells))
}

/// Audio of one call that was staged.
struct StagedAudio {
    paths: BTreeSet<String>,
    listing: Listing,
}

impl Audio for StagedAudio {
    fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    fn matching(&self, glob: &Glob, most: usize) -> Vec<String> {
        self.listing.matching(glob, most)
    }
}

impl SourceFormat for FilesFormat {
    fn call(&self, entity: &str, answers: Vec<StagedAnswer<'_>>, place: &str) -> SourceInteraction {
        let unread = |why: String| {
            SourceInteraction::unread(
                format!("(no id: {place})"),
                format!("{why} of {place}; stage the call again"),
            )
        };
        let Entity { rows } = match serde_json::from_str(entity) {
            Ok(entity) => entity,
            Err(_) => return unread("the staged rows".to_owned()),
        };
        if let Some(line) = rows.iter().find(|row| row.unreadable.is_some()) {
            let why = line.unreadable.as_deref().unwrap_or_default();
            return SourceInteraction::unread(
                format!("{}:{}", line.file, line.line),
                unreadable_line(&line.file, why),
            );
        }
        let rows = match self.rows(rows) {
            Ok(rows) => rows,
            Err(why) => return unread(why),
        };
        let Some(first) = rows.first() else {
            return unread("the staged rows".to_owned());
        };
        let id = match self.0.id(first) {
            Ok(id) => id,
            Err(why) => {
                return SourceInteraction::unread(
                    format!("{}:{}", first.file.path, first.line),
                    why,
                );
            }
        };
        let mut files: BTreeMap<String, (FileFacts, StagedAnswer<'_>)> = BTreeMap::new();
        for answer in answers {
            let facts = serde_json::from_str(answer.body);
            if let (Some(id), Ok(facts)) = (answer.request.strip_prefix(REQUEST), facts) {
                files.insert(id.to_owned(), (facts, answer));
            }
        }
        let paths: BTreeSet<String> = files
            .values()
            .filter_map(|(facts, _)| facts.path.clone())
            .collect();
        let audio = StagedAudio {
            listing: Listing::new(paths.iter().cloned().collect()),
            paths,
        };
        let Some(mut call) = self.0.call(&id, rows, &audio) else {
            return unread("the staged rows".to_owned());
        };
        for recording in &mut call.recordings {
            let Ok(details) = &mut recording.details else {
                continue;
            };
            let own = files.remove(recording.id.as_str());
            match own.filter(|(facts, _)| facts.path.as_deref() == details.media_url.as_deref()) {
                Some((facts, answer)) => {
                    details.size_bytes = facts.bytes;
                    recording.staged = answer.media;
                }
                None => {
                    recording.details = Err(format!(
                        "the file that the export names for recording {}, where another or none is \
                         staged; stage it again",
                        recording.id
                    ));
                }
            }
        }
        call
    }
}

/// What is needed of a line that cannot be read, by the file alone: the line is in the call's id.
pub(super) fn unreadable_line(file: &str, why: &str) -> String {
    format!("lines of {file} in a form that can be read: {why}; correct the export")
}
