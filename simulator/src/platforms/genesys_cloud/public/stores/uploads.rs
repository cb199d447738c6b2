//! Uploads of recordings from their announcement on, and the orphan recordings that some of them
//! become.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::super::package::Unpacked;

/// Uploads and orphans. An upload is in `waiting` while it waits for its conversation, and has an
/// orphan while it is [`Status::Orphaned`].
#[derive(Clone, Default)]
pub(crate) struct RecordingUploads {
    by_id: BTreeMap<Uuid, Upload>,
    /// When an upload has to be looked at next, Unix ms.
    agenda: BTreeSet<(i64, Uuid)>,
    /// Conversation and upload of those that wait.
    waiting: BTreeSet<(Uuid, Uuid)>,
    orphans: BTreeMap<Uuid, Orphan>,
}

/// An upload from its announcement on.
#[derive(Clone)]
pub(crate) struct Upload {
    pub(crate) file_name: String,
    /// Its key in the store, with the file name.
    pub(crate) key: String,
    /// Headers its PUT must have.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The announced MD5; absent: bytes are not checked.
    pub(crate) md5: Option<[u8; 16]>,
    /// When its bytes arrived, Unix ms; absent until then.
    pub(crate) arrived_ms: Option<i64>,
    /// When its status changed last, Unix ms.
    pub(crate) changed_ms: i64,
    pub(crate) status: Status,
    /// Conversation and recording that its metadata names; absent until it could be read.
    pub(crate) about: Option<(Uuid, Uuid)>,
}

/// Where an upload stands.
#[derive(Clone)]
pub(crate) enum Status {
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

/// A recording without a conversation.
#[derive(Clone)]
pub(crate) struct Orphan {
    /// The upload it came by.
    upload: Uuid,
    pub(crate) unpacked: Unpacked,
    pub(crate) created_ms: i64,
    /// When it surfaced.
    pub(crate) recovered_ms: i64,
}

/// An upload whose outcome is to be decided now.
pub(crate) struct Undecided {
    /// What it brought, or why that could not be read.
    pub(crate) unpacked: Result<Box<Unpacked>, String>,
    pub(crate) wait: Wait,
}

/// How long an upload waits.
#[derive(Clone, Copy)]
pub(crate) struct Wait {
    /// When it becomes an orphan, Unix ms; absent where it has not waited yet.
    pub(crate) orphan_ms: Option<i64>,
    /// Until when it waits whatever is there, Unix ms.
    pub(crate) stuck_until_ms: i64,
}

impl RecordingUploads {
    /// Announces an upload.
    pub(crate) fn announce(&mut self, id: Uuid, upload: Upload) {
        self.by_id.insert(id, upload);
    }

    /// An upload by its id.
    pub(crate) fn get(&self, id: Uuid) -> Option<&Upload> {
        self.by_id.get(&id)
    }

    /// Every upload.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Upload> {
        self.by_id.values()
    }

    /// Takes in the bytes of an upload, which are processed until `ready_ms`. A second PUT begins
    /// anew, except where the first became an orphan: that is what there is to act on then, and a
    /// twin would be one recording too many.
    pub(crate) fn arrive(
        &mut self,
        id: Uuid,
        unpacked: Result<Unpacked, String>,
        now_ms: i64,
        ready_ms: i64,
        stuck_ms: u64,
    ) {
        self.stop_waiting(id);
        let Some(upload) = self
            .by_id
            .get_mut(&id)
            .filter(|upload| !matches!(upload.status, Status::Orphaned))
        else {
            return;
        };
        upload.about = unpacked
            .as_ref()
            .ok()
            .map(|one| (one.metadata.conversation, one.metadata.recording));
        (upload.arrived_ms, upload.changed_ms) = (Some(now_ms), now_ms);
        upload.status = Status::Pending {
            unpacked: unpacked.map(Box::new),
            ready_ms,
            stuck_ms,
        };
        self.agenda.insert((ready_ms, id));
    }

    /// The next upload that has to be looked at by now, in the order of time and id; each instant
    /// comes once.
    pub(crate) fn next_due(&mut self, now_ms: i64) -> Option<Uuid> {
        let (at_ms, id) = self
            .agenda
            .first()
            .copied()
            .filter(|(at_ms, _)| *at_ms <= now_ms)?;
        self.agenda.remove(&(at_ms, id));
        Some(id)
    }

    /// The uploads that wait for a conversation, in the order of their ids.
    pub(crate) fn waiting_for(&self, conversation: Uuid) -> Vec<Uuid> {
        let waiting = self
            .waiting
            .range((conversation, Uuid::nil())..=(conversation, Uuid::max()));
        waiting.map(|(_, upload)| *upload).collect()
    }

    /// Takes an upload up whose outcome may be decided now: one that is processed, or waits. The
    /// caller says what came of it: [`Self::park`], [`Self::conclude`] or [`Self::surface`].
    pub(crate) fn take_up(&mut self, id: Uuid, now_ms: i64) -> Option<Undecided> {
        self.stop_waiting(id);
        let upload = self.by_id.get_mut(&id)?;
        match std::mem::replace(&mut upload.status, Status::Announced) {
            Status::Pending {
                unpacked,
                ready_ms,
                stuck_ms,
            } if ready_ms <= now_ms => {
                let stuck_until_ms = ready_ms.saturating_add_unsigned(stuck_ms);
                Some(Undecided {
                    unpacked,
                    wait: Wait {
                        orphan_ms: None,
                        stuck_until_ms,
                    },
                })
            }
            Status::Waiting {
                unpacked,
                orphan_ms,
                stuck_until_ms,
            } => Some(Undecided {
                unpacked: Ok(unpacked),
                wait: Wait {
                    orphan_ms: Some(orphan_ms),
                    stuck_until_ms,
                },
            }),
            unchanged => {
                upload.status = unchanged;
                None
            }
        }
    }

    /// Parks an upload until its conversation comes, at most `wait_ms` from when it was parked
    /// first.
    pub(crate) fn park(
        &mut self,
        id: Uuid,
        unpacked: Box<Unpacked>,
        wait: Wait,
        now_ms: i64,
        wait_ms: u64,
    ) {
        let Some(upload) = self.by_id.get_mut(&id) else {
            return;
        };
        let Wait {
            orphan_ms,
            stuck_until_ms,
        } = wait;
        let due_ms = orphan_ms.unwrap_or_else(|| now_ms.saturating_add_unsigned(wait_ms));
        self.waiting.insert((unpacked.metadata.conversation, id));
        self.agenda.insert((due_ms, id));
        if stuck_until_ms > now_ms {
            self.agenda.insert((stuck_until_ms, id));
        }
        if orphan_ms.is_none() {
            upload.changed_ms = now_ms;
        }
        upload.status = Status::Waiting {
            unpacked,
            orphan_ms: due_ms,
            stuck_until_ms,
        };
    }

    /// Ends an upload; its file's name, absent where there is no such upload.
    pub(crate) fn conclude(&mut self, id: Uuid, status: Status, now_ms: i64) -> Option<&str> {
        let upload = self.by_id.get_mut(&id)?;
        (upload.status, upload.changed_ms) = (status, now_ms);
        Some(&upload.file_name)
    }

    /// Makes an upload an orphan recording; its file's name, absent where there is no such upload.
    pub(crate) fn surface(
        &mut self,
        id: Uuid,
        orphan: Uuid,
        unpacked: Unpacked,
        now_ms: i64,
    ) -> Option<&str> {
        let created_ms = self.get(id)?.arrived_ms.unwrap_or(now_ms);
        self.orphans.insert(
            orphan,
            Orphan {
                upload: id,
                unpacked,
                created_ms,
                recovered_ms: now_ms,
            },
        );
        self.conclude(id, Status::Orphaned, now_ms)
    }

    /// An orphan recording by its id.
    pub(crate) fn orphan(&self, id: Uuid) -> Option<&Orphan> {
        self.orphans.get(&id)
    }

    /// Every orphan recording by its id.
    pub(crate) fn orphans(&self) -> impl Iterator<Item = (Uuid, &Orphan)> {
        self.orphans.iter().map(|(id, orphan)| (*id, orphan))
    }

    /// Takes an orphan away, and says what became of the upload it came by.
    pub(crate) fn end_orphan(&mut self, id: Uuid, status: Status, now_ms: i64) {
        if let Some(orphan) = self.orphans.remove(&id) {
            self.conclude(orphan.upload, status, now_ms);
        }
    }

    fn stop_waiting(&mut self, id: Uuid) {
        if let Some(Upload {
            status: Status::Waiting { unpacked, .. },
            ..
        }) = self.by_id.get(&id)
        {
            self.waiting.remove(&(unpacked.metadata.conversation, id));
        }
    }
}

impl Upload {
    /// An upload whose address was given out.
    pub(crate) fn announced(
        file_name: String,
        key: String,
        headers: Vec<(&'static str, String)>,
        md5: Option<[u8; 16]>,
        now_ms: i64,
    ) -> Upload {
        Upload {
            file_name,
            key,
            headers,
            md5,
            arrived_ms: None,
            changed_ms: now_ms,
            status: Status::Announced,
            about: None,
        }
    }
}

impl Status {
    /// In the words of the public API; absent before any bytes.
    pub(crate) fn word(&self) -> Option<&'static str> {
        match self {
            Status::Announced => None,
            Status::Pending { .. } => Some("Pending"),
            Status::Waiting { .. } | Status::Orphaned => Some("WaitForConversation"),
            Status::Success => Some("Success"),
            Status::Failure(_) => Some("Failure"),
        }
    }

    /// Why it stands so, for the report; empty where there is nothing to say.
    pub(crate) fn message(&self) -> &str {
        match self {
            Status::Announced | Status::Pending { .. } | Status::Success => "",
            Status::Waiting { .. } => "waiting for the conversation",
            Status::Orphaned => "the recording is an orphan",
            Status::Failure(why) => why,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::metadata::Metadata, *};
    use crate::platforms::genesys_cloud::stores::StoredFile;

    const UPLOAD: Uuid = Uuid::from_u128(1);
    const CALL: Uuid = Uuid::from_u128(2);
    const OTHER_CALL: Uuid = Uuid::from_u128(3);
    const ORPHAN: Uuid = Uuid::from_u128(4);

    fn unpacked(conversation: Uuid) -> Unpacked {
        let metadata = Metadata {
            conversation,
            communication: Uuid::nil(),
            recording: Uuid::nil(),
            originating_id: None,
            start_ms: 0,
            end_ms: 1,
            file_name: "call.mp3".to_owned(),
            media_type: "audio/mpeg".to_owned(),
            delete_at_ms: None,
            annotations: Vec::new(),
        };
        let audio = StoredFile {
            name: "call.mp3".to_owned(),
            content_type: "audio/mpeg".to_owned(),
            bytes: 1,
            sha256: String::new(),
        };
        Unpacked { metadata, audio }
    }

    /// An upload that was announced, and whose bytes are processed from 10 to 20.
    fn arrived() -> RecordingUploads {
        let mut uploads = RecordingUploads::default();
        uploads.announce(
            UPLOAD,
            Upload::announced("call.zip".to_owned(), "key".to_owned(), Vec::new(), None, 0),
        );
        uploads.arrive(UPLOAD, Ok(unpacked(CALL)), 10, 20, 0);
        uploads
    }

    /// The same, parked at 20 for a hundred milliseconds.
    fn parked() -> RecordingUploads {
        let mut uploads = arrived();
        assert_eq!(uploads.next_due(20), Some(UPLOAD));
        let Undecided { unpacked, wait } = uploads.take_up(UPLOAD, 20).expect("it is processed");
        uploads.park(UPLOAD, unpacked.expect("it was read"), wait, 20, 100);
        uploads
    }

    fn word(uploads: &RecordingUploads) -> Option<&'static str> {
        uploads.get(UPLOAD)?.status.word()
    }

    #[test]
    fn an_upload_is_decided_when_it_is_processed_and_not_before() {
        let mut uploads = arrived();
        assert!(uploads.take_up(UPLOAD, 19).is_none());
        assert_eq!(
            (word(&uploads), uploads.next_due(19)),
            (Some("Pending"), None)
        );
        assert_eq!(
            (uploads.next_due(20), uploads.next_due(20)),
            (Some(UPLOAD), None),
            "an instant comes once"
        );
        assert!(uploads.take_up(UPLOAD, 20).is_some());
    }

    #[test]
    fn it_waits_for_its_own_conversation_until_it_is_decided() {
        let mut uploads = parked();
        assert_eq!(
            (uploads.waiting_for(CALL), uploads.waiting_for(OTHER_CALL)),
            (vec![UPLOAD], Vec::new())
        );
        let Undecided { wait, .. } = uploads.take_up(UPLOAD, 30).expect("it waits");
        assert_eq!(wait.orphan_ms, Some(120));
        uploads.conclude(UPLOAD, Status::Success, 30);
        assert_eq!(
            (word(&uploads), uploads.waiting_for(CALL)),
            (Some("Success"), Vec::new())
        );
    }

    #[test]
    fn parked_again_it_waits_no_longer_than_it_would_have() {
        let mut uploads = parked();
        let Undecided { unpacked, wait } = uploads.take_up(UPLOAD, 90).expect("it waits");
        uploads.park(UPLOAD, unpacked.expect("it was read"), wait, 90, 100);
        assert_eq!(
            (uploads.next_due(119), uploads.next_due(120)),
            (None, Some(UPLOAD))
        );
        assert_eq!(
            uploads.get(UPLOAD).map(|upload| upload.changed_ms),
            Some(20)
        );
    }

    #[test]
    fn new_bytes_no_longer_wait_for_the_conversation_of_the_old_ones() {
        let mut uploads = parked();
        uploads.arrive(UPLOAD, Ok(unpacked(OTHER_CALL)), 50, 60, 0);
        assert_eq!(
            (word(&uploads), uploads.waiting_for(CALL)),
            (Some("Pending"), Vec::new())
        );
    }

    #[test]
    fn an_orphan_is_there_while_its_upload_is_one_and_new_bytes_change_nothing() {
        let mut uploads = arrived();
        uploads.take_up(UPLOAD, 20).expect("it is processed");
        assert_eq!(
            uploads.surface(UPLOAD, ORPHAN, unpacked(CALL), 20),
            Some("call.zip")
        );
        uploads.arrive(UPLOAD, Ok(unpacked(OTHER_CALL)), 30, 40, 0);
        assert_eq!(
            (
                word(&uploads),
                uploads.orphan(ORPHAN).map(|orphan| orphan.created_ms)
            ),
            (Some("WaitForConversation"), Some(10))
        );
        uploads.end_orphan(ORPHAN, Status::Failure("deleted".to_owned()), 50);
        assert_eq!(
            (word(&uploads), uploads.orphans().count()),
            (Some("Failure"), 0)
        );
    }
}
