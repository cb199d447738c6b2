//! Numbers that say how alike two recordings are. No thresholds of sameness here: the verdict is
//! the verifier's.
//!
//! [`wave`] lays waveforms beside each other. [`likeness`] has two measures of its own, because
//! each misses what the other sees (measured on 22 cases of damage and transcoding): the loudness
//! envelope in windows sees cuts, holes, foreign audio and speed; the chromaprint sees what
//! loudness does not, such as mu-law read as A-law. Recordings of unlike rate are compared as they
//! are; nothing is resampled.

mod envelope;
mod print;
pub mod wave;

pub use envelope::{Envelope, FRAME_MS, LOUD_RMS, QUIET_RMS, envelope};

use crate::pcm::{Pcm, at_ms, sample_range};
use envelope::{Alignment, align};

/// How alike two recordings are. Times are milliseconds of the source.
#[derive(Clone, Debug, PartialEq)]
pub struct Likeness {
    /// Length of the target over length of the source, in seconds each, by decoded samples. 1 when
    /// both are empty, 0 or infinity when one is.
    pub length_ratio: f64,
    /// Lowest correlation of loudness in a window of 5 s (one window of the whole when shorter),
    /// over all channels: 1 is the same, 0 unrelated or silent on one side only. Windows without
    /// sound on both sides are skipped; 1 if all are.
    pub min_window: f64,
    /// Highest share of differing chromaprint bits over all channels: 0 is the same, 0.5 unrelated.
    /// `None`: too short or too little sound in every channel (about 3 s are needed), or not asked
    /// for ([`likeness_of_loudness`]).
    pub bit_error: Option<f64>,
    /// Lowest correlation of loudness over the whole length; says little alone, helps to explain
    /// `min_window`.
    pub correlation: f64,
    /// Channels of the source.
    pub source_channels: usize,
    /// Channels of the target. Unlike the source's: both sides were mixed down to one channel
    /// before comparing, so the rest tells whether the sound is otherwise the same.
    pub target_channels: usize,
    /// Index in `channels` of the one with the lowest `min_window`.
    pub worst_channel: usize,
    /// Start and end of the window `min_window` comes from; `None` when every window was skipped.
    pub worst_ms: Option<(u64, u64)>,
    /// The same for each channel compared; one entry when mixed down.
    pub channels: Vec<ChannelLikeness>,
}

/// How alike one channel of two recordings is. Fields as in [`Likeness`].
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelLikeness {
    /// Lowest correlation of loudness in a window.
    pub min_window: f64,
    /// Start and end of that window; `None` when every window was skipped.
    pub worst_ms: Option<(u64, u64)>,
    /// Correlation of loudness over the whole length.
    pub correlation: f64,
    /// How much later the target is than the source, by best fit within a second either way.
    pub lag_ms: i64,
    /// Share of differing chromaprint bits.
    pub bit_error: Option<f64>,
    /// Loudness of the target over that of the source in decibels, where both have sound; `None`
    /// when that is less than half a second.
    pub gain_db: Option<f64>,
    /// Longest stretch where the source has sound and the target has none, from 50 ms; `None`
    /// without one. Finds holes too short to pull a window down.
    pub hole_ms: Option<(u64, u64)>,
}

/// Compares by both measures. About 0.2-0.35 s of work for a 5-minute channel, nearly all of it
/// chromaprint.
pub fn likeness(source: &Pcm, target: &Pcm) -> Likeness {
    measure(source, target, Measures::Both)
}

/// Compares by loudness alone (`bit_error` is `None`): about 10 ms of work for a 5-minute channel.
pub fn likeness_of_loudness(source: &Pcm, target: &Pcm) -> Likeness {
    measure(source, target, Measures::Loudness)
}

/// Share of chromaprint bits that differ between two channels, after the best alignment within 0.7
/// s. `None`: too short, or too little sound.
pub fn bit_error(
    source: &[i16],
    source_rate: u32,
    target: &[i16],
    target_rate: u32,
) -> Option<f64> {
    let alignment = align(source, source_rate, target, target_rate);
    print::bit_error((source, source_rate), (target, target_rate), &alignment)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Measures {
    Loudness,
    Both,
}

fn measure(source: &Pcm, target: &Pcm, measures: Measures) -> Likeness {
    let counts = (source.channels.len(), target.channels.len());
    let mixed = (counts.0 != counts.1).then(|| (mix(source), mix(target)));
    let (left, right) = match &mixed {
        Some((left, right)) => (std::slice::from_ref(left), std::slice::from_ref(right)),
        None => (source.channels.as_slice(), target.channels.as_slice()),
    };
    let rates = (source.sample_rate, target.sample_rate);
    let channels: Vec<ChannelLikeness> = left
        .iter()
        .zip(right)
        .map(|(left, right)| channel((left, rates.0), (right, rates.1), measures))
        .collect();
    let worst_channel = (0..channels.len())
        .min_by(|&a, &b| channels[a].min_window.total_cmp(&channels[b].min_window))
        .unwrap_or(0);
    let worst = channels.get(worst_channel);
    Likeness {
        length_ratio: length_ratio(source, target),
        min_window: worst.map_or(1.0, |channel| channel.min_window),
        bit_error: channels
            .iter()
            .filter_map(|channel| channel.bit_error)
            .max_by(f64::total_cmp),
        correlation: channels
            .iter()
            .map(|channel| channel.correlation)
            .fold(1.0, f64::min),
        source_channels: counts.0,
        target_channels: counts.1,
        worst_channel,
        worst_ms: worst.and_then(|channel| channel.worst_ms),
        channels,
    }
}

fn channel(source: (&[i16], u32), target: (&[i16], u32), measures: Measures) -> ChannelLikeness {
    let alignment: Alignment = align(source.0, source.1, target.0, target.1);
    let worst = alignment.worst_window();
    ChannelLikeness {
        min_window: worst.map_or(1.0, |window| window.correlation),
        worst_ms: worst.map(|window| (window.start_ms, window.end_ms)),
        correlation: alignment.correlation,
        lag_ms: alignment.lag_ms,
        bit_error: match measures {
            Measures::Both => print::bit_error(source, target, &alignment),
            Measures::Loudness => None,
        },
        gain_db: alignment.gain_db(),
        hole_ms: alignment.hole_ms(),
    }
}

/// Channels averaged; zero channels give an empty one.
fn mix(pcm: &Pcm) -> Vec<i16> {
    let count = pcm.channels.len().max(1) as i32;
    (0..pcm.samples())
        .map(|index| {
            (pcm.channels
                .iter()
                .map(|channel| i32::from(channel[index]))
                .sum::<i32>()
                / count) as i16
        })
        .collect()
}

fn length_ratio(source: &Pcm, target: &Pcm) -> f64 {
    let seconds = |pcm: &Pcm| match pcm.sample_rate {
        0 => 0.0,
        rate => pcm.samples() as f64 / f64::from(rate),
    };
    match (seconds(source), seconds(target)) {
        (0.0, 0.0) => 1.0,
        (0.0, _) => f64::INFINITY,
        (source, target) => target / source,
    }
}

/// How well two stereo recordings fit as they are and with the target's channels exchanged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChannelOrder {
    /// Mean correlation of loudness of first with first and second with second.
    pub straight: f64,
    /// Mean correlation of first with second and second with first. Clearly above `straight`: agent
    /// and customer have changed sides. Both high: the channels are alike, as when mono was
    /// doubled.
    pub crossed: f64,
}

/// Correlates the channels straight and crossed. `None` unless both recordings have two channels.
pub fn channel_order(source: &Pcm, target: &Pcm) -> Option<ChannelOrder> {
    let ([s0, s1], [t0, t1]) = (source.channels.as_slice(), target.channels.as_slice()) else {
        return None;
    };
    let fit = |source_channel: &[i16], target_channel: &[i16]| {
        align(
            source_channel,
            source.sample_rate,
            target_channel,
            target.sample_rate,
        )
        .correlation
    };
    Some(ChannelOrder {
        straight: (fit(s0, t0) + fit(s1, t1)) / 2.0,
        crossed: (fit(s0, t1) + fit(s1, t0)) / 2.0,
    })
}

/// How alike the two channels of one recording are, by loudness: near 1 when mono was doubled.
/// `None` unless it has two.
pub fn between_channels(pcm: &Pcm) -> Option<f64> {
    match pcm.channels.as_slice() {
        [left, right] => Some(align(left, pcm.sample_rate, right, pcm.sample_rate).correlation),
        _ => None,
    }
}

/// Root mean square of the samples from `start_ms` (rounded down) to `end_ms` (rounded up),
/// 0..=32768; 0 for an empty range. Use `u64::MAX` for the end of the recording.
pub fn rms(channel: &[i16], rate: u32, start_ms: u64, end_ms: u64) -> f64 {
    let range = &channel[sample_range(channel.len(), rate, start_ms, end_ms)];
    let sum: f64 = range
        .iter()
        .map(|&sample| f64::from(sample) * f64::from(sample))
        .sum();
    (sum / range.len().max(1) as f64).sqrt()
}

/// Largest absolute sample of the range, 0..=32768; 0 for an empty range. Rounds like [`rms`].
pub fn peak(channel: &[i16], rate: u32, start_ms: u64, end_ms: u64) -> u16 {
    let range = &channel[sample_range(channel.len(), rate, start_ms, end_ms)];
    range
        .iter()
        .map(|sample| sample.unsigned_abs())
        .max()
        .unwrap_or(0)
}

/// True when no 25 ms of the range are louder than [`QUIET_RMS`]; true for an empty range.
pub fn is_silent(channel: &[i16], rate: u32, start_ms: u64, end_ms: u64) -> bool {
    let range = &channel[sample_range(channel.len(), rate, start_ms, end_ms)];
    envelope(range, rate).is_silent()
}

/// Loudness by the second, as RMS, for reports and for finding where a recording falls silent. The
/// last entry may cover less than a second.
pub fn rms_by_second(channel: &[i16], rate: u32) -> Vec<f64> {
    let seconds = at_ms(channel.len() as u64, rate).div_ceil(1000);
    (0..seconds)
        .map(|second| rms(channel, rate, second * 1000, (second + 1) * 1000))
        .collect()
}
