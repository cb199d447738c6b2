//! Defects of being there at all: missing, phantom, doubled, merged, a file without metadata and
//! the reverse, not in SpeechMiner.

use serde_json::Value;

use super::super::state::Recording;
use super::super::truth::legacy_id;
use super::scene::{Plant, Scene, address_of, sha256};
use crate::damage;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// D01: a media file is gone, with its bytes, and the whole recording where it was the only one.
pub(super) fn removed(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let at = scene.victim(held)?;
    let entry = scene.entry(
        held,
        Some(at),
        "mediaFiles",
        held.media[at].media_id.clone(),
        Value::Null,
    );
    let files = vec![(held.media[at].descriptor.path.clone(), None)];
    if held.media.len() == 1 {
        return Some(Plant {
            removed: vec![held.id.clone()],
            files,
            ..Plant::of(entry)
        });
    }
    let mut copy = held.clone();
    copy.media.remove(at);
    Some(Plant {
        files,
        ..Plant::one(entry, copy)
    })
}

/// D02: a recording of ours, with a file, that no source record stands for. `held` lends it its
/// shape and stays as it is.
pub(super) fn phantom(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let at = scene.victim(held)?;
    let seed = scene.seed_of(&held.id).child("phantom");
    let number = damage::phantom_id(seed).to_string();
    let namespace = held.id.strip_suffix(legacy_id(&held.id)?)?;
    let mut copy = held.clone();
    copy.id = format!("{namespace}{number}");
    if scene.state.recordings.contains_key(&copy.id) {
        return None;
    }
    let (codec, _) = scene.decoded(&held.media[at])?;
    let bytes = audio::encode(&damage::babble(seed), codec).ok()?;
    let mut file = held.media[at].clone();
    let media_id = format!("{}-1", copy.id);
    let folder = file.descriptor.path.rsplit_once('/')?.0;
    let ending = file.descriptor.path.rsplit_once('.')?.1;
    file.descriptor.path = format!("{folder}/{media_id}.{}.{ending}", &sha256(&bytes)[..12]);
    file.parameters
        .insert("id".to_owned(), media_id.clone().into());
    (file.media_id, file.size, file.duration) = (
        Some(media_id),
        Some(bytes.len().to_string()),
        Some("3000".to_owned()),
    );
    let files = vec![(file.descriptor.path.clone(), Some(bytes))];
    copy.media = vec![file];
    for event in copy
        .events
        .iter_mut()
        .filter(|event| event.event_id.is_some())
    {
        event.event_id = Some(format!("{}-meta", copy.id));
    }
    copy.map_times(|ms| ms + DAY_MS);
    let mut entry = scene.entry(&copy, Some(0), "recording", Value::Null, copy.id.clone());
    entry.target_id.clone_from(&copy.id);
    let document = copy.document();
    let mut plant = Plant {
        files,
        ..Plant::one(entry, copy.clone())
    };
    plant.posted.push((copy.id, document));
    Some(plant)
}

/// D03: a recording was sent twice; its media file stands there two times. SpeechMiner took the
/// second post for the first.
pub(super) fn duplicate(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let at = scene.victim(held)?;
    let entry = scene.entry(
        held,
        Some(at),
        "mediaFiles",
        held.media.len(),
        held.media.len() + 1,
    );
    let mut copy = held.clone();
    copy.media.push(held.media[at].clone());
    let mut plant = Plant::one(entry, copy);
    let posted = scene
        .site
        .speechminer()
        .held()
        .get(&held.id)
        .map(|posted| posted.document.clone());
    plant
        .posted
        .extend(posted.map(|document| (held.id.clone(), document)));
    Some(plant)
}

/// D04: two calls became one; the first is gone and its media file stands in the second. The
/// second's own is whole, so its entry names the recording.
pub(super) fn merged(scene: &Scene<'_>, first: &Recording, second: &Recording) -> Option<Plant> {
    if !scene.has_only_one(first) || !scene.has_only_one(second) {
        return None;
    }
    let entry = scene.entry(first, Some(0), "id", first.id.clone(), second.id.clone());
    let mut copy = second.clone();
    copy.media.extend(first.media.clone());
    let mut plant = Plant {
        removed: vec![first.id.clone()],
        ..Plant::one(entry, copy)
    };
    plant
        .planted
        .push(scene.entry(second, None, "mediaFiles", 1, 2));
    Some(plant)
}

/// D10: a file of ours that no recording names, left over beside one that is named.
pub(super) fn file_left_over(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let at = scene.victim(held)?;
    let file = &held.media[at];
    let bytes = audio::encode(
        &damage::babble(scene.seed_of(&held.id).child("left over")),
        audio::Codec::PcmS16,
    )
    .ok()?;
    let address = address_of(file, &bytes);
    if address == file.descriptor.path {
        return None;
    }
    let mut entry = scene.entry(held, Some(at), "webdav", Value::Null, address.clone());
    entry.target_id.clone_from(&address);
    Some(Plant {
        files: vec![(address, Some(bytes))],
        ..Plant::of(entry)
    })
}

/// D11: the store lost the file.
pub(super) fn file_lost(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let at = scene.victim(held)?;
    let path = held.media[at].descriptor.path.clone();
    let entry = scene.entry(
        held,
        Some(at),
        "mediaDescriptor.path",
        path.clone(),
        Value::Null,
    );
    Some(Plant {
        files: vec![(path, None)],
        ..Plant::of(entry)
    })
}

/// D13: a media file hangs on another's recording; its own, which has others, has it no longer.
pub(super) fn hung_elsewhere(
    scene: &Scene<'_>,
    first: &Recording,
    second: &Recording,
) -> Option<Plant> {
    let at = scene.victim(first)?;
    if first.media.len() < 2 {
        return None;
    }
    let entry = scene.entry(first, Some(at), "id", first.id.clone(), second.id.clone());
    let (mut own, mut host) = (first.clone(), second.clone());
    host.media.push(own.media.remove(at));
    let mut plant = Plant::one(entry, own);
    plant.puts.push(host);
    Some(plant)
}

/// D14: RWS has it and SpeechMiner does not.
pub(super) fn not_in_speechminer(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let posts = scene.site.speechminer().held().get(&held.id)?.posts;
    let entry = scene.entry(held, None, "speechminer", posts, 0);
    Some(Plant {
        forgotten: vec![held.id.clone()],
        ..Plant::of(entry)
    })
}

/// D33: two parts of a call stand in each other's place.
pub(super) fn parts_out_of_order(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let [one, other, ..] = held.media.as_slice() else {
        return None;
    };
    if one.start_time == other.start_time {
        return None;
    }
    let entry = scene.entry(
        held,
        Some(0),
        "mediaFiles.startTime",
        one.start_time.to_string(),
        other.start_time.to_string(),
    );
    let mut copy = held.clone();
    for (at, place) in [(0, other), (1, one)] {
        let file = &mut copy.media[at];
        let moved_ms = place.start_time.0 - file.start_time.0;
        file.masks
            .iter_mut()
            .for_each(|mask| mask.time.0 += moved_ms);
        (file.start_time, file.stop_time) = (place.start_time, place.stop_time);
    }
    Some(Plant::one(entry, copy))
}

/// D63: the id went through a number with a fraction.
pub(super) fn id_damaged(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let after = format!("{}.0", held.id);
    let entry = scene.entry(held, None, "id", held.id.clone(), after.clone());
    let mut copy = held.clone();
    copy.id.clone_from(&after);
    let document = copy.document();
    let mut plant = Plant::one(entry, copy);
    plant.removed.push(held.id.clone());
    plant.posted.push((after, document));
    Some(plant)
}

/// D34: the length in seconds where milliseconds belong, or a size that is not the file's.
pub(super) fn declared_wrong(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let at = scene.victim(held)?;
    let mut copy = held.clone();
    let file = &mut copy.media[at];
    let is_size = scene.seed_of(&held.id).child("size").chance(0.5);
    let (field, declared) = if is_size {
        ("size", &mut file.size)
    } else {
        ("duration", &mut file.duration)
    };
    let before = declared.clone()?;
    let number: u64 = before.parse().ok()?;
    let after = if is_size {
        number + 1_024
    } else {
        number / 1_000
    }
    .to_string();
    *declared = Some(after.clone());
    Some(Plant::one(
        scene.entry(held, Some(at), field, before, after),
        copy,
    ))
}
