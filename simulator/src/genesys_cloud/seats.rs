//! Who sits in a conversation, as the read surface shows it: the customer first, then the agents by their legs.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    GenesysCloud, rules,
    state::{Conversation, Participant, Role, Segment},
};

/// One participant of a conversation with the legs they took part in.
pub(super) struct Seat<'a> {
    pub(super) id: Uuid,
    pub(super) session_id: Uuid,
    pub(super) purpose: &'static str,
    /// Absent for a seat that this platform adds.
    pub(super) who: Option<&'a Participant>,
    pub(super) legs: Vec<&'a Segment>,
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
}

impl Seat<'_> {
    /// Start and end of each leg; the whole seat where it has none.
    pub(super) fn spans(&self) -> Vec<(i64, i64)> {
        if self.legs.is_empty() {
            return vec![(self.start_ms, self.end_ms)];
        }
        self.legs.iter().map(|leg| (leg.start_ms, leg.end_ms)).collect()
    }

    /// Whether this is the seat of the conversation's customer, where the attributes stand.
    pub(super) fn is_customer(&self) -> bool {
        self.purpose == "customer"
    }

    /// Whether this seat carries the queue and skills.
    pub(super) fn is_routed(&self) -> bool {
        !self.is_customer()
    }

    /// The user id of an agent.
    pub(super) fn user(&self) -> Option<Uuid> {
        self.who.filter(|who| who.role == Role::Agent).map(|who| who.id)
    }
}

impl GenesysCloud {
    /// Every seat of a conversation: customers, then agents by the start of their first leg.
    pub(super) fn seats<'a>(&self, held: &'a Conversation) -> Vec<Seat<'a>> {
        let mut seats = self.customers(held);
        let mut agents: Vec<Seat<'a>> = held.participants.iter().enumerate().filter_map(|(at, _)| self.agent_seat(held, at)).collect();
        agents.sort_by_key(|seat| seat.start_ms);
        if agents.is_empty() && (held.queue.is_some() || !held.skills.is_empty()) {
            self.mark(&rules::ACD_PARTICIPANT);
            agents.push(self.seat(held, held.participants.len() + 1, "acd", None, Vec::new()));
        }
        seats.extend(agents);
        seats
    }

    fn customers<'a>(&self, held: &'a Conversation) -> Vec<Seat<'a>> {
        let customers = held.participants.iter().enumerate().filter(|(_, one)| one.role == Role::Customer);
        let seats: Vec<Seat<'a>> = customers.map(|(at, one)| self.seat(held, at, "customer", Some(one), Vec::new())).collect();
        if seats.is_empty() { vec![self.seat(held, held.participants.len(), "customer", None, Vec::new())] } else { seats }
    }

    /// The seat of the participant at a place of the list; none for a customer. Where one user is listed twice, each takes one leg in turn and the last the rest.
    fn agent_seat<'a>(&self, held: &'a Conversation, at: usize) -> Option<Seat<'a>> {
        let who = held.participants.get(at).filter(|who| who.role == Role::Agent)?;
        let same = |one: &&Participant| one.role == Role::Agent && one.id == who.id;
        let turn = held.participants[..at].iter().filter(same).count();
        let is_last = !held.participants[at + 1..].iter().any(|one| same(&one));
        let is_first_agent = !held.participants[..at].iter().any(|one| one.role == Role::Agent);
        let mine = |leg: &&Segment| leg.participant == Some(who.id) || (leg.participant.is_none() && is_first_agent);
        let mut legs: Vec<&Segment> = held.segments.iter().filter(mine).collect();
        legs.sort_by_key(|leg| leg.start_ms);
        let legs: Vec<&Segment> =
            legs.into_iter().enumerate().filter(|(index, _)| *index == turn || (is_last && *index > turn)).map(|(_, leg)| leg).collect();
        Some(self.seat(held, at, "agent", Some(who), legs))
    }

    fn seat<'a>(
        &self,
        held: &'a Conversation,
        at: usize,
        purpose: &'static str,
        who: Option<&'a Participant>,
        legs: Vec<&'a Segment>,
    ) -> Seat<'a> {
        let seed = self.seed().child("seat").child(&held.id.to_string()).index(at as u64);
        let start_ms = legs.iter().map(|leg| leg.start_ms).min().unwrap_or(held.start_ms);
        let end_ms = legs.iter().map(|leg| leg.end_ms).max().unwrap_or(held.end_ms);
        Seat { id: seed.uuid(), session_id: seed.child("session").uuid(), purpose, who, legs, start_ms, end_ms }
    }

    /// The home division, the only one of this organisation.
    pub(super) fn division(&self) -> Uuid {
        self.seed().child("division/home").uuid()
    }
}

/// Puts a field into an object where there is a value.
pub(super) fn put(object: &mut Value, field: &str, value: Option<impl Into<Value>>) {
    if let (Some(fields), Some(value)) = (object.as_object_mut(), value) {
        fields.insert(field.to_owned(), value.into());
    }
}

/// A conversation's attributes as JSON.
pub(super) fn attributes(held: &Conversation) -> Value {
    json!(held.attributes)
}
