//! Rows out of metadata files, one after another. Source: docs/reference/layout.md, "Files and
//! rows" and "What cannot be read".

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use plan::layout::{FileRules, Format, Rows as ListPlace};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::lines::{LONGEST, Line, Lines, Utf8};

/// A row as it stands in its file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The line it begins at, counted from 1.
    pub(super) line: u64,
    /// The error says why it cannot be read.
    pub(super) body: Result<Body, String>,
}

/// What a row holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// Cells with the names of their columns, in their order; without a name of its own a column
    /// has its number.
    Cells(Vec<(String, String)>),
    /// A JSON object, verbatim.
    Document(String),
}

/// A file that ends the run.
pub(super) enum Stop {
    /// It cannot be read.
    Io(io::Error),
    /// Its header is not what the layout says; in words, with the line.
    Header(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Io(error)
    }
}

/// Reads all rows of a file. `fits` says what a header lacks; what `take` answers ends the reading.
pub(super) fn read(
    rules: &FileRules,
    file: impl Read,
    fits: &dyn Fn(&[String]) -> Option<String>,
    take: &mut dyn FnMut(Row) -> io::Result<()>,
) -> Result<(), Stop> {
    let reader = BufReader::with_capacity(64 * 1024, file);
    match rules.format {
        Format::Csv => table(rules, reader, fits, take),
        Format::Ndjson => Ok(document_a_line(rules, reader, take)?),
        Format::Json => match &rules.rows {
            None => Ok(whole_document(rules, reader, take)?),
            Some(place) => Ok(list(rules, place, reader, take)?),
        },
    }
}

/// Lines a record may take in: a comment with line ends has a few, a quote that nobody closed has
/// all that follow.
const MOST_LINES: usize = 100;

/// Lines that were read for a record and belong to the next ones.
struct Peeked<R> {
    lines: Lines<R>,
    ahead: VecDeque<(u64, Line)>,
}

impl<R: BufRead> Peeked<R> {
    fn at(&mut self, index: usize) -> io::Result<Option<&(u64, Line)>> {
        while self.ahead.len() <= index {
            match self.lines.next()? {
                Some(line) => self.ahead.push_back(line),
                None => return Ok(None),
            }
        }
        Ok(self.ahead.get(index))
    }
}

fn table(
    rules: &FileRules,
    reader: impl BufRead,
    fits: &dyn Fn(&[String]) -> Option<String>,
    take: &mut dyn FnMut(Row) -> io::Result<()>,
) -> Result<(), Stop> {
    let mut lines = Peeked {
        lines: Lines::new(reader, rules.encoding.0)?,
        ahead: VecDeque::new(),
    };
    for _ in 0..rules.skip_lines {
        lines.at(0)?;
        lines.ahead.pop_front();
    }
    let mut csv = csv_core::ReaderBuilder::new()
        .delimiter(rules.separator)
        .quote(rules.quote)
        .build();
    let mut columns: Option<Vec<String>> = None;
    loop {
        let (line, record, used) = match next_record(&mut lines, &mut csv)? {
            None => return Ok(()),
            Some(record) => record,
        };
        let Some(columns_now) = &columns else {
            match record {
                Err(why) if rules.header => {
                    return Err(Stop::Header(format!(
                        "line {line}: the header cannot be read: {why}"
                    )));
                }
                Err(why) => take(Row {
                    line,
                    body: Err(why),
                })?,
                Ok(cells) if cells.iter().all(|cell| cell.trim().is_empty()) => {}
                Ok(cells) if rules.header => {
                    let names = names(&cells);
                    if let Some(why) = fits(&names) {
                        return Err(Stop::Header(format!("line {line}: {why}")));
                    }
                    columns = Some(names);
                }
                Ok(cells) => {
                    let numbers: Vec<String> = (1..=cells.len()).map(number).collect();
                    take(row(line, &numbers, cells))?;
                    columns = Some(numbers);
                }
            }
            lines.ahead.drain(..used);
            continue;
        };
        let body = record.and_then(|cells| {
            if cells.len() == columns_now.len() || cells.iter().all(|cell| cell.trim().is_empty()) {
                return Ok(cells);
            }
            let than = if rules.header { "header" } else { "first row" };
            Err(format!(
                "has {} cells, and the {than} has {}",
                cells.len(),
                columns_now.len()
            ))
        });
        match body {
            Ok(cells) if cells.iter().all(|cell| cell.trim().is_empty()) => {
                lines.ahead.drain(..used);
            }
            Ok(cells) => {
                take(row(line, columns_now, cells))?;
                lines.ahead.drain(..used);
            }
            // The next line may be a record of its own that the bad one took in.
            Err(why) => {
                take(Row {
                    line,
                    body: Err(why),
                })?;
                lines.ahead.pop_front();
            }
        }
    }
}

fn number(at: usize) -> String {
    format!("#{at}")
}

/// Names of columns; one that is empty or stands there already has its number.
fn names(cells: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(cells.len());
    for (at, cell) in cells.iter().enumerate() {
        let name = cell.trim();
        let is_taken = name.is_empty() || name.starts_with('#') || names.iter().any(|n| n == name);
        names.push(if is_taken {
            number(at + 1)
        } else {
            name.to_owned()
        });
    }
    names
}

fn row(line: u64, columns: &[String], cells: Vec<String>) -> Row {
    let cells = columns.iter().cloned().zip(cells).collect();
    Row {
        line,
        body: Ok(Body::Cells(cells)),
    }
}

/// The line a record begins at, its cells, and how many lines it took in.
type Record = (u64, Result<Vec<String>, String>, usize);

/// The next record. Its lines stay ahead.
fn next_record<R: BufRead>(
    lines: &mut Peeked<R>,
    csv: &mut csv_core::Reader,
) -> io::Result<Option<Record>> {
    csv.reset();
    let mut cells = Cells::default();
    let mut begins = 0;
    for index in 0..MOST_LINES {
        let Some((line, text)) = lines.at(index)? else {
            return Ok((index > 0).then(|| (begins, Err(NOT_CLOSED.to_owned()), index)));
        };
        if index == 0 {
            begins = *line;
        }
        match text {
            Err(why) if index == 0 => return Ok(Some((begins, Err(why.clone()), 1))),
            Err(_) => return Ok(Some((begins, Err(NOT_CLOSED.to_owned()), 1))),
            Ok(text) if index == 0 && text.trim().is_empty() => {
                return Ok(Some((begins, Ok(Vec::new()), 1)));
            }
            Ok(text) => {
                if cells.text.len() + text.len() > LONGEST {
                    return Ok(Some((begins, Err(NOT_CLOSED.to_owned()), 1)));
                }
                if cells.take(csv, text) {
                    return Ok(Some((begins, cells.split(), index + 1)));
                }
            }
        }
    }
    Ok(Some((begins, Err(NOT_CLOSED.to_owned()), 1)))
}

const NOT_CLOSED: &str = "has a quote that is not closed";

/// Cells as the reader writes them: one after another, and where each ends.
#[derive(Default)]
struct Cells {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Cells {
    /// Whether the record is whole with this line.
    fn take(&mut self, csv: &mut csv_core::Reader, line: &str) -> bool {
        let line = format!("{line}\n");
        let mut input = line.as_bytes();
        let (mut written, mut ended) = (self.text.len(), self.ends.len());
        loop {
            self.text.resize(written + input.len() + 16, 0);
            self.ends.resize(ended + 64, 0);
            let (result, used, out, ends) =
                csv.read_record(input, &mut self.text[written..], &mut self.ends[ended..]);
            (written, ended) = (written + out, ended + ends);
            input = &input[used..];
            match result {
                csv_core::ReadRecordResult::OutputFull
                | csv_core::ReadRecordResult::OutputEndsFull => {}
                csv_core::ReadRecordResult::InputEmpty => {
                    self.text.truncate(written);
                    self.ends.truncate(ended);
                    return false;
                }
                csv_core::ReadRecordResult::Record | csv_core::ReadRecordResult::End => {
                    self.text.truncate(written);
                    self.ends.truncate(ended);
                    return true;
                }
            }
        }
    }

    fn split(self) -> Result<Vec<String>, String> {
        let mut from = 0;
        let mut cells = Vec::with_capacity(self.ends.len());
        for end in self.ends {
            let cell = self.text.get(from..end).unwrap_or_default();
            let cell = std::str::from_utf8(cell).map_err(|_| "is not text".to_owned())?;
            cells.push(cell.to_owned());
            from = end;
        }
        Ok(cells)
    }
}

fn document_a_line(
    rules: &FileRules,
    reader: impl BufRead,
    take: &mut dyn FnMut(Row) -> io::Result<()>,
) -> io::Result<()> {
    let mut lines = Lines::new(reader, rules.encoding.0)?;
    while let Some((line, text)) = lines.next()? {
        if text.as_ref().is_ok_and(|text| text.trim().is_empty()) {
            continue;
        }
        let body = text.and_then(|text| object(text.trim(), true));
        take(Row { line, body })?;
    }
    Ok(())
}

/// A text as a JSON object. `in_one_line`: its lines need no number.
fn object(text: &str, in_one_line: bool) -> Result<Body, String> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(value) if value.get().starts_with('{') => Ok(Body::Document(value.get().to_owned())),
        Ok(_) => Err("is no JSON object".to_owned()),
        Err(error) if in_one_line => Err(format!("is not JSON at column {}", error.column())),
        Err(error) => Err(format!(
            "is not JSON at line {} column {}",
            error.line(),
            error.column()
        )),
    }
}

fn whole_document(
    rules: &FileRules,
    reader: impl BufRead,
    take: &mut dyn FnMut(Row) -> io::Result<()>,
) -> io::Result<()> {
    let mut bytes = Vec::new();
    let read = Utf8::new(reader, rules.encoding.0)?
        .take(LONGEST as u64 + 1)
        .read_to_end(&mut bytes);
    let too_long = format!("longer than {} MiB", LONGEST / (1024 * 1024));
    let text = match read {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(format!("has {error}")),
        Err(error) => return Err(error),
        Ok(_) if bytes.len() > LONGEST => Err(too_long),
        Ok(_) => String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            format!("has bytes that are not UTF-8 at byte {}", at + 1)
        }),
    };
    let line = text.as_ref().map_or(1, |text| {
        let blank = text.len() - text.trim_start().len();
        1 + text[..blank].matches('\n').count() as u64
    });
    match text {
        Ok(text) if text.trim().is_empty() => Ok(()),
        text => {
            let broken_at = |text: &str| {
                serde_json::from_str::<IgnoredAny>(text)
                    .err()
                    .map(|error| error.line() as u64)
            };
            // What is not JSON is named by the line where it breaks off.
            let line = text.as_deref().ok().and_then(broken_at).unwrap_or(line);
            let body = text.and_then(|text| object(text.trim(), false));
            take(Row { line, body })
        }
    }
}

/// Counts lines as they are read, byte by byte, and bounds what one element takes.
struct Counted<R> {
    reader: R,
    lines: Rc<Cell<u64>>,
    left: Rc<Cell<usize>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(out)?;
        let ends = out[..count].iter().filter(|byte| **byte == b'\n').count();
        self.lines.set(self.lines.get() + ends as u64);
        let left = self.left.get().checked_sub(count).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "an element longer than 16 MiB")
        })?;
        self.left.set(left);
        Ok(count)
    }
}

fn list(
    rules: &FileRules,
    place: &ListPlace,
    reader: impl BufRead,
    take: &mut dyn FnMut(Row) -> io::Result<()>,
) -> io::Result<()> {
    let (lines, left) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(LONGEST)));
    let counted = Counted {
        reader: BufReader::with_capacity(64 * 1024, Utf8::new(reader, rules.encoding.0)?),
        lines: lines.clone(),
        left: left.clone(),
    };
    let mut stopped = None;
    let mut document = serde_json::Deserializer::from_reader(counted);
    let found = Descent {
        members: &place.members,
        lines: &lines,
        left: &left,
        take,
        stopped: &mut stopped,
    }
    .deserialize(&mut document)
    .and_then(|found| document.end().map(|()| found));
    if let Some(error) = stopped {
        return Err(error);
    }
    let (line, why) = match found {
        Ok(true) => return Ok(()),
        Ok(false) => (
            1,
            format!("has no list at $.{}[*]", place.members.join(".")),
        ),
        Err(error)
            if error.is_io() && error.io_error_kind() != Some(io::ErrorKind::InvalidData) =>
        {
            return Err(error.into());
        }
        Err(error) => (
            (error.line() as u64).max(1),
            format!(
                "is not JSON at column {}; what follows in this file is not read",
                error.column()
            ),
        ),
    };
    take(Row {
        line,
        body: Err(why),
    })
}

/// Goes down to the list. Answers whether it was there.
struct Descent<'a> {
    members: &'a [String],
    lines: &'a Cell<u64>,
    left: &'a Cell<usize>,
    take: &'a mut dyn FnMut(Row) -> io::Result<()>,
    /// What `take` answered, where that ends the reading.
    stopped: &'a mut Option<io::Error>,
}

impl<'de> DeserializeSeed<'de> for Descent<'_> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Descent<'_> {
    type Value = bool;
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the document that the layout describes")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let Some((first, below)) = self.members.split_first() else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(false);
        };
        let mut found = false;
        while let Some(name) = map.next_key::<String>()? {
            self.left.set(LONGEST);
            if name == *first {
                found |= map.next_value_seed(Descent {
                    members: below,
                    lines: self.lines,
                    left: self.left,
                    take: &mut *self.take,
                    stopped: &mut *self.stopped,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        if !self.members.is_empty() {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(false);
        }
        self.left.set(LONGEST);
        while let Some((line, text)) = list.next_element_seed(Element(self.lines))? {
            self.left.set(LONGEST);
            let body = object(text.get(), false);
            if let Err(error) = (self.take)(Row { line, body }) {
                *self.stopped = Some(error);
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(true)
    }
    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
}

/// An element with the line of its first character, which has been looked at when this begins.
struct Element<'a>(&'a Cell<u64>);

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = (u64, Box<RawValue>);
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let line = self.0.get() + 1;
        let text = <Box<RawValue> as serde::Deserialize>::deserialize(deserializer)?;
        Ok((line, text))
    }
}

#[cfg(test)]
mod tests;
