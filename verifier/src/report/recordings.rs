//! `recordings.csv`: one line for every recording of the source, the matched ones too.

use std::io::{BufWriter, Write};
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::write::unwritable;
use crate::expected::{ExpectedRecording, SourceSound};
use crate::finding::Finding;
use crate::join_recordings::{JudgedRecording, Place};
use crate::judged_call::JudgedCall;
use crate::observed::{TargetConversation, TargetRecording};
use crate::run_error::RunError;
use crate::saved_readings::SavedRecording;
use crate::sound::{PairSound, TargetSound};
use crate::verdict::Bucket;

/// Its name in the report's folder.
pub(super) const FILE: &str = "recordings.csv";

/// A line of `recordings.csv`. Empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordingLine {
    /// Interaction of the source.
    pub legacy_interaction_id: String,
    /// Recording of the source.
    pub legacy_recording_id: String,
    /// Start by the source, UTC.
    pub start: String,
    /// Conversation in the target.
    pub target_interaction_id: String,
    /// Recording in the target.
    pub target_recording_id: String,
    /// `matched`, `different`, `missing`, `quarantined`, `skipped` or `not_verifiable`; each line
    /// is one of the summary's counts.
    pub verdict: String,
    /// Of what is absent its reason, of what is wrong the titles of its findings, of what cannot be
    /// told what would be needed.
    pub reason: String,
    /// SHA-256 of the source's file.
    pub source_sha256: String,
    /// SHA-256 of the target's file, decrypted where it is encrypted.
    pub target_sha256: String,
    /// `metadata`, `metadata and audio`, `source audio` (of what is absent: its bytes are what
    /// justifies it) or `nothing`.
    pub compared: String,
    /// Classes of its findings and of those about its call.
    pub defects: String,
    /// SHA-256 over what the target shows of the recording and its call: equal in two reports where
    /// nobody has changed either. Numbers of people are not part of it.
    #[serde(default)]
    pub target_evidence: String,
    /// Size of the source's file. Bytes.
    #[serde(default)]
    pub source_bytes: String,
}

impl RecordingLine {
    const HEADER: [&str; 13] = [
        "legacy_interaction_id",
        "legacy_recording_id",
        "start",
        "target_interaction_id",
        "target_recording_id",
        "verdict",
        "reason",
        "source_sha256",
        "target_sha256",
        "compared",
        "defects",
        "target_evidence",
        "source_bytes",
    ];

    fn cells(&self) -> [&str; 13] {
        [
            &self.legacy_interaction_id,
            &self.legacy_recording_id,
            &self.start,
            &self.target_interaction_id,
            &self.target_recording_id,
            &self.verdict,
            &self.reason,
            &self.source_sha256,
            &self.target_sha256,
            &self.compared,
            &self.defects,
            &self.target_evidence,
            &self.source_bytes,
        ]
    }
}

impl From<RecordingLine> for JudgedRecording {
    fn from(line: RecordingLine) -> JudgedRecording {
        JudgedRecording {
            place: match line.verdict.as_str() {
                "matched" | "different" => Place::Target,
                "missing" => Place::Missing,
                _ => Place::Elsewhere,
            },
            call: line.legacy_interaction_id,
            recording: line.legacy_recording_id,
            start: line.start,
            bytes: line.source_bytes,
            sha256: line.source_sha256,
            target_id: line.target_recording_id,
        }
    }
}

/// Writes the lines as they come: nothing is gathered.
pub(crate) fn write_recordings(
    dir: &Path,
    lines: impl Iterator<Item = Result<RecordingLine, RunError>>,
) -> Result<(), RunError> {
    let unwritable = |error: std::io::Error| unwritable(dir, &error);
    output::private::folder(dir).map_err(unwritable)?;
    let path = dir.join(FILE);
    let part = output::private::part_of(&path);
    let written = write_lines(&part, lines, &unwritable)
        .and_then(|()| std::fs::rename(&part, &path).map_err(unwritable));
    if written.is_err() {
        // What is left of it is of no use; why it could not be written is what matters.
        let _ = std::fs::remove_file(&part);
    }
    written
}

fn write_lines(
    part: &Path,
    lines: impl Iterator<Item = Result<RecordingLine, RunError>>,
    unwritable: &impl Fn(std::io::Error) -> RunError,
) -> Result<(), RunError> {
    let mut out = BufWriter::new(output::private::create(part).map_err(unwritable)?);
    writeln!(out, "{}", output::csv_line(&RecordingLine::HEADER)).map_err(unwritable)?;
    for line in lines {
        writeln!(out, "{}", output::csv_line(&line?.cells())).map_err(unwritable)?;
    }
    out.into_inner()
        .map_err(std::io::IntoInnerError::into_error)
        .and_then(|file| file.sync_all())
        .map_err(unwritable)
}

/// A line for each recording of a call. `sound`: what was heard of each.
pub(crate) fn lines_of_call<'a>(
    call: &JudgedCall<'_>,
    sound: impl Fn(usize) -> Option<&'a PairSound>,
) -> Vec<RecordingLine> {
    let JudgedCall {
        expected,
        judged,
        pairing,
        conversation,
        ..
    } = call;
    let cases = expected.recordings.iter().zip(&judged.buckets).enumerate();
    let line = |(at, (recording, bucket)): (usize, (&ExpectedRecording, &Bucket))| {
        let there = pairing.recordings.get(at).copied().flatten();
        let there = conversation
            .zip(there)
            .map(|(conversation, there)| &conversation.read_recordings()[there]);
        let sound = sound(at);
        let findings = || {
            judged
                .findings
                .iter()
                .filter(|finding| concerns(finding, &recording.legacy_id))
        };
        let (verdict, reason) = told(bucket, findings());
        RecordingLine {
            legacy_interaction_id: String::from(&expected.legacy_id),
            legacy_recording_id: String::from(&recording.legacy_id),
            start: recording
                .span
                .map(|span| span.start.to_string())
                .unwrap_or_default(),
            target_interaction_id: conversation
                .map(|conversation| String::from(&conversation.id))
                .unwrap_or_default(),
            target_recording_id: there
                .map(|there| String::from(&there.id))
                .unwrap_or_default(),
            verdict: verdict.to_owned(),
            reason,
            source_sha256: sound
                .and_then(|sound| sound.source_sha256.clone())
                .unwrap_or_default(),
            target_sha256: sound
                .and_then(|sound| sound.target_sha256.clone())
                .unwrap_or_default(),
            compared: compared(there.is_some(), sound).to_owned(),
            defects: once(findings().map(|finding| finding.defect.code())),
            target_evidence: conversation
                .zip(there)
                .map(|(conversation, there)| evidence(conversation, there))
                .unwrap_or_default(),
            source_bytes: sound
                .and_then(|sound| sound.source_bytes)
                .map(|bytes| bytes.to_string())
                .unwrap_or_default(),
        }
    };
    cases.map(line).collect()
}

/// A hash over what the target shows of a recording and its call. Left out is what changes by
/// itself (the state of the file), what some readings do not carry (skills), and the numbers of
/// people, which a hash does not hide: every verification compares them with the source.
fn evidence(conversation: &TargetConversation, recording: &TargetRecording) -> String {
    let legs = conversation
        .legs
        .iter()
        .map(|leg| serde_json::json!([leg.user, leg.start, leg.end, leg.wrap_ups]).to_string());
    let mut saved = SavedRecording::from(recording);
    saved.file_state = None;
    let shown = serde_json::json!({
        "id": conversation.id,
        "legacy_id": conversation.legacy_id,
        "start": conversation.start,
        "end": conversation.end,
        "direction": conversation.direction,
        "legs": sorted(legs.collect()),
        "queues": sorted(conversation.queues.clone()),
        "wrap_ups": sorted(conversation.wrap_ups.clone()),
        "attributes": conversation.attributes,
        "protected": conversation.protected,
        "recording": saved,
    });
    hex::encode(Sha256::digest(shown.to_string()))
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values
}

/// A finding about the call is about each of its recordings.
fn concerns(finding: &Finding, recording: &str) -> bool {
    finding
        .legacy_recording_id
        .as_deref()
        .is_none_or(|about| about == recording)
}

fn told<'a>(
    bucket: &Bucket,
    findings: impl Iterator<Item = &'a Finding>,
) -> (&'static str, String) {
    match bucket {
        Bucket::Matched => ("matched", String::new()),
        Bucket::Different => (
            "different",
            once(findings.map(|finding| finding.title.as_str())),
        ),
        Bucket::Missing => (
            "missing",
            once(findings.map(|finding| finding.title.as_str())),
        ),
        Bucket::Quarantined { reason } => ("quarantined", reason.clone()),
        Bucket::Skipped { reason, .. } => ("skipped", reason.clone()),
        Bucket::NotVerifiable(need) => ("not_verifiable", need.clone()),
    }
}

fn once<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    words.for_each(|word| {
        if !seen.contains(&word) {
            seen.push(word);
        }
    });
    seen.join("; ")
}

fn compared(is_there: bool, sound: Option<&PairSound>) -> &'static str {
    let was_read = sound
        .is_some_and(|sound| matches!(sound.source, SourceSound::Good(_) | SourceSound::Bad(_)));
    let was_compared = sound.is_some_and(|sound| matches!(sound.target, TargetSound::Compared(_)));
    match (is_there, was_compared, was_read) {
        (true, true, _) => "metadata and audio",
        (true, false, _) => "metadata",
        (false, _, true) => "source audio",
        (false, _, false) => "nothing",
    }
}
