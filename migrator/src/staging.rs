//! Staging: raw answers and audio in object storage, under content hashes. Layout version 1,
//! docs/reference/staging.md.
//!
//! `raw/<legacy_interaction_id>.json`, `manifest/<batch>/NNNN.ndjson` and `blob/<sha256>` are
//! published. `out/<sha256>` holds what was transcoded, until the migration is finished;
//! `incoming/` what is being read.

use std::fs::File;
use std::io::{Cursor, Seek as _, Write as _};
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use audio::Source;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart};
use plan::{LoadedPlan, StagingPlace};
use platforms::clock::Clock;
use platforms::object_storage::{self, StoreOptions};
use sha2::{Digest, Sha256};
use tempfile::{SpooledData, SpooledTempFile};
use tokio::io::{AsyncSeekExt, AsyncWriteExt};
use tokio_util::io::ReaderStream;
use url::Url;

use crate::error::{RunError, StepError};
use crate::file_name::name_of;

/// What can be wrong with staging.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StagingError {
    /// The URL names no storage of ours.
    #[error("{0}")]
    Url(String),
    /// What the plan says of an object store cannot be used.
    #[error("staging: {0}")]
    Settings(String),
    /// The storage itself: full, gone, refusing.
    #[error("{0}")]
    Storage(String),
    /// An object that should be there is not.
    #[error("{0}")]
    Gone(String),
}

impl From<StagingError> for RunError {
    fn from(error: StagingError) -> RunError {
        match error {
            StagingError::Url(what) => RunError::Plan(what),
            StagingError::Settings(what) => RunError::Plan(format!("staging: {what}")),
            StagingError::Storage(what) | StagingError::Gone(what) => {
                RunError::Storage(format!("staging: {what}"))
            }
        }
    }
}

impl From<StagingError> for StepError {
    fn from(error: StagingError) -> StepError {
        match error {
            StagingError::Gone(_) => StepError::StagedObjectMissing,
            error => StepError::Run(error.into()),
        }
    }
}

impl From<object_store::Error> for StagingError {
    fn from(error: object_store::Error) -> StagingError {
        match error {
            object_store::Error::NotFound { path, .. } => {
                StagingError::Gone(format!("{path} is not there"))
            }
            error => {
                // The store's own words name no cause where the disk's do.
                let causes =
                    std::iter::successors(Some(&error as &dyn std::error::Error), |error| {
                        error.source()
                    });
                let cause = causes
                    .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
                    .last();
                match cause {
                    Some(cause) => {
                        StagingError::Storage(format!("{cause}{}", output::private::remedy(cause)))
                    }
                    None => StagingError::Storage(error.to_string()),
                }
            }
        }
    }
}

/// A staged object: what it is named by and how long it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    /// Its bytes, if there are no more than [`HELD`]: the next step need not read them back.
    pub(crate) cached_bytes: Option<Bytes>,
}

/// Object storage with the published layout in it.
#[derive(Clone)]
pub(crate) struct Staging {
    store: Arc<dyn ObjectStore>,
    place: Place,
    clock: Clock,
}

/// Where the objects lie.
#[derive(Debug, Clone)]
enum Place {
    /// As files in this folder.
    Folder(PathBuf),
    /// In an object store. What is being read and converted lies in a folder on this machine.
    Store { url: String, scratch: PathBuf },
}

/// What is being read or written, below the folder.
const INCOMING: &str = "incoming";

/// Up to here bytes stay in memory between steps: with the usual 16 workers that is 16 MiB.
const HELD: usize = 1024 * 1024;

/// Up to here an object is collected and written at once; beyond, it is written in parts. One
/// part's size of the usual stores.
const WHOLE: usize = 8 * 1024 * 1024;

impl Place {
    /// The same error with the place it is about.
    fn named(&self, error: StagingError) -> StagingError {
        let place = match self {
            Place::Folder(folder) => folder.display().to_string(),
            Place::Store { url, .. } => url.clone(),
        };
        match error {
            StagingError::Storage(what) if !what.contains(&place) => {
                StagingError::Storage(format!("cannot write below {place}: {what}"))
            }
            other => other,
        }
    }

    /// Folder for files that have no name.
    fn scratch(&self) -> PathBuf {
        match self {
            Place::Folder(folder) => folder.join(INCOMING),
            Place::Store { scratch, .. } => scratch.clone(),
        }
    }
}

impl Staging {
    /// Opens the storage that `url` names, or else the plan; folders are made if absent.
    pub(crate) fn open(
        url: Option<&str>,
        plan: &LoadedPlan,
        clock: &Clock,
    ) -> Result<Staging, StagingError> {
        let own = |folder: &FsPath| {
            output::private::own_folder(folder)
                .map_err(|error| StagingError::Storage(output::private::refusal(folder, &error)))
        };
        let (store, place): (Arc<dyn ObjectStore>, Place) = match place_of(url, plan)? {
            StagingPlace::Folder(folder) => {
                own(&folder)?;
                own(&folder.join(INCOMING))?;
                let store = LocalFileSystem::new_with_prefix(&folder)?;
                (Arc::new(store), Place::Folder(folder))
            }
            StagingPlace::ObjectStore(_) if clock.is_virtual() => {
                // Connections go on by tasks of their own, and a clock that jumps waits for none.
                let what =
                    "an object store is asked in real time: set [clock] mode to real or scaled";
                return Err(StagingError::Settings(what.to_owned()));
            }
            StagingPlace::ObjectStore(url) => {
                let scratch = scratch_of(plan);
                own(&scratch)?;
                let store = open_store(&url, plan)?;
                let url = url.to_string();
                (store, Place::Store { url, scratch })
            }
        };
        Ok(Staging {
            store,
            place,
            clock: clock.clone(),
        })
    }

    /// Writes a small object, reads it back and takes it away again; what is wrong with that.
    pub(crate) async fn probe(&self) -> Result<(), StagingError> {
        let path = Path::from(format!("{INCOMING}/probe-{}", std::process::id()));
        let probed = async {
            let bytes = Bytes::from_static(b"seatrial preflight");
            self.store
                .put(&path, PutPayload::from_bytes(bytes.clone()))
                .await?;
            let back = self.store.get(&path).await?.bytes().await?;
            self.store.delete(&path).await?;
            if back != bytes {
                let what = "it gives back other bytes than were written".to_owned();
                return Err(StagingError::Storage(what));
            }
            Ok(())
        };
        probed.await.map_err(|error| match error {
            StagingError::Gone(_) => self.place.named(StagingError::Storage(
                "it is not there: make the bucket or container first".to_owned(),
            )),
            error => self.place.named(error),
        })
    }

    /// Streams bytes to `blob/<their hash>`. Nothing incomplete ever stands there.
    pub(crate) async fn take_in<E>(
        &self,
        name: &str,
        pieces: BoxStream<'static, Result<Bytes, E>>,
    ) -> Result<Result<Blob, E>, StagingError> {
        self.take_in_whole(name, pieces)
            .await
            .map_err(|error| self.place.named(error))
    }

    async fn take_in_whole<E>(
        &self,
        name: &str,
        mut pieces: BoxStream<'static, Result<Bytes, E>>,
    ) -> Result<Result<Blob, E>, StagingError> {
        let mut hash = Sha256::new();
        let mut head = BytesMut::new();
        while head.len() < WHOLE {
            match pieces.next().await {
                None => {
                    let bytes = head.freeze();
                    let cached_bytes = (bytes.len() <= HELD).then(|| bytes.clone());
                    let blob = Blob {
                        sha256: hex::encode(hash.finalize()),
                        bytes: bytes.len() as u64,
                        cached_bytes,
                    };
                    self.put(&blob_path(&blob.sha256), bytes).await?;
                    return Ok(Ok(blob));
                }
                Some(Err(error)) => return Ok(Err(error)),
                Some(Ok(piece)) => {
                    hash.update(&piece);
                    head.extend_from_slice(&piece);
                }
            }
        }
        self.take_in_parts(name, hash, head.freeze(), pieces).await
    }

    async fn take_in_parts<E>(
        &self,
        name: &str,
        hash: Sha256,
        head: Bytes,
        pieces: BoxStream<'static, Result<Bytes, E>>,
    ) -> Result<Result<Blob, E>, StagingError> {
        match &self.place {
            Place::Folder(_) => self.take_in_renamed(name, hash, head, pieces).await,
            Place::Store { .. } => self.take_in_by_scratch(hash, head, pieces).await,
        }
    }

    /// Into a file of its own, which is renamed when its hash is known.
    async fn take_in_renamed<E>(
        &self,
        name: &str,
        mut hash: Sha256,
        head: Bytes,
        mut pieces: BoxStream<'static, Result<Bytes, E>>,
    ) -> Result<Result<Blob, E>, StagingError> {
        let incoming = Path::from(format!(
            "{INCOMING}/{}",
            hex::encode(Sha256::digest(name.as_bytes()))
        ));
        let mut writer =
            WriteMultipart::new_with_chunk_size(self.store.put_multipart(&incoming).await?, WHOLE);
        let mut bytes = head.len() as u64;
        writer.put(head);
        while let Some(piece) = pieces.next().await {
            match piece {
                Ok(piece) => {
                    hash.update(&piece);
                    bytes += piece.len() as u64;
                    writer.wait_for_capacity(2).await?;
                    writer.put(piece);
                }
                Err(error) => {
                    writer.abort().await?;
                    return Ok(Err(error));
                }
            }
        }
        writer.finish().await?;
        let blob = Blob {
            sha256: hex::encode(hash.finalize()),
            bytes,
            cached_bytes: None,
        };
        self.store
            .rename(&incoming, &blob_path(&blob.sha256))
            .await?;
        Ok(Ok(blob))
    }

    /// Into a file on this machine, which is sent when its hash is known: a store can only copy an
    /// object, and none beyond 5 GiB.
    async fn take_in_by_scratch<E>(
        &self,
        mut hash: Sha256,
        head: Bytes,
        mut pieces: BoxStream<'static, Result<Bytes, E>>,
    ) -> Result<Result<Blob, E>, StagingError> {
        let folder = self.place.scratch();
        let broken = |error: std::io::Error| {
            StagingError::Storage(format!(
                "{}: {error}{}",
                self.place.scratch().display(),
                output::private::remedy(&error)
            ))
        };
        let file = self
            .clock
            .blocking(move || tempfile::tempfile_in(folder))
            .await
            .map_err(|error| StagingError::Storage(error.to_string()))?
            .map_err(broken)?;
        let mut file = tokio::fs::File::from_std(file);
        let mut bytes = head.len() as u64;
        file.write_all(&head).await.map_err(broken)?;
        drop(head);
        while let Some(piece) = pieces.next().await {
            match piece {
                Ok(piece) => {
                    hash.update(&piece);
                    bytes += piece.len() as u64;
                    file.write_all(&piece).await.map_err(broken)?;
                }
                Err(error) => return Ok(Err(error)),
            }
        }
        file.flush().await.map_err(broken)?;
        let sha256 = hex::encode(hash.finalize());
        self.send_file(&blob_path(&sha256), file).await?;
        Ok(Ok(Blob {
            sha256,
            bytes,
            cached_bytes: None,
        }))
    }

    /// Sends a file in parts.
    async fn send_file(&self, path: &Path, mut file: tokio::fs::File) -> Result<(), StagingError> {
        let mut writer =
            WriteMultipart::new_with_chunk_size(self.store.put_multipart(path).await?, WHOLE);
        let broken = |error: std::io::Error| StagingError::Storage(error.to_string());
        file.rewind().await.map_err(broken)?;
        let mut pieces = ReaderStream::with_capacity(file, HELD);
        while let Some(piece) = pieces.next().await {
            writer.wait_for_capacity(2).await?;
            writer.put(piece.map_err(broken)?);
        }
        writer.finish().await?;
        Ok(())
    }

    /// Whether an object is there with this length.
    pub(crate) async fn has(&self, path: &Path, bytes: u64) -> Result<bool, StagingError> {
        match self.clock.elsewhere(self.store.head(path)).await {
            Ok(found) => Ok(found.size == bytes),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// A staged object as a stream, for an upload.
    pub(crate) async fn stream(
        &self,
        path: &Path,
    ) -> std::io::Result<BoxStream<'static, std::io::Result<Bytes>>> {
        let got = self
            .clock
            .elsewhere(self.store.get(path))
            .await
            .map_err(std::io::Error::other)?;
        if self.clock.is_virtual() {
            let bytes = self
                .clock
                .elsewhere(got.bytes())
                .await
                .map_err(std::io::Error::other)?;
            return Ok(futures_util::stream::iter([Ok(bytes)]).boxed());
        }
        Ok(got
            .into_stream()
            .map(|piece| piece.map_err(std::io::Error::other))
            .boxed())
    }

    /// A staged object to read from any place of it; one of a store is brought to this machine
    /// first.
    pub(crate) async fn source(
        &self,
        path: &Path,
        cached_bytes: Option<Bytes>,
    ) -> Result<Box<dyn Source>, StagingError> {
        if let Some(bytes) = cached_bytes {
            return Ok(Box::new(Cursor::new(bytes)));
        }
        let Place::Folder(folder) = &self.place else {
            return self.brought(path).await;
        };
        let file = folder.join(path.as_ref());
        let opened = {
            let file = file.clone();
            self.clock.blocking(move || File::open(file)).await
        };
        match opened.map_err(|error| StagingError::Storage(error.to_string()))? {
            Ok(file) => Ok(Box::new(file)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(StagingError::Gone(format!("{path} is not there")))
            }
            Err(error) => Err(StagingError::Storage(format!(
                "{}: {error}",
                file.display()
            ))),
        }
    }

    async fn brought(&self, path: &Path) -> Result<Box<dyn Source>, StagingError> {
        let mut pieces = self.store.get(path).await?.into_stream();
        let mut scratch = self.scratch();
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            scratch = tokio::task::spawn_blocking(move || {
                scratch.write_all(&piece)?;
                Ok(scratch)
            })
            .await
            .map_err(|error| StagingError::Storage(error.to_string()))?
            .map_err(|error: std::io::Error| {
                StagingError::Storage(format!(
                    "{}: {error}{}",
                    self.place.scratch().display(),
                    output::private::remedy(&error)
                ))
            })?;
        }
        let rewound = scratch.rewind();
        rewound.map_err(|error| StagingError::Storage(error.to_string()))?;
        Ok(Box::new(scratch))
    }

    /// Where converted bytes are written: in memory while they are few, then in a file without a
    /// name, which vanishes with us.
    pub(crate) fn scratch(&self) -> SpooledTempFile {
        SpooledTempFile::new_in(WHOLE, self.place.scratch())
    }

    /// Keeps transcoded bytes under their hash; gives them back if they are few.
    pub(crate) async fn keep_converted(
        &self,
        sha256: &str,
        bytes: SpooledTempFile,
    ) -> Result<Option<Bytes>, StagingError> {
        self.keep_whole(sha256, bytes)
            .await
            .map_err(|error| self.place.named(error))
    }

    async fn keep_whole(
        &self,
        sha256: &str,
        bytes: SpooledTempFile,
    ) -> Result<Option<Bytes>, StagingError> {
        let file = match bytes.into_inner() {
            SpooledData::InMemory(bytes) => {
                let bytes = Bytes::from(bytes.into_inner());
                self.put(&out_path(sha256), bytes.clone()).await?;
                return Ok((bytes.len() <= HELD).then_some(bytes));
            }
            SpooledData::OnDisk(file) => tokio::fs::File::from_std(file),
        };
        self.send_file(&out_path(sha256), file).await?;
        Ok(None)
    }

    /// Lets go of all transcoded bytes. Only when the whole migration is finished: two recordings
    /// may share them.
    pub(crate) async fn clear_converted(&self) -> Result<(), StagingError> {
        let cleared = async {
            let mut listed = self.store.list(Some(&Path::from("out")));
            while let Some(object) = listed.next().await {
                match self.store.delete(&object?.location).await {
                    Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        };
        Ok(self.clock.elsewhere(cleared).await?)
    }

    /// Writes an object whole. What is named by its content may be written again: it is the same.
    pub(crate) async fn put(&self, path: &Path, bytes: Bytes) -> Result<(), StagingError> {
        if let (Place::Folder(folder), true) = (&self.place, self.clock.is_virtual()) {
            return put_here(folder, path, &bytes)
                .map_err(|error| StagingError::Storage(format!("{path}: {error}")));
        }
        let written = self.store.put(path, PutPayload::from_bytes(bytes)).await;
        written
            .map(drop)
            .map_err(|error| self.place.named(StagingError::from(error)))
    }
}

/// Writes an object on this thread. Two small objects a call, each handed to another thread and
/// waited for, cost a virtual run a sixth of its time.
fn put_here(folder: &FsPath, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let file = folder.join(path.as_ref());
    if let Some(parent) = file.parent() {
        output::private::folder(parent)?;
    }
    let mut incoming = tempfile::NamedTempFile::new_in(folder.join(INCOMING))?;
    incoming.write_all(bytes)?;
    incoming.persist(file).map_err(|error| error.error)?;
    Ok(())
}

/// Where staging is: at `url`, or where the plan says.
pub(crate) fn place_of(url: Option<&str>, plan: &LoadedPlan) -> Result<StagingPlace, StagingError> {
    plan.staging_place(url).map_err(StagingError::Url)
}

/// Folder on this machine for what is on its way to or from an object store.
pub(crate) fn scratch_of(plan: &LoadedPlan) -> PathBuf {
    plan.resolve_path(&plan.plan.staging.scratch)
}

fn open_store(url: &Url, plan: &LoadedPlan) -> Result<Arc<dyn ObjectStore>, StagingError> {
    let staging = &plan.plan.staging;
    let settings = plan.store_settings();
    let options = StoreOptions {
        settings: settings.map_err(|error| StagingError::Settings(error.to_string()))?,
        ca: staging.ca.as_ref().map(|file| plan.resolve_path(file)),
        plain_http: staging.plain_http,
    };
    object_storage::open(url, &options).map_err(StagingError::Settings)
}

pub(crate) fn blob_path(sha256: &str) -> Path {
    Path::from(format!("blob/{sha256}"))
}

pub(crate) fn out_path(sha256: &str) -> Path {
    Path::from(format!("out/{sha256}"))
}

pub(crate) fn raw_path(legacy_interaction_id: &str) -> Path {
    // Encoded by the store, which makes up to three bytes of one; as many as a file system takes.
    let name = name_of(legacy_interaction_id, |_| true);
    let encoded = Path::from("raw").join(format!("{name}.json"));
    if encoded.as_ref().len() <= 240 {
        encoded
    } else {
        Path::from("raw").join(format!(
            "{}.json",
            name_of(legacy_interaction_id, |c| c.is_ascii_alphanumeric())
        ))
    }
}

pub(crate) fn manifest_path(batch: &str, page: u64) -> Path {
    Path::from("manifest")
        .join(batch)
        .join(format!("{page:04}.ndjson"))
}
