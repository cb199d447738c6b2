//! Faults are addressed, not drawn: decided by (seed, fault, operation, business key, attempt),
//! never by the order of arrival, so one worker or sixty-four meet the same ones.

mod delivery;
mod domain;
pub(crate) mod log;
mod requests;
pub(crate) mod rule;
mod snapshot;
pub(crate) mod strike;
pub(crate) mod table;

use std::collections::HashMap;

use parking_lot::{Mutex, RwLock};
use serde::Serialize;

use crate::clock::Clock;
use crate::operations::Operation;
use crate::seed::Seed;
pub use log::Injected;
pub use rule::FaultRule;
pub(crate) use snapshot::Snapshot;
use table::FaultKind;

/// What `serve` does to a request.
pub(crate) struct Decision {
    pub(crate) id: String,
    pub(crate) kind: FaultKind,
    pub(crate) ms: Option<u64>,
    pub(crate) status: Option<u16>,
    pub(crate) retry_after_s: Option<u64>,
}

impl Decision {
    /// Length of a delay.
    pub(crate) fn ms(&self) -> u64 {
        self.ms.unwrap_or(1000)
    }

    /// Status of an answer that says that the platform failed.
    fn server_status(&self) -> u16 {
        self.status.unwrap_or(503)
    }
}

/// A rule in force, with its number.
#[derive(Clone, Debug, Serialize)]
pub struct Active {
    /// Number of the rule, from 1; what `DELETE` names.
    pub id: u64,
    /// The rule.
    #[serde(flatten)]
    pub rule: FaultRule,
    /// When it was put in force, Unix ms of the simulator's clock; `heal_after_ms` counts from
    /// here.
    #[serde(skip)]
    since_ms: i64,
}

/// The faults of one simulator: the rules in force, the attempts counted so far and what struck.
pub(crate) struct Faults {
    seed: Seed,
    clock: Clock,
    rules: RwLock<Vec<Active>>,
    next: Mutex<u64>,
    attempts: Mutex<HashMap<u64, u32>>,
    injected: Mutex<Vec<Injected>>,
    /// Instead of the rules: what struck in another run, by address.
    replay: Option<HashMap<(String, String, u32), Injected>>,
}

impl Faults {
    /// The rules of a scenario, or instead of them exactly the lines of a log. Wrong data of the
    /// source is the world's, and no rule here.
    pub(crate) fn new(
        seed: Seed,
        clock: Clock,
        rules: Vec<FaultRule>,
        replay: Option<Vec<Injected>>,
    ) -> Faults {
        let address = |line: Injected| {
            (
                (line.operation.clone(), line.key.clone(), line.attempt),
                line,
            )
        };
        let replay: Option<HashMap<_, _>> =
            replay.map(|log| log.into_iter().map(address).collect());
        let faults = Faults {
            seed,
            clock,
            rules: RwLock::default(),
            next: Mutex::new(1),
            attempts: Mutex::default(),
            injected: Mutex::default(),
            replay,
        };
        for rule in rules {
            faults.add(rule);
        }
        faults
    }

    /// Puts a rule in force; its number. Rules for the world are numbered and have no effect here.
    pub(crate) fn add(&self, rule: FaultRule) -> u64 {
        let mut next = self.next.lock();
        let id = *next;
        *next += 1;
        let since_ms = self.clock.now_ms();
        self.rules.write().push(Active { id, rule, since_ms });
        id
    }

    /// Why a rule cannot be added while running; the rule itself is sound.
    pub(crate) fn refuses(&self, rule: &FaultRule) -> Option<&'static str> {
        if rule.domain().is_some() {
            return Some(
                "the source's own data is wrong from the beginning or not at all; write it into \
                 the scenario",
            );
        }
        self.replay
            .is_some()
            .then_some("a log is replayed: exactly its faults strike, and no others")
    }

    /// Lifts one rule, or all; how many were lifted.
    pub(crate) fn remove(&self, id: Option<u64>) -> usize {
        let mut rules = self.rules.write();
        let before = rules.len();
        rules.retain(|active| {
            active.rule.domain().is_some() || id.is_some_and(|id| id != active.id)
        });
        before - rules.len()
    }

    /// The rules in force.
    pub(crate) fn active(&self) -> Vec<Active> {
        self.rules.read().clone()
    }

    /// What struck so far, sorted by rule, operation, key and attempt.
    pub(crate) fn injected(&self) -> Vec<Injected> {
        let mut injected = self.injected.lock().clone();
        injected.sort_by(|a, b| a.order().cmp(&b.order()));
        injected
    }

    /// Lines of a replayed log that have not struck: their attempts were not made, or not yet.
    pub(crate) fn unmet(&self) -> usize {
        let struck = self.injected.lock().len();
        self.replay
            .as_ref()
            .map_or(0, |log| log.len().saturating_sub(struck))
    }

    /// Counts one more attempt of an operation and key; the first is 1. Keys are kept as 64-bit
    /// hashes.
    pub(crate) fn attempt(&self, operation: &Operation, key: &str) -> u32 {
        let slot = Seed::new(0).child(operation.name).child(key).value();
        let mut attempts = self.attempts.lock();
        let count = attempts.entry(slot).or_insert(0);
        *count += 1;
        *count
    }

    /// The first rule that strikes this attempt, noted as injected.
    pub(crate) fn decide(
        &self,
        operation: &'static Operation,
        key: &str,
        attempt: u32,
    ) -> Option<Decision> {
        let struck = match &self.replay {
            Some(log) => log
                .get(&(operation.name.to_owned(), key.to_owned(), attempt))
                .cloned()?,
            None => self.struck(operation, key, attempt)?,
        };
        let Injected {
            id,
            kind,
            ms,
            status,
            retry_after_s,
            ..
        } = struck.clone();
        self.injected.lock().push(struck);
        Some(Decision {
            id,
            kind,
            ms,
            status,
            retry_after_s,
        })
    }

    /// How much longer something takes that a platform does by itself, ms; 0 where no fault of this
    /// kind strikes. Counts an attempt.
    pub(crate) fn late_ms(&self, operation: &'static Operation, key: &str, kind: FaultKind) -> u64 {
        let decision = self.decide(operation, key, self.attempt(operation, key));
        decision
            .filter(|decision| decision.kind == kind)
            .map_or(0, |decision| decision.ms())
    }

    fn struck(&self, operation: &'static Operation, key: &str, attempt: u32) -> Option<Injected> {
        let rules = self.rules.read();
        let strikes = |active: &&Active| {
            active
                .rule
                .strikes(self.seed, active.id, operation, key, attempt)
                && !self.is_healed(active)
        };
        let active = rules.iter().find(strikes)?;
        let hash = self
            .seed
            .child("fault/id")
            .index(active.id)
            .child(operation.name)
            .child(key)
            .index(u64::from(attempt))
            .value();
        let FaultRule {
            kind,
            ms,
            status,
            retry_after_s,
            ..
        } = active.rule;
        Some(Injected {
            id: format!("f{}-{hash:016x}", active.id),
            fault: active.id,
            kind,
            operation: operation.name.to_owned(),
            key: key.to_owned(),
            attempt,
            ms,
            status,
            retry_after_s,
        })
    }

    fn is_healed(&self, active: &Active) -> bool {
        let lasts = active
            .rule
            .heal_after_ms
            .map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
        lasts.is_some_and(|ms| self.clock.now_ms() >= active.since_ms.saturating_add(ms))
    }
}

#[cfg(test)]
mod tests;
