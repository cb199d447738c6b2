//! Before anything: does the plan fit the source and the target? Nothing here changes either, but
//! that a target which tells some things by a write alone gets a probe, which is taken away again.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use plan::{LoadedPlan, StagingPlace};
use platforms::clock::Clock;
use platforms::transport::Transport;

use crate::coverage::{Coverage, hints};
use crate::error::RunError;
use crate::holds;
use crate::ledger::{self, Ledger};
use crate::legacy_id::key;
use crate::resolve::Resolver;
use crate::source::{self, Directory, Source, Window};
use crate::staging::{Staging, place_of, scratch_of};
use crate::target::{self, Finding, Target};

/// What a look at both sides found.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Preflight {
    /// In the order found; errors forbid a run.
    pub findings: Vec<Finding>,
    /// Agents of the source, and those of them on no row of the mapping.
    pub source_agents: (usize, usize),
    /// Queues of the source, and those of them on no row of the mapping.
    pub source_queues: (usize, usize),
    /// The same by call and by its date, over the first calls of the plan's window.
    pub coverage: Coverage,
}

/// Looks at source, target and ledger, and tells everything it finds. Makes nothing here, not even
/// a folder; a target that tells some things by a write alone gets a probe where nothing else is
/// wrong, and it is deleted.
pub fn preflight(
    plan: LoadedPlan,
    transport: Arc<dyn Transport>,
    clock: Clock,
) -> BoxFuture<'static, Result<Preflight, RunError>> {
    Box::pin(survey(plan, transport, clock))
}

/// With less than this free nothing is begun: each worker may hold a part of 8 MiB on its way to
/// the disk. Bytes.
const ROOM_LEAST: u64 = 64 * 1024 * 1024;
/// With less than this free a person is told what staging takes. Bytes; an hour of calls at 8 kHz,
/// a thousand of them.
const ROOM_LITTLE: u64 = 5_000_000_000;

/// Whether a folder, or the nearest one that is there, can be written, and what room there is.
/// Makes a file of 4 KiB and takes it away again.
fn room(folder: &Path, what: &str) -> Option<Finding> {
    if let Err(error) = output::private::probe(folder) {
        return Some(Finding {
            is_error: true,
            text: format!("{what}: {}", output::private::refusal(folder, &error)),
        });
    }
    let free = output::free_bytes(folder)
        .ok()
        .filter(|free| *free < ROOM_LITTLE)?;
    let shown = format!(
        "{what}: {:.1} MB are free at {}",
        free as f64 / 1e6,
        folder.display()
    );
    let is_error = free < ROOM_LEAST;
    let advice = if is_error {
        "make room there"
    } else {
        "seatrial forecast PLAN --recordings N says how much staging takes"
    };
    (is_error || what.starts_with("staging")).then(|| Finding {
        is_error,
        text: format!("{shown}; {advice}"),
    })
}

/// What is wrong with staging. An object store is written to and read from, and what was written is
/// taken away again.
async fn staging(plan: &LoadedPlan, clock: &Clock) -> Result<Option<Finding>, RunError> {
    match place_of(None, plan)? {
        StagingPlace::Folder(folder) => Ok(room(&folder, "staging")),
        StagingPlace::ObjectStore(_) => {
            let scratch = room(&scratch_of(plan), "staging.scratch");
            if scratch.as_ref().is_some_and(|finding| finding.is_error) {
                return Ok(scratch);
            }
            let probed = match Staging::open(None, plan, clock) {
                Ok(staging) => staging.probe().await,
                Err(error) => Err(error),
            };
            Ok(probed.err().map_or(scratch, |error| {
                Some(Finding {
                    is_error: true,
                    text: RunError::from(error).to_string(),
                })
            }))
        }
    }
}

async fn survey(
    plan: LoadedPlan,
    transport: Arc<dyn Transport>,
    clock: Clock,
) -> Result<Preflight, RunError> {
    let mut preflight = Preflight::default();
    for text in plan.not_built() {
        preflight.findings.push(Finding {
            is_error: true,
            text,
        });
    }
    let ledger_url = &plan.plan.ledger.url;
    preflight.findings.extend(staging(&plan, &clock).await?);
    if let Some(folder) = ledger::registry::folder_of(ledger_url, &plan)? {
        preflight.findings.extend(room(&folder, "the ledger"));
    }
    if let Some(why) = ledger::registry::check(ledger_url, &plan, &clock).await? {
        preflight.findings.push(Finding {
            is_error: true,
            text: format!("the ledger: {why}"),
        });
        return Ok(preflight);
    }
    let source = source::registry::open(&plan, transport.clone(), &clock)?;
    let target = target::registry::open(&plan, transport, &clock)?;
    preflight
        .findings
        .extend(target.lacking_permissions().await?.into_iter().flatten());
    let maximum_days = survey_both(&plan, &*source, &*target, &mut preflight).await?;
    let plan = Arc::new(plan);
    let coverage = survey_calls(&plan, &*source, maximum_days).await?;
    let note = |text: String| Finding {
        is_error: false,
        text,
    };
    preflight.findings.extend(
        coverage
            .sentence(&plan)
            .map(|text| note(format!("stand-in: {text}"))),
    );
    let most = target.rules().holds_at_most();
    preflight
        .findings
        .extend(holds::outlook(&plan, most, coverage.calls).map(note));
    preflight
        .findings
        .extend(coverage.refusal(&plan).map(|text| Finding {
            is_error: true,
            text,
        }));
    preflight.coverage = coverage;
    if !preflight.findings.iter().any(|finding| finding.is_error) {
        preflight
            .findings
            .extend(target.probe(&clock).await?.into_iter().map(|text| Finding {
                is_error: true,
                text,
            }));
    }
    Ok(preflight)
}

/// Where the ledger remembers that a look found no permission lacking without which nothing goes:
/// Unix ms, address and client.
const PERMITTED: &str = "permitted";
/// How long that look holds, so that a run that is killed and started again and again does not send
/// each time what is made to be refused. Short, for nothing but this look tells of a permission on
/// upload reports that is taken away.
const PERMITTED_MS: i64 = 600_000;

/// The same look; its first error ends the run before it has begun. Answers the target's maximum
/// retention in days, where it has one.
pub(crate) async fn require(
    plan: &LoadedPlan,
    ledger: &dyn Ledger,
    clock: &Clock,
    source: &dyn Source,
    target: &dyn Target,
) -> Result<Option<u32>, RunError> {
    let mut preflight = Preflight::default();
    let client = target.rules().client_id(plan);
    let client = plan
        .plan
        .target
        .main_url()
        .map(|url| format!("{url} {client}"))
        .unwrap_or_default();
    if !is_permitted(ledger.meta(PERMITTED).await?, &client, clock.now_ms()) {
        let lacking = target.lacking_permissions().await?;
        if lacking
            .as_ref()
            .is_some_and(|lacking| !lacking.iter().any(|finding| finding.is_error))
        {
            ledger
                .set_meta(vec![(PERMITTED, format!("{} {client}", clock.now_ms()))])
                .await?;
        }
        preflight.findings.extend(lacking.into_iter().flatten());
    }
    let maximum_days = survey_both(plan, source, target, &mut preflight).await?;
    for warning in preflight
        .findings
        .iter()
        .filter(|finding| !finding.is_error)
    {
        tracing::warn!("{}", warning.text);
    }
    match preflight
        .findings
        .into_iter()
        .find(|finding| finding.is_error)
    {
        Some(error) => Err(RunError::Plan(error.text)),
        None => Ok(maximum_days),
    }
}

/// Whether a look at the permissions of this client still holds.
fn is_permitted(noted: Option<String>, client: &str, now_ms: i64) -> bool {
    let Some((at_ms, of)) = noted.as_deref().and_then(|noted| noted.split_once(' ')) else {
        return false;
    };
    of == client
        && at_ms
            .parse()
            .is_ok_and(|at_ms: i64| (at_ms..at_ms + PERMITTED_MS).contains(&now_ms))
}

/// Holds the first calls of the source against the mapping, each by its date.
async fn survey_calls(
    plan: &Arc<LoadedPlan>,
    source: &dyn Source,
    maximum_days: Option<u32>,
) -> Result<Coverage, RunError> {
    let resolver = Resolver::new(plan.clone(), maximum_days);
    let mut coverage = Coverage::default();
    let mut cursor: Option<String> = None;
    for number in 0..source.pages_surveyed() {
        let page = source
            .page(Window::of(plan), cursor.as_deref(), number)
            .await?;
        page.rows
            .iter()
            .for_each(|row| coverage.add(&resolver, plan, &row.entity));
        match page.next_cursor {
            Some(next) if Some(&next) != cursor.as_ref() => cursor = Some(next),
            Some(_) | None => {
                coverage.all = true;
                break;
            }
        }
    }
    Ok(coverage)
}

/// Looks at both sides. Answers the target's maximum retention in days, where it has one.
async fn survey_both(
    plan: &LoadedPlan,
    source: &dyn Source,
    target: &dyn Target,
    preflight: &mut Preflight,
) -> Result<Option<u32>, RunError> {
    if let Some(own) = source.organisation_id().await? {
        preflight.findings.extend(same_ends(&own, target).await?);
    }
    let Directory { agents, queues } = source.directory().await?;
    let of_agents: Vec<&str> = plan
        .mapping
        .agents
        .iter()
        .map(|row| row.legacy_agent_id.as_str())
        .collect();
    let of_queues: Vec<&str> = plan
        .mapping
        .queues
        .iter()
        .map(|row| row.legacy_queue_id.as_str())
        .collect();
    let agents: Vec<&str> = agents.iter().map(String::as_str).collect();
    let queues: Vec<&str> = queues.iter().map(String::as_str).collect();
    let file = |path: &std::path::Path| path.display().to_string();
    for (what, table, ids, file) in [
        (
            "agents",
            &of_agents,
            &agents,
            file(&plan.plan.mapping.agents),
        ),
        (
            "queues",
            &of_queues,
            &queues,
            file(&plan.plan.mapping.queues),
        ),
    ] {
        let known: HashSet<&str> = table.iter().map(|name| key(name)).collect();
        let (all, without) = (
            ids.len(),
            ids.iter().filter(|id| !known.contains(key(id))).count(),
        );
        if what == "agents" {
            preflight.source_agents = (all, without);
        } else {
            preflight.source_queues = (all, without);
        }
        if without > 0 {
            let text = format!(
                "{without} of {all} {what} of the source stand on no row of the mapping; the \
                 plan's rule applies to them"
            );
            preflight.findings.push(Finding {
                is_error: false,
                text,
            });
            let hints = hints(table, &file, ids.iter().copied());
            preflight
                .findings
                .extend(hints.into_iter().map(|text| Finding {
                    is_error: false,
                    text,
                }));
        }
    }
    target.survey(plan, &mut preflight.findings).await
}

/// Nothing is moved within one organisation: its recordings would be taken for those that have
/// arrived.
async fn same_ends(source: &str, target: &dyn Target) -> Result<Option<Finding>, RunError> {
    let is_same = target
        .organisation_id()
        .await?
        .is_some_and(|target| target.eq_ignore_ascii_case(source));
    Ok(is_same.then(|| Finding {
        is_error: true,
        text: format!(
            "source and target are the same organisation ({source}); correct one of the two"
        ),
    }))
}

#[cfg(test)]
mod tests {
    use super::{PERMITTED_MS, is_permitted};

    #[test]
    fn a_look_at_the_permissions_holds_for_its_client_and_ten_minutes() {
        let noted = || Some("1000 https://api.example acme".to_owned());
        for (noted, client, now_ms, holds) in [
            (noted(), "https://api.example acme", 1000, true),
            (
                noted(),
                "https://api.example acme",
                999 + PERMITTED_MS,
                true,
            ),
            (
                noted(),
                "https://api.example acme",
                1000 + PERMITTED_MS,
                false,
            ),
            (noted(), "https://api.example acme", 999, false),
            (noted(), "https://api.example other", 1000, false),
            (Some("acme".to_owned()), "acme", 1000, false),
            (None, "acme", 1000, false),
        ] {
            assert_eq!(
                is_permitted(noted.clone(), client, now_ms),
                holds,
                "{noted:?} {client} {now_ms}"
            );
        }
    }
}
