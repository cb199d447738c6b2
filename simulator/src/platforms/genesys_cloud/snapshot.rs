//! What a snapshot keeps of the organisation, and how it is brought back.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
};

use super::{GenesysCloud, access, auth::Tokens, locked, settings::Directory, state::State};

/// Everything it remembers. The bytes of uploads lie in the spool under their hash: none is ever changed or removed, so they need no copy.
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
            attempts: locked(&self.attempts).clone(),
            state: locked(&self.state).clone(),
            role: locked(&self.role).clone(),
            directory: self.directory(),
        }
    }

    /// As it stood.
    pub(super) fn restore_snapshot(&self, snapshot: &Snapshot) {
        *self.tokens() = snapshot.tokens.clone();
        *locked(&self.attempts) = snapshot.attempts.clone();
        *locked(&self.state) = snapshot.state.clone();
        *locked(&self.role) = snapshot.role.clone();
        *self.directory.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&snapshot.directory);
    }
}
