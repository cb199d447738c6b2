//! Planting defects in what the organisation holds, so that a verifier can be judged by what it
//! finds.
//!
//! Each defect is a function from a victim to a [`Plant`]: copies of the conversations it changes,
//! and what it says it did. Nothing is applied before enough victims are found. The order of
//! victims is a function of seed, defect and conversation, never of arrival.

mod existence;
mod patterns;
mod people;
mod retention;
mod scene;
mod sound;
mod times;

use self::scene::{Plant, Scene};
use super::{GenesysCloud, conversation::Conversation};
use crate::tamper::{self, TamperAnswer, TamperRefusal};

/// How a defect takes its victims.
enum How {
    /// One conversation, one entry.
    One(fn(&Scene<'_>, &Conversation) -> Option<Plant>),
    /// Two conversations and so many entries.
    Two(
        usize,
        fn(&Scene<'_>, &Conversation, &Conversation) -> Option<Plant>,
    ),
    /// Whatever belongs to a pattern, with at least so many entries.
    Pattern(fn(&Scene<'_>, usize) -> Option<Vec<Plant>>),
}

/// Every defect that can be planted, in the order of the catalogue.
static DEFECTS: &[(&str, How)] = &[
    ("D01", How::One(existence::removed)),
    ("D02", How::One(existence::phantom)),
    ("D03", How::One(existence::duplicate)),
    ("D04", How::Two(2, existence::merged)),
    ("D05", How::One(existence::split)),
    ("D06", How::Pattern(patterns::every_nth)),
    ("D08", How::Pattern(patterns::whole_queue)),
    ("D10", How::One(existence::orphaned)),
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
    ("D27", How::One(sound::narrowed)),
    ("D28", How::One(sound::quieter)),
    ("D29", How::One(sound::byte_order)),
    ("D30", How::One(sound::encrypted)),
    ("D31", How::One(sound::error_page)),
    ("D32", How::One(sound::empty)),
    ("D33", How::One(existence::parts_out_of_order)),
    ("D35", How::One(times::other_zone)),
    ("D36", How::One(times::daylight_hour)),
    ("D37", How::One(times::clock_change)),
    ("D38", How::One(times::seconds_for_milliseconds)),
    ("D39", How::One(times::ends_swapped)),
    ("D40", How::One(times::milliseconds_cut)),
    ("D41", How::One(times::needless_repair)),
    ("D42", How::One(times::upload_date)),
    ("D43", How::One(times::end_from_media)),
    ("D45", How::One(people::other_agent)),
    ("D46", How::One(people::fallback_agent)),
    ("D47", How::Pattern(patterns::one_user_a_desk)),
    ("D48", How::One(people::successor)),
    ("D49", How::One(people::lost_participant)),
    ("D50", How::One(people::other_queue)),
    ("D51", How::One(people::wrap_up_changed)),
    ("D52", How::One(people::direction_flipped)),
    ("D55", How::One(retention::kept_too_short)),
    ("D56", How::One(retention::kept_too_long)),
    ("D57", How::One(retention::hold_lost)),
    ("D58", How::One(retention::purged_soon)),
    ("D59", How::One(sound::speech_in_pause)),
    ("D60", How::One(retention::pause_shifted)),
    ("D61", How::One(people::other_number)),
    ("D62", How::One(people::text_cut)),
    ("D63", How::One(existence::id_damaged)),
    ("D64", How::One(people::attribute_dropped)),
    ("P3", How::One(sound::written_twice)),
];

fn known() -> Vec<&'static str> {
    DEFECTS.iter().map(|(name, _)| *name).collect()
}

/// Plants a defect, or does nothing and says why.
pub(super) fn plant(
    site: &GenesysCloud,
    defect: &str,
    count: usize,
    seed: u64,
) -> Result<TamperAnswer, TamperRefusal> {
    let unknown = || TamperRefusal::Unknown {
        defect: defect.to_owned(),
        platform: super::NAME,
        known: known().join(", "),
    };
    let (name, how) = DEFECTS
        .iter()
        .find(|(name, _)| *name == defect)
        .ok_or_else(unknown)?;
    let entries = match how {
        How::One(_) | How::Pattern(_) => 1,
        How::Two(entries, _) => *entries,
    };
    tamper::check_count(defect, count, entries)?;
    let mut state = site.state();
    let plants = {
        let scene = Scene::new(site, &state, name, seed);
        match how {
            How::One(plant) => {
                tamper::single(scene.candidates(), count, |held| plant(&scene, held))
            }
            How::Two(entries, plant) => {
                tamper::double(scene.candidates(), count / entries, |one, other| {
                    plant(&scene, one, other)
                })
            }
            How::Pattern(plant) => plant(&scene, count).unwrap_or_default(),
        }
    };
    let found = plants.iter().map(|plant| plant.planted.len()).sum();
    if found < count {
        return Err(TamperRefusal::NotEnough {
            defect: defect.to_owned(),
            count,
            found,
        });
    }
    let planted = plants
        .into_iter()
        .flat_map(|plant| plant.apply(&mut state, site.now_ms()))
        .collect();
    Ok(tamper::answer(defect, seed, planted))
}
