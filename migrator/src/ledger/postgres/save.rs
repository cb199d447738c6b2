//! Rows on their way into a commit: whoever has the connection writes what all others wait for.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Serialize;
use tokio::sync::oneshot;

use super::custody::append;
use super::queries::note_all;
use super::rows::{stored, stored_if};
use super::session::{Session, Trouble};
use super::{For, PostgresLedger, transaction};
use crate::ledger::{Change, Disposition, InteractionRow, LedgerError, RecordingRow, Redo};

/// A row as it is to be written, and who waits for it.
pub(super) struct Waiting {
    pub(super) row: InteractionRow,
    pub(super) change: Change,
    pub(super) answer: oneshot::Sender<Result<(), LedgerError>>,
}

/// Names and types of the columns that a saved row brings, as `json_to_recordset` reads them.
const INTERACTION: &str = "seq bigint, claim bigint, phase text, target_id text, plan_hash text, \
    reason text, target_state text, detail text, since text, stand_in text, redo text, unrepaired \
    text, document text, audio_rules text";

#[derive(Serialize)]
struct Interaction<'a> {
    seq: i64,
    claim: i64,
    phase: &'static str,
    target_id: Option<Cow<'a, str>>,
    plan_hash: Cow<'a, str>,
    reason: Option<Cow<'a, str>>,
    target_state: Option<Cow<'a, str>>,
    detail: Option<Cow<'a, str>>,
    since: Option<Cow<'a, str>>,
    stand_in: Option<Cow<'a, str>>,
    redo: Option<&'static str>,
    unrepaired: Option<Cow<'a, str>>,
    document: Option<Cow<'a, str>>,
    audio_rules: Option<Cow<'a, str>>,
}

const RECORDING: &str = "seq bigint, answer text, staged_sha256 text, staged_bytes bigint, \
    read_twice boolean, out_sha256 text, out_bytes bigint, out_codec text, out_samples bigint, \
    out_rate bigint, kept boolean, file_name text, file_id text, target_id text, outcome text, \
    reason text, target_state text, detail text, since text, doubt boolean";

#[derive(Serialize)]
struct Recording<'a> {
    seq: i64,
    answer: Option<Cow<'a, str>>,
    staged_sha256: Option<Cow<'a, str>>,
    staged_bytes: Option<u64>,
    read_twice: bool,
    out_sha256: Option<Cow<'a, str>>,
    out_bytes: Option<u64>,
    out_codec: Option<Cow<'a, str>>,
    out_samples: Option<u64>,
    out_rate: Option<u32>,
    kept: bool,
    file_name: Option<Cow<'a, str>>,
    file_id: Option<Cow<'a, str>>,
    target_id: Option<Cow<'a, str>>,
    outcome: Option<&'static str>,
    reason: Option<Cow<'a, str>>,
    target_state: Option<Cow<'a, str>>,
    detail: Option<Cow<'a, str>>,
    since: Option<Cow<'a, str>>,
    doubt: bool,
}

impl<'a> Interaction<'a> {
    fn of(row: &'a InteractionRow, change: &'a Change) -> Interaction<'a> {
        Interaction {
            seq: row.seq,
            claim: row.claim,
            phase: row.phase.as_str(),
            target_id: stored_if(&row.target_id),
            plan_hash: stored(&change.plan_hash),
            reason: stored_if(&row.reason),
            target_state: stored_if(&row.target_state),
            detail: stored_if(&row.detail),
            since: stored_if(&row.since),
            stand_in: stored_if(&row.stand_in),
            redo: row.redo.map(Redo::as_str),
            unrepaired: stored_if(&row.unrepaired),
            document: stored_if(&row.document),
            audio_rules: stored_if(&row.audio_rules),
        }
    }
}

impl<'a> Recording<'a> {
    fn of(row: &'a RecordingRow) -> Recording<'a> {
        Recording {
            seq: row.seq,
            answer: stored_if(&row.answer),
            staged_sha256: stored_if(&row.staged_sha256),
            staged_bytes: row.staged_bytes,
            read_twice: row.read_twice,
            out_sha256: stored_if(&row.out_sha256),
            out_bytes: row.out_bytes,
            out_codec: stored_if(&row.out_codec),
            out_samples: row.out_samples,
            out_rate: row.out_rate,
            kept: row.sent_unchanged,
            file_name: stored_if(&row.file_name),
            file_id: stored_if(&row.file_id),
            target_id: stored_if(&row.target_id),
            outcome: row.outcome.map(Disposition::as_str),
            reason: stored_if(&row.reason),
            target_state: stored_if(&row.target_state),
            detail: stored_if(&row.detail),
            since: stored_if(&row.since),
            doubt: row.doubt,
        }
    }
}

fn json<T: Serialize>(rows: &[T]) -> Result<String, Trouble> {
    serde_json::to_string(rows)
        .map_err(|error| LedgerError::Broken(format!("a row: {error}")).into())
}

/// What became of the rows of one commit, in their order.
type Outcomes = Vec<Result<(), LedgerError>>;

impl PostgresLedger {
    /// Has a row written, together with all that wait at the same time. Returns once it is durable.
    pub(super) async fn save_row(
        &self,
        row: InteractionRow,
        change: Change,
    ) -> Result<(), LedgerError> {
        let (answer, told) = oneshot::channel();
        self.waiting.lock().push(Waiting {
            row,
            change,
            answer,
        });
        self.write_waiting().await;
        told.await
            .unwrap_or_else(|_| Err(LedgerError::Broken("a row was not written".to_owned())))
    }

    /// Writes all rows that wait.
    async fn write_waiting(&self) {
        // Who waits here finds that somebody else has written its row, or writes all that came
        // meanwhile.
        let _writing = self.writing.lock().await;
        let waiting = std::mem::take(&mut *self.waiting.lock());
        if waiting.is_empty() {
            return;
        }
        let written = transaction!(self, For::Writing, session => write(session, &waiting).await);
        match written {
            Ok(outcomes) => waiting
                .into_iter()
                .zip(outcomes)
                .for_each(|(waiting, outcome)| _ = waiting.answer.send(outcome)),
            Err(error) => waiting
                .into_iter()
                .for_each(|waiting| _ = waiting.answer.send(Err(error.clone()))),
        }
    }
}

async fn write(session: &Session, waiting: &[Waiting]) -> Result<Outcomes, Trouble> {
    let rows: Vec<Interaction<'_>> = waiting
        .iter()
        .map(|Waiting { row, change, .. }| Interaction::of(row, change))
        .collect();
    let sql = format!(
        "UPDATE interaction i SET phase = s.phase, target_id = s.target_id, plan_hash = \
         s.plan_hash, reason = s.reason, target_state = s.target_state, detail = s.detail, since = \
         s.since, stand_in = s.stand_in, redo = s.redo, unrepaired = s.unrepaired, document = \
         s.document, audio_rules = s.audio_rules, claimed_by = CASE WHEN s.phase IN ('done', \
         'set_aside') THEN NULL ELSE i.claimed_by END, in_doubt = i.in_doubt AND s.phase NOT IN \
         ('done', 'set_aside'), error = NULL, error_since = NULL FROM \
         json_to_recordset($1::text::json) AS s ({INTERACTION}) WHERE i.seq = s.seq AND i.claim = \
         s.claim AND (s.phase = 'set_aside' OR i.phase <> 'set_aside') RETURNING i.seq"
    );
    let text = json(&rows)?;
    let written: HashSet<i64> = session
        .rows(&sql, &[&text])
        .await?
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?;
    let is_written = |waiting: &&Waiting| written.contains(&waiting.row.seq);
    let recordings: Vec<Recording<'_>> = waiting
        .iter()
        .filter(is_written)
        .flat_map(|waiting| waiting.row.recordings.iter().map(Recording::of))
        .collect();
    if !recordings.is_empty() {
        let sql = format!(
            "UPDATE recording r SET answer = s.answer, staged_sha256 = s.staged_sha256, \
             staged_bytes = s.staged_bytes, read_twice = s.read_twice, out_sha256 = s.out_sha256, \
             out_bytes = s.out_bytes, out_codec = s.out_codec, out_samples = s.out_samples, \
             out_rate = s.out_rate, kept = s.kept, file_name = s.file_name, file_id = s.file_id, \
             target_id = s.target_id, outcome = s.outcome, reason = s.reason, target_state = \
             s.target_state, detail = s.detail, since = s.since, doubt = s.doubt FROM \
             json_to_recordset($1::text::json) AS s ({RECORDING}) WHERE r.seq = s.seq"
        );
        session.change(&sql, &[&json(&recordings)?]).await?;
    }
    let warnings: Vec<(&str, &str)> = waiting
        .iter()
        .filter(is_written)
        .flat_map(|Waiting { row, change, .. }| {
            change.warnings.iter().map(|kind| (*kind, &*row.legacy_id))
        })
        .collect();
    note_all(session, &warnings).await?;
    let custody: Vec<_> = waiting
        .iter()
        .filter(is_written)
        .flat_map(|waiting| &waiting.change.custody)
        .collect();
    append(session, &custody).await?;
    outcomes(session, waiting, &written).await
}

/// A row that was not written belongs to somebody else by now, or another page has set it aside as
/// a collision, which stays so.
async fn outcomes(
    session: &Session,
    waiting: &[Waiting],
    written: &HashSet<i64>,
) -> Result<Outcomes, Trouble> {
    let mut outcomes = Vec::with_capacity(waiting.len());
    for Waiting { row, .. } in waiting {
        let outcome = match written.contains(&row.seq) {
            true => Ok(()),
            false => {
                let sql = "SELECT claim FROM interaction WHERE seq = $1";
                let claim: Option<i64> = session.first(sql, &[&row.seq]).await?;
                match claim {
                    Some(claim) if claim == row.claim => Ok(()),
                    _ => Err(LedgerError::CallTakenOver),
                }
            }
        };
        outcomes.push(outcome);
    }
    Ok(outcomes)
}
