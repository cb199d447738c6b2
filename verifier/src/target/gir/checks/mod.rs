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
use crate::checks::{PlatformChecks, Seen};
use crate::expected::Expectation;
use crate::finding::Finding;
use crate::observed::TargetConversation;

impl PlatformChecks for Gir {
    fn agents_of_recordings(&self, seen: &Seen<'_>) -> Vec<Finding> {
        agents::check(seen)
    }

    fn repeated_numbers(&self, seen: &Seen<'_>) -> Vec<Finding> {
        numbers::check(seen)
    }

    fn access(&self, seen: &Seen<'_>, people: &mut [Finding], routing: &mut [Finding]) -> Vec<Finding> {
        access::check(self, seen, people, routing)
    }

    fn call(&self, seen: &Seen<'_>) -> Vec<Finding> {
        purge::check(self, seen).into_iter().chain(stores::check(seen)).collect()
    }

    fn files(&self, seen: &Seen<'_>, sounds: &mut Vec<Finding>) {
        sealed::check(self, seen, sounds);
        declared::check(seen, sounds);
    }

    fn second_store(&self, seen: &Seen<'_>, told: &[Finding]) -> Vec<Finding> {
        speechminer::check(seen, told)
    }

    fn unread(&self, expected: &Expectation, conversation: &TargetConversation) -> Option<String> {
        stores::unread(self, expected, conversation)
    }
}
