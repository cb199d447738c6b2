//! Writing silence or a tone over ranges of time, in the whole of a recording or in its blocks as
//! they pass.

use crate::pcm::{Pcm, sample_range};

/// What a range is overwritten with, in every channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cover {
    /// Digital silence.
    Silence,
    /// A steady beep: 1 kHz, 20 dB below full scale.
    Tone,
}

/// Overwrites the range with digital silence in every channel.
///
/// `start_ms` is rounded down and `end_ms` up to whole samples, so what was to be hidden is hidden.
/// What lies beyond the end is ignored; an end before the start changes nothing. A lossy codec
/// spreads its neighbours into the range: expect *nearly* silent after [`crate::encode()`], and
/// check with [`crate::compare::rms`].
pub fn silence(pcm: &mut Pcm, start_ms: u64, end_ms: u64) {
    Covers::new([(start_ms, end_ms)], Cover::Silence).apply(pcm);
}

/// Overwrites the range with a steady beep (1 kHz, 20 dB below full scale) in every channel. Rounds
/// like [`silence`].
pub fn tone(pcm: &mut Pcm, start_ms: u64, end_ms: u64) {
    Covers::new([(start_ms, end_ms)], Cover::Tone).apply(pcm);
}

/// Ranges to overwrite in a recording that passes block by block. The same samples come out as from
/// [`silence`] and [`tone`] on the whole, wherever the blocks end.
#[derive(Clone, Debug)]
pub struct Covers {
    ranges_ms: Vec<(u64, u64)>,
    cover: Cover,
    /// Samples per channel that have passed.
    passed: usize,
}

impl Covers {
    /// Ranges of milliseconds, start and end; a later one covers an earlier one where they meet.
    /// Rounded like [`silence`].
    pub fn new(ranges_ms: impl IntoIterator<Item = (u64, u64)>, cover: Cover) -> Covers {
        Covers {
            ranges_ms: ranges_ms.into_iter().collect(),
            cover,
            passed: 0,
        }
    }

    /// Overwrites what lies in the next block, which must follow the one before.
    pub fn apply(&mut self, block: &mut Pcm) {
        let start = self.passed;
        self.passed += block.samples();
        for &(start_ms, end_ms) in &self.ranges_ms {
            let range = sample_range(self.passed, block.sample_rate, start_ms, end_ms);
            let place = range.start.max(start)..range.end.max(start);
            if place.is_empty() {
                continue;
            }
            let sound: Vec<i16> = match self.cover {
                Cover::Silence => vec![0; place.len()],
                Cover::Tone => place
                    .clone()
                    .map(|index| beep(index - range.start, block.sample_rate))
                    .collect(),
            };
            for channel in &mut block.channels {
                channel[place.start - start..place.end - start].copy_from_slice(&sound);
            }
        }
    }
}

/// Inside every telephone band, and what listeners know as a censor beep.
const TONE_HZ: f64 = 1000.0;
/// 20 dB below full scale: about as loud as speech, so that nobody lowers the volume for it.
const TONE_PEAK: f64 = 3276.8;

/// Sample of the tone, counted from the start of its range.
fn beep(index: usize, sample_rate: u32) -> i16 {
    let step = std::f64::consts::TAU * TONE_HZ / f64::from(sample_rate.max(1));
    (TONE_PEAK * (step * index as f64).sin()).round() as i16
}
