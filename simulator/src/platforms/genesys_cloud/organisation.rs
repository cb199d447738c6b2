//! Settings of the organisation that a client reads: of recordings, and the limits it would have by default.

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde_json::json;

use super::{
    Settings, Site,
    endpoint::IncomingRequest,
    lists::{limit_entities, unknown_namespace},
    rules,
};
use crate::{http::reply::Reply, operations};

/// GET /api/v2/recording/settings.
pub(super) async fn recording_settings(State(site): Site, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &operations::GENESYS_CLOUD_GET_RECORDING_SETTINGS, request };
    incoming
        .answer("-", |site, _| {
            site.mark(&rules::RECORDING_SETTINGS);
            let minutes = site.settings.download_url_minutes;
            let body = json!({
                "recordingPlaybackUrlTtl": minutes,
                "recordingBatchDownloadUrlTtl": minutes,
                "maxSimultaneousStreams": 0,
                "maxConfigurableScreenRecordingStreams": 0,
                "regionalRecordingStorageEnabled": false,
                "stopRecordingWhenOnlyExternalParticipants": false,
            });
            Ok(Reply::json(200, &body))
        })
        .await
}

/// GET /api/v2/organizations/me.
pub(super) async fn itself(State(site): Site, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &operations::GENESYS_CLOUD_GET_ORGANIZATION, request };
    incoming
        .answer("-", |site, _| {
            site.mark(&rules::ORGANIZATION);
            let body = json!({
                "id": site.organization(),
                "name": "Seatrial",
                "state": "active",
                "productPlatform": "GenesysCloud",
                "version": 1,
                "selfUri": "/api/v2/organizations/me",
            });
            Ok(Reply::json(200, &body))
        })
        .await
}

/// GET /api/v2/organizations/limits/namespaces/{namespace}/defaults.
pub(super) async fn limit_defaults(State(site): Site, Path(namespace): Path<String>, request: Request) -> Response {
    let incoming = IncomingRequest { site, operation: &operations::GENESYS_CLOUD_GET_LIMIT_DEFAULTS, request };
    incoming
        .answer(&namespace, |site, _| {
            let entities = limit_entities(&namespace, &Settings::default()).ok_or_else(|| unknown_namespace(&namespace))?;
            site.mark(&rules::LIMIT_DEFAULTS);
            Ok(Reply::json(200, &json!({"entities": entities})))
        })
        .await
}
