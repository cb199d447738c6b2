//! A signed manifest: every recording that the exporting side says there is, held against what was
//! read of the source. Where it names all of them, staging alone is proved to be whole. Source:
//! docs/reference/match.md, "A signed manifest".

mod read;
mod signature;

use std::collections::BTreeMap;
use std::path::Path;

use plan::LoadedPlan;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::read::{Named, Start};
use crate::join_recordings::{JudgedRecording, join};
use crate::options::SignedManifest;
use crate::run_error::RunError;
use crate::sorted_records::{RecordSorter, SortedRecords};
use crate::utc_millis::UtcMillis;

/// Differences that stand in the summary; all of them are in `manifest.jsonl`.
const EXAMPLES: usize = 10;

/// How a manifest came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ManifestCompared {
    /// The file, as it was named.
    pub file: String,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// Key that signed it, as minisign shows it: 16 hexadecimal digits.
    pub key_id: String,
    /// What the signer wrote into the signature.
    pub trusted_comment: String,
    /// Recordings that it names.
    pub recordings: u64,
    /// Of these, not in the source and by their start outside the plan's window; not compared.
    pub outside_window: u64,
    /// Of these, not in the source as it was read.
    pub not_in_source: u64,
    /// Recordings of the source that it does not name.
    pub not_in_manifest: u64,
    /// Starts that it gives.
    pub starts: ManifestValues,
    /// Sizes that it gives.
    pub sizes: ManifestValues,
    /// Hashes that it gives.
    pub hashes: ManifestValues,
    /// The first of the differences; all of them stand in `manifest.jsonl`.
    pub examples: Vec<ManifestDifference>,
}

/// Values of one kind in a manifest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ManifestValues {
    /// Given for recordings that the source has.
    pub given: u64,
    /// Of these, held against the source. The others could not be: the source's time is unusable, or
    /// its file was not read.
    pub compared: u64,
    /// Of these, other than the source's.
    pub differ: u64,
}

/// In what a manifest and the source differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ManifestDifferenceKind {
    /// The manifest names a recording that the source, as it was read, does not have.
    NotInSource,
    /// The source has a recording that the manifest does not name.
    NotInManifest,
    /// The recording's start.
    Start,
    /// Size of its file. Bytes.
    Bytes,
    /// Hash of its file.
    Sha256,
}

/// A line of `manifest.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ManifestDifference {
    /// In what they differ.
    pub kind: ManifestDifferenceKind,
    /// Call of the source.
    pub legacy_interaction_id: String,
    /// Recording of the source.
    pub legacy_recording_id: String,
    /// Line of the manifest, from 1. Absent: it does not name the recording.
    pub line: Option<u64>,
    /// By the manifest. Absent: it does not name the recording.
    pub expected: Option<String>,
    /// By the source, as it was read. Absent: it does not have the recording.
    pub actual: Option<String>,
}

/// A manifest whose signature holds.
pub(crate) struct Manifest {
    named: SortedRecords<Named>,
    compared: ManifestCompared,
}

/// A manifest that was held against the source.
pub(crate) struct ManifestOutcome {
    pub(crate) compared: ManifestCompared,
    /// In the order of the calls' ids.
    pub(crate) differences: SortedRecords<ManifestDifference>,
}

impl Manifest {
    /// Checks the signature and reads what was signed. `folder`: where room is for what does not
    /// fit in memory.
    ///
    /// # Errors
    ///
    /// The signature does not hold, or a line is wrong ([`RunError::Plan`]).
    pub(crate) fn read(manifest: &SignedManifest, folder: &Path) -> Result<Manifest, RunError> {
        let file = &manifest.file;
        let signed = signature::check(file, &manifest.key)?;
        let lines = read::read(file, folder)?;
        if lines.sha256 != signed.sha256 {
            return Err(RunError::Plan(format!(
                "{} was changed while it was read; hand over a copy that nobody writes to",
                file.display()
            )));
        }
        Ok(Manifest {
            compared: ManifestCompared {
                file: file.display().to_string(),
                sha256: signed.sha256,
                key_id: signed.key_id,
                trusted_comment: signed.trusted_comment,
                recordings: lines.named.len(),
                outside_window: 0,
                not_in_source: 0,
                not_in_manifest: 0,
                starts: ManifestValues::default(),
                sizes: ManifestValues::default(),
                hashes: ManifestValues::default(),
                examples: Vec::new(),
            },
            named: lines.named,
        })
    }

    /// Holds it against every recording of the source. `folder`: as in [`Manifest::read`].
    ///
    /// # Errors
    ///
    /// What was stored cannot be read back, or there is no room for the differences.
    pub(crate) fn compare(
        self,
        loaded: &LoadedPlan,
        judged: impl Iterator<Item = Result<JudgedRecording, RunError>>,
        folder: &Path,
    ) -> Result<ManifestOutcome, RunError> {
        let mut comparing = Comparing {
            compared: self.compared,
            differences: RecordSorter::new(folder),
            window: Window::of(loaded),
            offsets_ms: loaded
                .plan
                .time
                .node
                .values()
                .map(|node| node.offset_ms)
                .collect(),
        };
        join(&self.named, judged, |named, judged| {
            comparing.call(named, judged)
        })?;
        Ok(ManifestOutcome {
            compared: comparing.compared,
            differences: comparing.differences.sorted()?,
        })
    }
}

/// The plan's window. Absent: no bound.
struct Window {
    from: Option<UtcMillis>,
    to: Option<UtcMillis>,
}

impl Window {
    fn of(loaded: &LoadedPlan) -> Window {
        let source = &loaded.plan.source;
        Window {
            from: source.from().map(UtcMillis::from),
            to: source.to().map(UtcMillis::from),
        }
    }

    /// Whether a recording that begins then is not asked for.
    fn excludes(&self, start: Option<Start>) -> bool {
        let is_before = |start: UtcMillis| self.from.is_some_and(|from| start < from);
        let is_after = |start: UtcMillis| self.to.is_some_and(|to| start >= to);
        start.is_some_and(|start| is_before(start.at) || is_after(start.at))
    }
}

struct Comparing {
    compared: ManifestCompared,
    differences: RecordSorter<ManifestDifference>,
    window: Window,
    /// Which the plan declares for recorders. The exporting side may give the times as their clocks
    /// had them.
    offsets_ms: Vec<i64>,
}

impl Comparing {
    fn call(&mut self, named: Vec<Named>, judged: Vec<JudgedRecording>) -> Result<(), RunError> {
        let mut named: BTreeMap<String, Named> = named
            .into_iter()
            .map(|named| (named.recording.clone(), named))
            .collect();
        for judged in judged {
            match named.remove(&judged.recording) {
                Some(named) => self.recording(&named, &judged)?,
                None => {
                    self.compared.not_in_manifest += 1;
                    self.differ(ManifestDifference {
                        kind: ManifestDifferenceKind::NotInManifest,
                        legacy_interaction_id: judged.call,
                        legacy_recording_id: judged.recording,
                        line: None,
                        expected: None,
                        actual: Some(judged.start),
                    })?;
                }
            }
        }
        for named in named.into_values() {
            if self.window.excludes(named.start) {
                self.compared.outside_window += 1;
                continue;
            }
            self.compared.not_in_source += 1;
            let start = named.start.map(|start| start.at.to_string());
            self.differ(ManifestDifference {
                kind: ManifestDifferenceKind::NotInSource,
                line: Some(named.line),
                legacy_interaction_id: named.call,
                legacy_recording_id: named.recording,
                expected: start,
                actual: None,
            })?;
        }
        Ok(())
    }

    /// A recording that both have.
    fn recording(&mut self, named: &Named, judged: &JudgedRecording) -> Result<(), RunError> {
        use ManifestDifferenceKind::{Bytes, Sha256, Start};
        let start = named.start.map(|start| start.at.to_string());
        let same_start = named
            .start
            .zip(UtcMillis::parse(&judged.start))
            .map(|(wanted, actual)| self.is_start(wanted, actual));
        let bytes = named.bytes.map(|bytes| bytes.to_string());
        let same = |wanted: &Option<String>, actual: &str| {
            let wanted = wanted.as_ref().filter(|_| !actual.is_empty());
            wanted.map(|wanted| wanted == actual)
        };
        let (same_bytes, same_hash) = (
            same(&bytes, &judged.bytes),
            same(&named.sha256, &judged.sha256),
        );
        let compared = &mut self.compared;
        let mut differ = Vec::new();
        let values = [
            (
                Start,
                &mut compared.starts,
                start,
                same_start,
                &judged.start,
            ),
            (Bytes, &mut compared.sizes, bytes, same_bytes, &judged.bytes),
            (
                Sha256,
                &mut compared.hashes,
                named.sha256.clone(),
                same_hash,
                &judged.sha256,
            ),
        ];
        for (kind, values, wanted, is_same, actual) in values {
            values.given += u64::from(wanted.is_some());
            values.compared += u64::from(is_same.is_some());
            if is_same == Some(false) {
                values.differ += 1;
                differ.push((kind, wanted, actual.clone()));
            }
        }
        for (kind, expected, actual) in differ {
            self.differ(ManifestDifference {
                kind,
                legacy_interaction_id: named.call.clone(),
                legacy_recording_id: named.recording.clone(),
                line: Some(named.line),
                expected,
                actual: Some(actual),
            })?;
        }
        Ok(())
    }

    /// Whether a recording begins as the manifest says: at the same instant, or at the one its
    /// recorder's clock showed; and as precisely as the manifest has it.
    fn is_start(&self, wanted: Start, actual: UtcMillis) -> bool {
        let is_same = |actual: UtcMillis| match wanted.is_whole_second {
            true => wanted.at.seconds() == actual.seconds(),
            false => wanted.at == actual,
        };
        let mut by_clock = self.offsets_ms.iter();
        is_same(actual) || by_clock.any(|offset_ms| is_same(actual.plus_ms(-offset_ms)))
    }

    fn differ(&mut self, difference: ManifestDifference) -> Result<(), RunError> {
        if self.compared.examples.len() < EXAMPLES {
            self.compared.examples.push(difference.clone());
        }
        self.differences.append(&difference)
    }
}

impl ManifestCompared {
    /// How many differences there are.
    pub(crate) fn differences(&self) -> u64 {
        let values = [self.starts, self.sizes, self.hashes];
        let differ: u64 = values.iter().map(|values| values.differ).sum();
        self.not_in_source + self.not_in_manifest + differ
    }

    /// Whether it names every recording that was read, and so whether there is one that was not.
    pub(crate) fn is_whole(&self) -> bool {
        self.not_in_manifest == 0
    }

    /// The end of the verdict's sentence.
    pub(crate) fn words(&self) -> String {
        format!(
            "held against a manifest of {} recordings, signed by key {}",
            self.recordings, self.key_id
        )
    }

    /// What a reader should know. Absent: everything that it gives was compared.
    pub(crate) fn notice(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.outside_window > 0 {
            parts.push(format!(
                "{} recordings of the manifest begin outside the plan's window, are not in the \
                 source as it was read, and were not compared",
                self.outside_window
            ));
        }
        let values = [
            ("start", self.starts, "the source's time is unusable"),
            ("size", self.sizes, "their file was not read"),
            ("SHA-256", self.hashes, "their file was not read"),
        ];
        for (what, values, why) in values {
            let left = values.given - values.compared;
            if left > 0 {
                parts.push(format!(
                    "the manifest gives the {what} of {} recordings, and of {left} it was not \
                     compared, because {why}",
                    values.given
                ));
            }
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

impl ManifestDifference {
    /// For a person: which recording, and in what it differs. `as_read`: how the source was read.
    pub(crate) fn words(&self, as_read: &str) -> String {
        let (call, recording) = (&self.legacy_interaction_id, &self.legacy_recording_id);
        let line = self.line.unwrap_or_default();
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let (expected, actual) = (text(&self.expected), text(&self.actual));
        let values = |what: &str| {
            format!("{what} {expected} by the manifest (line {line}), {actual} {as_read}")
        };
        let told = match self.kind {
            ManifestDifferenceKind::NotInSource => {
                format!("named by the manifest (line {line}), not {as_read}")
            }
            ManifestDifferenceKind::NotInManifest => {
                format!("{as_read}, not named by the manifest")
            }
            ManifestDifferenceKind::Start => values("start"),
            ManifestDifferenceKind::Bytes => values("bytes"),
            ManifestDifferenceKind::Sha256 => values("SHA-256"),
        };
        format!("{recording} of call {call}: {told}")
    }
}

#[cfg(test)]
mod tests;
