//! Defects of people, routing, access and the small texts of a call.

use serde_json::{Map, Value};

use super::super::directory::Person;
use super::super::state::Recording;
use super::scene::{Plant, Scene};

/// Regions a node is not in.
const ELSEWHERE: [&str; 2] = ["US-East", "EU-Central"];

/// Texts of the meta event that have a defect of their own, or are none a person wrote.
const ROUTING: [&str; 4] = ["st.queue", "st.skill", "st.wrap_up", "st.raw_start"];

/// An agent of a call who is known and joined once, and is not the fallback.
fn agent<'a>(scene: &'a Scene<'_>, held: &Recording) -> Option<&'a Person> {
    let joined = agents(held);
    let known = scene.site.directory().people.iter();
    let once: Vec<&Person> = known
        .filter(|person| {
            joined
                .iter()
                .filter(|name| **name == person.username)
                .count()
                == 1
        })
        .collect();
    scene.choose(held, &once).copied()
}

/// Who joined, in the order of the events.
pub(super) fn agents(held: &Recording) -> Vec<&str> {
    let joined = held.events.iter().filter(|event| event.event == "Joined");
    joined
        .filter_map(|event| event.contact.as_ref()?.user_name.as_deref())
        .collect()
}

/// Puts another person in an agent's place; who may listen stays.
pub(super) fn with_agent(
    scene: &Scene<'_>,
    held: &Recording,
    from: &Person,
    to: &Person,
) -> Option<Plant> {
    let mut copy = held.clone();
    let contacts = copy
        .events
        .iter_mut()
        .filter_map(|event| event.contact.as_mut());
    for contact in contacts.filter(|contact| contact.user_name.as_ref() == Some(&from.username)) {
        let (first, last) = to.names();
        contact.user_name = Some(to.username.clone());
        contact.phone_number.clone_from(&to.login);
        (contact.first_name, contact.last_name) = (Some(first.to_owned()), Some(last.to_owned()));
    }
    for file in copy.media.iter_mut().filter(|file| {
        file.parameters.get("username").and_then(Value::as_str) == Some(&from.username)
    }) {
        file.parameters
            .insert("username".to_owned(), to.username.clone().into());
        file.parameters
            .insert("agentId".to_owned(), to.login.clone().into());
    }
    let entry = scene.entry(
        held,
        None,
        "eventHistory.contact.userName",
        from.username.clone(),
        to.username.clone(),
    );
    Some(Plant::one(entry, copy))
}

/// D45: another person, just as valid, who is not the same agent at another time.
pub(super) fn other_agent(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let (from, joined) = (agent(scene, held)?, agents(held));
    let is_other = |person: &&Person| {
        person.agent_id != from.agent_id && !joined.contains(&person.username.as_str())
    };
    let others: Vec<&Person> = scene
        .site
        .directory()
        .people
        .iter()
        .filter(is_other)
        .collect();
    with_agent(scene, held, from, scene.choose(held, &others)?)
}

/// D46: the fallback, though the agent was known.
pub(super) fn fallback_agent(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let fallback = scene.site.directory().fallback.as_ref()?;
    if agents(held).contains(&fallback.username.as_str()) {
        return None;
    }
    with_agent(scene, held, agent(scene, held)?, fallback)
}

/// D48: whom the agent's id means today, or meant before, and not at the time of the call.
pub(super) fn successor(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let joined = agents(held);
    let people = &scene.site.directory().people;
    let of_call = people.iter().filter(|person| {
        joined
            .iter()
            .filter(|name| **name == person.username)
            .count()
            == 1
    });
    let pair = |from: &'_ Person| {
        let to = people
            .iter()
            .find(|person| person.agent_id == from.agent_id && person.username != from.username)?;
        (!joined.contains(&to.username.as_str())).then(|| with_agent(scene, held, from, to))?
    };
    of_call.into_iter().find_map(pair)
}

/// D49: an agent of a transferred call is lost from its events. Who was recorded stays.
pub(super) fn lost_participant(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let joined = agents(held);
    let lost = joined.last().filter(|lost| {
        joined.len() > 1 && joined.iter().filter(|name| name == lost).count() == 1
    })?;
    let mut copy = held.clone();
    copy.events.retain(|event| {
        event
            .contact
            .as_ref()
            .and_then(|contact| contact.user_name.as_deref())
            != Some(*lost)
    });
    Some(Plant::one(
        scene.entry(held, None, "eventHistory", *lost, Value::Null),
        copy,
    ))
}

/// The texts that the meta event added.
pub(super) fn added(held: &Recording) -> Option<&Map<String, Value>> {
    held.events
        .iter()
        .find_map(|event| event.data.as_ref()?.get("added")?.as_object())
}

/// Puts a text of the meta event in another's place, or takes it away.
fn with_text(
    scene: &Scene<'_>,
    held: &Recording,
    key: &str,
    after: Option<String>,
) -> Option<Plant> {
    let before = added(held)?.get(key)?.as_str()?.to_owned();
    let mut copy = held.clone();
    let texts = copy
        .events
        .iter_mut()
        .find_map(|event| event.data.as_mut()?.get_mut("added")?.as_object_mut())?;
    match &after {
        Some(text) => texts.insert(key.to_owned(), text.clone().into()),
        None => texts.remove(key),
    };
    let told = after.map_or(Value::Null, |text| format!("{key}={text}").into());
    Some(Plant::one(
        scene.entry(
            held,
            None,
            "eventHistory.data",
            format!("{key}={before}"),
            told,
        ),
        copy,
    ))
}

/// One of the directory's ids that a text is not.
fn other_id(scene: &Scene<'_>, held: &Recording, key: &str, ids: &[uuid::Uuid]) -> Option<String> {
    let before = added(held)?.get(key)?.as_str()?;
    let others: Vec<String> = ids
        .iter()
        .map(uuid::Uuid::to_string)
        .filter(|id| id != before)
        .collect();
    scene.choose(held, &others).cloned()
}

/// D50: another queue.
pub(super) fn other_queue(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let other = other_id(scene, held, "st.queue", &scene.site.directory().queues)?;
    with_text(scene, held, "st.queue", Some(other))
}

/// D51: the wrap-up code is gone, or another.
pub(super) fn wrap_up_changed(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let other = other_id(scene, held, "st.wrap_up", &scene.site.directory().wrapups);
    let is_removed = scene.seed_of(&held.id).child("removed").chance(0.5);
    with_text(scene, held, "st.wrap_up", other.filter(|_| !is_removed))
}

/// D43: talking time counted from the media instead of the call.
pub(super) fn talk_from_media(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    const TALK: &str = "st.talk_ms";
    let before: u64 = added(held)?.get(TALK)?.as_str()?.parse().ok()?;
    let (_, pcm) = scene.decoded(&held.media[scene.victim(held)?])?;
    let media_ms = pcm.duration_ms();
    (media_ms.abs_diff(before) > 1_000)
        .then(|| with_text(scene, held, TALK, Some(media_ms.to_string())))?
}

/// D52: inbound for outbound, or the reverse; the numbers stay where they were.
pub(super) fn direction_flipped(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let before = held.call_type.as_deref()?;
    let after = match before {
        "Inbound" => "Outbound",
        "Outbound" => "Inbound",
        _ => return None,
    };
    let mut copy = held.clone();
    copy.call_type = Some(after.to_owned());
    Some(Plant::one(
        scene.entry(held, None, "callType", before, after),
        copy,
    ))
}

/// D53: another access group may listen.
pub(super) fn other_access_group(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let at = scene.victim(held)?;
    let before = held.media[at].access_groups.first()?;
    let directory = scene.site.directory();
    let mut groups: Vec<&String> = directory
        .people
        .iter()
        .map(|person| &person.access_group)
        .filter(|group| *group != before)
        .collect();
    groups.sort_unstable();
    groups.dedup();
    let after = (*scene.choose(held, &groups)?).clone();
    let entry = scene.entry(
        held,
        Some(at),
        "accessgroups",
        before.clone(),
        after.clone(),
    );
    let mut copy = held.clone();
    copy.media[at].access_groups = vec![after];
    Some(Plant::one(entry, copy))
}

/// D54: another region: taken in, and hidden from the node that is asked.
pub(super) fn other_region(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let after = ELSEWHERE
        .into_iter()
        .find(|region| *region != held.region)?;
    let mut copy = held.clone();
    copy.region = after.to_owned();
    Some(Plant::one(
        scene.entry(held, None, "region", held.region.clone(), after),
        copy,
    ))
}

/// D61: the caller's number is another, by its last digit, wherever it stands.
pub(super) fn other_number(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let before = held.caller.clone();
    let last = before.chars().last()?.to_digit(10)?;
    let after = format!("{}{}", &before[..before.len() - 1], (last + 1) % 10);
    let mut copy = held.clone();
    copy.caller.clone_from(&after);
    for parameters in copy
        .media
        .iter_mut()
        .map(|file| &mut file.parameters)
        .filter(|of| of.get("ani").and_then(Value::as_str) == Some(&before))
    {
        parameters.insert("ani".to_owned(), after.clone().into());
    }
    let contacts = copy
        .events
        .iter_mut()
        .filter_map(|event| event.contact.as_mut());
    contacts
        .filter(|contact| contact.phone_number == before)
        .for_each(|contact| contact.phone_number.clone_from(&after));
    Some(Plant::one(
        scene.entry(held, None, "callerPhoneNumber", before, after),
        copy,
    ))
}

/// A text a person wrote, of some length.
fn written(held: &Recording, may_be: impl Fn(&str) -> bool) -> Option<(String, String)> {
    let is_text = |text: &str| text.chars().count() >= 4 && text.chars().any(char::is_alphabetic);
    let texts = added(held)?
        .iter()
        .filter(|(key, _)| !ROUTING.contains(&key.as_str()) && may_be(key));
    texts
        .filter_map(|(key, text)| Some((key.clone(), text.as_str()?.to_owned())))
        .find(|(_, text)| is_text(text))
}

/// D62: a text cut in half.
pub(super) fn text_cut(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let (key, before) = written(held, |_| true)?;
    let half = before.chars().take(before.chars().count() / 2).collect();
    with_text(scene, held, &key, Some(half))
}

/// D64: a text is dropped. Not the disposition or the wrap-up: that is D51
/// (docs/reference/fields.md).
pub(super) fn attribute_dropped(scene: &Scene<'_>, held: &Recording) -> Option<Plant> {
    let (key, _) = written(held, |key| {
        !key.ends_with("disposition") && !key.contains("wrap_up")
    })?;
    with_text(scene, held, &key, None)
}
