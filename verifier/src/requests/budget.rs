//! How many requests an audit takes: said before the target is touched, held against what was made.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Operation;

/// Requests to the target: announced, and made. The announced ones are the cheapest documented way.
/// Genesys Cloud: one analytics job, a listing page for each 500 recordings, one request for each
/// call, one protection query and one batch for each 100. Interaction Recording: one request for
/// each call, a search for each 50 of them, a listing for each day, a page of SpeechMiner for each
/// 500 and its document of each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Budget {
    /// Requests a minute it is reckoned with.
    pub requests_per_minute: u32,
    /// `organisation` where the target told its limit, else `plan`.
    pub limit_of: String,
    /// Requests announced, downloads and tokens left out: they do not count against that limit.
    pub announced: u64,
    /// Requests made, counted likewise. Polls of a slow job, repeats after an error and records
    /// that are not ours come on top.
    pub made: u64,
    /// Time at that limit. Seconds.
    pub seconds: u64,
    /// The same by operation.
    pub operations: Vec<BudgetLine>,
}

/// One operation of the budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetLine {
    /// Its name, as in `requests.jsonl`.
    pub operation: String,
    /// Requests announced.
    pub announced: u64,
    /// Requests made.
    pub made: u64,
}

/// How much there is to read, as far as the source tells.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sizes {
    /// Calls that must be there.
    pub(crate) calls: u64,
    /// Of these, calls with recordings.
    pub(crate) recorded_calls: u64,
    /// Recordings that must be there.
    pub(crate) recordings: u64,
    /// Recordings whose audio is compared.
    pub(crate) audio: u64,
    /// Whether jobs and batches may be created.
    pub(crate) jobs: bool,
    /// Calls of the source, those included that must not be there.
    pub(crate) all_calls: u64,
    /// Days on which calls with recordings began.
    pub(crate) days: u64,
}

/// What was said before the start.
#[derive(Debug, Clone)]
pub(crate) struct Announced {
    /// What may be asked of the target.
    operations: &'static [Operation],
    requests_per_minute: u32,
    limit_of: &'static str,
    planned: BTreeMap<&'static str, u64>,
}

impl Announced {
    /// `told` is the organisation's own limit, where it could be read; the smaller one holds.
    pub(crate) fn new(
        operations: &'static [Operation],
        planned: BTreeMap<&'static str, u64>,
        planned_per_minute: u32,
        told: Option<u32>,
    ) -> Announced {
        let told = told.filter(|told| *told <= planned_per_minute);
        let (requests_per_minute, limit_of) =
            told.map_or((planned_per_minute, "plan"), |told| (told, "organisation"));
        Announced {
            operations,
            requests_per_minute,
            limit_of,
            planned,
        }
    }

    /// Without what an unfinished verification has read already. By operation.
    pub(crate) fn without(mut self, kept: &BTreeMap<String, u64>) -> Announced {
        for (operation, planned) in &mut self.planned {
            *planned = planned.saturating_sub(kept.get(*operation).copied().unwrap_or(0));
        }
        self
    }

    fn counted(&self) -> u64 {
        self.operations
            .iter()
            .filter(|operation| operation.is_counted())
            .filter_map(|operation| self.planned.get(operation.name))
            .sum()
    }

    fn seconds(&self) -> u64 {
        (self.counted() * 60).div_ceil(u64::from(self.requests_per_minute.max(1)))
    }

    /// One line for a terminal.
    pub(crate) fn line(&self) -> String {
        let mut rows: Vec<(&str, u64)> = self
            .planned
            .iter()
            .map(|(name, count)| (*name, *count))
            .filter(|(_, count)| *count > 0)
            .collect();
        rows.retain(|(name, _)| {
            self.operations
                .iter()
                .any(|operation| operation.is_counted() && operation.name == *name)
        });
        rows.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
        let told: Vec<String> = rows
            .iter()
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        let downloads: u64 = self
            .operations
            .iter()
            .filter(|operation| operation.is_download())
            .filter_map(|operation| self.planned.get(operation.name))
            .sum();
        let downloads = if downloads > 0 {
            format!(", and {downloads} downloads")
        } else {
            String::new()
        };
        format!(
            "the target takes about {} requests ({}), {} at {} a minute ({}){downloads}",
            self.counted(),
            told.join(", "),
            duration(self.seconds()),
            self.requests_per_minute,
            if self.limit_of == "plan" {
                "the plan's pace"
            } else {
                "the organisation's limit"
            },
        )
    }

    /// The same, with what was made of it.
    pub(crate) fn settle(&self, sent: &[(&'static Operation, u64)]) -> Budget {
        let made = |operation: &Operation| {
            sent.iter()
                .find(|(other, _)| std::ptr::eq(*other, operation))
                .map_or(0, |(_, count)| *count)
        };
        let operations: Vec<BudgetLine> = self
            .operations
            .iter()
            .map(|operation| BudgetLine {
                operation: operation.name.to_owned(),
                announced: self.planned.get(operation.name).copied().unwrap_or(0),
                made: made(operation),
            })
            .filter(|line| line.announced + line.made > 0)
            .collect();
        Budget {
            requests_per_minute: self.requests_per_minute,
            limit_of: self.limit_of.to_owned(),
            announced: self.counted(),
            made: self
                .operations
                .iter()
                .filter(|operation| operation.is_counted())
                .map(made)
                .sum(),
            seconds: self.seconds(),
            operations,
        }
    }
}

impl Budget {
    /// What is worth saying about it afterwards: more than a fifth over, and more than a handful.
    pub(crate) fn notice(&self) -> Option<String> {
        let over = self.made.saturating_sub(self.announced);
        if over * 5 <= self.announced || over < 10 {
            return None;
        }
        let worst = self
            .operations
            .iter()
            .max_by_key(|line| line.made.saturating_sub(line.announced))?;
        Some(format!(
            "the target took {} requests instead of the {} announced, most of them {} ({} instead \
             of {})",
            self.made, self.announced, worst.operation, worst.made, worst.announced
        ))
    }
}

pub(crate) fn pages(count: u64, size: usize) -> u64 {
    count.div_ceil(size as u64)
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Jobs;
    use crate::requests::Allowance;
    use crate::target::{genesys_cloud, gir};

    fn genesys(
        planned: BTreeMap<&'static str, u64>,
        per_minute: u32,
        told: Option<u32>,
    ) -> Announced {
        Announced::new(genesys_cloud::OPERATIONS, planned, per_minute, told)
    }

    #[test]
    fn a_large_audit_is_reckoned_by_the_cheapest_documented_way() {
        let sizes = Sizes {
            calls: 10_000,
            recorded_calls: 9_000,
            recordings: 12_000,
            audio: 300,
            jobs: true,
            ..Sizes::default()
        };
        let announced = genesys(genesys_cloud::planned(sizes), 600, Some(300));
        assert_eq!(
            announced.line(),
            "the target takes about 10148 requests (10000 list_recordings, 100 \
             query_deletionprotection, 24 query_retention, 10 get_details_results, 3 \
             create_batchrequest, 3 get_batchrequest, 1 create_details_job, 1 get_data_retention, \
             1 get_details_job, 1 get_limits, 1 list_crossplatform_policies, 1 list_divisions, 1 \
             list_orphans, 1 list_policies), 34 min at 300 a minute (the organisation's limit), \
             and 300 downloads"
        );
        assert_eq!(
            genesys(genesys_cloud::planned(sizes), 200, Some(300)).limit_of,
            "plan",
            "the smaller one holds"
        );
        let without = genesys(
            genesys_cloud::planned(Sizes {
                jobs: false,
                ..sizes
            }),
            300,
            None,
        );
        assert_eq!(without.planned["get_conversation"], 9_000);
        assert_eq!(
            (
                without.planned["create_details_job"],
                without.planned["create_batchrequest"]
            ),
            (0, 0)
        );
    }

    #[test]
    fn an_audit_of_interaction_recording_is_reckoned_by_calls_days_and_pages() {
        let sizes = Sizes {
            calls: 1000,
            all_calls: 1100,
            recorded_calls: 900,
            recordings: 1200,
            audio: 40,
            days: 30,
            ..Sizes::default()
        };
        let all = Allowance::new(gir::OPERATIONS, Jobs::Create);
        let announced = Announced::new(gir::OPERATIONS, gir::planned(sizes, &all), 300, None);
        assert_eq!(
            announced.line(),
            "the target takes about 2053 requests (1100 gir.get_recording, 900 \
             speechminer.get_recording, 31 webdav.list, 20 gir.query_recordings, 2 \
             speechminer.list_recordings), 7 min at 300 a minute (the plan's pace), and 40 \
             downloads"
        );
        let store = gir::OPERATIONS
            .iter()
            .filter(|operation| operation.service == gir::WEBDAV);
        assert_eq!(
            gir::planned(sizes, &Allowance::new(store, Jobs::Create)).len(),
            2,
            "what is handed over is not asked for"
        );
    }

    #[test]
    fn what_was_made_is_held_against_it() {
        let announced = genesys(
            genesys_cloud::planned(Sizes {
                calls: 50,
                jobs: true,
                ..Sizes::default()
            }),
            300,
            None,
        );
        let operation = |name| Operation::named(genesys_cloud::OPERATIONS, name);
        let fair = announced.settle(&[
            (operation("list_recordings"), 50),
            (operation("get_details_job"), 9),
            (operation("issue_token"), 7),
        ]);
        assert_eq!((fair.made, fair.notice()), (59, None));
        let over = announced.settle(&[(operation("list_recordings"), 200)]);
        assert!(over.notice().is_some_and(|notice| {
            notice.contains("most of them list_recordings (200 instead of 50)")
        }));
    }
}
