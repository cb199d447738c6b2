//! Uploads that wait for a conversation or are being processed, by the platform's report of
//! uploads. Source: the vendor's API description, RecordingUploadReport; the columns of its file
//! are assumed, and found by their names.

use serde::{Deserialize, Serialize};

use super::read::Reader;
use super::requests::need;
use crate::run_error::RunError;
use crate::target::Wait;
use crate::utc_millis::UtcMillis;

/// A line of some hundred bytes for each of millions of uploads. Bytes.
const LARGEST_REPORT: u64 = 1 << 30;

/// An upload that has not become a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parked {
    /// Name of its file, as it was uploaded.
    pub(crate) file: String,
    /// `Pending` or `WaitForConversation`.
    pub(crate) status: String,
    /// When its status changed last. Absent: not told.
    pub(crate) since: Option<UtcMillis>,
}

impl Parked {
    /// Whether its file is named after a recording of the source: the id stands in it, and neither
    /// a letter nor a figure beside it. An upload says nothing else of where it comes from; so this
    /// is used only for a recording that is missing.
    pub(crate) fn is_of(&self, recording: &str) -> bool {
        let mut rest = self.file.as_str();
        while let Some(at) = rest.find(recording).filter(|_| !recording.is_empty()) {
            let before = rest[..at].chars().next_back();
            let after = rest[at + recording.len()..].chars().next();
            if ![before, after]
                .into_iter()
                .flatten()
                .any(char::is_alphanumeric)
            {
                return true;
            }
            rest = &rest[at + recording.len()..];
        }
        false
    }
}

impl Reader<'_> {
    /// What waits. Not allowed, or no report in time: nothing, and why stands in `needs`.
    pub(super) async fn parked(
        &self,
        needs: &mut std::collections::BTreeSet<String>,
    ) -> Result<Vec<Parked>, RunError> {
        let told = |name: &str, error: &platforms::CallError| {
            need(name, error).ok_or_else(|| RunError::target("read the report of uploads", error))
        };
        let mut report = match self
            .client
            .create_upload_report("1970-01-01T00:00:00.000Z")
            .await
        {
            Ok(report) => report,
            Err(error) => {
                needs.insert(told("create_upload_report", &error)?);
                return Ok(Vec::new());
            }
        };
        let mut wait = Wait::new(&self.clock, self.patience);
        loop {
            if let Some(address) = report
                .signed_url
                .clone()
                .filter(|_| report.state == "Completed")
            {
                return match self.download(&address).await {
                    Some(text) => Ok(table(&text)),
                    None => {
                        needs.insert(
                            "the file of the report of uploads, which cannot be read".to_owned(),
                        );
                        Ok(Vec::new())
                    }
                };
            }
            if report.state == "Failed" || !wait.again().await {
                needs.insert(
                    "a report of uploads that is completed, for uploads that never ended"
                        .to_owned(),
                );
                return Ok(Vec::new());
            }
            report = match self.client.upload_report(&report.id).await {
                Ok(report) => report,
                Err(error) => {
                    needs.insert(told("get_upload_report", &error)?);
                    return Ok(Vec::new());
                }
            };
        }
    }

    async fn download(&self, address: &str) -> Option<Vec<u8>> {
        let media = self.client.presigned(address, LARGEST_REPORT).await.ok()?;
        crate::source::collect(media)
            .await
            .ok()
            .map(|(bytes, _)| bytes)
    }
}

/// Of several lines about one file the latest holds, unless one of them got there.
fn table(text: &[u8]) -> Vec<Parked> {
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(text);
    let Ok(headers) = rows.headers().cloned() else {
        return Vec::new();
    };
    let column = |name: &str| headers.iter().position(|header| header == name);
    let (Some(file), Some(status)) = (column("fileName"), column("status")) else {
        return Vec::new();
    };
    let updated = column("dateUpdated");
    let mut found: std::collections::BTreeMap<String, Parked> = std::collections::BTreeMap::new();
    for row in rows.records().map_while(Result::ok) {
        let (Some(file), Some(status)) = (row.get(file), row.get(status)) else {
            continue;
        };
        let since = updated
            .and_then(|at| row.get(at))
            .and_then(UtcMillis::parse);
        let parked = Parked {
            file: file.to_owned(),
            status: status.to_owned(),
            since,
        };
        let newer = |known: &Parked| known.status != "Success" && known.since <= since;
        if status == "Success" || found.get(file).is_none_or(newer) {
            found.insert(file.to_owned(), parked);
        }
    }
    found
        .into_values()
        .filter(|parked| matches!(parked.status.as_str(), "Pending" | "WaitForConversation"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_read_from_the_report_by_its_columns() {
        let text = "status,dateUpdated,fileName\nWaitForConversation,2026-11-20T10:00:00.000Z,st-acme-7-1.zip\nPending,2026-11-20T10:00:00.000Z,b.zip\n\
                    Success,2026-11-20T10:00:05.000Z,b.zip\nFailure,2026-11-20T10:00:00.000Z,c.zip\n";
        let parked = table(text.as_bytes());
        assert_eq!(
            parked
                .iter()
                .map(|parked| parked.file.as_str())
                .collect::<Vec<_>>(),
            ["st-acme-7-1.zip"]
        );
        assert!(table(b"other\nx\n").is_empty());
        for (recording, wanted) in [
            ("7-1", true),
            ("7", true),
            ("-1", false),
            ("17-1", false),
            ("", false),
            ("7-11", false),
        ] {
            assert_eq!(parked[0].is_of(recording), wanted, "{recording}");
        }
    }
}
