//! Operations of the legacy source.

use super::operations;

operations! {
    LEGACY_ISSUE_TOKEN = "legacy.issue_token", "POST", "/oauth/token", "-", false;
    LEGACY_QUERY_INTERACTIONS = "legacy.query_interactions", "GET", "/api/v2/analytics/interactions/query", "-", false, needs ["read:interactions"], query ["view", "size", "cursor", "from", "to"];
    LEGACY_LIST_USERS = "legacy.list_users", "GET", "/api/v2/users", "-", false, needs ["read:users"], query ["size", "cursor"];
    LEGACY_LIST_QUEUES = "legacy.list_queues", "GET", "/api/v2/queues", "-", false, needs ["read:queues"], query ["size", "cursor"];
    LEGACY_GET_RECORDING = "legacy.get_recording", "GET", "/api/v2/recordings/{id}", "recording id in the path", false, needs ["read:recordings"];
    LEGACY_GET_MEDIA = "legacy.get_media", "GET", "/api/v2/recordings/{id}/media", "recording id in the path", false, needs ["read:recordings"];
    LEGACY_GET_PRESIGNED = "legacy.get_presigned", "GET", "/presigned/{id}", "recording id in the path", false, query ["expires", "signature"];
}
