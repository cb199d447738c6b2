//! What the platform remembers, and how a second insertion of an id is merged into the first. No
//! HTTP.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Value, json};

use super::dates::UtcMillis;
use super::settings::{Repeated, Settings, Wins};
use super::wire::{Event, Inserted, MediaFile};

/// Everything a contact centre holds.
#[derive(Clone, Default)]
pub(super) struct State {
    /// By id.
    pub(super) recordings: BTreeMap<String, Recording>,
    /// Label definitions by name, as they are answered.
    pub(super) labels: BTreeMap<String, Value>,
    /// Where recordings lie, as it was put.
    pub(super) store: Vec<Value>,
    /// When lifecycle management ran last. Unix ms.
    pub(super) managed_ms: i64,
    /// Recordings that a defect was planted in: no other is.
    pub(super) victims: HashSet<String>,
}

/// One recording.
#[derive(Clone, Debug)]
pub(super) struct Recording {
    pub(super) id: String,
    pub(super) caller: String,
    pub(super) dialed: String,
    pub(super) region: String,
    pub(super) call_type: Option<String>,
    /// At least one. A file keeps its place for ever: its address is made from it.
    pub(super) media: Vec<MediaFile>,
    pub(super) events: Vec<Event>,
    /// Names of its labels.
    pub(super) labels: BTreeSet<String>,
    /// Whether it is tagged for non-deletion.
    pub(super) non_delete: bool,
    /// When its id was inserted first. Unix ms.
    pub(super) inserted_ms: i64,
    /// How much later than usual the index knows it, ms.
    pub(super) index_late_ms: u64,
}

impl Recording {
    /// What was posted, as it is kept.
    pub(super) fn inserted(inserted: Inserted, now_ms: i64) -> Recording {
        Recording {
            id: inserted.id,
            caller: inserted.caller_phone_number,
            dialed: inserted.dialed_phone_number,
            region: inserted.region,
            call_type: inserted.call_type,
            media: inserted.media_files,
            events: inserted.event_history,
            labels: BTreeSet::new(),
            non_delete: false,
            inserted_ms: now_ms,
            index_late_ms: 0,
        }
    }

    /// When its first media file begins and its last ends.
    pub(super) fn span(&self) -> (UtcMillis, UtcMillis) {
        let start = self.media.iter().map(|file| file.start_time).min();
        let stop = self.media.iter().map(|file| file.stop_time).max();
        (start.unwrap_or(UtcMillis(0)), stop.unwrap_or(UtcMillis(0)))
    }
}

impl Recording {
    /// Changes every time that is stated of it.
    pub(super) fn map_times(&mut self, change: impl Fn(i64) -> i64) {
        let at = |moment: &mut UtcMillis| moment.0 = change(moment.0);
        for file in &mut self.media {
            at(&mut file.start_time);
            at(&mut file.stop_time);
            file.masks.iter_mut().for_each(|mask| at(&mut mask.time));
        }
        self.events
            .iter_mut()
            .for_each(|event| at(&mut event.occurred_at));
    }

    /// What a migration posts of it: the document of its insertion.
    pub(super) fn document(&self) -> Value {
        let mut document = json!({"id": self.id, "callerPhoneNumber": self.caller, "dialedPhoneNumber": self.dialed, "region": self.region,
            "mediaFiles": self.media, "eventHistory": self.events});
        if let Some(call_type) = &self.call_type {
            document["callType"] = json!(call_type);
        }
        let files = document["mediaFiles"]
            .as_array_mut()
            .into_iter()
            .flatten()
            .filter_map(Value::as_object_mut);
        for file in files {
            let descriptor = file.remove("originalMediaDescriptor").unwrap_or_default();
            file.insert("mediaDescriptor".to_owned(), descriptor);
        }
        document
    }
}

impl State {
    /// Takes a recording in; whether its id is new.
    pub(super) fn insert(&mut self, recording: Recording, settings: &Settings) -> bool {
        match self.recordings.get_mut(&recording.id) {
            Some(held) => {
                merge(held, recording, settings);
                false
            }
            None => {
                self.recordings.insert(recording.id.clone(), recording);
                true
            }
        }
    }
}

/// Merges what came into what stands there.
fn merge(held: &mut Recording, came: Recording, settings: &Settings) {
    if settings.merged_values == Wins::Last {
        (held.caller, held.dialed, held.region) = (came.caller, came.dialed, came.region);
        held.call_type = came.call_type.or(held.call_type.take());
    } else {
        held.call_type = held.call_type.take().or(came.call_type);
    }
    let is_same_file = |one: &MediaFile, other: &MediaFile| {
        one.media_id.is_some() && one.media_id == other.media_id
    };
    take_in(
        &mut held.media,
        came.media,
        settings.repeated_media,
        is_same_file,
    );
    let is_same_event = |one: &Event, other: &Event| match (&one.event_id, &other.event_id) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    };
    take_in(
        &mut held.events,
        came.events,
        settings.repeated_events,
        is_same_event,
    );
}

fn take_in<T>(
    held: &mut Vec<T>,
    came: Vec<T>,
    repeated: Repeated,
    is_same: impl Fn(&T, &T) -> bool,
) {
    for item in came {
        match (held.iter_mut().find(|one| is_same(one, &item)), repeated) {
            (None, _) | (Some(_), Repeated::Duplicated) => held.push(item),
            (Some(known), Repeated::Replaced) => *known = item,
            (Some(_), Repeated::Kept) => {}
        }
    }
}
