//! Media retention policies of both families.

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::platforms::genesys_cloud::{
    conversation::{Conversation, Role},
    validate::{DAY_MS, uuid},
};

/// The policies in the order they were made. A name is one policy's within its family.
#[derive(Clone, Default)]
pub(crate) struct Policies {
    all: Vec<Policy>,
}

/// Which of the two families a policy is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    Ordinary,
    CrossPlatform,
}

/// A policy as it was sent, and what it does.
#[derive(Clone)]
pub(crate) struct Policy {
    pub(crate) family: Family,
    pub(crate) id: Uuid,
    pub(crate) created_ms: i64,
    pub(crate) modified_ms: i64,
    pub(crate) said: Said,
}

/// What a body says of a policy, read and checked.
#[derive(Clone)]
pub(crate) struct Said {
    /// As sent, without nulls and what the server writes.
    pub(crate) sent: Value,
    pub(crate) name: String,
    /// Of several policies that hold the lowest is followed.
    pub(crate) order: i64,
    pub(crate) is_enabled: bool,
    pub(crate) conditions: Conditions,
    pub(crate) actions: Actions,
}

/// Which conversations; an empty list asks nothing.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub(crate) struct Conditions {
    pub(crate) for_users: Vec<Named>,
    pub(crate) for_queues: Vec<Named>,
    pub(crate) wrapup_codes: Vec<Named>,
    pub(crate) directions: Vec<String>,
    pub(crate) media_types: Vec<String>,
}

/// An entity, of which the id counts.
#[derive(Clone, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: String,
}

/// What becomes of the recordings.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub(crate) struct Actions {
    retain_recording: Option<bool>,
    delete_recording: bool,
    always_delete: bool,
    retention_duration: Option<RetentionDuration>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RetentionDuration {
    archive_retention: Option<Days>,
    delete_retention: Option<Days>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Days {
    days: Option<u32>,
}

/// When a policy deletes and archives a recording, Unix ms; absent: never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PolicyDates {
    pub(crate) delete_at_ms: Option<i64>,
    pub(crate) archive_at_ms: Option<i64>,
}

/// Another policy of the family has the name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NameTaken;

impl Policies {
    /// Whether a name is free in a family; `own` is the policy that may keep it.
    pub(crate) fn name_is_free(
        &self,
        family: Family,
        name: &str,
        own: Option<Uuid>,
    ) -> Result<(), NameTaken> {
        let is_taken = |other: &&Policy| other.said.name == name && Some(other.id) != own;
        self.of(family)
            .find(is_taken)
            .map_or(Ok(()), |_| Err(NameTaken))
    }

    /// Adds a policy whose name is free.
    pub(crate) fn add(&mut self, policy: Policy) -> Result<(), NameTaken> {
        self.name_is_free(policy.family, &policy.said.name, None)?;
        self.all.push(policy);
        Ok(())
    }

    /// The policies of a family in the order they were made.
    pub(crate) fn of(&self, family: Family) -> impl Iterator<Item = &Policy> {
        self.all
            .iter()
            .filter(move |policy| policy.family == family)
    }

    /// A policy of a family.
    pub(crate) fn get(&self, family: Family, id: Uuid) -> Option<&Policy> {
        self.of(family).find(|policy| policy.id == id)
    }

    /// Says of a policy something else, whose name is free; absent where there is no such policy.
    pub(crate) fn replace(
        &mut self,
        family: Family,
        id: Uuid,
        said: Said,
        now_ms: i64,
    ) -> Option<Result<&Policy, NameTaken>> {
        let at = self.place(family, id)?;
        if let Err(taken) = self.name_is_free(family, &said.name, Some(id)) {
            return Some(Err(taken));
        }
        let policy = &mut self.all[at];
        (policy.said, policy.modified_ms) = (said, now_ms);
        Some(Ok(policy))
    }

    /// Switches a policy on or off; absent where there is no such policy.
    pub(crate) fn enable(
        &mut self,
        family: Family,
        id: Uuid,
        is_enabled: bool,
        now_ms: i64,
    ) -> Option<&Policy> {
        let at = self.place(family, id)?;
        let policy = &mut self.all[at];
        (policy.said.is_enabled, policy.modified_ms) = (is_enabled, now_ms);
        Some(policy)
    }

    /// Takes a policy away; absent where there is no such policy.
    pub(crate) fn remove(&mut self, family: Family, id: Uuid) -> Option<Policy> {
        self.place(family, id).map(|at| self.all.remove(at))
    }

    /// The dates that the policies of a family give to a recording of a conversation: those of the
    /// first in their order that is enabled and holds, its days counted from `days_from_ms`. Absent
    /// where none holds.
    pub(crate) fn dates(
        &self,
        family: Family,
        held: &Conversation,
        created_ms: i64,
        days_from_ms: i64,
    ) -> Option<PolicyDates> {
        let said = self
            .of(family)
            .map(|policy| &policy.said)
            .filter(|said| said.is_enabled && said.conditions.hold(held));
        let actions = &said.min_by_key(|said| said.order)?.actions;
        if actions.deletes_at_once() {
            return Some(PolicyDates {
                delete_at_ms: Some(created_ms),
                archive_at_ms: None,
            });
        }
        let after = |days: u32| days_from_ms.saturating_add(i64::from(days) * DAY_MS);
        Some(PolicyDates {
            delete_at_ms: actions.delete_days().map(after),
            archive_at_ms: actions.archive_days().map(after),
        })
    }

    fn place(&self, family: Family, id: Uuid) -> Option<usize> {
        self.all
            .iter()
            .position(|policy| policy.family == family && policy.id == id)
    }
}

impl Actions {
    /// After how many days a recording is deleted; absent: never.
    pub(crate) fn delete_days(&self) -> Option<u32> {
        self.retention_duration
            .as_ref()?
            .delete_retention
            .as_ref()?
            .days
    }

    fn archive_days(&self) -> Option<u32> {
        self.retention_duration
            .as_ref()?
            .archive_retention
            .as_ref()?
            .days
    }

    /// Whether the recording goes at once. Source: platform API, PolicyActions.
    fn deletes_at_once(&self) -> bool {
        self.always_delete || (self.delete_recording && self.retain_recording == Some(false))
    }
}

impl Conditions {
    fn hold(&self, held: &Conversation) -> bool {
        let direction = held.direction.as_str();
        let agents: Vec<_> = held
            .participants
            .iter()
            .filter(|one| one.role == Role::Agent)
            .collect();
        let any = |list: &[Named], id: Option<Uuid>| {
            id.is_some_and(|id| list.iter().any(|named| uuid(&named.id) == Some(id)))
        };
        let asks_nothing_or = |list: &[Named], holds: bool| list.is_empty() || holds;
        (self.directions.is_empty()
            || self
                .directions
                .iter()
                .any(|one| one.eq_ignore_ascii_case(direction)))
            && (self.media_types.is_empty() || self.media_types.iter().any(|one| one == "CALL"))
            && asks_nothing_or(
                &self.for_queues,
                any(&self.for_queues, held.queue.as_ref().map(|queue| queue.id)),
            )
            && asks_nothing_or(
                &self.for_users,
                agents.iter().any(|one| any(&self.for_users, Some(one.id))),
            )
            && asks_nothing_or(
                &self.wrapup_codes,
                agents
                    .iter()
                    .any(|one| any(&self.wrapup_codes, one.wrap_up)),
            )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::platforms::genesys_cloud::conversation::testing;

    const ONE: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    fn said(name: &str, order: i64, conditions: Value, delete_days: u32) -> Said {
        let actions = json!({"retentionDuration": {"deleteRetention": {"days": delete_days}}});
        Said {
            sent: json!({}),
            name: name.to_owned(),
            order,
            is_enabled: true,
            conditions: serde_json::from_value(conditions).expect("conditions"),
            actions: serde_json::from_value(actions).expect("actions"),
        }
    }

    fn policy(id: Uuid, family: Family, said: Said) -> Policy {
        Policy {
            family,
            id,
            created_ms: 0,
            modified_ms: 0,
            said,
        }
    }

    #[test]
    fn a_name_is_one_policys_within_its_family() {
        let mut policies = Policies::default();
        let of = |id, family, name: &str| policy(id, family, said(name, 1, json!({}), 1));
        assert_eq!(
            policies.add(of(ONE, Family::Ordinary, "Seven years")),
            Ok(())
        );
        assert_eq!(
            policies.add(of(OTHER, Family::Ordinary, "Seven years")),
            Err(NameTaken)
        );
        assert_eq!(
            policies.add(of(OTHER, Family::CrossPlatform, "Seven years")),
            Ok(())
        );
        assert_eq!(
            policies.add(of(OTHER, Family::Ordinary, "Ten years")),
            Ok(())
        );
        let renamed = policies.replace(
            Family::Ordinary,
            OTHER,
            said("Seven years", 1, json!({}), 1),
            5,
        );
        assert!(matches!(renamed, Some(Err(NameTaken))));
        let kept = policies.replace(
            Family::Ordinary,
            ONE,
            said("Seven years", 9, json!({}), 1),
            5,
        );
        assert!(
            matches!(kept, Some(Ok(policy)) if policy.said.order == 9 && policy.modified_ms == 5)
        );
        assert!(policies.remove(Family::Ordinary, ONE).is_some());
        assert!(
            policies.get(Family::Ordinary, ONE).is_none()
                && policies.get(Family::CrossPlatform, OTHER).is_some()
        );
    }

    #[test]
    fn the_first_in_order_that_is_enabled_and_holds_gives_the_dates() {
        let mut policies = Policies::default();
        let all = [
            (
                1,
                said("outbound only", 1, json!({"directions": ["OUTBOUND"]}), 1),
            ),
            (2, said("third", 3, json!({}), 3)),
            (3, said("second", 2, json!({}), 2)),
        ];
        for (id, said) in all {
            policies
                .add(policy(Uuid::from_u128(id), Family::Ordinary, said))
                .expect("free");
        }
        let held = testing::conversation(ONE);
        let delete_at_ms = |policies: &Policies| {
            policies
                .dates(Family::Ordinary, &held, 50, 100)?
                .delete_at_ms
        };
        assert_eq!(delete_at_ms(&policies), Some(100 + 2 * DAY_MS));
        policies
            .enable(Family::Ordinary, Uuid::from_u128(3), false, 0)
            .expect("it is there");
        assert_eq!(delete_at_ms(&policies), Some(100 + 3 * DAY_MS));
        assert_eq!(policies.dates(Family::CrossPlatform, &held, 50, 100), None);
    }

    #[test]
    fn what_is_deleted_at_once_is_deleted_when_it_was_created() {
        let mut policies = Policies::default();
        let mut at_once = said("at once", 1, json!({}), 30);
        at_once.actions.always_delete = true;
        policies
            .add(policy(ONE, Family::Ordinary, at_once))
            .expect("free");
        let dates = policies.dates(Family::Ordinary, &testing::conversation(ONE), 50, 100);
        assert_eq!(
            dates,
            Some(PolicyDates {
                delete_at_ms: Some(50),
                archive_at_ms: None
            })
        );
    }
}
