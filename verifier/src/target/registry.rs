//! The one place that names the platforms.

use std::sync::Arc;

use plan::LoadedPlan;

use super::Platform;
use super::genesys_cloud::GenesysCloud;
use super::gir::Gir;
pub use super::gir::{HandedOver, Stores};
use crate::options::Options;
use crate::run_error::RunError;

/// The platform of a plan.
pub(crate) fn platform(loaded: &LoadedPlan) -> Arc<dyn Platform> {
    match &loaded.plan.target {
        #[cfg(test)]
        _ if super::toy::is_meant_by(loaded) => Arc::new(super::toy::Toy::new(loaded)),
        plan::Target::GenesysCloud(section) => Arc::new(GenesysCloud::new(section)),
        plan::Target::Gir(section) => Arc::new(Gir::new(section, loaded)),
    }
}

/// Refuses options that the plan's platform has no use for.
pub(crate) fn check_options(loaded: &LoadedPlan, options: &Options) -> Result<(), RunError> {
    match &loaded.plan.target {
        plan::Target::GenesysCloud(_)
            if options.exports.is_any() || !options.decryption_keys.is_empty() =>
        {
            Err(RunError::Plan(
                "exports and decryption keys are for target.kind = \"gir\"; leave them out"
                    .to_owned(),
            ))
        }
        plan::Target::GenesysCloud(_) | plan::Target::Gir(_) => Ok(()),
    }
}
