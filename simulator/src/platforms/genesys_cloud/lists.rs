//! The organisation's lists, page by page, and its limits.

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    GenesysCloud, Site,
    access::{DivisionRef, ORG_RATE_KEY, QUEUE, route_key},
    endpoint::{IncomingRequest, Query},
    errors::ApiError,
    limits, rules,
    settings::{Directory, Entry, Settings, holds},
    validate::uuid,
};
use crate::{
    http::reply::Reply,
    operations::{self, Operation},
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
    #[serde(skip_serializing_if = "Option::is_none")]
    next_uri: Option<PageUri<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_uri: Option<PageUri<'a>>,
}

/// The address of a page. Written straight into the answer: lists are what clients ask for most,
/// and half a list's time went into small texts.
struct PageUri<'a> {
    path: &'a str,
    size: u64,
    number: u64,
    /// The request's filters, each behind an ampersand.
    filters: &'a str,
}

impl Serialize for PageUri<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!(
            "{}?pageSize={}&pageNumber={}{}",
            self.path, self.size, self.number, self.filters
        ))
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
pub(super) struct Named<'a> {
    id: Uuid,
    name: &'a str,
    /// Absent for a skill, which stands in none.
    #[serde(skip_serializing_if = "Option::is_none")]
    division: Option<DivisionRef<'a>>,
    self_uri: EntityUri<'a>,
}

/// A user in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User<'a> {
    id: Uuid,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    division: Option<DivisionRef<'a>>,
    state: &'a str,
    email: String,
    version: u32,
    self_uri: EntityUri<'a>,
}

/// An entry as it is answered: with what clients said of it where they said something. Flattening
/// is slow, and hardly any entry needs it.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Shown<'a, T> {
    Plain(T),
    Said {
        #[serde(flatten)]
        plain: T,
        #[serde(flatten)]
        said: &'a Map<String, Value>,
    },
}

impl<'a, T> Shown<'a, T> {
    fn of(entry: &'a Entry, plain: T) -> Shown<'a, T> {
        match &entry.said {
            Some(said) => Shown::Said {
                plain,
                said: &said.fields,
            },
            None => Shown::Plain(plain),
        }
    }
}

/// GET /api/v2/users.
pub(super) async fn users(incoming: IncomingRequest) -> Response {
    incoming
        .answer("-", |site, authorized| {
            let directory = site.directory();
            let chosen = chosen_users(site, &directory, &authorized.query)?;
            site.page(
                &operations::GENESYS_CLOUD_LIST_USERS,
                &authorized.query,
                &chosen,
                |entry| site.user_json(entry),
            )
        })
        .await
}

/// GET /api/v2/routing/queues.
pub(super) async fn queues(State(site): Site, request: Request) -> Response {
    let operation = &operations::GENESYS_CLOUD_LIST_QUEUES;
    routing(
        site,
        operation,
        request,
        List {
            kind: Some(QUEUE),
            entries: |directory| &directory.queues,
        },
    )
    .await
}

/// GET /api/v2/routing/wrapupcodes.
pub(super) async fn wrapupcodes(State(site): Site, request: Request) -> Response {
    let operation = &operations::GENESYS_CLOUD_LIST_WRAPUPCODES;
    routing(
        site,
        operation,
        request,
        List {
            kind: Some(WRAPUP),
            entries: |directory| &directory.wrapups,
        },
    )
    .await
}

/// GET /api/v2/routing/queues/{id}/wrapupcodes.
pub(super) async fn wrapupcodes_of_queue(
    Path(queue): Path<String>,
    incoming: IncomingRequest,
) -> Response {
    let operation = incoming.operation;
    incoming
        .answer(&queue, |site, authorized| {
            let unknown =
                || ApiError::new(404, "resource.not.found", "The queue could not be found.");
            let directory = site.directory();
            let id = uuid(&queue)
                .filter(|id| holds(&directory.queues, *id))
                .ok_or_else(unknown)?;
            site.must_cover_entity(QUEUE, id, "routing:queue:view")?;
            site.mark(&rules::QUEUE_WRAPUPCODES);
            let codes = operations::GENESYS_CLOUD_LIST_WRAPUPCODES.path;
            let is_shown = |entry: &&Entry| {
                is_asked_for(entry, &authorized.query) && site.covers_entity(WRAPUP, entry.id)
            };
            let chosen: Vec<&Entry> = directory.wrapups.iter().filter(is_shown).collect();
            let path = format!("/api/v2/routing/queues/{id}/wrapupcodes");
            site.page_at(&path, operation, &authorized.query, &chosen, |entry| {
                site.named(codes, Some(WRAPUP), entry)
            })
        })
        .await
}

/// GET /api/v2/routing/skills.
pub(super) async fn skills(State(site): Site, request: Request) -> Response {
    let operation = &operations::GENESYS_CLOUD_LIST_SKILLS;
    routing(
        site,
        operation,
        request,
        List {
            kind: None,
            entries: |directory| &directory.skills,
        },
    )
    .await
}

/// GET /api/v2/users/{id}.
pub(super) async fn user_by_id(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer(&id, |site, authorized| {
            site.mark(&rules::BY_ID);
            let unknown =
                || ApiError::new(404, "general.resource.not.found", "Unable to find the user");
            let is_state = |entry: &&Entry| {
                authorized
                    .query
                    .one("state")
                    .is_none_or(|state| entry.state == state)
            };
            let directory = site.directory();
            let found = entry_of(&directory.users, &id)
                .filter(is_state)
                .ok_or_else(unknown)?;
            Ok(Reply::json(200, &site.user_json(found)))
        })
        .await
}

/// GET /api/v2/routing/queues/{id}.
pub(super) async fn queue_by_id(
    State(site): Site,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let by_id = ById {
        operation: &operations::GENESYS_CLOUD_GET_QUEUE,
        listing: &operations::GENESYS_CLOUD_LIST_QUEUES,
        kind: Some((QUEUE, "routing:queue:view")),
        entries: |directory| &directory.queues,
    };
    by_id.answer(site, &id, request).await
}

/// GET /api/v2/routing/wrapupcodes/{id}.
pub(super) async fn wrapupcode_by_id(
    State(site): Site,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let by_id = ById {
        operation: &operations::GENESYS_CLOUD_GET_WRAPUPCODE,
        listing: &operations::GENESYS_CLOUD_LIST_WRAPUPCODES,
        kind: Some((WRAPUP, "routing:wrapupCode:view")),
        entries: |directory| &directory.wrapups,
    };
    by_id.answer(site, &id, request).await
}

/// GET /api/v2/routing/skills/{id}.
pub(super) async fn skill_by_id(
    State(site): Site,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let by_id = ById {
        operation: &operations::GENESYS_CLOUD_GET_SKILL,
        listing: &operations::GENESYS_CLOUD_LIST_SKILLS,
        kind: None,
        entries: |directory| &directory.skills,
    };
    by_id.answer(site, &id, request).await
}

/// How one entity of a list is read by its id.
struct ById {
    operation: &'static Operation,
    listing: &'static Operation,
    /// The kind it has a division by, and what it takes to read it there; absent where it stands in
    /// none.
    kind: Option<(&'static str, &'static str)>,
    entries: fn(&Directory) -> &Vec<Entry>,
}

impl ById {
    async fn answer(
        self,
        site: std::sync::Arc<GenesysCloud>,
        id: &str,
        request: Request,
    ) -> Response {
        let incoming = IncomingRequest {
            site,
            operation: self.operation,
            request,
        };
        incoming
            .answer(id, |site, _| {
                site.mark(&rules::BY_ID);
                let directory = site.directory();
                let entry =
                    entry_of((self.entries)(&directory), id).ok_or_else(ApiError::not_found)?;
                if let Some((kind, permission)) = self.kind {
                    site.must_cover_entity(kind, entry.id, permission)?;
                }
                Ok(Reply::json(
                    200,
                    &site.named(self.listing.path, self.kind.map(|(kind, _)| kind), entry),
                ))
            })
            .await
    }
}

/// The entry with the id in an address.
pub(super) fn entry_of<'a>(entries: &'a [Entry], id: &str) -> Option<&'a Entry> {
    uuid(id).and_then(|id| entries.iter().find(|entry| entry.id == id))
}

/// The kinds of entity that stand in a division, besides queues.
pub(super) const USER: &str = "user";
pub(super) const WRAPUP: &str = "wrapupcode";

/// A list of the directory.
struct List {
    /// The kind its entities have a division by; absent where they have none.
    kind: Option<&'static str>,
    entries: fn(&Directory) -> &Vec<Entry>,
}

async fn routing(
    site: std::sync::Arc<GenesysCloud>,
    operation: &'static Operation,
    request: Request,
    list: List,
) -> Response {
    let incoming = IncomingRequest {
        site,
        operation,
        request,
    };
    incoming
        .answer("-", |site, authorized| {
            let directory = site.directory();
            let is_shown = |entry: &&Entry| {
                is_asked_for(entry, &authorized.query)
                    && has_peer_asked_for(entry, &authorized.query)
                    && list
                        .kind
                        .is_none_or(|kind| is_in_division(site, kind, entry.id, &authorized.query))
            };
            let mut chosen: Vec<&Entry> =
                (list.entries)(&directory).iter().filter(is_shown).collect();
            match authorized.query.one("sortBy") {
                Some("id") => chosen.sort_by_key(|entry| entry.id),
                _ => chosen.sort_by_key(|entry| (&entry.name, entry.id)),
            }
            if is_descending(&authorized.query) {
                chosen.reverse();
            }
            site.page(operation, &authorized.query, &chosen, |entry| {
                site.named(operation.path, list.kind, entry)
            })
        })
        .await
}

/// GET /api/v2/organizations/limits/namespaces.
pub(super) async fn limit_namespaces(incoming: IncomingRequest) -> Response {
    let operation = incoming.operation;
    incoming
        .answer("-", |site, authorized| {
            site.page(operation, &authorized.query, &NAMESPACES, |namespace| {
                *namespace
            })
        })
        .await
}

/// GET /api/v2/organizations/limits/namespaces/{namespace}.
pub(super) async fn limits_of(
    Path(namespace): Path<String>,
    incoming: IncomingRequest,
) -> Response {
    incoming
        .answer(&namespace, |site, _| {
            let entities = limit_entities(&namespace, &site.settings)
                .ok_or_else(|| unknown_namespace(&namespace))?;
            Ok(Reply::json(200, &json!({"entities": entities})))
        })
        .await
}

/// The namespaces that have limits here, sorted.
const NAMESPACES: [&str; 3] = ["analytics", "platform.api", "recording"];

impl GenesysCloud {
    /// A user as lists and searches show one.
    pub(super) fn user_json<'a>(&'a self, entry: &'a Entry) -> Shown<'a, User<'a>> {
        Shown::of(
            entry,
            User {
                division: Some(self.division_of_entity(USER, entry.id)),
                ..user(entry)
            },
        )
    }

    /// A queue, wrap-up code or skill as lists show one; `kind` is absent where it stands in no
    /// division.
    pub(super) fn named<'a>(
        &'a self,
        path: &'a str,
        kind: Option<&str>,
        entry: &'a Entry,
    ) -> Shown<'a, Named<'a>> {
        let division = kind.map(|kind| self.division_of_entity(kind, entry.id));
        Shown::of(
            entry,
            Named {
                id: entry.id,
                name: &entry.name,
                division,
                self_uri: EntityUri { path, id: entry.id },
            },
        )
    }

    /// The users of a state, of any where the query says so; active ones where it says nothing.
    pub(super) fn users_by_state<'a>(
        &self,
        directory: &'a Directory,
        query: &Query,
    ) -> impl Iterator<Item = &'a Entry> + use<'a> {
        let asked = query.one("state");
        if asked.is_none() {
            self.mark(&rules::USERS_DEFAULT_ACTIVE);
        }
        let state = asked.unwrap_or("active");
        let state = state.to_owned();
        directory
            .users
            .iter()
            .filter(move |user| state == "any" || user.state == state)
    }

    /// The page of a list that a request asks for, of the things it chose; `write` says how one is
    /// written.
    pub(super) fn page<'a, T, W: Serialize>(
        &self,
        of: &Operation,
        query: &Query,
        chosen: &'a [T],
        write: impl Fn(&'a T) -> W,
    ) -> Result<Reply, ApiError> {
        self.page_at(of.path, of, query, chosen, write)
    }

    /// The same, where the address has variable parts.
    pub(super) fn page_at<'a, T, W: Serialize>(
        &self,
        path: &str,
        of: &Operation,
        query: &Query,
        chosen: &'a [T],
        write: impl Fn(&'a T) -> W,
    ) -> Result<Reply, ApiError> {
        let size = query
            .number(
                "pageSize",
                limits::PAGE_SIZE_DEFAULT.value,
                1,
                limits::PAGE_SIZE_MAX.value,
            )
            .inspect_err(|_| {
                self.mark(&limits::PAGE_SIZE_MAX.rule);
            })?;
        let number = page_number(query)?;
        let total = chosen.len() as u64;
        let pages = total.div_ceil(size);
        let filters = filters(of, query);
        let uri = |number: u64| PageUri {
            path,
            size,
            number,
            filters: &filters,
        };
        let from = size.saturating_mul(number - 1);
        let entities = chosen
            .iter()
            .skip(from as usize)
            .take(size as usize)
            .map(write)
            .collect();
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
}

fn chosen_users<'a>(
    site: &GenesysCloud,
    directory: &'a Directory,
    query: &Query,
) -> Result<Vec<&'a Entry>, ApiError> {
    if query.all("id").len() as u64 > limits::USER_IDS.value {
        site.mark(&limits::USER_IDS.rule);
        let message = format!(
            "at most {} {}",
            limits::USER_IDS.value,
            limits::USER_IDS.unit
        );
        return Err(ApiError::new(400, "max.user.ids", message).field("id"));
    }
    site.mark(&rules::USERS_SORT_ORDER);
    // Nobody here has a Jabber id.
    let has_jabber_id = query.one("jabberId").is_none();
    let of_state = site.users_by_state(directory, query);
    let mut found: Vec<&Entry> = of_state
        .filter(|user| has_jabber_id && is_one_of(&query.all("id"), user.id))
        .collect();
    found.sort_by_key(|user| (&user.name, user.id));
    if is_descending(query) {
        found.reverse();
    }
    Ok(found)
}

/// Whether an entity stands in a division that the client's role covers, and in one of those a
/// request names.
fn is_in_division(site: &GenesysCloud, kind: &str, id: Uuid, query: &Query) -> bool {
    site.covers_entity(kind, id)
        && is_one_of(
            &query.all("divisionId"),
            site.division_of_entity(kind, id).id,
        )
}

/// The limits of a namespace as settings say; none for a namespace that is not known.
pub(super) fn limit_entities(namespace: &str, settings: &Settings) -> Option<Vec<Value>> {
    let mut entries = match namespace {
        "platform.api" => vec![
            (
                "client.credentials.token.rate.per.minute".to_owned(),
                u64::from(settings.requests_per_minute),
            ),
            (
                "files.upload.rate.per.second".to_owned(),
                u64::from(settings.uploads_per_second),
            ),
            ("request.bytes.max".to_owned(), settings.max_request_bytes),
            (
                "token.rate.per.minute".to_owned(),
                u64::from(settings.requests_per_minute),
            ),
        ],
        "recording" => vec![
            (
                "batch.download.max.items".to_owned(),
                limits::BATCH_ITEMS.value,
            ),
            (
                "deletion.protection.max.conversations".to_owned(),
                limits::PROTECTION_IDS.value,
            ),
        ],
        "analytics" => vec![(
            "details.query.page.size.max".to_owned(),
            limits::QUERY_PAGE_MAX.value,
        )],
        _ => return None,
    };
    if namespace == "platform.api" {
        let org = Some(settings.org_requests_per_minute).filter(|most| *most > 0);
        entries.extend(org.map(|most| (ORG_RATE_KEY.to_owned(), u64::from(most))));
        let routes = settings
            .route_requests_per_minute
            .iter()
            .filter(|(_, most)| **most > 0);
        entries.extend(routes.map(|(operation, most)| (route_key(operation), u64::from(*most))));
        entries.sort_unstable();
    }
    Some(
        entries
            .into_iter()
            .map(|(key, value)| json!({"key": key, "namespace": namespace, "value": value}))
            .collect(),
    )
}

/// The refusal of a namespace that is not known. Source: platform API, error codes of GET
/// organizations/limits/namespaces/{namespaceName}.
pub(super) fn unknown_namespace(namespace: &str) -> ApiError {
    let message = format!(
        "The provided namespace [{namespace}] is not valid or does not have any viewable limits"
    );
    ApiError::new(400, "invalid.value", message).field("namespaceName")
}

pub(super) fn page_number(query: &Query) -> Result<u64, ApiError> {
    let text = query.one("pageNumber").unwrap_or("1");
    match text.parse::<u64>() {
        Ok(number) if number > 0 && number <= u64::from(u32::MAX) => Ok(number),
        _ => Err(ApiError::new(
            400,
            "invalid.page.number",
            format!("pageNumber [{text}] is not valid"),
        )
        .field("pageNumber")),
    }
}

/// The filters of a request, for the addresses of its other pages.
fn filters(of: &Operation, query: &Query) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    for name in of
        .query
        .iter()
        .filter(|name| !["pageSize", "pageNumber"].contains(name))
    {
        for value in query.all(name) {
            text.append_pair(name, value);
        }
    }
    let text = text.finish();
    if text.is_empty() {
        text
    } else {
        format!("&{text}")
    }
}

/// Whether the query asks for the end of a list first, in any of the words that the lists have for
/// it.
fn is_descending(query: &Query) -> bool {
    matches!(query.one("sortOrder"), Some("descending" | "desc" | "DESC"))
}

/// A queue has a peer on another platform where a client gave it one; none has a library of canned
/// responses.
fn has_peer_asked_for(entry: &Entry, query: &Query) -> bool {
    let (peer, peers) = (entry.said("peerId"), query.all("peerId"));
    query
        .truth("hasPeer")
        .is_none_or(|has_peer| has_peer == peer.is_some())
        && (peers.is_empty() || peer.is_some_and(|peer| peers.contains(&peer)))
        && query.one("cannedResponseLibraryId").is_none()
}

fn is_asked_for(entry: &Entry, query: &Query) -> bool {
    is_one_of(&query.all("id"), entry.id)
        && query
            .one("name")
            .is_none_or(|pattern| is_like(&entry.name, pattern))
}

/// Whether an id is among those asked for; any is where none is named.
pub(super) fn is_one_of(ids: &[&str], id: Uuid) -> bool {
    ids.is_empty()
        || ids
            .iter()
            .any(|asked| asked.eq_ignore_ascii_case(&id.to_string()))
}

/// A name against a pattern that may begin or end with an asterisk; without one it is a beginning,
/// in any case of letters.
pub(super) fn is_like(name: &str, pattern: &str) -> bool {
    let (name, pattern) = (name.to_lowercase(), pattern.to_lowercase());
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(tail), None) => name.ends_with(tail),
        (Some(_), Some(_)) => name.contains(pattern.trim_matches('*')),
        (None, Some(head)) => name.starts_with(head),
        (None, None) => name.starts_with(&pattern),
    }
}

pub(super) fn user(entry: &Entry) -> User<'_> {
    User {
        id: entry.id,
        name: &entry.name,
        division: None,
        state: entry.state,
        email: email(entry),
        version: entry.version(),
        self_uri: EntityUri {
            path: operations::GENESYS_CLOUD_LIST_USERS.path,
            id: entry.id,
        },
    }
}

/// The e-mail address of a user: as a client said it, else made of the name.
pub(super) fn email(entry: &Entry) -> String {
    if let Some(email) = entry.said("username") {
        return email.to_owned();
    }
    let words = entry
        .name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let address: Vec<String> = words.map(str::to_lowercase).collect();
    format!("{}@example.com", address.join("."))
}
