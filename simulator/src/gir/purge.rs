//! What deletes: the rules of the site's lifecycle management. No API tells them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fields::CALL_TYPES;

/// A rule that deletes recordings of an age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PurgeRule {
    /// Days of 24 hours from a recording's start.
    pub after_days: i64,
    /// Only recordings of this call type. Left out: of any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_type: Option<String>,
    /// Only recordings with this label. Left out: with any, and with none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// The rules that fit a world: one a retention class, no earlier than its years can end and as little later as days allow.
pub(super) fn fitting(classes: &[(String, i64)]) -> Vec<PurgeRule> {
    // A leap day more than the years can have, because a class counts from a call's end and a rule from its start.
    let days = |years: i64| years * 365 + (years + 3).div_euclid(4) + 1;
    let rule = |(class, years): &(String, i64)| PurgeRule { after_days: days(*years), call_type: None, label: Some(label(class)) };
    classes.iter().map(rule).collect()
}

/// The label of a retention class: what is not printable ASCII is percent-encoded, as UTF-8.
fn label(class: &str) -> String {
    let encoded = class.chars().map(|c| match c {
        ' '..='~' => c.to_string(),
        other => other.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect(),
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
            Some(other) if !CALL_TYPES.contains(&other.as_str()) => {
                Err(format!("call_type of a purge rule must be {}", CALL_TYPES.join(", ")))
            }
            _ => Ok(()),
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
            assert_eq!(rule.label.as_deref(), Some(&*format!("st-ret-{years}-Year Retention")));
            for start in ["2016-02-29T10:00:00Z", "2017-01-01T00:00:00Z", "2019-12-31T23:00:00Z", "2023-03-01T00:00:00Z"] {
                let start: jiff::Timestamp = start.parse().expect("a time");
                let end = start + jiff::SignedDuration::from_hours(20);
                let class = end.to_zoned(zone.clone()).checked_add(jiff::Span::new().years(years)).expect("a time").timestamp();
                let goes = start + jiff::SignedDuration::from_hours(24 * rule.after_days);
                let days = (goes.as_second() - class.as_second()) as f64 / 86_400.0;
                assert!(days >= 0.0 && days <= ((years + 3) / 4 + 1) as f64, "{years} {start}: {days}");
            }
        }
    }

    #[test]
    fn a_label_is_printable_ascii() {
        assert_eq!(label("Dur\u{e9}e 7\t"), "st-ret-Dur%C3%A9e 7%09");
    }
}
