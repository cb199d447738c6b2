//! Genesys Cloud: the public read surface, which anyone may use, and two ingestion surfaces, which
//! only the migrator does: the recording-migration guide's and the vendor's public one.

mod guide;
pub mod public;
mod read;
pub mod wire;

pub use guide::GuideClient;
pub use public::PublicClient;
pub use read::{ReadClient, Settings};
