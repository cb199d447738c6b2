//! A verifier that proves itself: every class of defect is planted by every way into a target in
//! which it can exist, and must be found, rightly named, at its record, with nothing else named.
//!
//! For each way one world is migrated and verified clean. Then it is damaged, verified, and restored
//! from a snapshot, round after round: the classes that concern single calls together on disjoint
//! calls, each other class by itself. What cannot be planted is declared with its reason
//! (`catalogue`) and not counted.

mod catalogue;
mod judge;
mod process;
mod staged;
mod table;
mod trial;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::ending::Ending;
use crate::forecast::Surface;
use crate::options::Refusal;
use crate::run::in_virtual_time;

pub use catalogue::{Declared, class_codes};

/// What is tried.
#[derive(Debug, Clone)]
pub struct SelfTest {
    /// Decides calls, audio and victims.
    pub seed: u64,
    /// Only these classes. Empty: all.
    pub classes: BTreeSet<String>,
    /// Only these ways. Empty: all three.
    pub ways: Vec<Surface>,
}

/// What came out: the document of `seatrial self-test --json`.
#[derive(Debug, Clone, Serialize)]
pub struct SelfTested {
    /// Format: 1.
    pub version: u32,
    /// The seed.
    pub seed: u64,
    /// Rows that were planted: a class by a way.
    pub classes: u64,
    /// Rows of which every planted defect was found at its call.
    pub found: u64,
    /// Rows of which every one was also rightly named, at its record, with nothing else named.
    pub named: u64,
    /// Recordings that were judged in undamaged worlds.
    pub clean_records: u64,
    /// Of these, recordings whose sound was compared.
    pub clean_with_sound: u64,
    /// Findings about what was not damaged, in clean and damaged worlds.
    pub false_alarms: u64,
    /// The false alarms themselves, in words.
    pub alarms: Vec<String>,
    /// A row for each class and way.
    pub rows: Vec<Row>,
}

/// A class by a way.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// `D01` .. `D64`, `P1` .. `P6`.
    pub class: &'static str,
    /// The class in plain words.
    pub title: &'static str,
    /// The way into the target.
    pub target: Surface,
    /// How it ended.
    pub status: Status,
    /// What the verifier's answer to it is, where that is not a finding of the class itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stands_as: Option<&'static str>,
    /// Defects planted.
    pub planted: u64,
    /// Of these, found at their call.
    pub found: u64,
    /// Of these, found under the right name at the right record.
    pub named: u64,
    /// Findings beside them about the same calls.
    pub surplus: u64,
    /// Why it is declared, or what went wrong.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// How a class by a way ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Planted, found, rightly named, nothing else named.
    Found,
    /// Planted, and not so.
    Failed,
    /// It cannot exist there.
    CannotExist,
    /// It can exist, and nothing that a reader may read shows it.
    NoReaderCanTell,
}

impl Status {
    /// Whether something was planted.
    #[must_use]
    pub fn is_planted(self) -> bool {
        matches!(self, Status::Found | Status::Failed)
    }
}

impl SelfTest {
    /// Tries everything chosen, each way on a thread of its own in virtual time. Blocks the caller:
    /// give it a thread. `tell` hears a line now and then.
    ///
    /// # Errors
    ///
    /// A class that there is not, or a world that cannot be made or migrated ([`Refusal`]). A
    /// defect that is not found is no error.
    pub fn run(&self, tell: &(dyn Fn(&str) + Sync)) -> Result<SelfTested, Refusal> {
        if let Some(unknown) = self
            .classes
            .iter()
            .find(|code| !class_codes().any(|known| known == *code))
        {
            return Err(Refusal::bad(format!(
                "there is no class {unknown}; there are D01 to D64 and P1 to P6"
            )));
        }
        let ways: Vec<Surface> = Surface::ALL
            .into_iter()
            .filter(|way| self.ways.is_empty() || self.ways.contains(way))
            .collect();
        let tried: Vec<Result<trial::Tried, Refusal>> = std::thread::scope(|scope| {
            let running: Vec<_> = ways
                .iter()
                .map(|way| scope.spawn(|| self.by(*way, tell)))
                .collect();
            running
                .into_iter()
                .map(|one| {
                    one.join()
                        .unwrap_or_else(|_| Err(broken("a way in broke off")))
                })
                .collect()
        });
        let tried = tried.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(self.summed(tried))
    }

    fn by(&self, way: Surface, tell: &(dyn Fn(&str) + Sync)) -> Result<trial::Tried, Refusal> {
        let test = self.clone();
        let tried = in_virtual_time(move || trial::run(test, way)).map_err(broken)??;
        tell(&format!(
            "{}: {} verifications in {:.0} s",
            way.name(),
            tried.verifications,
            tried.seconds
        ));
        Ok(tried)
    }

    fn summed(&self, tried: Vec<trial::Tried>) -> SelfTested {
        let mut whole = SelfTested {
            version: 1,
            seed: self.seed,
            classes: 0,
            found: 0,
            named: 0,
            clean_records: 0,
            clean_with_sound: 0,
            false_alarms: 0,
            alarms: Vec::new(),
            rows: Vec::new(),
        };
        for one in tried {
            whole.clean_records += one.clean_records;
            whole.clean_with_sound += one.clean_with_sound;
            whole.alarms.extend(one.alarms);
            whole.rows.extend(one.rows);
        }
        whole.rows.sort_by_key(|row| (row.class, row.target));
        whole.false_alarms = whole.alarms.len() as u64;
        for row in whole.rows.iter().filter(|row| row.status.is_planted()) {
            whole.classes += 1;
            whole.found += u64::from(row.planted > 0 && row.found == row.planted);
            whole.named += u64::from(row.status == Status::Found);
        }
        whole
    }
}

impl SelfTested {
    /// Whether everything planted was found and rightly named, and nothing else was.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.classes > 0 && self.named == self.classes && self.false_alarms == 0
    }
}

fn broken(error: impl std::fmt::Display) -> Refusal {
    Refusal {
        ending: Ending::OurBug,
        sentence: format!("the self-test broke off: {error}"),
    }
}
