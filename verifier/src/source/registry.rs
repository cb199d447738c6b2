//! The one place that names the sources.

use std::sync::Arc;

use plan::LoadedPlan;
use platforms::clock::Clock;

use super::legacy;
use super::staged::Staged;
use super::{SharedSource, Source, SourceFormat};
use crate::options::{Options, SourceFrom};
use crate::requests::{Endpoint, Gates, Operation};
use crate::run_error::RunError;

/// The source of a plan, or its staged copy. Sends nothing yet.
pub(crate) fn open(
    loaded: &LoadedPlan,
    options: &Options,
    gates: &Gates,
    clock: &Clock,
) -> Result<SharedSource, RunError> {
    let source: Arc<dyn Source> = match (options.source, &loaded.plan.source) {
        (SourceFrom::Staged, _) => Arc::new(Staged::of(
            loaded,
            format_of(loaded),
            options.staging_url.as_deref(),
        )?),
        #[cfg(test)]
        (SourceFrom::Live, _) if super::toy::is_meant_by(loaded) => super::toy::open(loaded),
        (SourceFrom::Live, plan::Source::Legacy(section)) => {
            Arc::new(legacy::Live::open(loaded, section, gates, clock)?)
        }
        (SourceFrom::Live, plan::Source::Files(_)) => {
            return Err(RunError::Plan(
                "source.kind = \"files\" cannot be verified live; verify against the staging"
                    .to_owned(),
            ));
        }
    };
    Ok(source)
}

/// How to read what was staged of the source of a plan.
fn format_of(loaded: &LoadedPlan) -> &'static dyn SourceFormat {
    match &loaded.plan.source {
        #[cfg(test)]
        _ if super::toy::is_meant_by(loaded) => &super::toy::FORMAT,
        // Files are not built: what was staged under such a plan is the legacy platform's.
        plan::Source::Legacy(_) | plan::Source::Files(_) => &legacy::FORMAT,
    }
}

/// Requests to the source; none where it is staged.
pub(crate) fn operations(loaded: &LoadedPlan, options: &Options) -> &'static [Operation] {
    match (options.source, &loaded.plan.source) {
        (SourceFrom::Staged, _) => &[],
        #[cfg(test)]
        (SourceFrom::Live, _) if super::toy::is_meant_by(loaded) => &[],
        (SourceFrom::Live, plan::Source::Legacy(_) | plan::Source::Files(_)) => legacy::OPERATIONS,
    }
}

/// Its service, as the plan has it.
pub(crate) fn endpoint(loaded: &LoadedPlan) -> Endpoint {
    legacy::endpoint(loaded.plan.source.main_url())
}
