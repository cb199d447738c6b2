//! Files that another system exported: metadata whose layout the plan names, and a folder of audio.
//! Source: docs/reference/layout.md.

mod entity;
mod folder;
mod format;
mod index;
mod inspect;
mod lines;
mod record;
mod recording;
mod rows;
mod times;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use parking_lot::Mutex;
use plan::layout::RowsPerCall;
use plan::{Layout, LoadedPlan, Reason, TimeRules};
use platforms::clock::Clock;
use platforms::{CallError, Counts, Media};
use serde::{Deserialize, Serialize};
use serde_json::value::to_raw_value;

use super::{Directory, RawRecording, RecordingAnswer, Source, SourcePage, Stated, Window};
use crate::error::{Aside, RunError, StepError};
use crate::ledger::{NewInteraction, NewRecording};
use entity::{DataRow, Entity, StoredRow};
use folder::{Folder, Found, Overlap, Store};
use index::Index;
use recording::{Facts, Wanted};

pub use inspect::{Inspection, Lacking, PerDay, Unread, inspect};

/// Calls a page: as many as one answer of a platform has.
const PAGE: u32 = 1000;
/// Bytes read at once of a recording.
const PIECE: usize = 256 * 1024;

/// What is known of a recording's file.
#[derive(Serialize, Deserialize)]
struct FileFacts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
}

/// One export.
pub(crate) struct Files {
    export: Arc<Export>,
    clock: Clock,
}

impl Files {
    pub(crate) fn new(plan: &LoadedPlan, clock: &Clock) -> Result<Files, RunError> {
        Ok(Files {
            export: Arc::new(Export::open(&ExportPlaces::of(plan)?)?),
            clock: clock.clone(),
        })
    }

    /// Work on the export, which blocks. The error says what of it cannot be used.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Export) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let export = self.export.clone();
        self.clock
            .blocking(move || work(&export))
            .await
            .unwrap_or_else(|_| Err("reading it broke off".to_owned()))
    }
}

/// The folders of an export with the index over them, which is made when it is first needed.
struct Export {
    layout: Layout,
    metadata: Box<dyn Store>,
    audio: Box<dyn Store>,
    overlap: Overlap,
    rules: TimeRules,
    index: Mutex<Option<Index>>,
}

/// Where an export is and how it is laid out.
#[derive(Debug, Clone)]
pub struct ExportPlaces {
    /// Folder of the recordings.
    pub audio: PathBuf,
    /// Folder of the metadata files.
    pub metadata: PathBuf,
    /// How they are laid out.
    pub layout: Layout,
    /// The plan's rules of time.
    pub time: TimeRules,
    /// Start of the window, inclusive. Absent: no bound.
    pub from: Option<Timestamp>,
    /// End of the window, exclusive. Absent: no bound.
    pub to: Option<Timestamp>,
}

impl ExportPlaces {
    /// Those of a plan.
    ///
    /// # Errors
    ///
    /// The plan's source is of another kind ([`RunError::Plan`]).
    pub fn of(plan: &LoadedPlan) -> Result<ExportPlaces, RunError> {
        let (Some(section), Some(layout)) = (plan.plan.source.files(), &plan.layout) else {
            return Err(RunError::Plan(
                "the plan's source is no export of files: source.kind is not \"files\"".to_owned(),
            ));
        };
        Ok(ExportPlaces {
            audio: plan.resolve_path(section.audio.as_ref()),
            metadata: plan.resolve_path(section.metadata().as_ref()),
            layout: layout.clone(),
            time: plan.plan.time.clone(),
            from: section.from,
            to: section.to,
        })
    }
}

impl Export {
    fn open(places: &ExportPlaces) -> Result<Export, RunError> {
        let folder = |what: &str, path: &Path| {
            Folder::open(path).map_err(|error| {
                RunError::Plan(format!("the folder of {what} {}: {error}", path.display()))
            })
        };
        let metadata = folder("metadata", &places.metadata)?;
        let audio = folder("audio", &places.audio)?;
        Ok(Export {
            layout: places.layout.clone(),
            overlap: Overlap::of(&metadata, &audio),
            metadata: Box::new(metadata),
            audio: Box::new(audio),
            rules: places.time.clone(),
            index: Mutex::default(),
        })
    }

    /// Asks the index.
    fn index<T>(&self, ask: impl FnOnce(&Index) -> Result<T, String>) -> Result<T, String> {
        let mut index = self.index.lock();
        match &*index {
            Some(index) => ask(index),
            None => {
                let built =
                    Index::build(&self.layout, &*self.metadata, &*self.audio, &self.overlap)?;
                ask(index.insert(built))
            }
        }
    }

    /// The calls that rows with one id are: more than one, where they cannot be told apart.
    fn calls(&self, index: &Index, id: &str) -> Result<Vec<Listed>, String> {
        let rows = index.rows_of(id)?;
        let groups = match self.layout.call.rows {
            RowsPerCall::Many => vec![rows],
            RowsPerCall::One => self.one_row_each(rows),
        };
        groups
            .into_iter()
            .map(|rows| self.listed(index, id, rows))
            .collect()
    }

    /// Rows that are the same count once; of others the latest, where the layout says which that
    /// is.
    fn one_row_each(&self, rows: Vec<StoredRow>) -> Vec<Vec<StoredRow>> {
        if rows.len() < 2 {
            return vec![rows];
        }
        let data = |row: &StoredRow| row.copy().data(self.layout.file.format).ok();
        let mut known: Vec<Option<DataRow>> = Vec::new();
        let mut kept: Vec<StoredRow> = Vec::new();
        for row in rows {
            let now = data(&row);
            let is_known = now
                .as_ref()
                .is_some_and(|now| known.iter().flatten().any(|known| known.data == now.data));
            if !is_known {
                known.push(now);
                kept.push(row);
            }
        }
        if let Some(latest) = &self.layout.call.latest {
            let key = |row: &Option<DataRow>| {
                let scope = value::Scope::of_row(&self.layout, row.as_ref()?);
                scope.text(latest).ok().flatten()
            };
            // Of equal ones the last.
            let chosen = known.iter().enumerate().max_by_key(|(_, row)| key(row));
            if let Some((at, _)) = chosen {
                kept = vec![kept.swap_remove(at)];
            }
        }
        kept.into_iter().map(|row| vec![row]).collect()
    }

    fn listed(&self, index: &Index, id: &str, rows: Vec<StoredRow>) -> Result<Listed, String> {
        let mut entity = Entity {
            rows,
            unreadable: None,
        };
        if let Some((recording, other)) = index.shared_recording(id)? {
            let place = entity.rows.first().map_or(String::new(), StoredRow::place);
            entity.unreadable = Some(format!(
                "{place}: its recording {recording} is call {other}'s too"
            ));
            return Ok(Listed {
                entity: entity.text()?,
                recordings: Vec::new(),
                unreadable: entity.unreadable,
            });
        }
        let text = entity.text()?;
        let format = self.layout.file.format;
        let data = match Entity::read(&text, format) {
            Ok(data) => data,
            Err(why) => {
                return Ok(Listed {
                    entity: text,
                    recordings: Vec::new(),
                    unreadable: Some(why),
                });
            }
        };
        match record::read(&self.layout, &data, &self.rules) {
            Err(bad) => Ok(Listed {
                entity: text,
                recordings: recording::ids(&self.layout, id, &data).unwrap_or_default(),
                unreadable: Some(bad.to_string()),
            }),
            Ok(call) => {
                let mut recordings: Vec<String> =
                    call.recordings.into_iter().map(|one| one.id).collect();
                let mut names = BTreeSet::new();
                for path in self.files_of(index, &call.groups)? {
                    let name = format!("{id}-{}", name_of(&path));
                    if !names.insert(name.clone()) {
                        let place = entity.rows.first().map_or(String::new(), StoredRow::place);
                        entity.unreadable = Some(format!(
                            "{place}: two of its audio files have the name {}",
                            name_of(&path)
                        ));
                        return Ok(Listed {
                            entity: entity.text()?,
                            recordings: Vec::new(),
                            unreadable: entity.unreadable,
                        });
                    }
                    recordings.push(name);
                }
                Ok(Listed {
                    entity: text,
                    recordings,
                    unreadable: None,
                })
            }
        }
    }

    /// Files that groups find, each once, in the groups' order.
    fn files_of(&self, index: &Index, groups: &[recording::Group]) -> Result<Vec<String>, String> {
        let mut files = Vec::new();
        for group in groups {
            for path in index.audio(&group.glob, usize::MAX)? {
                if !files.contains(&path) {
                    files.push(path);
                }
            }
        }
        Ok(files)
    }

    /// Finds a recording's file. The error of the inner result says why there is none.
    fn find(&self, call: &str, id: &str) -> Result<Result<(Facts, String, u64), String>, String> {
        let found = self.index(|index| {
            let rows: Result<Vec<DataRow>, String> = index
                .rows_of(call)?
                .into_iter()
                .map(|row| row.data(self.layout.file.format))
                .collect();
            let rows = match rows {
                Ok(rows) => self.chosen(rows),
                Err(why) => return Ok(Err(why)),
            };
            let read = match record::read(&self.layout, &rows, &self.rules) {
                Ok(read) => read,
                Err(bad) => return Ok(Err(bad.to_string())),
            };
            let place = rows.first().map_or(String::new(), DataRow::place);
            if let Some(one) = read.recordings.into_iter().find(|one| one.id == id) {
                return Ok(match one.facts {
                    Err(bad) => Err(bad.to_string()),
                    Ok(facts) => self
                        .file_of(index, &facts)?
                        .map(|path| (facts, path))
                        .map_err(|why| format!("{place}: {why}")),
                });
            }
            for group in read.groups {
                let paths = index.audio(&group.glob, usize::MAX)?;
                let path = paths
                    .into_iter()
                    .find(|path| format!("{call}-{}", name_of(path)) == id);
                if let Some(path) = path {
                    return Ok(group
                        .facts
                        .map(|facts| (facts, path))
                        .map_err(|bad| bad.to_string()));
                }
            }
            Ok(Err(format!("{place}: it names no recording {id} any more")))
        })?;
        let (facts, path) = match found {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        let looked = self
            .audio
            .look(&path)
            .map_err(|error| format!("{path}: {error}"))?;
        Ok(match looked {
            Found::File(bytes) => Ok((facts, path, bytes)),
            Found::Nothing => Err(format!("there is no file {path} in the audio folder")),
            Found::NoFile => Err(format!("{path} in the audio folder is no file")),
            Found::Outside => Err(format!(
                "{path} is a link that leads out of the audio folder"
            )),
        })
    }

    /// Of several rows with one id, those that are the call.
    fn chosen(&self, rows: Vec<DataRow>) -> Vec<DataRow> {
        let latest = match (self.layout.call.rows, &self.layout.call.latest) {
            (RowsPerCall::One, Some(latest)) => latest,
            (RowsPerCall::One, None) => return rows.into_iter().take(1).collect(),
            (RowsPerCall::Many, _) => return rows,
        };
        let key = |row: &DataRow| {
            let scope = value::Scope::of_row(&self.layout, row);
            scope.text(latest).ok().flatten()
        };
        rows.into_iter().max_by_key(key).into_iter().collect()
    }

    /// The path of a recording's file. The error of the inner result says why there is none.
    fn file_of(&self, index: &Index, facts: &Facts) -> Result<Result<String, String>, String> {
        let glob = match &facts.wanted {
            Wanted::Path(path) => return Ok(Ok(path.clone())),
            Wanted::Glob(glob) => glob,
        };
        let mut found = index.audio(glob, 2)?;
        Ok(match (found.pop(), found.pop()) {
            (None, _) => Err(format!("no audio file matches {glob}")),
            (Some(path), None) => Ok(path),
            (Some(second), Some(first)) => Err(format!(
                "{first} and {second} match {glob}, and one file is wanted"
            )),
        })
    }
}

impl StoredRow {
    fn copy(&self) -> StoredRow {
        StoredRow {
            file: self.file.clone(),
            line: self.line,
            row: self.row.clone(),
            unreadable: self.unreadable.clone(),
        }
    }

    fn place(&self) -> String {
        format!("{} line {}", self.file, self.line)
    }
}

/// A call as a page lists it.
struct Listed {
    entity: String,
    recordings: Vec<String>,
    unreadable: Option<String>,
}

impl Listed {
    fn row(self, legacy_id: String) -> NewInteraction {
        let recordings = self.recordings.into_iter();
        NewInteraction {
            legacy_id,
            entity: self.entity,
            headers: "{}".to_owned(),
            unreadable: self.unreadable,
            recordings: recordings
                .map(|legacy_id| NewRecording { legacy_id })
                .collect(),
        }
    }
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[async_trait]
impl Source for Files {
    fn counts(&self) -> Arc<Counts> {
        Arc::default()
    }

    async fn directory(&self) -> Result<Directory, RunError> {
        let (agents, queues) = self
            .with(|export| export.index(Index::directory))
            .await
            .map_err(unusable)?;
        Ok(Directory { agents, queues })
    }

    /// A cursor is the fingerprint of the metadata files and the last call's place among them.
    async fn page(
        &self,
        window: Window,
        cursor: Option<&str>,
        _: u64,
    ) -> Result<SourcePage, RunError> {
        let cursor = cursor.map(str::to_owned);
        self.with(move |export| export.index(|index| page(export, index, window, cursor)))
            .await
            .map_err(unusable)
    }

    async fn recording(&self, call: &str, id: &str) -> Result<RecordingAnswer, StepError> {
        let (call, name) = (call.to_owned(), id.to_owned());
        let found = self
            .with(move |export| export.find(&call, &name))
            .await
            .map_err(|why| of_one(id, why))?;
        let (facts, stated) = match found {
            Ok((facts, path, bytes)) => (
                FileFacts {
                    path: Some(path.clone()),
                    bytes: Some(bytes),
                    unreadable: None,
                },
                Ok(Stated {
                    address: Some(path),
                    size_bytes: Some(facts.size_bytes.unwrap_or(bytes)),
                    duration_ms: facts.record.declared_duration_ms,
                }),
            ),
            Err(why) => (
                FileFacts {
                    path: None,
                    bytes: None,
                    unreadable: Some(why.clone()),
                },
                Err(Aside::new(Reason::SourceUnreadable, why)),
            ),
        };
        let body = to_raw_value(&facts).map_err(|error| StepError::malformed_answer(id, &error))?;
        Ok(RecordingAnswer {
            raw: RawRecording {
                request: format!("file of recording {id}"),
                headers: BTreeMap::new(),
                body,
                media: None,
            },
            stated,
        })
    }

    async fn media(&self, id: &str, stated: &Stated, most: u64) -> Result<Media, StepError> {
        let path = stated.address.clone().unwrap_or_default();
        let opened = self
            .with({
                let path = path.clone();
                move |export| {
                    let looked = export.audio.look(&path);
                    let file = export.audio.open(&path);
                    looked
                        .and_then(|looked| Ok((looked, file?)))
                        .map_err(|error| format!("{path}: {error}"))
                }
            })
            .await
            .map_err(|why| of_one(id, why))?;
        let (Found::File(bytes), file) = opened else {
            return Err(of_one(id, format!("{path} is no file any more")));
        };
        if bytes > most {
            return Err(StepError::source(CallError::NotSent {
                what: format!("recording {id}"),
                why: format!(
                    "its file has {bytes} bytes, and at most {most} are read; raise \
                     audio.max_bytes"
                ),
            }));
        }
        Ok(Media {
            headers: BTreeMap::new(),
            length: Some(bytes),
            stream: pieces(self.clock.clone(), path, file).boxed(),
        })
    }
}

/// A file's bytes, piece by piece.
fn pieces(
    clock: Clock,
    path: String,
    file: Box<dyn Read + Send>,
) -> impl futures_util::Stream<Item = Result<Bytes, CallError>> + Send {
    stream::unfold(Some(file), move |file| {
        let (clock, path) = (clock.clone(), path.clone());
        async move {
            let mut file = file?;
            let read = clock.blocking(move || {
                let mut piece = vec![0; PIECE];
                let count = fill(&mut file, &mut piece)?;
                piece.truncate(count);
                Ok::<_, io::Error>((piece, file))
            });
            match read.await {
                Ok(Ok((piece, _))) if piece.is_empty() => None,
                Ok(Ok((piece, file))) => Some((Ok(Bytes::from(piece)), Some(file))),
                Ok(Err(error)) => Some((Err(unreachable(&path, error.to_string())), None)),
                Err(_) => Some((
                    Err(unreachable(&path, "reading broke off".to_owned())),
                    None,
                )),
            }
        }
    })
}

fn fill(file: &mut impl Read, piece: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while count < piece.len() {
        match file.read(&mut piece[count..]) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

fn page(
    export: &Export,
    index: &Index,
    window: Window,
    cursor: Option<String>,
) -> Result<SourcePage, String> {
    let after = match cursor.as_deref().map(|cursor| cursor.split_once(' ')) {
        None => 0,
        Some(Some((fingerprint, after))) if fingerprint == index.fingerprint => {
            after.parse().unwrap_or(0)
        }
        Some(_) => {
            return Err(
                "its metadata files have other names or lengths than when this migration began to \
                 list them; put them back as they were, or begin with a new ledger"
                    .to_owned(),
            );
        }
    };
    let mut after = after;
    let mut rows = Vec::new();
    // A window may leave out millions: a page ends when it has calls, not where they were looked
    // for.
    loop {
        let ids = index.calls_after(after, PAGE)?;
        let is_last = ids.len() < PAGE as usize;
        after = ids.last().map_or(after, |(at, _)| *at);
        for (_, id) in ids {
            let calls = export.calls(index, &id)?.into_iter();
            let in_window = |listed: &Listed| {
                format::is_in(&export.layout, &listed.entity, window, &export.rules)
            };
            rows.extend(calls.filter(in_window).map(|listed| listed.row(id.clone())));
        }
        if is_last || !rows.is_empty() {
            let next_cursor = (!is_last).then(|| format!("{} {after}", index.fingerprint));
            return Ok(SourcePage { rows, next_cursor });
        }
    }
}

fn unreachable(what: &str, why: String) -> CallError {
    CallError::Unreachable {
        what: what.to_owned(),
        why,
        tries: 1,
        answered: None,
    }
}

/// Metadata that does not fit its layout, or cannot be read: a person mends one or the other.
fn unusable(why: String) -> RunError {
    RunError::Plan(format!("the export: {why}"))
}

/// An error about one file of many.
fn of_one(recording: &str, why: String) -> StepError {
    StepError::source(unreachable(
        &format!("the file of recording {recording}"),
        why,
    ))
}

#[cfg(test)]
mod tests;
