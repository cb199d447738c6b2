//! Audio of both sides, one pair at a time: read, decoded, compared, and reduced to what a finding
//! needs. Nothing keeps samples.

mod classify;
mod content;
mod delay;
mod fingerprint;
mod judge;
mod mixup;
mod pace;
mod pause;
mod places;
mod quality;
#[cfg(test)]
mod real_speech;
mod second_decoder;
mod timeline;
mod tracks;
mod wave;

use audio::{AudioError, Codec, Ffmpeg, Pcm};
use plan::Reason;
use sha2::{Digest, Sha256};

pub(crate) use fingerprint::AudioFingerprint;
pub(crate) use judge::{Verdict, Wanted, judge};
pub use second_decoder::{
    DECODERS_LEAST_FIT, DECODERS_LEAST_IN_PLACE, DECODERS_LENGTH_APART_MS,
    DECODERS_LOUDNESS_APART_DB,
};
pub(crate) use second_decoder::{
    DecoderComparison, SecondDecoding, SecondDecodings, decode_by_second,
};

#[cfg(test)]
pub(crate) use content::testing;

use self::delay::Delay;
use self::timeline::Timeline;
use self::tracks::Tracks;
use crate::defect::Defect;
use crate::expected::{SoundFacts, SourceSound};

/// A difference of audio, before it has an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Class of damage.
    pub(crate) defect: Defect,
    /// What should be heard or stored.
    pub(crate) expected: String,
    /// What is.
    pub(crate) actual: String,
    /// What else differs because of it.
    pub(crate) consequences: Vec<String>,
    /// Little of the source is in it: it may be another recording's.
    pub(crate) foreign: bool,
    /// What differences of one origin have in common, within their class. Absent: the class itself.
    pub(crate) cause: Option<&'static str>,
    /// Where silence stands for the source's sound, by the source's time. Milliseconds. Absent: it
    /// is no such hole.
    pub(crate) hole_ms: Option<(i64, i64)>,
}

impl Difference {
    pub(crate) fn new(
        defect: Defect,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> Difference {
        Difference {
            defect,
            expected: expected.into(),
            actual: actual.into(),
            consequences: Vec::new(),
            foreign: false,
            cause: None,
            hole_ms: None,
        }
    }

    pub(crate) fn because(mut self, cause: &'static str) -> Difference {
        self.cause = Some(cause);
        self
    }
}

/// What came of reading a recording's audio in the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TargetSound {
    /// Outside the scope of this verification.
    NotRead,
    /// Hidden, not missing; what would be needed.
    Hidden(String),
    /// The platform says that it is gone; its words.
    Lost(String),
    /// Read and compared: what differs, in order of weight.
    Compared(Vec<Difference>),
}

/// A file in the target, as it lies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Size. Bytes.
    pub(crate) bytes: u64,
    /// Length by decoding. Milliseconds. Absent: it does not decode.
    pub(crate) duration_ms: Option<u64>,
}

/// Source and target audio of one recording.
#[derive(Debug, Clone)]
pub(crate) struct PairSound {
    pub(crate) source: SourceSound,
    pub(crate) source_fingerprint: Option<AudioFingerprint>,
    pub(crate) target: TargetSound,
    /// Only of a target whose audio is not its source's.
    pub(crate) target_fingerprint: Option<AudioFingerprint>,
    /// The target's file. Absent: it was not read.
    pub(crate) stored: Option<Stored>,
    /// SHA-256 of the source's file, hex. Absent: it was not read, or not twice the same.
    pub(crate) source_sha256: Option<String>,
    /// Its size. Bytes. Absent: as above.
    pub(crate) source_bytes: Option<u64>,
    /// SHA-256 of the target's file, decrypted where it is encrypted, hex. Absent: it was not read.
    pub(crate) target_sha256: Option<String>,
    /// Whether another program was to decode it too.
    pub(crate) is_second_decoder_drawn: bool,
    /// What that made of both files. Absent: it was not to, or nothing was compared.
    pub(crate) second_decodings: Option<SecondDecodings>,
}

/// Decodes a source's bytes. What has no header is known by the ending of its `file_name` alone.
pub(crate) fn read_source(
    bytes: &[u8],
    file_name: Option<&str>,
    ffmpeg: Ffmpeg,
) -> (SourceSound, Option<Pcm>) {
    match audio::decode_with(bytes, ffmpeg) {
        Ok((probe, pcm)) if probe.samples > 0 => {
            let facts = SoundFacts {
                sha256: hash(bytes),
                bytes: bytes.len() as u64,
                container: probe.container,
                codec: probe.codec,
                channels: probe.channels,
                sample_rate: probe.sample_rate,
                samples: probe.samples,
                damaged: !probe.damage.is_empty(),
                missing_ms: probe.lost_ms(),
            };
            (SourceSound::Good(facts), Some(pcm))
        }
        Ok(_) | Err(AudioError::Empty) => (SourceSound::Bad(Reason::AudioEmpty), None),
        Err(AudioError::NotAudio {
            looks_like: "unknown binary" | "encrypted or random bytes",
        }) if file_name.and_then(audio::headerless).is_some() => {
            (SourceSound::Bad(Reason::AudioUnsupported), None)
        }
        Err(AudioError::NotAudio { .. }) => (SourceSound::Bad(Reason::AudioNotAudio), None),
        Err(AudioError::Undecodable { .. }) => (SourceSound::Bad(Reason::AudioUndecodable), None),
        Err(AudioError::Unsupported { .. }) => (SourceSound::Bad(Reason::AudioUnsupported), None),
        Err(AudioError::Io(error)) => (SourceSound::Unreadable(error.to_string()), None),
    }
}

/// How well a target fits its source.
pub(crate) struct Alignment {
    /// Share of the seconds with sound that stand in their place. Absent: there is no sound.
    pub(crate) held: Option<f64>,
    /// The median correlation of all seconds with sound.
    pub(crate) typical: f64,
}

/// Aligns a target with its source. `bytes` are the target's.
pub(crate) fn align(source: (&Pcm, Codec), target: (&Pcm, Codec), bytes: &[u8]) -> Alignment {
    let delay = Delay::of(
        (source.1, source.0.sample_rate),
        (target.1, target.0.sample_rate),
        bytes,
    );
    let timeline = Timeline::of(&mut Tracks::of(source.0, target.0), &delay);
    Alignment {
        held: timeline.held(),
        typical: timeline.typical_fit(),
    }
}

/// SHA-256, hex.
pub(crate) fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
