//! The WebDAV store: which files lie there, and their bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use platforms::CallError;
use platforms::gir::WebDavClient;
use url::Url;

use super::listing::{Listing, Lying, below, walk};
use super::{FileSight, Opening};
use crate::requests::Service;
use crate::source::collect;
use crate::stop::Stop;
use crate::target::media::Unfetched;
use crate::target::{Address, Sound, TargetSnapshot, need, short};

/// Where files are read.
pub(super) struct Store {
    /// Root of all addresses.
    root: Url,
    from: From,
}

#[derive(Clone)]
enum From {
    /// The store itself.
    Live(Arc<WebDavClient>),
}

impl Store {
    /// As a report names it.
    pub(super) fn word(&self) -> &'static str {
        match self.from {
            From::Live(_) => "live",
        }
    }

    pub(super) fn live(opening: &Opening<'_>) -> Result<Store, Stop> {
        let target = &opening.loaded.plan.target;
        let root = opening.needed("webdav_url", target.webdav_url.as_ref())?.clone();
        let gate = opening.gate(Service::WebDav, &root);
        let (username, password) = (target.webdav_username.as_ref(), target.webdav_password.as_ref());
        let account = opening.account(["webdav_username", "webdav_password"], username, password)?;
        let pace = opening.loaded.plan.pace.uploads_per_second;
        let client = WebDavClient::new(gate, opening.clock.clone(), root.clone(), &account, pace);
        Ok(Store { root, from: From::Live(Arc::new(client)) })
    }

    /// Files in a folder of the store.
    pub(super) async fn list(&self, folder: &str, concurrency: usize) -> Result<Listing, Stop> {
        match &self.from {
            From::Live(client) => walk(client, &self.root, folder, concurrency).await,
        }
    }

    /// Path of a media file's address below the root; `None`: it does not lie in this store.
    pub(super) fn below(&self, address: &str) -> Option<String> {
        below(&self.root, address)
    }

    /// What lies at an address of this store that is in no listing.
    pub(super) async fn look(&self, address: &str) -> Result<(FileSight, Lying), Stop> {
        match &self.from {
            From::Live(client) => {
                let read = async { client.head(&client.own(address)?).await };
                match read.await {
                    Ok(Some(head)) => Ok((FileSight::There { bytes: head.length }, Lying { bytes: head.length, written: None })),
                    Ok(None) => Ok((FileSight::Absent("no file at its address".to_owned()), Lying::default())),
                    Err(error) => {
                        let need = need("webdav.head_file", &error).ok_or_else(|| Stop::target("look at a file", &error))?;
                        Ok((FileSight::Unread(need), Lying::default()))
                    }
                }
            }
        }
    }

    /// Where the files of a snapshot are had.
    pub(super) fn files(&self, snapshot: &TargetSnapshot) -> Files {
        let recordings = snapshot.ours.iter().flat_map(|ours| ours.read_recordings());
        let sounds = recordings.filter_map(|recording| {
            let facts = recording.gir.as_ref()?;
            let sound = match (&facts.file, &facts.path) {
                (FileSight::There { .. }, Some(path)) => Sound::At { url: path.clone(), content_type: facts.mime.clone() },
                (FileSight::There { .. }, None) => Sound::Lost("no address is told".to_owned()),
                (FileSight::Absent(words), _) => Sound::Lost(words.clone()),
                (FileSight::Unread(need), _) => Sound::Hidden(need.clone()),
            };
            Some(((recording.conversation_id.clone(), recording.id.clone()), sound))
        });
        Files { from: self.from.clone(), sounds: sounds.collect() }
    }
}

/// Files of the recordings that were read.
pub(crate) struct Files {
    from: From,
    sounds: BTreeMap<Address, Sound>,
}

impl Files {
    pub(crate) fn locate(&self, wanted: &[Address]) -> BTreeMap<Address, Sound> {
        let unknown = || Sound::Hidden("the address of a recording's file".to_owned());
        wanted.iter().map(|address| (address.clone(), self.sounds.get(address).cloned().unwrap_or_else(unknown))).collect()
    }

    pub(crate) async fn fetch(&self, address: &str) -> Result<Vec<u8>, Unfetched> {
        match &self.from {
            From::Live(client) => {
                let read = async { collect(client.get(&client.own(address)?).await?).await };
                match read.await {
                    Ok((bytes, length)) if length.is_none_or(|length| length == bytes.len() as u64) => Ok(bytes),
                    Ok((bytes, _)) => Err(Unfetched::Hidden(format!("its file arrives cut after {} bytes", bytes.len()))),
                    Err(CallError::Refused { status: 404, .. }) => Err(Unfetched::Gone("no file at its address".to_owned())),
                    Err(error) => Err(Unfetched::Hidden(format!("its file cannot be fetched: {}", short(&error)))),
                }
            }
        }
    }
}
