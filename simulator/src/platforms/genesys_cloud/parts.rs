//! A part of a conversation that is asked for alone: a participant's wrap-up.

use axum::{extract::Path, response::Response};
use serde_json::json;

use super::{
    endpoint::IncomingRequest, errors::ApiError, participant_view::put, read::CONVERSATION, rules,
    times,
};
use crate::http::reply::Reply;

/// GET /api/v2/conversations/{id}/participants/{participant}/wrapup.
pub(super) async fn wrapup(
    Path((id, participant)): Path<(String, String)>,
    incoming: IncomingRequest,
) -> Response {
    incoming
        .answer(&id, |site, _| {
            let state = site.state();
            let held = site.find_covered(&state.conversations, &id, CONVERSATION)?;
            let seats = site.seats(held);
            let seat = seats
                .iter()
                .find(|seat| seat.id.to_string().eq_ignore_ascii_case(&participant));
            site.mark(&rules::WRAPUP_NONE);
            let who = seat
                .and_then(|seat| seat.who)
                .ok_or_else(ApiError::not_found)?;
            let mut body = json!({"code": who.wrap_up.ok_or_else(ApiError::not_found)?});
            if let Some(words) = &who.wrap_up_words {
                put(&mut body, "notes", words.notes.clone());
                put(&mut body, "tags", Some(json!(words.tags)));
                put(&mut body, "endTime", Some(times::text(words.at_ms)));
            }
            Ok(Reply::json(200, &body))
        })
        .await
}
