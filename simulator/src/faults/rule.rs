//! `[[fault]]`: what a rule says, and what is wrong with it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::{FaultKind, Layer, Row, rows};
use crate::operations::{self, Operation};
use crate::seed::Seed;
use crate::world::{DomainKind, Planting};

/// One `[[fault]]` of a scenario: an address, a kind and its knobs.
///
/// Without `attempts` and `heal_after_attempts` it strikes every attempt; without `keys` and
/// `share` every key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The operation it strikes: `<platform>.<verb_noun>` of the table of operations; for wrong
    /// data of the source a place of the world (`world.interaction`).
    pub on: String,
    /// What goes wrong.
    pub kind: FaultKind,
    /// The attempts of one business key that it strikes, from 1. Empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<u32>,
    /// Share of business keys it strikes, 0..1, by hash of the key; of the world's interactions,
    /// rounded to a whole number. Absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: Option<f64>,
    /// The business keys it strikes. A key is meant when it equals an entry, ends with `:` + entry,
    /// or contains `-` + entry + `.`, so that a legacy interaction or recording id finds its
    /// external tag and its file name. Of the world: ids of interactions. Empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Interactions of the world it is planted in, exactly. Absent: `share` or `keys` say, or all
    /// of them. Only for wrong data of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Strikes attempts 1 to this one, then never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heal_after_attempts: Option<u32>,
    /// Strikes for so long, in milliseconds on the simulator's clock, counted from the simulator's
    /// start for a scenario's rule, else from when the rule was added. How often it strikes then
    /// depends on who is how quick.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heal_after_ms: Option<u64>,
    /// Length of a delay, in milliseconds on the simulator's clock; how far a recorder's clock is
    /// slow. Absent: 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// Status of the answer: 500, 502, 503 or 504 (absent: 503); for `refused` 400, 403, 404, 409,
    /// 413 or 415 (absent: 400).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `Retry-After` of a 429, in whole seconds. Absent: the header is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

impl FaultRule {
    /// JSON Schema of one `[[fault]]`.
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(FaultRule).to_value()
    }

    /// What is wrong with this rule, in words for its author; the caller adds the place.
    pub(crate) fn check(&self) -> Result<(), String> {
        let row = self.kind.row();
        match row.layer {
            Layer::Domain => self.check_place(row)?,
            Layer::Transport | Layer::Http | Layer::CommitThenFail | Layer::Platform => {
                self.check_operation(row)?
            }
        }
        let given = [
            ("ms", self.ms.is_some()),
            ("status", self.status.is_some()),
            ("retry_after_s", self.retry_after_s.is_some()),
            ("count", self.count.is_some()),
        ];
        for (name, present) in given {
            if present && !row.knobs.iter().any(|knob| knob.name == name) {
                return Err(format!(
                    "fault `{}` has no knob `{name}`; remove it",
                    row.name
                ));
            }
        }
        let allowed = row
            .knobs
            .iter()
            .find(|knob| knob.name == "status")
            .map_or(&[][..], |knob| knob.allowed);
        if self.status.is_some_and(|status| !allowed.contains(&status)) {
            return Err(format!(
                "fault `{}`: status must be one of {allowed:?}",
                row.name
            ));
        }
        if self
            .share
            .is_some_and(|share| !(0.0..=1.0).contains(&share))
        {
            return Err(format!("fault `{}`: share must be 0..1", row.name));
        }
        if self.attempts.contains(&0) {
            return Err(format!("fault `{}`: attempts count from 1", row.name));
        }
        Ok(())
    }

    fn check_operation(&self, row: &Row) -> Result<(), String> {
        let operation = operations::find(&self.on).map_err(|nearest| {
            format!(
                "fault on `{}`: no such operation; nearest is `{nearest}`",
                self.on
            )
        })?;
        if row.layer == Layer::CommitThenFail && !operation.mutates {
            return Err(format!(
                "fault `{}` on `{}`: the operation changes nothing, so there is nothing to commit; \
                 use latency, connection_reset or server_error",
                row.name, self.on
            ));
        }
        if let Some(why) = (row.strike.cannot)(operation) {
            return Err(format!("fault `{}` on `{}`: {why}", row.name, self.on));
        }
        if operation.is_inside() && !row.on.contains(&operation.name) {
            let strikers = rows()
                .filter(|row| row.on.contains(&operation.name))
                .map(|row| row.name)
                .collect::<Vec<_>>()
                .join(" and ");
            return Err(format!(
                "fault `{}` on `{}`: {strikers} strike it, and nothing else strikes it",
                row.name, self.on
            ));
        }
        if !row.on.is_empty() && !row.on.contains(&operation.name) {
            return Err(format!(
                "fault `{}` on `{}`: it can only strike {}",
                row.name,
                self.on,
                row.on.join(" or ")
            ));
        }
        Ok(())
    }

    /// Wrong data is there from the beginning: it has no attempts and does not heal.
    fn check_place(&self, row: &Row) -> Result<(), String> {
        if !row.on.contains(&self.on.as_str()) {
            return Err(format!(
                "fault `{}` on `{}`: it is planted on `{}`",
                row.name,
                self.on,
                row.on.join("` or `")
            ));
        }
        if !self.attempts.is_empty()
            || self.heal_after_attempts.is_some()
            || self.heal_after_ms.is_some()
        {
            return Err(format!(
                "fault `{}`: the source's own data has no attempts and does not heal; use count, \
                 share or keys",
                row.name
            ));
        }
        let given = [
            self.count.is_some(),
            self.share.is_some(),
            !self.keys.is_empty(),
        ];
        if given.into_iter().filter(|given| *given).count() > 1 {
            return Err(format!(
                "fault `{}` takes one of count, share and keys",
                row.name
            ));
        }
        if self.count == Some(0) {
            return Err(format!("fault `{}`: count must be 1 or more", row.name));
        }
        Ok(())
    }

    /// The kind of wrong data this plants. Absent: it strikes requests or platforms.
    pub(crate) fn domain(&self) -> Option<DomainKind> {
        if let FaultKind::Domain(kind) = self.kind {
            Some(kind)
        } else {
            None
        }
    }

    /// The same for the world that it is planted in.
    pub(crate) fn planting(&self) -> Option<Planting> {
        let FaultRule {
            ms,
            count,
            share,
            keys,
            ..
        } = self;
        self.domain().map(|kind| Planting {
            kind,
            ms: *ms,
            count: *count,
            share: *share,
            keys: keys.clone(),
        })
    }

    /// Whether fault number `index` of a scenario strikes. Pure.
    pub(super) fn strikes(
        &self,
        seed: Seed,
        index: u64,
        operation: &Operation,
        key: &str,
        attempt: u32,
    ) -> bool {
        self.on == operation.name
            && (self.attempts.is_empty() || self.attempts.contains(&attempt))
            && self.heal_after_attempts.is_none_or(|last| attempt <= last)
            && (self.keys.is_empty() || self.keys.iter().any(|wanted| meant(wanted, key)))
            && self.share.is_none_or(|share| {
                seed.child("fault")
                    .index(index)
                    .child(operation.name)
                    .child(key)
                    .chance(share)
            })
    }
}

/// Whether `wanted` (a legacy id or a whole key) means the business key `key`.
pub(super) fn meant(wanted: &str, key: &str) -> bool {
    key == wanted
        || key
            .strip_suffix(wanted)
            .is_some_and(|head| head.ends_with(':'))
        || key.contains(&format!("-{wanted}."))
}
