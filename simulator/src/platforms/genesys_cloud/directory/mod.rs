//! Writes to the directory: users, queues, wrap-up codes, skills and divisions that clients make
//! and change. Whatever reads them finds what was made as it finds what the world began with. What
//! would tie them to each other, such as a queue's members, is read here and always empty.

mod divisions;
mod fields;
mod routing;
mod rules;
mod ties;
mod users;

use std::sync::Arc;

use axum::Router;
use serde_json::{Map, Value};
use uuid::Uuid;

pub(super) use self::rules::ALL as RULES;
use super::{
    GenesysCloud,
    access::DivisionRef,
    errors::ApiError,
    settings::{Entry, Said},
    validate::uuid,
};
use crate::operations::{self, Operation};
use crate::pipeline::routes::OperationRoutes as _;

/// Every path that writes to the directory, and the lists of its ties.
pub(super) fn routes() -> Router<Arc<GenesysCloud>> {
    Router::new()
        .operation(&operations::GENESYS_CLOUD_CREATE_USER, users::create)
        .operation(&operations::GENESYS_CLOUD_UPDATE_USER, users::update)
        .operation(&operations::GENESYS_CLOUD_DELETE_USER, users::delete)
        .operation(
            &operations::GENESYS_CLOUD_LIST_USER_QUEUES,
            ties::queues_of_user,
        )
        .operation(
            &operations::GENESYS_CLOUD_LIST_USER_SKILLS,
            ties::skills_of_user,
        )
        .operation(
            &operations::GENESYS_CLOUD_CREATE_QUEUE,
            routing::create_queue,
        )
        .operation(
            &operations::GENESYS_CLOUD_UPDATE_QUEUE,
            routing::update_queue,
        )
        .operation(
            &operations::GENESYS_CLOUD_LIST_QUEUE_MEMBERS,
            ties::members_of_queue,
        )
        .operation(
            &operations::GENESYS_CLOUD_CREATE_WRAPUPCODE,
            routing::create_wrapupcode,
        )
        .operation(
            &operations::GENESYS_CLOUD_CREATE_SKILL,
            routing::create_skill,
        )
        .operation(&operations::GENESYS_CLOUD_LIST_LANGUAGES, ties::languages)
        .operation(
            &operations::GENESYS_CLOUD_CREATE_DIVISION,
            divisions::create,
        )
}

/// A text field of a raw body, for the business key; `-` where there is none.
fn key_of(body: &[u8], field: &str) -> String {
    let sent: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    sent.get(field)
        .and_then(Value::as_str)
        .unwrap_or("-")
        .to_owned()
}

/// Whether a list has an entry of this name, in any case of letters, other than the one with the
/// id.
fn is_named(entries: &[Entry], name: &str, other_than: Option<Uuid>) -> bool {
    entries.iter().any(|entry| {
        Some(entry.id) != other_than && entry.name.to_lowercase() == name.to_lowercase()
    })
}

/// An entry that a client makes.
fn made(id: Uuid, name: &str, fields: Map<String, Value>) -> Entry {
    Entry {
        said: Some(Box::new(Said { fields, version: 1 })),
        ..Entry::new(id, name, "active")
    }
}

impl GenesysCloud {
    /// The id of what an operation makes under a key.
    fn id_of_made(&self, operation: &'static Operation, key: &str) -> Uuid {
        let ordinal = self.state().ordinals.next_of(operation.name, key);
        self.made_id(operation, key, ordinal)
    }

    /// The division that a client names for what it writes, which its role must cover; `code`
    /// refuses an unknown one.
    fn division_named(
        &self,
        field: &str,
        id: &str,
        code: &'static str,
        permission: &str,
    ) -> Result<DivisionRef<'_>, ApiError> {
        self.mark(&rules::DIVISION_OF_MADE);
        let known = uuid(id).and_then(|id| self.division_by_id(id));
        let division = known.ok_or_else(|| {
            ApiError::new(400, code, format!("the division [{id}] was not found")).field(field)
        })?;
        self.must_cover_division(&division, permission)?;
        Ok(division)
    }
}
