//! The canary: a few recordings that show everything there is go first, and a person looks at them
//! in the target's own user interface.
//!
//! | file | for |
//! | --- | --- |
//! | `choose` | which interactions: pure |
//! | `survey` | what there is to choose from |
//! | `record` | what the ledger keeps of a canary, and whether a run may pass |
//! | `checklist` | the list for the person, written |
//! | `confirm` | the same list, read back |

mod checklist;
pub(crate) mod choose;
mod confirm;
mod record;
mod survey;

use std::collections::BTreeSet;

pub use checklist::{withdraw_checklist, write_checklist};
pub use confirm::confirm_canary;
pub use record::{Canary, CanaryState};
pub(crate) use record::{Record, gate};

use crate::engine::{Run, holds, process};
use crate::error::RunError;
use crate::ledger::InteractionRow;
use crate::options::{Options, Progress};
use crate::step::Phase;

/// Chooses a canary, or goes on with the one chosen, and works on it until nothing of it is open.
/// What turns out to stay behind is replaced.
pub(crate) async fn send(
    run: &Run,
    options: &Options,
    wanted: usize,
    progress: &dyn Progress,
) -> Result<Canary, RunError> {
    extract(run, options, progress).await?;
    holds::require_for_canary(run, options.interrupt.as_ref(), wanted).await?;
    let known = Record::read(&*run.context.ledger)
        .await?
        .filter(|record| record.plan_hash == run.context.plan.hash);
    if let Some(known) = known
        .as_ref()
        .filter(|record| record.wanted == wanted && record.is_confirmed())
    {
        return Ok(known.told(&run.context.plan.hash, Vec::new()));
    }
    let mut record = match known {
        Some(known) if known.wanted == wanted && !known.has_failed() => known,
        known => {
            let keep = known.map(|known| known.to_keep(wanted)).unwrap_or_default();
            let keep = run
                .context
                .ledger
                .seqs_of(keep)
                .await?
                .into_iter()
                .collect();
            choose(run, options, keep, wanted, Vec::new()).await?
        }
    };
    loop {
        record.save(&*run.context.ledger).await?;
        process(run, options, Some(rows(run, &record).await?), progress).await?;
        let rows = rows(run, &record).await?;
        let behind: Vec<String> = rows.iter().filter_map(stayed_behind).collect();
        if behind.is_empty() || rows.iter().any(|row| !is_settled(row)) {
            let left = rows
                .iter()
                .filter(|row| !is_settled(row))
                .map(|row| row.legacy_id.clone())
                .collect();
            return Ok(record.told(&run.context.plan.hash, left));
        }
        let keep: BTreeSet<i64> = rows
            .iter()
            .filter(|row| row.phase == Phase::Done)
            .map(|row| row.seq)
            .collect();
        let mut replaced = record.replaced.clone();
        replaced.extend(
            behind
                .into_iter()
                .filter(|sentence| !record.replaced.contains(sentence)),
        );
        let next = choose(run, options, keep, wanted, replaced).await?;
        if next.interactions == record.interactions {
            // Parts of calls stay behind, and nothing else shows more.
            record.replaced = next.replaced;
            record.save(&*run.context.ledger).await?;
            return Ok(record.told(&run.context.plan.hash, Vec::new()));
        }
        record = next;
    }
}

/// The whole window into the ledger: nobody can choose from what was not listed.
async fn extract(run: &Run, options: &Options, progress: &dyn Progress) -> Result<(), RunError> {
    let mut known = run.context.ledger.tally().await?.interactions;
    while let Some(new) = run.extract_page().await? {
        known += new;
        progress.update(known, 0);
        survey::go_on(options)?;
    }
    Ok(())
}

async fn choose(
    run: &Run,
    options: &Options,
    keep: BTreeSet<i64>,
    wanted: usize,
    replaced: Vec<String>,
) -> Result<Record, RunError> {
    let looked = survey::survey(run, options, &keep, wanted).await?;
    let keep = keep
        .into_iter()
        .filter(|seq| {
            looked
                .candidates
                .iter()
                .any(|candidate| candidate.seq == *seq)
        })
        .collect();
    let features: BTreeSet<&choose::Feature> = looked
        .candidates
        .iter()
        .flat_map(|candidate| &candidate.features)
        .collect();
    if looked.candidates.is_empty() {
        let why = "no recording of this plan is left that could go: what there is stays behind by \
            rule, or is in the target under another plan";
        return Err(RunError::Plan(format!(
            "{why}; see `seatrial status`, or run `migrate --dry-run` to learn the reasons"
        )));
    }
    let seqs = choose::choose(&looked.candidates, &keep, wanted).map_err(|few| {
        let left: Vec<String> = few.left.iter().map(ToString::to_string).collect();
        // What failed before is looked at again, though others show the same.
        let left = if left.is_empty() {
            "what failed before".to_owned()
        } else {
            left.join(", ")
        };
        let (given, needed) = (choose::number(wanted, "recording"), few.needed);
        RunError::Plan(format!(
            "a canary of {given} does not show everything there is: {needed} would do; not shown: \
             {left}; give --canary {needed}"
        ))
    })?;
    let chosen = looked
        .candidates
        .iter()
        .filter(|candidate| seqs.contains(&candidate.seq));
    let recordings = chosen.map(|candidate| candidate.recordings).sum();
    let rows = run.context.ledger.these(seqs).await?;
    Ok(Record {
        plan_hash: run.context.plan.hash.clone(),
        wanted,
        interactions: rows.into_iter().map(|row| row.legacy_id).collect(),
        recordings,
        looked_at: looked.looked_at,
        of: looked.of,
        features: features.iter().map(ToString::to_string).collect(),
        replaced,
        checklist: None,
        checked: None,
    })
}

async fn rows(run: &Run, record: &Record) -> Result<Vec<InteractionRow>, RunError> {
    let seqs = run
        .context
        .ledger
        .seqs_of(record.interactions.clone())
        .await?;
    Ok(run.context.ledger.these(seqs).await?)
}

fn is_settled(row: &InteractionRow) -> bool {
    matches!(row.phase, Phase::Done | Phase::SetAside)
}

/// Says of a call that it, or a part of it, is not in the target.
fn stayed_behind(row: &InteractionRow) -> Option<String> {
    let part = row
        .recordings
        .iter()
        .find(|recording| recording.outcome.is_some());
    let reason = row.reason.as_ref().or_else(|| part?.reason.as_ref())?;
    Some(match (row.phase, part) {
        (Phase::Done, Some(part)) => format!(
            "recording {} of call {} stays behind: {reason}",
            part.legacy_id, row.legacy_id
        ),
        _ => format!("call {} stays behind: {reason}", row.legacy_id),
    })
}
