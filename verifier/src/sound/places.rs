//! What became of sound that is in the target, but not where it should be: cut off, moved,
//! inserted, doubled, in another order.

use audio::compare::wave::{fit, level, stretch};

use super::Difference;
use super::delay::Delay;
use super::timeline::{HOP, Step, Timeline, WINDOW};
use super::tracks::{PER_MS, Tracks, ms};
use crate::defect::Defect;

/// Lags that differ by less are one; a resampler's rounding and a codec's phase stay below.
/// Samples: 3 ms.
const SAME_LAG: i64 = 24;
/// Channels further apart than this were moved against each other. No codec parts them (measured:
/// 0); an echo is heard from 10 ms on.
const IN_STEP_MS: i64 = 8;
/// What is quieter than this (RMS) was inserted as silence.
const SILENT: f64 = 50.0;
/// An inserted piece that fits the sound beside it is a copy of it. Unrelated speech of this length
/// stays below 0.4.
const COPY: f64 = 0.6;

/// A stretch of a channel that lies at one lag. Samples.
#[derive(Debug, Clone, Copy)]
struct Run {
    channel: usize,
    lag: i64,
    from: i64,
    to: i64,
    steps: usize,
}

/// What was done, if most of the sound was found and something of it not where it should be.
pub(super) fn displaced(tracks: &Tracks, timeline: &Timeline, delay: &Delay) -> Option<Difference> {
    // Where everything that has a place in the target is there, the rest was cut off, however much
    // it sounds like something else of the same call.
    let is_outside = |step: &Step| {
        let at = step.from as i64 + timeline.lag;
        at < 0 || at + step.length as i64 > tracks.target_length()
    };
    let is_cut = timeline
        .steps
        .iter()
        .all(|step| step.is_held() || is_outside(step));
    let runs: Vec<Vec<Run>> = (0..tracks.source.len())
        .map(|channel| runs(timeline, channel, is_cut))
        .filter(|runs| !runs.is_empty())
        .collect();
    let placed: usize = runs.iter().flatten().map(|run| run.steps).sum();
    if placed * 3 < timeline.steps.len() {
        return None;
    }
    let jump = |(tracks, runs): (&Tracks, &Vec<Run>)| {
        runs.windows(2)
            .find_map(|pair| jump(tracks, &pair[0], &pair[1]))
    };
    runs.iter()
        .find_map(|runs| reordered(runs))
        .or_else(|| runs.iter().find_map(|runs| jump((tracks, runs))))
        .or_else(|| out_of_step(&runs))
        .or_else(|| shifted(tracks, runs.first()?.first()?, delay))
}

/// Seconds at one lag, in the order of the source. A second between two runs that fits neither well
/// is left out. `only_held`: what was found elsewhere does not count.
fn runs(timeline: &Timeline, channel: usize, only_held: bool) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for step in timeline.steps.iter().filter(|step| step.channel == channel) {
        let lag = if step.is_held() {
            timeline.lag
        } else if let Some(moved) = step.moved.filter(|_| !only_held) {
            moved
        } else {
            continue;
        };
        let (from, to) = (step.from as i64, (step.from + step.length) as i64);
        match runs
            .last_mut()
            .filter(|run| (run.lag - lag).abs() <= SAME_LAG)
        {
            Some(run) => (run.to, run.steps) = (to, run.steps + 1),
            None => runs.push(Run {
                channel,
                lag,
                from,
                to,
                steps: 1,
            }),
        }
    }
    let most = runs.iter().map(|run| run.steps).max().unwrap_or(0);
    // Where there is much to go by, a single second is chance, or straddles a border.
    runs.retain(|run| run.steps > 1 || most < 4);
    runs.dedup_by(|later, run| {
        let same = (run.lag - later.lag).abs() <= SAME_LAG;
        if same {
            (run.to, run.steps) = (later.to, run.steps + later.steps);
        }
        same
    });
    runs
}

/// A later piece of the source that stands before an earlier one.
fn reordered(runs: &[Run]) -> Option<Difference> {
    let pair = runs.windows(2).find(|pair| {
        pair[1].from + pair[1].lag + (WINDOW as i64) / 2 < pair[0].from + pair[0].lag
    })?;
    let place = |run: &Run| {
        format!(
            "{} to {} ms stands at {} ms",
            ms(run.from),
            ms(run.to),
            ms(run.from + run.lag)
        )
    };
    let actual = format!(
        "pieces in another order: the source's {}, its {}",
        place(&pair[0]),
        place(&pair[1])
    );
    Some(
        Difference::new(Defect::AudioDamaged, "the source's order", actual)
            .because("pieces stand in another order"),
    )
}

/// Between two runs something is missing, or something is that was not there.
fn jump(tracks: &Tracks, first: &Run, second: &Run) -> Option<Difference> {
    let moved = second.lag - first.lag;
    if moved.abs() <= SAME_LAG {
        return None;
    }
    let at = seam(tracks, first, second);
    let length = ms(moved.abs());
    if moved < 0 {
        let actual = format!(
            "{length} ms are missing after {} ms, and what follows is earlier",
            ms(at)
        );
        return Some(
            Difference::new(Defect::AudioHole, "the source's sound throughout", actual)
                .because("a piece inside is missing"),
        );
    }
    // One person's silence is another's speech: all channels are asked.
    let inserted =
        |channel: usize| stretch(&tracks.target[channel], at + first.lag, moved as usize);
    let sounding: Vec<usize> = (0..tracks.target.len())
        .filter(|channel| level(&inserted(*channel)) > SILENT)
        .collect();
    let copied = |channel: usize, from: i64| {
        fit(
            &inserted(channel),
            &stretch(&tracks.source[channel], from, moved as usize),
        ) >= COPY
    };
    let is_copy = |channel: &usize| copied(*channel, at - moved) || copied(*channel, at);
    Some(if sounding.is_empty() {
        let actual = format!(
            "{length} ms of silence inserted at {} ms, and what follows is later",
            ms(at)
        );
        Difference::new(Defect::AudioHole, "the source's sound throughout", actual)
            .because("silence is inserted")
    } else if sounding.iter().any(is_copy) {
        let actual = format!(
            "{length} ms around {} ms stand twice, and what follows is later",
            ms(at)
        );
        Difference::new(Defect::AudioDamaged, "each piece once", actual)
            .because("a piece stands twice")
    } else {
        let actual = format!(
            "{length} ms of other sound inserted at {} ms, and what follows is later",
            ms(at)
        );
        Difference::new(
            Defect::AudioDamaged,
            "the source's sound and no other",
            actual,
        )
        .because("other sound is inserted")
    })
}

/// Where the first lag ends to explain the target and the second begins, to 20 ms. Where one is
/// silent another channel knows.
fn seam(tracks: &Tracks, first: &Run, second: &Run) -> i64 {
    const FRAME: i64 = 20 * PER_MS;
    let (from, to) = (
        (first.to - WINDOW as i64).min(second.from),
        (second.from + WINDOW as i64).max(first.to),
    );
    let apart = |at: i64, lag: i64| -> f64 {
        let pairs = tracks.source.iter().zip(&tracks.target);
        let differ = pairs.map(|(source, target)| {
            let (ours, theirs) = (
                stretch(source, at, FRAME as usize),
                stretch(target, at + lag, FRAME as usize),
            );
            ours.iter()
                .zip(theirs)
                .map(|(a, b)| f64::from(a - b).powi(2))
                .sum::<f64>()
        });
        differ.sum()
    };
    let frames: Vec<(i64, f64)> = (from..to)
        .step_by(FRAME as usize)
        .map(|at| (at + FRAME, apart(at, first.lag) - apart(at, second.lag)))
        .collect();
    let mut sum = 0.0;
    let sums = frames.iter().map(|(at, differs)| {
        sum += differs;
        (*at, sum)
    });
    sums.min_by(|a, b| a.1.total_cmp(&b.1))
        .filter(|(_, sum)| *sum < 0.0)
        .map_or(from, |(at, _)| at)
}

/// One channel lies elsewhere than the others.
fn out_of_step(runs: &[Vec<Run>]) -> Option<Difference> {
    let lag = |runs: &Vec<Run>| {
        runs.iter()
            .max_by_key(|run| run.steps)
            .map(|run| (run.channel, run.lag))
    };
    let lags: Vec<(usize, i64)> = runs.iter().filter_map(lag).collect();
    let (least, most) = (
        lags.iter().min_by_key(|lag| lag.1)?,
        lags.iter().max_by_key(|lag| lag.1)?,
    );
    let apart = ms(most.1 - least.1);
    // The one that moved further is the one that was moved.
    let (moved, how) = if most.1.abs() >= least.1.abs() {
        (most.0, "later")
    } else {
        (least.0, "earlier")
    };
    (apart > IN_STEP_MS).then(|| {
        let actual = format!("channel {} is {apart} ms {how} than the other", moved + 1);
        Difference::new(
            Defect::AudioDamaged,
            "channels in step with each other",
            actual,
        )
        .because("channels are out of step")
    })
}

/// All of it moved by more than a codec does.
fn shifted(tracks: &Tracks, run: &Run, delay: &Delay) -> Option<Difference> {
    let by = ms(run.lag.abs());
    if delay.fits(run.lag as f64 / PER_MS as f64) {
        return None;
    }
    let moved = format!("the source's sound, {} ms", ms(tracks.source_length()));
    if run.lag < 0 {
        let actual = format!(
            "the first {by} ms are missing, {} ms in all",
            ms(tracks.target_length())
        );
        return Some(
            Difference::new(Defect::AudioTruncatedStart, moved, actual)
                .because("the beginning is missing"),
        );
    }
    let lost = tracks.source_length() + run.lag - tracks.target_length();
    let end = |channel: &Vec<f32>| {
        level(&stretch(
            channel,
            tracks.source_length() - lost,
            lost.max(0) as usize,
        )) > SILENT
    };
    Some(if lost > HOP as i64 / 5 && tracks.source.iter().any(end) {
        let actual = format!(
            "sound begins {by} ms late and its last {} ms are missing",
            ms(lost)
        );
        Difference::new(Defect::AudioTruncatedEnd, moved, actual)
            .because("moved to later, the end is missing")
    } else {
        Difference::new(
            Defect::AudioDamaged,
            moved,
            format!("sound begins {by} ms late, by more than its codec adds"),
        )
        .because("sound begins late")
    })
}
