//! Genesys Cloud, by one of two ingestion surfaces: the recording-migration guide's, or the
//! vendor's public one.

mod guide;
mod names;
mod organisation;
mod public;
mod survey;

use std::sync::Arc;

use plan::target::GenesysCloud;
use plan::{Ingest, LoadedPlan};
use platforms::Credentials;
use platforms::clock::Clock;
use platforms::genesys_cloud::{GuideClient, PublicClient, Settings};
use platforms::transport::Transport;

use super::losses::{DeclaredLoss, loss};
use super::{Target, TargetRules};
use crate::error::RunError;
use guide::Guide;
use public::Public;

pub(super) fn rules(cloud: &GenesysCloud) -> &'static dyn TargetRules {
    match cloud.ingest {
        Ingest::Guide => &guide::RULES,
        Ingest::Public => &public::RULES,
    }
}

/// Sends nothing yet.
pub(super) fn open(
    plan: &LoadedPlan,
    cloud: &GenesysCloud,
    transport: Arc<dyn Transport>,
    clock: &Clock,
) -> Result<Box<dyn Target>, RunError> {
    let unusable = |what: &str| RunError::Plan(format!("{what} is not a URL to work with"));
    let secret = plan.secret(&cloud.client_secret, "target.client_secret")?;
    let settings = Settings {
        api_url: cloud.api_url().ok_or_else(|| unusable("target.base_url"))?,
        token_url: cloud
            .token_url()
            .ok_or_else(|| unusable("target.login_url"))?,
        credentials: Credentials {
            client_id: cloud.client_id.clone(),
            client_secret: secret.expose_the_secret().to_owned(),
        },
        requests_per_minute: plan.plan.pace.requests_per_minute,
    };
    Ok(match cloud.ingest {
        Ingest::Guide => Box::new(Guide::new(GuideClient::new(
            transport,
            clock.clone(),
            settings,
            plan.plan.pace.uploads_per_second,
        ))),
        Ingest::Public => Box::new(Public::new(PublicClient::new(
            transport,
            clock.clone(),
            settings,
        ))),
    })
}

/// Conversations that an organisation protects against deletion at most. Source: help page on
/// protecting recordings from deletion for a legal hold directive.
const MOST_HOLDS: u64 = 1000;

fn without_years() -> DeclaredLoss {
    loss(
        "retention class without years in the plan",
        "is not carried: the recording has no deletion date",
    )
}
