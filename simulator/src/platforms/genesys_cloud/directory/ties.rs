//! What ties the directory's entries to each other: read, and always empty here.

use axum::{extract::Path, response::Response};
use serde_json::{Value, json};

use super::rules;
use crate::{
    http::reply::Reply,
    platforms::genesys_cloud::{
        GenesysCloud,
        access::QUEUE,
        endpoint::{IncomingRequest, Query},
        errors::ApiError,
        limits,
        lists::{self, entry_of},
    },
};

/// Nothing of anything.
const NOTHING: [Value; 0] = [];

/// GET /api/v2/users/{id}/queues.
pub(super) async fn queues_of_user(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    let operation = incoming.operation;
    incoming
        .answer(&id, |site, authorized| {
            known_user(site, &id)?;
            site.page_at(
                &format!("/api/v2/users/{id}/queues"),
                operation,
                &authorized.query,
                &NOTHING,
                |one| one,
            )
        })
        .await
}

/// GET /api/v2/users/{id}/routingskills.
pub(super) async fn skills_of_user(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    let operation = incoming.operation;
    incoming
        .answer(&id, |site, authorized| {
            known_user(site, &id)?;
            site.page_at(
                &format!("/api/v2/users/{id}/routingskills"),
                operation,
                &authorized.query,
                &NOTHING,
                |one| one,
            )
        })
        .await
}

/// GET /api/v2/routing/languages.
pub(super) async fn languages(incoming: IncomingRequest) -> Response {
    let operation = incoming.operation;
    incoming
        .answer("-", |site, authorized| {
            site.mark(&rules::TIES);
            site.page(operation, &authorized.query, &NOTHING, |one| one)
        })
        .await
}

/// GET /api/v2/routing/queues/{id}/members.
pub(super) async fn members_of_queue(
    Path(id): Path<String>,
    incoming: IncomingRequest,
) -> Response {
    incoming
        .answer(&id, |site, authorized| {
            members(site, &id, &authorized.query)
        })
        .await
}

fn known_user(site: &GenesysCloud, id: &str) -> Result<(), ApiError> {
    site.mark(&rules::TIES);
    let unknown = || ApiError::new(404, "general.resource.not.found", "Unable to find the user");
    entry_of(&site.directory().users, id)
        .map(drop)
        .ok_or_else(unknown)
}

/// QueueMemberEntityListing of the API description, which has no total.
fn members(site: &GenesysCloud, id: &str, query: &Query) -> Result<Reply, ApiError> {
    site.mark(&rules::TIES);
    let directory = site.directory();
    let queue = entry_of(&directory.queues, id).ok_or_else(ApiError::not_found)?;
    site.must_cover_entity(QUEUE, queue.id, "routing:queue:view")?;
    let most = &limits::MEMBERS_PAGE_MAX;
    let size = query
        .number("pageSize", limits::PAGE_SIZE_DEFAULT.value, 1, most.value)
        .inspect_err(|_| site.mark(&most.rule))?;
    let number = lists::page_number(query)?;
    let uri = |number: u64| {
        format!(
            "/api/v2/routing/queues/{}/members?pageSize={size}&pageNumber={number}",
            queue.id
        )
    };
    let body = json!({"entities": NOTHING, "pageSize": size, "pageNumber": number, "firstUri": uri(1), "selfUri": uri(number)});
    Ok(Reply::json(200, &body))
}
