//! Defects of the sound itself. Each decodes a file, changes its samples and writes them in the
//! codec they came in, or puts other bytes there; name, size and length are then those of the new
//! bytes, as a wrong transcoder would have declared them.

use audio::Pcm;

use super::super::state::Recording;
use super::scene::{Plant, Scene, address_of, sha256};
use crate::damage;

/// Puts bytes in the place of a media file's.
fn with_bytes(scene: &Scene<'_>, held: &Recording, at: usize, bytes: Vec<u8>) -> Option<Plant> {
    let file = &held.media[at];
    let (before, after) = (sha256(&scene.bytes(file)?), sha256(&bytes));
    if before == after {
        return None;
    }
    let entry = scene.entry(held, Some(at), "audio.sha256", before, after);
    let mut copy = held.clone();
    let changed = &mut copy.media[at];
    changed.descriptor.path = address_of(file, &bytes);
    changed.size = changed.size.as_ref().map(|_| bytes.len().to_string());
    if let Ok((_, pcm)) = audio::decode(&bytes) {
        changed.duration = changed
            .duration
            .as_ref()
            .map(|_| pcm.duration_ms().to_string());
    }
    let gone = (file.descriptor.path != changed.descriptor.path)
        .then(|| (file.descriptor.path.clone(), None));
    let written = (changed.descriptor.path.clone(), Some(bytes));
    Some(Plant {
        files: gone.into_iter().chain([written]).collect(),
        ..Plant::one(entry, copy)
    })
}

/// Changes the samples of a media file and writes them in the same codec.
fn with_samples(
    scene: &Scene<'_>,
    held: &Recording,
    change: impl FnOnce(&mut Pcm) -> Option<()>,
) -> Option<Plant> {
    let at = without_pause(scene, held)?;
    let (codec, mut pcm) = scene.decoded(&held.media[at])?;
    change(&mut pcm)?;
    with_bytes(scene, held, at, audio::encode(&pcm, codec).ok()?)
}

/// A media file without a pause, where the site has any: a second encoding spreads sound into a
/// pause, which is a defect of its own.
fn without_pause(scene: &Scene<'_>, held: &Recording) -> Option<usize> {
    scene
        .victim(held)
        .filter(|at| held.media[*at].masks.is_empty() || !scene.has_calls_without_pause)
}

/// Cuts a media file; its entry tells the samples.
fn cut(scene: &Scene<'_>, held: &Recording, change: fn(&mut Pcm) -> Option<()>) -> Option<Plant> {
    let mut lengths = (0, 0);
    let mut plant = with_samples(scene, held, |pcm| {
        let before = pcm.samples();
        change(pcm)?;
        lengths = (before, pcm.samples());
        Some(())
    })?;
    for entry in &mut plant.planted {
        (entry.field, entry.before, entry.after) =
            ("audio.samples", lengths.0.into(), lengths.1.into());
    }
    Some(plant)
}

/// D15: the tail is cut off.
pub(super) fn tail_cut(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    cut(scene, held, damage::tail_cut)
}

/// D16: the head is cut off.
pub(super) fn head_cut(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    cut(scene, held, damage::head_cut)
}

/// D17: silence in the middle, where somebody spoke.
pub(super) fn hole(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    with_samples(scene, held, damage::hole)
}

/// D05: a media file became two halves.
pub(super) fn split(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let at = scene.victim(held)?;
    let file = &held.media[at];
    let (codec, pcm) = scene.decoded(file)?;
    if pcm.duration_ms() < 2_000 || !file.masks.is_empty() {
        return None;
    }
    let half = pcm.samples() / 2;
    let part = |from: usize, to: usize| {
        let channels = pcm
            .channels
            .iter()
            .map(|channel| channel[from..to].to_vec())
            .collect();
        let part = Pcm {
            sample_rate: pcm.sample_rate,
            channels,
        };
        Some((audio::encode(&part, codec).ok()?, part.duration_ms()))
    };
    let entry = scene.entry(
        held,
        Some(at),
        "mediaFiles",
        held.media.len(),
        held.media.len() + 1,
    );
    let mut copy = held.clone();
    let mut halves = Vec::new();
    let mut files = vec![(file.descriptor.path.clone(), None)];
    for (name, (bytes, length_ms)) in [("", part(0, half)?), ("-b", part(half, pcm.samples())?)] {
        let mut one = file.clone();
        one.media_id = file.media_id.as_ref().map(|id| format!("{id}{name}"));
        one.descriptor.path = address_of(file, &bytes);
        one.size = one.size.map(|_| bytes.len().to_string());
        one.duration = one.duration.map(|_| length_ms.to_string());
        files.push((one.descriptor.path.clone(), Some(bytes)));
        halves.push(one);
    }
    let middle = file.start_time.0 + (pcm.duration_ms() / 2) as i64;
    (halves[0].stop_time.0, halves[1].start_time.0) = (middle, middle);
    copy.media.splice(at..=at, halves);
    Some(Plant {
        files,
        ..Plant::one(entry, copy)
    })
}

/// D18: two recordings have each other's sound, and its type.
pub(super) fn swapped(scene: &Scene<'_>, first: &Recording, second: &Recording) -> Option<Plant> {
    if !scene.has_only_one(first) || !scene.has_only_one(second) {
        return None;
    }
    let (one, other) = (&first.media[0], &second.media[0]);
    let ((_, pcm), (_, other_pcm)) = (scene.decoded(one)?, scene.decoded(other)?);
    if damage::is_silent(&pcm)
        || damage::is_silent(&other_pcm)
        || pcm.sha256() == other_pcm.sha256()
    {
        return None;
    }
    let mut plant = with_bytes(scene, first, 0, scene.bytes(other)?)?;
    let mut back = with_bytes(scene, second, 0, scene.bytes(one)?)?;
    plant
        .puts
        .iter_mut()
        .for_each(|copy| copy.media[0].mime.clone_from(&other.mime));
    back.puts
        .iter_mut()
        .for_each(|copy| copy.media[0].mime.clone_from(&one.mime));
    plant.planted.extend(back.planted);
    plant.puts.extend(back.puts);
    plant.files.extend(back.files);
    Some(plant)
}

/// D19: as long as before, and nothing to hear.
pub(super) fn silenced(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    with_samples(scene, held, damage::silenced)
}

/// D20: the samples of one rate declared as another.
pub(super) fn wrong_rate(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    with_samples(scene, held, damage::wrong_rate)
}

/// D21: one per cent too fast.
pub(super) fn drifted(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    with_samples(scene, held, damage::drifted)
}

/// D22: agent and customer on each other's channel.
pub(super) fn channels_swapped(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    with_samples(scene, held, damage::channels_swapped)
}

/// D23: stereo folded to mono, or mono doubled.
pub(super) fn channels_folded(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    with_samples(scene, held, damage::channels_folded)
}

/// D24: another codec than the declared type says.
pub(super) fn wrong_type(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let at = scene.victim(held)?;
    let (codec, pcm) = scene.decoded(&held.media[at])?;
    with_bytes(scene, held, at, damage::other_codec(codec, &pcm)?)
}

/// D25: a container that says what no player has.
pub(super) fn undecodable(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let at = scene.victim(held)?;
    with_bytes(
        scene,
        held,
        at,
        damage::undecodable(&scene.bytes(&held.media[at])?)?,
    )
}

/// D26: some bytes in the middle are others.
pub(super) fn corrupt_inside(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let at = without_pause(scene, held)?;
    let (_, before) = scene.decoded(&held.media[at])?;
    let noise = scene.seed_of(&held.id).child("noise");
    with_bytes(
        scene,
        held,
        at,
        damage::corrupt_inside(&scene.bytes(&held.media[at])?, &before, noise)?,
    )
}

/// D27: nothing above 1 kHz.
pub(super) fn narrowed(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    with_samples(scene, held, damage::narrowed)
}

/// D28: 12 dB quieter.
pub(super) fn quieter(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    with_samples(scene, held, damage::quieter)
}

/// P3: written a second time, 12 dB quieter; its recording has both.
pub(super) fn written_twice(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let at = scene.victim(held)?;
    let file = &held.media[at];
    let (codec, mut pcm) = scene.decoded(file)?;
    damage::quieter(&mut pcm)?;
    let bytes = audio::encode(&pcm, codec).ok()?;
    let (before, after) = (held.media.len(), held.media.len() + 1);
    let entry = scene.entry(held, Some(at), "mediaFiles", before, after);
    let mut twin = file.clone();
    twin.descriptor.path = address_of(file, &bytes);
    twin.size = twin.size.map(|_| bytes.len().to_string());
    let files = vec![(twin.descriptor.path.clone(), Some(bytes))];
    let mut copy = held.clone();
    copy.media.push(twin);
    Some(Plant {
        files,
        ..Plant::one(entry, copy)
    })
}

/// D29: the two bytes of every sample in the wrong order.
pub(super) fn byte_order(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    with_samples(scene, held, damage::byte_order)
}

/// D30: an encrypted payload, and no envelope that opens it.
pub(super) fn encrypted(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let at = scene.victim(held)?;
    let length = scene.bytes(&held.media[at])?.len();
    with_bytes(
        scene,
        held,
        at,
        damage::encrypted(scene.seed_of(&held.id).child("cipher"), length)?,
    )
}

/// D31: an error page in the place of the sound.
pub(super) fn error_page(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    with_bytes(
        scene,
        held,
        scene.victim(held)?,
        damage::ERROR_PAGE.as_bytes().to_vec(),
    )
}

/// D32: a file of no bytes.
pub(super) fn empty(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    with_bytes(scene, held, scene.victim(held)?, Vec::new())
}

/// D59: speech where a pause says there is none.
pub(super) fn speech_in_pause(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let at = scene.victim(held)?;
    let file = &held.media[at];
    let [paused, resumed, ..] = file.masks.as_slice() else {
        return None;
    };
    let from_ms = u64::try_from(paused.time.0 - file.start_time.0).ok()?;
    let length_ms = u64::try_from(resumed.time.0 - paused.time.0).ok()?;
    let (codec, mut pcm) = scene.decoded(file)?;
    damage::speech_in_pause(&mut pcm, from_ms, length_ms)?;
    with_bytes(scene, held, at, audio::encode(&pcm, codec).ok()?)
}
