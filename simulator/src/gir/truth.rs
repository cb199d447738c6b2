//! What the deployment really holds, told to whoever checks the checkers: never over its own API.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::state::{Recording, State};
use super::wire::MediaFile;
use crate::genesys_cloud::order_of_ids;

/// One line (contracts, section 11). What this platform has no field for is null; what only the store of media knows is null too.
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
    queue: Option<&'a str>,
    skill: Option<&'a str>,
    wrap_up: Option<&'a str>,
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
    codec: Option<&'a str>,
    channels: Option<u16>,
    sample_rate: Option<u32>,
    samples: Option<u64>,
    bytes: Option<u64>,
    sha256: Option<&'a str>,
    pcm_sha256: Option<&'a str>,
}

/// Every recording as a line, sorted by numeric legacy id, those without last, then by its own id.
pub(super) fn export(state: &State) -> Result<String, serde_json::Error> {
    let mut held: Vec<&Recording> = state.recordings.values().collect();
    held.sort_by(|one, other| order_of_ids(legacy_id(&one.id), legacy_id(&other.id)).then_with(|| one.id.cmp(&other.id)));
    held.into_iter().map(|recording| Ok(serde_json::to_string(&line(recording))? + "\n")).collect()
}

/// The legacy id in `st-<namespace>-<legacy interaction id>`; a namespace may have hyphens, a legacy id has none.
fn legacy_id(id: &str) -> Option<&str> {
    let (namespace, legacy) = id.strip_prefix("st-")?.rsplit_once('-')?;
    (!namespace.is_empty() && !legacy.is_empty()).then_some(legacy)
}

/// The legacy id in `st-<namespace>-<legacy recording id>`, of a recording whose own id names the namespace.
fn legacy_media_id<'a>(recording: &str, media: &'a str) -> Option<&'a str> {
    let namespace = recording.strip_suffix(legacy_id(recording)?)?;
    media.strip_prefix(namespace).filter(|legacy| !legacy.is_empty())
}

fn line(held: &Recording) -> Line<'_> {
    let (start, end) = held.span();
    let agents: BTreeSet<&str> = held.media.iter().filter_map(|file| file.parameters.get("username")?.as_str()).collect();
    Line {
        legacy_interaction_id: legacy_id(&held.id),
        target_id: &held.id,
        start: start.in_truth(),
        end: end.in_truth(),
        direction: held.call_type.as_deref().unwrap_or("unknown").to_lowercase(),
        ani: &held.caller,
        dnis: &held.dialed,
        participants: agents.into_iter().map(|id| Who { role: "agent", id }).collect(),
        queue: None,
        skill: None,
        wrap_up: None,
        retention: Retention { delete_at: None, hold: held.non_delete },
        recordings: held.media.iter().map(|file| media(&held.id, file)).collect(),
        attributes: attributes(held),
    }
}

fn media<'a>(recording: &str, file: &'a MediaFile) -> MediaLine<'a> {
    let target_id = file.media_id.as_deref();
    MediaLine {
        legacy_recording_id: target_id.and_then(|id| legacy_media_id(recording, id)),
        target_id,
        start: file.start_time.in_truth(),
        end: file.stop_time.in_truth(),
        codec: None,
        channels: None,
        sample_rate: None,
        samples: None,
        bytes: None,
        sha256: None,
        pcm_sha256: None,
    }
}

/// The texts that Data events added, a later one over an earlier; a label is `label.<name>`.
fn attributes(held: &Recording) -> BTreeMap<String, String> {
    let mut data: Vec<_> = held.events.iter().filter_map(|event| Some((event.occurred_at, event.data.as_ref()?.get("added")?))).collect();
    data.sort_by_key(|(at, _)| *at);
    let added = data.into_iter().filter_map(|(_, added)| added.as_object()).flatten();
    let added = added.filter_map(|(key, value)| Some((key.clone(), Value::as_str(value)?.to_owned())));
    added.chain(held.labels.iter().map(|name| (format!("label.{name}"), "true".to_owned()))).collect()
}
