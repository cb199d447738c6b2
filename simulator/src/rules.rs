//! What the simulators claim about the platforms, and who says so.

use std::collections::BTreeMap;

use parking_lot::RwLock;
use serde::Serialize;

/// How well a rule is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// A vendor's page states it.
    Documented,
    /// Seen on a real platform or in a vendor's own client.
    Observed,
    /// Nobody states it; the simulator had to choose.
    Assumed,
}

/// One rule of a simulated platform.
#[derive(Debug, Serialize)]
pub struct Rule {
    /// `<platform>.<surface>.<rule>`, stable: reports name it.
    pub name: &'static str,
    /// How well it is known.
    pub grade: Grade,
    /// The rule in one sentence.
    pub statement: &'static str,
    /// Page and section, or why it was assumed.
    pub source: &'static str,
    /// What it is unless a scenario says otherwise: the setting and its default, or the number.
    /// Absent: it cannot be set.
    pub default: Option<&'static str>,
}

/// The default of a rule, from the list of none or one that its table gives.
pub(crate) const fn default_of(given: &[&'static str]) -> Option<&'static str> {
    match given {
        [default, ..] => Some(*default),
        [] => None,
    }
}

/// A table of rules of one platform, whose name and a dot come first; `ALL` lists them.
macro_rules! rules {
    ($platform:literal: $($constant:ident = $grade:ident, $name:literal, $statement:literal, $source:literal $(, $default:literal)?;)*) => {
        $(pub(crate) static $constant: Rule = Rule {
            name: concat!($platform, $name),
            grade: Grade::$grade,
            statement: $statement,
            source: $source,
            default: default_of(&[$($default)?]),
        };)*

        /// Every rule here, in this order.
        pub(crate) static ALL: &[&Rule] = &[$(&$constant),*];
    };
}
pub(crate) use rules;

/// The rules a run relied on: what a rehearsal does not prove is the assumed part of this.
#[derive(Default)]
pub(crate) struct Exercised {
    rules: RwLock<BTreeMap<&'static str, &'static Rule>>,
}

impl Exercised {
    /// Notes that `rule` decided something.
    pub(crate) fn mark(&self, rule: &'static Rule) {
        let known = self.rules.read().contains_key(rule.name);
        if !known {
            self.rules.write().insert(rule.name, rule);
        }
    }

    /// As they stand, for a snapshot.
    pub(crate) fn snapshot(&self) -> BTreeMap<&'static str, &'static Rule> {
        self.rules.read().clone()
    }

    /// As they stood: a branch relies on what it meets itself.
    pub(crate) fn restore(&self, snapshot: &BTreeMap<&'static str, &'static Rule>) {
        *self.rules.write() = snapshot.clone();
    }

    /// Names of the rules of one grade that were marked, sorted.
    pub(crate) fn names(&self, grade: Grade) -> Vec<&'static str> {
        self.rules()
            .into_iter()
            .filter(|rule| rule.grade == grade)
            .map(|rule| rule.name)
            .collect()
    }

    /// All marked rules, sorted by name.
    pub(crate) fn rules(&self) -> Vec<&'static Rule> {
        self.rules.read().values().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static ASSUMED: Rule = Rule {
        name: "b.rule",
        grade: Grade::Assumed,
        statement: "s",
        source: "none",
        default: None,
    };
    static DOCUMENTED: Rule = Rule {
        name: "a.rule",
        grade: Grade::Documented,
        statement: "s",
        source: "page",
        default: None,
    };

    #[test]
    fn a_rule_is_named_once_under_its_grade() {
        let exercised = Exercised::default();
        exercised.mark(&ASSUMED);
        exercised.mark(&ASSUMED);
        exercised.mark(&DOCUMENTED);
        assert_eq!(exercised.names(Grade::Assumed), ["b.rule"]);
        assert_eq!(exercised.names(Grade::Documented), ["a.rule"]);
        assert!(exercised.names(Grade::Observed).is_empty());
    }
}
