//! Waveforms side by side: a channel at a common rate, how well two pieces fit, and at which shift
//! they fit best.

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Zero crossings of the interpolating sine on either side. 8 keep speech up to nine tenths of the
/// band at -60 dB of error.
const CROSSINGS: usize = 8;
/// Places between two samples the kernel is tabulated at; more were not measurably better (-58 dB).
const MOST_PHASES: u64 = 512;

/// A channel at another rate: band-limited, in step with the original to the sample. Empty for a
/// rate of 0.
pub fn resampled(channel: &[i16], rate: u32, to: u32) -> Vec<f32> {
    let samples: Vec<f32> = channel.iter().map(|&sample| f32::from(sample)).collect();
    if rate == to {
        return samples;
    }
    if rate == 0 || to == 0 {
        return Vec::new();
    }
    let (from, to) = (u64::from(rate), u64::from(to));
    let phases = (to / gcd(from, to)).min(MOST_PHASES);
    let kernels: Vec<Vec<f32>> = (0..phases)
        .map(|phase| kernel(phase as f64 / phases as f64, from as f64 / to as f64))
        .collect();
    let taps = kernels[0].len();
    // Silence on both sides, so that the first and the last sample are interpolated like any other.
    let mut padded = vec![0.0; taps];
    padded.extend(samples);
    padded.resize(padded.len() + 2 * taps, 0.0);
    let length = (channel.len() as u64 * to / from) as usize;
    (0..length as u64)
        .map(|at| {
            let position = at * from;
            let (whole, phase) = ((position / to) as usize, position % to * phases / to);
            dot(
                &kernels[phase as usize],
                &padded[whole + taps / 2 + 1..][..taps],
            )
        })
        .collect()
}

/// The same channel with each sample taken `fraction` of a sample later: what lags by it is put in
/// step. Band-limited; as long as it was.
pub fn advanced(samples: &[f32], fraction: f64) -> Vec<f32> {
    // A kernel reaches as far to the left as to the right of a place behind a sample, not of one
    // before it.
    let before = usize::from(fraction < 0.0);
    let kernel = kernel(fraction + before as f64, 1.0);
    let taps = kernel.len();
    let mut padded = vec![0.0; taps];
    padded.extend_from_slice(samples);
    padded.resize(padded.len() + taps, 0.0);
    (0..samples.len())
        .map(|at| dot(&kernel, &padded[at + taps / 2 + 1 - before..][..taps]))
        .collect()
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// A windowed sine cardinal around a place between two samples; `ratio` samples of the original
/// make one.
fn kernel(fraction: f64, ratio: f64) -> Vec<f32> {
    let width = ratio.max(1.0);
    let half = (CROSSINGS as f64 * width).ceil() as usize;
    let shape = |x: f64| {
        let sine = if x.abs() < 1e-9 {
            1.0
        } else {
            (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x)
        };
        let window = 0.5
            + 0.5
                * (std::f64::consts::PI * x / CROSSINGS as f64)
                    .clamp(-std::f64::consts::PI, std::f64::consts::PI)
                    .cos();
        sine * window / width
    };
    (0..2 * half)
        .map(|tap| shape((tap as f64 + 1.0 - half as f64 - fraction) / width) as f32)
        .collect()
}

/// Sum of products over the shorter of both.
pub fn dot(left: &[f32], right: &[f32]) -> f32 {
    // Eight sums side by side: one alone cannot be reordered, and is four times as slow.
    let mut sums = [0.0f32; 8];
    let (left_blocks, right_blocks) = (left.chunks_exact(8), right.chunks_exact(8));
    let length = left.len().min(right.len());
    let rest: f32 = left[length / 8 * 8..length]
        .iter()
        .zip(&right[length / 8 * 8..length])
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in left_blocks.zip(right_blocks) {
        sums.iter_mut()
            .zip(a.iter().zip(b))
            .for_each(|(sum, (a, b))| *sum += a * b);
    }
    sums.iter().sum::<f32>() + rest
}

/// Root mean square; 0 for nothing.
pub fn level(samples: &[f32]) -> f64 {
    (f64::from(dot(samples, samples)) / samples.len().max(1) as f64).sqrt()
}

/// How well two pieces of one length fit, whatever their volume: 1 the same waveform, 0 unrelated,
/// -1 turned over. 0 where one is silent.
pub fn fit(left: &[f32], right: &[f32]) -> f64 {
    let energy = f64::from(dot(left, left)) * f64::from(dot(right, right));
    if energy > 1e-6 {
        f64::from(dot(left, right)) / energy.sqrt()
    } else {
        0.0
    }
}

/// The stretch of `samples` from `start`, with silence where there are none.
pub fn stretch(samples: &[f32], start: i64, length: usize) -> Vec<f32> {
    let mut out = vec![0.0; length];
    let from = start.clamp(0, samples.len() as i64);
    let to = (start + length as i64).clamp(from, samples.len() as i64);
    let offset = (from - start).clamp(0, length as i64) as usize;
    let there = &samples[from as usize..to as usize];
    out[offset..offset + there.len()].copy_from_slice(there);
    out
}

/// Energy in bands of frequency (from and to, hertz), summed over frames of 32 ms. Any rate; a band
/// beyond half of it has none.
pub fn bands(samples: &[f32], rate: u32, bands: &[(f64, f64)]) -> Vec<f64> {
    let frame = ((rate as usize * 32 / 1000).max(2)).next_power_of_two();
    let mut sums = vec![0.0; bands.len()];
    let forward = RealFftPlanner::<f32>::new().plan_fft_forward(frame);
    let hann: Vec<f32> = (0..frame)
        .map(|at| 0.5 - 0.5 * (std::f32::consts::TAU * at as f32 / frame as f32).cos())
        .collect();
    let mut out = forward.make_output_vec();
    let bin = |hertz: f64| {
        ((hertz * frame as f64 / f64::from(rate.max(1))).ceil() as usize).min(out.len())
    };
    let bins: Vec<(usize, usize)> = bands
        .iter()
        .map(|(from, to)| (bin(*from), bin(*to)))
        .collect();
    for piece in samples.chunks_exact(frame) {
        let mut piece: Vec<f32> = piece
            .iter()
            .zip(&hann)
            .map(|(sample, weight)| sample * weight)
            .collect();
        if forward.process(&mut piece, &mut out).is_err() {
            continue;
        }
        for (sum, (from, to)) in sums.iter_mut().zip(&bins) {
            *sum += out[*from..*to.max(from)]
                .iter()
                .map(|value| f64::from(value.norm_sqr()))
                .sum::<f64>();
        }
    }
    sums
}

/// A forward and a backward transform of one length.
type Transforms = (Arc<dyn RealToComplex<f32>>, Arc<dyn ComplexToReal<f32>>);

/// Finds a piece in a longer stretch. Keeps its tables, so one is made for many searches.
#[derive(Default)]
pub struct Search {
    transforms: BTreeMap<usize, Transforms>,
}

impl Search {
    /// How well the piece fits at each place of the stretch it may begin at; as [`fit`], and 0
    /// where the stretch is silent. Empty where the stretch is shorter than the piece.
    pub fn fits(&mut self, piece: &[f32], stretch: &[f32]) -> Vec<f32> {
        let own = f64::from(dot(piece, piece));
        if piece.is_empty() || stretch.len() < piece.len() {
            return Vec::new();
        }
        let size = (stretch.len()).next_power_of_two();
        let products = self.products(piece, stretch, size);
        // Energy of each place by running sums, in double precision: they run over the whole
        // stretch.
        let mut energy: f64 = stretch[..piece.len()]
            .iter()
            .map(|&sample| f64::from(sample).powi(2))
            .sum();
        let least = 0.01 * piece.len() as f64;
        (0..=stretch.len() - piece.len())
            .map(|at| {
                if at > 0 {
                    let (gone, come) = (
                        f64::from(stretch[at - 1]),
                        f64::from(stretch[at + piece.len() - 1]),
                    );
                    energy += come * come - gone * gone;
                }
                if energy > least && own > least {
                    (f64::from(products[at]) / (energy * own).sqrt()) as f32
                } else {
                    0.0
                }
            })
            .collect()
    }

    /// The best fit and where it is; `None` where nothing can be compared.
    pub fn best(&mut self, piece: &[f32], stretch: &[f32]) -> Option<(usize, f64)> {
        let fits = self.fits(piece, stretch);
        fits.iter()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(b.1))
            .map(|(at, &fit)| (at, f64::from(fit)))
    }

    /// Sums of products at each shift. The transform wraps around, but only behind the last place
    /// asked for.
    fn products(&mut self, piece: &[f32], stretch: &[f32], size: usize) -> Vec<f32> {
        let (forward, backward) = self.transforms.entry(size).or_insert_with(|| {
            let mut planner = RealFftPlanner::new();
            (
                planner.plan_fft_forward(size),
                planner.plan_fft_inverse(size),
            )
        });
        let spectrum = |samples: &[f32]| {
            let mut padded = samples.to_vec();
            padded.resize(size, 0.0);
            let mut out = forward.make_output_vec();
            // Lengths are the transform's own, so it cannot refuse; a refusal would leave zeros,
            // which fit nothing.
            forward
                .process(&mut padded, &mut out)
                .map(|()| out)
                .unwrap_or_default()
        };
        let (piece, mut both) = (spectrum(piece), spectrum(stretch));
        both.iter_mut()
            .zip(&piece)
            .for_each(|(a, b)| *a *= b.conj() / size as f32);
        if let (Some(first), count) = (both.first().copied(), both.len()) {
            both[0] = Complex::new(first.re, 0.0);
            both[count - 1].im = 0.0;
        }
        let mut out = vec![0.0; size];
        if backward.process(&mut both, &mut out).is_err() {
            out.fill(0.0);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hum(rate: u32, hertz: f64, seconds: f64) -> Vec<i16> {
        let samples = (f64::from(rate) * seconds) as usize;
        (0..samples)
            .map(|at| {
                (8000.0 * (std::f64::consts::TAU * hertz * at as f64 / f64::from(rate)).sin())
                    as i16
            })
            .collect()
    }

    #[test]
    fn a_channel_at_another_rate_is_in_step_with_itself() {
        for rate in [6000, 8000, 11_025, 12_000, 16_000, 22_050, 44_100, 48_000] {
            let (wanted, found) = (
                hum(8000, 700.0, 2.0),
                resampled(&hum(rate, 700.0, 2.0), rate, 8000),
            );
            assert!(
                found.len().abs_diff(wanted.len()) <= 2,
                "{rate}: {} samples",
                found.len()
            );
            let wanted: Vec<f32> = wanted.iter().map(|&sample| f32::from(sample)).collect();
            let error: Vec<f32> = wanted[400..15_000]
                .iter()
                .zip(&found[400..15_000])
                .map(|(a, b)| a - b)
                .collect();
            assert!(
                level(&error) < 0.004 * level(&wanted[400..15_000]),
                "{rate}: {} of {}",
                level(&error),
                level(&wanted)
            );
        }
        assert!(resampled(&[1, 2], 0, 8000).is_empty());
    }

    #[test]
    fn a_channel_advanced_by_part_of_a_sample_is_what_was_there() {
        let at = |place: f64| (8000.0 * (0.8 * std::f64::consts::PI * place).sin()) as f32;
        let samples: Vec<f32> = (0..2000).map(|sample| at(f64::from(sample))).collect();
        for fraction in [-0.5, -0.1, 0.0, 0.3, 0.5] {
            let wanted: Vec<f32> = (100..1900)
                .map(|sample| at(f64::from(sample) + fraction))
                .collect();
            let error: Vec<f32> = wanted
                .iter()
                .zip(&advanced(&samples, fraction)[100..])
                .map(|(a, b)| a - b)
                .collect();
            assert!(
                level(&error) < 0.05 * level(&wanted),
                "{fraction}: {} of {}",
                level(&error),
                level(&wanted)
            );
        }
        assert!(advanced(&[], 0.5).is_empty());
    }

    #[test]
    fn a_piece_is_found_where_it_was_taken_from() {
        let mut state = 1u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as f32 - 32_768.0
        };
        let stretch: Vec<f32> = (0..5000).map(|_| noise()).collect();
        let mut search = Search::default();
        for (at, length) in [(0, 1000), (1234, 1000), (4000, 1000), (17, 1), (0, 5000)] {
            let quieter: Vec<f32> = stretch[at..at + length]
                .iter()
                .map(|sample| sample * 0.01)
                .collect();
            let fits = search.fits(&quieter, &stretch);
            assert_eq!(fits.len(), 5001 - length);
            assert!((fits[at] - 1.0).abs() < 1e-3, "{at}: {}", fits[at]);
            if length > 1 {
                assert_eq!(search.best(&quieter, &stretch).map(|best| best.0), Some(at));
            }
        }
        assert!(
            search.fits(&[1.0; 10], &[1.0; 9]).is_empty() && search.fits(&[], &[1.0]).is_empty()
        );
        assert_eq!(
            search.best(&[0.0; 4], &[1.0; 8]).map(|best| best.1),
            Some(0.0)
        );
        assert_eq!(super::stretch(&[1.0, 2.0], -1, 4), [0.0, 1.0, 2.0, 0.0]);
        assert_eq!(super::stretch(&[1.0, 2.0], 5, 2), [0.0, 0.0]);
        assert_eq!(super::stretch(&[1.0, 2.0], -5, 2), [0.0, 0.0]);
    }
}
