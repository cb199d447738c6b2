//! What a snapshot keeps of the deployment, and how it is brought back.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Gir, session::Sessions, speechminer::Posted, state::State, webdav};

/// Everything it remembers.
pub(super) struct Snapshot {
    sessions: Sessions,
    state: State,
    posted: BTreeMap<String, Posted>,
    store: webdav::Snapshot,
}

impl Gir {
    /// As it stands. The files of its store are linked into a folder of their own below `spool`.
    pub(super) fn take_snapshot(&self, spool: &Path) -> std::io::Result<Snapshot> {
        Ok(Snapshot {
            sessions: self.sessions.lock().clone(),
            state: self.state.lock().clone(),
            posted: self.speechminer.held().clone(),
            store: self.webdav.snapshot(spool)?,
        })
    }

    /// As it stood. An error leaves the store's files between the two: say so, and do not go on.
    pub(super) fn restore_snapshot(&self, snapshot: &Snapshot) -> std::io::Result<()> {
        self.webdav.restore(&snapshot.store)?;
        *self.sessions.lock() = snapshot.sessions.clone();
        *self.state.lock() = snapshot.state.clone();
        *self.speechminer.held() = snapshot.posted.clone();
        Ok(())
    }
}
