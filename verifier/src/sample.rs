//! Which recordings are listened to.

use std::collections::{BTreeSet, BinaryHeap};

use crate::audio_compare::Job;
use crate::cross_call::Place;
use crate::expected::Expectation;
use crate::options::{AudioScope, DecodeTwice};
use crate::run_error::RunError;
use crate::source::SourceInteraction;
use crate::target::Expectations;
use crate::triage::{Listening, audible};

/// The first recordings in the order of a sample, whether they are in the target or not.
#[derive(Debug)]
pub(crate) struct Candidates {
    scope: AudioScope,
    /// How many there may be.
    most: usize,
    /// Ranks, and where the call stands in the source and the recording in the call.
    first: BinaryHeap<(u64, Place)>,
    /// Whether there were more.
    is_cut: bool,
}

impl Candidates {
    pub(crate) fn new(scope: AudioScope) -> Candidates {
        let most = match scope {
            // Most of what should be there is there.
            AudioScope::Sample { size, .. } => size.saturating_mul(2).saturating_add(64),
            AudioScope::All | AudioScope::None => 0,
        };
        Candidates {
            scope,
            most,
            first: BinaryHeap::new(),
            is_cut: false,
        }
    }

    /// A call, by its place in the source.
    pub(crate) fn add(
        &mut self,
        case: usize,
        interaction: &SourceInteraction,
        expected: &Expectation,
    ) {
        let AudioScope::Sample { seed, .. } = self.scope else {
            return;
        };
        for at in audible(interaction, expected) {
            let rank = stable_hash(seed, &interaction.recordings[at].id);
            self.first.push((rank, (case, at)));
            if self.first.len() > self.most {
                self.first.pop();
                self.is_cut = true;
            }
        }
    }

    /// Calls to examine for it.
    pub(crate) fn listening(&self) -> Listening {
        match self.scope {
            AudioScope::None => Listening::Nobody,
            AudioScope::All => Listening::Everybody,
            AudioScope::Sample { .. } => {
                Listening::To(self.first.iter().map(|(_, (case, _))| *case).collect())
            }
        }
    }

    /// More of them, where fewer than the sample are in the target. Absent: there are enough, or no
    /// more. `there`: recordings that can be listened to in the target.
    ///
    /// # Errors
    ///
    /// The source cannot be read again.
    pub(crate) fn widened(
        &self,
        there: impl FnOnce() -> BTreeSet<Place>,
        expectations: &Expectations<'_>,
    ) -> Result<Option<Candidates>, RunError> {
        let AudioScope::Sample { size, .. } = self.scope else {
            return Ok(None);
        };
        if !self.is_cut {
            return Ok(None);
        }
        let there = there();
        let found = self.first.iter().filter(|(_, place)| there.contains(place));
        if found.count() >= size {
            return Ok(None);
        }
        let mut wider = Candidates {
            most: self.most.saturating_mul(8),
            ..Candidates::new(self.scope)
        };
        for (case, interaction) in expectations.interactions.iter().enumerate() {
            let interaction = interaction?;
            let expected = expectations.unheard(&interaction);
            wider.add(case, &interaction, &expected);
        }
        Ok(Some(wider))
    }
}

/// What is listened to under a scope. What has no recording in the target is always read: only the
/// source's bytes can justify the absence.
pub(crate) fn draw(jobs: Vec<Job<'_>>, scope: AudioScope) -> Vec<Job<'_>> {
    let chosen: BTreeSet<Place> = match scope {
        AudioScope::All => return jobs,
        AudioScope::None => BTreeSet::new(),
        AudioScope::Sample { size, seed } => first(&jobs, size, seed),
    };
    jobs.into_iter()
        .filter(|job| job.target.is_none() || chosen.contains(&job.place))
        .collect()
}

/// Says which recordings another program decodes too.
pub(crate) fn draw_twice(jobs: &mut [Job<'_>], wanted: DecodeTwice) {
    let chosen = first(jobs, wanted.recordings, wanted.seed);
    for job in jobs {
        job.use_second_decoder = chosen.contains(&job.place);
    }
}

/// Of the recordings that have a pair, so many, drawn with a seed.
fn first(jobs: &[Job<'_>], size: usize, seed: u64) -> BTreeSet<Place> {
    let mut ranked: Vec<(u64, Place)> = jobs
        .iter()
        .filter(|job| job.target.is_some())
        .map(|job| (stable_hash(seed, &job.source.id), job.place))
        .collect();
    ranked.sort_unstable();
    ranked
        .into_iter()
        .take(size)
        .map(|(_, place)| place)
        .collect()
}

/// Decides which recordings a sample takes: FNV-1a over seed and id, then the finaliser of
/// splitmix64. The same for ever.
fn stable_hash(seed: u64, id: &str) -> u64 {
    let hash = seed
        .to_le_bytes()
        .iter()
        .chain(id.as_bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}
