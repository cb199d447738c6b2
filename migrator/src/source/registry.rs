//! The kinds of source there are.

use std::sync::Arc;

use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::transport::Transport;

use super::{Source, SourceFormat, files, genesys_cloud, legacy};
use crate::error::RunError;

/// How to read what the source of a plan has answered.
pub(crate) fn format_of(plan: &LoadedPlan) -> &dyn SourceFormat {
    match (&plan.plan.source, &plan.layout) {
        #[cfg(test)]
        _ if super::toy::is_meant_by(plan) => &super::toy::FORMAT,
        // A plan is not loaded without the layout of its files.
        (plan::Source::Files(_), Some(layout)) => layout,
        (plan::Source::GenesysCloud(_), _) => &genesys_cloud::FORMAT,
        (plan::Source::Legacy(_) | plan::Source::Files(_), _) => &legacy::FORMAT,
    }
}

/// The source of a plan. Sends nothing yet.
pub(crate) fn open(
    plan: &LoadedPlan,
    transport: Arc<dyn Transport>,
    clock: &Clock,
) -> Result<Box<dyn Source>, RunError> {
    match &plan.plan.source {
        #[cfg(test)]
        _ if super::toy::is_meant_by(plan) => Ok(Box::new(super::toy::Toy::new(plan))),
        plan::Source::Legacy(section) => Ok(Box::new(legacy::Legacy::new(
            plan, section, transport, clock,
        )?)),
        plan::Source::GenesysCloud(section) => Ok(Box::new(genesys_cloud::GenesysCloud::new(
            plan, section, transport, clock,
        )?)),
        plan::Source::Files(_) => Ok(Box::new(files::Files::new(plan, clock)?)),
    }
}
