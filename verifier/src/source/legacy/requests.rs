//! Requests to the legacy platform. Scopes: the recording-migration guide, "Source Platform
//! Extraction Scopes".

use crate::requests::Creation::Token;
use crate::requests::Parameter::Any;
use crate::requests::Place::{self, Path};
use crate::requests::{Announces, Ids, Operation, Service, Side};

/// The platform's API.
pub(crate) const LEGACY: Service = Service {
    side: Side::Source,
    name: "legacy",
    ids: Ids::Any,
};

const READ: Operation = Operation::read(LEGACY);

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
        name: "query_interactions",
        place: Path("/api/v2/analytics/interactions/query"),
        parameters: &[
            Any("view"),
            Any("size"),
            Any("cursor"),
            Any("from"),
            Any("to"),
        ],
        scope: Some("read:interactions"),
        tells: "which calls there must be",
        ..READ
    },
    Operation {
        name: "list_users",
        place: Path("/api/v2/users"),
        parameters: &[Any("size"), Any("cursor")],
        scope: Some("read:users"),
        tells: "whether two agents share an extension",
        ..READ
    },
    Operation {
        name: "get_recording",
        place: Path("/api/v2/recordings/{}"),
        scope: Some("read:recordings"),
        tells: "what a recording must be like",
        announces: Announces::Addresses(|answer| answer["mediaUrl"].as_str().into_iter().collect()),
        ..READ
    },
    Operation {
        name: "get_media",
        place: Path("/api/v2/recordings/{}/media"),
        scope: Some("read:recordings"),
        tells: "how a recording must sound, and whether it may be absent",
        announces: Announces::Redirect,
        ..READ
    },
    Operation {
        name: "get_presigned",
        tells: "the same, where the source keeps audio elsewhere",
        announces: Announces::Redirect,
        ..READ
    },
];
