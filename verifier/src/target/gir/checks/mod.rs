//! What is checked of Interaction Recording alone.

mod access;
mod agents;
mod declared;
mod numbers;
mod purge;
mod sealed;
mod speechminer;
mod stores;

use super::Gir;
use crate::checks::{Comparison, PlatformChecks};
use crate::expected::Expectation;
use crate::finding::Finding;
use crate::observed::TargetConversation;

impl PlatformChecks for Gir {
    fn agents_of_recordings(&self, seen: &Comparison<'_>) -> Vec<Finding> {
        agents::check(seen)
    }

    fn repeated_numbers(&self, seen: &Comparison<'_>) -> Vec<Finding> {
        numbers::check(seen)
    }

    fn access(
        &self,
        seen: &Comparison<'_>,
        people: &mut [Finding],
        routing: &mut [Finding],
    ) -> Vec<Finding> {
        access::check(self, seen, people, routing)
    }

    fn call(&self, seen: &Comparison<'_>) -> Vec<Finding> {
        purge::check(self, seen)
            .into_iter()
            .chain(stores::check(seen))
            .collect()
    }

    fn files(&self, seen: &Comparison<'_>, sounds: &mut Vec<Finding>) {
        sealed::check(self, seen, sounds);
        declared::check(seen, sounds);
    }

    fn second_store(&self, seen: &Comparison<'_>, told: &[Finding]) -> Vec<Finding> {
        speechminer::check(seen, told)
    }

    fn unread(&self, expected: &Expectation, conversation: &TargetConversation) -> Option<String> {
        stores::unread(self, expected, conversation)
    }
}
