//! RIFF WAVE, reading: any order of chunks, sizes that lie, and data that ends early.
//!
//! Reads through `Read + Seek` a megabyte at a time, so a recording of a gigabyte is never in memory twice. Written here
//! rather than taken from symphonia because damage has to be located and `fact` honoured.

use crate::format::{AudioError, Codec, Container, DamageLog, Probe};
use crate::pcm::{Pcm, at_ms};
use crate::{g711, gsm, ima, mp3, ms_adpcm};
use std::io::{Read, Seek, SeekFrom};

/// Bytes read at a time.
const READ_BYTES: usize = 1 << 20;
/// More chunks than any recorder writes; stops a file made of empty chunks.
const MOST_CHUNKS: usize = 4096;
/// The longest `fmt ` body worth reading; the longest known is under 100 bytes.
const MOST_FMT_BYTES: u64 = 1024;
/// Length that says "not known yet", written by programs that stream to a pipe.
const STREAMED: u64 = u32::MAX as u64;

/// True when the bytes open a RIFF WAVE file (or its 64-bit form).
pub(crate) fn looks_wav(bytes: &[u8]) -> bool {
    bytes.len() >= 12 && (bytes.starts_with(b"RIFF") || bytes.starts_with(b"RF64")) && &bytes[8..12] == b"WAVE"
}

/// Decodes a WAV file of `length` bytes; `keep` false only counts.
pub(crate) fn decode<R: Read + Seek>(reader: &mut R, length: u64, keep: bool) -> Result<(Probe, Pcm), AudioError> {
    let layout = Layout::read(reader, length)?;
    let format = Format::parse(&layout.fmt)?;
    reader.seek(SeekFrom::Start(layout.data_start))?;
    let mut data = reader.take(layout.data_bytes);
    if format.coding == Coding::Mp3 {
        let mut stream = Vec::new();
        data.read_to_end(&mut stream)?;
        let (probe, pcm) = mp3::decode(&stream)?;
        return Ok((Probe { container: Container::Wav, ..probe }, pcm));
    }
    Body { format, keep, damage: DamageLog::default() }.decode(&mut data, &layout)
}

/// Where things are.
struct Layout {
    fmt: Vec<u8>,
    fact: Option<u64>,
    data_start: u64,
    /// What is there.
    data_bytes: u64,
    /// What the header says.
    declared_bytes: u64,
}

impl Layout {
    fn read<R: Read + Seek>(reader: &mut R, length: u64) -> Result<Layout, AudioError> {
        let (mut fmt, mut fact, mut data64) = (None, None, None);
        let mut at = 12u64;
        for _ in 0..MOST_CHUNKS {
            let mut head = [0; 8];
            if at + 8 > length {
                return Err(AudioError::undecodable("a WAV file without a data chunk"));
            }
            reader.seek(SeekFrom::Start(at))?;
            reader.read_exact(&mut head)?;
            let size = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
            let body = at + 8;
            let there = size.min(length - body);
            match &head[..4] {
                b"data" => {
                    let fmt = fmt.ok_or_else(|| AudioError::undecodable("a WAV file with data before its format"))?;
                    let declared_bytes = if size == STREAMED { data64.unwrap_or(length - body) } else { size };
                    let data_bytes = declared_bytes.min(length - body);
                    return Ok(Layout { fmt, fact, data_start: body, data_bytes, declared_bytes });
                }
                b"fmt " => fmt = Some(read_bytes(reader, there.min(MOST_FMT_BYTES))?),
                b"fact" => fact = number(&read_bytes(reader, there.min(4))?),
                b"ds64" => data64 = number(read_bytes(reader, there.min(16))?.get(8..).unwrap_or(&[])),
                _ => {}
            }
            at = body + size + size % 2;
        }
        Err(AudioError::undecodable("a WAV file with thousands of chunks and no data"))
    }
}

fn read_bytes<R: Read>(reader: &mut R, count: u64) -> Result<Vec<u8>, AudioError> {
    let mut out = Vec::new();
    reader.take(count).read_to_end(&mut out)?;
    Ok(out)
}

/// A little-endian number of 4 or 8 bytes.
fn number(bytes: &[u8]) -> Option<u64> {
    match *bytes {
        [a, b, c, d] => Some(u64::from(u32::from_le_bytes([a, b, c, d]))),
        [a, b, c, d, e, f, g, h] => Some(u64::from_le_bytes([a, b, c, d, e, f, g, h])),
        _ => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Pcm16,
    Pcm8,
    Mulaw,
    Alaw,
    Ima,
    Ms,
    Gsm,
    Mp3,
}

struct Format {
    coding: Coding,
    channels: usize,
    sample_rate: u32,
    block_bytes: usize,
    coefficients: Vec<(i32, i32)>,
}

impl Format {
    fn parse(fmt: &[u8]) -> Result<Format, AudioError> {
        if fmt.len() < 16 {
            return Err(AudioError::undecodable("a WAV format chunk of less than 16 bytes"));
        }
        let word = |at: usize| u16::from_le_bytes([fmt[at], fmt[at + 1]]);
        // The extensible form keeps the real tag in the first bytes of its subformat.
        let tag = if word(0) == 0xFFFE && fmt.len() >= 26 { word(24) } else { word(0) };
        let (channels, bits, block) = (usize::from(word(2)), word(14), usize::from(word(12)));
        let sample_rate = u32::from_le_bytes([fmt[4], fmt[5], fmt[6], fmt[7]]);
        // 32 channels and 768 kHz are beyond any recorder; a header that claims more is noise.
        if !(1..=32).contains(&channels) || !(1..=768_000).contains(&sample_rate) {
            let what = format!("a WAV header with {channels} channels at {sample_rate} Hz");
            return Err(AudioError::undecodable(what));
        }
        let (coding, block_bytes) = match (tag, bits) {
            (1, 16) => (Coding::Pcm16, 2 * channels),
            (1, 8) => (Coding::Pcm8, channels),
            (6, _) => (Coding::Alaw, channels),
            (7, _) => (Coding::Mulaw, channels),
            (0x11, _) => (Coding::Ima, block),
            (2, _) => (Coding::Ms, block),
            (0x31, _) => (Coding::Gsm, gsm::PAIR_BYTES),
            (0x55, _) => (Coding::Mp3, 1),
            (tag, bits) => {
                return Err(AudioError::unsupported(format!("WAV format tag {tag:#06x} with {bits} bits")));
            }
        };
        let format = Format { coding, channels, sample_rate, block_bytes, coefficients: coefficients(coding, fmt) };
        if coding == Coding::Gsm && channels != 1 {
            return Err(AudioError::undecodable(format!("GSM in WAV with {channels} channels")));
        }
        if format.samples_in(block_bytes) == 0 {
            return Err(AudioError::undecodable(format!("WAV blocks of {block_bytes} bytes hold no sample")));
        }
        Ok(format)
    }

    fn codec(&self) -> Codec {
        match self.coding {
            Coding::Pcm16 => Codec::PcmS16,
            Coding::Pcm8 => Codec::PcmU8,
            Coding::Mulaw => Codec::Mulaw,
            Coding::Alaw => Codec::Alaw,
            Coding::Ima => Codec::ImaAdpcm,
            Coding::Ms => Codec::MsAdpcm,
            Coding::Gsm => Codec::GsmWav49,
            Coding::Mp3 => Codec::Mp3,
        }
    }

    /// Samples per channel in the first `bytes` of a block.
    fn samples_in(&self, bytes: usize) -> usize {
        match self.coding {
            Coding::Pcm16 => bytes / 2 / self.channels,
            Coding::Pcm8 | Coding::Mulaw | Coding::Alaw => bytes / self.channels,
            Coding::Ima => ima::samples_in(bytes, self.channels),
            Coding::Ms => ms_adpcm::samples_in(bytes, self.channels),
            Coding::Gsm => bytes / gsm::PAIR_BYTES * gsm::PAIR_SAMPLES,
            Coding::Mp3 => 1,
        }
    }

    /// The codecs of fixed blocks pad the last one; only there may `fact` take samples away.
    fn is_blocked(&self) -> bool {
        matches!(self.coding, Coding::Ima | Coding::Ms | Coding::Gsm)
    }
}

/// Predictors declared by a Microsoft ADPCM header; the usual seven when it declares none.
fn coefficients(coding: Coding, fmt: &[u8]) -> Vec<(i32, i32)> {
    let declared = match (coding, fmt.get(20..22)) {
        (Coding::Ms, Some(count)) => usize::from(u16::from_le_bytes([count[0], count[1]])),
        _ => 0,
    };
    let pair = |four: &[u8]| {
        let first = i16::from_le_bytes([four[0], four[1]]);
        let second = i16::from_le_bytes([four[2], four[3]]);
        (i32::from(first), i32::from(second))
    };
    let listed: Vec<_> = fmt.get(22..).unwrap_or(&[]).chunks_exact(4).take(declared).map(pair).collect();
    if listed.is_empty() { ms_adpcm::COEFFICIENTS.to_vec() } else { listed }
}

struct Body {
    format: Format,
    keep: bool,
    damage: DamageLog,
}

impl Body {
    fn decode<R: Read>(mut self, data: &mut R, layout: &Layout) -> Result<(Probe, Pcm), AudioError> {
        let mut out = vec![Vec::new(); self.format.channels];
        let mut samples = 0u64;
        let mut pairs = gsm::PairDecoder::default();
        let block = self.format.block_bytes;
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            let wanted = (READ_BYTES / block).max(1) * block;
            data.take(wanted as u64).read_to_end(&mut buffer)?;
            if buffer.is_empty() {
                break;
            }
            self.blocks(&buffer, samples, &mut pairs, &mut out);
            let whole = buffer.len() / block * self.format.samples_in(block);
            samples += (whole + self.format.samples_in(buffer.len() % block)) as u64;
        }
        let samples = self.trim(samples, layout, &mut out);
        self.note_ends(samples, layout);
        let rate = self.format.sample_rate;
        let probe = Probe {
            container: Container::Wav,
            codec: self.format.codec(),
            channels: self.format.channels as u16,
            sample_rate: rate,
            samples,
            damage: self.damage.into_vec(),
        };
        Ok((probe, Pcm { sample_rate: rate, channels: out }))
    }

    /// Decodes whole blocks and perhaps a cut one at the end; `before` samples came earlier.
    fn blocks(&mut self, bytes: &[u8], before: u64, pairs: &mut gsm::PairDecoder, out: &mut [Vec<i16>]) {
        let size = self.format.block_bytes;
        let per_block = self.format.samples_in(size) as u64;
        match self.format.coding {
            Coding::Pcm16 if self.keep => linear16(bytes, out),
            Coding::Pcm8 if self.keep => single(bytes, out, |byte| (i16::from(byte) - 128) << 8),
            Coding::Mulaw if self.keep => single(bytes, out, |byte| g711::MULAW[usize::from(byte)]),
            Coding::Alaw if self.keep => single(bytes, out, |byte| g711::ALAW[usize::from(byte)]),
            Coding::Gsm if self.keep => bytes.chunks(size).for_each(|block| pairs.decode(block, &mut out[0])),
            Coding::Ima | Coding::Ms => {
                for (index, block) in bytes.chunks(size).enumerate() {
                    if !self.adaptive(block, out) {
                        let at = at_ms(before + index as u64 * per_block, self.format.sample_rate);
                        self.damage.push(at, "an ADPCM block has an impossible header");
                    }
                }
            }
            _ => {}
        }
    }

    /// Counting decodes too, into a scratch that is thrown away: the headers of the blocks tell of damage.
    fn adaptive(&self, block: &[u8], out: &mut [Vec<i16>]) -> bool {
        let sound = match self.format.coding {
            Coding::Ms => ms_adpcm::decode_block(block, &self.format.coefficients, out),
            _ => ima::decode_block(block, out),
        };
        if !self.keep {
            out.iter_mut().for_each(Vec::clear);
        }
        sound
    }

    /// Takes the padding of the last block away, if `fact` points into that block.
    fn trim(&self, samples: u64, layout: &Layout, out: &mut [Vec<i16>]) -> u64 {
        let per_block = self.format.samples_in(self.format.block_bytes) as u64;
        match layout.fact {
            Some(fact) if self.format.is_blocked() && fact < samples && fact + per_block > samples => {
                out.iter_mut().for_each(|channel| channel.truncate(fact as usize));
                fact
            }
            _ => samples,
        }
    }

    fn note_ends(&mut self, samples: u64, layout: &Layout) {
        let at = at_ms(samples, self.format.sample_rate);
        let (there, declared) = (layout.data_bytes, layout.declared_bytes);
        if there < declared {
            self.damage.push(at, format!("data ends early: {there} of {declared} bytes are there"));
        }
        let left = there % self.format.block_bytes as u64;
        let adaptive = matches!(self.format.coding, Coding::Ima | Coding::Ms);
        if left != 0 && !adaptive {
            self.damage.push(at, format!("{left} bytes of a cut sample or block at the end"));
        }
    }
}

fn linear16(bytes: &[u8], out: &mut [Vec<i16>]) {
    let width = 2 * out.len();
    let whole = &bytes[..bytes.len() - bytes.len() % width];
    for (index, channel) in out.iter_mut().enumerate() {
        let sample = |frame: &[u8]| i16::from_le_bytes([frame[2 * index], frame[2 * index + 1]]);
        channel.extend(whole.chunks_exact(width).map(sample));
    }
}

fn single(bytes: &[u8], out: &mut [Vec<i16>], value: impl Fn(u8) -> i16) {
    let width = out.len();
    let whole = &bytes[..bytes.len() - bytes.len() % width];
    for (index, channel) in out.iter_mut().enumerate() {
        channel.extend(whole.iter().skip(index).step_by(width).map(|&byte| value(byte)));
    }
}
