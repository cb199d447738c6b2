//! What the organisation remembers: its stores, under one lock and in one copy for a snapshot.

use super::{
    analytics::DetailsJob,
    batch::Batch,
    public::Memory,
    stores::{Conversations, Files, Ordinals, TimedJobs, Transcodes},
};

/// Everything taken in, and what was asked about it.
#[derive(Clone, Default)]
pub(super) struct State {
    /// Uploaded files.
    pub(super) files: Files,
    /// Conversations with their recordings.
    pub(super) conversations: Conversations,
    /// Batch download requests.
    pub(super) batches: TimedJobs<Batch>,
    /// Analytics details jobs.
    pub(super) details_jobs: TimedJobs<DetailsJob>,
    /// Recordings written in playable formats.
    pub(super) transcodes: Transcodes,
    /// What only the public ingestion needs: events, uploads, orphans and the like.
    pub(super) public: Memory,
    /// How many ids an operation has made for a key.
    pub(super) ordinals: Ordinals,
}
