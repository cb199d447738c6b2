//! Waveforms, sample by sample: what loudness cannot tell.

/// A target's codec may move it by its delay where no gapless tag corrects it: 1,105 + 1,152
/// samples of MP3.
const MOST_SHIFT: i64 = 2300;
/// An MP3 of 8 kHz speech keeps its waveform at 0.97 and better.
pub(super) const SAME_WAVE: f64 = 0.90;
/// Best correlation of waveforms over small shifts. Nearly every target is not shifted at all, so
/// that is tried first.
pub(super) fn best_fit(piece: &[i16], target: &[i16], at: i64) -> f64 {
    let still = shifted_fit(piece, target, at, 1);
    if still >= SAME_WAVE {
        return still;
    }
    // Every second shift over every eighth sample finds the neighbourhood; speech at 8 kHz changes
    // slowly enough for that.
    let rough = (-MOST_SHIFT..=MOST_SHIFT)
        .step_by(2)
        .map(|shift| (shifted_fit(piece, target, at + shift, 8), shift));
    let Some((_, near)) = rough.max_by(|a, b| a.0.total_cmp(&b.0)) else {
        return still;
    };
    (near - 2..=near + 2)
        .map(|shift| shifted_fit(piece, target, at + shift, 1))
        .fold(still, f64::max)
}

fn shifted_fit(piece: &[i16], target: &[i16], at: i64, step: usize) -> f64 {
    let (mut both, mut left, mut right) = (0.0, 0.0, 0.0);
    for (index, sample) in piece.iter().enumerate().step_by(step) {
        let Some(other) = usize::try_from(at + index as i64)
            .ok()
            .and_then(|at| target.get(at))
        else {
            continue;
        };
        let (a, b) = (f64::from(*sample), f64::from(*other));
        both += a * b;
        left += a * a;
        right += b * b;
    }
    if left * right > 0.0 {
        both / (left * right).sqrt()
    } else {
        0.0
    }
}

/// Where a target that keeps the source's waveform elsewhere suddenly does not. Milliseconds.
/// `None`: nowhere, or the codec keeps no waveform, so that this says nothing. Only for targets of
/// the source's rate that lie where the source lies.
pub(super) fn broken_at(source: &[i16], target: &[i16], rate: u32) -> Option<u64> {
    /// Nearly all of the recording keeps its waveform: measured 0.97 for MP3 of speech.
    const KEPT: f64 = 0.95;
    /// Unrelated sound over 100 ms is within 0.2; what a codec makes of the faintest hiss is above
    /// 0.4.
    const UNRELATED: f64 = 0.25;
    /// An RMS of 300: below, the codec's own noise counts.
    const SOUNDING: f64 = 90_000.0;
    let window = (rate as usize / 10).max(2);
    let mut fits: Vec<(f64, usize)> = source
        .chunks_exact(window)
        .enumerate()
        .filter(|(_, piece)| {
            piece
                .iter()
                .map(|sample| f64::from(*sample).powi(2))
                .sum::<f64>()
                >= SOUNDING * window as f64
        })
        .map(|(at, piece)| (shifted_fit(piece, target, (at * window) as i64, 1), at))
        .collect();
    fits.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (worst, middle) = (fits.first()?, fits.get(fits.len() / 2)?);
    (middle.0 >= KEPT && worst.0 <= UNRELATED).then_some(worst.1 as u64 * 100)
}

/// Share of the sounding 50 ms in which samples have little to do with their neighbours, 0..1.
/// Speech, hissing sounds included, keeps neighbours alike in nearly all of them; noise in none. 0
/// without sound.
pub(super) fn noise_share(channel: &[i16], rate: u32) -> f64 {
    /// Speech is at 0.6 and above, bytes in the wrong order at 0.3 and below, after a lossy codec
    /// too.
    const ALIKE: f64 = 0.45;
    /// An RMS of 200: surely sound.
    const SOUNDING: f64 = 40_000.0;
    let sounding = channel
        .chunks((rate as usize / 20).max(2))
        .filter_map(|piece| {
            let square: f64 = piece.iter().map(|sample| f64::from(*sample).powi(2)).sum();
            let both: f64 = piece
                .windows(2)
                .map(|pair| f64::from(pair[0]) * f64::from(pair[1]))
                .sum();
            (square >= SOUNDING * piece.len() as f64).then(|| both / square)
        });
    let (mut all, mut noisy) = (0.0, 0.0);
    for alike in sounding {
        all += 1.0;
        noisy += f64::from(u8::from(alike < ALIKE));
    }
    if all > 0.0 { noisy / all } else { 0.0 }
}
