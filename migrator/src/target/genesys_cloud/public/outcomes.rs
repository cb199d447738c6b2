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
/// How far back the reports of unfinished uploads look: a run that was killed may go on weeks later, and these reports are short.
const BACK_UNFINISHED: SignedDuration = SignedDuration::from_hours(90 * 24);
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
    /// Those of which an upload may still become a recording by itself or by attaching it.
    const UNFINISHED: [Outcome; 2] = [Outcome::Pending, Outcome::WaitForConversation];

    fn as_str(self) -> &'static str {
        match self {
            Outcome::Pending => "Pending",
            Outcome::Success => "Success",
            Outcome::Failure => "Failure",
            Outcome::WaitForConversation => "WaitForConversation",
        }
    }

    fn from_name(name: &str) -> Option<Outcome> {
        let all = [Outcome::Pending, Outcome::Success, Outcome::Failure, Outcome::WaitForConversation];
        all.into_iter().find(|outcome| outcome.as_str() == name)
    }
}

#[derive(Default)]
struct Read {
    at_ms: i64,
    by_file: HashMap<String, Outcome>,
}

/// The last report, and what was unfinished when it was asked for.
#[derive(Default)]
pub(super) struct Outcomes {
    last: tokio::sync::Mutex<Option<Read>>,
    unfinished: tokio::sync::Mutex<Option<Read>>,
}

impl Outcomes {
    /// Where the upload of that file name stands; `None` where the report does not say.
    pub(super) async fn of(&self, client: &PublicClient, clock: &Clock, file_name: &str) -> Result<Option<Outcome>, CallError> {
        let mut last = self.last.lock().await;
        if last.as_ref().is_none_or(|read| clock.now_ms() - read.at_ms > FRESH_MS) {
            let at_ms = clock.now_ms();
            *last = Some(Read { at_ms, by_file: read(client, clock, BACK, None).await? });
        }
        if let Some(outcome) = last.as_ref().and_then(|read| read.by_file.get(file_name).copied()) {
            return Ok(Some(outcome));
        }
        // It may have been uploaded longer ago than the report looks back.
        let unfinished = self.unfinished.lock().await;
        Ok(unfinished.as_ref().and_then(|read| read.by_file.get(file_name).copied()))
    }

    /// Whether an upload of that file name was begun before `at_ms`, Unix ms, and is not finished: sent again, it would be there twice.
    pub(super) async fn is_unfinished(&self, client: &PublicClient, clock: &Clock, file_name: &str, at_ms: i64) -> Result<bool, CallError> {
        let mut unfinished = self.unfinished.lock().await;
        if unfinished.as_ref().is_none_or(|read| read.at_ms < at_ms) {
            let now_ms = clock.now_ms();
            let mut by_file = HashMap::new();
            for status in Outcome::UNFINISHED {
                by_file.extend(read(client, clock, BACK_UNFINISHED, Some(status)).await?);
            }
            *unfinished = Some(Read { at_ms: now_ms, by_file });
        }
        Ok(unfinished.as_ref().is_some_and(|read| read.by_file.contains_key(file_name)))
    }
}

/// What a report says of the uploads since `back`, all or those of one status.
async fn read(
    client: &PublicClient,
    clock: &Clock,
    back: SignedDuration,
    only: Option<Outcome>,
) -> Result<HashMap<String, Outcome>, CallError> {
    let since = clock.now().checked_sub(back).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut report = client.create_report(&iso(since), only.map(Outcome::as_str)).await?;
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
