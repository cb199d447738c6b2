//! What is written more often than it need be.

use super::RequestEvent;
use super::breaches::Breaches;
use super::operations::{DELETE_AND_CREATE, UPLOADS};
use super::recent::{Recent, is_full, keep};
use super::table::{DELETED_AND_CREATED, UPLOADED_AGAIN};
use crate::http::request_context::hash_of;
use crate::operations::{self, Operation};

/// Failures of processing that are the platform's: an upload that fails more often is repeated in
/// vain.
const FORGIVEN: i64 = 3;

#[derive(Clone)]
pub(super) struct Writing {
    uploads: Recent<i64>,
    /// How often the platform failed to process what a key brought.
    failures: Recent<i64>,
    deleted: Recent<()>,
    /// When what was deleted was created again, by pair: the latest, as many as the rule begins
    /// with.
    recreated: [Vec<i64>; DELETE_AND_CREATE.len()],
    /// When the latest request arrived: what a platform does by itself has no time of its own. Unix
    /// ms.
    now_ms: i64,
}

impl Default for Writing {
    fn default() -> Writing {
        Writing {
            uploads: Recent::within(UPLOADED_AGAIN.window_ms()),
            failures: Recent::within(UPLOADED_AGAIN.window_ms()),
            deleted: Recent::within(DELETED_AND_CREATED.window_ms()),
            recreated: Default::default(),
            now_ms: 0,
        }
    }
}

impl Writing {
    pub(super) fn observe(&mut self, event: &RequestEvent<'_>, breaches: &mut Breaches) {
        self.now_ms = event.arrived_ms;
        if !event.operation.mutates || !event.is_well() {
            return;
        }
        if UPLOADS.contains(&event.operation) {
            // Each failure begins a count of its own.
            let failures = self
                .failures
                .get(slot_of(event.operation, event.key), self.now_ms)
                .map_or(0, |times| (*times).min(FORGIVEN));
            let same = hash_of(&(
                event.operation.name,
                event.key,
                event.bytes_in,
                event.metadata.digest,
                failures,
            ));
            let times = self.uploads.entry(same, self.now_ms);
            *times += 1;
            if *times >= UPLOADED_AGAIN.threshold {
                breaches.add(&UPLOADED_AGAIN, event);
            }
        }
        for (at, (delete, create)) in DELETE_AND_CREATE.into_iter().enumerate() {
            let slot = hash_of(&(at, event.key));
            if event.operation == delete {
                self.deleted.put(slot, event.arrived_ms, ());
            } else if event.operation == create {
                if self.deleted.get(slot, event.arrived_ms).is_some() {
                    self.recreate(at, event, breaches);
                }
                self.deleted.remove(slot);
            }
        }
    }

    /// A platform's own deed after the answer: an upload that it failed to process is asked for
    /// again.
    pub(super) fn observe_side_effect(
        &mut self,
        operation: &'static Operation,
        key: &str,
        effect: &str,
    ) {
        if *operation == operations::GENESYS_CLOUD_PROCESS_UPLOAD && effect == "failed" {
            *self.failures.entry(
                slot_of(&operations::GENESYS_CLOUD_PUT_UPLOAD, key),
                self.now_ms,
            ) += 1;
        }
    }

    fn recreate(&mut self, pair: usize, event: &RequestEvent<'_>, breaches: &mut Breaches) {
        let latest = &mut self.recreated[pair];
        keep(latest, event.arrived_ms, DELETED_AND_CREATED.threshold);
        if is_full(latest, &DELETED_AND_CREATED)
            && event.arrived_ms - latest[0] < DELETED_AND_CREATED.window_ms()
        {
            breaches.add(&DELETED_AND_CREATED, event);
        }
    }
}

fn slot_of(operation: &Operation, key: &str) -> u64 {
    hash_of(&(operation.name, key))
}
