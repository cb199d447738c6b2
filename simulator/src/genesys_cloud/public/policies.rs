//! Media retention policies, ordinary and cross-platform: made, listed, and followed by recordings that come after them.

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{PolicyDaysFrom, rules};
use crate::{
    fault::operations::{self, Operation},
    front::Reply,
    genesys_cloud::{
        GenesysCloud, Site,
        accept::{DAY_MS, uuid},
        door::{Door, Query},
        errors::ApiError,
        settings::{Entry, holds},
        state::{Conversation, Role, State as Held},
        times,
    },
};

/// Which of the two families a policy is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Ordinary,
    CrossPlatform,
}

impl Family {
    fn listing(self) -> &'static Operation {
        match self {
            Family::Ordinary => &operations::GENESYS_CLOUD_LIST_POLICIES,
            Family::CrossPlatform => &operations::GENESYS_CLOUD_LIST_CROSSPLATFORM_POLICIES,
        }
    }

    fn creating(self) -> &'static Operation {
        match self {
            Family::Ordinary => &operations::GENESYS_CLOUD_CREATE_POLICY,
            Family::CrossPlatform => &operations::GENESYS_CLOUD_CREATE_CROSSPLATFORM_POLICY,
        }
    }
}

/// A policy as it was sent, and what it does.
pub(super) struct Policy {
    family: Family,
    id: Uuid,
    created_ms: i64,
    /// As sent, without nulls.
    sent: Value,
    name: String,
    order: i64,
    is_enabled: bool,
    conditions: Conditions,
    actions: Actions,
}

/// POST /api/v2/recording/mediaretentionpolicies.
pub(super) async fn create(State(site): Site, request: Request) -> Response {
    make(site, Family::Ordinary, request).await
}

/// POST /api/v2/recording/crossplatform/mediaretentionpolicies.
pub(super) async fn create_cross(State(site): Site, request: Request) -> Response {
    make(site, Family::CrossPlatform, request).await
}

/// GET /api/v2/recording/mediaretentionpolicies.
pub(super) async fn list(State(site): Site, request: Request) -> Response {
    let operation = &operations::GENESYS_CLOUD_LIST_POLICIES;
    let door = Door { site, operation, request };
    door.answer("-", |site, visit| site.list_policies(Family::Ordinary, &visit.query)).await
}

/// GET /api/v2/recording/crossplatform/mediaretentionpolicies.
pub(super) async fn list_cross(State(site): Site, request: Request) -> Response {
    let operation = &operations::GENESYS_CLOUD_LIST_CROSSPLATFORM_POLICIES;
    let door = Door { site, operation, request };
    door.answer("-", |site, visit| site.list_policies(Family::CrossPlatform, &visit.query)).await
}

/// GET /api/v2/recording/mediaretentionpolicies/{id}.
pub(super) async fn show(State(site): Site, Path(id): Path<String>, request: Request) -> Response {
    let operation = &operations::GENESYS_CLOUD_GET_POLICY;
    let door = Door { site, operation, request };
    door.answer(&id, |site, _| site.show_policy(Family::Ordinary, &id)).await
}

/// GET /api/v2/recording/crossplatform/mediaretentionpolicies/{id}.
pub(super) async fn show_cross(State(site): Site, Path(id): Path<String>, request: Request) -> Response {
    let operation = &operations::GENESYS_CLOUD_GET_CROSSPLATFORM_POLICY;
    let door = Door { site, operation, request };
    door.answer(&id, |site, _| site.show_policy(Family::CrossPlatform, &id)).await
}

async fn make(site: std::sync::Arc<GenesysCloud>, family: Family, request: Request) -> Response {
    let door = Door { site, operation: family.creating(), request };
    let key = |body: &[u8]| serde_json::from_slice::<Value>(body).ok()?["name"].as_str().map(str::to_owned);
    door.answer_json(|_, body| key(body).unwrap_or_else(|| "-".to_owned()), |site, _, sent| site.create_policy(family, sent)).await
}

/// PolicyCreate of the API description, as far as it is evaluated here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Sent {
    name: String,
    #[serde(default)]
    order: i64,
    #[serde(rename = "description")]
    _description: Option<String>,
    #[serde(default)]
    enabled: bool,
    media_policies: Option<MediaPolicies>,
    #[serde(default)]
    conditions: Conditions,
    #[serde(default)]
    actions: Actions,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct MediaPolicies {
    call_policy: Option<CallPolicy>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallPolicy {
    #[serde(default)]
    conditions: Conditions,
    #[serde(default)]
    actions: Actions,
}

/// Which conversations; an empty list asks nothing.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Conditions {
    for_users: Vec<Named>,
    for_queues: Vec<Named>,
    wrapup_codes: Vec<Named>,
    directions: Vec<String>,
    media_types: Vec<String>,
}

/// An entity, of which the id counts.
#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Actions {
    retain_recording: Option<bool>,
    delete_recording: bool,
    always_delete: bool,
    retention_duration: Option<RetentionDuration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RetentionDuration {
    archive_retention: Option<Days>,
    delete_retention: Option<Days>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Days {
    days: Option<u32>,
}

impl Actions {
    fn delete_days(&self) -> Option<u32> {
        self.retention_duration.as_ref()?.delete_retention.as_ref()?.days
    }

    fn archive_days(&self) -> Option<u32> {
        self.retention_duration.as_ref()?.archive_retention.as_ref()?.days
    }

    /// Whether the recording goes at once. Source: platform API, PolicyActions.
    fn deletes_at_once(&self) -> bool {
        self.always_delete || (self.delete_recording && self.retain_recording == Some(false))
    }
}

impl Conditions {
    fn hold(&self, held: &Conversation) -> bool {
        let direction = held.direction.as_str();
        let agents: Vec<_> = held.participants.iter().filter(|one| one.role == Role::Agent).collect();
        let any = |list: &[Named], id: Option<Uuid>| id.is_some_and(|id| list.iter().any(|named| uuid(&named.id) == Some(id)));
        let asks_nothing_or = |list: &[Named], holds: bool| list.is_empty() || holds;
        (self.directions.is_empty() || self.directions.iter().any(|one| one.eq_ignore_ascii_case(direction)))
            && (self.media_types.is_empty() || self.media_types.iter().any(|one| one == "CALL"))
            && asks_nothing_or(&self.for_queues, any(&self.for_queues, held.queue.as_ref().map(|queue| queue.id)))
            && asks_nothing_or(&self.for_users, agents.iter().any(|one| any(&self.for_users, Some(one.id))))
            && asks_nothing_or(&self.wrapup_codes, agents.iter().any(|one| any(&self.wrapup_codes, one.wrap_up)))
    }
}

impl GenesysCloud {
    fn create_policy(&self, family: Family, sent: Value) -> Result<Reply, ApiError> {
        let sent = without_nulls(sent);
        let read = Sent::deserialize(&sent).map_err(|error| {
            self.mark(&rules::POLICY_CONDITIONS);
            ApiError::new(
                400,
                "recording.media.policy.invalid",
                format!("One of the configured actions or conditions was invalid: {error}"),
            )
        })?;
        let call = read.media_policies.and_then(|media| media.call_policy);
        let (conditions, actions) = call.map_or((read.conditions, read.actions), |call| (call.conditions, call.actions));
        self.check_conditions(&conditions)?;
        if let (Some(most), Some(days)) = (self.settings.max_retention_days, actions.delete_days())
            && days > most
        {
            return Err(ApiError::new(400, "recording.policy.analytics.retention.violation", "Policy retention was violated."));
        }
        let operation = family.creating();
        let mut state = self.state();
        if state.public.policies.iter().any(|other| other.family == family && other.name == read.name) {
            let message = "Policy name already exists, cannot duplicate.";
            return Err(ApiError::new(400, "recording.policy.name.duplicate.name", message).field("name"));
        }
        self.mark(&rules::POLICY_NOT_RETROACTIVE);
        let ordinal = state.ordinal_of(operation.name, &read.name);
        let policy = Policy {
            family,
            id: self.made_id(operation, &read.name, ordinal),
            created_ms: self.now_ms(),
            sent,
            name: read.name,
            order: read.order,
            is_enabled: read.enabled,
            conditions,
            actions,
        };
        let reply = Reply::json(200, &policy.shown());
        state.public.policies.push(policy);
        Ok(reply.effect("created"))
    }

    fn check_conditions(&self, conditions: &Conditions) -> Result<(), ApiError> {
        let directory = &self.directory;
        let is_known = |list: &[Named], entries: &[Entry]| list.iter().all(|named| uuid(&named.id).is_some_and(|id| holds(entries, id)));
        if !is_known(&conditions.for_queues, &directory.queues) {
            return Err(ApiError::new(400, "recording.policy.invalid.queue", "The specified queues was invalid.").field("forQueues"));
        }
        let one_of = |list: &[String], known: &[&str]| list.iter().all(|one| known.contains(&one.as_str()));
        let is_valid = is_known(&conditions.for_users, &directory.users)
            && is_known(&conditions.wrapup_codes, &directory.wrapups)
            && one_of(&conditions.directions, &["INBOUND", "OUTBOUND"])
            && one_of(&conditions.media_types, &["CALL", "CHAT"]);
        if is_valid {
            return Ok(());
        }
        let message = "One of the configured actions or conditions was invalid: an id or value is unknown";
        Err(ApiError::new(400, "recording.media.policy.invalid", message))
    }

    fn list_policies(&self, family: Family, query: &Query) -> Result<Reply, ApiError> {
        let enabled = query.one("enabled").map(|text| text == "true");
        let threshold = query.number("deleteDaysThreshold", 0, 0, u64::from(u32::MAX))?;
        let has_threshold = query.one("deleteDaysThreshold").is_some();
        let has_errors = query.one("hasErrors") == Some("true");
        let state = self.state();
        let is_wanted = |policy: &&Policy| {
            policy.family == family
                && !has_errors
                && enabled.is_none_or(|enabled| enabled == policy.is_enabled)
                && query.one("name").is_none_or(|name| policy.name.to_lowercase().contains(&name.to_lowercase()))
                && (!has_threshold || policy.actions.delete_days().is_some_and(|days| u64::from(days) > threshold))
        };
        let wanted: Vec<&Policy> = state.public.policies.iter().filter(is_wanted).collect();
        self.page(family.listing(), query, &wanted, |policy| policy.shown())
    }

    fn show_policy(&self, family: Family, id: &str) -> Result<Reply, ApiError> {
        let state = self.state();
        let found = uuid(id).and_then(|id| state.public.policies.iter().find(|policy| policy.family == family && policy.id == id));
        found.map(|policy| Reply::json(200, &policy.shown())).ok_or_else(ApiError::not_found)
    }

    /// When a recording that states no date is deleted and archived, by the policies there are now.
    pub(super) fn by_policy(&self, state: &Held, held: &Conversation, created_ms: i64) -> (Option<i64>, Option<i64>) {
        let policies = state.public.policies.iter().filter(|policy| policy.family == Family::CrossPlatform && policy.is_enabled);
        let Some(policy) = policies.filter(|policy| policy.conditions.hold(held)).min_by_key(|policy| policy.order) else {
            return (None, None);
        };
        [&rules::POLICY_PAIRING, &rules::POLICY_FIRST, &rules::POLICY_DAYS].into_iter().for_each(|rule| self.mark(rule));
        if policy.actions.deletes_at_once() {
            return (Some(created_ms), None);
        }
        let from_ms = match self.settings.public.policy_days_from {
            PolicyDaysFrom::Creation => created_ms,
            PolicyDaysFrom::ConversationEnd => held.end_ms,
        };
        let after = |days: u32| from_ms.saturating_add(i64::from(days) * DAY_MS);
        (policy.actions.delete_days().map(after), policy.actions.archive_days().map(after))
    }
}

impl Policy {
    fn shown(&self) -> Value {
        let mut body = self.sent.clone();
        body["id"] = json!(self.id);
        body["enabled"] = json!(self.is_enabled);
        body["order"] = json!(self.order);
        body["createdDate"] = json!(times::text(self.created_ms));
        body["modifiedDate"] = json!(times::text(self.created_ms));
        body["selfUri"] = json!(format!("{}/{}", self.family.listing().path, self.id));
        body
    }
}

/// A body without the fields that are null: for the vendor's clients null and absent are the same.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, without_nulls(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}
