//! From request to answer, once for every platform: faults, the handler, and one line of the
//! journal.

pub(crate) mod request;
pub(crate) mod routes;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;

use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::clock::Clock;
#[cfg(test)]
use crate::faults::FaultRule;
use crate::faults::strike::{After, Before};
pub(crate) use crate::faults::strike::{ItemFault, Refusal};
use crate::faults::{Decision, Faults};
use crate::http::connection::cut;
use crate::http::reply::Reply;
use crate::http::request_context::{self, RequestMetadata};
use crate::http::served::Served;
use crate::journal::Journal;
use crate::operations::Operation;
use crate::rules::Exercised;
use crate::seed::Seed;

/// Names the fault that struck an answer.
pub(crate) const FAULT_HEADER: HeaderName = HeaderName::from_static("x-seatrial-fault");

/// What all platforms of one simulator share.
pub(crate) struct Core {
    pub(crate) clock: Clock,
    pub(crate) seed: Seed,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    pub(crate) exercised: Exercised,
}

impl Core {
    #[cfg(test)]
    pub(crate) fn new(clock: Clock, seed: Seed, faults: Vec<FaultRule>) -> Arc<Core> {
        let faults = Faults::new(seed, clock.clone(), faults, None);
        Core::with_faults(clock, seed, faults)
    }

    /// With faults that have a seed of their own, or strike as a log says.
    pub(crate) fn with_faults(clock: Clock, seed: Seed, faults: Faults) -> Arc<Core> {
        Arc::new(Core {
            clock,
            seed,
            journal: Journal::default(),
            faults,
            exercised: Exercised::default(),
        })
    }
}

/// One listener of a platform, as far as the pipeline needs it.
pub(crate) trait Endpoint: Send + Sync + 'static {
    /// `legacy`, `genesys_cloud`, `gir`, `webdav`, `speechminer`.
    fn name(&self) -> &'static str;
    /// A refusal in the endpoint's own envelope.
    fn refuse(&self, refusal: &Refusal) -> Reply;
}

/// A handler, borrowed as a trait object: the pipeline around it is then compiled once, and not for
/// each of a hundred operations.
pub(crate) type HandlerFuture<'a> = Pin<&'a mut (dyn Future<Output = Reply> + Send + 'a)>;

/// One request, once its token is accepted and its business key known: counts the attempt for
/// (operation, key), asks the fault table, runs `handler` (or refuses before it, or loses, delays
/// or garbles its answer after it) and writes one journal line. `key` is `-` when the operation has
/// none.
///
/// The line is written as soon as the outcome stands, before any delay of the answer: a client that
/// hangs up early is still journalled.
pub(crate) async fn serve<P: Endpoint>(
    core: &Core,
    endpoint: &P,
    operation: &'static Operation,
    key: &str,
    bytes_in: u64,
    handler: impl Future<Output = Reply> + Send,
) -> Response {
    let attempt = core.faults.attempt(operation, key);
    let decision = core.faults.decide(operation, key, attempt);
    answer(
        core,
        endpoint,
        Attempt {
            operation,
            key,
            attempt,
            bytes_in,
        },
        decision,
        pin!(handler),
    )
    .await
}

/// How the faults of a batch's items show.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ItemFaults {
    /// The answer has an error for each item: a fault that can strikes the item alone
    /// (`Strike::item`), all others the request.
    Reported,
    /// The answer says nothing of items: every fault strikes the request.
    Unreported,
}

/// A batch: one fault decision for each item's key, so that it does not matter how items are split
/// into requests. The first decision that strikes the request decides its answer; `handler` is
/// given what its items meet. The request's own line has the key `-`.
pub(crate) async fn serve_batch<P, W, F>(
    core: &Core,
    endpoint: &P,
    operation: &'static Operation,
    keys: &[String],
    faults: ItemFaults,
    bytes_in: u64,
    handler: W,
) -> Response
where
    P: Endpoint,
    W: FnOnce(Vec<Option<ItemFault>>) -> F,
    F: Future<Output = Reply> + Send,
{
    let attempt = core.faults.attempt(operation, "-");
    let mut whole = None;
    let mut items = Vec::with_capacity(keys.len());
    let mut ids = Vec::new();
    for key in keys {
        let decision = core
            .faults
            .decide(operation, key, core.faults.attempt(operation, key));
        let item_fault = decision
            .as_ref()
            .filter(|_| faults == ItemFaults::Reported)
            .and_then(|decision| decision.kind.row().strike.item);
        ids.extend(
            decision
                .as_ref()
                .filter(|_| item_fault.is_some())
                .map(|decision| decision.id.clone()),
        );
        whole = whole.or_else(|| decision.filter(|_| item_fault.is_none()));
        items.push(item_fault);
    }
    let mut response = answer(
        core,
        endpoint,
        Attempt {
            operation,
            key: "-",
            attempt,
            bytes_in,
        },
        whole,
        pin!(handler(items)),
    )
    .await;
    // A line for each: what struck the request, then what struck its items.
    for id in ids {
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().append(FAULT_HEADER, id);
        }
    }
    response
}

/// One admitted request.
struct Attempt<'a> {
    operation: &'static Operation,
    key: &'a str,
    attempt: u32,
    bytes_in: u64,
}

async fn answer(
    core: &Core,
    endpoint: &dyn Endpoint,
    attempt: Attempt<'_>,
    decision: Option<Decision>,
    handler: HandlerFuture<'_>,
) -> Response {
    let Attempt {
        operation,
        key,
        attempt,
        bytes_in,
    } = attempt;
    let Some(decision) = decision else {
        let reply = handler.await;
        write(
            core,
            endpoint.name(),
            operation,
            key,
            attempt,
            bytes_in,
            &reply,
            Delivery::Complete,
            None,
        );
        return reply.into_response();
    };
    let strike = &decision.kind.row().strike;
    let line = |reply: &Reply, delivery| {
        write(
            core,
            endpoint.name(),
            operation,
            key,
            attempt,
            bytes_in,
            reply,
            delivery,
            Some(decision.id.clone()),
        )
    };
    let before = (strike.before)(&decision);
    let mut response = match before {
        Before::Close => {
            line(&Reply::empty(500), Delivery::Dropped);
            cut()
        }
        Before::Refuse(refusal) => {
            let reply = endpoint.refuse(&refusal);
            line(&reply, Delivery::Complete);
            reply.into_response()
        }
        Before::Work | Before::Wait { .. } => {
            if let Before::Wait { ms } = before {
                core.clock.sleep_ms(ms).await;
            }
            let reply = handler.await;
            let send = |reply| (strike.send)(reply, &decision, &core.clock).into_response();
            match (strike.after)(&decision) {
                After::Send => {
                    line(&reply, Delivery::Complete);
                    send(reply)
                }
                After::SendLate { ms } => {
                    line(&reply, Delivery::Complete);
                    core.clock.sleep_ms(ms).await;
                    send(reply)
                }
                After::SendHalf => {
                    line(&reply, Delivery::Truncated);
                    send(reply)
                }
                After::Refuse(refusal) => {
                    let refusal = endpoint.refuse(&refusal);
                    line(&reply, Delivery::Replaced(refusal.status));
                    refusal.into_response()
                }
                After::Close => {
                    line(&reply, Delivery::Dropped);
                    cut()
                }
            }
        }
    };
    if let Ok(id) = HeaderValue::from_str(&decision.id) {
        response.headers_mut().insert(FAULT_HEADER, id);
    }
    response
}

/// The same for a request refused before its key matters (bad token, limiter 429): a journal line
/// without a fault, attempt 0.
pub(crate) fn refused(
    core: &Core,
    platform: &'static str,
    operation: &'static Operation,
    key: &str,
    reply: Reply,
) -> Response {
    write(
        core,
        platform,
        operation,
        key,
        0,
        0,
        &reply,
        Delivery::Complete,
        None,
    );
    reply.into_response()
}

/// How much of a reply reaches the client.
enum Delivery {
    /// All of it.
    Complete,
    /// Its head, and half of its body.
    Truncated,
    /// Nothing: the connection is closed.
    Dropped,
    /// A refusal instead, with this status.
    Replaced(StatusCode),
}

#[expect(
    clippy::too_many_arguments,
    reason = "one journal line, called in one file"
)]
fn write(
    core: &Core,
    platform: &'static str,
    operation: &'static Operation,
    key: &str,
    attempt: u32,
    bytes_in: u64,
    reply: &Reply,
    delivery: Delivery,
    fault: Option<String>,
) {
    let work_status = reply.status.as_u16();
    let (status, bytes_out) = match &delivery {
        Delivery::Complete | Delivery::Truncated => (work_status, reply.bytes_out.unwrap_or(0)),
        Delivery::Dropped => (0, 0),
        Delivery::Replaced(status) => (status.as_u16(), 0),
    };
    // The client has the head, and in it how long to wait.
    let has_head = matches!(delivery, Delivery::Complete | Delivery::Truncated);
    // An empty body cannot be truncated.
    let metadata = RequestMetadata {
        is_cut: matches!(delivery, Delivery::Truncated) && reply.bytes_out != Some(0),
        ..request_context::metadata()
    };
    let retry_after = reply
        .headers
        .get(header::RETRY_AFTER)
        .filter(|_| has_head)
        .and_then(|value| value.to_str().ok());
    core.journal.write(Served {
        at_ms: core.clock.now_ms(),
        platform,
        operation,
        key,
        attempt,
        status,
        work_status,
        fault,
        effect: reply.effect,
        bytes_in,
        bytes_out,
        retry_after_s: retry_after.and_then(|seconds| seconds.parse().ok()),
        // A token is a secret; its hash would let a reader recognise it.
        digest_out: reply
            .digest
            .filter(|_| bytes_out > 0 && !operation.name.ends_with(".issue_token")),
        metadata,
    });
}
