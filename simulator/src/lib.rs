//! Server side of the platforms Seatrial rehearses against: a legacy contact centre (the source), Genesys Cloud and Genesys
//! Interaction Recording (the targets), served over real
//! HTTP from a generated or imported world, with their limits, refusals and addressed faults, one clock, one journal and a control API.
//!
//! Start with [`Scenario`] and [`Simulator`]. In a test of your own migrator, on free ports, stopped when it is dropped; where the test panics, the
//! scenario, the seed and the journal's last lines go to standard error:
//!
//! ```
//! use simulator::{Options, PlatformName, Scenario, Simulator};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let text = "about = 'Five calls.'\nseed = 7\n[world]\ninteractions = 5\n[expect]\nverdict = 'match'";
//! let simulator = Simulator::start(Scenario::parse(text, "five")?, Options::default()).await?;
//! assert!(simulator.addresses().genesys_cloud.starts_with("http://127.0.0.1:"));
//! // Here your migrator runs, with `simulator.credentials()`. What has it left behind, and how did it behave?
//! assert_eq!(simulator.truth(PlatformName::GenesysCloud).await?, "");
//! assert_eq!(simulator.conduct().count(), 0);
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! This crate knows nothing of the client side: its wire types are its own, so that a misnamed field
//! collides with the clients instead of being agreed by both ends.

mod addresses;
mod body;
mod clock;
mod conduct;
mod control;
mod damage;
mod exchange;
mod facts;
mod fault;
mod front;
mod genesys_cloud;
mod gir;
mod journal;
mod legacy;
mod listeners;
mod one_port;
mod openapi;
mod plan_writer;
mod ranges;
mod rules;
mod scenario;
mod seed;
mod server;
mod snapshots;
mod tamper;
mod world;

pub use addresses::{Account, Addresses, Client, Credentials, PlatformName, Ports};
pub use clock::{BeyondCalendar, today};
pub use conduct::{Breach, CONDUCT_RULES, ConductReport, ConductRule};
pub use fault::domain::DomainKind;
pub use fault::operations::Operation;
pub use fault::outcome::{Outcome, Repair};
pub use fault::table::{FaultKind, Knob, Layer, Row, rows as fault_rows};
pub use fault::{Active, FaultRule, Injected};
pub use genesys_cloud::{
    AccessSettings as GenesysCloudAccessSettings, AttributeSearch, PolicyDaysFrom, PublicSettings as GenesysCloudPublicSettings,
    ReportColumn, ReusedEventId, Role as GenesysCloudRole, Settings as GenesysCloudSettings,
};
pub use gir::{
    EncryptionSettings as GirEncryptionSettings, ExportError, Exported, IndexSettings as GirIndexSettings, Limits as GirLimits,
    OtherRegion as GirOtherRegion, Paging as GirPaging, PrivacySettings as GirPrivacySettings, PurgeRule as GirPurgeRule,
    PurgeSettings as GirPurgeSettings, Repeated as GirRepeated, Repost as GirRepost, Settings as GirSettings,
    SpeechMinerSettings as GirSpeechMinerSettings, Wins as GirWins, Zoneless as GirZoneless,
};
pub use journal::Entry as JournalEntry;
pub use legacy::LegacySettings;
pub use one_port::{OWN_HOSTS, OnePort, REGIONS, hosts};
pub use plan_writer::PlanWriteError;
pub use rules::{Grade, Rule, all_rules};
pub use scenario::{
    AfterMigration, ClockMode, ClockSettings, Ending, Expect, Ingest, MigratorSettings, Scenario, ScenarioError, TargetKind, Verdict,
};
pub use server::{Dialler, Options, Simulator, SimulatorError};
pub use snapshots::{SnapshotError, SnapshotInfo};
pub use tamper::{Planted, TamperAnswer, TamperRefusal};
pub use world::{BadMedia, SourceCodec, WORLD_VERSION, WorldSettings};
