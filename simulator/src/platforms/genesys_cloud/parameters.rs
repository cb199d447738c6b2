//! Parameters of an address's query, before any handler reads them: values that the API description
//! enumerates are held to it, what is not evaluated here is refused, and what the description does
//! not have is passed over unless a scenario says otherwise.

use http::Uri;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{GenesysCloud, endpoint::Query, errors::ApiError, limits, rules, validate::uuid};
use crate::operations::Operation;

/// What a parameter may be.
enum Values {
    /// One of these, or a list of them.
    OneOf(&'static [&'static str]),
    /// `true` or `false`, in any case of letters: the vendor's Python SDK writes `True`.
    Boolean,
    /// Nothing: it is in the API description and not evaluated here.
    Refused,
}

use Values::{Boolean, OneOf, Refused};

/// What users and searches of them may be expanded by. Source: platform API, GET /api/v2/users.
pub(super) const USER_EXPANSIONS: &[&str] = &[
    "routingStatus",
    "presence",
    "integrationPresence",
    "conversationSummary",
    "outOfOffice",
    "geolocation",
    "station",
    "authorization",
    "lasttokenissued",
    "authorization.unusedRoles",
    "team",
    "workPlanBidRanks",
    "externalContactsSettings",
    "groups",
    "customAttributes",
    "profileSkills",
    "certifications",
    "locations",
    "skills",
    "languages",
    "languagePreference",
    "employerInfo",
    "biography",
    "dateLastLogin",
    "dateWelcomeSent",
];
/// Where a user's presence may come from besides. Source: platform API, GET /api/v2/users.
pub(super) const PRESENCE_SOURCES: &[&str] = &["MicrosoftTeams", "ZoomPhone", "EightByEight"];

const USERS: &[&str] = &[
    "genesys_cloud.list_users",
    "genesys_cloud.query_users",
    "genesys_cloud.get_user",
    "genesys_cloud.find_external_id",
];
const MEMBERS: &[&str] = &["genesys_cloud.list_queue_members"];
const BY_NAME: &[&str] = &[
    "genesys_cloud.list_user_skills",
    "genesys_cloud.list_languages",
];
const QUEUES: &[&str] = &["genesys_cloud.list_queues", "genesys_cloud.get_queue"];
const POLICIES: &[&str] = &[
    "genesys_cloud.list_policies",
    "genesys_cloud.list_crossplatform_policies",
];
/// Lists whose `sortBy`, `expand`, `nextPage` and `previousPage` are free texts in the API
/// description.
const GENERIC_LISTS: &[&str] = &[
    "genesys_cloud.list_divisions",
    "genesys_cloud.list_orphans",
    "genesys_cloud.list_policies",
    "genesys_cloud.list_crossplatform_policies",
];
const RECORDINGS: &[&str] = &[
    "genesys_cloud.get_recording",
    "genesys_cloud.get_orphan_media",
];
const PAGED_BY_NUMBER: &[&str] = &[
    "genesys_cloud.list_recording_jobs",
    "genesys_cloud.list_failed_recordings",
];
const ANY: &[&str] = &[];

/// Which operations (none named: every one that has it), which parameter, what it may be. The first
/// row that fits decides.
const TABLE: &[(&[&str], &str, Values)] = &[
    (USERS, "expand", OneOf(USER_EXPANSIONS)),
    (MEMBERS, "expand", OneOf(USER_EXPANSIONS)),
    (MEMBERS, "sortOrder", OneOf(&["asc", "desc"])),
    (MEMBERS, "memberBy", OneOf(&["user", "group"])),
    (
        BY_NAME,
        "sortOrder",
        OneOf(&["ascending", "descending", "ASC", "DESC"]),
    ),
    (QUEUES, "expand", OneOf(&["identityresolution"])),
    (
        &["genesys_cloud.get_audit_results"],
        "expand",
        OneOf(&["user"]),
    ),
    (GENERIC_LISTS, "expand", Refused),
    (GENERIC_LISTS, "sortBy", Refused),
    (GENERIC_LISTS, "nextPage", Refused),
    (GENERIC_LISTS, "previousPage", Refused),
    (PAGED_BY_NUMBER, "cursor", Refused),
    (ANY, "integrationPresenceSource", OneOf(PRESENCE_SOURCES)),
    (
        &["genesys_cloud.get_user"],
        "state",
        OneOf(&["active", "deleted"]),
    ),
    (
        &["genesys_cloud.list_recording_jobs"],
        "state",
        OneOf(&[
            "FULFILLED",
            "PENDING",
            "READY",
            "PROCESSING",
            "CANCELLED",
            "FAILED",
        ]),
    ),
    (
        ANY,
        "state",
        OneOf(&["active", "inactive", "deleted", "any"]),
    ),
    // The description enumerates the long words and names ASC as the default: both are taken.
    (
        &["genesys_cloud.list_users"],
        "sortOrder",
        OneOf(&["ascending", "descending", "ASC", "DESC"]),
    ),
    (
        &["genesys_cloud.query_users"],
        "sortOrder",
        OneOf(&["ASC", "DESC"]),
    ),
    (
        &["genesys_cloud.list_queues"],
        "sortOrder",
        OneOf(&["asc", "desc"]),
    ),
    (
        &["genesys_cloud.list_wrapupcodes"],
        "sortOrder",
        OneOf(&["ascending", "descending"]),
    ),
    (
        &["genesys_cloud.list_wrapupcodes"],
        "sortBy",
        OneOf(&["name", "id"]),
    ),
    (
        &["genesys_cloud.list_recording_jobs"],
        "sortBy",
        OneOf(&["userId", "dateCreated"]),
    ),
    (ANY, "jobType", OneOf(&["ARCHIVE", "DELETE", "EXPORT"])),
    (ANY, "media", OneOf(&["Call", "Screen"])),
    (ANY, "formatId", OneOf(super::read::FORMATS)),
    (ANY, "mediaFormats", OneOf(super::read::FORMATS)),
    (RECORDINGS, "emailFormatId", OneOf(&["EML", "NONE"])),
    (RECORDINGS, "chatFormatId", OneOf(&["ZIP", "NONE"])),
    (RECORDINGS, "messageFormatId", OneOf(&["ZIP", "NONE"])),
    (RECORDINGS, "download", Boolean),
    (POLICIES, "enabled", Boolean),
    (POLICIES, "summary", Boolean),
    (POLICIES, "hasErrors", Boolean),
    (ANY, "allowRedirect", Boolean),
    (ANY, "clearExport", Boolean),
    (ANY, "createDefault", Boolean),
    (ANY, "hasConversation", Boolean),
    (ANY, "hasPeer", Boolean),
    (ANY, "includePauseAnnotationsForScreenRecordings", Boolean),
    (ANY, "includeTotal", Boolean),
    (ANY, "joined", Boolean),
    (ANY, "objectCount", Boolean),
    (ANY, "preserveIdleTTL", Boolean),
    (ANY, "protect", Boolean),
    (ANY, "provisional", Boolean),
    (ANY, "showOnlyMyJobs", Boolean),
];

/// Whether a text is one of the two truths, and which; absent for any other text.
pub(super) fn truth(text: &str) -> Option<bool> {
    [("true", true), ("false", false)]
        .into_iter()
        .find(|(word, _)| text.eq_ignore_ascii_case(word))
        .map(|(_, truth)| truth)
}

impl Query {
    /// A parameter that is `true` or `false`; absent where it is not given. Other texts were
    /// refused before.
    pub(super) fn truth(&self, name: &str) -> Option<bool> {
        self.one(name).and_then(truth)
    }
}

fn values(operation: &Operation, name: &str) -> Option<&'static Values> {
    let row = TABLE.iter().find(|(operations, of, _)| {
        *of == name && (operations.is_empty() || operations.contains(&operation.name))
    });
    row.map(|(_, _, values)| values)
}

/// Whether an operation is the vendor's own, not the guide's and not the store's.
fn is_public(operation: &Operation) -> bool {
    operation.path.starts_with("/api/v2/")
        && !operation.path.starts_with("/api/v2/interactions")
        && operation.path != "/api/v2/files"
}

/// Parameters that are lists.
const LISTS: &[&str] = &[
    "cannedResponseLibraryId",
    "divisionId",
    "expand",
    "id",
    "ids",
    "jabberId",
    "mediaFormats",
    "peerId",
];

/// What a parameter may be, as a schema of OpenAPI; absent where it is never taken.
pub(crate) fn schema_of_parameter(operation: &Operation, name: &str) -> Option<Value> {
    let whole =
        |least: u64, most: u64| json!({"type": "integer", "minimum": least, "maximum": most});
    let one = match values(operation, name) {
        Some(Refused) => return None,
        Some(Boolean) => json!({"type": "boolean"}),
        Some(OneOf(known)) => json!({"type": "string", "enum": known}),
        None => match name {
            "pageSize" => whole(1, largest_page(operation)),
            "pageNumber" => whole(1, u64::from(u32::MAX)),
            "maxWaitMs" => whole(1, u64::from(u32::MAX)),
            "retentionThresholdDays" => whole(0, 100_000),
            "deleteDaysThreshold" => whole(0, u64::from(u32::MAX)),
            _ => json!({"type": "string"}),
        },
    };
    Some(if LISTS.contains(&name) {
        json!({"type": "array", "items": one})
    } else {
        one
    })
}

/// The largest page that an operation answers.
fn largest_page(operation: &Operation) -> u64 {
    let most = match operation.name {
        "genesys_cloud.list_queue_members" => &limits::MEMBERS_PAGE_MAX,
        "genesys_cloud.list_failed_recordings" => &limits::FAILED_PAGE_MAX,
        "genesys_cloud.get_details_results" => &limits::RESULTS_PAGE_MAX,
        "genesys_cloud.get_audit_results" => &limits::AUDIT_PAGE_MAX,
        "genesys_cloud.query_retention" => &limits::RETENTION_PAGE_MAX,
        _ => &limits::PAGE_SIZE_MAX,
    };
    most.value
}

impl GenesysCloud {
    /// Holds the address of a request against the table, before its handler sees it.
    pub(super) fn check_address(
        &self,
        operation: &'static Operation,
        uri: &Uri,
        query: &Query,
    ) -> Result<(), ApiError> {
        if !is_public(operation) {
            return Ok(());
        }
        check_ids(self, operation, uri)?;
        if operation
            .query
            .iter()
            .any(|name| values(operation, name).is_some())
            && query.names().next().is_some()
        {
            self.mark(&rules::ENUMERATED);
        }
        query
            .names()
            .try_for_each(|name| check_parameter(self, operation, name, query))
    }
}

fn check_parameter(
    site: &GenesysCloud,
    operation: &Operation,
    name: &str,
    query: &Query,
) -> Result<(), ApiError> {
    if !operation.query.contains(&name) {
        site.mark(&super::public::UNKNOWN_PARAMETER);
        if !site.settings.public.refuse_unknown_parameters {
            return Ok(());
        }
        let message = format!(
            "[{name}] is no parameter of this operation; it has {}",
            operation.query.join(", ")
        );
        return Err(ApiError::new(400, "invalid.query.param.value", message).field(name));
    }
    let refused =
        |value: &str, allowed: &str| Err(ApiError::invalid_parameter(name, value, allowed));
    match values(operation, name) {
        None => Ok(()),
        Some(OneOf(known)) => match query.each(name).find(|value| !known.contains(value)) {
            Some(other) => refused(other, &known.join(", ")),
            None => Ok(()),
        },
        Some(Boolean) => match query.one(name) {
            Some(other) if truth(other).is_none() => refused(other, "true, false"),
            _ => Ok(()),
        },
        Some(Refused) => {
            site.mark(&rules::UNSUPPORTED_FILTER);
            let message = format!("the parameter [{name}] is not evaluated here");
            Err(ApiError::new(400, "invalid.query.param.value", message).field(name))
        }
    }
}

/// What becomes of an id in a path that is no UUID.
fn check_ids(site: &GenesysCloud, operation: &Operation, uri: &Uri) -> Result<(), ApiError> {
    let steps = operation.path.split('/').zip(uri.path().split('/'));
    let is_id = |step: &str| step.starts_with('{') && !NO_IDS.contains(&step);
    let Some((_, malformed)) = steps
        .into_iter()
        .find(|(step, sent)| is_id(step) && uuid(sent).is_none())
    else {
        return Ok(());
    };
    site.mark(&super::public::MALFORMED_ID);
    match site.settings.public.malformed_id_status {
        400 => Err(ApiError::new(
            400,
            "bad.request",
            format!("[{malformed}] is no UUID such as {}", Uuid::nil()),
        )),
        // Nothing has it: the operation says so in its own words.
        _ => Ok(()),
    }
}

/// Variable parts of paths that are no ids of this platform.
const NO_IDS: [&str; 3] = ["{namespace}", "{authority}", "{key}"];
