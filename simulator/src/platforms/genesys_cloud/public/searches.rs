//! Searches over what conversations were given: attributes of their participants, and custom
//! attributes, of which this organisation has none.

use axum::{extract::Path, response::Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{AttributeSearch, rules};
use crate::{
    http::reply::Reply,
    platforms::genesys_cloud::{
        GenesysCloud, conversation::Conversation, cursor, endpoint::IncomingRequest,
        errors::ApiError, limits, participant_view::put, read::CONVERSATION, times, users::one_of,
        validate::DAY_MS,
    },
};

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// POST /api/v2/conversations/participants/attributes/search.
pub(super) async fn attributes(incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, _| "-".to_owned(),
            |site, _, asked| search_attributes(site, &asked),
        )
        .await
}

/// GET /api/v2/conversations/{id}/customattributes.
pub(super) async fn custom_attributes(
    Path(id): Path<String>,
    incoming: IncomingRequest,
) -> Response {
    incoming
        .answer(&id, |site, _| {
            site.find_covered(&site.state().conversations, &id, CONVERSATION)?;
            site.mark(&rules::CUSTOM_ATTRIBUTES);
            Ok(Reply::json(200, &json!({"results": []})))
        })
        .await
}

/// POST /api/v2/conversations/customattributes/search.
pub(super) async fn search_custom_attributes(incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, _| "-".to_owned(),
            |site, _, asked: CustomSearch| {
                one_of("sortOrder", asked.sort_order.iter(), ORDERS)?;
                site.mark(&rules::CUSTOM_ATTRIBUTES);
                let (number, size) = (asked.page_number.unwrap_or(1), asked.page_size.unwrap_or(limits::PAGE_SIZE_DEFAULT.value));
                let body = json!({"total": 0, "pageCount": 0, "pageNumber": number, "pageSize": size, "results": [], "types": []});
                Ok(Reply::json(200, &body))
            },
        )
        .await
}

/// ConversationCustomAttributesSearchRequest of the API description. What it searches for is passed
/// over: there is nothing to find.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CustomSearch {
    page_number: Option<u64>,
    page_size: Option<u64>,
    sort_order: Option<String>,
}

/// Orders of a search. Source: platform API, ConversationParticipantSearchRequest.
const ORDERS: &[&str] = &["ASC", "DESC", "SCORE"];

/// ConversationParticipantSearchRequest of the API description.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Search {
    #[serde(default)]
    query: Vec<Criterion>,
    /// Which of a result's fields are answered; all where none is named.
    #[serde(default)]
    return_fields: Vec<String>,
    cursor: Option<String>,
    #[serde(default)]
    sort: Vec<Value>,
    sort_by: Option<String>,
    sort_order: Option<String>,
}

/// ConversationParticipantSearchCriteria of the API description.
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
    start_value: Option<String>,
    end_value: Option<String>,
    operator: Option<String>,
    date_format: Option<String>,
    #[serde(default)]
    group: Vec<Value>,
}

/// A criterion that can be answered.
enum Wanted<'a> {
    /// Any of these values in any of these fields.
    Exact {
        fields: &'a [String],
        values: Vec<&'a str>,
    },
    /// An instant of a field, both ends included.
    Range {
        field: &'a str,
        from_ms: i64,
        to_ms: i64,
    },
}

fn search_attributes(site: &GenesysCloud, asked: &Search) -> Result<Reply, ApiError> {
    one_of("sortOrder", asked.sort_order.iter(), ORDERS)?;
    let most = limits::ATTRIBUTE_ROWS.value as usize;
    let wanted = asked
        .query
        .iter()
        .map(|one| wanted(site, one))
        .collect::<Result<Vec<_>, _>>()?;
    if wanted.is_empty()
        || !asked.sort.is_empty()
        || asked.sort_by.as_deref().is_some_and(|by| by != "startTime")
    {
        return Err(not_supported(site));
    }
    let from = asked
        .cursor
        .as_deref()
        .map(|text| cursor::place("row", text, "bad.request"))
        .transpose()?
        .unwrap_or(0);
    [&rules::ATTRIBUTE_ROW, &rules::ATTRIBUTE_LIFE]
        .into_iter()
        .for_each(|rule| site.mark(rule));
    let life_ms = i64::from(site.settings.public.attributes_found_days) * DAY_MS;
    let since_ms = site.now_ms().saturating_sub(life_ms);
    let state = site.state();
    let is_found = |held: &&Conversation| {
        has_attributes(held)
            && held.created_at_ms >= since_ms
            && wanted.iter().all(|one| fits(site, held, one))
            && site.shows(held)
    };
    let mut found: Vec<&Conversation> = state.conversations.all().filter(is_found).collect();
    found.sort_by_key(|held| (held.start_ms, held.id));
    if asked.sort_order.as_deref() == Some("DESC") {
        found.reverse();
    }
    let page = found.iter().skip(from).take(most);
    let results: Vec<Value> = page
        .map(|held| chosen_fields(attribute_row(site, held), &asked.return_fields))
        .collect();
    let mut body = json!({"results": results, "types": ["conversations"]});
    let next = from.saturating_add(most);
    put(
        &mut body,
        "cursor",
        (next < found.len()).then(|| cursor::to("row", next)),
    );
    Ok(Reply::json(200, &body))
}

/// Reads one criterion strictly: what is not known is refused, never passed over.
fn wanted<'a>(site: &GenesysCloud, sent: &'a Criterion) -> Result<Wanted<'a>, ApiError> {
    let is_and = sent
        .operator
        .as_deref()
        .is_none_or(|operator| operator == "AND");
    if !is_and || !sent.group.is_empty() || sent.date_format.is_some() || sent.fields.is_empty() {
        return Err(not_supported(site));
    }
    let is_searchable = |field: &String| match site.settings.public.attribute_search {
        AttributeSearch::Windows => {
            ["conversationId", "divisionId", "startTime", "endTime"].contains(&field.as_str())
        }
        AttributeSearch::Attributes => true,
    };
    if !sent.fields.iter().all(is_searchable) {
        return Err(not_supported(site));
    }
    match (sent.kind.as_str(), &*sent.fields) {
        ("EXACT", fields) => {
            let values: Vec<&str> = sent
                .value
                .iter()
                .chain(&sent.values)
                .map(String::as_str)
                .collect();
            if values.is_empty() {
                Err(not_supported(site))
            } else {
                Ok(Wanted::Exact { fields, values })
            }
        }
        ("DATE_RANGE", [field]) if ["startTime", "endTime"].contains(&field.as_str()) => {
            range(site, field, sent)
        }
        _ => Err(not_supported(site)),
    }
}

fn range<'a>(
    site: &GenesysCloud,
    field: &'a str,
    sent: &Criterion,
) -> Result<Wanted<'a>, ApiError> {
    let read = |name: &str, text: &Option<String>| {
        let text = text.as_deref().unwrap_or_default();
        site.instant(name, text)
    };
    let (from_ms, to_ms) = (
        read("startValue", &sent.start_value)?,
        read("endValue", &sent.end_value)?,
    );
    let most = &limits::ATTRIBUTE_WINDOW_HOURS;
    if to_ms < from_ms || to_ms - from_ms > most.value as i64 * HOUR_MS {
        site.mark(&most.rule);
        let message = format!("a DATE_RANGE spans at most {} {}", most.value, most.unit);
        return Err(ApiError::new(400, "bad.request", message).field("endValue"));
    }
    Ok(Wanted::Range {
        field,
        from_ms,
        to_ms,
    })
}

fn not_supported(site: &GenesysCloud) -> ApiError {
    site.mark(&rules::ATTRIBUTE_SEARCH);
    ApiError::new(400, "bad.request", "Search not supported.")
}

fn fits(site: &GenesysCloud, held: &Conversation, wanted: &Wanted<'_>) -> bool {
    match wanted {
        Wanted::Range {
            field,
            from_ms,
            to_ms,
        } => {
            let at_ms = if *field == "startTime" {
                Some(held.start_ms)
            } else {
                (!held.is_open()).then_some(held.end_ms)
            };
            at_ms.is_some_and(|at_ms| (*from_ms..=*to_ms).contains(&at_ms))
        }
        Wanted::Exact { fields, values } => fields.iter().any(|field| {
            let is_one = |text: &str| values.contains(&text);
            match field.as_str() {
                "conversationId" => values
                    .iter()
                    .any(|value| value.eq_ignore_ascii_case(&held.id.to_string())),
                "divisionId" => is_one(&site.division_of(held).id.to_string()),
                "startTime" => is_one(&times::text(held.start_ms)),
                "endTime" => is_one(&times::text(held.end_ms)),
                key => {
                    let all =
                        std::iter::once(&held.attributes).chain(held.other_attributes.values());
                    all.filter_map(|attributes| attributes.get(key))
                        .any(|value| is_one(value))
                }
            }
        }),
    }
}

/// A result: a conversation with the attributes of those of its participants that have some.
fn attribute_row(site: &GenesysCloud, held: &Conversation) -> Value {
    let seats = site.seats(held);
    let data: Vec<Value> = seats
        .iter()
        .filter_map(|seat| {
            let own = if seat.is_customer() {
                Some(&held.attributes)
            } else {
                held.other_attributes.get(&seat.id)
            };
            let attributes = own.filter(|own| !own.is_empty())?;
            Some(json!({
                "participantId": seat.id,
                "participantPurpose": seat.purpose,
                "participantAttributes": attributes,
                "sessionIds": [seat.session_id],
            }))
        })
        .collect();
    let mut body = json!({
        "conversationId": held.id,
        "startTime": times::text(held.start_ms),
        "divisionIds": [site.division_of(held).id],
        "participantData": data,
        "truncatedData": false,
    });
    put(
        &mut body,
        "endTime",
        (!held.is_open()).then(|| times::text(held.end_ms)),
    );
    body
}

fn has_attributes(held: &Conversation) -> bool {
    !held.attributes.is_empty() || held.other_attributes.values().any(|own| !own.is_empty())
}

/// A result with the fields that were asked for.
fn chosen_fields(mut row: Value, asked: &[String]) -> Value {
    if let Some(fields) = row.as_object_mut().filter(|_| !asked.is_empty()) {
        fields.retain(|name, _| asked.contains(name));
    }
    row
}
