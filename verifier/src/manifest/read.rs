//! The lines of a manifest: one for each recording that there is at the source.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::bounded_lines::BoundedLines;
use crate::join_recordings::{OfCall, key_of};
use crate::run_error::RunError;
use crate::sorted_records::{RecordSorter, SortedRecords};
use crate::utc_millis::UtcMillis;

/// 100 million recordings with everything that can be said of them. Bytes.
const MOST_BYTES: u64 = 32 << 30;

/// Known columns: their names, in the order in which a message lists them.
const COLUMNS: [&str; 5] = [
    "legacy_interaction_id",
    "legacy_recording_id",
    "start",
    "bytes",
    "sha256",
];

/// A recording, as who exported it says. Absent: not given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Named {
    pub(super) call: String,
    pub(super) recording: String,
    /// Of the file, from 1.
    pub(super) line: u64,
    pub(super) start: Option<Start>,
    /// Size of the file at the source.
    pub(super) bytes: Option<u64>,
    /// Of the file at the source, hex, lower case.
    pub(super) sha256: Option<String>,
}

/// An instant, with the precision in which it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Start {
    pub(super) at: UtcMillis,
    pub(super) is_whole_second: bool,
}

impl OfCall for Named {
    fn call(&self) -> &str {
        &self.call
    }
}

/// Where each column stands.
struct Columns {
    delimiter: u8,
    width: usize,
    at: [Option<usize>; COLUMNS.len()],
}

/// All lines of a manifest, and the SHA-256 of what was read.
pub(super) struct Lines {
    pub(super) named: SortedRecords<Named>,
    pub(super) sha256: String,
}

/// Reads a manifest. `folder`: where room is for what does not fit in memory.
///
/// # Errors
///
/// It cannot be read, is too large, names no recording or one twice, or a line is wrong; by line
/// and column ([`RunError::Plan`]).
pub(super) fn read(path: &Path, folder: &Path) -> Result<Lines, RunError> {
    let name = path.display();
    let file =
        File::open(path).map_err(|error| RunError::Plan(format!("cannot read {name}: {error}")))?;
    let mut hashed = Hashed {
        inner: file.take(MOST_BYTES + 1),
        hash: Sha256::new(),
        read: 0,
    };
    let mut lines = BoundedLines::new(path, BufReader::new(&mut hashed));
    let named = sorted(&name.to_string(), &mut lines, folder)?;
    drop(lines);
    if hashed.read > MOST_BYTES {
        return Err(RunError::Plan(format!(
            "the manifest {name} has more than {} GiB; hand it over for a shorter window",
            MOST_BYTES >> 30
        )));
    }
    Ok(Lines {
        named,
        sha256: hex::encode(hashed.hash.finalize()),
    })
}

fn sorted(
    name: &str,
    lines: &mut BoundedLines<impl BufRead>,
    folder: &Path,
) -> Result<SortedRecords<Named>, RunError> {
    let columns = match lines.next_line()? {
        Some((_, header)) => Columns::of(name, header.trim_start_matches('\u{feff}'))?,
        None => return Err(RunError::Plan(format!("{name} line 1: the file is empty"))),
    };
    let mut sorter = RecordSorter::new(folder);
    while let Some((number, line)) = lines.next_line()? {
        if line.trim().is_empty() {
            continue;
        }
        let named = columns.named(name, number, &line)?;
        sorter.push(&key_of(&named.call, &named.recording), &named)?;
    }
    let sorted = sorter.sorted()?;
    if sorted.len() == 0 {
        return Err(RunError::Plan(format!(
            "{name} line 2: no recording is named; write a line for each of them"
        )));
    }
    refuse_repeats(name, &sorted)?;
    Ok(sorted)
}

/// A recording that is named twice is a mistake of who wrote the file, and nobody knows which line
/// is right.
fn refuse_repeats(name: &str, sorted: &SortedRecords<Named>) -> Result<(), RunError> {
    let mut before: Option<Named> = None;
    for named in sorted.iter() {
        let named = named?;
        if let Some(first) = &before
            && (&first.call, &first.recording) == (&named.call, &named.recording)
        {
            return Err(RunError::Plan(format!(
                "{name} line {}: recording {} of call {} stands in line {} too; name each \
                 recording once",
                named.line, named.recording, named.call, first.line
            )));
        }
        before = Some(named);
    }
    Ok(())
}

impl Columns {
    fn of(name: &str, header: &str) -> Result<Columns, RunError> {
        let delimiter = [b',', b';', b'\t']
            .into_iter()
            .find(|delimiter| header.as_bytes().contains(delimiter))
            .unwrap_or(b',');
        let cells = cells(header, delimiter);
        let mut columns = Columns {
            delimiter,
            width: cells.len(),
            at: [None; COLUMNS.len()],
        };
        for (at, cell) in cells.iter().enumerate() {
            let wrong =
                |why: &str| RunError::Plan(format!("{name} line 1, column {}: {why}", at + 1));
            let known = COLUMNS
                .iter()
                .position(|known| known.eq_ignore_ascii_case(cell))
                .ok_or_else(|| {
                    wrong(&format!(
                        "unknown column `{}`; known are {}",
                        shown(cell),
                        COLUMNS.join(", ")
                    ))
                })?;
            if columns.at[known].replace(at).is_some() {
                return Err(wrong(&format!("the column `{}` stands twice", shown(cell))));
            }
        }
        match columns.at {
            [Some(_), Some(_), ..] => Ok(columns),
            _ => Err(RunError::Plan(format!(
                "{name} line 1, column 1: {} and {} must be columns",
                COLUMNS[0], COLUMNS[1]
            ))),
        }
    }

    fn named(&self, name: &str, number: u64, line: &str) -> Result<Named, RunError> {
        let cells = cells(line, self.delimiter);
        let wrong = |at: usize, why: &str| {
            RunError::Plan(format!("{name} line {number}, column {}: {why}", at + 1))
        };
        if cells.len() != self.width {
            return Err(wrong(
                cells.len().min(self.width),
                &format!(
                    "the line has {} cells where the first has {}",
                    cells.len(),
                    self.width
                ),
            ));
        }
        let [call, recording, start, bytes, sha256] = self.at.map(|at| {
            let cell = at.map_or("", |at| cells[at].as_str());
            (at.unwrap_or_default(), cell)
        });
        let id = |(at, text): (usize, &str), what: &str| match text {
            "" => Err(wrong(at, &format!("the id of the {what} is missing"))),
            text => Ok(output::csv_cell_read(text).to_owned()),
        };
        let start = match start {
            (_, "") => None,
            (at, text) => Some(Start::parse(text).ok_or_else(|| {
                wrong(
                    at,
                    &format!(
                        "`{}` is no instant; write it as 2023-10-27T08:15:30.250Z",
                        shown(text)
                    ),
                )
            })?),
        };
        let bytes = match bytes {
            (_, "") => None,
            (at, text) => Some(
                text.parse()
                    .map_err(|_| wrong(at, &format!("`{}` is not a whole number", shown(text))))?,
            ),
        };
        let is_hash = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let sha256 = match sha256 {
            (_, "") => None,
            (_, text) if is_hash(text) => Some(text.to_ascii_lowercase()),
            (at, text) => {
                return Err(wrong(
                    at,
                    &format!("`{}` is no SHA-256 of 64 hexadecimal digits", shown(text)),
                ));
            }
        };
        Ok(Named {
            call: id(call, "call")?,
            recording: id(recording, "recording")?,
            line: number,
            start,
            bytes,
            sha256,
        })
    }
}

impl Start {
    fn parse(text: &str) -> Option<Start> {
        let at = UtcMillis::parse(text)?;
        Some(Start {
            at,
            is_whole_second: !text.contains('.'),
        })
    }
}

/// Cells of a line, without blanks around them.
fn cells(line: &str, delimiter: u8) -> Vec<String> {
    let owned = |cell: &str| cell.trim().to_owned();
    if !line.contains('"') {
        return line.split(char::from(delimiter)).map(owned).collect();
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(line.as_bytes());
    let mut record = csv::StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(true) => record.iter().map(owned).collect(),
        // A text in memory that is UTF-8 is always a record; whatever else it is has no cells.
        Ok(false) | Err(_) => Vec::new(),
    }
}

/// As much of a wrong cell as a person needs to find it.
fn shown(cell: &str) -> String {
    const MOST: usize = 40;
    match cell.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &cell[..end]),
        None => cell.to_owned(),
    }
}

/// Takes what is read for its hash.
struct Hashed<R> {
    inner: R,
    hash: Sha256,
    read: u64,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(&buffer[..read]);
        self.read += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<Named>, String> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("manifest.csv");
        std::fs::write(&path, text).expect("written");
        let lines = read(&path, dir.path()).map_err(|error| error.to_string())?;
        assert_eq!(lines.sha256, hex::encode(Sha256::digest(text)));
        Ok(lines
            .named
            .iter()
            .map(|named| named.expect("read back"))
            .collect())
    }

    #[test]
    fn a_bad_line_is_refused_with_line_and_column() {
        const HEAD: &str = "legacy_interaction_id,legacy_recording_id,start,bytes,sha256\n";
        let line = |line: &str| format!("{HEAD}1,1-1,,,\n{line}\n");
        let rows = [
            (String::new(), "line 1: the file is empty"),
            (HEAD.to_owned(), "line 2: no recording is named"),
            (
                "call,legacy_recording_id\n".to_owned(),
                "line 1, column 1: unknown column `call`",
            ),
            (
                "legacy_interaction_id,bytes\n1,2\n".to_owned(),
                "must be columns",
            ),
            (
                "legacy_interaction_id,legacy_recording_id,bytes,bytes\n".to_owned(),
                "line 1, column 4: the column `bytes` stands twice",
            ),
            (line("2,2-1,,"), "line 3, column 5: the line has 4 cells"),
            (line("2,2-1,,,,"), "line 3, column 6: the line has 6 cells"),
            (
                line(",2-1,,,"),
                "line 3, column 1: the id of the call is missing",
            ),
            (
                line("2,,,,"),
                "line 3, column 2: the id of the recording is missing",
            ),
            (
                line("2,2-1,2023-10-27 08:15,,"),
                "line 3, column 3: `2023-10-27 08:15` is no instant",
            ),
            (
                line("2,2-1,,-4,"),
                "line 3, column 4: `-4` is not a whole number",
            ),
            (line("2,2-1,,,abc"), "line 3, column 5: `abc` is no SHA-256"),
            (
                line("1,1-1,,,"),
                "line 3: recording 1-1 of call 1 stands in line 2 too",
            ),
        ];
        for (text, wanted) in rows {
            let told = parsed(&text).expect_err(&text);
            assert!(
                told.contains("manifest.csv ") && told.contains(wanted),
                "{text:?}: {told}"
            );
        }
    }

    #[test]
    fn a_file_of_a_spreadsheet_is_read() {
        let hash = "AB".repeat(32);
        let text = format!(
            "\u{feff}Legacy_Recording_Id;SHA256;legacy_interaction_id;start\r\n\
             \"10-1\";{hash};10;2023-10-27T08:15:30Z\r\n\r\n2-1;;2;2023-10-27T08:15:30.250Z\r\n"
        );
        let named = parsed(&text).expect("a manifest");
        assert_eq!(
            named,
            [
                Named {
                    call: "2".into(),
                    recording: "2-1".into(),
                    line: 4,
                    start: Start::parse("2023-10-27T08:15:30.250Z"),
                    bytes: None,
                    sha256: None,
                },
                Named {
                    call: "10".into(),
                    recording: "10-1".into(),
                    line: 2,
                    start: Start::parse("2023-10-27T08:15:30Z"),
                    bytes: None,
                    sha256: Some("ab".repeat(32)),
                },
            ]
        );
        assert!(named[1].start.expect("a start").is_whole_second);
    }
}
