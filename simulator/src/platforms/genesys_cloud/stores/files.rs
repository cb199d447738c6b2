//! Uploaded files. Their bytes lie in the spool under their hash.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::platforms::genesys_cloud::conversation::{FileState, Recording};

/// The files by id. A name of the guide's upload belongs to one id for ever.
#[derive(Clone, Default)]
pub(crate) struct Files {
    by_id: BTreeMap<Uuid, StoredFile>,
    ids: BTreeMap<String, Uuid>,
}

/// An uploaded file.
#[derive(Clone)]
pub(crate) struct StoredFile {
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) bytes: u64,
    /// Hex.
    pub(crate) sha256: String,
}

impl Files {
    /// The id that a name belongs to; absent where no file was put by it.
    pub(crate) fn id_of(&self, name: &str) -> Option<Uuid> {
        self.ids.get(name).copied()
    }

    /// Puts a file in the place of the one of its name, else under a new id.
    pub(crate) fn put_by_name(&mut self, new_id: Uuid, file: StoredFile) {
        let id = *self.ids.entry(file.name.clone()).or_insert(new_id);
        self.by_id.insert(id, file);
    }

    /// Puts a file under an id alone: its name is only what it is called.
    pub(crate) fn put(&mut self, id: Uuid, file: StoredFile) {
        self.by_id.insert(id, file);
    }

    /// A file by its id.
    pub(crate) fn get(&self, id: Uuid) -> Option<&StoredFile> {
        self.by_id.get(&id)
    }

    /// A recording's media, while it is there.
    pub(crate) fn media_of(&self, recording: &Recording) -> Option<&StoredFile> {
        match recording.file_state {
            FileState::Available => self.get(recording.file?),
            FileState::Uploading | FileState::Deleted | FileState::Error => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, sha256: &str) -> StoredFile {
        StoredFile {
            name: name.to_owned(),
            content_type: "audio/mpeg".to_owned(),
            bytes: 1,
            sha256: sha256.to_owned(),
        }
    }

    #[test]
    fn a_name_keeps_its_id_and_gets_the_new_content() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut files = Files::default();
        files.put_by_name(one, file("call.mp3", "first"));
        files.put_by_name(other, file("call.mp3", "second"));
        assert_eq!(files.id_of("call.mp3"), Some(one));
        assert_eq!(files.get(one).map(|file| &*file.sha256), Some("second"));
        assert!(files.get(other).is_none());
    }

    #[test]
    fn a_file_put_by_its_id_takes_no_name() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut files = Files::default();
        files.put(one, file("call.mp3", "attached"));
        assert_eq!(files.id_of("call.mp3"), None);
        files.put_by_name(other, file("call.mp3", "uploaded"));
        assert_eq!(files.get(one).map(|file| &*file.sha256), Some("attached"));
        assert_eq!(files.id_of("call.mp3"), Some(other));
    }
}
