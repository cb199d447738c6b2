//! Where the simulated platforms can be reached, and as whom.

use serde::{Deserialize, Serialize};

/// Ports; 0 lets the system choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// The source's API.
    pub legacy: u16,
    /// The source's pre-signed media.
    pub media: u16,
    /// Genesys Cloud: API and login.
    pub genesys_cloud: u16,
    /// Genesys Interaction Recording: its web services.
    pub gir: u16,
    /// Its store of media.
    pub webdav: u16,
    /// Its SpeechMiner.
    pub speechminer: u16,
    /// The control API.
    pub control: u16,
}

/// Where everything listens: base URLs without a trailing slash. A platform that is not simulated is null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// The source's API.
    pub legacy: String,
    /// The source's pre-signed media.
    pub legacy_media: String,
    /// Genesys Cloud: API and login.
    pub genesys_cloud: String,
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
        f.debug_struct("Client").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// An account of a simulated platform that takes Basic authentication. Its `Debug` keeps the password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name.
    pub username: String,
    /// Its password.
    pub password: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("username", &self.username).finish_non_exhaustive()
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

/// A simulated platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

impl PlatformName {
    /// All of them.
    pub const ALL: [PlatformName; 7] = [
        PlatformName::Legacy,
        PlatformName::LegacyMedia,
        PlatformName::GenesysCloud,
        PlatformName::Gir,
        PlatformName::Webdav,
        PlatformName::SpeechMiner,
        PlatformName::Control,
    ];

    /// `host:port` of its addresses under a virtual clock, where nothing listens: what a client hands to [`crate::Simulator::connect`].
    pub fn in_memory_host(self) -> String {
        let at = PlatformName::ALL.into_iter().position(|platform| platform == self).unwrap_or_default();
        format!("127.0.0.1:{}", at + 1)
    }
}
