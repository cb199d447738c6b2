//! Defects of the audio itself. Each decodes a recording, changes its samples and writes them in the codec they came in, or puts other bytes there.

use audio::{Codec, Pcm, compare};

use super::{
    super::state::{Conversation, Recording},
    scene::{Plant, Scene, same},
};
use crate::seed::Seed;

/// A page that a proxy answers instead of the media.
const ERROR_PAGE: &str = "<!DOCTYPE html>\n<html><head><title>504 Gateway Time-out</title></head>\n<body><h1>504 Gateway Time-out</h1>\n<p>The server didn't respond in time.</p></body></html>\n";
/// Longest hole, in milliseconds: enough for a sentence to be lost.
const HOLE_MS: u64 = 3_000;
/// Bytes that corruption touches inside a file.
const CORRUPT_BYTES: usize = 400;

/// Puts bytes in the place of a recording's.
fn with_bytes(scene: &Scene<'_>, held: &Conversation, one: &Recording, bytes: &[u8]) -> Option<Plant> {
    let before = scene.state.media(one)?.sha256.clone();
    let (id, file) = scene.other_file(one, bytes)?;
    if file.sha256 == before {
        return None;
    }
    let entry = scene.entry(held, Some(one), "audio.sha256", before, file.sha256.clone());
    let mut copy = held.clone();
    same(&mut copy, one)?.file = Some(id);
    Some(Plant::one(entry, copy).with_file(id, file))
}

/// Changes the samples of a recording and writes them in the same codec.
fn with_samples(scene: &Scene<'_>, held: &Conversation, change: impl FnOnce(&mut Pcm) -> Option<()>) -> Option<Plant> {
    let one = scene.victim(held)?;
    let (codec, mut pcm) = scene.decoded(one)?;
    change(&mut pcm)?;
    with_bytes(scene, held, one, &audio::encode(&pcm, codec).ok()?)
}

fn is_silent(pcm: &Pcm) -> bool {
    pcm.channels.iter().all(|channel| compare::is_silent(channel, pcm.sample_rate, 0, pcm.duration_ms()))
}

/// Samples that a cut takes: a fifth, at least a second where a second is left.
fn cut_length(pcm: &Pcm) -> Option<usize> {
    let (samples, second) = (pcm.samples(), pcm.sample_rate as usize);
    let fifth = samples / 5;
    let length = if samples >= 2 * second { fifth.max(second) } else { fifth };
    (length > 0).then_some(length)
}

fn entry_of_length(mut plant: Plant, before: usize, after: usize) -> Plant {
    if let Some(entry) = plant.planted.first_mut() {
        entry.field = "audio.samples";
        entry.before = before.into();
        entry.after = after.into();
    }
    plant
}

/// D15: the tail is cut off.
pub(super) fn tail_cut(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let mut lengths = (0, 0);
    let plant = with_samples(scene, held, |pcm| {
        let keep = pcm.samples() - cut_length(pcm)?;
        lengths = (pcm.samples(), keep);
        pcm.channels.iter_mut().for_each(|channel| channel.truncate(keep));
        Some(())
    })?;
    Some(entry_of_length(plant, lengths.0, lengths.1))
}

/// D16: the head is cut off.
pub(super) fn head_cut(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let mut lengths = (0, 0);
    let plant = with_samples(scene, held, |pcm| {
        let cut = cut_length(pcm)?;
        lengths = (pcm.samples(), pcm.samples() - cut);
        pcm.channels.iter_mut().for_each(|channel| drop(channel.drain(..cut)));
        Some(())
    })?;
    Some(entry_of_length(plant, lengths.0, lengths.1))
}

/// D17: silence in the middle, where somebody spoke.
pub(super) fn hole(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_samples(scene, held, |pcm| {
        let length_ms = HOLE_MS.min(pcm.duration_ms() * 3 / 10);
        let from_ms = loudest(pcm, length_ms, pcm.duration_ms() / 10, pcm.duration_ms() * 9 / 10)?;
        audio::silence(pcm, from_ms, from_ms + length_ms);
        Some(())
    })
}

/// Where the loudest stretch of a length begins, between two moments; none where all are silent.
fn loudest(pcm: &Pcm, length_ms: u64, from_ms: u64, to_ms: u64) -> Option<u64> {
    let last = to_ms.checked_sub(length_ms).filter(|last| *last >= from_ms && length_ms > 0)?;
    let step = (length_ms / 2).max(1) as usize;
    let level = |at: u64| -> f64 { pcm.channels.iter().map(|channel| compare::rms(channel, pcm.sample_rate, at, at + length_ms)).sum() };
    let is_heard = |at: &u64| pcm.channels.iter().any(|one| !compare::is_silent(one, pcm.sample_rate, *at, *at + length_ms));
    (from_ms..=last).step_by(step).filter(is_heard).max_by(|one, other| level(*one).total_cmp(&level(*other)))
}

/// D18: two conversations have each other's audio.
pub(super) fn swapped(scene: &Scene<'_>, first: &Conversation, second: &Conversation) -> Option<Plant> {
    let (one, other) = (scene.only(first)?, scene.only(second)?);
    if scene.state.media(one)?.sha256 == scene.state.media(other)?.sha256 {
        return None;
    }
    let ((_, pcm), (_, other_pcm)) = (scene.decoded(one)?, scene.decoded(other)?);
    if is_silent(&pcm) || is_silent(&other_pcm) || pcm.sha256() == other_pcm.sha256() {
        return None;
    }
    let mut plant = with_bytes(scene, first, one, &scene.bytes(other)?)?;
    let back = with_bytes(scene, second, other, &scene.bytes(one)?)?;
    plant.planted.extend(back.planted);
    plant.puts.extend(back.puts);
    plant.files.extend(back.files);
    swap_types(&mut plant);
    Some(plant)
}

/// The declared type goes with the bytes.
fn swap_types(plant: &mut Plant) {
    if let [(_, one), (_, other)] = plant.files.as_mut_slice() {
        std::mem::swap(&mut one.content_type, &mut other.content_type);
    }
}

/// D19: as long as before, and nothing to hear.
pub(super) fn silenced(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_samples(scene, held, |pcm| {
        let is_heard = !is_silent(pcm);
        pcm.channels.iter_mut().for_each(|channel| channel.fill(0));
        is_heard.then_some(())
    })
}

/// D20: the samples of one rate declared as another.
pub(super) fn wrong_rate(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_samples(scene, held, |pcm| {
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
    })
}

/// D21: one per cent too fast.
pub(super) fn drifted(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_samples(scene, held, |pcm| {
        let faster = |channel: &Vec<i16>| -> Vec<i16> {
            let at = |index: usize| f64::from(channel.get(index).copied().unwrap_or_default());
            let length = channel.len() * 100 / 101;
            let places = (0..length).map(|index| index as f64 * 1.01);
            places.map(|place| (at(place as usize) + place.fract() * (at(place as usize + 1) - at(place as usize))) as i16).collect()
        };
        pcm.channels = pcm.channels.iter().map(faster).collect();
        (!is_silent(pcm) && pcm.duration_ms() >= 2_000).then_some(())
    })
}

/// D22: agent and customer on each other's channel.
pub(super) fn channels_swapped(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_samples(scene, held, |pcm| {
        let is_stereo = pcm.channels.len() == 2 && pcm.channels[0] != pcm.channels[1];
        pcm.channels.reverse();
        is_stereo.then_some(())
    })
}

/// D23: stereo folded to mono, or mono doubled.
pub(super) fn channels_folded(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_samples(scene, held, |pcm| {
        pcm.channels = match pcm.channels.as_slice() {
            [only] => vec![only.clone(), only.clone()],
            [left, right] => vec![left.iter().zip(right).map(|(a, b)| ((i32::from(*a) + i32::from(*b)) / 2) as i16).collect()],
            _ => return None,
        };
        Some(())
    })
}

/// D24: another codec than the declared type says.
pub(super) fn wrong_type(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let one = scene.victim(held)?;
    let (codec, pcm) = scene.decoded(one)?;
    let other = if codec == Codec::Mp3 { Codec::PcmS16 } else { Codec::Mp3 };
    with_bytes(scene, held, one, &audio::encode(&pcm, other).ok()?)
}

/// D25: a container that says what no player has: WAVE with the tag of Windows Media Audio.
pub(super) fn undecodable(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let one = scene.victim(held)?;
    let body = scene.bytes(one)?;
    let size = u32::try_from(body.len()).ok()?;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((size.checked_add(36)?).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x61\x01\x01\0");
    bytes.extend(8_000_u32.to_le_bytes());
    bytes.extend(2_000_u32.to_le_bytes());
    bytes.extend(b"\x80\0\0\0data");
    bytes.extend(size.to_le_bytes());
    bytes.extend(body);
    audio::decode(&bytes).is_err().then(|| with_bytes(scene, held, one, &bytes))?
}

/// D26: some bytes in the middle are others.
pub(super) fn corrupt_inside(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let one = scene.victim(held)?;
    let mut bytes = scene.bytes(one)?;
    let (_, before) = scene.decoded(one)?;
    let from = bytes.len() / 2;
    let to = (from + CORRUPT_BYTES).min(bytes.len().checked_sub(CORRUPT_BYTES)?);
    let noise = scene.seed_of(one.id).child("noise");
    for (index, byte) in bytes.get_mut(from..to)?.iter_mut().enumerate() {
        *byte ^= noise.index(index as u64).below(255) as u8 + 1;
    }
    let (_, after) = audio::decode(&bytes).ok()?;
    (after.sha256() != before.sha256()).then(|| with_bytes(scene, held, one, &bytes))?
}

/// D28: 12 dB quieter.
pub(super) fn quieter(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_samples(scene, held, |pcm| {
        let is_heard = !is_silent(pcm);
        each_sample(pcm, |sample| sample / 4);
        is_heard.then_some(())
    })
}

/// D29: the two bytes of every sample in the wrong order.
pub(super) fn byte_order(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_samples(scene, held, |pcm| {
        let is_heard = !is_silent(pcm);
        each_sample(pcm, i16::swap_bytes);
        is_heard.then_some(())
    })
}

fn each_sample(pcm: &mut Pcm, change: impl Fn(i16) -> i16) {
    pcm.channels.iter_mut().flatten().for_each(|sample| *sample = change(*sample));
}

/// D30: an encrypted payload; nothing in it is audio.
pub(super) fn encrypted(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let one = scene.victim(held)?;
    let stream = scene.seed_of(one.id).child("cipher");
    let length = scene.bytes(one)?.len().max(1_024);
    let bytes: Vec<u8> = (0..length.div_ceil(8)).flat_map(|block| cipher(stream, block)).take(length).collect();
    audio::decode(&bytes).is_err().then(|| with_bytes(scene, held, one, &bytes))?
}

fn cipher(stream: Seed, block: usize) -> [u8; 8] {
    stream.index(block as u64).value().to_le_bytes()
}

/// D31: an error page in the place of the audio.
pub(super) fn error_page(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_bytes(scene, held, scene.victim(held)?, ERROR_PAGE.as_bytes())
}

/// D32: a file of no bytes.
pub(super) fn empty(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_bytes(scene, held, scene.victim(held)?, &[])
}

/// D59: speech where a pause says there is none.
pub(super) fn speech_in_pause(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let one = scene.victim(held)?;
    let pause = one.annotations.first()?;
    let (from_ms, length_ms) = (pause.location_ms, pause.duration_ms);
    let (codec, mut pcm) = scene.decoded(one)?;
    let at = |ms: u64| (ms * u64::from(pcm.sample_rate) / 1_000) as usize;
    let speech_ms = length_ms.min(from_ms.max(pcm.duration_ms().saturating_sub(from_ms + length_ms)) / 2);
    let speech_from = loudest(&pcm, speech_ms, 0, from_ms).or_else(|| loudest(&pcm, speech_ms, from_ms + length_ms, pcm.duration_ms()))?;
    let (source, target, length) = (at(speech_from), at(from_ms), at(length_ms));
    let speech = at(speech_ms).max(1);
    for channel in &mut pcm.channels {
        for index in 0..length {
            let Some(sample) = channel.get(source + index % speech).copied() else { continue };
            if let Some(slot) = channel.get_mut(target + index) {
                *slot = sample;
            }
        }
    }
    with_bytes(scene, held, one, &audio::encode(&pcm, codec).ok()?)
}
