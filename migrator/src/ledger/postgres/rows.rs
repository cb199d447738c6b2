//! Columns and rows.

use std::borrow::Cow;
use std::collections::HashMap;

use tokio_postgres::Row;

use super::session::{Session, Trouble};
use crate::ledger::{Disposition, InteractionRow, LedgerError, RecordingRow, Redo};
use crate::step::Phase;

/// Stands before a character that says which one is meant: a text of PostgreSQL cannot hold U+0000.
const MARK: char = '\u{10}';

/// A text as it is stored.
pub(super) fn stored(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', MARK]) {
        return Cow::Borrowed(text);
    }
    let mut marked = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '\0' => marked.extend([MARK, '0']),
            MARK => marked.extend([MARK, '1']),
            other => marked.push(other),
        }
    }
    Cow::Owned(marked)
}

/// The same of one that may be absent.
pub(super) fn stored_if(text: &Option<String>) -> Option<Cow<'_, str>> {
    text.as_deref().map(stored)
}

/// A text as it was before it was stored.
pub(super) fn original(text: String) -> String {
    if !text.contains(MARK) {
        return text;
    }
    let mut letters = text.chars();
    let mut plain = String::with_capacity(text.len());
    while let Some(letter) = letters.next() {
        match letter {
            MARK if letters.next() == Some('0') => plain.push('\0'),
            other => plain.push(other),
        }
    }
    plain
}

/// A text column.
pub(super) fn text(row: &Row, at: usize) -> Result<String, Trouble> {
    Ok(original(row.try_get(at)?))
}

/// A text column that may be empty.
pub(super) fn text_if(row: &Row, at: usize) -> Result<Option<String>, Trouble> {
    Ok(row.try_get::<_, Option<String>>(at)?.map(original))
}

/// A count; one below zero was not written by this program.
pub(super) fn count(row: &Row, at: usize) -> Result<u64, Trouble> {
    let found: i64 = row.try_get(at)?;
    u64::try_from(found).map_err(|_| damaged(at))
}

fn count_if<T: TryFrom<i64>>(row: &Row, at: usize) -> Result<Option<T>, Trouble> {
    row.try_get::<_, Option<i64>>(at)?
        .map(|found| T::try_from(found).map_err(|_| damaged(at)))
        .transpose()
}

fn damaged(at: usize) -> Trouble {
    LedgerError::Damaged(format!("column {at} of a row is out of its range")).into()
}

const RECORDING_COLUMNS: &str = "r.seq, r.legacy_id, r.answer, r.staged_sha256, r.staged_bytes, \
    r.read_twice, r.out_sha256, r.out_bytes, r.out_codec, r.out_samples, r.out_rate, r.kept, \
    r.file_name, r.file_id, r.target_id, r.outcome, r.reason, r.target_state, r.detail, r.since, \
    r.doubt, r.interaction";
const INTERACTION_OF_RECORDING: usize = 21;

pub(super) const INTERACTION_COLUMNS: &str = "i.seq, i.legacy_id, i.phase, i.entity, i.headers, \
    i.target_id, i.reason, i.target_state, i.detail, i.since, i.stand_in, i.redo, i.unrepaired, \
    i.document, i.audio_rules, i.error, i.error_since, i.claim, i.in_doubt, i.page";
pub(super) const PAGE: usize = 19;

fn recording_row(row: &Row) -> Result<RecordingRow, Trouble> {
    Ok(RecordingRow {
        seq: row.try_get(0)?,
        legacy_id: text(row, 1)?,
        answer: text_if(row, 2)?,
        staged_sha256: text_if(row, 3)?,
        staged_bytes: count_if(row, 4)?,
        read_twice: row.try_get(5)?,
        out_sha256: text_if(row, 6)?,
        out_bytes: count_if(row, 7)?,
        out_codec: text_if(row, 8)?,
        out_samples: count_if(row, 9)?,
        out_rate: count_if(row, 10)?,
        sent_unchanged: row.try_get::<_, Option<bool>>(11)?.unwrap_or(false),
        file_name: text_if(row, 12)?,
        file_id: text_if(row, 13)?,
        target_id: text_if(row, 14)?,
        outcome: text_if(row, 15)?.as_deref().map(Disposition::from_name),
        reason: text_if(row, 16)?,
        target_state: text_if(row, 17)?,
        detail: text_if(row, 18)?,
        since: text_if(row, 19)?,
        doubt: row.try_get::<_, Option<bool>>(20)?.unwrap_or(false),
    })
}

pub(super) fn interaction_row(row: &Row) -> Result<InteractionRow, Trouble> {
    Ok(InteractionRow {
        seq: row.try_get(0)?,
        legacy_id: text(row, 1)?,
        phase: Phase::from_name(&text(row, 2)?),
        entity: text(row, 3)?,
        headers: text(row, 4)?,
        target_id: text_if(row, 5)?,
        reason: text_if(row, 6)?,
        target_state: text_if(row, 7)?,
        detail: text_if(row, 8)?,
        since: text_if(row, 9)?,
        stand_in: text_if(row, 10)?,
        redo: text_if(row, 11)?.as_deref().map(Redo::from_name),
        unrepaired: text_if(row, 12)?,
        document: text_if(row, 13)?,
        audio_rules: text_if(row, 14)?,
        error: text_if(row, 15)?,
        error_since: text_if(row, 16)?,
        claim: row.try_get(17)?,
        in_doubt: row.try_get(18)?,
        recordings: Vec::new(),
    })
}

/// Gives interactions, in their order, the recordings they have.
pub(super) async fn with_recordings(
    session: &Session,
    mut rows: Vec<InteractionRow>,
) -> Result<Vec<InteractionRow>, Trouble> {
    if rows.is_empty() {
        return Ok(rows);
    }
    let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    let sql = format!(
        "SELECT {RECORDING_COLUMNS} FROM recording r WHERE r.interaction = ANY($1) ORDER BY \
         r.interaction, r.seq"
    );
    let mut recordings: HashMap<i64, Vec<RecordingRow>> = HashMap::new();
    for row in session.rows(&sql, &[&seqs]).await? {
        recordings
            .entry(row.try_get(INTERACTION_OF_RECORDING)?)
            .or_default()
            .push(recording_row(&row)?);
    }
    for row in &mut rows {
        row.recordings = recordings.remove(&row.seq).unwrap_or_default();
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_as_it_was() {
        for text in [
            "",
            "plain",
            "\0",
            "a\0b\u{10}c",
            "\u{10}0",
            "\u{10}\u{10}1\0",
        ] {
            let kept = stored(text);
            assert!(!kept.contains('\0'), "{text:?}");
            assert_eq!(original(kept.into_owned()), text, "{text:?}");
        }
    }
}
