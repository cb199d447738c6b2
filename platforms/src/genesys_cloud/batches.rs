//! Batch downloads for many who each want one recording: what is asked for at about the same time
//! goes into one request. Source: the vendor's OpenAPI document; its sample of bulk downloads asks
//! every five seconds.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::read::ReadClient;
use super::wire::BatchResult;
use crate::clock::Clock;
use crate::error::CallError;

/// Recordings a request takes. Source: the vendor's OpenAPI document, `batch.download.too.many.items`.
const MOST: usize = 100;
/// How long others are waited for before a request is sent.
const GATHER: Duration = Duration::from_millis(500);
/// Between two questions how a request stands: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Conversation and recording.
type Address = (String, String);
type Answer = Result<Vec<BatchResult>, CallError>;

/// Batch downloads of one client.
pub struct Batches {
    client: ReadClient,
    clock: Clock,
    /// How long a request may take.
    patience: Duration,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    wanted: Vec<(Address, oneshot::Sender<Answer>)>,
    /// Somebody gathers.
    led: bool,
}

/// Whoever gathers. Given up before its time, those who waited for it begin anew.
struct Lead<'a> {
    batches: &'a Batches,
    done: bool,
}

impl Lead<'_> {
    fn take(&mut self) -> Vec<(Address, oneshot::Sender<Answer>)> {
        let mut waiting = self.batches.waiting.lock();
        let count = waiting.wanted.len().min(MOST);
        let taken = waiting.wanted.drain(..count).collect();
        // Whoever is left finds nobody who leads, once theirs is dropped.
        waiting.led = false;
        waiting.wanted.clear();
        self.done = true;
        taken
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        if !self.done {
            let mut waiting = self.batches.waiting.lock();
            waiting.led = false;
            waiting.wanted.clear();
        }
    }
}

impl Batches {
    /// Sends nothing yet. `patience`: how long a request may take.
    #[must_use]
    pub fn new(client: ReadClient, clock: Clock, patience: Duration) -> Batches {
        Batches {
            client,
            clock,
            patience,
            waiting: Mutex::default(),
        }
    }

    /// What a batch download says of a recording: none, where it was left out without a word; more
    /// than one, where it came in several files. A request that is taken is asked after until it is
    /// done.
    ///
    /// # Errors
    ///
    /// The platform refuses, does not answer, answers what is not the JSON expected, or the request
    /// is not done in time ([`CallError`]).
    pub async fn locate(
        &self,
        conversation_id: &str,
        recording_id: &str,
    ) -> Result<Vec<BatchResult>, CallError> {
        let address = (conversation_id.to_owned(), recording_id.to_owned());
        loop {
            let (sender, mut answer) = oneshot::channel();
            let leads = {
                let mut waiting = self.waiting.lock();
                waiting.wanted.push((address.clone(), sender));
                !std::mem::replace(&mut waiting.led, true)
            };
            if !leads {
                match answer.await {
                    Ok(answer) => return answer,
                    // Whoever gathered was given up, or there was no room.
                    Err(_) => continue,
                }
            }
            let mut lead = Lead {
                batches: self,
                done: false,
            };
            self.clock.sleep(GATHER).await;
            let taken = lead.take();
            drop(lead);
            self.ask(taken).await;
            if let Ok(answer) = answer.try_recv() {
                return answer;
            }
        }
    }

    /// One request, and to each who asked what it says.
    async fn ask(&self, wanted: Vec<(Address, oneshot::Sender<Answer>)>) {
        let mut addresses: Vec<Address> =
            wanted.iter().map(|(address, _)| address.clone()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        let answer = self.batch(&addresses).await;
        for ((_, recording), sender) in wanted {
            let own = answer.as_ref().map_err(CallError::clone).map(|results| {
                let is_own = |result: &&BatchResult| {
                    result.recording_id.as_deref() == Some(recording.as_str())
                };
                results.iter().filter(is_own).cloned().collect()
            });
            // Nobody waits any more: given up.
            let _ = sender.send(own);
        }
    }

    async fn batch(&self, addresses: &[Address]) -> Result<Vec<BatchResult>, CallError> {
        let id = self.client.create_batchrequest(addresses).await?;
        let patience_ms = i64::try_from(self.patience.as_millis()).unwrap_or(i64::MAX / 4);
        let until_ms = self.clock.now_ms().saturating_add(patience_ms);
        let (mut pause, mut tries) = (FIRST_PAUSE, 1);
        loop {
            let status = self.client.batchrequest(&id).await?;
            if status.status.eq_ignore_ascii_case("completed") {
                return Ok(status.results);
            }
            if self.clock.now_ms() >= until_ms {
                return Err(CallError::NotReady {
                    what: "GET /api/v2/recording/batchrequests".to_owned(),
                    status: 200,
                    tries,
                });
            }
            self.clock.sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
            tries += 1;
        }
    }
}
