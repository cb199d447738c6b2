//! Requests to Genesys Cloud. Permissions and scopes: the vendor's API description (documented).

use std::collections::BTreeMap;

use serde_json::Value;

use super::read::{DETAILS_PAGE, PROTECTION_BATCH, RETENTION_PAGE};
use super::shapes;
use super::sound::BATCH;
use crate::drift::{Contract, Shape};
use crate::requests::Creation::{Batch, Job, Report, Token};
use crate::requests::Parameter::{Any, Fixed};
use crate::requests::Place::{self, Path};
use crate::requests::{Announces, Ids, Operation, Service, Side, Sizes, pages};
use crate::target::unread;
use platforms::CallError;

/// The public API.
pub(crate) const GENESYS_CLOUD: Service = Service {
    side: Side::Target,
    name: "genesys_cloud",
    ids: Ids::Plain,
};

const VIEW: Option<&str> = Some("recording:recording:view");
const DETAILS: Option<&str> = Some("analytics:conversationDetail:view");
const ANALYTICS: Option<&str> = Some("analytics:readonly");
const RECORDINGS: Option<&str> = Some("recordings:readonly");
const POLICIES: Option<&str> = Some("recording:retentionPolicy:view");
const QUALITY: Option<&str> = Some("quality:readonly");

/// Without a value of its own: reads, and refuses in the vendor's form.
const READ: Operation = Operation {
    contract: Contract {
        error: Some(&shapes::ERROR),
        ..Contract::UNKNOWN
    },
    ..Operation::read(GENESYS_CLOUD)
};

const fn answers(shape: &'static Shape) -> Contract {
    Contract {
        answer: Some(shape),
        ..READ.contract
    }
}

/// Every request the verifier may send there. Names are those of the simulator's operations, so
/// that its journal can be held against it.
pub(crate) static OPERATIONS: &[Operation] = &[
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
        contract: answers(&shapes::LIMITS),
        ..READ
    },
    Operation {
        name: "get_data_retention",
        place: Path("/api/v2/analytics/dataretention/settings"),
        permission: Some("analytics:dataRetention:view"),
        scope: ANALYTICS,
        tells: "recordings that the organisation's maximum retention keeps out",
        contract: answers(&shapes::DATA_RETENTION),
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
        contract: Contract {
            statuses: &[200, 202],
            ..answers(&shapes::JOB_SUBMITTED)
        },
        ..READ
    },
    Operation {
        name: "get_details_job",
        place: Path("/api/v2/analytics/conversations/details/jobs/{}"),
        permission: DETAILS,
        scope: ANALYTICS,
        follows: Some(Job),
        tells: "when that job is done",
        contract: answers(&shapes::JOB),
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
        contract: answers(&shapes::RESULTS),
        ..READ
    },
    Operation {
        name: "query_retention",
        place: Path("/api/v2/recordings/retention/query"),
        parameters: &[
            Any("retentionThresholdDays"),
            Any("pageSize"),
            Any("cursor"),
        ],
        permission: VIEW,
        scope: RECORDINGS,
        tells: "the retention listing: recordings that hang on no call, or on one that analytics \
            does not show",
        contract: answers(&shapes::RETENTION),
        ..READ
    },
    Operation {
        name: "list_divisions",
        place: Path("/api/v2/authorization/divisions"),
        parameters: &[Any("pageSize"), Any("pageNumber")],
        scope: Some("authorization:readonly"),
        tells: "whether calls of other divisions are hidden",
        contract: answers(&shapes::DIVISIONS),
        ..READ
    },
    Operation {
        name: "get_conversation",
        place: Path("/api/v2/conversations/{}"),
        permission: Some("conversation:communication:view"),
        scope: Some("conversations:readonly"),
        tells: "calls that analytics does not show",
        contract: answers(&shapes::CONVERSATION),
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
        contract: Contract {
            statuses: &[200, 202],
            accepted_is_empty: true,
            ..answers(&shapes::RECORDINGS)
        },
        ..READ
    },
    Operation {
        name: "query_deletionprotection",
        method: "POST",
        place: Path("/api/v2/recordings/deletionprotection"),
        scope: RECORDINGS,
        tells: "deletion protection, for calls under legal hold",
        contract: answers(&shapes::PROTECTED),
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
        contract: Contract {
            statuses: &[200, 202],
            ..answers(&shapes::BATCH_SUBMITTED)
        },
        ..READ
    },
    Operation {
        name: "get_batchrequest",
        place: Path("/api/v2/recording/batchrequests/{}"),
        scope: QUALITY,
        follows: Some(Batch),
        tells: "batch downloads: where their files lie",
        announces: Announces::Addresses(batch_addresses),
        contract: answers(&shapes::BATCH),
        ..READ
    },
    Operation {
        name: "get_batch_media",
        follows: Some(Batch),
        tells: "batch downloads: the files themselves",
        ..READ
    },
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
        announces: Announces::Addresses(|answer| {
            answer["signedUrl"].as_str().into_iter().collect()
        }),
        ..READ
    },
];

fn batch_addresses(answer: &Value) -> Vec<&str> {
    answer["results"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|result| result["resultUrl"].as_str())
        .collect()
}

/// What it takes to read what this operation tells; `None`: the error is about the whole target.
pub(super) fn need(name: &str, error: &CallError) -> Option<String> {
    unread::need(Operation::named(OPERATIONS, name), error)
}

/// Requests of an audit of Genesys Cloud, by operation.
pub(crate) fn planned(sizes: Sizes) -> BTreeMap<&'static str, u64> {
    let jobs = u64::from(sizes.jobs);
    let audio = if sizes.jobs { sizes.audio } else { 0 };
    // Without a job a call is found by its recordings alone.
    let calls = if sizes.jobs {
        sizes.calls
    } else {
        sizes.recorded_calls
    };
    BTreeMap::from([
        ("issue_token", 1),
        ("get_limits", 1),
        ("get_data_retention", 1),
        ("list_divisions", 1),
        ("list_orphans", 1),
        ("list_policies", 1),
        ("list_crossplatform_policies", 1),
        ("create_details_job", jobs),
        ("get_details_job", jobs),
        (
            "get_details_results",
            jobs * pages(calls, DETAILS_PAGE as usize).max(1),
        ),
        (
            "query_retention",
            pages(sizes.recordings, RETENTION_PAGE).max(1),
        ),
        ("get_conversation", if sizes.jobs { 0 } else { calls }),
        ("list_recordings", calls),
        ("query_deletionprotection", pages(calls, PROTECTION_BATCH)),
        ("create_batchrequest", pages(audio, BATCH)),
        ("get_batchrequest", pages(audio, BATCH)),
        ("get_batch_media", audio),
    ])
}
