//! What the target's organisation imposes on a migration: its limits, its divisions, its retention.
//! Read before a run.

use plan::LoadedPlan;
use platforms::CallError;
use platforms::genesys_cloud::public::{Policy, PolicyActions};
use platforms::genesys_cloud::{PublicClient, ReadClient};

use crate::error::RunError;
use crate::target::{Finding, note};

/// Keys of the limit that holds for each token. Source: vendor's limits page.
const TOKEN_KEYS: [&str; 2] = [
    "client.credentials.token.rate.per.minute",
    "token.rate.per.minute",
];
/// Days of a year, for telling which class is beyond a maximum: a day more or less is decided call
/// by call.
const YEAR_DAYS: i64 = 365;

/// Which organisation it is; `None` where that is not told to this client.
pub(crate) async fn organisation_id(target: &ReadClient) -> Result<Option<String>, RunError> {
    match target.organisation_id().await {
        Ok(id) => Ok(Some(id)),
        Err(CallError::Refused { .. }) => Ok(None),
        Err(error) => Err(RunError::Target(error)),
    }
}

/// What a run must know of the organisation.
#[derive(Debug, Default)]
pub(crate) struct Organisation {
    /// Nothing is kept longer than so many days from the call's start. Absent: no maximum is known.
    pub(crate) maximum_days: Option<u32>,
    /// How many divisions it has; 0 where that is not known.
    pub(crate) divisions: usize,
    /// What a person should know.
    pub(crate) findings: Vec<Finding>,
}

impl Organisation {
    /// Reads it. What this client may not read is said and passed over: the platform still refuses
    /// what it does not take.
    pub(crate) async fn read(
        plan: &LoadedPlan,
        target: &ReadClient,
        public: Option<&PublicClient>,
    ) -> Result<Organisation, RunError> {
        let mut found = Organisation::default();
        let maximum = target.maximum_retention_days().await;
        found.maximum_days = found
            .told(
                maximum,
                "the organisation's maximum retention",
                "analytics:dataRetention:view",
            )?
            .flatten();
        found.findings.extend(
            found
                .maximum_days
                .and_then(|days| beyond_maximum(plan, days)),
        );
        let limits = target.limits("platform.api").await;
        let limits = found
            .told(limits, "the organisation's limits", "organization:readonly")?
            .unwrap_or_default();
        let of_tokens = limits.iter().filter(|limit| {
            limit
                .key
                .as_deref()
                .is_some_and(|key| TOKEN_KEYS.contains(&key))
        });
        let allowed = of_tokens
            .filter_map(|limit| limit.value)
            .filter(|value| *value > 0)
            .min();
        found
            .findings
            .extend(allowed.and_then(|allowed| faster_than_allowed(plan, allowed)));
        let divisions = found.told(
            target.divisions().await,
            "the organisation's divisions",
            "authorization:readonly",
        )?;
        found.divisions = divisions.unwrap_or_default().len();
        found.findings.extend(several_divisions(found.divisions));
        if let Some(public) = public {
            let policies = public.crossplatform_policies().await;
            let policies = found.told(
                policies,
                "the retention policies",
                "recording:crossPlatformRetentionPolicy:view",
            )?;
            found
                .findings
                .extend(policies.unwrap_or_default().iter().filter_map(what_goes));
        }
        Ok(found)
    }

    /// An answer; `None`, and a note of what is needed, where the target does not give it to us.
    fn told<T>(
        &mut self,
        answer: Result<T, CallError>,
        what: &str,
        need: &str,
    ) -> Result<Option<T>, RunError> {
        match answer {
            Ok(told) => Ok(Some(told)),
            Err(CallError::Refused { status: 403, .. }) => {
                self.findings.push(note(format!(
                    "{what} cannot be read; {need} is needed to look at it beforehand"
                )));
                Ok(None)
            }
            // An organisation without the setting has nothing to say about it.
            Err(CallError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(RunError::Target(error)),
        }
    }
}

fn beyond_maximum(plan: &LoadedPlan, days: u32) -> Option<Finding> {
    let beyond = plan
        .plan
        .retention
        .class
        .iter()
        .filter(|(_, class)| class.years * YEAR_DAYS > i64::from(days));
    let names: Vec<&str> = beyond.map(|(name, _)| name.as_str()).collect();
    let becomes = match plan.plan.retention.over_max {
        plan::OverMax::Quarantine => {
            "what is to be kept longer is quarantined (retention.over_max)"
        }
        plan::OverMax::Clamp => {
            "what is to be kept longer is deleted then, and what is older than that is quarantined \
             (retention.over_max)"
        }
    };
    (!names.is_empty()).then(|| {
        note(format!(
            "the organisation keeps nothing longer than {days} days from the call's \
            start; {becomes}: {}",
            names.join(", ")
        ))
    })
}

fn faster_than_allowed(plan: &LoadedPlan, allowed: u64) -> Option<Finding> {
    let asked = u64::from(plan.plan.pace.requests_per_minute);
    (asked > allowed).then(|| {
        note(format!(
            "the organisation allows {allowed} requests a minute and token, the plan's \
            pace is {asked}; the organisation's holds"
        ))
    })
}

fn several_divisions(count: usize) -> Option<Finding> {
    (count > 1).then(|| {
        note(format!(
            "the organisation has {count} divisions; what lies in one that this client's role does \
             not cover looks as if it did not exist"
        ))
    })
}

/// What a policy does to recordings that come in. One that deletes all of them forbids a run.
fn what_goes(policy: &Policy) -> Option<Finding> {
    let call = policy
        .media_policies
        .as_ref()
        .and_then(|media| media.call_policy.as_ref());
    let (conditions, actions) = match call {
        Some(call) => (&call.conditions, &call.actions),
        None => (&policy.conditions, &policy.actions),
    };
    let actions = actions.as_ref().filter(|_| policy.enabled)?;
    let is_for_all = !conditions.as_ref().is_some_and(narrows);
    let name = &policy.name;
    if deletes_at_once(actions) {
        let whom = if is_for_all {
            "every recording"
        } else {
            "recordings that meet its conditions"
        };
        let text = format!(
            "the target's retention policy `{name}` deletes {whom} at once; switch it off for the \
             time of the migration"
        );
        return Some(Finding {
            is_error: is_for_all,
            text,
        });
    }
    let days = actions
        .retention_duration
        .as_ref()?
        .delete_retention
        .as_ref()?
        .days?;
    Some(note(format!(
        "the target's retention policy `{name}` deletes after {days} days; recordings without a \
         retention class of the plan fall under it"
    )))
}

/// Whether conditions leave some calls out, as far as is understood; what is not understood narrows
/// nothing.
fn narrows(conditions: &serde_json::Map<String, serde_json::Value>) -> bool {
    let list = |name: &str| {
        conditions
            .get(name)
            .and_then(serde_json::Value::as_array)
            .map_or(&[][..], Vec::as_slice)
    };
    let of_other_media =
        !list("mediaTypes").is_empty() && !list("mediaTypes").iter().any(|medium| medium == "CALL");
    of_other_media
        || ["forUsers", "forQueues", "wrapupCodes"]
            .iter()
            .any(|name| !list(name).is_empty())
        || list("directions").len() == 1
}

/// Source: platform API, PolicyActions.
fn deletes_at_once(actions: &PolicyActions) -> bool {
    actions.always_delete || (actions.delete_recording && actions.retain_recording == Some(false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_policy_that_would_purge_is_told_and_one_for_everything_forbids_the_run() {
        let at_once = json!({"alwaysDelete": true});
        let rows = [
            (
                json!({"name": "p", "enabled": true, "actions": at_once}),
                Some(true),
            ),
            (
                json!({"name": "p", "enabled": false, "actions": at_once}),
                None,
            ),
            (
                json!({"name": "p", "enabled": true, "actions": at_once, "conditions": {"forQueues": []}}),
                Some(true),
            ),
            (
                json!({"name": "p", "enabled": true, "actions": at_once, "conditions": {"forQueues": [{"id": "q"}]}}),
                Some(false),
            ),
            (
                json!({"name": "p", "enabled": true, "actions": at_once, "conditions": {"timeAllowed": {"timeSlots": []}}}),
                Some(true),
            ),
            (
                json!({"name": "p", "enabled": true, "actions": at_once, "conditions": {"directions": ["INBOUND", "OUTBOUND"]}}),
                Some(true),
            ),
            (
                json!({"name": "p", "enabled": true, "actions": at_once, "conditions": {"mediaTypes": ["CHAT"]}}),
                Some(false),
            ),
            (
                json!({"name": "p", "enabled": true, "actions": {"deleteRecording": true}}),
                None,
            ),
            (
                json!({"name": "p", "enabled": true, "actions": {"deleteRecording": true, "retainRecording": false}}),
                Some(true),
            ),
            (
                json!({"name": "p", "enabled": true, "actions": {"retentionDuration": {"deleteRetention": {"days": 30}}}}),
                Some(false),
            ),
            (
                json!({"name": "p", "enabled": true, "mediaPolicies": {"callPolicy": {"actions": at_once}}}),
                Some(true),
            ),
            (
                json!({"name": "p", "enabled": true, "actions": at_once, "mediaPolicies": {"callPolicy": {"actions": {}}}}),
                None,
            ),
        ];
        for (policy, forbids) in rows {
            let read: Policy = serde_json::from_value(policy.clone()).expect("a policy");
            assert_eq!(
                what_goes(&read).map(|finding| finding.is_error),
                forbids,
                "{policy}"
            );
        }
    }
}
