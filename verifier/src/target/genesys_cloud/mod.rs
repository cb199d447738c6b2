//! Genesys Cloud, through its public API.

mod carrier;
mod checks;
mod convert;
mod divisions;
mod lag;
mod parked;
mod policies;
mod read;
mod reconcile;
mod requests;
mod shapes;
mod sound;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use plan::{Ingest, LoadedPlan, Plan};
use platforms::Credentials;
use platforms::clock::Clock;
use platforms::genesys_cloud::{ReadClient, Settings};
use serde::{Deserialize, Serialize};

pub(crate) use requests::{GENESYS_CLOUD, OPERATIONS, planned};

use super::{
    Asked, Conversations, MediaStore, Platform, Reconciled, Reconciling, Target, TargetSnapshot,
};
use crate::capabilities::{CallData, Capabilities, LegTimes};
use crate::checks::presence::Judged;
use crate::expected::{AgentRow, AgentTable, Maximum};
use crate::finding::Finding;
use crate::observed::TargetConversation;
use crate::options::{Jobs, Options, Progress};
use crate::requests::{Announced, Base, Creation, Endpoint, Gates, Operation, Sizes};
use crate::run_error::RunError;
use carrier::Identity;
use parked::Parked;
use policies::DeletingPolicy;
use read::Reader;
use requests::need;
use sound::Batches;

/// An organisation, as its plan describes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GenesysCloud {
    /// Whether calls were told by events and recordings uploaded by themselves (the public
    /// ingestion).
    by_events: bool,
}

/// What only Genesys Cloud has.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct OrganisationFacts {
    /// Uploads that are waiting for something.
    parked: Vec<Parked>,
    /// Retention policies in force that delete at once, and how many of our calls each is about.
    policies: Vec<(DeletingPolicy, u64)>,
    /// Our calls.
    calls: u64,
}

impl OrganisationFacts {
    /// Holds every call against the policies.
    fn count(&mut self, ours: &Conversations) -> Result<(), RunError> {
        self.calls = ours.len();
        if self.policies.is_empty() {
            return Ok(());
        }
        for call in ours.iter() {
            let call = call?;
            for (policy, about) in &mut self.policies {
                *about += u64::from(policy.is_about(&call));
            }
        }
        Ok(())
    }
}

impl GenesysCloud {
    /// By the guide's surface.
    #[cfg(test)]
    pub(crate) const DEFAULT: GenesysCloud = GenesysCloud { by_events: false };

    pub(super) fn new(section: &plan::target::GenesysCloud) -> GenesysCloud {
        GenesysCloud {
            by_events: section.ingest == Ingest::Public,
        }
    }
}

impl Platform for GenesysCloud {
    fn name(&self) -> &'static str {
        "Genesys Cloud"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            takes_calls_without_recordings: true,
            told_by_events: self.by_events,
            call_data: CallData::OnParticipants,
            leg_times: if self.by_events {
                LegTimes::OfLeg
            } else {
                LegTimes::OfLegOrRecording
            },
            always_shows_a_customer: true,
            no_direction: None,
            recordings_have_deletion_dates: true,
            lists_deleted_recordings: true,
            tells_when_stored: true,
            longest_class_keeps_the_call: false,
        }
    }

    fn holds_at_most(&self) -> Option<u64> {
        // Source: help page on protecting recordings from deletion for a legal hold directive.
        Some(1000)
    }

    fn assumptions(&self) -> &'static [&'static str] {
        &[
            "genesys_cloud.recordings.format_none: formatId=NONE answers at once and gives start \
             and end while the file is available",
            "genesys_cloud.retention.threshold_zero: retentionThresholdDays=0 lists every \
             recording of the organisation",
            "genesys_cloud.deletion_protection.answer: the answer names exactly the protected \
             conversations among those asked for",
            "genesys_cloud.details_job.interval: an analytics job takes an interval of any length",
            "genesys_cloud.attributes: what was written as attributes stands on a participant of \
             the conversation",
            "genesys_cloud.batch.original: a batch gives the bytes as stored, not transcoded",
            "target.retention_maximum: the organisation's maximum retention is not readable, so no \
             recording is excused by it",
        ]
    }

    fn assumption_behind(&self, finding: &Finding) -> Option<&'static str> {
        match (finding.defect, finding.field.as_str()) {
            (_, "deletion protection") => Some("genesys_cloud.deletion_protection.answer"),
            (_, "deletion date") => Some("genesys_cloud.retention.threshold_zero"),
            (_, name) if name.starts_with("st.") => Some("genesys_cloud.attributes"),
            (_, name) if name.starts_with("recording start") || name == "recording end" => {
                Some("genesys_cloud.recordings.format_none")
            }
            (_, _) => None,
        }
    }

    fn request_that_shows(&self, finding: &Finding) -> Option<String> {
        let id = finding.target_id.as_ref()?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let path = match finding.field.as_str() {
            "conversation" => "/api/v2/conversations",
            "retention policy"
                if finding
                    .actual
                    .as_deref()
                    .is_some_and(|actual| actual.starts_with("cross-platform")) =>
            {
                "/api/v2/recording/crossplatform/mediaretentionpolicies"
            }
            "retention policy" => "/api/v2/recording/mediaretentionpolicies",
            _ => return None,
        };
        id.bytes().all(is_plain).then(|| format!("GET {path}/{id}"))
    }

    /// What is sent again puts right what is there.
    fn how_to_send_again(&self) -> &'static str {
        "send it again (`seatrial migrate PLAN --redo REPORT/findings.jsonl`, or the migrator that \
         sent it)"
    }

    fn organisation(&self, plan: &Plan) -> String {
        plan.target
            .genesys_cloud()
            .map_or_else(String::new, |section| {
                format!("client {}", section.client_id)
            })
    }

    fn agent_table(&self, loaded: &LoadedPlan) -> AgentTable {
        let agent = |row: &plan::AgentRow| AgentRow {
            user: row.genesys_user_id.to_string().into(),
            ..AgentRow::valid_as(row)
        };
        let rows = loaded.mapping.agents.iter().map(|row| (row, agent(row)));
        AgentTable::new(loaded, rows, |user| AgentRow {
            user: user.to_string().into(),
            ..AgentRow::default()
        })
    }

    fn endpoints(&self, loaded: &LoadedPlan) -> Vec<Endpoint> {
        let section = loaded.plan.target.genesys_cloud().into_iter();
        section
            .map(|section| Endpoint {
                service: GENESYS_CLOUD,
                root: section.api_url(),
                token: section.token_url(),
            })
            .collect()
    }

    fn operations(&self, _loaded: &LoadedPlan, _options: &Options) -> Vec<&'static Operation> {
        // There are reports of uploads only where recordings went by uploads of their own.
        let is_of_uploads = |operation: &Operation| {
            [operation.creates, operation.follows].contains(&Some(Creation::Report))
        };
        OPERATIONS
            .iter()
            .filter(|operation| self.by_events || !is_of_uploads(operation))
            .collect()
    }

    fn open(
        &self,
        loaded: &LoadedPlan,
        _options: &Options,
        gates: &Gates,
        clock: &Clock,
    ) -> Result<Box<dyn Target>, RunError> {
        Ok(Box::new(Organisation::open(
            self.by_events,
            loaded,
            gates,
            clock,
        )?))
    }

    fn reconcile(&self, found: &Reconciling<'_>, judged: &mut [Judged]) -> Reconciled {
        reconcile::reconcile(found, judged)
    }
}

/// An organisation that is read.
struct Organisation {
    client: Arc<ReadClient>,
    identity: Identity,
    /// Whether recordings were uploaded by themselves (the public ingestion).
    by_events: bool,
}

impl Organisation {
    /// Sends nothing yet.
    fn open(
        by_events: bool,
        loaded: &LoadedPlan,
        gates: &Gates,
        clock: &Clock,
    ) -> Result<Organisation, RunError> {
        let missing = |what: &str| {
            RunError::Plan(format!(
                "target.{what} is missing; a verification reads the target's public API"
            ))
        };
        let target = loaded
            .plan
            .target
            .genesys_cloud()
            .ok_or_else(|| missing("client_id"))?;
        let settings = Settings {
            api_url: target.api_url().ok_or_else(|| missing("base_url"))?,
            token_url: target.token_url().ok_or_else(|| missing("login_url"))?,
            credentials: Credentials {
                client_id: target.client_id.clone(),
                client_secret: loaded
                    .secret(&target.client_secret, "target.client_secret")?
                    .expose_the_secret()
                    .to_owned(),
            },
            requests_per_minute: loaded.plan.pace.requests_per_minute,
        };
        let base = Base {
            api: settings.api_url.clone(),
            token: Some(settings.token_url.clone()),
        };
        let client = Arc::new(ReadClient::new(
            gates.of(GENESYS_CLOUD, base),
            clock.clone(),
            settings,
        ));
        Ok(Organisation {
            client,
            identity: Identity::new(loaded)?,
            by_events,
        })
    }

    /// The token's limit as the organisation tells it. Requests a minute. Not to be read: the
    /// plan's pace is reckoned with.
    async fn limit(&self, needs: &mut BTreeSet<String>) -> Result<Option<u32>, RunError> {
        const KEYS: [&str; 2] = [
            "client.credentials.token.rate.per.minute",
            "token.rate.per.minute",
        ];
        match self.client.limits("platform.api").await {
            Ok(limits) => {
                let of_tokens = limits
                    .into_iter()
                    .filter(|limit| limit.key.as_deref().is_some_and(|key| KEYS.contains(&key)));
                Ok(of_tokens
                    .filter_map(|limit| u32::try_from(limit.value?).ok())
                    .filter(|value| *value > 0)
                    .min())
            }
            // Nothing is judged by it, so nothing hangs on it but the time said beforehand.
            Err(error) => {
                needs.insert(
                    need("get_limits", &error)
                        .ok_or_else(|| RunError::target("read the limits", &error))?,
                );
                Ok(None)
            }
        }
    }
}

#[async_trait(?Send)]
impl Target for Organisation {
    /// How long the organisation keeps anything at most.
    async fn maximum_retention(&self, needs: &mut BTreeSet<String>) -> Result<Maximum, RunError> {
        match self.client.maximum_retention_days().await {
            Ok(days) => Ok(days.map_or(Maximum::None, Maximum::Days)),
            // An organisation that does not know the setting has none.
            Err(error) if error.status() == Some(404) => Ok(Maximum::None),
            Err(error) => {
                let need = need("get_data_retention", &error)
                    .ok_or_else(|| RunError::target("read the maximum retention", &error))?;
                needs.insert(need.clone());
                Ok(Maximum::Unread(need))
            }
        }
    }

    async fn announce(
        &self,
        sizes: Sizes,
        per_minute: u32,
        needs: &mut BTreeSet<String>,
    ) -> Result<Announced, RunError> {
        let told = self.limit(needs).await?;
        Ok(Announced::new(OPERATIONS, planned(sizes), per_minute, told))
    }

    async fn snapshot(
        &self,
        asked: &Asked<'_>,
        progress: &dyn Progress,
    ) -> Result<TargetSnapshot, RunError> {
        let options = asked.options;
        let reader = Reader {
            client: self.client.clone(),
            clock: asked.clock.clone(),
            identity: self.identity.clone(),
            concurrency: options.concurrency,
            patience: options.patience,
            jobs: options.jobs == Jobs::Create,
            only: options.only.as_ref(),
            expectations: asked.expectations,
            folder: asked.folder,
            by_events: self.by_events,
            kept: asked.kept,
        };
        reader.snapshot(progress).await
    }

    fn media(
        &self,
        _ours: &[TargetConversation],
        options: &Options,
        clock: &Clock,
        most: u64,
    ) -> Box<dyn MediaStore> {
        let (client, clock) = (self.client.clone(), clock.clone());
        Box::new(Batches {
            client,
            clock,
            patience: options.patience,
            jobs: options.jobs,
            most,
        })
    }
}
