//! Pages of the source, and calls that it lists again.

use std::collections::HashSet;

use super::queries::{note_all, put_meta};
use super::rows::{original, stored, stored_if};
use super::schema::{Lock, lock};
use super::session::{Session, Trouble};
use crate::ledger::{Added, LedgerError, NewInteraction};
use crate::step::Phase;

/// In `listed`: the source has to list it again before anybody works on it. No source has so many
/// pages.
pub(super) const TO_BE_LISTED: i64 = 1 << 40;

/// Adds a page, unless another run has added it.
pub(super) async fn add_page(
    session: &Session,
    page: i64,
    rows: &[NewInteraction],
    next: Option<&str>,
) -> Result<Added, Trouble> {
    lock(session, Lock::Page).await?;
    let expected = number_of(session, "page").await?;
    if expected != page {
        return Err(LedgerError::CallTakenOver.into());
    }
    let mut added = Added::default();
    let mut fresh = Fresh::read(session, rows).await?;
    for row in rows {
        // A source may list an interaction twice (a page boundary that moved): the first one
        // stands, unless the two differ.
        if fresh.take(row) {
            added.new += 1;
            continue;
        }
        fresh.write(session, page).await?;
        if !listed_again(session, row, page).await? {
            added.collided.extend(collide(session, row).await?);
        }
        fresh.refresh(session).await?;
    }
    fresh.write(session, page).await?;
    let twice: Vec<(&str, &str)> = fresh
        .twice
        .iter()
        .map(|id| ("recording_listed_twice", &**id))
        .collect();
    note_all(session, &twice).await?;
    let state = if next.is_some() {
        "running"
    } else {
        "finished"
    };
    put_meta(session, "page", &(page + 1).to_string()).await?;
    put_meta(session, "cursor", next.unwrap_or_default()).await?;
    put_meta(session, "extraction", state).await?;
    Ok(added)
}

/// A number in `meta`; 0 where there is none.
async fn number_of(session: &Session, key: &str) -> Result<i64, Trouble> {
    let found: Option<String> = session
        .first("SELECT value FROM meta WHERE key = $1", &[&key])
        .await?;
    Ok(found.and_then(|found| found.parse().ok()).unwrap_or(0))
}

/// Interactions of a page that are not known, on their way into the tables. Row numbers have no
/// gaps: they are counted on from the highest, and only whoever adds a page gives them.
struct Fresh<'a> {
    rows: &'a [NewInteraction],
    interactions: HashSet<String>,
    recordings: HashSet<String>,
    last: i64,
    last_recording: i64,
    pending: Vec<(i64, &'a NewInteraction)>,
    /// Recording, its row number, its interaction.
    pending_recordings: Vec<(i64, i64, &'a str)>,
    twice: Vec<&'a str>,
}

impl<'a> Fresh<'a> {
    async fn read(session: &Session, rows: &'a [NewInteraction]) -> Result<Fresh<'a>, Trouble> {
        let ids: Vec<_> = rows.iter().map(|row| stored(&row.legacy_id)).collect();
        let of_interactions = "SELECT legacy_id FROM interaction WHERE legacy_id = ANY($1)";
        let mut fresh = Fresh {
            rows,
            interactions: known(session, of_interactions, &ids).await?,
            recordings: HashSet::new(),
            last: session
                .one("SELECT coalesce(max(seq), 0) FROM interaction", &[])
                .await?,
            last_recording: 0,
            pending: Vec::new(),
            pending_recordings: Vec::new(),
            twice: Vec::new(),
        };
        fresh.refresh(session).await?;
        Ok(fresh)
    }

    /// Reads which recordings of the page are known: those of calls that are listed again come and
    /// go.
    async fn refresh(&mut self, session: &Session) -> Result<(), Trouble> {
        let ids: Vec<_> = self
            .rows
            .iter()
            .flat_map(|row| &row.recordings)
            .map(|recording| stored(&recording.legacy_id))
            .collect();
        let sql = "SELECT legacy_id FROM recording WHERE legacy_id = ANY($1)";
        self.recordings = known(session, sql, &ids).await?;
        self.last_recording = session
            .one("SELECT coalesce(max(seq), 0) FROM recording", &[])
            .await?;
        Ok(())
    }

    /// Takes an interaction that is not known; `false` where it is.
    fn take(&mut self, row: &'a NewInteraction) -> bool {
        if !self.interactions.insert(row.legacy_id.clone()) {
            return false;
        }
        self.last += 1;
        self.pending.push((self.last, row));
        for recording in &row.recordings {
            if self.recordings.insert(recording.legacy_id.clone()) {
                self.last_recording += 1;
                let id = recording.legacy_id.as_str();
                self.pending_recordings
                    .push((self.last_recording, self.last, id));
            } else {
                self.twice.push(&recording.legacy_id);
            }
        }
        true
    }

    async fn write(&mut self, session: &Session, page: i64) -> Result<(), Trouble> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let pending = std::mem::take(&mut self.pending);
        let seqs: Vec<i64> = pending.iter().map(|(seq, _)| *seq).collect();
        let column = |of: fn(&NewInteraction) -> &String| -> Vec<_> {
            pending.iter().map(|(_, row)| stored(of(row))).collect()
        };
        let (ids, entities, headers) = (
            column(|row| &row.legacy_id),
            column(|row| &row.entity),
            column(|row| &row.headers),
        );
        let details: Vec<_> = pending
            .iter()
            .map(|(_, row)| stored_if(&row.unreadable))
            .collect();
        session
            .change(
                "INSERT INTO interaction (seq, legacy_id, page, phase, entity, headers, detail) \
                 SELECT seq, legacy_id, $2, $3, entity, headers, detail FROM \
                 unnest($1::bigint[], $4::text[], $5::text[], $6::text[], $7::text[]) AS s (seq, \
                 legacy_id, entity, headers, detail)",
                &[
                    &seqs,
                    &page,
                    &Phase::Extracted.as_str(),
                    &ids,
                    &entities,
                    &headers,
                    &details,
                ],
            )
            .await?;
        let recordings = std::mem::take(&mut self.pending_recordings);
        let seqs: Vec<i64> = recordings.iter().map(|(seq, ..)| *seq).collect();
        let of: Vec<i64> = recordings.iter().map(|(_, of, _)| *of).collect();
        let ids: Vec<_> = recordings.iter().map(|(.., id)| stored(id)).collect();
        session
            .change(
                "INSERT INTO recording (seq, interaction, legacy_id) SELECT * FROM \
                 unnest($1::bigint[], $2::bigint[], $3::text[])",
                &[&seqs, &of, &ids],
            )
            .await
            .map(drop)
    }
}

async fn known(
    session: &Session,
    sql: &str,
    ids: &[std::borrow::Cow<'_, str>],
) -> Result<HashSet<String>, Trouble> {
    let rows = session.rows(sql, &[&ids]).await?;
    rows.iter()
        .map(|row| Ok(original(row.try_get(0)?)))
        .collect()
}

/// Recordings that an interaction turns out to have beside those that are known.
async fn add_recordings(
    session: &Session,
    interaction: i64,
    row: &NewInteraction,
) -> Result<(), Trouble> {
    let ids: Vec<_> = row
        .recordings
        .iter()
        .map(|recording| stored(&recording.legacy_id))
        .collect();
    session
        .change(
            "INSERT INTO recording (seq, interaction, legacy_id) SELECT (SELECT coalesce(max(seq), \
             0) FROM recording) + row_number() OVER (ORDER BY at), $1, legacy_id FROM (SELECT \
             legacy_id, min(at) AS at FROM unnest($2::text[]) WITH ORDINALITY AS s (legacy_id, at) \
             WHERE NOT EXISTS (SELECT 1 FROM recording r WHERE r.legacy_id = s.legacy_id) GROUP BY \
             legacy_id) AS fresh",
            &[&interaction, &ids],
        )
        .await
        .map(drop)
}

/// Has the source listed again from its beginning. Pages are counted on, so that what this listing
/// shows is told from what the last one did.
pub(super) async fn list_anew(session: &Session) -> Result<(), Trouble> {
    let page = number_of(session, "page").await?;
    put_meta(session, "first_page", &page.to_string()).await?;
    session
        .batch("DELETE FROM meta WHERE key IN ('cursor', 'extraction')")
        .await
}

/// A known interaction in a listing that was begun anew; `false` where this listing has shown it
/// before, so that the two have to be held against each other. One that is to be read again is
/// taken as it stands there now.
async fn listed_again(session: &Session, row: &NewInteraction, page: i64) -> Result<bool, Trouble> {
    let first = number_of(session, "first_page").await?;
    let found = session
        .rows(
            "SELECT seq, coalesce(listed, page) FROM interaction WHERE legacy_id = $1",
            &[&stored(&row.legacy_id)],
        )
        .await?;
    let Some(found) = found.first() else {
        return Ok(false);
    };
    let (seq, listed): (i64, i64) = (found.try_get(0)?, found.try_get(1)?);
    if listed != TO_BE_LISTED {
        return Ok(listed < first);
    }
    session
        .change(
            "UPDATE interaction SET entity = $2, headers = $3, listed = $4, detail = $5 WHERE seq = \
             $1",
            &[
                &seq,
                &stored(&row.entity),
                &stored(&row.headers),
                &page,
                &stored_if(&row.unreadable),
            ],
        )
        .await?;
    add_recordings(session, seq, row).await?;
    // What the source lists no longer and nobody has sent is no recording of the call.
    let ids: Vec<_> = row
        .recordings
        .iter()
        .map(|recording| stored(&recording.legacy_id))
        .collect();
    session
        .change(
            "DELETE FROM recording WHERE interaction = $1 AND file_id IS NULL AND target_id IS NULL \
             AND legacy_id <> ALL($2)",
            &[&seq, &ids],
        )
        .await?;
    Ok(true)
}

/// The same id for another interaction: which of both a recording belongs to cannot be told, so
/// neither goes. Answers the one set aside; `None` where the two are the same.
async fn collide(session: &Session, row: &NewInteraction) -> Result<Option<i64>, Trouble> {
    let id = stored(&row.legacy_id);
    let found = session
        .rows(
            "SELECT seq, entity FROM interaction WHERE legacy_id = $1",
            &[&id],
        )
        .await?;
    let Some(found) = found.first() else {
        return Ok(None);
    };
    let (seq, entity): (i64, String) = (found.try_get(0)?, original(found.try_get(1)?));
    // Compared as values: white space and the order of keys make no other interaction.
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    if value(&entity) == value(&row.entity) {
        note_all(session, &[("listed_twice", &row.legacy_id)]).await?;
        return Ok(None);
    }
    add_recordings(session, seq, row).await?;
    session
        .change(
            "UPDATE interaction SET phase = 'set_aside', reason = 'id_collision' WHERE seq = $1 AND \
             phase <> 'done'",
            &[&seq],
        )
        .await?;
    session
        .change(
            "UPDATE recording SET outcome = 'quarantined', reason = 'id_collision' WHERE \
             interaction = (SELECT seq FROM interaction WHERE seq = $1 AND phase = 'set_aside')",
            &[&seq],
        )
        .await?;
    note_all(session, &[("id_collision", &row.legacy_id)]).await?;
    Ok(Some(seq))
}
