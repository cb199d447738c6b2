//! In which way two recordings differ, once it is known that they do.

use audio::Pcm;
use audio::compare::{FRAME_MS, LOUD_RMS, Likeness, QUIET_RMS, between_channels, envelope, likeness_of_loudness, rms};

use super::Difference;
use super::content::{BEYOND_DOUBT, GLITCH_MS, MIN_WINDOW, PARTLY, length, length_fits, ms_of, tolerance_ms};
use super::mixup::{mixup, noise};
use super::pace::{A_CUT, in_place, is_hurried};
use super::sketch::{correlation, resample};
use crate::defect::Defect;

/// In which way two recordings differ; tried from the most specific on.
pub(super) fn classify(source: &Pcm, target: &Pcm, alike: &Likeness, damaged: bool) -> Difference {
    let shorter = ms_of(source) - ms_of(target) > tolerance_ms(ms_of(source));
    swapped(source, target)
        .or_else(|| doubled(source, target))
        .or_else(|| if shorter { cut_or_hurried(source, target) } else { None })
        .or_else(|| misread(source, target))
        .or_else(|| speed(source, target))
        .or_else(|| if shorter { cut_inside(source, target) } else { silenced(source, target) })
        .filter(|difference| !damaged || !matches!(difference.defect, Defect::D16 | Defect::D17 | Defect::D21))
        // Frames that do not decode shorten and hush the audio around them: that is how damage sounds, not what was done to it.
        .unwrap_or_else(|| unlike(source, target, alike, damaged))
}

/// Samples that are not what their bytes meant.
pub(super) fn misread(source: &Pcm, target: &Pcm) -> Option<Difference> {
    let how = mixup(source, target).or_else(|| noise(source, target))?;
    Some(Difference::new(Defect::D29, "the source decoded with its own codec", how))
}

/// A percent too fast looks like a percent cut off, until one listens whether both keep step.
fn cut_or_hurried(source: &Pcm, target: &Pcm) -> Option<Difference> {
    let cut = cut(source, target)?;
    let kept = in_samples(ms_of(target), source).min(source.samples());
    let from = if cut.defect == Defect::D16 { source.samples() - kept } else { 0 };
    let hurried = is_hurried(source, &part(source, from, from + kept), target, &A_CUT);
    if hurried { speed(source, target).or(Some(cut)) } else { Some(cut) }
}

fn fits(source: &Pcm, target: &Pcm) -> bool {
    length_fits(ms_of(source), ms_of(target)) && likeness_of_loudness(source, target).min_window >= MIN_WINDOW
}

fn swapped(source: &Pcm, target: &Pcm) -> Option<Difference> {
    let [first, second] = target.channels.as_slice() else { return None };
    let crossed = Pcm { sample_rate: target.sample_rate, channels: vec![second.clone(), first.clone()] };
    let found = fits(source, &crossed) && !fits(source, target);
    found.then(|| Difference::new(Defect::D22, "channels 1, 2", "channels 2, 1"))
}

/// Two channels in the source, twice the same one in the target.
fn doubled(source: &Pcm, target: &Pcm) -> Option<Difference> {
    let found = between_channels(target)? >= BEYOND_DOUBT && between_channels(source)? < MIN_WINDOW;
    found.then(|| Difference::new(Defect::D23, "two different channels", "the same sound in both channels"))
}

/// The end or the beginning is missing and the rest is all there.
fn cut(source: &Pcm, target: &Pcm) -> Option<Difference> {
    let kept = in_samples(ms_of(target), source).min(source.samples());
    let lost = source.samples() - kept;
    let (head, tail) = (part(source, 0, kept), part(source, lost, source.samples()));
    // The search for a codec's delay lets a short piece cut off one end pass for one cut off the other.
    let ends = match in_place(&head, target) >= in_place(&tail, target) {
        true => [(Defect::D15, head), (Defect::D16, tail)],
        false => [(Defect::D16, tail), (Defect::D15, head)],
    };
    let found = ends.into_iter().find(|(_, kept)| fits(kept, target));
    found.map(|(defect, _)| Difference::new(defect, length(source), length(target)))
}

/// Head and tail are there and a piece between them is not.
fn cut_inside(source: &Pcm, target: &Pcm) -> Option<Difference> {
    let total = target.samples();
    if total < 2 {
        return None;
    }
    let lost_ms = ms_of(source) - ms_of(target);
    // The seam is found by halving: up to it the head fits unshifted, after it the tail fits shifted by what is lost.
    let head_fits = |at: usize| {
        let piece = part(target, 0, at);
        fits(&part(source, 0, in_samples(ms_of(&piece), source)), &piece)
    };
    let (mut low, mut high) = (0, total);
    for _ in 0..12 {
        let middle = (low + high) / 2;
        if head_fits(middle) { low = middle } else { high = middle }
    }
    // A window that straddles the seam fits neither side; a second and a half of slack leaves it out.
    let slack = (target.sample_rate as usize * 3) / 2;
    let tail_from = (low + slack).min(total);
    let tail = part(target, tail_from, total);
    let from = in_samples(ms_of(&part(target, 0, tail_from)) + lost_ms, source);
    let found = low > 0 && tail.samples() > target.sample_rate as usize / 2 && fits(&part(source, from, source.samples()), &tail);
    found.then(|| Difference::new(Defect::D17, length(source), format!("{}, a piece inside is missing", length(target))))
}

/// Full length, but silent where the source speaks; the rest is all there.
fn silenced(source: &Pcm, target: &Pcm) -> Option<Difference> {
    let (mut ours, mut theirs) = (source.clone(), target.clone());
    let (mut start, mut end) = (u64::MAX, 0);
    for channel in 0..source.channels.len() {
        for hole in holes(&source.channels[channel], source.sample_rate, &target.channels[channel], target.sample_rate) {
            (start, end) = (start.min(hole.heard.0), end.max(hole.heard.1));
            // A frame on either side belongs to the edge of the hole.
            let (from, to) = (hole.quiet.0.saturating_sub(FRAME_MS), hole.quiet.1 + FRAME_MS);
            hush(&mut ours, channel, from, to);
            hush(&mut theirs, channel, from, to);
        }
    }
    let lost = end.checked_sub(start)?;
    let rest = likeness_of_loudness(&ours, &theirs);
    if rest.min_window < MIN_WINDOW || rest.correlation < PARTLY || lost + 2 * GLITCH_MS >= source.duration_ms() {
        return None;
    }
    let defect = if start < GLITCH_MS {
        Defect::D16
    } else if end + GLITCH_MS > source.duration_ms() {
        Defect::D15
    } else {
        Defect::D17
    };
    Some(Difference::new(defect, "sound", format!("silence between {start} and {end} ms")))
}

/// A stretch of silence in the target, and in it from the first to the last sound of the source. Milliseconds.
struct Hole {
    quiet: (u64, u64),
    heard: (u64, u64),
}

/// Stretches of silence in the target in which the source surely has sound.
fn holes(source: &[i16], source_rate: u32, target: &[i16], target_rate: u32) -> Vec<Hole> {
    let frames = target.len() as u64 * 1000 / u64::from(target_rate.max(1)) / FRAME_MS;
    let quiet = |frame: u64| rms(target, target_rate, frame * FRAME_MS, (frame + 1) * FRAME_MS) <= QUIET_RMS;
    let loud = |frame: u64| rms(source, source_rate, frame * FRAME_MS, (frame + 1) * FRAME_MS) >= LOUD_RMS;
    let (mut holes, mut from) = (Vec::new(), 0);
    for frame in 0..=frames {
        if frame < frames && quiet(frame) {
            continue;
        }
        let heard: Vec<u64> = (from..frame).filter(|frame| loud(*frame)).collect();
        if let (Some(first), Some(last)) = (heard.first(), heard.last())
            && heard.len() as u64 * FRAME_MS >= GLITCH_MS
        {
            holes.push(Hole { quiet: (from * FRAME_MS, frame * FRAME_MS), heard: (first * FRAME_MS, (last + 1) * FRAME_MS) });
        }
        from = frame + 1;
    }
    holes
}

fn hush(pcm: &mut Pcm, channel: usize, from_ms: u64, to_ms: u64) {
    let mut one = Pcm { sample_rate: pcm.sample_rate, channels: vec![std::mem::take(&mut pcm.channels[channel])] };
    audio::silence(&mut one, from_ms, to_ms);
    pcm.channels[channel] = one.channels.remove(0);
}

/// The same loudness over the whole length, on another length: played too fast or too slow.
fn speed(source: &Pcm, target: &Pcm) -> Option<Difference> {
    /// Least change that is not rounding.
    const LEAST: f64 = 0.003;
    /// Stretched to one length the curves agree as well as those of any transcode (measured from 0.94 on for clips of two seconds).
    const SAME_CURVE: f64 = 0.92;
    let ratio = ms_of(target) / ms_of(source).max(1.0);
    if (ratio - 1.0).abs() < LEAST {
        return None;
    }
    let curves = |pcm: &Pcm| pcm.channels.iter().map(|channel| envelope(channel, pcm.sample_rate).levels).collect::<Vec<_>>();
    let (ours, theirs) = (curves(source), curves(target));
    let frames = ours.iter().chain(&theirs).map(Vec::len).min()?;
    let parts = (frames / 2).clamp(16, 400);
    let fit = |(a, b): (&Vec<f32>, &Vec<f32>)| correlation(&resample(a, parts), &resample(b, parts), 1.0);
    let fits: Vec<f64> = ours.iter().zip(&theirs).filter_map(fit).collect();
    if fits.is_empty() || fits.iter().any(|fit| *fit < SAME_CURVE) {
        return None;
    }
    let defect = if is_rate_mistake(source, target, ratio) { Defect::D20 } else { Defect::D21 };
    Some(Difference::new(defect, length(source), format!("{}, {:.1} % of the speed", length(target), 100.0 / ratio)))
}

/// As many samples under another rate, or a ratio of two rates in use.
fn is_rate_mistake(source: &Pcm, target: &Pcm, ratio: f64) -> bool {
    const RATES: [f64; 9] = [8000.0, 11_025.0, 12_000.0, 16_000.0, 22_050.0, 24_000.0, 32_000.0, 44_100.0, 48_000.0];
    let as_many = (source.samples() as f64 / target.samples().max(1) as f64 - 1.0).abs() < 0.02;
    let between = RATES.iter().any(|a| RATES.iter().any(|b| a != b && (ratio / (a / b) - 1.0).abs() < 0.02));
    (as_many && source.sample_rate != target.sample_rate) || between
}

/// None of the known ways: foreign where nothing of the source is left, else damaged.
pub(super) fn unlike(source: &Pcm, target: &Pcm, alike: &Likeness, damaged: bool) -> Difference {
    let at =
        alike.worst_ms.map(|(start, end)| format!("another sound from {start} to {end} ms")).unwrap_or_else(|| "another sound".to_owned());
    let mut difference =
        Difference::new(Defect::D26, format!("the source's sound, {}", length(source)), format!("{at}, {} in all", length(target)));
    // Two calls with pauses at the same places may correlate; whether it is another's is asked by its sketch.
    difference.foreign = !damaged;
    difference
}

fn in_samples(ms: f64, pcm: &Pcm) -> usize {
    (ms * f64::from(pcm.sample_rate) / 1000.0).round() as usize
}

pub(super) fn part(pcm: &Pcm, from: usize, to: usize) -> Pcm {
    let to = to.min(pcm.samples());
    let from = from.min(to);
    Pcm { sample_rate: pcm.sample_rate, channels: pcm.channels.iter().map(|channel| channel[from..to].to_vec()).collect() }
}
