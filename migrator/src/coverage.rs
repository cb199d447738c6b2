//! Whom the mapping names of those who took calls: counted by each call's date before anything is
//! written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use plan::{AgentRow, LoadedPlan, UnmappedAgent, UnmappedQueue};
use platforms::Pages;

use crate::error::RunError;
use crate::extract::next_page;
use crate::ledger::StandInCounts;
use crate::ledger::{Ledger, StandIn};
use crate::legacy_id::key;
use crate::resolve::{Lookup, Resolver};
use crate::source::registry::format_of;
use crate::source::{NoRecord, Source};

/// What a look at the source's calls found.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Coverage {
    /// Calls that were looked at.
    pub calls: u64,
    /// Whether these are all calls of the plan's window.
    pub all: bool,
    /// Those that would go to the plan's stand-in, or stay behind where the plan has none.
    pub without_row: StandInCounts,
    /// Agents that stand in the table, and on no row that is valid at a call's date, each with
    /// those calls.
    pub not_valid_then: BTreeMap<String, u64>,
    /// Start of the earliest call.
    #[serde(skip)]
    earliest: Option<Timestamp>,
}

impl Coverage {
    /// Looks at one listed call. A call whose times are unusable stays behind for that.
    pub(crate) fn add(&mut self, resolver: &Resolver, plan: &LoadedPlan, entity: &str) {
        let call = match format_of(plan).listed(entity, &plan.plan.time) {
            Ok(call) => call,
            Err(NoRecord::Unreadable) => return,
            Err(NoRecord::TimeUnusable) => {
                self.calls += 1;
                return;
            }
        };
        self.calls += 1;
        let start = call.legacy_start_time;
        self.earliest = Some(self.earliest.map_or(start, |earliest| earliest.min(start)));
        let legs = call
            .segments
            .iter()
            .filter_map(|segment| segment.agent_legacy_id.as_deref());
        let alone = call
            .agent_legacy_id
            .as_deref()
            .filter(|_| call.segments.is_empty());
        let agents: BTreeSet<&str> = legs.chain(alone).collect();
        let mut stand_in = StandIn {
            agents: Vec::new(),
            queue: call
                .queue_legacy_id
                .clone()
                .filter(|queue| !resolver.has_queue(queue)),
        };
        for agent in agents {
            let found = resolver.lookup(agent, start);
            if found == Lookup::NotValidThen {
                *self.not_valid_then.entry(agent.to_owned()).or_default() += 1;
            }
            if found != Lookup::Valid {
                stand_in.agents.push(agent.to_owned());
            }
        }
        if !stand_in.agents.is_empty() || stand_in.queue.is_some() {
            self.without_row.add(&stand_in, 1);
        }
    }

    /// Why nothing may be written under this mapping, in a sentence; `None` where it may.
    pub(crate) fn refusal(&self, plan: &LoadedPlan) -> Option<String> {
        self.expired(plan).or_else(|| self.too_many(plan))
    }

    /// A table whose rows had all ended before the first call.
    pub(crate) fn expired(&self, plan: &LoadedPlan) -> Option<String> {
        let stand_in = match plan.plan.rules.unmapped_agent {
            UnmappedAgent::Fallback(user) => Some(user),
            UnmappedAgent::Quarantine => None,
        };
        let is_for_somebody =
            |row: &&AgentRow| row.legacy_agent_id != "*" && Some(row.genesys_user_id) != stand_in;
        let ends: Option<Vec<Timestamp>> = plan
            .mapping
            .agents
            .iter()
            .filter(is_for_somebody)
            .map(|row| row.valid_to)
            .collect();
        let last = ends?.into_iter().max()?;
        // Of a source that was read in part, only its window tells that there is nothing earlier.
        let first = if self.all {
            self.earliest
        } else {
            plan.plan.source.from()
        }?;
        (last <= first).then(|| {
            format!(
                "{}: every row has expired: the last valid_to is {last:.0}, and the calls begin at \
                 {first:.0}; every agent would go by rules.unmapped_agent; correct valid_to, or \
                 leave it empty",
                plan.plan.mapping.agents.display()
            )
        })
    }

    fn too_many(&self, plan: &LoadedPlan) -> Option<String> {
        let most = plan.plan.rules.max_fallback_share?;
        let calls = self.stand_in_calls(plan);
        let share = if self.calls == 0 {
            0.0
        } else {
            calls as f64 / self.calls as f64
        };
        (share > most).then(|| {
            let who = self.sentence(plan).unwrap_or_default();
            format!(
                "{who}; that is a share of {share:.4}, and rules.max_fallback_share is {most}: \
                complete the mapping, or raise it"
            )
        })
    }

    /// Calls for which a stand-in goes; where the plan has none for a table, they stay behind
    /// instead.
    fn stand_in_calls(&self, plan: &LoadedPlan) -> u64 {
        let agents = matches!(plan.plan.rules.unmapped_agent, UnmappedAgent::Fallback(_));
        let queues = matches!(plan.plan.rules.unmapped_queue, UnmappedQueue::Default(_));
        match (agents, queues) {
            (false, false) => 0,
            _ => self.without_row.calls,
        }
    }

    /// What a person should know; `None` where every call is named by valid rows.
    #[must_use]
    pub(crate) fn sentence(&self, plan: &LoadedPlan) -> Option<String> {
        let of = self.calls;
        let mut text = match self.stand_in_calls(plan) {
            0 => self
                .without_row
                .sentence_of(of, "stay behind by the plan's rule")?,
            _ => self.without_row.sentence(of)?,
        };
        if !self.not_valid_then.is_empty() {
            let rows = crate::ledger::most_frequent(&self.not_valid_then);
            text.push_str(&format!(
                "; of these agents stand in the table on rows that are not valid then: {rows}"
            ));
        }
        if !self.all {
            text.push_str("; no further calls of the source were looked at");
        }
        Some(text)
    }
}

/// What may have become of ids of the source that no row has: a spreadsheet drops zeros, rewrites
/// long numbers and turns case. One sentence an id, for the first few.
pub(crate) fn hints<'a>(
    table: &[&'a str],
    file: &str,
    ids: impl Iterator<Item = &'a str>,
) -> Vec<String> {
    const MOST: usize = 10;
    let known: BTreeSet<&str> = table.iter().map(|name| key(name)).collect();
    let mut by_form: BTreeMap<String, &str> = BTreeMap::new();
    for name in &known {
        by_form.entry(form(name)).or_insert(name);
    }
    let hint = |id: &'a str| {
        let id = key(id);
        if known.contains(id) {
            return None;
        }
        if let Some(name) = by_form.get(&form(id)) {
            let question = if name.eq_ignore_ascii_case(id) {
                "is it the same in another case?"
            } else {
                "did a spreadsheet drop the zeros?"
            };
            return Some(format!(
                "{file}: {name} stands in the table, {id} in the source: {question}"
            ));
        }
        let rounded = known.iter().find(|name| is_rounded(name, id))?;
        Some(format!(
            "{file}: {rounded} stands in the table, {id} in the source: did a spreadsheet round \
             the number?"
        ))
    };
    ids.filter_map(hint).take(MOST).collect()
}

/// What two spellings of one id have in common.
fn form(id: &str) -> String {
    let bare = id.trim_start_matches('0');
    if bare.is_empty() {
        id.to_lowercase()
    } else {
        bare.to_lowercase()
    }
}

/// Whether a number in scientific notation is what a spreadsheet makes of a long id.
fn is_rounded(name: &str, id: &str) -> bool {
    let Some((digits, exponent)) = name.split_once(['E', 'e']) else {
        return false;
    };
    let Ok(exponent) = exponent.trim_start_matches('+').parse::<i32>() else {
        return false;
    };
    let (Ok(rounded), Ok(whole)) = (name.parse::<f64>(), id.parse::<f64>()) else {
        return false;
    };
    let decimals = digits
        .split_once(['.', ','])
        .map_or(0, |(_, decimals)| decimals.len());
    let step = 10_f64.powi(exponent - i32::try_from(decimals).unwrap_or(0));
    (whole - rounded).abs() <= step
}

/// Where the ledger keeps the plan that a look allowed.
const COVERED: &str = "coverage_allowed";
/// Calls looked at where the plan sets no bound: a page of the source.
const LOOKED_AT: u32 = 1000;

/// Before the first write: whether the mapping may be used on the calls of this source. With a
/// bound on stand-ins all of them are listed first. Once a plan is allowed it stays so.
pub(crate) async fn require(
    ledger: &dyn Ledger,
    plan: &Arc<LoadedPlan>,
    source: &dyn Source,
    maximum_days: Option<u32>,
    dry_run: bool,
) -> Result<(), RunError> {
    if ledger
        .meta(COVERED)
        .await?
        .is_some_and(|covered| covered == plan.hash)
    {
        return Ok(());
    }
    // What a plan listed that was refused before the ledger was bound to it: another plan may have
    // another window.
    if ledger.meta("plan_hash").await?.is_none() {
        ledger.forget_listing().await?;
    }
    let is_bounded = plan.plan.rules.max_fallback_share.is_some();
    let mut pages = Pages::default();
    if ledger.last_seq().await? == 0 {
        next_page(source, ledger, plan, &mut pages).await?;
    }
    while is_bounded && next_page(source, ledger, plan, &mut pages).await?.is_some() {}
    let resolver = Resolver::new(plan.clone(), maximum_days);
    let mut coverage = Coverage::default();
    let mut after = 0;
    loop {
        let rows = ledger.entities_after(after, LOOKED_AT).await?;
        let Some(last) = rows.last() else { break };
        after = last.seq;
        for row in &rows {
            coverage.add(&resolver, plan, &row.entity);
        }
        if !is_bounded {
            break;
        }
    }
    let tally = ledger.tally().await?;
    coverage.all = tally.extraction_finished && coverage.calls >= tally.interactions;
    if let Some(refusal) = coverage.expired(plan) {
        return Err(RunError::Plan(refusal));
    }
    match coverage.refusal(plan) {
        // A dry run writes nothing, and tells what it found.
        Some(refusal) if dry_run => tracing::warn!("{refusal}"),
        Some(refusal) => return Err(RunError::Plan(refusal)),
        None => ledger.set_meta(vec![(COVERED, plan.hash.clone())]).await?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_did_to_an_id_is_guessed_and_never_undone() {
        let rows: [(&[&str], &str, Option<&str>); 9] = [
            (
                &["992"],
                "000992",
                Some("did a spreadsheet drop the zeros?"),
            ),
            (
                &["000992"],
                "992",
                Some("did a spreadsheet drop the zeros?"),
            ),
            (
                &["9.92E+11"],
                "992000123456",
                Some("did a spreadsheet round the number?"),
            ),
            (&["agt-1"], "AGT-1", Some("is it the same in another case?")),
            (&["AGT-1"], "AGT-1   ", None),
            (&["AGT-1"], "AGT-2", None),
            (&["9.92E+11"], "123456789012", None),
            (&["0"], "00", None),
            (&[], "1", None),
        ];
        for (table, id, said) in rows {
            let hints = hints(table, "agents.csv", std::iter::once(id));
            assert_eq!(
                hints.len(),
                usize::from(said.is_some()),
                "{table:?} {id}: {hints:?}"
            );
            assert!(said.is_none_or(|said| hints[0].contains(said)), "{hints:?}");
        }
    }
}
