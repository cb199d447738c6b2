//! What is taken up again: read anew from the source, or sent again though it is in the target.

use std::collections::{BTreeMap, BTreeSet};

use plan::LoadedPlan;

use crate::behind::of_row;
use crate::error::RunError;
use crate::ledger::{InteractionRow, Ledger, LedgerError};
use crate::options::Options;
use crate::selection::{Named, Retry};
use crate::source::registry::format_of;
use crate::step::Phase;
use crate::target::registry::rules_of;

/// Whether the last run came to its end: only then what it doubted is read again, so that a run
/// that is killed and started again a hundred times does not read the same a hundred times.
const CAME_TO_ITS_END: &str = "came_to_its_end";

pub(crate) async fn came_to_its_end(ledger: &dyn Ledger) -> Result<(), LedgerError> {
    ledger
        .set_meta(vec![(CAME_TO_ITS_END, "yes".to_owned())])
        .await
}

/// Takes up again what the options name; without them what stays behind because the source
/// misbehaved. Answers how many interactions.
pub(crate) async fn take_up(
    ledger: &dyn Ledger,
    plan: &LoadedPlan,
    options: &Options,
) -> Result<u64, RunError> {
    let came_to_its_end = ledger
        .meta(CAME_TO_ITS_END)
        .await?
        .is_some_and(|yes| yes == "yes");
    ledger
        .set_meta(vec![(CAME_TO_ITS_END, String::new())])
        .await?;
    let mut chosen = Chosen::default();
    match (&options.retry, &options.redo) {
        (None, None) if came_to_its_end && options.canary.is_none() => {
            let rows = ledger.these(ledger.doubtful().await?).await?;
            rows.iter().for_each(|row| chosen.read_again(row, plan));
            // Its own listing was not in doubt.
            ledger
                .take_up(chosen.open.clone(), chosen.done.clone(), false)
                .await?;
            return Ok(chosen.count());
        }
        (None, None) => return Ok(0),
        (Some(Retry::Reason(name)), _) => {
            for chunk in ledger.behind().await?.chunks(500) {
                let rows = ledger.these(chunk.to_vec()).await?;
                let fits = |row: &&InteractionRow| {
                    of_row(row, format_of(plan))
                        .iter()
                        .any(|behind| behind.reason == *name || behind.outcome == *name)
                };
                rows.iter()
                    .filter(fits)
                    .for_each(|row| chosen.read_again(row, plan));
            }
        }
        (Some(Retry::Listed(named)), _) => {
            let (rows, _) = rows_of(ledger, named).await?;
            rows.iter().for_each(|row| chosen.read_again(row, plan));
        }
        (None, Some(named)) => {
            let (rows, wrong) = rows_of(ledger, named).await?;
            rows.iter()
                .for_each(|row| chosen.send_again(row, wrong.get(&row.seq), plan));
        }
    }
    for sentence in &chosen.ignored {
        tracing::warn!("{sentence}");
    }
    let count = chosen.count();
    ledger.unrepairable(chosen.unrepairable).await?;
    ledger.take_up(chosen.open, chosen.done, true).await?;
    Ok(count)
}

/// The rows that a file names, and what is said to be wrong with each. An id that no call of the
/// ledger has ends the command: a list that does not fit is another migration's.
async fn rows_of(
    ledger: &dyn Ledger,
    named: &Named,
) -> Result<(Vec<InteractionRow>, BTreeMap<i64, BTreeSet<String>>), RunError> {
    let mut wrong: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    let mut unknown: BTreeSet<&String> = named.ids.keys().collect();
    let ids: Vec<String> = named.ids.keys().cloned().collect();
    for (id, seq) in ledger.seqs_of_ids(ids).await? {
        if let Some((id, said)) = named.ids.get_key_value(&id) {
            unknown.remove(id);
            wrong.entry(seq).or_default().extend(said.iter().cloned());
        }
    }
    if let Some(first) = unknown.first() {
        let (count, all) = (unknown.len(), named.ids.len());
        return Err(RunError::Plan(format!(
            "{count} of the {all} ids to take up again are in no call of this ledger, {first} \
             among them"
        )));
    }
    if named.without_source > 0 {
        tracing::warn!(
            "{} lines name nothing of the source: what they are about was not sent by this \
             migration or stands there in surplus, and is taken away in the target, by hand",
            named.without_source
        );
    }
    Ok((ledger.these(wrong.keys().copied().collect()).await?, wrong))
}

#[derive(Default)]
struct Chosen {
    open: Vec<i64>,
    done: Vec<i64>,
    unrepairable: Vec<(i64, String)>,
    ignored: Vec<String>,
}

impl Chosen {
    fn count(&self) -> u64 {
        (self.open.len() + self.done.len()) as u64
    }

    /// What stays behind is read again. A call of which only a part went is sent again whole, where
    /// the target allows it.
    fn read_again(&mut self, row: &InteractionRow, plan: &LoadedPlan) {
        let is_partial = row
            .recordings
            .iter()
            .any(|recording| recording.outcome.is_some());
        match row.phase {
            Phase::Done if !is_partial && row.unrepaired.is_none() && row.error.is_none() => {
                self.ignored.push(format!(
                    "interaction {} is in the target, and nothing of it stays \
                        behind; --redo sends it again",
                    row.legacy_id
                ));
            }
            Phase::Done => match rules_of(plan)
                .capabilities()
                .cannot_complete_call
                .filter(|_| is_partial)
            {
                Some(why) => self.unrepairable.push((row.seq, why.to_owned())),
                None => self.done.push(row.seq),
            },
            _ => self.open.push(row.seq),
        }
    }

    fn send_again(
        &mut self,
        row: &InteractionRow,
        wrong: Option<&BTreeSet<String>>,
        plan: &LoadedPlan,
    ) {
        let differs_in_sound = wrong.is_some_and(|fields| fields.contains("audio"));
        match row.phase {
            Phase::Done => match rules_of(plan)
                .capabilities()
                .cannot_replace_audio
                .filter(|_| differs_in_sound)
            {
                Some(why) => self.unrepairable.push((row.seq, why.to_owned())),
                None => self.done.push(row.seq),
            },
            _ => self.open.push(row.seq),
        }
    }
}
