//! Lines of a file in any encoding, in bounded memory.

use std::io::{self, BufRead, Read};

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// The longest line or JSON document that is read. No call's metadata is a hundredth of it; what is
/// longer is no line, and memory is bounded by it. Bytes.
pub(super) const LONGEST: usize = 16 * 1024 * 1024;

/// A line without its end; the error says why it cannot be read.
pub(super) type Line = Result<String, String>;

/// Reads lines one by one.
pub(super) struct Lines<R> {
    reader: R,
    encoding: &'static Encoding,
    /// Lines read so far.
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// A byte-order mark goes before the encoding that is expected.
    pub(super) fn new(mut reader: R, expected: &'static Encoding) -> io::Result<Lines<R>> {
        let encoding = take_mark(&mut reader)?.unwrap_or(expected);
        Ok(Lines {
            reader,
            encoding,
            number: 0,
        })
    }

    /// The next line with its number, counted from 1. `None`: there is none.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Line)>> {
        let mut bytes = Vec::new();
        let is_wide = self.encoding == UTF_16LE || self.encoding == UTF_16BE;
        let (found, too_long) = if is_wide {
            self.wide_line(&mut bytes)?
        } else {
            self.plain_line(&mut bytes)?
        };
        if !found {
            return Ok(None);
        }
        self.number += 1;
        let line = if too_long {
            Err(format!("longer than {} MiB", LONGEST / (1024 * 1024)))
        } else {
            decoded(&bytes, self.encoding)
        };
        Ok(Some((self.number, line)))
    }

    /// Whether there was a line, and whether it was too long to keep.
    fn plain_line(&mut self, line: &mut Vec<u8>) -> io::Result<(bool, bool)> {
        let (mut found, mut too_long) = (false, false);
        loop {
            let piece = self.reader.fill_buf()?;
            if piece.is_empty() {
                return Ok((found, too_long));
            }
            found = true;
            let end = piece.iter().position(|byte| *byte == b'\n');
            let taken = &piece[..end.unwrap_or(piece.len())];
            if line.len() + taken.len() > LONGEST {
                too_long = true;
            } else {
                line.extend_from_slice(taken);
            }
            let used = end.map_or(piece.len(), |end| end + 1);
            self.reader.consume(used);
            if end.is_some() {
                return Ok((true, too_long));
            }
        }
    }

    fn wide_line(&mut self, line: &mut Vec<u8>) -> io::Result<(bool, bool)> {
        let end: [u8; 2] = if self.encoding == UTF_16LE {
            [b'\n', 0]
        } else {
            [0, b'\n']
        };
        let (mut found, mut too_long) = (false, false);
        loop {
            let mut unit = [0; 2];
            let count = read_up_to(&mut self.reader, &mut unit)?;
            if count == 0 {
                return Ok((found, too_long));
            }
            found = true;
            if unit == end && count == 2 {
                return Ok((true, too_long));
            }
            if line.len() + count > LONGEST {
                too_long = true;
            } else {
                line.extend_from_slice(&unit[..count]);
            }
        }
    }
}

fn read_up_to(reader: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while count < bytes.len() {
        match reader.read(&mut bytes[count..]) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

/// Takes a byte-order mark off, and says which encoding it means.
fn take_mark(reader: &mut impl BufRead) -> io::Result<Option<&'static Encoding>> {
    // A first piece that is shorter than a mark has none: buffers hold thousands of bytes.
    let Some((encoding, length)) = Encoding::for_bom(reader.fill_buf()?) else {
        return Ok(None);
    };
    reader.consume(length);
    Ok(Some(encoding))
}

fn decoded(bytes: &[u8], encoding: &'static Encoding) -> Line {
    let bad = |at: Option<usize>| {
        let at = at.map_or(String::new(), |at| format!(" at byte {}", at + 1));
        format!("has bytes that are not {}{at}", encoding.name())
    };
    if encoding == UTF_8 {
        return match std::str::from_utf8(bytes) {
            Ok(text) => Ok(trimmed(text)),
            Err(error) => Err(bad(Some(error.valid_up_to()))),
        };
    }
    encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .map(|text| trimmed(&text))
        .ok_or_else(|| bad(None))
}

fn trimmed(line: &str) -> String {
    line.strip_suffix('\r').unwrap_or(line).to_owned()
}

/// A whole file as UTF-8, as a stream. Bytes that are not of its encoding end it with an error.
pub(super) struct Utf8<R> {
    reader: R,
    /// Absent: it is UTF-8 as it is.
    decoder: Option<encoding_rs::Decoder>,
    /// Decoded and not handed out.
    ready: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: BufRead> Utf8<R> {
    pub(super) fn new(mut reader: R, expected: &'static Encoding) -> io::Result<Utf8<R>> {
        let encoding = take_mark(&mut reader)?.unwrap_or(expected);
        let decoder = (encoding != UTF_8).then(|| encoding.new_decoder_without_bom_handling());
        Ok(Utf8 {
            reader,
            decoder,
            ready: Vec::new(),
            at: 0,
            ended: false,
        })
    }
}

impl<R: BufRead> Read for Utf8<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(decoder) = &mut self.decoder else {
            return self.reader.read(out);
        };
        while self.at == self.ready.len() && !self.ended {
            let piece = self.reader.fill_buf()?;
            let (used, last) = (piece.len(), piece.is_empty());
            let mut text = String::with_capacity(
                decoder
                    .max_utf8_buffer_length_without_replacement(used)
                    .unwrap_or(4 * used + 16),
            );
            let (result, _) = decoder.decode_to_string_without_replacement(piece, &mut text, last);
            if matches!(result, encoding_rs::DecoderResult::Malformed(..)) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("bytes that are not {}", decoder.encoding().name()),
                ));
            }
            self.reader.consume(used);
            self.ended = last;
            (self.ready, self.at) = (text.into_bytes(), 0);
        }
        let count = out.len().min(self.ready.len() - self.at);
        out[..count].copy_from_slice(&self.ready[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], encoding: &'static Encoding) -> Vec<(u64, Line)> {
        let mut lines = Lines::new(io::BufReader::new(bytes), encoding).expect("read");
        std::iter::from_fn(|| lines.next().expect("read")).collect()
    }

    #[test]
    fn lines_are_read_in_every_encoding_and_a_bad_one_alone_is_bad() {
        let wide = |text: &str, to: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(to).collect()
        };
        let text = "a;é\r\nb;ü\n\nc";
        let mut marked = vec![0xff, 0xfe];
        marked.extend(wide(text, u16::to_le_bytes));
        let rows: [(Vec<u8>, &'static Encoding); 5] = [
            (text.as_bytes().to_vec(), UTF_8),
            (format!("\u{feff}{text}").into_bytes(), UTF_8),
            (marked, UTF_8),
            (wide(text, u16::to_be_bytes), UTF_16BE),
            (b"a;\xe9\r\nb;\xfc\n\nc".to_vec(), encoding_rs::WINDOWS_1252),
        ];
        for (bytes, encoding) in rows {
            let lines: Vec<(u64, String)> = all(&bytes, encoding)
                .into_iter()
                .map(|(number, line)| (number, line.expect("a line")))
                .collect();
            let wanted = [(1, "a;é"), (2, "b;ü"), (3, ""), (4, "c")]
                .map(|(number, line)| (number, line.to_owned()));
            assert_eq!(lines, wanted, "{}", encoding.name());
            let mut whole = String::new();
            Utf8::new(io::BufReader::new(&bytes[..]), encoding)
                .expect("read")
                .read_to_string(&mut whole)
                .expect("read");
            assert_eq!(whole, text, "{}", encoding.name());
        }
        let lines = all(b"a\nb\xe9\nc", UTF_8);
        assert_eq!(
            lines[1].1,
            Err("has bytes that are not UTF-8 at byte 2".to_owned())
        );
        assert_eq!(lines[2], (3, Ok("c".to_owned())));
        let lines = all(&[vec![b'x'; LONGEST + 1], b"\ny".to_vec()].concat(), UTF_8);
        assert!(lines[0].1.as_ref().is_err_and(|why| why.contains("16 MiB")));
        assert_eq!(lines[1], (2, Ok("y".to_owned())));
    }
}
