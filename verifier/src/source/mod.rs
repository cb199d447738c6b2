//! The source as the verifier found it.

mod files;
mod genesys_cloud;
pub(crate) mod legacy;
mod record;
mod registry;
mod staged;
#[cfg(test)]
mod toy;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use platforms::CallError;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use record::{
    KeptBack, RecordingDetails, SourceCall, SourceInteraction, SourcePause, SourceRecording,
    SourceSegment, SourceTime, StagedMedia,
};
pub(crate) use registry::{endpoint, name, open, operations};

use crate::options::Progress;
use crate::refill::refill;
use crate::run_error::RunError;
use crate::sorted_records::{Merge, RecordSorter, SortedRecords, read, text_key};

/// Interactions a verification is restricted to. Absent: none of them.
pub(crate) type Only<'a> = Option<&'a BTreeSet<String>>;

/// Agents that share an extension: extension to agent ids.
pub(crate) type Extensions = BTreeMap<String, BTreeSet<String>>;

/// Takes interactions as a source lists them, in any order.
#[derive(Debug)]
pub(crate) struct Listed {
    folder: PathBuf,
    interactions: RecordSorter<SourceInteraction>,
}

impl Listed {
    /// `folder`: where room is for what does not fit in memory.
    pub(crate) fn new(folder: &Path) -> Listed {
        Listed {
            folder: folder.to_owned(),
            interactions: RecordSorter::new(folder),
        }
    }

    pub(crate) fn add(&mut self, interaction: &SourceInteraction) -> Result<(), RunError> {
        let key = order_key(&interaction.listed.id);
        self.interactions.push(&key, interaction)
    }

    /// For what is listed before it can be added.
    pub(crate) fn set_aside<T: Serialize + DeserializeOwned>(&self) -> RecordSorter<T> {
        RecordSorter::new(&self.folder)
    }

    /// All that was listed.
    pub(crate) fn interactions(self) -> Result<Interactions, RunError> {
        Ok(Interactions(self.interactions.sorted()?))
    }
}

/// Interactions of the source by numeric id, each once: exact repeats (a page boundary that moved)
/// are dropped, and ids used for different interactions are marked.
#[derive(Debug)]
pub(crate) struct Interactions(SortedRecords<SourceInteraction>);

impl Interactions {
    /// How many were listed; some of them may be repeats.
    pub(crate) fn listed(&self) -> u64 {
        self.0.len()
    }

    /// As they are stored, repeats among them.
    ///
    /// # Errors
    ///
    /// They cannot be read back ([`RunError::Report`]).
    pub(crate) fn stored(&self) -> Result<Merge<'_>, RunError> {
        self.0.stored()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Result<SourceInteraction, RunError>> + '_ {
        let (mut stored, mut key) = (None, Vec::new());
        std::iter::from_fn(move || {
            let mut next = || {
                let stored: &mut Merge<'_> = match &mut stored {
                    Some(stored) => stored,
                    None => stored.insert(self.stored()?),
                };
                let Some(first) = stored.peek() else {
                    return Ok(None);
                };
                first.key.clone_into(&mut key);
                let mut interaction: SourceInteraction = read(first.record)?;
                stored.advance()?;
                while let Some(next) = stored.peek().filter(|next| next.key == key) {
                    merge(&mut interaction, read(next.record)?);
                    stored.advance()?;
                }
                Ok(Some(interaction))
            };
            next().transpose()
        })
    }
}

impl SourceInteraction {
    /// One interaction in the place of another, by everything that was listed under its id, as it
    /// is stored.
    pub(crate) fn read_in_place<'a>(
        &mut self,
        records: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), RunError> {
        let mut records = records.into_iter();
        let Some(first) = records.next() else {
            return Err(RunError::Internal("no record of an interaction".to_owned()));
        };
        refill(self, first)?;
        for record in records {
            merge(self, read(record)?);
        }
        Ok(())
    }
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
    /// Everything it lists, or of that what the verification is restricted to; and the agents that
    /// share an extension.
    async fn list(
        &self,
        only: Only<'_>,
        concurrency: usize,
        listed: &mut Listed,
        progress: &dyn Progress,
    ) -> Result<Extensions, RunError>;

    /// One reading of a recording's bytes.
    async fn media(&self, recording: &SourceRecording) -> Result<MediaRead, RunError>;
}

/// What a source answered about a recording, as it was staged.
#[derive(Debug)]
pub(crate) struct StagedAnswer<'a> {
    /// What was asked.
    pub(crate) request: &'a str,
    /// JSON.
    pub(crate) body: &'a str,
    /// Its audio. Absent: none was staged.
    pub(crate) media: Option<StagedMedia>,
}

/// How to read what a source has answered, as it was staged: nothing is asked.
pub(crate) trait SourceFormat: Send + Sync {
    /// A call with its recordings, and their audio where it was staged. One that cannot be read is
    /// that call's trouble alone. `place` says where it stands.
    fn call(&self, entity: &str, answers: Vec<StagedAnswer<'_>>, place: &str) -> SourceInteraction;
}

/// How to read the answers of a source that lists the recordings of a call, and is asked for each.
pub(crate) trait AnswerFormat: Send + Sync {
    /// A call of the listing. One that cannot be read is that call's trouble alone. `place` says
    /// where it stands.
    fn interaction(&self, entity: &str, place: &str) -> SourceInteraction;

    /// What was answered about a recording. The error says what cannot be read.
    fn recording(&self, answer: &str) -> Result<RecordingDetails, String>;

    /// The recording that a request asked for. Absent: it names none.
    fn asked_for<'a>(&self, request: &'a str) -> Option<&'a str>;
}

/// Everything, or what the verification is restricted to; it is no verification of what the source
/// does not list. `folder`: where room is for what does not fit in memory.
pub(crate) async fn snapshot(
    source: &dyn Source,
    only: Only<'_>,
    concurrency: usize,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<(Interactions, Extensions), RunError> {
    let mut listed = Listed::new(folder);
    let extensions = source
        .list(only, concurrency, &mut listed, progress)
        .await?;
    let interactions = listed.interactions()?;
    let Some(only) = only else {
        return Ok((interactions, extensions));
    };
    let mut absent: BTreeSet<&str> = only.iter().map(String::as_str).collect();
    for interaction in interactions.iter() {
        absent.remove(interaction?.listed.id.as_str());
    }
    match absent.first() {
        None => Ok((interactions, extensions)),
        Some(first) => Err(RunError::Plan(format!(
            "{} of the {} interactions to verify are not in the source, {first} among them; check \
             their ids and the plan's window",
            absent.len(),
            only.len()
        ))),
    }
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

/// A key by which records sort as their calls' ids do; none is the beginning of another id's.
pub(crate) fn order_key(id: &str) -> Vec<u8> {
    let (is_text, digits, text) = order(id);
    let mut key = vec![u8::from(is_text)];
    key.extend((digits as u64).to_be_bytes());
    text_key(&text, &mut key);
    text_key(id, &mut key);
    key
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

    fn settled(calls: &[(u32, u32)]) -> Vec<SourceInteraction> {
        let dir = tempfile::tempdir().expect("a folder");
        let mut listed = Listed::new(dir.path());
        for (id, start) in calls {
            let json = format!(r#"{{"id":{id},"startTime":{start},"endTime":10}}"#);
            let call = legacy::interaction(&json, "a test");
            listed.add(&call).expect("added");
        }
        let interactions = listed.interactions().expect("sorted");
        interactions
            .iter()
            .map(|call| call.expect("read"))
            .collect()
    }

    #[test]
    fn a_repeat_over_a_page_boundary_is_one_interaction() {
        let settled = settled(&[(2, 1), (10, 1), (2, 1)]);
        let ids: Vec<&str> = settled
            .iter()
            .map(|interaction| interaction.listed.id.as_str())
            .collect();
        assert_eq!(ids, ["2", "10"]);
        assert!(settled.iter().all(|interaction| !interaction.collided));
    }

    #[test]
    fn one_id_with_two_contents_is_a_collision() {
        let settled = settled(&[(2, 1), (2, 9)]);
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
        ids.reverse();
        ids.sort_by_cached_key(|id| order_key(id));
        assert_eq!(
            ids,
            ["007", "9", "10", "123456789012345678901234567890", "AB-1"]
        );
        assert_ne!(order_key("007"), order_key("7"), "two ids");
    }
}
