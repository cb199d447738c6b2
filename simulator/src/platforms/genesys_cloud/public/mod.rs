//! The public API's way in: conversations by injected events, recordings by pre-signed uploads, and
//! what belongs to them.
//!
//! An event becomes part of a conversation's log, and the conversation is told anew from its whole
//! log (`story`), so the order and the split of batches leave no trace. An upload is unpacked when
//! its bytes arrive (`package`) and settles later (`outcome`): attached, failed, parked, orphaned.

mod attributes;
mod audits;
mod dates;
mod event;
mod events;
mod external_ids;
mod jobs;
mod kinds;
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
mod stores;
mod story;
mod uploads;

use std::sync::Arc;

use crate::operations;
use crate::pipeline::routes::OperationRoutes as _;
use axum::{Router, routing::any};
use uuid::Uuid;

pub use self::settings::{
    AttributeSearch, PolicyDaysFrom, PublicSettings, ReportColumn, ReusedEventId,
};
use self::{
    audits::AuditQuery,
    metadata::Metadata,
    package::Unpacked,
    reports::Report,
    stores::{
        AuditLog, ExternalIds, InjectedEvents, Policies, RecordingJobs, RecordingUploads, Upload,
    },
};
pub(super) use self::{
    dates::update as update_recording,
    protection::update as update_protection,
    rules::{ALL as RULES, MALFORMED_ID, UNKNOWN_PARAMETER},
    store::{Refusal, refusal},
};
use super::{
    GenesysCloud,
    conversation::Recording,
    stores::{StoredFile, TimedJobs},
};

/// What the organisation remembers of its public ingestion.
#[derive(Clone, Default)]
pub(super) struct Memory {
    /// Injected events.
    events: InjectedEvents,
    /// Uploads of recordings, and the orphans that some become.
    uploads: RecordingUploads,
    /// Upload reports.
    reports: TimedJobs<Report>,
    /// Ids that users have elsewhere.
    external_ids: ExternalIds,
    /// Retention policies.
    policies: Policies,
    /// What was changed.
    audit_log: AuditLog,
    /// Audit queries.
    audit_queries: TimedJobs<AuditQuery>,
    /// Recording jobs.
    jobs: RecordingJobs,
}

impl Memory {
    /// Makes a recording an orphan: its conversation is not known any more.
    pub(super) fn plant_orphan(
        &mut self,
        conversation: Uuid,
        one: &Recording,
        audio: StoredFile,
        now_ms: i64,
    ) {
        let upload = Upload::announced(
            audio.name.clone(),
            audio.name.clone(),
            Vec::new(),
            None,
            now_ms,
        );
        self.uploads.announce(one.id, upload);
        let metadata = Metadata {
            conversation,
            communication: one.segment,
            recording: one.id,
            originating_id: one.originating_id.clone(),
            start_ms: one.start_ms,
            end_ms: one.end_ms,
            file_name: audio.name.clone(),
            media_type: audio.content_type.clone(),
            delete_at_ms: one.delete_at_ms,
            annotations: one.annotations.clone(),
        };
        self.uploads
            .surface(one.id, one.id, Unpacked { metadata, audio }, now_ms);
    }
}

/// Every path that only this surface has.
pub(super) fn routes() -> Router<Arc<GenesysCloud>> {
    Router::new()
        .operation(&operations::GENESYS_CLOUD_INJECT_EVENTS, events::inject)
        .operation(
            &operations::GENESYS_CLOUD_UPDATE_TAGS,
            attributes::update_tags,
        )
        .operation(
            &operations::GENESYS_CLOUD_UPDATE_ATTRIBUTES,
            attributes::update,
        )
        .operation(
            &operations::GENESYS_CLOUD_SEARCH_ATTRIBUTES,
            searches::attributes,
        )
        .operation(
            &operations::GENESYS_CLOUD_SEARCH_CUSTOM_ATTRIBUTES,
            searches::search_custom_attributes,
        )
        .operation(
            &operations::GENESYS_CLOUD_LIST_CUSTOM_ATTRIBUTES,
            searches::custom_attributes,
        )
        .operation(&operations::GENESYS_CLOUD_CREATE_UPLOAD, uploads::create)
        .operation(&operations::GENESYS_CLOUD_PUT_UPLOAD, uploads::take)
        .operation(
            &operations::GENESYS_CLOUD_CREATE_UPLOAD_REPORT,
            reports::create,
        )
        .operation(&operations::GENESYS_CLOUD_GET_UPLOAD_REPORT, reports::show)
        .operation(
            &operations::GENESYS_CLOUD_GET_UPLOAD_REPORT_FILE,
            reports::download,
        )
        .operation(&operations::GENESYS_CLOUD_LIST_ORPHANS, orphans::list)
        .operation(&operations::GENESYS_CLOUD_GET_ORPHAN, orphans::show)
        .operation(&operations::GENESYS_CLOUD_UPDATE_ORPHAN, orphans::attach)
        .operation(&operations::GENESYS_CLOUD_DELETE_ORPHAN, orphans::delete)
        .operation(&operations::GENESYS_CLOUD_GET_ORPHAN_MEDIA, orphans::media)
        .operation(
            &operations::GENESYS_CLOUD_ADD_EXTERNAL_ID,
            external_ids::add,
        )
        .operation(
            &operations::GENESYS_CLOUD_LIST_EXTERNAL_IDS,
            external_ids::list,
        )
        .operation(
            &operations::GENESYS_CLOUD_GET_EXTERNAL_ID,
            external_ids::show,
        )
        .operation(
            &operations::GENESYS_CLOUD_DELETE_EXTERNAL_ID,
            external_ids::delete,
        )
        .operation(
            &operations::GENESYS_CLOUD_FIND_EXTERNAL_ID,
            external_ids::find,
        )
        .operation(&operations::GENESYS_CLOUD_CREATE_POLICY, policies::create)
        .operation(&operations::GENESYS_CLOUD_LIST_POLICIES, policies::list)
        .operation(
            &operations::GENESYS_CLOUD_DELETE_POLICIES,
            policy_changes::delete_many,
        )
        .operation(&operations::GENESYS_CLOUD_GET_POLICY, policies::show)
        .operation(
            &operations::GENESYS_CLOUD_UPDATE_POLICY,
            policy_changes::replace,
        )
        .operation(
            &operations::GENESYS_CLOUD_PATCH_POLICY,
            policy_changes::patch,
        )
        .operation(
            &operations::GENESYS_CLOUD_DELETE_POLICY,
            policy_changes::delete,
        )
        .operation(
            &operations::GENESYS_CLOUD_CREATE_CROSSPLATFORM_POLICY,
            policies::create_cross,
        )
        .operation(
            &operations::GENESYS_CLOUD_LIST_CROSSPLATFORM_POLICIES,
            policies::list_cross,
        )
        .operation(
            &operations::GENESYS_CLOUD_DELETE_CROSSPLATFORM_POLICIES,
            policy_changes::delete_many_cross,
        )
        .operation(
            &operations::GENESYS_CLOUD_GET_CROSSPLATFORM_POLICY,
            policies::show_cross,
        )
        .operation(
            &operations::GENESYS_CLOUD_UPDATE_CROSSPLATFORM_POLICY,
            policy_changes::replace_cross,
        )
        .operation(
            &operations::GENESYS_CLOUD_PATCH_CROSSPLATFORM_POLICY,
            policy_changes::patch_cross,
        )
        .operation(
            &operations::GENESYS_CLOUD_DELETE_CROSSPLATFORM_POLICY,
            policy_changes::delete_cross,
        )
        .operation(
            &operations::GENESYS_CLOUD_CREATE_AUDIT_QUERY,
            audits::create,
        )
        // Absent, as other operations that are not served, though its name has the form of a
        // transaction's id.
        .route("/api/v2/audits/query/realtime", any(super::unknown_path))
        .operation(&operations::GENESYS_CLOUD_GET_AUDIT_QUERY, audits::show)
        .operation(
            &operations::GENESYS_CLOUD_GET_AUDIT_RESULTS,
            audits::results,
        )
        .operation(
            &operations::GENESYS_CLOUD_CREATE_RECORDING_JOB,
            jobs::create,
        )
        .operation(&operations::GENESYS_CLOUD_LIST_RECORDING_JOBS, jobs::list)
        .operation(&operations::GENESYS_CLOUD_GET_RECORDING_JOB, jobs::show)
        .operation(
            &operations::GENESYS_CLOUD_EXECUTE_RECORDING_JOB,
            jobs::execute,
        )
        .operation(
            &operations::GENESYS_CLOUD_DELETE_RECORDING_JOB,
            jobs::delete,
        )
        .operation(
            &operations::GENESYS_CLOUD_LIST_FAILED_RECORDINGS,
            jobs::failed,
        )
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
        self.uploads.orphan(id).map(|orphan| &orphan.unpacked.audio)
    }
}

/// A body without the fields that are null: for the vendor's clients null and absent are the same.
fn without_nulls(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

#[cfg(test)]
impl Memory {
    /// Source, its id of the conversation and the menu's node, as each established event of a
    /// conversation told them.
    pub(super) fn sources(&self, id: Uuid) -> Vec<(&str, &str, Option<&str>)> {
        self.events
            .of(id)
            .filter_map(|event| match &event.what {
                event::What::Established(said) => Some((
                    &*said.source,
                    &*said.interaction,
                    said.additional.get("st.ivr_node").map(String::as_str),
                )),
                _ => None,
            })
            .collect()
    }

    /// Makes every recording job another client's.
    pub(super) fn give_jobs_to(&mut self, client_id: &str) {
        self.jobs.give_to(client_id);
    }
}
