//! The listeners of a simulator: a port for each platform, one port for all, or none where everything is in memory.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::addresses::{Addresses, PlatformName, Ports};
use crate::clock::Clock;
use crate::front;
use crate::gir::{Gir, Listening};
use crate::one_port::{OnePort, Shared};
use crate::scenario::ClockMode;
use crate::server::SimulatorError;

/// Where the platforms can be reached.
pub(crate) enum Listeners {
    /// On ports of this machine.
    Sockets(Box<Sockets>),
    /// On one port, under names.
    OnePort(Box<Shared>),
    /// Through [`crate::Simulator::connect`] only.
    InMemory,
}

pub(crate) struct Sockets {
    legacy: TcpListener,
    media: TcpListener,
    genesys_cloud: TcpListener,
    gir: TcpListener,
    webdav: TcpListener,
    speechminer: TcpListener,
    control: TcpListener,
}

/// The address of a platform without a socket. Loopback, as its clients expect of a simulator, on a port where nothing else may listen.
fn in_memory(platform: PlatformName) -> String {
    format!("http://{}", platform.in_memory_host())
}

impl Listeners {
    /// Those a simulator under this clock has; nothing is served yet.
    pub(crate) async fn bind(mode: ClockMode, ports: Ports, one_port: Option<OnePort>) -> Result<Listeners, SimulatorError> {
        Ok(match (mode, one_port) {
            (ClockMode::Virtual, Some(_)) => return Err(SimulatorError::NoPort),
            (ClockMode::Virtual, None) => Listeners::InMemory,
            (ClockMode::Real | ClockMode::Scaled, Some(asked)) => Listeners::OnePort(Box::new(Shared::bind(asked).await?)),
            (ClockMode::Real | ClockMode::Scaled, None) => Listeners::Sockets(Box::new(Sockets::bind(ports).await?)),
        })
    }

    fn url(&self, platform: PlatformName) -> String {
        let sockets = match self {
            Listeners::Sockets(sockets) => sockets,
            Listeners::OnePort(shared) => return shared.url(platform),
            Listeners::InMemory => return in_memory(platform),
        };
        url(match platform {
            PlatformName::Legacy => &sockets.legacy,
            PlatformName::LegacyMedia => &sockets.media,
            PlatformName::GenesysCloud => &sockets.genesys_cloud,
            PlatformName::Gir => &sockets.gir,
            PlatformName::Webdav => &sockets.webdav,
            PlatformName::SpeechMiner => &sockets.speechminer,
            PlatformName::Control => &sockets.control,
        })
    }

    pub(crate) fn ca_pem(&self) -> Option<String> {
        match self {
            Listeners::OnePort(shared) => shared.ca_pem(),
            Listeners::Sockets(_) | Listeners::InMemory => None,
        }
    }

    pub(crate) fn of_gir(&self) -> Listening {
        let url = |platform| self.url(platform);
        Listening { rws: url(PlatformName::Gir), webdav: url(PlatformName::Webdav), speechminer: url(PlatformName::SpeechMiner) }
    }

    pub(crate) fn addresses(&self, gir: &Gir) -> Addresses {
        let gir = gir.addresses();
        Addresses {
            legacy: self.url(PlatformName::Legacy),
            legacy_media: self.url(PlatformName::LegacyMedia),
            genesys_cloud: self.url(PlatformName::GenesysCloud),
            gir: Some(gir.rws),
            webdav: Some(gir.webdav),
            speechminer: Some(gir.speechminer),
            control: self.url(PlatformName::Control),
        }
    }

    /// Serves each platform by its router until the tasks are dropped.
    pub(crate) fn serve(self, router: impl Fn(PlatformName) -> Router, clock: &Clock) -> Vec<JoinHandle<()>> {
        match self {
            Listeners::Sockets(sockets) => sockets.serve(router, clock),
            Listeners::OnePort(shared) => shared.serve(router, clock),
            Listeners::InMemory => Vec::new(),
        }
    }
}

impl Sockets {
    async fn bind(ports: Ports) -> Result<Sockets, SimulatorError> {
        Ok(Sockets {
            legacy: bind(ports.legacy).await?,
            media: bind(ports.media).await?,
            genesys_cloud: bind(ports.genesys_cloud).await?,
            gir: bind(ports.gir).await?,
            webdav: bind(ports.webdav).await?,
            speechminer: bind(ports.speechminer).await?,
            control: bind(ports.control).await?,
        })
    }

    fn serve(self, router: impl Fn(PlatformName) -> Router, clock: &Clock) -> Vec<JoinHandle<()>> {
        let pairs = [
            (self.legacy, PlatformName::Legacy),
            (self.media, PlatformName::LegacyMedia),
            (self.genesys_cloud, PlatformName::GenesysCloud),
            (self.gir, PlatformName::Gir),
            (self.webdav, PlatformName::Webdav),
            (self.speechminer, PlatformName::SpeechMiner),
            (self.control, PlatformName::Control),
        ];
        pairs.into_iter().map(|(listener, platform)| tokio::spawn(front::accept(listener, router(platform), clock.clone()))).collect()
    }
}

async fn bind(port: u16) -> Result<TcpListener, SimulatorError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|source| SimulatorError::Port { port, source })
}

fn url(listener: &TcpListener) -> String {
    listener.local_addr().map(|address| format!("http://{address}")).unwrap_or_default()
}
