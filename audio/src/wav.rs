//! RIFF WAVE, reading: any order of chunks, sizes that lie or were never filled in, and data that
//! ends early.
//!
//! Written here rather than taken from symphonia because damage has to be located and `fact`
//! honoured. The same reader serves other containers of samples at a fixed rate (`headers`).

use crate::blocks::{BlockReader, Need, Progress};
use crate::format::{AudioError, Codec, Container, Damage, DamageLog, Head};
use crate::pcm::at_ms;
use crate::window::Window;
use crate::{g711, gsm, ima, mp3, ms_adpcm, sniff, wav_tags};

/// Bytes decoded at a time: GSM makes the most of a byte, and 320 KiB of samples of these.
const READ_BYTES: usize = 32 * 1024;
/// More chunks than any recorder writes; stops a file made of empty chunks.
const MOST_CHUNKS: usize = 4096;
/// The longest `fmt ` body worth reading; the longest known is under 100 bytes.
const MOST_FMT_BYTES: u64 = 1024;
/// Format tag that refers to a longer header.
const EXTENSIBLE: u16 = 0xFFFE;

/// True when the bytes open a RIFF WAVE file (or its 64-bit forms).
pub(crate) fn looks_wav(bytes: &[u8]) -> bool {
    bytes.len() >= 12
        && [b"RIFF", b"RF64", b"BW64"]
            .iter()
            .any(|start| bytes.starts_with(*start))
        && &bytes[8..12] == b"WAVE"
}

/// Opens a file that [`looks_wav`].
pub(crate) fn open(mut window: Window<'_>) -> Result<Box<dyn BlockReader + '_>, AudioError> {
    let layout = Layout::read(&mut window)?;
    let format = Format::parse(&layout.fmt)?;
    read(window, layout, format, Container::Wav)
}

/// Reads what the headers of any container describe.
pub(crate) fn read(
    window: Window<'_>,
    layout: Layout,
    format: Format,
    container: Container,
) -> Result<Box<dyn BlockReader + '_>, AudioError> {
    if format.coding == Coding::Mp3 {
        let missing = layout
            .missing()
            .map(|bytes| (format.lost_ms(bytes), layout.ends_early()));
        let stream = window.section(layout.data_start, layout.data_bytes);
        return Ok(Box::new(mp3::Reader::open(stream, container)?.cut(missing)));
    }
    Ok(Box::new(Reader::new(window, layout, format, container)))
}

/// Whether a 32-bit length is one that a recorder writes first and means to fill in at the end:
/// programs that write to a pipe leave 2^31 or 2^32 less a header (ffmpeg 0xFFFFFFFF, sox
/// 0x7FFFF000 and in AIFF 0x7F000008, arecord 0x80000000).
pub(crate) fn is_unfilled(size: u64) -> bool {
    (0x7F00_0000..=0x8000_FFFF).contains(&size)
        || (0xFFFF_0000..=u64::from(u32::MAX)).contains(&size)
}

/// Where things are.
pub(crate) struct Layout {
    fmt: Vec<u8>,
    fact: Option<u64>,
    data_start: u64,
    /// What is there.
    data_bytes: u64,
    /// What the header says; what is there where it was never filled in.
    declared_bytes: u64,
    /// Bytes behind the data that are no chunk and nothing else that usually stands there.
    unclaimed_bytes: u64,
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
            match &head[..4] {
                b"data" => {
                    let fmt = fmt.ok_or_else(|| {
                        AudioError::undecodable("a WAV file with data before its format")
                    })?;
                    // The 64-bit forms say -1 here and the length in a chunk of its own.
                    let declared = data64
                        .filter(|_| size == u64::from(u32::MAX))
                        .unwrap_or(size);
                    let mut layout = Layout::of_data(
                        window,
                        body,
                        (!is_unfilled(declared)).then_some(declared),
                    )?;
                    (layout.fmt, layout.fact) = (fmt, fact);
                    layout.unclaimed_bytes = match layout.data_bytes {
                        0 => 0,
                        bytes => unclaimed(window, body + bytes)?,
                    };
                    return Ok(layout);
                }
                b"fmt " => fmt = Some(window.at(body, size.min(MOST_FMT_BYTES) as usize)?.to_vec()),
                b"fact" => fact = number(window.at(body, size.min(4) as usize)?),
                b"ds64" => {
                    data64 = number(
                        window
                            .at(body, size.min(16) as usize)?
                            .get(8..)
                            .unwrap_or(&[]),
                    )
                }
                _ => {}
            }
            at = body + size + size % 2;
        }
        Err(AudioError::undecodable(
            "a WAV file with thousands of chunks and no data",
        ))
    }

    /// The data at a place, of a declared length. `None`: the recorder meant to fill it in and
    /// never did; everything to the file's end is data.
    pub(crate) fn of_data(
        window: &mut Window<'_>,
        data_start: u64,
        declared: Option<u64>,
    ) -> Result<Layout, AudioError> {
        let left = window.length().saturating_sub(data_start);
        let layout = |data_bytes, declared_bytes| Layout {
            fmt: Vec::new(),
            fact: None,
            data_start,
            data_bytes,
            declared_bytes,
            unclaimed_bytes: 0,
        };
        Ok(match declared {
            // A length that was counted from the start of the file promises no more than there is.
            Some(declared) if declared > left && declared <= window.length() => layout(left, left),
            Some(declared) if declared > left => layout(left, declared),
            Some(0) if left > 0 && !is_chunk(window, data_start)? => layout(left, left),
            Some(declared) => layout(declared, declared),
            None => layout(left, left),
        })
    }

    /// The format tag of a WAV file; the real one of an extensible header. 0: there is none.
    pub(crate) fn tag(window: &mut Window<'_>) -> u16 {
        let fmt = Layout::read(window)
            .map(|layout| layout.fmt)
            .unwrap_or_default();
        let word = |at: usize| {
            fmt.get(at..at + 2)
                .map_or(0, |two| u16::from_le_bytes([two[0], two[1]]))
        };
        if word(0) == EXTENSIBLE && fmt.len() >= 26 {
            word(24)
        } else {
            word(0)
        }
    }

    /// How much sound of a WAV file in any codec its header promises and the file does not hold,
    /// with a sentence. `None`: it is all there.
    pub(crate) fn lost(window: &mut Window<'_>) -> Option<(u64, String)> {
        let layout = Layout::read(window).ok()?;
        let byte_rate = layout.fmt.get(8..12).map_or(0, |four| {
            u32::from_le_bytes([four[0], four[1], four[2], four[3]])
        });
        Some((at_ms(layout.missing()?, byte_rate), layout.ends_early()))
    }

    /// Bytes that the header promises and that are not there.
    fn missing(&self) -> Option<u64> {
        self.declared_bytes
            .checked_sub(self.data_bytes)
            .filter(|&bytes| bytes > 0)
    }

    fn ends_early(&self) -> String {
        format!(
            "data ends early: {} of {} bytes are there",
            self.data_bytes, self.declared_bytes
        )
    }
}

/// Whether a chunk stands at a place: a name of four printable characters, and a length inside the
/// file.
fn is_chunk(window: &mut Window<'_>, at: u64) -> Result<bool, AudioError> {
    Ok(chunk_end(window, at)?.is_some())
}

fn chunk_end(window: &mut Window<'_>, at: u64) -> Result<Option<u64>, AudioError> {
    let Some(&[a, b, c, d, size @ ..]) = window.at(at, 8)?.first_chunk::<8>() else {
        return Ok(None);
    };
    let size = u64::from(u32::from_le_bytes(size));
    let named = [a, b, c, d]
        .iter()
        .all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    let end = at + 8 + size;
    Ok((named && end <= window.length()).then_some((end + size % 2).min(window.length())))
}

/// How many bytes behind the data are neither chunks nor padding, a tag or text: more of the sound,
/// where a header was brought up to date only now and then.
fn unclaimed(window: &mut Window<'_>, data_end: u64) -> Result<u64, AudioError> {
    // Data of odd length are padded by most writers, not by all.
    let padded = data_end + data_end % 2;
    let mut at = if is_chunk(window, data_end)? {
        data_end
    } else {
        padded
    };
    for _ in 0..MOST_CHUNKS {
        match chunk_end(window, at)? {
            Some(end) => at = end,
            None => break,
        }
    }
    let rest = window.at(at, sniff::TEXT_BYTES)?;
    let known = rest.starts_with(b"TAG")
        || rest.starts_with(b"ID3")
        || rest.starts_with(b"APETAGEX")
        || sniff::is_text(rest);
    let known = known || window.only_zeros_from(at)?;
    Ok(if known {
        0
    } else {
        window.length().saturating_sub(at)
    })
}

/// A little-endian number of 4 or 8 bytes.
fn number(bytes: &[u8]) -> Option<u64> {
    match *bytes {
        [a, b, c, d] => Some(u64::from(u32::from_le_bytes([a, b, c, d]))),
        [a, b, c, d, e, f, g, h] => Some(u64::from_le_bytes([a, b, c, d, e, f, g, h])),
        _ => None,
    }
}

/// How a sample's bytes are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Linear {
    Signed,
    Unsigned,
    Float,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Whole bytes a sample, the most significant bits used.
    Pcm {
        bytes: usize,
        kind: Linear,
        big_endian: bool,
    },
    Mulaw,
    Alaw,
    Ima,
    Ms,
    Gsm,
    Mp3,
}

pub(crate) struct Format {
    coding: Coding,
    channels: usize,
    sample_rate: u32,
    block_bytes: usize,
    /// Bytes a second as the header says; of use for MP3 only.
    byte_rate: u32,
    coefficients: Vec<(i32, i32)>,
}

impl Format {
    pub(crate) fn parse(fmt: &[u8]) -> Result<Format, AudioError> {
        if fmt.len() < 16 {
            return Err(AudioError::undecodable(
                "a WAV format chunk of less than 16 bytes",
            ));
        }
        let word = |at: usize| u16::from_le_bytes([fmt[at], fmt[at + 1]]);
        // The extensible form keeps the real tag in the first bytes of its subformat.
        let tag = if word(0) == EXTENSIBLE && fmt.len() >= 26 {
            word(24)
        } else {
            word(0)
        };
        let (channels, bits, block) = (usize::from(word(2)), word(14), usize::from(word(12)));
        let sample_rate = u32::from_le_bytes([fmt[4], fmt[5], fmt[6], fmt[7]]);
        possible("a WAV", channels, sample_rate)?;
        // 12 or 20 bits stand at the upper end of whole bytes; 24 may stand in four.
        let by_block = bits == 0 || (17..=24).contains(&bits) && block == 4 * channels;
        let sample_bytes = if by_block {
            block / channels
        } else {
            usize::from(bits.div_ceil(8))
        };
        let pcm = |kind| Coding::Pcm {
            bytes: sample_bytes,
            kind,
            big_endian: false,
        };
        let coding = match tag {
            1 if sample_bytes == 1 => pcm(Linear::Unsigned),
            1 if (2..=8).contains(&sample_bytes) => pcm(Linear::Signed),
            3 if sample_bytes == 4 || sample_bytes == 8 => pcm(Linear::Float),
            6 => Coding::Alaw,
            7 => Coding::Mulaw,
            0x11 => Coding::Ima,
            2 => Coding::Ms,
            0x31 => Coding::Gsm,
            0x55 => Coding::Mp3,
            1 | 3 => {
                return Err(AudioError::undecodable(format!(
                    "a WAV header with samples of {bits} bits"
                )));
            }
            tag => {
                return Err(AudioError::unsupported(format!(
                    "{} in WAV (format tag {tag:#06x})",
                    wav_tags::name(tag)
                )));
            }
        };
        let mut format = Format::new(coding, channels, sample_rate, block)?;
        format.byte_rate = u32::from_le_bytes([fmt[8], fmt[9], fmt[10], fmt[11]]);
        format.coefficients = coefficients(coding, fmt);
        Ok(format)
    }

    /// `block` is the header's block length in bytes; needed for ADPCM only.
    pub(crate) fn new(
        coding: Coding,
        channels: usize,
        sample_rate: u32,
        block: usize,
    ) -> Result<Format, AudioError> {
        possible("an audio", channels, sample_rate)?;
        let block_bytes = match coding {
            Coding::Pcm { bytes, .. } => bytes * channels,
            Coding::Alaw | Coding::Mulaw => channels,
            Coding::Ima | Coding::Ms => block,
            Coding::Gsm => gsm::PAIR_BYTES,
            Coding::Mp3 => 1,
        };
        let format = Format {
            coding,
            channels,
            sample_rate,
            block_bytes,
            byte_rate: 0,
            coefficients: Vec::new(),
        };
        if coding == Coding::Gsm && channels != 1 {
            return Err(AudioError::undecodable(format!(
                "GSM in WAV with {channels} channels"
            )));
        }
        if format.samples_in(block_bytes) == 0 {
            return Err(AudioError::undecodable(format!(
                "WAV blocks of {block_bytes} bytes hold no sample"
            )));
        }
        Ok(format)
    }

    /// Bytes of a block: of a sample of every channel, where nothing is coded in blocks.
    pub(crate) fn block_bytes(&self) -> usize {
        self.block_bytes
    }

    /// How much sound so many bytes hold.
    fn lost_ms(&self, bytes: u64) -> u64 {
        match self.coding {
            Coding::Mp3 => at_ms(bytes, self.byte_rate),
            _ => at_ms(
                (bytes / self.block_bytes as u64)
                    .saturating_mul(self.samples_in(self.block_bytes) as u64),
                self.sample_rate,
            ),
        }
    }

    fn codec(&self) -> Codec {
        match self.coding {
            Coding::Pcm {
                kind: Linear::Unsigned,
                ..
            } => Codec::PcmU8,
            Coding::Pcm {
                kind: Linear::Float,
                bytes,
                ..
            } => {
                if bytes == 4 {
                    Codec::PcmF32
                } else {
                    Codec::PcmF64
                }
            }
            Coding::Pcm {
                kind: Linear::Signed,
                bytes: 0 | 1,
                ..
            } => Codec::PcmS8,
            Coding::Pcm {
                kind: Linear::Signed,
                bytes: 2,
                big_endian,
            } => {
                if big_endian {
                    Codec::PcmS16Be
                } else {
                    Codec::PcmS16
                }
            }
            Coding::Pcm {
                kind: Linear::Signed,
                bytes: 3,
                ..
            } => Codec::PcmS24,
            Coding::Pcm {
                kind: Linear::Signed,
                ..
            } => Codec::PcmS32,
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
            Coding::Pcm { bytes: width, .. } => bytes / width.max(1) / self.channels,
            Coding::Mulaw | Coding::Alaw => bytes / self.channels,
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
    let listed: Vec<_> = fmt
        .get(22..)
        .unwrap_or(&[])
        .chunks_exact(4)
        .take(declared)
        .map(pair)
        .collect();
    if listed.is_empty() {
        ms_adpcm::COEFFICIENTS.to_vec()
    } else {
        listed
    }
}

/// A header that claims no channel, more than 32 or more than 768 kHz is noise: they are beyond any
/// recorder.
pub(crate) fn possible(what: &str, channels: usize, sample_rate: u32) -> Result<(), AudioError> {
    if (1..=32).contains(&channels) && (1..=768_000).contains(&sample_rate) {
        Ok(())
    } else {
        Err(AudioError::undecodable(format!(
            "{what} header with {channels} channels at {sample_rate} Hz"
        )))
    }
}

struct Reader<'s> {
    window: Window<'s>,
    layout: Layout,
    format: Format,
    container: Container,
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
    fn new(window: Window<'s>, layout: Layout, format: Format, container: Container) -> Reader<'s> {
        let size = format.block_bytes as u64;
        let per_block = format.samples_in(format.block_bytes) as u64;
        let total = layout.data_bytes / size * per_block
            + format.samples_in((layout.data_bytes % size) as usize) as u64;
        let padding_from = match layout.fact {
            Some(fact) if format.is_blocked() && fact < total && fact + per_block > total => fact,
            _ => u64::MAX,
        };
        let (pairs, damage) = (gsm::PairDecoder::default(), DamageLog::default());
        Reader {
            window,
            layout,
            format,
            container,
            read: 0,
            samples: 0,
            padding_from,
            pairs,
            damage,
        }
    }

    /// Samples per channel up to here, padding left out.
    fn sounding(&self) -> u64 {
        self.samples.min(self.padding_from)
    }

    fn note_ends(&mut self) {
        let at = at_ms(self.sounding(), self.format.sample_rate);
        if let Some(bytes) = self.layout.missing() {
            self.damage
                .lose(at, self.format.lost_ms(bytes), self.layout.ends_early());
        }
        let unclaimed = self.layout.unclaimed_bytes;
        if unclaimed > 0 {
            let what = format!(
                "{unclaimed} bytes behind the declared data are no chunk: more was recorded than \
                 the header says, or they are foreign"
            );
            self.damage.lose(at, self.format.lost_ms(unclaimed), what);
        }
        let left = self.layout.data_bytes % self.format.block_bytes as u64;
        let adaptive = matches!(self.format.coding, Coding::Ima | Coding::Ms);
        if left != 0 && !adaptive {
            self.damage.push(
                at,
                format!("{left} bytes of a cut sample or block at the end"),
            );
        }
    }
}

impl BlockReader for Reader<'_> {
    fn head(&self) -> Head {
        Head {
            container: self.container,
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
            Coding::Ima | Coding::Ms => {
                self.format
                    .adaptive(bytes, self.samples, &mut self.damage, out)
            }
            _ if need == Need::Samples => self.format.decode(bytes, &mut self.pairs, out),
            _ => {}
        }
        self.read += bytes.len() as u64;
        let sounding_before = self.sounding();
        self.samples += samples as u64;
        let sounding = (self.sounding() - sounding_before) as usize;
        out.iter_mut().for_each(|channel| {
            channel.truncate(channel.len() - (samples - sounding).min(channel.len()))
        });
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
            Coding::Pcm {
                bytes: width,
                kind,
                big_endian,
            } => linear(bytes, width, kind, big_endian, out),
            Coding::Mulaw => single(bytes, out, |byte| g711::MULAW[usize::from(byte)]),
            Coding::Alaw => single(bytes, out, |byte| g711::ALAW[usize::from(byte)]),
            Coding::Gsm => bytes
                .chunks(self.block_bytes)
                .for_each(|block| pairs.decode(block, &mut out[0])),
            // These tell of damage on the way; MP3 has its own reader.
            Coding::Ima | Coding::Ms | Coding::Mp3 => {}
        }
    }

    /// Decodes blocks of ADPCM, also for counting: their headers tell of damage. `before` samples
    /// came earlier.
    fn adaptive(&self, bytes: &[u8], before: u64, damage: &mut DamageLog, out: &mut [Vec<i16>]) {
        let per_block = self.samples_in(self.block_bytes) as u64;
        for (index, block) in bytes.chunks(self.block_bytes).enumerate() {
            let sound = match self.coding {
                Coding::Ms => ms_adpcm::decode_block(block, &self.coefficients, out),
                _ => ima::decode_block(block, out),
            };
            if !sound {
                let at = at_ms(before + index as u64 * per_block, self.sample_rate);
                damage.lose(
                    at,
                    at_ms(per_block, self.sample_rate),
                    "an ADPCM block has an impossible header",
                );
            }
        }
    }
}

/// Samples of whole bytes, to 16 bits: the lower bits of integers are left out, floating point is
/// rounded; as ffmpeg does.
pub(crate) fn linear(
    bytes: &[u8],
    width: usize,
    kind: Linear,
    big_endian: bool,
    out: &mut [Vec<i16>],
) {
    let frame = width * out.len();
    let whole = &bytes[..bytes.len() - bytes.len() % frame];
    for (index, channel) in out.iter_mut().enumerate() {
        let samples = whole
            .chunks_exact(frame)
            .map(|frame| &frame[index * width..(index + 1) * width]);
        match (kind, width) {
            (Linear::Unsigned, _) => {
                channel.extend(samples.map(|one| (i16::from(one[0]) - 128) << 8))
            }
            (Linear::Signed, 1) => channel.extend(samples.map(|one| i16::from(one[0]) << 8)),
            (Linear::Signed, _) if big_endian => {
                channel.extend(samples.map(|one| i16::from_be_bytes([one[0], one[1]])))
            }
            (Linear::Signed, _) => channel
                .extend(samples.map(|one| i16::from_le_bytes([one[width - 2], one[width - 1]]))),
            (Linear::Float, _) => {
                channel.extend(samples.map(|one| mp3::sample(float(one, big_endian))))
            }
        }
    }
}

/// Four or eight bytes of floating point.
fn float(bytes: &[u8], big_endian: bool) -> f32 {
    let mut little = [0; 8];
    for (to, from) in little.iter_mut().zip(bytes) {
        *to = *from;
    }
    if big_endian {
        little[..bytes.len().min(8)].reverse();
    }
    match bytes.len() {
        4 => f32::from_le_bytes([little[0], little[1], little[2], little[3]]),
        _ => f64::from_le_bytes(little) as f32,
    }
}

fn single(bytes: &[u8], out: &mut [Vec<i16>], value: impl Fn(u8) -> i16) {
    let width = out.len();
    let whole = &bytes[..bytes.len() - bytes.len() % width];
    for (index, channel) in out.iter_mut().enumerate() {
        channel.extend(
            whole
                .iter()
                .skip(index)
                .step_by(width)
                .map(|&byte| value(byte)),
        );
    }
}
