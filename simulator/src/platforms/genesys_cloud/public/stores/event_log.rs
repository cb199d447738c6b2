//! What an injected conversation was told, in the order of time, and whether a further event fits.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::super::{
    event::{Event, Refused, What},
    kinds::Kind,
};

/// Where an event stands among those of its conversation: by time, then kind, then id. No order of
/// arrival in it.
type Place = (i64, Kind, Uuid);

/// The log of one conversation.
#[derive(Clone, Default)]
pub(super) struct EventLog {
    told: BTreeMap<Place, Event>,
    legs: BTreeMap<Uuid, Leg>,
    commands: BTreeSet<Uuid>,
    /// The first tag that arrived; part of its events' business key.
    tag: Option<String>,
    /// Whether the tag was replaced since; events do not change it any more.
    pub(super) is_tag_replaced: bool,
}

/// What is known of a communication.
#[derive(Clone)]
struct Leg {
    start_ms: i64,
    end_ms: Option<i64>,
}

impl Event {
    /// Where it stands.
    pub(in crate::platforms::genesys_cloud::public) fn place(&self) -> Place {
        (self.at_ms, self.kind, self.id)
    }
}

impl EventLog {
    /// What an event's business key ends with.
    pub(super) fn key(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Everything told, in order.
    pub(super) fn told(&self) -> impl Iterator<Item = &Event> {
        self.told.values()
    }

    /// Whether an event fits what is known, however it came.
    pub(super) fn judge(&self, event: &Event) -> Result<(), Refused> {
        match &event.what {
            What::Established(leg) if self.legs.contains_key(&leg.communication) => {
                Err(Refused::final_(format!(
                    "the communication {} is established already",
                    leg.communication
                )))
            }
            What::Established(_) => Ok(()),
            _ if self.legs.is_empty() => {
                Err(Refused::passing(unknown_conversation(event.conversation)))
            }
            _ => self.judge_legs(event),
        }
    }

    fn judge_legs(&self, event: &Event) -> Result<(), Refused> {
        for id in &event.legs {
            let leg = self.legs.get(id).ok_or_else(|| {
                Refused::passing(format!(
                    "the communication {id} is not known; send its established event first"
                ))
            })?;
            if event.at_ms < leg.start_ms {
                return Err(Refused::final_(format!(
                    "eventDateTime is before the communication {id} began"
                )));
            }
            self.judge_end(event, *id, leg.end_ms)?;
        }
        match &event.what {
            What::Transfer(step) if !step.is_begin => match step.command {
                Some(command) if !self.commands.contains(&command) => {
                    Err(Refused::passing(format!(
                        "the transfer {command} is not known; send the event that begins it first"
                    )))
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn judge_end(&self, event: &Event, id: Uuid, end_ms: Option<i64>) -> Result<(), Refused> {
        let Some(end_ms) = end_ms else { return Ok(()) };
        match event.what {
            What::Ended { .. } => Err(Refused::final_(format!(
                "the communication {id} has ended already"
            ))),
            What::Answered | What::Hold(_) | What::Audio if event.at_ms > end_ms => {
                Err(Refused::final_(format!(
                    "eventDateTime is after the communication {id} ended"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Keeps an event that was judged.
    pub(super) fn keep(&mut self, event: Event) {
        match &event.what {
            What::Established(leg) => {
                self.legs.insert(
                    leg.communication,
                    Leg {
                        start_ms: event.at_ms,
                        end_ms: None,
                    },
                );
                if self.tag.is_none() {
                    self.tag.clone_from(&leg.tag);
                }
            }
            What::Ended { .. } => {
                for id in &event.legs {
                    if let Some(leg) = self.legs.get_mut(id) {
                        leg.end_ms = Some(event.at_ms);
                    }
                }
            }
            What::Transfer(step) => self.commands.extend(step.command),
            What::Answered | What::Hold(_) | What::Audio | What::Disposition { .. } => {}
        }
        self.told.insert(event.place(), event);
    }
}

/// What is said of a conversation nobody knows.
pub(super) fn unknown_conversation(id: Uuid) -> String {
    format!("the conversation {id} is not known; send an established event first")
}
