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
    uploads: Recent<i64>,
    deleted: Recent<()>,
}

impl Default for Writing {
    fn default() -> Writing {
        Writing { uploads: Recent::within(UPLOADED_AGAIN.window_ms()), deleted: Recent::within(DELETED_AND_CREATED.window_ms()) }
    }
}

impl Writing {
    pub(super) fn see(&mut self, seen: &Seen<'_>, breaches: &mut Breaches) {
        if !seen.operation.mutates || !seen.is_well() {
            return;
        }
        if UPLOADS.contains(&seen.operation) {
            let same = hash_of(&(seen.operation.name, seen.key, seen.bytes_in, seen.facts.digest));
            let times = self.uploads.entry(same, seen.arrived_ms);
            *times += 1;
            if *times >= UPLOADED_AGAIN.threshold {
                breaches.add(&UPLOADED_AGAIN, seen);
            }
        }
        for (at, (delete, create)) in PAIRS.into_iter().enumerate() {
            let slot = hash_of(&(at, seen.key));
            if seen.operation == delete {
                self.deleted.put(slot, seen.arrived_ms, ());
            } else if seen.operation == create {
                if self.deleted.get(slot, seen.arrived_ms).is_some() {
                    breaches.add(&DELETED_AND_CREATED, seen);
                }
                self.deleted.remove(slot);
            }
        }
    }
}
