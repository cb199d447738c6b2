//! What a snapshot keeps of the faults.

use std::collections::HashMap;

use super::{Active, FaultRule, Faults, Injected};

/// Rules in force, attempts counted and what struck.
#[derive(Clone)]
pub(crate) struct Snapshot {
    rules: Vec<Active>,
    next: u64,
    attempts: HashMap<u64, u32>,
    injected: Vec<Injected>,
}

impl Faults {
    /// As they stand.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            rules: self.active(),
            next: *self.next.lock(),
            attempts: self.attempts.lock().clone(),
            injected: self.injected.lock().clone(),
        }
    }

    /// As they stood; with other rules from now on, where some are given.
    pub(crate) fn restore(&self, snapshot: &Snapshot, instead: Option<Vec<FaultRule>>) {
        let Snapshot {
            rules,
            next,
            attempts,
            injected,
        } = snapshot.clone();
        *self.rules.write() = rules;
        *self.next.lock() = next;
        *self.attempts.lock() = attempts;
        *self.injected.lock() = injected;
        if let Some(instead) = instead {
            self.remove(None);
            instead.into_iter().for_each(|rule| _ = self.add(rule));
        }
    }
}
