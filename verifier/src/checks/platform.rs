//! What a platform adds to the checks that all platforms share.

use super::Comparison;
use crate::expected::Expectation;
use crate::finding::Finding;
use crate::observed::TargetConversation;

/// Checks of one platform alone. Each is asked where its subject has its turn, so that what follows
/// from a finding before it is no finding of its own.
pub(crate) trait PlatformChecks: Send + Sync {
    /// Whose each recording is; further findings about the agents of the call come first.
    fn agents_of_recordings(&self, seen: &Comparison<'_>) -> Vec<Finding>;

    /// Numbers that stand in further places.
    fn repeated_numbers(&self, _seen: &Comparison<'_>) -> Vec<Finding> {
        Vec::new()
    }

    /// Who may listen, and where. What follows from a wrong agent or queue becomes a consequence of
    /// that finding.
    fn access(
        &self,
        _seen: &Comparison<'_>,
        _people: &mut [Finding],
        _routing: &mut [Finding],
    ) -> Vec<Finding> {
        Vec::new()
    }

    /// What else a call as a whole must have.
    fn call(&self, _seen: &Comparison<'_>) -> Vec<Finding> {
        Vec::new()
    }

    /// Files as they are declared and stored. `sounds`: findings about how they sound, which may
    /// explain what is wrong.
    fn files(&self, _seen: &Comparison<'_>, _sounds: &mut Vec<Finding>) {}

    /// What a second store says of the call. `told`: findings so far, which are not told again.
    fn second_store(&self, _seen: &Comparison<'_>, _told: &[Finding]) -> Vec<Finding> {
        Vec::new()
    }

    /// What would be needed to judge the rest of a call; `None`: nothing.
    fn unread(
        &self,
        _expected: &Expectation,
        _conversation: &TargetConversation,
    ) -> Option<String> {
        None
    }
}
