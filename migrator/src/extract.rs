//! Extraction: page after page of interactions into the ledger, each page with its cursor. It knows
//! nothing of the target.

use plan::LoadedPlan;
use platforms::Pages;

use crate::error::RunError;
use crate::ledger::{Added, Ledger};
use crate::source::registry::format_of;
use crate::source::{Source, Window};

/// Reads the next page; `None` when extraction is finished. `pages` are those this run has read.
pub(crate) async fn next_page(
    source: &dyn Source,
    ledger: &dyn Ledger,
    plan: &LoadedPlan,
    pages: &mut Pages,
) -> Result<Option<Added>, RunError> {
    if ledger.meta("extraction").await?.as_deref() == Some("finished") {
        return Ok(None);
    }
    let cursor = ledger
        .meta("cursor")
        .await?
        .filter(|cursor| !cursor.is_empty());
    let number: u64 = ledger
        .meta("page")
        .await?
        .and_then(|page| page.parse().ok())
        .unwrap_or(0);
    let page = source
        .page(Window::of(plan), cursor.as_deref(), number)
        .await?;
    // Where the page itself began counts too: a run that goes on from a cursor must not be led back
    // to it.
    if let Some(cursor) = cursor.filter(|_| pages.is_new()) {
        pages.began_at(&cursor);
    }
    let next = pages.next(
        format_of(plan).listing_request(),
        page.rows.iter().map(|row| row.entity.as_str()),
        page.next_cursor,
    );
    let next = next.map_err(RunError::Source)?;
    Ok(Some(ledger.add_page(number, page.rows, next).await?))
}
