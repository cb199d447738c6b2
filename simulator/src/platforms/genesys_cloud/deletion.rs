//! What deletes recordings: their deleteDate, whoever gave it to them: a client, a retention policy, a recording job. Nothing runs in the background:
//! whatever is due is done before anybody looks.

use uuid::Uuid;

use super::{
    GenesysCloud,
    conversation::{FileState, Recording},
    rules,
    state::State,
};
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

impl State {
    /// Has the recordings of a conversation looked at when their dates come. To be called whenever a date, the media or the protection of one of
    /// them has changed; a date that is no more is found out when it comes.
    pub(super) fn plan_deletions(&mut self, conversation: Uuid) {
        let Some(held) = self.conversations.get(&conversation) else { return };
        let dates = held.recordings.iter().filter(|one| one.file_state == FileState::Available).filter_map(|one| one.delete_at_ms);
        self.deletions.extend(dates.map(|at_ms| (at_ms, conversation)));
    }
}

impl GenesysCloud {
    /// Deletes the media of every recording whose date has come.
    pub(super) fn settle_deletions(&self, state: &mut State, now_ms: i64) {
        while let Some((at_ms, id)) = state.deletions.first().copied().filter(|(at_ms, _)| *at_ms <= now_ms) {
            state.deletions.remove(&(at_ms, id));
            let Some(held) = state.conversations.get_mut(&id) else { continue };
            if held.protected {
                // Looked at again when the protection is lifted.
                self.mark(&rules::DELETION_HELD);
                continue;
            }
            for one in held.recordings.iter_mut().filter(|one| is_due(one, now_ms)) {
                [&rules::DELETED, &rules::DELETED_WHEN].into_iter().for_each(|rule| self.mark(rule));
                one.file_state = FileState::Deleted;
                self.core.journal.record_side_effect(&DELETE, &one.id.to_string(), "deleted");
            }
        }
    }
}

fn is_due(one: &Recording, now_ms: i64) -> bool {
    one.file_state == FileState::Available && one.delete_at_ms.is_some_and(|at_ms| at_ms <= now_ms)
}
