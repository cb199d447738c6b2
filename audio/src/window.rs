//! Any place of a source, with a bounded stretch of it in memory. Every reader reads through it, so
//! none can hold a file whole.

use std::io::{self, Read, Seek, SeekFrom};

/// What a recording can be read from: a file, a cursor over bytes, anything else that seeks.
/// `Send + Sync` because symphonia asks for it.
pub trait Source: Read + Seek + Send + Sync {}

impl<S: Read + Seek + Send + Sync + ?Sized> Source for S {}

/// Bytes read ahead. A second of any telephone codec at least, so that few reads are small; 1 MiB
/// was no faster.
const AHEAD_BYTES: usize = 256 * 1024;
/// Bytes kept before the place asked for: a search looks a few frames ahead and comes back, and
/// must not read anew each time.
const BACK_BYTES: u64 = 8 * 1024;

/// A view of a source, or of a part of it. Places count from the start of the view.
pub(crate) struct Window<'s> {
    source: Box<dyn Source + 's>,
    /// Where in the source the view starts.
    base: u64,
    length: u64,
    /// Where in the view the buffer starts.
    start: u64,
    buffer: Vec<u8>,
    /// From where to where zeros are known to stand; what follows is another byte or the end.
    zeros: Option<(u64, u64)>,
}

impl<'s> Window<'s> {
    /// The whole source, wherever it stands now.
    pub(crate) fn new(mut source: impl Source + 's) -> io::Result<Window<'s>> {
        let length = source.seek(SeekFrom::End(0))?;
        if length == 0 {
            // A folder may call itself empty; reading it tells.
            io::copy(&mut source.by_ref().take(1), &mut io::sink())?;
        }
        Ok(Window {
            source: Box::new(source),
            base: 0,
            length,
            start: 0,
            buffer: Vec::new(),
            zeros: None,
        })
    }

    /// The part of this view from `start`, at most `bytes` long.
    pub(crate) fn section(self, start: u64, bytes: u64) -> Window<'s> {
        let length = bytes.min(self.length.saturating_sub(start));
        Window {
            base: self.base + start,
            length,
            start: 0,
            buffer: Vec::new(),
            zeros: None,
            ..self
        }
    }

    /// Bytes in the view; less than it was at first if the source turned out to end earlier.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The source itself, standing where the view starts.
    pub(crate) fn into_source(mut self) -> io::Result<Box<dyn Source + 's>> {
        self.source.seek(SeekFrom::Start(self.base))?;
        Ok(self.source)
    }

    /// The `count` bytes at a place; fewer only where the view ends.
    pub(crate) fn at(&mut self, at: u64, count: usize) -> io::Result<&[u8]> {
        let end = at.saturating_add(count as u64).min(self.length);
        if at >= end {
            return Ok(&[]);
        }
        if at < self.start || end > self.start + self.buffer.len() as u64 {
            self.fill(at, count)?;
        }
        let there = self.buffer.len();
        let place = |position: u64| ((position - self.start) as usize).min(there);
        Ok(&self.buffer[place(at)..place(end)])
    }

    fn fill(&mut self, at: u64, count: usize) -> io::Result<()> {
        self.start = at.saturating_sub(BACK_BYTES);
        self.buffer.clear();
        let wanted =
            (at - self.start + count.max(AHEAD_BYTES) as u64).min(self.length - self.start);
        self.source.seek(SeekFrom::Start(self.base + self.start))?;
        self.source
            .by_ref()
            .take(wanted)
            .read_to_end(&mut self.buffer)?;
        if (self.buffer.len() as u64) < wanted {
            self.length = self.start + self.buffer.len() as u64;
        }
        Ok(())
    }

    /// Whether nothing but zeros follows; true at the end. A stretch of zeros is walked once,
    /// however often it is asked for.
    pub(crate) fn only_zeros_from(&mut self, at: u64) -> io::Result<bool> {
        if let Some((from, to)) = self.zeros
            && (from..=to).contains(&at)
        {
            return Ok(to >= self.length);
        }
        let mut to = at;
        loop {
            let piece = self.at(to, AHEAD_BYTES)?;
            let zeros = piece
                .iter()
                .position(|&byte| byte != 0)
                .unwrap_or(piece.len());
            let walked = zeros == piece.len() && zeros > 0;
            to += zeros as u64;
            if !walked {
                break;
            }
        }
        self.zeros = Some((at, to));
        Ok(to >= self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn every_place_reads_the_same_forward_and_back() {
        let bytes: Vec<u8> = (0..1_000_000u32).map(|index| (index % 251) as u8).collect();
        let mut window = Window::new(Cursor::new(&bytes))
            .expect("opens")
            .section(10, 900_000);
        for at in [
            0u64,
            300_000,
            299_000,
            5,
            899_990,
            640_000,
            899_999,
            900_000,
            u64::MAX,
        ] {
            let from = (10 + at.min(900_000)) as usize;
            let to = (from + 40).min(900_010);
            assert_eq!(
                window.at(at, 40).expect("reads"),
                &bytes[from..to],
                "at {at}"
            );
        }
        assert_eq!(window.at(7, 600_000).expect("reads"), &bytes[17..600_017]);
    }

    #[test]
    fn zeros_count_only_up_to_the_end() {
        let mut bytes = vec![0u8; 700_000];
        bytes[600_000] = 1;
        let mut window = Window::new(Cursor::new(&bytes)).expect("opens");
        let answers = [0, 599_999, 600_000, 600_001, 700_000]
            .map(|at| window.only_zeros_from(at).expect("reads"));
        assert_eq!(answers, [false, false, false, true, true]);
    }
}
