//! Both recordings at one rate, channel beside channel, for comparing waveforms.

use audio::Pcm;
use audio::compare::wave::{fit, level, resampled};

/// Hertz. Telephone speech has nothing above 4 kHz, and whatever rate a target was brought to, the
/// conversation lies below.
pub(super) const RATE: u32 = 8000;
/// Samples a millisecond.
pub(super) const PER_MS: i64 = RATE as i64 / 1000;

/// A steady tone or noise stays within this of its mean level; speech moves by ten decibels.
const STEADY_DB: f64 = 3.0;

/// Source and target at [`RATE`]; as many channels on either side, mixed down to one where the
/// counts differ.
#[derive(Clone)]
pub(super) struct Tracks {
    pub(super) source: Vec<Vec<f32>>,
    pub(super) target: Vec<Vec<f32>>,
}

impl Tracks {
    pub(super) fn of(source: &Pcm, target: &Pcm) -> Tracks {
        let channels = |pcm: &Pcm| {
            pcm.channels
                .iter()
                .map(|channel| resampled(channel, pcm.sample_rate, RATE))
                .collect::<Vec<_>>()
        };
        let (source, target) = (channels(source), channels(target));
        match source.len() == target.len() {
            true => Tracks { source, target },
            false => Tracks {
                source: vec![mixed(&source)],
                target: vec![mixed(&target)],
            },
        }
    }

    /// The same recordings with source and target channels one and two exchanged against each
    /// other.
    pub(super) fn crossed(&self) -> Option<Tracks> {
        let [first, second] = self.target.as_slice() else {
            return None;
        };
        Some(Tracks {
            source: self.source.clone(),
            target: vec![second.clone(), first.clone()],
        })
    }

    /// Samples of the source's longest channel.
    pub(super) fn source_length(&self) -> i64 {
        self.source.iter().map(Vec::len).max().unwrap_or(0) as i64
    }

    /// Samples of the target's longest channel.
    pub(super) fn target_length(&self) -> i64 {
        self.target.iter().map(Vec::len).max().unwrap_or(0) as i64
    }
}

fn mixed(channels: &[Vec<f32>]) -> Vec<f32> {
    let length = channels.iter().map(Vec::len).min().unwrap_or(0);
    let count = channels.len().max(1) as f32;
    (0..length)
        .map(|at| channels.iter().map(|channel| channel[at]).sum::<f32>() / count)
        .collect()
}

/// Whole milliseconds of so many samples at [`RATE`], rounded.
pub(super) fn ms(samples: i64) -> i64 {
    (samples as f64 / PER_MS as f64).round() as i64
}

/// Makes a stretch silent; places outside are ignored.
pub(super) fn hush(channel: &mut [f32], from: i64, to: i64) {
    let length = channel.len() as i64;
    let from = from.clamp(0, length);
    channel[from as usize..to.clamp(from, length) as usize].fill(0.0);
}

/// One loudness throughout: a tone, a hum, hiss.
pub(super) fn is_steady(samples: &[f32]) -> bool {
    const STEADY_FRAME: usize = 25 * PER_MS as usize;
    let levels: Vec<f64> = samples
        .chunks_exact(STEADY_FRAME)
        .map(|frame| 20.0 * (level(frame) + 0.1).log10())
        .collect();
    let mean = levels.iter().sum::<f64>() / levels.len().max(1) as f64;
    let variance = levels
        .iter()
        .map(|level| (level - mean).powi(2))
        .sum::<f64>()
        / levels.len().max(1) as f64;
    variance.sqrt() <= STEADY_DB
}

/// Hiss of one loudness, and no tone: nothing in it comes again.
pub(super) fn is_noise(samples: &[f32]) -> bool {
    /// From 2.5 ms, below which a filter makes neighbours alike, to the period of 20 Hz. Samples.
    const PERIODS: std::ops::RangeInclusive<usize> = 20..=400;
    /// White noise of a second reaches 0.05, a hum or a tone 0.9.
    const MOST_ALIKE: f64 = 0.4;
    let alike = |period: usize| fit(&samples[..samples.len() - period], &samples[period..]);
    samples.len() > 2 * PERIODS.end()
        && is_steady(samples)
        && PERIODS.into_iter().all(|period| alike(period) < MOST_ALIKE)
}
