//! Media retention policies changed and deleted, in both families.

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    audits::{Action, Noted, Subject},
    policies::{Family, Policy, name_is_free},
    rules,
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
pub(super) async fn replace(State(site): Site, Path(id): Path<String>, request: Request) -> Response {
    replaced(IncomingRequest { site, operation: &operations::GENESYS_CLOUD_UPDATE_POLICY, request }, Family::Ordinary, id).await
}

/// PUT /api/v2/recording/crossplatform/mediaretentionpolicies/{id}.
pub(super) async fn replace_cross(State(site): Site, Path(id): Path<String>, request: Request) -> Response {
    replaced(
        IncomingRequest { site, operation: &operations::GENESYS_CLOUD_UPDATE_CROSSPLATFORM_POLICY, request },
        Family::CrossPlatform,
        id,
    )
    .await
}

/// PATCH /api/v2/recording/mediaretentionpolicies/{id}.
pub(super) async fn patch(State(site): Site, Path(id): Path<String>, request: Request) -> Response {
    patched(IncomingRequest { site, operation: &operations::GENESYS_CLOUD_PATCH_POLICY, request }, Family::Ordinary, id).await
}

/// PATCH /api/v2/recording/crossplatform/mediaretentionpolicies/{id}.
pub(super) async fn patch_cross(State(site): Site, Path(id): Path<String>, request: Request) -> Response {
    patched(IncomingRequest { site, operation: &operations::GENESYS_CLOUD_PATCH_CROSSPLATFORM_POLICY, request }, Family::CrossPlatform, id)
        .await
}

/// DELETE /api/v2/recording/mediaretentionpolicies/{id}.
pub(super) async fn delete(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming.answer(&id, |site, _| site.delete_policy(Family::Ordinary, &id)).await
}

/// DELETE /api/v2/recording/crossplatform/mediaretentionpolicies/{id}.
pub(super) async fn delete_cross(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming.answer(&id, |site, _| site.delete_policy(Family::CrossPlatform, &id)).await
}

/// DELETE /api/v2/recording/mediaretentionpolicies?ids=.
pub(super) async fn delete_many(State(site): Site, request: Request) -> Response {
    many_deleted(site, &operations::GENESYS_CLOUD_DELETE_POLICIES, Family::Ordinary, request).await
}

/// DELETE /api/v2/recording/crossplatform/mediaretentionpolicies?ids=.
pub(super) async fn delete_many_cross(State(site): Site, request: Request) -> Response {
    many_deleted(site, &operations::GENESYS_CLOUD_DELETE_CROSSPLATFORM_POLICIES, Family::CrossPlatform, request).await
}

async fn replaced(incoming: IncomingRequest, family: Family, id: String) -> Response {
    incoming.answer_json(|_, _| id.clone(), |site, _, sent: Value| site.replace_policy(family, &id, sent)).await
}

async fn patched(incoming: IncomingRequest, family: Family, id: String) -> Response {
    incoming.answer_json(|_, _| id.clone(), |site, _, sent: Update| site.patch_policy(family, &id, &sent)).await
}

async fn many_deleted(site: std::sync::Arc<GenesysCloud>, operation: &'static Operation, family: Family, request: Request) -> Response {
    let key = Query::of(request.uri().query().unwrap_or_default()).one("ids").unwrap_or("-").to_owned();
    let incoming = IncomingRequest { site, operation, request };
    incoming.answer(&key, |site, authorized| site.delete_policies(family, &authorized.query)).await
}

/// PolicyUpdate and CrossPlatformPolicyUpdate of the API description: nothing but this.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    enabled: Option<bool>,
}

fn find(state: &Held, family: Family, id: &str) -> Result<usize, ApiError> {
    let is_it = |id: Uuid| state.public.policies.iter().position(|policy| policy.family == family && policy.id == id);
    uuid(id).and_then(is_it).ok_or_else(ApiError::not_found)
}

/// The same policy in the audit.
fn noted(policy: &Policy, action: Action) -> Noted {
    Noted::new(Subject::Policy, action, policy.id).called(&policy.said.name)
}

impl GenesysCloud {
    fn replace_policy(&self, family: Family, id: &str, sent: Value) -> Result<Reply, ApiError> {
        find(&self.state(), family, id)?;
        let said = self.read_policy(sent)?;
        let now_ms = self.now_ms();
        let mut state = self.state();
        let at = find(&state, family, id)?;
        name_is_free(&state, family, &said.name, uuid(id))?;
        [&rules::POLICY_NOT_RETROACTIVE, &rules::POLICY_UPDATED].into_iter().for_each(|rule| self.mark(rule));
        let policy = &mut state.public.policies[at];
        (policy.said, policy.modified_ms) = (said, now_ms);
        let (body, noted) = (policy.shown(), noted(policy, Action::Update));
        self.audit(&mut state, noted);
        Ok(Reply::json(200, &body).effect("updated"))
    }

    fn patch_policy(&self, family: Family, id: &str, sent: &Update) -> Result<Reply, ApiError> {
        let now_ms = self.now_ms();
        let mut state = self.state();
        let at = find(&state, family, id)?;
        [&rules::POLICY_NOT_RETROACTIVE, &rules::POLICY_PATCHED].into_iter().for_each(|rule| self.mark(rule));
        let policy = &mut state.public.policies[at];
        if let Some(enabled) = sent.enabled {
            (policy.said.is_enabled, policy.modified_ms) = (enabled, now_ms);
        }
        let (body, noted) = (policy.shown(), noted(policy, Action::Update));
        self.audit(&mut state, noted);
        Ok(Reply::json(200, &body).effect("updated"))
    }

    fn delete_policy(&self, family: Family, id: &str) -> Result<Reply, ApiError> {
        let mut state = self.state();
        let unknown = |_| ApiError::new(404, "recording.policy.not.found", "The supplied policy was not found or is invalid");
        let at = find(&state, family, id).map_err(unknown)?;
        self.remove_policy(&mut state, at);
        Ok(Reply::empty(200).effect("deleted"))
    }

    fn delete_policies(&self, family: Family, query: &Query) -> Result<Reply, ApiError> {
        let ids = query.all("ids");
        if ids.is_empty() {
            return Err(ApiError::new(400, "bad.request", "ids is required").field("ids"));
        }
        self.mark(&rules::POLICIES_DELETED);
        let mut state = self.state();
        for id in ids {
            if let Ok(at) = find(&state, family, id) {
                self.remove_policy(&mut state, at);
            }
        }
        Ok(Reply::empty(200).effect("deleted"))
    }

    fn remove_policy(&self, state: &mut Held, at: usize) {
        self.mark(&rules::POLICY_GONE);
        let policy = state.public.policies.remove(at);
        self.audit(state, noted(&policy, Action::Delete));
    }
}
