//! The statements.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio_postgres::types::ToSql;

use super::custody::append;
use super::rows::{
    INTERACTION_COLUMNS, PAGE, count, interaction_row, stored, text, text_if, with_recordings,
};
use super::runs::end_leases;
use super::session::{Session, Trouble};
use super::{For, PostgresLedger, copy, listing, transaction};
use crate::custody;
use crate::ledger::runs::Runs;
use crate::ledger::tables::{Table, Values};
use crate::ledger::{
    Added, Change, Claim, InteractionRow, Ledger, LedgerError, NewInteraction, Pass, Redo,
    StandInCounts, Tally,
};
use crate::step::Phase;

#[async_trait]
impl Ledger for PostgresLedger {
    fn runs(&self) -> &dyn Runs {
        self
    }

    async fn meta(&self, key: &'static str) -> Result<Option<String>, LedgerError> {
        transaction!(self, For::Reading, session => {
            let sql = "SELECT value FROM meta WHERE key = $1";
            let rows = session.rows(sql, &[&key]).await?;
            rows.first().map(|row| text(row, 0)).transpose()
        })
    }

    async fn set_meta(&self, values: Vec<(&'static str, String)>) -> Result<(), LedgerError> {
        self.set_meta_with(values, Vec::new()).await
    }

    async fn add_page(
        &self,
        page: u64,
        rows: Vec<NewInteraction>,
        next: Option<String>,
    ) -> Result<Added, LedgerError> {
        let page = i64::try_from(page).unwrap_or(i64::MAX);
        transaction!(self, For::Writing, session => {
            listing::add_page(session, page, &rows, next.as_deref()).await
        })
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<InteractionRow>, LedgerError> {
        transaction!(self, For::Writing, session => self.claimed(session, &claim).await)
    }

    async fn claim_these(
        &self,
        seqs: Vec<i64>,
        holder: &str,
    ) -> Result<Vec<InteractionRow>, LedgerError> {
        transaction!(self, For::Writing, session => {
            session
                .change(
                    "UPDATE interaction SET claimed_by = $2, claim = claim + 1 WHERE seq = ANY($1) \
                     AND claimed_by IS NULL",
                    &[&seqs, &holder],
                )
                .await?;
            these(session, &seqs).await
        })
    }

    async fn release(&self, holder: &str, is_sure: bool) -> Result<(), LedgerError> {
        transaction!(self, For::Writing, session => {
            session
                .change(
                    "UPDATE interaction SET claimed_by = NULL, in_doubt = in_doubt OR NOT $2 WHERE \
                     claimed_by = $1",
                    &[&holder, &is_sure],
                )
                .await
                .map(drop)
        })
    }

    async fn flush(&self) -> Result<(), LedgerError> {
        Ok(())
    }

    async fn done_after(&self, after: i64, most: u32) -> Result<Vec<InteractionRow>, LedgerError> {
        self.interactions(
            "WHERE i.seq > $1 AND i.phase = 'done' ORDER BY i.seq LIMIT $2",
            &[&after, &i64::from(most)],
        )
        .await
    }

    async fn sendable_after(
        &self,
        after: i64,
        most: u32,
        plan_hash: String,
    ) -> Result<Vec<InteractionRow>, LedgerError> {
        self.interactions(
            "WHERE i.seq > $1 AND i.phase <> 'set_aside' AND i.error IS NULL AND (i.phase <> \
             'done' OR i.plan_hash = $3) ORDER BY i.seq LIMIT $2",
            &[&after, &i64::from(most), &plan_hash],
        )
        .await
    }

    async fn these(&self, seqs: Vec<i64>) -> Result<Vec<InteractionRow>, LedgerError> {
        transaction!(self, For::Reading, session => these(session, &seqs).await)
    }

    async fn seqs_of(&self, legacy_ids: Vec<String>) -> Result<Vec<i64>, LedgerError> {
        let ids: Vec<_> = legacy_ids.iter().map(|id| stored(id)).collect();
        self.seqs(
            "SELECT seq FROM interaction WHERE legacy_id = ANY($1) ORDER BY seq",
            &[&ids],
        )
        .await
    }

    async fn keep_answers(&self, answers: Vec<(i64, String)>) -> Result<(), LedgerError> {
        let seqs: Vec<i64> = answers.iter().map(|(seq, _)| *seq).collect();
        let texts: Vec<_> = answers.iter().map(|(_, answer)| stored(answer)).collect();
        transaction!(self, For::Writing, session => {
            session
                .change(
                    "UPDATE recording r SET answer = s.answer FROM unnest($1::bigint[], \
                     $2::text[]) AS s (seq, answer) WHERE r.seq = s.seq AND r.staged_sha256 IS NULL",
                    &[&seqs, &texts],
                )
                .await
                .map(drop)
        })
    }

    async fn set_meta_with(
        &self,
        values: Vec<(&'static str, String)>,
        custody: Vec<custody::Entry>,
    ) -> Result<(), LedgerError> {
        let custody: Vec<&custody::Entry> = custody.iter().collect();
        transaction!(self, For::Writing, session => {
            for (key, value) in &values {
                put_meta(session, key, value).await?;
            }
            append(session, &custody).await
        })
    }

    async fn decide_anew(&self, window_changed: bool) -> Result<(), LedgerError> {
        transaction!(self, For::Writing, session => decide_anew(session, window_changed).await)
    }

    async fn save(&self, row: &InteractionRow, change: Change) -> Result<(), LedgerError> {
        // What is written once, when the interaction is extracted, is not carried along.
        let row = InteractionRow {
            entity: String::new(),
            headers: String::new(),
            ..row.clone()
        };
        self.save_row(row, change).await
    }

    async fn set_error(
        &self,
        seq: i64,
        claim: i64,
        error: String,
        at: String,
        custody: Vec<custody::Entry>,
    ) -> Result<(), LedgerError> {
        let (error, custody) = (stored(&error), custody.iter().collect::<Vec<_>>());
        transaction!(self, For::Writing, session => {
            let rows = session
                .rows(
                    "SELECT error FROM interaction WHERE seq = $1 AND claim = $2 FOR UPDATE",
                    &[&seq, &claim],
                )
                .await?;
            let Some(row) = rows.first() else {
                return Err(LedgerError::CallTakenOver.into());
            };
            let known: Option<String> = row.try_get(0)?;
            // Whoever met an error may have written what no row tells.
            session
                .change(
                    "UPDATE interaction SET error = $2, error_since = coalesce(error_since, $3), \
                     claimed_by = NULL, in_doubt = true WHERE seq = $1",
                    &[&seq, &error, &at],
                )
                .await?;
            if known.as_deref() != Some(&*error) {
                append(session, &custody).await?;
            }
            Ok(())
        })
    }

    async fn note(&self, kind: &'static str, subject: &str) -> Result<(), LedgerError> {
        transaction!(self, For::Writing, session => note_all(session, &[(kind, subject)]).await)
    }

    async fn warnings(&self) -> Result<BTreeMap<String, u64>, LedgerError> {
        transaction!(self, For::Reading, session => {
            counts(session, "SELECT kind, count(*) FROM warning GROUP BY kind").await
        })
    }

    async fn errors(&self, most: u32) -> Result<Vec<String>, LedgerError> {
        let sql = "SELECT error FROM interaction WHERE error IS NOT NULL ORDER BY seq LIMIT $1";
        transaction!(self, For::Reading, session => {
            let rows = session.rows(sql, &[&i64::from(most)]).await?;
            rows.iter().map(|row| text(row, 0)).collect()
        })
    }

    async fn last_seq(&self) -> Result<i64, LedgerError> {
        transaction!(self, For::Reading, session => {
            session
                .one("SELECT coalesce(max(seq), 0) FROM interaction", &[])
                .await
        })
    }

    async fn tally(&self) -> Result<Tally, LedgerError> {
        transaction!(self, For::Reading, session => tally(session).await)
    }

    async fn exported_after(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<(InteractionRow, u64)>, LedgerError> {
        let sql = format!(
            "SELECT {INTERACTION_COLUMNS} FROM interaction i WHERE i.seq > $1 ORDER BY i.seq LIMIT \
             $2"
        );
        transaction!(self, For::Reading, session => {
            let found = session.rows(&sql, &[&after, &i64::from(most)]).await?;
            let pages = found
                .iter()
                .map(|row| count(row, PAGE))
                .collect::<Result<Vec<_>, _>>()?;
            let rows = found.iter().map(interaction_row).collect::<Result<Vec<_>, _>>()?;
            let rows = with_recordings(session, rows).await?;
            Ok(rows.into_iter().zip(pages).collect())
        })
    }

    async fn custody_lines(&self) -> Result<u64, LedgerError> {
        transaction!(self, For::Reading, session => {
            one_count(session, "SELECT count(*) FROM custody").await
        })
    }

    async fn custody_after(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<(i64, String)>, LedgerError> {
        let sql = "SELECT seq, line FROM custody WHERE seq > $1 ORDER BY seq LIMIT $2";
        transaction!(self, For::Reading, session => {
            let rows = session.rows(sql, &[&after, &i64::from(most)]).await?;
            rows.iter()
                .map(|row| Ok((row.try_get(0)?, text(row, 1)?)))
                .collect()
        })
    }

    async fn behind(&self) -> Result<Vec<i64>, LedgerError> {
        self.seqs(
            "SELECT seq FROM interaction WHERE phase = 'set_aside' UNION SELECT seq FROM \
             interaction WHERE error IS NOT NULL UNION SELECT seq FROM interaction WHERE unrepaired \
             IS NOT NULL UNION SELECT interaction FROM recording WHERE outcome IS NOT NULL ORDER BY \
             1",
            &[],
        )
        .await
    }

    async fn doubtful(&self) -> Result<Vec<i64>, LedgerError> {
        self.seqs(
            "SELECT DISTINCT interaction FROM recording WHERE outcome IS NOT NULL AND doubt ORDER \
             BY 1",
            &[],
        )
        .await
    }

    async fn seqs_of_ids(
        &self,
        legacy_ids: Vec<String>,
    ) -> Result<Vec<(String, i64)>, LedgerError> {
        let ids: Vec<_> = legacy_ids.iter().map(|id| stored(id)).collect();
        let sql = "SELECT legacy_id, interaction FROM recording WHERE legacy_id = ANY($1) UNION \
            SELECT legacy_id, seq FROM interaction WHERE legacy_id = ANY($1)";
        transaction!(self, For::Reading, session => {
            let rows = session.rows(sql, &[&ids]).await?;
            rows.iter()
                .map(|row| Ok((text(row, 0)?, row.try_get(1)?)))
                .collect()
        })
    }

    async fn take_up(&self, open: Vec<i64>, done: Vec<i64>, list: bool) -> Result<(), LedgerError> {
        transaction!(self, For::Writing, session => take_up(session, &open, &done, list).await)
    }

    async fn forget_listing(&self) -> Result<(), LedgerError> {
        transaction!(self, For::Writing, session => {
            session
                .batch(
                    "DELETE FROM recording; DELETE FROM interaction; DELETE FROM warning; DELETE \
                     FROM meta WHERE key IN ('page', 'cursor', 'extraction', 'first_page')",
                )
                .await
        })
    }

    async fn redo_under_plan(&self, which: Vec<(i64, Redo)>) -> Result<(), LedgerError> {
        let seqs: Vec<i64> = which.iter().map(|(seq, _)| *seq).collect();
        let redos: Vec<&str> = which.iter().map(|(_, redo)| redo.as_str()).collect();
        transaction!(self, For::Writing, session => {
            session
                .change(
                    "UPDATE interaction i SET redo = s.redo, unrepaired = NULL FROM \
                     unnest($1::bigint[], $2::text[]) AS s (seq, redo) WHERE i.seq = s.seq",
                    &[&seqs, &redos],
                )
                .await
                .map(drop)
        })
    }

    async fn unrepairable(&self, which: Vec<(i64, String)>) -> Result<(), LedgerError> {
        let seqs: Vec<i64> = which.iter().map(|(seq, _)| *seq).collect();
        let whys: Vec<_> = which.iter().map(|(_, why)| stored(why)).collect();
        transaction!(self, For::Writing, session => {
            session
                .change(
                    "UPDATE interaction i SET unrepaired = s.why, redo = NULL FROM \
                     unnest($1::bigint[], $2::text[]) AS s (seq, why) WHERE i.seq = s.seq",
                    &[&seqs, &whys],
                )
                .await
                .map(drop)
        })
    }

    async fn rows_behind(
        &self,
        table: &'static Table,
        after: Option<Values>,
        most: u32,
    ) -> Result<Vec<Values>, LedgerError> {
        transaction!(self, For::Reading, session => {
            copy::rows_behind(session, table, after.as_ref(), most).await
        })
    }

    async fn put_rows(&self, table: &'static Table, rows: Vec<Values>) -> Result<(), LedgerError> {
        transaction!(self, For::Writing, session => copy::put_rows(session, table, &rows).await)
    }

    async fn has_doubt(&self) -> Result<bool, LedgerError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM interaction WHERE in_doubt)";
        transaction!(self, For::Reading, session => session.one(sql, &[]).await)
    }

    async fn doubt_all(&self) -> Result<(), LedgerError> {
        let sql = "UPDATE interaction SET in_doubt = true WHERE phase NOT IN ('done', 'set_aside')";
        transaction!(self, For::Writing, session => session.change(sql, &[]).await.map(drop))
    }

    async fn entities_after(
        &self,
        after: i64,
        most: u32,
    ) -> Result<Vec<InteractionRow>, LedgerError> {
        self.interactions(
            "WHERE i.seq > $1 ORDER BY i.seq LIMIT $2",
            &[&after, &i64::from(most)],
        )
        .await
    }
}

impl PostgresLedger {
    async fn interactions(
        &self,
        which: &str,
        bounds: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<InteractionRow>, LedgerError> {
        transaction!(self, For::Reading, session => interactions(session, which, bounds).await)
    }

    async fn seqs(
        &self,
        sql: &str,
        bounds: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<i64>, LedgerError> {
        transaction!(self, For::Reading, session => {
            let rows = session.rows(sql, bounds).await?;
            rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
        })
    }

    /// Ends the leases that are over, and takes what is free. Two that take at once get different
    /// calls and do not wait for each other.
    async fn claimed(
        &self,
        session: &Session,
        claim: &Claim,
    ) -> Result<Vec<InteractionRow>, Trouble> {
        if self.run_name().as_deref() != Some(&claim.holder) {
            let lease_ms = claim.until_ms.saturating_sub(claim.now_ms);
            session
                .change(
                    "INSERT INTO run (name, until_ms, since_ms) VALUES ($1, clock_ms() + $2, \
                     clock_ms()) ON CONFLICT (name) DO UPDATE SET until_ms = clock_ms() + $2",
                    &[&claim.holder, &lease_ms],
                )
                .await?;
        }
        end_leases(session).await?;
        let which = match claim.pass {
            Pass::First => "phase NOT IN ('done', 'set_aside') AND error IS NULL",
            Pass::Retry => "phase NOT IN ('done', 'set_aside') AND error IS NOT NULL",
            Pass::Redo => "redo IS NOT NULL AND phase = 'done'",
        };
        let sql = format!(
            "WITH next AS (SELECT seq FROM interaction WHERE seq > $1 AND coalesce(listed, page) < \
             $3 AND {which} AND claimed_by IS NULL ORDER BY seq LIMIT $2 FOR UPDATE SKIP LOCKED) \
             UPDATE interaction i SET claimed_by = $4, claim = i.claim + 1 FROM next WHERE i.seq = \
             next.seq RETURNING {INTERACTION_COLUMNS}"
        );
        let pages = pages_behind(session).await?;
        let found = session
            .rows(
                &sql,
                &[&claim.after, &i64::from(claim.most), &pages, &claim.holder],
            )
            .await?;
        let mut rows = found
            .iter()
            .map(interaction_row)
            .collect::<Result<Vec<_>, _>>()?;
        rows.sort_by_key(|row| row.seq);
        with_recordings(session, rows).await
    }
}

async fn interactions(
    session: &Session,
    which: &str,
    bounds: &[&(dyn ToSql + Sync)],
) -> Result<Vec<InteractionRow>, Trouble> {
    let sql = format!("SELECT {INTERACTION_COLUMNS} FROM interaction i {which}");
    let found = session.rows(&sql, bounds).await?;
    let rows = found
        .iter()
        .map(interaction_row)
        .collect::<Result<_, _>>()?;
    with_recordings(session, rows).await
}

async fn these(session: &Session, seqs: &[i64]) -> Result<Vec<InteractionRow>, Trouble> {
    interactions(session, "WHERE i.seq = ANY($1) ORDER BY i.seq", &[&seqs]).await
}

/// Pages of the source that are read, with the one behind each; all of them once there is none
/// behind the last.
async fn pages_behind(session: &Session) -> Result<i64, Trouble> {
    session
        .one(
            "SELECT CASE WHEN (SELECT value FROM meta WHERE key = 'extraction') = 'finished' THEN \
             $1 ELSE coalesce((SELECT value::bigint FROM meta WHERE key = 'page'), 0) - 1 END",
            &[&i64::MAX],
        )
        .await
}

pub(super) async fn put_meta(session: &Session, key: &str, value: &str) -> Result<(), Trouble> {
    session
        .change(
            "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = \
             $2",
            &[&key, &stored(value)],
        )
        .await
        .map(drop)
}

/// Notes kinds with their subjects, each once.
pub(super) async fn note_all(session: &Session, notes: &[(&str, &str)]) -> Result<(), Trouble> {
    if notes.is_empty() {
        return Ok(());
    }
    // In one order, so that two that note the same wait for each other one way only.
    let mut notes = notes.to_vec();
    notes.sort_unstable();
    let kinds: Vec<&str> = notes.iter().map(|(kind, _)| *kind).collect();
    let subjects: Vec<_> = notes.iter().map(|(_, subject)| stored(subject)).collect();
    session
        .change(
            "INSERT INTO warning (kind, subject) SELECT * FROM unnest($1::text[], $2::text[]) ON \
             CONFLICT DO NOTHING",
            &[&kinds, &subjects],
        )
        .await
        .map(drop)
}

async fn decide_anew(session: &Session, window_changed: bool) -> Result<(), Trouble> {
    let open = "phase IN ('staged', 'converted', 'uploaded', 'created', 'set_aside') AND legacy_id \
        NOT IN (SELECT subject FROM warning WHERE kind = 'id_collision')";
    session
        .batch(&format!(
            "UPDATE recording SET outcome = NULL, reason = NULL, detail = NULL, doubt = NULL, \
             out_sha256 = NULL, out_bytes = NULL, out_codec = NULL, out_samples = NULL, kept = \
             NULL, target_state = NULL, file_id = NULL, target_id = NULL WHERE interaction IN \
             (SELECT seq FROM interaction WHERE {open}); UPDATE interaction SET phase = CASE WHEN \
             EXISTS (SELECT 1 FROM recording WHERE interaction = interaction.seq AND staged_sha256 \
             IS NULL) THEN 'extracted' ELSE 'staged' END, reason = NULL, detail = NULL, error = \
             NULL, stand_in = NULL WHERE {open};"
        ))
        .await?;
    if window_changed {
        listing::list_anew(session).await?;
    }
    Ok(())
}

async fn take_up(session: &Session, open: &[i64], done: &[i64], list: bool) -> Result<(), Trouble> {
    let anew = list.then_some(listing::TO_BE_LISTED);
    // A file's name stays: in a store of files the file may have to be deleted once another one
    // has taken its place.
    session
        .change(
            "UPDATE recording SET answer = NULL, staged_sha256 = NULL, staged_bytes = NULL, \
             read_twice = false, out_sha256 = NULL, out_bytes = NULL, out_codec = NULL, out_samples \
             = NULL, out_rate = NULL, kept = NULL, file_id = NULL, target_id = NULL, outcome = \
             NULL, reason = NULL, detail = NULL, doubt = NULL, target_state = NULL WHERE \
             interaction = ANY($1)",
            &[&open],
        )
        .await?;
    session
        .change(
            "DELETE FROM warning WHERE kind = 'id_collision' AND subject IN (SELECT legacy_id FROM \
             interaction WHERE seq = ANY($1))",
            &[&open],
        )
        .await?;
    session
        .change(
            "UPDATE interaction SET phase = 'extracted', reason = NULL, detail = NULL, error = \
             NULL, error_since = NULL, stand_in = NULL, listed = coalesce($2, listed) WHERE seq = \
             ANY($1)",
            &[&open, &anew],
        )
        .await?;
    session
        .change(
            "UPDATE interaction SET redo = 'source', unrepaired = NULL, error = NULL, error_since = \
             NULL, listed = coalesce($2, listed) WHERE seq = ANY($1)",
            &[&done, &anew],
        )
        .await?;
    if list && !(open.is_empty() && done.is_empty()) {
        listing::list_anew(session).await?;
    }
    Ok(())
}

async fn one_count(session: &Session, sql: &str) -> Result<u64, Trouble> {
    let found: i64 = session.one(sql, &[]).await?;
    Ok(u64::try_from(found).unwrap_or(0))
}

/// Counts by name. A row without a name is counted under an empty one.
async fn counts(session: &Session, sql: &str) -> Result<BTreeMap<String, u64>, Trouble> {
    let rows = session.rows(sql, &[]).await?;
    rows.iter()
        .map(|row| Ok((text_if(row, 0)?.unwrap_or_default(), count(row, 1)?)))
        .collect()
}

async fn tally(session: &Session) -> Result<Tally, Trouble> {
    let phases = counts(
        session,
        "SELECT phase, count(*) FROM interaction GROUP BY phase",
    )
    .await?;
    let phase = |phase: Phase| phases.get(phase.as_str()).copied().unwrap_or(0);
    let interactions: u64 = phases.values().sum();
    let finished: Option<String> = session
        .first("SELECT value FROM meta WHERE key = 'extraction'", &[])
        .await?;
    let of_phases = |phases: &str| {
        format!(
            "SELECT count(*) FROM recording r JOIN interaction i ON i.seq = r.interaction WHERE \
             i.phase IN ({phases}) AND r.outcome IS NULL"
        )
    };
    let by_outcome = |outcome: &str| {
        format!(
            "SELECT reason, count(*) FROM recording WHERE outcome = '{outcome}' GROUP BY reason"
        )
    };
    Ok(Tally {
        interactions,
        recordings: one_count(session, "SELECT count(*) FROM recording").await?,
        interactions_done: phase(Phase::Done),
        recordings_done: one_count(session, &of_phases("'done'")).await?,
        quarantined: counts(session, &by_outcome("quarantined")).await?,
        skipped: counts(session, &by_outcome("skipped")).await?,
        interactions_set_aside: phase(Phase::SetAside),
        interactions_by_reason: counts(
            session,
            "SELECT reason, count(*) FROM interaction i WHERE phase = 'set_aside' AND reason IS NOT \
             NULL AND NOT EXISTS (SELECT 1 FROM recording r WHERE r.interaction = i.seq) GROUP BY \
             reason",
        )
        .await?,
        recordings_ready: one_count(session, &of_phases("'converted', 'uploaded', 'created'"))
            .await?,
        interactions_left: interactions - phase(Phase::Done) - phase(Phase::SetAside),
        interactions_failed: one_count(
            session,
            "SELECT count(*) FROM interaction WHERE error IS NOT NULL",
        )
        .await?,
        bytes_staged: one_count(
            session,
            "SELECT coalesce(sum(staged_bytes), 0)::bigint FROM recording",
        )
        .await?,
        interactions_unrepaired: one_count(
            session,
            "SELECT count(*) FROM interaction WHERE unrepaired IS NOT NULL",
        )
        .await?,
        stand_in: stand_ins(session).await?,
        extraction_finished: finished.as_deref() == Some("finished"),
    })
}

/// Calls for which the plan's stand-in goes; what stays behind goes to nobody.
async fn stand_ins(session: &Session) -> Result<StandInCounts, Trouble> {
    let mut found = StandInCounts::default();
    let sql = "SELECT stand_in, count(*) FROM interaction WHERE stand_in IS NOT NULL AND phase <> \
        'set_aside' GROUP BY stand_in";
    for (text, calls) in counts(session, sql).await? {
        if let Ok(stand_in) = serde_json::from_str(&text) {
            found.add(&stand_in, calls);
        }
    }
    Ok(found)
}
