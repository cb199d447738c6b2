//! The source as the verifier found it.

pub(crate) mod legacy;
mod staged;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::StreamExt;
use platforms::CallError;
use platforms::legacy::wire;

pub(crate) use legacy::Live;
pub(crate) use staged::Staged;

use crate::options::Progress;
use crate::stop::Stop;

/// Interactions a verification is restricted to. Absent: none of them.
pub(crate) type Only<'a> = Option<&'a BTreeSet<String>>;

/// An interaction with its recordings, in the source's order.
#[derive(Debug, Clone)]
pub(crate) struct SourceInteraction {
    /// As listed.
    pub(crate) entity: wire::Interaction,
    /// One for each recording the listing names.
    pub(crate) recordings: Vec<SourceRecording>,
    /// The source lists another interaction, with other content, under this id.
    pub(crate) collided: bool,
    /// Why its entity could not be read; nothing is known of the call then but its id and those of its recordings. Absent: it was.
    pub(crate) unread: Option<String>,
}

impl SourceInteraction {
    /// As listed, with nothing of its recordings yet.
    pub(crate) fn of(entity: wire::Interaction) -> SourceInteraction {
        SourceInteraction { entity, recordings: Vec::new(), collided: false, unread: None }
    }

    /// One whose entity cannot be read. `place` says where it stands, and is what it is called by where it has no id.
    pub(crate) fn unread(json: &str, place: &str, error: &wire::Unreadable) -> SourceInteraction {
        let listed = wire::Listed::read(json);
        let (id, name) = match listed.id {
            Ok(id) => (id.clone(), format!("call {id}")),
            Err(_) => (format!("(no id: {place})"), "a call without an id".to_owned()),
        };
        let why = format!("the source's entity of {name} in another form ({place}, {error}); ask the source's operator");
        let blank = |id: String| SourceRecording { id, details: Err(why.clone()), staged: None };
        let recordings = listed.recordings.into_iter().map(blank).collect();
        SourceInteraction { recordings, unread: Some(why.clone()), ..SourceInteraction::of(wire::Interaction::only(id)) }
    }
}

/// A recording of the source, without its audio.
#[derive(Debug, Clone)]
pub(crate) struct SourceRecording {
    /// Recording id.
    pub(crate) id: String,
    /// The source's answer about it.
    pub(crate) details: Result<wire::Recording, String>,
    /// Where its audio stands in staging. Absent: read from the source itself, or nothing was staged.
    pub(crate) staged: Option<StagedMedia>,
}

/// Audio in staging, as the migrator wrote it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StagedMedia {
    /// Name of the blob; must be the hash of its bytes.
    pub(crate) sha256: String,
    /// Size written down. Bytes.
    pub(crate) bytes: u64,
    /// Size the source's media answer announced. Absent: it announced none.
    pub(crate) announced: Option<u64>,
}

/// Everything of the source but audio.
#[derive(Debug, Default)]
pub(crate) struct SourceSnapshot {
    /// Interactions by numeric id.
    pub(crate) interactions: Vec<SourceInteraction>,
    /// Agents that share an extension: extension to agent ids.
    pub(crate) extensions: BTreeMap<String, BTreeSet<String>>,
}

/// What came of reading a recording's audio.
#[derive(Debug)]
pub(crate) enum MediaRead {
    /// All its bytes, and the media type they came under. Absent: none was given.
    Bytes(Vec<u8>, Option<String>),
    /// Not readable; in words, with what would be needed. Never taken for absence.
    Unreadable(String),
}

/// A source to read.
pub(crate) enum Source {
    /// The platform itself.
    Live(Live),
    /// The migrator's staging.
    Staged(Staged),
}

impl Source {
    /// Everything, or what the verification is restricted to; it is no verification of what the source does not list.
    pub(crate) async fn snapshot(&self, only: Only<'_>, concurrency: usize, progress: &dyn Progress) -> Result<SourceSnapshot, Stop> {
        let mut snapshot = match self {
            Source::Live(live) => live.snapshot(only, concurrency, progress).await?,
            Source::Staged(staged) => staged.snapshot(only, progress).await?,
        };
        snapshot.interactions = settle(snapshot.interactions);
        if let Some(only) = only {
            let listed: BTreeSet<&str> = snapshot.interactions.iter().map(|interaction| interaction.entity.id.as_str()).collect();
            let absent: Vec<&str> = only.iter().map(String::as_str).filter(|id| !listed.contains(id)).collect();
            if let [first, ..] = absent.as_slice() {
                return Err(Stop::Plan(format!(
                    "{} of the {} interactions to verify are not in the source, {first} among them; check their ids and the plan's window",
                    absent.len(),
                    only.len()
                )));
            }
        }
        Ok(snapshot)
    }

    /// One reading of a recording's bytes.
    pub(crate) async fn media(&self, recording: &SourceRecording) -> Result<MediaRead, Stop> {
        match self {
            Source::Live(live) => live.media(recording).await,
            Source::Staged(staged) => Ok(staged.media(recording).await),
        }
    }
}

/// Drops exact repeats (a page boundary that moved), marks ids used for different interactions, and sorts by numeric id.
fn settle(interactions: Vec<SourceInteraction>) -> Vec<SourceInteraction> {
    let mut settled: Vec<SourceInteraction> = Vec::with_capacity(interactions.len());
    let mut seen: HashMap<String, usize> = HashMap::new();
    for interaction in interactions {
        match seen.get(&interaction.entity.id) {
            None => {
                seen.insert(interaction.entity.id.clone(), settled.len());
                settled.push(interaction);
            }
            Some(at) => merge(&mut settled[*at], interaction),
        }
    }
    settled.sort_by_cached_key(|interaction| order(&interaction.entity.id));
    settled
}

/// A second interaction under an id that is taken.
fn merge(first: &mut SourceInteraction, second: SourceInteraction) {
    if first.unread == second.unread && format!("{:?}", first.entity) == format!("{:?}", second.entity) {
        return;
    }
    first.collided = true;
    for recording in second.recordings {
        if first.recordings.iter().all(|known| known.id != recording.id) {
            first.recordings.push(recording);
        }
    }
}

/// Numeric ids by value, whatever their length; others by text after them.
pub(crate) fn order(id: &str) -> (bool, usize, String) {
    let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let id = if digits { id.trim_start_matches('0') } else { id };
    (!digits, if digits { id.len() } else { 0 }, id.to_owned())
}

/// Reads a stream to its end.
pub(crate) async fn collect(media: platforms::Media) -> Result<(Vec<u8>, Option<u64>), CallError> {
    // A length is a claim: it is used as a hint up to 64 MiB, so a lying header cannot take the memory.
    let mut bytes = Vec::with_capacity(media.length.unwrap_or(0).min(64 << 20) as usize);
    let mut stream = media.stream;
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok((bytes, media.length))
}

/// Shared by the tasks that read audio.
pub(crate) type SharedSource = Arc<Source>;

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: u32, start: u32) -> SourceInteraction {
        let json = format!(r#"{{"id":{id},"startTime":{start},"endTime":10}}"#);
        SourceInteraction::of(serde_json::from_str(&json).expect("test entity"))
    }

    #[test]
    fn a_repeat_over_a_page_boundary_is_one_interaction() {
        let settled = settle(vec![call(2, 1), call(10, 1), call(2, 1)]);
        let ids: Vec<&str> = settled.iter().map(|interaction| interaction.entity.id.as_str()).collect();
        assert_eq!(ids, ["2", "10"]);
        assert!(settled.iter().all(|interaction| !interaction.collided));
    }

    #[test]
    fn one_id_with_two_contents_is_a_collision() {
        let settled = settle(vec![call(2, 1), call(2, 9)]);
        assert_eq!(settled.len(), 1);
        assert!(settled[0].collided);
    }

    #[test]
    fn ids_beyond_any_integer_are_sorted_by_value() {
        let mut ids = ["10", "9", "123456789012345678901234567890", "AB-1", "007"];
        ids.sort_by_cached_key(|id| order(id));
        assert_eq!(ids, ["007", "9", "10", "123456789012345678901234567890", "AB-1"]);
    }
}
