//! The listeners of a simulator: a port for each, one port for all, or none where everything is in
//! memory.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::Routers;
use super::error::SimulatorError;
use super::one_port::{OnePort, Shared};
use crate::clock::Clock;
use crate::http::connection;
use crate::platforms::registry::{PlatformName, Ports};
use crate::setup::ClockMode;

/// Where the platforms can be reached.
pub(crate) enum Listeners {
    /// On ports of this machine.
    Sockets(BTreeMap<PlatformName, TcpListener>),
    /// On one port, under names.
    OnePort(Box<Shared>),
    /// Through [`crate::Simulator::connect`] only.
    InMemory,
}

impl Listeners {
    /// Those a simulator under this clock has; nothing is served yet.
    pub(crate) async fn bind(
        mode: ClockMode,
        ports: Ports,
        one_port: Option<OnePort>,
    ) -> Result<Listeners, SimulatorError> {
        Ok(match (mode, one_port) {
            (ClockMode::Virtual, Some(_)) => return Err(SimulatorError::NoPort),
            (ClockMode::Virtual, None) => Listeners::InMemory,
            (ClockMode::Real | ClockMode::Scaled, Some(asked)) => {
                Listeners::OnePort(Box::new(Shared::bind(asked).await?))
            }
            (ClockMode::Real | ClockMode::Scaled, None) => {
                let mut sockets = BTreeMap::new();
                for name in PlatformName::ALL {
                    sockets.insert(name, bind(ports.of(name)).await?);
                }
                Listeners::Sockets(sockets)
            }
        })
    }

    /// Base URL of a listener. In memory it is of loopback, as its clients expect of a simulator,
    /// on a port where nothing else may listen.
    pub(crate) fn url(&self, name: PlatformName) -> String {
        match self {
            Listeners::Sockets(sockets) => {
                let address = sockets
                    .get(&name)
                    .and_then(|socket| socket.local_addr().ok());
                address
                    .map(|address| format!("http://{address}"))
                    .unwrap_or_default()
            }
            Listeners::OnePort(shared) => shared.url(name),
            Listeners::InMemory => format!("http://{}", name.in_memory_host()),
        }
    }

    pub(crate) fn ca_pem(&self) -> Option<String> {
        match self {
            Listeners::OnePort(shared) => shared.ca_pem(),
            Listeners::Sockets(_) | Listeners::InMemory => None,
        }
    }

    /// Serves each listener by its router until the tasks are dropped.
    pub(crate) fn serve(self, routers: &Routers, clock: &Clock) -> Vec<JoinHandle<()>> {
        let router = |name| routers.get(&name).cloned().unwrap_or_else(Router::new);
        match self {
            Listeners::Sockets(sockets) => {
                let serve = |(name, socket)| {
                    tokio::spawn(connection::accept(socket, router(name), clock.clone()))
                };
                sockets.into_iter().map(serve).collect()
            }
            Listeners::OnePort(shared) => shared.serve(router, clock),
            Listeners::InMemory => Vec::new(),
        }
    }
}

async fn bind(port: u16) -> Result<TcpListener, SimulatorError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address)
        .await
        .map_err(|source| SimulatorError::Port { port, source })
}
