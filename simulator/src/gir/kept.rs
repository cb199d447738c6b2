//! What a snapshot keeps of the deployment, and how it is brought back.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Gir, locked, session::Sessions, speechminer::Posted, state::State, webdav};

/// Everything it remembers.
pub(crate) struct Kept {
    sessions: Sessions,
    state: State,
    posted: BTreeMap<String, Posted>,
    store: webdav::Kept,
}

impl Gir {
    /// As it stands. The files of its store are linked into a folder of their own below `spool`.
    pub(crate) fn kept(&self, spool: &Path) -> std::io::Result<Kept> {
        Ok(Kept {
            sessions: locked(&self.sessions).clone(),
            state: locked(&self.state).clone(),
            posted: self.speechminer.held().clone(),
            store: self.webdav.kept(spool)?,
        })
    }

    /// As it stood. An error leaves the store's files between the two: say so, and do not go on.
    pub(crate) fn bring_back(&self, kept: &Kept) -> std::io::Result<()> {
        self.webdav.bring_back(&kept.store)?;
        *locked(&self.sessions) = kept.sessions.clone();
        *locked(&self.state) = kept.state.clone();
        *self.speechminer.held() = kept.posted.clone();
        Ok(())
    }
}
