//! The bytes of a recording: made from its seed, damaged where the world says so, or read from an
//! imported file.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use audio::{Codec, Pcm};
use bytes::Bytes;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::defects::Damage;
use super::settings::SourceCodec;
use super::{Recording, Sound};
use crate::seed::Seed;

/// Media kept for the requests that follow each other on one recording (HEAD, GET, resumed GET).
/// Bytes; more would make a large world's memory grow.
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
        Media {
            bytes: Bytes::from(bytes),
            sha256,
        }
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
            self.bytes -= self
                .media
                .remove(&oldest)
                .map_or(0, |media| media.bytes.len());
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

    fn kept(&self) -> parking_lot::MutexGuard<'_, Kept> {
        self.kept.lock()
    }
}

fn bytes_of(recording: &Recording) -> Result<Vec<u8>, MediaError> {
    let (seed, codec) = match &recording.sound {
        Sound::File(path) => {
            return std::fs::read(path).map_err(|source| MediaError::Unreadable {
                id: recording.id.clone(),
                source,
            });
        }
        Sound::Made { seed, codec } => (*seed, codec.encoder()),
    };
    let damage = damage(recording);
    if let Some(Damage::Instead(bytes)) = damage {
        return Ok(bytes(seed));
    }
    let encode = |pcm: &Pcm| {
        audio::encode(pcm, codec).map_err(|error| MediaError::Unmade {
            id: recording.id.clone(),
            reason: error.to_string(),
        })
    };
    let pcm = pcm(recording, seed);
    let bytes = encode(&pcm)?;
    match damage {
        Some(Damage::File(change)) => Ok(change(bytes, seed)),
        Some(Damage::Followed(more)) => Ok([bytes, encode(&more(&pcm))?].concat()),
        Some(Damage::Instead(_) | Damage::Shortened(_) | Damage::Silent | Damage::Doubled)
        | None => Ok(bytes),
    }
}

/// What is wrong with its bytes on purpose.
fn damage(recording: &Recording) -> Option<Damage> {
    recording
        .planted
        .and_then(|planted| planted.kind.making().damage)
}

/// Length in bytes, where the codec spends as many on silence as on speech: making the speech is
/// what takes long.
pub(super) fn length(recording: &Recording) -> Option<u64> {
    let Sound::Made { codec, .. } = &recording.sound else {
        return None;
    };
    if damage(recording).is_some() {
        return None;
    }
    match codec {
        SourceCodec::Pcm
        | SourceCodec::Mulaw
        | SourceCodec::Alaw
        | SourceCodec::Adpcm
        | SourceCodec::Gsm => {}
        SourceCodec::Mp3 | SourceCodec::Amr => return None,
    }
    let length_ms = recording.declared_ms();
    let silence = vec![0; super::speech::samples_in(length_ms, recording.sample_rate)];
    let silence = Pcm {
        sample_rate: recording.sample_rate,
        channels: vec![silence; usize::from(recording.channels == 2) + 1],
    };
    audio::encode(&silence, codec.encoder())
        .ok()
        .map(|bytes| bytes.len() as u64)
}

/// The sound before it is encoded.
pub(super) fn pcm(recording: &Recording, seed: Seed) -> Pcm {
    let (damage, declared_ms) = (damage(recording), recording.declared_ms());
    let length_ms = if let Some(Damage::Shortened(shorter)) = damage {
        shorter(declared_ms)
    } else {
        declared_ms
    };
    let is_doubled = matches!(damage, Some(Damage::Doubled));
    let stereo = recording.channels == 2 && !is_doubled;
    let mut channels = super::speech::conversation(
        seed,
        recording.sample_rate,
        length_ms,
        stereo,
        &recording.pauses,
    );
    if is_doubled {
        channels.extend_from_within(..1);
    }
    if matches!(damage, Some(Damage::Silent)) {
        channels.iter_mut().for_each(|channel| channel.fill(0));
    }
    Pcm {
        sample_rate: recording.sample_rate,
        channels,
    }
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
