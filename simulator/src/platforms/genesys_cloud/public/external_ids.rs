//! External ids of users: the source's agents on this platform's users, for whoever reads them
//! back.

use axum::{extract::Path, response::Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    rules,
    stores::{Action, NotAdded, Noted, Subject},
};
use crate::{
    http::reply::Reply,
    platforms::genesys_cloud::{
        GenesysCloud, endpoint::IncomingRequest, errors::ApiError, limits, lists, settings::holds,
        validate::uuid,
    },
};

/// POST /api/v2/users/{id}/externalid.
pub(super) async fn add(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, body| key_of(body).unwrap_or_else(|| "-".to_owned()),
            |site, _, sent| add_external_id(site, &id, sent),
        )
        .await
}

/// GET /api/v2/users/{id}/externalid.
pub(super) async fn list(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, _| {
            let user = user_of(site, &id)?;
            Ok(Reply::json(200, &external_ids_of(site, user)))
        })
        .await
}

/// GET /api/v2/users/{id}/externalid/{authority}.
pub(super) async fn show(
    Path((id, authority)): Path<(String, String)>,
    incoming: IncomingRequest,
) -> Response {
    incoming
        .answer(&id, |site, _| external_id_of(site, &id, &authority))
        .await
}

/// DELETE /api/v2/users/{id}/externalid/{authority}/{key}.
pub(super) async fn delete(
    Path((id, authority, key)): Path<(String, String, String)>,
    incoming: IncomingRequest,
) -> Response {
    incoming
        .answer(&format!("{authority}:{key}"), |site, _| {
            delete_external_id(site, &id, authority.clone(), key.clone())
        })
        .await
}

/// GET /api/v2/users/externalid/{authority}/{key}.
pub(super) async fn find(
    Path((authority, key)): Path<(String, String)>,
    incoming: IncomingRequest,
) -> Response {
    incoming
        .answer(&format!("{authority}:{key}"), |site, _| {
            find_external_id(site, authority.clone(), key.clone())
        })
        .await
}

/// UserExternalIdentifier of the API description.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ExternalId {
    authority_name: String,
    external_key: String,
    /// Written by the server; read and forgotten.
    #[serde(rename = "selfUri")]
    _self_uri: Option<String>,
}

fn key_of(body: &[u8]) -> Option<String> {
    let sent: Map<String, Value> = serde_json::from_slice(body).ok()?;
    Some(format!(
        "{}:{}",
        sent.get("authorityName")?.as_str()?,
        sent.get("externalKey")?.as_str()?
    ))
}

fn user_of(site: &GenesysCloud, id: &str) -> Result<Uuid, ApiError> {
    let known = uuid(id).filter(|id| holds(&site.directory().users, *id));
    known.ok_or_else(|| ApiError::new(404, "general.resource.not.found", "Unable to find the user"))
}

fn add_external_id(site: &GenesysCloud, id: &str, sent: ExternalId) -> Result<Reply, ApiError> {
    let user = user_of(site, id)?;
    for (field, text) in [
        ("authorityName", &sent.authority_name),
        ("externalKey", &sent.external_key),
    ] {
        if text.trim().is_empty() {
            return Err(
                ApiError::new(400, "general.bad.request", format!("{field} is empty")).field(field),
            );
        }
    }
    site.mark(&rules::EXTERNAL_IDS);
    let mut state = site.state();
    let most = &limits::EXTERNAL_IDS;
    let added =
        state
            .public
            .external_ids
            .add(sent.authority_name, sent.external_key, user, most.value);
    added.map_err(|not_added| match not_added {
        NotAdded::Taken => ApiError::new(
            409,
            "general.resource.conflict",
            "The external identifier already exists.",
        ),
        NotAdded::TooMany => {
            site.mark(&most.rule);
            ApiError::new(
                400,
                "general.bad.request",
                format!("a user has at most {} {}", most.value, most.unit),
            )
        }
    })?;
    state.public.audit_log.add(
        site.now_ms(),
        Noted::new(Subject::User, Action::Update, user),
    );
    drop(state);
    Ok(Reply::json(201, &external_ids_of(site, user)).effect("created"))
}

fn external_ids_of(site: &GenesysCloud, user: Uuid) -> Vec<Value> {
    let state = site.state();
    let shown = |(authority, key): (&str, &str)| {
        let self_uri = format!("/api/v2/users/{user}/externalid/{authority}/{key}");
        json!({"authorityName": authority, "externalKey": key, "selfUri": self_uri})
    };
    state.public.external_ids.of(user).map(shown).collect()
}

/// The external id of a user for an authority: the first in the order of keys, where there are
/// several.
fn external_id_of(site: &GenesysCloud, id: &str, authority: &str) -> Result<Reply, ApiError> {
    let user = user_of(site, id)?;
    let own = external_ids_of(site, user);
    let mut of_it = own
        .into_iter()
        .filter(|one| one["authorityName"] == authority);
    let first = of_it.next().ok_or_else(|| {
        let message = "Unable to find an external identifier for the authority.";
        ApiError::new(404, "general.resource.not.found", message)
    })?;
    if of_it.next().is_some() {
        site.mark(&rules::EXTERNAL_ID_FIRST);
    }
    Ok(Reply::json(200, &first))
}

fn delete_external_id(
    site: &GenesysCloud,
    id: &str,
    authority: String,
    key: String,
) -> Result<Reply, ApiError> {
    let user = user_of(site, id)?;
    let mut state = site.state();
    if !state.public.external_ids.remove(authority, key, user) {
        let message = "Unable to find a external identifier for user.";
        return Err(ApiError::new(404, "general.resource.not.found", message));
    }
    site.mark(&rules::EXTERNAL_IDS);
    state.public.audit_log.add(
        site.now_ms(),
        Noted::new(Subject::User, Action::Update, user),
    );
    Ok(Reply::empty(204).effect("deleted"))
}

fn find_external_id(
    site: &GenesysCloud,
    authority: String,
    key: String,
) -> Result<Reply, ApiError> {
    let unknown = || {
        ApiError::new(
            404,
            "general.resource.not.found",
            "Unable to find a user associated with external identifier.",
        )
    };
    let id = site
        .state()
        .public
        .external_ids
        .user(authority, key)
        .ok_or_else(unknown)?;
    let directory = site.directory();
    let user = directory
        .users
        .iter()
        .find(|user| user.id == id)
        .ok_or_else(unknown)?;
    Ok(Reply::json(200, &lists::user(user)))
}
