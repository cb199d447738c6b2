//! Defects of the audio itself. Each decodes a recording, changes its samples and writes them in
//! the codec they came in, or puts other bytes there.

use audio::Pcm;

use super::{
    super::conversation::{Conversation, Recording},
    scene::{Plant, Scene, same},
};
use crate::damage;

/// Puts bytes in the place of a recording's.
fn with_bytes(
    scene: &Scene<'_>,
    held: &Conversation,
    one: &Recording,
    bytes: &[u8],
) -> Option<Plant> {
    let before = scene.state.files.media_of(one)?.sha256.clone();
    let (id, file) = scene.other_file(one, bytes)?;
    if file.sha256 == before {
        return None;
    }
    let entry = scene.entry(held, Some(one), "audio.sha256", before, file.sha256.clone());
    let mut copy = held.clone();
    same(&mut copy, one)?.file = Some(id);
    Some(Plant::one(entry, copy).with_file(id, file))
}

/// A recording without a pause, where the organisation has any: a second encoding spreads sound into
/// a pause, which is a defect of its own.
fn without_pause<'c>(scene: &Scene<'_>, held: &'c Conversation) -> Option<&'c Recording> {
    scene
        .victim(held)
        .filter(|one| one.annotations.is_empty() || !scene.has_calls_without_pause)
}

/// Changes the samples of a recording and writes them in the same codec.
fn with_samples(
    scene: &Scene<'_>,
    held: &Conversation,
    change: impl FnOnce(&mut Pcm) -> Option<()>,
) -> Option<Plant> {
    let one = without_pause(scene, held)?;
    let (codec, mut pcm) = scene.decoded(one)?;
    change(&mut pcm)?;
    with_bytes(scene, held, one, &audio::encode(&pcm, codec).ok()?)
}

fn entry_of_length(mut plant: Plant, before: usize, after: usize) -> Plant {
    if let Some(entry) = plant.planted.first_mut() {
        entry.field = "audio.samples";
        entry.before = before.into();
        entry.after = after.into();
    }
    plant
}

/// Cuts a recording; its entry tells the samples.
fn cut(
    scene: &Scene<'_>,
    held: &Conversation,
    change: fn(&mut Pcm) -> Option<()>,
) -> Option<Plant> {
    let mut lengths = (0, 0);
    let plant = with_samples(scene, held, |pcm| {
        let before = pcm.samples();
        change(pcm)?;
        lengths = (before, pcm.samples());
        Some(())
    })?;
    Some(entry_of_length(plant, lengths.0, lengths.1))
}

/// D15: the tail is cut off.
pub(super) fn tail_cut(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    cut(scene, held, damage::tail_cut)
}

/// D16: the head is cut off.
pub(super) fn head_cut(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    cut(scene, held, damage::head_cut)
}

/// D17: silence in the middle, where somebody spoke.
pub(super) fn hole(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_samples(scene, held, damage::hole)
}

/// D18: two conversations have each other's audio.
pub(super) fn swapped(
    scene: &Scene<'_>,
    first: &Conversation,
    second: &Conversation,
) -> Option<Plant> {
    let (one, other) = (scene.only(first)?, scene.only(second)?);
    if scene.state.files.media_of(one)?.sha256 == scene.state.files.media_of(other)?.sha256 {
        return None;
    }
    let ((_, pcm), (_, other_pcm)) = (scene.decoded(one)?, scene.decoded(other)?);
    if damage::is_silent(&pcm)
        || damage::is_silent(&other_pcm)
        || pcm.sha256() == other_pcm.sha256()
    {
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
    with_samples(scene, held, damage::silenced)
}

/// D20: the samples of one rate declared as another.
pub(super) fn wrong_rate(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_samples(scene, held, damage::wrong_rate)
}

/// D21: one per cent too fast.
pub(super) fn drifted(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_samples(scene, held, damage::drifted)
}

/// D22: agent and customer on each other's channel.
pub(super) fn channels_swapped(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_samples(scene, held, damage::channels_swapped)
}

/// D23: stereo folded to mono, or mono doubled.
pub(super) fn channels_folded(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_samples(scene, held, damage::channels_folded)
}

/// D24: another codec than the declared type says.
pub(super) fn wrong_type(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let one = scene.victim(held)?;
    let (codec, pcm) = scene.decoded(one)?;
    with_bytes(scene, held, one, &damage::other_codec(codec, &pcm)?)
}

/// D25: a container that says what no player has.
pub(super) fn undecodable(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let one = scene.victim(held)?;
    with_bytes(scene, held, one, &damage::undecodable(&scene.bytes(one)?)?)
}

/// D26: some bytes in the middle are others.
pub(super) fn corrupt_inside(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let one = without_pause(scene, held)?;
    let (_, before) = scene.decoded(one)?;
    let bytes = damage::corrupt_inside(
        &scene.bytes(one)?,
        &before,
        scene.seed_of(one.id).child("noise"),
    )?;
    with_bytes(scene, held, one, &bytes)
}

/// D27: nothing above 1 kHz.
pub(super) fn narrowed(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_samples(scene, held, damage::narrowed)
}

/// D28: 12 dB quieter.
pub(super) fn quieter(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_samples(scene, held, damage::quieter)
}

/// P3: written a second time, 12 dB quieter; its conversation has both.
pub(super) fn written_twice(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let one = scene.victim(held)?;
    let (codec, mut pcm) = scene.decoded(one)?;
    damage::quieter(&mut pcm)?;
    let (id, file) = scene.other_file(one, &audio::encode(&pcm, codec).ok()?)?;
    let twin = Recording {
        id: scene.seed_of(one.id).child("twin").uuid(),
        file: Some(id),
        ..one.clone()
    };
    let (before, after) = (held.recordings.len(), held.recordings.len() + 1);
    let mut entry = scene.entry(held, Some(one), "recordings", before, after);
    entry.target_id = twin.id.to_string();
    let mut copy = held.clone();
    copy.recordings.push(twin);
    Some(Plant::one(entry, copy).with_file(id, file))
}

/// D29: the two bytes of every sample in the wrong order.
pub(super) fn byte_order(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_samples(scene, held, damage::byte_order)
}

/// D30: an encrypted payload; nothing in it is audio.
pub(super) fn encrypted(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let one = scene.victim(held)?;
    with_bytes(
        scene,
        held,
        one,
        &damage::encrypted(
            scene.seed_of(one.id).child("cipher"),
            scene.bytes(one)?.len(),
        )?,
    )
}

/// D31: an error page in the place of the audio.
pub(super) fn error_page(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_bytes(
        scene,
        held,
        scene.victim(held)?,
        damage::ERROR_PAGE.as_bytes(),
    )
}

/// D32: a file of no bytes.
pub(super) fn empty(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    with_bytes(scene, held, scene.victim(held)?, &[])
}

/// D59: speech where a pause says there is none.
pub(super) fn speech_in_pause(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let one = scene.victim(held)?;
    let pause = one.annotations.first()?;
    let (codec, mut pcm) = scene.decoded(one)?;
    damage::speech_in_pause(&mut pcm, pause.location_ms, pause.duration_ms)?;
    with_bytes(scene, held, one, &audio::encode(&pcm, codec).ok()?)
}
