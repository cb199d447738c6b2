//! Genesys Interaction Recording as a target: its Interaction Recording Web Services (RWS), the
//! WebDAV store its media lie in, and SpeechMiner's Interaction Receiver. Three servers, each with
//! an account and a listener of its own; a recording has to be put into all three.
//!
//! [`Gir`] is the deployment, and RWS its own code: `state` is what it remembers (no HTTP there),
//! `wire` what a recording looks like, `fields` what the insertion asks of one. `webdav` and
//! `speechminer` are the other two. `rules` is what they impose and who says so, `settings` what a
//! scenario may change. A request goes through `endpoint`; `truth` tells what is held.

mod account;
mod answer;
mod centers;
mod dates;
mod directory;
mod encryption;
mod endpoint;
mod exports;
mod fields;
mod plan;
mod platform;
mod privacy;
mod purge;
mod query;
mod recordings;
mod retention;
mod routes;
mod rules;
mod session;
mod settings;
mod snapshot;
mod speechminer;
mod state;
mod tamper;
#[cfg(test)]
mod tests;
mod truth;
mod webdav;
mod wire;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use parking_lot::{Mutex, MutexGuard};

use self::account::Account;
pub(crate) use self::directory::Directory;
use self::directory::partition;
pub(crate) use self::encryption::Recipient;
pub use self::exports::{ExportError, Exported};
pub(crate) use self::platform::API;
pub use self::purge::PurgeRule;
pub use self::settings::{
    EncryptionSettings, IndexSettings, Limits, OtherRegion, Paging, PrivacySettings, PurgeSettings,
    Repeated, Repost, Settings, SpeechMinerSettings, Wins, Zoneless,
};
pub(crate) use self::speechminer::SpeechMiner;
pub(crate) use self::webdav::Webdav;
use crate::http::reply::Reply;
use crate::http::request_context;
use crate::pipeline::{Core, Endpoint, Refusal};
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

/// One simulated deployment: a node of Interaction Recording Web Services with one contact centre,
/// its store of media and its SpeechMiner.
pub(crate) struct Gir {
    core: Arc<Core>,
    settings: Settings,
    account: Account,
    base_url: Mutex<String>,
    sessions: Mutex<session::Sessions>,
    state: Mutex<state::State>,
    webdav: Webdav,
    speechminer: SpeechMiner,
    directory: Directory,
    retention_classes: Vec<(String, i64)>,
    purge_rules: Vec<PurgeRule>,
    recipients: Vec<Recipient>,
    /// What the truth knows of files, by hash and envelope.
    facts: Mutex<HashMap<(String, Option<String>), truth::Stored>>,
}

/// What a deployment is made for: the people and queues of its site, and the retention classes its
/// recordings come with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Site {
    pub(crate) directory: Directory,
    /// Each with its years.
    pub(crate) retention_classes: Vec<(String, i64)>,
}

/// Where the servers of a deployment listen; without slashes at their ends.
pub(crate) struct Listening {
    pub(crate) rws: String,
    pub(crate) webdav: String,
    pub(crate) speechminer: String,
}

/// The routers of a deployment's servers.
pub(crate) struct GirRouters {
    pub(crate) rws: Router,
    pub(crate) webdav: Router,
    pub(crate) speechminer: Router,
}

impl Gir {
    /// An empty deployment. `spool` is where its store gets a folder.
    pub(crate) fn new(
        core: Arc<Core>,
        settings: Settings,
        site: Site,
        spool: &Path,
    ) -> std::io::Result<Arc<Gir>> {
        let site = Gir {
            account: Account::new(core.seed, NAME, USERNAME),
            base_url: Mutex::default(),
            sessions: Mutex::default(),
            state: Mutex::default(),
            webdav: Webdav::new(Arc::clone(&core), spool)?,
            speechminer: SpeechMiner::new(&core),
            directory: site.directory,
            purge_rules: settings
                .purge
                .rules
                .clone()
                .unwrap_or_else(|| purge::fitting(&site.retention_classes)),
            retention_classes: site.retention_classes,
            recipients: encryption::recipients(
                core.seed.child(NAME),
                settings.encryption.certificates,
            ),
            facts: Mutex::default(),
            core,
            settings,
        };
        // What was due before there was anything is not done over again.
        site.state.lock().managed_ms = site.last_run_ms();
        Ok(Arc::new(site))
    }

    /// What is set about it.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Who and what a mapping leads to here.
    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Whom its media are encrypted for; none where they are not.
    pub(crate) fn recipients(&self) -> &[Recipient] {
        if !self.recipients.is_empty() {
            self.mark(&rules::CERTIFICATES);
            self.mark(&rules::KEYS);
        }
        &self.recipients
    }

    /// What its lifecycle management deletes.
    pub(crate) fn purge_rules(&self) -> &[PurgeRule] {
        &self.purge_rules
    }

    /// Says where the routers listen; addresses of media begin with it.
    pub(crate) fn set_base_urls(&self, at: &Listening) {
        *self.base_url.lock() = at.rws.trim_end_matches('/').to_owned();
        self.webdav.set_base_url(&at.webdav);
        self.speechminer.set_base_url(&at.speechminer);
    }

    /// Where each server is reached, as a client is told: with the paths the store and the receiver
    /// are below.
    pub(crate) fn addresses(&self) -> Listening {
        Listening {
            rws: self.base_url(),
            webdav: self.webdav.base_url(),
            speechminer: self.speechminer.base_url(),
        }
    }

    /// Name and password of the ops account, of the store's and of the receiver's, in this order.
    pub(crate) fn credentials(&self) -> [(&str, &str); 3] {
        [
            &self.account,
            &self.webdav.account,
            &self.speechminer.account,
        ]
        .map(|account| (account.username, account.password.as_str()))
    }

    /// Every path of the three servers.
    pub(crate) fn routers(self: &Arc<Self>) -> GirRouters {
        GirRouters {
            rws: routes::router().with_state(Arc::clone(self)),
            webdav: webdav::router(self),
            speechminer: speechminer::router(self),
        }
    }

    fn seed(&self) -> Seed {
        self.core.seed.child(NAME)
    }

    fn mark(&self, rule: &'static Rule) {
        self.core.exercised.mark(rule);
    }

    fn webdav(&self) -> &Webdav {
        &self.webdav
    }

    fn speechminer(&self) -> &SpeechMiner {
        &self.speechminer
    }

    /// As the client reached it.
    fn base_url(&self) -> String {
        request_context::origin()
            .map_or_else(|| self.base_url.lock().clone(), |origin| origin.itself())
    }

    /// What RWS remembers, as it stands now: whatever became due since the last look is done first.
    fn state(&self) -> MutexGuard<'_, state::State> {
        let mut state = self.state.lock();
        self.manage(&mut state);
        state
    }
}

impl Endpoint for Gir {
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
