//! A root cause as it is written and read.

use std::collections::{BTreeMap, BTreeSet};

use output::thousands;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bits::Bits;
use super::search::{Condition, FEWEST};
use super::{Causes, Part};
use crate::defect::Defect;
use crate::finding::Finding;
use crate::show;

/// Enough to look into, few enough to read.
const EXAMPLES: usize = 5;
/// Values and differences that are named one by one.
const NAMED: usize = 3;

/// Findings that share a cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// The cause in words: what is wrong, and of which records.
    pub rule: String,
    /// Their class; of several the commonest.
    pub defect: String,
    /// How many.
    pub count: u64,
    /// How many of each class.
    #[serde(default)]
    pub defects: BTreeMap<String, u64>,
    /// How much of the findings the rule explains, and what else fits it. Absent: the source says
    /// nothing that tells these records apart.
    #[serde(default)]
    pub explained: Option<Explained>,
    /// The same in words.
    #[serde(default)]
    pub evidence: String,
    /// One finding to open. Absent: none has an id.
    #[serde(default)]
    pub example: Option<Example>,
    /// Up to five of them: recording, else interaction, else target id.
    pub examples: Vec<String>,
}

/// What a rule explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Explained {
    /// Findings of the group whose records fit the rule.
    pub findings: u64,
    /// Findings of the group.
    pub of: u64,
    /// Records that fit the rule and have no such finding.
    pub right: u64,
    /// Records that were looked at and have no such finding.
    pub of_right: u64,
}

/// A finding to open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Example {
    /// Recording, else interaction, else target id.
    pub id: String,
    /// The command that shows it; `PLAN` and `REPORT` stand for the plan and the report's folder.
    pub show: String,
}

impl Causes<'_> {
    /// A part as it is written.
    pub(super) fn told(&self, part: &Part<'_>) -> Group {
        let mut defects: BTreeMap<Defect, u64> = BTreeMap::new();
        for finding in &part.findings {
            *defects.entry(finding.defect).or_default() += 1;
        }
        let most = defects.values().max().copied().unwrap_or_default();
        let defect = defects
            .iter()
            .find(|(_, count)| **count == most)
            .map_or(part.findings[0].defect, |(defect, _)| *defect);
        let family = part.signatures.first().filter(|_| {
            let families: BTreeSet<_> = part.signatures.iter().map(|of| &of.family).collect();
            families.len() == 1 && defects.len() > 1
        });
        let title = family.map_or(defect, |of| of.family.0).title();
        let by_calls = self.by_calls(&part.findings);
        let explained = self.explained(part, by_calls);
        let evidence = match &explained {
            Some(explained) => explained.words(by_calls),
            None => self.unexplained(part, by_calls),
        };
        let examples = self.examples(part, by_calls);
        Group {
            rule: [title.to_owned(), differences(part), place(part, by_calls)].concat(),
            defect: defect.code().to_owned(),
            count: part.findings.len() as u64,
            defects: defects
                .into_iter()
                .map(|(defect, count)| (defect.code().to_owned(), count))
                .collect(),
            explained,
            evidence,
            example: examples.first().map(|id| Example {
                id: id.clone(),
                show: show::from_report(id),
            }),
            examples,
        }
    }

    fn explained(&self, part: &Part<'_>, by_calls: bool) -> Option<Explained> {
        let fits = &part.description.as_ref()?.fits;
        let right = self.right(part.subject, by_calls);
        let findings = part
            .findings
            .iter()
            .filter(|finding| self.fits(finding, fits, by_calls));
        Some(Explained {
            findings: findings.count() as u64,
            of: part.findings.len() as u64,
            right: right.and(fits).count() as u64,
            of_right: right.count() as u64,
        })
    }

    fn fits(&self, finding: &Finding, fits: &Bits, by_calls: bool) -> bool {
        self.row(finding, by_calls).is_some_and(|row| fits.has(row))
    }

    fn unexplained(&self, part: &Part<'_>, by_calls: bool) -> String {
        let names_itself =
            |defect| matches!(defect, Defect::EveryNthMissing | Defect::KindOfCallMissing);
        let rows = self.rows(&part.findings, by_calls).count();
        match &part.nearest {
            _ if part
                .findings
                .iter()
                .all(|finding| names_itself(finding.defect)) =>
            {
                String::new()
            }
            _ if rows == 0 => "none of them has a record in the source".to_owned(),
            _ if rows < FEWEST => "too few to tell what they have in common".to_owned(),
            None => "no attribute of the source tells these apart from the right ones".to_owned(),
            Some(nearest) => {
                let fit = part.findings.iter();
                let fit = fit.filter(|finding| self.fits(finding, &nearest.fits, by_calls));
                let right = self.right(part.subject, by_calls);
                format!(
                    "no attribute of the source tells these apart from the right ones; nearest is \
                     {}: {} of {} findings, and {} of {} right {}",
                    conditions(&nearest.conditions),
                    thousands(fit.count() as u64),
                    thousands(part.findings.len() as u64),
                    thousands(right.and(&nearest.fits).count() as u64),
                    thousands(right.count() as u64),
                    records(by_calls),
                )
            }
        }
    }

    /// Ids of findings, those that the rule explains first.
    fn examples(&self, part: &Part<'_>, by_calls: bool) -> Vec<String> {
        let is_explained = |finding: &&&Finding| {
            part.description
                .as_ref()
                .is_some_and(|found| self.fits(finding, &found.fits, by_calls))
        };
        let (explained, others): (Vec<_>, Vec<_>) = part.findings.iter().partition(is_explained);
        let id = |finding: &&Finding| {
            let ids = [
                &finding.legacy_recording_id,
                &finding.legacy_interaction_id,
                &finding.target_id,
            ];
            ids.into_iter().flatten().next().cloned()
        };
        explained
            .into_iter()
            .chain(others)
            .filter_map(id)
            .take(EXAMPLES)
            .collect()
    }
}

impl Explained {
    fn words(&self, by_calls: bool) -> String {
        let right = match (self.right, self.of_right) {
            (_, 0) => format!(
                "there is no right {}",
                if by_calls { "call" } else { "recording" }
            ),
            (0, of) => format!(
                "none of {} right {} fits it",
                thousands(of),
                records(by_calls)
            ),
            (1, of) => format!(
                "1 of {} right {} fits it too",
                thousands(of),
                records(by_calls)
            ),
            (right, of) => format!(
                "{} of {} right {} fit it too",
                thousands(right),
                thousands(of),
                records(by_calls)
            ),
        };
        format!(
            "explains {} of {} findings; {right}",
            thousands(self.findings),
            thousands(self.of)
        )
    }
}

fn records(by_calls: bool) -> &'static str {
    if by_calls { "calls" } else { "recordings" }
}

/// What is wrong, beyond the class.
fn differences(part: &Part<'_>) -> String {
    let all: Vec<&str> = part
        .signatures
        .iter()
        .map(|signature| signature.difference.as_str())
        .filter(|difference| !difference.is_empty())
        .collect();
    if all.is_empty() {
        String::new()
    } else {
        format!(": {}", some(&all, "; "))
    }
}

/// Of which records.
fn place(part: &Part<'_>, by_calls: bool) -> String {
    match &part.description {
        None => String::new(),
        Some(_) if !part.any_of.is_empty() => {
            let all: Vec<String> = part
                .any_of
                .iter()
                .map(|condition| conditions(std::slice::from_ref(condition)))
                .collect();
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            format!(", for {}", some(&all, ", "))
        }
        Some(found) if found.conditions.is_empty() && by_calls => ", in every call".to_owned(),
        Some(found) if found.conditions.is_empty() => ", in every recording".to_owned(),
        Some(found) => {
            let is_date = matches!(
                found.conditions[0],
                Condition::Between(super::records::Measure::Start, ..)
            );
            let word = if is_date { "" } else { "for " };
            format!(", {word}{}", conditions(&found.conditions))
        }
    }
}

/// The first few, and how many more there are.
fn some(all: &[&str], between: &str) -> String {
    let named = all[..all.len().min(NAMED)].join(between);
    match all.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn conditions(all: &[Condition]) -> String {
    let mut words = String::new();
    for (at, condition) in all.iter().enumerate() {
        let is_date = matches!(
            condition,
            Condition::Between(super::records::Measure::Start, ..)
        );
        words.push_str(match (at, is_date) {
            (0, _) => "",
            (_, true) => " ",
            (_, false) => " and ",
        });
        words.push_str(&match condition {
            Condition::Is(what, value) => what.words(value.as_deref()),
            Condition::Between(measure, from, to) => measure.words((*from, *to)),
        });
    }
    words
}
