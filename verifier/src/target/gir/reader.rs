//! What the parts of a reading have in common.

use super::Site;
use crate::target::Asked;

/// Reads a site.
pub(super) struct Reader<'a> {
    pub(super) target: &'a Site,
    pub(super) asked: &'a Asked<'a>,
}

impl Reader<'_> {
    /// Requests at once.
    pub(super) fn concurrency(&self) -> usize {
        self.asked.options.concurrency.max(1)
    }
}
