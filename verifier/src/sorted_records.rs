//! Records in the order of their keys, as many as there are, in the memory of a few.
//!
//! What is pushed is gathered up to some size, sorted, and written to a file as a run; reading
//! merges the runs. Nothing is written where all of it fits in one run. The file has no name in its
//! folder, so that nothing is left behind whatever ends the program.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::marker::PhantomData;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::run_error::RunError;

/// Bytes gathered before they are written: a few of these are in memory at a time. Tests write what
/// real verifications write.
const RUN_BYTES: usize = if cfg!(test) { 1 << 10 } else { 32 << 20 };
/// The same of records of a few bytes each, where several kinds are gathered at once.
const SMALL_RUN_BYTES: usize = if cfg!(test) { 1 << 8 } else { 4 << 20 };
/// Bytes read of a run at a time.
const READ_BYTES: usize = 64 << 10;
/// A run's buffer that a long record has made longer than this is made short again.
const MOST_HELD_BYTES: usize = 256 << 10;

/// Takes records in any order.
#[derive(Debug)]
pub(crate) struct RecordSorter<T> {
    folder: PathBuf,
    run_bytes: usize,
    run: Run,
    written: Option<Written>,
    count: u64,
    kind: PhantomData<fn(T) -> T>,
}

/// Gives records in the order of their keys; of equal keys in the order in which they were pushed.
#[derive(Debug)]
pub(crate) struct SortedRecords<T> {
    run: Run,
    written: Option<Written>,
    count: u64,
    kind: PhantomData<fn() -> T>,
}

/// A record as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoredRecord<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) record: &'a [u8],
}

/// The same, kept while others are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnedRecord {
    pub(crate) key: Vec<u8>,
    pub(crate) record: Vec<u8>,
}

impl From<StoredRecord<'_>> for OwnedRecord {
    fn from(stored: StoredRecord<'_>) -> OwnedRecord {
        OwnedRecord {
            key: stored.key.to_owned(),
            record: stored.record.to_owned(),
        }
    }
}

/// Records in memory.
#[derive(Debug, Default)]
struct Run {
    bytes: Vec<u8>,
    /// Where each record's key begins, and the lengths of key and record.
    entries: Vec<(usize, u32, u32)>,
}

/// Runs in a file, one behind the other.
#[derive(Debug)]
struct Written {
    file: File,
    ends: Vec<u64>,
}

impl<T> Default for SortedRecords<T> {
    fn default() -> SortedRecords<T> {
        SortedRecords {
            run: Run::default(),
            written: None,
            count: 0,
            kind: PhantomData,
        }
    }
}

impl Run {
    fn key(&self, entry: (usize, u32, u32)) -> &[u8] {
        &self.bytes[entry.0..entry.0 + entry.1 as usize]
    }

    fn record(&self, entry: (usize, u32, u32)) -> &[u8] {
        let begin = entry.0 + entry.1 as usize;
        &self.bytes[begin..begin + entry.2 as usize]
    }

    fn sort(&mut self) {
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_by(|one, other| self.key(*one).cmp(self.key(*other)));
        self.entries = entries;
    }
}

fn unwritable(folder: &Path, error: &std::io::Error) -> RunError {
    RunError::Report(format!(
        "cannot write to {} what was read: {error}; free space there, or name a folder with --report",
        folder.display()
    ))
}

fn unreadable(error: &std::io::Error) -> RunError {
    RunError::Report(format!("cannot read back what was read: {error}"))
}

pub(crate) fn broken(error: postcard::Error) -> RunError {
    RunError::Internal(format!("a record that was set aside: {error}"))
}

impl<T: Serialize + DeserializeOwned> RecordSorter<T> {
    /// `folder`: where room is for what does not fit in memory.
    pub(crate) fn new(folder: &Path) -> RecordSorter<T> {
        RecordSorter {
            folder: folder.to_owned(),
            run_bytes: RUN_BYTES,
            run: Run::default(),
            written: None,
            count: 0,
            kind: PhantomData,
        }
    }

    /// The same for records of a few bytes each.
    pub(crate) fn of_small(folder: &Path) -> RecordSorter<T> {
        RecordSorter {
            run_bytes: SMALL_RUN_BYTES,
            ..RecordSorter::new(folder)
        }
    }

    /// # Errors
    ///
    /// The file cannot be written ([`RunError::Report`]).
    pub(crate) fn push(&mut self, key: &[u8], record: &T) -> Result<(), RunError> {
        let begin = self.run.bytes.len();
        self.run.bytes.extend_from_slice(key);
        postcard::to_io(record, &mut self.run.bytes).map_err(broken)?;
        let lengths = |length: usize| u32::try_from(length).ok();
        let (Some(of_key), Some(of_record)) = (
            lengths(key.len()),
            lengths(self.run.bytes.len() - begin - key.len()),
        ) else {
            return Err(RunError::Internal("a record of 4 GiB".to_owned()));
        };
        self.run.entries.push((begin, of_key, of_record));
        self.count += 1;
        if self.run.bytes.len() >= self.run_bytes {
            self.write_run()?;
        }
        Ok(())
    }

    /// Keeps the order in which records are pushed.
    ///
    /// # Errors
    ///
    /// As [`RecordSorter::push`].
    pub(crate) fn append(&mut self, record: &T) -> Result<(), RunError> {
        self.push(&self.count.to_be_bytes(), record)
    }

    fn write_run(&mut self) -> Result<(), RunError> {
        self.run.sort();
        let folder = &self.folder;
        let mut write = || -> std::io::Result<()> {
            if self.written.is_none() {
                output::private::folder(folder)?;
                self.written = Some(Written {
                    file: tempfile::tempfile_in(folder)?,
                    ends: Vec::new(),
                });
            }
            let Some(written) = &mut self.written else {
                return Ok(());
            };
            let mut out = BufWriter::with_capacity(1 << 20, &written.file);
            let mut end = written.ends.last().copied().unwrap_or(0);
            for entry in &self.run.entries {
                out.write_all(&entry.1.to_le_bytes())?;
                out.write_all(&entry.2.to_le_bytes())?;
                out.write_all(self.run.key(*entry))?;
                out.write_all(self.run.record(*entry))?;
                end += 8 + u64::from(entry.1) + u64::from(entry.2);
            }
            out.flush()?;
            written.ends.push(end);
            Ok(())
        };
        write().map_err(|error| unwritable(&self.folder, &error))?;
        self.run.bytes.clear();
        self.run.entries.clear();
        Ok(())
    }

    /// # Errors
    ///
    /// As [`RecordSorter::push`].
    pub(crate) fn sorted(mut self) -> Result<SortedRecords<T>, RunError> {
        if self.written.is_some() && !self.run.entries.is_empty() {
            // What is in a file takes no memory while other things are read.
            self.write_run()?;
        }
        if self.written.is_some() {
            self.run = Run::default();
        }
        self.run.sort();
        Ok(SortedRecords {
            run: self.run,
            written: self.written,
            count: self.count,
            kind: PhantomData,
        })
    }
}

impl<T: Serialize + DeserializeOwned> SortedRecords<T> {
    /// How many were pushed.
    pub(crate) fn len(&self) -> u64 {
        self.count
    }

    /// From the first one; as often as it is wanted.
    ///
    /// # Errors
    ///
    /// What was written cannot be read back ([`RunError::Report`]).
    pub(crate) fn stored(&self) -> Result<Merge<'_>, RunError> {
        let Some(written) = &self.written else {
            return Ok(Merge(Runs::InMemory(&self.run, 0)));
        };
        let (mut readers, mut begin) = (Vec::new(), 0);
        for end in &written.ends {
            let mut reader = RunReader {
                file: &written.file,
                at: begin,
                end: *end,
                buffer: Vec::new(),
                held: 0,
                key: 0..0,
                record: 0..0,
            };
            if reader.advance()? {
                readers.push(reader);
            }
            begin = *end;
        }
        // Stable: of equal keys that of the earlier run comes first.
        let mut order: Vec<usize> = (0..readers.len()).collect();
        order.sort_by_key(|reader| readers[*reader].stored().key);
        Ok(Merge(Runs::InFile { readers, order }))
    }

    /// Each record, read back.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Result<T, RunError>> + '_ {
        let mut merge = Some(self.stored());
        std::iter::from_fn(move || {
            let next = |stored: &mut Merge<'_>| -> Result<Option<T>, RunError> {
                let Some(next) = stored.peek() else {
                    return Ok(None);
                };
                let record = read(next.record)?;
                stored.advance()?;
                Ok(Some(record))
            };
            let read = match merge.as_mut()? {
                Ok(stored) => next(stored).transpose(),
                Err(_) => merge.take()?.err().map(Err),
            };
            if !matches!(read, Some(Ok(_))) {
                merge = None;
            }
            read
        })
    }
}

/// Reads a record back.
pub(crate) fn read<'a, T: Deserialize<'a>>(record: &'a [u8]) -> Result<T, RunError> {
    postcard::from_bytes(record).map_err(broken)
}

/// All runs as one. A record stays where it was read until the next one is asked for: nothing is
/// copied, and nothing allocated for each.
pub(crate) struct Merge<'a>(Runs<'a>);

enum Runs<'a> {
    /// What never went to a file, and how many of it were passed.
    InMemory(&'a Run, usize),
    /// Runs that have not ended; and their places, by the key of their next record. The least comes
    /// first, of equal ones that of the earlier run.
    InFile {
        readers: Vec<RunReader<'a>>,
        order: Vec<usize>,
    },
}

impl Merge<'_> {
    /// The next record. Absent: there is none left.
    pub(crate) fn peek(&self) -> Option<StoredRecord<'_>> {
        match &self.0 {
            Runs::InMemory(run, passed) => {
                let entry = *run.entries.get(*passed)?;
                Some(StoredRecord {
                    key: run.key(entry),
                    record: run.record(entry),
                })
            }
            Runs::InFile { readers, order } => Some(readers[*order.first()?].stored()),
        }
    }

    /// Passes the next record.
    ///
    /// # Errors
    ///
    /// The one behind it cannot be read back ([`RunError::Report`]).
    pub(crate) fn advance(&mut self) -> Result<(), RunError> {
        let (readers, order) = match &mut self.0 {
            Runs::InMemory(_, passed) => {
                *passed += 1;
                return Ok(());
            }
            Runs::InFile { readers, order } => (readers, order),
        };
        let Some((first, others)) = order.split_first() else {
            return Ok(());
        };
        if !readers[*first].advance()? {
            order.remove(0);
            return Ok(());
        }
        let by_key = |reader: &usize| (readers[*reader].stored().key, *reader);
        let next = by_key(first);
        // Calls are listed much as they are numbered: mostly the run that gave the least gives the
        // next one too.
        if others.first().is_some_and(|other| by_key(other) < next) {
            let before = others.partition_point(|other| by_key(other) < next);
            order[..=before].rotate_left(1);
        }
        Ok(())
    }
}

/// Reads a run from its beginning, some of it at a time.
struct RunReader<'a> {
    file: &'a File,
    /// What is read next, and where the run ends. Bytes of the file.
    at: u64,
    end: u64,
    buffer: Vec<u8>,
    /// How much of the buffer was read; behind it stands what was read before.
    held: usize,
    /// Where the key and the record stand in the buffer that come next.
    key: Range<usize>,
    record: Range<usize>,
}

impl RunReader<'_> {
    fn stored(&self) -> StoredRecord<'_> {
        StoredRecord {
            key: &self.buffer[self.key.clone()],
            record: &self.buffer[self.record.clone()],
        }
    }

    /// Passes a record. `false`: the run has ended.
    fn advance(&mut self) -> Result<bool, RunError> {
        let begin = self.record.end;
        if begin == self.held && self.at == self.end {
            return Ok(false);
        }
        const LENGTHS: usize = 8;
        let begin = self.hold(begin, LENGTHS)?;
        let length = |at: usize| {
            let mut bytes = [0; 4];
            bytes.copy_from_slice(&self.buffer[at..at + 4]);
            u32::from_le_bytes(bytes) as usize
        };
        let (key, record) = (length(begin), length(begin + 4));
        let begin = self.hold(begin, LENGTHS + key + record)? + LENGTHS;
        self.key = begin..begin + key;
        self.record = begin + key..begin + key + record;
        Ok(true)
    }

    /// Reads on until so many bytes from `begin` on are in the buffer; where that place is then.
    fn hold(&mut self, begin: usize, bytes: usize) -> Result<usize, RunError> {
        if self.held - begin >= bytes {
            return Ok(begin);
        }
        self.buffer.copy_within(begin..self.held, 0);
        let held = self.held - begin;
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        if left < bytes - held {
            return Err(unreadable(&std::io::ErrorKind::UnexpectedEof.into()));
        }
        let most = READ_BYTES.max(bytes);
        if self.buffer.len() < most || self.buffer.len() > MOST_HELD_BYTES.max(most) {
            self.buffer.resize(most, 0);
            self.buffer.shrink_to_fit();
        }
        let more = left.min(self.buffer.len() - held);
        self.held = held + more;
        self.file
            .read_exact_at(&mut self.buffer[held..self.held], self.at)
            .map_err(|error| unreadable(&error))?;
        self.at += more as u64;
        Ok(0)
    }
}

/// A key that sorts as text does, and of which none is the beginning of another: bytes behind it
/// decide only between equal ones.
pub(crate) fn text_key(text: &str, key: &mut Vec<u8>) {
    for byte in text.bytes() {
        key.push(byte);
        if byte == 0 {
            key.push(0xff);
        }
    }
    key.extend([0, 0]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sorter(folder: &Path, run_bytes: usize) -> RecordSorter<String> {
        RecordSorter {
            run_bytes,
            ..RecordSorter::new(folder)
        }
    }

    proptest! {
        #[test]
        fn runs_are_read_as_one_sorted_list(
            keys in proptest::collection::vec("[a-c]{0,3}", 0..60),
            run_bytes in 1_usize..400,
        ) {
            let dir = tempfile::tempdir().expect("a folder");
            let mut sorter = sorter(dir.path(), run_bytes);
            let mut records: Vec<(String, String)> = Vec::new();
            for (at, key) in keys.iter().enumerate() {
                let record = format!("{key} {at}");
                sorter.push(key.as_bytes(), &record).expect("pushed");
                records.push((key.clone(), record));
            }
            records.sort_by(|one, other| one.0.cmp(&other.0));
            let sorted = sorter.sorted().expect("sorted");
            prop_assert_eq!(sorted.len(), keys.len() as u64);
            for _ in 0..2 {
                let read: Vec<String> = sorted.iter().map(|record| record.expect("read")).collect();
                let wanted: Vec<&String> = records.iter().map(|(_, record)| record).collect();
                prop_assert_eq!(read.iter().collect::<Vec<_>>(), wanted);
            }
            prop_assert_eq!(std::fs::read_dir(dir.path()).expect("the folder").count(), 0);
        }

        #[test]
        fn keys_of_texts_sort_as_they_do_and_none_begins_another(
            one in "[\\x00ab\u{e9}]{0,4}", other in "[\\x00ab\u{e9}]{0,4}",
        ) {
            let key = |text: &str| {
                let mut key = Vec::new();
                text_key(text, &mut key);
                key
            };
            prop_assert_eq!(one.cmp(&other), key(&one).cmp(&key(&other)));
            prop_assert_eq!(key(&one).starts_with(&key(&other)), one == other);
        }
    }

    #[test]
    fn what_is_appended_keeps_its_order() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut sorter = sorter(dir.path(), 10);
        let words = ["c", "a", "b", "a"].map(str::to_owned);
        for word in &words {
            sorter.append(word).expect("appended");
        }
        let sorted = sorter.sorted().expect("sorted");
        let read: Vec<String> = sorted.iter().map(|word| word.expect("read")).collect();
        assert_eq!(read, words);
    }

    #[test]
    fn a_folder_that_takes_nothing_is_named() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("a file");
        std::fs::write(&file, "").expect("written");
        let mut sorter = sorter(&file, 1);
        let error = sorter.push(b"a", &"b".to_owned()).expect_err("no folder");
        assert_eq!(error.exit_code(), 11);
        assert!(error.to_string().contains("a file"), "{error}");
    }
}
