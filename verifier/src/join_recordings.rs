//! Records that somebody handed over, one or more a recording, beside what was judged of each
//! recording: both in the order of the calls' ids, so that only one call is in memory at a time.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::run_error::RunError;
use crate::sorted_records::{SortedRecords, text_key};
use crate::source::order_key;

/// What a record is about.
pub(crate) trait OfCall {
    /// Call of the source.
    fn call(&self) -> &str;
}

/// A recording of the source, as far as what is handed over is held against it. Empty: not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JudgedRecording {
    pub(crate) call: String,
    pub(crate) recording: String,
    /// Start by the source, UTC.
    pub(crate) start: String,
    /// Size of the source's file.
    pub(crate) bytes: String,
    /// SHA-256 of the source's file, hex.
    pub(crate) sha256: String,
    /// Recording in the target.
    pub(crate) target_id: String,
    pub(crate) place: Place,
}

/// Where a recording was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the target, where it belongs, and judged.
    Target,
    /// Not in the target, where it belongs.
    Missing,
    /// Rightly not in the target, or it could not be judged.
    Elsewhere,
}

/// By which records of recordings are sorted: by call as the source is, then by recording.
pub(crate) fn key_of(call: &str, recording: &str) -> Vec<u8> {
    let mut key = order_key(call);
    text_key(recording, &mut key);
    key
}

/// Calls `each` for every call that either side names, with the records and the recordings of it.
///
/// # Errors
///
/// One of the two cannot be read back, or `each` fails.
pub(crate) fn join<T: OfCall + Serialize + DeserializeOwned>(
    records: &SortedRecords<T>,
    judged: impl Iterator<Item = Result<JudgedRecording, RunError>>,
    mut each: impl FnMut(Vec<T>, Vec<JudgedRecording>) -> Result<(), RunError>,
) -> Result<(), RunError> {
    let mut records = Grouped::new(records.iter().map(|record: Result<T, RunError>| {
        let record = record?;
        Ok((order_key(record.call()), record))
    }));
    let mut judged = Grouped::new(judged.map(|recording| {
        let recording = recording?;
        Ok((order_key(&recording.call), recording))
    }));
    loop {
        let next = match (records.key()?, judged.key()?) {
            (None, None) => return Ok(()),
            (Some(one), Some(other)) => one.min(other),
            (Some(one), None) | (None, Some(one)) => one,
        };
        each(records.take(&next)?, judged.take(&next)?)?;
    }
}

/// A side of the join: items with the keys of their calls, ascending.
struct Grouped<T, I: Iterator<Item = Result<(Vec<u8>, T), RunError>>> {
    items: std::iter::Peekable<I>,
}

impl<T, I: Iterator<Item = Result<(Vec<u8>, T), RunError>>> Grouped<T, I> {
    fn new(items: I) -> Grouped<T, I> {
        Grouped {
            items: items.peekable(),
        }
    }

    /// Of the next item. Absent: there is none.
    fn key(&mut self) -> Result<Option<Vec<u8>>, RunError> {
        if let Some(Ok((key, _))) = self.items.peek() {
            return Ok(Some(key.clone()));
        }
        match self.items.next() {
            Some(Err(error)) => Err(error),
            _ => Ok(None),
        }
    }

    /// All items of a key; none where the next one is another's.
    fn take(&mut self, key: &[u8]) -> Result<Vec<T>, RunError> {
        let mut items = Vec::new();
        while self.key()?.is_some_and(|next| next == key) {
            if let Some(Ok((_, item))) = self.items.next() {
                items.push(item);
            }
        }
        Ok(items)
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// A recording of a call that is in the target and right.
    pub(crate) fn judged(call: &str, recording: &str) -> JudgedRecording {
        JudgedRecording {
            call: call.to_owned(),
            recording: recording.to_owned(),
            start: String::new(),
            bytes: String::new(),
            sha256: String::new(),
            target_id: format!("t-{recording}"),
            place: Place::Target,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::testing::judged;
    use super::*;
    use crate::sorted_records::RecordSorter;

    #[derive(Serialize, Deserialize)]
    struct Note(String, String);

    impl OfCall for Note {
        fn call(&self) -> &str {
            &self.0
        }
    }

    #[test]
    fn each_call_comes_once_with_all_of_both_sides() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut sorter = RecordSorter::new(dir.path());
        for (call, recording) in [("10", "b"), ("7", "a"), ("10", "a"), ("007", "a")] {
            let note = Note(call.to_owned(), recording.to_owned());
            sorter
                .push(&key_of(call, recording), &note)
                .expect("pushed");
        }
        let notes = sorter.sorted().expect("sorted");
        let lines = [judged("7", "a"), judged("9", "a"), judged("9", "b")].map(Ok);
        let mut told = Vec::new();
        join(&notes, lines.into_iter(), |notes, lines| {
            let notes: Vec<String> = notes.iter().map(|note| note.0.clone() + &note.1).collect();
            let lines: Vec<String> = lines
                .iter()
                .map(|line| line.call.clone() + &line.recording)
                .collect();
            told.push(format!("{} | {}", notes.join(" "), lines.join(" ")));
            Ok(())
        })
        .expect("joined");
        assert_eq!(told, ["007a | ", "7a | 7a", " | 9a 9b", "10a 10b | "]);
    }

    #[test]
    fn what_cannot_be_read_ends_it() {
        let notes = SortedRecords::<Note>::default();
        let broken = [
            Ok(judged("1", "a")),
            Err(RunError::Report("no disk".to_owned())),
        ];
        let mut calls = 0;
        let error = join(&notes, broken.into_iter(), |_, _| {
            calls += 1;
            Ok(())
        })
        .expect_err("a broken side");
        assert_eq!((error.to_string().as_str(), calls), ("no disk", 0));
    }
}
