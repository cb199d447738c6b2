//! The one place that lists the platforms: their listeners and host names, who their clients are,
//! and how they are made.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::genesys_cloud::{self, Directory, GenesysCloud, REGIONS};
use super::gir::{self, Gir};
pub(crate) use super::gir::{ExportError, Exported};
use super::legacy::{self, Legacy, LegacySettings};
use super::target::Target;
use super::{ApiDescription, Platform};
use crate::operations;
use crate::pipeline::Core;
use crate::rules::Rule;
use crate::world::World;

/// The simulated platforms.
pub(crate) struct Platforms {
    pub(crate) legacy: Arc<Legacy>,
    pub(crate) genesys_cloud: Arc<GenesysCloud>,
    /// A second organisation, where recordings are moved from one.
    pub(crate) genesys_cloud_source: Option<Arc<GenesysCloud>>,
    pub(crate) gir: Arc<Gir>,
}

/// The platform recordings are moved from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// The legacy platform.
    #[default]
    Legacy,
    /// A Genesys Cloud organisation.
    GenesysCloud,
}

impl SourceKind {
    /// Its listener; the main one where there are several.
    pub fn listener(self) -> PlatformName {
        match self {
            SourceKind::Legacy => PlatformName::Legacy,
            SourceKind::GenesysCloud => PlatformName::GenesysCloudSource,
        }
    }

    /// Whether its people, queues and codes have ids that are made by the platform.
    pub(crate) fn makes_ids(self) -> bool {
        self == SourceKind::GenesysCloud
    }
}

/// The platform recordings are moved to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// Genesys Cloud.
    #[default]
    GenesysCloud,
    /// Genesys Interaction Recording.
    Gir,
}

impl TargetKind {
    /// Its name, as a plan and a scenario have it.
    pub fn as_str(self) -> &'static str {
        match self {
            TargetKind::GenesysCloud => genesys_cloud::NAME,
            TargetKind::Gir => gir::NAME,
        }
    }

    /// Its listener; the main one where there are several.
    pub fn listener(self) -> PlatformName {
        match self {
            TargetKind::GenesysCloud => PlatformName::GenesysCloud,
            TargetKind::Gir => PlatformName::Gir,
        }
    }

    /// Names of the operations that a migration from the source to this target can meet, in the
    /// order of the tables.
    pub fn operations(self) -> Vec<&'static str> {
        let platforms: &[&str] = match self {
            TargetKind::GenesysCloud => &["legacy", "genesys_cloud"],
            TargetKind::Gir => &["legacy", "gir", "webdav", "speechminer"],
        };
        let is_met = |name: &&str| {
            name.split('.')
                .next()
                .is_some_and(|platform| platforms.contains(&platform))
        };
        operations::all()
            .map(|operation| operation.name)
            .filter(is_met)
            .collect()
    }
}

/// What a scenario sets about them.
pub(crate) struct Settings {
    pub(crate) source: SourceKind,
    pub(crate) genesys_cloud_source: genesys_cloud::Settings,
    pub(crate) legacy: LegacySettings,
    pub(crate) genesys_cloud: genesys_cloud::Settings,
    pub(crate) gir: gir::Settings,
}

impl Platforms {
    /// All of them, empty, over one world. Uploads go below `spool`.
    pub(crate) fn start(
        core: &Arc<Core>,
        world: &Arc<World>,
        target: &Target,
        spool: &Path,
        settings: Settings,
    ) -> std::io::Result<Platforms> {
        let site = gir::Site {
            directory: gir::Directory::of(world, target),
            retention_classes: world.retention_classes(),
        };
        let genesys_cloud_source = match settings.source {
            SourceKind::Legacy => None,
            SourceKind::GenesysCloud => Some(GenesysCloud::source(
                core.clone(),
                Directory::of_source(world, core.seed, &target.directory.site_zone),
                settings.genesys_cloud_source,
                spool.join("source"),
                world,
            )?),
        };
        Ok(Platforms {
            genesys_cloud_source,
            legacy: Legacy::new(core.clone(), world.clone(), settings.legacy),
            genesys_cloud: GenesysCloud::new(
                core.clone(),
                target.directory.clone(),
                settings.genesys_cloud,
                spool.to_owned(),
            ),
            gir: Gir::new(core.clone(), settings.gir, site, spool)?,
        })
    }

    /// Each of them. Those that keep files come first: to restore them may fail, and then nothing
    /// else was restored.
    pub(crate) fn all(&self) -> Vec<Arc<dyn Platform>> {
        let mut all: Vec<Arc<dyn Platform>> = vec![self.gir.clone(), self.genesys_cloud.clone()];
        if let Some(source) = &self.genesys_cloud_source {
            all.push(source.clone());
        }
        all.push(self.legacy.clone());
        all
    }

    /// The one of this name.
    pub(crate) fn named(&self, name: &str) -> Option<Arc<dyn Platform>> {
        self.all()
            .into_iter()
            .find(|platform| platform.name() == name)
    }

    /// The one of this listener. What the control API itself tells is the source's.
    pub(crate) fn of_listener(&self, listener: PlatformName) -> Arc<dyn Platform> {
        match listener {
            PlatformName::Legacy | PlatformName::LegacyMedia | PlatformName::Control => {
                self.legacy.clone()
            }
            PlatformName::GenesysCloud => self.genesys_cloud.clone(),
            PlatformName::GenesysCloudSource => match &self.genesys_cloud_source {
                Some(source) => source.clone(),
                None => self.legacy.clone(),
            },
            PlatformName::Gir | PlatformName::Webdav | PlatformName::SpeechMiner => {
                self.gir.clone()
            }
        }
    }

    /// The one recordings are moved from.
    pub(crate) fn source(&self) -> &dyn Platform {
        match &self.genesys_cloud_source {
            Some(source) => &**source,
            None => &*self.legacy,
        }
    }

    /// From now on the source does not list these calls, and lists all others.
    pub(crate) fn withhold(&self, calls: BTreeSet<u64>) {
        self.legacy.withhold(calls);
    }

    /// The one recordings are moved to.
    pub(crate) fn target(&self, kind: TargetKind) -> Arc<dyn Platform> {
        match kind {
            TargetKind::GenesysCloud => self.genesys_cloud.clone(),
            TargetKind::Gir => self.gir.clone(),
        }
    }

    /// Writes what a site of Interaction Recording hands to an auditor without an ops account.
    pub(crate) fn write_exports(&self, dir: &Path) -> Result<Exported, ExportError> {
        self.gir.write_exports(dir, false)
    }

    /// The credentials of their clients.
    pub(crate) fn credentials(&self, target: &Target) -> Credentials {
        let [gir, webdav, speechminer] =
            self.gir.credentials().map(|(username, password)| Account {
                username: username.to_owned(),
                password: password.to_owned(),
            });
        let (client_id, client_secret) = self.legacy.credentials();
        Credentials {
            legacy: Client {
                client_id: client_id.to_owned(),
                client_secret: client_secret.to_owned(),
            },
            genesys_cloud: Client {
                client_id: target.client_id.clone(),
                client_secret: target.client_secret.clone(),
            },
            gir,
            webdav,
            speechminer,
        }
    }
}

/// The sections of a scenario that set something about them.
pub const PLATFORM_SECTIONS: [&str; 4] = [
    genesys_cloud::NAME,
    genesys_cloud::SOURCE_NAME,
    gir::NAME,
    legacy::NAME,
];

/// Their names, as a refusal lists them.
pub(crate) const KNOWN: &str = "legacy, genesys_cloud and gir";

/// Every rule of every simulated platform, sorted by name.
pub fn all_rules() -> Vec<&'static Rule> {
    let mut all: Vec<&'static Rule> = legacy::rules()
        .chain(genesys_cloud::rules())
        .chain(gir::rules())
        .collect();
    all.sort_by_key(|rule| rule.name);
    all
}

/// How the APIs are described. OpenAPI has no methods of WebDAV; the receiver of SpeechMiner takes
/// what is inserted.
pub(crate) static APIS: [&ApiDescription; 3] = [&legacy::API, &genesys_cloud::API, &gir::API];

/// A listener of a simulated platform, or the control API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlatformName {
    /// The source.
    Legacy,
    /// The source's pre-signed media: a host of its own.
    LegacyMedia,
    /// Genesys Cloud.
    GenesysCloud,
    /// Genesys Interaction Recording.
    Gir,
    /// Its store of media.
    Webdav,
    /// SpeechMiner's Interaction Receiver.
    SpeechMiner,
    /// The control API.
    Control,
    /// A second organisation of Genesys Cloud, which recordings are moved from.
    GenesysCloudSource,
}

impl PlatformName {
    /// All of them.
    pub const ALL: [PlatformName; 8] = [
        PlatformName::Legacy,
        PlatformName::LegacyMedia,
        PlatformName::GenesysCloud,
        PlatformName::Gir,
        PlatformName::Webdav,
        PlatformName::SpeechMiner,
        PlatformName::Control,
        PlatformName::GenesysCloudSource,
    ];

    /// `host:port` of its addresses under a virtual clock, where nothing listens: what a client
    /// hands to [`crate::Simulator::connect`].
    pub fn in_memory_host(self) -> String {
        let at = PlatformName::ALL
            .into_iter()
            .position(|platform| platform == self)
            .unwrap_or_default();
        format!("127.0.0.1:{}", at + 1)
    }

    /// Its host name where all share one port.
    pub(crate) fn own_host(self) -> &'static str {
        OWN_HOSTS
            .iter()
            .find(|(_, named)| *named == self)
            .map_or("", |(host, _)| *host)
    }
}

/// Names of ours, one a platform. `.test` belongs to nobody (RFC 6761).
pub const OWN_HOSTS: [(&str, PlatformName); 8] = [
    ("legacy.seatrial.test", PlatformName::Legacy),
    ("media.legacy.seatrial.test", PlatformName::LegacyMedia),
    ("genesys-cloud.seatrial.test", PlatformName::GenesysCloud),
    ("gir.seatrial.test", PlatformName::Gir),
    ("webdav.seatrial.test", PlatformName::Webdav),
    ("speechminer.seatrial.test", PlatformName::SpeechMiner),
    ("control.seatrial.test", PlatformName::Control),
    (
        "source.genesys-cloud.seatrial.test",
        PlatformName::GenesysCloudSource,
    ),
];

/// Names of this machine: the control API, so that whoever started the simulator finds it without a
/// resolver.
const THIS_MACHINE: [&str; 2] = ["localhost", "127.0.0.1"];

/// Every name a client may ask for, and who answers.
pub fn hosts() -> Vec<(String, PlatformName)> {
    let own = OWN_HOSTS
        .iter()
        .map(|(host, platform)| ((*host).to_owned(), *platform));
    let vendors = REGIONS.iter().flat_map(|region| {
        ["api", "login"].map(|part| (format!("{part}.{region}"), PlatformName::GenesysCloud))
    });
    let here = THIS_MACHINE
        .iter()
        .map(|host| ((*host).to_owned(), PlatformName::Control));
    own.chain(vendors).chain(here).collect()
}

/// Ports; 0 lets the system choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// The source's API.
    pub legacy: u16,
    /// The source's pre-signed media.
    pub media: u16,
    /// Genesys Cloud: API and login.
    pub genesys_cloud: u16,
    /// A second organisation of Genesys Cloud, the source.
    pub genesys_cloud_source: u16,
    /// Genesys Interaction Recording: its web services.
    pub gir: u16,
    /// Its store of media.
    pub webdav: u16,
    /// Its SpeechMiner.
    pub speechminer: u16,
    /// The control API.
    pub control: u16,
}

/// Where everything listens: base URLs without a trailing slash. A platform that is not simulated
/// is null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// The source's API.
    pub legacy: String,
    /// The source's pre-signed media.
    pub legacy_media: String,
    /// Genesys Cloud: API and login.
    pub genesys_cloud: String,
    /// A second organisation of Genesys Cloud, where recordings are moved from one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub genesys_cloud_source: Option<String>,
    /// Genesys Interaction Recording: its web services.
    pub gir: Option<String>,
    /// Root of its store of media.
    pub webdav: Option<String>,
    /// SpeechMiner's Interaction Receiver.
    pub speechminer: Option<String>,
    /// The control API; its paths begin with `/_sim/`.
    pub control: String,
}

/// A client of a simulated platform. Its `Debug` keeps the secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// OAuth client id.
    pub client_id: String,
    /// OAuth client secret.
    pub client_secret: String,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// An account of a simulated platform that takes Basic authentication. Its `Debug` keeps the
/// password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name.
    pub username: String,
    /// Its password.
    pub password: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// Clients of all simulated platforms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Of the source.
    pub legacy: Client,
    /// Of Genesys Cloud.
    pub genesys_cloud: Client,
    /// The ops account of Genesys Interaction Recording.
    pub gir: Account,
    /// Of its store of media.
    pub webdav: Account,
    /// Of SpeechMiner's Interaction Receiver.
    pub speechminer: Account,
}

impl Credentials {
    /// Each OAuth client with the name of its platform.
    pub fn clients(&self) -> [(&'static str, &Client); 2] {
        [
            ("legacy", &self.legacy),
            ("genesys_cloud", &self.genesys_cloud),
        ]
    }

    /// Each account with the name of its API.
    pub fn accounts(&self) -> [(&'static str, &Account); 3] {
        [
            ("gir", &self.gir),
            ("webdav", &self.webdav),
            ("speechminer", &self.speechminer),
        ]
    }
}

impl Ports {
    /// That of a listener.
    pub(crate) fn of(&self, listener: PlatformName) -> u16 {
        match listener {
            PlatformName::Legacy => self.legacy,
            PlatformName::LegacyMedia => self.media,
            PlatformName::GenesysCloud => self.genesys_cloud,
            PlatformName::GenesysCloudSource => self.genesys_cloud_source,
            PlatformName::Gir => self.gir,
            PlatformName::Webdav => self.webdav,
            PlatformName::SpeechMiner => self.speechminer,
            PlatformName::Control => self.control,
        }
    }
}

impl Addresses {
    /// Each API with its name, the source's first and the control API last; a platform that is not
    /// simulated has none.
    pub fn named(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("legacy", Some(&self.legacy)),
            ("genesys_cloud", Some(&self.genesys_cloud)),
            ("genesys_cloud_source", self.genesys_cloud_source.as_ref()),
            ("gir", self.gir.as_ref()),
            ("webdav", self.webdav.as_ref()),
            ("speechminer", self.speechminer.as_ref()),
            ("control", Some(&self.control)),
        ];
        all.into_iter()
            .filter_map(|(name, url)| Some((name, url?.as_str())))
            .collect()
    }

    /// Those of the listeners.
    pub(crate) fn of(source: SourceKind, url: impl Fn(PlatformName) -> String) -> Addresses {
        Addresses {
            genesys_cloud_source: (source == SourceKind::GenesysCloud)
                .then(|| url(PlatformName::GenesysCloudSource)),
            legacy: url(PlatformName::Legacy),
            legacy_media: url(PlatformName::LegacyMedia),
            genesys_cloud: url(PlatformName::GenesysCloud),
            gir: Some(url(PlatformName::Gir)),
            webdav: Some(url(PlatformName::Webdav)),
            speechminer: Some(url(PlatformName::SpeechMiner)),
            control: url(PlatformName::Control),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_has_one_name_of_ours_and_no_name_is_given_twice() {
        for platform in PlatformName::ALL {
            assert_eq!(
                OWN_HOSTS
                    .iter()
                    .filter(|(_, named)| *named == platform)
                    .count(),
                1,
                "{platform:?}"
            );
        }
        let mut names: Vec<String> = hosts().into_iter().map(|(host, _)| host).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!((names.len(), count), (count, 8 + 2 * 18 + 2));
    }
}
