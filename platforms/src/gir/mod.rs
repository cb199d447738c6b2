//! Genesys Interaction Recording: its web services (RWS), the WebDAV store its media lie in, and
//! SpeechMiner's Interaction Receiver. Three accounts, three hosts perhaps, no common token.

mod listing;
mod rws;
mod speechminer;
mod webdav;
pub mod wire;

pub use rws::{Page, RwsClient, Settings};
pub use speechminer::SpeechMinerClient;
pub use webdav::{Entry, Head, Moved, WebDavClient};
