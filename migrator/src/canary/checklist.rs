//! The checklist: a line for each recording of the canary, with where to find it and what must be
//! seen there, and cells for a person to fill in. Nothing in it is longer known than the target's
//! own pages show; numbers are not.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use output::csv_line;
use plan::LoadedPlan;
use platforms::clock::Clock;
use sha2::{Digest, Sha256};

use super::record::{Record, Written};
use super::survey::{of_call, of_recording};
use crate::canonical::{Canonical, CanonicalRecording};
use crate::error::RunError;
use crate::export::{Export, refuse};
use crate::ledger::{InteractionRow, Open, RecordingRow, registry};
use crate::phone::PhoneRule;
use crate::prepare::{Prepared, prepare};
use crate::resolve::{MAXIMUM_DAYS, Resolved, Resolver};
use crate::step::Phase;
use crate::target::FALLBACK_USER;
use crate::target::registry::rules_of;
use crate::time::iso;

/// What stands in a line and is not to be changed.
pub(super) const EXPECTED: [&str; 11] = [
    "legacy_interaction_id",
    "legacy_recording_id",
    "target_conversation_id",
    "target_recording_id",
    "external_tag",
    "expected_agent",
    "expected_start_utc",
    "expected_start_site",
    "expected_duration",
    "expected_deletion_date",
    "shows",
];
/// What a person answers with yes or no.
pub(super) const QUESTIONS: [&str; 5] = [
    "found",
    "plays",
    "right_agent",
    "right_date",
    "right_deletion_date",
];
/// And what else a person writes.
pub(super) const SIGNED: [&str; 3] = ["note", "checked_by", "checked_at"];

/// Writes the checklist of a plan's canary once it is verified; `verified` is the verifier's
/// sentence. What a person has begun to fill in is left alone, and a file of an earlier canary is
/// moved aside.
///
/// # Errors
///
/// No canary of this plan waits to be checked, the ledger cannot be opened, read or written, or the
/// file cannot be written ([`RunError`]).
pub async fn write_checklist(
    plan: &LoadedPlan,
    ledger: Option<&str>,
    path: &Path,
    verified: &str,
    clock: &Clock,
) -> Result<PathBuf, RunError> {
    let ledger = registry::open(
        ledger.unwrap_or(&plan.plan.ledger.url),
        plan,
        Open::Exclusive,
        clock,
    )
    .await?;
    let record = Record::read(&*ledger)
        .await?
        .filter(|record| record.plan_hash == plan.hash && record.checked.is_none());
    let Some(mut record) = record else {
        return Err(RunError::Plan(
            "there is no canary of this plan that waits to be checked; send one with --canary"
                .to_owned(),
        ));
    };
    let seqs = ledger.seqs_of(record.interactions.clone()).await?;
    let maximum_days = ledger
        .meta(MAXIMUM_DAYS)
        .await?
        .and_then(|days| days.parse().ok());
    let lines = Lines::new(plan, maximum_days, clock.now())?.of(&ledger.these(seqs).await?)?;
    let before = record
        .checklist
        .take()
        .filter(|before| before.lines == lines);
    let known = before
        .as_ref()
        .is_some_and(|before| Path::new(&before.path) == path && path.exists());
    let at = before.map_or_else(|| whole_seconds(clock.now()), |before| before.at);
    let written = Written {
        path: path.display().to_string(),
        at,
        verified: verified.to_owned(),
        lines,
    };
    if !known {
        move_aside(path)?;
        write(plan, path, &written)?;
    }
    record.checklist = Some(written);
    record.save(&*ledger).await?;
    Ok(path.to_owned())
}

/// Takes back the checklist of a canary that a later verification found otherwise: what stands in
/// it is no longer so.
///
/// # Errors
///
/// The ledger cannot be opened, read or written ([`RunError`]).
pub async fn withdraw_checklist(plan: &LoadedPlan, ledger: Option<&str>) -> Result<(), RunError> {
    let ledger = registry::open(
        ledger.unwrap_or(&plan.plan.ledger.url),
        plan,
        Open::Exclusive,
        &Clock::real(),
    )
    .await?;
    if let Some(mut record) = Record::read(&*ledger)
        .await?
        .filter(|record| record.plan_hash == plan.hash && record.checked.is_none())
    {
        record.checklist = None;
        record.save(&*ledger).await?;
    }
    Ok(())
}

fn whole_seconds(at: Timestamp) -> String {
    format!(
        "{:.0}",
        Timestamp::from_second(at.as_second()).unwrap_or(at)
    )
}

/// A filled-in list is evidence: it keeps a name of its own.
fn move_aside(path: &Path) -> Result<(), RunError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refuse(path, &error)),
    };
    let hash = hex::encode(Sha256::digest(&bytes));
    let extension = path.extension().map_or(String::new(), |extension| {
        format!(".{}", extension.to_string_lossy())
    });
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    std::fs::rename(
        path,
        path.with_file_name(format!("{stem}.{}{extension}", &hash[..8])),
    )
    .map_err(|error| refuse(path, &error))
}

fn write(plan: &LoadedPlan, path: &Path, written: &Written) -> Result<(), RunError> {
    let mut export = Export::create(path)?;
    let head = [
        "# seatrial canary checklist".to_owned(),
        format!("# plan: {}", short(&plan.hash)),
        format!("# namespace: {}", plan.plan.identity.namespace),
        format!("# written: {}", written.at),
        "# Look up each recording in the target's own user interface. Fill in yes or no; who \
         checked it; and when, in UTC as 2026-11-21T00:30Z. In a spreadsheet import every column \
         as text, or it will rewrite ids and times."
            .to_owned(),
        "# Change nothing else. A call older than 5 years may not be found by the search there \
         although it is stored: open its conversation by the id."
            .to_owned(),
        csv_line(&[EXPECTED.as_slice(), &QUESTIONS, &SIGNED].concat()),
    ];
    head.iter().try_for_each(|line| export.line(line))?;
    for line in &written.lines {
        let empty = [""; QUESTIONS.len() + SIGNED.len()];
        let cells: Vec<&str> = line.iter().map(String::as_str).chain(empty).collect();
        export.line(&csv_line(&cells))?;
    }
    export.finish()
}

pub(super) fn short(hash: &str) -> &str {
    &hash[..8.min(hash.len())]
}

/// Makes lines of rows.
struct Lines<'a> {
    plan: &'a LoadedPlan,
    resolver: Resolver,
    phones: PhoneRule,
    zone: Option<TimeZone>,
    now: Timestamp,
}

impl<'a> Lines<'a> {
    fn new(
        plan: &'a LoadedPlan,
        maximum_days: Option<u32>,
        now: Timestamp,
    ) -> Result<Lines<'a>, RunError> {
        let zone = site_zone(plan);
        Ok(Lines {
            plan,
            resolver: Resolver::new(Arc::new(plan.clone()), maximum_days),
            phones: PhoneRule::of(plan)?,
            zone,
            now,
        })
    }

    fn of(&self, rows: &[InteractionRow]) -> Result<Vec<Vec<String>>, RunError> {
        let mut lines = Vec::new();
        for row in rows.iter().filter(|row| row.phase == Phase::Done) {
            let Prepared { record, resolved } =
                prepare(self.plan, &self.resolver, &self.phones, row).map_err(|_| {
                    RunError::Storage(format!(
                        "interaction {}: its answers cannot be read from the ledger",
                        row.legacy_id
                    ))
                })?;
            for there in row
                .recordings
                .iter()
                .filter(|recording| recording.outcome.is_none())
            {
                let recording = record
                    .recordings
                    .iter()
                    .find(|recording| recording.legacy_recording_id == there.legacy_id);
                lines.extend(
                    recording.map(|recording| self.line(row, there, &record, &resolved, recording)),
                );
            }
        }
        Ok(lines)
    }

    fn line(
        &self,
        row: &InteractionRow,
        there: &RecordingRow,
        record: &Canonical,
        resolved: &Resolved,
        recording: &CanonicalRecording,
    ) -> Vec<String> {
        let features = of_call(record, record.recordings.len(), self.now);
        let shows: Vec<String> = of_recording(recording)
            .iter()
            .chain(&features)
            .map(ToString::to_string)
            .collect();
        let cells: [String; EXPECTED.len()] = [
            row.legacy_id.clone(),
            there.legacy_id.clone(),
            row.target_id.clone().unwrap_or_default(),
            there.target_id.clone().unwrap_or_default(),
            self.tag(&row.legacy_id),
            self.agent(record, resolved, recording),
            iso(recording.start),
            self.site_time(recording.start),
            duration(there),
            self.deletion(record, recording),
            shows.join("; "),
        ];
        cells.into_iter().map(plain).collect()
    }

    /// What carries the legacy id there.
    fn tag(&self, legacy_interaction_id: &str) -> String {
        rules_of(self.plan).external_tag(self.plan, legacy_interaction_id)
    }

    /// Whoever took the leg it was made on; everybody, where the source names no leg.
    fn agent(
        &self,
        record: &Canonical,
        resolved: &Resolved,
        recording: &CanonicalRecording,
    ) -> String {
        let leg = recording.legacy_segment_id.as_ref();
        let leg = leg.and_then(|leg| {
            record
                .segments
                .iter()
                .position(|segment| segment.legacy_segment_id == *leg)
        });
        let users: Vec<uuid::Uuid> = match leg {
            Some(leg) => resolved
                .segment_agents
                .get(leg)
                .copied()
                .flatten()
                .into_iter()
                .map(|agent| agent.user())
                .collect(),
            None => resolved.agents().map(|agent| agent.user()).collect(),
        };
        let mut names: Vec<&str> = Vec::new();
        for user in users {
            let row = self
                .plan
                .mapping
                .agents
                .iter()
                .find(|row| row.genesys_user_id == user);
            let name = row.map_or(FALLBACK_USER, |row| row.genesys_user_name.as_str());
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.is_empty() {
            "no agent".to_owned()
        } else {
            names.join("; ")
        }
    }

    fn site_time(&self, at: Timestamp) -> String {
        match &self.zone {
            Some(zone) => format!(
                "{} {}",
                at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S"),
                zone.iana_name().unwrap_or("site")
            ),
            None => "the plan has no time.site_zone".to_owned(),
        }
    }

    fn deletion(&self, record: &Canonical, recording: &CanonicalRecording) -> String {
        // A hold on one recording protects the whole conversation: a declared widening.
        if record.is_held() {
            return "protected (legal hold)".to_owned();
        }
        self.resolver
            .delete_date(record, recording)
            .map_or_else(|| "none".to_owned(), iso)
    }
}

pub(super) fn site_zone(plan: &LoadedPlan) -> Option<TimeZone> {
    plan.plan
        .time
        .site_zone
        .as_deref()
        .and_then(|zone| TimeZone::get(zone).ok())
}

/// Of what was sent, in seconds: a spreadsheet would take `1:05` for a time of day.
fn duration(there: &RecordingRow) -> String {
    let rate = u64::from(there.out_rate.unwrap_or(8000).max(1));
    let tenths = there.out_samples.unwrap_or(0) * 10 / rate;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

/// A cell that a spreadsheet takes for text and never for a formula.
fn plain(cell: String) -> String {
    let cell = cell.replace(['\n', '\r'], " ").trim().to_owned();
    if cell.starts_with(['=', '+', '-', '@']) {
        format!("'{cell}")
    } else {
        cell
    }
}
