//! Before anything: does the plan fit the source and the target? Nothing here changes either.

use std::collections::HashSet;
use std::sync::Arc;

use plan::{Ingest, LoadedPlan, Secret, SecretRef, UnmappedAgent, UnmappedQueue};
use platforms::Credentials;
use platforms::clock::Clock;
use platforms::genesys_cloud::public::Permission;
use platforms::genesys_cloud::{GuideClient, PublicClient, Settings as TargetSettings, wire::Named};
use platforms::legacy::{Client as LegacyClient, Settings as SourceSettings};
use platforms::transport::Transport;

use crate::genesys_cloud::{Public, Target};
use crate::ledger::{Ledger, Open, path_of};
use crate::organisation::Organisation;
use crate::outcome::Stop;

/// Name of the user who stands in for agents without a mapping. Source: recording-migration guide, edge case 2.
pub(crate) const FALLBACK_USER: &str = "Historical Migration - Unknown Agent";

/// What else may be the case with what is not listed. Source: platform API, GET routing/queues lists the divisions the client's role covers.
const HIDDEN: &str = ", or stands in a division that this client's role does not cover";

/// What a look at both sides found.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Preflight {
    /// In the order found; errors forbid a run.
    pub findings: Vec<Finding>,
    /// Agents of the source, and those of them on no row of the mapping.
    pub source_agents: (usize, usize),
    /// Queues of the source, and those of them on no row of the mapping.
    pub source_queues: (usize, usize),
}

/// One thing to know before a run.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Finding {
    /// Forbids a run.
    pub is_error: bool,
    /// One sentence with what to do.
    pub text: String,
}

/// Clients of both sides.
pub(crate) struct Clients {
    pub(crate) source: LegacyClient,
    pub(crate) target: Target,
}

impl Clients {
    pub(crate) fn new(plan: &LoadedPlan, transport: Arc<dyn Transport>, clock: &Clock) -> Result<Clients, Stop> {
        let unusable = |what: &str| Stop::Plan(format!("{what} is not a URL to work with"));
        let source = SourceSettings {
            base_url: plan.plan.source.base_url.clone(),
            media_hosts: plan.plan.source.media_hosts.clone(),
            credentials: credentials(&plan.plan.source.client_id, &plan.secret(&plan.plan.source.client_secret, "source.client_secret")?),
            // The source publishes no limit: none is assumed, and its 429s hold us back.
            requests_per_minute: u32::MAX,
        };
        let source = LegacyClient::new(transport.clone(), clock.clone(), source).ok_or_else(|| unusable("source.base_url"))?;
        let target = &plan.plan.target;
        let missing = || Stop::Plan("target.client_secret is missing".to_owned());
        let reference: &SecretRef = target.client_secret.as_ref().ok_or_else(missing)?;
        let settings = TargetSettings {
            api_url: target.api_url().ok_or_else(|| unusable("target.base_url"))?,
            token_url: target.token_url().ok_or_else(|| unusable("target.login_url"))?,
            credentials: credentials(&target.client_id, &plan.secret(reference, "target.client_secret")?),
            requests_per_minute: plan.plan.pace.requests_per_minute,
        };
        let target = match target.ingest {
            Ingest::Guide => Target::Guide(GuideClient::new(transport, clock.clone(), settings, plan.plan.pace.uploads_per_second)),
            Ingest::Public => Target::Public(Box::new(Public::new(PublicClient::new(transport, clock.clone(), settings)))),
        };
        Ok(Clients { source, target })
    }
}

fn credentials(client_id: &str, secret: &Secret) -> Credentials {
    Credentials { client_id: client_id.to_owned(), client_secret: secret.expose_the_secret().to_owned() }
}

/// Looks at source, target and ledger, and tells everything it finds. Makes nothing, not even a folder.
pub async fn preflight(plan: LoadedPlan, transport: Arc<dyn Transport>, clock: Clock) -> Result<Preflight, Stop> {
    let mut preflight = Preflight::default();
    for text in plan.not_built() {
        preflight.findings.push(Finding { is_error: true, text });
    }
    let path = path_of(&plan.plan.ledger.url, &plan)?;
    if path.exists() {
        Ledger::open(path, Open::Shared).await?;
    }
    let clients = Clients::new(&plan, transport, &clock)?;
    look(&plan, &clients.source, &clients.target, &mut preflight).await?;
    Ok(preflight)
}

/// The same look; its first error ends the run before it has begun. Answers the target's maximum retention in days, where it has one.
pub(crate) async fn require(plan: &LoadedPlan, source: &LegacyClient, target: &Target) -> Result<Option<u32>, Stop> {
    let mut preflight = Preflight::default();
    let maximum_days = look(plan, source, target, &mut preflight).await?;
    for warning in preflight.findings.iter().filter(|finding| !finding.is_error) {
        tracing::warn!("{}", warning.text);
    }
    match preflight.findings.into_iter().find(|finding| finding.is_error) {
        Some(error) => Err(Stop::Plan(error.text)),
        None => Ok(maximum_days),
    }
}

async fn look(plan: &LoadedPlan, source: &LegacyClient, target: &Target, preflight: &mut Preflight) -> Result<Option<u32>, Stop> {
    let (agents, queues) = (source.users().await.map_err(Stop::Source)?, source.queues().await.map_err(Stop::Source)?);
    let mapped: HashSet<&str> = plan.mapping.agents.iter().map(|row| row.legacy_agent_id.as_str()).collect();
    preflight.source_agents = (agents.len(), agents.iter().filter(|agent| !mapped.contains(agent.id.as_str())).count());
    let mapped: HashSet<&str> = plan.mapping.queues.iter().map(|row| row.legacy_queue_id.as_str()).collect();
    preflight.source_queues = (queues.len(), queues.iter().filter(|queue| !mapped.contains(queue.id.as_str())).count());
    for ((all, without), what) in [(preflight.source_agents, "agents"), (preflight.source_queues, "queues")] {
        if without > 0 {
            let text = format!("{without} of {all} {what} of the source stand on no row of the mapping; the plan's rule applies to them");
            preflight.findings.push(Finding { is_error: false, text });
        }
    }
    if let Target::Public(public) = target {
        preflight.findings.extend(without_permission(&public.client().permissions().await.map_err(Stop::Target)?));
    }
    let organisation = Organisation::read(plan, target).await?;
    preflight.findings.extend(organisation.findings);
    let target = target.read();
    let ids = |named: Vec<Named>| named.into_iter().map(|named| named.id).collect::<HashSet<String>>();
    let users = ids(target.users().await.map_err(Stop::Target)?);
    let queues = ids(target.queues().await.map_err(Stop::Target)?);
    let wrapups = ids(target.wrapupcodes().await.map_err(Stop::Target)?);
    let skills = ids(target.skills().await.map_err(Stop::Target)?);
    let hidden = if organisation.divisions > 1 { HIDDEN } else { "" };
    preflight
        .findings
        .extend(misfits(plan, &users, &queues, &wrapups, &skills, hidden).into_iter().map(|text| Finding { is_error: true, text }));
    Ok(organisation.maximum_days)
}

/// What this client may not do there. Without the first two nothing arrives; without the others only what goes wrong cannot be put right.
fn without_permission(permissions: &[Permission]) -> Vec<Finding> {
    let lacking = permissions.iter().filter(|permission| !permission.granted);
    let finding = |permission: &Permission| {
        let (is_error, without) = match permission.name {
            "conversation:conversation:inject" => (true, "no conversation can be created"),
            "recording:recording:upload" => (true, "no recording can be uploaded"),
            "recording:uploadReport:add" | "recording:uploadReport:view" => {
                (false, "an upload that fails is not noticed until the next run")
            }
            "recording:orphan:view" | "recording:orphan:edit" => (false, "a recording that becomes an orphan stays one"),
            "recording:deletionProtection:apply" => (false, "a call under legal hold cannot be protected and is left"),
            _ => (false, "a deletion date that came out wrong cannot be put right"),
        };
        let text = format!("the target's client lacks the permission {}: {without}; add it to the client's role", permission.name);
        Finding { is_error, text }
    };
    lacking.map(finding).collect()
}

/// Ids of the plan and its tables that the target does not have. The platform would answer each with 400, record after record.
fn misfits(
    plan: &LoadedPlan,
    users: &HashSet<String>,
    queues: &HashSet<String>,
    wrapups: &HashSet<String>,
    skills: &HashSet<String>,
    hidden: &str,
) -> Vec<String> {
    let mut misfits = Vec::new();
    if let UnmappedAgent::Fallback(user) = plan.plan.rules.unmapped_agent
        && !users.contains(&user.to_string())
    {
        misfits.push(format!(
            "the fallback user {user} does not exist in the target; create a user \"{FALLBACK_USER}\" there and put its id into rules.unmapped_agent"
        ));
    }
    if let UnmappedQueue::Default(queue) = plan.plan.rules.unmapped_queue
        && !queues.contains(&queue.to_string())
    {
        misfits.push(format!(
            "the default queue {queue} does not exist in the target{hidden}; create it there or correct rules.unmapped_queue"
        ));
    }
    let files = &plan.plan.mapping;
    let mapping = &plan.mapping;
    let agents = mapping.agents.iter().map(|row| (row.genesys_user_id, row.line));
    misfits.extend(absent("user", &files.agents, agents, users, ""));
    misfits.extend(absent("queue", &files.queues, mapping.queues.iter().map(|row| (row.genesys_queue_id, row.line)), queues, hidden));
    let rows = mapping.wrapups.iter().map(|row| (row.genesys_wrapup_id, row.line));
    misfits.extend(files.wrapups.iter().flat_map(|file| absent("wrap-up code", file, rows.clone(), wrapups, hidden)));
    let rows = mapping.skills.iter().map(|row| (row.genesys_skill_id, row.line));
    misfits.extend(files.skills.iter().flat_map(|file| absent("skill", file, rows.clone(), skills, "")));
    misfits
}

fn absent(
    what: &'static str,
    file: &std::path::Path,
    rows: impl Iterator<Item = (uuid::Uuid, u64)>,
    known: &HashSet<String>,
    hidden: &str,
) -> Vec<String> {
    rows.filter(|(id, _)| !known.contains(&id.to_string()))
        .map(|(id, line)| {
            format!("{} line {line}: {what} {id} does not exist in the target{hidden}; correct the row or create it there", file.display())
        })
        .collect()
}
