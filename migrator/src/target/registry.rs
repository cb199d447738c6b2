//! The kinds of target there are.

use std::sync::Arc;

use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::transport::Transport;

use super::{Target, TargetRules, genesys_cloud, gir};
use crate::error::RunError;

/// Address by which a plan means the target of tests, which answers without a server.
#[cfg(test)]
pub(crate) const TEST_TARGET: &str = super::toy::ADDRESS;

/// What the target of a plan makes of calls.
pub(crate) fn rules_of(plan: &LoadedPlan) -> &'static dyn TargetRules {
    match &plan.plan.target {
        #[cfg(test)]
        _ if super::toy::is_meant_by(plan) => &super::toy::RULES,
        plan::Target::GenesysCloud(cloud) => genesys_cloud::rules(cloud),
        plan::Target::Gir(_) => &gir::RULES,
    }
}

/// The target of a plan. Sends nothing yet.
pub(crate) fn open(
    plan: &LoadedPlan,
    transport: Arc<dyn Transport>,
    clock: &Clock,
) -> Result<Box<dyn Target>, RunError> {
    match &plan.plan.target {
        #[cfg(test)]
        _ if super::toy::is_meant_by(plan) => Ok(Box::new(super::toy::Toy::new(plan))),
        plan::Target::GenesysCloud(cloud) => genesys_cloud::open(plan, cloud, transport, clock),
        plan::Target::Gir(site) => Ok(Box::new(gir::Gir::new(plan, site, transport, clock)?)),
    }
}
