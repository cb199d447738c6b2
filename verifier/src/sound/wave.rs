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
        .filter(|(_, piece)| square(piece) >= SOUNDING * window as f64)
        .filter(|(at, piece)| {
            let there = target.get(at * window..(at + 1) * window);
            !there.is_some_and(|there| is_one_hiss(piece, there, rate))
        })
        .map(|(at, piece)| (shifted_fit(piece, target, (at * window) as i64, 1), at))
        .collect();
    fits.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (worst, middle) = (fits.first()?, fits.get(fits.len() / 2)?);
    (middle.0 >= KEPT && worst.0 <= UNRELATED).then_some(worst.1 as u64 * 100)
}

/// Whether both are a sibilant of about one loudness: a voice codec (GSM 6.10, which keeps the
/// waveform of vowels at 0.98) keeps no more of it. In 26 minutes of recorded speech each 100 ms
/// that came out of GSM below a fit of 0.25 was one, and 1 to 8 dB softer.
fn is_one_hiss(ours: &[i16], theirs: &[i16], rate: u32) -> bool {
    /// 12 dB. Of the squares.
    const MOST_APART: f64 = 16.0;
    let (our_square, their_square) = (square(ours), square(theirs));
    let is_alike =
        our_square <= MOST_APART * their_square && their_square <= MOST_APART * our_square;
    is_alike && is_hiss(ours, rate) && is_hiss(theirs, rate)
}

/// Whether most of it lies above 1.5 kHz: of a sibilant above 2, and a voice codec makes it duller.
fn is_hiss(piece: &[i16], rate: u32) -> bool {
    /// Hertz.
    const ABOVE: f64 = 1500.0;
    // A tone of frequency f has 4 sin^2(pi f / rate) of its energy from sample to sample.
    let tone = (std::f64::consts::PI * ABOVE / f64::from(rate.max(1))).sin();
    let steps: f64 = piece
        .windows(2)
        .map(|two| (f64::from(two[1]) - f64::from(two[0])).powi(2))
        .sum();
    rate > 2 * ABOVE as u32 && steps > 4.0 * tone.powi(2) * square(piece)
}

fn square(piece: &[i16]) -> f64 {
    piece.iter().map(|sample| f64::from(*sample).powi(2)).sum()
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
            let square = square(piece);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A voice of two seconds with a sibilant of that loudness from 1.0 s to 1.1.
    fn voice(rate: u32, seed: u64, loud: f64) -> Vec<i16> {
        let mut state = seed;
        let mut noise = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 40) as f64 / f64::from(1 << 24) - 0.5
        };
        let mut before = 0.0;
        (0..2 * rate)
            .map(|at| {
                let t = f64::from(at) / f64::from(rate);
                if (rate..rate * 11 / 10).contains(&at) {
                    // From sample to sample turned: nothing but the upper part is left.
                    let now = noise();
                    let hiss = (now - before) * loud;
                    before = now;
                    hiss as i16
                } else {
                    (3000.0 * (t * 200.0 * std::f64::consts::TAU).sin()) as i16
                }
            })
            .collect()
    }

    #[test]
    fn a_sibilant_that_a_voice_codec_made_anew_is_no_damage_and_anything_else_is() {
        for rate in [8000, 16_000] {
            let source = voice(rate, 1, 4000.0);
            let softer = voice(rate, 2, 2500.0);
            assert_eq!(broken_at(&source, &softer, rate), None, "{rate} Hz");
            let faint = voice(rate, 2, 300.0);
            assert_eq!(broken_at(&source, &faint, rate), Some(1000), "{rate} Hz");
            let place = rate as usize..rate as usize * 11 / 10;
            let mut hum = source.clone();
            for (at, sample) in hum[place.clone()].iter_mut().enumerate() {
                let t = at as f64 / f64::from(rate);
                *sample = (1500.0 * (t * 330.0 * std::f64::consts::TAU).sin()) as i16;
            }
            assert_eq!(broken_at(&source, &hum, rate), Some(1000), "{rate} Hz");
            // A vowel in which hiss stands.
            assert_eq!(broken_at(&hum, &source, rate), Some(1000), "{rate} Hz");
        }
    }
}
