//! Records that are only ever added: the latest in memory, the rest in a file, so that a journal of
//! millions takes the memory of some hundred.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

/// Bytes of records gathered before they are written: some five hundred lines, so that a write's
/// cost is spread thin, and a page is read in one go.
const BLOCK_BYTES: usize = 64 * 1024;

/// Records in the order they came. A clone shares the file and goes on by itself: nothing that was
/// written is ever written over.
#[derive(Clone, Default)]
pub(super) struct Spill {
    store: Option<Arc<Store>>,
    blocks: Vec<Block>,
    tail: Vec<u8>,
    /// Records before the tail.
    settled: u64,
    count: u64,
}

/// A run of records.
#[derive(Clone)]
struct Block {
    /// Records before it.
    before: u64,
    held: Held,
}

#[derive(Clone)]
enum Held {
    Written {
        at: u64,
        length: u64,
    },
    /// Where the file could not be written.
    Memory(Arc<[u8]>),
}

/// The file; made when the first block is full, without a name, so that it goes with the process.
struct Store {
    dir: PathBuf,
    open: Mutex<Option<(File, u64)>>,
}

impl Spill {
    /// Says which folder the file is made in. Without one, everything stays in memory.
    pub(super) fn spill_into(&mut self, dir: &Path) {
        self.store = Some(Arc::new(Store {
            dir: dir.to_owned(),
            open: Mutex::default(),
        }));
    }

    /// Records so far.
    pub(super) fn len(&self) -> u64 {
        self.count
    }

    /// Adds a record; its number, from 1.
    pub(super) fn push(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> u64 {
        encode(&mut self.tail);
        self.count += 1;
        if self.tail.len() >= BLOCK_BYTES {
            self.settle();
        }
        self.count
    }

    /// The run of records that holds number `after + 1`, and how many records come before it;
    /// `None` where there is none.
    pub(super) fn run(&self, after: u64) -> std::io::Result<Option<(u64, Vec<u8>)>> {
        if after >= self.count {
            return Ok(None);
        }
        if after >= self.settled {
            return Ok(Some((self.settled, self.tail.clone())));
        }
        let at = self
            .blocks
            .partition_point(|block| block.before <= after)
            .saturating_sub(1);
        let Some(block) = self.blocks.get(at) else {
            return Ok(None);
        };
        let bytes = match &block.held {
            Held::Memory(bytes) => bytes.to_vec(),
            Held::Written { at, length } => self
                .store
                .as_ref()
                .map_or_else(|| Ok(Vec::new()), |store| store.read(*at, *length))?,
        };
        Ok(Some((block.before, bytes)))
    }

    fn settle(&mut self) {
        let Some(store) = &self.store else { return };
        let held = match store.append(&self.tail) {
            Ok(at) => Held::Written {
                at,
                length: self.tail.len() as u64,
            },
            Err(error) => {
                tracing::warn!(%error, "the journal cannot be written to the spool and stays in \
                    memory; free some space");
                Held::Memory(self.tail.as_slice().into())
            }
        };
        self.blocks.push(Block {
            before: self.settled,
            held,
        });
        self.settled = self.count;
        self.tail.clear();
    }
}

impl Store {
    /// Where the bytes begin.
    fn append(&self, bytes: &[u8]) -> std::io::Result<u64> {
        let mut open = self.open.lock();
        let (mut file, end) = match open.take() {
            Some(open) => open,
            None => (tempfile::tempfile_in(&self.dir)?, 0),
        };
        let written = file
            .seek(SeekFrom::Start(end))
            .and_then(|_| file.write_all(bytes));
        // A block that was written in part is written over by the next.
        *open = Some((
            file,
            if written.is_ok() {
                end + bytes.len() as u64
            } else {
                end
            },
        ));
        written.map(|()| end)
    }

    fn read(&self, at: u64, length: u64) -> std::io::Result<Vec<u8>> {
        let mut open = self.open.lock();
        let Some((file, _)) = open.as_mut() else {
            return Err(std::io::ErrorKind::NotFound.into());
        };
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}
