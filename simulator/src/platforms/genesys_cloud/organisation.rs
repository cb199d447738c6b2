//! Settings of the organisation that a client reads: of recordings, and the limits it would have by
//! default.

use axum::{extract::Path, response::Response};
use serde_json::json;

use super::{
    Settings,
    endpoint::IncomingRequest,
    lists::{limit_entities, unknown_namespace},
    rules,
};
use crate::http::reply::Reply;

/// GET /api/v2/recording/settings.
pub(super) async fn recording_settings(incoming: IncomingRequest) -> Response {
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
pub(super) async fn itself(incoming: IncomingRequest) -> Response {
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
pub(super) async fn limit_defaults(
    Path(namespace): Path<String>,
    incoming: IncomingRequest,
) -> Response {
    incoming
        .answer(&namespace, |site, _| {
            let entities = limit_entities(&namespace, &Settings::default())
                .ok_or_else(|| unknown_namespace(&namespace))?;
            site.mark(&rules::LIMIT_DEFAULTS);
            Ok(Reply::json(200, &json!({"entities": entities})))
        })
        .await
}
