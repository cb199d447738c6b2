//! Analytics details by conversation id, and the end of a details job.

use axum::{extract::Path, response::Response};
use serde_json::{Value, json};

use super::{
    analytics::IncludeAttributes, endpoint::IncomingRequest, errors::ApiError, rules,
    validate::uuid,
};
use crate::http::reply::Reply;

/// What it takes to read details of a conversation, in its division.
const DETAIL: &str = "analytics:conversationDetail:view";

/// GET /api/v2/analytics/conversations/{id}/details.
pub(super) async fn of_one(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, _| {
            let state = site.state();
            let held = site.find_covered(&state.conversations, &id, DETAIL)?;
            site.mark(&rules::DETAILS_BY_ID);
            Ok(Reply::json(
                200,
                &site.analytics_json(held, IncludeAttributes::No),
            ))
        })
        .await
}

/// GET /api/v2/analytics/conversations/details.
pub(super) async fn of_many(incoming: IncomingRequest) -> Response {
    incoming
        .answer("-", |site, authorized| {
            let state = site.state();
            site.mark(&rules::DETAILS_BY_ID);
            let asked = authorized
                .query
                .all("id")
                .into_iter()
                .filter_map(|id| state.conversations.get(uuid(id)?));
            let shown = asked
                .filter(|held| site.shows(held))
                .map(|held| site.analytics_json(held, IncludeAttributes::No));
            Ok(Reply::json(
                200,
                &json!({"conversations": shown.collect::<Vec<Value>>()}),
            ))
        })
        .await
}

/// DELETE /api/v2/analytics/conversations/details/jobs/{id}.
pub(super) async fn delete_job(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, _| {
            let mut state = site.state();
            uuid(&id)
                .and_then(|id| state.details_jobs.remove(id))
                .ok_or_else(ApiError::not_found)?;
            site.mark(&rules::DETAILS_JOB_DELETED);
            Ok(Reply::empty(204).effect("deleted"))
        })
        .await
}
