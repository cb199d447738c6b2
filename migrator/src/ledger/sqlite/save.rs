//! Rows on their way into a commit.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::custody::append;
use super::queries::note;
use crate::ledger::{Change, Disposition, InteractionRow, RecordingRow, Redo};
use crate::step::Phase;

/// A row as it is to be written.
pub(super) struct Saved {
    /// Without what is not stored.
    pub(super) row: InteractionRow,
    pub(super) change: Change,
}

/// Rows on their way into one commit. Of a row saved several times the last state is written, and
/// all of its custody.
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
            let update = if row.phase == Phase::SetAside {
                UPDATE.to_owned()
            } else {
                format!("{UPDATE} AND phase <> 'set_aside'")
            };
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
            row.recordings
                .iter()
                .try_for_each(|recording| save_recording(c, recording))?;
            change
                .warnings
                .iter()
                .try_for_each(|kind| note(c, kind, &row.legacy_id))?;
            change
                .custody
                .iter()
                .try_for_each(|entry| append(c, entry))?;
        }
        Ok(())
    }
}

/// Its guard is added as text: a parameter in it would have SQLite plan the statement anew each
/// time, for the sake of the partial index.
const UPDATE: &str = "UPDATE interaction SET phase = ?2, target_id = ?3, plan_hash = ?4, reason = \
    ?5, target_state = ?6, detail = ?7, since = ?8, stand_in = ?9, redo = ?10, unrepaired = ?11, \
    document = ?12, audio_rules = ?13, claimed_by = CASE WHEN ?2 IN ('done', 'set_aside') THEN \
    NULL ELSE claimed_by END, error = NULL, error_since = NULL WHERE seq = ?1";

fn save_recording(c: &Connection, r: &RecordingRow) -> rusqlite::Result<()> {
    c.prepare_cached(
        "UPDATE recording SET answer = ?2, staged_sha256 = ?3, staged_bytes = ?4, read_twice = ?5, \
         out_sha256 = ?6, out_bytes = ?7, out_codec = ?8, out_samples = ?9, out_rate = ?10, kept = \
         ?11, file_name = ?12, file_id = ?13, target_id = ?14, outcome = ?15, reason = ?16, \
         target_state = ?17, detail = ?18, since = ?19, doubt = ?20 WHERE seq = ?1",
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
