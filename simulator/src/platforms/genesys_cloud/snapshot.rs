//! What a snapshot keeps of the organisation, and how it is brought back.

use std::{collections::HashMap, sync::Arc};

use super::{GenesysCloud, access, auth::Tokens, settings::Directory, state::State};

/// Everything it remembers. The bytes of uploads lie in the spool under their hash: none is ever
/// changed or removed, so they need no copy.
pub(super) struct Snapshot {
    tokens: Tokens,
    attempts: HashMap<u64, u64>,
    state: State,
    role: access::RoleHeld,
    directory: Arc<Directory>,
}

impl GenesysCloud {
    /// As it stands; what is due and was not looked at yet stays due.
    pub(super) fn take_snapshot(&self) -> Snapshot {
        Snapshot {
            tokens: self.tokens().clone(),
            attempts: self.attempts.lock().clone(),
            state: self.state.lock().clone(),
            role: self.role.lock().clone(),
            directory: self.directory(),
        }
    }

    /// As it stood.
    pub(super) fn restore_snapshot(&self, snapshot: &Snapshot) {
        *self.tokens() = snapshot.tokens.clone();
        *self.attempts.lock() = snapshot.attempts.clone();
        *self.state.lock() = snapshot.state.clone();
        *self.role.lock() = snapshot.role.clone();
        *self.directory.write() = Arc::clone(&snapshot.directory);
    }
}
