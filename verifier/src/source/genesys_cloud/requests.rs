//! Requests to an organisation that is a source. Permissions and scopes: the vendor's API
//! description (documented).

use serde_json::Value;

use crate::requests::Creation::{Batch, Job, Token};
use crate::requests::Parameter::{Any, Fixed};
use crate::requests::Place::{self, Path};
use crate::requests::{Announces, Ids, Operation, Service, Side};

/// The public API of the source.
pub(crate) const SOURCE: Service = Service {
    side: Side::Source,
    name: "genesys_cloud_source",
    ids: Ids::Plain,
};

const READ: Operation = Operation::read(SOURCE);
const VIEW: Option<&str> = Some("recording:recording:view");
const DETAILS: Option<&str> = Some("analytics:conversationDetail:view");
const ANALYTICS: Option<&str> = Some("analytics:readonly");
const RECORDINGS: Option<&str> = Some("recordings:readonly");
const QUALITY: Option<&str> = Some("quality:readonly");

/// Every request the verifier may send there. Names are those of the simulator's operations, so
/// that its journal can be held against it.
pub(crate) static OPERATIONS: &[Operation] = &[
    Operation {
        name: "issue_token",
        method: "POST",
        place: Place::Token,
        creates: Some(Token),
        tells: "anything about the source",
        ..READ
    },
    Operation {
        name: "create_details_job",
        method: "POST",
        place: Path("/api/v2/analytics/conversations/details/jobs"),
        permission: DETAILS,
        scope: ANALYTICS,
        creates: Some(Job),
        tells: "which calls there must be",
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
        name: "list_recordings",
        place: Path("/api/v2/conversations/{}/recordings"),
        // Any other format would start a transcoding.
        parameters: &[Fixed("formatId", "NONE")],
        permission: VIEW,
        scope: RECORDINGS,
        tells: "what a call's recordings must be like",
        ..READ
    },
    Operation {
        name: "query_deletionprotection",
        method: "POST",
        place: Path("/api/v2/recordings/deletionprotection"),
        scope: RECORDINGS,
        tells: "which calls are under legal hold",
        ..READ
    },
    Operation {
        name: "create_batchrequest",
        method: "POST",
        place: Path("/api/v2/recording/batchrequests"),
        permission: VIEW,
        scope: QUALITY,
        creates: Some(Batch),
        tells: "how recordings must sound (sensitive ones need viewSensitiveData too)",
        ..READ
    },
    Operation {
        name: "get_batchrequest",
        place: Path("/api/v2/recording/batchrequests/{}"),
        scope: QUALITY,
        follows: Some(Batch),
        tells: "where their files lie",
        announces: Announces::Addresses(addresses),
        ..READ
    },
    Operation {
        name: "get_batch_media",
        follows: Some(Batch),
        tells: "the files themselves",
        ..READ
    },
];

fn addresses(answer: &Value) -> Vec<&str> {
    let results = answer.get("results").and_then(Value::as_array);
    results
        .map(|results| {
            let urls = results.iter().map(|result| result["resultUrl"].as_str());
            urls.flatten().collect()
        })
        .unwrap_or_default()
}
