//! Media retention policies changed and deleted, in both families.

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    policies::{name_taken, shown},
    rules,
    stores::{Action, Family, Noted, Policy, Subject},
};
use crate::{
    http::reply::Reply,
    operations::{self, Operation},
    platforms::genesys_cloud::{
        GenesysCloud, Site,
        endpoint::{IncomingRequest, Query},
        errors::ApiError,
        state::State as Held,
        validate::uuid,
    },
};

/// PUT /api/v2/recording/mediaretentionpolicies/{id}.
pub(super) async fn replace(
    State(site): Site,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    replaced(
        IncomingRequest {
            site,
            operation: &operations::GENESYS_CLOUD_UPDATE_POLICY,
            request,
        },
        Family::Ordinary,
        id,
    )
    .await
}

/// PUT /api/v2/recording/crossplatform/mediaretentionpolicies/{id}.
pub(super) async fn replace_cross(
    State(site): Site,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    replaced(
        IncomingRequest {
            site,
            operation: &operations::GENESYS_CLOUD_UPDATE_CROSSPLATFORM_POLICY,
            request,
        },
        Family::CrossPlatform,
        id,
    )
    .await
}

/// PATCH /api/v2/recording/mediaretentionpolicies/{id}.
pub(super) async fn patch(State(site): Site, Path(id): Path<String>, request: Request) -> Response {
    patched(
        IncomingRequest {
            site,
            operation: &operations::GENESYS_CLOUD_PATCH_POLICY,
            request,
        },
        Family::Ordinary,
        id,
    )
    .await
}

/// PATCH /api/v2/recording/crossplatform/mediaretentionpolicies/{id}.
pub(super) async fn patch_cross(
    State(site): Site,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    patched(
        IncomingRequest {
            site,
            operation: &operations::GENESYS_CLOUD_PATCH_CROSSPLATFORM_POLICY,
            request,
        },
        Family::CrossPlatform,
        id,
    )
    .await
}

/// DELETE /api/v2/recording/mediaretentionpolicies/{id}.
pub(super) async fn delete(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, _| delete_policy(site, Family::Ordinary, &id))
        .await
}

/// DELETE /api/v2/recording/crossplatform/mediaretentionpolicies/{id}.
pub(super) async fn delete_cross(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, _| {
            delete_policy(site, Family::CrossPlatform, &id)
        })
        .await
}

/// DELETE /api/v2/recording/mediaretentionpolicies?ids=.
pub(super) async fn delete_many(State(site): Site, request: Request) -> Response {
    many_deleted(
        site,
        &operations::GENESYS_CLOUD_DELETE_POLICIES,
        Family::Ordinary,
        request,
    )
    .await
}

/// DELETE /api/v2/recording/crossplatform/mediaretentionpolicies?ids=.
pub(super) async fn delete_many_cross(State(site): Site, request: Request) -> Response {
    many_deleted(
        site,
        &operations::GENESYS_CLOUD_DELETE_CROSSPLATFORM_POLICIES,
        Family::CrossPlatform,
        request,
    )
    .await
}

async fn replaced(incoming: IncomingRequest, family: Family, id: String) -> Response {
    incoming
        .answer_json(
            |_, _| id.clone(),
            |site, _, sent: Value| replace_policy(site, family, &id, sent),
        )
        .await
}

async fn patched(incoming: IncomingRequest, family: Family, id: String) -> Response {
    incoming
        .answer_json(
            |_, _| id.clone(),
            |site, _, sent: Update| patch_policy(site, family, &id, &sent),
        )
        .await
}

async fn many_deleted(
    site: std::sync::Arc<GenesysCloud>,
    operation: &'static Operation,
    family: Family,
    request: Request,
) -> Response {
    let key = Query::of(request.uri().query().unwrap_or_default())
        .one("ids")
        .unwrap_or("-")
        .to_owned();
    let incoming = IncomingRequest {
        site,
        operation,
        request,
    };
    incoming
        .answer(&key, |site, authorized| {
            delete_policies(site, family, &authorized.query)
        })
        .await
}

/// PolicyUpdate and CrossPlatformPolicyUpdate of the API description: nothing but this.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    enabled: Option<bool>,
}

fn id_of(state: &Held, family: Family, text: &str) -> Result<Uuid, ApiError> {
    uuid(text)
        .filter(|id| state.public.policies.get(family, *id).is_some())
        .ok_or_else(ApiError::not_found)
}

/// The same policy in the audit.
fn noted(policy: &Policy, action: Action) -> Noted {
    Noted::new(Subject::Policy, action, policy.id).called(&policy.said.name)
}

fn replace_policy(
    site: &GenesysCloud,
    family: Family,
    id: &str,
    sent: Value,
) -> Result<Reply, ApiError> {
    let id = id_of(&site.state(), family, id)?;
    let said = site.read_policy(sent)?;
    let now_ms = site.now_ms();
    let mut state = site.state();
    let replaced = state
        .public
        .policies
        .replace(family, id, said, now_ms)
        .ok_or_else(ApiError::not_found)?;
    let policy = replaced.map_err(name_taken)?;
    [&rules::POLICY_NOT_RETROACTIVE, &rules::POLICY_UPDATED]
        .into_iter()
        .for_each(|rule| site.mark(rule));
    let (body, noted) = (shown(policy), noted(policy, Action::Update));
    state.public.audit_log.add(site.now_ms(), noted);
    Ok(Reply::json(200, &body).effect("updated"))
}

fn patch_policy(
    site: &GenesysCloud,
    family: Family,
    id: &str,
    sent: &Update,
) -> Result<Reply, ApiError> {
    let now_ms = site.now_ms();
    let mut state = site.state();
    let id = id_of(&state, family, id)?;
    [&rules::POLICY_NOT_RETROACTIVE, &rules::POLICY_PATCHED]
        .into_iter()
        .for_each(|rule| site.mark(rule));
    let policies = &mut state.public.policies;
    let policy = match sent.enabled {
        Some(enabled) => policies.enable(family, id, enabled, now_ms),
        None => policies.get(family, id),
    };
    let policy = policy.ok_or_else(ApiError::not_found)?;
    let (body, noted) = (shown(policy), noted(policy, Action::Update));
    state.public.audit_log.add(site.now_ms(), noted);
    Ok(Reply::json(200, &body).effect("updated"))
}

fn delete_policy(site: &GenesysCloud, family: Family, id: &str) -> Result<Reply, ApiError> {
    let is_removed = remove_policy(site, &mut site.state(), family, id);
    if !is_removed {
        return Err(ApiError::new(
            404,
            "recording.policy.not.found",
            "The supplied policy was not found or is invalid",
        ));
    }
    Ok(Reply::empty(200).effect("deleted"))
}

fn delete_policies(site: &GenesysCloud, family: Family, query: &Query) -> Result<Reply, ApiError> {
    let ids = query.all("ids");
    if ids.is_empty() {
        return Err(ApiError::new(400, "bad.request", "ids is required").field("ids"));
    }
    site.mark(&rules::POLICIES_DELETED);
    let mut state = site.state();
    for id in ids {
        remove_policy(site, &mut state, family, id);
    }
    Ok(Reply::empty(200).effect("deleted"))
}

/// Takes a policy away; false where there is no such policy.
fn remove_policy(site: &GenesysCloud, state: &mut Held, family: Family, id: &str) -> bool {
    let Some(policy) = uuid(id).and_then(|id| state.public.policies.remove(family, id)) else {
        return false;
    };
    site.mark(&rules::POLICY_GONE);
    state
        .public
        .audit_log
        .add(site.now_ms(), noted(&policy, Action::Delete));
    true
}
