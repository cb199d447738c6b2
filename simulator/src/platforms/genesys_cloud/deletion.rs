//! What deletes recordings: their deleteDate, whoever gave it to them: a client, a retention
//! policy, a recording job. Nothing runs in the background: whatever is due is done before anybody
//! looks.

use super::{GenesysCloud, rules, state::State, stores::Deletion};
use crate::operations::Operation;

/// What is noted of a recording that goes.
static DELETE: Operation = Operation {
    name: "genesys_cloud.delete_recording",
    method: "-",
    path: "-",
    key: "recording id",
    mutates: true,
    needs: &[],
    query: &[],
};

impl GenesysCloud {
    /// Deletes the media of every recording whose date has come.
    pub(super) fn settle_deletions(&self, state: &mut State, now_ms: i64) {
        for deletion in state.conversations.delete_due(now_ms) {
            match deletion {
                Deletion::Held => self.mark(&rules::DELETION_HELD),
                Deletion::Deleted(recording) => {
                    [&rules::DELETED, &rules::DELETED_WHEN]
                        .into_iter()
                        .for_each(|rule| self.mark(rule));
                    self.core.journal.record_side_effect(
                        &DELETE,
                        &recording.to_string(),
                        "deleted",
                    );
                }
            }
        }
    }
}
