//! What became of uploads: one report for all of them, read now and then.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use platforms::CallError;
use platforms::clock::Clock;
use platforms::genesys_cloud::PublicClient;

use crate::time::iso;

/// How old a report may be. It costs three requests, whoever asks.
const FRESH_MS: i64 = 10_000;
/// How far back it looks: an upload of an earlier run may still be under way.
const BACK: SignedDuration = SignedDuration::from_hours(48);
/// How often a report's state is asked for, a second apart at first.
const LOOKS: u32 = 12;

/// The longest report that is read: half a million uploads of two days. Bytes.
const REPORT_MOST: u64 = 64 * 1024 * 1024;

/// Where an upload stands. Source: platform API, RecordingUploadReportRequest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Pending,
    Success,
    Failure,
    WaitForConversation,
}

impl Outcome {
    fn from_name(name: &str) -> Option<Outcome> {
        match name {
            "Pending" => Some(Outcome::Pending),
            "Success" => Some(Outcome::Success),
            "Failure" => Some(Outcome::Failure),
            "WaitForConversation" => Some(Outcome::WaitForConversation),
            _ => None,
        }
    }
}

#[derive(Default)]
struct Read {
    at_ms: i64,
    by_file: HashMap<String, Outcome>,
}

/// The last report.
#[derive(Default)]
pub(super) struct Outcomes {
    last: tokio::sync::Mutex<Option<Read>>,
}

impl Outcomes {
    /// Where the upload of that file name stands; `None` where the report does not say.
    pub(super) async fn of(&self, client: &PublicClient, clock: &Clock, file_name: &str) -> Result<Option<Outcome>, CallError> {
        let mut last = self.last.lock().await;
        if last.as_ref().is_none_or(|read| clock.now_ms() - read.at_ms > FRESH_MS) {
            let at_ms = clock.now_ms();
            *last = Some(Read { at_ms, by_file: read(client, clock).await? });
        }
        Ok(last.as_ref().and_then(|read| read.by_file.get(file_name).copied()))
    }
}

async fn read(client: &PublicClient, clock: &Clock) -> Result<HashMap<String, Outcome>, CallError> {
    let since = clock.now().checked_sub(BACK).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut report = client.create_report(&iso(since)).await?;
    for look in 0..LOOKS {
        if let Some(url) = report.signed_url.as_deref().filter(|_| report.state == "Completed") {
            let text = bytes(client, url).await?;
            let malformed = |error: csv::Error| CallError::Malformed { what: "the upload report".to_owned(), why: place_of(&error) };
            return table(&text).map_err(malformed);
        }
        if report.state == "Failed" {
            break;
        }
        if look > 0 {
            clock.sleep(Duration::from_secs(u64::from(look))).await;
        }
        report = client.report(&report.id).await?;
    }
    // Nothing is known, which is not an error: the next look asks for another one.
    Ok(HashMap::new())
}

async fn bytes(client: &PublicClient, url: &str) -> Result<Vec<u8>, CallError> {
    let mut text = Vec::new();
    let mut pieces = client.read().presigned(url, REPORT_MOST).await?.stream;
    while let Some(piece) = pieces.next().await {
        text.extend_from_slice(&piece?);
    }
    Ok(text)
}

/// Where, and not in the parser's words: they may quote.
fn place_of(error: &csv::Error) -> String {
    error.position().map_or_else(|| "is no CSV".to_owned(), |at| format!("is no CSV at line {}", at.line()))
}

/// Later lines about the same file win: it was uploaded again. Columns are found by name; without those two nothing is known.
fn table(text: &[u8]) -> Result<HashMap<String, Outcome>, csv::Error> {
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(text);
    let headers = rows.headers()?.clone();
    let column = |name: &str| headers.iter().position(|header| header == name);
    let (Some(file), Some(status), updated) = (column("fileName"), column("status"), column("dateUpdated")) else {
        return Ok(HashMap::new());
    };
    let mut found: HashMap<String, (String, Outcome)> = HashMap::new();
    for row in rows.records() {
        let row = row?;
        let (Some(file), Some(outcome)) = (row.get(file), row.get(status).and_then(Outcome::from_name)) else { continue };
        let at = updated.and_then(|at| row.get(at)).unwrap_or_default();
        // One that got there outweighs whatever became of its repeats.
        let newer = |known: &(String, Outcome)| known.1 != Outcome::Success && known.0.as_str() <= at;
        if outcome == Outcome::Success || found.get(file).is_none_or(newer) {
            found.insert(file.to_owned(), (at.to_owned(), outcome));
        }
    }
    Ok(found.into_iter().map(|(file, (_, outcome))| (file, outcome)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_by_the_names_of_its_columns() {
        let text = "status,dateUpdated,message,fileName\n\
                    Failure,2026-11-20T10:00:00.000Z,\"bad, very\",a.zip\n\
                    Pending,2026-11-20T10:00:05.000Z,,a.zip\n\
                    Success,2026-11-20T10:00:00.000Z,,b.zip\n\
                    Failure,2026-11-20T10:00:09.000Z,known,b.zip\n\
                    WaitForConversation,2026-11-20T10:00:00.000Z,,c.zip\n\
                    Exploded,2026-11-20T10:00:00.000Z,,d.zip\n";
        let found = table(text.as_bytes()).expect("a table");
        assert_eq!(found.get("a.zip"), Some(&Outcome::Pending), "the later line");
        assert_eq!(found.get("b.zip"), Some(&Outcome::Success), "what got there stays there");
        assert_eq!(found.get("c.zip"), Some(&Outcome::WaitForConversation));
        assert_eq!(found.get("d.zip"), None, "a status nobody knows says nothing");
        assert!(table(b"uploadKey,state\nx,Success\n").expect("a table").is_empty(), "other columns say nothing");
    }
}
