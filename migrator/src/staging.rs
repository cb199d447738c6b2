//! Staging: raw answers and audio in object storage, under content hashes. Layout version 1,
//! docs/reference/staging.md.
//!
//! `raw/<legacy_interaction_id>.json`, `manifest/<batch>/NNNN.ndjson` and `blob/<sha256>` are
//! published. `out/<sha256>` holds what was transcoded, until the migration is finished;
//! `incoming/` what is being read.

use std::fs::File;
use std::io::{Cursor, Write as _};
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use audio::Source;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart};
use plan::LoadedPlan;
use platforms::clock::Clock;
use sha2::{Digest, Sha256};
use tempfile::{SpooledData, SpooledTempFile};
use tokio::io::AsyncSeekExt;
use tokio_util::io::ReaderStream;

use crate::error::{RunError, StepError};
use crate::file_name::name_of;

/// What can be wrong with staging.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StagingError {
    /// The URL names no storage of ours.
    #[error("staging.url: {0}")]
    Url(String),
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
    /// Where the objects lie as files.
    folder: PathBuf,
    clock: Clock,
}

/// What is being read or written, below the folder.
const INCOMING: &str = "incoming";

/// Up to here bytes stay in memory between steps: with the usual 16 workers that is 16 MiB.
const HELD: usize = 1024 * 1024;

/// Up to here an object is collected and written at once; beyond, it is written in parts. One
/// part's size of the usual stores.
const WHOLE: usize = 8 * 1024 * 1024;

impl StagingError {
    /// The same with the folder it is about.
    fn at(self, folder: &FsPath) -> StagingError {
        let folder = folder.display();
        match self {
            StagingError::Storage(what) if !what.contains(&folder.to_string()) => {
                StagingError::Storage(format!("cannot write below {folder}: {what}"))
            }
            other => other,
        }
    }
}

impl Staging {
    /// Opens the storage a URL names; a plain path or `file://` is a folder, made if absent.
    pub(crate) fn open(
        url: &str,
        plan: &LoadedPlan,
        clock: &Clock,
    ) -> Result<Staging, StagingError> {
        let path = folder_of(url, plan)?;
        let broken =
            |error: std::io::Error| StagingError::Storage(output::private::refusal(&path, &error));
        output::private::own_folder(&path)
            .and_then(|()| output::private::own_folder(&path.join(INCOMING)))
            .map_err(broken)?;
        let store = object_store::local::LocalFileSystem::new_with_prefix(&path)?;
        Ok(Staging {
            store: Arc::new(store),
            folder: path,
            clock: clock.clone(),
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
            .map_err(|error| error.at(&self.folder))
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

    /// A staged object to read from any place of it. Blocking.
    pub(crate) fn source(
        &self,
        path: &Path,
        cached_bytes: Option<Bytes>,
    ) -> Result<Box<dyn Source>, StagingError> {
        if let Some(bytes) = cached_bytes {
            return Ok(Box::new(Cursor::new(bytes)));
        }
        let file = self.folder.join(path.as_ref());
        match File::open(&file) {
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

    /// Where converted bytes are written: in memory while they are few, then in a file without a
    /// name, which vanishes with us.
    pub(crate) fn scratch(&self) -> SpooledTempFile {
        SpooledTempFile::new_in(WHOLE, self.folder.join(INCOMING))
    }

    /// Keeps transcoded bytes under their hash; gives them back if they are few.
    pub(crate) async fn keep_converted(
        &self,
        sha256: &str,
        bytes: SpooledTempFile,
    ) -> Result<Option<Bytes>, StagingError> {
        self.keep_whole(sha256, bytes)
            .await
            .map_err(|error| error.at(&self.folder))
    }

    async fn keep_whole(
        &self,
        sha256: &str,
        bytes: SpooledTempFile,
    ) -> Result<Option<Bytes>, StagingError> {
        let mut file = match bytes.into_inner() {
            SpooledData::InMemory(bytes) => {
                let bytes = Bytes::from(bytes.into_inner());
                self.put(&out_path(sha256), bytes.clone()).await?;
                return Ok((bytes.len() <= HELD).then_some(bytes));
            }
            SpooledData::OnDisk(file) => tokio::fs::File::from_std(file),
        };
        let mut writer = WriteMultipart::new_with_chunk_size(
            self.store.put_multipart(&out_path(sha256)).await?,
            WHOLE,
        );
        let broken = |error: std::io::Error| StagingError::Storage(error.to_string());
        file.rewind().await.map_err(broken)?;
        let mut pieces = ReaderStream::with_capacity(file, HELD);
        while let Some(piece) = pieces.next().await {
            writer.wait_for_capacity(2).await?;
            writer.put(piece.map_err(broken)?);
        }
        writer.finish().await?;
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
        if self.clock.is_virtual() {
            return self
                .put_here(path, &bytes)
                .map_err(|error| StagingError::Storage(format!("{path}: {error}")));
        }
        let written = self.store.put(path, PutPayload::from_bytes(bytes)).await;
        written
            .map(drop)
            .map_err(|error| StagingError::from(error).at(&self.folder))
    }

    /// The same on this thread. Two small objects a call, each handed to another thread and waited
    /// for, cost a virtual run a sixth of its time.
    fn put_here(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let file = self.folder.join(path.as_ref());
        if let Some(parent) = file.parent() {
            output::private::folder(parent)?;
        }
        let mut incoming = tempfile::NamedTempFile::new_in(self.folder.join(INCOMING))?;
        incoming.write_all(bytes)?;
        incoming.persist(file).map_err(|error| error.error)?;
        Ok(())
    }
}

/// The folder a staging URL names; a plain path or `file://`, relative to the plan.
pub(crate) fn folder_of(url: &str, plan: &LoadedPlan) -> Result<PathBuf, StagingError> {
    match url.split_once("://") {
        None => Ok(plan.resolve_path(FsPath::new(url))),
        Some(("file", path)) => Ok(plan.resolve_path(FsPath::new(path))),
        Some((scheme, _)) => Err(StagingError::Url(format!(
            "{scheme}:// is not built yet; use file:///path or a plain path"
        ))),
    }
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
