//! The log of faults: what struck, one line each, and a line as a rule of exact address.

use serde::{Deserialize, Serialize};

use super::table::{FaultKind, Layer};
use crate::operations;

/// A fault that struck. The sorted log is the same for any number of workers, and a run can be
/// replayed with exactly its lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Injected {
    /// Id as in the header `x-seatrial-fault` and the journal: `f<rule>-<hash>`, the same for any
    /// number of workers.
    pub id: String,
    /// Number of the rule, from 1.
    pub fault: u64,
    /// What went wrong.
    pub kind: FaultKind,
    /// Where.
    pub operation: String,
    /// For which business key.
    pub key: String,
    /// At which attempt.
    pub attempt: u32,
    /// The rule's knob. Absent: its default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// The rule's knob. Absent: its default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The rule's knob. Absent: the header is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

impl Injected {
    /// Reads a log as `GET /_sim/faults/log` gives it.
    ///
    /// # Errors
    ///
    /// A line is no fault of a log, names an operation that there is not, or strikes the same
    /// attempt as an earlier one: its number, from 1, and why.
    pub fn read_log(text: &str) -> Result<Vec<Injected>, (u64, String)> {
        let lines = text
            .lines()
            .zip(1_u64..)
            .filter(|(line, _)| !line.trim().is_empty());
        let mut seen = std::collections::BTreeSet::new();
        lines
            .map(|(line, at)| {
                let injected: Injected = serde_json::from_str(line)
                    .map_err(|error| (at, crate::config_error::in_words(&error.to_string())))?;
                injected.check().map_err(|why| (at, why))?;
                if !seen.insert((
                    injected.operation.clone(),
                    injected.key.clone(),
                    injected.attempt,
                )) {
                    return Err((at, "an earlier line strikes the same attempt".to_owned()));
                }
                Ok(injected)
            })
            .collect()
    }

    /// A log, one line each.
    pub fn write_log(log: &[Injected]) -> String {
        log.iter()
            .map(|injected| serde_json::to_string(injected).unwrap_or_default() + "\n")
            .collect()
    }

    fn check(&self) -> Result<(), String> {
        operations::find(&self.operation).map_err(|nearest| {
            format!("no operation `{}`; nearest is `{nearest}`", self.operation)
        })?;
        if self.kind.row().layer == Layer::Domain {
            return Err(format!(
                "`{}` is the source's own data and strikes no attempt",
                self.kind.row().name
            ));
        }
        Ok(())
    }

    /// What a log is sorted by.
    pub(super) fn order(&self) -> (u64, &str, &str, u32) {
        (self.fault, &self.operation, &self.key, self.attempt)
    }
}
