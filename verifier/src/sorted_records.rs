//! Records in the order of their keys, as many as there are, in the memory of a few.
//!
//! What is pushed is gathered up to some size, sorted, and written to a file as a run; reading
//! merges the runs. Nothing is written where all of it fits in one run. The file has no name in its
//! folder, so that nothing is left behind whatever ends the program.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::marker::PhantomData;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::run_error::RunError;

/// Bytes gathered before they are written: a few of these are in memory at a time. Tests write what
/// real verifications write.
const RUN_BYTES: usize = if cfg!(test) { 1 << 10 } else { 32 << 20 };
/// The same of records of a few bytes each, where several kinds are gathered at once.
const SMALL_RUN_BYTES: usize = if cfg!(test) { 1 << 8 } else { 4 << 20 };
/// Bytes read of a run at a time.
const READ_BYTES: usize = 64 << 10;

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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StoredRecord {
    pub(crate) key: Vec<u8>,
    pub(crate) record: Vec<u8>,
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

fn broken(error: postcard::Error) -> RunError {
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
    pub(crate) fn stored(&self) -> Merge<'_> {
        let mut merge = Merge {
            memory: (!self.run.entries.is_empty()).then_some((&self.run, 0)),
            readers: Vec::new(),
            next: BinaryHeap::new(),
            failed: None,
        };
        if let Some(written) = &self.written {
            let mut begin = 0;
            for end in &written.ends {
                merge.readers.push(RunReader {
                    file: &written.file,
                    at: begin,
                    end: *end,
                    buffer: Vec::new(),
                    used: 0,
                });
                begin = *end;
            }
            for reader in 0..merge.readers.len() {
                merge.advance(reader);
            }
        }
        merge
    }

    /// Each record, read back.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Result<T, RunError>> + '_ {
        self.stored().map(|stored| read(&stored?.record))
    }
}

/// Reads a record back.
pub(crate) fn read<T: DeserializeOwned>(record: &[u8]) -> Result<T, RunError> {
    postcard::from_bytes(record).map_err(broken)
}

/// The next record of a run: key, run, record; the least comes first.
type Next = Reverse<(Vec<u8>, usize, Vec<u8>)>;

/// All runs as one.
pub(crate) struct Merge<'a> {
    /// What never went to a file, and how many of it were given. There is nothing else then.
    memory: Option<(&'a Run, usize)>,
    readers: Vec<RunReader<'a>>,
    /// The next record of each run; of equal keys that of the earlier run comes first.
    next: BinaryHeap<Next>,
    failed: Option<RunError>,
}

struct RunReader<'a> {
    file: &'a File,
    at: u64,
    end: u64,
    buffer: Vec<u8>,
    used: usize,
}

impl RunReader<'_> {
    /// Absent: the run has ended.
    fn next(&mut self) -> std::io::Result<Option<StoredRecord>> {
        if self.used == self.buffer.len() && self.at == self.end {
            return Ok(None);
        }
        let (key, record) = (self.length()?, self.length()?);
        Ok(Some(StoredRecord {
            key: self.take(key)?,
            record: self.take(record)?,
        }))
    }

    fn length(&mut self) -> std::io::Result<usize> {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.take(4)?);
        Ok(u32::from_le_bytes(bytes) as usize)
    }

    fn take(&mut self, length: usize) -> std::io::Result<Vec<u8>> {
        let mut taken = Vec::with_capacity(length);
        while taken.len() < length {
            if self.used == self.buffer.len() {
                let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
                if left == 0 {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
                self.buffer.resize(left.min(READ_BYTES), 0);
                self.file.read_exact_at(&mut self.buffer, self.at)?;
                self.at += self.buffer.len() as u64;
                self.used = 0;
            }
            let piece = (length - taken.len()).min(self.buffer.len() - self.used);
            taken.extend_from_slice(&self.buffer[self.used..self.used + piece]);
            self.used += piece;
        }
        Ok(taken)
    }
}

impl Merge<'_> {
    fn advance(&mut self, reader: usize) {
        match self.readers[reader].next() {
            Ok(Some(stored)) => self.next.push(Reverse((stored.key, reader, stored.record))),
            Ok(None) => {}
            Err(error) => self.failed = Some(unreadable(&error)),
        }
    }
}

impl Iterator for Merge<'_> {
    type Item = Result<StoredRecord, RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some((run, given)) = &mut self.memory {
            let entry = *run.entries.get(*given)?;
            *given += 1;
            return Some(Ok(StoredRecord {
                key: run.key(entry).to_owned(),
                record: run.record(entry).to_owned(),
            }));
        }
        if let Some(failed) = self.failed.take() {
            self.next.clear();
            return Some(Err(failed));
        }
        let Reverse((key, reader, record)) = self.next.pop()?;
        self.advance(reader);
        Some(Ok(StoredRecord { key, record }))
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
