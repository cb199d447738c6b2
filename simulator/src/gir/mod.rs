//! Genesys Interaction Recording as a target: its Interaction Recording Web Services (RWS).
//!
//! [`Gir`] is the platform; `state` is what it remembers (no HTTP there), `wire` what a recording looks like, `fields` what the insertion asks of
//! one, `rules` what it imposes and who says so, `settings` what a scenario may change. A request goes through `door`; `truth` tells what is held.

mod answer;
mod centers;
mod dates;
mod door;
mod fields;
mod keeping;
mod query;
mod recordings;
mod routes;
mod rules;
mod session;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod truth;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;

pub use self::settings::{Limits, OtherRegion, Paging, Repeated, Settings, Wins, Zoneless};
use crate::front::{Core, Platform, Refusal, Reply};
use crate::rules::Rule;
use crate::seed::Seed;

/// The platform's name in operations, journal and control API.
pub(crate) const NAME: &str = "gir";

/// The ops account's name, as in the vendor's examples.
const USERNAME: &str = "ops";

/// The feature that insertion needs.
const INSERTION_FEATURE: &str = "api-supervisor-recording";

/// The feature that labels and non-deletion need.
const KEEPING_FEATURE: &str = "schema-elasticsearch-v2-call-recording";

/// One simulated deployment: a node of Interaction Recording Web Services with one contact centre.
pub(crate) struct Gir {
    core: Arc<Core>,
    settings: Settings,
    password: String,
    base_url: Mutex<String>,
    sessions: Mutex<session::Sessions>,
    state: Mutex<state::State>,
}

impl Gir {
    /// An empty deployment.
    pub(crate) fn new(core: Arc<Core>, settings: Settings) -> Arc<Gir> {
        let own = core.seed.child(NAME).child("password");
        let password = format!("gir-{:016x}{:016x}", own.child("a").value(), own.child("b").value());
        Arc::new(Gir { core, settings, password, base_url: Mutex::default(), sessions: Mutex::default(), state: Mutex::default() })
    }

    /// Says where the router listens; addresses of media begin with it.
    pub(crate) fn set_base_url(&self, url: String) {
        *self.base_url.lock().unwrap_or_else(PoisonError::into_inner) = url.trim_end_matches('/').to_owned();
    }

    /// Name and password of the ops account.
    pub(crate) fn credentials(&self) -> (&str, &str) {
        (USERNAME, &self.password)
    }

    /// Every path of this platform.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        routes::router().with_state(Arc::clone(self))
    }

    /// What the deployment really holds: NDJSON, one recording a line, sorted by legacy id (contracts, section 11).
    pub(crate) fn truth(&self) -> Result<String, serde_json::Error> {
        truth::export(&self.state())
    }

    fn seed(&self) -> Seed {
        self.core.seed.child(NAME)
    }

    fn mark(&self, rule: &'static Rule) {
        self.core.exercised.mark(rule);
    }

    fn base_url(&self) -> String {
        self.base_url.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn state(&self) -> MutexGuard<'_, state::State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Platform for Gir {
    fn name(&self) -> &'static str {
        NAME
    }

    fn refuse(&self, refusal: &Refusal) -> Reply {
        answer::refusal(refusal)
    }
}

/// What this platform claims.
pub(crate) fn rules() -> impl Iterator<Item = &'static Rule> {
    rules::ALL.iter().copied()
}
