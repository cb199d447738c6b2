//! Text files of an export: their lines, in whichever encoding, without holding a file whole.
//! Source: docs/reference/layout.md, "Files and rows".

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_16BE, UTF_16LE};

/// The longest line, and the longest record or document that is read into a row. Bytes.
pub(super) const LONGEST: usize = 16 << 20;

/// Why bytes are not text.
pub(super) const NOT_OF_ENCODING: &str = "it has bytes that are not of the encoding";
/// Why a line or a row is not read to its end.
pub(super) const TOO_LONG: &str = "it is longer than 16 MiB";

/// A line without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Counted from 1.
    pub(super) number: u64,
    /// The error says why it cannot be read.
    pub(super) text: Result<String, &'static str>,
}

/// The lines of a file, one after the other.
pub(super) struct Lines {
    reader: BufReader<File>,
    encoding: &'static Encoding,
    number: u64,
}

/// A file at its first character, and the encoding its byte-order mark says. Absent: it has none.
fn open(path: &Path) -> io::Result<(File, Option<&'static Encoding>)> {
    let mut file = File::open(path)?;
    let mut mark = Vec::new();
    Read::by_ref(&mut file).take(3).read_to_end(&mut mark)?;
    let (encoding, length) = match Encoding::for_bom(&mark) {
        Some((encoding, length)) => (Some(encoding), length),
        None => (None, 0),
    };
    file.seek(SeekFrom::Start(length as u64))?;
    Ok((file, encoding))
}

impl Lines {
    /// `encoding`: where the file does not say.
    pub(super) fn open(path: &Path, encoding: &'static Encoding) -> io::Result<Lines> {
        let (file, marked) = open(path)?;
        Ok(Lines {
            reader: BufReader::with_capacity(256 << 10, file),
            encoding: marked.unwrap_or(encoding),
            number: 0,
        })
    }

    /// The next line. Absent: there is none left.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        let Some(bytes) = self.bytes()? else {
            return Ok(None);
        };
        self.number += 1;
        let text = bytes.and_then(|bytes| {
            let text = self
                .encoding
                .decode_without_bom_handling_and_without_replacement(&bytes)
                .ok_or(NOT_OF_ENCODING)?;
            let text = text.strip_suffix('\n').unwrap_or(&text);
            Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
        });
        Ok(Some(Line {
            number: self.number,
            text,
        }))
    }

    /// The bytes of a line with its end; of one that is too long, none.
    fn bytes(&mut self) -> io::Result<Option<Result<Vec<u8>, &'static str>>> {
        // A line feed of one byte is part of no other character in any encoding but these two.
        let feed: &[u8] = match self.encoding {
            encoding if encoding == UTF_16LE => b"\n\0",
            encoding if encoding == UTF_16BE => b"\0\n",
            _ => b"\n",
        };
        let (mut line, mut length) = (Vec::new(), 0_u64);
        loop {
            let piece = self.reader.fill_buf()?;
            if piece.is_empty() {
                break;
            }
            let (taken, ended) = up_to_feed(piece, feed, &line, length);
            length += taken as u64;
            line.extend_from_slice(&piece[..taken]);
            self.reader.consume(taken);
            if ended {
                break;
            }
            if line.len() > LONGEST + feed.len() {
                // All that is needed of it is how it ends.
                line.drain(..line.len() - 1);
            }
        }
        let has_end = line.ends_with(feed) && length % feed.len() as u64 == 0;
        let own = length - if has_end { feed.len() as u64 } else { 0 };
        Ok(match length {
            0 => None,
            _ if own > LONGEST as u64 => Some(Err(TOO_LONG)),
            _ => Some(Ok(line)),
        })
    }
}

/// How many bytes of a piece belong to the line, and whether it ends there. `before`: the last
/// bytes of the line so far; `length`: how many it has.
fn up_to_feed(piece: &[u8], feed: &[u8], before: &[u8], length: u64) -> (usize, bool) {
    let &[first, second] = feed else {
        return match piece.iter().position(|byte| *byte == feed[0]) {
            Some(at) => (at + 1, true),
            None => (piece.len(), false),
        };
    };
    let mut previous = before.last().copied();
    for (at, byte) in piece.iter().enumerate() {
        let ends_unit = (length + at as u64) % 2 == 1;
        if ends_unit && *byte == second && previous == Some(first) {
            return (at + 1, true);
        }
        previous = Some(*byte);
    }
    (piece.len(), false)
}

/// A file as UTF-8, with the lines that were read of it counted.
pub(super) struct Utf8Reader {
    file: BufReader<File>,
    decoder: Decoder,
    text: Vec<u8>,
    used: usize,
    /// Line feeds that were read.
    pub(super) feeds: u64,
    /// The line of the first character that is no blank. Absent: none was read.
    pub(super) begun: Option<u64>,
    /// Bytes that may still be read before [`TOO_LONG`]. Absent: any number.
    pub(super) left: Option<usize>,
    /// Why it cannot be read on, where the file itself is to blame. Absent: it can.
    pub(super) broken: Option<&'static str>,
    ended: bool,
}

impl Utf8Reader {
    /// `encoding`: where the file does not say.
    pub(super) fn open(path: &Path, encoding: &'static Encoding) -> io::Result<Utf8Reader> {
        let (file, marked) = open(path)?;
        Ok(Utf8Reader {
            file: BufReader::with_capacity(64 << 10, file),
            decoder: marked
                .unwrap_or(encoding)
                .new_decoder_without_bom_handling(),
            text: Vec::new(),
            used: 0,
            feeds: 0,
            begun: None,
            left: None,
            broken: None,
            ended: false,
        })
    }

    /// Decodes a piece more.
    fn fill(&mut self) -> io::Result<()> {
        self.used = 0;
        self.text.clear();
        while self.text.is_empty() && !self.ended {
            let piece = self.file.fill_buf()?;
            let last = piece.is_empty();
            let most = self
                .decoder
                .max_utf8_buffer_length_without_replacement(piece.len());
            self.text.resize(most.unwrap_or(256 << 10), 0);
            let (result, read, written) =
                self.decoder
                    .decode_to_utf8_without_replacement(piece, &mut self.text, last);
            self.text.truncate(written);
            self.file.consume(read);
            if let DecoderResult::Malformed(..) = result {
                // What stands before it is given first.
                self.broken = Some(NOT_OF_ENCODING);
                self.ended = true;
            }
            self.ended |= last;
        }
        Ok(())
    }
}

impl Read for Utf8Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.used == self.text.len() && !self.ended {
            self.fill()?;
        }
        let mut count = buffer.len().min(self.text.len() - self.used);
        if count == 0 && !buffer.is_empty() && self.broken.is_some() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if let Some(left) = &mut self.left {
            if *left == 0 && count > 0 {
                self.broken = Some(TOO_LONG);
                return Err(io::ErrorKind::InvalidData.into());
            }
            count = count.min(*left);
            *left -= count;
        }
        let piece = &self.text[self.used..self.used + count];
        for byte in piece {
            if self.begun.is_none() && !byte.is_ascii_whitespace() {
                self.begun = Some(self.feeds + 1);
            }
            self.feeds += u64::from(*byte == b'\n');
        }
        buffer[..count].copy_from_slice(piece);
        self.used += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(bytes: &[u8], encoding: &str) -> Vec<Result<String, &'static str>> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a");
        std::fs::write(&path, bytes).expect("written");
        let encoding = Encoding::for_label(encoding.as_bytes()).expect("an encoding");
        let mut lines = Lines::open(&path, encoding).expect("opened");
        let mut all = Vec::new();
        while let Some(line) = lines.next().expect("read") {
            all.push(line.text);
            assert_eq!(line.number, all.len() as u64);
        }
        all
    }

    fn utf_16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn lines_end_with_a_line_feed_and_at_most_one_carriage_return() {
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(
            lines(b"a\r\nb\r\r\n\n\rc\rd", "utf-8"),
            [ok("a"), ok("b\r"), ok(""), ok("\rc\rd")]
        );
        assert!(lines(b"", "utf-8").is_empty());
    }

    #[test]
    fn bytes_that_are_not_of_the_encoding_cost_their_line_alone() {
        let read = lines(b"a\nb\xff\nc\n", "utf-8");
        assert_eq!(read, [Ok("a".into()), Err(NOT_OF_ENCODING), Ok("c".into())]);
        assert_eq!(
            lines(b"caf\xe9\x80", "windows-1252"),
            [Ok("caf\u{e9}\u{20ac}".into())]
        );
        // Half a surrogate pair, and half a unit at the end.
        let mut bytes = utf_16("a\n", u16::to_le_bytes);
        bytes.extend([0x00, 0xd8, b'\n', 0, b'b', 0, b'\n', 0, b'c']);
        assert_eq!(
            lines(&bytes, "utf-16le"),
            [
                Ok("a".into()),
                Err(NOT_OF_ENCODING),
                Ok("b".into()),
                Err(NOT_OF_ENCODING)
            ]
        );
    }

    #[test]
    fn a_byte_order_mark_is_dropped_and_goes_before_the_label() {
        let marked = [b"\xef\xbb\xbf".as_slice(), "\u{e9}\n".as_bytes()].concat();
        assert_eq!(lines(&marked, "windows-1252"), [Ok("\u{e9}".into())]);
        let wide = [
            b"\xfe\xff".as_slice(),
            &utf_16("x\u{10000}\r\ny", u16::to_be_bytes),
        ]
        .concat();
        assert_eq!(
            lines(&wide, "utf-8"),
            [Ok("x\u{10000}".into()), Ok("y".into())]
        );
        // U+0A00 and U+000A U+0100 hold the bytes of a line feed at another place.
        let hidden = utf_16("\u{a00}\u{100}a\u{a}b", u16::to_be_bytes);
        assert_eq!(lines(&hidden, "utf-16be").len(), 2);
    }

    #[test]
    fn a_line_of_16_mib_is_read_and_a_longer_one_passed_over_in_little_memory() {
        let mut bytes = vec![b'a'; LONGEST];
        bytes.extend(b"\nb\n");
        assert!(lines(&bytes, "utf-8")[0].is_ok());
        bytes.insert(0, b'a');
        assert_eq!(lines(&bytes, "utf-8"), [Err(TOO_LONG), Ok("b".into())]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_in_each_unicode_encoding(
            texts in proptest::collection::vec("[a\u{e9}\u{a00}\u{10000}\r ]{0,5}", 0..6),
        ) {
            let text: String = texts.iter().map(|text| format!("{text}\n")).collect();
            let wanted: Vec<_> = texts
                .iter()
                .map(|text| Ok(text.strip_suffix('\r').unwrap_or(text).to_owned()))
                .collect();
            prop_assert_eq!(&lines(text.as_bytes(), "utf-8"), &wanted);
            prop_assert_eq!(&lines(&utf_16(&text, u16::to_le_bytes), "utf-16le"), &wanted);
            prop_assert_eq!(&lines(&utf_16(&text, u16::to_be_bytes), "utf-16be"), &wanted);
        }

        #[test]
        fn any_bytes_are_lines_and_never_a_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            label in prop_oneof![Just("utf-8"), Just("utf-16le"), Just("utf-16be"), Just("gbk"),
                Just("iso-2022-jp")],
        ) {
            let feeds = bytes.iter().filter(|byte| **byte == b'\n').count();
            prop_assert!(lines(&bytes, label).len() <= feeds + 1);
        }
    }
}
