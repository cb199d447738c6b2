//! What the deployment really holds, told to whoever checks the checkers: never over its own API.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::dates::UtcMillis;
use super::state::Recording;
use super::wire::{Event, MediaFile};
use super::{Gir, encryption};
use crate::audio_facts::AudioFacts;
use crate::legacy_id;

/// Keys of a Data event that have a field of their own in the truth.
const ROUTING: [&str; 3] = ["st.queue", "st.skill", "st.wrap_up"];

/// How often SpeechMiner has a recording, as an attribute of it: no field of it is RWS's.
const POSTS: &str = "sim.speechminer_posts";

/// One line (docs/reference/control-api.md). What this platform has no field for is null; so is
/// what the store has no file for.
#[derive(Serialize)]
struct Line<'a> {
    legacy_interaction_id: Option<&'a str>,
    target_id: &'a str,
    start: String,
    end: String,
    direction: String,
    ani: &'a str,
    dnis: &'a str,
    participants: Vec<Who<'a>>,
    queue: Option<String>,
    skill: Option<String>,
    wrap_up: Option<String>,
    retention: Retention,
    recordings: Vec<MediaLine<'a>>,
    attributes: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Who<'a> {
    role: &'static str,
    id: &'a str,
}

#[derive(Serialize)]
struct Retention {
    delete_at: Option<String>,
    hold: bool,
}

#[derive(Serialize)]
struct MediaLine<'a> {
    legacy_recording_id: Option<&'a str>,
    target_id: Option<&'a str>,
    start: String,
    end: String,
    codec: Option<String>,
    channels: Option<u16>,
    sample_rate: Option<u32>,
    samples: Option<u64>,
    /// As it lies in the store.
    bytes: Option<u64>,
    /// Of these bytes.
    sha256: Option<String>,
    /// Of the sound in them, decrypted.
    pcm_sha256: Option<String>,
}

/// A file of the store, as far as the truth tells of it.
#[derive(Clone)]
pub(super) struct Stored {
    bytes: u64,
    sha256: String,
    audio: AudioFacts,
}

/// Every recording as a line, sorted by numeric legacy id, those without last, then by its own id.
pub(super) fn export(site: &Gir) -> Result<String, serde_json::Error> {
    // Files are read once the state is free again: requests go on meanwhile.
    let mut held: Vec<Recording> = site.state().recordings.values().cloned().collect();
    held.sort_by(|one, other| {
        legacy_id::order(legacy_id(&one.id), legacy_id(&other.id))
            .then_with(|| one.id.cmp(&other.id))
    });
    held.iter()
        .map(|recording| Ok(serde_json::to_string(&line(site, recording))? + "\n"))
        .collect()
}

/// The legacy id in `st-<namespace>-<legacy interaction id>`; a namespace may have hyphens, a
/// legacy id has none.
pub(super) fn legacy_id(id: &str) -> Option<&str> {
    let (namespace, legacy) = id.strip_prefix("st-")?.rsplit_once('-')?;
    (!namespace.is_empty() && !legacy.is_empty()).then_some(legacy)
}

/// The legacy id in `st-<namespace>-<legacy recording id>`, of a recording whose own id names the
/// namespace.
pub(super) fn legacy_media_id<'a>(recording: &str, media: &'a str) -> Option<&'a str> {
    let namespace = recording.strip_suffix(legacy_id(recording)?)?;
    media
        .strip_prefix(namespace)
        .filter(|legacy| !legacy.is_empty())
}

fn line<'a>(site: &Gir, held: &'a Recording) -> Line<'a> {
    let (start, end) = call(held);
    let mut attributes = attributes(held);
    let [queue, skill, wrap_up] = ROUTING.map(|key| attributes.remove(key));
    let posts = site
        .speechminer()
        .held()
        .get(&held.id)
        .map_or(0, |posted| posted.posts);
    attributes.insert(POSTS.to_owned(), posts.to_string());
    Line {
        legacy_interaction_id: legacy_id(&held.id),
        target_id: &held.id,
        start: start.in_truth(),
        end: end.in_truth(),
        direction: held
            .call_type
            .as_deref()
            .unwrap_or("unknown")
            .to_lowercase(),
        ani: &held.caller,
        dnis: &held.dialed,
        participants: participants(held),
        queue,
        skill,
        wrap_up,
        retention: Retention {
            delete_at: site.deleted_at_ms(held).map(|ms| UtcMillis(ms).in_truth()),
            hold: held.non_delete,
        },
        recordings: held
            .media
            .iter()
            .map(|file| media(site, &held.id, file))
            .collect(),
        attributes,
    }
}

/// When the call began and ended: the customer says so by joining and leaving; where nobody does,
/// its media do.
pub(super) fn call(held: &Recording) -> (UtcMillis, UtcMillis) {
    let at = |name: &str| {
        let of_customer = held
            .events
            .iter()
            .filter(|event| event.event == name && is_of(event, "External"));
        of_customer
            .map(|event| event.occurred_at)
            .collect::<Vec<_>>()
    };
    let (start, end) = held.span();
    (
        at("Joined").into_iter().min().unwrap_or(start),
        at("Left").into_iter().max().unwrap_or(end),
    )
}

fn is_of(event: &Event, kind: &str) -> bool {
    event
        .contact
        .as_ref()
        .is_some_and(|contact| contact.kind == kind)
}

/// The customer by number, then the agents by name in the order they joined in; then whom only a
/// media file names.
fn participants(held: &Recording) -> Vec<Who<'_>> {
    let mut joined: Vec<&Event> = held
        .events
        .iter()
        .filter(|event| event.event == "Joined")
        .collect();
    joined.sort_by_key(|event| event.occurred_at);
    let contacts = || joined.iter().filter_map(|event| event.contact.as_ref());
    let customers = contacts()
        .filter(|one| one.kind == "External")
        .map(|one| one.phone_number.as_str());
    let agents: Vec<&str> = contacts()
        .filter(|one| one.kind == "User")
        .filter_map(|one| one.user_name.as_deref())
        .collect();
    let recorded: BTreeSet<&str> = held
        .media
        .iter()
        .filter_map(|file| file.parameters.get("username")?.as_str())
        .collect();
    let others: Vec<&str> = recorded
        .into_iter()
        .filter(|name| !agents.contains(name))
        .collect();
    let named = customers.map(|id| Who {
        role: "customer",
        id,
    });
    named
        .chain(
            agents
                .into_iter()
                .chain(others)
                .map(|id| Who { role: "agent", id }),
        )
        .collect()
}

fn media<'a>(site: &Gir, recording: &str, file: &'a MediaFile) -> MediaLine<'a> {
    let target_id = file.media_id.as_deref();
    let stored = site.stored(file);
    let (known, audio) = (
        stored.as_ref(),
        stored
            .as_ref()
            .map(|stored| stored.audio.clone())
            .unwrap_or_default(),
    );
    MediaLine {
        legacy_recording_id: target_id.and_then(|id| legacy_media_id(recording, id)),
        target_id,
        start: file.start_time.in_truth(),
        end: file.stop_time.in_truth(),
        codec: audio.codec,
        channels: audio.channels,
        sample_rate: audio.sample_rate,
        samples: audio.samples,
        bytes: known.map(|stored| stored.bytes),
        sha256: known.map(|stored| stored.sha256.clone()),
        pcm_sha256: audio.pcm_sha256,
    }
}

/// The texts that Data events added, a later one over an earlier; a label is `label.<name>`.
fn attributes(held: &Recording) -> BTreeMap<String, String> {
    let mut data: Vec<_> = held
        .events
        .iter()
        .filter_map(|event| Some((event.occurred_at, event.data.as_ref()?.get("added")?)))
        .collect();
    data.sort_by_key(|(at, _)| *at);
    let added = data
        .into_iter()
        .filter_map(|(_, added)| added.as_object())
        .flatten();
    let added =
        added.filter_map(|(key, value)| Some((key.clone(), Value::as_str(value)?.to_owned())));
    added
        .chain(
            held.labels
                .iter()
                .map(|name| (format!("label.{name}"), "true".to_owned())),
        )
        .collect()
}

impl Gir {
    /// What lies in the store under a media file's address; absent where nothing does. Bytes that
    /// were decoded before are not decoded again.
    fn stored(&self, file: &MediaFile) -> Option<Stored> {
        let bytes = std::fs::read(self.webdav().file_of(&file.descriptor.path)?).ok()?;
        let sha256 = hex::encode(Sha256::digest(&bytes));
        let key = (sha256.clone(), file.pkcs7.clone());
        if let Some(known) = self.facts.lock().get(&key) {
            return Some(known.clone());
        }
        let audio = match &file.pkcs7 {
            None => AudioFacts::of(&bytes),
            Some(pkcs7) => match encryption::open(pkcs7, &bytes, &self.recipients) {
                Ok(opened) => AudioFacts::of(&opened),
                Err(why) => {
                    tracing::debug!(%why, "an encrypted file does not open");
                    AudioFacts::default()
                }
            },
        };
        let stored = Stored {
            bytes: bytes.len() as u64,
            sha256,
            audio,
        };
        self.facts.lock().insert(key, stored.clone());
        Some(stored)
    }
}
