//! How many legal holds of how many stand. Source: docs/reference/reports.md, "summary.json".

use plan::{HoldsBeyondMaximum, LoadedPlan, Reason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::expected::{Absence, Expectation, HoldsBeyond, Presence, Rules, holds_beyond};
use crate::observed::TargetConversation;
use crate::run_error::RunError;
use crate::source::Interactions;

/// Calls under legal hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Holds {
    /// Calls that must be in the target under hold.
    pub calls: u64,
    /// Of these protected against deletion.
    pub protected: u64,
    /// Of these in the target and not protected: each is a lost hold.
    pub unprotected: u64,
    /// Of these not in the target, or their protection could not be read.
    pub unknown: u64,
    /// Calls under hold that stay behind, because the organisation protects no more conversations.
    pub beyond: u64,
    /// Conversations that the organisation protects at most. Absent: there is no maximum.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub most: Option<u64>,
}

/// Conversations that the organisation protects at most: as the plan says, else as the platform
/// does. Absent: there is no maximum.
pub(crate) fn most(loaded: &LoadedPlan, platform: Option<u64>) -> Option<u64> {
    let own = loaded.plan.retention.max_holds.map(u64::from);
    platform.map(|most| own.unwrap_or(most))
}

/// Which calls under hold stay behind by the plan. `is_whole`: whether every call was read.
pub(crate) fn behind(
    loaded: &LoadedPlan,
    most: Option<u64>,
    interactions: &Interactions,
    rules: &Rules,
    is_whole: bool,
) -> Result<HoldsBeyond, RunError> {
    let retention = &loaded.plan.retention;
    let Some(most) = most else {
        return Ok(HoldsBeyond::None);
    };
    if retention.holds_beyond_maximum == HoldsBeyondMaximum::Refuse {
        return Ok(HoldsBeyond::None);
    }
    if !is_whole {
        let need = "a verification without --only, for which calls under legal hold are beyond \
            the organisation's maximum";
        return Ok(HoldsBeyond::Unknown(need.to_owned()));
    }
    let room = most.saturating_sub(u64::from(retention.holds_taken));
    Ok(HoldsBeyond::Calls(holds_beyond(
        interactions.iter(),
        rules,
        room,
    )?))
}

impl Holds {
    /// Counts a call. `conversation`: its own in the target. Absent: there is none.
    pub(crate) fn add(
        &mut self,
        expected: &Expectation,
        conversation: Option<&TargetConversation>,
    ) {
        if !expected.hold {
            return;
        }
        if expected.presence == Presence::Absent(Absence::Rule(Reason::HoldOverMax)) {
            self.beyond += 1;
            return;
        }
        if expected.presence != Presence::Expected {
            return;
        }
        self.calls += 1;
        let protected = conversation.and_then(|conversation| conversation.protected);
        *match protected {
            Some(true) => &mut self.protected,
            Some(false) => &mut self.unprotected,
            None => &mut self.unknown,
        } += 1;
    }

    pub(crate) fn merge(&mut self, other: Holds) {
        self.calls += other.calls;
        self.protected += other.protected;
        self.unprotected += other.unprotected;
        self.unknown += other.unknown;
        self.beyond += other.beyond;
    }

    /// What stands in a report. `most`: conversations that the organisation protects at most.
    /// Absent: no call is under hold.
    pub(crate) fn told(self, most: Option<u64>) -> Option<Holds> {
        (self.calls + self.beyond > 0).then_some(Holds { most, ..self })
    }

    /// A line for a person. Absent: every hold stands, and none was left behind.
    pub(crate) fn words(&self) -> Option<String> {
        let beyond = match (self.beyond, self.most) {
            (0, _) | (_, None) => String::new(),
            (beyond, Some(most)) => format!(
                "; {beyond} more stay behind, because the organisation protects at most {most} \
                 conversations"
            ),
        };
        let is_worth_a_line = self.unprotected + self.unknown + self.beyond > 0;
        is_worth_a_line.then(|| {
            format!(
                "{} of {} calls under legal hold are protected{beyond}",
                self.protected, self.calls
            )
        })
    }
}
