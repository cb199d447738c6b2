//! Planting defects in what the deployment holds, so that a verifier can be judged by what it
//! finds.
//!
//! Each defect is a function from a victim to a [`Plant`]: copies of the recordings it changes, the
//! files it writes or removes, and what it says it did. A damage is what a wrong migration would
//! have left: sizes, names and SpeechMiner's copy go with it, so that one cause shows once.

mod existence;
mod patterns;
mod people;
mod retention;
mod scene;
mod sound;
mod times;

use self::scene::{Plant, Scene};
use super::Gir;
use super::state::Recording;
use crate::tamper::{self, TamperAnswer, TamperRefusal};

/// How a defect takes its victims.
enum How {
    /// One recording, one entry.
    One(fn(&Scene<'_>, &Recording) -> Option<Plant>),
    /// The same; the sound of its files is changed.
    Sound(fn(&Scene<'_>, &Recording) -> Option<Plant>),
    /// Two recordings and so many entries.
    Two(
        usize,
        fn(&Scene<'_>, &Recording, &Recording) -> Option<Plant>,
    ),
    /// The same; the sound of their files is changed.
    SoundOfTwo(
        usize,
        fn(&Scene<'_>, &Recording, &Recording) -> Option<Plant>,
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
    ("D05", How::Sound(sound::split)),
    ("D06", How::Pattern(patterns::every_nth)),
    ("D08", How::Pattern(patterns::whole_queue)),
    ("D10", How::One(existence::file_left_over)),
    ("D11", How::One(existence::file_lost)),
    ("D13", How::Two(1, existence::hung_elsewhere)),
    ("D14", How::One(existence::not_in_speechminer)),
    ("D15", How::Sound(sound::tail_cut)),
    ("D16", How::Sound(sound::head_cut)),
    ("D17", How::Sound(sound::hole)),
    ("D18", How::SoundOfTwo(2, sound::swapped)),
    ("D19", How::Sound(sound::silenced)),
    ("D20", How::Sound(sound::wrong_rate)),
    ("D21", How::Sound(sound::drifted)),
    ("D22", How::Sound(sound::channels_swapped)),
    ("D23", How::Sound(sound::channels_folded)),
    ("D24", How::Sound(sound::wrong_type)),
    ("D25", How::Sound(sound::undecodable)),
    ("D26", How::Sound(sound::corrupt_inside)),
    ("D27", How::Sound(sound::narrowed)),
    ("D28", How::Sound(sound::quieter)),
    ("D29", How::Sound(sound::byte_order)),
    ("D30", How::Sound(sound::encrypted)),
    ("D31", How::Sound(sound::error_page)),
    ("D32", How::Sound(sound::empty)),
    ("D33", How::One(existence::parts_out_of_order)),
    ("D34", How::One(existence::declared_wrong)),
    ("D35", How::One(times::other_zone)),
    ("D36", How::One(times::daylight_hour)),
    ("D37", How::One(times::clock_change)),
    ("D38", How::One(times::seconds_for_milliseconds)),
    ("D39", How::One(times::ends_swapped)),
    ("D40", How::One(times::milliseconds_cut)),
    ("D41", How::One(times::needless_repair)),
    ("D42", How::One(times::upload_date)),
    ("D43", How::One(people::talk_from_media)),
    ("D45", How::One(people::other_agent)),
    ("D46", How::One(people::fallback_agent)),
    ("D47", How::Pattern(patterns::one_person_a_desk)),
    ("D48", How::One(people::successor)),
    ("D49", How::One(people::lost_participant)),
    ("D50", How::One(people::other_queue)),
    ("D51", How::One(people::wrap_up_changed)),
    ("D52", How::One(people::direction_flipped)),
    ("D53", How::One(people::other_access_group)),
    ("D54", How::One(people::other_region)),
    ("D55", How::One(retention::kept_too_short)),
    ("D56", How::One(retention::kept_too_long)),
    ("D57", How::One(retention::hold_lost)),
    ("D59", How::Sound(sound::speech_in_pause)),
    ("D60", How::One(retention::pause_wrong)),
    ("D61", How::One(people::other_number)),
    ("D62", How::One(people::text_cut)),
    ("D63", How::One(existence::id_damaged)),
    ("D64", How::One(people::attribute_dropped)),
    ("P3", How::Sound(sound::written_twice)),
];

/// Plants a defect, or does nothing and says why.
pub(super) fn plant(
    site: &Gir,
    defect: &str,
    count: usize,
    seed: u64,
) -> Result<TamperAnswer, TamperRefusal> {
    let known = || {
        DEFECTS
            .iter()
            .map(|(name, _)| *name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let unknown = || TamperRefusal::Unknown {
        defect: defect.to_owned(),
        platform: super::NAME,
        known: known(),
    };
    let (name, how) = DEFECTS
        .iter()
        .find(|(name, _)| *name == defect)
        .ok_or_else(unknown)?;
    let entries = match how {
        How::One(_) | How::Sound(_) | How::Pattern(_) => 1,
        How::Two(entries, _) | How::SoundOfTwo(entries, _) => *entries,
    };
    tamper::check_count(defect, count, entries)?;
    let mut state = site.state();
    let plants = {
        let scene = Scene::new(site, &state, name, seed);
        let is_sound = matches!(how, How::Sound(_) | How::SoundOfTwo(..));
        if is_sound && scene.is_encrypted() {
            return Err(TamperRefusal::Encrypted {
                defect: defect.to_owned(),
                setting: "gir.encryption",
            });
        }
        match how {
            How::One(plant) | How::Sound(plant) => {
                tamper::single(scene.candidates(), count, |held| plant(&scene, held))
            }
            How::Two(entries, plant) | How::SoundOfTwo(entries, plant) => {
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
    Ok(tamper::answer(
        defect,
        seed,
        plants
            .into_iter()
            .flat_map(|plant| plant.apply(site, &mut state))
            .collect(),
    ))
}
