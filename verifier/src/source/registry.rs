//! The one place that names the sources.

use std::sync::Arc;

use plan::LoadedPlan;
use platforms::clock::Clock;

use super::files::{Export, FilesFormat};
use super::genesys_cloud::{self, GenesysCloudFormat};
use super::legacy::{self, LegacyFormat};
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
            format_of(loaded)?,
            options.staging_url.as_deref(),
        )?),
        #[cfg(test)]
        (SourceFrom::Live, _) if super::toy::is_meant_by(loaded) => super::toy::open(loaded),
        (SourceFrom::Live, plan::Source::Legacy(section)) => {
            Arc::new(legacy::Live::open(loaded, section, gates, clock)?)
        }
        (SourceFrom::Live, plan::Source::GenesysCloud(section)) => {
            Arc::new(genesys_cloud::Live::open(loaded, section, gates, clock)?)
        }
        (SourceFrom::Live, plan::Source::Files(section)) => {
            Arc::new(Export::open(loaded, section)?)
        }
    };
    Ok(source)
}

/// How to read what was staged of the source of a plan.
fn format_of(loaded: &LoadedPlan) -> Result<Arc<dyn SourceFormat>, RunError> {
    Ok(match &loaded.plan.source {
        #[cfg(test)]
        _ if super::toy::is_meant_by(loaded) => Arc::new(super::toy::ToyFormat),
        plan::Source::Legacy(_) => Arc::new(LegacyFormat),
        plan::Source::GenesysCloud(_) => Arc::new(GenesysCloudFormat),
        plan::Source::Files(_) => {
            Arc::new(FilesFormat::of(loaded).ok_or_else(|| {
                RunError::Internal("a source of files without a layout".to_owned())
            })?)
        }
    })
}

/// Requests to the source; none where it is staged.
pub(crate) fn operations(loaded: &LoadedPlan, options: &Options) -> &'static [Operation] {
    match (options.source, &loaded.plan.source) {
        (SourceFrom::Staged, _) => &[],
        #[cfg(test)]
        (SourceFrom::Live, _) if super::toy::is_meant_by(loaded) => &[],
        (SourceFrom::Live, plan::Source::Legacy(_)) => legacy::OPERATIONS,
        (SourceFrom::Live, plan::Source::GenesysCloud(_)) => genesys_cloud::OPERATIONS,
        // Files are asked nothing.
        (SourceFrom::Live, plan::Source::Files(_)) => &[],
    }
}

/// What the source of a plan is called in a report: its address, or the folder of its metadata as
/// the plan has it.
pub(crate) fn name(loaded: &LoadedPlan) -> String {
    match &loaded.plan.source {
        plan::Source::Legacy(section) => section.base_url.to_string(),
        plan::Source::GenesysCloud(section) => {
            section.api_url().map_or_else(String::new, String::from)
        }
        plan::Source::Files(section) => section.metadata().to_owned(),
    }
}

/// Its service, as the plan has it. Absent: it is asked nothing.
pub(crate) fn endpoint(loaded: &LoadedPlan) -> Option<Endpoint> {
    match &loaded.plan.source {
        plan::Source::Legacy(section) => Some(legacy::endpoint(Some(&section.base_url))),
        plan::Source::GenesysCloud(section) => Some(genesys_cloud::endpoint(section)),
        plan::Source::Files(_) => None,
    }
}
