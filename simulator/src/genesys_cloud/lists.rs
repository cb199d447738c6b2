//! The organisation's lists, page by page, and its limits.

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde_json::{Value, json};

use super::{
    GenesysCloud, Site,
    door::{Door, Query},
    errors::ApiError,
    limits, rules,
    settings::Entry,
};
use crate::{
    fault::operations::{self, Operation},
    front::Reply,
};

/// What a listing shows and where.
pub(super) struct Listing {
    pub(super) path: &'static str,
    pub(super) entities: Vec<Value>,
}

/// GET /api/v2/users.
pub(super) async fn users(State(site): Site, request: Request) -> Response {
    let door = Door { site, operation: &operations::GENESYS_CLOUD_LIST_USERS, needs: &["user:read"], request };
    door.answer("-", |site, visit| {
        let entities = site.users(&visit.query)?;
        site.page(Listing { path: "/api/v2/users", entities }, &visit.query)
    })
    .await
}

/// GET /api/v2/routing/queues.
pub(super) async fn queues(State(site): Site, request: Request) -> Response {
    let operation = &operations::GENESYS_CLOUD_LIST_QUEUES;
    routing(site, operation, &["routing:queue:read", "routing:queue:view"], request, |site| &site.directory.queues).await
}

/// GET /api/v2/routing/wrapupcodes.
pub(super) async fn wrapupcodes(State(site): Site, request: Request) -> Response {
    let operation = &operations::GENESYS_CLOUD_LIST_WRAPUPCODES;
    routing(site, operation, &["routing:wrapupCode:view"], request, |site| &site.directory.wrapups).await
}

/// GET /api/v2/routing/skills.
pub(super) async fn skills(State(site): Site, request: Request) -> Response {
    let operation = &operations::GENESYS_CLOUD_LIST_SKILLS;
    routing(site, operation, &["routing:skill:view"], request, |site| &site.directory.skills).await
}

async fn routing(
    site: std::sync::Arc<GenesysCloud>,
    operation: &'static Operation,
    needs: &'static [&'static str],
    request: Request,
    list: fn(&GenesysCloud) -> &Vec<Entry>,
) -> Response {
    let door = Door { site, operation, needs, request };
    door.answer("-", |site, visit| {
        let path = operation.path;
        let chosen = list(site).iter().filter(|entry| is_asked_for(entry, &visit.query));
        let entities = chosen.map(|entry| named(entry, path)).collect();
        site.page(Listing { path, entities }, &visit.query)
    })
    .await
}

/// GET /api/v2/organizations/limits/namespaces.
pub(super) async fn limit_namespaces(State(site): Site, request: Request) -> Response {
    let door = Door { site, operation: &operations::GENESYS_CLOUD_GET_LIMITS, needs: &["organization:readonly"], request };
    door.answer("-", |site, visit| {
        let entities = NAMESPACES.iter().map(|namespace| json!(namespace)).collect();
        site.page(Listing { path: "/api/v2/organizations/limits/namespaces", entities }, &visit.query)
    })
    .await
}

/// GET /api/v2/organizations/limits/namespaces/{namespace}.
pub(super) async fn limits_of(State(site): Site, Path(namespace): Path<String>, request: Request) -> Response {
    let door = Door { site, operation: &operations::GENESYS_CLOUD_GET_LIMITS, needs: &["organization:readonly"], request };
    door.answer(&namespace, |site, _| site.limits_of(&namespace)).await
}

/// The namespaces that have limits here, sorted.
const NAMESPACES: [&str; 3] = ["analytics", "platform.api", "recording"];

impl GenesysCloud {
    fn users(&self, query: &Query) -> Result<Vec<Value>, ApiError> {
        let asked = query.one("state");
        if asked.is_none() {
            self.mark(&rules::USERS_DEFAULT_ACTIVE);
        }
        let state = asked.unwrap_or("active");
        if !["active", "inactive", "deleted", "any"].contains(&state) {
            return Err(ApiError::new(400, "invalid.query.param.value", format!("state [{state}] is unknown")).field("state"));
        }
        if query.all("id").len() as u64 > limits::USER_IDS.value {
            self.mark(&limits::USER_IDS.rule);
            let message = format!("at most {} {}", limits::USER_IDS.value, limits::USER_IDS.unit);
            return Err(ApiError::new(400, "max.user.ids", message).field("id"));
        }
        let all = self.directory.users.iter().filter(|user| state == "any" || user.state == state);
        Ok(all.filter(|user| is_asked_for(user, query)).map(user).collect())
    }

    pub(super) fn page(&self, listing: Listing, query: &Query) -> Result<Reply, ApiError> {
        let size = query.number("pageSize", limits::PAGE_SIZE_DEFAULT.value, 1, limits::PAGE_SIZE_MAX.value).inspect_err(|_| {
            self.mark(&limits::PAGE_SIZE_MAX.rule);
        })?;
        let number = page_number(query)?;
        let total = listing.entities.len() as u64;
        let pages = total.div_ceil(size);
        let uri = |page: u64| format!("{}?pageSize={size}&pageNumber={page}{}", listing.path, rest(query));
        let from = size.saturating_mul(number - 1);
        let entities: Vec<&Value> = listing.entities.iter().skip(from as usize).take(size as usize).collect();
        Ok(Reply::json(
            200,
            &json!({
                "entities": entities,
                "pageSize": size,
                "pageNumber": number,
                "total": total,
                "pageCount": pages,
                "firstUri": uri(1),
                "selfUri": uri(number),
                "lastUri": uri(pages.max(1)),
                "nextUri": (number < pages).then(|| uri(number + 1)),
                "previousUri": (number > 1).then(|| uri(number - 1)),
            }),
        ))
    }

    fn limits_of(&self, namespace: &str) -> Result<Reply, ApiError> {
        let settings = &self.settings;
        let entries = match namespace {
            "platform.api" => vec![
                ("client.credentials.token.rate.per.minute", u64::from(settings.requests_per_minute)),
                ("files.upload.rate.per.second", u64::from(settings.uploads_per_second)),
                ("request.bytes.max", settings.max_request_bytes),
                ("token.rate.per.minute", u64::from(settings.requests_per_minute)),
            ],
            "recording" => vec![
                ("batch.download.max.items", limits::BATCH_ITEMS.value),
                ("deletion.protection.max.conversations", limits::PROTECTION_IDS.value),
            ],
            "analytics" => vec![("details.query.page.size.max", limits::QUERY_PAGE_MAX.value)],
            _ => return Err(ApiError::not_found()),
        };
        let entities: Vec<Value> =
            entries.into_iter().map(|(key, value)| json!({"key": key, "namespace": namespace, "value": value})).collect();
        Ok(Reply::json(200, &json!({"entities": entities})))
    }
}

fn page_number(query: &Query) -> Result<u64, ApiError> {
    let text = query.one("pageNumber").unwrap_or("1");
    match text.parse::<u64>() {
        Ok(number) if number > 0 && number <= u64::from(u32::MAX) => Ok(number),
        _ => Err(ApiError::new(400, "invalid.page.number", format!("pageNumber [{text}] is not valid")).field("pageNumber")),
    }
}

/// The filters of a request, for the addresses of its other pages.
fn rest(query: &Query) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    for name in ["state", "name", "id", "hasConversation", "media", "enabled", "deleteDaysThreshold", "jobType"] {
        for value in query.all(name) {
            text.append_pair(name, value);
        }
    }
    let text = text.finish();
    if text.is_empty() { text } else { format!("&{text}") }
}

fn is_asked_for(entry: &Entry, query: &Query) -> bool {
    let ids = query.all("id");
    let by_id = ids.is_empty() || ids.iter().any(|id| id.eq_ignore_ascii_case(&entry.id.to_string()));
    by_id && query.one("name").is_none_or(|pattern| is_like(&entry.name, pattern))
}

/// A name against a pattern that may begin or end with an asterisk; without one it is a beginning, in any case of letters.
fn is_like(name: &str, pattern: &str) -> bool {
    let (name, pattern) = (name.to_lowercase(), pattern.to_lowercase());
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(tail), None) => name.ends_with(tail),
        (Some(_), Some(_)) => name.contains(pattern.trim_matches('*')),
        (None, Some(head)) => name.starts_with(head),
        (None, None) => name.starts_with(&pattern),
    }
}

pub(super) fn user(entry: &Entry) -> Value {
    let address: Vec<String> =
        entry.name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    json!({
        "id": entry.id,
        "name": entry.name,
        "state": entry.state,
        "email": format!("{}@example.com", address.join(".")),
        "version": 1,
        "selfUri": format!("/api/v2/users/{}", entry.id),
    })
}

fn named(entry: &Entry, path: &str) -> Value {
    json!({"id": entry.id, "name": entry.name, "selfUri": format!("{path}/{}", entry.id)})
}
