//! Recording jobs: a query of conversations, and a date for the recordings of all of them.

use axum::{extract::Path, response::Response};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    rules,
    stores::{
        About, Action, Found, Job, JobAction, JobOrder, JobOutcome, Noted, Progress, Subject, When,
    },
    without_nulls,
};
use crate::{
    http::reply::Reply,
    http::request_context,
    operations,
    platforms::genesys_cloud::{
        GenesysCloud,
        analytics::{DetailsQuery, Match},
        conversation::{Conversation, FileState, Recording},
        endpoint::{AuthorizedRequest, IncomingRequest, Query},
        errors::ApiError,
        limits,
        state::State as Held,
        times,
        validate::{DAY_MS, uuid},
    },
};

/// Longest agedConversationInterval in days: six months.
const AGED_DAYS: i64 = 184;
/// Youngest conversation of an agedConversationInterval in years.
const AGED_YEARS: i64 = 5;

/// POST /api/v2/recording/jobs.
pub(super) async fn create(incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(|_, _| "-".to_owned(), create_recording_job)
        .await
}

/// GET /api/v2/recording/jobs.
pub(super) async fn list(incoming: IncomingRequest) -> Response {
    incoming.answer("-", list_recording_jobs).await
}

/// GET /api/v2/recording/jobs/{id}.
pub(super) async fn show(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, _| {
            let state = site.state();
            let (id, job) = find(&state, &id)?;
            note_progress(job.progress);
            Ok(Reply::json(200, &shown(id, job)))
        })
        .await
}

/// PUT /api/v2/recording/jobs/{id}.
pub(super) async fn execute(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, _| id.clone(),
            |site, authorized, sent| execute_recording_job(site, authorized, &id, &sent),
        )
        .await
}

/// DELETE /api/v2/recording/jobs/{id}.
pub(super) async fn delete(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, _| delete_recording_job(site, &id))
        .await
}

/// GET /api/v2/recording/jobs/{id}/failedrecordings.
pub(super) async fn failed(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, authorized| {
            failed_recordings(site, &id, &authorized.query)
        })
        .await
}

/// RecordingJobsQuery of the API description.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct JobQuery {
    action: String,
    action_date: Option<String>,
    /// Days after each recording's creation.
    action_age: Option<u32>,
    conversation_query: Option<DetailsQuery>,
    aged_conversation_interval: Option<String>,
    /// Of an EXPORT: where to.
    integration_id: Option<String>,
    /// Whether export dates that have not come yet are removed.
    #[serde(default)]
    clear_export: bool,
    /// These choose among recordings that this organisation has none of.
    #[serde(rename = "includePolicyBasedRecordings")]
    _include_policy_based_recordings: Option<bool>,
    #[serde(default)]
    include_recordings_with_sensitive_data: bool,
    #[serde(rename = "includeScreenRecordings")]
    _include_screen_recordings: Option<bool>,
    #[serde(rename = "includeSnippetRecordings")]
    _include_snippet_recordings: Option<bool>,
}

/// ExecuteRecordingJobsQuery of the API description.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Execution {
    state: String,
}

fn find<'a>(state: &'a Held, id: &str) -> Result<(Uuid, &'a Job), ApiError> {
    let found = uuid(id).and_then(|id| Some((id, state.public.jobs.get(id)?)));
    found.ok_or_else(ApiError::not_found)
}

impl GenesysCloud {
    /// Does what is due of the jobs.
    pub(super) fn settle_jobs(&self, state: &mut Held, now_ms: i64) {
        while let Some((id, job)) = state.public.jobs.next_due(now_ms) {
            let job = job.clone();
            match job.progress {
                Progress::Pending => {
                    let found = find_recordings(self, state, &job.order, now_ms);
                    state.public.jobs.ready(id, found);
                }
                Progress::Processing => {
                    let outcome = set_dates(self, state, &job, now_ms);
                    state.public.jobs.fulfil(id, outcome);
                }
                Progress::Ready | Progress::Fulfilled | Progress::Cancelled => {}
            }
        }
    }
}

fn create_recording_job(
    site: &GenesysCloud,
    authorized: &AuthorizedRequest,
    sent: Value,
) -> Result<Reply, ApiError> {
    let mut sent = without_nulls(sent);
    let query = JobQuery::deserialize(&sent).map_err(|error| site.refused_body(&error))?;
    let action = match query.action.as_str() {
        "ARCHIVE" => JobAction::Archive,
        "DELETE" => JobAction::Delete,
        "EXPORT" => {
            may_export(site, query.integration_id.as_deref())?;
            JobAction::Export
        }
        other => return Err(ApiError::invalid_value("action", "action", other)),
    };
    let when = when(site, &query)?;
    // Shown again in every answer about the job: as this platform writes dates, whichever way the
    // client wrote it.
    if let When::Date(ms) = when {
        sent["actionDate"] = times::text(ms).into();
    }
    let (includes_sensitive, clears_export) = (
        query.include_recordings_with_sensitive_data,
        query.clear_export,
    );
    let about = about(site, query)?;
    let now_ms = site.now_ms();
    let operation = &operations::GENESYS_CLOUD_CREATE_RECORDING_JOB;
    let mut state = site.state();
    if let About::Query(query) = &about {
        // Refused now, not when the job runs.
        site.check_query(query)?;
    }
    room_for_a_job(site, &state)?;
    [&rules::JOB_PROGRESS, &rules::JOB_LAG]
        .into_iter()
        .for_each(|rule| site.mark(rule));
    let id = site.made_id(operation, "-", state.ordinals.next(operation.name));
    let order = JobOrder {
        client_id: authorized.client_id.clone(),
        created_ms: now_ms,
        sent,
        action,
        when,
        about,
        includes_sensitive,
        clears_export,
    };
    let looks_at_ms = now_ms.saturating_add_unsigned(site.settings.public.recording_job_ms);
    let reply = Reply::json(
        202,
        &shown(id, state.public.jobs.add(id, order, looks_at_ms)),
    );
    state.public.audit_log.add(
        site.now_ms(),
        Noted::new(Subject::RecordingJob, Action::Create, id),
    );
    Ok(reply)
}

fn when(site: &GenesysCloud, query: &JobQuery) -> Result<When, ApiError> {
    match (&query.action_date, query.action_age) {
        (Some(text), None) => site.instant("actionDate", text).map(When::Date),
        (None, Some(days)) => Ok(When::AgeDays(days)),
        _ => Err(ApiError::new(
            400,
            "bad.request",
            "the job needs one of actionDate and actionAge",
        )
        .field("actionDate")),
    }
}

fn about(site: &GenesysCloud, query: JobQuery) -> Result<About, ApiError> {
    match (query.conversation_query, query.aged_conversation_interval) {
        (Some(query), None) => Ok(About::Query(Box::new(query))),
        (None, Some(interval)) => {
            let invalid = |why: &str| {
                ApiError::new(400, "bad.request", why).field("agedConversationInterval")
            };
            let (from, to) = site.interval("agedConversationInterval", &interval)?;
            if to - from > AGED_DAYS * DAY_MS {
                return Err(invalid(
                    "agedConversationInterval is longer than six months",
                ));
            }
            let youngest = times::add_years(site.now_ms(), -AGED_YEARS).unwrap_or(i64::MIN);
            if to > youngest {
                return Err(invalid(
                    "agedConversationInterval is for conversations older than five years",
                ));
            }
            Ok(About::Aged(from, to))
        }
        _ => {
            let message = "the job needs one of conversationQuery and agedConversationInterval";
            Err(ApiError::new(400, "bad.request", message).field("conversationQuery"))
        }
    }
}

/// Whether one more job may be pending or processing.
fn room_for_a_job(site: &GenesysCloud, state: &Held) -> Result<(), ApiError> {
    let most = &limits::RECORDING_JOBS;
    if state.public.jobs.running() < most.value {
        return Ok(());
    }
    [
        &most.rule,
        &rules::JOB_CONCURRENT,
        &rules::JOB_CONCURRENT_STATUS,
    ]
    .into_iter()
    .for_each(|rule| site.mark(rule));
    let message = format!(
        "at most {} {} are pending or processing at once",
        most.value, most.unit
    );
    Err(ApiError::new(409, "request.conflict", message))
}

fn list_recording_jobs(
    site: &GenesysCloud,
    authorized: &AuthorizedRequest,
) -> Result<Reply, ApiError> {
    let query = &authorized.query;
    let state = site.state();
    let only_own = query.truth("showOnlyMyJobs") == Some(true);
    let is_wanted = |job: &Job| {
        query
            .one("state")
            .is_none_or(|wanted| wanted == job.progress.as_str())
            && query
                .one("jobType")
                .is_none_or(|wanted| job.order.sent["action"] == wanted)
            && (!only_own || job.order.client_id == authorized.client_id)
    };
    let mut wanted: Vec<(Uuid, &Job)> = state
        .public
        .jobs
        .all()
        .filter(|(_, job)| is_wanted(job))
        .collect();
    match query.one("sortBy") {
        Some("dateCreated") => wanted.sort_by_key(|(id, job)| (job.order.created_ms, *id)),
        _ => wanted.sort_by_key(|(id, job)| (&job.order.client_id, job.order.created_ms, *id)),
    }
    site.page(
        &operations::GENESYS_CLOUD_LIST_RECORDING_JOBS,
        query,
        &wanted,
        |(id, job)| shown(*id, job),
    )
}

fn execute_recording_job(
    site: &GenesysCloud,
    authorized: &AuthorizedRequest,
    id: &str,
    sent: &Execution,
) -> Result<Reply, ApiError> {
    if sent.state != "PROCESSING" {
        return Err(ApiError::invalid_value("state", "state", &sent.state));
    }
    let mut state = site.state();
    let (id, job) = find(&state, id)?;
    if job.order.client_id != authorized.client_id {
        site.mark(&rules::JOB_SUBMITTER);
        return Err(ApiError::new(
            403,
            "not.authorized",
            "a job is executed by whom it was created by",
        ));
    }
    if job.progress != Progress::Ready {
        let message = format!(
            "the job is {}; only a READY one is executed",
            job.progress.as_str()
        );
        return Err(ApiError::new(409, "request.conflict", message));
    }
    room_for_a_job(site, &state)?;
    let done_ms = site.job_done_ms(
        &operations::GENESYS_CLOUD_RUN_RECORDING_JOB,
        site.settings.public.recording_job_ms,
    );
    let body = state
        .public
        .jobs
        .execute(id, done_ms)
        .map(|job| shown(id, job))
        .ok_or_else(ApiError::not_found)?;
    state.public.audit_log.add(
        site.now_ms(),
        Noted::new(Subject::RecordingJob, Action::Update, id),
    );
    Ok(Reply::json(200, &body).effect("executed"))
}

/// Cancels a job that has not ended; takes one that has from the list.
fn delete_recording_job(site: &GenesysCloud, id: &str) -> Result<Reply, ApiError> {
    let mut state = site.state();
    let (id, _) = find(&state, id)?;
    site.mark(&rules::JOB_DELETED);
    state.public.jobs.cancel_or_forget(id);
    state.public.audit_log.add(
        site.now_ms(),
        Noted::new(Subject::RecordingJob, Action::Delete, id),
    );
    Ok(Reply::empty(204).effect("deleted"))
}

fn failed_recordings(site: &GenesysCloud, id: &str, query: &Query) -> Result<Reply, ApiError> {
    let most = &limits::FAILED_PAGE_MAX;
    query
        .number("pageSize", limits::PAGE_SIZE_DEFAULT.value, 1, most.value)
        .inspect_err(|_| site.mark(&most.rule))?;
    let state = site.state();
    let (id, job) = find(&state, id)?;
    let path = format!("/api/v2/recording/jobs/{id}/failedrecordings");
    site.page_at(&path, &operations::GENESYS_CLOUD_LIST_FAILED_RECORDINGS, query, &job.outcome.failed, |(conversation, recording)| {
        let whole = format!("/api/v2/conversations/{conversation}");
        json!({
            "conversation": {"id": conversation, "selfUri": whole},
            "recording": {"id": recording, "selfUri": format!("{whole}/recordings/{recording}")},
        })
    })
}

/// Refuses an export to anything but the organisation's integration.
fn may_export(site: &GenesysCloud, integration: Option<&str>) -> Result<(), ApiError> {
    let refused = |why: &str| Err(ApiError::new(400, "bad.request", why).field("integrationId"));
    let Some(own) = &site.settings.public.export_integration else {
        site.mark(&rules::JOB_EXPORT);
        return refused("this organisation has no export integration");
    };
    if !integration.is_some_and(|asked| asked.eq_ignore_ascii_case(own)) {
        site.mark(&rules::JOB_EXPORT);
        return refused("integrationId is not that of the organisation's export integration");
    }
    site.mark(&rules::JOB_EXPORTED);
    Ok(())
}

/// Finds what a job is about.
fn find_recordings(site: &GenesysCloud, state: &Held, order: &JobOrder, now_ms: i64) -> Found {
    let known_ms = now_ms.saturating_sub_unsigned(site.settings.public.recording_job_lag_ms);
    let chosen = match &order.about {
        About::Query(query) => site
            .chosen(&state.conversations, query, Match::Activity, now_ms)
            .unwrap_or_default(),
        About::Aged(from, to) => {
            let is_chosen =
                |held: &&Conversation| (*from..*to).contains(&held.start_ms) && site.shows(held);
            state.conversations.all().filter(is_chosen).collect()
        }
    };
    let recordings = chosen
        .iter()
        .flat_map(|held| held.recordings.iter().map(|one| (held.id, one)));
    let is_chosen = |one: &Recording| {
        one.created_at_ms <= known_ms
            && (order.includes_sensitive || !site.is_sensitive_in_job(one))
    };
    let recordings = recordings
        .filter(|(_, one)| is_chosen(one))
        .map(|(held, one)| (held, one.id))
        .collect();
    Found {
        conversations: chosen.len(),
        recordings,
    }
}

/// Sets the dates of a job's recordings.
fn set_dates(site: &GenesysCloud, state: &mut Held, job: &Job, now_ms: i64) -> JobOutcome {
    let mut outcome = JobOutcome::default();
    for (conversation, recording) in &job.found.recordings {
        let held = state.conversations.get(*conversation);
        let Some((held, one)) = held.and_then(|held| Some((held, held.recording(*recording)?)))
        else {
            outcome.failed.push((*conversation, *recording));
            continue;
        };
        if held.protected || one.file_state != FileState::Available {
            outcome.skipped += 1;
            continue;
        }
        let date_ms = match job.order.when {
            When::Date(date_ms) => date_ms,
            When::AgeDays(days) => one.created_at_ms.saturating_add(i64::from(days) * DAY_MS),
        };
        if job.order.action != JobAction::Export
            && site.beyond_maximum(held.start_ms, Some(date_ms)).is_some()
        {
            outcome.failed.push((*conversation, *recording));
            continue;
        }
        state
            .conversations
            .change_recording(*conversation, *recording, |one| {
                if job.order.clears_export {
                    one.export_at_ms = one.export_at_ms.filter(|at_ms| *at_ms <= now_ms);
                }
                match job.order.action {
                    JobAction::Archive => one.archive_at_ms = Some(date_ms),
                    JobAction::Delete => one.delete_at_ms = Some(date_ms),
                    JobAction::Export => one.export_at_ms = Some(date_ms),
                }
            });
        outcome.processed += 1;
        site.core.journal.record_side_effect(
            &operations::GENESYS_CLOUD_EXECUTE_RECORDING_JOB,
            &recording.to_string(),
            "dated",
        );
    }
    outcome
}

/// Notes for the rules of conduct whether a job that is asked about is through.
fn note_progress(progress: Progress) {
    match progress {
        Progress::Pending | Progress::Processing => request_context::record_job_pending(),
        // It waits to be executed.
        Progress::Ready => {}
        Progress::Fulfilled | Progress::Cancelled => request_context::record_job_done(),
    }
}

/// RecordingJob of the API description.
fn shown(id: Uuid, job: &Job) -> Value {
    // A job does its work at one instant: there is nothing between none and all.
    let percent = if job.progress == Progress::Fulfilled {
        100
    } else {
        0
    };
    json!({
        "id": id,
        "state": job.progress.as_str(),
        "recordingJobsQuery": job.order.sent,
        "dateCreated": times::text(job.order.created_ms),
        "totalConversations": job.found.conversations,
        "totalRecordings": job.found.recordings.len(),
        "totalSkippedRecordings": job.outcome.skipped,
        "totalFailedRecordings": job.outcome.failed.len(),
        "totalProcessedRecordings": job.outcome.processed,
        "percentProgress": percent,
        "user": {"id": job.order.client_id},
        "failedRecordings": format!("/api/v2/recording/jobs/{id}/failedrecordings"),
        "selfUri": format!("/api/v2/recording/jobs/{id}"),
    })
}
