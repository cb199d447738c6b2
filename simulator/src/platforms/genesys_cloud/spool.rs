//! Where uploads lie, each under its SHA-256. Nothing is ever changed or removed, so whoever
//! remembers a hash can read its bytes.
//!
//! A large upload is a file. Small ones lie one after another in a file they share: making and
//! removing a file of its own costs more than all else that a small upload needs.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use hex::FromHex as _;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use tempfile::TempPath;

use crate::clock::Clock;
use crate::http::body::{WRITE_BYTES, temporary};

/// Name of the file that small uploads share.
const SHARED: &str = "small";

type Sha = [u8; 32];

/// The uploads of one organisation.
pub(super) struct Spool {
    folder: PathBuf,
    shared: Mutex<Shared>,
}

/// The small uploads.
#[derive(Default)]
struct Shared {
    /// Absent until the first arrives.
    file: Option<File>,
    end: u64,
    /// Where each begins, and its length.
    places: HashMap<Sha, (u64, usize)>,
}

impl Spool {
    /// In a folder that is made when the first bytes arrive.
    pub(super) fn new(folder: PathBuf) -> Spool {
        Spool {
            folder,
            shared: Mutex::default(),
        }
    }

    /// Begins to take an upload in.
    pub(super) fn gather(&self) -> Gathering {
        Gathering {
            folder: self.folder.clone(),
            hasher: Sha256::new(),
            bytes: 0,
            pending: Vec::new(),
            file: None,
        }
    }

    /// Keeps what was gathered.
    pub(super) fn keep(&self, whole: Gathered) -> io::Result<()> {
        match whole.held {
            Held::Memory(bytes) => self.shared.lock().add(&self.folder, whole.sha, &bytes),
            Held::File(path) => path
                .persist(self.path(&whole.sha))
                .map_err(|error| error.error),
        }
    }

    /// Bytes that an upload could have brought, without HTTP; their hash in hex.
    pub(super) fn store(&self, bytes: &[u8]) -> io::Result<String> {
        let mut gathering = self.gather();
        gathering.take(bytes)?;
        let whole = gathering.finish()?;
        let sha256 = whole.sha256();
        self.keep(whole)?;
        Ok(sha256)
    }

    /// All bytes of an upload. Blocking.
    pub(super) fn read(&self, sha256: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(sha256, 0)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// An upload from some byte on. Blocking.
    pub(super) fn open(&self, sha256: &str, from: u64) -> io::Result<Box<dyn Read + Send>> {
        let sha = <[u8; 32]>::from_hex(sha256)
            .ok()
            .ok_or_else(|| io::Error::other("no hash"))?;
        if let Some(bytes) = self.shared.lock().read(&sha)? {
            let mut bytes = Cursor::new(bytes);
            bytes.set_position(from);
            return Ok(Box::new(bytes));
        }
        let mut file = File::open(self.path(&sha))?;
        file.seek(SeekFrom::Start(from))?;
        Ok(Box::new(file))
    }

    fn path(&self, sha: &Sha) -> PathBuf {
        self.folder.join(hex::encode(sha))
    }

    /// How many uploads are kept, and how many files lie about that belong to none.
    #[cfg(test)]
    pub(super) fn count(&self) -> (usize, usize) {
        let names = std::fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name());
        let (large, other): (Vec<_>, Vec<_>) = names
            .filter(|name| name != SHARED)
            .partition(|name| <[u8; 32]>::from_hex(&*name.to_string_lossy()).is_ok());
        (large.len() + self.shared.lock().places.len(), other.len())
    }
}

impl Shared {
    fn add(&mut self, folder: &Path, sha: Sha, bytes: &[u8]) -> io::Result<()> {
        if self.places.contains_key(&sha) {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            absent => {
                output::private::folder(folder)?;
                absent.insert(
                    File::options()
                        .read(true)
                        .write(true)
                        .create(true)
                        .truncate(true)
                        .open(folder.join(SHARED))?,
                )
            }
        };
        // What was written in part, on a full disk, is written over.
        file.seek(SeekFrom::Start(self.end))?;
        file.write_all(bytes)?;
        self.places.insert(sha, (self.end, bytes.len()));
        self.end += bytes.len() as u64;
        Ok(())
    }

    fn read(&mut self, sha: &Sha) -> io::Result<Option<Vec<u8>>> {
        let (Some(&(at, length)), Some(file)) = (self.places.get(sha), &mut self.file) else {
            return Ok(None);
        };
        let mut bytes = vec![0; length];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut bytes)?;
        Ok(Some(bytes))
    }
}

/// An upload that is still arriving: in memory while it is small, then in a file under a name that
/// vanishes with this.
pub(super) struct Gathering {
    folder: PathBuf,
    hasher: Sha256,
    bytes: u64,
    pending: Vec<u8>,
    file: Option<(File, TempPath)>,
}

impl Gathering {
    /// Bytes taken so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes more in, and writes what is much on a thread that may wait for the disk.
    pub(super) async fn add(mut self, clock: &Clock, chunk: &[u8]) -> io::Result<Gathering> {
        self.hold(chunk);
        if self.pending.len() < WRITE_BYTES {
            return Ok(self);
        }
        let written = clock.blocking(move || self.write().map(|()| self)).await;
        written.unwrap_or_else(|| Err(io::Error::other("writing broke off")))
    }

    /// The same, blocking.
    pub(super) fn take(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.hold(chunk);
        if self.pending.len() < WRITE_BYTES {
            Ok(())
        } else {
            self.write()
        }
    }

    fn hold(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        self.hasher.update(chunk);
        self.pending.extend_from_slice(chunk);
    }

    fn write(&mut self) -> io::Result<()> {
        let (file, _) = match &mut self.file {
            Some(opened) => opened,
            absent => absent.insert(temporary(&self.folder)?),
        };
        file.write_all(&self.pending)?;
        self.pending.clear();
        Ok(())
    }

    /// It has arrived whole.
    pub(super) fn finish(mut self) -> io::Result<Gathered> {
        if self.file.is_some() {
            self.write()?;
        }
        let sha = self.hasher.finalize().into();
        let held = self
            .file
            .map_or(Held::Memory(self.pending), |(_, path)| Held::File(path));
        Ok(Gathered {
            sha,
            bytes: self.bytes,
            held,
        })
    }
}

/// An upload that has arrived. It vanishes unless it is kept.
pub(super) struct Gathered {
    pub(super) sha: Sha,
    pub(super) bytes: u64,
    held: Held,
}

enum Held {
    Memory(Vec<u8>),
    File(TempPath),
}

/// What can be read from any place of it.
pub(super) trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

impl Gathered {
    /// Hex.
    pub(super) fn sha256(&self) -> String {
        hex::encode(self.sha)
    }

    /// To read it without keeping it. Blocking.
    pub(super) fn into_source(self) -> io::Result<(Box<dyn Source + Send>, Option<TempPath>)> {
        match self.held {
            Held::Memory(bytes) => Ok((Box::new(Cursor::new(bytes)), None)),
            Held::File(path) => Ok((Box::new(File::open(&path)?), Some(path))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_ones_share_a_file_and_a_large_one_has_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = Spool::new(folder.path().join("spool"));
        let small: Vec<Vec<u8>> = (0..40_u8).map(|k| vec![k; usize::from(k) * 7]).collect();
        let large = [vec![1; WRITE_BYTES], vec![2; 1000]].concat();
        let hashes: Vec<String> = small
            .iter()
            .chain([&large, &small[3]])
            .map(|bytes| spool.store(bytes).expect("room"))
            .collect();
        assert_eq!(hashes[3], hashes[41], "the same bytes are the same upload");
        assert_eq!(spool.count(), (41, 0));
        for (bytes, sha256) in small.iter().chain([&large]).zip(&hashes) {
            assert_eq!(&spool.read(sha256).expect("it is there"), bytes);
            let mut tail = Vec::new();
            let from = bytes.len() as u64 / 2;
            spool
                .open(sha256, from)
                .expect("it is there")
                .read_to_end(&mut tail)
                .expect("it can be read");
            assert_eq!(tail, bytes[bytes.len() / 2..]);
        }
        assert!(
            spool
                .read(&hex::encode(Sha256::digest(b"never sent")))
                .is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        );
        assert!(spool.read("no hash").is_err());
    }

    #[test]
    fn what_is_not_kept_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = Spool::new(folder.path().join("spool"));
        for bytes in [10, WRITE_BYTES + 10] {
            let mut gathering = spool.gather();
            gathering.take(&vec![7; bytes]).expect("room");
            assert_eq!(gathering.bytes(), bytes as u64);
            drop(gathering.finish().expect("room"));
        }
        assert_eq!(spool.count(), (0, 0));
    }
}
