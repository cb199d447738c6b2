//! What a defect sees of the deployment, and what it leaves behind.

use audio::{Codec, Pcm};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::super::Gir;
use super::super::speechminer::Posted;
use super::super::state::{Recording, State};
use super::super::truth::{legacy_id, legacy_media_id};
use super::super::wire::MediaFile;
use crate::seed::Seed;
use crate::tamper::{self, Planted};

/// The deployment as it stands, one defect and its seed.
pub(super) struct Scene<'a> {
    pub(super) site: &'a Gir,
    pub(super) state: &'a State,
    /// Whether enough media files have no pause to choose among these.
    pub(super) has_calls_without_pause: bool,
    seed: Seed,
}

/// What a defect changes, not applied yet, and what it says it did.
pub(super) struct Plant {
    pub(super) planted: Vec<Planted>,
    /// Recordings to be put in the place of those of their ids; SpeechMiner's copies go with them.
    pub(super) puts: Vec<Recording>,
    /// Recordings to be removed, from SpeechMiner too.
    pub(super) removed: Vec<String>,
    /// Recordings that SpeechMiner alone loses.
    pub(super) forgotten: Vec<String>,
    /// Documents SpeechMiner gets, by id.
    pub(super) posted: Vec<(String, Value)>,
    /// Files by address: to be written, or removed.
    pub(super) files: Vec<(String, Option<Vec<u8>>)>,
}

impl Plant {
    /// One entry and nothing changed yet.
    pub(super) fn of(entry: Planted) -> Plant {
        Plant {
            planted: vec![entry],
            puts: Vec::new(),
            removed: Vec::new(),
            forgotten: Vec::new(),
            posted: Vec::new(),
            files: Vec::new(),
        }
    }

    /// One entry and the recording it changes.
    pub(super) fn one(entry: Planted, changed: Recording) -> Plant {
        Plant {
            puts: vec![changed],
            ..Plant::of(entry)
        }
    }

    /// Makes it so, and keeps its victims from later defects.
    pub(super) fn apply(self, site: &Gir, state: &mut State) -> Vec<Planted> {
        let mut posted = site.speechminer().held();
        for id in &self.removed {
            state.recordings.remove(id);
        }
        for id in self.removed.iter().chain(&self.forgotten) {
            posted.remove(id);
        }
        for changed in &self.puts {
            if let Some(known) = posted.get_mut(&changed.id) {
                known.document = changed.document();
            }
        }
        let new = self
            .posted
            .into_iter()
            .map(|(id, document)| (id, Posted { posts: 1, document }));
        posted.extend(new);
        let victims = self
            .removed
            .into_iter()
            .chain(self.forgotten)
            .chain(self.puts.iter().map(|held| held.id.clone()));
        state.victims.extend(victims);
        state.victims.extend(
            self.planted
                .iter()
                .map(|entry| entry.legacy_interaction_id.clone()),
        );
        state
            .recordings
            .extend(self.puts.into_iter().map(|held| (held.id.clone(), held)));
        for (address, bytes) in self.files {
            let Some(path) = site.webdav().file_of(&address) else {
                continue;
            };
            let done = match bytes {
                // A file of its own: a snapshot may hold a link to the one that was there.
                Some(bytes) => {
                    let gone = std::fs::remove_file(&path);
                    let gone = gone.or_else(|error| {
                        if error.kind() == std::io::ErrorKind::NotFound {
                            Ok(())
                        } else {
                            Err(error)
                        }
                    });
                    gone.and_then(|()| std::fs::write(path, bytes))
                }
                None => std::fs::remove_file(path),
            };
            if let Err(error) = done {
                tracing::warn!(%error, "a defect could not change a file of the store");
            }
        }
        self.planted
    }
}

impl<'a> Scene<'a> {
    pub(super) fn new(site: &'a Gir, state: &'a State, defect: &str, seed: u64) -> Scene<'a> {
        let media = state.recordings.values().flat_map(|held| &held.media);
        let without_pause = media.filter(|file| file.masks.is_empty());
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

    /// Our recordings that no defect was planted in, in the order of this seed.
    pub(super) fn candidates(&self) -> Vec<&'a Recording> {
        let is_victim = |held: &Recording| {
            let legacy = legacy_id(&held.id);
            self.state.victims.contains(&held.id)
                || legacy.is_none_or(|legacy| self.state.victims.contains(legacy))
        };
        let mut free: Vec<&Recording> = self
            .state
            .recordings
            .values()
            .filter(|held| !is_victim(held))
            .collect();
        free.sort_by_key(|held| (self.seed_of(&held.id).value(), &held.id));
        free
    }

    /// Whether a file is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        self.state
            .recordings
            .values()
            .flat_map(|held| &held.media)
            .any(|file| file.pkcs7.is_some())
    }

    /// Where choices about something of this id come from.
    pub(super) fn seed_of(&self, id: &str) -> Seed {
        self.seed.child(id)
    }

    /// One of a list, chosen for a recording.
    pub(super) fn choose<'t, T>(&self, held: &Recording, list: &'t [T]) -> Option<&'t T> {
        list.get(
            self.seed_of(&held.id)
                .child("choice")
                .below(list.len() as u64) as usize,
        )
    }

    /// A media file of a recording whose bytes are there, by its place.
    pub(super) fn victim(&self, held: &Recording) -> Option<usize> {
        let there: Vec<usize> = (0..held.media.len())
            .filter(|at| self.is_there(&held.media[*at]))
            .collect();
        self.choose(held, &there).copied()
    }

    /// Whether a recording has one media file, its bytes there.
    pub(super) fn has_only_one(&self, held: &Recording) -> bool {
        matches!(held.media.as_slice(), [only] if self.is_there(only))
    }

    fn is_there(&self, file: &MediaFile) -> bool {
        file.media_id.is_some()
            && self
                .site
                .webdav()
                .file_of(&file.descriptor.path)
                .is_some_and(|path| path.is_file())
    }

    /// The bytes of a media file.
    pub(super) fn bytes(&self, file: &MediaFile) -> Option<Vec<u8>> {
        std::fs::read(self.site.webdav().file_of(&file.descriptor.path)?).ok()
    }

    /// The samples of a media file and the codec they came in.
    pub(super) fn decoded(&self, file: &MediaFile) -> Option<(Codec, Pcm)> {
        let (probe, pcm) = audio::decode(&self.bytes(file)?).ok()?;
        Some((probe.codec, pcm))
    }

    /// What is said of a change to a recording, or to the media file at a place.
    pub(super) fn entry(
        &self,
        held: &Recording,
        at: Option<usize>,
        field: &'static str,
        before: impl Into<Value>,
        after: impl Into<Value>,
    ) -> Planted {
        let media_id = at.and_then(|at| held.media.get(at)?.media_id.as_deref());
        Planted {
            legacy_interaction_id: legacy_id(&held.id).unwrap_or_default().to_owned(),
            legacy_recording_id: media_id
                .and_then(|id| legacy_media_id(&held.id, id))
                .map(str::to_owned),
            target_id: media_id.unwrap_or(&held.id).to_owned(),
            field,
            before: before.into(),
            after: after.into(),
        }
    }
}

/// A hash, as file names and entries have it.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The address of other bytes in a media file's place: `<mediaId>.<hash>.<ending>` with their hash;
/// the same address where its name is no such.
pub(super) fn address_of(file: &MediaFile, bytes: &[u8]) -> String {
    let path = &file.descriptor.path;
    let renamed = || {
        let (folder, name) = path.rsplit_once('/')?;
        let rest = name
            .strip_prefix(file.media_id.as_deref()?)?
            .strip_prefix('.')?;
        let (hash, ending) = rest.split_once('.')?;
        let is_hash = hash.len() == 12 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then(|| {
            format!(
                "{folder}/{}.{}.{ending}",
                file.media_id.as_deref().unwrap_or_default(),
                &sha256(bytes)[..12]
            )
        })
    };
    renamed().unwrap_or_else(|| path.clone())
}
