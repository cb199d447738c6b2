//! Genesys Cloud: the public read surface, which anyone may use, and the recording-migration guide's ingestion surface, which only
//! the migrator does.

mod guide;
mod read;
pub mod wire;

pub use guide::{GuideClient, OpenFile, Upload};
pub use read::{ReadClient, Settings};
