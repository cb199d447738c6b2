//! What has changed since an earlier report. Source: docs/reference/reports.md, "changes.jsonl".

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::call::plain;
use super::{RecordingLine, Scope, Summary, recordings};
use crate::finding::Finding;
use crate::run_error::RunError;

/// What has changed since an earlier report, as counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Against {
    /// Folder of the earlier report, as it was named.
    pub report: String,
    /// When that verification began.
    pub begun: String,
    /// Whether plan or mapping are others than then: what must be there may differ too.
    pub plan_changed: bool,
    /// Whether that verification looked at something else: another part of the audio, staging
    /// instead of the source, or a running migration.
    #[serde(default)]
    pub scope_changed: bool,
    /// Whether the earlier report has what the target showed of each recording. Without it only
    /// ids, verdicts and hashes of sound are compared.
    pub has_evidence: bool,
    /// Findings that were not there then.
    pub findings_new: u64,
    /// Findings that are there no more.
    pub findings_gone: u64,
    /// Findings that are the same.
    pub findings_same: u64,
    /// Recordings whose record or sound in the target is another, or there no more.
    pub target_changed: u64,
    /// Recordings whose verdict is another.
    pub verdict_changed: u64,
    /// Recordings that the source did not have then.
    pub source_new: u64,
    /// Recordings that the source has no more.
    pub source_gone: u64,
}

/// What a line of `changes.jsonl` is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A finding that was not there then.
    FindingNew,
    /// A finding that is there no more.
    FindingGone,
    /// What the target shows of a recording, or its sound, is another.
    TargetChanged,
    /// The verdict on a recording is another.
    VerdictChanged,
    /// The source did not have the recording then.
    SourceNew,
    /// The source has the recording no more.
    SourceGone,
}

/// A line of `changes.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// What has changed.
    pub kind: ChangeKind,
    /// Interaction of the source. Absent: the record has no source.
    pub legacy_interaction_id: Option<String>,
    /// Recording of the source. Absent: the whole interaction is meant, or there is no source.
    pub legacy_recording_id: Option<String>,
    /// Conversation or recording in the target. Absent: there is none.
    pub target_id: Option<String>,
    /// What about it: the title of a finding, or the columns of `recordings.csv` that differ.
    pub what: String,
    /// As it was then. Absent: there was nothing.
    pub before: Option<String>,
    /// As it is now. Absent: there is nothing.
    pub after: Option<String>,
}

/// Call and recording by the source.
type Key = (String, String);

/// A line of the earlier `recordings.csv`, as far as it is compared.
#[derive(Debug)]
struct Then {
    target: [String; 4],
    verdict: String,
}

/// A report that was written earlier, of the same migration.
#[derive(Debug)]
pub(crate) struct EarlierReport {
    counts: Against,
    scope: Scope,
    findings: Vec<Finding>,
    recordings: BTreeMap<Key, Then>,
}

/// An earlier report whose recordings were held against those of now.
#[derive(Debug)]
pub(crate) struct RecordingsCompared {
    counts: Against,
    scope: Scope,
    findings: Vec<Finding>,
    changes: Vec<Change>,
}

/// What of a recording in the target is compared, by its columns.
const TARGET: [&str; 4] = [
    "target_interaction_id",
    "target_recording_id",
    "target_sha256",
    "target_evidence",
];

fn of_target(line: &RecordingLine) -> [String; 4] {
    [
        line.target_interaction_id.clone(),
        line.target_recording_id.clone(),
        line.target_sha256.clone(),
        line.target_evidence.clone(),
    ]
}

impl EarlierReport {
    /// Reads an earlier report, and refuses one of another migration or one that was altered.
    ///
    /// # Errors
    ///
    /// A file is not there, is not what a verification writes, has another hash than the summary
    /// says, or belongs to another namespace ([`RunError::Plan`]).
    pub(crate) fn read(
        dir: &Path,
        namespace: &str,
        plan_sha256: &str,
    ) -> Result<EarlierReport, RunError> {
        let summary: Summary = serde_json::from_reader(open(dir, "summary.json")?)
            .map_err(|error| broken(dir, "summary.json", &error.to_string()))?;
        let identity = &summary.identity;
        if identity.namespace != namespace {
            return Err(RunError::Plan(format!(
                "the report in {} is of the migration {}, and the plan's is {namespace}; name an \
                 earlier report of this migration with --against",
                dir.display(),
                identity.namespace
            )));
        }
        if summary.scope.only.is_some() {
            return Err(RunError::Plan(format!(
                "the report in {} is of chosen calls (--only) and says nothing of the others; name \
                 one of all calls with --against",
                dir.display()
            )));
        }
        for name in ["findings.jsonl", recordings::FILE] {
            unaltered(dir, name, identity.files.get(name))?;
        }
        let findings = open(dir, "findings.jsonl")?
            .lines()
            .map(|line| {
                line.map_err(|error| error.to_string())
                    .and_then(|line| serde_json::from_str(&line).map_err(|error| error.to_string()))
                    .map_err(|error| broken(dir, "findings.jsonl", &error))
            })
            .collect::<Result<Vec<Finding>, RunError>>()?;
        let mut recordings = BTreeMap::new();
        let mut rows = csv::Reader::from_reader(open(dir, recordings::FILE)?);
        for line in rows.deserialize() {
            let line: RecordingLine =
                line.map_err(|error| broken(dir, recordings::FILE, &error.to_string()))?;
            let line = plain(line);
            let then = Then {
                target: of_target(&line),
                verdict: line.verdict,
            };
            recordings.insert((line.legacy_interaction_id, line.legacy_recording_id), then);
        }
        let is_there = |then: &&Then| !then.target[1].is_empty();
        Ok(EarlierReport {
            counts: Against {
                report: dir.display().to_string(),
                begun: identity.begun.clone(),
                plan_changed: identity.plan_sha256 != plan_sha256,
                has_evidence: recordings
                    .values()
                    .filter(is_there)
                    .all(|then: &Then| !then.target[3].is_empty()),
                ..Against::default()
            },
            scope: summary.scope,
            findings,
            recordings,
        })
    }

    /// Holds the recordings of now against those of then, one after another.
    pub(crate) fn recordings(
        mut self,
        lines: impl Iterator<Item = Result<RecordingLine, RunError>>,
    ) -> Result<RecordingsCompared, RunError> {
        let mut changes = Vec::new();
        for line in lines {
            self.compare_recording(line?, &mut changes);
        }
        let gone = std::mem::take(&mut self.recordings);
        for ((call, recording), then) in gone {
            self.counts.source_gone += 1;
            changes.push(Change {
                kind: ChangeKind::SourceGone,
                legacy_interaction_id: Some(call),
                legacy_recording_id: Some(recording),
                target_id: filled(&then.target[1]),
                what: "recording of the source".to_owned(),
                before: Some(then.verdict),
                after: None,
            });
        }
        Ok(RecordingsCompared {
            counts: self.counts,
            scope: self.scope,
            findings: self.findings,
            changes,
        })
    }

    fn compare_recording(&mut self, line: RecordingLine, changes: &mut Vec<Change>) {
        let key = (
            line.legacy_interaction_id.clone(),
            line.legacy_recording_id.clone(),
        );
        let then = self.recordings.remove(&key);
        let now = of_target(&line);
        let change = |kind, what: String, before: Option<String>, after: Option<String>| Change {
            kind,
            legacy_interaction_id: Some(line.legacy_interaction_id.clone()),
            legacy_recording_id: Some(line.legacy_recording_id.clone()),
            target_id: filled(&now[1])
                .or_else(|| then.as_ref().and_then(|then| filled(&then.target[1]))),
            what,
            before,
            after,
        };
        let Some(then) = &then else {
            self.counts.source_new += 1;
            changes.push(change(
                ChangeKind::SourceNew,
                "recording of the source".to_owned(),
                None,
                Some(line.verdict.clone()),
            ));
            return;
        };
        // Ids that came or went are a change. A hash that one of the two verifications did not
        // take (audio that was not compared) says nothing.
        let differ: Vec<usize> = (0..TARGET.len())
            .filter(|at| then.target[*at] != now[*at])
            .filter(|at| *at < 2 || !(then.target[*at].is_empty() || now[*at].is_empty()))
            .collect();
        if !differ.is_empty() {
            let of = |values: &[String; 4]| {
                let values: Vec<&str> = differ.iter().map(|at| values[*at].as_str()).collect();
                filled(values.join(" ").trim())
            };
            let columns: Vec<&str> = differ.iter().map(|at| TARGET[*at]).collect();
            self.counts.target_changed += 1;
            changes.push(change(
                ChangeKind::TargetChanged,
                columns.join(", "),
                of(&then.target),
                of(&now),
            ));
        }
        if then.verdict != line.verdict {
            self.counts.verdict_changed += 1;
            changes.push(change(
                ChangeKind::VerdictChanged,
                "verdict".to_owned(),
                Some(then.verdict.clone()),
                Some(line.verdict.clone()),
            ));
        }
    }
}

impl RecordingsCompared {
    /// What has changed since, by findings of now too. `scope`: what this verification looked at.
    pub(crate) fn findings(
        mut self,
        findings: &[Finding],
        scope: &Scope,
    ) -> (Against, Vec<Change>) {
        self.counts.scope_changed = !self.scope.is_like(scope);
        self.compare_findings(findings);
        (self.counts, self.changes)
    }

    fn compare_findings(&mut self, findings: &[Finding]) {
        let changes = &mut self.changes;
        let (then, now): (BTreeSet<FindingKey<'_>>, BTreeSet<FindingKey<'_>>) = (
            self.findings.iter().map(finding_key).collect(),
            findings.iter().map(finding_key).collect(),
        );
        let sides = [
            (findings, &then, ChangeKind::FindingNew),
            (&self.findings[..], &now, ChangeKind::FindingGone),
        ];
        let mut counts = [0, 0];
        for ((findings, other, kind), count) in sides.into_iter().zip(&mut counts) {
            for finding in findings
                .iter()
                .filter(|finding| !other.contains(&finding_key(finding)))
            {
                let told = Some(
                    finding
                        .actual
                        .clone()
                        .unwrap_or_else(|| "absent".to_owned()),
                );
                let (before, after) = match kind {
                    ChangeKind::FindingGone => (told, None),
                    _ => (None, told),
                };
                *count += 1;
                changes.push(Change {
                    kind,
                    legacy_interaction_id: finding.legacy_interaction_id.clone(),
                    legacy_recording_id: finding.legacy_recording_id.clone(),
                    target_id: finding.target_id.clone(),
                    what: format!("{}: {}", finding.title, finding.field),
                    before,
                    after,
                });
            }
        }
        [self.counts.findings_new, self.counts.findings_gone] = counts;
        self.counts.findings_same = findings.len() as u64 - self.counts.findings_new;
    }
}

/// What makes two findings the same; advice and consequences do not.
type FindingKey<'a> = (&'static str, [Option<&'a str>; 5], &'a str);

fn finding_key(finding: &Finding) -> FindingKey<'_> {
    let values = [
        finding.legacy_interaction_id.as_deref(),
        finding.legacy_recording_id.as_deref(),
        finding.target_id.as_deref(),
        finding.expected.as_deref(),
        finding.actual.as_deref(),
    ];
    (finding.defect.code(), values, &finding.field)
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn open(dir: &Path, name: &str) -> Result<BufReader<File>, RunError> {
    File::open(dir.join(name))
        .map(BufReader::new)
        .map_err(|error| {
            RunError::Plan(format!(
                "cannot read {}: {error}; name the folder of a finished verification with --against",
                dir.join(name).display()
            ))
        })
}

fn broken(dir: &Path, name: &str, why: &str) -> RunError {
    RunError::Plan(format!(
        "{} is not what a verification writes: {why}",
        dir.join(name).display()
    ))
}

/// Refuses a file that is not the one its summary was written beside.
fn unaltered(dir: &Path, name: &str, sha256: Option<&String>) -> Result<(), RunError> {
    let mut file = open(dir, name)?;
    let mut hash = Sha256::new();
    loop {
        let piece = file
            .fill_buf()
            .map_err(|error| broken(dir, name, &error.to_string()))?;
        if piece.is_empty() {
            break;
        }
        hash.update(piece);
        let read = piece.len();
        file.consume(read);
    }
    if sha256 == Some(&hex::encode(hash.finalize())) {
        return Ok(());
    }
    Err(RunError::Plan(format!(
        "{} was altered after it was written: summary.json names another hash of it; take the \
         report as it was written",
        dir.join(name).display()
    )))
}

impl Against {
    /// The end of the verdict's sentence.
    pub(crate) fn words(&self) -> String {
        let counts = [
            (
                self.target_changed,
                "recording was changed in the target",
                "recordings were changed in the target",
            ),
            (self.findings_new, "finding is new", "findings are new"),
            (self.findings_gone, "finding is gone", "findings are gone"),
            (
                self.verdict_changed,
                "recording has another verdict",
                "recordings have another verdict",
            ),
            (
                self.source_new,
                "recording is new in the source",
                "recordings are new in the source",
            ),
            (
                self.source_gone,
                "recording is gone from the source",
                "recordings are gone from the source",
            ),
        ];
        let parts: Vec<String> = counts
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, several)| {
                format!("{count} {}", if count == 1 { one } else { several })
            })
            .collect();
        let told = if parts.is_empty() {
            "nothing has changed".to_owned()
        } else {
            parts.join(", ")
        };
        format!("since the report begun at {} {told}", self.begun)
    }

    /// What a reader should know. Absent: the two reports compare like with like.
    pub(crate) fn notice(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.plan_changed {
            parts.push("the earlier report was made with a different plan or mapping");
        }
        if self.scope_changed {
            parts.push(
                "the two verifications did not look at the same (audio, source, a running \
                 migration), so a finding may be new or gone because it was not looked for",
            );
        }
        if !self.has_evidence {
            parts.push(
                "the earlier report does not say what the target showed of each recording, so an \
                 edit that no check looks at is not told",
            );
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

impl Change {
    /// A line for a person.
    pub(crate) fn words(&self) -> String {
        let ids = [
            &self.legacy_recording_id,
            &self.legacy_interaction_id,
            &self.target_id,
        ];
        let subject = ids.into_iter().flatten().next().map_or("", String::as_str);
        let told = match self.kind {
            ChangeKind::FindingNew => "new finding",
            ChangeKind::FindingGone => "finding is gone",
            ChangeKind::TargetChanged => "changed in the target",
            ChangeKind::VerdictChanged => "another verdict",
            ChangeKind::SourceNew => "new in the source",
            ChangeKind::SourceGone => "gone from the source",
        };
        let values = match (self.kind, &self.before, &self.after) {
            // Hashes say nothing to a person.
            (ChangeKind::TargetChanged, ..) => String::new(),
            (_, Some(before), Some(after)) => format!(": {after} instead of {before}"),
            (_, Some(value), None) | (_, None, Some(value)) => format!(": {value}"),
            (_, None, None) => String::new(),
        };
        format!("{subject}: {told}: {}{values}", self.what)
    }
}
