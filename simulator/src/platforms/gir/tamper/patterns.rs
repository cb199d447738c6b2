//! Defects that show only across calls: what many have in common is the defect.

use serde_json::Value;

use super::super::directory::Person;
use super::super::state::Recording;
use super::super::truth::legacy_id;
use super::people;
use super::scene::{Plant, Scene};
use crate::tamper;

/// D06: every so-many-th call of the source's listing is gone.
pub(super) fn every_nth(scene: &Scene<'_>, least: usize) -> Option<Vec<Plant>> {
    let calls = scene.candidates();
    let number = |held: &&Recording| legacy_id(&held.id)?.parse().ok();
    tamper::every_nth(scene.seed(), &calls, number, least).map(|gone| {
        gone.into_iter()
            .map(|held| gone_with_all(scene, held))
            .collect()
    })
}

/// D08: every call of one queue is gone.
pub(super) fn whole_queue(scene: &Scene<'_>, least: usize) -> Option<Vec<Plant>> {
    let calls = scene.candidates();
    // The default queue, of which the directory does not know, stands for several.
    let of_one = |held: &&Recording| {
        let id = people::added(held)?.get("st.queue")?.as_str()?.to_owned();
        let queues = &scene.site.directory().queues;
        queues
            .iter()
            .any(|queue| queue.to_string() == id)
            .then_some(id)
    };
    tamper::whole_kind(scene.seed(), &calls, of_one, least).map(|gone| {
        gone.into_iter()
            .map(|held| gone_with_all(scene, held))
            .collect()
    })
}

/// A call and every media file of it are gone, with their bytes: an entry for each.
fn gone_with_all(scene: &Scene<'_>, held: &Recording) -> Plant {
    let mut planted = (0..held.media.len())
        .map(|at| scene.entry(held, Some(at), "recording", held.id.clone(), Value::Null));
    let first = planted
        .next()
        .unwrap_or_else(|| scene.entry(held, None, "recording", held.id.clone(), Value::Null));
    let mut plant = Plant::of(first);
    plant.planted.extend(planted);
    plant.removed.push(held.id.clone());
    plant.files = held
        .media
        .iter()
        .map(|file| (file.descriptor.path.clone(), None))
        .collect();
    plant
}

/// D47: everybody at one desk is shown as the same person.
pub(super) fn one_person_a_desk(scene: &Scene<'_>, least: usize) -> Option<Vec<Plant>> {
    let calls = scene.candidates();
    let people = &scene.site.directory().people;
    let mut alone: Vec<&Person> = people
        .iter()
        .filter(|person| {
            people
                .iter()
                .filter(|other| other.agent_id == person.agent_id)
                .count()
                == 1
        })
        .collect();
    tamper::turn(scene.seed().child("desks"), &mut alone);
    alone.into_iter().find_map(|person| {
        let colleagues: Vec<&Person> = people
            .iter()
            .filter(|other| {
                other.extension == person.extension && other.agent_id != person.agent_id
            })
            .collect();
        let of_desk = |held: &Recording| -> Vec<&Person> {
            let joined = people::agents(held);
            colleagues
                .iter()
                .copied()
                .filter(|one| joined.contains(&one.username.as_str()))
                .collect()
        };
        let hit: Vec<&Recording> = calls
            .iter()
            .copied()
            .filter(|held| !of_desk(held).is_empty())
            .collect();
        // In a call of two of them nobody could tell who is meant.
        let is_clear = hit.iter().all(|held| {
            of_desk(held).len() == 1 && !people::agents(held).contains(&person.username.as_str())
        });
        (is_clear && hit.len() >= least).then(|| {
            hit.into_iter()
                .filter_map(|held| people::with_agent(scene, held, of_desk(held)[0], person))
                .collect()
        })
    })
}
