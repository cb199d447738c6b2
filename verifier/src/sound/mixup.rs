//! Bytes decoded as what they are not: mu-law as A-law, the wrong byte order, coded bytes as linear
//! samples.

use audio::Pcm;

use super::wave::{SAME_WAVE, best_fit, noise_share};

/// A decoding mistake, replayed on the source; the target must be this, not merely unlike the
/// source.
struct Mistake {
    name: &'static str,
    replay: fn(i16) -> i16,
}

const MISTAKES: &[Mistake] = &[
    Mistake {
        name: "mu-law decoded as A-law",
        replay: |sample| alaw_decode(mulaw_encode(sample)),
    },
    Mistake {
        name: "A-law decoded as mu-law",
        replay: |sample| mulaw_decode(alaw_encode(sample)),
    },
    Mistake {
        name: "bytes of each sample in the wrong order",
        replay: i16::swap_bytes,
    },
    Mistake {
        name: "mu-law taken for 8-bit linear",
        replay: |sample| unsigned_8(mulaw_encode(sample)),
    },
    Mistake {
        name: "A-law taken for 8-bit linear",
        replay: |sample| unsigned_8(alaw_encode(sample)),
    },
    Mistake {
        name: "mu-law taken for signed 8-bit linear",
        replay: |sample| signed_8(mulaw_encode(sample)),
    },
    Mistake {
        name: "A-law taken for signed 8-bit linear",
        replay: |sample| signed_8(alaw_encode(sample)),
    },
];

/// Samples compared: 4 s of 8 kHz from the loudest part are plenty, and the search over shifts
/// stays under 50 ms of work.
const SAMPLES: usize = 32_000;
/// How much better the mistake must explain the target than the source itself does.
const CLEARLY: f64 = 0.05;

/// The mistake that explains the target; `None` where none does.
/// `lag`: samples by which the target is known to be later.
pub(super) fn mixup(source: &Pcm, target: &Pcm, lag: i64) -> Option<&'static str> {
    if source.sample_rate != target.sample_rate {
        return None;
    }
    let (source, target) = (source.channels.first()?, target.channels.first()?);
    let length = source.len().min(target.len());
    let from = loudest(&source[..length]);
    let to = (from + SAMPLES).min(length);
    let plain = best_fit(&source[from..to], target, from as i64 + lag);
    let best = MISTAKES
        .iter()
        .map(|mistake| {
            let replayed: Vec<i16> = source[from..to]
                .iter()
                .map(|sample| (mistake.replay)(*sample))
                .collect();
            (best_fit(&replayed, target, from as i64 + lag), mistake.name)
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= SAME_WAVE && best.0 > plain + CLEARLY).then_some(best.1)
}

/// Most of the target is noise, and little of the source: a burst of a broken frame is neither.
const NOISE_FROM: f64 = 0.7;
const SPEECH_TO: f64 = 0.3;

/// Noise where the source has speech. A lossy codec after the mistake leaves no waveform to replay;
/// that it is noise is still heard.
pub(super) fn noise(source: &Pcm, target: &Pcm) -> Option<&'static str> {
    let share = |pcm: &Pcm, at: usize| noise_share(&pcm.channels[at], pcm.sample_rate);
    let common = source.channels.len().min(target.channels.len());
    let found =
        (0..common).any(|at| share(target, at) >= NOISE_FROM && share(source, at) <= SPEECH_TO);
    found.then_some("noise, as of bytes that are not what they were taken for")
}

/// Start of the loudest stretch of [`SAMPLES`], by half a stretch.
fn loudest(samples: &[i16]) -> usize {
    let energy = |at: usize| {
        samples[at..(at + SAMPLES).min(samples.len())]
            .iter()
            .map(|sample| i64::from(*sample).pow(2))
            .sum::<i64>()
    };
    let last = samples.len().saturating_sub(SAMPLES);
    (0..=last)
        .step_by(SAMPLES / 2)
        .max_by_key(|at| energy(*at))
        .unwrap_or(0)
}

fn unsigned_8(byte: u8) -> i16 {
    (i16::from(byte) - 128) << 8
}

fn signed_8(byte: u8) -> i16 {
    i16::from(byte as i8) << 8
}

/// G.711 mu-law. Source: ITU-T G.711.
fn mulaw_encode(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = (i32::from(sample).abs()).min(32_635) + 132;
    let exponent = (24 - (magnitude as u32).leading_zeros()).min(7) as i32;
    let mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    !((sign | (exponent << 4) | mantissa) as u8)
}

fn mulaw_decode(byte: u8) -> i16 {
    let byte = !byte;
    let magnitude = (((i32::from(byte & 0x0f) << 3) + 132) << ((byte >> 4) & 7)) - 132;
    (if byte & 0x80 == 0 {
        magnitude
    } else {
        -magnitude
    }) as i16
}

/// G.711 A-law. Source: ITU-T G.711.
fn alaw_encode(sample: i16) -> u8 {
    let sign = if sample >= 0 { 0x80 } else { 0 };
    let magnitude = if sample >= 0 {
        i32::from(sample) >> 3
    } else {
        (-i32::from(sample) - 1) >> 3
    };
    let coded = match 31 - (magnitude.max(1) as u32).leading_zeros() as i32 {
        top if top < 5 => magnitude >> 1,
        top => ((top - 4) << 4) | ((magnitude >> (top - 4)) & 0x0f),
    };
    ((sign | coded.min(0x7f)) as u8) ^ 0x55
}

fn alaw_decode(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let mantissa = i32::from(byte & 0x0f);
    let magnitude = match i32::from((byte >> 4) & 7) {
        0 => (mantissa << 4) + 8,
        exponent => ((mantissa << 4) + 0x108) << (exponent - 1),
    };
    (if byte & 0x80 != 0 {
        magnitude
    } else {
        -magnitude
    }) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::content::testing::{speech, through_mp3};

    #[test]
    fn both_laws_come_back_close_to_where_they_started() {
        for sample in (-32_000i32..=32_000)
            .step_by(97)
            .map(|sample| sample as i16)
        {
            for back in [
                mulaw_decode(mulaw_encode(sample)),
                alaw_decode(alaw_encode(sample)),
            ] {
                let error = (i32::from(back) - i32::from(sample)).abs();
                assert!(
                    error <= 16 + i32::from(sample).abs() / 16,
                    "{sample} came back as {back}"
                );
            }
        }
    }

    #[test]
    fn a_mistake_before_a_lossy_codec_is_still_heard_as_noise() {
        for seconds in [2.0, 12.0] {
            let once = through_mp3(&speech(5, seconds, 1));
            assert_eq!(noise(&speech(5, seconds, 1), &once), None);
            assert_eq!(
                noise(&speech(5, seconds, 1), &through_mp3(&speech(6, seconds, 1))),
                None
            );
            let channels = vec![
                once.channels[0]
                    .iter()
                    .map(|sample| sample.swap_bytes())
                    .collect(),
            ];
            let swapped = through_mp3(&Pcm {
                sample_rate: 8000,
                channels,
            });
            assert!(
                noise(&speech(5, seconds, 1), &swapped).is_some(),
                "{seconds} s"
            );
        }
    }

    #[test]
    fn each_mistake_is_told_from_a_sound_transcode() {
        for seconds in [1.0, 12.0] {
            let source = speech(5, seconds, 1);
            assert_eq!(mixup(&source, &source, 0), None);
            assert_eq!(mixup(&source, &through_mp3(&source), 0), None);
            assert_eq!(
                mixup(&source, &through_mp3(&speech(6, seconds, 1)), 0),
                None,
                "another call is not a mistake in decoding"
            );
            for mistake in MISTAKES {
                let channels = vec![
                    source.channels[0]
                        .iter()
                        .map(|sample| (mistake.replay)(*sample))
                        .collect(),
                ];
                let damaged = Pcm {
                    sample_rate: 8000,
                    channels,
                };
                assert!(
                    mixup(&source, &damaged, 0).is_some(),
                    "{} in {seconds} s",
                    mistake.name
                );
            }
        }
    }
}
