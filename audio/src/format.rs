//! Names for what a file is, and for what is wrong with it.

use std::fmt;
use std::str::FromStr;

/// How samples are coded. The order of the variants is stable; reports sort by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// 16-bit linear, little endian.
    PcmS16,
    /// 8-bit linear, unsigned.
    PcmU8,
    /// G.711 mu-law.
    Mulaw,
    /// G.711 A-law.
    Alaw,
    /// IMA/DVI ADPCM as WAV carries it, 4 bits a sample.
    ImaAdpcm,
    /// Microsoft ADPCM, 4 bits a sample.
    MsAdpcm,
    /// MPEG-1/2/2.5 layer III.
    Mp3,
    /// AMR narrow band.
    AmrNb,
    /// GSM 06.10 full rate in WAV (format tag 0x31, 65-byte blocks of two frames).
    GsmWav49,
    /// GSM 06.10 full rate as bare 33-byte frames.
    GsmRaw,
    /// AAC low complexity.
    Aac,
    /// FLAC.
    Flac,
    /// Vorbis.
    Vorbis,
    /// 16-bit linear, big endian.
    PcmS16Be,
    /// 8-bit linear, signed.
    PcmS8,
    /// Linear of 17 to 24 bits, in the byte order of its container. Decoding keeps the upper 16.
    PcmS24,
    /// Linear of more than 24 bits, in the byte order of its container. Decoding keeps the upper
    /// 16.
    PcmS32,
    /// 32-bit floating point, in the byte order of its container.
    PcmF32,
    /// 64-bit floating point, in the byte order of its container.
    PcmF64,
    /// Opus.
    Opus,
    /// Speex.
    Speex,
    /// G.722.
    G722,
    /// G.726.
    G726,
    /// Another codec, read by ffmpeg; [`crate::AudioError::Unsupported`] names it where ffmpeg is
    /// not to be used.
    Other,
}

impl Codec {
    /// Every codec, in order.
    pub const ALL: [Codec; 24] = [
        Codec::PcmS16,
        Codec::PcmU8,
        Codec::Mulaw,
        Codec::Alaw,
        Codec::ImaAdpcm,
        Codec::MsAdpcm,
        Codec::Mp3,
        Codec::AmrNb,
        Codec::GsmWav49,
        Codec::GsmRaw,
        Codec::Aac,
        Codec::Flac,
        Codec::Vorbis,
        Codec::PcmS16Be,
        Codec::PcmS8,
        Codec::PcmS24,
        Codec::PcmS32,
        Codec::PcmF32,
        Codec::PcmF64,
        Codec::Opus,
        Codec::Speex,
        Codec::G722,
        Codec::G726,
        Codec::Other,
    ];

    /// Short stable name, as written to reports and the ledger: `pcm_s16le`, `mp3`, ..
    pub fn name(self) -> &'static str {
        match self {
            Codec::PcmS16 => "pcm_s16le",
            Codec::PcmU8 => "pcm_u8",
            Codec::Mulaw => "mulaw",
            Codec::Alaw => "alaw",
            Codec::ImaAdpcm => "adpcm_ima",
            Codec::MsAdpcm => "adpcm_ms",
            Codec::Mp3 => "mp3",
            Codec::AmrNb => "amr_nb",
            Codec::GsmWav49 => "gsm_ms",
            Codec::GsmRaw => "gsm",
            Codec::Aac => "aac",
            Codec::Flac => "flac",
            Codec::Vorbis => "vorbis",
            Codec::PcmS16Be => "pcm_s16be",
            Codec::PcmS8 => "pcm_s8",
            Codec::PcmS24 => "pcm_s24",
            Codec::PcmS32 => "pcm_s32",
            Codec::PcmF32 => "pcm_f32",
            Codec::PcmF64 => "pcm_f64",
            Codec::Opus => "opus",
            Codec::Speex => "speex",
            Codec::G722 => "g722",
            Codec::G726 => "g726",
            Codec::Other => "other",
        }
    }

    /// The container [`crate::encode()`] writes this codec into, and the usual one otherwise.
    pub fn container(self) -> Container {
        match self {
            Codec::PcmS16
            | Codec::PcmU8
            | Codec::Mulaw
            | Codec::Alaw
            | Codec::ImaAdpcm
            | Codec::MsAdpcm
            | Codec::GsmWav49 => Container::Wav,
            Codec::PcmS24
            | Codec::PcmS32
            | Codec::PcmF32
            | Codec::PcmF64
            | Codec::G722
            | Codec::G726 => Container::Wav,
            Codec::PcmS16Be | Codec::PcmS8 => Container::Aiff,
            Codec::Mp3 => Container::Mp3,
            Codec::AmrNb => Container::AmrFile,
            Codec::GsmRaw => Container::GsmRaw,
            Codec::Aac => Container::Adts,
            Codec::Flac => Container::Flac,
            Codec::Vorbis | Codec::Opus | Codec::Speex => Container::Ogg,
            Codec::Other => Container::Other,
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A codec name that [`Codec`] does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown codec {name:?}; known are {}", Codec::ALL.map(Codec::name).join(", ")
)]
pub struct UnknownCodec {
    /// What was given.
    pub name: String,
}

impl FromStr for Codec {
    type Err = UnknownCodec;

    fn from_str(name: &str) -> Result<Codec, UnknownCodec> {
        Codec::ALL
            .into_iter()
            .find(|codec| codec.name() == name)
            .ok_or_else(|| UnknownCodec {
                name: name.to_owned(),
            })
    }
}

/// What the coded samples are wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Container {
    /// RIFF WAVE.
    Wav,
    /// A bare MPEG audio stream, with or without tags.
    Mp3,
    /// AMR storage format (RFC 4867 section 5).
    AmrFile,
    /// Bare GSM 06.10 frames.
    GsmRaw,
    /// A bare AAC stream.
    Adts,
    /// MPEG-4 (`.m4a`, `.mp4`).
    Mp4,
    /// FLAC.
    Flac,
    /// Ogg.
    Ogg,
    /// WebM, or Matroska without pictures.
    Webm,
    /// AIFF or AIFF-C.
    Aiff,
    /// Sun and NeXT audio (`.au`, `.snd`).
    Au,
    /// Sony Wave64.
    W64,
    /// Another container, read by ffmpeg.
    Other,
}

impl Container {
    /// File name extension without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Container::Wav => "wav",
            Container::Mp3 => "mp3",
            Container::AmrFile => "amr",
            Container::GsmRaw => "gsm",
            Container::Adts => "aac",
            Container::Mp4 => "m4a",
            Container::Flac => "flac",
            Container::Ogg => "ogg",
            Container::Webm => "webm",
            Container::Aiff => "aiff",
            Container::Au => "au",
            Container::W64 => "w64",
            Container::Other => "bin",
        }
    }

    /// Media type as a server should declare it.
    pub fn mime(self) -> &'static str {
        match self {
            Container::Wav => "audio/wav",
            Container::Mp3 => "audio/mpeg",
            Container::AmrFile => "audio/amr",
            Container::GsmRaw => "audio/x-gsm",
            Container::Adts => "audio/aac",
            Container::Mp4 => "audio/mp4",
            Container::Flac => "audio/flac",
            Container::Ogg => "audio/ogg",
            Container::Webm => "audio/webm",
            Container::Aiff => "audio/aiff",
            Container::Au => "audio/basic",
            Container::W64 => "audio/x-w64",
            Container::Other => "application/octet-stream",
        }
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.extension())
    }
}

/// What is known of a file before its samples are read. Fields as in [`Probe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The wrapping.
    pub container: Container,
    /// The coding.
    pub codec: Codec,
    /// Channels, at least 1.
    pub channels: u16,
    /// Samples per second and channel, in hertz, at least 1.
    pub sample_rate: u32,
}

/// What a file is. Equal to the first half of [`crate::decode()`]'s answer for the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The wrapping.
    pub container: Container,
    /// The coding.
    pub codec: Codec,
    /// Channels, at least 1.
    pub channels: u16,
    /// Samples per second and channel, in hertz, at least 1.
    pub sample_rate: u32,
    /// Samples per channel, at least 1, found by decoding or counting frames. A header's claim only
    /// ever takes away the encoder's padding (LAME delay, WAV `fact` inside the last block).
    pub samples: u64,
    /// What is wrong inside, by position; empty when nothing is. At most 100 entries, the last one
    /// then says so.
    pub damage: Vec<Damage>,
}

impl Probe {
    /// Length in whole milliseconds, rounded down.
    pub fn duration_ms(&self) -> u64 {
        crate::pcm::at_ms(self.samples, self.sample_rate)
    }

    /// Sound the file promises or shows to have had and that is not in the samples, in
    /// milliseconds: the sum over [`Probe::damage`]. 0: the file is whole as far as it says itself.
    /// Lengths that a recorder never filled in promise nothing.
    pub fn lost_ms(&self) -> u64 {
        self.damage
            .iter()
            .map(|damage| damage.lost_ms)
            .fold(0, u64::saturating_add)
    }
}

/// One place where a file is broken though it decodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where, in milliseconds of the decoded audio.
    pub at_ms: u64,
    /// What, as a phrase for reports: `data ends early: 16000 of 32000 bytes are there`.
    pub what: String,
    /// How much sound is missing here or was replaced by silence, in milliseconds; by the file's
    /// own lengths where it has any, else by the number of bytes that could not be used. 0: none,
    /// or less than a millisecond.
    pub lost_ms: u64,
}

/// Collects damage without letting a hostile file fill memory with it.
#[derive(Debug, Default)]
pub(crate) struct DamageLog(Vec<Damage>);

impl DamageLog {
    const LIMIT: usize = 100;

    /// Damage that costs no sound.
    pub(crate) fn push(&mut self, at_ms: u64, what: impl Into<String>) {
        self.lose(at_ms, 0, what);
    }

    /// Damage that costs `lost_ms` of sound.
    pub(crate) fn lose(&mut self, at_ms: u64, lost_ms: u64, what: impl Into<String>) {
        let listed = self.0.len();
        if listed + 1 < Self::LIMIT {
            self.0.push(Damage {
                at_ms,
                what: what.into(),
                lost_ms,
            });
        } else if listed < Self::LIMIT {
            self.0.push(Damage {
                at_ms,
                what: "more damage from here on, not listed".to_owned(),
                lost_ms,
            });
        } else if let Some(last) = self.0.last_mut() {
            last.lost_ms = last.lost_ms.saturating_add(lost_ms);
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Damage> {
        self.0
    }
}

/// Why bytes give no samples, or samples no bytes. Cut by what the caller does next.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// No bytes, or a sound container without a single sample.
    #[error("the audio is empty")]
    Empty,
    /// Something else altogether, such as an error page stored as a recording.
    #[error("not audio: looks like {looks_like}")]
    NotAudio {
        /// `html`, `json`, `xml`, `text`, `zip`, `gzip`, `pdf`, `image`, `pkcs7`, `zero bytes`,
        /// `encrypted or random bytes` or `unknown binary`.
        looks_like: &'static str,
    },
    /// Meant as audio, but nothing can be decoded from it.
    #[error("undecodable audio: {reason}")]
    Undecodable {
        /// The cause, as a phrase.
        reason: String,
    },
    /// Sound of a kind with a name that this crate cannot read or write, alone or with ffmpeg where
    /// that may be used.
    #[error("unsupported audio: {what}")]
    Unsupported {
        /// What it is, as a phrase.
        what: String,
    },
    /// The file could not be read.
    #[error("cannot read audio: {0}")]
    Io(#[from] std::io::Error),
}

impl AudioError {
    pub(crate) fn undecodable(reason: impl Into<String>) -> AudioError {
        AudioError::Undecodable {
            reason: reason.into(),
        }
    }

    pub(crate) fn unsupported(what: impl Into<String>) -> AudioError {
        AudioError::Unsupported { what: what.into() }
    }
}
