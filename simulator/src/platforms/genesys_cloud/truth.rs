//! What the organisation really holds, told to whoever checks the checkers: never over the public
//! API.

use std::{collections::BTreeMap, io};

use serde::Serialize;
use uuid::Uuid;

use super::{
    GenesysCloud,
    conversation::{Conversation, Recording, Role},
    identity::{self, Tag},
    state::State,
    stores::StoredFile,
    times,
};
use crate::audio_facts::AudioFacts;

/// Why the truth could not be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TruthError {
    /// Bytes that were taken in are gone from the spool.
    #[error(
        "failed to read the uploaded bytes {sha256} from the spool: {source}; keep the spool until \
         the simulator ends"
    )]
    Spool {
        /// Which bytes.
        sha256: String,
        /// What the system said.
        source: io::Error,
    },
    /// A line that JSON cannot carry.
    #[error("failed to write a line of the truth: {0}")]
    Json(#[from] serde_json::Error),
}

/// One line (docs/reference/control-api.md).
#[derive(Serialize)]
struct Line<'a> {
    legacy_interaction_id: Option<&'a str>,
    target_id: Uuid,
    start: String,
    end: String,
    direction: &'static str,
    ani: Option<&'a str>,
    dnis: Option<&'a str>,
    participants: Vec<Who>,
    queue: Option<Uuid>,
    skill: Option<Uuid>,
    wrap_up: Option<Uuid>,
    retention: Retention,
    recordings: Vec<RecordingLine>,
    attributes: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Who {
    role: &'static str,
    id: Uuid,
}

#[derive(Serialize)]
struct Retention {
    delete_at: Option<String>,
    hold: bool,
}

#[derive(Serialize)]
struct RecordingLine {
    legacy_recording_id: Option<String>,
    target_id: Uuid,
    start: String,
    end: String,
    codec: Option<String>,
    channels: Option<u16>,
    sample_rate: Option<u32>,
    samples: Option<u64>,
    bytes: Option<u64>,
    sha256: Option<String>,
    pcm_sha256: Option<String>,
}

/// Every conversation as a line, sorted by numeric legacy id, those without last, then by target
/// id.
pub(super) fn export(site: &GenesysCloud) -> Result<String, TruthError> {
    // Decoded before the state is locked for the export: requests go on meanwhile.
    let media = media(&site.state());
    for media in media.values() {
        facts(site, media)?;
    }
    let state = site.state();
    let mut held: Vec<&Conversation> = state.conversations.all().collect();
    held.sort_by(|one, other| {
        let legacy = |conversation| Tag::of(conversation).map(|tag| tag.legacy_id);
        crate::legacy_id::order(legacy(one), legacy(other)).then(one.id.cmp(&other.id))
    });
    let mut text = String::new();
    for conversation in held {
        text.push_str(&serde_json::to_string(&line(site, &state, conversation)?)?);
        text.push('\n');
    }
    Ok(text)
}

/// Every file that some recording has, by its hash.
fn media(state: &State) -> BTreeMap<String, StoredFile> {
    let recordings = state.conversations.all().flat_map(|held| &held.recordings);
    recordings
        .filter_map(|one| state.files.media_of(one))
        .map(|media| (media.sha256.clone(), media.clone()))
        .collect()
}

fn line<'a>(
    site: &GenesysCloud,
    state: &State,
    held: &'a Conversation,
) -> Result<Line<'a>, TruthError> {
    let recordings = held
        .recordings
        .iter()
        .map(|one| recording(site, state, held, one))
        .collect::<Result<_, _>>()?;
    Ok(Line {
        legacy_interaction_id: Tag::of(held).map(|tag| tag.legacy_id),
        target_id: held.id,
        start: times::text(held.start_ms),
        end: times::text(held.end_ms),
        direction: held.direction.as_str(),
        ani: held.ani(),
        dnis: held.dnis(),
        participants: held
            .participants
            .iter()
            .filter(|one| one.role.is_person())
            .map(|one| Who {
                role: one.role.as_str(),
                id: one.id,
            })
            .collect(),
        queue: held.queue.as_ref().map(|queue| queue.id),
        skill: held.skills.first().copied(),
        wrap_up: held
            .participants
            .iter()
            .filter(|one| one.role == Role::Agent)
            .find_map(|one| one.wrap_up),
        retention: Retention {
            delete_at: earliest_deletion(held).map(times::text),
            hold: held.protected,
        },
        recordings,
        attributes: &held.attributes,
    })
}

/// The date on which the first recording goes; none while one of them is never deleted.
fn earliest_deletion(held: &Conversation) -> Option<i64> {
    let dates: Option<Vec<i64>> = held.recordings.iter().map(|one| one.delete_at_ms).collect();
    dates?.into_iter().min()
}

fn recording(
    site: &GenesysCloud,
    state: &State,
    held: &Conversation,
    one: &Recording,
) -> Result<RecordingLine, TruthError> {
    let media = state.files.media_of(one);
    let facts = media
        .map(|media| facts(site, media))
        .transpose()?
        .unwrap_or_default();
    Ok(RecordingLine {
        legacy_recording_id: identity::of_recording(&state.files, held, one),
        target_id: one.id,
        start: times::text(one.start_ms),
        end: times::text(one.end_ms),
        codec: facts.codec,
        channels: facts.channels,
        sample_rate: facts.sample_rate,
        samples: facts.samples,
        bytes: media.map(|media| media.bytes),
        sha256: media.map(|media| media.sha256.clone()),
        pcm_sha256: facts.pcm_sha256,
    })
}

/// What decoding says about a file; asked once for the same bytes.
fn facts(site: &GenesysCloud, media: &StoredFile) -> Result<AudioFacts, TruthError> {
    if let Some(known) = site.facts.lock().get(&media.sha256) {
        return Ok(known.clone());
    }
    let spool = |source| TruthError::Spool {
        sha256: media.sha256.clone(),
        source,
    };
    let bytes = site.spool.read(&media.sha256).map_err(spool)?;
    let facts = AudioFacts::of(&bytes);
    site.facts
        .lock()
        .insert(media.sha256.clone(), facts.clone());
    Ok(facts)
}
