//! In which way two recordings differ, once it is known that they do.

use audio::Pcm;
use audio::compare::{between_channels, envelope};

use super::Difference;
use super::content::{BEYOND_DOUBT, Compared, MIN_WINDOW, hurried, length, ms_of, tolerance_ms};
use super::fingerprint::{correlation, resample};
use super::mixup::{mixup, noise};
use super::pace::{RATES, drift, speed_of};
use super::places::displaced;
use super::quality::{Torn, explained, fading, holed, holes, torn};
use super::timeline::{Step, Timeline};
use super::tracks::{PER_MS, ms};
use crate::defect::Defect;

/// Most of the sound lies where it should: what is lost is a place in it.
const MOSTLY: f64 = 0.3;
/// A second that runs a percent off fits at 0.8 and below where it fits at all.
const IN_STEP: f64 = 0.9;
/// Nearly all of it, when the channels are exchanged.
const NEARLY_ALL: f64 = 0.9;

/// In which way two recordings differ; tried from the most specific on.
pub(super) fn classify(compared: &Compared<'_>) -> Difference {
    let held = compared.timeline.held().unwrap_or(1.0);
    // Frames that do not decode shorten and hush the audio around them: that is how damage sounds,
    // not what was done to it.
    let by_damage = |difference: &Difference| {
        compared.damaged
            && matches!(
                difference.defect,
                Defect::AudioTruncatedStart | Defect::AudioHole | Defect::AudioWrongSpeed
            )
    };
    swapped(compared)
        .or_else(|| doubled(compared.source, compared.target))
        .or_else(|| {
            if held < NEARLY_ALL {
                misread(compared)
            } else {
                None
            }
        })
        .or_else(|| drifting(compared))
        .or_else(|| displaced(&compared.tracks, &compared.timeline, &compared.delay))
        .or_else(|| {
            if held >= MOSTLY {
                in_its_place(compared)
            } else {
                speed(compared.source, compared.target)
            }
        })
        .filter(|difference| !by_damage(difference))
        .unwrap_or_else(|| unlike(compared))
}

/// Samples that are not what their bytes meant.
pub(super) fn misread(compared: &Compared<'_>) -> Option<Difference> {
    let Compared {
        source,
        target,
        timeline,
        ..
    } = compared;
    let lag = timeline.lag * i64::from(source.sample_rate) / (1000 * PER_MS);
    let how = mixup(source, target, lag).or_else(|| noise(source, target))?;
    Some(Difference::new(
        Defect::AudioWrongCodec,
        "the source decoded with its own codec",
        how,
    ))
}

fn swapped(compared: &Compared<'_>) -> Option<Difference> {
    if compared.timeline.held().is_none_or(|held| held >= 0.5) {
        return None;
    }
    let crossed = Timeline::of(&mut compared.tracks.crossed()?, &compared.delay);
    let found = crossed.held().is_some_and(|held| held >= NEARLY_ALL);
    found.then(|| Difference::new(Defect::ChannelsSwapped, "channels 1, 2", "channels 2, 1"))
}

/// Two channels in the source, twice the same one in the target.
fn doubled(source: &Pcm, target: &Pcm) -> Option<Difference> {
    let found = between_channels(target)? >= BEYOND_DOUBT && between_channels(source)? < MIN_WINDOW;
    found.then(|| {
        Difference::new(
            Defect::ChannelCountChanged,
            "two different channels",
            "the same sound in both channels",
        )
    })
}

/// All of one lag as long as it lasts, and that changes evenly.
fn drifting(compared: &Compared<'_>) -> Option<Difference> {
    let Compared {
        source,
        target,
        tracks,
        timeline,
        ..
    } = compared;
    // What is in its place and has its own waveform keeps step.
    if timeline
        .held()
        .is_none_or(|held| held >= NEARLY_ALL && timeline.typical_fit() >= IN_STEP)
    {
        return None;
    }
    let by_length = ms_of(target) / ms_of(source).max(1.0);
    let ratio = drift(tracks, timeline.lag)
        .or_else(|| speed_of(tracks, timeline, &compared.delay, by_length))?;
    let mut difference = hurried(source, target, ratio);
    if is_rate_mistake(source, target, ratio) {
        difference.defect = Defect::AudioWrongPitch;
    }
    Some(difference)
}

/// Most sound lies where it should. The end is cut off, something is behind it, a piece is silent,
/// or a piece is another sound.
fn in_its_place(compared: &Compared<'_>) -> Option<Difference> {
    let Compared {
        source,
        target,
        tracks,
        timeline,
        delay,
        ..
    } = compared;
    let lost_ms = ms(tracks.source_length() + timeline.lag - tracks.target_length());
    let (ours, theirs) = (ms_of(source), ms_of(target));
    if lost_ms as f64 > tolerance_ms(ours) {
        let actual = format!("{}, the last {lost_ms} ms are missing", length(target));
        return Some(
            Difference::new(Defect::AudioTruncatedEnd, length(source), actual)
                .because("the end is missing"),
        );
    }
    let holes = holes(tracks, timeline);
    if let Some(fading) = fading(timeline).filter(|_| !holes.is_empty()) {
        return Some(fading);
    }
    if let Some(Torn::All(torn)) = torn(tracks, timeline) {
        return Some(torn);
    }
    // A foreign piece has pauses of its own; only where nothing but silence differs is it a hole.
    if let Some(holed) = holed(tracks, &holes).filter(|_| explained(tracks, timeline, &holes)) {
        return Some(holed);
    }
    if timeline.steps.iter().all(Step::is_held) && theirs - ours > delay.longer_ms {
        let actual = format!(
            "{}, {:.0} ms of something else behind the source's end",
            length(target),
            theirs - ours
        );
        return Some(
            Difference::new(Defect::AudioDamaged, length(source), actual)
                .because("something is appended"),
        );
    }
    None
}

/// The same loudness over the whole length, on another length: played too fast or too slow.
fn speed(source: &Pcm, target: &Pcm) -> Option<Difference> {
    /// Least change that is not rounding.
    const LEAST: f64 = 0.003;
    /// Stretched to one length the curves agree as well as those of any transcode (measured from
    /// 0.94 on for clips of two seconds).
    const SAME_CURVE: f64 = 0.92;
    let ratio = ms_of(target) / ms_of(source).max(1.0);
    if (ratio - 1.0).abs() < LEAST {
        return None;
    }
    let curves = |pcm: &Pcm| {
        pcm.channels
            .iter()
            .map(|channel| envelope(channel, pcm.sample_rate).levels)
            .collect::<Vec<_>>()
    };
    let (ours, theirs) = (curves(source), curves(target));
    let frames = ours.iter().chain(&theirs).map(Vec::len).min()?;
    let parts = (frames / 2).clamp(16, 400);
    let fit =
        |(a, b): (&Vec<f32>, &Vec<f32>)| correlation(&resample(a, parts), &resample(b, parts), 1.0);
    let fits: Vec<f64> = ours.iter().zip(&theirs).filter_map(fit).collect();
    if fits.is_empty() || fits.iter().any(|fit| *fit < SAME_CURVE) {
        return None;
    }
    let defect = if is_rate_mistake(source, target, ratio) {
        Defect::AudioWrongPitch
    } else {
        Defect::AudioWrongSpeed
    };
    Some(Difference::new(
        defect,
        length(source),
        format!("{}, {:.1} % of the speed", length(target), 100.0 / ratio),
    ))
}

/// As many samples under another rate, or a ratio of two rates in use.
fn is_rate_mistake(source: &Pcm, target: &Pcm, ratio: f64) -> bool {
    let as_many = (source.samples() as f64 / target.samples().max(1) as f64 - 1.0).abs() < 0.02;
    let between = RATES.iter().any(|a| {
        RATES
            .iter()
            .any(|b| a != b && (ratio / (a / b) - 1.0).abs() < 0.02)
    });
    (as_many && source.sample_rate != target.sample_rate) || between
}

/// None of the known ways: foreign where little of the source is left, else damaged.
pub(super) fn unlike(compared: &Compared<'_>) -> Difference {
    let Compared {
        source,
        target,
        timeline,
        damaged,
        ..
    } = compared;
    let lost: Vec<&Step> = timeline
        .steps
        .iter()
        .filter(|step| !step.is_held() && step.moved.is_none())
        .collect();
    let first = lost.iter().map(|step| step.from).min();
    let last = lost.iter().map(|step| step.from + step.length).max();
    let at = match first.zip(last) {
        Some((first, last)) => format!(
            "another sound from {} to {} ms",
            ms(first as i64),
            ms(last as i64)
        ),
        None => "another sound".to_owned(),
    };
    let mut difference = Difference::new(
        Defect::AudioDamaged,
        format!("the source's sound, {}", length(source)),
        format!("{at}, {} in all", length(target)),
    );
    // Whether it is another recording's is asked by its fingerprint.
    difference.foreign = !damaged && timeline.held().unwrap_or(0.0) < MOSTLY;
    difference
}
