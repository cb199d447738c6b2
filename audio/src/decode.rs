//! From bytes to samples: decides what a file is by its content and hands it to the right reader.

use crate::format::{AudioError, Container, Probe};
use crate::pcm::Pcm;
use crate::{amr, gsm, mp3, other, sniff, wav};
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Says what the bytes are, by content only. Equal to the first half of [`decode`]'s answer, and fails when that fails.
pub fn probe(bytes: &[u8]) -> Result<Probe, AudioError> {
    read(bytes, false).map(|(probe, _)| probe)
}

/// Decodes the bytes. What is broken is left out or silent and named in [`Probe::damage`]; nothing decodable at all is an
/// error. Any input is safe: it never panics, and the samples stay below 16 MiB + 1024 bytes a byte of input.
pub fn decode(bytes: &[u8]) -> Result<(Probe, Pcm), AudioError> {
    read(bytes, true)
}

/// [`probe`] for a file. A WAV file is read in pieces; the others, being compressed, are read whole.
pub fn probe_file(path: impl AsRef<Path>) -> Result<Probe, AudioError> {
    read_file(path.as_ref(), false).map(|(probe, _)| probe)
}

/// [`decode`] for a file. A WAV file is read in pieces; the others, being compressed, are read whole.
pub fn decode_file(path: impl AsRef<Path>) -> Result<(Probe, Pcm), AudioError> {
    read_file(path.as_ref(), true)
}

fn read_file(path: &Path, keep: bool) -> Result<(Probe, Pcm), AudioError> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut file = BufReader::new(file);
    let mut head = Vec::new();
    file.by_ref().take(12).read_to_end(&mut head)?;
    if wav::looks_wav(&head) {
        return guarded(|| wav::decode(&mut file, length, keep));
    }
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    read(&bytes, keep)
}

fn read(bytes: &[u8], keep: bool) -> Result<(Probe, Pcm), AudioError> {
    if bytes.is_empty() {
        return Err(AudioError::Empty);
    }
    guarded(|| dispatch(bytes, keep))
}

fn dispatch(bytes: &[u8], keep: bool) -> Result<(Probe, Pcm), AudioError> {
    if wav::looks_wav(bytes) {
        wav::decode(&mut Cursor::new(bytes), bytes.len() as u64, keep)
    } else if bytes.starts_with(amr::MAGIC) {
        amr::decode(bytes, keep)
    } else if bytes.starts_with(b"#!AMR") {
        Err(AudioError::unsupported("AMR wide band or with several channels"))
    } else if let Some(container) = other::container(bytes) {
        other::decode(bytes, container)
    } else if gsm::looks_raw(bytes) {
        gsm::decode_raw(bytes, keep)
    } else if mp3::looks_mp3(bytes) {
        mp3::decode(bytes)
    } else {
        Err(unreadable(bytes))
    }
}

/// The start of a file we would have read, cut too short to read, is not called something else.
fn unreadable(bytes: &[u8]) -> AudioError {
    if bytes.starts_with(b"RIFF") {
        AudioError::undecodable("a RIFF file that is not WAVE, or cut inside its first 12 bytes")
    } else if bytes.starts_with(b"ID3") {
        AudioError::undecodable("an ID3 tag without MPEG audio frames after it")
    } else {
        AudioError::NotAudio { looks_like: sniff::looks_like(bytes) }
    }
}

/// Runs a reader so that a panic inside a decoder crate is an answer about the file, not the end of the run. The decoders
/// are young; the fuzz tests find none today, and a recording must not be able to stop a migration tomorrow. Nothing
/// outlives the closure, so no state can be left half changed.
fn guarded(reader: impl FnOnce() -> Result<(Probe, Pcm), AudioError>) -> Result<(Probe, Pcm), AudioError> {
    let (probe, pcm) = catch_unwind(AssertUnwindSafe(reader))
        .unwrap_or_else(|_| Err(AudioError::undecodable("the decoder failed on it; report this file")))?;
    if probe.samples == 0 || probe.channels == 0 {
        return Err(no_samples(&probe));
    }
    Ok((probe, pcm))
}

fn no_samples(probe: &Probe) -> AudioError {
    match (probe.container, probe.damage.first()) {
        // A header and nothing after it is a recorder that never got sound.
        (Container::Wav | Container::AmrFile, None) => AudioError::Empty,
        (_, Some(damage)) => AudioError::undecodable(damage.what.clone()),
        (_, None) => AudioError::Empty,
    }
}
