//! Genesys Cloud, through its public API.

mod carrier;
mod convert;
mod divisions;
mod parked;
mod policies;
mod read;
mod sound;

use std::collections::BTreeSet;
use std::sync::Arc;

use plan::{Ingest, LoadedPlan};
use platforms::Credentials;
use platforms::clock::Clock;
use platforms::genesys_cloud::{ReadClient, Settings};

pub(crate) use divisions::{Coverage, shown};
pub(crate) use parked::Parked;
pub(crate) use policies::DeletingPolicy;
pub(crate) use read::{DETAILS_PAGE, PROTECTION_BATCH, RETENTION_PAGE};
pub(in crate::target) use sound::short;
pub(crate) use sound::{BATCH, Batches};

use super::{Asked, TargetSnapshot, need};
use crate::expected::{Maximum, Presence};
use crate::options::{Jobs, Options, Progress};
use crate::requests::{Announced, Base, Gates, Service, Sizes, planned_genesys_cloud};
use crate::stop::Stop;
use carrier::Identity;
use read::Reader;

/// Recordings that should be there, as far as it is known before their sound is heard.
fn due(asked: &Asked<'_>) -> usize {
    let recordings = asked.expectations.iter().flat_map(|expected| &expected.recordings);
    recordings.filter(|recording| recording.presence == Presence::Expected).count()
}

/// An organisation.
pub(crate) struct Target {
    client: Arc<ReadClient>,
    identity: Identity,
    /// Whether recordings were uploaded by themselves (the public ingestion).
    by_events: bool,
}

impl Target {
    /// Sends nothing yet.
    pub(crate) fn open(loaded: &LoadedPlan, target: &plan::target::GenesysCloud, gates: &Gates, clock: &Clock) -> Result<Target, Stop> {
        let missing = |what: &str| Stop::Plan(format!("target.{what} is missing; a verification reads the target's public API"));
        let settings = Settings {
            api_url: target.api_url().ok_or_else(|| missing("base_url"))?,
            token_url: target.token_url().ok_or_else(|| missing("login_url"))?,
            credentials: Credentials {
                client_id: target.client_id.clone(),
                client_secret: loaded.secret(&target.client_secret, "target.client_secret")?.expose_the_secret().to_owned(),
            },
            requests_per_minute: loaded.plan.pace.requests_per_minute,
        };
        let base = Base { api: settings.api_url.clone(), token: Some(settings.token_url.clone()) };
        let client = Arc::new(ReadClient::new(gates.of(Service::GenesysCloud, base), clock.clone(), settings));
        Ok(Target { client, identity: Identity::new(loaded)?, by_events: target.ingest == Ingest::Public })
    }

    /// How long the organisation keeps anything at most.
    pub(crate) async fn maximum_retention(&self, needs: &mut BTreeSet<String>) -> Result<Maximum, Stop> {
        match self.client.maximum_retention_days().await {
            Ok(days) => Ok(days.map_or(Maximum::None, Maximum::Days)),
            // An organisation that does not know the setting has none.
            Err(error) if error.status() == Some(404) => Ok(Maximum::None),
            Err(error) => {
                let need = need("get_data_retention", &error).ok_or_else(|| Stop::target("read the maximum retention", &error))?;
                needs.insert(need.clone());
                Ok(Maximum::Unread(need))
            }
        }
    }

    pub(crate) async fn announce(&self, sizes: Sizes, per_minute: u32, needs: &mut BTreeSet<String>) -> Result<Announced, Stop> {
        let told = self.limit(needs).await?;
        Ok(Announced::new(planned_genesys_cloud(sizes), per_minute, told))
    }

    /// The token's limit as the organisation tells it. Requests a minute. Not to be read: the plan's pace is reckoned with.
    async fn limit(&self, needs: &mut BTreeSet<String>) -> Result<Option<u32>, Stop> {
        const KEYS: [&str; 2] = ["client.credentials.token.rate.per.minute", "token.rate.per.minute"];
        match self.client.limits("platform.api").await {
            Ok(limits) => {
                let of_tokens = limits.into_iter().filter(|limit| limit.key.as_deref().is_some_and(|key| KEYS.contains(&key)));
                Ok(of_tokens.filter_map(|limit| u32::try_from(limit.value?).ok()).filter(|value| *value > 0).min())
            }
            // Nothing is judged by it, so nothing hangs on it but the time said beforehand.
            Err(error) => {
                needs.insert(need("get_limits", &error).ok_or_else(|| Stop::target("read the limits", &error))?);
                Ok(None)
            }
        }
    }

    pub(crate) async fn snapshot(&self, asked: &Asked<'_>, progress: &dyn Progress) -> Result<TargetSnapshot, Stop> {
        let options = asked.options;
        let reader = Reader {
            client: self.client.clone(),
            clock: asked.clock.clone(),
            identity: self.identity.clone(),
            concurrency: options.concurrency,
            patience: options.patience,
            jobs: options.jobs == Jobs::Create,
            only: options.only.as_ref(),
            calls: asked.expectations.len(),
            recordings: due(asked),
            by_events: self.by_events,
            kept: asked.kept,
        };
        reader.snapshot(progress).await
    }

    pub(crate) fn batches(&self, options: &Options, clock: &Clock, most: u64) -> Batches {
        Batches { client: self.client.clone(), clock: clock.clone(), patience: options.patience, jobs: options.jobs, most }
    }
}
