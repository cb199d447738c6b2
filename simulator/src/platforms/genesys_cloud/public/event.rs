//! One event as sent, checked against its kind's fields, and as it is kept.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    super::{errors::ApiError, times, validate::uuid},
    kinds::{COMMON, Kind, SHAPES, Shape},
};

/// Most events of one batch. Source: platform API, BatchConversationEventRequest.
pub(super) const MOST_EVENTS: usize = 100;

/// An event of a batch, not looked into yet.
pub(super) struct Raw<'a> {
    shape: Option<&'static Shape>,
    fields: &'a Value,
}

/// The events of a batch in the order of the kinds, or why there are none. An e-mail event has no
/// shape here.
pub(super) fn of_batch(batch: &Map<String, Value>) -> Result<Vec<Raw<'_>>, ApiError> {
    let mut events = Vec::new();
    if let Some(unknown) = batch.keys().find(|list| {
        !list.starts_with("email") && !SHAPES.iter().any(|shape| shape.list == list.as_str())
    }) {
        let message = format!(
            "Value [{unknown}] is not a valid property for object [BatchConversationEventRequest]"
        );
        return Err(ApiError::new(400, "invalid.property", message).field(unknown.as_str()));
    }
    let emails = batch
        .iter()
        .filter(|(list, _)| list.starts_with("email"))
        .map(|(list, sent)| (None, list.as_str(), sent));
    let voice = SHAPES
        .iter()
        .filter_map(|shape| Some((Some(shape), shape.list, batch.get(shape.list)?)));
    for (shape, list, sent) in voice.chain(emails) {
        match sent {
            Value::Array(sent) => events.extend(sent.iter().map(|fields| Raw { shape, fields })),
            Value::Null => {}
            _ => {
                return Err(
                    ApiError::new(400, "bad.request", format!("{list} is not a list")).field(list),
                );
            }
        }
    }
    match events.len() {
        0 => Err(ApiError::new(
            400,
            "zero.events.submitted",
            "the batch has no event",
        )),
        1..=MOST_EVENTS => Ok(events),
        _ => Err(ApiError::new(
            400,
            "max.batch.size.surpassed",
            format!("a batch has at most {MOST_EVENTS} events"),
        )),
    }
}

/// Why an event is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) message: String,
    pub(super) is_retryable: bool,
}

impl Refused {
    /// Not to be sent again as it is.
    pub(super) fn final_(message: impl Into<String>) -> Refused {
        Refused {
            message: message.into(),
            is_retryable: false,
        }
    }

    /// May be sent again later.
    pub(super) fn passing(message: impl Into<String>) -> Refused {
        Refused {
            message: message.into(),
            is_retryable: true,
        }
    }
}

impl Raw<'_> {
    /// The eventId as sent; empty where there is none.
    pub(super) fn id(&self) -> &str {
        self.text("eventId")
    }

    /// The conversationId as sent; empty where there is none.
    pub(super) fn conversation(&self) -> &str {
        self.text("conversationId")
    }

    /// The tag it states; absent where it states none.
    pub(super) fn tag(&self) -> Option<&str> {
        self.fields["sourceConfiguration"]["tagId"].as_str()
    }

    fn text(&self, name: &str) -> &str {
        self.fields[name].as_str().unwrap_or_default()
    }

    /// Whether it is an e-mail event.
    pub(super) fn is_email(&self) -> bool {
        self.shape.is_none()
    }

    /// What it says, as one text; equal for equal events.
    pub(super) fn content(&self) -> String {
        format!(
            "{} {}",
            self.shape.map_or("email", |shape| shape.list),
            self.fields
        )
    }

    /// The event, when it has the fields of its kind and each is what it must be.
    pub(super) fn read(&self) -> Result<Event, Refused> {
        let shape = self
            .shape
            .ok_or_else(|| Refused::final_("e-mail events are not simulated; send voice events"))?;
        let fields = self
            .fields
            .as_object()
            .ok_or_else(|| Refused::final_("the event is not an object"))?;
        let known = |name: &str| {
            COMMON.contains(&name)
                || shape.required.contains(&name)
                || shape.optional.contains(&name)
        };
        if let Some(unknown) = fields.keys().find(|name| !known(name)) {
            return Err(Refused::final_(format!(
                "the field {unknown} is not one of {}",
                shape.list
            )));
        }
        let is_missing = |name: &&&str| fields.get(**name).is_none_or(Value::is_null);
        if let Some(missing) = COMMON.iter().chain(shape.required).find(is_missing) {
            return Err(Refused::final_(format!("the field {missing} is missing")));
        }
        let sent = Sent::deserialize(self.fields)
            .map_err(|error| Refused::final_(format!("the event is not valid: {error}")))?;
        sent.checked(shape.kind)
    }
}

/// Every field an event may have.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    event_id: String,
    event_date_time: String,
    conversation_id: String,
    communication_id: Option<String>,
    initial_configuration: Option<InitialConfiguration>,
    source_configuration: Option<SourceConfiguration>,
    ani: Option<String>,
    ani_name: Option<String>,
    dnis: Option<String>,
    #[serde(rename = "dnisName")]
    _dnis_name: Option<String>,
    ivr_name: Option<String>,
    #[serde(rename = "ivrPhoneNumber")]
    _ivr_phone_number: Option<String>,
    phone_number: Option<String>,
    queue_id: Option<String>,
    skill_ids: Option<Vec<String>>,
    language_id: Option<String>,
    user_id: Option<String>,
    station_id: Option<String>,
    #[serde(rename = "afterCallWorkRequired")]
    _after_call_work_required: Option<bool>,
    code: Option<String>,
    notes: Option<String>,
    tags: Option<Vec<String>>,
    disconnect_type: Option<String>,
    destination_conversation_id: Option<String>,
    held: Option<bool>,
    #[serde(rename = "audioState")]
    _audio_state: Option<AudioState>,
    command_id: Option<String>,
    object_communication_id: Option<String>,
    initiating_communication_id: Option<String>,
    target_communication_id: Option<String>,
    destination_communication_id: Option<String>,
    destination_queue_id: Option<String>,
    destination_user_id: Option<String>,
    #[serde(rename = "destinationPhoneNumber")]
    _destination_phone_number: Option<String>,
    transfer_type: Option<String>,
    final_state: Option<String>,
}

/// How a communication begins.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct InitialConfiguration {
    #[serde(rename = "audioState")]
    _audio_state: Option<AudioState>,
    alerting: Option<bool>,
    inbound: Option<bool>,
    invited_by: Option<String>,
    #[serde(rename = "recordingActive")]
    _recording_active: Option<bool>,
    #[serde(default)]
    additional_info: BTreeMap<String, String>,
}

/// Who hears whom.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AudioState {
    #[serde(rename = "canHear")]
    _can_hear: Option<bool>,
    #[serde(rename = "canSpeak")]
    _can_speak: Option<bool>,
}

/// Where a communication comes from.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SourceConfiguration {
    source_id: String,
    interaction_id: String,
    tag_id: Option<String>,
}

/// A checked event.
#[derive(Clone)]
pub(super) struct Event {
    pub(super) id: Uuid,
    pub(super) at_ms: i64,
    pub(super) conversation: Uuid,
    pub(super) kind: Kind,
    pub(super) what: What,
    /// Communications it is about that must be known; empty for an established event.
    pub(super) legs: Vec<Uuid>,
}

/// What an event tells.
#[derive(Clone)]
pub(super) enum What {
    Established(Box<Established>),
    Answered,
    Hold(bool),
    /// Kept, and shown nowhere.
    Audio,
    Transfer(Transfer),
    Disposition {
        code: Option<String>,
        notes: Option<String>,
        tags: Vec<String>,
    },
    Ended {
        how: &'static str,
        is_merged: bool,
    },
}

/// A communication that begins.
#[derive(Clone)]
pub(super) struct Established {
    pub(super) communication: Uuid,
    pub(super) is_alerting: bool,
    pub(super) is_inbound: Option<bool>,
    pub(super) tag: Option<String>,
    /// The source's id of the conversation.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "kept as the vendor keeps it, and shown nowhere")
    )]
    pub(super) interaction: String,
    /// The source itself.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "kept as the vendor keeps it, and shown nowhere")
    )]
    pub(super) source: String,
    /// Kept, not searchable.
    pub(super) additional: BTreeMap<String, String>,
    pub(super) ani: Option<String>,
    pub(super) dnis: Option<String>,
    /// Name of whoever it is, or of the menu.
    pub(super) name: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) user: Option<String>,
    pub(super) queue: Option<String>,
    pub(super) skills: Vec<String>,
    pub(super) language: Option<String>,
}

/// A step of a transfer.
#[derive(Clone)]
pub(super) struct Transfer {
    /// Absent for consult transfers, which have none.
    pub(super) command: Option<Uuid>,
    /// Whether this step begins the command.
    pub(super) is_begin: bool,
    pub(super) user: Option<String>,
    pub(super) queue: Option<String>,
    pub(super) skills: Vec<String>,
    pub(super) language: Option<String>,
}

/// Ends of a communication and what the read surface calls them. Source: platform API,
/// CommunicationEndedEvent and Call.disconnectType.
const ENDS: [(&str, &str); 9] = [
    ("Error", "error"),
    ("Peer", "peer"),
    ("Self", "client"),
    ("System", "system"),
    ("Transfer", "transfer"),
    ("TransferACD", "transfer"),
    ("TransferConference", "transfer.conference"),
    ("TransferConsult", "transfer.consult"),
    ("TransferUser", "transfer"),
];

impl Sent {
    fn checked(mut self, kind: Kind) -> Result<Event, Refused> {
        let id = v4(&self.event_id, "eventId")?;
        let conversation = v4(&self.conversation_id, "conversationId")?;
        let at_ms = times::parse_instant(&self.event_date_time).ok_or_else(|| {
            Refused::final_(format!(
                "eventDateTime [{}] is not an ISO-8601 time with Z or an offset",
                self.event_date_time
            ))
        })?;
        let communication = optional_v4(self.communication_id.as_deref(), "communicationId")?;
        let legs = match kind {
            Kind::ExternalEstablished
            | Kind::IvrEstablished
            | Kind::PhoneEstablished
            | Kind::RoutingEstablished
            | Kind::UserEstablished => Vec::new(),
            _ => self.legs(communication)?,
        };
        let what = match kind {
            Kind::ExternalEstablished
            | Kind::IvrEstablished
            | Kind::PhoneEstablished
            | Kind::RoutingEstablished
            | Kind::UserEstablished => {
                What::Established(Box::new(self.established(kind, communication)?))
            }
            Kind::Answered => What::Answered,
            Kind::Hold => What::Hold(self.held.unwrap_or_default()),
            Kind::Audio => What::Audio,
            Kind::Disposition => What::Disposition {
                code: self.code,
                notes: self.notes,
                tags: self.tags.unwrap_or_default(),
            },
            Kind::Ended => self.ended()?,
            Kind::RoutingTransfer | Kind::UserTransfer | Kind::PhoneTransfer => {
                What::Transfer(self.transfer(true)?)
            }
            Kind::ConsultTransfer
            | Kind::ProgressTransfer
            | Kind::ProgressConsultTransfer
            | Kind::EndTransfer
            | Kind::EndConsultTransfer => What::Transfer(self.transfer(false)?),
        };
        Ok(Event {
            id,
            at_ms,
            conversation,
            kind,
            what,
            legs,
        })
    }

    /// Every communication the event names.
    fn legs(&self, own: Option<Uuid>) -> Result<Vec<Uuid>, Refused> {
        let named = [
            (
                &self.initiating_communication_id,
                "initiatingCommunicationId",
            ),
            (&self.target_communication_id, "targetCommunicationId"),
            (&self.object_communication_id, "objectCommunicationId"),
            (
                &self.destination_communication_id,
                "destinationCommunicationId",
            ),
        ];
        let mut legs: Vec<Uuid> = own.into_iter().collect();
        for (text, field) in named {
            legs.extend(optional_v4(text.as_deref(), field)?);
        }
        Ok(legs)
    }

    fn established(
        &mut self,
        kind: Kind,
        communication: Option<Uuid>,
    ) -> Result<Established, Refused> {
        let missing = |field: &str| Refused::final_(format!("the field {field} is missing"));
        let initial = self
            .initial_configuration
            .take()
            .ok_or_else(|| missing("initialConfiguration"))?;
        let source = self
            .source_configuration
            .take()
            .ok_or_else(|| missing("sourceConfiguration"))?;
        optional_v4(initial.invited_by.as_deref(), "invitedBy")?;
        optional_v4(self.station_id.as_deref(), "stationId")?;
        let name = if kind == Kind::IvrEstablished {
            self.ivr_name.take()
        } else {
            self.ani_name.take()
        };
        Ok(Established {
            communication: communication.ok_or_else(|| missing("communicationId"))?,
            is_alerting: initial.alerting.unwrap_or_default(),
            is_inbound: initial.inbound,
            tag: source.tag_id,
            interaction: source.interaction_id,
            source: source.source_id,
            additional: initial.additional_info,
            ani: self.ani.take(),
            dnis: self.dnis.take(),
            name,
            phone: self.phone_number.take(),
            user: self.user_id.take(),
            queue: self.queue_id.take(),
            skills: self.skill_ids.take().unwrap_or_default(),
            language: self.language_id.take(),
        })
    }

    fn ended(&self) -> Result<What, Refused> {
        let destination = optional_v4(
            self.destination_conversation_id.as_deref(),
            "destinationConversationId",
        )?;
        let stated = self.disconnect_type.as_deref().unwrap_or_default();
        let (_, how) = ENDS
            .into_iter()
            .find(|(name, _)| *name == stated)
            .ok_or_else(|| {
                Refused::final_(format!(
                    "disconnectType [{stated}] is not one of {}",
                    ENDS.map(|(name, _)| name).join(", ")
                ))
            })?;
        Ok(What::Ended {
            how,
            is_merged: destination.is_some(),
        })
    }

    fn transfer(&mut self, is_begin: bool) -> Result<Transfer, Refused> {
        one_of(
            "transferType",
            self.transfer_type.as_deref(),
            &["Attended", "Unattended"],
        )?;
        one_of(
            "finalState",
            self.final_state.as_deref(),
            &["Completed", "Canceled", "Failed"],
        )?;
        Ok(Transfer {
            command: optional_v4(self.command_id.as_deref(), "commandId")?,
            is_begin,
            user: self.destination_user_id.take(),
            queue: self.destination_queue_id.take(),
            skills: self.skill_ids.take().unwrap_or_default(),
            language: self.language_id.take(),
        })
    }
}

fn v4(text: &str, field: &str) -> Result<Uuid, Refused> {
    uuid(text)
        .filter(is_v4)
        .ok_or_else(|| Refused::final_(format!("{field} [{text}] is not a UUID of version 4")))
}

/// Whether an id is a UUID of version 4, as the public API wants those that a client chooses.
pub(super) fn is_v4(id: &Uuid) -> bool {
    id.get_version_num() == 4 && id.get_variant() == uuid::Variant::RFC4122
}

fn optional_v4(text: Option<&str>, field: &str) -> Result<Option<Uuid>, Refused> {
    text.map(|text| v4(text, field)).transpose()
}

fn one_of(field: &str, sent: Option<&str>, known: &[&str]) -> Result<(), Refused> {
    match sent {
        Some(value) if !known.contains(&value) => Err(Refused::final_(format!(
            "{field} [{value}] is not one of {}",
            known.join(", ")
        ))),
        _ => Ok(()),
    }
}
