//! A conversation, and everything in it: plain data, that a store holds and the surfaces read.

use std::collections::BTreeMap;

use uuid::Uuid;

/// A voice conversation. While it is open, `end_ms` is the last that was heard of it.
#[derive(Clone)]
pub(super) struct Conversation {
    pub(super) id: Uuid,
    pub(super) external_tag: Option<String>,
    pub(super) direction: Direction,
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    pub(super) participants: Vec<Participant>,
    pub(super) queue: Option<QueueNamed>,
    pub(super) skills: Vec<Uuid>,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) protected: bool,
    pub(super) segments: Vec<Segment>,
    pub(super) recordings: Vec<Recording>,
    pub(super) created_at_ms: i64,
    /// Reads show it from then on, Unix ms; 0: at once.
    pub(super) shown_from_ms: i64,
    /// Attributes of participants other than the customer, by participant id.
    pub(super) other_attributes: BTreeMap<Uuid, BTreeMap<String, String>>,
}

/// Who called whom.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Inbound,
    Outbound,
}

/// A queue as the interaction named it.
#[derive(Clone)]
pub(super) struct QueueNamed {
    pub(super) id: Uuid,
    pub(super) name: Option<String>,
}

/// Somebody in a conversation.
#[derive(Clone)]
pub(super) struct Participant {
    /// The user for an agent; the client's choice for a customer; the communication for everybody
    /// else.
    pub(super) id: Uuid,
    pub(super) role: Role,
    pub(super) name: Option<String>,
    pub(super) wrap_up: Option<Uuid>,
    pub(super) phone: Option<String>,
    pub(super) ani: Option<String>,
    pub(super) dnis: Option<String>,
    /// The communication by which they take part; absent on the guide's surface, which has none. It
    /// is also the id of their one segment.
    pub(super) communication: Option<Uuid>,
    /// What was said beside the wrap-up code; absent where nothing was.
    pub(super) wrap_up_words: Option<WrapUpWords>,
}

/// What an agent said of a call when wrapping it up.
#[derive(Clone)]
pub(super) struct WrapUpWords {
    pub(super) notes: Option<String>,
    pub(super) tags: Vec<String>,
    /// When.
    pub(super) at_ms: i64,
}

/// What somebody, or something, is in a conversation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Agent,
    Customer,
    /// Somebody else outside: a number that was consulted or transferred to.
    External,
    /// A menu.
    Ivr,
    /// A queue.
    Acd,
}

/// One leg.
#[derive(Clone)]
pub(super) struct Segment {
    pub(super) id: Uuid,
    /// Its agent (or customer); absent when the interaction ties it to nobody.
    pub(super) participant: Option<Uuid>,
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    /// When it was answered; the start where it did not ring.
    pub(super) answered_ms: i64,
    /// Stretches on hold, in order, within the leg.
    pub(super) holds: Vec<(i64, i64)>,
    /// How it ended, in the words of the public API's `Call.disconnectType`; absent where nobody
    /// said.
    pub(super) how_ended: Option<&'static str>,
    /// Whether it has not ended yet.
    pub(super) is_open: bool,
}

/// One recording of a conversation.
#[derive(Clone)]
pub(super) struct Recording {
    pub(super) id: Uuid,
    pub(super) segment: Uuid,
    pub(super) status: Option<String>,
    pub(super) url: Option<String>,
    /// The uploaded file; absent until one is linked.
    pub(super) file: Option<Uuid>,
    pub(super) duration_ms: Option<u64>,
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    pub(super) tag: Option<String>,
    /// When it is deleted; absent: never.
    pub(super) delete_at_ms: Option<i64>,
    pub(super) annotations: Vec<Annotation>,
    pub(super) file_state: FileState,
    pub(super) created_at_ms: i64,
    /// Reads show it from then on, Unix ms; 0: at once.
    pub(super) shown_from_ms: i64,
    /// The source's id of it, where the upload said so.
    pub(super) originating_id: Option<String>,
    /// When it is archived; absent: never.
    pub(super) archive_at_ms: Option<i64>,
    /// When it is exported, or was; absent: never.
    pub(super) export_at_ms: Option<i64>,
    /// When it is back from the archive, or will be; absent: it was never restored.
    pub(super) restored_at_ms: Option<i64>,
}

/// What became of a recording's media.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FileState {
    Available,
    Uploading,
    Deleted,
    Error,
}

/// A stretch of a recording that something is said about; a pause, as a rule.
#[derive(Clone, Default)]
pub(super) struct Annotation {
    /// Its own id where a client made it; all others of a recording share one.
    pub(super) id: Option<Uuid>,
    /// What a client wrote beside it.
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) kind: String,
    pub(super) reason: Option<String>,
    pub(super) location_ms: u64,
    pub(super) duration_ms: u64,
}

impl Direction {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Direction::Inbound => "inbound",
            Direction::Outbound => "outbound",
        }
    }
}

impl Role {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Role::Agent => "agent",
            Role::Customer => "customer",
            Role::External => "external",
            Role::Ivr => "ivr",
            Role::Acd => "acd",
        }
    }

    /// Whether it is a person.
    pub(super) fn is_person(self) -> bool {
        match self {
            Role::Agent | Role::Customer | Role::External => true,
            Role::Ivr | Role::Acd => false,
        }
    }
}

impl FileState {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            FileState::Available => "AVAILABLE",
            FileState::Uploading => "UPLOADING",
            FileState::Deleted => "DELETED",
            FileState::Error => "ERROR",
        }
    }
}

impl Conversation {
    /// Whether some leg has not ended yet.
    pub(super) fn is_open(&self) -> bool {
        self.segments.iter().any(|leg| leg.is_open)
    }

    /// A recording by its id; the first where two share one.
    pub(super) fn recording(&self, id: Uuid) -> Option<&Recording> {
        self.recordings.iter().find(|recording| recording.id == id)
    }

    /// The same, to be changed.
    pub(super) fn recording_mut(&mut self, id: Uuid) -> Option<&mut Recording> {
        self.recordings
            .iter_mut()
            .find(|recording| recording.id == id)
    }

    /// The first customer.
    pub(super) fn customer(&self) -> Option<&Participant> {
        self.participants
            .iter()
            .find(|participant| participant.role == Role::Customer)
    }

    /// The number that called: stated, else the customer's where they called.
    pub(super) fn ani(&self) -> Option<&str> {
        let customer = self.customer()?;
        let phone = customer
            .phone
            .as_deref()
            .filter(|_| self.direction == Direction::Inbound);
        customer.ani.as_deref().or(phone)
    }

    /// The number that was called: stated, else the customer's where they were called.
    pub(super) fn dnis(&self) -> Option<&str> {
        let customer = self.customer()?;
        let phone = customer
            .phone
            .as_deref()
            .filter(|_| self.direction == Direction::Outbound);
        customer.dnis.as_deref().or(phone)
    }

    /// Changes every time of the conversation: its own, its legs' and its recordings'.
    pub(super) fn map_times(&mut self, change: impl Fn(i64) -> i64) {
        let own = [&mut self.start_ms, &mut self.end_ms].into_iter();
        let legs = self.segments.iter_mut().flat_map(|leg| {
            let holds = leg.holds.iter_mut().flat_map(|(from, to)| [from, to]);
            [&mut leg.start_ms, &mut leg.end_ms, &mut leg.answered_ms]
                .into_iter()
                .chain(holds)
        });
        let recordings = self
            .recordings
            .iter_mut()
            .flat_map(|one| [&mut one.start_ms, &mut one.end_ms]);
        for time in own.chain(legs).chain(recordings) {
            *time = change(*time);
        }
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// An inbound conversation of a second, with nobody in it and no recording.
    pub(crate) fn conversation(id: Uuid) -> Conversation {
        Conversation {
            id,
            external_tag: None,
            direction: Direction::Inbound,
            start_ms: 0,
            end_ms: 1_000,
            participants: Vec::new(),
            queue: None,
            skills: Vec::new(),
            attributes: BTreeMap::new(),
            protected: false,
            segments: Vec::new(),
            recordings: Vec::new(),
            created_at_ms: 0,
            shown_from_ms: 0,
            other_attributes: BTreeMap::new(),
        }
    }

    /// A recording that is there, without a file and without dates.
    pub(crate) fn recording(id: Uuid) -> Recording {
        Recording {
            id,
            segment: Uuid::nil(),
            status: None,
            url: None,
            file: None,
            duration_ms: None,
            start_ms: 0,
            end_ms: 1_000,
            tag: None,
            delete_at_ms: None,
            annotations: Vec::new(),
            file_state: FileState::Available,
            created_at_ms: 0,
            shown_from_ms: 0,
            originating_id: None,
            archive_at_ms: None,
            export_at_ms: None,
            restored_at_ms: None,
        }
    }
}
