//! The folder behind the store: dav-server's local file system, with what that lacks. An upload
//! takes its place whole or not at all, no link is followed, and properties that clients set are
//! kept (in memory, for as long as the simulator runs).

use std::collections::BTreeMap;
use std::future::Future;
use std::io::SeekFrom;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use dav_server::davpath::DavPath;
use dav_server::fs::{
    DavDirEntry, DavFile, DavMetaData, DavProp, FsError, FsFuture, FsResult, FsStream,
    GuardedFileSystem, OpenOptions, ReadDirMeta,
};
use dav_server::localfs::LocalFs;
use http::StatusCode;
use parking_lot::{Mutex, MutexGuard};
use tempfile::TempPath;

/// The bytes a PUT brought: a whole file that waits for its place. Taken once; every other request
/// has none.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrived(Arc<Mutex<Option<TempPath>>>);

impl Arrived {
    pub(super) fn of(file: TempPath) -> Arrived {
        Arrived(Arc::new(Mutex::new(Some(file))))
    }

    fn take(&self) -> Option<TempPath> {
        self.0.lock().take()
    }
}

/// Properties of a resource, by namespace and name.
type Properties = BTreeMap<(String, String), DavProp>;

/// Those of all resources, by the resource's path below the root, decoded, without slashes at its
/// ends.
pub(super) type AllProperties = BTreeMap<Vec<u8>, Properties>;

/// A folder as WebDAV shows it.
#[derive(Clone)]
pub(super) struct DavFileSystem {
    root: PathBuf,
    local: LocalFs,
    properties: Arc<Mutex<AllProperties>>,
}

impl DavFileSystem {
    pub(super) fn new(root: &Path) -> DavFileSystem {
        DavFileSystem {
            root: root.to_owned(),
            local: *LocalFs::new(root, true, false, false),
            properties: Arc::default(),
        }
    }

    fn at(&self, path: &DavPath) -> PathBuf {
        self.root.join(path.as_rel_ospath())
    }

    /// No step of a path may be a link: it could lead out of the store.
    fn without_links(&self, path: &DavPath) -> FsResult<()> {
        let mut at = self.root.clone();
        for step in path.as_rel_ospath().components() {
            at.push(step);
            match at.symlink_metadata() {
                Ok(found) if found.is_symlink() => return Err(FsError::Forbidden),
                Ok(_) => {}
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    /// What clients set, of every resource.
    pub(super) fn all_properties(&self) -> AllProperties {
        self.properties().clone()
    }

    /// Takes the place of what clients set.
    pub(super) fn set_all_properties(&self, all: AllProperties) {
        *self.properties() = all;
    }

    fn properties(&self) -> MutexGuard<'_, AllProperties> {
        self.properties.lock()
    }

    /// Forgets the properties of a resource and of all below it; what they were.
    fn forget(&self, path: &DavPath) -> Vec<(Vec<u8>, Properties)> {
        let (own, mut below) = (key(path), key(path));
        below.push(b'/');
        let mut properties = self.properties();
        let gone: Vec<Vec<u8>> = properties
            .keys()
            .filter(|at| **at == own || at.starts_with(&below))
            .cloned()
            .collect();
        gone.into_iter()
            .filter_map(|at| properties.remove(&at).map(|held| (at, held)))
            .collect()
    }
}

fn key(path: &DavPath) -> Vec<u8> {
    path.as_bytes()
        .split(|byte| *byte == b'/')
        .filter(|step| !step.is_empty())
        .collect::<Vec<_>>()
        .join(&b'/')
}

fn name_of(property: &DavProp) -> (String, String) {
    (
        property.namespace.clone().unwrap_or_default(),
        property.name.clone(),
    )
}

fn without_value(property: &DavProp) -> DavProp {
    DavProp {
        xml: None,
        ..property.clone()
    }
}

impl GuardedFileSystem<Arrived> for DavFileSystem {
    fn open<'a>(
        &'a self,
        path: &'a DavPath,
        options: OpenOptions,
        arrived: &'a Arrived,
    ) -> FsFuture<'a, Box<dyn DavFile>> {
        Box::pin(async move {
            self.without_links(path)?;
            if !options.write {
                return self.local.open(path, options, &()).await;
            }
            let at = self.at(path);
            match at.symlink_metadata() {
                Ok(_) if options.create_new => return Err(FsError::Exists),
                Ok(found) if found.is_dir() => return Err(FsError::Exists),
                Err(_) if !options.create => return Err(FsError::NotFound),
                Err(_) if !at.parent().is_some_and(Path::is_dir) => return Err(FsError::NotFound),
                _ => {}
            }
            // A lock on a name that is not there yet makes an empty file; a PUT brings its own.
            let Some(file) = arrived.take() else {
                return self.local.open(path, options, &()).await;
            };
            let incoming = Incoming {
                file: Some(file),
                at,
                path: path.clone(),
                is_new: options.create_new,
                local: self.local.clone(),
            };
            Ok(Box::new(incoming) as Box<dyn DavFile>)
        })
    }

    fn read_dir<'a>(
        &'a self,
        path: &'a DavPath,
        meta: ReadDirMeta,
        _: &'a Arrived,
    ) -> FsFuture<'a, FsStream<Box<dyn DavDirEntry>>> {
        Box::pin(async move {
            self.without_links(path)?;
            self.local.read_dir(path, meta, &()).await
        })
    }

    fn metadata<'a>(
        &'a self,
        path: &'a DavPath,
        _: &'a Arrived,
    ) -> FsFuture<'a, Box<dyn DavMetaData>> {
        Box::pin(async move {
            self.without_links(path)?;
            self.local.metadata(path, &()).await
        })
    }

    fn symlink_metadata<'a>(
        &'a self,
        path: &'a DavPath,
        _: &'a Arrived,
    ) -> FsFuture<'a, Box<dyn DavMetaData>> {
        Box::pin(async move {
            self.without_links(path)?;
            self.local.symlink_metadata(path, &()).await
        })
    }

    fn create_dir<'a>(&'a self, path: &'a DavPath, _: &'a Arrived) -> FsFuture<'a, ()> {
        Box::pin(async move {
            self.without_links(path)?;
            self.local.create_dir(path, &()).await
        })
    }

    fn remove_dir<'a>(&'a self, path: &'a DavPath, _: &'a Arrived) -> FsFuture<'a, ()> {
        Box::pin(async move {
            self.without_links(path)?;
            self.local.remove_dir(path, &()).await?;
            self.forget(path);
            Ok(())
        })
    }

    fn remove_file<'a>(&'a self, path: &'a DavPath, _: &'a Arrived) -> FsFuture<'a, ()> {
        Box::pin(async move {
            self.without_links(path)?;
            self.local.remove_file(path, &()).await?;
            self.forget(path);
            Ok(())
        })
    }

    fn rename<'a>(
        &'a self,
        from: &'a DavPath,
        to: &'a DavPath,
        _: &'a Arrived,
    ) -> FsFuture<'a, ()> {
        Box::pin(async move {
            self.without_links(from)?;
            self.without_links(to)?;
            self.local.rename(from, to, &()).await?;
            self.forget(to);
            let (old, new) = (key(from), key(to));
            let moved = self
                .forget(from)
                .into_iter()
                .map(|(at, held)| ([new.as_slice(), &at[old.len()..]].concat(), held));
            self.properties().extend(moved);
            Ok(())
        })
    }

    fn copy<'a>(&'a self, from: &'a DavPath, to: &'a DavPath, _: &'a Arrived) -> FsFuture<'a, ()> {
        Box::pin(async move {
            self.without_links(from)?;
            self.without_links(to)?;
            self.local.copy(from, to, &()).await?;
            let mut properties = self.properties();
            let held = properties.get(&key(from)).cloned().unwrap_or_default();
            properties.insert(key(to), held);
            Ok(())
        })
    }

    fn have_props<'a>(
        &'a self,
        _: &'a DavPath,
        _: &'a Arrived,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        Box::pin(std::future::ready(true))
    }

    fn patch_props<'a>(
        &'a self,
        path: &'a DavPath,
        patch: Vec<(bool, DavProp)>,
        _: &'a Arrived,
    ) -> FsFuture<'a, Vec<(StatusCode, DavProp)>> {
        let mut properties = self.properties();
        let held = properties.entry(key(path)).or_default();
        let done = patch.into_iter().map(|(is_set, property)| {
            let told = without_value(&property);
            if is_set {
                held.insert(name_of(&property), property);
            } else {
                held.remove(&name_of(&property));
            }
            (StatusCode::OK, told)
        });
        Box::pin(std::future::ready(Ok(done.collect())))
    }

    fn get_props<'a>(
        &'a self,
        path: &'a DavPath,
        with_values: bool,
        _: &'a Arrived,
    ) -> FsFuture<'a, Vec<DavProp>> {
        let properties = self.properties();
        let held = properties
            .get(&key(path))
            .into_iter()
            .flat_map(BTreeMap::values);
        let told = held
            .map(|property| {
                if with_values {
                    property.clone()
                } else {
                    without_value(property)
                }
            })
            .collect();
        Box::pin(std::future::ready(Ok(told)))
    }

    fn get_prop<'a>(
        &'a self,
        path: &'a DavPath,
        property: DavProp,
        _: &'a Arrived,
    ) -> FsFuture<'a, Vec<u8>> {
        let properties = self.properties();
        let held = properties
            .get(&key(path))
            .and_then(|held| held.get(&name_of(&property))?.xml.clone());
        Box::pin(std::future::ready(held.ok_or(FsError::NotFound)))
    }
}

/// A file on its way to its place: it is there once it is flushed, and then whole.
struct Incoming {
    file: Option<TempPath>,
    at: PathBuf,
    path: DavPath,
    /// Whether the place has to be free.
    is_new: bool,
    local: LocalFs,
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl DavFile for Incoming {
    fn metadata(&mut self) -> FsFuture<'_, Box<dyn DavMetaData>> {
        Box::pin(async move { self.local.metadata(&self.path, &()).await })
    }

    /// The bytes have arrived before; the request that brings a file here has no body.
    fn write_buf(&mut self, _: Box<dyn Buf + Send>) -> FsFuture<'_, ()> {
        Box::pin(std::future::ready(Err(FsError::GeneralFailure)))
    }

    fn write_bytes(&mut self, _: Bytes) -> FsFuture<'_, ()> {
        Box::pin(std::future::ready(Err(FsError::GeneralFailure)))
    }

    fn read_bytes(&mut self, _: usize) -> FsFuture<'_, Bytes> {
        Box::pin(std::future::ready(Err(FsError::Forbidden)))
    }

    fn seek(&mut self, _: SeekFrom) -> FsFuture<'_, u64> {
        Box::pin(std::future::ready(Err(FsError::Forbidden)))
    }

    fn flush(&mut self) -> FsFuture<'_, ()> {
        let placed = match self.file.take() {
            Some(file) if self.is_new => file.persist_noclobber(&self.at),
            Some(file) => file.persist(&self.at),
            None => Ok(()),
        };
        Box::pin(std::future::ready(
            placed.map_err(|error| FsError::from(&error.error)),
        ))
    }
}
