//! Planting defects in what the organisation holds, so that a verifier can be judged by what it finds.
//!
//! Each defect is a function from a victim to a [`Plant`]: copies of the conversations it changes, and what it says it did. Nothing is applied before
//! enough victims are found. The order of victims is a function of seed, defect and conversation, never of arrival.

mod existence;
mod law;
mod moments;
mod people;
mod scene;
mod sound;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use self::scene::{Plant, Scene};
use super::{GenesysCloud, identity, state::Conversation};

/// What was planted, as the control API answers it (contracts, section 11).
#[derive(Debug, Clone, Serialize)]
pub struct TamperAnswer {
    /// Defect class.
    pub defect: String,
    /// The seed that chose the victims.
    pub seed: u64,
    /// One entry, one finding; sorted by legacy ids.
    pub planted: Vec<Planted>,
}

/// One planted defect.
#[derive(Debug, Clone, Serialize)]
pub struct Planted {
    /// The source's id of the interaction.
    pub legacy_interaction_id: String,
    /// The source's id of the recording; absent where the whole interaction is hit.
    pub legacy_recording_id: Option<String>,
    /// The recording or conversation on the target.
    pub target_id: Uuid,
    /// What was changed.
    pub field: &'static str,
    /// Its value before; null where there was none.
    pub before: Value,
    /// Its value after; null where there is none.
    pub after: Value,
}

/// Why nothing was planted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TamperRefusal {
    /// The count does not fit the defect. 400.
    #[error("count {count} does not fit {defect}: it is at least 1, and even for a defect of pairs; ask for another")]
    BadCount {
        /// Defect class.
        defect: String,
        /// What was asked for.
        count: usize,
    },
    /// Too few conversations can take the defect. 409; nothing was done.
    #[error("only {found} of {count} entries of {defect} find a victim; nothing was done, ask for fewer or a larger world")]
    NotEnough {
        /// Defect class.
        defect: String,
        /// What was asked for.
        count: usize,
        /// How many there would have been.
        found: usize,
    },
    /// A role that does not fit the organisation. 400.
    #[error("{0}")]
    Role(String),
    /// A class that cannot be planted here. 400.
    #[error("the defect {defect} cannot be planted in genesys_cloud; there are {}", known().join(", "))]
    Unknown {
        /// Defect class.
        defect: String,
    },
}

/// How a defect takes its victims.
enum How {
    /// One conversation, one entry.
    One(fn(&Scene<'_>, &Conversation) -> Option<Plant>),
    /// Two conversations and so many entries.
    Two(usize, fn(&Scene<'_>, &Conversation, &Conversation) -> Option<Plant>),
}

/// Every defect that can be planted, in the order of the catalogue.
static DEFECTS: &[(&str, How)] = &[
    ("D01", How::One(existence::removed)),
    ("D02", How::One(existence::phantom)),
    ("D03", How::One(existence::duplicate)),
    ("D04", How::Two(2, existence::merged)),
    ("D05", How::One(existence::split)),
    ("D11", How::One(existence::media_lost)),
    ("D12", How::One(existence::stuck)),
    ("D13", How::Two(1, existence::hung_elsewhere)),
    ("D15", How::One(sound::tail_cut)),
    ("D16", How::One(sound::head_cut)),
    ("D17", How::One(sound::hole)),
    ("D18", How::Two(2, sound::swapped)),
    ("D19", How::One(sound::silenced)),
    ("D20", How::One(sound::wrong_rate)),
    ("D21", How::One(sound::drifted)),
    ("D22", How::One(sound::channels_swapped)),
    ("D23", How::One(sound::channels_folded)),
    ("D24", How::One(sound::wrong_type)),
    ("D25", How::One(sound::undecodable)),
    ("D26", How::One(sound::corrupt_inside)),
    ("D28", How::One(sound::quieter)),
    ("D29", How::One(sound::byte_order)),
    ("D30", How::One(sound::encrypted)),
    ("D31", How::One(sound::error_page)),
    ("D32", How::One(sound::empty)),
    ("D33", How::One(existence::parts_out_of_order)),
    ("D35", How::One(moments::other_zone)),
    ("D36", How::One(moments::daylight_hour)),
    ("D38", How::One(moments::seconds_for_milliseconds)),
    ("D39", How::One(moments::ends_swapped)),
    ("D40", How::One(moments::milliseconds_cut)),
    ("D42", How::One(moments::upload_date)),
    ("D43", How::One(moments::end_from_media)),
    ("D45", How::One(people::other_agent)),
    ("D46", How::One(people::fallback_agent)),
    ("D49", How::One(people::lost_participant)),
    ("D50", How::One(people::other_queue)),
    ("D51", How::One(people::wrap_up_changed)),
    ("D52", How::One(people::direction_flipped)),
    ("D55", How::One(law::kept_too_short)),
    ("D56", How::One(law::kept_too_long)),
    ("D57", How::One(law::hold_lost)),
    ("D58", How::One(law::purged_soon)),
    ("D59", How::One(sound::speech_in_pause)),
    ("D60", How::One(law::pause_shifted)),
    ("D61", How::One(people::other_number)),
    ("D62", How::One(people::text_cut)),
    ("D64", How::One(people::attribute_dropped)),
];

fn known() -> Vec<&'static str> {
    DEFECTS.iter().map(|(name, _)| *name).collect()
}

/// Plants a defect, or does nothing and says why.
pub(super) fn plant(site: &GenesysCloud, defect: &str, count: usize, seed: u64) -> Result<TamperAnswer, TamperRefusal> {
    let unknown = || TamperRefusal::Unknown { defect: defect.to_owned() };
    let (name, how) = DEFECTS.iter().find(|(name, _)| *name == defect).ok_or_else(unknown)?;
    let entries = match how {
        How::One(_) => 1,
        How::Two(entries, _) => *entries,
    };
    if count == 0 || !count.is_multiple_of(entries) {
        return Err(TamperRefusal::BadCount { defect: defect.to_owned(), count });
    }
    let mut state = site.state();
    let plants = {
        let scene = Scene::new(site, &state, name, seed);
        match how {
            How::One(plant) => single(&scene, count, *plant),
            How::Two(entries, plant) => double(&scene, count / entries, *plant),
        }
    };
    let found = plants.iter().map(|plant| plant.planted.len()).sum();
    if found < count {
        return Err(TamperRefusal::NotEnough { defect: defect.to_owned(), count, found });
    }
    let mut planted: Vec<Planted> = plants.into_iter().flat_map(|plant| plant.apply(&mut state)).collect();
    planted.sort_by(|one, other| {
        let legacy = |entry: &Planted| (entry.legacy_recording_id.clone(), entry.target_id);
        let by_id = identity::order(Some(&one.legacy_interaction_id), Some(&other.legacy_interaction_id));
        by_id.then_with(|| legacy(one).cmp(&legacy(other)))
    });
    Ok(TamperAnswer { defect: defect.to_owned(), seed, planted })
}

fn single(scene: &Scene<'_>, count: usize, plant: fn(&Scene<'_>, &Conversation) -> Option<Plant>) -> Vec<Plant> {
    scene.candidates().into_iter().filter_map(|held| plant(scene, held)).take(count).collect()
}

fn double(scene: &Scene<'_>, count: usize, plant: fn(&Scene<'_>, &Conversation, &Conversation) -> Option<Plant>) -> Vec<Plant> {
    let mut left = scene.candidates();
    let mut plants = Vec::new();
    while plants.len() < count && !left.is_empty() {
        let first = left.remove(0);
        let partner = left.iter().enumerate().find_map(|(at, second)| Some((at, plant(scene, first, second)?)));
        if let Some((at, made)) = partner {
            left.remove(at);
            plants.push(made);
        }
    }
    plants
}
