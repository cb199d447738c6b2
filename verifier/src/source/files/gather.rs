//! All rows of an export, set aside by the ids of their calls. Source: docs/reference/layout.md,
//! "What cannot be read".

use std::sync::Arc;

use plan::layout::{Format, Place};

use super::call::Reading;
use super::csv_rows::Records;
use super::folders::Found;
use super::json_rows;
use super::lines::{Lines, Utf8Reader};
use super::row::{Content, FileName, Header, Row, StoredContent, StoredRow};
use super::staged::unreadable_line;
use super::value::{self, Scope};
use crate::run_error::RunError;
use crate::sorted_records::{RecordSorter, SortedRecords, StoredRecord, read, text_key};
use crate::source::Listed;

/// Rows after which others get a turn.
pub(super) const ROWS_AT_ONCE: u64 = 1000;

/// A metadata file with its header.
struct MetadataFile {
    name: Arc<FileName>,
    /// Of a CSV file.
    header: Arc<Header>,
}

/// Rows by the ids of their calls, and what has none.
pub(super) struct Gathered {
    files: Vec<MetadataFile>,
    pub(super) rows: SortedRecords<StoredRow>,
    /// Lines that cannot be read, and rows without an id.
    pub(super) unread: SortedRecords<(String, String)>,
}

fn unopened(file: &Found, error: &std::io::Error) -> RunError {
    RunError::Source(format!("cannot read {}: {error}", file.file.display()))
}

impl Gathered {
    /// All rows, set aside by the ids of their calls.
    pub(super) async fn of(
        reading: &Reading,
        found: &[Found],
        listed: &Listed,
    ) -> Result<Gathered, RunError> {
        let mut gathering = Gathering {
            reading,
            files: Vec::new(),
            rows: listed.set_aside(),
            unread: listed.set_aside(),
        };
        for file in found {
            gathering.files.push(MetadataFile {
                name: Arc::new(FileName {
                    path: file.path.clone(),
                }),
                header: Arc::default(),
            });
            match reading.layout.file.format {
                Format::Csv => gathering.csv(file).await?,
                Format::Ndjson => gathering.ndjson(file).await?,
                Format::Json => gathering.json(file)?,
            }
            tokio::task::yield_now().await;
        }
        Ok(Gathered {
            files: gathering.files,
            rows: gathering.rows.sorted()?,
            unread: gathering.unread.sorted()?,
        })
    }

    /// A row as it was set aside.
    pub(super) fn row(&self, stored: StoredRecord<'_>) -> Result<Row, RunError> {
        let stored: StoredRow = read(stored.record)?;
        let broken = || RunError::Internal("a row that was set aside".to_owned());
        let file = self.files.get(stored.file as usize).ok_or_else(broken)?;
        let content = match stored.content {
            StoredContent::Cells(cells) => Content::Cells(file.header.clone(), cells),
            StoredContent::Json(text) => {
                Content::Json(serde_json::from_str(&text).map_err(|_| broken())?)
            }
        };
        Ok(Row {
            file: file.name.clone(),
            line: stored.line,
            content,
        })
    }
}

/// Rows as they are read.
struct Gathering<'a> {
    reading: &'a Reading,
    /// The last of them is being read.
    files: Vec<MetadataFile>,
    rows: RecordSorter<StoredRow>,
    unread: RecordSorter<(String, String)>,
}

impl Gathering<'_> {
    async fn csv(&mut self, file: &Found) -> Result<(), RunError> {
        let failed = |error| unopened(file, &error);
        let rules = &self.reading.layout.file;
        let lines = Lines::open(&file.file, rules.encoding.0).map_err(failed)?;
        let mut records = Records::of(lines, rules).map_err(failed)?;
        let (mut header, mut count) = (None::<Arc<Header>>, 0);
        while let Some(record) = records.next().map_err(failed)? {
            count += 1;
            if count % ROWS_AT_ONCE == 0 {
                tokio::task::yield_now().await;
            }
            let cells = match record.cells {
                Ok(cells) => cells,
                Err(why) if header.is_none() && rules.header => {
                    return Err(RunError::Source(format!(
                        "cannot read the header of {} at line {}: {why}; correct the file, or \
                         [file] of the layout",
                        file.file.display(),
                        record.line
                    )));
                }
                Err(why) => {
                    self.line_unread(record.line, &why)?;
                    continue;
                }
            };
            let known = match &header {
                Some(header) => header.clone(),
                None => {
                    let own = self.header(file, &cells)?;
                    header = Some(own.clone());
                    if rules.header {
                        continue;
                    }
                    own
                }
            };
            self.row(record.line, Content::Cells(known, cells))?;
        }
        Ok(())
    }

    /// The header of a file, from the cells of its first record.
    fn header(&mut self, file: &Found, cells: &[String]) -> Result<Arc<Header>, RunError> {
        let header = if self.reading.layout.file.header {
            let header = Header::of(cells);
            self.check_columns(file, &header)?;
            header
        } else {
            Header::numbered(cells.len())
        };
        let header = Arc::new(header);
        if let Some(file) = self.files.last_mut() {
            file.header = header.clone();
        }
        Ok(header)
    }

    /// Of a file without id and start of its calls nobody knows what is in it.
    fn check_columns(&self, file: &Found, header: &Header) -> Result<(), RunError> {
        let layout = &self.reading.layout;
        for (key, value) in [
            ("call.id", &layout.call.id),
            ("call.start", &layout.call.start),
        ] {
            let is_there = |place: &Place| match place {
                Place::Column(name) => header.named(name).is_some(),
                Place::Number(number) => *number <= header.keys.len(),
                Place::Row(_) | Place::Element(_) => false,
            };
            if value.places().next().is_some() && !value.places().any(is_there) {
                return Err(RunError::Source(format!(
                    "{} has no column `{}` ({key}); correct the layout, or leave the file out with \
                     file.except",
                    file.file.display(),
                    value::place_of(value)
                )));
            }
        }
        Ok(())
    }

    async fn ndjson(&mut self, file: &Found) -> Result<(), RunError> {
        let failed = |error| unopened(file, &error);
        let encoding = self.reading.layout.file.encoding.0;
        let mut lines = Lines::open(&file.file, encoding).map_err(failed)?;
        while let Some(line) = lines.next().map_err(failed)? {
            if line.number % ROWS_AT_ONCE == 0 {
                tokio::task::yield_now().await;
            }
            match line.text {
                Ok(text) if value::bare(&text).is_empty() => {}
                Ok(text) => match json_rows::line(&text) {
                    Ok(row) => self.row(line.number, Content::Json(row))?,
                    Err(why) => self.line_unread(line.number, &why)?,
                },
                Err(why) => self.line_unread(line.number, why)?,
            }
        }
        Ok(())
    }

    fn json(&mut self, file: &Found) -> Result<(), RunError> {
        let reading = self.reading;
        let rules = &reading.layout.file;
        let reader = Utf8Reader::open(&file.file, rules.encoding.0);
        let reader = reader.map_err(|error| unopened(file, &error))?;
        let mut take = |line, row: Result<serde_json::Value, String>| match row {
            Ok(row) => self.row(line, Content::Json(row)),
            Err(why) => self.line_unread(line, &why),
        };
        json_rows::document(reader, rules.rows.as_ref(), &mut take).map_err(|stop| match stop {
            json_rows::Stop::Unreadable(error) => unopened(file, &error),
            json_rows::Stop::Taker(error) => error,
        })
    }

    /// A line of the last file that cannot be read is a call of its own.
    fn line_unread(&mut self, line: u64, why: &str) -> Result<(), RunError> {
        let file = self.files.last().map_or("", |file| &file.name.path);
        let (id, why) = (format!("{file}:{line}"), unreadable_line(file, why));
        self.unread.append(&(id, why))
    }

    fn row(&mut self, line: u64, content: Content) -> Result<(), RunError> {
        let Some(file) = self.files.last() else {
            return Ok(());
        };
        let row = Row {
            file: file.name.clone(),
            line,
            content,
        };
        // Where `only` cannot be read, the row counts, and its call cannot be told.
        if let Ok(false) = Scope::of(&self.reading.layout, &row).counts() {
            return Ok(());
        }
        let id = match self.reading.id(&row) {
            Ok(id) => id,
            Err(why) => {
                let place = format!("{}:{line}", row.file.path);
                return self.unread.append(&(place, why));
            }
        };
        let mut key = Vec::new();
        text_key(&id, &mut key);
        let content = match row.content {
            Content::Cells(_, cells) => StoredContent::Cells(cells),
            Content::Json(value) => StoredContent::Json(value.to_string()),
        };
        let file = u32::try_from(self.files.len() - 1)
            .map_err(|_| RunError::Source("4 billion metadata files".to_owned()))?;
        self.rows.push(
            &key,
            &StoredRow {
                file,
                line,
                content,
            },
        )
    }
}
