//! The one place that names the sources.

use std::sync::Arc;

use plan::{LoadedPlan, SourceKind};
use platforms::clock::Clock;

use super::legacy::{self, LEGACY};
use super::staged::Staged;
use super::{SharedSource, Source};
use crate::options::{Options, SourceFrom};
use crate::requests::{Endpoint, Gates, Operation};
use crate::run_error::RunError;

/// The source of a plan, or its staged copy. Sends nothing yet.
pub(crate) fn open(loaded: &LoadedPlan, options: &Options, gates: &Gates, clock: &Clock) -> Result<SharedSource, RunError> {
    let source: Arc<dyn Source> = match (options.source, loaded.plan.source.kind) {
        (SourceFrom::Staged, _) => Arc::new(Staged::of(loaded, options.staging_url.as_deref())?),
        (SourceFrom::Live, SourceKind::Legacy) => Arc::new(legacy::Live::open(loaded, gates, clock)?),
        (SourceFrom::Live, SourceKind::Files) => {
            return Err(RunError::Plan("source.kind = \"files\" cannot be verified live; verify against the staging".to_owned()));
        }
    };
    Ok(source)
}

/// Requests to the source; none where it is staged.
pub(crate) fn operations(options: &Options) -> &'static [Operation] {
    match options.source {
        SourceFrom::Live => legacy::OPERATIONS,
        SourceFrom::Staged => &[],
    }
}

/// Its service, as the plan has it.
pub(crate) fn endpoint(loaded: &LoadedPlan) -> Endpoint {
    let root = &loaded.plan.source.base_url;
    Endpoint { service: LEGACY, root: Some(root.clone()), token: root.join("/oauth/token").ok() }
}
