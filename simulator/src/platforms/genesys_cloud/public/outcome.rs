//! What becomes of an upload, by the clock: pending, then attached or failed, or parked until its
//! conversation comes and an orphan when that takes too long. Nothing runs in the background:
//! whatever is due is done before anybody looks.

use uuid::Uuid;

use super::{
    metadata::Metadata,
    package::Unpacked,
    rules,
    stores::{Family, PolicyDates, Status, Undecided},
};
use crate::{
    operations,
    platforms::genesys_cloud::{
        GenesysCloud,
        conversation::{FileState, Recording},
        state::State,
    },
};

/// Whether a recording could be attached.
pub(super) enum Attached {
    Yes,
    /// It was there already, with the same bytes.
    Before,
    /// Its conversation or communication is not there.
    Absent,
    /// Never, and why.
    No(String),
}

impl GenesysCloud {
    /// Does whatever is due.
    pub(in crate::platforms::genesys_cloud) fn settle(&self, state: &mut State) {
        let now_ms = self.now_ms();
        while let Some(id) = state.public.uploads.next_due(now_ms) {
            decide(self, state, id, now_ms);
        }
        self.settle_jobs(state, now_ms);
        self.settle_deletions(state, now_ms);
    }

    /// Takes in the bytes of an upload. A second PUT begins anew.
    pub(super) fn take_upload(
        &self,
        state: &mut State,
        id: Uuid,
        unpacked: Result<Unpacked, String>,
        stuck_ms: u64,
    ) {
        let now_ms = self.now_ms();
        let ready_ms = now_ms.saturating_add_unsigned(self.settings.public.upload_processing_ms);
        state
            .public
            .uploads
            .arrive(id, unpacked, now_ms, ready_ms, stuck_ms);
        self.settle(state);
    }

    /// Looks after the uploads that wait for a conversation which has just changed.
    pub(super) fn look_at_waiting(&self, state: &mut State, conversation: Uuid) {
        for id in state.public.uploads.waiting_for(conversation) {
            decide(self, state, id, self.now_ms());
        }
    }

    /// Hangs a recording on a communication of a conversation that is there.
    pub(super) fn attach_to(
        &self,
        state: &mut State,
        unpacked: &Unpacked,
        conversation: Uuid,
        leg: Uuid,
        delete_at_ms: Option<i64>,
    ) -> Attached {
        let (metadata, audio) = (&unpacked.metadata, &unpacked.audio);
        if let Some(answer) = is_there(self, state, unpacked, conversation) {
            return answer;
        }
        let Some(held) = state.conversations.get(conversation) else {
            return Attached::Absent;
        };
        if let Some(days) = self.beyond_maximum(held.start_ms, delete_at_ms) {
            self.mark(&rules::UPLOAD_RETENTION);
            return Attached::No(format!(
                "deleteDate lies beyond the organisation's maximum of {days} days"
            ));
        }
        let now_ms = self.now_ms();
        let PolicyDates {
            delete_at_ms,
            archive_at_ms,
        } = match delete_at_ms {
            Some(_) => PolicyDates {
                delete_at_ms,
                archive_at_ms: None,
            },
            None => self.by_policy(Family::CrossPlatform, &state.public, held, now_ms),
        };
        let file = self.made_id(
            &operations::GENESYS_CLOUD_PROCESS_UPLOAD,
            &metadata.recording.to_string(),
            0,
        );
        state.files.put(file, audio.clone());
        let shown_from_ms = self.shown_from_ms(
            &operations::GENESYS_CLOUD_SHOW_RECORDING,
            &metadata.recording.to_string(),
        );
        let created = Recording {
            created_at_ms: now_ms,
            shown_from_ms,
            ..recording(metadata, leg)
        };
        let recording = Recording {
            delete_at_ms,
            archive_at_ms,
            file: Some(file),
            ..created
        };
        state.conversations.attach(conversation, recording);
        Attached::Yes
    }
}

/// Decides what becomes of an upload that is processed, or waits.
fn decide(site: &GenesysCloud, state: &mut State, id: Uuid, now_ms: i64) {
    let Some(Undecided { unpacked, wait }) = state.public.uploads.take_up(id, now_ms) else {
        return;
    };
    let unpacked = match unpacked {
        Ok(unpacked) => unpacked,
        Err(why) => {
            return conclude(
                site,
                state,
                id,
                Status::Failure(why),
                Some("failed"),
                now_ms,
            );
        }
    };
    let attached = if wait.stuck_until_ms > now_ms {
        Attached::Absent
    } else {
        attach(site, state, &unpacked)
    };
    match attached {
        Attached::Yes => conclude(site, state, id, Status::Success, Some("attached"), now_ms),
        Attached::Before => conclude(site, state, id, Status::Success, None, now_ms),
        Attached::No(why) => conclude(
            site,
            state,
            id,
            Status::Failure(why),
            Some("failed"),
            now_ms,
        ),
        Attached::Absent if wait.orphan_ms.is_some_and(|orphan_ms| orphan_ms <= now_ms) => {
            let orphan = site.seed().child("orphan").child(&id.to_string()).uuid();
            note_outcome(
                site,
                state.public.uploads.surface(id, orphan, *unpacked, now_ms),
                "orphaned",
            );
        }
        Attached::Absent => {
            site.mark(&rules::UPLOAD_WAIT);
            state.public.uploads.park(
                id,
                unpacked,
                wait,
                now_ms,
                site.settings.public.wait_for_conversation_ms,
            );
        }
    }
}

fn conclude(
    site: &GenesysCloud,
    state: &mut State,
    id: Uuid,
    status: Status,
    effect: Option<&'static str>,
    now_ms: i64,
) {
    let file_name = state.public.uploads.conclude(id, status, now_ms);
    if let Some(effect) = effect {
        note_outcome(site, file_name, effect);
    }
}

/// Notes what an upload did: an effect of its own, because it came after the answer.
fn note_outcome(site: &GenesysCloud, file_name: Option<&str>, effect: &'static str) {
    if let Some(file_name) = file_name {
        site.core.journal.record_side_effect(
            &operations::GENESYS_CLOUD_PROCESS_UPLOAD,
            file_name,
            effect,
        );
    }
}

/// Hangs a recording on the communication its metadata names.
fn attach(site: &GenesysCloud, state: &mut State, unpacked: &Unpacked) -> Attached {
    let metadata = &unpacked.metadata;
    let Some(held) = state.conversations.get(metadata.conversation) else {
        return Attached::Absent;
    };
    if !held
        .segments
        .iter()
        .any(|leg| leg.id == metadata.communication)
    {
        return Attached::Absent;
    }
    site.mark(&rules::UPLOAD_ATTACH);
    let (conversation, leg) = (held.id, metadata.communication);
    site.attach_to(state, unpacked, conversation, leg, metadata.delete_at_ms)
}

/// What a recording id that is known already comes to; none for a new one.
fn is_there(
    site: &GenesysCloud,
    state: &State,
    unpacked: &Unpacked,
    conversation: Uuid,
) -> Option<Attached> {
    let id = unpacked.metadata.recording;
    let (home, one) = state.conversations.attached(id)?;
    site.mark(&rules::UPLOAD_REPEATED);
    let bytes = one
        .file
        .and_then(|file| state.files.get(file))
        .map(|file| file.sha256.as_str());
    if home.id == conversation && bytes == Some(unpacked.audio.sha256.as_str()) {
        return Some(Attached::Before);
    }
    Some(Attached::No(format!(
        "the recording {id} is there already, with other bytes or in another conversation"
    )))
}

/// A recording as its metadata tells it: without its file, and without dates of deletion and
/// archiving.
fn recording(metadata: &Metadata, leg: Uuid) -> Recording {
    Recording {
        id: metadata.recording,
        segment: leg,
        status: None,
        url: None,
        file: None,
        duration_ms: None,
        start_ms: metadata.start_ms,
        end_ms: metadata.end_ms,
        tag: None,
        delete_at_ms: None,
        annotations: metadata.annotations.clone(),
        file_state: FileState::Available,
        created_at_ms: 0,
        shown_from_ms: 0,
        originating_id: metadata.originating_id.clone(),
        archive_at_ms: None,
        export_at_ms: None,
        restored_at_ms: None,
    }
}
