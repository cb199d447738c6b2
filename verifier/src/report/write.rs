//! Files of a report, each written whole or not at all.

use std::path::Path;

use serde::Serialize;

use super::Report;
use crate::drift::DriftLine;
use crate::stop::Stop;

impl Report {
    /// Writes `summary.json`, `findings.jsonl`, `drift.jsonl`, `requests.jsonl` and `breakdown.csv` into a folder; `recordings.csv` stands there by then, which is made where it is missing. The
    /// summary comes last: where it stands, the others are whole.
    pub fn write(&self, dir: &Path) -> Result<(), Stop> {
        let unwritable = |error| unwritable(dir, &error);
        write_drift(dir, &self.drift)?;
        whole(dir, "findings.jsonl", &lines(&self.findings)?).map_err(unwritable)?;
        whole(dir, "requests.jsonl", &lines(&self.requests)?).map_err(unwritable)?;
        whole(dir, "breakdown.csv", &self.breakdown_csv()?).map_err(unwritable)?;
        let mut summary = serde_json::to_vec_pretty(&self.summary).map_err(|error| Stop::Internal(error.to_string()))?;
        summary.push(b'\n');
        whole(dir, "summary.json", &summary).map_err(unwritable)
    }

    fn breakdown_csv(&self) -> Result<Vec<u8>, Stop> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in &self.breakdown {
            writer.serialize(row).map_err(|error| Stop::Internal(error.to_string()))?;
        }
        writer.into_inner().map_err(|error| Stop::Internal(error.to_string()))
    }
}

/// Writes `drift.jsonl` alone: a verification that ends without a verdict leaves it behind.
pub(crate) fn write_drift(dir: &Path, drift: &[DriftLine]) -> Result<(), Stop> {
    output::private::folder(dir).map_err(|error| unwritable(dir, &error))?;
    whole(dir, "drift.jsonl", &lines(drift)?).map_err(|error| unwritable(dir, &error))
}

pub(super) fn unwritable(dir: &Path, error: &std::io::Error) -> Stop {
    Stop::Report(format!("cannot write the report to {}: {error}; make room or choose another --report", dir.display()))
}

fn lines<T: Serialize>(rows: &[T]) -> Result<Vec<u8>, Stop> {
    let mut out = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut out, row).map_err(|error| Stop::Internal(error.to_string()))?;
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
        report.write(&dir.path().join("deep/report")).expect("written");
        let read = |name: &str| std::fs::read_to_string(dir.path().join("deep/report").join(name)).expect(name);
        let summary: Summary = serde_json::from_str(&read("summary.json")).expect("a summary");
        assert_eq!(summary, report.summary);
        let finding: Finding = serde_json::from_str(read("findings.jsonl").trim()).expect("a finding");
        assert_eq!((finding.defect, finding.actual), (report.findings[0].defect, report.findings[0].actual.clone()));
        assert!(read("requests.jsonl").contains("\"read_only\":true"));
        assert_eq!(std::fs::read_dir(dir.path().join("deep/report")).expect("a folder").count(), 5, "no temporary file is left");
    }
}
