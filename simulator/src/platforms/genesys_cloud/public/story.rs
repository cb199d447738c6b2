//! A conversation as its whole log tells it: a pure function of what was told, so that neither
//! order nor split of batches leaves a trace.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    super::{
        conversation::{
            Conversation, Direction, Participant, QueueNamed, Role, Segment, WrapUpWords,
        },
        validate::uuid,
    },
    event::{Established, Event, What},
    kinds::Kind,
};

/// A communication while the log is read.
struct Leg<'a> {
    kind: Kind,
    said: &'a Established,
    start_ms: i64,
    answered_ms: Option<i64>,
    end_ms: Option<i64>,
    how_ended: Option<&'static str>,
    held_since: Option<i64>,
    holds: Vec<(i64, i64)>,
    wrap_up: Option<(Option<Uuid>, WrapUpWords)>,
}

/// The conversation that a log tells; none while nothing was established. Attributes, recordings
/// and protection are not told by events.
pub(super) fn tell<'a>(
    id: Uuid,
    told: impl Iterator<Item = &'a Event>,
    created_at_ms: i64,
) -> Option<Conversation> {
    let mut legs: Vec<Leg<'a>> = Vec::new();
    let mut at: BTreeMap<Uuid, usize> = BTreeMap::new();
    let mut last_ms = i64::MIN;
    for event in told {
        last_ms = last_ms.max(event.at_ms);
        if let What::Established(said) = &event.what {
            at.insert(said.communication, legs.len());
            legs.push(Leg::new(event, said));
        }
        let own = event.legs.first().and_then(|leg| at.get(leg));
        if let Some(leg) = own.and_then(|at| legs.get_mut(*at)) {
            leg.hear(event);
        }
    }
    let start_ms = legs.first()?.start_ms;
    let is_open = legs.iter().any(|leg| leg.end_ms.is_none());
    let end_ms = if is_open {
        last_ms
    } else {
        legs.iter().filter_map(|leg| leg.end_ms).max()?
    };
    let customer = legs
        .iter()
        .find(|leg| leg.kind == Kind::ExternalEstablished)
        .map(|leg| leg.said.communication);
    let direction = direction(&legs);
    Some(Conversation {
        id,
        external_tag: legs.iter().find_map(|leg| leg.said.tag.clone()),
        direction,
        start_ms,
        end_ms,
        participants: legs
            .iter()
            .map(|leg| participant(leg, role(leg, customer), &legs))
            .collect(),
        queue: queue(&legs),
        skills: skills(&legs),
        attributes: BTreeMap::new(),
        protected: false,
        segments: legs
            .iter()
            .map(|leg| segment(leg, role(leg, customer), last_ms))
            .collect(),
        recordings: Vec::new(),
        created_at_ms,
        shown_from_ms: 0,
        other_attributes: BTreeMap::new(),
    })
}

impl<'a> Leg<'a> {
    fn new(event: &'a Event, said: &'a Established) -> Leg<'a> {
        Leg {
            kind: event.kind,
            said,
            start_ms: event.at_ms,
            answered_ms: (!said.is_alerting).then_some(event.at_ms),
            end_ms: None,
            how_ended: None,
            held_since: None,
            holds: Vec::new(),
            wrap_up: None,
        }
    }

    fn hear(&mut self, event: &Event) {
        match &event.what {
            What::Answered => self.answered_ms = self.answered_ms.or(Some(event.at_ms)),
            What::Hold(true) => self.held_since = self.held_since.or(Some(event.at_ms)),
            What::Hold(false) => self.resume(event.at_ms),
            What::Ended { how, .. } => {
                self.resume(event.at_ms);
                (self.end_ms, self.how_ended) = (Some(event.at_ms), Some(*how));
            }
            What::Disposition { code, notes, tags } => {
                let words = WrapUpWords {
                    notes: notes.clone(),
                    tags: tags.clone(),
                    at_ms: event.at_ms,
                };
                self.wrap_up = Some((code.as_deref().and_then(uuid), words));
            }
            What::Established(_) | What::Audio | What::Transfer(_) => {}
        }
    }

    fn resume(&mut self, at_ms: i64) {
        self.holds
            .extend(self.held_since.take().map(|since| (since, at_ms)));
    }
}

fn role(leg: &Leg<'_>, customer: Option<Uuid>) -> Role {
    match leg.kind {
        Kind::UserEstablished => Role::Agent,
        Kind::IvrEstablished => Role::Ivr,
        Kind::RoutingEstablished => Role::Acd,
        _ if Some(leg.said.communication) == customer => Role::Customer,
        _ => Role::External,
    }
}

/// Whom a leg belongs to: the user of an agent, the communication of everybody else.
fn who(leg: &Leg<'_>, role: Role) -> Uuid {
    let user = leg
        .said
        .user
        .as_deref()
        .and_then(uuid)
        .filter(|_| role == Role::Agent);
    user.unwrap_or(leg.said.communication)
}

fn participant(leg: &Leg<'_>, role: Role, all: &[Leg<'_>]) -> Participant {
    let is_customer = role == Role::Customer;
    // A caller's number may be known to another communication only, such as the menu they reached
    // first.
    let first = |number: fn(&Established) -> &Option<String>| {
        all.iter()
            .find_map(|leg| number(leg.said).clone())
            .filter(|_| is_customer)
    };
    let (code, words) = leg
        .wrap_up
        .clone()
        .map_or((None, None), |(code, words)| (code, Some(words)));
    Participant {
        id: who(leg, role),
        role,
        name: leg.said.name.clone(),
        wrap_up: code.filter(|_| role == Role::Agent),
        phone: leg.said.phone.clone(),
        ani: leg.said.ani.clone().or_else(|| first(|said| &said.ani)),
        dnis: leg.said.dnis.clone().or_else(|| first(|said| &said.dnis)),
        communication: Some(leg.said.communication),
        wrap_up_words: words.filter(|_| role == Role::Agent),
    }
}

fn segment(leg: &Leg<'_>, role: Role, last_ms: i64) -> Segment {
    let end_ms = leg.end_ms.unwrap_or(last_ms);
    let mut holds = leg.holds.clone();
    holds.extend(leg.held_since.map(|since| (since, end_ms)));
    Segment {
        id: leg.said.communication,
        participant: Some(who(leg, role)),
        start_ms: leg.start_ms,
        end_ms,
        // One that was never answered rang to its end.
        answered_ms: leg.answered_ms.unwrap_or(end_ms),
        holds,
        how_ended: leg.how_ended,
        is_open: leg.end_ms.is_none(),
    }
}

fn direction(legs: &[Leg<'_>]) -> Direction {
    match legs.iter().find_map(|leg| leg.said.is_inbound) {
        Some(false) => Direction::Outbound,
        Some(true) | None => Direction::Inbound,
    }
}

fn queue(legs: &[Leg<'_>]) -> Option<QueueNamed> {
    let of = |kind: Kind| {
        legs.iter()
            .filter(move |leg| leg.kind == kind)
            .find_map(|leg| leg.said.queue.as_deref().and_then(uuid))
    };
    let id = of(Kind::RoutingEstablished).or_else(|| of(Kind::UserEstablished))?;
    Some(QueueNamed { id, name: None })
}

fn skills(legs: &[Leg<'_>]) -> Vec<Uuid> {
    let mut skills = Vec::new();
    for skill in legs
        .iter()
        .flat_map(|leg| &leg.said.skills)
        .filter_map(|skill| uuid(skill))
    {
        if !skills.contains(&skill) {
            skills.push(skill);
        }
    }
    skills
}
