//! A recording in a few hundred bytes: enough to find whose audio a foreign one is among all
//! others.

use audio::Pcm;
use audio::compare::{FRAME_MS, envelope};

use super::content::{ms_of, tolerance_ms};

/// 64 steps: two different calls agree by chance with a correlation of 0.12 on average, so 0.9 is
/// never chance; and a million stereo recordings fit into 150 MB.
const STEPS: usize = 64;
/// A transcode of the same audio stays above this even for a one-second clip moved by a codec's
/// delay; see the tests.
const SAME: f64 = 0.90;
/// Less variation than this (in steps of a quarter decibel) is silence or hum, which identifies
/// nothing.
const LEAST_VARIANCE: f64 = 16.0;

/// Loudness over the whole length in [`STEPS`] steps a channel, quarter decibels above silence.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AudioFingerprint {
    ms: f64,
    channels: Vec<[u8; STEPS]>,
    /// Of a target only: its loudness in full, and by how much its codec may have moved it.
    /// Milliseconds.
    late: Option<(f64, Vec<Vec<f32>>)>,
}

impl AudioFingerprint {
    pub(crate) fn of(pcm: &Pcm) -> AudioFingerprint {
        let channels = curves(pcm)
            .iter()
            .map(|levels| steps(levels, 0.0, levels.len() as f64))
            .collect();
        AudioFingerprint {
            ms: ms_of(pcm),
            channels,
            late: None,
        }
    }

    /// Of a target that a codec may have moved by up to so much.
    pub(crate) fn of_target(pcm: &Pcm, late_ms: f64) -> AudioFingerprint {
        AudioFingerprint {
            late: Some((late_ms, curves(pcm))),
            ..AudioFingerprint::of(pcm)
        }
    }

    /// Whether the other one, of a target, is the same sound.
    #[cfg(test)]
    pub(crate) fn is(&self, other: &AudioFingerprint) -> bool {
        self.likeness(other).is_some()
    }

    /// How alike the other one, of a target, is: 1 the same. `None`: another sound. Silence is
    /// never the same as anything.
    pub(crate) fn likeness(&self, other: &AudioFingerprint) -> Option<f64> {
        if self.channels.len() != other.channels.len() {
            return None;
        }
        let same = |channels: &[[u8; STEPS]]| {
            let mut fits = self.channels.iter().zip(channels).map(|(a, b)| fit(a, b));
            let (sounding, sum) = fits.try_fold((0, 0.0), judge)?;
            (sounding > 0).then(|| sum / f64::from(sounding))
        };
        let longer = other.ms - self.ms;
        let in_place = if longer.abs() <= tolerance_ms(self.ms) {
            same(&other.channels)
        } else {
            None
        };
        let fits_late =
            |late: &f64| longer >= -tolerance_ms(self.ms) && longer <= late + MOST_BEHIND_MS;
        let Some((late_ms, curves)) = other
            .late
            .as_ref()
            .filter(|(late, _)| in_place.is_none() && fits_late(late))
        else {
            return in_place;
        };
        // As long as this one, from wherever its codec may have put the beginning.
        let places = (0..=(late_ms / PLACE_MS) as usize)
            .map(|place| place as f64 * PLACE_MS / FRAME_MS as f64);
        let frames = self.ms / FRAME_MS as f64;
        let late = places.filter_map(|from| {
            same(
                &curves
                    .iter()
                    .map(|levels| steps(levels, from, from + frames))
                    .collect::<Vec<_>>(),
            )
        });
        late.max_by(f64::total_cmp)
    }
}

/// What an encoder and a recorder may add behind the sound. Milliseconds.
const MOST_BEHIND_MS: f64 = 300.0;
/// Beginnings are tried so far apart: half a frame of loudness.
const PLACE_MS: f64 = 12.5;

fn curves(pcm: &Pcm) -> Vec<Vec<f32>> {
    pcm.channels
        .iter()
        .map(|channel| envelope(channel, pcm.sample_rate).levels)
        .collect()
}

/// Counts and sums channels that fit; a channel without sound on both sides says nothing; one that
/// does not fit ends it.
fn judge((sounding, sum): (i32, f64), fit: Option<f64>) -> Option<(i32, f64)> {
    match fit {
        None => Some((sounding, sum)),
        Some(fit) if fit >= SAME => Some((sounding + 1, sum + fit)),
        Some(_) => None,
    }
}

/// Loudness between two places, in frames.
fn steps(levels: &[f32], from: f64, to: f64) -> [u8; STEPS] {
    let bins = means(levels, from, to, STEPS);
    std::array::from_fn(|at| ((bins[at] - 30.0) * 4.0).clamp(0.0, 255.0) as u8)
}

/// Means over equal parts of the whole length; a part may cover fractions of frames.
pub(super) fn resample(levels: &[f32], parts: usize) -> Vec<f64> {
    means(levels, 0.0, levels.len() as f64, parts)
}

fn means(levels: &[f32], start: f64, end: f64, parts: usize) -> Vec<f64> {
    let width = (end - start) / parts as f64;
    let value = |at: usize| {
        levels
            .get(at)
            .or(levels.last())
            .map_or(30.0, |level| f64::from(*level))
    };
    (0..parts)
        .map(|part| {
            let (from, to) = (
                start + part as f64 * width,
                start + (part + 1) as f64 * width,
            );
            let mut sum = 0.0;
            let mut at = from;
            while at < to - 1e-9 {
                let next = (at.floor() + 1.0).min(to);
                sum += value(at as usize) * (next - at);
                at = next;
            }
            if width > 0.0 { sum / width } else { 30.0 }
        })
        .collect()
}

/// Pearson's correlation; `None` where neither side varies, 0 where one does not.
fn fit(a: &[u8], b: &[u8]) -> Option<f64> {
    correlation(
        &a.iter().map(|v| f64::from(*v)).collect::<Vec<_>>(),
        &b.iter().map(|v| f64::from(*v)).collect::<Vec<_>>(),
        LEAST_VARIANCE,
    )
}

pub(super) fn correlation(a: &[f64], b: &[f64], least_variance: f64) -> Option<f64> {
    let count = a.len().min(b.len()).max(1) as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / count, b.iter().sum::<f64>() / count);
    let (mut both, mut square_a, mut square_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        both += (a - mean_a) * (b - mean_b);
        square_a += (a - mean_a).powi(2);
        square_b += (b - mean_b).powi(2);
    }
    match (
        square_a / count >= least_variance,
        square_b / count >= least_variance,
    ) {
        (false, false) => None,
        (true, true) => Some(both / (square_a * square_b).sqrt()),
        _ => Some(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::content::testing::{speech, through_mp3};

    #[test]
    fn a_transcode_has_the_fingerprint_of_its_source_and_no_other_has() {
        for seconds in [1.0, 3.0, 20.0] {
            let calls: Vec<Pcm> = (1..=6).map(|seed| speech(seed, seconds, 1)).collect();
            let fingerprints: Vec<AudioFingerprint> =
                calls.iter().map(AudioFingerprint::of).collect();
            for (at, call) in calls.iter().enumerate() {
                let transcoded = AudioFingerprint::of(&through_mp3(call));
                let same: Vec<usize> = (0..calls.len())
                    .filter(|other| fingerprints[*other].is(&transcoded))
                    .collect();
                assert_eq!(same, [at], "{seconds} s");
            }
        }
    }

    #[test]
    fn silence_has_nobodys_fingerprint() {
        let silent = AudioFingerprint::of(&Pcm {
            sample_rate: 8000,
            channels: vec![vec![0; 16000]],
        });
        assert!(!silent.is(&silent));
    }
}
