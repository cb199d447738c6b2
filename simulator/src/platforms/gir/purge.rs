//! What deletes: the site's lifecycle management, by its rules. No API tells them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fields::CALL_TYPES;
use super::state::{Recording, State};
use super::{Gir, rules};
use crate::operations::Operation;

/// A day of a rule.
const DAY_MS: i64 = 86_400_000;

/// The call type of a rule for recordings that state none. Source: Recording Lifecycle Scheduler.
const NOT_SET: &str = "NotSet";

/// What is noted of a recording that goes.
static PURGE: Operation = Operation {
    name: "gir.purge_recording",
    method: "-",
    path: "-",
    key: "recording id",
    mutates: true,
    needs: &[],
    query: &[],
};

/// A rule that deletes recordings of an age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PurgeRule {
    /// Days of 24 hours from a recording's start.
    pub after_days: i64,
    /// Only recordings of this call type; `NotSet`: that state none. Left out: of any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_type: Option<String>,
    /// Only recordings with this label. Left out: with any, and with none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// The rules that fit a world: one a retention class, no earlier than its years can end and as
/// little later as days allow.
pub(super) fn fitting(classes: &[(String, i64)]) -> Vec<PurgeRule> {
    // A leap day more than the years can have, because a class counts from a call's end and a rule
    // from its start.
    let days = |years: i64| years * 365 + (years + 3).div_euclid(4) + 1;
    let rule = |(class, years): &(String, i64)| PurgeRule {
        after_days: days(*years),
        call_type: None,
        label: Some(label(class)),
    };
    classes.iter().map(rule).collect()
}

/// The label of a retention class: what is not printable ASCII is percent-encoded, as UTF-8.
pub(super) fn label(class: &str) -> String {
    let encoded = class.chars().map(|c| match c {
        ' '..='~' => c.to_string(),
        other => other
            .to_string()
            .bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect(),
    });
    format!("st-ret-{}", encoded.collect::<String>())
}

impl PurgeRule {
    /// What is wrong with it, in a sentence.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.after_days < 1 {
            return Err("after_days of a purge rule must be 1 or more".to_owned());
        }
        match &self.call_type {
            Some(other) if other != NOT_SET && !CALL_TYPES.contains(&other.as_str()) => {
                Err(format!(
                    "call_type of a purge rule must be {}, {NOT_SET}",
                    CALL_TYPES.join(", ")
                ))
            }
            _ => Ok(()),
        }
    }

    fn fits(&self, held: &Recording) -> bool {
        let is_type = |asked: &str| held.call_type.as_deref().unwrap_or(NOT_SET) == asked;
        self.call_type.as_deref().is_none_or(is_type)
            && self
                .label
                .as_ref()
                .is_none_or(|label| held.labels.contains(label))
    }
}

impl Gir {
    /// When lifecycle management deletes a recording, Unix ms; absent where no rule fits it.
    /// Whether it is tagged for non-deletion is not looked at.
    pub(super) fn deleted_at_ms(&self, held: &Recording) -> Option<i64> {
        let (start, _) = held.span();
        let rules = self.purge_rules.iter().filter(|rule| rule.fits(held));
        rules
            .map(|rule| {
                start
                    .0
                    .saturating_add(rule.after_days.saturating_mul(DAY_MS))
            })
            .min()
    }

    /// When lifecycle management ran last before now, whether anybody looked or not. Unix ms.
    pub(super) fn last_run_ms(&self) -> i64 {
        let every_ms = i64::try_from(self.settings.purge.every_minutes)
            .unwrap_or(24 * 60)
            .saturating_mul(60_000)
            .max(1);
        self.core.clock.now_ms().div_euclid(every_ms) * every_ms
    }

    /// Somebody looks at one of the other servers: what became due there is gone before.
    pub(super) fn look(&self) {
        drop(self.state());
    }

    /// Does what lifecycle management has done since somebody looked.
    pub(super) fn manage(&self, state: &mut State) {
        let run_ms = self.last_run_ms();
        if std::mem::replace(&mut state.managed_ms, run_ms) >= run_ms {
            return;
        }
        [&rules::PURGE, &rules::PURGE_AGE, &rules::PURGE_TIME]
            .into_iter()
            .for_each(|rule| self.mark(rule));
        let is_due = |held: &Recording| {
            !held.non_delete && self.deleted_at_ms(held).is_some_and(|at| at <= run_ms)
        };
        let due: Vec<String> = state
            .recordings
            .values()
            .filter(|held| is_due(held))
            .map(|held| held.id.clone())
            .collect();
        for id in due {
            self.core.journal.record_side_effect(&PURGE, &id, "purged");
            self.speechminer().held().remove(&id);
            let files = state
                .recordings
                .remove(&id)
                .map(|held| held.media)
                .unwrap_or_default();
            for path in files
                .iter()
                .filter_map(|file| self.webdav().file_of(&file.descriptor.path))
            {
                if let Err(error) = std::fs::remove_file(path) {
                    tracing::debug!(%error, "a purged recording had no file");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_of_a_class_is_no_earlier_than_the_class_and_a_day_or_two_later() {
        let zone = jiff::tz::TimeZone::UTC;
        for years in [1_i64, 3, 5, 7, 10] {
            let rule = &fitting(&[(format!("{years}-Year Retention"), years)])[0];
            assert_eq!(
                rule.label.as_deref(),
                Some(&*format!("st-ret-{years}-Year Retention"))
            );
            for start in [
                "2016-02-29T10:00:00Z",
                "2017-01-01T00:00:00Z",
                "2019-12-31T23:00:00Z",
                "2023-03-01T00:00:00Z",
            ] {
                let start: jiff::Timestamp = start.parse().expect("a time");
                let end = start + jiff::SignedDuration::from_hours(20);
                let class = end
                    .to_zoned(zone.clone())
                    .checked_add(jiff::Span::new().years(years))
                    .expect("a time")
                    .timestamp();
                let goes = start + jiff::SignedDuration::from_hours(24 * rule.after_days);
                let days = (goes.as_second() - class.as_second()) as f64 / 86_400.0;
                assert!(
                    days >= 0.0 && days <= ((years + 3) / 4 + 1) as f64,
                    "{years} {start}: {days}"
                );
            }
        }
    }

    #[test]
    fn a_label_is_printable_ascii() {
        assert_eq!(label("Dur\u{e9}e 7\t"), "st-ret-Dur%C3%A9e 7%09");
    }
}
