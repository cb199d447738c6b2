//! Genesys Cloud: the public read surface, which anyone may use, and two ingestion surfaces, which
//! only the migrator does: the recording-migration guide's and the vendor's public one.

mod batches;
mod guide;
pub mod public;
mod read;
mod verbatim;
pub mod wire;

pub use batches::Batches;
pub use guide::GuideClient;
pub use public::PublicClient;
pub use read::{ReadClient, Settings};
pub use verbatim::{DetailsPage, RecordingAnswer};
