//! Where recordings go: one of two platforms.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use plan::{Ingest, LoadedPlan};
use platforms::Counts;
use platforms::clock::Clock;
use platforms::genesys_cloud::{GuideClient, PublicClient, Settings};
use platforms::transport::Transport;

use crate::genesys_cloud::{Public, Surface};
use crate::gir::Gir;
use crate::ledger::Ledger;
use crate::outcome::Stop;
use crate::preflight::credentials;

/// The target of a plan.
pub(crate) enum Target {
    GenesysCloud(Surface),
    Gir(Box<Gir>),
}

impl Target {
    pub(crate) fn new(plan: &LoadedPlan, transport: Arc<dyn Transport>, clock: &Clock) -> Result<Target, Stop> {
        match &plan.plan.target {
            plan::Target::GenesysCloud(cloud) => Ok(Target::GenesysCloud(surface(plan, cloud, transport, clock)?)),
            plan::Target::Gir(site) => Ok(Target::Gir(Box::new(Gir::new(plan, site, transport, clock)?))),
        }
    }

    /// The mapping of agents, where plan and surface let it be written.
    pub(crate) async fn write_external_ids(&self, plan: &LoadedPlan, ledger: &Ledger) -> Result<(), Stop> {
        match self {
            Target::GenesysCloud(surface) => surface.write_external_ids(plan, ledger).await,
            Target::Gir(_) => Ok(()),
        }
    }

    /// Requests sent, and answers with status 429.
    pub(crate) fn traffic(&self) -> (u64, u64) {
        let counts: Vec<Arc<Counts>> = match self {
            Target::GenesysCloud(surface) => vec![surface.counts()],
            Target::Gir(gir) => gir.counts(),
        };
        let sum = |of: fn(&Counts) -> u64| counts.iter().map(|counts| of(counts)).sum();
        (sum(|counts| counts.requests.load(Ordering::Relaxed)), sum(|counts| counts.throttled.load(Ordering::Relaxed)))
    }
}

fn surface(plan: &LoadedPlan, target: &plan::target::GenesysCloud, transport: Arc<dyn Transport>, clock: &Clock) -> Result<Surface, Stop> {
    let unusable = |what: &str| Stop::Plan(format!("{what} is not a URL to work with"));
    let settings = Settings {
        api_url: target.api_url().ok_or_else(|| unusable("target.base_url"))?,
        token_url: target.token_url().ok_or_else(|| unusable("target.login_url"))?,
        credentials: credentials(&target.client_id, &plan.secret(&target.client_secret, "target.client_secret")?),
        requests_per_minute: plan.plan.pace.requests_per_minute,
    };
    Ok(match target.ingest {
        Ingest::Guide => Surface::Guide(GuideClient::new(transport, clock.clone(), settings, plan.plan.pace.uploads_per_second)),
        Ingest::Public => Surface::Public(Box::new(Public::new(PublicClient::new(transport, clock.clone(), settings)))),
    })
}
