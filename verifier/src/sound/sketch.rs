//! A recording in a few hundred bytes: enough to find whose audio a foreign one is among all others.

use audio::Pcm;
use audio::compare::envelope;

use super::content::{length_fits, ms_of};

/// 64 steps: two different calls agree by chance with a correlation of 0.12 on average, so 0.9 is never chance; and a million stereo
/// recordings fit into 150 MB.
const STEPS: usize = 64;
/// A transcode of the same audio stays above this even for a one-second clip moved by a codec's delay; see the tests.
const SAME: f64 = 0.90;
/// Less variation than this (in steps of a quarter decibel) is silence or hum, which identifies nothing.
const LEAST_VARIANCE: f64 = 16.0;

/// Loudness over the whole length in [`STEPS`] steps a channel, quarter decibels above silence.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sketch {
    ms: f64,
    channels: Vec<[u8; STEPS]>,
}

impl Sketch {
    pub(crate) fn of(pcm: &Pcm) -> Sketch {
        let channels = pcm.channels.iter().map(|channel| steps(&envelope(channel, pcm.sample_rate).levels)).collect();
        Sketch { ms: ms_of(pcm), channels }
    }

    /// Whether both are the same sound. Silence is never the same as anything.
    pub(crate) fn is(&self, other: &Sketch) -> bool {
        self.channels.len() == other.channels.len()
            && length_fits(self.ms, other.ms)
            && self.channels.iter().zip(&other.channels).map(|(a, b)| fit(a, b)).try_fold(0, judge).is_some_and(|sounding| sounding > 0)
    }
}

/// Counts channels that fit; a channel without sound on both sides says nothing; one that does not fit ends it.
fn judge(sounding: usize, fit: Option<f64>) -> Option<usize> {
    match fit {
        None => Some(sounding),
        Some(fit) if fit >= SAME => Some(sounding + 1),
        Some(_) => None,
    }
}

fn steps(levels: &[f32]) -> [u8; STEPS] {
    let bins = resample(levels, STEPS);
    std::array::from_fn(|at| ((bins[at] - 30.0) * 4.0).clamp(0.0, 255.0) as u8)
}

/// Means over equal parts of the whole length; a part may cover fractions of frames.
pub(super) fn resample(levels: &[f32], parts: usize) -> Vec<f64> {
    let width = levels.len() as f64 / parts as f64;
    let value = |at: usize| levels.get(at).or(levels.last()).map_or(30.0, |level| f64::from(*level));
    (0..parts)
        .map(|part| {
            let (from, to) = (part as f64 * width, (part + 1) as f64 * width);
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
    correlation(&a.iter().map(|v| f64::from(*v)).collect::<Vec<_>>(), &b.iter().map(|v| f64::from(*v)).collect::<Vec<_>>(), LEAST_VARIANCE)
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
    match (square_a / count >= least_variance, square_b / count >= least_variance) {
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
    fn a_transcode_has_the_sketch_of_its_source_and_no_other_has() {
        for seconds in [1.0, 3.0, 20.0] {
            let calls: Vec<Pcm> = (1..=6).map(|seed| speech(seed, seconds, 1)).collect();
            let sketches: Vec<Sketch> = calls.iter().map(Sketch::of).collect();
            for (at, call) in calls.iter().enumerate() {
                let transcoded = Sketch::of(&through_mp3(call));
                let same: Vec<usize> = (0..calls.len()).filter(|other| sketches[*other].is(&transcoded)).collect();
                assert_eq!(same, [at], "{seconds} s");
            }
        }
    }

    #[test]
    fn silence_is_nobodys_sketch() {
        let silent = Sketch::of(&Pcm { sample_rate: 8000, channels: vec![vec![0; 16000]] });
        assert!(!silent.is(&silent));
    }
}
