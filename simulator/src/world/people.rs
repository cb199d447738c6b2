//! Agents, queues, skills and codes of a generated world, and their counterparts in the target.

use fake::Fake;
use fake::faker::name::en::Name;
use fake::rand::SeedableRng;
use fake::rand::rngs::StdRng;
use uuid::Uuid;

use super::settings::WorldSettings;
use crate::seed::Seed;

/// An agent of the source.
#[derive(Clone, Debug)]
pub(crate) struct Agent {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) extension: String,
    pub(crate) active: bool,
    /// Who the mapping says this id is, in order of time.
    pub(crate) mapped: Vec<MappedAgent>,
}

/// A mapping row of an agent.
#[derive(Clone, Debug)]
pub(crate) struct MappedAgent {
    pub(crate) user_id: Uuid,
    pub(crate) user_name: String,
    /// Unix ms; `None`: always.
    pub(crate) valid_from_ms: Option<i64>,
    /// Unix ms, excluded; `None`: for ever.
    pub(crate) valid_to_ms: Option<i64>,
    /// Whether the target has this user; a mapping may be wrong.
    pub(crate) in_target: bool,
}

/// A queue, skill or code of the source and its counterpart.
#[derive(Clone, Debug)]
pub(crate) struct Mapped {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) target_id: Option<Uuid>,
    pub(crate) in_target: bool,
}

const QUEUES: [&str; 10] = [
    "Support",
    "Sales",
    "Billing",
    "Retention",
    "Complaints",
    "Technical",
    "Collections",
    "Claims",
    "Onboarding",
    "Bookings",
];
const SKILLS: [&str; 6] = [
    "Billing",
    "French",
    "Network",
    "Mortgages",
    "Travel",
    "Escalation",
];
const WRAPUPS: [&str; 8] = [
    "Resolved",
    "Follow-up",
    "Transferred",
    "Complaint",
    "Sale",
    "No sale",
    "Wrong number",
    "Callback agreed",
];

/// A person's name, from the entity's own seed.
pub(crate) fn person(seed: Seed) -> String {
    Name().fake_with_rng(&mut StdRng::seed_from_u64(seed.child("name").value()))
}

/// The agents: the last ones are unmapped, those before them wrongly mapped, the first ones
/// re-used.
pub(crate) fn agents(seed: Seed, settings: &WorldSettings, middle_ms: i64) -> Vec<Agent> {
    let first_unmapped = settings.agents - settings.unmapped_agents;
    let first_invalid = first_unmapped - settings.invalid_agent_ids;
    let branch = seed.child("world/agents");
    let row = |seed: Seed, name: &str, from, to, in_target| MappedAgent {
        user_id: seed.uuid(),
        user_name: name.to_owned(),
        valid_from_ms: from,
        valid_to_ms: to,
        in_target,
    };
    let agent = |k: u32| {
        let own = branch.index(u64::from(k));
        let name = person(own);
        let mapped = if k >= first_unmapped {
            Vec::new()
        } else if k >= first_invalid {
            vec![row(own.child("user"), &name, None, None, false)]
        } else if k < settings.re_used_agents {
            let successor = own.child("successor");
            vec![
                row(own.child("user"), &name, None, Some(middle_ms), true),
                row(
                    successor.child("user"),
                    &person(successor),
                    Some(middle_ms),
                    None,
                    true,
                ),
            ]
        } else {
            vec![row(own.child("user"), &name, None, None, true)]
        };
        Agent {
            id: format!("AGT-{:03}", k + 1),
            name,
            extension: (4700 + k / 2).to_string(),
            active: !own.child("left").chance(0.2),
            mapped,
        }
    };
    (0..settings.agents).map(agent).collect()
}

/// The queues: the last ones are unmapped, those before them wrongly mapped.
pub(crate) fn queues(seed: Seed, settings: &WorldSettings) -> Vec<Mapped> {
    let first_unmapped = settings.queues - settings.unmapped_queues;
    let first_invalid = first_unmapped - settings.invalid_queue_ids;
    let queue = |k: u32| {
        let name = QUEUES
            .get(k as usize)
            .map_or_else(|| format!("Line {}", k + 1), |name| (*name).to_owned());
        let id = format!("Q-{}", name.to_uppercase().replace(' ', "-"));
        let target_id =
            (k < first_unmapped).then(|| seed.child("world/queues").index(u64::from(k)).uuid());
        Mapped {
            id,
            name,
            target_id,
            in_target: k < first_invalid,
        }
    };
    (0..settings.queues).map(queue).collect()
}

pub(crate) fn skills(seed: Seed) -> Vec<Mapped> {
    named(seed.child("world/skills"), &SKILLS, |_, name| {
        format!("SK-{}", name.to_uppercase())
    })
}

pub(crate) fn wrapups(seed: Seed) -> Vec<Mapped> {
    named(seed.child("world/wrapups"), &WRAPUPS, |k, _| {
        format!("W-{:03}", k + 1)
    })
}

fn named(seed: Seed, names: &[&str], id: impl Fn(usize, &str) -> String) -> Vec<Mapped> {
    let entry = |(k, name): (usize, &&str)| Mapped {
        id: id(k, name),
        name: (*name).to_owned(),
        target_id: Some(seed.index(k as u64).uuid()),
        in_target: true,
    };
    names.iter().enumerate().map(entry).collect()
}
