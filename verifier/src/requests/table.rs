//! The table. Permissions and scopes of the target: the vendor's API description (documented); of the source: the recording-migration
//! guide, "Source Platform Extraction Scopes"; of Interaction Recording: Recording Access, RFC 4918, and the simulator's own reads of SpeechMiner.

use super::Creation::{Batch, Job, Report, Token};
use super::Parameter::{Any, Fixed};
use super::Place::{Announced, Below, Path};
use super::Service::{GenesysCloud, Legacy, Rws, SpeechMiner, WebDav};
use super::{Operation, Place, Side};

/// Without a value of its own: reads, and leaves nothing behind.
const READ: Operation = Operation {
    service: GenesysCloud,
    name: "",
    method: "GET",
    place: Announced,
    parameters: &[],
    permission: None,
    account: None,
    scope: None,
    creates: None,
    follows: None,
    tells: "",
};

/// Accounts of Interaction Recording, as a plan names them. Source: Insertion API, authentication; deployment guide, WebDAV.
const OPS: Option<&str> = Some("target.username (ops account)");
const STORE: Option<&str> = Some("target.webdav_username");
const RECEIVER: Option<&str> = Some("target.speechminer_username");
const VIEW: Option<&str> = Some("recording:recording:view");
const DETAILS: Option<&str> = Some("analytics:conversationDetail:view");
const ANALYTICS: Option<&str> = Some("analytics:readonly");
const RECORDINGS: Option<&str> = Some("recordings:readonly");
const POLICIES: Option<&str> = Some("recording:retentionPolicy:view");
const QUALITY: Option<&str> = Some("quality:readonly");

/// Every request the verifier may make. Names are those of the simulator's operations, so that its journal can be held against it.
pub(crate) static OPERATIONS: &[Operation] = &[
    Operation {
        service: Legacy,
        name: "issue_token",
        method: "POST",
        place: Place::Token,
        creates: Some(Token),
        tells: "anything about the source",
        ..READ
    },
    Operation {
        service: Legacy,
        name: "query_interactions",
        place: Path("/api/v2/analytics/interactions/query"),
        parameters: &[Any("view"), Any("size"), Any("cursor"), Any("from"), Any("to")],
        scope: Some("read:interactions"),
        tells: "which calls there must be",
        ..READ
    },
    Operation {
        service: Legacy,
        name: "list_users",
        place: Path("/api/v2/users"),
        parameters: &[Any("size"), Any("cursor")],
        scope: Some("read:users"),
        tells: "whether two agents share an extension",
        ..READ
    },
    Operation {
        service: Legacy,
        name: "get_recording",
        place: Path("/api/v2/recordings/{}"),
        scope: Some("read:recordings"),
        tells: "what a recording must be like",
        ..READ
    },
    Operation {
        service: Legacy,
        name: "get_media",
        place: Path("/api/v2/recordings/{}/media"),
        scope: Some("read:recordings"),
        tells: "how a recording must sound, and whether it may be absent",
        ..READ
    },
    Operation { service: Legacy, name: "get_presigned", tells: "the same, where the source keeps audio elsewhere", ..READ },
    Operation {
        name: "issue_token",
        method: "POST",
        place: Place::Token,
        creates: Some(Token),
        tells: "anything about the target",
        ..READ
    },
    Operation {
        name: "get_limits",
        place: Path("/api/v2/organizations/limits/namespaces/{}"),
        scope: Some("organization:readonly"),
        tells: "how long it takes at the organisation's own limit",
        ..READ
    },
    Operation {
        name: "get_data_retention",
        place: Path("/api/v2/analytics/dataretention/settings"),
        permission: Some("analytics:dataRetention:view"),
        scope: ANALYTICS,
        tells: "recordings that the organisation's maximum retention keeps out",
        ..READ
    },
    Operation {
        name: "create_details_job",
        method: "POST",
        place: Path("/api/v2/analytics/conversations/details/jobs"),
        permission: DETAILS,
        scope: ANALYTICS,
        creates: Some(Job),
        tells: "which calls are there, those without recordings, skills",
        ..READ
    },
    Operation {
        name: "get_details_job",
        place: Path("/api/v2/analytics/conversations/details/jobs/{}"),
        permission: DETAILS,
        scope: ANALYTICS,
        follows: Some(Job),
        tells: "when that job is done",
        ..READ
    },
    Operation {
        name: "get_details_results",
        place: Path("/api/v2/analytics/conversations/details/jobs/{}/results"),
        parameters: &[Any("pageSize"), Any("cursor")],
        permission: DETAILS,
        scope: ANALYTICS,
        follows: Some(Job),
        tells: "what that job found, and up to when it is complete",
        ..READ
    },
    Operation {
        name: "query_retention",
        place: Path("/api/v2/recordings/retention/query"),
        parameters: &[Any("retentionThresholdDays"), Any("pageSize"), Any("cursor")],
        permission: VIEW,
        scope: RECORDINGS,
        tells: "the retention listing: recordings that hang on no call, or on one that analytics does not show",
        ..READ
    },
    Operation {
        name: "list_divisions",
        place: Path("/api/v2/authorization/divisions"),
        parameters: &[Any("pageSize"), Any("pageNumber")],
        scope: Some("authorization:readonly"),
        tells: "whether calls of other divisions are hidden",
        ..READ
    },
    Operation {
        name: "get_conversation",
        place: Path("/api/v2/conversations/{}"),
        permission: Some("conversation:communication:view"),
        scope: Some("conversations:readonly"),
        tells: "calls that analytics does not show",
        ..READ
    },
    Operation {
        name: "list_recordings",
        place: Path("/api/v2/conversations/{}/recordings"),
        // Any other format would start a transcoding.
        parameters: &[Fixed("formatId", "NONE"), Any("maxWaitMs")],
        permission: VIEW,
        scope: RECORDINGS,
        tells: "a call's recordings with their times, dates and pauses",
        ..READ
    },
    Operation {
        name: "query_deletionprotection",
        method: "POST",
        place: Path("/api/v2/recordings/deletionprotection"),
        scope: RECORDINGS,
        tells: "deletion protection, for calls under legal hold",
        ..READ
    },
    Operation {
        name: "create_batchrequest",
        method: "POST",
        place: Path("/api/v2/recording/batchrequests"),
        permission: VIEW,
        scope: QUALITY,
        creates: Some(Batch),
        tells: "batch downloads: how recordings sound (sensitive ones need viewSensitiveData too)",
        ..READ
    },
    Operation {
        name: "get_batchrequest",
        place: Path("/api/v2/recording/batchrequests/{}"),
        scope: QUALITY,
        follows: Some(Batch),
        tells: "batch downloads: where their files lie",
        ..READ
    },
    Operation { name: "get_batch_media", follows: Some(Batch), tells: "batch downloads: the files themselves", ..READ },
    Operation {
        name: "list_orphans",
        place: Path("/api/v2/orphanrecordings"),
        parameters: &[Any("pageSize"), Any("pageNumber")],
        permission: Some("recording:orphan:view"),
        scope: RECORDINGS,
        tells: "recordings of ours that were uploaded and have no conversation",
        ..READ
    },
    Operation {
        name: "list_policies",
        place: Path("/api/v2/recording/mediaretentionpolicies"),
        parameters: &[Any("pageSize"), Any("pageNumber"), Fixed("enabled", "true")],
        permission: POLICIES,
        scope: RECORDINGS,
        tells: "retention policies that delete what was migrated",
        ..READ
    },
    Operation {
        name: "list_crossplatform_policies",
        place: Path("/api/v2/recording/crossplatform/mediaretentionpolicies"),
        parameters: &[Any("pageSize"), Any("pageNumber"), Fixed("enabled", "true")],
        permission: POLICIES,
        scope: RECORDINGS,
        tells: "the same across platforms",
        ..READ
    },
    Operation {
        name: "create_upload_report",
        method: "POST",
        place: Path("/api/v2/recording/uploads/reports"),
        permission: Some("recording:uploadReport:add"),
        scope: RECORDINGS,
        creates: Some(Report),
        tells: "uploads that never ended, where a recording is missing",
        ..READ
    },
    Operation {
        name: "get_upload_report",
        place: Path("/api/v2/recording/uploads/reports/{}"),
        permission: Some("recording:uploadReport:view"),
        scope: RECORDINGS,
        follows: Some(Report),
        tells: "when that report is done",
        ..READ
    },
    Operation {
        service: Rws,
        name: "gir.get_recording",
        place: Path("/api/v2/ops/contact-centers/{}/recordings/{}"),
        account: OPS,
        tells: "whether a call is there, with everything but its sound",
        ..READ
    },
    Operation {
        service: Rws,
        name: "gir.query_recordings",
        place: Path("/api/v2/ops/contact-centers/{}/recordings"),
        parameters: &[Any("startTime"), Any("stopTime"), Any("offset")],
        account: OPS,
        tells: "recordings of ours that no call of the source accounts for",
        ..READ
    },
    Operation {
        service: WebDav,
        name: "webdav.list",
        method: "PROPFIND",
        place: Below,
        account: STORE,
        tells: "which files lie in the migration's folder, and their sizes",
        ..READ
    },
    Operation {
        service: WebDav,
        name: "webdav.head_file",
        method: "HEAD",
        place: Below,
        account: STORE,
        tells: "whether a file that lies elsewhere is there",
        ..READ
    },
    Operation { service: WebDav, name: "webdav.get_file", place: Below, account: STORE, tells: "how recordings sound", ..READ },
    Operation {
        service: SpeechMiner,
        name: "speechminer.list_recordings",
        place: Path("/recordings"),
        parameters: &[Any("after"), Any("limit")],
        account: RECEIVER,
        tells: "which calls SpeechMiner has, and how often",
        ..READ
    },
    Operation {
        service: SpeechMiner,
        name: "speechminer.get_recording",
        place: Path("/recordings/{}"),
        account: RECEIVER,
        tells: "what SpeechMiner says of a call, and the region of one that RWS does not show",
        ..READ
    },
];

/// An entry of the table.
pub(crate) fn operation(side: Side, name: &str) -> &'static Operation {
    let found = OPERATIONS.iter().find(|operation| operation.side() == side && operation.name == name);
    // A name that is not in the table is a slip in this crate, seen by the first test that takes the way.
    found.unwrap_or(&OPERATIONS[0])
}
