//! The organisation's lists, page by page, and its limits.

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde::{Serialize, Serializer};
use serde_json::json;
use uuid::Uuid;

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

/// One page of a list, as the platform writes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a, T> {
    entities: Vec<T>,
    page_size: u64,
    page_number: u64,
    total: u64,
    page_count: u64,
    first_uri: PageUri<'a>,
    self_uri: PageUri<'a>,
    last_uri: PageUri<'a>,
    next_uri: Option<PageUri<'a>>,
    previous_uri: Option<PageUri<'a>>,
}

/// The address of a page. Written straight into the answer: lists are what clients ask for most, and half a list's time went into small texts.
struct PageUri<'a> {
    path: &'a str,
    size: u64,
    number: u64,
    /// The request's filters, each behind an ampersand.
    filters: &'a str,
}

impl Serialize for PageUri<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{}?pageSize={}&pageNumber={}{}", self.path, self.size, self.number, self.filters))
    }
}

/// The address of one entity.
struct EntityUri<'a> {
    path: &'a str,
    id: Uuid,
}

impl Serialize for EntityUri<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{}/{}", self.path, self.id))
    }
}

/// A queue, wrap-up code or skill in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Named<'a> {
    id: Uuid,
    name: &'a str,
    self_uri: EntityUri<'a>,
}

/// A user in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User<'a> {
    id: Uuid,
    name: &'a str,
    state: &'a str,
    email: String,
    version: u32,
    self_uri: EntityUri<'a>,
}

/// GET /api/v2/users.
pub(super) async fn users(State(site): Site, request: Request) -> Response {
    let door = Door { site, operation: &operations::GENESYS_CLOUD_LIST_USERS, request };
    door.answer("-", |site, visit| {
        let chosen = site.users(&visit.query)?;
        site.page(&operations::GENESYS_CLOUD_LIST_USERS, &visit.query, &chosen, user)
    })
    .await
}

/// GET /api/v2/routing/queues.
pub(super) async fn queues(State(site): Site, request: Request) -> Response {
    let operation = &operations::GENESYS_CLOUD_LIST_QUEUES;
    routing(site, operation, request, |site| &site.directory.queues).await
}

/// GET /api/v2/routing/wrapupcodes.
pub(super) async fn wrapupcodes(State(site): Site, request: Request) -> Response {
    let operation = &operations::GENESYS_CLOUD_LIST_WRAPUPCODES;
    routing(site, operation, request, |site| &site.directory.wrapups).await
}

/// GET /api/v2/routing/skills.
pub(super) async fn skills(State(site): Site, request: Request) -> Response {
    let operation = &operations::GENESYS_CLOUD_LIST_SKILLS;
    routing(site, operation, request, |site| &site.directory.skills).await
}

async fn routing(
    site: std::sync::Arc<GenesysCloud>,
    operation: &'static Operation,
    request: Request,
    list: fn(&GenesysCloud) -> &Vec<Entry>,
) -> Response {
    let door = Door { site, operation, request };
    door.answer("-", |site, visit| {
        let path = operation.path;
        let chosen: Vec<&Entry> = list(site).iter().filter(|entry| is_asked_for(entry, &visit.query)).collect();
        site.page(operation, &visit.query, &chosen, |entry| Named {
            id: entry.id,
            name: &entry.name,
            self_uri: EntityUri { path, id: entry.id },
        })
    })
    .await
}

/// GET /api/v2/organizations/limits/namespaces.
pub(super) async fn limit_namespaces(State(site): Site, request: Request) -> Response {
    let operation = &operations::GENESYS_CLOUD_LIST_LIMITS;
    let door = Door { site, operation, request };
    door.answer("-", |site, visit| site.page(operation, &visit.query, &NAMESPACES, |namespace| *namespace)).await
}

/// GET /api/v2/organizations/limits/namespaces/{namespace}.
pub(super) async fn limits_of(State(site): Site, Path(namespace): Path<String>, request: Request) -> Response {
    let door = Door { site, operation: &operations::GENESYS_CLOUD_GET_LIMITS, request };
    door.answer(&namespace, |site, _| site.limits_of(&namespace)).await
}

/// The namespaces that have limits here, sorted.
const NAMESPACES: [&str; 3] = ["analytics", "platform.api", "recording"];

impl GenesysCloud {
    fn users(&self, query: &Query) -> Result<Vec<&Entry>, ApiError> {
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
        Ok(all.filter(|user| is_one_of(user, &query.all("id"))).collect())
    }

    /// The page of a list that a request asks for, of the things it chose; `write` says how one is written.
    pub(super) fn page<'a, T, W: Serialize>(
        &self,
        of: &Operation,
        query: &Query,
        chosen: &'a [T],
        write: impl Fn(&'a T) -> W,
    ) -> Result<Reply, ApiError> {
        let size = query.number("pageSize", limits::PAGE_SIZE_DEFAULT.value, 1, limits::PAGE_SIZE_MAX.value).inspect_err(|_| {
            self.mark(&limits::PAGE_SIZE_MAX.rule);
        })?;
        let number = page_number(query)?;
        let total = chosen.len() as u64;
        let pages = total.div_ceil(size);
        let filters = filters(of, query);
        let uri = |number: u64| PageUri { path: of.path, size, number, filters: &filters };
        let from = size.saturating_mul(number - 1);
        let entities = chosen.iter().skip(from as usize).take(size as usize).map(write).collect();
        let page = Page {
            entities,
            page_size: size,
            page_number: number,
            total,
            page_count: pages,
            first_uri: uri(1),
            self_uri: uri(number),
            last_uri: uri(pages.max(1)),
            next_uri: (number < pages).then(|| uri(number + 1)),
            previous_uri: (number > 1).then(|| uri(number - 1)),
        };
        Ok(Reply::json(200, &page))
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
        let entities: Vec<serde_json::Value> =
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
fn filters(of: &Operation, query: &Query) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    for name in of.query.iter().filter(|name| !["pageSize", "pageNumber"].contains(name)) {
        for value in query.all(name) {
            text.append_pair(name, value);
        }
    }
    let text = text.finish();
    if text.is_empty() { text } else { format!("&{text}") }
}

fn is_asked_for(entry: &Entry, query: &Query) -> bool {
    is_one_of(entry, &query.all("id")) && query.one("name").is_none_or(|pattern| is_like(&entry.name, pattern))
}

/// Whether its id is among those asked for; none asked for: every one is.
fn is_one_of(entry: &Entry, ids: &[&str]) -> bool {
    ids.is_empty() || ids.iter().any(|id| id.eq_ignore_ascii_case(&entry.id.to_string()))
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

pub(super) fn user<'a>(entry: &&'a Entry) -> User<'a> {
    let words = entry.name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let address: Vec<String> = words.map(str::to_lowercase).collect();
    User {
        id: entry.id,
        name: &entry.name,
        state: entry.state,
        email: format!("{}@example.com", address.join(".")),
        version: 1,
        self_uri: EntityUri { path: operations::GENESYS_CLOUD_LIST_USERS.path, id: entry.id },
    }
}
