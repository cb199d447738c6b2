//! The layer around each platform's router: reads what is known of a request, and keeps requests
//! and snapshots apart.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use tokio::sync::RwLock;

use super::request_context::{self, Origin, RequestMetadata};
use crate::clock::Clock;

/// Requests go through together; a snapshot alone.
pub(crate) type Gate = Arc<RwLock<()>>;

/// The layer around one router: counts requests in flight, and holds them back while a snapshot is
/// taken or restored.
pub(crate) struct RequestLayer {
    clock: Clock,
    in_flight: AtomicU32,
    gate: Gate,
}

impl RequestLayer {
    /// For one router. Routers that share a `gate` wait together.
    pub(crate) fn new(clock: Clock, gate: Gate) -> Arc<RequestLayer> {
        Arc::new(RequestLayer {
            clock,
            in_flight: AtomicU32::new(0),
            gate,
        })
    }

    /// The router with this around it.
    pub(crate) fn around(self: &Arc<RequestLayer>, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), pass))
    }
}

/// Counts down when a request ends, however it ends.
struct InFlight<'a>(&'a AtomicU32);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn pass(State(layer): State<Arc<RequestLayer>>, request: Request, next: Next) -> Response {
    let in_flight = layer.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
    let _counted = InFlight(&layer.in_flight);
    let _turn = layer.gate.read().await;
    let metadata = RequestMetadata {
        arrived_ms: Some(layer.clock.now_ms()),
        in_flight,
        ..RequestMetadata::of(&request)
    };
    let origin = request.extensions().get::<Origin>().cloned();
    request_context::scope(metadata, origin, next.run(request)).await
}
