//! POST of divisions.

use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{fields::worded, key_of, made, rules};
use crate::{
    http::reply::Reply,
    operations,
    platforms::genesys_cloud::{GenesysCloud, endpoint::IncomingRequest, errors::ApiError},
};

/// POST /api/v2/authorization/divisions.
pub(super) async fn create(incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, body| key_of(body, "name"),
            |site, _, sent| create_division(site, &sent),
        )
        .await
}

/// AuthzDivision of the API description.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Sent {
    name: Option<String>,
    description: String,
    /// Written by the server, as the others below.
    #[serde(rename = "id")]
    _id: Option<Value>,
    #[serde(rename = "homeDivision")]
    _home_division: Option<Value>,
    #[serde(rename = "objectCounts")]
    _object_counts: Option<Value>,
    #[serde(rename = "selfUri")]
    _self_uri: Option<Value>,
}

fn create_division(site: &GenesysCloud, sent: &Sent) -> Result<Reply, ApiError> {
    [&rules::MADE, &rules::MADE_AT_ONCE, &rules::NAME_EMPTY]
        .into_iter()
        .for_each(|rule| site.mark(rule));
    let name = worded(sent.name.as_deref(), "name", "division.name.invalid")?;
    let id = site.id_of_made(&operations::GENESYS_CLOUD_CREATE_DIVISION, name);
    let of_settings = &site.settings.access.divisions;
    site.change_directory(|directory| {
        let mut names = of_settings
            .iter()
            .map(String::as_str)
            .chain(directory.divisions.iter().map(|made| made.name.as_str()));
        if names.any(|other| other.to_lowercase() == name.to_lowercase()) {
            [&rules::NAME_TAKEN, &rules::NAME_COMPARED]
                .into_iter()
                .for_each(|rule| site.mark(rule));
            return Err(ApiError::new(
                409,
                "resource.already.exists",
                "A resource with that name already exists.",
            )
            .field("name"));
        }
        let fields = Map::from_iter([("description".to_owned(), json!(sent.description))]);
        directory.divisions.push(made(id, name, fields));
        Ok(())
    })?;
    let shown = site.shown_division(id).ok_or_else(ApiError::not_found)?;
    Ok(Reply::json(200, &shown).effect("created"))
}
