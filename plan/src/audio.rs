//! `[audio]`: target format and tolerance.

use schemars::JsonSchema;
use serde::Deserialize;

/// `[audio]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AudioRules {
    /// Format in the target.
    pub format: AudioFormat,
    /// How much shorter than the source declares a recording may be, and how much of it may be
    /// missing by its file's own promises. Milliseconds.
    pub short_tolerance_ms: u64,
    /// What becomes of one that is shorter, or of which more is missing.
    pub short_source: ShortSource,
    /// The largest recording that is taken from either side. Bytes. A longer one is the platform's
    /// trouble: it is left for another run, and not quarantined.
    pub max_bytes: u64,
    /// Whether ffmpeg decodes what is not read here: G.722, G.726, Speex, Windows Media and others.
    /// Each of migrator and verifier looks for it for itself.
    pub ffmpeg: FfmpegUse,
}

impl Default for AudioRules {
    fn default() -> AudioRules {
        // A gibibyte: nine hours of two-channel WAV at 16 kHz.
        AudioRules {
            format: AudioFormat::Mp3,
            short_tolerance_ms: 1000,
            short_source: ShortSource::Quarantine,
            max_bytes: 1 << 30,
            ffmpeg: FfmpegUse::Auto,
        }
    }
}

/// Use of ffmpeg.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FfmpegUse {
    /// Where the program is found on the `PATH`, in a process of its own that is bounded in time
    /// and output.
    #[default]
    Auto,
    /// Not at all: such recordings are quarantined as `audio_unsupported`.
    Never,
}

/// Format in the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AudioFormat {
    /// MP3.
    Mp3,
    /// WAV with 16-bit linear samples.
    Wav,
    /// The source's bytes, where the target plays them.
    Keep,
}

/// What becomes of a recording shorter than its source declares or its file promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShortSource {
    /// It stays behind.
    Quarantine,
    /// It goes as it is.
    Migrate,
}
