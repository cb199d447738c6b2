//! What the organisation remembers, a store for each kind of thing. A store takes ids, instants and
//! values, and holds what must be true of them together. It knows neither HTTP nor the
//! organisation: rules, faults and the journal are its callers' business.

mod conversations;
mod files;
mod ordinals;
mod timed_jobs;
mod transcodes;

pub(super) use self::{
    conversations::{Conversations, Deletion},
    files::{Files, StoredFile},
    ordinals::Ordinals,
    timed_jobs::{TimedJob, TimedJobs},
    transcodes::Transcodes,
};
