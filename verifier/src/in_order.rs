//! Records that are asked for in the order of their keys: one reading of all of them, however many
//! are asked for.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::run_error::RunError;
use crate::sorted_records::{Merge, OwnedRecord, SortedRecords, read};

/// A reading that goes forward only.
pub(crate) struct InOrder<'a, T> {
    records: &'a SortedRecords<T>,
    /// Absent: nothing was asked for yet.
    stored: Option<Merge<'a>>,
    /// Key and record that were asked for last: they may be asked for again.
    held: Option<(Vec<u8>, Option<T>)>,
    /// Beginning of keys that was asked for last, and whether there is any.
    begun: Option<(Vec<u8>, bool)>,
}

impl<'a, T: Serialize + DeserializeOwned + Clone> InOrder<'a, T> {
    pub(crate) fn new(records: &'a SortedRecords<T>) -> InOrder<'a, T> {
        InOrder {
            records,
            stored: None,
            held: None,
            begun: None,
        }
    }

    /// The next record whose key is before this one: one that is passed over on the way to it.
    pub(crate) fn passed_over(&mut self, key: &[u8]) -> Result<Option<OwnedRecord>, RunError> {
        self.next_if(|other| other < key)
    }

    /// The next record, whatever its key.
    pub(crate) fn next_record(&mut self) -> Result<Option<OwnedRecord>, RunError> {
        self.next_if(|_| true)
    }

    /// What was pushed last under a key. Absent: nothing was, or a later key was asked for before.
    pub(crate) fn last(&mut self, key: &[u8]) -> Result<Option<T>, RunError> {
        if let Some((held, record)) = &self.held
            && held == key
        {
            return Ok(record.clone());
        }
        while self.passed_over(key)?.is_some() {}
        let mut last = None;
        while let Some(stored) = self.next_if(|other| other == key)? {
            last = Some(stored.record);
        }
        let record = last.as_deref().map(read::<T>).transpose()?;
        self.held = Some((key.to_owned(), record.clone()));
        Ok(record)
    }

    /// Every record whose key begins like this.
    pub(crate) fn all_of(&mut self, beginning: &[u8]) -> Result<Vec<T>, RunError> {
        while self.passed_over(beginning)?.is_some() {}
        let mut all = Vec::new();
        while let Some(stored) = self.next_if(|other| other.starts_with(beginning))? {
            all.push(read(&stored.record)?);
        }
        Ok(all)
    }

    /// Whether the key of any record begins like this.
    pub(crate) fn has(&mut self, beginning: &[u8]) -> Result<bool, RunError> {
        if let Some((begun, is_any)) = &self.begun
            && begun == beginning
        {
            return Ok(*is_any);
        }
        while self.passed_over(beginning)?.is_some() {}
        let is_any = self
            .next_if(|other| other.starts_with(beginning))?
            .is_some();
        self.begun = Some((beginning.to_owned(), is_any));
        Ok(is_any)
    }

    fn next_if(
        &mut self,
        is_wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Option<OwnedRecord>, RunError> {
        let stored = match &mut self.stored {
            Some(stored) => stored,
            None => self.stored.insert(self.records.stored()?),
        };
        let Some(next) = stored.peek().filter(|next| is_wanted(next.key)) else {
            return Ok(None);
        };
        let next = OwnedRecord::from(next);
        stored.advance()?;
        Ok(Some(next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sorted_records::{RecordSorter, text_key};

    fn key(text: &str) -> Vec<u8> {
        let mut key = Vec::new();
        text_key(text, &mut key);
        key
    }

    #[test]
    fn what_is_asked_for_in_order_is_found_once_or_twice_and_the_rest_is_passed_over() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut sorter = RecordSorter::new(dir.path());
        for (at, name) in ["c", "a", "b", "c", "e"].into_iter().enumerate() {
            sorter
                .push(&key(name), &format!("{name}{at}"))
                .expect("pushed");
        }
        let sorted = sorter.sorted().expect("sorted");
        let mut records = InOrder::new(&sorted);
        let passed = records.passed_over(&key("b")).expect("read");
        assert_eq!(passed.map(|passed| passed.key), Some(key("a")));
        assert!(records.passed_over(&key("b")).expect("read").is_none());
        for (name, wanted) in [
            ("b", Some("b2")),
            ("b", Some("b2")),
            ("c", Some("c3")),
            ("d", None),
            ("a", None),
            ("e", Some("e4")),
        ] {
            let found = records.last(&key(name)).expect("read");
            assert_eq!(found.as_deref(), wanted, "{name}");
        }
        assert!(records.next_record().expect("read").is_none());
        let mut records = InOrder::new(&sorted);
        assert_eq!(records.all_of(&key("c")).expect("read"), ["c0", "c3"]);
        assert_eq!(records.all_of(&key("e")).expect("read"), ["e4"]);
        let mut records = InOrder::new(&sorted);
        for (name, wanted) in [
            ("a", true),
            ("a", true),
            ("c", true),
            ("d", false),
            ("e", true),
        ] {
            assert_eq!(records.has(&key(name)).expect("read"), wanted, "{name}");
        }
    }
}
