//! What was found, counted by rule, operation and key.

use std::collections::BTreeMap;

use serde::Serialize;

use super::RequestEvent;
use super::table::ConductRule;
use crate::time::instant;

/// Groups that are told apart; further ones of a rule are counted under the key `*`. A client with
/// so many is not read line by line.
const GROUPS: usize = 1000;

/// Lines that a group names: enough to look at, not a second journal.
const EXAMPLES: usize = 5;

/// What `GET /_sim/conduct` answers.
#[derive(Clone, Debug, Serialize)]
pub struct ConductReport {
    /// Everything that is held against a client.
    pub rules: &'static [&'static ConductRule],
    /// What was, sorted by rule, platform, operation and key.
    pub breaches: Vec<Breach>,
}

/// Breaches of one rule by one operation and key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Breach {
    /// Name of the rule.
    pub rule: &'static str,
    /// Where.
    pub platform: &'static str,
    /// Name in the table of operations; `-` for what is about no single one.
    pub operation: &'static str,
    /// Business key; `-` for none, `*` for those beyond the first thousand groups.
    pub key: String,
    /// How often.
    pub count: u64,
    /// When first: UTC, RFC 3339 with milliseconds.
    pub first_at: String,
    /// Numbers of the first journal lines of it.
    pub examples: Vec<u64>,
}

impl ConductReport {
    /// Breaches in all.
    pub fn count(&self) -> u64 {
        self.breaches.iter().map(|breach| breach.count).sum()
    }

    /// What came since an earlier report. `first_at` of a group that was known stays; of its
    /// examples those stay that are new.
    pub fn since(&self, earlier: &ConductReport) -> ConductReport {
        let left = self.breaches.iter().map(|breach| {
            let is_same = |one: &&Breach| {
                (one.rule, one.platform, one.operation, &one.key)
                    == (breach.rule, breach.platform, breach.operation, &breach.key)
            };
            let mut left = breach.clone();
            if let Some(known) = earlier.breaches.iter().find(is_same) {
                left.count = left.count.saturating_sub(known.count);
                left.examples.retain(|n| !known.examples.contains(n));
            }
            left
        });
        ConductReport {
            rules: self.rules,
            breaches: left.filter(|breach| breach.count > 0).collect(),
        }
    }

    /// How often each rule was breached, sorted by its name.
    pub fn by_rule(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for breach in &self.breaches {
            *counts.entry(breach.rule).or_default() += breach.count;
        }
        counts
    }
}

type At = (&'static str, &'static str, &'static str, Box<str>);

#[derive(Clone, Default)]
pub(super) struct Breaches {
    groups: BTreeMap<At, Group>,
}

#[derive(Clone, Default)]
struct Group {
    count: u64,
    first_ms: i64,
    examples: Vec<u64>,
}

impl Breaches {
    /// A request breached a rule.
    pub(super) fn add(&mut self, rule: &'static ConductRule, event: &RequestEvent<'_>) {
        self.put(
            (
                rule.name,
                event.platform,
                event.operation.name,
                event.key.into(),
            ),
            event.arrived_ms,
            event.n,
        );
    }

    /// A platform's client breached a rule that is about no single operation.
    pub(super) fn add_of_platform(
        &mut self,
        rule: &'static ConductRule,
        platform: &'static str,
        at_ms: i64,
        n: u64,
    ) {
        self.put((rule.name, platform, "-", "-".into()), at_ms, n);
    }

    fn put(&mut self, mut at: At, at_ms: i64, n: u64) {
        if self.groups.len() >= GROUPS && !self.groups.contains_key(&at) {
            at.3 = "*".into();
        }
        let group = self.groups.entry(at).or_insert_with(|| Group {
            first_ms: at_ms,
            ..Group::default()
        });
        group.count += 1;
        if group.examples.len() < EXAMPLES {
            group.examples.push(n);
        }
    }

    pub(super) fn report(self) -> ConductReport {
        let breaches = self
            .groups
            .into_iter()
            .map(|((rule, platform, operation, key), group)| Breach {
                rule,
                platform,
                operation,
                key: key.into(),
                count: group.count,
                first_at: instant(group.first_ms),
                examples: group.examples,
            });
        ConductReport {
            rules: super::table::TABLE,
            breaches: breaches.collect(),
        }
    }
}
