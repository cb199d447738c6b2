//! Damage to sound, as defects do it: each changes samples or makes other bytes, and is nothing
//! (`None`) where a recording cannot take it.

use audio::{Codec, Pcm, compare};

use crate::seed::Seed;

/// A page that a proxy answers instead of the media.
pub(crate) const ERROR_PAGE: &str = "<!DOCTYPE html>\n<html><head><title>504 Gateway \
    Time-out</title></head>\n<body><h1>504 Gateway Time-out</h1>\n<p>The server didn't respond in \
    time.</p></body></html>\n";
/// Longest hole, in milliseconds: enough for a sentence to be lost.
const HOLE_MS: u64 = 3_000;
/// How much of a file corruption touches, in milliseconds of its sound: a packet of the network in an
/// MP3 of 32 kbit/s.
const CORRUPT_MS: u64 = 300;
/// Length of a syllable, and of what lies between two, in milliseconds.
const SYLLABLE_MS: u64 = 100;
/// Legacy ids of phantoms begin here: far above what a generated world counts to, and exact in
/// every JSON reader.
const PHANTOM_IDS: u64 = 900_000_000;

/// A legacy id that no source record has.
pub(crate) fn phantom_id(seed: Seed) -> u64 {
    PHANTOM_IDS + seed.below(90_000_000)
}

/// Three seconds of sound that no recording of the world has: a tone that changes its height five
/// times a second.
pub(crate) fn babble(seed: Seed) -> Pcm {
    let mut phase = 0.0_f64;
    let samples = (0..24_000_u64).map(|at| {
        let pitch = 150.0 + seed.index(at / 1_600).below(600) as f64;
        phase += pitch / 8_000.0 * std::f64::consts::TAU;
        (phase.sin() * 9_000.0) as i16
    });
    Pcm {
        sample_rate: 8_000,
        channels: vec![samples.collect()],
    }
}

/// Whether nothing is to be heard.
pub(crate) fn is_silent(pcm: &Pcm) -> bool {
    pcm.channels
        .iter()
        .all(|channel| compare::is_silent(channel, pcm.sample_rate, 0, pcm.duration_ms()))
}

/// Samples that a cut takes: a fifth, at least a second where a second is left.
fn cut_length(pcm: &Pcm) -> Option<usize> {
    let (samples, second) = (pcm.samples(), pcm.sample_rate as usize);
    let fifth = samples / 5;
    let length = if samples >= 2 * second {
        fifth.max(second)
    } else {
        fifth
    };
    (length > 0).then_some(length)
}

/// D15: the tail is cut off.
pub(crate) fn tail_cut(pcm: &mut Pcm) -> Option<()> {
    let keep = pcm.samples() - cut_length(pcm)?;
    pcm.channels
        .iter_mut()
        .for_each(|channel| channel.truncate(keep));
    Some(())
}

/// D16: the head is cut off.
pub(crate) fn head_cut(pcm: &mut Pcm) -> Option<()> {
    let cut = cut_length(pcm)?;
    pcm.channels
        .iter_mut()
        .for_each(|channel| drop(channel.drain(..cut)));
    Some(())
}

/// D17: silence in the middle, where somebody spoke.
pub(crate) fn hole(pcm: &mut Pcm) -> Option<()> {
    let length_ms = HOLE_MS.min(pcm.duration_ms() * 3 / 10);
    let from_ms = loudest(
        pcm,
        length_ms,
        pcm.duration_ms() / 10,
        pcm.duration_ms() * 9 / 10,
    )?;
    audio::silence(pcm, from_ms, from_ms + length_ms);
    Some(())
}

/// Where the loudest stretch of a length begins, between two moments; none where all are silent.
fn loudest(pcm: &Pcm, length_ms: u64, from_ms: u64, to_ms: u64) -> Option<u64> {
    let last = to_ms
        .checked_sub(length_ms)
        .filter(|last| *last >= from_ms && length_ms > 0)?;
    let step = (length_ms / 2).max(1) as usize;
    let level = |at: u64| -> f64 {
        pcm.channels
            .iter()
            .map(|channel| compare::rms(channel, pcm.sample_rate, at, at + length_ms))
            .sum()
    };
    let is_heard = |at: &u64| {
        pcm.channels
            .iter()
            .any(|one| !compare::is_silent(one, pcm.sample_rate, *at, *at + length_ms))
    };
    (from_ms..=last)
        .step_by(step)
        .filter(is_heard)
        .max_by(|one, other| level(*one).total_cmp(&level(*other)))
}

/// D19: as long as before, and nothing to hear.
pub(crate) fn silenced(pcm: &mut Pcm) -> Option<()> {
    let is_heard = !is_silent(pcm);
    pcm.channels.iter_mut().for_each(|channel| channel.fill(0));
    is_heard.then_some(())
}

/// D20: the samples of one rate declared as another.
pub(crate) fn wrong_rate(pcm: &mut Pcm) -> Option<()> {
    pcm.sample_rate = match pcm.sample_rate {
        8_000 => 11_025,
        11_025 => 8_000,
        16_000 => 22_050,
        22_050 => 16_000,
        44_100 => 48_000,
        48_000 => 44_100,
        _ => return None,
    };
    (!is_silent(pcm)).then_some(())
}

/// D21: one per cent too fast.
pub(crate) fn drifted(pcm: &mut Pcm) -> Option<()> {
    let faster = |channel: &Vec<i16>| -> Vec<i16> {
        let at = |index: usize| f64::from(channel.get(index).copied().unwrap_or_default());
        let length = channel.len() * 100 / 101;
        let places = (0..length).map(|index| index as f64 * 1.01);
        places
            .map(|place| {
                (at(place as usize) + place.fract() * (at(place as usize + 1) - at(place as usize)))
                    as i16
            })
            .collect()
    };
    pcm.channels = pcm.channels.iter().map(faster).collect();
    (!is_silent(pcm) && pcm.duration_ms() >= 2_000).then_some(())
}

/// D22: agent and customer on each other's channel.
pub(crate) fn channels_swapped(pcm: &mut Pcm) -> Option<()> {
    let is_stereo = pcm.channels.len() == 2 && pcm.channels[0] != pcm.channels[1];
    pcm.channels.reverse();
    is_stereo.then_some(())
}

/// D23: stereo folded to mono, or mono doubled.
pub(crate) fn channels_folded(pcm: &mut Pcm) -> Option<()> {
    pcm.channels = match pcm.channels.as_slice() {
        [only] => vec![only.clone(), only.clone()],
        [left, right] => vec![
            left.iter()
                .zip(right)
                .map(|(a, b)| ((i32::from(*a) + i32::from(*b)) / 2) as i16)
                .collect(),
        ],
        _ => return None,
    };
    Some(())
}

/// D27: nothing above 1 kHz; only where something was there.
pub(crate) fn narrowed(pcm: &mut Pcm) -> Option<()> {
    const CUTOFF_HZ: f64 = 1_000.0;
    /// Taps to each side: a transition of about 150 Hz at 8 kHz.
    const HALF: i64 = 100;
    let cutoff = CUTOFF_HZ / f64::from(pcm.sample_rate);
    let tap = |at: i64| {
        let x = std::f64::consts::TAU * cutoff * at as f64;
        let sinc = if at == 0 {
            2.0 * cutoff
        } else {
            x.sin() / (std::f64::consts::PI * at as f64)
        };
        let window = 0.5 + 0.5 * (std::f64::consts::PI * at as f64 / HALF as f64).cos();
        sinc * window
    };
    let taps: Vec<f64> = (-HALF..=HALF).map(tap).collect();
    let power = |channel: &[i16]| -> f64 {
        channel
            .iter()
            .map(|sample| f64::from(*sample).powi(2))
            .sum()
    };
    let (mut before, mut lost) = (0.0, 0.0);
    for channel in &mut pcm.channels {
        let at = |place: i64| {
            usize::try_from(place)
                .ok()
                .and_then(|place| channel.get(place).copied())
                .map_or(0.0, f64::from)
        };
        let filtered: Vec<i16> = (0..channel.len() as i64)
            .map(|place| {
                let sum: f64 = (-HALF..=HALF)
                    .zip(&taps)
                    .map(|(tap, weight)| at(place + tap) * weight)
                    .sum();
                sum.round() as i16
            })
            .collect();
        let rest: Vec<i16> = channel
            .iter()
            .zip(&filtered)
            .map(|(one, other)| one.saturating_sub(*other))
            .collect();
        before += power(channel);
        lost += power(&rest);
        *channel = filtered;
    }
    (lost >= 0.05 * before && before > 0.0).then_some(())
}

/// D28: 12 dB quieter.
pub(crate) fn quieter(pcm: &mut Pcm) -> Option<()> {
    let is_heard = !is_silent(pcm);
    each_sample(pcm, |sample| sample / 4);
    is_heard.then_some(())
}

/// D29: the two bytes of every sample in the wrong order.
pub(crate) fn byte_order(pcm: &mut Pcm) -> Option<()> {
    let is_heard = !is_silent(pcm);
    each_sample(pcm, i16::swap_bytes);
    is_heard.then_some(())
}

fn each_sample(pcm: &mut Pcm, change: impl Fn(i16) -> i16) {
    pcm.channels
        .iter_mut()
        .flatten()
        .for_each(|sample| *sample = change(*sample));
}

/// D59: speech where a pause says there is none.
pub(crate) fn speech_in_pause(pcm: &mut Pcm, from_ms: u64, length_ms: u64) -> Option<()> {
    let at = |ms: u64| (ms * u64::from(pcm.sample_rate) / 1_000) as usize;
    let speech_ms =
        length_ms.min(from_ms.max(pcm.duration_ms().saturating_sub(from_ms + length_ms)) / 2);
    let speech_from = loudest(pcm, speech_ms, 0, from_ms)
        .or_else(|| loudest(pcm, speech_ms, from_ms + length_ms, pcm.duration_ms()))?;
    let (source, target, length) = (at(speech_from), at(from_ms), at(length_ms));
    let speech = at(speech_ms).max(1);
    // In syllables: a sound of one loudness may be a tone that somebody agreed to.
    let syllable = at(SYLLABLE_MS).max(1);
    for channel in &mut pcm.channels {
        for index in 0..length {
            let Some(sample) = channel.get(source + index % speech).copied() else {
                continue;
            };
            let is_between = index / syllable % 2 == 1;
            let sample = if is_between { sample / 16 } else { sample };
            if let Some(slot) = channel.get_mut(target + index) {
                *slot = sample;
            }
        }
    }
    Some(())
}

/// D24: the same sound in another codec.
pub(crate) fn other_codec(codec: Codec, pcm: &Pcm) -> Option<Vec<u8>> {
    audio::encode(
        pcm,
        if codec == Codec::Mp3 {
            Codec::PcmS16
        } else {
            Codec::Mp3
        },
    )
    .ok()
}

/// D25: a container that says what no player has: WAVE with the tag of Windows Media Audio.
pub(crate) fn undecodable(body: &[u8]) -> Option<Vec<u8>> {
    let size = u32::try_from(body.len()).ok()?;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((size.checked_add(36)?).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x61\x01\x01\0");
    bytes.extend(8_000_u32.to_le_bytes());
    bytes.extend(2_000_u32.to_le_bytes());
    bytes.extend(b"\x80\0\0\0data");
    bytes.extend(size.to_le_bytes());
    bytes.extend(body);
    audio::decode(&bytes).is_err().then_some(bytes)
}

/// D26: some bytes inside are others, and the sound is.
pub(crate) fn corrupt_inside(bytes: &[u8], before: &Pcm, noise: Seed) -> Option<Vec<u8>> {
    /// Most of what is tried a decoder mutes.
    const TRIES: u64 = 8;
    // From the middle to both sides, until it is to be heard.
    [4, 3, 5].into_iter().find_map(|eighth| {
        (0..TRIES).find_map(|at| {
            let from = bytes.len() * eighth / 8;
            corrupt_from(bytes.to_vec(), from, before, noise.index(at))
        })
    })
}

fn corrupt_from(mut bytes: Vec<u8>, from: usize, before: &Pcm, noise: Seed) -> Option<Vec<u8>> {
    let touched = bytes.len() as u64 * CORRUPT_MS / before.duration_ms().max(1);
    let to = from + (touched as usize).min(bytes.len() / 4);
    let mut at = from;
    while at < to {
        // The head of an MP3 frame stays: without it the frame is lost, and the sound is cut.
        if bytes[at] == 0xff && bytes.get(at + 1).is_some_and(|next| next & 0xe0 == 0xe0) {
            at += 4;
            continue;
        }
        bytes[at] ^= noise.index((at - from) as u64).below(255) as u8 + 1;
        at += 1;
    }
    let (_, after) = audio::decode(&bytes).ok()?;
    // Where a whole frame is lost the sound is cut, which is another defect.
    (after.samples() == before.samples() && is_heard(before, &after)).then_some(bytes)
}

/// Whether a fifth of a second of two sounds of one length holds several loud pieces of speech that
/// have become another sound: a click in a breath is nothing anybody hears.
fn is_heard(before: &Pcm, after: &Pcm) -> bool {
    const FIFTH_OF_A_SECOND: usize = 10;
    const SEVERAL: usize = 4;
    let piece = before.sample_rate as usize / 50;
    let level = |samples: &[i16]| likeness(samples, samples).0.sqrt();
    before
        .channels
        .iter()
        .zip(&after.channels)
        .any(|(one, other)| {
            let loud = (0.7 * level(one)).max(300.0);
            let pieces = || one.chunks_exact(piece).zip(other.chunks_exact(piece));
            // What a decoder mutes is a hole, which is another defect.
            let is_muted = pieces()
                .any(|(one, other)| level(one) >= loud / 4.0 && level(other) < level(one) / 8.0);
            let is_other: Vec<bool> = pieces()
                .map(|(one, other)| level(one) >= loud && likeness(one, other).1 < 0.15)
                .collect();
            !is_muted
                && is_other
                    .windows(FIFTH_OF_A_SECOND)
                    .any(|pieces| pieces.iter().filter(|is_other| **is_other).count() >= SEVERAL)
        })
}

/// Mean product of two sounds, and their correlation.
fn likeness(one: &[i16], other: &[i16]) -> (f64, f64) {
    let sum = |one: &[i16], other: &[i16]| -> f64 {
        one.iter()
            .zip(other)
            .map(|(one, other)| f64::from(*one) * f64::from(*other))
            .sum()
    };
    let product = sum(one, other);
    let most = (sum(one, one) * sum(other, other)).sqrt().max(1.0);
    (product / one.len().max(1) as f64, product / most)
}

/// D30: an encrypted payload; nothing in it is audio.
pub(crate) fn encrypted(stream: Seed, length: usize) -> Option<Vec<u8>> {
    let length = length.max(1_024);
    let cipher = |block: usize| stream.index(block as u64).value().to_le_bytes();
    let bytes: Vec<u8> = (0..length.div_ceil(8))
        .flat_map(cipher)
        .take(length)
        .collect();
    audio::decode(&bytes).is_err().then_some(bytes)
}
