//! Conversations with their recordings, and when a recording's date of deletion comes.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::platforms::genesys_cloud::conversation::{Conversation, FileState, Recording};

/// The conversations by id. Whoever puts or changes one has the dates of its recordings looked at
/// when they come.
#[derive(Clone, Default)]
pub(crate) struct Conversations {
    by_id: BTreeMap<Uuid, Conversation>,
    /// When a conversation has to be looked at for recordings to delete, Unix ms. A date that is no
    /// more is found out when it comes.
    deletions: BTreeSet<(i64, Uuid)>,
    /// Recordings that were attached, and the conversation each was attached to.
    attached: BTreeMap<Uuid, Uuid>,
    /// Conversations that are protected against deletion.
    protected: BTreeSet<Uuid>,
    /// Conversations that a defect was planted in.
    victims: BTreeSet<Uuid>,
}

/// What came of a date of deletion.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// The media of this recording is gone.
    Deleted(Uuid),
    /// The conversation is protected. It is looked at again when that changes.
    Held,
}

impl Conversations {
    /// A conversation by its id.
    pub(crate) fn get(&self, id: Uuid) -> Option<&Conversation> {
        self.by_id.get(&id)
    }

    /// Whether there is a conversation with this id.
    pub(crate) fn contains(&self, id: Uuid) -> bool {
        self.by_id.contains_key(&id)
    }

    /// Every conversation, in the order of ids.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Conversation> {
        self.by_id.values()
    }

    /// Every conversation from an id on, in the order of ids.
    pub(crate) fn from(&self, id: Uuid) -> impl Iterator<Item = &Conversation> {
        self.by_id.range(id..).map(|(_, held)| held)
    }

    /// Puts a conversation, in the place of the one with its id.
    pub(crate) fn put(&mut self, conversation: Conversation) {
        let id = conversation.id;
        self.by_id.insert(id, conversation);
        self.look_at(id);
    }

    /// Changes a conversation; absent where there is none.
    pub(crate) fn change<T>(
        &mut self,
        id: Uuid,
        how: impl FnOnce(&mut Conversation) -> T,
    ) -> Option<T> {
        let changed = self.by_id.get_mut(&id).map(how)?;
        self.look_at(id);
        Some(changed)
    }

    /// Changes a recording; absent where there is none.
    pub(crate) fn change_recording<T>(
        &mut self,
        id: Uuid,
        recording: Uuid,
        how: impl FnOnce(&mut Recording) -> T,
    ) -> Option<T> {
        self.change(id, |held| held.recording_mut(recording).map(how))
            .flatten()
    }

    /// Attaches a recording to a conversation, if that is there. Recordings are attached in any
    /// order; readers see them in that of their starts.
    pub(crate) fn attach(&mut self, id: Uuid, recording: Recording) {
        let recording_id = recording.id;
        let attached = self.change(id, |held| {
            held.recordings.push(recording);
            held.recordings.sort_by_key(|one| (one.start_ms, one.id));
        });
        if attached.is_some() {
            self.attached.insert(recording_id, id);
        }
    }

    /// A recording that was attached, in its conversation; absent where none was, or it was taken
    /// away since: the id is free again.
    pub(crate) fn attached(&self, recording: Uuid) -> Option<(&Conversation, &Recording)> {
        let held = self.get(*self.attached.get(&recording)?)?;
        Some((held, held.recording(recording)?))
    }

    /// Deletes the media of every recording whose date has come, and says what it did in the order
    /// of the dates.
    pub(crate) fn delete_due(&mut self, now_ms: i64) -> Vec<Deletion> {
        let mut done = Vec::new();
        while let Some((at_ms, id)) = self
            .deletions
            .first()
            .copied()
            .filter(|(at_ms, _)| *at_ms <= now_ms)
        {
            self.deletions.remove(&(at_ms, id));
            let Some(held) = self.by_id.get_mut(&id) else {
                continue;
            };
            if held.protected {
                done.push(Deletion::Held);
                continue;
            }
            for one in held.recordings.iter_mut().filter(|one| is_due(one, now_ms)) {
                one.file_state = FileState::Deleted;
                done.push(Deletion::Deleted(one.id));
            }
        }
        done
    }

    /// Removes and puts what a defect does, and keeps its victims from later defects.
    pub(crate) fn plant(&mut self, removed: Vec<Uuid>, puts: Vec<Conversation>) {
        for id in removed {
            self.by_id.remove(&id);
            self.protected.remove(&id);
            self.victims.insert(id);
        }
        for held in puts {
            self.victims.insert(held.id);
            self.put(held);
        }
    }

    /// Whether a defect was planted in a conversation.
    pub(crate) fn is_victim(&self, id: Uuid) -> bool {
        self.victims.contains(&id)
    }

    /// How many conversations are protected against deletion.
    pub(crate) fn protected(&self) -> u64 {
        self.protected.len() as u64
    }

    /// Takes up what has changed of a conversation: its dates, and whether it is protected.
    fn look_at(&mut self, id: Uuid) {
        let Some(held) = self.by_id.get(&id) else {
            return;
        };
        if held.protected {
            self.protected.insert(id);
        } else {
            self.protected.remove(&id);
        }
        let dates = held
            .recordings
            .iter()
            .filter(|one| one.file_state == FileState::Available)
            .filter_map(|one| one.delete_at_ms);
        self.deletions.extend(dates.map(|at_ms| (at_ms, id)));
    }
}

fn is_due(one: &Recording, now_ms: i64) -> bool {
    one.file_state == FileState::Available && one.delete_at_ms.is_some_and(|at_ms| at_ms <= now_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platforms::genesys_cloud::conversation::testing::{conversation, recording};

    const CALL: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);
    const ONE: Uuid = Uuid::from_u128(10);
    const TWIN: Uuid = Uuid::from_u128(11);

    /// A conversation with a recording that is deleted at 100.
    fn dated() -> Conversation {
        Conversation {
            recordings: vec![Recording {
                delete_at_ms: Some(100),
                ..recording(ONE)
            }],
            ..conversation(CALL)
        }
    }

    fn state(conversations: &Conversations) -> Option<FileState> {
        Some(conversations.get(CALL)?.recording(ONE)?.file_state)
    }

    #[test]
    fn a_recording_is_deleted_when_its_date_comes_and_once() {
        let mut conversations = Conversations::default();
        conversations.put(dated());
        assert_eq!(conversations.delete_due(99), []);
        assert_eq!(conversations.delete_due(100), [Deletion::Deleted(ONE)]);
        assert_eq!(
            (state(&conversations), conversations.delete_due(1_000)),
            (Some(FileState::Deleted), Vec::new())
        );
    }

    #[test]
    fn a_date_that_is_changed_counts_and_the_old_one_does_not() {
        let mut conversations = Conversations::default();
        conversations.put(dated());
        conversations
            .change_recording(CALL, ONE, |one| one.delete_at_ms = Some(200))
            .expect("it is there");
        assert_eq!(conversations.delete_due(199), []);
        assert_eq!(conversations.delete_due(200), [Deletion::Deleted(ONE)]);
    }

    #[test]
    fn a_protected_conversation_is_held_and_looked_at_again_when_it_is_released() {
        let mut conversations = Conversations::default();
        conversations.put(Conversation {
            protected: true,
            ..dated()
        });
        assert_eq!(conversations.delete_due(100), [Deletion::Held]);
        assert_eq!(
            (state(&conversations), conversations.delete_due(150)),
            (Some(FileState::Available), Vec::new())
        );
        conversations
            .change(CALL, |held| held.protected = false)
            .expect("it is there");
        assert_eq!(conversations.delete_due(150), [Deletion::Deleted(ONE)]);
    }

    #[test]
    fn attached_recordings_stand_in_the_order_of_their_starts_and_are_deleted_too() {
        let mut conversations = Conversations::default();
        conversations.put(conversation(CALL));
        conversations.attach(
            CALL,
            Recording {
                start_ms: 500,
                delete_at_ms: Some(900),
                ..recording(ONE)
            },
        );
        conversations.attach(
            CALL,
            Recording {
                start_ms: 400,
                ..recording(TWIN)
            },
        );
        let ids: Vec<Uuid> = conversations
            .all()
            .flat_map(|held| &held.recordings)
            .map(|one| one.id)
            .collect();
        assert_eq!(ids, [TWIN, ONE]);
        assert_eq!(
            conversations
                .attached(ONE)
                .map(|(held, one)| (held.id, one.id)),
            Some((CALL, ONE))
        );
        assert_eq!(conversations.delete_due(900), [Deletion::Deleted(ONE)]);
    }

    #[test]
    fn the_id_of_an_attached_recording_is_free_when_that_is_taken_away_or_was_never_attached() {
        let mut conversations = Conversations::default();
        conversations.attach(OTHER, recording(TWIN));
        conversations.put(conversation(OTHER));
        assert!(
            conversations.attached(TWIN).is_none(),
            "its conversation was not there"
        );
        conversations.put(conversation(CALL));
        conversations.attach(CALL, recording(ONE));
        conversations
            .change(CALL, |held| held.recordings.clear())
            .expect("it is there");
        assert!(conversations.attached(ONE).is_none());
    }

    #[test]
    fn what_a_defect_puts_or_removes_is_its_victim_and_its_dates_come() {
        let mut conversations = Conversations::default();
        conversations.put(conversation(CALL));
        conversations.put(conversation(OTHER));
        assert!(!conversations.is_victim(CALL));
        conversations.plant(vec![OTHER], vec![dated()]);
        assert!(
            conversations.is_victim(CALL)
                && conversations.is_victim(OTHER)
                && !conversations.contains(OTHER)
        );
        assert_eq!(conversations.delete_due(100), [Deletion::Deleted(ONE)]);
    }
}
