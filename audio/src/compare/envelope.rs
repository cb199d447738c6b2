//! Loudness in frames of 25 ms, and how two such curves fit.

/// Length of a frame in milliseconds: shorter than a syllable, longer than two periods of a low
/// voice.
pub const FRAME_MS: u64 = 25;
/// Up to this RMS (-56 dB of full scale) a frame is silence: above the coding noise of mu-law, AMR
/// comfort noise and MP3 around a pause, below any voice.
pub const QUIET_RMS: f64 = 50.0;
/// From this RMS (12 dB above quiet) a frame surely has sound. Between the two nothing is
/// concluded, so that noise at the edge of silence, coded a little louder or softer, is never a
/// difference.
pub const LOUD_RMS: f64 = 200.0;

/// Added to every frame's energy, so that loudness is flat where only noise is. About the noise of
/// 8-bit telephony.
const FLOOR_RMS: f64 = 32.0;
const FRAMES_PER_SECOND: u64 = 1000 / FRAME_MS;
/// 5 s: long enough for a stable correlation, short enough that 2 s of foreign audio pull it down.
const WINDOW: usize = 5 * FRAMES_PER_SECOND as usize;
/// Windows overlap by half, so damage never hides on a border.
const HOP: usize = WINDOW / 2;
const MOST_LAG: i64 = FRAMES_PER_SECOND as i64;
/// Variance, in square decibels, below which a curve counts as flat. Two flat curves (a censor
/// beep, a hum) then fit.
const FLAT: f64 = 1.0;
/// A fit this good is not improved by shifting less than a frame.
const GOOD_FIT: f64 = 0.998;
/// Shorter gaps occur between words where a codec smears.
const SHORTEST_HOLE: usize = 2;
/// Frames of sound below which a volume is not measured: half a second.
const LEAST_SOUND: usize = FRAMES_PER_SECOND as usize / 2;

/// Loudness of a channel, one value in decibels per [`FRAME_MS`].
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// Ten times the decimal logarithm of the mean square plus a floor: 30 for silence, 90 for full
    /// scale.
    pub levels: Vec<f32>,
}

impl Envelope {
    /// True when no frame is louder than [`QUIET_RMS`].
    pub fn is_silent(&self) -> bool {
        self.levels
            .iter()
            .all(|&level| level <= level_of(QUIET_RMS))
    }
}

/// Measures the loudness of a channel. Frame borders are fractions of samples rounded one by one:
/// cutting the frame length instead (1102.5 samples at 44.1 kHz) makes two curves drift apart by
/// 0.14 s in 5 minutes. A rate of 0 or a channel shorter than a frame gives at most one frame.
pub fn envelope(channel: &[i16], rate: u32) -> Envelope {
    Envelope {
        levels: levels(channel, rate, 0),
    }
}

fn levels(channel: &[i16], rate: u32, offset: i64) -> Vec<f32> {
    let rate = u64::from(rate.max(1));
    let length = (channel.len() as i64 - offset).max(0) as u64;
    let frames = (length * FRAMES_PER_SECOND).div_ceil(rate);
    let border = |frame: u64| {
        let position = (frame * rate / FRAMES_PER_SECOND) as i64 + offset;
        position.clamp(0, channel.len() as i64) as usize
    };
    (0..frames)
        .map(|frame| level(&channel[border(frame)..border(frame + 1)]))
        .collect()
}

fn level(samples: &[i16]) -> f32 {
    let energy: u64 = samples
        .iter()
        .map(|&sample| u64::from(sample.unsigned_abs()).pow(2))
        .sum();
    let mean = energy as f64 / samples.len().max(1) as f64;
    (10.0 * (mean + FLOOR_RMS * FLOOR_RMS).log10()) as f32
}

fn level_of(rms: f64) -> f32 {
    (10.0 * (rms * rms + FLOOR_RMS * FLOOR_RMS).log10()) as f32
}

/// One window of the source and how the target fits it.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub(super) correlation: f64,
    pub(super) start_ms: u64,
    pub(super) end_ms: u64,
}

/// Two curves, the target's shifted for the best fit; `source[i]` and `target[i]` are the same
/// moment.
pub(super) struct Alignment {
    pub(super) source: Vec<f32>,
    pub(super) target: Vec<f32>,
    /// Frames of the source and of the target before the first common one.
    pub(super) skipped: (usize, usize),
    pub(super) lag_ms: i64,
    pub(super) correlation: f64,
}

/// Finds the shift within a second either way where the curves fit best: whole frames first, then
/// by 5 ms.
pub(super) fn align(
    source: &[i16],
    source_rate: u32,
    target: &[i16],
    target_rate: u32,
) -> Alignment {
    let left = levels(source, source_rate, 0);
    let right = levels(target, target_rate, 0);
    let (lag, mut best) = best_lag(&left, &right);
    let (mut fine_ms, mut chosen) = (0, right);
    if best < GOOD_FIT {
        for shift_ms in [-10i64, -5, 5, 10] {
            let shifted = levels(
                target,
                target_rate,
                shift_ms * i64::from(target_rate) / 1000,
            );
            let correlation = fit(&left, &shifted, lag);
            if correlation > best {
                (best, fine_ms, chosen) = (correlation, shift_ms, shifted);
            }
        }
    }
    let (from, to, length) = overlap(left.len(), chosen.len(), lag);
    Alignment {
        source: left[from..from + length].to_vec(),
        target: chosen[to..to + length].to_vec(),
        skipped: (from, to),
        lag_ms: lag * FRAME_MS as i64 + fine_ms,
        correlation: best,
    }
}

/// Nearest shifts first, so that of equal fits the smallest shift wins.
fn best_lag(source: &[f32], target: &[f32]) -> (i64, f64) {
    // Short clips fit anything somewhere: an eighth is room for a codec's delay, not for chance.
    let most = MOST_LAG.min(source.len().min(target.len()) as i64 / 8);
    let mut best = (0, fit(source, target, 0));
    for lag in (1..=most).flat_map(|lag| [lag, -lag]) {
        let correlation = fit(source, target, lag);
        if correlation > best.1 + 1e-9 {
            best = (lag, correlation);
        }
    }
    best
}

fn overlap(source: usize, target: usize, lag: i64) -> (usize, usize, usize) {
    let (from, to) = if lag >= 0 {
        (0, lag as usize)
    } else {
        (-lag as usize, 0)
    };
    (
        from,
        to,
        source.saturating_sub(from).min(target.saturating_sub(to)),
    )
}

fn fit(source: &[f32], target: &[f32], lag: i64) -> f64 {
    let (from, to, length) = overlap(source.len(), target.len(), lag);
    match length {
        0 => f64::from(u8::from(source.is_empty() && target.is_empty())),
        length => correlation(&source[from..from + length], &target[to..to + length]),
    }
}

/// Pearson's correlation with a little flatness granted to both sides: flat against flat is 1, flat
/// against speech is near 0, and on speech the grant does not show.
fn correlation(left: &[f32], right: &[f32]) -> f64 {
    let count = left.len() as f64;
    let mean = |values: &[f32]| values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    let (left_mean, right_mean) = (mean(left), mean(right));
    let (mut both, mut left_square, mut right_square) = (0.0, 0.0, 0.0);
    for (&a, &b) in left.iter().zip(right) {
        let (a, b) = (f64::from(a) - left_mean, f64::from(b) - right_mean);
        both += a * b;
        left_square += a * a;
        right_square += b * b;
    }
    let grant = FLAT * count;
    (both + grant) / ((left_square + grant) * (right_square + grant)).sqrt()
}

impl Alignment {
    /// The worst window, or `None` when none has sound.
    pub(super) fn worst_window(&self) -> Option<Window> {
        let length = self.source.len();
        let size = WINDOW.min(length);
        let last = length - size;
        let starts = (0..last).step_by(HOP).chain([last]);
        starts
            .filter_map(|start| self.window(start, size))
            .min_by(|a, b| a.correlation.total_cmp(&b.correlation))
    }

    fn window(&self, start: usize, size: usize) -> Option<Window> {
        let (source, target) = (
            &self.source[start..start + size],
            &self.target[start..start + size],
        );
        let loudest = |levels: &[f32]| levels.iter().copied().fold(0.0, f32::max);
        let (left, right) = (loudest(source), loudest(target));
        let (quiet, loud) = (level_of(QUIET_RMS), level_of(LOUD_RMS));
        if left < loud && right < loud {
            return None;
        }
        let correlation = if left <= quiet || right <= quiet {
            0.0
        } else {
            correlation(source, target)
        };
        let at = |frame: usize| (self.skipped.0 + frame) as u64 * FRAME_MS;
        Some(Window {
            correlation,
            start_ms: at(start),
            end_ms: at(start + size),
        })
    }

    /// True where neither side has sound.
    pub(super) fn is_background(&self, frame: usize) -> bool {
        let loud = level_of(LOUD_RMS);
        self.source[frame] < loud && self.target[frame] < loud
    }

    /// `None` with less than half a second of sound on both sides: a codec moves the edge of a
    /// syllable by a frame, and where the edge is all there is, that looks like ten decibels.
    pub(super) fn gain_db(&self) -> Option<f64> {
        let loud = level_of(LOUD_RMS);
        let both: Vec<f64> = self
            .source
            .iter()
            .zip(&self.target)
            .filter(|&(&left, &right)| left >= loud && right >= loud)
            .map(|(&left, &right)| f64::from(right) - f64::from(left))
            .collect();
        (both.len() >= LEAST_SOUND).then(|| both.iter().sum::<f64>() / both.len() as f64)
    }

    /// The longest run of frames where the source has sound and the target none.
    pub(super) fn hole_ms(&self) -> Option<(u64, u64)> {
        let (quiet, loud) = (level_of(QUIET_RMS), level_of(LOUD_RMS));
        let missing = |frame: usize| self.source[frame] >= loud && self.target[frame] <= quiet;
        let (mut longest, mut start) = (0..0, None);
        for frame in 0..=self.source.len() {
            match (frame < self.source.len() && missing(frame), start) {
                (true, None) => start = Some(frame),
                (false, Some(from)) => {
                    if frame - from > longest.len() {
                        longest = from..frame;
                    }
                    start = None;
                }
                _ => {}
            }
        }
        let at = |frame: usize| (self.skipped.0 + frame) as u64 * FRAME_MS;
        (longest.len() >= SHORTEST_HOLE).then(|| (at(longest.start), at(longest.end)))
    }
}
