//! Counts the calls under legal hold before the first write, where there may be more of them than
//! the organisation protects, and says which of them go.

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use plan::HoldsBeyondMaximum;
use platforms::CallError;
use tokio::sync::watch;

use super::Run;
use crate::error::{RunError, StepError};
use crate::holds::{Holds, room};
use crate::ledger::{InteractionRow, RecordingRow};
use crate::legacy_id::key;
use crate::source::registry::format_of;
use crate::stage::peek_recording;

/// Rows read from the ledger at once.
const ROWS: i64 = 500;

/// Before the first write: counts the calls under hold where there may be too many, and refuses the
/// plan or says which of them stay behind. The source is listed so far that it is known whether it
/// has more calls than can be protected; a run that has listed nothing asks again with its first
/// page.
pub(crate) async fn require(
    run: &Run,
    interrupt: Option<&watch::Receiver<bool>>,
) -> Result<(), RunError> {
    let context = &run.context;
    let Some(most) = run.target.rules().holds_at_most() else {
        return Ok(());
    };
    let (most, taken) = room(&context.plan, most);
    let left = most.saturating_sub(taken);
    if context.holds.told().is_some() {
        return Ok(());
    }
    let beyond = context.plan.plan.retention.holds_beyond_maximum;
    let listed = async || {
        let last = context.ledger.last_seq().await?;
        Ok::<u64, RunError>(u64::try_from(last).unwrap_or(0))
    };
    if beyond == HoldsBeyondMaximum::Refuse && listed().await? == 0 {
        return Ok(());
    }
    while listed().await? <= left && run.extract_page().await?.is_some() {
        go_on(interrupt)?;
    }
    if listed().await? <= left {
        return Ok(());
    }
    list_all(run, interrupt).await?;
    let mut held = held(run, interrupt, Answers::Read).await?;
    held.sort_unstable();
    let holds = Holds::of(held.len() as u64, most, taken);
    if holds.beyond > 0 && beyond == HoldsBeyondMaximum::Refuse {
        let why = format!(
            "{}; leave calls out by the exclusions file, set retention.holds_beyond_maximum = \
             \"quarantine\", or have the vendor raise the maximum and set retention.max_holds",
            holds.sentence()
        );
        // A dry run writes nothing, and tells what it found.
        if !context.dry_run {
            return Err(RunError::Plan(why));
        }
        tracing::warn!("{why}");
    }
    let stays_behind = holds.beyond > 0 && beyond == HoldsBeyondMaximum::Quarantine;
    let admitted = stays_behind.then(|| {
        let places = usize::try_from(left).unwrap_or(usize::MAX);
        held.into_iter().take(places).map(|(_, id)| id).collect()
    });
    context.holds.settle(holds, admitted);
    Ok(())
}

/// The same before a canary, which has listed the source by then. One of no more recordings than
/// can be protected needs no count of all.
pub(crate) async fn require_for_canary(
    run: &Run,
    interrupt: Option<&watch::Receiver<bool>>,
    recordings: usize,
) -> Result<(), RunError> {
    let most = run.target.rules().holds_at_most();
    let is_within = most.is_none_or(|most| {
        let (most, taken) = room(&run.context.plan, most);
        recordings as u64 <= most.saturating_sub(taken)
    });
    if is_within {
        Ok(())
    } else {
        require(run, interrupt).await
    }
}

async fn list_all(run: &Run, interrupt: Option<&watch::Receiver<bool>>) -> Result<(), RunError> {
    while run.extract_page().await?.is_some() {
        go_on(interrupt)?;
    }
    Ok(())
}

/// What a dry run has seen. Absent: the target has no maximum, or no call is under hold.
pub(crate) async fn seen(run: &Run) -> Result<Option<Holds>, RunError> {
    if let Some(told) = run.context.holds.told() {
        return Ok(Some(told));
    }
    let most = run.target.rules().holds_at_most();
    let Some(most) = most.filter(|_| run.context.dry_run) else {
        return Ok(None);
    };
    let (most, taken) = room(&run.context.plan, most);
    let held = held(run, None, Answers::Kept).await?.len();
    Ok((held > 0).then(|| Holds::of(held as u64, most, taken)))
}

/// Whether recordings' answers that the ledger does not have are read from the source.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answers {
    Read,
    Kept,
}

/// Every call under hold, by its start and id, whatever else becomes of it.
async fn held(
    run: &Run,
    interrupt: Option<&watch::Receiver<bool>>,
    answers: Answers,
) -> Result<Vec<(Timestamp, String)>, RunError> {
    let context = &run.context;
    let last = context.ledger.last_seq().await?;
    let mut held = Vec::new();
    for first in (1..=last).step_by(usize::try_from(ROWS).unwrap_or(1)) {
        go_on(interrupt)?;
        let seqs = (first..=last.min(first + ROWS - 1)).collect();
        let mut rows = context.ledger.these(seqs).await?;
        if answers == Answers::Read {
            rows = answered(run, rows).await?;
        }
        held.extend(rows.iter().filter_map(|row| under_hold(run, row)));
    }
    Ok(held)
}

/// Start and id of a call under hold; `None` where it is not, cannot be read, or is agreed to stay
/// behind with all of its recordings. A recording that cannot be read leaves the others as they
/// are, as it does when the call is staged.
fn under_hold(run: &Run, row: &InteractionRow) -> Option<(Timestamp, String)> {
    let plan = &run.context.plan;
    let normalise = |row: &InteractionRow| format_of(plan).normalise(row, &plan.plan.time).ok();
    let is_readable = |recording: &RecordingRow| {
        normalise(&InteractionRow {
            recordings: vec![recording.clone()],
            ..row.clone()
        })
        .is_some()
    };
    let record = normalise(row).or_else(|| {
        let mut readable = row.clone();
        readable.recordings.retain(is_readable);
        normalise(&readable)
    })?;
    let goes = record.recordings.iter().any(|recording| {
        plan.exclusion(key(&recording.legacy_recording_id))
            .is_none()
    });
    (record.is_held() && goes).then_some((record.legacy_start_time, record.legacy_interaction_id))
}

/// The rows with every recording's answer. Answers are kept, so that none is read for this twice.
/// What the source does not answer of one call is that call's trouble, and is met again when it is
/// staged.
async fn answered(run: &Run, rows: Vec<InteractionRow>) -> Result<Vec<InteractionRow>, RunError> {
    let workers = run.context.plan.plan.pace.workers.max(1);
    let reads = stream::iter(rows).map(|row| async move {
        let mut read: Vec<(usize, String)> = Vec::new();
        for (at, recording) in row.recordings.iter().enumerate() {
            if recording.answer.is_some() {
                continue;
            }
            match peek_recording(&*run.source, &row.legacy_id, &recording.legacy_id).await {
                Ok(answer) => read.push((at, answer)),
                Err(
                    StepError::Run(stop)
                    | StepError::InteractionFailed(
                        stop @ RunError::Source(CallError::Unreachable { answered: None, .. }),
                    ),
                ) => return Err(stop),
                Err(_) => {}
            }
        }
        Ok((row, read))
    });
    let mut reads = std::pin::pin!(reads.buffered(workers));
    let (mut whole, mut kept) = (Vec::new(), Vec::new());
    while let Some(one) = reads.next().await {
        let (mut row, answers) = one?;
        for (at, answer) in answers {
            kept.push((row.recordings[at].seq, answer.clone()));
            row.recordings[at].answer = Some(answer);
        }
        whole.push(row);
    }
    run.context.ledger.keep_answers(kept).await?;
    Ok(whole)
}

/// Ends with what a person asked for.
fn go_on(interrupt: Option<&watch::Receiver<bool>>) -> Result<(), RunError> {
    match interrupt.is_some_and(|interrupt| *interrupt.borrow()) {
        true => Err(RunError::Interrupted),
        false => Ok(()),
    }
}
