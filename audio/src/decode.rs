//! From bytes to samples: decides what a file is by its content and hands it to the right reader.

use crate::blocks::{BlockReader, Need, Progress};
use crate::ffmpeg::{self, Ffmpeg};
use crate::foreign::{self, Foreign};
use crate::format::{AudioError, Container, Head, Probe};
use crate::pcm::Pcm;
use crate::window::{Source, Window};
use crate::{amr, gsm, headers, mp3, ogg, other, sniff, wav, webm};
use std::fs::File;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Enough for any decision by content: three AAC headers (8 KiB each at most), and what [`sniff`]
/// looks at.
const HEAD_BYTES: usize = 64 * 1024;

/// Says what the bytes are, by content only. Equal to the first half of [`decode`]'s answer.
///
/// # Errors
///
/// Where [`decode`] fails.
pub fn probe(bytes: &[u8]) -> Result<Probe, AudioError> {
    Decoder::new(Cursor::new(bytes))?.finish()
}

/// Decodes the bytes. What is broken is left out or silent and named in [`Probe::damage`]. Any
/// input is safe: it never panics, and the samples stay below 16 MiB + 1024 bytes a byte of input.
///
/// # Errors
///
/// Nothing at all can be decoded: there are no samples, it is no audio, or there is no reader for
/// it here ([`AudioError`]).
pub fn decode(bytes: &[u8]) -> Result<(Probe, Pcm), AudioError> {
    Decoder::new(Cursor::new(bytes))?.gather()
}

/// The same as [`decode`], with ffmpeg for what has no reader here, where that may be used.
///
/// # Errors
///
/// As [`decode`]; also where ffmpeg is not there or cannot decode it either.
pub fn decode_with(bytes: &[u8], ffmpeg: Ffmpeg) -> Result<(Probe, Pcm), AudioError> {
    Decoder::open(Cursor::new(bytes), ffmpeg)?.gather()
}

/// [`probe`] for a file, which is never in memory as a whole.
///
/// # Errors
///
/// The file cannot be read ([`AudioError::Io`]), or as [`probe`].
pub fn probe_file(path: impl AsRef<Path>) -> Result<Probe, AudioError> {
    Decoder::new(File::open(path)?)?.finish()
}

/// [`decode`] for a file. Its samples are in memory, its bytes are not.
///
/// # Errors
///
/// The file cannot be read ([`AudioError::Io`]), or as [`decode`].
pub fn decode_file(path: impl AsRef<Path>) -> Result<(Probe, Pcm), AudioError> {
    Decoder::new(File::open(path)?)?.gather()
}

/// Reads a recording block by block, in bounded memory whatever its length: a quarter of a mebibyte
/// of input and the block made of a part of it. Same answers and same safety as [`decode`].
pub struct Decoder<'s> {
    reader: Box<dyn BlockReader + 's>,
    head: Head,
    block: Pcm,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Ended,
    Failed,
}

impl<'s> Decoder<'s> {
    /// The same as [`Decoder::new`], and what has no reader here is decoded by ffmpeg where that
    /// may be used: in a process of its own, bounded in time and output and ended with this.
    ///
    /// # Errors
    ///
    /// As [`Decoder::new`]; also where ffmpeg is not there or cannot decode it either.
    pub fn open(mut source: impl Source + 's, ffmpeg: Ffmpeg) -> Result<Decoder<'s>, AudioError> {
        let unsupported = match ffmpeg {
            Ffmpeg::Auto => unsupported(&mut source)?,
            Ffmpeg::Never => None,
        };
        if let Some((what, foreign)) = unsupported {
            let lost = foreign::lost(&mut Window::new(&mut source)?, foreign)?;
            return Decoder::around(ffmpeg::open(source, foreign, &what, lost)?);
        }
        Decoder::new(source)
    }

    /// Opens a recording. The source is read from its first byte, wherever it stands.
    ///
    /// # Errors
    ///
    /// The source cannot be read ([`AudioError::Io`]), or as [`decode`], as far as the start tells.
    pub fn new(source: impl Source + 's) -> Result<Decoder<'s>, AudioError> {
        Decoder::around(guarded(|| open(Window::new(source)?))?)
    }

    fn around(reader: Box<dyn BlockReader + 's>) -> Result<Decoder<'s>, AudioError> {
        let head = reader.head();
        let block = Pcm {
            sample_rate: head.sample_rate,
            channels: Vec::new(),
        };
        let decoder = Decoder {
            reader,
            head,
            block,
            state: State::Open,
        };
        // Only once in a while is nothing known until samples came, and then none came.
        if head.channels == 0 {
            Err(no_samples(&decoder.ending()))
        } else {
            Ok(decoder)
        }
    }

    /// What is known from the start.
    pub fn head(&self) -> Head {
        self.head
    }

    /// The next samples, in the order of time, as many as it suits the format; never an empty
    /// block. `None` after the last. The block may be changed in place; the next call takes it
    /// back.
    ///
    /// # Errors
    ///
    /// The source cannot be read ([`AudioError::Io`]), or what comes next cannot be decoded at all.
    /// After an error every call fails.
    pub fn next_block(&mut self) -> Result<Option<&mut Pcm>, AudioError> {
        while self.state != State::Ended {
            self.advance(Need::Samples)?;
            if self.block.samples() > 0 {
                return Ok(Some(&mut self.block));
            }
        }
        Ok(None)
    }

    /// Reads on to the end without decoding more than counting takes, and says what the file is as
    /// a whole.
    ///
    /// # Errors
    ///
    /// [`AudioError::Empty`] or [`AudioError::Undecodable`] where there was not a single sample,
    /// and as [`Decoder::next_block`].
    pub fn finish(mut self) -> Result<Probe, AudioError> {
        while self.state != State::Ended {
            self.advance(Need::Count)?;
        }
        let probe = self.ending();
        if probe.samples == 0 {
            Err(no_samples(&probe))
        } else {
            Ok(probe)
        }
    }

    fn gather(mut self) -> Result<(Probe, Pcm), AudioError> {
        let head = self.head;
        let mut pcm = Pcm {
            sample_rate: head.sample_rate,
            channels: vec![Vec::new(); head.channels.into()],
        };
        while let Some(block) = self.next_block()? {
            pcm.channels
                .iter_mut()
                .zip(&block.channels)
                .for_each(|(all, more)| all.extend_from_slice(more));
        }
        Ok((self.finish()?, pcm))
    }

    fn advance(&mut self, need: Need) -> Result<(), AudioError> {
        if self.state == State::Failed {
            return Err(AudioError::undecodable("reading it has failed before"));
        }
        self.block.sample_rate = self.head.sample_rate;
        self.block
            .channels
            .resize_with(self.head.channels.into(), Vec::new);
        self.block.channels.iter_mut().for_each(Vec::clear);
        self.state = State::Failed;
        self.state = match guarded(|| self.reader.read(need, &mut self.block.channels))? {
            Progress::More => State::Open,
            Progress::Ended => State::Ended,
        };
        Ok(())
    }

    fn ending(self) -> Probe {
        let Head {
            container,
            codec,
            channels,
            sample_rate,
        } = self.head;
        let (samples, damage) = self.reader.ending();
        Probe {
            container,
            codec,
            channels,
            sample_rate,
            samples,
            damage,
        }
    }
}

/// What the source is in words, and what ffmpeg is asked to make of it, where there is no reader
/// here.
fn unsupported(source: &mut impl Source) -> Result<Option<(String, Foreign)>, AudioError> {
    let what = match Decoder::new(&mut *source) {
        Err(AudioError::Unsupported { what }) => what,
        Ok(_) | Err(_) => return Ok(None),
    };
    let foreign = foreign::of(&mut Window::new(source)?)?;
    Ok(foreign.map(|foreign| (what, foreign)))
}

fn open(mut window: Window<'_>) -> Result<Box<dyn BlockReader + '_>, AudioError> {
    let head = window.at(0, HEAD_BYTES)?.to_vec();
    if head.is_empty() {
        Err(AudioError::Empty)
    } else if wav::looks_wav(&head) {
        wav::open(window)
    } else if head.starts_with(amr::MAGIC) {
        Ok(Box::new(amr::Reader::new(window)))
    } else if let Some(name) = foreign::name(&head) {
        Err(AudioError::unsupported(name))
    } else if let Some(container) = headers::container(&head) {
        headers::open(window, container)
    } else if webm::looks_webm(&head) {
        webm::open(window)
    } else if ogg::looks_opus(&head) {
        ogg::open(window)
    } else if let Some(name) = other::ogg_codec(&head) {
        Err(AudioError::unsupported(format!("{name} in Ogg")))
    } else if let Some(container) = other::container(&head) {
        other::open(window, container)
    } else if gsm::looks_raw(&head) {
        Ok(Box::new(gsm::RawReader::new(window)))
    } else if mp3::looks_mp3(&mut window)? {
        Ok(Box::new(mp3::Reader::open(window, Container::Mp3)?))
    } else {
        Err(unreadable(&head))
    }
}

/// The start of a file we would have read, cut too short to read, is not called something else.
fn unreadable(head: &[u8]) -> AudioError {
    if head.starts_with(b"RIFF") {
        AudioError::undecodable("a RIFF file that is not WAVE, or cut inside its first 12 bytes")
    } else if head.starts_with(b"ID3") {
        AudioError::undecodable("an ID3 tag without MPEG audio frames after it")
    } else {
        AudioError::NotAudio {
            looks_like: sniff::looks_like(head),
        }
    }
}

/// Runs a reader so that a panic inside a decoder crate is an answer about the file, not the end of
/// the run. The decoders are young; the fuzz tests find none today, and a recording must not be
/// able to stop a migration tomorrow. After a panic nothing is asked of the reader again, so no
/// state can be seen half changed.
fn guarded<T>(reader: impl FnOnce() -> Result<T, AudioError>) -> Result<T, AudioError> {
    catch_unwind(AssertUnwindSafe(reader)).unwrap_or_else(|_| {
        Err(AudioError::undecodable(
            "the decoder failed on it; report this file",
        ))
    })
}

fn no_samples(probe: &Probe) -> AudioError {
    match (probe.container, probe.damage.first()) {
        // A header and nothing after it is a recorder that never got sound.
        (Container::Wav | Container::AmrFile, None) => AudioError::Empty,
        (_, Some(damage)) => AudioError::undecodable(damage.what.clone()),
        (_, None) => AudioError::Empty,
    }
}
