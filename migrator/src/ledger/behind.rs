//! What stays behind, and how it is taken up again.

use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{NewInteraction, interactions, put_meta};
use super::{InteractionRow, Ledger, LedgerError, Redo};

/// In `listed`: the source has to list it again before anybody works on it. No source has so many pages.
const TO_BE_LISTED: i64 = 1 << 40;

/// Has the source listed again from its beginning. Pages are counted on, so that what this listing shows is told from what the last one did.
pub(super) fn list_anew(c: &Connection) -> rusqlite::Result<()> {
    let page: Option<String> = c.query_row("SELECT value FROM meta WHERE key = 'page'", [], |row| row.get(0)).optional()?;
    put_meta(c, "first_page", page.as_deref().unwrap_or("0"))?;
    c.execute_batch("DELETE FROM meta WHERE key IN ('cursor', 'extraction')")
}

/// A known interaction in a listing that was begun anew; `false` where this listing has shown it before, so that the two have to be held
/// against each other. One that is to be read again is taken as it stands there now.
pub(super) fn listed_again(c: &Connection, row: &NewInteraction, page: u64) -> rusqlite::Result<bool> {
    let first: Option<String> = c.query_row("SELECT value FROM meta WHERE key = 'first_page'", [], |row| row.get(0)).optional()?;
    let first: i64 = first.and_then(|first| first.parse().ok()).unwrap_or(0);
    let mut known = c.prepare_cached("SELECT seq, coalesce(listed, page) FROM interaction WHERE legacy_id = ?1")?;
    let (seq, listed): (i64, i64) = known.query_row([&row.legacy_id], |known| Ok((known.get(0)?, known.get(1)?)))?;
    if listed != TO_BE_LISTED {
        return Ok(listed < first);
    }
    c.execute(
        "UPDATE interaction SET entity = ?2, headers = ?3, listed = ?4, detail = ?5 WHERE seq = ?1",
        params![seq, row.entity, row.headers, page, row.unreadable],
    )?;
    let ids: Vec<&str> = row.recordings.iter().map(|recording| recording.legacy_id.as_str()).collect();
    for id in &ids {
        c.execute("INSERT OR IGNORE INTO recording (interaction, legacy_id) VALUES (?1, ?2)", params![seq, id])?;
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

impl Ledger {
    /// Interactions of which anything stays behind, was left with an error, or could not be repaired, in extraction order.
    pub(crate) async fn behind(&self) -> Result<Vec<i64>, LedgerError> {
        self.run(|c| {
            let sql = "SELECT seq FROM interaction WHERE phase = 'set_aside' UNION SELECT seq FROM interaction WHERE error IS NOT NULL \
                       UNION SELECT seq FROM interaction WHERE unrepaired IS NOT NULL \
                       UNION SELECT interaction FROM recording WHERE outcome IS NOT NULL ORDER BY 1";
            c.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect()
        })
        .await
    }

    /// Interactions that stay behind for something the source answered, which it may answer otherwise now.
    pub(crate) async fn doubtful(&self) -> Result<Vec<i64>, LedgerError> {
        self.run(|c| {
            let sql = "SELECT DISTINCT interaction FROM recording WHERE outcome IS NOT NULL AND doubt ORDER BY 1";
            c.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect()
        })
        .await
    }

    /// Interactions by their ids, or the ids of their recordings, in the source.
    pub(crate) async fn seqs_of_ids(&self, legacy_ids: Vec<String>) -> Result<Vec<(String, i64)>, LedgerError> {
        self.run(move |c| {
            let list = serde_json::to_string(&legacy_ids).unwrap_or_default();
            let sql = "SELECT legacy_id, interaction FROM recording WHERE legacy_id IN (SELECT value FROM json_each(?1)) \
                       UNION SELECT legacy_id, seq FROM interaction WHERE legacy_id IN (SELECT value FROM json_each(?1))";
            c.prepare_cached(sql)?.query_map([list], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
        .await
    }

    /// Has interactions read again from the source and decided anew, on wish listed anew before. What is in the target stays there until it is
    /// sent again.
    pub(crate) async fn take_up(&self, open: Vec<i64>, done: Vec<i64>, list: bool) -> Result<(), LedgerError> {
        self.run(move |c| {
            let anew = list.then_some(TO_BE_LISTED);
            let list = |seqs: &[i64]| serde_json::to_string(seqs).unwrap_or_default();
            let (open, done) = (list(&open), list(&done));
            // What a file is called stays known: of Interaction Recording it may have to be taken away.
            c.execute(
                "UPDATE recording SET answer = NULL, staged_sha256 = NULL, staged_bytes = NULL, read_twice = 0, out_sha256 = NULL, \
                 out_bytes = NULL, out_codec = NULL, out_samples = NULL, out_rate = NULL, kept = NULL, file_id = NULL, target_id = NULL, \
                 outcome = NULL, reason = NULL, detail = NULL, doubt = NULL, target_state = NULL \
                 WHERE interaction IN (SELECT value FROM json_each(?1))",
                [&open],
            )?;
            c.execute(
                "DELETE FROM warning WHERE kind = 'id_collision' AND subject IN \
                 (SELECT legacy_id FROM interaction WHERE seq IN (SELECT value FROM json_each(?1)))",
                [&open],
            )?;
            c.execute(
                "UPDATE interaction SET phase = 'extracted', reason = NULL, detail = NULL, error = NULL, error_since = NULL, stand_in = NULL, \
                 listed = coalesce(?2, listed) WHERE seq IN (SELECT value FROM json_each(?1))",
                params![open, anew],
            )?;
            c.execute(
                "UPDATE interaction SET redo = 'source', unrepaired = NULL, error = NULL, error_since = NULL, \
                 listed = coalesce(?2, listed) WHERE seq IN (SELECT value FROM json_each(?1))",
                params![done, anew],
            )?;
            if anew.is_some() && (open != "[]" || done != "[]") {
                list_anew(c)?;
            }
            Ok(())
        })
        .await
    }

    /// Forgets everything that was listed, of a ledger under which nothing else was done.
    pub(crate) async fn forget_listing(&self) -> Result<(), LedgerError> {
        self.run(|c| {
            c.execute_batch(
                "DELETE FROM recording; DELETE FROM interaction; DELETE FROM warning; \
                 DELETE FROM meta WHERE key IN ('page', 'cursor', 'extraction', 'first_page');",
            )
        })
        .await
    }

    /// Has interactions sent again that a changed plan would send otherwise.
    pub(crate) async fn redo_under_plan(&self, which: Vec<(i64, Redo)>) -> Result<(), LedgerError> {
        self.run(move |c| {
            let mut update = c.prepare_cached("UPDATE interaction SET redo = ?2, unrepaired = NULL WHERE seq = ?1")?;
            which.iter().try_for_each(|(seq, redo)| update.execute(params![seq, redo.as_str()]).map(drop))
        })
        .await
    }

    /// Notes that these interactions cannot be put right in the target, and why.
    pub(crate) async fn unrepairable(&self, which: Vec<(i64, String)>) -> Result<(), LedgerError> {
        self.run(move |c| {
            let mut update = c.prepare_cached("UPDATE interaction SET unrepaired = ?2, redo = NULL WHERE seq = ?1")?;
            which.iter().try_for_each(|(seq, why)| update.execute(params![seq, why]).map(drop))
        })
        .await
    }

    /// The next interactions behind `after` as they were extracted, for what only their entities tell.
    pub(crate) async fn entities_after(&self, after: i64, most: u32) -> Result<Vec<InteractionRow>, LedgerError> {
        self.run(move |c| interactions(c, "FROM interaction WHERE seq > ?1 ORDER BY seq LIMIT ?2", params![after, most])).await
    }
}
