//! What the organisation remembers, a store for each kind of thing. A store takes ids, instants and values, and holds what must be true of them
//! together. It knows neither HTTP nor the organisation: rules, faults and the journal are its callers' business.

mod files;
mod ordinals;

use uuid::Uuid;

pub(super) use self::{
    files::{Files, StoredFile},
    ordinals::Ordinals,
};

/// A batch download request.
#[derive(Clone)]
pub(super) struct Batch {
    pub(super) client_id: String,
    pub(super) ready_at_ms: i64,
    pub(super) items: Vec<(Uuid, Option<Uuid>)>,
}

/// An analytics details job, its conversations fixed when it was submitted.
#[derive(Clone)]
pub(super) struct DetailsJob {
    pub(super) submitted_ms: i64,
    pub(super) ready_at_ms: i64,
    pub(super) available_ms: i64,
    pub(super) conversations: Vec<Uuid>,
}
