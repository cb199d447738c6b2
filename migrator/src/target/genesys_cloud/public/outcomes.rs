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
/// How far back the reports of unfinished uploads look: a run that was killed may go on weeks
/// later, and these reports are short.
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
        let all = [
            Outcome::Pending,
            Outcome::Success,
            Outcome::Failure,
            Outcome::WaitForConversation,
        ];
        all.into_iter().find(|outcome| outcome.as_str() == name)
    }
}

#[derive(Default)]
struct Read {
    at_ms: i64,
    by_file: HashMap<String, Upload>,
}

/// A line of a report.
#[derive(Clone)]
struct Upload {
    outcome: Outcome,
    /// When it changed last, as the report writes it; empty where it does not say.
    updated: String,
    /// Key in the store. Absent: the report does not say.
    key: Option<String>,
}

/// The last report, and what was unfinished when it was asked for.
#[derive(Default)]
pub(super) struct Outcomes {
    last: tokio::sync::Mutex<Option<Read>>,
    unfinished: tokio::sync::Mutex<Option<Read>>,
}

impl Outcomes {
    /// Where the upload of that file name stands; `None` where the report does not say.
    pub(super) async fn of(
        &self,
        client: &PublicClient,
        clock: &Clock,
        file_name: &str,
    ) -> Result<Option<Outcome>, CallError> {
        let mut last = self.last.lock().await;
        if last
            .as_ref()
            .is_none_or(|read| clock.now_ms() - read.at_ms > FRESH_MS)
        {
            let at_ms = clock.now_ms();
            *last = Some(Read {
                at_ms,
                by_file: read(client, clock, BACK, None).await?.unwrap_or_default(),
            });
        }
        if let Some(upload) = last.as_ref().and_then(|read| read.by_file.get(file_name)) {
            return Ok(Some(upload.outcome));
        }
        // It may have been uploaded longer ago than the report looks back, and be an orphan.
        // Whatever else it was may have changed since.
        let unfinished = self.unfinished.lock().await;
        let known = unfinished
            .as_ref()
            .and_then(|read| read.by_file.get(file_name));
        Ok(known
            .map(|upload| upload.outcome)
            .filter(|outcome| *outcome == Outcome::WaitForConversation))
    }

    /// The key of an upload of that file name that was begun before `at_ms`, Unix ms, and is not
    /// finished: sent again, it would be there twice. `None`: the reports know of none, do not
    /// come, or may not be read.
    pub(super) async fn unfinished(
        &self,
        client: &PublicClient,
        clock: &Clock,
        file_name: &str,
        at_ms: i64,
    ) -> Result<Option<String>, CallError> {
        let mut unfinished = self.unfinished.lock().await;
        if unfinished.as_ref().is_none_or(|read| read.at_ms < at_ms) {
            let now_ms = clock.now_ms();
            let by_file = match read_unfinished(client, clock).await {
                // Without the permission it is asked once a run, not for each recording.
                Err(CallError::Refused { status: 403, .. }) => Some(HashMap::new()),
                read => read?,
            };
            // A report that does not come is asked for again at the next recording.
            let Some(by_file) = by_file else {
                return Ok(None);
            };
            *unfinished = Some(Read {
                at_ms: now_ms,
                by_file,
            });
        }
        let known = unfinished
            .as_ref()
            .and_then(|read| read.by_file.get(file_name));
        Ok(known.map(|upload| upload.key.clone().unwrap_or_else(|| file_name.to_owned())))
    }
}

/// All uploads that are not finished. `None`: a report does not come.
async fn read_unfinished(
    client: &PublicClient,
    clock: &Clock,
) -> Result<Option<HashMap<String, Upload>>, CallError> {
    let mut by_file = HashMap::new();
    for status in Outcome::UNFINISHED {
        let Some(some) = read(client, clock, BACK_UNFINISHED, Some(status)).await? else {
            return Ok(None);
        };
        by_file.extend(some);
    }
    Ok(Some(by_file))
}

/// What a report says of the uploads since `back`, all or those of one status. `None`: the report
/// does not come.
async fn read(
    client: &PublicClient,
    clock: &Clock,
    back: SignedDuration,
    only: Option<Outcome>,
) -> Result<Option<HashMap<String, Upload>>, CallError> {
    let since = clock
        .now()
        .checked_sub(back)
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let mut report = client
        .create_report(&iso(since), only.map(Outcome::as_str))
        .await?;
    for look in 0..LOOKS {
        if let Some(url) = report
            .signed_url
            .as_deref()
            .filter(|_| report.state == "Completed")
        {
            let text = bytes(client, url).await?;
            let malformed = |error: csv::Error| CallError::Malformed {
                what: "the upload report".to_owned(),
                why: place_of(&error),
            };
            return table(&text).map(Some).map_err(malformed);
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
    Ok(None)
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
    error.position().map_or_else(
        || "is no CSV".to_owned(),
        |at| format!("is no CSV at line {}", at.line()),
    )
}

/// Later lines about the same file win: it was uploaded again. Columns are found by name; without
/// those two nothing is known.
fn table(text: &[u8]) -> Result<HashMap<String, Upload>, csv::Error> {
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(text);
    let headers = rows.headers()?.clone();
    let column = |name: &str| headers.iter().position(|header| header == name);
    let (updated, key) = (column("dateUpdated"), column("uploadKey"));
    let (Some(file), Some(status)) = (column("fileName"), column("status")) else {
        return Ok(HashMap::new());
    };
    let mut found: HashMap<String, Upload> = HashMap::new();
    for row in rows.records() {
        let row = row?;
        let (Some(file), Some(outcome)) =
            (row.get(file), row.get(status).and_then(Outcome::from_name))
        else {
            continue;
        };
        let cell = |at: Option<usize>| {
            at.and_then(|at| row.get(at))
                .filter(|cell| !cell.is_empty())
                .map(str::to_owned)
        };
        let upload = Upload {
            outcome,
            updated: cell(updated).unwrap_or_default(),
            key: cell(key),
        };
        // One that got there outweighs whatever became of its repeats.
        let is_newer =
            |known: &Upload| known.outcome != Outcome::Success && known.updated <= upload.updated;
        if outcome == Outcome::Success || found.get(file).is_none_or(is_newer) {
            found.insert(file.to_owned(), upload);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use platforms::Credentials;
    use platforms::genesys_cloud::Settings;
    use platforms::transport::{Body, Transport, TransportError};

    use super::*;

    /// Answers every report of uploads with one state, or refuses to make one.
    struct Reports {
        /// Absent: 403.
        state: Option<&'static str>,
        asked: AtomicUsize,
    }

    #[async_trait::async_trait]
    impl Transport for Reports {
        async fn send(
            &self,
            request: http::Request<Body>,
        ) -> Result<http::Response<Body>, TransportError> {
            let answer = |status: u16, text: &str| {
                let response = http::Response::builder()
                    .status(status)
                    .body(Body::Full(text.to_owned().into()));
                Ok(response.expect("an answer"))
            };
            match (request.uri().path(), self.state) {
                ("/oauth/token", _) => answer(200, r#"{"access_token":"t","expires_in":3600}"#),
                ("/report.csv", _) => answer(200, "fileName,status,uploadKey\na.zip,Pending,k1\n"),
                (_, None) => {
                    self.asked.fetch_add(1, Ordering::Relaxed);
                    answer(403, r#"{"status":403,"code":"missing.permissions"}"#)
                }
                (_, Some(state)) => {
                    self.asked.fetch_add(1, Ordering::Relaxed);
                    let report = serde_json::json!({"id": "r", "state": state, "signedUrl": "http://platform.test/report.csv"});
                    answer(202, &report.to_string())
                }
            }
        }
    }

    /// What two recordings of one run learn from a platform that answers so, and how many reports
    /// were asked for.
    async fn learnt(state: Option<&'static str>) -> ([Option<String>; 2], usize) {
        let transport = Arc::new(Reports {
            state,
            asked: AtomicUsize::new(0),
        });
        let url: url::Url = "http://platform.test".parse().expect("a URL");
        let settings = Settings {
            token_url: url.join("/oauth/token").expect("a URL"),
            api_url: url,
            credentials: Credentials {
                client_id: "id".to_owned(),
                client_secret: "secret".to_owned(),
            },
            requests_per_minute: u32::MAX,
        };
        let clock = Clock::starting_at(1_698_400_800_000);
        let client = PublicClient::new(transport.clone(), clock.clone(), settings);
        let outcomes = Outcomes::default();
        let of = async |file| {
            outcomes
                .unfinished(&client, &clock, file, 1_698_400_000_000)
                .await
                .expect("an answer")
        };
        (
            [of("a.zip").await, of("b.zip").await],
            transport.asked.load(Ordering::Relaxed),
        )
    }

    #[tokio::test]
    async fn reports_of_unfinished_uploads_are_read_once_a_run_and_again_only_where_they_did_not_come()
     {
        let (found, asked) = learnt(Some("Completed")).await;
        assert_eq!(
            (found, asked),
            ([Some("k1".to_owned()), None], 2),
            "one report for each of the two states"
        );
        let (found, asked) = learnt(Some("Failed")).await;
        assert_eq!(
            (found, asked),
            ([None, None], 2),
            "the first of both states did not come, twice"
        );
        let (found, asked) = learnt(None).await;
        assert_eq!(
            (found, asked),
            ([None, None], 1),
            "without the permission it is asked once"
        );
    }

    #[test]
    fn a_report_is_read_by_the_names_of_its_columns() {
        let text = "status,dateUpdated,message,fileName,uploadKey\n\
                    Failure,2026-11-20T10:00:00.000Z,\"bad, very\",a.zip,k1\n\
                    Pending,2026-11-20T10:00:05.000Z,,a.zip,k2\n\
                    Success,2026-11-20T10:00:00.000Z,,b.zip,k3\n\
                    Failure,2026-11-20T10:00:09.000Z,known,b.zip,k4\n\
                    WaitForConversation,2026-11-20T10:00:00.000Z,,c.zip,\n\
                    Exploded,2026-11-20T10:00:00.000Z,,d.zip,k5\n";
        let found = table(text.as_bytes()).expect("a table");
        let of = |file: &str| {
            found
                .get(file)
                .map(|upload| (upload.outcome, upload.key.as_deref()))
        };
        assert_eq!(
            of("a.zip"),
            Some((Outcome::Pending, Some("k2"))),
            "the later line"
        );
        assert_eq!(
            of("b.zip"),
            Some((Outcome::Success, Some("k3"))),
            "what got there stays there"
        );
        assert_eq!(of("c.zip"), Some((Outcome::WaitForConversation, None)));
        assert_eq!(of("d.zip"), None, "a status nobody knows says nothing");
        assert!(
            table(b"uploadKey,state\nx,Success\n")
                .expect("a table")
                .is_empty(),
            "other columns say nothing"
        );
    }
}
