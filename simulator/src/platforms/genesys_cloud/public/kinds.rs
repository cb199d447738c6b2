//! The kinds of voice events and the fields each has.

/// What an event is about. The order of the kinds is the order of events of one instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    ExternalEstablished,
    IvrEstablished,
    PhoneEstablished,
    RoutingEstablished,
    UserEstablished,
    Answered,
    Hold,
    Audio,
    RoutingTransfer,
    UserTransfer,
    PhoneTransfer,
    ConsultTransfer,
    ProgressTransfer,
    ProgressConsultTransfer,
    EndTransfer,
    EndConsultTransfer,
    Disposition,
    Ended,
}

/// The fields of a kind beside eventId, eventDateTime and conversationId, which all have.
pub(super) struct Shape {
    pub(super) kind: Kind,
    /// Its list in a batch.
    pub(super) list: &'static str,
    pub(super) required: &'static [&'static str],
    pub(super) optional: &'static [&'static str],
}

const fn shape(
    kind: Kind,
    list: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
) -> Shape {
    Shape {
        kind,
        list,
        required,
        optional,
    }
}

/// Fields every event has.
pub(super) const COMMON: [&str; 3] = ["eventId", "eventDateTime", "conversationId"];
const CONSULT: &[&str] = &[
    "destinationCommunicationId",
    "initiatingCommunicationId",
    "objectCommunicationId",
];
const ESTABLISHED: &[&str] = &[
    "communicationId",
    "initialConfiguration",
    "sourceConfiguration",
];

/// Every kind of voice event. Source: platform API, the models of BatchConversationEventRequest.
pub(super) static SHAPES: &[Shape] = &[
    shape(
        Kind::ExternalEstablished,
        "externalEstablishedEvents",
        ESTABLISHED,
        &["ani", "aniName", "dnis", "dnisName"],
    ),
    shape(
        Kind::IvrEstablished,
        "ivrEstablishedEvents",
        ESTABLISHED,
        &["ani", "dnis", "ivrName", "ivrPhoneNumber"],
    ),
    shape(
        Kind::PhoneEstablished,
        "phoneEstablishedEvents",
        ESTABLISHED,
        &["ani", "dnis", "phoneNumber"],
    ),
    shape(
        Kind::RoutingEstablished,
        "routingEstablishedEvents",
        &[
            "communicationId",
            "initialConfiguration",
            "sourceConfiguration",
            "queueId",
        ],
        &["ani", "dnis", "languageId", "phoneNumber", "skillIds"],
    ),
    shape(
        Kind::UserEstablished,
        "userEstablishedEvents",
        &[
            "communicationId",
            "initialConfiguration",
            "sourceConfiguration",
            "userId",
        ],
        &[
            "afterCallWorkRequired",
            "ani",
            "dnis",
            "phoneNumber",
            "queueId",
            "stationId",
        ],
    ),
    shape(
        Kind::Answered,
        "communicationAnsweredEvents",
        &["communicationId"],
        &[],
    ),
    shape(
        Kind::Hold,
        "holdUpdatedEvents",
        &["communicationId", "held"],
        &[],
    ),
    shape(
        Kind::Audio,
        "audioUpdatedEvents",
        &["communicationId", "audioState"],
        &[],
    ),
    shape(
        Kind::RoutingTransfer,
        "routingTransferEvents",
        &[
            "commandId",
            "initiatingCommunicationId",
            "objectCommunicationId",
            "targetCommunicationId",
            "transferType",
            "destinationQueueId",
        ],
        &["languageId", "skillIds"],
    ),
    shape(
        Kind::UserTransfer,
        "userTransferEvents",
        &[
            "commandId",
            "initiatingCommunicationId",
            "objectCommunicationId",
            "targetCommunicationId",
            "transferType",
            "destinationUserId",
        ],
        &[],
    ),
    shape(
        Kind::PhoneTransfer,
        "phoneTransferEvents",
        &[
            "commandId",
            "initiatingCommunicationId",
            "objectCommunicationId",
            "targetCommunicationId",
            "transferType",
            "destinationPhoneNumber",
        ],
        &[],
    ),
    shape(Kind::ConsultTransfer, "consultTransferEvents", CONSULT, &[]),
    shape(
        Kind::ProgressTransfer,
        "progressTransferEvents",
        &[
            "commandId",
            "destinationCommunicationId",
            "objectCommunicationId",
        ],
        &[],
    ),
    shape(
        Kind::ProgressConsultTransfer,
        "progressConsultTransferEvents",
        CONSULT,
        &[],
    ),
    shape(
        Kind::EndTransfer,
        "endTransferEvents",
        &["commandId", "finalState", "objectCommunicationId"],
        &[],
    ),
    shape(
        Kind::EndConsultTransfer,
        "endConsultTransferEvents",
        &[],
        &[],
    ),
    shape(
        Kind::Disposition,
        "communicationDispositionAppliedEvents",
        &["communicationId"],
        &["code", "notes", "tags"],
    ),
    shape(
        Kind::Ended,
        "communicationEndedEvents",
        &["communicationId", "disconnectType"],
        &["destinationConversationId"],
    ),
];

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use serde_json::Value;

    use super::*;

    #[test]
    fn every_event_has_the_fields_of_the_vendors_model() {
        let facts =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/coverage/genesys_cloud.json");
        let facts: Value =
            serde_json::from_str(&std::fs::read_to_string(facts).expect("facts")).expect("JSON");
        let models = &facts["models"];
        let lists = models["BatchConversationEventRequest"]["fields"]
            .as_object()
            .expect("lists");
        let voice: BTreeSet<&str> = lists.keys().map(String::as_str).collect();
        assert_eq!(voice, SHAPES.iter().map(|shape| shape.list).collect());
        for shape in SHAPES {
            // Written as `[Model]`.
            let model = &models[lists[shape.list]
                .as_str()
                .expect("a model")
                .trim_matches(['[', ']'])];
            let fields: BTreeSet<&str> = model["fields"]
                .as_object()
                .expect("fields")
                .keys()
                .map(String::as_str)
                .collect();
            let required: BTreeSet<&str> = model["required"]
                .as_array()
                .expect("a list")
                .iter()
                .filter_map(Value::as_str)
                .collect();
            assert_eq!(
                required,
                COMMON.iter().chain(shape.required).copied().collect(),
                "{}",
                shape.list
            );
            assert_eq!(
                fields,
                COMMON
                    .iter()
                    .chain(shape.required)
                    .chain(shape.optional)
                    .copied()
                    .collect(),
                "{}",
                shape.list
            );
        }
    }
}
