//! The source as the verifier found it.

pub(crate) mod legacy;
mod record;
mod registry;
mod staged;
#[cfg(test)]
mod toy;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use platforms::CallError;

pub(crate) use record::{
    RecordingDetails, SourceCall, SourceInteraction, SourcePause, SourceRecording, SourceSegment,
    SourceTime, StagedMedia,
};
pub(crate) use registry::{endpoint, open, operations};

use crate::options::Progress;
use crate::run_error::RunError;

/// Interactions a verification is restricted to. Absent: none of them.
pub(crate) type Only<'a> = Option<&'a BTreeSet<String>>;

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

/// A source to read. All of it is awaited on one thread.
#[async_trait(?Send)]
pub(crate) trait Source {
    /// Everything it lists, or of that what the verification is restricted to.
    async fn list(
        &self,
        only: Only<'_>,
        concurrency: usize,
        progress: &dyn Progress,
    ) -> Result<SourceSnapshot, RunError>;

    /// One reading of a recording's bytes.
    async fn media(&self, recording: &SourceRecording) -> Result<MediaRead, RunError>;
}

/// How to read what a source has answered, as it was staged: nothing is asked.
pub(crate) trait SourceFormat: Sync {
    /// A call of the listing. One that cannot be read is that call's trouble alone. `place` says
    /// where it stands.
    fn interaction(&self, entity: &str, place: &str) -> SourceInteraction;

    /// What was answered about a recording. The error says what cannot be read.
    fn recording(&self, answer: &str) -> Result<RecordingDetails, String>;

    /// The recording that a request asked for. Absent: it names none.
    fn asked_for<'a>(&self, request: &'a str) -> Option<&'a str>;
}

/// Everything, or what the verification is restricted to; it is no verification of what the source
/// does not list.
pub(crate) async fn snapshot(
    source: &dyn Source,
    only: Only<'_>,
    concurrency: usize,
    progress: &dyn Progress,
) -> Result<SourceSnapshot, RunError> {
    let mut snapshot = source.list(only, concurrency, progress).await?;
    snapshot.interactions = settle(snapshot.interactions);
    let Some(only) = only else {
        return Ok(snapshot);
    };
    let listed: BTreeSet<&str> = snapshot
        .interactions
        .iter()
        .map(|interaction| interaction.listed.id.as_str())
        .collect();
    let absent: Vec<&str> = only
        .iter()
        .map(String::as_str)
        .filter(|id| !listed.contains(id))
        .collect();
    match absent.first() {
        None => Ok(snapshot),
        Some(first) => Err(RunError::Plan(format!(
            "{} of the {} interactions to verify are not in the source, {first} among them; check \
             their ids and the plan's window",
            absent.len(),
            only.len()
        ))),
    }
}

/// Drops exact repeats (a page boundary that moved), marks ids used for different interactions, and
/// sorts by numeric id.
fn settle(interactions: Vec<SourceInteraction>) -> Vec<SourceInteraction> {
    let mut settled: Vec<SourceInteraction> = Vec::with_capacity(interactions.len());
    let mut seen: HashMap<String, usize> = HashMap::new();
    for interaction in interactions {
        match seen.get(&interaction.listed.id) {
            None => {
                seen.insert(interaction.listed.id.clone(), settled.len());
                settled.push(interaction);
            }
            Some(at) => merge(&mut settled[*at], interaction),
        }
    }
    settled.sort_by_cached_key(|interaction| order(&interaction.listed.id));
    settled
}

/// A second interaction under an id that is taken.
fn merge(first: &mut SourceInteraction, second: SourceInteraction) {
    if first.unread == second.unread && first.listed == second.listed {
        return;
    }
    first.collided = true;
    for recording in second.recordings {
        if first
            .recordings
            .iter()
            .all(|known| known.id != recording.id)
        {
            first.recordings.push(recording);
        }
    }
}

/// Numeric ids by value, whatever their length; others by text after them.
pub(crate) fn order(id: &str) -> (bool, usize, String) {
    let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let id = if digits {
        id.trim_start_matches('0')
    } else {
        id
    };
    (!digits, if digits { id.len() } else { 0 }, id.to_owned())
}

/// Reads a stream to its end.
pub(crate) async fn collect(media: platforms::Media) -> Result<(Vec<u8>, Option<u64>), CallError> {
    // A length is a claim: it is used as a hint up to 64 MiB, so a lying header cannot take the
    // memory.
    let mut bytes = Vec::with_capacity(media.length.unwrap_or(0).min(64 << 20) as usize);
    let mut stream = media.stream;
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok((bytes, media.length))
}

/// Shared by the tasks that read audio.
pub(crate) type SharedSource = Arc<dyn Source>;

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: u32, start: u32) -> SourceInteraction {
        let json = format!(r#"{{"id":{id},"startTime":{start},"endTime":10}}"#);
        legacy::interaction(&json, "a test")
    }

    #[test]
    fn a_repeat_over_a_page_boundary_is_one_interaction() {
        let settled = settle(vec![call(2, 1), call(10, 1), call(2, 1)]);
        let ids: Vec<&str> = settled
            .iter()
            .map(|interaction| interaction.listed.id.as_str())
            .collect();
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
        assert_eq!(
            ids,
            ["007", "9", "10", "123456789012345678901234567890", "AB-1"]
        );
    }
}
