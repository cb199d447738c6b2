//! Extraction: page after page of interactions into the ledger, each page with its cursor. It knows nothing of the target.

use platforms::CallError;
use platforms::legacy::{Client, InteractionPage, Page, wire};

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

/// Reads the next page; `None` when extraction is finished.
pub(crate) async fn next_page(source: &Client, ledger: &Ledger, window: Window) -> Result<Option<Added>, Stop> {
    if ledger.meta("extraction").await?.as_deref() == Some("finished") {
        return Ok(None);
    }
    let cursor = ledger.meta("cursor").await?.filter(|cursor| !cursor.is_empty());
    let number: u64 = ledger.meta("page").await?.and_then(|page| page.parse().ok()).unwrap_or(0);
    let ask = Page { cursor: cursor.clone(), size: PAGE, from_ms: window.from_ms, to_ms: window.to_ms };
    let page = source.interactions(&ask).await.map_err(Stop::Source)?;
    if page.next_cursor.is_some() && page.next_cursor == cursor {
        return Err(malformed("the cursor does not move".to_owned()));
    }
    let next = page.next_cursor.clone();
    let rows = rows_of(page)?;
    Ok(Some(ledger.add_page(number, rows, next).await?))
}

fn rows_of(page: InteractionPage) -> Result<Vec<NewInteraction>, Stop> {
    let headers = serde_json::to_string(&page.headers).map_err(|error| malformed(error.to_string()))?;
    let row = |(at, entity): (usize, Box<serde_json::value::RawValue>)| {
        // Only what the ledger needs: an entity that is odd elsewhere is one interaction's trouble, not the page's.
        let parsed: wire::Listed = serde_json::from_str(entity.get())
            .map_err(|_| malformed(format!("entity {at} of the page has no id, or recordings without ids")))?;
        Ok(NewInteraction {
            legacy_id: parsed.id,
            entity: entity.get().to_owned(),
            headers: headers.clone(),
            recordings: parsed.recordings.into_iter().map(|recording| NewRecording { legacy_id: recording.id }).collect(),
        })
    };
    page.entities.into_iter().enumerate().map(row).collect()
}

fn malformed(why: String) -> Stop {
    Stop::Source(CallError::Malformed { what: "GET /api/v2/analytics/interactions/query".to_owned(), why })
}
