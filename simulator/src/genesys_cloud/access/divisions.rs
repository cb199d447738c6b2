//! Divisions: where things stand, and which of them the client's role covers.

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    super::{
        GenesysCloud, Site,
        accept::uuid,
        door::{Door, Query},
        errors::ApiError,
        lists::{is_like, is_one_of},
        read::{find, not_found},
        state::{Conversation, State as Held},
    },
    rules,
};
use crate::{fault::operations, front::Reply};

const DIVISIONS: &str = "/api/v2/authorization/divisions";

/// The division of an entity, as its own JSON names it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::genesys_cloud) struct DivisionRef<'a> {
    pub(in crate::genesys_cloud) id: Uuid,
    name: &'a str,
    self_uri: String,
}

/// AuthzDivision of the API description.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Division<'a> {
    #[serde(flatten)]
    named: DivisionRef<'a>,
    /// Required by the vendor's model; nobody has written one here.
    description: &'static str,
    home_division: bool,
}

/// GET /api/v2/authorization/divisions.
pub(in crate::genesys_cloud) async fn list(State(site): Site, request: Request) -> Response {
    let door = Door { site, operation: &operations::GENESYS_CLOUD_LIST_DIVISIONS, request };
    door.answer("-", |site, visit| site.list_divisions(&visit.query)).await
}

/// GET /api/v2/authorization/divisions/home.
pub(in crate::genesys_cloud) async fn home(State(site): Site, request: Request) -> Response {
    let door = Door { site, operation: &operations::GENESYS_CLOUD_GET_HOME_DIVISION, request };
    door.answer("-", |site, _| Ok(Reply::json(200, &site.division_json(0)))).await
}

/// GET /api/v2/authorization/divisions/{id}.
pub(in crate::genesys_cloud) async fn by_id(State(site): Site, Path(id): Path<String>, request: Request) -> Response {
    let door = Door { site, operation: &operations::GENESYS_CLOUD_GET_DIVISION, request };
    door.answer(&id, |site, _| {
        let mut all = 0..site.settings.access.divisions.len();
        let at = all.find(|at| Some(site.division_at(*at).id) == uuid(&id)).ok_or_else(ApiError::not_found)?;
        Ok(Reply::json(200, &site.division_json(at)))
    })
    .await
}

impl GenesysCloud {
    fn division_json(&self, at: usize) -> Division<'_> {
        Division { named: self.division_at(at), description: "", home_division: at == 0 }
    }

    fn list_divisions(&self, query: &Query) -> Result<Reply, ApiError> {
        self.mark(&rules::DIVISIONS_LISTED);
        let all = self.settings.access.divisions.iter().enumerate();
        let is_wanted = |(at, name): &(usize, &String)| {
            is_one_of(&query.all("id"), self.division_at(*at).id) && query.one("name").is_none_or(|pattern| is_like(name, pattern))
        };
        let chosen: Vec<usize> = all.filter(is_wanted).map(|(at, _)| at).collect();
        self.page(&operations::GENESYS_CLOUD_LIST_DIVISIONS, query, &chosen, |at| self.division_json(*at))
    }

    /// The division a queue, user or wrap-up code stands in.
    pub(in crate::genesys_cloud) fn division_of_entity(&self, kind: &str, id: Uuid) -> DivisionRef<'_> {
        let count = self.settings.access.divisions.len() as u64;
        if count > 1 {
            self.mark(&rules::DIVISIONS);
        }
        self.division_at(self.seed().child("division/of").child(kind).child(&id.to_string()).below(count) as usize)
    }

    /// The division a conversation stands in: its queue's.
    pub(in crate::genesys_cloud) fn division_of(&self, held: &Conversation) -> DivisionRef<'_> {
        match &held.queue {
            Some(queue) => self.division_of_entity(QUEUE, queue.id),
            None => self.division_at(0),
        }
    }

    /// The conversation with an id, where the client's role covers its division.
    pub(in crate::genesys_cloud) fn find_covered<'a>(
        &self,
        state: &'a Held,
        id: &str,
        permission: &str,
    ) -> Result<&'a Conversation, ApiError> {
        let held = find(state, id).and_then(|held| self.is_shown_by_now(held.shown_from_ms).then_some(held).ok_or_else(not_found))?;
        if self.covers(held) {
            return Ok(held);
        }
        [&rules::DIVISION_REFUSED, &rules::DIVISION_WRITES].into_iter().for_each(|rule| self.mark(rule));
        Err(missing_in_division(permission))
    }

    /// Whether a listing shows a conversation to the client.
    pub(in crate::genesys_cloud) fn shows(&self, held: &Conversation) -> bool {
        if !self.is_shown_by_now(held.shown_from_ms) {
            return false;
        }
        let shows = self.covers(held);
        if !shows {
            [&rules::DIVISION_SILENT, &rules::DIVISION_WRITES].into_iter().for_each(|rule| self.mark(rule));
        }
        shows
    }

    /// Whether the client's role covers the division of a queue or wrap-up code.
    pub(in crate::genesys_cloud) fn covers_entity(&self, kind: &str, id: Uuid) -> bool {
        let covers = self.covers_division(&self.division_of_entity(kind, id));
        if !covers {
            self.mark(&rules::DIVISION_LISTS);
        }
        covers
    }

    /// Refuses an entity whose division the client's role does not cover.
    pub(in crate::genesys_cloud) fn must_cover_entity(&self, kind: &str, id: Uuid, permission: &str) -> Result<(), ApiError> {
        if self.covers_division(&self.division_of_entity(kind, id)) {
            return Ok(());
        }
        self.mark(&rules::DIVISION_REFUSED);
        Err(missing_in_division(permission))
    }

    /// Whether the client's role covers a conversation's division.
    pub(in crate::genesys_cloud) fn covers(&self, held: &Conversation) -> bool {
        self.covers_all() || self.covers_division(&self.division_of(held))
    }

    /// Why a batch has no address for a conversation that the client's role does not cover; absent where it does.
    pub(in crate::genesys_cloud) fn refusal_of_item(&self, held: &Conversation, permission: &str) -> Option<String> {
        (!self.covers(held)).then(|| {
            self.mark(&rules::DIVISION_BATCH);
            format!("missing the permission '{permission}' in the division of the conversation")
        })
    }

    fn covers_division(&self, division: &DivisionRef<'_>) -> bool {
        self.covers_named(division.name)
    }

    /// A division by its place in the settings; the first is home.
    fn division_at(&self, at: usize) -> DivisionRef<'_> {
        let name = self.settings.access.divisions.get(at).map_or("Home", String::as_str);
        let id = match at {
            0 => self.seed().child("division/home").uuid(),
            _ => self.seed().child("division").child(name).uuid(),
        };
        DivisionRef { id, name, self_uri: format!("{DIVISIONS}/{id}") }
    }
}

/// The kind of entity that gives a conversation its division.
pub(in crate::genesys_cloud) const QUEUE: &str = "queue";

fn missing_in_division(permission: &str) -> ApiError {
    let message = format!(
        "Unable to perform the requested action. You are missing the following permission '{permission}' in the provided division(s)."
    );
    ApiError::new(403, "missing.division.permission", message)
}
