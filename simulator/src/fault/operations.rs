//! The one table of operations: what a fault's `on` may name, and where its business key is read.

use std::hash::{Hash, Hasher};

/// One operation of a simulated platform.
#[derive(Debug, serde::Serialize)]
pub struct Operation {
    /// `<platform>.<verb_noun>`.
    pub name: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// Path, with `{id}` for a variable segment.
    pub path: &'static str,
    /// Where the business key is read; `-` for an operation without one.
    pub key: &'static str,
    /// Whether it changes the platform, so that commit-then-fail faults make sense on it.
    pub mutates: bool,
    /// Scopes and permissions its client needs, all of them; what depends on the request is asked for where it is known.
    pub needs: &'static [&'static str],
    /// Parameters of the address's query that are read.
    pub query: &'static [&'static str],
}

impl Operation {
    /// Whether it is no request: something a platform does by itself.
    pub(crate) fn is_inside(&self) -> bool {
        self.method == "-"
    }

    /// Whether it is asked with a token or a session, which end: not with a password alone, as a token itself is and Interaction Recording's
    /// reads are (CSRF Protection 8.5.2: PUT, POST and DELETE have a session), and not by a signed address.
    pub(crate) fn can_expire(&self) -> bool {
        let by_password = match self.name.split('.').next() {
            Some("webdav" | "speechminer") => true,
            Some("gir") => self.method == "GET",
            _ => self.path == "/oauth/token",
        };
        !by_password && !self.path.starts_with("/presigned/")
    }
}

impl PartialEq for Operation {
    fn eq(&self, other: &Operation) -> bool {
        self.name == other.name
    }
}

impl Eq for Operation {}

impl Hash for Operation {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

macro_rules! operations {
    ($($constant:ident = $name:literal, $method:literal, $path:literal, $key:literal, $mutates:literal
        $(, needs [$($need:literal),*])? $(, query [$($query:literal),*])?;)*) => {
        $(pub(crate) static $constant: Operation = Operation {
            name: $name,
            method: $method,
            path: $path,
            key: $key,
            mutates: $mutates,
            needs: &[$($($need),*)?],
            query: &[$($($query),*)?],
        };)*
        /// Every operation, in the order of the table.
        pub(crate) static ALL: &[&Operation] = &[$(&$constant),*];
    };
}

operations! {
    LEGACY_ISSUE_TOKEN = "legacy.issue_token", "POST", "/oauth/token", "-", false;
    LEGACY_QUERY_INTERACTIONS = "legacy.query_interactions", "GET", "/api/v2/analytics/interactions/query", "-", false, needs ["read:interactions"], query ["view", "size", "cursor", "from", "to"];
    LEGACY_LIST_USERS = "legacy.list_users", "GET", "/api/v2/users", "-", false, needs ["read:users"], query ["size", "cursor"];
    LEGACY_LIST_QUEUES = "legacy.list_queues", "GET", "/api/v2/queues", "-", false, needs ["read:queues"], query ["size", "cursor"];
    LEGACY_GET_RECORDING = "legacy.get_recording", "GET", "/api/v2/recordings/{id}", "recording id in the path", false, needs ["read:recordings"];
    LEGACY_GET_MEDIA = "legacy.get_media", "GET", "/api/v2/recordings/{id}/media", "recording id in the path", false, needs ["read:recordings"];
    LEGACY_GET_PRESIGNED = "legacy.get_presigned", "GET", "/presigned/{id}", "recording id in the path", false, query ["expires", "signature"];
    GENESYS_CLOUD_ISSUE_TOKEN = "genesys_cloud.issue_token", "POST", "/oauth/token", "-", false;
    GENESYS_CLOUD_GET_TOKEN_INFO = "genesys_cloud.get_token_info", "GET", "/api/v2/tokens/me", "-", false, query ["preserveIdleTTL"];
    GENESYS_CLOUD_DELETE_TOKEN = "genesys_cloud.delete_token", "DELETE", "/api/v2/tokens/me", "-", true;
    GENESYS_CLOUD_UPLOAD_FILE = "genesys_cloud.upload_file", "POST", "/api/v2/files", "field name, else the part's file name", true, needs ["recording:upload"];
    GENESYS_CLOUD_CREATE_INTERACTION = "genesys_cloud.create_interaction", "POST", "/api/v2/interactions", "externalTag, else id", true, needs ["interaction:create"];
    GENESYS_CLOUD_GET_INTERACTION = "genesys_cloud.get_interaction", "GET", "/api/v2/interactions/{id}", "externalTag where known, else id in the path", false, needs ["interaction:create"];
    GENESYS_CLOUD_UPDATE_INTERACTION = "genesys_cloud.update_interaction", "PUT", "/api/v2/interactions/{id}", "externalTag, else id in the path", true, needs ["interaction:create"];
    GENESYS_CLOUD_LIST_USERS = "genesys_cloud.list_users", "GET", "/api/v2/users", "-", false, needs ["user:read"], query ["pageSize", "pageNumber", "id", "jabberId", "sortOrder", "expand", "integrationPresenceSource", "userCustomAttributeSchemaIds", "state"];
    GENESYS_CLOUD_QUERY_USERS = "genesys_cloud.query_users", "GET", "/api/v2/users/query", "-", false, needs ["directory:user:view"], query ["cursor", "pageSize", "sortOrder", "expand", "integrationPresenceSource", "userCustomAttributeSchemaIds", "state"];
    GENESYS_CLOUD_SEARCH_USERS = "genesys_cloud.search_users", "POST", "/api/v2/users/search", "-", false, needs ["directory:user:view"];
    GENESYS_CLOUD_LIST_QUEUES = "genesys_cloud.list_queues", "GET", "/api/v2/routing/queues", "-", false, needs ["routing:queue:read", "routing:queue:view"], query ["pageSize", "pageNumber", "sortOrder", "name", "id", "divisionId", "peerId", "cannedResponseLibraryId", "hasPeer", "expand"];
    GENESYS_CLOUD_LIST_WRAPUPCODES = "genesys_cloud.list_wrapupcodes", "GET", "/api/v2/routing/wrapupcodes", "-", false, needs ["routing:wrapupCode:view"], query ["pageSize", "pageNumber", "sortBy", "sortOrder", "name", "id", "divisionId"];
    GENESYS_CLOUD_LIST_QUEUE_WRAPUPCODES = "genesys_cloud.list_queue_wrapupcodes", "GET", "/api/v2/routing/queues/{id}/wrapupcodes", "queue id in the path", false, needs ["routing:queue:view"], query ["pageSize", "pageNumber", "name"];
    GENESYS_CLOUD_LIST_SKILLS = "genesys_cloud.list_skills", "GET", "/api/v2/routing/skills", "-", false, needs ["routing:skill:view"], query ["pageSize", "pageNumber", "id", "name"];
    GENESYS_CLOUD_LIST_DIVISIONS = "genesys_cloud.list_divisions", "GET", "/api/v2/authorization/divisions", "-", false, needs ["authorization:readonly"], query ["pageSize", "pageNumber", "sortBy", "expand", "nextPage", "previousPage", "objectCount", "id", "name"];
    GENESYS_CLOUD_GET_USER = "genesys_cloud.get_user", "GET", "/api/v2/users/{id}", "user id in the path", false, needs ["user:read"], query ["expand", "integrationPresenceSource", "userCustomAttributeSchemaIds", "state"];
    GENESYS_CLOUD_GET_QUEUE = "genesys_cloud.get_queue", "GET", "/api/v2/routing/queues/{id}", "queue id in the path", false, needs ["routing:queue:view"], query ["expand"];
    GENESYS_CLOUD_GET_WRAPUPCODE = "genesys_cloud.get_wrapupcode", "GET", "/api/v2/routing/wrapupcodes/{id}", "code id in the path", false, needs ["routing:wrapupCode:view"];
    GENESYS_CLOUD_GET_SKILL = "genesys_cloud.get_skill", "GET", "/api/v2/routing/skills/{id}", "skill id in the path", false, needs ["routing:skill:view"];
    GENESYS_CLOUD_GET_HOME_DIVISION = "genesys_cloud.get_home_division", "GET", "/api/v2/authorization/divisions/home", "-", false, needs ["authorization:readonly"];
    GENESYS_CLOUD_GET_DIVISION = "genesys_cloud.get_division", "GET", "/api/v2/authorization/divisions/{id}", "division id in the path", false, needs ["authorization:readonly"], query ["objectCount"];
    GENESYS_CLOUD_CREATE_USER = "genesys_cloud.create_user", "POST", "/api/v2/users", "email", true, needs ["directory:user:add"];
    GENESYS_CLOUD_UPDATE_USER = "genesys_cloud.update_user", "PATCH", "/api/v2/users/{id}", "user id in the path", true, needs ["directory:user:edit"];
    GENESYS_CLOUD_DELETE_USER = "genesys_cloud.delete_user", "DELETE", "/api/v2/users/{id}", "user id in the path", true, needs ["directory:user:delete"];
    GENESYS_CLOUD_CREATE_QUEUE = "genesys_cloud.create_queue", "POST", "/api/v2/routing/queues", "name", true, needs ["routing:queue:add"];
    GENESYS_CLOUD_UPDATE_QUEUE = "genesys_cloud.update_queue", "PUT", "/api/v2/routing/queues/{id}", "queue id in the path", true, needs ["routing:queue:edit"];
    GENESYS_CLOUD_CREATE_WRAPUPCODE = "genesys_cloud.create_wrapupcode", "POST", "/api/v2/routing/wrapupcodes", "name", true, needs ["routing:wrapupCode:add"];
    GENESYS_CLOUD_CREATE_SKILL = "genesys_cloud.create_skill", "POST", "/api/v2/routing/skills", "name", true, needs ["routing:skill:manage"];
    GENESYS_CLOUD_CREATE_DIVISION = "genesys_cloud.create_division", "POST", "/api/v2/authorization/divisions", "name", true, needs ["authorization:division:add", "authorization:grant:add"];
    GENESYS_CLOUD_LIST_USER_QUEUES = "genesys_cloud.list_user_queues", "GET", "/api/v2/users/{id}/queues", "user id in the path", false, needs ["routing:queue:view"], query ["pageSize", "pageNumber", "joined", "divisionId"];
    GENESYS_CLOUD_LIST_USER_SKILLS = "genesys_cloud.list_user_skills", "GET", "/api/v2/users/{id}/routingskills", "user id in the path", false, query ["pageSize", "pageNumber", "sortOrder"];
    GENESYS_CLOUD_LIST_QUEUE_MEMBERS = "genesys_cloud.list_queue_members", "GET", "/api/v2/routing/queues/{id}/members", "queue id in the path", false, needs ["routing:queue:view"], query ["pageNumber", "pageSize", "sortOrder", "expand", "name", "profileSkills", "skills", "languages", "routingStatus", "presence", "memberBy", "joined"];
    GENESYS_CLOUD_LIST_LANGUAGES = "genesys_cloud.list_languages", "GET", "/api/v2/routing/languages", "-", false, query ["pageSize", "pageNumber", "sortOrder", "name", "id"];
    GENESYS_CLOUD_GET_ORGANIZATION = "genesys_cloud.get_organization", "GET", "/api/v2/organizations/me", "-", false, needs ["organization:readonly"];
    GENESYS_CLOUD_LIST_LIMITS = "genesys_cloud.list_limits", "GET", "/api/v2/organizations/limits/namespaces", "-", false, needs ["organization:readonly"], query ["pageSize", "pageNumber"];
    GENESYS_CLOUD_GET_LIMITS = "genesys_cloud.get_limits", "GET", "/api/v2/organizations/limits/namespaces/{namespace}", "namespace in the path", false, needs ["organization:readonly"];
    GENESYS_CLOUD_GET_LIMIT_DEFAULTS = "genesys_cloud.get_limit_defaults", "GET", "/api/v2/organizations/limits/namespaces/{namespace}/defaults", "namespace in the path", false, needs ["organization:readonly"];
    GENESYS_CLOUD_GET_RECORDING_SETTINGS = "genesys_cloud.get_recording_settings", "GET", "/api/v2/recording/settings", "-", false, query ["createDefault"];
    GENESYS_CLOUD_GET_CONVERSATION = "genesys_cloud.get_conversation", "GET", "/api/v2/conversations/{id}", "conversation id in the path", false, needs ["conversation:communication:view"];
    GENESYS_CLOUD_GET_WRAPUP = "genesys_cloud.get_wrapup", "GET", "/api/v2/conversations/{id}/participants/{participant}/wrapup", "conversation id in the path", false, query ["provisional"];
    GENESYS_CLOUD_SEARCH_ATTRIBUTES = "genesys_cloud.search_attributes", "POST", "/api/v2/conversations/participants/attributes/search", "-", false, needs ["conversation:participant:attributesview"];
    GENESYS_CLOUD_LIST_CUSTOM_ATTRIBUTES = "genesys_cloud.list_custom_attributes", "GET", "/api/v2/conversations/{id}/customattributes", "conversation id in the path", false, needs ["conversation:customAttributes:view"];
    GENESYS_CLOUD_SEARCH_CUSTOM_ATTRIBUTES = "genesys_cloud.search_custom_attributes", "POST", "/api/v2/conversations/customattributes/search", "-", false, needs ["conversation:customAttributes:view"];
    GENESYS_CLOUD_LIST_RECORDINGS = "genesys_cloud.list_recordings", "GET", "/api/v2/conversations/{id}/recordings", "conversation id in the path", false, needs ["recording:recording:view"], query ["maxWaitMs", "formatId", "mediaFormats", "locale", "includePauseAnnotationsForScreenRecordings"];
    GENESYS_CLOUD_GET_RECORDING = "genesys_cloud.get_recording", "GET", "/api/v2/conversations/{id}/recordings/{recording}", "recording id in the path", false, needs ["recording:recording:view"], query ["formatId", "emailFormatId", "chatFormatId", "messageFormatId", "download", "fileName", "locale", "mediaFormats"];
    GENESYS_CLOUD_LIST_ANNOTATIONS = "genesys_cloud.list_annotations", "GET", "/api/v2/conversations/{id}/recordings/{recording}/annotations", "recording id in the path", false, needs ["recording:recording:view"];
    GENESYS_CLOUD_CREATE_ANNOTATION = "genesys_cloud.create_annotation", "POST", "/api/v2/conversations/{id}/recordings/{recording}/annotations", "recording id in the path", true, needs ["recording:annotation:add"];
    GENESYS_CLOUD_GET_ANNOTATION = "genesys_cloud.get_annotation", "GET", "/api/v2/conversations/{id}/recordings/{recording}/annotations/{annotation}", "annotation id in the path", false, needs ["recording:recording:view"];
    GENESYS_CLOUD_UPDATE_ANNOTATION = "genesys_cloud.update_annotation", "PUT", "/api/v2/conversations/{id}/recordings/{recording}/annotations/{annotation}", "annotation id in the path", true, needs ["recording:annotation:edit"];
    GENESYS_CLOUD_DELETE_ANNOTATION = "genesys_cloud.delete_annotation", "DELETE", "/api/v2/conversations/{id}/recordings/{recording}/annotations/{annotation}", "annotation id in the path", true, needs ["recording:annotation:delete"];
    GENESYS_CLOUD_LIST_RECORDINGMETADATA = "genesys_cloud.list_recordingmetadata", "GET", "/api/v2/conversations/{id}/recordingmetadata", "conversation id in the path", false, needs ["recording:recording:view"];
    GENESYS_CLOUD_GET_RECORDINGMETADATA = "genesys_cloud.get_recordingmetadata", "GET", "/api/v2/conversations/{id}/recordingmetadata/{recording}", "recording id in the path", false, needs ["recording:recording:view"];
    GENESYS_CLOUD_QUERY_RETENTION = "genesys_cloud.query_retention", "GET", "/api/v2/recordings/retention/query", "-", false, needs ["recording:recording:view"], query ["retentionThresholdDays", "cursor", "pageSize"];
    GENESYS_CLOUD_QUERY_DELETIONPROTECTION = "genesys_cloud.query_deletionprotection", "POST", "/api/v2/recordings/deletionprotection", "-", false, needs ["recording:recording:view"];
    GENESYS_CLOUD_CREATE_BATCHREQUEST = "genesys_cloud.create_batchrequest", "POST", "/api/v2/recording/batchrequests", "-", false, needs ["recording:recording:view"];
    GENESYS_CLOUD_GET_BATCHREQUEST = "genesys_cloud.get_batchrequest", "GET", "/api/v2/recording/batchrequests/{id}", "batch id in the path", false, needs ["recording:recording:view"];
    GENESYS_CLOUD_GET_BATCH_MEDIA = "genesys_cloud.get_batch_media", "GET", "/presigned/{kind}/{conversation}/{recording}", "recording id in the path", false, query ["expires", "format", "signature"];
    GENESYS_CLOUD_GET_DATA_RETENTION = "genesys_cloud.get_data_retention", "GET", "/api/v2/analytics/dataretention/settings", "-", false, needs ["analytics:dataRetention:view"];
    GENESYS_CLOUD_CREATE_DETAILS_JOB = "genesys_cloud.create_details_job", "POST", "/api/v2/analytics/conversations/details/jobs", "-", false, needs ["analytics:call:read", "analytics:conversationDetail:view"];
    GENESYS_CLOUD_GET_DETAILS_AVAILABILITY = "genesys_cloud.get_details_availability", "GET", "/api/v2/analytics/conversations/details/jobs/availability", "-", false, needs ["analytics:call:read", "analytics:conversationDetail:view"];
    GENESYS_CLOUD_GET_DETAILS_JOB = "genesys_cloud.get_details_job", "GET", "/api/v2/analytics/conversations/details/jobs/{id}", "job id in the path", false, needs ["analytics:call:read", "analytics:conversationDetail:view"];
    GENESYS_CLOUD_GET_DETAILS_RESULTS = "genesys_cloud.get_details_results", "GET", "/api/v2/analytics/conversations/details/jobs/{id}/results", "job id in the path", false, needs ["analytics:call:read", "analytics:conversationDetail:view"], query ["cursor", "pageSize"];
    GENESYS_CLOUD_QUERY_DETAILS = "genesys_cloud.query_details", "POST", "/api/v2/analytics/conversations/details/query", "-", false, needs ["analytics:call:read", "analytics:conversationDetail:view"];
    GENESYS_CLOUD_QUERY_AGGREGATES = "genesys_cloud.query_aggregates", "POST", "/api/v2/analytics/conversations/aggregates/query", "-", false, needs ["analytics:conversationAggregate:view"];
    GENESYS_CLOUD_DELETE_DETAILS_JOB = "genesys_cloud.delete_details_job", "DELETE", "/api/v2/analytics/conversations/details/jobs/{id}", "job id in the path", true, needs ["analytics:conversationDetail:view"];
    GENESYS_CLOUD_LIST_DETAILS = "genesys_cloud.list_details", "GET", "/api/v2/analytics/conversations/details", "-", false, needs ["analytics:conversationDetail:view"], query ["id"];
    GENESYS_CLOUD_GET_DETAILS = "genesys_cloud.get_details", "GET", "/api/v2/analytics/conversations/{id}/details", "conversation id in the path", false, needs ["analytics:conversationDetail:view"];
    GENESYS_CLOUD_INJECT_EVENTS = "genesys_cloud.inject_events", "POST", "/api/v2/events/conversations", "one decision an event: eventId:externalTag where known, else eventId:conversationId", true, needs ["conversation:conversation:inject"];
    GENESYS_CLOUD_UPDATE_ATTRIBUTES = "genesys_cloud.update_attributes", "PATCH", "/api/v2/conversations/{id}/participants/{participant}/attributes", "externalTag where known, else conversation id in the path", true;
    GENESYS_CLOUD_UPDATE_TAGS = "genesys_cloud.update_tags", "PUT", "/api/v2/conversations/{id}/tags", "conversation id in the path", true, needs ["conversation:externalTag:edit"];
    GENESYS_CLOUD_UPDATE_RECORDING = "genesys_cloud.update_recording", "PUT", "/api/v2/conversations/{id}/recordings/{recording}", "recording id in the path", true, needs ["recording:recording:view"], query ["clearExport"];
    GENESYS_CLOUD_UPDATE_DELETIONPROTECTION = "genesys_cloud.update_deletionprotection", "PUT", "/api/v2/recordings/deletionprotection", "one decision a conversation: externalTag where known, else its id", true, query ["protect"];
    GENESYS_CLOUD_CREATE_UPLOAD = "genesys_cloud.create_upload", "POST", "/api/v2/uploads/recordings", "fileName", true, needs ["recording:recording:upload"];
    GENESYS_CLOUD_PUT_UPLOAD = "genesys_cloud.put_upload", "PUT", "/presigned/uploads/{id}", "fileName of the upload", true, query ["expires", "signature"];
    GENESYS_CLOUD_PROCESS_UPLOAD = "genesys_cloud.process_upload", "-", "-", "fileName of the upload", true;
    GENESYS_CLOUD_CREATE_UPLOAD_REPORT = "genesys_cloud.create_upload_report", "POST", "/api/v2/recording/uploads/reports", "-", false, needs ["recording:uploadReport:add"];
    GENESYS_CLOUD_GET_UPLOAD_REPORT = "genesys_cloud.get_upload_report", "GET", "/api/v2/recording/uploads/reports/{id}", "report id in the path", false, needs ["recording:uploadReport:view"];
    GENESYS_CLOUD_GET_UPLOAD_REPORT_FILE = "genesys_cloud.get_upload_report_file", "GET", "/presigned/reports/{id}", "report id in the path", false, query ["expires", "signature"];
    GENESYS_CLOUD_LIST_ORPHANS = "genesys_cloud.list_orphans", "GET", "/api/v2/orphanrecordings", "-", false, needs ["recording:orphan:view"], query ["pageSize", "pageNumber", "sortBy", "expand", "nextPage", "previousPage", "hasConversation", "media"];
    GENESYS_CLOUD_GET_ORPHAN = "genesys_cloud.get_orphan", "GET", "/api/v2/orphanrecordings/{id}", "sourceOrphaningId where known, else orphan id in the path", false, needs ["recording:orphan:view"];
    GENESYS_CLOUD_GET_ORPHAN_MEDIA = "genesys_cloud.get_orphan_media", "GET", "/api/v2/orphanrecordings/{id}/media", "sourceOrphaningId where known, else orphan id in the path", false, needs ["recording:orphan:view"], query ["formatId", "emailFormatId", "chatFormatId", "messageFormatId", "download", "fileName", "locale", "mediaFormats"];
    GENESYS_CLOUD_UPDATE_ORPHAN = "genesys_cloud.update_orphan", "PUT", "/api/v2/orphanrecordings/{id}", "sourceOrphaningId where known, else orphan id in the path", true, needs ["recording:orphan:edit"];
    GENESYS_CLOUD_DELETE_ORPHAN = "genesys_cloud.delete_orphan", "DELETE", "/api/v2/orphanrecordings/{id}", "sourceOrphaningId where known, else orphan id in the path", true, needs ["recording:orphan:delete"];
    GENESYS_CLOUD_ADD_EXTERNAL_ID = "genesys_cloud.add_external_id", "POST", "/api/v2/users/{id}/externalid", "authorityName:externalKey", true, needs ["directory:user:edit"];
    GENESYS_CLOUD_LIST_EXTERNAL_IDS = "genesys_cloud.list_external_ids", "GET", "/api/v2/users/{id}/externalid", "user id in the path", false;
    GENESYS_CLOUD_FIND_EXTERNAL_ID = "genesys_cloud.find_external_id", "GET", "/api/v2/users/externalid/{authority}/{key}", "authorityName:externalKey in the path", false, query ["expand"];
    GENESYS_CLOUD_GET_EXTERNAL_ID = "genesys_cloud.get_external_id", "GET", "/api/v2/users/{id}/externalid/{authority}", "user id in the path", false;
    GENESYS_CLOUD_DELETE_EXTERNAL_ID = "genesys_cloud.delete_external_id", "DELETE", "/api/v2/users/{id}/externalid/{authority}/{key}", "authorityName:externalKey in the path", true, needs ["directory:user:edit"];
    GENESYS_CLOUD_LIST_POLICIES = "genesys_cloud.list_policies", "GET", "/api/v2/recording/mediaretentionpolicies", "-", false, needs ["recording:retentionPolicy:view"], query ["pageSize", "pageNumber", "sortBy", "expand", "nextPage", "previousPage", "name", "enabled", "summary", "hasErrors", "deleteDaysThreshold"];
    GENESYS_CLOUD_CREATE_POLICY = "genesys_cloud.create_policy", "POST", "/api/v2/recording/mediaretentionpolicies", "name", true, needs ["recording:retentionPolicy:add"];
    GENESYS_CLOUD_GET_POLICY = "genesys_cloud.get_policy", "GET", "/api/v2/recording/mediaretentionpolicies/{id}", "policy id in the path", false, needs ["recording:retentionPolicy:view"];
    GENESYS_CLOUD_UPDATE_POLICY = "genesys_cloud.update_policy", "PUT", "/api/v2/recording/mediaretentionpolicies/{id}", "policy id in the path", true, needs ["recording:retentionPolicy:edit"];
    GENESYS_CLOUD_PATCH_POLICY = "genesys_cloud.patch_policy", "PATCH", "/api/v2/recording/mediaretentionpolicies/{id}", "policy id in the path", true, needs ["recording:retentionPolicy:edit"];
    GENESYS_CLOUD_DELETE_POLICY = "genesys_cloud.delete_policy", "DELETE", "/api/v2/recording/mediaretentionpolicies/{id}", "policy id in the path", true, needs ["recording:retentionPolicy:delete"];
    GENESYS_CLOUD_DELETE_POLICIES = "genesys_cloud.delete_policies", "DELETE", "/api/v2/recording/mediaretentionpolicies", "ids of the query", true, needs ["recording:retentionPolicy:delete"], query ["ids"];
    GENESYS_CLOUD_LIST_CROSSPLATFORM_POLICIES = "genesys_cloud.list_crossplatform_policies", "GET", "/api/v2/recording/crossplatform/mediaretentionpolicies", "-", false, needs ["recording:crossPlatformRetentionPolicy:view"], query ["pageSize", "pageNumber", "sortBy", "expand", "nextPage", "previousPage", "name", "enabled", "summary", "hasErrors", "deleteDaysThreshold"];
    GENESYS_CLOUD_CREATE_CROSSPLATFORM_POLICY = "genesys_cloud.create_crossplatform_policy", "POST", "/api/v2/recording/crossplatform/mediaretentionpolicies", "name", true, needs ["recording:crossPlatformRetentionPolicy:add"];
    GENESYS_CLOUD_GET_CROSSPLATFORM_POLICY = "genesys_cloud.get_crossplatform_policy", "GET", "/api/v2/recording/crossplatform/mediaretentionpolicies/{id}", "policy id in the path", false, needs ["recording:crossPlatformRetentionPolicy:view"];
    GENESYS_CLOUD_UPDATE_CROSSPLATFORM_POLICY = "genesys_cloud.update_crossplatform_policy", "PUT", "/api/v2/recording/crossplatform/mediaretentionpolicies/{id}", "policy id in the path", true, needs ["recording:crossPlatformRetentionPolicy:edit"];
    GENESYS_CLOUD_PATCH_CROSSPLATFORM_POLICY = "genesys_cloud.patch_crossplatform_policy", "PATCH", "/api/v2/recording/crossplatform/mediaretentionpolicies/{id}", "policy id in the path", true, needs ["recording:crossPlatformRetentionPolicy:edit"];
    GENESYS_CLOUD_DELETE_CROSSPLATFORM_POLICY = "genesys_cloud.delete_crossplatform_policy", "DELETE", "/api/v2/recording/crossplatform/mediaretentionpolicies/{id}", "policy id in the path", true, needs ["recording:crossPlatformRetentionPolicy:delete"];
    GENESYS_CLOUD_DELETE_CROSSPLATFORM_POLICIES = "genesys_cloud.delete_crossplatform_policies", "DELETE", "/api/v2/recording/crossplatform/mediaretentionpolicies", "ids of the query", true, needs ["recording:crossPlatformRetentionPolicy:delete"], query ["ids"];
    GENESYS_CLOUD_CREATE_RECORDING_JOB = "genesys_cloud.create_recording_job", "POST", "/api/v2/recording/jobs", "-", false, needs ["recording:job:add"];
    GENESYS_CLOUD_LIST_RECORDING_JOBS = "genesys_cloud.list_recording_jobs", "GET", "/api/v2/recording/jobs", "-", false, needs ["recording:job:view"], query ["pageSize", "pageNumber", "sortBy", "state", "showOnlyMyJobs", "jobType", "includeTotal", "cursor"];
    GENESYS_CLOUD_GET_RECORDING_JOB = "genesys_cloud.get_recording_job", "GET", "/api/v2/recording/jobs/{id}", "job id in the path", false, needs ["recording:job:view"];
    GENESYS_CLOUD_EXECUTE_RECORDING_JOB = "genesys_cloud.execute_recording_job", "PUT", "/api/v2/recording/jobs/{id}", "job id in the path", true, needs ["recording:job:edit", "recording:recording:editRetention"];
    GENESYS_CLOUD_DELETE_RECORDING_JOB = "genesys_cloud.delete_recording_job", "DELETE", "/api/v2/recording/jobs/{id}", "job id in the path", true, needs ["recording:job:delete"];
    GENESYS_CLOUD_LIST_FAILED_RECORDINGS = "genesys_cloud.list_failed_recordings", "GET", "/api/v2/recording/jobs/{id}/failedrecordings", "job id in the path", false, needs ["recording:job:view"], query ["pageSize", "pageNumber", "includeTotal", "cursor"];
    GENESYS_CLOUD_CREATE_AUDIT_QUERY = "genesys_cloud.create_audit_query", "POST", "/api/v2/audits/query", "-", false, needs ["audits:audit:view"];
    GENESYS_CLOUD_GET_AUDIT_QUERY = "genesys_cloud.get_audit_query", "GET", "/api/v2/audits/query/{id}", "transaction id in the path", false, needs ["audits:audit:view"];
    GENESYS_CLOUD_GET_AUDIT_RESULTS = "genesys_cloud.get_audit_results", "GET", "/api/v2/audits/query/{id}/results", "transaction id in the path", false, needs ["audits:audit:view"], query ["cursor", "pageSize", "expand", "allowRedirect"];
    GENESYS_CLOUD_SHOW_CONVERSATION = "genesys_cloud.show_conversation", "-", "-", "external tag, or conversation id where there is none", false;
    GENESYS_CLOUD_SHOW_RECORDING = "genesys_cloud.show_recording", "-", "-", "recording id", false;
    GENESYS_CLOUD_RUN_ANALYTICS_JOB = "genesys_cloud.run_analytics_job", "-", "-", "-", false;
    GENESYS_CLOUD_RUN_BATCH_DOWNLOAD = "genesys_cloud.run_batch_download", "-", "-", "-", false;
    GENESYS_CLOUD_RUN_UPLOAD_REPORT = "genesys_cloud.run_upload_report", "-", "-", "-", false;
    GENESYS_CLOUD_RUN_RECORDING_JOB = "genesys_cloud.run_recording_job", "-", "-", "-", false;
    GIR_INDEX_RECORDING = "gir.index_recording", "-", "-", "id", false;
    GIR_INSERT_RECORDING = "gir.insert_recording", "POST", "/internal-api/contact-centers/{ccid}/recordings", "id", true, needs ["ops"];
    GIR_GET_RECORDING = "gir.get_recording", "GET", "/api/v2/ops/contact-centers/{ccid}/recordings/{id}", "recording id in the path", false, needs ["ops"];
    GIR_DELETE_RECORDING = "gir.delete_recording", "DELETE", "/api/v2/ops/contact-centers/{ccid}/recordings/{id}", "recording id in the path", true, needs ["ops"];
    GIR_QUERY_RECORDINGS = "gir.query_recordings", "GET", "/api/v2/ops/contact-centers/{ccid}/recordings", "-", false, needs ["ops"], query ["callerPhoneNumber", "dialedPhoneNumber", "startTime", "stopTime", "userName", "callType", "label", "fields", "offset"];
    GIR_PLAY_MEDIA = "gir.play_media", "GET", "/api/v2/ops/contact-centers/{ccid}/recordings/{id}/play/{name}", "recording id in the path", false, needs ["ops"];
    GIR_PLAY_MEDIA_FOR_USER = "gir.play_media_for_user", "GET", "/api/v2/recordings/{id}/play/{name}", "recording id in the path", false, needs ["admin"];
    GIR_SHOW_RECORDING = "gir.show_recording", "GET", "/api/v2/recordings/{id}", "recording id in the path", false, needs ["admin"];
    GIR_SEARCH_RECORDINGS = "gir.search_recordings", "GET", "/api/v2/recordings", "-", false, needs ["admin"], query ["callerPhoneNumber", "dialedPhoneNumber", "startTime", "stopTime", "userName", "callType", "label", "fields", "offset"];
    GIR_CHANGE_RECORDING = "gir.change_recording", "POST", "/api/v2/recordings/{id}", "recording id in the path", true, needs ["admin"];
    GIR_CREATE_LABEL = "gir.create_label", "POST", "/api/v2/recording-label-definitions", "name", true, needs ["admin"];
    GIR_LIST_LABELS = "gir.list_labels", "GET", "/api/v2/recording-label-definitions", "-", false, needs ["admin"];
    GIR_ADD_LABELS = "gir.add_labels", "POST", "/api/v2/recordings/{id}/labels", "recording id in the path", true, needs ["admin"];
    GIR_GET_LABELS = "gir.get_labels", "GET", "/api/v2/recordings/{id}/labels", "recording id in the path", false, needs ["admin"];
    GIR_REMOVE_LABEL = "gir.remove_label", "DELETE", "/api/v2/recordings/{id}/labels/{label}", "recording id in the path", true, needs ["admin"];
    GIR_LIST_CONTACT_CENTERS = "gir.list_contact_centers", "GET", "/api/v2/ops/contact-centers", "-", false, needs ["ops"];
    GIR_GET_STORE = "gir.get_store", "GET", "/api/v2/ops/contact-centers/{ccid}/settings/recordings", "-", false, needs ["ops"];
    GIR_UPDATE_STORE = "gir.update_store", "PUT", "/api/v2/ops/contact-centers/{ccid}/settings/recordings", "-", true, needs ["ops"];
    GIR_GET_VERSION = "gir.get_version", "GET", "/api/v2/diagnostics/version", "-", false;
    WEBDAV_PUT_FILE = "webdav.put_file", "PUT", "/recordings/{path}", "file name in the path", true;
    WEBDAV_GET_FILE = "webdav.get_file", "GET", "/recordings/{path}", "file name in the path", false;
    WEBDAV_HEAD_FILE = "webdav.head_file", "HEAD", "/recordings/{path}", "file name in the path", false;
    WEBDAV_MAKE_COLLECTION = "webdav.make_collection", "MKCOL", "/recordings/{path}", "collection's name in the path", true;
    WEBDAV_MOVE_FILE = "webdav.move_file", "MOVE", "/recordings/{path}", "file name in the destination", true;
    WEBDAV_COPY_FILE = "webdav.copy_file", "COPY", "/recordings/{path}", "file name in the destination", true;
    WEBDAV_DELETE_FILE = "webdav.delete_file", "DELETE", "/recordings/{path}", "file name in the path", true;
    WEBDAV_LIST = "webdav.list", "PROPFIND", "/recordings/{path}", "name in the path", false;
    WEBDAV_OTHER = "webdav.other", "OPTIONS, LOCK, UNLOCK, PROPPATCH", "/recordings/{path}", "name in the path", true;
    SPEECHMINER_POST_RECORDING = "speechminer.post_recording", "POST", "/interactionreceiver", "id", true;
    SPEECHMINER_GET_RECORDING = "speechminer.get_recording", "GET", "/interactionreceiver/recordings/{id}", "recording id in the path", false;
    SPEECHMINER_LIST_RECORDINGS = "speechminer.list_recordings", "GET", "/interactionreceiver/recordings", "-", false, query ["after", "limit"];
}

/// The operation called `name`, or the nearest name there is.
pub(crate) fn find(name: &str) -> Result<&'static Operation, &'static str> {
    if let Some(operation) = ALL.iter().find(|operation| operation.name == name) {
        return Ok(operation);
    }
    let known: Vec<&'static str> = ALL.iter().map(|operation| operation.name).collect();
    Err(crate::scenario::nearest(name, &known).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_begin_with_their_platform() {
        let mut names: Vec<_> = ALL.iter().map(|operation| operation.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        let platforms = ["legacy.", "genesys_cloud.", "gir.", "webdav.", "speechminer."];
        assert!(names.iter().all(|name| platforms.iter().any(|platform| name.starts_with(platform))));
    }

    #[test]
    fn a_misspelt_name_leads_to_the_nearest() {
        assert_eq!(find("genesys_cloud.uplaod_file"), Err("genesys_cloud.upload_file"));
    }
}
