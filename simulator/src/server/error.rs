//! Why a simulator did not start or could not answer.

use crate::config_error::ConfigError;
use crate::tamper::TamperRefusal;

/// Why a simulator did not start or could not answer.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The scenario or its imported world.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The world's days do not fit the day it is served on.
    #[error("{0}; choose another --day")]
    Day(String),
    /// A port is taken, most often.
    #[error(
        "could not listen on 127.0.0.1:{port}: {source}; choose another port, or 0 for a free one"
    )]
    Port {
        /// The port.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// The certificates of one port for all.
    #[error(
        "could not make the certificates: {0}; leave TLS out, or look for a broken random source"
    )]
    Tls(String),
    /// A virtual clock has no ports.
    #[error(
        "one port for all platforms needs a real or scaled clock: under a virtual one nothing \
         listens"
    )]
    NoPort,
    /// The folder for uploads.
    #[error("could not make the spool folder: {0}; choose a folder that can be written to")]
    Spool(std::io::Error),
    /// The truth of a platform could not be told.
    #[error("could not tell the truth of {platform}: {reason}")]
    Truth {
        /// Which.
        platform: &'static str,
        /// Why.
        reason: String,
    },
    /// A damage could not be planted.
    #[error(transparent)]
    Tamper(#[from] TamperRefusal),
}
