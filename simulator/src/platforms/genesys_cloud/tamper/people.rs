//! Defects of people, routing and the small texts of a call.

use serde_json::Value;
use uuid::Uuid;

use super::{
    super::{
        conversation::{Conversation, Direction, Participant, QueueNamed, Role},
        settings::Entry,
    },
    scene::{Plant, Scene},
};

/// An agent who sits in a conversation once, and is not the fallback user.
fn agent(scene: &Scene<'_>, held: &Conversation) -> Option<Uuid> {
    let fallback = scene.site.directory().fallback_user();
    let sits_once = |id: Uuid| held.participants.iter().filter(|one| one.id == id).count() == 1;
    let agents = held
        .participants
        .iter()
        .filter(|one| one.role == Role::Agent && Some(one.id) != fallback && sits_once(one.id));
    let ids: Vec<Uuid> = agents.map(|one| one.id).collect();
    scene.choose(held, &ids).copied()
}

/// Puts another user in an agent's place.
pub(super) fn with_agent(scene: &Scene<'_>, held: &Conversation, from: Uuid, to: &Entry) -> Plant {
    let mut copy = held.clone();
    for one in copy
        .participants
        .iter_mut()
        .filter(|one| one.role == Role::Agent && one.id == from)
    {
        one.id = to.id;
        one.name = one.name.is_some().then(|| to.name.clone());
    }
    for leg in copy
        .segments
        .iter_mut()
        .filter(|leg| leg.participant == Some(from))
    {
        leg.participant = Some(to.id);
    }
    Plant::one(
        scene.entry(
            held,
            None,
            "participants.userId",
            from.to_string(),
            to.id.to_string(),
        ),
        copy,
    )
}

/// D45: another user, just as valid.
pub(super) fn other_agent(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let from = agent(scene, held)?;
    let fallback = scene.site.directory().fallback_user();
    let is_in = |user: &Entry| held.participants.iter().any(|one| one.id == user.id);
    let directory = scene.site.directory();
    let others: Vec<&Entry> = directory
        .users
        .iter()
        .filter(|user| user.state == "active" && Some(user.id) != fallback && !is_in(user))
        .collect();
    Some(with_agent(scene, held, from, scene.choose(held, &others)?))
}

/// D46: the fallback user, though the agent was known.
pub(super) fn fallback_agent(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let fallback = scene.site.directory().fallback_user()?;
    if held.participants.iter().any(|one| one.id == fallback) {
        return None;
    }
    let directory = scene.site.directory();
    let to = directory.users.iter().find(|user| user.id == fallback)?;
    Some(with_agent(scene, held, agent(scene, held)?, to))
}

/// D48: whom the agent's id means today, or meant before, and not at the time of the call.
pub(super) fn successor(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let directory = scene.site.directory();
    let sits = |id: Uuid| {
        held.participants
            .iter()
            .filter(|one| one.role == Role::Agent && one.id == id)
            .count()
    };
    let of_call = directory.agents.iter().find_map(|agent| {
        let from = agent.users.iter().find(|user| sits(**user) == 1)?;
        let to = agent.users.iter().find(|user| sits(**user) == 0)?;
        Some((*from, *to))
    });
    let (from, to) = of_call?;
    let to = directory.users.iter().find(|user| user.id == to)?;
    Some(with_agent(scene, held, from, to))
}

/// D49: an agent of a transferred call is lost; the leg stays with nobody. The one with the wrap-up
/// code is spared: that would be D51 as well.
pub(super) fn lost_participant(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let agents = held
        .participants
        .iter()
        .filter(|one| one.role == Role::Agent)
        .count();
    let at = held
        .participants
        .iter()
        .rposition(|one| one.role == Role::Agent && one.wrap_up.is_none())?;
    let lost = &held.participants[at];
    if agents < 2
        || held
            .participants
            .iter()
            .filter(|one| one.id == lost.id)
            .count()
            != 1
    {
        return None;
    }
    let entry = scene.entry(held, None, "participants", lost.id.to_string(), Value::Null);
    let mut copy = held.clone();
    copy.participants.remove(at);
    Some(Plant::one(entry, copy))
}

/// D50: another queue.
pub(super) fn other_queue(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let before = held.queue.as_ref()?;
    let directory = scene.site.directory();
    let others: Vec<&Entry> = directory
        .queues
        .iter()
        .filter(|queue| queue.id != before.id && queue.name != "Unmapped")
        .collect();
    let other = scene.choose(held, &others)?;
    let entry = scene.entry(
        held,
        None,
        "routing.queue",
        before.id.to_string(),
        other.id.to_string(),
    );
    let mut copy = held.clone();
    copy.queue = Some(QueueNamed {
        id: other.id,
        name: before.name.is_some().then(|| other.name.clone()),
    });
    Some(Plant::one(entry, copy))
}

/// D51: the wrap-up code is gone, or another.
pub(super) fn wrap_up_changed(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let at = held
        .participants
        .iter()
        .position(|one| one.role == Role::Agent && one.wrap_up.is_some())?;
    let before = held.participants[at].wrap_up?;
    let others: Vec<Uuid> = scene
        .site
        .directory()
        .wrapups
        .iter()
        .map(|code| code.id)
        .filter(|id| *id != before)
        .collect();
    let is_removed = scene.seed_of(held.id).child("removed").chance(0.5);
    let after = scene.choose(held, &others).copied().filter(|_| !is_removed);
    let entry = scene.entry(
        held,
        None,
        "wrapUpCode",
        before.to_string(),
        after.map(|id| id.to_string()),
    );
    let mut copy = held.clone();
    copy.participants[at].wrap_up = after;
    Some(Plant::one(entry, copy))
}

/// D52: inbound for outbound, or the reverse; the numbers stay where they were.
pub(super) fn direction_flipped(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let mut copy = held.clone();
    let (ani, dnis) = (
        held.ani().map(str::to_owned),
        held.dnis().map(str::to_owned),
    );
    copy.direction = match held.direction {
        Direction::Inbound => Direction::Outbound,
        Direction::Outbound => Direction::Inbound,
    };
    if let Some(customer) = customer(&mut copy) {
        (customer.ani, customer.dnis) = (ani, dnis);
    }
    let entry = scene.entry(
        held,
        None,
        "direction",
        held.direction.as_str(),
        copy.direction.as_str(),
    );
    Some(Plant::one(entry, copy))
}

fn customer(copy: &mut Conversation) -> Option<&mut Participant> {
    copy.participants
        .iter_mut()
        .find(|one| one.role == Role::Customer)
}

/// D61: the caller's number is another, by its last digit.
pub(super) fn other_number(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let before = held.ani()?.to_owned();
    let last = before.chars().last()?.to_digit(10)?;
    let after = format!("{}{}", &before[..before.len() - 1], (last + 1) % 10);
    let entry = scene.entry(held, None, "ani", before.clone(), after.clone());
    let mut copy = held.clone();
    let one = customer(&mut copy)?;
    if one.phone.as_deref() == Some(&before) {
        one.phone = Some(after.clone());
    }
    one.ani = Some(after);
    Some(Plant::one(entry, copy))
}

/// An attribute that carries a text of some length.
fn text_attribute(
    held: &Conversation,
    may_be: impl Fn(&str) -> bool,
) -> Option<(&String, &String)> {
    let is_text = |text: &str| text.chars().count() >= 4 && text.chars().any(char::is_alphabetic);
    held.attributes
        .iter()
        .find(|(name, text)| may_be(name) && is_text(text))
}

/// D62: a text cut in half.
pub(super) fn text_cut(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let (name, before) = text_attribute(held, |_| true)?;
    let after: String = before.chars().take(before.chars().count() / 2).collect();
    let entry = scene.entry(
        held,
        None,
        "attributes",
        format!("{name}={before}"),
        format!("{name}={after}"),
    );
    let mut copy = held.clone();
    copy.attributes.insert(name.clone(), after);
    Some(Plant::one(entry, copy))
}

/// D64: an attribute is dropped. Not the disposition: that is D51 (docs/reference/fields.md).
pub(super) fn attribute_dropped(scene: &Scene<'_>, held: &Conversation) -> Option<Plant> {
    let (name, before) = text_attribute(held, |name| !name.ends_with("disposition"))?;
    let entry = scene.entry(
        held,
        None,
        "attributes",
        format!("{name}={before}"),
        Value::Null,
    );
    let mut copy = held.clone();
    copy.attributes.remove(name);
    Some(Plant::one(entry, copy))
}
