//! What must be there, call by call.

use std::collections::BTreeMap;

use super::Platform;
use crate::expected::{Expectation, Rules, SourceSound, expected};
use crate::run_error::RunError;
use crate::source::{Interactions, SourceInteraction};
use crate::utc_millis::UtcMillis;

/// What makes expectations of interactions.
#[derive(Clone, Copy)]
pub(crate) struct Deriving<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) platform: &'a dyn Platform,
    pub(crate) as_of: UtcMillis,
}

impl Deriving<'_> {
    /// `sounds`: what was heard of its recordings so far.
    pub(crate) fn expectation(
        &self,
        interaction: &SourceInteraction,
        sounds: &BTreeMap<String, SourceSound>,
    ) -> Expectation {
        let mut wanted = expected(interaction, self.rules, sounds, self.as_of);
        self.platform.expect(interaction, self.rules, &mut wanted);
        wanted
    }
}

/// What must be there before anything was heard, in the source's order. Derived anew each time it
/// is asked for: all of it at once would need more memory than there is.
#[derive(Clone, Copy)]
pub(crate) struct Expectations<'a> {
    pub(crate) interactions: &'a Interactions,
    pub(crate) deriving: Deriving<'a>,
}

impl Expectations<'_> {
    /// How many calls were listed; some of them may be repeats.
    pub(crate) fn listed(&self) -> u64 {
        self.interactions.listed()
    }

    /// What must be there of an interaction before anything was heard.
    pub(crate) fn unheard(&self, interaction: &SourceInteraction) -> Expectation {
        self.deriving.expectation(interaction, &BTreeMap::new())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Result<Expectation, RunError>> + '_ {
        self.interactions
            .iter()
            .map(|interaction| Ok(self.unheard(&interaction?)))
    }
}
