//! How rows are read back from the ledger: nothing is asked of the export.

use plan::layout::Each;
use plan::{Layout, Reason, TimeRules};

use super::entity::Entity;
use super::record::{self, Call};
use super::recording::Facts;
use super::{FileFacts, name_of};
use crate::canonical::{Canonical, CanonicalRecording};
use crate::error::StepError;
use crate::ledger::{InteractionRow, RecordingRow};
use crate::source::{NoRecord, RawRecording, SourceFormat, Window};

fn call_of(layout: &Layout, entity: &str, rules: &TimeRules) -> Result<Call, String> {
    let rows = Entity::read(entity, layout.file.format)?;
    record::read(layout, &rows, rules).map_err(|bad| bad.to_string())
}

/// Whether a call is in a window: one without a usable start is in every window.
pub(super) fn is_in(layout: &Layout, entity: &str, window: Window, rules: &TimeRules) -> bool {
    if window.from_ms.is_none() && window.to_ms.is_none() {
        return true;
    }
    let Ok(Call {
        record: Ok(record), ..
    }) = call_of(layout, entity, rules)
    else {
        return true;
    };
    let start = record.legacy_start_time.as_millisecond();
    window.from_ms.is_none_or(|from| from <= start) && window.to_ms.is_none_or(|to| start < to)
}

fn facts_of(row: &RecordingRow) -> Option<FileFacts> {
    let raw: RawRecording = serde_json::from_str(row.answer.as_deref()?).ok()?;
    serde_json::from_str(raw.body.get()).ok()
}

impl SourceFormat for Layout {
    fn listing_request(&self) -> &'static str {
        "rows of the metadata files"
    }

    fn unreadable(&self, entity: &str) -> Option<String> {
        call_of(self, entity, &TimeRules::default()).err()
    }

    fn listed(&self, entity: &str, rules: &TimeRules) -> Result<Canonical, NoRecord> {
        call_of(self, entity, rules)
            .map_err(|_| NoRecord::Unreadable)?
            .record
            .map_err(|_| NoRecord::TimeUnusable)
    }

    fn normalise(&self, row: &InteractionRow, rules: &TimeRules) -> Result<Canonical, StepError> {
        let call = call_of(self, &row.entity, rules)
            .map_err(|why| StepError::aside(Reason::SourceUnreadable, why))?;
        let mut record = call
            .record
            .map_err(|why| StepError::aside(Reason::TimeUnusable, why))?;
        // Of one whose file or whose values cannot be read nothing goes; it has been put aside when
        // it was staged.
        let readable = row
            .recordings
            .iter()
            .filter(|recording| recording.outcome.is_none() || recording.staged_sha256.is_some());
        for recording in readable {
            let path = facts_of(recording).and_then(|facts| facts.path);
            let found = call
                .recordings
                .iter()
                .find(|one| one.id == recording.legacy_id)
                .map(|one| &one.facts)
                .or_else(|| {
                    let path = path.as_deref()?;
                    let is_its = |glob: &str| fast_glob::glob_match(glob, path);
                    let group = call.groups.iter().find(|group| is_its(&group.glob))?;
                    Some(&group.facts)
                });
            let facts = match found {
                Some(Ok(facts)) => facts,
                Some(Err(why)) => {
                    return Err(StepError::aside(Reason::SourceUnreadable, why.to_string()));
                }
                // Not looked at yet: which file it is, is not known.
                None if matches!(self.recording.as_ref().map(|of| &of.each), Some(Each::File)) => {
                    continue;
                }
                None => {
                    return Err(StepError::aside(
                        Reason::SourceUnreadable,
                        format!("its rows name no recording {}", recording.legacy_id),
                    ));
                }
            };
            record
                .recordings
                .push(with_path(facts, &recording.legacy_id, path));
        }
        Ok(record)
    }

    fn file_name(&self, recording: &RecordingRow) -> Option<String> {
        facts_of(recording)?
            .path
            .map(|path| name_of(&path).to_owned())
    }

    fn declared_bytes(&self, recording: &RecordingRow) -> Option<u64> {
        facts_of(recording)?.bytes
    }

    fn may_have_pauses(&self, _: &RecordingRow) -> bool {
        self.recording
            .as_ref()
            .is_some_and(|recording| recording.pauses.is_some())
    }
}

fn with_path(facts: &Facts, id: &str, path: Option<String>) -> CanonicalRecording {
    CanonicalRecording {
        legacy_recording_id: id.to_owned(),
        file_name: path.as_deref().map(|path| name_of(path).to_owned()),
        recording_url_source: path,
        ..facts.record.clone()
    }
}
