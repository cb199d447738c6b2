//! The network, through reqwest with rustls: whom it trusts, which proxy it takes, and what it
//! never sends in clear.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
use http_body_util::BodyExt;
use rustls::{AlertDescription, CertificateError, InvalidMessage};

use crate::net::transport::{Body, Failure, Transport, TransportError, USER_AGENT};

/// How one side of a migration is reached. The default: authorities of the system only, and https
/// to every other machine.
#[derive(Debug, Clone, Default)]
pub struct Side {
    /// Its hosts, each `host` or `host:port`. Of the target they need not be known: what is not the
    /// source's is the target's.
    hosts: Vec<String>,
    /// Certificates of authorities that are trusted besides the system's.
    authorities: Vec<reqwest::Certificate>,
    /// Whether plain http may go to another machine.
    plain_http: bool,
}

/// A file that should hold certificates of authorities and does not.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct CaError(String);

impl Side {
    /// A side with these hosts, trusted by the system's authorities.
    #[must_use]
    pub fn new(hosts: Vec<String>, plain_http: bool) -> Side {
        Side {
            hosts,
            authorities: Vec::new(),
            plain_http,
        }
    }

    /// Trusts the authorities in a PEM file besides the system's.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or that holds no certificate.
    pub fn trust(&mut self, file: &Path) -> Result<(), CaError> {
        let named = |what: &str| CaError(format!("{}: {what}", file.display()));
        let pem = std::fs::read(file).map_err(|error| named(&error.to_string()))?;
        let found = reqwest::Certificate::from_pem_bundle(&pem)
            .map_err(|_| named("is not a PEM file of certificates"))?;
        if found.is_empty() {
            return Err(named(
                "holds no certificate; a PEM file has lines `-----BEGIN CERTIFICATE-----`",
            ));
        }
        self.authorities.extend(found);
        Ok(())
    }

    fn has(&self, host: &str, authority: &str) -> bool {
        self.hosts
            .iter()
            .any(|own| own.eq_ignore_ascii_case(authority) || own.eq_ignore_ascii_case(host))
    }
}

/// The network.
pub struct Network {
    source: Site,
    target: Site,
}

/// A side with its clients, made when they are first used: reading the system's authorities takes a
/// while.
struct Site {
    side: Side,
    /// Through the proxy that the environment names, if it names one.
    proxied: OnceLock<Option<reqwest::Client>>,
    /// For this machine: a proxy elsewhere would not find it.
    direct: OnceLock<Option<reqwest::Client>>,
}

impl Site {
    fn new(side: Side) -> Site {
        Site {
            side,
            proxied: OnceLock::new(),
            direct: OnceLock::new(),
        }
    }

    fn client(&self, host: &str) -> Option<&reqwest::Client> {
        let is_here = is_this_machine(host);
        let made = if is_here { &self.direct } else { &self.proxied };
        made.get_or_init(|| self.make(is_here)).as_ref()
    }

    fn make(&self, is_here: bool) -> Option<reqwest::Client> {
        client_for(&self.side, is_here, None)
    }
}

/// A client that trusts whom this side trusts, and goes through the proxy that the environment
/// names, but not to this machine. `silence`: how long an answer may pause; absent: whoever waits
/// decides. `None` only where the TLS library cannot start.
pub(crate) fn client_for(
    side: &Side,
    is_here: bool,
    silence: Option<Duration>,
) -> Option<reqwest::Client> {
    // A second call finds a provider installed, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(USER_AGENT)
        .pool_max_idle_per_host(64)
        .tls_certs_merge(side.authorities.clone());
    if is_here {
        builder = builder.no_proxy();
    }
    if let Some(silence) = silence {
        builder = builder.read_timeout(silence);
    }
    builder.build().ok()
}

impl Network {
    /// Opens no connection yet. `None` only where the TLS library cannot start.
    #[must_use]
    pub fn new() -> Option<Network> {
        Network::between(Side::default(), Side::default())
    }

    /// The same, with what a plan says about both sides.
    #[must_use]
    pub fn between(source: Side, target: Side) -> Option<Network> {
        let network = Network {
            source: Site::new(source),
            target: Site::new(target),
        };
        network.target.client("localhost")?;
        Some(network)
    }

    fn site(&self, host: &str, authority: &str) -> &Site {
        if self.source.side.has(host, authority) {
            &self.source
        } else {
            &self.target
        }
    }
}

#[async_trait]
impl Transport for Network {
    async fn send(
        &self,
        request: http::Request<Body>,
    ) -> Result<http::Response<Body>, TransportError> {
        let barred = |why: &str| TransportError::new(Failure::Barred, why);
        let host = request.uri().host().unwrap_or_default().to_owned();
        let authority = request
            .uri()
            .authority()
            .map(ToString::to_string)
            .unwrap_or_default();
        let site = self.site(&host, &authority);
        if request.uri().scheme_str() == Some("http")
            && !site.side.plain_http
            && !is_this_machine(&host)
        {
            return Err(barred(&in_clear(&host)));
        }
        let (parts, body) = request.into_parts();
        let body = match body {
            Body::Full(bytes) => reqwest::Body::from(bytes),
            Body::Stream { stream, .. } => reqwest::Body::wrap_stream(stream),
        };
        let request = reqwest::Request::try_from(http::Request::from_parts(parts, body))
            .map_err(|error| from_reqwest(&error))?;
        let client = site
            .client(&host)
            .ok_or_else(|| barred("the TLS library does not start on this machine"))?;
        let response = client
            .execute(request)
            .await
            .map_err(|error| from_reqwest(&error))?;
        let length = response.content_length();
        let (parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
        let stream = body
            .into_data_stream()
            .map_err(|error| from_reqwest(&error))
            .boxed();
        Ok(http::Response::from_parts(
            parts,
            Body::Stream { length, stream },
        ))
    }
}

fn in_clear(host: &str) -> String {
    format!(
        "plain http to {host} would carry credentials and recordings in clear; use https, or set \
         plain_http = true for that side in the plan"
    )
}

/// Whether a host is this machine, by its text alone: `localhost`, 127.0.0.0/8, `::1`. A name that
/// only resolves to it is not.
#[must_use]
pub fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The innermost cause says most ("connection refused"); reqwest's own text would repeat the URL
/// with its query.
fn from_reqwest(error: &reqwest::Error) -> TransportError {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    loop {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return match untrusted(tls) {
                Some(why) => TransportError::new(Failure::Untrusted, why),
                None => TransportError::new(
                    if error.is_connect() {
                        Failure::NotSent
                    } else {
                        Failure::Broken
                    },
                    "the secure connection broke",
                ),
            };
        }
        // What an I/O error wraps is not its source but its inside.
        let inside = cause
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
            .map(|inside| inside as &(dyn std::error::Error + 'static));
        match inside.or_else(|| cause.source()) {
            Some(inner) => cause = inner,
            None => break,
        }
    }
    let why = if error.is_timeout() {
        "timed out".to_owned()
    } else {
        cause.to_string().to_lowercase()
    };
    TransportError::new(
        if error.is_connect() || error.is_builder() {
            Failure::NotSent
        } else {
            Failure::Broken
        },
        why,
    )
}

/// Why a peer cannot be trusted, in words of ours; `None` where trying again may help.
fn untrusted(error: &rustls::Error) -> Option<String> {
    let why = match error {
        rustls::Error::InvalidCertificate(certificate) => {
            return Some(certificate_words(certificate));
        }
        rustls::Error::NoCertificatesPresented => "it shows no certificate",
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "it does not speak TLS there; check the port, or whether it is http"
        }
        rustls::Error::PeerIncompatible(_) => {
            "it offers no version or cipher of TLS that this program takes (1.2 and 1.3)"
        }
        rustls::Error::UnsupportedNameType => "its name is none that a certificate can be for",
        rustls::Error::AlertReceived(alert) => match alert {
            AlertDescription::CertificateRequired | AlertDescription::AccessDenied => {
                "it asks for a client certificate, which this program has not"
            }
            AlertDescription::UnrecognisedName => "it does not know the name it is asked by",
            AlertDescription::HandshakeFailure
            | AlertDescription::ProtocolVersion
            | AlertDescription::InsufficientSecurity => {
                "it takes no version or cipher of TLS that this program offers (1.2 and 1.3)"
            }
            _ => return None,
        },
        _ => return None,
    };
    Some(why.to_owned())
}

fn certificate_words(error: &CertificateError) -> String {
    let own_authority = "if that is right, give the authority's certificate as `ca = \"file.pem\"` \
        for that side in the plan";
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has run out; or this machine's clock is wrong".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet; or this machine's clock is wrong".to_owned()
        }
        CertificateError::Revoked => "its certificate was revoked".to_owned(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name".to_owned()
        }
        CertificateError::UnknownIssuer => format!(
            "its certificate is of an authority that this machine does not know; {own_authority}"
        ),
        // An authority's own certificate, shown as a server's: what a self-made one is.
        CertificateError::Other(inner) if format!("{inner:?}").contains("CaUsedAsEndEntity") => {
            format!("its certificate is self-signed; {own_authority}")
        }
        _ => "its certificate is not valid".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_text_alone() {
        for host in [
            "localhost",
            "LOCALHOST",
            "127.0.0.1",
            "127.8.9.1",
            "[::1]",
            "::1",
        ] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "localhost.example",
            "example.com",
            "10.0.0.1",
            "[2001:db8::1]",
            "0.0.0.0",
            "",
        ] {
            assert!(!is_this_machine(host), "{host}");
        }
    }

    #[tokio::test]
    async fn plain_http_goes_to_this_machine_only_unless_that_side_may() {
        let to = |address: &str| {
            http::Request::builder()
                .uri(address)
                .body(Body::empty())
                .expect("a request")
        };
        let source = Side::new(vec!["source.invalid".to_owned()], true);
        let network = Network::between(source, Side::default()).expect("a network");
        // What is let through then finds nobody: these names resolve nowhere.
        for (address, wanted) in [
            ("http://source.invalid/a", Failure::NotSent),
            ("http://target.invalid/a", Failure::Barred),
            ("https://target.invalid/a", Failure::NotSent),
            ("http://127.0.0.1:1/a", Failure::NotSent),
        ] {
            let error = network.send(to(address)).await.expect_err(address);
            assert_eq!(error.kind, wanted, "{address}: {error}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_named() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("site.pem");
        std::fs::write(&file, "not a certificate").expect("a file");
        let error = Side::default()
            .trust(&file)
            .expect_err("no certificate")
            .to_string();
        assert!(
            error.contains("site.pem") && error.contains("certificate"),
            "{error}"
        );
        let error = Side::default()
            .trust(&dir.path().join("absent.pem"))
            .expect_err("no file")
            .to_string();
        assert!(error.contains("absent.pem"), "{error}");
    }
}
