//! A ledger belongs to one plan; what a changed plan means for what is done, and for what is not.

use std::collections::HashSet;
use std::sync::Arc;

use plan::LoadedPlan;
use platforms::clock::Clock;

use crate::custody;
use crate::digest;
use crate::error::RunError;
use crate::ledger::{Ledger, Redo};
use crate::phone::PhoneRule;
use crate::resolve::{MAXIMUM_DAYS, Resolver};

/// What a run finds its ledger bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PlanChange {
    /// New, or bound to this very plan.
    None,
    /// Bound to an older one, and the change is accepted.
    Accepted {
        /// Hash of the older one.
        before: String,
        /// Another window of the source, so that extraction begins anew.
        window: bool,
        /// Interactions in the target that this plan would send otherwise.
        differ: Vec<(i64, Redo)>,
    },
}

/// Source window and target as one text each: what a ledger must know of its plan beside the hash.
fn window_of(plan: &LoadedPlan) -> String {
    format!("{:?}..{:?}", plan.plan.source.from(), plan.plan.source.to())
}

fn ends_of(plan: &LoadedPlan) -> String {
    let text = |url: Option<url::Url>| url.map(String::from).unwrap_or_default();
    format!(
        "{} -> {}",
        text(plan.plan.source.main_url()),
        text(plan.plan.target.main_url())
    )
}

/// A change of the plan is a person's decision: it is told what changed, and what that does to what
/// is done.
pub(crate) async fn plan_change(
    ledger: &dyn Ledger,
    plan: &Arc<LoadedPlan>,
    accept: bool,
) -> Result<PlanChange, RunError> {
    let texts: Vec<(String, String)> = plan
        .texts
        .iter()
        .map(|text| (text.name.clone(), text.text.clone()))
        .collect();
    let Some(known) = ledger
        .meta("plan_hash")
        .await?
        .filter(|known| *known != plan.hash)
    else {
        return Ok(PlanChange::None);
    };
    let before: Vec<(String, String)> = ledger
        .meta("plan_texts")
        .await?
        .and_then(|texts| serde_json::from_str(&texts).ok())
        .unwrap_or_default();
    let namespace = ledger.meta("namespace").await?.unwrap_or_default();
    if namespace != plan.plan.identity.namespace {
        return Err(RunError::Plan(format!(
            "the ledger belongs to the migration `{namespace}`; give this one a ledger of its own"
        )));
    }
    let ends = ledger.meta("ends").await?.unwrap_or_default();
    let is_elsewhere = ends != ends_of(plan);
    if is_elsewhere && accept {
        let sentence = format!(
            "this ledger is of {ends}, the plan goes {}; give it a ledger of its own",
            ends_of(plan)
        );
        return Err(RunError::Plan(sentence));
    }
    let differ = if is_elsewhere {
        Differ::default()
    } else {
        differ(ledger, plan).await?
    };
    if !accept {
        let (diff, meaning) = (difference(&before, &texts), differ.words());
        return Err(RunError::Plan(format!(
            "the plan has changed since this ledger was begun ({} then, {} now):\n{diff}\n  \
             {meaning}\n  go on under the new plan with --accept-plan-change",
            &known[..8.min(known.len())],
            &plan.hash[..8.min(plan.hash.len())]
        )));
    }
    let window = ledger
        .meta("window")
        .await?
        .is_some_and(|window| window != window_of(plan));
    Ok(PlanChange::Accepted {
        before: known,
        window,
        differ: differ.which,
    })
}

/// What of the target a changed plan would send otherwise.
#[derive(Default)]
struct Differ {
    which: Vec<(i64, Redo)>,
    /// The first few, by their ids in the source.
    examples: Vec<String>,
    done: u64,
    /// Decided anew: what stays behind or was not finished.
    open: u64,
}

/// Enough to look one up, few enough to read.
const EXAMPLES: usize = 5;
const ROWS: u32 = 500;

async fn differ(ledger: &dyn Ledger, plan: &Arc<LoadedPlan>) -> Result<Differ, RunError> {
    let maximum_days = ledger
        .meta(MAXIMUM_DAYS)
        .await?
        .and_then(|days| days.parse().ok());
    let (resolver, phones) = (
        Resolver::new(plan.clone(), maximum_days),
        PhoneRule::of(plan)?,
    );
    let tally = ledger.tally().await?;
    let open = tally.interactions_set_aside + tally.interactions_left;
    let mut differ = Differ {
        done: tally.interactions_done,
        open,
        ..Differ::default()
    };
    let mut after = 0;
    loop {
        let rows = ledger.done_after(after, ROWS).await?;
        let Some(last) = rows.last() else {
            return Ok(differ);
        };
        after = last.seq;
        for row in &rows {
            if let Some(redo) = digest::change(plan, &resolver, &phones, row) {
                differ.which.push((row.seq, redo));
                if differ.examples.len() < EXAMPLES {
                    differ.examples.push(row.legacy_id.clone());
                }
            }
        }
    }
}

impl Differ {
    fn words(&self) -> String {
        let examples = if self.examples.is_empty() {
            String::new()
        } else {
            format!(" ({}", self.examples.join(", "))
        };
        let more = self.which.len().saturating_sub(self.examples.len());
        let examples = match (examples.is_empty(), more) {
            (true, _) => examples,
            (false, 0) => format!("{examples})"),
            (false, more) => format!("{examples} and {more} more)"),
        };
        format!(
            "accepting it sends again {} of the {} calls that are in the target, because this plan \
             makes them otherwise{examples}; the others stay as they are; {} calls that stay \
             behind or are not finished are decided anew",
            self.which.len(),
            self.done,
            self.open
        )
    }
}

/// Binds a ledger to a plan. Under a changed one everything not yet confirmed is decided anew: a
/// call that was set aside may go now, and audio that was converted under the old rules must not.
/// What is in the target and differs is sent again.
pub(crate) async fn bind(
    ledger: &dyn Ledger,
    plan: &LoadedPlan,
    change: PlanChange,
    clock: &Clock,
) -> Result<(), RunError> {
    let mut accepted = Vec::new();
    if let PlanChange::Accepted {
        before,
        window,
        differ,
    } = change
    {
        tracing::warn!(
            "{} calls in the target are sent again, because the changed plan makes them otherwise",
            differ.len()
        );
        ledger.decide_anew(window).await?;
        ledger.redo_under_plan(differ).await?;
        let (at, after) = (custody::at(clock.now()), plan.hash.clone());
        accepted.push(custody::Entry::plan_accepted(at, before, after));
    }
    let texts: Vec<(&String, &String)> = plan
        .texts
        .iter()
        .map(|text| (&text.name, &text.text))
        .collect();
    let values = vec![
        ("plan_hash", plan.hash.clone()),
        (
            "plan_texts",
            serde_json::to_string(&texts).unwrap_or_default(),
        ),
        ("namespace", plan.plan.identity.namespace.clone()),
        ("window", window_of(plan)),
        ("ends", ends_of(plan)),
    ];
    Ok(ledger.set_meta_with(values, accepted).await?)
}

/// Changed lines that are shown: a screen's worth.
const MOST_LINES: usize = 20;

/// Lines that went and lines that came, file by file; no more than fit on a screen.
fn difference(before: &[(String, String)], now: &[(String, String)]) -> String {
    let mut lines = Vec::new();
    let text_of = |texts: &[(String, String)], name: &str| {
        texts
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, text)| text.clone())
            .unwrap_or_default()
    };
    let mut names: Vec<&String> = before.iter().chain(now).map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let (old, new) = (text_of(before, name), text_of(now, name));
        let (olds, news): (HashSet<&str>, HashSet<&str>) =
            (old.lines().collect(), new.lines().collect());
        let gone = old
            .lines()
            .filter(|line| !news.contains(line))
            .map(|line| format!("  {name}: - {line}"));
        let come = new
            .lines()
            .filter(|line| !olds.contains(line))
            .map(|line| format!("  {name}: + {line}"));
        lines.extend(gone.chain(come));
    }
    let more = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    if more > 0 {
        lines.push(format!("  and {more} more lines"));
    }
    lines.join("\n")
}
