//! Rows of a CSV file. Source: docs/reference/layout.md, "Files and rows" and "What cannot be
//! read".

use std::collections::VecDeque;
use std::io;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};
use plan::layout::FileRules;

use super::lines::{LONGEST, Line, Lines, TOO_LONG};
use super::value::{bare, is_none};

/// Lines that a record takes in at most.
const MOST_LINES: usize = 100;

/// Cells, and the line they begin at; or why that line cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) line: u64,
    pub(super) cells: Result<Vec<String>, String>,
}

/// The records of a file, the header among them.
pub(super) struct Records<'a> {
    lines: Lines,
    /// Lines that were read for a record that did not need them.
    ahead: VecDeque<Line>,
    rules: &'a FileRules,
    parser: Parser,
    /// Cells that each record has to have. Absent: the first says.
    width: Option<usize>,
}

impl Records<'_> {
    pub(super) fn of(mut lines: Lines, rules: &FileRules) -> io::Result<Records<'_>> {
        for _ in 0..rules.skip_lines {
            lines.next()?;
        }
        Ok(Records {
            lines,
            ahead: VecDeque::new(),
            rules,
            parser: Parser::new(rules.separator, rules.quote),
            width: None,
        })
    }

    /// The next record with a value in it. Absent: there is none left.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        while self.has_line(0)? {
            let number = self.ahead[0].number;
            let (cells, used) = match self.record()? {
                Ok((cells, used)) => (Ok(cells), used),
                Err(why) => (Err(why), 1),
            };
            let is_row = |cells: &Vec<String>| cells.iter().any(|cell| !is_none(cell, self.rules));
            if let Ok(cells) = &cells
                && !is_row(cells)
            {
                self.ahead.drain(..used);
                continue;
            }
            let (cells, used) = match cells.and_then(|cells| self.with_width(cells)) {
                Ok(cells) => (Ok(cells), used),
                // Reading goes on at the next line.
                Err(why) => (Err(why), 1),
            };
            self.ahead.drain(..used);
            return Ok(Some(Record {
                line: number,
                cells,
            }));
        }
        Ok(None)
    }

    fn with_width(&mut self, cells: Vec<String>) -> Result<Vec<String>, String> {
        let width = *self.width.get_or_insert(cells.len());
        if cells.len() == width {
            return Ok(cells);
        }
        let first = if self.rules.header {
            "the header"
        } else {
            "the first row"
        };
        Err(format!(
            "it has {} cells, and {first} has {width}",
            cells.len()
        ))
    }

    /// Reads ahead, so that there is a line at this place behind those that were used.
    fn has_line(&mut self, at: usize) -> io::Result<bool> {
        while self.ahead.len() <= at {
            match self.lines.next()? {
                Some(line) => self.ahead.push_back(line),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The cells of the record that begins at the next line, and how many lines it takes in.
    fn record(&mut self) -> io::Result<Result<(Vec<String>, usize), String>> {
        if let Ok(text) = &self.ahead[0].text
            && bare(text).is_empty()
        {
            return Ok(Ok((Vec::new(), 1)));
        }
        self.parser.begin();
        let mut bytes = 0;
        for used in 1..=MOST_LINES {
            if !self.has_line(used - 1)? {
                return Ok(Err("it has a quote that is not closed".to_owned()));
            }
            let text = match &self.ahead[used - 1].text {
                Ok(text) => text,
                Err(why) if used == 1 => return Ok(Err((*why).to_owned())),
                Err(why) => {
                    return Ok(Err(format!(
                        "it has a quote that is not closed before a line that cannot be read: {why}"
                    )));
                }
            };
            bytes += text.len() + 1;
            if bytes > LONGEST + 1 {
                return Ok(Err(TOO_LONG.to_owned()));
            }
            if self.parser.takes(text) {
                return Ok(self.parser.cells().map(|cells| (cells, used)));
            }
        }
        Ok(Err(format!(
            "it has a quote that is not closed in {MOST_LINES} lines"
        )))
    }
}

/// Divides a record's lines into cells.
struct Parser {
    reader: Reader,
    cells: Vec<u8>,
    written: usize,
    ends: Vec<usize>,
    count: usize,
}

impl Parser {
    fn new(separator: u8, quote: u8) -> Parser {
        let reader = ReaderBuilder::new()
            .delimiter(separator)
            .quote(quote)
            .terminator(Terminator::Any(b'\n'))
            .build();
        Parser {
            reader,
            cells: vec![0; 1024],
            written: 0,
            ends: vec![0; 64],
            count: 0,
        }
    }

    fn begin(&mut self) {
        self.reader.reset();
        (self.written, self.count) = (0, 0);
    }

    /// Takes a line; whether the record ends with it.
    fn takes(&mut self, line: &str) -> bool {
        self.feed(line.as_bytes()) || self.feed(b"\n")
    }

    fn feed(&mut self, mut input: &[u8]) -> bool {
        // To the reader no input is the end of the file, and a quoted cell may hold an empty line.
        if input.is_empty() {
            return false;
        }
        loop {
            let (result, read, wrote, ended) = self.reader.read_record(
                input,
                &mut self.cells[self.written..],
                &mut self.ends[self.count..],
            );
            input = &input[read..];
            self.written += wrote;
            self.count += ended;
            match result {
                ReadRecordResult::InputEmpty if input.is_empty() => return false,
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record | ReadRecordResult::End => return true,
            }
        }
    }

    fn cells(&self) -> Result<Vec<String>, String> {
        let mut begin = 0;
        let cell = |end: &usize| {
            let cell = std::str::from_utf8(&self.cells[begin..*end]);
            begin = *end;
            cell.map(str::to_owned)
                .map_err(|error| format!("its cells are no text: {error}"))
        };
        self.ends[..self.count].iter().map(cell).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use plan::Layout;
    use proptest::prelude::*;

    use super::*;

    fn rules(file: &str) -> FileRules {
        let text = format!(
            "layout_version = 1\n[file]\nformat = \"csv\"\n{file}\n[call]\nid = \"#1\"\nstart = \
             \"#1\"\nend = \"#1\"\n"
        );
        Layout::parse("layout.toml".as_ref(), &text)
            .expect("a layout")
            .file
    }

    fn records(text: &[u8], file: &str) -> Vec<(u64, Result<Vec<String>, String>)> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.csv");
        std::fs::write(&path, text).expect("written");
        let rules = rules(file);
        let lines = Lines::open(&path, rules.encoding.0).expect("opened");
        let mut records = Records::of(lines, &rules).expect("begun");
        std::iter::from_fn(|| records.next().expect("read"))
            .map(|record| (record.line, record.cells))
            .collect()
    }

    fn cells(cells: &[&str]) -> Result<Vec<String>, String> {
        Ok(cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn cells_are_divided_and_quotes_taken_off() {
        let text = b"Id,Note\n1,\"a \"\"b\"\", c\nd\"\n\n , \n2, \"x\" \n3,a\"b\n";
        assert_eq!(
            records(text, ""),
            [
                (1, cells(&["Id", "Note"])),
                (2, cells(&["1", "a \"b\", c\nd"])),
                (6, cells(&["2", " \"x\" "])),
                (7, cells(&["3", "a\"b"])),
            ]
        );
        let other = records(
            b"junk\n'a;b';c\n;NULL\n",
            "separator = \";\"\nquote = \"'\"\nskip_lines = 1\nnull = [\"\", \"NULL\"]",
        );
        assert_eq!(other, [(2, cells(&["a;b", "c"]))]);
    }

    #[test]
    fn a_quoted_cell_may_hold_empty_lines() {
        let read = records(b"a,b\n1,\"x\n\n\ny\"\n\"\n\",2\n", "");
        assert_eq!(
            read[1..],
            [(2, cells(&["1", "x\n\n\ny"])), (6, cells(&["\n", "2"])),]
        );
    }

    #[test]
    fn a_record_that_cannot_be_read_costs_its_first_line() {
        let read = records(b"a,b\n1,2,3\n4\n\"x\ny\",5,6\n7,8\n", "");
        let lines: Vec<(u64, bool)> = read
            .iter()
            .map(|(at, cells)| (*at, cells.is_ok()))
            .collect();
        assert_eq!(
            lines,
            [
                (1, true),
                (2, false),
                (3, false),
                (4, false),
                (5, false),
                (6, true)
            ],
            "{read:?}"
        );
        assert_eq!(
            read[1].1,
            Err("it has 3 cells, and the header has 2".to_owned())
        );
    }

    #[test]
    fn a_quote_that_is_left_open_costs_its_line_and_not_the_file() {
        let rows: String = (0..150).map(|n| format!("{n},x\n")).collect();
        let read = records(format!("a,b\n1,\"x\n{rows}").as_bytes(), "");
        assert_eq!(
            read[1],
            (
                2,
                Err("it has a quote that is not closed in 100 lines".to_owned())
            )
        );
        assert_eq!(read.len(), 152);
        assert!(read[2..].iter().all(|(_, cells)| cells.is_ok()));
        let lines: String = "z\n".repeat(98);
        let closed = records(format!("a,b\n1,\"x\n{lines}\"\n2,3\n").as_bytes(), "");
        assert_eq!((closed.len(), closed[1].0, closed[2].0), (3, 2, 102));
        let at_the_end = records(b"a,b\n1,\"x\n2,3", "");
        assert_eq!(
            at_the_end[1].1,
            Err("it has a quote that is not closed".to_owned())
        );
        assert_eq!(at_the_end[2], (3, cells(&["2", "3"])));
    }

    #[test]
    fn bytes_that_are_no_text_spoil_the_record_they_stand_in() {
        let read = records(b"a,b\n1,\"x\n\xff\"\n2,3\n", "");
        let lines: Vec<(u64, bool)> = read
            .iter()
            .map(|(at, cells)| (*at, cells.is_ok()))
            .collect();
        assert_eq!(lines, [(1, true), (2, false), (3, false), (4, true)]);
    }

    proptest! {
        #[test]
        fn any_text_is_records_and_never_a_panic(text in "[ab,\"\n\r ;\u{e9}]{0,60}") {
            let lines = text.split('\n').count();
            for (at, cells) in records(text.as_bytes(), "header = false") {
                prop_assert!(at as usize <= lines);
                prop_assert!(cells.is_err() || cells.is_ok_and(|cells| !cells.is_empty()));
            }
        }
    }

    /// Python's own reading of a text whose records all have so many cells.
    fn by_python(text: &str) -> Vec<Vec<String>> {
        const SCRIPT: &str = "import csv, io, json, sys\ntext = sys.stdin.buffer.read().decode()\n\
            print(json.dumps([r for r in csv.reader(io.StringIO(text, newline=''))]))";
        let mut python = Command::new("python3")
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut input = python.stdin.take().expect("its input");
        input.write_all(text.as_bytes()).expect("written");
        drop(input);
        let output = python.wait_with_output().expect("its output");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        #[ignore = "needs python3; ./check runs it"]
        fn pythons_csv_module_divides_the_same_cells(
            rows in proptest::collection::vec(
                proptest::collection::vec(prop_oneof![
                    "[ab\"'; ]{0,4}x",
                    "[ab,\"\n\u{e9}]{0,6}y".prop_map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))),
                ], 3),
                1..30,
            ),
        ) {
            // A cell that begins with a quote is a quoted one.
            let plain = |cell: &String| match cell.strip_prefix('"') {
                Some(rest) if !cell.ends_with('"') => rest.replace('"', ""),
                _ => cell.clone(),
            };
            let line = |row: &Vec<String>| row.iter().map(plain).collect::<Vec<_>>().join(",");
            let text = rows.iter().map(line).collect::<Vec<_>>().join("\r\n");
            let ours: Vec<Vec<String>> = records(text.as_bytes(), "header = false")
                .into_iter()
                .map(|(_, cells)| cells.expect("readable"))
                .collect();
            prop_assert_eq!(ours, by_python(&text));
        }
    }
}
