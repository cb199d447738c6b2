//! What a ledger tells: counts, crosswalk, custody, manifests.

use std::path::{Path, PathBuf};

use bytes::BytesMut;
use output::csv_line;
use plan::LoadedPlan;
use platforms::clock::Clock;
use serde::Serialize;

use crate::behind::{self, LeftBehind};
use crate::canary::{Canary, Record};
use crate::custody_check::{self, CustodyCheck};
use crate::error::RunError;
use crate::export::Export;
use crate::ledger::Tally;
use crate::ledger::{self, InteractionRow, Ledger, Open, RecordingRow};
use crate::source::SourceFormat;
use crate::source::registry::format_of;
use crate::staging::{Staging, manifest_path};
use crate::step::Phase;

/// What to write beside the counts.
#[derive(Debug, Clone, Default)]
pub struct StatusOptions {
    /// Instead of the plan's ledger.
    pub ledger: Option<String>,
    /// Crosswalk CSV. Source: docs/reference/reports.md.
    pub crosswalk: Option<PathBuf>,
    /// Custody NDJSON that was written earlier, to be checked.
    pub check_custody: Option<PathBuf>,
    /// Custody NDJSON. Source: docs/reference/reports.md.
    pub custody: Option<PathBuf>,
    /// CSV of what is quarantined, skipped, left or could not be put right.
    pub quarantine: Option<PathBuf>,
}

/// Rows read from the ledger at once.
const ROWS: u32 = 500;

/// What a ledger holds.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Counted.
    pub tally: Tally,
    /// The first few errors of interactions that were left, each one sentence.
    pub errors: Vec<String>,
    /// What is quarantined, skipped, left or could not be put right, one a recording.
    pub left_behind: LeftBehind,
    /// The latest canary. Absent: none was sent.
    pub canary: Option<Canary>,
    /// What the check of a chain of custody found. Absent: none was asked for.
    pub custody: Option<CustodyCheck>,
}

/// Counts, and writes the exports asked for. May be called beside a run.
///
/// # Errors
///
/// The ledger cannot be opened or read, an export cannot be written, or the custody file to check
/// cannot be read ([`RunError`]).
pub async fn status(plan: &LoadedPlan, options: &StatusOptions) -> Result<Status, RunError> {
    let url = options.ledger.as_deref().unwrap_or(&plan.plan.ledger.url);
    let ledger = ledger::registry::open(url, plan, Open::Shared, &Clock::real()).await?;
    if let Some(path) = &options.crosswalk {
        write_crosswalk(&*ledger, path, plan.plan.target.kind().as_str()).await?;
    }
    if let Some(path) = &options.custody {
        write_custody(&*ledger, path).await?;
    }
    if let Some(path) = &options.quarantine {
        behind::write(&*ledger, format_of(plan), path).await?;
    }
    let custody = match &options.check_custody {
        Some(path) => Some(custody_check::check(&*ledger, path).await?),
        None => None,
    };
    let canary = Record::read(&*ledger)
        .await?
        .map(|record| record.told(&plan.hash, Vec::new()));
    let left_behind = behind::listed(&*ledger, format_of(plan)).await?;
    Ok(Status {
        tally: ledger.tally().await?,
        errors: ledger.errors(20).await?,
        left_behind,
        canary,
        custody,
    })
}

async fn write_crosswalk(ledger: &dyn Ledger, path: &Path, kind: &str) -> Result<(), RunError> {
    let mut export = Export::create(path)?;
    export.line("legacy_interaction_id,legacy_recording_id,target,target_interaction_id,target_recording_id,file_id,sha256")?;
    let mut after = 0;
    loop {
        let rows = ledger.exported_after(after, ROWS).await?;
        let Some((last, _)) = rows.last() else {
            return export.finish();
        };
        after = last.seq;
        for (row, _) in rows
            .iter()
            .filter(|(row, _)| row.phase >= Phase::Created && row.phase != Phase::SetAside)
        {
            crosswalk_lines(row, kind)
                .iter()
                .try_for_each(|line| export.line(line))?;
        }
    }
}

fn crosswalk_lines(row: &InteractionRow, kind: &str) -> Vec<String> {
    let target = row.target_id.as_deref().unwrap_or_default();
    let going: Vec<&RecordingRow> = row
        .recordings
        .iter()
        .filter(|recording| recording.outcome.is_none())
        .collect();
    if going.is_empty() {
        return vec![csv_line(&[&row.legacy_id, "", kind, target, "", "", ""])];
    }
    let cell = |value: &Option<String>| value.clone().unwrap_or_default();
    let line = |recording: &&RecordingRow| {
        let (id, file, hash) = (
            cell(&recording.target_id),
            cell(&recording.file_id),
            cell(&recording.out_sha256),
        );
        csv_line(&[
            &row.legacy_id,
            &recording.legacy_id,
            kind,
            target,
            &id,
            &file,
            &hash,
        ])
    };
    going.iter().map(line).collect()
}

async fn write_custody(ledger: &dyn Ledger, path: &Path) -> Result<(), RunError> {
    let mut export = Export::create(path)?;
    let mut after = 0;
    loop {
        let lines = ledger.custody_after(after, ROWS).await?;
        let Some((last, _)) = lines.last() else {
            return export.finish();
        };
        after = *last;
        lines.iter().try_for_each(|(_, line)| export.line(line))?;
    }
}

/// A line of `manifest/<batch>/NNNN.ndjson`.
#[derive(Serialize)]
struct ManifestLine<'a> {
    legacy_interaction_id: &'a str,
    legacy_recording_id: &'a str,
    sha256: &'a str,
    bytes: u64,
    /// What the source declared; null where it did not.
    declared_bytes: Option<u64>,
}

/// Writes the manifests of all pages that have something staged. Batch: the namespace; NNNN: the
/// page of extraction.
pub(crate) async fn write_manifests(
    ledger: &dyn Ledger,
    staging: &Staging,
    plan: &LoadedPlan,
) -> Result<(), RunError> {
    let (format, batch) = (format_of(plan), plan.plan.identity.namespace.as_str());
    let mut after = 0;
    let mut current: Option<u64> = None;
    let mut text = BytesMut::new();
    loop {
        let rows = ledger.exported_after(after, ROWS).await?;
        let Some((last, _)) = rows.last() else { break };
        after = last.seq;
        for (row, page) in &rows {
            if current.is_some_and(|current| current != *page) {
                flush(staging, batch, current, &mut text).await?;
            }
            current = Some(*page);
            row.recordings
                .iter()
                .filter_map(|recording| manifest_line(format, row, recording))
                .for_each(|line| {
                    text.extend_from_slice(line.as_bytes());
                    text.extend_from_slice(b"\n");
                });
        }
    }
    flush(staging, batch, current, &mut text).await
}

async fn flush(
    staging: &Staging,
    batch: &str,
    page: Option<u64>,
    text: &mut BytesMut,
) -> Result<(), RunError> {
    if let Some(page) = page.filter(|_| !text.is_empty()) {
        staging
            .put(&manifest_path(batch, page), text.split().freeze())
            .await?;
    }
    Ok(())
}

fn manifest_line(
    format: &dyn SourceFormat,
    row: &InteractionRow,
    recording: &RecordingRow,
) -> Option<String> {
    let line = ManifestLine {
        legacy_interaction_id: &row.legacy_id,
        legacy_recording_id: &recording.legacy_id,
        sha256: recording.staged_sha256.as_deref()?,
        bytes: recording.staged_bytes?,
        declared_bytes: format.declared_bytes(recording),
    };
    serde_json::to_string(&line).ok()
}
