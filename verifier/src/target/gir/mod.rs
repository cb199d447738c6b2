//! Genesys Interaction Recording: Recording Web Services, the WebDAV store and SpeechMiner, each
//! read by itself and held against the others. Source: docs/reference/gir.md.

mod calls;
mod checks;
mod convert;
mod expected;
mod export_table;
mod facts;
mod files;
mod folder_walk;
mod handed;
mod hidden;
mod ids;
mod listing;
#[cfg(test)]
mod no_room;
mod posts;
mod reach;
mod read;
mod reader;
mod reconcile;
mod requests;
mod rws;
mod search;
mod shapes;
mod store;
mod stores_read;
#[cfg(test)]
pub(crate) mod testing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use plan::{LoadedPlan, Plan, SecretRef};
use platforms::Account;
use platforms::clock::Clock;
use url::Url;

pub(crate) use expected::{GirExpectation, Keep, Until};
pub(crate) use facts::{
    CallFacts, FileSight, MediaFacts, Posts, SpeechMinerCall, StoreContents, UnreferencedFile,
};
pub(crate) use requests::{OPERATIONS, RWS, SPEECHMINER, WEBDAV, planned};
pub use stores_read::{HandedOver, Stores};

use super::{Asked, MediaStore, Platform, Target, TargetSnapshot};
use crate::capabilities::{CallData, Capabilities, LegTimes};
use crate::checks::presence::Judged;
use crate::defect::Defect;
use crate::expected::{AgentRow, AgentTable, Expectation, Maximum, Rules, padless};
use crate::finding::Finding;
use crate::observed::TargetConversation;
use crate::options::{Options, Progress};
use crate::requests::{Allowance, Announced, Base, Endpoint, Gates, Operation, Service, Sizes};
use crate::run_error::RunError;
use crate::source::SourceInteraction;
use crate::target::{Reconciled, Reconciling};
use crate::text::Text;
use handed::Export;
use ids::Ids;
use posts::Receiver;
use reach::Reach;
use rws::Rws;
use store::Store;

/// A site, as its plan describes it. Source: docs/reference/gir.md.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Gir {
    /// Region of every recording.
    region: String,
    /// `st-batch-<namespace>`.
    batch_label: String,
    /// Partition by queue of the source; queues without one are left out.
    partitions: BTreeMap<String, String>,
    /// The site's purge rules, as declared.
    purge: Vec<PurgeRule>,
    /// Whether files are encrypted.
    encrypted: bool,
}

/// A purge rule of the site, as declared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct PurgeRule {
    /// Age at which it deletes. Days of 24 hours.
    after_days: i64,
    /// Only calls of this type. Absent: any.
    call_type: Option<String>,
    /// Only calls with this label. Absent: any.
    label: Option<String>,
}

/// What a recording of Interaction Recording shows.
pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    takes_calls_without_recordings: false,
    told_by_events: false,
    call_data: CallData::Together,
    leg_times: LegTimes::JoinedAndLeft,
    always_shows_a_customer: false,
    no_direction: Some("Unknown"),
    recordings_have_deletion_dates: false,
    lists_deleted_recordings: false,
    tells_when_stored: false,
    longest_class_keeps_the_call: true,
};

impl Gir {
    pub(super) fn new(section: &plan::target::Gir, loaded: &LoadedPlan) -> Gir {
        let plan = &loaded.plan;
        let partition = |row: &plan::QueueRow| {
            Some((
                padless(&row.legacy_queue_id).to_owned(),
                row.gir_partition()?.to_owned(),
            ))
        };
        let purge = plan.retention.gir_rule.iter();
        Gir {
            region: section.region.clone(),
            batch_label: format!("st-batch-{}", plan.identity.namespace),
            partitions: loaded.mapping.queues.iter().filter_map(partition).collect(),
            purge: purge
                .map(|rule| PurgeRule {
                    after_days: rule.after_days,
                    call_type: rule.call_type.clone(),
                    label: rule.label.clone(),
                })
                .collect(),
            encrypted: !section.certificates.is_empty(),
        }
    }
}

#[async_trait(?Send)]
impl Platform for Gir {
    fn name(&self) -> &'static str {
        "Interaction Recording"
    }

    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    fn assumptions(&self) -> &'static [&'static str] {
        &[
            "gir.read.by_id: a recording read by its id is told whole, with its labels and whether \
             it is tagged for non-deletion",
            "gir.region: what a node does not show while its files or SpeechMiner's entry are \
             there may be of another region, and is gone where nothing is",
            "gir.privacy: a field that no recording of ours tells is hidden from the account; one \
             that some tell is lost where it is missing",
            "gir.purge: a recording goes at the earliest declared rule that fits, in days of 24 \
             hours from its start",
            "gir.webdav.last_modified: a file's Last-Modified is when it was put there",
            "speechminer.reads: SpeechMiner tells what it has, as the simulated receiver does or \
             an export",
        ]
    }

    fn assumption_behind(&self, finding: &Finding) -> Option<&'static str> {
        match (finding.defect, finding.field.as_str()) {
            (Defect::RegionWrong, _) => Some("gir.region"),
            (Defect::MissingInOneStore, _) => Some("speechminer.reads"),
            (
                Defect::DeletionDateMissingOrEarly | Defect::KeptTooLong | Defect::DeletedByPolicy,
                _,
            )
            | (_, "deletion protection") => Some("gir.purge"),
            (_, _) => None,
        }
    }

    /// A recording cannot be changed: it has to be deleted and inserted again.
    fn how_to_send_again(&self) -> &'static str {
        "send it again (`seatrial migrate PLAN --redo REPORT/findings.jsonl --replace`, which \
         deletes the recording in RWS and inserts it anew, or the migrator that sent it; the file \
         that it replaces stays in the store for its administrator to delete, and a recording \
         under legal hold stays as it is, for who may lift the hold)"
    }

    fn organisation(&self, plan: &Plan) -> String {
        plan.target.gir().map_or_else(String::new, |section| {
            format!("contact centre {}", section.contact_center_id)
        })
    }

    fn agent_table(&self, loaded: &LoadedPlan) -> AgentTable {
        let rows = &loaded.mapping.agents;
        // A row for `*` is for nobody but the fallback.
        let own = rows
            .iter()
            .filter(|row| row.legacy_agent_id != "*")
            .map(|row| (row, agent_row(row)));
        AgentTable::new(loaded, own, |user| {
            let row = rows.iter().find(|row| row.genesys_user_id == user);
            row.map(|row| AgentRow {
                from: None,
                to: None,
                ..agent_row(row)
            })
            .unwrap_or_default()
        })
    }

    fn check_agents(&self, interaction: &SourceInteraction, rules: &Rules) -> Result<(), RunError> {
        expected::check_agents(interaction, rules)
    }

    fn expect(&self, source: &SourceInteraction, rules: &Rules, wanted: &mut Expectation) {
        expected::expect(self, source, rules, wanted);
    }

    fn endpoints(&self, loaded: &LoadedPlan) -> Vec<Endpoint> {
        let section = loaded.plan.target.gir();
        let roots = [
            (RWS, section.map(|section| &section.rws_url)),
            (WEBDAV, section.map(|section| &section.webdav_url)),
            (
                SPEECHMINER,
                section.and_then(|section| section.speechminer_url.as_ref()),
            ),
        ];
        roots
            .into_iter()
            .map(|(service, root)| Endpoint {
                service,
                root: root.cloned(),
                token: None,
            })
            .collect()
    }

    fn operations(&self, loaded: &LoadedPlan, options: &Options) -> Vec<&'static Operation> {
        let exports = &options.exports;
        let is_read = |service: Service| match service {
            RWS => exports.archive.is_none(),
            WEBDAV => exports.files.is_none(),
            _ => {
                exports.speechminer.is_none()
                    && loaded
                        .plan
                        .target
                        .gir()
                        .is_some_and(|section| section.speechminer_url.is_some())
            }
        };
        OPERATIONS
            .iter()
            .filter(|operation| is_read(operation.service))
            .collect()
    }

    fn open(
        &self,
        loaded: &LoadedPlan,
        options: &Options,
        gates: &Gates,
        clock: &Clock,
    ) -> Result<Box<dyn Target>, RunError> {
        Ok(Box::new(Site::open(
            self.region.clone(),
            loaded,
            options,
            gates,
            clock,
        )?))
    }

    fn stores(&self, snapshot: &TargetSnapshot) -> Option<Stores> {
        snapshot
            .platform
            .get::<StoreContents>()
            .map(|stores| stores.read.clone())
    }

    fn reconcile(&self, found: &Reconciling<'_>, judged: &mut [Judged]) -> Reconciled {
        reconcile::reconcile(found, judged)
    }
}

fn agent_row(row: &plan::AgentRow) -> AgentRow {
    AgentRow {
        user: row.gir_username().unwrap_or_default().into(),
        login: row.gir_login().map(Text::from),
        access_group: row.gir_access_group().map(Text::from),
        ..AgentRow::valid_as(row)
    }
}

/// A site that is read.
struct Site {
    rws: Rws,
    store: Store,
    receiver: Receiver,
    ids: Ids,
    /// Region of every recording, as the plan has it.
    region: String,
    allowance: Allowance,
}

impl Site {
    /// Sends nothing yet; reads what was handed over.
    fn open(
        region: String,
        loaded: &LoadedPlan,
        options: &Options,
        gates: &Gates,
        clock: &Clock,
    ) -> Result<Site, RunError> {
        let exports = &options.exports;
        let section = loaded
            .plan
            .target
            .gir()
            .ok_or_else(|| RunError::Plan("target.rws_url is missing".to_owned()))?;
        let opening = Opening {
            loaded,
            section,
            gates,
            clock,
            may_be_lost: exports.is_any(),
        };
        let (ids, spill) = (Ids::new(loaded)?, options.spill_folder());
        let export = |path| Export {
            path,
            origin: exports.origin.as_deref(),
            spill: &spill,
        };
        let archive = exports
            .archive
            .as_deref()
            .map(|dir| handed::archive(export(dir)))
            .transpose()?
            .map(Arc::new);
        let rws = match &archive {
            Some(archive) => Rws::Archive(archive.clone()),
            None => Rws::live(&opening)?,
        };
        let store = match &exports.files {
            Some(path) => {
                let root = section.webdav_url.clone();
                let files = handed::files(export(path), &root, ids.folder())?;
                Store::handed(root, files)
            }
            None => Store::live(&opening)?,
        };
        let receiver = match &exports.speechminer {
            Some(path) => Receiver::Csv(Arc::new(handed::rows(export(path))?)),
            None => Receiver::live(&opening)?,
        };
        Ok(Site {
            rws,
            store,
            receiver,
            ids,
            region,
            allowance: gates.allowance.clone(),
        })
    }

    /// How each store is read.
    fn read(&self) -> Stores {
        Stores {
            rws: self.rws.word().to_owned(),
            webdav: self.store.word().to_owned(),
            speechminer: self.receiver.word().to_owned(),
            handed_over: self.handed_over(),
        }
    }

    fn handed_over(&self) -> Vec<HandedOver> {
        let archive = match &self.rws {
            Rws::Archive(archive) => Some(&archive.told),
            Rws::Live(..) => None,
        };
        let rows = match &self.receiver {
            Receiver::Csv(rows) => Some(&rows.told),
            Receiver::Live(..) | Receiver::Unused => None,
        };
        [archive, self.store.told(), rows]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }
}

#[async_trait(?Send)]
impl Target for Site {
    /// Days of a purge rule are the site's; the service has no maximum of its own.
    async fn maximum_retention(&self, _needs: &mut BTreeSet<String>) -> Result<Maximum, RunError> {
        Ok(Maximum::None)
    }

    async fn announce(
        &self,
        sizes: Sizes,
        per_minute: u32,
        _needs: &mut BTreeSet<String>,
    ) -> Result<Announced, RunError> {
        Ok(Announced::new(
            OPERATIONS,
            planned(sizes, &self.allowance),
            per_minute,
            None,
        ))
    }

    async fn snapshot(
        &self,
        asked: &Asked<'_>,
        progress: &dyn Progress,
    ) -> Result<TargetSnapshot, RunError> {
        reader::Reader {
            target: self,
            asked,
        }
        .snapshot(progress)
        .await
    }

    fn media(
        &self,
        ours: &[TargetConversation],
        _options: &Options,
        _clock: &Clock,
        most: u64,
    ) -> Box<dyn MediaStore> {
        Box::new(self.store.files(ours, most))
    }
}

/// What opening a store takes.
struct Opening<'a> {
    loaded: &'a LoadedPlan,
    section: &'a plan::target::Gir,
    gates: &'a Gates,
    clock: &'a Clock,
    /// Whether a store may be out of reach, because others were handed over.
    may_be_lost: bool,
}

impl Opening<'_> {
    fn gate(&self, service: Service, root: &Url) -> Arc<crate::requests::Gate> {
        self.gates.of(
            service,
            Base {
                api: root.clone(),
                token: None,
            },
        )
    }

    fn reach(&self, need: &'static str) -> Reach {
        Reach::new(self.may_be_lost, need)
    }

    /// An account of `[target]`; `key` is where its password stands.
    fn account(
        &self,
        username: &str,
        key: &str,
        password: &SecretRef,
    ) -> Result<Account, RunError> {
        let secret = self.loaded.secret(password, &format!("target.{key}"))?;
        Ok(Account {
            username: username.to_owned(),
            password: secret.expose_the_secret().to_owned(),
        })
    }
}
