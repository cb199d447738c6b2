//! Defects of being there at all: missing, phantom, doubled, merged, split, lost, hung elsewhere.

use audio::{Codec, Pcm};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{
        conversation::{Conversation, FileState, Recording},
        identity::Tag,
        stores::StoredFile,
        times,
    },
    scene::{Plant, Scene, same},
};
use crate::{damage, seed::Seed};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// D01: a recording is gone, and its conversation with it where it was the only one.
pub(super) fn removed(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let one = scene.victim(held)?;
    let entry = scene.entry(
        held,
        Some(one),
        "recording",
        one.id.to_string(),
        Value::Null,
    );
    if held.recordings.len() == 1 {
        return Some(Plant {
            planted: vec![entry],
            puts: Vec::new(),
            removed: vec![held.id],
            files: Vec::new(),
            orphans: Vec::new(),
        });
    }
    let mut copy = held.clone();
    copy.recordings.retain(|other| other.id != one.id);
    Some(Plant::one(entry, copy))
}

/// D02: a conversation of ours, with a recording, that no source record stands for. `held` lends it
/// its shape and stays as it is.
pub(super) fn phantom(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let (one, tag) = (scene.victim(held)?, Tag::of(held)?);
    let seed = scene.seed_of(held.id).child("phantom");
    let number = damage::phantom_id(seed);
    let external_tag = format!("st:{}:{number}", tag.namespace);
    let is_taken = scene
        .state
        .conversations
        .all()
        .any(|other| other.external_tag.as_deref() == Some(&external_tag));
    if is_taken {
        return None;
    }
    let (id, file) = phantom_file(scene, one, tag.namespace, number, seed)?;
    let mut copy = held.clone();
    copy.id = seed.child("conversation").uuid();
    copy.external_tag = Some(external_tag);
    copy.recordings = vec![Recording {
        id: seed.child("recording").uuid(),
        file: Some(id),
        ..one.clone()
    }];
    copy.map_times(|ms| ms + DAY_MS);
    // The whole conversation is too much, not only its recording.
    let mut entry = scene.entry(
        &copy,
        None,
        "conversation",
        Value::Null,
        copy.id.to_string(),
    );
    entry.legacy_recording_id = Some(format!("{number}-1"));
    Some(Plant::one(entry, copy).with_file(id, file))
}

fn phantom_file(
    scene: &Scene<'_>,
    one: &Recording,
    namespace: &str,
    number: u64,
    seed: Seed,
) -> Option<(Uuid, StoredFile)> {
    let before = scene.state.files.media_of(one)?;
    let codec = scene.decoded(one).map_or(Codec::PcmS16, |(codec, _)| codec);
    let pcm = damage::babble(seed);
    let bytes = audio::encode(&pcm, codec)
        .or_else(|_| audio::encode(&pcm, Codec::PcmS16))
        .ok()?;
    let sha256 = scene.site.spool.store(&bytes).ok()?;
    let extension = before.name.rsplit('.').next().unwrap_or("wav");
    let name = format!("st-{namespace}-{number}-1.{}.{extension}", &sha256[..12]);
    let file = StoredFile {
        name,
        content_type: before.content_type.clone(),
        bytes: bytes.len() as u64,
        sha256,
    };
    Some((seed.child("file").uuid(), file))
}

/// D03: a recording was uploaded twice; its conversation has it under a second id.
pub(super) fn duplicate(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let one = scene.victim(held)?;
    let twin = Recording {
        id: scene.seed_of(one.id).child("twin").uuid(),
        ..one.clone()
    };
    let mut entry = scene.entry(
        held,
        Some(one),
        "recordings",
        held.recordings.len(),
        held.recordings.len() + 1,
    );
    entry.target_id = twin.id.to_string();
    let mut copy = held.clone();
    copy.recordings.push(twin);
    Some(Plant::one(entry, copy))
}

/// D04: two interactions became one; the first is gone and its recording stands in the second. The
/// second's own recording is whole, so its entry names the conversation.
pub(super) fn merged(
    scene: &Scene<'_>,
    first: &Conversation,
    second: &Conversation,
) -> Option<Plant> {
    let (one, _) = (scene.only(first)?, scene.only(second)?);
    let planted = vec![
        scene.entry(
            first,
            Some(one),
            "conversationId",
            first.id.to_string(),
            second.id.to_string(),
        ),
        scene.entry(second, None, "recordings", 1, 2),
    ];
    let puts = vec![with_recording(second, one)];
    Some(Plant {
        planted,
        puts,
        removed: vec![first.id],
        files: Vec::new(),
        orphans: Vec::new(),
    })
}

/// D13: a recording hangs on another's conversation, and its own has none.
pub(super) fn hung_elsewhere(
    scene: &Scene<'_>,
    first: &Conversation,
    second: &Conversation,
) -> Option<Plant> {
    let one = scene.only(first)?;
    let entry = scene.entry(
        first,
        Some(one),
        "conversationId",
        first.id.to_string(),
        second.id.to_string(),
    );
    let mut own = first.clone();
    own.recordings.clear();
    let puts = vec![own, with_recording(second, one)];
    Some(Plant {
        planted: vec![entry],
        puts,
        removed: Vec::new(),
        files: Vec::new(),
        orphans: Vec::new(),
    })
}

fn with_recording(host: &Conversation, one: &Recording) -> Conversation {
    let mut copy = host.clone();
    let segment = host.segments.first().map_or(one.segment, |leg| leg.id);
    copy.recordings.push(Recording {
        segment,
        ..one.clone()
    });
    copy
}

/// D05: a recording became two halves.
pub(super) fn split(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let one = scene.victim(held)?;
    let (codec, pcm) = scene.decoded(one)?;
    let half = pcm.samples() / 2;
    if pcm.duration_ms() < 2_000 {
        return None;
    }
    let part = |from: usize, to: usize| {
        let channels = pcm
            .channels
            .iter()
            .map(|channel| channel[from..to].to_vec())
            .collect();
        audio::encode(
            &Pcm {
                sample_rate: pcm.sample_rate,
                channels,
            },
            codec,
        )
        .ok()
    };
    let (first_id, first) = scene.other_file(one, &part(0, half)?)?;
    let (_, second) = scene.other_file(one, &part(half, pcm.samples())?)?;
    let second_id = scene.seed_of(one.id).child("second half").uuid();
    let middle_ms = one.start_ms + (pcm.duration_ms() / 2) as i64;
    let rest = Recording {
        id: scene.seed_of(one.id).child("half").uuid(),
        file: Some(second_id),
        start_ms: middle_ms,
        ..one.clone()
    };
    let entry = scene.entry(
        held,
        Some(one),
        "recordings",
        held.recordings.len(),
        held.recordings.len() + 1,
    );
    let mut copy = held.clone();
    let kept = same(&mut copy, one)?;
    (kept.file, kept.end_ms) = (Some(first_id), middle_ms);
    copy.recordings.push(rest);
    Some(
        Plant::one(entry, copy)
            .with_file(first_id, first)
            .with_file(second_id, second),
    )
}

/// D10: a recording is an orphan, and its conversation has it no longer.
pub(super) fn orphaned(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let one = scene.victim(held)?;
    let entry = scene.entry(
        held,
        Some(one),
        "conversationId",
        held.id.to_string(),
        Value::Null,
    );
    let mut orphan = one.clone();
    orphan.originating_id.clone_from(&entry.legacy_recording_id);
    let mut copy = held.clone();
    copy.recordings.retain(|other| other.id != one.id);
    let mut plant = Plant::one(entry, copy);
    plant.orphans.push((held.id, orphan));
    Some(plant)
}

/// D63: the tag's id went through a number with a fraction.
pub(super) fn id_damaged(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let before = held.external_tag.clone()?;
    let after = format!("{before}.0");
    let entry = scene.entry(held, None, "externalTag", before, after.clone());
    let mut copy = held.clone();
    copy.external_tag = Some(after);
    Some(Plant::one(entry, copy))
}

/// D11: the store lost the media.
pub(super) fn media_lost(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let lost = if scene.seed_of(held.id).child("state").chance(0.5) {
        FileState::Deleted
    } else {
        FileState::Error
    };
    with_state(scene, held, lost)
}

/// D12: the upload never ended. It began two days ago: one of an hour ago may still end.
pub(super) fn stuck(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let mut plant = with_state(scene, held, FileState::Uploading)?;
    let began_ms = scene.site.now_ms() - 2 * DAY_MS;
    let uploading = plant
        .puts
        .iter_mut()
        .flat_map(|copy| &mut copy.recordings)
        .filter(|one| one.file_state == FileState::Uploading);
    uploading.for_each(|one| one.created_at_ms = began_ms);
    Some(plant)
}

fn with_state(scene: &Scene<'_>, held: &Conversation, state: FileState) -> Option<Plant> {
    let one = scene.victim(held)?;
    let entry = scene.entry(
        held,
        Some(one),
        "recording.fileState",
        one.file_state.as_str(),
        state.as_str(),
    );
    let mut copy = held.clone();
    same(&mut copy, one)?.file_state = state;
    Some(Plant::one(entry, copy))
}

/// D33: two parts of a call stand in each other's place.
pub(super) fn parts_out_of_order(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let [one, other, ..] = held.recordings.as_slice() else {
        return None;
    };
    if one.start_ms == other.start_ms {
        return None;
    }
    let text = |recording: &Recording| json!(times::text(recording.start_ms));
    let entry = scene.entry(
        held,
        Some(one),
        "recording.startTime",
        text(one),
        text(other),
    );
    let mut copy = held.clone();
    (copy.recordings[0].start_ms, copy.recordings[0].end_ms) = (other.start_ms, other.end_ms);
    (copy.recordings[1].start_ms, copy.recordings[1].end_ms) = (one.start_ms, one.end_ms);
    Some(Plant::one(entry, copy))
}
