//! Addresses of audio, by batch.

use std::collections::BTreeMap;
use std::time::Duration;

use platforms::CallError;
use platforms::clock::Clock;
use platforms::genesys_cloud::{ReadClient, wire};

use super::{Wait, need};
use crate::stop::Stop;

/// Recordings a batch takes. Source: vendor's API description.
pub(crate) const BATCH: usize = 100;
/// Where a recording's audio is, or why it is not to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BatchItem {
    /// A pre-signed address, and the media type the platform declares.
    At { url: String, content_type: Option<String> },
    /// The platform says that it is gone; its words.
    Lost(String),
    /// Left out or not allowed; what would be needed.
    Hidden(String),
}

/// Asks for up to [`BATCH`] recordings, as (conversation, recording), and waits as long as `patience`. Every one of them has an answer.
pub(crate) async fn batch(
    client: &ReadClient,
    clock: &Clock,
    patience: Duration,
    wanted: &[(String, String)],
) -> Result<BTreeMap<String, BatchItem>, Stop> {
    let unread = |name: &str, step: &str, error: &CallError| match need(name, error) {
        Some(need) => Ok(hidden(wanted, &need)),
        None => Err(Stop::target(step, error)),
    };
    let id = match client.create_batchrequest(wanted).await {
        Ok(id) => id,
        Err(error) => return unread("create_batchrequest", "ask for audio", &error),
    };
    let mut wait = Wait::new(clock, patience);
    loop {
        let status = match client.batchrequest(&id).await {
            Ok(status) => status,
            Err(error) => return unread("get_batchrequest", "follow the audio batch", &error),
        };
        if status.status.eq_ignore_ascii_case("completed") {
            return Ok(items(wanted, status.results));
        }
        if !wait.again().await {
            return Ok(hidden(wanted, "the platform's batch download to end"));
        }
    }
}

/// None of them can be had, all for one reason.
pub(crate) fn hidden(wanted: &[(String, String)], need: &str) -> BTreeMap<String, BatchItem> {
    wanted.iter().map(|(_, id)| (id.clone(), BatchItem::Hidden(need.to_owned()))).collect()
}

fn items(wanted: &[(String, String)], results: Vec<wire::BatchResult>) -> BTreeMap<String, BatchItem> {
    let left_out = "permission recording:recording:viewSensitiveData: the batch left it out without a word";
    let mut items: BTreeMap<String, BatchItem> =
        wanted.iter().map(|(_, id)| (id.clone(), BatchItem::Hidden(left_out.to_owned()))).collect();
    for result in results {
        let Some(item) = result.recording_id.as_ref().and_then(|id| items.get_mut(id)) else { continue };
        match (result.result_url, result.error_msg) {
            (Some(url), _) => *item = BatchItem::At { url, content_type: result.content_type },
            (None, Some(message)) if !matches!(item, BatchItem::At { .. }) => *item = refusal(message),
            _ => {}
        }
    }
    items
}

/// An error message of one item: the audio is gone where it says so; any other trouble hides it.
fn refusal(message: String) -> BatchItem {
    let text = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let hidden = says(&["permission", "not authorized", "forbidden", "denied", "archived", "restor", "transcod", "temporar", "retry"]);
    let gone = says(&["not found", "not available", "no such", "does not exist", "deleted", "is gone", "is lost"]);
    if gone && !hidden { BatchItem::Lost(message) } else { BatchItem::Hidden(format!("what the platform says: {message}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(id: &str, url: Option<&str>, error: Option<&str>) -> wire::BatchResult {
        wire::BatchResult {
            conversation_id: None,
            recording_id: Some(id.into()),
            result_url: url.map(str::to_owned),
            content_type: None,
            error_msg: error.map(str::to_owned),
        }
    }

    #[test]
    fn hidden_is_never_taken_for_lost() {
        let wanted: Vec<(String, String)> =
            ["there", "gone", "secret", "broken", "left out"].map(|id| ("c".to_owned(), id.to_owned())).to_vec();
        let results = vec![
            result("there", Some("u"), None),
            result("gone", None, Some("media not found")),
            result("secret", None, Some("Permission denied")),
            result("broken", None, Some("an unexpected error occurred")),
        ];
        let items = items(&wanted, results);
        assert!(matches!(items["there"], BatchItem::At { .. }));
        assert!(matches!(items["gone"], BatchItem::Lost(_)));
        assert!(matches!(items["secret"], BatchItem::Hidden(_)));
        assert!(matches!(items["broken"], BatchItem::Hidden(_)), "an unknown message proves nothing");
        assert!(matches!(&items["left out"], BatchItem::Hidden(need) if need.contains("viewSensitiveData")));
    }
}
