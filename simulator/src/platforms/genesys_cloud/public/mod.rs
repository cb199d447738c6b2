//! The public API's way in: conversations by injected events, recordings by pre-signed uploads, and what belongs to them.
//!
//! An event becomes part of a conversation's log (`log`), and the conversation is told anew from its whole log (`story`), so the order and the split of
//! batches leave no trace. An upload is unpacked when its bytes arrive (`package`) and settles later (`outcome`): attached, failed, parked, orphaned.

mod attributes;
mod audits;
mod dates;
mod event;
mod events;
mod external_ids;
mod jobs;
mod kinds;
mod log;
mod metadata;
mod orphans;
mod outcome;
mod package;
mod policies;
mod policy_changes;
mod protection;
mod reports;
mod rules;
mod searches;
mod settings;
mod store;
mod story;
mod uploads;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Router,
    routing::{any, delete, get, patch, post, put},
};
use uuid::Uuid;

pub use self::settings::{AttributeSearch, PolicyDaysFrom, PublicSettings, ReportColumn, ReusedEventId};
use self::{
    audits::{AuditQuery, Entry as AuditEntry},
    jobs::Job,
    log::Log,
    orphans::Orphan,
    outcome::Upload,
    policies::Policy,
    reports::Report,
};
pub(super) use self::{
    dates::update as update_recording,
    protection::update as update_protection,
    rules::{ALL as RULES, MALFORMED_ID, UNKNOWN_PARAMETER},
    store::{Refusal, refusal},
};
use super::{GenesysCloud, state::StoredFile};

/// What the organisation remembers of its public ingestion.
#[derive(Clone, Default)]
pub(super) struct Memory {
    /// What each injected conversation was told.
    logs: BTreeMap<Uuid, Log>,
    /// Every event taken, with a hash of what it said.
    events: BTreeMap<Uuid, u64>,
    /// Uploads by id.
    uploads: BTreeMap<Uuid, Upload>,
    /// When an upload has to be looked at next, Unix ms.
    agenda: BTreeSet<(i64, Uuid)>,
    /// Uploads that wait for a conversation.
    waiting: BTreeSet<(Uuid, Uuid)>,
    /// Recordings attached from uploads, and the conversation each is in.
    recordings: BTreeMap<Uuid, Uuid>,
    /// Orphan recordings by id.
    orphans: BTreeMap<Uuid, Orphan>,
    /// Upload reports by id.
    reports: BTreeMap<Uuid, Report>,
    /// Users by authority and key, both as they were written.
    external_ids: BTreeMap<(String, String), Uuid>,
    /// Retention policies in the order they were made.
    policies: Vec<Policy>,
    /// What was changed, in the order of time.
    audits: Vec<AuditEntry>,
    /// Audit queries by id.
    audit_queries: BTreeMap<Uuid, AuditQuery>,
    /// Recording jobs by id.
    jobs: BTreeMap<Uuid, Job>,
    /// When a recording job has to be looked at next, Unix ms.
    job_agenda: BTreeSet<(i64, Uuid)>,
}

/// Every path that only this surface has.
pub(super) fn routes() -> Router<Arc<GenesysCloud>> {
    let policies = "/api/v2/recording/mediaretentionpolicies";
    let cross_policies = "/api/v2/recording/crossplatform/mediaretentionpolicies";
    Router::new()
        .route("/api/v2/events/conversations", post(events::inject))
        .route("/api/v2/conversations/{id}/tags", put(attributes::update_tags))
        .route("/api/v2/conversations/{id}/participants/{participant}/attributes", patch(attributes::update))
        .route("/api/v2/conversations/participants/attributes/search", post(searches::attributes))
        .route("/api/v2/conversations/customattributes/search", post(searches::search_custom_attributes))
        .route("/api/v2/conversations/{id}/customattributes", get(searches::custom_attributes))
        .route("/api/v2/uploads/recordings", post(uploads::create))
        .route("/presigned/uploads/{id}", put(uploads::take))
        .route("/api/v2/recording/uploads/reports", post(reports::create))
        .route("/api/v2/recording/uploads/reports/{id}", get(reports::show))
        .route("/presigned/reports/{id}", get(reports::download))
        .route("/api/v2/orphanrecordings", get(orphans::list))
        .route("/api/v2/orphanrecordings/{id}", get(orphans::show).put(orphans::attach).delete(orphans::delete))
        .route("/api/v2/orphanrecordings/{id}/media", get(orphans::media))
        .route("/api/v2/users/{id}/externalid", post(external_ids::add).get(external_ids::list))
        .route("/api/v2/users/{id}/externalid/{authority}", get(external_ids::show))
        .route("/api/v2/users/{id}/externalid/{authority}/{key}", delete(external_ids::delete))
        .route("/api/v2/users/externalid/{authority}/{key}", get(external_ids::find))
        .route(policies, post(policies::create).get(policies::list).delete(policy_changes::delete_many))
        .route(
            &format!("{policies}/{{id}}"),
            get(policies::show).put(policy_changes::replace).patch(policy_changes::patch).delete(policy_changes::delete),
        )
        .route(cross_policies, post(policies::create_cross).get(policies::list_cross).delete(policy_changes::delete_many_cross))
        .route(
            &format!("{cross_policies}/{{id}}"),
            get(policies::show_cross)
                .put(policy_changes::replace_cross)
                .patch(policy_changes::patch_cross)
                .delete(policy_changes::delete_cross),
        )
        .route("/api/v2/audits/query", post(audits::create))
        // Absent, as other operations that are not served, though its name has the form of a transaction's id.
        .route("/api/v2/audits/query/realtime", any(super::unknown_path))
        .route("/api/v2/audits/query/{id}", get(audits::show))
        .route("/api/v2/audits/query/{id}/results", get(audits::results))
        .route("/api/v2/recording/jobs", post(jobs::create).get(jobs::list))
        .route("/api/v2/recording/jobs/{id}", get(jobs::show).put(jobs::execute).delete(jobs::delete))
        .route("/api/v2/recording/jobs/{id}/failedrecordings", get(jobs::failed))
}

impl GenesysCloud {
    /// The organisation's id.
    pub(super) fn organization(&self) -> Uuid {
        self.seed().child("organization").uuid()
    }
}

impl Memory {
    /// The media of an orphan; none where it is one no more.
    pub(super) fn orphan_media(&self, id: Uuid) -> Option<&StoredFile> {
        self.orphans.get(&id).map(|orphan| &orphan.unpacked.audio)
    }

    /// The log of an injected conversation, for what changes it from outside.
    fn log_mut(&mut self, id: Uuid) -> Option<&mut Log> {
        self.logs.get_mut(&id)
    }
}

/// A body without the fields that are null: for the vendor's clients null and absent are the same.
fn without_nulls(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Object(fields) => {
            fields.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, without_nulls(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

#[cfg(test)]
impl Memory {
    /// Source, its id of the conversation and the menu's node, as each established event of a conversation told them.
    pub(super) fn sources(&self, id: Uuid) -> Vec<(&str, &str, Option<&str>)> {
        let told = self.logs.get(&id).into_iter().flat_map(Log::told);
        told.filter_map(|event| match &event.what {
            event::What::Established(said) => {
                Some((&*said.source, &*said.interaction, said.additional.get("st.ivr_node").map(String::as_str)))
            }
            _ => None,
        })
        .collect()
    }

    /// Makes every recording job another client's.
    pub(super) fn give_jobs_to(&mut self, client_id: &str) {
        self.jobs.values_mut().for_each(|job| job.give_to(client_id));
    }
}
