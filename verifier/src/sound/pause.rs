//! What may be heard inside a protected pause.

use audio::compare::{LOUD_RMS, envelope, rms};
use audio::{Codec, Pcm};

use super::Difference;
use crate::defect::Defect;
use crate::expected::{Pause, PauseRule};

/// How far a codec carries sound into a silence beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spread {
    /// Not at all: every sample stands for itself.
    None,
    /// Into the next MP3 granule, 72 ms at 8 kHz.
    Granule,
}

impl Spread {
    pub(super) fn of(codec: Codec) -> Spread {
        match codec {
            Codec::PcmS16 | Codec::PcmU8 | Codec::Mulaw | Codec::Alaw | Codec::Flac => Spread::None,
            Codec::ImaAdpcm | Codec::MsAdpcm | Codec::Mp3 | Codec::AmrNb | Codec::GsmWav49 | Codec::GsmRaw | Codec::Aac | Codec::Vorbis => {
                Spread::Granule
            }
        }
    }

    /// Inside this margin nothing is judged. 80 ms from its edge a silenced pause is silent after LAME (tested in `audio`); a sample of
    /// rounding at the edges is all a lossless codec needs.
    fn margin_ms(self) -> u64 {
        match self {
            Spread::None => 5,
            Spread::Granule => 80,
        }
    }

    /// Sound this long is heard; shorter is a click of the codec.
    fn least_leak_ms(self) -> u64 {
        match self {
            Spread::None => 25,
            Spread::Granule => 50,
        }
    }
}

/// A steady tone stays within a decibel of itself; speech moves by ten. In between lies a tone written by another tool.
const TONE_SPREAD_DB: f64 = 3.0;

/// Sound inside a pause: the first one found.
pub(super) fn leak(target: &Pcm, pauses: &[Pause], rule: PauseRule, spread: Spread) -> Option<Difference> {
    let wanted = match rule {
        PauseRule::Keep => return None,
        PauseRule::Silence => "silence",
        PauseRule::Tone => "a steady tone",
    };
    pauses.iter().find_map(|pause| {
        let (from, to) = inner(pause, spread)?;
        let heard = target.channels.iter().any(|channel| match rule {
            PauseRule::Tone => !is_steady(channel, target.sample_rate, from, to),
            PauseRule::Silence | PauseRule::Keep => loud_ms(channel, target.sample_rate, from, to) >= spread.least_leak_ms(),
        });
        let expected = format!("{wanted} from {} to {} ms", pause.start_ms, pause.end_ms);
        heard.then(|| Difference::new(Defect::D59, expected, "sound that is neither silence nor the agreed replacement"))
    })
}

/// The part of a pause that a codec's neighbours do not reach; a third of a short one.
fn inner(pause: &Pause, spread: Spread) -> Option<(u64, u64)> {
    let (start, end) = (u64::try_from(pause.start_ms).ok()?, u64::try_from(pause.end_ms).ok()?);
    let margin = spread.margin_ms().min(end.checked_sub(start)? / 3);
    Some((start + margin, end - margin))
}

/// Milliseconds of 25 in which there surely is sound.
fn loud_ms(channel: &[i16], rate: u32, from_ms: u64, to_ms: u64) -> u64 {
    let frames = (from_ms..to_ms).step_by(25).map(|at| (at, (at + 25).min(to_ms)));
    frames.filter(|(from, to)| rms(channel, rate, *from, *to) >= LOUD_RMS).map(|(from, to)| to - from).sum()
}

/// Silence, or one loudness throughout.
fn is_steady(channel: &[i16], rate: u32, from_ms: u64, to_ms: u64) -> bool {
    let at = |ms: u64| ((u128::from(ms) * u128::from(rate) / 1000) as usize).min(channel.len());
    let levels = envelope(&channel[at(from_ms)..at(to_ms)], rate).levels;
    // The last frame may be a fraction of one.
    let levels = &levels[..levels.len().saturating_sub(1)];
    let mean = levels.iter().map(|level| f64::from(*level)).sum::<f64>() / levels.len().max(1) as f64;
    let variance = levels.iter().map(|level| (f64::from(*level) - mean).powi(2)).sum::<f64>() / levels.len().max(1) as f64;
    variance.sqrt() <= TONE_SPREAD_DB
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::content::testing::{speech, through_mp3};

    const PAUSE: [Pause; 1] = [Pause { start_ms: 4000, end_ms: 7000 }];

    #[test]
    fn speech_left_in_a_pause_is_heard() {
        let raw = through_mp3(&speech(3, 12.0, 2));
        for rule in [PauseRule::Silence, PauseRule::Tone] {
            assert_eq!(leak(&raw, &PAUSE, rule, Spread::Granule).map(|difference| difference.defect), Some(Defect::D59), "{rule:?}");
        }
        assert_eq!(leak(&raw, &PAUSE, PauseRule::Keep, Spread::Granule), None);
        assert_eq!(leak(&raw, &[], PauseRule::Silence, Spread::Granule), None);
    }

    #[test]
    fn what_was_agreed_is_not_heard_even_after_a_lossy_codec() {
        let mut silenced = speech(3, 12.0, 2);
        audio::silence(&mut silenced, 4000, 7000);
        assert_eq!(leak(&through_mp3(&silenced), &PAUSE, PauseRule::Silence, Spread::Granule), None);
        let mut beeped = speech(3, 12.0, 2);
        audio::tone(&mut beeped, 4000, 7000);
        assert_eq!(leak(&through_mp3(&beeped), &PAUSE, PauseRule::Tone, Spread::Granule), None);
    }
}
