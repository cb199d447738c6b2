//! Whether a recording keeps step, or runs faster or slower: by the places of short loud pieces.

use audio::compare::wave::{Search, level, stretch};

use super::delay::Delay;
use super::timeline::Timeline;
use super::tracks::{PER_MS, RATE, Tracks};

/// A quarter of a second: at half a percent of speed its waveform still fits, and it holds many
/// periods of any voice.
const PIECE: usize = RATE as usize / 4;
/// Pieces looked at; few are enough for a line, and each costs a search.
const MOST_PIECES: usize = 48;
const FEWEST_PIECES: usize = 5;
/// A piece fits its place from here on; unrelated ones stay below 0.75 within a second.
const FITS: f64 = 0.8;
/// How far around the file's lag pieces are searched for: 20 ms and what 2 % make of the length,
/// 1.25 s at most.
const LEAST_REACH: i64 = 20 * PER_MS;
const MOST_REACH: i64 = 10_000;
/// Pieces lie on the line that are this close to it. Samples: 2 ms.
const ON_LINE: f64 = 16.0;
const MOST_OFF: f64 = 0.3;
/// A change of speed is one in two thousand at least, and 5 ms from end to end; two resamplers of
/// one ratio agree to a sample.
const LEAST_RATIO: f64 = 0.0005;
const LEAST_SPREAD: f64 = 5.0 * PER_MS as f64;

/// Length of a second of the source in the target, 1 for one speed. `None`: the pieces lie on no
/// line, or on a level one.
pub(super) fn drift(tracks: &Tracks, lag: i64) -> Option<f64> {
    let slope = slope(tracks, lag)?;
    let spread = slope.abs() * tracks.source_length() as f64;
    (slope.abs() >= LEAST_RATIO && spread >= LEAST_SPREAD).then_some(1.0 + slope)
}

/// By how much a second of the source is longer in the target. `None`: the pieces lie on no line.
fn slope(tracks: &Tracks, lag: i64) -> Option<f64> {
    let reach = (LEAST_REACH + tracks.source_length() / 50).min(MOST_REACH);
    let mut search = Search::default();
    let mut places: Vec<(f64, f64)> = Vec::new();
    let mut looked = 0;
    for (source, target) in tracks.source.iter().zip(&tracks.target) {
        for from in loud(source) {
            let around = stretch(
                target,
                from as i64 + lag - reach,
                PIECE + 2 * reach as usize,
            );
            looked += 1;
            if let Some((at, _)) = search
                .best(&source[from..from + PIECE], &around)
                .filter(|best| best.1 >= FITS)
            {
                places.push((from as f64, at as f64 - reach as f64));
            }
        }
    }
    if places.len() < FEWEST_PIECES || places.len() * 2 < looked {
        return None;
    }
    let slope = middle(
        pairs(&places)
            .filter(|(a, b)| b.0 != a.0)
            .map(|(a, b)| (b.1 - a.1) / (b.0 - a.0))
            .collect(),
    )?;
    let start = middle(
        places
            .iter()
            .map(|place| place.1 - slope * place.0)
            .collect(),
    )?;
    let off = places
        .iter()
        .filter(|place| (place.1 - slope * place.0 - start).abs() > ON_LINE)
        .count();
    (off as f64 <= MOST_OFF * places.len() as f64).then_some(slope)
}

/// Speeds tried where nothing says which: 0.2 to 3 %, a tenth apart, both ways. A second still fits
/// a tenth beside its own speed.
const SPEEDS: std::ops::RangeInclusive<i32> = 2..=30;
/// Loud seconds each speed is tried on.
const TRIED_PIECES: usize = 4;
/// Played back at the right speed nearly everything is in its place, and fits clearly better than
/// before.
const HELD_AGAIN: f64 = 0.9;
const CLEARLY: f64 = 0.05;

/// Sampling rates in use: a file that is read at another one than its own runs at their ratio.
pub(super) const RATES: [f64; 9] = [
    8000.0, 11_025.0, 12_000.0, 16_000.0, 22_050.0, 24_000.0, 32_000.0, 44_100.0, 48_000.0,
];
/// An encoder pads a short file by this much of its length at most.
const PADDED: f64 = 0.03;

/// Length of a second of the source in the target, where undoing that puts its sound in place.
/// `by_length`: what the lengths of both say, an encoder's padding included.
pub(super) fn speed_of(
    tracks: &Tracks,
    timeline: &Timeline,
    delay: &Delay,
    by_length: f64,
) -> Option<f64> {
    let fits = |ratio: &f64| {
        let mut stretched = at_speed(tracks, *ratio);
        let lag = Timeline::of(&mut stretched, delay).lag;
        // A speed that is nearly right drifts by the rest of it.
        let ratio = ratio * (1.0 + slope(&stretched, lag).unwrap_or(0.0));
        let mut stretched = at_speed(tracks, ratio);
        let again = Timeline::of(&mut stretched, delay);
        let found = again.held().is_some_and(|held| held >= HELD_AGAIN)
            && again.typical_fit() >= timeline.typical_fit() + CLEARLY;
        // Padding alone is no speed.
        found
            .then_some(ratio)
            .filter(|ratio| (ratio - 1.0).abs() >= LEAST_RATIO)
    };
    let likely =
        ((by_length - 1.0).abs() >= 0.002 && (0.2..5.0).contains(&by_length)).then_some(by_length);
    likely
        .as_ref()
        .and_then(fits)
        .or_else(|| rate_mistakes(by_length).iter().find_map(fits))
        .or_else(|| fits(&tried(tracks)?))
}

/// Ratios of two rates in use that padding may have hidden behind this one.
fn rate_mistakes(by_length: f64) -> Vec<f64> {
    let ratios = RATES.iter().flat_map(|a| RATES.iter().map(move |b| a / b));
    let mut near: Vec<f64> = ratios
        .filter(|ratio| *ratio != 1.0 && (ratio / by_length - 1.0).abs() <= PADDED)
        .collect();
    near.sort_by(f64::total_cmp);
    near.dedup();
    near
}

/// The speed at which the loudest seconds fit best.
fn tried(tracks: &Tracks) -> Option<f64> {
    let pieces: Vec<(usize, usize)> = (0..tracks.source.len())
        .flat_map(|channel| {
            loud(&tracks.source[channel])
                .into_iter()
                .map(move |from| (channel, from))
        })
        .collect();
    let every = pieces.len().div_ceil(TRIED_PIECES).max(1);
    let mut search = Search::default();
    let mut sum = |ratio: f64| {
        let fit = |(channel, from): &(usize, usize)| {
            let source = &tracks.source[*channel];
            let piece = &source[*from..(*from + RATE as usize).min(source.len())];
            let piece = stretched(piece, (piece.len() as f64 * ratio) as usize, 1.0 / ratio);
            let around = stretch(
                &tracks.target[*channel],
                *from as i64 - MOST_REACH,
                piece.len() + 2 * MOST_REACH as usize,
            );
            search.best(&piece, &around).map_or(0.0, |best| best.1)
        };
        pieces.iter().step_by(every).map(fit).sum::<f64>()
    };
    let ratios = SPEEDS.flat_map(|tenths| {
        [
            1.0 + f64::from(tenths) / 1000.0,
            1.0 - f64::from(tenths) / 1000.0,
        ]
    });
    ratios
        .map(|ratio| (sum(ratio), ratio))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, ratio)| ratio)
}

/// The target as it would be at the source's speed.
fn at_speed(tracks: &Tracks, ratio: f64) -> Tracks {
    let undone =
        |channel: &Vec<f32>| stretched(channel, (channel.len() as f64 / ratio) as usize, ratio);
    Tracks {
        source: tracks.source.clone(),
        target: tracks.target.iter().map(undone).collect(),
    }
}

/// So many samples, `step` apart in the original, on straight lines between its own.
fn stretched(samples: &[f32], length: usize, step: f64) -> Vec<f32> {
    let value = |at: usize| samples.get(at).copied().unwrap_or(0.0);
    (0..length)
        .map(|at| {
            let place = at as f64 * step;
            let part = place.fract() as f32;
            value(place as usize) * (1.0 - part) + value(place as usize + 1) * part
        })
        .collect()
}

fn pairs(places: &[(f64, f64)]) -> impl Iterator<Item = (&(f64, f64), &(f64, f64))> {
    places
        .iter()
        .enumerate()
        .flat_map(|(at, first)| places[at + 1..].iter().map(move |second| (first, second)))
}

fn middle(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Places of loud pieces, spread over the length.
fn loud(source: &[f32]) -> Vec<usize> {
    let pieces: Vec<(usize, f64)> = source
        .chunks_exact(PIECE)
        .enumerate()
        .map(|(at, piece)| (at * PIECE, level(piece)))
        .collect();
    let loudest = pieces.iter().map(|piece| piece.1).fold(0.0, f64::max);
    let loud: Vec<usize> = pieces
        .into_iter()
        .filter(|piece| piece.1 >= (loudest / 3.0).max(50.0))
        .map(|piece| piece.0)
        .collect();
    let every = loud.len().div_ceil(MOST_PIECES).max(1);
    loud.into_iter().step_by(every).collect()
}
