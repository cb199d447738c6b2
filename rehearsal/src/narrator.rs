//! Who is told what happens while it does.

use std::sync::Arc;

/// Is told how a rehearsal goes.
pub trait Narrator: Send + Sync + 'static {
    /// A line worth reading.
    fn say(&self, line: &str);
    /// A migration begins; who watches it.
    fn migrating(&self) -> Arc<dyn migrator::Progress>;
    /// A verification begins; who watches it.
    fn verifying(&self) -> Arc<dyn verifier::Progress>;
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Narrator for Silent {
    fn say(&self, _line: &str) {}

    fn migrating(&self) -> Arc<dyn migrator::Progress> {
        Arc::new(Silent)
    }

    fn verifying(&self) -> Arc<dyn verifier::Progress> {
        Arc::new(verifier::Silent)
    }
}

impl migrator::Progress for Silent {
    fn update(&self, _known: u64, _through: u64) {}
}
