//! The kinds of source there are.

use std::sync::Arc;

use plan::LoadedPlan;
use platforms::clock::Clock;
use platforms::transport::Transport;

use super::{Source, SourceFormat, legacy};
use crate::error::RunError;

/// How to read what the source of a plan has answered.
pub(crate) fn format_of(plan: &LoadedPlan) -> &'static dyn SourceFormat {
    match &plan.plan.source {
        #[cfg(test)]
        _ if super::toy::is_meant_by(plan) => &super::toy::FORMAT,
        // Files are not built: a run of such a plan is refused before anything is read.
        plan::Source::Legacy(_) | plan::Source::Files(_) => &legacy::FORMAT,
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
        plan::Source::Files(_) => Err(RunError::Plan(
            "source.kind = \"files\" is not built yet".to_owned(),
        )),
    }
}
