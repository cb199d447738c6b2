//! Bytes that are sound and yet not as a textbook has them, and bytes that are none.

use audio::Pcm;

use super::generated::RATE;
use crate::seed::Seed;

/// What a bucket answers where the object is gone.
pub(super) const JSON: &[u8] = b"{\"error\":\"not_found\",\"message\":\"the object you asked for is archived\",\"status\":404}\n";

/// An error page.
pub(super) const HTML: &[u8] = b"<!DOCTYPE html>\n<html><head><title>503 Service \
    Unavailable</title></head>\n<body><h1>Service Unavailable</h1><p>The archive is being \
    restored. Please try again later.</p></body></html>\n";

/// A header that gives no length, as a program writes that cannot seek back.
pub(super) fn length_unknown(mut wav: Vec<u8>) -> Vec<u8> {
    set(&mut wav, 4, u32::MAX);
    if let Some(at) = data_chunk(&wav) {
        set(&mut wav, at + 4, u32::MAX);
    }
    wav
}

/// Lengths of zero, as they stand in a header until a recorder comes to its end.
pub(super) fn length_never_filled_in(mut wav: Vec<u8>) -> Vec<u8> {
    set(&mut wav, 4, 0);
    if let Some(at) = data_chunk(&wav) {
        set(&mut wav, at + 4, 0);
    }
    wav
}

/// A header that promises some milliseconds more than there are: the recorder stopped before its
/// last block.
pub(super) fn length_too_long(mut wav: Vec<u8>) -> Vec<u8> {
    const MORE: u32 = 1000;
    grow(&mut wav, MORE);
    if let Some(at) = data_chunk(&wav) {
        let said = get(&wav, at + 4);
        set(&mut wav, at + 4, said.saturating_add(MORE));
    }
    wav
}

/// A chunk before the data; one of odd length is padded, and its padding counted in no length but
/// RIFF's.
pub(super) fn chunk_before_data(mut wav: Vec<u8>, name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let Some(at) = data_chunk(&wav) else {
        return wav;
    };
    let mut chunk = name.to_vec();
    chunk.extend((body.len() as u32).to_le_bytes());
    chunk.extend(body);
    if !body.len().is_multiple_of(2) {
        chunk.push(0);
    }
    grow(&mut wav, chunk.len() as u32);
    wav.splice(at..at, chunk);
    wav
}

/// A LIST of one INFO entry: who made the file.
pub(super) const LIST: &[u8] = b"INFOISFT\x0e\0\0\0Recorder 4.2\0\0";

/// Filled up to the next block of a tape or a file system.
pub(super) fn filled_up(mut bytes: Vec<u8>) -> Vec<u8> {
    const BLOCK: usize = 4096;
    let to = (bytes.len() / BLOCK + 1) * BLOCK;
    bytes.resize(to, 0);
    bytes
}

/// An ID3v2.3 tag with a title in front.
pub(super) fn with_id3(mp3: &[u8]) -> Vec<u8> {
    let title = b"\0Call 4711, archived";
    let mut frame = b"TIT2".to_vec();
    frame.extend((title.len() as u32).to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(title);
    let mut tag = b"ID3\x03\0\0\0\0\0".to_vec();
    // Seven bits a byte; the frame is shorter than 128.
    tag.push(frame.len() as u8);
    [&tag, &frame, mp3].concat()
}

/// Bytes that mean nothing.
pub(super) fn noise(seed: Seed, length: u64) -> Vec<u8> {
    (0..length.div_ceil(8))
        .flat_map(|k| seed.child("noise").index(k).value().to_be_bytes())
        .collect()
}

/// A WAV file with a codec everybody has and a header that names no channel.
pub(super) fn no_channels(seed: Seed) -> Vec<u8> {
    wav_of(seed, 1, 0)
}

/// A well-formed WAV file whose format tag (0x0130, Sipro ACELP) belongs to a codec without a
/// decoder.
pub(super) fn unknown_codec(seed: Seed) -> Vec<u8> {
    wav_of(seed, 0x0130, 1)
}

/// A WAV file of noise.
fn wav_of(seed: Seed, tag: u16, channels: u16) -> Vec<u8> {
    let data = noise(seed, 4000);
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    for field in [tag, channels] {
        bytes.extend(field.to_le_bytes());
    }
    for field in [RATE, 1067] {
        bytes.extend(field.to_le_bytes());
    }
    for field in [32_u16, 0] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend(b"data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes
}

/// The same sound with another number of channels.
pub(super) fn with_other_channels(pcm: &Pcm) -> Pcm {
    let channels = match pcm.channels.as_slice() {
        [one] => vec![one.clone(), one.clone()],
        more => more.iter().take(1).cloned().collect(),
    };
    Pcm {
        sample_rate: pcm.sample_rate,
        channels,
    }
}

/// Where the data chunk begins, its name included.
fn data_chunk(wav: &[u8]) -> Option<usize> {
    let mut at = 12;
    while wav.get(at..at + 8)?[..4] != *b"data" {
        let length = get(wav, at + 4) as usize;
        at += 8 + length + length % 2;
    }
    Some(at)
}

fn get(wav: &[u8], at: usize) -> u32 {
    wav.get(at..at + 4)
        .and_then(|four| four.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

fn set(wav: &mut [u8], at: usize, value: u32) {
    if let Some(four) = wav.get_mut(at..at + 4) {
        four.copy_from_slice(&value.to_le_bytes());
    }
}

/// RIFF's own length, that much more.
fn grow(wav: &mut [u8], by: u32) {
    let said = get(wav, 4);
    set(wav, 4, said.saturating_add(by));
}
