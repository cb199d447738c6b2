//! From a document that fails to the smallest one that still fails in the same way.

use std::path::Path;

use toml::{Table, Value};

use super::dice::Dice;
use super::swarm::section;
use super::trial::{Bench, Reason, Tried};

/// Trials one failure may cost. Enough for a dozen faults and a dozen knobs twice over.
const MOST_TRIALS: usize = 250;
/// Sizes of the world that are tried, the smallest first.
const SIZES: [i64; 8] = [1, 2, 3, 5, 8, 13, 20, 30];
/// Other worlds of the same size that are tried, for what happens in one need not in another.
const OTHER_SEEDS: usize = 5;
/// Times a shrunk document must fail before it is believed.
pub(crate) const TIMES: usize = 10;

/// What was shrunk.
pub(crate) struct Shrunk {
    pub(crate) document: Table,
    pub(crate) last: Tried,
    pub(crate) trials: usize,
}

/// Holds candidates against what has to stay true of them: that they fail in the same way.
struct Search<'a> {
    bench: &'a Bench,
    work: &'a Path,
    reason: &'a Reason,
    best: Table,
    last: Tried,
    trials: usize,
}

/// Shrinks faults, kills, world, workers and plan, over and over until nothing more can go.
pub(crate) fn shrink(
    bench: &Bench,
    document: &Table,
    failed: Tried,
    reason: &Reason,
    work: &Path,
) -> Shrunk {
    let mut search = Search {
        bench,
        work,
        reason,
        best: document.clone(),
        last: failed,
        trials: 0,
    };
    loop {
        let before = search.best.clone();
        search.fewer_entries("fault", None);
        search.fewer_entries("kill_after_requests", Some("migrator"));
        search.smaller_world();
        search.plainer_world();
        search.plainer_faults();
        search.plainer_rest();
        if search.best == before || search.trials >= MOST_TRIALS {
            break;
        }
    }
    Shrunk {
        document: search.best,
        last: search.last,
        trials: search.trials,
    }
}

impl Search<'_> {
    /// Takes a candidate over if it fails in the same way.
    fn keep(&mut self, candidate: Table) -> bool {
        if candidate == self.best || self.trials >= MOST_TRIALS {
            return false;
        }
        self.trials += 1;
        let tried = self.bench.try_out(&candidate, self.work);
        let same = tried
            .reason
            .as_ref()
            .is_some_and(|reason| reason.is_like(self.reason));
        if same {
            self.best = candidate;
            self.last = tried;
        }
        same
    }

    fn with(&self, change: impl FnOnce(&mut Table)) -> Table {
        let mut candidate = self.best.clone();
        change(&mut candidate);
        candidate
    }

    /// All of a list away, then each half, then one after the other.
    fn fewer_entries(&mut self, list: &str, within: Option<&str>) {
        let mut size = self.entries(list, within).len();
        while size > 0 {
            let mut at = 0;
            while at < self.entries(list, within).len() {
                let mut left = self.entries(list, within);
                left.drain(at..(at + size).min(left.len()));
                let candidate = self.with(|document| set_entries(document, list, within, left));
                if !self.keep(candidate) {
                    at += size;
                }
            }
            size /= 2;
        }
    }

    fn entries(&self, list: &str, within: Option<&str>) -> Vec<Value> {
        let place = within.map_or(Some(&self.best), |within| {
            self.best.get(within).and_then(Value::as_table)
        });
        place
            .and_then(|place| place.get(list)?.as_array().cloned())
            .unwrap_or_default()
    }

    fn smaller_world(&mut self) {
        let now = self
            .best
            .get("world")
            .and_then(|world| world.get("interactions")?.as_integer())
            .unwrap_or(0);
        let seed = self
            .best
            .get("seed")
            .and_then(Value::as_integer)
            .unwrap_or(0);
        for size in SIZES.into_iter().filter(|size| *size < now) {
            let other = |n: usize| Dice::new(seed.unsigned_abs()).of("other").nth(n).seed();
            for seed in std::iter::once(seed).chain((0..OTHER_SEEDS).map(other)) {
                let candidate = self.with(|document| {
                    section(document, "world")
                        .insert("interactions".to_owned(), Value::Integer(size));
                    document.insert("seed".to_owned(), Value::Integer(seed));
                });
                if self.keep(candidate) {
                    return;
                }
            }
        }
    }

    /// Every share and count to nothing, every list to its first, the window to its first day.
    fn plainer_world(&mut self) {
        let world = self
            .best
            .get("world")
            .and_then(Value::as_table)
            .cloned()
            .unwrap_or_default();
        for (name, value) in world {
            let plain = match (&value, name.as_str()) {
                (
                    _,
                    "interactions" | "file" | "site_zone" | "from" | "to" | "agents" | "queues",
                ) => continue,
                (Value::Integer(_), "recorder_nodes") => Value::Integer(1),
                (Value::Integer(_), _) => Value::Integer(0),
                (Value::Float(_), "mean_seconds") => Value::Float(0.5),
                (Value::Float(_), _) => Value::Float(0.0),
                (Value::Array(_), "codecs") => Value::Array(vec!["pcm".into()]),
                (Value::Array(_), _) => Value::Array(Vec::new()),
                (Value::Table(_), _) => Value::Table(Table::new()),
                (Value::String(_) | Value::Boolean(_) | Value::Datetime(_), _) => continue,
            };
            let candidate =
                self.with(|document| _ = section(document, "world").insert(name, plain));
            self.keep(candidate);
        }
    }

    /// Each fault on every key, at the first attempt alone, and as short as can be.
    fn plainer_faults(&mut self) {
        for at in 0..self.entries("fault", None).len() {
            let changes: [fn(&mut Table); 3] = [
                |fault| _ = fault.remove("share"),
                |fault| {
                    _ = fault.insert("attempts".to_owned(), Value::Array(vec![Value::Integer(1)]))
                },
                |fault| _ = fault.get_mut("ms").map(|ms| *ms = Value::Integer(50)),
            ];
            for change in changes {
                let mut faults = self.entries("fault", None);
                if let Some(Value::Table(fault)) = faults.get_mut(at) {
                    change(fault);
                }
                let candidate = self.with(|document| set_entries(document, "fault", None, faults));
                self.keep(candidate);
            }
        }
    }

    /// One worker, the usual limits, nothing of the plan but what fits by itself.
    fn plainer_rest(&mut self) {
        let candidate = self.with(|document| {
            section(section(document, "plan"), "pace")
                .insert("workers".to_owned(), Value::Integer(1));
        });
        self.keep(candidate);
        for name in simulator::PLATFORM_SECTIONS.into_iter().chain(["plan"]) {
            let candidate = self.with(|document| _ = document.remove(name));
            self.keep(candidate);
        }
        let names: Vec<String> = self
            .best
            .get("plan")
            .and_then(Value::as_table)
            .map(|plan| plan.keys().cloned().collect())
            .unwrap_or_default();
        for name in names {
            let candidate = self.with(|document| _ = section(document, "plan").remove(&name));
            self.keep(candidate);
        }
    }
}

fn set_entries(document: &mut Table, list: &str, within: Option<&str>, entries: Vec<Value>) {
    let place = match within {
        Some(within) => section(document, within),
        None => document,
    };
    if entries.is_empty() {
        place.remove(list);
    } else {
        place.insert(list.to_owned(), Value::Array(entries));
    }
}
