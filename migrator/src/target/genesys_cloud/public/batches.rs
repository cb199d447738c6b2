//! Events of several conversations in one request. Under a limit of requests a minute this is what
//! decides how long a migration takes.

use std::collections::{HashSet, VecDeque};

use parking_lot::Mutex;
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

/// Gathers what comes while a request is under way or waits for its turn, and sends it with the
/// next.
#[derive(Default)]
pub(super) struct Batches {
    queue: Mutex<VecDeque<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

impl Batches {
    /// Sends the events of one conversation in their order; answers those of them that were not
    /// taken.
    pub(super) async fn send(&self, client: &PublicClient, events: &[Event]) -> Answer {
        let mut errors = Vec::new();
        for piece in events.chunks(EVENTS_MOST) {
            errors.extend(self.send_piece(client, piece.to_vec()).await?);
        }
        Ok(errors)
    }

    async fn send_piece(&self, client: &PublicClient, events: Vec<Event>) -> Answer {
        let (answer, mut wait) = oneshot::channel();
        self.queue.lock().push_back(Waiting { events, answer });
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
            let events: Vec<Event> = batch
                .iter()
                .flat_map(|waiting| waiting.events.clone())
                .collect();
            let answer = client.inject_events(&events).await;
            for waiting in batch {
                let own: HashSet<&str> = waiting
                    .events
                    .iter()
                    .map(|event| event.head().event_id.as_str())
                    .collect();
                // An error that names no event may be anybody's.
                let concerns = |error: &&EventError| {
                    error.event_id.as_deref().is_none_or(|id| own.contains(id))
                };
                let own = answer
                    .clone()
                    .map(|errors| errors.iter().filter(concerns).cloned().collect());
                // Nobody waits any more where a run was broken off.
                let _ = waiting.answer.send(own);
            }
        }
    }

    /// The longest head of the queue that fits into one request; whole conversations.
    fn take(&self) -> Vec<Waiting> {
        let mut queue = self.queue.lock();
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
}

/// The worker that sent for us was broken off.
fn lost() -> CallError {
    CallError::OutcomeUnknown {
        what: "POST /api/v2/events/conversations".to_owned(),
        why: "the run was broken off".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use platforms::Credentials;
    use platforms::clock::Clock;
    use platforms::genesys_cloud::Settings;
    use platforms::genesys_cloud::public::{Ended, Head};
    use platforms::transport::{Body, Transport, TransportError};

    use super::*;

    /// Answers slowly enough that others come meanwhile, and refuses the events of conversation 7.
    struct Slow {
        requests: AtomicUsize,
        largest: AtomicUsize,
    }

    #[async_trait::async_trait]
    impl Transport for Slow {
        async fn send(
            &self,
            request: http::Request<Body>,
        ) -> Result<http::Response<Body>, TransportError> {
            let text = |text: String| Ok(http::Response::new(Body::Full(text.into())));
            if request.uri().path() == "/oauth/token" {
                return text(r#"{"access_token":"t","expires_in":3600}"#.to_owned());
            }
            let Body::Full(bytes) = request.into_body() else {
                panic!("a body in one piece")
            };
            let sent: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
            let events = sent["communicationEndedEvents"]
                .as_array()
                .expect("events")
                .clone();
            self.requests.fetch_add(1, Ordering::Relaxed);
            self.largest.fetch_max(events.len(), Ordering::Relaxed);
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            let refused = events.iter().filter(|event| event["conversationId"] == "7");
            let errors: Vec<_> =
                refused.map(|event| serde_json::json!({"eventId": event["eventId"], "message": "no", "retryable": true})).collect();
            text(serde_json::json!({ "errors": errors }).to_string())
        }
    }

    fn events(conversation: usize, count: usize) -> Vec<Event> {
        let head = |n: usize| Head {
            event_id: format!("{conversation}-{n}"),
            event_date_time: "2023-10-27T10:00:00.000Z".to_owned(),
            conversation_id: conversation.to_string(),
            communication_id: "c".to_owned(),
        };
        (0..count)
            .map(|n| {
                Event::Ended(Ended {
                    head: head(n),
                    disconnect_type: "Peer",
                })
            })
            .collect()
    }

    #[tokio::test]
    async fn many_conversations_share_a_request_and_none_anothers_errors() {
        let transport = Arc::new(Slow {
            requests: AtomicUsize::new(0),
            largest: AtomicUsize::new(0),
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
        let client = PublicClient::new(transport.clone(), Clock::real(), settings);
        let batches = Batches::default();
        // 39 of 7 events and one that fits into no single request.
        let sizes =
            (0..40).map(|conversation| (conversation, if conversation == 3 { 230 } else { 7 }));
        let sent = sizes.map(|(conversation, size)| {
            let (batches, client) = (&batches, &client);
            async move {
                (
                    conversation,
                    batches
                        .send(client, &events(conversation, size))
                        .await
                        .expect("an answer")
                        .len(),
                )
            }
        });
        for (conversation, errors) in futures_util::future::join_all(sent).await {
            assert_eq!(
                errors,
                if conversation == 7 { 7 } else { 0 },
                "conversation {conversation}"
            );
        }
        let (requests, largest) = (
            transport.requests.load(Ordering::Relaxed),
            transport.largest.load(Ordering::Relaxed),
        );
        assert!(largest <= EVENTS_MOST, "{largest} events in one request");
        assert!(
            requests <= 10,
            "{requests} requests for 503 events of 40 conversations"
        );
    }
}
