//! POST, PATCH and DELETE of users.

use axum::{extract::Path, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{fields::worded, key_of, made, rules};
use crate::{
    http::reply::Reply,
    operations,
    platforms::genesys_cloud::{
        Directory, GenesysCloud,
        endpoint::IncomingRequest,
        errors::ApiError,
        lists::{self, USER, entry_of},
        settings::{Entry, Said},
        users::one_of,
        validate::uuid,
    },
};

/// States of a user.
const STATES: [&str; 3] = ["active", "inactive", "deleted"];

/// POST /api/v2/users.
pub(super) async fn create(incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, body| key_of(body, "email"),
            |site, _, sent| create_user(site, sent),
        )
        .await
}

/// PATCH /api/v2/users/{id}.
pub(super) async fn update(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, _| id.clone(),
            |site, _, sent| update_user(site, &id, sent),
        )
        .await
}

/// DELETE /api/v2/users/{id}.
pub(super) async fn delete(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming.answer(&id, |site, _| delete_user(site, &id)).await
}

/// CreateUser of the API description.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CreateUser {
    name: String,
    email: String,
    division_id: String,
    state: Option<String>,
    department: Option<String>,
    title: Option<String>,
    addresses: Option<Vec<Contact>>,
    /// Nobody signs in with it here.
    #[serde(rename = "password")]
    _password: Option<String>,
}

/// UpdateUser of the API description.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct UpdateUser {
    version: u32,
    state: Option<String>,
    name: Option<String>,
    preferred_name: Option<String>,
    email: Option<String>,
    username: Option<String>,
    department: Option<String>,
    title: Option<String>,
    addresses: Option<Vec<Contact>>,
    acd_auto_answer: Option<bool>,
    biography: Option<Value>,
    certifications: Option<Value>,
    chat: Option<Value>,
    employer_info: Option<Value>,
    groups: Option<Value>,
    images: Option<Value>,
    locations: Option<Value>,
    manager: Option<Value>,
    profile_skills: Option<Value>,
    /// Written by the server, as the two below.
    #[serde(rename = "id")]
    _id: Option<Value>,
    #[serde(rename = "selfUri")]
    _self_uri: Option<Value>,
    #[serde(rename = "primaryContactInfo")]
    _primary_contact_info: Option<Value>,
}

/// Contact of the API description.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Contact {
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extension: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    integration: Option<String>,
}

/// What a client may say of a user beside name, state and division.
struct Told {
    email: Option<String>,
    texts: [(&'static str, Option<String>); 3],
    addresses: Option<Vec<Contact>>,
    acd_auto_answer: Option<bool>,
}

impl Told {
    /// Puts what was told into the fields that are shown.
    fn put_into(self, fields: &mut Map<String, Value>) {
        // The e-mail address itself is among the fields that every user has; it is read off the
        // name they sign in with.
        let username = [("username", self.email)];
        let texts = self
            .texts
            .into_iter()
            .chain(username)
            .filter_map(|(name, text)| Some((name, json!(text?))));
        let addresses = self
            .addresses
            .map(|addresses| ("addresses", json!(addresses)));
        let answers = self
            .acd_auto_answer
            .map(|answers| ("acdAutoAnswer", json!(answers)));
        fields.extend(
            texts
                .chain(addresses)
                .chain(answers)
                .map(|(name, value)| (name.to_owned(), value)),
        );
    }

    fn check(&self) -> Result<(), ApiError> {
        let contacts = || self.addresses.iter().flatten();
        one_of(
            "addresses.mediaType",
            contacts().filter_map(|one| one.media_type.as_ref()),
            &["PHONE", "EMAIL", "SMS"],
        )?;
        let kinds = [
            "PRIMARY", "WORK", "WORK2", "WORK3", "WORK4", "HOME", "MOBILE", "MAIN", "OTHER",
        ];
        one_of(
            "addresses.type",
            contacts().filter_map(|one| one.kind.as_ref()),
            &kinds,
        )?;
        match self.email.as_deref() {
            Some(email) if !is_address(email) => Err(ApiError::new(
                400,
                "general.bad.request",
                format!("[{email}] is no e-mail address"),
            )
            .field("email")),
            _ => Ok(()),
        }
    }
}

impl UpdateUser {
    /// The fields that this simulator does not keep.
    fn refused(&self) -> Option<&'static str> {
        let fields = [
            ("biography", &self.biography),
            ("certifications", &self.certifications),
            ("chat", &self.chat),
            ("employerInfo", &self.employer_info),
            ("groups", &self.groups),
            ("images", &self.images),
            ("locations", &self.locations),
            ("manager", &self.manager),
            ("profileSkills", &self.profile_skills),
        ];
        fields
            .into_iter()
            .find(|(_, value)| value.is_some())
            .map(|(name, _)| name)
    }
}

fn create_user(site: &GenesysCloud, sent: CreateUser) -> Result<Reply, ApiError> {
    [&rules::MADE, &rules::MADE_AT_ONCE]
        .into_iter()
        .for_each(|rule| site.mark(rule));
    let name = worded(Some(&sent.name), "name", "general.bad.request")?.to_owned();
    let state = match sent.state.as_deref() {
        Some(state) => state_of(state)?,
        None => {
            site.mark(&rules::USER_STATE);
            "inactive"
        }
    };
    let email = sent.email.trim().to_owned();
    let texts = [
        ("department", sent.department),
        ("title", sent.title),
        ("preferredName", None),
    ];
    let told = Told {
        email: Some(email.clone()),
        texts,
        addresses: sent.addresses,
        acd_auto_answer: None,
    };
    told.check()?;
    let division = site
        .division_named(
            "divisionId",
            &sent.division_id,
            "general.bad.request",
            "directory:user:add",
        )?
        .id;
    let id = site.id_of_made(&operations::GENESYS_CLOUD_CREATE_USER, &email);
    let mut fields = Map::new();
    told.put_into(&mut fields);
    site.change_directory(|directory| {
        refuse_taken_email(site, directory, &email, None)?;
        directory.users.push(Entry {
            state,
            ..made(id, &name, fields)
        });
        directory.placed.insert(id, division);
        Ok(())
    })?;
    shown_user(site, id, "created")
}

fn update_user(site: &GenesysCloud, id: &str, sent: UpdateUser) -> Result<Reply, ApiError> {
    let id = covered_user(site, id, "directory:user:edit")?;
    [&rules::USER_VERSION, &rules::USER_FIELDS]
        .into_iter()
        .for_each(|rule| site.mark(rule));
    if let Some(field) = sent.refused() {
        return Err(ApiError::new(
            400,
            "general.bad.request",
            format!("[{field}] is not kept here"),
        )
        .field(field));
    }
    let state = sent.state.as_deref().map(state_of).transpose()?;
    let name = sent
        .name
        .as_deref()
        .map(|name| worded(Some(name), "name", "general.bad.request").map(str::to_owned))
        .transpose()?;
    let email = sent
        .email
        .or(sent.username)
        .map(|email| email.trim().to_owned());
    let texts = [
        ("department", sent.department),
        ("title", sent.title),
        ("preferredName", sent.preferred_name),
    ];
    let told = Told {
        email: email.clone(),
        texts,
        addresses: sent.addresses,
        acd_auto_answer: sent.acd_auto_answer,
    };
    told.check()?;
    site.change_directory(|directory| {
        let before = entry(directory, id)?;
        if before.version() != sent.version {
            return Err(stale(before.version()));
        }
        let changes_state = state.is_some_and(|state| state != before.state);
        if !changes_state && let Some(email) = &email {
            refuse_taken_email(site, directory, email, Some(id))?;
        }
        change(directory, id, |user| {
            if changes_state {
                site.mark(&rules::USER_STATE_ALONE);
                user.state = state.unwrap_or(user.state);
                return;
            }
            user.name = name.unwrap_or_else(|| user.name.clone());
            if let Some(said) = &mut user.said {
                told.put_into(&mut said.fields);
            }
        })
    })?;
    shown_user(site, id, "updated")
}

fn delete_user(site: &GenesysCloud, id: &str) -> Result<Reply, ApiError> {
    let id = covered_user(site, id, "directory:user:delete")?;
    site.mark(&rules::USER_DELETED);
    site.change_directory(|directory| {
        if entry(directory, id)?.state == "deleted" {
            return Err(ApiError::new(
                400,
                "general.conflict",
                "Conflict deleting specified userId.",
            ));
        }
        change(directory, id, |user| user.state = "deleted")
    })?;
    Ok(Reply::json(200, &json!({})).effect("deleted"))
}

/// The user with the id in an address, in a division that the client's role covers.
fn covered_user(site: &GenesysCloud, id: &str, permission: &str) -> Result<Uuid, ApiError> {
    let directory = site.directory();
    let user = uuid(id)
        .and_then(|_| entry_of(&directory.users, id))
        .ok_or_else(unknown)?;
    site.must_cover_entity(USER, user.id, permission)?;
    Ok(user.id)
}

fn shown_user(site: &GenesysCloud, id: Uuid, effect: &'static str) -> Result<Reply, ApiError> {
    let directory = site.directory();
    Ok(Reply::json(200, &site.user_json(entry(&directory, id)?)).effect(effect))
}

fn refuse_taken_email(
    site: &GenesysCloud,
    directory: &Directory,
    email: &str,
    other_than: Option<Uuid>,
) -> Result<(), ApiError> {
    let mut others = directory
        .users
        .iter()
        .filter(|user| Some(user.id) != other_than);
    if others.any(|user| lists::email(user).to_lowercase() == email.to_lowercase()) {
        [&rules::NAME_TAKEN, &rules::NAME_COMPARED]
            .into_iter()
            .for_each(|rule| site.mark(rule));
        let message = "The request could not be completed by the server due to a conflict: the \
            e-mail address is taken";
        return Err(ApiError::new(409, "general.conflict", message).field("email"));
    }
    Ok(())
}

/// Changes a user and raises its version.
fn change(
    directory: &mut Directory,
    id: Uuid,
    how: impl FnOnce(&mut Entry),
) -> Result<(), ApiError> {
    let user = directory
        .users
        .iter_mut()
        .find(|user| user.id == id)
        .ok_or_else(unknown)?;
    let version = user.version() + 1;
    let said = user.said.get_or_insert_with(|| {
        Box::new(Said {
            fields: Map::new(),
            version,
        })
    });
    said.version = version;
    how(user);
    Ok(())
}

fn entry(directory: &Directory, id: Uuid) -> Result<&Entry, ApiError> {
    directory
        .users
        .iter()
        .find(|user| user.id == id)
        .ok_or_else(unknown)
}

fn unknown() -> ApiError {
    ApiError::new(
        404,
        "general.resource.not.found",
        "Unable to find a user with that userId.",
    )
}

fn stale(version: u32) -> ApiError {
    let message = format!(
        "The version supplied does not match the current version of the user, which is {version}"
    );
    ApiError::new(400, "general.conflict", message).field("version")
}

fn state_of(sent: &str) -> Result<&'static str, ApiError> {
    STATES
        .into_iter()
        .find(|state| *state == sent)
        .ok_or_else(|| ApiError::invalid_value("state", "state", sent))
}

fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !text.contains(char::is_whitespace)
    })
}
