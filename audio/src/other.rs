//! What only symphonia reads: AAC (bare or in MPEG-4), FLAC, Ogg Vorbis. Rare in call recording, so
//! taken as they come.

use crate::blocks::{BlockReader, Need, Progress};
use crate::format::{AudioError, Codec, Container, Damage, DamageLog, Head};
use crate::mp3::sample;
use crate::pcm::at_ms;
use crate::window::{Source, Window};
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, OnceLock};
use symphonia::core::audio::{Audio, GenericAudioBufferRef};
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_FLAC, CODEC_ID_MP3, CODEC_ID_VORBIS,
};
use symphonia::core::codecs::audio::{AudioCodecId, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;

/// Decoded bytes allowed for a byte of input. Digital silence in FLAC reaches about 820 with the
/// usual frames of 4096 samples; beyond that a file is made to fill memory.
const MOST_GROWTH: u64 = 1024;
/// Allowed whatever the input: short files have short headers.
const FREE_BYTES: u64 = 16 << 20;

/// The container, by its first bytes.
pub(crate) fn container(bytes: &[u8]) -> Option<Container> {
    if bytes.starts_with(b"fLaC") {
        Some(Container::Flac)
    } else if bytes.starts_with(b"OggS") {
        Some(Container::Ogg)
    } else if bytes.get(4..8) == Some(b"ftyp") {
        Some(Container::Mp4)
    } else if looks_adts(bytes) {
        Some(Container::Adts)
    } else {
        None
    }
}

/// What the first stream of an Ogg file is called, where it is one that has no reader here. Source:
/// the codecs' Ogg mappings.
pub(crate) fn ogg_codec(bytes: &[u8]) -> Option<&'static str> {
    let first = bytes.starts_with(b"OggS").then(|| bytes.get(28..))??;
    let known: [(&[u8], &str); 3] = [
        (b"Speex   ", "Speex"),
        (b"PCM     ", "PCM"),
        (b"CELT    ", "CELT"),
    ];
    known
        .into_iter()
        .find(|(start, _)| first.starts_with(start))
        .map(|(_, name)| name)
}

/// Three ADTS headers in a row, or fewer that end with the file.
fn looks_adts(bytes: &[u8]) -> bool {
    let mut at = 0;
    for seen in 0..3 {
        match bytes.get(at..at + 7) {
            Some(head) if head[0] == 0xFF && head[1] & 0xF6 == 0xF0 => {
                let size = usize::from(head[3] & 3) << 11
                    | usize::from(head[4]) << 3
                    | usize::from(head[5] >> 5);
                if size < 7 {
                    return false;
                }
                at += size;
            }
            _ => return seen > 0 && at >= bytes.len(),
        }
    }
    true
}

fn codec(id: AudioCodecId) -> Option<Codec> {
    [
        (CODEC_ID_AAC, Codec::Aac),
        (CODEC_ID_FLAC, Codec::Flac),
        (CODEC_ID_VORBIS, Codec::Vorbis),
        (CODEC_ID_MP3, Codec::Mp3),
    ]
    .into_iter()
    .find_map(|(known, codec)| (known == id).then_some(codec))
}

/// Opens the first audio track. Rate and channels are known only when samples come, so it is read
/// up to there.
pub(crate) fn open(
    window: Window<'_>,
    container: Container,
) -> Result<Box<dyn BlockReader + '_>, AudioError> {
    let input_bytes = window.length();
    let failure = Failure::default();
    let input = Input {
        source: window.into_source()?,
        length: input_bytes,
        failure: failure.clone(),
    };
    let stream = MediaSourceStream::new(Box::new(input), Default::default());
    let mut hint = Hint::new();
    hint.with_extension(container.extension());
    let failed =
        |error: Error| failure.or(AudioError::undecodable(format!("{container}: {error}")));
    let format = symphonia::default::get_probe()
        .probe(
            &hint,
            stream,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .map_err(failed)?;
    let track = format.default_track(TrackType::Audio);
    // FLAC and MPEG-4 say how much there is.
    let promised = track
        .and_then(|track| track.num_frames)
        .filter(|_| matches!(container, Container::Flac | Container::Mp4));
    let parameters =
        track.and_then(|track| Some((track.id, track.codec_params.as_ref()?.audio()?.clone())));
    let Some((track, parameters)) = parameters else {
        return Err(AudioError::undecodable(format!(
            "{container} without an audio track"
        )));
    };
    let Some(codec) = codec(parameters.codec) else {
        return Err(AudioError::unsupported(format!(
            "{container} with codec {}",
            parameters.codec
        )));
    };
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(&parameters, &AudioDecoderOptions::default())
        .map_err(|error| match error {
            Error::Unsupported(what) => failure.or(AudioError::unsupported(format!(
                "{container} with {codec}: {what}"
            ))),
            error => failed(error),
        })?;
    let mut taken = Taken::new(container, codec, input_bytes);
    taken.promised = promised;
    let mut reader = Reader {
        format,
        track,
        decoder,
        failure,
        taken,
    };
    while reader.taken.samples == 0 && reader.packet()? == Progress::More {}
    Ok(Box::new(reader))
}

/// What symphonia reads from. It takes an error of the disk for one of the file; here the two are
/// told apart.
struct Input<'s> {
    source: Box<dyn Source + 's>,
    length: u64,
    failure: Failure,
}

impl Read for Input<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.source
            .read(into)
            .inspect_err(|error| self.failure.note(error))
    }
}

impl Seek for Input<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.source
            .seek(to)
            .inspect_err(|error| self.failure.note(error))
    }
}

impl MediaSource for Input<'_> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length)
    }
}

/// The first error of the source, if there was one.
#[derive(Clone, Default)]
struct Failure(Arc<OnceLock<(io::ErrorKind, String)>>);

impl Failure {
    fn note(&self, error: &io::Error) {
        // Asked to try again, or to seek before the start: nothing is wrong with the source.
        if !matches!(
            error.kind(),
            io::ErrorKind::Interrupted | io::ErrorKind::InvalidInput
        ) {
            self.0.get_or_init(|| (error.kind(), error.to_string()));
        }
    }

    /// What to say instead of `error`.
    fn or(&self, error: AudioError) -> AudioError {
        self.check().err().unwrap_or(error)
    }

    fn check(&self) -> Result<(), AudioError> {
        match self.0.get() {
            Some((kind, what)) => Err(AudioError::Io(io::Error::new(*kind, what.clone()))),
            None => Ok(()),
        }
    }
}

struct Reader<'s> {
    format: Box<dyn FormatReader + 's>,
    track: u32,
    decoder: Box<dyn AudioDecoder>,
    failure: Failure,
    taken: Taken,
}

impl Reader<'_> {
    /// Takes one packet of the track.
    fn packet(&mut self) -> Result<Progress, AudioError> {
        match self.format.next_packet() {
            Ok(Some(packet)) if packet.track_id == self.track => match self.decoder.decode(&packet)
            {
                Ok(buffer) => self.taken.take(&buffer)?,
                Err(error) => self
                    .taken
                    .lose_packet(format!("a packet cannot be decoded: {error}")),
            },
            Ok(Some(_)) => {}
            Ok(None) => {
                self.failure.check()?;
                self.taken.end();
                return Ok(Progress::Ended);
            }
            Err(error) => {
                self.failure.check()?;
                self.taken.damage(format!("the stream breaks off: {error}"));
                self.taken.end();
                return Ok(Progress::Ended);
            }
        }
        Ok(Progress::More)
    }
}

impl BlockReader for Reader<'_> {
    fn head(&self) -> Head {
        let Taken {
            container,
            codec,
            sample_rate,
            ..
        } = self.taken;
        Head {
            container,
            codec,
            channels: self.taken.channels.len() as u16,
            sample_rate,
        }
    }

    fn read(&mut self, _: Need, out: &mut [Vec<i16>]) -> Result<Progress, AudioError> {
        // The first packet is there since the file was opened.
        let mut progress = Progress::More;
        if self.taken.channels.iter().all(Vec::is_empty) {
            progress = self.packet()?;
        }
        self.taken
            .channels
            .iter_mut()
            .zip(out)
            .for_each(|(taken, out)| out.append(taken));
        Ok(progress)
    }

    fn ending(self: Box<Self>) -> (u64, Vec<Damage>) {
        (self.taken.samples, self.taken.damage.into_vec())
    }
}

/// What becomes of the packets.
struct Taken {
    container: Container,
    codec: Codec,
    /// Decoded bytes allowed.
    limit: u64,
    /// 0 until samples came.
    sample_rate: u32,
    /// Decoded and not yet given; no lists until samples came.
    channels: Vec<Vec<i16>>,
    /// Samples per channel so far.
    samples: u64,
    /// Samples per channel of the last packet.
    last: u64,
    /// Samples per channel that the container says there are. Absent: it does not say.
    promised: Option<u64>,
    damage: DamageLog,
}

impl Taken {
    fn new(container: Container, codec: Codec, input_bytes: u64) -> Taken {
        let limit = FREE_BYTES.saturating_add(MOST_GROWTH.saturating_mul(input_bytes));
        Taken {
            container,
            codec,
            limit,
            sample_rate: 0,
            channels: Vec::new(),
            samples: 0,
            last: 0,
            promised: None,
            damage: DamageLog::default(),
        }
    }

    fn damage(&mut self, what: String) {
        self.lose(0, what);
    }

    /// Damage that costs so many samples.
    fn lose(&mut self, samples: u64, what: String) {
        self.damage.lose(
            at_ms(self.samples, self.sample_rate),
            at_ms(samples, self.sample_rate),
            what,
        );
    }

    /// Damage that costs a packet; where the container says how much there is, that is counted at
    /// the end.
    fn lose_packet(&mut self, what: String) {
        self.lose(
            if self.promised.is_some() {
                0
            } else {
                self.last
            },
            what,
        );
    }

    /// Holds what came against what the container says.
    fn end(&mut self) {
        let missing = self
            .promised
            .and_then(|promised| promised.checked_sub(self.samples))
            .filter(|&samples| samples > 0);
        // The first and the last packet of AAC are not played whole: up to 2112 samples before, a
        // packet behind.
        if let Some(samples) = missing.filter(|&samples| samples > 4096) {
            let what = format!(
                "the stream ends early: {} of {} samples are there",
                self.samples,
                self.samples + samples
            );
            self.lose(samples, what);
        }
    }

    fn take(&mut self, buffer: &GenericAudioBufferRef<'_>) -> Result<(), AudioError> {
        if buffer.frames() == 0 {
            return Ok(());
        }
        if self.channels.is_empty() {
            self.sample_rate = buffer.spec().rate();
            self.channels = vec![Vec::new(); buffer.num_planes()];
        }
        if (self.sample_rate, self.channels.len()) != (buffer.spec().rate(), buffer.num_planes()) {
            self.lose(
                buffer.frames() as u64,
                "rate or channels change here; this part is left out".to_owned(),
            );
            return Ok(());
        }
        let samples = self.samples + buffer.frames() as u64;
        if samples * 2 * self.channels.len() as u64 > self.limit {
            return Err(AudioError::undecodable(format!(
                "{} grows beyond {} bytes",
                self.container, self.limit
            )));
        }
        for (index, channel) in self.channels.iter_mut().enumerate() {
            match buffer {
                GenericAudioBufferRef::F32(b) => {
                    channel.extend(b.plane(index).unwrap_or(&[]).iter().map(|&v| sample(v)))
                }
                GenericAudioBufferRef::S32(b) => {
                    channel.extend(
                        b.plane(index)
                            .unwrap_or(&[])
                            .iter()
                            .map(|&v| (v >> 16) as i16),
                    );
                }
                GenericAudioBufferRef::S16(b) => {
                    channel.extend_from_slice(b.plane(index).unwrap_or(&[]))
                }
                _ => {
                    return Err(AudioError::unsupported(format!(
                        "{} with odd samples",
                        self.codec
                    )));
                }
            }
        }
        (self.samples, self.last) = (samples, buffer.frames() as u64);
        Ok(())
    }
}
