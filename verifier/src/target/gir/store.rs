//! The WebDAV store: which files lie there, and their bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use platforms::CallError;
use platforms::gir::WebDavClient;
use url::Url;

use super::handed;
use super::listing::{Listing, Lying, below, walk};
use super::reach::Reach;
use super::requests::WEBDAV;
use super::stores_read::HandedOver;
use super::{FileSight, MediaFacts, Opening};
use crate::observed::TargetConversation;
use crate::run_error::RunError;
use crate::target::media::{MediaStore, Unfetched, short, whole};
use crate::target::{Address, Envelope, Sound};

/// Where files are read.
pub(super) struct Store {
    /// Root of all addresses.
    root: Url,
    from: From,
}

#[derive(Clone)]
enum From {
    /// The store itself.
    Live(Arc<WebDavClient>, Reach),
    /// A list or a mount that was handed over.
    Handed(Arc<handed::Files>),
}

impl Store {
    /// As a report names it.
    pub(super) fn word(&self) -> &'static str {
        match &self.from {
            From::Live(_, reach) => reach.word(),
            From::Handed(files) if files.mount.is_some() => "mount",
            From::Handed(_) => "listing",
        }
    }

    pub(super) fn live(opening: &Opening<'_>) -> Result<Store, RunError> {
        let target = opening.section;
        let root = target.webdav_url.clone();
        let gate = opening.gate(WEBDAV, &root);
        let account = opening.account(
            &target.webdav_username,
            "webdav_password",
            &target.webdav_password,
        )?;
        let pace = opening.loaded.plan.pace.uploads_per_second;
        let client = WebDavClient::new(gate, opening.clock.clone(), root.clone(), &account, pace);
        let reach = opening.reach("access to the WebDAV store, or an export of it (--gir-files)");
        Ok(Store {
            root,
            from: From::Live(Arc::new(client), reach),
        })
    }

    pub(super) fn handed(root: Url, files: handed::Files) -> Store {
        Store {
            root,
            from: From::Handed(Arc::new(files)),
        }
    }

    /// What was handed over. Absent: it is read.
    pub(super) fn told(&self) -> Option<&HandedOver> {
        match &self.from {
            From::Live(..) => None,
            From::Handed(files) => Some(&files.told),
        }
    }

    /// Files in a folder of the store; of a list that was handed over all it holds. `spill`: where
    /// room is for what does not fit in memory.
    pub(super) async fn list(
        &self,
        folder: &str,
        spill: &Path,
        concurrency: usize,
    ) -> Result<Listing, RunError> {
        match &self.from {
            From::Live(client, reach) => {
                walk(client, reach, &self.root, (folder, spill), concurrency).await
            }
            From::Handed(files) => Ok(Listing::Read(files.files.clone())),
        }
    }

    /// Path of a media file's address below the root; `None`: it does not lie in this store.
    pub(super) fn below(&self, address: &str) -> Option<String> {
        below(&self.root, address)
    }

    /// What lies at an address of this store that is in no listing.
    pub(super) async fn look(&self, address: &str) -> Result<(FileSight, Lying), RunError> {
        match &self.from {
            From::Live(_, reach) if reach.is_lost() => {
                Ok((FileSight::Unread(reach.need().to_owned()), Lying::default()))
            }
            // Of a mount only the migration's own folder was listed.
            From::Handed(files) => Ok(self.mounted(files, address)),
            From::Live(client, reach) => {
                let read = async { client.head(&client.own(address)?).await };
                match read.await {
                    Ok(Some(head)) => Ok((
                        FileSight::There { bytes: head.length },
                        Lying {
                            bytes: head.length,
                            written: None,
                        },
                    )),
                    Ok(None) => Ok((
                        FileSight::Absent("no file at its address".to_owned()),
                        Lying::default(),
                    )),
                    Err(error) => {
                        let need = reach.need_of("webdav.head_file", "look at a file", &error)?;
                        Ok((FileSight::Unread(need), Lying::default()))
                    }
                }
            }
        }
    }

    fn mounted(&self, files: &handed::Files, address: &str) -> (FileSight, Lying) {
        let file = files
            .mount
            .as_ref()
            .zip(self.below(address))
            .map(|(mount, place)| mount.join(place));
        match file
            .and_then(|file| std::fs::symlink_metadata(file).ok())
            .filter(std::fs::Metadata::is_file)
        {
            Some(meta) => (
                FileSight::There {
                    bytes: Some(meta.len()),
                },
                Lying {
                    bytes: Some(meta.len()),
                    written: None,
                },
            ),
            None => (
                FileSight::Absent("no file at its address".to_owned()),
                Lying::default(),
            ),
        }
    }

    /// Where the files of a snapshot are had.
    pub(super) fn files(&self, ours: &[TargetConversation], most: u64) -> Files {
        let mut archived: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        let recordings = ours.iter().flat_map(TargetConversation::read_recordings);
        let sounds = recordings.filter_map(|recording| {
            let facts = recording.platform.get::<MediaFacts>()?;
            if let (Some(path), Some(folder)) = (&facts.path, &facts.archived_in) {
                let folders = archived.entry(path.clone()).or_default();
                folders.push(handed::path_of(folder));
            }
            let sound = match (&facts.file, &facts.path) {
                (FileSight::There { .. }, Some(path)) => {
                    let sealed = |pkcs7: &String| Envelope {
                        pkcs7: pkcs7.clone(),
                        certificates: facts.certificates.clone(),
                    };
                    Sound::At {
                        url: path.clone(),
                        content_type: facts.mime.clone(),
                        envelope: facts.pkcs7.as_ref().map(sealed),
                    }
                }
                (FileSight::There { .. }, None) => Sound::Lost("no address is told".to_owned()),
                (FileSight::Absent(words), _) => Sound::Lost(words.clone()),
                (FileSight::Unread(need), _) => Sound::Hidden(need.clone()),
            };
            Some((
                (
                    String::from(&recording.conversation_id),
                    String::from(&recording.id),
                ),
                sound,
            ))
        });
        let sounds = sounds.collect();
        Files {
            root: self.root.clone(),
            from: self.from.clone(),
            sounds,
            archived,
            most,
        }
    }
}

/// Files of the recordings that were read.
pub(crate) struct Files {
    root: Url,
    from: From,
    sounds: BTreeMap<Address, Sound>,
    /// Folders of an archive in which files may lie, by their addresses.
    archived: BTreeMap<String, Vec<PathBuf>>,
    /// Bytes that a recording may have.
    most: u64,
}

#[async_trait(?Send)]
impl MediaStore for Files {
    async fn locate(&self, wanted: &[Address]) -> Result<BTreeMap<Address, Sound>, RunError> {
        let unknown = || Sound::Hidden("the address of a recording's file".to_owned());
        Ok(wanted
            .iter()
            .map(|address| {
                (
                    address.clone(),
                    self.sounds.get(address).cloned().unwrap_or_else(unknown),
                )
            })
            .collect())
    }

    async fn fetch(&self, address: &str) -> Result<Vec<u8>, Unfetched> {
        match &self.from {
            From::Handed(files) => self.handed(files, address).await,
            From::Live(_, reach) if reach.is_lost() => {
                Err(Unfetched::Hidden(reach.need().to_owned()))
            }
            From::Live(client, _) => {
                let asked = async { client.get(&client.own(address)?, self.most).await };
                let answer = asked.await.map_err(|error| match error {
                    CallError::Refused { status: 404, .. } => {
                        Unfetched::Gone("no file at its address".to_owned())
                    }
                    error => {
                        Unfetched::Hidden(format!("its file cannot be fetched: {}", short(&error)))
                    }
                })?;
                whole("its file", answer).await
            }
        }
    }
}

impl Files {
    /// Bytes from a mount, or beside the archive's document.
    async fn handed(&self, files: &handed::Files, address: &str) -> Result<Vec<u8>, Unfetched> {
        let mounted = files
            .mount
            .as_ref()
            .zip(below(&self.root, address))
            .map(|(mount, place)| mount.join(place));
        let beside = || {
            let mut folders = self.archived.get(address)?.iter();
            folders.find_map(|folder| handed::beside(folder, address))
        };
        let Some(file) = mounted.or_else(beside) else {
            return Err(Unfetched::Hidden(
                "a mount of the WebDAV store (--gir-files DIR), or media in the archive, for how \
                 recordings sound"
                    .to_owned(),
            ));
        };
        match tokio::fs::read(&file).await {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(Unfetched::Gone("no file at its address".to_owned()))
            }
            Err(error) => Err(Unfetched::Hidden(format!(
                "its file cannot be read: {error}"
            ))),
        }
    }
}
