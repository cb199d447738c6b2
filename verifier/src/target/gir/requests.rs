//! Requests to Interaction Recording. Source: Recording Access, RFC 4918, and the simulator's own
//! reads of SpeechMiner.

use std::collections::BTreeMap;

use super::posts::POSTS_PAGE;
use super::search::CALLS_A_WINDOW;
use super::shapes;
use crate::drift::Contract;
use crate::requests::Parameter::Any;
use crate::requests::Place::{Below, Path};
use crate::requests::{Allowance, Ids, Operation, Service, Side, Sizes, pages};
use crate::target::unread;
use platforms::CallError;

/// The web services.
pub(crate) const RWS: Service = Service {
    side: Side::Target,
    name: "rws",
    ids: Ids::Any,
};
/// The WebDAV store.
pub(crate) const WEBDAV: Service = Service {
    side: Side::Target,
    name: "webdav",
    ids: Ids::Plain,
};
/// SpeechMiner's Interaction Receiver.
pub(crate) const SPEECHMINER: Service = Service {
    side: Side::Target,
    name: "speechminer",
    ids: Ids::Any,
};

/// Accounts of Interaction Recording, as a plan names them. Source: Insertion API, authentication;
/// deployment guide, WebDAV.
const OPS: Option<&str> = Some("target.username (ops account)");
const STORE: Option<&str> = Some("target.webdav_username");
const RECEIVER: Option<&str> = Some("target.speechminer_username");
/// Every service has an operation of its own here, and none of them a common value.
const READ: Operation = Operation::read(RWS);

/// Every request the verifier may send there. Names are those of the simulator's operations, so
/// that its journal can be held against it.
pub(crate) static OPERATIONS: &[Operation] = &[
    Operation {
        service: RWS,
        name: "gir.get_recording",
        place: Path("/api/v2/ops/contact-centers/{}/recordings/{}"),
        account: OPS,
        tells: "whether a call is there, with everything but its sound",
        contract: Contract {
            answer: Some(&shapes::ONE),
            error: Some(&shapes::ERROR),
            ..Contract::UNKNOWN
        },
        ..READ
    },
    Operation {
        service: RWS,
        name: "gir.query_recordings",
        place: Path("/api/v2/ops/contact-centers/{}/recordings"),
        parameters: &[Any("startTime"), Any("stopTime"), Any("offset")],
        account: OPS,
        tells: "recordings of ours that no call of the source accounts for",
        contract: Contract {
            answer: Some(&shapes::FOUND),
            error: Some(&shapes::ERROR),
            ..Contract::UNKNOWN
        },
        ..READ
    },
    Operation {
        service: WEBDAV,
        name: "webdav.list",
        method: "PROPFIND",
        place: Below,
        account: STORE,
        tells: "which files lie in the migration's folder, and their sizes",
        ..READ
    },
    Operation {
        service: WEBDAV,
        name: "webdav.head_file",
        method: "HEAD",
        place: Below,
        account: STORE,
        tells: "whether a file that lies elsewhere is there",
        ..READ
    },
    Operation {
        service: WEBDAV,
        name: "webdav.get_file",
        place: Below,
        account: STORE,
        tells: "how recordings sound",
        ..READ
    },
    Operation {
        service: SPEECHMINER,
        name: "speechminer.list_recordings",
        place: Path("/recordings"),
        parameters: &[Any("after"), Any("limit")],
        account: RECEIVER,
        tells: "which calls SpeechMiner has, and how often",
        ..READ
    },
    Operation {
        service: SPEECHMINER,
        name: "speechminer.get_recording",
        place: Path("/recordings/{}"),
        account: RECEIVER,
        tells: "what SpeechMiner says of a call, and the region of one that RWS does not show",
        ..READ
    },
];

/// What it takes to read what this operation tells; `None`: the error is about the whole target.
pub(super) fn need(name: &str, error: &CallError) -> Option<String> {
    unread::need(Operation::named(OPERATIONS, name), error)
}

/// Requests of an audit of Interaction Recording, by operation.
pub(crate) fn planned(sizes: Sizes, allowance: &Allowance) -> BTreeMap<&'static str, u64> {
    let planned = [
        (RWS, "gir.get_recording", sizes.all_calls),
        (
            RWS,
            "gir.query_recordings",
            pages(sizes.calls, CALLS_A_WINDOW).max(1),
        ),
        (WEBDAV, "webdav.list", 1 + sizes.days),
        (WEBDAV, "webdav.get_file", sizes.audio),
        (
            SPEECHMINER,
            "speechminer.list_recordings",
            pages(sizes.calls, POSTS_PAGE as usize).max(1),
        ),
        (
            SPEECHMINER,
            "speechminer.get_recording",
            sizes.recorded_calls,
        ),
    ];
    planned
        .into_iter()
        .filter(|(service, ..)| allowance.reads(*service))
        .map(|(_, name, count)| (name, count))
        .collect()
}
