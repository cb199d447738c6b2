//! The bytes of a recording: made from its seed, damaged where the world says so, or read from an imported file.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use audio::{Codec, Pcm};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::generated::RATE;
use super::settings::SourceCodec;
use super::{Damage, Recording, Sound, corrupt_media};
use crate::seed::Seed;

/// Media kept for the requests that follow each other on one recording (HEAD, GET, resumed GET). Bytes; more would make a large world's memory grow.
const KEPT_BYTES: usize = 32 * 1024 * 1024;

/// The bytes of a recording.
pub(crate) struct Media {
    pub(crate) bytes: Bytes,
    /// Hex.
    pub(crate) sha256: String,
}

impl Media {
    fn of(bytes: Vec<u8>) -> Media {
        let sha256 = hex::encode(Sha256::digest(&bytes));
        Media { bytes: Bytes::from(bytes), sha256 }
    }

    /// A strong validator: the head of the content's hash, quoted.
    pub(crate) fn etag(&self) -> String {
        format!("\"{}\"", &self.sha256[..16])
    }
}

/// Why there are no bytes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MediaError {
    #[error("media of recording {id}: {source}")]
    Unreadable { id: String, source: std::io::Error },
    #[error("media of recording {id} could not be made: {reason}")]
    Unmade { id: String, reason: String },
}

/// The most recently made media.
#[derive(Default)]
pub(crate) struct MediaCache {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    media: HashMap<String, Arc<Media>>,
    /// Ids, the oldest first.
    order: VecDeque<String>,
    bytes: usize,
}

impl Kept {
    fn add(&mut self, id: &str, media: &Arc<Media>) {
        if self.media.insert(id.to_owned(), media.clone()).is_some() {
            return;
        }
        self.order.push_back(id.to_owned());
        self.bytes += media.bytes.len();
        while self.bytes > KEPT_BYTES
            && let Some(oldest) = self.order.pop_front()
        {
            self.bytes -= self.media.remove(&oldest).map_or(0, |media| media.bytes.len());
        }
    }
}

impl MediaCache {
    /// What was made not long ago.
    pub(crate) fn made(&self, recording: &Recording) -> Option<Arc<Media>> {
        self.kept().media.get(&recording.id).cloned()
    }

    pub(crate) fn get(&self, recording: &Recording) -> Result<Arc<Media>, MediaError> {
        if let Some(media) = self.made(recording) {
            return Ok(media);
        }
        let media = Arc::new(Media::of(bytes_of(recording)?));
        self.kept().add(&recording.id, &media);
        Ok(media)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bytes_of(recording: &Recording) -> Result<Vec<u8>, MediaError> {
    match &recording.sound {
        Sound::File(path) => std::fs::read(path).map_err(|source| MediaError::Unreadable { id: recording.id.clone(), source }),
        Sound::Made { damage: Damage::Empty, .. } => Ok(Vec::new()),
        Sound::Made { damage: Damage::Html, .. } => Ok(corrupt_media::HTML.to_vec()),
        Sound::Made { damage: Damage::Json, .. } => Ok(corrupt_media::JSON.to_vec()),
        Sound::Made { seed, damage: Damage::Noise, .. } => Ok(corrupt_media::noise(*seed, 4096 + seed.below(8192))),
        Sound::Made { seed, damage: Damage::Undecodable, .. } => Ok(corrupt_media::no_channels(*seed, RATE)),
        Sound::Made { seed, damage: Damage::Unsupported, .. } => Ok(corrupt_media::unknown_codec(*seed, RATE)),
        Sound::Made { seed, codec, damage } => {
            let unmade = |error: audio::AudioError| MediaError::Unmade { id: recording.id.clone(), reason: error.to_string() };
            let pcm = pcm(recording, *seed, *damage);
            let mut bytes = audio::encode(&pcm, codec.encoder()).map_err(unmade)?;
            if *damage == Damage::ChannelsChange {
                bytes.extend(audio::encode(&other_half(&pcm), codec.encoder()).map_err(unmade)?);
            }
            Ok(written(bytes, *seed, *damage))
        }
    }
}

/// Length in bytes, where the codec spends as many on silence as on speech: making the speech is what takes long.
pub(super) fn length(recording: &Recording) -> Option<u64> {
    let Sound::Made { codec, damage: Damage::None, .. } = &recording.sound else { return None };
    match codec {
        SourceCodec::Pcm | SourceCodec::Mulaw | SourceCodec::Alaw | SourceCodec::Adpcm | SourceCodec::Gsm => {}
        SourceCodec::Mp3 | SourceCodec::Amr => return None,
    }
    let length_ms = recording.declared_ms();
    let silence = vec![0; super::speech::samples_in(length_ms, recording.sample_rate)];
    let silence = Pcm { sample_rate: recording.sample_rate, channels: vec![silence; usize::from(recording.channels == 2) + 1] };
    audio::encode(&silence, codec.encoder()).ok().map(|bytes| bytes.len() as u64)
}

/// The file as the recorder left it.
fn written(mut bytes: Vec<u8>, seed: Seed, damage: Damage) -> Vec<u8> {
    match damage {
        Damage::Truncated => {
            bytes.truncate(bytes.len() / 3);
            bytes
        }
        Damage::LengthUnknown => corrupt_media::length_unknown(bytes),
        Damage::LengthZero => corrupt_media::length_never_filled_in(bytes),
        Damage::LengthTooLong => corrupt_media::length_too_long(bytes),
        Damage::ListFirst => corrupt_media::chunk_before_data(bytes, b"LIST", corrupt_media::LIST),
        Damage::OddChunk => corrupt_media::chunk_before_data(bytes, b"note", b"seventh"),
        Damage::BytesAfterEnd => [bytes, corrupt_media::noise(seed.child("after"), 336)].concat(),
        Damage::ZerosAfterEnd => corrupt_media::filled_up(bytes),
        Damage::Id3 => corrupt_media::with_id3(&bytes),
        Damage::None
        | Damage::Empty
        | Damage::Html
        | Damage::Json
        | Damage::Noise
        | Damage::Undecodable
        | Damage::Unsupported
        | Damage::ChannelsChange
        | Damage::Short
        | Damage::Silence
        | Damage::Doubled => bytes,
    }
}

/// The sound before it is encoded. `Short` holds a third of the declared length.
pub(super) fn pcm(recording: &Recording, seed: Seed, damage: Damage) -> Pcm {
    let declared_ms = recording.declared_ms();
    let length_ms = if damage == Damage::Short { declared_ms / 3 / 40 * 40 } else { declared_ms };
    let stereo = recording.channels == 2 && damage != Damage::Doubled;
    let mut channels = super::speech::conversation(seed, recording.sample_rate, length_ms, stereo, &recording.pauses);
    if damage == Damage::Doubled {
        channels.extend_from_within(..1);
    }
    if damage == Damage::Silence {
        channels.iter_mut().for_each(|channel| channel.fill(0));
    }
    Pcm { sample_rate: recording.sample_rate, channels }
}

/// The same sound with another number of channels.
fn other_half(pcm: &Pcm) -> Pcm {
    let channels = match pcm.channels.as_slice() {
        [one] => vec![one.clone(), one.clone()],
        more => more.iter().take(1).cloned().collect(),
    };
    Pcm { sample_rate: pcm.sample_rate, channels }
}

impl SourceCodec {
    pub(super) fn encoder(self) -> Codec {
        match self {
            SourceCodec::Pcm => Codec::PcmS16,
            SourceCodec::Mulaw => Codec::Mulaw,
            SourceCodec::Alaw => Codec::Alaw,
            SourceCodec::Adpcm => Codec::ImaAdpcm,
            SourceCodec::Mp3 => Codec::Mp3,
            SourceCodec::Amr => Codec::AmrNb,
            SourceCodec::Gsm => Codec::GsmWav49,
        }
    }
}
