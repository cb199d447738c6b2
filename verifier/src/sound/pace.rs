//! Whether two recordings keep step, or one runs faster. Loudness in 5 ms, because a percent of two seconds is 20 ms.

use audio::Pcm;

use super::content::ms_of;
use super::sketch::correlation;

/// Shorter than this a frame holds no whole period of a low voice.
const FRAME_MS: f64 = 5.0;
/// Added to the energy of a frame, so that coding noise in silence does not count: an RMS of 32, as in `audio::compare`.
const FLOOR: f64 = 1024.0;
/// What a change of speed is held against.
pub(super) struct Rival {
    /// Frames by which the target may lie later.
    most_lag: usize,
    /// By how much the better explanation must fit better.
    margin: f64,
}

/// Nothing was done, but a codec's delay may move a whole target by 300 ms where no gapless tag corrects it. Without a reason to suspect
/// anything the fit must be clearly better; two ways of laying the same curves differ by less.
pub(super) const NOTHING: Rival = Rival { most_lag: 60, margin: 0.02 };
/// Something was cut off: what is left lies where it lay, to a frame. One of the two it is, so the better fit decides.
pub(super) const A_CUT: Rival = Rival { most_lag: 1, margin: 0.002 };

/// Stretched to one length the curves agree as well as those of any transcode.
const SAME_CURVE: f64 = 0.85;
/// Whether the target is the source run faster or slower, rather than `kept`: the part of the source it would be if something was cut.
pub(super) fn is_hurried(source: &Pcm, kept: &Pcm, target: &Pcm, against: &Rival) -> bool {
    let frames = (ms_of(target) / FRAME_MS) as usize;
    let fits: Vec<(f64, f64)> = (0..source.channels.len().min(target.channels.len()))
        .filter_map(|at| {
            let theirs = levels(&target.channels[at], frames);
            let stretched = correlation(&levels(&source.channels[at], frames), &theirs, 1.0)?;
            let ours = levels(&kept.channels[at], (ms_of(kept) / FRAME_MS) as usize);
            Some((stretched, side_by_side(&ours, &theirs, against.most_lag)))
        })
        .collect();
    let mean = |of: fn(&(f64, f64)) -> f64| fits.iter().map(of).sum::<f64>() / fits.len().max(1) as f64;
    let (stretched, plain) = (mean(|fit| fit.0), mean(|fit| fit.1));
    stretched >= SAME_CURVE && stretched > plain + against.margin
}

/// How well two recordings of about one length fit side by side, without looking for a shift of more than a frame or two.
pub(super) fn in_place(kept: &Pcm, target: &Pcm) -> f64 {
    let curve = |pcm: &Pcm, at: usize| levels(&pcm.channels[at], (ms_of(pcm) / FRAME_MS) as usize);
    let channels = kept.channels.len().min(target.channels.len());
    let fits = (0..channels).map(|at| side_by_side(&curve(kept, at), &curve(target, at), A_CUT.most_lag));
    fits.sum::<f64>() / channels.max(1) as f64
}

/// Best correlation with the target up to so many frames later.
fn side_by_side(ours: &[f64], theirs: &[f64], most_lag: usize) -> f64 {
    let fit = |lag: usize| {
        let theirs = &theirs[lag.min(theirs.len())..];
        let common = ours.len().min(theirs.len());
        correlation(&ours[..common], &theirs[..common], 1.0).unwrap_or(0.0)
    };
    (0..=most_lag.min(theirs.len() / 4)).map(fit).fold(0.0, f64::max)
}

/// Loudness in decibels in so many equal parts of the whole.
fn levels(channel: &[i16], parts: usize) -> Vec<f64> {
    let border = |part: usize| channel.len() * part / parts.max(1);
    let level = |samples: &[i16]| {
        let energy: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        10.0 * (energy / samples.len().max(1) as f64 + FLOOR).log10()
    };
    (0..parts).map(|part| level(&channel[border(part)..border(part + 1)])).collect()
}
