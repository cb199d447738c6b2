//! Addresses of audio, by batch.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use platforms::CallError;
use platforms::clock::Clock;
use platforms::genesys_cloud::{ReadClient, wire};

use super::requests::need;
use crate::options::Jobs;
use crate::run_error::RunError;
use crate::target::media::{LOCATED_AT_ONCE, MediaStore, Unfetched, short, whole};
use crate::target::{Address, Sound, Wait};

/// Recordings a batch takes. Source: vendor's API description.
pub(super) const BATCH: usize = 100;
const _: () = assert!(LOCATED_AT_ONCE <= BATCH);

/// Batch downloads of an organisation.
pub(crate) struct Batches {
    pub(super) client: Arc<ReadClient>,
    pub(super) clock: Clock,
    /// How long a batch may take.
    pub(super) patience: Duration,
    /// Whether batches may be created.
    pub(super) jobs: Jobs,
    /// Bytes that a recording may have.
    pub(super) most: u64,
}

#[async_trait(?Send)]
impl MediaStore for Batches {
    async fn locate(&self, wanted: &[Address]) -> Result<BTreeMap<Address, Sound>, RunError> {
        match self.jobs {
            Jobs::Create => batch(&self.client, &self.clock, self.patience, wanted).await,
            Jobs::LeaveOut => Ok(hidden(
                wanted,
                "a batch download, which --no-jobs leaves out, to tell how a recording sounds",
            )),
        }
    }

    async fn fetch(&self, url: &str) -> Result<Vec<u8>, Unfetched> {
        let hidden = |error: CallError| {
            Unfetched::Hidden(format!("its audio cannot be fetched: {}", short(&error)))
        };
        whole(
            "its audio",
            self.client
                .presigned(url, self.most)
                .await
                .map_err(hidden)?,
        )
        .await
    }
}

/// Asks for up to [`BATCH`] recordings, as (conversation, recording), and waits as long as
/// `patience`. Every one of them has an answer.
async fn batch(
    client: &ReadClient,
    clock: &Clock,
    patience: Duration,
    wanted: &[Address],
) -> Result<BTreeMap<Address, Sound>, RunError> {
    let unread = |name: &str, step: &str, error: &CallError| match need(name, error) {
        Some(need) => Ok(hidden(wanted, &need)),
        None => Err(RunError::target(step, error)),
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
fn hidden(wanted: &[Address], need: &str) -> BTreeMap<Address, Sound> {
    wanted
        .iter()
        .map(|address| (address.clone(), Sound::Hidden(need.to_owned())))
        .collect()
}

fn items(wanted: &[Address], results: Vec<wire::BatchResult>) -> BTreeMap<Address, Sound> {
    let left_out =
        "permission recording:recording:viewSensitiveData: the batch left it out without a word";
    let mut items: BTreeMap<Address, Sound> = wanted
        .iter()
        .map(|address| (address.clone(), Sound::Hidden(left_out.to_owned())))
        .collect();
    let by_id: HashMap<&str, &Address> = wanted
        .iter()
        .map(|address| (address.1.as_str(), address))
        .collect();
    for result in results {
        let address = result.recording_id.as_deref().and_then(|id| by_id.get(id));
        let Some(item) = address.and_then(|address| items.get_mut(*address)) else {
            continue;
        };
        match (result.result_url, result.error_msg) {
            (Some(url), _) => {
                *item = Sound::At {
                    url,
                    content_type: result.content_type,
                    envelope: None,
                }
            }
            (None, Some(message)) if !matches!(item, Sound::At { .. }) => *item = refusal(message),
            _ => {}
        }
    }
    items
}

/// An error message of one item: the audio is gone where it says so; any other trouble hides it.
fn refusal(message: String) -> Sound {
    let text = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let hidden = says(&[
        "permission",
        "not authorized",
        "forbidden",
        "denied",
        "archived",
        "restor",
        "transcod",
        "temporar",
        "retry",
    ]);
    let gone = says(&[
        "not found",
        "not available",
        "no such",
        "does not exist",
        "deleted",
        "is gone",
        "is lost",
    ]);
    if gone && !hidden {
        Sound::Lost(message)
    } else {
        Sound::Hidden(format!("what the platform says: {message}"))
    }
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
        let wanted: Vec<Address> = ["there", "gone", "secret", "broken", "left out"]
            .map(|id| ("c".to_owned(), id.to_owned()))
            .to_vec();
        let results = vec![
            result("there", Some("u"), None),
            result("gone", None, Some("media not found")),
            result("secret", None, Some("Permission denied")),
            result("broken", None, Some("an unexpected error occurred")),
        ];
        let items: BTreeMap<String, Sound> = items(&wanted, results)
            .into_iter()
            .map(|((_, id), sound)| (id, sound))
            .collect();
        assert!(matches!(items["there"], Sound::At { .. }));
        assert!(matches!(items["gone"], Sound::Lost(_)));
        assert!(matches!(items["secret"], Sound::Hidden(_)));
        assert!(
            matches!(items["broken"], Sound::Hidden(_)),
            "an unknown message proves nothing"
        );
        assert!(
            matches!(&items["left out"], Sound::Hidden(need) if need.contains("viewSensitiveData"))
        );
    }
}
