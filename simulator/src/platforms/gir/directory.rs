//! Who the mapping's people are in this deployment: a name, a login and an access group each, and
//! the partition of each queue.

use std::collections::HashSet;

use uuid::Uuid;

use crate::platforms::target::Target;
use crate::world::{Mapped, World};

/// Teams of the contact centre's hierarchy.
const TEAMS: [&str; 4] = ["Day", "Evening", "Night", "Weekend"];

/// Who the fallback user is here.
const FALLBACK: (&str, &str) = ("unknown.agent@example.com", "/Support/Former");

/// Logins count up from here.
const FIRST_LOGIN: usize = 4711;

/// A person of the Configuration Server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    /// The source's agent whose row this is; absent for the fallback user.
    pub(crate) agent_id: Option<String>,
    /// Who it is in Genesys Cloud, as the mapping names it.
    pub(crate) user_id: Uuid,
    /// First and last name together.
    pub(crate) name: String,
    /// `alice.smith@example.com`; each person's own.
    pub(crate) username: String,
    /// Agent login: `L4711`; each person's own.
    pub(crate) login: String,
    /// A path of the agent hierarchy.
    pub(crate) access_group: String,
    /// Of the desk in the source, which others may share; empty for the fallback user.
    pub(crate) extension: String,
}

/// The people a plan maps to, and the default one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory {
    /// In the order of the mapping's rows: agent by agent, and in order of time.
    pub(crate) people: Vec<Person>,
    /// Who stands for agents nobody knows; absent where the plan has nobody for that.
    pub(crate) fallback: Option<Person>,
    /// Queues of the mapping.
    pub(crate) queues: Vec<Uuid>,
    /// Wrap-up codes of the mapping.
    pub(crate) wrapups: Vec<Uuid>,
    /// Zone the recorders stand in.
    pub(crate) site_zone: String,
}

impl Person {
    /// First and last name: the name cut at its first space.
    pub(super) fn names(&self) -> (&str, &str) {
        self.name.split_once(' ').unwrap_or((&self.name, "-"))
    }
}

impl Directory {
    /// The deployment that fits a world and its mapping.
    pub(crate) fn of(world: &World, target: &Target) -> Directory {
        let mut taken = HashSet::from([FALLBACK.0.to_owned()]);
        let mapped = world
            .agents()
            .iter()
            .flat_map(|agent| agent.mapped.iter().map(move |row| (agent, row)));
        let people: Vec<Person> = mapped
            .enumerate()
            .map(|(i, (agent, row))| Person {
                agent_id: Some(agent.id.clone()),
                user_id: row.user_id,
                name: row.user_name.clone(),
                username: username(&row.user_name, &mut taken),
                login: format!("L{}", FIRST_LOGIN + i),
                access_group: format!("/Support/{}", TEAMS[i % TEAMS.len()]),
                extension: agent.extension.clone(),
            })
            .collect();
        let fallback = target.fallback_user.map(|user_id| Person {
            agent_id: None,
            user_id,
            name: "Historical Migration - Unknown Agent".to_owned(),
            username: FALLBACK.0.to_owned(),
            login: format!("L{}", FIRST_LOGIN + people.len()),
            access_group: FALLBACK.1.to_owned(),
            extension: String::new(),
        });
        let ids = |mapped: &[Mapped]| mapped.iter().filter_map(|one| one.target_id).collect();
        Directory {
            people,
            fallback,
            queues: ids(world.queues()),
            wrapups: ids(world.wrapups()),
            site_zone: target.directory.site_zone.clone(),
        }
    }
}

/// The partition of a queue: a path of its name.
pub(crate) fn partition(queue: &str) -> String {
    format!("/{}", queue.to_lowercase().replace(' ', "-"))
}

/// A name as an address that nobody has yet.
fn username(name: &str, taken: &mut HashSet<String>) -> String {
    let plain = |word: &str| {
        word.chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_lowercase()
    };
    let words: Vec<String> = name
        .split_whitespace()
        .map(plain)
        .filter(|word| !word.is_empty())
        .collect();
    let stem = if words.is_empty() {
        "agent".to_owned()
    } else {
        words.join(".")
    };
    let numbered = (2..).map(|number| format!("{stem}{number}@example.com"));
    let free = std::iter::once(format!("{stem}@example.com"))
        .chain(numbered)
        .find(|address| !taken.contains(address));
    let free = free.unwrap_or_default();
    taken.insert(free.clone());
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_username_is_each_persons_own() {
        let mut taken = HashSet::new();
        for (name, expected) in [
            ("Alice Smith", "alice.smith@example.com"),
            ("Alice Smith", "alice.smith2@example.com"),
            ("alice  smith", "alice.smith3@example.com"),
            ("Dr. Zo\u{eb} O'Brien Jr.", "dr.zo.obrien.jr@example.com"),
            ("\u{738b}", "agent@example.com"),
        ] {
            assert_eq!(username(name, &mut taken), expected);
        }
    }
}
