//! Which requests a migration and its verification make, by surface: one row an operation.

use serde::{Deserialize, Serialize};
use simulator::PlatformName;

use super::Load;

/// By which surface recordings are taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// Genesys Cloud as the migration guide has it.
    Guide,
    /// Genesys Cloud's public ingestion.
    Public,
    /// Genesys Interaction Recording.
    Gir,
}

impl Surface {
    /// Every one of them.
    pub const ALL: [Surface; 3] = [Surface::Guide, Surface::Public, Surface::Gir];

    /// The platform behind it.
    pub(crate) fn platform(self) -> PlatformName {
        match self {
            Surface::Guide | Surface::Public => PlatformName::GenesysCloud,
            Surface::Gir => PlatformName::Gir,
        }
    }

    /// The keys of a scenario that choose it.
    pub(crate) fn scenario_keys(self) -> &'static str {
        match self {
            Surface::Guide => "target = \"genesys_cloud\"\ningest = \"guide\"",
            Surface::Public => "target = \"genesys_cloud\"\ningest = \"public\"",
            Surface::Gir => "target = \"gir\"",
        }
    }

    /// `guide`, `public`, `gir`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Surface::Guide => "guide",
            Surface::Public => "public",
            Surface::Gir => "gir",
        }
    }

    /// The one a plan sends to.
    #[must_use]
    pub fn of_plan(target: &plan::Target) -> Surface {
        match target {
            plan::Target::Gir(_) => Surface::Gir,
            plan::Target::GenesysCloud(cloud) if cloud.ingest == plan::Ingest::Public => {
                Surface::Public
            }
            plan::Target::GenesysCloud(_) => Surface::Guide,
        }
    }

    /// The one a migrator is to send to where this is simulated.
    #[must_use]
    pub fn of_setup(setup: &simulator::Setup) -> Surface {
        match (setup.target, setup.ingest) {
            (simulator::TargetKind::Gir, _) => Surface::Gir,
            (simulator::TargetKind::GenesysCloud, simulator::Ingest::Public) => Surface::Public,
            (simulator::TargetKind::GenesysCloud, simulator::Ingest::Guide) => Surface::Guide,
        }
    }

    /// Whether its platform protects only so many conversations against deletion.
    #[must_use]
    pub fn has_most_holds(self) -> bool {
        self != Surface::Gir
    }

    /// Whether its platform limits requests by the minute and uploads by the second.
    #[must_use]
    pub fn has_limits(self) -> bool {
        self != Surface::Gir
    }
}

/// Whose request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The migrator's.
    Migration,
    /// The verifier's.
    Verification,
}

/// Requests of one operation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tally {
    /// As in the table of operations.
    pub operation: &'static str,
    /// Whose.
    pub side: Side,
    /// How many.
    pub count: u64,
    /// Whether it counts towards the token's limit.
    pub counted: bool,
}

/// So many of an operation: for each call, for each recording, and once.
struct Row {
    operation: &'static str,
    side: Side,
    per_call: f64,
    per_recording: f64,
    once: f64,
    counted: bool,
}

const fn migration(
    operation: &'static str,
    per_call: f64,
    per_recording: f64,
    once: f64,
    counted: bool,
) -> Row {
    Row {
        operation,
        side: Side::Migration,
        per_call,
        per_recording,
        once,
        counted,
    }
}

const fn verification(
    operation: &'static str,
    per_call: f64,
    per_recording: f64,
    once: f64,
    counted: bool,
) -> Row {
    Row {
        operation,
        side: Side::Verification,
        per_call,
        per_recording,
        once,
        counted,
    }
}

/// The source's, for every surface: pages of a thousand calls, each recording's answer and its
/// bytes, of which a tenth are redirected.
const SOURCE: [Row; 4] = [
    migration("legacy.query_interactions", 0.001, 0.0, 1.0, false),
    migration("legacy.get_recording", 0.0, 1.0, 0.0, false),
    migration("legacy.get_media", 0.0, 1.0, 0.0, false),
    migration("legacy.get_presigned", 0.0, 0.1, 0.0, false),
];

/// One request creates, links and retains; one confirms. Uploads have a limit of their own.
const GUIDE: [Row; 4] = [
    migration("genesys_cloud.upload_file", 0.0, 1.0, 0.0, false),
    migration("genesys_cloud.create_interaction", 1.0, 0.0, 0.0, true),
    migration("genesys_cloud.get_interaction", 1.0, 0.0, 0.0, true),
    migration("genesys_cloud.preflight", 0.0, 0.0, 8.0, true),
];

/// A call's events share requests with others under a rate; two reads see what was made of it, one
/// writes attributes.
const PUBLIC: [Row; 7] = [
    migration("genesys_cloud.inject_events", 0.35, 0.0, 0.0, true),
    migration("genesys_cloud.create_upload", 0.0, 1.0, 0.0, true),
    migration("genesys_cloud.put_upload", 0.0, 1.0, 0.0, false),
    migration("genesys_cloud.get_conversation", 2.1, 0.0, 0.0, true),
    migration("genesys_cloud.list_recordingmetadata", 0.0, 1.04, 0.0, true),
    migration("genesys_cloud.update_attributes", 1.0, 0.0, 0.0, true),
    migration("genesys_cloud.preflight", 0.0, 0.0, 10.0, true),
];

/// Looked up before it is written, put aside, measured, moved, labelled and read back.
const GIR: [Row; 8] = [
    migration("gir.get_recording", 2.0, 0.0, 0.0, false),
    migration("webdav.put_file", 0.0, 1.0, 0.0, false),
    migration("webdav.head_file", 0.0, 1.0, 0.0, false),
    migration("webdav.move_file", 0.0, 1.0, 0.0, false),
    migration("webdav.make_collection", 0.0, 0.9, 0.0, false),
    migration("gir.insert_recording", 1.0, 0.0, 0.0, false),
    migration("gir.add_labels", 1.0, 0.0, 0.0, false),
    migration("speechminer.post_recording", 1.0, 0.0, 0.0, false),
];

/// An audit of all metadata: a read for each call, the rest in bulk. Its own budget says the same,
/// docs/proofs/audit.md.
const AUDIT: [Row; 5] = [
    verification("legacy.query_interactions", 0.001, 0.0, 1.0, false),
    verification("legacy.get_recording", 0.0, 1.0, 0.0, false),
    verification("genesys_cloud.list_recordings", 1.0, 0.0, 0.0, true),
    verification(
        "genesys_cloud.query_deletionprotection",
        0.01,
        0.0,
        0.0,
        true,
    ),
    verification("genesys_cloud.query_retention", 0.003, 0.0, 6.0, true),
];

/// The same of Interaction Recording.
const GIR_AUDIT: [Row; 3] = [
    verification("legacy.get_recording", 0.0, 1.0, 0.0, false),
    verification("gir.get_recording", 1.0, 0.0, 0.0, false),
    verification("webdav.list", 0.0, 0.9, 0.0, false),
];

/// All requests for a load.
pub(super) fn of(load: &Load, surface: Surface, verify: bool) -> Vec<Tally> {
    let (own, audit): (&[Row], &[Row]) = match surface {
        Surface::Guide => (&GUIDE, &AUDIT),
        Surface::Public => (&PUBLIC, &AUDIT),
        Surface::Gir => (&GIR, &GIR_AUDIT),
    };
    let audit = if verify { audit } else { &[] };
    SOURCE
        .iter()
        .chain(own)
        .chain(audit)
        .map(|row| row.tally(load))
        .collect()
}

impl Row {
    fn tally(&self, load: &Load) -> Tally {
        let count = self.per_call * load.calls as f64
            + self.per_recording * load.recordings as f64
            + self.once;
        Tally {
            operation: self.operation,
            side: self.side,
            count: count.ceil() as u64,
            counted: self.counted,
        }
    }
}
