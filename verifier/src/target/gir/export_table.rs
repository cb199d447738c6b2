//! A CSV export, row by row.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::handed::broken;
use crate::run_error::RunError;

/// A file that is read once: its rows, and then its hash.
pub(super) struct Table<'a> {
    file: &'a Path,
    headers: Vec<String>,
    reader: csv::Reader<Hashed>,
}

/// Everything that is read goes into the hash.
struct Hashed {
    file: BufReader<File>,
    hash: Sha256,
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}

/// A row of it.
pub(super) struct Row<'a> {
    file: &'a Path,
    line: u64,
    cells: BTreeMap<String, String>,
}

impl<'a> Table<'a> {
    /// Reads the headers.
    pub(super) fn open(
        file: &'a Path,
        required: &[&str],
        optional: &[&str],
    ) -> Result<Table<'a>, RunError> {
        let opened = File::open(file).map_err(|error| broken(file, &error.to_string()))?;
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(Hashed {
                file: BufReader::new(opened),
                hash: Sha256::new(),
            });
        let headers = reader.headers().map_err(|error| unreadable(file, &error))?;
        let headers: Vec<String> = headers.iter().map(str::to_owned).collect();
        let known = required.iter().chain(optional);
        if let Some(name) = required
            .iter()
            .find(|name| !headers.iter().any(|header| header == *name))
        {
            let columns = headers.join(", ");
            let why = format!("line 1: the column `{name}` is missing; it has {columns}");
            return Err(broken(file, &why));
        }
        if let Some(header) = headers
            .iter()
            .find(|header| !known.clone().any(|name| name == header))
        {
            let why = format!("line 1: the column `{header}` is not known; leave it out");
            return Err(broken(file, &why));
        }
        Ok(Table {
            file,
            headers,
            reader,
        })
    }

    /// Absent: that was all.
    pub(super) fn next_row(&mut self) -> Result<Option<Row<'a>>, RunError> {
        let mut record = csv::StringRecord::new();
        let is_read = self.reader.read_record(&mut record);
        if !is_read.map_err(|error| unreadable(self.file, &error))? {
            return Ok(None);
        }
        let cells = self.headers.iter().cloned();
        Ok(Some(Row {
            file: self.file,
            line: record.position().map_or(0, csv::Position::line),
            cells: cells.zip(record.iter().map(str::to_owned)).collect(),
        }))
    }

    /// Of the whole file, once all rows are read. Hex.
    pub(super) fn sha256(self) -> Result<String, RunError> {
        let mut hashed = self.reader.into_inner();
        std::io::copy(&mut hashed, &mut std::io::sink())
            .map_err(|error| broken(self.file, &error.to_string()))?;
        Ok(hex::encode(hashed.hash.finalize()))
    }
}

fn unreadable(file: &Path, error: &csv::Error) -> RunError {
    let line = error.position().map_or(1, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => {
            broken(file, &format!("line {line}: not UTF-8; export it as UTF-8"))
        }
        csv::ErrorKind::Io(error) => broken(file, &error.to_string()),
        _ => broken(file, &format!("line {line}: {error}")),
    }
}

impl Row<'_> {
    pub(super) fn cell(&self, column: &str) -> &str {
        self.cells
            .get(column)
            .map(String::as_str)
            .unwrap_or_default()
    }

    pub(super) fn text(&self, column: &str) -> Result<&str, RunError> {
        let cell = self.cell(column);
        if cell.is_empty() {
            Err(self.error(column, "is empty"))
        } else {
            Ok(cell)
        }
    }

    pub(super) fn number(&self, column: &str) -> Result<u64, RunError> {
        self.text(column)?
            .parse()
            .map_err(|_| self.error(column, "is not a whole number"))
    }

    pub(super) fn seconds(&self, column: &str) -> Result<f64, RunError> {
        let seconds: Option<f64> = self
            .text(column)?
            .parse()
            .ok()
            .filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0);
        seconds.ok_or_else(|| self.error(column, "is not a number of seconds"))
    }

    fn error(&self, column: &str, what: &str) -> RunError {
        broken(self.file, &format!("line {}: `{column}` {what}", self.line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_once_for_its_rows_and_its_hash() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("a.csv");
        let bytes = "\u{feff}name,count\n a , 7\n\n";
        std::fs::write(&file, bytes).expect("written");
        let mut table = Table::open(&file, &["name"], &["count"]).expect("a table");
        let row = table.next_row().expect("read").expect("a row");
        assert_eq!((row.cell("name"), row.number("count").ok()), ("a", Some(7)));
        assert!(table.next_row().expect("read").is_none());
        let wanted = hex::encode(Sha256::digest(bytes));
        assert_eq!(table.sha256().expect("hashed"), wanted);
    }

    #[test]
    fn what_is_not_utf8_is_named_with_its_line() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("a.csv");
        std::fs::write(&file, b"name\na\n\xff\n").expect("written");
        let mut table = Table::open(&file, &["name"], &[]).expect("a table");
        assert!(table.next_row().expect("read").is_some());
        let error = table.next_row().err().expect("not UTF-8").to_string();
        assert!(error.contains("line 3: not UTF-8"), "{error}");
    }
}
