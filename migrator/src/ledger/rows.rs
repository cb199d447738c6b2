//! What is read from the ledger and written to it.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, OptionalExtension, Params, Row, ToSql, params};

use super::custody::append;
use super::tally::{StandInCounts, Tally};
use super::{Ledger, LedgerError};
use crate::custody;
use crate::step::Phase;

/// An interaction as extracted.
pub(crate) struct NewInteraction {
    pub(crate) legacy_id: String,
    /// The source's entity, byte for byte.
    pub(crate) entity: String,
    /// Headers of the page it came in, JSON.
    pub(crate) headers: String,
    /// Why the entity cannot be read, and where it stands. Absent: it can.
    pub(crate) unreadable: Option<String>,
    pub(crate) recordings: Vec<NewRecording>,
}

/// A recording as the query named it.
pub(crate) struct NewRecording {
    pub(crate) legacy_id: String,
}

/// An interaction's row with its recordings.
#[derive(Debug, Clone)]
pub(crate) struct InteractionRow {
    pub(crate) seq: i64,
    pub(crate) legacy_id: String,
    pub(crate) phase: Phase,
    pub(crate) entity: String,
    pub(crate) headers: String,
    pub(crate) target_id: Option<String>,
    /// Why all of it stays behind.
    pub(crate) reason: Option<String>,
    /// What was seen, for a person.
    pub(crate) detail: Option<String>,
    /// Since when it stays behind. RFC 3339, UTC.
    pub(crate) since: Option<String>,
    /// Agents and queues without a valid row, for which the plan's stand-in goes: `{"agents":[],"queue":null}`. Absent: none.
    pub(crate) stand_in: Option<String>,
    /// It is in the target and is to be sent again. Absent: it is not.
    pub(crate) redo: Option<Redo>,
    /// Why what is in the target could not be made as it should be. Absent: nothing is known to be wrong.
    pub(crate) unrepaired: Option<String>,
    /// Digest of what was sent, and of the rules its audio was made by: whether another plan would send it otherwise. Absent: not sent.
    pub(crate) document: Option<String>,
    pub(crate) audio_rules: Option<String>,
    /// The last error it was left with, and since when. Written by [`Ledger::set_error`] alone.
    pub(crate) error: Option<String>,
    pub(crate) error_since: Option<String>,
    /// What the target keeps of it in a form of its own, JSON. Absent: nothing.
    pub(crate) target_state: Option<String>,
    pub(crate) recordings: Vec<RecordingRow>,
}

/// From where a call that is in the target is done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Redo {
    /// From the source: everything is read again.
    Source,
    /// From staging: the audio is made by other rules.
    Audio,
    /// Only what is said of it.
    Document,
}

impl Redo {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Redo::Source => "source",
            Redo::Audio => "audio",
            Redo::Document => "document",
        }
    }

    /// An unknown name begins at the source, which is always right.
    fn from_name(name: &str) -> Redo {
        [Redo::Audio, Redo::Document].into_iter().find(|redo| redo.as_str() == name).unwrap_or(Redo::Source)
    }
}

/// A recording's row.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecordingRow {
    pub(crate) seq: i64,
    pub(crate) legacy_id: String,
    /// The source's answer with its headers, as in the staging layout.
    pub(crate) answer: Option<String>,
    pub(crate) staged_sha256: Option<String>,
    pub(crate) staged_bytes: Option<u64>,
    pub(crate) read_twice: bool,
    pub(crate) out_sha256: Option<String>,
    pub(crate) out_bytes: Option<u64>,
    pub(crate) out_codec: Option<String>,
    pub(crate) out_samples: Option<u64>,
    pub(crate) out_rate: Option<u32>,
    /// The source's bytes go as they are.
    pub(crate) sent_unchanged: bool,
    /// What its file is called in the target; of Interaction Recording the address of the file that was confirmed or stored first, so that it is
    /// known when other bytes take its place.
    pub(crate) file_name: Option<String>,
    pub(crate) file_id: Option<String>,
    pub(crate) target_id: Option<String>,
    /// Absent: it goes or has gone.
    pub(crate) outcome: Option<Disposition>,
    pub(crate) reason: Option<String>,
    /// What was seen, for a person.
    pub(crate) detail: Option<String>,
    /// Since when it stays behind. RFC 3339, UTC.
    pub(crate) since: Option<String>,
    /// It stays behind for what the source answered, which may be another answer next time.
    pub(crate) doubt: bool,
    /// What the target keeps of it in a form of its own, JSON. Absent: nothing.
    pub(crate) target_state: Option<String>,
}

/// How a recording stays behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// Something is wrong with it.
    Quarantined,
    /// By the plan's rule or by agreement.
    Skipped,
}

impl Disposition {
    /// Name in the ledger and in lists.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Disposition::Quarantined => "quarantined",
            Disposition::Skipped => "skipped",
        }
    }

    fn from_name(name: &str) -> Disposition {
        if name == Disposition::Skipped.as_str() { Disposition::Skipped } else { Disposition::Quarantined }
    }
}

/// Which open interactions: those that met no error yet go first, so that a few bad ones at the head never hold up the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    First,
    Retry,
    /// In the target, and to be sent again.
    Redo,
}

/// What a page brought.
#[derive(Default)]
pub(crate) struct Added {
    /// Interactions that were not known.
    pub(crate) new: u64,
    /// Those, by seq, that share their id with another one and are set aside.
    pub(crate) collided: Vec<i64>,
}

/// A row as it is to be written.
pub(super) struct Saved {
    /// Without what is not stored.
    row: InteractionRow,
    change: Change,
}

/// Rows on their way into one commit. Of a row saved several times the last state is written, and all of its custody.
#[derive(Default)]
pub(super) struct Saves {
    rows: Vec<Saved>,
    place: HashMap<i64, usize>,
}

impl Saves {
    pub(super) fn add(&mut self, mut save: Saved) {
        match self.place.get(&save.row.seq) {
            Some(&at) => {
                let earlier = std::mem::take(&mut self.rows[at].change);
                save.change.warnings.splice(0..0, earlier.warnings);
                save.change.custody.splice(0..0, earlier.custody);
                self.rows[at] = save;
            }
            None => {
                self.place.insert(save.row.seq, self.rows.len());
                self.rows.push(save);
            }
        }
    }

    pub(super) fn write(&mut self, c: &Connection) -> rusqlite::Result<()> {
        self.place.clear();
        for Saved { row, change } in self.rows.drain(..) {
            // What another page has meanwhile set aside as a collision stays so.
            let update = if row.phase == Phase::SetAside { UPDATE.to_owned() } else { format!("{UPDATE} AND phase <> 'set_aside'") };
            let saved = c.prepare_cached(&update)?.execute(params![
                row.seq,
                row.phase.as_str(),
                row.target_id,
                change.plan_hash,
                row.reason,
                row.target_state,
                row.detail,
                row.since,
                row.stand_in,
                row.redo.map(Redo::as_str),
                row.unrepaired,
                row.document,
                row.audio_rules,
            ])?;
            if saved == 0 {
                continue;
            }
            row.recordings.iter().try_for_each(|recording| save_recording(c, recording))?;
            change.warnings.iter().try_for_each(|kind| note(c, kind, &row.legacy_id))?;
            change.custody.iter().try_for_each(|entry| append(c, entry))?;
        }
        Ok(())
    }
}

/// What goes into the ledger beside a row.
#[derive(Default)]
pub(crate) struct Change {
    /// Hash of the plan the row was made under.
    pub(crate) plan_hash: String,
    /// Repairs and gaps, counted once an interaction.
    pub(crate) warnings: Vec<&'static str>,
    pub(crate) custody: Vec<custody::Entry>,
}

/// Its guard is added as text: a parameter in it would have SQLite plan the statement anew each time, for the sake of the partial index.
const UPDATE: &str = "UPDATE interaction SET phase = ?2, target_id = ?3, plan_hash = ?4, reason = ?5, target_state = ?6, detail = ?7, since = ?8, \
                      stand_in = ?9, redo = ?10, unrepaired = ?11, document = ?12, audio_rules = ?13, error = NULL, error_since = NULL \
                      WHERE seq = ?1";

const RECORDING_COLUMNS: &str = "seq, legacy_id, answer, staged_sha256, staged_bytes, read_twice, out_sha256, out_bytes, out_codec, \
                                 out_samples, out_rate, kept, file_name, file_id, target_id, outcome, reason, target_state, \
                                 detail, since, doubt";
const RECORDING_COLUMN_COUNT: usize = 21;

const INTERACTION_COLUMNS: &str = "seq, legacy_id, phase, entity, headers, target_id, reason, target_state, detail, since, stand_in, redo, unrepaired, \
                                   document, audio_rules, error, error_since";
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
        outcome: row.get::<_, Option<String>>(15)?.as_deref().map(Disposition::from_name),
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
        redo: row.get::<_, Option<String>>(11)?.as_deref().map(Redo::from_name),
        unrepaired: row.get(12)?,
        document: row.get(13)?,
        audio_rules: row.get(14)?,
        error: row.get(15)?,
        error_since: row.get(16)?,
        recordings: Vec::new(),
    })
}

/// The recordings of the interactions that `which` selects with `parameters`, by interaction.
fn recordings_of(c: &Connection, which: &str, parameters: impl Params) -> rusqlite::Result<HashMap<i64, Vec<RecordingRow>>> {
    // The plus keeps the interactions the outer loop: there are few of them.
    let sql = format!("SELECT {RECORDING_COLUMNS}, interaction FROM recording WHERE interaction IN ({which}) ORDER BY interaction, +seq");
    let mut recordings: HashMap<i64, Vec<RecordingRow>> = HashMap::new();
    let mut select = c.prepare_cached(&sql)?;
    let mut rows = select.query(parameters)?;
    while let Some(row) = rows.next()? {
        recordings.entry(row.get(RECORDING_COLUMN_COUNT)?).or_default().push(recording_row(row)?);
    }
    Ok(recordings)
}

/// The interactions that `which` selects with `bounds`, with their recordings.
pub(super) fn interactions(c: &Connection, which: &str, bounds: &[&dyn ToSql]) -> rusqlite::Result<Vec<InteractionRow>> {
    let mut select = c.prepare_cached(&format!("SELECT {INTERACTION_COLUMNS} {which}"))?;
    let rows = select.query_map(bounds, interaction_row)?;
    let mut rows: Vec<InteractionRow> = rows.collect::<rusqlite::Result<_>>()?;
    let mut recordings = recordings_of(c, &format!("SELECT seq {which}"), bounds)?;
    for row in &mut rows {
        row.recordings = recordings.remove(&row.seq).unwrap_or_default();
    }
    Ok(rows)
}

impl Ledger {
    pub(crate) async fn meta(&self, key: &'static str) -> Result<Option<String>, LedgerError> {
        self.run(move |c| c.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()).await
    }

    pub(crate) async fn set_meta(&self, values: Vec<(&'static str, String)>) -> Result<(), LedgerError> {
        self.run(move |c| values.iter().try_for_each(|(key, value)| put_meta(c, key, value))).await
    }

    /// A page and the cursor behind it, together: a run killed in between reads the page again or goes on behind it, never both.
    pub(crate) async fn add_page(&self, page: u64, rows: Vec<NewInteraction>, next: Option<String>) -> Result<Added, LedgerError> {
        self.run(move |c| {
            let mut added = Added::default();
            for row in &rows {
                // A source may list an interaction twice (a page boundary that moved): the first one stands, unless the two differ.
                let inserted = c
                    .prepare_cached(
                        "INSERT OR IGNORE INTO interaction (legacy_id, page, phase, entity, headers, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![row.legacy_id, page, Phase::Extracted.as_str(), row.entity, row.headers, row.unreadable])?;
                if inserted == 0 {
                    if !super::behind::listed_again(c, row, page)? {
                        added.collided.extend(collide(c, row)?);
                    }
                    continue;
                }
                added.new += 1;
                let seq = c.last_insert_rowid();
                let mut insert = c.prepare_cached("INSERT OR IGNORE INTO recording (interaction, legacy_id) VALUES (?1, ?2)")?;
                for recording in &row.recordings {
                    if insert.execute(params![seq, recording.legacy_id])? == 0 {
                        note(c, "recording_listed_twice", &recording.legacy_id)?;
                    }
                }
            }
            put_meta(c, "page", &(page + 1).to_string())?;
            put_meta(c, "cursor", next.as_deref().unwrap_or_default())?;
            put_meta(c, "extraction", if next.is_some() { "running" } else { "finished" })?;
            Ok(added)
        })
        .await
    }

    /// The next open interactions behind `after`, in extraction order. Those of the page read last wait for the next one: it may list another call under
    /// an id of theirs, and what has gone by then cannot be taken back.
    pub(crate) async fn open_after(&self, after: i64, most: u32, tried: Pass) -> Result<Vec<InteractionRow>, LedgerError> {
        self.run(move |c| {
            const OPEN: &str = "FROM interaction WHERE seq > ?1 AND coalesce(listed, page) < ?4 AND phase NOT IN ('done', 'set_aside') \
                                AND (error IS NOT NULL) = ?3 ORDER BY seq LIMIT ?2";
            interactions(c, OPEN, params![after, most, tried == Pass::Retry, pages_behind(c)?])
        })
        .await
    }

    /// The next interactions behind `after` that are in the target and are to be sent again; of those to be read anew, the ones that the source has
    /// listed again.
    pub(crate) async fn redo_after(&self, after: i64, most: u32) -> Result<Vec<InteractionRow>, LedgerError> {
        self.run(move |c| {
            const REDO: &str = "FROM interaction WHERE redo IS NOT NULL AND seq > ?1 AND coalesce(listed, page) < ?3 AND phase = 'done' \
                                ORDER BY seq LIMIT ?2";
            interactions(c, REDO, params![after, most, pages_behind(c)?])
        })
        .await
    }

    /// The next interactions behind `after` that are in the target.
    pub(crate) async fn done_after(&self, after: i64, most: u32) -> Result<Vec<InteractionRow>, LedgerError> {
        self.run(move |c| interactions(c, "FROM interaction WHERE seq > ?1 AND phase = 'done' ORDER BY seq LIMIT ?2", params![after, most]))
            .await
    }

    /// The next interactions behind `after` that may still be shown to go under a plan: not set aside, without an error, and not gone under
    /// another plan.
    pub(crate) async fn sendable_after(&self, after: i64, most: u32, plan_hash: String) -> Result<Vec<InteractionRow>, LedgerError> {
        self.run(move |c| {
            const SENDABLE: &str = "FROM interaction WHERE seq > ?1 AND phase <> 'set_aside' AND error IS NULL \
                                    AND (phase <> 'done' OR plan_hash = ?3) ORDER BY seq LIMIT ?2";
            interactions(c, SENDABLE, params![after, most, plan_hash])
        })
        .await
    }

    /// These interactions, in extraction order, whatever their phase. `reason` is filled in.
    pub(crate) async fn these(&self, seqs: Vec<i64>) -> Result<Vec<InteractionRow>, LedgerError> {
        self.run(move |c| {
            let list = serde_json::to_string(&seqs).unwrap_or_default();
            const THESE: &str = "FROM interaction WHERE seq IN (SELECT value FROM json_each(?1)) ORDER BY seq";
            interactions(c, THESE, params![list])
        })
        .await
    }

    /// Row numbers of interactions by their ids in the source.
    pub(crate) async fn seqs_of(&self, legacy_ids: Vec<String>) -> Result<Vec<i64>, LedgerError> {
        self.run(move |c| {
            let list = serde_json::to_string(&legacy_ids).unwrap_or_default();
            let sql = "SELECT seq FROM interaction WHERE legacy_id IN (SELECT value FROM json_each(?1)) ORDER BY seq";
            c.prepare_cached(sql)?.query_map([list], |row| row.get(0))?.collect()
        })
        .await
    }

    /// Keeps the source's answers about recordings that are not staged yet.
    pub(crate) async fn keep_answers(&self, answers: Vec<(i64, String)>) -> Result<(), LedgerError> {
        self.run(move |c| {
            let mut update = c.prepare_cached("UPDATE recording SET answer = ?2 WHERE seq = ?1 AND staged_sha256 IS NULL")?;
            answers.iter().try_for_each(|(seq, answer)| update.execute(params![seq, answer]).map(drop))
        })
        .await
    }

    /// A value, and what custody takes from it, in one commit.
    pub(crate) async fn set_meta_with(&self, key: &'static str, value: String, custody: Vec<custody::Entry>) -> Result<(), LedgerError> {
        self.run(move |c| {
            put_meta(c, key, &value)?;
            custody.iter().try_for_each(|entry| append(c, entry))
        })
        .await
    }

    /// Begins anew what an older plan decided and has not been confirmed.
    pub(crate) async fn decide_anew(&self, window_changed: bool) -> Result<(), LedgerError> {
        self.run(move |c| {
            let open = "phase IN ('staged', 'converted', 'uploaded', 'created', 'set_aside') \
                        AND legacy_id NOT IN (SELECT subject FROM warning WHERE kind = 'id_collision')";
            c.execute_batch(&format!(
                "UPDATE recording SET outcome = NULL, reason = NULL, detail = NULL, doubt = NULL, out_sha256 = NULL, out_bytes = NULL, out_codec = NULL, \
                 out_samples = NULL, kept = NULL, target_state = NULL, file_id = NULL, target_id = NULL \
                 WHERE interaction IN (SELECT seq FROM interaction WHERE {open}); \
                 UPDATE interaction SET phase = CASE WHEN EXISTS (SELECT 1 FROM recording WHERE interaction = interaction.seq \
                 AND staged_sha256 IS NULL) THEN 'extracted' ELSE 'staged' END, reason = NULL, detail = NULL, error = NULL, stand_in = NULL WHERE {open};"
            ))?;
            if window_changed {
                super::behind::list_anew(c)?;
            }
            Ok(())
        })
        .await
    }

    /// An interaction's new phase with whatever changed in its recordings, in one commit with what custody and counts take from it; soon, see
    /// [`super::Ledger`]. What another page has meanwhile set aside as a collision stays so.
    pub(crate) async fn save(&self, row: &InteractionRow, change: Change) -> Result<(), LedgerError> {
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

    /// Notes why an interaction was left; custody tells it once, however often the same error is met again.
    pub(crate) async fn set_error(&self, seq: i64, error: String, at: String, custody: Vec<custody::Entry>) -> Result<(), LedgerError> {
        self.run(move |c| {
            let known: Option<String> =
                c.prepare_cached("SELECT error FROM interaction WHERE seq = ?1")?.query_row([seq], |row| row.get(0)).optional()?.flatten();
            c.prepare_cached("UPDATE interaction SET error = ?2, error_since = coalesce(error_since, ?3) WHERE seq = ?1")?
                .execute(params![seq, error, at])?;
            if known.as_ref() != Some(&error) {
                custody.iter().try_for_each(|entry| append(c, entry))?;
            }
            Ok(())
        })
        .await
    }

    /// Something worth counting that no interaction carries.
    pub(crate) async fn note(&self, kind: &'static str, subject: &str) -> Result<(), LedgerError> {
        let subject = subject.to_owned();
        self.run(move |c| note(c, kind, &subject)).await
    }

    pub(crate) async fn warnings(&self) -> Result<BTreeMap<String, u64>, LedgerError> {
        self.run(|c| counts_of(c, "SELECT kind, count(*) FROM warning GROUP BY kind")).await
    }

    pub(crate) async fn errors(&self, most: u32) -> Result<Vec<String>, LedgerError> {
        self.run(move |c| {
            let mut select = c.prepare_cached("SELECT error FROM interaction WHERE error IS NOT NULL ORDER BY seq LIMIT ?1")?;
            select.query_map([most], |row| row.get(0))?.collect()
        })
        .await
    }

    /// The seq of the interaction that was extracted last; 0: none was.
    pub(crate) async fn last_seq(&self) -> Result<i64, LedgerError> {
        self.run(|c| c.query_row("SELECT coalesce(max(seq), 0) FROM interaction", [], |row| row.get(0))).await
    }

    pub(crate) async fn tally(&self) -> Result<Tally, LedgerError> {
        self.run(tally).await
    }

    /// All recordings of the interactions behind `after`, for exports.
    pub(crate) async fn exported_after(&self, after: i64, most: u32) -> Result<Vec<(InteractionRow, u64)>, LedgerError> {
        self.run(move |c| {
            const NEXT: &str = "FROM interaction WHERE seq > ?1 ORDER BY seq LIMIT ?2";
            let bounds = params![after, most];
            let mut select = c.prepare_cached(&format!("SELECT {INTERACTION_COLUMNS}, page {NEXT}"))?;
            let rows = select.query_map(bounds, |row| Ok((interaction_row(row)?, row.get::<_, u64>(INTERACTION_COLUMN_COUNT)?)))?;
            let mut rows: Vec<(InteractionRow, u64)> = rows.collect::<rusqlite::Result<_>>()?;
            let mut recordings = recordings_of(c, &format!("SELECT seq {NEXT}"), bounds)?;
            for (row, _) in &mut rows {
                row.recordings = recordings.remove(&row.seq).unwrap_or_default();
            }
            Ok(rows)
        })
        .await
    }

    /// Lines of custody there are.
    pub(crate) async fn custody_lines(&self) -> Result<u64, LedgerError> {
        self.run(|c| c.query_row("SELECT count(*) FROM custody", [], |row| row.get(0))).await
    }

    /// Custody lines behind `after`, each with its row number.
    pub(crate) async fn custody_after(&self, after: i64, most: u32) -> Result<Vec<(i64, String)>, LedgerError> {
        self.run(move |c| {
            let mut select = c.prepare_cached("SELECT seq, line FROM custody WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
            select.query_map(params![after, most], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
        .await
    }
}

/// Pages of the source that are read, with the one behind each; all of them once there is none behind the last.
fn pages_behind(c: &Connection) -> rusqlite::Result<i64> {
    const READ: &str = "SELECT CASE WHEN (SELECT value FROM meta WHERE key = 'extraction') = 'finished' THEN ?1 \
                        ELSE COALESCE((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'page'), 0) - 1 END";
    c.prepare_cached(READ)?.query_row([i64::MAX], |row| row.get(0))
}

pub(super) fn put_meta(c: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    c.prepare_cached("INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2")?
        .execute([key, value])
        .map(drop)
}

fn note(c: &Connection, kind: &str, subject: &str) -> rusqlite::Result<()> {
    c.prepare_cached("INSERT OR IGNORE INTO warning (kind, subject) VALUES (?1, ?2)")?.execute([kind, subject]).map(drop)
}

/// The same id for another interaction: which of both a recording belongs to cannot be told, so neither goes. Answers the one set aside;
/// `None` where the two are the same.
fn collide(c: &Connection, row: &NewInteraction) -> rusqlite::Result<Option<i64>> {
    let find = "SELECT seq, entity FROM interaction WHERE legacy_id = ?1";
    let (seq, known): (i64, String) = c.query_row(find, [&row.legacy_id], |known| Ok((known.get(0)?, known.get(1)?)))?;
    // Compared as values: white space and the order of keys make no other interaction.
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    if value(&known) == value(&row.entity) {
        note(c, "listed_twice", &row.legacy_id)?;
        return Ok(None);
    }
    for recording in &row.recordings {
        c.execute("INSERT OR IGNORE INTO recording (interaction, legacy_id) VALUES (?1, ?2)", params![seq, recording.legacy_id])?;
    }
    c.execute(
        "UPDATE interaction SET phase = 'set_aside', reason = 'id_collision' WHERE legacy_id = ?1 AND phase <> 'done'",
        [&row.legacy_id],
    )?;
    c.execute(
        "UPDATE recording SET outcome = 'quarantined', reason = 'id_collision' \
         WHERE interaction = (SELECT seq FROM interaction WHERE legacy_id = ?1 AND phase = 'set_aside')",
        [&row.legacy_id],
    )?;
    note(c, "id_collision", &row.legacy_id)?;
    Ok(Some(seq))
}

fn save_recording(c: &Connection, r: &RecordingRow) -> rusqlite::Result<()> {
    c.prepare_cached(
        "UPDATE recording SET answer = ?2, staged_sha256 = ?3, staged_bytes = ?4, read_twice = ?5, out_sha256 = ?6, out_bytes = ?7, \
         out_codec = ?8, out_samples = ?9, out_rate = ?10, kept = ?11, file_name = ?12, file_id = ?13, target_id = ?14, outcome = ?15, \
         reason = ?16, target_state = ?17, detail = ?18, since = ?19, doubt = ?20 WHERE seq = ?1",
    )?
    .execute(params![
        r.seq,
        r.answer,
        r.staged_sha256,
        r.staged_bytes,
        r.read_twice,
        r.out_sha256,
        r.out_bytes,
        r.out_codec,
        r.out_samples,
        r.out_rate,
        r.sent_unchanged,
        r.file_name,
        r.file_id,
        r.target_id,
        r.outcome.map(Disposition::as_str),
        r.reason,
        r.target_state,
        r.detail,
        r.since,
        r.doubt,
    ])
    .map(drop)
}

fn counts_of(c: &Connection, sql: &str) -> rusqlite::Result<BTreeMap<String, u64>> {
    c.prepare_cached(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn tally(c: &Connection) -> rusqlite::Result<Tally> {
    let one = |sql: &str| c.prepare_cached(sql)?.query_row([], |row| row.get::<_, u64>(0));
    let phases = counts_of(c, "SELECT phase, count(*) FROM interaction GROUP BY phase")?;
    let phase = |phase: Phase| phases.get(phase.as_str()).copied().unwrap_or(0);
    let interactions = phases.values().sum();
    let finished: Option<String> = c.query_row("SELECT value FROM meta WHERE key = 'extraction'", [], |row| row.get(0)).optional()?;
    Ok(Tally {
        interactions,
        recordings: one("SELECT count(*) FROM recording")?,
        interactions_done: phase(Phase::Done),
        recordings_done: one(
            "SELECT count(*) FROM recording JOIN interaction i ON i.seq = interaction WHERE i.phase = 'done' AND outcome IS NULL",
        )?,
        quarantined: counts_of(c, "SELECT reason, count(*) FROM recording WHERE outcome = 'quarantined' GROUP BY reason")?,
        skipped: counts_of(c, "SELECT reason, count(*) FROM recording WHERE outcome = 'skipped' GROUP BY reason")?,
        interactions_set_aside: phase(Phase::SetAside),
        interactions_by_reason: counts_of(
            c,
            "SELECT reason, count(*) FROM interaction WHERE phase = 'set_aside' AND reason IS NOT NULL \
             AND seq NOT IN (SELECT interaction FROM recording) GROUP BY reason",
        )?,
        recordings_ready: one("SELECT count(*) FROM recording JOIN interaction i ON i.seq = interaction \
             WHERE i.phase IN ('converted', 'uploaded', 'created') AND outcome IS NULL")?,
        interactions_left: interactions - phase(Phase::Done) - phase(Phase::SetAside),
        interactions_failed: one("SELECT count(*) FROM interaction WHERE error IS NOT NULL")?,
        bytes_staged: one("SELECT coalesce(sum(staged_bytes), 0) FROM recording")?,
        interactions_unrepaired: one("SELECT count(*) FROM interaction WHERE unrepaired IS NOT NULL")?,
        stand_in: stand_ins(c)?,
        extraction_finished: finished.as_deref() == Some("finished"),
    })
}

/// Calls for which the plan's stand-in goes; what stays behind goes to nobody.
fn stand_ins(c: &Connection) -> rusqlite::Result<StandInCounts> {
    let mut counts = StandInCounts::default();
    let sql = "SELECT stand_in, count(*) FROM interaction WHERE stand_in IS NOT NULL AND phase <> 'set_aside' GROUP BY stand_in";
    for (text, calls) in counts_of(c, sql)? {
        if let Ok(stand_in) = serde_json::from_str(&text) {
            counts.add(&stand_in, calls);
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use platforms::clock::Clock;

    use super::*;
    use crate::ledger::Open;

    fn listed(id: &str, entity: &str) -> NewInteraction {
        NewInteraction {
            legacy_id: id.to_owned(),
            entity: entity.to_owned(),
            headers: "{}".to_owned(),
            unreadable: None,
            recordings: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_page_waits_until_the_next_one_shows_no_namesake() {
        let dir = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::open(dir.path().join("ledger.db"), Open::Exclusive, &Clock::real()).await.expect("a ledger");
        let open = || async {
            let rows = ledger.open_after(0, 10, Pass::First).await.expect("rows");
            rows.into_iter().map(|row| row.legacy_id).collect::<Vec<_>>()
        };
        let page = |number, rows, next: Option<&str>| ledger.add_page(number, rows, next.map(str::to_owned));
        page(0, vec![listed("1", "{\"a\":1}"), listed("2", "{}")], Some("b")).await.expect("a page");
        assert!(open().await.is_empty(), "the next page may show that an id is not one call's alone");
        page(1, vec![listed("1", "{\"a\":2}"), listed("3", "{}")], Some("c")).await.expect("a page");
        assert_eq!(open().await, ["2"], "1 is two calls, and 3 has no page behind it yet");
        page(2, vec![listed("4", "{}")], None).await.expect("a page");
        assert_eq!(open().await, ["2", "3", "4"]);
    }
}
