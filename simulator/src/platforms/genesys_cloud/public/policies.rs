//! Media retention policies, ordinary and cross-platform: made, listed, and followed by recordings
//! that come after them. How they are changed and deleted is in `policy_changes`.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Memory, PolicyDaysFrom, rules,
    stores::{
        Action, Actions, Conditions, Family, NameTaken, Named, Noted, Policy, PolicyDates, Said,
        Subject,
    },
    without_nulls,
};
use crate::{
    http::reply::Reply,
    operations::{self, Operation},
    platforms::genesys_cloud::{
        GenesysCloud, Site,
        conversation::Conversation,
        endpoint::{IncomingRequest, Query},
        errors::ApiError,
        settings::{Entry, holds},
        times,
        validate::uuid,
    },
};

/// What the server writes into a policy; a client sends it back with what it has read.
const WRITTEN_BY_THE_SERVER: [&str; 5] = [
    "id",
    "createdDate",
    "modifiedDate",
    "policyErrors",
    "selfUri",
];

/// POST /api/v2/recording/mediaretentionpolicies.
pub(super) async fn create(State(site): Site, request: Request) -> Response {
    make(site, Family::Ordinary, request).await
}

/// POST /api/v2/recording/crossplatform/mediaretentionpolicies.
pub(super) async fn create_cross(State(site): Site, request: Request) -> Response {
    make(site, Family::CrossPlatform, request).await
}

/// GET /api/v2/recording/mediaretentionpolicies.
pub(super) async fn list(incoming: IncomingRequest) -> Response {
    incoming
        .answer("-", |site, authorized| {
            list_policies(site, Family::Ordinary, &authorized.query)
        })
        .await
}

/// GET /api/v2/recording/crossplatform/mediaretentionpolicies.
pub(super) async fn list_cross(incoming: IncomingRequest) -> Response {
    incoming
        .answer("-", |site, authorized| {
            list_policies(site, Family::CrossPlatform, &authorized.query)
        })
        .await
}

/// GET /api/v2/recording/mediaretentionpolicies/{id}.
pub(super) async fn show(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, _| show_policy(site, Family::Ordinary, &id))
        .await
}

/// GET /api/v2/recording/crossplatform/mediaretentionpolicies/{id}.
pub(super) async fn show_cross(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, _| show_policy(site, Family::CrossPlatform, &id))
        .await
}

async fn make(site: std::sync::Arc<GenesysCloud>, family: Family, request: Request) -> Response {
    let incoming = IncomingRequest {
        site,
        operation: creating(family),
        request,
    };
    let key = |body: &[u8]| {
        serde_json::from_slice::<Value>(body).ok()?["name"]
            .as_str()
            .map(str::to_owned)
    };
    incoming
        .answer_json(
            |_, body| key(body).unwrap_or_else(|| "-".to_owned()),
            |site, _, sent| create_policy(site, family, sent),
        )
        .await
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

impl GenesysCloud {
    /// What a body says of a policy, checked against the organisation; whether its name is free is
    /// another question.
    pub(super) fn read_policy(&self, sent: Value) -> Result<Said, ApiError> {
        let mut sent = without_nulls(sent);
        if let Some(fields) = sent.as_object_mut() {
            fields.retain(|name, _| !WRITTEN_BY_THE_SERVER.contains(&name.as_str()));
        }
        let read = Sent::deserialize(&sent).map_err(|error| {
            self.mark(&rules::POLICY_CONDITIONS);
            let message =
                format!("One of the configured actions or conditions was invalid: {error}");
            ApiError::new(400, "recording.media.policy.invalid", message)
        })?;
        let call = read.media_policies.and_then(|media| media.call_policy);
        let (conditions, actions) = call.map_or((read.conditions, read.actions), |call| {
            (call.conditions, call.actions)
        });
        check_conditions(self, &conditions)?;
        if let (Some(most), Some(days)) = (self.settings.max_retention_days, actions.delete_days())
            && days > most
        {
            return Err(ApiError::new(
                400,
                "recording.policy.analytics.retention.violation",
                "Policy retention was violated.",
            ));
        }
        Ok(Said {
            sent,
            name: read.name,
            order: read.order,
            is_enabled: read.enabled,
            conditions,
            actions,
        })
    }

    /// The dates of deletion and archiving that the ordinary policies give to recordings of a new
    /// conversation that state none, by recording.
    pub(in crate::platforms::genesys_cloud) fn dated_by_policy(
        &self,
        memory: &Memory,
        held: &Conversation,
    ) -> BTreeMap<Uuid, PolicyDates> {
        let undated = held
            .recordings
            .iter()
            .filter(|one| one.delete_at_ms.is_none());
        undated
            .map(|one| {
                (
                    one.id,
                    self.by_policy(Family::Ordinary, memory, held, one.created_at_ms),
                )
            })
            .collect()
    }

    /// When a recording that states no date is deleted and archived, by the policies of a family
    /// there are now.
    pub(super) fn by_policy(
        &self,
        family: Family,
        memory: &Memory,
        held: &Conversation,
        created_ms: i64,
    ) -> PolicyDates {
        let days_from_ms = match self.settings.public.policy_days_from {
            PolicyDaysFrom::Creation => created_ms,
            PolicyDaysFrom::ConversationEnd => held.end_ms,
        };
        let Some(dates) = memory
            .policies
            .dates(family, held, created_ms, days_from_ms)
        else {
            return PolicyDates::default();
        };
        [
            &rules::POLICY_PAIRING,
            &rules::POLICY_FIRST,
            &rules::POLICY_DAYS,
        ]
        .into_iter()
        .for_each(|rule| self.mark(rule));
        dates
    }
}

fn create_policy(site: &GenesysCloud, family: Family, sent: Value) -> Result<Reply, ApiError> {
    let said = site.read_policy(sent)?;
    let operation = creating(family);
    let mut state = site.state();
    state
        .public
        .policies
        .name_is_free(family, &said.name, None)
        .map_err(name_taken)?;
    site.mark(&rules::POLICY_NOT_RETROACTIVE);
    let ordinal = state.ordinals.next_of(operation.name, &said.name);
    let (id, now_ms) = (site.made_id(operation, &said.name, ordinal), site.now_ms());
    let policy = Policy {
        family,
        id,
        created_ms: now_ms,
        modified_ms: now_ms,
        said,
    };
    let (reply, noted) = (
        Reply::json(200, &shown(&policy)),
        Noted::new(Subject::Policy, Action::Create, id).called(&policy.said.name),
    );
    state.public.policies.add(policy).map_err(name_taken)?;
    state.public.audit_log.add(site.now_ms(), noted);
    Ok(reply.effect("created"))
}

fn check_conditions(site: &GenesysCloud, conditions: &Conditions) -> Result<(), ApiError> {
    let directory = site.directory();
    let is_known = |list: &[Named], entries: &[Entry]| {
        list.iter()
            .all(|named| uuid(&named.id).is_some_and(|id| holds(entries, id)))
    };
    if !is_known(&conditions.for_queues, &directory.queues) {
        return Err(ApiError::new(
            400,
            "recording.policy.invalid.queue",
            "The specified queues was invalid.",
        )
        .field("forQueues"));
    }
    let one_of =
        |list: &[String], known: &[&str]| list.iter().all(|one| known.contains(&one.as_str()));
    let is_valid = is_known(&conditions.for_users, &directory.users)
        && is_known(&conditions.wrapup_codes, &directory.wrapups)
        && one_of(&conditions.directions, &["INBOUND", "OUTBOUND"])
        && one_of(&conditions.media_types, &["CALL", "CHAT"]);
    if is_valid {
        return Ok(());
    }
    let message =
        "One of the configured actions or conditions was invalid: an id or value is unknown";
    Err(ApiError::new(
        400,
        "recording.media.policy.invalid",
        message,
    ))
}

fn list_policies(site: &GenesysCloud, family: Family, query: &Query) -> Result<Reply, ApiError> {
    let enabled = query.truth("enabled");
    let threshold = query.number("deleteDaysThreshold", 0, 0, u64::from(u32::MAX))?;
    let has_threshold = query.one("deleteDaysThreshold").is_some();
    let has_errors = query.truth("hasErrors") == Some(true);
    let state = site.state();
    let is_wanted = |policy: &&Policy| {
        !has_errors
            && enabled.is_none_or(|enabled| enabled == policy.said.is_enabled)
            && query.one("name").is_none_or(|name| {
                policy
                    .said
                    .name
                    .to_lowercase()
                    .contains(&name.to_lowercase())
            })
            && (!has_threshold
                || policy
                    .said
                    .actions
                    .delete_days()
                    .is_some_and(|days| u64::from(days) > threshold))
    };
    let wanted: Vec<&Policy> = state.public.policies.of(family).filter(is_wanted).collect();
    site.page(listing(family), query, &wanted, |policy| shown(policy))
}

fn show_policy(site: &GenesysCloud, family: Family, id: &str) -> Result<Reply, ApiError> {
    let state = site.state();
    let found = uuid(id).and_then(|id| state.public.policies.get(family, id));
    found
        .map(|policy| Reply::json(200, &shown(policy)))
        .ok_or_else(ApiError::not_found)
}

/// The list of a family.
fn listing(family: Family) -> &'static Operation {
    match family {
        Family::Ordinary => &operations::GENESYS_CLOUD_LIST_POLICIES,
        Family::CrossPlatform => &operations::GENESYS_CLOUD_LIST_CROSSPLATFORM_POLICIES,
    }
}

/// What makes a policy of a family.
fn creating(family: Family) -> &'static Operation {
    match family {
        Family::Ordinary => &operations::GENESYS_CLOUD_CREATE_POLICY,
        Family::CrossPlatform => &operations::GENESYS_CLOUD_CREATE_CROSSPLATFORM_POLICY,
    }
}

/// A policy as it is answered.
pub(super) fn shown(policy: &Policy) -> Value {
    let mut body = policy.said.sent.clone();
    body["id"] = json!(policy.id);
    body["enabled"] = json!(policy.said.is_enabled);
    body["order"] = json!(policy.said.order);
    body["createdDate"] = json!(times::text(policy.created_ms));
    body["modifiedDate"] = json!(times::text(policy.modified_ms));
    body["selfUri"] = json!(format!("{}/{}", listing(policy.family).path, policy.id));
    body
}

/// The refusal of a name that another policy of the family has.
pub(super) fn name_taken(_: NameTaken) -> ApiError {
    let message = "Policy name already exists, cannot duplicate.";
    ApiError::new(400, "recording.policy.name.duplicate.name", message).field("name")
}
