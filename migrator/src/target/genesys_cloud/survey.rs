//! Does the plan fit this organisation? Reads only.

use std::collections::HashSet;

use plan::{LoadedPlan, UnmappedAgent, UnmappedQueue};
use platforms::genesys_cloud::public::Permission;
use platforms::genesys_cloud::wire::Named;
use platforms::genesys_cloud::{PublicClient, ReadClient};

use super::organisation::Organisation;
use crate::error::RunError;
use crate::target::{FALLBACK_USER, Finding};

/// What else may be the case with what is not listed. Source: platform API, GET routing/queues
/// lists the divisions the client's role covers.
const HIDDEN: &str = ", or stands in a division that this client's role does not cover";

/// Looks at the organisation. Answers its maximum retention in days, where it has one.
pub(super) async fn survey(
    plan: &LoadedPlan,
    target: &ReadClient,
    public: Option<&PublicClient>,
    findings: &mut Vec<Finding>,
) -> Result<Option<u32>, RunError> {
    let organisation = Organisation::read(plan, target, public).await?;
    findings.extend(organisation.findings);
    let ids = |named: Vec<Named>| {
        named
            .into_iter()
            .map(|named| named.id)
            .collect::<HashSet<String>>()
    };
    let users = ids(target.users().await.map_err(RunError::Target)?);
    let queues = ids(target.queues().await.map_err(RunError::Target)?);
    let wrapups = ids(target.wrapupcodes().await.map_err(RunError::Target)?);
    let skills = ids(target.skills().await.map_err(RunError::Target)?);
    let hidden = if organisation.divisions > 1 {
        HIDDEN
    } else {
        ""
    };
    let misfits = misfits(plan, &users, &queues, &wrapups, &skills, hidden);
    findings.extend(misfits.into_iter().map(|text| Finding {
        is_error: true,
        text,
    }));
    Ok(organisation.maximum_days)
}

/// What this client may not do there. Without the first two nothing arrives; without the others
/// only what goes wrong cannot be put right.
pub(super) fn without_permission(permissions: &[Permission]) -> Vec<Finding> {
    let lacking = permissions.iter().filter(|permission| !permission.granted);
    let finding = |permission: &Permission| {
        let (is_error, without) = match permission.name {
            "conversation:conversation:inject" => (true, "no conversation can be created"),
            "recording:recording:upload" => (true, "no recording can be uploaded"),
            "recording:uploadReport:add" | "recording:uploadReport:view" => (
                false,
                "an upload that fails is not noticed until the next run",
            ),
            "recording:orphan:view" | "recording:orphan:edit" => {
                (false, "a recording that becomes an orphan stays one")
            }
            "recording:deletionProtection:apply" => (
                false,
                "a call under legal hold cannot be protected and is left",
            ),
            _ => (
                false,
                "a deletion date that came out wrong cannot be put right",
            ),
        };
        let text = format!(
            "the target's client lacks the permission {}: {without}; add it to the client's role",
            permission.name
        );
        Finding { is_error, text }
    };
    lacking.map(finding).collect()
}

/// Ids of the plan and its tables that the target does not have. The platform would answer each
/// with 400, record after record.
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
            "the fallback user {user} does not exist in the target; create a user \
             \"{FALLBACK_USER}\" there and put its id into rules.unmapped_agent"
        ));
    }
    if let UnmappedQueue::Default(queue) = plan.plan.rules.unmapped_queue
        && !queues.contains(&queue.to_string())
    {
        misfits.push(format!(
            "the default queue {queue} does not exist in the target{hidden}; create it there or \
             correct rules.unmapped_queue"
        ));
    }
    let files = &plan.plan.mapping;
    let mapping = &plan.mapping;
    let agents = mapping
        .agents
        .iter()
        .map(|row| (row.genesys_user_id, row.line));
    misfits.extend(absent("user", &files.agents, agents, users, ""));
    misfits.extend(absent(
        "queue",
        &files.queues,
        mapping
            .queues
            .iter()
            .map(|row| (row.genesys_queue_id, row.line)),
        queues,
        hidden,
    ));
    let rows = mapping
        .wrapups
        .iter()
        .map(|row| (row.genesys_wrapup_id, row.line));
    misfits.extend(
        files
            .wrapups
            .iter()
            .flat_map(|file| absent("wrap-up code", file, rows.clone(), wrapups, hidden)),
    );
    let rows = mapping
        .skills
        .iter()
        .map(|row| (row.genesys_skill_id, row.line));
    misfits.extend(
        files
            .skills
            .iter()
            .flat_map(|file| absent("skill", file, rows.clone(), skills, "")),
    );
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
            format!(
                "{} line {line}: {what} {id} does not exist in the target{hidden}; correct the \
                row or create it there",
                file.display()
            )
        })
        .collect()
}
