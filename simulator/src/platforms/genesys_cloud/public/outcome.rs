//! What becomes of an upload, by the clock: pending, then attached or failed, or parked until its conversation comes and an orphan when that takes too
//! long. Nothing runs in the background: whatever is due is done before anybody looks.

use uuid::Uuid;

use super::{
    metadata::Metadata,
    orphans::Orphan,
    package::Unpacked,
    rules,
    stores::{Family, PolicyDates},
};
use crate::{
    operations,
    platforms::genesys_cloud::{
        GenesysCloud,
        conversation::{FileState, Recording},
        state::State,
    },
};

/// An upload from its announcement on.
#[derive(Clone)]
pub(super) struct Upload {
    pub(super) file_name: String,
    /// Its key in the store, with the file name.
    pub(super) key: String,
    /// Headers its PUT must have.
    pub(super) headers: Vec<(&'static str, String)>,
    /// The announced MD5; absent: bytes are not checked.
    pub(super) md5: Option<[u8; 16]>,
    /// When its bytes arrived, Unix ms; absent until then.
    pub(super) arrived_ms: Option<i64>,
    /// When its status changed last, Unix ms.
    pub(super) changed_ms: i64,
    pub(super) status: Status,
    /// Conversation and recording that its metadata names; absent until it could be read.
    pub(super) about: Option<(Uuid, Uuid)>,
}

/// Where an upload stands.
#[derive(Clone)]
pub(super) enum Status {
    /// No bytes yet.
    Announced,
    /// Being processed.
    Pending {
        unpacked: Result<Box<Unpacked>, String>,
        ready_ms: i64,
        stuck_ms: u64,
    },
    /// Parked until its conversation comes.
    Waiting {
        unpacked: Box<Unpacked>,
        orphan_ms: i64,
        stuck_until_ms: i64,
    },
    /// Surfaced as an orphan recording.
    Orphaned,
    Success,
    Failure(String),
}

impl Status {
    /// In the words of the public API; absent before any bytes.
    pub(super) fn word(&self) -> Option<&'static str> {
        match self {
            Status::Announced => None,
            Status::Pending { .. } => Some("Pending"),
            Status::Waiting { .. } | Status::Orphaned => Some("WaitForConversation"),
            Status::Success => Some("Success"),
            Status::Failure(_) => Some("Failure"),
        }
    }

    /// Why it stands so, for the report; empty where there is nothing to say.
    pub(super) fn message(&self) -> &str {
        match self {
            Status::Announced | Status::Pending { .. } | Status::Success => "",
            Status::Waiting { .. } => "waiting for the conversation",
            Status::Orphaned => "the recording is an orphan",
            Status::Failure(why) => why,
        }
    }
}

impl Upload {
    /// An upload whose address was given out.
    pub(super) fn announced(
        file_name: String,
        key: String,
        headers: Vec<(&'static str, String)>,
        md5: Option<[u8; 16]>,
        now_ms: i64,
    ) -> Upload {
        Upload { file_name, key, headers, md5, arrived_ms: None, changed_ms: now_ms, status: Status::Announced, about: None }
    }
}

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
        while let Some((at_ms, id)) = state.public.agenda.first().copied().filter(|(at_ms, _)| *at_ms <= now_ms) {
            state.public.agenda.remove(&(at_ms, id));
            self.look_at(state, id, now_ms);
        }
        self.settle_jobs(state, now_ms);
        self.settle_deletions(state, now_ms);
    }

    /// Takes in the bytes of an upload. A second PUT begins anew.
    pub(super) fn take_upload(&self, state: &mut State, id: Uuid, unpacked: Result<Unpacked, String>, stuck_ms: u64) {
        let now_ms = self.now_ms();
        let ready_ms = now_ms.saturating_add_unsigned(self.settings.public.upload_processing_ms);
        let about = unpacked.as_ref().ok().map(|one| (one.metadata.conversation, one.metadata.recording));
        let Some(upload) = state.public.uploads.get_mut(&id) else { return };
        if matches!(upload.status, Status::Orphaned) {
            // Its orphan is what there is to act on now; a twin would be one recording too many.
            return;
        }
        upload.about = about;
        (upload.arrived_ms, upload.changed_ms) = (Some(now_ms), now_ms);
        upload.status = Status::Pending { unpacked: unpacked.map(Box::new), ready_ms, stuck_ms };
        state.public.agenda.insert((ready_ms, id));
        self.settle(state);
    }

    /// Looks after the uploads that wait for a conversation which has just changed.
    pub(super) fn look_at_waiting(&self, state: &mut State, conversation: Uuid) {
        let waiting = state.public.waiting.range((conversation, Uuid::nil())..=(conversation, Uuid::max()));
        let waiting: Vec<Uuid> = waiting.map(|(_, upload)| *upload).collect();
        for id in waiting {
            self.look_at(state, id, self.now_ms());
        }
    }

    fn look_at(&self, state: &mut State, id: Uuid, now_ms: i64) {
        let Some(upload) = state.public.uploads.get_mut(&id) else { return };
        match std::mem::replace(&mut upload.status, Status::Announced) {
            Status::Pending { unpacked, ready_ms, stuck_ms } if ready_ms <= now_ms => match unpacked {
                Ok(unpacked) => self.place(state, id, unpacked, now_ms, ready_ms.saturating_add_unsigned(stuck_ms), None),
                Err(why) => self.conclude(state, id, Status::Failure(why), Some("failed"), now_ms),
            },
            Status::Waiting { unpacked, orphan_ms, stuck_until_ms } => {
                self.place(state, id, unpacked, now_ms, stuck_until_ms, Some(orphan_ms));
            }
            unchanged => upload.status = unchanged,
        }
    }

    /// Attaches a recording, or parks it; `orphan_ms` is when it becomes an orphan, for one that is parked already.
    fn place(&self, state: &mut State, id: Uuid, unpacked: Box<Unpacked>, now_ms: i64, stuck_until_ms: i64, orphan_ms: Option<i64>) {
        let conversation = unpacked.metadata.conversation;
        let attached = if stuck_until_ms > now_ms { Attached::Absent } else { self.attach(state, &unpacked) };
        state.public.waiting.remove(&(conversation, id));
        match attached {
            Attached::Yes => self.conclude(state, id, Status::Success, Some("attached"), now_ms),
            Attached::Before => self.conclude(state, id, Status::Success, None, now_ms),
            Attached::No(why) => self.conclude(state, id, Status::Failure(why), Some("failed"), now_ms),
            Attached::Absent if orphan_ms.is_some_and(|orphan_ms| orphan_ms <= now_ms) => self.orphan(state, id, *unpacked, now_ms),
            Attached::Absent => {
                self.mark(&rules::UPLOAD_WAIT);
                let wait_ms = self.settings.public.wait_for_conversation_ms;
                let due_ms = orphan_ms.unwrap_or_else(|| now_ms.saturating_add_unsigned(wait_ms));
                state.public.waiting.insert((conversation, id));
                state.public.agenda.insert((due_ms, id));
                if stuck_until_ms > now_ms {
                    state.public.agenda.insert((stuck_until_ms, id));
                }
                if let Some(upload) = state.public.uploads.get_mut(&id) {
                    if orphan_ms.is_none() {
                        upload.changed_ms = now_ms;
                    }
                    upload.status = Status::Waiting { unpacked, orphan_ms: due_ms, stuck_until_ms };
                }
            }
        }
    }

    /// Ends an upload. What it did is an effect of its own, because it came after the answer.
    pub(super) fn conclude(&self, state: &mut State, id: Uuid, status: Status, effect: Option<&'static str>, now_ms: i64) {
        let Some(upload) = state.public.uploads.get_mut(&id) else { return };
        (upload.status, upload.changed_ms) = (status, now_ms);
        if let Some(effect) = effect {
            self.core.journal.record_side_effect(&operations::GENESYS_CLOUD_PROCESS_UPLOAD, &upload.file_name, effect);
        }
    }

    fn orphan(&self, state: &mut State, id: Uuid, unpacked: Unpacked, now_ms: i64) {
        let arrived_ms = state.public.uploads.get(&id).and_then(|upload| upload.arrived_ms).unwrap_or(now_ms);
        let orphan = self.seed().child("orphan").child(&id.to_string()).uuid();
        state.public.orphans.insert(orphan, Orphan { upload: id, unpacked, created_ms: arrived_ms, recovered_ms: now_ms });
        self.conclude(state, id, Status::Orphaned, Some("orphaned"), now_ms);
    }

    /// Hangs a recording on the communication its metadata names.
    fn attach(&self, state: &mut State, unpacked: &Unpacked) -> Attached {
        let metadata = &unpacked.metadata;
        let Some(held) = state.conversations.get(&metadata.conversation) else { return Attached::Absent };
        if !held.segments.iter().any(|leg| leg.id == metadata.communication) {
            return Attached::Absent;
        }
        self.mark(&rules::UPLOAD_ATTACH);
        let (conversation, leg) = (held.id, metadata.communication);
        self.attach_to(state, unpacked, conversation, leg, metadata.delete_at_ms)
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
        if let Some(answer) = self.is_there(state, unpacked, conversation) {
            return answer;
        }
        let Some(held) = state.conversations.get(&conversation) else { return Attached::Absent };
        if let Some(days) = self.beyond_maximum(held.start_ms, delete_at_ms) {
            self.mark(&rules::UPLOAD_RETENTION);
            return Attached::No(format!("deleteDate lies beyond the organisation's maximum of {days} days"));
        }
        let now_ms = self.now_ms();
        let PolicyDates { delete_at_ms, archive_at_ms } = match delete_at_ms {
            Some(_) => PolicyDates { delete_at_ms, archive_at_ms: None },
            None => self.by_policy(Family::CrossPlatform, state, held, now_ms),
        };
        let file = self.made_id(&operations::GENESYS_CLOUD_PROCESS_UPLOAD, &metadata.recording.to_string(), 0);
        state.files.put(file, audio.clone());
        let shown_from_ms = self.shown_from_ms(&operations::GENESYS_CLOUD_SHOW_RECORDING, &metadata.recording.to_string());
        let created = Recording { created_at_ms: now_ms, shown_from_ms, ..recording(metadata, leg) };
        let recording = Recording { delete_at_ms, archive_at_ms, file: Some(file), ..created };
        if let Some(held) = state.conversations.get_mut(&conversation) {
            held.recordings.push(recording);
            // Uploads settle in any order; readers see them in one.
            held.recordings.sort_by_key(|one| (one.start_ms, one.id));
        }
        state.public.recordings.insert(metadata.recording, conversation);
        state.plan_deletions(conversation);
        Attached::Yes
    }

    /// What a recording id that is known already comes to; none for a new one.
    fn is_there(&self, state: &State, unpacked: &Unpacked, conversation: Uuid) -> Option<Attached> {
        let id = unpacked.metadata.recording;
        let home = state.public.recordings.get(&id)?;
        // Taken away since, whole: the id is free again.
        let one = state.conversations.get(home)?.recording(id)?;
        self.mark(&rules::UPLOAD_REPEATED);
        let bytes = one.file.and_then(|file| state.files.get(file)).map(|file| file.sha256.as_str());
        if *home == conversation && bytes == Some(unpacked.audio.sha256.as_str()) {
            return Some(Attached::Before);
        }
        Some(Attached::No(format!("the recording {id} is there already, with other bytes or in another conversation")))
    }
}

/// A recording as its metadata tells it: without its file, and without dates of deletion and archiving.
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
