//! The source read from files that another system exported: a folder of audio, and metadata as CSV,
//! NDJSON or JSON. Source: docs/reference/layout.md.

mod call;
mod csv_rows;
mod folders;
mod gather;
mod json_rows;
mod lines;
mod recordings;
mod row;
mod staged;
#[cfg(test)]
mod tests;
mod times;
mod value;

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use plan::LoadedPlan;
use plan::layout::Part;
use plan::source::Files;
use tokio::io::AsyncReadExt;

use super::{Extensions, Listed, MediaRead, Only, Source, SourceInteraction, SourceRecording};
use crate::options::{Progress, Stage};
use crate::run_error::RunError;
use crate::sorted_records::{RecordSorter, SortedRecords, text_key};
use call::Reading;
use folders::{AudioFolder, Found, Unlisted, files, is_metadata};
use gather::{Gathered, ROWS_AT_ONCE};
pub(super) use staged::FilesFormat;

/// The most that the rows of one call may have. Bytes.
const MOST_OF_A_CALL: usize = 64 << 20;

/// An export.
pub(super) struct Export {
    reading: Reading,
    audio: PathBuf,
    metadata: PathBuf,
    /// The plan's bound on a recording. Bytes.
    max_bytes: u64,
}

fn unlisted(unlisted: &Unlisted) -> RunError {
    RunError::Source(format!(
        "cannot read {}: {}; check source.audio and source.metadata",
        unlisted.path.display(),
        unlisted.error
    ))
}

impl Export {
    pub(super) fn open(loaded: &LoadedPlan, section: &Files) -> Result<Export, RunError> {
        let reading = Reading::of(loaded)
            .ok_or_else(|| RunError::Internal("a source of files without a layout".to_owned()))?;
        check_globs(&reading)?;
        Ok(Export {
            reading,
            audio: loaded.resolve_path(Path::new(&section.audio)),
            metadata: loaded.resolve_path(Path::new(section.metadata())),
            max_bytes: loaded.plan.audio.max_bytes,
        })
    }

    /// The metadata files, in order.
    fn metadata_files(&self) -> Result<Vec<Found>, RunError> {
        let rules = &self.reading.layout.file;
        let mut found = files(&self.metadata).map_err(|error| unlisted(&error))?;
        found.retain(|found| is_metadata(&found.path, rules));
        if found.is_empty() {
            return Err(RunError::Source(format!(
                "no file below {} is metadata; check source.metadata, and [file] of the layout",
                self.metadata.display()
            )));
        }
        Ok(found)
    }

    fn audio_folder(&self, metadata: &[Found]) -> Result<AudioFolder, RunError> {
        let failed = |error: std::io::Error| {
            unlisted(&Unlisted {
                path: self.audio.clone(),
                error,
            })
        };
        let root = std::fs::canonicalize(&self.audio).map_err(failed)?;
        let recording = self.reading.layout.recording.as_ref();
        let globs = recording.is_some_and(|of| of.files.is_some());
        let metadata: BTreeSet<PathBuf> = metadata
            .iter()
            .filter_map(|found| std::fs::canonicalize(&found.file).ok())
            .collect();
        AudioFolder::open(root, &metadata, globs).map_err(|error| unlisted(&error))
    }

    /// Each call once, in the order of their ids' bytes.
    async fn calls(
        &self,
        gathered: &Gathered,
        audio: &AudioFolder,
        mut calls: RecordSorter<SourceInteraction>,
        progress: &dyn Progress,
    ) -> Result<SortedRecords<SourceInteraction>, RunError> {
        let mut rows = gathered.rows.stored()?;
        let mut count = 0;
        while let Some(first) = rows.peek() {
            let (key, mut bytes) = (first.key.to_owned(), first.record.len());
            let mut own = vec![gathered.row(first)?];
            rows.advance()?;
            while let Some(next) = rows.peek().filter(|next| next.key == key) {
                bytes += next.record.len();
                if bytes <= MOST_OF_A_CALL {
                    own.push(gathered.row(next)?);
                }
                rows.advance()?;
            }
            let id = self.reading.id(&own[0]).map_err(RunError::Internal)?;
            let call = if bytes > MOST_OF_A_CALL {
                let why =
                    format!("call {id} in at most 64 MiB of rows; check call.id of the layout");
                Some(SourceInteraction::unread(id, why))
            } else {
                self.reading.call(&id, own, audio)
            };
            if let Some(call) = call {
                calls.append(&call)?;
            }
            count += 1;
            if count % ROWS_AT_ONCE == 0 {
                progress.advance(ROWS_AT_ONCE);
                tokio::task::yield_now().await;
            }
        }
        progress.advance(count % ROWS_AT_ONCE);
        calls.sorted()
    }
}

/// Calls that have a recording's id in common with another.
fn sharing(
    calls: &SortedRecords<SourceInteraction>,
    mut ids: RecordSorter<(String, String)>,
) -> Result<HashSet<String>, RunError> {
    for call in calls.iter() {
        let call = call?;
        for recording in &call.recordings {
            let mut key = Vec::new();
            text_key(&recording.id, &mut key);
            ids.push(&key, &((&recording.id).into(), (&call.listed.id).into()))?;
        }
    }
    let (mut sharing, mut before) = (HashSet::new(), None::<(String, String)>);
    for pair in ids.sorted()?.iter() {
        let pair = pair?;
        if let Some(before) = before
            && before.0 == pair.0
        {
            sharing.insert(before.1);
            sharing.insert(pair.1.clone());
        }
        before = Some(pair);
    }
    Ok(sharing)
}

/// What braces of a glob stand for is never a pattern, so what is wrong in it is wrong in the
/// layout.
fn check_globs(reading: &Reading) -> Result<(), RunError> {
    let recording = reading.layout.recording.as_ref();
    let Some(template) = recording.and_then(|of| of.files.as_ref()) else {
        return Ok(());
    };
    let part = |part: &Part| match part {
        Part::Literal(text) => text.replace(['{', '}', '\\'], "x"),
        _ => "x".to_owned(),
    };
    let glob: String = template.parts.iter().map(part).collect();
    fast_glob::validate(&glob).map_err(|error| {
        RunError::Plan(format!(
            "recording.files of the layout is not a glob: {error}"
        ))
    })
}

#[async_trait(?Send)]
impl Source for Export {
    async fn list(
        &self,
        only: Only<'_>,
        _concurrency: usize,
        listed: &mut Listed,
        progress: &dyn Progress,
    ) -> Result<Extensions, RunError> {
        progress.begin(Stage::Source, None);
        let is_wanted = |id: &str| only.is_none_or(|only| only.contains(id));
        let found = self.metadata_files()?;
        let audio = self.audio_folder(&found)?;
        let gathered = Gathered::of(&self.reading, &found, listed).await?;
        let calls = self
            .calls(&gathered, &audio, listed.set_aside(), progress)
            .await?;
        let sharing = sharing(&calls, listed.set_aside())?;
        for call in calls.iter() {
            let call = call?;
            let id = &call.listed.id;
            if !is_wanted(id) {
                continue;
            }
            if sharing.contains(id.as_str()) {
                let why = "recordings with ids of their own, where two calls have one; correct the \
                           export or its layout";
                listed.add(&SourceInteraction::unread(id.clone(), why.to_owned()))?;
            } else {
                listed.add(&call)?;
            }
        }
        for unread in gathered.unread.iter() {
            let (id, why) = unread?;
            if is_wanted(&id) {
                listed.add(&SourceInteraction::unread(id, why))?;
            }
        }
        Ok(Extensions::new())
    }

    async fn media(&self, recording: &SourceRecording) -> Result<MediaRead, RunError> {
        let path = match &recording.details {
            Ok(details) => details.media_url.as_deref().unwrap_or_default(),
            Err(why) => return Ok(MediaRead::Unreadable(why.clone())),
        };
        Ok(match self.bytes(path).await {
            Ok(bytes) => MediaRead::Bytes(bytes, None),
            Err(why) => MediaRead::Unreadable(format!(
                "the source's audio of recording {}: {why}",
                recording.id
            )),
        })
    }
}

impl Export {
    /// A file's bytes; the error says why not, without its name.
    async fn bytes(&self, path: &str) -> Result<Vec<u8>, String> {
        let words = |error: std::io::Error| format!("{}; check the export", error.kind());
        let root = tokio::fs::canonicalize(&self.audio).await.map_err(words)?;
        let folder = AudioFolder::open(root, &BTreeSet::new(), false)
            .map_err(|unlisted| words(unlisted.error))?;
        let file = folder.file(path).map_err(words)?;
        let file = file.ok_or("the file has gone since; check the export")?;
        let file = tokio::fs::File::open(file).await.map_err(words)?;
        let mut bytes = Vec::new();
        let most = self.max_bytes.saturating_add(1);
        file.take(most)
            .read_to_end(&mut bytes)
            .await
            .map_err(words)?;
        if bytes.len() as u64 > self.max_bytes {
            return Err(format!(
                "it is larger than {} bytes; raise audio.max_bytes",
                self.max_bytes
            ));
        }
        Ok(bytes)
    }
}
