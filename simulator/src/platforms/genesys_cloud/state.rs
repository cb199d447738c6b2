//! What the organisation remembers: its stores, under one lock and in one copy for a snapshot.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{
    analytics::DetailsJob,
    batch::Batch,
    conversation::Conversation,
    public::Memory,
    stores::{Files, Ordinals, TimedJobs, Transcodes},
};

/// Everything taken in, and what was asked about it.
#[derive(Clone, Default)]
pub(super) struct State {
    /// Uploaded files.
    pub(super) files: Files,
    /// Conversations by id.
    pub(super) conversations: BTreeMap<Uuid, Conversation>,
    /// Batch download requests.
    pub(super) batches: TimedJobs<Batch>,
    /// Analytics details jobs.
    pub(super) details_jobs: TimedJobs<DetailsJob>,
    /// Recordings written in playable formats.
    pub(super) transcodes: Transcodes,
    /// When a conversation has to be looked at for recordings to delete, Unix ms.
    pub(super) deletions: BTreeSet<(i64, Uuid)>,
    /// Conversations that a defect was planted in.
    pub(super) victims: BTreeSet<Uuid>,
    /// What only the public ingestion needs: events, uploads, orphans and the like.
    pub(super) public: Memory,
    /// How many ids an operation has made for a key.
    pub(super) ordinals: Ordinals,
}
