//! A toy source, for tests: a folder with `calls.csv`, a line a call of id, start, end, agent and
//! file name, and these files beside it.
//!
//! Staged of it are a line as a JSON string, and of its file, whose name is the request,
//! `{"line":..,"bytes":..}`.
//!
//! No plan has a kind for it. One whose `source.base_url` is `http://127.0.0.1/toy/NAME` means it,
//! and the folder `NAME` beside the plan.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use plan::{LoadedPlan, Reason, TimeRules};
use platforms::{CallError, Counts, Media};
use serde::{Deserialize, Serialize};
use serde_json::value::to_raw_value;

use super::{
    Directory, NoRecord, RawRecording, RecordingAnswer, Source, SourceFormat, SourcePage, Stated,
    Window,
};
use crate::canonical::{Canonical, CanonicalRecording};
use crate::error::{RunError, StepError};
use crate::ledger::{InteractionRow, NewInteraction, NewRecording, RecordingRow};

const CALLS: &str = "calls.csv";

/// A line of `calls.csv`. Start and end in RFC 3339.
#[derive(Deserialize)]
struct Line {
    id: String,
    start: String,
    end: String,
    agent: String,
    file: String,
}

fn line_of(entity: &str) -> Result<Line, String> {
    let text: String = serde_json::from_str(entity).map_err(|error| error.to_string())?;
    parse(&text)
}

fn parse(text: &str) -> Result<Line, String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let line = reader
        .deserialize()
        .next()
        .unwrap_or_else(|| Err(std::io::Error::other("the line is empty").into()));
    line.map_err(|error: csv::Error| error.to_string())
}

/// What is said of a file.
#[derive(Serialize, Deserialize)]
struct FileFacts {
    line: String,
    bytes: u64,
}

fn facts_of(recording: &RecordingRow) -> Option<FileFacts> {
    let raw: RawRecording = serde_json::from_str(recording.answer.as_deref()?).ok()?;
    serde_json::from_str(raw.body.get()).ok()
}

/// How lines and files are read back from the ledger.
pub(crate) struct ToyFormat;
pub(crate) static FORMAT: ToyFormat = ToyFormat;

impl SourceFormat for ToyFormat {
    fn listing_request(&self) -> &'static str {
        CALLS
    }

    fn unreadable(&self, entity: &str) -> Option<String> {
        line_of(entity).err()
    }

    fn listed(&self, entity: &str, _: &TimeRules) -> Result<Canonical, NoRecord> {
        let line = line_of(entity).map_err(|_| NoRecord::Unreadable)?;
        let (start, end) = line
            .start
            .parse()
            .ok()
            .zip(line.end.parse().ok())
            .ok_or(NoRecord::TimeUnusable)?;
        Ok(call(line, start, end))
    }

    fn normalise(&self, row: &InteractionRow, rules: &TimeRules) -> Result<Canonical, StepError> {
        let mut record = self.listed(&row.entity, rules).map_err(|why| match why {
            NoRecord::Unreadable => StepError::aside(
                Reason::SourceUnreadable,
                format!("the line of call {} cannot be read", row.legacy_id),
            ),
            NoRecord::TimeUnusable => StepError::aside(
                Reason::TimeUnusable,
                format!("call {} has no usable start or end", row.legacy_id),
            ),
        })?;
        let (start, end) = (record.legacy_start_time, record.legacy_end_time);
        record.recordings = row
            .recordings
            .iter()
            .map(|recording| self.recording(recording, start, end))
            .collect();
        Ok(record)
    }

    fn file_name(&self, recording: &RecordingRow) -> Option<String> {
        Some(parse(&facts_of(recording)?.line).ok()?.file)
    }

    fn declared_bytes(&self, recording: &RecordingRow) -> Option<u64> {
        Some(facts_of(recording)?.bytes)
    }

    fn may_have_pauses(&self, _: &RecordingRow) -> bool {
        false
    }
}

impl ToyFormat {
    fn recording(
        &self,
        row: &RecordingRow,
        start: Timestamp,
        end: Timestamp,
    ) -> CanonicalRecording {
        CanonicalRecording {
            legacy_recording_id: row.legacy_id.clone(),
            start,
            end,
            file_name: self.file_name(row),
            pauses_whole: true,
            time_usable: true,
            ..CanonicalRecording::default()
        }
    }
}

fn call(line: Line, start: Timestamp, end: Timestamp) -> Canonical {
    let duration_ms = end.as_millisecond() - start.as_millisecond();
    Canonical {
        legacy_interaction_id: line.id,
        legacy_start_time: start,
        legacy_end_time: end,
        agent_legacy_id: Some(line.agent),
        duration_seconds: duration_ms / 1000,
        duration_ms,
        raw_start: line.start,
        ..Canonical::default()
    }
}

/// The folder that a plan means. Absent: its source is another one.
fn folder(plan: &LoadedPlan) -> Option<PathBuf> {
    let url = plan.plan.source.main_url()?;
    Some(plan.resolve_path(Path::new(url.path().strip_prefix("/toy/")?)))
}

pub(crate) fn is_meant_by(plan: &LoadedPlan) -> bool {
    folder(plan).is_some()
}

/// One folder.
pub(crate) struct Toy {
    folder: PathBuf,
}

impl Toy {
    pub(crate) fn new(plan: &LoadedPlan) -> Toy {
        Toy {
            folder: folder(plan).unwrap_or_default(),
        }
    }

    fn lines(&self) -> Result<Vec<String>, RunError> {
        let text = std::fs::read_to_string(self.folder.join(CALLS))
            .map_err(|error| RunError::Source(unreachable(CALLS, &error)))?;
        Ok(text.lines().map(str::to_owned).collect())
    }
}

#[async_trait]
impl Source for Toy {
    fn counts(&self) -> Arc<Counts> {
        Arc::default()
    }

    async fn directory(&self) -> Result<Directory, RunError> {
        let mut agents: Vec<String> = self
            .lines()?
            .iter()
            .filter_map(|line| Some(parse(line).ok()?.agent))
            .collect();
        agents.sort_unstable();
        agents.dedup();
        Ok(Directory {
            agents,
            queues: Vec::new(),
        })
    }

    /// A page is a line, and its cursor the number of the line.
    async fn page(&self, _: Window, cursor: Option<&str>, _: u64) -> Result<SourcePage, RunError> {
        let (lines, at) = (
            self.lines()?,
            cursor.and_then(|at| at.parse().ok()).unwrap_or(0_usize),
        );
        let row = |text: &String| {
            let line = parse(text);
            NewInteraction {
                legacy_id: line
                    .as_ref()
                    .map_or_else(|_| format!("line {}", at + 1), |line| line.id.clone()),
                entity: serde_json::Value::from(text.as_str()).to_string(),
                headers: "{}".to_owned(),
                recordings: line
                    .as_ref()
                    .map(|line| NewRecording {
                        legacy_id: line.file.clone(),
                    })
                    .into_iter()
                    .collect(),
                unreadable: line
                    .err()
                    .map(|why| format!("line {} of {CALLS}: {why}", at + 1)),
            }
        };
        let next_cursor = (at + 1 < lines.len()).then(|| (at + 1).to_string());
        Ok(SourcePage {
            rows: lines.get(at).map(row).into_iter().collect(),
            next_cursor,
        })
    }

    /// A recording's id is the name of its file.
    async fn recording(&self, call: &str, name: &str) -> Result<RecordingAnswer, StepError> {
        let lines = self.lines().map_err(StepError::Run)?;
        let line = lines
            .into_iter()
            .find(|line| parse(line).is_ok_and(|line| line.id == call && line.file == name));
        let found = std::fs::metadata(self.folder.join(name))
            .map_err(|error| StepError::source(unreachable(name, &error)))?;
        let facts = FileFacts {
            line: line.unwrap_or_default(),
            bytes: found.len(),
        };
        let body =
            to_raw_value(&facts).map_err(|error| StepError::malformed_answer(name, &error))?;
        let raw = RawRecording {
            request: name.to_owned(),
            headers: BTreeMap::new(),
            body,
            media: None,
        };
        Ok(RecordingAnswer {
            raw,
            stated: Ok(Stated {
                address: None,
                size_bytes: Some(facts.bytes),
                duration_ms: None,
            }),
        })
    }

    async fn media(&self, name: &str, _: &Stated, _: u64) -> Result<Media, StepError> {
        let bytes = std::fs::read(self.folder.join(name))
            .map_err(|error| StepError::source(unreachable(name, &error)))?;
        let length = Some(bytes.len() as u64);
        Ok(Media {
            headers: BTreeMap::new(),
            length,
            stream: stream::once(async { Ok(bytes.into()) }).boxed(),
        })
    }
}

fn unreachable(name: &str, error: &std::io::Error) -> CallError {
    CallError::Unreachable {
        what: name.to_owned(),
        why: error.to_string(),
        tries: 1,
        answered: None,
    }
}
