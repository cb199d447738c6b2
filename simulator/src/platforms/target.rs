//! What the target organisation consists of, and the mapping towards it.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::genesys_cloud::{Directory, Entry, MappedAgent};
use crate::seed::Seed;
use crate::world::{Mapped, World};

/// Name of the user that stands for agents nobody knows (guide, edge case 2).
const FALLBACK_USER: &str = "Historical Migration - Unknown Agent";

/// Name of the queue that stands for queues the mapping does not know (guide, step 2.2).
const DEFAULT_QUEUE: &str = "Unmapped";

/// Ids of the target that a plan names beside its mapping tables.
pub(crate) struct Target {
    pub(crate) fallback_user: Option<Uuid>,
    pub(crate) default_queue: Uuid,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) directory: Directory,
}

impl Target {
    /// The organisation that fits a world.
    pub(crate) fn of(world: &World, seed: Seed, site_zone: &str, with_fallback: bool) -> Target {
        let own = seed.child("target");
        let fallback_user = with_fallback.then(|| own.child("fallback").uuid());
        let default_queue = own.child("unmapped").uuid();
        let client_id = own.child("client").uuid().to_string();
        let client_secret = format!(
            "gcs-{:016x}{:016x}",
            own.child("secret/a").value(),
            own.child("secret/b").value()
        );
        let agents = world.agents().iter().map(|agent| MappedAgent {
            extension: agent.extension.clone(),
            users: agent.mapped.iter().map(|row| row.user_id).collect(),
        });
        let directory = Directory {
            agents: agents.collect(),
            users: users(world, fallback_user),
            queues: entries(world.queues(), Some((default_queue, DEFAULT_QUEUE))),
            wrapups: entries(world.wrapups(), None),
            skills: entries(world.skills(), None),
            divisions: Vec::new(),
            placed: BTreeMap::new(),
            retention_tags: world.retention_classes(),
            site_zone: site_zone.to_owned(),
            client_id: client_id.clone(),
            client_secret: client_secret.clone(),
        };
        Target {
            fallback_user,
            default_queue,
            client_id,
            client_secret,
            directory,
        }
    }
}

/// The mapped people, some of whom have left, and the fallback user. Sorted by id, as a listing is.
fn users(world: &World, fallback: Option<Uuid>) -> Vec<Entry> {
    let mapped = world.agents().iter().flat_map(|agent| {
        agent
            .mapped
            .iter()
            .filter(|row| row.in_target)
            .map(move |row| (agent, row))
    });
    let mut users: Vec<Entry> = mapped
        .map(|(agent, row)| {
            let present = agent.active && row.valid_to_ms.is_none();
            Entry::new(
                row.user_id,
                row.user_name.clone(),
                if present { "active" } else { "inactive" },
            )
        })
        .collect();
    users.extend(fallback.map(|id| Entry::new(id, FALLBACK_USER, "active")));
    users.sort_by_key(|user| user.id);
    users
}

fn entries(mapped: &[Mapped], extra: Option<(Uuid, &str)>) -> Vec<Entry> {
    let known = mapped
        .iter()
        .filter(|entry| entry.in_target)
        .filter_map(|entry| Some((entry.target_id?, entry.name.as_str())));
    let mut entries: Vec<Entry> = known
        .chain(extra)
        .map(|(id, name)| Entry::new(id, name, "active"))
        .collect();
    entries.sort_by_key(|entry| entry.id);
    entries
}
