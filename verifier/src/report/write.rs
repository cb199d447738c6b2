//! Files of a report, each written whole or not at all.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Report;
use crate::drift::DriftLine;
use crate::manifest::ManifestDifference;
use crate::run_error::RunError;
use crate::sorted_records::SortedRecords;
use crate::verdict::BreakdownRow;

impl Report {
    /// Writes `summary.json`, `findings.jsonl`, `drift.jsonl`, `requests.jsonl`, `breakdown.csv`
    /// and, beside an earlier report, `changes.jsonl` into a folder, which is made where it is
    /// missing; `recordings.csv` and `manifest.jsonl` stand there by then. The summary comes last,
    /// with the hashes of the others, which are the answer: where it stands, they are whole.
    ///
    /// # Errors
    ///
    /// The folder or a file cannot be written, or `recordings.csv` cannot be read ([`RunError`]).
    pub fn write(&self, dir: &Path) -> Result<BTreeMap<String, String>, RunError> {
        let unwritable = |error: &std::io::Error| unwritable(dir, error);
        output::private::folder(dir).map_err(|error| unwritable(&error))?;
        let files = [
            ("drift.jsonl", lines(&self.drift)?),
            ("findings.jsonl", lines(&self.findings)?),
            ("requests.jsonl", lines(&self.requests)?),
            ("breakdown.csv", self.breakdown_csv()?),
        ];
        let mut hashes = BTreeMap::new();
        let changes = match &self.summary.against {
            Some(_) => Some(("changes.jsonl", lines(&self.changes)?)),
            None => {
                remove_old(dir, "changes.jsonl")?;
                None
            }
        };
        for (name, bytes) in files.into_iter().chain(changes) {
            whole(dir, name, &bytes).map_err(|error| unwritable(&error))?;
            hashes.insert(name.to_owned(), hex::encode(Sha256::digest(&bytes)));
        }
        for name in ["recordings.csv", MANIFEST] {
            if let Ok(mut file) = std::fs::File::open(dir.join(name)) {
                let mut hash = Hashing(Sha256::new());
                std::io::copy(&mut file, &mut hash).map_err(|error| unwritable(&error))?;
                hashes.insert(name.to_owned(), hex::encode(hash.0.finalize()));
            }
        }
        let mut told = self.summary.clone();
        told.identity.files.clone_from(&hashes);
        let mut summary = serde_json::to_vec_pretty(&told)
            .map_err(|error| RunError::Internal(error.to_string()))?;
        summary.push(b'\n');
        whole(dir, "summary.json", &summary).map_err(|error| unwritable(&error))?;
        Ok(hashes)
    }

    fn breakdown_csv(&self) -> Result<Vec<u8>, RunError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in &self.breakdown {
            let key = output::csv_cell(&row.key).into_owned();
            writer
                .serialize(BreakdownRow {
                    key,
                    name: output::csv_cell(&row.name).into_owned(),
                    ..row.clone()
                })
                .map_err(|error| RunError::Internal(error.to_string()))?;
        }
        writer
            .into_inner()
            .map_err(|error| RunError::Internal(error.to_string()))
    }
}

/// That of an earlier verification says nothing of this one.
fn remove_old(dir: &Path, name: &str) -> Result<(), RunError> {
    match std::fs::remove_file(dir.join(name)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unwritable(dir, &error)),
        _ => Ok(()),
    }
}

/// Differences from a signed manifest, in the report's folder.
const MANIFEST: &str = "manifest.jsonl";

/// Writes `manifest.jsonl` line by line; where there is no manifest, that of an earlier verification
/// goes.
pub(crate) fn write_manifest_differences(
    dir: &Path,
    differences: Option<&SortedRecords<ManifestDifference>>,
) -> Result<(), RunError> {
    let Some(differences) = differences else {
        return remove_old(dir, MANIFEST);
    };
    let path = dir.join(MANIFEST);
    let part = output::private::part_of(&path);
    let written = write_differences(dir, &part, differences)
        .and_then(|()| std::fs::rename(&part, &path).map_err(|error| unwritable(dir, &error)));
    if written.is_err() {
        // What is left of it is of no use; why it could not be written is what matters.
        let _ = std::fs::remove_file(&part);
    }
    written
}

fn write_differences(
    dir: &Path,
    part: &Path,
    differences: &SortedRecords<ManifestDifference>,
) -> Result<(), RunError> {
    let unwritable = |error: std::io::Error| unwritable(dir, &error);
    let mut out = BufWriter::new(output::private::create(part).map_err(unwritable)?);
    for difference in differences.iter() {
        let mut line = serde_json::to_vec(&difference?)
            .map_err(|error| RunError::Internal(error.to_string()))?;
        line.push(b'\n');
        out.write_all(&line).map_err(unwritable)?;
    }
    out.into_inner()
        .map_err(std::io::IntoInnerError::into_error)
        .and_then(|file| file.sync_all())
        .map_err(unwritable)
}

/// Takes bytes for their hash.
struct Hashing(Sha256);

impl std::io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Writes `drift.jsonl` alone: a verification that ends without a verdict leaves it behind.
pub(crate) fn write_drift(dir: &Path, drift: &[DriftLine]) -> Result<(), RunError> {
    output::private::folder(dir).map_err(|error| unwritable(dir, &error))?;
    whole(dir, "drift.jsonl", &lines(drift)?).map_err(|error| unwritable(dir, &error))
}

pub(super) fn unwritable(dir: &Path, error: &std::io::Error) -> RunError {
    RunError::Report(format!(
        "cannot write the report to {}: {error}; make room or choose another --report",
        dir.display()
    ))
}

fn lines<T: Serialize>(rows: &[T]) -> Result<Vec<u8>, RunError> {
    let mut out = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut out, row)
            .map_err(|error| RunError::Internal(error.to_string()))?;
        out.push(b'\n');
    }
    Ok(out)
}

fn whole(dir: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    output::private::replace(&dir.join(name), bytes)
}

#[cfg(test)]
mod tests {
    use crate::report::testing::report;
    use crate::{Finding, Summary};

    #[test]
    fn what_is_written_is_read_back() {
        let dir = tempfile::tempdir().expect("a folder");
        let report = report();
        let hashes = report
            .write(&dir.path().join("deep/report"))
            .expect("written");
        let read = |name: &str| {
            std::fs::read_to_string(dir.path().join("deep/report").join(name)).expect(name)
        };
        let summary: Summary = serde_json::from_str(&read("summary.json")).expect("a summary");
        assert_eq!(summary.identity.files, hashes);
        assert_eq!(
            hashes.keys().collect::<Vec<_>>(),
            [
                "breakdown.csv",
                "drift.jsonl",
                "findings.jsonl",
                "requests.jsonl"
            ]
        );
        let unhashed = crate::report::Identity {
            files: std::collections::BTreeMap::new(),
            ..summary.identity.clone()
        };
        assert_eq!(
            Summary {
                identity: unhashed,
                ..summary
            },
            report.summary
        );
        let finding: Finding =
            serde_json::from_str(read("findings.jsonl").trim()).expect("a finding");
        assert_eq!(
            (finding.defect, finding.actual),
            (report.findings[0].defect, report.findings[0].actual.clone())
        );
        assert!(read("requests.jsonl").contains("\"read_only\":true"));
        assert_eq!(
            std::fs::read_dir(dir.path().join("deep/report"))
                .expect("a folder")
                .count(),
            5,
            "no temporary file is left"
        );
    }
}
