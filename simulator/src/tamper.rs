//! Planting defects in a target, so that a verifier can be judged by what it finds: what is asked
//! and answered, and how victims are taken.
//!
//! Each target plants in its own way (`tamper` of each); the words and the picking are the same.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::legacy_id;
use crate::seed::Seed;

/// What was planted, as the control API answers it (docs/reference/control-api.md).
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
    /// The recording, conversation or file on the target.
    pub target_id: String,
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
    #[error(
        "count {count} does not fit {defect}: it is at least 1, and even for a defect of pairs; \
         ask for another"
    )]
    BadCount {
        /// Defect class.
        defect: String,
        /// What was asked for.
        count: usize,
    },
    /// Too few calls can take the defect. 409; nothing was done.
    #[error(
        "only {found} of {count} entries of {defect} find a victim; nothing was done, ask for \
         fewer or a larger world"
    )]
    NotEnough {
        /// Defect class.
        defect: String,
        /// What was asked for.
        count: usize,
        /// How many there would have been.
        found: usize,
    },
    /// A class that cannot be planted here. 400.
    #[error("the defect {defect} cannot be planted in {platform}; there are {known}")]
    Unknown {
        /// Defect class.
        defect: String,
        /// The target.
        platform: &'static str,
        /// What can be.
        known: String,
    },
    /// Sound that is encrypted cannot be changed without its key. 409; nothing was done.
    #[error(
        "{defect} changes sound, and the media are encrypted; nothing was done, rehearse it \
         without [{setting}]"
    )]
    Encrypted {
        /// Defect class.
        defect: String,
        /// Where the scenario encrypts them.
        setting: &'static str,
    },
}

/// With so many recordings of a kind a defect is planted in these alone.
pub(crate) const MANY: usize = 40;

/// Whether a count fits a defect that plants so many entries at once.
pub(crate) fn check_count(defect: &str, count: usize, entries: usize) -> Result<(), TamperRefusal> {
    if count == 0 || !count.is_multiple_of(entries) {
        Err(TamperRefusal::BadCount {
            defect: defect.to_owned(),
            count,
        })
    } else {
        Ok(())
    }
}

/// A plant for each of the first candidates that can take one, up to a count.
pub(crate) fn single<V, P>(
    candidates: Vec<V>,
    count: usize,
    plant: impl Fn(V) -> Option<P>,
) -> Vec<P> {
    candidates
        .into_iter()
        .filter_map(plant)
        .take(count)
        .collect()
}

/// A plant for each pair of candidates that can take one, nobody twice, up to a count.
pub(crate) fn double<V: Copy, P>(
    mut left: Vec<V>,
    count: usize,
    plant: impl Fn(V, V) -> Option<P>,
) -> Vec<P> {
    let mut plants = Vec::new();
    while plants.len() < count && !left.is_empty() {
        let first = left.remove(0);
        let partner = left
            .iter()
            .enumerate()
            .find_map(|(at, second)| Some((at, plant(first, *second)?)));
        if let Some((at, made)) = partner {
            left.remove(at);
            plants.push(made);
        }
    }
    plants
}

/// Things at every so-many-th number, all of them; none where there would be fewer than so many.
/// What has no number stays.
pub(crate) fn every_nth<V: Copy>(
    seed: Seed,
    all: &[V],
    number: impl Fn(&V) -> Option<u64>,
    least: usize,
) -> Option<Vec<V>> {
    /// Few enough calls to each that a small world has some, and more than two neighbours.
    const DISTANCES: std::ops::Range<u64> = 7..14;
    let distance = DISTANCES.start
        + seed
            .child("distance")
            .below(DISTANCES.end - DISTANCES.start);
    let place = seed.child("place").below(distance);
    let hit: Vec<V> = all
        .iter()
        .copied()
        .filter(|one| number(one).is_some_and(|number| number % distance == place))
        .collect();
    (hit.len() >= least).then_some(hit)
}

/// All things of one kind; none where no kind has so many. What is of no kind stays.
pub(crate) fn whole_kind<V: Copy, K: Ord>(
    seed: Seed,
    all: &[V],
    kind: impl Fn(&V) -> Option<K>,
    least: usize,
) -> Option<Vec<V>> {
    let mut kinds: BTreeMap<K, Vec<V>> = BTreeMap::new();
    for one in all {
        if let Some(kind) = kind(one) {
            kinds.entry(kind).or_default().push(*one);
        }
    }
    let mut whole: Vec<Vec<V>> = kinds
        .into_values()
        .filter(|members| members.len() >= least)
        .collect();
    turn(seed.child("kind"), &mut whole);
    whole.into_iter().next()
}

/// Lets a list begin at a place of this seed.
pub(crate) fn turn<V>(seed: Seed, list: &mut [V]) {
    if !list.is_empty() {
        list.rotate_left(seed.below(list.len() as u64) as usize);
    }
}

/// The answer: entries by legacy ids.
pub(crate) fn answer(defect: &str, seed: u64, mut planted: Vec<Planted>) -> TamperAnswer {
    planted.sort_by(|one, other| {
        let legacy = |entry: &Planted| (entry.legacy_recording_id.clone(), entry.target_id.clone());
        let by_id = legacy_id::order(
            Some(&one.legacy_interaction_id),
            Some(&other.legacy_interaction_id),
        );
        by_id.then_with(|| legacy(one).cmp(&legacy(other)))
    });
    TamperAnswer {
        defect: defect.to_owned(),
        seed,
        planted,
    }
}
