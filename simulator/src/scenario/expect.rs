//! What a scenario expects of the migrator and the verifier. Data only: it is judged where the parts meet.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config_error::nearest;

/// How the migrator is expected to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Everything was moved or skipped by the plan.
    #[default]
    Complete,
    /// Finished, with recordings set aside.
    Quarantined,
    /// Ended early and can resume.
    Stopped,
    /// Refused before the first write.
    Refused,
}

/// What the verifier is expected to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Source and target agree.
    Match,
    /// They do not.
    Mismatch,
    /// Nothing wrong found, but something could not be read.
    CannotTell,
}

/// `[expect]`. What is left out means zero: nothing passes by silence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// How the migrator ends. Left out: `complete`.
    #[serde(default)]
    pub migrator: Ending,
    /// The verifier's verdict. Mandatory.
    pub verdict: Verdict,
    /// Recordings in quarantine, by reason. Left out: none.
    #[serde(default)]
    pub quarantined: BTreeMap<String, u64>,
    /// Recordings skipped, by reason. Left out: none.
    #[serde(default)]
    pub skipped: BTreeMap<String, u64>,
    /// Interactions the migrator leaves for a person because of an error that outlasts all retries. Left out: none.
    #[serde(default)]
    pub left: u64,
    /// Findings by defect class (`D01` .. `D64`, `P1` .. `P6`). Left out: none.
    #[serde(default)]
    pub by_defect: BTreeMap<String, u64>,
    /// The most requests the migrator may make to all platforms. Left out: any number.
    #[serde(default)]
    pub max_requests: Option<u64>,
    /// The most breaches of good conduct the simulators may count.
    #[serde(default)]
    pub max_conduct: u64,
}

/// Reasons for quarantine or skipping (docs/reference/match.md). A closed list, kept here too because this crate does not know the plan's.
const REASONS: [&str; 13] = [
    "unmapped_queue",
    "unmapped_agent",
    "audio_undecodable",
    "audio_unsupported",
    "audio_empty",
    "audio_not_audio",
    "audio_short",
    "time_unusable",
    "id_collision",
    "pii_unprotectable",
    "retention_over_max",
    "expired",
    "source_unreadable",
];

#[cfg(test)]
pub(crate) fn is_reason(name: &str) -> bool {
    REASONS.contains(&name)
}

impl Expect {
    /// What is wrong, in words; the caller adds the place.
    pub(crate) fn check(&self) -> Result<(), String> {
        for reason in self.quarantined.keys().chain(self.skipped.keys()) {
            if !REASONS.contains(&reason.as_str()) {
                let near = nearest(reason, &REASONS).unwrap_or_default();
                return Err(format!("unknown reason `{reason}` in [expect]; the nearest known reason is `{near}`"));
            }
        }
        match self.by_defect.keys().find(|class| !is_defect(class)) {
            Some(class) => Err(format!("unknown defect class `{class}` in [expect]; classes are D01..D64 and P1..P6")),
            None => Ok(()),
        }
    }
}

pub(crate) fn is_defect(class: &str) -> bool {
    let number = |digits: &str| digits.parse::<u8>().unwrap_or(0);
    match class.split_at_checked(1) {
        Some(("D", digits)) => digits.len() == 2 && (1..=64).contains(&number(digits)),
        Some(("P", digits)) => digits.len() == 1 && (1..=6).contains(&number(digits)),
        _ => false,
    }
}
