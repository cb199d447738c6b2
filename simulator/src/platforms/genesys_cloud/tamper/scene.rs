//! What a defect sees of the organisation, and what it leaves behind.

use audio::{Codec, Pcm};
use serde_json::Value;
use uuid::Uuid;

use super::super::{
    GenesysCloud,
    conversation::{Conversation, Recording},
    identity::{self, Tag},
    state::State,
    stores::StoredFile,
};
use crate::{
    seed::Seed,
    tamper::{self, Planted},
};

/// The organisation as it stands, one defect and its seed.
pub(super) struct Scene<'a> {
    pub(super) site: &'a GenesysCloud,
    pub(super) state: &'a State,
    /// Whether enough recordings have no pause to choose among these.
    pub(super) has_calls_without_pause: bool,
    seed: Seed,
}

/// What a defect changes, not applied yet, and what it says it did.
pub(super) struct Plant {
    pub(super) planted: Vec<Planted>,
    /// Conversations to be put in the place of those of their ids.
    pub(super) puts: Vec<Conversation>,
    /// Conversations to be removed.
    pub(super) removed: Vec<Uuid>,
    /// Files to be added.
    pub(super) files: Vec<(Uuid, StoredFile)>,
    /// Recordings that become orphans of the conversations of these ids.
    pub(super) orphans: Vec<(Uuid, Recording)>,
}

impl Plant {
    /// One entry and the conversation it changes.
    pub(super) fn one(entry: Planted, changed: Conversation) -> Plant {
        Plant {
            planted: vec![entry],
            puts: vec![changed],
            removed: Vec::new(),
            files: Vec::new(),
            orphans: Vec::new(),
        }
    }

    /// The same with a file.
    pub(super) fn with_file(mut self, id: Uuid, file: StoredFile) -> Plant {
        self.files.push((id, file));
        self
    }

    /// Makes it so, and keeps its victims from later defects.
    pub(super) fn apply(self, state: &mut State, now_ms: i64) -> Vec<Planted> {
        for (conversation, one) in &self.orphans {
            if let Some(audio) = one.file.and_then(|id| state.files.get(id)).cloned() {
                state.public.plant_orphan(*conversation, one, audio, now_ms);
            }
        }
        for (id, file) in self.files {
            state.files.put(id, file);
        }
        state.conversations.plant(self.removed, self.puts);
        self.planted
    }
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        site: &'a GenesysCloud,
        state: &'a State,
        defect: &str,
        seed: u64,
    ) -> Scene<'a> {
        let recordings = state.conversations.all().flat_map(|held| &held.recordings);
        let without_pause = recordings.filter(|one| one.annotations.is_empty());
        Scene {
            site,
            state,
            has_calls_without_pause: without_pause.count() >= tamper::MANY,
            seed: Seed::new(seed).child("tamper").child(defect),
        }
    }

    /// Of the defect and its seed.
    pub(super) fn seed(&self) -> Seed {
        self.seed
    }

    /// Our conversations that no defect was planted in, in the order of this seed.
    pub(super) fn candidates(&self) -> Vec<&'a Conversation> {
        let all = self.state.conversations.all();
        let mut free: Vec<&Conversation> = all
            .filter(|held| Tag::of(held).is_some() && !self.state.conversations.is_victim(held.id))
            .collect();
        free.sort_by_key(|held| (self.seed_of(held.id).value(), held.id));
        free
    }

    /// Where choices about a conversation or recording come from.
    pub(super) fn seed_of(&self, id: Uuid) -> Seed {
        self.seed.child(&id.to_string())
    }

    /// One of a list, chosen for a conversation.
    pub(super) fn choose<'t, T>(&self, held: &Conversation, list: &'t [T]) -> Option<&'t T> {
        list.get(
            self.seed_of(held.id)
                .child("choice")
                .below(list.len() as u64) as usize,
        )
    }

    /// A recording of a conversation whose media is there.
    pub(super) fn victim<'c>(&self, held: &'c Conversation) -> Option<&'c Recording> {
        let there: Vec<&Recording> = held
            .recordings
            .iter()
            .filter(|one| self.state.files.media_of(one).is_some())
            .collect();
        self.choose(held, &there).copied()
    }

    /// The only recording of a conversation, its media there.
    pub(super) fn only<'c>(&self, held: &'c Conversation) -> Option<&'c Recording> {
        self.victim(held).filter(|_| held.recordings.len() == 1)
    }

    /// The bytes of a recording.
    pub(super) fn bytes(&self, one: &Recording) -> Option<Vec<u8>> {
        self.site
            .spool
            .read(&self.state.files.media_of(one)?.sha256)
            .ok()
    }

    /// The samples of a recording and the codec they came in.
    pub(super) fn decoded(&self, one: &Recording) -> Option<(Codec, Pcm)> {
        let (probe, pcm) = audio::decode(&self.bytes(one)?).ok()?;
        Some((probe.codec, pcm))
    }

    /// A file with other bytes under the name a recording's file has. Absent when the spool takes
    /// no more.
    pub(super) fn other_file(&self, one: &Recording, bytes: &[u8]) -> Option<(Uuid, StoredFile)> {
        let before = self.state.files.get(one.file?)?;
        let file = StoredFile {
            bytes: bytes.len() as u64,
            sha256: self.site.spool.store(bytes).ok()?,
            ..before.clone()
        };
        Some((self.seed_of(one.id).child("file").uuid(), file))
    }

    /// What is said of a change.
    pub(super) fn entry(
        &self,
        held: &Conversation,
        one: Option<&Recording>,
        field: &'static str,
        before: impl Into<Value>,
        after: impl Into<Value>,
    ) -> Planted {
        Planted {
            legacy_interaction_id: Tag::of(held)
                .map(|tag| tag.legacy_id.to_owned())
                .unwrap_or_default(),
            legacy_recording_id: one
                .and_then(|one| identity::of_recording(&self.state.files, held, one)),
            target_id: one.map_or(held.id, |one| one.id).to_string(),
            field,
            before: before.into(),
            after: after.into(),
        }
    }
}

/// A recording of a copy, to be changed.
pub(super) fn same<'c>(copy: &'c mut Conversation, one: &Recording) -> Option<&'c mut Recording> {
    copy.recordings.iter_mut().find(|other| other.id == one.id)
}
