//! What is claimed about what a client does not see, and about the limits that tokens share.

use crate::platforms::genesys_cloud::rules::rules;
use crate::rules::{Grade, Rule, default_of};

rules! {
    SENSITIVE_WHICH = Assumed, "access.sensitive_which", "redaction is enabled; which recordings \
        have sensitive data is drawn by seed and recording id", "the vendor finds sensitive data \
            by what was said", "sensitive_share = 0";
    SENSITIVE_BATCH = Documented, "access.sensitive_batch", "a client without \
        recording:recording:viewSensitiveData has sensitive recordings left out of its batch \
        downloads", "platform API, POST recording/batchrequests";
    SENSITIVE_COUNT = Assumed, "access.sensitive_count", "what a batch leaves out it does not \
        count: no result, no error, not in expectedResultCount", "the description says excluded";
    SENSITIVE_REDACTED = Documented, "access.sensitive_redacted", "a client without \
        recording:recording:viewSensitiveData is played redacted recordings", "platform API, GET \
            conversations/{id}/recordings";
    REDACTED_HOW = Assumed, "access.redacted_how", "a redacted recording is silence of the same \
        length, channels and rate in the format asked for", "the description says redacted";
    SENSITIVE_LISTED = Assumed, "access.sensitive_listed", "recordings, their metadata and \
        retention/query list a sensitive recording as any other", "no page says they hide it";
    SENSITIVE_JOBS = Documented, "access.sensitive_jobs", "a recording job leaves sensitive \
        recordings out unless includeRecordingsWithSensitiveData is true", "platform API, \
            RecordingJobsQuery";
    DIVISIONS = Assumed, "access.divisions", "queues, users and wrap-up codes stand in a division \
        drawn by seed and id; a conversation stands in its queue's, without a queue in the home \
        division", "no page says how a conversation of a queue gets its division", "divisions = \
            [\"Home\"]";
    DIVISION_LISTS = Documented, "access.division_lists", "queues and wrap-up codes are listed of \
        the divisions the client's role covers, without a word about others", "platform API, GET \
            routing/queues", "client_divisions = []";
    DIVISION_REFUSED = Assumed, "access.division_refused", "a conversation, its parts, recordings, \
        metadata, annotations and details by its id, a queue's wrap-up codes, and a change of a \
        recording's dates, are 403 missing.division.permission where the role does not cover the \
        division", "platform API has the code for these operations, not the case";
    DIVISION_SILENT = Assumed, "access.division_silent", "analytics details of many, attribute \
        searches, retention/query, deletion protection and recording jobs leave conversations of \
        other divisions out without a word", "no page says what they do with them";
    DIVISION_BATCH = Assumed, "access.division_batch", "a batch's item of another division has \
        errorMsg", "platform API has the field, not the case";
    DIVISION_WRITES = Assumed, "access.division_writes", "events, uploads, tags, attributes and \
        orphans are not held against divisions", "limit of this simulator";
    DIVISIONS_LISTED = Assumed, "access.divisions_listed", "every division is listed, the home \
        division first, whatever the role covers; name is a beginning, or has an asterisk at an \
        end", "platform API, GET authorization/divisions, names a search term only";
    ARCHIVED_STUB = Observed, "access.archived_stub", "an archived recording is a stub: \
        archiveDate and archiveMedium, no mediaUris, no times, no sessionId", "laggyzee/genesys-mcp PR 16";
    ARCHIVED_WHEN = Assumed, "access.archived_when", "a recording is archived from its archiveDate \
        on; the share that is drawn by seed and recording id, from its creation", "no page says \
            how soon", "archived_share = 0";
    ARCHIVED_BATCH = Assumed, "access.archived_batch", "an archived recording, or one being \
        restored, is an item with errorMsg in a batch", "platform API has the field, not the case";
    RESTORE = Documented, "access.restore", "PUT that changes the archiveDate of an archived \
        recording restores it until the new date, and needs recording:recording:restore instead of \
        editRetention", "platform API, PUT conversations/{id}/recordings/{id}";
    RESTORE_TIME = Assumed, "access.restore_time", "a recording being restored is RESTORING, still \
        a stub but for its sessionId, then RESTORED; a new date in the past leaves it archived", "the states are listed; no page says how long", "restore_ms = 0";
    ORG_RATE = Observed, "access.org_rate", "all tokens of an organisation share a limit a minute; \
        the next request is 429 naming org.app.user.rate.per.minute; 0: none", "a third party's \
            copy of the limits page, which a community answer contradicts in the number", "org_requests_per_minute = 0";
    ROUTE_RATE = Assumed, "access.route_rate", "an operation may have a limit a minute that all \
        tokens share, named after it; a request counts in every window, refused or not, and of \
        several full ones the token's is told, then the organisation's, then the operation's", "the vendor says that services have limits of their own; no page lists keys for these operations", "route_requests_per_minute = {}";
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_setting_of_what_is_hidden_is_the_default_of_one_rule() {
        let settings =
            serde_json::to_value(super::super::AccessSettings::default()).expect("settings");
        for name in settings.as_object().expect("a table").keys() {
            let of_it = super::ALL.iter().filter(|rule| {
                rule.default
                    .is_some_and(|default| default.starts_with(name.as_str()))
            });
            assert_eq!(of_it.count(), 1, "{name}");
        }
    }
}
