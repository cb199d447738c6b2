//! Where calls come from. A folder for each kind of source; [`registry`] alone names them. Beyond
//! it the canonical record is the only shape.

pub(crate) mod files;
pub(crate) mod genesys_cloud;
mod instant;
pub(crate) mod legacy;
pub(crate) mod registry;
#[cfg(test)]
mod toy;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use plan::{LoadedPlan, TimeRules};
use platforms::{Counts, Media};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::canonical::Canonical;
use crate::error::{Aside, RunError, StepError};
use crate::ledger::{InteractionRow, NewInteraction, RecordingRow};

/// Start, inclusive, and end, exclusive, of the calls that are asked for. Unix milliseconds;
/// absent: no bound.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Window {
    pub(crate) from_ms: Option<i64>,
    pub(crate) to_ms: Option<i64>,
}

impl Window {
    pub(crate) fn of(plan: &LoadedPlan) -> Window {
        let bound = |time: Option<jiff::Timestamp>| time.map(jiff::Timestamp::as_millisecond);
        Window {
            from_ms: bound(plan.plan.source.from()),
            to_ms: bound(plan.plan.source.to()),
        }
    }
}

/// Everybody and every queue a source knows, by id.
pub(crate) struct Directory {
    pub(crate) agents: Vec<String>,
    pub(crate) queues: Vec<String>,
}

/// A page of a source's listing.
pub(crate) struct SourcePage {
    /// One an entity, in the source's order. What cannot be read is a row that says so.
    pub(crate) rows: Vec<NewInteraction>,
    /// Where to go on. Absent: this was the last page.
    pub(crate) next_cursor: Option<String>,
}

/// A recording's part of the raw document, as the ledger keeps it too.
#[derive(Serialize, Deserialize)]
pub(crate) struct RawRecording {
    pub(crate) request: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Box<RawValue>,
    pub(crate) media: Option<RawMedia>,
}

/// What came as the recording's bytes.
#[derive(Serialize, Deserialize)]
pub(crate) struct RawMedia {
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    pub(crate) headers: BTreeMap<String, String>,
}

/// What a source says of a recording's bytes.
pub(crate) struct Stated {
    /// Where they are. Absent: not said.
    pub(crate) address: Option<String>,
    pub(crate) size_bytes: Option<u64>,
    pub(crate) duration_ms: Option<i64>,
}

/// A source's answer about a recording.
pub(crate) struct RecordingAnswer {
    pub(crate) raw: RawRecording,
    /// Why it stays behind, where its record alone says so: it cannot be read, or its bytes cannot
    /// be had.
    pub(crate) stated: Result<Stated, Aside>,
}

/// How to read what a source has answered, as the ledger keeps it: nothing is asked.
pub(crate) trait SourceFormat: Sync {
    /// The request that lists calls, as the raw document names it.
    fn listing_request(&self) -> &'static str;
    /// Why a call's entity cannot be read. Absent: it can.
    fn unreadable(&self, entity: &str) -> Option<String>;
    /// The canonical record of a call as it was listed, without its recordings; the error says why
    /// there is none.
    fn listed(&self, entity: &str, rules: &TimeRules) -> Result<Canonical, NoRecord>;
    /// The canonical record of a call with its recordings; the error says why all of it stays
    /// behind.
    fn normalise(&self, row: &InteractionRow, rules: &TimeRules) -> Result<Canonical, StepError>;
    /// The name the source gives a recording's file. Absent: none, or not read.
    fn file_name(&self, recording: &RecordingRow) -> Option<String>;
    /// Length of a recording's bytes as declared. Absent: not declared.
    fn declared_bytes(&self, recording: &RecordingRow) -> Option<u64>;
    /// Whether a recording may have pauses.
    fn may_have_pauses(&self, recording: &RecordingRow) -> bool;
}

/// Why no canonical record can be made of a listed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRecord {
    /// It is in a form that cannot be read.
    Unreadable,
    /// No instant can be made of its start or end.
    TimeUnusable,
}

/// A platform that recordings are read from.
#[async_trait]
pub(crate) trait Source: Send + Sync {
    fn counts(&self) -> Arc<Counts>;
    /// Pages that are looked at before a run: a hundred thousand calls, where a page takes one
    /// request, are enough to see a mapping that does not fit.
    fn pages_surveyed(&self) -> u64 {
        100
    }
    /// What tells the organisation at this end from every other. Absent: there is none, or it is
    /// not told.
    async fn organisation_id(&self) -> Result<Option<String>, RunError> {
        Ok(None)
    }
    async fn directory(&self) -> Result<Directory, RunError>;
    /// The page behind a cursor, or the first one. `number`: counted from 0, for messages.
    async fn page(
        &self,
        window: Window,
        cursor: Option<&str>,
        number: u64,
    ) -> Result<SourcePage, RunError>;
    /// What is said about a recording of a call. One that is another call's, by its own word, is an
    /// error.
    async fn recording(
        &self,
        legacy_interaction_id: &str,
        legacy_recording_id: &str,
    ) -> Result<RecordingAnswer, StepError>;
    /// Its bytes; more than `most_bytes` of them are an error.
    async fn media(
        &self,
        legacy_recording_id: &str,
        stated: &Stated,
        most_bytes: u64,
    ) -> Result<Media, StepError>;
}
