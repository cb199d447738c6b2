//! Users found otherwise than page by page: by cursor, and by what is known of them.

use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    GenesysCloud, cursor,
    endpoint::{IncomingRequest, Query},
    errors::ApiError,
    limits, lists, parameters,
    participant_view::put,
    rules,
    settings::Entry,
};
use crate::{http::reply::Reply, operations};

/// GET /api/v2/users/query.
pub(super) async fn query(incoming: IncomingRequest) -> Response {
    incoming
        .answer("-", |site, authorized| {
            users_by_cursor(site, &authorized.query)
        })
        .await
}

/// POST /api/v2/users/search.
pub(super) async fn search(incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, _| "-".to_owned(),
            |site, _, asked| search_users(site, &asked),
        )
        .await
}

/// UserSearchRequest of the API description, as far as it is evaluated here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Search {
    #[serde(default)]
    query: Vec<Criterion>,
    page_size: Option<u64>,
    page_number: Option<u64>,
    sort_by: Option<String>,
    sort_order: Option<String>,
    /// The first of these counts, where sortBy is left out.
    #[serde(default)]
    sort: Vec<Sort>,
    #[serde(default)]
    expand: Vec<String>,
    integration_presence_source: Option<String>,
    /// Every client here sees every user.
    #[serde(rename = "enforcePermissions")]
    _enforce_permissions: Option<bool>,
}

/// SearchSort of the API description.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Sort {
    sort_by: Option<String>,
    sort_order: Option<String>,
}

/// Orders of a search. By SCORE there is nothing to tell apart: what is found fits in full.
const ORDERS: &[&str] = &["ASC", "DESC", "SCORE"];

/// UserSearchCriteria of the API description, as far as it is evaluated here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Criterion {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    fields: Vec<String>,
    value: Option<String>,
    #[serde(default)]
    values: Vec<String>,
    operator: Option<String>,
}

/// What a user can be searched by.
const FIELDS: [&str; 4] = ["name", "email", "id", "state"];
/// How.
const KINDS: [&str; 3] = ["EXACT", "STARTS_WITH", "CONTAINS"];

fn users_by_cursor(site: &GenesysCloud, query: &Query) -> Result<Reply, ApiError> {
    let most = &limits::PAGE_SIZE_MAX;
    let default = limits::PAGE_SIZE_DEFAULT.value;
    let size = query
        .number("pageSize", default, 1, most.value)
        .inspect_err(|_| site.mark(&most.rule))? as usize;
    let from = query
        .one("cursor")
        .map(|text| cursor::place("user", text, cursor::IN_QUERY))
        .transpose()?
        .unwrap_or(0);
    let directory = site.directory();
    let mut found: Vec<&Entry> = site.users_by_state(&directory, query).collect();
    found.sort_by_key(|user| (&user.name, user.id));
    if query.one("sortOrder") == Some("DESC") {
        found.reverse();
    }
    site.mark(&rules::USERS_QUERY);
    let page: Vec<_> = found
        .iter()
        .skip(from)
        .take(size)
        .map(|user| site.user_json(user))
        .collect();
    let path = operations::GENESYS_CLOUD_QUERY_USERS.path;
    let state = query
        .one("state")
        .map(|state| format!("&state={state}"))
        .unwrap_or_default();
    let order = query
        .one("sortOrder")
        .map(|order| format!("&sortOrder={order}"))
        .unwrap_or_default();
    let uri = |cursor: &str| format!("{path}?pageSize={size}{state}{order}{cursor}");
    let here = query
        .one("cursor")
        .map(|cursor| format!("&cursor={cursor}"))
        .unwrap_or_default();
    let mut body = json!({"entities": page, "results": page.len(), "selfUri": uri(&here)});
    let next = from.saturating_add(size);
    if next < found.len() {
        let cursor = cursor::to("user", next);
        put(
            &mut body,
            "nextUri",
            Some(uri(&format!("&cursor={cursor}"))),
        );
        put(&mut body, "cursor", Some(cursor));
    }
    Ok(Reply::json(200, &body))
}

fn search_users(site: &GenesysCloud, asked: &Search) -> Result<Reply, ApiError> {
    let size = asked.page_size.unwrap_or(limits::PAGE_SIZE_DEFAULT.value);
    let number = asked.page_number.unwrap_or(1);
    if size == 0 || size > limits::PAGE_SIZE_MAX.value || number == 0 {
        site.mark(&limits::PAGE_SIZE_MAX.rule);
        let message = format!(
            "pageSize is 1 to {}, pageNumber from 1",
            limits::PAGE_SIZE_MAX.value
        );
        return Err(ApiError::new(400, "bad.request", message).field("pageSize"));
    }
    asked.check()?;
    asked
        .query
        .iter()
        .try_for_each(Criterion::check)
        .inspect_err(|_| site.mark(&rules::USERS_SEARCH))?;
    site.mark(&rules::USERS_SEARCH);
    let names_state = asked
        .query
        .iter()
        .any(|one| one.fields.iter().any(|field| field == "state"));
    let is_found = |user: &&Entry| {
        (names_state || user.state != "deleted") && asked.query.iter().all(|one| one.fits(user))
    };
    let directory = site.directory();
    let mut found: Vec<&Entry> = directory.users.iter().filter(is_found).collect();
    let first = asked.sort.first();
    let by = asked
        .sort_by
        .as_deref()
        .or_else(|| first?.sort_by.as_deref());
    let order = asked
        .sort_order
        .as_deref()
        .or_else(|| first?.sort_order.as_deref());
    match by.unwrap_or("name") {
        "name" => found.sort_by_key(|user| (&user.name, user.id)),
        "id" => found.sort_by_key(|user| user.id),
        other => return Err(ApiError::invalid_value("sortBy", "sortBy", other)),
    }
    if order == Some("DESC") {
        found.reverse();
    }
    let skip = usize::try_from(size.saturating_mul(number - 1)).unwrap_or(usize::MAX);
    let page: Vec<Value> = found
        .iter()
        .skip(skip)
        .take(size as usize)
        .map(|user| json!(site.user_json(user)))
        .collect();
    Ok(Reply::json(
        200,
        &json!({
            "total": found.len(),
            "pageCount": (found.len() as u64).div_ceil(size),
            "pageNumber": number,
            "pageSize": size,
            "results": page,
            "types": ["users"],
        }),
    ))
}

impl Search {
    /// Refuses values that the model does not enumerate.
    fn check(&self) -> Result<(), ApiError> {
        one_of("expand", self.expand.iter(), parameters::USER_EXPANSIONS)?;
        one_of(
            "integrationPresenceSource",
            self.integration_presence_source.iter(),
            parameters::PRESENCE_SOURCES,
        )?;
        one_of(
            "sortOrder",
            self.sort_order
                .iter()
                .chain(self.sort.iter().filter_map(|sort| sort.sort_order.as_ref())),
            ORDERS,
        )
    }
}

/// Refuses the first text of a field that is none of its values.
pub(super) fn one_of<'a>(
    field: &str,
    mut sent: impl Iterator<Item = &'a String>,
    known: &[&str],
) -> Result<(), ApiError> {
    match sent.find(|text| !known.contains(&text.as_str())) {
        Some(other) => Err(ApiError::invalid_value(field, field, other)),
        None => Ok(()),
    }
}

impl Criterion {
    /// Refuses what is not evaluated here, so that nobody is found who was not asked for.
    fn check(&self) -> Result<(), ApiError> {
        if !KINDS.contains(&self.kind.as_str()) {
            return Err(ApiError::invalid_value("query.type", "type", &self.kind));
        }
        if let Some(other) = self
            .operator
            .as_deref()
            .filter(|operator| *operator != "AND")
        {
            return Err(ApiError::invalid_value("query.operator", "operator", other));
        }
        if let Some(other) = self
            .fields
            .iter()
            .find(|field| !FIELDS.contains(&field.as_str()))
        {
            return Err(ApiError::invalid_value("query.fields", "field", other));
        }
        if self.fields.is_empty() || (self.value.is_none() && self.values.is_empty()) {
            return Err(
                ApiError::new(400, "bad.request", "a criterion needs fields and a value")
                    .field("query"),
            );
        }
        Ok(())
    }

    /// Whether any of its fields has any of its values, in any case of letters.
    fn fits(&self, user: &Entry) -> bool {
        let of = |field: &String| match field.as_str() {
            "name" => user.name.to_lowercase(),
            "email" => lists::email(user).to_lowercase(),
            "id" => user.id.to_string(),
            _ => user.state.to_owned(),
        };
        let values: Vec<String> = self
            .value
            .iter()
            .chain(&self.values)
            .map(|value| value.to_lowercase())
            .collect();
        self.fields.iter().map(of).any(|actual| {
            values.iter().any(|wanted| match self.kind.as_str() {
                "STARTS_WITH" => actual.starts_with(wanted.as_str()),
                "CONTAINS" => actual.contains(wanted.as_str()),
                _ => actual == *wanted,
            })
        })
    }
}
