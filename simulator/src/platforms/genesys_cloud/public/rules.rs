//! What the public ingestion claims, rule by rule. What the vendor does not state is one rule each,
//! of grade assumed, with its setting where it has one.

use super::super::rules::rules;
use crate::rules::{Grade, Rule, default_of};

rules! {
    EVENT_BATCH = Documented, "public.event_batch", "a batch has 1 to 100 events over all its \
        lists; none is 400 zero.events.submitted, more is 400 max.batch.size.surpassed", "platform \
            API, BatchConversationEventRequest and its error codes";
    EVENT_ERRORS = Documented, "public.event_errors", "what is wrong with an event is an error of \
        that event inside a 200, and says whether it may be sent again", "platform API, \
            BatchEventResponse and EventError";
    EVENT_IDS = Documented, "public.event_ids", "eventId, conversationId, communicationId and \
        commandId are UUIDs of version 4 that the client chooses", "platform API, event models";
    EVENT_MALFORMED = Assumed, "public.event_malformed", "an event that lacks a field, has an \
        unknown one or a wrong value is refused alone, not retryable; a list the batch does not \
        have is 400 for the whole batch", "the models name required fields, not what a missing one \
            does";
    EVENT_EMAIL = Assumed, "public.event_email", "e-mail events are refused one by one, not \
        retryable: voice is simulated", "limit of this simulator";
    EVENT_ORDER = Assumed, "public.event_order", "events of a batch are taken by eventDateTime; at \
        the same instant established, answered, hold and audio, transfers, dispositions, ended", "the batch has a list for each kind and no order over them";
    EVENT_UNKNOWN_LEG = Assumed, "public.event_unknown_communication", "an event about a \
        conversation, communication or command not known yet is an error, retryable", "EventError.retryable names no case";
    EVENT_UNKNOWN_REFERENCE = Assumed, "public.event_unknown_reference", "an unknown user, queue, \
        skill, language or wrap-up code is an error, not retryable", "EventError.retryable names \
            no case";
    EVENT_CONTRADICTION = Assumed, "public.event_contradiction", "a second establishing or end of \
        a communication, an event before its communication or after its end, and events for a \
        conversation that was not injected are errors, not retryable", "no page states it";
    EVENT_REPEATED = Assumed, "public.event_repeated", "an eventId taken before is taken again \
        without error and without effect", "the ids are the client's so that events can be sent \
            again; no page states the effect";
    EVENT_REUSED = Assumed, "public.event_reused", "an eventId taken before with other content is \
        ignored", "no page states it", "reused_event_id = \"ignore\"";
    EVENT_BACKDATED = Assumed, "public.event_backdated", "events are taken however long ago they \
        happened", "no page states that eventDateTime may lie in the past, nor that it may not; \
            ask the vendor before a migration", "max_event_age_days absent";
    EVENT_TAG = Documented, "public.event_tag", "sourceConfiguration.tagId becomes the \
        conversation's externalTag", "platform API, SourceConfiguration";
    EVENT_KEPT = Documented, "public.event_additional_info", "additionalInfo is kept and not \
        searchable", "platform API, InitialConfiguration";
    EVENT_DIRECTION = Assumed, "public.event_direction", "the conversation's direction is that of \
        its first established event that states inbound; none: inbound", "inbound is said of a \
            communication, direction of a conversation";
    EVENT_CUSTOMER = Assumed, "public.event_customer", "the first external communication is the \
        customer, with ani and dnis; further ones and phones are external participants", "the models name communications, not participants";
    EVENT_QUEUE = Assumed, "public.event_queue", "a conversation has the queue of its first \
        routing event, else of the first user event that names one, and the skills of all routing \
        events", "this simulator keeps one queue a conversation";
    EVENT_AUDIO = Assumed, "public.event_audio", "audio and transfer events are checked and kept, \
        and change nothing a reader sees", "the read surface has no place for them";
    EVENT_MERGE = Assumed, "public.event_merge", "destinationConversationId is kept and moves \
        nothing", "no page states what a merge looks like afterwards";
    EVENT_PARTICIPANT = Assumed, "public.event_participant", "a participant's id is made by the \
        server; its communicationId is calls[].id and sessionId", "Call.id is the communication's \
            id; no page ties participants to events";
    ATTRIBUTES_MERGE = Assumed, "public.attributes_merge", "PATCH attributes sets the named ones, \
        leaves the others, and is taken after the end of the conversation too", "platform API \
            names the operation, not these cases";
    ATTRIBUTE_SEARCH = Observed, "public.attribute_search", "attributes/search is by \
        conversationId, divisionId, startTime and endTime only, all criteria at once; an \
        attribute's name, another operator, a group or another order is 400 Search not supported", "a third party's client, tested against the live API in 2026-07; another (genesys-admin-app) found AND only", "attribute_search = \"windows\"";
    ATTRIBUTE_ROW = Observed, "public.attribute_row", "a result has conversationId, startTime, \
        endTime, divisionIds, truncatedData and participantData with each participant's id, \
        purpose, sessions and attributes; conversations without attributes have none", "the same \
            client; returnFields is taken to name these fields";
    ATTRIBUTE_LIFE = Assumed, "public.attribute_life", "attributes/search finds a conversation for \
        30 days after it came into the organisation, however long ago it says it was", "third parties found 30 and 60 days, of calls that were recent; nobody states it of backdated ones", "attributes_found_days = 30";
    CUSTOM_ATTRIBUTES = Assumed, "public.custom_attributes", "the organisation has no schema of \
        custom attributes: a conversation has none, and a search finds none, whatever it asks", "limit of this simulator";
    TAGS = Documented, "public.tags", "PUT tags replaces the externalTag and answers 202", "platform API, PUT conversations/{id}/tags";
    UPLOAD_NAME = Documented, "public.upload_file_name", "fileName does not begin with a dot or \
        end with a slash, and has no whitespace and none of \\ { ^ } % ` ] \" > [ ~ < # |", "platform API, UploadUrlRequest";
    UPLOAD_LIFE = Documented, "public.upload_life", "a pre-signed upload address lives \
        signedUrlTimeoutSeconds, 1 to 604800, 600 where it is not given", "platform API, \
            UploadUrlRequest";
    UPLOAD_HEADERS = Documented, "public.upload_headers", "a pre-signed PUT needs exactly the \
        headers announced; else it is refused", "platform API, UploadUrlResponse";
    UPLOAD_HEADER_SET = Assumed, "public.upload_header_set", "announced are Content-MD5, \
        Content-Type and x-amz-server-side-encryption as asked for, and x-amz-tagging always; \
        refusals are XML as an S3 store gives them: 403 SignatureDoesNotMatch, 403 AccessDenied \
        when expired", "the model says only that there are headers; the store is taken to be S3";
    UPLOAD_MD5 = Assumed, "public.upload_wrong_md5", "bytes that do not have the announced MD5 are \
        refused with 400 BadDigest; without contentMd5 they are not checked", "S3's answer; the \
            vendor states none", "wrong_md5_status = 400";
    UPLOAD_PACKAGE = Observed, "public.upload_package", "the body is a ZIP with the audio and \
        metadata.json at top level; a folder inside makes it fail", "the vendor's upload sample";
    UPLOAD_ENTRIES = Assumed, "public.upload_entries", "the ZIP has exactly these two entries, \
        stored or deflated, not encrypted, the audio not empty; anything else makes it fail", "the sample shows no other";
    UPLOAD_METADATA = Assumed, "public.upload_metadata", "metadata.json has the fields of \
        scenarios/contracts/genesys_cloud/upload_recording.json, and an unknown or wrong one makes \
        the upload fail", "no source read shows its schema; ask the vendor before a migration";
    UPLOAD_NOT_PROBED = Assumed, "public.upload_not_probed", "the audio itself is not looked at: \
        what cannot be played is attached all the same", "no page states a check";
    UPLOAD_PROCESSING = Assumed, "public.upload_processing", "an upload is Pending while it is \
        processed, from the end of its PUT", "the status exists; no page states how long", "upload_processing_ms = 0";
    UPLOAD_ATTACH = Assumed, "public.upload_attach", "a recording is attached once its \
        conversation and communication are known, ended or not", "WaitForConversation names the \
            conversation only";
    UPLOAD_WAIT = Assumed, "public.upload_wait", "an upload without its conversation is \
        WaitForConversation; after a time it surfaces as an orphan recording and keeps that status \
        until it is attached", "the status and the orphans exist; no page ties them together or \
            says how long", "wait_for_conversation_ms = 86400000";
    UPLOAD_REPEATED = Assumed, "public.upload_repeated", "a recording id that is there with the \
        same bytes is Success and changes nothing; with other bytes, or in another conversation, \
        it is Failure", "no page states it";
    UPLOAD_RETENTION = Assumed, "public.upload_retention", "a deleteDate in metadata.json beyond \
        the organisation's maximum makes the upload fail", "the limit is documented for \
            recordings; metadata.json is not";
    REPORT_COLUMNS = Assumed, "public.report_columns", "an upload report is CSV with a heading, a \
        row an upload whose bytes arrived since dateSince, sorted by uploadKey", "the format has \
            not been seen", "report_columns = uploadKey, fileName, conversationId, recordingId, \
                status, dateUploaded, dateUpdated, message";
    REPORT_MOMENT = Assumed, "public.report_moment", "a report tells what was known when it was \
        asked for, and its address lives ten minutes", "no page states either", "report_ms = 0";
    ORPHAN_ATTACH = Documented, "public.orphan_attach", "PUT on an orphan makes it a recording of \
        the conversation; the orphan is gone", "platform API, PUT orphanrecordings/{id}";
    ORPHAN_LEG = Assumed, "public.orphan_leg", "an attached orphan hangs on the communication \
        metadata.json names where the conversation has it, else on its first agent; deleteDate \
        left out is that of metadata.json", "the request names the conversation only";
    ORPHAN_PROVIDER = Assumed, "public.orphan_provider", "an orphan of an upload has the \
        providerType PUREENGAGE", "the enumeration names hybrid platforms; none fits another \
            vendor's";
    ORPHAN_DELETED = Assumed, "public.orphan_deleted", "deleting an orphan makes its upload \
        Failure", "no page states it";
    EXTERNAL_IDS = Documented, "public.external_ids", "an external id belongs to one user, in its \
        exact case; taken is 409 general.resource.conflict, and so is the same user's own", "platform API, POST users/{id}/externalid";
    PROTECTION = Documented, "public.protection", "PUT deletionprotection applies or revokes, each \
        with its own permission, for at most 100 conversations", "platform API, PUT \
            recordings/deletionprotection";
    PROTECTION_UNKNOWN = Assumed, "public.protection_unknown", "a conversation that is not there \
        is passed over without a word", "the answer is 204 and has no room for it";
    RECORDING_DATES = Documented, "public.recording_dates", "PUT on a recording changes or removes \
        archiveDate and deleteDate; it needs recording:recording:editRetention", "platform API, \
            PUT conversations/{id}/recordings/{id}";
    RECORDING_DATES_ABSENT = Assumed, "public.recording_dates_absent", "a date that the body lacks \
        or gives as null is removed, and every other field of the body is passed over", "the body \
            is a whole Recording; no page states what absence means";
    POLICY_NOT_RETROACTIVE = Documented, "public.policy_not_retroactive", "a policy works on \
        recordings that come after it", "platform API, POST mediaretentionpolicies";
    POLICY_PAIRING = Assumed, "public.policy_pairing", "cross-platform policies govern uploaded \
        recordings, ordinary ones those of the guide's interactions", "the pairing is named \
            nowhere";
    POLICY_FIRST = Assumed, "public.policy_first", "the first enabled policy by order that fits a \
        recording without a deleteDate decides; alwaysDelete or deleteRecording without retention \
        deletes at once", "order exists; no page states how policies combine";
    POLICY_DAYS = Assumed, "public.policy_days", "a policy's days are counted from the recording's \
        creation", "deleteRetention has days and no beginning", "policy_days_from = \"creation\"";
    POLICY_CONDITIONS = Assumed, "public.policy_conditions", "queues, users, wrap-up codes, \
        directions and media types are evaluated; any other condition or action is 400 \
        recording.media.policy.invalid, never ignored", "limit of this simulator; a silent \
            condition would delete the wrong recordings";
    POLICY_UPDATED = Assumed, "public.policy_updated", "PUT replaces the whole policy: what the \
        body lacks is no more, and enabled left out is false", "the body is a whole Policy; no \
            page states what absence means";
    POLICY_PATCHED = Documented, "public.policy_patched", "PATCH changes enabled and nothing else \
        of a policy; another field is 400", "platform API, PolicyUpdate and \
            CrossPlatformPolicyUpdate";
    POLICIES_DELETED = Documented, "public.policies_deleted", "DELETE with ids deletes those that \
        are policies of the family and passes over the others; without ids it is 400", "platform \
            API, DELETE recording/mediaretentionpolicies";
    POLICY_GONE = Assumed, "public.policy_gone", "a policy that is changed, disabled or deleted \
        leaves the dates it has given as they are", "a policy does not work retroactively; no page \
            says what its end does";
    EXTERNAL_ID_FIRST = Assumed, "public.external_id_first", "a user's external id for an \
        authority is the first by key where there are several", "the answer is one identifier; a \
            user may have many of one authority";
    AUDIT_QUERY = Assumed, "public.audit_query", "an audit query tells what was known when it was \
        asked: Queued, Running and then Succeeded", "the states are listed; no page says how long \
            a query runs or what its moment is", "audit_query_ms = 0";
    AUDIT_WHAT = Assumed, "public.audit_what", "the audit has an entry for each change of a \
        retention policy, a recording's dates, a deletion protection, a recording job, an orphan \
        and a user's external ids, in time order, at once, whatever divisions a role covers; what \
        injection and uploads make has none, nor have annotations and the writing of users, \
        queues, wrap-up codes, skills and divisions", "no page read lists what is audited, nor how \
            soon";
    AUDIT_NAMES = Assumed, "public.audit_names", "every entry is of the service Quality; actions \
        are Create, Update and Delete; entity types are Policy, Recording, Conversation, \
        RecordingJob, OrphanRecording and User", "platform API points to \
            audits/query/servicemapping, which no page read shows";
    JOB_CONCURRENT = Documented, "public.job_concurrent", "an organisation has at most two \
        recording jobs pending or processing", "platform API, POST recording/jobs";
    JOB_CONCURRENT_STATUS = Assumed, "public.job_concurrent_status", "a third recording job is 409 \
        request.conflict", "the limit is stated, the refusal is not";
    JOB_SUBMITTER = Documented, "public.job_submitter", "a recording job is executed by whom it \
        was created by; others are 403", "platform API, PUT recording/jobs/{id}";
    JOB_PROGRESS = Assumed, "public.job_progress", "a job is PENDING, then READY with its totals, \
        PROCESSING once executed, then FULFILLED with all dates set at once; protected and lost \
        recordings are skipped", "the states are listed; no page states their order or what is \
            skipped", "recording_job_ms = 0";
    JOB_LAG = Documented, "public.job_lag", "a new recording may take up to 48 hours to be found \
        by a job's conversation query", "platform API, RecordingJobsQuery", "recording_job_lag_ms \
            = 0";
    JOB_EXPORT = Assumed, "public.job_export", "EXPORT is 400 unless it names the organisation's \
        export integration, and an orphan's export is 400 always", "an export needs an \
            integration; no page states the refusal", "export_integration absent";
    JOB_EXPORTED = Assumed, "public.job_exported", "an exported recording has its exportDate, and \
        exportedDate once that has come; nothing is written anywhere; clearExport removes dates \
        that have not come", "limit of this simulator: the bucket is the customer's";
    JOB_DELETED = Assumed, "public.job_deleted", "DELETE cancels a recording job that has not \
        ended, which stays as CANCELLED and sets no date; one that has ended is taken from the \
        list", "platform API, DELETE recording/jobs/{id}: delete the recording bulk job; the state \
            CANCELLED exists";
    UNKNOWN_PARAMETER = Assumed, "api.unknown_parameter", "a parameter that the API description \
        does not give an operation is passed over, as if it were not there; one that it gives and \
        this simulator does not evaluate is 400", "no source read says what the vendor does with \
            it; most services pass it over, and a refusal would fail a client here that works \
            there: switch the refusal on to find misspelt parameters", "refuse_unknown_parameters \
                = false";
    MALFORMED_ID = Assumed, "public.malformed_id", "an id in a path that is no UUID is 404 as an \
        unknown one, in the operation's own words", "platform API has 400 codes for malformed \
            values and ties none to ids in a path", "malformed_id_status = 404";
    ORPHAN_MEDIA = Assumed, "public.orphan_media", "an orphan's media are a Recording with \
        mediaUris, transcoded and signed as a conversation's recordings are", "platform API, GET \
            orphanrecordings/{id}/media, says 202 while transcoding; not how long an address lives";
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_rule_of_the_simulators_has_its_own_name_a_statement_and_a_source() {
        let all = crate::platforms::registry::all_rules();
        let mut names: Vec<_> = all.iter().map(|rule| rule.name).collect();
        names.dedup();
        assert_eq!(names.len(), all.len());
        assert!(
            all.iter()
                .all(|rule| !rule.source.is_empty() && !rule.statement.is_empty())
        );
    }

    #[test]
    fn every_setting_of_the_public_ingestion_is_the_default_of_one_rule() {
        let settings =
            serde_json::to_value(super::super::PublicSettings::default()).expect("settings");
        for name in settings.as_object().expect("a table").keys() {
            let of_it = super::ALL.iter().filter(|rule| {
                rule.default
                    .is_some_and(|default| default.starts_with(name.as_str()))
            });
            assert_eq!(of_it.count(), 1, "{name}");
        }
    }
}
