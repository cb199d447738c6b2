//! A text file from outside, line by line: none is longer than a bound, each is UTF-8, and what is
//! wrong is told by file and line.

use std::io::{BufRead, Read};
use std::path::Path;

use crate::run_error::RunError;

/// No line of any file that is read this way is longer. Bytes: an id has 100, a line of custody
/// with the words of an error 1,000.
const MOST_LINE_BYTES: u64 = 64 << 10;

/// Lines of a file, each with its number from 1, without its line feed.
#[derive(Debug)]
pub(crate) struct BoundedLines<R> {
    /// The file, as it was named.
    name: String,
    reader: R,
    number: u64,
}

impl<R: BufRead> BoundedLines<R> {
    pub(crate) fn new(path: &Path, reader: R) -> BoundedLines<R> {
        BoundedLines {
            name: path.display().to_string(),
            reader,
            number: 0,
        }
    }

    /// The next line. Absent: the file has ended.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or the line is too long or no UTF-8 ([`RunError::Plan`]).
    pub(crate) fn next_line(&mut self) -> Result<Option<(u64, String)>, RunError> {
        let number = self.number + 1;
        let wrong = |why: &str| RunError::Plan(format!("{} line {number}: {why}", self.name));
        let mut bytes = Vec::new();
        (&mut self.reader)
            .take(MOST_LINE_BYTES + 1)
            .read_until(b'\n', &mut bytes)
            .map_err(|error| wrong(&format!("cannot be read: {error}")))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        } else if bytes.len() as u64 > MOST_LINE_BYTES {
            return Err(wrong(&format!(
                "has more than {} KiB",
                MOST_LINE_BYTES >> 10
            )));
        }
        let text = String::from_utf8(bytes).map_err(|_| wrong("is not UTF-8"))?;
        self.number = number;
        Ok(Some((number, text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Result<Vec<(u64, String)>, String> {
        let mut lines = BoundedLines::new(Path::new("a.csv"), bytes);
        let mut all = Vec::new();
        loop {
            match lines.next_line() {
                Ok(Some(line)) => all.push(line),
                Ok(None) => return Ok(all),
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    #[test]
    fn lines_are_numbered_and_the_last_one_needs_no_end() {
        let all = lines(b"a\n\nb").expect("lines");
        assert_eq!(all, [(1, "a".into()), (2, String::new()), (3, "b".into())]);
    }

    #[test]
    fn a_line_without_an_end_is_not_gathered() {
        let mut long = b"a\n".to_vec();
        long.extend(vec![b'x'; 1 << 20]);
        assert_eq!(
            lines(&long),
            Err("a.csv line 2: has more than 64 KiB".into())
        );
        let mut just = vec![b'x'; 64 << 10];
        just.push(b'\n');
        assert_eq!(lines(&just).expect("a line").len(), 1);
        assert_eq!(
            lines(b"a\n\xff\n"),
            Err("a.csv line 2: is not UTF-8".into())
        );
    }
}
