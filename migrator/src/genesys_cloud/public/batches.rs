//! Events of several conversations in one request. Under a limit of requests a minute this is what decides how long a migration takes.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use platforms::CallError;
use platforms::genesys_cloud::PublicClient;
use platforms::genesys_cloud::public::{EVENTS_MOST, Event, EventError};
use tokio::sync::oneshot;

type Answer = Result<Vec<EventError>, CallError>;

/// One conversation's events on their way.
struct Waiting {
    events: Vec<Event>,
    answer: oneshot::Sender<Answer>,
}

/// Gathers what comes while a request is under way or waits for its turn, and sends it with the next.
#[derive(Default)]
pub(super) struct Batches {
    queue: Mutex<VecDeque<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

impl Batches {
    /// Sends the events of one conversation in their order; answers those of them that were not taken.
    pub(super) async fn send(&self, client: &PublicClient, events: &[Event]) -> Answer {
        let mut errors = Vec::new();
        for piece in events.chunks(EVENTS_MOST) {
            errors.extend(self.send_piece(client, piece.to_vec()).await?);
        }
        Ok(errors)
    }

    async fn send_piece(&self, client: &PublicClient, events: Vec<Event>) -> Answer {
        let (answer, mut wait) = oneshot::channel();
        self.lock().push_back(Waiting { events, answer });
        loop {
            // Whoever has the turn sends for all; the others find their answer, or the turn.
            let turn = tokio::select! {
                biased;
                answer = &mut wait => return answer.unwrap_or_else(|_| Err(lost())),
                turn = self.turn.lock() => turn,
            };
            let batch = self.take();
            if batch.is_empty() {
                drop(turn);
                return wait.await.unwrap_or_else(|_| Err(lost()));
            }
            let events: Vec<Event> = batch.iter().flat_map(|waiting| waiting.events.clone()).collect();
            let answer = client.inject_events(&events).await;
            for waiting in batch {
                let own: HashSet<&str> = waiting.events.iter().map(|event| event.head().event_id.as_str()).collect();
                // An error that names no event may be anybody's.
                let concerns = |error: &&EventError| error.event_id.as_deref().is_none_or(|id| own.contains(id));
                let own = answer.clone().map(|errors| errors.iter().filter(concerns).cloned().collect());
                // Nobody waits any more where a run was broken off.
                let _ = waiting.answer.send(own);
            }
        }
    }

    /// The longest head of the queue that fits into one request; whole conversations.
    fn take(&self) -> Vec<Waiting> {
        let mut queue = self.lock();
        let (mut batch, mut events) = (Vec::new(), 0);
        while let Some(next) = queue.front() {
            events += next.events.len();
            if events > EVENTS_MOST {
                break;
            }
            batch.extend(queue.pop_front());
        }
        batch
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Waiting>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The worker that sent for us was broken off.
fn lost() -> CallError {
    CallError::OutcomeUnknown { what: "POST /api/v2/events/conversations".to_owned(), why: "the run was broken off".to_owned() }
}
