//! A toy source, for tests: a folder with `calls.csv`, a line a call of id, start, end, agent and
//! file name, and these files beside it.
//!
//! Staged of it are a line as a JSON string, and of its file, whose name is the request,
//! `{"line":..,"bytes":..}`.
//!
//! No plan has a kind for it. One whose `source.base_url` is `http://127.0.0.1/toy/NAME` means it,
//! and the folder `NAME` beside the plan.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use plan::LoadedPlan;
use serde::Deserialize;

use super::{
    AnswerFormat, Extensions, Listed, MediaRead, Only, RecordingDetails, Source, SourceCall,
    SourceInteraction, SourceRecording, SourceTime,
};
use crate::options::{Progress, Stage};
use crate::run_error::RunError;

/// The folder a plan means. Absent: its source is another one.
fn folder(loaded: &LoadedPlan) -> Option<PathBuf> {
    let url = loaded.plan.source.main_url()?;
    let name = url.path().strip_prefix("/toy/")?;
    Some(loaded.resolve_path(name.as_ref()))
}

pub(super) fn is_meant_by(loaded: &LoadedPlan) -> bool {
    folder(loaded).is_some()
}

/// One folder.
pub(super) struct Toy {
    folder: PathBuf,
}

pub(super) fn open(loaded: &LoadedPlan) -> Arc<Toy> {
    Arc::new(Toy {
        folder: folder(loaded).unwrap_or_default(),
    })
}

#[async_trait(?Send)]
impl Source for Toy {
    async fn list(
        &self,
        only: Only<'_>,
        _concurrency: usize,
        listed: &mut Listed,
        progress: &dyn Progress,
    ) -> Result<Extensions, RunError> {
        progress.begin(Stage::Source, None);
        let file = self.folder.join("calls.csv");
        let text = std::fs::read_to_string(&file).map_err(|error| {
            RunError::Source(format!("cannot read {}: {error}", file.display()))
        })?;
        let mut calls = text
            .lines()
            .map(call)
            .filter(|call| only.is_none_or(|only| only.contains(call.listed.id.as_str())));
        calls.try_for_each(|call| listed.add(&call))?;
        Ok(Extensions::new())
    }

    async fn media(&self, recording: &SourceRecording) -> Result<MediaRead, RunError> {
        Ok(
            match std::fs::read(self.folder.join(recording.id.as_str())) {
                Ok(bytes) => MediaRead::Bytes(bytes, None),
                Err(error) => MediaRead::Unreadable(format!("the file {}: {error}", recording.id)),
            },
        )
    }
}

/// What is said of a file.
#[derive(Deserialize)]
struct FileFacts {
    line: String,
    bytes: u64,
}

/// How lines and files were staged.
pub(super) struct ToyFormat;

impl AnswerFormat for ToyFormat {
    fn interaction(&self, entity: &str, place: &str) -> SourceInteraction {
        match serde_json::from_str::<String>(entity) {
            Ok(line) => call(&line),
            Err(error) => SourceInteraction::unread(place, error.to_string()),
        }
    }

    fn recording(&self, answer: &str) -> Result<RecordingDetails, String> {
        let FileFacts { line, bytes } =
            serde_json::from_str(answer).map_err(|error| error.to_string())?;
        let recording = call(&line)
            .recordings
            .pop()
            .ok_or("a line without a file")?;
        Ok(RecordingDetails {
            size_bytes: Some(bytes),
            ..recording.details?
        })
    }

    fn asked_for<'a>(&self, request: &'a str) -> Option<&'a str> {
        Some(request)
    }
}

/// A line of `calls.csv`. The id of its recording is the name of the file.
fn call(line: &str) -> SourceInteraction {
    let cells: Vec<&str> = line.split(',').collect();
    let &[id, start, end, agent, file] = cells.as_slice() else {
        return SourceInteraction::unread(line, format!("the line `{line}` with five cells"));
    };
    let time = |text: &str| SourceTime::Text {
        text: text.into(),
        whole: None,
    };
    let details = RecordingDetails {
        id: file.into(),
        interaction_id: id.into(),
        start_time: time(start),
        end_time: time(end),
        file_name: Some(file.into()),
        ..RecordingDetails::default()
    };
    let listed = SourceCall {
        id: id.into(),
        start_time: time(start),
        end_time: time(end),
        agent_id: Some(agent.into()),
        recordings: vec![(file.into(), None)],
        ..SourceCall::default()
    };
    let recordings = vec![SourceRecording {
        id: file.into(),
        details: Ok(details),
        staged: None,
    }];
    SourceInteraction {
        recordings,
        ..SourceInteraction::of(listed)
    }
}
