//! Divisions: where things stand, and which of them the client's role covers.

use std::borrow::Cow;

use axum::{extract::Path, response::Response};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{
        GenesysCloud,
        conversation::Conversation,
        endpoint::{IncomingRequest, Query},
        errors::ApiError,
        lists::{is_like, is_one_of},
        read::{find, not_found},
        stores::Conversations,
        validate::uuid,
    },
    rules,
};
use crate::{http::reply::Reply, operations};

const DIVISIONS: &str = "/api/v2/authorization/divisions";

/// The division of an entity, as its own JSON names it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::platforms::genesys_cloud) struct DivisionRef<'a> {
    pub(in crate::platforms::genesys_cloud) id: Uuid,
    name: Cow<'a, str>,
    self_uri: String,
}

/// AuthzDivision of the API description.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Division<'a> {
    #[serde(flatten)]
    named: DivisionRef<'a>,
    /// Required by the vendor's model; empty where no client has written one.
    description: String,
    home_division: bool,
}

/// GET /api/v2/authorization/divisions.
pub(in crate::platforms::genesys_cloud) async fn list(incoming: IncomingRequest) -> Response {
    incoming
        .answer("-", |site, authorized| {
            list_divisions(site, &authorized.query)
        })
        .await
}

/// GET /api/v2/authorization/divisions/home.
pub(in crate::platforms::genesys_cloud) async fn home(incoming: IncomingRequest) -> Response {
    incoming
        .answer("-", |site, _| Ok(Reply::json(200, &division_json(site, 0))))
        .await
}

/// GET /api/v2/authorization/divisions/{id}.
pub(in crate::platforms::genesys_cloud) async fn by_id(
    Path(id): Path<String>,
    incoming: IncomingRequest,
) -> Response {
    incoming
        .answer(&id, |site, _| {
            let at = uuid(&id)
                .and_then(|id| place_of_division(site, id))
                .ok_or_else(ApiError::not_found)?;
            Ok(Reply::json(200, &division_json(site, at)))
        })
        .await
}

impl GenesysCloud {
    /// The home division.
    pub(in crate::platforms::genesys_cloud) fn home_division(&self) -> DivisionRef<'_> {
        division_at(self, 0)
    }

    /// A division by its id.
    pub(in crate::platforms::genesys_cloud) fn division_by_id(
        &self,
        id: Uuid,
    ) -> Option<DivisionRef<'_>> {
        place_of_division(self, id).map(|at| division_at(self, at))
    }

    /// A division made by a client, as it is answered.
    pub(in crate::platforms::genesys_cloud) fn shown_division(&self, id: Uuid) -> Option<Value> {
        place_of_division(self, id).map(|at| json!(division_json(self, at)))
    }

    /// Refuses a division that the client's role does not cover.
    pub(in crate::platforms::genesys_cloud) fn must_cover_division(
        &self,
        division: &DivisionRef<'_>,
        permission: &str,
    ) -> Result<(), ApiError> {
        if covers_division(self, division) {
            return Ok(());
        }
        self.mark(&rules::DIVISION_REFUSED);
        Err(missing_in_division(permission))
    }

    /// The division a queue, user or wrap-up code stands in.
    pub(in crate::platforms::genesys_cloud) fn division_of_entity(
        &self,
        kind: &str,
        id: Uuid,
    ) -> DivisionRef<'_> {
        let placed = self.directory().placed.get(&id).copied();
        if let Some(division) = placed.and_then(|division| self.division_by_id(division)) {
            return division;
        }
        let count = self.settings.access.divisions.len() as u64;
        if count > 1 {
            self.mark(&rules::DIVISIONS);
        }
        division_at(
            self,
            self.seed()
                .child("division/of")
                .child(kind)
                .child(&id.to_string())
                .below(count) as usize,
        )
    }

    /// The division a conversation stands in: its queue's.
    pub(in crate::platforms::genesys_cloud) fn division_of(
        &self,
        held: &Conversation,
    ) -> DivisionRef<'_> {
        match &held.queue {
            Some(queue) => self.division_of_entity(QUEUE, queue.id),
            None => division_at(self, 0),
        }
    }

    /// The conversation with an id, where the client's role covers its division.
    pub(in crate::platforms::genesys_cloud) fn find_covered<'a>(
        &self,
        conversations: &'a Conversations,
        id: &str,
        permission: &str,
    ) -> Result<&'a Conversation, ApiError> {
        let held = find(conversations, id).and_then(|held| {
            self.is_shown_by_now(held.shown_from_ms)
                .then_some(held)
                .ok_or_else(not_found)
        })?;
        if self.covers(held) {
            return Ok(held);
        }
        [&rules::DIVISION_REFUSED, &rules::DIVISION_WRITES]
            .into_iter()
            .for_each(|rule| self.mark(rule));
        Err(missing_in_division(permission))
    }

    /// Whether a listing shows a conversation to the client.
    pub(in crate::platforms::genesys_cloud) fn shows(&self, held: &Conversation) -> bool {
        if !self.is_shown_by_now(held.shown_from_ms) {
            return false;
        }
        let shows = self.covers(held);
        if !shows {
            [&rules::DIVISION_SILENT, &rules::DIVISION_WRITES]
                .into_iter()
                .for_each(|rule| self.mark(rule));
        }
        shows
    }

    /// Whether the client's role covers the division of a queue or wrap-up code.
    pub(in crate::platforms::genesys_cloud) fn covers_entity(&self, kind: &str, id: Uuid) -> bool {
        let covers = covers_division(self, &self.division_of_entity(kind, id));
        if !covers {
            self.mark(&rules::DIVISION_LISTS);
        }
        covers
    }

    /// Refuses an entity whose division the client's role does not cover.
    pub(in crate::platforms::genesys_cloud) fn must_cover_entity(
        &self,
        kind: &str,
        id: Uuid,
        permission: &str,
    ) -> Result<(), ApiError> {
        self.must_cover_division(&self.division_of_entity(kind, id), permission)
    }

    /// Whether the client's role covers a conversation's division.
    pub(in crate::platforms::genesys_cloud) fn covers(&self, held: &Conversation) -> bool {
        self.covers_all() || covers_division(self, &self.division_of(held))
    }

    /// Why a batch has no address for a conversation that the client's role does not cover; absent
    /// where it does.
    pub(in crate::platforms::genesys_cloud) fn refusal_of_item(
        &self,
        held: &Conversation,
        permission: &str,
    ) -> Option<String> {
        (!self.covers(held)).then(|| {
            self.mark(&rules::DIVISION_BATCH);
            format!("missing the permission '{permission}' in the division of the conversation")
        })
    }
}

fn division_json(site: &GenesysCloud, at: usize) -> Division<'_> {
    let directory = site.directory();
    let made = at
        .checked_sub(site.settings.access.divisions.len())
        .and_then(|at| directory.divisions.get(at));
    let description = made
        .and_then(|made| made.said("description"))
        .unwrap_or_default()
        .to_owned();
    Division {
        named: division_at(site, at),
        description,
        home_division: at == 0,
    }
}

/// How many divisions there are: the settings', and those that clients made.
fn division_count(site: &GenesysCloud) -> usize {
    site.settings.access.divisions.len() + site.directory().divisions.len()
}

/// The place of a division by its id.
fn place_of_division(site: &GenesysCloud, id: Uuid) -> Option<usize> {
    (0..division_count(site)).find(|at| division_at(site, *at).id == id)
}

fn list_divisions(site: &GenesysCloud, query: &Query) -> Result<Reply, ApiError> {
    site.mark(&rules::DIVISIONS_LISTED);
    let is_wanted = |at: &usize| {
        let division = division_at(site, *at);
        is_one_of(&query.all("id"), division.id)
            && query
                .one("name")
                .is_none_or(|pattern| is_like(&division.name, pattern))
    };
    let chosen: Vec<usize> = (0..division_count(site)).filter(is_wanted).collect();
    site.page(
        &operations::GENESYS_CLOUD_LIST_DIVISIONS,
        query,
        &chosen,
        |at| division_json(site, *at),
    )
}

fn covers_division(site: &GenesysCloud, division: &DivisionRef<'_>) -> bool {
    site.covers_named(&division.name)
}

/// A division by its place in the settings; the first is home.
fn division_at(site: &GenesysCloud, at: usize) -> DivisionRef<'_> {
    let of_settings = &site.settings.access.divisions;
    let (id, name) = match (at, of_settings.get(at)) {
        (0, home) => (
            site.seed().child("division/home").uuid(),
            Cow::Borrowed(home.map_or("Home", String::as_str)),
        ),
        (_, Some(name)) => (
            site.seed().child("division").child(name).uuid(),
            Cow::Borrowed(name.as_str()),
        ),
        (_, None) => {
            let directory = site.directory();
            let made = directory.divisions.get(at - of_settings.len());
            made.map_or((Uuid::nil(), Cow::Borrowed("")), |made| {
                (made.id, Cow::Owned(made.name.clone()))
            })
        }
    };
    DivisionRef {
        id,
        name,
        self_uri: format!("{DIVISIONS}/{id}"),
    }
}

/// The kind of entity that gives a conversation its division.
pub(in crate::platforms::genesys_cloud) const QUEUE: &str = "queue";

fn missing_in_division(permission: &str) -> ApiError {
    let message = format!(
        "Unable to perform the requested action. You are missing the following permission \
         '{permission}' in the provided division(s)."
    );
    ApiError::new(403, "missing.division.permission", message)
}
