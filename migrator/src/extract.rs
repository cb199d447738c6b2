//! Extraction: page after page of interactions into the ledger, each page with its cursor. It knows nothing of the target.

use plan::LoadedPlan;
use platforms::legacy::{Client, InteractionPage, Page, wire};
use platforms::{CallError, Pages};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::custody::hex;
use crate::ledger::{Added, Ledger, NewInteraction, NewRecording};
use crate::outcome::Stop;

/// Interactions a page. The source's maximum, so that a million interactions are a thousand requests.
const PAGE: u32 = 1000;

/// The window of the plan, in the source's own unit of time bounds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Window {
    pub(crate) from_ms: Option<i64>,
    pub(crate) to_ms: Option<i64>,
}

impl Window {
    pub(crate) fn of(plan: &LoadedPlan) -> Window {
        let bound = |time: Option<jiff::Timestamp>| time.map(jiff::Timestamp::as_millisecond);
        Window { from_ms: bound(plan.plan.source.from()), to_ms: bound(plan.plan.source.to()) }
    }
}

/// Reads the next page; `None` when extraction is finished. `pages` are those this run has read.
pub(crate) async fn next_page(source: &Client, ledger: &Ledger, window: Window, pages: &mut Pages) -> Result<Option<Added>, Stop> {
    if ledger.meta("extraction").await?.as_deref() == Some("finished") {
        return Ok(None);
    }
    let cursor = ledger.meta("cursor").await?.filter(|cursor| !cursor.is_empty());
    let number: u64 = ledger.meta("page").await?.and_then(|page| page.parse().ok()).unwrap_or(0);
    let ask = Page { cursor: cursor.clone(), size: PAGE, from_ms: window.from_ms, to_ms: window.to_ms };
    let page = source.interactions(&ask).await.map_err(Stop::Source)?;
    // Where the page itself began counts too: a run that goes on from a cursor must not be led back to it.
    if let Some(cursor) = cursor.filter(|_| pages.is_new()) {
        pages.began_at(&cursor);
    }
    let next = pages.next(QUERY, page.entities.iter().map(|entity| entity.get()), page.next_cursor.clone()).map_err(Stop::Source)?;
    let rows = rows_of(page, number)?;
    Ok(Some(ledger.add_page(number, rows, next).await?))
}

fn rows_of(page: InteractionPage, number: u64) -> Result<Vec<NewInteraction>, Stop> {
    let headers = serde_json::to_string(&page.headers).map_err(|error| malformed(error.to_string()))?;
    let row = |(at, entity): (usize, Box<RawValue>)| row_of(entity.get(), &headers, &format!("entity {} of page {}", at + 1, number + 1));
    Ok(page.entities.into_iter().enumerate().map(row).collect())
}

/// An entity of the page. One that cannot be read is one interaction's trouble, not the page's: its row says why, and it is set aside with that.
/// `place` says where it stands.
fn row_of(entity: &str, headers: &str, place: &str) -> NewInteraction {
    let listed = wire::Listed::read(entity);
    let unreadable = wire::Interaction::read(entity).err().map(|error| format!("{place} of the source's listing cannot be read: {error}"));
    NewInteraction {
        // Named by what it holds: listed again elsewhere it is the same row.
        legacy_id: listed.id.unwrap_or_else(|_| format!("(no id) {}", &hex(Sha256::digest(entity))[..12])),
        entity: entity.to_owned(),
        headers: headers.to_owned(),
        unreadable,
        recordings: listed.recordings.into_iter().map(|legacy_id| NewRecording { legacy_id }).collect(),
    }
}

const QUERY: &str = "GET /api/v2/analytics/interactions/query";

fn malformed(why: String) -> Stop {
    Stop::Source(CallError::Malformed { what: QUERY.to_owned(), why })
}

#[cfg(test)]
mod tests {
    use super::row_of;

    #[test]
    fn an_entity_that_cannot_be_read_is_a_row_that_says_where_it_stands_and_why() {
        let rows = [
            (r#"{"id":5,"startTime":1,"endTime":2,"recordings":[{"id":"5-1"}]}"#, "5", 1, None),
            (r#"{"id":5.0,"startTime":1,"endTime":2,"segments":null,"recordings":null}"#, "5", 0, None),
            (r#"{"id":5,"startTime":1,"endTime":2,"waitTimeMs":"soon","recordings":[{"id":"5-1"}]}"#, "5", 1, Some("field `waitTimeMs`")),
            (r#"{"id":5,"startTime":1,"endTime":2,"recordings":[{"id":"5-1"},{}]}"#, "5", 1, Some("field `recordings[1].id`")),
            (r#"{"startTime":1,"endTime":2,"recordings":[{"id":"5-1"}]}"#, "(no id) ", 1, Some("field `id`: there is no id")),
            ("null", "(no id) ", 0, Some("an object is expected")),
        ];
        for (entity, id, recordings, why) in rows {
            let row = row_of(entity, "{}", "entity 2 of page 1");
            assert!(row.legacy_id.starts_with(id), "{entity}: {}", row.legacy_id);
            assert_eq!(row.recordings.len(), recordings, "{entity}");
            let told = row.unreadable.unwrap_or_default();
            assert_eq!(told.is_empty(), why.is_none(), "{entity}: {told}");
            assert!(why.is_none_or(|why| told.starts_with("entity 2 of page 1") && told.contains(why)), "{entity}: {told}");
        }
        let id = |entity: &str| row_of(entity, "{}", "x").legacy_id;
        assert!(id("null") != id("7") && id("null") == id("null"));
    }
}
