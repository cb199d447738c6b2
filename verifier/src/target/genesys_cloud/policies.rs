//! Retention policies of the organisation that delete at once, and which calls they are about.
//! Source: the vendor's API description, Policy.

use platforms::genesys_cloud::wire::RetentionPolicy;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::observed::TargetConversation;
use crate::text::Text;

/// A policy in force that deletes what it is about within days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeletingPolicy {
    /// Its id.
    pub(crate) id: String,
    /// Its name. Absent: it has none.
    pub(crate) name: Option<String>,
    /// Whether it holds across platforms.
    pub(crate) cross_platform: bool,
    conditions: Conditions,
}

/// Which calls; an empty list asks nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Conditions {
    users: Vec<String>,
    queues: Vec<String>,
    wrap_ups: Vec<String>,
    directions: Vec<String>,
    /// Conditions that are none of these.
    others: Vec<String>,
}

/// What is deleted so soon was not meant to be kept. Days.
const WITHIN_DAYS: u64 = 2;

impl DeletingPolicy {
    /// `None`: it is not in force, is not about calls, or keeps what it is about.
    pub(super) fn of(policy: RetentionPolicy, cross_platform: bool) -> Option<DeletingPolicy> {
        let call = &policy.media_policies["callPolicy"];
        let (conditions, actions) = if call.is_object() {
            (&call["conditions"], &call["actions"])
        } else {
            (&policy.conditions, &policy.actions)
        };
        let of_calls = conditions["mediaTypes"]
            .as_array()
            .is_none_or(|kinds| kinds.is_empty() || kinds.iter().any(|kind| kind == "CALL"));
        let is_harmful = policy.enabled.unwrap_or(false) && of_calls && deletes(actions);
        let conditions = Conditions::of(conditions);
        is_harmful.then_some(DeletingPolicy {
            id: policy.id,
            name: policy.name,
            cross_platform,
            conditions,
        })
    }

    /// Whether it is about a call, as far as its conditions can be held against one.
    pub(crate) fn is_about(&self, call: &TargetConversation) -> bool {
        let conditions = &self.conditions;
        any(
            &conditions.users,
            call.legs.iter().filter_map(|leg| leg.user.as_deref()),
        ) && any(&conditions.queues, call.queues.iter().map(Text::as_str))
            && any(&conditions.wrap_ups, call.wrap_ups.iter().map(Text::as_str))
            && any(
                &conditions.directions,
                call.direction.as_deref().into_iter(),
            )
    }

    /// Conditions that a call cannot be held against here: whether it is about that call nobody can
    /// say.
    pub(crate) fn unread_conditions(&self) -> &[String] {
        &self.conditions.others
    }
}

/// Whether one of these is asked for; a condition that asks for nothing holds.
fn any<'a>(asked: &[String], mut of: impl Iterator<Item = &'a str>) -> bool {
    asked.is_empty() || of.any(|id| asked.iter().any(|one| one.eq_ignore_ascii_case(id)))
}

/// `alwaysDelete`, or `deleteRecording` where `retainRecording`, true by default, is false; or a
/// deletion within days.
fn deletes(actions: &Value) -> bool {
    let says = |name: &str| actions[name].as_bool();
    let days = actions["retentionDuration"]["deleteRetention"]["days"].as_u64();
    says("alwaysDelete") == Some(true)
        || (says("deleteRecording") == Some(true) && says("retainRecording") == Some(false))
        || days.is_some_and(|days| days <= WITHIN_DAYS)
}

impl Conditions {
    fn of(value: &Value) -> Conditions {
        let entities = |name: &str| -> Vec<String> {
            value[name]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|entity| Some(entity["id"].as_str()?.to_owned()))
                .collect()
        };
        let words = |name: &str| -> Vec<String> {
            value[name]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|word| Some(word.as_str()?.to_owned()))
                .collect()
        };
        const KNOWN: [&str; 5] = [
            "forUsers",
            "forQueues",
            "wrapupCodes",
            "directions",
            "mediaTypes",
        ];
        let asks = |value: &Value| match value {
            Value::Null => false,
            Value::Array(list) => !list.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        };
        let all = value.as_object().into_iter().flatten();
        let others = all
            .filter(|(name, value)| !KNOWN.contains(&name.as_str()) && asks(value))
            .map(|(name, _)| name.clone())
            .collect();
        Conditions {
            users: entities("forUsers"),
            queues: entities("forQueues"),
            wrap_ups: entities("wrapupCodes"),
            directions: words("directions"),
            others,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn policy(value: Value) -> Option<DeletingPolicy> {
        DeletingPolicy::of(serde_json::from_value(value).expect("a policy"), true)
    }

    #[test]
    fn a_policy_deletes_at_once_where_it_says_so_and_is_in_force() {
        let rows = [
            (
                json!({"id":"p","enabled":true,"actions":{"alwaysDelete":true}}),
                true,
            ),
            (
                json!({"id":"p","enabled":false,"actions":{"alwaysDelete":true}}),
                false,
            ),
            (json!({"id":"p","actions":{"alwaysDelete":true}}), false),
            (
                json!({"id":"p","enabled":true,"actions":{"deleteRecording":true}}),
                false,
            ),
            (
                json!({"id":"p","enabled":true,"actions":{"deleteRecording":true,"retainRecording":false}}),
                true,
            ),
            (
                json!({"id":"p","enabled":true,"actions":{"retentionDuration":{"deleteRetention":{"days":1}}}}),
                true,
            ),
            (
                json!({"id":"p","enabled":true,"actions":{"retentionDuration":{"deleteRetention":{"days":30}}}}),
                false,
            ),
            (
                json!({"id":"p","enabled":true,"conditions":{"mediaTypes":["CHAT"]},"actions":{"alwaysDelete":true}}),
                false,
            ),
            (
                json!({"id":"p","enabled":true,"mediaPolicies":{"callPolicy":{"actions":{"alwaysDelete":true}}}}),
                true,
            ),
            (
                json!({"id":"p","enabled":true,"actions":null,"conditions":null,"mediaPolicies":null}),
                false,
            ),
        ];
        for (value, wanted) in rows {
            assert_eq!(policy(value.clone()).is_some(), wanted, "{value}");
        }
    }

    #[test]
    fn a_policy_is_about_the_calls_its_conditions_name() {
        let about = |conditions: Value, call: &TargetConversation| {
            policy(json!({"id":"p","enabled":true,"conditions":conditions,"actions":{"alwaysDelete":true}}))
                .expect("it deletes")
                .is_about(call)
        };
        let call = TargetConversation {
            direction: Some("inbound".into()),
            queues: vec!["Q1".into()],
            ..TargetConversation::default()
        };
        assert!(
            about(json!({}), &call)
                && about(
                    json!({"directions":["INBOUND"],"forQueues":[{"id":"q1"}]}),
                    &call
                )
        );
        assert!(
            !about(json!({"directions":["OUTBOUND"]}), &call)
                && !about(json!({"forUsers":[{"id":"u"}]}), &call)
        );
        let timed = policy(
            json!({"id":"p","enabled":true,"conditions":{"dateRanges":["2020/2021"],"teams":[]},"actions":{"alwaysDelete":true}}),
        );
        assert_eq!(
            timed.expect("it deletes").unread_conditions(),
            ["dateRanges"]
        );
    }
}
