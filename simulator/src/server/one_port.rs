//! All platforms on one listener, told apart by the host a client asks, with or without TLS: for
//! clients whose vendor hosts are written into them.
//!
//! A resolver, `/etc/hosts` or `curl --connect-to` leads the names here; under TLS the client
//! trusts the CA that is made at start and told as PEM.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use http::header;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::clock::Clock;
use crate::http::connection;
use crate::http::reply::Reply;
use crate::http::request_context::Origin;
use crate::platforms::registry::{PlatformName, hosts};

use super::error::SimulatorError;

/// All platforms on one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnePort {
    /// The port on loopback; 0 lets the system choose.
    pub port: u16,
    /// Whether HTTPS is spoken, by a certificate for every name here.
    pub tls: bool,
}

/// The one listener, before it serves.
pub(crate) struct Shared {
    listener: TcpListener,
    port: u16,
    tls: Option<Tls>,
}

struct Tls {
    acceptor: TlsAcceptor,
    ca_pem: String,
}

impl Shared {
    pub(crate) async fn bind(asked: OnePort) -> Result<Shared, SimulatorError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, asked.port));
        let refused = |source| SimulatorError::Port {
            port: asked.port,
            source,
        };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let port = listener.local_addr().map_err(refused)?.port();
        let tls = asked
            .tls
            .then(Tls::new)
            .transpose()
            .map_err(SimulatorError::Tls)?;
        Ok(Shared {
            listener,
            port,
            tls,
        })
    }

    /// Base URL of a platform, under its name of ours.
    pub(crate) fn url(&self, platform: PlatformName) -> String {
        let host = platform.own_host();
        match (self.scheme(), self.port) {
            ("http", 80) | ("https", 443) => format!("{}://{host}", self.scheme()),
            (scheme, port) => format!("{scheme}://{host}:{port}"),
        }
    }

    /// The certificate to trust, PEM; `None` without TLS.
    pub(crate) fn ca_pem(&self) -> Option<String> {
        self.tls.as_ref().map(|tls| tls.ca_pem.clone())
    }

    fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Serves each platform under its names.
    pub(crate) fn serve(
        self,
        of: impl Fn(PlatformName) -> Router,
        clock: &Clock,
    ) -> Vec<JoinHandle<()>> {
        let router = by_host(self.scheme(), of);
        let clock = clock.clone();
        let Shared { listener, tls, .. } = self;
        let task = match tls {
            None => tokio::spawn(connection::accept(listener, router, clock)),
            Some(Tls { acceptor, .. }) => tokio::spawn(connection::accept_by(
                listener,
                clock.clone(),
                move |stream, number| {
                    let (acceptor, router, clock) =
                        (acceptor.clone(), router.clone(), clock.clone());
                    async move {
                        match acceptor.accept(stream).await {
                            Ok(stream) => {
                                connection::numbered(stream, router, clock, Some(number)).await
                            }
                            Err(error) => {
                                tracing::debug!(%error, "a TLS handshake failed; does the client \
                                    trust the CA?")
                            }
                        }
                    }
                },
            )),
        };
        vec![task]
    }
}

/// One router for all: the name asked for chooses.
fn by_host(scheme: &'static str, of: impl Fn(PlatformName) -> Router) -> Router {
    let table: BTreeMap<String, Router> = hosts()
        .into_iter()
        .map(|(host, platform)| (host, of(platform)))
        .collect();
    let table = Arc::new(table);
    Router::new().fallback(move |mut request: Request| {
        let table = table.clone();
        async move {
            let host = asked_host(&request);
            let name = host
                .split(':')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
            let Some(router) = table.get(&name) else {
                return misdirected(&name);
            };
            request.extensions_mut().insert(Origin { scheme, host });
            match router.clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        }
    })
}

/// Name and port as the client wrote them.
fn asked_host(request: &Request) -> String {
    let authority = request.uri().authority().map(ToString::to_string);
    let header = || {
        request
            .headers()
            .get(header::HOST)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    authority.unwrap_or_else(header)
}

/// RFC 9110, section 15.5.20.
fn misdirected(name: &str) -> Response {
    let known: Vec<String> = hosts().into_iter().map(|(host, _)| host).collect();
    Reply::json(421, &json!({"error": format!("no platform is simulated under the name `{name}`"), "names": known})).into_response()
}

impl Tls {
    /// A CA of this moment and a certificate for every name.
    fn new() -> Result<Tls, String> {
        let wrong = |error: rcgen::Error| error.to_string();
        let mut of_ca = CertificateParams::default();
        of_ca.distinguished_name.push(
            DnType::CommonName,
            "Seatrial simulators, trust in tests only",
        );
        of_ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        of_ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        long_lived(&mut of_ca);
        let ca = CertifiedIssuer::self_signed(of_ca, KeyPair::generate().map_err(wrong)?)
            .map_err(wrong)?;
        let names: Vec<String> = hosts().into_iter().map(|(host, _)| host).collect();
        let mut of_server = CertificateParams::new(names).map_err(wrong)?;
        of_server
            .distinguished_name
            .push(DnType::CommonName, "Seatrial simulators");
        of_server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        of_server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        of_server.use_authority_key_identifier_extension = true;
        long_lived(&mut of_server);
        let key = KeyPair::generate().map_err(wrong)?;
        let certificate = of_server.signed_by(&key, &ca).map_err(wrong)?;
        let chain = vec![certificate.der().clone(), ca.der().clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions();
        let config =
            builder.and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
        let mut config = config.map_err(|error| error.to_string())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            ca_pem: ca.pem(),
        })
    }
}

/// Valid under any clock a rehearsal is run by: a scenario may lie years back, and its retention
/// years ahead.
fn long_lived(params: &mut CertificateParams) {
    params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    params.not_after = rcgen::date_time_ymd(2049, 12, 31);
}
