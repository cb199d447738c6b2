//! What the target's audio must be, from what the source's audio is. Source:
//! docs/reference/match.md.

use audio::{Codec, Container};
use plan::{AudioFormat, Reason};

use super::{PauseRule, Rules};

/// What came of reading a recording's audio in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourceSound {
    /// Outside the scope of this verification.
    NotRead,
    /// Could not be read; in words.
    Unreadable(String),
    /// Read twice with the same result, and not usable: empty, not audio, undecodable, or in a
    /// format that nobody here reads.
    Bad(Reason),
    /// Decoded.
    Good(SoundFacts),
}

/// A decoded source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SoundFacts {
    /// Hash of the file, hex.
    pub(crate) sha256: String,
    /// Size of the file. Bytes.
    pub(crate) bytes: u64,
    /// Found by content.
    pub(crate) container: Container,
    /// Found by content.
    pub(crate) codec: Codec,
    /// Channels.
    pub(crate) channels: u16,
    /// Hertz.
    pub(crate) sample_rate: u32,
    /// Samples a channel, by decoding.
    pub(crate) samples: u64,
    /// Frames inside are broken; the rest decodes.
    pub(crate) damaged: bool,
    /// Sound that the file itself promises, or shows to have had, and that is not among the
    /// samples. Milliseconds.
    pub(crate) missing_ms: u64,
}

impl SoundFacts {
    /// Whether an MP3 can hold it: the rates of MPEG-1, -2 and -2.5 layer III, one channel or two.
    /// What it cannot hold goes as WAV, a declared loss.
    fn fits_mp3(&self) -> bool {
        let rate = |base: u32| (0..3).any(|halved| self.sample_rate == base >> halved);
        (rate(44_100) || rate(48_000) || rate(32_000)) && (1..=2).contains(&self.channels)
    }

    /// Length by decoding. Milliseconds, rounded down.
    pub(crate) fn duration_ms(&self) -> u64 {
        match self.sample_rate {
            0 => 0,
            rate => self.samples * 1000 / u64::from(rate),
        }
    }
}

/// What the target's audio must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AudioExpectation {
    /// The source's bytes.
    Kept,
    /// Written anew, sounding the same outside protected pauses.
    Transcoded {
        /// Container of the new file.
        container: Container,
        /// Codec of the new file.
        codec: Codec,
    },
}

/// `paused`: the recording has a pause that the plan wants altered.
pub(crate) fn audio_expectation(
    facts: &SoundFacts,
    paused: bool,
    format: AudioFormat,
) -> AudioExpectation {
    let SoundFacts {
        container, codec, ..
    } = *facts;
    const MP3: AudioExpectation = AudioExpectation::Transcoded {
        container: Container::Mp3,
        codec: Codec::Mp3,
    };
    const WAV: AudioExpectation = AudioExpectation::Transcoded {
        container: Container::Wav,
        codec: Codec::PcmS16,
    };
    let is_mp3 = (container, codec) == (Container::Mp3, Codec::Mp3);
    let is_wav = (container, codec) == (Container::Wav, Codec::PcmS16);
    match format {
        AudioFormat::Mp3 if is_mp3 && !paused => AudioExpectation::Kept,
        AudioFormat::Mp3 | AudioFormat::Keep if !facts.fits_mp3() && is_wav && !paused => {
            AudioExpectation::Kept
        }
        AudioFormat::Mp3 | AudioFormat::Keep if !facts.fits_mp3() => WAV,
        AudioFormat::Mp3 => MP3,
        AudioFormat::Wav if is_wav && !paused => AudioExpectation::Kept,
        AudioFormat::Wav => WAV,
        AudioFormat::Keep if (is_mp3 || is_wav) && !paused => AudioExpectation::Kept,
        AudioFormat::Keep if is_wav => WAV,
        AudioFormat::Keep => MP3,
    }
}

/// Why the source's own audio keeps a recording back. `declared_ms` is what the source says its
/// length is.
pub(super) fn absence(
    sound: &SourceSound,
    declared_ms: Option<i64>,
    rules: &Rules,
) -> Option<Reason> {
    match sound {
        SourceSound::Bad(reason) => Some(*reason),
        SourceSound::Good(facts) => {
            let declared = declared_ms
                .and_then(|ms| u64::try_from(ms).ok())
                .unwrap_or(0);
            let missing = declared
                .saturating_sub(facts.duration_ms())
                .max(facts.missing_ms);
            (rules.quarantine_short && missing > rules.short_tolerance_ms)
                .then_some(Reason::AudioShort)
        }
        SourceSound::NotRead | SourceSound::Unreadable(_) => None,
    }
}

/// Whether the plan's protection can be applied to these pauses: each one ordered, after the start
/// and inside the audio, where known.
pub(super) fn pauses_placeable(
    pauses: &[super::Pause],
    sound: &SourceSound,
    rule: PauseRule,
) -> bool {
    if rule == PauseRule::Keep {
        return true;
    }
    let length = match sound {
        SourceSound::Good(facts) => i64::try_from(facts.duration_ms()).unwrap_or(i64::MAX),
        _ => i64::MAX,
    };
    pauses.iter().all(|pause| {
        0 <= pause.start_ms && pause.start_ms < pause.end_ms && pause.start_ms < length
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expected::testing::rules;

    #[test]
    fn what_the_target_plays_is_kept_unless_a_pause_must_be_altered() {
        let mp3 = (Container::Mp3, Codec::Mp3);
        let wav = (Container::Wav, Codec::PcmS16);
        let mulaw = (Container::Wav, Codec::Mulaw);
        let to_mp3 = AudioExpectation::Transcoded {
            container: Container::Mp3,
            codec: Codec::Mp3,
        };
        let to_wav = AudioExpectation::Transcoded {
            container: Container::Wav,
            codec: Codec::PcmS16,
        };
        let rows = [
            (AudioFormat::Mp3, mp3, false, AudioExpectation::Kept),
            (AudioFormat::Mp3, mp3, true, to_mp3),
            (AudioFormat::Mp3, wav, false, to_mp3),
            (AudioFormat::Wav, wav, false, AudioExpectation::Kept),
            (AudioFormat::Wav, wav, true, to_wav),
            (AudioFormat::Wav, mp3, false, to_wav),
            (AudioFormat::Keep, mp3, false, AudioExpectation::Kept),
            (AudioFormat::Keep, mp3, true, to_mp3),
            (AudioFormat::Keep, wav, false, AudioExpectation::Kept),
            (AudioFormat::Keep, wav, true, to_wav),
            (AudioFormat::Keep, mulaw, false, to_mp3),
            (AudioFormat::Keep, mulaw, true, to_mp3),
        ];
        for (format, (container, codec), paused, wanted) in rows {
            let facts = SoundFacts {
                sha256: String::new(),
                bytes: 1,
                container,
                codec,
                channels: 1,
                sample_rate: 8000,
                samples: 1,
                damaged: false,
                missing_ms: 0,
            };
            assert_eq!(
                audio_expectation(&facts, paused, format),
                wanted,
                "{format:?} {codec} paused={paused}"
            );
            let odd = SoundFacts {
                sample_rate: 6000,
                ..facts
            };
            assert_ne!(
                audio_expectation(&odd, paused, format),
                to_mp3,
                "no MP3 has 6000 Hz"
            );
        }
    }

    #[test]
    fn shorter_than_declared_counts_beyond_the_tolerance_only() {
        let facts = SoundFacts {
            sha256: String::new(),
            bytes: 1,
            container: Container::Wav,
            codec: Codec::PcmS16,
            channels: 1,
            sample_rate: 8000,
            samples: 8000 * 59,
            damaged: false,
            missing_ms: 0,
        };
        let incomplete = |missing_ms| {
            SourceSound::Good(SoundFacts {
                missing_ms,
                ..facts.clone()
            })
        };
        assert_eq!(
            absence(&incomplete(1_000), None, &rules()),
            None,
            "exactly the tolerance"
        );
        assert_eq!(
            absence(&incomplete(1_001), None, &rules()),
            Some(Reason::AudioShort),
            "by the file's own promise"
        );
        assert_eq!(
            absence(&incomplete(1_001), Some(59_000), &rules()),
            Some(Reason::AudioShort),
            "the source knows no better"
        );
        let good = SourceSound::Good(facts.clone());
        assert_eq!(
            absence(&good, Some(60_000), &rules()),
            None,
            "exactly the tolerance"
        );
        assert_eq!(
            absence(&good, Some(60_001), &rules()),
            Some(Reason::AudioShort)
        );
        let mut migrate = rules();
        migrate.quarantine_short = false;
        assert_eq!(absence(&good, Some(90_000), &migrate), None);
        assert_eq!(absence(&incomplete(90_000), None, &migrate), None);
        assert_eq!(absence(&good, None, &rules()), None);
        assert_eq!(absence(&SourceSound::NotRead, Some(60_000), &rules()), None);
        assert_eq!(
            absence(&SourceSound::Bad(Reason::AudioEmpty), None, &rules()),
            Some(Reason::AudioEmpty)
        );
    }
}
