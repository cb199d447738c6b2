//! The client side of each platform: wire types, authentication, paging, pacing and retries. Bytes
//! to typed wire and back; no opinions. What a value means (an instant, an identity, a retention)
//! is decided by the migrator and by the verifier, each on its own.
//!
//! Every byte leaves through one seam, [`transport::Transport`], and every wait goes through one
//! [`clock::Clock`], so that a whole rehearsal can run over in-memory pipes under a clock that
//! jumps.

pub mod clock;
mod error;
pub mod genesys_cloud;
pub mod gir;
pub mod legacy;
mod net;
pub mod object_storage;

pub use error::CallError;
pub use net::answer::Media;
pub use net::auth::{Account, Credentials};
pub use net::body::{OpenFile, Upload};
pub use net::network::is_this_machine;
pub use net::pages::Pages;
pub use net::rate_limit::{Budget, Limit};
pub use net::request_log;
pub use net::session::Counts;

/// Where bytes leave: to the network, or over an in-memory pipe.
pub mod transport {
    pub use crate::net::clock_check::{ClockCheck, SIMULATED_CLOCK};
    pub use crate::net::network::{CaError, Network, Side};
    pub use crate::net::transport::*;
}
