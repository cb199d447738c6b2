//! What the ledger keeps of a canary, and whether a run may pass because of it.

use serde::{Deserialize, Serialize};

use crate::custody;
use crate::error::RunError;
use crate::ledger::Ledger;
use crate::options::Options;
use plan::LoadedPlan;
use platforms::is_this_machine;

/// Where in the ledger.
const KEY: &str = "canary";
/// Recordings a canary has at most where it leaves this machine: somebody looks at each of them,
/// and more would be a migration without one.
const MOST: usize = 200;

/// The latest canary of a ledger, as one document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The plan it was chosen and sent under, and of which alone it tells anything.
    pub(crate) plan_hash: String,
    pub(crate) wanted: usize,
    /// Ids in the source, in extraction order.
    pub(crate) interactions: Vec<String>,
    pub(crate) recordings: usize,
    pub(crate) looked_at: u64,
    pub(crate) of: u64,
    pub(crate) features: Vec<String>,
    pub(crate) replaced: Vec<String>,
    /// Absent: not verified as a match yet.
    pub(crate) checklist: Option<Written>,
    /// Absent: nobody has handed it in.
    pub(crate) checked: Option<Checked>,
}

/// A checklist as it was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Written {
    pub(crate) path: String,
    /// RFC 3339, whole seconds. Tells one checklist of a plan from another.
    pub(crate) at: String,
    /// The verifier's sentence.
    pub(crate) verified: String,
    /// What stands in each line and is not to be changed.
    pub(crate) lines: Vec<Vec<String>>,
}

/// A checklist as it was handed in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Checked {
    pub(crate) by: Vec<String>,
    /// The latest time written in it, RFC 3339.
    pub(crate) at: String,
    pub(crate) sha256: String,
    pub(crate) file: String,
    /// Sentences about what is wrong. None: confirmed.
    pub(crate) failed: Vec<String>,
    pub(crate) failed_interactions: Vec<String>,
}

impl Record {
    pub(crate) async fn read(ledger: &dyn Ledger) -> Result<Option<Record>, RunError> {
        // What cannot be read confirms nothing: a new canary takes its place.
        Ok(ledger
            .meta(KEY)
            .await?
            .and_then(|text| serde_json::from_str(&text).ok()))
    }

    pub(crate) async fn save(&self, ledger: &dyn Ledger) -> Result<(), RunError> {
        self.save_with(ledger, Vec::new()).await
    }

    /// With lines of custody, in one commit.
    pub(crate) async fn save_with(
        &self,
        ledger: &dyn Ledger,
        custody: Vec<custody::Entry>,
    ) -> Result<(), RunError> {
        let text = serde_json::to_string(self)
            .map_err(|error| RunError::Storage(format!("the canary's record: {error}")))?;
        Ok(ledger.set_meta_with(vec![(KEY, text)], custody).await?)
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        self.checked
            .as_ref()
            .is_some_and(|checked| checked.failed.is_empty())
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.checked
            .as_ref()
            .is_some_and(|checked| !checked.failed.is_empty())
    }

    /// What a new choice under the same plan begins with. What failed is looked at again in any
    /// case; else what has gone already is shown as well as anything, as long as there is room.
    pub(super) fn to_keep(&self, wanted: usize) -> Vec<String> {
        match &self.checked {
            Some(checked) if !checked.failed.is_empty() => checked.failed_interactions.clone(),
            _ if self.recordings <= wanted => self.interactions.clone(),
            _ => Vec::new(),
        }
    }

    fn state(&self, plan_hash: &str) -> CanaryState {
        match (&self.checklist, &self.checked) {
            _ if self.plan_hash != plan_hash => CanaryState::OfAnotherPlan,
            (_, Some(checked)) if checked.failed.is_empty() => CanaryState::Confirmed,
            (_, Some(_)) => CanaryState::Failed,
            (Some(_), None) => CanaryState::Waiting,
            (None, None) => CanaryState::Begun,
        }
    }

    /// As others are told of it.
    pub(crate) fn told(&self, plan_hash: &str, left: Vec<String>) -> Canary {
        let checked = self.checked.clone();
        Canary {
            state: self.state(plan_hash),
            plan_hash: self.plan_hash.clone(),
            wanted: self.wanted,
            interactions: self.interactions.clone(),
            recordings: self.recordings,
            looked_at: self.looked_at,
            of: self.of,
            features: self.features.clone(),
            replaced: self.replaced.clone(),
            left,
            checklist: self.checklist.as_ref().map(|written| written.path.clone()),
            checked_by: checked
                .as_ref()
                .map(|checked| checked.by.clone())
                .unwrap_or_default(),
            checked_at: checked.as_ref().map(|checked| checked.at.clone()),
            failed: checked.map(|checked| checked.failed).unwrap_or_default(),
        }
    }
}

/// How far a canary has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CanaryState {
    /// Chosen; not yet sent and verified as a match.
    Begun,
    /// Verified; its checklist waits for a person.
    Waiting,
    /// A person found everything right.
    Confirmed,
    /// A person found something wrong.
    Failed,
    /// Of an earlier plan: it tells nothing of this one.
    OfAnotherPlan,
}

/// A canary, as the ledger has it.
#[derive(Debug, Clone, Serialize)]
pub struct Canary {
    /// How far it has come, seen from the plan at hand.
    pub state: CanaryState,
    /// The plan it was sent under.
    pub plan_hash: String,
    /// Recordings asked for.
    pub wanted: usize,
    /// The interactions chosen, by their ids in the source.
    pub interactions: Vec<String>,
    /// Recordings of them that go.
    pub recordings: usize,
    /// Interactions whose recordings' own answers were read to choose from.
    pub looked_at: u64,
    /// Interactions with recordings that might have been.
    pub of: u64,
    /// Everything found in what was looked at; the canary shows each.
    pub features: Vec<String>,
    /// What was chosen first and stays behind, each a sentence with its reason.
    pub replaced: Vec<String>,
    /// Chosen and still open in this run: an error, or the target is still taking them in.
    pub left: Vec<String>,
    /// Where the checklist was written.
    pub checklist: Option<String>,
    /// Who signed it.
    pub checked_by: Vec<String>,
    /// The latest time in it, RFC 3339.
    pub checked_at: Option<String>,
    /// What was found wrong.
    pub failed: Vec<String>,
}

impl Canary {
    /// Its state, and what to do next.
    #[must_use]
    pub fn sentence(&self) -> String {
        let by = self.checked_by.join(", ");
        let at = self.checked_at.as_deref().unwrap_or_default();
        let again = format!("run `seatrial migrate PLAN --canary {}`", self.wanted);
        let checklist = self.checklist.as_deref().unwrap_or_default();
        match self.state {
            CanaryState::Begun => format!(
                "a canary of this plan was begun and is not verified: {again} again to go on with \
                 it"
            ),
            CanaryState::Waiting => format!(
                "the checklist of this plan's canary waits to be filled in: {checklist}; then run \
                 `seatrial migrate PLAN --confirm-canary {checklist}`"
            ),
            CanaryState::Confirmed => {
                format!("the canary of this plan was confirmed by {by}, {at}")
            }
            CanaryState::Failed => {
                let first = self.failed.first().map_or("", String::as_str);
                format!(
                    "the canary of this plan failed ({by}, {at}): {first}; put it right and send \
                     another: {again}"
                )
            }
            CanaryState::OfAnotherPlan => {
                format!(
                    "the canary was of another plan ({}), and each plan needs its own: {again}{}",
                    &self.plan_hash[..8.min(self.plan_hash.len())],
                    if self.failed.is_empty() {
                        ""
                    } else {
                        "; its calls stand in the target as that plan had them: put right there \
                         what was found wrong"
                    }
                )
            }
        }
    }
}

/// Refuses a run that would write to a target of others before a person has seen the canary of
/// exactly this plan there.
pub(crate) async fn gate(
    plan: &LoadedPlan,
    options: &Options,
    ledger: &dyn Ledger,
) -> Result<(), RunError> {
    if let Some(wanted) = options.canary {
        return match (options.dry_run || options.limit.is_some(), wanted) {
            (true, _) => Err(RunError::Plan(
                "a canary is sent, and is chosen whole: it goes with neither a dry run nor a limit"
                    .to_owned(),
            )),
            (false, 0) => Err(RunError::Plan(
                "a canary of no recordings shows nothing; give it one or more".to_owned(),
            )),
            (false, _) if wanted > MOST && elsewhere(plan).is_some() => {
                Err(RunError::Plan(format!(
                    "a canary of {wanted} recordings is a migration that nobody has confirmed; \
                     give it {MOST} at most"
                )))
            }
            (false, _) => waiting_first(plan, wanted, Record::read(ledger).await?),
        };
    }
    let Some(host) = elsewhere(plan).filter(|_| !options.dry_run) else {
        return Ok(());
    };
    let canary = Record::read(ledger)
        .await?
        .map(|record| record.told(&plan.hash, Vec::new()));
    let state = match canary {
        Some(canary) if canary.state == CanaryState::Confirmed => return Ok(()),
        Some(canary) => canary.sentence(),
        None => "none was sent: run `seatrial migrate PLAN --canary 20`".to_owned(),
    };
    Err(RunError::Plan(format!(
        "nothing is sent to {host} before a person has confirmed a canary of exactly this plan; \
         {state}"
    )))
}

/// A canary that waits for a person is answered before another one is sent: else each new number
/// would send more that nobody has seen.
fn waiting_first(plan: &LoadedPlan, wanted: usize, known: Option<Record>) -> Result<(), RunError> {
    let told = known
        .filter(|known| known.wanted != wanted)
        .map(|known| known.told(&plan.hash, Vec::new()));
    match told {
        Some(told) if told.state == CanaryState::Waiting && elsewhere(plan).is_some() => {
            Err(RunError::Plan(told.sentence()))
        }
        Some(_) | None => Ok(()),
    }
}

/// The first host of the target that is not this machine: a tunnel to the API still takes its
/// tokens from the organisation itself.
fn elsewhere(plan: &LoadedPlan) -> Option<String> {
    let urls = plan.plan.target.urls();
    let mut hosts = urls.iter().map(|url| {
        url.as_ref()
            .and_then(|url| url.host_str())
            .unwrap_or_default()
    });
    hosts.find(|host| !is_this_machine(host)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_needs_no_canary() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "[::1]"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "",
            "api.mypurecloud.com",
            "api.target.test",
            "localhost.example",
            "127.0.0.1.example",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
