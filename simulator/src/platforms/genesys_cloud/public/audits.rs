//! The audit: who changed what in this organisation, asked for by an asynchronous query.

use axum::{extract::Path, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    rules,
    stores::{AuditEntry, IsProtected, Noted, Told},
};
use crate::{
    http::reply::Reply,
    http::request_context,
    operations,
    platforms::genesys_cloud::{
        GenesysCloud, cursor,
        endpoint::{IncomingRequest, Query},
        errors::ApiError,
        limits,
        participant_view::put,
        state::State as Held,
        stores::TimedJob,
        times,
        validate::uuid,
    },
};

/// Entries of a page where a request names no size. Source: platform API, GET
/// audits/query/{transactionId}/results.
const PAGE: u64 = 25;

/// POST /api/v2/audits/query.
pub(super) async fn create(incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, _| "-".to_owned(),
            |site, _, asked| create_audit_query(site, asked),
        )
        .await
}

/// GET /api/v2/audits/query/{id}.
pub(super) async fn show(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, _| {
            let state = site.state();
            let (id, query) = find(&state, &id)?;
            let is_done = query.is_done(site.now_ms());
            if is_done {
                request_context::record_job_done()
            } else {
                request_context::record_job_pending()
            }
            let (status, word) = if is_done {
                (200, "Succeeded")
            } else {
                (202, "Running")
            };
            Ok(Reply::json(status, &query.order.shown(id, word)))
        })
        .await
}

/// GET /api/v2/audits/query/{id}/results.
pub(super) async fn results(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, authorized| {
            audit_results(site, &id, &authorized.query)
        })
        .await
}

/// A query, its entries fixed when it was asked.
#[derive(Clone)]
pub(super) struct AuditQuery {
    asked: Asked,
    submitted_ms: i64,
    /// Places in the log.
    found: Vec<usize>,
}

/// AuditQueryRequest of the API description.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Asked {
    interval: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_name: Option<String>,
    #[serde(default)]
    filters: Vec<Filter>,
    #[serde(default)]
    sort: Vec<Sort>,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    property: String,
    value: String,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Sort {
    name: String,
    sort_order: Option<String>,
}

/// The service that all entries are of.
const SERVICE: &str = "Quality";
/// What a filter may name. Source: platform API, AuditQueryFilter.
const PROPERTIES: [&str; 6] = [
    "UserId",
    "TrusteeOrganizationId",
    "ClientId",
    "Action",
    "EntityType",
    "EntityId",
];

fn find<'a>(state: &'a Held, id: &str) -> Result<(Uuid, &'a TimedJob<AuditQuery>), ApiError> {
    let found = uuid(id).and_then(|id| Some((id, state.public.audit_queries.get(id)?)));
    found.ok_or_else(ApiError::not_found)
}

fn create_audit_query(site: &GenesysCloud, asked: Asked) -> Result<Reply, ApiError> {
    let (from, to) = site.interval("interval", &asked.interval)?;
    asked.check()?;
    [&rules::AUDIT_QUERY, &rules::AUDIT_WHAT, &rules::AUDIT_NAMES]
        .into_iter()
        .for_each(|rule| site.mark(rule));
    let submitted_ms = site.now_ms();
    let operation = &operations::GENESYS_CLOUD_CREATE_AUDIT_QUERY;
    let mut state = site.state();
    let directory = site.directory();
    let mut found = state.public.audit_log.places(&(from..to), |noted| {
        asked.wants(noted, &directory.client_id)
    });
    if asked
        .sort
        .iter()
        .any(|sort| sort.sort_order.as_deref() == Some("descending"))
    {
        found.reverse();
    }
    let id = site.made_id(operation, "-", state.ordinals.next(operation.name));
    let ready_at_ms = submitted_ms.saturating_add_unsigned(site.settings.public.audit_query_ms);
    let query = AuditQuery {
        asked,
        submitted_ms,
        found,
    };
    let body = query.shown(id, "Queued");
    state.public.audit_queries.start(id, ready_at_ms, query);
    Ok(Reply::json(202, &body))
}

fn audit_results(site: &GenesysCloud, id: &str, query: &Query) -> Result<Reply, ApiError> {
    let most = &limits::AUDIT_PAGE_MAX;
    let size = query
        .number("pageSize", PAGE, 1, most.value)
        .inspect_err(|_| site.mark(&most.rule))?;
    let from = query
        .one("cursor")
        .map(|text| cursor::place("audit", text, cursor::IN_QUERY))
        .transpose()?
        .unwrap_or(0);
    let state = site.state();
    let (id, asked) = find(&state, id)?;
    if !asked.is_done(site.now_ms()) {
        return Err(ApiError::new(
            400,
            "bad.request",
            "the query has not succeeded yet; ask for its state first",
        ));
    }
    let found = &asked.order.found;
    let next = from.saturating_add(size as usize);
    let places = found.iter().skip(from).take(size as usize);
    let entities: Vec<Value> = places
        .filter_map(|at| Some(audit_json(site, *at, state.public.audit_log.get(*at)?)))
        .collect();
    let mut body = json!({"id": id, "pageSize": size, "entities": entities});
    put(
        &mut body,
        "cursor",
        (next < found.len()).then(|| cursor::to("audit", next)),
    );
    Ok(Reply::json(200, &body))
}

/// AuditLogMessage of the API description.
fn audit_json(site: &GenesysCloud, at: usize, entry: &AuditEntry) -> Value {
    let noted = &entry.noted;
    let mut entity = json!({"id": noted.id});
    put(&mut entity, "name", noted.name.as_deref());
    json!({
        "id": site.seed().child("audit").index(at as u64).uuid(),
        "userHomeOrgId": site.organization(),
        "serviceName": SERVICE,
        "level": "USER",
        "status": "SUCCESS",
        "eventDate": times::text(entry.at_ms),
        "client": {"id": site.directory().client_id},
        "action": noted.action.as_str(),
        "entityType": noted.subject.as_str(),
        "entity": entity,
        "propertyChanges": changes(&noted.told),
    })
}

/// PropertyChange of the API description, one a property that differs.
fn changes(told: &Told) -> Vec<Value> {
    let change = |property: &str, old: Vec<String>, new: Vec<String>| json!({"property": property, "oldValues": old, "newValues": new});
    match told {
        Told::Nothing => Vec::new(),
        Told::Dates { from, to } => {
            let texts = |date: Option<i64>| date.map(times::text).into_iter().collect();
            let pairs = ["archiveDate", "deleteDate"]
                .into_iter()
                .zip(from.iter().zip(to));
            let changed = pairs.filter(|(_, (old, new))| old != new);
            changed
                .map(|(property, (old, new))| change(property, texts(*old), texts(*new)))
                .collect()
        }
        Told::Protection(IsProtected(now)) => vec![change(
            "deletionProtection",
            vec![(!now).to_string()],
            vec![now.to_string()],
        )],
    }
}

impl Asked {
    fn check(&self) -> Result<(), ApiError> {
        if let Some(filter) = self
            .filters
            .iter()
            .find(|filter| !PROPERTIES.contains(&filter.property.as_str()))
        {
            return Err(ApiError::invalid_value(
                "filters.property",
                "property",
                &filter.property,
            ));
        }
        let is_known = |sort: &&Sort| {
            sort.name == "Timestamp"
                && matches!(
                    sort.sort_order.as_deref(),
                    None | Some("ascending" | "descending")
                )
        };
        match self.sort.iter().find(|sort| !is_known(sort)) {
            Some(sort) => Err(ApiError::invalid_value("sort", "sort", &sort.name)),
            None => Ok(()),
        }
    }

    fn wants(&self, noted: &Noted, client_id: &str) -> bool {
        let holds = |filter: &Filter| match filter.property.as_str() {
            "ClientId" => filter.value == client_id,
            "Action" => filter.value == noted.action.as_str(),
            "EntityType" => filter.value == noted.subject.as_str(),
            "EntityId" => uuid(&filter.value) == Some(noted.id),
            // Every change here is made by a client, and none by a user or another organisation.
            _ => false,
        };
        self.service_name
            .as_deref()
            .is_none_or(|name| name == SERVICE)
            && self.filters.iter().all(holds)
    }
}

impl AuditQuery {
    /// AuditQueryExecutionStatusResponse of the API description.
    fn shown(&self, id: Uuid, state: &str) -> Value {
        let mut body = json!(self.asked);
        put(&mut body, "id", Some(id.to_string()));
        put(&mut body, "state", Some(state));
        put(&mut body, "startDate", Some(times::text(self.submitted_ms)));
        body
    }
}
