//! The client side of each platform: wire types, authentication, paging, pacing and retries. Bytes to typed wire and back; no
//! opinions. What a value means (an instant, an identity, a retention) is decided by the migrator and by the verifier, each on its own.
//!
//! Every byte leaves through one seam, [`transport::Transport`], and every wait goes through one [`clock::Clock`], so that a whole
//! rehearsal can run over in-memory pipes under a clock that jumps.

mod arrival;
pub mod clock;
mod clock_check;
mod coding;
mod error;
pub mod genesys_cloud;
pub mod gir;
pub mod legacy;
mod network;
mod pace;
mod pages;
mod path;
mod patience;
pub mod request_log;
mod session;
pub mod transport;
mod upload;

pub use error::CallError;
pub use network::is_this_machine;
pub use pace::Limit;
pub use pages::Pages;
pub use session::{Account, Counts, Credentials, Media};
pub use upload::{OpenFile, Upload};
