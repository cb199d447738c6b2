//! What the coverage page knows beside the operations table and the rules: what is served in part,
//! what is not served, and which method of the vendor's SDKs asks for what.

/// Operations that answer with less than the vendor's, and what they lack.
pub(crate) const IN_PART: &[(&str, &str)] = &[
    (
        "genesys_cloud.get_limits",
        "three namespaces: analytics, platform.api, recording",
    ),
    ("genesys_cloud.get_token_info", "one client, no cloned user"),
    (
        "genesys_cloud.list_users",
        "nothing is expanded; nobody has a Jabber id",
    ),
    (
        "genesys_cloud.list_queues",
        "of the world's queues id, name and division, of others what clients said; nothing is \
         expanded",
    ),
    (
        "genesys_cloud.list_wrapupcodes",
        "of the world's codes id, name and division",
    ),
    (
        "genesys_cloud.list_skills",
        "of the world's skills id and name",
    ),
    (
        "genesys_cloud.list_divisions",
        "no counts of objects; `sortBy`, `expand` and page tokens are refused",
    ),
    (
        "genesys_cloud.inject_events",
        "voice events only; e-mail events are refused",
    ),
    (
        "genesys_cloud.query_details",
        "conversation filters on four dimensions, segment filters on nine; no aggregations",
    ),
    (
        "genesys_cloud.create_details_job",
        "conversation filters on four dimensions, segment filters on nine",
    ),
    (
        "genesys_cloud.create_policy",
        "four conditions and four actions; any other is refused",
    ),
    (
        "genesys_cloud.create_crossplatform_policy",
        "four conditions and four actions; any other is refused",
    ),
    (
        "genesys_cloud.update_policy",
        "four conditions and four actions; any other is refused",
    ),
    (
        "genesys_cloud.update_crossplatform_policy",
        "four conditions and four actions; any other is refused",
    ),
    (
        "genesys_cloud.get_audit_results",
        "no `expand`; changes of retention, holds, jobs, orphans and external ids only",
    ),
    (
        "genesys_cloud.create_recording_job",
        "EXPORT sets dates and writes nothing",
    ),
    ("genesys_cloud.query_users", "nothing is expanded"),
    (
        "genesys_cloud.search_users",
        "three of the search types on four fields, all at once; no `q64` pages",
    ),
    ("genesys_cloud.get_user", "nothing is expanded"),
    (
        "genesys_cloud.get_queue",
        "of the world's queues id, name and division, of others what clients said",
    ),
    (
        "genesys_cloud.update_user",
        "eight fields; any other is refused",
    ),
    (
        "genesys_cloud.create_queue",
        "every field is kept, and none routes",
    ),
    (
        "genesys_cloud.update_queue",
        "every field is kept, and none routes",
    ),
    ("genesys_cloud.list_user_queues", "always none"),
    ("genesys_cloud.list_user_skills", "always none"),
    ("genesys_cloud.list_queue_members", "always none"),
    ("genesys_cloud.list_languages", "always none"),
    (
        "genesys_cloud.query_aggregates",
        "seven metrics, grouped by twelve dimensions; no views, no sorting",
    ),
    ("genesys_cloud.get_division", "no counts of objects"),
    (
        "genesys_cloud.get_organization",
        "id, name, state, platform and version only",
    ),
    (
        "genesys_cloud.list_queue_wrapupcodes",
        "id, name and division only; every queue has every code",
    ),
    (
        "genesys_cloud.get_wrapup",
        "no `provisional`, no `durationSeconds`",
    ),
    ("genesys_cloud.list_custom_attributes", "always none"),
    ("genesys_cloud.search_custom_attributes", "always none"),
    (
        "genesys_cloud.get_limit_defaults",
        "three namespaces: analytics, platform.api, recording",
    ),
];

/// Operations of the recording-migration guide that the vendor's public API does not have.
pub(crate) const GUIDES: &[&str] = &[
    "genesys_cloud.upload_file",
    "genesys_cloud.create_interaction",
    "genesys_cloud.get_interaction",
    "genesys_cloud.update_interaction",
];

/// Public operations of the areas a migration and an audit touch that are not served: 404, or 405
/// where another method is.
pub(crate) const ABSENT: &[(&str, &[&str])] = &[
    (
        "conversations",
        &[
            "GET /api/v2/conversations/{conversationId}/participants/{participantId}/wrapupcodes",
            "PUT /api/v2/conversations/{conversationId}/secureattributes",
            "PUT /api/v2/conversations/{conversationId}/customattributes",
            "POST /api/v2/events/users/presence",
            "POST /api/v2/events/users/routingstatus",
        ],
    ),
    ("recordings", &["PUT /api/v2/recording/settings"]),
    (
        "organisation",
        &[
            "POST /api/v2/usage/query",
            "PUT /api/v2/authorization/divisions/{divisionId}",
            "POST /api/v2/audits/query/realtime",
        ],
    ),
    (
        "people and routing",
        &[
            "GET /api/v2/routing/queues/divisionviews/all",
            "DELETE /api/v2/routing/queues/{queueId}",
            "POST /api/v2/routing/queues/{queueId}/members",
            "POST /api/v2/users/{userId}/routingskills",
            "PUT /api/v2/routing/wrapupcodes/{codeId}",
            "POST /api/v2/routing/languages",
        ],
    ),
];

/// The SDKs' method for an operation, in JavaScript's spelling; tests/sdk/audit.py or audit.mjs
/// calls it.
pub(crate) const SDK_METHODS: &[(&str, &str)] = &[
    ("genesys_cloud.issue_token", "loginClientCredentialsGrant"),
    ("genesys_cloud.get_token_info", "getTokensMe"),
    ("genesys_cloud.delete_token", "deleteTokensMe"),
    ("genesys_cloud.list_users", "getUsers"),
    ("genesys_cloud.query_users", "getUsersQuery"),
    ("genesys_cloud.search_users", "postUsersSearch"),
    ("genesys_cloud.list_queues", "getRoutingQueues"),
    ("genesys_cloud.list_wrapupcodes", "getRoutingWrapupcodes"),
    (
        "genesys_cloud.list_queue_wrapupcodes",
        "getRoutingQueueWrapupcodes",
    ),
    ("genesys_cloud.list_skills", "getRoutingSkills"),
    ("genesys_cloud.get_user", "getUser"),
    ("genesys_cloud.get_queue", "getRoutingQueue"),
    ("genesys_cloud.get_wrapupcode", "getRoutingWrapupcode"),
    ("genesys_cloud.get_skill", "getRoutingSkill"),
    (
        "genesys_cloud.get_home_division",
        "getAuthorizationDivisionsHome",
    ),
    ("genesys_cloud.get_division", "getAuthorizationDivision"),
    ("genesys_cloud.create_user", "postUsers"),
    ("genesys_cloud.update_user", "patchUser"),
    ("genesys_cloud.delete_user", "deleteUser"),
    ("genesys_cloud.create_queue", "postRoutingQueues"),
    ("genesys_cloud.update_queue", "putRoutingQueue"),
    ("genesys_cloud.create_wrapupcode", "postRoutingWrapupcodes"),
    ("genesys_cloud.create_skill", "postRoutingSkills"),
    (
        "genesys_cloud.create_division",
        "postAuthorizationDivisions",
    ),
    ("genesys_cloud.list_user_queues", "getUserQueues"),
    ("genesys_cloud.list_user_skills", "getUserRoutingskills"),
    ("genesys_cloud.list_queue_members", "getRoutingQueueMembers"),
    ("genesys_cloud.list_languages", "getRoutingLanguages"),
    (
        "genesys_cloud.query_aggregates",
        "postAnalyticsConversationsAggregatesQuery",
    ),
    ("genesys_cloud.get_organization", "getOrganizationsMe"),
    (
        "genesys_cloud.list_limits",
        "getOrganizationsLimitsNamespaces",
    ),
    ("genesys_cloud.list_divisions", "getAuthorizationDivisions"),
    (
        "genesys_cloud.get_limits",
        "getOrganizationsLimitsNamespace",
    ),
    (
        "genesys_cloud.get_limit_defaults",
        "getOrganizationsLimitsNamespaceDefaults",
    ),
    (
        "genesys_cloud.get_recording_settings",
        "getRecordingSettings",
    ),
    ("genesys_cloud.get_conversation", "getConversation"),
    (
        "genesys_cloud.get_wrapup",
        "getConversationParticipantWrapup",
    ),
    (
        "genesys_cloud.search_attributes",
        "postConversationsParticipantsAttributesSearch",
    ),
    (
        "genesys_cloud.list_custom_attributes",
        "getConversationCustomattributes",
    ),
    (
        "genesys_cloud.search_custom_attributes",
        "postConversationsCustomattributesSearch",
    ),
    ("genesys_cloud.list_recordings", "getConversationRecordings"),
    ("genesys_cloud.get_recording", "getConversationRecording"),
    (
        "genesys_cloud.list_annotations",
        "getConversationRecordingAnnotations",
    ),
    (
        "genesys_cloud.create_annotation",
        "postConversationRecordingAnnotations",
    ),
    (
        "genesys_cloud.get_annotation",
        "getConversationRecordingAnnotation",
    ),
    (
        "genesys_cloud.update_annotation",
        "putConversationRecordingAnnotation",
    ),
    (
        "genesys_cloud.delete_annotation",
        "deleteConversationRecordingAnnotation",
    ),
    (
        "genesys_cloud.list_recordingmetadata",
        "getConversationRecordingmetadata",
    ),
    (
        "genesys_cloud.get_recordingmetadata",
        "getConversationRecordingmetadataRecordingId",
    ),
    (
        "genesys_cloud.query_retention",
        "getRecordingsRetentionQuery",
    ),
    (
        "genesys_cloud.query_deletionprotection",
        "postRecordingsDeletionprotection",
    ),
    (
        "genesys_cloud.create_batchrequest",
        "postRecordingBatchrequests",
    ),
    ("genesys_cloud.get_batchrequest", "getRecordingBatchrequest"),
    (
        "genesys_cloud.get_data_retention",
        "getAnalyticsDataretentionSettings",
    ),
    (
        "genesys_cloud.create_details_job",
        "postAnalyticsConversationsDetailsJobs",
    ),
    (
        "genesys_cloud.get_details_availability",
        "getAnalyticsConversationsDetailsJobsAvailability",
    ),
    (
        "genesys_cloud.get_details_job",
        "getAnalyticsConversationsDetailsJob",
    ),
    (
        "genesys_cloud.get_details_results",
        "getAnalyticsConversationsDetailsJobResults",
    ),
    (
        "genesys_cloud.delete_details_job",
        "deleteAnalyticsConversationsDetailsJob",
    ),
    (
        "genesys_cloud.list_details",
        "getAnalyticsConversationsDetails",
    ),
    (
        "genesys_cloud.get_details",
        "getAnalyticsConversationDetails",
    ),
    (
        "genesys_cloud.query_details",
        "postAnalyticsConversationsDetailsQuery",
    ),
    ("genesys_cloud.inject_events", "postEventsConversations"),
    (
        "genesys_cloud.update_attributes",
        "patchConversationParticipantAttributes",
    ),
    ("genesys_cloud.update_tags", "putConversationTags"),
    ("genesys_cloud.update_recording", "putConversationRecording"),
    (
        "genesys_cloud.update_deletionprotection",
        "putRecordingsDeletionprotection",
    ),
    ("genesys_cloud.create_upload", "postUploadsRecordings"),
    (
        "genesys_cloud.create_upload_report",
        "postRecordingUploadsReports",
    ),
    (
        "genesys_cloud.get_upload_report",
        "getRecordingUploadsReport",
    ),
    ("genesys_cloud.list_orphans", "getOrphanrecordings"),
    ("genesys_cloud.get_orphan", "getOrphanrecording"),
    ("genesys_cloud.get_orphan_media", "getOrphanrecordingMedia"),
    ("genesys_cloud.update_orphan", "putOrphanrecording"),
    ("genesys_cloud.delete_orphan", "deleteOrphanrecording"),
    ("genesys_cloud.add_external_id", "postUserExternalid"),
    ("genesys_cloud.list_external_ids", "getUserExternalid"),
    (
        "genesys_cloud.find_external_id",
        "getUsersExternalidAuthorityNameExternalKey",
    ),
    (
        "genesys_cloud.get_external_id",
        "getUserExternalidAuthorityName",
    ),
    (
        "genesys_cloud.delete_external_id",
        "deleteUserExternalidAuthorityNameExternalKey",
    ),
    (
        "genesys_cloud.list_policies",
        "getRecordingMediaretentionpolicies",
    ),
    (
        "genesys_cloud.create_policy",
        "postRecordingMediaretentionpolicies",
    ),
    (
        "genesys_cloud.get_policy",
        "getRecordingMediaretentionpolicy",
    ),
    (
        "genesys_cloud.update_policy",
        "putRecordingMediaretentionpolicy",
    ),
    (
        "genesys_cloud.patch_policy",
        "patchRecordingMediaretentionpolicy",
    ),
    (
        "genesys_cloud.delete_policy",
        "deleteRecordingMediaretentionpolicy",
    ),
    (
        "genesys_cloud.delete_policies",
        "deleteRecordingMediaretentionpolicies",
    ),
    (
        "genesys_cloud.list_crossplatform_policies",
        "getRecordingCrossplatformMediaretentionpolicies",
    ),
    (
        "genesys_cloud.create_crossplatform_policy",
        "postRecordingCrossplatformMediaretentionpolicies",
    ),
    (
        "genesys_cloud.get_crossplatform_policy",
        "getRecordingCrossplatformMediaretentionpolicy",
    ),
    (
        "genesys_cloud.update_crossplatform_policy",
        "putRecordingCrossplatformMediaretentionpolicy",
    ),
    (
        "genesys_cloud.patch_crossplatform_policy",
        "patchRecordingCrossplatformMediaretentionpolicy",
    ),
    (
        "genesys_cloud.delete_crossplatform_policy",
        "deleteRecordingCrossplatformMediaretentionpolicy",
    ),
    (
        "genesys_cloud.delete_crossplatform_policies",
        "deleteRecordingCrossplatformMediaretentionpolicies",
    ),
    ("genesys_cloud.create_recording_job", "postRecordingJobs"),
    ("genesys_cloud.list_recording_jobs", "getRecordingJobs"),
    ("genesys_cloud.get_recording_job", "getRecordingJob"),
    ("genesys_cloud.execute_recording_job", "putRecordingJob"),
    ("genesys_cloud.delete_recording_job", "deleteRecordingJob"),
    (
        "genesys_cloud.list_failed_recordings",
        "getRecordingJobFailedrecordings",
    ),
    ("genesys_cloud.create_audit_query", "postAuditsQuery"),
    (
        "genesys_cloud.get_audit_query",
        "getAuditsQueryTransactionId",
    ),
    (
        "genesys_cloud.get_audit_results",
        "getAuditsQueryTransactionIdResults",
    ),
];
