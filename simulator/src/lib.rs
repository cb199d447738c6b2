//! Server side of the platforms Seatrial rehearses against: a legacy contact centre (the source), Genesys Cloud and Genesys
//! Interaction Recording (the targets), served over real
//! HTTP from a generated or imported world, with their limits, refusals and addressed faults, one clock, one journal and a control API.
//!
//! Start with [`Scenario`] and [`Simulator`]. This crate knows nothing of the client side: its wire types are its own, so that a misnamed field
//! collides with the clients instead of being agreed by both ends.

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
mod openapi;
mod plan_writer;
mod ranges;
mod rules;
mod scenario;
mod seed;
mod server;
mod tamper;
mod world;

pub use conduct::{Breach, CONDUCT_RULES, ConductReport, ConductRule};
pub use fault::operations::Operation;
pub use fault::table::{FaultKind, Knob, Layer, Row, TABLE as FAULT_TABLE};
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
pub use plan_writer::PlanWriteError;
pub use rules::{Grade, Rule, all_rules};
pub use scenario::{
    AfterMigration, ClockMode, ClockSettings, Ending, Expect, Ingest, MigratorSettings, Scenario, ScenarioError, TargetKind, Verdict,
};
pub use server::{Account, Addresses, Client, Credentials, Dialler, Options, PlatformName, Ports, Simulator, SimulatorError};
pub use tamper::{Planted, TamperAnswer, TamperRefusal};
pub use world::{BadMedia, SourceCodec, WORLD_VERSION, WorldSettings};
