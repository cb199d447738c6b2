//! Server side of the platforms Seatrial rehearses against: a legacy contact centre (the source),
//! Genesys Cloud and Genesys Interaction Recording (the targets), served over real HTTP from a
//! generated or imported world, with their limits, refusals and addressed faults, one clock, one
//! journal and a control API.
//!
//! Start with [`Setup`] and [`Simulator`]. In a test of your own migrator, on free ports, stopped
//! when it is dropped; where the test panics, the setup, the seed and the journal's last lines go
//! to standard error:
//!
//! ```
//! use simulator::{Options, PlatformName, Setup, Simulator};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let text = "about = 'Five calls.'\nseed = 7\n[world]\ninteractions = 5";
//! let simulator = Simulator::start(Setup::parse(text, "five")?, Options::default()).await?;
//! assert!(simulator.addresses().genesys_cloud.starts_with("http://127.0.0.1:"));
//! // Here your migrator runs, with `simulator.credentials()`. What has it left behind, and how did it behave?
//! assert_eq!(simulator.truth(PlatformName::GenesysCloud).await?, "");
//! assert_eq!(simulator.conduct().count(), 0);
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! This crate knows nothing of the client side: its wire types are its own, so that a misnamed
//! field collides with the clients instead of being agreed by both ends.

mod audio_facts;
mod clock;
mod conduct;
mod config_error;
mod config_file;
mod damage;
mod faults;
mod http;
mod journal;
mod legacy_id;
mod operations;
mod outcome;
mod pipeline;
mod plan_writer;
mod platforms;
mod rules;
mod seed;
mod server;
mod setup;
mod tamper;
mod time;
mod world;

pub use clock::{BeyondCalendar, today};
pub use conduct::{Breach, CONDUCT_RULES, ConductReport, ConductRule};
pub use config_error::{ConfigError, nearest};
pub use config_file::ConfigFile;
pub use faults::table::{FaultKind, Knob, Layer, Row, fault_table, rows as fault_rows};
pub use faults::{Active, FaultRule, Injected};
pub use journal::Entry as JournalEntry;
pub use operations::Operation;
pub use outcome::{Outcome, Repair};
pub use plan_writer::PlanWriteError;
pub use platforms::genesys_cloud::{
    AccessSettings as GenesysCloudAccessSettings, AttributeSearch, Ingest, PolicyDaysFrom,
    PublicSettings as GenesysCloudPublicSettings, REGIONS, ReportColumn, ReusedEventId,
    Role as GenesysCloudRole, Settings as GenesysCloudSettings,
};
pub use platforms::gir::{
    EncryptionSettings as GirEncryptionSettings, ExportError, Exported,
    IndexSettings as GirIndexSettings, Limits as GirLimits, OtherRegion as GirOtherRegion,
    Paging as GirPaging, PrivacySettings as GirPrivacySettings, PurgeRule as GirPurgeRule,
    PurgeSettings as GirPurgeSettings, Repeated as GirRepeated, Repost as GirRepost,
    Settings as GirSettings, SpeechMinerSettings as GirSpeechMinerSettings, Wins as GirWins,
    Zoneless as GirZoneless,
};
pub use platforms::legacy::LegacySettings;
pub use platforms::registry::{
    Account, Addresses, Client, Credentials, OWN_HOSTS, PLATFORM_SECTIONS, PlatformName, Ports,
    SourceKind, TargetKind, all_rules, hosts,
};
pub use rules::{Grade, Rule};
pub use server::{
    InMemoryConnector, OnePort, Options, Simulator, SimulatorError, SnapshotError, SnapshotInfo,
};
pub use setup::{ClockMode, ClockSettings, Setup};
pub use tamper::{Planted, TamperAnswer, TamperRefusal};
pub use world::{BadMedia, DomainKind, SourceCodec, WORLD_VERSION, WorldSettings};
