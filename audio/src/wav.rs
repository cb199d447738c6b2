//! RIFF WAVE, reading: any order of chunks, sizes that lie, and data that ends early.
//!
//! Written here rather than taken from symphonia because damage has to be located and `fact` honoured.

use crate::blocks::{BlockReader, Need, Progress};
use crate::format::{AudioError, Codec, Container, Damage, DamageLog, Head};
use crate::pcm::at_ms;
use crate::window::Window;
use crate::{g711, gsm, ima, mp3, ms_adpcm};

/// Bytes decoded at a time: GSM makes the most of a byte, and 320 KiB of samples of these.
const READ_BYTES: usize = 32 * 1024;
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

/// Opens a file that [`looks_wav`].
pub(crate) fn open(mut window: Window<'_>) -> Result<Box<dyn BlockReader + '_>, AudioError> {
    let layout = Layout::read(&mut window)?;
    let format = Format::parse(&layout.fmt)?;
    if format.coding == Coding::Mp3 {
        let stream = window.section(layout.data_start, layout.data_bytes);
        return Ok(Box::new(mp3::Reader::open(stream, Container::Wav)?));
    }
    Ok(Box::new(Reader::new(window, layout, format)))
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
    fn read(window: &mut Window<'_>) -> Result<Layout, AudioError> {
        let (mut fmt, mut fact, mut data64) = (None, None, None);
        let mut at = 12u64;
        for _ in 0..MOST_CHUNKS {
            let Some(&head) = window.at(at, 8)?.first_chunk::<8>() else {
                return Err(AudioError::undecodable("a WAV file without a data chunk"));
            };
            let size = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
            let body = at + 8;
            let left = window.length().saturating_sub(body);
            match &head[..4] {
                b"data" => {
                    let fmt = fmt.ok_or_else(|| AudioError::undecodable("a WAV file with data before its format"))?;
                    let declared_bytes = if size == STREAMED { data64.unwrap_or(left) } else { size };
                    let data_bytes = declared_bytes.min(left);
                    return Ok(Layout { fmt, fact, data_start: body, data_bytes, declared_bytes });
                }
                b"fmt " => fmt = Some(window.at(body, size.min(MOST_FMT_BYTES) as usize)?.to_vec()),
                b"fact" => fact = number(window.at(body, size.min(4) as usize)?),
                b"ds64" => data64 = number(window.at(body, size.min(16) as usize)?.get(8..).unwrap_or(&[])),
                _ => {}
            }
            at = body + size + size % 2;
        }
        Err(AudioError::undecodable("a WAV file with thousands of chunks and no data"))
    }
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

struct Reader<'s> {
    window: Window<'s>,
    layout: Layout,
    format: Format,
    /// Bytes of data read so far.
    read: u64,
    /// Samples per channel in these bytes, padding of the last block included.
    samples: u64,
    /// Where padding starts, if `fact` points into the last block.
    padding_from: u64,
    pairs: gsm::PairDecoder,
    damage: DamageLog,
}

impl<'s> Reader<'s> {
    fn new(window: Window<'s>, layout: Layout, format: Format) -> Reader<'s> {
        let size = format.block_bytes as u64;
        let per_block = format.samples_in(format.block_bytes) as u64;
        let total = layout.data_bytes / size * per_block + format.samples_in((layout.data_bytes % size) as usize) as u64;
        let padding_from = match layout.fact {
            Some(fact) if format.is_blocked() && fact < total && fact + per_block > total => fact,
            _ => u64::MAX,
        };
        let (pairs, damage) = (gsm::PairDecoder::default(), DamageLog::default());
        Reader { window, layout, format, read: 0, samples: 0, padding_from, pairs, damage }
    }

    /// Samples per channel up to here, padding left out.
    fn sounding(&self) -> u64 {
        self.samples.min(self.padding_from)
    }

    fn note_ends(&mut self) {
        let at = at_ms(self.sounding(), self.format.sample_rate);
        let (there, declared) = (self.layout.data_bytes, self.layout.declared_bytes);
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

impl BlockReader for Reader<'_> {
    fn head(&self) -> Head {
        Head {
            container: Container::Wav,
            codec: self.format.codec(),
            channels: self.format.channels as u16,
            sample_rate: self.format.sample_rate,
        }
    }

    fn read(&mut self, need: Need, out: &mut [Vec<i16>]) -> Result<Progress, AudioError> {
        let block = self.format.block_bytes;
        let wanted = ((READ_BYTES / block).max(1) * block) as u64;
        let wanted = wanted.min(self.layout.data_bytes - self.read) as usize;
        let bytes = self.window.at(self.layout.data_start + self.read, wanted)?;
        if bytes.is_empty() {
            self.note_ends();
            return Ok(Progress::Ended);
        }
        let whole = bytes.len() / block * self.format.samples_in(block);
        let samples = whole + self.format.samples_in(bytes.len() % block);
        match self.format.coding {
            Coding::Ima | Coding::Ms => self.format.adaptive(bytes, self.samples, &mut self.damage, out),
            _ if need == Need::Samples => self.format.decode(bytes, &mut self.pairs, out),
            _ => {}
        }
        self.read += bytes.len() as u64;
        let sounding_before = self.sounding();
        self.samples += samples as u64;
        let sounding = (self.sounding() - sounding_before) as usize;
        out.iter_mut().for_each(|channel| channel.truncate(channel.len() - (samples - sounding).min(channel.len())));
        Ok(Progress::More)
    }

    fn ending(self: Box<Self>) -> (u64, Vec<Damage>) {
        (self.sounding(), self.damage.into_vec())
    }
}

impl Format {
    /// Decodes whole blocks and perhaps a cut one at the end.
    fn decode(&self, bytes: &[u8], pairs: &mut gsm::PairDecoder, out: &mut [Vec<i16>]) {
        match self.coding {
            Coding::Pcm16 => linear16(bytes, out),
            Coding::Pcm8 => single(bytes, out, |byte| (i16::from(byte) - 128) << 8),
            Coding::Mulaw => single(bytes, out, |byte| g711::MULAW[usize::from(byte)]),
            Coding::Alaw => single(bytes, out, |byte| g711::ALAW[usize::from(byte)]),
            Coding::Gsm => bytes.chunks(self.block_bytes).for_each(|block| pairs.decode(block, &mut out[0])),
            // These tell of damage on the way; MP3 has its own reader.
            Coding::Ima | Coding::Ms | Coding::Mp3 => {}
        }
    }

    /// Decodes blocks of ADPCM, also for counting: their headers tell of damage. `before` samples came earlier.
    fn adaptive(&self, bytes: &[u8], before: u64, damage: &mut DamageLog, out: &mut [Vec<i16>]) {
        let per_block = self.samples_in(self.block_bytes) as u64;
        for (index, block) in bytes.chunks(self.block_bytes).enumerate() {
            let sound = match self.coding {
                Coding::Ms => ms_adpcm::decode_block(block, &self.coefficients, out),
                _ => ima::decode_block(block, out),
            };
            if !sound {
                let at = at_ms(before + index as u64 * per_block, self.sample_rate);
                damage.push(at, "an ADPCM block has an impossible header");
            }
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
