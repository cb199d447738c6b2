//! Archived recordings: stubs until they are restored.

use super::{super::GenesysCloud, rules};
use crate::platforms::genesys_cloud::conversation::{FileState, Recording};

/// What a reader is told about a recording's media: what is held, and whether it lies in the
/// archive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::platforms::genesys_cloud) enum MediaState {
    /// As it is held.
    Held(FileState),
    Archived,
    Restoring,
    /// Back from the archive until its new archive date.
    Restored,
}

impl MediaState {
    pub(in crate::platforms::genesys_cloud) fn as_str(self) -> &'static str {
        match self {
            MediaState::Held(state) => state.as_str(),
            MediaState::Archived => "ARCHIVED",
            MediaState::Restoring => "RESTORING",
            MediaState::Restored => "RESTORED",
        }
    }

    /// Whether its media can be had.
    pub(in crate::platforms::genesys_cloud) fn has_media(self) -> bool {
        match self {
            MediaState::Held(FileState::Available) | MediaState::Restored => true,
            MediaState::Held(FileState::Uploading | FileState::Deleted | FileState::Error)
            | MediaState::Archived
            | MediaState::Restoring => false,
        }
    }
}

impl GenesysCloud {
    /// Where a recording stands now.
    pub(in crate::platforms::genesys_cloud) fn media_state(&self, one: &Recording) -> MediaState {
        match one.file_state {
            FileState::Available => {}
            FileState::Uploading | FileState::Deleted | FileState::Error => {
                return MediaState::Held(one.file_state);
            }
        }
        let now_ms = self.now_ms();
        if one.archive_at_ms.is_some_and(|at_ms| at_ms <= now_ms)
            || is_archived_from_the_start(self, one)
        {
            [&rules::ARCHIVED_STUB, &rules::ARCHIVED_WHEN]
                .into_iter()
                .for_each(|rule| self.mark(rule));
            return MediaState::Archived;
        }
        match one.restored_at_ms {
            Some(at_ms) if at_ms > now_ms => MediaState::Restoring,
            Some(_) => MediaState::Restored,
            None => MediaState::Held(one.file_state),
        }
    }

    /// When a recording is archived, or was; absent: never.
    pub(in crate::platforms::genesys_cloud) fn archive_date(&self, one: &Recording) -> Option<i64> {
        one.archive_at_ms
            .or_else(|| is_archived_from_the_start(self, one).then_some(one.created_at_ms))
    }

    /// When the restoration of an archived recording is done that begins now.
    pub(in crate::platforms::genesys_cloud) fn restored_at_ms(&self) -> i64 {
        [&rules::RESTORE, &rules::RESTORE_TIME]
            .into_iter()
            .for_each(|rule| self.mark(rule));
        self.now_ms()
            .saturating_add_unsigned(self.settings.access.restore_ms)
    }
}

/// Whether it is one of the share, with no date of its own and never restored.
fn is_archived_from_the_start(site: &GenesysCloud, one: &Recording) -> bool {
    let share = site.settings.access.archived_share;
    let is_untouched = one.archive_at_ms.is_none()
        && one.restored_at_ms.is_none()
        && one.file_state == FileState::Available;
    share > 0.0
        && is_untouched
        && site
            .seed()
            .child("archived")
            .child(&one.id.to_string())
            .chance(share)
}
