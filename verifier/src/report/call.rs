//! What a report says of one call.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Serialize;

use super::{RecordingLine, Summary, recordings, text};
use crate::defect::Defect;
use crate::finding::Finding;
use crate::run_error::RunError;
use crate::show::ONE_CALL;
use crate::verdict::Verdict;

/// Everything a report's folder holds about one call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallEvidence {
    /// Format of this document: 1.
    pub version: u32,
    /// The report's own sentence, about all calls.
    pub report: String,
    /// Worst of the call's recordings and findings.
    pub verdict: Verdict,
    /// Its recordings.
    pub recordings: Vec<RecordingLine>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// Reads what a report says of a call, named by its id or that of a recording, on either side.
/// `None` where it says nothing.
///
/// # Errors
///
/// A file of the report is not there or not readable, or is not what a verification writes
/// ([`RunError::Plan`]).
pub fn evidence_of(dir: &Path, id: &str) -> Result<Option<CallEvidence>, RunError> {
    let summary: Summary =
        serde_json::from_reader(open(dir, "summary.json")?).map_err(|error| {
            RunError::Plan(format!(
                "{} is no summary: {error}",
                dir.join("summary.json").display()
            ))
        })?;
    let recordings = lines_of(dir, id)?;
    let calls: Vec<&str> = recordings
        .iter()
        .map(|line| line.legacy_interaction_id.as_str())
        .collect();
    let names = |finding: &Finding| {
        let own = [
            &finding.legacy_interaction_id,
            &finding.legacy_recording_id,
            &finding.target_id,
        ];
        own.into_iter()
            .flatten()
            .any(|own| own == id || calls.contains(&own.as_str()))
    };
    let findings = findings_of(dir, names)?;
    if recordings.is_empty() && findings.is_empty() {
        return Ok(None);
    }
    let is = |verdicts: &[&str]| {
        recordings
            .iter()
            .any(|line| verdicts.contains(&line.verdict.as_str()))
    };
    let verdict = match () {
        () if !findings.is_empty() || is(&["different", "missing"]) => Verdict::Mismatch,
        () if is(&["not_verifiable"]) => Verdict::CannotTell,
        () => Verdict::Match,
    };
    Ok(Some(CallEvidence {
        version: 1,
        report: summary.sentence,
        verdict,
        recordings,
        findings,
    }))
}

/// Calls that a word names: those with a finding of a class, by its code, or the one that an id of
/// either side is of, by the report in a folder. An id of which the report says nothing, or for
/// which there is no report, is taken for a call's, and so is whatever stands behind `call:`. With
/// them come the calls without which a finding cannot be seen again.
///
/// # Errors
///
/// A file of the report is not what a verification writes, or nothing has a finding of that class
/// ([`RunError::Plan`]).
pub fn calls_of(dir: &Path, word: &str) -> Result<BTreeSet<String>, RunError> {
    if let Some(call) = word.strip_prefix(ONE_CALL) {
        return Ok(BTreeSet::from([call.to_owned()]));
    }
    let class = Defect::ALL.iter().find(|defect| defect.code() == word);
    if let Some(class) = class {
        let found = findings_of(dir, |finding| finding.defect == *class)?;
        let calls: BTreeSet<String> = found
            .into_iter()
            .flat_map(|finding| {
                let own = finding.legacy_interaction_id;
                own.into_iter().chain(finding.with_calls)
            })
            .collect();
        return match calls.is_empty() {
            false => Ok(calls),
            true => Err(RunError::Plan(format!(
                "the report in {} has no finding of class {word} about a call of the source",
                dir.display()
            ))),
        };
    }
    let evidence = if dir.join("summary.json").exists() {
        evidence_of(dir, word)?
    } else {
        None
    };
    let Some(evidence) = evidence else {
        return Ok(BTreeSet::from([word.to_owned()]));
    };
    let of_recording = evidence.recordings.into_iter().next();
    let of_finding = evidence.findings.first();
    let own = of_recording
        .map(|line| line.legacy_interaction_id)
        .or_else(|| of_finding?.legacy_interaction_id.clone())
        .unwrap_or_else(|| word.to_owned());
    let with = evidence
        .findings
        .into_iter()
        .flat_map(|finding| finding.with_calls);
    Ok(with.chain([own]).collect())
}

/// The rule a finding rests on, with its grade. Empty: the report does not say.
fn rule_of(finding: &Finding) -> String {
    if finding.source.is_empty() {
        String::new()
    } else {
        format!("{} ({})", finding.source, finding.grade.word())
    }
}

/// Findings of a report that are wanted, in its order.
fn findings_of(dir: &Path, wanted: impl Fn(&Finding) -> bool) -> Result<Vec<Finding>, RunError> {
    let mut findings = Vec::new();
    for line in open(dir, "findings.jsonl")?.lines() {
        let line = line.map_err(|error| unreadable(dir, "findings.jsonl", &error.to_string()))?;
        let finding: Finding = serde_json::from_str(&line)
            .map_err(|error| unreadable(dir, "findings.jsonl", &error.to_string()))?;
        if wanted(&finding) {
            findings.push(finding);
        }
    }
    Ok(findings)
}

/// Lines of all recordings of the call that an id names; read line by line.
fn lines_of(dir: &Path, id: &str) -> Result<Vec<RecordingLine>, RunError> {
    let mut call: Option<String> = None;
    let mut found: Vec<RecordingLine> = Vec::new();
    let mut rows = csv::Reader::from_reader(open(dir, recordings::FILE)?);
    // Recordings of one call stand together: those before the one that was named are kept until
    // another call begins.
    for line in rows.deserialize() {
        let line: RecordingLine =
            plain(line.map_err(|error| unreadable(dir, recordings::FILE, &error.to_string()))?);
        if found
            .last()
            .is_some_and(|last| last.legacy_interaction_id != line.legacy_interaction_id)
        {
            if call.is_some() {
                return Ok(found);
            }
            found.clear();
        }
        let ids = [
            &line.legacy_interaction_id,
            &line.legacy_recording_id,
            &line.target_interaction_id,
            &line.target_recording_id,
        ];
        if ids.into_iter().any(|own| own == id) {
            call = Some(line.legacy_interaction_id.clone());
        }
        found.push(line);
    }
    if call.is_none() {
        found.clear();
    }
    Ok(found)
}

/// Cells as they were before a spreadsheet was kept from running them.
pub(super) fn plain(line: RecordingLine) -> RecordingLine {
    let read = |cell: String| output::csv_cell_read(&cell).to_owned();
    RecordingLine {
        legacy_interaction_id: read(line.legacy_interaction_id),
        legacy_recording_id: read(line.legacy_recording_id),
        target_interaction_id: read(line.target_interaction_id),
        target_recording_id: read(line.target_recording_id),
        reason: read(line.reason),
        ..line
    }
}

fn open(dir: &Path, name: &str) -> Result<BufReader<File>, RunError> {
    File::open(dir.join(name))
        .map(BufReader::new)
        .map_err(|error| {
            RunError::Plan(format!(
                "cannot read {}: {error}; name the folder of a finished verification with --report",
                dir.join(name).display()
            ))
        })
}

fn unreadable(dir: &Path, name: &str, why: &str) -> RunError {
    RunError::Plan(format!(
        "{} is not what a verification writes: {why}",
        dir.join(name).display()
    ))
}

impl CallEvidence {
    /// What it says to a person, line by line: a line end inside one came from elsewhere.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for line in &self.recordings {
            lines.push(format!(
                "recording {} of call {}: {}",
                line.legacy_recording_id,
                line.legacy_interaction_id,
                line.verdict.replace('_', " ")
            ));
            let rows = [
                ("reason", &line.reason),
                ("start", &line.start),
                ("target call", &line.target_interaction_id),
                ("target recording", &line.target_recording_id),
                ("source sha256", &line.source_sha256),
                ("target sha256", &line.target_sha256),
                ("compared", &line.compared),
            ];
            lines.extend(
                rows.into_iter()
                    .filter(|(_, value)| !value.is_empty())
                    .map(|(name, value)| format!("  {name:<18}{value}")),
            );
        }
        for finding in &self.findings {
            lines.push(text::line(finding));
            let rows = [
                ("impact", finding.impact.clone()),
                ("rule", rule_of(finding)),
                ("show it again", finding.show.clone()),
            ];
            // A report of an earlier version says none of these.
            lines.extend(
                rows.into_iter()
                    .filter(|(_, value)| !value.is_empty())
                    .map(|(name, value)| format!("    {name:<16}{value}")),
            );
        }
        lines.push(format!("the whole report: {}", self.report));
        lines
    }
}
