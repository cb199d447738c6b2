//! Defects that show only across calls: what many have in common is the defect.

use uuid::Uuid;

use super::{
    super::{
        conversation::{Conversation, Role},
        identity::Tag,
    },
    scene::{Plant, Scene},
};
use crate::tamper;

/// D06: every so-many-th call of the source's listing is gone.
pub(super) fn every_nth(scene: &Scene<'_>, least: usize) -> Option<Vec<Plant>> {
    let calls = scene.candidates();
    let number = |held: &&Conversation| Tag::of(held)?.legacy_id.parse().ok();
    tamper::every_nth(scene.seed(), &calls, number, least).map(|gone| {
        gone.into_iter()
            .map(|held| gone_with_all(scene, held))
            .collect()
    })
}

/// D08: every call of one queue is gone.
pub(super) fn whole_queue(scene: &Scene<'_>, least: usize) -> Option<Vec<Plant>> {
    let calls = scene.candidates();
    let directory = scene.site.directory();
    // Calls of several queues of the source, and of none, stand in the default one.
    let of_one = |held: &&Conversation| {
        let id = held.queue.as_ref()?.id;
        let known = directory.queues.iter().find(|queue| queue.id == id)?;
        (known.name != "Unmapped").then_some(id)
    };
    tamper::whole_kind(scene.seed(), &calls, of_one, least).map(|gone| {
        gone.into_iter()
            .map(|held| gone_with_all(scene, held))
            .collect()
    })
}

/// A call and every recording of it are gone: an entry for each, or one for the call.
fn gone_with_all(scene: &Scene<'_>, held: &Conversation) -> Plant {
    let entry = |one| {
        scene.entry(
            held,
            one,
            "conversation",
            held.id.to_string(),
            serde_json::Value::Null,
        )
    };
    let planted = if held.recordings.is_empty() {
        vec![entry(None)]
    } else {
        held.recordings.iter().map(|one| entry(Some(one))).collect()
    };
    Plant {
        planted,
        puts: Vec::new(),
        removed: vec![held.id],
        files: Vec::new(),
        orphans: Vec::new(),
    }
}

/// D47: everybody at one desk is shown as the same user.
pub(super) fn one_user_a_desk(scene: &Scene<'_>, least: usize) -> Option<Vec<Plant>> {
    let calls = scene.candidates();
    let directory = scene.site.directory();
    let mut pairs: Vec<(Uuid, Vec<Uuid>)> = Vec::new();
    for agent in directory
        .agents
        .iter()
        .filter(|agent| agent.users.len() == 1)
    {
        let colleagues: Vec<Uuid> = directory
            .agents
            .iter()
            .filter(|other| other.extension == agent.extension && other.users != agent.users)
            .flat_map(|other| other.users.clone())
            .collect();
        pairs.push((agent.users[0], colleagues));
    }
    tamper::turn(scene.seed().child("desks"), &mut pairs);
    let has = |held: &Conversation, user: Uuid| {
        held.participants
            .iter()
            .any(|one| one.role == Role::Agent && one.id == user)
    };
    pairs.into_iter().find_map(|(user, colleagues)| {
        let hit: Vec<&Conversation> = calls
            .iter()
            .copied()
            .filter(|held| colleagues.iter().any(|colleague| has(held, *colleague)))
            .collect();
        // In a call of two of them nobody could tell who is meant.
        let is_clear = hit.iter().all(|held| {
            let of_desk = colleagues.iter().filter(|one| has(held, **one)).count();
            of_desk == 1 && !has(held, user)
        });
        let to = directory.users.iter().find(|known| known.id == user)?;
        (is_clear && hit.len() >= least).then(|| {
            hit.into_iter()
                .filter_map(|held| {
                    let from = colleagues.iter().find(|one| has(held, **one))?;
                    Some(super::people::with_agent(scene, held, *from, to))
                })
                .collect()
        })
    })
}
