//! Upload reports: asked for, prepared, downloaded as CSV.

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    ReportColumn, rules, store,
    stores::{RecordingUploads, Status, Upload},
};
use crate::{
    http::reply::Reply,
    http::request_context,
    operations,
    platforms::genesys_cloud::{
        GenesysCloud, Site,
        endpoint::{self, IncomingRequest, Query},
        errors::ApiError,
        participant_view::put,
        times,
        validate::uuid,
    },
};

/// Kind of a pre-signed report address.
const KIND: &str = "reports";
/// Life of a report's address in seconds: as long as an upload's.
const LIFE_S: u64 = 600;
/// Statuses a report may be limited to. Source: platform API, RecordingUploadReportRequest.
const STATUSES: [&str; 4] = ["Pending", "Success", "Failure", "WaitForConversation"];

/// POST /api/v2/recording/uploads/reports.
pub(super) async fn create(incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, _| "-".to_owned(),
            |site, _, asked| create_report(site, &asked),
        )
        .await
}

/// GET /api/v2/recording/uploads/reports/{id}.
pub(super) async fn show(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming.answer(&id, |site, _| show_report(site, &id)).await
}

/// GET /presigned/reports/{id}.
pub(super) async fn download(
    State(site): Site,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let query = Query::of(request.uri().query().unwrap_or_default());
    let work =
        async { Ok(report_file(&site, &id, &query).unwrap_or_else(|refusal| refusal.reply())) };
    endpoint::serve(
        &*site,
        &operations::GENESYS_CLOUD_GET_UPLOAD_REPORT_FILE,
        &id,
        0,
        None,
        work,
    )
    .await
}

/// RecordingUploadReportRequest of the API description.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ReportRequest {
    date_since: String,
    upload_status: Option<String>,
}

/// A report, its content fixed when it was asked for.
#[derive(Clone)]
pub(super) struct Report {
    csv: String,
}

fn create_report(site: &GenesysCloud, asked: &ReportRequest) -> Result<Reply, ApiError> {
    let since_ms = site.instant("dateSince", &asked.date_since)?;
    if let Some(other) = asked
        .upload_status
        .as_deref()
        .filter(|status| !STATUSES.contains(status))
    {
        return Err(ApiError::invalid_value(
            "uploadStatus",
            "uploadStatus",
            other,
        ));
    }
    [&rules::REPORT_COLUMNS, &rules::REPORT_MOMENT]
        .into_iter()
        .for_each(|rule| site.mark(rule));
    let ready_ms = site.job_done_ms(
        &operations::GENESYS_CLOUD_RUN_UPLOAD_REPORT,
        site.settings.public.report_ms,
    );
    let operation = &operations::GENESYS_CLOUD_CREATE_UPLOAD_REPORT;
    let mut state = site.state();
    let csv = csv(
        &state.public.uploads,
        &site.settings.public.report_columns,
        since_ms,
        asked.upload_status.as_deref(),
    )
    .ok_or_else(|| {
        ApiError::new(
            500,
            "internal.server.error",
            "the report could not be written",
        )
    })?;
    let id = site.made_id(operation, "-", state.ordinals.next(operation.name));
    state.public.reports.start(id, ready_ms, Report { csv });
    Ok(Reply::json(202, &shown(id, "InProgress")))
}

fn show_report(site: &GenesysCloud, id: &str) -> Result<Reply, ApiError> {
    let state = site.state();
    let found = uuid(id).and_then(|id| Some((id, state.public.reports.get(id)?)));
    let (id, report) = found.ok_or_else(ApiError::not_found)?;
    if !report.is_done(site.now_ms()) {
        request_context::record_job_pending();
        return Ok(Reply::json(200, &shown(id, "InProgress")));
    }
    request_context::record_job_done();
    let mut body = shown(id, "Completed");
    put(
        &mut body,
        "signedUrl",
        Some(site.presigned(KIND, id, LIFE_S)),
    );
    Ok(Reply::json(200, &body))
}

fn report_file(site: &GenesysCloud, id: &str, query: &Query) -> Result<Reply, store::Refusal> {
    let unknown = || store::refusal(404, "NoSuchKey", "the report is not there");
    let id = uuid(id).ok_or_else(unknown)?;
    site.check_presigned(KIND, id, query)?;
    let csv = site
        .state()
        .public
        .reports
        .get(id)
        .map(|report| report.order.csv.clone())
        .ok_or_else(unknown)?;
    Ok(Reply::empty(200)
        .with_header(CONTENT_TYPE, "text/csv")
        .holding(csv))
}

fn shown(id: Uuid, state: &str) -> Value {
    json!({"id": id, "state": state, "selfUri": format!("/api/v2/recording/uploads/reports/{id}")})
}

/// The report of what has arrived since a moment; none when it cannot be written.
fn csv(
    uploads: &RecordingUploads,
    columns: &[ReportColumn],
    since_ms: i64,
    only: Option<&str>,
) -> Option<String> {
    let is_wanted = |upload: &&Upload| {
        let status = upload.status.word();
        upload.arrived_ms.is_some_and(|at_ms| at_ms >= since_ms)
            && status.is_some()
            && (only.is_none() || status == only)
    };
    let mut rows: Vec<&Upload> = uploads.all().filter(is_wanted).collect();
    rows.sort_by(|one, other| one.key.cmp(&other.key));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(columns.iter().map(|column| column.heading()))
        .ok()?;
    for upload in rows {
        writer
            .write_record(columns.iter().map(|column| cell(*column, upload)))
            .ok()?;
    }
    String::from_utf8(writer.into_inner().ok()?).ok()
}

fn cell(column: ReportColumn, upload: &Upload) -> String {
    let Upload { status, about, .. } = upload;
    match column {
        ReportColumn::UploadKey => upload.key.clone(),
        ReportColumn::FileName => upload.file_name.clone(),
        ReportColumn::ConversationId => about
            .map(|(conversation, _)| conversation.to_string())
            .unwrap_or_default(),
        ReportColumn::RecordingId => about
            .map(|(_, recording)| recording.to_string())
            .unwrap_or_default(),
        ReportColumn::Status => Status::word(status).unwrap_or_default().to_owned(),
        ReportColumn::DateUploaded => upload.arrived_ms.map(times::text).unwrap_or_default(),
        ReportColumn::DateUpdated => times::text(upload.changed_ms),
        ReportColumn::Message => status.message().to_owned(),
    }
}
