//! Documented shapes of what the verifier reads. Source: the vendor's API description, models by
//! name. Fields that are read have a shape; the others are named behind them and not looked into.

use crate::drift::Shape::{self, Any, List, Map, Number, Object, OneOf, Text, Time, Truth};

/// `LimitsEntityListing`.
pub(super) static LIMITS: Shape = Object(&[("entities", List(&LIMIT))], "");

/// `Limit`.
static LIMIT: Shape = Object(&[("key", Text), ("value", Number)], "namespace");

/// `AnalyticsDataRetentionResponse`.
pub(super) static DATA_RETENTION: Shape =
    Object(&[("retentionDays", Number)], "dateCreated dateModified");

/// `AuthzDivisionEntityListing`.
pub(super) static DIVISIONS: Shape = Object(
    &[("*entities", List(&DIVISION)), ("pageCount", Number)],
    "firstUri lastUri nextUri pageNumber pageSize previousUri selfUri total",
);

/// `AuthzDivision`.
static DIVISION: Shape = Object(
    &[("*id", Text), ("name", Text), ("homeDivision", Truth)],
    "description objectCounts selfUri",
);

/// `AsyncQueryResponse`.
pub(super) static JOB_SUBMITTED: Shape = Object(&[("*jobId", Text)], "");

/// `AsyncQueryStatus`.
pub(super) static JOB: Shape = Object(
    &[
        (
            "*state",
            OneOf(&[
                "QUEUED",
                "PENDING",
                "FAILED",
                "CANCELLED",
                "FULFILLED",
                "EXPIRED",
            ]),
        ),
        ("errorMessage", Text),
    ],
    "completionDate expirationDate submissionDate",
);

/// `AnalyticsConversationAsyncQueryResponse`.
pub(super) static RESULTS: Shape = Object(
    &[
        ("conversations", List(&ANALYTICS_CONVERSATION)),
        ("cursor", Text),
        ("dataAvailabilityDate", Time),
    ],
    "",
);

/// `AnalyticsConversation`.
static ANALYTICS_CONVERSATION: Shape = Object(
    &[
        ("*conversationId", Text),
        ("conversationStart", Time),
        ("conversationEnd", Time),
        ("originatingDirection", OneOf(&["inbound", "outbound"])),
        ("divisionIds", List(&Text)),
        ("externalTag", Text),
        ("participants", List(&ANALYTICS_PARTICIPANT)),
    ],
    "accessAttributes associatedConversationId conferenceStart consultationConversationIds \
     conversationInitiator customerParticipation evaluations inactivityTimeout knowledgeBaseIds \
     mediaStatsMinConversationMos mediaStatsMinConversationRFactor originatingSocialMediaPublic \
     resolutions selfServed surveys",
);

/// `AnalyticsParticipant`.
static ANALYTICS_PARTICIPANT: Shape = Object(
    &[
        ("participantId", Text),
        (
            "purpose",
            OneOf(&[
                "acd",
                "agent",
                "api",
                "botflow",
                "campaign",
                "customer",
                "dialer",
                "external",
                "fax",
                "group",
                "inbound",
                "ivr",
                "manual",
                "outbound",
                "station",
                "user",
                "voicemail",
                "voicesurveyflow",
                "workflow",
            ]),
        ),
        ("userId", Text),
        ("attributes", Map(&Text)),
        ("sessions", List(&ANALYTICS_SESSION)),
    ],
    "externalContactId externalOrganizationId flaggedReason participantName screenRecording teamId",
);

/// `AnalyticsSession`.
static ANALYTICS_SESSION: Shape = Object(
    &[
        ("sessionId", Text),
        (
            "mediaType",
            OneOf(&[
                "callback",
                "chat",
                "cobrowse",
                "email",
                "internalmessage",
                "message",
                "screenmonitoring",
                "screenshare",
                "unknown",
                "video",
                "voice",
            ]),
        ),
        ("direction", OneOf(&["inbound", "outbound"])),
        ("ani", Text),
        ("dnis", Text),
        ("recording", Truth),
        ("segments", List(&ANALYTICS_SEGMENT)),
    ],
    "activeSkillIds acwSkipped addressFrom addressOther addressSelf addressTo agentAssistantId \
     agentBullseyeRing agentGroups agentOwned assignerId authenticated bargedParticipantId bcc \
     callbackNumbers callbackScheduledTime callbackUserName cc cleared coachedParticipantId \
     cobrowseRole cobrowseRoomId deliveryPushed deliveryStatus deliveryStatusChangeDate \
     destinationAddresses detectedSpeechEnd detectedSpeechStart dispositionAnalyzer \
     dispositionName edgeId eligibleAgentCounts engagementSource errorCodeDescription \
     extendedDeliveryStatus flow flowInType flowOutType journeyActionId journeyActionMapId \
     journeyActionMapVersion journeyCustomerId journeyCustomerIdType journeyCustomerSessionId \
     journeyCustomerSessionIdType mediaBridgeId mediaCount mediaEndpointStats messageType metrics \
     monitoredParticipantId outboundCampaignId outboundContactId outboundContactListId peerId \
     proposedAgents protocolCallId provider remote remoteNameDisplayable removedSkillIds \
     requestedRoutings roomId routingRing routingRule routingRuleType screenMonitoredUserId \
     screenShareAddressSelf screenShareRoomId scriptId selectedAgentId selectedAgentRank \
     sessionDnis sharingScreen skillExpressionId skipEnabled snippetRecording timeoutSeconds \
     usedRouting videoAddressSelf videoRoomId waitingInteractionCounts",
);

/// `AnalyticsConversationSegment`.
static ANALYTICS_SEGMENT: Shape = Object(
    &[
        ("segmentStart", Time),
        ("segmentEnd", Time),
        (
            "segmentType",
            OneOf(&[
                "alert",
                "barging",
                "callback",
                "coaching",
                "contacting",
                "converting",
                "delay",
                "dialing",
                "hold",
                "interact",
                "ivr",
                "monitoring",
                "parked",
                "scheduled",
                "screenmonitoring",
                "sharing",
                "system",
                "transmitting",
                "unknown",
                "uploading",
                "voicemail",
                "wrapup",
            ]),
        ),
        ("queueId", Text),
        ("wrapUpCode", Text),
        ("requestedRoutingSkillIds", List(&Text)),
    ],
    "audioMuted conference destinationConversationId destinationSessionId disconnectType errorCode \
     groupId properties q850ResponseCodes requestedLanguageId requestedRoutingUserIds scoredAgents \
     sipResponseCodes sourceConversationId sourceSessionId subject videoMuted wrapUpNote \
     wrapUpTags",
);

/// `RecordingRetentionCursorEntityListing`.
pub(super) static RETENTION: Shape = Object(
    &[("*entities", List(&RETAINED)), ("nextUri", Text)],
    "previousUri selfUri",
);

/// `RecordingRetention`.
static RETAINED: Shape = Object(
    &[
        ("*conversationId", Text),
        ("*recordingId", Text),
        ("deleteDate", Time),
        ("creationTime", Time),
    ],
    "archiveDate archiveMedium exportDate exportedDate",
);

/// `Conversation`.
pub(super) static CONVERSATION: Shape = Object(
    &[
        ("*id", Text),
        ("externalTag", Text),
        ("startTime", Time),
        ("endTime", Time),
        ("participants", List(&PARTICIPANT)),
    ],
    "address conversationIds divisions inactivityTimeout maxParticipants name recentTransfers \
     recordingState securePause selfUri state utilizationLabelId",
);

/// `Participant`.
static PARTICIPANT: Shape = Object(
    &[
        ("id", Text),
        ("purpose", Text),
        ("userId", Text),
        ("queueId", Text),
        ("startTime", Time),
        ("endTime", Time),
        ("ani", Text),
        ("dnis", Text),
        ("wrapup", Any),
        ("attributes", Map(&Text)),
        ("calls", List(&CALL)),
    ],
    "address alertingTimeoutMs aniName bargedParticipantId callbacks chats coachedParticipantId \
     cobrowsesessions connectedTime consultParticipantId conversationRoutingData emails endAcwTime \
     evaluations externalContactId externalContactInitialDivisionId externalOrganizationId \
     flaggedReason groupId internalMessages locale mediaRoles messages monitoredParticipantId name \
     participantType queueName screenMonitorings screenRecordingState screenshares \
     socialExpressions startAcwTime teamId userUri videos wrapupPrompt wrapupRequired \
     wrapupSkipped wrapupTimeoutMs",
);

/// `Call`.
static CALL: Shape = Object(
    &[
        ("direction", OneOf(&["inbound", "outbound"])),
        ("segments", List(&SEGMENT)),
    ],
    "afterCallWork afterCallWorkRequired agentAssistantId confined connectedTime disconnectReasons \
     disconnectType disconnectedTime disposition documentId errorInfo faxStatus held id \
     initialState muted other peerId provider queueMediaSettings recordersState recording \
     recordingId recordingState scriptId securePause self startAlertingTime startHoldTime state \
     transferSource uuiData wrapup",
);

/// `Segment`.
static SEGMENT: Shape = Object(
    &[("startTime", Time), ("endTime", Time)],
    "disconnectType howEnded type",
);

/// `Recording`.
static RECORDING: Shape = Object(
    &[
        ("*id", Text),
        ("conversationId", Text),
        ("startTime", Time),
        ("endTime", Time),
        ("media", Text),
        (
            "fileState",
            OneOf(&[
                "ARCHIVED",
                "AVAILABLE",
                "DELETED",
                "RESTORED",
                "RESTORING",
                "UPLOADING",
                "ERROR",
            ]),
        ),
        ("deleteDate", Time),
        ("archiveDate", Time),
        ("archiveMedium", OneOf(&["CLOUDARCHIVE"])),
        ("creationTime", Time),
        ("sessionId", Text),
        ("annotations", List(&ANNOTATION)),
        ("users", Any),
    ],
    "actualTranscodeTimeMs associatedConversationIds emailTranscript estimatedTranscodeTimeMs \
     exportDate exportedDate maxAllowedRestorationsForOrg mediaSubject mediaSubtype mediaUris \
     messagingTranscript name originalRecordingStartTime outputDurationMs outputSizeInBytes path \
     recordingErrorStatus recordingFileRole remainingRestorationsAllowedForOrg \
     restoreExpirationTime selfUri transcript",
);

/// `Annotation`.
static ANNOTATION: Shape = Object(
    &[
        ("type", Text),
        (
            "reason",
            OneOf(&["Hold", "SecurePause", "FlowOrQueue", "Pause"]),
        ),
        ("location", Number),
        ("durationMs", Number),
    ],
    "absoluteDurationMs absoluteLocation annotations description id name realtimeLocation \
     recordingDurationMs recordingLocation selfUri user",
);

/// `AddressableEntityRef`. `conversationId` is what the simulator names it.
static PROTECTED_ONE: Shape = Object(&[("id", Text)], "selfUri conversationId");

/// `BatchDownloadJobSubmissionResult`.
pub(super) static BATCH_SUBMITTED: Shape = Object(&[("*id", Text)], "selfUri");

/// `BatchDownloadJobStatusResult`.
pub(super) static BATCH: Shape = Object(
    &[
        ("*status", OneOf(&["InProgress", "Completed"])),
        ("expectedResultCount", Number),
        ("resultCount", Number),
        ("errorCount", Number),
        ("results", List(&BATCH_RESULT)),
    ],
    "id jobId selfUri",
);

/// `BatchDownloadJobResult`.
static BATCH_RESULT: Shape = Object(
    &[
        ("conversationId", Text),
        ("recordingId", Text),
        ("resultUrl", Text),
        ("contentType", Text),
        ("errorMsg", Text),
    ],
    "",
);

/// `ErrorBody`. Of every refusal.
pub(super) static ERROR: Shape = Object(
    &[
        ("message", Text),
        ("code", Text),
        ("status", Number),
        ("entityId", Text),
        ("details", Any),
    ],
    "contextId entityName errors limit messageParams messageWithParams",
);

/// A plain list of `Recording`.
pub(super) static RECORDINGS: Shape = List(&RECORDING);

/// A plain list of `AddressableEntityRef`.
pub(super) static PROTECTED: Shape = List(&PROTECTED_ONE);
