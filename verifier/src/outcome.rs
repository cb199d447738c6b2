//! What a verification found, before it is summed up.

use std::collections::BTreeSet;

use crate::causes::Records;
use crate::custody::CustodyRead;
use crate::finding::Finding;
use crate::holds::Holds;
use crate::in_flight::InFlight;
use crate::manifest::ManifestCompared;
use crate::options::AudioScope;
use crate::sums::Sums;
use crate::target::Stores;
use crate::totals::TotalsCompared;

/// Everything a verification found.
pub(crate) struct Outcome {
    /// What all calls come to.
    pub(crate) sums: Sums,
    /// About calls of the source.
    pub(crate) findings: Vec<Finding>,
    /// What the source says of each call; empty where nothing was found.
    pub(crate) records: Records,
    pub(crate) extra_conversations: Vec<Finding>,
    /// Policies of the target that delete what was migrated.
    pub(crate) policies: Vec<Finding>,
    /// Recordings on extra conversations.
    pub(crate) extra_recordings: u64,
    pub(crate) target_interactions: u64,
    pub(crate) target_recordings: u64,
    pub(crate) needs: BTreeSet<String>,
    pub(crate) site_zone_known: bool,
    pub(crate) audio: AudioScope,
    /// Interactions the verification was restricted to. Absent: it was not.
    pub(crate) only: Option<u64>,
    pub(crate) staged: bool,
    /// Calls under legal hold. Absent: there are none.
    pub(crate) holds: Option<Holds>,
    /// How the control totals came out. Absent: none were given.
    pub(crate) totals: Option<TotalsCompared>,
    /// How the manifest came out. Absent: none was given.
    pub(crate) manifest: Option<ManifestCompared>,
    /// How the chain of custody came out, and what it adds. Absent: none was given.
    pub(crate) custody: Option<(CustodyRead, Vec<Finding>)>,
    /// What a running migration is still at. Absent: it has ended.
    pub(crate) in_flight: Option<InFlight>,
    /// How the target's stores were read. Absent: it has one.
    pub(crate) stores: Option<Stores>,
}
