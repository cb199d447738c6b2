//! What a snapshot keeps of the organisation, and how it is brought back.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
};

use super::{GenesysCloud, access, auth::Tokens, locked, settings::Directory, state::State};

/// Everything it remembers. The bytes of uploads lie in the spool under their hash: none is ever changed or removed, so they need no copy.
pub(crate) struct Kept {
    tokens: Tokens,
    attempts: HashMap<u64, u64>,
    state: State,
    role: access::RoleHeld,
    directory: Arc<Directory>,
}

impl GenesysCloud {
    /// As it stands; what is due and was not looked at yet stays due.
    pub(crate) fn kept(&self) -> Kept {
        Kept {
            tokens: self.tokens().clone(),
            attempts: locked(&self.attempts).clone(),
            state: locked(&self.state).clone(),
            role: locked(&self.role).clone(),
            directory: self.directory(),
        }
    }

    /// As it stood.
    pub(crate) fn bring_back(&self, kept: &Kept) {
        *self.tokens() = kept.tokens.clone();
        *locked(&self.attempts) = kept.attempts.clone();
        *locked(&self.state) = kept.state.clone();
        *locked(&self.role) = kept.role.clone();
        *self.directory.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&kept.directory);
    }
}
