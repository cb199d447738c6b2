//! Faults are addressed, not drawn: decided by (seed, fault, operation, business key, attempt), never by the order of arrival, so one worker or
//! sixty-four meet the same ones.

mod kept;
pub(crate) mod operations;
pub(crate) mod table;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError, RwLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::seed::Seed;
pub(crate) use kept::Kept;
use operations::Operation;
use table::{FaultKind, Layer};

/// One `[[fault]]` of a scenario: an address, a kind and its knobs.
///
/// Without `attempts` and `heal_after_attempts` it strikes every attempt; without `keys` and `share` every key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The operation it strikes: `<platform>.<verb_noun>` of the table of operations.
    pub on: String,
    /// What goes wrong.
    pub kind: FaultKind,
    /// The attempts of one business key that it strikes, from 1. Empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<u32>,
    /// Share of business keys it strikes, 0..1, by hash of the key. Absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: Option<f64>,
    /// The business keys it strikes. A key is meant when it equals an entry, ends with `:` + entry, or contains `-` + entry + `.`, so that a legacy
    /// interaction or recording id finds its external tag and its file name. Empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Strikes attempts 1 to this one, then never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heal_after_attempts: Option<u32>,
    /// Length of a delay, in milliseconds on the simulator's clock. Absent: 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// Status of the answer: 500, 502, 503 or 504 (absent: 503); for `refused` 400, 403, 404, 409, 413 or 415 (absent: 400).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `Retry-After` of a 429, in whole seconds. Absent: the header is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

impl FaultRule {
    /// What is wrong with this rule, in words for its author; the caller adds the place.
    pub(crate) fn check(&self) -> Result<&'static Operation, String> {
        let operation =
            operations::find(&self.on).map_err(|nearest| format!("fault on `{}`: no such operation; nearest is `{nearest}`", self.on))?;
        let row = self.kind.row();
        if row.layer == Layer::CommitThenFail && !operation.mutates {
            return Err(format!(
                "fault `{}` on `{}`: the operation changes nothing, so there is nothing to commit; use latency, connection_reset or server_error",
                row.name, self.on
            ));
        }
        if (row.layer == Layer::Inside) != operation.is_inside() {
            return Err(format!(
                "fault `{}` on `{}`: upload_failed and upload_stuck strike genesys_cloud.process_upload, and nothing else strikes it",
                row.name, self.on
            ));
        }
        let given = [("ms", self.ms.is_some()), ("status", self.status.is_some()), ("retry_after_s", self.retry_after_s.is_some())];
        for (name, present) in given {
            if present && !row.knobs.iter().any(|knob| knob.name == name) {
                return Err(format!("fault `{}` has no knob `{name}`; remove it", row.name));
            }
        }
        let allowed: &[u16] = if self.kind == FaultKind::Refused { &[400, 403, 404, 409, 413, 415] } else { &[500, 502, 503, 504] };
        if self.status.is_some_and(|status| !allowed.contains(&status)) {
            return Err(format!("fault `{}`: status must be one of {allowed:?}", row.name));
        }
        if self.share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            return Err(format!("fault `{}`: share must be 0..1", row.name));
        }
        if self.attempts.contains(&0) {
            return Err(format!("fault `{}`: attempts count from 1", row.name));
        }
        Ok(operation)
    }

    /// Whether fault number `index` of a scenario strikes. Pure.
    pub(crate) fn strikes(&self, seed: Seed, index: u64, operation: &Operation, key: &str, attempt: u32) -> bool {
        self.on == operation.name
            && (self.attempts.is_empty() || self.attempts.contains(&attempt))
            && self.heal_after_attempts.is_none_or(|last| attempt <= last)
            && (self.keys.is_empty() || self.keys.iter().any(|wanted| meant(wanted, key)))
            && self.share.is_none_or(|share| seed.child("fault").index(index).child(operation.name).child(key).chance(share))
    }
}

/// Whether `wanted` (a legacy id or a whole key) means the business key `key`.
fn meant(wanted: &str, key: &str) -> bool {
    key == wanted || key.strip_suffix(wanted).is_some_and(|head| head.ends_with(':')) || key.contains(&format!("-{wanted}."))
}

/// A fault that struck.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Injected {
    /// Id as in the header `x-seatrial-fault` and the journal: `f<rule>-<hash>`, the same for any number of workers.
    pub id: String,
    /// Number of the rule, from 1.
    pub fault: u64,
    /// What went wrong.
    pub kind: FaultKind,
    /// Where.
    pub operation: &'static str,
    /// For which business key.
    pub key: String,
    /// At which attempt.
    pub attempt: u32,
}

/// What `serve` does to a request.
pub(crate) struct Decision {
    pub(crate) id: String,
    pub(crate) rule: FaultRule,
}

/// A rule in force, with its number.
#[derive(Clone, Debug, Serialize)]
pub struct Active {
    /// Number of the rule, from 1; what `DELETE` names.
    pub id: u64,
    /// The rule.
    #[serde(flatten)]
    pub rule: FaultRule,
}

/// The faults of one simulator: the rules in force, the attempts counted so far and what struck.
pub(crate) struct Faults {
    seed: Seed,
    rules: RwLock<Vec<Active>>,
    next: Mutex<u64>,
    attempts: Mutex<HashMap<u64, u32>>,
    injected: Mutex<Vec<Injected>>,
}

impl Faults {
    pub(crate) fn new(seed: Seed, rules: Vec<FaultRule>) -> Faults {
        let faults = Faults { seed, rules: RwLock::default(), next: Mutex::new(1), attempts: Mutex::default(), injected: Mutex::default() };
        for rule in rules {
            faults.add(rule);
        }
        faults
    }

    /// Puts a rule in force; its number.
    pub(crate) fn add(&self, rule: FaultRule) -> u64 {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let id = *next;
        *next += 1;
        self.rules.write().unwrap_or_else(PoisonError::into_inner).push(Active { id, rule });
        id
    }

    /// Lifts one rule, or all; how many were lifted.
    pub(crate) fn remove(&self, id: Option<u64>) -> usize {
        let mut rules = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        let before = rules.len();
        rules.retain(|active| id.is_some_and(|id| id != active.id));
        before - rules.len()
    }

    /// The rules in force.
    pub(crate) fn active(&self) -> Vec<Active> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What struck so far, sorted by rule, operation, key and attempt.
    pub(crate) fn injected(&self) -> Vec<Injected> {
        let mut injected = self.injected.lock().unwrap_or_else(PoisonError::into_inner).clone();
        injected.sort_by(|a, b| (a.fault, a.operation, &a.key, a.attempt).cmp(&(b.fault, b.operation, &b.key, b.attempt)));
        injected
    }

    /// Counts one more attempt of an operation and key; the first is 1. Keys are kept as 64-bit hashes.
    pub(crate) fn attempt(&self, operation: &Operation, key: &str) -> u32 {
        let slot = Seed::new(0).child(operation.name).child(key).value();
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = attempts.entry(slot).or_insert(0);
        *count += 1;
        *count
    }

    /// The first rule that strikes this attempt, noted as injected.
    pub(crate) fn decide(&self, operation: &'static Operation, key: &str, attempt: u32) -> Option<Decision> {
        let rules = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        let active = rules.iter().find(|active| active.rule.strikes(self.seed, active.id, operation, key, attempt))?;
        let hash = self.seed.child("fault/id").index(active.id).child(operation.name).child(key).index(u64::from(attempt)).value();
        let id = format!("f{}-{hash:016x}", active.id);
        let injected =
            Injected { id: id.clone(), fault: active.id, kind: active.rule.kind, operation: operation.name, key: key.to_owned(), attempt };
        self.injected.lock().unwrap_or_else(PoisonError::into_inner).push(injected);
        Some(Decision { id, rule: active.rule.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use operations::{GENESYS_CLOUD_UPLOAD_FILE as UPLOAD, LEGACY_GET_MEDIA as MEDIA};
    use proptest::prelude::*;

    fn rule(text: &str) -> FaultRule {
        toml::from_str(text).expect("a fault")
    }

    #[test]
    fn a_legacy_id_finds_its_key_wherever_it_stands() {
        for (wanted, key, expected) in [
            ("100001", "100001", true),
            ("100001", "st:acme:100001", true),
            ("100001-1", "st-acme-100001-1.0123456789ab.mp3", true),
            ("100001", "st-acme-100001-1.0123456789ab.mp3", false),
            ("00001", "st:acme:100001", false),
            ("100001", "1000010", false),
        ] {
            assert_eq!(meant(wanted, key), expected, "{wanted} in {key}");
        }
    }

    #[test]
    fn attempts_are_counted_for_each_key() {
        let faults =
            Faults::new(Seed::new(7), vec![rule("on = 'genesys_cloud.upload_file'\nkind = 'too_many_requests'\nattempts = [1, 2]")]);
        let struck: Vec<bool> =
            (0..3).flat_map(|_| ["a", "b"]).map(|key| faults.decide(&UPLOAD, key, faults.attempt(&UPLOAD, key)).is_some()).collect();
        assert_eq!(struck, [true, true, true, true, false, false]);
        assert!(faults.decide(&MEDIA, "a", 1).is_none());
        assert_eq!(faults.injected().len(), 4);
        assert_eq!(faults.remove(Some(1)), 1);
    }

    #[test]
    fn nonsense_is_refused_with_the_way_out() {
        for (text, expected) in [
            ("on = 'legacy.get_medai'\nkind = 'latency'", "nearest is `legacy.get_media`"),
            ("on = 'legacy.get_media'\nkind = 'lost_answer'", "nothing to commit"),
            ("on = 'legacy.get_media'\nkind = 'latency'\nstatus = 500", "no knob `status`"),
            ("on = 'genesys_cloud.put_upload'\nkind = 'upload_stuck'", "strike genesys_cloud.process_upload"),
            ("on = 'genesys_cloud.process_upload'\nkind = 'latency'", "nothing else strikes it"),
            ("on = 'legacy.get_media'\nkind = 'server_error'\nstatus = 404", "must be one of [500"),
            ("on = 'legacy.get_media'\nkind = 'latency'\nattempts = [0]", "count from 1"),
            ("on = 'legacy.get_media'\nkind = 'latency'\nshare = 1.5", "share must be"),
        ] {
            let error = rule(text).check().expect_err(text);
            assert!(error.contains(expected), "{error}");
        }
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_changes_nothing(seed: u64, mut order in Just((0_u32..40).collect::<Vec<_>>()).prop_shuffle()) {
            let rules = vec![rule("on = 'genesys_cloud.upload_file'\nkind = 'server_error'\nshare = 0.3\nheal_after_attempts = 2")];
            let run = |keys: &[u32]| {
                let faults = Faults::new(Seed::new(seed), rules.clone());
                for key in keys.iter().chain(keys) {
                    let key = key.to_string();
                    let _ = faults.decide(&UPLOAD, &key, faults.attempt(&UPLOAD, &key));
                }
                faults.injected()
            };
            let shuffled = run(&order);
            order.sort_unstable();
            prop_assert_eq!(shuffled, run(&order));
        }
    }
}
