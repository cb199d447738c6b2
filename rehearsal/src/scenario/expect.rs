//! `[expect]`: what the migrator and the verifier must come to.

use std::collections::BTreeMap;

use plan::Reason;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use verifier::{Defect, Verdict};

/// How the migrator is expected to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Ending")]
pub enum ExpectedEnding {
    /// Everything was moved or skipped by the plan.
    #[default]
    Complete,
    /// Finished, with recordings quarantined or skipped.
    Quarantined,
    /// Ended early and can resume.
    Stopped,
    /// Refused before the first write.
    Refused,
}

/// `[expect]`. What is left out means zero: nothing passes by silence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// How the migrator ends. Left out: `complete`.
    #[serde(default)]
    pub migrator: ExpectedEnding,
    /// The verifier's verdict. Mandatory.
    pub verdict: Verdict,
    /// Recordings in quarantine, by reason. Left out: none.
    #[serde(default, deserialize_with = "by_reason")]
    #[schemars(with = "BTreeMap<String, u64>")]
    pub quarantined: BTreeMap<Reason, u64>,
    /// Recordings skipped, by reason. Left out: none.
    #[serde(default, deserialize_with = "by_reason")]
    #[schemars(with = "BTreeMap<String, u64>")]
    pub skipped: BTreeMap<Reason, u64>,
    /// Interactions the migrator leaves for a person because of an error that outlasts all retries.
    /// Left out: none.
    #[serde(default)]
    pub left: u64,
    /// Findings by defect class (`D18`). Left out: none.
    #[serde(default, deserialize_with = "by_defect")]
    #[schemars(with = "BTreeMap<String, u64>")]
    pub by_defect: BTreeMap<Defect, u64>,
    /// The most requests the migrator may make to all platforms. Left out: any number.
    #[serde(default)]
    pub max_requests: Option<u64>,
    /// The most breaches of good conduct the simulators may count.
    #[serde(default)]
    pub max_conduct: u64,
}

fn by_reason<'de, D: Deserializer<'de>>(written: D) -> Result<BTreeMap<Reason, u64>, D::Error> {
    counts(written, known_reason)
}

fn by_defect<'de, D: Deserializer<'de>>(written: D) -> Result<BTreeMap<Defect, u64>, D::Error> {
    counts(written, |code| known_defect(code, "[expect]"))
}

/// The class of damage of this code, where one is given.
pub(super) fn defect<'de, D: Deserializer<'de>>(written: D) -> Result<Option<Defect>, D::Error> {
    let code = Option::<String>::deserialize(written)?;
    code.map(|code| known_defect(&code, "tamper").map_err(D::Error::custom))
        .transpose()
}

fn counts<'de, D: Deserializer<'de>, T: Ord>(
    written: D,
    known: impl Fn(&str) -> Result<T, String>,
) -> Result<BTreeMap<T, u64>, D::Error> {
    let named = BTreeMap::<String, u64>::deserialize(written)?.into_iter();
    named
        .map(|(name, count)| Ok((known(&name).map_err(D::Error::custom)?, count)))
        .collect()
}

/// The reason of this name; or why there is none, and which is nearest.
fn known_reason(name: &str) -> Result<Reason, String> {
    Reason::from_name(name).ok_or_else(|| {
        let nearest =
            simulator::nearest(name, &Reason::ALL.map(Reason::as_str)).unwrap_or_default();
        format!("unknown reason `{name}` in [expect]; the nearest known reason is `{nearest}`")
    })
}

/// The class of this code; or where the codes are: a code that looks alike is no help.
fn known_defect(code: &str, place: &str) -> Result<Defect, String> {
    let all = Defect::ALL.iter().copied();
    let unknown = || {
        format!(
            "unknown defect class `{code}` in {place}; docs/reference/defects.md names those that \
             a verification reports"
        )
    };
    all.into_iter()
        .find(|defect| defect.code() == code)
        .ok_or_else(unknown)
}
