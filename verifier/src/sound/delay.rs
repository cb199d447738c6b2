//! By how much a sound conversion may move a recording: what codecs really add, and no more.
//!
//! Every converter measured (LAME 3.100, ffmpeg and sox with and without a pipe, shine; GSM, G.711,
//! G.726, both ADPCMs, G.723.1, Opus, Speex, Vorbis, AAC; outputs of 8 to 44.1 kHz) moves all
//! channels of a file by one and the same lag: 0 for waveform codecs and for MP3 with a gapless
//! tag, 1,105 samples for LAME without one, 1,057 for shine, 60 to 80 samples at 8 kHz for G.723.1
//! and Speex, 1 for Opus.

use audio::{Codec, mp3_padding};

/// A frame of a voice codec at its start may be lost, or its look-ahead taken off twice: AMR, Opus
/// and G.723.1 have 5 to 7.5 ms of it, and none has a longer frame than 20 ms but G.723.1.
/// Milliseconds.
const MOST_EARLY_MS: f64 = 20.0;
/// A frame of a voice codec and its look-ahead: AMR 20 + 5, Speex 20 + 10. Milliseconds.
const VOICE_MS: f64 = 30.0;
/// Samples before the sound in MP3 without a gapless tag: 529 of any decoder and 1,160 of the
/// slowest known encoder (FhG; LAME has 576, ISO and shine 528). Source: LAME's technical FAQ,
/// "decoder delay" and "encoder delay".
const MP3_SAMPLES: f64 = 1689.0;
/// And behind it: the last frame is filled up and one more follows. LAME adds 1,152 at most.
const MP3_BEHIND_SAMPLES: f64 = 1152.0;
/// AAC's priming, which only an edit list takes off. Source: ISO/IEC 14496-24, 2,112 samples as
/// Apple and FhG write them.
const AAC_SAMPLES: f64 = 2112.0;
/// Silence added behind loses nothing; ADPCM fills its last block (127 ms at 8 kHz), a recorder a
/// packet or two. Milliseconds.
const MOST_BEHIND_MS: f64 = 300.0;

/// Where the sound of a good conversion may lie, and how long it may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Delay {
    /// Most by which the target may run ahead. Milliseconds.
    pub(super) early_ms: f64,
    /// Most by which it may lag. Milliseconds.
    pub(super) late_ms: f64,
    /// Most by which it may be longer, delay included. Milliseconds.
    pub(super) longer_ms: f64,
}

impl Delay {
    /// Of a target file, made from a source of that codec and rate. `bytes` are the target's.
    pub(super) fn of(source: (Codec, u32), target: (Codec, u32), bytes: &[u8]) -> Delay {
        // A decoder that knows no gapless tag (sox's) leaves the source's own delay in. The
        // target's we take off ourselves where a tag says how much it is.
        let told = target.0 == Codec::Mp3 && mp3_padding(bytes).is_some();
        let behind_ms = if target.0 == Codec::Mp3 && !told {
            in_ms(MP3_BEHIND_SAMPLES, target.1)
        } else {
            0.0
        };
        let late_ms = VOICE_MS + added_ms(source) + if told { 0.0 } else { added_ms(target) };
        Delay {
            early_ms: MOST_EARLY_MS,
            late_ms,
            longer_ms: (late_ms + behind_ms).max(MOST_BEHIND_MS),
        }
    }

    pub(super) fn fits(&self, lag_ms: f64) -> bool {
        (-self.early_ms..=self.late_ms).contains(&lag_ms)
    }
}

fn added_ms((codec, rate): (Codec, u32)) -> f64 {
    match codec {
        Codec::Mp3 => in_ms(MP3_SAMPLES, rate),
        Codec::Aac => in_ms(AAC_SAMPLES, rate),
        _ => 0.0,
    }
}

fn in_ms(samples: f64, rate: u32) -> f64 {
    samples * 1000.0 / f64::from(rate.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::content::testing::speech;

    #[test]
    fn only_what_a_codec_adds_is_allowed() {
        let tagged = audio::encode(&speech(1, 2.0, 1), Codec::Mp3).expect("mp3");
        let late =
            |source, target, bytes: &[u8]| Delay::of(source, target, bytes).late_ms.round() as i64;
        let (wav, mp3) = ((Codec::PcmS16, 8000), (Codec::Mp3, 8000));
        assert_eq!(late(wav, wav, b""), 30);
        assert_eq!(
            late(wav, mp3, &tagged),
            30,
            "its tag says what to leave out"
        );
        // The first frame of what LAME writes is the tag.
        let frame = 4 + tagged[4..]
            .windows(2)
            .position(|two| two[0] == 0xff && two[1] & 0xe0 == 0xe0)
            .expect("a second frame");
        assert_eq!(
            late(wav, mp3, &tagged[frame..]),
            241,
            "1,689 samples of 8 kHz"
        );
        assert_eq!(late(wav, (Codec::Mp3, 44_100), b""), 68);
        assert_eq!(
            late((Codec::Mp3, 8000), wav, b""),
            241,
            "a decoder may not know the source's tag"
        );
        assert!(Delay::of(wav, wav, b"").fits(-20.0) && !Delay::of(wav, wav, b"").fits(-21.0));
    }
}
