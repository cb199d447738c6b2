//! What the coverage page knows beside the operations table and the rules: what is served in part, what is not served, and which method of the
//! vendor's SDKs asks for what.

/// Operations that answer with less than the vendor's, and what they lack.
pub(crate) const IN_PART: &[(&str, &str)] = &[
    ("genesys_cloud.get_limits", "three namespaces: analytics, platform.api, recording; no defaults"),
    ("genesys_cloud.get_token_info", "one client, no cloned user"),
    ("genesys_cloud.list_users", "no `expand`, no `jabberId`"),
    ("genesys_cloud.list_queues", "id, name and division only; no `peerId` or `hasPeer`"),
    ("genesys_cloud.list_wrapupcodes", "id, name and division only"),
    ("genesys_cloud.list_skills", "id and name only"),
    ("genesys_cloud.list_divisions", "no `objectCount`, no page tokens"),
    ("genesys_cloud.inject_events", "voice events only; e-mail events are refused"),
    ("genesys_cloud.query_details", "conversation filters on four dimensions; no segment filters, no aggregations"),
    ("genesys_cloud.create_details_job", "conversation filters on four dimensions; no segment filters"),
    ("genesys_cloud.create_policy", "four conditions and four actions; any other is refused"),
    ("genesys_cloud.create_crossplatform_policy", "four conditions and four actions; any other is refused"),
    ("genesys_cloud.create_recording_job", "ARCHIVE and DELETE; EXPORT is refused"),
];

/// Operations of the recording-migration guide that the vendor's public API does not have.
pub(crate) const GUIDES: &[&str] =
    &["genesys_cloud.upload_file", "genesys_cloud.create_interaction", "genesys_cloud.get_interaction", "genesys_cloud.update_interaction"];

/// Public operations of the areas a migration and an audit touch that are not served: 404, or 405 where another method is.
pub(crate) const ABSENT: &[(&str, &[&str])] = &[
    (
        "conversations",
        &[
            "GET /api/v2/conversations/{conversationId}/participants/{participantId}/wrapup",
            "GET /api/v2/conversations/{conversationId}/participants/{participantId}/wrapupcodes",
            "PUT /api/v2/conversations/{conversationId}/secureattributes",
            "GET /api/v2/conversations/{conversationId}/customattributes",
            "PUT /api/v2/conversations/{conversationId}/customattributes",
            "POST /api/v2/conversations/customattributes/search",
            "POST /api/v2/conversations/participants/attributes/search",
            "POST /api/v2/events/users/presence",
            "POST /api/v2/events/users/routingstatus",
        ],
    ),
    (
        "analytics",
        &[
            "GET /api/v2/analytics/conversations/details",
            "GET /api/v2/analytics/conversations/{conversationId}/details",
            "DELETE /api/v2/analytics/conversations/details/jobs/{jobId}",
        ],
    ),
    (
        "recordings",
        &[
            "GET /api/v2/conversations/{conversationId}/recordings/{recordingId}/annotations",
            "POST /api/v2/conversations/{conversationId}/recordings/{recordingId}/annotations",
            "GET /api/v2/orphanrecordings/{orphanId}/media",
            "GET /api/v2/recording/settings",
            "PUT /api/v2/recording/settings",
            "DELETE /api/v2/recording/jobs/{jobId}",
            "GET /api/v2/recording/jobs/{jobId}/failedrecordings",
            "PUT /api/v2/recording/mediaretentionpolicies/{policyId}",
            "PATCH /api/v2/recording/mediaretentionpolicies/{policyId}",
            "DELETE /api/v2/recording/mediaretentionpolicies/{policyId}",
            "PUT /api/v2/recording/crossplatform/mediaretentionpolicies/{policyId}",
            "PATCH /api/v2/recording/crossplatform/mediaretentionpolicies/{policyId}",
            "DELETE /api/v2/recording/crossplatform/mediaretentionpolicies/{policyId}",
        ],
    ),
    (
        "organisation",
        &[
            "GET /api/v2/organizations/limits/namespaces/{namespaceName}/defaults",
            "DELETE /api/v2/tokens/me",
            "POST /api/v2/usage/query",
            "POST /api/v2/audits/query",
        ],
    ),
    (
        "people and routing",
        &[
            "GET /api/v2/users/query",
            "POST /api/v2/users/search",
            "DELETE /api/v2/users/{userId}/externalid/{authorityName}/{externalKey}",
            "GET /api/v2/routing/queues/divisionviews/all",
            "GET /api/v2/routing/queues/{queueId}/wrapupcodes",
        ],
    ),
];

/// The SDKs' method for an operation, in JavaScript's spelling; tests/sdk/audit.py or audit.mjs calls it.
pub(crate) const SDK_METHODS: &[(&str, &str)] = &[
    ("genesys_cloud.issue_token", "loginClientCredentialsGrant"),
    ("genesys_cloud.get_token_info", "getTokensMe"),
    ("genesys_cloud.list_users", "getUsers"),
    ("genesys_cloud.list_queues", "getRoutingQueues"),
    ("genesys_cloud.list_wrapupcodes", "getRoutingWrapupcodes"),
    ("genesys_cloud.list_skills", "getRoutingSkills"),
    ("genesys_cloud.list_limits", "getOrganizationsLimitsNamespaces"),
    ("genesys_cloud.list_divisions", "getAuthorizationDivisions"),
    ("genesys_cloud.get_limits", "getOrganizationsLimitsNamespace"),
    ("genesys_cloud.get_conversation", "getConversation"),
    ("genesys_cloud.list_recordings", "getConversationRecordings"),
    ("genesys_cloud.get_recording", "getConversationRecording"),
    ("genesys_cloud.list_recordingmetadata", "getConversationRecordingmetadata"),
    ("genesys_cloud.get_recordingmetadata", "getConversationRecordingmetadataRecordingId"),
    ("genesys_cloud.query_retention", "getRecordingsRetentionQuery"),
    ("genesys_cloud.query_deletionprotection", "postRecordingsDeletionprotection"),
    ("genesys_cloud.create_batchrequest", "postRecordingBatchrequests"),
    ("genesys_cloud.get_batchrequest", "getRecordingBatchrequest"),
    ("genesys_cloud.get_data_retention", "getAnalyticsDataretentionSettings"),
    ("genesys_cloud.create_details_job", "postAnalyticsConversationsDetailsJobs"),
    ("genesys_cloud.get_details_availability", "getAnalyticsConversationsDetailsJobsAvailability"),
    ("genesys_cloud.get_details_job", "getAnalyticsConversationsDetailsJob"),
    ("genesys_cloud.get_details_results", "getAnalyticsConversationsDetailsJobResults"),
    ("genesys_cloud.query_details", "postAnalyticsConversationsDetailsQuery"),
    ("genesys_cloud.inject_events", "postEventsConversations"),
    ("genesys_cloud.update_attributes", "patchConversationParticipantAttributes"),
    ("genesys_cloud.update_tags", "putConversationTags"),
    ("genesys_cloud.update_recording", "putConversationRecording"),
    ("genesys_cloud.update_deletionprotection", "putRecordingsDeletionprotection"),
    ("genesys_cloud.create_upload", "postUploadsRecordings"),
    ("genesys_cloud.create_upload_report", "postRecordingUploadsReports"),
    ("genesys_cloud.get_upload_report", "getRecordingUploadsReport"),
    ("genesys_cloud.list_orphans", "getOrphanrecordings"),
    ("genesys_cloud.get_orphan", "getOrphanrecording"),
    ("genesys_cloud.update_orphan", "putOrphanrecording"),
    ("genesys_cloud.delete_orphan", "deleteOrphanrecording"),
    ("genesys_cloud.add_external_id", "postUserExternalid"),
    ("genesys_cloud.list_external_ids", "getUserExternalid"),
    ("genesys_cloud.find_external_id", "getUsersExternalidAuthorityNameExternalKey"),
    ("genesys_cloud.list_policies", "getRecordingMediaretentionpolicies"),
    ("genesys_cloud.create_policy", "postRecordingMediaretentionpolicies"),
    ("genesys_cloud.get_policy", "getRecordingMediaretentionpolicy"),
    ("genesys_cloud.list_crossplatform_policies", "getRecordingCrossplatformMediaretentionpolicies"),
    ("genesys_cloud.create_crossplatform_policy", "postRecordingCrossplatformMediaretentionpolicies"),
    ("genesys_cloud.get_crossplatform_policy", "getRecordingCrossplatformMediaretentionpolicy"),
    ("genesys_cloud.create_recording_job", "postRecordingJobs"),
    ("genesys_cloud.list_recording_jobs", "getRecordingJobs"),
    ("genesys_cloud.get_recording_job", "getRecordingJob"),
    ("genesys_cloud.execute_recording_job", "putRecordingJob"),
];
