//! Calls that the source lists again.

use rusqlite::{Connection, OptionalExtension, params};

use super::queries::put_meta;
use crate::ledger::NewInteraction;

/// In `listed`: the source has to list it again before anybody works on it. No source has so many
/// pages.
pub(super) const TO_BE_LISTED: i64 = 1 << 40;

/// Has the source listed again from its beginning. Pages are counted on, so that what this listing
/// shows is told from what the last one did.
pub(super) fn list_anew(c: &Connection) -> rusqlite::Result<()> {
    let page: Option<String> = c
        .query_row("SELECT value FROM meta WHERE key = 'page'", [], |row| {
            row.get(0)
        })
        .optional()?;
    put_meta(c, "first_page", page.as_deref().unwrap_or("0"))?;
    c.execute_batch("DELETE FROM meta WHERE key IN ('cursor', 'extraction')")
}

/// A known interaction in a listing that was begun anew; `false` where this listing has shown it
/// before, so that the two have to be held against each other. One that is to be read again is
/// taken as it stands there now.
pub(super) fn listed_again(
    c: &Connection,
    row: &NewInteraction,
    page: u64,
) -> rusqlite::Result<bool> {
    let first: Option<String> = c
        .query_row(
            "SELECT value FROM meta WHERE key = 'first_page'",
            [],
            |row| row.get(0),
        )
        .optional()?;
    let first: i64 = first.and_then(|first| first.parse().ok()).unwrap_or(0);
    let mut known = c.prepare_cached(
        "SELECT seq, coalesce(listed, page) FROM interaction WHERE legacy_id = ?1",
    )?;
    let (seq, listed): (i64, i64) =
        known.query_row([&row.legacy_id], |known| Ok((known.get(0)?, known.get(1)?)))?;
    if listed != TO_BE_LISTED {
        return Ok(listed < first);
    }
    c.execute(
        "UPDATE interaction SET entity = ?2, headers = ?3, listed = ?4, detail = ?5 WHERE seq = ?1",
        params![seq, row.entity, row.headers, page, row.unreadable],
    )?;
    let ids: Vec<&str> = row
        .recordings
        .iter()
        .map(|recording| recording.legacy_id.as_str())
        .collect();
    for id in &ids {
        c.execute(
            "INSERT OR IGNORE INTO recording (interaction, legacy_id) VALUES (?1, ?2)",
            params![seq, id],
        )?;
    }
    // What the source lists no longer and nobody has sent is no recording of the call.
    let ids = serde_json::to_string(&ids).unwrap_or_default();
    c.execute(
        "DELETE FROM recording WHERE interaction = ?1 AND file_id IS NULL AND target_id IS NULL \
         AND legacy_id NOT IN (SELECT value FROM json_each(?2))",
        params![seq, ids],
    )?;
    Ok(true)
}
