//! Genesys Interaction Recording: Recording Web Services, the WebDAV store and SpeechMiner, each read by itself and held against the others.
//! Source: docs/gir.md.

mod convert;
mod facts;
mod handed;
mod ids;
mod listing;
mod posts;
mod reach;
mod read;
mod rws;
mod search;
mod store;

use std::sync::Arc;

use plan::{LoadedPlan, SecretRef};
use platforms::Account;
use platforms::clock::Clock;
use url::Url;

pub(crate) use convert::pauses;
pub(crate) use facts::{CallFacts, Field, FileSight, MaskedSpan, MediaFacts, Posts, SpeechMinerCall};
pub(crate) use posts::POSTS_PAGE;
pub(crate) use read::{Elsewhere, Stores, StrayFile};
pub(crate) use search::CALLS_A_WINDOW;
pub(crate) use store::Files;

use super::{Asked, TargetSnapshot};
use crate::options::{Options, Progress};
use crate::requests::{Allowance, Announced, Base, Gates, Service, Sizes, planned_gir};
use crate::stop::Stop;
use ids::Ids;
use posts::Receiver;
use reach::Reach;
use rws::Rws;
use store::Store;

/// A site.
pub(crate) struct Target {
    rws: Rws,
    store: Store,
    receiver: Receiver,
    ids: Ids,
    /// Region of every recording, as the plan has it.
    region: String,
    allowance: Allowance,
}

impl Target {
    /// Sends nothing yet; reads what was handed over.
    pub(crate) fn open(
        loaded: &LoadedPlan,
        site: &plan::target::Gir,
        options: &Options,
        gates: &Gates,
        clock: &Clock,
    ) -> Result<Target, Stop> {
        let exports = &options.gir;
        let opening = Opening { loaded, site, gates, clock, may_be_lost: exports.is_any() };
        let (ids, origin) = (Ids::new(loaded)?, exports.origin.as_deref());
        let archive = exports.archive.as_deref().map(|dir| handed::archive(dir, origin)).transpose()?.map(Arc::new);
        let rws = match &archive {
            Some(archive) => Rws::Archive(archive.clone()),
            None => Rws::live(&opening)?,
        };
        let store = match &exports.files {
            Some(path) => {
                let root = site.webdav_url.clone();
                let files = handed::files(path, &root, ids.folder(), origin)?;
                Store::handed(root, files, archive)
            }
            None => Store::live(&opening)?,
        };
        let receiver = match &exports.speechminer {
            Some(path) => Receiver::Csv(handed::rows(path, origin)?),
            None => Receiver::live(&opening)?,
        };
        let region = site.region.clone();
        Ok(Target { rws, store, receiver, ids, region, allowance: gates.allowance.clone() })
    }

    pub(crate) fn announce(&self, sizes: Sizes, per_minute: u32) -> Announced {
        Announced::new(planned_gir(sizes, &self.allowance), per_minute, None)
    }

    pub(crate) async fn snapshot(&self, asked: &Asked<'_>, progress: &dyn Progress) -> Result<TargetSnapshot, Stop> {
        read::Reader { target: self, asked }.snapshot(progress).await
    }

    /// How each store is read.
    fn read(&self) -> crate::report::Stores {
        crate::report::Stores {
            rws: self.rws.word().to_owned(),
            webdav: self.store.word().to_owned(),
            speechminer: self.receiver.word().to_owned(),
            handed_over: self.handed_over(),
        }
    }

    fn handed_over(&self) -> Vec<crate::report::HandedOver> {
        let archive = match &self.rws {
            Rws::Archive(archive) => Some(&archive.told),
            Rws::Live(..) => None,
        };
        let rows = match &self.receiver {
            Receiver::Csv(rows) => Some(&rows.told),
            Receiver::Live(..) | Receiver::Unused => None,
        };
        [archive, self.store.told(), rows].into_iter().flatten().cloned().collect()
    }

    pub(crate) fn files(&self, snapshot: &TargetSnapshot, most: u64) -> Files {
        self.store.files(snapshot, most)
    }
}

/// What opening a store takes.
struct Opening<'a> {
    loaded: &'a LoadedPlan,
    site: &'a plan::target::Gir,
    gates: &'a Gates,
    clock: &'a Clock,
    /// Whether a store may be out of reach, because others were handed over.
    may_be_lost: bool,
}

impl Opening<'_> {
    fn gate(&self, service: Service, root: &Url) -> Arc<crate::requests::Gate> {
        self.gates.of(service, Base { api: root.clone(), token: None })
    }

    fn reach(&self, need: &'static str) -> Reach {
        Reach::new(self.may_be_lost, need)
    }

    /// An account of `[target]`; `key` is where its password stands.
    fn account(&self, username: &str, key: &str, password: &SecretRef) -> Result<Account, Stop> {
        let secret = self.loaded.secret(password, &format!("target.{key}"))?;
        Ok(Account { username: username.to_owned(), password: secret.expose_the_secret().to_owned() })
    }
}
