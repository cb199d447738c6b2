//! The statements.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Params, Row, ToSql, params};

use super::custody::append;
use super::save::Saved;
use super::tally::{counts_of, tally};
use super::{SqliteLedger, copy, listing};
use crate::custody;
use crate::ledger::tables::{Table, Values};
use crate::ledger::{
    Added, Change, Claim, Disposition, InteractionRow, Ledger, LedgerError, NewInteraction, Pass,
    RecordingRow, Redo, Tally,
};
use crate::step::Phase;

#[async_trait]
impl Ledger for SqliteLedger {
    async fn meta(&self, key: &'static str) -> Result<Option<String>, LedgerError> {
        self.run(move |c| {
            c.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| {
                row.get(0)
            })
            .optional()
        })
        .await
    }

    async fn set_meta(&self, values: Vec<(&'static str, String)>) -> Result<(), LedgerError> {
        self.run(move |c| {
            values
                .iter()
                .try_for_each(|(key, value)| put_meta(c, key, value))
        })
        .await
    }

    async fn add_page(
        &self,
        page: u64,
        rows: Vec<NewInteraction>,
        next: Option<String>,
    ) -> Result<Added, LedgerError> {
        self.run(move |c| {
            let mut added = Added::default();
            for row in &rows {
                // A source may list an interaction twice (a page boundary that moved): the first
                // one stands, unless the two differ.
                let inserted = c
                    .prepare_cached(
                        "INSERT OR IGNORE INTO interaction (legacy_id, page, phase, entity, \
                         headers, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![
                        row.legacy_id,
                        page,
                        Phase::Extracted.as_str(),
                        row.entity,
                        row.headers,
                        row.unreadable
                    ])?;
                if inserted == 0 {
                    if !listing::listed_again(c, row, page)? {
                        added.collided.extend(collide(c, row)?);
                    }
                    continue;
                }
                added.new += 1;
                let seq = c.last_insert_rowid();
                let mut insert = c.prepare_cached(
                    "INSERT OR IGNORE INTO recording (interaction, \
                    legacy_id) VALUES (?1, ?2)",
                )?;
                for recording in &row.recordings {
                    if insert.execute(params![seq, recording.legacy_id])? == 0 {
                        note(c, "recording_listed_twice", &recording.legacy_id)?;
                    }
                }
            }
            put_meta(c, "page", &(page + 1).to_string())?;
            put_meta(c, "cursor", next.as_deref().unwrap_or_default())?;
            put_meta(
                c,
                "extraction",
                if next.is_some() {
                    "running"
                } else {
                    "finished"
                },
            )?;
            Ok(added)
        })
        .await
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<InteractionRow>, LedgerError> {
        self.run(move |c| {
            let which = match claim.pass {
                Pass::First => "phase NOT IN ('done', 'set_aside') AND error IS NULL",
                Pass::Retry => "phase NOT IN ('done', 'set_aside') AND error IS NOT NULL",
                Pass::Redo => "redo IS NOT NULL AND phase = 'done'",
            };
            let which = format!(
                "FROM interaction WHERE seq > ?1 AND coalesce(listed, page) < ?3 AND {which} AND \
                 (claimed_by IS NULL OR claimed_until <= ?4) ORDER BY seq LIMIT ?2"
            );
            let rows = interactions(
                c,
                &which,
                params![claim.after, claim.most, pages_behind(c)?, claim.now_ms],
            )?;
            c.prepare_cached("UPDATE interaction SET claimed_until = ?2 WHERE claimed_by = ?1")?
                .execute(params![claim.holder, claim.until_ms])?;
            let mut take = c.prepare_cached(
                "UPDATE interaction SET claimed_by = ?2, claimed_until \
                = ?3 WHERE seq = ?1",
            )?;
            rows.iter().try_for_each(|row| {
                take.execute(params![row.seq, claim.holder, claim.until_ms])
                    .map(drop)
            })?;
            Ok(rows)
        })
        .await
    }

    async fn claim_these(
        &self,
        seqs: Vec<i64>,
        _: &str,
    ) -> Result<Vec<InteractionRow>, LedgerError> {
        // Nobody else could take them.
        self.these(seqs).await
    }

    async fn release(&self, holder: &str, _: bool) -> Result<(), LedgerError> {
        let holder = holder.to_owned();
        self.run(move |c| {
            c.execute(
                "UPDATE interaction SET claimed_by = NULL, claimed_until = NULL WHERE \
                claimed_by = ?1",
                [holder],
            )
            .map(drop)
        })
        .await
    }

    async fn flush(&self) -> Result<(), LedgerError> {
        self.run(|_| Ok(())).await?;
        self.inner
            .lost
            .lock()
            .clone()
            .map_or(Ok(()), |error| Err(error.at(&self.inner.path)))
    }

    async fn done_after(&self, after: i64, most: u32) -> Result<Vec<InteractionRow>, LedgerError> {
        self.run(move |c| {
            interactions(
                c,
                "FROM interaction WHERE seq > ?1 AND phase = 'done' ORDER BY seq LIMIT ?2",
                params![after, most],
            )
        })
        .await
    }

    async fn sendable_after(
        &self,
        after: i64,
        most: u32,
        plan_hash: String,
    ) -> Result<Vec<InteractionRow>, LedgerError> {
        self.run(move |c| {
            const SENDABLE: &str = "FROM interaction WHERE seq > ?1 AND phase <> 'set_aside' AND \
                error IS NULL AND (phase <> 'done' OR plan_hash = ?3) ORDER BY seq LIMIT ?2";
            interactions(c, SENDABLE, params![after, most, plan_hash])
        })
        .await
    }

    async fn these(&self, seqs: Vec<i64>) -> Result<Vec<InteractionRow>, LedgerError> {
        self.run(move |c| {
            let list = serde_json::to_string(&seqs).unwrap_or_default();
            const THESE: &str =
                "FROM interaction WHERE seq IN (SELECT value FROM json_each(?1)) ORDER BY seq";
            interactions(c, THESE, params![list])
        })
        .await
    }

    async fn seqs_of(&self, legacy_ids: Vec<String>) -> Result<Vec<i64>, LedgerError> {
        self.run(move |c| {
            let list = serde_json::to_string(&legacy_ids).unwrap_or_default();
            let sql = "SELECT seq FROM interaction WHERE legacy_id IN (SELECT value FROM \
                json_each(?1)) ORDER BY seq";
            c.prepare_cached(sql)?
                .query_map([list], |row| row.get(0))?
                .collect()
        })
        .await
    }

    async fn keep_answers(&self, answers: Vec<(i64, String)>) -> Result<(), LedgerError> {
        self.run(move |c| {
            let mut update = c.prepare_cached(
                "UPDATE recording SET answer = ?2 WHERE seq = ?1 AND staged_sha256 IS NULL",
            )?;
            answers
                .iter()
                .try_for_each(|(seq, answer)| update.execute(params![seq, answer]).map(drop))
        })
        .await
    }

    async fn set_meta_with(
        &self,
        values: Vec<(&'static str, String)>,
        custody: Vec<custody::Entry>,
    ) -> Result<(), LedgerError> {
        self.run(move |c| {
            values
                .iter()
                .try_for_each(|(key, value)| put_meta(c, key, value))?;
            custody.iter().try_for_each(|entry| append(c, entry))
        })
        .await
    }

    async fn decide_anew(&self, window_changed: bool) -> Result<(), LedgerError> {
        self.run(move |c| {
            let open = "phase IN ('staged', 'converted', 'uploaded', 'created', 'set_aside') AND \
                legacy_id NOT IN (SELECT subject FROM warning WHERE kind = 'id_collision')";
            c.execute_batch(&format!(
                "UPDATE recording SET outcome = NULL, reason = NULL, detail = NULL, doubt = NULL, \
                 out_sha256 = NULL, out_bytes = NULL, out_codec = NULL, out_samples = NULL, kept = \
                 NULL, target_state = NULL, file_id = NULL, target_id = NULL WHERE interaction IN \
                 (SELECT seq FROM interaction WHERE {open}); UPDATE interaction SET phase = CASE \
                 WHEN EXISTS (SELECT 1 FROM recording WHERE interaction = interaction.seq AND \
                 staged_sha256 IS NULL) THEN 'extracted' ELSE 'staged' END, reason = NULL, detail \
                 = NULL, error = NULL, stand_in = NULL WHERE {open};"
            ))?;
            if window_changed {
                listing::list_anew(c)?;
            }
            Ok(())
        })
        .await
    }

    async fn save(&self, row: &InteractionRow, change: Change) -> Result<(), LedgerError> {
        // What is written once, when the interaction is extracted, is not carried along.
        let row = InteractionRow {
            entity: String::new(),
            headers: String::new(),
            recordings: row.recordings.clone(),
            legacy_id: row.legacy_id.clone(),
            target_id: row.target_id.clone(),
            reason: row.reason.clone(),
            target_state: row.target_state.clone(),
            detail: row.detail.clone(),
            since: row.since.clone(),
            stand_in: row.stand_in.clone(),
            unrepaired: row.unrepaired.clone(),
            document: row.document.clone(),
            audio_rules: row.audio_rules.clone(),
            error: None,
            error_since: None,
            ..*row
        };
        self.save_soon(Saved { row, change }).await
    }

    async fn set_error(
        &self,
        seq: i64,
        _: i64,
        error: String,
        at: String,
        custody: Vec<custody::Entry>,
    ) -> Result<(), LedgerError> {
        self.run(move |c| {
            let known: Option<String> = c
                .prepare_cached("SELECT error FROM interaction WHERE seq = ?1")?
                .query_row([seq], |row| row.get(0))
                .optional()?
                .flatten();
            c.prepare_cached(
                "UPDATE interaction SET error = ?2, error_since = coalesce(error_since, ?3), \
                 claimed_by = NULL WHERE seq = ?1",
            )?
            .execute(params![seq, error, at])?;
            if known.as_ref() != Some(&error) {
                custody.iter().try_for_each(|entry| append(c, entry))?;
            }
            Ok(())
        })
        .await
    }

    async fn note(&self, kind: &'static str, subject: &str) -> Result<(), LedgerError> {
        let subject = subject.to_owned();
        self.run(move |c| note(c, kind, &subject)).await
    }

    async fn warnings(&self) -> Result<BTreeMap<String, u64>, LedgerError> {
        self.run(|c| counts_of(c, "SELECT kind, count(*) FROM warning GROUP BY kind"))
            .await
    }

    async fn errors(&self, most: u32) -> Result<Vec<String>, LedgerError> {
        self.run(move |c| {
            let mut select = c.prepare_cached(
                "SELECT error FROM interaction WHERE error IS NOT NULL ORDER BY seq LIMIT ?1",
            )?;
            select.query_map([most], |row| row.get(0))?.collect()
        })
        .await
    }

    async fn last_seq(&self) -> Result<i64, LedgerError> {
        self.run(|c| {
            c.query_row("SELECT coalesce(max(seq), 0) FROM interaction", [], |row| {
                row.get(0)
            })
        })
        .await
    }

    async fn tally(&self) -> Result<Tally, LedgerError> {
        self.run(tally).await
    }

    async fn exported_after(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<(InteractionRow, u64)>, LedgerError> {
        self.run(move |c| {
            const NEXT: &str = "FROM interaction WHERE seq > ?1 ORDER BY seq LIMIT ?2";
            let bounds = params![after, most];
            let mut select =
                c.prepare_cached(&format!("SELECT {INTERACTION_COLUMNS}, page {NEXT}"))?;
            let rows = select.query_map(bounds, |row| {
                Ok((
                    interaction_row(row)?,
                    row.get::<_, u64>(INTERACTION_COLUMN_COUNT)?,
                ))
            })?;
            let mut rows: Vec<(InteractionRow, u64)> = rows.collect::<rusqlite::Result<_>>()?;
            let mut recordings = recordings_of(c, &format!("SELECT seq {NEXT}"), bounds)?;
            for (row, _) in &mut rows {
                row.recordings = recordings.remove(&row.seq).unwrap_or_default();
            }
            Ok(rows)
        })
        .await
    }

    async fn custody_lines(&self) -> Result<u64, LedgerError> {
        self.run(|c| c.query_row("SELECT count(*) FROM custody", [], |row| row.get(0)))
            .await
    }

    async fn custody_after(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<(i64, String)>, LedgerError> {
        self.run(move |c| {
            let mut select = c.prepare_cached(
                "SELECT seq, line FROM custody WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            )?;
            select
                .query_map(params![after, most], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
        .await
    }

    async fn behind(&self) -> Result<Vec<i64>, LedgerError> {
        self.run(|c| {
            let sql = "SELECT seq FROM interaction WHERE phase = 'set_aside' UNION SELECT seq FROM \
                interaction WHERE error IS NOT NULL UNION SELECT seq FROM interaction WHERE \
                unrepaired IS NOT NULL UNION SELECT interaction FROM recording WHERE outcome IS \
                NOT NULL ORDER BY 1";
            c.prepare_cached(sql)?
                .query_map([], |row| row.get(0))?
                .collect()
        })
        .await
    }

    async fn doubtful(&self) -> Result<Vec<i64>, LedgerError> {
        self.run(|c| {
            let sql = "SELECT DISTINCT interaction FROM recording WHERE outcome IS NOT NULL AND \
                doubt ORDER BY 1";
            c.prepare_cached(sql)?
                .query_map([], |row| row.get(0))?
                .collect()
        })
        .await
    }

    async fn seqs_of_ids(
        &self,
        legacy_ids: Vec<String>,
    ) -> Result<Vec<(String, i64)>, LedgerError> {
        self.run(move |c| {
            let list = serde_json::to_string(&legacy_ids).unwrap_or_default();
            let sql = "SELECT legacy_id, interaction FROM recording WHERE legacy_id IN (SELECT \
                value FROM json_each(?1)) UNION SELECT legacy_id, seq FROM interaction WHERE \
                legacy_id IN (SELECT value FROM json_each(?1))";
            c.prepare_cached(sql)?
                .query_map([list], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
        .await
    }

    async fn take_up(&self, open: Vec<i64>, done: Vec<i64>, list: bool) -> Result<(), LedgerError> {
        self.run(move |c| {
            let anew = list.then_some(listing::TO_BE_LISTED);
            let list = |seqs: &[i64]| serde_json::to_string(seqs).unwrap_or_default();
            let (open, done) = (list(&open), list(&done));
            // A file's name stays: in a store of files the file may have to be deleted once another
            // one has taken its place.
            c.execute(
                "UPDATE recording SET answer = NULL, staged_sha256 = NULL, staged_bytes = NULL, \
                 read_twice = 0, out_sha256 = NULL, out_bytes = NULL, out_codec = NULL, \
                 out_samples = NULL, out_rate = NULL, kept = NULL, file_id = NULL, target_id = \
                 NULL, outcome = NULL, reason = NULL, detail = NULL, doubt = NULL, target_state = \
                 NULL WHERE interaction IN (SELECT value FROM json_each(?1))",
                [&open],
            )?;
            c.execute(
                "DELETE FROM warning WHERE kind = 'id_collision' AND subject IN (SELECT legacy_id \
                 FROM interaction WHERE seq IN (SELECT value FROM json_each(?1)))",
                [&open],
            )?;
            c.execute(
                "UPDATE interaction SET phase = 'extracted', reason = NULL, detail = NULL, error = \
                 NULL, error_since = NULL, stand_in = NULL, listed = coalesce(?2, listed) WHERE \
                 seq IN (SELECT value FROM json_each(?1))",
                params![open, anew],
            )?;
            c.execute(
                "UPDATE interaction SET redo = 'source', unrepaired = NULL, error = NULL, \
                 error_since = NULL, listed = coalesce(?2, listed) WHERE seq IN (SELECT value FROM \
                 json_each(?1))",
                params![done, anew],
            )?;
            if anew.is_some() && (open != "[]" || done != "[]") {
                listing::list_anew(c)?;
            }
            Ok(())
        })
        .await
    }

    async fn forget_listing(&self) -> Result<(), LedgerError> {
        self.run(|c| {
            c.execute_batch(
                "DELETE FROM recording; DELETE FROM interaction; DELETE FROM warning; \
                 DELETE FROM meta WHERE key IN ('page', 'cursor', 'extraction', 'first_page');",
            )
        })
        .await
    }

    async fn redo_under_plan(&self, which: Vec<(i64, Redo)>) -> Result<(), LedgerError> {
        self.run(move |c| {
            let mut update = c.prepare_cached(
                "UPDATE interaction SET redo = ?2, unrepaired = NULL WHERE seq = ?1",
            )?;
            which
                .iter()
                .try_for_each(|(seq, redo)| update.execute(params![seq, redo.as_str()]).map(drop))
        })
        .await
    }

    async fn unrepairable(&self, which: Vec<(i64, String)>) -> Result<(), LedgerError> {
        self.run(move |c| {
            let mut update = c.prepare_cached(
                "UPDATE interaction SET unrepaired = ?2, redo = NULL WHERE seq = ?1",
            )?;
            which
                .iter()
                .try_for_each(|(seq, why)| update.execute(params![seq, why]).map(drop))
        })
        .await
    }

    async fn rows_behind(
        &self,
        table: &'static Table,
        after: Option<Values>,
        most: u32,
    ) -> Result<Vec<Values>, LedgerError> {
        self.run(move |c| copy::rows_behind(c, table, after.as_ref(), most))
            .await
    }

    async fn put_rows(&self, table: &'static Table, rows: Vec<Values>) -> Result<(), LedgerError> {
        self.run(move |c| copy::put_rows(c, table, &rows)).await
    }

    async fn entities_after(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<InteractionRow>, LedgerError> {
        self.run(move |c| {
            interactions(
                c,
                "FROM interaction WHERE seq > ?1 ORDER BY seq LIMIT ?2",
                params![after, most],
            )
        })
        .await
    }
}

const RECORDING_COLUMNS: &str = "seq, legacy_id, answer, staged_sha256, staged_bytes, read_twice, \
    out_sha256, out_bytes, out_codec, out_samples, out_rate, kept, file_name, file_id, target_id, \
    outcome, reason, target_state, detail, since, doubt";
const RECORDING_COLUMN_COUNT: usize = 21;

const INTERACTION_COLUMNS: &str = "seq, legacy_id, phase, entity, headers, target_id, reason, \
    target_state, detail, since, stand_in, redo, unrepaired, document, audio_rules, error, \
    error_since";
const INTERACTION_COLUMN_COUNT: usize = 17;

fn recording_row(row: &Row<'_>) -> rusqlite::Result<RecordingRow> {
    Ok(RecordingRow {
        seq: row.get(0)?,
        legacy_id: row.get(1)?,
        answer: row.get(2)?,
        staged_sha256: row.get(3)?,
        staged_bytes: row.get(4)?,
        read_twice: row.get(5)?,
        out_sha256: row.get(6)?,
        out_bytes: row.get(7)?,
        out_codec: row.get(8)?,
        out_samples: row.get(9)?,
        out_rate: row.get(10)?,
        sent_unchanged: row.get::<_, Option<bool>>(11)?.unwrap_or(false),
        file_name: row.get(12)?,
        file_id: row.get(13)?,
        target_id: row.get(14)?,
        outcome: row
            .get::<_, Option<String>>(15)?
            .as_deref()
            .map(Disposition::from_name),
        reason: row.get(16)?,
        target_state: row.get(17)?,
        detail: row.get(18)?,
        since: row.get(19)?,
        doubt: row.get::<_, Option<bool>>(20)?.unwrap_or(false),
    })
}

fn interaction_row(row: &Row<'_>) -> rusqlite::Result<InteractionRow> {
    Ok(InteractionRow {
        seq: row.get(0)?,
        legacy_id: row.get(1)?,
        phase: Phase::from_name(&row.get::<_, String>(2)?),
        entity: row.get(3)?,
        headers: row.get(4)?,
        target_id: row.get(5)?,
        reason: row.get(6)?,
        target_state: row.get(7)?,
        detail: row.get(8)?,
        since: row.get(9)?,
        stand_in: row.get(10)?,
        redo: row
            .get::<_, Option<String>>(11)?
            .as_deref()
            .map(Redo::from_name),
        unrepaired: row.get(12)?,
        document: row.get(13)?,
        audio_rules: row.get(14)?,
        error: row.get(15)?,
        error_since: row.get(16)?,
        claim: 0,
        in_doubt: false,
        recordings: Vec::new(),
    })
}

/// The recordings of the interactions that `which` selects with `parameters`, by interaction.
fn recordings_of(
    c: &Connection,
    which: &str,
    parameters: impl Params,
) -> rusqlite::Result<HashMap<i64, Vec<RecordingRow>>> {
    // The plus keeps the interactions the outer loop: there are few of them.
    let sql = format!(
        "SELECT {RECORDING_COLUMNS}, interaction FROM recording WHERE interaction IN ({which}) \
         ORDER BY interaction, +seq"
    );
    let mut recordings: HashMap<i64, Vec<RecordingRow>> = HashMap::new();
    let mut select = c.prepare_cached(&sql)?;
    let mut rows = select.query(parameters)?;
    while let Some(row) = rows.next()? {
        recordings
            .entry(row.get(RECORDING_COLUMN_COUNT)?)
            .or_default()
            .push(recording_row(row)?);
    }
    Ok(recordings)
}

/// The interactions that `which` selects with `bounds`, with their recordings.
fn interactions(
    c: &Connection,
    which: &str,
    bounds: &[&dyn ToSql],
) -> rusqlite::Result<Vec<InteractionRow>> {
    let mut select = c.prepare_cached(&format!("SELECT {INTERACTION_COLUMNS} {which}"))?;
    let rows = select.query_map(bounds, interaction_row)?;
    let mut rows: Vec<InteractionRow> = rows.collect::<rusqlite::Result<_>>()?;
    let mut recordings = recordings_of(c, &format!("SELECT seq {which}"), bounds)?;
    for row in &mut rows {
        row.recordings = recordings.remove(&row.seq).unwrap_or_default();
    }
    Ok(rows)
}

/// Pages of the source that are read, with the one behind each; all of them once there is none
/// behind the last.
fn pages_behind(c: &Connection) -> rusqlite::Result<i64> {
    const READ: &str = "SELECT CASE WHEN (SELECT value FROM meta WHERE key = 'extraction') = \
        'finished' THEN ?1 ELSE COALESCE((SELECT CAST(value AS INTEGER) FROM meta WHERE key = \
        'page'), 0) - 1 END";
    c.prepare_cached(READ)?
        .query_row([i64::MAX], |row| row.get(0))
}

pub(super) fn put_meta(c: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    c.prepare_cached(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
    )?
    .execute([key, value])
    .map(drop)
}

pub(super) fn note(c: &Connection, kind: &str, subject: &str) -> rusqlite::Result<()> {
    c.prepare_cached("INSERT OR IGNORE INTO warning (kind, subject) VALUES (?1, ?2)")?
        .execute([kind, subject])
        .map(drop)
}

/// The same id for another interaction: which of both a recording belongs to cannot be told, so
/// neither goes. Answers the one set aside; `None` where the two are the same.
fn collide(c: &Connection, row: &NewInteraction) -> rusqlite::Result<Option<i64>> {
    let find = "SELECT seq, entity FROM interaction WHERE legacy_id = ?1";
    let (seq, known): (i64, String) = c.query_row(find, [&row.legacy_id], |known| {
        Ok((known.get(0)?, known.get(1)?))
    })?;
    // Compared as values: white space and the order of keys make no other interaction.
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    if value(&known) == value(&row.entity) {
        note(c, "listed_twice", &row.legacy_id)?;
        return Ok(None);
    }
    for recording in &row.recordings {
        c.execute(
            "INSERT OR IGNORE INTO recording (interaction, legacy_id) VALUES (?1, ?2)",
            params![seq, recording.legacy_id],
        )?;
    }
    c.execute(
        "UPDATE interaction SET phase = 'set_aside', reason = 'id_collision' WHERE legacy_id = ?1 \
         AND phase <> 'done'",
        [&row.legacy_id],
    )?;
    c.execute(
        "UPDATE recording SET outcome = 'quarantined', reason = 'id_collision' WHERE interaction = \
         (SELECT seq FROM interaction WHERE legacy_id = ?1 AND phase = 'set_aside')",
        [&row.legacy_id],
    )?;
    note(c, "id_collision", &row.legacy_id)?;
    Ok(Some(seq))
}
