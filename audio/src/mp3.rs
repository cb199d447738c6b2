//! MPEG audio layer III, reading.
//!
//! Frames are found here and only their content is decoded by symphonia, because its own reader
//! skips what is broken without a word. Lost or undecodable frames become silence of their length,
//! so that the rest stays in step.

use crate::blocks::{BlockReader, Need, Progress};
use crate::format::{AudioError, Codec, Container, Damage, DamageLog, Head};
use crate::pcm::at_ms;
use crate::sniff;
use crate::window::Window;
use std::io;
use symphonia::core::audio::{Audio, GenericAudioBufferRef};
use symphonia::core::codecs::audio::well_known::CODEC_ID_MP3;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::packet::PacketRef;
use symphonia::core::units::{Duration, Timestamp};

/// More than the longest frame: 1441 bytes, by the table of bit rates.
const FRAME_BYTES: usize = 2048;
/// Frames decoded at a time: 1.2 s at 8 kHz.
const READ_FRAMES: usize = 16;
/// How far from the start a first frame is searched for; an embedded picture is skipped by its own
/// length, so this only has to cover stray bytes.
const SEARCH_BYTES: u64 = 64 * 1024;
/// How far the end of a Lyrics3 tag is searched for; most are under 10 KiB.
const LYRICS_BYTES: usize = 64 * 1024;
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
    /// Reads a layer III header; `None` for anything else, free format included (no recorder writes
    /// it).
    fn read(bytes: &[u8]) -> Option<Header> {
        const MPEG1_KBPS: [usize; 15] = [
            0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
        ];
        const MPEG2_KBPS: [usize; 15] =
            [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
        let word = u32::from_be_bytes(*bytes.first_chunk::<4>()?);
        let (version, layer) = (word >> 19 & 3, word >> 17 & 3);
        let (bitrate, rate) = ((word >> 12 & 15) as usize, (word >> 10 & 3) as usize);
        // Version 1 is reserved, layer 1 stands for III, emphasis 2 is reserved.
        if word >> 21 != 0x7FF || version == 1 || layer != 1 || rate == 3 || word & 3 == 2 {
            return None;
        }
        let mpeg1 = version == 3;
        let kbps = *if mpeg1 { &MPEG1_KBPS } else { &MPEG2_KBPS }
            .get(bitrate)
            .filter(|&&kbps| kbps > 0)?;
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
        (self.mpeg1, self.sample_rate, self.channels)
            == (first.mpeg1, first.sample_rate, first.channels)
    }

    /// Length of so many frames.
    fn milliseconds(self, frames: u64) -> u64 {
        at_ms(frames.saturating_mul(self.samples()), self.sample_rate)
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
        let big = |at: usize| {
            frame
                .get(at..at + 4)
                .map(|four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
        };
        if frame.get(36..40) == Some(b"VBRI") {
            return Some(Tag {
                frames: big(50).map(u64::from),
                padding: None,
            });
        }
        let at = 4 + header.side_info_bytes();
        if !matches!(frame.get(at..at + 4)?, b"Xing" | b"Info") {
            return None;
        }
        let flags = big(at + 4)?;
        let frames = if flags & 1 != 0 {
            big(at + 8).map(u64::from)
        } else {
            None
        };
        let fields = [(1, 4), (2, 4), (4, 100), (8, 4)];
        let skipped: usize = fields
            .iter()
            .filter(|(flag, _)| flags & flag != 0)
            .map(|(_, bytes)| bytes)
            .sum();
        let extension = at + 8 + skipped;
        let named = frame
            .get(extension..extension + 4)
            .is_some_and(|name| name.iter().all(u8::is_ascii_alphabetic));
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

/// Samples a file's encoder says it put before and after the sound, which [`crate::decode()`]
/// leaves out. `None`: no MP3, or its encoder says nothing, as when it wrote to a pipe; then they
/// are in what is decoded. Source: the LAME tag, bytes 21 to 23.
pub fn mp3_padding(bytes: &[u8]) -> Option<(u64, u64)> {
    let mut window = Window::new(io::Cursor::new(bytes)).ok()?;
    let tags_end = tags_end(&mut window).ok()?;
    let start =
        first_frame(&mut window, tags_end, tags_end.saturating_add(SEARCH_BYTES)).ok()??;
    let header = header_at(&mut window, start).ok()??;
    Tag::read(window.at(start, header.bytes).ok()?, header)?.padding
}

/// True when the view, after any tags, goes on as layer III frames.
pub(crate) fn looks_mp3(window: &mut Window<'_>) -> io::Result<bool> {
    let start = tags_end(window)?;
    Ok(first_frame(window, start, start.saturating_add(SEARCH_BYTES))?.is_some())
}

/// End of the ID3v2 tags at the start.
fn tags_end(window: &mut Window<'_>) -> io::Result<u64> {
    let mut at = 0u64;
    while let Some(bytes) = id3_bytes(window.at(at, 10)?) {
        at = at.saturating_add(bytes);
    }
    Ok(at)
}

/// Length of the ID3v2 tag that starts here.
fn id3_bytes(head: &[u8]) -> Option<u64> {
    let head = head
        .first_chunk::<10>()
        .filter(|head| head.starts_with(b"ID3") && head[6..].iter().all(|byte| byte & 0x80 == 0))?;
    let size = head[6..]
        .iter()
        .fold(0u64, |size, &byte| size << 7 | u64::from(byte));
    let footer = if head[5] & 0x10 != 0 { 10 } else { 0 };
    Some(10 + size + footer)
}

fn header_at(window: &mut Window<'_>, at: u64) -> io::Result<Option<Header>> {
    Ok(Header::read(window.at(at, 4)?))
}

/// The first place in `from..to` where frames follow one another. Two in a row suffice at `from`
/// itself and where the file ends; elsewhere three, because chance finds a header in a few hundred
/// bytes of noise.
fn first_frame(window: &mut Window<'_>, from: u64, to: u64) -> io::Result<Option<u64>> {
    for at in from..to.min(window.length()) {
        let wanted = if at == from { 2 } else { 3 };
        if chain(window, at, wanted)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn chain(window: &mut Window<'_>, start: u64, wanted: usize) -> io::Result<bool> {
    let Some(first) = header_at(window, start)? else {
        return Ok(false);
    };
    let mut at = start;
    for seen in 0..wanted {
        match header_at(window, at)? {
            Some(header) if header.continues(first) => at += header.bytes as u64,
            // One whole frame that ends with the file, or with a tag, is a (very short) stream.
            _ => return Ok(seen > 0 && at <= window.length() && is_trailer(window, at)?),
        }
    }
    Ok(true)
}

/// Whether a tag follows, or filling to the end, or nothing.
fn is_trailer(window: &mut Window<'_>, at: u64) -> io::Result<bool> {
    Ok(tag_end(window, at)?.is_some() || window.only_zeros_from(at)?)
}

/// Where the tag ends that stands at a place: ID3 of either version, APE or Lyrics3. `None`: none
/// does. Tags stand in the middle too, where files were put together.
fn tag_end(window: &mut Window<'_>, at: u64) -> io::Result<Option<u64>> {
    const ID3V1_BYTES: u64 = 128;
    const EXTENDED_BYTES: u64 = 227;
    const APE_HEAD_BYTES: u64 = 32;
    let head = window.at(at, APE_HEAD_BYTES as usize)?;
    let end = if head.starts_with(b"TAG+") {
        EXTENDED_BYTES
    } else if head.starts_with(b"TAG") {
        ID3V1_BYTES
    } else if head.starts_with(b"APETAGEX") && head.len() as u64 == APE_HEAD_BYTES {
        let number =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let is_head = number(20) >> 29 & 1 == 1;
        APE_HEAD_BYTES + if is_head { u64::from(number(12)) } else { 0 }
    } else if head.starts_with(b"LYRICSBEGIN") {
        // As long as it takes: its length stands at its end.
        let text = window.at(at, LYRICS_BYTES)?;
        let end = text
            .windows(9)
            .position(|nine| nine == b"LYRICS200" || nine == b"LYRICSEND");
        end.map_or(text.len(), |end| end + 9) as u64
    } else if id3_bytes(head).is_some() {
        id3_bytes(head).unwrap_or(0)
    } else {
        return Ok(None);
    };
    Ok(Some(at.saturating_add(end).min(window.length())))
}

/// Reads a stream that [`looks_mp3`], or that a WAV file says it is.
pub(crate) struct Reader<'s> {
    window: Window<'s>,
    container: Container,
    at: u64,
    start: u64,
    stream: Stream,
    /// What a header around the stream promises and is not there: milliseconds, and a sentence.
    missing: Option<(u64, String)>,
}

impl<'s> Reader<'s> {
    /// A stream of which something is missing as the header around it says.
    pub(crate) fn cut(self, missing: Option<(u64, String)>) -> Reader<'s> {
        Reader { missing, ..self }
    }

    pub(crate) fn open(
        mut window: Window<'s>,
        container: Container,
    ) -> Result<Reader<'s>, AudioError> {
        let tags_end = tags_end(&mut window)?;
        let Some(start) = first_frame(&mut window, tags_end, u64::MAX)? else {
            return Err(AudioError::undecodable("no MPEG audio frames"));
        };
        let Some(header) = header_at(&mut window, start)? else {
            return Err(AudioError::undecodable("no MPEG audio frames"));
        };
        let mut stream = Stream::new(header)?;
        if start > tags_end {
            stream.damage(format!(
                "{} bytes that are no MP3 frames before the first",
                start - tags_end
            ));
        }
        // Before samples are given, it must be known how many to leave out.
        let frame = window.at(start, header.bytes)?;
        stream.tag = if frame.len() == header.bytes {
            Tag::read(frame, header)
        } else {
            None
        };
        Ok(Reader {
            window,
            container,
            at: start,
            start,
            stream,
            missing: None,
        })
    }

    fn step(&mut self) -> Result<(), AudioError> {
        let first = self.stream.first;
        let ahead = self.window.at(self.at, FRAME_BYTES)?;
        let Some(header) = Header::read(ahead).filter(|header| header.continues(first)) else {
            let done = if self.is_changed()? {
                self.changed()
            } else {
                self.resync()
            };
            return Ok(done?);
        };
        match ahead.get(..header.bytes) {
            None => {
                let left = ahead.len();
                let lost_ms = if self.stream.declared().is_some() {
                    0
                } else {
                    header.milliseconds(1)
                };
                self.stream.lose(
                    lost_ms,
                    format!("the last MP3 frame is cut after {left} bytes"),
                );
                self.at += left as u64;
            }
            Some(frame) => {
                let is_tag = self.at == self.start && self.stream.tag.is_some();
                if !is_tag {
                    self.stream.frame(frame, header);
                }
                self.at += header.bytes as u64;
            }
        }
        Ok(())
    }

    /// Whether frames follow that go together, and not with those before.
    fn is_changed(&mut self) -> io::Result<bool> {
        Ok(header_at(&mut self.window, self.at)?.is_some() && chain(&mut self.window, self.at, 3)?)
    }

    /// Leaves out frames of another rate or of other channels, however many there are: what is
    /// decoded has one form.
    fn changed(&mut self) -> io::Result<()> {
        let Some(other) = header_at(&mut self.window, self.at)? else {
            return Ok(());
        };
        let mut frames = 0;
        while let Some(header) =
            header_at(&mut self.window, self.at)?.filter(|header| header.continues(other))
        {
            self.at += header.bytes as u64;
            frames += 1;
        }
        let Header {
            channels,
            sample_rate,
            ..
        } = self.stream.first;
        let what = format!(
            "{} channels at {} Hz follow where {channels} at {sample_rate} Hz came before; \
             {frames} frames are left out",
            other.channels, other.sample_rate
        );
        self.stream.lose(other.milliseconds(frames), what);
        Ok(())
    }

    /// Goes on to the next frame that others follow, or to the end.
    fn resync(&mut self) -> io::Result<()> {
        if let Some(end) = tag_end(&mut self.window, self.at)? {
            self.at = end.max(self.at + 1);
            return Ok(());
        }
        if self.window.only_zeros_from(self.at)? {
            self.at = self.window.length();
            return Ok(());
        }
        let mut next = self.at + 1;
        while next < self.window.length() && !self.goes_on(next)? {
            next += 1;
        }
        let skipped = next - self.at;
        // Notes behind the sound are no sound.
        let is_text = next >= self.window.length()
            && sniff::is_text(self.window.at(self.at, sniff::TEXT_BYTES)?);
        let lost_ms = if is_text {
            0
        } else {
            self.stream.by_bytes(skipped)
        };
        self.stream.lose(
            lost_ms,
            format!("{skipped} bytes that are no MP3 frames skipped"),
        );
        self.at = next;
        Ok(())
    }

    /// Whether frames follow, or a tag.
    fn goes_on(&mut self, at: u64) -> io::Result<bool> {
        Ok(header_at(&mut self.window, at)?.is_some() && chain(&mut self.window, at, 3)?)
    }
}

impl BlockReader for Reader<'_> {
    fn head(&self) -> Head {
        let Header {
            channels,
            sample_rate,
            ..
        } = self.stream.first;
        Head {
            container: self.container,
            codec: Codec::Mp3,
            channels: channels as u16,
            sample_rate,
        }
    }

    fn read(&mut self, _: Need, out: &mut [Vec<i16>]) -> Result<Progress, AudioError> {
        for _ in 0..READ_FRAMES {
            if self.at >= self.window.length() {
                self.stream.end(self.missing.take(), out);
                return Ok(Progress::Ended);
            }
            self.step()?;
        }
        self.stream.give(out);
        Ok(Progress::More)
    }

    fn ending(self: Box<Self>) -> (u64, Vec<Damage>) {
        (self.stream.given, self.stream.damage.into_vec())
    }
}

/// What becomes of the frames.
struct Stream {
    first: Header,
    /// What the first frame said instead of sound.
    tag: Option<Tag>,
    decoder: Box<dyn AudioDecoder>,
    /// Decoded and not yet given.
    channels: Vec<Vec<i16>>,
    frames: u64,
    /// Bytes of these frames.
    bytes: u64,
    /// Samples per channel left out at the start so far.
    left_out: u64,
    /// Samples per channel given so far.
    given: u64,
    /// Bytes of earlier frames that the next one may borrow from; `None` before the first frame
    /// with sound.
    reservoir: Option<usize>,
    damage: DamageLog,
}

impl Stream {
    fn new(first: Header) -> Result<Stream, AudioError> {
        let mut parameters = AudioCodecParameters::new();
        parameters
            .for_codec(CODEC_ID_MP3)
            .with_sample_rate(first.sample_rate);
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(&parameters, &AudioDecoderOptions::default().gapless(false))
            .map_err(|error| AudioError::unsupported(format!("mp3: {error}")))?;
        let channels = vec![Vec::new(); first.channels];
        let (damage, reservoir) = (DamageLog::default(), None);
        Ok(Stream {
            first,
            tag: None,
            decoder,
            channels,
            frames: 0,
            bytes: 0,
            left_out: 0,
            given: 0,
            reservoir,
            damage,
        })
    }

    fn damage(&mut self, what: String) {
        self.lose(0, what);
    }

    /// How many frames the file says it has, where that was filled in.
    fn declared(&self) -> Option<u64> {
        self.tag
            .and_then(|tag| tag.frames)
            .filter(|&frames| frames != 0 && frames != u64::from(u32::MAX))
    }

    /// Sound that so many bytes without frames stand for: by the frames that were read, and none
    /// where the file says how many frames it has.
    fn by_bytes(&self, bytes: u64) -> u64 {
        if self.declared().is_some() || self.bytes == 0 {
            return 0;
        }
        let samples = u128::from(bytes) * u128::from(self.frames * self.first.samples())
            / u128::from(self.bytes);
        at_ms(samples as u64, self.first.sample_rate)
    }

    fn lose(&mut self, lost_ms: u64, what: String) {
        let at = (self.frames * self.first.samples()).saturating_sub(self.delay());
        self.damage
            .lose(at_ms(at, self.first.sample_rate), lost_ms, what);
    }

    fn frame(&mut self, frame: &[u8], header: Header) {
        let is_whole = self.check_reservoir(frame, header);
        let packet = PacketRef::new(0, Timestamp::ZERO, Duration::from(header.samples()), frame);
        let samples = header.samples() as usize;
        let length = self.channels[0].len() + samples;
        let decoded = match self.decoder.decode_ref(&packet) {
            Ok(GenericAudioBufferRef::F32(buffer)) => {
                for (index, channel) in self.channels.iter_mut().enumerate() {
                    channel.extend(
                        buffer
                            .plane(index)
                            .unwrap_or(&[])
                            .iter()
                            .take(samples)
                            .map(|&value| sample(value)),
                    );
                }
                None
            }
            Ok(_) => Some("an unexpected sample type".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(cause) = decoded {
            // Counted once, if bytes of it are known to be missing.
            let lost_ms = if is_whole { header.milliseconds(1) } else { 0 };
            self.lose(
                lost_ms,
                format!("an MP3 frame cannot be decoded ({cause}); silence stands in its place"),
            );
        }
        self.frames += 1;
        self.bytes += frame.len() as u64;
        self.channels
            .iter_mut()
            .for_each(|channel| channel.resize(length, 0));
    }

    /// A frame may start in the bytes of frames before it. If those are gone, part of it is silent,
    /// and the decoder does not say so. Whether they are all there.
    fn check_reservoir(&mut self, frame: &[u8], header: Header) -> bool {
        let at = header.main_data_at();
        let side = at - header.side_info_bytes();
        let borrowed = match (header.mpeg1, frame.get(side..side + 2)) {
            (true, Some(two)) => usize::from(two[0]) << 1 | usize::from(two[1] >> 7),
            (false, Some(two)) => usize::from(two[0]),
            (_, None) => 0,
        };
        let kept = self.reservoir.unwrap_or(0);
        if borrowed > kept {
            let what = match self.reservoir {
                None => {
                    "the stream starts in the middle: its first frame needs bytes from before it"
                        .to_owned()
                }
                Some(_) => format!("{} bytes of an MP3 frame are missing", borrowed - kept),
            };
            self.lose(header.milliseconds(1), what);
        }
        self.reservoir =
            Some((kept + frame.len().saturating_sub(at)).min(if header.mpeg1 { 511 } else { 255 }));
        borrowed <= kept
    }

    /// Samples to leave out at the start: the encoder's and the decoder's delay, where the encoder
    /// says its own.
    fn delay(&self) -> u64 {
        self.tag
            .and_then(|tag| tag.padding)
            .map_or(0, |(delay, _)| delay + DECODER_DELAY)
    }

    /// Samples that may have to be left out at the end, at most 4095.
    fn padding(&self) -> u64 {
        self.tag
            .and_then(|tag| tag.padding)
            .map_or(0, |(_, padding)| padding.saturating_sub(DECODER_DELAY))
    }

    /// Appends to `out` what is known to be sound: all but the last samples, which may turn out to
    /// be padding.
    fn give(&mut self, out: &mut [Vec<i16>]) {
        self.give_all_but(self.padding(), out);
    }

    /// Gives the rest. Padding is left out only when every declared frame is there: otherwise what
    /// looks like padding is sound. `missing` is what a header around the stream promises.
    fn end(&mut self, missing: Option<(u64, String)>, out: &mut [Vec<i16>]) {
        let declared = self.declared();
        if let Some(declared) = declared.filter(|&declared| declared > self.frames) {
            let lost_ms = self.first.milliseconds(declared - self.frames);
            self.lose(
                lost_ms,
                format!(
                    "stream ends early: {} of {declared} frames are there",
                    self.frames
                ),
            );
        } else if let Some((lost_ms, what)) = missing {
            self.lose(lost_ms, what);
        }
        let whole = declared.is_none_or(|declared| declared == self.frames);
        self.give_all_but(if whole { self.padding() } else { 0 }, out);
    }

    fn give_all_but(&mut self, kept: u64, out: &mut [Vec<i16>]) {
        let there = self.channels[0].len() as u64;
        let start = (self.delay() - self.left_out).min(there);
        let end = there.saturating_sub(kept).max(start);
        for (channel, out) in self.channels.iter_mut().zip(out) {
            out.extend_from_slice(&channel[start as usize..end as usize]);
            channel.drain(..end as usize);
        }
        self.left_out += start;
        self.given += end - start;
    }
}

/// Rounds to the nearest 16-bit value, as ffmpeg does; exact silence stays exact.
pub(crate) fn sample(value: f32) -> i16 {
    // `as` saturates, and turns a NaN from a hostile stream into 0.
    (value * 32_768.0).round_ties_even() as i16
}
