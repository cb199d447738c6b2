//! Who sits in a conversation, as the read surface shows it: the customer first, then the agents by
//! their legs.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    GenesysCloud,
    conversation::{Conversation, Participant, Role, Segment},
    rules,
};

/// One participant of a conversation with the legs they took part in.
pub(super) struct ParticipantView<'a> {
    pub(super) id: Uuid,
    pub(super) session_id: Uuid,
    pub(super) purpose: &'static str,
    /// Absent for a seat that this platform adds.
    pub(super) who: Option<&'a Participant>,
    pub(super) legs: Vec<&'a Segment>,
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
}

/// A stretch of a leg.
pub(super) struct Span {
    /// `interact`, `hold` or `alert`.
    pub(super) kind: &'static str,
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
}

impl ParticipantView<'_> {
    /// What each leg consists of; the whole seat where it has none.
    pub(super) fn spans(&self) -> Vec<Span> {
        if self.legs.is_empty() {
            return vec![Span {
                kind: "interact",
                start_ms: self.start_ms,
                end_ms: self.end_ms,
            }];
        }
        self.legs.iter().flat_map(|leg| spans(leg)).collect()
    }

    /// Whether one of its legs has not ended.
    pub(super) fn is_open(&self) -> bool {
        self.legs.iter().any(|leg| leg.is_open)
    }

    /// Whether this is the seat of the conversation's customer, where the attributes stand.
    pub(super) fn is_customer(&self) -> bool {
        self.purpose == "customer"
    }

    /// Whether this seat carries the queue and skills.
    pub(super) fn is_routed(&self) -> bool {
        matches!(self.purpose, "agent" | "acd")
    }

    /// The user id of an agent.
    pub(super) fn user(&self) -> Option<Uuid> {
        self.who
            .filter(|who| who.role == Role::Agent)
            .map(|who| who.id)
    }
}

impl GenesysCloud {
    /// Every seat of a conversation: customers, then agents by the start of their first leg.
    pub(super) fn seats<'a>(&self, held: &'a Conversation) -> Vec<ParticipantView<'a>> {
        let mut seats = customers(self, held);
        let mut others: Vec<ParticipantView<'a>> = held
            .participants
            .iter()
            .enumerate()
            .filter_map(|(at, _)| agent_seat(self, held, at))
            .collect();
        let is_routed =
            !others.is_empty() || held.participants.iter().any(|one| one.role == Role::Acd);
        if !is_routed && (held.queue.is_some() || !held.skills.is_empty()) {
            self.mark(&rules::ACD_PARTICIPANT);
            others.push(seat(self, held, added(held, 1), "acd", None, Vec::new()));
        }
        others.extend(
            held.participants
                .iter()
                .enumerate()
                .filter_map(|(at, _)| further_seat(self, held, at)),
        );
        others.sort_by_key(|seat| seat.start_ms);
        seats.extend(others);
        seats
    }
}

/// The seat of a menu, a queue or somebody else outside; none for an agent or customer.
fn further_seat<'a>(
    site: &GenesysCloud,
    held: &'a Conversation,
    at: usize,
) -> Option<ParticipantView<'a>> {
    let who = held.participants.get(at)?;
    let is_further = match who.role {
        Role::Agent | Role::Customer => false,
        Role::External | Role::Ivr | Role::Acd => true,
    };
    is_further.then(|| {
        seat(
            site,
            held,
            at,
            who.role.as_str(),
            Some(who),
            own_leg(held, who),
        )
    })
}

fn customers<'a>(site: &GenesysCloud, held: &'a Conversation) -> Vec<ParticipantView<'a>> {
    let customers = held
        .participants
        .iter()
        .enumerate()
        .filter(|(_, one)| one.role == Role::Customer);
    let seats: Vec<ParticipantView<'a>> = customers
        .map(|(at, one)| seat(site, held, at, "customer", Some(one), own_leg(held, one)))
        .collect();
    if seats.is_empty() {
        vec![seat(
            site,
            held,
            added(held, 0),
            "customer",
            None,
            Vec::new(),
        )]
    } else {
        seats
    }
}

/// The seat of the participant at a place of the list; none for a customer. Where one user is
/// listed twice, each takes one leg in turn and the last the rest.
fn agent_seat<'a>(
    site: &GenesysCloud,
    held: &'a Conversation,
    at: usize,
) -> Option<ParticipantView<'a>> {
    let who = held
        .participants
        .get(at)
        .filter(|who| who.role == Role::Agent)?;
    if who.communication.is_some() {
        return Some(seat(site, held, at, "agent", Some(who), own_leg(held, who)));
    }
    let same = |one: &&Participant| one.role == Role::Agent && one.id == who.id;
    let turn = held.participants[..at].iter().filter(same).count();
    let is_last = !held.participants[at + 1..].iter().any(|one| same(&one));
    let is_first_agent = !held.participants[..at]
        .iter()
        .any(|one| one.role == Role::Agent);
    let mine = |leg: &&Segment| {
        leg.participant == Some(who.id) || (leg.participant.is_none() && is_first_agent)
    };
    let mut legs: Vec<&Segment> = held.segments.iter().filter(mine).collect();
    legs.sort_by_key(|leg| leg.start_ms);
    let legs: Vec<&Segment> = legs
        .into_iter()
        .enumerate()
        .filter(|(index, _)| *index == turn || (is_last && *index > turn))
        .map(|(_, leg)| leg)
        .collect();
    Some(seat(site, held, at, "agent", Some(who), legs))
}

fn seat<'a>(
    site: &GenesysCloud,
    held: &'a Conversation,
    at: usize,
    purpose: &'static str,
    who: Option<&'a Participant>,
    legs: Vec<&'a Segment>,
) -> ParticipantView<'a> {
    let own = site.seed().child("seat").child(&held.id.to_string());
    let communication = who.and_then(|who| who.communication);
    let seed = communication.map_or_else(
        || own.index(at as u64),
        |communication| own.child(&communication.to_string()),
    );
    let session_id = communication.unwrap_or_else(|| seed.child("session").uuid());
    let start_ms = legs
        .iter()
        .map(|leg| leg.start_ms)
        .min()
        .unwrap_or(held.start_ms);
    let end_ms = legs
        .iter()
        .map(|leg| leg.end_ms)
        .max()
        .unwrap_or(held.end_ms);
    ParticipantView {
        id: seed.uuid(),
        session_id,
        purpose,
        who,
        legs,
        start_ms,
        end_ms,
    }
}

/// The leg of a participant who takes part by a communication.
fn own_leg<'a>(held: &'a Conversation, who: &Participant) -> Vec<&'a Segment> {
    held.segments
        .iter()
        .filter(|leg| who.communication == Some(leg.id))
        .collect()
}

/// The place of a seat this platform adds: behind the participants, and for an injected
/// conversation, whose participants come one by one, far behind.
fn added(held: &Conversation, which: usize) -> usize {
    let is_injected = held
        .participants
        .iter()
        .any(|one| one.communication.is_some());
    if is_injected {
        usize::MAX - which
    } else {
        held.participants.len() + which
    }
}

fn spans(leg: &Segment) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut push = |kind, start_ms, end_ms| {
        if end_ms > start_ms {
            spans.push(Span {
                kind,
                start_ms,
                end_ms,
            });
        }
    };
    push("alert", leg.start_ms, leg.answered_ms);
    let mut from = leg.answered_ms;
    for (held, resumed) in &leg.holds {
        push("interact", from, *held);
        push("hold", *held, *resumed);
        from = *resumed;
    }
    push("interact", from, leg.end_ms);
    // A leg without length, or with its ends swapped by a defect, is shown as it stands.
    if spans.is_empty() {
        spans.push(Span {
            kind: "interact",
            start_ms: leg.start_ms,
            end_ms: leg.end_ms,
        });
    }
    spans
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
