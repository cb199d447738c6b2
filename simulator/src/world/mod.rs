//! The source population: generated from a seed, or imported from a sample of a user's own export.

mod corrupt_fields;
mod corrupt_media;
pub(crate) mod defects;
mod fault_placement;
mod generated;
mod imported;
mod media;
mod people;
mod settings;
mod shuffle;
mod speech;
mod truth;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config_error::ConfigError;
use crate::seed::Seed;
pub(crate) use corrupt_fields::LONE_SURROGATE;
pub use defects::DomainKind;
pub(crate) use fault_placement::{Planted, Planting};
use generated::Generated;
use imported::Imported;
use media::MediaCache;
pub(crate) use media::{Media, MediaError};
pub(crate) use people::{Agent, Mapped, MappedAgent};
pub use settings::{BadMedia, SourceCodec, WORLD_VERSION, WorldSettings};

/// Everything known about one call of the source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Interaction {
    pub(crate) id: u64,
    /// Instant the call began, Unix ms.
    pub(crate) true_start_ms: i64,
    /// Instant the call ended, Unix ms.
    pub(crate) true_end_ms: i64,
    /// As the source states it: by its recorder's clock, and perhaps the wrong way round.
    pub(crate) start_ms: i64,
    /// As the source states it.
    pub(crate) end_ms: i64,
    pub(crate) wait_ms: i64,
    pub(crate) talk_ms: i64,
    pub(crate) inbound: bool,
    pub(crate) agent_id: Option<String>,
    pub(crate) agent_extension: Option<String>,
    pub(crate) queue_id: Option<String>,
    pub(crate) skill: Option<String>,
    pub(crate) skill_group: Option<String>,
    pub(crate) ivr_node_id: Option<String>,
    pub(crate) disposition_code: Option<String>,
    pub(crate) wrap_up_code: Option<String>,
    pub(crate) caller_number: Option<PhoneNumber>,
    pub(crate) dialled_number: Option<PhoneNumber>,
    pub(crate) numbers_masked: bool,
    pub(crate) recorder_node: Option<String>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) recordings: Vec<Recording>,
    /// What is wrong with it on purpose.
    pub(crate) planted: Option<Planted>,
}

impl Interaction {
    /// Its id as the source writes it.
    pub(crate) fn id_text(&self) -> String {
        id_text(self.id, self.planted)
    }
}

/// An interaction's id as the source writes it.
fn id_text(id: u64, planted: Option<Planted>) -> String {
    let making = planted.map_or(&defects::WHOLE, |planted| planted.kind.making());
    (making.id_text)(id)
}

/// A phone number. Its `Debug` shows the last two digits only: an imported world holds real ones.
#[derive(Clone, PartialEq)]
pub(crate) struct PhoneNumber(String);

impl PhoneNumber {
    pub(crate) fn new(text: String) -> PhoneNumber {
        PhoneNumber(text)
    }

    /// The whole number, for the wire and the truth.
    pub(crate) fn in_full(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tail: String = self
            .0
            .chars()
            .skip(self.0.chars().count().saturating_sub(2))
            .collect();
        write!(f, "***{tail}")
    }
}

/// One leg of a call, times as the source states them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Segment {
    pub(crate) id: String,
    pub(crate) agent_id: Option<String>,
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
}

/// One recording, times as the source states them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recording {
    pub(crate) id: String,
    pub(crate) interaction_id: u64,
    pub(crate) segment_id: Option<String>,
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
    /// True minus stated time of its recorder, ms.
    pub(crate) drift_ms: i64,
    /// As the recorder declares it. Absent: it declares none, as for an imported file that is not
    /// read here.
    pub(crate) duration_ms: Option<i64>,
    /// As the recorder declares it.
    pub(crate) codec: String,
    pub(crate) content_type: String,
    pub(crate) channels: u16,
    pub(crate) channel_roles: Vec<String>,
    pub(crate) sample_rate: u32,
    pub(crate) file_name: String,
    pub(crate) recorder_node: Option<String>,
    pub(crate) pauses: Vec<Pause>,
    pub(crate) retention_class: Option<String>,
    pub(crate) legal_hold: bool,
    pub(crate) sound: Sound,
    /// What is wrong with its call on purpose.
    pub(crate) planted: Option<Planted>,
}

impl Recording {
    /// Its interaction's id as the source writes it.
    pub(crate) fn interaction_id_text(&self) -> String {
        id_text(self.interaction_id, self.planted)
    }

    /// The length it is declared with, in milliseconds; 0 where none is.
    pub(crate) fn declared_ms(&self) -> u64 {
        self.duration_ms
            .and_then(|declared| u64::try_from(declared).ok())
            .unwrap_or(0)
    }
}

/// A range of a recording in which nothing may be heard; offsets from its start in its own audio.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pause {
    pub(crate) start_offset_ms: u64,
    pub(crate) end_offset_ms: u64,
    pub(crate) reason: String,
}

/// Where the bytes of a recording come from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Sound {
    /// Made from a seed.
    Made { seed: Seed, codec: SourceCodec },
    /// A file of an imported world.
    File(PathBuf),
}

const DAY_MS: i64 = 86_400_000;

/// A source population with its media and its counterpart in the target.
pub(crate) struct World {
    population: Population,
    media: MediaCache,
}

enum Population {
    Generated(Box<Generated>),
    Imported(Imported),
}

impl World {
    /// The world of these settings, with wrong data where it is planted; an imported one is read,
    /// below `dir`, and checked here.
    pub(crate) fn new(
        settings: &WorldSettings,
        dir: &Path,
        plantings: &[Planting],
        seed: u64,
    ) -> Result<World, ConfigError> {
        let population = match &settings.file {
            Some(file) => Population::Imported(Imported::read(&dir.join(file), Seed::new(seed))?),
            None => Population::Generated(Box::new(Generated::new(
                Seed::new(seed),
                settings,
                plantings,
            ))),
        };
        Ok(World {
            population,
            media: MediaCache::default(),
        })
    }

    /// Gives agents, queues, skills and codes ids as a platform that makes them itself: UUIDs, by a
    /// seed and the ids they had.
    pub(crate) fn name_by_uuid(&mut self, seed: Seed) {
        let id = |kind: &str, id: &str| {
            seed.child("own_ids")
                .child(kind)
                .child(id)
                .uuid()
                .to_string()
        };
        let (agents, queues, skills, wrapups) = match &mut self.population {
            Population::Generated(world) => (
                &mut world.agents,
                &mut world.queues,
                &mut world.skills,
                &mut world.wrapups,
            ),
            Population::Imported(world) => {
                for call in &mut world.interactions {
                    let rename = |kind, of: &mut Option<String>| {
                        if let Some(of) = of {
                            *of = id(kind, of);
                        }
                    };
                    rename("agent", &mut call.agent_id);
                    rename("queue", &mut call.queue_id);
                    rename("skill", &mut call.skill);
                    rename("wrapup", &mut call.wrap_up_code);
                    for leg in &mut call.segments {
                        rename("agent", &mut leg.agent_id);
                    }
                }
                (
                    &mut world.agents,
                    &mut world.queues,
                    &mut world.skills,
                    &mut world.wrapups,
                )
            }
        };
        for agent in agents {
            agent.id = id("agent", &agent.id);
        }
        for (kind, list) in [("queue", queues), ("skill", skills), ("wrapup", wrapups)] {
            for one in list {
                one.id = id(kind, &one.id);
            }
        }
    }

    /// How many interactions there are.
    pub(crate) fn count(&self) -> u64 {
        match &self.population {
            Population::Generated(world) => world.count(),
            Population::Imported(world) => world.interactions.len() as u64,
        }
    }

    /// The `i`-th interaction in ascending order of id; `i` is below `count`.
    pub(crate) fn interaction(&self, i: u64) -> Interaction {
        match &self.population {
            Population::Generated(world) => world.interaction(i),
            Population::Imported(world) => {
                world.interactions[usize::try_from(i).unwrap_or(usize::MAX)].clone()
            }
        }
    }

    /// What is planted in the `i`-th interaction, without making it.
    pub(crate) fn planted(&self, i: u64) -> Option<Planted> {
        match &self.population {
            Population::Generated(world) => world.planted(i),
            Population::Imported(_) => None,
        }
    }

    /// Start of the `i`-th interaction as the source states it, without making the rest of it.
    pub(crate) fn stated_start_ms(&self, i: u64) -> i64 {
        match &self.population {
            Population::Generated(world) => world.stated_start_ms(i),
            Population::Imported(world) => {
                world.interactions[usize::try_from(i).unwrap_or(usize::MAX)].start_ms
            }
        }
    }

    /// When everything in it has happened: midnight UTC after a generated world's window, and after
    /// the last call of an imported one that a calendar of telephone recordings holds (1980 to
    /// 2100; other times are damage, and none of them leaves 1970). Unix ms.
    pub(crate) fn end_ms(&self) -> i64 {
        match &self.population {
            Population::Generated(world) => world.window_end_ms(),
            Population::Imported(world) => {
                let plausible = 315_532_800_000..4_102_444_800_000;
                let last = world
                    .interactions
                    .iter()
                    .flat_map(|call| [call.start_ms, call.end_ms])
                    .filter(|at| plausible.contains(at))
                    .max();
                (last.unwrap_or(0) / DAY_MS + 1) * DAY_MS
            }
        }
    }

    /// The recording called `id`.
    pub(crate) fn recording(&self, id: &str) -> Option<Recording> {
        let index = match &self.population {
            Population::Generated(world) => world.index_of_recording(id)?,
            Population::Imported(world) => *world.by_recording.get(id)?,
        };
        self.interaction(index)
            .recordings
            .into_iter()
            .find(|recording| recording.id == id)
    }

    /// The bytes of a recording and their hash. Made or read on demand; a few are kept.
    pub(crate) fn media(&self, recording: &Recording) -> Result<Arc<Media>, MediaError> {
        self.media.get(recording)
    }

    /// How many bytes they are, where that can be told without making them.
    pub(crate) fn media_length(&self, recording: &Recording) -> Option<u64> {
        self.media
            .made(recording)
            .map(|media| media.bytes.len() as u64)
            .or_else(|| media::length(recording))
    }

    /// The same, if it was made not long ago; costs nothing.
    pub(crate) fn made_media(&self, recording: &Recording) -> Option<Arc<Media>> {
        self.media.made(recording)
    }

    /// Agents of the source.
    pub(crate) fn agents(&self) -> &[Agent] {
        match &self.population {
            Population::Generated(world) => &world.agents,
            Population::Imported(world) => &world.agents,
        }
    }

    /// Queues of the source.
    pub(crate) fn queues(&self) -> &[Mapped] {
        match &self.population {
            Population::Generated(world) => &world.queues,
            Population::Imported(world) => &world.queues,
        }
    }

    /// The rows that lead agents to people of the target, agent by agent.
    pub(crate) fn mapping(&self) -> impl Iterator<Item = (&str, &MappedAgent)> {
        self.agents()
            .iter()
            .flat_map(|agent| agent.mapped.iter().map(|row| (agent.id.as_str(), row)))
    }

    /// The queues that a mapping leads to the target, each with its id there.
    pub(crate) fn mapped_queues(&self) -> impl Iterator<Item = (&Mapped, String)> {
        self.queues()
            .iter()
            .filter_map(|row| Some((row, row.target_id?.to_string())))
    }

    pub(crate) fn skills(&self) -> &[Mapped] {
        match &self.population {
            Population::Generated(world) => &world.skills,
            Population::Imported(world) => &world.skills,
        }
    }

    pub(crate) fn wrapups(&self) -> &[Mapped] {
        match &self.population {
            Population::Generated(world) => &world.wrapups,
            Population::Imported(world) => &world.wrapups,
        }
    }

    /// Retention classes of the source with their years.
    pub(crate) fn retention_classes(&self) -> Vec<(String, i64)> {
        match &self.population {
            Population::Generated(_) => generated::RETENTION_CLASSES
                .iter()
                .map(|(class, years)| ((*class).to_owned(), *years))
                .collect(),
            Population::Imported(world) => world.retention_classes.clone(),
        }
    }

    /// Declared offset of each recorder node that has one, ms.
    pub(crate) fn node_offsets(&self) -> Vec<(String, i64)> {
        match &self.population {
            Population::Generated(world) => world.node_offsets(),
            Population::Imported(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
