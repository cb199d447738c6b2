//! MPEG audio layer III, reading.
//!
//! Frames are found here and only their content is decoded by symphonia, because its own reader skips what is broken
//! without a word. Lost or undecodable frames become silence of their length, so that the rest stays in step.

use crate::format::{AudioError, Codec, Container, DamageLog, Probe};
use crate::pcm::{Pcm, at_ms};
use symphonia::core::audio::{Audio, GenericAudioBufferRef};
use symphonia::core::codecs::audio::well_known::CODEC_ID_MP3;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::packet::PacketRef;
use symphonia::core::units::{Duration, Timestamp};

/// How far from the start a first frame is searched for; an embedded picture is skipped by its own length, so this only
/// has to cover stray bytes.
const SEARCH_BYTES: usize = 64 * 1024;
/// Delay of every decoder, in samples; players take it off together with the encoder's.
const DECODER_DELAY: u64 = 529;

/// What one frame header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    mpeg1: bool,
    sample_rate: u32,
    channels: usize,
    protected: bool,
    bytes: usize,
}

impl Header {
    /// Reads a layer III header; `None` for anything else, free format included (no recorder writes it).
    fn read(bytes: &[u8]) -> Option<Header> {
        const MPEG1_KBPS: [usize; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
        const MPEG2_KBPS: [usize; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
        let word = u32::from_be_bytes(*bytes.first_chunk::<4>()?);
        let (version, layer) = (word >> 19 & 3, word >> 17 & 3);
        let (bitrate, rate) = ((word >> 12 & 15) as usize, (word >> 10 & 3) as usize);
        // Version 1 is reserved, layer 1 stands for III, emphasis 2 is reserved.
        if word >> 21 != 0x7FF || version == 1 || layer != 1 || rate == 3 || word & 3 == 2 {
            return None;
        }
        let mpeg1 = version == 3;
        let kbps = *if mpeg1 { &MPEG1_KBPS } else { &MPEG2_KBPS }.get(bitrate).filter(|&&kbps| kbps > 0)?;
        let halvings = match version {
            3 => 0,
            2 => 1,
            _ => 2,
        };
        let sample_rate = [44_100u32, 48_000, 32_000][rate] >> halvings;
        let factor = if mpeg1 { 144_000 } else { 72_000 };
        Some(Header {
            mpeg1,
            sample_rate,
            channels: if word >> 6 & 3 == 3 { 1 } else { 2 },
            protected: word >> 16 & 1 == 0,
            bytes: factor * kbps / sample_rate as usize + (word >> 9 & 1) as usize,
        })
    }

    fn samples(self) -> u64 {
        if self.mpeg1 { 1152 } else { 576 }
    }

    /// The same stream: only bit rate and padding may change from frame to frame.
    fn continues(self, first: Header) -> bool {
        (self.mpeg1, self.sample_rate, self.channels) == (first.mpeg1, first.sample_rate, first.channels)
    }

    fn side_info_bytes(self) -> usize {
        match (self.mpeg1, self.channels) {
            (true, 1) => 17,
            (true, _) => 32,
            (false, 1) => 9,
            (false, _) => 17,
        }
    }

    /// Where the coded samples start; before them stand header, checksum and side information.
    fn main_data_at(self) -> usize {
        4 + if self.protected { 2 } else { 0 } + self.side_info_bytes()
    }
}

/// What the first frame of most files says instead of sound.
#[derive(Clone, Copy, Default)]
struct Tag {
    frames: Option<u64>,
    /// Samples the encoder put before and after; known from a LAME extension only.
    padding: Option<(u64, u64)>,
}

impl Tag {
    fn read(frame: &[u8], header: Header) -> Option<Tag> {
        let big = |at: usize| frame.get(at..at + 4).map(|four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]));
        if frame.get(36..40) == Some(b"VBRI") {
            return Some(Tag { frames: big(50).map(u64::from), padding: None });
        }
        let at = 4 + header.side_info_bytes();
        if !matches!(frame.get(at..at + 4)?, b"Xing" | b"Info") {
            return None;
        }
        let flags = big(at + 4)?;
        let frames = if flags & 1 != 0 { big(at + 8).map(u64::from) } else { None };
        let fields = [(1, 4), (2, 4), (4, 100), (8, 4)];
        let skipped: usize = fields.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, bytes)| bytes).sum();
        let extension = at + 8 + skipped;
        let named = frame.get(extension..extension + 4).is_some_and(|name| name.iter().all(u8::is_ascii_alphabetic));
        let padding = match frame.get(extension + 21..extension + 24) {
            Some(&[a, b, c]) if named => {
                let both = u64::from(a) << 16 | u64::from(b) << 8 | u64::from(c);
                Some((both >> 12, both & 0xFFF))
            }
            _ => None,
        };
        Some(Tag { frames, padding })
    }
}

/// True when the bytes, after any tags, go on as layer III frames.
pub(crate) fn looks_mp3(bytes: &[u8]) -> bool {
    let start = tags_end(bytes);
    first_frame(bytes, start, start.saturating_add(SEARCH_BYTES)).is_some()
}

/// End of the ID3v2 tags at the start.
fn tags_end(bytes: &[u8]) -> usize {
    let mut at = 0usize;
    while let Some(head) = bytes.get(at..).and_then(|rest| rest.first_chunk::<10>()) {
        if !head.starts_with(b"ID3") || head[6..].iter().any(|byte| byte & 0x80 != 0) {
            break;
        }
        let size = head[6..].iter().fold(0usize, |size, &byte| size << 7 | usize::from(byte));
        let footer = if head[5] & 0x10 != 0 { 10 } else { 0 };
        at = at.saturating_add(10 + size + footer);
    }
    at
}

/// The first place in `from..to` where frames follow one another. Two in a row suffice at `from` itself and where the
/// file ends; elsewhere three, because chance finds a header in a few hundred bytes of noise.
fn first_frame(bytes: &[u8], from: usize, to: usize) -> Option<usize> {
    (from..to.min(bytes.len())).find(|&at| {
        let wanted = if at == from { 2 } else { 3 };
        bytes[at] == 0xFF && chain(bytes, at, wanted)
    })
}

fn chain(bytes: &[u8], start: usize, wanted: usize) -> bool {
    let Some(first) = Header::read(&bytes[start..]) else {
        return false;
    };
    let mut at = start;
    for seen in 0..wanted {
        match bytes.get(at..).and_then(Header::read) {
            Some(header) if header.continues(first) => at += header.bytes,
            // One whole frame that ends with the file, or with a tag, is a (very short) stream.
            _ => {
                return seen > 0 && at <= bytes.len() && (at == bytes.len() || is_trailer(&bytes[at..]));
            }
        }
    }
    true
}

fn is_trailer(rest: &[u8]) -> bool {
    rest.starts_with(b"TAG") || rest.starts_with(b"APETAGEX") || rest.iter().all(|&byte| byte == 0)
}

/// Decodes a stream that [`looks_mp3`].
pub(crate) fn decode(bytes: &[u8]) -> Result<(Probe, Pcm), AudioError> {
    let start = tags_end(bytes);
    let first = first_frame(bytes, start, bytes.len());
    let found = first.and_then(|at| Some((at, Header::read(&bytes[at..])?)));
    let Some((at, header)) = found else {
        return Err(AudioError::undecodable("no MPEG audio frames"));
    };
    let mut stream = Stream::new(header)?;
    if at > start {
        stream.damage(format!("{} bytes that are no MP3 frames before the first", at - start));
    }
    stream.walk(bytes, at);
    stream.finish()
}

struct Stream {
    first: Header,
    tag: Option<Tag>,
    decoder: Box<dyn AudioDecoder>,
    channels: Vec<Vec<i16>>,
    frames: u64,
    /// Bytes of earlier frames that the next one may borrow from; `None` before the first frame with sound.
    reservoir: Option<usize>,
    damage: DamageLog,
}

impl Stream {
    fn new(first: Header) -> Result<Stream, AudioError> {
        let mut parameters = AudioCodecParameters::new();
        parameters.for_codec(CODEC_ID_MP3).with_sample_rate(first.sample_rate);
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(&parameters, &AudioDecoderOptions::default().gapless(false))
            .map_err(|error| AudioError::unsupported(format!("mp3: {error}")))?;
        let channels = vec![Vec::new(); first.channels];
        Ok(Stream { first, tag: None, decoder, channels, frames: 0, reservoir: None, damage: DamageLog::default() })
    }

    fn damage(&mut self, what: String) {
        let delay = self.trims().0;
        let at = (self.frames * self.first.samples()).saturating_sub(delay);
        self.damage.push(at_ms(at, self.first.sample_rate), what);
    }

    fn walk(&mut self, bytes: &[u8], start: usize) {
        let mut at = start;
        while at < bytes.len() {
            at = match Header::read(&bytes[at..]).filter(|header| header.continues(self.first)) {
                Some(header) => match bytes.get(at..at + header.bytes) {
                    Some(frame) => {
                        self.frame(frame, header, at == start);
                        at + header.bytes
                    }
                    None => {
                        self.damage(format!("the last MP3 frame is cut after {} bytes", bytes.len() - at));
                        bytes.len()
                    }
                },
                None if is_trailer(&bytes[at..]) => bytes.len(),
                None => self.resync(bytes, at),
            };
        }
    }

    fn resync(&mut self, bytes: &[u8], at: usize) -> usize {
        let sound = |&next: &usize| {
            let header = Header::read(&bytes[next..]);
            header.is_some_and(|header| header.continues(self.first)) && chain(bytes, next, 3)
        };
        let next = (at + 1..bytes.len()).find(sound).unwrap_or(bytes.len());
        self.damage(format!("{} bytes that are no MP3 frames skipped", next - at));
        next
    }

    fn frame(&mut self, frame: &[u8], header: Header, is_first: bool) {
        if is_first && let Some(tag) = Tag::read(frame, header) {
            self.tag = Some(tag);
            return;
        }
        self.check_reservoir(frame, header);
        let packet = PacketRef::new(0, Timestamp::ZERO, Duration::from(header.samples()), frame);
        let samples = header.samples() as usize;
        let decoded = match self.decoder.decode_ref(&packet) {
            Ok(GenericAudioBufferRef::F32(buffer)) => {
                for (index, channel) in self.channels.iter_mut().enumerate() {
                    channel.extend(buffer.plane(index).unwrap_or(&[]).iter().take(samples).map(|&value| sample(value)));
                }
                None
            }
            Ok(_) => Some("an unexpected sample type".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(cause) = decoded {
            self.damage(format!("an MP3 frame cannot be decoded ({cause}); silence stands in its place"));
        }
        self.frames += 1;
        let length = self.frames as usize * samples;
        self.channels.iter_mut().for_each(|channel| channel.resize(length, 0));
    }

    /// A frame may start in the bytes of frames before it. If those are gone, part of it is silent, and the decoder does
    /// not say so.
    fn check_reservoir(&mut self, frame: &[u8], header: Header) {
        let at = header.main_data_at();
        let side = at - header.side_info_bytes();
        let borrowed = match (header.mpeg1, frame.get(side..side + 2)) {
            (true, Some(two)) => usize::from(two[0]) << 1 | usize::from(two[1] >> 7),
            (false, Some(two)) => usize::from(two[0]),
            (_, None) => 0,
        };
        let kept = self.reservoir.unwrap_or(0);
        if borrowed > kept {
            self.damage(match self.reservoir {
                None => "the stream starts in the middle: its first frame needs bytes from before it".to_owned(),
                Some(_) => format!("{} bytes of an MP3 frame are missing", borrowed - kept),
            });
        }
        self.reservoir = Some((kept + frame.len().saturating_sub(at)).min(if header.mpeg1 { 511 } else { 255 }));
    }

    /// Samples to take off the start and the end. The end only when every declared frame is there: otherwise what looks
    /// like padding is sound.
    fn trims(&self) -> (u64, u64) {
        let Some(Tag { padding: Some((delay, padding)), frames }) = self.tag else {
            return (0, 0);
        };
        let whole = frames.is_none_or(|frames| frames == self.frames);
        (delay + DECODER_DELAY, if whole { padding.saturating_sub(DECODER_DELAY) } else { 0 })
    }

    fn finish(mut self) -> Result<(Probe, Pcm), AudioError> {
        if let Some(Tag { frames: Some(declared), .. }) = self.tag
            && declared > self.frames
        {
            self.damage(format!("stream ends early: {} of {declared} frames are there", self.frames));
        }
        let total = self.frames * self.first.samples();
        let (start, end) = self.trims();
        let start = start.min(total);
        let end = total.saturating_sub(end).max(start);
        for channel in &mut self.channels {
            channel.truncate(end as usize);
            channel.drain(..start as usize);
        }
        let probe = Probe {
            container: Container::Mp3,
            codec: Codec::Mp3,
            channels: self.first.channels as u16,
            sample_rate: self.first.sample_rate,
            samples: end - start,
            damage: self.damage.into_vec(),
        };
        Ok((probe, Pcm { sample_rate: self.first.sample_rate, channels: self.channels }))
    }
}

/// Rounds to the nearest 16-bit value, as ffmpeg does; exact silence stays exact.
pub(crate) fn sample(value: f32) -> i16 {
    // `as` saturates, and turns a NaN from a hostile stream into 0.
    (value * 32_768.0).round_ties_even() as i16
}
