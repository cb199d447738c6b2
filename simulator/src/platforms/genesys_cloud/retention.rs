//! When recordings go, and which may not.

use axum::response::Response;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    GenesysCloud,
    conversation::{FileState, Recording},
    endpoint::{IncomingRequest, Query},
    errors::ApiError,
    limits,
    participant_view::put,
    read::ARCHIVE_MEDIUM,
    rules, times,
    validate::uuid,
};
use crate::http::reply::Reply;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// GET /api/v2/recordings/retention/query.
pub(super) async fn query(incoming: IncomingRequest) -> Response {
    incoming
        .answer("-", |site, authorized| {
            retention_page(site, &authorized.query)
        })
        .await
}

/// GET /api/v2/analytics/dataretention/settings.
pub(super) async fn maximum(incoming: IncomingRequest) -> Response {
    incoming
        .answer("-", |site, _| {
            if site.settings.max_retention_days.is_none() {
                site.mark(&rules::NO_RETENTION_MAX);
            }
            let mut body = json!({});
            put(&mut body, "retentionDays", site.settings.max_retention_days);
            Ok(Reply::json(200, &body))
        })
        .await
}

/// POST /api/v2/recordings/deletionprotection.
pub(super) async fn protection(incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, _| "-".to_owned(),
            |site, _, asked| protected(site, &asked),
        )
        .await
}

/// Which conversations are asked about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Protection {
    conversation_ids: Vec<String>,
}

/// Where a page ends: behind this conversation's recording of this place.
type Place = (Uuid, u64);

impl GenesysCloud {
    /// Refuses to protect so many further conversations beyond the organisation's maximum.
    pub(super) fn may_protect(&self, protected: u64, further: u64) -> Result<(), ApiError> {
        let most = self.settings.max_protected;
        if further == 0 || protected + further <= most {
            return Ok(());
        }
        [
            &limits::PROTECTED_CONVERSATIONS.rule,
            &rules::PROTECTED_TOO_MANY,
        ]
        .into_iter()
        .for_each(|rule| self.mark(rule));
        let message = format!("at most {most} conversations can be protected per organization");
        Err(ApiError::new(400, "constraint.validation", message))
    }

    /// The organisation's maximum in days, where the deletion date of a conversation's recording
    /// lies beyond it.
    pub(super) fn beyond_maximum(&self, start_ms: i64, delete_at_ms: Option<i64>) -> Option<u32> {
        let days = self.settings.max_retention_days?;
        let most_ms = start_ms.saturating_add(i64::from(days) * DAY_MS);
        delete_at_ms.filter(|delete_at_ms| *delete_at_ms > most_ms)?;
        [&rules::RETENTION_MAX, &rules::RETENTION_MAX_FROM]
            .into_iter()
            .for_each(|rule| self.mark(rule));
        Some(days)
    }

    /// When a recording is exported, and since when it is; nothing where it never is.
    pub(super) fn put_export(&self, body: &mut Value, one: &Recording) {
        let date = |at_ms: Option<i64>| at_ms.map(times::text);
        put(body, "exportDate", date(one.export_at_ms));
        put(
            body,
            "exportedDate",
            date(one.export_at_ms.filter(|at_ms| *at_ms <= self.now_ms())),
        );
    }
}

fn retention_page(site: &GenesysCloud, query: &Query) -> Result<Reply, ApiError> {
    if query.one("retentionThresholdDays").is_none() {
        let message = "retentionThresholdDays is required";
        return Err(ApiError::new(400, "invalid.query.param.value", message)
            .field("retentionThresholdDays"));
    }
    let days = query.number("retentionThresholdDays", 0, 0, 100_000)?;
    let size = query
        .number(
            "pageSize",
            limits::PAGE_SIZE_DEFAULT.value,
            1,
            limits::RETENTION_PAGE_MAX.value,
        )
        .inspect_err(|_| site.mark(&limits::RETENTION_PAGE_MAX.rule))?;
    let after = query.one("cursor").map(place).transpose()?;
    site.mark(&rules::RETENTION_THRESHOLD);
    let (entities, last) = retained(site, days, size as usize, after);
    let next = last
        .map(|last| format!("/api/v2/recordings/retention/query?retentionThresholdDays={days}&pageSize={size}&cursor={}", cursor(last)));
    let mut body = json!({"entities": entities});
    put(&mut body, "nextUri", next);
    Ok(Reply::json(200, &body))
}

/// One page, in the order of conversation ids, and where the next begins, if there is one.
fn retained(
    site: &GenesysCloud,
    days: u64,
    size: usize,
    after: Option<Place>,
) -> (Vec<Value>, Option<Place>) {
    let until = site.now_ms().saturating_add(
        i64::try_from(days)
            .unwrap_or(i64::MAX)
            .saturating_mul(DAY_MS),
    );
    let is_kept = |one: &Recording| {
        one.file_state != FileState::Deleted
            && (days == 0 || one.delete_at_ms.is_none_or(|delete| delete > until))
    };
    let state = site.state();
    let from = after.map_or(Uuid::nil(), |(conversation, _)| conversation);
    let all = state
        .conversations
        .from(from)
        .filter(|held| site.shows(held))
        .flat_map(|held| {
            let numbered = held.recordings.iter().enumerate();
            numbered.map(move |(index, one)| ((held.id, index as u64), one))
        });
    let shown = all.filter(|(_, one)| site.is_shown_by_now(one.shown_from_ms));
    let mut rest =
        shown.filter(|(place, one)| after.is_none_or(|after| *place > after) && is_kept(one));
    let mut last = None;
    let page: Vec<Value> = rest
        .by_ref()
        .take(size)
        .map(|(place, one)| {
            last = Some(place);
            retention_entity(site, place.0, one)
        })
        .collect();
    let has_more = rest.next().is_some();
    (page, last.filter(|_| has_more))
}

fn protected(site: &GenesysCloud, asked: &Protection) -> Result<Reply, ApiError> {
    let most = &limits::PROTECTION_IDS;
    if asked.conversation_ids.len() as u64 > most.value {
        site.mark(&most.rule);
        let message = format!("at most {} {} in one request", most.value, most.unit);
        return Err(ApiError::new(400, "constraint.validation", message).field("conversationIds"));
    }
    let state = site.state();
    let held = asked
        .conversation_ids
        .iter()
        .filter_map(|id| state.conversations.get(uuid(id)?));
    let answer: Vec<Value> = held
        .filter(|held| held.protected && site.shows(held))
        .map(|held| json!({"id": held.id, "selfUri": format!("/api/v2/conversations/{}", held.id)}))
        .collect();
    Ok(Reply::json(200, &answer))
}

/// What is not set is left out: the vendor's Python SDK fails on an archiveMedium that is null.
fn retention_entity(site: &GenesysCloud, conversation: Uuid, one: &Recording) -> Value {
    let archive_at_ms = site.archive_date(one);
    let mut body = json!({"conversationId": conversation, "recordingId": one.id, "creationTime": times::text(one.created_at_ms)});
    put(&mut body, "archiveDate", archive_at_ms.map(times::text));
    put(
        &mut body,
        "archiveMedium",
        archive_at_ms.map(|_| ARCHIVE_MEDIUM),
    );
    put(&mut body, "deleteDate", one.delete_at_ms.map(times::text));
    site.put_export(&mut body, one);
    body
}

fn cursor((conversation, index): Place) -> String {
    URL_SAFE_NO_PAD.encode(format!("{conversation}:{index}"))
}

fn place(cursor: &str) -> Result<Place, ApiError> {
    let read = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (conversation, index) = text.split_once(':')?;
        Some((uuid(conversation)?, index.parse().ok()?))
    };
    read().ok_or_else(|| {
        ApiError::new(
            400,
            "invalid.query.param.value",
            "the cursor is not one of ours",
        )
        .field("cursor")
    })
}
