//! The mapping of agents, written into the target as external ids of its users, where the plan asks
//! for it: whoever audits later reads it back from the platform itself. Once for each state of plan
//! and mapping, and safe to repeat.

use std::collections::{BTreeMap, BTreeSet};

use plan::LoadedPlan;
use platforms::CallError;
use platforms::genesys_cloud::PublicClient;
use uuid::Uuid;

use crate::error::RunError;
use crate::ledger::Ledger;

/// Where the ledger remembers for which plan they were written.
const WRITTEN: &str = "external_ids";

/// Writes those that are missing. What the target does not take is counted as a warning and keeps
/// nothing back.
pub(crate) async fn write(
    plan: &LoadedPlan,
    client: &PublicClient,
    ledger: &dyn Ledger,
) -> Result<(), RunError> {
    let Some(authority) = &plan.plan.mapping.external_id_authority else {
        return Ok(());
    };
    if ledger
        .meta(WRITTEN)
        .await?
        .is_some_and(|of| of == plan.hash)
    {
        return Ok(());
    }
    for (agent, users) in users_of_agents(plan) {
        let mut users = users.into_iter();
        let (Some(user), None) = (users.next(), users.next()) else {
            // One key names one user there; which of two it was is a question of the call's date.
            ledger.note("external_id_ambiguous", agent).await?;
            continue;
        };
        let user = user.to_string();
        match client.add_external_id(&user, authority, agent).await {
            Ok(None) => {}
            Ok(Some(owner)) if owner.eq_ignore_ascii_case(&user) => {}
            Ok(Some(_)) => ledger.note("external_id_taken", agent).await?,
            Err(CallError::Refused {
                status: 400 | 404, ..
            }) => ledger.note("external_id_refused", agent).await?,
            Err(error) => return Err(RunError::Target(error)),
        }
    }
    Ok(ledger.set_meta(vec![(WRITTEN, plan.hash.clone())]).await?)
}

/// Each agent of the mapping, with every user it stands for at some time.
fn users_of_agents(plan: &LoadedPlan) -> BTreeMap<&str, BTreeSet<Uuid>> {
    let mut users: BTreeMap<&str, BTreeSet<Uuid>> = BTreeMap::new();
    for row in &plan.mapping.agents {
        users
            .entry(&row.legacy_agent_id)
            .or_default()
            .insert(row.genesys_user_id);
    }
    users
}
