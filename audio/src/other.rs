//! What only symphonia reads: AAC (bare or in MPEG-4), FLAC, Ogg Vorbis. Rare in call recording, so taken as they come.

use crate::format::{AudioError, Codec, Container, DamageLog, Probe};
use crate::mp3::sample;
use crate::pcm::{Pcm, at_ms};
use std::io::Cursor;
use symphonia::core::audio::{Audio, GenericAudioBufferRef};
use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_FLAC, CODEC_ID_MP3, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{AudioCodecId, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

/// Decoded bytes allowed for a byte of input. Digital silence in FLAC reaches about 820 with the usual frames of 4096
/// samples; beyond that a file is made to fill memory.
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

/// Three ADTS headers in a row, or fewer that end with the file.
fn looks_adts(bytes: &[u8]) -> bool {
    let mut at = 0;
    for seen in 0..3 {
        match bytes.get(at..at + 7) {
            Some(head) if head[0] == 0xFF && head[1] & 0xF6 == 0xF0 => {
                let size = usize::from(head[3] & 3) << 11 | usize::from(head[4]) << 3 | usize::from(head[5] >> 5);
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
    [(CODEC_ID_AAC, Codec::Aac), (CODEC_ID_FLAC, Codec::Flac), (CODEC_ID_VORBIS, Codec::Vorbis), (CODEC_ID_MP3, Codec::Mp3)]
        .into_iter()
        .find_map(|(known, codec)| (known == id).then_some(codec))
}

/// Decodes the first audio track.
pub(crate) fn decode(bytes: &[u8], container: Container) -> Result<(Probe, Pcm), AudioError> {
    let stream = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    let mut hint = Hint::new();
    hint.with_extension(container.extension());
    let failed = |error: Error| AudioError::undecodable(format!("{container}: {error}"));
    let mut format =
        symphonia::default::get_probe().probe(&hint, stream, FormatOptions::default(), MetadataOptions::default()).map_err(failed)?;
    let track = format.default_track(TrackType::Audio);
    let parameters = track.and_then(|track| Some((track.id, track.codec_params.as_ref()?.audio()?.clone())));
    let Some((track, parameters)) = parameters else {
        return Err(AudioError::undecodable(format!("{container} without an audio track")));
    };
    let Some(codec) = codec(parameters.codec) else {
        return Err(AudioError::unsupported(format!("{container} with codec {}", parameters.codec)));
    };
    let mut decoder = symphonia::default::get_codecs().make_audio_decoder(&parameters, &AudioDecoderOptions::default()).map_err(failed)?;
    let mut out = Gathered::new(container, codec, bytes.len() as u64);
    loop {
        match format.next_packet() {
            Ok(Some(packet)) if packet.track_id == track => match decoder.decode(&packet) {
                Ok(buffer) => out.take(&buffer)?,
                Err(error) => out.damage(format!("a packet cannot be decoded: {error}")),
            },
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) => {
                out.damage(format!("the stream breaks off: {error}"));
                break;
            }
        }
    }
    out.finish()
}

struct Gathered {
    container: Container,
    codec: Codec,
    limit: u64,
    pcm: Pcm,
    damage: DamageLog,
}

impl Gathered {
    fn new(container: Container, codec: Codec, input_bytes: u64) -> Gathered {
        let limit = FREE_BYTES.saturating_add(MOST_GROWTH.saturating_mul(input_bytes));
        Gathered { container, codec, limit, pcm: Pcm::default(), damage: DamageLog::default() }
    }

    fn damage(&mut self, what: String) {
        self.damage.push(at_ms(self.pcm.samples() as u64, self.pcm.sample_rate), what);
    }

    fn take(&mut self, buffer: &GenericAudioBufferRef<'_>) -> Result<(), AudioError> {
        if buffer.frames() == 0 {
            return Ok(());
        }
        if self.pcm.channels.is_empty() {
            self.pcm.sample_rate = buffer.spec().rate();
            self.pcm.channels = vec![Vec::new(); buffer.num_planes()];
        }
        if (self.pcm.sample_rate, self.pcm.channels.len()) != (buffer.spec().rate(), buffer.num_planes()) {
            self.damage("rate or channels change here; the rest is left out".to_owned());
            return Ok(());
        }
        let bytes = (self.pcm.samples() + buffer.frames()) as u64 * 2 * self.pcm.channels.len() as u64;
        if bytes > self.limit {
            return Err(AudioError::undecodable(format!("{} grows beyond {} bytes", self.container, self.limit)));
        }
        for (index, channel) in self.pcm.channels.iter_mut().enumerate() {
            match buffer {
                GenericAudioBufferRef::F32(b) => channel.extend(b.plane(index).unwrap_or(&[]).iter().map(|&v| sample(v))),
                GenericAudioBufferRef::S32(b) => {
                    channel.extend(b.plane(index).unwrap_or(&[]).iter().map(|&v| (v >> 16) as i16));
                }
                GenericAudioBufferRef::S16(b) => channel.extend_from_slice(b.plane(index).unwrap_or(&[])),
                _ => {
                    return Err(AudioError::unsupported(format!("{} with odd samples", self.codec)));
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<(Probe, Pcm), AudioError> {
        let probe = Probe {
            container: self.container,
            codec: self.codec,
            channels: self.pcm.channels.len() as u16,
            sample_rate: self.pcm.sample_rate,
            samples: self.pcm.samples() as u64,
            damage: self.damage.into_vec(),
        };
        Ok((probe, self.pcm))
    }
}
