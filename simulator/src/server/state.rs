//! What the control API and the handle of a running simulator share.

use std::path::PathBuf;
use std::sync::Arc;

use super::error::SimulatorError;
use super::snapshots::Snapshots;
use crate::http::layer::Gate;
use crate::pipeline::Core;
use crate::platforms::Platform;
use crate::platforms::registry::{Addresses, Credentials, Platforms};
use crate::platforms::target::Target;
use crate::setup::Setup;
use crate::tamper::{TamperAnswer, TamperRefusal};
use crate::world::World;

/// A simulator's parts.
pub(crate) struct State {
    pub(crate) core: Arc<Core>,
    pub(crate) world: Arc<World>,
    pub(crate) platforms: Platforms,
    pub(crate) setup: Setup,
    pub(crate) seed: u64,
    pub(crate) addresses: Addresses,
    pub(crate) credentials: Credentials,
    pub(crate) gate: Gate,
    pub(crate) snapshots: Snapshots,
    /// Where uploads lie.
    pub(crate) spool: PathBuf,
    /// What the plan names beside the mapping tables.
    pub(super) target: Target,
    /// Removed with the last reference.
    pub(super) _spool: Option<tempfile::TempDir>,
}

impl State {
    /// The platform that recordings are moved to.
    pub(super) fn target(&self) -> Arc<dyn Platform> {
        self.platforms.target(self.setup.target)
    }

    /// What a platform really holds.
    pub(crate) async fn truth(platform: Arc<dyn Platform>) -> Result<String, SimulatorError> {
        let name = platform.name();
        let failed = |reason| SimulatorError::Truth {
            platform: name,
            reason,
        };
        let truth = tokio::task::spawn_blocking(move || platform.truth()).await;
        truth
            .map_err(|error| failed(error.to_string()))?
            .map_err(failed)
    }

    pub(crate) fn tamper(
        &self,
        defect: &str,
        count: usize,
        seed: u64,
    ) -> Result<TamperAnswer, TamperRefusal> {
        self.target().tamper(defect, count, seed)
    }
}
