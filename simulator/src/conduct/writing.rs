//! What is written more often than it need be.

use super::Seen;
use super::breaches::Breaches;
use super::recent::Recent;
use super::table::{DELETED_AND_CREATED, UPLOADED_AGAIN};
use crate::exchange::hash_of;
use crate::fault::operations::{self, Operation};

/// What brings the bytes of a media.
static UPLOADS: [&Operation; 3] =
    [&operations::GENESYS_CLOUD_UPLOAD_FILE, &operations::GENESYS_CLOUD_PUT_UPLOAD, &operations::WEBDAV_PUT_FILE];

/// Deletions, and the creations of the same keys.
static PAIRS: [(&Operation, &Operation); 2] = [
    (&operations::WEBDAV_DELETE_FILE, &operations::WEBDAV_PUT_FILE),
    (&operations::GIR_DELETE_RECORDING, &operations::GIR_INSERT_RECORDING),
];

#[derive(Clone)]
pub(super) struct Writing {
    uploads: Recent<Upload>,
    deleted: Recent<()>,
    recreated: Recent<Vec<i64>>,
}

/// What a key holds, and how often it was told to be well.
#[derive(Clone, Copy, Default)]
struct Upload {
    bytes: u64,
    times: i64,
}

impl Default for Writing {
    fn default() -> Writing {
        Writing {
            uploads: Recent::within(UPLOADED_AGAIN.window_ms()),
            deleted: Recent::within(DELETED_AND_CREATED.window_ms()),
            recreated: Recent::within(DELETED_AND_CREATED.window_ms()),
        }
    }
}

impl Writing {
    pub(super) fn see(&mut self, seen: &Seen<'_>, breaches: &mut Breaches) {
        if !seen.operation.mutates || !seen.is_well() {
            return;
        }
        if UPLOADS.contains(&seen.operation) {
            let bytes = hash_of(&(seen.bytes_in, seen.facts.digest));
            let upload = self.uploads.entry(slot_of(seen.operation, seen.key), seen.arrived_ms);
            let before = if upload.bytes == bytes { upload.times } else { 0 };
            *upload = Upload { bytes, times: before + 1 };
            if upload.times >= UPLOADED_AGAIN.threshold {
                breaches.add(&UPLOADED_AGAIN, seen);
            }
        }
        for (at, (delete, create)) in PAIRS.into_iter().enumerate() {
            let slot = hash_of(&(at, seen.key));
            if seen.operation == delete {
                self.deleted.put(slot, seen.arrived_ms, ());
            } else if seen.operation == create {
                if self.deleted.get(slot, seen.arrived_ms).is_some() {
                    self.recreate(at, seen, breaches);
                }
                self.deleted.remove(slot);
            }
        }
    }

    /// A platform's own deed after the answer: an upload that it failed to process is asked for again.
    pub(super) fn deed(&mut self, operation: &'static Operation, key: &str, effect: &str) {
        if *operation == operations::GENESYS_CLOUD_PROCESS_UPLOAD && effect == "failed" {
            self.uploads.remove(slot_of(&operations::GENESYS_CLOUD_PUT_UPLOAD, key));
        }
    }

    fn recreate(&mut self, pair: usize, seen: &Seen<'_>, breaches: &mut Breaches) {
        let now_ms = seen.arrived_ms;
        let times = self.recreated.entry(hash_of(&pair), now_ms);
        times.retain(|at_ms| now_ms - at_ms < DELETED_AND_CREATED.window_ms());
        // More than the threshold are not told apart.
        if (times.len() as i64) < DELETED_AND_CREATED.threshold {
            times.push(now_ms);
        }
        if times.len() as i64 >= DELETED_AND_CREATED.threshold {
            breaches.add(&DELETED_AND_CREATED, seen);
        }
    }
}

fn slot_of(operation: &Operation, key: &str) -> u64 {
    hash_of(&(operation.name, key))
}
