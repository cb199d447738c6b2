//! Where the source's sound lies in the target: one lag for the whole file, then each second of
//! sound by itself.

use audio::compare::wave::{Search, advanced, fit, level, stretch};

use super::delay::Delay;
use super::tracks::{PER_MS, RATE, Tracks, is_noise};

/// A second: in shorter pieces two voices of one pitch fit each other somewhere (0.74 at most in
/// half a second, 0.37 in one, within 1.25 s).
pub(super) const WINDOW: usize = RATE as usize;
/// Windows overlap by half, so that damage never hides on a border.
pub(super) const HOP: usize = WINDOW / 2;
/// A second fits at the file's lag from here on. Measured on speech over 60 encoders and settings:
/// every honest one is at 0.88 and above (Speex at 8 kbit/s 0.68, AMR at 4.75 0.4), unrelated
/// speech at 0.12 and below.
pub(super) const HELD: f64 = 0.35;
/// In a clip of one or two seconds the file's lag itself is chosen to fit, and unrelated speech
/// reaches 0.5.
const HELD_OF_FEW: f64 = 0.62;
const FEW: usize = 2;
/// A waveform is kept from here on.
const KEPT: f64 = 0.9;
/// A tenth of the usual loudness: 20 dB.
const BREATH: f64 = 0.1;
/// Voice codecs make steady noise softer: G.723.1 by 5 dB, AMR at 4.75 kbit/s by 7 in its first
/// second.
const NOISE_DB: f64 = 8.0;
/// And anywhere else from here on; unrelated speech reaches 0.37 by search in a second, more in
/// less.
const FOUND: f64 = 0.6;
const MOST_FOUND: f64 = 0.95;
/// Windows as loud as this have sound for certain (RMS); in a recording that is quiet throughout, a
/// third of its loudest window.
const SOUNDING: f64 = 100.0;
const LEAST_SOUNDING: f64 = 10.0;
/// A channel this far (40 dB) below another has no sound that anybody hears beside it: an encoder
/// of 16 kbit/s spends nothing on its hiss.
const BESIDE_THE_LOUDEST: f64 = 100.0;
/// A target is brought in step by no less than a tenth of a sample: at 4 kHz 18 degrees, which cost
/// no fit.
const LEAST_FRACTION: f64 = 0.1;
/// How far around its place a second is searched for. Samples: 1.25 s.
const REACH: i64 = 10_000;
/// A cut of more than this at the beginning is not measured to the sample. Two minutes.
const MOST_REACH: i64 = 120 * RATE as i64;
/// Windows whose lags are summed for the file's: eight of the loudest a channel find it alone, and
/// cost 10 ms.
const LOUDEST: usize = 8;
/// The whole target is searched for at most so many blocks; a long recording is searched for fewer
/// windows.
const MOST_BLOCKS: usize = 400;
const BLOCK: usize = 1 << 16;

/// A second of a channel's sound, and where it was found.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) channel: usize,
    /// First sample, in the source.
    pub(super) from: usize,
    pub(super) length: usize,
    /// How loud it is in the source, RMS.
    level: f64,
    /// How well it fits at the file's lag.
    pub(super) fit: f64,
    /// It is where it should be.
    pub(super) held: bool,
    /// Hiss on both sides, of about one loudness: a voice codec keeps no more of it, and its
    /// waveform tells nothing.
    pub(super) noise: bool,
    /// Where else it was found. Samples by which the target is later. Absent: it is where it should
    /// be, or nowhere.
    pub(super) moved: Option<i64>,
    /// Loudness of the target at the file's lag over that of the source. Decibels.
    pub(super) gain_db: f64,
}

impl Step {
    pub(super) fn is_held(&self) -> bool {
        self.held
    }
}

/// How well a piece must fit where it was searched for: short ones fit by chance more easily, with
/// the inverse of the root of their length.
fn found_from(length: usize) -> f64 {
    (FOUND * (WINDOW as f64 / length.max(1) as f64).sqrt()).min(MOST_FOUND)
}

/// Every second of sound, channel by channel in the order of time.
#[derive(Debug, Clone)]
pub(super) struct Timeline {
    /// The file's lag. Samples by which the target is later.
    pub(super) lag: i64,
    pub(super) steps: Vec<Step>,
}

impl Timeline {
    /// Finds the file's lag and holds every second against it. The target is brought in step: an
    /// encoder's 1,105 samples of 16 kHz are 552.5 of ours, and half a sample beside itself a
    /// sibilant of 4 kHz is another sound.
    pub(super) fn of(tracks: &mut Tracks, delay: &Delay) -> Timeline {
        let (lag, fraction) = file_lag(tracks, delay);
        if fraction.abs() >= LEAST_FRACTION {
            tracks
                .target
                .iter_mut()
                .for_each(|channel| *channel = advanced(channel, fraction));
        }
        Timeline::at(tracks, lag)
    }

    /// Every second against a known lag.
    pub(super) fn at(tracks: &Tracks, lag: i64) -> Timeline {
        let least = tracks
            .source
            .iter()
            .map(|channel| loudest_second(channel) / BESIDE_THE_LOUDEST)
            .fold(LEAST_SOUNDING, f64::max);
        let mut steps: Vec<Step> = (0..tracks.source.len())
            .flat_map(|channel| steps(tracks, channel, lag, least))
            .collect();
        let held = if steps.len() <= FEW {
            HELD_OF_FEW
        } else {
            HELD
        };
        steps
            .iter_mut()
            .for_each(|step| step.held = step.fit >= held || step.noise);
        let mut timeline = Timeline { lag, steps };
        if !timeline.keeps_waveform() {
            timeline.excuse_breaths();
        }
        timeline
    }

    /// Whether the target was made by a codec of waveforms, not of voices.
    pub(super) fn keeps_waveform(&self) -> bool {
        self.typical_fit() >= KEPT
    }

    /// Of a breath or the end of a word far below the speech a voice codec keeps hardly more than
    /// the loudness.
    fn excuse_breaths(&mut self) {
        let mut levels: Vec<f64> = self
            .steps
            .iter()
            .filter(|step| step.held)
            .map(|step| step.level)
            .collect();
        levels.sort_by(f64::total_cmp);
        let usual = levels.get(levels.len() / 2).copied().unwrap_or(0.0);
        let is_breath = |step: &&mut Step| step.level <= BREATH * usual && step.gain_db <= 3.0;
        self.steps
            .iter_mut()
            .filter(is_breath)
            .for_each(|step| step.held = true);
    }

    /// Whether a sample of a channel lies in steady noise.
    pub(super) fn is_noise(&self, channel: usize, at: usize) -> bool {
        self.steps.iter().any(|step| {
            step.noise
                && step.channel == channel
                && (step.from..step.from + step.length).contains(&at)
        })
    }

    /// Share of the sound that is where it should be; `None` without sound.
    pub(super) fn held(&self) -> Option<f64> {
        let held = self.steps.iter().filter(|step| step.is_held()).count();
        (!self.steps.is_empty()).then(|| held as f64 / self.steps.len() as f64)
    }

    /// The middle fit of all seconds; 1 without any.
    pub(super) fn typical_fit(&self) -> f64 {
        let mut fits: Vec<f64> = self.steps.iter().map(|step| step.fit).collect();
        fits.sort_by(f64::total_cmp);
        fits.get(fits.len() / 2).copied().unwrap_or(1.0)
    }

    /// Lag of a channel at a place: that of the nearest second that was found.
    pub(super) fn lag_at(&self, channel: usize, at: i64) -> i64 {
        let place = |step: &&Step| (step.from as i64 + step.length as i64 / 2 - at).abs();
        let found = self
            .steps
            .iter()
            .filter(|step| step.channel == channel && (step.is_held() || step.moved.is_some()));
        found.min_by_key(place).map_or(self.lag, |step| {
            if step.is_held() {
                self.lag
            } else {
                step.moved.unwrap_or(self.lag)
            }
        })
    }

    /// Looks for what is not where it should be: around its place, then (a few windows) in the
    /// whole of the target.
    pub(super) fn search(&mut self, tracks: &Tracks) {
        let mut search = Search::default();
        let reach = reach(tracks);
        let blocks = (tracks.target_length() as usize)
            .div_ceil(BLOCK - WINDOW)
            .max(1);
        let mut whole = MOST_BLOCKS / blocks;
        // Neighbours mostly lie alike: lags already seen are tried first.
        let mut seen: Vec<i64> = Vec::new();
        let lag = self.lag;
        for step in self.steps.iter_mut().filter(|step| !step.is_held()) {
            let piece = &tracks.source[step.channel][step.from..step.from + step.length];
            let target = &tracks.target[step.channel];
            let known = seen
                .iter()
                .rev()
                .find(|lag| {
                    near(piece, target, step.from as i64 + **lag).1 >= found_from(piece.len())
                })
                .copied();
            let found = known.or_else(|| {
                around(&mut search, piece, target, step.from as i64 + lag, reach)
                    .map(|at| at - step.from as i64)
            });
            let found = found.or_else(|| {
                whole = whole.checked_sub(1)?;
                anywhere(&mut search, piece, target).map(|at| at - step.from as i64)
            });
            step.moved = found;
            if let Some(found) = found.filter(|found| !seen.contains(found)) {
                seen.push(found);
                // Under a drift every second has its own; only the last ones are worth trying.
                seen.drain(..seen.len().saturating_sub(4));
            }
        }
    }
}

/// How far a second may have moved when something was cut off in front of it.
fn reach(tracks: &Tracks) -> i64 {
    (REACH + (tracks.source_length() - tracks.target_length()).abs()).min(MOST_REACH)
}

/// Lags of the loudest seconds, summed over all channels: the one that most agree on, and the part
/// of a sample by which the target is later still. A target turned over (which nobody hears) is
/// turned back.
fn file_lag(tracks: &mut Tracks, delay: &Delay) -> (i64, f64) {
    let reach = reach(tracks);
    let mut search = Search::default();
    let mut sums = vec![0.0f32; 2 * reach as usize + 1];
    let (mut pieces, mut shortest) = (0, WINDOW);
    for (source, target) in tracks.source.iter().zip(&tracks.target) {
        for from in loudest(source) {
            let piece = &source[from..(from + WINDOW).min(source.len())];
            (pieces, shortest) = (pieces + 1, shortest.min(piece.len()));
            let around = stretch(
                target,
                from as i64 - reach,
                piece.len() + 2 * reach as usize,
            );
            sums.iter_mut()
                .zip(search.fits(piece, &around))
                .for_each(|(sum, fit)| *sum += fit);
        }
    }
    let best = |from: i64, to: i64, turned: bool| {
        let within = (from + reach).max(0) as usize
            ..((to + reach).min(2 * reach) as usize + 1).min(sums.len());
        let sum = |at: usize| if turned { -sums[at] } else { sums[at] };
        // Of equal ones the smallest lag.
        let nearer =
            |a: usize, b: usize| b.abs_diff(reach as usize).cmp(&a.abs_diff(reach as usize));
        let at = within.max_by(|a, b| sum(*a).total_cmp(&sum(*b)).then(nearer(*a, *b)));
        at.map(|at| (at as i64 - reach, f64::from(sum(at))))
    };
    // One piece alone fits somewhere by chance; the more there are, the less they agree by chance.
    let surely =
        (0.3 + 0.3 / f64::from(pieces.max(1))) * (WINDOW as f64 / shortest.max(1) as f64).sqrt();
    let is_sure = |sum: f64| sum >= f64::from(pieces) * surely.min(MOST_FOUND);
    let (Some(mut anywhere), Some(turned)) =
        (best(-reach, reach, false), best(-reach, reach, true))
    else {
        return (0, 0.0);
    };
    let is_turned = is_sure(turned.1) && turned.1 > anywhere.1;
    if is_turned {
        tracks
            .target
            .iter_mut()
            .flatten()
            .for_each(|sample| *sample = -*sample);
        anywhere = turned;
    }
    let samples = |ms: f64| (ms * PER_MS as f64) as i64;
    // Where a good half of what was found lies where a codec may put it, the rest has moved.
    let allowed = best(-samples(delay.early_ms), samples(delay.late_ms), is_turned);
    let lag = allowed
        .filter(|allowed| !is_sure(anywhere.1) || allowed.1 >= 0.5 * anywhere.1)
        .unwrap_or(anywhere)
        .0;
    let around = [-1, 0, 1].map(|shift| {
        usize::try_from(lag + reach + shift)
            .ok()
            .and_then(|at| sums.get(at))
            .map_or(0.0, |sum| f64::from(*sum))
    });
    (
        lag,
        summit(around.map(|sum| if is_turned { -sum } else { sum })),
    )
}

/// Where the curve through three values a sample apart is highest, from the middle one; 0 where
/// that is not the highest.
fn summit([before, here, after]: [f64; 3]) -> f64 {
    let bend = before + after - 2.0 * here;
    if bend < 0.0 && here >= before.max(after) {
        (0.5 * (before - after) / bend).clamp(-0.5, 0.5)
    } else {
        0.0
    }
}

/// Places of the loudest seconds of a channel with sound.
fn loudest(source: &[f32]) -> Vec<usize> {
    let mut windows: Vec<(f64, usize)> = source
        .chunks(WINDOW)
        .enumerate()
        .map(|(at, piece)| (level(piece), at * WINDOW))
        .collect();
    // A rest of a second at the end says little, unless it is all there is.
    windows
        .retain(|(level, at)| *level >= LEAST_SOUNDING && (*at == 0 || at + HOP <= source.len()));
    windows.sort_by(|a, b| b.0.total_cmp(&a.0));
    windows
        .into_iter()
        .take(LOUDEST)
        .map(|(_, at)| at)
        .collect()
}

/// A channel's seconds by place and loudness, each half a second after the one before; the last one
/// ends with the channel.
fn seconds(channel: &[f32]) -> impl Iterator<Item = (usize, f64)> + '_ {
    let length = WINDOW.min(channel.len());
    let last = channel.len() - length;
    (0..last)
        .step_by(HOP)
        .chain([last])
        .map(move |from| (from, level(&channel[from..from + length])))
}

fn loudest_second(channel: &[f32]) -> f64 {
    seconds(channel).map(|second| second.1).fold(0.0, f64::max)
}

/// `least`: quieter than this is no sound in this recording.
fn steps(tracks: &Tracks, channel: usize, lag: i64, least: f64) -> Vec<Step> {
    let (source, target) = (&tracks.source[channel], &tracks.target[channel]);
    let length = WINDOW.min(source.len());
    if length == 0 {
        return Vec::new();
    }
    let sounding = (loudest_second(source) / 3.0).max(least).min(SOUNDING);
    seconds(source)
        .filter(|(_, loud)| *loud >= sounding)
        .map(|(from, loud)| {
            let piece = &source[from..from + length];
            let (at, fit) = near(piece, target, from as i64 + lag);
            let gain_db =
                20.0 * ((level(&stretch(target, at, length)) + 1.0) / (loud + 1.0)).log10();
            // Asked only where the waveform is not kept: it costs some 400 comparisons.
            let noise = fit < KEPT
                && gain_db.abs() <= NOISE_DB
                && is_noise(piece)
                && is_noise(&stretch(target, at, length));
            Step {
                channel,
                from,
                length,
                level: loud,
                fit,
                held: false,
                noise,
                moved: None,
                gain_db,
            }
        })
        .collect()
}

/// Best fit within three samples of a place: rates that do not divide each other leave a fraction
/// of one.
fn near(piece: &[f32], target: &[f32], at: i64) -> (i64, f64) {
    let fit_at = |at: i64| match usize::try_from(at)
        .ok()
        .and_then(|from| target.get(from..from + piece.len()))
    {
        Some(there) => fit(piece, there),
        None => fit(piece, &stretch(target, at, piece.len())),
    };
    let here = fit_at(at);
    if here >= 0.95 {
        return (at, here);
    }
    [-1, 1, -2, 2, -3, 3]
        .into_iter()
        .map(|shift| (at + shift, fit_at(at + shift)))
        .fold((at, here), |a, b| if b.1 > a.1 { b } else { a })
}

fn around(search: &mut Search, piece: &[f32], target: &[f32], at: i64, reach: i64) -> Option<i64> {
    let place = stretch(target, at - reach, piece.len() + 2 * reach as usize);
    let (found, fit) = search.best(piece, &place)?;
    (fit >= found_from(piece.len())).then_some(at - reach + found as i64)
}

fn anywhere(search: &mut Search, piece: &[f32], target: &[f32]) -> Option<i64> {
    let blocks = (0..target.len()).step_by(BLOCK - piece.len());
    let best = blocks.filter_map(|from| {
        let (at, fit) = search.best(piece, &target[from..(from + BLOCK).min(target.len())])?;
        Some((fit, (from + at) as i64))
    });
    best.max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(fit, _)| *fit >= found_from(piece.len()))
        .map(|(_, at)| at)
}
