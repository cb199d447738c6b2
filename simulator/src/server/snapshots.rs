//! Snapshots of everything the platforms remember: taken, restored, and continued with other
//! faults.
//!
//! Requests in flight finish first, and whoever comes meanwhile waits; what does not finish in time
//! makes the snapshot fail, not the request. An answer whose head was sent still streams its body.
//! Restored is all that a client can see: tokens and limits, what was taken in, the store's files,
//! the journal, the conduct, the faults with their counts, and the time the clock shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::RwLockWriteGuard;

use super::state::State;
use crate::faults::FaultRule;
use crate::http::layer::Gate;
use crate::rules::Rule;
use crate::time::instant;
use crate::{faults, journal, platforms};

/// Snapshots kept at once: each holds what the platforms held, so their number is bounded.
const MOST: usize = 16;

/// How long requests in flight are waited for. Milliseconds of real time; a late answer of a fault
/// is rarely later.
const PATIENCE_MS: f64 = 30_000.0;

/// Why a snapshot was not taken or not brought back.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Requests did not finish.
    #[error(
        "requests were still in flight after 30 s; nothing was done: lift the faults that delay \
         them, or try again"
    )]
    InFlight,
    /// There are enough.
    #[error("there are {MOST} snapshots already; delete one")]
    TooMany,
    /// None of that id.
    #[error("there is no snapshot {0}")]
    Unknown(u64),
    /// A rule that takes the faults' place.
    #[error("{0}")]
    Fault(String),
    /// The store's files.
    #[error("the store's files could not be linked: {0}; free some space")]
    Files(#[from] std::io::Error),
}

/// A snapshot, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SnapshotInfo {
    /// What restores it.
    pub id: u64,
    /// The simulator's time then: UTC, RFC 3339 with milliseconds.
    pub at: String,
    /// Journal lines then.
    pub requests: u64,
}

/// Those of one simulator.
#[derive(Default)]
pub(crate) struct Snapshots {
    numbered: Mutex<Numbered>,
}

#[derive(Default)]
struct Numbered {
    taken: u64,
    snapshots: BTreeMap<u64, Arc<Snapshot>>,
}

struct Snapshot {
    now_ms: i64,
    requests: u64,
    journal: journal::Inner,
    faults: faults::Snapshot,
    exercised: BTreeMap<&'static str, &'static Rule>,
    /// In the order of [`Platforms::all`](crate::platforms::registry::Platforms::all).
    platforms: Vec<platforms::Snapshot>,
}

impl Snapshots {
    /// All of them, the oldest first.
    pub(crate) fn list(&self) -> Vec<SnapshotInfo> {
        let info = |(id, snapshot): (&u64, &Arc<Snapshot>)| SnapshotInfo {
            id: *id,
            at: instant(snapshot.now_ms),
            requests: snapshot.requests,
        };
        self.numbered.lock().snapshots.iter().map(info).collect()
    }

    /// Forgets one.
    pub(crate) fn delete(&self, id: u64) -> Result<(), SnapshotError> {
        self.numbered
            .lock()
            .snapshots
            .remove(&id)
            .map(|_| ())
            .ok_or(SnapshotError::Unknown(id))
    }

    fn get(&self, id: u64) -> Result<Arc<Snapshot>, SnapshotError> {
        self.numbered
            .lock()
            .snapshots
            .get(&id)
            .cloned()
            .ok_or(SnapshotError::Unknown(id))
    }

    fn is_full(&self) -> bool {
        self.numbered.lock().snapshots.len() >= MOST
    }

    fn put(&self, snapshot: Snapshot) -> u64 {
        let mut numbered = self.numbered.lock();
        numbered.taken += 1;
        let id = numbered.taken;
        numbered.snapshots.insert(id, Arc::new(snapshot));
        id
    }
}

impl State {
    /// Takes a snapshot; its id.
    pub(crate) async fn take_snapshot(&self) -> Result<u64, SnapshotError> {
        let _alone = self.alone().await?;
        if self.snapshots.is_full() {
            return Err(SnapshotError::TooMany);
        }
        let core = &self.core;
        let snapshot = Snapshot {
            now_ms: core.clock.now_ms(),
            requests: core.journal.len(),
            journal: core.journal.snapshot(),
            faults: core.faults.snapshot(),
            exercised: core.exercised.snapshot(),
            platforms: self
                .platforms
                .all()
                .iter()
                .map(|platform| platform.snapshot(&self.spool))
                .collect::<std::io::Result<_>>()?,
        };
        Ok(self.snapshots.put(snapshot))
    }

    /// Brings a snapshot back; with other faults from there on, where some are given.
    pub(crate) async fn restore(
        &self,
        id: u64,
        faults: Option<Vec<FaultRule>>,
    ) -> Result<(), SnapshotError> {
        for rule in faults.iter().flatten() {
            rule.check().map_err(SnapshotError::Fault)?;
            if let Some(why) = self.core.faults.refuses(rule) {
                return Err(SnapshotError::Fault(why.to_owned()));
            }
        }
        let _alone = self.alone().await?;
        let snapshot = self.snapshots.get(id)?;
        let core = &self.core;
        for (platform, snapshot) in self.platforms.all().iter().zip(&snapshot.platforms) {
            platform.restore(snapshot)?;
        }
        core.clock.set_ms(snapshot.now_ms);
        core.exercised.restore(&snapshot.exercised);
        core.faults.restore(&snapshot.faults, faults);
        core.journal.restore(snapshot.journal.clone());
        Ok(())
    }

    /// Waits until no request is in flight, and keeps it so.
    async fn alone(&self) -> Result<RwLockWriteGuard<'_, ()>, SnapshotError> {
        let clock = &self.core.clock;
        let gate: &Gate = &self.gate;
        tokio::select! {
            biased;
            alone = gate.write() => Ok(alone),
            () = clock.sleep_ms((PATIENCE_MS * clock.pace().max(1.0)) as u64) => Err(SnapshotError::InFlight),
        }
    }
}
