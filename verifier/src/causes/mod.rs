//! Root causes: findings by what they have in common, in words that a person can act on.
//!
//! Findings with one signature (the same difference, `signature.rs`) are held against what the
//! source says of their records (`records.rs`), and the smallest description is looked for that
//! covers these records and leaves out the right ones (`search.rs`). Where there is none, the group
//! says so. Source: docs/reference/reports.md, "Root causes".

mod bits;
mod collect;
mod group;
mod records;
mod search;
mod signature;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use bits::Bits;
pub use group::{Example, Explained, Group};
pub(crate) use records::Records;
use records::{Attribute, Table};
use search::{Condition, Description, FEWEST, Search};
use signature::{Signature, Subject, signature, subject};

use crate::columns::Judgement;
use crate::defect::Defect;
use crate::finding::Finding;

/// A cause that concerns several kinds of records in different ways is named in so many parts.
const MOST_PARTS: usize = 5;
/// More differences of one class than this are looked at as one: a table that is off by a row makes
/// a difference of its own for each of its values.
const MOST_DIFFERENCES: usize = 5;

/// Findings with one signature, or a part of them.
struct Part<'a> {
    subject: Subject,
    signatures: BTreeSet<Signature>,
    findings: Vec<&'a Finding>,
    description: Option<Description>,
    /// Where nothing describes them: what nearly all of them have in common.
    nearest: Option<Description>,
    /// Conditions of which any one must hold, of causes that are one but for the value.
    any_of: Vec<Condition>,
}

/// Groups of two or more, the largest first.
pub(crate) fn groups(findings: &[Finding], records: &Records) -> Vec<Group> {
    let causes = Causes::new(findings, records);
    let mut by_family: BTreeMap<_, BTreeMap<Signature, Vec<&Finding>>> = BTreeMap::new();
    for finding in findings {
        let signature = signature(finding);
        let family = by_family.entry(signature.family.clone()).or_default();
        family.entry(signature).or_default().push(finding);
    }
    let parts: Vec<Part<'_>> = by_family
        .into_values()
        .flat_map(|signatures| causes.of_family(signatures))
        .collect();
    let mut groups: Vec<Group> = causes
        .merged(parts)
        .iter()
        .filter(|part| part.findings.len() > 1)
        .map(|part| causes.told(part))
        .collect();
    groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.rule.cmp(&b.rule)));
    groups
}

/// All findings of a verification over all its records.
struct Causes<'a> {
    records: &'a Records,
    /// Rows of each subject that have a finding: calls, and recordings.
    wrong: BTreeMap<Subject, (Bits, Bits)>,
}

impl<'a> Causes<'a> {
    fn new(findings: &[Finding], records: &'a Records) -> Causes<'a> {
        let mut wrong: BTreeMap<Subject, (Bits, Bits)> = BTreeMap::new();
        for finding in findings {
            let (call, recording) = records.rows_of(finding);
            let of = wrong.entry(subject(finding.defect)).or_insert_with(|| {
                (
                    Bits::none(records.calls.len()),
                    Bits::none(records.recordings.len()),
                )
            });
            call.into_iter().for_each(|row| of.0.set(row));
            recording.into_iter().for_each(|row| of.1.set(row));
            if recording.is_none() {
                let of_call = call
                    .into_iter()
                    .flat_map(|call| records.recordings_of(call));
                of_call.for_each(|row| of.1.set(row));
            }
        }
        Causes { records, wrong }
    }

    /// Whether findings are held against calls rather than recordings: one of them is about a whole
    /// call.
    fn by_calls(&self, findings: &[&Finding]) -> bool {
        findings
            .iter()
            .any(|finding| self.records.rows_of(finding).1.is_none())
    }

    fn table(&self, by_calls: bool) -> &Table {
        if by_calls {
            &self.records.calls
        } else {
            &self.records.recordings
        }
    }

    fn row(&self, finding: &Finding, by_calls: bool) -> Option<usize> {
        let (call, recording) = self.records.rows_of(finding);
        if by_calls { call } else { recording }
    }

    fn rows(&self, findings: &[&Finding], by_calls: bool) -> Bits {
        let rows = findings
            .iter()
            .filter_map(|finding| self.row(finding, by_calls));
        Bits::of(self.table(by_calls).len(), rows)
    }

    /// Records that were looked at and have no finding of this subject.
    fn right(&self, of: Subject, by_calls: bool) -> Bits {
        let looked_at = self.table(by_calls).judged(|judgement| match of {
            Subject::Of(Defect::RecordWithoutSource) => judgement == Judgement::Absent,
            Subject::Presence => !matches!(judgement, Judgement::None | Judgement::Absent),
            Subject::Sound => judgement == Judgement::Sound,
            _ => matches!(judgement, Judgement::Metadata | Judgement::Sound),
        });
        match self.wrong.get(&of) {
            Some((calls, _)) if by_calls => looked_at.without(calls),
            Some((_, recordings)) => looked_at.without(recordings),
            None => looked_at,
        }
    }

    /// Parts of one family. Few differences are each looked at; many of them together first.
    fn of_family(&self, signatures: BTreeMap<Signature, Vec<&'a Finding>>) -> Vec<Part<'a>> {
        let (often, seldom): (Vec<_>, Vec<_>) = signatures
            .into_iter()
            .partition(|(_, findings)| findings.len() >= FEWEST);
        let mut parts = Vec::new();
        if often.len() > MOST_DIFFERENCES {
            let describes = |part: &Part<'_>| {
                part.description
                    .as_ref()
                    .is_some_and(|found| !found.conditions.is_empty())
            };
            let together = self.split(self.part(&often));
            if together.len() == 1 && describes(&together[0]) {
                parts.extend(together);
            } else {
                let each: Vec<Part<'a>> = often
                    .iter()
                    .flat_map(|one| self.split(self.part(std::slice::from_ref(one))))
                    .collect();
                parts.extend(self.but_for_the_value(each, &often));
            }
        } else {
            for one in &often {
                parts.extend(self.split(self.part(std::slice::from_ref(one))));
            }
        }
        parts.extend(self.of_seldom(seldom));
        parts
    }

    /// Parts of differences that are each too rare to be described: all of them together where that
    /// is described, else the few that came more than once each by itself, and the rest together.
    fn of_seldom(&self, seldom: Vec<(Signature, Vec<&'a Finding>)>) -> Vec<Part<'a>> {
        let several = seldom
            .iter()
            .filter(|(_, findings)| findings.len() > 1)
            .count();
        if let Some(pooled) = self.pooled(&seldom) {
            let is_described = pooled.iter().any(|part| part.description.is_some());
            if is_described || several > MOST_DIFFERENCES || several == 0 {
                return pooled;
            }
        }
        let (repeated, single): (Vec<_>, Vec<_>) = seldom
            .into_iter()
            .partition(|(_, findings)| findings.len() > 1);
        let rest = self.pooled(&single).unwrap_or_default();
        let each = repeated
            .iter()
            .map(|one| self.part(std::slice::from_ref(one)));
        each.chain(rest).collect()
    }

    /// Several differences as one, split by cause. Absent: too few have something in common by
    /// chance.
    fn pooled(&self, of: &[(Signature, Vec<&'a Finding>)]) -> Option<Vec<Part<'a>>> {
        let findings: usize = of.iter().map(|(_, findings)| findings.len()).sum();
        (findings >= FEWEST && of.len() > 1).then(|| self.split(self.part(of)))
    }

    fn part(&self, of: &[(Signature, Vec<&'a Finding>)]) -> Part<'a> {
        Part {
            subject: subject(of[0].0.family.0),
            signatures: of.iter().map(|(signature, _)| signature.clone()).collect(),
            findings: of
                .iter()
                .flat_map(|(_, findings)| findings.iter().copied())
                .collect(),
            description: None,
            nearest: None,
            any_of: Vec::new(),
        }
    }

    /// Describes findings, in several parts where they have several causes. What is left over goes
    /// to the largest part where it is little, and is a part of its own where it is not.
    fn split(&self, whole: Part<'a>) -> Vec<Part<'a>> {
        let by_calls = self.by_calls(&whole.findings);
        let table = self.table(by_calls);
        let right = self.right(whole.subject, by_calls);
        let all = whole.findings.len();
        let mut left = whole.findings;
        let mut parts: Vec<Part<'a>> = Vec::new();
        let part = |findings, description| Part {
            subject: whole.subject,
            signatures: whole.signatures.clone(),
            findings,
            description,
            nearest: None,
            any_of: Vec::new(),
        };
        while parts.len() < MOST_PARTS && left.len() >= FEWEST && left.len() * 10 > all {
            let wrong = self.rows(&left, by_calls);
            let search = Search {
                table,
                wrong: &wrong,
                right: &right,
            };
            let Some(found) = search.describe() else {
                break;
            };
            let fits = |finding: &&Finding| {
                self.row(finding, by_calls)
                    .is_some_and(|row| found.fits.has(row))
            };
            let (explained, rest): (Vec<_>, Vec<_>) = left.iter().copied().partition(fits);
            if explained.len() * 10 <= all {
                break;
            }
            left = rest;
            parts.push(part(explained, Some(found)));
        }
        let is_little = left.len() < FEWEST || left.len() * 10 <= all;
        match parts.iter_mut().max_by_key(|part| part.findings.len()) {
            Some(largest) if is_little => largest.findings.extend(left),
            _ if left.is_empty() => {}
            _ => {
                let wrong = self.rows(&left, by_calls);
                let search = Search {
                    table,
                    wrong: &wrong,
                    right: &right,
                };
                let nearest = search.nearest();
                parts.push(Part {
                    nearest,
                    ..part(left, None)
                });
            }
        }
        parts
    }

    /// Parts that differ in nothing but the value of one attribute are one; what nothing describes
    /// is one too.
    fn but_for_the_value(
        &self,
        parts: Vec<Part<'a>>,
        whole: &[(Signature, Vec<&'a Finding>)],
    ) -> Vec<Part<'a>> {
        let mut by_attribute: BTreeMap<Option<Attribute>, Vec<Part<'a>>> = BTreeMap::new();
        let mut others = Vec::new();
        for part in parts {
            match part.description.as_ref().map(|found| &found.conditions[..]) {
                Some([Condition::Is(what, _)]) => by_attribute.entry(Some(*what)).or_default(),
                None => by_attribute.entry(None).or_default(),
                Some(_) => &mut others,
            }
            .push(part);
        }
        for (what, several) in by_attribute {
            if several.len() <= MOST_DIFFERENCES {
                others.extend(several);
                continue;
            }
            let mut one = self.part(whole);
            one.signatures = several
                .iter()
                .flat_map(|part| part.signatures.iter().cloned())
                .collect();
            one.findings = several
                .iter()
                .flat_map(|part| part.findings.iter().copied())
                .collect();
            if what.is_some() {
                self.join(&mut one, &several);
            }
            others.push(one);
        }
        others
    }

    /// Gives a part the descriptions of several, of which any holds.
    fn join(&self, one: &mut Part<'a>, several: &[Part<'a>]) {
        let conditions: BTreeSet<Condition> = several
            .iter()
            .filter_map(|part| part.description.as_ref()?.conditions.first().cloned())
            .collect();
        let by_calls = self.by_calls(&one.findings);
        let each = several
            .iter()
            .filter(|part| self.by_calls(&part.findings) == by_calls);
        let fits = each
            .filter_map(|part| part.description.as_ref())
            .fold(Bits::none(self.table(by_calls).len()), |all, found| {
                all.or(&found.fits)
            });
        one.any_of = conditions.into_iter().collect();
        one.description = Some(Description::joined(fits));
    }

    /// Parts of one subject whose descriptions cover each other's findings are one cause with
    /// several differences: 730 days and 731 days of one retention class.
    fn merged(&self, parts: Vec<Part<'a>>) -> Vec<Part<'a>> {
        let mut merged: Vec<Part<'a>> = Vec::new();
        // Places of the described ones, and whether their findings are held against calls: of
        // thousands of parts only few are described.
        let mut described: Vec<(usize, bool)> = Vec::new();
        let mut grown: BTreeSet<usize> = BTreeSet::new();
        for part in parts {
            if part.description.is_none() {
                merged.push(part);
                continue;
            }
            let by_calls = self.by_calls(&part.findings);
            let is_same = |(at, of_calls): &&(usize, bool)| {
                let other = &merged[*at];
                other.subject == part.subject
                    && *of_calls == by_calls
                    && self.covers(other, &part)
                    && self.covers(&part, other)
            };
            match described.iter().find(is_same).map(|(at, _)| *at) {
                Some(at) => {
                    let same = &mut merged[at];
                    grown.insert(at);
                    if part.findings.len() > same.findings.len() {
                        same.description = part.description;
                        same.any_of = part.any_of;
                    }
                    same.findings.extend(part.findings);
                    same.signatures.extend(part.signatures);
                }
                None => {
                    described.push((merged.len(), by_calls));
                    merged.push(part);
                }
            }
        }
        for at in grown {
            self.describe_anew(&mut merged[at]);
        }
        merged
    }

    /// Describes what has become one part by all its findings, where one description does.
    fn describe_anew(&self, part: &mut Part<'a>) {
        let by_calls = self.by_calls(&part.findings);
        let search = Search {
            table: self.table(by_calls),
            wrong: &self.rows(&part.findings, by_calls),
            right: &self.right(part.subject, by_calls),
        };
        let found = search.describe();
        if let Some(found) = found.filter(|_| part.any_of.is_empty()) {
            part.description = Some(found);
        }
    }

    /// Whether the description of one part fits nine in ten findings of another.
    fn covers(&self, one: &Part<'_>, other: &Part<'_>) -> bool {
        let Some(found) = &one.description else {
            return false;
        };
        let by_calls = self.by_calls(&other.findings);
        let rows = self.rows(&other.findings, by_calls);
        rows.and(&found.fits).count() * 10 >= rows.count() * 9
    }
}
