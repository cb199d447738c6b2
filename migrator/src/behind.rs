//! What stays behind, recording by recording: which, why, and since when.

use std::path::Path;

use output::csv_line;
use plan::LoadedPlan;
use serde::{Deserialize, Serialize};

use crate::error::RunError;
use crate::export::Export;
use crate::ledger::{InteractionRow, Ledger, RecordingRow};
use crate::source::SourceFormat;
use crate::step::Phase;

/// A recording that is not in the target, or not as it should be there; of a call without
/// recordings the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behind {
    /// Interaction of the source.
    pub legacy_interaction_id: String,
    /// Recording of the source. Absent: the call has none.
    pub legacy_recording_id: Option<String>,
    /// Its file's name in the source. Absent: the source gives none, or was not read.
    pub file: Option<String>,
    /// `quarantined`, `skipped`, `left` (an error; the next run tries again) or `unrepaired` (in
    /// the target, and not as it should be).
    pub outcome: String,
    /// One of the reasons of the plan's closed list, the words of an exclusion, `not_carried`, or
    /// the outcome itself where there is no other.
    pub reason: String,
    /// What was seen, in the decoder's, the source's or the target's words. Absent: nothing more is
    /// known.
    pub detail: Option<String>,
    /// RFC 3339, UTC. Absent: not noted, as for ids that collide and calls the target does not
    /// carry.
    pub since: Option<String>,
}

/// What stays behind, up to a number that fits into one document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LeftBehind {
    /// By extraction order.
    pub recordings: Vec<Behind>,
    /// Further ones, which only `status --quarantine FILE.csv` lists.
    pub not_listed: u64,
}

/// More make a document nobody reads at once: about 30 MB.
const LISTED: usize = 100_000;
/// Interactions read from the ledger at once.
const CHUNK: usize = 500;

/// Everything that stays behind, in one document.
pub(crate) async fn listed(
    ledger: &dyn Ledger,
    format: &dyn SourceFormat,
) -> Result<LeftBehind, RunError> {
    let mut list = LeftBehind::default();
    each(ledger, format, |behind| {
        if list.recordings.len() < LISTED {
            list.recordings.push(behind);
        } else {
            list.not_listed += 1;
        }
        Ok(())
    })
    .await?;
    Ok(list)
}

/// Writes everything that stays behind as CSV; `migrate --retry FILE` reads it back.
pub(crate) async fn write(
    ledger: &dyn Ledger,
    format: &dyn SourceFormat,
    path: &Path,
) -> Result<(), RunError> {
    let mut export = Export::create(path)?;
    export.line("legacy_interaction_id,legacy_recording_id,file,outcome,reason,detail,since")?;
    each(ledger, format, |behind| {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (recording, file, detail, since) = (
            text(&behind.legacy_recording_id),
            text(&behind.file),
            text(&behind.detail),
            text(&behind.since),
        );
        export.line(&csv_line(&[
            &behind.legacy_interaction_id,
            &recording,
            &file,
            &behind.outcome,
            &behind.reason,
            &detail,
            &since,
        ]))
    })
    .await?;
    export.finish()
}

/// Hands each one over, in bounded memory.
pub(crate) async fn each(
    ledger: &dyn Ledger,
    format: &dyn SourceFormat,
    mut take: impl FnMut(Behind) -> Result<(), RunError>,
) -> Result<(), RunError> {
    let seqs = ledger.behind().await?;
    for chunk in seqs.chunks(CHUNK) {
        for row in ledger.these(chunk.to_vec()).await? {
            of_row(&row, format).into_iter().try_for_each(&mut take)?;
        }
    }
    Ok(())
}

/// What of an interaction stays behind.
pub(crate) fn of_row(row: &InteractionRow, format: &dyn SourceFormat) -> Vec<Behind> {
    let whole =
        |outcome: &str, reason: &str, detail: &Option<String>, since: &Option<String>| Behind {
            legacy_interaction_id: row.legacy_id.clone(),
            legacy_recording_id: None,
            file: None,
            outcome: outcome.to_owned(),
            reason: reason.to_owned(),
            detail: detail.clone(),
            since: since.clone(),
        };
    let of = |recording: &RecordingRow, behind: Behind| Behind {
        legacy_recording_id: Some(recording.legacy_id.clone()),
        file: format.file_name(recording),
        ..behind
    };
    // An error outweighs what could not be repaired: it is tried again.
    let rest = match (&row.error, &row.unrepaired) {
        (Some(_), _) if row.phase != Phase::SetAside => {
            Some(whole("left", "left", &row.error, &row.error_since))
        }
        (_, Some(_)) => Some(whole(
            "unrepaired",
            "unrepaired",
            &row.unrepaired,
            &row.since,
        )),
        (_, None) => None,
    };
    let one = |recording: &RecordingRow| match (&recording.outcome, &rest) {
        (Some(outcome), _) => {
            let reason = recording.reason.as_deref().unwrap_or(outcome.as_str());
            Some(of(
                recording,
                whole(
                    outcome.as_str(),
                    reason,
                    &recording.detail,
                    &recording.since,
                ),
            ))
        }
        (None, Some(rest)) => Some(of(recording, rest.clone())),
        (None, None) => None,
    };
    if !row.recordings.is_empty() {
        return row.recordings.iter().filter_map(one).collect();
    }
    match (row.phase, &row.reason) {
        (Phase::SetAside, Some(reason)) => {
            let outcome = if reason == "unmapped_queue" {
                "skipped"
            } else {
                "quarantined"
            };
            vec![whole(outcome, reason, &row.detail, &row.since)]
        }
        (Phase::SetAside, None) => {
            let why =
                Some("the target takes no call without a recording: a declared loss".to_owned());
            vec![whole("skipped", "not_carried", &why, &row.since)]
        }
        _ => rest.into_iter().collect(),
    }
}

/// A sentence on how to bring back what stays behind; `None` where nothing does.
#[must_use]
pub fn way_back(plan: &LoadedPlan, left_behind: &LeftBehind) -> Option<String> {
    let unrepaired = left_behind
        .recordings
        .iter()
        .filter(|behind| behind.outcome == "unrepaired")
        .count() as u64;
    let count = left_behind.recordings.len() as u64 + left_behind.not_listed - unrepaired;
    let agreement = if plan.plan.rules.exclusions.is_some() {
        ""
    } else {
        " (rules.exclusions in the plan)"
    };
    let lists = "status PLAN --quarantine FILE.csv lists them";
    let behind = (count > 0).then(|| {
        format!(
            "{count} stay behind: {lists}; migrate PLAN --retry REASON or --retry FILE.csv reads \
             them again; what is to stay goes into the exclusions file{agreement}"
        )
    });
    let wrong = (unrepaired > 0).then(|| {
        format!(
            "{unrepaired} are in the target, not as they should be, and could not be \
            put right: {lists}, with why"
        )
    });
    let sentences: Vec<String> = behind.into_iter().chain(wrong).collect();
    (!sentences.is_empty()).then(|| sentences.join("; "))
}
