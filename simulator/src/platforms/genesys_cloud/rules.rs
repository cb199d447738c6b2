//! What this platform claims, rule by rule, with the grade of the claim and who makes it. Numbers
//! are in `limits`.

use crate::rules::{Grade, Rule, default_of};

macro_rules! rules {
    ($($rules:tt)*) => {
        crate::rules::rules! { "genesys_cloud.": $($rules)* }
    };
}
pub(super) use rules;

rules! {
    CONTENT_TYPE = Documented, "api.content_type", "a body of another content type is 415 \
        unsupported.media.type", "platform API, error codes of every operation";
    MISSING_PERMISSIONS = Documented, "api.missing_permissions", "a missing scope or permission is \
        403 missing.permissions naming it", "platform API, error codes; recording-migration guide, \
            prerequisites";
    UNKNOWN_CLIENT = Observed, "token.unknown_client", "an unknown client is 400 invalid_client, \
        client not found", "go-gcloudcx client test; open-data-exporter issue 1";
    WRONG_SECRET = Assumed, "token.wrong_secret", "a wrong secret is 401 invalid_client, \
        authentication failed", "words from CallFlowVisualizer issues 8 and 9; no source states \
            the status";
    UPLOAD_SAME_NAME = Assumed, "guide.upload_same_name", "a file of a known name with \
        overwrite=true keeps its id and replaces the content", "the guide names the field, not \
            what it does";
    UPLOAD_NO_OVERWRITE = Assumed, "guide.upload_no_overwrite", "a file of a known name with \
        overwrite=false is 409 with the id", "the guide names the field, not what it does";
    UPLOAD_WHOLE = Assumed, "guide.upload_whole", "an upload whose body is malformed, cut or lacks \
        a part is 400 and leaves nothing behind", "the guide states no errors";
    EXTERNAL_TAG = Assumed, "guide.external_tag", "an interaction's externalTag becomes the \
        conversation's", "extra field; the guide has no place for a legacy id";
    UNKNOWN_USER_OR_QUEUE = Documented, "guide.unknown_user_or_queue", "an unknown userId or \
        queueId is 400 naming the field", "recording-migration guide, section 2 and edge case 2";
    UNKNOWN_REFERENCE = Assumed, "guide.unknown_reference", "an unknown wrapUpCode, skill id or \
        fileId is 400 naming the field", "the guide states it for users and queues only";
    ANY_USER_STATE = Assumed, "guide.any_user_state", "an inactive or deleted user is still a \
        valid agent of a historical call", "no source states otherwise";
    UTC_TIMES = Documented, "guide.utc_times", "times of the guide's interactions are ISO 8601 \
        with Z; anything else is 400, +00:00 too: the guide's text asks for Z, though its own \
        normalize_timestamp prints +00:00", "recording-migration guide, edge case 1, whose text \
            and code contradict each other";
    ENUMERATED = Documented, "api.enumerated_values", "a parameter of an address whose values are \
        enumerated, or that is true or false, is 400 invalid.query.param.value with any other \
        value", "platform API, parameters and error codes of every operation";
    UNKNOWN_PROPERTY = Documented, "api.unknown_property", "a field that a body does not have is \
        400 invalid.property naming it", "platform API, error codes of every operation; which \
            bodies refuse which fields is assumed";
    BY_ID = Documented, "read.by_id", "a user, queue, wrap-up code, skill or division is read by \
        its id; an unknown one is 404", "platform API, GET users/{userId}, \
            routing/queues/{queueId}, routing/wrapupcodes/{codeId}, routing/skills/{skillId}, \
            authorization/divisions/{divisionId}";
    ORGANIZATION = Assumed, "read.organization", "organizations/me tells the id that tokens/me \
        tells, a name, the state active and the platform GenesysCloud", "platform API, \
            Organization, names the fields; this simulator has one organisation";
    NATIVE_CALLS = Assumed, "source.native_calls", "a call that was taken and recorded here has a \
        participant for the customer, one for its queue and one for each agent, each with one voice \
        session; a recording names the session of its agent, carries the date of its deletion, and \
        marks secure pauses as annotations of the kind pause", "platform API, \
            AnalyticsConversation, Recording and Annotation, names the fields; how one call fills \
            them is no page's";
    USERS_SORT_ORDER = Assumed, "read.users_sort_order", "users are listed by name, then id; \
        sortOrder takes ascending and descending, and ASC and DESC too", "platform API enumerates \
            the long words and gives ASC as the default";
    SEGMENT_FILTERS = Assumed, "read.segment_filters", "a segment filter holds where one segment \
        of the conversation has everything it asks for; several filters may be met by several \
        segments; queueId, userId, mediaType, purpose, direction, ani, dnis, segmentType and \
        wrapUpCode are evaluated", "platform API, SegmentDetailQueryFilter, does not say whether \
            one segment has to meet all predicates";
    AGGREGATES = Assumed, "read.aggregates", "aggregates count conversations by the stretch of \
        time they started in, at once; nConversations, nOffered (of a queue), nOutbound, \
        nConnected (agents' legs) and tTalk, tHeld and tHandle (an agent's speech and holds, ms) \
        are evaluated, any other metric, view or sorting is 400; a stretch or group without \
        conversations is left out", "the vendor's SDKs, ConversationAggregationQuery, name the \
            fields and metrics, not how they are counted";
    AGGREGATE_GROUPS = Assumed, "read.aggregate_groups", "an aggregates query groups and filters \
        by its agents and queues, by the customer where there is neither; every group names its \
        mediaType; it needs analytics:conversationAggregate:view", "the vendor's SDKs name the \
            dimensions; the vendor's description (Swagger) does not have the operation";
    ANNOTATION_WRITTEN = Assumed, "read.annotation_written", "an annotation is a bookmark unless \
        it says another type, a pause too; PUT replaces what a client may say of it and leaves \
        type and reason where none is given; a recording shows it at once among its others; to \
        write one needs recording:annotation:add, edit or delete", "platform API, Annotation and \
            its operations, which any of several permissions opens, recording:recording:view among \
            them; which types a client may make is said nowhere";
    PAUSES_SHARE_AN_ID = Documented, "read.pauses_share_an_id", "all pauses that a recording came \
        with share one id, others have their own; by that id the first is read, with all of them \
        inside, the first is changed, and all are deleted", "platform API, Annotation.id; what \
            reading, changing and deleting by it does is assumed";
    NONE_IS_ABSENT = Assumed, "api.none_is_absent", "a field without a value is left out, but for \
        startTime and endTime of a recording without media, which the model itself calls null", "the models name no null elsewhere";
    TRANSCODED_SIZE = Assumed, "read.transcoded_size", "a recording in a playable format has \
        outputDurationMs and outputSizeInBytes of that format, 0 where it has no media, and the \
        time its transcoding took; while it is transcoded, the time that takes", "platform API, \
            Recording, names the fields";
    DATE_OFFSETS = Documented, "api.date_offsets", "a time, and each end of an interval, is ISO \
        8601 with Z or an offset, as the vendor's Python SDK writes a datetime", "platform API, \
            format date-time; SDK api_client.py, isoformat()";
    NAIVE_DATES = Assumed, "api.naive_dates", "a time without Z or an offset is 400 invalid.date", "no page says which zone it would be in";
    END_BEFORE_START = Assumed, "guide.end_before_start", "an end before its start is 400", "the guide asks the client to swap them and states no refusal";
    NO_PARTICIPANTS = Assumed, "guide.no_participants", "an interaction without participants, \
        segments or routing is taken: nobody is in the call but a customer of whom nothing is \
        known", "the guide's example has them and calls none required; calls that no agent took \
            are migrated too";
    DIRECTION = Documented, "guide.direction", "direction is inbound or outbound", "recording-migration guide, section 2; platform API, Call";
    DELETED = Documented, "read.deleted", "a recording whose deleteDate has come is DELETED: it \
        has no media, no mediaUris and no times, and its dates are changed no more", "platform \
            API, Recording: deleteDate and fileState; recording.not.archivable";
    DELETED_WHEN = Assumed, "read.deleted_when", "a recording is deleted the moment its deleteDate \
        comes, at once where that has passed already; it stays in listings and metadata as \
        DELETED, is no more in retention/query, an error in a batch, and 404 NoSuchKey at \
        addresses given out before", "no page says how soon, nor what is still listed";
    DELETION_HELD = Assumed, "read.deletion_held", "a protected conversation's recordings are not \
        deleted; those whose date has passed meanwhile go when the protection is lifted", "platform API names the protection, not what becomes of a date that passes under it";
    EXISTING_ID = Assumed, "guide.existing_id", "creating an interaction whose id exists is 409 \
        with the id", "no page says";
    UPDATE_REPLACES = Assumed, "guide.update_replaces", "PUT replaces the whole interaction; an id \
        in the body must be the path's", "no page says";
    RETENTION_TAG = Assumed, "guide.retention_tag", "a retention tag the organisation knows \
        deletes its years after the conversation's start, unless a deleteDate is given; an unknown \
        tag triggers nothing", "recording-migration guide step 3.3 names tags, not what they do";
    RETENTION_MAX = Documented, "guide.retention_max", "a deletion date beyond the organisation's \
        maximum is 400 recording.recording.analytics.retention.violation", "platform API, error \
            codes of recordings; help page on maximum interaction data retention";
    RETENTION_MAX_FROM = Assumed, "read.retention_max_from", "the organisation's maximum retention \
        is counted from the start of the conversation", "help page on maximum interaction data \
            retention: of interactions; it names no moment";
    NO_RETENTION_MAX = Assumed, "read.no_retention_max", "an organisation without a maximum \
        retention answers analytics/dataretention/settings without retentionDays", "platform API, \
            AnalyticsDataRetentionResponse (its SDKs, 2024): no field is called required";
    DELETION_PROTECTION = Assumed, "guide.deletion_protection", "deletionProtection on an \
        interaction protects the whole conversation", "the public API protects by conversation; \
            the guide has no field";
    PROTECTED_TOO_MANY = Assumed, "read.protected_too_many", "protecting a conversation beyond the \
        organisation's maximum is 400, and of such a request nothing is done", "the help page \
            states the maximum, not what refuses the next";
    UNLINKED_RECORDING = Assumed, "guide.unlinked_recording", "a recording without fileId stays \
        UPLOADING until an update links a file", "recording-migration guide step 3.2";
    ATTRIBUTES = Assumed, "read.attributes", "an interaction's attributes stand on the customer \
        participant; one is made where none was given", "the guide's interactions and the public \
            participants have no common description";
    ACD_PARTICIPANT = Assumed, "read.acd_participant", "a conversation with a queue and no agent \
        has an acd participant that carries the queue", "analytics knows the purpose acd; the \
            guide's payload does not say who carries the queue";
    USERS_DEFAULT_ACTIVE = Documented, "read.users_default_active", "users are listed by state, \
        active unless the request says otherwise", "platform API, GET /api/v2/users";
    TRANSCODING = Documented, "read.transcoding", "a recording being transcoded is 202 without a \
        body; NONE needs no transcoding", "platform API, GET conversations/{id}/recordings; \
            laggyzee/genesys-mcp PR 16";
    MAX_WAIT = Documented, "read.max_wait", "GET recordings waits up to maxWaitMs, a positive \
        number, 5000 where none is given: 200 as soon as all are transcoded, else 202", "platform \
            API, GET conversations/{id}/recordings";
    MEDIA_ENCODED = Assumed, "read.media_formats", "every format is really encoded for playback \
        with all channels of the recording, two at most; Opus at 32 kbit/s a channel, Vorbis by \
        quality, MP3 by quality", "the formats are listed; no page states their settings";
    RETENTION_THRESHOLD = Assumed, "read.retention_threshold", "retention/query answers recordings \
        kept longer than the threshold from now; 0 answers all that the organisation keeps", "platform API requires the parameter; 0 is not described";
    BATCH_SUBMITTER = Documented, "read.batch_submitter", "only the client that submitted a batch \
        request reads it; others are 403", "platform API, batch.download.permission.denied";
    BATCH_ERRORS = Documented, "read.batch_errors", "an item of a batch may carry errorMsg instead \
        of an address", "platform API, BatchDownloadJobResult";
    PRESIGNED = Documented, "read.presigned", "a pre-signed address takes no token and expires", "platform API, recording settings";
    PRESIGNED_STORE = Assumed, "read.presigned_store", "the store behind pre-signed addresses \
        refuses in XML as S3 does, for downloads as for uploads: 403 SignatureDoesNotMatch, 403 \
        AccessDenied when expired, 404 NoSuchKey without media, 416 InvalidRange", "no page names \
            the store";
    JOB_LAG = Documented, "read.job_lag", "analytics jobs lag behind; dataAvailabilityDate says \
        how far", "platform API, details/jobs/availability; developer blog (up to 24 h)";
    DETAILS_BY_ID = Assumed, "read.details_by_id", "details by id know a conversation at once, as \
        the query does; of many ids those that are unknown are left out, and no id answers no \
        conversation", "platform API, GET analytics/conversations/details and {id}/details, names \
            neither lag nor unknown ids";
    DETAILS_JOB_DELETED = Assumed, "read.details_job_deleted", "a deleted details job is 404 from \
        then on, finished or not", "platform API, DELETE details/jobs/{id}: delete or cancel";
    RECORDING_SETTINGS = Assumed, "read.recording_settings", "recording/settings has the life of \
        pre-signed addresses twice, for playback and batches, and no screen recording or regional \
        storage", "platform API, RecordingSettings, has two lives; this simulator sets one";
    LIMIT_DEFAULTS = Assumed, "read.limit_defaults", "a namespace's default limits are those of an \
        organisation with nothing set; an unknown namespace is 400", "platform API, GET \
            limits/namespaces/{name}/defaults, names the refusal, not the numbers";
    TOKEN_DELETED = Documented, "token.deleted", "DELETE tokens/me ends the token it is made with; \
        the next request is 401 bad.credentials", "platform API, DELETE tokens/me";
    WRAPUP_NONE = Assumed, "read.wrapup_none", "the wrap-up of a participant that is unknown or \
        has none is 404", "platform API, GET participants/{id}/wrapup, names no case";
    USERS_QUERY = Assumed, "read.users_query", "users/query answers by name, then id", "platform \
        API has a sort order and no field";
    USERS_SEARCH = Assumed, "read.users_search", "users/search evaluates EXACT, STARTS_WITH and \
        CONTAINS on name, email, id and state, in any case of letters, all criteria at once; \
        deleted users are found only where a criterion names the state; anything else is 400, \
        never ignored", "platform API, UserSearchCriteria; the vendor's Terraform provider asks \
            for deleted users by state";
    QUEUE_WRAPUPCODES = Assumed, "read.queue_wrapupcodes", "every queue has every wrap-up code of \
        the organisation", "limit of this simulator: its world ties no codes to queues";
    JOB_ACTIVITY = Documented, "read.job_activity", "a job's interval matches any activity in it, \
        the query's the conversation's start", "platform API, AsyncConversationQuery; \
            estuary/connectors";
    UNSUPPORTED_FILTER = Assumed, "read.unsupported_filter", "a filter this simulator does not \
        know is 400, never ignored", "a silent filter would make an audit wrong";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_its_own_name_and_a_source() {
        let mut names: Vec<_> = ALL.iter().map(|rule| rule.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        assert!(
            ALL.iter()
                .all(|rule| !rule.source.is_empty() && !rule.statement.is_empty())
        );
    }
}
