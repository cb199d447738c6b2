//! Genesys Interaction Recording: Recording Web Services, the WebDAV store and SpeechMiner, each read by itself and held against the others.
//! Source: docs/gir.md.

mod convert;
mod facts;
mod ids;
mod listing;
mod posts;
mod read;
mod rws;
mod search;
mod store;

use plan::{LoadedPlan, SecretRef};
use platforms::Account;
use platforms::clock::Clock;
use url::Url;

pub(crate) use convert::pauses;
pub(crate) use facts::{CallFacts, Field, FileSight, MaskedSpan, MediaFacts, Posts};
pub(crate) use posts::POSTS_PAGE;
pub(crate) use read::{Stores, StrayFile};
pub(crate) use search::CALLS_A_WINDOW;
pub(crate) use store::Files;

use super::{Asked, TargetSnapshot};
use crate::options::{Options, Progress};
use crate::requests::{Allowance, Announced, Base, Gates, Service, Sizes, planned_gir};
use crate::stop::Stop;
use ids::Ids;
use posts::Receiver;
use rws::Rws;
use store::Store;

/// A site.
pub(crate) struct Target {
    rws: Rws,
    store: Store,
    receiver: Receiver,
    ids: Ids,
    allowance: Allowance,
}

impl Target {
    /// Sends nothing yet.
    pub(crate) fn open(loaded: &LoadedPlan, _options: &Options, gates: &Gates, clock: &Clock) -> Result<Target, Stop> {
        let opening = Opening { loaded, gates, clock };
        Ok(Target {
            rws: Rws::live(&opening)?,
            store: Store::live(&opening)?,
            receiver: Receiver::live(&opening)?,
            ids: Ids::new(loaded)?,
            allowance: gates.allowance.clone(),
        })
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
            handed_over: Vec::new(),
        }
    }

    pub(crate) fn files(&self, snapshot: &TargetSnapshot) -> Files {
        self.store.files(snapshot)
    }
}

/// What opening a store takes.
struct Opening<'a> {
    loaded: &'a LoadedPlan,
    gates: &'a Gates,
    clock: &'a Clock,
}

impl Opening<'_> {
    fn gate(&self, service: Service, root: &Url) -> std::sync::Arc<crate::requests::Gate> {
        self.gates.of(service, Base { api: root.clone(), token: None })
    }

    /// A key of `[target]` that has to be there.
    fn needed<'a, T>(&self, key: &str, value: Option<&'a T>) -> Result<&'a T, Stop> {
        value.ok_or_else(|| Stop::Plan(format!("target.{key} is missing; a verification reads this store")))
    }

    fn account(&self, keys: [&str; 2], username: Option<&String>, password: Option<&SecretRef>) -> Result<Account, Stop> {
        let username = self.needed(keys[0], username)?.clone();
        let secret = self.loaded.secret(self.needed(keys[1], password)?, &format!("target.{}", keys[1]))?;
        Ok(Account { username, password: secret.expose_the_secret().to_owned() })
    }
}
